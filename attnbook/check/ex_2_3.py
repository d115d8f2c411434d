"""Visible checks of chapter 2.3's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Module,
    Wrong,
    expect_close,
    expect_gradients,
    expect_same_for_integers,
    expect_shape,
    shaped,
)

MASK = Exercise("2_3.a", "A decoder's mask", ("decoder_mask",), "torch")
HEADS = Exercise("2_3.b", "Multi-head attention", ("multi_head",))
COUNT = Exercise("2_3.c", "Grouped queries", ("grouped_parameters",))
SPLIT = Exercise(
    "2_3.d", "Split heads", ("self_attend",), "torch", all_or_nothing=True
)
STACK = Exercise(
    "2_3.e", "Longer padding", ("stack",), "torch", all_or_nothing=True
)
MODULE = Exercise("2_3.f", "A module", ("MultiHead",), "torch")
EXERCISES = [MASK, HEADS, COUNT, SPLIT, STACK, MODULE]

LN3 = np.log(3.0)


def bits(text):
    """Rows of 0 and 1, one word a row."""
    return np.array([[int(c) for c in row] for row in text.split()])


def normal(x, axis=-1):
    """Divided by its sum over one axis."""
    return x / x.sum(axis=axis, keepdims=True)


# --- a ---------------------------------------------------------------------


def booleans(answer, lengths, n):
    mask = answer.call("decoder_mask", np.array(lengths), n)
    if mask.dtype.kind != "b":
        raise Wrong(
            f"a mask holds booleans, yours {mask.dtype}: comparisons give "
            "them; numbers to add to the scores are another convention."
        )
    return mask


@MASK.check("lengths 2 and 3 of 4")
def mask_by_hand(answer, rng):
    want = np.array([bits("1000 1100 1100 1100"), bits("1000 1100 1110 1110")])
    past, real = bits("1000 1100 1110 1111"), bits("1100 1110")
    keys, queries = real[:, None] + np.zeros((2, 4, 4)), real[:, :, None]
    expect_close(
        booleans(answer, [2, 3], 4),
        want,
        "the mask",
        {
            "it is inverted: True must mean may attend.": 1 - want,
            "one key too many: a sentence of length 2 has no third key.": [
                bits("1000 1100 1110 1110"),
                bits("1000 1100 1110 1111"),
            ],
            "a query may attend to itself too: j <= i, not j < i.": [
                bits("0000 1000 1100 1100"),
                bits("0000 1000 1100 1110"),
            ],
            "you masked the queries in the padding, which are left with no "
            "key at all: only a key's padding counts.": past * queries,
            "this is the upper triangle, it permits the future: rows are "
            "queries, columns keys.": past.T * keys,
            "a key must be permitted by both conditions: and, not or.": (
                np.maximum(past, keys)
            ),
            "only the padding is masked; the future is not.": keys,
            "only the padding is masked, the future is not; and every query "
            "needs its own row.": real[:, None],
            "only the future is masked; the padding is not.": [past, past],
            "the padding is missing, and with it the axis of examples: each "
            "sentence has its own length.": past,
            "both examples are masked by one length.": [want[1], want[1]],
            "the sentences are padded on the right, not on the left.": past
            * real[:, None, ::-1],
        },
    )


@MASK.check("how many keys each query has")
def mask_counts(answer, rng):
    got = booleans(answer, [7, 1, 4], 7)
    want = [[1, 2, 3, 4, 5, 6, 7], [1] * 7, [1, 2, 3, 4, 4, 4, 4]]
    said = "the lengths were sorted; each sentence keeps its own."
    expect_close(
        got.sum(axis=-1),
        want,
        "lengths 7, 1, 4 of 7: keys a query",
        {said: [want[1], want[2], want[0]]},
    )
    got = booleans(answer, [300, 130], 300)
    keys = np.minimum(np.arange(1, 301), [[300], [130]])
    what = "300 tokens: keys a query (is there a limit, or a number too small?)"
    expect_close(got.sum(axis=-1), keys, what)
    got = booleans(answer, [1, 3, 5, 2, 4], 5)
    past = bits("10000 11000 11100 11110 11111")
    real = bits("10000 11100 11111 11000 11110")
    said = "the lengths go with the queries in yours, not with the examples."
    expect_close(
        got,
        past * real[:, None],
        "five sentences of up to five tokens",
        {said: np.tile(past * real, (5, 1, 1))},
    )


# --- b ---------------------------------------------------------------------

ALLOWED = bits("1101 1110 0111").astype(bool)  # (i, j)
POWERS = np.array(  # (heads, i, j): scores are these multiples of ln 3
    [
        [[1, 0, 2, 0], [0, 1, 0, 1], [2, 0, 0, 1]],
        [[0, 2, 1, 0], [1, 0, 0, 2], [0, 0, 1, 1]],
    ]
)


def worked(scores):
    """Arguments with these scores (2, 3, 4): d = 5, e = 6, g = 9.

    Key j is unit vector j in both heads; value j too, in head 1 times 10.
    """
    x, memory = np.zeros((3, 14)), np.zeros((4, 14))
    W_v, W_o = np.zeros((14, 12)), np.zeros((12, 9))
    for j in range(4):
        for head in range(2):
            x[:, 5 * head + j] = scores[head, :, j] * 5**0.5
            memory[j, 5 * head + j] = 1
            W_v[10 + j, 6 * head + j] = 10**head
            W_o[6 * head + j, 4 * head + j] = 1
        memory[j, 10 + j] = 1
    W_k = np.eye(14, 10)
    return x, memory, W_k, W_k, W_v, W_o, 2, ALLOWED


def run_heads(answer, args):
    out, weights = answer.call("multi_head", *args, parts=2)
    if out.ndim == 3 and weights.ndim == 2:
        raise Wrong("return the results first, then the weights.")
    return out, weights


@HEADS.check("weights of a worked example")
def weights_by_hand(answer, rng):
    args = worked(POWERS * LN3)
    _, weights = run_heads(answer, args)
    full = 3.0**POWERS
    q, k = (z @ args[2] / 5**0.25 for z in args[:2])

    def power(factor):
        return normal(ALLOWED * 3.0 ** (POWERS * factor))

    def cut(shape, axes):
        a, b = (z.reshape(shape(z)).transpose(axes) for z in (q, k))
        return normal(ALLOWED * np.exp(a @ b.transpose(0, 2, 1)))

    want = normal(full * ALLOWED)
    expect_close(
        weights,
        want,
        "weights",
        {
            "the scores are not divided by sqrt(d).": power(5**0.5),
            "the scores are divided by d, not by sqrt(d).": power(5**-0.5),
            "the scores are divided by the root of all heads' width; a dot "
            "product runs over the d numbers of one head.": power(0.5**0.5),
            "the scores are divided by the root of the inputs' width f.": (
                power((5 / 14) ** 0.5)
            ),
            "the scores are divided by the root of the values' width e.": (
                power((5 / 6) ** 0.5)
            ),
            "the root of d is cut to a whole number.": power(5**0.5 / 2),
            "the mask is not used.": normal(full),
            "the mask is inverted: True means may attend.": normal(
                full * ~ALLOWED
            ),
            "the mask is applied after the softmax: the permitted weights "
            "do not sum to 1.": normal(full) * ALLOWED,
            "a forbidden score is set to 0, and exp(0) is 1; it must be "
            "minus infinity.": normal(3.0 ** (POWERS * ALLOWED)),
            "the softmax runs over the queries; each query's weights over "
            "the keys must sum to 1.": normal(full * ALLOWED, 1),
            "the softmax runs over the heads.": normal(full, 0) * ALLOWED,
            "these are exponentials, not yet divided by their sum.": full
            * ALLOWED,
            "reshaped to heads without transposing: each head got some "
            "positions, not some columns.": cut(
                lambda z: (2, len(z), 5), (0, 1, 2)
            ),
            "head h owns neighbouring columns, from h d to (h + 1) d; yours "
            "takes every second one.": cut(lambda z: (len(z), 5, 2), (2, 0, 1)),
            "return the weights of each head, not their mean.": want.mean(0),
        },
    )


@HEADS.check("a small weight, and a single permitted key")
def small_weights(answer, rng):
    scores, allowed = np.zeros((2, 3, 4)), bits("1100 0010 1110") > 0
    scores[:, 0, 1] = -25
    _, got = run_heads(answer, (*worked(scores)[:-1], allowed))
    shaped(got, (2, 3, 4), "weights")
    what = (
        "a weight of 1 / (exp(25) + 1), times that number (nothing may be cut "
        "off, nor added to a small weight)"
    )
    small = got[:, 0, 1] * (np.exp(25.0) + 1)
    expect_close(small, np.ones(2), what, tolerance=1e-4)
    what = "a query with a single key (nothing is added to a sum)"
    expect_close(got[:, 1], [[0, 0, 1, 0]] * 2, what, tolerance=1e-9)


@HEADS.check("results of the same example")
def results_by_hand(answer, rng):
    args = worked(POWERS * LN3)
    out, weights = run_heads(answer, args)
    a = normal(3.0**POWERS * ALLOWED)
    want = np.concatenate([a[0], 10 * a[1], np.zeros((3, 1))], axis=1)
    c = np.concatenate([a, np.zeros((2, 3, 2))], axis=2)
    c[1] *= 10  # (heads, i, e)
    W_o = args[5]
    zeros = np.zeros((3, 5))
    expect_close(
        out,
        want,
        "results",
        {
            "W_o is missing: the joined heads go through one more map.": (
                np.concatenate(c, axis=1)
            ),
            "joined without transposing back: (heads, i, e) must become "
            "(i, heads, e) before it is flattened.": c.reshape(3, 12) @ W_o,
            "the heads are interleaved; each one's numbers stay together."
            "": c.transpose(1, 2, 0).reshape(3, 12) @ W_o,
            "the heads are summed; they are joined side by side.": (
                np.concatenate([c.sum(0)[:, :4], zeros], axis=1)
            ),
            "the heads are averaged; they are joined side by side.": (
                np.concatenate([c.mean(0)[:, :4], zeros], axis=1)
            ),
        },
    )
    out, _ = run_heads(answer, (*args[:4], -args[4], *args[5:]))
    expect_close(out, -want, "results, with the values' signs turned")
    out, _ = run_heads(answer, (*args[:5], np.eye(12, k=3), *args[6:]))
    joined = np.concatenate(c, axis=1)
    said = "W_o is turned around: joined @ W_o, not joined @ W_o.T."
    what = "results where W_o is square"
    turned = joined @ np.eye(12, k=-3)
    expect_close(out, joined @ np.eye(12, k=3), what, {said: turned})


@HEADS.check("scores near -995 and 995")
def large_scores(answer, rng):
    # A shift of all permitted scores of a row leaves its weights as they were.
    want = normal(3.0**POWERS * ALLOWED)

    def shifted(shift, forbidden, rows=slice(None)):
        scores = np.where(ALLOWED, POWERS * LN3 + shift, forbidden)
        x, *rest = worked(scores)
        args = (x[rows], *rest[:-1], rest[-1][rows])
        return run_heads(answer, args)[1]

    expect_close(shifted(0, 0), want, "small scores (see the first check)")
    underflow = (
        "where all permitted scores are near -995, their exponentials are 0: "
        "subtract the largest *permitted* score of the row before exp, and "
        "forbid with a score of minus infinity."
    )
    for i, shift, forbidden, empty in (
        (
            0,
            995,
            5,
            "exp(995) overflows: subtract the row's maximum before exp.",
        ),
        (1, -995, 5, underflow),
        (2, -995, 995, underflow),
    ):
        row = slice(i, i + 1)
        got, right, other = (
            shifted(shift, forbidden, row),
            want[:, row],
            ~ALLOWED[i],
        )
        what = f"permitted scores near {shift}, forbidden {forbidden}"
        shaped(got, right.shape, what)
        if not np.isfinite(got).all() or not got.any(axis=-1).all():
            raise Wrong(f"{what}: {empty}")
        if got[..., other].any():
            raise Wrong(
                f"{what}: a forbidden key has weight. A finite fill such as "
                "-100 or -1000 is not low enough; use minus infinity."
            )
        said = "large scores are clipped, and different ones become equal: "
        said += "subtract the row's maximum before exp instead."
        equal = np.tile(normal(ALLOWED[i] * 1.0), (2, 1, 1))
        expect_close(got, right, what, {said: equal})
    shifts = 995.0 * np.array([[[1], [-1], [0]], [[-1], [1], [-1]]])
    got = shaped(shifted(shifts, 5), want.shape, "weights")
    if not np.isfinite(got).all() or not got.any(axis=-1).all():
        raise Wrong(
            "one maximum for several rows: beside a row near 995 one near "
            "-995 becomes 0/0. Each row of each head has its own."
        )
    expect_close(got, want, "rows and heads near 995 and -995 together")


@HEADS.check("as many queries as keys")
def square_heads(answer, rng):
    sizes = [(4, 6), (4, 6), (6, 6), (6, 6), (6, 15), (15, 2)]
    x, memory, *maps = (rng.normal(size=s) / 2 for s in sizes)
    allowed = bits("1100 1011 0010 1111").astype(bool)
    out, weights = run_heads(answer, (x, memory, *maps, 3, allowed))
    expect_shape(weights, (3, 4, 4), "weights of 3 heads")
    longer = np.concatenate([memory, np.ones((1, 6))])
    more = np.concatenate([allowed, np.zeros((4, 1), bool)], axis=1)
    want = run_heads(answer, (x, longer, *maps, 3, more))
    what = (
        "4 queries and 4 keys, and the same with one more key that all are "
        "forbidden (shapes cannot tell x from memory or a mask's rows from "
        "its columns)"
    )
    shaped(want[1], (3, 4, 5), "weights of 3 heads")
    expect_close(weights, want[1][..., :4], what)
    expect_close(out, want[0], what)
    total = 0
    for head in range(3):
        d, e = slice(2 * head, 2 * head + 2), slice(5 * head, 5 * head + 5)
        W_q, W_k, W_v, W_o = maps
        own = (W_q[:, d], W_k[:, d], W_v[:, e], W_o[e])
        part, alone = run_heads(answer, (x, memory, *own, 1, allowed))
        what = f"head {head} of 3 alone, as the only one"
        expect_close(alone, weights[head : head + 1], f"{what}: weights")
        total = total + shaped(part, (4, 2), f"{what}: results")
    expect_close(out, total, "results, against the sum of each head's own")
    whole = [np.rint(3 * z).astype(int) for z in (x, memory, *maps)]
    args = (*whole, 3, allowed)
    expect_same_for_integers(answer, "multi_head", args, 2)


# --- c ---------------------------------------------------------------------


@COUNT.check("width 28, 7 heads, 3 groups")
def count_by_hand(answer, rng):
    # Queries and output 29 * 28 each; keys and values 29 * 12 each.
    expect_close(
        answer.call("grouped_parameters", 28, 7, 3),
        2320,
        "parameters",
        {
            "that is all heads with keys of their own; g groups have fewer "
            "columns.": 3248,
            "the biases are missing: one for each output of a map.": 2240,
            "keys and values are two maps, you counted one.": 1972,
            "that is one group's keys and values; there are g groups.": 1856,
            "only keys and values shrink; queries and the output map keep "
            "their size.": 1392,
            "a map of keys has as many biases as columns, g w / h.": 2352,
            "each group's keys have w / h numbers, not one.": 1798,
            "g / h of the columns are left, not h / g.": 58 * 28 * 10 / 3,
            "the output map is missing.": 1508,
            "a group's keys have w / h numbers; yours have w / g.": (2146),
            "the g groups' keys have g w / h numbers; yours have as many as "
            "there are heads in a group.": 2088,
            "the biases of three maps are missing.": 2268,
            "the maps of keys and values have biases too.": 2296,
            "the maps of queries and of the output have biases too.": 2264,
            "one of the large maps has a bias too: the queries' and the "
            "output's each have w.": 2292,
            "two maps shrink: those of the keys and of the values.": 2784,
            "a bias is one for each column of a map, not for each head.": 2260,
            "g / h has lost its remainder: divide with /, or multiply first.": (
                1624
            ),
        },
    )
    # 3,691 times twice (3,690 and 1,107).
    got = shaped(answer.call("grouped_parameters", 3690, 10, 3), ())
    what = "millions of parameters, less 35,411,454 (float32 rounds them)"
    expect_close(float(got) - 35_411_454, 0.0, what, tolerance=1e-3)


@COUNT.check("as many groups as heads")
def count_of_all(answer, rng):
    for width, heads in [(6, 2), (12, 4), (20, 5), (240, 8)]:
        got = answer.call("grouped_parameters", width, heads, heads)
        expect_close(got, 4 * width**2 + 4 * width, f"{heads} of {heads}")


@COUNT.check("one group")
def count_of_one(answer, rng):
    # 13 * 12 twice, 13 * 3 twice.
    got = answer.call("grouped_parameters", 12, 4, 1)
    expect_close(got, 390, "width 12, 4 heads, 1 group")


# --- d ---------------------------------------------------------------------


ORDER = np.array([[0, 1, 2], [2, 0, 1]])  # of the tokens of two examples


def tokens():
    """Three tokens of width 8, two heads; weights are powers of 3.

    Value j is unit vector j in each head, in head 1 times 10.
    """
    powers = np.array(
        [[[1, 0, 2], [0, 1, 0], [2, 0, 1]], [[0, 2, 1], [1, 0, 0], [0, 0, 1]]]
    )
    W_q, W_k, W_v = np.zeros((3, 8, 8))
    for j in range(3):
        for head in range(2):
            W_q[:3, 4 * head + j] = powers[head, :, j] * LN3 * 2
            W_k[j, 4 * head + j] = 1
            W_v[j, 4 * head + j] = 10**head
    x = np.eye(8)[[[0, 1, 2], [2, 0, 1]]]  # the second example: reordered
    return powers, (x, W_q, W_k, W_v, 2)


def sums(weights):
    """The two heads' sums (2, 3, 4) of these weights (2, 3, 3)."""
    return np.pad(weights, ((0, 0), (0, 0), (0, 1))) * [[[1]], [[10]]]


