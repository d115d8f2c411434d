"""A course folder for nbgrader, and its own autograder to compare with.

Importing this needs no nbgrader; the commands of the folder do.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from attnbook.grading.course import Course, CourseError, Sheet
from attnbook.grading.output.marks import mark

PLUGIN = "attnbook.grading.nbgrader_plugin.StudentVersion"
# The plugin is named, not imported: it would bring torch into each command.
CONFIG = f'''\
"""Students get the course's own stubs in place of nbgrader's."""

from pathlib import Path
from urllib.parse import quote

from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions

c = get_config()
c.CourseDirectory.course_id = "attnbook"  # PostgreSQL refuses an empty one
here = Path(__file__).resolve().parent / "gradebook.db"
c.CourseDirectory.db_url = "sqlite:///" + quote(str(here))  # also with a %
c.GenerateAssignment.preprocessors = [
    "{PLUGIN}" if step is ClearSolutions else step
    for step in GenerateAssignment().preprocessors
]
'''


def lay_out(course: Course, numbers: list[str], folder: Path) -> list[Path]:
    """Make `folder` an nbgrader course with these sheets; the files written.

    One assignment per sheet, called by its number, such as 2_3. In the folder
    `nbgrader generate_assignment 2_3` then makes the students' version.
    CourseError if there is no such sheet, if the folder cannot be written, or
    if its nbgrader_config.py or a sheet in it is someone else's work.
    """
    sheets = [course.sheet(number) for number in numbers]
    return lay_out_sheets(sheets, Path(folder))


def lay_out_sheets(sheets: list[Sheet], folder: Path) -> list[Path]:
    config = folder / "nbgrader_config.py"
    files = {config: CONFIG.encode()}
    for sheet in sheets:
        path = folder / f"source/{sheet.number}/{sheet.stem}.ipynb"
        files[path] = sheet.path.read_bytes()
        if path.is_file() and path.read_bytes() != files[path]:
            raise CourseError(
                f"{path} is not the present master and is left as it is: move "
                "it to where you want to keep it, or name another folder."
            )
    try:
        if config.exists():
            if PLUGIN not in config.read_text("utf8"):
                raise CourseError(
                    f"{config} is not from this course and is left as it is: "
                    f"name another folder, or put {PLUGIN} there in place of "
                    "nbgrader's ClearSolutions."
                )
            del files[config]
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        raise CourseError(
            f"The folder {folder} cannot be written ({error.strerror}): name "
            "another one."
        ) from None
    return list(files)


def path_with_tools() -> str:
    """PATH with this environment's commands: nbgrader calls alembic by name,
    also where nobody activated the environment."""
    here = Path(sys.executable).parent
    return f"{here}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def run_nbgrader(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """One nbgrader command in a course folder, what it says captured."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "nbgrader", *arguments],
        cwd=folder,
        env=os.environ | {"PATH": path_with_tools()},
        capture_output=True,
        encoding="utf8",
        errors="replace",
    )


def grade_with_nbgrader(
    notebooks: dict[str, bytes], sheet: Sheet, folder: Path
) -> dict:
    """Students' notebooks graded by stock `nbgrader autograde`, all at once.

    `notebooks` are bytes by student, `folder` is new or empty. Students' code
    runs as you, without a sandbox. Returns "cpu" and "wall", the seconds of
    the autograde command and of all its kernels, and "scores", points by
    student, None for those whom nbgrader failed to grade.
    """
    from nbgrader.api import Gradebook
    from sqlalchemy.engine import URL

    folder = Path(folder)
    lay_out_sheets([sheet], folder)
    done = run_nbgrader(folder, "generate_assignment", sheet.number)
    if done.returncode:
        raise CourseError(f"nbgrader failed: {done.stderr[-2000:]}")
    for student, data in notebooks.items():
        name = f"submitted/{student}/{sheet.number}/{sheet.stem}.ipynb"
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(marked(data, sheet))

    started, before = time.perf_counter(), children_seconds()
    run_nbgrader(folder, "autograde", sheet.number)
    wall, cpu = time.perf_counter() - started, children_seconds() - before

    scores = dict.fromkeys(notebooks)
    graded = {p.parts[-3] for p in folder.glob("autograded/*/*/*.ipynb")}
    path = folder.resolve() / "gradebook.db"
    with Gradebook(URL.create("sqlite", database=str(path))) as gradebook:
        for found in gradebook.submission_dicts(sheet.number):
            if found["student"] in graded:
                scores[found["student"]] = found["score"]
    return {"cpu": cpu, "wall": wall, "scores": scores}


def marked(data: bytes, sheet: Sheet) -> bytes:
    """The notebook as it would be had it been released by nbgrader; as it is
    if it was, or if it is no notebook."""
    try:
        notebook = json.loads(data)
        cells = notebook["cells"]
        if any("nbgrader" in cell["metadata"] for cell in cells):
            return data
        mark(cells, sheet)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return data
    return json.dumps(notebook).encode()


def children_seconds() -> float:
    """CPU seconds of all processes started from here that have ended."""
    import resource  # not on Windows

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
