"""What is said of wrong numbers: a cause first, bare numbers last."""

import tracemalloc
from itertools import cycle

import numpy as np
import pytest
import torch

from attnbook.check import exercises
from attnbook.check.engine import (
    Wrong,
    expect_close,
    expect_gradients,
    expect_same_for_integers,
    expect_shape,
    run_checks,
    shaped,
)
from attnbook.check.inprocess import InProcess

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4, 3)) * 3
P = RNG.dirichlet(np.ones(3), size=4)
FEW = A.copy()
FEW[1, 2, 0] += 1


def said(got, want, **more):
    with pytest.raises(Wrong) as caught:
        expect_close(np.asarray(got), np.asarray(want), "it", **more)
    return caught.value


@pytest.mark.parametrize(
    "got, want, words",
    [
        (2 * A, A, "yours is 2 times the right result"),
        (A / np.log(2), A, "yours is 1.4427 times"),
        (6.0, 3.0, "yours is 2 times"),
        (1.5, 3.0, "yours is 0.5 times"),
        (-A, A, "the sign is the opposite one"),
        (-0.3, 0.3, "the sign is the opposite one"),
        (A + 0.75, A, "yours is the right result plus 0.75"),
        (8, 7.0, "yours is the right result plus 1"),
        (np.abs(A), A, "lost their sign"),
        (np.maximum(A, 0), A, "negative numbers have become 0"),
        (np.rint(A), A, "something is rounded"),
        (A.astype(int) - (A < 0), A, "something is cut off"),
        (1 / A, A, "upside down"),
        (A**2, A, "the square of"),
        (1 - P, P, "1 minus the right one"),
        (np.exp(A), A, "exp of the right one"),
        (A.transpose(1, 0, 2), A, "axes are exchanged"),
        (A[::-1], A, "axis 0 runs backwards"),
        (np.roll(A, 1, axis=1), A, "in a circle along axis 1"),
        (A[[1, 0, 3, 2]], A, "the right numbers, in another order"),
        (np.tile(A[:1], (4, 1, 1)), A, "all the same along axis 0"),
        ([2.0, 2, 2], [2.0, 3, 5], "all your numbers are the same"),
        (
            np.concatenate([A[:1], RNG.normal(size=(3, 4, 3))]),
            A,
            "only the first entry along axis 0 is right",
        ),
        (FEW, A, "all are right but [1, 2, 0] (expected"),
        (A.astype(np.float32) * (1 + 2e-5), A, "right to a few digits only"),
        (A + 1e-5, A, "right to a few digits only"),
        (P * [[2.0, 1, 1]], P, "each row must sum to 1"),
        (
            A.argmax(-1)[..., None] * 0 + np.exp(A) / np.exp(A).sum(1)[:, None],
            np.exp(A) / np.exp(A).sum(-1, keepdims=True),
            "yours sum to 1 along axis 1, the right ones along the last axis",
        ),
        (np.where(A > 1, np.nan, A), A, "nan or infinity"),
        (np.round(A, 2), A, "yours is rounded to 2 decimals"),
        (0.667, 2 / 3, "yours is rounded to 3 decimals"),
        (np.clip(A, -9, 1.5), A, "numbers above 1.5 are cut off"),
        (
            np.clip(A, -1, 1.5),
            A,
            "numbers below -1 and above 1.5 are cut off",
        ),
        (P**2 / (P**2).sum(-1, keepdims=True), P, "scores 2 times as large"),
        ([[0.2, 0.3, 0.5]], [[0.4, 0.6, 0]], "must have no weight has some"),
        ([[0.4, 0.6, 0]], [[0.2, 0.3, 0.5]], "must have weight has none"),
        ([[0.2, 0.3, 0.5]], [[0.6, 0.3, 0.1]], "each row sums to 1, but"),
    ],
)
def test_what_is_seen_of_wrong_numbers(got, want, words):
    assert words in str(said(got, want))


def test_numbers_with_nothing_in_common():
    got = RNG.normal(size=A.shape)
    assert str(said(got, A)).startswith("it: expected ")


@pytest.mark.parametrize(
    "got, want, words",
    [
        (A.transpose(2, 0, 1), A, "the numbers are right, but axes"),
        (np.ones((3, 4)), np.zeros((4, 3)), "axes are exchanged"),
        (A[:, None], A, "an axis of size 1 too many"),
        (A[0], A[:1], "an axis of size 1 too few"),
        (np.ones((4, 4)), np.ones(4), "something was broadcast"),
        (A.reshape(4, 12), A, "as many numbers as asked for"),
        (A.sum(1), A, "an axis is missing"),
        (A[:2], A, "shape (4, 4, 3) expected, yours is (2, 4, 3)."),
    ],
)
def test_what_is_seen_of_another_shape(got, want, words):
    assert words in str(said(got, want))


