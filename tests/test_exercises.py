"""The graders, proved: full marks, no marks, and every known wrong answer."""

import re
from collections import Counter

import pytest

from attnbook.grading.course import run_cells
from attnbook.grading.stubs import BLOCK
from tools.derive import target
from tools.masters import grade, masters
from tools.notebooks import code_cells, read

MASTERS = masters()
EXERCISES = [(m, e) for m in MASTERS for e in m.exercises]
NAMES = [exercise.id for _, exercise in EXERCISES]
SEEDS = (0, 1, 2)


@pytest.mark.parametrize("master, exercise", EXERCISES, ids=NAMES)
def test_solutions_earn_full_marks(master, exercise):
    for seed in SEEDS:
        report = grade(master, exercise, master.answers, seed)
        assert report.score == 1, str(report)


@pytest.mark.parametrize("master", MASTERS, ids=lambda m: m.number)
def test_untouched_stubs_earn_nothing(master):
    student = run_cells(target(master.path))
    for exercise in master.exercises:
        report = grade(master, exercise, student, seed=0)
        assert report.score == 0, str(report)
        assert "Traceback" not in str(report)


@pytest.mark.parametrize("master, exercise", EXERCISES, ids=NAMES)
def test_known_wrong_answers_are_rejected_by_name(master, exercise):
    """By a visible check, for students have no other."""
    missed = {}
    for wrong in master.hidden.wrong_answers:
        if wrong.exercise != exercise.id:
            continue
        # One seed: every hidden check draws three inputs from it.
        report = grade(master, exercise, master.answers | wrong.names, seed=0)
        seen = filter(None, map(report.messages.get, exercise.checks))
        if not any(wrong.says in said for said in seen):
            missed[wrong.label] = str(report)
    assert not missed


def test_enough_exercises_and_wrong_answers():
    wrong = (w for m in MASTERS for w in m.hidden.wrong_answers)
    per_exercise = Counter(w.exercise for w in wrong)
    for master in MASTERS:
        assert 4 <= len(master.exercises) <= 6
        for exercise in master.exercises:
            assert per_exercise[exercise.id] >= 5, exercise.id


@pytest.mark.parametrize("master", MASTERS, ids=lambda m: m.number)
def test_nothing_of_the_solutions_leaks(master):
    """Hints aside, no line of an answer stands in what students get."""
    cells = [c.source for c in read(target(master.path)).cells]
    text = re.sub(r"<details>.*?</details>", "", "\n".join(cells))
    assert "SOLUTION" not in text and "strict" not in text
    squeezed = re.sub(r"\s", "", text)
    lines = [
        re.sub(r"\s", "", line)
        for cell in code_cells(read(master.path))
        for block in BLOCK.findall(cell.source)
        for line in block[1].splitlines()
    ]
    lines = [x.removeprefix("return") for x in lines if len(x) > 14]
    assert len(lines) >= 5
    assert not [x for x in lines if x in squeezed]


@pytest.mark.parametrize("master", MASTERS, ids=lambda m: m.number)
def test_every_exercise_has_hints_stub_check_and_nbgrader_metadata(master):
    cells = read(master.path).cells
    prose = [c.source for c in cells if c.cell_type == "markdown"]
    for exercise in master.exercises:
        letter = exercise.id.split(".")[1]
        text = next(s for s in prose if s.startswith(f"## {letter} "))
        assert text.count("<details>") == 3, exercise.id
        call = f'check("{exercise.id}", strict=True)'
        assert any(c.source == call for c in cells)
    marks = [c.metadata.nbgrader for c in cells if "nbgrader" in c.metadata]
    ids = [m["grade_id"] for m in marks]
    assert len(set(ids)) == len(ids) and {
        m["schema_version"] for m in marks
    } == {3}
    assert sum(m.get("points", 0) for m in marks) >= 10
