"""Hidden checks and known wrong answers of exercises 3.6.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden

HIDDEN = Hidden(globals(), withheld=("metrics.contours",))


@HIDDEN.agrees("3_6.a", "distance_along", title="random lines")
def along_anywhere(rng):
    for share in (0.5, 0.05):
        yield (rng.random(int(rng.integers(20, 90))) < share,)


def maps(rng):
    r, c, d, e = rng.permutation([2, 3, 5, 4])
    q, k = rng.normal(size=(2, r, c, d))
    may = rng.random((r, c)) < 0.7
    may[:, 0] = True
    return q, k, rng.normal(size=(r, c, e)), may


HIDDEN.agrees(
    "3_6.b", "attend_along_rows", title="random sizes", tolerance=1e-5
)(maps)


HIDDEN.agrees(
    "3_6.b",
    "attend_along_rows",
    title="random gradients",
    gradient=True,
    tolerance=1e-5,
)(maps)


@HIDDEN.agrees("3_6.c", "best_expected_dice", title="random probabilities")
def mark_anywhere(rng):
    for power in (1, 4):
        yield (rng.random(int(rng.integers(5, 40))) ** power,)


@HIDDEN.agrees("3_6.d", "hausdorff_of_points", title="random points")
def forgets_anywhere(rng):
    for n, m in ((5, 9), (9, 5)):
        yield rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 1


@HIDDEN.agrees("3_6.e", "pixels_seen", title="random stacks")
def sees_anywhere(rng):
    strides = rng.integers(1, 4, size=6)
    kernels = np.maximum(rng.integers(1, 7, size=6), strides)  # no gaps
    return kernels, strides


# --- a ---------------------------------------------------------------------


def table(n):
    places = np.arange(n)
    return abs(places - places[:, None]).astype(float)


def one_way(outline, step=1):
    out = np.where(outline, 0.0, np.inf)[::step].copy()
    for k in range(1, len(out)):
        out[k] = min(out[k], out[k - 1] + 1)
    return out[::step]


def nearest(outline):
    return np.minimum(one_way(outline), one_way(outline, -1))


HIDDEN.mutants("3_6.a", """
def distance_along(outline):
    return nearest(outline) + 1
