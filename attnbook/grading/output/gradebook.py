"""Scores into nbgrader's gradebook, through nbgrader's own API.

Needs nbgrader when used, not when imported.
"""

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attnbook.errors import AttnbookError
from attnbook.grading.course import Course, Sheet
from attnbook.grading.model import GRADED, Result
from attnbook.grading.output.nbgrader_tools import path_with_tools
from attnbook.grading.strangers import student_id

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

INSTALL = ".venv/bin/pip install -e '.[nbgrader]' -c constraints.txt"
OPTIONS = re.compile(r"\?\w+=[^/]*$")  # of a URL, behind its path
# What a driver says, as a pattern, and what the instructor reads instead: a
# driver may quote parts of the URL, and so of a password.
REASONS = {
    r"password|sasl|pg_hba": "The database refuses this user or password: "
    "check both in the URL.",
    r"refused|(translate|resolve) host|no such file|time(d )?out": "The "
    "database server cannot be reached: check host and port in the URL (in a "
    "password, @ is written %40), and that the server runs.",
    r"permission denied": "This database user may not create tables: let the "
    "database's owner grant that, or use a database of the user's own.",
    r'database ".*not exist': "The server has no such database: correct its "
    "name in the URL, or make it with createdb.",
    r"read-?only": "The gradebook can only be read: make the file and its "
    "folder writable, or name another one.",
    r"unable to open": "The gradebook's file cannot be opened or made: check "
    "that its folder exists and is writable.",
    r"is locked": "Another program is writing to the gradebook: close it, "
    "then run this again.",
    r"not a database": "The gradebook's file is no SQLite database: name "
    "another one.",
    r"no such column|undefinedcolumn": "The gradebook is from an older "
    "nbgrader: copy it, then run `nbgrader db upgrade` in its folder.",
    r"cannot add or remove cells": "The gradebook holds submissions to "
    "another version of this sheet: write to a new gradebook.",
    r"surrogate|\bnul\b|too long": "A student's name is too long for the "
    "database or holds a character that it cannot store: rename what was "
    "handed in.",
}


class GradebookError(AttnbookError):
    """The gradebook cannot be written; the message says what to do."""


def write_scores(
    url: "str | URL",
    results: list[Result],
    course: Course,
    folder: Path | None = None,
) -> int:
    """Record the scores of these results; how many submissions got one.

    `url` is SQLAlchemy's, such as sqlite:///gradebook.db or
    postgresql://user:password@host/name; tables are made when missing. The
    path of a file is taken as it stands, with all its %, # and ?. Each
    sheet becomes an assignment called by its number, with the cells that
    `nbgrader generate_assignment` would record. A second run updates what the
    first one wrote. A score given by hand stays and counts, and is marked for
    review where the automatic one changes.

    What is *not graded* gets no automatic score: the submission is there, its
    grades are empty and marked "needs manual grade", so that formgrader lists
    it as work to do. nbgrader's own sums count an empty grade as 0, and its
    export prints such a sum, as it does for who handed in nothing.

    `folder` is the nbgrader course, if there is one: the time of a submission
    is taken from its submitted/<student>/<sheet>/timestamp.txt, without which
    formgrader would hold it to be graded before it was handed in.

    GradebookError in one sentence if nbgrader is missing, or the database
    cannot be reached, entered or written; never with the password.
    """
    results = list({result.key: result for result in results}.values())
    with explained(url) as url:
        from nbgrader.api import Gradebook

        for number in sorted({result.sheet for result in results}):
            declare(url, course.sheet(number))
        with Gradebook(url) as gradebook:
            written = [
                record(gradebook, course.sheet(result.sheet), result, folder)
                for result in results
            ]
    return sum(written)


def declare(url: "URL", sheet: Sheet) -> None:
    """Assignment, notebook and cells, as `generate_assignment` makes them."""
    import nbformat
    from nbgrader.api import Gradebook
    from nbgrader.preprocessors import ComputeChecksums, SaveCells

    from attnbook.grading.nbgrader_plugin import StudentVersion

    with Gradebook(url) as gradebook:
        gradebook.update_or_create_assignment(sheet.number)
    place = {"notebook": sheet.stem, "assignment": sheet.number, "db_url": url}
    notebook = nbformat.read(sheet.path, as_version=4)
    for step in (StudentVersion, ComputeChecksums, SaveCells):
        notebook, _ = step().preprocess(notebook, {"nbgrader": place})


