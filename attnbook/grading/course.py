"""The instructor's side of a course: masters, references, hidden checks.

Nothing of this module may be imported where a student's code runs.
"""

import functools
import hashlib
import importlib.util
import json
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import ModuleType

from attnbook.check import exercises
from attnbook.check.against import Hidden
from attnbook.check.engine import Answer, Exercise

# Modules that collect, report and hand out: no score depends on them.
AROUND = (
    "batch benchmark cli collect gradebook marks nbgrader_plugin "
    "nbgrader_tools release report stubs"
).split()


class CourseError(Exception):
    """The course is not as it must be; the message says what to do."""


def load_file(path: Path) -> ModuleType:
    """Import a file whose name is no module name, such as 1_1_hidden.py."""
    spec = importlib.util.spec_from_file_location(f"hidden_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells_of(path: Path) -> list[dict]:
    """A trusted notebook's cells, their sources joined."""
    cells = json.loads(path.read_text("utf8"))["cells"]
    return [c | {"source": "".join(c["source"])} for c in cells]


def run_cells(path: Path) -> dict:
    """The names that a trusted notebook defines, its checks not run."""
    namespace = {"__name__": "answers"}
    with redirect_stdout(StringIO()):
        for cell in cells_of(path):
            source = cell["source"]
            if cell["cell_type"] == "code" and not source.startswith("check("):
                exec(compile(source, path.name, "exec"), namespace)
    return namespace


@dataclass
class Sheet:
    """One master notebook with all that the instructor keeps."""

    number: str  # such as "2_1"
    path: Path
    exercises: list[Exercise]
    points: dict[str, float] = field(default_factory=dict)  # by exercise id

    @property
    def stem(self) -> str:
        """2_1_queries_keys_values: what the notebook is called."""
        return self.path.stem

    @functools.cached_property
    def hidden(self) -> Hidden:
        """Hidden checks and known wrong answers."""
        path = self.path.with_name(f"{self.number}_hidden.py")
        return load_file(path).HIDDEN

    @functools.cached_property
    def answers(self) -> dict:
        """The names that the master defines: the reference answers."""
        return run_cells(self.path)

    def reference(self, exercise: Exercise) -> Answer:
        from attnbook.check.inprocess import InProcess  # imports torch: slow

        return InProcess(self.answers, exercise.backend)


class Course:
    """All sheets under ROOT/solutions."""

    def __init__(self, root: Path):
        self.root = Path(root).resolve()
        known = exercises()
        self.sheets: dict[str, Sheet] = {}
        for path in sorted(self.root.glob("solutions/*/*.ipynb")):
            number = "_".join(path.stem.split("_")[:2])
            mine = [e for k, e in known.items() if k.startswith(f"{number}.")]
            sheet = Sheet(number, path, mine, points_of(path))
            self.sheets[number] = sheet
        if not self.sheets:
            raise CourseError(
                f"There are no masters under {self.root}/solutions: run this "
                "in the course's folder, or name that with --course."
            )

    def sheet(self, number: str) -> Sheet:
        if number not in self.sheets:
            known = ", ".join(self.sheets)
            raise CourseError(
                f"There is no exercise sheet {number}; there are: {known}."
            )
        return self.sheets[number]

    def digest(self, numbers) -> str:
        """Of all that decides a score: masters, checks, grader, package."""
        package = Path(__file__).parent.parent
        files = sorted(package.glob("*.py")) + sorted(package.glob("*/*.py"))
        files = [path for path in files if path.stem not in AROUND]
        for number in sorted(numbers):
            path = self.sheet(number).path
            files += [path, path.with_name(f"{number}_hidden.py")]
        total = hashlib.sha256()
        for path in files:
            total.update(path.name.encode() + b"\0" + path.read_bytes())
        return total.hexdigest()[:16]


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


def find_course(start: Path | None = None) -> Path:
    """The course's folder: here, above, or where this package was installed
    from; CourseError if none has solutions/."""
    start = Path(start or Path.cwd()).resolve()
    package = Path(__file__).resolve().parents[2]
    for folder in (start, *start.parents, package):
        if (folder / "solutions").is_dir() and (folder / "exercises").is_dir():
            return folder
    raise CourseError(
        "There is no solutions/ here: run this in the course's folder, or "
        "name that with --course."
    )