""", [
    ([("nearest", "one_way"), (" + 1", "")], "looks to the left only"),
    ("nearest(outline) + 1", "one_way(outline, -1)", "looks to the right only"),
    ("(outline) + 1", "(~outline)", "outside the outline"),
    ("+ 1", "** 2", "squared distances"),
    ([], "has the distance 0"),
    ([("return nearest", "if not outline.any():\n        return np.full(len"),
      ("+ 1", ", np.inf)\n    return table(len(outline))[outline.argmax()]")],
     "the first place of the outline"),
    ("nearest(outline) + 1",
     "np.maximum(one_way(outline), one_way(outline, -1))",
     "the larger of both directions"),
    ("nearest(outline) + 1", "outline.cumsum().astype(float)",
     "counts places of the outline"),
    ([("return", "n = len(outline)\n    return"),
      ("(outline) + 1", "(np.tile(outline, 3))[n : 2 * n]")],
     "the line is no circle"),
    ([("return", "out ="),
      ("+ 1", "\n    return np.where(np.isinf(out), len(out), out)")],
     "every distance is infinite"),
    ("nearest(outline) + 1", "np.nan_to_num(nearest(outline), posinf=0.0)",
     "every distance is infinite"),
    ([("return", "out ="), ("+ 1", "\n    outline[:] = False\n    return out")],
     "changes its argument in place"),
    ("(outline) + 1", "(outline[:1000])", "100,000 places"),
])  # fmt: skip


@HIDDEN.wrong("3_6.a", "the last place of the outline")
def distance_along(outline):
    if not outline.any():
        return np.full(len(outline), np.inf)
    return table(len(outline))[len(outline) - 1 - outline[::-1].argmax()]


# --- b ---------------------------------------------------------------------


def softened(q, k, may, by=None, dim=-1, fill=-torch.inf):
    s = q @ k.mT / (by or q.shape[-1] ** 0.5)
    return s.masked_fill(~may[:, None], fill).softmax(dim=dim)


@HIDDEN.wrong("3_6.a", "not only the first and the last")
def distance_along(outline):
    there, places = np.flatnonzero(outline), np.arange(len(outline))
    if not len(there):
        return np.full(len(outline), np.inf)
    return np.minimum(abs(places - there[0]), abs(places - there[-1]))


HIDDEN.mutants("3_6.b", None, [
    ([("q @", "q.flatten(0, 1) @"), (".mT", ".flatten(0, 1).mT"),
      ("[:, None]", ".flatten()"), ("s_yij.softmax(dim=-1) @ v",
       "(s_yij.softmax(dim=-1) @ v.flatten(0, 1)).view(v.shape)")],
     "attends to all places"),
    ([("s_yij = s_yij", "return s_yij"),
      ("-torch.inf)\n    return s_yij.softmax(dim=-1", "0.0")],
     "the softmax is missing"),
    ([("\n    return s_yij", ""), ("q @ k.mT / q.shape[-1] ** 0.5\n    s_yij =",
       "(q @ k.mT / q.shape[-1] ** 0.5).clamp(-100, 100)\n    return")],
     "cut none off"),
    ("s_yij = q @ k.mT / q.shape[-1] ** 0.5\n    s_yij = s_yij",
     "k, v, may = (x[:, :100] for x in (k, v, may))\n"
     "    s_yij = (q @ k.mT / q.shape[-1] ** 0.5)", "300 columns"),
])  # fmt: skip
HIDDEN.mutants("3_6.b", """
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, by=2) @ v
""", [
    ([], "q and k of width 9"),
    ("2", "1", "not divided by sqrt(d)"),
    ("2", "q.shape[-1]", "divided by d, not by its root"),
    ("2", "v.shape[-1] ** 0.5", "the root of e"),
    ("2", "q.shape[1] ** 0.5", "the root of the number of columns"),
    ("by=2", "dim=1, fill=-1e30", "the softmax runs over the queries"),
    (", by=2", "| True", "the mask is not used"),
    ("may, by=2", "~may if not may.all() else may", "the mask is inverted"),
    ("softened(q, k, may, by=2)", "(softened(q, k, may | True) * may[:, None])",
     "applied after the softmax"),
    ("by=2", "fill=0.0", "masked scores are 0"),
    ("softened(q, k, may, by=2) @ v",
     "(softened(q, k, may | True) @ v) * may[..., None]",
     "the mask hides queries"),
    ("softened(q, k, may, by=2) @ v",
     "(softened(q, k, may) @ v) * may[..., None]", "only the keys are masked"),
    ([("return softened(q",
       "s = (q @ k.mT / q.shape[-1] ** 0.5).exp() * may[:"),
      ("k, may, by=2", "None]\n    return s / s.sum(dim=-1, keepdim=True")],
     "exp gives 0/0"),
    ("by=2", "fill=-100.0", "masked places get weight"),
    (", by=2", ").detach(", "the gradient of q, k"),
    ([(", by=2", ""), ("@ v", "@ v.detach()")], "the gradient of v"),
    ([("return", "q /= q.shape[-1] ** 0.5\n    return"), ("2", "1")],
     "changes its argument in place"),
    ("by=2", "fill=-1e5", "minus infinity, not some low number"),
    ("softened(q, k, may, by=2) @ v", "(softened(q, k, may) @ v).abs()",
     "values may be negative"),
    ([], "whatever d is"),
    ("softened(q, k, may, by=2) @ v", "in_rows()(q, k, v, may) * (1 - 2.5e-7)",
     "added to a sum"),
])  # fmt: skip


@HIDDEN.wrong("3_6.b", "attends along columns")
def attend_along_rows(q, k, v, may):
    q, k, v = (x.transpose(0, 1) for x in (q, k, v))
    s = q @ k.mT / q.shape[-1] ** 0.5
    s = s.masked_fill(~may.T[:, None], -torch.inf)
    return (s.softmax(dim=-1) @ v).transpose(0, 1)


# --- c ---------------------------------------------------------------------


def of_sets(p):
    falling = np.sort(p)[::-1]
    return 2 * falling.cumsum() / (np.arange(1, len(p) + 1) + p.sum())


HIDDEN.mutants("3_6.c", None, [
    ([("\n    marked =", ".cumsum()\n    return (2 * falling / ("),
      ("\n    return (2 * falling.cumsum() / (marked + p.sum()", "+ falling")],
     "not of the marked ones"),
    ([("\n    marked =", ".cumsum()\n    return (2 * falling /"),
      ("\n    return (2 * falling.cumsum() / (marked + p.sum())", "")],
     "sum of all p is missing below"),
    ([("[::-1]", "[::-1][: max(1, (p >= 0.1).sum())]"),
      ("len(p)", "len(falling)")], "and many of them"),
    ([("sort", "unique"), ("len(p)", "len(falling)")], "count each"),
    ([("[::-1]", "[::-1][:100]"), ("len(p)", "len(falling)")],
     "all of them are marked"),
    ([("sort(p)", "sort(p[p > 0.01] if (p > 0.01).any() else p)"),
      ("len(p)", "len(falling)"), ("+ p", "+ falling")],
     "holds unlikely pixels"),
])  # fmt: skip
HIDDEN.mutants("3_6.c", """
def best_expected_dice(p):
    return of_sets(p)[0]
