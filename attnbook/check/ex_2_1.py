"""Visible checks of chapter 2.1's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    expect_same_for_integers,
    shaped,
)

CROSS = Exercise("2_1.a", "Two sequences", ("cross_attention",), "torch")
BATCH = Exercise("2_1.b", "In NumPy, for a batch", ("batched_attention",))
SHARP = Exercise("2_1.c", "How sharp?", ("needed_score",))
LAYER = Exercise(
    "2_1.d",
    "The wrong way",
    ("self_attention_layer",),
    "torch",
    all_or_nothing=True,
)
SHUFFLE = Exercise(
    "2_1.e",
    "A shuffle",
    ("largest_change", "prediction"),
    predict=("nothing", "their order", "their values"),
)
EXERCISES = [CROSS, BATCH, SHARP, LAYER, SHUFFLE]

LN3 = np.log(3.0)
# Scores of the worked examples, in units of ln 3: a number of the query times
# a number of the key. Their powers of 3, worked by hand, are the weights but
# for each row's sum.
ASKS = np.array([[1, 0, 2, -1, 1], [2, 1, 0, 1, -2]])
KEYS = np.array([[0, 1, 2], [1, 0, 2]])
SCORES = ASKS[:, :, None] * KEYS[:, None, :]
POWERS = np.array(
    [
        [[1, 3, 9], [1, 1, 1], [1, 9, 81], [9, 3, 1], [1, 3, 9]],
        [[9, 1, 81], [3, 1, 9], [1, 1, 1], [3, 1, 9], [9, 81, 1]],
    ]
)
WEIGHTS = POWERS / POWERS.sum(axis=-1, keepdims=True)
QUERIES_AXIS = (
    "the softmax runs over the queries; each query's weights over the keys "
    "must sum to 1."
)
SUBTRACT = (
    "the largest score is taken over the {}, so the keys of one row lose "
    "different amounts; take it over the keys."
)
WHOLE_ROOT = "the root of d is cut to a whole number."


def shares(scores, axis=-1):
    """Powers of 3 of these scores, divided by their sum over an axis."""
    powers = 3.0**scores
    return powers / powers.sum(axis=axis, keepdims=True)


def weight_suspects(scores, **widths):
    """Known wrong weights for d = 16; widths are named scales' squares."""
    out = {
        QUERIES_AXIS: shares(scores, -2),
        "the scores are not divided by sqrt(d).": shares(4 * scores),
        "the scores are divided by d, not by sqrt(d).": shares(scores / 4),
        "these are exponentials, not yet divided by their sum over the "
        "keys.": 3.0**scores,
        "these are scores; the softmax is missing.": LN3 * scores,
        "all weights of an example share one sum; each query has its own.": (
            shares(scores, (-2, -1))
        ),
        SUBTRACT.format("queries"): shares(
            scores - scores.max(-2)[..., None, :]
        ),
    }
    if scores.ndim == 3:
        out["the softmax runs over the batch; it must run over the keys."] = (
            shares(scores, 0)
        )
        out[SUBTRACT.format("batch")] = shares(scores - scores.max(0))
    for name, width in widths.items():
        said = (
            f"the scores are divided by the root of {name.replace('_', ' ')}; "
            "the dot product has d terms, so it is sqrt(d)."
        )
        out[said] = shares(4 / width**0.5 * scores)
    return out


def in_order(sums, weights, want):
    """Wrong if the two results have each other's shape."""
    if sums.shape == want[1] and weights.shape == want[0]:
        raise Wrong("return the sums first, then the weights.")


def expect_sums(sums, weights, e):
    """The values are unit vectors: sums must be weights, then zeros."""
    zeros = np.zeros((*weights.shape[:-1], e - weights.shape[-1]))
    what = "sums (the sum must use the weights that you return)"
    expect_close(sums, np.concatenate([weights, zeros], axis=-1), what)


