"""Hidden checks and known wrong answers of exercises 3.3.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden()


@HIDDEN.check("3_3.a", "random scores")
def span_anywhere(answer, rng, reference):
    n, most = int(rng.integers(5, 400)), int(rng.integers(1, 90))
    args = (*np.log(rng.uniform(size=(2, n))), most)
    agree(answer, reference, "span_in_one_pass", args, "random", 3)


@HIDDEN.check("3_3.a", "another limit")
def span_limited(answer, rng, reference):
    for most in (2, 3, 30):
        args = (*np.log(rng.uniform(size=(2, 25))), most)
        agree(answer, reference, "span_in_one_pass", args, "random", 3)


def texts(rng):
    i, j, w = rng.choice(np.arange(2, 30), 3, False)
    h, u = rng.normal(size=(i, w)), rng.normal(size=(j, w))
    return h, u, np.arange(i) < i - 1, np.arange(j) < j - 1


@HIDDEN.check("3_3.b", "random sizes")
def both_anywhere(answer, rng, reference):
    args = "coattention", texts(rng), "random"
    agree(answer, reference, *args, tolerance=1e-5)


@HIDDEN.check("3_3.b", "random gradients")
def both_gradient(answer, rng, reference):
    args = texts(rng)
    u = rng.normal(size=(len(args[0]), 2 * args[0].shape[1]))
    agree_in_gradient(answer, reference, "coattention", args, u, 1e-4)


@HIDDEN.check("3_3.c", "random scores")
def null_anywhere(answer, rng, reference):
    args = (
        rng.normal(size=rng.integers(1, 99)) * 5,
        float(rng.uniform(0.05, 0.95)),
    )
    agree(answer, reference, "null_score", args, "random")


def padded_scores(rng):
    b, n = rng.integers(1, 40, size=2)
    lengths = rng.integers(1, n + 1, size=b)
    may = np.arange(n) < lengths[:, None]
    return rng.normal(size=(b, n)) * 3, may, lengths - 1


@HIDDEN.check("3_3.d", "random scores")
def padding_anywhere(answer, rng, reference):
    agree(answer, reference, "start_loss", padded_scores(rng), "random")


@HIDDEN.check("3_3.d", "random gradients")
def padding_gradient(answer, rng, reference):
    args, u = padded_scores(rng), np.array(rng.normal())
    agree_in_gradient(answer, reference, "start_loss", args, u, 1e-4)


@HIDDEN.check("3_3.e", "random decisions")
def tuned_anywhere(answer, rng, reference):
    n = int(rng.integers(2, 200))
    answerable = rng.random(n) < 0.6
    right = answerable & (rng.random(n) < 0.7)
    odds = np.round(rng.normal(size=n) - right, 1)
    args = odds, right, answerable
    agree(answer, reference, "best_threshold_score", args, "random")


# --- a ---------------------------------------------------------------------


def table(s, e, allowed):
    """The best pair of a table, by whatever rule of places."""
    i, k = np.indices((len(s), len(e)))
    both = np.where(allowed(i, k), s[:, None] + e, -np.inf)
    first, last = divmod(int(both.argmax()), len(e))
    return first, last, both[first, last]


@HIDDEN.wrong("3_3.a", "were chosen apart")
def span_in_one_pass(s, e, most):
    first, last = int(s.argmax()), int(e.argmax())
    return first, last, s[first] + e[last]


@HIDDEN.wrong("3_3.a", "ends before it starts")
def span_in_one_pass(s, e, most):
    return table(s, e, lambda i, k: k < i + most)


@HIDDEN.wrong("3_3.a", "ends before it starts")
def span_in_one_pass(s, e, most):
    return table(s, e, lambda i, k: abs(k - i) < most)


@HIDDEN.wrong("3_3.a", "ends before it starts")
def span_in_one_pass(s, e, most):
    return table(s, e, lambda i, k: (i >= k) & (i < k + most))


@HIDDEN.wrong("3_3.a", "not the one after it")
def span_in_one_pass(s, e, most):
    first, last, p = table(s, e, lambda i, k: (i <= k) & (k < i + most))
    return first, last + 1, p


@HIDDEN.wrong("3_3.a", "count words from 0")
def span_in_one_pass(s, e, most):
    first, last, p = table(s, e, lambda i, k: (i <= k) & (k < i + most))
    return first + 1, last + 1, p


@HIDDEN.wrong("3_3.a", "in this order")
def span_in_one_pass(s, e, most):
    first, last, p = table(s, e, lambda i, k: (i <= k) & (k < i + most))
    return last, first, p


@HIDDEN.wrong("3_3.a", "a span may hold one word")
def span_in_one_pass(s, e, most):
    return table(s, e, lambda i, k: (i < k) & (k < i + most))


@HIDDEN.wrong("3_3.a", "has four words")
def span_in_one_pass(s, e, most):
    return table(s, e, lambda i, k: i <= k)


@HIDDEN.wrong("3_3.a", "has four words")
def span_in_one_pass(s, e, most):
    return table(s, e, lambda i, k: (i <= k) & (k <= i + most))


@HIDDEN.wrong("3_3.a", "one word too short")
def span_in_one_pass(s, e, most):
    return table(s, e, lambda i, k: (i <= k) & (k < i + max(most - 1, 1)))


@HIDDEN.wrong("3_3.a", "the best start was chosen first")
def span_in_one_pass(s, e, most):
    first = int(s.argmax())
    last = first + int(e[first : first + most].argmax())
    return first, last, s[first] + e[last]


@HIDDEN.wrong("3_3.a", "the best end was chosen first")
def span_in_one_pass(s, e, most):
    last = int(e.argmax())
    low = max(0, last - most + 1)
    first = low + int(s[low : last + 1].argmax())
    return first, last, s[first] + e[last]


@HIDDEN.wrong("3_3.a", "has four words")
def span_in_one_pass(s, e, most):
    best, start = (0, 0, -np.inf), 0  # the best start so far, limit forgotten
    for last in range(len(e)):
        start = last if s[last] > s[start] else start
        if s[start] + e[last] > best[2]:
            best = start, last, s[start] + e[last]
    return best


@HIDDEN.wrong("3_3.a", "probabilities were added")
def span_in_one_pass(s, e, most):
    rule = lambda i, k: (i <= k) & (k < i + most)  # noqa: E731
    first, last, _ = table(np.exp(s), np.exp(e), rule)
    return first, last, s[first] + e[last]


@HIDDEN.wrong("3_3.a", "its logarithm is asked")
def span_in_one_pass(s, e, most):
    first, last, p = table(s, e, lambda i, k: (i <= k) & (k < i + most))
    return first, last, np.exp(p)


@HIDDEN.wrong("3_3.a", "do not multiply them")
def span_in_one_pass(s, e, most):
    first, last, p = table(s, e, lambda i, k: (i <= k) & (k < i + most))
    return first, last, s[first] * e[last]


@HIDDEN.wrong("3_3.a", "changes its argument in place")
def span_in_one_pass(s, e, most):
    first, last, p = table(s, e, lambda i, k: (i <= k) & (k < i + most))
    s -= 1
    return first, last, p


@HIDDEN.wrong("3_3.a", "200 words")
def span_in_one_pass(s, e, most):
    s, e = s[:20], e[:20]
    return table(s, e, lambda i, k: (i <= k) & (k < i + most))


@HIDDEN.wrong("3_3.a", "cut no logarithm off")
def span_in_one_pass(s, e, most):
    s, e = np.maximum(s, -1e5), np.maximum(e, -1e5)
    return table(s, e, lambda i, k: (i <= k) & (k < i + most))


@HIDDEN.wrong("3_3.a", "try every start")
def span_in_one_pass(s, e, most):
    some = np.isin(np.arange(len(s)), np.argsort(-s, kind="stable")[:20])
    rule = lambda i, k: (i <= k) & (k < i + most) & some[i]  # noqa: E731
    return table(s, e, rule)


# --- b ---------------------------------------------------------------------


def parts(h, u, may_h, may_u, by=None, fill=-torch.inf):
    """The two weightings; `by` divides the scores."""
    s = h @ u.T / (by or h.shape[-1] ** 0.5)
    b = s.masked_fill(~may_h[:, None], fill).softmax(dim=0)
    return s.masked_fill(~may_u, fill).softmax(dim=1), b


def collect(a, b, h, u):
    return a @ torch.cat([u, b.T @ h], dim=-1)


@HIDDEN.wrong("3_3.b", "a softmax over the passage")
def coattention(h, u, may_h, may_u):
    _, b = parts(h, u, may_h, may_u)
    return collect(b, b, h, u)


@HIDDEN.wrong("3_3.b", "a softmax over the question")
def coattention(h, u, may_h, may_u):
    a, _ = parts(h, u, may_h, may_u)
    return collect(a, a, h, u)


@HIDDEN.wrong("3_3.b", "both softmaxes run over the wrong axis")
def coattention(h, u, may_h, may_u):
    a, b = parts(h, u, may_h, may_u)
    return collect(b, a, h, u)


@HIDDEN.wrong("3_3.b", "not divided by sqrt(w)")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h, may_u, by=1), h, u)


@HIDDEN.wrong("3_3.b", "divided by w, not by its root")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h, may_u, by=h.shape[1]), h, u)


@HIDDEN.wrong("3_3.b", "the root of the number of words")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h, may_u, by=len(h) ** 0.5), h, u)


@HIDDEN.wrong("3_3.b", "the half with u comes first")
def coattention(h, u, may_h, may_u):
    a, b = parts(h, u, may_h, may_u)
    return a @ torch.cat([b.T @ h, u], dim=-1)


@HIDDEN.wrong("3_3.b", "not u again")
def coattention(h, u, may_h, may_u):
    a, _ = parts(h, u, may_h, may_u)
    return torch.cat([a @ u, a @ u], dim=-1)


@HIDDEN.wrong("3_3.b", "words of the passage get weight")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h | True, may_u), h, u)


@HIDDEN.wrong("3_3.b", "words of the question get weight")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h, may_u | True), h, u)


@HIDDEN.wrong("3_3.b", "neither mask is used")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h | True, may_u | True), h, u)


@HIDDEN.wrong("3_3.b", "a mask is inverted")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, ~may_h, ~may_u), h, u)


@HIDDEN.wrong("3_3.b", "applied after the softmax")
def coattention(h, u, may_h, may_u):
    a, b = parts(h, u, may_h | True, may_u | True)
    return collect(a * may_u, b * may_h[:, None], h, u)


@HIDDEN.wrong("3_3.b", "padded scores are 0")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h, may_u, fill=0.0), h, u)


@HIDDEN.wrong("3_3.b", "the gradient of h, u")
def coattention(h, u, may_h, may_u):
    a, b = parts(h, u, may_h, may_u)
    return collect(a, b.detach(), h, u)


@HIDDEN.wrong("3_3.b", "the gradient of h, u")
def coattention(h, u, may_h, may_u):
    a, b = parts(h, u, may_h, may_u)
    return collect(a.detach(), b, h, u)


@HIDDEN.wrong("3_3.b", "the gradient of h")
def coattention(h, u, may_h, may_u):
    a, b = parts(h, u, may_h, may_u)
    return collect(a, b, h.detach(), u)


@HIDDEN.wrong("3_3.b", "shape (3, 8) expected")
def coattention(h, u, may_h, may_u):
    a, b = parts(h, u, may_h, may_u)
    return torch.cat([h, collect(a, b, h, u)], dim=-1)


@HIDDEN.wrong("3_3.b", "changes its argument in place")
def coattention(h, u, may_h, may_u):
    h /= h.shape[-1] ** 0.5
    return collect(*parts(h, u, may_h, may_u, by=1), h, u)


@HIDDEN.wrong("3_3.b", "minus infinity, not some low number")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h, may_u, fill=-1e5), h, u)


@HIDDEN.wrong("3_3.b", "in reverse order")
def coattention(h, u, may_h, may_u):
    out = collect(*parts(h, u, may_h, may_u), h, u)
    return torch.cat([out[:5], 0 * out[5:]])


@HIDDEN.wrong("3_3.b", "whatever w is")
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h, may_u, by=2), h, u)


# --- c ---------------------------------------------------------------------


def log_sum(scores):
    return scores.max() + np.log(np.exp(scores - scores.max()).sum())


@HIDDEN.wrong("3_3.c", "its logarithm is asked")
def null_score(scores, p):
    return np.exp(scores).sum() * p / (1 - p)


@HIDDEN.wrong("3_3.c", "all words compete")
def null_score(scores, p):
    return scores.max() + np.log(p / (1 - p))


@HIDDEN.wrong("3_3.c", "stands against all of them")
def null_score(scores, p):
    return scores.mean() + np.log(p / (1 - p))


@HIDDEN.wrong("3_3.c", "the scores matter")
def null_score(scores, p):
    return np.log(len(scores)) + np.log(p / (1 - p))


@HIDDEN.wrong("3_3.c", "right for equal scores only")
def null_score(scores, p):
    return scores.mean() + np.log(len(scores)) + np.log(p / (1 - p))


@HIDDEN.wrong("3_3.c", "p makes no difference")
def null_score(scores, p):
    return log_sum(scores)


@HIDDEN.wrong("3_3.c", "upside down")
def null_score(scores, p):
    return log_sum(scores) + np.log((1 - p) / p)


@HIDDEN.wrong("3_3.c", "in the denominator too")
def null_score(scores, p):
    return log_sum(scores) + np.log(p)


@HIDDEN.wrong("3_3.c", "that uses 1 - p only")
def null_score(scores, p):
    return log_sum(scores) + np.log(1 - p)


@HIDDEN.wrong("3_3.c", "not the logarithm of its odds")
def null_score(scores, p):
    return log_sum(scores) + p


@HIDDEN.wrong("3_3.c", "adds the odds")
def null_score(scores, p):
    return log_sum(scores) + p / (1 - p)


@HIDDEN.wrong("3_3.c", "overflows or vanishes")
def null_score(scores, p):
    return np.log(np.exp(scores).sum()) + np.log(p / (1 - p))


@HIDDEN.wrong("3_3.c", "the mean of the exponentials")
def null_score(scores, p):
    return log_sum(scores) - np.log(len(scores)) + np.log(p / (1 - p))


@HIDDEN.wrong("3_3.c", "nor added to p")
def null_score(scores, p):
    top = scores.max()
    odds = (p + 1e-9) / (1 - p + 1e-9)
    return top + np.log(np.exp(scores - top).sum()) + np.log(odds)


@HIDDEN.wrong("3_3.c", "large scores are cut off")
def null_score(scores, p):
    scores = np.clip(scores, -1000, 1000)
    top = scores.max()
    return top + np.log(np.exp(scores - top).sum()) + np.log(p / (1 - p))


# --- d ---------------------------------------------------------------------


def at(log_p, gold):
    return log_p[torch.arange(len(gold)), gold]


@HIDDEN.wrong("3_3.d", "exp(0) = 1: it takes its share")
def start_loss(scores, may, gold):
    return -at((scores * may).log_softmax(dim=-1), gold).mean()


@HIDDEN.wrong("3_3.d", "exp(0) = 1: it takes its share")
def start_loss(scores, may, gold):
    return -at(scores.masked_fill(~may, 0.0).log_softmax(dim=-1), gold).mean()


@HIDDEN.wrong("3_3.d", "the mask is not used")
def start_loss(scores, may, gold):
    return -at(scores.log_softmax(dim=-1), gold).mean()


@HIDDEN.wrong("3_3.d", "the mask is not used")
def start_loss(scores, may, gold):
    p = scores.softmax(dim=-1) * may
    return -at(p.log(), gold).mean()


@HIDDEN.wrong("3_3.d", "the mask is inverted")
def start_loss(scores, may, gold):
    log_p = scores.masked_fill(may, -torch.inf).log_softmax(dim=-1)
    return -at(log_p, gold).mean()


@HIDDEN.wrong("3_3.d", "the sum over the batch")
def start_loss(scores, may, gold):
    log_p = scores.masked_fill(~may, -torch.inf).log_softmax(dim=-1)
    return -at(log_p, gold).sum()


@HIDDEN.wrong("3_3.d", "the loss is minus it")
def start_loss(scores, may, gold):
    log_p = scores.masked_fill(~may, -torch.inf).log_softmax(dim=-1)
    return at(log_p, gold).mean()


@HIDDEN.wrong("3_3.d", "that is the mean of p")
def start_loss(scores, may, gold):
    p = scores.masked_fill(~may, -torch.inf).softmax(dim=-1)
    return at(p, gold).mean()


@HIDDEN.wrong("3_3.d", "the logarithm of the mean of p")
def start_loss(scores, may, gold):
    p = scores.masked_fill(~may, -torch.inf).softmax(dim=-1)
    return -at(p, gold).mean().log()


@HIDDEN.wrong("3_3.d", "the softmax runs over the batch")
def start_loss(scores, may, gold):
    log_p = scores.masked_fill(~may, -torch.inf).log_softmax(dim=0)
    return -at(log_p, gold).mean()


@HIDDEN.wrong("3_3.d", "a padded word still counts")
def start_loss(scores, may, gold):
    log_p = scores.masked_fill(~may, -100.0).log_softmax(dim=-1)
    return -at(log_p, gold).mean()


@HIDDEN.wrong("3_3.d", "a padded word still counts")
def start_loss(scores, may, gold):
    p = scores.softmax(dim=-1) * may  # renormalised, after it vanished
    p = p / p.sum(dim=-1, keepdim=True)
    return -at(p.log(), gold).mean()


@HIDDEN.wrong("3_3.d", "no gradient flows")
def start_loss(scores, may, gold):
    log_p = scores.masked_fill(~may, -torch.inf).log_softmax(dim=-1)
    return torch.tensor(-at(log_p, gold).mean().item(), dtype=scores.dtype)


@HIDDEN.wrong("3_3.d", "is detached on the way")
def start_loss(scores, may, gold):
    s = scores.masked_fill(~may, -torch.inf)
    log_p = scores - s.logsumexp(dim=-1, keepdim=True).detach()
    return -at(log_p, gold).mean()


@HIDDEN.wrong("3_3.d", "changes its argument in place")
def start_loss(scores, may, gold):
    scores[~may] = -torch.inf
    return -at(scores.log_softmax(dim=-1), gold).mean()


@HIDDEN.wrong("3_3.d", "nothing is cut off")
def start_loss(scores, may, gold):
    log_p = scores.clamp(-100, 100).masked_fill(~may, -torch.inf)
    return -log_p.log_softmax(-1)[torch.arange(len(gold)), gold].mean()


@HIDDEN.wrong("3_3.d", "nothing is added to p")
def start_loss(scores, may, gold):
    p = scores.masked_fill(~may, -torch.inf).softmax(-1)
    return -(p + 1e-9).log()[torch.arange(len(gold)), gold].mean()


@HIDDEN.wrong("3_3.d", "minus infinity, not some low number")
def start_loss(scores, may, gold):
    log_p = scores.masked_fill(~may, -1e5).log_softmax(-1)
    return -log_p[torch.arange(len(gold)), gold].mean()


@HIDDEN.wrong("3_3.d", "each alone")
def start_loss(scores, may, gold):
    log_p = scores.masked_fill(~may, -torch.inf).log_softmax(-1)
    return -log_p[torch.arange(len(gold)), gold].sum() / max(len(gold), 2)


# --- e ---------------------------------------------------------------------


def best(odds, right, unanswered, thresholds, answered=np.less_equal):
    return max(
        np.where(answered(odds, t), right, unanswered).mean()
        for t in thresholds
    )


@HIDDEN.wrong("3_3.e", "try all thresholds")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, ~answerable, [0.0])


@HIDDEN.wrong("3_3.e", "not their share")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, ~answerable, [-np.inf, *odds]) * len(odds)


@HIDDEN.wrong("3_3.e", "its score is asked")
def best_threshold_score(odds, right, answerable):
    scores = [best(odds, right, ~answerable, [t]) for t in odds]
    return odds[int(np.argmax(scores))]


@HIDDEN.wrong("3_3.e", "upside down")
def best_threshold_score(odds, right, answerable):
    there = [-np.inf, *odds]
    return best(odds, right, ~answerable, there, np.greater_equal)


@HIDDEN.wrong("3_3.e", "upside down")
def best_threshold_score(odds, right, answerable):
    there = [-np.inf, *odds]
    return best(odds, right, ~answerable, there, np.greater)


@HIDDEN.wrong("3_3.e", "so low that no question")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, ~answerable, odds)


@HIDDEN.wrong("3_3.e", "so high that all")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, ~answerable, odds, np.less)


@HIDDEN.wrong("3_3.e", "is right if it has no answer")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, np.zeros(len(odds)), [-np.inf, *odds])


@HIDDEN.wrong("3_3.e", "is wrong if it has an answer")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, np.ones(len(odds)), [-np.inf, *odds])


@HIDDEN.wrong("3_3.e", "is wrong if it has an answer")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, ~right, [-np.inf, *odds])


@HIDDEN.wrong("3_3.e", "all answered or all not")
def best_threshold_score(odds, right, answerable):
    """One question after the other, of equal odds the right ones first."""
    score = top = (~answerable).sum()
    for k in np.lexsort((~right, odds)):
        score += int(right[k]) - int(not answerable[k])
        top = max(top, score)
    return top / len(odds)


@HIDDEN.wrong("3_3.e", "set prediction to one of")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, ~answerable, [-np.inf, *odds])


HIDDEN.wrong_answers[-1].names = {"prediction": "perhaps"}


@HIDDEN.wrong("3_3.e", "no number is low enough for all odds")
def best_threshold_score(odds, right, answerable):
    cuts = [-1e5, *odds]
    return max(np.where(odds <= t, right, ~answerable).mean() for t in cuts)


# --- beyond small sizes ----------------------------------------------------


def span(says, most_of=lambda m: m, words=9999, begin=-np.inf, key=lambda x: x):
    """The right search, but for a limit."""

    def span_in_one_pass(s, e, most):
        top = (0, 0, begin)
        for last in range(min(len(e), words)):
            low = max(0, last - most_of(most) + 1)
            first = low + int(np.argmax(key(s[low : last + 1])))
            if s[first] + e[last] > top[2]:
                top = first, last, s[first] + e[last]
        return top

    HIDDEN.wrong("3_3.a", says)(span_in_one_pass)


span("neither the words nor `most`", lambda m: min(m, 64))
span("neither the words nor `most`", lambda m: m if m < 100 else 9999)
span("neither the words nor `most`", words=500)
span("begin with minus infinity", begin=-1e9)
span("do not round", key=lambda s: np.round(s, 4))


def both(says, scores=lambda s: s, weights=lambda a: a, root=99):
    """The right coattention, but for its scores or weights."""

    def coattention(h, u, may_h, may_u):
        s = scores(h @ u.T / min(h.shape[-1], root) ** 0.5)
        b = s.masked_fill(~may_h[:, None], -torch.inf).softmax(0)
        a = s.masked_fill(~may_u, -torch.inf).softmax(1)
        a, b = weights(a), weights(b)
        return a @ torch.cat([u, b.T @ h], dim=-1)

    HIDDEN.wrong("3_3.b", says)(coattention)


both("are cut off", scores=lambda s: s.clamp(max=1500))
both("are cut off", weights=lambda a: torch.where(a > 1e-6, a, 0))
both("whatever w is", root=32)


def null(says, change=lambda s: s, odds=lambda p: np.log(p / (1 - p))):
    """The right null, but for the scores or the odds."""

    def null_score(scores, p):
        s = change(scores)
        return s.max() + np.log(np.exp(s - s.max()).sum()) + odds(p)

    HIDDEN.wrong("3_3.c", says)(null_score)


null("are they cut off?", lambda s: s.clip(-1e4, 1e4))
null("do all count", lambda s: s[:512])
null("do all count", lambda s: s.clip(min=s.max() - 15))
null("nothing is cut off", odds=lambda p: np.log(max(p, 1e-15) / (1 - p)))


def loss(says, scores=lambda s: s, logs=lambda x: x, seen=lambda may: may):
    """The right loss, but for its scores, their logarithms or the mask."""

    def start_loss(scores_, may, gold):
        s = scores(scores_).masked_fill(~seen(may), -torch.inf)
        log_p = logs(s.log_softmax(dim=-1))
        return -log_p[torch.arange(len(gold)), gold].mean()

    HIDDEN.wrong("3_3.d", says)(start_loss)


for low in (-1000, -1e5, -1e7):
    loss("no logarithm is cut off", logs=lambda x, low=low: x.clamp(min=low))
loss("no score", scores=lambda s: s.clamp(-1e4, 1e4))
loss("do all count", seen=lambda may: may & (torch.arange(len(may.T)) < 64))
loss(
    "with padding in front",
    seen=lambda may: torch.arange(len(may.T)) < may.sum(1, keepdim=True),
)


@HIDDEN.wrong("3_3.e", "every threshold tried")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, ~answerable, [-np.inf, *odds[:50]])


@HIDDEN.wrong("3_3.e", "compare them exactly")
def best_threshold_score(odds, right, answerable):
    odds = odds.astype(np.float32)
    return best(odds, right, ~answerable, [-np.inf, *odds])


@HIDDEN.wrong("3_3.e", "no number is low enough for all odds")
def best_threshold_score(odds, right, answerable):
    return best(odds, right, ~answerable, [-1e30, *odds])
