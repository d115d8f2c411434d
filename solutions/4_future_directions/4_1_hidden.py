"""Hidden checks and known wrong answers of exercises 4.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(globals())


def batch(rng):
    n = int(rng.integers(2, 8))
    g = (rng.random((n, n)) < 0.3) | (np.eye(n)[rng.permutation(n)] > 0)
    s = rng.normal(size=(n, n)) * rng.choice([5, 300])
    return s.clip(-1000, 1000), g


HIDDEN.agrees("4_1.a", "shared_nce", title="random scores", tolerance=1e-5)(
    batch
)


@HIDDEN.check("4_1.a", "random gradients")
def nce_gradient(answer, rng, reference):
    args = batch(rng)
    agree_in_gradient(
        answer, reference, "shared_nce", args, np.array(rng.normal())
    )


@HIDDEN.agrees("4_1.b", "object_of_word", title="random maps")
def object_anywhere(rng):
    b, t, k, n = (int(x) for x in rng.permutation([2, 3, 4, 9]) + 1)
    regions = rng.random((b, k, n)) < rng.uniform(0.05, 0.8)
    regions[..., 0] = False  # none covers all: rounding would decide
    for o in range(1, k):  # nor have two the same places: one is padding
        twins = (regions[:, :o] == regions[:, o : o + 1]).all(-1).any(-1)
        regions[twins, o] = False
    return rng.normal(size=(b, t, n)), regions


@HIDDEN.agrees("4_1.c", "beta_needed", title="random losses")
def beta_anywhere(rng):
    n = int(rng.integers(2, 500))
    return n, float(np.log(n) * rng.uniform(1e-6, 1))


@HIDDEN.check("4_1.d", "random scores with ties, nan and infinity")
def recall_anywhere(answer, rng, reference):
    n = int(rng.integers(2, 12))
    s = rng.integers(0, 5, size=(n, n)).astype(float)
    for odd in (np.nan, np.inf, -np.inf):
        s[rng.random((n, n)) < 0.1] = odd
    for k in range(1, n + 1):
        agree(answer, reference, "recall_at", (s, k), "random")


def captions(rng):
    b, t, v = (int(x) for x in rng.permutation([3, 5, 6]) + 1)
    pad = int(rng.integers(v))
    words = rng.integers(v, size=(b, t))
    words[np.arange(t) > rng.integers(1, t, size=(b, 1))] = pad
    return rng.normal(size=(b, t - 1, v)) * 3, words, pad


HIDDEN.agrees(
    "4_1.e", "caption_log_probability", title="random captions", tolerance=1e-5
)(captions)


HIDDEN.agrees(
    "4_1.e",
    "caption_log_probability",
    title="random gradients",
    gradient=True,
    tolerance=1e-5,
)(captions)


# --- a ---------------------------------------------------------------------


def way(s, g, dim=1):
    right = s.masked_fill(~g, -torch.inf)
    return s.logsumexp(dim=dim) - right.logsumexp(dim=dim)


HIDDEN.mutants("4_1.a", """
def shared_nce(S, g):
    return -(way(S, g).mean() + way(S, g, 0).mean()) / 2
""", [
    ("return -(way(S, g).mean() + way(S, g, 0).mean())",
     "own = torch.arange(len(S))\n"
     "    f = torch.nn.functional.cross_entropy\n"
     "    return (f(S, own) + f(S.T, own))", "only the diagonal counts"),
    ("-(way(S, g).mean() + way(S, g, 0).mean()) / 2", "way(S, g).mean()",
     "one direction is missing: from captions"),
    ("-(way(S, g).mean() + way(S, g, 0).mean()) / 2", "way(S, g, 0).mean()",
     "one direction is missing: from images"),
    ([("-(way", "way"), (") / 2", "")], "the two directions are added"),
    ("-(way(S, g).mean() + way(S, g, 0).mean())",
     "(way(S, g).sum() + way(S, g, 0).sum())", "a sum over the pairs"),
    ("-(way(S, g).mean() + way(S, g, 0).mean()) / 2",
     "way(S, g).sum() + way(S, g, 0).sum()", "a sum over pairs and directions"),
    ([], "the sign is wrong"),
    ([("-(way(S,", "(way(S, ~"), ("g,", "~g,")], "g is inverted"),
    ([("return",
       "rows, columns = S.log_softmax(1), S.log_softmax(0)\n    return"),
      ("(way(S, g).mean() + way(S, g, 0).mean()) / 2",
       "(rows[g].sum() + columns[g].sum()) / 2 / len(S)")], "are multiplied"),
    ([("return -(way(S, g).mean() +", "rows, columns = (-way(S, g)).exp(), (-"),
      ("0)", "0)).exp()\n    return -torch.cat([rows, columns])"),
      (") / 2", ".log()")], "averaged before the logarithm"),
    ([("return -", "return"), (", g, 0", ".T, g")],
     "g must be exchanged like S"),
    ([("return -", "return"), ("g, 0", "g.T")], "both directions read rows"),
    ([("return -", "return"), ("2", "2 / np.log(2)")], "base 2"),
    ([("return",
       "rows, columns = S.softmax(1) * g, S.softmax(0) * g\n    return"),
      ("way(S, g)", "rows.sum(1).log()"),
      ("way(S, g, 0)", "columns.sum(0).log()")], "is of 0"),
    ("return -", "if S.abs().max() > 50:\n        S = S.detach()\n    return",
     "gradient"),
    ("return -", "S = S.clamp(-900, 1000)\n    return",
     "right scores of -1000, others 0"),
])  # fmt: skip
HIDDEN.mutants("4_1.a", """
def shared_nce(S, g):
    right = S * g
    rows = S.logsumexp(1) - right.logsumexp(1)
    return (rows.mean() + (S.logsumexp(0) - right.logsumexp(0)).mean()) / 2
