"""Who handed in, as the names say that a learning management system writes.

Each form is what the system's own code or its users' tools show:

- Moodle, mod/assign/classes/downloader.php: `First Last_123_assignsubmission_
  file/x.ipynb` (up to 3.x with `_` at the folder's end), or all in one name.
  `123` is the person's number in this assignment, `First Last` has no `_` of
  its own in today's versions; `Participant` where marking is blind, a group's
  name for teams; `onlinetext` holds a page.
- Canvas, lib/content_zipper.rb: see canvas.py.
- Brightspace (github.com/cgmb/d2lmf): a folder for each time that somebody
  hands in, `39786-640693 - First Last - Oct 10, 2025 1022 AM`, or the same in
  front of ` - x.ipynb`; the first number is the person's, the second the
  assignment's. `index.html` lists them.
- Blackboard (github.com/kwurst/bb-file-cleanup): `Title_username_attempt_
  2026-10-05-13-37-55_x.ipynb` and, for each attempt, the same with `.txt`.
- Sakai: `Last, First(eid)/Submission attachment(s)/x.ipynb` beside `Feedback
  Attachment(s)`, `timestamp.txt`, `comments.txt`; `grades.csv` above.
- Teams: `Submitted files/First Last/Assignment/Version 2/x.ipynb`, beside
  `Working files`, which were not handed in.
- Gradescope's export: `submission_123/x.ipynb`, and submission_metadata.yml.
- nbgrader, nbgrader/exchange/default/submit.py: `ann+2_1+2026-10-05 12:00:00
  UTC+random` for each time; `submitted/ann/2_1/` of the last.
- Clones of GitHub Classroom: a folder for each student.
"""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from attnbook.grading.intake.canvas import Canvas
from attnbook.grading.intake.item import Attempt, Item

MOODLE = re.compile(r"_(\d+)_assignsubmission_([a-z]+)_")
MOODLE_FOLDER = re.compile(r"(.+)_(\d+)_assignsubmission_([a-z]+)_?")
MOODLE_TEAM = re.compile(r"(.+?)_assignsubmission_([a-z]+)(?:_(.*))?")
BRIGHTSPACE = re.compile(r"(\d+)-\d+ - (.+)")
BLACKBOARD = re.compile(
    r"(.+)_attempt_(\d{4}(?:-\d\d){5})(?:_(.+)|\.txt)", re.ASCII
)
NBGRADER = re.compile(
    r"([^+]+)\+[^+]+\+(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^+]*)(?:\+.*)?", re.ASCII
)
SAKAI = re.compile(r"(.+\([^()]+\))_Submission attachment\(s\)_(.+)")
GRADESCOPE = re.compile(r"submission_\d+")
PAGES = re.compile(
    r"index\.html?|grades\.(csv|xlsx?)|timestamp\.txt|comments\.txt"
    r"|submission_metadata\.(yml|json)|.*_submissionText\.html"
    r"|onlinetext\.html"
)
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
STAMP = re.compile(  # Oct 10, 2025 1022 AM; 10 October, 2025 10:22
    r"(?:(?P<first>\d{1,2}) )?(?P<month>[A-Za-z]{3,9})\.?,?"
    r"(?: (?P<day>\d{1,2}),?)? (?P<year>\d{4}),?"
    r" (?P<hour>\d{1,2})[:._]?(?P<minute>\d\d)(?: ?(?P<half>[AaPp])[Mm])?"
)


@dataclass(frozen=True)
class Handed:
    """What an LMS says of a file or folder by its name."""

    person: str  # empty for a folder of several
    rest: str = ""  # the name that the student gave, of a file
    attempt: Attempt | None = None
    upload: int | None = None  # Canvas counts all uploads
    depth: int = 1  # how many folders say this
    page: bool = False  # the LMS's own
    draft: str = ""  # why it was not handed in


class Forms:
    """The forms of names in one class; some can only be told together."""

    def __init__(self, items: Iterable[Item], sheets: dict[str, str]):
        items = list(items)
        flat = [i.parts[0] for i in items if is_flat(i) and not i.left_out]
        self.canvas = Canvas(flat, sheets)
        self.users = blackboard_users(flat, len(sheets))
        self.meant = any(i.work and self.of(i) for i in items)

    def of(self, item: Item) -> Handed | None:
        """Whose the item is, if an LMS made its name."""
        name = one_line(item.parts[0])
        if not is_flat(item):
            return (
                moodle_folder(name)
                or brightspace(name)
                or nbgrader(name)
                or deeper(item)
            )
        return (
            moodle_file(name)
            or brightspace(name, flat=True)
            or self.blackboard(name)
            or sakai(name)
            or self.of_canvas(name)
        )

    def blackboard(self, name: str) -> Handed | None:
        match = BLACKBOARD.fullmatch(name)
        if not match:
            return None
        prefix, stamp, rest = match.groups()
        attempt = Attempt(stamp, tuple(map(int, stamp.split("-"))))
        user = self.users.get(prefix, prefix)
        return Handed(user, rest or "", attempt, page=rest is None)

    def of_canvas(self, name: str) -> Handed | None:
        said = self.canvas.of(name)
        if said is None:
            return None
        page = said.upload is None
        return Handed(said.label, said.rest, upload=said.upload, page=page)


