"""Visible checks of chapter 3.6's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    expect_shape,
)

ALONG = Exercise(
    "3_6.a", "The distance transform in one dimension", ("distance_along",)
)
ROWS = Exercise(
    "3_6.b", "Attention along rows", ("attend_along_rows",), "torch"
)
MARK = Exercise(
    "3_6.c", "Which pixels should be marked?", ("best_expected_dice",)
)
FORGETS = Exercise(
    "3_6.d",
    "A Hausdorff distance that forgets",
    ("hausdorff_of_points",),
    all_or_nothing=True,
)
SEES = Exercise(
    "3_6.e",
    "How far does it see?",
    ("pixels_seen", "prediction"),
    predict=("pooling first", "pooling last", "the same"),
)
EXERCISES = [ALONG, ROWS, MARK, FORGETS, SEES]

LN2 = np.log(2.0)
INF = np.inf


def bits(text):
    return np.array([letter == "1" for letter in text])


@ALONG.check("a line of seven by hand")
def along_by_hand(answer, rng):
    got = answer.call("distance_along", bits("0010001"))
    suspects = {
        "that looks to the left only; the nearest place may lie to the "
        "right.": [INF, INF, 0, 1, 2, 3, 0],
        "that looks to the right only; the nearest place may lie to the "
        "left.": [2, 1, 0, 3, 2, 1, 0],
        "that is the distance to the nearest place outside the outline.": [
            0,
            0,
            1,
            0,
            0,
            0,
            1,
        ],
        "those are squared distances.": [4, 1, 0, 1, 4, 1, 0],
        "a place of the outline has the distance 0, its neighbour 1.": [
            3,
            2,
            1,
            2,
            3,
            2,
            1,
        ],
        "that is the distance to the first place of the outline.": [
            2,
            1,
            0,
            1,
            2,
            3,
            4,
        ],
        "that is the distance to the last place of the outline.": [
            6,
            5,
            4,
            3,
            2,
            1,
            0,
        ],
        "that is the larger of both directions; the smaller is asked.": [
            INF,
            INF,
            0,
            3,
            2,
            3,
            0,
        ],
        "that counts places of the outline, not steps.": [0, 0, 1, 1, 1, 1, 2],
    }
    want = [2, 1, 0, 1, 2, 1, 0]
    expect_close(got, want, "outline 0010001", suspects)


@ALONG.check("both ends of the line")
def along_ends(answer, rng):
    got = answer.call("distance_along", bits("10000"))
    suspects = {
        "the line is no circle: its last place is no neighbour of its first.": [
            0,
            1,
            2,
            2,
            1,
        ]
    }
    expect_close(got, [0, 1, 2, 3, 4], "outline 10000", suspects)
    got = answer.call("distance_along", bits("00001"))
    suspects = {
        "the line is no circle: its last place is no neighbour of its first.": [
            1,
            2,
            2,
            1,
            0,
        ]
    }
    expect_close(got, [4, 3, 2, 1, 0], "outline 00001", suspects)
    got = answer.call("distance_along", bits("1"))
    expect_close(got, [0], "outline 1, a line of one place")
    got = answer.call("distance_along", bits("1000010001"))
    suspects = {
        "every place of the outline counts, not only the first and the last.": [
            *(0, 1, 2, 3, 4, 4, 3, 2, 1, 0)
        ]
    }
    want = [0, 1, 2, 2, 1, 0, 1, 2, 1, 0]
    expect_close(got, want, "outline 1000010001", suspects)
    got = answer.call("distance_along", bits("0111001"))
    suspects = {
        "neighbours on the outline are both on it: each has the distance 0.": [
            1,
            0,
            1,
            2,
            2,
            1,
            0,
        ],
    }
    expect_close(got, [1, 0, 0, 0, 1, 1, 0], "outline 0111001", suspects)


@ALONG.check("no outline at all")
def along_empty(answer, rng):
    got = answer.call("distance_along", bits("000"))
    expect_shape(got, (3,), "outline 000")
    if got.dtype.kind not in "fiu" or not np.isposinf(got).all():
        raise Wrong.fixed(
            "outline 000: without any outline every distance is infinite, "
            "not a number that could be taken for one."
        )


@ALONG.check("a hundred thousand places")
def along_long(answer, rng):
    # An outline at 30,000 and one at 90,000; the middle is 60,000.
    outline = np.zeros(100_000, bool)
    outline[[30_000, 90_000]] = True
    got = answer.call("distance_along", outline)
    expect_shape(got, (100_000,), "100,000 places")
    got = got[[0, 30_000, 59_999, 60_000, 60_001, 99_999]]
    want = [30_000, 0, 29_999, 30_000, 29_999, 9_999]
    expect_close(got, want, "100,000 places, six of the distances")


def hand():
    """Two rows, three columns, d = 4, e = 5: scores ln 2 times 1, 2, 3 in row
    0 and ln 2 times -1, 0, 1 in row 1, alike for all queries of a row."""
    q, k = np.zeros((2, 3, 4)), np.zeros((2, 3, 4))
    q[..., 0] = 2 * LN2
    k[..., 0] = [[1, 2, 3], [-1, 0, 1]]
    v = np.arange(30.0).reshape(2, 3, 5) ** 2 - 300
    return q, k, v


def mixed(weights, v):
    """Rows of weights (2, 3) over the values of each row, for each query."""
    weights = np.asarray(weights, float)
    out = (weights[:, None] @ v)[:, 0]
    return np.broadcast_to(out[:, None], v.shape)


def shares(scores, axis=-1):
    powers = 2.0 ** np.asarray(scores, float)
    return powers / powers.sum(axis=axis, keepdims=True)


@ROWS.check("two rows by hand")
def rows_by_hand(answer, rng):
    q, k, v = hand()
    s = np.array([[1.0, 2, 3], [-1, 0, 1]])
    got = answer.call("attend_along_rows", q, k, v, np.ones((2, 3), bool))
    expect_shape(got, (2, 3, 5), "two rows, three columns, e = 5")
    everywhere = 2.0**s / (2.0**s).sum()
    of_all = np.broadcast_to((everywhere[..., None] * v).sum((0, 1)), v.shape)
    down = shares(s, axis=0)
    columns = np.broadcast_to((down[..., None] * v).sum(0), v.shape)
    # Over the queries: each of the three has a third of every key's weight.
    equal = mixed(np.full((2, 3), 1 / 3), v)
    suspects = {
        "the scores are not divided by sqrt(d).": mixed(shares(2 * s), v),
        "the scores are divided by d, not by its root.": mixed(
            shares(s / 2), v
        ),
        "the scores are divided by the root of e; d is the width of q "
        "and k.": mixed(shares(2 * s / 5**0.5), v),
        "the scores are divided by the root of the number of columns.": mixed(
            shares(2 * s / 3**0.5), v
        ),
        "that attends to all places; keys are those of the query's "
        "row.": of_all,
        "that attends along columns; keys are those of the query's "
        "row.": columns,
        "the weights are all equal, or the softmax runs over the queries; "
        "it runs over j.": equal,
        "the weights do not sum to 1: the softmax is missing.": mixed(
            s * LN2, v
        ),
        "those are the values themselves.": v,
        "values may be negative.": np.abs(mixed(shares(s), v)),
        "values may be negative: no ReLU.": np.maximum(mixed(shares(s), v), 0),
    }
    expect_close(got, mixed(shares(s), v), "two rows", suspects)


@ROWS.check("places that are no tissue")
def rows_masked(answer, rng):
    q, k, v = hand()
    s = np.array([[1.0, 2, 3], [-1, 0, 1]])
    may = np.array([[True, False, True], [False, True, True]])
    got = answer.call("attend_along_rows", q, k, v, may)
    right = [[1 / 5, 0, 4 / 5], [0, 1 / 3, 2 / 3]]
    zero = 2.0 ** np.where(may, s, 0)
    swap = mixed([[0, 1, 0], [1, 0, 0]], v)
    late = mixed(shares(s) * may, v)
    by_query = np.where(may[..., None], mixed(shares(s), v), 0)
    suspects = {
        "the mask is not used.": mixed(shares(s), v),
        "the mask is inverted: True = may be attended to.": swap,
        "the mask is applied after the softmax; the weights no longer sum "
        "to 1.": late,
        "masked scores are 0, not -infinity; exp(0) is 1.": mixed(
            zero / zero.sum(1, keepdims=True), v
        ),
        "the mask hides queries; it belongs to the keys.": by_query,
        "the results at places that are no tissue are set to 0; only the "
        "keys are masked.": np.where(may[..., None], mixed(right, v), 0),
    }
    expect_close(got, mixed(right, v), "two masked places", suspects)


@ROWS.check("scores of -1,000")
def rows_low(answer, rng):
    q, k, v = hand()
    may = np.array([[True, False, True], [False, True, True]])
    k[0, 1], k[1, 0] = 0, 0
    near = answer.call("attend_along_rows", q, k, v, may)
    expect_shape(near, (2, 3, 5), "two rows, three columns, e = 5")
    k[may, 0] -= 1000 / LN2
    got = answer.call("attend_along_rows", q, k, v, may)
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "scores of -1,000: exp gives 0/0; a masked score must be minus "
            "infinity before the softmax."
        )
    masked = answer.call("attend_along_rows", q, k, v * may[..., None], may)
    if not np.allclose(masked, got):
        raise Wrong.fixed(
            "scores of -1,000 beside a masked 0: masked places get weight; a "
            "masked score must be minus infinity before the softmax."
        )
    if not np.allclose(got, near):
        raise Wrong.fixed(
            "all scores lower by 1,000 give other weights; cut none off."
        )
    k[may, 0] = np.tile([1000 / LN2, 1000 / LN2 + 1], 2)
    got = answer.call("attend_along_rows", q, k, v, may)
    if not np.allclose(got, mixed([[1, 0, 2], [0, 1, 2]], v / 3), atol=0.1):
        raise Wrong.fixed(
            "scores of 1,000 and 1,000 + ln 2 must give the weights 1/3 and "
            "2/3: do not cut scores off."
        )
    k[may, 0] = -1e7
    got = answer.call("attend_along_rows", q, k, v, may)
    if not np.allclose(got, mixed([[0.5, 0, 0.5], [0, 0.5, 0.5]], v)):
        raise Wrong.fixed(
            "equal scores of -1e7 beside a masked 0: a masked score must be "
            "minus infinity, not some low number."
        )


@ROWS.check("rows do not mix, columns keep their order")
def rows_apart(answer, rng):
    q, k = rng.normal(size=(2, 4, 5, 3))
    v, may = rng.normal(size=(4, 5, 2)), np.ones((4, 5), bool)
    before = answer.call("attend_along_rows", q, k, v, may)
    expect_shape(before, (4, 5, 2), "four rows, five columns, e = 2")
    wide = [np.tile(3**-0.25 * x, 3) for x in (q, k)]  # d = 9, same scores
    got = answer.call("attend_along_rows", *wide, v, may)
    if not np.allclose(got, before, rtol=0, atol=1e-6):
        raise Wrong.fixed(
            "q and k of width 9, made so that all scores are those of width 3, "
            "give another result: divide by the root of d, whatever d is."
        )
    own = np.eye(5, dtype=bool)[:4]
    hidden = answer.call("attend_along_rows", q, k, v, ~own)
    moved = answer.call("attend_along_rows", q, k, v + own[..., None], ~own)
    expect_shape(moved, (4, 5, 2), "four rows, five columns, e = 2")
    expect_shape(hidden, (4, 5, 2), "four rows, five columns, e = 2")
    if not np.allclose(moved, hidden):
        raise Wrong.fixed(
            "a place that may not be attended to gets weight from its own "
            "query."
        )
    k[2], v[2] = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    after = answer.call("attend_along_rows", q, k, v, may)
    if not np.abs(np.delete(after - before, 2, axis=0)).max() <= 1e-9:
        raise Wrong.fixed("keys of row 2 changed what another row collects.")
    if not np.abs(after[2] - before[2]).max() > 0:
        raise Wrong.fixed("keys of row 2 changed nothing in row 2.")
    turned = answer.call("attend_along_rows", q[:, ::-1].copy(), k, v, may)
    expect_close(turned, after[:, ::-1], "the queries in reverse order")
    q, k = np.zeros((2, 300, 4)), np.ones((2, 300, 4))
    v = rng.normal(size=(2, 300, 1))
    got = answer.call("attend_along_rows", q, k, v, np.ones((2, 300), bool))
    want = np.tile(v.mean(axis=1, keepdims=True), (1, 300, 1))
    what = "300 columns, queries of 0: the average of all columns"
    expect_close(got, want, what)
    one = answer.call("attend_along_rows", q[:1], k[:1], v[:1], v[:1, :, 0] < 9)
    expect_close(one, want[:1], "one row is still an axis")
    ones = np.ones((1, 4, 4))
    got = answer.call("attend_along_rows", ones, ones, ones, ones[..., 0] > 0)
    expect_shape(got, (1, 4, 4), "one row, four columns, e = 4")
    if not np.abs(got - 1).max() <= 1e-8:
        raise Wrong.fixed(
            "four places of 1: the result is 1, to the last digit. Nothing is "
            "added to a sum of exponentials."
        )


@ROWS.check("gradients of q, k and v")
def rows_gradients(answer, rng):
    args = {"q": rng.normal(size=(2, 4, 3)), "k": rng.normal(size=(2, 4, 3))}
    args |= {"v": rng.normal(size=(2, 4, 5)), "may": np.ones((2, 4), bool)}
    args["may"][0, 1] = False
    expect_gradients(answer, "attend_along_rows", args, rng)


@MARK.check("three pixels by hand")
def mark_by_hand(answer, rng):
    # Sum 1.5. One: 1.8/2.5 = .72; two: 2.6/3.5 = .743; three: 3/4.5 = .667.
    suspects = {
        "that marks the best pixel only.": 1.8 / 2.5,
        "that marks all pixels (or counts them all below, marked or not).": 3
        / 4.5,
        "that is half of D; D is asked (or the 2 is missing above).": 1.3 / 3.5,
        "below stands the number of marked pixels plus the sum of all p, "
        "not of the marked ones.": max(1.8 / 1.9, 2.6 / 3.3, 3 / 4.5),
        "that is how many pixels the best set holds.": 2,
        "the sum of all p is missing below.": 1.8,
        "below stands the sum of all p, not their mean.": 1.2,
        "that is the intersection over the union; D is asked.": 1.3 / 2.2,
        "|A| is 1 for the first pixel, not 0.": 1.8 / 1.5,
    }
    got = answer.call("best_expected_dice", np.array([0.2, 0.9, 0.4]))
    expect_close(got, 2.6 / 3.5, "p = 0.2, 0.9, 0.4", suspects)


@MARK.check("below one half")
def mark_low(answer, rng):
    # Sum 1.05: one .9/2.05 = .439, two 1.7/3.05 = .557, three 2/4.05 = .494.
    suspects = {
        "that marks no pixel below one half, or only one.": 0.9 / 2.05,
        "a threshold of one half marks nothing here; the best set has "
        "another.": 0,
        "that marks all pixels.": 2.1 / 5.05,
        "p are probabilities in any order: sort them.": 1.8 / 4.05,
    }
    got = answer.call("best_expected_dice", np.array([0.4, 0.05, 0.45, 0.15]))
    expect_close(got, 1.7 / 3.05, "p = 0.4, 0.05, 0.45, 0.15", suspects)
    got = answer.call("best_expected_dice", np.array([0.45, 0.4, 0.45]))
    suspects = {
        "that marks no pixel below one half, or only one.": 0.9 / 2.3,
        "the best set may hold all pixels.": 1.8 / 3.3,
        "equal probabilities are pixels of their own: count each.": 1.7 / 3.3,
    }
    expect_close(got, 2.6 / 4.3, "p = 0.45, 0.4, 0.45", suspects)


@MARK.check("certain pixels and one pixel")
def mark_certain(answer, rng):
    got = answer.call("best_expected_dice", np.array([1.0, 0, 1, 0, 0, 1]))
    suspects = {"that marks all pixels.": 6 / 9}
    expect_close(got, 1.0, "three certain pixels of six", suspects)
    got = answer.call("best_expected_dice", np.full(40, 0.05))
    why = "unlikely pixels may be in the best set, and many of them."
    suspects = {why: 0.1 / 3, f"{why} ": 0.0}
    expect_close(got, 4 / 42, "40 times p = 0.05", suspects)
    got = answer.call("best_expected_dice", np.array([0.25]))
    expect_close(got, 0.4, "p = 0.25 alone: 0.5 / 1.25")
    got = answer.call("best_expected_dice", np.array([0.1, 0.9, 0.1]))
    suspects = {"the best set may hold a single pixel.": 2 / 3.1}
    expect_close(got, 1.8 / 2.1, "p = 0.1, 0.9, 0.1", suspects)
    got = answer.call("best_expected_dice", np.array([0.001, 0.004, 0.003]))
    suspects = {
        "a best set may hold a single, unlikely pixel.": 0,
        "look at all n sets: no fixed grid of thresholds finds the best "
        "one.": 0.016 / 3.008,
        "half of D is the threshold for the best D, not for the first one "
        "that you have.": 0.014 / 2.008,
    }
    expect_close(got, 0.008 / 1.008, "p = 0.001, 0.004, 0.003", suspects)
    got = answer.call("best_expected_dice", np.full(300, 0.05))
    expect_close(got, 30 / 315, "300 times p = 0.05: all of them are marked")
    got = answer.call("best_expected_dice", np.array([1e-9]))
    expect_shape(got, (), "the largest D, one number")
    if not np.isclose(got, 2e-9, rtol=1e-5, atol=0):
        raise Wrong.fixed("p = 1e-9 alone: no probability is raised.")
    p = np.append(np.full(100, 0.005), 0.9)
    got = answer.call("best_expected_dice", p)
    suspects = {"the sum of all p holds unlikely pixels, too.": 1.8 / 1.9}
    expect_close(got, 1.8 / 2.4, "p = 0.9 and 100 times 0.005", suspects)


@MARK.check("the threshold is half of D")
def mark_threshold(answer, rng):
    p = rng.uniform(0.05, 0.95, size=12)
    best = answer.call("best_expected_dice", p)
    expect_shape(best, (), "the largest D, one number")
    chosen = p > best / 2
    if not chosen.any():
        raise Wrong.fixed("no pixel exceeds half of that D; it is too large.")
    value = 2 * p[chosen].sum() / (chosen.sum() + p.sum())
    expect_close(value, best, "D of the pixels above half of the best D")
    order = answer.call("best_expected_dice", p[::-1].copy())
    expect_close(order, best, "the same pixels in another order")


def expect_distance(answer, found, gold, want, what, suspects):
    found, gold = np.array(found, float), np.array(gold, float)
    got = answer.call("hausdorff_of_points", found, gold)
    expect_close(got, want, what, suspects)


NEAR = [[0.0, 0], [3, 0]]
FAR = [[0.0, 0], [3, 0], [3, 4], [0, 12]]


@FORGETS.check("one of two lesions missed")
def forgets_missed(answer, rng):
    # Nearest of NEAR: 0, 0, 4 and 12 away.
    suspects = {
        "the missed lesion is forgotten: only the found pixels are asked "
        "how far they are.": 0,
        "that is the mean of both ways; the larger one is asked.": 6,
        "that is the sum of both ways, or the largest distance of any two "
        "points.": np.hypot(3, 12),
        "that is the mean distance, not the largest.": 4,
        "that is the smallest distance of any two points.": 0,
    }
    expect_distance(answer, NEAR, FAR, 12, "one lesion missed", suspects)


@FORGETS.check("one lesion too many")
def forgets_extra(answer, rng):
    suspects = {
        "now the wrongly found lesion is forgotten: ask both ways.": 0,
        "that is the smaller of both ways; the larger one is asked.": 0,
        "that is the mean of both ways; the larger one is asked.": 6,
        "that is the largest distance of any two points.": np.hypot(3, 12),
        "that is the mean distance, not the largest.": 4,
    }
    expect_distance(answer, FAR, NEAR, 12, "one lesion too many", suspects)


@FORGETS.check("both ways differ, and neither is 0")
def forgets_both(answer, rng):
    found, gold = [[0, 0], [7, 4]], [[3, 0], [3, 4], [7, 12]]
    # Nearest, from found: 3 and 4; from gold: 3, 4 and 8.
    suspects = {
        "that is the smaller of both ways; the larger one is asked.": 4,
        "that is the sum of both ways.": 12,
        "that is the mean of both ways; the larger one is asked.": 6,
        "that is the largest distance of any two points.": np.hypot(7, 12),
    }
    expect_distance(answer, gold, found, 8, "three points and two", suspects)
    expect_distance(answer, found, gold, 8, "two points and three", suspects)
    suspects = {
        "minimum and maximum run over the wrong axis: the nearest point "
        "comes first, the largest of these distances second.": 9,
    }
    args = [[0, 0], [10, 0]], [[1, 0], [12, 0]]
    expect_distance(answer, *args, 2, "two points and two", suspects)


@FORGETS.check("distances along slanted lines")
def forgets_slanted(answer, rng):
    suspects = {
        "that is the squared distance.": 25,
        "distances are straight lines: the root of the sum of squares, not "
        "the sum of both.": 7,
        "distances are straight lines, not the larger of both directions.": 4,
    }
    expect_distance(answer, [[1, 2]], [[4, 6]], 5, "(1, 2), (4, 6)", suspects)
    whole = np.array([[0, 0], [7, 8]]), np.array([[1, 1]])
    got = answer.call("hausdorff_of_points", *whole)
    what = "(0, 0), (7, 8) and (1, 1), all in whole numbers"
    suspects = {"distances are not rounded, whatever the places are.": 9.0}
    nearest = np.sort([2**0.5, np.hypot(6, 7)])
    why = "that is a percentile, not the largest distance."
    suspects |= {why + " " * k: np.percentile(nearest, 95 + k) for k in (0, 4)}
    expect_close(got, np.hypot(6, 7), what, suspects)
    row = [[0, k] for k in range(9)]
    some = "only some of the points are asked."
    suspects = {some + k * " ": float(k) for k in range(8)}
    for sets in ((row, row[:1]), (row[:1], row)):
        expect_distance(answer, *sets, 8, "nine points and one", suspects)
    few, many = [[0, 0], [20, 0]], [[0, 0], [1, 0], [2, 1]]
    suspects = {
        "the larger set is not always the one to ask: ask both.": 5**0.5,
        "distances are not rounded.": 18,
    }
    args = answer, few, many, np.hypot(18, 1)
    expect_distance(*args, "two points and three close ones", suspects)
    args = answer, many, few, np.hypot(18, 1)
    expect_distance(*args, "three close points and two", suspects)
    two = [[0, 0], [0, 1.5]], [[0, 0], [0, 9.25]]
    long = [[0, 0]], [[30_000, 40_000]]
    what = "(0, 0), (30,000, 40,000)"
    expect_distance(answer, *long, 50_000, what, {})
    suspects = {"ask both ways, also where both sets are as large.": 1.5}
    for sets in (two, two[::-1]):
        expect_distance(answer, *sets, 7.75, "two points and two", suspects)
    row = [[0, k] for k in range(300)]
    for sets in ((row, row[:1]), (row[:1], row)):
        what = "300 points and one: all of them are asked"
        expect_distance(answer, *sets, 299, what, {})
    what = "(-3, 0), (3, 0): places may be negative"
    expect_distance(answer, [[-3, 0]], [[3, 0]], 6, what, {})


def expect_seen(answer, kernels, strides, want, what, suspects):
    arrays = np.array(kernels), np.array(strides)
    got = answer.call("pixels_seen", *arrays)
    expect_close(got, want, what, suspects)


@SEES.check("one layer, and two without strides")
def sees_plain(answer, rng):
    suspects = {
        "a kernel's size counts; it is not always 3.": 3,
        "that is how far it sees to one side; count all pixels.": 2,
        "that leaves out the pixel from which one starts.": 4,
    }
    expect_seen(answer, [5], [1], 5, "kernel 5", suspects)
    suspects = {
        "kernels were multiplied; each layer adds kernel - 1.": 15,
        "kernels were added; each layer adds kernel - 1.": 8,
        "that leaves out the pixel from which one starts.": 6,
        "one is added too often.": 9,
    }
    expect_seen(answer, [3, 5], [1, 1], 7, "kernels 3 and 5", suspects)
    suspects = {"a stride counts from the next layer on; here is none.": 15}
    expect_seen(answer, [5], [3], 5, "kernel 5, stride 3", suspects)
    what = "300 layers of kernel 3: all of them count"
    expect_seen(answer, [3] * 300, [1] * 300, 601, what, {})


@SEES.check("a stride counts from the next layer on")
def sees_strides(answer, rng):
    # 1 + 2 = 3, then 2 apart, + 3 * 2 = 9, then 6 apart, + 2 * 6 = 21.
    suspects = {
        "strides are not used.": 8,
        "a layer's own stride counts from the next layer on; yours counts "
        "at once.": 1 + 2 * 2 + 3 * 6 + 2 * 30,
        "strides multiply: after 2 and 3 places are 6 apart; yours uses the "
        "last stride only.": 1 + 2 + 3 * 2 + 2 * 3,
        "strides multiply: after 2 and 3 places are 6 apart; yours adds "
        "them.": 1 + 2 + 3 * 2 + 2 * 5,
        "the layers are taken from the last to the first.": (
            1 + 2 + 3 * 5 + 2 * 15
        ),
        "a layer adds kernel - 1 times the distance, not kernel times.": 1
        + 3
        + 4 * 2
        + 3 * 6,
        "a layer's own stride is multiplied with its kernel alone.": (
            1 + 2 * 2 + 3 * 3 + 2 * 5
        ),
        "that leaves out the pixel from which one starts.": 20,
        "that is how far it sees to one side; count all pixels.": 10,
        "strides multiply: after 2 and 3 places are 6 apart, not 4.": (
            1 + 2 + 3 * 2 + 2 * 4
        ),
        "kernels may be even: a layer adds kernel - 1.": 1 + 2 + 4 * 2 + 2 * 6,
    }
    args = [3, 4, 3], [2, 3, 5]
    expect_seen(answer, *args, 21, "kernels 3, 4, 3, strides 2, 3, 5", suspects)


@SEES.check("one more layer in front")
def sees_front(answer, rng):
    kernels, strides = rng.integers(2, 6, size=(2, 5))
    kernels = np.maximum(kernels, strides)  # no gaps
    whole = answer.call("pixels_seen", kernels, strides)
    rest = answer.call("pixels_seen", kernels[1:], strides[1:])
    expect_shape(whole, (), "the number of pixels")
    if not np.isfinite([whole, rest]).all():
        raise Wrong.fixed("the number of pixels is finite.")
    args = [9, 11, 2], [8, 11, 1]
    why = "a stride may be as large as its kernel."
    suspects = {why: 1 + 8 + 10 * 8 + 80}
    what = "kernels 9, 11, 2, strides 8, 11, 1"
    expect_seen(answer, *args, 177, what, suspects)
    some = "only some of the layers are counted."
    suspects = {some + k * " ": float(2**k) for k in range(1, 11)}
    what = "eleven layers of kernel 2 and stride 2"
    expect_seen(answer, [2] * 11, [2] * 11, 2**11, what, suspects)
    what = "twenty layers of kernel 2 and stride 2"
    expect_seen(answer, [2] * 20, [2] * 20, 2**20, what, {})
    # The rest sees `rest` places of layer 0's output, so many strides apart.
    want = (rest - 1) * strides[0] + kernels[0]
    expect_close(whole, want, "five layers, from what the last four see")
