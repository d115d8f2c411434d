"""Hidden checks and known wrong answers of exercises 3.4.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree_in_gradient

HIDDEN = Hidden(globals(), withheld=("nn.classifiers",))


def places(rng):
    b, n, w = (int(x) for x in rng.permutation([2, 6, 3]) + 1)
    may = np.arange(n) < rng.integers(1, n + 1, size=(b, 1))
    return rng.normal(size=(b, n, w)) * 2, float(rng.normal() * 3), may


HIDDEN.agrees("3_4.a", "soft_pool", title="random values", tolerance=1e-5)(
    places
)


@HIDDEN.check("3_4.a", "random gradients")
def soft_gradient(answer, rng, reference):
    args = places(rng)
    u = rng.normal(size=(len(args[0]), args[0].shape[2]))
    agree_in_gradient(answer, reference, "soft_pool", args, u, tolerance=1e-5)


def bags(rng):
    b, n, w, m = (int(x) for x in rng.permutation([2, 5, 3, 4]))
    branches = rng.normal(size=(2, w, m))
    return rng.normal(size=(b, n, w)), *branches, rng.normal(size=m) * 2


HIDDEN.agrees("3_4.b", "gated_pool", title="random states", tolerance=1e-5)(
    bags
)


@HIDDEN.check("3_4.b", "random gradients")
def gated_gradient(answer, rng, reference):
    args = bags(rng)
    u = rng.normal(size=(len(args[0]), args[0].shape[2]))
    agree_in_gradient(answer, reference, "gated_pool", args, u, tolerance=1e-5)


@HIDDEN.agrees("3_4.c", "weight_needed", title="random numbers")
def weight_anywhere(rng):
    rho = float(rng.uniform(0.1, 9))
    return int(rng.integers(2, 300)), rho, rho * float(rng.uniform(0.05, 1))


@HIDDEN.agrees("3_4.d", "pointing_hits", title="random maps")
def pointing_anywhere(rng):
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(6, 9))
    height, width = 8 * rows, 6 * columns
    first = rng.random((60, 2)) * [height / 2, width / 2]
    size = 1 + rng.random((60, 2)) * [height / 2, width / 2]
    boxes = np.concatenate([first, first + size], axis=1).astype(int)
    return rng.normal(size=(60, rows, columns)), boxes, height, width


@HIDDEN.agrees("3_4.e", "patch_rows", title="random images")
def patches_anywhere(rng):
    p, rows, columns = (int(x) for x in rng.permutation([2, 3, 4]))
    images = rng.normal(size=(3, p * rows, p * columns))
    return images, p


# --- a ---------------------------------------------------------------------


def weights(v, beta, may, dim=1):
    s = (beta * v).masked_fill(~may[..., None], -torch.inf)
    return s.softmax(dim=dim)


HIDDEN.mutants("3_4.a", None, [
    ([(".softmax(dim=1)", ""), ("masked_fill(~may[..., None], -torch.inf)",
       "softmax(dim=1) * may[..., None]")], "applied after the softmax"),
    ("softmax(dim=1)", "flatten(1).softmax(dim=1).view_as(v)",
     "places and coordinates together"),
    ("(s_bjm.softmax(dim=1) * v).sum(dim=1)", "s_bjm.logsumexp(dim=1) / beta",
     "logarithm of a sum of exponentials"),
    ("return (s_bjm.softmax(dim=1) * v).sum(dim=1)",
     "n = may.sum(dim=1, keepdim=True)\n"
     "    return (s_bjm.logsumexp(dim=1) - n.log()) / beta",
     "logarithm of a mean of exponentials"),
    ("torch.inf", "1e5", "as minus infinity, not as some low number"),
])  # fmt: skip
HIDDEN.mutants("3_4.a", """
def soft_pool(v, beta, may):
    return (weights(v, beta, ~may) * v).sum(dim=1)
