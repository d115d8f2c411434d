"""Hidden checks and known wrong answers of exercises 4.3.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree_in_gradient

HIDDEN = Hidden(globals(), withheld=("metrics.faithfulness",))


def images(rng):
    b, n, classes = (int(x) for x in rng.permutation([2, 6, 3]) + 1)
    a = np.exp(rng.normal(size=(b, n)))
    a[0, -1] = 0  # padding
    a[-1, 0] *= 200  # nearly all of the weight
    a /= a.sum(axis=1, keepdims=True)
    z = rng.normal(size=(b, n, classes)) * 3
    return a, z, rng.integers(0, classes, b)


HIDDEN.agrees(
    "4_3.a", "without_each", title="random weights and scores", tolerance=1e-5
)(images)


def layers(rng):
    size = (int(x) for x in rng.permutation([2, 3, 4, 5, 6])[:3])
    n = int(rng.integers(5, 8))
    weights = np.exp(2 * rng.normal(size=(*size, n, n)))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights, int(rng.integers(0, n)), float(rng.uniform(0.1, 0.9))


HIDDEN.agrees("4_3.b", "rollout_row", title="random layers", tolerance=1e-5)(
    layers
)


@HIDDEN.check("4_3.b", "random gradients")
def row_gradient(answer, rng, reference):
    args = layers(rng)
    u = rng.normal(size=(args[0].shape[1], args[0].shape[-1]))
    agree_in_gradient(answer, reference, "rollout_row", args, u, tolerance=1e-5)


@HIDDEN.agrees("4_3.c", "redundant_areas", title="random sizes", parts=2)
def same_anywhere(rng):
    n = int(rng.integers(2, 200))
    return n, int(rng.integers(1, n + 1))


def pairs(rng):
    b, n = int(rng.integers(2, 5)), int(rng.integers(5, 9))
    maps = np.exp(2 * rng.normal(size=(2, b, n)))
    maps[:, :, -2:] = 0
    return tuple(maps / maps.sum(axis=-1, keepdims=True))


HIDDEN.agrees("4_3.d", "divergence", title="random maps", tolerance=1e-5)(pairs)


@HIDDEN.agrees("4_3.e", "free_directions", title="random scores")
def free_anywhere(rng):
    n, classes = int(rng.integers(2, 15)), int(rng.integers(1, 7))
    kinds = rng.normal(size=(int(rng.integers(1, n + 1)), classes))
    z = kinds[rng.integers(0, len(kinds), n)]
    z[rng.integers(0, n)] = (z[0] + z[-1]) / 2
    return (z,)


# --- a ---------------------------------------------------------------------


def pieces(a, z):
    part = a[..., None] * z
    return part, part.sum(dim=1, keepdim=True), 1 - a[..., None]


def chosen(fall, labels):
    return fall[torch.arange(len(fall)), :, labels]


def of_rest(whole, rest, labels):
    return chosen(whole.softmax(dim=-1) - rest.softmax(dim=-1), labels)


HIDDEN.mutants("4_3.a", None, [
    ("labels]", "labels] * (a > 1e-4)", "only a weight of 0 is padding"),
])  # fmt: skip
HIDDEN.mutants("4_3.a", """
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    return of_rest(whole, (whole - part) * left, labels)
""", [
    ("(whole - part) * left", "whole - part", "divide by 1 - a_j"),
    ([], "multiplied by 1 - a_j"),
    ([("return", "return -"), ("* left", "/ left")], "the sign is wrong"),
    ([("of_rest", "chosen"), (", (whole - part) *", "- (whole - part) /")],
     "of the class score"),
    ([("of_rest", "chosen"), ("whole, (whole - part) * left",
       "((whole - part) / left).softmax(dim=-1)")], "p(without j) itself"),
    ("return of_rest(whole, (whole - part) * left, labels)",
     "fall = whole.softmax(dim=-1) - ((whole - part) / left).softmax(dim=-1)\n"
     "    return fall[..., labels[0]]", "the first one's for"),
    ([("return", "top = whole[:, 0].argmax(dim=-1)\n    return"),
      ("* left, labels", "/ left, top")], "the likeliest class"),
    ([("left =", "part ="), ("(whole - part) * left", "z")],
     "leaves only place j"),
    (", (whole - part) *", ".detach(), (whole - part) /", "the gradient of z"),
    ("* left", "/ left.detach()", "the gradient of a"),
    ([("return", "out ="),
      ("* left, labels)", "/ left, labels)\n    z *= 2\n    return out")],
     "changes its argument in place"),
    ("* left", "/ left.clamp(min=0.1)", "a floor under it changes the result"),
    ([("return", "out ="), ("* left, labels)",
       "/ left, labels)\n    return torch.cat([out[:5], 0 * out[5:]])")],
     "without the rest of its batch"),
])  # fmt: skip
HIDDEN.mutants("4_3.a", """
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    e, f = whole.clamp(max=700), ((whole - part) / left).clamp(max=700)
    return chosen(normalised(e.exp()) - normalised(f.exp()), labels)
