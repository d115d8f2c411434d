"""Strangers' names, made fit for a line, a sentence and a folder."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

MAX_NAME = 120
RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)\d)$")


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


def one_line(name: str) -> str:
    """A name as it is compared: NFC, and only plain spaces."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def short(name: str) -> str:
    """A file's name, no longer than a disk would have it."""
    return name if len(name) <= 255 else name[:200] + name[-55:]


def shown(name: str) -> str:
    """A stranger's file name inside a sentence."""
    name = printable(name if len(name) <= 500 else name[:250] + name[-250:])
    return name if len(name) <= 80 else f"{name[:50]}...{name[-25:]}"


def listed_names(names: Iterable[str]) -> str:
    """Two of these names, and whether there are more, for a sentence."""
    names = sorted({shown(name) for name in names})
    return " and ".join([*names[:2], *(["others"] if names[2:] else [])])
