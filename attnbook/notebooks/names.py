"""Which notebooks belong to the course, told by what they are called."""

import re
from collections.abc import Iterable
from pathlib import Path

SHEET = re.compile(r"(\d+_\d+)_[a-z0-9_]+\.ipynb", re.ASCII)
NUMBERED = re.compile(r"(\d+_\d+)_.*\.ipynb", re.ASCII)


def is_sheet(path: Path) -> bool:
    """Is it called as a notebook of the course is, `2_1_some_topic.ipynb`, in
    a folder that is not hidden? Notes such as `2_1 my try.ipynb` and
    `Untitled.ipynb` are not."""
    hidden = path.parent.name.startswith(".")
    return bool(SHEET.fullmatch(path.name)) and not hidden


def sheets_below(folder: Path) -> list[Path]:
    """The course's notebooks in FOLDER/<part>/, in the order of names."""
    return sorted(filter(is_sheet, Path(folder).glob("*/*.ipynb")))


def number_of(path: Path) -> str:
    """2_1 for 2_1_some_topic.ipynb."""
    return "_".join(path.stem.split("_")[:2])


def two_of_one_number(folder: Path) -> tuple[Path, Path] | None:
    """Two notebooks in FOLDER/<part>/ that both claim one number, if there
    are such. A copy counts whatever follows its number, as in
    `2_1_some_topic copy.ipynb`."""
    claims = [p for p in Path(folder).glob("*/*.ipynb") if claims_number(p)]
    return first_pair(sorted(claims, key=by_name))


def claims_number(path: Path) -> bool:
    hidden = path.parent.name.startswith(".")
    return bool(NUMBERED.fullmatch(path.name)) and not hidden


def by_name(path: Path) -> tuple[str, int, str]:
    """The shorter name first: a backup's is that of the sheet, and more."""
    return number_of(path), len(path.name), str(path)


def first_pair(paths: Iterable[Path]) -> tuple[Path, Path] | None:
    seen: dict[str, Path] = {}
    for path in paths:
        first = seen.setdefault(number_of(path), path)
        if first != path:
            return first, path
    return None
