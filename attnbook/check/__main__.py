"""Run a notebook and its visible checks from the command line.

    python -m attnbook.check NOTEBOOK [--exercise 2_3.a ...]

The cells run in this process, beside the checks, and could fool them: this
is for one's own work and records no score. Exit code: 0 only with full marks,
1 without, 2 if there is nothing to check.
"""

import argparse
import json
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib
import numpy as np

from attnbook.check import exercises
from attnbook.check.engine import run_checks
from attnbook.check.inprocess import InProcess

CALL = re.compile(r"^check\([\"']([^\"']+)", re.MULTILINE)
MAGIC = re.compile(r"^[%!].*", re.MULTILINE)


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
        sources = code_cells(options.notebook)
        wanted = options.exercise or checked(sources)
        chosen = [find(name) for name in dict.fromkeys(wanted)]
    except ValueError as error:
        print(f"{options.notebook}: {error}", file=sys.stderr)
        return 2
    matplotlib.use("Agg")  # no window to be closed
    os.chdir(options.notebook.resolve().parent)  # where Jupyter runs it
    namespace = run_cells(sources)
    scores = []
    for exercise in chosen:
        answer = InProcess(namespace, exercise.backend)
        report = run_checks(exercise, answer, np.random.default_rng())
        print(report)
        scores.append(report.score)
    if all(score == 1 for score in scores):
        print("All visible checks passed. A grader has others besides.")
        return 0
    return 1


def code_cells(path: Path) -> list[str]:
    """The sources of the notebook's code cells; ValueError with a sentence
    if there are none to be had."""
    try:
        cells = json.loads(path.read_text("utf-8-sig"))["cells"]
        return [
            "".join(cell["source"])
            for cell in cells
            if cell["cell_type"] == "code"
        ]
    except OSError as error:
        reason = f"it cannot be read ({error.strerror})."
    except (ValueError, LookupError, TypeError, RecursionError):
        reason = "this is no notebook: name the .ipynb file you work in."
    raise ValueError(reason) from None


def checked(sources: list[str]) -> list[str]:
    """The exercises that the notebook's own cells check."""
    found = CALL.findall("\n".join(sources))
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


def run_cells(sources: list[str]) -> dict:
    """The names that the cells define; what fails is said, and passed by.
    Cells that only call check are left out."""
    namespace = {"__name__": "__main__", "display": lambda *args: None}
    sys.path.insert(0, os.getcwd())
    for number, source in enumerate(sources, 1):
        if CALL.match(source):
            continue
        try:
            code = compiled(source, f"<cell {number}>")
            with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
                exec(code, namespace)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            kind = type(error).__name__
            print(f"Code cell {number} ended in {kind}: {error}")
    return namespace


def compiled(source: str, name: str):
    """The cell's code; lines of IPython's magics are left out."""
    try:
        return compile(source, name, "exec")
    except SyntaxError:
        return compile(MAGIC.sub("", source), name, "exec")


if __name__ == "__main__":
    sys.exit(main())
