"""One thing that was handed in, and the sentences that refuse it."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from attnbook.errors import AttnbookError
from attnbook.grading.intake import bounds
from attnbook.grading.intake.account import FOLDER, OTHER, Found
from attnbook.grading.strangers import printable, shown

NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.I)  # browsers add these
ZIP = re.compile(r"\.(zip|7z|rar|tar|tgz|tar\.(gz|bz2|xz))$", re.I)


class CollectError(AttnbookError):
    """There is nothing to grade; the message says what to do."""


class Refused(AttnbookError):
    """One student's work cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Attempt:
    """One of several times that a student handed in, as the LMS tells it."""

    told: str  # such as "Oct 10, 2025 1022 AM"
    order: tuple | None = None  # that sorts; None if it was not understood

    def before(self, other: "Attempt") -> bool:
        """Surely earlier than the other?"""
        known = self.order is not None and other.order is not None
        return known and self.order < other.order


@dataclass(eq=False)
class Item:
    """Something that was handed in, not read yet."""

    parts: tuple[str, ...]  # of its path below the source, or the student
    source: str  # where it is, as the instructor knows it
    read: Callable[[int], bytes] | None = None  # one byte over the limit, too
    refused: str = ""
    folder: bool = False
    left_out: bool = False  # nobody's work, or not to be looked into
    attempt: Attempt | None = None
    upload: int | None = None  # Canvas's number of the file
    file: Found = field(default_factory=lambda: Found(""))

    def __post_init__(self):
        self.file.path = self.file.path or printable(self.source)

    @property
    def name(self) -> str:
        return self.parts[-1] if self.parts else ""

    @property
    def kind(self) -> str:
        if self.left_out:
            return "left out"
        if self.folder:
            return "folder"
        if NOTEBOOK.search(self.name):
            return "notebook"
        return "zip" if ZIP.search(self.name) else "other"

    @property
    def work(self) -> bool:
        return self.kind in ("notebook", "zip")

    def leave_out(self, why: str) -> "Item":
        """This item as one that is not looked at, or not looked into."""
        self.left_out = True
        name = self.source + "/" * self.folder
        self.file.path = printable(name)
        self.file.settle(FOLDER if self.folder else OTHER, why)
        return self


def is_flat(item: Item) -> bool:
    """A file of the class's own folder."""
    return len(item.parts) == 1 and not item.folder


# --- sentences ---------------------------------------------------------------


def linked(name: str) -> str:
    return (
        f"{shown(name)} is a symbolic link, and links are not followed: hand "
        "in the file itself."
    )


def special(name: str) -> str:
    return (
        f"{shown(name)} is a pipe, a socket or a device and not a file: hand "
        "in the notebook itself."
    )


def unreadable(name: str, error: OSError) -> str:
    return (
        f"{shown(name)} cannot be read ({error.strerror}): the instructor "
        "must allow it or copy it, then grade again."
    )


def bounded(items: Iterable[Item], tops: Collection[str]) -> Iterator[Item]:
    """At most so many files of each student; a class's one folder, or zip,
    has its students below it."""
    depth = 1 if len(tops) > 1 else 2
    seen = Counter()
    for item in items:
        key = item.parts[:depth]
        seen[key] += 1
        if seen[key] == bounds.MAX_STUDENT_FILES + 1:
            yield too_many(key, item.source)
        if seen[key] <= bounds.MAX_STUDENT_FILES:
            yield item


def too_many(parts: tuple[str, ...], source: str) -> Item:
    many = f"more than {bounds.MAX_STUDENT_FILES:,} files"
    reason = f"There are {many}: hand in the notebook alone."
    item = Item(parts, source, refused=reason, folder=True)
    item.file.settle(FOLDER, f"not looked into further: {many}")
    return item
