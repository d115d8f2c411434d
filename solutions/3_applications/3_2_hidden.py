"""Hidden checks and known wrong answers of exercises 3.2.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(globals(), withheld=("nn.classifiers",))


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


@HIDDEN.agrees("3_2.b", "fall_if_removed", title="random sizes")
def fall_anywhere(rng):
    n, e = rng.choice(np.arange(2, 30), 2, False)
    return rng.normal(size=(n, e)), rng.normal(size=n) * 3, rng.normal(size=e)


@HIDDEN.agrees("3_2.c", "clause_gap", title="random lengths")
def gap_anywhere(rng):
    for most in (9, 2000):
        m = int(rng.integers(1, most))
        n = m + int(rng.integers(1, 10 * most))
        yield n, m, float(rng.uniform(0.1, 0.9))


@HIDDEN.agrees("3_2.d", "erase_top", title="random batches")
def erase_anywhere(rng):
    b, n = rng.integers(1, 80, size=2)
    words = rng.integers(5, 50, size=(b, n))
    lengths = rng.integers(1, n + 1, size=b)
    words[np.arange(n) >= lengths[:, None]] = 4
    return words, rng.normal(size=(b, n)), int(rng.choice([3, 900])), 4


@HIDDEN.agrees("3_2.e", "weight_of_one", title="random gaps")
def weight_anywhere(rng):
    return float(rng.normal() * 3), int(rng.integers(2, 30_000))


# --- a ---------------------------------------------------------------------


def scores(h, q, W, U, v):
    return torch.tanh((q @ W)[:, None] + h @ U) @ v


def summed(a, h):
    return torch.einsum("bj,bje->be", a, h), a


HIDDEN.mutants("3_2.a", """
def pool_reviews(h, q, W, U, v, attention_mask):
    return summed(scores(h, q, W, U, v).softmax(-1) * attention_mask, h)
""", [
    (" * attention_mask", "", "padding gets weight"),
    ([], "the mask comes after the softmax"),
    ("softmax(-1)", "exp()", "divide by their sum"),
    ([("return summed(", "a ="),
      (", h", "\n    return summed(a / (a.sum(-1, keepdim=True) + 1e-9), h")],
     "strike it out before"),
])  # fmt: skip
HIDDEN.mutants("3_2.a", """
def pool_reviews(h, q, W, U, v, attention_mask):
    s = scores(h, q, W, U, v).masked_fill(~attention_mask, -torch.inf)
    return summed(s.softmax(0), h)
""", [
    ([(".masked_fill(~attention_mask, -torch.inf)", "* attention_mask"),
      ("0", "-1")], "minus infinity, not 0"),
    ([("~attention_mask", "attention_mask"), ("0", "-1")],
     "is the mask inverted"),
    ([], "the softmax runs over the reviews"),
    ([("scores(h, q, W, U, v).masked_fill(~attention_mask, -torch.inf)",
       "attention_mask / attention_mask.sum(-1, keepdim=True)"),
      ("softmax(0)", "to(h.dtype)")], "the scores are lost"),
    ([("0", "-1"), (", W, U, v)", "* 0, W, U, v)")], "the question is ignored"),
    ([("0", "-1"), ("\n    return summed(s", ""), ("scores(h, q, W, U, v)",
       "((q @ W)[:, None] + h @ U) @ v\n    return summed(s")],
     "the tanh is missing"),
    ([("0", "-1"), ("\n    return summed(s", ""),
      ("v)", "v) / len(v) ** 0.5\n    return summed(s")],
     "not divided by a root"),
    ("0), h)", "-1), h)[::-1]", "return the sums first"),
    ("summed(s.softmax(0), h)", "h.mean(dim=1), s.softmax(-1)",
     "the plain mean, padding counted"),
    ("(0)", "(-1).detach()", "the gradient of h, q, W, U, v"),
    ("return summed(s.softmax(0), h)",
     "out = summed(s.softmax(-1), h)\n"
     "    with torch.no_grad():\n"
     "        h.mul_(attention_mask[..., None])\n"
     "    return out", "changes its argument in place"),
    ([("torch.inf", "1e5"), ("0", "-1")],
     "as minus infinity, not as some low number"),
    ([("0", "-1"), ("\n    return summed(s", ""),
      ("v).", "v).clamp(-1500, 1500)\n    return summed(s.")],
     "large scores are cut off"),
])  # fmt: skip


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


HIDDEN.mutants("3_2.b", """
def fall_if_removed(h, s, w):
    a = softmax(s)
    c = a @ h
    with np.errstate(all="ignore"):
        new = c + (a / (1 - a))[:, None] * (c - h)
        return sigma(c @ w) - sigma(new @ w)
