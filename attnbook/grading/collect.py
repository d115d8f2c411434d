"""Find a class's submissions in the form in which an LMS hands them over.

All that is read here comes from strangers: names are only ever labels, links
are not followed, nothing is unpacked to the disk, and whatever is wrong with
one student's file becomes that student's sentence. The class goes on.

Forms of file names, from the systems' own code: Moodle writes
`First Last_123_assignsubmission_file_/x.ipynb`, or all in one name
(mod/assign/classes/downloader.php), Canvas `lastfirst_LATE_123_456_x.ipynb`
or `anon_a1b2c_456_x.ipynb` (lib/content_zipper.rb).
"""

import hashlib
import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from attnbook.grading.intake.account import GRADED, Collection, Found
from attnbook.grading.model import Submission
from attnbook.grading.notebook import (
    NotANotebook,
    notebook_cells,
    without_outputs,
)

MAX_CLASS_BYTES = 4_000_000_000  # read for one class, unpacked
MAX_CLASS_FILES = 100_000
MAX_STUDENT_FILES = 5_000
MAX_STUDENT_ZIPS = 3
DEEPEST = 10  # folders below the source
MAX_NAME = 120
SLIM = 200_000  # bytes; of a larger notebook the outputs are not kept

NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.I)  # browsers add these
ZIP = re.compile(r"\.zip$", re.I)
IGNORED = re.compile(r"\.|__MACOSX$|__pycache__$")
MOODLE = re.compile(r"(.+?)(?:_(\d+))?_assignsubmission_[a-z]+(?:_(.*))?")
CANVAS = re.compile(r"(\w+?)(?:_LATE)?_(\d+)_\d+_(.+)")
CANVAS_ANONYMOUS = re.compile(r"(?:LATE_)?anon_([^\W_]+)_\d+_(.+)")
RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)\d)$")
DAMAGED = (  # all that zipfile raises on hostile bytes
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


class CollectError(Exception):
    """There is nothing to grade; the message says what to do."""


class Refused(Exception):
    """One student's work cannot be read; the message says what to do."""


@dataclass
class Item:
    """Something that was handed in, not read yet."""

    parts: tuple[str, ...]  # of its path below the source, or the student
    source: str  # where it is, as the instructor knows it
    read: Callable[[int], bytes] | None = None  # one byte over the limit, too
    refused: str = ""
    folder: bool = False

    @property
    def name(self) -> str:
        return self.parts[-1] if self.parts else ""

    @property
    def kind(self) -> str:
        if self.folder:
            return "folder"
        if NOTEBOOK.search(self.name):
            return "notebook"
        return "zip" if ZIP.search(self.name) else "other"


def collect(
    source: Path,
    sheets: dict[str, str],
    max_bytes: int = 20_000_000,
    leave_out: Iterable[Path] = (),
) -> Collection:
    """One Submission per student and sheet, refused ones among them, and
    what became of every file.

    `sheets` maps a number to the notebook's stem, such as "2_1" to
    "2_1_queries_keys_values". Folders to `leave_out` are not looked into.
    CollectError if nothing was handed in.
    """
    source = Path(source)
    items = listed(source)
    if not any(item.kind in ("notebook", "zip") for item in items):
        raise CollectError(
            f"There is no notebook (.ipynb) and no zip in {source}: name the "
            "folder, or the LMS's zip, that holds the submissions."
        )
    items = unwrapped(items, sheets)
    handed_in = by_student(items, sheets, own=name_of(source))
    names = unique_names(handed_in)
    reader = Reader(max_bytes)
    out = []
    for label in sorted(handed_in, key=lambda x: names[x].casefold()):
        out += submissions(names[label], handed_in[label], sheets, reader)
    return Collection(out, accounted(items, out))


def accounted(items: list[Item], out: list[Submission]) -> list[Found]:
    """What became of each file."""
    taken = {
        s.source: Found(s.source, f"{s.sheet} of {s.student}", GRADED)
        for s in out
        if not s.refused
    }
    paths = [printable(item.source) for item in items if not item.folder]
    return [taken.get(path, Found(path, "not graded")) for path in paths]


def submissions(
    student: str, items: list[Item], sheets: dict[str, str], reader: "Reader"
) -> list[Submission]:
    """What one student handed in, sheet by sheet."""
    where = printable(items[0].source)
    items = reader.opened(items)
    out = []
    for number, stem in sheets.items():
        submission = Submission(student, number, where)
        try:
            item = chosen(items, number, stem, alone=len(sheets) == 1)
            submission.source = printable(item.source)
            data = reader.notebook(item)
            submission.sha256 = hashlib.sha256(data).hexdigest()
            large = len(data) > SLIM
            submission.notebook = without_outputs(data) if large else data
        except (Refused, NotANotebook) as reason:
            submission.refused = str(reason)
        out.append(submission)
    return out


# --- what is there ---------------------------------------------------------


def listed(source: Path) -> list[Item]:
    """Everything at the source, be it a folder, a zip or one notebook."""
    try:
        if source.is_dir():
            return list(in_folder(source))
        if not source.exists():
            raise CollectError(f"There is nothing at {source}: check the path.")
        if source.is_file() and ZIP.search(source.name):
            return list(in_zip(open_zip(source), str(source)))
    except OSError as error:
        raise CollectError(
            f"{source} cannot be read ({error.strerror}): give yourself "
            "permission, or copy it."
        ) from None
    if source.is_file() and NOTEBOOK.search(source.name):
        read = partial(read_file, os.path.realpath(source))
        return [Item((source.name,), str(source), read)]
    raise CollectError(
        f"{source} is neither a folder nor a zip nor a notebook (.ipynb)."
    )


def open_zip(source: Path) -> zipfile.ZipFile:
    """The class's zip; it stays open until its last item is read."""
    source.open("rb").close()  # permission is another matter than damage
    try:
        return zipfile.ZipFile(source)
    except DAMAGED:
        raise CollectError(
            f"{source} is damaged, or no zip: download it again."
        ) from None


def in_folder(folder: Path) -> Iterator[Item]:
    """All below a folder; too many files of one student are left out."""
    for top in sorted(os.scandir(folder), key=lambda entry: entry.name):
        for count, item in enumerate(below(top, ())):
            if count == MAX_STUDENT_FILES:
                yield too_many((top.name,), top.path)
                break
            yield item


def below(entry: os.DirEntry, parents: tuple[str, ...]) -> Iterator[Item]:
    """The entry and what lies below it, hidden files left out."""
    if IGNORED.match(entry.name):
        return
    item = Item((*parents, entry.name), entry.path)
    bare = "." not in entry.name  # named as a student's folder would be
    if entry.is_symlink():
        yield replace(item, refused=linked(entry.name), folder=bare)
    elif entry.is_file(follow_symlinks=False):
        yield replace(item, read=partial(read_file, entry.path))
    elif not entry.is_dir(follow_symlinks=False):
        yield replace(item, refused=special(entry.name), folder=bare)
    else:
        item.folder = True
        try:
            inside = sorted(os.scandir(entry.path), key=lambda e: e.name)
        except OSError as error:
            yield replace(item, refused=unreadable(entry.name, error))
            return
        yield item
        if len(item.parts) < DEEPEST:
            for child in inside:
                yield from below(child, item.parts)


def in_zip(archive: zipfile.ZipFile, source: str) -> Iterator[Item]:
    """All files in a zip; their names are labels and never paths."""
    entries = archive.infolist()
    if len(entries) > MAX_CLASS_FILES:
        raise CollectError(
            f"{source} holds {len(entries):,} files and at most "
            f"{MAX_CLASS_FILES:,} are read: grade the class in parts."
        )
    seen = Counter()
    for entry in entries:
        path = entry.filename.replace("\\", "/")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        inside = tuple(short(part) for part in parts if part != "..")
        if not inside or any(map(IGNORED.match, inside)):
            continue
        seen[inside[0]] += 1
        if seen[inside[0]] == MAX_STUDENT_FILES + 1:
            yield too_many(inside[:1], source)
        if seen[inside[0]] > MAX_STUDENT_FILES:
            continue
        item = Item(inside, f"{source}: {path}", folder=entry.is_dir())
        item.read = partial(read_entry, archive, entry)
        item.refused = strange_entry(entry, path)
        yield item


def strange_entry(entry: zipfile.ZipInfo, path: str) -> str:
    """Why an entry is neither a file nor a folder of this zip, if so."""
    if path.startswith("/") or path[1:2] == ":" or ".." in path.split("/"):
        return (
            f"The path {shown(path)} leads out of the zip: make the zip "
            "again, with the notebook alone."
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)  # 0 where it is not said
    if kind == stat.S_IFLNK:
        return linked(path.rsplit("/", 1)[-1])
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return special(path.rsplit("/", 1)[-1])
    return ""


def read_file(path: str, limit: int) -> bytes:
    """At most limit + 1 bytes of a regular file that is no link."""
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Refused(special(os.path.basename(path)))
            return file.read(limit + 1)
    except OSError as error:
        raise Refused(unreadable(os.path.basename(path), error)) from None


def read_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int
) -> bytes:
    """At most limit + 1 unpacked bytes, whatever the zip's headers say."""
    name = shown(entry.filename)
    if entry.flag_bits & 1:
        raise Refused(
            f"{name} is encrypted: hand in a zip without a password, or the "
            "notebook itself."
        )
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(
            f"{name} is packed by a method that is not read here: hand in an "
            "ordinary zip, or the notebook itself."
        )
    try:
        with archive.open(entry) as file:
            return file.read(limit + 1)
    except DAMAGED:
        raise Refused(
            f"{name} is damaged inside its zip: make the zip again, or hand "
            "in the notebook itself."
        ) from None


