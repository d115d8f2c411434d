"""Visible checks of chapter 2.5's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

from functools import partial
from math import erf

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Module,
    Wrong,
    expect_close,
    expect_gradients,
    shaped,
)
from attnbook.check.ex_2_3 import (
    FAR_PERMITTED,
    ORDER,
    PERMITTED,
    expect_as_if_alone,
    expect_far,
    expect_finite,
    heads_by_hand,
    steady,
)
from attnbook.check.ex_2_3 import tokens as tokens_of_heads

LOSS = Exercise("2_5.a", "Shift and mask", ("language_loss",))
LAYER = Exercise("2_5.b", "An encoder layer", ("encoder_layer",))
COUNT = Exercise(
    "2_5.c", "A decoder layer", ("decoder_parameters", "decoder_flops")
)
SHOWN = Exercise(
    "2_5.d", "Shown answers", ("nats_per_token",), "torch", all_or_nothing=True
)
LOST = Exercise(
    "2_5.e", "The lost mask", ("next_logits",), "torch", all_or_nothing=True
)
BLOCK = Exercise("2_5.f", "An encoder block", ("EncoderBlock",), "torch")
EXERCISES = [LOSS, LAYER, COUNT, SHOWN, LOST, BLOCK]

LN2, LN3 = np.log([2.0, 3.0])

# --- a ---------------------------------------------------------------------

PAD = 3
TARGET = np.array([[2, 4, 0, 1], [1, 0, 3, 3], [4, 2, 3, 3]])
BITS = np.array(  # (b, n, v): token v has probability 2^-bits in row n
    [
        [[4, 1, 3, 4, 2], [2, 4, 1, 3, 4], [3, 4, 4, 2, 1], [1, 2, 4, 4, 3]],
        [[3, 2, 4, 1, 4], [4, 1, 2, 3, 4], [1, 4, 4, 2, 3], [4, 3, 1, 4, 2]],
        [[2, 4, 4, 3, 1], [1, 3, 2, 4, 4], [4, 2, 1, 4, 3], [3, 4, 2, 4, 1]],
    ]
)
ADDED = np.array([[0, 3, -2, 5], [1, -4, 2, 7], [-3, 6, 4, -1]])[..., None]


@LOSS.check("three targets, five real labels")
def loss_by_hand(answer, rng):
    logits = ADDED - BITS * LN2
    got = answer.call("language_loss", logits, TARGET, PAD)

    def cost(rows, labels):
        return np.take_along_axis(rows, labels[..., None], -1)[..., 0] * LN2

    rows, real = BITS[:, :3], TARGET != PAD
    next_costs, label = cost(rows, TARGET[:, 1:]), real[:, 1:]
    own, last = cost(BITS, TARGET), cost(BITS[:, 1:], TARGET[:, :3])
    around = cost(BITS, np.roll(TARGET, -1, 1))
    sums = (next_costs * label).sum(axis=1)

    def across(z):
        z = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return cost(-z[:, :3] / LN2, TARGET[:, 1:])[label].mean()

    plain = cost(-logits[:, :3] / LN2, TARGET[:, 1:])
    unpadded = next_costs + np.log(1 - 0.5 ** rows[..., PAD])
    # Bits of the real labels: 2, 2, 4 of the first, 3 and 4 of the others.
    expect_close(
        got,
        (2 + 2 + 4 + 3 + 4) / 5 * LN2,
        "the loss",
        {
            "the labels are not shifted: row k is about token k + 1, yours "
            "is scored on the token it was shown.": own[real].mean(),
            "the labels are not shifted: each row is scored on the token it "
            "was shown.": own[:, :3][real[:, :3]].mean(),
            "the labels are shifted the wrong way: row k is about token "
            "k + 1, not k - 1.": last[real[:, :3]].mean(),
            "the shift goes the wrong way: row k is about token k + 1, not "
            "k - 1.": last[label].mean(),
            "the last row has no label; rolled around, yours got the first "
            "token.": around[np.roll(real, -1, 1)].mean(),
            "padding is counted: its labels mean nothing.": next_costs.mean(),
            "divided by all positions; divide by the number of real "
            "labels.": sums.sum() / 9,
            "divided by all rows, the last ones too; divide by the number of "
            "real labels.": sums.sum() / 12,
            "divided by the real tokens; the first one of each row is no "
            "label.": sums.sum() / 8,
            "a mean of each sequence's mean: every label counts alike, "
            "whichever sequence it stands in.": (sums / [3, 1, 1]).mean(),
            "a mean over sequences of their sums: divide by the labels."
            "": sums.mean(),
            "the sum; the mean over the real labels is asked for.": sums.sum(),
            "bits: ln is the natural logarithm.": 15 / 5,
            "the sign: -ln p is positive.": -15 / 5 * LN2,
            "the mask looks at the tokens that were read; padding is what "
            "the *label* is.": next_costs[real[:, :3]].mean(),
            "token 0 is left out: padding is the token `pad`, here 3.": (
                next_costs[TARGET[:, 1:] != 0].mean()
            ),
            "the softmax runs over the positions, not over the vocabulary."
            "": across(logits[:, :3]),
            "the softmax runs over all positions, not over the vocabulary."
            "": across(logits),
            "the logits are not normalised: subtract ln of the sum of exp."
            "": plain[label].mean(),
            "the vocabulary has lost the padding token: it stays in the "
            "softmax, only its labels are left out.": unpadded[label].mean(),
            "only the first sentence counts.": (2 + 2 + 4) / 3 * LN2,
            "the last row's label is left out: the last token of a sentence "
            "is the label of the row before it.": (2 + 2 + 3 + 4) / 4 * LN2,
            "the mean was taken before the logarithm.": -np.log(
                np.exp(-next_costs[label]).mean()
            ),
        },
    )


@LOSS.check("logits of 1000")
def loss_large(answer, rng):
    far = np.array([[[0.0, 1000, 0, 0]] * 3])

    def loss(logits):
        target = np.array([[2, 1, 1]])  # labels 1 and 1
        return answer.call("language_loss", np.array(logits), target, 0)

    if not np.isfinite(loss(np.full((1, 3, 4), 1000.0))):
        raise Wrong("exp(1000) overflows: subtract the row's maximum first.")
    rows = np.array([1000.0, -1000, 0])[None, :, None] + np.zeros((1, 3, 4))
    if not np.isfinite(loss(rows)):
        raise Wrong(
            "subtract each row's own maximum, not one number from all rows."
        )
    expect_close(loss(far), 0, "labels with probability 1")
    got = loss(far[..., [1, 0, 2, 3]])
    if not np.isfinite(got) or 5 < got < 999:  # ln(p + 1e-300), say
        raise Wrong(
            f"a label with ln p = -1000 costs 1000, yours is {got:.6g}: p "
            "becomes 0 before its logarithm, or something is added to it, or "
            "costs are cut off; never compute p."
        )
    expect_close(got, 1000, "labels with ln p = -1000")
    got = loss(1000 * far[..., [1, 0, 2, 3]])
    expect_close(got, 1e6, "labels with ln p = -1e6 (are costs cut off?)")
    both = np.array([1000.0, -1000])[:, None, None] + np.zeros((2, 3, 4))
    got = answer.call("language_loss", both, np.array([[2, 1, 1]] * 2), 0)
    if not np.isfinite(got):
        raise Wrong.fixed(
            "a sentence with logits of 1000, another with -1000: subtract "
            "each row's own maximum, not one number from all rows."
        )
    expect_close(loss(np.zeros((1, 3, 4))), 2 * LN2, "four alike")
    expect_close(loss(np.zeros((1, 3, 4), int)), 2 * LN2, "integers, all 0")


@LOSS.check("rows without a label have no effect")
def loss_of_padding(answer, rng):
    logits = rng.normal(size=(3, 4, 5))
    first = answer.call("language_loss", logits, TARGET, PAD)
    logits[:, 3] = logits[1:, 1:] = rng.normal(size=5) * 9
    got = answer.call("language_loss", logits, TARGET, PAD)
    what = "other logits in the last rows and about padding (is row k about "
    what += "token k + 1, or are rows shifted? does padding count?)"
    expect_close(got, first, what)
    # A label's logit is ln m, the other four are 0, so it costs ln(1 + 4/m).
    # Each of the eight labels has an m of its own; the last sentence has none.
    target = np.array([[0, 2, 4, 3, 0, 2], [3, 3, 2, 4, 1, 1], [4, *[1] * 5]])
    m = np.array([[1, 2, 3, 5, 7, 9], [11, 16, 36, 9, 9, 9], [9] * 6])
    chosen = np.arange(5) == np.roll(target, -1, axis=1)[..., None]
    logits = np.where(chosen, np.log(m)[..., None], 0)
    costs = np.log1p(4 / m)
    costs = np.concatenate([costs[0, :5], costs[1, :3]])
    inner = np.delete(costs, [0, 5])
    expect_close(
        answer.call("language_loss", logits, target, 1),
        costs.mean(),
        "sentences of six, four and one real tokens",
        {
            "the first label of each sentence, its second token, is left "
            "out.": inner.mean(),
            "the last label of each sentence is left out.": np.delete(
                costs, [4, 7]
            ).mean(),
            "a sentence without labels still counts.": costs.sum() / 9,
        },
    )
    # Forty tokens of a hundred: row k's label has the logit ln (k + 1).
    many = np.arange(1, 41)[None]
    chosen = np.arange(100) == np.roll(2 * many, -1)[..., None]
    rows = np.where(chosen, np.log(many)[..., None], 0)
    expect_close(
        answer.call("language_loss", rows, 2 * many, 0),
        np.log1p(99 / many[0, :-1]).mean(),
        "a sentence of 40 tokens, a vocabulary of 100 (do all count?)",
    )


# --- b ---------------------------------------------------------------------

Z = np.array([[1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])  # mean 0, var 1
SIZE, MEAN = np.array([[30], [20], [50]]), np.array([[10], [-20], [40]])
X = MEAN + SIZE * Z  # (n, w) = (3, 4); d, e, m = 5, 6, 8
ONE = ("gain_1", np.array([2, -1, 3, 0.5])), ("shift_1", np.arange(4.0) + 1)
TWO = ("gain_2", np.array([-1, 4, 0.5, 2])), ("shift_2", np.arange(4.0) - 6)
SAME = {"W_v": np.eye(4, 6), "W_o": np.eye(6, 4)}  # value = what comes in
THROUGH = {  # relu(u) - relu(-u) = u: feed gives what comes in
    "W_1": np.hstack([np.eye(4), -np.eye(4)]),
    "W_2": np.vstack([np.eye(4), -np.eye(4)]),
}
SHAPES = {"gain_1": 4, "shift_1": 4, "W_q": (4, 5), "W_k": (4, 5)}
SHAPES |= {"W_v": (4, 6), "W_o": (6, 4), "gain_2": 4, "shift_2": 4}
SHAPES |= {"W_1": (4, 8), "b_1": 8, "W_2": (8, 4), "b_2": 4}


def layer(answer, x, *pairs, **given):
    """The answer with these arrays; other gains are 1, all else is 0."""
    blank = {k: np.full(s, 1.0 * ("gain" in k)) for k, s in SHAPES.items()}
    arrays = (blank | dict(pairs) | given).values()
    floats = (np.asarray(a, float) for a in arrays)
    return answer.call("encoder_layer", x, *floats)


def standard(x, axis=-1, ddof=0):
    """Mean 0, variance 1."""
    centred = x - x.mean(axis=axis, keepdims=True)
    return centred / x.std(axis=axis, keepdims=True, ddof=ddof)


def of_zeros(run):
    """Without maps only the last bias is added."""
    (_, g1), (_, s1), (_, g2), (_, s2) = ONE + TWO
    b_2 = np.array([5.0, 6, 7, 9])
    after = g2 * standard(g1 * Z + s1 + b_2) + s2
    expect_close(
        run(X, *ONE, *TWO, b_2=b_2),
        X + b_2,
        "tokens",
        {
            "the norm stands after the sum; here it stands before each part, "
            "inside the sum.": after,
            "the last norm stands after the sum.": g2 * standard(X + b_2) + s2,
            "a residual is missing: x is added to attention's result, and y "
            "to the feed-forward part's.": np.tile(b_2, (3, 1)),
            "the residual takes the normed x; x itself is added.": (
                g1 * Z + s1 + b_2
            ),
            "the residual takes the normed y; y itself is added.": (
                g2 * Z + s2 + b_2
            ),
            "b_2 is missing.": X,
        },
        tolerance=1e-5,  # epsilon is in the answer, not in the suspects
    )


@LAYER.check("maps of zeros add only the last bias")
def layer_of_zeros(answer, rng):
    of_zeros(partial(layer, answer))


def misread(x, gain, shift, other, read):
    """Suspects of a norm: what read() makes of a wrongly normed x."""
    size = x.std(axis=-1, keepdims=True)
    centred = x - x.mean(axis=-1, keepdims=True)
    wrong = {
        "the deviation divides by w, not by w - 1.": (
            gain * standard(x, ddof=1) + shift
        ),
        "divide by the root of the variance, not by the variance.": (
            gain * centred / size**2 + shift
        ),
        "subtract each token's mean.": gain * x / size + shift,
        "the norm runs over the tokens; each token has a mean and a deviation "
        "of its own.": gain * standard(x, 0) + shift,
        "one mean and one deviation for all; each token has its own.": (
            gain * standard(x, None) + shift
        ),
        "the gain is missing.": standard(x) + shift,
        "the shift is missing.": gain * standard(x),
        "the other norm's gain and shift are used: each norm has its own.": (
            other[0][1] * standard(x) + other[1][1]
        ),
        "the norm is missing.": x,
    }
    return {reason: read(u) for reason, u in wrong.items()}


def first_of_two(run, same):
    """The first norm; the maps `same` let through what comes in."""
    # All scores are 0, values are the normed tokens: their mean is added.
    (_, gain), (_, shift) = ONE
    suspects = misread(X, gain, shift, TWO, lambda u: X + u.mean(axis=0))
    mean = gain * Z.mean(axis=0) + shift
    suspects["the residual around attention is missing."] = mean + 0 * X
    got = run(X, *ONE, *TWO, **same)
    expect_close(got, X + mean, "tokens", suspects)


@LAYER.check("the first norm, through uniform weights")
def first_norm(answer, rng):
    first_of_two(partial(layer, answer), SAME)


BENDS = {  # that are not the ReLU
    "a leaky ReLU": lambda z: np.maximum(z, 0.01 * z),
    "an ELU": lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
    "a GELU": lambda z: z / 2 * (1 + np.vectorize(erf)(z / 2**0.5)),
    "a SiLU": lambda z: z / (1 + np.exp(-z)),
    "a sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "a tanh": np.tanh,
}


def second_of_two(run):
    """The second norm."""
    (_, gain), (_, shift) = TWO
    suspects = misread(X, gain, shift, ONE, lambda u: X + u)
    suspects |= {
        "the residual around the feed-forward part is missing.": (
            gain * Z + shift
        ),
        "the ReLU is missing.": X + 2 * (gain * Z + shift),
    }
    u = gain * Z + shift
    suspects |= {
        f"that is {name}, not the ReLU max(z, 0).": X + bend(u) - bend(-u)
        for name, bend in BENDS.items()
    }
    got = run(X, *ONE, *TWO, **THROUGH)
    expect_close(got, X + gain * Z + shift, "tokens", suspects)


def of_wide(run):
    """One token of width 16, one number far from the others: either norm."""
    x = 16.0 * np.eye(1, 16) - 1  # mean 0, variance 15
    none, same = np.zeros((16, 16)), np.eye(16)
    given = {k: np.full(16, 1.0 * ("gain" in k)) for k in SHAPES}
    given |= {k: none for k in ("W_q", "W_k", "W_v", "W_o")}
    given |= {"b_1": np.zeros(32), "W_1": np.zeros((16, 32))}
    given["W_2"] = np.vstack([same, -same])
    what = "a token of width 16, normed, with a number of 3.9 (is it cut off? "
    what += "is the variance divided by w?)"
    want = x + x / (15 + 1e-5) ** 0.5
    first = {"W_v": same, "W_o": same}
    for maps in (first, {"W_1": np.hstack([same, -same])}):
        expect_close(run(x, **(given | maps)), want, what)


@LAYER.check(
    "the second norm, through a feed-forward part that changes nothing"
)
def second_norm(answer, rng):
    second_of_two(partial(layer, answer))
    of_wide(partial(layer, answer))


POWERS = np.array([[1, 0, 2], [0, 1, 3], [2, 0, 1]])  # scores, times ln 3


def worked(powers, unit):
    """Maps with scores powers * unit; key j's value is 10^j in place j."""
    W_v = np.hstack([Z.T / 4, np.full((4, 1), 0.25), np.zeros((4, 2))])
    return {
        "shift_1": np.ones(4),  # orthogonal to Z: no score sees it
        "W_q": Z.T / 4 @ powers @ np.eye(3, 5) * unit * 5**0.5,
        "W_k": Z.T / 4 @ np.eye(3, 5),
        "W_v": W_v,
        "W_o": np.eye(6, 4) * [1, 10, 100, 1],
    }


