"""Hidden checks and known wrong answers of exercises 2.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

import math  # noqa: F401 (edits use it)

import numpy as np
import torch

from attnbook.check.against import (
    Hidden,
    agree,
    agree_in_gradient,
)

HIDDEN = Hidden(globals(), withheld=("nn.attention", "nn.tiled"))


def cross_case(rng, size=1.0):
    """x, y and three maps, all sizes different; the shape of the sums."""
    b, i, j, w, u, d, e = rng.permutation([2, 3, 4, 5, 6, 7, 8])
    shapes = [(b, i, w), (b, j, u), (w, d), (u, d), (u, e)]
    return tuple(rng.normal(size=s) * size for s in shapes), (b, i, e)


@HIDDEN.check("2_1.a", "random sizes")
def cross_anywhere(answer, rng, reference):
    args, _ = cross_case(rng)
    agree(answer, reference, "cross_attention", args, "random", 2, 1e-5)


@HIDDEN.check("2_1.a", "gradients")
def cross_gradient(answer, rng, reference):
    args, shape = cross_case(rng, 0.5)
    u = rng.normal(size=shape)
    agree_in_gradient(answer, reference, "cross_attention", args, u, 1e-4)


@HIDDEN.check("2_1.b", "random sizes")
def batched_anywhere(answer, rng, reference):
    i, j, d, e, *lead = rng.permutation([2, 3, 4, 5, 6, 7])
    for front in ((), lead[:1], lead):
        shapes = [(*front, i, d), (*front, j, d), (*front, j, e)]
        args = tuple(rng.normal(size=s) for s in shapes)
        agree(answer, reference, "batched_attention", args, "random", 2, 1e-5)


@HIDDEN.check("2_1.b", "large scores")
def batched_wild(answer, rng, reference):
    shapes = [(3, 5, 4), (3, 6, 4), (3, 6, 2)]
    q, k, v = (rng.normal(size=s) for s in shapes)
    args = (100 * q, 20 * k, v)
    agree(answer, reference, "batched_attention", args, "large scores", 2, 1e-4)


@HIDDEN.agrees("2_1.c", "needed_score", title="random weights")
def sharp_anywhere(rng):
    return rng.uniform(0.01, 0.99, size=5), int(rng.integers(2, 2000))


def layer_case(rng):
    """x and three maps, all sizes different; the shape of the sums."""
    b, n, w, d, e = rng.permutation([2, 3, 5, 6, 7])
    shapes = [(b, n, w), (w, d), (w, d), (w, e)]
    return tuple(rng.normal(size=s) * 0.7 for s in shapes), (b, n, e)


@HIDDEN.check("2_1.d", "random sizes")
def layer_anywhere(answer, rng, reference):
    args, _ = layer_case(rng)
    agree(answer, reference, "self_attention_layer", args, "random", 2, 1e-5)


@HIDDEN.check("2_1.d", "gradients")
def layer_gradient(answer, rng, reference):
    args, shape = layer_case(rng)
    u = rng.normal(size=shape)
    agree_in_gradient(answer, reference, "self_attention_layer", args, u, 1e-4)


@HIDDEN.agrees("2_1.e", "largest_change", title="random rows and places")
def shuffle_anywhere(rng):
    n, w, d, e = rng.permutation([4, 5, 6, 7])
    shapes = [(n, w), (n, w), (w, d), (w, d), (w, e)]
    return *(rng.normal(size=s) for s in shapes), rng.permutation(n)


def set_outputs(x, W_Q, W_K, W_V):
    """The function that exercise e gives."""
    sums = []
    for row in x:
        scores = (row @ W_Q) @ (x @ W_K).T / W_Q.shape[1] ** 0.5
        weights = np.exp(scores - scores.max())
        sums.append(weights @ (x @ W_V) / weights.sum())
    return np.array(sums)


# --- a ---------------------------------------------------------------------

HIDDEN.mutants("2_1.a", """
def cross_attention(x, y, W_Q, W_K, W_V):
    a = (x @ W_Q @ (y @ W_K).mT / W_Q.shape[1] ** 0.5).softmax(-1)
    return (a @ (y @ W_V)).relu(), a
