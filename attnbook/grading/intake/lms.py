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
- Blackboard: see blackboard.py.
- Sakai: `Last, First(eid)/Submission attachment(s)/x.ipynb` beside `Feedback
  Attachment(s)`, `timestamp.txt`, `comments.txt`; `grades.csv` above.
- Teams: `Submitted files/First Last/Assignment/Version 2/x.ipynb`, beside
  `Working files`, which were not handed in.
- Gradescope's export: `submission_123/x.ipynb`, and submission_metadata.yml.
- nbgrader, nbgrader/exchange/default/submit.py: `ann+2_1+2026-10-05 12:00:00
  UTC+random` for each time; `submitted/ann/2_1/` of the last.
- Clones of GitHub Classroom: a folder for each student.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from attnbook.grading.intake.blackboard import Blackboard
from attnbook.grading.intake.canvas import Canvas
from attnbook.grading.intake.item import Attempt, Item, is_flat
from attnbook.grading.strangers import one_line

MOODLE = re.compile(r"_(\d+)_assignsubmission_([a-z]+)_")
MOODLE_FOLDER = re.compile(r"(.+)_(\d+)_assignsubmission_([a-z]+)_?")
MOODLE_TEAM = re.compile(r"(.+?)_assignsubmission_([a-z]+)(?:_(.*))?")
BRIGHTSPACE = re.compile(r"(\d+)-\d+ - (.+)")
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
        self.blackboard = Blackboard(items, len(sheets))
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
            or self.of_blackboard(name)
            or sakai(name)
            or self.of_canvas(name)
        )

    def of_blackboard(self, name: str) -> Handed | None:
        said = self.blackboard.of(name)
        if said is None:
            return None
        attempt = Attempt(said.stamp, tuple(map(int, said.stamp.split("-"))))
        return Handed(said.user, said.rest, attempt, page=not said.rest)

    def of_canvas(self, name: str) -> Handed | None:
        said = self.canvas.of(name)
        if said is None:
            return None
        page = said.upload is None
        return Handed(said.label, said.rest, upload=said.upload, page=page)


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
