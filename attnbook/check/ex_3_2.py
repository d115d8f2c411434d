"""Visible checks of chapter 3.2's exercises: worked values and properties.

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
    shaped,
)

POOL = Exercise(
    "3_2.a", "Attention pooling of reviews", ("pool_reviews",), "torch"
)
FALL = Exercise("3_2.b", "What the answer rests on", ("fall_if_removed",))
GAP = Exercise("3_2.c", "The gap for a clause", ("clause_gap",))
ERASE = Exercise(
    "3_2.d", "Erased too much", ("erase_top",), all_or_nothing=True
)
FILLER = Exercise(
    "3_2.e",
    "More filler",
    ("weight_of_one", "prediction"),
    predict=("half", "seventh", "fortieth"),
)
EXERCISES = [POOL, FALL, GAP, ERASE, FILLER]

LN2, LN3 = np.log(2.0), np.log(3.0)
HALF = np.arctanh(0.5)


def two_reviews():
    """b, n, e, d, m = 2, 3, 4, 5, 6; only the first hidden unit counts.

    Scores 2 ln 2 tanh(q + h): (0, ln 2, -ln 2) and (ln 2, -ln 2, padding),
    exponentials (1, 2, 1/2) and (2, 1/2, 4 at padding).
    """
    h, q = np.zeros((2, 3, 4)), np.zeros((2, 5))
    h[:, :, 1] = np.array([[0, 1, -1], [0, -2, 20]]) * HALF
    h[:, :, 0] = [[7, 14, 28], [6, 3, 99]]
    q[1, 2] = HALF
    W, U, v = np.zeros((5, 6)), np.zeros((4, 6)), np.zeros(6)
    W[2, 0] = U[1, 0] = 1
    v[0] = 2 * LN2
    return h, q, W, U, v, np.array([[1, 1, 1], [1, 1, 0]], bool)


def shares(*rows):
    """Each row divided by its sum."""
    rows = np.array(rows, float)
    return rows / rows.sum(axis=1, keepdims=True)


@POOL.check("the weights of two reviews by hand, one padded")
def pool_weights(answer, rng):
    _, a = answer.call("pool_reviews", *two_reviews(), parts=2)
    if a.shape == (2, 4):
        raise Wrong.fixed("return the sums first, then the weights.")
    expect_shape(a, (2, 3), "weights")
    if not np.isfinite(a).all():
        raise Wrong.fixed(
            "the weights hold nan: is the mask inverted? True = may attend."
        )
    first = [1, 2, 0.5]
    no_tanh = np.exp(2 * LN2 * HALF * np.array([0, 1, -1]))
    no_tanh_2 = np.exp(2 * LN2 * HALF * np.array([1, -1, -np.inf]))
    small = np.array([[0, 1, -1], [1, -1, -np.inf]]) * LN2 / 6**0.5
    expect_close(
        a,
        shares(first, [2, 0.5, 0]),
        "weights",
        {
            "padding gets weight: mask it.": shares(first, [2, 0.5, 4]),
            "the mask comes after the softmax, so that the weights of the "
            "real words do not sum to 1.": shares(first, [2, 0.5, 4])
            * np.array([[1, 1, 1], [1, 1, 0]]),
            "a masked score is minus infinity, not 0.": shares(
                first, [2, 0.5, 1]
            ),
            "the softmax runs over the reviews; it must run over the words "
            "of each.": shares([1, 2], [2, 0.5], [0.5, 0]).T,
            "all weights are equal: the scores are lost.": shares(
                [1, 1, 1], [1, 1, 0]
            ),
            "the question is ignored.": shares(first, [1, 2**-1.6, 0]),
            "the tanh is missing.": shares(no_tanh, no_tanh_2),
            "the scores of additive attention are not divided by a "
            "root.": shares(*np.exp(small)),
            "these are scores: the softmax is missing.": np.array(
                [[0, LN2, -LN2], [LN2, -LN2, -np.inf]]
            ),
            "these are exponentials: divide by their sum.": np.array(
                [first, [2, 0.5, 0]]
            ),
        },
        tolerance=1e-5,
    )


@POOL.check("the sums of the same reviews")
def pool_sums(answer, rng):
    given = two_reviews()
    c, _ = answer.call("pool_reviews", *given, parts=2)
    sums = np.zeros((2, 4))
    sums[:, 0] = 14, 5.4  # (7 + 28 + 14) 2/7 and 4/5 6 + 1/5 3
    sums[:, 1] = HALF * 3 / 7, -HALF * 2 / 5
    mean, number = given[0].mean(axis=1), np.array([[3], [2]])
    expect_close(
        c,
        sums,
        "sums",
        {
            "that is the plain mean, padding counted.": mean,
            "divided by the number of words; the weights sum to 1.": sums
            / number,
            "that is the state with the largest weight alone.": given[0][
                [0, 1], [1, 0]
            ],
        },
        tolerance=1e-5,
    )


def random_reviews(rng):
    shapes = {"h": (7, 9, 4), "q": (7, 2), "W": (2, 6), "U": (4, 6), "v": (6,)}
    args = {name: rng.normal(size=s) for name, s in shapes.items()}
    lengths = np.array([9, 3, 1, 5, 9, 8, 9])
    return args | {"attention_mask": np.arange(9) < lengths[:, None]}


@POOL.check("what stands at padding changes nothing")
def pool_padding(answer, rng):
    args = random_reviews(rng)
    before = answer.call("pool_reviews", *args.values(), parts=2)
    moved = args["h"] + 50 * ~args["attention_mask"][..., None]
    again = answer.call(
        "pool_reviews", *(args | {"h": moved}).values(), parts=2
    )
    for got, want, what in zip(again, before, ("sums", "weights"), strict=True):
        expect_close(got, want, f"{what}, other numbers at padding")
    expect_close(again[1].sum(axis=1), np.ones(7), "sum of each row's weights")


def pool_far(answer):
    """Scores of -1e7 and padding 0; of 3,000, 3,000 + ln 2, padding 6,000."""
    h, q = np.zeros((2, 3, 2)), np.zeros((2, 1))
    h[0, :2, 0], h[1, :, 0] = -50, [1, 1, 50]  # their tanh is -1, about 1, 1
    h[1, 1, 1] = HALF
    W, U, v = np.zeros((1, 2)), np.eye(2), np.array([1e7, 2 * LN2])
    may = np.array([[True, True, False]] * 2)
    _, a = answer.call("pool_reviews", h[:1], q[:1], W, U, v, may[:1], parts=2)
    late = (
        "padding has all the weight of the softmax: strike it out before, for "
        "what is left of 1 has no digits."
    )
    why = "padding must count as minus infinity, not as some low number."
    suspects = {why: np.array([[0, 0, 1.0]]), late: np.zeros((1, 3))}
    what = "two equal scores of -1e7, padding 0"
    expect_close(a, [[0.5, 0.5, 0]], what, suspects)
    v[0] = 3000 / np.tanh(1)
    _, a = answer.call("pool_reviews", h[1:], q[1:], W, U, v, may[1:], parts=2)
    cut = "large scores are cut off; their differences must count."
    suspects = {
        late: np.zeros((1, 3)),
        cut: np.array([[0.5, 0.5, 0]]),
        f"{cut} ": np.array([[1, 2, 1]]) / 4,
    }
    what = "scores of 3,000 and 3,000 + ln 2, beside padding with more"
    if not np.isfinite(a).all():
        raise Wrong.fixed(f"{what}: nan or infinity; mask before the softmax.")
    expect_close(a, np.array([[1, 2, 0]]) / 3, what, suspects, tolerance=1e-3)
    pool_apart(answer)


def pool_apart(answer):
    """Scores of 1e6 and -1e6 in one batch, padding between two words, forty
    words; then a small weight on a large state."""
    h, q, may = np.zeros((3, 40, 2)), np.zeros((3, 1)), np.zeros((3, 40), bool)
    h[0, :, 0], h[1, :, 0] = 50, -50  # their tanh is 1 and -1
    h[0, 2, 0] = HALF
    may[0, [0, 2]] = may[1, :2] = may[2] = True
    W, U, v = np.zeros((1, 3)), np.zeros((2, 3)), np.array([1e6, 64, 0])
    U[0, 0] = 1
    _, a = answer.call("pool_reviews", h, q, W, U, v, may, parts=2)
    what = "scores of 1e6 and 5e5 for two words with padding between them, of "
    what += "-1e6 for two, of 0 for forty (are scores cut off? is one maximum "
    what += "taken for all? does the mask hold word for word?)"
    want = may / may.sum(axis=1, keepdims=True)
    want[0] = np.arange(40) == 0
    expect_close(a, want, what)
    h, may = np.zeros((1, 2, 2)), np.ones((1, 2), bool)
    h[0, 0, 1], h[0, 1, 0] = 1, np.exp(64.0)
    U[0, 0], U[1, 1] = 0, 100  # scores 64 and 0
    c, _ = answer.call("pool_reviews", h, q[:1], W, U, v, may, parts=2)
    what = "a weight of exp(-64) on a state of exp(64): is it cut off?"
    expect_close(c, [[1.0, 1]], what, tolerance=1e-4)


@POOL.check("all scores lower by 1,000, padding in front")
def pool_low(answer, rng):
    h, q, W, U, v, attention_mask = two_reviews()
    before = answer.call("pool_reviews", h, q, W, U, v, attention_mask, parts=2)
    shaped(before[0], h.shape[::2])
    shaped(before[1], attention_mask.shape)
    q[:, 4], W[4, 5], v[5] = 50, 1, -1000  # tanh(50) is 1
    low = answer.call("pool_reviews", h, q, W, U, v, attention_mask, parts=2)
    shaped(low[1], attention_mask.shape)
    if not np.isfinite(low[1]).all():
        raise Wrong.fixed(
            "scores of -1,000: their exp is 0, and 0/0 is nan; use softmax, or "
            "subtract the largest score first."
        )
    if not np.abs(low[1] - before[1]).max() <= 1e-3:
        raise Wrong.fixed(
            "scores of -1,000: padding gets weight; its score must be minus "
            "infinity, not some number."
        )
    pool_far(answer)
    turned = h[:, ::-1].copy(), attention_mask[:, ::-1].copy()
    args = turned[0], *two_reviews()[1:5], turned[1]
    sums, _ = answer.call("pool_reviews", *args, parts=2)
    shaped(sums, h.shape[::2])
    why = "the mask says which words are real, not only how many."
    if not np.abs(sums - before[0]).max() <= 1e-5:
        raise Wrong.fixed(f"words and mask in reverse order: {why}")


@POOL.check("gradients of h, q, W, U and v")
def pool_gradients(answer, rng):
    expect_gradients(answer, "pool_reviews", random_reviews(rng), rng, parts=2)


@FALL.check("three states by hand")
def fall_by_hand(answer, rng):
    # w.h = (3, 0, -3) ln 3, weights (1, 2, 1)/4: p = 1/2. Without the first,
    # (2, 1)/3 give -ln 3, so p = 1/4; without the last p = 3/4.
    h = np.array([[1.0, 1], [0, 0], [-1, -1]]) * LN3
    s, w = np.array([0, LN2, 0]), np.array([1.0, 2])
    want = np.array([0.25, 0, -0.25])
    kept = 0.5 - 1 / (1 + 3**0.75)
    equal = 0.5 - 1 / (1 + 3**1.5)
    expect_close(
        answer.call("fall_if_removed", h, s, w),
        want,
        "falls",
        {
            "that is how far p rises; the fall is p minus the new one.": -want,
            "the probability is sigma of w.c; these are differences of w.c "
            "itself.": np.array([1, 0, -1]) * LN3,
            "the others' weights must grow when one is removed, so that they "
            "sum to 1.": np.array([kept, 0, -kept]),
            "a score of 0 is not a removed state.": np.zeros(3),
            "these are the weights.": np.array([0.25, 0.5, 0.25]),
            "these are the new probabilities; subtract them from p.": 0.5
            - want,
            "that is the first-order effect; remove the state.": np.array(
                [3, 0, -3]
            )
            * LN3
            / 16,
            "the scores are lost: all weights are equal.": np.array(
                [equal, 0, -equal]
            ),
            "that is p times the weight; remove the state.": np.array(
                [0.125, 0.25, 0.125]
            ),
            "that is what each state alone would give: the one that is "
            "removed is the one that is kept.": np.array(
                [-13 / 28, 0, 13 / 28]
            ),
        },
    )


@FALL.check("scores of a thousand")
def fall_large(answer, rng):
    h, w = np.array([[LN3], [-LN3], [5.0]]), np.ones(1)
    s = np.array([1000.0, 1000, 0])
    got = answer.call("fall_if_removed", h, s, w)
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "scores of 1,000 overflow: subtract the largest score before exp."
        )
    expect_close(got, [0.25, -0.25, 0], "falls")
    low = answer.call("fall_if_removed", h, s - 1e8, w)
    why = "scores of about -1e8: a removed state needs a score below any other."
    if not np.isfinite(low).all() or not np.abs(low - got).max() <= 1e-6:
        raise Wrong.fixed(why)
    turned = answer.call("fall_if_removed", h[::-1].copy(), s[::-1] * 3, w)
    if not np.abs(turned - [0, -0.25, 0.25]).max() <= 1e-6:
        raise Wrong.fixed(
            "scores of 0, 3,000 and 3,000: subtract the largest score before "
            "exp, not the first or the mean."
        )


@FALL.check("one state with all the weight")
def fall_all(answer, rng):
    # The weight is 1 to the last digit; without it the other has all.
    h, w = np.array([[LN3], [-LN3]]), np.ones(1)
    got = answer.call("fall_if_removed", h, np.array([900.0, 0]), w)
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "a weight of 1 in floating point: 1 - a is 0 there. Compute the "
            "softmax over the others instead, from their own largest score."
        )
    expect_close(got, [0.5, 0], "falls, one weight of 1")
    got = answer.call("fall_if_removed", h, np.array([35.0, 0]), w)
    if not np.abs(got - [0.5, 0]).max() <= 1e-6:
        raise Wrong.fixed(
            "a weight of nearly 1: 1 - a has lost its digits. Compute the "
            "softmax over the others instead."
        )


@FALL.check("equal states, and a shift of all scores")
def fall_properties(answer, rng):
    s, w = rng.normal(size=6), rng.normal(size=4)
    same = np.tile(rng.normal(size=4), (6, 1))
    got = answer.call("fall_if_removed", same, s, w)
    expect_close(got, np.zeros(6), "six equal states: nothing falls")
    h = rng.normal(size=(6, 4))
    got = answer.call("fall_if_removed", h, s, w)
    if not np.abs(got).max() > 1e-6:
        raise Wrong.fixed("six different states: something must change.")
    again = answer.call("fall_if_removed", h, s + 3, w)
    expect_close(again, got, "3 added to all scores: the same weights")
    # equal weights, 1/8 of each; without one, 1/7 of each other
    h, w = rng.permutation(np.arange(16.0)).reshape(8, 2) / 9, np.array([2, -1])
    z = h @ w

    def p(z):
        return 1 / (1 + np.exp(-z))

    want = p(z.mean()) - p((z.sum() - z) / 7)
    got = answer.call("fall_if_removed", h, np.full(8, 0.3), w + 0.0)
    suspects = {
        "w is not used as it is: the classifier is w.c.": p(h.sum(1).mean())
        - p((h.sum() - h.sum(1)) / 7),
        "do not round.": np.round(want, 3),
        "a fall may be negative.": np.maximum(want, 0),
    }
    expect_close(got, want, "eight states of equal scores", suspects)
    got = answer.call("fall_if_removed", h, np.full(8, 0.3), w / 1000)
    want = (z.mean() - (z.sum() - z) / 7) / 4  # sigma's slope at 0
    what = "the same states, w a thousandth as large: falls, times a thousand "
    what += "(are they rounded, or is a small number added?)"
    expect_close(got * 1000, want, what, tolerance=1e-3)
    for sure in (9, -9):
        got = answer.call("fall_if_removed", h, np.full(8, 0.3), sure * w)
        want = p(sure * z.mean()) - p(sure * (z.sum() - z) / 7)
        expect_close(got, want, f"the same states, w {sure} times as large")


@GAP.check("counted by hand")
def gap_by_hand(answer, rng):
    # n = 12, m = 2, A = 3/4: 2 e^g = 3 * 10, e^g = 15.
    cases = {
        "that is the gap for one word (Equation 3.2.8).": 33,
        "n - m words have no gap, not n.": 18,
        "A and 1 - A are exchanged.": 5 / 3,
        "the weight A is missing.": 5,
        "the length is missing.": 3,
        "m multiplies where it should divide: more words need less gap.": 60,
        "the m words share the weight: divide by m.": 30,
        "A must be divided by 1 - A.": 3.75,
        "the other words are n - m, not n - 1.": 16.5,
        "ln is the natural logarithm, of A too.": 5 * np.exp(np.log10(3)),
        "the logarithms are added, not multiplied.": 5 ** np.log(3),
    }
    suspects = {why: np.log(x) for why, x in cases.items()}
    suspects["take the logarithm: the gap is g, not e^g."] = 15
    suspects["the sign is reversed."] = -np.log(15)
    got = answer.call("clause_gap", 12, 2, 0.75)
    expect_close(got, np.log(15), "n = 12, m = 2, A = 3/4", suspects)


@GAP.check("these gaps give these weights")
def gap_closes(answer, rng):
    g = np.asarray(answer.call("clause_gap", 6, 5, 0.5), float)
    why = "a gap may be negative: here few other words must keep one half."
    suspects = {why: np.log(5), f"{why} ": 0.0}
    expect_close(g, -np.log(5), "n = 6, m = 5, A = 1/2", suspects)
    g = np.asarray(answer.call("clause_gap", 10, 1, 1e-12), float)
    what = "n = 10, m = 1, A = 1e-12: nothing is added to A, nor is it cut off"
    expect_close(g, np.log(9e-12), what)
    half = 0.5
    sizes = {(2**20 + 3, 3, half): np.log(2**20 / 3)}
    sizes |= {(3000, 1000, half): LN2, (1001, 1000, half): -np.log(1000)}
    sizes |= {(12_345, 10_000, half): np.log(0.2345)}
    sizes |= {(2**30 + 1, 1, 1 - 2.0**-20): 30 * LN2 + np.log(2**20 - 1)}
    for (n, m, A), want in sizes.items():
        g = np.asarray(answer.call("clause_gap", n, m, A), float)
        what = f"n = {n:,}, m = {m:,}, A = {A:g} (is something cut off, is "
        what += "a quotient rounded, or a small number added?)"
        expect_close(g, want, what)
    for n, m, A in [(40, 1, 0.5), (30, 4, 0.9), (240, 6, 0.2), (20, 3, 0.999)]:
        g = np.asarray(answer.call("clause_gap", n, m, A), float)
        expect_shape(g, (), "gap")
        weight = m / (m + (n - m) * np.exp(-g))
        expect_close(weight, A, "the clause's weight with your gap")


@ERASE.check("three reviews of unequal length")
def erase_by_hand(answer, rng):
    words = np.array([[5, 6, 7, 8], [9, 5, 6, 0], [7, 4, 0, 0]])
    value = np.array(
        [[0.1, 0.9, 0.2, -3], [0.4, 0.3, 0.2, 0.8], [-2, -1, 6, 7]]
    )

    def erased(*places):
        out = words.copy()
        for row, column in places:
            out[row, column] = 3
        return out

    def columns(*at):
        return erased(*((row, k) for row in range(3) for k in at))

    got = answer.call("erase_top", words, value, 3, 0)
    expect_close(
        got,
        erased((0, 1), (1, 0), (2, 1)),
        "words",
        {
            "both bugs are still there: whole columns are erased, and "
            "padding is chosen.": columns(1, 3),
            "whole columns are erased; name one place in each row.": columns(
                0, 1
            ),
            "padding is chosen: a word that is not there cannot be "
            "erased.": erased((0, 1), (1, 3), (2, 3)),
            "a value below 0 loses against padding: padding must count as "
            "minus infinity.": erased((0, 1), (1, 0), (2, 2)),
            "the largest value, not the largest absolute value.": erased(
                (0, 3), (1, 0), (2, 0)
            ),
            "that is the smallest value.": erased((0, 3), (1, 2), (2, 0)),
            "nothing is erased.": words,
            "the erased word becomes unknown, not padding.": np.where(
                erased((0, 1), (1, 0), (2, 1)) == 3, 0, words
            ),
        },
    )


@ERASE.check("another number for padding")
def erase_pad(answer, rng):
    words = np.array([[0, 6, 2, 2, 2], [5, 0, 6, 8, 2]])
    value = np.array([[0.9, 0.1, 5, 5, 5], [0.1, 0.7, 0.2, 0.3, 5]])
    expect_close(
        answer.call("erase_top", words, value, 9, 2),
        [[9, 6, 2, 2, 2], [5, 9, 6, 8, 2]],
        "pad = 2, unknown = 9",
        {
            "padding is `pad`, not always 0.": np.array(
                [[0, 6, 9, 2, 2], [5, 0, 6, 8, 9]]
            ),
            "the erased word becomes `unknown`, whatever its number.": (
                np.array([[3, 6, 2, 2, 2], [5, 3, 6, 8, 2]])
            ),
        },
    )


@ERASE.check("values far below 0, equal values")
def erase_odd(answer, rng):
    words = np.array([[5, 6, 7, 0], [6, 7, 8, 9]])
    value = np.array([[-1e12, -2e12, -3e12, 0], [0.5, 0.2, 0.5, 0.1]])
    got = answer.call("erase_top", words, value, 3, 0)
    expect_shape(got, (2, 4), "words")
    if not (got[0] == [3, 6, 7, 0]).all():
        raise Wrong.fixed(
            "values far below 0: padding must count as minus infinity, not "
            "as some number."
        )
    if (got[1] == 3).sum() != 1:
        raise Wrong.fixed("two largest values: one word is to be erased.")
    words = np.array([[5, 6, 7, 0], [5, 6, 0, 0]])
    value = np.array([[0.5, 0.5001, 0.5002, 0], [-2e38, -1e38, 1, 0]])
    got = answer.call("erase_top", words, value, 3, 0)
    expect_shape(got, (2, 4), "words")
    if not (got[0] == [5, 6, 3, 0]).all():
        raise Wrong.fixed("0.5002 is larger than 0.5001: do not round values.")
    if not (got[1] == [5, 3, 0, 0]).all():
        raise Wrong.fixed(
            "values of -1e38: padding must count as minus infinity, not as "
            "some number."
        )
    value = np.array([[1.0, 1.0 + 1e-10, 1, 2], [-2e300, -1e300, 0, 0]])
    got = answer.call("erase_top", words, value, 4000, 0)
    why = "1.0000000001 is larger than 1, and -1e300 than padding (float64 can "
    why += "tell); unknown is 4000."
    expect_close(got, [[5, 4000, 7, 0], [5, 4000, 0, 0]], why)


@ERASE.check("one word in each of many reviews")
def erase_many(answer, rng):
    lengths = rng.integers(1, 12, size=40)
    words = rng.integers(10, 90, size=(40, 12))
    words[np.arange(12) >= lengths[:, None]] = 1
    got = answer.call("erase_top", words, rng.normal(size=(40, 12)), 5, 1)
    expect_shape(got, (40, 12), "words")
    counts = (got != words).sum(axis=1)
    expect_close(counts, np.ones(40), "words changed in each review")
    expect_close((got == 5).sum(axis=1), np.ones(40), "unknown words in each")
    words = np.full((300, 400), 7)
    value, last = np.zeros((300, 400)), np.arange(300) + 100
    value[np.arange(300), last] = 1e-3
    got = answer.call("erase_top", words, value, 5, 1)
    expect_shape(got, (300, 400), "words")
    if not (got[np.arange(300), last] == 5).all():
        raise Wrong.fixed(
            "300 reviews of 400 words: not every row or column is looked at, "
            "or values of 0.001 are taken for 0."
        )


@FILLER.check("worked examples")
def weight_by_hand(answer, rng):
    got = answer.call("weight_of_one", np.log(39), 40)
    expect_close(
        got,
        0.5,
        "g = ln 39, n = 40",
        {
            "n - 1 others, not n.": 39 / 79,
            "that is the ratio of two weights.": 39,
            "the gap belongs into an exponential.": np.log(39)
            / (np.log(39) + 39),
            "the sign of the gap is reversed.": 1 / (1 + 39**2),
            "that is one of the other words.": 1 / 78,
            "the exponential is e^g, not 2^g.": 1 / (1 + 39 / 2 ** np.log(39)),
        },
    )
    got = answer.call("weight_of_one", np.log(2), 3)
    expect_close(
        got,
        0.5,
        "g = ln 2, n = 3",
        {"the number of others must count.": 2 / 3},
    )
    expect_close(answer.call("weight_of_one", LN3, 7), 1 / 3, "g = ln 3, n = 7")
    expect_close(answer.call("weight_of_one", 0.0, 8), 1 / 8, "g = 0, n = 8")


@FILLER.check("a single word, and a gap of a thousand")
def weight_extremes(answer, rng):
    expect_close(answer.call("weight_of_one", -2.0, 1), 1, "n = 1")
    try:
        got = answer.call("weight_of_one", 1000.0, 240)
    except Wrong as wrong:
        if "raised" in str(wrong):
            raise Wrong.fixed(
                "a gap of 1,000 overflows: divide by e^g first."
            ) from None
        raise
    if not np.isfinite(got).all():
        raise Wrong.fixed("a gap of 1,000 overflows: divide by e^g first.")
    expect_close(got, 1, "g = 1000, n = 240")
    if not abs(got - 1) < 1e-12:
        raise Wrong.fixed("g = 1000: the weight is 1; nothing is added.")
    for g in (30, 60, 85):
        got = shaped(answer.call("weight_of_one", -1.0 * g, 2), ())
        if not np.isclose(got, 1 / (1 + np.exp(g)), rtol=1e-4, atol=0):
            raise Wrong.fixed(
                f"g = -{g}, n = 2: the weight is small, but not 0; nothing is "
                "cut off, rounded or added."
            )
    got = answer.call("weight_of_one", np.log(7999), 8000)
    expect_close(got, 0.5, "g = ln 7999, n = 8000 (n may be of any size)")
    got = answer.call("weight_of_one", 25.0, 1_000_001)
    want = 1 / (1 + 1e6 * np.exp(-25))
    cut = "a gap of 25 is no gap of 20, nor infinite."
    suspects = {cut: 1 / (1 + 1e6 * np.exp(-20)), f"{cut} ": 1.0}
    expect_close(got, want, "g = 25, n = 1,000,001", suspects)
