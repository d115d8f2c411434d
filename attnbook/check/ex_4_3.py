"""Visible checks of chapter 4.3's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

from itertools import permutations

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    expect_shape,
)

LESS = Exercise("4_3.a", "One state less", ("without_each",), "torch")
ROW = Exercise("4_3.b", "Rollout for one output", ("rollout_row",), "torch")
SAME = Exercise("4_3.c", "Tokens that say the same", ("redundant_areas",))
DIVERGENCE = Exercise(
    "4_3.d",
    "A divergence that stops its own search",
    ("divergence",),
    "torch",
    True,
)
FREE = Exercise("4_3.e", "How many other weights?", ("free_directions",))
EXERCISES = [LESS, ROW, SAME, DIVERGENCE, FREE]

LN2 = np.log(2.0)


def chances(z):
    """Softmax over the classes, the last axis."""
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


# Two images, four places, three classes; the first one's last place is padding.
A = np.array([[0.5, 0.25, 0.25, 0], [0.25] * 4])
Z = np.array(
    [
        [[3, 0, 0], [0, 6, 0], [0, 0, 6], [9, -9, 0]],
        [[12, 0, 0], [0, 0, 12], [12, 0, 0], [0, 0, 0]],
    ]
)
# Scores times ln 2: without place 0 of image 0, 0 3 3, so p = 1 / 17; ...
FALLS = np.array(
    [
        [1 / 3 - 1 / 17, 1 / 3 - 4 / 9, 1 / 3 - 4 / 9, 0],
        8 / 73 - np.array([16 / 33, 1 / 258, 16 / 33, 16 / 273]),
    ]
)


def falls(rest, labels=(0, 2), turn=chances):
    """p(label) of all, less that of class scores `rest` (b, n, classes)."""
    whole = (A[..., None] * Z * LN2).sum(axis=1, keepdims=True)
    fall = turn(whole) - turn(rest)
    return fall[np.arange(2), :, list(labels)]


@LESS.check("a worked example, with padding")
def less_by_hand(answer, rng):
    got = answer.call("without_each", A, Z * LN2, np.array([0, 2]))
    part = A[..., None] * Z * LN2
    whole = part.sum(axis=1, keepdims=True)
    others = (LN2 * Z.sum(axis=1, keepdims=True) - Z * LN2) / 3
    rest = (whole - part) / (1 - A[..., None])
    suspects = {
        "the other weights do not sum to 1: divide by 1 - a_j.": falls(
            whole - part
        ),
        "the weights are multiplied by 1 - a_j; divide.": falls(
            (whole - part) * (1 - A[..., None])
        ),
        "the weight of place j goes to the others in equal parts; it goes in "
        "proportion to theirs.": falls(whole - part + A[..., None] * others),
        "the sign is wrong: the fall is p(all) - p(without j).": -FALLS,
        "without place j the mean of the others' scores is not what is left; "
        "take off a_j z_j.": falls(
            whole - part + A[..., None] * (Z * LN2).mean(axis=1, keepdims=True)
        ),
        "the probability is a softmax over the classes, not a sigmoid.": falls(
            rest, turn=lambda z: 1 / (1 + np.exp(-z))
        ),
        "without j the softmax runs over places; it runs over the classes.": (
            chances(whole) - chances(rest.transpose(0, 2, 1)).transpose(0, 2, 1)
        )[np.arange(2), :, [0, 2]],
        "that is the fall of the class score, not of the probability.": falls(
            rest, turn=lambda z: z
        ),
        "that is the fall of log p, not of p.": falls(
            rest, turn=lambda z: np.log(chances(z))
        ),
        "that is p(without j) itself; its fall is asked.": (
            chances(rest)[np.arange(2), :, [0, 2]]
        ),
        "the label of each image is asked for; that is the first one's for "
        "all, or the likeliest class.": falls(rest, (0, 0)),
        "that leaves only place j, instead of leaving it out.": falls(Z * LN2),
    }
    if np.isnan(got).any():
        raise Wrong.fixed("the worked example gives nan; no weight in it is 1.")
    expect_close(got, FALLS, "the worked example", suspects)


def images(rng, b=2, n=5, classes=3):
    """Random weights, scores and labels."""
    a = chances(rng.normal(size=(b, n)))
    z = 2 * rng.normal(size=(b, n, classes))
    return a, z, rng.integers(0, classes, b)


@LESS.check("what must not matter")
def less_properties(answer, rng):
    a, z, labels = images(rng, b=7, n=9)
    got = answer.call("without_each", a, z, labels)
    expect_shape(got, (7, 9), "seven images, nine places")
    if not np.abs(got).max() > 1e-3:
        raise Wrong.fixed("random scores, and no place makes a difference.")
    shift = rng.normal(size=(7, 9, 1))
    again = answer.call("without_each", a, z + shift, labels)
    expect_close(again, got, "a place that adds as much to every class")
    turned = answer.call(
        "without_each", a[:, ::-1].copy(), z[:, ::-1].copy(), labels
    )
    expect_close(turned[:, ::-1], got, "the places in another order")
    for k in (1, 6):
        alone = answer.call(
            "without_each", a[k : k + 1], z[k : k + 1], labels[k : k + 1]
        )
        what = "one image without the rest of its batch"
        expect_close(alone, got[k : k + 1], what)
    same = answer.call("without_each", a, z[:, :1] + 0 * z, labels)
    expect_close(same, 0 * got, "places that all say the same: no fall")
    z = np.zeros((1, 2, 9))  # the last of nine classes has the score ln 2
    z[0, 0, 8] = 2 * LN2
    args = np.array([[0.5, 0.5]]), z, np.array([8])
    got = answer.call("without_each", *args)
    want = [[2 / 10 - 1 / 9, 2 / 10 - 4 / 12]]
    expect_close(got, want, "nine classes: all of them share the probability")


@LESS.check("large scores")
def less_large(answer, rng):
    z = np.array(  # 1250 against 250; 2000 against 2100
        [
            [[4000.0, 0], [-3000, 0], [0, 1000]],
            [[2000, 2300], [2000, 1900], [2000, 1900]],
        ]
    )
    a = np.array([[0.5, 0.25, 0.25]] * 2)
    got = answer.call("without_each", a, z, np.array([0, 1]))
    expect_shape(got, (2, 3), "two images, three places")
    if not np.abs(got - np.array([[1.0, 0, 0]])).max() <= 1e-6:
        raise Wrong.fixed(
            "scores of thousands: exp overflows, or the fall is wrong; use "
            "softmax, which subtracts the largest score of each image."
        )


@LESS.check("a weight near 1")
def less_near_one(answer, rng):
    rest = 2.0**-20
    a = np.array([[1 - rest, rest, 0]])  # without place 0, place 1 is all
    z = np.array([[[0, 0], [np.log(3), 0], [5.0, 0]]])
    whole = chances(np.array([rest * np.log(3), 0]))[0]
    got = answer.call("without_each", a, z, np.array([0]))
    expect_shape(got, (1, 3), "one image, three places")
    if not np.isclose(got[0, 0], whole - 0.75, rtol=1e-6, atol=0):
        raise Wrong.fixed(
            "a weight of 0.999999: divide by 1 - a_j itself, however small; a "
            "floor under it changes the result."
        )
    expect_close(got[0, 1:], [whole - 0.5, 0], "the two other places")
    # a place of little weight, and a score that makes up for it
    a = np.array([[rest, 0.5, 0.5 - rest]])
    z = np.array([[[np.log(3) / rest, 0], [0, 0], [0, 0]]])
    got = answer.call("without_each", a, z, np.array([0]))
    if not np.isclose(got[0, 0], 0.75 - 0.5, rtol=1e-5):
        raise Wrong.fixed(
            "a weight of 0.000001 on a score of 1,000,000: only a weight of 0 "
            "is padding."
        )


@LESS.check("gradients of scores and weights")
def less_gradients(answer, rng):
    a, z, labels = images(rng)
    a[0, -1] = 0  # padding
    a /= a.sum(axis=1, keepdims=True)
    got = answer.call("without_each", a, z, labels)
    expect_shape(got, (2, 5), "two images, five places")
    if not np.isfinite(got).all() or not np.abs(got).max() > 1e-3:
        raise Wrong.fixed("the result holds nan or infinity, or only zeros.")
    u = rng.normal(size=(2, 5))
    grad_a, grad_z, *_ = answer.vjp("without_each", (a, z, labels), u)
    if not np.isfinite(grad_a).all() or not np.isfinite(grad_z).all():
        raise Wrong.fixed(
            "the gradient holds nan or infinity where a weight is 0, as at "
            "padding: is a logarithm of it on the way?"
        )
    step_z, step_a = rng.normal(size=z.shape), a * rng.normal(size=a.shape)
    step_a -= a * step_a.sum(axis=1, keepdims=True)  # weights still sum to 1
    for name, grad, moves in (
        ("z", (grad_z * step_z).sum(), (0 * a, step_z)),
        ("a", (grad_a * step_a).sum(), (step_a, 0 * z)),
    ):
        for t, rough in (1e-5, 1), (5e-3, 100):  # longer ones for float32
            ends = [
                answer.call(
                    "without_each", a + s * moves[0], z + s * moves[1], labels
                )
                for s in (t, -t)
            ]
            slope = (u * (ends[0] - ends[1])).sum() / (2 * t)
            close = {"rtol": rough * 1e-4, "atol": rough * 1e-5}
            if np.isclose(grad, slope, **close):
                break
        else:
            raise Wrong.fixed(
                f"the gradient of {name} is not that of the result: something "
                "is detached on the way, or rounded."
            )


# One layer, two images, two heads of three tokens: rows of token 1 are (1, 0,
# 0) and (1/2, 1/2, 0) in the first image; their largest: (1, 1/2, 0).
HEADS = np.array(
    [
        [
            [[0, 0.5, 0.5], [1, 0, 0], [0.25, 0, 0.75]],
            [[0, 0, 1], [0.5, 0.5, 0], [0, 1, 0]],
        ],
        [
            [[1, 0, 0], [0, 0.25, 0.75], [0, 0, 1]],
            [[0, 1, 0], [0.75, 0.25, 0], [1, 0, 0]],
        ],
    ]
)[None]


def mixed(row, share=0.6):
    """Share times a row for token 1, and the rest on token 1 itself."""
    return share * np.asarray(row) + (1 - share) * np.eye(3)[1]


@ROW.check("one layer by hand")
def row_by_hand(answer, rng):
    got = answer.call("rollout_row", HEADS, 1, 0.6)
    largest, mean = HEADS[0].max(axis=1), HEADS[0].mean(axis=1)
    rows = largest / largest.sum(axis=2, keepdims=True)
    columns = largest / largest.sum(axis=1, keepdims=True)
    want = [[0.4, 0.6, 0], [18 / 70, 0.4 + 6 / 70, 18 / 70]]
    suspects = {
        "that is the mean of the heads; their largest weight is asked.": (
            mixed(mean[:, 1])
        ),
        "the joined rows no longer sum to 1: divide by their sums.": mixed(
            largest[:, 1]
        ),
        "the joined weights were divided by the sums of columns: rows belong "
        "to queries.": mixed(columns[:, 1]),
        "share and 1 - share are exchanged.": mixed(rows[:, 1], 0.4),
        "the chapter's one half is built in: use share.": mixed(
            rows[:, 1], 0.5
        ),
        "that is column i: what arrives from token i, not at it.": mixed(
            rows[:, :, 1]
        ),
        "what stays in place, 1 - share, is missing.": rows[:, 1],
        "what stays in place, 1 - share, is missing; and share is not a "
        "factor of the result then.": 0.6 * rows[:, 1],
        "what stays is not multiplied by 1 - share.": mixed(rows[:, 1])
        + 0.6 * np.eye(3)[1],
        "that is row 0 for every i.": 0.6 * rows[:, 0] + 0.4 * np.eye(3)[0],
        "that is the smallest weight of the heads; the largest is asked.": (
            mixed(
                (m := HEADS[0].min(axis=1))[:, 1]
                / np.maximum(m[:, 1].sum(axis=-1, keepdims=True), 1e-300)
            )
        ),
        "that joins the heads by a sum without dividing.": mixed(
            HEADS[0].sum(axis=1)[:, 1]
        ),
        "only the first head is used.": mixed(HEADS[0, :, 0, 1]),
    }
    expect_close(got, want, "one layer, share 0.6, i = 1", suspects)
    for share in (0.02, 0.97):
        got = answer.call("rollout_row", HEADS, 1, share)
        what = f"one layer, share {share}, i = 1: share is used as it is"
        expect_close(got, mixed(rows[:, 1], share), what)


# Three layers, two images, four heads that agree, five tokens; each token
# looks at one other.
NEXT = np.array(
    [
        [[1, 2, 3, 4, 0], [2, 0, 4, 1, 3]],
        [[3, 0, 1, 2, 4], [4, 3, 2, 0, 1]],
        [[0, 4, 2, 1, 3], [1, 2, 0, 4, 3]],
    ]
)


def pointers():
    return np.eye(5)[NEXT][:, :, None].repeat(4, axis=2)


@ROW.check("three layers in which each token looks at one other")
def row_order(answer, rng):
    for i in range(5):
        path = NEXT[2, :, i]  # from the last layer down to the first
        path = NEXT[0, [0, 1], NEXT[1, [0, 1], path]]
        up = NEXT[0, :, i]
        up = NEXT[2, [0, 1], NEXT[1, [0, 1], up]]
        got = answer.call("rollout_row", pointers(), i, 1.0)
        expect_shape(got, (2, 5), "two images, five tokens")
        suspects = {
            "the layers are taken in the wrong order: the last layer meets "
            "the row first.": np.eye(5)[up],
            "that uses the last layer alone.": np.eye(5)[NEXT[2, :, i]],
            "that uses the first layer alone.": np.eye(5)[NEXT[0, :, i]],
        }
        expect_close(got, np.eye(5)[path], f"share 1, i = {i}", suspects)


@ROW.check("two layers, half of which stays")
def row_mixture(answer, rng):
    got = answer.call("rollout_row", pointers()[:2], 2, 0.5)
    first, second = NEXT[0], NEXT[1]
    both = [0, 1]
    ends = [[2, 2], first[:, 2], second[:, 2], first[both, second[:, 2]]]
    want = np.eye(5)[np.array(ends)].mean(axis=0)
    top = np.eye(5)[[2, 2]] / 2 + np.eye(5)[ends[3]] / 2
    suspects = {
        "the mixture with what stays belongs in every layer, not only at "
        "the end.": top,
    }
    expect_close(got, want, "share one half, i = 2", suspects)


@ROW.check("five layers, five heads")
def row_every(answer, rng):
    weights = np.eye(3) + np.zeros((5, 2, 5, 1, 1))  # all look at themselves,
    weights[0, :, 4] = np.eye(3)[[1, 2, 0]]  # but for one head of the first
    want = [[0.5, 0, 0.5]] * 2
    partly = "only some of the layers, or of the heads, are used: take all."
    got = answer.call("rollout_row", weights, 2, 1.0)
    expect_close(
        got, want, "five layers, five heads", {partly: [[0, 0, 1]] * 2}
    )
    got = answer.call("rollout_row", weights[::-1, :, ::-1].copy(), 2, 1.0)
    expect_close(got, want, "the same, turned round", {partly: [[0, 0, 1]] * 2})
    weights = np.eye(3) + np.zeros((120, 1, 120, 1, 1))
    weights[0, :, 4] = np.eye(3)[[1, 2, 0]]
    for turned in weights, weights[::-1, :, ::-1].copy():
        got = answer.call("rollout_row", turned, 2, 1.0)
        suspects = {partly: [[0, 0, 1]]}
        expect_close(got, want[:1], "120 layers, 120 heads", suspects)


@ROW.check("limits, and a sum of 1")
def row_limits(answer, rng):
    weights = chances(rng.normal(size=(3, 7, 4, 9, 9)))
    stays = answer.call("rollout_row", weights, 8, 0.0)
    expect_close(stays, np.eye(9)[[8] * 7], "share 0: all stays at i")
    got = answer.call("rollout_row", weights, 3, 0.7)
    expect_shape(got, (7, 9), "seven images, nine tokens")
    expect_close(got.sum(axis=1), np.ones(7), "the sum over tokens")
    alone = answer.call("rollout_row", weights[:, 1:], 3, 0.7)
    expect_close(alone, got[1:], "one image without the rest of its batch")


@ROW.check("gradients of the weights")
def row_gradients(answer, rng):
    # small steps must not change which head is largest
    largest = np.eye(4)[rng.integers(4, size=(2, 3, 5, 5))]
    weights = 0.3 * chances(rng.normal(size=(2, 3, 4, 5, 5)))
    weights += 0.4 * np.moveaxis(largest, -1, 2)
    got = answer.call("rollout_row", weights, 1, 0.7)
    expect_shape(got, (3, 5), "three images, five tokens")
    args = {"weights": weights, "i": 1, "share": 0.7}
    expect_gradients(answer, "rollout_row", args, rng)


def both_areas(answer, n, k):
    best, mean = answer.call("redundant_areas", n, k, parts=2)
    for what, value in ("best", best), ("mean", mean):
        if value.shape != ():
            raise Wrong.fixed(f"the {what} area must be one number.")
    return best, mean


@SAME.check("seven tokens, three that say the same")
def same_by_hand(answer, rng):
    best, mean = both_areas(answer, 7, 3)  # the last key token: 3; 6 on average
    expect_close(
        best,
        5 / 14,
        "n = 7, k = 3, best",
        {
            "the output falls between two shares: half of the interval "
            "counts.": 3 / 7,
            "the fall comes with the last key token, not after it.": 1 / 2,
            "that is where the output begins to fall; the trapezoid adds half "
            "an interval.": 2 / 7,
            "one deleted key token is not enough while others are left.": 1
            / 14,
            "that is the mean; it comes second.": 11 / 14,
            "divide by n: shares, not tokens.": 5 / 2,
            "n intervals, so divide by n, not by n + 1.": 5 / 16,
            "that is the worst order: the last key token goes last of all.": 13
            / 14,
        },
    )
    expect_close(
        mean,
        11 / 14,
        "n = 7, k = 3, mean",
        {
            "the output falls between two shares: half of the interval "
            "counts.": 6 / 7,
            "half of an interval is added; it is taken off.": 13 / 14,
            "that uses the first key token's number: the output falls with "
            "the last one's.": 3 / 14,
            "that uses the middle key token's number: the output falls with "
            "the last one's.": 1 / 2,
            "that is k / (k + 1), the value for very many tokens.": 3 / 4,
            "the largest number's mean has n + 1, not n.": (21 / 4 - 0.5) / 7,
            "that is where the output begins to fall; the trapezoid adds half "
            "an interval.": 5 / 7,
            "that is the best order's; it comes first.": 5 / 14,
            "divide by n: shares, not tokens.": 11 / 2,
        },
    )


@SAME.check("one key token, and nothing but key tokens")
def same_limits(answer, rng):
    best, mean = both_areas(answer, 9, 1)
    expect_close(best, 1 / 18, "n = 9, k = 1, best")
    expect_close(mean, 1 / 2, "n = 9, k = 1: a random order's mean")
    for got in both_areas(answer, 40, 40):
        expect_close(got, 39.5 / 40, "n = k = 40")
    for got in both_areas(answer, 4, 4):
        expect_close(got, 7 / 8, "n = k = 4, where every order is the same")
    best, mean = both_areas(answer, 1999, 999)
    what = "n = 1999, k = 999: nothing is cut off"
    expect_close(best, 998.5 / 1999, f"{what}; best")
    expect_close(mean, 1997.5 / 1999, f"{what}; mean")


@SAME.check("against all orders, counted")
def same_counted(answer, rng):
    for n, k in (5, 2), (5, 4), (4, 3):
        areas = []
        for order in permutations(range(n)):  # tokens below k are the keys
            left = [any(t < k for t in order[m:]) for m in range(n + 1)]
            curve = np.array(left, float)
            areas.append((curve[1:] + curve[:-1]).sum() / (2 * n))
        best, mean = both_areas(answer, n, k)
        expect_close(best, min(areas), f"n = {n}, k = {k}, best of all orders")
        number = k * (n + 1) / (k + 1)
        suspects = {
            "the mean number need not be whole: do not round it, nor "
            "divide by //." + " " * j: (x - 0.5) / n
            for j, x in enumerate((number // 1, np.round(number)))
        }
        what = f"n = {n}, k = {k}, mean"
        expect_close(mean, np.mean(areas), what, suspects)


MAPS = (
    np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25, 0, 0.75, 0]]),
    np.array([[0.5, 0.5, 0, 0], [0, 0, 1, 0], [0.25, 0, 0.75, 0]]),
)


@DIVERGENCE.check("by hand, with weights of 0")
def divergence_by_hand(answer, rng):
    got = answer.call("divergence", *MAPS)
    first = np.log(4 / 3) / 2 + np.log(2 / 3) / 4 + LN2 / 4
    want = np.array([first, LN2, 0])
    suspects = {
        "that is the sum of both halves; the divergence is half of it.": 2
        * want,
        "that is in bits; the natural logarithm is asked.": want / LN2,
        "the root is not part of the divergence.": want**0.5,
        "the root is not part of the divergence. ": (2 * want) ** 0.5,
        "a token that only one of the two maps has counts, too.": [
            np.log(4 / 3) / 2 + np.log(2 / 3) / 4,
            0,
            0,
        ],
        "the sign is wrong.": -want,
        "only the part of a is there; b has one, too.": [
            np.log(4 / 3) / 2,
            LN2 / 2,
            0,
        ],
        "only the part of b is there; a has one, too.": [
            np.log(2 / 3) / 4 + LN2 / 4,
            LN2 / 2,
            0,
        ],
    }
    if np.isnan(got).any():
        raise Wrong.fixed(
            "the values hold nan: 0 times the logarithm of 0 must count as 0."
        )
    if got.shape == (3,) and 1e-6 < np.abs(got - want).max() < 0.02:
        raise Wrong.fixed(
            "the values are right in their first digits only: a number added "
            "inside the logarithm changes every result."
        )
    expect_close(got, want, "three pairs of maps", suspects)


@DIVERGENCE.check("symmetry, and each row by itself")
def divergence_rows(answer, rng):
    a, b = chances(rng.normal(size=(2, 9, 8)))
    got = answer.call("divergence", a, b)
    expect_shape(got, (9,), "nine pairs of maps")
    expect_close(answer.call("divergence", b, a), got, "a and b exchanged")
    for k in (2, 8):
        one = answer.call("divergence", a[k : k + 1], b[k : k + 1])
        expect_close(one, got[k : k + 1], "one row")
    padding = np.zeros((9, 2))
    longer = [np.concatenate([m, padding], axis=1) for m in (a, b)]
    expect_close(answer.call("divergence", *longer), got, "padding added")


@DIVERGENCE.check("gradients, also at padding")
def divergence_gradients(answer, rng):
    a, b = chances(rng.normal(size=(2, 3, 5)))
    a[:, 3:] = b[:, 3:] = 0
    a[0, 2] = b[0, 2] = 0
    u = np.array([1.0, -2, 0.5])
    if not np.isfinite(answer.call("divergence", a, b)).all():
        raise Wrong.fixed("the values hold nan or infinity.")
    grads = answer.vjp("divergence", (a, b), u)
    if not all(np.isfinite(grad).all() for grad in grads):
        raise Wrong.fixed(
            "where both weights are 0 the gradient is nan or infinite: a "
            "logarithm of 0 is on the way. Choosing 0 after it is too late."
        )
    real = a > 0
    for name, grad, p in (("a", grads[0], a), ("b", grads[1], b)):
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = u[:, None] * np.log(2 * p / (a + b)) / 2
        if not np.allclose(grad[real], slope[real], rtol=1e-5, atol=1e-6):
            raise Wrong.fixed(
                f"where the weights are not 0, the gradient of {name} is not "
                "half the logarithm of its weight over the middle; is "
                "something detached, or is nan replaced in the gradient?"
            )
    a = np.array([[0.5, 0.5 - 1e-5 - 1e-9, 1e-5, 1e-9]])
    b = a[:, [2, 3, 0, 1]]
    grads = answer.vjp("divergence", (a, b), np.array([2.0]))
    for grad, p in zip(grads, (a, b)):
        if not np.allclose(grad, np.log(2 * p / (a + b)), rtol=1e-5, atol=0):
            raise Wrong.fixed(
                "weights of 0.00001 and less: a floor or a number added inside "
                "the logarithm is so large that it changes their gradient."
            )
    # 1e-9 and 3e-9 at the same token
    a, b = np.array([[1 - 1e-9, 1e-9]]), np.array([[1 - 3e-9, 3e-9]])
    grads = answer.vjp("divergence", (a, b), np.array([2.0]))
    for grad, p in zip(grads, (a, b)):
        if not np.allclose(grad, np.log(2 * p / (a + b)), rtol=1e-5, atol=1e-6):
            raise Wrong.fixed(
                "weights of 1e-9 and 3e-9 for one token: a floor or a number "
                "added inside a logarithm, or to the middle, changes their "
                "gradient."
            )
    a, b = np.array([[1.0, 0, 0]]), np.array([[0.25, 0.75, 0]])
    _, slope = answer.vjp("divergence", (a, b), np.array([3.0]))
    want = [1.5 * np.log(0.4), 1.5 * LN2]  # ln of b over the middle, halved
    if not np.allclose(slope[0, :2], want, rtol=1e-5):
        raise Wrong.fixed(
            "a token that only b has: the gradient of b there is half the "
            "logarithm of its weight over the middle, as anywhere else."
        )


@FREE.check("scores in general position")
def free_general(answer, rng):
    for n, classes in (8, 3), (12, 5), (9, 2):
        z = rng.normal(size=(n, classes))
        got = answer.call("free_directions", z)
        suspects = {
            "the weights must still sum to 1: that is an equation, too.": n
            - classes
            + 1,
            "all class scores may move by the same amount: that leaves "
            "classes - 1 equations, and one for the sum.": n - classes - 1,
            "that is the number of independent equations; the directions that "
            "they leave are asked.": classes,
            "that counts only the sum's equation.": n - 1,
            "that is the number of places.": n,
            "places have the weights that may move: n, less the rank.": 0,
        }
        expect_close(
            got, n - classes, f"n = {n}, classes = {classes}", suspects
        )
        got = answer.call("free_directions", 1e-5 * z)
        why = "small scores are scores, too: do not round, nor set a tolerance."
        what = f"n = {n}, classes = {classes}, scores of about 1e-5"
        suspects = {why: n - 1}
        expect_close(got, n - classes, what, suspects)
    z = rng.normal(size=(60, 20))
    for scale in (1, 1e4):
        got = answer.call("free_directions", scale * z)
        what = f"n = 60, classes = 20, scores of about {scale:g}"
        expect_close(got, 40, f"{what}: all of them count")


@FREE.check("places that say the same")
def free_repeated(answer, rng):
    kinds = rng.normal(size=(2, 4))
    z = kinds[[0, 1, 1, 0, 0, 1, 0]]  # seven places, two kinds: rank 2
    joint = (
        "the equation of the sum may follow from the others: put them into "
        "one matrix and take its rank."
    )
    suspects = {"only independent equations count: take the rank.": 3, joint: 4}
    got = answer.call("free_directions", z)
    expect_close(got, 5, "seven places of two kinds, four classes", suspects)
    got = answer.call("free_directions", kinds[[0] * 6])
    expect_close(got, 5, "six places of one kind, four classes", {joint: 4})


@FREE.check("a place that is the mean of two others")
def free_mixed(answer, rng):
    kinds = rng.integers(-9, 10, (2, 4)) + np.array([[0, 0, 1, 40], [0.0] * 4])
    mean = kinds.mean(axis=0)
    z = np.stack([kinds[0], mean, kinds[1], mean, kinds[0], kinds[1]])
    suspects = {
        "that counts places that differ: one may be a mixture of others; take "
        "the rank.": 3,
        "only independent equations count: take the rank.": 2,
    }
    got = answer.call("free_directions", z)
    expect_close(got, 4, "six places, the mean of two among them", suspects)


@FREE.check("places that move all classes alike")
def free_shift(answer, rng):
    z = rng.integers(-9, 10, (6, 1)) + np.zeros((6, 3))  # no rounding
    suspects = {
        "a place that adds as much to every class changes no probability: "
        "use differences between classes.": 4,
    }
    got = answer.call("free_directions", z)
    expect_close(got, 5, "each place adds as much to every class", suspects)
    z = z + np.array([0.0, 1, 3])
    suspects = {
        "every place has the same differences; with weights that sum to 1 "
        "they follow from the sum's equation.": 4,
        "use differences between classes, and the sum's equation.": 3,
    }
    got = answer.call("free_directions", z)
    expect_close(got, 5, "every place has the same differences", suspects)
    got = answer.call("free_directions", z[:5, :2])
    suspects = {"take the rank, also of two classes.": 3}
    expect_close(got, 4, "five places, two classes", suspects)
    got = answer.call("free_directions", rng.normal(size=(6, 1)))
    why = "with one class only the sum's equation is left."
    expect_close(got, 5, "six places, one class", {why: 6})


@FREE.check("fewer places than classes")
def free_few(answer, rng):
    got = answer.call("free_directions", rng.normal(size=(3, 5)))
    suspects = {
        "a number of dimensions is not negative: the rank is at most n.": -2,
    }
    expect_close(got, 0, "three places, five classes", suspects)
