"""Students' notebooks with nbgrader's marks, for formgrader to show.

The exercises that students get carry no metadata; the master has it.
"""

import json
import textwrap
from pathlib import Path

from attnbook.grading.course import Course, CourseError, Sheet, cells_of
from attnbook.grading.model import Result
from attnbook.grading.strangers import student_id
from attnbook.notebooks.cells import (
    NotANotebook,
    checked_in,
    is_check,
    parse,
    text_of,
)


def read_cells(data: bytes) -> list[dict]:
    """A stranger's cells: type, id and source, all else left behind; none if
    the bytes are not a notebook's."""
    try:
        cells = parse(data)["cells"]
        return [
            {
                "cell_type": cell.get("cell_type"),
                "id": str(cell.get("id")),
                "metadata": {},
                "source": text_of(cell.get("source")),
            }
            for cell in cells
            if isinstance(cell, dict)
        ]
    except (NotANotebook, TypeError, LookupError):
        return []


def mark(cells: list[dict], sheet: Sheet) -> None:
    """Give a student's cells the master's nbgrader metadata, in place.

    A cell gets that of the master's cell with the same id or, where an editor
    made new ids, the same `check` call; no metadata is given twice. What the
    cells held as nbgrader metadata before is dropped.
    """
    present = {cell.get("id") for cell in cells}
    wanted = {}
    for cell in cells_of(sheet.path):
        call = called_first(cell["source"])
        if "nbgrader" in cell["metadata"]:
            key = cell["id"]
            if call and key not in present:
                key = call
            wanted[key] = cell["metadata"]["nbgrader"]
    for cell in cells:
        call = called_first(text_of(cell.get("source")))
        key = cell.get("id")
        if call and key not in wanted:
            key = call
        cell["metadata"].pop("nbgrader", None)
        if cell["cell_type"] == "code" and key in wanted:
            cell["metadata"]["nbgrader"] = wanted.pop(key)


def called_first(source: str) -> str | None:
    """The exercise that a check cell checks."""
    found = checked_in(source)
    return found[0] if found and is_check(source) else None


def place_submissions(
    folder: Path,
    course: Course,
    results: list[Result],
    notebooks: dict[str, bytes],
) -> list[Path]:
    """Put notebooks where formgrader looks for what was graded; the files.

    `folder` is the nbgrader course, `notebooks` are bytes by Result.key. In
    autograded/<student>/<sheet>/ then stands the student's code, not executed
    and without outputs, the check cells marked, so that formgrader shows each
    score beside its cell. What the student wrote as text is shown as typed:
    rendered, its markup would act with the instructor's rights. Results
    without a readable notebook are left out.

    CourseError if some of them cannot be written; the others are there then.
    """
    placed, failed = [], []
    for result in results:
        sheet, student = course.sheet(result.sheet), student_id(result.student)
        cells = read_cells(notebooks.get(result.key, b""))
        if not cells:
            continue
        name = f"autograded/{student}/{sheet.number}/{sheet.stem}.ipynb"
        path = Path(folder) / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # nbgrader's are read-only
            path.write_text(json.dumps(to_show(cells, sheet)), "utf8")
            placed.append(path)
        except OSError as error:
            failed.append(f"{path} cannot be written ({error.strerror})")
    if failed:
        more = f", and {len(failed) - 1} others" if failed[1:] else ""
        raise CourseError(
            f"{failed[0]}{more}: mend that, or name another folder; the "
            f"other {len(placed)} are there."
        )
    return placed


def to_show(cells: list[dict], sheet: Sheet) -> dict:
    """A notebook of these cells that is safe to look at."""
    mark(cells, sheet)
    trusted = {cell["source"] for cell in cells_of(sheet.path)}
    for cell in cells:
        del cell["id"]
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
            continue
        cell["cell_type"] = "markdown"
        if cell["source"] not in trusted:
            # Four spaces make it a block of code, which is not rendered.
            source = textwrap.indent(cell["source"], "    ", lambda line: True)
            cell["source"] = source
    kernel = {"display_name": "Python 3", "language": "python"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel | {"name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
