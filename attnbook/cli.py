"""The command `attnbook`: for instructors."""

import argparse
import contextlib
import os
import secrets
import sys
from pathlib import Path

from attnbook.grading import batch, collect, report
from attnbook.grading.course import Course, CourseError, find_course
from attnbook.grading.limits import MIB, Limits
from attnbook.grading.model import NOT_GRADED, Result, Submission
from attnbook.grading.sandbox import Sandbox, SandboxError

ALL_GRADED, SOME_NOT, BAD_INPUT, NO_SANDBOX, INTERRUPTED = 0, 1, 2, 3, 130
UNSAFE = (
    "WARNING: --no-sandbox runs students' code with all of your rights. It can "
    "read and change your files, the other submissions and the answers, and "
    "use your network. The scores can be forged."
)
CODES = """exit codes: 0 all graded; 1 some not graded (grades.csv says why);
2 bad input; 3 the sandbox does not work here; 130 interrupted"""


def parser() -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(prog="attnbook", description=__doc__)
    commands = out.add_subparsers(dest="command", required=True)

    grade = commands.add_parser(
        "grade",
        help="grade a folder or zip of submissions",
        description="Grade notebooks of strangers: checks out here, their "
        "code in a sandbox. Run again, it goes on where it stopped.",
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grade.add_argument(
        "submissions",
        type=Path,
        help="student.ipynb files, a folder for each student, or an LMS zip",
    )
    sheets(grade)
    grade.add_argument("--out", type=Path, default=Path("grades"))
    grade.add_argument(
        "--jobs", type=positive, default=None, help="processes; default: all"
    )
    grade.add_argument(
        "--seed", type=int, help="of the secret inputs; default: a fresh one"
    )
    defaults = Limits()
    for name, of in (
        ("cell", "for one cell"),
        ("call", "for one call of a student's function"),
        ("question", "for one question's calls"),
    ):
        grade.add_argument(
            f"--limit-{name}",
            type=seconds,
            default=getattr(defaults, name),
            metavar="S",
            help=f"CPU seconds {of}; default: %(default)s",
        )
    grade.add_argument(
        "--memory",
        type=positive,
        default=defaults.memory // MIB,
        metavar="MIB",
        help="for one submission; default: %(default)s",
    )
    grade.add_argument(
        "--max-mb",
        type=positive,
        default=20,
        help="a larger notebook is not graded; default: %(default)s",
    )
    grade.add_argument(
        "--scheduler", metavar="tcp://HOST:PORT", help="of a Dask cluster"
    )
    grade.add_argument(
        "--gradebook",
        metavar="URL",
        nargs="?",
        const="sqlite:///gradebook.db",
        help="write scores to nbgrader's gradebook; default: %(const)s",
    )
    grade.add_argument(
        "--nbgrader-course",
        type=Path,
        metavar="DIR",
        help="put the notebooks where its formgrader shows them with their "
        "scores; implies --gradebook sqlite:///DIR/gradebook.db",
    )
    grade.add_argument("--no-sandbox", action="store_true", help=UNSAFE)
    grade.set_defaults(run=run_grade)

    release = commands.add_parser(
        "release", help="write what students get, without any solution"
    )
    sheets(release)
    release.add_argument("--out", type=Path, required=True, metavar="DIR|ZIP")
    release.add_argument(
        "--github",
        action="store_true",
        help="add autograding on GitHub (visible checks only)",
    )
    release.add_argument(
        "--nbgrader",
        action="store_true",
        help="write an nbgrader course folder, for instructors, instead",
    )
    release.set_defaults(run=run_release)

    look = commands.add_parser(
        "preflight", help="say whether the sandbox works on this machine"
    )
    look.set_defaults(run=run_preflight)

    bench = commands.add_parser(
        "benchmark", help="time this grader and nbgrader on the same work"
    )
    sheets(bench)
    bench.add_argument("--count", type=positive, default=20)
    bench.add_argument("--jobs", type=positive, default=None)
    bench.set_defaults(run=run_benchmark)
    return out


def sheets(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--exercise",
        nargs="+",
        required=True,
        metavar="N_M",
        help="sheets, such as 2_1",
    )
    command.add_argument(
        "--course", type=Path, help="the folder with solutions/; default: here"
    )


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time in seconds")
    return value


def open_course(options) -> tuple[Course, list[str]]:
    root = options.course or find_course()
    course = Course(root)
    numbers = list(dict.fromkeys(options.exercise))
    for number in numbers:
        course.sheet(number)
    return course, numbers


# --- grade -----------------------------------------------------------------


def run_grade(options) -> int:
    course, numbers = open_course(options)
    stems = {number: course.sheet(number).stem for number in numbers}
    found = collect.collect(
        options.submissions, stems, options.max_mb * 1_000_000
    ).submissions
    limits = Limits(
        cell=options.limit_cell,
        call=options.limit_call,
        question=options.limit_question,
        memory=options.memory * MIB,
    )
    settings = batch.Settings(
        str(course.root),
        course.digest(numbers),
        tuple(numbers),
        secrets.randbits(63) if options.seed is None else options.seed,
        limits,
        not options.no_sandbox,
    )
    gradebook = url_of_gradebook(options)
    if gradebook:  # a wrong password is better said before the grading
        from attnbook.grading.gradebook import write_scores

        write_scores(gradebook, [], course)
    if options.no_sandbox:
        print(UNSAFE, file=sys.stderr)
    folder = batch.RunFolder(options.out)
    settings = folder.open(settings, options.seed is not None)
    results, interrupted = [], False
    try:
        grade_class(options, settings, folder, found, results)
    except KeyboardInterrupt:
        interrupted = True
    finish(settings, folder, results, interrupted)
    if interrupted:
        return INTERRUPTED
    if gradebook:
        count = write_scores(
            gradebook, results, course, options.nbgrader_course
        )
        print(f"{count} submissions written to the gradebook.")
    if options.nbgrader_course:
        from attnbook.grading.marks import place_submissions

        notebooks = {s.key: s.notebook for s in found}
        place_submissions(options.nbgrader_course, course, results, notebooks)
    left = any(r.state == NOT_GRADED for r in results)
    return SOME_NOT if left else ALL_GRADED


def url_of_gradebook(options) -> str | None:
    """Where scores are written, if they are."""
    if options.gradebook or not options.nbgrader_course:
        return options.gradebook
    folder = options.nbgrader_course
    if not (folder / "nbgrader_config.py").exists():
        raise CourseError(
            f"{folder} is no nbgrader course: make one with `attnbook release "
            "--nbgrader --exercise ... --out DIR`."
        )
    return f"sqlite:///{folder.resolve()}/gradebook.db"


def grade_class(options, settings, folder, found, results) -> None:
    """Fills `results`; each is kept in the folder as soon as it is there."""
    from tqdm import tqdm

    todo: list[Submission] = []
    for submission in found:
        if submission.refused:
            results.append(batch.not_graded(submission, submission.refused))
        elif done := folder.finished(submission):
            results.append(done)
        else:
            todo.append(submission)
    if len(todo) + len([r for r in results if r.state == NOT_GRADED]) < len(
        found
    ):
        kept = sum(r.state != NOT_GRADED for r in results)
        print(f"{kept} were graded before and are kept.")
    width = max(len(s.student) for s in found)
    for result in results:
        if result.state == NOT_GRADED:
            print(line(result, width))
    if not todo:
        return
    if options.scheduler:
        stream = batch.grade_there(settings, todo, options.scheduler)
    else:
        jobs = options.jobs or os.cpu_count() or 1
        stream = batch.grade_here(settings, todo, jobs)
    with contextlib.closing(stream), tqdm(total=len(todo), unit="") as bar:
        for result in stream:
            folder.keep(result)
            results.append(result)
            bar.write(line(result, width))
            bar.update()


def line(result: Result, width: int) -> str:
    """One student, for the terminal."""
    head = f"{result.student:{min(width, 30)}s}  {result.sheet}"
    if result.state == NOT_GRADED:
        return f"{head}  not graded: {result.why}"
    return f"{head}  {result.points:5.2f} of {result.out_of:g}"


def finish(settings, folder, results, interrupted: bool) -> None:
    """Write the reports, and say where they are."""
    results.sort(key=lambda r: (r.student, r.sheet))
    digests = {f"{r.student}/{r.sheet}": r.sha256 for r in results}
    log = folder.write_log(settings, digests)
    report.write_reports(folder.path, results, log)
    if interrupted:
        print(
            f"\nInterrupted: {len(results)} are kept in {folder.path}. The "
            "same command goes on from there."
        )
        return
    print(report.summary(results))
    print(f"Grades: {folder.path / 'grades.csv'}")
    print(f"Feedback: {folder.path / 'students'}")


# --- the other commands ----------------------------------------------------


def run_release(options) -> int:
    course, numbers = open_course(options)
    if options.nbgrader:
        from attnbook.grading.nbgrader_tools import lay_out

        written = lay_out(course, numbers, options.out)
    else:
        from attnbook.grading.release import release

        written = release(course, numbers, options.out, options.github)
    for path in written:
        print(path)
    return 0


def run_preflight(options) -> int:
    with Sandbox() as sandbox:
        sandbox.open(0).end()
        who = "as root" if sandbox.root else "as a normal user"
        more = "with" if sandbox.seccomp else "without"
        print(f"The sandbox works here, {who}, {more} a seccomp filter.")
    return 0


def run_benchmark(options) -> int:
    from attnbook.grading.benchmark import benchmark

    course, numbers = open_course(options)
    jobs = options.jobs or os.cpu_count() or 1
    print(benchmark(course, numbers, options.count, jobs))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code. Known errors become one sentence."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except SandboxError as error:
        print(f"Nothing was graded: {error}", file=sys.stderr)
        return NO_SANDBOX
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except (CourseError, batch.RunError, collect.CollectError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"The system says: {error.strerror}{where}. What was graded is "
            "kept; mend that and run the same command again.",
            file=sys.stderr,
        )
    except Exception as error:
        if type(error).__module__.startswith("attnbook."):
            print(error, file=sys.stderr)  # of a part that is loaded late
        else:
            raise
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
