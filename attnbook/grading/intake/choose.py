"""Which of a student's notebooks is the one for a sheet."""

import re
from collections import defaultdict

from attnbook.grading.intake import bounds
from attnbook.grading.intake.account import OLDER
from attnbook.grading.intake.item import NOTEBOOK, Attempt, Item, Refused
from attnbook.grading.intake.names import listed_names, shown
from attnbook.grading.intake.reader import Reader
from attnbook.grading.intake.sheets import Says, mention, token

COPIED = re.compile(r"-(\d+)$")  # Canvas's mark of a file handed in again
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
        missing = None
        for attempt in in_attempts(items):
            try:
                return self.of_attempt(attempt, number)
            except Missing as reason:
                missing = missing or reason
        raise missing

    def of_attempt(self, items: list[Item], number: str) -> Item:
        """The one notebook for this sheet, else Refused."""
        notebooks = [item for item in items if item.kind == "notebook"]
        seen = [i for i in notebooks if not i.name.startswith(".")]
        found = self.candidates(seen or notebooks, number)
        found = newest_upload(preferred(found))
        if len(found) == 1:
            return found[0]
        if found:
            names = listed_names(item.name for item in found)
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
        about = [i for i in notebooks if few and self.says(i).mainly(number)]
        if about or empty:
            return about or empty
        only = len(notebooks) == 1 and len(self.sheets) == 1
        return [i for i in notebooks if only and not self.another(i, number)]

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

    def says(self, item: Item) -> Says:
        return self.reader.look(item).says

    def may_hold(self, item: Item, number: str) -> bool:
        """Whether anything of this sheet is there, or cannot be told."""
        work = self.reader.look(item)
        return bool(work.problem) or work.says.holds(number)

    def another(self, item: Item, number: str) -> str:
        """The other sheet that this notebook is, if it surely is one."""
        says = self.says(item)
        if says.holds(number):
            return ""
        return max(sorted(says.surely()), key=says.signs, default="")

    def why_missing(self, notebooks: list[Item], number: str) -> str:
        stem = self.sheets[number]
        for item in notebooks[: bounds.MAX_LOOKED]:
            other = self.another(item, number)
            named = stem in item.name or mention(item.name, number)
            if other and (named or other not in self.sheets):
                return (
                    f"This is sheet {other} ({shown(item.name)}), and "
                    f"{number} was asked for: hand in {stem}.ipynb."
                )
        count = len(notebooks)
        there = f"among the {count} handed in" if count else "here"
        return (
            f"There is no notebook for sheet {number} {there}: hand in "
            f"{stem}.ipynb, under this name."
        )


def preferred(found: list[Item]) -> list[Item]:
    """Of a whole course folder, the notebooks of the student's own: it holds
    the chapters and the empty sheets too."""
    if len(found) > 1:
        for folder in MINE:
            mine = [item for item in found if folder in item.parts]
            if mine:
                return mine
    return found


def newest_upload(found: list[Item]) -> list[Item]:
    """The last of a file that was uploaded to Canvas again and again: `-1`,
    `-2` and the file's own number both count up."""
    if len(found) < 2 or any(item.upload is None for item in found):
        return found
    stems = [NOTEBOOK.sub("", item.name) for item in found]
    marks = [COPIED.search(stem) for stem in stems]
    counts = [int(mark[1]) if mark else 0 for mark in marks]
    order = sorted(range(len(found)), key=lambda n: found[n].upload)
    if len({COPIED.sub("", stem) for stem in stems}) > 1 or len(
        set(counts)
    ) < len(counts):
        return found
    if [counts[n] for n in order] != sorted(counts):
        return found
    *older, last = (found[n] for n in order)
    for item in older:
        item.file.settle(OLDER, f"an older attempt, replaced by {last.name}")
    return [last]


# --- attempts --------------------------------------------------------------


def in_attempts(items: list[Item]) -> list[list[Item]]:
    """What was handed in each time, the last time first; Refused if the LMS
    does not say which that is."""
    by_attempt: dict[Attempt | None, list[Item]] = defaultdict(list)
    for item in items:
        by_attempt[item.attempt].append(item)
    with_work = [
        attempt
        for attempt, there in by_attempt.items()
        if any(i.work or i.refused for i in there)
    ]
    if len(with_work) < 2:
        return [items]
    orders = {attempt and attempt.order for attempt in with_work}
    if len(orders) < len(with_work) or None in orders:
        names = listed_names(a.told if a else "no time" for a in with_work)
        raise Refused(
            f"There are {len(with_work)} attempts ({names}), and which is the "
            "later one cannot be told: leave one of them, and grade again."
        )
    with_work.sort(key=lambda attempt: attempt.order, reverse=True)
    return [by_attempt[attempt] for attempt in with_work]
