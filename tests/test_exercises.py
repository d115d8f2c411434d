"""The graders, proved: full marks, no marks, and every known wrong answer."""

import re
from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from attnbook.check.against import Hidden
from attnbook.check.engine import Exercise, Wrong, run_checks
from attnbook.check.inprocess import InProcess
from attnbook.grading.course import run_cells
from attnbook.grading.stubs import BLOCK
from attnbook.nn.train import count_parameters
from attnbook.nn.transformer import DecoderLayer
from tools.derive import target
from tools.masters import grade, masters, wrong_answers
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
    for wrong, names in wrong_answers(master, exercise):
        # One seed: every hidden check draws three inputs from it.
        report = grade(master, exercise, master.answers | names, seed=0)
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


HALF = "def half(x):\n    return x / 2\n"


def defined_by(base: str | None, *edits) -> list[dict]:
    """What each edit makes of `base`, in a module that knows `two`."""
    hidden = Hidden({"two": 2})
    hidden.mutants("9_9.a", base, list(edits))
    found = hidden.wrong_answers
    return [wrong.defined({"three": 3}, HALF) for wrong in found]


def test_an_edit_of_a_text_is_a_wrong_answer():
    """It may use the master's names and its module's, and defines its own."""
    third = ("/ 2", "/ three", "a third")
    square = ([("/", "**"), ("2", "two")], "a square")
    for base in (None, HALF):
        names = defined_by(base, third, square, ([], "as it stands"))
        assert [list(found) for found in names] == [["half"]] * 3
        assert [found["half"](6) for found in names] == [2, 36, 3]


@pytest.mark.parametrize("old, times", [("x", 2), ("x / 3", 0)])
def test_an_edit_fits_exactly_once(old, times):
    words = f"9_9.a: a third: {old!r} must be found once.*found {times} times"
    with pytest.raises(ValueError, match=words):
        defined_by(HALF, (old, "three", "a third"))


def test_edits_are_made_only_when_wrong_answers_are_asked_for():
    hidden = Hidden()
    hidden.mutants("9_9.a", "no Python", [("never", "found", "so what")])
    assert len(hidden.wrong_answers) == 1


@pytest.mark.parametrize("gradient", [False, True])
def test_agreement_with_the_reference(gradient):
    def pairs(x, y):
        return x * y, x + y

    def other_first(x, y):
        return x * y.detach() if gradient else x - y, x + y

    def case(rng):
        for n in (2, 3):
            yield tuple(rng.normal(size=(2, n)))

    hidden = Hidden()
    how = {"parts": 2, "gradient": gradient, "title": "random"}
    hidden.agrees("9_9.a", "pairs", **how)(case)
    reference = InProcess({"pairs": pairs}, "torch")
    check = hidden.bound("9_9.a", reference)["random"]
    check(reference, np.random.default_rng(0))
    with pytest.raises(Wrong):
        answer = InProcess({"pairs": other_first}, "torch")
        check(answer, np.random.default_rng(0))


def test_a_prediction_is_the_first_check():
    exercise = Exercise("9_9.a", "", ("prediction",), predict=("up", "down"))
    assert list(exercise.checks) == ["you wrote a prediction first"]
    rng = np.random.default_rng(0)
    report = run_checks(exercise, InProcess({"prediction": "up"}), rng)
    assert report.score == 1
    report = run_checks(exercise, InProcess({"prediction": "left"}), rng)
    assert 'set prediction to one of "up", "down".' in str(report)
    report = run_checks(exercise, InProcess({"prediction": None}), rng)
    assert report.not_started


@pytest.mark.parametrize("sizes", [(5, 7, 12, 3, 20), (9, 4, 8, 2, 30)])
def test_the_counts_of_2_5_c_are_those_of_a_decoder_layer(sizes):
    """In the notebook the layer is not there: it would answer c and f."""
    i, j, w, heads, m = sizes
    names = next(x for x in MASTERS if x.number == "2_5").answers
    layer = DecoderLayer(w, heads, m)
    assert names["decoder_parameters"](w, m) == count_parameters(layer)
    with FlopCounterMode(display=False) as counter:
        layer(torch.randn(1, i, w), torch.randn(1, j, w))
    total = counter.get_total_flops()
    assert names["decoder_flops"](i, j, w, m) == total