""", [
    ("weights(v, beta, ~may)", "(beta * v).softmax(dim=1)",
     "the mask is not used"),
    ([], "is the mask inverted"),
    ([("return", "a = (beta * v * may[..., None]).softmax(dim=1)\n    return"),
      ("weights(v, beta, ~may)", "a")], "padding has the score 0"),
    ([("* v", "* v * may[..., None]"),
      ("weights(v, beta, ~may)", "(beta * v).softmax(dim=2)")],
     "runs over the coordinates"),
    ("~may", "may, dim=0", "runs over the batch"),
    ("return (weights(v, beta, ~may) * v)",
     "a = weights(v.mean(dim=2, keepdim=True), beta, may)\n    return (a * v)",
     "share their weights"),
    ("beta, ~", "1 / (beta or 1e-9),", "divides by beta"),
    ("beta, ~", "-beta,", "wrong sign"),
    ("beta, ~", "1.0,", "beta is not used"),
    ([("~may", "may"), ("* v", "* beta * v")], "sum of beta v"),
    ([("~may", "may"), ("sum", "mean")], "a mean of the weighted values"),
    ([("return", "return v.masked_fill"), ("(weights(v, beta, ~may) * v).sum",
       "(~may[..., None], -torch.inf).amax")], "maximum of the real places"),
    ("return (weights(v, beta, ~may) * v).sum(dim=1)",
     "e = (beta * v).exp() * may[..., None]\n"
     "    return (e * v).sum(dim=1) / e.sum(dim=1)", "exp overflows"),
    ("~may", "may).detach(", "the gradient of v"),
    ([("~may", "may"), ("* v", "* v.detach()")], "the gradient of v"),
    ([("return", "out ="), ("~may) * v).sum(dim=1)",
       "may) * v).sum(dim=1)\n    v *= beta\n    return out")],
     "changes its argument in place"),
    ("(weights(v, beta, ~may) * v).sum(dim=1)",
     "torch.relu((weights(v, beta, may) * v).sum(dim=1))", "may be negative"),
    (", ~may", "/ v.shape[-1] ** 0.5, may", "divided by the root of w"),
    ("return (weights(v, beta, ~may) * v).sum(dim=1)",
     "out = (weights(v, beta, may) * v).sum(dim=1)\n"
     "    return torch.cat([out[:4], 0 * out[4:]])", "only the first images"),
    ([("return", "v, may = v[:, :100], may[:, :100]\n    return"),
      ("~may", "may")], "300 places"),
    ("beta, ~", "min(beta, 500),", "beta is used as it is"),
    ([("~may", "may"), ("(dim=1)", "(dim=1) * (1 - 2.5e-7)")],
     "added to a sum"),
])  # fmt: skip


# --- b ---------------------------------------------------------------------


def scores(h, V, U, p):
    return (torch.tanh(h @ V) * torch.sigmoid(h @ U)) @ p


def collected(s, h, dim=1):
    return torch.einsum("bj,bjw->bw", s.softmax(dim=dim), h)


HIDDEN.mutants("3_4.b", None, [
    ([("(torch.tanh(h @ V) * torch.sigmoid(h @ U)) @ p", "scores(h, V, U, p)"),
      ("softmax(dim=-1)", "flatten().softmax(0).view_as(s_bj)")],
     "over all images together"),
    ("softmax(dim=-1)", "clamp(-4000, 4000).softmax(-1)",
     "do not cut scores off"),
    ([("torch.tanh(h @ V", "2 * h @ V).exp()\n    s = ((s_bj - 1) / (s_bj + 1"),
      ('torch.einsum("bj,bjw->bw", s_bj.softmax(dim=-1), h)',
       "collected(s, h)")], "use torch.tanh"),
])  # fmt: skip
HIDDEN.mutants("3_4.b", """
def gated_pool(h, V, U, p):
    return collected(scores(h, U, V, p), h)
