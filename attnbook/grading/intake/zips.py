"""What is in a zip, read without unpacking anything to the disk."""

import stat
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attnbook.grading.intake import bounds
from attnbook.grading.intake.item import (
    CollectError,
    Item,
    Refused,
    bounded,
    linked,
    special,
)
from attnbook.grading.intake.left_out import no_work
from attnbook.grading.strangers import short, shown

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


def open_zip(source: Path) -> zipfile.ZipFile:
    """The class's zip; it stays open until its last item is read."""
    source.open("rb").close()  # permission is another matter than damage
    try:
        return zipfile.ZipFile(source)
    except DAMAGED:
        raise CollectError(
            f"{source} is damaged, or no zip: download it again."
        ) from None


def in_zip(archive: zipfile.ZipFile, source: str) -> Iterator[Item]:
    """All files in a zip; their names are labels and never paths."""
    entries = archive.infolist()
    if len(entries) > bounds.MAX_CLASS_FILES:
        raise CollectError(
            f"{source} holds {len(entries):,} files and at most "
            f"{bounds.MAX_CLASS_FILES:,} are read: grade the class in parts."
        )
    names = [parts_of(entry.filename) for entry in entries]
    tops = {parts[0] for parts in names if parts and not no_work(parts[0])}
    items = all_entries(archive, list(zip(entries, names)), source)
    yield from bounded(items, tops)


def all_entries(archive, entries: list[tuple], source: str) -> Iterator[Item]:
    left_out: set[tuple[str, ...]] = set()
    inside = children([parts for _, parts in entries])
    for entry, parts in entries:
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