# --- whose it is -----------------------------------------------------------


def unwrapped(items: list[Item], sheets: dict[str, str]) -> list[Item]:
    """Without the one folder around a whole class, if there is such."""
    inside = [replace(i, parts=i.parts[1:]) for i in items if i.parts[1:]]
    around = {item.parts[0] for item in items}
    if len(around) > 1 or not inside or MOODLE.fullmatch(*around):
        return items
    work = [i for i in inside if i.kind in ("notebook", "zip")]
    if any(of_an_lms(item, sheets) for item in work):
        return inside
    flat = [i for i in work if len(i.parts) == 1]
    if flat:  # several files that no sheet is named in are several students
        named = any(mentioned(item.name, sheets) for item in flat)
        return items if named or len(flat) == 1 else inside
    folders = defaultdict(set)  # by sheet; a student has but one for each
    for item in work:
        for sheet in mentioned(item.name, sheets) or [None]:
            folders[sheet].add(item.parts[0])
    several = any(len(found) > 1 for found in folders.values())
    whole = any(item.parts[0] == "exercises" for item in work)
    return inside if several and not whole else items


def by_student(
    items: list[Item], sheets: dict[str, str], own: str
) -> dict[str, list[Item]]:
    """What each student handed in, by the label that stands for them. Lists
    and read-me files beside the students' work are left out."""
    work = [i for i in items if i.kind in ("notebook", "zip")]
    lms = any(of_an_lms(item, sheets) for item in work)
    out = {}
    for item in items:
        known = of_an_lms(item, sheets)
        if len(item.parts) > 1 or item.folder:
            label, parts = item.parts[0], item.parts[1:]
            label = known[0] if known else label
        elif item.kind == "other" and not (known and lms):
            continue
        else:
            mine = owner(item.name, sheets) or own
            label, name = known or (mine, item.name)
            parts = (name,)
        out.setdefault(label, []).append(replace(item, parts=parts))
    return out