def normal(x, axis=-1):
    return x / x.sum(axis=axis, keepdims=True)


@LAYER.check("weights of a worked example")
def head_by_hand(answer, rng):
    def add(weights, values=1.0, mean=1.0):
        """What these weights add to X."""
        values = np.hstack([np.eye(3) * values, mean + np.zeros((3, 1))])
        return X + weights @ values * [1, 10, 100, 1]

    def power(factor):
        return normal(3.0 ** (POWERS * factor))

    expect_close(
        layer(answer, X, **worked(POWERS, LN3)),
        add(power(1)),
        "tokens",
        {
            "the scores are not divided by sqrt(d).": add(power(5**0.5)),
            "the scores are divided by d, not by sqrt(d).": add(power(5**-0.5)),
            "the scores are divided by the root of the tokens' width w; a dot "
            "product runs over d numbers.": add(power((5 / 4) ** 0.5)),
            "the scores are divided by the root of the values' width e; a dot "
            "product runs over d numbers.": add(power((5 / 6) ** 0.5)),
            "the softmax runs over the queries; each query's weights over "
            "the keys must sum to 1.": add(normal(3.0**POWERS, 0)),
            "each query's weights over the keys must sum to 1: yours are "
            "divided by sums over the queries.": add(
                normal(3.0 ** (POWERS - 2 - (POWERS == 3).any(1)[:, None]), 0)
            ),
            "queries and keys are swapped.": add(normal(3.0**POWERS.T)),
            "these are exponentials, not divided by their sum.": add(
                3.0**POWERS
            ),
            "there is no softmax: the weights are the scores.": add(
                POWERS * LN3
            ),
            "keys and values are made from x; they too are made from the "
            "normed x.": add(power(SIZE.T), SIZE.T, MEAN),
            "values are made from x; they too are made from the normed x.": add(
                power(1), SIZE.T, MEAN
            ),
        },
    )


