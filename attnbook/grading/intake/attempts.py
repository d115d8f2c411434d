"""Which of several times that a student handed in is the last."""

import re
from collections import defaultdict

from attnbook.grading.intake.account import OLDER
from attnbook.grading.intake.item import NOTEBOOK, Attempt, Item, Refused
from attnbook.grading.strangers import listed_names

COPIED = re.compile(r"-(\d+)$")  # Canvas's mark of a file handed in again


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


def newest_upload(found: list[Item]) -> list[Item]:
    """The last of a file that was uploaded to Canvas again and again: `-1`,
    `-2` and the file's own number both count up."""
    if len(found) < 2 or any(item.upload is None for item in found):
        return found
    stems = [NOTEBOOK.sub("", item.name) for item in found]
    marks = [COPIED.search(stem) for stem in stems]
    counts = [int(mark[1]) if mark else 0 for mark in marks]
    one_name = len({COPIED.sub("", stem) for stem in stems}) == 1
    order = sorted(range(len(found)), key=lambda n: found[n].upload)
    rising = [counts[n] for n in order] == sorted(set(counts))
    if not (one_name and rising):
        return found
    *older, last = (found[n] for n in order)
    for item in older:
        item.file.settle(OLDER, f"an older attempt, replaced by {last.name}")
    return [last]