@SPLIT.check("a worked example")
def split_by_hand(answer, rng):
    powers, args = tokens()

    def batch(joined):
        return np.stack([joined, joined[[2, 0, 1]]])

    def side_by_side(weights):
        return batch(np.concatenate(sums(weights), axis=1))

    right = normal(3.0**powers)
    q, k, v = (args[0] @ W for W in args[1:4])

    def cut(back, *used):
        used = used or (q, k, v)
        parts = [z.reshape(2, *back[0]).transpose(back[1]) for z in used]
        a = normal(np.exp(parts[0] @ parts[1].swapaxes(2, 3) / 2)) @ parts[2]
        return a.transpose(back[2]).reshape(2, 3, 8)

    by_head = (3, 2, 4), (0, 2, 1, 3), (0, 2, 1, 3)
    # values that land in the right places when they are cut by position
    flat = v.reshape(2, 2, 3, 4).transpose(0, 2, 1, 3)
    by_order = [powers[:, o][:, :, o] for o in ORDER]
    past = np.stack(
        [
            np.concatenate(sums(normal(np.tril(3.0**P)) @ np.eye(3)[o]), axis=1)
            for P, o in zip(by_order, ORDER)
        ]
    )
    half_back = np.stack(
        [sums(right).reshape(3, 8), sums(right[:, [2, 0, 1]]).reshape(3, 8)]
    )
    expect_close(
        answer.call("self_attend", *args),
        side_by_side(right),
        "sums",
        {
            "reshaped to heads without transposing: each head got a part of "
            "the sentence, not some columns.": cut(
                ((2, 3, 4), (0, 1, 2, 3), (0, 1, 2, 3))
            ),
            "split well, but joined without transposing back.": half_back,
            "head h owns neighbouring columns; yours takes every second one."
            "": cut(((3, 4, 2), (0, 3, 1, 2), (0, 2, 3, 1))),
            "the keys are made with W_q.": cut(
                ((3, 2, 4), (0, 2, 1, 3), (0, 2, 1, 3)), q, q, v
            ),
            "the heads' sums are interleaved; each one's numbers stay "
            "together.": batch(sums(right).transpose(1, 2, 0).reshape(3, 8)),
            "the scores are not divided by sqrt(d).": side_by_side(
                normal(9.0**powers)
            ),
            "the scores are divided by the root of the width w; one head's "
            "dot product runs over w / heads numbers.": side_by_side(
                normal(3.0 ** (powers / 2**0.5))
            ),
            "the softmax runs over the queries.": side_by_side(
                normal(3.0**powers, 1)
            ),
            "queries and keys are exchanged.": cut(by_head, k, q, v),
            "attention runs over the heads of each token: transpose, so that "
            "the tokens stand on the axis before the last.": cut(
                ((3, 2, 4), (0, 1, 2, 3), (0, 1, 2, 3))
            ),
            "head h owns neighbouring columns; yours gets every second one, "
            "and is joined as if it had neighbours.": cut(
                ((3, 4, 2), (0, 3, 1, 2), (0, 2, 1, 3))
            ),
            "the values are cut in another way than queries and keys.": cut(
                by_head, q, k, flat
            ),
            "a token sees later tokens too: there is no mask here.": past,
            "that is one head of the full width: nothing is split.": (
                side_by_side(
                    np.tile(normal(3.0 ** (powers.sum(0) / 2**0.5)), (2, 1, 1))
                )
            ),
        },
    )