@CROSS.check("a worked example, all sizes different")
def cross_by_hand(answer, rng):
    # b, i, j, w, u, d, e = 2, 5, 3, 6, 7, 16, 8
    x, y = rng.normal(size=(2, 5, 6)), rng.normal(size=(2, 3, 7))
    x[:, :, 2], y[:, :, 4], y[:, :, :3] = ASKS, KEYS, np.eye(3)
    W_Q, W_K, W_V = np.zeros((6, 16)), np.zeros((7, 16)), np.zeros((7, 8))
    W_Q[2, 9], W_K[4, 9], W_V[:3, :3] = 1, 4 * LN3, np.eye(3)
    args = (x, y, W_Q, W_K, W_V)
    sums, weights = answer.call("cross_attention", *args, parts=2)
    in_order(sums, weights, ((2, 5, 8), (2, 5, 3)))
    widths = {"the width w of x": 6, "the width u of y": 7}
    widths |= {"the value width e": 8, "the number of keys j": 3}
    suspects = weight_suspects(SCORES, **widths)
    expect_close(weights, WEIGHTS, "weights", suspects)
    if sums.shape == (2, 5, 16):
        raise Wrong("you summed keys; the weighted sum takes the values y W_V.")
    if sums.shape == (2, 5, 7):
        raise Wrong("you summed y itself; the values are y W_V.")
    expect_sums(sums, WEIGHTS, 8)
    y[1, :, :3] *= -2
    sums, _ = answer.call("cross_attention", *args, parts=2)
    what = "sums of the second example, its values times -2"
    said = "the values are those of the first example."
    want, first = WEIGHTS[1] * -2, WEIGHTS[1]
    got = shaped(sums, (2, 5, 8), what)[1, :, :3]
    expect_close(got, want, what, {said: first})


@CROSS.check("who asks whom: two sequences of one shape")
def cross_roles(answer, rng):
    # w = u = 3, i = j = 2, so that an exchange of x and y cannot fail by shape
    x, y = np.eye(2, 3), np.array([[0.0, 0, 1], [1, 1, 0]])
    form = np.array([[1, 0, 0], [2, 0, 0], [0, 0, 1]])  # W_Q W_K^T / (4 ln 3)
    W_Q, W_K, W_V = np.eye(3, 16), np.zeros((3, 16)), np.eye(3, 5)
    W_K[:, :3] = 4 * LN3 * form.T
    args = (x[None], y[None], W_Q, W_K, W_V)
    sums, weights = answer.call("cross_attention", *args, parts=2)
    right = np.array([[1 / 4, 3 / 4], [1 / 10, 9 / 10]])  # scores 0 1, 0 2
    suspects = {
        "the keys come from x in yours; they must come from y.": x @ form @ x.T,
        "the queries come from y in yours; they must come from x.": (
            y @ form @ y.T
        ),
        "x and y have each other's roles: x asks (queries), y is asked "
        "(keys).": y @ form @ x.T,
        "W_Q and W_K are exchanged: q = x W_Q, k = y W_K.": x @ form.T @ y.T,
        "row i of the weights must belong to query i; yours is turned "
        "around.": y @ form.T @ x.T,
    }
    suspects = {said: shares(s)[None] for said, s in suspects.items()}
    expect_close(weights, right[None], "weights", suspects)
    want = [[0.75, 0.75, 0.25, 0, 0], [0.9, 0.9, 0.1, 0, 0]]
    said = "the values come from x in yours; they are y W_V."
    of_x = np.concatenate([right, np.zeros((2, 3))], axis=1)
    expect_close(sums, [want], "sums", {said: [of_x]})
    # d = 7, and all scores 40 lower, which changes no weight: in both rows of
    # y the first and the last number sum to 1.
    form = form - np.outer([1, 1, 0], [40 / LN3, 0, 40 / LN3])
    W_Q, W_K = np.eye(3, 7), np.zeros((3, 7))
    W_K[:, :3] = 7**0.5 * LN3 * form.T
    args = (x[None], y[None], W_Q, W_K, [-3, 3, -3, 1, 1] * W_V)
    sums, weights = answer.call("cross_attention", *args, parts=2)
    x_7 = 3 ** (7**0.5 / 2 * np.array([1, 2]))
    cut = np.stack([1 / (1 + x_7), x_7 / (1 + x_7)], axis=1)
    what = "weights for d = 7, all scores 40 lower"
    expect_close(weights, right[None], what, {WHOLE_ROOT: cut[None]})
    want = np.array([want]) * [-3, 3, -3, 1, 1]
    expect_close(sums, want, "sums of values of both signs, up to 3")


