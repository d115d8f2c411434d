"""One run of `attnbook grade`: from what was handed in to the reports."""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from attnbook.grading import batch
from attnbook.grading.clone import refuse_strangers_files
from attnbook.grading.course import Course, CourseError
from attnbook.grading.intake import collect
from attnbook.grading.intake.selection import not_handed_in, only
from attnbook.grading.limits import MIB, Limits
from attnbook.grading.model import NOT_GRADED, Result, Submission
from attnbook.grading.output import tables
from attnbook.grading.output.runfolder import RunFolder
from attnbook.grading.output.tables import counted
from attnbook.grading.sandbox.bwrap import exposed
from attnbook.grading.sandbox.process import SandboxError
from attnbook.grading.settings import Settings, differing


def grade(
    options, course: Course, numbers: list[str]
) -> tuple[list[Result], bool]:
    """Results of what was handed in now, and whether the run was interrupted.
    All that can be known to be wrong is said before anything is graded."""
    stems = {number: course.sheet(number).stem for number in numbers}
    collection = collect.collect(
        options.submissions,
        stems,
        options.max_mb * 1_000_000,
        leave_out=not_handed_in(options),
    )
    print(collection.summary())
    found = only(collection.submissions, options)
    tell_nbgrader(options, course, [])  # or say now what will not work
    refuse_strangers_files(course.root, options.submissions)
    if not options.no_sandbox:
        refuse_exposed(options.submissions, options.out, course.root)
    settings = Settings.of(
        course,
        numbers,
        secrets.randbits(63) if options.seed is None else options.seed,
        limits_of(options),
        not options.no_sandbox,
    )
    folder = RunFolder(options.out)
    settings = folder.open(settings, options.seed is not None)
    tables.write_whole(
        folder.path / "files.csv", "\ufeff" + tables.files(collection.files)
    )
    results, interrupted = [], False
    try:
        grade_class(options, settings, folder, found, results)
    except KeyboardInterrupt:
        interrupted = True
    finish(options, settings, folder, results, interrupted)
    if not interrupted:
        rows = [folder.results[r.key] for r in results]  # as in grades.csv
        tell_nbgrader(options, course, rows)
        place_notebooks(options, course, rows, found)
    return results, interrupted


def refuse_exposed(*places: Path) -> None:
    """SandboxError if students' code could read one of these."""
    for place in places:
        if where := exposed(place):
            raise SandboxError(
                f"students' code could read {place}, because the sandbox "
                f"shows it all of {where}: keep it somewhere else."
            )


def limits_of(options) -> Limits:
    return Limits(
        cell=options.limit_cell,
        call=options.limit_call,
        question=options.limit_question,
        memory=options.memory * MIB,
    )


# --- nbgrader --------------------------------------------------------------


def tell_nbgrader(options, course: Course, rows: list[Result]) -> None:
    """Write the scores into its gradebook, if that is asked for."""
    url = url_of_gradebook(options)
    if not url:
        return
    from attnbook.grading.output.gradebook import write_scores

    count = write_scores(url, rows, course, options.nbgrader_course)
    if rows:
        print(f"{counted(count, 'submission')} written to the gradebook.")


def url_of_gradebook(options):
    """Where scores are written, if they are."""
    if options.gradebook or not options.nbgrader_course:
        return options.gradebook
    folder = options.nbgrader_course
    if not (folder / "nbgrader_config.py").exists():
        raise CourseError(
            f"{folder} is no nbgrader course: make one with `attnbook release "
            "--nbgrader --exercise ... --out DIR`."
        )
    from attnbook.grading.output.gradebook import in_file

    return in_file(folder.resolve() / "gradebook.db")


def place_notebooks(options, course, rows, found) -> None:
    """Put them where formgrader shows them, if that is asked for."""
    if options.nbgrader_course:
        from attnbook.grading.output.marks import place_submissions

        notebooks = {s.key: s.notebook for s in found}
        place_submissions(options.nbgrader_course, course, rows, notebooks)


# --- grading ---------------------------------------------------------------


