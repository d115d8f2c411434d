"""Visible checks of chapter 3.3's exercises: worked values and properties.

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

SPAN = Exercise("3_3.a", "The best span in one pass", ("span_in_one_pass",))
BOTH = Exercise("3_3.b", "Attention over attention", ("coattention",), "torch")
NULL = Exercise("3_3.c", "How strong must the null be?", ("null_score",))
PADDING = Exercise(
    "3_3.d", "Padding that takes its share", ("start_loss",), "torch", True
)
TUNED = Exercise(
    "3_3.e",
    "A threshold tuned on the test",
    ("best_threshold_score", "prediction"),
    predict=("never", "sometimes", "always"),
)
EXERCISES = [SPAN, BOTH, NULL, PADDING, TUNED]

LN2 = np.log(2.0)


def expect_span(answer, starts, ends, most, want, suspects):
    """Wrong unless the span of these probabilities is `want`."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.array(starts)), np.log(np.array(ends))
    first, last, score = answer.call("span_in_one_pass", *logs, most, parts=3)
    what = f"starts {starts}, ends {ends}, at most {most} words"
    for name, number in ("first", first), ("last", last), ("log p", score):
        if number.shape != ():
            raise Wrong.fixed(f"{name} must be one number.")
    for why, pair in suspects.items():
        if (first, last) == pair:
            raise Wrong.fixed(f"{what}: {why}")
    expect_close(first, want[0], f"{what}: first word")
    expect_close(last, want[1], f"{what}: last word")
    p = starts[want[0]] * ends[want[1]]
    expect_close(
        score,
        np.log(p),
        f"{what}: log p",
        {
            "that is p; its logarithm is asked.": p,
            "that is minus log p.": -np.log(p),
            "add the logarithms, do not multiply them.": np.log(starts[want[0]])
            * np.log(ends[want[1]]),
        },
    )


@SPAN.check("the end is not before the start")
def span_in_order(answer, rng):
    suspects = {
        "that span ends before it starts: the best start and the best end "
        "were chosen apart.": (1, 0),
        "return the last word of the span, not the one after it.": (1, 3),
        "count words from 0.": (2, 3),
        "return first, last and log p, in this order.": (2, 1),
    }
    args = [0.1, 0.6, 0.3], [0.5, 0.2, 0.3], 3
    expect_span(answer, *args, (1, 2), suspects)


@SPAN.check("one word can be the answer")
def span_of_one(answer, rng):
    suspects = {"a span may hold one word, first = last.": (1, 2)}
    args = [0.1, 0.7, 0.2], [0.2, 0.5, 0.3], 3
    expect_span(answer, *args, (1, 1), suspects)
    expect_span(answer, [0.3], [0.4], 5, (0, 0), {})


@SPAN.check("no more words than allowed, and no fewer")
def span_of_three(answer, rng):
    suspects = {
        "that span has four words; `most` is 3.": (0, 3),
        "a span from i to k has k - i + 1 words: this limit is one word too "
        "short.": (2, 3),
        "the best start was chosen first, and an end for it; the largest "
        "product may have another start.": (0, 2),
    }
    args = [0.6, 0.2, 0.15, 0.05], [0.05, 0.05, 0.1, 0.8], 3
    expect_span(answer, *args, (1, 3), suspects)


@SPAN.check("neither start nor end is chosen first")
def span_not_greedy(answer, rng):
    suspects = {
        "the best end was chosen first, and a start for it; the largest "
        "product may have another end.": (1, 2)
    }
    args = [0.5, 0.4, 0.1], [0.35, 0.25, 0.4], 2
    expect_span(answer, *args, (0, 0), suspects)
    suspects = {
        "the best start was chosen first, and an end for it; the largest "
        "product may have another start.": (0, 0)
    }
    args = [0.5, 0.4, 0.1], [0.3, 0.25, 0.45], 2
    expect_span(answer, *args, (1, 2), suspects)


@SPAN.check("products, not sums; probabilities of 0")
def span_products(answer, rng):
    suspects = {
        "probabilities were added; p of a span is a product, so their "
        "logarithms are added.": (2, 3)
    }
    args = [0.4, 0.0, 0.6, 0.0], [0.0, 0.45, 0.0, 0.28], 2
    expect_span(answer, *args, (0, 1), suspects)