""", [
    ([("* g\n    rows = S.logsumexp(1) - right.logsumexp(1)",
       ".flatten().log_softmax(0).view_as(S).masked_fill(~g, -torch.inf)"),
      ("(rows.mean() + (S.logsumexp(0) - right.logsumexp(0)",
       "-(right.logsumexp(0).mean() + right.logsumexp(1")],
     "over the whole table"),
    ([], "mask with minus infinity"),
    ([("S * g", "S.masked_fill(~g, -torch.inf)"), ("return",
       "columns = S.logsumexp(0).detach() - right.logsumexp(0)\n    return"),
      ("(S.logsumexp(0) - right.logsumexp(0))", "columns")], "gradient"),
    ("S * g", "S.masked_fill(~g, -1000.0)", "masked by -1000"),
    ([("S * g", "S.logsumexp(1), S.logsumexp(0)\n    S[~g] = -torch.inf"),
      ("rows =", "rows, columns = right[0] -"),
      ("- right.logsumexp(1)", ", right[1] - S.logsumexp(0)"),
      ("(S.logsumexp(0) - right.logsumexp(0))", "columns")],
     "changes its argument in place"),
])  # fmt: skip


@HIDDEN.wrong("4_1.a", "mean over the right ones' logarithms")
def shared_nce(S, g):
    rows = (S.log_softmax(1).masked_fill(~g, 0)).sum(1) / g.sum(1)
    columns = (S.log_softmax(0).masked_fill(~g, 0)).sum(0) / g.sum(0)
    return -(rows.mean() + columns.mean()) / 2


@HIDDEN.wrong("4_1.a", "exp overflows")
def shared_nce(S, g):
    e = S.exp()
    rows = (e * g).sum(1) / e.sum(1)
    columns = (e * g).sum(0) / e.sum(0)
    return -(rows.log().mean() + columns.log().mean()) / 2


# --- b ---------------------------------------------------------------------


def masses(weights, regions):
    return np.einsum("btn,bkn->btk", weights, regions.astype(float))


def per_place(weights, regions, padding=-np.inf):
    sizes = regions.sum(axis=2)[:, None]
    found = masses(weights, regions) / np.maximum(sizes, 1)
    return np.where(sizes > 0, found, padding)


def choose(means, level, strict=True):
    best = means.max(axis=2)
    good = best > level if strict else best >= level
    return np.where(good, means.argmax(axis=2), -1)


HIDDEN.mutants("4_1.b", """
def object_of_word(weights, regions):
    return choose(per_place(weights, regions, 0.0), weights.mean(axis=2))
