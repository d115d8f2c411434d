"""Hidden checks and known wrong answers of exercises 3.2.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(withheld=("classifiers",))


def reviews(rng):
    """Sizes all different; the first review is full, the others padded."""
    b, n, e, d, m = rng.choice(np.arange(2, 25), 5, False)
    shapes = (b, n, e), (b, d), (d, m), (e, m), (m,)
    arrays = [rng.normal(size=s) for s in shapes]
    lengths = rng.integers(1, n + 1, size=b)
    lengths[0] = n
    return *arrays, np.arange(n) < lengths[:, None]


@HIDDEN.check("3_2.a", "random sizes")
def pool_anywhere(answer, rng, reference):
    args = "pool_reviews", reviews(rng), "random", 2, 1e-5
    agree(answer, reference, *args)


@HIDDEN.check("3_2.a", "gradients")
def pool_gradient(answer, rng, reference):
    args = reviews(rng)
    u = rng.normal(size=(len(args[0]), args[0].shape[2]))
    agree_in_gradient(answer, reference, "pool_reviews", args, u, 1e-4)


@HIDDEN.check("3_2.b", "random sizes")
def fall_anywhere(answer, rng, reference):
    n, e = rng.choice(np.arange(2, 30), 2, False)
    args = rng.normal(size=(n, e)), rng.normal(size=n) * 3, rng.normal(size=e)
    agree(answer, reference, "fall_if_removed", args, "random")


@HIDDEN.check("3_2.c", "random lengths")
def gap_anywhere(answer, rng, reference):
    for most in (9, 2000):
        m = int(rng.integers(1, most))
        n = m + int(rng.integers(1, 10 * most))
        args = n, m, float(rng.uniform(0.1, 0.9))
        agree(answer, reference, "clause_gap", args, "random lengths")


@HIDDEN.check("3_2.d", "random batches")
def erase_anywhere(answer, rng, reference):
    b, n = rng.integers(1, 80, size=2)
    words = rng.integers(5, 50, size=(b, n))
    lengths = rng.integers(1, n + 1, size=b)
    words[np.arange(n) >= lengths[:, None]] = 4
    args = words, rng.normal(size=(b, n)), int(rng.choice([3, 900])), 4
    agree(answer, reference, "erase_top", args, "random batches")


@HIDDEN.check("3_2.e", "random gaps")
def weight_anywhere(answer, rng, reference):
    args = (float(rng.normal() * 3), int(rng.integers(2, 30_000)))
    agree(answer, reference, "weight_of_one", args, "random gaps")


# --- a ---------------------------------------------------------------------


def scores(h, q, W, U, v):
    return torch.tanh((q @ W)[:, None] + h @ U) @ v


def summed(a, h):
    return torch.einsum("bj,bje->be", a, h), a


@HIDDEN.wrong("3_2.a", "padding gets weight")
def pool_reviews(h, q, W, U, v, may_attend):
    return summed(scores(h, q, W, U, v).softmax(-1), h)


@HIDDEN.wrong("3_2.a", "the mask comes after the softmax")
def pool_reviews(h, q, W, U, v, may_attend):
    return summed(scores(h, q, W, U, v).softmax(-1) * may_attend, h)


@HIDDEN.wrong("3_2.a", "minus infinity, not 0")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v) * may_attend
    return summed(s.softmax(-1), h)


@HIDDEN.wrong("3_2.a", "is the mask inverted")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v).masked_fill(may_attend, -torch.inf)
    return summed(s.softmax(-1), h)


@HIDDEN.wrong("3_2.a", "the softmax runs over the reviews")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v).masked_fill(~may_attend, -torch.inf)
    return summed(s.softmax(0), h)


@HIDDEN.wrong("3_2.a", "the scores are lost")
def pool_reviews(h, q, W, U, v, may_attend):
    a = may_attend / may_attend.sum(-1, keepdim=True)
    return summed(a.to(h.dtype), h)


@HIDDEN.wrong("3_2.a", "the question is ignored")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q * 0, W, U, v).masked_fill(~may_attend, -torch.inf)
    return summed(s.softmax(-1), h)


@HIDDEN.wrong("3_2.a", "the tanh is missing")
def pool_reviews(h, q, W, U, v, may_attend):
    s = ((q @ W)[:, None] + h @ U) @ v
    return summed(s.masked_fill(~may_attend, -torch.inf).softmax(-1), h)


@HIDDEN.wrong("3_2.a", "not divided by a root")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v) / len(v) ** 0.5
    return summed(s.masked_fill(~may_attend, -torch.inf).softmax(-1), h)


@HIDDEN.wrong("3_2.a", "return the sums first")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v).masked_fill(~may_attend, -torch.inf)
    return summed(s.softmax(-1), h)[::-1]


@HIDDEN.wrong("3_2.a", "the plain mean, padding counted")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v).masked_fill(~may_attend, -torch.inf)
    return h.mean(dim=1), s.softmax(-1)


@HIDDEN.wrong("3_2.a", "the gradient of h, q, W, U, v")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v).masked_fill(~may_attend, -torch.inf)
    return summed(s.softmax(-1).detach(), h)


@HIDDEN.wrong("3_2.a", "changes its argument in place")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v).masked_fill(~may_attend, -torch.inf)
    out = summed(s.softmax(-1), h)
    with torch.no_grad():
        h.mul_(may_attend[..., None])
    return out


@HIDDEN.wrong("3_2.a", "divide by their sum")
def pool_reviews(h, q, W, U, v, may_attend):
    return summed(scores(h, q, W, U, v).exp() * may_attend, h)


@HIDDEN.wrong("3_2.a", "strike it out before")
def pool_reviews(h, q, W, U, v, may_attend):
    a = scores(h, q, W, U, v).softmax(-1) * may_attend
    return summed(a / (a.sum(-1, keepdim=True) + 1e-9), h)


@HIDDEN.wrong("3_2.a", "as minus infinity, not as some low number")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v).masked_fill(~may_attend, -1e5)
    return summed(s.softmax(-1), h)


@HIDDEN.wrong("3_2.a", "large scores are cut off")
def pool_reviews(h, q, W, U, v, may_attend):
    s = scores(h, q, W, U, v).clamp(-1500, 1500)
    return summed(s.masked_fill(~may_attend, -torch.inf).softmax(-1), h)


# --- b ---------------------------------------------------------------------


def softmax(s):
    a = np.exp(s - s.max())
    return a / a.sum()


def sigma(z):
    return 1 / (1 + np.exp(-z))


def without(h, s, w):
    """w.c without each state."""
    n = range(len(s))
    return np.array(
        [softmax(np.delete(s, j)) @ np.delete(h, j, 0) @ w for j in n]
    )


@HIDDEN.wrong("3_2.b", "how far p rises")
def fall_if_removed(h, s, w):
    return sigma(without(h, s, w)) - sigma(softmax(s) @ h @ w)


@HIDDEN.wrong("3_2.b", "differences of w.c itself")
def fall_if_removed(h, s, w):
    return softmax(s) @ h @ w - without(h, s, w)


@HIDDEN.wrong("3_2.b", "the others' weights must grow")
def fall_if_removed(h, s, w):
    a = softmax(s)
    return sigma(a @ h @ w) - sigma((a @ h - a[:, None] * h) @ w)


@HIDDEN.wrong("3_2.b", "a score of 0 is not a removed state")
def fall_if_removed(h, s, w):
    zero = [np.where(np.arange(len(s)) == j, 0, s) for j in range(len(s))]
    new = np.array([softmax(z) @ h @ w for z in zero])
    return sigma(softmax(s) @ h @ w) - sigma(new)


@HIDDEN.wrong("3_2.b", "these are the weights")
def fall_if_removed(h, s, w):
    return softmax(s)


@HIDDEN.wrong("3_2.b", "subtract them from p")
def fall_if_removed(h, s, w):
    return sigma(without(h, s, w))


@HIDDEN.wrong("3_2.b", "the first-order effect")
def fall_if_removed(h, s, w):
    a = softmax(s)
    p = sigma(a @ h @ w)
    return p * (1 - p) * a * ((h - a @ h) @ w)


@HIDDEN.wrong("3_2.b", "all weights are equal")
def fall_if_removed(h, s, w):
    return sigma(softmax(0 * s) @ h @ w) - sigma(without(h, 0 * s, w))


@HIDDEN.wrong("3_2.b", "1 - a is 0 there")
def fall_if_removed(h, s, w):
    a = softmax(s)
    c = a @ h
    with np.errstate(all="ignore"):
        new = c + (a / (1 - a))[:, None] * (c - h)
        return sigma(c @ w) - sigma(new @ w)


@HIDDEN.wrong("3_2.b", "scores of 1,000 overflow")
def fall_if_removed(h, s, w):
    with np.errstate(all="ignore"):
        a = np.exp(s)
        old = a @ h / a.sum()
        new = (a @ h - a[:, None] * h) / (a.sum() - a)[:, None]
        return sigma(old @ w) - sigma(new @ w)


@HIDDEN.wrong("3_2.b", "the one that is kept")
def fall_if_removed(h, s, w):
    return sigma(softmax(s) @ h @ w) - sigma(h @ w)


@HIDDEN.wrong("3_2.b", "do not round")
def fall_if_removed(h, s, w):
    return np.round(sigma(softmax(s) @ h @ w) - sigma(without(h, s, w)), 3)


@HIDDEN.wrong("3_2.b", "times as large")
def fall_if_removed(h, s, w):
    new = np.clip(sigma(without(h, s, w)), 0.1, 0.9)
    return np.clip(sigma(softmax(s) @ h @ w), 0.1, 0.9) - new


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("3_2.c", "the gap for one word")
def clause_gap(n, m, A):
    return np.log(n - 1) + np.log(A / (1 - A))


@HIDDEN.wrong("3_2.c", "n - m words have no gap")
def clause_gap(n, m, A):
    return np.log(n / m) + np.log(A / (1 - A))


@HIDDEN.wrong("3_2.c", "A and 1 - A are exchanged")
def clause_gap(n, m, A):
    return np.log((n - m) / m) - np.log(A / (1 - A))


@HIDDEN.wrong("3_2.c", "the weight A is missing")
def clause_gap(n, m, A):
    return np.log((n - m) / m)


@HIDDEN.wrong("3_2.c", "m multiplies where it should divide")
def clause_gap(n, m, A):
    return np.log((n - m) * m) + np.log(A / (1 - A))


@HIDDEN.wrong("3_2.c", "the m words share the weight")
def clause_gap(n, m, A):
    return np.log(n - m) + np.log(A / (1 - A))


@HIDDEN.wrong("3_2.c", "A must be divided by 1 - A")
def clause_gap(n, m, A):
    return np.log((n - m) / m) + np.log(A)


@HIDDEN.wrong("3_2.c", "take the logarithm")
def clause_gap(n, m, A):
    return (n - m) / m * A / (1 - A)


@HIDDEN.wrong("3_2.c", "a gap may be negative")
def clause_gap(n, m, A):
    return max(0.0, np.log((n - m) / m) + np.log(A / (1 - A)))


@HIDDEN.wrong("3_2.c", "A = 1e-12")
def clause_gap(n, m, A):
    return np.log((n - m) / m) + np.log(A / (1 - A) + 1e-9)


# --- d ---------------------------------------------------------------------


def put(words, top, unknown):
    erased = words.copy()
    erased[np.arange(len(words)), top] = unknown
    return erased


@HIDDEN.wrong("3_2.d", "both bugs are still there")
def erase_top(words, value, unknown, pad):
    erased = words.copy()
    erased[:, value.argmax(axis=1)] = unknown
    return erased


@HIDDEN.wrong("3_2.d", "name one place in each row")
def erase_top(words, value, unknown, pad):
    erased = words.copy()
    top = np.where(words == pad, -np.inf, value).argmax(axis=1)
    erased[:, top] = unknown
    return erased


@HIDDEN.wrong("3_2.d", "padding is chosen")
def erase_top(words, value, unknown, pad):
    return put(words, value.argmax(axis=1), unknown)


@HIDDEN.wrong("3_2.d", "a value below 0 loses against padding")
def erase_top(words, value, unknown, pad):
    return put(words, (value * (words != pad)).argmax(axis=1), unknown)


@HIDDEN.wrong("3_2.d", "not the largest absolute value")
def erase_top(words, value, unknown, pad):
    top = np.where(words == pad, -1, np.abs(value)).argmax(axis=1)
    return put(words, top, unknown)


@HIDDEN.wrong("3_2.d", "that is the smallest value")
def erase_top(words, value, unknown, pad):
    top = np.where(words == pad, np.inf, value).argmin(axis=1)
    return put(words, top, unknown)


@HIDDEN.wrong("3_2.d", "not always 0")
def erase_top(words, value, unknown, pad):
    top = np.where(words == 0, -np.inf, value).argmax(axis=1)
    return put(words, top, unknown)


@HIDDEN.wrong("3_2.d", "changes its argument in place")
def erase_top(words, value, unknown, pad):
    top = np.where(words == pad, -np.inf, value).argmax(axis=1)
    words[np.arange(len(words)), top] = unknown
    return words


@HIDDEN.wrong("3_2.d", "do not round values")
def erase_top(words, value, unknown, pad):
    top = np.where(words == pad, -np.inf, np.round(value, 2)).argmax(axis=1)
    return np.where(np.arange(words.shape[1]) == top[:, None], unknown, words)


# --- e ---------------------------------------------------------------------


@HIDDEN.wrong("3_2.e", "n - 1 others, not n")
def weight_of_one(g, n):
    return 1 / (1 + n * np.exp(-g))


@HIDDEN.wrong("3_2.e", "the ratio of two weights")
def weight_of_one(g, n):
    return np.exp(min(g, 700))


@HIDDEN.wrong("3_2.e", "the gap belongs into an exponential")
def weight_of_one(g, n):
    return g / (g + n - 1)


@HIDDEN.wrong("3_2.e", "the sign of the gap is reversed")
def weight_of_one(g, n):
    return 1 / (1 + (n - 1) * np.exp(min(g, 700)))


@HIDDEN.wrong("3_2.e", "one of the other words")
def weight_of_one(g, n):
    return 1 / (np.exp(min(g, 700)) + n - 1)


@HIDDEN.wrong("3_2.e", "the number of others must count")
def weight_of_one(g, n):
    return 0.5 if n > 9 else 1 / (1 + np.exp(-g))


@HIDDEN.wrong("3_2.e", "a gap of 1,000 overflows")
def weight_of_one(g, n):
    with np.errstate(all="ignore"):
        return np.exp(g) / (np.exp(g) + n - 1)


# --- beyond small sizes ----------------------------------------------------


def pool(says, weights, states=lambda h: h):
    """The right weights and states, changed by these."""

    def pool_reviews(h, q, W, U, v, may_attend):
        a = weights(scores(h, q, W, U, v).masked_fill(~may_attend, -torch.inf))
        return summed(a, states(h))[0], a

    HIDDEN.wrong("3_2.a", says)(pool_reviews)


def below(s, top):
    a = (s - top).exp()
    return a / a.sum(-1, keepdim=True)


pool("are scores cut off?", lambda s: s.clamp(max=5000).softmax(-1))
pool("one maximum taken for all", lambda s: below(s, s.max()))
pool(
    "is it cut off?",
    lambda s: s.softmax(-1) * (s.softmax(-1) > 1e-9),
)
pool("is it cut off?", lambda s: s.softmax(-1), lambda h: h.clamp(-1e4, 1e4))


@HIDDEN.wrong("3_2.a", "hold word for word")
def pool_reviews(h, q, W, U, v, may_attend):
    before = may_attend.cumsum(1) > 0
    after = may_attend.flip(1).cumsum(1).flip(1) > 0
    s = scores(h, q, W, U, v).masked_fill(~(before & after), -torch.inf)
    return summed(s.softmax(-1), h)


def filled(h, s, w, low):
    """p without each state, whose score becomes `low`."""
    scores = np.where(np.eye(len(s)), low, s)
    return np.array([sigma(softmax(t) @ h @ w) for t in scores])


@HIDDEN.wrong("3_2.b", "a score below any other")
def fall_if_removed(h, s, w):
    return sigma(softmax(s) @ h @ w) - filled(h, s, w, -1e4)


@HIDDEN.wrong("3_2.b", "yours is rounded to 5 decimals")
def fall_if_removed(h, s, w):
    return np.round(sigma(softmax(s) @ h @ w) - sigma(without(h, s, w)), 5)


def gap(says, rule):
    """A wrong formula of n, m and A."""

    def clause_gap(n, m, A):
        return rule(n, m, A)

    HIDDEN.wrong("3_2.c", says)(clause_gap)


def right_gap(n, m, A):
    return np.log((n - m) / m) + np.log(A / (1 - A))


gap("is something cut off", lambda n, m, A: right_gap(min(n, 512), m, A))
gap("is something cut off", lambda n, m, A: right_gap(n, min(m, 16), A))
gap("is something cut off", lambda *z: min(right_gap(*z), 20))
gap(
    "a quotient rounded",
    lambda n, m, A: np.log(round((n - m) / m, 2)) + np.log(A / (1 - A)),
)
gap(
    "a small number added",
    lambda n, m, A: np.log((n - m) / m) + np.log(A / (1 - A + 1e-8)),
)


def erase(says, value_of=lambda v: v, rows=999, columns=999, low=-np.inf):
    """The right place but for what is looked at, and how."""

    def erase_top(words, value, unknown, pad):
        seen = np.where(words == pad, low, value_of(value))[:rows, :columns]
        erased = words.copy()
        erased[np.arange(len(seen)), seen.argmax(axis=1)] = unknown
        return erased

    HIDDEN.wrong("3_2.d", says)(erase_top)


erase("float64 can tell", lambda v: v.astype(np.float32))
erase("than padding", low=-1e100)
erase("not every row or column", rows=64)
erase("not every row or column", columns=100)


@HIDDEN.wrong("3_2.e", "the weight is small, but not 0")
def weight_of_one(g, n):
    return 1 / (1 + (n - 1) * np.exp(-max(g, -40)))


@HIDDEN.wrong("3_2.e", "nothing is added")
def weight_of_one(g, n):
    return 1 / (1 + (n - 1) * np.exp(-g) + 1e-9)


@HIDDEN.wrong("3_2.e", "n may be of any size")
def weight_of_one(g, n):
    n = min(n, 5000) if n < 10**6 else n
    return 1 / (1 + (n - 1) * np.exp(-g))
