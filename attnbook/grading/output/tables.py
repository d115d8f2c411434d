"""Tables for the instructor: grades.csv, files.csv, and the one on the screen.

Names come from students: a spreadsheet computes nothing from them.
"""

import csv
import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from attnbook.grading.model import NOT_GRADED, QuestionResult, Result
from attnbook.grading.strangers import no_formula, printable

EMPTY = hashlib.sha256().hexdigest()  # nothing was read
HEAD = ["student", "sheet", "state", "points", "out_of"]
TAIL = ["why", "source", "sha256"]
EXERCISE = re.compile(r"\d+_\d+\.\w+")  # the columns between


def write_grades(path: Path, results: list[Result], ours: str) -> list[str]:
    """Write grades.csv; what is to be said about the file that was there.

    A row of it stays if no result tells of the same student and sheet. If its
    SHA-256 is not `ours`, which the last run left, a copy is kept.
    """
    data = path.read_bytes() if path.is_file() else b""
    before = read_rows(data)
    mine = {(no_formula(r.student), r.sheet) for r in results}
    others = [r for r in before if (r["student"], r["sheet"]) not in mine]
    text = "\ufeff" + grades(results, others)
    notes = []
    if data not in (b"", text.encode()) and sha256(data) != ours:
        aside = path.with_suffix(f".{sha256(data)[:8]}.csv")
        aside.write_bytes(data)
        notes.append(
            f"{path} was not as the last run had left it: a copy is kept in "
            f"{aside.name}."
        )
    if others:
        notes.append(
            f"{counted(len(others), 'row')} of {path} left as it was, because "
            "state/ holds nothing of the kind."
        )
    write_whole(path, text)
    return notes


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def read_rows(data: bytes) -> list[dict]:
    """The rows of a grades.csv, in columns that are ours; none if it is
    something else."""
    try:
        text = data.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        rows = [{k: v for k, v in row.items() if is_ours(k)} for row in reader]
    except (UnicodeDecodeError, csv.Error):
        return []
    return [row for row in rows if {"student", "sheet"} <= set(row)]


def is_ours(column: str | None) -> bool:
    known = column in HEAD or column in TAIL
    return known or bool(EXERCISE.fullmatch(column or ""))


def grades(results: list[Result], others: Iterable[dict] = ()) -> str:
    """A row per result, and others. What was not graded has no points: it is
    no zero."""
    rows = [*map(row_of, results), *others]
    found = {name for row in rows for name in row if EXERCISE.fullmatch(name)}
    ids = sorted(found, key=lambda i: re.sub(r"\d+", pad, i))
    return table([*HEAD, *ids, *TAIL], rows)


def table(columns: list[str], rows: Iterable[dict]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def row_of(result: Result) -> dict:
    out = {
        "student": no_formula(result.student),
        "sheet": result.sheet,
        "state": result.state,
        "why": no_formula(result.why),
        "source": no_formula(result.source),
        "sha256": "" if result.sha256 == EMPTY else result.sha256,
    }
    if graded(result):
        out["points"] = amount(result.points)
        out["out_of"] = amount(result.out_of)
    for question in result.questions:
        out[question.id] = amount(question.points) if graded(question) else ""
    return out


def files(found: Iterable) -> str:
    """What became of each file that was handed in."""
    rows = [
        {"path": no_formula(f.path), "became": no_formula(f.became)}
        for f in found
    ]
    return table(["path", "became"], rows)


def amount(points: float) -> str:
    """Points, with two decimals at most: 2, 2.5, 0.67."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def pad(number: re.Match) -> str:
    return number[0].zfill(4)


def graded(result: Result | QuestionResult) -> bool:
    return result.state != NOT_GRADED


def summary(results: list[Result]) -> str:
    """A short table for the terminal: each sheet's mean, and why some were
    not graded."""
    lines = ["sheet   graded  not graded    mean   of  lowest  highest"]
    for sheet in sorted({r.sheet for r in results}):
        mine = [r for r in results if r.sheet == sheet]
        points = [r.points for r in mine if graded(r)]
        left = len(mine) - len(points)
        line = f"{sheet:<6}  {len(points):>6}  {left:>10}"
        if points:
            out_of = max(r.out_of for r in mine)
            line += f"  {sum(points) / len(points):>6.2f}  {amount(out_of):>3}"
            line += f"  {amount(min(points)):>6}  {amount(max(points)):>7}"
        lines.append(line)
    reasons = Counter(printable(r.why) for r in results if not graded(r))
    if reasons:
        lines.append("Not graded, which is not a zero:")
        lines += [f"{n:>4} x {why}" for why, n in reasons.most_common(10)]
    if len(reasons) > 10:
        lines.append("     and more: see grades.csv")
    return "\n".join(lines)


def write_whole(path: Path, text: str, to_disk: bool = False) -> None:
    """Write a file so that nobody ever finds half of it; with `to_disk` it
    also outlives a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(new, "wb") as file:
            file.write(text.encode("utf8"))
            if to_disk:
                file.flush()
                os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
