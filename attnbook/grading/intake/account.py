"""What became of every file that was found."""

from collections import Counter
from dataclasses import dataclass, field

from attnbook.grading.model import Submission

GRADED = "notebook"
KINDS = {  # in the order in which they are told, one and many
    GRADED: ("notebook", "notebooks"),
    "older": ("older attempt", "older attempts"),
    "lms": ("list or page of the LMS", "lists and pages of the LMS"),
    "wrong": ("that cannot be graded", "that cannot be graded"),
    "other": ("other file", "other files"),
}


@dataclass(frozen=True)
class Found:
    """One file below the source, or a folder that was not looked into."""

    path: str
    became: str  # in one short phrase
    kind: str = "other"  # of KINDS, or "folder"


@dataclass
class Collection:
    """What a class handed in, and what became of every file of it."""

    submissions: list[Submission]
    files: list[Found] = field(default_factory=list)

    def summary(self) -> str:
        """One line in which every file counts once."""
        count = Counter(found.kind for found in self.files)
        parts = []
        for kind, words in KINDS.items():
            if count[kind]:
                text = f"{count[kind]} {words[count[kind] != 1]}"
                parts.append(text + (self.students() * (kind == GRADED)))
        total = len(self.files) - count["folder"]
        line = f"{total} file{'s' * (total != 1)}: {', '.join(parts)}"
        if count["folder"]:
            these = f"folder{'s' * (count['folder'] != 1)}"
            line += f"; {count['folder']} {these} not looked into"
        return f"{line}."

    def students(self) -> str:
        people = len({s.student for s in self.submissions if not s.refused})
        return f" of {people} student{'s' * (people != 1)}"
