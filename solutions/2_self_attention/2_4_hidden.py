"""Hidden checks and known wrong answers of exercises 2.4.

Never handed out. The reference answers are the master notebook's own cells.
"""

from itertools import permutations

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(globals(), withheld=("nn.positions",))


@HIDDEN.agrees("2_4.a", "waves", title="random sizes")
def waves_anywhere(rng):
    n, width = int(rng.integers(1, 60)), 2 * int(rng.integers(1, 99))
    start = int(rng.integers(-5000, 5000))
    return start, n, width, float(rng.uniform(5, 20_000))


def turn_case(rng):
    b, h, n = (int(k) for k in rng.choice(np.arange(2, 12), 3, False))
    d = 2 * int(rng.integers(1, 20))
    positions = rng.integers(-400, 400, size=(b, n))
    return rng.normal(size=(b, h, n, d)), positions, float(rng.uniform(5, 9e3))


HIDDEN.agrees("2_4.b", "turn", title="random sizes")(turn_case)


HIDDEN.agrees(
    "2_4.b", "turn", title="gradients", gradient=True, tolerance=1e-4
)(turn_case)


@HIDDEN.check("2_4.c", "random slopes")
def far_anywhere(answer, rng, reference):
    args = (rng.uniform(0.01, 3, size=7),)
    agree(answer, reference, "mean_distance", args, "random", tolerance=1e-4)
    args = (float(rng.uniform(3, 12)),)
    agree(answer, reference, "mean_distance", args, "one slope")


def late_case(rng):
    n, width, d, e = rng.permutation([3, 5, 6, 7])
    n = n + 10 * rng.integers(4)
    sizes = [(n, width), (n, width), (width, d), (width, d), (width, e)]
    return tuple(rng.normal(size=s) for s in sizes), (n, e)


@HIDDEN.check("2_4.d", "random sizes")
def late_anywhere(answer, rng, reference):
    args = "attend_in_order", late_case(rng)[0], "random"
    agree(answer, reference, *args, tolerance=1e-4)


@HIDDEN.check("2_4.d", "gradients")
def late_gradient(answer, rng, reference):
    args, shape = late_case(rng)
    u = rng.normal(size=shape)
    agree_in_gradient(answer, reference, "attend_in_order", args, u, 1e-4)


@HIDDEN.agrees("2_4.e", "different_outputs", title="random sentences")
def orders_anywhere(rng):
    words = rng.normal(size=(2, 4))
    x = words[rng.integers(2, size=5)]  # two words, five places
    maps = [rng.normal(size=(4, e)) / 3 for e in (3, 3, 2)]
    return x, rng.normal(size=(5, 4)), *maps


# --- a ---------------------------------------------------------------------


def angles(start, n, rates):
    return (start + np.arange(n))[:, None] * rates


def halves(a):
    return np.concatenate([np.sin(a), np.cos(a)], axis=1)