def of_an_lms(item: Item, sheets: dict[str, str]) -> tuple[str, str] | None:
    """(label of the student, rest of the name), if an LMS made the name."""
    name = item.parts[0]
    if match := MOODLE.fullmatch(name):
        person, identity, rest = match.groups()
        return f"{person} ({identity})" if identity else person, rest or ""
    if len(item.parts) > 1 or item.folder:
        return None  # Canvas makes no folders
    if match := CANVAS_ANONYMOUS.fullmatch(name):
        return f"anonymous {match[1]}", match[2]
    match = CANVAS.fullmatch(name)
    if not match or not any(map(str.isalpha, match[1])):
        return None
    if mentioned(name, sheets) != mentioned(match[3], sheets):
        return None  # alice_2_1_x.ipynb: these are no identities
    return f"{match[1]} ({match[2]})", match[3]


def owner(name: str, sheets: dict[str, str]) -> str:
    """Who alice_2_1.ipynb is from. With one sheet each file is a student;
    with several a name without its sheet is the student's."""
    name = ZIP.sub("", NOTEBOOK.sub("", name))
    if len(sheets) == 1:
        return name
    for number, stem in sheets.items():
        name = re.sub(f"{re.escape(stem)}|{token(number)}", "", name)
    return name.strip(" _-.")


