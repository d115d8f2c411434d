"""Read what students handed in, each file once, up to bounds."""

import hashlib
import io
import zipfile
from dataclasses import dataclass, field, replace

from attnbook.grading.intake import bounds
from attnbook.grading.intake.account import ZIP, Found
from attnbook.grading.intake.item import Item, Refused, too_many
from attnbook.grading.intake.sheets import Says, said_in
from attnbook.grading.intake.zips import DAMAGED, in_zip
from attnbook.grading.strangers import shown
from attnbook.notebooks.cells import NotANotebook, without_outputs

SLIM = 200_000  # bytes; of a larger notebook the outputs are not kept


@dataclass
class Work:
    """A notebook that was looked into."""

    data: bytes = b""
    sha256: str = ""
    says: Says = field(default_factory=Says)
    problem: str = ""  # why it cannot be graded, in a sentence


class Reader:
    """Reads what students handed in, up to a bound for each and for all."""

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        self.left = bounds.MAX_CLASS_BYTES
        self.looked: dict[Found, Work] = {}

    def forget(self, items: list[Item]) -> None:
        """Drop what these hold: a class has to fit into memory."""
        for item in items:
            self.looked.pop(item.file, None)

    def look(self, item: Item) -> Work:
        """What a notebook holds; it is read once."""
        if item.file not in self.looked:
            self.looked[item.file] = self.read(item)
        return self.looked[item.file]

    def read(self, item: Item) -> Work:
        try:
            data = self.take(item)
            says = said_in(data)
        except (Refused, NotANotebook) as reason:
            return Work(problem=str(reason))
        sha256 = hashlib.sha256(data).hexdigest()
        slim = without_outputs(data) if len(data) > SLIM else data
        return Work(slim, sha256, says)

    def take(self, item: Item) -> bytes:
        if item.refused:
            raise Refused(item.refused)
        if self.left <= 0:
            most = in_words(bounds.MAX_CLASS_BYTES)
            raise Refused(
                f"The class's files hold over {most} in all, so that "
                "this one was not read: grade it by itself."
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

    def opened(self, items: list[Item]) -> list[Item]:
        """The items, and what is inside the zips among them."""
        out = [item for item in items if item.kind != "zip"]
        zips = [item for item in items if item.kind == "zip"]
        for count, item in enumerate(zips):
            try:
                if count >= bounds.MAX_STUDENT_ZIPS:
                    raise Refused(
                        f"There are {len(zips)} zips: hand in the notebook "
                        "itself."
                    )
                out += self.inside(item)
                item.file.settle(ZIP, "a zip that was opened")
            except Refused as reason:
                item.file.settle(ZIP, f"a zip that was not opened: {reason}")
                out.append(replace(item, refused=str(reason)))
        return out

    def inside(self, item: Item) -> list[Item]:
        data = self.take(item)
        if data.count(b"PK\1\2") > bounds.MAX_STUDENT_FILES:
            raise Refused(too_many((), item.source).refused)
        try:
            archive = zipfile.ZipFile(io.BytesIO(data))
        except DAMAGED:
            raise Refused(
                f"{shown(item.name)} is damaged, or no zip: make it again, "
                "or hand in the notebook itself."
            ) from None
        out = []
        for child in in_zip(archive, item.source):
            parts = item.parts + child.parts
            out.append(replace(child, parts=parts, attempt=item.attempt))
            if child.kind == "zip":
                out[-1].refused = (
                    f"{shown(child.name)} is a zip inside a zip: hand in the "
                    "notebook itself."
                )
        return out


def in_words(size: int) -> str:
    unit, name = (10**9, "GB") if size >= 10**9 else (10**6, "MB")
    return f"{size / unit:g} {name}"