@SPLIT.check("each sentence as if alone, and gradients")
def split_alone(answer, rng):
    sizes = [(2, 5, 9), (9, 9), (9, 9), (9, 9)]
    names = ("x", "W_q", "W_k", "W_v")
    args = {k: rng.normal(size=s) / 2 for k, s in zip(names, sizes)}
    args["heads"] = 3
    x, *rest = args.values()
    got = answer.call("self_attend", x, *rest)
    alone = [answer.call("self_attend", one[None], *rest) for one in x]
    what = "two sentences (a token sees those of its own sentence, no others)"
    shaped(got, (2, 5, 9), what)
    for one in alone:
        shaped(one, (1, 5, 9), "a sentence alone")
    expect_close(got, np.concatenate(alone), what)
    for head in range(3):
        own = np.arange(9) // 3 == head
        noise = rng.normal(size=(3, 9, 9)) * ~own
        maps = (W + other for W, other in zip(rest, noise))
        what = f"head {head} of 3, after the others' columns have changed (is "
        what += "the number of heads `heads`, and w / heads the width of each?)"
        after = shaped(answer.call("self_attend", x, *maps, 3), (2, 5, 9))
        expect_close(after[..., own], got[..., own], what)
    order = np.array([6, 2, 0, 5, 1, 7, 3, 4])
    eight = rng.normal(size=(1, 8, 9))
    W_q, W_k, W_v, heads = rest
    got = answer.call("self_attend", eight, 0 * W_q, W_k, W_v, heads)
    mean = np.repeat((eight @ W_v).mean(axis=1)[:, None], 8, axis=1)
    expect_close(got, mean, "eight tokens, scores of 0: means of the values")
    turned = answer.call("self_attend", eight[:, order], *rest)
    got = shaped(answer.call("self_attend", eight, *rest), (1, 8, 9))
    what = "eight tokens in another order (results must follow)"
    expect_close(turned, got[:, order], what)
    expect_gradients(answer, "self_attend", args, rng)