""", [
    ("choose(per_place(weights, regions, 0.0), weights.mean(axis=2))",
     "masses(weights, regions).argmax(axis=2)", "the largest mass"),
    ([("per_place", "masses"), (", 0.0", "")], "the largest mass"),
    ("choose(per_place(weights, regions, 0.0), weights.mean(axis=2))",
     "per_place(weights, regions).argmax(axis=2)", "where none stands out"),
    (", 0.0), weights.mean(axis=2))", "), 1 / weights.shape[2])",
     "where none stands out"),
    ([(", 0.0", ""), ("mean", "sum")], "mass of all places"),
    ("return choose(per_place(weights, regions, 0.0)",
     "means = masses(weights, regions) / regions.sum(axis=2)[:, None]\n"
     "    return choose(means", "0 / 0 is nan"),
    ([], "must not count as a mean of 0"),
    ("0.0", "-10.0", "or of any other number"),
    ([(", 0.0", ""), ("(axis=2)", "(axis=2), False")], "does not stand out"),
    ("return choose(per_place(weights, regions, 0.0), weights.mean(axis=2))",
     "found = choose(per_place(weights, regions), weights.mean(axis=2))\n"
     "    return np.where(found < 0, -1, found + 1)", "numbered from 0"),
    ("choose(per_place(weights, regions, 0.0), weights.mean(axis=2))",
     "weights.argmax(axis=2)", "number of the place"),
    ("return choose(per_place(weights, regions, 0.0",
     "every = np.where(regions[:, None], weights[:, :, None], -np.inf)\n"
     "    return choose(every.max(axis=3", "largest single weight"),
    ("choose(per_place(weights, regions, 0.0), weights.mean(axis=2))",
     "np.zeros(weights.shape[:2], int)", "the same object"),
    ("return choose(per_place(weights, regions, 0.0), weights.mean(axis=2))",
     "found = choose(per_place(weights, regions), weights.mean(axis=2))\n"
     "    weights /= weights.sum(axis=2, keepdims=True)\n"
     "    return found", "changes its argument in place"),
    ([("2)",
       "2) + 1e-3\n    return standing_out(weights, regions, level, sizes"),
      ("return choose(per_place(weights, regions, 0.0),",
       "sizes = np.maximum(regions.sum(axis=2)[:, None], 1)\n    level =")],
     "greater by however little"),
    ("choose(per_place(weights, regions, 0.0), weights.mean(axis=2))",
     "by_size()(weights, np.broadcast_to(regions[:1], regions.shape))",
     "regions of its own"),
    ("choose(per_place(weights, regions, 0.0), weights.mean(axis=2))",
     "by_size()(weights, regions[:, :100])", "300 objects"),
])  # fmt: skip


@HIDDEN.wrong("4_1.b", "is chosen for the first word")
def object_of_word(weights, regions):
    means = masses(weights, regions) / regions.sum(axis=2)[:, None]
    level = weights.mean(axis=2)
    return np.where(np.nanmax(means, axis=2) > level, means.argmax(axis=2), -1)


@HIDDEN.wrong("4_1.b", "take the first")
def object_of_word(weights, regions):
    means = per_place(weights, regions)
    last = means.shape[2] - 1 - means[..., ::-1].argmax(axis=2)
    return np.where(means.max(axis=2) > weights.mean(axis=2), last, -1)


def standing_out(weights, regions, level, sizes):
    mass = np.einsum("btn,bkn->btk", weights, regions.astype(float))
    real = regions.any(axis=2)[:, None]
    means = np.where(real, mass / sizes, -np.inf)
    return np.where(means.max(2) > level, means.argmax(2), -1)


# --- c ---------------------------------------------------------------------

HIDDEN.mutants("4_1.c", """
def beta_needed(n, loss):
    return (n - 1) / n * np.log((n - 1) / np.expm1(loss / 2))
""", [
    ([(" (n - 1) / n *", ""), (" / 2", "")], "-beta / (n - 1), not 0"),
    ([(" (n - 1) / n *", ""), ("/ 2))", ")) / 2")], "not -beta."),
    ([("(n - 1) / np", "n / np"), (" / 2", "")], "others in a row, not n"),
    ([("(n - 1) / np", "1 / np"), (" / 2", "")], "others in a row, not one"),
    ([("(n - 1) / n *", "n / (n - 1) *"), (" / 2", "")], "that multiplies"),
    ("expm1(loss / 2)", "exp(loss)", "the own term is in the sum"),
    ([("return", "return -"), (" / 2", "")], "the sign is wrong"),
    ("np.expm1(loss / 2))", "loss)", "the loss itself"),
    ([("(n - 1) / n *", "n / (n + 1) *"), (" / 2", "")], "not -beta / (n - 1)"),
    ([], "both directions added"),
    ([("log", "log2"), (" / 2", "")], "base 2"),
    ("np.expm1(loss / 2)", "(np.exp(loss) - 1)", "np.expm1 does not"),
    ([("return", "return min(100,"), ("/ 2))", ")))")], "nothing cut off"),
    ([("(n, loss):",
       "(n, loss):\n    others = loss if loss < 1e-3 else np.expm1(loss)"),
      ("np.expm1(loss / 2))", "others)")], "is not the loss itself"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def own_scores(scores):
    return np.diag(scores)[:, None]


HIDDEN.mutants("4_1.d", """
def recall_at(scores, k):
    return ((scores >= own_scores(scores)).sum(axis=1) - 1 < k).mean()
