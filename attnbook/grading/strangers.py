"""Strangers' text, made fit for a line, a page, a table, a folder.

Names, messages and code come from students. Whatever of it is shown, or names
a file, has gone through a function of this module.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

MAX_NAME = 120
MAX_TEXT = 2_000  # characters of one message
RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)\d)$")
MARKED = re.compile("~[0-9a-f]{12}$")  # as folder_name marks
COLOURS = re.compile("\x1b\\[[0-9;?]*[A-Za-z]")  # of a terminal
FORMULA = re.compile('(^|[;,"]\\s*)([=+\\-@|%\uff1d\uff0b\uff0d\uff20])')


def printable(text: str) -> str:
    """One line of NFC text without control, format and half characters."""
    line = " ".join(text.split())
    kept = "".join(c for c in line if unicodedata.category(c)[0] != "C")
    return " ".join(unicodedata.normalize("NFC", kept).split())


def excerpt(text, length: int = 600) -> str:
    """Printable text on one line, cut where it is long, whatever came."""
    text = " ".join(str(text).split())
    text = "".join(c for c in text if c.isprintable())
    return text if len(text) <= length else f"{text[:length]} ..."


def printable_lines(text: str) -> str:
    """Text without colours, control, format and half characters."""
    text = COLOURS.sub("", text.replace("\r\n", "\n"))
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c)[0] != "C")
    text = "".join(kept).strip()
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " ..."


def no_formula(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, nor a part of it where
    one separates columns by semicolons."""
    return FORMULA.sub(r"\1'\2", printable(text))


def shown(name: str) -> str:
    """A stranger's file name inside a sentence."""
    name = printable(name if len(name) <= 500 else name[:250] + name[-250:])
    return name if len(name) <= 80 else f"{name[:50]}...{name[-25:]}"


def short(name: str) -> str:
    """A file's name, no longer than a disk would have it."""
    return name if len(name) <= 255 else name[:200] + name[-55:]


def listed_names(names: Iterable[str]) -> str:
    """Two of these names, and whether there are more, for a sentence."""
    names = sorted({shown(name) for name in names})
    return " and ".join([*names[:2], *(["others"] if names[2:] else [])])


def one_line(name: str) -> str:
    """A name as it is compared: NFC, and only plain spaces."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def student_name(label: str) -> str:
    """A name fit to be shown: one line, no control or format characters."""
    name = printable(label).translate(str.maketrans("/\\[]", "__()"))
    return name[:MAX_NAME].strip() or "no name"


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


def student_id(student: str) -> str:
    """What nbgrader calls a student, in its gradebook and its folders: the
    name, unless that cannot be a folder's or is too long for one or for the
    gradebook. Then it is cut and ends in a mark, and no name of another
    student's can be the same."""
    plain = Path(student).name == student and student.isprintable()
    if student in ("", "..") or not plain or MARKED.search(student):
        return folder_name(student)
    fits = len(student) <= 100 and len(student.encode()) <= 200
    return student if fits else folder_name(student)


def digest(text: str) -> str:
    data = text.encode("utf8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:12]