# --- e ---------------------------------------------------------------------

SCALE = np.array([1.0, 2.0, 5.0])  # of the three features


def rows(first, second):
    """Two examples of four tokens, each a multiple of SCALE: (2, 4, 3)."""
    return np.array([first, second], float)[..., None] * SCALE


@STACK.check("two layers that take means")
def stack_by_hand(answer, rng):
    # Maps of 0 make all scores 0: each layer adds the mean of the real
    # tokens. Example 1: (1, 3) + 2 = (3, 5); + 4 = (7, 9).
    x = rows([1, 3, 100, 100], [0, 6, 12, 100])
    real = bits("1100 1110").astype(bool)[:, None]
    expect_close(
        answer.call("stack", x, np.zeros((2, 3, 3)), real),
        rows([7, 9, 106, 106], [18, 24, 30, 118]),
        "tokens after two layers",
        {
            "the mask is lost after the first layer: the second one reads "
            "the padding.": rows([56, 58, 155, 155], [41.5, 47.5, 53.5, 141.5]),
            "the first layer has no mask.": rows(
                [105, 107, 204, 204], [65, 71, 77, 165]
            ),
            "no layer has a mask.": rows(
                [154, 156, 253, 253], [88.5, 94.5, 100.5, 188.5]
            ),
            "the mask is inverted: the layers read nothing but padding.": rows(
                [301, 303, 400, 400], [300, 306, 312, 400]
            ),
            "the padding still counts in the mean's denominator: mask the "
            "scores before the softmax, not weights or values after it.": rows(
                [3.5, 5.5, 102.5, 102.5], [12.375, 18.375, 24.375, 112.375]
            ),
            "the residual connection is missing: x is added to the result."
            "": rows([2, 2, 2, 2], [6, 6, 6, 6]),
            "only one layer was applied.": rows(
                [3, 5, 102, 102], [6, 12, 18, 106]
            ),
            "each layer adds to its own input; yours adds to the first x.": (
                rows([5, 7, 104, 104], [12, 18, 24, 112])
            ),
            "zeros in the padding still count in the mean's denominator: mask "
            "the scores.": rows([3.5, 5.5, 0, 0], [12.375, 18.375, 24.375, 0]),
            "padded tokens get results by the same formula; yours stay.": rows(
                [7, 9, 100, 100], [18, 24, 30, 100]
            ),
            "x is added twice; one_layer has added it.": rows(
                [14, 22, 410, 410], [30, 54, 78, 430]
            ),
            "padded tokens get results by the same formula; yours are 0.": rows(
                [7, 9, 0, 0], [18, 24, 30, 0]
            ),
            "a token sees later tokens too: only the padding is masked.": rows(
                [4, 8.5, 105.5, 105.5], [0, 13.5, 27, 115]
            ),
        },
    )
    expect_close(
        answer.call("stack", -x, np.zeros((2, 3, 3)), real),
        -rows([7, 9, 106, 106], [18, 24, 30, 118]),
        "the same tokens with their signs turned",
    )


