"""Blackboard's names, `Title_username_attempt_2026-10-05-13-37-55_x.ipynb`.

It writes one for each file of each attempt and, for each attempt, a page of
the same name with `.txt` for its end, whose first line is `Name: Ann Lee
(username)` (github.com/kwurst/bb-file-cleanup).
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from attnbook.grading.intake.item import Item, Refused, is_flat
from attnbook.grading.strangers import one_line

NAMED = re.compile(r"(.+)_attempt_(\d{4}(?:-\d\d){5})(?:_(.+)|\.txt)", re.ASCII)
PAGE = 2_000  # bytes of a page that are read


@dataclass(frozen=True)
class Said:
    """What a name of Blackboard's says."""

    user: str
    stamp: str
    rest: str  # empty for a page


class Blackboard:
    """The names of a class that Blackboard wrote."""

    def __init__(self, items: Iterable[Item], sheets: int):
        flat = [item for item in items if is_flat(item) and not item.left_out]
        told, unknown = {}, set()
        for item in flat:
            match = NAMED.fullmatch(one_line(item.name))
            if match and not match[3]:
                told |= told_on_page(match[1], item)
            elif match:
                unknown.add(match[1])
        self.users = users(sorted(unknown - set(told)), sheets) | told

    def of(self, name: str) -> Said | None:
        match = NAMED.fullmatch(name)
        if not match:
            return None
        user = self.users.get(match[1], match[1])
        return Said(user, match[2], match[3] or "")


def told_on_page(prefix: str, page: Item) -> dict[str, str]:
    """The user that `Title_user` ends in, as the page's first line has it."""
    if page.refused:
        return {}
    try:
        line = page.read(PAGE).decode("utf8", "replace").partition("\n")[0]
    except Refused:
        return {}
    named = re.findall(r"\(([^()]+)\)", line)
    user = next((n for n in named if prefix.endswith(f"_{n}")), "")
    return {prefix: user} if user else {}


def users(prefixes: list[str], sheets: int) -> dict[str, str]:
    """The user in each `Title_user` of which no page tells. Both may hold
    `_`: the title is what all have in common; of several titles the user is
    the last word, unless that might make one of two."""
    common = os.path.commonprefix(prefixes).rpartition("_")
    if len(prefixes) > 1 and common[1]:
        start = len(common[0]) + 1
        return {prefix: prefix[start:] for prefix in prefixes}
    last = {prefix: prefix.rpartition("_")[2] for prefix in prefixes}
    often = defaultdict(list)
    for prefix, user in last.items():
        often[user].append(prefix)
    doubtful = {user for user, mine in often.items() if unclear(mine, sheets)}
    return {p: p if user in doubtful else user for p, user in last.items()}


def unclear(prefixes: list[str], sheets: int) -> bool:
    """Whether these with one last word may be several people's."""
    several = len(prefixes) > 1
    return several and (
        len(prefixes) > sheets or any(p.count("_") > 1 for p in prefixes)
    )