@CROSS.check("gradients reach both sequences and all three maps")
def cross_gradients(answer, rng):
    sizes = [(2, 4, 3), (2, 5, 7), (3, 6), (7, 6), (7, 8)]
    names = ("x", "y", "W_Q", "W_K", "W_V")
    args = {k: rng.normal(size=s) / 2 for k, s in zip(names, sizes)}
    expect_gradients(answer, "cross_attention", args, rng, 2)


def call_batched(answer, q, k, v):
    """Sums and weights; an error says more about the axes."""
    try:
        return answer.call("batched_attention", q, k, v, parts=2)
    except Wrong as wrong:
        words = "shape", "ax", "dimension", "broadcast", "subscript", "matmul"
        said = str(wrong).partition(" raised ")[2].partition("(argum")[0]
        if not any(word in said.lower() for word in words):
            raise
        raise Wrong(
            f"{wrong} Any number of axes may stand in front: swap only the "
            "last two axes of k (-2 and -1; `.T` reverses all of them), count "
            "axes from the end everywhere, and keep the axis of a maximum or "
            "a sum (keepdims=True)."
        ) from None


def expect_nothing_added(weigh):
    """Wrong if a number is added to a sum of exponentials, or if small
    weights are cut off; weigh(scores) of two keys gives their weights."""
    got = shaped(weigh(np.array([[0.0, -25]])), (1, 2), "weights of two keys")
    what = (
        "a weight of 1 / (exp(25) + 1), times that number (nothing may be cut "
        "off, nor added to a sum)"
    )
    expect_close(got[0, 1] * (np.exp(25.0) + 1), 1.0, what, tolerance=1e-4)
    got = shaped(weigh(np.array([[-3.0]])), (1, 1), "weights of one key")
    what = "one key alone gets all the weight (nothing is added to a sum)"
    expect_close(got, np.ones((1, 1)), what, tolerance=1e-9)


def finished():
    """q, k, v of the worked example: (2, 5, 16), (2, 3, 16), (2, 3, 8)."""
    q, k = np.zeros((2, 5, 16)), np.zeros((2, 3, 16))
    q[:, :, 9], k[:, :, 9] = ASKS, 4 * LN3 * KEYS
    return q, k, np.tile(np.eye(3, 8), (2, 1, 1))


@BATCH.check("one example, no axis in front")
def batched_by_hand(answer, rng):
    q, k, v = (part[1] for part in finished())
    sums, weights = call_batched(answer, q, k, v)
    in_order(sums, weights, ((5, 8), (5, 3)))
    widths = {"the value width e": 8, "the number of keys j": 3}
    suspects = weight_suspects(SCORES[1], **widths)
    expect_close(weights, WEIGHTS[1], "weights", suspects)
    if sums.shape == (5, 16):
        raise Wrong("you summed keys; the weighted sum takes the values v.")
    expect_sums(sums, WEIGHTS[1], 8)
    q, k = q[:, 6:13], 7**0.5 / 4 * k[:, 6:13]
    _, weights = call_batched(answer, q, k, v)
    cut = {WHOLE_ROOT: shares(SCORES[1] * 7**0.5 / 2)}
    expect_close(weights, WEIGHTS[1], "weights for d = 7", cut)
    expect_nothing_added(
        lambda scores: call_batched(
            answer,
            np.eye(1, 4),
            2 * np.pad(scores.T, [(0, 0), (0, 3)]),
            v[: scores.size],
        )[1]
    )


@BATCH.check("a batch of two")
def batched_three_axes(answer, rng):
    sums, weights = call_batched(answer, *finished())
    expect_close(weights, WEIGHTS, "weights", weight_suspects(SCORES))
    expect_sums(sums, WEIGHTS, 8)
    whole = np.arange(42).reshape(2, 7, 3) % 5 - 4
    whole[:, :, 1] += 6
    q, k, v = np.ones((2, 4, 6)), np.ones((2, 7, 6)), whole * 1.0
    sums, weights = call_batched(answer, q, k, v)
    what = "for seven keys alike"
    expect_close(weights, np.full((2, 4, 7), 1 / 7), f"weights {what}")
    mean = np.repeat(v.mean(axis=1)[:, None], 4, axis=1)
    expect_close(sums, mean, f"sums {what}: means of the values")
    args = (q.astype(int), k.astype(int), whole)
    expect_same_for_integers(answer, "batched_attention", args, 2)