""", [
    ([("e, f", "e = (z.sum(dim=1, keepdim"), ("whole.clamp(max=700), ((",
       "True) - z) / (z.shape[1] - 1)\n    return of_rest(whole,"),
      (") / left).clamp(max=700)\n    return chosen(normalised(",
       "+ a[..., None] *"), (".exp()) - normalised(f.exp())", "")],
     "in equal parts"),
    ([(", f = whole.clamp(max=700), ((whole - part) / left).clamp(max=700)",
       "= (whole - part) / left"), ("normalised(e.exp()) - normalised(f.exp())",
       "whole.log_softmax(-1) - e.log_softmax(-1)")], "the fall of log p"),
    ([("clamp(max=700),", "exp(),"), (").clamp(max", ").exp()\n    fall"),
      ("700)\n    ",
       "e / e.sum(-1, keepdim=True) - f / f.sum(-1, keepdim=True)\n    "),
      ("normalised(e.exp()) - normalised(f.exp())", "fall")], "exp overflows"),
    ([], "subtracts the largest score of each image"),
    ([("e, f = whole.clamp(max=700), (", "rest ="), (").clamp(max=700",
       "\n    e, f = (whole - whole.max()).exp(), (rest - rest.max()).exp("),
      ("(e.exp()) - normalised(f.exp())", "(e) - normalised(f)")],
     "subtracts the largest score of each image"),
])  # fmt: skip


def normalised(e):
    return e / e.sum(dim=-1, keepdim=True)


@HIDDEN.wrong("4_3.a", "where a weight is 0")
def without_each(a, z, labels):
    own = torch.eye(a.shape[1], dtype=torch.bool)
    others = a.log()[:, None].masked_fill(own, -torch.inf).softmax(dim=-1)
    return of_rest(pieces(a, z)[1], others @ z, labels)


# --- b ---------------------------------------------------------------------


def joined(weights):
    a = weights.amax(dim=2)
    return a / a.sum(dim=-1, keepdim=True)


def down(a, i, share, stays=None):
    r = torch.zeros_like(a[0, :, 0])
    r[:, i] = 1
    stays = 1 - share if stays is None else stays
    for layer in a.flip(0):
        r = share * torch.einsum("bi,bij->bj", r, layer) + stays * r
    return r


HIDDEN.mutants("4_3.b", """
def rollout_row(weights, i, share):
    return down(joined(weights), 0, share)
