"""The command `attnbook`: for instructors."""

import argparse
import os
import sys
from pathlib import Path

from attnbook.console import speak_utf8
from attnbook.errors import AttnbookError
from attnbook.grading.clone import find_course
from attnbook.grading.course import Course
from attnbook.grading.limits import MIB, Limits
from attnbook.grading.run import GradeRun
from attnbook.grading.sandbox.process import SandboxError

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
    add_grade(commands)
    add_release(commands)
    add_preflight(commands)
    add_benchmark(commands)
    return out


def add_grade(commands) -> None:
    grade = commands.add_parser(
        "grade",
        help="grade a folder or zip of submissions",
        description="Grade notebooks of strangers: checks out here, their "
        "code in a sandbox. Run again, it goes on where it stopped, grades "
        "what is new or has changed, and keeps all other rows.",
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grade.add_argument(
        "submissions",
        type=Path,
        help="student.ipynb files, a folder for each student, or an LMS zip",
    )
    sheets(grade)
    grade.add_argument(
        "--out",
        type=Path,
        default=Path("grades"),
        help="a folder that may hold grades already; default: %(default)s",
    )
    grade.add_argument(
        "--jobs", type=positive, default=None, help="processes; default: all"
    )
    choice_options(grade)
    limit_options(grade)
    grade.add_argument(
        "--scheduler", metavar="tcp://HOST:PORT", help="of a Dask cluster"
    )
    nbgrader_options(grade)
    grade.add_argument("--no-sandbox", action="store_true", help=UNSAFE)
    grade.set_defaults(run=run_grade)


def choice_options(grade: argparse.ArgumentParser) -> None:
    grade.add_argument(
        "--seed",
        type=natural,
        help="of the secret inputs; default: that of the folder's first run, "
        "a fresh one in a new folder",
    )
    grade.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        help="grade only these students, named as in grades.csv",
    )
    grade.add_argument(
        "--force",
        action="store_true",
        help="grade again what was graded before",
    )


def limit_options(grade: argparse.ArgumentParser) -> None:
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


def nbgrader_options(grade: argparse.ArgumentParser) -> None:
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


def add_release(commands) -> None:
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


def add_preflight(commands) -> None:
    look = commands.add_parser(
        "preflight",
        help="grade the solved sheets: does grading work on this machine?",
    )
    course_option(look)
    look.set_defaults(run=run_preflight)


def add_benchmark(commands) -> None:
    bench = commands.add_parser(
        "benchmark", help="time this grader and nbgrader on the same work"
    )
    sheets(bench)
    bench.add_argument("--count", type=positive, default=20)
    bench.add_argument("--jobs", type=positive, default=None)
    bench.set_defaults(run=run_benchmark)


def sheets(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--exercise",
        nargs="+",
        required=True,
        metavar="N_M",
        help="sheets, such as 2_1",
    )
    course_option(command)


def course_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--course",
        type=Path,
        help="the folder with solutions/; default: that of this attnbook",
    )


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def natural(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or len(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
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
    course = Course(find_course(options.course))
    numbers = list(dict.fromkeys(options.exercise))
    for number in numbers:
        course.sheet(number)
    return course, numbers


# --- the commands ----------------------------------------------------------


def run_grade(options) -> int:
    course, numbers = open_course(options)
    if options.no_sandbox:
        print(UNSAFE, file=sys.stderr)
    run = GradeRun(options, course, numbers)
    run.conduct()
    if run.interrupted:
        return INTERRUPTED
    return SOME_NOT if run.left_out else ALL_GRADED


def run_release(options) -> int:
    course, numbers = open_course(options)
    if options.nbgrader:
        from attnbook.grading.output.nbgrader_tools import lay_out

        written = lay_out(course, numbers, options.out)
    else:
        from attnbook.release.handout import release

        written = release(course, numbers, options.out, options.github)
    for path in written:
        print(path)
    return 0


def run_preflight(options) -> int:
    from attnbook.grading.preflight import preflight

    print(preflight(Course(find_course(options.course))))
    return 0


def run_benchmark(options) -> int:
    from attnbook.grading.benchmark import benchmark

    course, numbers = open_course(options)
    jobs = options.jobs or os.cpu_count() or 1
    print(benchmark(course, numbers, options.count, jobs))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code. Known errors become one sentence."""
    if arguments is None:  # as a program
        speak_utf8()
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except SandboxError as error:
        print(f"Nothing was graded: {error}", file=sys.stderr)
        return NO_SANDBOX
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except AttnbookError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"The system says: {error.strerror}{where}. What was graded is "
            "kept; mend that and run the same command again.",
            file=sys.stderr,
        )
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