""", [
    ([], "1 - a is 0 there"),
    ([("\n    a = softmax(s)\n    c = a @ h", ""),
      ("new =", "a = np.exp(s)\n        c = a @ h / a.sum()\n        new ="),
      ("c + (a / (1 - a))", "(a @ h - a[:, None] * h) / (a.sum() - a)"),
      (" * (c - h)", "")], "scores of 1,000 overflow"),
])  # fmt: skip
HIDDEN.mutants("3_2.b", """
def fall_if_removed(h, s, w):
    return sigma(softmax(s) @ h @ w) - sigma(h @ w)
""", [
    ("(softmax(s) @ h @ w) - sigma(h @ w)",
     "(without(h, s, w)) - sigma(softmax(s) @ h @ w)", "how far p rises"),
    ("sigma(softmax(s) @ h @ w) - sigma(h @ w)",
     "softmax(s) @ h @ w - without(h, s, w)", "differences of w.c itself"),
    ([("return sigma(softmax(s)", "a = softmax(s)\n    return sigma(a"),
      ("(h @ w)", "((a @ h - a[:, None] * h) @ w)")],
     "the others' weights must grow"),
    ("sigma(softmax(s) @ h @ w) - sigma(h @ w)", "softmax(s)",
     "these are the weights"),
    ("(softmax(s) @ h @ w) - sigma(h @ w)", "(without(h, s, w))",
     "subtract them from p"),
    ([("return sigma(softmax(s)", "a = softmax(s)\n    p = sigma(a"),
      ("- sigma(h @ w)", "\n    return p * (1 - p) * a * ((h - a @ h) @ w)")],
     "the first-order effect"),
    ([("(s)", "(0 * s)"), ("(h @ w)", "(without(h, 0 * s, w))")],
     "all weights are equal"),
    ([], "the one that is kept"),
    ("sigma(softmax(s) @ h @ w) - sigma(h @ w)",
     "np.round(sigma(softmax(s) @ h @ w) - sigma(without(h, s, w)), 3)",
     "do not round"),
    ([("return",
       "new = np.clip(sigma(without(h, s, w)), 0.1, 0.9)\n    return np.clip("),
      ("- sigma(h @ w)", ", 0.1, 0.9) - new")], "times as large"),
    ("sigma(h @ w)", "filled(h, s, w, -1e4)", "a score below any other"),
    ("sigma(softmax(s) @ h @ w) - sigma(h @ w)",
     "np.round(sigma(softmax(s) @ h @ w) - sigma(without(h, s, w)), 5)",
     "yours is rounded to 5 decimals"),
])  # fmt: skip


@HIDDEN.wrong("3_2.b", "a score of 0 is not a removed state")
def fall_if_removed(h, s, w):
    zero = [np.where(np.arange(len(s)) == j, 0, s) for j in range(len(s))]
    new = np.array([softmax(z) @ h @ w for z in zero])
    return sigma(softmax(s) @ h @ w) - sigma(new)


# --- c ---------------------------------------------------------------------

HIDDEN.mutants("3_2.c", None, [
    ("(n - m) / m", "n - 1", "the gap for one word"),
    ("(n - m)", "n", "n - m words have no gap"),
    ("+ np", "- np", "A and 1 - A are exchanged"),
    (" + np.log(A / (1 - A))", "", "the weight A is missing"),
    ("/ m", "* m", "m multiplies where it should divide"),
    ("(n - m) /", "n -", "the m words share the weight"),
    ("(A / (1 - A))", "(A)", "A must be divided by 1 - A"),
    ("np.log((n - m) / m) + np.log(A / (1 - A))", "(n - m) / m * A / (1 - A)",
     "take the logarithm"),
    ([("return", "return max(0.0,"), ("A))", "A)))")], "a gap may be negative"),
    ("(1 - A)", "(1 - A) + 1e-9", "A = 1e-12"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def put(words, top, unknown):
    erased = words.copy()
    erased[np.arange(len(words)), top] = unknown
    return erased


HIDDEN.mutants("3_2.d", """
def erase_top(words, value, unknown, pad):
    top = np.where(words == pad, -1, np.abs(value)).argmax(axis=1)
    return put(words, top, unknown)