def mentioned(name: str, sheets: dict[str, str]) -> list[str]:
    """The numbers of the sheets that a file's name speaks of."""
    return [n for n, s in sheets.items() if s in name or mention(name, n)]


def mention(name: str, number: str) -> re.Match | None:
    return re.search(token(number), name)


def token(number: str) -> str:
    """2_1 as people write it: 2_1, 2.1 or 2-1, with no digit beside it."""
    return rf"(?<!\d){number.replace('_', '[._-]')}(?!\d)"


# --- which notebook --------------------------------------------------------


def chosen(items: list[Item], number: str, stem: str, alone: bool) -> Item:
    """The student's one notebook for this sheet, else Refused."""
    notebooks = [item for item in items if item.kind == "notebook"]
    for fits in (
        lambda name: stem in name,
        lambda name: re.match(token(number), name),
        lambda name: mention(name, number),
    ):
        found = [item for item in notebooks if fits(item.name)]
        if found:
            break
    if not found and alone and len(notebooks) == 1:
        found = notebooks
    if len(found) > 1:  # a whole course folder holds the chapter too
        found = [i for i in found if "exercises" in i.parts] or found
    if len(found) == 1:
        return found[0]
    if found:
        names = sorted({shown(item.name) for item in found})
        names = " and ".join([*names[:2], *(["others"] if names[2:] else [])])
        raise Refused(
            f"There are {len(found)} notebooks for sheet {number} ({names}): "
            "hand in one."
        )
    for item in items:
        if item.refused:
            raise Refused(item.refused)
    there = f"among the {len(notebooks)} handed in" if notebooks else "here"
    raise Refused(
        f"There is no notebook for sheet {number} {there}: hand in "
        f"{stem}.ipynb, under this name."
    )


