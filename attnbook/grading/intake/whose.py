"""Whose each file is."""

import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from attnbook.grading.intake.account import BESIDE, LMS, OTHER
from attnbook.grading.intake.item import (
    NOTEBOOK,
    ZIP,
    CollectError,
    Item,
    is_flat,
)
from attnbook.grading.intake.lms import PAGES, Forms
from attnbook.grading.intake.reader import Reader
from attnbook.grading.intake.sheets import (
    is_scratch,
    known_names,
    mentioned,
    without_sheets,
)
from attnbook.grading.intake.zips import in_zip, open_zip

DEEP = 3  # folders around a class
GRADESCOPE = "submission_metadata.json"  # beside the folder of a submission


# --- the class's folder ----------------------------------------------------


def unpacked(items: list[Item], sheets: dict[str, str]) -> list[Item]:
    """With what is in a class's zip that lies in the folder: all that an LMS
    has packed, or the one zip that holds several students."""
    out = []
    zips = [i for i in items if i.kind == "zip" and is_flat(i)]
    alone = len([i for i in items if i.work]) == 1
    for item in items:
        inner = a_class(item, sheets, alone) if item in zips else []
        if inner:
            item.file.settle("zip", "a class's zip that was opened")
        out += inner or [item]
    return out


def a_class(item: Item, sheets: dict[str, str], alone: bool) -> list[Item]:
    """What is in a zip, if that is a class and no student's work."""
    if item.refused or not os.path.isfile(item.source):
        return []
    try:
        inner = list(in_zip(open_zip(Path(item.source)), item.source))
    except CollectError:
        return []
    bare = unwrapped(inner, sheets)
    if Forms(bare, sheets).meant or alone and bare is not inner:
        return bare
    wrapped = [replace(i, parts=(item.name, *i.parts)) for i in inner]
    bare = unwrapped(wrapped, sheets)
    return bare if alone and bare is not wrapped else []


def unwrapped(items: list[Item], sheets: dict[str, str]) -> list[Item]:
    """Without the folders around a whole class, if there are such."""
    if Forms(items, sheets).meant:
        return items
    for depth in range(1, DEEP + 1):
        inside = below(items, depth)
        if not inside or len({i.parts[:depth] for i in items if i.work}) > 1:
            break
        if Forms(inside, sheets).meant:
            return inside
    return by_sheet(items) or inside_one(items, sheets)


def by_sheet(items: list[Item]) -> list[Item]:
    """Without folders that are named for sheets, `2_1/ann.ipynb`, if all
    work is in such."""
    tops = {i.parts[0] for i in items if i.work or i.parts[1:]}
    named = {"_".join(top.split("_")[:2]) for top in tops}
    if any(is_flat(i) and i.work for i in items) or not tops:
        return []
    return below(items, 1) if named <= known_names()[0] else []


def below(items: list[Item], depth: int) -> list[Item]:
    return [replace(i, parts=i.parts[depth:]) for i in items if i.parts[depth:]]


def inside_one(items: list[Item], sheets: dict[str, str]) -> list[Item]:
    """Without one folder that holds several students."""
    inside = below(items, 1)
    around = {i.parts[0] for i in items if i.work or i.folder or i.parts[1:]}
    if len(around) > 1 or not inside:
        return items
    work = [i for i in inside if i.work]
    flat = [i for i in work if len(i.parts) == 1]
    if flat:  # several files that no sheet is named in are several students
        named = any(mentioned(item.name, sheets) for item in flat)
        return items if named or len(flat) == 1 else inside
    folders = defaultdict(set)  # by sheet; a student has but one for each
    for item in work:
        for sheet in mentioned(item.name, sheets) or [None]:
            folders[sheet].add(item.parts[0])
    several = any(len(found) > 1 for found in folders.values())
    whole = any(item.parts[0] == "exercises" for item in work)
    return inside if several and not whole else items


# --- the students ----------------------------------------------------------


def by_student(
    items: list[Item], sheets: dict[str, str], source: Path, reader: Reader
) -> dict[str, list[Item]]:
    """What each student handed in, by the label that stands for them. Lists
    and read-me files beside the students' work are accounted for."""
    own = name_of(source)
    if one_submission(items, sheets, source):
        mine = [i for i in items if not i.left_out or i.parts[1:]]
        return {label_of(items, sheets, own): mine}
    forms = Forms(items, sheets)
    flat = [i for i in items if is_flat(i) and i.work and not forms.of(i)]
    scratch = scratch_beside(flat, sheets, reader)
    out = defaultdict(list)
    for item in items:
        if item.left_out and len(item.parts) == 1:
            continue
        known = forms.of(item)
        if known and not known.person:
            continue
        if known and (forms.meant or not is_flat(item)):
            out[known.person].append(said(item, known))
        elif not is_flat(item):
            rest = replace(item, parts=item.parts[1:])
            out[item.parts[0]].append(rest)
        elif not item.work:
            beside_work(item)
        elif item in scratch:
            out[label_of(flat, sheets, own)].append(item)
        elif is_hidden(item) and not reader.look(item).says.all():
            item.file.settle(BESIDE, "a hidden file that holds no sheet")
        else:
            out[owner(item.name, sheets) or own].append(item)
    return {label: mine for label, mine in out.items() if student(label, mine)}


def said(item: Item, known) -> Item:
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
    no student: those that hold nothing of any sheet, or are called so, are
    the same student's."""
    if not any(is_sheets_own(item, sheets) for item in flat):
        return []
    return [
        item
        for item in flat
        if item.kind == "notebook"
        and not is_sheets_own(item, sheets)
        and (is_scratch(item.name) or is_empty(item, sheets, reader))
    ]


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