@STACK.check("one layer that compares")
def layer_by_hand(answer, rng):
    # Width 4. The first query is 2 ln 3 times key 2: scores 0 and ln 3.
    x, W = np.full((1, 3, 4), 7.0), np.zeros((1, 4, 4))
    x[0, :2], W[0, 0, 1] = np.eye(2, 4), 2 * LN3
    real = bits("110").astype(bool)[None]

    def added(a):
        return x[0, :2] + np.array([[1 - a, a, 0, 0], [0.5, 0.5, 0, 0]])

    keyed = 1 / (1 + np.exp(2 * LN3**2))
    expect_close(
        answer.call("stack", x, W, real)[0, :2],
        added(0.75),
        "real tokens after one layer",
        {
            "the maps are for queries only; the keys are x.": added(keyed),
            "the keys are mapped, not the queries.": x[0, :2]
            + [[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]],
            "the scores are not divided by sqrt(w).": added(0.9),
        },
    )


@STACK.check("five layers are one layer five times, and gradients")
def stack_in_steps(answer, rng):
    x, maps = rng.normal(size=(2, 5, 4)), rng.normal(size=(5, 4, 4)) / 2
    real = bits("11100 11111").astype(bool)[:, None]
    none = np.ones_like(real)

    def steps(numbers, masked=5):
        y = x
        for count, number in enumerate(numbers):
            mask = real if count < masked else none
            y = answer.call("stack", y, maps[number : number + 1], mask)
        return y

    suspects = {
        "the maps are used in reverse.": steps([4, 3, 2, 1, 0]),
        "all layers use the first map.": steps([0] * 5),
        "all layers use the last map.": steps([4] * 5),
    }
    for k in range(1, 5):
        said = f"only the first {k} of 5 layers are applied."
        suspects[said] = steps(range(k))
        suspects[f"the mask is lost after {k} layers."] = steps(range(5), k)
    for k in range(4):
        rest = [n for n in range(5) if n != k]
        suspects[f"layer {k + 1} of 5 is skipped."] = steps(rest)
    got = answer.call("stack", x, maps, real)
    expect_close(got, steps(range(5)), "five layers", suspects)
    args = {"x": x / 2, "maps": maps[:3] / 2, "attention_mask": real}
    expect_gradients(answer, "stack", args, rng)