""", [
    ("joined(weights), 0", "weights.mean(dim=2), i", "the mean of the heads"),
    ("joined(weights), 0", "weights.amax(dim=2), i", "divide by their sums"),
    ([("return", "a = weights.amax(dim=2)\n    return"),
      ("joined(weights), 0", "a / a.sum(dim=-2, keepdim=True), i")],
     "by the sums of columns"),
    ("0,", "i, 1 -", "are exchanged"),
    ("0, share", "i, 0.5", "one half is built in"),
    (", 0", ".mT, i", "that is column i"),
    ("0, share", "i, 1.0, 0.0", "1 - share, is missing"),
    ("0, share", "i, share, 0.0", "1 - share, is missing"),
    ("0, share", "i, share, 1.0", "is not multiplied by 1 - share"),
    ([], "row 0 for every i"),
    ("joined(weights), 0", "weights[:, :, 0], i", "only the first head"),
    ("joined(weights), 0", "weights.sum(dim=2), i", "a sum without dividing"),
    (", 0", ".flip(0), i", "in the wrong order"),
    (", 0", "[-1:], i", "the last layer alone"),
    (", 0", ".detach(), i", "no gradient flows"),
    ([("return", "a = weights.amax(dim=2)\n    return"),
      ("joined(weights), 0", "a / a.sum(dim=-1, keepdim=True).detach(), i")],
     "the gradient of weights"),
    ([("return", "out ="),
      ("0, share)", "i, share)\n    weights[0] += 1\n    return out")],
     "changes its argument in place"),
    ("(weights), 0", "(weights[-4:, :, :4]), i", "only some of the layers"),
    ("(weights), 0", "(weights[:4]), i", "only some of the layers"),
    ("(weights), 0", "(weights[:100]), i", "only some of the layers"),
    ("0,", "i, min(share, 0.95) if share < 1 else", "share is used as it is"),
])  # fmt: skip


@HIDDEN.wrong("4_3.b", "belongs in every layer")
def rollout_row(weights, i, share):
    r = down(joined(weights), i, 1.0, 0.0)
    stays = torch.zeros_like(r)
    stays[:, i] = 1
    return share * r + (1 - share) * stays


# --- c ---------------------------------------------------------------------


def last(n, k):
    return k * (n + 1) / (k + 1)


HIDDEN.mutants("4_3.c", """
def redundant_areas(n, k):
    return (k - 0.5) / n, ((n + 1) / (k + 1) - 0.5) / n
""", [
    ("(k - 0.5) / n, ((n + 1) / (k + 1) - 0.5) / n", "k / n, last(n, k) / n",
     "half of the interval counts"),
    ([("k -", "k +"), ("(n + 1) / (k + 1)", "last(n, k)")], "not after it"),
    ("(k - 0.5) / n, ((n + 1) / (k + 1) - 0.5) /",
     "(k - 1) / n, (last(n, k) - 1) /", "where the output begins to fall"),
    ([("(k - 0.5)", "0.5"), ("(n + 1) / (k + 1)", "last(n, k)")],
     "one deleted key token is not enough"),
    ([("k -", "last(n, k) -"), ("(n + 1) / (k + 1)", "k")],
     "that is the mean; it comes second"),
    ("(k - 0.5) / n, ((n + 1) / (k + 1) - 0.5) / n",
     "k - 0.5, last(n, k) - 0.5", "shares, not tokens"),
    ("(n + 1) / (k + 1) -", "last(n, k) +", "it is taken off"),
    ([], "uses the first key token's number"),
    ("((n + 1) / (k + 1) - 0.5) / n", "0.5",
     "uses the middle key token's number"),
    ("((n + 1) / (k + 1) - 0.5) / n", "k / (k + 1)", "for very many tokens"),
    ("(n + 1)", "k * n", "has n + 1, not n"),
    ("(n + 1) /", "k * (n + 1) //", "do not round it"),
    ([("k -", "n -"), ("(n + 1)", "k * (n + 1)")], "that is the worst order"),
    ("(n + 1) / (k + 1)", "last(min(n, 100), k)", "nothing is cut off"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def parts_of(a, b, floor=1e-30):
    middle = ((a + b) / 2).clamp(min=floor)
    return [p * (p.clamp(min=floor) / middle).log() for p in (a, b)]


HIDDEN.mutants("4_3.d", """
def divergence(a, b):
    first, second = (p * (2 * p / (a + b)).log() for p in (a, b))
    return (first + second).sum(dim=-1) / 2
""", [
    ([("first,", "middle = ((a + b) / 2).clamp(min=1e-30)\n    first,"),
      ("p * (2 * p / (a + b)).log()", "torch.xlogy(p, p / middle)")],
     "nan or infinite"),
    ([], "must count as 0"),
    ("+ second", ".nan_to_num() + second.nan_to_num()", "nan or infinite"),
    ([("first, second = (p * (2 * p /", "middle ="), (").log",
       "/ 2 + 1e-9\n    logs = (p.clamp(min=1e-30).log() - middle.log"),
      ("(first + second)", "sum(p * x for p, x in zip((a, b), logs))")],
     "or to the middle"),
])  # fmt: skip
HIDDEN.mutants("4_3.d", """
def divergence(a, b):
    return sum(parts_of(a, b, 1e-4)).sum(dim=-1) / 2