def expect_alone(answer, q, k, v, what):
    """Each example must get in the batch what it gets alone."""
    sums, weights = call_batched(answer, q, k, v)
    front = q.shape[:-2]
    alone = [
        call_batched(answer, q[spot], k[spot], v[spot])
        for spot in np.ndindex(front)
    ]
    for got, part, name in ((weights, 1, "weights"), (sums, 0, "sums")):
        want = np.array([pair[part] for pair in alone])
        want = want.reshape(*front, *want.shape[1:])
        expect_close(got, want, f"{what}: {name}")


@BATCH.check("three axes in front: each example as if alone")
def batched_five_axes(answer, rng):
    sizes = [(2, 1, 3, 5, 4), (2, 1, 3, 7, 4), (2, 1, 3, 7, 6)]
    args = [rng.normal(size=s) for s in sizes]
    expect_alone(answer, *args, "three axes in front")


@BATCH.check("a cube of keys, where no wrong transpose fails by itself")
def batched_cube(answer, rng):
    q, k, v = (rng.normal(size=s) for s in [(3, 2, 3), (3, 3, 3), (3, 3, 5)])
    what = "b = j = d = 3 (swap only the last two axes of k; `.T` and others "
    expect_alone(answer, q, k, v, what + "mix examples)")


@BATCH.check("scores of 1000 and -1000")
def batched_large(answer, rng):
    t, q, v = np.exp(-1.0), 2 * np.eye(2, 4), np.eye(5, 3)
    rows = np.full((2, 5), -1e3)  # the fourth and fifth weight are 0
    rows[0, :2], rows[1, 1], rows[1, 3:] = [1e3, 999], -1001, -2e3
    want = np.array([[1, t, 0, 0, 0], [1, t, 1, 0, 0]])
    want /= [[1 + t], [2 + t]]
    k = np.zeros((5, 4))
    k[:, :2] = rows.T  # d = 4, and q = 2: score i, j is rows[i, j]
    _, got = call_batched(answer, q / 1000, k, v)
    what = "scores from -2 to 1 (wrong already; see the checks above)"
    expect_close(got, shares(rows / 1000 / LN3), what)
    lost = (
        "exp overflows to infinity: subtract each row's largest score before "
        "exp (Eq. 1.2.8).",
        "a row whose largest score is -1000 underflows to 0/0: subtract the "
        "largest score itself, not its absolute value, nor a constant.",
    )
    clipped = "large scores are clipped: 1000 and 999 must not get the same "
    clipped += "weight. Subtract each row's largest score instead."
    suspects = {clipped: [[0.5, 0.5, 0, 0, 0]]}
    for i in (0, 1):
        _, got = call_batched(answer, q[i : i + 1], k, v)
        shaped(got, (1, 5), "weights of one query")
        if not np.isfinite(got).all() or not got.any():
            raise Wrong(lost[i])
        expect_close(got, want[i : i + 1], "one query", suspects)
    # in the second example the two queries have changed places
    batch = np.stack([q, q[::-1]]), np.stack([k, k]), np.stack([v, v])
    for args, right in (
        ((q, k, v), want),
        (batch, np.stack([want, want[::-1]])),
    ):
        _, got = call_batched(answer, *args)
        shaped(got, right.shape, "weights")
        if not np.isfinite(got).all() or not got.any(axis=-1).all():
            raise Wrong(
                "one maximum for several rows: beside a row with 1000 one "
                "with -1000 underflows to 0/0. Each row has its own largest."
            )
        expect_close(got, right, "weights")


@SHARP.check("worked values")
def sharp_by_hand(answer, rng):
    # The odds of 0.9 are 9, times 4 other keys: 36.
    expect_close(
        answer.call("needed_score", 0.9, 5),
        np.log(36.0),
        "weight 0.9 among 5",
        {
            "the other n - 1 keys are missing: each of them adds exp(0) = 1 "
            "to the denominator.": 2 * LN3,
            "there are n - 1 other keys, not n.": np.log(45.0),
            "there are n - 1 other keys, not n + 1.": np.log(54.0),
            "the weight p does not enter; its odds p / (1 - p) do.": np.log(4),
            "the odds are p / (1 - p), not p.": np.log(3.6),
            "the odds are p / (1 - p), not 1 / (1 - p).": np.log(40.0),
            "that is exp(beta); take its logarithm.": 36.0,
            "the sign is reversed: a larger p needs a larger score.": -np.log(
                36.0
            ),
            "the odds are upside down: p / (1 - p).": np.log(4 / 9),
            "the n - 1 multiplies the odds; it does not divide them.": np.log(
                9 / 4
            ),
            "the n - 1 multiplies the odds; it is not added.": np.log(13.0),
            "the n - 1 belongs inside the logarithm.": 8 * LN3,
            "nothing is added to the odds before the logarithm.": np.log(37.0),
            "use the natural logarithm, not base 2: exp is its inverse.": (
                np.log2(36.0)
            ),
            "use the natural logarithm, not base 10: exp is its inverse.": (
                np.log10(36.0)
            ),
        },
    )