""", [
    ([], "marks the best pixel only"),
    ("0", "-1", "marks all pixels"),
    ("0", "max((p > 0.5).sum() - 1, 0)", "marks no pixel below one half"),
    ("return of_sets(p)[0]",
     "some = p >= 0.5\n    return 2 * p[some].sum() / (some.sum() + p.sum())",
     "a threshold of one half marks nothing"),
    ("[0]", "[min(1, len(p) - 1) :].max()", "may hold a single pixel"),
    ([("return", "values ="),
      ("[0]", "\n    return values.max() if p.max() > 0.01 else 0.0")],
     "a single, unlikely pixel"),
    ("[0]", ".max() / 2", "half of D; D is asked"),
    ("of_sets(p)[0]", "float(of_sets(p).argmax() + 1)", "how many pixels"),
    ("of_sets(p)[0]",
     "(2 * np.sort(p)[::-1].cumsum() / (len(p) + p.sum())).max()",
     "counts them all below"),
    ("return of_sets(p)[0]",
     "marked = np.arange(1, len(p) + 1)\n"
     "    return (2 * p.cumsum() / (marked + p.sum())).max()",
     "in any order: sort them"),
    ([("return", "best ="), ("[0]", ".max()\n    p.sort()\n    return best")],
     "changes its argument in place"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def distances(found, gold):
    return np.hypot(*(found[:, None] - gold).transpose(2, 0, 1))


HIDDEN.mutants("3_6.d", None, [
    ("return", "table = table.astype(found.dtype)\n    return",
     "distances are not rounded, whatever"),
    ("return",
     "if len(found) == len(gold):\n"
     "        return min(table.min(axis=1).max(), table.min(axis=0).max())\n"
     "    return", "also where both sets are as large"),
    ("max(table.min(axis=1).max(), table.min(axis=0).max())",
     "min(max(table.min(0).max(), table.min(1).max()), 1000.0)",
     "30,000, 40,000"),
    ([("table.min(axis=1)", "np.percentile(table.min(k), 95) for k in (0, 1)"),
      (".max(), table.min(axis=0).max())", ")")], "that is a percentile"),
])  # fmt: skip
HIDDEN.mutants("3_6.d", """
def hausdorff_of_points(found, gold):
    return distances(found, gold).min(axis=1).max()
""", [
    ([], "the missed lesion is forgotten"),
    ("1", "0", "the wrongly found lesion is forgotten"),
    ([("return", "t ="), (".min(axis=1).max()",
       "\n    return (t.min(axis=1).max() + t.min(axis=0).max()) / 2")],
     "the mean of both ways"),
    ([("return", "t ="), (".min(axis=1)",
       "\n    return t.min(axis=1 if len(found) > len(gold) else 0)")],
     "the larger set is not always the one to ask"),
    ([("return", "t ="), (".min(axis=1).max()",
       "\n    return np.round(max(t.min(axis=1).max(), t.min(axis=0).max()))")],
     "distances are not rounded"),
    ([("return", "t ="), (".min", "\n    return t.min"),
      ("max()", "max() + t.min(axis=0).max()")], "the sum of both ways"),
    ("min(axis=1).", "", "any two points"),
    ([("return", "t ="), (".min(axis=1).max()",
       "\n    return max(t.min(axis=1).mean(), t.min(axis=0).mean())")],
     "the mean distance, not the largest"),
    ([("return", "t ="), (".min(axis=1).max()",
       "\n    return max(t.max(axis=1).min(), t.max(axis=0).min())")],
     "the wrong axis"),
])  # fmt: skip
HIDDEN.mutants("3_6.d", """
def hausdorff_of_points(found, gold):
    t = abs(found[:, None] - gold).sum(-1)
    return max(t.min(axis=1).max(), t.min(axis=0).max())
