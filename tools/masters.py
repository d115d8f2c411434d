"""Open the masters for the tests: what a grader does, without its sandbox."""

import numpy as np

from attnbook.check.engine import Report, run_checks
from attnbook.check.inprocess import InProcess
from attnbook.grading.course import Course, Sheet
from tools.notebooks import ROOT


def masters() -> list[Sheet]:
    """Every sheet of exercises."""
    return list(Course(ROOT).sheets.values())


def grade(sheet: Sheet, exercise, namespace: dict, seed: int) -> Report:
    """Hidden and visible checks of one exercise, on this namespace."""
    answer = InProcess(namespace, exercise.backend)
    hidden = sheet.hidden.bound(exercise.id, sheet.reference(exercise))
    rng = np.random.default_rng(seed)
    return run_checks(exercise, answer, rng, hidden | exercise.checks)