# --- f ---------------------------------------------------------------------

MAPS = ("W_q", "W_k", "W_v", "W_o")


def multi_head(width, heads):
    """The student's class with these sizes, as a function of its weights."""
    return Module("MultiHead", (width, heads), MAPS)


def misweighed(powers, m, d, width):
    """Suspects: wrong weights (b, h, i, j) where 3^powers are the right ones
    before the mask m (b, 1, i, j), which is no array of one example."""
    full = 3.0**powers

    def power(factor):
        return normal(m * 3.0 ** (powers * factor))

    out = {
        "the scores are not divided by sqrt(d).": power(d**0.5),
        "the scores are divided by d, not by sqrt(d).": power(d**-0.5),
        "the scores are divided by the root of the width w; one head's dot "
        "product runs over d = w / heads numbers.": power((d / width) ** 0.5),
        "the mask is not used.": normal(full),
        "the mask is inverted: True means may attend.": normal(full * ~m),
        "the mask is applied after the softmax: the permitted weights do not "
        "sum to 1.": normal(full) * m,
        "a forbidden score is set to 0, and exp(0) is 1; it must be minus "
        "infinity.": normal(3.0 ** (powers * m)),
        "all examples get the mask of the first one.": normal(full * m[:1]),
        "all queries get the mask of the first one.": normal(
            full * m[:, :, :1]
        ),
        "the softmax runs over the queries; each query's weights over the "
        "keys must sum to 1.": normal(full * m, -2),
        "the softmax runs over the heads.": normal(full, 1) * m,
        "queries and keys are swapped.": normal(full.swapaxes(-1, -2) * m),
        "these are exponentials, not yet divided by their sum.": full * m,
        "there is no softmax: the weights are the scores.": (powers * LN3 * m),
        "row i of the mask belongs to query i; yours is turned around.": normal(
            full * m.swapaxes(-1, -2)
        ),
        "the mask's first axis is the example, yours has met the heads: "
        "(b, n, n) needs an axis of size 1 for them.": normal(
            full * m.swapaxes(0, 1)
        ),
    }
    return out


PERMITTED = np.stack([bits("110 011 101"), bits("101 110 010")]) > 0


def heads_by_hand(u, maps, W_o, x=None):
    """What two heads give for tokens u (2, 3, 8) that these maps turn into
    the queries, keys and values of tokens(); and suspects. Where u is x
    after a norm, x."""
    powers, _ = tokens()
    m = PERMITTED[:, None]
    P = np.stack([powers[:, o][:, :, o] for o in ORDER])  # (b, h, i, j)
    v = np.eye(4)[ORDER][:, None] * [[[1]], [[10]]]  # (b, h, j, d)
    W_q, W_k, W_v = maps

    def join(c):
        return c.swapaxes(1, 2).reshape(2, 3, 8)

    def every_second(c):
        return c.transpose(0, 2, 3, 1).reshape(2, 3, 8)

    def flat(c):
        return c.reshape(2, 3, 8)

    def cut(*pairs, axes=(0, 2, 1, 3), shape=(2, 3, 2, 4), back=join):
        q, k, z = ((y @ W).reshape(shape).transpose(axes) for y, W in pairs)
        scores = q @ k.swapaxes(2, 3) / shape[axes[3]] ** 0.5
        scores = np.where(m, scores, -np.inf)
        scores -= scores.max(axis=-1, keepdims=True)
        return back(normal(np.exp(scores)) @ z)

    c, own = normal(3.0**P * m) @ v, [(u, W) for W in maps]
    suspects = {k: join(a @ v) for k, a in misweighed(P, m, 4, 8).items()}
    suspects |= {
        "reshaped to heads without transposing: each head got a part of the "
        "sentence, not some columns.": cut(
            *own, axes=(0, 1, 2, 3), shape=(2, 2, 3, 4), back=flat
        ),
        "split well, but joined without transposing back.": flat(c),
        "head h owns neighbouring columns, from h d to (h + 1) d; yours "
        "takes every second one.": cut(
            *own, axes=(0, 3, 1, 2), shape=(2, 3, 4, 2), back=every_second
        ),
        "head h owns neighbouring columns; yours gets every second one, and is "
        "joined as if it had neighbours.": cut(
            *own, axes=(0, 3, 1, 2), shape=(2, 3, 4, 2)
        ),
        "the heads' sums are interleaved; each one's numbers stay together."
        "": every_second(c),
        "that is one head of the full width: nothing is split.": cut(
            *own, shape=(2, 3, 1, 8)
        ),
        "the keys are made with W_q.": cut((u, W_q), (u, W_q), (u, W_v)),
        "the values are made with W_k.": cut((u, W_q), (u, W_k), (u, W_k)),
        "W_v is missing.": cut((u, W_q), (u, W_k), (u, np.eye(8))),
    }
    if x is not None:
        suspects |= {
            "keys and values are made from x; they too are made from the "
            "normed x.": cut((u, W_q), (x, W_k), (x, W_v)),
            "values are made from x; they too are made from the normed x.": (
                cut((u, W_q), (u, W_k), (x, W_v))
            ),
            "the norm before attention is missing.": cut(
                *((x, W) for W in maps)
            ),
        }
    suspects = {reason: z @ W_o for reason, z in suspects.items()} | {
        "W_o is missing: the joined heads go through one more map.": join(c),
        "x @ W_o, not x @ W_o.T.": join(c) @ W_o.T,
        "x @ W, not x @ W.T (which is what nn.Linear and F.linear do).": (
            cut(*((u, W.T) for W in maps)) @ W_o.T
        ),
    }
    return join(c) @ W_o, suspects


