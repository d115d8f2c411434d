"""Hidden checks and known wrong answers of exercises 2.2.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch  # noqa: F401 (edits use it)

from attnbook.check.against import Hidden, agree, agree_in_gradient
from attnbook.check.engine import Wrong

HIDDEN = Hidden(globals(), withheld=("nn.attention", "nn.tiled"))


def sizes(rng):
    """b, i, j, d, e, all different."""
    return rng.permutation([2, 3, 5, 6, 7])


@HIDDEN.check("2_2.a", "random sizes")
def back_anywhere(answer, rng, reference):
    b, i, j, d, e = sizes(rng)
    shapes = (b, i, d), (b, j, d), (b, j, e), (b, i, e)
    args = tuple(rng.normal(size=s) * 2 for s in shapes)
    agree(answer, reference, "attention_gradients", args, "random", 3, 1e-4)


@HIDDEN.agrees("2_2.b", "softmax_vjp", title="random sizes", tolerance=1e-4)
def vjp_anywhere(rng):
    b, n = rng.permutation([3, 5, 8])[:2]
    return rng.normal(size=(b, n)) * 30, rng.normal(size=(b, n))


@HIDDEN.agrees("2_2.c", "score_scale", title="random deviations", parts=2)
def scale_anywhere(rng):
    mu, sigma_q, sigma_k = (float(x) for x in rng.uniform(0.2, 3, 3))
    return int(rng.integers(2, 99)), mu, sigma_q, sigma_k


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


HIDDEN.mutants("2_2.a", """
def attention_gradients(q, k, v, do):
    return back(q, k, v, do, q.shape[-1] ** -0.5, 1)
""", [
    ("q.shape[-1] ** -0.5", "1", "the scores are not divided by sqrt(d)"),
    ([], "the factor 1/sqrt(d) is missing on the way back"),
    ([("do,", "do, 1 /"), ("** -0.5, 1", ", 1 / q.shape[-1]")],
     "the scores are divided by d, not by sqrt(d)"),
    (", 1", ", 1 / q.shape[-1]", "the way back divides by d, not by sqrt(d)"),
    ([("q.", "v."), (", 1", ", v.shape[-1] ** -0.5")], "sqrt(d), not sqrt(e)"),
])  # fmt: skip
HIDDEN.mutants("2_2.a", """
def attention_gradients(q, k, v, do):
    def row(a, da):
        return a * (da - (a * da).sum(axis=-2, keepdims=True))

    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f, row=row)
""", [
    ([], "the subtracted sum runs over the queries"),
    ([("(a * da)", "da"), ("2", "1")], "the subtracted sum lacks the weights"),
    ("a * (da - (a * da).sum(axis=-2, keepdims=True))",
     "da - (a * da).sum(axis=-1, keepdims=True)",
     "the weight in front of the bracket is missing"),
    ([("da -", "da +"), ("2", "1")], "the row-sum term is added"),
])  # fmt: skip
HIDDEN.mutants("2_2.a", """
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    a = weights(f * q @ k.swapaxes(1, 2))
    da = do @ v.swapaxes(1, 2)
    ds = a * (da - (a * da).sum(axis=-1, keepdims=True))
    return f * ds @ k, f * ds @ q, a.swapaxes(1, 2) @ do
""", [
    ([], "transpose dS"),
    ("@ q", ".swapaxes(1, 2) @ k", "you multiplied by the keys"),
    ([("weights", "np.exp"),
      ("2))", "2))\n    a = a / a.sum(axis=-1, keepdims=True)"),
      ("@ q", ".swapaxes(1, 2) @ q")], "exp overflows"),
])  # fmt: skip
HIDDEN.mutants("2_2.a", """
def attention_gradients(q, k, v, do):
    f = q.shape[-1] ** -0.5
    return back(q, k, v, do, f, f)[::-1]
