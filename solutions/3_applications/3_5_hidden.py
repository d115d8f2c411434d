"""Hidden checks and known wrong answers of exercises 3.5.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch  # noqa: F401 (edits use it)
from scipy.optimize import linear_sum_assignment

from attnbook.check.against import Hidden

HIDDEN = Hidden(globals(), withheld=("metrics.boxes",))


def overlaps(rng, n):
    """IoU of n random boxes on a line, (n, n)."""
    left = rng.uniform(0, 3, size=n)
    right = left + rng.uniform(0.5, 2, size=n)
    common = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    common = np.maximum(common, 0)
    size = right - left
    return common / (size[:, None] + size - common)


@HIDDEN.agrees("3_5.a", "faded_scores", title="random boxes")
def fade_anywhere(rng):
    n = int(rng.integers(4, 12))
    return overlaps(rng, n), rng.random(n), float(rng.uniform(0.2, 1))


@HIDDEN.agrees("3_5.a", "faded_scores", title="crowded boxes")
def fade_crowded(rng):
    overlap = 0.5 + overlaps(rng, 15) / 2
    return overlap, rng.uniform(0.5, 1, size=15), 0.5


def looking(rng):
    h, i, j = rng.permutation([2, 4, 7])
    sizes = rng.uniform(0.4, 2, size=(i, 2))
    args = rng.normal(size=(h, i, j)), rng.normal(size=(i, 2)), sizes
    return *args, rng.normal(size=(j, 2))


HIDDEN.agrees("3_5.b", "shaped_weights", title="random sizes", tolerance=1e-5)(
    looking
)


HIDDEN.agrees(
    "3_5.b",
    "shaped_weights",
    title="random gradients",
    gradient=True,
    tolerance=1e-5,
)(looking)


@HIDDEN.agrees("3_5.c", "giou_slope", title="random boxes")
def slope_anywhere(rng):
    for _ in range(10):
        yield tuple(float(x) for x in rng.uniform(0.1, 4, size=3))


@HIDDEN.agrees("3_5.d", "hit_flags", title="random overlaps")
def twice_anywhere(rng):
    n, k = (int(x) for x in rng.integers(2, 9, size=2))
    for least in (0.0, 0.3, 0.5, 0.7):
        yield rng.random((n, k)), rng.random(n), least


@HIDDEN.agrees("3_5.e", "eleven_points", title="random hits")
def copies_anywhere(rng):
    for objects in (3, 4, 7, 8):
        n = int(rng.integers(5, 20))
        hit = rng.random(n) < 0.5
        hit &= np.cumsum(hit) <= objects
        yield (hit, objects)


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


HIDDEN.mutants("3_5.a", None, [
    ([("(len(scores))", "(min(100, len(scores)))"),
      ("fade =", "scores[waiting] *="), ("[best] **", "[best, waiting] **"),
      ("\n        scores[waiting] *= fade[waiting]", "")], "300 boxes"),
])  # fmt: skip
HIDDEN.mutants("3_5.a", """
def faded_scores(overlap, scores, sigma):
    return fade(overlap, scores, gauss(1.0))
""", [
    ("fade(overlap, scores, gauss(1.0))", "scores.copy()", "nothing fades"),
    ([("return", "rule = gauss(sigma)\n    return"),
      ("gauss(1.0)", "lambda u: np.where(u > 0.5, rule(u), 1)")],
     "there is no threshold"),
    ([("return", "out ="),
      ("1.0))", "sigma))\n    return np.where(out < 0.001, 0, out)")],
     "no score is set to 0"),
    ("gauss(1.0)", "lambda u: np.exp(-u / sigma)",
     "squared before it is divided"),
    ("gauss(1.0))", "lambda u: 1 - u)", "the linear form"),
    ("gauss(1.0))", "lambda u: (u < 0.5) * 1.0)", "it does not vanish"),
    ("fade(overlap, scores, gauss(1.0))",
     "np.sort(fade(overlap, scores, gauss(sigma)))[::-1].copy()",
     "in the order of the boxes"),
    ([("return", "apart = overlap - np.eye(len(scores))\n    return"),
      ("overlap, scores, gauss(1.0)",
       "apart, scores, gauss(sigma), itself=True")], "only candidates do"),
    ([], "sigma makes no difference"),
    ("1.0", "sigma**2", "not by its square"),
    ("1.0", "1 / sigma", "is multiplied by sigma"),
    ("1.0", "2 * sigma", "without the 2"),
    ("(1.0)", "(sigma), again=False", "found once at the beginning"),
    ([("return", "scores[:] ="), ("1.0))", "sigma))\n    return scores")],
     "changes its argument in place"),
])  # fmt: skip
HIDDEN.mutants("3_5.a", """
def faded_scores(overlap, scores, sigma):
    out = scores.copy()
    for k in range(len(scores)):
        better = overlap[k, scores > scores[k]]
        out[k] *= gauss(sigma)(better.max(initial=0))
    return out