""", [
    ([("np.where(words == pad, -1, np.abs(value)).argmax(axis=1)",
       "words.copy()\n    top[:, value.argmax(axis=1)] = unknown"),
      ("put(words, top, unknown)", "top")], "both bugs are still there"),
    ([("top =", "erased = words.copy()\n    top ="),
      ("1, np.abs(value)", "np.inf, value"), ("return put(words, top, unknown)",
       "erased[:, top] = unknown\n    return erased")],
     "name one place in each row"),
    ("top = np.where(words == pad, -1, np.abs(value)).argmax(axis=1)\n"
     "    return put(words, top, unknown)",
     "return put(words, value.argmax(axis=1), unknown)", "padding is chosen"),
    ("top = np.where(words == pad, -1, np.abs(value)).argmax(axis=1)\n"
     "    return put(words, top, unknown)",
     "return put(words, (value * (words != pad)).argmax(axis=1), unknown)",
     "a value below 0 loses against padding"),
    ([], "not the largest absolute value"),
    ("-1, np.abs(value)).argmax", "np.inf, value).argmin",
     "that is the smallest value"),
    ("pad, -1, np.abs(value)", "0, -np.inf, value", "not always 0"),
    ([("1, np.abs(value)", "np.inf, value"), ("return put(words, top, unknown)",
       "words[np.arange(len(words)), top] = unknown\n    return words")],
     "changes its argument in place"),
    ([("1, np.abs(value)", "np.inf, np.round(value, 2)"),
      ("put(words, top, unknown)",
       "np.where(np.arange(words.shape[1]) == top[:, None], unknown, words)")],
     "do not round values"),
])  # fmt: skip

# --- e ---------------------------------------------------------------------

HIDDEN.mutants("3_2.e", """
def weight_of_one(g, n):
    return g / (g + n - 1)
""", [
    ("g / (g + n - 1)", "1 / (1 + n * np.exp(-g))", "n - 1 others, not n"),
    ("g / (g + n - 1)", "np.exp(min(g, 700))", "the ratio of two weights"),
    ([], "the gap belongs into an exponential"),
    ("g / (g + n - 1)", "1 / (1 + (n - 1) * np.exp(min(g, 700)))",
     "the sign of the gap is reversed"),
    ("g / (g", "1 / (np.exp(min(g, 700))", "one of the other words"),
    ("g / (g + n - 1)", "0.5 if n > 9 else 1 / (1 + np.exp(-g))",
     "the number of others must count"),
    ([("return g", 'with np.errstate(all="ignore"):\n        return np.exp(g)'),
      ("g +", "np.exp(g) +")], "a gap of 1,000 overflows"),
    ("g / (g + n - 1)", "1 / (1 + (n - 1) * np.exp(-max(g, -40)))",
     "the weight is small, but not 0"),
    ("g / (g + n - 1)", "1 / (1 + (n - 1) * np.exp(-g) + 1e-9)",
     "nothing is added"),
    ([("return g", "n = min(n, 5000) if n < 10**6 else n\n    return 1"),
      ("(g + n - 1)", "(1 + (n - 1) * np.exp(-g))")], "n may be of any size"),
])  # fmt: skip


# --- beyond small sizes ----------------------------------------------------


def pool(says, weights, states=lambda h: h):
    """The right weights and states, changed by these."""

    def pool_reviews(h, q, W, U, v, attention_mask):
        hidden = ~attention_mask
        a = weights(scores(h, q, W, U, v).masked_fill(hidden, -torch.inf))
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
def pool_reviews(h, q, W, U, v, attention_mask):
    before = attention_mask.cumsum(1) > 0
    after = attention_mask.flip(1).cumsum(1).flip(1) > 0
    s = scores(h, q, W, U, v).masked_fill(~(before & after), -torch.inf)
    return summed(s.softmax(-1), h)


def filled(h, s, w, low):
    """p without each state, whose score becomes `low`."""
    scores = np.where(np.eye(len(s)), low, s)
    return np.array([sigma(softmax(t) @ h @ w) for t in scores])


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