def layer_of_many(answer, rng):
    """Forty tokens, in two orders, then as integers."""
    maps = {k: rng.normal(size=s) for k, s in SHAPES.items()}
    x = np.rint(9 * rng.normal(size=(40, 4)))
    got = shaped(layer(answer, x, **maps), (40, 4), "forty tokens")
    order = np.roll(np.arange(40)[::-1], 3)
    turned = layer(answer, x[order], **maps)
    what = "forty tokens in another order (does each attend to all?)"
    expect_close(turned, got[order], what, tolerance=1e-4)
    whole = layer(answer, x.astype(int), **maps)
    what = "tokens of integers, against the same as floats"
    expect_close(whole, got, what, tolerance=1e-4)


@LAYER.check("scores from -1000 to 1000")
def head_large(answer, rng):
    layer_of_many(answer, rng)
    added = np.array([[0, 0, 100, 1], [0, 0, 100, 1], [1, 0, 0, 1]])
    clipped = "the scores are clipped; large ones may still differ."
    suspects = {clipped: X + np.array([1, 10, 100, 3]) / 3}
    for powers, unit in ((POWERS - 1, 1000), (POWERS + 7.5, 100)):
        got = shaped(layer(answer, X, **worked(powers, unit)), (3, 4))
        if not np.isfinite(got).all():
            raise Wrong(
                "exp(1000) overflows: subtract the row's maximum first."
            )
        expect_close(got, X + added, "tokens", suspects)