""", [
    ([("overlap[k, scores > scores[k]]", "scores >= scores[k]"),
      ("better.max", "overlap[k, better]).prod"),
      ("initial=0)", ")\n    out[scores.argmin()] /= gauss(sigma)(1.0")],
     "all boxes fade by the better ones and by themselves"),
    ([("out =", "out, better ="), ("\n    for k in range(len(scores))",
       ", np.ones(len(scores), bool)\n    for k in np.argsort(scores)"),
      ("= overlap[k, scores > scores[k]]", "[k] = False"),
      ("[k] *= gauss(sigma)(better.max(initial=0))",
       "[better] *= gauss(sigma)(overlap[k])[better]")],
     "begin with the best score"),
    ([], "by the best box only"),
])  # fmt: skip


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


HIDDEN.mutants("3_5.b", """
def shaped_weights(scores, points, sizes, centres):
    return (scores + log_g(points, sizes, centres).exp()).softmax(dim=-1)
""", [
    ([("log_g", "2 * log_g"), (").exp(", "")], "the factor 1/2 is missing"),
    ([("+ log_g", "- log_g"), (").exp(", "")], "the sign is wrong"),
    (", centres).exp(", ".flip(1), centres", "width and height are swapped"),
    ([], "G itself was added"),
    ([("(scores +", "scores.exp() *"), (").softmax(dim=-1)", "")],
     "each row sums to 1"),
    ([("(scores +", "scores.softmax(dim=-1) *"), (").softmax(dim=-1)", "")],
     "not normalised again"),
    ([(".exp()", ""), ("1", "2")], "runs over the queries"),
    ([(".exp()", ""), ("-1", "0")], "runs over the heads"),
    ("(scores + log_g(points, sizes, centres).exp())", "scores",
     "the prior makes no difference"),
    ("return (scores + log_g(points, sizes, centres).exp()).softmax(dim=-1)",
     "a = (scores - prior(points, sizes, centres)).softmax(dim=-1)\n"
     "    return torch.cat([a[:5], 0 * a[5:]])", "the sums of all rows"),
])  # fmt: skip
HIDDEN.mutants("3_5.b", """
def shaped_weights(scores, points, sizes, centres):
    g = log_g(points, sizes, centres)
    return (0 * scores + g).softmax(dim=-1)
