"""Hidden checks and known wrong answers of exercises 2.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

import math

import numpy as np
import torch

from attnbook.check.against import (
    Hidden,
    WrongAnswer,
    agree,
    agree_in_gradient,
)

HIDDEN = Hidden(withheld=("attention", "tiled"))


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


@HIDDEN.check("2_1.c", "random weights")
def sharp_anywhere(answer, rng, reference):
    args = (rng.uniform(0.01, 0.99, size=5), int(rng.integers(2, 2000)))
    agree(answer, reference, "needed_score", args, "random weights")


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


@HIDDEN.check("2_1.e", "random rows and places")
def shuffle_anywhere(answer, rng, reference):
    n, w, d, e = rng.permutation([4, 5, 6, 7])
    shapes = [(n, w), (n, w), (w, d), (w, d), (w, e)]
    args = (*(rng.normal(size=s) for s in shapes), rng.permutation(n))
    agree(answer, reference, "largest_change", args, "random")


def set_outputs(x, W_Q, W_K, W_V):
    """The function that exercise e gives."""
    sums = []
    for row in x:
        scores = (row @ W_Q) @ (x @ W_K).T / W_Q.shape[1] ** 0.5
        weights = np.exp(scores - scores.max())
        sums.append(weights @ (x @ W_V) / weights.sum())
    return np.array(sums)


# --- a ---------------------------------------------------------------------


@HIDDEN.wrong("2_1.a", "cut to a whole number")
def cross_attention(x, y, W_Q, W_K, W_V):
    a = x @ W_Q @ (y @ W_K).mT / math.isqrt(W_Q.shape[1])
    a = a.softmax(-1)
    return a @ y @ W_V, a


@HIDDEN.wrong("2_1.a", "40 lower")
def cross_attention(x, y, W_Q, W_K, W_V):
    e = (x @ W_Q @ (y @ W_K).mT / W_Q.shape[1] ** 0.5).exp()
    a = e / (e.sum(-1, keepdim=True) + 1e-9)
    return a @ (y @ W_V), a


@HIDDEN.wrong("2_1.a", "values of both signs")
def cross_attention(x, y, W_Q, W_K, W_V):
    a = (x @ W_Q @ (y @ W_K).mT / W_Q.shape[1] ** 0.5).softmax(-1)
    return (a @ (y @ W_V)).relu(), a


@HIDDEN.wrong("2_1.a", "softmax runs over the queries")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "softmax runs over the batch")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=0)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "not divided by sqrt(d)")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "divided by d, not by sqrt(d)")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1]).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "the root of the width w of x")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / x.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "the root of the width u of y")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / y.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "the root of the value width e")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / v.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "the root of the number of keys j")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / k.shape[1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "not yet divided by their sum")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).exp()
    return a @ v, a


@HIDDEN.wrong("2_1.a", "the softmax is missing")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).clone()
    return a @ v, a


@HIDDEN.wrong("2_1.a", "share one sum")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (
        (q @ k.mT / q.shape[-1] ** 0.5)
        .flatten(1)
        .softmax(-1)
        .view(len(x), q.shape[1], -1)
    )
    return a @ v, a


@HIDDEN.wrong("2_1.a", "the keys come from x")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "the queries come from y")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = y @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "each other's roles")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = y @ W_Q, x @ W_K, x @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "each other's roles")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = y @ W_Q, x @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "W_Q and W_K are exchanged")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_K, y @ W_Q, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "must belong to query i")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (k @ q.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "the values come from x")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, x @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "you summed keys")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k = x @ W_Q, y @ W_K
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ k, a


@HIDDEN.wrong("2_1.a", "you summed y itself")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k = x @ W_Q, y @ W_K
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ y, a


@HIDDEN.wrong("2_1.a", "something is detached")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1).detach()
    return a @ v, a


@HIDDEN.wrong("2_1.a", "something is detached")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.detach().mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "something is detached")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q.detach() @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "something is detached")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v.detach(), a


@HIDDEN.wrong("2_1.a", "those of the first example")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y[:1] @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "item, numpy, round")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    a = (a * 1e7).round() / 1e7
    return a @ v, a


@HIDDEN.wrong("2_1.a", "return the sums first")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a, a @ v


@HIDDEN.wrong("2_1.a", "return 2 arrays, with commas between")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v


@HIDDEN.wrong("2_1.a", "must use the weights that you return")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    s = q @ k.mT
    return s.softmax(dim=-1) @ v, (s / q.shape[-1] ** 0.5).softmax(dim=-1)


@HIDDEN.wrong("2_1.a", "must use the weights that you return")
def cross_attention(x, y, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    return s.softmax(dim=1) @ v, s.softmax(dim=-1)


@HIDDEN.wrong("2_1.a", "changes its argument in place")
def cross_attention(x, y, W_Q, W_K, W_V):
    W_Q /= W_Q.shape[1] ** 0.5
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k.mT).softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.a", "only the first entry along axis 0")
def cross_attention(x, y, W_Q, W_K, W_V):
    # the first example's keys for all
    q, k, v = x @ W_Q, y @ W_K, y @ W_V
    a = (q @ k[0].T / q.shape[-1] ** 0.5).softmax(dim=-1)
    return a @ v, a


# --- b ---------------------------------------------------------------------


@HIDDEN.wrong("2_1.b", "cut to a whole number")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / math.isqrt(q.shape[-1])
    a = np.exp(s - s.max(-1, keepdims=True))
    a = a / a.sum(-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "for arrays of integers")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(-1, keepdims=True))
    a = a / a.sum(-1, keepdims=True)
    return (a @ v).astype(v.dtype), a


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


@HIDDEN.wrong("2_1.b", "one key alone gets all the weight")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / (a.sum(axis=-1, keepdims=True) + 1e-8)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "exp overflows to infinity")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s)
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "exp overflows to infinity")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.mean(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "one maximum for several rows")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max())
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "one maximum for several rows")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=(-2, -1), keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "underflows to 0/0")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - np.abs(s).max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "taken over the queries")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-2, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "keepdims=True")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "count axes from the end")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=1, keepdims=True))
    a = a / a.sum(axis=2, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "taken over the batch")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=0, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "large scores are clipped")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(np.clip(s, -500, 500))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "exp overflows to infinity")
def batched_attention(q, k, v):
    # hides the nan
    a = np.exp(q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5)
    a = np.nan_to_num(a / a.sum(axis=-1, keepdims=True))
    return a @ v, a


@HIDDEN.wrong("2_1.b", "softmax runs over the queries")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-2, keepdims=True))
    a = a / a.sum(axis=-2, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "softmax runs over the batch")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=0, keepdims=True))
    a = a / a.sum(axis=0, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "softmax runs over the queries")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=1, keepdims=True))
    a = a / a.sum(axis=1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "share one sum")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max())
    a = a / a.sum()
    return a @ v, a


@HIDDEN.wrong("2_1.b", "`.T` reverses all of them")
def batched_attention(q, k, v):
    s = q @ k.T / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "count axes from the end")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(1, 2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "Any number of axes may stand in front")
def batched_attention(q, k, v):
    s = np.einsum("bid,bjd->bij", q, k) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "mix examples")
def batched_attention(q, k, v):
    # a transpose that is wrong where shapes cannot tell
    keys = k.T if q.shape[-1] == k.shape[0] else k.swapaxes(-1, -2)
    s = q @ keys / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "not divided by sqrt(d)")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2)
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "divided by d, not by sqrt(d)")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1]
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "the root of the value width e")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / v.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "the root of the number of keys j")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / k.shape[-2] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "changes its argument in place")
def batched_attention(q, k, v):
    q /= q.shape[-1] ** 0.5
    s = q @ k.swapaxes(-1, -2)
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "return the sums first")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a, a @ v


@HIDDEN.wrong("2_1.b", "you summed keys")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ k, a


@HIDDEN.wrong("2_1.b", "must use the weights that you return")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    return a @ v, a / a.sum(axis=-1, keepdims=True)


@HIDDEN.wrong("2_1.b", "not yet divided by their sum")
def batched_attention(q, k, v):
    a = np.exp(q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "one maximum for several rows")
def batched_attention(q, k, v):
    # one maximum per query index, over the keys of all examples
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    others = tuple(a for a in range(s.ndim) if a != s.ndim - 2)
    a = np.exp(s - s.max(axis=others, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "Any number of axes may stand in front")
def batched_attention(q, k, v):
    axes = {2: "id,jd->ij", 3: "bid,bjd->bij", 4: "bcid,bcjd->bcij"}
    axes = axes.get(q.ndim, axes[4])
    s = np.einsum(axes, q, k) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "wrong already; see the checks above")
def batched_attention(q, k, v):
    s = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    a = np.exp(s - s.max(axis=-2, keepdims=True))
    a = a / a.sum(axis=-2, keepdims=True)
    return a @ v, a


@HIDDEN.wrong("2_1.b", "did you forget `return`?")
def batched_attention(q, k, v):
    a = np.exp(q @ k.swapaxes(-1, -2))
    a / a.sum(axis=-1, keepdims=True) @ v


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("2_1.c", "a limit to n")
def needed_score(p, n):
    return np.log(p * (min(n, 1000) - 1) / (1 - p))


@HIDDEN.wrong("2_1.c", "added to the odds")
def needed_score(p, n):
    return np.log1p(p * (n - 1) / (1 - p))


@HIDDEN.wrong("2_1.c", "weights near 0 and near 1")
def needed_score(p, n):
    return np.log(p * (n - 1) / (1 - p) + 1e-9)


@HIDDEN.wrong("2_1.c", "the other n - 1 keys are missing")
def needed_score(p, n):
    return np.log(p / (1 - p))


@HIDDEN.wrong("2_1.c", "n - 1 other keys, not n.")
def needed_score(p, n):
    return np.log(p * n / (1 - p))


@HIDDEN.wrong("2_1.c", "not n + 1")
def needed_score(p, n):
    return np.log(p * (n + 1) / (1 - p))


@HIDDEN.wrong("2_1.c", "odds are p / (1 - p), not p.")
def needed_score(p, n):
    return np.log(p * (n - 1))


@HIDDEN.wrong("2_1.c", "not 1 / (1 - p)")
def needed_score(p, n):
    return np.log((n - 1) / (1 - p))


@HIDDEN.wrong("2_1.c", "take its logarithm")
def needed_score(p, n):
    return p * (n - 1) / (1 - p)


@HIDDEN.wrong("2_1.c", "the weight p does not enter")
def needed_score(p, n):
    return np.log(n - 1 + 0 * p)


@HIDDEN.wrong("2_1.c", "the sign is reversed")
def needed_score(p, n):
    return np.log((1 - p) / (p * (n - 1)))


@HIDDEN.wrong("2_1.c", "odds are upside down")
def needed_score(p, n):
    return np.log((1 - p) / p * (n - 1))


@HIDDEN.wrong("2_1.c", "does not divide them")
def needed_score(p, n):
    return np.log(p / ((1 - p) * (n - 1)))


@HIDDEN.wrong("2_1.c", "it is not added")
def needed_score(p, n):
    return np.log(p / (1 - p) + n - 1)


@HIDDEN.wrong("2_1.c", "belongs inside the logarithm")
def needed_score(p, n):
    return (n - 1) * np.log(p / (1 - p))


@HIDDEN.wrong("2_1.c", "not base 2")
def needed_score(p, n):
    return np.log2(p * (n - 1) / (1 - p))


@HIDDEN.wrong("2_1.c", "not base 10")
def needed_score(p, n):
    return np.log10(p * (n - 1) / (1 - p))


@HIDDEN.wrong("2_1.c", "yours is cut at 0")
def needed_score(p, n):
    return np.maximum(np.log(p * (n - 1) / (1 - p)), 0)


@HIDDEN.wrong("2_1.c", "yours is positive")
def needed_score(p, n):
    return np.abs(np.log(p * (n - 1) / (1 - p)))


# --- d ---------------------------------------------------------------------


@HIDDEN.wrong("2_1.d", "rows in another order")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    place = np.arange(x.shape[1])
    far = abs(place[:, None] - place) > 3  # sees its neighbours only
    s = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(torch.tensor(far), -1e99)
    return s.softmax(-1) @ v, s.softmax(-1)


@HIDDEN.wrong("2_1.d", "softmax runs over the queries")
def self_attention_layer(x, W_Q, W_K, W_V):
    # the bug as it was
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=-2)
    return a @ v, a


@HIDDEN.wrong("2_1.d", "softmax runs over the batch")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=0)
    return a @ v, a


@HIDDEN.wrong("2_1.d", "share one sum")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.flatten(1).softmax(dim=-1).view(s.shape)
    return a @ v, a


@HIDDEN.wrong("2_1.d", "dividing again does not undo it")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=-2)
    a = a / a.sum(dim=-1, keepdim=True)
    return a @ v, a


@HIDDEN.wrong("2_1.d", "old weights turned around")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=-2).mT
    return a @ v, a


@HIDDEN.wrong("2_1.d", "q and k exchanged")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.mT.softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.d", "must use the weights that you return")
def self_attention_layer(x, W_Q, W_K, W_V):
    # repairs what is returned, not what is used
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=-1)
    return s.softmax(dim=-2) @ v, a


@HIDDEN.wrong("2_1.d", "softmax runs over the queries")
def self_attention_layer(x, W_Q, W_K, W_V):
    # repairs what is used, not what is returned
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=-2)
    return s.softmax(dim=-1) @ v, a


@HIDDEN.wrong("2_1.d", "a sigmoid of each score")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.sigmoid()
    return a @ v, a


@HIDDEN.wrong("2_1.d", "not yet divided by their sum")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.exp()
    return a @ v, a


@HIDDEN.wrong("2_1.d", "not divided by sqrt(d)")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT
    a = s.softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.d", "divided by d, not by sqrt(d)")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1]
    a = s.softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.d", "the root of the model width w")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / x.shape[-1] ** 0.5
    a = s.softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.d", "the root of the value width e")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / v.shape[-1] ** 0.5
    a = s.softmax(dim=-1)
    return a @ v, a


@HIDDEN.wrong("2_1.d", "something is detached")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=-1).detach()
    return a @ v, a


@HIDDEN.wrong("2_1.d", "return the sums first")
def self_attention_layer(x, W_Q, W_K, W_V):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=-1)
    return a, a @ v


@HIDDEN.wrong("2_1.d", "changes its argument in place")
def self_attention_layer(x, W_Q, W_K, W_V):
    x -= x.mean(dim=1, keepdim=True)
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    s = q @ k.mT / q.shape[-1] ** 0.5
    a = s.softmax(dim=-1)
    return a @ v, a


# --- e ---------------------------------------------------------------------


@HIDDEN.wrong("2_1.e", "0.123456 times as large")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.round(np.abs(after - before[order]).max())


@HIDDEN.wrong("2_1.e", "shuffle x, then add places")
def largest_change(x, places, W_Q, W_K, W_V, order):
    # the places wander along
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs((x + places)[order], W_Q, W_K, W_V)
    return np.abs(after - before[order]).max()


@HIDDEN.wrong("2_1.e", "shuffle x, then add places")
def largest_change(x, places, W_Q, W_K, W_V, order):
    # no places at all
    before = set_outputs(x, W_Q, W_K, W_V)
    after = set_outputs(x[order], W_Q, W_K, W_V)
    return np.abs(after - before[order]).max()


@HIDDEN.wrong("2_1.e", "shuffle x, then add places")
def largest_change(x, places, W_Q, W_K, W_V, order):
    # what theory says without places
    return 0.0


@HIDDEN.wrong("2_1.e", "brought into the same order")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after - before).max()


@HIDDEN.wrong("2_1.e", "were not brought into the new order")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after - before).max()


@HIDDEN.wrong("2_1.e", "in the inverse order")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after - before[np.argsort(order)]).max()


@HIDDEN.wrong("2_1.e", "second were shuffled again")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after[order] - before).max()


@HIDDEN.wrong("2_1.e", "the largest change is negative")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return (after - before[order]).max()


@HIDDEN.wrong("2_1.e", "mean of the differences")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after - before[order]).mean()


@HIDDEN.wrong("2_1.e", "sum of the differences")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after - before[order]).sum()


@HIDDEN.wrong("2_1.e", "length of a row of differences")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.linalg.norm(after - before[order], axis=1).max()


@HIDDEN.wrong("2_1.e", "largest square")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return ((after - before[order]) ** 2).max()


@HIDDEN.wrong("2_1.e", "this is the smallest difference")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return (after - before[order]).min()


@HIDDEN.wrong("2_1.e", "the largest change is negative")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return (before[order] - after).max()


@HIDDEN.wrong("2_1.e", "the largest change is negative")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return abs((before[order] - after).max())


@HIDDEN.wrong("2_1.e", "largest of one row")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(before[order] - after).max(1)[0]


@HIDDEN.wrong("2_1.e", "largest of one row")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(before[order] - after).max(1)[-1]


@HIDDEN.wrong("2_1.e", "largest of one column")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(before[order] - after).max(0)[0]


@HIDDEN.wrong("2_1.e", "largest of one column")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(before[order] - after).max(0)[-1]


@HIDDEN.wrong("2_1.e", "not the smallest")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(before[order] - after).max(1).min()


@HIDDEN.wrong("2_1.e", "the largest minus the smallest")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.ptp(before[order] - after)


@HIDDEN.wrong("2_1.e", "the places are added to the outputs")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x, W_Q, W_K, W_V) + places @ W_V
    after = set_outputs(x[order], W_Q, W_K, W_V) + places @ W_V
    return np.abs(after - before[order]).max()


@HIDDEN.wrong("2_1.e", "return one number")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after - before[order]).max(axis=1)


@HIDDEN.wrong("2_1.e", "outputs of attention are asked")
def largest_change(x, places, W_Q, W_K, W_V, order):
    return np.abs(x[order] - x).max()


@HIDDEN.wrong("2_1.e", "added in both calls?")
def largest_change(x, places, W_Q, W_K, W_V, order):
    # places only after the shuffle
    before = set_outputs(x, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after - before[order]).max()


@HIDDEN.wrong("2_1.e", "changes its argument in place")
def largest_change(x, places, W_Q, W_K, W_V, order):
    x += places
    before = set_outputs(x, W_Q, W_K, W_V)
    after = set_outputs(x[order] + places, W_Q, W_K, W_V)
    return np.abs(after - before[order]).max()


@HIDDEN.wrong("2_1.e", "changes its argument in place")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    x[:] = x[order]
    after = set_outputs(x + places, W_Q, W_K, W_V)
    return np.abs(after - before[order]).max()


@HIDDEN.wrong("2_1.e", "raised")
def largest_change(x, places, W_Q, W_K, W_V, order):
    # shuffles the columns
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[:, order] + places, W_Q, W_K, W_V)
    return np.abs(after - before[order]).max()


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


@HIDDEN.wrong("2_1.e", "the rows are turned round")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[::-1] + places, W_Q, W_K, W_V)
    return np.abs(after - before[::-1]).max()


@HIDDEN.wrong("2_1.e", "x is shuffled by the inverse order")
def largest_change(x, places, W_Q, W_K, W_V, order):
    inverse = np.argsort(order)
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[inverse] + places, W_Q, W_K, W_V)
    return np.abs(after - before[inverse]).max()


@HIDDEN.wrong("2_1.e", "in one of two calls")
def largest_change(x, places, W_Q, W_K, W_V, order):
    before = set_outputs(x + places, W_Q, W_K, W_V)
    after = set_outputs(x[order], W_Q, W_K, W_V)
    return np.abs(after - before[order]).max()


for choice in ("order", 2, True):  # a word that is not offered, or no word
    HIDDEN.wrong_answers.append(
        WrongAnswer("2_1.e", "set prediction to one of", {"prediction": choice})
    )