@MODULE.check("a worked example")
def module_by_hand(answer, rng):
    _, (x, *maps, _) = tokens()
    W_o = np.roll(np.eye(8), 3, axis=1)
    want, suspects = heads_by_hand(x, maps, W_o)
    said = "x is added; that sum belongs to the layer around this one."
    suspects[said] = want + x
    args = dict(zip((*MAPS, "x", "attention_mask"), (*maps, W_o, x, PERMITTED)))
    got = steady(answer, multi_head(8, 2), args)
    expect_close(got, want, "results", suspects)
    W_q, W_k, W_v = maps
    args = 2 * W_q, 2 * W_k, W_v, W_o, -x / 2, PERMITTED
    got = answer.call(multi_head(8, 2), *args)
    what = "the same scores, x times -1/2 and both maps twice as large"
    expect_close(got, -want / 2, what)


def module_arguments(rng, b=4, n=5, width=6, heads=3):
    """The class and its arguments by name: 4 sentences of up to 5 tokens."""
    weights = {k: rng.normal(size=(width, width)) / 2 for k in MAPS}
    real = bits("11111 11000 11100 11110")[:b, :n] > 0
    args = weights | {"x": rng.normal(size=(b, n, width))}
    return multi_head(width, heads), args | {"attention_mask": real[:, None]}


def expect_as_if_alone(answer, kind, weights, x, real, got):
    """Wrong unless each sentence's tokens in `got`, the result of a padded
    batch, are those of the sentence by itself; real is (b, 1, n)."""
    for one, n in enumerate(real.sum(axis=(1, 2))):
        alone = x[one : one + 1, :n], np.ones((1, 1, n), bool)
        expect_close(
            got[one : one + 1, :n],
            answer.call(kind, *weights, *alone),
            f"the {n} tokens of sentence {one}, in the batch against alone",
        )


@MODULE.check("each sentence as if alone, whatever its padding")
def module_alone(answer, rng):
    kind, args = module_arguments(rng)
    *weights, x, real = args.values()
    got = answer.call(kind, *weights, x, real)
    rows = np.repeat(real, 5, axis=1)
    what = "a mask (b, n, n) with equal rows, against the same as (b, 1, n)"
    expect_close(answer.call(kind, *weights, x, rows), got, what)
    turned = answer.call(kind, *weights, *(z[::-1].copy() for z in (x, real)))
    what = "the same sentences in reverse order (is a mask kept?)"
    expect_close(turned, shaped(got, (4, 5, 6))[::-1], what)
    expect_as_if_alone(answer, kind, weights, x, real, got)


@MODULE.check("no token sees a later one; tokens in another order")
def module_order(answer, rng):
    kind, args = module_arguments(rng)
    *weights, x, _ = args.values()
    past = np.tril(np.ones((4, 5, 5), bool))
    got = answer.call(kind, *weights, x, past)
    other = x.copy()
    other[:, 3:] += rng.normal(size=(4, 2, 6))
    after = answer.call(kind, *weights, other, past)
    what = "the first three results, after tokens 3 and 4 have changed"
    expect_close(after[:, :3], got[:, :3], what)
    shaped(got, (4, 5, 6))
    turn = np.array([4, 2, 0, 1, 3])
    turned = answer.call(kind, *weights, x[:, turn], past[:, turn][:, :, turn])
    what = "results for tokens in another order, the mask's rows and columns "
    expect_close(turned, got[:, turn], what + "too (results must follow)")


@MODULE.check("a head works on its own columns; its weights sum to 1")
def module_columns(answer, rng):
    kind, args = module_arguments(rng)
    W_q, W_k, W_v, W_o, x, real = args.values()
    for head in range(3):
        own = np.isin(np.arange(6), [2 * head, 2 * head + 1])
        W = W_o * own[:, None]  # only this head's sums count
        got = answer.call(kind, W_q, W_k, W_v, W, x, real)
        noise = rng.normal(size=(3, 6, 6)) * ~own
        others = (a + b for a, b in zip((W_q, W_k, W_v), noise))
        expect_close(
            answer.call(kind, *others, W, x, real),
            got,
            f"head {head} of 3 alone, after the others' columns have changed "
            "(is the number of heads `heads`?)",
        )
    x[..., 0], W_v[1:] = 1, 0  # all values are the first row of W_v
    want = np.tile(W_v[0] @ W_o, (4, 5, 1))
    got = answer.call(kind, W_q, W_k, W_v, W_o, x, real)
    expect_close(got, want, "the mean of values that are all the same")


