"""Visible checks of chapter 2.4's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np
from numpy import cos, sin

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    expect_shape,
    shaped,
)

WAVES = Exercise("2_4.a", "Waves in another layout", ("waves",))
TURN = Exercise("2_4.b", "Rotary, halves paired", ("turn",), "torch")
FAR = Exercise("2_4.c", "How far back?", ("mean_distance",))
LATE = Exercise("2_4.d", "Too late", ("attend_in_order",), "torch", True)
ORDERS = Exercise(
    "2_4.e",
    "Orders",
    ("different_outputs", "prediction"),
    predict=("1 and 1", "1 and 12", "1 and 24", "12 and 24"),
)
EXERCISES = [WAVES, TURN, FAR, LATE, ORDERS]


def table(*rates, start=3):
    """Three positions at these rates: sines first, then cosines."""
    angles = np.outer(np.arange(start, start + 3), rates)
    return np.concatenate([sin(angles), cos(angles)], axis=1)


@WAVES.check("positions 3, 4, 5 by hand")
def waves_by_hand(answer, rng):
    # width 6 and base 8: the rates are 1, 1/2 and 1/4
    right, rates = table(1, 0.5, 0.25), np.array([1, 0.5, 0.25])
    got = answer.call("waves", 3, 3, 6, 8.0)
    suspects = {
        "sine and cosine alternate in yours; here all sines come first.": (
            right[:, [0, 3, 1, 4, 2, 5]]
        ),
        "the cosines come first in yours.": right[:, [3, 4, 5, 0, 1, 2]],
        "the first row is position 0, not start.": table(*rates, start=0),
        "the first row is position start + 1.": table(*rates, start=4),
        "the exponent is 2t / d, not t / d.": table(*rates**0.5),
        "the rates grow in yours: base ** (-2t / d).": table(1, 2, 4),
        "the exponents run from 0 to 1 in yours; divide by d, so that the "
        "last one stays below 1.": table(1, 8**-0.5, 1 / 8),
        "the exponents are rounded down: divide with /, not with //.": table(
            1, 1 / 8, 1 / 8
        ),
        "all pairs turn at the same rate in yours.": table(1, 1, 1),
        "angles are radians; yours are taken as degrees.": table(
            *rates * np.pi / 180
        ),
        "one step turns the first pair by 1 radian, not by a full round "
        "(no 2 pi).": table(*2 * np.pi * rates),
        "rows are positions; yours is transposed.": right.T,
        "the exponent is 2t / d, yours is twice as large.": table(*rates**2),
        "t begins with 0: the first rate is 1.": table(*rates / 2),
        "the sign of the cosines is reversed.": right * ([1] * 3 + [-1] * 3),
        "base is an argument, not always 10,000.": table(
            *10_000 ** (-np.arange(3) / 3)
        ),
    }
    expect_close(got, right, "rates 1, 1/2 and 1/4", suspects)


@WAVES.check("the table is a piece of a longer one")
def piece(answer, rng):
    long = answer.call("waves", -3, 9, 6, 50.0)
    short = answer.call("waves", 1, 5, 6, 50.0)
    what = "positions 1 to 5, as piece of -3 to 5 (before 0, too)"
    expect_close(short, shaped(long, (9, 6))[4:], what)
    rates = 1, 0.5, 0.25
    below, zero = table(*rates, start=-7), np.tile([0, 0, 0, 1, 1, 1], (3, 1))
    suspects = {
        "positions before 0 have lost their sign.": below
        * [[-1] * 3 + [1] * 3],
        "positions before 0 have become 0.": zero,
    }
    got = answer.call("waves", -7, 3, 6, 8.0)
    expect_close(got, below, "positions -7, -6, -5", suspects)
    got = answer.call("waves", 10**6, 3, 6, 2.3**3)
    far = table(1, 1 / 2.3, 2.3**-2, start=10**6)
    what = "positions from 1,000,000 on (are your rates rounded, or base? "
    what += "is something in float32, or are positions cut off?)"
    expect_close(got, far, what)


@WAVES.check("sine and cosine of the same angle; distances")
def circle(answer, rng):
    got = answer.call("waves", 2, 7, 10, 1000.0)
    expect_shape(got, (7, 10))
    ones = got[:, :5] ** 2 + got[:, 5:] ** 2
    expect_close(ones, np.ones((7, 5)), "column t and t + d/2, squared, added")
    dots = got @ got.T
    expect_close(dots[1:, 1:], dots[:-1, :-1], "dot products, one step on")
    expect_close(
        got[1, 4],
        sin(3 * 1000**-0.8),
        "position 3, width 10, last sine (exponent -2t / width)",
    )
    # base 2^64 and width 128: the rates are 1, 1/2, 1/4, ...
    angles = np.outer(np.arange(700), 2.0 ** -np.arange(64)) + 0.0
    want = np.concatenate([sin(angles), cos(angles)], axis=1)
    got = answer.call("waves", 0, 700, 128, 2.0**64)
    expect_close(got, want, "700 positions, width 128 (all have their own row)")
    got = answer.call("waves", 7, 1, 2, 50.0)
    expect_close(got, [[sin(7), cos(7)]], "width 2: one rate, which is 1")


def three(a, b, c):
    """Unit vectors of columns 0, 3, 1, turned by a, b and c."""
    first, second = [cos(a), 0, sin(a), 0], [0, -sin(b), 0, cos(b)]
    return np.array([first, second, [0, cos(c), 0, sin(c)]])


@TURN.check("unit vectors at positions 2, 5 and 1")
def turn_by_hand(answer, rng):
    # d = 4 and base 4: pairs (0, 2) at rate 1 and (1, 3) at rate 1/2
    x = np.eye(4)[[0, 3, 1]]
    x = np.stack([x, -x])[None]  # two heads
    got = answer.call("turn", x, np.array([[2, 5, 1]]), 4.0)
    expect_shape(got, (1, 2, 3, 4))
    root = 0.5**0.5
    neighbours = [[cos(2), sin(2), 0, 0], [0, 0, -sin(2.5), cos(2.5)]]
    neighbours += [[-sin(1), cos(1), 0, 0]]
    only = np.diag([cos(2), cos(2.5), cos(0.5)]) @ x[0, 0]
    deg = np.pi / 180
    suspects = {
        "you turn the other way: the minus is in the first half.": three(
            -2, -2.5, -0.5
        ),
        "you pair neighbouring columns; here t goes with t + d/2.": neighbours,
        "all pairs turn by the same angle in yours.": three(2, 5, 1),
        "you take the row number as position.": three(0, 0.5, 1),
        "the exponent is 2t / d, not t / d.": three(2, 5 * root, root),
        "the rates grow in yours: base ** (-2t / d).": three(2, 10, 2),
        "the pairs have each other's rates.": three(1, 5, 1),
        "yours only scales the halves; the length is lost.": only,
        "angles are radians; yours are taken as degrees.": three(
            2 * deg, 2.5 * deg, 0.5 * deg
        ),
        "nothing has turned.": x[0, 0],
        "positions are taken from the first row's; they are given as they "
        "are.": three(0, 1.5, -0.5),
        "positions are taken as they are: nothing is added.": three(3, 3, 1),
    }
    expect_close(got[0, 0], three(2, 2.5, 0.5), "rates 1 and 1/2", suspects)
    expect_close(got[0, 1], -three(2, 2.5, 0.5), "second head, signs flipped")
    got = shaped(answer.call("turn", x, np.array([[-2, -5, -1]]), 4.0), x.shape)
    expect_close(got[0, 0], three(-2, -2.5, -0.5), "positions -2, -5 and -1")
    # d = 6 and base r^3: rates 1, 1/r and 1/r^2
    x = np.eye(6)[None, None, :3]
    for far, what, r in (
        (4, "position 4", 2.3),
        (500_000, "position 500,000", 11.5),
        (-900_000, "position -900,000", 11.5),
    ):
        angles = far / np.array([1, r, r**2])
        want = np.hstack([np.diag(cos(angles)), np.diag(sin(angles))])
        got = answer.call("turn", x, np.full((1, 3), far), r**3)
        shaped(got, (1, 1, 3, 6))
        if far != 4 and not np.allclose(got, want, rtol=1e-6, atol=1e-6):
            raise Wrong.fixed(
                f"{what}: the small ones are right, so your angles are too "
                "coarse, in float32: make rates and angles in the dtype of x "
                "(torch.arange(..., dtype=x.dtype)). Or positions are cut off."
            )
        expect_close(got, want[None, None], f"{what}, d = 6, base {r}^3")


@TURN.check("each example has its own positions")
def own_positions(answer, rng):
    x = rng.normal(size=(2, 5, 5, 8))  # as many heads as rows
    positions = np.array([[0, 1, 2, 3, 4], [9, 2, 0, 7, 7]])
    got = answer.call("turn", x, positions, 30.0)
    alone = answer.call("turn", x[1:], positions[1:], 30.0)
    shaped(alone, x[1:].shape, "one example alone")
    if got.shape == x.shape and not np.allclose(got[1:], alone):
        raise Wrong(
            "an example's result depends on the others in its batch: every "
            "example must be turned by its own row of positions."
        )
    shaped(got, x.shape)
    expect_close(
        got[0, :, 0], x[0, :, 0], "position 0 stays as it is, in each head"
    )
    norm = np.linalg.norm(shaped(got, x.shape), axis=-1)
    expect_close(norm, np.linalg.norm(x, axis=-1), "the lengths of the rows")


@TURN.check("scores depend on the distance only")
def distance_only(answer, rng):
    q, k = rng.normal(size=(2, 1, 2, 5, 6))
    positions = np.array([[3, 0, 8, 1, 4]])

    def turned(x, p):
        return shaped(answer.call("turn", x, p, 20.0), x.shape)

    scores = [
        turned(q, p) @ turned(k, p).mT for p in (positions, positions + 11)
    ]
    expect_close(scores[1], scores[0], "all positions 11 higher, the scores")


@TURN.check("the gradient is turned back")
def turned_back(answer, rng):
    x, u = rng.normal(size=(2, 2, 3, 5, 4))
    positions = np.array([[0, 6, 1, 3, 2], [5, 5, 2, 0, 9]])
    grad = answer.vjp("turn", (x, positions, 9.0), u)[0]
    back = shaped(answer.call("turn", u, -positions, 9.0), u.shape)
    if not np.allclose(grad, back):
        raise Wrong(
            "a rotation's gradient is the incoming one, turned by -positions; "
            "yours is not. Is a part of x detached?"
        )


LN3 = np.log(3.0)
SIZES = [(7, 5), (7, 5), (5, 4), (5, 4), (5, 3)]


@FAR.check("slope ln 3")
def far_by_hand(answer, rng):
    # r = 1/3: weights 2/3, 2/9, 2/27, ...; the mean is r / (1 - r) = 1/2
    expect_close(
        answer.call("mean_distance", LN3),
        0.5,
        "slope ln 3",
        {
            "that is the mean of a continuous distance, 1/m; distances are "
            "whole numbers.": 1 / LN3,
            "you count from distance 1; the token itself has distance 0.": 1.5,
            "the weights must sum to 1: divide by the sum of r^D.": 0.75,
            "that is the ratio of one weight to the next, not the mean.": 1 / 3,
            "check the sign: the denominator is 1 - r, not 1 + r.": 0.25,
            "that is the distance at which a weight is halved, not the "
            "mean.": np.log(2) / LN3,
            "the weights are powers of e, not of 2.": 1 / (2**LN3 - 1),
            "that is the inverse of the mean.": 2.0,
            "that is the weight at distance 0, not the mean.": 2 / 3,
            "that is a series for small slopes; any slope is asked for.": (
                1 / LN3 - 1 / 2 + LN3 / 12
            ),
            "1/m - 1/2 is nearly right for small slopes only.": 1 / LN3 - 1 / 2,
            "that is the weight at distance 1, not the mean.": 2 / 9,
            "that is a longer series for small slopes; any slope is asked "
            "for.": 1 / LN3 - 1 / 2 + LN3 / 12 - LN3**3 / 720,
        },
    )


@FAR.check("slopes ln 2 and 1/256")
def far_many(answer, rng):
    got = answer.call("mean_distance", np.array([np.log(2), np.log(5)]))
    expect_close(got, [1, 0.25], "slopes ln 2 and ln 5, as an array")
    got = answer.call("mean_distance", 1 / 256)
    coarse = got.dtype == np.float32  # exp(m) - 1 has few digits there
    rough = 1e-4 if coarse else 1e-6
    what = "a small m: 1/m - 1/2 + m/12"
    expect_close(got, 255.5 + 1 / 3072, what, tolerance=rough)
    got = answer.call("mean_distance", np.array([1e-6, 0.001]))
    want = np.array([999999.5, 999.5 + 1 / 12000])
    what = "slopes 0.000001 and 0.001 (is it a sum that is cut off, is "
    what += "something added, or in float32 and then made float64?)"
    got = shaped(got, (2,)) * (1 if not coarse else [0, 1])
    want = want * (1 if not coarse else [0, 1])
    expect_close(got, want, what, tolerance=1e-3 if coarse else 1e-8)
    for slope, rough in (15, 1e-6), (25, 1e-4):
        got = shaped(answer.call("mean_distance", slope * 1.0), ())
        what = f"slope {slope}, times e^{slope} - 1 (is it cut off?)"
        expect_close(got * (np.exp(slope) - 1), 1.0, what, tolerance=rough)


@LATE.check("three words by hand")
def late_by_hand(answer, rng):
    # d = 4. Queries 2 ln3 (1, 2, 3), keys (1, 1, 0): scores ln3 times these.
    x, positions = np.zeros((3, 5)), np.zeros((3, 5))
    x[:, 0], x[0, 1], x[1, 3] = 1, 1, 1
    positions[:, 0], positions[1, 1], positions[2, 2] = [0, 1, 2], 1, 1
    w_q, w_k, w_v = np.zeros((5, 4)), np.zeros((5, 4)), np.zeros((5, 2))
    w_q[0, 0], w_k[1, 0], w_v[3, 0], w_v[2, 1] = 2 * LN3, 1, 1, 1
    powers = np.array([3.0, 9.0, 27.0])

    def both(p, last=1):
        """Weights of the second and third word: (p, p, 1) over their sum."""
        return np.stack([p, np.full(3, last)], axis=1) / (2 * p + 1)[:, None]

    none = np.zeros(3)
    suspects = {
        "the values have positions, but queries and keys have not: the "
        "weights are blind to the order.": np.full((3, 2), 0.2),
        "the positions are nowhere.": np.tile([0.2, 0], (3, 1)),
        "only the queries have positions.": np.stack(
            [1 / (powers + 2), none], axis=1
        ),
        "only the keys have positions.": np.tile([3 / 7, 0], (3, 1)),
        "queries and keys have positions, the values have not.": both(
            powers, last=0
        ),
        "the softmax runs over the queries.": np.stack(
            [powers / 39, none + 1 / 3], axis=1
        ),
        "the scores are not divided by sqrt(d).": both(powers**2),
        "the scores are divided by d, not by sqrt(d).": both(powers**0.5),
        "the scores are divided by the root of the model's width; d is the "
        "width of the keys.": both(powers ** (2 / 5**0.5)),
        "the scores are divided by the root of the number of words.": both(
            powers ** (2 / 3**0.5)
        ),
        "x and positions are added, not averaged.": both(powers**0.25) / 2,
        "the scores are divided by the root of the values' width e.": both(
            powers ** (2 / 2**0.5)
        ),
        "the positions are added again before each projection; once is "
        "enough.": np.stack([powers**2, none + 3], axis=1)
        / (powers + powers**2 + 1)[:, None],
        "positions are added to x, not multiplied with it.": np.zeros((3, 2)),
    }
    args = (x, positions, w_q, w_k, w_v)
    got = answer.call("attend_in_order", *args)
    expect_close(got, both(powers), "three words", suspects)
    w_q = np.pad(w_q, [(0, 0), (0, 3)]) * 7**0.5 / 2
    args = (x, positions, w_q, np.pad(w_k, [(0, 0), (0, 3)]), w_v * [-1, 40])
    said = "the root of d is cut to a whole number."
    cut = {said: [-1, 40] * both(powers ** (7**0.5 / 2))}
    got = answer.call("attend_in_order", *args)
    what = "three words, d = 7, values times -1 and 40"
    expect_close(got, [-1, 40] * both(powers), what, cut)


@LATE.check("x and positions enter as their sum")
def late_sum(answer, rng):
    x, positions, *maps = (rng.normal(size=s) for s in SIZES)
    got = answer.call("attend_in_order", x, positions, *maps)
    moved = answer.call("attend_in_order", x + 0.5, positions - 0.5, *maps)
    expect_shape(got, (7, 3))
    what = "0.5 taken from positions and given to x"
    expect_close(moved, got, what, tolerance=1e-4)
    order = np.array([6, 3, 0, 5, 1, 2, 4])
    turned = answer.call("attend_in_order", x[order], positions[order], *maps)
    what = "seven words that keep their positions, in other rows"
    expect_close(turned, got[order], what, tolerance=1e-4)


@LATE.check("gradients reach every argument")
def late_gradient(answer, rng):
    names = ("x", "positions", "w_q", "w_k", "w_v")
    args = {k: rng.normal(size=s) / 2 for k, s in zip(names, SIZES)}
    expect_gradients(answer, "attend_in_order", args, rng)


def sentence(rng):
    """Five words, and three maps that keep the scores small."""
    maps = [rng.normal(size=(12, 7)) / 5 for _ in range(3)]
    return rng.normal(size=(5, 12)), maps


@ORDERS.check("without positions")
def orders_without(answer, rng):
    x, maps = sentence(rng)
    got = answer.call("different_outputs", x, np.zeros((5, 12)), *maps)
    suspects = {
        "you counted orders, not different outputs.": 24,
        "the last row must stay the last: its word was exchanged too (or, "
        "less likely, rounding errors only: compare to six decimals).": 5,
    }
    if np.ndim(got) == 0 and 1 < got < 24 and got != 5:
        raise Wrong(
            f"{got} outputs that differ by rounding errors only: compare to "
            "six decimals, and compute in float64."
        )
    expect_close(got, 1, "four different words, no positions", suspects)
    # Equal weights: the means have three decimals, but for rounding errors.
    words = [[0.5, 0.41, 0.36, 0.49, 0.86], [0.6, 0.44, 0.15, 0.83, 0.14]]
    words += [[0.96, 0.47, 0.51, 0.62, 0.57], [0.72, 0.94, 0.96, 0.07, 0.71]]
    x = np.array([*words, [0] * 5])
    maps = np.zeros((5, 2)), np.zeros((5, 2)), np.eye(5)
    got = answer.call("different_outputs", x, np.zeros((5, 5)), *maps)
    if shaped(got, ()) != 1:
        raise Wrong.fixed(
            "0.452 and 0.45199999999 agree to six decimals: round, do not cut "
            "off."
        )


@ORDERS.check("with positions")
def orders_with(answer, rng):
    x, maps = sentence(rng)
    positions = rng.normal(size=(5, 12))
    suspects = {
        "still one output: were the positions added, before the attention, "
        "and did they stay while the words moved?": 1,
        "four words have 24 orders; you went through 4.": 4,
        "the last row must stay the last: there are 120 orders of five.": 120,
    }
    got = answer.call("different_outputs", x, positions, *maps)
    expect_close(got, 24, "four different words", suspects)


@ORDERS.check("a word that occurs twice")
def orders_twice(answer, rng):
    x, maps = sentence(rng)
    x[3] = x[0]
    positions = rng.normal(size=(5, 12))
    got = answer.call("different_outputs", x, positions, *maps)
    said = {"you counted orders, not different outputs.": 24}
    expect_close(got, 12, "one word twice, 4!/2! sentences", said)


@ORDERS.check("six decimals of every number")
def orders_by_hand(answer, rng):
    # The last row looks at place 0 alone (score 300): the output is the value
    # of the word that stands there. The first two agree to six decimals.
    words = [[0, 0.0100002], [0, 0.01000035], [0, 0.0100032]]
    words = np.array([*words, [0, 1], [0, 2], [0, 3], [0, 1]])
    x, positions = np.zeros((2, 7, 5))
    x[:, :2], x[:, 2], x[3:, 2] = words, -words[:, 1], -1
    positions[0, 3], positions[6, 4] = 1, 1
    w_q, w_k = np.zeros((5, 4)), np.zeros((5, 4))
    w_q[4, 0], w_k[3, 0] = 600, 1
    part = "compare all numbers of the attention's output, not one, their sum "
    part += "or the input"
    suspects = {
        "outputs 0.000003 apart differ in the sixth decimal.": 4,
        "outputs that agree to six decimals are the same.": 6,
        f"{part}.": 1,
        f"{part} alone.": 3,
    }
    got = answer.call("different_outputs", x, positions, w_q, w_k, np.eye(5, 3))
    expect_close(got, 5, "six words, two of them nearly alike", suspects)
