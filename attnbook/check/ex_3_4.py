"""Visible checks of chapter 3.4's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import itertools

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    expect_shape,
)

SOFT = Exercise(
    "3_4.a", "A pooling between average and max", ("soft_pool",), "torch"
)
GATED = Exercise("3_4.b", "Gated attention pooling", ("gated_pool",), "torch")
WEIGHT = Exercise(
    "3_4.c", "How much weight does the digit need?", ("weight_needed",)
)
POINTING = Exercise(
    "3_4.d",
    "A pointing game for squares only",
    ("pointing_hits",),
    all_or_nothing=True,
)
PATCHES = Exercise(
    "3_4.e", "Patches that are strips", ("patch_rows",), "torch", True
)
EXERCISES = [SOFT, GATED, WEIGHT, POINTING, PATCHES]

LN2 = np.log(2.0)
# Two images, four places (the first image's last one is padding), 3 wide.
V = np.array(
    [
        [[0, 1, 3], [1, 1, 0], [2, 1, 1], [5, 0, 2]],
        [[0, 2, 1], [0, 0, 1], [0, 1, 3], [1, 0, 0]],
    ]
).astype(float)
MAY = np.array([[True, True, True, False], [True] * 4])
# 2 to the power of each value, over their sum: by hand.
POOLED = np.array([[10 / 7, 1, 26 / 11], [2 / 5, 10 / 8, 28 / 13]])


def powers(v, axis, may=None):
    """2 to the power of v over their sum along an axis, or two axes."""
    p = 2.0**v if may is None else 2.0**v * may[..., None]
    return p / p.sum(axis=axis, keepdims=True)


@SOFT.check("a worked example, with padding")
def soft_by_hand(answer, rng):
    got = answer.call("soft_pool", V, LN2, MAY)
    real = MAY[..., None]
    late = powers(V, 1) * real
    zero = 2.0 ** (V * real) / (2.0 ** (V * real)).sum(axis=1, keepdims=True)
    shared = powers(V.mean(axis=2, keepdims=True), 1, MAY)
    with np.errstate(invalid="ignore"):
        wrong_way = powers(V, 1, ~MAY)
    sums = (2.0**V * real).sum(axis=1)
    low = powers(-V, 1, MAY)
    soft = V * LN2
    suspects = {
        "padding gets weight: the mask is not used.": (powers(V, 1) * V).sum(1),
        "the mask is inverted: True = a place of the image.": (
            (wrong_way * V).sum(1)
        ),
        "the mask is applied after the softmax: the weights of the real "
        "places no longer sum to 1.": (late * V).sum(1),
        "padding has the score 0, and exp(0) = 1: it takes its share.": (
            (zero * V).sum(1)
        ),
        "the softmax runs over the coordinates; it runs over places.": (
            (powers(V, 2) * V * real).sum(1)
        ),
        "the softmax runs over the batch; it runs over places.": (
            (powers(V, 0, MAY) * V).sum(1)
        ),
        "the softmax runs over places and coordinates together; each "
        "coordinate has its own.": (powers(V, (1, 2), MAY) * V).sum(1),
        "all coordinates share their weights; each has its own.": (
            (shared * V).sum(1)
        ),
        "that divides by beta; it multiplies.": (
            (2.0 ** (V / LN2**2) * real * V).sum(1)
            / (2.0 ** (V / LN2**2) * real).sum(1)
        ),
        "beta has the wrong sign: small values get the weight.": (
            (low * V).sum(1)
        ),
        "beta v is divided by the root of w; no such factor is in the "
        "formula.": (powers(V / 3**0.5, 1, MAY) * V).sum(1),
        "beta is not used.": (np.exp(V) * real * V).sum(1)
        / (np.exp(V) * real).sum(1),
        "that is the logarithm of a sum of exponentials, not a weighted "
        "sum.": np.log2(sums),
        "that is the logarithm of a mean of exponentials, not a weighted "
        "sum.": np.log2(sums / real.sum(1)),
        "that is the sum of beta v; the values are summed as they are.": (
            (powers(V, 1, MAY) * soft).sum(1)
        ),
        "that is a mean of the weighted values; their sum is asked.": POOLED
        / 4,
        "that is the average of the real places.": (V * real).sum(1)
        / real.sum(1),
        "that is the maximum of the real places.": np.array(
            [[2.0, 1, 3], [1, 2, 3]]
        ),
    }
    if np.isnan(got).any():
        raise Wrong.fixed(
            "the worked example holds nan: is the mask inverted? True = a "
            "place of the image."
        )
    expect_close(got, POOLED, "the worked example", suspects)


@SOFT.check("from the minimum over the average to the maximum")
def soft_limits(answer, rng):
    base = rng.permuted(np.arange(105.0).reshape(7, 5, 3), axis=1) - 60
    may = np.arange(5) < np.array([[3], [5], [1], [4], [2], [3], [5]])
    v = np.full((1, 3, 2), 1e4)
    v[0, 2] = 0.0
    got = answer.call("soft_pool", v, -900.0, np.array([[True, True, False]]))
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "values of 1e4, beta = -900: exp overflows; use softmax, which "
            "subtracts the largest."
        )
    if not np.allclose(got, 1e4):
        raise Wrong.fixed(
            "values of 1e4, padding 0, beta = -900: padding must count as "
            "minus infinity, not as some low number."
        )
    names = {0.0: "average", 900.0: "maximum", -900.0: "minimum"}
    rules = {0.0: np.mean, 900.0: np.max, -900.0: np.min}
    for scale, (beta, rule) in itertools.product(
        (1.0, 0.01, 100.0), rules.items()
    ):
        v = scale * base
        got = answer.call("soft_pool", v, beta, may)
        expect_shape(got, (7, 3), "seven images, five places, width 3")
        if not np.isfinite(got).all():
            raise Wrong.fixed(
                "for beta of 0, 900 or -900 the result holds nan or infinity: "
                "exp overflows; use softmax, which subtracts the largest."
            )
        want = np.array([rule(x[m], axis=0) for x, m in zip(v, may)])
        for k in (4, 5, 6):
            if not np.allclose(got[k:], want[k:]) and np.allclose(
                got[:k], want[:k]
            ):
                raise Wrong.fixed("only the first images of seven are right.")
        if not np.allclose(got, want, rtol=1e-5, atol=1e-5 * scale):
            if np.allclose(got, abs(want)) or np.allclose(
                got, want * (want > 0)
            ):
                raise Wrong.fixed("values, and so the result, may be negative.")
            raise Wrong.fixed(
                f"beta = {beta:g} must give the {names[beta]} of the real "
                "places, for each coordinate, also of small and large values."
            )
    v, may = np.zeros((1, 300, 1)), np.ones((1, 300), bool)
    v[0, 299] = 2.0
    got = answer.call("soft_pool", v, 900.0, may)
    expect_close(got, [[2.0]], "300 places, and all of them count")
    for beta in (900.0, -900.0, 1e-6):
        v = np.array([[[0.0], [LN2 / beta]]])
        got = answer.call("soft_pool", v, beta, may[:, :2])
        what = f"beta = {beta:g}, weights 1/3 and 2/3: beta is used as it is"
        expect_close(got / v[0, 1], [[2 / 3]], what, tolerance=1e-5)
    ones = np.ones((1, 4, 2))
    got = answer.call("soft_pool", ones, 900.0, may[:, :4])
    expect_shape(got, (1, 2), "one image, two coordinates")
    if not np.abs(got - 1).max() <= 1e-8:
        raise Wrong.fixed(
            "four places of 1: the result is 1, to the last digit. Nothing is "
            "added to a sum of exponentials."
        )


@SOFT.check("gradients of v")
def soft_gradients(answer, rng):
    args = {"v": rng.normal(size=(2, 5, 3)), "beta": 0.7}
    args |= {"may": np.arange(5) < np.array([[3], [5]])}
    got = answer.call("soft_pool", *args.values())
    expect_shape(got, (2, 3), "two images, five places, three coordinates")
    expect_gradients(answer, "soft_pool", args, rng)


def atanh(x):
    return np.log((1 + x) / (1 - x)) / 2


# One image of three places, width 2, one hidden coordinate. tanh is 0, 1/2,
# -3/5; the gates are 1/2, 3/4, 2/3. Scores: p times 0, 3/8, -2/5.
H = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
BIG_V = np.array([[atanh(0.5)], [atanh(-0.6)]])
BIG_U = np.array([[np.log(3.0)], [LN2]])
P = np.array([4 * LN2])  # scores: ln 2 times 0, 1.5, -1.6


def from_scores(s):
    """The sum of H with weights 2 to the power of s (three numbers)."""
    p = 2.0 ** np.asarray(s, float)
    return (p / p.sum()) @ H[0][None]


@GATED.check("a worked example")
def gated_by_hand(answer, rng):
    got = answer.call("gated_pool", H, BIG_V, BIG_U, P)
    t, g = np.array([0, 0.5, -0.6]), np.array([0.5, 0.75, 2 / 3])
    # the branches exchanged: tanh of U; gates of V, for e^v is sqrt 3, 1/2
    t2, g2 = np.array([0, 0.8, 0.6]), 1 / (1 + np.array([1, 3**-0.5, 2]))
    raw, raw_u = np.array([0, *BIG_V[:, 0]]), np.array([0, *BIG_U[:, 0]])
    s = 4 * t * g
    weights = 2.0**s / (2.0**s).sum()
    suspects = {
        "U and V are exchanged: tanh belongs to V.": from_scores(4 * t2 * g2),
        "the gate is missing.": from_scores(4 * t),
        "the tanh branch is missing.": from_scores(4 * g),
        "the branches are added; their product is asked.": from_scores(
            4 * (t + g)
        ),
        "both branches use tanh; the gate is a sigmoid.": from_scores(
            4 * t * t2
        ),
        "both branches use the sigmoid; the first is tanh.": from_scores(
            4 * g * g2
        ),
        "the gate has no sigmoid.": from_scores(4 * t * raw_u),
        "the first branch has no tanh.": from_scores(4 * raw * g),
        "that is the average; the scores make no difference. Does the "
        "softmax run over an axis of one coordinate?": H.mean(axis=1),
        "there is no softmax: the scores themselves are the weights.": (
            (s * LN2) @ H[0]
        )[None],
        "the scores pass a sigmoid, each for itself; they need a softmax "
        "over places.": (1 / (1 + 2.0**-s) @ H[0])[None],
        "small scores get the weight: the sign is wrong.": from_scores(-s),
        "scores may be negative; one has lost its sign.": from_scores(abs(s)),
        "the scores are divided by a root; no such factor is in the "
        "formula.": from_scores(s / 2**0.5),
        "the scores are divided by the root of n; no such factor is in the "
        "formula.": from_scores(s / 3**0.5),
        "that is a mean of weighted states; their sum is asked.": (
            weights @ H[0] / 3
        )[None],
    }
    want = np.array([[2**1.5, 2**-1.6]]) / (1 + 2**1.5 + 2**-1.6)
    expect_close(got, want, "the worked example", suspects)


@GATED.check("two hidden coordinates, two images")
def gated_two(answer, rng):
    # p = (1, -1) ln 2 and equal columns: all scores are 0, so the average.
    h = rng.normal(size=(7, 5, 3))
    column_v, column_u = rng.normal(size=(2, 3, 1))
    args = np.tile(column_v, 2), np.tile(column_u, 2), np.array([1.0, -1.0])
    got = answer.call("gated_pool", h, *args)
    expect_shape(got, (7, 3), "seven images, five places, width 3")
    why = {"the softmax runs over the batch; it runs over places.": None}
    suspects = {next(iter(why)): h.sum(axis=1) / 7}
    suspects["the softmax runs over all images together."] = h.sum(axis=1) / 35
    expect_close(got, h.mean(axis=1), "scores of 0", suspects)
    one = answer.call("gated_pool", h[:1], column_v, column_u, np.ones(1))
    two = answer.call(
        "gated_pool",
        h[:1],
        np.tile(column_v, 2),
        np.tile(column_u, 2),
        np.array([0.75, 0.25]),
    )
    less = answer.call(
        "gated_pool", h[:1], column_v, column_u, np.full(1, 0.5**0.5)
    )
    suspects = {
        "the scores are divided by the root of m; no such factor is in the "
        "formula.": less
    }
    what = "p = (3/4, 1/4) and equal columns, against p = 1"
    expect_close(two, one, what, suspects)


@GATED.check("the order of places makes no difference")
def gated_order(answer, rng):
    h = rng.normal(size=(2, 6, 3))
    rest = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.normal(size=4)
    got = answer.call("gated_pool", h, *rest)
    expect_shape(got, (2, 3), "two images, six places, width 3")
    again = answer.call("gated_pool", h[:, ::-1].copy(), *rest)
    expect_close(again, got, "the same places in another order")
    for k in range(2):
        single = answer.call("gated_pool", h[k : k + 1], *rest)
        if not np.allclose(single, got[k : k + 1], rtol=0, atol=1e-5):
            raise Wrong.fixed(
                "an image's result depends on the other images of its batch: "
                "each has scores of its own, and the softmax runs over places "
                "only."
            )
    h = np.zeros((1, 300, 2))
    h[0, 299] = H[0, 1]  # score 3/2 ln 2, the others 0
    got = answer.call("gated_pool", h, BIG_V, BIG_U, P)
    want = 2**1.5 / (299 + 2**1.5) * h[:, 299]
    expect_close(got, want, "300 places, and all of them count")
    ones = np.ones((1, 4, 2))
    got = answer.call("gated_pool", ones, BIG_V, BIG_U, P)
    expect_shape(got, (1, 2), "one image, width 2")
    if not np.abs(got - 1).max() <= 1e-8:
        raise Wrong.fixed(
            "four places of 1: the result is 1, to the last digit. Nothing is "
            "added to a sum of exponentials."
        )


@GATED.check("large scores")
def gated_large(answer, rng):
    h = np.array([[[-0.05], [3.0], [-3.0], [1.0]]])
    args = h, np.full((1, 2), 9.0), np.zeros((1, 2)), np.full(2, -5000.0)
    got = answer.call("gated_pool", *args)
    expect_shape(got, (1, 1), "one image, width 1")
    if not abs(got[0, 0] + 3) <= 1e-6:
        raise Wrong.fixed(
            "scores of -5,000 to 5,000: exp overflows, or the place with the "
            "largest score does not get all weight."
        )
    # A second hidden number is 1 everywhere: p_2 more for each score.
    h = np.concatenate([H, np.ones((1, 3, 1))], axis=2)
    V, U = np.zeros((2, 3, 2))
    V[:2, :1], U[:2, :1], V[2, 1], U[2, 1] = BIG_V, BIG_U, 800, 800
    near, *far = (
        answer.call("gated_pool", h, V, U, np.array([P[0], x]))
        for x in (0.0, 5000.0, -5000.0)
    )
    for x in (near, *far):
        expect_shape(x, (1, 3), "one image, width 3")
    if not np.isfinite([near, *far]).all():
        raise Wrong.fixed(
            "800 before the tanh and the sigmoid gives nan: exp overflows; "
            "use torch.tanh and torch.sigmoid."
        )
    if not all(np.allclose(x, near, rtol=0, atol=5e-3) for x in far):
        raise Wrong.fixed(
            "5,000 more, or less, for every score must change nothing: do not "
            "cut scores off."
        )


@GATED.check("a hidden coordinate with p = 0")
def gated_unused(answer, rng):
    V, U = rng.normal(size=(2, 3, 2))
    h, p = rng.normal(size=(2, 5, 3)), np.array([2.0, 0.0])
    got = answer.call("gated_pool", h, V, U, p)
    one = answer.call("gated_pool", h, V[:, :1], U[:, :1], p[:1])
    expect_shape(one, (2, 3), "two images, width 3")
    expect_close(got, one, "a hidden coordinate whose p is 0 changes nothing")


@GATED.check("gradients of all four arguments")
def gated_gradients(answer, rng):
    args = {"h": rng.normal(size=(2, 5, 3)), "V": rng.normal(size=(3, 4))}
    args |= {"U": rng.normal(size=(3, 4)), "p": rng.normal(size=4)}
    got = answer.call("gated_pool", *args.values())
    expect_shape(got, (2, 3), "two images, five places, width 3")
    expect_gradients(answer, "gated_pool", args, rng)


@WEIGHT.check("by hand: ten places")
def weight_by_hand(answer, rng):
    # rho = 5, r = 3: 25/9 - 1 = 16/9; times 9 places: 16; 1 / (1 + 4) = 1/5.
    suspects = {
        "that takes the error of the signal's own place for 0.": 1 / 6,
        "that forgets that there are n - 1 other places.": 3 / 7,
        "there are n - 1 other places, not n.": 1 / (1 + np.sqrt(160 / 9)),
        "the root is missing: the equation holds for squares.": 1 / 17,
        "that is r / rho: standard deviations were added; variances add, and "
        "each weight is squared.": 3 / 5,
        "that is the odds a : (1 - a), not a.": 1 / 4,
        "that is (1 - a) : a, not a.": 4,
        "that is 1 - a, the weight of the others.": 4 / 5,
        "rho and r have not been squared.": 1 / (1 + np.sqrt(6)),
        "each other place has the weight (1 - a) / (n - 1): square it, then "
        "multiply by n - 1. Fewer places would need more weight here.": 9 / 13,
        "that multiplies by n - 1 outside the root.": 1 / 13,
        "that is the average's weight, whatever r is.": 1 / 10,
        "that is the square of the answer.": 1 / 25,
        "1 is taken off the squared ratio, not added.": 1 / (1 + 34**0.5),
        "(1 - a) / a + 1 is 1 / a: add 1 to the root.": 1 / 3,
        "rho / r is squared as a whole.": 1 / (1 + 66**0.5),
    }
    got = answer.call("weight_needed", 10, 5.0, 3.0)
    expect_close(got, 1 / 5, "n = 10, rho = 5, r = 3", suspects)


@WEIGHT.check("when the average is just enough")
def weight_average(answer, rng):
    for n in (4, 9, 100):
        got = answer.call("weight_needed", n, 6.0, 6.0 / np.sqrt(n))
        expect_shape(got, (), "the weight, one number")
        if not abs(got - 1 / n) <= 1e-9:
            raise Wrong.fixed(
                "with n places and r = rho / sqrt(n) the average, a = 1/n, "
                "is just enough; yours says otherwise."
            )


@WEIGHT.check("nothing lost, everything needed")
def weight_ends(answer, rng):
    got = answer.call("weight_needed", 7, 2.5, 2.5)
    expect_shape(got, (), "the weight, one number")
    if not abs(got - 1) <= 1e-6:
        raise Wrong.fixed(
            "r = rho needs all weight, a = 1: nothing is added to the formula "
            "or cut off, and it is no case of its own."
        )
    got = answer.call("weight_needed", 2, 1.0, 1 / np.sqrt(5))
    suspects = {"a may be below 1/n: an r below that of the average.": 1 / 2}
    what = "two places, rho = 1, r = 1 / sqrt(5)"
    expect_close(got, 1 / 3, what, suspects)
    got = answer.call("weight_needed", 2, 5**0.5, 2.0)
    suspects = {
        "a is positive: of the two roots take the one below 1.": 2,
        "a may exceed one half.": 1 / 2,
    }
    expect_close(got, 2 / 3, "two places, rho = sqrt(5), r = 2", suspects)
    got = answer.call("weight_needed", 10**6 + 1, 5000.0, 3000.0)
    what = "a million places, rho = 5000, r = 3000: nothing is cut off"
    expect_close(1000 * got, 3 / 4.003, what)
    got = answer.call("weight_needed", 10, 0.05, 0.03)
    expect_close(got, 1 / 5, "rho = 0.05, r = 0.03: nothing is cut off")


@WEIGHT.check("the weight does give r")
def weight_gives(answer, rng):
    for _ in range(3):
        n, rho = int(rng.integers(3, 60)), rng.uniform(2, 9)
        r = rho * rng.uniform(0.3, 0.95)
        a = answer.call("weight_needed", n, rho, r)
        expect_shape(a, (), "the weight, one number")
        deviation = np.sqrt(a**2 + (n - 1) * ((1 - a) / (n - 1)) ** 2)
        if not abs(a * rho / deviation - r) <= 1e-6:
            raise Wrong.fixed(
                "with this weight, signal over error is not r: put it back "
                "into your ratio."
            )


def one_hot_maps(tops, rows, columns):
    maps = np.zeros((len(tops), rows, columns))
    for k, (y, x) in enumerate(tops):
        maps[k, y, x] = 1
    return maps


# 2 x 3 cells on 20 x 90 pixels: cells of 10 x 30.
WIDE = one_hot_maps([(1, 2), (1, 0), (0, 1), (0, 2)], 2, 3)
BOXES = np.array(
    [[10, 60, 20, 80], [12, 10, 18, 20], [0, 40, 10, 50], [3, 30, 8, 60]]
)


@POINTING.check("wide images")
def pointing_wide(answer, rng):
    got = answer.call("pointing_hits", WIDE, BOXES, 20, 90)
    expect_shape(got, (4,), "four maps")
    suspects = {
        "2 x 3 cells are numbered 0 to 5, three to a row: the flat number "
        "is row times columns plus column.": [0, 0, 1, 0],
        "that is where the maps miss; True is a hit.": [0, 0, 0, 1],
        "y and x are exchanged: a box holds its row first.": [0, 1, 0, 0],
        "that takes the corner of a cell, not its middle.": [1, 0, 0, 0],
    }
    suspects["all maps cannot hit; look at the last one."] = [1] * 4
    suspects[
        "no map hits: are height and width, or rows and columns of a box, "
        "exchanged? A cell has height / rows by width / columns pixels."
    ] = [0] * 4
    expect_close(got, [1, 1, 1, 0], "2 x 3 cells on 20 x 90", suspects)


@POINTING.check("high images")
def pointing_high(answer, rng):
    maps = one_hot_maps([(4, 0), (2, 1), (3, 1)], 5, 2)
    # cells of 8 x 11 pixels: middles (36, 5.5), (20, 16.5), (28, 16.5)
    boxes = np.array([[35, 4, 38, 7], [18, 15, 22, 18], [29, 12, 33, 20]])
    got = answer.call("pointing_hits", maps, boxes, 40, 22)
    expect_shape(got, (3,), "three maps")
    expect_close(got, [1, 1, 0], "5 x 2 cells on 40 x 22")


@POINTING.check("the middle of a cell, and the box's edges")
def pointing_edges(answer, rng):
    # one cell row of 8 pixels, two columns of 6: middles (4, 3) and (4, 9)
    maps = one_hot_maps([(0, 0)] * 4 + [(0, 1)] * 2 + [(0, 0)], 1, 2)
    boxes = np.array(
        [
            [4, 3, 5, 4],  # begins at the middle: inside
            [0, 0, 4, 6],  # ends before row 4
            [0, 0, 8, 3],  # ends before column 3
            [0, 0, 1, 1],  # holds the cell's corner, not its middle
            [4, 9, 8, 12],
            [4, 3, 8, 9],
            [0, 0, 8, 6],
        ]
    )
    got = answer.call("pointing_hits", maps, boxes, 8, 12)
    suspects = {
        "that takes the corner of a cell, not its middle.": [
            0,
            1,
            1,
            1,
            0,
            0,
            1,
        ],
        "a box ends before its last two numbers.": [1, 1, 1, 0, 1, 1, 1],
        "a box begins at its first row and column: they belong to it.": (
            [0, 0, 0, 0, 0, 0, 1]
        ),
    }
    expect_close(got, [1, 0, 0, 0, 1, 0, 1], "middles and edges", suspects)


@POINTING.check("cells of odd size")
def pointing_odd(answer, rng):
    maps = one_hot_maps([(0, 0), (0, 0), (0, 1), (0, 1)], 1, 2)
    # on 7 x 10 pixels: middles (3.5, 2.5) and (3.5, 7.5)
    boxes = np.array([[4, 0, 7, 5], [0, 0, 4, 3], [0, 8, 7, 10], [3, 7, 4, 8]])
    got = answer.call("pointing_hits", maps, boxes, 7, 10)
    suspects = {"a middle may lie between pixels: do not round.": [1, 0, 1, 0]}
    suspects["a middle may lie between pixels: do not round. "] = [1, 0, 0, 0]
    expect_close(got, [0, 1, 0, 1], "middles at halves", suspects)


@POINTING.check("every cell of an uneven grid")
def pointing_every(answer, rng):
    tops = [(y, x) for y in range(3) for x in range(7)]
    maps = one_hot_maps(tops, 3, 7)
    maps += rng.uniform(-1, 0, size=maps.shape) - 3  # the highest is negative
    # on 24 x 28 pixels: cells of 8 x 4
    own = np.array([[8 * y, 4 * x, 8 * y + 8, 4 * x + 4] for y, x in tops])
    got = answer.call("pointing_hits", maps, own, 24, 28)
    expect_shape(got, (21,), "21 maps")
    expect_close(got, np.ones(21), "each cell's own box")
    other = answer.call("pointing_hits", maps, np.roll(own, 1, axis=0), 24, 28)
    expect_close(other, np.zeros(21), "each cell with its neighbour's box")
    many = [np.tile(x, (20, 1, 1)[: x.ndim]) for x in (maps, own)]
    got = answer.call("pointing_hits", *many, 24, 28)
    expect_close(got, np.ones(420), "420 maps, each with its own box")


@PATCHES.check("one image by hand")
def patches_by_hand(answer, rng):
    image = np.arange(24.0).reshape(1, 4, 6)
    got = answer.call("patch_rows", image, 2)
    want = [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11]]
    want = np.array([want + [[x + 12 for x in row] for row in want]])
    order = [0, 3, 1, 4, 2, 5]
    suspects = {
        "a row holds a strip: a reshape never moves a number, so the patches "
        "must be cut along both axes and an axis transposed.": image.reshape(
            1, 6, 4
        ),
        "the patches stand in the order of columns; read row by row.": want[
            :, order
        ],
        "the pixels of a patch stand in the order of columns; read row by "
        "row.": want[..., [0, 2, 1, 3]],
        "patches and pixels stand in the order of columns; read row by "
        "row.": want[:, order][..., [0, 2, 1, 3]],
        "pixels come first and patches second; row j is patch j.": (
            want.transpose(0, 2, 1)
        ),
        "the two axes that are exchanged are not the right ones.": (
            image.reshape(1, 2, 2, 3, 2)
            .transpose(0, 2, 1, 3, 4)
            .reshape(1, 6, 4)
        ),
        "the last axes are exchanged; exchange the two in the middle.": (
            image.reshape(1, 2, 2, 3, 2)
            .transpose(0, 1, 2, 4, 3)
            .reshape(1, 6, 4)
        ),
        "the axes are in the right order, but the transposed image was "
        "reshaped.": image.transpose(0, 2, 1).reshape(1, 6, 4),
    }
    expect_close(got, want, "4 x 6 pixels, p = 2", suspects)


@PATCHES.check("two images, larger patches")
def patches_two(answer, rng):
    images = rng.normal(size=(2, 6, 12))
    got = answer.call("patch_rows", images, 3)
    expect_shape(got, (2, 8, 9), "two images of 6 x 12 pixels, p = 3")
    for j, (y, x) in enumerate((y, x) for y in (0, 3) for x in (0, 3, 6, 9)):
        want = images[:, y : y + 3, x : x + 3].reshape(2, 9)
        expect_close(got[:, j], want, "one of the patches of 3 x 3")


@PATCHES.check("patches of one pixel, and one patch")
def patches_ends(answer, rng):
    images = rng.normal(size=(3, 2, 4))
    got = answer.call("patch_rows", images, 1)
    expect_close(got, images.reshape(3, 8, 1), "p = 1: every pixel a patch")
    got = answer.call("patch_rows", images[:, :, :2].copy(), 2)
    expect_close(got, images[:, :, :2].reshape(3, 1, 4), "one patch in all")


@PATCHES.check("gradients of the images")
def patches_gradients(answer, rng):
    args = {"images": rng.normal(size=(2, 4, 6)), "p": 2}
    expect_gradients(answer, "patch_rows", args, rng)