def feed_alone(run):
    """The feed-forward part by hand."""
    # Token i: 6 - 2 = 4 in place i, -2 in the other two, then 1 -2 0 0 3.
    W_1 = Z.T / 4 @ (np.eye(3, 8) * 6 - 3 * (np.arange(8) == 4))
    b_1 = np.array([-2, -2, -2, 1, 1, 0, 0, 3])
    W_2 = np.arange(32).reshape(8, 4) * 7 % 32 - 12.0
    b_2 = np.array([-5, 6, 7, -9])
    first = W_2[:3]
    rest = W_2[3] + 3 * W_2[7]
    want = X + 4 * first + rest + b_2
    before = Z @ W_1 + b_1
    bent = {
        f"that is {name}, not the ReLU max(z, 0).": X + bend(before) @ W_2 + b_2
        for name, bend in BENDS.items()
    }
    linear = X + 6 * first - 2 * first.sum(axis=0) + rest - 2 * W_2[4] + b_2
    expect_close(
        run(X, W_1=W_1, b_1=b_1, W_2=W_2, b_2=b_2),
        want,
        "tokens through W_1 and W_2, between them the ReLU max(z, 0)",
        {
            "the ReLU is missing.": linear,
            "the ReLU stands after W_2; it stands between the maps.": (
                X + np.maximum(linear - X, 0)
            ),
            "there is one ReLU too many, after W_2.": (
                X + np.maximum(want - X, 0)
            ),
            "b_1 is missing.": X + 6 * first + b_2,
            "b_1 is added after the ReLU.": X + 6 * first + b_1 @ W_2 + b_2,
            "b_2 is missing.": want - b_2,
            "the residual around the feed-forward part is missing.": want - X,
        }
        | bent,
    )
    b_1 = np.array([1000, -1000, 0.05, -0.05, 60, -60, 7, -7])
    kept = [1000, 0, 0.05, 0, 60, 0, 7, 0]
    expect_close(
        run(X, b_1=b_1, W_2=W_2),
        X + kept @ W_2,
        "tokens where W_1 is 0 and b_1 holds numbers from -1000 to 1000 (is "
        "that the ReLU? numbers below 0 become 0, the others stay as they are)",
    )


@LAYER.check("a worked feed-forward part")
def feed_by_hand(answer, rng):
    feed_alone(partial(layer, answer))


def together(run, same):
    """Both parts by hand."""
    # Attention adds c. Then token i is its mean + 10 (m_i, 1) in the
    # directions Z[0], Z[1], of length 10 times 5/4, 5/3, 13/5.
    m, size = np.array([[3 / 4, 5 / 4], [4 / 3, 5 / 3], [12 / 5, 13 / 5]]).T
    c = 10.0 * Z[1]
    x = MEAN + 10 * m[:, None] * Z[0]
    y = x + c
    z = (m[:, None] * Z[0] + Z[1]) / size[:, None]
    got = run(x, gain_1=np.zeros(4), shift_1=c, **same, **THROUGH)
    expect_close(
        got,
        y + z,
        "tokens",
        {
            "the feed-forward part reads x; it reads y, which holds what "
            "attention added.": y + Z[0],
            "the second residual adds x; it adds y.": x + z,
            "the feed-forward part reads attention's result without x.": (
                y + Z[1]
            ),
        },
        tolerance=1e-5,
    )


@LAYER.check("both parts together")
def layer_by_hand(answer, rng):
    together(partial(layer, answer), SAME)


def of_equals(run, same):
    """Where all numbers of a token are almost equal, epsilon counts."""
    x = MEAN + 0.01 * Z  # variance 1e-4
    right, outside, none = 0.01 / 1.1e-4**0.5, 0.01 / 0.01001, 1
    for maps, added in ((same, Z.mean(axis=0)), (THROUGH, Z)):
        suspects = {
            "epsilon is added to the variance, under the root.": (
                x + outside * added
            ),
            "epsilon is missing: where all numbers are equal, 0 is divided "
            "by 0.": x + none * added,
        }
        for other in (1e-3, 1e-4, 1e-6, 1e-8, 1e-12):
            said = f"epsilon is 1e-5, yours is {other:g}."
            suspects[said] = x + 0.01 / (1e-4 + other) ** 0.5 * added
        got = run(x, **maps)
        expect_close(got, x + right * added, "tokens", suspects)


@LAYER.check("a token whose numbers are almost equal")
def layer_of_equals(answer, rng):
    of_equals(partial(layer, answer), SAME)


# --- c ---------------------------------------------------------------------


@COUNT.check("parameters of width 6 with 10 hidden")
def parameters_by_hand(answer, rng):
    # Twice 4 * 42; 60 + 10 and 60 + 6; three times 12.
    expect_close(
        answer.call("decoder_parameters", 6, 10),
        508,
        "parameters",
        {
            "that is an encoder layer: a decoder layer also reads.": 328,
            "there are three norms, you counted two.": 496,
            "there are three norms, you counted four.": 520,
            "there are two blocks of four maps each, eight in all.": 466,
            "b_1 has m numbers, b_2 has w.": 512,
            "the norms are missing: each has a gain and a shift.": 472,
            "a norm has a gain and a shift.": 490,
            "attention's biases are missing.": 460,
            "the feed-forward part's biases are missing.": 492,
            "attention has four maps, the output map too.": 424,
            "all biases are missing.": 444,
        },
    )


@COUNT.check("operations for 5 written and 8 read, width 6, 10 hidden")
def flops_by_hand(answer, rng):
    # Own maps 8 * 180, scores and sums 4 * 150; reading 4 * 180 + 4 * 288
    # and 4 * 240; feed 4 * 300: 1440 + 600 + 1872 + 960 + 1200.
    expect_close(
        answer.call("decoder_flops", 5, 8, 6, 10),
        6072,
        "operations",
        {
            "that is an encoder layer: the part that reads is missing.": 3240,
            "all four maps of reading run over i tokens in yours; keys and "
            "values are made from the j tokens.": 5640,
            "all four maps of reading run over j tokens in yours; queries "
            "and output belong to the i tokens.": 6504,
            "three of reading's maps run over j in yours; its output map "
            "runs over i.": 6288,
            "reading's scores are (i, j), not (i, i).": 5712,
            "reading's scores are (i, j), not (j, j).": 6648,
            "a multiplication and an addition are two operations.": 3036,
            "the causal mask saves nothing: all i times i scores are "
            "computed.": 5772,
            "the causal mask saves nothing: also the scores that it forbids "
            "are computed.": 5832,
            "scores are there, the weighted sums are missing.": 5292,
            "the feed-forward part has two maps.": 5472,
            "only matrix products count, no biases.": 6152,
            "only matrix products count, not the softmax.": 6147,
            "the feed-forward part runs over the i written tokens.": 6792,
            "the memory's keys and values are made in this layer.": 4920,
            "the scores and weighted sums are missing.": 4512,
        },
    )


