"""What notebooks and their cells hold: the one place that reads them.

Read the code out of a stranger's notebook, and out of nothing else.

A student's file may be anything. What the grader does not need (ids,
metadata, outputs) may be missing or wrong; what it needs is looked at once.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from attnbook.errors import AttnbookError

MAX_CELLS = 2_000
MAX_SOURCE = 1_000_000  # characters in one cell
CALL = re.compile(r"\bcheck\(\s*[\"']([^\"']+)[\"']")
ONLY_CALLS = re.compile(r"(check\([^()]*\))?\s*(#.*)?")
COMMENT = re.compile(r"#.*")


class NotANotebook(AttnbookError):
    """The bytes hold no notebook; the message says what to do."""


@dataclass(frozen=True)
class Cell:
    """A cell's kind (code, markdown, raw) and what stands in it."""

    kind: str
    source: str


def notebook_cells(data: bytes) -> list[str]:
    """The sources of the code cells, in order; NotANotebook otherwise."""
    return [c.source for c in all_cells(data) if c.kind == "code"]


def runnable(cells: Iterable[Cell], names: Iterable[str]) -> list[Cell]:
    """The cells to run, in order: code, and a cell of another kind that
    holds the only definition of one of these names. A key pressed by mistake
    in Jupyter (M, or R) turns an answer into text."""
    cells, missing = list(cells), []
    for name in names:
        found = {c.kind for c in cells if defines([name]).search(c.source)}
        missing += [name] if found and "code" not in found else []
    lost = defines(missing) if missing else None
    return [
        c for c in cells if c.kind == "code" or lost and lost.search(c.source)
    ]


def defines(names: Iterable[str]) -> re.Pattern:
    """Finds where code defines one of these names, as a function, a class
    or a variable."""
    any_name = "|".join(map(re.escape, names))
    return re.compile(
        rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(?:{any_name})\b"
        rf"|^(?:{any_name})[ \t]*(?:=(?!=)|:)",
        re.MULTILINE,
    )


def checked_in(source: str, comments: bool = True) -> list[str]:
    """The exercises that code calls `check` for, in order."""
    return CALL.findall(source if comments else COMMENT.sub("", source))


def is_check(source: str) -> bool:
    """Does the cell begin by checking an answer?"""
    return source.startswith("check(")


def only_checks(source: str) -> bool:
    """Does the cell do nothing else?"""
    return all(ONLY_CALLS.fullmatch(line) for line in source.splitlines())


def tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def without_magics(source: str) -> str:
    """The code less IPython's own lines."""
    lines = source.splitlines()
    return "\n".join(x for x in lines if not x.startswith(("%", "!")))


def all_cells(data: bytes) -> list[Cell]:
    """Every cell of a notebook, in order; NotANotebook otherwise."""
    notebook = parse(data)
    if not isinstance(notebook, dict) or "cells" not in notebook:
        if isinstance(notebook, dict) and "worksheets" in notebook:
            raise NotANotebook(
                "The notebook is in an old format (nbformat 3): open it in "
                "JupyterLab, save it there and hand it in again."
            )
        raise NotANotebook(
            "The file is JSON but no notebook, for it has no cells: hand in "
            "the .ipynb file that JupyterLab saves."
        )
    cells = notebook["cells"]
    if not isinstance(cells, list):
        raise NotANotebook(
            "The notebook's cells are not a list: open it in JupyterLab, "
            "save it there and hand it in again."
        )
    found = [
        Cell(str(cell.get("cell_type")), text_of(cell.get("source")))
        for cell in cells
        if isinstance(cell, dict)
    ]
    sources = [cell.source for cell in found if cell.kind == "code"]
    if len(sources) > MAX_CELLS:
        raise NotANotebook(
            f"The notebook has {len(sources):,} code cells and at most "
            f"{MAX_CELLS:,} are read: remove those that are not needed."
        )
    for number, source in enumerate(sources, 1):
        if len(source) > MAX_SOURCE:
            raise NotANotebook(
                f"Code cell {number} holds {len(source):,} characters and at "
                f"most {MAX_SOURCE:,} are read: keep data out of the code."
            )
    return [c for c in found if len(c.source) <= MAX_SOURCE]


def without_outputs(data: bytes) -> bytes:
    """A notebook's bytes without what it printed and drew, which is most of
    a large one: a class has to fit into memory."""
    notebook = parse(data)
    for cell in notebook["cells"]:
        if isinstance(cell, dict):
            cell.pop("attachments", None)
            if "outputs" in cell:
                cell["outputs"] = []
    return json.dumps(notebook).encode()


def parse(data: bytes):
    """The JSON value in these bytes; NotANotebook if there is none."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotANotebook(
            "The file is not UTF-8 text, as notebooks are: open it in "
            "JupyterLab, save it there and hand it in again."
        ) from None
    except json.JSONDecodeError as error:
        raise NotANotebook(
            "The file is empty: save the notebook and hand it in again."
            if not data.strip()
            else f"The file is not JSON (line {error.lineno}), as notebooks "
            "are: open it in JupyterLab, save it there and hand it in again."
        ) from None
    except (RecursionError, ValueError, MemoryError):
        raise NotANotebook(
            "The file's JSON is nested too deeply or holds a number too long "
            "for any notebook: hand in the file that JupyterLab saves."
        ) from None


def text_of(source) -> str:
    """A cell's source, a string or a list of lines, as text that can be
    encoded: half characters, which JSON allows, become question marks."""
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return ""
    return source.encode("utf8", "replace").decode("utf8")
