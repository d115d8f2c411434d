"""Open a master notebook: its reference answers, its hidden checks."""

import importlib.util
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import ModuleType

import numpy as np

from attnbook.check import exercises
from attnbook.check.against import Hidden
from attnbook.check.engine import Report, run_checks
from attnbook.check.inprocess import InProcess
from tools.notebooks import code_cells, find, number, read


def load_file(path: Path) -> ModuleType:
    """Import a file whose name is no module name, such as 1_1_hidden.py."""
    spec = importlib.util.spec_from_file_location(f"hidden_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_cells(path: Path) -> dict:
    """The names that a notebook's code defines, its checks not run."""
    namespace = {"__name__": "answers"}
    with redirect_stdout(StringIO()):
        for cell in code_cells(read(path)):
            if not cell.source.startswith("check("):
                exec(compile(cell.source, path.name, "exec"), namespace)
    return namespace


@dataclass
class Master:
    """One notebook of exercises with all that the instructor keeps."""

    number: str
    path: Path
    namespace: dict
    hidden: Hidden

    def exercises(self) -> list:
        found = exercises().items()
        return [e for key, e in found if key.startswith(self.number + ".")]

    def grade(self, exercise, namespace: dict, seed: int) -> Report:
        """Hidden and visible checks of one exercise, on this namespace."""
        reference = InProcess(self.namespace, exercise.backend)
        answer = InProcess(namespace, exercise.backend)
        checks = self.hidden.bound(exercise.id, reference) | exercise.checks
        return run_checks(exercise, answer, np.random.default_rng(seed), checks)


def masters() -> list[Master]:
    """Every master notebook, opened."""
    out = []
    for path in find(folders=("solutions",)):
        hidden = load_file(path.with_name(f"{number(path)}_hidden.py")).HIDDEN
        out.append(Master(number(path), path, run_cells(path), hidden))
    return out