def is_flat(item: Item) -> bool:
    return len(item.parts) == 1 and not item.folder


def one_line(name: str) -> str:
    """A name as it is compared: NFC, and only plain spaces."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


# --- Moodle ----------------------------------------------------------------


def moodle_folder(name: str) -> Handed | None:
    """Of `Ann_101_assignsubmission_file`: the last such ending counts, for a
    display name may imitate one."""
    if match := MOODLE_FOLDER.fullmatch(name):
        person, number, plugin = match.groups()
        return Handed(f"{person} ({number})", page=plugin != "file")
    return moodle_team(name) or moodle_file(name)


def moodle_file(name: str) -> Handed | None:
    """Of `Ann_101_assignsubmission_file_x.ipynb`. Where the name says two
    numbers, a person's name or a file's imitates the form; the last split
    joins it to nobody else."""
    splits = list(MOODLE.finditer(name))
    if not splits:
        return moodle_team(name)
    one = len({match[1] for match in splits}) == 1
    match = splits[0] if one else splits[-1]
    person, rest = name[: match.start()], name[match.end() :]
    return Handed(f"{person} ({match[1]})", rest, page=match[2] != "file")


def moodle_team(name: str) -> Handed | None:
    """Of `Default group_assignsubmission_file`, which has no number."""
    match = MOODLE_TEAM.fullmatch(name)
    if not match:
        return None
    return Handed(match[1], match[3] or "", page=match[2] != "file")


# --- Brightspace -----------------------------------------------------------


def brightspace(name: str, flat: bool = False) -> Handed | None:
    """Of `1-2 - Ann Lee - Oct 10, 2025 1022 AM`; a name may hold ` - `."""
    match = BRIGHTSPACE.fullmatch(name)
    if not match:
        return None
    number, pieces = match[1], match[2].split(" - ")
    places = range(1, len(pieces))
    dated = [p for p in places if re.search(r"\b\d{4}\b", pieces[p])]
    read = [p for p in dated if moment(pieces[p])]
    if not dated:
        return None
    place = (read or dated)[0]  # some languages are not read here
    person, rest = " - ".join(pieces[:place]), pieces[place + 1 :]
    if bool(rest) != flat:
        return None
    attempt = Attempt(pieces[place], moment(pieces[place]))
    return Handed(f"{person} ({number})", " - ".join(rest), attempt)


def moment(text: str) -> tuple | None:
    """The time that Brightspace wrote, as numbers that sort."""
    match = STAMP.fullmatch(text)
    if not match or match["month"][:3].lower() not in MONTHS:
        return None
    day, hour = match["first"] or match["day"], int(match["hour"])
    if day is None:
        return None
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"] in "Pp")
    month = MONTHS.index(match["month"][:3].lower())
    return int(match["year"]), month, int(day), hour, int(match["minute"])


# --- Blackboard ------------------------------------------------------------


def blackboard_users(names: list[str], sheets: int) -> dict[str, str]:
    """The user in each `Title_user`. A title and a user may both hold `_`:
    the title is what all have in common; where several titles are there, the
    user is the last word, unless that would make one of two."""
    matches = map(BLACKBOARD.fullmatch, map(one_line, names))
    prefixes = sorted({match[1] for match in matches if match})
    last = {p: p.rpartition("_")[2] for p in prefixes}
    titles = {p.rpartition("_")[0] for p in prefixes}
    common = os.path.commonprefix(prefixes).rpartition("_")
    if len(titles) > sheets and common[1]:
        start = len(common[0]) + 1
        return {p: p[start:] for p in prefixes}
    if len(titles) <= sheets:
        return last
    often = defaultdict(list)
    for prefix, user in last.items():
        often[user].append(prefix)
    return {p: u if len(often[u]) == 1 else p for p, u in last.items()}


# --- others ----------------------------------------------------------------


def nbgrader(name: str) -> Handed | None:
    """Of a folder in the exchange's inbound/."""
    match = NBGRADER.fullmatch(name)
    return (
        Handed(match[1], attempt=Attempt(match[2], (match[2],)))
        if match
        else None
    )


def sakai(name: str) -> Handed | None:
    """Of `Last, First(eid)_Submission attachment(s)_x.ipynb`."""
    match = SAKAI.fullmatch(name)
    return Handed(match[1], match[2]) if match else None


def deeper(item: Item) -> Handed | None:
    """What the folders of Sakai, Teams and Gradescope say."""
    top, *below = item.parts
    if below and below[0] in (
        "Submission attachment(s)",
        "Feedback Attachment(s)",
    ):
        feedback = "feedback in Sakai" if below[0][0] == "F" else ""
        return Handed(top, draft=feedback)
    if top in ("Submitted files", "Working files"):
        return teams(top, below) if item.folder or below[1:] else None
    return Handed(top) if GRADESCOPE.fullmatch(top) else None


def teams(top: str, below: list[str]) -> Handed:
    if not below:
        return Handed("")  # the folder of all students
    version = re.fullmatch(r"Version (\d+)", (*below, "", "")[2])
    draft = "a working file in Teams" if top == "Working files" else ""
    attempt, depth = None, min(3, len(below) + 1)
    if version:
        attempt, depth = Attempt(version[0], (int(version[1]),)), 4
    return Handed(below[0], attempt=attempt, depth=depth, draft=draft)