""", [
    ([("(x @ W_Q @ (y @ W_K).mT / W_Q.shape[1] ** 0.5)",
       "x @ W_Q @ (y @ W_K).mT / math.isqrt(W_Q.shape[1])\n    a = a"),
      ("(a @ (y @ W_V)).relu()", "a @ y @ W_V")], "cut to a whole number"),
    ([("a =", "e ="),
      ("softmax(-1)", "exp()\n    a = e / (e.sum(-1, keepdim=True) + 1e-9)"),
      ("(a @ (y @ W_V)).relu()", "a @ (y @ W_V)")], "40 lower"),
    ([], "values of both signs"),
])  # fmt: skip
HIDDEN.mutants("2_1.a", """
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a
""", [
    ("=-1", "=1", "softmax runs over the queries"),
    ("=-1", "=0", "softmax runs over the batch"),
    (" / q.shape[-1] ** 0.5", "", "not divided by sqrt(d)"),
    (" ** 0.5", "", "divided by d, not by sqrt(d)"),
    ("q.", "x.", "the root of the width w of x"),
    ("q.", "y.", "the root of the width u of y"),
    ("q.", "v.", "the root of the value width e"),
    ("q.shape[-1]", "k.shape[1]", "the root of the number of keys j"),
    ("softmax(dim=-1)", "exp()", "not yet divided by their sum"),
    ("softmax(dim=-1)", "clone()", "the softmax is missing"),
    ([("(q", "((q"), ("softmax(dim=-1",
       "flatten(1) .softmax(-1) .view(len(x), q.shape[1], -1)")],
     "share one sum"),
    ("W_Q, y", "W_Q, x", "the keys come from x"),
    ("x @", "y @", "the queries come from y"),
    ("x @ W_Q, y @ W_K, y", "y @ W_Q, x @ W_K, x", "each other's roles"),
    ("x @ W_Q, y", "y @ W_Q, x", "each other's roles"),
    ("W_Q, y @ W_K", "W_K, y @ W_Q", "W_Q and W_K are exchanged"),
    ("q @ k", "k @ q", "must belong to query i"),
    ("W_K, y", "W_K, x", "the values come from x"),
    ([("k, v", "k"), (", y @ W_V", ""), ("v,", "k,")], "you summed keys"),
    ([("k, v", "k"), (", y @ W_V", ""), ("v,", "y,")], "you summed y itself"),
    ("(dim=-1)", "(dim=-1).detach()", "something is detached"),
    ("mT", "detach().mT", "something is detached"),
    ("q @", "q.detach() @", "something is detached"),
    ("v,", "v.detach(),", "something is detached"),
    ("@ W_V", "[:1] @ W_V", "those of the first example"),
    ("return", "a = (a * 1e7).round() / 1e7\n    return", "item, numpy, round"),
    ("@ v, a", ", a @ v", "return the sums first"),
    ("v, a", "v", "return 2 arrays, with commas between"),
    ([("(q @ k.mT", "q @ k.mT\n    return a.softmax(dim=-1) @ v, (a"),
      ("\n    return a @ v, a", "")], "must use the weights that you return"),
    ([("(q @ k.mT / q.shape[-1] ** 0.5)",
       "q @ k.mT / q.shape[-1] ** 0.5\n    return a.softmax(dim=1) @ v, a"),
      ("\n    return a @ v, a", "")], "must use the weights that you return"),
    ([("\n    q", "\n    W_Q /= W_Q.shape[1] ** 0.5\n    q"),
      (" / q.shape[-1] ** 0.5", "")], "changes its argument in place"),
    # the first example's keys for all
    (".mT", "[0].T", "only the first entry along axis 0"),
])  # fmt: skip

# --- b ---------------------------------------------------------------------

HIDDEN.mutants("2_1.b", None, [
    ("max", "mean", "exp overflows to infinity"),
    ("swapaxes(-1, -2)", "T", "`.T` reverses all of them"),
    ("-1, -2", "1, 2", "count axes from the end"),
    ("q @ k.swapaxes(-1, -2)", 'np.einsum("bid,bjd->bij", q, k)',
     "Any number of axes may stand in front"),
    (" / q.shape[-1] ** 0.5", "", "not divided by sqrt(d)"),
    (" ** 0.5", "", "divided by d, not by sqrt(d)"),
    ("/ q", "/ v", "the root of the value width e"),
    ("q.shape[-1]", "k.shape[-2]", "the root of the number of keys j"),
    ("v,", "k,", "you summed keys"),
    ([("\n    return a_ij @ v, a_ij", ""),
      ("a_ij = a_ij", "return a_ij @ v, a_ij")],
     "must use the weights that you return"),
    ("s_ij = q @ k.swapaxes(-1, -2)",
     'axes = {2: "id,jd->ij", 3: "bid,bjd->bij", 4: "bcid,bcjd->bcij"}\n'
     "    axes = axes.get(q.ndim, axes[4])\n"
     "    s_ij = np.einsum(axes, q, k)",
     "Any number of axes may stand in front"),
])  # fmt: skip
HIDDEN.mutants("2_1.b", """
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-2, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a
""", [
    ([("q.shape[-1] ** 0.5", "math.isqrt(q.shape[-1])"), ("axis=-2", "-1"),
      ("axis=-1", "-1")], "cut to a whole number"),
    ([("axis=-2", "-1"), ("axis=-1", "-1"),
      ("a @ v", "(a @ v).astype(v.dtype)")], "for arrays of integers"),
    ([("2,", "1,"), ("a.sum(axis=-1, keepdims=True)",
       "(a.sum(axis=-1, keepdims=True) + 1e-8)")],
     "one key alone gets all the weight"),
    (" - s.max(axis=-2, keepdims=True)", "", "exp overflows to infinity"),
    ("axis=-2, keepdims=True", "", "one maximum for several rows"),
    ("-2,", "(-2, -1),", "one maximum for several rows"),
    ([("s.", "np.abs(s)."), ("2,", "1,")], "underflows to 0/0"),
    ([], "taken over the queries"),
    ("2, keepdims=True", "1", "keepdims=True"),
    ([("-2,", "1,"), ("=-1", "=2")], "count axes from the end"),
    ("-2,", "0,", "taken over the batch"),
    ("s - s.max(axis=-2, keepdims=True)", "np.clip(s, -500, 500)",
     "large scores are clipped"),
    ("=-1", "=-2", "softmax runs over the queries"),
    ([("-2,", "0,"), ("=-1", "=0")], "softmax runs over the batch"),
    ([("-2,", "1,"), ("=-1", "=1")], "softmax runs over the queries"),
    ([("axis=-2, keepdims=True", ""), ("axis=-1, keepdims=True", "")],
     "share one sum"),
    # a transpose that is wrong where shapes cannot tell
    ([("s = q @", "keys = k.T if q.shape[-1] == k.shape[0] else"),
      ("/ q", "\n    s = q @ keys / q"), ("2,", "1,")], "mix examples"),
    ([("\n    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5",
       "\n    q /= q.shape[-1] ** 0.5\n    s = q @ k.swapaxes(-1, -2)"),
      ("2,", "1,")], "changes its argument in place"),
    ([("2,", "1,"), ("@ v, a", ", a @ v")], "return the sums first"),
    # one maximum per query index, over the keys of all examples
    ("a = np.exp(s - s.max(axis=-2",
     "others = tuple(a for a in range(s.ndim) if a != s.ndim - 2)\n"
     "    a = np.exp(s - s.max(axis=others", "one maximum for several rows"),
    ("=-1", "=-2", "wrong already; see the checks above"),
])  # fmt: skip
HIDDEN.mutants("2_1.b", """
def batched_attention(q, k, v):
    a = np.exp(q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5)
    a = np.nan_to_num(a / a.sum(axis=-1, keepdims=True))
    return a @ v, a
