"""What a run tells the instructor on the terminal."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from attnbook.grading.model import NOT_GRADED, Result, Submission
from attnbook.grading.output import tables
from attnbook.grading.output.runfolder import RunFolder
from attnbook.grading.output.tables import counted
from attnbook.grading.settings import Settings, differing


def say_what_is_known(
    folder: RunFolder,
    results: list[Result],
    todo: list[Submission],
    settings: Settings,
) -> None:
    """In a line each: what is damaged, kept, and graded again."""
    say_damaged(folder, todo)
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


def say_damaged(folder: RunFolder, todo: list[Submission]) -> None:
    owners = folder.owners()
    now = {folder.file(s.key): f"{s.student}, {s.sheet}" for s in todo}
    for path, why in folder.damaged.items():
        whose = now.get(path) or owners.get(path, "whoever it was of")
        then = "is graded again" if path in now else "has to be graded again"
        print(f"{path} is damaged ({why}): {whose}, {then}.", file=sys.stderr)


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


def say_what_is_refused(results: list[Result], width: int) -> None:
    for result in results:
        if result.state == NOT_GRADED:
            print(line(result, width))


def shown(stream: Iterator[Result], count: int, width: int) -> Iterator[Result]:
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


def say_what_stays(
    settings: Settings, rows: list[Result], results: list[Result]
) -> None:
    """How many rows of earlier runs stay, and what they were graded with."""
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


def say_interrupted(count: int, folder: Path, force: bool) -> None:
    again = "starts again" if force else "goes on from there"
    print(
        f"\nInterrupted: {count} are kept in {folder}. The same command "
        f"{again}."
    )


def say_where(folder: Path, rows: list[Result]) -> None:
    print(tables.summary(rows))
    print(f"Grades: {folder / 'grades.csv'}")
    print(f"Feedback: {folder / 'students'}")