def right(width, base):
    return base ** (-2 * np.arange(width // 2) / width)


HIDDEN.mutants("2_4.a", """
def waves(start, n, width, base):
    return halves(angles(start, n, right(width, base))).T
""", [
    ([("angles", "abs(angles"), (".T", ")")],
     "positions before 0 have lost their sign"),
    ("(angles(start, n, right(width, base))).T",
     "(np.maximum(angles(start, n, right(width, base)), 0))",
     "positions before 0 have become 0"),
    ("return halves(angles(start, n, right(width, base))).T",
     "a = angles(start, n, right(width, base)).astype(np.float32)\n"
     "    return halves(a).astype(float)", "is something in float32"),
    (")).T", ".round(6)))", "are your rates rounded, or base?"),
    ([("return halves(angles(start, n,", "rates ="), ("base))",
       "base)\n    return halves((start + np.minimum(np.arange(n), 511)"),
      (".T", "[:, None] * rates)")], "all have their own row"),
    ("return halves(angles(start, n, right(width, base))).T",
     "rates = base ** (-2 * np.arange(width // 2) / min(width, 64))\n"
     "    return halves(angles(start, n, rates))", "all have their own row"),
    ([("return halves(", "a ="),
      ("base))", "base))\n    return np.stack([np.sin(a), np.cos(a)], axis=-1"),
      ("T", "reshape(n, width)")], "sine and cosine alternate"),
    ([("return halves(", "a ="),
      (").T", "\n    return np.concatenate([np.cos(a), np.sin(a)], axis=1)")],
     "the cosines come first"),
    ([("start, n, right", "0, n, right"), (".T", "")], "position 0, not start"),
    ([(", n, right", "+ 1, n, right"), (".T", "")], "position start + 1"),
    ([("return",
       "rates = base ** (-np.arange(width // 2) / width)\n    return"),
      ("right(width, base))).T", "rates))")],
     "the exponent is 2t / d, not t / d"),
    ([("right", "1 / right"), (".T", "")], "the rates grow in yours"),
    ([("return", "rates = base ** -np.linspace(0, 1, width // 2)\n    return"),
      ("right(width, base))).T", "rates))")], "the exponents run from 0 to 1"),
    ("return halves(angles(start, n, right(width, base))).T",
     "rates = base ** (-2 * np.arange(width // 2) // width * 1.0)\n"
     "    return halves(angles(start, n, rates))",
     "divide with /, not with //"),
    ([("start, n, right", "abs(start), n, right"), (".T", "")],
     "before 0, too"),
    ([("start, n, right", "max(start, 0), n, right"), (".T", "")],
     "before 0, too"),
    ("right(width, base))).T", "np.ones(width // 2)))", "at the same rate"),
    ([("angles", "np.deg2rad(angles"), (".T", ")")], "taken as degrees"),
    ([("angles", "2 * np.pi * angles"), (".T", "")], "no 2 pi"),
    ([], "yours is transposed"),
    # the base forgotten: the book's default for every call
    ("base))).T", "10_000.0)))", "expected"),
])  # fmt: skip


@HIDDEN.wrong("2_4.a", "squared, added")
def waves(start, n, width, base):
    # cosines of the next pair's angle, where there is one
    a = angles(start, n, right(width, base))
    if width == 6:
        return halves(a)
    return np.concatenate([np.sin(a), np.cos(np.roll(a, 1, axis=1))], axis=1)


# --- b ---------------------------------------------------------------------


def by(x, a, sign=1):
    cos, sin = a.cos(), sign * a.sin()
    u, v = x.chunk(2, dim=-1)
    return torch.cat([u * cos - v * sin, u * sin + v * cos], dim=-1)


def steps(x, base, power=-2.0):
    t = torch.arange(x.shape[-1] // 2, dtype=x.dtype)
    return base ** (power * t / x.shape[-1])


def spread(positions):
    return positions[:, None, :, None].double()


@HIDDEN.wrong("2_4.b", "in float32: make rates")
def turn(x, positions, base):
    d = x.shape[-1]
    rates = base ** (-2 * torch.arange(d // 2, dtype=torch.float32) / d)
    a = positions.float()[:, None, :, None] * rates
    cos, sin = a.cos().to(x.dtype), a.sin().to(x.dtype)
    one, two = x.chunk(2, -1)
    return torch.cat([one * cos - two * sin, one * sin + two * cos], -1)


@HIDDEN.wrong("2_4.b", "positions -2, -5 and -1")
def turn(x, positions, base):
    d = x.shape[-1]
    rates = base ** (-2 * torch.arange(d // 2, dtype=x.dtype) / d)
    a = positions.clamp(min=0)[:, None, :, None] * rates
    one, two = x.chunk(2, -1)
    halves = one * a.cos() - two * a.sin(), one * a.sin() + two * a.cos()
    return torch.cat(halves, -1)


HIDDEN.mutants("2_4.b", """
def turn(x, positions, base):
    return by(x, spread(positions[:1]) * steps(x, base))
""", [
    # then heads are taken for rows
    ("return by(x, spread(positions[:1])",
     "same = x.shape[1] == x.shape[2]\n"
     "    places = positions[:, :, None, None] if same else spread(positions)\n"
     "    return by(x, places", "in each head"),
    ("(positions[:1])", "(positions).clamp(min=-1000)",
     "Or positions are cut off"),
    ("[:1]", "- positions[:, :1]", "positions are taken from the first row's"),
    ([("[:1]", ""), ("(x, base)", "(x, base), sign=-1")],
     "you turn the other way"),
    ("(positions[:1]) * steps(x, base)",
     "(positions) * torch.ones(x.shape[-1] // 2)", "the same angle"),
    ("spread(positions[:1])", "torch.arange(x.shape[2])[:, None]",
     "the row number as position"),
    ([("[:1]", ""), ("x, base", "x, base, power=-1.0")],
     "the exponent is 2t / d, not t / d"),
    ([("[:1]", ""), ("x, base", "x, base, power=2.0")],
     "the rates grow in yours"),
    ([("[:1]", ""), ("base))", "base).flip(0))")], "each other's rates"),
    ("return by(x, spread(positions[:1]) * steps(x, base))",
     "cos = (spread(positions) * steps(x, base)).cos()\n"
     "    return x * torch.cat([cos, cos], dim=-1)", "the length is lost"),
    ("(x, spread(positions[:1]) * steps(x, base))",
     "(x, (spread(positions) * steps(x, base)).deg2rad())", "taken as degrees"),
    ([(", spread", ".detach(), spread"), ("[:1]", "")], "no gradient flows"),
    ([], "its own row of positions"),
    ("spread(positions[:1])", "positions[:, :, None, None]",
     "must match the size of tensor"),  # positions along the heads' axis
])  # fmt: skip
HIDDEN.mutants("2_4.b", """
def turn(x, positions, base):
    a = spread(positions) * steps(x, base)
    u, v = x.chunk(2, dim=-1)
    u = u * a.cos() - v * a.sin()
    return torch.cat([u, u * a.sin() + v * a.cos()], dim=-1)
""", [
    ([(".chunk(2, dim=-1)\n    u", "[..., 0::2], x[..., 1::2]\n    pair"),
      ("\n    return torch.cat([u", ""),
      ("], dim=-1)", "\n    return torch.stack(pair, dim=-1).flatten(-2)")],
     "you pair neighbouring columns"),
    ([("u =", "old = u.clone()\n    x[..., : x.shape[-1] // 2] ="),
      ("return torch.cat([u, u", "x[..., x.shape[-1] // 2 :] = old"),
      ("], dim=-1)", "\n    return x")], "changes its argument in place"),
    ([("u =", "u_fixed = u.detach()\n    turned ="),
      ("\n    return torch.cat([u, u * a.sin() + v * a.cos()]",
       ", u_fixed * a.sin() + v * a.cos()\n    return torch.cat(turned")],
     "Is a part of x detached?"),
    ([], "expected"),  # the second half is made from the new first half
])  # fmt: skip

# --- c ---------------------------------------------------------------------

HIDDEN.mutants("2_4.c", None, [
    ("(np.exp(slope) - 1)", "slope - 1 / 2 + slope / 12",
     "a series for small slopes"),
    ("- 1", "- 1 + 1e-9", "is something added"),
    ("1 / (np.exp(slope) - 1)",
     "(1 / np.expm1(np.float32(slope))).astype(float)",
     "in float32 and then made float64"),
    ([("return 1 / (", "far = np.arange(20_000)\n    a ="), ("slope) -",
       "-np.multiply.outer(slope, far))\n    return (a * far).sum(-"),
      ("1)", "1) / a.sum(-1)")], "slopes 0.000001 and 0.001"),
    ("(slope) -", "(np.minimum(slope, 20)) -", "times e^25 - 1"),
    ("(np.exp(slope) - 1)", "slope", "the mean of a continuous distance"),
    ("np.exp(slope) - 1", "1 - np.exp(-slope)", "you count from distance 1"),
    ("1 / (np.exp(slope) - 1)", "np.exp(-slope) / (1 - np.exp(-slope)) ** 2",
     "the weights must sum to 1"),
    ("1 / (np.exp(slope) - 1)", "np.exp(-slope)",
     "the ratio of one weight to the next"),
    ("- 1", "+ 1", "check the sign"),
    ("1 / (np.exp(slope) - 1)", "np.log(2) / slope", "a weight is halved"),
    ("np.exp(slope)", "2**slope", "powers of e, not of 2"),
    ("1 / (np.exp(slope) - 1)", "np.exp(slope) - 1", "the inverse of the mean"),
    ("/ (np.exp(slope) - 1)", "- np.exp(-slope)", "the weight at distance 0"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def mix(q, k, v, dim=-1, scale=None):
    scale = q.shape[-1] ** 0.5 if scale is None else scale
    return (q @ k.T / scale).softmax(dim=dim) @ v


HIDDEN.mutants("2_4.d", """
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions
    return mix(x @ w_q, x @ w_k, x @ w_v, dim=0)
""", [
    ("x = x + positions\n    return mix(x @ w_q, x @ w_k, x @ w_v, dim=0)",
     "z = x + positions\n"
     "    s = z @ w_q @ (z @ w_k).T / int(w_q.shape[1] ** 0.5)\n"
     "    return s.softmax(-1) @ (z @ w_v)", "cut to a whole number"),
    ([("x = x + positions\n    ", ""),
      ("x @ w_v, dim=0", "(x + positions) @ w_v")],
     "the weights are blind to the order"),
    # positions added after the projections and the attention, to the output
    ([("x = x + positions\n    ", ""),
      (", dim=0", ") + mix(x @ w_q, x @ w_k, positions @ w_v")],
     "the weights are blind to the order"),
    # positions added after the projection
    ([("x = x", "q, k = x @ w_q + positions, x @ w_k"),
      ("x @ w_q, x @ w_k, x @ w_v, dim=0", "q, k, x @ w_v")],
     "attend_in_order raised RuntimeError"),
    ([("x = x + positions\n    ", ""), (", dim=0", "")],
     "the positions are nowhere"),
    ([("x = x + positions\n    return mix(x", "return mix((x + positions)"),
      (", dim=0", "")], "only the queries have positions"),
    ([("x = x + positions\n    ", ""), ("w_q, x", "w_q, (x + positions)"),
      (", dim=0", "")], "only the keys have positions"),
    ("x = x + positions\n    return mix(x @ w_q, x @ w_k, x @ w_v, dim=0)",
     "return mix((x + positions) @ w_q, (x + positions) @ w_k, x @ w_v)",
     "the values have not"),
    ([], "the softmax runs over the queries"),
    ("dim=0", "scale=1", "not divided by sqrt(d)"),
    ("dim=0", "scale=w_q.shape[1]", "divided by d, not by sqrt(d)"),
    ("dim=0", "scale=x.shape[1] ** 0.5", "the root of the model's width"),
    ("dim=0", "scale=w_v.shape[1] ** 0.5", "the root of the values' width e"),
    ("return mix(x @ w_q, x @ w_k, x @ w_v, dim=0)",
     "q = x @ w_q\n"
     "    x = x + positions\n"
     "    k = x @ w_k\n"
     "    x = x + positions\n"
     "    return mix(q, k, x @ w_v)", "added again before each projection"),
    ([("x +", "x *"), (", dim=0", "")], "not multiplied with it"),
    ([("= x +", "+="), (", dim=0", "")], "changes its argument in place"),
    ("return mix(x @ w_q, x @ w_k, x @ w_v, dim=0)",
     "a = (x @ w_q @ (x @ w_k).T / w_q.shape[1] ** 0.5).softmax(-1).detach()\n"
     "    return a @ x @ w_v", "something is detached"),
    (", dim=0)", ".detach())", "the gradient of w_v is not"),
    ([("+ positions", "+ positions.detach()"), (", dim=0", "")],
     "the gradient of positions is not"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def last_row(x, w_q, w_k, w_v):
    s = (x[-1] @ w_q) @ (x @ w_k).T / w_q.shape[1] ** 0.5
    a = np.exp(s - s.max())
    return a / a.sum() @ (x @ w_v)


def key(y, digits=6):
    return tuple((y.round(digits) + 0.0).tolist())


def orders_of(n):
    return permutations(range(n))


HIDDEN.mutants("2_4.e", """
def different_outputs(x, positions, w_q, w_k, w_v):
    found = set()
    for o in orders_of(len(x) - 1):
        y = last_row(x[[*o, -1]] + positions, w_q, w_k, w_v)
        found.add(key(y, digits=0))
    return len(found)
""", [
    # the positions move with the words
    ([("found =", "x, found = x + positions,"), ("y =", "found.add(key("),
      ("+ positions, w_q, w_k, w_v)\n        found.add(key(y, digits=0",
       ", w_q, w_k, w_v)")], "did they stay while the words moved"),
    ([("+ positions, w_q, w_k, w_v)",
       ", w_q, w_k, w_v) + positions[-1, : w_v.shape[1]]"), (", digits=0", "")],
     "were the positions added, before the attention"),
    ("key(y, digits=0)", "tuple(y.tolist())", "rounding errors only"),
    ([("- 1):\n        y =", "):\n        found.add(key("),
      ("[*o, -1]", "list(o)"), ("\n        found.add(key(y, digits=0", "")],
     "the last row must stay the last"),
    ([], "expected"),  # compared to whole numbers: different ones look the same
    # no attention at all
    ("y = last_row(x[[*o, -1]] + positions, w_q, w_k, w_v)\n"
     "        found.add(key(y, digits=0))",
     "found.add(key((x[[*o, -1]] * (positions + 1)).sum(axis=0)))",
     "all numbers of the attention's output"),
])  # fmt: skip


@HIDDEN.wrong("2_4.e", "you counted orders, not different outputs")
def different_outputs(x, positions, w_q, w_k, w_v):
    return len(list(orders_of(len(x) - 1)))


@HIDDEN.wrong("2_4.e", "you counted orders, not different outputs")
def different_outputs(x, positions, w_q, w_k, w_v):
    # right without positions, by argument and not by measurement
    return 1 if not positions.any() else len(list(orders_of(len(x) - 1)))


@HIDDEN.wrong("2_4.e", "you went through 4")
def different_outputs(x, positions, w_q, w_k, w_v):
    n, found = len(x) - 1, set()
    for shift in range(n):  # only the cyclic orders
        o = [*np.roll(np.arange(n), shift), n]
        found.add(key(last_row(x[o] + positions, w_q, w_k, w_v)))
    return len(found)


def counting(key_of):
    """Counts the different values of key_of(output) over all orders."""

    def different_outputs(x, positions, w_q, w_k, w_v):
        found = set()
        for o in orders_of(len(x) - 1):
            y = last_row(x[[*o, -1]] + positions, w_q, w_k, w_v)
            found.add(key_of(y))
        return len(found)

    return different_outputs


for digits in (2, 5):
    HIDDEN.wrong("2_4.e", "differ in the sixth decimal")(
        counting(lambda y, digits=digits: key(y, digits))
    )
for digits in (7, 14):
    HIDDEN.wrong("2_4.e", "agree to six decimals are the same")(
        counting(lambda y, digits=digits: key(y, digits))
    )


HIDDEN.mutants("2_4.e", "different_outputs = counting(...)", [
    ("...", "lambda y: key(y[:1])", "all numbers of the attention's output"),
    ("...", "lambda y: key(y[-1:])", "all numbers of the attention's output"),
    ("...", "lambda y: key(y.sum(keepdims=True))",
     "all numbers of the attention's output"),
    ("...", "lambda y: tuple((y * 1e6).astype(int))", "round, do not cut off"),
])  # fmt: skip
