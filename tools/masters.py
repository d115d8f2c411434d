"""Open the masters for the tests: what a grader does, without its sandbox."""

import re
from collections.abc import Iterator

import numpy as np

from attnbook.check.against import WrongAnswer
from attnbook.check.engine import Exercise, Report, run_checks
from attnbook.check.inprocess import InProcess
from attnbook.grading.course import Course, Sheet, cells_of
from attnbook.notebooks.cells import defines
from tools.notebooks import ROOT

MARK = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)


def masters() -> list[Sheet]:
    """Every sheet of exercises."""
    return list(Course(ROOT).sheets.values())


def grade(
    sheet: Sheet, exercise: Exercise, namespace: dict, seed: int
) -> Report:
    """Hidden and visible checks of one exercise, on this namespace."""
    answer = InProcess(namespace, exercise.backend)
    hidden = sheet.hidden.bound(exercise.id, sheet.reference(exercise))
    rng = np.random.default_rng(seed)
    return run_checks(exercise, answer, rng, hidden | exercise.checks)


def wrong_answers(
    sheet: Sheet, exercise: Exercise
) -> Iterator[tuple[WrongAnswer, dict]]:
    """Each known wrong answer to one exercise, with what it defines."""
    source = source_of(sheet, exercise)
    for wrong in sheet.hidden.wrong_answers:
        if wrong.exercise == exercise.id:
            yield wrong, wrong.defined(sheet.answers, source)


def source_of(sheet: Sheet, exercise: Exercise) -> str:
    """The master's code that defines the exercise's names, without marks."""
    code = (
        c["source"] for c in cells_of(sheet.path) if c["cell_type"] == "code"
    )
    pattern = defines(exercise.names)
    return MARK.sub("", "\n\n\n".join(filter(pattern.search, code)))