@SPAN.check("a span planted in two hundred words")
def span_planted(answer, rng):
    for most in (1, 4, 9):
        start, end = rng.uniform(-9, -8, size=(2, 200))
        first = int(rng.integers(50, 150))
        last = first + most - 1
        start[first] = end[last] = -1.0
        start[last - most], end[first + most] = -0.9, -0.9  # a word too far
        end[: first - 20] = start[last + 20 :] = -2.0  # in the wrong order
        got = answer.call("span_in_one_pass", start, end, most, parts=3)
        want = [first, last, -2.0]
        what = f"200 words, at most {most} of them: first, last, log p"
        expect_close(np.array([float(x) for x in got]), want, what)
    got = answer.call("span_in_one_pass", start - 800, end - 800, 9, parts=3)
    if not abs(float(got[2]) + 1602) <= 1e-6:
        raise Wrong.fixed(
            "logarithms of -800: stay with logarithms, exp gives 0; and "
            "begin with minus infinity, not with some number."
        )
    span_hidden(answer)
    start, end = rng.integers(-40, -20, size=(2, 200)) * 2.0**20 - 2.0**42
    start[150] = end[153] = -(2.0**42)
    got = answer.call("span_in_one_pass", start, end, 9, parts=3)
    if not np.array_equal(
        np.array([float(x) for x in got]), [150, 153, -(2.0**43)]
    ):
        raise Wrong.fixed(
            "logarithms of about -4e12: begin with minus infinity, and cut no "
            "logarithm off."
        )


def span_hidden(answer):
    """The best span holds neither of many better starts nor of better ends,
    and has thirty words."""
    start, end = np.full((2, 200), -60.0)
    start[120:], end[:60] = -1, -1  # ends before those, starts after these
    start[70], end[99] = -3, -2
    got = answer.call("span_in_one_pass", start, end, 40, parts=3)
    got = np.array([float(x) for x in got])
    if not np.allclose(got, [70, 99, -5]):
        raise Wrong.fixed(
            "a span of 30 words, `most` 40, that begins at none of the best 80 "
            "starts and ends at none of the best 60 ends: try every start for "
            "every end."
        )
    start, end = np.full((2, 1000), -60.0)
    start[850:], end[:400] = -1, -1
    start[600], start[599], end[799] = -3, -2.5, -2
    for most, want in ((200, [600, 799, -5]), (201, [599, 799, -4.5])):
        got = answer.call("span_in_one_pass", start, end, most, parts=3)
        if not np.allclose(np.array([float(x) for x in got]), want):
            raise Wrong.fixed(
                f"1,000 words, a span of {most}, as many as allowed: nothing "
                "is cut off, neither the words nor `most`."
            )
    start, end = np.full((2, 50), -2.0)
    start[20], end[30] = -2 + 2e-5, -2 + 2e-5
    got = answer.call("span_in_one_pass", start, end, 50, parts=3)
    if not np.allclose(np.array([float(x) for x in got[:2]]), [20, 30]):
        raise Wrong.fixed(
            "a logarithm that is larger by 0.00002 is larger: do not round."
        )


def hand(extra):
    """Width 4; scores ln 2 times (1, 2, 3, ...) (1, 2, ...): with `extra`,
    one word of padding at the end of passage and question."""
    n, m = 3 + extra, 2 + extra
    h, u = np.zeros((n, 4)), np.zeros((m, 4))
    h[:, 0], u[:, 0] = np.arange(1, n + 1), 2 * LN2 * np.arange(1, m + 1)
    h[:3, 1:] = np.eye(3)
    return h, u, np.arange(n) < 3, np.arange(m) < 2


def shares(scores, axis):
    """2 to the power of the scores, over their sum along an axis."""
    powers = 2.0 ** np.asarray(scores, float)
    return powers / powers.sum(axis=axis, keepdims=True)