@COUNT.check("other sizes")
def other_sizes(answer, rng):
    # Eight maps of 12, 38 for feed, six vectors of 3.
    got = answer.call("decoder_parameters", 3, 5)
    expect_close(got, 152, "parameters of width 3 with 5 hidden")
    # 256 + 64; 128 + 192 and 96; 160.
    got = answer.call("decoder_flops", 2, 3, 4, 5)
    expect_close(got, 896, "operations for 2 and 3 tokens, width 4, 5 hidden")
    counts = {(4096, 11_008): 224_467_712, (300, 20): 736_520}
    for (w, m), want in counts.items():
        got = answer.call("decoder_parameters", w, m)
        what = f"parameters of width {w} with {m} hidden (for any sizes)"
        expect_close(got, want, what)
    counts = {(1000, 3000, 512, 2048): 18_677_760_000}
    counts |= {(700, 3, 300, 20): 1_364_400_000}
    for sizes, want in counts.items():
        got = answer.call("decoder_flops", *sizes)
        what = "operations for {} and {} tokens, width {}, {} hidden"
        what = what.format(*sizes) + " (for any sizes)"
        expect_close(got, want, what)


@COUNT.check("one more token, one more hidden number")
def flops_grow(answer, rng):
    def flops(*sizes):
        return shaped(answer.call("decoder_flops", *sizes), ()) * 1.0

    # One more token of memory: a key and a value, and a score and a weighted
    # value for each of 3 queries.
    got = flops(3, 9, 4, 5) - flops(3, 8, 4, 5)
    expect_close(got, 4 * 16 + 4 * 3 * 4, "one more token of memory costs")
    got = flops(3, 8, 4, 6) - flops(3, 8, 4, 5)
    expect_close(got, 4 * 3 * 4, "one more hidden number costs")


# --- d ---------------------------------------------------------------------

TOKENS = np.array([[0, 1, 2, 1, 3], [2, 0, 3, 3, 3]])  # 3 is padding


@SHOWN.check("two worked sentences")
def sentences_by_hand(answer, rng):
    # Token v is sqrt(6 ln 2) e_v: its odds are 2 to the 6 (x is v + share of
    # v). Places are e_5; the queries see only that, the keys only tokens:
    # keys 0, 1, 2, 3 weigh 1, 2, 3, 1.
    c, weigh = (6 * LN2) ** 0.5, np.array([1, 2, 3, 1])
    embed, places = np.eye(4, 6) * c, np.tile(np.eye(6)[5], (5, 1))
    W_q, W_k = np.zeros((2, 6, 7))
    W_q[5, 0], W_k[:4, 0] = 7**0.5, np.log(weigh) / c
    args = (TOKENS, embed, places, W_q, W_k, np.eye(6), 3)
    got = answer.call("nats_per_token", *args)
    # Odds 2^12 1 1 1, then 2^2 2^10 1 1, then 2^1 2^2 2^9 1; 1 1 2^12 1.
    first = [4096 + 3, 4 + 1024 + 2, (2 + 4 + 512 + 1) / 4]
    want = np.log([[*first, 1], [4096 + 3, 1, 1, 1]])
    is_token, full = np.eye(4)[TOKENS], np.ones((5, 5))

    def told(permitted, labels=TOKENS[:, 1:], own=1, late=False, weigh=weigh):
        share = permitted * weigh[TOKENS][:, None]
        whole = weigh[TOKENS][:, None] if late else share
        share = share / whole.sum(axis=-1, keepdims=True)
        odds = 2.0 ** (6 * (own * is_token + share @ is_token))
        p = odds / odds.sum(axis=-1, keepdims=True)
        p = np.take_along_axis(p[:, :4], labels[..., None], -1)[..., 0]
        return np.where(labels == 3, 0, -np.log(p))

    past, leak = np.tril(full), np.tril(full, 1)
    later = np.pad(TOKENS[:, 2:], ((0, 0), (0, 1)), constant_values=3)
    expect_close(
        got,
        want,
        "nats",
        {
            "each position may attend to the next token, which is its label: "
            "query i may see keys up to i, not i + 1.": told(leak),
            "the future is not masked at all.": told(full),
            "each position sees two later tokens: query i may see keys up to "
            "i.": told(np.tril(full, 2)),
            "the mask permits the future and forbids the past.": told(past.T),
            "the mask is applied after the softmax: the permitted weights do "
            "not sum to 1.": told(past, late=True),
            "queries and keys are swapped, or the scores have no effect.": (
                told(past, weigh=np.ones(4))
            ),
            "each position attends to itself only.": told(np.eye(5)),
            "each row is scored on the token it was shown: row k's label is "
            "token k + 1.": told(past, TOKENS[:, :4]),
            "the leak is still there, only the labels moved: row k's label "
            "is token k + 1, and it must not be seen.": told(leak, later),
            "the labels moved: row k's label is token k + 1.": (
                told(past, later)
            ),
            "x is left out of the sum: that a token sees itself is no leak; "
            "its label is the next one.": told(past, own=0),
        },
    )


def sentence_arguments(rng):
    """Random arrays: b 2, n 5, v 4, w 6, d 7."""
    shapes = (4, 6), (5, 6), (6, 7), (6, 7), (6, 6)
    return TOKENS, *(rng.normal(size=s) for s in shapes), 3


