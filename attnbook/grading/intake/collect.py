"""Find a class's submissions in the form in which an LMS hands them over.

All that is read comes from strangers: names are only ever labels, and
whatever is wrong with one student's file becomes that student's sentence.
The class goes on, and every file is accounted for.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from attnbook.grading.intake.account import (
    BESIDE,
    FOLDER,
    GRADED,
    LMS,
    NOT_GRADED,
    OLDER,
    OTHER,
    Collection,
    Found,
)
from attnbook.grading.intake.around import unpacked, unwrapped
from attnbook.grading.intake.choose import Chooser
from attnbook.grading.intake.found import listed
from attnbook.grading.intake.item import (
    Attempt,
    CollectError,
    Item,
    Refused,
)
from attnbook.grading.intake.lms import PAGES
from attnbook.grading.intake.reader import Reader
from attnbook.grading.intake.whose import by_student
from attnbook.grading.model import Submission
from attnbook.grading.strangers import printable, unique_names


def collect(
    source: Path,
    sheets: dict[str, str],
    max_bytes: int = 20_000_000,
    leave_out: Iterable[Path] = (),
) -> Collection:
    """One Submission per student and sheet, refused ones among them, and
    what became of every file.

    `sheets` maps a number to the notebook's stem, such as "2_1" to
    "2_1_queries_keys_values". Folders to `leave_out` are not looked into.
    CollectError if nothing was handed in.
    """
    source, reader = Path(source), Reader(max_bytes)
    items = listed(source, {os.path.realpath(path) for path in leave_out})
    if not any(item.work for item in items):
        raise CollectError(
            f"There is no notebook (.ipynb) and no zip in {source}: name the "
            "folder, or the LMS's zip, that holds the submissions."
        )
    files = {item.file: item for item in items}
    items = unpacked(items, sheets)
    files |= {item.file: item for item in items}
    handed_in = by_student(unwrapped(items, sheets), sheets, source, reader)
    names = unique_names(handed_in)
    out = []
    for label in sorted(handed_in, key=lambda x: names[x].casefold()):
        opened = reader.opened(handed_in[label])
        files |= {item.file: item for item in opened}
        out += submissions(names[label], opened, sheets, reader)
        reader.forget(opened)
    return Collection(out, accounted(files))


def submissions(
    student: str, items: list[Item], sheets: dict[str, str], reader: Reader
) -> list[Submission]:
    """What one student handed in, sheet by sheet."""
    chooser = Chooser(sheets, reader)
    out, taken = [], {}
    for number in sheets:
        submission = Submission(student, number, printable(items[0].source))
        try:
            item = chooser.chosen(items, number)
            taken[number] = item
            submission.source = printable(item.source)
            work = reader.look(item)
            submission.refused = work.problem
            submission.sha256, submission.notebook = work.sha256, work.data
        except Refused as reason:
            submission.refused = str(reason)
        out.append(submission)
    why = next((s.refused for s in out if s.refused), "")
    tell(student, items, taken, reader, why)
    return out


# --- what became of every file ---------------------------------------------


def tell(
    student: str,
    items: list[Item],
    taken: dict[str, Item],
    reader: Reader,
    why: str,
) -> None:
    """Say of each of a student's files what became of it; `why` is what the
    student is told if there is nothing to grade."""
    for file in {item.file for item in taken.values()}:
        mine = {n: i for n, i in taken.items() if i.file is file}
        problem = reader.look(next(iter(mine.values()))).problem
        what = f"{' and '.join(mine)} of {student}"
        if problem:
            file.settle(NOT_GRADED, f"{what}, not graded: {problem}")
        file.settle(GRADED, what)
    graded = any(item.file.kind == GRADED for item in taken.values())
    times = [i.attempt for i in taken.values() if i.attempt]
    last = max(times, key=lambda time: time.order or (), default=None)
    for item in items:
        if item.kind == "notebook":
            tell_unused(item, student, last, "" if graded else why)
        elif PAGES.fullmatch(item.name):
            item.file.settle(LMS, f"a page of the LMS, of {student}")
        elif item.kind == "other":
            item.file.settle(OTHER, f"of {student}, not a notebook")


def tell_unused(
    item: Item, student: str, last: Attempt | None, why: str
) -> None:
    """Say of a notebook that was not taken why that is."""
    if last and item.attempt and item.attempt.before(last):
        became = f"an older attempt of {student}, replaced by {last.told}"
        item.file.settle(OLDER, became)
    elif why:
        item.file.settle(NOT_GRADED, f"of {student}, not graded: {why}")
    else:
        became = f"of {student}, not graded: another notebook was"
        item.file.settle(BESIDE, became)


def accounted(files: dict[Found, Item]) -> list[Found]:
    """The files, and the folders that were not looked into."""
    for file, item in files.items():
        if item.refused:
            file.settle(FOLDER if item.folder else OTHER, item.refused)
        elif not item.folder:
            file.settle(OTHER, "not a notebook")
    return [file for file in files if file.became]