@BOTH.check("a worked example")
def both_by_hand(answer, rng):
    h, u, may_h, may_u = hand(0)
    s = np.outer([1, 2, 3], [1, 2])
    a = np.array([[1 / 3, 2 / 3], [1 / 5, 4 / 5], [1 / 9, 8 / 9]])
    b = np.array([[1 / 7, 1 / 21], [2 / 7, 4 / 21], [4 / 7, 16 / 21]])

    def halves(a, b):
        return a @ u, a @ (b.T @ h)

    def joined(a, b):
        return np.hstack(halves(a, b))

    got = answer.call("coattention", h, u, may_h, may_u)
    expect_shape(got, (3, 8), "three passage words, width 4")
    mean = joined(shares(s / 2, 1), shares(s / 2, 0))
    plain = joined(shares(2 * s, 1), shares(2 * s, 0))
    root_i = 2 / 3**0.5
    of_i = joined(shares(root_i * s, 1), shares(root_i * s, 0))
    suspects = {
        "the passage's look at the question is a softmax over the passage; "
        "it runs over j.": joined(b, b),
        "the question's look at the passage is a softmax over the question; "
        "it runs over i.": joined(a, a),
        "both softmaxes run over the wrong axis.": joined(b, a),
        "the scores are not divided by sqrt(w).": plain,
        "the scores are divided by w, not by its root.": mean,
        "the scores are divided by the root of the number of words; w is "
        "the width.": of_i,
        "g is a weighted sum already: do not divide it.": np.hstack(
            [a @ u, a @ (b.T @ h) / 3]
        ),
        "the second half must hold what the question words saw, not h.": (
            np.hstack([a @ u, np.pad(h, [(0, 0), (0, 4 - h.shape[1])])])
        ),
        "the scores are divided by the root of the number of question words; "
        "w is the width.": joined(shares(2**0.5 * s, 1), shares(2**0.5 * s, 0)),
        "the half with u comes first.": np.hstack(halves(a, b)[::-1]),
        "the second half must hold what the question words saw, g, not u "
        "again.": np.hstack([a @ u, a @ u]),
        "the second half must hold g, collected with a; that is h with "
        "other weights.": np.hstack([a @ u, a @ b.T @ np.roll(h, 1, 0)]),
    }
    expect_close(got, joined(a, b), "the worked example", suspects)


@BOTH.check("padding in both")
def both_padded(answer, rng):
    h, u, may_h, may_u = hand(1)
    s = np.outer([1, 2, 3, 4], [1, 2, 3]).astype(float)
    a, b = shares(s, 1), shares(s, 0)
    right_a, right_b = np.zeros((4, 3)), np.zeros((4, 3))
    right_a[:, :2], right_b[:3] = shares(s[:, :2], 1), shares(s[:3], 0)

    def joined(a, b):
        return np.hstack([a @ u, a @ (b.T @ h)])

    zero_a, zero_b = s * may_u, s * may_h[:, None]
    only_a, only_b = np.zeros((4, 3)), np.zeros((4, 3))
    only_a[:, 2] = only_b[3] = 1.0
    suspects = {
        "padded words of the passage get weight.": joined(right_a, b),
        "padded words of the question get weight.": joined(a, right_b),
        "padded words get weight: neither mask is used.": joined(a, b),
        "a mask is inverted: True = a real word.": joined(only_a, only_b),
        "the masks are applied after the softmax; the weights no longer sum "
        "to 1.": joined(a * may_u, b * may_h[:, None]),
        "padded scores are 0, not -infinity; exp(0) is 1.": joined(
            shares(zero_a, 1), shares(zero_b, 0)
        ),
        "padded scores of the passage are 0, not -infinity; exp(0) is 1.": (
            joined(right_a, shares(zero_b, 0))
        ),
        "padded scores of the question are 0, not -infinity; exp(0) is 1.": (
            joined(shares(zero_a, 1), right_b)
        ),
    }
    got = answer.call("coattention", h, u, may_h, may_u)
    expect_close(got, joined(right_a, right_b), "one padded word", suspects)


