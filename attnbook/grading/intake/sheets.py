"""Which sheet a name speaks of, and which one a notebook is."""

import functools
import re
from collections import defaultdict
from dataclasses import dataclass, field

from attnbook.check import exercises
from attnbook.notebooks.cells import Cell, all_cells, checked_in

EXERCISE = re.compile(r"(\d+_\d+)\.(\w+)")
DEFINED = re.compile(
    r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*=(?!=)", re.M
)
SCRATCH = re.compile(
    r"(untitled|scratch|draft|temp|tmp|test|try|play(ground)?|notes?)[\W_]*\d*"
    r"\.ipynb",
    re.I,
)
HEADING = re.compile(r"# (Exercises )?(\d+)\.(\d+)(?: (.*))?")


# --- by name ---------------------------------------------------------------


def mentioned(name: str, sheets: dict[str, str]) -> list[str]:
    """The numbers of the sheets that a file's name speaks of."""
    return [n for n, s in sheets.items() if s in name or mention(name, n)]


def mention(name: str, number: str) -> re.Match | None:
    return re.search(token(number), name)


def token(number: str) -> str:
    """2_1 as people write it: 2_1, 2.1 or 2-1, with no digit beside it."""
    return rf"(?<!\d){number.replace('_', '[._-]')}(?!\d)"


def is_scratch(name: str) -> bool:
    """Is this what people, and Jupyter, call a notebook to try things in?"""
    return bool(SCRATCH.match(name))


def without_sheets(name: str, sheets: dict[str, str]) -> str:
    """What a file's name says besides the sheet."""
    for number, stem in sheets.items():
        name = re.sub(f"{re.escape(stem)}|{token(number)}", "", name)
    return name.strip(" _-.")


# --- by content ------------------------------------------------------------


@dataclass
class Says:
    """What a notebook holds of each sheet."""

    checked: dict[str, set[str]] = field(default_factory=dict)  # exercises
    defined: dict[str, set[str]] = field(default_factory=dict)  # names
    headed: set[str] = field(default_factory=set)
    chapters: dict[str, str] = field(default_factory=dict)  # their titles

    def holds(self, number: str) -> bool:
        """Is anything of this sheet there?"""
        return self.signs(number) > 0

    def signs(self, number: str) -> int:
        checked, defined = self.checked.get(number), self.defined.get(number)
        headed = number in self.headed
        return len(checked or ()) + len(defined or ()) + headed

    def mainly(self, number: str) -> bool:
        """Is it about this sheet no less than about another? One that holds
        two sheets is about both."""
        most = max(map(self.signs, self.all()), default=0)
        return self.holds(number) and 2 * self.signs(number) >= most

    def chapter(self, stem: str) -> bool:
        """Is it the course's chapter of this name, and nothing of a sheet? It
        may define a name or two that the exercises ask for."""
        number = "_".join(stem.split("_")[:2])
        words = re.sub(r"\W+", "_", self.chapters.get(number, "").lower())
        asked = self.checked or self.headed or self.signs(number) > 2
        return stem.removeprefix(f"{number}_") in words and not asked

    def all(self) -> set[str]:
        return {*self.checked, *self.defined, *self.headed}

    def surely(self) -> set[str]:
        """The sheets that it is, beyond a helper with the same name."""
        several = {n for n, names in self.defined.items() if len(names) > 1}
        return {*self.checked, *self.headed, *several}


def said_in(data: bytes) -> Says:
    """What a notebook says that it is; NotANotebook if it is none."""
    cells = all_cells(data)
    code = "\n".join(cell.source for cell in cells if cell.kind == "code")
    out = Says(defaultdict(set), defaultdict(set))
    known, sheet_of = known_names()
    for called in map(EXERCISE.fullmatch, checked_in(code)):
        if called and called[1] in known:
            out.checked[called[1]].add(called[2])
    for function, variable in DEFINED.findall(code):
        if number := sheet_of.get(function or variable):
            out.defined[number].add(function or variable)
    for exercise, number, title in headings(cells):
        if number in known and exercise:
            out.headed.add(number)
        elif number in known:
            out.chapters[number] = title
    return out


def headings(cells: list[Cell]) -> list[tuple[bool, str, str]]:
    """The numbered titles in the text: of exercises or of a chapter."""
    text = [cell.source for cell in cells if cell.kind == "markdown"]
    found = (HEADING.match(source) for source in text)
    return [
        (bool(m[1]), f"{m[2]}_{m[3]}", (m[4] or "").strip()) for m in found if m
    ]


@functools.cache
def known_names() -> tuple[set[str], dict[str, str]]:
    """All sheets' numbers, and the sheet that alone asks for a name."""
    asked = defaultdict(set)
    for exercise in exercises().values():
        for name in exercise.names:
            asked[name].add(exercise.id.split(".")[0])
    known = set().union(*asked.values())
    return known, {n: s.pop() for n, s in asked.items() if len(s) == 1}
