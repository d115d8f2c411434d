"""Answers through the sandbox: right ones pass, wrong ones say why."""

import json

import pytest

from attnbook.grading.course import Course
from attnbook.grading.grader import Grader
from attnbook.grading.model import Submission
from attnbook.grading.sandbox.process import Sandbox, SandboxError
from tests.needs import skip_without_sandbox
from tools.derive import target
from tools.notebooks import ROOT

COURSE = Course(ROOT)


@pytest.fixture(scope="module")
def grader():
    try:
        with Sandbox() as sandbox:
            yield Grader(COURSE, sandbox, seed=11)
    except SandboxError as error:
        skip_without_sandbox(error)


def grade(grader, number, data):
    return grader.grade(Submission("student", number, "a file", data))


def with_answer(number, letter, source):
    """The solved sheet with another answer to one question."""
    notebook = json.loads(COURSE.sheet(number).path.read_bytes())
    for cell in notebook["cells"]:
        mark = cell["metadata"].get("nbgrader", {})
        if mark.get("grade_id") == f"{number}_{letter}":
            cell["source"] = source
    return json.dumps(notebook).encode()


def question(result, letter):
    return next(q for q in result.questions if q.id.endswith(f".{letter}"))


@pytest.mark.parametrize("number", COURSE.sheets)
def test_solutions_earn_full_marks(grader, number):
    result = grade(grader, number, COURSE.sheet(number).path.read_bytes())
    assert result.points == result.out_of > 0, result
    assert not result.notes


@pytest.mark.parametrize("number", COURSE.sheets)
def test_untouched_sheets_earn_nothing(grader, number):
    path = target(COURSE.sheet(number).path)
    result = grade(grader, number, path.read_bytes())
    assert result.points == 0 and result.state == "graded", result


SOFTMAX_BACKWARD = """
def softmax_backward(a, u):
    return a * (u - (a * u).sum(-1, keepdims=True))
"""
LOOK_BACK = """
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / keys.shape[-1] ** 0.5
    return s.softmax(-1) @ states, s.softmax(-1)
"""
HEADS = """
from torch import nn
class MultiHead(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        for name in ("W_q", "W_k", "W_v", "W_o"):
            value = torch.randn(width, width)
            setattr(self, name, nn.Parameter(value))
    def forward(self, x, attention_mask):
        b, n, w = x.shape
        def split(z):
            return z.view(b, n, self.heads, -1).transpose(1, 2)
        q, k, v = (split(x @ W) for W in (self.W_q, self.W_k, self.W_v))
        s = q @ k.mT / q.shape[-1] ** 0.5
        s = s.masked_fill(~attention_mask[:, None], -torch.inf)
        c = (s.softmax(-1) @ v).transpose(1, 2).reshape(b, n, w)
        return c @ self.W_o
"""
NO_GRADIENT = "is not that of the result: something is detached"


@pytest.mark.parametrize(
    "number, letter, source",
    [
        ("1_2", "b", SOFTMAX_BACKWARD),
        ("1_1", "a", LOOK_BACK),
        ("2_3", "f", HEADS),
    ],
)
def test_other_right_answers_pass(grader, number, letter, source):
    result = grade(grader, number, with_answer(number, letter, source))
    assert result.points == result.out_of, question(result, letter)


@pytest.mark.parametrize(
    "number, letter, source, words",
    [
        ("1_1", "a", LOOK_BACK.replace("/ keys", ".detach() / keys"), "no "),
        (
            "1_2",
            "b",
            "def softmax_backward(a, u):\n    a *= u\n    return a",
            "changes its argument in place",
        ),
        ("1_2", "b", "pass", "does not exist yet"),
        (
            "1_2",
            "b",
            "def softmax_backward(a, u): return [[1]]",
            "(2, 3) expected",
        ),
        ("1_2", "b", "softmax_backward = 3", "is not a function"),
        ("2_3", "f", HEADS.replace("W_o\n", "W_v\n"), "W_o"),
        ("2_3", "f", HEADS.replace("W_o", "W_out"), "Not asked for: W_out"),
        (
            "2_3",
            "f",
            HEADS.replace("W in (", "W in map(torch.detach, (").replace(
                "W_v))\n        s", "W_v)))\n        s"
            ),
            NO_GRADIENT,
        ),
        ("2_3", "f", HEADS.replace("@ self.W_o", "@ self.W_o.data"), "W_o"),
        ("2_3", "f", HEADS.replace("q @ k.mT", "(q @ k.mT).detach()"), "W_q"),
    ],
)
def test_wrong_answers_say_why(grader, number, letter, source, words):
    result = grade(grader, number, with_answer(number, letter, source))
    got = question(result, letter)
    assert got.points < got.out_of
    said = [c.message for c in got.checks if not c.passed and not c.hidden]
    assert any(words in message for message in said), said
    others = [q for q in result.questions if q is not got]
    assert all(q.points == q.out_of for q in others), others


def test_hidden_checks_fail_a_gradient_that_visible_values_hide(grader):
    source = LOOK_BACK.replace("/ keys", ".detach() / keys")
    result = grade(grader, "1_1", with_answer("1_1", "a", source))
    hidden = [c for c in question(result, "a").checks if c.hidden]
    assert [c.passed for c in hidden].count(False) >= 1
    text = " ".join(c.message for c in hidden)
    assert not any(c.isdigit() for c in text.replace("argument 1", "")), text


def test_a_table_of_the_worked_values_earns_nothing(grader):
    """Right on what the visible checks ask, wrong on anything else."""
    source = LOOK_BACK.replace(
        "    s =",
        "    if queries.std() > 0.3 and queries.frac().abs().sum() > 0.01:\n"
        "        states = states * 0\n"
        "    s =",
    )
    result = grade(grader, "1_1", with_answer("1_1", "a", source))
    assert question(result, "a").points == 0, question(result, "a")
