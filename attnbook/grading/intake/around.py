"""What lies around a class: folders, and zips in a folder."""

import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from attnbook.grading.intake.account import OTHER, ZIP
from attnbook.grading.intake.item import CollectError, Item, is_flat
from attnbook.grading.intake.lms import Forms
from attnbook.grading.intake.sheets import known_names, mentioned
from attnbook.grading.intake.zips import in_zip, open_zip

DEEP = 3  # folders around a class
NBGRADER = "nbgrader_config.py"


def unpacked(items: list[Item], sheets: dict[str, str]) -> list[Item]:
    """With what is in a class's zip that lies in the folder: all that an LMS
    has packed, or the one zip that holds several students."""
    out = []
    zips = [i for i in items if i.kind == "zip" and is_flat(i)]
    alone = len([i for i in items if i.work]) == 1
    for item in items:
        inner = a_class(item, sheets, alone) if item in zips else []
        if inner:
            item.file.settle(ZIP, "a class's zip that was opened")
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
    return of_nbgrader(items) or by_sheet(items) or inside_one(items, sheets)


def of_nbgrader(items: list[Item]) -> list[Item]:
    """What is in submitted/, if this is a whole course of nbgrader's."""
    tops = {item.parts[0] for item in items}
    if "submitted" not in tops or not tops & {"source", NBGRADER}:
        return []
    for item in items:
        if item.parts[0] != "submitted" and not item.folder:
            item.file.settle(OTHER, "left out: it is not in submitted/")
    return below([i for i in items if i.parts[0] == "submitted"], 1)


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
