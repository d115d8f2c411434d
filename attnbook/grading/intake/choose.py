"""Which of a student's notebooks is the one for a sheet."""

import re

from attnbook.grading.intake import bounds
from attnbook.grading.intake.account import BESIDE
from attnbook.grading.intake.attempts import in_attempts, newest_upload
from attnbook.grading.intake.item import Item, Refused
from attnbook.grading.intake.reader import Reader
from attnbook.grading.intake.sheets import Says, is_scratch, mention, token
from attnbook.grading.strangers import listed_names, shown

MINE = ("work", "exercises")  # where a course's folder has a student's work


class Missing(Refused):
    """Nothing was handed in for the sheet; an older attempt may have it."""


class Chooser:
    """Chooses one student's notebooks, by what is in them and then by name."""

    def __init__(self, sheets: dict[str, str], reader: Reader):
        self.sheets = sheets
        self.reader = reader

    def chosen(self, items: list[Item], number: str) -> Item:
        """The latest notebook for this sheet, else Refused."""
        attempts = in_attempts(items)
        missing = []
        for attempt in attempts:
            try:
                return self.of_attempt(attempt, number)
            except Missing as reason:
                missing.append(reason)
        only = self.only_one(attempts[0], number)
        if only:
            return only
        raise missing[0]

    def of_attempt(self, items: list[Item], number: str) -> Item:
        """The one notebook for this sheet, else Refused."""
        notebooks = notebooks_in(items)
        found = self.candidates(notebooks, number)
        found = newest_upload(self.different(preferred(found)))
        found = self.no_scratch(found, number)
        if len(found) == 1:
            return found[0]
        if not found and self.unreadable(notebooks):
            return notebooks[0]
        if found:
            names = listed_names(told_apart(found))
            raise Refused(
                f"There are {len(found)} notebooks for sheet {number} "
                f"({names}): hand in one."
            )
        for item in items:
            if item.refused:
                raise Refused(item.refused)
        raise Missing(self.why_missing(notebooks, number))

    def candidates(self, notebooks: list[Item], number: str) -> list[Item]:
        """Those for this sheet: of its name and with something of it, else
        those that are about it, else of its name and empty of any sheet."""
        empty = []
        for named in self.by_name(notebooks, number):
            if len(named) > bounds.MAX_LOOKED:
                return named
            named = [i for i in named if not self.another(i, number)]
            full = [i for i in named if self.may_hold(i, number)]
            if any(self.says(i).holds(number) for i in full):
                return full
            if full:
                return named
            empty = empty or named
        few = len(notebooks) <= bounds.MAX_LOOKED
        about = [i for i in notebooks if few and self.is_about(i, number)]
        return about or empty

    def only_one(self, items: list[Item], number: str) -> Item | None:
        """The one notebook that was handed in, where one sheet is graded:
        whatever it is called, unless it is something else."""
        notebooks = notebooks_in(items)
        if len(notebooks) != 1 or len(self.sheets) != 1:
            return None
        if any(item.refused for item in items):
            return None
        return None if self.another(notebooks[0], number) else notebooks[0]

    def unreadable(self, notebooks: list[Item]) -> bool:
        """Whether the one notebook for the one sheet cannot be read, so that
        no older attempt may stand for it."""
        one = len(notebooks) == len(self.sheets) == 1
        return one and bool(self.reader.look(notebooks[0]).problem)

    def different(self, found: list[Item]) -> list[Item]:
        """Without a file that is there twice, such as in a zip and beside."""
        out = {}
        for item in found:
            name = item.upload or item.name  # Canvas's number is the file's
            same = name, self.reader.look(item).sha256 or item.source
            if same in out:
                item.file.settle(BESIDE, f"the same as {out[same].source}")
            out.setdefault(same, item)
        return list(out.values())

    def no_scratch(self, found: list[Item], number: str) -> list[Item]:
        """Without those that are called scratch and hold no more than the
        one that is not."""
        rest = [item for item in found if not is_scratch(item.name)]
        if len(rest) != 1:
            return found
        most = max(self.says(item).signs(number) for item in found)
        return rest if self.says(rest[0]).signs(number) == most else found

    def by_name(self, notebooks: list[Item], number: str) -> list[list[Item]]:
        """Those named for this sheet, the more clearly the earlier."""
        stem = self.sheets[number]
        return [
            [item for item in notebooks if fits(item.name)]
            for fits in (
                lambda name: stem in name,
                lambda name: re.match(token(number), name),
                lambda name: mention(name, number),
            )
        ]

    def is_about(self, item: Item, number: str) -> bool:
        chapter = self.says(item).chapter(self.sheets[number])
        return self.says(item).mainly(number) and not chapter

    def says(self, item: Item) -> Says:
        return self.reader.look(item).says

    def may_hold(self, item: Item, number: str) -> bool:
        """Whether anything of this sheet is there, or cannot be told."""
        work = self.reader.look(item)
        return bool(work.problem) or work.says.holds(number)

    def another(self, item: Item, number: str) -> str:
        """What this notebook is, if that is surely not this sheet."""
        says = self.says(item)
        if says.chapter(self.sheets[number]):
            return f"chapter {number.replace('_', '.')}"
        if says.holds(number):
            return ""
        for sheet in sorted(says.surely(), key=says.signs, reverse=True):
            return f"sheet {sheet}"
        for other in sorted(set(says.chapters) - {number}):
            return f"chapter {other.replace('_', '.')}"
        return ""

    def why_missing(self, notebooks: list[Item], number: str) -> str:
        stem = self.sheets[number]
        for item in notebooks[: bounds.MAX_LOOKED]:
            other = self.another(item, number)
            named = stem in item.name or mention(item.name, number)
            expected = other.removeprefix("sheet ") in self.sheets
            if other and (named or not expected):
                asked = number if other[0] == "s" else f"sheet {number}"
                return (
                    f"This is {other} ({shown(item.name)}), and {asked} was "
                    f"asked for: hand in {stem}.ipynb."
                )
        count = len(notebooks)
        there = f"among the {count} handed in" if count else "here"
        return (
            f"There is no notebook for sheet {number} {there}: hand in "
            f"{stem}.ipynb, under this name."
        )


def notebooks_in(items: list[Item]) -> list[Item]:
    """The notebooks; hidden ones only if there are no others."""
    notebooks = [item for item in items if item.kind == "notebook"]
    seen = [item for item in notebooks if not item.name.startswith(".")]
    return seen or notebooks


def told_apart(found: list[Item]) -> list[str]:
    """Their names; with their folders if the names are the same."""
    names = [item.name for item in found]
    alike = len(set(names)) == 1
    return ["/".join(i.parts) for i in found] if alike else names


def preferred(found: list[Item]) -> list[Item]:
    """Of a whole course folder, the notebooks of the student's own: it holds
    the chapters and the empty sheets too."""
    if len(found) > 1:
        for folder in MINE:
            mine = [item for item in found if folder in item.parts]
            if mine:
                return mine
    return found