""", [
    ([], "U and V are exchanged"),
    ("scores(h, U, V, p)", "torch.tanh(h @ V) @ p", "the gate is missing"),
    ("scores(h, U, V, p)", "torch.sigmoid(h @ U) @ p",
     "the tanh branch is missing"),
    ("scores(h, U, V, p)", "(torch.tanh(h @ V) + torch.sigmoid(h @ U)) @ p",
     "their product is asked"),
    ("scores(h, U, V, p)", "(torch.tanh(h @ V) * torch.tanh(h @ U)) @ p",
     "both branches use tanh"),
    ("scores(h, U, V, p)", "(torch.sigmoid(h @ V) * torch.sigmoid(h @ U)) @ p",
     "both branches use the sigmoid"),
    ("scores(h, U, V, p)", "(torch.tanh(h @ V) * (h @ U)) @ p",
     "the gate has no sigmoid"),
    ("scores(h, U, V, p)", "((h @ V) * torch.sigmoid(h @ U)) @ p",
     "the first branch has no tanh"),
    ([("U, V", "V, U"), (", h", ", h, dim=0")], "it runs over places"),
    ([("return collected(scores(h, U, V, p), h)",
       "a = scores(h, V, U, p)[..., None].softmax(dim=-1)\n    return (a * h)"),
      ("h)", "h).sum(dim=1) / h.shape[1]")], "an axis of one coordinate"),
    ([("collected(", 'torch.einsum("bj,bjw->bw",'), ("U, V", "V, U")],
     "there is no softmax"),
    ([("collected(", 'torch.einsum("bj,bjw->bw",'),
      ("(h, U, V, p)", "(h, V, U, p).sigmoid()")], "pass a sigmoid"),
    ([("scores", "-scores"), ("U, V", "V, U")], "the sign is wrong"),
    ("(h, U, V, p)", "(h, V, U, p) / h.shape[-1] ** 0.5", "divided by a root"),
    ("U, V, p), h)", "V, U, p), h) / h.shape[1]", "a mean of weighted states"),
    ("return collected(scores(h, U, V, p), h)",
     "e = scores(h, V, U, p).exp()\n"
     '    return torch.einsum("bj,bjw->bw", e / e.sum(dim=1, keepdim=True), h)',
     "exp overflows"),
    ("(h, U, V, p)", "(h, V, U, p).detach()", "the gradient of h, V, U, p"),
    ([("return", "gate = torch.sigmoid(h @ U).detach()\n    return"),
      ("scores(h, U, V, p)", "(torch.tanh(h @ V) * gate) @ p")],
     "the gradient of h, U"),
    ([("return", "out ="),
      ("U, V, p), h)", "V, U, p), h)\n    h *= 2\n    return out")],
     "changes its argument in place"),
    ("(h, U, V, p)", "(h, V, U, p)[:1].expand(len(h), -1)",
     "each has scores of its own"),
    ("(h, U, V, p)", "(h, V, U, p) / len(p) ** 0.5", "the root of m"),
    ("(h, U, V, p)", "(h, V, U, p).abs()", "has lost its sign"),
    ([("U, V", "V, U"), (", h", "[:, :100], h[:, :100]")], "300 places"),
    ("U, V, p), h)", "V, U, p), h) * (1 - 2.5e-7)", "added to a sum"),
])  # fmt: skip


# --- c ---------------------------------------------------------------------


def gap(rho, r):
    return (rho / r) ** 2 - 1


HIDDEN.mutants("3_4.c", """
def weight_needed(n, rho, r):
    return 1 / n
""", [
    ("/ n", "/ (1 + np.sqrt((n - 1) * (rho / r) ** 2))",
     "the signal's own place for 0"),
    ("/ n", "/ (1 + np.sqrt(n * gap(rho, r)))", "n - 1 other places, not n"),
    ("/ n", "/ (1 + np.sqrt(gap(rho, r)))",
     "forgets that there are n - 1 other places"),
    ("/ n", "/ (1 + (n - 1) * gap(rho, r))", "the root is missing"),
    ("/ n", "/ np.sqrt((n - 1) * gap(rho, r))", "odds"),
    ("1 / n", "np.sqrt((n - 1) * gap(rho, r))", "(1 - a) : a, not a"),
    ("/ n", "- 1 / (1 + np.sqrt((n - 1) * gap(rho, r)))",
     "the weight of the others"),
    ("/ n", "/ (1 + np.sqrt((n - 1) * (rho / r - 1)))",
     "have not been squared"),
    ("/ n", "/ (1 + (n - 1) * np.sqrt(gap(rho, r)))", "outside the root"),
    ("/ n", "/ (1 + np.sqrt(gap(rho, r) / (n - 1)))",
     "Fewer places would need more weight"),
    ("1 / n", "max(1 / n, 1 / (1 + np.sqrt((n - 1) * gap(rho, r))))",
     "a may be below 1/n"),
    ([("return", "root = np.sqrt((n - 1) * gap(rho, r))\n    return"),
      ("/ n", "/ (1 - root) if 0 < root < 1 else 1 / (1 + root)")],
     "of the two roots"),
    ("/ n", "/ (1 + np.sqrt((n - 1) * max(gap(rho, r), 1e-3)))", "or cut off"),
    ("/ n", "/ (1 + np.sqrt((n - 1) * (gap(rho, r) + 2)))", "not added"),
    ([], "the average's weight"),
    ("1 / n", "r / rho", "that is r / rho"),
    ("1 / n", "max(1e-3, 1 / (1 + np.sqrt((n - 1) * gap(rho, r))))",
     "nothing is cut off"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def hits(y, x, boxes):
    inside = (y >= boxes[:, 0]) & (y < boxes[:, 2])
    return inside & (x >= boxes[:, 1]) & (x < boxes[:, 3])


def cells(maps):
    b, rows, columns = maps.shape
    top = maps.reshape(b, -1).argmax(axis=1)
    return top // columns, top % columns, rows, columns


HIDDEN.mutants("3_4.d", """
def pointing_hits(maps, boxes, height, width):
    y, x, rows, columns = cells(maps)
    y, x = (y + 0.5) * height / rows, (x + 0.5) * width / columns
    return hits(x, y, boxes)