def record(
    gradebook, sheet: Sheet, result: Result, folder: Path | None
) -> bool:
    """Write one result; whether it has a score."""
    student = student_id(result.student)
    gradebook.update_or_create_student(student)
    time = submitted_at(folder, result)
    extra = {"timestamp": time} if time else {}
    gradebook.update_or_create_submission(sheet.number, student, **extra)
    points = {
        question.id: question.points
        for question in result.questions
        if GRADED == question.state == result.state
    }
    for exercise in sheet.points:
        cell = exercise.replace(".", "_") + "_check"
        grade = gradebook.find_grade(cell, sheet.stem, sheet.number, student)
        score = points.get(exercise)
        if grade.manual_score is None:
            grade.needs_manual_grade = score is None
        elif grade.auto_score != score:
            grade.needs_manual_grade = True
        grade.auto_score = score
    gradebook.db.commit()
    return bool(points)


def submitted_at(folder: Path | None, result: Result) -> str:
    """The time that nbgrader noted, "" where it did not."""
    from nbgrader.utils import parse_utc

    if folder is None:
        return ""
    student = student_id(result.student)
    name = f"submitted/{student}/{result.sheet}/timestamp.txt"
    try:
        time = (Path(folder) / name).read_text("utf8").strip()
        parse_utc(time)
    except (OSError, ValueError, OverflowError):
        return ""
    return time


# --- where the gradebook is ------------------------------------------------


def address(url: "str | URL") -> "URL":
    """SQLAlchemy's form of the URL; GradebookError if it cannot be that of a
    gradebook."""
    try:
        import nbgrader  # noqa: F401
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError:
        raise GradebookError(
            f"Writing a gradebook needs nbgrader: {INSTALL}"
        ) from None
    try:
        parsed = with_path_as_typed(url) or make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise ValueError(parsed)
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, ValueError):
        raise GradebookError(
            "The gradebook's URL must be that of an SQLite or a PostgreSQL "
            "database, such as sqlite:///gradebook.db or "
            "postgresql://user:password@host/name."
        ) from None
    except ImportError:
        raise GradebookError(
            f"The driver for this database is missing: {INSTALL}"
        ) from None
    if is_file(parsed) and parsed.database in (None, "", ":memory:"):
        raise GradebookError(
            "The gradebook's URL names no file: write sqlite:///gradebook.db."
        )
    return parsed


def with_path_as_typed(url: "str | URL") -> "URL | None":
    """The URL of the very file that sqlite:///PATH names, where its folder is
    there. Otherwise the path may be written with escapes, as SQLAlchemy reads
    it; so may one with options (?timeout=9) or one that begins with file:."""
    if not isinstance(url, str) or not url.startswith("sqlite:///"):
        return None
    path = url.removeprefix("sqlite:///")
    if not path or path.startswith((":memory:", "file:")):
        return None
    if OPTIONS.search(path) or not os.path.isdir(os.path.dirname(path) or "."):
        return None
    return in_file(path)


def in_file(path: Path | str) -> "URL":
    """The URL of a gradebook in this file, whatever its name; GradebookError
    where nbgrader is missing."""
    try:
        from sqlalchemy.engine import URL
    except ImportError:
        raise GradebookError(
            f"Writing a gradebook needs nbgrader: {INSTALL}"
        ) from None
    return URL.create("sqlite", database=str(path))


def is_file(url: "URL") -> bool:
    """Whether the gradebook is a file (SQLite) and not on a server."""
    return url.get_backend_name() == "sqlite"


@contextmanager
def explained(url: "str | URL") -> Iterator["URL"]:
    """The URL as SQLAlchemy has it; what goes wrong with the database becomes
    a GradebookError."""
    parsed = address(url)
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with quietly():
            yield parsed
    except (SQLAlchemyError, ValueError, RuntimeError) as error:
        said = str(getattr(error, "orig", error))
        raise GradebookError(reason(said, is_file(parsed))) from None


@contextmanager
def quietly() -> Iterator[None]:
    """nbgrader finds its tools, gives up on a silent server after 10 s, and
    logs neither the errors that it raises nor SQLAlchemy's advice to it."""
    from sqlalchemy.exc import SAWarning

    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")
    path, log = os.environ.get("PATH"), logging.getLogger("tornado.application")
    os.environ["PATH"], log.disabled = path_with_tools(), True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)
            yield
    finally:
        os.environ["PATH"], log.disabled = path or os.defpath, False


def reason(said: str, in_file: bool) -> str:
    """What to tell the instructor where a database said this; its own words
    only where there is no password that they could quote."""
    for pattern, sentence in REASONS.items():
        if re.search(pattern, said, re.IGNORECASE):
            return sentence
    detail = f" ({said.splitlines()[0]})" if said and in_file else ""
    return (
        f"The gradebook cannot be written{detail}: try a new one, and if that "
        "works make a copy of the old one and run `nbgrader db upgrade`."
    )
