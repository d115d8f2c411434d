"""A check of an nn.Module: the weights go in, values and gradients come out."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from attnbook.check.engine import (
    Exercise,
    Module,
    NotStarted,
    Wrong,
    expect_gradients,
    run_checks,
)
from attnbook.check.inprocess import InProcess

LINE = Module("Line", (3, 2), ("W", "b"))
W, B = np.arange(6.0).reshape(3, 2) - 2, np.array([0.5, -1])
X = np.array([[1.0, 2, 3], [0, 1, -1], [4, 0, 2], [1, 1, 1]])


class Line(nn.Module):
    """x W + b; the answers below differ from it in one step."""

    def __init__(self, inside, outside):
        super().__init__()
        self.W = nn.Parameter(torch.randn(inside, outside))
        self.b = nn.Parameter(torch.zeros(outside))

    def forward(self, x):
        return x @ self.W + self.b


def answer(kind):
    return InProcess({"Line": kind}, "torch")


def message(kind, *args, wanted=LINE):
    """What `call` says of a wrong answer."""
    with pytest.raises(Wrong) as caught:
        answer(kind).call(wanted, *(args or (W, B, X)))
    return str(caught.value)


def lost(kind):
    """What the gradient check says of a wrong answer whose values are right."""
    np.testing.assert_allclose(answer(kind).call(LINE, W, B, X), X @ W + B)
    args = {"W": W, "b": B, "x": X}
    with pytest.raises(Wrong) as caught:
        expect_gradients(answer(kind), LINE, args, np.random.default_rng(0))
    return str(caught.value)


def with_init(change):
    """Line, and then change(self) at the end of its constructor."""

    class Changed(Line):
        def __init__(self, inside, outside):
            super().__init__(inside, outside)
            change(self)

    return Changed


def with_forward(rule):
    """Line, its forward replaced."""

    class Changed(Line):
        forward = rule

    return Changed


# --- right answers -----------------------------------------------------------


def test_values_and_gradients_are_those_of_the_weights_sent_in():
    out = answer(Line).call(LINE, W, B, X)
    np.testing.assert_allclose(out, X @ W + B)
    u = np.random.default_rng(0).normal(size=out.shape)
    got = answer(Line).vjp(LINE, (W, B, X), u)
    want = X.T @ u, u.sum(axis=0), u @ W.T
    for mine, other in zip(got, want, strict=True):
        np.testing.assert_allclose(mine, other)


def test_gradients_agree_with_small_steps():
    args = {"W": W, "b": B, "x": X}
    expect_gradients(answer(Line), LINE, args, np.random.default_rng(0))


def test_the_order_is_that_of_the_check_not_of_the_class():
    turned = Module("Line", (3, 2), ("b", "W"))
    out = answer(Line).call(turned, B, W, X)
    np.testing.assert_allclose(out, X @ W + B)
    to_b, to_W, to_x = answer(Line).vjp(turned, (B, W, X), np.ones((4, 2)))
    assert (to_b.shape, to_W.shape, to_x.shape) == ((2,), (3, 2), (4, 3))


def test_parameters_of_modules_inside_have_a_point_in_their_name():
    class Deep(nn.Module):
        def __init__(self, inside, outside):
            super().__init__()
            self.map = nn.Linear(inside, outside)

        def forward(self, x):
            return self.map(x)

    deep = Module("Line", (3, 2), ("map.weight", "map.bias"))
    out = answer(Deep).call(deep, W.T, B, X)
    np.testing.assert_allclose(out, X @ W + B)


def test_several_results():
    def rule(self, x):
        return x @ self.W, self.b + 1

    kind = with_forward(rule)
    first, second = answer(kind).call(LINE, W, B, X, parts=2)
    np.testing.assert_allclose(first, X @ W)
    np.testing.assert_allclose(second, B + 1)
    as_list = with_forward(lambda self, x: list(rule(self, x)))
    assert len(answer(as_list).call(LINE, W, B, X, parts=2)) == 2
    u = np.ones(4 * 2 + 2)
    to_W, to_b, _ = answer(kind).vjp(LINE, (W, B, X), u, parts=2)
    np.testing.assert_allclose(to_b, [1, 1])
    np.testing.assert_allclose(to_W, X.T @ np.ones((4, 2)))
    to_W, to_b, _ = answer(kind).vjp(LINE, (W, B, X), np.ones((4, 2)))
    np.testing.assert_allclose(to_b, 0)  # not in the first result


@pytest.mark.parametrize("kept", [torch.float32, torch.float64, torch.bool])
def test_buffers_of_any_type(kept):
    kind = with_init(
        lambda self: self.register_buffer("scale", torch.ones(2, dtype=kept))
    )
    kind.forward = lambda self, x: x @ self.W + self.b * self.scale
    np.testing.assert_allclose(answer(kind).call(LINE, W, B, X), X @ W + B)


def test_tensors_made_on_the_way_are_float64():
    kind = with_init(lambda self: setattr(self, "one", torch.eye(2)))
    kind.forward = lambda self, x: torch.eye(len(x)) @ x @ self.W @ self.one
    np.testing.assert_allclose(answer(kind).call(LINE, W, B, X), X @ W)
    assert torch.get_default_dtype() == torch.float32


def test_the_default_type_comes_back_after_an_error():
    message(with_forward(lambda self, x: 1 / 0))
    message(with_init(lambda self: 1 / 0))
    assert torch.get_default_dtype() == torch.float32


def test_parameters_may_stand_in_a_list_too():
    kind = with_init(lambda self: setattr(self, "both", [self.W, self.b]))
    kind.forward = lambda self, x: x @ self.both[0] + self.both[1]
    args = {"W": W, "b": B, "x": X}
    np.testing.assert_allclose(answer(kind).call(LINE, W, B, X), X @ W + B)
    expect_gradients(answer(kind), LINE, args, np.random.default_rng(0))


def test_dropout_is_off():
    kind = with_init(lambda self: setattr(self, "drop", nn.Dropout(0.5)))
    kind.forward = lambda self, x: self.drop(x @ self.W + self.b)
    np.testing.assert_allclose(answer(kind).call(LINE, W, B, X), X @ W + B)


def test_gradients_switched_off_in_some_cell():
    with torch.no_grad():
        to_W, _, _ = answer(Line).vjp(LINE, (W, B, X), np.ones((4, 2)))
    np.testing.assert_allclose(to_W, X.T @ np.ones((4, 2)))


# --- not started -------------------------------------------------------------


def stub(*args):
    raise NotImplementedError("write this body")


@pytest.mark.parametrize(
    "kind, words",
    [
        (with_init(stub), "Write the body of `Line.__init__`"),
        (with_forward(stub), "Write the body of `Line.forward`"),
    ],
)
def test_a_stub_is_not_started(kind, words):
    with pytest.raises(NotStarted, match=words):
        answer(kind).call(LINE, W, B, X)
    with pytest.raises(NotStarted, match=words):
        answer(kind).vjp(LINE, (W, B, X), np.ones((4, 2)))
    exercise = Exercise("0_0.a", "a line", ("Line",), "torch")

    @exercise.check("values")
    def values(answer, rng):
        answer.call(LINE, W, B, X)

    report = run_checks(exercise, answer(kind), np.random.default_rng(0))
    assert report.not_started and report.score == 0


def test_a_class_that_is_not_there():
    with pytest.raises(NotStarted, match="`Line` does not exist yet"):
        InProcess({}, "torch").call(LINE, W, B, X)


# --- no module, no constructor -----------------------------------------------


@pytest.mark.parametrize(
    "kind, words",
    [
        (lambda *args: None, "must be a class derived from nn.Module"),
        (Line(3, 2), "must be a class derived from nn.Module"),
        (dict, "must be a class derived from nn.Module"),
        (type("Line", (nn.Module,), {}), "has no method called forward"),
        (
            with_init(lambda self: 1 / 0),
            "Line(3, 2) raised ZeroDivisionError: division by zero",
        ),
        (
            type("L", (Line,), {"__init__": lambda self: None}),
            "Line(3, 2) raised TypeError",
        ),
        (
            type("L", (Line,), {"__init__": lambda self, i, o: None}),
            "Line.__init__ must begin: super().__init__().",
        ),
    ],
)
def test_what_cannot_be_built(kind, words):
    said = message(kind)
    assert words in said and "Traceback" not in said


def test_super_init_forgotten():
    class Hasty(Line):
        def __init__(self, inside, outside):
            self.W = nn.Parameter(torch.zeros(inside, outside))

    assert "before Module.__init__() call" in message(Hasty)


def test_torchs_own_not_implemented_error_is_no_stub():
    kind = with_init(lambda self: torch.softmax(torch.arange(3), 0))
    assert "Line(3, 2) raised NotImplementedError" in message(kind)


# --- parameters --------------------------------------------------------------


def renamed(self):
    self.weight = self.W
    del self.W


def in_a(container):
    def change(self):
        W, b = self.W, self.b
        del self.W, self.b
        self.maps = container(W, b)

    return change


def instead(make):
    def change(self):
        value = make(self)
        del self.W
        self.W = value

    return change


def as_buffer(self):
    W = self.W.detach()
    del self.W
    self.register_buffer("W", W)


MUST = "the parameters of Line must be W, b, and no others."


@pytest.mark.parametrize(
    "change, words",
    [
        (renamed, "W is missing. Not asked for: weight."),
        (lambda self: delattr(self, "b"), "b is missing."),
        (
            lambda self: setattr(self, "c", nn.Parameter(torch.ones(1))),
            "Not asked for: c.",
        ),
        (
            lambda self: setattr(self, "norm", nn.LayerNorm(2)),
            "Not asked for: norm.weight, norm.bias.",
        ),
        (
            instead(lambda self: nn.Linear(3, 2, bias=False)),
            "self.W is an object of type Linear, not an nn.Parameter. "
            "Not asked for: W.weight.",
        ),
        (instead(lambda self: torch.zeros(3, 2)), "self.W is a plain tensor"),
        (instead(lambda self: self.W * 1), "self.W is a plain tensor"),
        (as_buffer, "self.W is a buffer, not an nn.Parameter."),
        (instead(lambda self: None), "W is missing."),
        (
            in_a(lambda *both: list(both)),
            "W is missing. b is missing. Parameters in a list, as in "
            "self.maps, are not found",
        ),
        (in_a(lambda *both: both), "in a tuple, as in self.maps"),
        (in_a(lambda W, b: {"W": W, "b": b}), "in a dict, as in self.maps"),
        (in_a(lambda W, b: [{"W": W}, b]), "in a list, as in self.maps"),
        (in_a(lambda W, b: [nn.Linear(3, 2)]), "in a list, as in self.maps"),
        (
            in_a(lambda *both: nn.ParameterList(both)),
            "Not asked for: maps.0, maps.1.",
        ),
    ],
)
def test_parameters_with_other_names(change, words):
    said = message(with_init(change))
    assert said.startswith(MUST) and words in said


def test_no_parameters_at_all():
    class Empty(nn.Module):
        def forward(self, x):
            return x

    empty = Module("Line", (), ("W", "b"))
    said = message(Empty, wanted=empty)
    assert said == f"{MUST} W is missing. b is missing."


@pytest.mark.parametrize(
    "value, words",
    [
        (torch.zeros(2, 3), "must have shape (3, 2), yours has (2, 3)"),
        (torch.zeros(3), "must have shape (3, 2), yours has (3,)"),
        (torch.zeros(1, 2), "must have shape (3, 2), yours has (1, 2)"),
    ],
)
def test_a_parameter_of_another_shape(value, words):
    kind = with_init(lambda self: setattr(self, "W", nn.Parameter(value)))
    assert f"Line: the parameter W {words}" in message(kind)
    with pytest.raises(Wrong, match="the parameter W must have shape"):
        answer(kind).vjp(LINE, (W, B, X), np.ones((4, 2)))


def test_one_parameter_under_two_names():
    def tie(self):
        del self.b
        self.V = self.W

    square = Module("Line", (2, 2), ("W", "V"))
    args = np.eye(2), np.eye(2), np.ones((1, 2))
    said = message(with_init(tie), *args, wanted=square)
    assert "W and V are one and the same nn.Parameter" in said


def test_a_frozen_parameter():
    kind = with_init(lambda self: self.W.requires_grad_(False))
    assert "W has requires_grad=False; it would never be" in message(kind)


@pytest.mark.parametrize(
    "make",
    [
        lambda self: torch.cat([self.W, self.b[None]]),
        lambda self: [torch.cat([self.W, self.b[None]])],
        lambda self: {"all": self.W + 0},
    ],
)
def test_computed_in_the_constructor(make):
    kind = with_init(lambda self: setattr(self, "all", make(self)))
    said = message(kind)
    assert "self.all is computed from the parameters in __init__" in said


def test_computed_in_the_constructor_and_kept_as_a_buffer():
    kind = with_init(lambda self: self.register_buffer("all", self.W * 2))
    assert "self.all is computed from the parameters" in message(kind)


def test_a_view_made_in_the_constructor_sees_the_weights_that_come_later():
    kind = with_init(lambda self: setattr(self, "turned", self.W.data.T))
    kind.forward = lambda self, x: x @ self.turned.T + self.b
    assert "the gradient of W, x is not" not in lost(kind)
    assert "the gradient of W is not" in lost(kind)


# --- forward -----------------------------------------------------------------


@pytest.mark.parametrize(
    "rule, words",
    [
        (lambda self: 0, "Line raised TypeError"),
        (lambda self, x: None, "Line returns None: did you forget `return`?"),
        (lambda self, x: (x, x), "Line: return one array, not a tuple"),
        (lambda self, x: "x", "gives a str: an array is expected"),
        (
            lambda self, x: x @ self.W.T,
            "(arguments: (4, 3)).",
        ),
        (
            lambda self, x: x.float() @ self.W,
            "The check's tensors are float64",
        ),
        (
            lambda self, x: self.W.data.mul_(2) and x,
            "raised RuntimeError",
        ),
    ],
)
def test_a_forward_that_fails_gets_a_sentence(rule, words):
    said = message(with_forward(rule))
    assert words in said and "Traceback" not in said


def double_data(self, x):
    self.W.data *= 2
    return x @ self.W / 2 + self.b


def double_without_grad(self, x):
    with torch.no_grad():
        self.W *= 2
    return x @ self.W / 2 + self.b


def double_in_place(self, x):
    self.W *= 2
    return x @ self.W / 2 + self.b


def double_x(self, x):
    x *= 2
    return x @ self.W / 2 + self.b


@pytest.mark.parametrize(
    "rule, words",
    [
        (double_data, "Line changes its parameter W in forward"),
        (double_without_grad, "Line changes its parameter W in forward"),
        (double_in_place, "Line changes its argument in place, or a parameter"),
        (double_x, "Line changes its argument in place"),
    ],
)
def test_what_is_changed_in_place_is_named(rule, words):
    assert words in message(with_forward(rule))


# --- wrong by gradient only --------------------------------------------------


@torch.no_grad()
def no_grad(self, x):
    return x @ self.W + self.b


def no_grad_inside(self, x):
    with torch.no_grad():
        y = x @ self.W
    return y + self.b


@pytest.mark.parametrize(
    "rule, words",
    [
        (lambda self, x: x @ self.W.detach() + self.b, "gradient of W is not"),
        (lambda self, x: x @ self.W.data + self.b, "gradient of W is not"),
        (lambda self, x: x @ self.W + self.b.data, "gradient of b is not"),
        (lambda self, x: x.detach() @ self.W + self.b, "gradient of x is not"),
        (no_grad_inside, "gradient of W, x is not"),
        (no_grad, "no gradient flows through Line"),
        (
            lambda self, x: F.linear(x, self.W.clone().detach().T, self.b),
            "gradient of W is not",
        ),
        (
            lambda self, x: F.linear(
                x, torch.tensor(self.W.tolist()).T, self.b
            ),
            "gradient of W is not",
        ),
    ],
)
def test_weights_that_could_not_be_learned(rule, words):
    assert words in lost(with_forward(rule))