""", [
    ([("q.shape[-1] ** -0.5", "1 / int(q.shape[-1] ** 0.5)"), ("[::-1]", "")],
     "the root of d is cut to a whole number"),
    ([("-0.5", "0.5"), ("f, f)[::-1]", "1 / f, 1 / int(f))")],
     "dQ where d = 7"),
    ([("back", "tuple(g.astype(x.dtype) for g, x in zip(back"),
      ("[::-1]", ", (q, k, v)))")], "for arrays of integers"),
    ("f)[::-1]", "f, axis=-2)", "the softmax runs over the queries"),
    ("f)[::-1]", "f, row=lambda a, da: a * da)", "the row-sum term is missing"),
    ("f)[::-1]", "f, row=lambda a, da: da)", "the softmax is skipped"),
    ([("return", "dq, dk, dv ="), ("[::-1]", "\n    return dq, dk / f, dv")],
     "the factor 1/sqrt(d) is missing in dK"),
    ([("return", "q *= f\n    dq, dk, dv ="),
      ("f, f)[::-1]", "1, 1)\n    return f * dq, dk, dv")],
     "changes its argument in place"),
    ([], "return dq first, then dk, then dv"),
    ([("k, v, do,", "np.repeat(k[:1], len(k), 0), v, do,"), ("[::-1]", "")],
     "of one example needs no other"),  # the first example's keys for all
])  # fmt: skip

# --- b ---------------------------------------------------------------------

HIDDEN.mutants("2_2.b", """
def softmax_vjp(s, u):
    a = weights(s)
    return a * (u - (a * u).sum(axis=0, keepdims=True))
""", [
    ([("a =", "out, a = np.zeros_like(u),"), ("return", "out[:] ="),
      ("axis=0, keepdims=True))", "-1, keepdims=True))\n    return out")],
     "for arrays of integers"),
    ("a = weights(s)\n    return a * (u - (a * u).sum(axis=0, keepdims=True))",
     "return weights(s) * u", "the weighted mean of u is not subtracted"),
    ([("a = weights(s)\n    return a", "return weights(s)"),
      ("(a * u).sum(axis=0", "u.mean(axis=-1")], "not the plain mean"),
    ([("a = weights(s)\n    return a * (u - (a * u)",
       "return weights(s) * (u - u"), ("0", "-1")], "not its sum"),
    ("a = weights(s)\n    return a * (u - (a * u).sum(axis=0, keepdims=True))",
     "return u - (weights(s) * u).sum(axis=-1, keepdims=True)",
     "the weight in front of the bracket"),
    ([("a = weights(s)\n    return a * (u - (a", "return s * (u - (s"),
      ("0", "-1")], "s holds scores, not weights"),
    ([], "the sum runs over the batch"),
    ([("0", "-1"), ("(s)", "(s, axis=0)")], "the softmax runs over the batch"),
    ([("u -", ""), ("(axis=0, keepdims=True)", "(axis=-1, keepdims=True) - u")],
     "the sign is turned round"),
    ([("weights(s)", "np.exp(s) / np.exp(s).sum(axis=-1, keepdims=True)"),
      ("0", "-1")], "subtract each row's largest score"),
    # one largest score for all rows: the other rows underflow
    ([("a = weights(s)",
       "e = np.exp(s - s.max())\n    a = e / e.sum(axis=-1, keepdims=True)"),
      ("0", "-1")], "subtract each row's largest score"),
    ([("a =", "rows = [(np.diag(a) - np.outer(a, a)) @ x for a, x in zip("),
      ("\n    return a * (u - (a * u).sum(axis=0, keepdims=True))",
       ", u)]\n    return np.stack(rows)")], "do not build it"),
    ("return a * (u - (a * u).sum(axis=0, keepdims=True))",
     "u -= (a * u).sum(axis=-1, keepdims=True)\n    return a * u",
     "changes its argument in place"),
    ("a = weights(s)\n    return a * (u - (a * u).sum(axis=0, keepdims=True))",
     "return weights(s)", "u is not used"),
    ("(u - (a * u).sum(axis=0, keepdims=True))", "(1 - a) * u",
     "only the diagonal"),
    ([("sum", "mean"), ("0", "-1")], "do not average it"),
    ([("0", "-1"), ("weights(s)",
       "np.exp(s - s.max(axis=0))\n    a = a / a.sum(axis=-1, keepdims=True)")],
     "taken along the batch"),
    ([("(s)", "(s) / (1 + 1e-6)"), ("0", "-1")], "nothing is added to a sum"),
    ([("(a * u)", "a * u"), ("0", "-1")], "yours is of u alone"),
    ([("0", "-1"),
      ("weights(s)", "np.where(weights(s) < 1e-6, 0, weights(s))")],
     "nothing may be cut off"),
    ([("0", "-1"), ("(s)", "(np.clip(s, -700, 700))")], "are scores clipped"),
])  # fmt: skip


@HIDDEN.wrong("2_2.b", "the loss's slope")
def softmax_vjp(s, u):
    a, out = weights(s[:, :5]), np.zeros_like(u)
    out[:, :5] = a * (u[:, :5] - (a * u[:, :5]).sum(-1, keepdims=True))
    return out


# --- c ---------------------------------------------------------------------

HIDDEN.mutants("2_2.c", """
def score_scale(d, mu, sigma_q, sigma_k):
    variance = d * (sigma_q**2 + mu) * sigma_k**2
    return variance, variance**-0.5