def steady(answer, kind, args):
    """What it returns; Wrong if that is no number, or another one the second
    time."""
    got = answer.call(kind, *args.values())
    if not np.isfinite(got).all():
        raise Wrong("the result holds nan or infinity.")
    if not np.array_equal(got, answer.call(kind, *args.values())):
        raise Wrong(
            "the same parameters and x give another result the second time: "
            "a weight is made anew in forward, or copied from the random ones "
            "in __init__, or something is dropped at random in evaluation."
        )
    return got


@MODULE.check("nothing counts but parameters and arguments")
def module_steady(answer, rng):
    kind, args = module_arguments(rng)
    got = steady(answer, kind, args)
    zero = args | {"W_o": np.zeros((6, 6))}
    expect_close(
        answer.call(kind, *zero.values()),
        np.zeros_like(got),
        "results where W_o is 0",
    )


def expect_finite(got):
    """Wrong if large scores gave no numbers."""
    if not np.isfinite(got).all():
        raise Wrong(
            "exp(1000) overflows: subtract the row's maximum before exp, as "
            "torch's softmax does."
        )


# Four heads of width 3. Value j of head h is unit vector j times VALUES[h].
FAR_POWERS = np.array(
    [
        [[1, 0, 2], [0, 1, 0], [2, 0, 1]],
        [[0, 2, 1], [1, 0, 0], [0, 0, 1]],
        [[2, 1, 0], [0, 0, 2], [1, 2, 0]],
        [[0, 1, 1], [2, 1, 0], [0, 1, 2]],
    ]
)
VALUES = np.array([1.0, -2, 3, -4])
FAR_PERMITTED = bits("110 011 101") > 0


def far_maps(shift, forbidden):
    """W_q, W_k and W_v (3, 12) of tokens that are unit vectors: the scores
    are FAR_POWERS times ln 3, moved by shift, and others where forbidden."""
    scores = np.where(FAR_PERMITTED, FAR_POWERS * LN3 + shift, forbidden)
    keys = np.tile(np.eye(3), 4)
    queries = scores.transpose(1, 0, 2).reshape(3, 12)
    return 3**0.5 * queries, keys, keys * VALUES.repeat(3)


def expect_far(run):
    """Wrong unless run(W_q, W_k, W_v), what heads give for three tokens, is
    right for scores of any size; a row's shift changes no weight."""
    a = normal(3.0**FAR_POWERS * FAR_PERMITTED) * VALUES[:, None, None]
    want = a.transpose(1, 0, 2).reshape(3, 12)

    def cut(power):
        b = normal(3.0 ** (FAR_POWERS * power) * FAR_PERMITTED)
        return (b * VALUES[:, None, None]).transpose(1, 0, 2).reshape(3, 12)

    def result(shift, forbidden):
        return shaped(run(*far_maps(shift, forbidden)), (3, 12))

    said = "the root of d is cut to a whole number."
    what = "four heads of width 3"
    expect_close(result(0, 0), want, what, {said: cut(3**0.5)})
    far = 20_000
    mixed = far * np.array([[[1], [-1], [0]], [[-1], [1], [-1]]] * 2)
    cases = {
        f"permitted scores near {far}": (
            far,
            "large scores are clipped, or exp of them overflows: subtract "
            "each row's maximum before exp.",
        ),
        f"permitted scores near -{far}, forbidden ones 5": (
            -far,
            "a forbidden key has weight, or nothing is left to divide by: a "
            "finite fill such as -100 or -1000 is not low enough where scores "
            "lie beyond it; use minus infinity, and each row's maximum.",
        ),
        f"rows and heads near {far}, 0 and -{far} together": (
            mixed,
            "each row of each head needs a maximum of its own: one for "
            "several rows leaves 0/0 in those far below it.",
        ),
    }
    for what, (shift, why) in cases.items():
        got = result(shift, 5)
        # Nan too; scores of 20,000 have few digits in float32.
        if not np.allclose(got, want, rtol=1e-2, atol=1e-2):
            raise Wrong.fixed(f"{what}: {why}")


@MODULE.check("scores beyond 1000")
def module_large(answer, rng):
    kind, args = module_arguments(rng)
    args["W_q"] = 1000 * args["W_q"]
    expect_finite(answer.call(kind, *args.values()))
    kind, eye = multi_head(12, 4), np.eye(12)
    x, allowed = np.eye(3, 12)[None], FAR_PERMITTED[None]

    def run(*maps):
        maps = (np.pad(W, [(0, 9), (0, 0)]) for W in maps)
        return shaped(answer.call(kind, *maps, eye, x, allowed), (1, 3, 12))[0]

    expect_far(run)
    # One head's scores are 0 and -25, for a query of two keys; others see one.
    scores = np.zeros((4, 3, 3))
    scores[:, 0, 1] = -25
    W_q = 3**0.5 * scores.transpose(1, 0, 2).reshape(3, 12)
    allowed = (bits("110 010 001") > 0)[None]
    got = run(W_q, np.tile(np.eye(3), 4), np.tile(np.eye(3), 4))
    what = (
        "a weight of 1 / (exp(25) + 1), times that number (nothing may be cut "
        "off, nor added to a small weight)"
    )
    small = got[0, 1::3] * (np.exp(25.0) + 1)
    expect_close(small, np.ones(4), what, tolerance=1e-4)
    what = "a query with a single key (nothing is added to a sum)"
    expect_close(got[1], np.tile([0, 1, 0], 4), what, tolerance=1e-9)


@MODULE.check("gradients of x and of every parameter")
def module_gradients(answer, rng):
    kind, args = module_arguments(rng, b=2, n=3, width=4, heads=2)
    steady(answer, kind, args)
    expect_gradients(answer, kind, args, rng)
