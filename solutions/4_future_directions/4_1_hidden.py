"""Hidden checks and known wrong answers of exercises 4.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden()


def batch(rng):
    n = int(rng.integers(2, 8))
    g = (rng.random((n, n)) < 0.3) | (np.eye(n)[rng.permutation(n)] > 0)
    s = rng.normal(size=(n, n)) * rng.choice([5, 300])
    return s.clip(-1000, 1000), g


@HIDDEN.check("4_1.a", "random scores")
def nce_anywhere(answer, rng, reference):
    agree(answer, reference, "shared_nce", batch(rng), "random", tolerance=1e-5)


@HIDDEN.check("4_1.a", "random gradients")
def nce_gradient(answer, rng, reference):
    args = batch(rng)
    agree_in_gradient(
        answer, reference, "shared_nce", args, np.array(rng.normal())
    )


@HIDDEN.check("4_1.b", "random maps")
def object_anywhere(answer, rng, reference):
    b, t, k, n = (int(x) for x in rng.permutation([2, 3, 4, 9]) + 1)
    regions = rng.random((b, k, n)) < rng.uniform(0.05, 0.8)
    regions[..., 0] = False  # none covers all: rounding would decide
    for o in range(1, k):  # nor have two the same places: one is padding
        twins = (regions[:, :o] == regions[:, o : o + 1]).all(-1).any(-1)
        regions[twins, o] = False
    args = rng.normal(size=(b, t, n)), regions
    agree(answer, reference, "object_of_word", args, "random")


@HIDDEN.check("4_1.c", "random losses")
def beta_anywhere(answer, rng, reference):
    n = int(rng.integers(2, 500))
    args = n, float(np.log(n) * rng.uniform(1e-6, 1))
    agree(answer, reference, "beta_needed", args, "random")


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


@HIDDEN.check("4_1.e", "random captions")
def caption_anywhere(answer, rng, reference):
    agree(
        answer,
        reference,
        "caption_log_probability",
        captions(rng),
        "random",
        tolerance=1e-5,
    )


@HIDDEN.check("4_1.e", "random gradients")
def caption_gradient(answer, rng, reference):
    args = captions(rng)
    u = rng.normal(size=len(args[0]))
    agree_in_gradient(
        answer, reference, "caption_log_probability", args, u, tolerance=1e-5
    )


# --- a ---------------------------------------------------------------------


def way(s, g, dim=1):
    right = s.masked_fill(~g, -torch.inf)
    return s.logsumexp(dim=dim) - right.logsumexp(dim=dim)


@HIDDEN.wrong("4_1.a", "only the diagonal counts")
def shared_nce(S, g):
    own = torch.arange(len(S))
    f = torch.nn.functional.cross_entropy
    return (f(S, own) + f(S.T, own)) / 2


@HIDDEN.wrong("4_1.a", "one direction is missing: from captions")
def shared_nce(S, g):
    return way(S, g).mean()


@HIDDEN.wrong("4_1.a", "one direction is missing: from images")
def shared_nce(S, g):
    return way(S, g, 0).mean()


@HIDDEN.wrong("4_1.a", "the two directions are added")
def shared_nce(S, g):
    return way(S, g).mean() + way(S, g, 0).mean()


@HIDDEN.wrong("4_1.a", "a sum over the pairs")
def shared_nce(S, g):
    return (way(S, g).sum() + way(S, g, 0).sum()) / 2


@HIDDEN.wrong("4_1.a", "a sum over pairs and directions")
def shared_nce(S, g):
    return way(S, g).sum() + way(S, g, 0).sum()


@HIDDEN.wrong("4_1.a", "the sign is wrong")
def shared_nce(S, g):
    return -(way(S, g).mean() + way(S, g, 0).mean()) / 2


@HIDDEN.wrong("4_1.a", "g is inverted")
def shared_nce(S, g):
    return (way(S, ~g).mean() + way(S, ~g, 0).mean()) / 2


@HIDDEN.wrong("4_1.a", "are multiplied")
def shared_nce(S, g):
    rows, columns = S.log_softmax(1), S.log_softmax(0)
    return -(rows[g].sum() + columns[g].sum()) / 2 / len(S)


@HIDDEN.wrong("4_1.a", "mean over the right ones' logarithms")
def shared_nce(S, g):
    rows = (S.log_softmax(1).masked_fill(~g, 0)).sum(1) / g.sum(1)
    columns = (S.log_softmax(0).masked_fill(~g, 0)).sum(0) / g.sum(0)
    return -(rows.mean() + columns.mean()) / 2


@HIDDEN.wrong("4_1.a", "averaged before the logarithm")
def shared_nce(S, g):
    rows, columns = (-way(S, g)).exp(), (-way(S, g, 0)).exp()
    return -torch.cat([rows, columns]).mean().log()


@HIDDEN.wrong("4_1.a", "over the whole table")
def shared_nce(S, g):
    p = S.flatten().log_softmax(0).view_as(S).masked_fill(~g, -torch.inf)
    return -(p.logsumexp(0).mean() + p.logsumexp(1).mean()) / 2


@HIDDEN.wrong("4_1.a", "mask with minus infinity")
def shared_nce(S, g):
    right = S * g
    rows = S.logsumexp(1) - right.logsumexp(1)
    return (rows.mean() + (S.logsumexp(0) - right.logsumexp(0)).mean()) / 2


@HIDDEN.wrong("4_1.a", "g must be exchanged like S")
def shared_nce(S, g):
    return (way(S, g).mean() + way(S.T, g).mean()) / 2


@HIDDEN.wrong("4_1.a", "both directions read rows")
def shared_nce(S, g):
    return (way(S, g).mean() + way(S, g.T).mean()) / 2


@HIDDEN.wrong("4_1.a", "base 2")
def shared_nce(S, g):
    return (way(S, g).mean() + way(S, g, 0).mean()) / 2 / np.log(2)


@HIDDEN.wrong("4_1.a", "exp overflows")
def shared_nce(S, g):
    e = S.exp()
    rows = (e * g).sum(1) / e.sum(1)
    columns = (e * g).sum(0) / e.sum(0)
    return -(rows.log().mean() + columns.log().mean()) / 2


@HIDDEN.wrong("4_1.a", "is of 0")
def shared_nce(S, g):
    rows, columns = S.softmax(1) * g, S.softmax(0) * g
    return -(rows.sum(1).log().mean() + columns.sum(0).log().mean()) / 2


@HIDDEN.wrong("4_1.a", "gradient")
def shared_nce(S, g):
    right = S.masked_fill(~g, -torch.inf)
    rows = S.logsumexp(1) - right.logsumexp(1)
    columns = S.logsumexp(0).detach() - right.logsumexp(0)
    return (rows.mean() + columns.mean()) / 2


@HIDDEN.wrong("4_1.a", "masked by -1000")
def shared_nce(S, g):
    right = S.masked_fill(~g, -1000.0)
    rows = S.logsumexp(1) - right.logsumexp(1)
    return (rows.mean() + (S.logsumexp(0) - right.logsumexp(0)).mean()) / 2


@HIDDEN.wrong("4_1.a", "gradient")
def shared_nce(S, g):
    if S.abs().max() > 50:
        S = S.detach()
    return (way(S, g).mean() + way(S, g, 0).mean()) / 2


@HIDDEN.wrong("4_1.a", "right scores of -1000, others 0")
def shared_nce(S, g):
    S = S.clamp(-900, 1000)
    return (way(S, g).mean() + way(S, g, 0).mean()) / 2


@HIDDEN.wrong("4_1.a", "changes its argument in place")
def shared_nce(S, g):
    every = S.logsumexp(1), S.logsumexp(0)
    S[~g] = -torch.inf
    rows, columns = every[0] - S.logsumexp(1), every[1] - S.logsumexp(0)
    return (rows.mean() + columns.mean()) / 2


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


@HIDDEN.wrong("4_1.b", "the largest mass")
def object_of_word(weights, regions):
    return masses(weights, regions).argmax(axis=2)


@HIDDEN.wrong("4_1.b", "the largest mass")
def object_of_word(weights, regions):
    return choose(masses(weights, regions), weights.mean(axis=2))


@HIDDEN.wrong("4_1.b", "where none stands out")
def object_of_word(weights, regions):
    return per_place(weights, regions).argmax(axis=2)


@HIDDEN.wrong("4_1.b", "where none stands out")
def object_of_word(weights, regions):
    return choose(per_place(weights, regions), 1 / weights.shape[2])


@HIDDEN.wrong("4_1.b", "mass of all places")
def object_of_word(weights, regions):
    return choose(per_place(weights, regions), weights.sum(axis=2))


@HIDDEN.wrong("4_1.b", "0 / 0 is nan")
def object_of_word(weights, regions):
    means = masses(weights, regions) / regions.sum(axis=2)[:, None]
    return choose(means, weights.mean(axis=2))


@HIDDEN.wrong("4_1.b", "is chosen for the first word")
def object_of_word(weights, regions):
    means = masses(weights, regions) / regions.sum(axis=2)[:, None]
    level = weights.mean(axis=2)
    return np.where(np.nanmax(means, axis=2) > level, means.argmax(axis=2), -1)


@HIDDEN.wrong("4_1.b", "must not count as a mean of 0")
def object_of_word(weights, regions):
    return choose(per_place(weights, regions, 0.0), weights.mean(axis=2))


@HIDDEN.wrong("4_1.b", "or of any other number")
def object_of_word(weights, regions):
    return choose(per_place(weights, regions, -10.0), weights.mean(axis=2))


@HIDDEN.wrong("4_1.b", "does not stand out")
def object_of_word(weights, regions):
    return choose(per_place(weights, regions), weights.mean(axis=2), False)


@HIDDEN.wrong("4_1.b", "take the first")
def object_of_word(weights, regions):
    means = per_place(weights, regions)
    last = means.shape[2] - 1 - means[..., ::-1].argmax(axis=2)
    return np.where(means.max(axis=2) > weights.mean(axis=2), last, -1)


@HIDDEN.wrong("4_1.b", "numbered from 0")
def object_of_word(weights, regions):
    found = choose(per_place(weights, regions), weights.mean(axis=2))
    return np.where(found < 0, -1, found + 1)


@HIDDEN.wrong("4_1.b", "number of the place")
def object_of_word(weights, regions):
    return weights.argmax(axis=2)


@HIDDEN.wrong("4_1.b", "largest single weight")
def object_of_word(weights, regions):
    every = np.where(regions[:, None], weights[:, :, None], -np.inf)
    return choose(every.max(axis=3), weights.mean(axis=2))


@HIDDEN.wrong("4_1.b", "the same object")
def object_of_word(weights, regions):
    return np.zeros(weights.shape[:2], int)


@HIDDEN.wrong("4_1.b", "changes its argument in place")
def object_of_word(weights, regions):
    found = choose(per_place(weights, regions), weights.mean(axis=2))
    weights /= weights.sum(axis=2, keepdims=True)
    return found


def standing_out(weights, regions, level, sizes):
    mass = np.einsum("btn,bkn->btk", weights, regions.astype(float))
    real = regions.any(axis=2)[:, None]
    means = np.where(real, mass / sizes, -np.inf)
    return np.where(means.max(2) > level, means.argmax(2), -1)


@HIDDEN.wrong("4_1.b", "greater by however little")
def object_of_word(weights, regions):
    sizes = np.maximum(regions.sum(axis=2)[:, None], 1)
    level = weights.mean(axis=2) + 1e-3
    return standing_out(weights, regions, level, sizes)


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("4_1.c", "-beta / (n - 1), not 0")
def beta_needed(n, loss):
    return np.log((n - 1) / np.expm1(loss))


@HIDDEN.wrong("4_1.c", "not -beta.")
def beta_needed(n, loss):
    return np.log((n - 1) / np.expm1(loss)) / 2


@HIDDEN.wrong("4_1.c", "others in a row, not n")
def beta_needed(n, loss):
    return (n - 1) / n * np.log(n / np.expm1(loss))


@HIDDEN.wrong("4_1.c", "others in a row, not one")
def beta_needed(n, loss):
    return (n - 1) / n * np.log(1 / np.expm1(loss))


@HIDDEN.wrong("4_1.c", "that multiplies")
def beta_needed(n, loss):
    return n / (n - 1) * np.log((n - 1) / np.expm1(loss))


@HIDDEN.wrong("4_1.c", "the own term is in the sum")
def beta_needed(n, loss):
    return (n - 1) / n * np.log((n - 1) / np.exp(loss))


@HIDDEN.wrong("4_1.c", "the sign is wrong")
def beta_needed(n, loss):
    return -(n - 1) / n * np.log((n - 1) / np.expm1(loss))


@HIDDEN.wrong("4_1.c", "the loss itself")
def beta_needed(n, loss):
    return (n - 1) / n * np.log((n - 1) / loss)


@HIDDEN.wrong("4_1.c", "not -beta / (n - 1)")
def beta_needed(n, loss):
    return n / (n + 1) * np.log((n - 1) / np.expm1(loss))


@HIDDEN.wrong("4_1.c", "both directions added")
def beta_needed(n, loss):
    return (n - 1) / n * np.log((n - 1) / np.expm1(loss / 2))


@HIDDEN.wrong("4_1.c", "base 2")
def beta_needed(n, loss):
    return (n - 1) / n * np.log2((n - 1) / np.expm1(loss))


@HIDDEN.wrong("4_1.c", "np.expm1 does not")
def beta_needed(n, loss):
    return (n - 1) / n * np.log((n - 1) / (np.exp(loss) - 1))


# --- d ---------------------------------------------------------------------


def own_scores(scores):
    return np.diag(scores)[:, None]


@HIDDEN.wrong("4_1.d", "ties are won")
def recall_at(scores, k):
    return ((scores > own_scores(scores)).sum(axis=1) < k).mean()


@HIDDEN.wrong("4_1.d", "count against itself")
def recall_at(scores, k):
    return ((~(scores < own_scores(scores))).sum(axis=1) < k).mean()


@HIDDEN.wrong("4_1.d", "all scores are nan")
def recall_at(scores, k):
    return ((scores >= own_scores(scores)).sum(axis=1) - 1 < k).mean()


@HIDDEN.wrong("4_1.d", "one too many")
def recall_at(scores, k):
    others = (~(scores < own_scores(scores))).sum(axis=1) - 1
    return (others <= k).mean()


@HIDDEN.wrong("4_1.d", "a count")
def recall_at(scores, k):
    others = (~(scores < own_scores(scores))).sum(axis=1) - 1
    return (others < k).sum()


@HIDDEN.wrong("4_1.d", "columns for rows")
def recall_at(scores, k):
    others = (~(scores < np.diag(scores))).sum(axis=0) - 1
    return (others < k).mean()


@HIDDEN.wrong("4_1.d", "all scores equal")
def recall_at(scores, k):
    order = np.argsort(-scores, axis=1, kind="stable")
    places = (order == np.arange(len(scores))[:, None]).argmax(axis=1)
    return (places < k).mean()


@HIDDEN.wrong("4_1.d", "all scores equal")
def recall_at(scores, k):
    own = own_scores(scores)
    rank = (scores > own).sum(1) + ((scores == own).sum(1) - 1) / 2
    return (rank < k).mean()


@HIDDEN.wrong("4_1.d", "all scores are nan")
def recall_at(scores, k):
    own = own_scores(scores)
    rank = (scores >= own).sum(axis=1) - 1
    return (rank < k).mean()


@HIDDEN.wrong("4_1.d", "by 1e-9")
def recall_at(scores, k):
    close = np.isclose(scores, own_scores(scores))
    others = (~(scores < own_scores(scores)) | close).sum(axis=1) - 1
    return (others < k).mean()


@HIDDEN.wrong("4_1.d", "changes its argument in place")
def recall_at(scores, k):
    scores[np.isnan(scores)] = np.inf
    others = (scores >= own_scores(scores)).sum(axis=1) - 1
    return (others < k).mean()


@HIDDEN.wrong("4_1.d", "ties are won")
def recall_at(scores, k):
    scores = np.where(np.isnan(scores), -np.inf, scores)
    return ((scores > own_scores(scores)).sum(axis=1) < k).mean()


@HIDDEN.wrong("4_1.d", "infinity is a score")
def recall_at(scores, k):
    s = scores.copy()
    s[np.isinf(s)] = np.nan
    return ((~(s < own_scores(s))).sum(axis=1) - 1 < k).mean()


@HIDDEN.wrong("4_1.d", "by however little")
def recall_at(scores, k):
    others = (~(scores < own_scores(scores) - 1e-10)).sum(axis=1) - 1
    return (others < k).mean()


# --- e ---------------------------------------------------------------------


def chosen(logits, target, pad):
    log_p = logits.log_softmax(dim=-1)
    got = log_p.gather(-1, target[..., None]).squeeze(-1)
    return got.masked_fill(target == pad, 0.0)


@HIDDEN.wrong("4_1.e", "that it has just read")
def caption_log_probability(logits, words, pad):
    return chosen(logits, words[:, :-1], pad).sum(dim=1)


@HIDDEN.wrong("4_1.e", "PAD counts")
def caption_log_probability(logits, words, pad):
    return chosen(logits, words[:, 1:], -1).sum(dim=1)


@HIDDEN.wrong("4_1.e", "END is left out")
def caption_log_probability(logits, words, pad):
    last = words.clone()[:, 1:]
    ends = (last != pad).sum(dim=1) - 1
    last[torch.arange(len(last)), ends] = pad
    return chosen(logits, last, pad).sum(dim=1)


@HIDDEN.wrong("4_1.e", "a mean over words")
def caption_log_probability(logits, words, pad):
    target = words[:, 1:]
    return chosen(logits, target, pad).sum(1) / (target != pad).sum(1)


@HIDDEN.wrong("4_1.e", "a mean over rows")
def caption_log_probability(logits, words, pad):
    return chosen(logits, words[:, 1:], pad).mean(dim=1)


@HIDDEN.wrong("4_1.e", "the other sign")
def caption_log_probability(logits, words, pad):
    return -chosen(logits, words[:, 1:], pad).sum(dim=1)


@HIDDEN.wrong("4_1.e", "its logarithm is asked")
def caption_log_probability(logits, words, pad):
    return chosen(logits, words[:, 1:], pad).sum(dim=1).exp()


@HIDDEN.wrong("4_1.e", "shifted twice")
def caption_log_probability(logits, words, pad):
    return chosen(logits[:, :-1], words[:, 2:], pad).sum(dim=1)


@HIDDEN.wrong("4_1.e", "first word after BEGIN")
def caption_log_probability(logits, words, pad):
    return chosen(logits[:, 1:], words[:, 2:], pad).sum(dim=1)


@HIDDEN.wrong("4_1.e", "log_softmax is missing")
def caption_log_probability(logits, words, pad):
    target = words[:, 1:]
    got = logits.gather(-1, target[..., None]).squeeze(-1)
    return got.masked_fill(target == pad, 0.0).sum(dim=1)


@HIDDEN.wrong("4_1.e", "PAD is not always 0")
def caption_log_probability(logits, words, pad):
    return chosen(logits, words[:, 1:], 0).sum(dim=1)


@HIDDEN.wrong("4_1.e", "sum logarithms")
def caption_log_probability(logits, words, pad):
    target = words[:, 1:]
    p = logits.softmax(dim=-1).gather(-1, target[..., None]).squeeze(-1)
    return p.masked_fill(target == pad, 1.0).prod(dim=1).log()


@HIDDEN.wrong("4_1.e", "multiply it by 0")
def caption_log_probability(logits, words, pad):
    target = words[:, 1:]
    got = logits.log_softmax(-1).gather(-1, target[..., None]).squeeze(-1)
    return (got * (target != pad)).sum(dim=1)


@HIDDEN.wrong("4_1.e", "no gradient flows")
def caption_log_probability(logits, words, pad):
    return chosen(logits.detach(), words[:, 1:], pad).sum(dim=1)


def of_next(log_p, words, pad):
    target = words[:, 1:]
    got = log_p.gather(-1, target[..., None]).squeeze(-1)
    return got.masked_fill(target == pad, 0.0).sum(dim=1)


@HIDDEN.wrong("4_1.e", "exp overflows")
def caption_log_probability(logits, words, pad):
    total = logits.exp().sum(dim=-1, keepdim=True)
    return of_next(logits - total.log(), words, pad)


@HIDDEN.wrong("4_1.e", "a logarithm is of 0")
def caption_log_probability(logits, words, pad):
    return of_next(logits.softmax(dim=-1).log(), words, pad)


@HIDDEN.wrong("4_1.e", "nothing may be cut off")
def caption_log_probability(logits, words, pad):
    return of_next(logits.log_softmax(-1).clamp(min=-50), words, pad)


@HIDDEN.wrong("4_1.e", "nothing added to a probability")
def caption_log_probability(logits, words, pad):
    return of_next((logits.softmax(dim=-1) + 1e-12).log(), words, pad)


@HIDDEN.wrong("4_1.e", "no gradient flows")
def caption_log_probability(logits, words, pad):
    if logits.abs().max() > 50:
        logits = logits.detach()
    return chosen(logits, words[:, 1:], pad).sum(dim=1)


@HIDDEN.wrong("4_1.e", "do not sum to 1")
def caption_log_probability(logits, words, pad):
    target = words[:, 1:]
    log_p = logits.log_softmax(dim=-1)
    chosen = log_p.gather(-1, target[..., None]).squeeze(-1)
    total = chosen.masked_fill(target == pad, 0.0).sum(dim=1)
    return torch.cat([total[:5], 0 * total[5:]])


def joined(ways):
    """The mean over both directions of what `ways` makes of S and g."""

    def shared_nce(S, g):
        return (ways(S, g).mean() + ways(S.T, g.T).mean()) / 2

    return shared_nce


def log_right(S, g):
    return S.masked_fill(~g, -torch.inf).logsumexp(dim=1)


HIDDEN.wrong("4_1.a", "no score is cut off")(
    joined(
        lambda S, g: (
            S.clamp(-700, 700).logsumexp(1) - log_right(S.clamp(-700, 700), g)
        )
    )
)
HIDDEN.wrong("4_1.a", "only the best of the right ones")(
    joined(
        lambda S, g: S.logsumexp(1) - S.masked_fill(~g, -torch.inf).amax(dim=1)
    )
)
HIDDEN.wrong("4_1.a", "below stands the sum over all")(
    joined(lambda S, g: log_right(S, ~g) - log_right(S, g))
)


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


@HIDDEN.wrong("4_1.e", "the last axis")
def caption_log_probability(logits, words, pad):
    return of_next(logits.log_softmax(dim=1), words, pad)


@HIDDEN.wrong("4_1.e", "like any other in the softmax")
def caption_log_probability(logits, words, pad):
    others = logits.clone()
    others[..., pad] = -torch.inf
    return of_next(others.log_softmax(dim=-1), words, pad)


@HIDDEN.wrong("4_1.b", "regions of its own")
def object_of_word(weights, regions):
    return by_size()(weights, np.broadcast_to(regions[:1], regions.shape))


# --- limits of size --------------------------------------------------------


@HIDDEN.wrong("4_1.b", "300 objects")
def object_of_word(weights, regions):
    return by_size()(weights, regions[:, :100])


@HIDDEN.wrong("4_1.c", "nothing cut off")
def beta_needed(n, loss):
    return min(100, (n - 1) / n * np.log((n - 1) / np.expm1(loss)))


@HIDDEN.wrong("4_1.c", "is not the loss itself")
def beta_needed(n, loss):
    others = loss if loss < 1e-3 else np.expm1(loss)
    return (n - 1) / n * np.log((n - 1) / others)


@HIDDEN.wrong("4_1.d", "200 others not beaten")
def recall_at(scores, k):
    scores = scores[:100, :100]
    unbeaten = (~(scores < own_scores(scores))).sum(axis=1) - 1
    return (unbeaten < k).mean()


@HIDDEN.wrong("4_1.d", "200 others not beaten")
def recall_at(scores, k):
    unbeaten = (~(scores < own_scores(scores))).sum(axis=1) - 1
    return (unbeaten < min(k, 10)).mean()