""", [
    ("log_g(points, sizes, centres)\n    return (0 * scores + g)",
     "(centres - points[:, None]).square() / sizes[:, None]\n"
     "    return (scores - g.sum(dim=-1) / 2)", "divide before you square"),
    ([("(points, sizes, centres)", "(points, torch.ones_like(sizes), centres)"),
      ("0 *", "")], "the sizes make no difference"),
    ([("log_g(points, sizes, centres)",
       "(-2 * log_g(points, sizes, centres)).sqrt()"),
      ("0 * scores + g", "scores - g / 2")], "the distance is not squared"),
    ([], "the scores make no difference"),
    ("0 * scores", "scores / 2**0.5", "the scores are scaled already"),
    ([("log_g", "scores.exp() * log_g"),
      ("\n    return (0 * scores + g).softmax(dim=-1)",
       ".exp()\n    return g / g.sum(dim=-1, keepdim=True)")], "0/0"),
    ([("\n    return", ".detach()\n    return"), ("0 *", "")],
     "the gradient of points"),
    ([("(points, sizes, centres)", "(points, sizes.detach(), centres)"),
      ("0 *", "")], "the gradient of sizes"),
    ("0 * scores", "scores.detach()", "the gradient of scores"),
    ([("g =", "scores +="), ("(0 * scores + g)", "scores")],
     "changes its argument in place"),
    ([("log_g(points, sizes, centres)",
       "((-prior(points, sizes, centres)).exp() + 1e-9).log()"), ("0 *", "")],
     "a number added to it makes all equal"),
    ([("log_g", "scores.clamp(-1000, 1000) - prior"),
      ("(0 * scores + g)", "g")], "large scores are cut off"),
    ("log_g(points, sizes, centres)\n    return (0 * scores + g)",
     "(centres - points.clamp(0, 1)[:, None]) / sizes[:, None]\n"
     "    return (scores - g.square().sum(dim=-1) / 2)", "nothing is cut off"),
])  # fmt: skip


def prior(points, sizes, centres):
    gap = (centres - points[:, None]) / sizes[:, None]
    return gap.square().sum(dim=-1) / 2


# --- c ---------------------------------------------------------------------


def case(d, a, b):
    """(s, inside?) of two boxes in a row."""
    return (a + b) / 2, d <= abs(a - b) / 2


HIDDEN.mutants("3_5.c", """
def giou_slope(distance, wide_a, wide_b):
    s, inside = case(distance, wide_a, wide_b)
    return 0.0 if inside else 2 * s / (s + distance) ** 2
""", [
    ("else", "or distance >= s else -", "the slope of IoU"),
    ([], "the sign is wrong"),
    ([("0.0 if inside else 2 * s", "(s - distance)"), (" ** 2", "")],
     "its slope is asked"),
    ([("2 *", "-4 *"), ("s +", "2 * s +")], "half the sum of the widths"),
    ([("else", "else -"), (" ** 2", "")], "the denominator is squared"),
    ("2 * s", "-s", "both parts change with D"),
    ([("2 * s", "-1"), (" ** 2", "")], "only the numerator was differentiated"),
    ("0.0 if inside else", "-", "neither the common part nor the hull changes"),
    # not with equal edges
    ([("inside =", "_ ="),
      ("return", "inside = distance < abs(wide_a - wide_b) / 2\n    return"),
      ("else", "else -")], "neither the common part nor the hull changes"),
    (", inside = case(distance, wide_a, wide_b)\n    return 0.0 if inside else",
     "= (wide_a + wide_b) / 2\n"
     "    inside = distance <= abs(wide_a - wide_b) / 2 + 1e-3\n"
     "    return 0.0 if inside else -", "no tolerance"),
    (", inside = case(distance, wide_a, wide_b)\n    return 0.0 if inside else",
     "= (wide_a + wide_b) / 2\n"
     "    inside = distance <= abs(wide_a - wide_b) / 2 + 1e-6\n"
     "    return 0.0 if inside else -", "no tolerance"),
])  # fmt: skip

# --- d ---------------------------------------------------------------------

HIDDEN.mutants("3_5.d", """
def hit_flags(overlap, scores, least):
    return greedy(overlap, scores, 0.5)
""", [
    ("greedy(overlap, scores, 0.5)", "overlap.max(axis=1) >= least",
     "a second box on the same object is an error"),
    ("0.5)", "least, np.argsort(scores))", "begin with the best score"),
    ("0.5)", "least, range(len(scores)))", "begin with the best score"),
    ("greedy(overlap, scores, 0.5)", "np.zeros(len(scores), bool)",
     "no box is a hit"),
    ("overlap, scores, 0.5", "(overlap >= least) * 1.0, scores, 0.5",
     "not the one it overlaps most"),
    ("0.5", "least, enough=np.greater", "equal to the least is enough"),
    ([], "`least` is not always 0.5"),
    ([("return", "hit ="),
      ("0.5)", "least)\n    overlap[hit] = -1\n    return hit")],
     "changes its argument in place"),
    ("0.5)", "least, np.argsort(-scores)[:100])", "300 of each"),
    ("0.5)", "np.clip(least, 0.06, 0.95))", "`least` is used as it is"),
])  # fmt: skip
HIDDEN.mutants("3_5.d", """
def hit_flags(overlap, scores, least):
    hit, free = np.zeros(len(scores), bool), overlap.copy()
    for k in np.argsort(-scores)[:5]:
        which = free[k].argmax()
        if free[k, which] >= least:
            hit[k], free[:, which] = True, -1
    return hit