@SHARP.check("the average needs no score; less needs a negative one")
def sharp_corners(answer, rng):
    for n in (2, 7, 50):
        got = answer.call("needed_score", 1 / n, n)
        expect_close(got, 0.0, f"weight 1/{n} among {n}")
    said = "a key with less than 1/n has a negative score; yours is "
    got = answer.call("needed_score", 0.25, 28)
    expect_close(got, 2 * LN3, "weight 0.25 among 28")
    got = answer.call("needed_score", 0.1, 2)
    suspects = {said + "cut at 0.": 0.0, said + "positive.": 2 * LN3}
    expect_close(got, -2 * LN3, "weight 0.1 among 2", suspects)


@SHARP.check("put back into Equation 2.1.10")
def sharp_back(answer, rng):
    p, n = rng.uniform(0.02, 0.98, size=6), int(rng.integers(20, 90))
    small = answer.call("needed_score", np.array([1e-12, 1 - 2.0**-20]), 2)
    want = np.log([1e-12, 2.0**20 - 1])
    got = answer.call("needed_score", 0.5, 5001)
    what = "weight 0.5 among 5,001 (is there a limit to n?)"
    expect_close(got, np.log(5000), what)
    expect_close(small, want, "weights near 0 and near 1, of two")
    got = shaped(answer.call("needed_score", p, n), (6,))
    found = 1 / (1 + (n - 1) * np.exp(-np.clip(got, -99, 99)))
    expect_close(found, p, f"the weights that your scores give, among {n}")


@LAYER.check("a worked example")
def layer_by_hand(answer, rng):
    # b, n, w, d, e = 2, 3, 5, 16, 7; queries are the first three of SCORES
    x = np.zeros((2, 3, 5))
    x[:, :, 0], x[:, :, 1], x[:, :, 2:] = ASKS[:, :3], KEYS, np.eye(3)
    W_Q, W_K, W_V = np.zeros((5, 16)), np.zeros((5, 16)), np.zeros((5, 7))
    W_Q[0, 9], W_K[1, 9], W_V[2:, :3] = 1, 4 * LN3, np.eye(3)
    sums, weights = answer.call(
        "self_attention_layer", x, W_Q, W_K, W_V, parts=2
    )
    in_order(sums, weights, ((2, 3, 7), (2, 3, 3)))
    s, flip = SCORES[:, :3], SCORES[:, :3].swapaxes(1, 2)
    columns = shares(s, 1)
    suspects = weight_suspects(s, the_value_width_e=7, the_model_width_w=5) | {
        "these are the old weights turned around (or q and k exchanged): "
        "each row belongs to a key. Take the softmax over the keys.": shares(
            flip
        ),
        "the softmax over the queries comes first, and dividing again does "
        "not undo it. Take the softmax over the keys.": columns
        / columns.sum(axis=2, keepdims=True),
        "that is a sigmoid of each score; the keys of a query must share a "
        "total of 1.": 1 / (1 + 3.0**-s),
    }
    expect_close(weights, WEIGHTS[:, :3], "weights", suspects)
    expect_sums(sums, WEIGHTS[:, :3], 7)