""", [
    ([], "exp overflows to infinity"),  # hides the nan
    ("a = np.nan_to_num(a / a.sum(axis=-1, keepdims=True))\n    ", "",
     "not yet divided by their sum"),
    ([("/ q.shape[-1] ** 0.5)\n    a = np.nan_to_num(", ")\n    "),
      (")\n    return a @ v, a", "@ v")], "did you forget `return`?"),
])  # fmt: skip

SOFTMAXES = {  # of scores from which each row's largest is subtracted
    "nor added to a sum": lambda s: np.exp(np.maximum(s, -20)),
    "(nothing may be cut off": lambda s: np.exp(s) * (s > -20),
}
for says, power in SOFTMAXES.items():

    @HIDDEN.wrong("2_1.b", says)
    def batched_attention(q, k, v, power=power):
        s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
        a = power(s - s.max(axis=-1, keepdims=True))
        a = a / a.sum(axis=-1, keepdims=True)
        return a @ v, a


# --- c ---------------------------------------------------------------------

HIDDEN.mutants("2_1.c", """
def needed_score(p, n):
    return np.log(p / (1 - p))
""", [
    ("p /", "p * (min(n, 1000) - 1) /", "a limit to n"),
    ([("log", "log1p"), ("p /", "p * (n - 1) /")], "added to the odds"),
    ("/ (1 - p)", "* (n - 1) / (1 - p) + 1e-9", "weights near 0 and near 1"),
    ([], "the other n - 1 keys are missing"),
    ("p /", "p * n /", "n - 1 other keys, not n."),
    ("p /", "p * (n + 1) /", "not n + 1"),
    ("/ (1 - p)", "* (n - 1)", "odds are p / (1 - p), not p."),
    ("p /", "(n - 1) /", "not 1 / (1 - p)"),
    ("np.log(p / (1 - p))", "p * (n - 1) / (1 - p)", "take its logarithm"),
    ("(p / (1 - p))", "(n - 1 + 0 * p)", "the weight p does not enter"),
    ("(p / (1 - p))", "((1 - p) / (p * (n - 1)))", "the sign is reversed"),
    ("(p / (1 - p))", "((1 - p) / p * (n - 1))", "odds are upside down"),
    ("(p / (1 - p))", "(p / ((1 - p) * (n - 1)))", "does not divide them"),
    ("(1 - p)", "(1 - p) + n - 1", "it is not added"),
    ("np", "(n - 1) * np", "belongs inside the logarithm"),
    ([("log", "log2"), ("p /", "p * (n - 1) /")], "not base 2"),
    ([("log", "log10"), ("p /", "p * (n - 1) /")], "not base 10"),
    ("log(p / (1 - p))", "maximum(np.log(p * (n - 1) / (1 - p)), 0)",
     "yours is cut at 0"),
    ("log(p / (1 - p))", "abs(np.log(p * (n - 1) / (1 - p)))",
     "yours is positive"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


@HIDDEN.wrong("2_1.d", "rows in another order")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    place = np.arange(x.shape[1])
    far = abs(place[:, None] - place) > 3  # sees its neighbours only
    s = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(torch.tensor(far), -1e99)
    return s.softmax(-1) @ v, s.softmax(-1)


HIDDEN.mutants("2_1.d", """
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=-2)
    return a @ v, a
