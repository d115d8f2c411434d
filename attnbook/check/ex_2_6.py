"""Visible checks of chapter 2.6's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    shaped,
)

BLOCK = Exercise("2_6.a", "One block of keys", ("add_block",), "torch")
CONV = Exercise("2_6.b", "A dilated convolution", ("dilated_convolution",))
SQUARE = Exercise(
    "2_6.c", "Where the square takes over", ("square_takes_over",)
)
LAST = Exercise(
    "2_6.d", "The gradient that stopped", ("last_state",), "torch", True
)
POWER = Exercise(
    "2_6.e",
    "A power of the radius",
    ("share_left", "prediction"),
    predict=("half", "square", "same"),
)
EXERCISES = [BLOCK, CONV, SQUARE, LAST, POWER]

LN2 = np.log(2.0)


def empty(i, e):
    """Total, norm and top before the first block."""
    return np.zeros((i, e)), np.zeros(i), np.full(i, -np.inf)


def two_queries():
    """d = 4, e = 5: scores (ln 2, ln 4, ln 8) and (ln 16, ln 2, ln 2)."""
    q, k = np.zeros((2, 4)), np.zeros((3, 4))
    q[0, 0] = q[1, 1] = 2.0
    k[:, :2] = np.array([[1, 4], [2, 1], [3, 1]]) * LN2
    return q, k, np.eye(3, 5)


@BLOCK.check("the first block, by hand")
def first_block(answer, rng):
    q, k, v = two_queries()
    # exp(s - m): (1/4, 1/2, 1) and (1, 1/8, 1/8); v picks them out.
    terms = np.array([[0.25, 0.5, 1], [1, 0.125, 0.125]])
    total, norm, top = answer.call("add_block", q, k, v, *empty(2, 5), parts=3)
    tops = np.array([3, 4]) * LN2
    swapped = norm.shape == (2,) and np.allclose(norm, tops)
    if total.shape != (2, 5) or swapped:
        raise Wrong("return total, norm and top, in this order.")
    shaped(norm, (2,), "norm")
    shaped(top, (2,), "top")
    if not np.isfinite(total).all() or not np.isfinite(norm).all():
        raise Wrong(
            "nan or infinity: before the first block top is -infinity, and "
            "the factor of the old terms, exp(old top - new top), is 0; is "
            "yours upside down?"
        )
    expect_close(
        top,
        tops,
        "top",
        {
            "the scores are not divided by sqrt(d).": 2 * tops,
            "the scores are divided by d, not by sqrt(d).": tops / 2,
            "the scores are divided by the root of the values' width e; the "
            "dot product runs over d.": 2 * tops / 5**0.5,
            "that is the largest score of the whole block; each query has "
            "its own.": [4 * LN2, 4 * LN2],
            "that is the smallest score; the largest keeps exp from "
            "overflowing.": [LN2, LN2],
            "that is 0, not the largest score.": [0, 0],
            "that is still the top before this block.": [-np.inf, -np.inf],
        },
    )
    expect_close(
        norm,
        terms.sum(1),
        "norm",
        {
            "the largest score is not subtracted before exp.": [14, 20],
            "that is after division: the norm is the sum itself.": [1, 1],
            "the exponentials are divided by sums over the queries; nothing "
            "runs over the queries here.": [71 / 45, 64 / 45],
        },
    )
    want = np.concatenate([terms, np.zeros((2, 2))], axis=1)
    expect_close(
        total,
        want,
        "total",
        {
            "divide by the norm at the end only, after the last block.": want
            / terms.sum(1)[:, None],
            "the largest score is not subtracted before exp.": want
            * np.array([[8], [16]]),
        },
    )


@BLOCK.check("a second block with a larger score")
def rescales(answer, rng):
    # One query of width 4, one key: score ln 8 after a top of ln 2. The old
    # terms shrink by 2/8; the new term is 1.
    q, k, v = np.full((1, 4), 1.0), np.full((1, 4), 1.5 * LN2), np.ones((1, 2))
    before = np.array([[4.0, 8.0]]), np.array([12.0]), np.array([LN2])
    total, norm, top = answer.call("add_block", q, k, v, *before, parts=3)
    expect_close(top, [3 * LN2], "top", {"the old top stays smaller.": [LN2]})
    expect_close(
        norm,
        [4.0],
        "norm",
        {
            "the old norm is not corrected for the new top.": [13],
            "the factor is upside down: the old terms shrink.": [49],
            "the factor is exp(old top - new top), once.": [1.75],
            "the old norm is forgotten.": [1],
        },
    )
    expect_close(
        total,
        [[2.0, 3.0]],
        "total",
        {
            "the old total is not corrected for the new top.": [[5, 9]],
            "the factor is upside down: the old terms shrink.": [[17, 33]],
            "the old total is forgotten.": [[1, 1]],
            "divide by the norm at the end only, after the last block.": [
                [0.5, 0.75]
            ],
        },
    )


@BLOCK.check("a second block with smaller scores")
def keeps_top(answer, rng):
    q, k, v = np.full((1, 4), 1.0), np.full((1, 4), 0.5 * LN2), np.ones((1, 2))
    before = np.array([[4.0, 8.0]]), np.array([12.0]), np.array([3 * LN2])
    total, norm, top = answer.call("add_block", q, k, v, *before, parts=3)
    expect_close(
        top,
        [3 * LN2],
        "top",
        {"that is this block's largest score, not the largest so far.": [LN2]},
    )
    expect_close(norm, [12.25], "norm (the old terms stay, the new is 1/4)")
    expect_close(total, [[4.25, 8.25]], "total")


@BLOCK.check("scores of a thousand")
def survives(answer, rng):
    q, k = np.full((1, 4), 10.0), np.full((2, 4), 50.0)
    before = *empty(1, 3)[:2], np.array([900.0])
    total, norm, _ = answer.call(
        "add_block", q, k, np.eye(2, 3), *before, parts=3
    )
    if not np.isfinite(norm).all() or not np.isfinite(total).all():
        raise Wrong(
            "scores of 1,000 overflow: subtract the largest score before exp."
        )
    expect_close(norm, [2.0], "norm")
    expect_close(total, [[1.0, 1, 0]], "total")
    # d = 3: scores -1000 and -1000 - ln 3, the first of all.
    q, k = np.zeros((1, 3)), np.zeros((2, 3))
    q[0, 1], k[:, 1] = -(3**0.5), [1000, 1000 + np.log(3)]
    total, norm, top = answer.call(
        "add_block", q, k, -np.eye(2, 3), *empty(1, 3), parts=3
    )
    # Old terms that are 2000 lower, and no old terms, leave the same.
    low = np.ones((1, 3)), np.ones(1), np.array([-3000.0])
    after = answer.call("add_block", q, k, -np.eye(2, 3), *low, parts=3)
    said = "top starts at 0, or does not fall below it: all terms vanish when "
    said += "every score is far below. Before the first block it is -infinity."
    whole = "the root of d is cut to a whole number."
    suspects = {said: [0.0], whole: [-1000 * 3**0.5]}
    expect_close(top, [-1000.0], "top of scores near -1000, d = 3", suspects)
    what = "norm of scores near -1000"
    expect_close(norm, [4 / 3], what, {said: [0.0]}, tolerance=1e-4)
    what = "total of scores near -1000, negative values"
    want, none = [[-1.0, -1 / 3, 0]], np.zeros((1, 3))
    expect_close(total, want, what, {said: none}, tolerance=1e-4)
    what = "of the same block after one with scores 2,000 lower"
    expect_close(after[1], norm, f"norm {what}")
    expect_close(after[0], total, f"total {what}")
    far_apart(answer)


def far_apart(answer):
    """Scores of -1e6, and sums in which exp(-40) and exp(-80) count."""
    q, k = np.zeros((1, 3)), np.zeros((3, 3))
    q[0, 1], k[:2, 1] = 3**0.5, -1e6
    args = q, k[:2], np.eye(2, 3), *empty(1, 3)
    total, norm, _ = answer.call("add_block", *args, parts=3)
    what = "of two scores of -1e6 in the first block (is top cut off?)"
    expect_close(norm, [2.0], f"norm {what}")
    expect_close(total, [[1.0, 1, 0]], f"total {what}")
    # What is so large that these weights make it 1.
    k[:, 1], v = [0, -40, -80], np.full((3, 3), 3.0)
    v[1:] = np.diag(np.exp([40, 80, 0]))[:2]
    got, *_ = answer.call("add_block", q, k, v, *empty(1, 3), parts=3)
    rest = "(are small weights cut off?)"
    what = f"total of scores 0, -40 and -80 {rest}"
    expect_close(got, [[4.0, 4, 3]], what, tolerance=1e-4)
    for low in (40.0, 80.0):
        before = np.full((1, 3), np.exp(low)), np.ones(1), np.array([-low])
        args = q, np.zeros((1, 3)), np.full((1, 3), 5.0), *before
        got, *_ = answer.call("add_block", *args, parts=3)
        what = f"total, a score of 0 after a top of -{low:g} {rest}"
        expect_close(got, [[6.0, 6, 6]], what, tolerance=1e-4)


class Blocks:
    """Two blocks of keys, then total / norm: an answer made of the answer."""

    def __init__(self, answer):
        self.answer = answer

    def states(self, q, k_1, v_1, k_2, v_2):
        before = empty(len(q), v_1.shape[1])

        def add(*args):
            got = self.answer.call("add_block", *args, parts=3)
            names = "total", "norm", "top"
            return tuple(map(shaped, got, [x.shape for x in before], names))

        first = add(q, k_1, v_1, *before)
        return first, add(q, k_2, v_2, *first)

    def call(self, name, *args, parts=1):
        _, (total, norm, _) = self.states(*args)
        with np.errstate(all="ignore"):
            return total / norm[:, None]

    def vjp(self, name, args, u):
        """The chain rule, from the second block back to the first."""
        q, k_1, v_1, k_2, v_2 = args
        first, (total, norm, _) = self.states(*args)

        def back(to_total, to_norm, to_top, *args):
            parts = to_total.ravel(), to_norm, to_top
            u = np.concatenate(parts)
            return self.answer.vjp("add_block", args, u, parts=3)

        by_norm = -(u * total).sum(1) / norm**2
        q_2, k_2, v_2, *state = back(
            u / norm[:, None], by_norm, 0 * norm, q, k_2, v_2, *first
        )
        start = empty(len(q), v_1.shape[1])
        q_1, k_1, v_1, *_ = back(*state, q, k_1, v_1, *start)
        return q_1 + q_2, k_1, v_1, k_2, v_2


def two_blocks(rng):
    shapes = {"q": (5, 4), "k of the first block": (2, 4)}
    shapes |= {"v of the first block": (2, 3)}
    shapes |= {"k of the second block": (6, 4), "v of the second block": (6, 3)}
    return {name: rng.normal(size=s) for name, s in shapes.items()}


@BLOCK.check("the order of the blocks does not matter")
def any_order(answer, rng):
    q, k_1, v_1, k_2, v_2 = two_blocks(rng).values()
    there = Blocks(answer).call("", q, k_1, v_1, k_2, v_2)
    back = Blocks(answer).call("", q, k_2, v_2, k_1, v_1)
    expect_close(back, there, "total / norm, blocks swapped")
    k, v = np.concatenate([k_1, k_2]), np.concatenate([v_1, v_2])
    total, norm, _ = answer.call("add_block", q, k, v, *empty(5, 3), parts=3)
    at_once = shaped(total, (5, 3)) / shaped(norm, (5,))[:, None]
    expect_close(there, at_once, "total / norm, two blocks against one")


@BLOCK.check("gradients of total / norm, through two blocks")
def gradients_flow(answer, rng):
    expect_gradients(Blocks(answer), "add_block", two_blocks(rng), rng)


@CONV.check("a worked example")
def conv_by_hand(answer, rng):
    # One channel in and out; taps 1 and 10, dilation 2: y_i = x_i + 10 x_i-2.
    x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
    W = np.array([[[1.0]], [[10.0]]])
    suspects = {
        "the dilation is ignored: tap t looks t * dilation back.": (
            [1, 12, 23, 34, 45]
        ),
        "it looks ahead: tap t must look back.": [31, 42, 53, 4, 5],
        "the taps are in reverse order: tap 0 is the present token.": (
            [10, 20, 31, 42, 53]
        ),
        "it wraps around: before the first token x is 0.": (
            [41, 52, 13, 24, 35]
        ),
        "it repeats the first token: before it x is 0.": [11, 12, 13, 24, 35],
        "outputs without a full history are left out; pad with zeros.": (
            [13, 24, 35]
        ),
        "it is shifted: output i may use token i itself.": [0, 1, 2, 13, 24],
        "it is centred: half of it looks ahead.": [2, 13, 24, 35, 40],
        "only the last tap counts; add them all.": [0, 0, 10, 20, 30],
        "tap t looks t + dilation back; it is t times dilation.": (
            [0, 0, 1, 12, 23]
        ),
    }
    expect_close(
        answer.call("dilated_convolution", x, W, 2),
        [[1], [2], [13], [24], [35]],
        "x = 1..5, taps 1 and 10, dilation 2",
        {why: np.array(y)[:, None] for why, y in suspects.items()},
    )


@CONV.check("four taps, three channels to two")
def conv_maps(answer, rng):
    # A single 1 at token 1, channel 2: it meets row 2 of each tap in turn.
    x, W = np.zeros((12, 3)), np.arange(24.0).reshape(4, 3, 2)
    x[1, 2] = 1.0

    def at(*places):  # where taps 0, 1, ... meet it
        y = np.zeros((12, 2))
        y[list(places)] = W[: len(places), 2]
        return y

    try:
        got = answer.call("dilated_convolution", x, W, 3)
    except Wrong as wrong:
        if "matmul" in str(wrong):
            raise Wrong(f"W[t] is (d, e), not transposed. {wrong}") from None
        raise
    expect_close(
        got,
        at(1, 4, 7, 10),
        "one token of 1 in channel 2, dilation 3",
        {
            "the third tap looks dilation squared back; it is 2 * dilation.": (
                at(1, 4, 10)
            ),
            "there may be more than two taps; add all of them.": at(1, 4),
            "there may be more than three taps; add all of them.": at(1, 4, 7),
        },
    )


@CONV.check("taps that look beyond the first token")
def conv_beyond(answer, rng):
    x, W = np.arange(1.0, 6)[:, None], np.array([1.0, 10, 100])[:, None, None]
    cases = {3: [1, 2, 3, 14, 25], 4: [1, 2, 3, 4, 15]}
    for dilation in (3, 4, 5, 6, 9):
        case = f"five tokens, three taps, dilation {dilation}"
        try:
            got = answer.call("dilated_convolution", x, W, dilation)
        except Wrong as wrong:
            if "raised" in str(wrong):
                raise Wrong(
                    f"{case}: what lies beyond the first token is 0. {wrong}"
                ) from None
            raise
        want = np.array(cases.get(dilation, [1, 2, 3, 4, 5]))[:, None]
        expect_close(got, want, f"{case}: beyond the first token x is 0")
    got = answer.call(
        "dilated_convolution", np.ones((9, 1)), np.ones((7, 1, 1)), 1
    )
    want = np.array([1, 2, 3, 4, 5, 6, 7, 7, 7.0])[:, None]
    expect_close(got, want, "nine tokens of 1, seven taps of 1")
    # All taps of 40 count, at a dilation of 25, and the channels as they are.
    x, W = np.zeros((1000, 2)), np.zeros((40, 2, 2))
    x[7, 0], W[:, 0, 1] = 1, np.arange(1.0, 41)
    want = np.zeros((1000, 2))
    want[7:1000:25, 1] = np.arange(1, 41)
    got = answer.call("dilated_convolution", x, W, 25)
    suspects = {"W[t] is (d, e), not transposed.": 0 * want}
    what = "a 1 among 1,000 tokens, 40 taps, dilation 25, d = e = 2"
    expect_close(got, want, what, suspects)
    x, taps = np.arange(1.0, 6)[:, None], np.array([[[2]], [[3]]])
    got = answer.call("dilated_convolution", x / 2, taps, 1)
    cut = "the result has the dtype of W, and whole numbers cut it off."
    want = np.array([[1, 3.5, 6, 8.5, 11]]).T
    expect_close(got, want, "taps of integers", {cut: np.floor(want)})
    whole, W = x.astype(int), np.array([[[0.5]], [[-1.23456]]])
    got = answer.call("dilated_convolution", whole, W, 1)
    want = 0.5 * x - 1.23456 * (x - 1)
    if got.dtype.kind in "iu":
        raise Wrong.fixed(
            "the result has the dtype of x, and whole numbers cut it off: "
            "make it float."
        )
    expect_close(got, want, "five integers, taps 0.5 and -1.23456")


@SQUARE.check("counted by hand")
def square_by_hand(answer, rng):
    # d = 2, f = 6, n = 10: n^2 part 400; the rest 10 (16 + 24) = 400.
    expect_close(
        answer.call("square_takes_over", 2, 6),
        10,
        "d = 2, f = 6",
        {
            "that is attention alone: the feed-forward part is missing.": 4,
            "n squared occurs twice: in the scores and in the weighted "
            "sum.": 20,
            "the feed-forward part has two maps, to f and back.": 7,
            "attention has four maps: queries, keys, values and output.": 9,
            "that is the feed-forward part alone.": 6,
            "f need not be 4 d.": 12,
            "multiply-adds are counted on both sides: the maps to f and back "
            "cost 2 d f, not 4 d f.": 16,
            "the maps of attention cost 4 d squared in all, not 8.": 14,
            "attention has four maps, and two products of n squared.": 8,
            "the feed-forward part costs d f, not f squared.": 22,
        },
    )


@SQUARE.check("the usual f = 4 d")
def square_usual(answer, rng):
    for d in (16, 64, 512, 2048, 16_384):
        got = answer.call("square_takes_over", d, 4 * d)
        expect_close(got, 6 * d, f"d = {d}, f = 4 d")
    sizes = {(5, 3): 13, (7, 1): 15, (900, 100): 1900, (8, 400): 416}
    sizes |= {(700, 2800.5): 4200.5, (30_000, 70_001): 130_001}
    sizes |= {(1000, 9000): 11_000, (3, 10**6): 1_000_006}
    sizes |= {(10**6, 3): 2_000_003, (0.25, 0.5): 1}
    for (d, f), want in sizes.items():
        got = answer.call("square_takes_over", d, f)
        what = f"d = {d:,}, f = {f:,} (for any sizes, with no rounding)"
        said = {"f need not be 4 d.": 6 * d}
        expect_close(got, want, what, said, tolerance=1e-7)


@LAST.check("two steps by hand")
def last_by_hand(answer, rng):
    # tanh(artanh(1/2)) = 1/2 first, then tanh(ln 2 + 1/2 * 2 ln 2) = 15/17.
    x = np.array([[np.arctanh(0.5)], [LN2]])
    W, U = np.array([[1.0, 0.0]]), np.array([[2 * LN2, 0.0], [0.0, 1.0]])
    expect_close(
        answer.call("last_state", x, W, U, np.zeros(2)),
        [15 / 17, 0],
        "the last state",
        {
            "the state before is dropped: each step starts afresh.": [0.6, 0],
            "that is the first state; go on to the last token.": [0.5, 0],
            "the result of tanh is the new state; the old one is not added.": [
                0.5 + 15 / 17,
                0,
            ],
            "that is a sigmoid, not the tanh.": 1
            / (1 + np.exp(-np.array([LN2 * (1 + 2 / (1 + 3**-0.5)), 0.5]))),
            "the tanh is missing.": [LN2 * (1 + 2 * np.arctanh(0.5)), 0],
        },
    )


@LAST.check("U is not transposed, the start state counts")
def last_start(answer, rng):
    U = np.zeros((3, 3))
    U[0, 1], U[2, 0] = np.arctanh([-0.25, 0.5])
    args = np.zeros((1, 2)), np.zeros((2, 3)), U, np.array([1.0, 0, 0])
    expect_close(
        answer.call("last_state", *args),
        [0, -0.25, 0],
        "one step from (1, 0, 0), U with one entry in row 0, column 1",
        {
            "U is transposed; states are rows.": [0, 0, 0.5],
            "the start state is ignored.": [0, 0, 0],
        },
    )
    args = np.array([[2.0]]), np.array([[2, -3.0]]), np.eye(2), np.zeros(2)
    want = np.tanh([4, -6])
    got = answer.call("last_state", *args)
    expect_close(got, want, "one step to tanh(4) and tanh(-6), from 0")
    x, W, U = (rng.normal(size=s) / 2 for s in [(9, 2), (2, 3), (3, 3)])
    first = answer.call("last_state", x[:4], W, U, np.array([0.5, -0.5, 1]))
    rest = answer.call("last_state", x[4:], W, U, shaped(first, (3,)))
    got = answer.call("last_state", x, W, U, np.array([0.5, -0.5, 1]))
    expect_close(got, rest, "nine tokens, against four and then the other five")


@LAST.check("every token gets its gradient")
def last_gradient(answer, rng):
    # With x = 0 all states are 0 and tanh has slope 1: the gradient by token
    # j is g (U^T)^(n-1-j) W^T. A rotation U keeps its length.
    U, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    args = np.zeros((150, 2)), rng.normal(size=(2, 3)), U, np.zeros(3)
    by_x, _, _, by_start = answer.vjp("last_state", args, np.ones(3))
    reached = int((np.abs(by_x).max(axis=1) > 0).sum())
    if reached == 0:
        raise Wrong(
            "no token gets a gradient: the inputs are cut out of the graph."
        )
    if reached < 150:
        raise Wrong(
            f"only the last {reached} of 150 tokens get a gradient: the state "
            "is cut out of the graph before them."
        )
    if not by_start.any():
        raise Wrong("the start state is cut out of the graph.")
    first = np.ones(3) @ np.linalg.matrix_power(U.T, 149) @ args[1].T
    what = "gradient by the first token"
    expect_close(by_x[0], first, what, tolerance=1e-4)


@LAST.check("gradients of x, W, U and start")
def last_weights(answer, rng):
    shapes = {"x": (9, 2), "W": (2, 3), "start": (3,)}
    x, W, start = (rng.normal(size=s) / 3 for s in shapes.values())
    U, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    args = {"x": x, "W": W, "U": U, "start": start}
    expect_gradients(answer, "last_state", args, rng)


@POWER.check("a worked example")
def share_by_hand(answer, rng):
    # The matrix of Eq. 2.6.8's example: (0, 1) (U^T)^3 = (3/4, 1/8).
    U = np.array([[0.5, 1.0], [0.0, 0.5]])
    norm = np.hypot(3 / 4, 1 / 8)
    expect_close(
        answer.call("share_left", np.array([0.0, 2.0]), U, 3),
        norm,
        "g = (0, 2), distance 3",
        {
            "that is a row through U, or a power of the radius; a gradient "
            "goes back through U transposed.": 1 / 8,
            "divide by the norm of g.": 2 * norm,
            "that is one step too few.": np.hypot(1, 1 / 4),
            "that is one step too many.": np.hypot(1 / 2, 1 / 16),
            "a power of a matrix is repeated multiplication, not the power "
            "of each entry.": np.hypot(1, 1 / 8),
            "that is the bound of Eq. 2.6.7; the gradient itself is asked.": (
                (1 + 2**0.5) / 2
            )
            ** 3,
            "that sums the entries; the norm is Euclidean.": 7 / 8,
            "that is the largest entry; the norm is Euclidean.": 3 / 4,
            "that is the norm of the matrix power, its worst case over all "
            "g.": np.linalg.norm(np.linalg.matrix_power(U, 3), 2),
        },
    )


@POWER.check("a chain of five")
def share_along(answer, rng):
    # Each step back moves the only entry by one and multiplies it.
    U, g = np.diag([2.0, 3, 4, 5], k=1), np.array([0.0, 0, 0, 0, 7])
    for distance, want in enumerate([1, 5, 20, 60, 120, 0]):
        got = answer.call("share_left", g, U, distance)
        case = f"five numbers, distance {distance}: a product with all of U "
        expect_close(got, want, case + "for each step")


@POWER.check("no step at all")
def share_of_nothing(answer, rng):
    got = answer.call("share_left", rng.normal(size=4), np.zeros((4, 4)), 0)
    expect_close(got, 1.0, "distance 0")


@POWER.check("rotations: the radius to the power of the distance")
def share_of_rotations(answer, rng):
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    for radius in (0.9, 1.0, 1.1):
        g = np.array([1.0, -2])
        for k in (40, 200):
            got = shaped(answer.call("share_left", g, radius * turn, k), ())
            what = (
                f"radius {radius}, {k} steps, over its power (is it cut off?)"
            )
            expect_close(got / radius**k, 1.0, what, tolerance=1e-4)
    # Both lengths are tiny, or the one is: nothing is added to them.
    for size in (1e-9, 1e9):
        got = answer.call("share_left", size * g, 0.5 * turn, 3)
        what = f"g times {size:g}, three halvings (is something added?)"
        expect_close(got, 0.125, what)
    U = np.array([[1.0, 1e-3], [0.0, 1.0]])
    got = answer.call("share_left", np.array([0.0, 1.0]), U, 1000)
    what = "a matrix with one direction only, 1,000 steps"
    expect_close(got, 2**0.5, what, tolerance=1e-5)
