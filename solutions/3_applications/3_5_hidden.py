"""Hidden checks and known wrong answers of exercises 3.5.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(withheld=("boxes",))


def overlaps(rng, n):
    """IoU of n random boxes on a line, (n, n)."""
    left = rng.uniform(0, 3, size=n)
    right = left + rng.uniform(0.5, 2, size=n)
    common = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    common = np.maximum(common, 0)
    size = right - left
    return common / (size[:, None] + size - common)


@HIDDEN.check("3_5.a", "random boxes")
def fade_anywhere(answer, rng, reference):
    n = int(rng.integers(4, 12))
    args = overlaps(rng, n), rng.random(n), float(rng.uniform(0.2, 1))
    agree(answer, reference, "faded_scores", args, "random")


@HIDDEN.check("3_5.a", "crowded boxes")
def fade_crowded(answer, rng, reference):
    overlap = 0.5 + overlaps(rng, 15) / 2
    args = overlap, rng.uniform(0.5, 1, size=15), 0.5
    agree(answer, reference, "faded_scores", args, "random")


def looking(rng):
    h, i, j = rng.permutation([2, 4, 7])
    sizes = rng.uniform(0.4, 2, size=(i, 2))
    args = rng.normal(size=(h, i, j)), rng.normal(size=(i, 2)), sizes
    return *args, rng.normal(size=(j, 2))


@HIDDEN.check("3_5.b", "random sizes")
def shaped_anywhere(answer, rng, reference):
    agree(
        answer,
        reference,
        "shaped_weights",
        looking(rng),
        "random",
        tolerance=1e-5,
    )


@HIDDEN.check("3_5.b", "random gradients")
def shaped_gradient(answer, rng, reference):
    args = looking(rng)
    u = rng.normal(size=args[0].shape)
    agree_in_gradient(
        answer, reference, "shaped_weights", args, u, tolerance=1e-5
    )


@HIDDEN.check("3_5.c", "random boxes")
def slope_anywhere(answer, rng, reference):
    for _ in range(10):
        args = tuple(float(x) for x in rng.uniform(0.1, 4, size=3))
        agree(answer, reference, "giou_slope", args, "random")


@HIDDEN.check("3_5.d", "random overlaps")
def twice_anywhere(answer, rng, reference):
    n, k = (int(x) for x in rng.integers(2, 9, size=2))
    for least in (0.0, 0.3, 0.5, 0.7):
        args = rng.random((n, k)), rng.random(n), least
        agree(answer, reference, "hit_flags", args, "random")


@HIDDEN.check("3_5.e", "random hits")
def copies_anywhere(answer, rng, reference):
    for objects in (3, 4, 7, 8):
        n = int(rng.integers(5, 20))
        hit = rng.random(n) < 0.5
        hit &= np.cumsum(hit) <= objects
        agree(answer, reference, "eleven_points", (hit, objects), "random")


# --- a ---------------------------------------------------------------------


def fade(overlap, scores, factor, itself=False, again=True):
    """Soft-NMS; `itself`: settled ones fade too; `again`: ask who is best."""
    scores, waiting = scores.copy(), np.ones(len(scores), bool)
    order = list(np.argsort(-scores))
    for _ in range(len(scores)):
        best = order.pop(0)
        if again:
            best = np.where(waiting, scores, -np.inf).argmax()
        waiting[best] = False
        who = np.ones(len(scores), bool) if itself else waiting
        scores[who] *= factor(overlap[best])[who]
    return scores


def gauss(sigma):
    return lambda u: np.exp(-(u**2) / sigma)


@HIDDEN.wrong("3_5.a", "nothing fades")
def faded_scores(overlap, scores, sigma):
    return scores.copy()


@HIDDEN.wrong("3_5.a", "all boxes fade by the better ones and by themselves")
def faded_scores(overlap, scores, sigma):
    out = scores.copy()
    for k in range(len(scores)):
        better = scores >= scores[k]
        out[k] *= gauss(sigma)(overlap[k, better]).prod()
    out[scores.argmin()] /= gauss(sigma)(1.0)
    return out


@HIDDEN.wrong("3_5.a", "there is no threshold")
def faded_scores(overlap, scores, sigma):
    rule = gauss(sigma)
    return fade(overlap, scores, lambda u: np.where(u > 0.5, rule(u), 1))


@HIDDEN.wrong("3_5.a", "no score is set to 0")
def faded_scores(overlap, scores, sigma):
    out = fade(overlap, scores, gauss(sigma))
    return np.where(out < 0.001, 0, out)


@HIDDEN.wrong("3_5.a", "squared before it is divided")
def faded_scores(overlap, scores, sigma):
    return fade(overlap, scores, lambda u: np.exp(-u / sigma))


@HIDDEN.wrong("3_5.a", "the linear form")
def faded_scores(overlap, scores, sigma):
    return fade(overlap, scores, lambda u: 1 - u)


@HIDDEN.wrong("3_5.a", "it does not vanish")
def faded_scores(overlap, scores, sigma):
    return fade(overlap, scores, lambda u: (u < 0.5) * 1.0)


@HIDDEN.wrong("3_5.a", "in the order of the boxes")
def faded_scores(overlap, scores, sigma):
    return np.sort(fade(overlap, scores, gauss(sigma)))[::-1].copy()


@HIDDEN.wrong("3_5.a", "begin with the best score")
def faded_scores(overlap, scores, sigma):
    out, waiting = scores.copy(), np.ones(len(scores), bool)
    for worst in np.argsort(scores):
        waiting[worst] = False
        out[waiting] *= gauss(sigma)(overlap[worst])[waiting]
    return out


@HIDDEN.wrong("3_5.a", "only candidates do")
def faded_scores(overlap, scores, sigma):
    apart = overlap - np.eye(len(scores))
    return fade(apart, scores, gauss(sigma), itself=True)


@HIDDEN.wrong("3_5.a", "sigma makes no difference")
def faded_scores(overlap, scores, sigma):
    return fade(overlap, scores, gauss(1.0))


@HIDDEN.wrong("3_5.a", "not by its square")
def faded_scores(overlap, scores, sigma):
    return fade(overlap, scores, gauss(sigma**2))


@HIDDEN.wrong("3_5.a", "is multiplied by sigma")
def faded_scores(overlap, scores, sigma):
    return fade(overlap, scores, gauss(1 / sigma))


@HIDDEN.wrong("3_5.a", "without the 2")
def faded_scores(overlap, scores, sigma):
    return fade(overlap, scores, gauss(2 * sigma))


@HIDDEN.wrong("3_5.a", "found once at the beginning")
def faded_scores(overlap, scores, sigma):
    return fade(overlap, scores, gauss(sigma), again=False)


@HIDDEN.wrong("3_5.a", "by the best box only")
def faded_scores(overlap, scores, sigma):
    out = scores.copy()
    for k in range(len(scores)):
        better = overlap[k, scores > scores[k]]
        out[k] *= gauss(sigma)(better.max(initial=0))
    return out


@HIDDEN.wrong("3_5.a", "changes its argument in place")
def faded_scores(overlap, scores, sigma):
    scores[:] = fade(overlap, scores, gauss(sigma))
    return scores


def settle_some(most):
    @HIDDEN.wrong("3_5.a", "only some of them are settled")
    def faded_scores(overlap, scores, sigma):
        s, left = scores.copy(), np.ones(len(scores), bool)
        for _ in range(min(most, len(s))):
            best = np.where(left, s, -np.inf).argmax()
            left[best] = False
            s[left] *= np.exp(-(overlap[best, left] ** 2) / sigma)
        return s


settle_some(5)
settle_some(10)


# --- b ---------------------------------------------------------------------


def log_g(points, sizes, centres):
    gap = (centres - points[:, None]) / sizes[:, None]
    return -gap.square().sum(dim=-1) / 2


@HIDDEN.wrong("3_5.b", "the factor 1/2 is missing")
def shaped_weights(scores, points, sizes, centres):
    return (scores + 2 * log_g(points, sizes, centres)).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "the sign is wrong")
def shaped_weights(scores, points, sizes, centres):
    return (scores - log_g(points, sizes, centres)).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "width and height are swapped")
def shaped_weights(scores, points, sizes, centres):
    return (scores + log_g(points, sizes.flip(1), centres)).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "divide before you square")
def shaped_weights(scores, points, sizes, centres):
    gap = (centres - points[:, None]).square() / sizes[:, None]
    return (scores - gap.sum(dim=-1) / 2).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "G itself was added")
def shaped_weights(scores, points, sizes, centres):
    return (scores + log_g(points, sizes, centres).exp()).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "each row sums to 1")
def shaped_weights(scores, points, sizes, centres):
    return scores.exp() * log_g(points, sizes, centres).exp()


@HIDDEN.wrong("3_5.b", "not normalised again")
def shaped_weights(scores, points, sizes, centres):
    return scores.softmax(dim=-1) * log_g(points, sizes, centres).exp()


@HIDDEN.wrong("3_5.b", "runs over the queries")
def shaped_weights(scores, points, sizes, centres):
    return (scores + log_g(points, sizes, centres)).softmax(dim=-2)


@HIDDEN.wrong("3_5.b", "runs over the heads")
def shaped_weights(scores, points, sizes, centres):
    return (scores + log_g(points, sizes, centres)).softmax(dim=0)


@HIDDEN.wrong("3_5.b", "the prior makes no difference")
def shaped_weights(scores, points, sizes, centres):
    return scores.softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "the sizes make no difference")
def shaped_weights(scores, points, sizes, centres):
    g = log_g(points, torch.ones_like(sizes), centres)
    return (scores + g).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "the distance is not squared")
def shaped_weights(scores, points, sizes, centres):
    gap = (-2 * log_g(points, sizes, centres)).sqrt()
    return (scores - gap / 2).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "the scores make no difference")
def shaped_weights(scores, points, sizes, centres):
    g = log_g(points, sizes, centres)
    return (0 * scores + g).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "the scores are scaled already")
def shaped_weights(scores, points, sizes, centres):
    g = log_g(points, sizes, centres)
    return (scores / 2**0.5 + g).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "0/0")
def shaped_weights(scores, points, sizes, centres):
    g = scores.exp() * log_g(points, sizes, centres).exp()
    return g / g.sum(dim=-1, keepdim=True)


@HIDDEN.wrong("3_5.b", "the gradient of points")
def shaped_weights(scores, points, sizes, centres):
    g = log_g(points, sizes, centres).detach()
    return (scores + g).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "the gradient of sizes")
def shaped_weights(scores, points, sizes, centres):
    g = log_g(points, sizes.detach(), centres)
    return (scores + g).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "the gradient of scores")
def shaped_weights(scores, points, sizes, centres):
    g = log_g(points, sizes, centres)
    return (scores.detach() + g).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "changes its argument in place")
def shaped_weights(scores, points, sizes, centres):
    scores += log_g(points, sizes, centres)
    return scores.softmax(dim=-1)


def prior(points, sizes, centres):
    gap = (centres - points[:, None]) / sizes[:, None]
    return gap.square().sum(dim=-1) / 2


@HIDDEN.wrong("3_5.b", "a number added to it makes all equal")
def shaped_weights(scores, points, sizes, centres):
    log = ((-prior(points, sizes, centres)).exp() + 1e-9).log()
    return (scores + log).softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "large scores are cut off")
def shaped_weights(scores, points, sizes, centres):
    s = scores.clamp(-1000, 1000) - prior(points, sizes, centres)
    return s.softmax(dim=-1)


@HIDDEN.wrong("3_5.b", "the sums of all rows")
def shaped_weights(scores, points, sizes, centres):
    a = (scores - prior(points, sizes, centres)).softmax(dim=-1)
    return torch.cat([a[:5], 0 * a[5:]])


# --- c ---------------------------------------------------------------------


def case(d, a, b):
    """(s, inside?) of two boxes in a row."""
    return (a + b) / 2, d <= abs(a - b) / 2


@HIDDEN.wrong("3_5.c", "the slope of IoU")
def giou_slope(distance, wide_a, wide_b):
    s, inside = case(distance, wide_a, wide_b)
    return 0.0 if inside or distance >= s else -2 * s / (s + distance) ** 2


@HIDDEN.wrong("3_5.c", "the sign is wrong")
def giou_slope(distance, wide_a, wide_b):
    s, inside = case(distance, wide_a, wide_b)
    return 0.0 if inside else 2 * s / (s + distance) ** 2


@HIDDEN.wrong("3_5.c", "its slope is asked")
def giou_slope(distance, wide_a, wide_b):
    s, _ = case(distance, wide_a, wide_b)
    return (s - distance) / (s + distance)


@HIDDEN.wrong("3_5.c", "half the sum of the widths")
def giou_slope(distance, wide_a, wide_b):
    s, inside = case(distance, wide_a, wide_b)
    return 0.0 if inside else -4 * s / (2 * s + distance) ** 2


@HIDDEN.wrong("3_5.c", "the denominator is squared")
def giou_slope(distance, wide_a, wide_b):
    s, inside = case(distance, wide_a, wide_b)
    return 0.0 if inside else -2 * s / (s + distance)


@HIDDEN.wrong("3_5.c", "both parts change with D")
def giou_slope(distance, wide_a, wide_b):
    s, inside = case(distance, wide_a, wide_b)
    return 0.0 if inside else -s / (s + distance) ** 2


@HIDDEN.wrong("3_5.c", "only the numerator was differentiated")
def giou_slope(distance, wide_a, wide_b):
    s, inside = case(distance, wide_a, wide_b)
    return 0.0 if inside else -1 / (s + distance)


@HIDDEN.wrong("3_5.c", "neither the common part nor the hull changes")
def giou_slope(distance, wide_a, wide_b):
    s, _ = case(distance, wide_a, wide_b)
    return -2 * s / (s + distance) ** 2


@HIDDEN.wrong("3_5.c", "neither the common part nor the hull changes")
def giou_slope(distance, wide_a, wide_b):
    s, _ = case(distance, wide_a, wide_b)
    inside = distance < abs(wide_a - wide_b) / 2  # not with equal edges
    return 0.0 if inside else -2 * s / (s + distance) ** 2


@HIDDEN.wrong("3_5.c", "no tolerance")
def giou_slope(distance, wide_a, wide_b):
    s = (wide_a + wide_b) / 2
    inside = distance <= abs(wide_a - wide_b) / 2 + 1e-3
    return 0.0 if inside else -2 * s / (s + distance) ** 2


# --- d ---------------------------------------------------------------------


@HIDDEN.wrong("3_5.d", "a second box on the same object is an error")
def hit_flags(overlap, scores, least):
    return overlap.max(axis=1) >= least


def greedy(overlap, scores, least, order=None, enough=np.greater_equal):
    free, hit = overlap.copy(), np.zeros(len(scores), bool)
    for box in np.argsort(-scores) if order is None else order:
        which = free[box].argmax()
        if enough(free[box, which], least):
            hit[box], free[:, which] = True, -1
    return hit


@HIDDEN.wrong("3_5.d", "begin with the best score")
def hit_flags(overlap, scores, least):
    return greedy(overlap, scores, least, np.argsort(scores))


@HIDDEN.wrong("3_5.d", "begin with the best score")
def hit_flags(overlap, scores, least):
    return greedy(overlap, scores, least, range(len(scores)))


@HIDDEN.wrong("3_5.d", "no box is a hit")
def hit_flags(overlap, scores, least):
    return np.zeros(len(scores), bool)


@HIDDEN.wrong("3_5.d", "another free object by enough")
def hit_flags(overlap, scores, least):
    taken, hit = set(), np.zeros(len(scores), bool)  # PASCAL VOC's rule
    for box in np.argsort(-scores):
        which = overlap[box].argmax()
        hit[box] = overlap[box, which] >= least and which not in taken
        taken |= {which} if hit[box] else set()
    return hit


@HIDDEN.wrong("3_5.d", "no box makes room for a worse one")
def hit_flags(overlap, scores, least):
    gain = (overlap >= least) * (1 + scores[:, None] + overlap / 100)
    hit = np.zeros(len(scores), bool)
    for box, which in zip(*linear_sum_assignment(gain, maximize=True)):
        hit[box] = overlap[box, which] >= least
    return hit


@HIDDEN.wrong("3_5.d", "the third choice is free")
def hit_flags(overlap, scores, least):
    taken, hit = set(), np.zeros(len(scores), bool)
    for box in np.argsort(-scores):
        for which in np.argsort(-overlap[box])[:2]:
            if overlap[box, which] >= least and which not in taken:
                taken, hit[box] = taken | {which}, True
                break
    return hit


@HIDDEN.wrong("3_5.d", "not the one it overlaps most")
def hit_flags(overlap, scores, least):
    return greedy((overlap >= least) * 1.0, scores, 0.5)


@HIDDEN.wrong("3_5.d", "takes no object; the next may")
def hit_flags(overlap, scores, least):
    free, hit = overlap.copy(), np.zeros(len(scores), bool)
    for box in np.argsort(-scores):
        which = free[box].argmax()
        hit[box] = free[box, which] >= least
        free[:, which] = -1
    return hit


@HIDDEN.wrong("3_5.d", "equal to the least is enough")
def hit_flags(overlap, scores, least):
    return greedy(overlap, scores, least, enough=np.greater)


@HIDDEN.wrong("3_5.d", "`least` is not always 0.5")
def hit_flags(overlap, scores, least):
    return greedy(overlap, scores, 0.5)


@HIDDEN.wrong("3_5.d", "changes its argument in place")
def hit_flags(overlap, scores, least):
    hit = greedy(overlap, scores, least)
    overlap[hit] = -1
    return hit


@HIDDEN.wrong("3_5.d", "only some of the boxes")
def hit_flags(overlap, scores, least):
    hit, free = np.zeros(len(scores), bool), overlap.copy()
    for k in np.argsort(-scores)[:5]:
        which = free[k].argmax()
        if free[k, which] >= least:
            hit[k], free[:, which] = True, -1
    return hit


@HIDDEN.wrong("3_5.d", "no tolerance")
def hit_flags(overlap, scores, least):
    hit, free = np.zeros(len(scores), bool), overlap.copy()
    for k in np.argsort(-scores):
        which = free[k].argmax()
        if free[k, which] >= least - 1e-3:
            hit[k], free[:, which] = True, -1
    return hit


@HIDDEN.wrong("3_5.d", "the sixth choice is free")
def hit_flags(overlap, scores, least):
    hit, free = np.zeros(len(scores), bool), overlap.copy()
    for k in np.argsort(-scores):
        for which in np.argsort(-overlap[k])[:3]:
            if free[k, which] >= least:
                hit[k], free[:, which] = True, -1
                break
    return hit


# --- e ---------------------------------------------------------------------


def curve(hit):
    found = np.cumsum(hit)
    return found, found / np.arange(1, len(hit) + 1)


def points(hit, objects, recalls, enough=np.greater_equal):
    found, p = curve(hit)
    return [p[enough(found / objects, r)].max(initial=0.0) for r in recalls]


TENTHS = np.arange(11) / 10


@HIDDEN.wrong("3_5.e", "COCO's mean over 101 recalls")
def eleven_points(hit, objects):
    return float(np.mean(points(hit, objects, np.arange(101) / 100)))


@HIDDEN.wrong("3_5.e", "reached exactly counts")
def eleven_points(hit, objects):
    return float(np.mean(points(hit, objects, TENTHS, np.greater)))


@HIDDEN.wrong("3_5.e", "eleven recalls, 0 and 1 with them")
def eleven_points(hit, objects):
    return sum(points(hit, objects, TENTHS)) / 10


@HIDDEN.wrong("3_5.e", "do not leave them out")
def eleven_points(hit, objects):
    found = [p for p in points(hit, objects, TENTHS) if p > 0]
    return float(np.mean(found)) if found else 0.0


@HIDDEN.wrong("3_5.e", "not over boxes")
def eleven_points(hit, objects):
    return float(np.mean(points(hit, max(len(hit), 1), TENTHS)))


@HIDDEN.wrong("3_5.e", "mean precision of the hits")
def eleven_points(hit, objects):
    _, p = curve(hit)
    return float(p[hit].mean()) if hit.any() else 0.0


@HIDDEN.wrong("3_5.e", "not eleven points")
def eleven_points(hit, objects):
    _, p = curve(hit)
    best = np.maximum.accumulate(p[::-1])[::-1]
    return float((best * hit).sum() / objects)


@HIDDEN.wrong("3_5.e", "recall 0 is one of the eleven")
def eleven_points(hit, objects):
    return float(np.mean(points(hit, objects, TENTHS[1:])))


@HIDDEN.wrong("3_5.e", "the mean is asked")
def eleven_points(hit, objects):
    return float(sum(points(hit, objects, TENTHS)))


@HIDDEN.wrong("3_5.e", "a later one may be better")
def eleven_points(hit, objects):
    found, p = curve(hit)
    total = 0.0
    for r in TENTHS:
        enough = (found / objects >= r).nonzero()[0]
        total += p[enough[0]] if len(enough) else 0.0
    return total / 11


@HIDDEN.wrong("3_5.e", "the precision at the end of the list")
def eleven_points(hit, objects):
    found, p = curve(hit)
    reached = found[-1:] / objects >= TENTHS
    return float(p[-1:].sum() * reached.mean())


def eleven(hit, objects, reached):
    found = np.cumsum(hit)
    precision = found / np.arange(1, len(hit) + 1)
    recalls = np.linspace(0, 1, 11)
    best = [
        precision[reached(found / objects, r)].max(initial=0.0) for r in recalls
    ]
    return np.mean(best)


@HIDDEN.wrong("3_5.e", "a recall is rounded")
def eleven_points(hit, objects):
    return eleven(hit, objects, lambda mine, r: mine >= r)


@HIDDEN.wrong("3_5.e", "not quite reached")
def eleven_points(hit, objects):
    return eleven(hit, objects, lambda mine, r: mine >= r - 1e-3)


@HIDDEN.wrong("3_5.c", "no tolerance")
def giou_slope(distance, wide_a, wide_b):
    s = (wide_a + wide_b) / 2
    inside = distance <= abs(wide_a - wide_b) / 2 + 1e-6
    return 0.0 if inside else -2 * s / (s + distance) ** 2


def struck(change):
    """The rule, but for what a found object's overlaps become."""

    def hit_flags(overlap, scores, least):
        hit, free = np.zeros(len(scores), bool), overlap.copy()
        for k in np.argsort(-scores):
            which = free[k].argmax()
            if free[k, which] >= least:
                hit[k], free[:, which] = True, change(free[:, which], least)
        return hit

    return hit_flags


