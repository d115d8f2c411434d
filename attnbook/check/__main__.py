"""Run a notebook and its visible checks from the command line.

    python -m attnbook.check NOTEBOOK [--exercise 2_3.a ...]

The cells run in this process, beside the checks, and could fool them: this
is for one's own work and records no score. Exit code: 0 only with full marks,
1 without, 2 if there is nothing to check.
"""

import argparse
import io
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib
import numpy as np

from attnbook.check import exercises
from attnbook.check.engine import Exercise, run_checks
from attnbook.check.inprocess import InProcess
from attnbook.console import speak_utf8
from attnbook.notebooks.cells import (
    Cell,
    NotANotebook,
    all_cells,
    checked_in,
    only_checks,
    runnable,
)
from attnbook.notebooks.execute import Session, plain_torch


def main(arguments: list[str] | None = None) -> int:
    """Check the named exercises, or all of the notebook; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m attnbook.check",
        description="Run a notebook's cells, then its visible checks.",
    )
    parser.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    parser.add_argument(
        "--exercise",
        nargs="+",
        metavar="ID",
        help="such as 2_3.a; default: all that the notebook checks",
    )
    options = parser.parse_args(arguments)
    try:
        cells = cells_in(options.notebook)
        wanted = options.exercise or checked(cells)
        chosen = [find(name) for name in dict.fromkeys(wanted)]
    except ValueError as error:
        print(f"{options.notebook}: {error}", file=sys.stderr)
        return 2
    matplotlib.use("Agg")  # no window to be closed
    os.chdir(options.notebook.resolve().parent)  # where Jupyter runs it
    names = [name for exercise in chosen for name in exercise.names]
    with Session() as session:
        run_cells(session, runnable(cells, names))
        scores = [score(session, exercise) for exercise in chosen]
    if all(score == 1 for score in scores):
        print("All visible checks passed. A grader has others besides.")
        return 0
    return 1


def cells_in(path: Path) -> list[Cell]:
    """The notebook's cells; ValueError with a sentence if there are none to
    be had."""
    try:
        return all_cells(path.read_bytes())
    except OSError as error:
        reason = f"it cannot be read ({error.strerror})."
    except NotANotebook as sentence:
        reason = str(sentence)
    raise ValueError(reason) from None


def checked(cells: list[Cell]) -> list[str]:
    """The exercises that the notebook's own cells check."""
    code = "\n".join(cell.source for cell in cells if cell.kind == "code")
    found = checked_in(code, comments=False)
    if not found:
        raise ValueError(
            "no cell of it calls check: name the exercise, such as "
            "--exercise 2_3.a."
        )
    return found


def find(name: str):
    known = exercises()
    if name not in known:
        raise ValueError(
            f"there is no exercise {name}; there are: "
            f"{', '.join(sorted(known))}."
        )
    return known[name]


def run_cells(session: Session, cells: list[Cell]) -> None:
    """Run them; what fails is said, and passed by. Cells that only call check
    are left out."""
    plain_torch()
    sys.path.insert(0, "")  # the notebook's folder
    for number, cell in enumerate(cells, 1):
        if only_checks(cell.source):
            continue
        if cell.kind != "code":
            print(f"Cell {number} is a {cell.kind} cell; it was run as code.")
        with redirect_stdout(io.StringIO()):
            outcome = session.run(number, cell.source)
        for text in outcome.said:
            print(f"Code cell {number}: {text}")
        if isinstance(outcome.error, KeyboardInterrupt):
            raise KeyboardInterrupt
        if outcome.error:
            kind = type(outcome.error).__name__
            print(f"Code cell {number} ended in {kind}: {outcome.text}")


def score(session: Session, exercise: Exercise) -> float:
    """Print what the visible checks say; the share of them that passed."""
    answer = InProcess(session.namespace, exercise.backend)
    report = run_checks(exercise, answer, np.random.default_rng())
    print(report)
    return report.score


if __name__ == "__main__":
    speak_utf8()
    sys.exit(main())