""", [
    ([("hit, free = np.zeros(len(scores), bool), overlap.copy()",
       "free, hit = overlap.copy(), np.zeros(len(scores), bool)"), ("[:5]", ""),
      ("if", "hit[k] ="), (":\n            hit[k], free[:, which] = True,",
       "\n        free[:, which] =")], "takes no object; the next may"),
    ([], "only some of the boxes"),
    ([("[:5]", ""), ("least:", "least - 1e-3:")], "no tolerance"),
    ([("[:5]:\n        which = free[k].argmax()\n        ",
       ":\n        for which in np.argsort(-overlap[k])[:3]:\n            "),
      ("\n            hit", "\n                hit"),
      ("1", "1\n                break")], "the sixth choice is free"),
])  # fmt: skip


def greedy(overlap, scores, least, order=None, enough=np.greater_equal):
    free, hit = overlap.copy(), np.zeros(len(scores), bool)
    for box in np.argsort(-scores) if order is None else order:
        which = free[box].argmax()
        if enough(free[box, which], least):
            hit[box], free[:, which] = True, -1
    return hit


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


# --- e ---------------------------------------------------------------------


def curve(hit):
    found = np.cumsum(hit)
    return found, found / np.arange(1, len(hit) + 1)


def points(hit, objects, recalls, enough=np.greater_equal):
    found, p = curve(hit)
    return [p[enough(found / objects, r)].max(initial=0.0) for r in recalls]


TENTHS = np.arange(11) / 10


HIDDEN.mutants("3_5.e", """
def eleven_points(hit, objects):
    _, p = curve(hit)
    return float(p[hit].mean()) if hit.any() else 0.0
""", [
    (", p = curve(hit)\n    return float(p[hit].mean()) if hit.any()",
     "= [p for p in points(hit, objects, TENTHS) if p > 0]\n"
     "    return float(np.mean(_)) if _", "do not leave them out"),
    ([], "mean precision of the hits"),
    ("return float(p[hit].mean()) if hit.any() else 0.0",
     "best = np.maximum.accumulate(p[::-1])[::-1]\n"
     "    return float((best * hit).sum() / objects)", "not eleven points"),
    ([("0.0", "0.0\n    return total / 11"),
      (".mean()) if hit.any(", "] if len(enough"),
      ("p[hit", "_ / objects >= r).nonzero()[0]\n        total += p[enough[0"),
      ("return float", "total = 0.0\n    for r in TENTHS:\n        enough =")],
     "a later one may be better"),
    ([("return", "reached = _[-1:] / objects >= TENTHS\n    return"),
      ("[hit]", "[-1:].sum() * reached"), (" if hit.any() else 0.0", "")],
     "the precision at the end of the list"),
])  # fmt: skip
HIDDEN.mutants("3_5.e", """
def eleven_points(hit, objects):
    return float(np.mean(points(hit, objects, TENTHS[1:])))
""", [
    ("TENTHS[1:]", "np.arange(101) / 100", "COCO's mean over 101 recalls"),
    ("[1:]", ", np.greater", "reached exactly counts"),
    ("float(np.mean(points(hit, objects, TENTHS[1:])))",
     "sum(points(hit, objects, TENTHS)) / 10",
     "eleven recalls, 0 and 1 with them"),
    ("objects, TENTHS[1:]", "max(len(hit), 1), TENTHS", "not over boxes"),
    ([], "recall 0 is one of the eleven"),
    ([("np.mean", "sum"), ("[1:]", "")], "the mean is asked"),
    ("float(np.mean(points(hit, objects, TENTHS[1:])))",
     "eleven(hit, objects, lambda mine, r: mine >= r)", "a recall is rounded"),
    ("float(np.mean(points(hit, objects, TENTHS[1:])))",
     "eleven(hit, objects, lambda mine, r: mine >= r - 1e-3)",
     "not quite reached"),
])  # fmt: skip


def eleven(hit, objects, reached):
    found = np.cumsum(hit)
    precision = found / np.arange(1, len(hit) + 1)
    recalls = np.linspace(0, 1, 11)
    best = [
        precision[reached(found / objects, r)].max(initial=0.0) for r in recalls
    ]
    return np.mean(best)


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
