"""Visible checks of chapter 1.2's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_same_for_integers,
    shaped,
)

SOFTMAX = Exercise("1_2.a", "A softmax that survives", ("softmax_at",))
BACKWARD = Exercise("1_2.b", "Backward for a batch", ("softmax_backward",))
COLD = Exercise("1_2.c", "How cold for 90 %?", ("temperature_for",))
MASK = Exercise(
    "1_2.d",
    "The mask that came too late",
    ("left_out_weights",),
    all_or_nothing=True,
)
POINTS = Exercise(
    "1_2.e",
    "Four times the points",
    ("best_sharpness", "prediction"),
    predict=("wider", "same", "sharper"),
)
EXERCISES = [SOFTMAX, BACKWARD, COLD, MASK, POINTS]

LN = np.log(2.0)


@SOFTMAX.check("a worked example")
def softmax_by_hand(answer, rng):
    scores = 2 * LN * np.array([[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]])
    e = np.array([[1, 4, 16], [4, 4, 4]])
    hot = np.array([[1, 16, 256], [16, 16, 16]])  # multiplied, not divided
    want = np.array([[1 / 7, 2 / 7, 4 / 7], [1 / 3, 1 / 3, 1 / 3]])
    late = e / e.sum(1)[:, None] / 2
    expect_close(
        answer.call("softmax_at", scores, 2.0),
        want,
        "temperature 2",
        {
            "rows are normalised over the queries (axis 0); each row of "
            "keys must sum to 1.": _over_queries(scores / 2),
            "the temperature has no effect: it is missing, or it cancels.": e
            / e.sum(1)[:, None],
            "scores are multiplied by the temperature; divide, so that a "
            "high one flattens.": hot / hot.sum(1)[:, None],
            "the temperature divides the weights; it must divide the scores "
            "before exp.": late,
            "all rows share one sum; each row has its own.": np.sqrt(e)
            / np.sqrt(e).sum(),
            "these are exponentials, not yet divided by their sum.": np.sqrt(e),
        },
    )
    for temperature in (0.01, 100.0):
        expect_close(
            answer.call("softmax_at", temperature * scores, temperature),
            e / e.sum(1)[:, None],
            f"temperature {temperature:g}, and scores as many times as large",
        )


def _over_queries(scores):
    e = np.exp(scores)
    return e / e.sum(axis=0)


@SOFTMAX.check("scores of 10,000")
def softmax_large(answer, rng):
    scores = np.array([[1e4, 1e4 - 1, 0.0], [-1e4, -1e4 - 1, -1e4]])
    for temperature in (1.0, 0.5, 4.0):
        got = answer.call("softmax_at", scores, temperature)
        if got.shape == (2, 3) and not np.isfinite(got).all():
            if temperature != 1 or np.isfinite(got[0]).all():
                raise Wrong(
                    f"nan at temperature {temperature:g}: what you subtract is "
                    "not each row's own largest score, divided by the "
                    "temperature like the scores."
                )
            raise Wrong(
                "exp overflows: subtract each row's largest score before exp "
                "(Eq. 1.2.8)."
            )
        t = np.exp(-1.0 / temperature)
        want = [[1, t, 0], [1, t, 1]] / np.array([[1 + t], [2 + t]])
        expect_close(
            got, want, f"scores of 10,000, temperature {temperature:g}"
        )
    fine = np.array([[9999.3, 9999.3 + LN, -1e4]])
    short = np.exp(np.diff(fine.astype(np.float32).astype(float))[0, 0])
    expect_close(
        answer.call("softmax_at", fine, 1.0),
        [[1 / 3, 2 / 3, 0]],
        "scores of 9,999.3 and ln 2 more",
        {
            "float32 holds only three decimals of such scores: divide and "
            "subtract in float64.": [[1 / (1 + short), short / (1 + short), 0]]
        },
    )
    alone = answer.call("softmax_at", np.array([[3.0], [-2.0]]), 0.5)
    what = "one key alone gets all the weight (nothing is added to a sum)"
    expect_close(alone, np.ones((2, 1)), what, tolerance=1e-9)
    small = answer.call("softmax_at", np.array([[0.0, -25.0]]), 1.0)
    expect_close(
        shaped(small, (1, 2))[0, 1] * (np.exp(25.0) + 1),
        1.0,
        "the weight 1 / (exp(25) + 1), times that number (nothing may be cut "
        "off or added to a small weight)",
    )


@SOFTMAX.check("whole numbers as scores")
def softmax_integers(answer, rng):
    got = answer.call("softmax_at", np.array([[2, 2], [5, 5]]), 1.0)
    expect_close(
        got,
        [[0.5, 0.5], [0.5, 0.5]],
        "integer scores",
        {
            "weights stored in an array of integers are cut to 0; make it "
            "float.": np.zeros((2, 2))
        },
    )
    whole = np.array([[0, -3, 2, 2, 1]])
    expect_close(
        answer.call("softmax_at", whole, 2),
        answer.call("softmax_at", whole * 1.0, 2.0),
        "0, -3, 2, 2, 1 as integers, against the same as floats",
    )


@SOFTMAX.check("one row, or a stack of rows")
def softmax_shapes(answer, rng):
    scores = rng.normal(size=(2, 4, 3))
    stack = answer.call("softmax_at", scores, 0.7)
    sums = shaped(stack, (2, 4, 3), "a stack of rows").sum(axis=-1)
    if np.allclose(stack.sum(axis=1), 1, atol=1e-5):
        raise Wrong(
            "a stack of rows: weights sum to 1 over axis 1, not over the last "
            "one: count from the end, axis=-1."
        )
    expect_close(sums, np.ones((2, 4)), "sums over the last axis")
    for at in [(1, 2), (0, 0), (1, 3)]:
        row = answer.call("softmax_at", scores[at], 0.7)
        expect_close(row, stack[at], "a single row")


@BACKWARD.check("a worked example")
def backward_by_hand(answer, rng):
    a = np.array([[1, 2, 4], [2, 1, 1]]) / np.array([[7], [4]])
    u = np.array([[7, 0, 3.5], [1.0, 2.0, 0.0]])  # means 3 and 1
    want = a * (u - np.array([[3.0], [1.0]]))
    twice = np.exp(a) / np.exp(a).sum(1)[:, None]
    expect_close(
        answer.call("softmax_backward", a, u),
        want,
        "dL/ds for dL/da = u",
        {
            "only a * u: the mean of u under the weights must be subtracted.": a
            * u,
            "only the diagonal a (1 - a) of the Jacobian; the other "
            "weights move too.": a * (1 - a) * u,
            "the subtracted mean must be weighted by a, not the plain mean.": a
            * (u - u.mean(1)[:, None]),
            "the sign is reversed.": -want,
            "the factor a in front is missing.": u - np.array([[3.0], [1.0]]),
            "the sum runs over the whole batch; each row has its own.": a
            * (u - (a * u).sum()),
            "the weights sum to 1 already: add a * u, do not average it.": a
            * (u - (a * u).mean(1)[:, None]),
            "the mean that is subtracted needs the factor a too.": a * u
            - np.array([[3.0], [1.0]]),
            "the mean runs over the batch; each row has its own.": a
            * (u - (a * u).sum(0)),
            "the sum is that of a * u; yours is of u alone, times a.": a
            * (u - a * u.sum(1)[:, None]),
            "the mean is subtracted from u, not added.": a
            * (u + (a * u).sum(1)[:, None]),
            "weights are weights already: no second softmax.": twice
            * (u - (twice * u).sum(1)[:, None]),
        },
    )
    a, u = np.array([[1, 3], [2, 2]]) / 4, np.array([[4.0, 0], [0, 6]])
    tiny, large = np.array([[1e-5, 1 - 1e-5]]), np.array([[1e5, 0]])
    want = [[1 - 1e-5, 1e-5 - 1]]
    got = answer.call("softmax_backward", tiny, large)
    what = "a weight of 0.00001 (nothing may be cut off)"
    expect_close(got, want, what, tolerance=1e-5)
    said = "row i gets the mean of row j: keep the axis (keepdims=True)."
    expect_close(
        answer.call("softmax_backward", a, u),
        [[0.75, -0.75], [-1.5, 1.5]],
        "two rows of two",
        {said: a * (u - [1, 3])},
    )


@BACKWARD.check("rows sum to 0")
def backward_rows(answer, rng):
    a, u = rng.dirichlet(np.ones(6), size=3), 30 * rng.normal(size=(3, 6))
    got = shaped(answer.call("softmax_backward", a, u), (3, 6))
    expect_close(got.sum(axis=-1), np.zeros(3), "row sums (the shift rule)")
    moved = answer.call("softmax_backward", a, u + 7)
    expect_close(moved, got, "7 added to all of u has no effect")
    # A slope is that of the loss sum(a u) when one score moves.
    step = rng.normal(size=(3, 6))
    loss = [
        (x / x.sum(1, keepdims=True) * u).sum()
        for x in (a * np.exp(1e-5 * step), a * np.exp(-1e-5 * step))
    ]
    slope = (loss[0] - loss[1]) / 2e-5
    what = "the loss's slope when the scores move, three rows of six"
    expect_close((got * step).sum(), slope, what)
    whole = np.array([[3, -1, 0, 2, 2, 5]] * 3)
    expect_same_for_integers(answer, "softmax_backward", (a, whole))


@COLD.check("worked values")
def cold_by_hand(answer, rng):
    ln9 = np.log(9.0)
    expect_close(
        answer.call("temperature_for", 1.0, 0.9),
        1 / ln9,
        "gap 1, weight 0.9",
        {
            "that is 1/temperature; solve for the temperature.": ln9,
            "the ratio of the two weights is a / (1 - a), not a.": 1
            / np.log(0.9),
            "the ratio is upside down: the larger score has a.": -1 / ln9,
            "use the natural logarithm, not base 10: exp is its inverse.": 1
            / np.log10(9.0),
            "use the natural logarithm, not base 2: exp is its inverse.": 1
            / np.log2(9.0),
            "the smaller weight is 1 - a; you used the ratio 1 / (1 - a).": 1
            / np.log(10.0),
            "the larger weight is a, the smaller 1 - a; yours stands for "
            "weights (1 + a) / 2 and (1 - a) / 2.": 1 / np.log(19.0),
        },
    )


@COLD.check("another weight")
def cold_weight(answer, rng):
    expect_close(
        answer.call("temperature_for", 1.0, 0.75),
        1 / np.log(3.0),
        "gap 1, weight 0.75",
        {
            "the weight is not used: you solved for 0.9 only.": 1 / np.log(9.0),
            "the smaller weight is 1 - a, not 0.1.": 1 / np.log(7.5),
        },
    )
    got = answer.call("temperature_for", 1.0, 0.999)
    expect_close(got, 1 / np.log(999), "gap 1, weight 0.999")
    got = answer.call("temperature_for", 1.0, 0.501)
    what = "gap 1, weight 0.501 (any temperature may be needed: solve for it)"
    expect_close(got, 1 / np.log(501 / 499), what, tolerance=1e-4)


@COLD.check("proportional to the gap")
def cold_gap(answer, rng):
    one = shaped(answer.call("temperature_for", 1.0, 0.75), ())
    for times, words in ((3.0, "three"), (0.01, "0.01"), (500.0, "500")):
        got = answer.call("temperature_for", times, 0.75)
        expect_close(got, times * one, f"{words} times the gap")
    got = shaped(answer.call("temperature_for", 1e-6, 0.75), ())
    what = "a gap of 0.000001, the temperature times 1,000,000"
    expect_close(got * 1e6, one, what)


@MASK.check("weights of a worked example")
def mask_by_hand(answer, rng):
    # Between 0, 1 and 3 with w^2 = 2 ln 2, the kernel is 2^-(distance^2).
    k = 2.0 ** -np.array([[0.0, 1, 9], [1, 0, 4], [9, 4, 0]])
    off = k * (1 - np.eye(3))

    def normal(x):
        return x / x.sum(axis=1, keepdims=True)

    whole = k / k.sum(1)[:, None]
    zeroed = whole * (1 - np.eye(3))
    expect_close(
        answer.call(
            "left_out_weights", np.array([0.0, 1.0, 3.0]), np.sqrt(2 * LN)
        ),
        off / off.sum(1)[:, None],
        "points 0, 1, 3",
        {
            "rows do not sum to 1: the mask is applied after the softmax, "
            "which has already given weight to the hidden key.": zeroed,
            "no mask at all, or a score of 0, which is the best possible "
            "score here: each point looks at itself. Hide with -inf.": whole,
            "the mask is inverted: each point looks only at itself.": np.eye(3),
            "the hidden scores are +inf or the rows are nan.": np.full(
                (3, 3), np.nan
            ),
            "the sum runs over the queries; each row must sum to 1.": off
            / off.sum(0),
            "the factor 1/2 in the scores is missing.": normal(off**2),
            "w belongs inside the square, as (w times the distance)^2.": normal(
                off ** (1 / np.sqrt(2 * LN))
            ),
            "the weights are those of the wrong neighbour: the mask must "
            "hide the diagonal.": _shifted(k),
        },
    )
    order = np.array([2, 0, 1])
    args = np.array([0.02, -0.01, 0]), 100 * np.sqrt(2 * LN)
    got = answer.call("left_out_weights", *args)
    what = "points 0.02, -0.01, 0 (in this order), and w 100 times as large"
    right = off / off.sum(1)[:, None]
    expect_close(got, right[order][:, order], what)


def _shifted(k):
    mask = np.roll(np.eye(3), 1, axis=1)
    return k * (1 - mask) / (k * (1 - mask)).sum(1)[:, None]


@MASK.check("a very sharp kernel")
def mask_sharp(answer, rng):
    got = answer.call("left_out_weights", np.array([0.0, 1.0, 2.5]), 60.0)
    lost = "if you renormalise after the softmax, nothing was left to "
    lost += "renormalise: the hidden key had all the weight. Mask the scores."
    shaped(got, (3, 3))
    if not np.isfinite(got).all():
        raise Wrong(f"with w = 60 the rows are nan: {lost}")
    expect_close(
        got,
        [[0, 1, 0], [1, 0, 0], [0, 1, 0]],
        "w = 60",
        {
            f"rows of 0: {lost}": np.zeros((3, 3)),
            "the hidden score is finite, and not low enough.": np.eye(3),
        },
    )


@MASK.check("two points at the same place, and points far away")
def mask_corners(answer, rng):
    twins = answer.call("left_out_weights", np.array([0.0, 0.0, 1.0]), 60.0)
    by_value = "you hide by value; hide by position: a twin may be seen."
    expect_close(
        twins,
        [[0, 1, 0], [1, 0, 0], [0.5, 0.5, 0]],
        "twins",
        {by_value: [[0, 0, 1], [0, 0, 1], [0.5, 0.5, 0]]},
    )
    flat = answer.call("left_out_weights", np.array([0.0, 1.0, 3.0]), 0.0)
    expect_close(flat, (1 - np.eye(3)) / 2, "w = 0, all others alike")
    for size in (30.0, 1e9):
        points = size * np.array([0.0, 1, 3])
        expect_close(
            answer.call("left_out_weights", points, 60.0),
            [[0, 1, 0], [1, 0, 0], [0, 1, 0]],
            "points far apart",
            {"the hidden score is finite, and not low enough here.": np.eye(3)},
        )
    seven = np.array([2.0, -1, 4, 0, -3, 7, 5])
    got = answer.call("left_out_weights", seven, 0.4)
    turned = answer.call("left_out_weights", seven[::-1].copy(), 0.4)
    what = "seven points, and the same in reverse order"
    expect_close(turned, shaped(got, (7, 7))[::-1, ::-1], what)
    ends = answer.call("left_out_weights", np.arange(7.0), 0.0)
    expect_close(ends, (1 - np.eye(7)) / 6, "w = 0, seven points")


@POINTS.check("a smooth curve, no noise")
def smooth(answer, rng):
    x, grid = np.linspace(0, 5, 60), np.array([0.01, 0.3, 12.0, 1.0, 2.0])
    got = answer.call("best_sharpness", x, np.sin(3 * x), grid)
    if got.shape == () and got == 2:  # index of 12, and the last entry
        raise Wrong(
            "2 is the index of the best, or the last entry: return the best "
            "entry of the whole grid."
        )
    if got.shape == () and not np.isclose(grid, got).any():
        raise Wrong(
            f"{float(got):g} is no entry of grid: return the sharpness, not "
            "its error or its index."
        )
    if got.shape == () and got in grid[:2]:
        raise Wrong(
            f"{float(got):g} has a larger mean squared error than 12: is it "
            "the smallest error that you look for, over the whole grid?"
        )
    expect_close(got, 12.0, "near neighbours are right")
    got = answer.call("best_sharpness", x, np.sin(3 * x) / 1000, grid)
    what = "near neighbours are right, the curve a thousand times as flat"
    expect_close(got, 12.0, what)


@POINTS.check("a zigzag, where near neighbours mislead")
def zigzag(answer, rng):
    x, y = np.arange(7.0), np.array([0.0, 1, 0, 1, 0, 1, 0])
    got = answer.call("best_sharpness", x, y, np.array([0.01, 9.0]))
    if got.shape == () and got == 9.0:
        raise Wrong(
            "9 wins if each point may look at itself, with error 0: leave "
            "every point out of its own average (or: you took the largest)."
        )
    expect_close(got, 0.01, "the average of all others errs least")


@POINTS.check("the mean of the squares decides")
def criterion(answer, rng):
    # By hand: 11 against 12.5, and 19 against 23.5. Of the six points the
    # first three, the inner four, and every second one prefer 9 to 0.01.
    cases = [
        ([0.0, 2, 10, 12], [-1.0, 4, -2, -2], [0.01, 9.0]),
        ([2.0, 5, 6, 7], [-4.0, 3, 3, -3], [9.0, 0.01]),
        ([6.0, 7, 8, 9, 10, 14], [0.0, -2, -5, 0, 5, -5], [9.0, 0.01]),
    ]
    for x, y, grid in cases:
        arrays = (np.array(part) for part in (x, y, grid))
        got = answer.call("best_sharpness", *arrays)
        if got.shape == () and got == 9.0:
            raise Wrong(
                "another criterion, or wrong weights: average the others with "
                "rows that sum to 1 (does 1_2.d pass? its weights are used "
                "here), square each error, then take the mean over all points."
            )
        expect_close(got, 0.01, f"{len(x)} points")
    x, y = np.array([0.0, 0.1, 5, 5.1]), np.array([0.0, 0, 1, 1])
    said = "0.01 was right in an earlier call: is it kept?"
    got = answer.call("best_sharpness", x, y, np.array([0.01, 9]))
    expect_close(got, 9.0, "two pairs of neighbours", {said: 0.01})
    # The second case in another order: 11.5 against 19 if x alone is sorted.
    x, y = np.array([2.0, 7, 5, 6]), np.array([-4.0, -3, 3, 3])
    said = "x and y belong together: is one of them sorted, and not the other?"
    got = answer.call("best_sharpness", x, y, np.array([0.01, 9]))
    expect_close(got, 0.01, "points in no order", {said: 9})
