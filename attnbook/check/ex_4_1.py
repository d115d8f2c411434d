"""Visible checks of chapter 4.1's exercises: worked values and properties.

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

SHARED = Exercise(
    "4_1.a", "InfoNCE when captions repeat", ("shared_nce",), "torch"
)
OBJECT = Exercise(
    "4_1.b", "Which object does a word look at?", ("object_of_word",)
)
BETA = Exercise("4_1.c", "How sharp must the scores be?", ("beta_needed",))
RECALL = Exercise(
    "4_1.d", "A recall that likes ties", ("recall_at",), all_or_nothing=True
)
REPEATS = Exercise(
    "4_1.e",
    "A captioner that repeats itself",
    ("caption_log_probability",),
    "torch",
    True,
)
EXERCISES = [SHARED, OBJECT, BETA, RECALL, REPEATS]

LN2 = np.log(2.0)
# Exponentials of scores; rows sum to 8, 4, 9; columns to 7, 8, 6. Captions 0
# and 1 are right for image 0, only caption 1 for image 1.
POWERS = np.array([[1.0, 5, 2], [2, 1, 1], [4, 2, 3]])
S = np.log(POWERS)
G = np.array([[True, True, False], [False, True, False], [False, False, True]])


def mean_log(*shares):
    """Minus the mean of the logarithms."""
    return -np.log(np.array(shares)).mean()


@SHARED.check("a worked example")
def shared_by_hand(answer, rng):
    got = answer.call("shared_nce", S, G)
    rows, columns = (6 / 8, 1 / 4, 3 / 9), (1 / 7, 6 / 8, 3 / 6)
    diagonal = mean_log(1 / 8, 1 / 4, 3 / 9, 1 / 7, 1 / 8, 3 / 6)
    full = mean_log(*rows, *columns)
    # the mean of log-probabilities over the right ones of a row or column
    each = mean_log((5 / 64) ** 0.5, 1 / 4, 3 / 9)
    each += mean_log(1 / 7, (5 / 64) ** 0.5, 3 / 6)
    summed = mean_log(5 / 64, 1 / 4, 3 / 9, 1 / 7, 5 / 64, 3 / 6)
    best = mean_log(5 / 8, 1 / 4, 3 / 9, 1 / 7, 5 / 8, 3 / 6)
    counted = mean_log(*rows, 6 / 8, *columns, 6 / 8)
    apart = mean_log(6 / 2, 1 / 3, 3 / 6, 1 / 6, 6 / 2, 3 / 3)
    turned = mean_log(3 / 7, 1 / 8, 3 / 6)  # columns with the rows' mask
    suspects = {
        "only the diagonal counts; every right caption does.": diagonal,
        "the right ones' probabilities are multiplied (their logarithms "
        "summed); add the probabilities, then take the logarithm.": summed,
        "that is a mean over the right ones' logarithms; add their "
        "probabilities, then take the logarithm.": each / 2,
        "one direction is missing: from captions to images.": mean_log(*rows),
        "one direction is missing: from images to captions.": mean_log(
            *columns
        ),
        "the two directions are added; half of each is asked.": 2 * full,
        "that is a sum over the pairs; a mean is asked.": 3 * full,
        "that is a sum over pairs and directions; a mean is asked.": 6 * full,
        "that is minus the loss: the sign is wrong.": -full,
        "g is inverted: True = right.": mean_log(
            2 / 8, 3 / 4, 6 / 9, 6 / 7, 2 / 8, 3 / 6
        ),
        "the probabilities are averaged before the logarithm; average the "
        "logarithms.": -np.log(np.mean([*rows, *columns])),
        "the softmax runs over the whole table; each row, and each column, "
        "has its own.": mean_log(
            6 / 21, 1 / 21, 3 / 21, 1 / 21, 6 / 21, 3 / 21
        ),
        "a score that is masked by 0 still adds exp(0) = 1; mask with minus "
        "infinity.": mean_log(7 / 8, 3 / 4, 5 / 9, 3 / 7, 7 / 8, 5 / 6),
        "for the columns, g must be exchanged like S: g_ki.": (
            mean_log(*rows) + turned
        )
        / 2,
        "both directions read rows: exchange rows and columns of S, too.": (
            mean_log(*rows) + mean_log(1 / 8, 3 / 4, 3 / 9)
        )
        / 2,
        "the logarithm has base 2; the natural one is asked.": full / LN2,
        "only the best of the right ones counts; add them all.": best,
        "each image counts once, however many right captions it has.": counted,
        "below stands the sum over all, the right ones too.": apart,
        "the mean is over n, not n - 1.": full * 3 / 2,
    }
    expect_close(got, full, "three pairs", suspects)


@SHARED.check("one right caption each, all scores equal")
def shared_ends(answer, rng):
    n = 9
    got = answer.call("shared_nce", np.full((n, n), 3.0), np.eye(n) > 0)
    expect_close(got, np.log(9), "equal scores, nine pairs: ln 9")
    got = answer.call(
        "shared_nce", rng.normal(size=(n, n)), np.ones((n, n)) > 0
    )
    expect_close(got, 0.0, "all captions right for all images: nothing to lose")
    order = rng.permutation(n)
    while (order == np.arange(n)).any():
        order = rng.permutation(n)
    s = rng.normal(size=(n, n))
    moved = np.eye(n)[order] > 0  # right ones off the diagonal
    got = answer.call("shared_nce", s, moved)
    rows = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    columns = s - np.log(np.exp(s).sum(axis=0, keepdims=True))
    want = -(rows[moved].mean() + columns[moved].mean()) / 2
    suspects = {
        "the diagonal counts as right; only g says what is.": (
            -(np.diag(rows).mean() + np.diag(columns).mean()) / 2
        )
    }
    expect_close(got, want, "right captions off the diagonal", suspects)
    got = answer.call("shared_nce", np.zeros((300, 300)), np.eye(300) > 0)
    expect_close(got, np.log(300), "equal scores, 300 pairs: ln 300")


@SHARED.check("large scores")
def shared_large(answer, rng):
    s = np.array([[900.0, 1000, -1000], [-1000, 0, 990], [-800, -1000, -900]])
    g = np.array([[False, True, True], [True, False, True], [True, True, True]])
    got = answer.call("shared_nce", s, g)
    if got.shape != () or not np.isfinite(got).all():
        raise Wrong.fixed(
            "scores of -1000 to 1000 give nan, infinity or no single number: "
            "exp overflows, or a logarithm is of 0; logsumexp does neither."
        )
    # column 0: the right ones are 1,700 below 900; all else is right
    if not np.isclose(got, 1700 / 6, rtol=1e-5):
        raise Wrong.fixed(
            "large scores: no score is cut off, wrong ones add nothing, and "
            "nothing is added to a probability."
        )
    s = np.array([[-1000.0, 0], [0, -1000]])
    got = answer.call("shared_nce", s, np.eye(2) > 0)
    suspects = {
        "others that are masked by -1000 count as much as a right one of "
        "-1000; minus infinity adds nothing.": 1000 - LN2
    }
    expect_close(got, 1000.0, "right scores of -1000, others 0", suspects)
    got = answer.call("shared_nce", s - 0.25, np.eye(2) < 1)
    if not np.isclose(got, 0, atol=1e-6):
        raise Wrong.fixed("right scores 1,000 above all others: the loss is 0.")


@SHARED.check("gradients of the scores")
def shared_gradients(answer, rng):
    g = np.eye(4) + (rng.random((4, 4)) < 0.3) > 0
    args = {"S": rng.normal(size=(4, 4)) * 2, "g": g}
    expect_gradients(answer, "shared_nce", args, rng)
    large = (rng.normal(size=(4, 4)) * 300).clip(-900, 900)
    large[0, 1], large[2, 2] = 1000, -1000
    g = np.eye(4) > 0
    g[0, 3] = g[3, 1] = True
    expect_gradients(answer, "shared_nce", {"S": large, "g": g}, rng)


# Two captions, three words, six places; three objects of 3, 2 and 0 places,
# then of 1, 2 and 4 places (the last two overlap).
REGIONS = np.array(
    [
        [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]],
        [[1, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]],
    ]
).astype(bool)
MAPS = np.array(
    [
        [  # masses 42, 38: means 14, 19 of 100 / 6; then 60, 40; then 20, 20
            [14, 14, 14, 19, 19, 20],
            [20, 20, 20, 20, 20, 0],
            [6, 7, 7, 10, 10, 60],
        ],
        [  # means 10, 30, 12.5; then 50, 5, 15; then 10, 10, 20
            [10, 40, 20, 10, 10, 10],
            [50, 0, 10, 10, 20, 20],
            [10, 0, 20, 20, 20, 20],
        ],
    ]
).astype(float)


@OBJECT.check("a worked example")
def object_by_hand(answer, rng):
    got = answer.call("object_of_word", MAPS, REGIONS)
    expect_shape(got, (2, 3), "two captions of three words")
    want = [[1, 0, -1], [1, 0, 2]]
    suspects = {
        "that is the object with the largest mass; divide by the places of "
        "its region.": [[0, 0, 0], [1, 2, 2]],
        "where none stands out, the answer is -1.": [[1, 0, 1], [1, 0, 2]],
        "the mean is compared with the mass of all places, or with 1 / n; "
        "compare it with the mean of all places.": [[-1, -1, -1], [-1, -1, -1]],
        "objects are numbered from 0.": [[2, 1, -1], [2, 1, 3]],
        "all words cannot look at the same object.": [[0] * 3] * 2,
        "each caption has regions of its own.": [[1, 0, -1], [0, 0, 1]],
        "that is the number of the place with the largest weight.": [
            [5, 0, 5],
            [1, 0, 2],
        ],
        "that goes by the largest single weight; take means.": [
            [1, 0, -1],
            [1, 0, 1],
        ],
    }
    expect_close(got, want, "six words", suspects)
    got = answer.call("object_of_word", MAPS[:, ::-1].copy(), REGIONS)
    want = [row[::-1] for row in want]
    expect_close(got, want, "the words in reverse order, in a second call")


@OBJECT.check("objects without a place")
def object_padding(answer, rng):
    regions = np.array([[[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]]).astype(
        bool
    )
    weights = np.array([[[0.1, 0.4, 0.4, 0.1], [0.4, 0.1, 0.1, 0.4]]])
    got = answer.call("object_of_word", weights, regions)
    if got.dtype.kind == "f" and not np.isfinite(got).all():
        raise Wrong.fixed(
            "an object without a place gives nan; never choose it."
        )
    expect_shape(got, (1, 2), "one caption of two words")
    suspects = {
        "an object without a place is chosen: 0 / 0 is nan, and argmax takes "
        "it for the largest.": [[0, 0]],
        "an object without a place is chosen for the first word.": [[0, -1]],
        "nothing stands out for the second word, which looks away from the "
        "only object.": [[1, 1]],
        "an object without a place makes all comparisons fail: 0 / 0 is nan.": [
            [-1, -1]
        ],
    }
    expect_close(got, [[1, -1]], "padding before and after", suspects)
    below = (np.array([[[1.0, 4, 4, 1], [4, 1, 1, 4]]]) - 8) * 2.0**40
    if not np.array_equal(
        answer.call("object_of_word", below, regions), [[1, -1]]
    ):
        raise Wrong.fixed(
            "with weights far below 0 the answers must be the same: an object "
            "without a place must not count as a mean of 0, or of any other "
            "number."
        )
    empty = answer.call("object_of_word", weights, np.zeros((1, 2, 4), bool))
    if not np.array_equal(empty, [[-1, -1]]):
        raise Wrong.fixed("without any object every word looks at none: -1.")


@OBJECT.check("ties, and exactly the mean")
def object_ties(answer, rng):
    regions = np.eye(4, dtype=bool)[None]
    weights = np.array(
        [[[1, 4, 4, 1], [3, 3, 3, 3], [0, 0, 0, 8], [9, 0, 1, 9]]]
    )
    got = answer.call("object_of_word", weights / 8, regions)
    suspects = {
        "if two are equal, take the first.": [[2, -1, 3, 3]],
        "a mean equal to that of all places does not stand out.": [
            [1, 0, 3, 0]
        ],
    }
    expect_close(got, [[1, -1, 3, 0]], "four objects of a place each", suspects)
    first = np.array([[[1, 0, 0, 0], [0, 1, 1, 0]]]) > 0
    got = answer.call("object_of_word", np.array([[[1.0, 1, 1, 0]]]), first)
    why = "means of one and of two places tie: nothing is added to a size."
    expect_close(got, [[0]], "a region of one place, one of two", {why: [[1]]})
    little = np.ones((1, 1, 4))
    little[0, 0, 2] += 2.0**-20
    got = answer.call("object_of_word", little, regions)
    why = "a mean that is greater stands out, by however little: no margin."
    expect_close(got, [[2]], "a place of 1.00000095, others 1", {why: [[-1]]})
    every = answer.call("object_of_word", weights, np.ones((1, 2, 4), bool))
    if not np.array_equal(every, [[-1] * 4]):
        raise Wrong.fixed(
            "a region of all places has the mean of all places: it does not "
            "stand out."
        )
    got = answer.call(
        "object_of_word", np.eye(300)[None], np.eye(300)[None] > 0
    )
    what = "300 objects of a place each: all of them are looked at"
    expect_close(got, np.arange(300)[None], what)


@OBJECT.check("weights that do not sum to 1; order and scale")
def object_scale(answer, rng):
    weights = rng.random((3, 5, 12))
    regions = rng.random((3, 7, 12)) < 0.4
    regions[:, :, :7] = np.eye(7)  # all different, and none covers all
    got = answer.call("object_of_word", weights, regions)
    expect_shape(got, (3, 5), "three captions, five words, seven objects")
    again = answer.call("object_of_word", 7 * weights, regions)
    if not np.array_equal(got, again):
        raise Wrong.fixed(
            "all weights times 7 must give the same objects: compare with the "
            "mean weight of all places, not with 1 / n."
        )
    for scale in (1e-6, 1e6):
        if not np.array_equal(
            got, answer.call("object_of_word", scale * weights, regions)
        ):
            raise Wrong.fixed(
                f"all weights times {scale:g} must give the same objects: a "
                "mean that is greater by however little stands out; no margin, "
                "and nothing added to a sum or a size."
            )
    alone = answer.call("object_of_word", weights[1:2], regions[1:2])
    if not np.array_equal(got[1:2], alone):
        raise Wrong.fixed("a caption's answer depends on other captions.")
    for b, t in np.ndindex(3, 5):
        means = [weights[b, t][region].mean() for region in regions[b]]
        level = weights[b, t].mean()
        want = int(np.argmax(means)) if max(means) > level else -1
        if not got[b, t] == want:
            raise Wrong.fixed(
                "random regions: a word's object is not the one with the "
                "largest mean weight per place, or -1."
            )


@BETA.check("by hand: five pairs, and two")
def beta_by_hand(answer, rng):
    # n = 5: ln(1 + 4 e^(-5 beta / 4)) = ln(3/2) needs e^(5 beta / 4) = 8.
    got = answer.call("beta_needed", 5, np.log(3 / 2))
    suspects = {
        "the others' scores are -beta / (n - 1), not 0: the difference is "
        "beta n / (n - 1).": np.log(8),
        "the others' scores are -beta / (n - 1), not -beta.": np.log(8) / 2,
        "there are n - 1 others in a row, not n.": 0.8 * np.log(10),
        "there are n - 1 others in a row, not one.": 0.8 * np.log(2),
        "divide by n / (n - 1); that multiplies.": 1.25 * np.log(8),
        "e to the loss less 1: the own term is in the sum below, too.": 0.8
        * np.log(8 / 3),
        "the sign is wrong: a larger beta lowers the loss.": -0.8 * np.log(8),
        "that takes the loss itself for the sum over the others.": 0.8
        * np.log(4 / np.log(1.5)),
        "the others' scores are -beta / n, not -beta / (n - 1).": np.log(8)
        / 1.2,
        "that is the bound for both directions added; their mean is like one "
        "of them.": 0.8 * np.log(4 / (1.5**0.5 - 1)),
        "the logarithm has base 2; the natural one is asked.": 2.4,
        "the loss is the mean of both directions, and so that of each one.": 0.8
        * np.log(4 / 1.25),
    }
    expect_close(got, 0.8 * np.log(8), "n = 5, loss ln(3/2)", suspects)
    # n = 2: loss ln(1 + e^(-2 beta)); ln(4/3) needs e^(-2 beta) = 1/3.
    got = answer.call("beta_needed", 2, np.log(4 / 3))
    suspects = {
        "the other's score is -beta, not 0: the difference is 2 beta.": np.log(
            3
        ),
        "the sign is wrong: a larger beta lowers the loss.": -np.log(3) / 2,
        "the scores differ by beta n / (n - 1): divide by n / (n - 1), that "
        "multiplies.": 2 * np.log(3),
    }
    expect_close(got, np.log(3) / 2, "n = 2, loss ln(4/3)", suspects)


def best_loss(n, beta):
    """The loss of vectors at the corners of a regular simplex."""
    u = np.eye(n) - 1 / n
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    s = beta * u @ u.T
    return np.mean(np.log(np.exp(s).sum(axis=1)) - np.diag(s))


@BETA.check("the best possible vectors do have this loss")
def beta_gives(answer, rng):
    for n in (2, 3, 7, 40):
        loss = float(np.log(n) * rng.uniform(0.01, 0.95))
        beta = answer.call("beta_needed", n, loss)
        expect_shape(beta, (), "beta, one number")
        if not np.isfinite(beta) or not abs(best_loss(n, beta) - loss) <= 1e-5:
            raise Wrong.fixed(
                "put into the loss of Equation 4.1.10, with own scores beta "
                "and others -beta / (n - 1), your beta does not give it."
            )


@BETA.check("from knowing nothing to knowing all")
def beta_ends(answer, rng):
    got = answer.call("beta_needed", 64, np.log(64) * (1 - 1e-9))
    if not abs(got) <= 1e-6:
        raise Wrong.fixed("a loss of ln n needs no sharpness: beta is 0.")
    got = answer.call("beta_needed", 3, 1e-20)
    want = 2 / 3 * (np.log(2) + 20 * np.log(10))
    if not abs(got - want) <= 1e-6:
        raise Wrong.fixed(
            "a loss of 1e-20 must not give infinity: e to the loss, minus 1, "
            "loses all digits there; np.expm1 does not."
        )
    got = answer.call("beta_needed", 1001, 1e-30)
    want = (np.log(1000) + 30 * np.log(10)) / 1.001
    expect_close(got, want, "n = 1001, a loss of 1e-30: nothing is cut off")
    got = answer.call("beta_needed", 10**7, 1e-40)
    want = (np.log(10**7 - 1) + 40 * np.log(10)) * (1 - 1e-7)
    expect_close(got, want, "n = 10,000,000, a loss of 1e-40: nothing cut off")
    got = answer.call("beta_needed", 2, np.log1p(2.0**-11))
    why = "e to the loss, minus 1, is not the loss itself, however small."
    suspects = {why: np.log(1 / np.log1p(2.0**-11)) / 2}
    expect_close(got, 5.5 * LN2, "n = 2, loss ln(1 + 2^-11)", suspects)


SCORES = np.array(
    [[5, 1, 2, 0], [3, 3, 9, 1], [4, 6, 5, 7], [8, 2, 1, 8]]
).astype(float)  # others not beaten: 0, 2 (a tie), 2, 1 (a tie)


@RECALL.check("a worked example with ties")
def recall_by_hand(answer, rng):
    want = {2: 2 / 4, 1: 1 / 4, 3: 1.0, 4: 1.0}
    for k, share in want.items():
        got = answer.call("recall_at", SCORES, k)
        suspects = {
            1: {
                "ties are won: a caption with the same score counts as beaten, "
                "and is not.": 2 / 4,
                "no caption is found at k = 1: the own one stands in its row, "
                "too, and must not count against itself.": 0.0,
                "that is a count; a share is asked.": 1.0,
            },
            2: {
                "ties are won: a caption with the same score counts as beaten, "
                "and is not.": 3 / 4,
                "one other that is not beaten is allowed at k = 2: the own "
                "caption must not count against itself.": 1 / 4,
                "two others that are not beaten are one too many at k = 2: "
                "the own caption is one of the two best itself.": 1.0,
                "that is a count; a share is asked.": 2.0,
            },
        }.get(k, {})
        expect_close(got, share, f"four captions, k = {k}", suspects)


@RECALL.check("a collapsed network")
def recall_collapsed(answer, rng):
    for k in (1, 3, 5):
        got = answer.call("recall_at", np.full((5, 5), 0.7), k)
        if not np.array_equal(got, float(k == 5)):
            raise Wrong.fixed(
                "all scores equal, five captions: nothing is found for k < 5 "
                "(a tie is lost), everything for k = 5."
            )


@RECALL.check("nan")
def recall_nan(answer, rng):
    s = np.full((4, 4), 0.7)
    got = answer.call("recall_at", s, 3)
    expect_close(got, 0.0, "four captions with the same score, k = 3")
    if not np.array_equal(answer.call("recall_at", s * np.nan, 3), 0.0):
        raise Wrong.fixed("all scores are nan: nothing is found for k < n.")
    s = np.eye(4) * 2
    s[0, 2], s[3, 3] = 3, -1  # not beaten by image 0; image 3 beats nothing
    odd = s.copy()
    odd[0, 2] = odd[3, 3] = np.nan
    for k, share in {1: 0.5, 2: 0.75, 3: 0.75, 4: 1.0}.items():
        got = answer.call("recall_at", s, k)
        expect_close(got, share, f"others not beaten: 1, 0, 0, 3; k = {k}")
        got = answer.call("recall_at", odd, k)
        if not np.array_equal(got, share):
            raise Wrong.fixed(
                "a score that is nan is not strictly lower, so it is not "
                "beaten; and an own score that is nan beats nothing."
            )


@RECALL.check("without ties")
def recall_plain(answer, rng):
    rows = np.array([[1.0, 0, 0], [2, 3, 0], [2, 0, 4]])
    got = answer.call("recall_at", rows, 1)
    suspects = {"that takes columns for rows: image i is row i.": 2 / 3}
    expect_close(got, 1.0, "every own caption the best of its row", suspects)
    s = rng.permuted(np.arange(36.0)).reshape(6, 6) - 18
    ranks = [(row > row[i]).sum() for i, row in enumerate(s)]
    for k in range(1, 7):
        got = answer.call("recall_at", s, k)
        expect_shape(got, (), "recall, one number")
        want = np.mean([rank < k for rank in ranks])
        expect_close(got, want, "different scores, six captions")
    best = answer.call("recall_at", np.eye(3) * 1e-9 - 1, 1)
    expect_close(best, 1.0, "every own caption the best by 1e-9")
    s = (np.arange(300.0) - np.arange(300)[:, None]) % 300
    s[np.eye(300) > 0] = 99.5  # 200 others are not beaten
    for k in (200, 201, 300):
        got = answer.call("recall_at", s, k)
        what = f"300 captions, 200 others not beaten, k = {k}"
        expect_close(got, float(k > 200), what)
    s = np.eye(300)
    s[150:, 0] = 2
    got = answer.call("recall_at", s, 1)
    expect_close(got, 0.5, "300 images, the last 150 beaten: all are counted")


@RECALL.check("infinite scores, and the smallest gap")
def recall_ends(answer, rng):
    inf = np.inf
    s = np.array([[inf, 0, 1], [-inf, -inf, 2], [inf, -inf, inf]])
    for k in (1, 2, 3):  # others not beaten: 0, 2, 1
        got = answer.call("recall_at", np.clip(s, -9, 9), k)
        expect_close(got, k / 3, f"others not beaten: 0, 2, 1; k = {k}")
        if not np.isclose(answer.call("recall_at", s, k), k / 3):
            raise Wrong.fixed(
                "infinity is a score like any other: it beats every lower one "
                "and ties with itself; minus infinity beats nothing."
            )
    s = np.where(np.eye(3) > 0, 1.0, np.nextafter(1.0, 0))
    if not np.array_equal(answer.call("recall_at", s, 1), 1.0):
        raise Wrong.fixed("a lower score is beaten, by however little.")


# Two captions of 3 and 2 words with END, 4 words in the vocabulary:
# 0 PAD, 1 BEGIN, 2 END, 3 a word. Probabilities by row of logits.
WORDS = np.array([[1, 3, 3, 2], [1, 3, 2, 0]])
CHANCES = np.array(
    [
        [[0.1, 0.2, 0.2, 0.5], [0.3, 0.1, 0.2, 0.4], [0.1, 0.1, 0.7, 0.1]],
        [[0.2, 0.1, 0.4, 0.3], [0.1, 0.3, 0.5, 0.1], [0.6, 0.2, 0.1, 0.1]],
    ]
)
LOGITS = np.log(CHANCES) + np.array([[[1.0], [-2], [3]], [[0], [5], [-1]]])


@REPEATS.check("a worked example")
def repeats_by_hand(answer, rng):
    got = answer.call("caption_log_probability", LOGITS, WORDS, 0)
    expect_shape(got, (2,), "two captions")
    want = np.log([0.5 * 0.4 * 0.7, 0.3 * 0.5])
    no_pad = want - [np.log(0.9 * 0.7 * 0.9), np.log(0.8 * 0.9)]
    down = np.exp(LOGITS)
    down = np.log(down / down.sum(axis=1, keepdims=True))
    suspects = {
        "the softmax runs over the words of the vocabulary, the last axis.": [
            down[0, [0, 1, 2], [3, 3, 2]].sum(),
            down[1, [0, 1], [3, 2]].sum(),
        ],
        "PAD is a word of the vocabulary like any other in the softmax.": (
            no_pad
        ),
        "probabilities were summed; sum their logarithms.": [1.6, 0.8],
        "each row is asked for the word that it has just read, not for the "
        "next one.": np.log([0.2 * 0.4 * 0.1, 0.1 * 0.1 * 0.1]),
        "PAD counts; it is no part of the caption.": np.log(
            [0.5 * 0.4 * 0.7, 0.3 * 0.5 * 0.6]
        ),
        "END is left out; it is part of the caption.": np.log([0.5 * 0.4, 0.3]),
        "that is a mean over words; the sum is asked.": want / [3, 2],
        "that is a mean over rows; the sum is asked.": want / 3,
        "that is the loss; the log-probability has the other sign.": -want,
        "that is the probability; its logarithm is asked.": np.exp(want),
        "the words are shifted twice: row 0 is about words[:, 1].": np.log(
            [0.5 * 0.2, 0.4]
        ),
        "the first word after BEGIN is left out.": np.log([0.4 * 0.7, 0.5]),
        "the logits are no probabilities yet: log_softmax is missing.": (
            np.array(
                [
                    LOGITS[0, [0, 1, 2], [3, 3, 2]].sum(),
                    LOGITS[1, [0, 1], [3, 2]].sum(),
                ]
            )
        ),
    }
    expect_close(got, want, "two captions", suspects)


@REPEATS.check("another number for PAD")
def repeats_pad(answer, rng):
    swap = np.array([3, 1, 2, 0])
    got = answer.call(
        "caption_log_probability", LOGITS[..., swap], swap[WORDS], 3
    )
    want = np.log([0.5 * 0.4 * 0.7, 0.3 * 0.5])
    suspects = {
        "PAD is not always 0: use the argument pad.": np.log([0.7, 0.5 * 0.6])
    }
    expect_close(got, want, "PAD is 3, and 0 is a word", suspects)


@REPEATS.check("all captions together sum to 1")
def repeats_sum(answer, rng):
    # one step: END at once, or one of 10 words and END after it for sure
    first = rng.normal(size=12)
    rows = np.full((11, 2, 12), -40.0)
    rows[:, 0], rows[:, 1, 2] = first, 40.0
    words = np.array([[1, 2, 0], [1, 1, 2], *([1, w, 2] for w in range(3, 12))])
    got = answer.call("caption_log_probability", rows, words, 0)
    expect_shape(got, (11,), "eleven captions")
    chance = np.exp(first) / np.exp(first).sum()
    if not abs(np.exp(got).sum() - (1 - chance[0])) <= 1e-6:
        raise Wrong.fixed(
            "the probabilities of all possible captions of one word do not "
            "sum to 1, less that of PAD as first word."
        )


@REPEATS.check("long captions and impossible PAD")
def repeats_long(answer, rng):
    logits = np.zeros((3, 600, 5))
    logits[2, 300:, 0] = -np.inf  # PAD has probability 0 where PAD stands
    words = rng.integers(2, 5, size=(3, 601))
    words[:, 0], words[2, 301:] = 1, 0
    got = answer.call("caption_log_probability", logits, words, 0)
    want = -np.log(5) * np.array([600, 600, 300])
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "600 words give infinity or nan: sum logarithms, do not multiply "
            "probabilities; and leave PAD out, do not multiply it by 0."
        )
    expect_close(got, want, "600 words, five in the vocabulary")


@REPEATS.check("large logits")
def repeats_large(answer, rng):
    big = 1000.0
    logits = np.array(
        [
            [[big, 0, 0, -big], [-big, -big, 0, -big]],
            [[-big, 0, 0, big], [big, -big, big, 0]],
        ]
    )
    words = np.array([[1, 3, 2], [1, 3, 2]])
    got = answer.call("caption_log_probability", logits, words, 0)
    expect_shape(got, (2,), "two captions")
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "logits of -1000 to 1000 give infinity or nan: exp overflows, or a "
            "logarithm is of 0; log_softmax does neither."
        )
    if not np.allclose(got, [-2000, -LN2], rtol=1e-5):
        raise Wrong.fixed(
            "a caption with log-probability -2000 has another one: nothing may "
            "be cut off, and nothing added to a probability."
        )


@REPEATS.check("gradients of the logits")
def repeats_gradients(answer, rng):
    for scale in (1, 300):
        logits = rng.normal(size=(2, 3, 4)) * scale
        args = {"logits": logits, "words": WORDS, "pad": 0}
        expect_gradients(answer, "caption_log_probability", args, rng)