""", [
    ([("+ mu", "+ mu**2"),
      ("variance**-0.5", "1 / (d**0.5 * sigma_q * sigma_k)")],
     "counts in the factor too"),
    (") * sigma_k", "**2) * sigma_k**2 + (d * mu)", "the mean of a score is 0"),
    ("(sigma_q**2 + mu)", "(sigma_q + mu) ** 2", "one by one"),
    ("d * (sigma_q**2 + mu)", "(d * sigma_q**2 + d**2 * mu**2)", "not d^2"),
    ("(sigma_q**2 + mu)", "sigma_q**2", "the query's mean counts"),
    ([], "square the mean"),
    ([("**2 + mu", "+ mu**2"), ("sigma_k**2", "sigma_k")],
     "the square of a standard deviation"),
    ([(" d *", ""), ("+ mu", "+ mu**2")], "add up the d products"),
    ([("d *", "d**2 *"), ("+ mu", "+ mu**2")], "add d variances, not d^2"),
    ([("d * (sigma_q**2 + mu) * sigma_k**2",
       "(d * (sigma_q**2 + mu**2)) ** 0.5 * sigma_k"),
      ("variance**-0.5", "1 / variance")], "that is the standard deviation"),
    ([("+ mu", "- mu**2"), (", variance", ", abs(variance)")],
     "not taken away"),
    ("(sigma_q**2 + mu) * sigma_k**2", "sigma_q**2 * (sigma_k**2 + mu**2)",
     "the mean is the query's"),
    ([("+ mu", "+ mu**2"), ("variance**-0.5", "1 / variance")],
     "take the root"),
    ([("+ mu", "+ mu**2"), ("-0.5", "0.5")], "the factor divides"),
    ([("variance = d * (sigma_q**2 + mu)", "return d * (sigma_q**2 + mu**2)"),
      ("\n    return variance, variance", ", d")],
     "only when the variance is d"),
    ([("+ mu", "+ mu**2"), (", variance**-0.5", "**-0.5, variance")],
     "return the variance first"),
    ([("+ mu", "+ mu * abs(mu)"), (", variance", ", abs(variance)")],
     "a negative mean"),
    ([("+ mu", "+ mu**2"), ("2\n    ", "sigma_k\n    ")], "the variance"),
])  # fmt: skip


@HIDDEN.wrong("2_2.c", "draws only estimate it")
def score_scale(d, mu, sigma_q, sigma_k):
    rng = np.random.default_rng(0)
    q = rng.normal(mu, sigma_q, (9000, d))
    variance = (q * rng.normal(0, sigma_k, (9000, d))).sum(axis=1).var()
    return variance, variance**-0.5


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


HIDDEN.mutants("2_2.d", """
def attend_in_heads(q, k, v, heads):
    return in_heads(q, k, v, heads, q.shape[-1] ** 0.5)