@BOTH.check("scores far below 0")
def both_low(answer, rng):
    h, u, may_h, may_u = hand(1)
    before = answer.call("coattention", h, u, may_h, may_u)
    expect_shape(before, (4, 8), "four passage words, width 4")
    u[:, 1:] -= 2000  # 1,000 less for each real word, 0 for the padded one
    got = answer.call("coattention", h, u, may_h, may_u)
    if not np.isfinite(got).all():
        raise Wrong.fixed("scores of -1,000: exp gives 0/0; use softmax.")
    if not np.abs(got - before - [0, *[-2000] * 3, *[0] * 4]).max() <= 0.1:
        raise Wrong.fixed(
            "scores of -1,000: padded words get weight; a padded score must "
            "be minus infinity before the softmax."
        )
    h[:], u[:] = 0, 0
    h[:3, 0], u[:2, 0], h[:, 1] = 2, -1e7, [1, 2, 3, 99]
    got = answer.call("coattention", h, u, may_h, may_u)
    want = np.tile([-1e7, 0, 0, 0, 2, 2, 0, 0], (4, 1))
    if not np.allclose(got, want):
        raise Wrong.fixed(
            "equal scores of -1e7, padding 0: a padded score must be minus "
            "infinity, not some low number."
        )
    both_apart(answer)


def both_apart(answer):
    """Scores of 2,000 and 1,936 in either direction, and a state of exp(64)
    that makes the small weight count."""
    one, two, real = np.zeros((2, 4)), np.zeros((2, 4)), np.ones(2, bool)
    one[:, 0], two[:, 0], two[1, 1] = 64, [62.5, 60.5], np.exp(64.0)
    for half, texts in (slice(0, 2), (one, two)), (slice(4, 6), (two, one)):
        got = answer.call("coattention", *texts, real, real)
        expect_shape(got, (2, 8), "two passage words, width 4")
        if not np.allclose(got[:, half], [62.5, 1], rtol=1e-3):
            raise Wrong.fixed(
                "scores of 2,000 and 1,936, the second with a state of "
                "exp(64): scores or small weights are cut off, or exp "
                "overflows."
            )


@BOTH.check("gradients of h and u")
def both_gradients(answer, rng):
    args = {"h": rng.normal(size=(9, 3)), "u": rng.normal(size=(7, 3))}
    args |= {"may_h": np.arange(9) < 8, "may_u": np.arange(7) < 6}
    got = answer.call("coattention", *args.values())
    expect_shape(got, (9, 6), "nine passage words, width 3")
    for k in (2, 40):
        wider = [np.tile(k**-0.25 * args[key], k) for key in "hu"]
        wide = answer.call("coattention", *wider, args["may_h"], args["may_u"])
        want = np.tile(got.reshape(9, 2, 3), k).reshape(9, -1) * k**-0.25
        expect_shape(wide, want.shape)
        if not np.allclose(wide, want, rtol=1e-4, atol=1e-4):
            raise Wrong.fixed(
                f"h and u of width {3 * k} with the same scores as those of "
                "width 3 give other weights: divide by the root of w, whatever "
                "w is."
            )
    back = [x[::-1].copy() for x in args.values()]
    again = answer.call("coattention", *back)
    expect_close(again, got[::-1], "passage and question in reverse order")
    expect_gradients(answer, "coattention", args, rng)


@NULL.check("even odds, by hand")
def null_even(answer, rng):
    # exp: 2, 4, 8; their sum is 14.
    suspects = {
        "that is the sum of the exponentials; its logarithm is asked.": 14,
        "that is the largest score; all words compete.": np.log(8),
        "that is the mean score; the null stands against all of them.": np.log(
            4
        ),
        "that is the logarithm of n alone; the scores matter.": np.log(3),
        "the largest score plus log n is right for equal scores only.": (
            np.log(24)
        ),
        "that uses log p; the null itself is in the denominator too.": (
            np.log(7)
        ),
        "the largest score, which you subtracted, must be added again.": (
            np.log(14 / 8)
        ),
        "that is the sum of the scores.": np.log(64),
        "that is the logarithm of the mean of the exponentials.": np.log(
            14 / 3
        ),
        "the mean score plus log n is right for equal scores only.": np.log(12),
        "that is the score at which the null equals its best rival.": np.log(
            8 / 14
        ),
    }
    got = answer.call("null_score", np.array([1.0, 2, 3]) * LN2, 0.5)
    expect_close(got, np.log(14), "scores ln 2, ln 4, ln 8, p = 1/2", suspects)