""", [
    ([("abs(found[:, None] - gold).sum(-1)", "distances(found, gold)"),
      ("return max", "return min")], "the smaller of both ways"),
    ("abs(found[:, None] - gold).sum(-1)", "distances(found, gold) ** 2",
     "squared distance"),
    ([], "the sum of both"),
    ("sum", "max", "the larger of both directions"),
    ([("t = abs", "found, gold = found[:5], gold[:5]\n    t = np.hypot(*"),
      ("sum(-1", "transpose(2, 0, 1)")], "only some of the points"),
    ([("t = abs", "found, gold = found[:100], gold[:100]\n    t = np.hypot(*"),
      ("sum(-1", "transpose(2, 0, 1)")], "all of them are asked"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def seen(kernels, strides, start=1):
    total, apart = start, 1
    for kernel, stride in zip(kernels, strides):
        total += (kernel - 1) * apart
        apart *= stride
    return total


HIDDEN.mutants("3_6.e", """
def pixels_seen(kernels, strides):
    return 1 + (kernels - 1).sum()
""", [
    ([], "strides are not used"),
    ("kernels - 1", "(kernels - 1) * strides.cumprod()",
     "counts from the next layer on"),
    ("kernels - 1", "(kernels - 1) * np.r_[1, strides[:-1]]",
     "uses the last stride only"),
    ([("return", "apart = np.r_[1, strides[:-1].cumsum()]\n    return"),
      ("(kernels - 1)", "((kernels - 1) * apart)")], "yours adds them"),
    ("1 + (kernels - 1).sum()", "seen(kernels[::-1], strides[::-1])",
     "from the last to the first"),
    ("1 + (kernels - 1).sum()", "seen(kernels, strides, start=0)",
     "leaves out the pixel"),
    ("1 + (kernels - 1).sum()", "seen(kernels, strides) // 2", "to one side"),
    ("1 + (kernels - 1).sum()", "int(np.prod(kernels))",
     "kernels were multiplied"),
    ("1 + (kernels - 1).sum()", "int(np.sum(kernels))", "kernels were added"),
    ("kernels - 1", "(kernels - 1) * strides", "with its kernel alone"),
    ("return 1 + (kernels - 1).sum()",
     "seen, apart = 1, 1\n"
     "    for kernel, stride in zip(kernels[:6], strides):\n"
     "        seen, apart = seen + (kernel - 1) * apart, apart * stride\n"
     "    return seen", "only some of the layers"),
    ("1 + (kernels - 1).sum()", "reach()(kernels[:100], strides[:100])",
     "all of them count"),
])  # fmt: skip
HIDDEN.mutants("3_6.e", 'prediction = "pooling"', [
    ([], "set prediction to one of"),
])  # fmt: skip


def in_rows(change=None, own=False):
    """Attention along rows with other scores, or one's own place let in."""

    def attend_along_rows(q, k, v, may):
        s = q @ k.mT / q.shape[-1] ** 0.5
        s = change(s) if change else s
        let = may[:, None] | (torch.eye(q.shape[1]) > 0) & own
        return s.masked_fill(~let, -torch.inf).softmax(dim=-1) @ v

    return attend_along_rows


HIDDEN.wrong("3_6.b", "do not cut scores off")(
    in_rows(lambda s: s.clamp(max=50))
)
HIDDEN.wrong("3_6.b", "from its own query")(in_rows(own=True))


@HIDDEN.wrong("3_6.c", "no fixed grid of thresholds")
def best_expected_dice(p):
    sets = [p[p >= t] for t in np.linspace(0, 0.99, 100)]
    return max(2 * s.sum() / (len(s) + p.sum()) for s in sets)


def reach(add=lambda k: k - 1, step=lambda apart, stride, k: apart * stride):
    """Pixels seen where a layer adds and moves on otherwise."""

    def pixels_seen(kernels, strides):
        seen, apart = 1, 1
        for k, stride in zip(kernels, strides):
            seen += add(k) * apart
            apart = step(apart, stride, k)
        return seen

    return pixels_seen


HIDDEN.wrong("3_6.e", "not 4")(reach(step=lambda a, s, k: a + s - 1))
HIDDEN.wrong("3_6.e", "may be even")(reach(lambda k: k // 2 * 2))
HIDDEN.wrong("3_6.e", "not always 3")(reach(lambda k: 2))
HIDDEN.wrong("3_6.e", "as large as its kernel")(
    reach(step=lambda a, s, k: a * min(s, max(k - 1, 1)))
)