""", [
    ([("y, x,", "b,"), ("cells(maps)",
       "maps.shape\n    top = maps.reshape(b, -1).argmax(axis=1)"),
      (", x = (y + 0.5)", "= (top // rows + 0.5)"),
      (", (x + 0.5) * width / columns\n    return hits(x, y, boxes)",
       "\n    return hits(y, (top % rows + 0.5) * width / columns, boxes)")],
     "row times columns plus column"),
    ([], "y and x are exchanged"),
    ([("/ rows", "/ columns"), ("columns\n    return hits(x, y, boxes)",
       "rows\n    return hits(y, x, boxes)")], "A cell has height / rows"),
    ([("height / rows, (x + 0.5) * width", "width / rows, (x + 0.5) * height"),
      ("x, y", "y, x")], "are height and width"),
    ([("y, x = (y + 0.5)", "return hits(y"), ("(x + 0.5)", "x"),
      ("\n    return hits(x, y", "")], "not its middle"),
    ([("return hits",
       "inside = (y >= boxes[:, 0]) & (y <= boxes[:, 2])\n    return inside &"),
      ("(x, y, boxes)", "(x >= boxes[:, 1]) & (x <= boxes[:, 3])")],
     "a box ends before its last two numbers"),
    ([("return hits",
       "inside = (y > boxes[:, 0]) & (y < boxes[:, 2])\n    return inside &"),
      ("(x, y, boxes)", "(x > boxes[:, 1]) & (x < boxes[:, 3])")],
     "they belong to it"),
    ("hits(x, y, boxes)", "~hits(y, x, boxes)", "True is a hit"),
    ("y, x, rows, columns = cells(maps)\n"
     "    y, x = (y + 0.5) * height / rows, (x + 0.5) * width / columns\n"
     "    return hits(x, y, boxes)",
     "return np.ones(len(maps), bool)", "all maps cannot hit"),
    ([("(maps)", "(np.abs(maps))"), ("x, y", "y, x")], "each cell's own box"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def cut(images, p):
    b, height, width = images.shape
    return images.reshape(b, height // p, p, width // p, p)


HIDDEN.mutants("3_4.e", """
def patch_rows(images, p):
    x = cut(images, p).permute(0, 3, 1, 4, 2)
    return x.reshape(len(images), -1, p * p)
""", [
    ("x = cut(images, p).permute(0, 3, 1, 4, 2)\n    return x", "return images",
     "a row holds a strip"),
    ("4, 2", "2, 4", "the patches stand in the order of columns"),
    ("3, 1", "1, 3", "the pixels of a patch stand in the order of columns"),
    ([], "patches and pixels stand in the order of columns"),
    ([("3", "2, 4"), ("4, 2)\n    return x.reshape(len(images), -1, p * p",
       "3)\n    return x.flatten(3).flatten(1, 2")], "row j is patch j"),
    ([("permute(0, 3, 1, 4, 2)", "transpose(2, 3)"),
      ("* p)", "* p).transpose(1, 2)")], "row j is patch j"),
    ("permute(0, 3, 1, 4, 2)", "transpose(1, 2)", "are not the right ones"),
    ("permute(0, 3, 1, 4, 2)", "transpose(3, 4)",
     "the last axes are exchanged"),
    ("x = cut(images, p).permute(0, 3, 1, 4, 2)\n    return x",
     "return images.transpose(1, 2)", "the transposed image was reshaped"),
    ([("permute(0, 3, 1, 4, 2)", "transpose(2, 3)"), ("* p)", "* p).detach()")],
     "no gradient flows"),
])  # fmt: skip