@LAYER.check("equal values come through unchanged")
def layer_average(answer, rng):
    x, W_V = rng.normal(size=(2, 5, 3)), rng.normal(size=(3, 6))
    x[:, :, 2], W_V[:2] = [[2.0], [-1.0]], 0  # v is the same for all rows
    maps = rng.normal(size=(2, 3, 4))
    sums, _ = answer.call("self_attention_layer", x, *maps, W_V, parts=2)
    want = np.array([2.0, -1.0])[:, None, None] * np.tile(W_V[2], (1, 5, 1))
    expect_close(sums, want, "the average of equal values is that value")
    x, W_V = rng.normal(size=(2, 8, 3)), rng.normal(size=(3, 6))
    order = np.array([5, 0, 7, 2, 1, 6, 4, 3])
    call = answer.call
    sums, weights = call("self_attention_layer", x, *maps, W_V, parts=2)
    shaped(sums, (2, 8, 6), "sums of eight rows")
    shaped(weights, (2, 8, 8), "weights of eight rows")
    got = call("self_attention_layer", x[:, order], *maps, W_V, parts=2)
    what = "of eight rows in another order (they must follow)"
    expect_close(got[1], weights[:, order][:, :, order], f"weights {what}")
    expect_close(got[0], sums[:, order], f"sums {what}")
    longer = np.concatenate([x, x], axis=1)  # each key twice: half the weight
    sums_2, halves = call("self_attention_layer", longer, *maps, W_V, parts=2)
    what = "of eight rows, each of them twice"
    twice = np.tile(weights / 2, (1, 2, 2))
    expect_close(halves, twice, f"weights {what}")
    expect_close(sums_2, np.tile(sums, (1, 2, 1)), f"sums {what}")


@LAYER.check("gradients reach the input and all three maps")
def layer_gradients(answer, rng):
    sizes = [(2, 5, 3), (3, 4), (3, 4), (3, 6)]
    names = ("x", "W_Q", "W_K", "W_V")
    args = {k: rng.normal(size=s) / 2 for k, s in zip(names, sizes)}
    expect_gradients(answer, "self_attention_layer", args, rng, 2)


@SHUFFLE.check("without places the outputs are shuffled alike")
def shuffle_without(answer, rng):
    x, order = rng.normal(size=(7, 4)), np.array([2, 0, 1, 6, 3, 4, 5])
    maps = [rng.normal(size=s) for s in [(4, 5), (4, 5), (4, 3)]]
    got = answer.call("largest_change", x, np.zeros((7, 4)), *maps, order)
    what = "no places; before you subtract, the first outputs must be brought "
    expect_close(got, 0.0, what + "into the same order")


FOLLOW = np.array([1, 2, 3, 4, 0])  # whom each of five places looks at
MARKS = np.array([0.75, -1.5, 2, 0, 1.5])  # value of each place's mark
ROWS = np.array([[0, 1], [2, -5], [-1, 6], [5, 4], [-3, -1]]) / 2
TO_VALUES = np.array([[2, 0, 1], [0, 2, 0]])