""", [
    ([], "the root of the whole width"),
    ("q.shape[-1] ** 0.5", "1", "not divided at all"),
    ("** 0.5", "// heads", "the head's width, not its root"),
    ("q.shape[-1]", "heads", "the root of the number of heads"),
    ("q.shape[-1]", "k.shape[1]", "the root of the number of keys"),
    ("q.shape[-1] ** 0.5", "(q.shape[-1] // heads) ** 0.5, axis=-2",
     "the softmax runs over the queries"),
    ("q.shape[-1] ** 0.5", "(q.shape[-1] // heads) ** 0.5, axis=1",
     "the softmax runs over the heads"),
    # one head over the whole width
    ("return in_heads(q, k, v, heads, q.shape[-1] ** 0.5)",
     "a = (q @ k.mT / (q.shape[-1] // heads) ** 0.5).softmax(dim=-1)\n"
     "    return a @ v", "heads are mixed up"),
    ("return in_heads(q, k, v, heads, q.shape[-1] ** 0.5)",
     "with torch.no_grad():\n"
     "        q /= (q.shape[-1] // heads) ** 0.5\n"
     "    return in_heads(q, k, v, heads, 1)", "changes its argument in place"),
    (", heads, q.shape[-1]", ".detach(), heads, (q.shape[-1] // heads)",
     "the gradient of v is not"),
    ([("return", "k = 2 * k - k.detach()\n    return"),
      ("q.shape[-1]", "(q.shape[-1] // heads)")], "the gradient of k is not"),
])  # fmt: skip


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


# --- e ---------------------------------------------------------------------


def norms(d, n, factor, queries, seed, axis=-1):
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=(queries, d)), rng.normal(size=(queries, n, d))
    a = weights(factor * np.einsum("qd,qnd->qn", q, k), axis)
    square = (a**2).sum(-1)
    rest = square - 2 * (a**3).sum(-1) + square**2
    return np.sqrt(np.maximum(rest, 0)), a


HIDDEN.mutants("2_2.e", """
def saturated_share(d, n, factor, queries, seed):
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=(2000, d)), rng.normal(size=(2000, n, d))
    a = weights(factor * np.einsum("qd,qnd->qn", q, k))
    square = (a**2).sum(-1)
    return (square - 2 * (a**3).sum(-1) + square**2 < 1e-6).mean()
""", [
    ([], "as many as `queries` says"),
    ([("\n    q, k = rng.normal(size=(2000, d)), rng.normal(size=(2000, n, d))",
       ".normal(size=(queries, n))"),
      ('np.einsum("qd,qnd->qn", q, k)', "d**0.5 * rng")],
     "the product of a query and a key"),  # as wide as they are on average
    ([("(size=(2000, d)), rng.normal(size=(2000, n, d))\n    a = weights",
       "(size=(queries, d)), rng.normal(size=(queries, n, d))\n    a = np.exp"),
      ("k)", "k))\n    a = a / a.sum(axis=-1, keepdims=True")],
     "exp overflows to nan"),
])  # fmt: skip
HIDDEN.mutants("2_2.e", """
def saturated_share(d, n, factor, queries, seed):
    return (norms(d, n, factor, queries, seed)[0] >= 1e-3).mean()
""", [
    (">= 1e-3", "** 2 < 1e-3", "not its square"),
    ("[0] >= 1e-3", "[1].max(-1) > 0.99", "the largest weight"),
    (")[0] >=", ", axis=0)[0] <", "is the softmax over the keys"),
    ([], "queries that are not saturated"),
    ("factor, queries, seed)[0] >=", "1, queries, seed)[0] <",
     "multiplied by the factor"),
    ("factor, queries, seed)[0] >=", "d**-0.5, queries, seed)[0] <",
     "instead of"),  # divides by sqrt(d) whatever the factor
    ("seed)[0] >=", "None)[0] <", "the same seed gives other"),
    ("seed)[0] >=", "0)[0] <", "different seeds give the same"),
    (")[0] >=", "% 2)[0] <", "not with its remainder"),
    ([(">= 1e-3", "< 1e-3"), ("mean", "sum")], "between 0 and 1"),
    ([("(norms", "norms"), (">= 1e-3).mean()", "< 1e-3")], "return one number"),
])  # fmt: skip


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


def wrong_root(says, root):
    def attend_in_heads(q, k, v, heads):
        return in_heads(q, k, v, heads, root(q.shape[-1], heads))

    HIDDEN.wrong("2_2.d", says)(attend_in_heads)


wrong_root("are divided by 2;", lambda w, heads: 2.0)
wrong_root("the root of a head's width", lambda w, heads: (w / 2) ** 0.5)
wrong_root("not divided", lambda w, heads: 1 if heads == 2 else 2)
wrong_root("heads go under the root", lambda w, heads: w**0.5 / heads)
wrong_root("times `heads`", lambda w, heads: w**0.5 * heads)


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
