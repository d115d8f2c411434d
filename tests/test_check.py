"""What `check` says, to whom and how fast."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from attnbook.check import check, exercises
from attnbook.check.engine import Exercise, Wrong, expect_close, run_checks
from attnbook.check.inprocess import InProcess
from tools.notebooks import ROOT


def said(capsys, exercise, **namespace):
    check(exercise, namespace)
    return capsys.readouterr().out


def test_unknown_exercise(capsys):
    out = said(capsys, "9_9.z")
    assert out.startswith("There is no exercise '9_9.z'. There are: 1_1.a")


def test_cell_not_run_yet(capsys):
    out = said(capsys, "1_2.a")
    assert "not started" in out and "run the cell that defines it" in out


def test_stub_not_filled(capsys):
    def softmax_at(scores, temperature):
        raise NotImplementedError

    out = said(capsys, "1_2.a", softmax_at=softmax_at)
    assert "Write the body of `softmax_at`" in out and "Traceback" not in out


def test_torchs_own_not_implemented_error_is_no_stub(capsys):
    def last_states(states, lengths):
        return states[torch.softmax(lengths, 0)]

    out = said(capsys, "1_1.d", last_states=last_states)
    assert "last_states raised NotImplementedError" in out


def test_strict_takes_points_away_by_raising(capsys):
    def wrong(gap, weight):
        return 0.0

    with pytest.raises(AssertionError, match="not all checks passed"):
        check("1_2.c", {"temperature_for": wrong}, strict=True)


def test_variable_not_set(capsys):
    out = said(capsys, "1_1.e", prediction=None, simulate=lambda *a: 0.0)
    assert "Give `prediction` a value" in out
    assert "WRONG a simulation agrees" in out  # and the rest was checked


def test_a_list_instead_of_a_word(capsys):
    out = said(capsys, "1_1.e", prediction=["same"], simulate=lambda *a: 0.5)
    assert 'set prediction to one of "first", "last", "same"' in out


def test_a_float32_tensor_gets_a_hint(capsys):
    def last_states(states, lengths):
        return torch.ones(states.shape[0], states.shape[1]) @ states

    out = said(capsys, "1_1.d", last_states=last_states)
    assert "The check's tensors are float64" in out


def test_a_rounded_result_shows_its_digits(capsys):
    def temperature_for(gap, weight):
        return round(gap / np.log(weight / (1 - weight)), 4)

    out = said(capsys, "1_2.c", temperature_for=temperature_for)
    assert "expected 0.455119613, yours is 0.4551" in out


def test_a_list_of_two_tensors_counts_as_two_results(capsys):
    def look_back_many(q, k, h):
        a = (q @ k.mT / k.shape[-1] ** 0.5).softmax(-1)
        return [a @ h, a]

    out = said(capsys, "1_1.a", look_back_many=look_back_many)
    assert "4 of 4 checks passed" in out


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda s, t: 1 / 0, "softmax_at raised ZeroDivisionError"),
        (lambda s, t: None, "did you forget `return`?"),
        (lambda s, t: {0: s}, "gives a dict: an array is expected"),
        (lambda s: s, "softmax_at raised TypeError"),
        (lambda s, t: s[:1], "shape (2, 3) expected, yours is (1, 3)"),
        (lambda s, t: s * np.nan, "holds nan or infinity"),
        (lambda s, t: s.astype(str), "numbers expected"),
        (3, "is not a function any more"),
    ],
)
def test_broken_answers_get_a_sentence(capsys, answer, words):
    assert words in said(capsys, "1_2.a", softmax_at=answer)


def test_argument_changed_in_place(capsys):
    def softmax_at(scores, temperature):
        scores -= scores.max(axis=-1, keepdims=True)
        e = np.exp(scores / temperature)
        return e / e.sum(axis=-1, keepdims=True)

    out = said(capsys, "1_2.a", softmax_at=softmax_at)
    assert "changes its argument in place" in out


def test_one_failure_stops_no_other_check():
    exercise = Exercise("0_0.a", "two checks", ("f",))

    @exercise.check("fails")
    def fails(answer, rng):
        raise Wrong("no")

    @exercise.check("passes")
    def passes(answer, rng):
        expect_close(answer.call("f", np.ones(2)), [1, 1], "ones")

    answer = InProcess({"f": lambda x: x})
    report = run_checks(exercise, answer, np.random.default_rng(0))
    assert report.messages == {"fails": "no", "passes": None}
    assert report.score == 0.5
    exercise.all_or_nothing = True
    assert report.score == 0


def test_a_plain_python_file(tmp_path):
    file = tmp_path / "answer.py"
    file.write_text(
        "from attnbook.check import check\n"
        "def temperature_for(gap, weight):\n    return gap / weight\n"
        'check("1_2.c")\n'
    )
    run = subprocess.run([sys.executable, file], capture_output=True, text=True)
    assert "1_2.c How cold for 90 %?: 1 of 3 checks passed" in run.stdout
    assert run.returncode == 0 and not run.stderr


def test_the_example_in_how_to_use_is_what_check_says(capsys):
    def softmax_at(scores, temperature):
        e = np.exp(scores / temperature)
        return e / e.sum(axis=-1, keepdims=True)

    page = (ROOT / "book" / "how_to_use.md").read_text("utf8")
    for line in said(capsys, "1_2.a", softmax_at=softmax_at).splitlines():
        assert line in page


def test_every_check_answers_within_a_second(capsys):
    from tools.masters import masters

    for master in masters():
        answers = master.answers
        for exercise in master.exercises:
            start = time.process_time()
            check(exercise.id, answers)
            assert time.process_time() - start < 1, exercise.id
            assert "WRONG" not in capsys.readouterr().out
    assert len(exercises()) >= 10
