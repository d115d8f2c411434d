"""Which of what lies below the submissions is to be graded."""

import contextlib
import difflib
import os
from pathlib import Path

from attnbook.grading.intake.item import CollectError
from attnbook.grading.model import Submission
from attnbook.grading.strangers import no_formula, printable


def not_handed_in(options) -> list[Path]:
    """Folders below the submissions that this command writes itself, now or
    in an earlier run."""
    source = options.submissions.resolve()
    out, course = options.out, options.nbgrader_course
    if contains(out, source):
        mine = [out / "state", out / "students"]
    else:
        mine = [out]
    if course and not contains(course, source):
        mine.append(course)
    with contextlib.suppress(OSError):  # a zip, or nothing
        mine += filter(is_run_folder, options.submissions.iterdir())
    return mine


def contains(folder: Path, path: Path) -> bool:
    folder = folder.resolve()
    return folder == path or folder in path.parents


def is_run_folder(path: Path) -> bool:
    return os.path.isfile(path / "run.json") and os.path.isdir(path / "state")


def only(found: list[Submission], options) -> list[Submission]:
    """The submissions of the students that were asked for, as grades.csv has
    their names."""
    if not options.only:
        return found
    students = {no_formula(s.student): s.student for s in found}
    students |= {s.student: s.student for s in found}
    wanted = {printable(name) for name in options.only}
    for name in sorted(wanted - set(students)):
        raise CollectError(
            f"There is no student {name} in {options.submissions}"
            f"{like(name, sorted(set(students.values())))}; nothing was graded."
        )
    chosen = {students[name] for name in wanted}
    return [s for s in found if s.student in chosen]


def like(name: str, students: list[str]) -> str:
    """The names that may have been meant, for a sentence."""
    lower = {student.casefold(): student for student in students}
    name = name.casefold()
    close = [lower[n] for n in lower if name in n]
    close += [lower[n] for n in difflib.get_close_matches(name, lower)]
    close = list(dict.fromkeys(close))[:5]
    return f"; there is {', '.join(close)}" if close else ""
