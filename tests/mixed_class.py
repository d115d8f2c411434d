"""A class of mixed quality, for trying the grader at size.

    python -m tests.mixed_class 500 submissions/

writes so many notebooks for sheet 2_1: solved, solved in part, untouched,
with broken, hanging and crashing cells, and files that are no notebooks.
"""

import json
import sys
from pathlib import Path

import numpy as np

from attnbook.grading.course import Course
from tools.derive import target
from tools.notebooks import ROOT

SHEET = "2_1"
KINDS = {  # share of the class, points that it deserves of 12
    "solved": (0.45, 12),
    "two missing": (0.20, 8),
    "untouched": (0.13, 0),
    "broken cell": (0.08, 10),
    "hangs": (0.04, 10),
    "sleeps": (0.02, 10),
    "exits": (0.04, 12),
    "greedy": (0.02, 10),
    "no notebook": (0.02, None),
}
BREAK = {
    "broken cell": "def needed_score(:",
    "hangs": "def needed_score(*args):\n    while True:\n        pass",
    "sleeps": "import time\ndef needed_score(*args):\n    time.sleep(1000)",
    "exits": "import os\nos._exit(0)",
    "greedy": "import numpy\ndef needed_score(*args):\n"
    "    return numpy.ones((9999, 9999, 99))",
}


def notebook(kind: str) -> bytes:
    """A notebook of this kind; the letter c asks for `needed_score`."""
    path = Course(ROOT).sheet(SHEET).path
    if kind == "untouched":
        return target(path).read_bytes()
    if kind == "no notebook":
        return b"<html>Please log in</html>"
    content = json.loads(path.read_bytes())
    for cell in content["cells"]:
        mark = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if kind == "two missing" and mark in (f"{SHEET}_c", f"{SHEET}_d"):
            cell["source"] = ""
        place = f"{SHEET}_c_check" if kind == "exits" else f"{SHEET}_c"
        if kind in BREAK and mark == place:
            cell["source"] = BREAK[kind]
    return json.dumps(content).encode()


def write_class(folder: Path, count: int) -> dict[str, int | None]:
    """Write `count` notebooks; the points that each student deserves."""
    folder.mkdir(parents=True, exist_ok=True)
    shares = [share for share, _ in KINDS.values()]
    rng = np.random.default_rng(0)
    out = {}
    for number, kind in enumerate(rng.choice(list(KINDS), count, p=shares)):
        student = f"student{number:04d}"
        (folder / f"{student}.ipynb").write_bytes(notebook(str(kind)))
        out[student] = KINDS[str(kind)][1]
    return out


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[1].isdecimal():
        sys.exit("Usage: python -m tests.mixed_class COUNT FOLDER")
    write_class(Path(sys.argv[2]), int(sys.argv[1]))
