"""Canvas's names, `lastfirst_LATE_101_9001_x.ipynb`, told from others.

lib/content_zipper.rb writes the sortable name in lower case, of letters,
marks, digits and `_` alone; `LATE`; the person's number; the file's number,
which no other file has; and the name that the student gave. Without names it
is `LATE_anon_a1b2c_9001_x.ipynb`. A text or a link handed in becomes
`..._101_text.html` or `_link.html`. A file of the same name handed in again
was renamed `x-1.ipynb` (Attachment.make_unique_filename).

A course's code looks the same (`cs_101_25_ann_2_1.ipynb`), so a class's names
are believed only if all of this can be true of them.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from attnbook.grading.intake.item import NOTEBOOK
from attnbook.grading.intake.sheets import (
    known_names,
    mentioned,
    without_sheets,
)

NAMED = re.compile(r"(.+?)(?:_LATE)?_(\d+)_(\d+)_(.+)", re.ASCII)
ANONYMOUS = re.compile(r"(?:LATE_)?anon_([^\W_]+)_(\d+)_(.+)")
PAGE = re.compile(r"(.+?)(?:_LATE)?_(\d+)_((?:text|link)\.html)", re.ASCII)
COPY = re.compile(r"(?: \(\d+\)|-\d+|[ _-]copy)*(?=\.\w+$)", re.I)
NO_STEM = "\n"  # in no name: of a sheet that is not graded
ACROSS = 10**12  # numbers of persons of another Canvas start above this


@dataclass(frozen=True)
class Said:
    """What a name of Canvas's says."""

    person: str
    number: str  # the person's; empty if anonymous
    upload: int | None  # the file's number; a page has none
    rest: str

    @property
    def label(self) -> str:
        if not self.number:
            return f"anonymous {self.person}"
        return f"{self.person} ({self.number})"


class Canvas:
    """The names of a class that Canvas wrote, if it wrote them."""

    def __init__(self, names: Iterable[str], sheets: dict[str, str]):
        self.sheets = dict.fromkeys(known_names()[0], NO_STEM) | sheets
        names = [unicodedata.normalize("NFC", name) for name in names]
        named = [said for name in names if (said := self.read(name))]
        self.doubted = of_two_people(named)
        self.believed = believable(named, sheets)
        self.rising = 2 * sum(map(counted_up, named)) >= len(named)

    def of(self, name: str) -> Said | None:
        if match := ANONYMOUS.fullmatch(name):
            return Said(match[1], "", int(match[2]), match[3])
        said = self.read(name) if self.believed else None
        if said and self.rising and not counted_up(said):
            return None  # grades_2026_11_22.csv among Canvas's files
        return None if said in self.doubted else said

    def read(self, name: str) -> Said | None:
        """What the name says if it is one of Canvas's, of a named person."""
        match = PAGE.fullmatch(name)
        if match and is_name(match[1]):
            return Said(match[1], match[2], None, match[3])
        match = NAMED.fullmatch(name)
        if not match or not is_name(match[1]):
            return None
        if f"{match[2]}_{match[3]}" in self.sheets:
            return None  # alice_2_1_x.ipynb: these are no numbers of Canvas's
        if mentioned(name, self.sheets) != mentioned(match[4], self.sheets):
            return None
        return Said(match[1], match[2], int(match[3]), match[4])


def is_name(text: str) -> bool:
    """Lower-case letters, marks, digits and low lines, as Canvas keeps."""
    kinds = {unicodedata.category(character) for character in text}
    word = all(k[0] in "LM" or k in ("Nd", "Pc") for k in kinds)
    return word and not kinds & {"Lu", "Lt"} and any(map(str.isalpha, text))


def believable(named: list[Said], sheets: dict[str, str]) -> bool:
    """Whether Canvas can have written all of these."""
    rows = defaultdict(list)
    for said in named:
        rows[said.label].append(said)
    doubted = of_two_people(named) | of_two_files(named)
    if 2 * len(doubted) > len(named):
        return False
    if len(rows) > 2 and len({said.person for said in named}) == 1:
        return False  # a course's code
    mixed = sum(several_people(said, sheets) for said in rows.values())
    if 2 * mixed > len(rows):
        return False
    return len(rows) != 1 or all(map(counted_up, named))


def of_two_people(named: list[Said]) -> set[Said]:
    """Names in which a person's or a file's number is another person's."""
    people, uploads = defaultdict(set), defaultdict(set)
    for said in named:
        people[said.number].add(said.person)
        uploads[said.upload].add(said.label)
    uploads.pop(None, None)
    return {
        said
        for said in named
        if len(people[said.number]) > 1 or len(uploads.get(said.upload, ())) > 1
    }


def of_two_files(named: list[Said]) -> set[Said]:
    """Names in which one file's number stands for two files; a copy that a
    browser or a person made of a file is no second one."""
    uploads = defaultdict(set)
    for said in named:
        uploads[said.upload].add(COPY.sub("", said.rest))
    uploads.pop(None, None)
    return {s for s in named if len(uploads.get(s.upload, ())) > 1}


def several_people(row: list[Said], sheets: dict[str, str]) -> bool:
    """Whether one row holds notebooks for one sheet whose names differ by
    more than a copy's mark: they are different people's, it seems."""
    by_sheet = defaultdict(set)
    for said in row:
        if NOTEBOOK.search(said.rest):
            rest = NOTEBOOK.sub("", COPY.sub("", said.rest))
            for number in mentioned(rest, sheets):
                by_sheet[number].add(without_sheets(rest, sheets))
    return any(len(names - {""}) > 1 for names in by_sheet.values())


def counted_up(said: Said) -> bool:
    """A Canvas holds more files than people: of a single name, in which
    nothing can be compared, this is what a date or a course's code breaks."""
    if said.upload is None or int(said.number) > ACROSS:
        return True
    return said.upload > int(said.number)