def test_hidden_checks_say_nothing_of_it():
    for got in (2 * A, A.transpose(1, 0, 2), FEW):
        assert said(got, A).plain == "it: your numbers are not the right ones."
    plain = "it: the shape is not the one that is asked for."
    assert said(A[:, None], A).plain == plain


def test_large_results_are_not_looked_at():
    want = np.arange(200_000.0)
    assert str(said(2 * want, want)).startswith("it: expected ")


def test_a_suspect_comes_first():
    assert str(said(2 * A, A, suspects={"known.": 2 * A})) == "it: known."


def test_single_numbers_are_not_called_multiples():
    for got in (0.37, 5.21):
        assert "times" not in str(said(got, 3.0))


def test_results_in_float32_may_have_its_precision():
    near = (A * (1 + 3e-6)).astype(np.float32)
    expect_close(near, A, "it")
    said(near.astype(float), A)


def test_infinity_may_be_expected():
    expect_close(np.array([1, -np.inf]), [1, -np.inf], "it")
    assert "yours is [1. 2.]" in str(said([1.0, 2], [1.0, np.inf]))
    want = np.append(A, -np.inf)
    assert "at [5]" in str(said(np.where(want == want[5], 99, want), want))


def test_another_shape_is_refused_before_it_is_calculated_with():
    huge = np.broadcast_to(0.0, (10**6, 10**6))  # no memory of its own
    assert "something was broadcast" in str(said(huge, np.zeros(10**6)))
    assert "shape" in str(said(huge, 1.0))
    with pytest.raises(Wrong, match="rows: shape"):
        expect_shape(huge, (3,), "rows")
    assert shaped(A, A.shape) is A
    with pytest.raises(Wrong, match="shape"):
        shaped(A, (4, 4))


def test_a_shape_that_changes_from_call_to_call():
    calls = []

    def f(x):
        calls.append(x)
        return x * 2 if len(calls) < 3 else x[:, None] * 2

    args = {"x": np.ones(3)}
    with pytest.raises(Wrong, match="when called again: shape"):
        expect_gradients(
            InProcess({"f": f}, "torch"), "f", args, np.random.default_rng(0)
        )


def test_an_argument_without_effect():
    args = {"x": np.ones(3), "y": np.ones(3)}
    answer = InProcess({"f": lambda x, y: x * 2 + 0 * y}, "torch")
    with pytest.raises(Wrong, match="y has no effect on the result"):
        expect_gradients(answer, "f", args, np.random.default_rng(0))


def test_gradients_may_be_computed_in_float32():
    """Not in float16, and not from a rounded result."""

    def gradients(f):
        answer = InProcess({"f": f}, "torch")
        args = {"x": np.random.default_rng(1).normal(size=(5, 8))}
        expect_gradients(answer, "f", args, np.random.default_rng(0))

    gradients(lambda x: x.float().softmax(-1) @ x.float().mT)
    with pytest.raises(Wrong, match="is not that of the result"):
        gradients(lambda x: x.float().softmax(-1).detach() @ x.float().mT)
    for less in (lambda x: x.half(), lambda x: x + (x.round() - x).detach()):
        with pytest.raises(Wrong):
            gradients(lambda x, less=less: less(x).softmax(-1))


def test_integers_may_be_refused_but_not_cut_off():
    def of_integers(f):
        answer, whole = InProcess({"f": f}), np.array([3, -1])
        expect_same_for_integers(answer, "f", (whole, 2))

    def into_integers(x, n):
        out = np.zeros_like(x)
        out[:] = x / n
        return out

    of_integers(lambda x, n: x / n)
    of_integers(lambda x, n: torch.from_numpy(x).softmax(-1) * n)
    with pytest.raises(Wrong, match="for arrays of integers"):
        of_integers(into_integers)


class Odd:
    """An answer whose every result has another long shape."""

    def __init__(self, start):
        shapes = [(9000, 1), (1, 9000), (9000,), (1, 1, 9000), (9000, 1, 1)]
        self.shapes = cycle(shapes[start:] + shapes[:start])

    def call(self, name, *args, parts=1):
        results = tuple(np.ones(next(self.shapes)) for _ in range(parts))
        return results if parts > 1 else results[0]

    def vjp(self, name, args, cotangent, parts=1):
        return self.call(name, parts=20)

    def value(self, name):
        return np.ones(3)


@pytest.mark.parametrize("start", range(5))
def test_no_check_broadcasts_one_result_against_another(start):
    """9000 by 9000 numbers would be 648 MB."""
    for exercise in exercises().values():
        tracemalloc.start()
        run_checks(exercise, Odd(start), np.random.default_rng(0))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 200e6, exercise.id