def grade_class(options, settings, folder, found, results) -> None:
    """Fills `results`; what is graded is in the folder as soon as it is
    there."""
    todo: list[Submission] = []
    for submission in found:
        done = folder.finished(submission, settings)
        if submission.refused:
            why = submission.refused
            results.append(batch.not_graded(submission, why))
        elif done and not options.force:
            results.append(done)
        else:
            todo.append(submission)
    say_what_is_known(folder, results, todo, settings)
    width = max(len(s.student) for s in found)
    for result in results:
        if result.state == NOT_GRADED:
            print(line(result, width))
    if todo:
        stream = stream_of(options, settings, todo)
        for result in shown(stream, len(todo), width):
            result.graded_with = settings.for_sheet(result.sheet)
            folder.keep(result)
            results.append(result)


def say_what_is_known(folder, results, todo, settings) -> None:
    """In a line each: what is damaged, kept, and graded again."""
    owners = folder.owners()
    now = {folder.file(s.key): f"{s.student}, {s.sheet}" for s in todo}
    for path, why in folder.damaged.items():
        whose = now.get(path) or owners.get(path, "whoever it was of")
        then = "is graded again" if path in now else "has to be graded again"
        print(f"{path} is damaged ({why}): {whose}, {then}.", file=sys.stderr)
    kept = sum(r.state != NOT_GRADED for r in results)
    if kept:
        verbs = ("was", "is") if kept == 1 else ("were", "are")
        print(f"{kept} {verbs[0]} graded before and {verbs[1]} kept.")
    before = [folder.earlier.get(s.key) for s in todo]
    same = [
        r
        for r, s in zip(before, todo)
        if r and r.state != NOT_GRADED and r.sha256 == s.digest
    ]
    if same:
        count, with_what = len(same), with_others(same, settings)
        verbs = ("was", "is") if count == 1 else ("were", "are")
        print(
            f"{count} {verbs[0]} graded before{with_what} and {verbs[1]} "
            "graded again."
        )


def with_others(results: list[Result], settings: Settings) -> str:
    """Which other settings the results were made with, in brackets."""
    names = {
        name
        for result in results
        for name in differing(
            result.graded_with, settings.for_sheet(result.sheet)
        )
    }
    words = {"digest": "version of the sheet or the grader"}
    listed = ", ".join(sorted(words.get(name, name) for name in names))
    return f" with other settings ({listed})" if names else ""


def stream_of(options, settings, todo) -> Iterator[Result]:
    if options.scheduler:
        return batch.grade_there(settings, todo, options.scheduler)
    return batch.grade_here(settings, todo, options.jobs or os.cpu_count() or 1)


def shown(stream, count: int, width: int) -> Iterator[Result]:
    """The results, a line and a step of the bar for each."""
    from tqdm import tqdm

    with contextlib.closing(stream), tqdm(total=count, unit="") as bar:
        for result in stream:
            yield result
            bar.write(line(result, width))
            bar.update()


def line(result: Result, width: int) -> str:
    """One student, for the terminal."""
    head = f"{result.student:{min(width, 30)}s}  {result.sheet}"
    if result.state == NOT_GRADED:
        return f"{head}  not graded: {result.why}"
    return f"{head}  {result.points:5.2f} of {result.out_of:g}"


# --- after -----------------------------------------------------------------


def finish(options, settings, folder, results, interrupted: bool) -> None:
    """Write the reports on all that the folder holds, and say where."""
    for result in results:
        if not result.graded_with and result.state == NOT_GRADED:
            folder.keep(result)  # what was refused
    results.sort(key=lambda r: (r.student, r.sheet))
    rows = folder.rows()
    notes = folder.write_reports(settings)
    say_what_stays(settings, rows, results)
    for note in notes:
        print(note)
    if interrupted:
        again = "starts again" if options.force else "goes on from there"
        print(
            f"\nInterrupted: {len(rows)} are kept in {folder.path}. The same "
            f"command {again}."
        )
        return
    print(tables.summary(rows))
    print(f"Grades: {folder.path / 'grades.csv'}")
    print(f"Feedback: {folder.path / 'students'}")


def say_what_stays(settings, rows, results) -> None:
    mine = set(map(id, results))
    stay = [r for r in rows if id(r) not in mine]
    if not stay:
        return
    others = [
        r
        for r in stay
        if r.state != NOT_GRADED
        and differing(r.graded_with, settings.for_sheet(r.sheet))
    ]
    some = len(others) < len(stay)
    which = f"{len(others)} of them graded" if some else "graded"
    more = f", {which}{with_others(others, settings)}" if others else ""
    verb = "is" if len(stay) == 1 else "are"
    print(f"{counted(len(stay), 'row')} of earlier runs {verb} kept{more}.")