class Reader:
    """Reads what students handed in, up to a bound for each and for all."""

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        self.left = MAX_CLASS_BYTES

    def take(self, item: Item) -> bytes:
        if item.refused:
            raise Refused(item.refused)
        if self.left <= 0:
            raise Refused(
                f"The class's files hold over {in_words(MAX_CLASS_BYTES)} in "
                "all, so that this one was not read: grade it by itself."
            )
        data = item.read(self.max_bytes)
        self.left -= len(data)
        if len(data) > self.max_bytes:
            raise Refused(
                f"{shown(item.name)} holds more than "
                f"{in_words(self.max_bytes)}: clear the outputs of all "
                "cells, save, and hand in the notebook alone."
            )
        return data

    def notebook(self, item: Item) -> bytes:
        """The file's bytes, in which there is a notebook."""
        data = self.take(item)
        notebook_cells(data)
        return data

    def opened(self, items: list[Item]) -> list[Item]:
        """The items, and what is inside the zips among them."""
        out = [item for item in items if item.kind != "zip"]
        zips = [item for item in items if item.kind == "zip"]
        for count, item in enumerate(zips):
            try:
                if count == MAX_STUDENT_ZIPS:
                    raise Refused(
                        f"There are {len(zips)} zips: hand in the notebook "
                        "itself."
                    )
                out += self.inside(item)
            except Refused as reason:
                out.append(replace(item, refused=str(reason)))
                if count == MAX_STUDENT_ZIPS:
                    break
        return out

    def inside(self, item: Item) -> list[Item]:
        data = self.take(item)
        if data.count(b"PK\1\2") > MAX_STUDENT_FILES:
            raise Refused(too_many((), item.source).refused)
        try:
            archive = zipfile.ZipFile(io.BytesIO(data))
        except DAMAGED:
            raise Refused(
                f"{shown(item.name)} is damaged, or no zip: make it again, "
                "or hand in the notebook itself."
            ) from None
        out = []
        for found in in_zip(archive, item.source):
            out.append(replace(found, parts=item.parts + found.parts))
            if found.kind == "zip":
                out[-1].refused = (
                    f"{shown(found.name)} is a zip inside a zip: hand in the "
                    "notebook itself."
                )
        return out


# --- names and sentences ---------------------------------------------------


def unique_names(labels: Iterable[str]) -> dict[str, str]:
    """A clean name for each label. Labels that look the same once cleaned
    all get a mark of their own: nobody's work is lost, and nobody passes for
    somebody else. No clean name can imitate a mark."""
    clean = {label: student_name(label) for label in labels}
    often = Counter(clean.values())
    return {
        label: name if often[name] == 1 else f"{name} [{digest(label)}]"
        for label, name in clean.items()
    }


def student_name(label: str) -> str:
    """A name fit to be shown: one line, no control or format characters."""
    name = printable(label).translate(str.maketrans("/\\[]", "__()"))
    return name[:MAX_NAME].strip() or "no name"


def printable(text: str) -> str:
    """One line of NFC text without control, format and half characters."""
    line = " ".join(text.split())
    kept = "".join(c for c in line if unicodedata.category(c)[0] != "C")
    return " ".join(unicodedata.normalize("NFC", kept).split())


def folder_name(student: str) -> str:
    """A folder's name for a student, safe on every system.

    Plain lower-case names stay as they are. All others end in a mark, so
    that two students never share a folder, not even where case or the form
    of an accent does not count.
    """
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,49}", student):
        if not RESERVED.match(student):
            return student
    kept = "".join(c if c.isalnum() else "_" for c in printable(student)[:50])
    return f"{kept.strip('_') or 'student'}~{digest(student)}"


def digest(text: str) -> str:
    data = text.encode("utf8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:12]


def name_of(source: Path) -> str:
    name = Path(os.path.abspath(source)).name
    return NOTEBOOK.sub("", ZIP.sub("", name)) or "student"


def short(name: str) -> str:
    """A file's name, no longer than a disk would have it."""
    return name if len(name) <= 255 else name[:200] + name[-55:]


def shown(name: str) -> str:
    """A stranger's file name inside a sentence."""
    name = printable(name if len(name) <= 500 else name[:250] + name[-250:])
    return name if len(name) <= 80 else f"{name[:50]}...{name[-25:]}"


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


def too_many(parts: tuple[str, ...], source: str) -> Item:
    reason = (
        f"There are more than {MAX_STUDENT_FILES:,} files: hand in the "
        "notebook alone."
    )
    return Item(parts, source, refused=reason, folder=True)


def in_words(size: int) -> str:
    unit, name = (10**9, "GB") if size >= 10**9 else (10**6, "MB")
    return f"{size / unit:g} {name}"