""", [
    ([("scores >=", "scores >"), (" - 1", "")], "ties are won"),
    ([], "all scores are nan"),
    ([("return", "order = np.argsort"), ("(scores >= own_scores",
       '-scores, axis=1, kind="stable")\n    places = (order == np.arange(len'),
      (".sum(axis=1) - 1", "[:, None]).argmax(axis=1)\n    return (places")],
     "all scores equal"),
    ([("return (", "scores[np.isnan(scores)] = np.inf\n    others ="),
      ("1 <", "1\n    return (others <")], "changes its argument in place"),
    ([("return",
       "scores = np.where(np.isnan(scores), -np.inf, scores)\n    return"),
      ("scores >=", "scores >"), (" - 1", "")], "ties are won"),
    ([("return", "s = scores.copy()\n    s[np.isinf(s)] = np.nan\n    return"),
      ("scores >= own_scores(scores)", "~(s < own_scores(s))")],
     "infinity is a score"),
])  # fmt: skip
HIDDEN.mutants("4_1.d", """
def recall_at(scores, k):
    others = (~(scores < own_scores(scores))).sum(axis=1) - 1
    return (others <= k).mean()
""", [
    ([("others =", "return ("), ("- 1\n    return (others <=", "<")],
     "count against itself"),
    ([], "one too many"),
    ([("<= k", "< k"), ("mean", "sum")], "a count"),
    ([("own_scores(scores))).sum(axis=1", "np.diag(scores))).sum(axis=0"),
      ("<= k", "< k")], "columns for rows"),
    ([("(~(scores < own_scores(scores)))",
       "own_scores(scores)\n    rank = (scores > others)"),
      ("(axis=1) - 1", "(1) + ((scores == others).sum(1) - 1) / 2"),
      ("others <=", "rank <")], "all scores equal"),
    ([("(~(scores < own_scores(scores)))",
       "own_scores(scores)\n    rank = (scores >= others)"),
      ("others <=", "rank <")], "all scores are nan"),
    ([("\n    others",
       "\n    close = np.isclose(scores, own_scores(scores))\n    others"),
      (").sum", "| close).sum"), ("<= k", "< k")], "by 1e-9"),
    ([("(scores)", "(scores) - 1e-10"), ("<= k", "< k")], "by however little"),
    ([("others =", "scores = scores[:100, :100]\n    unbeaten ="),
      ("others <=", "unbeaten <")], "200 others not beaten"),
    ("<= k", "< min(k, 10)", "200 others not beaten"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def chosen(logits, target, pad):
    log_p = logits.log_softmax(dim=-1)
    got = log_p.gather(-1, target[..., None]).squeeze(-1)
    return got.masked_fill(target == pad, 0.0)


HIDDEN.mutants("4_1.e", None, [
    ([("log_softmax(dim=-1)\n    chosen = log_p.", ""), ("chosen.", "log_p.")],
     "log_softmax is missing"),
    ([("log_softmax(dim=-1)\n    chosen = log_p", "softmax(dim=-1)"),
      ("chosen.", "log_p."), ("0.0).sum(dim=1)", "1.0).prod(dim=1).log()")],
     "sum logarithms"),
    ([("(dim=-1)\n    chosen = log_p", "(-1)"),
      ("chosen.masked_fill(target == pad, 0.0)", "(log_p * (target != pad))")],
     "multiply it by 0"),
    ([("return", "total ="),
      ("(dim=1)", "(dim=1)\n    return torch.cat([total[:5], 0 * total[5:]])")],
     "do not sum to 1"),
])  # fmt: skip
HIDDEN.mutants("4_1.e", """
def caption_log_probability(logits, words, pad):
    return chosen(logits.detach(), words[:, 1:], pad).sum(dim=1)