@SHOWN.check("entry k does not know the later positions")
def sentence_future(answer, rng):
    tokens, embed, places, *rest = sentence_arguments(rng)
    before = answer.call("nats_per_token", tokens, embed, places, *rest)
    shaped(before, (2, 4))
    for place in range(1, 5):
        other = places + 2.0 * (np.arange(5) == place)[:, None]
        got = answer.call("nats_per_token", tokens, embed, other, *rest)
        shaped(got, (2, 4))
        if not np.allclose(got[:, :place], before[:, :place]):
            raise Wrong(
                f"position vector {place} (counted from 0) changes entry "
                f"{place - 1} or an earlier one: a position sees what comes "
                "after it."
            )
    # 21 tokens: the last entry must still know the first of them, whose
    # key has the largest score.
    tokens = np.array([[1, 3, 2, 3, 2, 2, 3, 2, 3] + [2, 3, 3] * 4 + [0]])
    W_q, W_k = np.zeros((2, 6, 7))
    embed, places = np.eye(4, 6), np.tile(np.eye(6)[5], (22, 1))
    W_q[5, 0], W_k[1, 0] = 20, 20
    args = (tokens, embed, places, W_q, W_k, np.eye(6), 0)
    # Entries 1 to 19: 1 for token 1 and for the own token, which a label is
    # where the same token comes twice in a row.
    odds = np.exp(1.0)
    own = (tokens[0, 1:-2] == tokens[0, 2:-1]) * 1.0
    costs = np.log(2 * odds + 2) - own
    first = np.log(np.exp(2.0) + 3)
    expect_close(
        answer.call("nats_per_token", *args),
        np.array([[first, *costs, 0]]),
        "21 tokens that all attend to the first, then token 0 as padding (do "
        "the later ones still see it? is padding the token `pad`?)",
    )


def sentence_of_far_scores(answer):
    """Token 0 has the score -3e7 as a key, token 1, the last one, 0."""
    embed, places = -30 * np.eye(4, 6), np.tile(np.eye(6)[5], (4, 1))
    W_q, W_k = np.zeros((2, 6, 4))
    W_q[5, 0], W_k[0, 0] = 2, 1e6
    args = np.array([[0, 0, 0, 1]]), embed, places, W_q, W_k, np.eye(6), 3
    leak = "a forbidden key has weight where the permitted scores are -3e7: "
    leak += "it must be masked with minus infinity, not with some number."
    suspects = {leak: np.array([[0, 0, LN2]])}
    suspects["x + y may be negative: no ReLU."] = np.full((1, 3), 2 * LN2)
    expect_close(
        answer.call("nats_per_token", *args),
        np.array([[0, 0, 1800.0]]),
        "tokens 0 0 0 1, far from one another: no cost is cut off, nothing is "
        "added to p",
        suspects,
    )


@SHOWN.check("tokens and places, four of five positions")
def sentence_parts(answer, rng):
    sentence_of_far_scores(answer)
    tokens, embed, places, *rest = sentence_arguments(rng)
    before = answer.call("nats_per_token", tokens, embed, places, *rest)
    shaped(before, (2, 4))
    if before[tokens[:, 1:] == 3].any():
        raise Wrong("a label that is padding must cost 0.")
    # The sums stay; all logits of a row move alike.
    c = rng.normal(size=6)
    got = answer.call("nats_per_token", tokens, embed + c, places - c, *rest)
    what = "what is added to all tokens and taken from all places has no effect"
    expect_close(got, before, what, tolerance=1e-4)
    got = answer.call("nats_per_token", tokens[:, :4], embed, places[:4], *rest)
    what = "the first four of five positions"
    expect_close(got, before[:, :3], what, tolerance=1e-4)


@SHOWN.check("gradients")
def sentence_gradient(answer, rng):
    names = "tokens", "embed", "places", "W_q", "W_k", "W_v", "pad"
    args = dict(zip(names, sentence_arguments(rng)))
    args |= {name: args[name] / 2 for name in names[1:-1]}
    expect_gradients(answer, "nats_per_token", args, rng)


# --- e ---------------------------------------------------------------------

SOURCE = np.array([[0, 1, 4, 4], [2, 0, 1, 4]])  # 4 is padding, 0 a word
REAL = SOURCE != 4


@LOST.check("worked sentences, two layers each side")
def lost_by_hand(answer, rng):
    # Maps of 0: each call adds the mean of what it may attend to. Let m be
    # the mean of the real source tokens. Encoder: each token adds m, then
    # 2 m; the mean is 4 m. Decoder: written is one token t over and over:
    # t doubles, + 4 m; doubles, + 4 m: 4 t + 12 m.
    written = np.array([[3] * 3, [2] * 3])
    zero = np.zeros((2, 7, 7))
    args = (SOURCE, written, np.eye(5, 7), zero, zero, zero, 4)
    got = answer.call("next_logits", *args)
    word, t = np.eye(5)[SOURCE], 4 * np.eye(5)[written]

    def mean(x, keys, total=None):
        share = keys / (total or keys.sum(axis=1, keepdims=True))
        return (share[:, None] @ x)[:, 0]

    def logits(keys, first, second, total=None, kept=1.0):
        x = word
        for _ in range(2):
            x = x + mean(x, keys, total)[:, None]
        x = x * kept
        read = 2 * mean(x, first, total) + mean(x, second, total)
        return t + read[:, None]

    m = np.array([[1 / 2, 1 / 2, 0, 0, 0], [1 / 3, 1 / 3, 1 / 3, 0, 0]])
    full, nonzero = np.ones((2, 4)), SOURCE != 0
    some = np.tile(REAL.any(axis=0), (2, 1))
    expect_close(
        got,
        t + 12 * m[:, None],
        "logits",
        {
            "the mask is lost on the way to the decoder, which reads the "
            "padding.": logits(REAL, full, full),
            "only the decoder's first layer has the mask; the second one "
            "reads the padding.": logits(REAL, REAL, full),
            "only the decoder's last layer has the mask; the first one "
            "reads the padding.": logits(REAL, full, REAL),
            "the encoder has lost the mask.": logits(full, REAL, REAL),
            "the decoder reads the memory, not the embedded source.": t
            + 3 * m[:, None],
            "x is added to what is read: x = x + ...": np.broadcast_to(
                4 * m[:, None], t.shape
            ),
            "no call has the mask.": logits(full, full, full),
            "the decoder's mask is inverted: True means may attend.": (
                logits(REAL, ~REAL, ~REAL)
            ),
            "setting the padding's memory to zero does not hide it: a score "
            "of 0 has the weight exp(0) = 1.": logits(
                REAL, full, full, kept=REAL[..., None]
            ),
            "the padding still counts in the denominator: mask the scores "
            "before the softmax.": logits(REAL, REAL, REAL, 4),
            "padding is the token `pad`, here 4; you hide token 0.": (
                logits(nonzero, nonzero, nonzero)
            ),
            "the decoder takes token 0 for padding; it is the token `pad`, "
            "here 4.": logits(REAL, nonzero, nonzero),
            "one mask for all sentences: each has its own padding.": (
                logits(REAL, some, some)
            ),
        },
    )


