"""A sheet as students get it."""

from attnbook.errors import AttnbookError
from attnbook.grading.course import Course, CourseError, Sheet, cells_of
from attnbook.grading.stubs import student_cells


class ReleaseError(AttnbookError):
    """Nothing was written; the message says why and what to do."""


def exercise(sheet: Sheet) -> str:
    """Where the students' version of a sheet lies."""
    return f"exercises/{sheet.path.parent.name}/{sheet.path.name}"


def notebook(course: Course, sheet: Sheet) -> bytes:
    """The students' version, which must be what the master derives to."""
    path = course.root / exercise(sheet)
    want = [(c["cell_type"], c["source"]) for c in derived(sheet)]
    try:
        have = [(c["cell_type"], c["source"]) for c in cells_of(path)]
    except CourseError:
        have = None
    if have != want:
        raise ReleaseError(
            f"{exercise(sheet)} is not what its master derives to: run "
            "`make exercises`, look at the change, and release again."
        )
    return path.read_bytes()


def derived(sheet: Sheet) -> list[dict]:
    cells = student_cells(cells_of(sheet.path))
    for cell in cells:
        cell["source"] = cell["source"].replace(", strict=True)", ")")
    return cells


def lines_given(sheet: Sheet) -> list[str]:
    """All that a student gets to see of a sheet."""
    return "\n".join(c["source"] for c in derived(sheet)).splitlines()
