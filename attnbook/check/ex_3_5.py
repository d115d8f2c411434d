"""Visible checks of chapter 3.5's exercises: worked values and properties.

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

FADE = Exercise("3_5.a", "Suppression that fades", ("faded_scores",))
SHAPED = Exercise(
    "3_5.b", "A prior with a shape of its own", ("shaped_weights",), "torch"
)
SLOPE = Exercise("3_5.c", "Which way is GIoU's slope?", ("giou_slope",))
TWICE = Exercise(
    "3_5.d",
    "A detector with a recall of two",
    ("hit_flags",),
    all_or_nothing=True,
)
COPIES = Exercise(
    "3_5.e",
    "A second box for each object",
    ("eleven_points", "prediction"),
    predict=("neither", "both", "low copies", "close copies"),
)
EXERCISES = [FADE, SHAPED, SLOPE, TWICE, COPIES]

LN2 = np.log(2.0)
HALF = LN2**0.5  # exp(-HALF^2) = 1/2


def pairs(n, **values):
    """Overlaps (n, n), 1 on the diagonal, of the pairs named like p01."""
    out = np.eye(n)
    for name, value in values.items():
        i, j = int(name[1]), int(name[2])
        out[i, j] = out[j, i] = value
    return out


@FADE.check("two boxes by hand")
def fade_two(answer, rng):
    # sigma = 1: exp(-ln 2) = 1/2 for an overlap of sqrt(ln 2).
    got = answer.call(
        "faded_scores", pairs(2, p01=HALF), np.array([0.4, 0.8]), 1.0
    )
    suspects = {
        "the best box fades by its overlap with itself; it is settled.": [
            0.4 / 2 / np.e,
            0.8 / np.e,
        ],
        "all boxes fade by the better ones and by themselves.": [
            0.2,
            0.8 / np.e,
        ],
        "every box keeps its score: nothing fades.": [0.4, 0.8],
        "the overlap is squared before it is divided by sigma.": [
            0.4 * np.exp(-HALF),
            0.8,
        ],
        "that is the linear form, 1 - IoU; the Gaussian is asked.": [
            0.4 * (1 - HALF),
            0.8,
        ],
        "that is hard suppression: the score fades, it does not vanish.": [
            0.0,
            0.8,
        ],
        "scores are returned in the order of the boxes.": [0.8, 0.2],
        "the worse box was settled first; begin with the best score.": [
            0.4,
            0.4,
        ],
        "both boxes fade: only candidates do, the settled one stays.": [
            0.2,
            0.4,
        ],
        "the exponent is minus IoU squared over sigma, without the 2.": [
            0.4 * np.exp(-LN2 / 2),
            0.8,
        ],
    }
    expect_close(got, [0.2, 0.8], "scores 0.4 and 0.8", suspects)


@FADE.check("sigma")
def fade_sigma(answer, rng):
    overlap, scores = pairs(2, p01=HALF), np.array([0.8, 0.4])
    got = answer.call("faded_scores", overlap, scores, 0.5)
    suspects = {
        "sigma makes no difference.": [0.8, 0.2],
        "the square is divided by sigma, not by its square.": [0.8, 0.4 / 16],
        "the square is multiplied by sigma; divide.": [0.8, 0.4 / 2**0.5],
        "the exponent is minus IoU squared over sigma, without the 2.": [
            0.8,
            0.2,
        ],
    }
    expect_close(got, [0.8, 0.1], "sigma = 1/2", suspects)


@FADE.check("little overlap, and full overlap")
def fade_range(answer, rng):
    scores = np.array([0.8, 0.4])
    got = answer.call("faded_scores", pairs(2, p01=0.3), scores, 0.09 / LN2)
    suspects = {"there is no threshold: every overlap fades.": [0.8, 0.4]}
    expect_close(got, [0.8, 0.2], "overlap 0.3", suspects)
    args = pairs(2, p01=0.01), scores, 1e-4 / LN2
    got = answer.call("faded_scores", *args)
    expect_close(got, [0.8, 0.2], "overlap 0.01", suspects)
    got = answer.call("faded_scores", pairs(2, p01=1.0), scores, 0.1 / LN2)
    suspects = {"no score is set to 0, however small.": [0.8, 0.0]}
    expect_close(got, [0.8, 0.4 / 1024], "overlap 1", suspects)
    got = answer.call("faded_scores", pairs(2, p01=1.0), scores, 40.0)
    expect_close(got, [0.8, 0.4 * np.exp(-1 / 40)], "sigma = 40")
    args = pairs(2, p01=0.001), scores, 1e-6 / LN2
    got = answer.call("faded_scores", *args)
    suspects = {"there is no threshold: every overlap fades.": [0.8, 0.4]}
    expect_close(got, [0.8, 0.2], "overlap 0.001", suspects)
    args = pairs(2, p01=1.0), scores, 1 / (30 * LN2)
    got = answer.call("faded_scores", *args)
    expect_shape(got, (2,), "two boxes")
    if not np.isclose(got[1], 0.4 * 2.0**-30, rtol=1e-4, atol=0):
        raise Wrong.fixed(
            "overlap 1, sigma = 0.048: a score of 0.4 becomes 4e-10; no score "
            "is set to 0 or to a least one, and sigma is used as it is."
        )


@FADE.check("a faded box is no longer the next")
def fade_order(answer, rng):
    # 0 settles; 1 falls from 0.8 to 0.4, below 2 (0.5); 2 settles, and fades
    # 1 once more: 0.2. In the old order 1 would settle first and fade 2.
    overlap = pairs(3, p01=HALF, p12=HALF)
    got = answer.call("faded_scores", overlap, np.array([0.9, 0.8, 0.5]), 1.0)
    suspects = {
        "the order was found once at the beginning; a faded box may fall "
        "behind.": [0.9, 0.4, 0.25],
        "a box fades once only; each better box fades it.": [0.9, 0.4, 0.5],
        "every better box at the start fades it, also one that fell behind.": [
            0.9,
            0.4,
            0.25,
        ],
    }
    expect_close(got, [0.9, 0.2, 0.5], "scores 0.9, 0.8, 0.5", suspects)


@FADE.check("one after the other")
def fade_chain(answer, rng):
    overlap = pairs(3, p01=HALF, p02=HALF, p12=HALF)
    got = answer.call("faded_scores", overlap, np.array([0.1, 0.4, 0.8]), 1.0)
    suspects = {
        "a box fades by the best box only; every settled one fades those "
        "that wait.": [0.05, 0.2, 0.8],
    }
    expect_close(got, [0.025, 0.2, 0.8], "three boxes alike", suspects)
    scores = rng.permutation(np.arange(1.0, 8)) / 10
    got = answer.call("faded_scores", np.eye(7), scores, 0.5)
    expect_close(got, scores, "seven boxes apart: no score changes")
    # twelve alike: each fades as often as there are better ones
    scores = rng.permutation(np.arange(1.0, 13)) / 12
    better = (scores > scores[:, None]).sum(axis=1)
    overlap = np.where(np.eye(12) > 0, 1, HALF)
    got = answer.call("faded_scores", overlap, scores, 1.0)
    want = scores / 2.0**better
    for most in range(1, 11):
        some = scores / 2.0 ** np.minimum(better, most)
        if got.shape == (12,) and np.allclose(got, some, atol=1e-9):
            raise Wrong.fixed(
                "twelve boxes alike: only some of them are settled; go on "
                "until no candidate is left."
            )
    small = "no score is set to 0, however small."
    suspects = {
        small: np.where(want < 1e-3, 0, want),
        f"{small} ": np.where(want < 1e-4, 0, want),
    }
    expect_close(got, want, "twelve boxes alike", suspects)
    # the last but one of 300 halves the last
    overlap, scores = np.eye(300), np.arange(300.0, 0, -1) / 300
    overlap[298, 299] = overlap[299, 298] = HALF
    got = answer.call("faded_scores", overlap, scores, 1.0)
    what = "300 boxes: all are settled, one after the other"
    expect_close(got[298:], [2 / 300, 1 / 600], what)


def prior_case():
    """One head, two queries, three cells; the numerators of G by hand."""
    points = np.array([[0.0, 0], [1, 0]])
    sizes = np.array([[1.0, 2], [0.5, 1]])
    centres = np.array([[0.0, 0], [1, 0], [0, 2]])
    squares = np.array([[0, 1, 1], [4, 0, 4 + 4]])  # in units of the sizes
    return points, sizes, centres, squares


def rows(numerators, axis=-1):
    """Each over the sum along an axis."""
    numerators = np.asarray(numerators, float)
    return numerators / numerators.sum(axis=axis, keepdims=True)


@SHAPED.check("the prior alone, by hand")
def shaped_alone(answer, rng):
    points, sizes, centres, squares = prior_case()
    got = answer.call(
        "shaped_weights", np.zeros((1, 2, 3)), points, sizes, centres
    )
    expect_shape(got, (1, 2, 3), "one head, two queries, three cells")
    swapped = np.array([[0, 1 / 4, 4], [1, 0, 1 + 16]])
    unsquared = np.array([[0, 1, 2], [2, 0, 2 + 4]])
    gaussian = np.exp(-squares / 2)
    of = {
        "the factor 1/2 is missing.": rows(np.exp(-squares)),
        "the sign is wrong: near cells weigh most.": rows(np.exp(squares / 2)),
        "width and height are swapped: x comes first.": rows(
            np.exp(-swapped / 2)
        ),
        "the sizes are squared too: divide before you square.": rows(
            np.exp(-unsquared / 2)
        ),
        "G itself was added to the scores; its logarithm is.": rows(
            np.exp(gaussian)
        ),
        "the weights are not normalised: each row sums to 1.": gaussian,
        "the softmax runs over the queries; it runs over the cells.": rows(
            gaussian, 0
        ),
        "the prior makes no difference.": np.full((2, 3), 1 / 3),
        "the sizes make no difference.": rows(
            np.exp(-np.array([[0, 1, 4], [1, 0, 5]]) / 2)
        ),
        "the distance is not squared.": rows(np.exp(-(squares**0.5) / 2)),
        "multiply by the Gaussian after the softmax, and normalise.": (
            gaussian / 3
        ),
    }
    suspects = {why: value[None] for why, value in of.items()}
    want = rows(gaussian)[None]
    expect_close(got, want, "scores of 0", suspects)
    for shift, scale in (10, 1), (-10, 1), (0, 100):
        moved = (scale * points + shift, scale * sizes, scale * centres + shift)
        got = answer.call("shaped_weights", np.zeros((1, 2, 3)), *moved)
        what = f"all places times {scale}, {shift:+} (nothing is cut off)"
        expect_close(got, want, what, tolerance=1e-5)


@SHAPED.check("scores and prior together")
def shaped_both(answer, rng):
    points, sizes, centres, squares = prior_case()
    scores = LN2 * np.array([[[0.0, 1, 2], [1, 0, 3]], [[2, 0, 0], [0, 0, 1]]])
    got = answer.call("shaped_weights", scores, points, sizes, centres)
    power, g = np.exp(scores), np.exp(-squares / 2)
    suspects = {
        "the weights are multiplied by G and not normalised again.": (
            rows(power) * g
        ),
        "the softmax runs over the queries; it runs over the cells.": rows(
            power * g, 1
        ),
        "the softmax runs over the heads; it runs over the cells.": rows(
            power * g, 0
        ),
        "the scores make no difference.": rows(np.stack([g, g])),
        "the scores are scaled already.": rows(np.exp(scores / 2**0.5) * g),
        "the prior was normalised and added, not multiplied.": (
            rows(power) + rows(g)
        )
        / 2,
    }
    expect_close(got, rows(power * g), "two heads", suspects)


@SHAPED.check("cells far away")
def shaped_far(answer, rng):
    points, sizes = np.zeros((1, 2)), np.full((1, 2), 1e-4)
    centres = np.array([[1.0, 0], [1, 0], [2, 0]])
    got = answer.call(
        "shaped_weights", np.zeros((1, 1, 3)), points, sizes, centres
    )
    what = "all cells ten thousand widths away"
    remedy = "Add the logarithm to the scores, before the softmax."
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            f"{what}: exp gives 0 for each, and then 0/0. {remedy}"
        )
    suspects = {
        "exp gives 0 for each, and a number added to it makes all equal. "
        + remedy: np.full((1, 1, 3), 1 / 3),
        f"exp gives 0 for each. {remedy}": np.zeros((1, 1, 3)),
    }
    expect_close(got, [[[0.5, 0.5, 0]]], what, suspects)
    small = np.zeros((1, 1, 3)), points, sizes, centres * 1e-4
    got = answer.call("shaped_weights", *small)
    cells = rows(np.exp([-0.5, -0.5, -2]))
    why = "sizes may be small: divide by them as they are."
    suspects = {why: np.full((1, 1, 3), 1 / 3)}
    expect_close(got, cells[None, None], "sizes of 0.0001", suspects, 1e-5)
    scores = np.array([[[2000, 2000 + LN2, 2000], [-2000, LN2 - 2000, -2000]]])
    args = scores, np.zeros((2, 2)), np.ones((2, 2)), centres
    got = answer.call("shaped_weights", *args)
    if not np.isfinite(got).all():
        raise Wrong.fixed("scores of 2,000 give nan or infinity; use softmax.")
    g, cut = np.exp([-0.5, LN2 - 0.5, -2]), np.exp([-0.5, -0.5, -2])
    suspects = {"large scores are cut off.": np.tile(rows(cut), (1, 2, 1))}
    want = np.tile(rows(g), (1, 2, 1))
    what = "scores of 2,000 and of -2,000"
    expect_close(got, want, what, suspects, tolerance=1e-4)


@SHAPED.check("gradients of scores, points and sizes")
def shaped_gradients(answer, rng):
    args = {"scores": rng.normal(size=(7, 8, 9))}
    args |= {"points": rng.normal(size=(8, 2))}
    args |= {"sizes": rng.uniform(0.5, 2, size=(8, 2))}
    args |= {"centres": rng.normal(size=(9, 2))}
    got = answer.call("shaped_weights", *args.values())
    expect_shape(got, (7, 8, 9), "seven heads, eight queries, nine cells")
    sums = got.sum(axis=-1)
    expect_close(sums, np.ones((7, 8)), "the sums of all rows")
    expect_gradients(answer, "shaped_weights", args, rng)


def expect_slope(answer, distance, a, b, want, suspects, what):
    got = answer.call("giou_slope", float(distance), float(a), float(b))
    expect_shape(got, (), f"{what}: one number")
    expect_close(got, want, what, suspects)


@SLOPE.check("boxes apart, by hand")
def slope_apart(answer, rng):
    # s = 3, D = 7: GIoU = (3 - 7) / (3 + 7), slope -6 / 100.
    suspects = {
        "that is the slope of IoU: GIoU sees boxes that are apart.": 0.0,
        "the sign is wrong: farther apart is worse.": 0.06,
        "that is GIoU itself; its slope is asked.": -0.4,
        "s is half the sum of the widths.": -12 / 13**2,
        "the widths differ: s is half of their sum.": -4 / 81,
        "the denominator is squared.": -6 / 10,
        "the quotient rule gives 2 s: both parts change with D.": -3 / 100,
        "only the numerator was differentiated.": -1 / 10,
        "that is the slope by D / s, without units; D is a length.": -0.18,
    }
    what = "widths 2 and 4, distance 7"
    expect_slope(answer, 7, 2, 4, -0.06, suspects, what)
    what = "widths 2,000 and 4,000, distance 7,000"
    expect_slope(answer, 7000, 2000, 4000, -6e-5, {}, what)
    what = "widths 0.0002 and 0.0004, distance 0.0007"
    expect_slope(answer, 7e-4, 2e-4, 4e-4, -600, {}, what)


@SLOPE.check("boxes that overlap in part, by hand")
def slope_overlap(answer, rng):
    # s = 3, D = 2: common 1, joint 5; slope -6 / 25.
    suspects = {
        "the sign is wrong: farther apart is worse.": 0.24,
        "that is the value; its slope is asked.": 0.2,
        "the joint length grows with D, too.": -1 / 5,
        "boxes that overlap in part: the slope is not 0.": 0.0,
        "the quotient rule gives 2 s: both parts change with D.": -3 / 25,
    }
    what = "widths 2 and 4, distance 2"
    expect_slope(answer, 2, 2, 4, -0.24, suspects, what)


@SLOPE.check("one inside the other")
def slope_inside(answer, rng):
    why = "inside, neither the common part nor the hull changes with D."
    for distance, a, b in (0.5, 2, 8), (3, 8, 2), (0, 5, 5), (1, 2, 4):
        s = (a + b) / 2
        suspects = {why: -2 * s / (s + distance) ** 2}
        what = f"widths {a} and {b}, distance {distance}"
        expect_slope(answer, distance, a, b, 0.0, suspects, what)
    what = "widths 4 and 2, distance 1.00000095: no longer inside"
    why = "any part outside counts, however small: no tolerance."
    distance = 1 + 2.0**-20
    want = -6 / (3 + distance) ** 2
    expect_slope(answer, distance, 4, 2, want, {why: 0.0}, what)
    why = "a slope may be steeper than 1; nothing is cut off."
    what = "widths 0.1 and 0.1, distance 0.1"
    expect_slope(answer, 0.1, 0.1, 0.1, -5, {why: -1.0}, what)


@SLOPE.check("no step where the boxes come apart")
def slope_smooth(answer, rng):
    a, b = rng.uniform(1, 5, size=2)
    s = (a + b) / 2
    near, far = (answer.call("giou_slope", s + d, a, b) for d in (-1e-7, 1e-7))
    expect_shape(near, (), "the slope, one number")
    expect_close(near, far, "just before and just after they touch")
    expect_close(far, -1 / (2 * s), "where they touch, D = s", {})


def expect_hits(answer, overlap, scores, least, want, suspects, what):
    got = answer.call(
        "hit_flags", np.array(overlap, float), np.array(scores), least
    )
    want = np.array(want, float)
    of = {why: np.array(value, float) for why, value in suspects.items()}
    expect_close(got, want, what, of)


@TWICE.check("two boxes, one object")
def twice_one(answer, rng):
    suspects = {
        "a second box on the same object is an error.": [1, 1],
        "the worse box came first; begin with the best score.": [1, 0],
        "no box is a hit.": [0, 0],
    }
    args = [[0.9], [0.8]], [0.6, 0.7], 0.5
    expect_hits(answer, *args, [0, 1], suspects, "scores 0.6 and 0.7")


@TWICE.check("the second choice")
def twice_second(answer, rng):
    suspects = {
        "its first choice is taken, but it overlaps another free object by "
        "enough.": [1, 0, 1],
        "a second box on the same object is an error.": [1, 1, 1],
        "two objects: at most two hits.": [1, 1, 1],
    }
    args = [[0.9, 0.7], [0.8, 0.6], [0.7, 0.9]], [0.9, 0.8, 0.7], 0.5
    what = "three boxes, two objects"
    expect_hits(answer, *args, [1, 1, 0], suspects, what)


@TWICE.check("a box takes what it overlaps most")
def twice_best(answer, rng):
    # The first takes object 1 (0.8) and leaves object 0 to the second.
    suspects = {
        "it took the first object that will do, not the one it overlaps "
        "most.": [1, 0]
    }
    args = [[0.6, 0.8], [0.7, 0.1]], [0.9, 0.8], 0.5
    expect_hits(answer, *args, [1, 1], suspects, "overlaps 0.6 and 0.8")


@TWICE.check("the best first, and any choice that is free")
def twice_choices(answer, rng):
    suspects = {"no box makes room for a worse one.": [1, 1]}
    args = [[0.8, 0.6], [0.7, 0.1]], [0.9, 0.8], 0.5
    expect_hits(answer, *args, [1, 0], suspects, "overlaps 0.8 and 0.7")
    suspects = {"the third choice is free, and overlaps enough.": [1, 1, 0]}
    overlap = [[0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.8, 0.7, 0.6]]
    args = overlap, [0.9, 0.8, 0.7], 0.5
    expect_hits(answer, *args, [1, 1, 1], suspects, "three objects")
    few = "only some of the boxes, or of the objects, are looked at."
    suspects = {few + k * " ": np.arange(9) < k for k in range(3, 9)}
    args = np.roll(np.eye(9), 4, axis=1), np.arange(9.0, 0, -1) / 10, 0.5
    expect_hits(answer, *args, np.ones(9), suspects, "nine of each")
    chain = np.eye(6) * 0.9
    chain[5] = np.linspace(0.9, 0.6, 6)  # the others take all but the last
    suspects = {"the sixth choice is free, and overlaps enough.": [1] * 5 + [0]}
    args = chain, np.linspace(0.9, 0.8, 6), 0.5
    expect_hits(answer, *args, [1] * 6, suspects, "six objects")
    suspects = {"the best score is first, by however little.": [1, 0]}
    args = [[0.8], [0.7]], [0.61, 0.6101], 0.5
    expect_hits(answer, *args, [0, 1], suspects, "scores 0.61 and 0.6101")
    args = np.roll(np.eye(300), 4, axis=1), np.arange(300.0, 0, -1) / 300, 0.5
    what = "300 of each: all boxes and objects are looked at"
    expect_hits(answer, *args, np.ones(300), {}, what)


@TWICE.check("a box that is no hit takes nothing")
def twice_miss(answer, rng):
    suspects = {
        "a box below the least overlap takes no object; the next may.": [0, 0]
    }
    args = [[0.4], [0.9]], [0.9, 0.8], 0.5
    expect_hits(answer, *args, [0, 1], suspects, "overlaps 0.4 and 0.9")


@TWICE.check("exactly the least, and another least")
def twice_least(answer, rng):
    equal = {"an overlap equal to the least is enough.": [0]}
    expect_hits(answer, [[0.5]], [0.9], 0.5, [1], equal, "overlap 0.5")
    less = {"an overlap less than the least is no hit: no tolerance.": [1]}
    args = [[0.5 - 2.0**-21]], [0.9], 0.5
    expect_hits(answer, *args, [0], less, "overlap 0.4999995")
    fixed = {"`least` is not always 0.5.": [1, 0]}
    args = [[0.6, 0.2], [0.3, 0.2]], [0.9, 0.8], 0.75
    expect_hits(answer, *args, [0, 0], fixed, "least 0.75")
    fixed = {"`least` is not always 0.5.": [0, 0]}
    args = [[0.3, 0.2], [0.1, 0.3]], [0.9, 0.8], 0.25
    expect_hits(answer, *args, [1, 1], fixed, "least 0.25")
    for least in (0, 0.25):
        why = (
            "an object that is found is found once, whatever `least` is: "
            "strike it out with a number below every IoU, such as -1."
        )
        suspects = {why: [1, 1, 1], f"{why} ": [1, 1, 0]}
        args = [[0.9], [1.0], [0.6]], [0.9, 0.8, 0.7], least
        expect_hits(answer, *args, [1, 0, 0], suspects, f"least {least}")
    for least, value, want in (0.05, 0.07, 1), (0.97, 0.95, 0), (1, 1, 1):
        what = f"overlap {value}, least {least}: `least` is used as it is"
        expect_hits(answer, [[value]], [0.9], least, [want], {}, what)


def expect_ap(answer, hit, objects, want, suspects):
    got = answer.call("eleven_points", np.array(hit) > 0, objects)
    what = f"hits {hit}, {objects} objects"
    expect_shape(got, (), f"{what}: one number")
    expect_close(got, want, what, suspects)


@COPIES.check("three boxes by hand")
def copies_by_hand(answer, rng):
    # P = 1, 1/2, 2/3; R = 1/4, 1/4, 2/4. Recalls 0, .1, .2: 1; .3, .4, .5:
    # 2/3; the other five are never reached.
    suspects = {
        "that is COCO's mean over 101 recalls.": (26 + 25 * 2 / 3) / 101,
        "a recall that is reached exactly counts.": (3 + 2 * 2 / 3) / 11,
        "eleven recalls, 0 and 1 with them.": 5 / 10,
        "recalls that are never reached count 0; do not leave them out.": 5 / 6,
        "recall is hits over objects, not over boxes.": 6 / 11,
        "that is the area under the curve, not eleven points.": 1 / 4 + 1 / 6,
        "recall 0 is one of the eleven.": 4 / 10,
        "that is a sum; the mean is asked.": 5,
        "recall is hits over `objects`, not over all hits.": (6 + 10 / 3) / 11,
        "that is the mean precision; eleven recalls are asked.": 13 / 18,
        "that takes the recall for the precision: hits over boxes so far.": 3
        / 11,
        "a recall that is never reached counts 0, not the last precision.": (
            3 + 8 * 2 / 3
        )
        / 11,
    }
    expect_ap(answer, [1, 0, 1], 4, 5 / 11, suspects)


@COPIES.check("the best precision from there on")
def copies_envelope(answer, rng):
    # P = 0, 1/2, 2/3, R = 0, 1/2, 1: best from any recall on is 2/3.
    suspects = {
        "take the best precision at this recall or a higher one.": (
            6 * 1 / 2 + 5 * 2 / 3
        )
        / 11,
        "that is the precision at the first place where the recall is "
        "reached; a later one may be better.": (0 + 5 * 1 / 2 + 5 * 2 / 3) / 11,
        "that is the mean precision of the hits; recalls are asked.": 7 / 12,
    }
    expect_ap(answer, [0, 1, 1], 2, 2 / 3, suspects)
    again = {"is it computed anew in every call?": 2 / 3}
    expect_ap(answer, [1, 1, 0], 2, 1, again)


@COPIES.check("errors after the last hit")
def copies_after(answer, rng):
    last = {"that is the precision at the end of the list.": 1 / 2}
    expect_ap(answer, [1, 1, 0, 0], 2, 1, last)
    why = "a recall of 2/3 is below 0.7: do not round it."
    rounded = {why: (4 + 4 * 2 / 3 + 3 * 0.6) / 11}
    want = (4 + 3 * 2 / 3 + 4 * 0.6) / 11
    expect_ap(answer, [1, 0, 1, 0, 1, 0], 3, want, rounded)


@COPIES.check("nothing found")
def copies_nothing(answer, rng):
    expect_ap(answer, [0, 0], 3, 0, {"no hit is worth nothing.": 1})
    expect_ap(answer, [], 3, 0, {})
    expect_ap(answer, [1], 8, 2 / 11, {})
    for found in range(1, 11):
        why = (
            "a recall is rounded: 3 of 10 may come out below 3 times 0.1, and "
            "must reach it; compare 10 times the hits with k times the objects."
        )
        suspects = {why: found / 11}
        expect_ap(answer, [1] * found, 10, (found + 1) / 11, suspects)
    got = answer.call("eleven_points", np.ones(2999, bool), 10_000)
    why = "a recall that is not quite reached does not count."
    expect_close(got, 3 / 11, "2,999 hits, 10,000 objects", {why: 4 / 11})
    got = answer.call("eleven_points", np.ones(10_000, bool), 10**6)
    expect_close(got, 1 / 11, "10,000 hits, a million objects")