HIDDEN.wrong("3_5.d", "such as -1")(struck(lambda x, least: 0))
HIDDEN.wrong("3_5.d", "such as -1")(struck(lambda x, least: least / 2))
HIDDEN.wrong("3_5.d", "such as -1")(struck(lambda x, least: x / 2))


def by_recall(reached, missed=0.0):
    """AP of what counts as reached, and of what is never reached."""

    def eleven_points(hit, objects):
        found = np.cumsum(hit)
        precision = found / np.arange(1, len(hit) + 1)
        best = [
            precision[reached(found, k, objects)].max(initial=missed)
            for k in range(11)
        ]
        return np.mean(best)

    return eleven_points


HIDDEN.wrong("3_5.e", "do not round it")(
    by_recall(lambda found, k, n: np.round(found / n, 1) >= round(k / 10, 1))
)
HIDDEN.wrong("3_5.e", "not over all hits")(
    by_recall(lambda found, k, n: 10 * found >= k * found[-1:])
)


# --- limits of size --------------------------------------------------------


@HIDDEN.wrong("3_5.a", "300 boxes")
def faded_scores(overlap, scores, sigma):
    scores, waiting = scores.copy(), np.ones(len(scores), bool)
    for _ in range(min(100, len(scores))):
        best = np.where(waiting, scores, -np.inf).argmax()
        waiting[best] = False
        scores[waiting] *= np.exp(-(overlap[best, waiting] ** 2) / sigma)
    return scores


@HIDDEN.wrong("3_5.d", "300 of each")
def hit_flags(overlap, scores, least):
    return greedy(overlap, scores, least, np.argsort(-scores)[:100])


@HIDDEN.wrong("3_5.d", "`least` is used as it is")
def hit_flags(overlap, scores, least):
    return greedy(overlap, scores, np.clip(least, 0.06, 0.95))


@HIDDEN.wrong("3_5.b", "nothing is cut off")
def shaped_weights(scores, points, sizes, centres):
    gap = (centres - points.clamp(0, 1)[:, None]) / sizes[:, None]
    return (scores - gap.square().sum(dim=-1) / 2).softmax(dim=-1)
