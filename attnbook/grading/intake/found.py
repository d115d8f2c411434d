"""Everything at a source, be it a folder, a zip or one notebook.

All that is read here comes from strangers: names are only ever labels, links
are not followed, nothing is unpacked to the disk.
"""

import os
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from attnbook.grading.intake.account import FOLDER, OTHER, Found
from attnbook.grading.intake.left_out import no_work, own_parts
from attnbook.grading.intake.names import printable, short, shown

MAX_CLASS_FILES = 100_000
MAX_STUDENT_FILES = 5_000
DEEPEST = 10  # folders below the source

NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.I)  # browsers add these
ZIP = re.compile(r"\.zip$", re.I)
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


@dataclass(frozen=True)
class Attempt:
    """One of several times that a student handed in, as the LMS tells it."""

    told: str  # such as "Oct 10, 2025 1022 AM"
    order: tuple | None = None  # that sorts; None if it was not understood


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


def listed(source: Path, leave_out: Collection[str] = ()) -> list[Item]:
    """Everything at the source; folders to `leave_out` are real paths."""
    try:
        if source.is_dir():
            return list(in_folder(source, leave_out))
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


# --- in a folder -----------------------------------------------------------


def in_folder(folder: Path, leave_out: Collection[str]) -> Iterator[Item]:
    """All below a folder; too many files of one student are left out."""
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    ours = own_parts({entry.name for entry in entries})
    for top in entries:
        if top.name in ours and top.is_dir(follow_symlinks=False):
            item = Item((top.name,), top.path, folder=True)
            yield item.leave_out(ours[top.name])
            continue
        for count, item in enumerate(below(top, (), leave_out)):
            if count == MAX_STUDENT_FILES:
                yield too_many((top.name,), top.path)
                break
            yield item


def below(
    entry: os.DirEntry, parents: tuple[str, ...], leave_out: Collection[str]
) -> Iterator[Item]:
    """The entry and what lies below it."""
    item = Item((*parents, entry.name), entry.path)
    bare = "." not in entry.name  # named as a student's folder would be
    if entry.is_symlink():
        yield replace(item, refused=linked(entry.name), folder=bare)
    elif entry.is_file(follow_symlinks=False):
        item.read = partial(read_file, entry.path)
        why = no_work(entry.name)
        yield item.leave_out(why) if why else item
    elif not entry.is_dir(follow_symlinks=False):
        yield replace(item, refused=special(entry.name), folder=bare)
    else:
        item.folder = True
        yield from inside(item, leave_out)


def inside(item: Item, leave_out: Collection[str]) -> Iterator[Item]:
    """A folder and what lies in it, unless it is to be left out."""
    if os.path.realpath(item.source) in leave_out:
        yield item.leave_out("left out: where the grades are written")
        return
    try:
        entries = sorted(os.scandir(item.source), key=lambda e: e.name)
    except OSError as error:
        yield replace(item, refused=unreadable(item.name, error))
        return
    why = no_work(item.name, {entry.name for entry in entries})
    if len(item.parts) == DEEPEST and not why:
        why = f"left out: more than {DEEPEST} folders deep"
    if why:
        yield item.leave_out(why)
        return
    yield item
    for entry in entries:
        yield from below(entry, item.parts, leave_out)


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


# --- in a zip --------------------------------------------------------------


def in_zip(archive: zipfile.ZipFile, source: str) -> Iterator[Item]:
    """All files in a zip; their names are labels and never paths."""
    entries = archive.infolist()
    if len(entries) > MAX_CLASS_FILES:
        raise CollectError(
            f"{source} holds {len(entries):,} files and at most "
            f"{MAX_CLASS_FILES:,} are read: grade the class in parts."
        )
    seen, left_out = Counter(), set()
    names = [parts_of(entry.filename) for entry in entries]
    inside = children(names)
    for entry, parts in zip(entries, names):
        if not parts:
            continue
        closed = closed_folder(parts, inside)
        if closed:
            if closed not in left_out:
                left_out.add(closed)
                where = f"{source}: {'/'.join(closed)}"
                why = no_work(closed[-1], inside[closed])
                yield Item(closed, where, folder=True).leave_out(why)
            continue
        seen[parts[0]] += 1
        if seen[parts[0]] == MAX_STUDENT_FILES + 1:
            yield too_many(parts[:1], source)
        if seen[parts[0]] <= MAX_STUDENT_FILES:
            yield one_entry(archive, entry, parts, source)


def one_entry(archive, entry, parts: tuple[str, ...], source: str) -> Item:
    path = entry.filename.replace("\\", "/")
    item = Item(parts, f"{source}: {path}", folder=path.endswith("/"))
    item.read = partial(read_entry, archive, entry)
    item.refused = strange_entry(entry, path)
    why = "" if item.folder else no_work(item.name)
    return item.leave_out(why) if why else item


def parts_of(filename: str) -> tuple[str, ...]:
    """The names on a path inside a zip, Windows' separators among them."""
    parts = filename.replace("\\", "/").split("/")
    return tuple(short(part) for part in parts if part not in ("", ".", ".."))


def children(names: list[tuple[str, ...]]) -> dict[tuple, set[str]]:
    """What lies directly in each folder of a zip."""
    out = defaultdict(set)
    for parts in names:
        for depth in range(len(parts)):
            out[parts[:depth]].add(parts[depth])
    return out


def closed_folder(parts: tuple[str, ...], inside: dict) -> tuple[str, ...]:
    """The outermost folder on this path that is not looked into, if any."""
    for depth in range(1, len(parts) + 1):
        folder = parts[:depth]
        if folder in inside and no_work(folder[-1], inside[folder]):
            return folder
    return ()


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


# --- sentences -------------------------------------------------------------


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
    many = f"more than {MAX_STUDENT_FILES:,} files"
    reason = f"There are {many}: hand in the notebook alone."
    item = Item(parts, source, refused=reason, folder=True)
    item.file.settle(FOLDER, f"not looked into further: {many}")
    return item