@NULL.check("one in five, by hand")
def null_fifth(answer, rng):
    suspects = {
        "p makes no difference.": np.log(14),
        "the odds are upside down: they are p / (1 - p).": np.log(56),
        "that uses log p; the null itself is in the denominator too.": np.log(
            14 / 5
        ),
        "ln is the natural logarithm, of the odds too.": np.log(14) - 2,
        "that uses 1 - p only.": np.log(14 * 4 / 5),
        "that adds p, not the logarithm of its odds.": np.log(14) + 0.2,
        "that adds the odds, not their logarithm.": np.log(14) + 0.25,
        "that divides by 1 - p only.": np.log(14 * 5 / 4),
    }
    got = answer.call("null_score", np.array([1.0, 2, 3]) * LN2, 0.2)
    expect_close(got, np.log(3.5), "scores ln 2, ln 4, ln 8, p = 1/5", suspects)
    ends = {1e-12: np.log(1e-12), 1e-30: np.log(1e-30)}
    for p, odds in (ends | {1 - 2.0**-20: np.log(2**20 - 1)}).items():
        got = answer.call("null_score", np.full(16, -LN2), p)
        what = (
            f"16 scores of -ln 2, p = {p}: nothing is cut off, nor added to p"
        )
        expect_close(got, 3 * LN2 + odds, what)


@NULL.check("every score twice")
def null_doubles(answer, rng):
    scores = rng.normal(size=7)
    once = answer.call("null_score", scores, 0.3)
    twice = answer.call("null_score", np.tile(scores, 2), 0.3)
    expect_shape(once, (), "the null's score, one number")
    expect_shape(twice, (), "the null's score, one number")
    expect_close(twice - once, LN2, "the difference for every score twice")


@NULL.check("scores of a thousand")
def null_large(answer, rng):
    for score in (1000.0, -1000.0):
        got = answer.call("null_score", np.full(4, score), 0.5)
        expect_shape(got, (), "the null's score, one number")
        if not np.isfinite(got):
            raise Wrong.fixed(
                f"scores of {score:.0f}: exp overflows or vanishes; subtract "
                "the largest score first and add it afterwards."
            )
        what = "four equal scores, above them"
        expect_close(got - score, 2 * LN2, what, tolerance=1e-3)
    got = answer.call("null_score", np.full(8, -3000.0), 0.5)
    cut = "large scores are cut off."
    cut = {cut: 3 * LN2 - 1000, f"{cut} ": 3 * LN2 - 700}
    what = "eight scores of -3000, 3,000 added"
    cut = {why: value + 3000 for why, value in cut.items()}
    expect_close(got + 3000, 3 * LN2, what, cut, tolerance=1e-3)
    for far in (1e6, -1e6):
        got = answer.call("null_score", np.full(8, far), 0.5)
        what = f"eight scores of {far:g}, above them (are they cut off?)"
        expect_close(got - far, 3 * LN2, what, tolerance=0.1)
    got = answer.call("null_score", np.append(0, np.full(10**5, -20.0)), 0.5)
    want = np.log1p(1e5 * np.exp(-20))
    what = "a score of 0, 100,000 of -20 (do all count, as small as they are?)"
    expect_close(got, want, what)
    got = answer.call("null_score", np.array([0.0, 1000, -1000]), 0.5)
    if not abs(got - 1000) <= 1e-3:
        raise Wrong.fixed(
            "scores of 0, 1000 and -1000: exp overflows or vanishes; subtract "
            "the largest score first, not another one."
        )


