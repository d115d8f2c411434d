"""The same correct notebooks through this grader and through nbgrader."""

import ctypes
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from attnbook.grading.course import Course, CourseError, Sheet

PR_SET_CHILD_SUBREAPER = 36


def benchmark(course: Course, numbers: list[str], count: int, jobs: int) -> str:
    """A Markdown table: seconds per submission, starting up included.

    CPU seconds are those of all processes, wall-clock seconds are divided by
    the number of submissions. nbgrader's row is left out, and says so, where
    it is not installed.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    lines = [
        f"{count} correct submissions a sheet, {jobs} processes "
        "(nbgrader uses one); seconds for one submission:",
        "",
        "| sheet | attnbook, CPU | wall | nbgrader, CPU | wall |",
        "|---|---|---|---|---|",
    ]
    for number in numbers:
        sheet = course.sheet(number)
        cells = [number, *ours(sheet, count, jobs), *theirs(sheet, count)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def notebooks(sheet: Sheet, count: int) -> dict[str, bytes]:
    """As students hand them in: solved, the metadata of nbgrader kept."""
    return {f"student{n:04d}": sheet.path.read_bytes() for n in range(count)}


def ours(sheet: Sheet, count: int, jobs: int) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for student, data in notebooks(sheet, count).items():
            (folder / "in" / f"{student}.ipynb").write_bytes(data)
        command = [sys.executable, "-m", "attnbook.cli", "grade"]
        command += [str(folder / "in"), "--exercise", sheet.number]
        command += ["--out", str(folder / "out"), "--jobs", str(jobs)]
        command += ["--course", str(sheet.path.parents[2])]
        began, before = time.perf_counter(), children_seconds()
        done = subprocess.run(
            command, capture_output=True, encoding="utf8", errors="replace"
        )
        wall = time.perf_counter() - began
        cpu = children_seconds() - before
        if done.returncode:
            raise CourseError(f"The benchmark failed: {done.stderr[-2000:]}")
        full = 0
        for path in folder.glob("out/students/*/*.json"):
            result = json.loads(path.read_text("utf8"))
            full += result["score"] == result["max_score"]
    if full != count:
        raise CourseError(f"Only {full} of {count} got full marks.")
    return [f"{cpu / count:.2f}", f"{wall / count:.2f}"]


def theirs(sheet: Sheet, count: int) -> list[str]:
    if not importlib.util.find_spec("nbgrader"):
        return ["not installed", "-"]
    from attnbook.grading.output.nbgrader_tools import grade_with_nbgrader

    with tempfile.TemporaryDirectory() as name:
        given = notebooks(sheet, count)
        got = grade_with_nbgrader(given, sheet, Path(name))
    full = sum(sheet.points.values())
    if set(got["scores"].values()) != {full}:
        raise CourseError(f"nbgrader gave {got['scores']}, not {full}.")
    return [f"{got['cpu'] / count:.2f}", f"{got['wall'] / count:.2f}"]


def children_seconds() -> float:
    """CPU seconds of all that was started and has ended, orphans too: as
    their subreaper this process inherits them."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
