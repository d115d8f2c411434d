"""Hidden checks and known wrong answers of exercises 3.6.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(withheld=("contours",))


@HIDDEN.check("3_6.a", "random lines")
def along_anywhere(answer, rng, reference):
    for share in (0.5, 0.05):
        args = (rng.random(int(rng.integers(20, 90))) < share,)
        agree(answer, reference, "distance_along", args, "random")


def maps(rng):
    r, c, d, e = rng.permutation([2, 3, 5, 4])
    q, k = rng.normal(size=(2, r, c, d))
    may = rng.random((r, c)) < 0.7
    may[:, 0] = True
    return q, k, rng.normal(size=(r, c, e)), may


@HIDDEN.check("3_6.b", "random sizes")
def rows_anywhere(answer, rng, reference):
    agree(
        answer,
        reference,
        "attend_along_rows",
        maps(rng),
        "random",
        tolerance=1e-5,
    )


@HIDDEN.check("3_6.b", "random gradients")
def rows_gradient(answer, rng, reference):
    args = maps(rng)
    u = rng.normal(size=args[2].shape)
    agree_in_gradient(
        answer, reference, "attend_along_rows", args, u, tolerance=1e-5
    )


@HIDDEN.check("3_6.c", "random probabilities")
def mark_anywhere(answer, rng, reference):
    for power in (1, 4):
        args = (rng.random(int(rng.integers(5, 40))) ** power,)
        agree(answer, reference, "best_expected_dice", args, "random")


@HIDDEN.check("3_6.d", "random points")
def forgets_anywhere(answer, rng, reference):
    for n, m in ((5, 9), (9, 5)):
        args = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 1
        agree(answer, reference, "hausdorff_of_points", args, "random")


@HIDDEN.check("3_6.e", "random stacks")
def sees_anywhere(answer, rng, reference):
    strides = rng.integers(1, 4, size=6)
    kernels = np.maximum(rng.integers(1, 7, size=6), strides)  # no gaps
    agree(answer, reference, "pixels_seen", (kernels, strides), "random")


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


@HIDDEN.wrong("3_6.a", "looks to the left only")
def distance_along(outline):
    return one_way(outline)


@HIDDEN.wrong("3_6.a", "looks to the right only")
def distance_along(outline):
    return one_way(outline, -1)


@HIDDEN.wrong("3_6.a", "outside the outline")
def distance_along(outline):
    return nearest(~outline)


@HIDDEN.wrong("3_6.a", "squared distances")
def distance_along(outline):
    return nearest(outline) ** 2


@HIDDEN.wrong("3_6.a", "has the distance 0")
def distance_along(outline):
    return nearest(outline) + 1


@HIDDEN.wrong("3_6.a", "the first place of the outline")
def distance_along(outline):
    if not outline.any():
        return np.full(len(outline), np.inf)
    return table(len(outline))[outline.argmax()]


@HIDDEN.wrong("3_6.a", "the last place of the outline")
def distance_along(outline):
    if not outline.any():
        return np.full(len(outline), np.inf)
    return table(len(outline))[len(outline) - 1 - outline[::-1].argmax()]


@HIDDEN.wrong("3_6.a", "the larger of both directions")
def distance_along(outline):
    return np.maximum(one_way(outline), one_way(outline, -1))


@HIDDEN.wrong("3_6.a", "counts places of the outline")
def distance_along(outline):
    return outline.cumsum().astype(float)


@HIDDEN.wrong("3_6.a", "the line is no circle")
def distance_along(outline):
    n = len(outline)
    return nearest(np.tile(outline, 3))[n : 2 * n]


@HIDDEN.wrong("3_6.a", "every distance is infinite")
def distance_along(outline):
    out = nearest(outline)
    return np.where(np.isinf(out), len(out), out)


@HIDDEN.wrong("3_6.a", "every distance is infinite")
def distance_along(outline):
    return np.nan_to_num(nearest(outline), posinf=0.0)


@HIDDEN.wrong("3_6.a", "changes its argument in place")
def distance_along(outline):
    out = nearest(outline)
    outline[:] = False
    return out


@HIDDEN.wrong("3_6.a", "100,000 places")
def distance_along(outline):
    return nearest(outline[:1000])


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


@HIDDEN.wrong("3_6.b", "q and k of width 9")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, by=2) @ v


@HIDDEN.wrong("3_6.b", "not divided by sqrt(d)")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, by=1) @ v


@HIDDEN.wrong("3_6.b", "divided by d, not by its root")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, by=q.shape[-1]) @ v


@HIDDEN.wrong("3_6.b", "the root of e")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, by=v.shape[-1] ** 0.5) @ v


@HIDDEN.wrong("3_6.b", "the root of the number of columns")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, by=q.shape[1] ** 0.5) @ v


@HIDDEN.wrong("3_6.b", "attends to all places")
def attend_along_rows(q, k, v, may):
    s = q.flatten(0, 1) @ k.flatten(0, 1).mT / q.shape[-1] ** 0.5
    s = s.masked_fill(~may.flatten(), -torch.inf)
    return (s.softmax(dim=-1) @ v.flatten(0, 1)).view(v.shape)


@HIDDEN.wrong("3_6.b", "attends along columns")
def attend_along_rows(q, k, v, may):
    q, k, v = (x.transpose(0, 1) for x in (q, k, v))
    s = q @ k.mT / q.shape[-1] ** 0.5
    s = s.masked_fill(~may.T[:, None], -torch.inf)
    return (s.softmax(dim=-1) @ v).transpose(0, 1)


@HIDDEN.wrong("3_6.b", "the softmax runs over the queries")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, dim=1, fill=-1e30) @ v


@HIDDEN.wrong("3_6.b", "the softmax is missing")
def attend_along_rows(q, k, v, may):
    s = q @ k.mT / q.shape[-1] ** 0.5
    return s.masked_fill(~may[:, None], 0.0) @ v


@HIDDEN.wrong("3_6.b", "the mask is not used")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may | True) @ v


@HIDDEN.wrong("3_6.b", "the mask is inverted")
def attend_along_rows(q, k, v, may):
    return softened(q, k, ~may if not may.all() else may) @ v


@HIDDEN.wrong("3_6.b", "applied after the softmax")
def attend_along_rows(q, k, v, may):
    return (softened(q, k, may | True) * may[:, None]) @ v


@HIDDEN.wrong("3_6.b", "masked scores are 0")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, fill=0.0) @ v


@HIDDEN.wrong("3_6.b", "the mask hides queries")
def attend_along_rows(q, k, v, may):
    return (softened(q, k, may | True) @ v) * may[..., None]


@HIDDEN.wrong("3_6.b", "only the keys are masked")
def attend_along_rows(q, k, v, may):
    return (softened(q, k, may) @ v) * may[..., None]


@HIDDEN.wrong("3_6.b", "exp gives 0/0")
def attend_along_rows(q, k, v, may):
    s = (q @ k.mT / q.shape[-1] ** 0.5).exp() * may[:, None]
    return s / s.sum(dim=-1, keepdim=True) @ v


@HIDDEN.wrong("3_6.b", "masked places get weight")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, fill=-100.0) @ v


@HIDDEN.wrong("3_6.b", "the gradient of q, k")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may).detach() @ v


@HIDDEN.wrong("3_6.b", "the gradient of v")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may) @ v.detach()


@HIDDEN.wrong("3_6.b", "changes its argument in place")
def attend_along_rows(q, k, v, may):
    q /= q.shape[-1] ** 0.5
    return softened(q, k, may, by=1) @ v


@HIDDEN.wrong("3_6.b", "minus infinity, not some low number")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, fill=-1e5) @ v


@HIDDEN.wrong("3_6.b", "values may be negative")
def attend_along_rows(q, k, v, may):
    return (softened(q, k, may) @ v).abs()


@HIDDEN.wrong("3_6.b", "whatever d is")
def attend_along_rows(q, k, v, may):
    return softened(q, k, may, by=2) @ v


@HIDDEN.wrong("3_6.b", "cut none off")
def attend_along_rows(q, k, v, may):
    s = (q @ k.mT / q.shape[-1] ** 0.5).clamp(-100, 100)
    return s.masked_fill(~may[:, None], -torch.inf).softmax(dim=-1) @ v


# --- c ---------------------------------------------------------------------


def of_sets(p):
    falling = np.sort(p)[::-1]
    return 2 * falling.cumsum() / (np.arange(1, len(p) + 1) + p.sum())


@HIDDEN.wrong("3_6.c", "marks the best pixel only")
def best_expected_dice(p):
    return of_sets(p)[0]


@HIDDEN.wrong("3_6.c", "marks all pixels")
def best_expected_dice(p):
    return of_sets(p)[-1]


@HIDDEN.wrong("3_6.c", "marks no pixel below one half")
def best_expected_dice(p):
    return of_sets(p)[max((p > 0.5).sum() - 1, 0)]


@HIDDEN.wrong("3_6.c", "a threshold of one half marks nothing")
def best_expected_dice(p):
    some = p >= 0.5
    return 2 * p[some].sum() / (some.sum() + p.sum())


@HIDDEN.wrong("3_6.c", "may hold a single pixel")
def best_expected_dice(p):
    return of_sets(p)[min(1, len(p) - 1) :].max()


@HIDDEN.wrong("3_6.c", "a single, unlikely pixel")
def best_expected_dice(p):
    values = of_sets(p)
    return values.max() if p.max() > 0.01 else 0.0


@HIDDEN.wrong("3_6.c", "half of D; D is asked")
def best_expected_dice(p):
    return of_sets(p).max() / 2


@HIDDEN.wrong("3_6.c", "not of the marked ones")
def best_expected_dice(p):
    sums = np.sort(p)[::-1].cumsum()
    return (2 * sums / (np.arange(1, len(p) + 1) + sums)).max()


@HIDDEN.wrong("3_6.c", "how many pixels")
def best_expected_dice(p):
    return float(of_sets(p).argmax() + 1)


@HIDDEN.wrong("3_6.c", "counts them all below")
def best_expected_dice(p):
    return (2 * np.sort(p)[::-1].cumsum() / (len(p) + p.sum())).max()


@HIDDEN.wrong("3_6.c", "sum of all p is missing below")
def best_expected_dice(p):
    sums = np.sort(p)[::-1].cumsum()
    return (2 * sums / np.arange(1, len(p) + 1)).max()


@HIDDEN.wrong("3_6.c", "in any order: sort them")
def best_expected_dice(p):
    marked = np.arange(1, len(p) + 1)
    return (2 * p.cumsum() / (marked + p.sum())).max()


@HIDDEN.wrong("3_6.c", "changes its argument in place")
def best_expected_dice(p):
    best = of_sets(p).max()
    p.sort()
    return best


@HIDDEN.wrong("3_6.c", "and many of them")
def best_expected_dice(p):
    likely = np.sort(p)[::-1][: max(1, (p >= 0.1).sum())]
    marked = np.arange(1, len(likely) + 1)
    return (2 * likely.cumsum() / (marked + p.sum())).max()


# --- d ---------------------------------------------------------------------


def distances(found, gold):
    return np.hypot(*(found[:, None] - gold).transpose(2, 0, 1))


@HIDDEN.wrong("3_6.d", "the missed lesion is forgotten")
def hausdorff_of_points(found, gold):
    return distances(found, gold).min(axis=1).max()


@HIDDEN.wrong("3_6.d", "the wrongly found lesion is forgotten")
def hausdorff_of_points(found, gold):
    return distances(found, gold).min(axis=0).max()


@HIDDEN.wrong("3_6.d", "the smaller of both ways")
def hausdorff_of_points(found, gold):
    t = distances(found, gold)
    return min(t.min(axis=1).max(), t.min(axis=0).max())


@HIDDEN.wrong("3_6.d", "the mean of both ways")
def hausdorff_of_points(found, gold):
    t = distances(found, gold)
    return (t.min(axis=1).max() + t.min(axis=0).max()) / 2


@HIDDEN.wrong("3_6.d", "the larger set is not always the one to ask")
def hausdorff_of_points(found, gold):
    t = distances(found, gold)
    return t.min(axis=1 if len(found) > len(gold) else 0).max()


@HIDDEN.wrong("3_6.d", "distances are not rounded")
def hausdorff_of_points(found, gold):
    t = distances(found, gold)
    return np.round(max(t.min(axis=1).max(), t.min(axis=0).max()))


@HIDDEN.wrong("3_6.d", "the sum of both ways")
def hausdorff_of_points(found, gold):
    t = distances(found, gold)
    return t.min(axis=1).max() + t.min(axis=0).max()


@HIDDEN.wrong("3_6.d", "any two points")
def hausdorff_of_points(found, gold):
    return distances(found, gold).max()


@HIDDEN.wrong("3_6.d", "the mean distance, not the largest")
def hausdorff_of_points(found, gold):
    t = distances(found, gold)
    return max(t.min(axis=1).mean(), t.min(axis=0).mean())


@HIDDEN.wrong("3_6.d", "the wrong axis")
def hausdorff_of_points(found, gold):
    t = distances(found, gold)
    return max(t.max(axis=1).min(), t.max(axis=0).min())


@HIDDEN.wrong("3_6.d", "squared distance")
def hausdorff_of_points(found, gold):
    t = distances(found, gold) ** 2
    return max(t.min(axis=1).max(), t.min(axis=0).max())


@HIDDEN.wrong("3_6.d", "the sum of both")
def hausdorff_of_points(found, gold):
    t = abs(found[:, None] - gold).sum(-1)
    return max(t.min(axis=1).max(), t.min(axis=0).max())


@HIDDEN.wrong("3_6.d", "the larger of both directions")
def hausdorff_of_points(found, gold):
    t = abs(found[:, None] - gold).max(-1)
    return max(t.min(axis=1).max(), t.min(axis=0).max())


@HIDDEN.wrong("3_6.d", "distances are not rounded, whatever")
def hausdorff_of_points(found, gold):
    table = np.hypot(*(found[:, None] - gold).transpose(2, 0, 1))
    table = table.astype(found.dtype)
    return max(table.min(axis=1).max(), table.min(axis=0).max())


@HIDDEN.wrong("3_6.d", "only some of the points")
def hausdorff_of_points(found, gold):
    found, gold = found[:5], gold[:5]
    table = np.hypot(*(found[:, None] - gold).transpose(2, 0, 1))
    return max(table.min(axis=1).max(), table.min(axis=0).max())


@HIDDEN.wrong("3_6.d", "also where both sets are as large")
def hausdorff_of_points(found, gold):
    table = np.hypot(*(found[:, None] - gold).transpose(2, 0, 1))
    if len(found) == len(gold):
        return min(table.min(axis=1).max(), table.min(axis=0).max())
    return max(table.min(axis=1).max(), table.min(axis=0).max())


# --- e ---------------------------------------------------------------------


def seen(kernels, strides, start=1):
    total, apart = start, 1
    for kernel, stride in zip(kernels, strides):
        total += (kernel - 1) * apart
        apart *= stride
    return total


@HIDDEN.wrong("3_6.e", "strides are not used")
def pixels_seen(kernels, strides):
    return 1 + (kernels - 1).sum()


@HIDDEN.wrong("3_6.e", "counts from the next layer on")
def pixels_seen(kernels, strides):
    return 1 + ((kernels - 1) * strides.cumprod()).sum()


@HIDDEN.wrong("3_6.e", "uses the last stride only")
def pixels_seen(kernels, strides):
    return 1 + ((kernels - 1) * np.r_[1, strides[:-1]]).sum()


@HIDDEN.wrong("3_6.e", "yours adds them")
def pixels_seen(kernels, strides):
    apart = np.r_[1, strides[:-1].cumsum()]
    return 1 + ((kernels - 1) * apart).sum()


@HIDDEN.wrong("3_6.e", "from the last to the first")
def pixels_seen(kernels, strides):
    return seen(kernels[::-1], strides[::-1])


@HIDDEN.wrong("3_6.e", "leaves out the pixel")
def pixels_seen(kernels, strides):
    return seen(kernels, strides, start=0)


@HIDDEN.wrong("3_6.e", "to one side")
def pixels_seen(kernels, strides):
    return seen(kernels, strides) // 2


@HIDDEN.wrong("3_6.e", "kernels were multiplied")
def pixels_seen(kernels, strides):
    return int(np.prod(kernels))


@HIDDEN.wrong("3_6.e", "kernels were added")
def pixels_seen(kernels, strides):
    return int(np.sum(kernels))


@HIDDEN.wrong("3_6.e", "with its kernel alone")
def pixels_seen(kernels, strides):
    return 1 + ((kernels - 1) * strides).sum()


@HIDDEN.wrong("3_6.e", "set prediction to one of")
def pixels_seen(kernels, strides):
    return seen(kernels, strides)


HIDDEN.wrong_answers[-1].names = {"prediction": "pooling"}


@HIDDEN.wrong("3_6.e", "only some of the layers")
def pixels_seen(kernels, strides):
    seen, apart = 1, 1
    for kernel, stride in zip(kernels[:6], strides):
        seen, apart = seen + (kernel - 1) * apart, apart * stride
    return seen


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


@HIDDEN.wrong("3_6.c", "count each")
def best_expected_dice(p):
    falling = np.unique(p)[::-1]
    marked = np.arange(1, len(falling) + 1)
    return (2 * falling.cumsum() / (marked + p.sum())).max()


@HIDDEN.wrong("3_6.d", "30,000, 40,000")
def hausdorff_of_points(found, gold):
    table = np.hypot(*(found[:, None] - gold).transpose(2, 0, 1))
    return min(max(table.min(0).max(), table.min(1).max()), 1000.0)


@HIDDEN.wrong("3_6.d", "that is a percentile")
def hausdorff_of_points(found, gold):
    table = np.hypot(*(found[:, None] - gold).transpose(2, 0, 1))
    return max(np.percentile(table.min(k), 95) for k in (0, 1))


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


# --- limits of size --------------------------------------------------------


@HIDDEN.wrong("3_6.b", "300 columns")
def attend_along_rows(q, k, v, may):
    k, v, may = (x[:, :100] for x in (k, v, may))
    s = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~may[:, None], -torch.inf)
    return s.softmax(dim=-1) @ v


@HIDDEN.wrong("3_6.c", "all of them are marked")
def best_expected_dice(p):
    falling = np.sort(p)[::-1][:100]
    marked = np.arange(1, len(falling) + 1)
    return (2 * falling.cumsum() / (marked + p.sum())).max()


@HIDDEN.wrong("3_6.d", "all of them are asked")
def hausdorff_of_points(found, gold):
    found, gold = found[:100], gold[:100]
    table = np.hypot(*(found[:, None] - gold).transpose(2, 0, 1))
    return max(table.min(axis=1).max(), table.min(axis=0).max())


@HIDDEN.wrong("3_6.e", "all of them count")
def pixels_seen(kernels, strides):
    return reach()(kernels[:100], strides[:100])


@HIDDEN.wrong("3_6.b", "added to a sum")
def attend_along_rows(q, k, v, may):
    return in_rows()(q, k, v, may) * (1 - 2.5e-7)


@HIDDEN.wrong("3_6.c", "holds unlikely pixels")
def best_expected_dice(p):
    falling = np.sort(p[p > 0.01] if (p > 0.01).any() else p)[::-1]
    marked = np.arange(1, len(falling) + 1)
    return (2 * falling.cumsum() / (marked + falling.sum())).max()