@PADDING.check("two passages by hand")
def padding_by_hand(answer, rng):
    # Row 0: numerators 2, 4, and a padded 10; row 1: 3, padded 10 and 5.
    scores = np.log([[2.0, 4, 10], [3, 10, 5]])
    may = np.array([[True, True, False], [True, False, False]])
    right = -np.log(2 / 3) / 2
    inverted = (
        "the mask is inverted: True = a real word. (Or log_p[:, gold] was "
        "taken, which names every gold column in every row.)"
    )
    got = answer.call("start_loss", scores, may, np.array([1, 0]))
    if got.shape == () and np.isposinf(got):
        raise Wrong.fixed(inverted)
    suspects = {
        "padding has the score 0, and exp(0) = 1: it takes its share.": (
            -np.log([4 / 7, 3 / 5]).mean()
        ),
        "the mask is not used.": -np.log([4 / 16, 3 / 18]).mean(),
        "padding has the score -1, and exp(-1) is not 0: it takes its share."
        "": -np.log([4 / (6 + np.exp(-1)), 3 / (3 + 2 * np.exp(-1))]).mean(),
        "that is the sum over the batch, not its mean.": 2 * right,
        "that is the mean of p; minus its logarithm is asked.": 5 / 6,
        "that is log p; the loss is minus it.": -right,
        "the softmax runs over the batch; it runs over words.": -np.log(
            [1, 3 / 5]
        ).mean(),
        "that is the logarithm of the mean of p; the mean of -log p is "
        "asked.": -np.log(5 / 6),
        "the mask is applied after the softmax: padding has taken its share "
        "by then.": -np.log([4 / 16, 3 / 18]).mean(),
        "that divides by the number of words, not of passages.": right / 1.5,
    }
    expect_close(got, right, "the loss of two passages", suspects)


@PADDING.check("scores far below 0")
def padding_below(answer, rng):
    scores = np.array([[-3000.0, -3000, 0, 0, 0], [-500, 5, 0, 0, 0]])
    may = np.array([[True, True] + [False] * 3, [True] + [False] * 4])
    got = answer.call("start_loss", scores, may, np.array([0, 0]))
    expect_shape(got, (), "the loss, one number")
    if not abs(got - LN2 / 2) <= 1e-6:
        raise Wrong.fixed(
            "scores of -3000 and -500: a padded word still counts; its "
            "numerator must be 0 whatever the other scores are."
        )
    scores = np.where(may, -1e7, 0)
    got = answer.call("start_loss", scores, may, np.array([0, 0]))
    if not abs(got - LN2 / 2) <= 1e-6:
        raise Wrong.fixed(
            "equal scores of -1e7, padding 0: a padded score must be minus "
            "infinity, not some low number."
        )

    # Eight words, the gold one last, below the others by 700; about 2,000.
    scores = np.full((2, 8), 700.0)
    scores[0, 7], scores[1] = 0, 2000
    scores[1, 7] += LN2
    got = answer.call("start_loss", scores, scores > -1, np.array([7, 7]))
    want = (700 + np.log(7) + np.log(9 / 2)) / 2
    if not abs(got - want) <= 1e-3:
        raise Wrong.fixed(
            "p of about exp(-700) has the logarithm -700: nothing is cut off "
            "and nothing is added to p; take log_softmax."
        )
    for far in (3000.0, 1e6, 1e8):
        scores = np.array([[far, 0, 3], [-far, 0, 3]])
        may = np.array([[True, True, False]] * 2)
        got = answer.call("start_loss", scores, may, np.array([1, 0]))
        if not abs(got / far - 1) <= 1e-6:
            raise Wrong.fixed(
                f"p of exp(-{far:g}) has the logarithm -{far:g}: no score and "
                "no logarithm is cut off; take log_softmax."
            )


@PADDING.check("more padding changes nothing")
def padding_more(answer, rng):
    scores, may = rng.normal(size=(3, 4)), np.ones((3, 4), bool)
    may[1, 2:] = False
    gold = np.array([3, 1, 0])
    few = answer.call("start_loss", scores, may, gold)
    wide = np.hstack([scores, rng.normal(size=(3, 6))])
    mask = np.hstack([may, np.zeros((3, 6), bool)])
    alone = [
        answer.call("start_loss", scores[[b]], may[[b]], gold[[b]])
        for b in range(3)
    ]
    expect_close(np.mean(alone), few, "the mean of three losses, each alone")
    many = answer.call("start_loss", wide, mask, gold)
    expect_close(many, few, "the loss with six padded words more")
    front = scores[:, ::-1].copy(), may[:, ::-1].copy()
    got = answer.call("start_loss", *front, 3 - gold)
    what = "the same with padding in front (the mask says which words count)"
    expect_close(got, few, what)
    # 20 passages of up to 120 equal words, the gold one the last.
    length = 6 * np.arange(1, 21)
    may = np.arange(120) < length[:, None]
    got = answer.call("start_loss", np.ones((20, 120)), may, length - 1)
    what = "20 passages of 6, 12, ... 120 equal words (do all count?)"
    expect_close(got, np.log(length).mean(), what)