@LOST.check("one map at a time, that lets one token attend to another")
def lost_maps(answer, rng):
    # Source 0 1 2, m its mean; written 3 1 3. A map e_a e_b (times 1000): who
    # holds token a attends to the key with most of token b. All other maps
    # are 0: r is what is written plus its running mean, R that mean of r.
    source, written = np.array([[0, 1, 2, 4]]), np.array([[3, 1, 3]])
    e, m = np.eye(5), np.array([1, 1, 1, 0, 0]) / 3
    running = np.tril(np.ones((3, 3))) / np.array([[1], [2], [3]])
    w = e[written[0]]
    r = w + running @ w
    R, moved = running @ r, w + [e[3], (e[1] + e[3]) / 2, e[1]]
    cases = {
        ("maps", 0): r + R + 2 * (e[0] + 2 * e[1] + e[2] + 2 * m),
        ("maps", 1): r + R + 3 * (3 * m + e[1]),
        ("self_maps", 0): moved + running @ moved + 12 * m,
        ("self_maps", 1): r + r[[0, 1, 1]] + 12 * m,
        ("read_maps", 0): r + R + 2 * (e[1] + 3 * m) + 4 * m,
        ("read_maps", 1): r + R + 8 * m + e[1] + 3 * m,
    }
    for (name, number), want in cases.items():
        given = {x: np.zeros((2, 7, 7)) for x in ("maps", "self_maps")}
        given["read_maps"] = np.zeros((2, 7, 7))
        given[name][number, 0 if name == "maps" else 3, 1] = 1000
        args = source, written, np.eye(5, 7), *given.values(), 4
        got = answer.call("next_logits", *args)
        what = f"{name}[{number}] alone is not 0"
        why = "another map is used in its place: check their order."
        others = [x for x in cases.values() if not np.allclose(x, want)]
        if any(got.shape == (1, 3, 5) and np.allclose(got, x) for x in others):
            raise Wrong(f"{what}: {why}")
        what += " (it maps the queries: x @ W)"
        expect_close(got, want[None], what)


def lost_far(answer):
    """Real words with scores of about -1e7, padding with a higher one."""
    source, written = np.array([[0, 1, 4, 4]]), np.array([[3]])
    args = {k: np.zeros((1, 7, 7)) for k in ("maps", "self_maps", "read_maps")}
    args["read_maps"][0, 3, :2] = -1e7
    got = answer.call(
        "next_logits", source, written, np.eye(5, 7), *args.values(), 4
    )
    # memory e_0 + m and e_1 + m, their mean 2 m; written 2 e_3.
    want = np.array([[[1.0, 1, 0, 2, 0]]])
    why = "padding has weight where the words' scores are about -1e7: it must "
    why += "be masked with minus infinity, before the softmax."
    suspects = {why: np.array([[[0.5, 0.5, 0, 2, 1]]])}
    expect_close(got, want, "scores far below 0", suspects)


def lost_arguments(rng):
    """Random arrays: b 2, j 4, i 3, v 5, w 7; 4 encoder, 3 decoder layers.

    No written token comes twice: among equal ones no map has an effect."""
    maps = [rng.normal(size=(n, 7, 7)) / 7 for n in (4, 3, 3)]
    written = rng.permuted([range(4)] * 2, axis=1)[:, :3]
    return SOURCE, written, rng.normal(size=(5, 7)), *maps, 4


@LOST.check("another padding, and more of it")
def lost_padding(answer, rng):
    source, written, embed, *rest = lost_arguments(rng)
    lost_far(answer)
    before = answer.call("next_logits", source, written, embed, *rest)
    longer = np.concatenate([source, np.full((2, 5), 4)], axis=1)
    got = answer.call("next_logits", longer, written, embed, *rest)
    what = "logits after five more padding tokens"
    expect_close(got, before, what, tolerance=1e-4)
    other = embed + 3 * np.eye(5)[:, 4:] * np.ones(7)
    got = answer.call("next_logits", source, written, other, *rest)
    shaped(before, (2, 3, 5))
    shaped(got, (2, 3, 5))
    many = np.array(
        [[0] * 4 + [1] * 8 + [4]]
    )  # 12 real tokens, see the first check
    zeros = np.zeros((9, 7, 7))
    args = many, np.array([[3]]), np.eye(5, 7), zeros[:7], zeros, zeros, 4
    what = "maps of 0, twelve real tokens, 7 and 9 layers (does each count?)"
    want = np.array([[[511 * 128 / 3, 511 * 256 / 3, 0, 512, 0]]])
    expect_close(answer.call("next_logits", *args), want, what)
    for more, now in ((1, 0), (3, 2)):
        named = (source + more) % 5, (written + more) % 5
        named = *named, np.roll(embed, more, axis=0)
        got_named = answer.call("next_logits", *named, *rest[:3], now)
        what = f"logits when the tokens get other numbers, padding is {now}"
        want = np.roll(before, more, axis=-1)
        expect_close(got_named, want, what, tolerance=1e-4)
    # The padding token's own logit may change, as its vector does.
    what = "logits with another padding vector"
    expect_close(got[..., :4], before[..., :4], what, tolerance=1e-4)


@LOST.check("no token sees a later one")
def lost_future(answer, rng):
    source, written, *rest = lost_arguments(rng)
    before = answer.call("next_logits", source, written, *rest)
    shaped(before, (2, 3, 5))
    other = written.copy()
    other[:, 2] = (other[:, 2] + 1) % 4
    got = answer.call("next_logits", source, other, *rest)
    shaped(got, (2, 3, 5))
    if not np.allclose(got[:, :2], before[:, :2]):
        raise Wrong("a written token sees a later one: the causal mask.")
    longer = np.concatenate([written, written[:, :1]], axis=1)
    got = answer.call("next_logits", source, longer, *rest)
    shaped(got, (2, 4, 5))
    what = "the first three logits when a fourth token is written"
    expect_close(got[:, :3], before, what, tolerance=1e-4)


@LOST.check("gradients")
def lost_gradient(answer, rng):
    args = lost_arguments(rng)
    u = rng.normal(size=(2, 3, 5)) * (np.arange(5) < 4)
    to_embed, *to_maps = answer.vjp("next_logits", args, u)
    if np.abs(to_embed[4]).max() > 0:
        raise Wrong("training would move the vector of the padding token.")
    names = "source", "written", "embed", "maps", "self_maps", "read_maps"
    args = dict(zip((*names, "pad"), args))
    args["embed"] = args["embed"] / 5
    for name, grad in zip(names[3:], to_maps):
        if (np.abs(grad).max(axis=(1, 2)) == 0).any():
            raise Wrong(
                f"some layer of {name} has no effect, or something is "
                "detached on the way: every layer must learn."
            )
    expect_gradients(answer, "next_logits", args, rng)


# --- f ---------------------------------------------------------------------

ARRAYS = tuple(SHAPES)  # in the order of exercise b


