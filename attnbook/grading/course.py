"""The instructor's side of a course: masters, references, hidden checks.

Nothing of this module may be imported where a student's code runs.
"""

import functools
import hashlib
import importlib.util
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import ModuleType

from attnbook.check import exercises
from attnbook.check.against import Hidden
from attnbook.check.engine import Answer, Exercise
from attnbook.errors import AttnbookError
from attnbook.grading.sandbox.withheld import imported_from, stand_in
from attnbook.grading.stubs import student_cells
from attnbook.notebooks.cells import is_check
from attnbook.notebooks.names import (
    number_of,
    sheets_below,
    two_of_one_number,
)

# What collects, reports and hands out: no score depends on it.
AROUND = ("cli.py", "grading/intake/", "grading/output/", "release/")
VISIBLE = re.compile(r"\bex_\d+_\d+\b")  # a module of visible checks


class CourseError(AttnbookError):
    """The course is not as it must be; the message says what to do."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What goes wrong with an instructor's file becomes a CourseError."""
    try:
        yield
    except (CourseError, OSError):
        raise
    except Exception as error:
        first, *_ = str(error).splitlines() or [""]
        raise CourseError(
            f"{path} does not work ({type(error).__name__}: {first}): restore "
            "it with git, or mend it and run it in JupyterLab."
        ) from error


def load_file(path: Path) -> ModuleType:
    """Import a file whose name is no module name, such as 1_1_hidden.py."""
    spec = importlib.util.spec_from_file_location(f"hidden_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells_of(path: Path) -> list[dict]:
    """A trusted notebook's cells, their sources joined; CourseError if the
    file is no notebook."""
    try:
        cells = json.loads(path.read_text("utf8"))["cells"]
        out = [c | {"source": "".join(c["source"])} for c in cells]
        if all(isinstance(cell["metadata"], dict) for cell in out):
            return out
        reason = "a cell has no metadata"
    except OSError as error:
        reason = error.strerror
    except (ValueError, LookupError, TypeError, RecursionError):
        reason = "it is empty, damaged or of another kind"
    raise CourseError(
        f"{path} cannot be read as a notebook ({reason}): restore it with "
        "git, or open and save it in JupyterLab."
    )


def run_cells(path: Path) -> dict:
    """The names that a trusted notebook defines, its checks not run."""
    from attnbook.notebooks.execute import Session  # imports IPython: slow

    code = (c["source"] for c in cells_of(path) if c["cell_type"] == "code")
    with Session("answers") as session, redirect_stdout(StringIO()):
        for number, source in enumerate(code, 1):
            if not is_check(source):
                if error := session.run(number, source).error:
                    raise error
        return dict(session.namespace)


@dataclass
class Sheet:
    """One master notebook with all that the instructor keeps."""

    number: str  # such as "2_1"
    path: Path
    exercises: list[Exercise]

    @functools.cached_property
    def points(self) -> dict[str, float]:
        """By exercise id."""
        with explained(self.path):
            return points_of(self.path)

    @property
    def stem(self) -> str:
        """2_1_queries_keys_values: what the notebook is called."""
        return self.path.stem

    @functools.cached_property
    def hidden(self) -> Hidden:
        """Hidden checks and known wrong answers."""
        path = self.path.with_name(f"{self.number}_hidden.py")
        with explained(path):
            return load_file(path).HIDDEN

    @functools.cached_property
    def answers(self) -> dict:
        """The names that the master defines: the reference answers."""
        with explained(self.path):
            return run_cells(self.path)

    @functools.cached_property
    def withheld(self) -> dict[str, str]:
        """Modules of the package that hold answers, by their file's name:
        what a student's code finds in their place."""
        with explained(self.path):
            cells = student_cells(cells_of(self.path))
            given = [c["source"] for c in cells if c["cell_type"] == "code"]
            return {
                file: stand_in(
                    f"attnbook.{name}",
                    (PACKAGE / file).read_text("utf8"),
                    imported_from(f"attnbook.{name}", given),
                )
                for name in self.hidden.withheld
                for file in [name.replace(".", "/") + ".py"]
            }

    def reference(self, exercise: Exercise) -> Answer:
        from attnbook.check.inprocess import InProcess  # imports torch: slow

        return InProcess(self.answers, exercise.backend)


class Course:
    """All sheets under ROOT/solutions."""

    def __init__(self, root: Path):
        self.root = Path(root).resolve()
        solutions = self.root / "solutions"
        if two := two_of_one_number(solutions):
            first, second = (p.relative_to(self.root) for p in two)
            raise CourseError(
                f"Both {first} and {second} in {self.root} claim to be sheet "
                f"{number_of(first)}: move the one that is not out of "
                "solutions/."
            )
        known = exercises()
        self.sheets: dict[str, Sheet] = {}
        for path in sheets_below(solutions):
            number = number_of(path)
            mine = [e for k, e in known.items() if k.startswith(f"{number}.")]
            self.sheets[number] = Sheet(number, path, mine)
        if not self.sheets:
            raise CourseError(
                f"There are no masters under {self.root}/solutions: name the "
                "course's folder with --course."
            )

    def sheet(self, number: str) -> Sheet:
        if number not in self.sheets:
            known = ", ".join(self.sheets)
            raise CourseError(
                f"There is no exercise sheet {number}; there are: {known}."
            )
        return self.sheets[number]

    def digest(self, number: str) -> str:
        """Of all that decides a score on this sheet: its master's code and
        points, its checks, the package, the grader; not of another sheet's."""
        sheet = self.sheet(number)
        total = self.common.copy()
        for path in checks_of(number, PACKAGE):
            total.update(path.name.encode() + b"\0" + path.read_bytes())
        hidden = sheet.path.with_name(f"{number}_hidden.py")
        code = [
            c["source"]
            for c in cells_of(sheet.path)
            if c["cell_type"] == "code"
        ]
        total.update(json.dumps([sheet.points, code]).encode())
        total.update(hidden.read_bytes())
        return total.hexdigest()[:16]

    @functools.cached_property
    def common(self):
        """The hash of what decides every sheet's scores."""
        return hash_of(
            path
            for path in deciding(PACKAGE)
            if not VISIBLE.fullmatch(path.stem)
        )


PACKAGE = Path(__file__).resolve().parents[1]  # the one that runs


def deciding(package: Path) -> list[Path]:
    """The files of a package on which scores depend."""
    return [
        path
        for path in sorted(package.rglob("*.py"))
        if not path.relative_to(package).as_posix().startswith(AROUND)
    ]


def hash_of(paths: Iterable[Path]):
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total


def checks_of(number: str, package: Path) -> list[Path]:
    """The module of a sheet's visible checks and those that it builds on."""
    found, waiting = {}, [f"ex_{number}"]
    while waiting:
        path = package / "check" / f"{waiting.pop()}.py"
        if path not in found and path.exists():
            found[path] = VISIBLE.findall(path.read_text("utf8"))
            waiting += found[path]
    return sorted(found)


def points_of(path: Path) -> dict[str, float]:
    """Points of each exercise, from the check cells' nbgrader metadata."""
    out = {}
    for cell in cells_of(path):
        mark = cell["metadata"].get("nbgrader", {})
        if mark.get("grade"):
            number, letter = (
                mark["grade_id"].removesuffix("_check").rsplit("_", 1)
            )
            out[f"{number}.{letter}"] = mark["points"]
    return out