@PADDING.check("gradients of the scores")
def padding_gradient(answer, rng):
    args = {"scores": rng.normal(size=(3, 5))}
    args |= {"may": np.arange(5) < np.array([[5], [2], [4]])}
    args |= {"gold": np.array([4, 1, 2])}
    expect_gradients(answer, "start_loss", args, rng)


def expect_best(answer, odds, right, answerable, want, suspects):
    arrays = np.array(odds, float), np.array(right) > 0
    arrays += (np.array(answerable) > 0,)
    got = answer.call("best_threshold_score", *arrays)
    what = f"odds {odds}, right {right}, answerable {answerable}"
    expect_close(got, want, what, suspects)


@TUNED.check("a threshold between the questions")
def tuned_by_hand(answer, rng):
    # t = 4: the first is answered, rightly; two are rightly left; one wrongly.
    suspects = {
        "that is the score at t = 0; try all thresholds. Or is yours "
        "upside down? Low odds are answered.": 1 / 2,
        "that is the number of right decisions, not their share.": 3,
        "that is the best threshold; its score is asked.": 4,
        "a question left unanswered is right if it has no answer.": 1 / 4,
    }
    args = [4, 5, 6, 9], [1, 0, 0, 0], [1, 0, 0, 1]
    expect_best(answer, *args, 3 / 4, suspects)
    suspects = {
        "that is the score at t = 0; try all thresholds. Or is yours "
        "upside down? Low odds are answered.": 1 / 2
    }
    expect_best(answer, [-9, -7], [1, 0], [1, 0], 1, suspects)


why_low = "no number is low enough for all odds; begin with minus infinity."


@TUNED.check("answering none, answering all")
def tuned_ends(answer, rng):
    none = {"t may be so low that no question is answered.": 1 / 3}
    none["a question left unanswered is right if it has no answer."] = 0
    expect_best(answer, [1, 2, 3], [0, 0, 0], [0, 0, 1], 2 / 3, none)
    expect_best(answer, [-30, -20], [0, 0], [0, 0], 1, none | {why_low: 0})
    for low in ([-3e7, -2e7], [-3e300, -2e300]):
        expect_best(answer, low, [0, 0], [0, 0], 1, {why_low: 1 / 2})
    every = {"t may be so high that all are answered.": 2 / 3}
    expect_best(answer, [1, 2, 3], [1, 1, 1], [1, 1, 1], 1, every)


@TUNED.check("a wrong answer withheld earns nothing if there is one")
def tuned_withheld(answer, rng):
    why = "a question left unanswered is wrong if it has an answer."
    expect_best(answer, [1, 2], [0, 0], [1, 1], 0, {why: 1})
    expect_best(answer, [1, 2, 3], [0, 1, 0], [1, 1, 0], 2 / 3, {why: 1})


@TUNED.check("odds close to one another, and far apart")
def tuned_close(answer, rng):
    why = "a grid misses thresholds; try each of the odds."
    args = [1000.0001, 1000.0002, 5000], [1, 0, 0], [1, 0, 0]
    expect_best(answer, *args, 1, {why: 2 / 3})
    why = "odds that differ by 1e-12 differ: compare them exactly, in float64."
    expect_best(answer, [1, 1 + 1e-12], [1, 0], [1, 0], 1, {why: 1 / 2})
    # 200 questions; the best threshold is far from both ends.
    odds = np.arange(200) * 37 % 200
    right = odds < 120
    got = answer.call("best_threshold_score", odds * 1.0, right, right)
    what = "200 questions, those with the 120 lowest odds answered rightly, "
    what += "the others without an answer (is every threshold tried?)"
    expect_close(got, 1, what)


@TUNED.check("equal odds are decided alike")
def tuned_ties(answer, rng):
    why = "questions with equal odds are all answered or all not."
    expect_best(answer, [2, 2, 5], [1, 0, 0], [1, 0, 0], 2 / 3, {why: 1})
    expect_best(answer, [2, 2, 5], [0, 1, 0], [0, 1, 0], 2 / 3, {why: 1})