""", [
    ([(".detach()", ""), ("1:", ":-1")], "that it has just read"),
    (".detach(), words[:, 1:], pad", ", words[:, 1:], -1", "PAD counts"),
    ([("return chosen(logits.detach(), words[:, 1:], pad)",
       "target = words[:, 1:]\n    return chosen(logits, target, pad)"),
      ("(dim=1)", "(1) / (target != pad).sum(1)")], "a mean over words"),
    ([(".detach()", ""), ("sum", "mean")], "a mean over rows"),
    ([("chosen", "-chosen"), (".detach()", "")], "the other sign"),
    ([(".detach()", ""), ("(dim=1)", "(dim=1).exp()")],
     "its logarithm is asked"),
    ([(".detach()", "[:, :-1]"), ("1:", "2:")], "shifted twice"),
    ([("1:", "2:"), (".detach()", "[:, 1:]")], "first word after BEGIN"),
    ([(".detach()", ""), ("pad).", "0).")], "PAD is not always 0"),
    ([], "no gradient flows"),
    ("return chosen(logits.detach(), words[:, 1:], pad).sum(dim=1)",
     "total = logits.exp().sum(dim=-1, keepdim=True)\n"
     "    return of_next(logits - total.log(), words, pad)", "exp overflows"),
    ([("chosen", "of_next"), ("(logits.detach(), words[:, 1:], pad).sum(dim=1)",
       "(logits.softmax(dim=-1).log(), words, pad)")], "a logarithm is of 0"),
    ("chosen(logits.detach(), words[:, 1:], pad).sum(dim=1)",
     "of_next(logits.log_softmax(-1).clamp(min=-50), words, pad)",
     "nothing may be cut off"),
    ("chosen(logits.detach(), words[:, 1:], pad).sum(dim=1)",
     "of_next((logits.softmax(dim=-1) + 1e-12).log(), words, pad)",
     "nothing added to a probability"),
    ([("return chosen(", "if logits.abs().max() > 50:\n        logits ="),
      (", words[", "\n    return chosen(logits, words[")], "no gradient flows"),
    ("chosen(logits.detach(), words[:, 1:], pad).sum(dim=1)",
     "of_next(logits.log_softmax(dim=1), words, pad)", "the last axis"),
    ("return chosen(logits.detach(), words[:, 1:], pad).sum(dim=1)",
     "others = logits.clone()\n"
     "    others[..., pad] = -torch.inf\n"
     "    return of_next(others.log_softmax(dim=-1), words, pad)",
     "like any other in the softmax"),
])  # fmt: skip


@HIDDEN.wrong("4_1.e", "END is left out")
def caption_log_probability(logits, words, pad):
    last = words.clone()[:, 1:]
    ends = (last != pad).sum(dim=1) - 1
    last[torch.arange(len(last)), ends] = pad
    return chosen(logits, last, pad).sum(dim=1)


def of_next(log_p, words, pad):
    target = words[:, 1:]
    got = log_p.gather(-1, target[..., None]).squeeze(-1)
    return got.masked_fill(target == pad, 0.0).sum(dim=1)


def joined(ways):
    """The mean over both directions of what `ways` makes of S and g."""

    def shared_nce(S, g):
        return (ways(S, g).mean() + ways(S.T, g.T).mean()) / 2

    return shared_nce


def log_right(S, g):
    return S.masked_fill(~g, -torch.inf).logsumexp(dim=1)


HIDDEN.mutants("4_1.a", "shared_nce = joined(...)", [
    ("...",
     "lambda S, g: S.clamp(-700, 700).logsumexp(1) - log_right(S.clamp(-700, "
     "700), g)", "no score is cut off"),
    ("...",
     "lambda S, g: S.logsumexp(1) - S.masked_fill(~g, -torch.inf).amax(dim=1)",
     "only the best of the right ones"),
    ("...", "lambda S, g: log_right(S, ~g) - log_right(S, g)",
     "below stands the sum over all"),
])  # fmt: skip


def by_size(sizes=lambda x: x, level=lambda x: x):
    """The right choice, but for the sizes or the mean of all places."""

    def object_of_word(weights, regions):
        size = regions.sum(axis=2)[:, None]
        mass = masses(weights, regions)
        means = np.where(size > 0, mass / np.maximum(sizes(size), 1), -np.inf)
        out = means.max(axis=2) > level(weights.mean(axis=2))
        return np.where(out, means.argmax(axis=2), -1)

    return object_of_word


HIDDEN.wrong("4_1.b", "nothing is added to a size")(by_size(lambda x: x + 1e-9))
HIDDEN.wrong("4_1.b", "nothing is added to a size")(
    by_size(lambda x: x + 1e-12)
)
HIDDEN.wrong("4_1.b", "no margin")(by_size(level=lambda x: x * 1.01))
HIDDEN.wrong("4_1.b", "no margin")(by_size(level=lambda x: x * (1 + 1e-6)))
