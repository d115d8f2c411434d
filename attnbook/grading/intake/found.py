"""Everything at a source, be it a folder, a zip or one notebook.

All that is read here comes from strangers: names are only ever labels, links
are not followed, nothing is unpacked to the disk.
"""

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from attnbook.grading.intake import bounds
from attnbook.grading.intake.item import (
    NOTEBOOK,
    ZIP,
    CollectError,
    Item,
    Refused,
    bounded,
    linked,
    special,
    unreadable,
)
from attnbook.grading.intake.left_out import no_work, own_parts
from attnbook.grading.intake.zips import in_zip, open_zip


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


# --- in a folder -----------------------------------------------------------


def in_folder(folder: Path, leave_out: Collection[str]) -> Iterator[Item]:
    """All below a folder; too many files of one student are left out."""
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    ours = own_parts({entry.name for entry in entries})
    folders = {e.name for e in entries if e.is_dir() and not no_work(e.name)}
    yield from bounded(all_below(entries, ours, leave_out), folders)


def all_below(
    entries: list[os.DirEntry], ours: dict[str, str], leave_out: Collection[str]
) -> Iterator[Item]:
    for top in entries:
        if top.name in ours and top.is_dir(follow_symlinks=False):
            item = Item((top.name,), top.path, folder=True)
            yield item.leave_out(ours[top.name])
        else:
            yield from below(top, (), leave_out)


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
    if len(item.parts) == bounds.DEEPEST and not why:
        why = f"left out: more than {bounds.DEEPEST} folders deep"
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
