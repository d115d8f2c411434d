"""Whose each file is."""

import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from attnbook.grading.intake.account import BESIDE, LMS, OTHER
from attnbook.grading.intake.item import (
    NOTEBOOK,
    ZIP,
    Item,
    is_flat,
)
from attnbook.grading.intake.lms import PAGES, Forms, Handed
from attnbook.grading.intake.reader import Reader
from attnbook.grading.intake.sheets import (
    is_scratch,
    mentioned,
    without_sheets,
)

GRADESCOPE = "submission_metadata.json"  # beside the folder of a submission


def by_student(
    items: list[Item], sheets: dict[str, str], source: Path, reader: Reader
) -> dict[str, list[Item]]:
    """What each student handed in, by the label that stands for them. Lists
    and read-me files beside the students' work are accounted for."""
    own = name_of(source)
    if one_submission(items, sheets, source):
        mine = [i for i in items if not i.left_out or i.parts[1:]]
        return {label_of(items, sheets, own): mine}
    owners = Owners(items, sheets, own, reader)
    out = defaultdict(list)
    for item in items:
        if placed := owners.place(item):
            label, rest = placed
            out[label].append(rest)
    return {label: mine for label, mine in out.items() if student(label, mine)}


class Owners:
    """Whose each item of a class is."""

    def __init__(
        self,
        items: list[Item],
        sheets: dict[str, str],
        own: str,
        reader: Reader,
    ):
        self.sheets, self.own, self.reader = sheets, own, reader
        self.forms = Forms(items, sheets)
        flat = [i for i in items if is_flat(i) and i.work]
        flat = [i for i in flat if not self.forms.of(i)]
        self.scratch = scratch_beside(flat, sheets, reader)
        self.unnamed = label_of(flat, sheets, own)

    def place(self, item: Item) -> tuple[str, Item] | None:
        """A student's label and the item below it; None if it is nobody's."""
        if item.left_out and len(item.parts) == 1:
            return None
        known = self.forms.of(item)
        if known and (self.forms.meant or not is_flat(item)):
            return (known.person, said(item, known)) if known.person else None
        if not is_flat(item):
            return item.parts[0], replace(item, parts=item.parts[1:])
        if item.work:
            return self.place_flat(item)
        beside_work(item)
        return None

    def place_flat(self, item: Item) -> tuple[str, Item] | None:
        if item in self.scratch:
            return self.unnamed, item
        if is_hidden(item) and not self.reader.look(item).says.all():
            item.file.settle(BESIDE, "a hidden file that holds no sheet")
            return None
        return owner(item.name, self.sheets) or self.own, item


def said(item: Item, known: Handed) -> Item:
    """The item below the student that an LMS names."""
    parts = (known.rest,) if known.rest else item.parts[known.depth :]
    if known.page and not item.folder:
        item.file.settle(LMS, f"a page of the LMS, of {known.person}")
    item = replace(
        item, parts=parts, attempt=known.attempt, upload=known.upload
    )
    draft = known.draft and not item.folder
    return item.leave_out(known.draft) if draft else item


def beside_work(item: Item) -> None:
    if PAGES.fullmatch(item.name):
        item.file.settle(LMS, "a list or page of the LMS")
    item.file.settle(OTHER, item.refused or "not a notebook")


def student(label: str, items: list[Item]) -> bool:
    """Whether this is a student: a hidden folder is one only with work."""
    if not label.startswith(".") or any(i.work or i.refused for i in items):
        return True
    for item in items:
        if not item.folder:
            item.file.settle(OTHER, "in a hidden folder without a notebook")
    return False


def one_submission(
    items: list[Item], sheets: dict[str, str], source: Path
) -> bool:
    """Whether this is Gradescope's folder of one student's submission."""
    if not source.is_dir():
        return False
    source = source.absolute()
    if (source.parent / GRADESCOPE).is_file():
        return True
    flat = [i for i in items if is_flat(i) and i.kind == "notebook"]
    named = any(is_sheets_own(i, sheets) for i in flat)
    rest = [i for i in flat if not is_scratch(i.name)]
    return source.name == "submission" and (named or len(rest) == 1)


def scratch_beside(
    flat: list[Item], sheets: dict[str, str], reader: Reader
) -> list[Item]:
    """Notebooks beside one that has exactly the sheet's own name, which tells
    no student: if all of them hold nothing of any sheet, or are called so,
    they are the same student's. Otherwise this is a class, and each file is
    somebody's."""
    others = [item for item in flat if not is_sheets_own(item, sheets)]
    if len(others) == len(flat):
        return []
    scratch = all(
        item.kind == "notebook"
        and (is_scratch(item.name) or is_empty(item, sheets, reader))
        for item in others
    )
    return others if scratch else []


def is_empty(item: Item, sheets: dict[str, str], reader: Reader) -> bool:
    work = reader.look(item)
    named = mentioned(item.name, sheets)
    return not (work.problem or work.says.all() or named)


def is_hidden(item: Item) -> bool:
    return item.kind == "notebook" and item.name.startswith(".")


def is_sheets_own(item: Item, sheets: dict[str, str]) -> bool:
    return is_flat(item) and stem(item) in sheets.values()


def stem(item: Item) -> str:
    return NOTEBOOK.sub("", item.name)


def label_of(items: list[Item], sheets: dict[str, str], own: str) -> str:
    """The label of a student whom only a sheet's own name stands for."""
    named = [i for i in items if is_sheets_own(i, sheets)]
    return (owner(named[0].name, sheets) if named else "") or own


def owner(name: str, sheets: dict[str, str]) -> str:
    """Who alice_2_1.ipynb is from. With one sheet each file is a student;
    with several a name without its sheet is the student's."""
    name = ZIP.sub("", NOTEBOOK.sub("", name))
    return name if len(sheets) == 1 else without_sheets(name, sheets)


def name_of(source: Path) -> str:
    name = Path(os.path.abspath(source)).name
    return NOTEBOOK.sub("", ZIP.sub("", name)) or "student"