def shuffle_suspects(order, sign):
    """The largest change, and (reason, wrong number) of each known fault."""

    def outputs(rows):
        return sign * (rows @ TO_VALUES + np.outer(MARKS, [0, 0, 1]))[FOLLOW]

    before, after = outputs(ROWS), outputs(ROWS[order])
    backwards, inverse = outputs(ROWS[::-1]), np.argsort(order)
    mean = sign * (ROWS @ TO_VALUES).mean(axis=0)  # no place, no preference
    gap = after - before[order]
    size = np.abs(gap)
    by_row, by_column = size.max(axis=1), size.max(axis=0)
    smallest = "take absolute values; this is the smallest difference."
    part = "that is the largest of one {}; take it over all entries."
    late = "the places are added to the outputs; add them to the inputs."
    total = "that is the sum of the differences{}, not the largest."
    once = "the places are added in one of two calls; add them in both."
    unused = "the rows are turned round; it is `order` that shuffles them."
    return size.max(), [
        (
            "0 although places were added: they are missing, or they wander "
            "along with the rows (shuffle x, then add places), or it is not "
            "entry by entry that the outputs are compared.",
            0.0,
        ),
        ("take absolute values; the largest change is negative.", gap.max()),
        ("take absolute values; the largest change is negative.", -gap.min()),
        (smallest, gap.min()),
        (smallest, -gap.max()),
        (part.format("row"), by_row[0]),
        (part.format("row"), by_row[-1]),
        (part.format("column"), by_column[0]),
        (part.format("column"), by_column[-1]),
        ("take the largest row, not the smallest.", by_row.min()),
        (
            "that is the largest minus the smallest; take absolute values.",
            np.ptp(gap),
        ),
        (late, np.abs(MARKS[order] - MARKS).max()),
        (late, 1.0),  # as many of their columns as fit
        ("that is the mean of the differences, not the largest.", size.mean()),
        (total.format(""), size.sum()),
        (total.format(" of a row"), size.sum(axis=1).max()),
        (total.format(" of a column"), size.sum(axis=0).max()),
        (
            "that is the length of a row of differences, not the largest "
            "entry.",
            np.linalg.norm(gap, axis=1).max(),
        ),
        ("that is the length of all differences.", np.linalg.norm(gap)),
        (
            "that is the root of the mean square, not the largest.",
            np.sqrt((gap**2).mean()),
        ),
        ("that is the median, not the largest.", np.median(size)),
        ("take the largest row, not their mean.", by_row.mean()),
        (
            "that is the largest square, not the largest difference.",
            (size**2).max(),
        ),
        (
            "subtract first, then take absolute values.",
            np.abs(np.abs(after) - np.abs(before[order])).max(),
        ),
        (
            "sorted outputs are compared; compare them in `order`.",
            np.abs(np.sort(after, 0) - np.sort(before, 0)).max(),
        ),
        (once, np.abs(after - mean).max()),
        (once, np.abs(before - mean).max()),
        (
            "x is shuffled by the inverse order: x[order] is asked for.",
            np.abs(outputs(ROWS[inverse]) - before[inverse]).max(),
        ),
        (unused, np.abs(backwards - before[::-1]).max()),
        (unused, np.abs(backwards - before[order]).max()),
        (
            "the first outputs were not brought into the new order.",
            np.abs(after - before).max(),
        ),
        (
            "the first outputs are in the inverse order, or the second were "
            "shuffled again: index the first, and only them, with the `order` "
            "that shuffled x.",
            np.abs(after[order] - before).max(),
        ),
        (
            "you compare inputs; the outputs of attention are asked for.",
            np.abs(ROWS[order] - ROWS).max(),
        ),
    ]


@SHUFFLE.check("with places: everyone looks at the next place")
def shuffle_with(answer, rng):
    # The query of place i matches the key of place i + 1 alone (score 200).
    # So the output there is the value of whoever stands in place i + 1.
    x, places = np.zeros((2, 5, 8))
    x[:, :2], places[:, 2:7] = ROWS, np.eye(5)
    W_Q, W_K, W_V = np.zeros((8, 4)), np.zeros((8, 4)), np.zeros((8, 3))
    angle = 2 * np.pi * np.arange(5) / 5
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    W_Q[2:7, :2], W_K[2:7, :2] = 600 * ring[FOLLOW], ring
    W_V[:2], W_V[2:7, 2] = TO_VALUES, MARKS
    orders = np.array([[3, 0, 4, 1, 2], [2, 4, 1, 0, 3]])
    # A reason is given only if it fits all of these.
    cases = [(orders[0], 1), (orders[0], -1), (orders[1], 1)]
    found = []
    for order, sign in cases:
        args = (x, places, W_Q, W_K, sign * W_V, order)
        found.append(answer.call("largest_change", *args))
        if found[-1].size > 1:
            raise Wrong("return one number, the largest over all entries.")
        shaped(found[-1], (), "the largest change")
    known = [shuffle_suspects(order, sign) for order, sign in cases]
    what = "five rows, each looks at the next place"
    want = [right for right, _ in known]
    if not np.allclose(found, want):
        for reasons in zip(*(wrong for _, wrong in known)):
            if np.allclose(found, [value for _, value in reasons]):
                raise Wrong(f"{what}: {reasons[0][0]}")
    for got, right in zip(found, want):
        expect_close(got, right, what)
    args = (x, places, W_Q, W_K, 0.123456 * W_V[:, [0, 2, 1]], orders[0])
    got = answer.call("largest_change", *args)
    what = "the same, all values 0.123456 times as large"
    expect_close(got, 0.123456 * want[0], what)


@SHUFFLE.check("no shuffle, no change")
def shuffle_identity(answer, rng):
    x, places = rng.normal(size=(2, 6, 4))
    maps = [rng.normal(size=s) for s in [(4, 3), (4, 3), (4, 2)]]
    got = answer.call("largest_change", x, places, *maps, np.arange(6))
    what = "order 0, 1, ..., 5, with places (added in both calls?)"
    expect_close(got, 0.0, what)