def block(answer, x, *pairs, heads=2, allowed=None, hidden=8, **given):
    """The answer with these arrays, x (n, w) or (b, n, w); the other gains
    are 1, all else is 0."""
    one, w = x.ndim == 2, x.shape[-1]
    x = x[None] if one else x
    sizes = block_shapes(w, hidden)
    blank = {k: np.full(s, 1.0 * ("gain" in k)) for k, s in sizes.items()}
    arrays = (blank | dict(pairs) | given).values()
    if allowed is None:
        allowed = np.ones((len(x), 1, x.shape[1]), bool)
    floats = [np.asarray(a, float) for a in (*arrays, x)]
    got = answer.call(encoder_block(w, heads, hidden), *floats, allowed)
    return got[0] if one else got


def block_shapes(w, m):
    """Of the parameters, by name."""
    shapes = {k: (w, w) if k.startswith("W") else w for k in ARRAYS}
    return shapes | {"W_1": (w, m), "b_1": m, "W_2": (m, w)}


def encoder_block(width, heads, hidden):
    """The student's class with these sizes, as a function of its weights."""
    return Module("EncoderBlock", (width, heads, hidden), ARRAYS)


PASS = {"W_v": np.eye(4), "W_o": np.eye(4)}  # value = what comes in


@BLOCK.check("maps of zeros add only the last bias")
def block_of_zeros(answer, rng):
    of_zeros(partial(block, answer))


@BLOCK.check("the first norm, through uniform weights")
def block_first(answer, rng):
    first_of_two(partial(block, answer), PASS)


@BLOCK.check(
    "the second norm, through a feed-forward part that changes nothing"
)
def block_second(answer, rng):
    second_of_two(partial(block, answer))
    of_wide(partial(block, answer, heads=4, hidden=32))


@BLOCK.check("two worked heads under a mask")
def block_heads(answer, rng):
    sign = np.array([[1, 1], [1, -1]])
    units = np.kron(np.kron(sign, sign), sign)[1:4]  # mean 0, variance 1
    _, (_, *maps, _) = tokens_of_heads()
    maps = [units.T / 8 @ W[:3] for W in maps]
    u, x = units[ORDER], (MEAN + SIZE * units)[ORDER]
    W_o = np.roll(np.eye(8), 3, axis=1)
    want, suspects = heads_by_hand(u, maps, W_o, x)
    given = dict(zip(("W_q", "W_k", "W_v"), maps)) | {"W_o": W_o}
    got = block(answer, x, allowed=PERMITTED, hidden=5, **given)
    suspects = {reason: x + added for reason, added in suspects.items()}
    expect_close(got, x + want, "tokens", suspects)


@BLOCK.check("a worked feed-forward part")
def block_feed(answer, rng):
    feed_alone(partial(block, answer))


@BLOCK.check("both parts together")
def block_by_hand(answer, rng):
    together(partial(block, answer), PASS)


@BLOCK.check("a token whose numbers are almost equal")
def block_of_equals(answer, rng):
    of_equals(partial(block, answer), PASS)


def block_arguments(rng, b, n, width, heads, hidden):
    """The class and its arguments by name, far from a ReLU's corner."""
    args = {}
    for key, shape in block_shapes(width, hidden).items():
        args[key] = rng.normal(size=shape) / 4 + 1.0 * ("gain" in key)
    args["b_1"] = 3.0 * (-1) ** np.arange(hidden)
    spread = np.linspace(-2, 2, width)
    args["x"] = spread + rng.normal(size=(b, n, width)) / 2
    lengths = np.arange(n, n - b, -1)
    args["attention_mask"] = np.arange(n) < lengths[:, None, None]
    return encoder_block(width, heads, hidden), args


@BLOCK.check("each sentence as if alone; no token sees a later one")
def block_alone(answer, rng):
    kind, args = block_arguments(rng, 4, 5, 6, 3, 7)
    *weights, x, real = args.values()
    got = answer.call(kind, *weights, x, real)
    expect_as_if_alone(answer, kind, weights, x, real, got)
    past = np.tril(np.ones((4, 5, 5), bool))
    got = answer.call(kind, *weights, x, past)
    other = x.copy()
    other[:, 3:] += rng.normal(size=(4, 2, 6))
    after = answer.call(kind, *weights, other, past)
    what = "the first three tokens under a causal mask, after later ones"
    expect_close(after[:, :3], got[:, :3], f"{what} have changed")


@BLOCK.check("nothing counts but parameters and arguments")
def block_steady(answer, rng):
    kind, args = block_arguments(rng, 4, 5, 6, 3, 7)
    steady(answer, kind, args)
    none = ("W_o", "W_2", "b_2")
    zero = args | {k: np.zeros_like(args[k]) for k in none}
    got = answer.call(kind, *zero.values())
    expect_close(got, args["x"], "tokens where W_o, W_2 and b_2 are 0")


@BLOCK.check("scores beyond 1000")
def block_large(answer, rng):
    kind, args = block_arguments(rng, 4, 5, 6, 3, 7)
    args["W_q"] = 10_000 * args["W_q"]
    expect_finite(answer.call(kind, *args.values()))
    # Three tokens with mean 0 and variance 1, orthogonal; 10^4 times as
    # large, so that the norm's epsilon does not count.
    units = np.array([[1, -1] * 6, [1, 1, -1, -1] * 3, [1, -1, -1, 1] * 3])
    x, allowed = 1e4 * units[None], FAR_PERMITTED[None]

    def run(*maps):
        maps = (units.T / 12 @ W for W in maps)
        given = dict(zip(("W_q", "W_k", "W_v"), maps), W_o=np.eye(12))
        got = block(answer, x, heads=4, allowed=allowed, hidden=5, **given)
        return (shaped(got, (1, 3, 12)) - x)[0]

    expect_far(run)
    # Heads of width 4, equal scores of -1.2e7, forbidden ones 0.
    W_q = np.tile(np.pad(-2.4e7 * FAR_PERMITTED, [(0, 0), (0, 1)]), 3)
    W_k, ones = np.tile(np.eye(3, 4), 3), np.repeat([1, 2, 3], 4)
    maps = (units.T / 12 @ W for W in (W_q, W_k, ones * W_k))
    given = dict(zip(("W_q", "W_k", "W_v"), maps), W_o=np.eye(12))
    got = block(answer, x, heads=3, allowed=allowed, hidden=5, **given)
    shares = np.pad(normal(FAR_PERMITTED * 1.0), [(0, 0), (0, 1)])
    want = ones * np.tile(shares, 3)
    if not np.allclose(shaped(got, (1, 3, 12)) - x, want, atol=1e-4):
        raise Wrong.fixed(
            "equal permitted scores of -1.2e7, forbidden ones 0: a forbidden "
            "score must be minus infinity, not some low number."
        )


@BLOCK.check("gradients of x and of every parameter")
def block_gradients(answer, rng):
    kind, args = block_arguments(rng, 2, 3, 4, 2, 5)
    steady(answer, kind, args)
    expect_gradients(answer, kind, args, rng)