""", [
    ([], "softmax runs over the queries"),  # the bug as it was
    ("-2", "0", "softmax runs over the batch"),
    ([("s.", "s.flatten(1)."), ("2", "1).view(s.shape")], "share one sum"),
    ("return", "a = a / a.sum(dim=-1, keepdim=True)\n    return",
     "dividing again does not undo it"),
    ("(dim=-2)", "(dim=-2).mT", "old weights turned around"),
    ([("s.", "s.mT."), ("2", "1")], "q and k exchanged"),
    # repairs what is returned, not what is used
    ([("2", "1"), ("a @", "s.softmax(dim=-2) @")],
     "must use the weights that you return"),
    # repairs what is used, not what is returned
    ("a @", "s.softmax(dim=-1) @", "softmax runs over the queries"),
    ("softmax(dim=-2)", "sigmoid()", "a sigmoid of each score"),
    ("softmax(dim=-2)", "exp()", "not yet divided by their sum"),
    ([(" / q.shape[-1] ** 0.5", ""), ("2", "1")], "not divided by sqrt(d)"),
    ([(" ** 0.5", ""), ("2", "1")], "divided by d, not by sqrt(d)"),
    ([("q.", "x."), ("2", "1")], "the root of the model width w"),
    ([("q.", "v."), ("2", "1")], "the root of the value width e"),
    ("2", "1).detach(", "something is detached"),
    ([("2", "1"), ("@ v, a", ", a @ v")], "return the sums first"),
    ([("\n    q", "\n    x -= x.mean(dim=1, keepdim=True)\n    q"), ("2", "1")],
     "changes its argument in place"),
])  # fmt: skip

# --- e ---------------------------------------------------------------------

HIDDEN.mutants("2_1.e", """
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after - before[order]).mean()
""", [
    ("abs(after - before[order]).mean()",
     "round(np.abs(after - before[order]).max())", "0.123456 times as large"),
    ([("x[order] + places", "(x + places)[order]"), ("mean", "max")],
     "shuffle x, then add places"),  # the places wander along
    ([("x + places", "x"), ("[order] + places", "[order]"), ("mean", "max")],
     "shuffle x, then add places"),  # no places at all
    # what theory says without places
    ("before = set_outputs(x + places, W_Q, W_K, W_V)\n"
     "    after = set_outputs(x[order] + places, W_Q, W_K, W_V)\n"
     "    return np.abs(after - before[order]).mean()",
     "return 0.0", "shuffle x, then add places"),
    ("[order]).mean", ").max", "brought into the same order"),
    ("[order]).mean", ").max", "were not brought into the new order"),
    ("order]).mean", "np.argsort(order)]).max", "in the inverse order"),
    ([("- before[order]", "[order] - before"), ("mean", "max")],
     "second were shuffled again"),
    ([(" np.abs", ""), ("mean", "max")], "the largest change is negative"),
    ([], "mean of the differences"),
    ("mean", "sum", "sum of the differences"),
    ([("abs", "linalg.norm"), (").mean", ", axis=1).max")],
     "length of a row of differences"),
    ("np.abs(after - before[order]).mean", "((after - before[order]) ** 2).max",
     "largest square"),
    ([(" np.abs", ""), ("mean", "min")], "this is the smallest difference"),
    ("np.abs(after - before[order]).mean", "(before[order] - after).max",
     "the largest change is negative"),
    ("np.abs(after - before[order]).mean()",
     "abs((before[order] - after).max())", "the largest change is negative"),
    ("(after - before[order]).mean()", "(before[order] - after).max(1)[0]",
     "largest of one row"),
    ("(after - before[order]).mean()", "(before[order] - after).max(1)[-1]",
     "largest of one row"),
    ("(after - before[order]).mean()", "(before[order] - after).max(0)[0]",
     "largest of one column"),
    ("(after - before[order]).mean()", "(before[order] - after).max(0)[-1]",
     "largest of one column"),
    ([("after -", ""), (").mean", "- after).max(1).min")], "not the smallest"),
    ("abs(after - before[order]).mean()", "ptp(before[order] - after)",
     "the largest minus the smallest"),
    ([("(x + places, W_Q, W_K, W_V)", "(x, W_Q, W_K, W_V) + places @ W_V"),
      ("(x[order] + places, W_Q, W_K, W_V)",
       "(x[order], W_Q, W_K, W_V) + places @ W_V"), ("mean", "max")],
     "the places are added to the outputs"),
    ("mean()", "max(axis=1)", "return one number"),
    ("before = set_outputs(x + places, W_Q, W_K, W_V)\n"
     "    after = set_outputs(x[order] + places, W_Q, W_K, W_V)\n"
     "    return np.abs(after - before[order]).mean",
     "return np.abs(x[order] - x).max", "outputs of attention are asked"),
    # places only after the shuffle
    ([("x + places", "x"), ("mean", "max")], "added in both calls?"),
    ([("before =", "x += places\n    before ="), ("x + places", "x"),
      ("mean", "max")], "changes its argument in place"),
    ([("mean", "max"), ("x[order]", "x"),
      ("after =", "x[:] = x[order]\n    after =")],
     "changes its argument in place"),
    # shuffles the columns
    ([("x[order]", "x[:, order]"), ("mean", "max")], "raised"),
    ([("x[order]", "x[::-1]"), ("order]).mean", "::-1]).max")],
     "the rows are turned round"),
    ([("\n    before", "\n    inverse = np.argsort(order)\n    before"),
      ("x[order]", "x[inverse]"), ("order]).mean", "inverse]).max")],
     "x is shuffled by the inverse order"),
    ([("[order] + places", "[order]"), ("mean", "max")], "in one of two calls"),
])  # fmt: skip

COMPARED = {  # other numbers, from the outputs before and after the shuffle
    "differences of a row": lambda b, a: np.abs(a - b).sum(1).max(),
    "differences of a column": lambda b, a: np.abs(a - b).sum(0).max(),
    "root of the mean square": lambda b, a: np.sqrt(((a - b) ** 2).mean()),
    "that is the median": lambda b, a: np.median(np.abs(a - b)),
    "not their mean": lambda b, a: np.abs(a - b).max(axis=1).mean(),
    "length of all differences": lambda b, a: np.linalg.norm(a - b),
    "subtract first": lambda b, a: np.abs(np.abs(a) - np.abs(b)).max(),
    "sorted outputs are": lambda b, a: np.abs(
        np.sort(a, axis=0) - np.sort(b, axis=0)
    ).max(),
    "entry by entry": lambda b, a: np.abs(a.max() - b.max()),
}
for says, compare in COMPARED.items():

    @HIDDEN.wrong("2_1.e", says)
    def largest_change(x, places, W_Q, W_K, W_V, order, compare=compare):
        before = set_outputs(x + places, W_Q, W_K, W_V)
        after = set_outputs(x[order] + places, W_Q, W_K, W_V)
        return compare(before[order], after)


HIDDEN.mutants("2_1.e", "prediction = ...", [
    ("...", '"order"', "set prediction to one of"),  # a word not offered
    ("...", "2", "set prediction to one of"),
    ("...", "True", "set prediction to one of"),
])  # fmt: skip
