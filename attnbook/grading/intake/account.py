"""What became of every file that was found."""

from collections import Counter
from dataclasses import dataclass, field

from attnbook.grading.model import Submission

GRADED, NOT_GRADED, OLDER, BESIDE = "graded", "not graded", "older", "beside"
LMS, ZIP, OTHER, FOLDER = "lms", "zip", "other", "folder"
WORDS = {  # of one and of many, in the order in which they are told
    GRADED: ("notebook", "notebooks"),
    NOT_GRADED: ("notebook not graded", "notebooks not graded"),
    OLDER: ("older attempt", "older attempts"),
    BESIDE: ("notebook beside these", "notebooks beside these"),
    ZIP: ("zip", "zips"),
    LMS: ("list or page of the LMS", "lists and pages of the LMS"),
    OTHER: ("other file", "other files"),
}


@dataclass(eq=False)
class Found:
    """A file below the source, or a folder that was not looked into."""

    path: str
    became: str = ""  # in one short phrase
    kind: str = OTHER

    def settle(self, kind: str, became: str) -> None:
        """Say what became of it, unless that is settled."""
        if not self.became:
            self.kind, self.became = kind, became


@dataclass
class Collection:
    """What a class handed in, and what became of every file of it."""

    submissions: list[Submission]
    files: list[Found] = field(default_factory=list)

    def summary(self) -> str:
        """One line in which every file counts once."""
        count = Counter(found.kind for found in self.files)
        parts = [
            counted(count[kind], *words) + self.people() * (kind == GRADED)
            for kind, words in WORDS.items()
            if count[kind]
        ]
        folders = count.pop(FOLDER, 0)
        line = counted(count.total(), "file", "files")
        line += f": {', '.join(parts)}" if parts else ""
        if folders:
            line += f"; {counted(folders, 'folder', 'folders')} not looked into"
        return f"{line}."

    def people(self) -> str:
        names = {s.student for s in self.submissions if not s.refused}
        return f" of {counted(len(names), 'student', 'students')}"


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