""", [
    ([(", 1e-4", ""), (" / 2", "")], "the sum of both halves"),
    ([(", 1e-4", ""), ("2", "2 / np.log(2)")], "that is in bits"),
    ("sum(parts_of(a, b, 1e-4))", "parts_of(a, b)[0]", "only the part of a"),
    ([("return", "return -"), (", 1e-4", "")], "the sign is wrong"),
    ([(", b, 1e-4", ".detach(), b"), ("2", "2 + 0 * a.sum(dim=-1)")],
     "is something detached"),
    ("return sum(parts_of(a, b, 1e-4))",
     "found = [p * ((p + 1e-7) / ((a + b) / 2 + 1e-7)).log() for p in (a, b)]\n"
     "    return sum(found)", "weights of 0.00001 and less"),
    ([], "weights of 0.00001 and less"),
])  # fmt: skip
HIDDEN.mutants("4_3.d", """
def divergence(a, b):
    both, middle = (a > 0) & (b > 0), ((a + b) / 2).clamp(min=1e-30)
    parts = [w * (w.clamp(min=1e-30) / middle).log() * both for w in (a, b)]
    return (parts[0] + parts[1]).sum(dim=-1) / 2
""", [
    ([(", middle = (a > 0) & (b > 0), ((a + b) / 2).clamp(min=1e-30)",
       "= (a + b) / 2"), ("(w.clamp(min=1e-30) / middle).log() * both",
       "((w + 1e-4) / (both + 1e-4)).log()")], "added inside the logarithm"),
    ([(", middle = (a > 0) & (b > 0), ((a + b) / 2).clamp(min=1e-30)",
       "= ((a + b) / 2).clamp(min=1e-30).detach()"),
      ("middle).log() * both", "both).log()")], "is something detached"),
    ([], "only one of the two maps has"),
])  # fmt: skip


@HIDDEN.wrong("4_3.d", "nan or infinite")
def divergence(a, b):
    middle = (a + b) / 2
    found = [p * (p / middle).log() for p in (a, b)]
    found = [torch.where(p > 0, x, 0) for p, x in zip((a, b), found)]
    return (found[0] + found[1]).sum(dim=-1) / 2


# --- e ---------------------------------------------------------------------


def rank(*columns):
    return np.linalg.matrix_rank(np.column_stack(columns))


HIDDEN.mutants("4_3.e", """
def free_directions(z):
    return len(z) - rank(z[:, 1:] - z[:, :1])
""", [
    ("rank(z[:, 1:] - z[:, :1])", "z.shape[1]",
     "only independent equations count"),
    ([], "the weights must still sum to 1"),
    ("z[:, 1:] - z[:, :1]", "np.ones(len(z)), z",
     "by the same amount: that leaves"),
    ("len(z) - rank(", "rank(np.ones(len(z)),",
     "the directions that they leave"),
    ("rank(z[:, 1:] - z[:, :1])", "1", "only the sum's equation"),
    (" - rank(z[:, 1:] - z[:, :1])", "", "the number of places"),
    ("[:, 1:] - z[:, :1]", "", "the sum's equation"),
    ("- rank", "- 1 - rank", "into one matrix"),
    ([("return len(z) - rank(", "full = rank(np.ones(len(z)),"), ("1])",
       "1])\n    return len(z) - (z.shape[1] if full == len(z) else full)")],
     "is not negative"),
    ([("return len(z) - rank(z[:, 1:]", "kinds = np.unique(np.round(z"), ("1])",
       "1], 8), axis=0)\n    return len(z) - min(len(kinds), z.shape[1])")],
     "one may be a mixture of others"),
    ([("return len(z) - rank(",
       "equations = np.column_stack([np.ones(len(z)),"), ("1])",
       "1]])\n    return len(z) - np.linalg.matrix_rank(equations, tol=1e-3)")],
     "nor set a tolerance"),
    ([("return len(z) - rank(",
       "z = z[:, :10]\n    equations = np.column_stack([np.ones(len(z)),"),
      ("1])", "1]])\n    return len(z) - np.linalg.matrix_rank(equations)")],
     "all of them count"),
])  # fmt: skip


@HIDDEN.wrong("4_3.e", "also of two classes")
def free_directions(z):
    equations = np.column_stack([np.ones(len(z)), z[:, 1:] - z[:, :1]])
    full = z.shape[1] == 2
    return len(z) - (2 if full else np.linalg.matrix_rank(equations))
