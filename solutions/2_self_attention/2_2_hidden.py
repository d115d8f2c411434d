"""Hidden checks and known wrong answers of exercises 2.2.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient
from attnbook.check.engine import Wrong

HIDDEN = Hidden(withheld=("attention", "tiled"))


def sizes(rng):
    """b, i, j, d, e, all different."""
    return rng.permutation([2, 3, 5, 6, 7])


@HIDDEN.check("2_2.a", "random sizes")
def back_anywhere(answer, rng, reference):
    b, i, j, d, e = sizes(rng)
    shapes = (b, i, d), (b, j, d), (b, j, e), (b, i, e)
    args = tuple(rng.normal(size=s) * 2 for s in shapes)
    agree(answer, reference, "attention_gradients", args, "random", 3, 1e-4)


@HIDDEN.check("2_2.b", "random sizes")
def vjp_anywhere(answer, rng, reference):
    b, n = rng.permutation([3, 5, 8])[:2]
    args = rng.normal(size=(b, n)) * 30, rng.normal(size=(b, n))
    agree(answer, reference, "softmax_vjp", args, "random", tolerance=1e-4)


@HIDDEN.check("2_2.c", "random deviations")
def scale_anywhere(answer, rng, reference):
    mu, sigma_q, sigma_k = (float(x) for x in rng.uniform(0.2, 3, 3))
    args = int(rng.integers(2, 99)), mu, sigma_q, sigma_k
    agree(answer, reference, "score_scale", args, "random", 2)


@HIDDEN.check("2_2.d", "random sizes, values and gradients")
def heads_anywhere(answer, rng, reference):
    b, i, j, d, heads = (int(x) for x in sizes(rng))
    w = d * heads
    args = (*(rng.normal(size=s) for s in [(b, i, w), (b, j, w), (b, j, w)]),)
    args = (*args, heads)
    agree(answer, reference, "attend_in_heads", args, "random", tolerance=1e-5)
    u = rng.normal(size=(b, i, w))
    agree_in_gradient(answer, reference, "attend_in_heads", args, u, 1e-4)


@HIDDEN.check("2_2.e", "random settings")
def share_anywhere(answer, rng, reference):
    d, n = int(rng.integers(10, 90)), int(rng.integers(3, 20))
    args = d, n, float(rng.uniform(0.5, 2)), 4000, int(rng.integers(1e6))
    got, want = (
        float(a.call("saturated_share", *args)) for a in (answer, reference)
    )
    if not abs(got - want) <= 0.04:  # nan too
        raise Wrong(f"a random setting: {got:.3f} is off by more than noise.")


# --- a ---------------------------------------------------------------------


def weights(s, axis=-1):
    e = np.exp(s - s.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def back(q, k, v, do, ahead, behind, axis=-1, row=None):
    """The right way with its parts exchanged: factors, softmax axis, dS."""
    a = weights(ahead * q @ k.swapaxes(1, 2), axis)
    da = do @ v.swapaxes(1, 2)
    ds = (
        a * (da - (a * da).sum(-1, keepdims=True))
        if row is None
        else row(a, da)
    )
    dq, dk = behind * ds @ k, behind * ds.swapaxes(1, 2) @ q
    return dq, dk, a.swapaxes(1, 2) @ do


@HIDDEN.wrong("2_2.a", "the root of d is cut to a whole number")
def attention_gradients(q, k, v, do):
    f = 1 / int(q.shape[-1] ** 0.5)
    return back(q, k, v, do, f, f)


@HIDDEN.wrong("2_2.a", "dQ where d = 7")
def attention_gradients(q, k, v, do):
    root = q.shape[-1] ** 0.5
    return back(q, k, v, do, 1 / root, 1 / int(root))


@HIDDEN.wrong("2_2.a", "for arrays of integers")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    return tuple(
        g.astype(x.dtype) for g, x in zip(back(q, k, v, do, f, f), (q, k, v))
    )


@HIDDEN.wrong("2_2.a", "the scores are not divided by sqrt(d)")
def attention_gradients(q, k, v, do):
    return back(q, k, v, do, 1, 1)


@HIDDEN.wrong("2_2.a", "the factor 1/sqrt(d) is missing on the way back")
def attention_gradients(q, k, v, do):
    return back(q, k, v, do, q.shape[-1] ** -0.5, 1)


@HIDDEN.wrong("2_2.a", "the scores are divided by d, not by sqrt(d)")
def attention_gradients(q, k, v, do):
    return back(q, k, v, do, 1 / q.shape[-1], 1 / q.shape[-1])


@HIDDEN.wrong("2_2.a", "the way back divides by d, not by sqrt(d)")
def attention_gradients(q, k, v, do):
    return back(q, k, v, do, q.shape[-1] ** -0.5, 1 / q.shape[-1])


@HIDDEN.wrong("2_2.a", "sqrt(d), not sqrt(e)")
def attention_gradients(q, k, v, do):
    return back(q, k, v, do, v.shape[-1] ** -0.5, v.shape[-1] ** -0.5)


@HIDDEN.wrong("2_2.a", "the softmax runs over the queries")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f, axis=-2)


@HIDDEN.wrong("2_2.a", "the row-sum term is missing")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f, row=lambda a, da: a * da)


@HIDDEN.wrong("2_2.a", "the subtracted sum runs over the queries")
def attention_gradients(q, k, v, do):
    def row(a, da):
        return a * (da - (a * da).sum(axis=-2, keepdims=True))

    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f, row=row)


@HIDDEN.wrong("2_2.a", "the subtracted sum lacks the weights")
def attention_gradients(q, k, v, do):
    def row(a, da):
        return a * (da - da.sum(axis=-1, keepdims=True))

    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f, row=row)


@HIDDEN.wrong("2_2.a", "the weight in front of the bracket is missing")
def attention_gradients(q, k, v, do):
    def row(a, da):
        return da - (a * da).sum(axis=-1, keepdims=True)

    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f, row=row)


@HIDDEN.wrong("2_2.a", "the softmax is skipped")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f, row=lambda a, da: da)


@HIDDEN.wrong("2_2.a", "the row-sum term is added")
def attention_gradients(q, k, v, do):
    def row(a, da):
        return a * (da + (a * da).sum(axis=-1, keepdims=True))

    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f, row=row)


@HIDDEN.wrong("2_2.a", "transpose dS")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    a = weights(f * q @ k.swapaxes(1, 2))
    da = do @ v.swapaxes(1, 2)
    ds = a * (da - (a * da).sum(axis=-1, keepdims=True))
    return f * ds @ k, f * ds @ q, a.swapaxes(1, 2) @ do


@HIDDEN.wrong("2_2.a", "you multiplied by the keys")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    a = weights(f * q @ k.swapaxes(1, 2))
    da = do @ v.swapaxes(1, 2)
    ds = a * (da - (a * da).sum(axis=-1, keepdims=True))
    return f * ds @ k, f * ds.swapaxes(1, 2) @ k, a.swapaxes(1, 2) @ do


@HIDDEN.wrong("2_2.a", "the factor 1/sqrt(d) is missing in dK")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    dq, dk, dv = back(q, k, v, do, f, f)
    return dq, dk / f, dv


@HIDDEN.wrong("2_2.a", "changes its argument in place")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    q *= f
    dq, dk, dv = back(q, k, v, do, 1, 1)
    return f * dq, dk, dv


@HIDDEN.wrong("2_2.a", "return dq first, then dk, then dv")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f)[::-1]


@HIDDEN.wrong("2_2.a", "exp overflows")
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    a = np.exp(f * q @ k.swapaxes(1, 2))
    a = a / a.sum(axis=-1, keepdims=True)
    da = do @ v.swapaxes(1, 2)
    ds = a * (da - (a * da).sum(axis=-1, keepdims=True))
    return f * ds @ k, f * ds.swapaxes(1, 2) @ q, a.swapaxes(1, 2) @ do


@HIDDEN.wrong("2_2.a", "of one example needs no other")
def attention_gradients(q, k, v, do):
    # the first example's keys for all
    f = q.shape[-1] ** -0.5
    return back(q, np.repeat(k[:1], len(k), 0), v, do, f, f)


# --- b ---------------------------------------------------------------------


@HIDDEN.wrong("2_2.b", "for arrays of integers")
def softmax_vjp(s, u):
    out, a = np.zeros_like(u), weights(s)
    out[:] = a * (u - (a * u).sum(-1, keepdims=True))
    return out


@HIDDEN.wrong("2_2.b", "the loss's slope")
def softmax_vjp(s, u):
    a, out = weights(s[:, :5]), np.zeros_like(u)
    out[:, :5] = a * (u[:, :5] - (a * u[:, :5]).sum(-1, keepdims=True))
    return out


@HIDDEN.wrong("2_2.b", "the weighted mean of u is not subtracted")
def softmax_vjp(s, u):
    return weights(s) * u


@HIDDEN.wrong("2_2.b", "not the plain mean")
def softmax_vjp(s, u):
    return weights(s) * (u - u.mean(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "not its sum")
def softmax_vjp(s, u):
    return weights(s) * (u - u.sum(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "the weight in front of the bracket")
def softmax_vjp(s, u):
    return u - (weights(s) * u).sum(axis=-1, keepdims=True)


@HIDDEN.wrong("2_2.b", "s holds scores, not weights")
def softmax_vjp(s, u):
    return s * (u - (s * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "the sum runs over the batch")
def softmax_vjp(s, u):
    a = weights(s)
    return a * (u - (a * u).sum(axis=0, keepdims=True))


@HIDDEN.wrong("2_2.b", "the softmax runs over the batch")
def softmax_vjp(s, u):
    a = weights(s, axis=0)
    return a * (u - (a * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "the sign is turned round")
def softmax_vjp(s, u):
    a = weights(s)
    return a * ((a * u).sum(axis=-1, keepdims=True) - u)


@HIDDEN.wrong("2_2.b", "subtract each row's largest score")
def softmax_vjp(s, u):
    a = np.exp(s) / np.exp(s).sum(axis=-1, keepdims=True)
    return a * (u - (a * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "subtract each row's largest score")
def softmax_vjp(s, u):
    # one largest score for all rows: the other rows underflow
    e = np.exp(s - s.max())
    a = e / e.sum(axis=-1, keepdims=True)
    return a * (u - (a * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "do not build it")
def softmax_vjp(s, u):
    rows = [(np.diag(a) - np.outer(a, a)) @ x for a, x in zip(weights(s), u)]
    return np.stack(rows)


@HIDDEN.wrong("2_2.b", "changes its argument in place")
def softmax_vjp(s, u):
    a = weights(s)
    u -= (a * u).sum(axis=-1, keepdims=True)
    return a * u


@HIDDEN.wrong("2_2.b", "u is not used")
def softmax_vjp(s, u):
    return weights(s)


@HIDDEN.wrong("2_2.b", "only the diagonal")
def softmax_vjp(s, u):
    a = weights(s)
    return a * (1 - a) * u


@HIDDEN.wrong("2_2.b", "do not average it")
def softmax_vjp(s, u):
    a = weights(s)
    return a * (u - (a * u).mean(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "taken along the batch")
def softmax_vjp(s, u):
    a = np.exp(s - s.max(axis=0))
    a = a / a.sum(axis=-1, keepdims=True)
    return a * (u - (a * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "nothing is added to a sum")
def softmax_vjp(s, u):
    a = weights(s) / (1 + 1e-6)
    return a * (u - (a * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "yours is of u alone")
def softmax_vjp(s, u):
    a = weights(s)
    return a * (u - a * u.sum(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "nothing may be cut off")
def softmax_vjp(s, u):
    a = np.where(weights(s) < 1e-6, 0, weights(s))
    return a * (u - (a * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("2_2.b", "are scores clipped")
def softmax_vjp(s, u):
    a = weights(np.clip(s, -700, 700))
    return a * (u - (a * u).sum(axis=-1, keepdims=True))


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("2_2.c", "counts in the factor too")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 + mu**2) * sigma_k**2
    return variance, 1 / (d**0.5 * sigma_q * sigma_k)


@HIDDEN.wrong("2_2.c", "the mean of a score is 0")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 + mu**2) * sigma_k**2 + (d * mu) ** 2
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "one by one")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q + mu) ** 2 * sigma_k**2
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "not d^2")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = (d * sigma_q**2 + d**2 * mu**2) * sigma_k**2
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "draws only estimate it")
def score_scale(d, mu, sigma_q, sigma_k):
    rng = np.random.default_rng(0)
    q = rng.normal(mu, sigma_q, (9000, d))
    variance = (q * rng.normal(0, sigma_k, (9000, d))).sum(axis=1).var()
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "the query's mean counts")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * sigma_q**2 * sigma_k**2
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "square the mean")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 + mu) * sigma_k**2
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "the square of a standard deviation")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q + mu**2) * sigma_k
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "add up the d products")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = (sigma_q**2 + mu**2) * sigma_k**2
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "add d variances, not d^2")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d**2 * (sigma_q**2 + mu**2) * sigma_k**2
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "that is the standard deviation")
def score_scale(d, mu, sigma_q, sigma_k):
    spread = (d * (sigma_q**2 + mu**2)) ** 0.5 * sigma_k
    return spread, 1 / spread


@HIDDEN.wrong("2_2.c", "not taken away")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 - mu**2) * sigma_k**2
    return variance, abs(variance) ** -0.5


@HIDDEN.wrong("2_2.c", "the mean is the query's")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * sigma_q**2 * (sigma_k**2 + mu**2)
    return variance, variance**-0.5


@HIDDEN.wrong("2_2.c", "take the root")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 + mu**2) * sigma_k**2
    return variance, 1 / variance


@HIDDEN.wrong("2_2.c", "the factor divides")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 + mu**2) * sigma_k**2
    return variance, variance**0.5


@HIDDEN.wrong("2_2.c", "only when the variance is d")
def score_scale(d, mu, sigma_q, sigma_k):
    return d * (sigma_q**2 + mu**2) * sigma_k**2, d**-0.5


@HIDDEN.wrong("2_2.c", "return the variance first")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 + mu**2) * sigma_k**2
    return variance**-0.5, variance


# --- d ---------------------------------------------------------------------


def cut(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def in_heads(q, k, v, heads, divide, axis=-1):
    s = cut(q, heads) @ cut(k, heads).mT / divide
    out = s.softmax(dim=axis) @ cut(v, heads)
    return out.transpose(1, 2).flatten(start_dim=2)


@HIDDEN.wrong("2_2.d", "seven keys in reverse order")
def attend_in_heads(q, k, v, heads):
    q, k, v = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    s = (q @ k.mT / q.shape[-1] ** 0.5)[..., :5]
    return (s.softmax(-1) @ v[..., :5, :]).transpose(1, 2).flatten(2)


@HIDDEN.wrong("2_2.d", "the root of the whole width")
def attend_in_heads(q, k, v, heads):
    return in_heads(q, k, v, heads, q.shape[-1] ** 0.5)


@HIDDEN.wrong("2_2.d", "not divided at all")
def attend_in_heads(q, k, v, heads):
    return in_heads(q, k, v, heads, 1)


@HIDDEN.wrong("2_2.d", "the head's width, not its root")
def attend_in_heads(q, k, v, heads):
    return in_heads(q, k, v, heads, q.shape[-1] // heads)


@HIDDEN.wrong("2_2.d", "the root of the number of heads")
def attend_in_heads(q, k, v, heads):
    return in_heads(q, k, v, heads, heads**0.5)


@HIDDEN.wrong("2_2.d", "the root of the number of keys")
def attend_in_heads(q, k, v, heads):
    return in_heads(q, k, v, heads, k.shape[1] ** 0.5)


@HIDDEN.wrong("2_2.d", "the softmax runs over the queries")
def attend_in_heads(q, k, v, heads):
    return in_heads(q, k, v, heads, (q.shape[-1] // heads) ** 0.5, axis=-2)


@HIDDEN.wrong("2_2.d", "the softmax runs over the heads")
def attend_in_heads(q, k, v, heads):
    return in_heads(q, k, v, heads, (q.shape[-1] // heads) ** 0.5, axis=1)


@HIDDEN.wrong("2_2.d", "heads are mixed up")
def attend_in_heads(q, k, v, heads):
    # one head over the whole width
    a = (q @ k.mT / (q.shape[-1] // heads) ** 0.5).softmax(dim=-1)
    return a @ v


@HIDDEN.wrong("2_2.d", "heads are mixed up")
def attend_in_heads(q, k, v, heads):
    # reshaped without transposing
    def part(x):
        return x.reshape(len(x), heads, x.shape[1], -1)

    root = (q.shape[-1] // heads) ** 0.5
    a = (part(q) @ part(k).mT / root).softmax(dim=-1)
    return (a @ part(v)).reshape(q.shape)


@HIDDEN.wrong("2_2.d", "the gradient of q, k")
def attend_in_heads(q, k, v, heads):
    root = (q.shape[-1] // heads) ** 0.5
    a = (cut(q, heads) @ cut(k, heads).mT / root).softmax(dim=-1).detach()
    return (a @ cut(v, heads)).transpose(1, 2).flatten(start_dim=2)


@HIDDEN.wrong("2_2.d", "changes its argument in place")
def attend_in_heads(q, k, v, heads):
    with torch.no_grad():
        q /= (q.shape[-1] // heads) ** 0.5
    return in_heads(q, k, v, heads, 1)


# --- e ---------------------------------------------------------------------


def norms(d, n, factor, queries, seed, axis=-1):
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=(queries, d)), rng.normal(size=(queries, n, d))
    a = weights(factor * np.einsum("qd,qnd->qn", q, k), axis)
    square = (a**2).sum(-1)
    rest = square - 2 * (a**3).sum(-1) + square**2
    return np.sqrt(np.maximum(rest, 0)), a


@HIDDEN.wrong("2_2.e", "as many as `queries` says")
def saturated_share(d, n, factor, queries, seed):
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=(2000, d)), rng.normal(size=(2000, n, d))
    a = weights(factor * np.einsum("qd,qnd->qn", q, k))
    square = (a**2).sum(-1)
    return (square - 2 * (a**3).sum(-1) + square**2 < 1e-6).mean()


@HIDDEN.wrong("2_2.e", "not its square")
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, factor, queries, seed)[0] ** 2 < 1e-3).mean()


@HIDDEN.wrong("2_2.e", "the largest weight")
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, factor, queries, seed)[1].max(-1) > 0.99).mean()


@HIDDEN.wrong("2_2.e", "is the softmax over the keys")
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, factor, queries, seed, axis=0)[0] < 1e-3).mean()


@HIDDEN.wrong("2_2.e", "queries that are not saturated")
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, factor, queries, seed)[0] >= 1e-3).mean()


@HIDDEN.wrong("2_2.e", "multiplied by the factor")
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, 1, queries, seed)[0] < 1e-3).mean()


@HIDDEN.wrong("2_2.e", "instead of")
def saturated_share(d, n, factor, queries, seed):
    # divides by sqrt(d) whatever the factor
    return (norms(d, n, d**-0.5, queries, seed)[0] < 1e-3).mean()


@HIDDEN.wrong("2_2.e", "the same seed gives other")
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, factor, queries, None)[0] < 1e-3).mean()


@HIDDEN.wrong("2_2.e", "different seeds give the same")
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, factor, queries, 0)[0] < 1e-3).mean()


def jacobians(d, n, factor, queries, seed):
    _, a = norms(d, n, factor, queries, seed)
    return a[..., None] * np.eye(n) - a[..., None] * a[:, None]


SIZES = {  # of J, none of them the norm that is asked for
    "not its trace": lambda J: J.trace(axis1=1, axis2=2),
    "a sum along a row": lambda J: np.abs(J).sum(axis=1).max(axis=1),
    "the largest number of J": lambda J: np.linalg.norm(J, 2, axis=(1, 2)),
}
for says, size in SIZES.items():

    @HIDDEN.wrong("2_2.e", says)
    def saturated_share(d, n, factor, queries, seed, size=size):
        return (size(jacobians(d, n, factor, queries, seed)) < 1e-3).mean()


@HIDDEN.wrong("2_2.e", "not with its remainder")
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, factor, queries, seed % 2)[0] < 1e-3).mean()


@HIDDEN.wrong("2_2.e", "the product of a query and a key")
def saturated_share(d, n, factor, queries, seed):
    scores = np.random.default_rng(seed).normal(size=(queries, n))
    a = weights(factor * d**0.5 * scores)  # as wide as they are on average
    square = (a**2).sum(-1)
    return (square - 2 * (a**3).sum(-1) + square**2 < 1e-6).mean()


@HIDDEN.wrong("2_2.e", "exp overflows to nan")
def saturated_share(d, n, factor, queries, seed):
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=(queries, d)), rng.normal(size=(queries, n, d))
    a = np.exp(factor * np.einsum("qd,qnd->qn", q, k))
    a = a / a.sum(axis=-1, keepdims=True)
    square = (a**2).sum(-1)
    return (square - 2 * (a**3).sum(-1) + square**2 < 1e-6).mean()


@HIDDEN.wrong("2_2.e", "between 0 and 1")
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, factor, queries, seed)[0] < 1e-3).sum()


@HIDDEN.wrong("2_2.e", "return one number")
def saturated_share(d, n, factor, queries, seed):
    return norms(d, n, factor, queries, seed)[0] < 1e-3


# --- passed once -----------------------------------------------------------


def with_softmax(e):
    """attention_gradients with other exponentials of the scores."""

    def attention_gradients(q, k, v, do):
        f = q.shape[-1] ** -0.5
        a = e(f * q @ k.swapaxes(1, 2))
        a = a / a.sum(axis=-1, keepdims=True)
        da = do @ v.swapaxes(1, 2)
        ds = a * (da - (a * da).sum(axis=-1, keepdims=True))
        return f * ds @ k, f * ds.swapaxes(1, 2) @ q, a.swapaxes(1, 2) @ do

    return attention_gradients


for_rows = HIDDEN.wrong("2_2.a", "each row's own largest score")
for_rows(with_softmax(lambda s: np.exp(s - s.max())))
for_rows(with_softmax(lambda s: np.exp(s - s.max((1, 2), keepdims=True))))
for reason, row in {
    "only the diagonal": lambda a, da: a * (1 - a) * da,
    "not its plain mean": lambda a, da: a * (da - da.mean(-1, keepdims=True)),
}.items():

    @HIDDEN.wrong("2_2.a", reason)
    def attention_gradients(q, k, v, do, row=row):
        f = q.shape[-1] ** -0.5
        return back(q, k, v, do, f, f, row=row)


HIDDEN.wrong("2_2.a", "the scores are clipped")(
    with_softmax(lambda s: np.exp(np.clip(s, -700, 700)))
)


def vjp_less(shift):
    def softmax_vjp(s, u):
        a = np.exp(s - shift(s, axis=-1, keepdims=True))
        a = a / a.sum(axis=-1, keepdims=True)
        return a * (u - (a * u).sum(axis=-1, keepdims=True))

    return softmax_vjp


for shift in (np.mean, np.median):
    HIDDEN.wrong("2_2.b", "subtract each row's largest score")(vjp_less(shift))


@HIDDEN.wrong("2_2.c", "a negative mean")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 + mu * abs(mu)) * sigma_k**2
    return variance, abs(variance) ** -0.5


@HIDDEN.wrong("2_2.c", "the variance")
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 + mu**2) * sigma_k**sigma_k
    return variance, variance**-0.5


def wrong_root(says, root):
    def attend_in_heads(q, k, v, heads):
        return in_heads(q, k, v, heads, root(q.shape[-1], heads))

    HIDDEN.wrong("2_2.d", says)(attend_in_heads)


wrong_root("are divided by 2;", lambda w, heads: 2.0)
wrong_root("the root of a head's width", lambda w, heads: (w / 2) ** 0.5)
wrong_root("not divided", lambda w, heads: 1 if heads == 2 else 2)
wrong_root("heads go under the root", lambda w, heads: w**0.5 / heads)
wrong_root("times `heads`", lambda w, heads: w**0.5 * heads)


@HIDDEN.wrong("2_2.d", "the gradient of v is not")
def attend_in_heads(q, k, v, heads):
    return in_heads(q, k, v.detach(), heads, (q.shape[-1] // heads) ** 0.5)


@HIDDEN.wrong("2_2.d", "the gradient of k is not")
def attend_in_heads(q, k, v, heads):
    k = 2 * k - k.detach()
    return in_heads(q, k, v, heads, (q.shape[-1] // heads) ** 0.5)


def shared(draw):
    def saturated_share(d, n, factor, queries, seed):
        q, k = draw(np.random.default_rng(seed), d, n, queries)
        a = weights(factor * np.einsum("qd,qnd->qn", q, k))
        rest = (a**2).sum(-1) - 2 * (a**3).sum(-1) + (a**2).sum(-1) ** 2
        return (rest < 1e-6).mean()

    HIDDEN.wrong("2_2.e", "keys are shared")(saturated_share)


@shared
def one_query(rng, d, n, queries):
    q = np.repeat(rng.normal(size=(1, d)), queries, 0)
    return q, rng.normal(size=(queries, n, d))


@shared
def keys_in_pairs(rng, d, n, queries):
    k = rng.normal(size=((queries + 1) // 2, n, d))
    return rng.normal(size=(queries, d)), np.repeat(k, 2, 0)[:queries]
