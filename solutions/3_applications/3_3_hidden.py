"""Hidden checks and known wrong answers of exercises 3.3.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(globals())


@HIDDEN.agrees("3_3.a", "span_in_one_pass", title="random scores", parts=3)
def span_anywhere(rng):
    n, most = int(rng.integers(5, 400)), int(rng.integers(1, 90))
    return *np.log(rng.uniform(size=(2, n))), most


@HIDDEN.agrees("3_3.a", "span_in_one_pass", title="another limit", parts=3)
def span_limited(rng):
    for most in (2, 3, 30):
        yield (*np.log(rng.uniform(size=(2, 25))), most)


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


@HIDDEN.agrees("3_3.c", "null_score", title="random scores")
def null_anywhere(rng):
    args = (
        rng.normal(size=rng.integers(1, 99)) * 5,
        float(rng.uniform(0.05, 0.95)),
    )
    return args


def padded_scores(rng):
    b, n = rng.integers(1, 40, size=2)
    lengths = rng.integers(1, n + 1, size=b)
    may = np.arange(n) < lengths[:, None]
    return rng.normal(size=(b, n)) * 3, may, lengths - 1


HIDDEN.agrees("3_3.d", "start_loss", title="random scores")(padded_scores)


@HIDDEN.check("3_3.d", "random gradients")
def padding_gradient(answer, rng, reference):
    args, u = padded_scores(rng), np.array(rng.normal())
    agree_in_gradient(answer, reference, "start_loss", args, u, 1e-4)


@HIDDEN.agrees("3_3.e", "best_threshold_score", title="random decisions")
def tuned_anywhere(rng):
    n = int(rng.integers(2, 200))
    answerable = rng.random(n) < 0.6
    right = answerable & (rng.random(n) < 0.7)
    odds = np.round(rng.normal(size=n) - right, 1)
    return odds, right, answerable


# --- a ---------------------------------------------------------------------


def table(s, e, allowed):
    """The best pair of a table, by whatever rule of places."""
    i, k = np.indices((len(s), len(e)))
    both = np.where(allowed(i, k), s[:, None] + e, -np.inf)
    first, last = divmod(int(both.argmax()), len(e))
    return first, last, both[first, last]


HIDDEN.mutants("3_3.a", """
def span_in_one_pass(s, e, most):
    return table(s, e, lambda i, k: i <= k)
""", [
    ("i <= k", "k < i + most", "ends before it starts"),
    ("i <= k)", "abs(k - i) < most)", "ends before it starts"),
    ("i <= k)", "(i >= k) & (i < k + most))", "ends before it starts"),
    ("i <= k)", "(i < k) & (k < i + most))", "a span may hold one word"),
    ([], "has four words"),
    ("i <= k)", "(i <= k) & (k <= i + most))", "has four words"),
    ("i <= k)", "(i <= k) & (k < i + max(most - 1, 1)))", "one word too short"),
    ([("\n    return", "\n    s, e = s[:20], e[:20]\n    return"),
      ("i <= k)", "(i <= k) & (k < i + most))")], "200 words"),
    ([("\n    return",
       "\n    s, e = np.maximum(s, -1e5), np.maximum(e, -1e5)\n    return"),
      ("i <= k)", "(i <= k) & (k < i + most))")], "cut no logarithm off"),
])  # fmt: skip
HIDDEN.mutants("3_3.a", """
def span_in_one_pass(s, e, most):
    first, last, p = table(s, e, lambda i, k: (i <= k) & (k < i + most))
    return first, last, s[first] * e[last]
""", [
    ([(", p = table(s, e, lambda i, k: (i <= k) & (k < i + most))",
       "= int(s.argmax()), int(e.argmax())"), ("* e", "+ e")],
     "were chosen apart"),
    (", s[first] * e[last]", "+ 1, p", "not the one after it"),
    (", last, s[first] * e[last]", "+ 1, last + 1, p", "count words from 0"),
    ("first, last, s[first] * e[last]", "last, first, p", "in this order"),
    ([(", last, p = table(s,", "= int(s.argmax())\n    last = first + int("),
      (", lambda i, k: (i <= k) & (k < i + most)",
       "[first : first + most].argmax()"), ("* e", "+ e")],
     "the best start was chosen first"),
    ([("first, last, p",
       "last = int(e.argmax())\n    low = max(0, last - most + 1)\n    first"),
      ("table(s, e, lambda i, k: (i <= k) & (k < i + most))",
       "low + int(s[low : last + 1].argmax())"), ("* e", "+ e")],
     "the best end was chosen first"),
    ([("first, last, p = table(s, e,", "rule ="), ("most))",
       "most)\n    first, last, _ = table(np.exp(s), np.exp(e), rule)"),
      ("* e", "+ e")], "probabilities were added"),  # noqa: E731
    ("s[first] * e[last]", "np.exp(p)", "its logarithm is asked"),
    ([], "do not multiply them"),
    ([("return", "s -= 1\n    return"), ("s[first] * e[last]", "p")],
     "changes its argument in place"),
])  # fmt: skip


@HIDDEN.wrong("3_3.a", "has four words")
def span_in_one_pass(s, e, most):
    best, start = (0, 0, -np.inf), 0  # the best start so far, limit forgotten
    for last in range(len(e)):
        start = last if s[last] > s[start] else start
        if s[start] + e[last] > best[2]:
            best = start, last, s[start] + e[last]
    return best


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


HIDDEN.mutants("3_3.b", """
def coattention(h, u, may_h, may_u):
    a, _ = parts(h, u, may_h, may_u)
    return collect(a, a, h, u)
""", [
    ("a, _", "_, a", "a softmax over the passage"),
    ([], "a softmax over the question"),
    ("a, a", "_, a", "both softmaxes run over the wrong axis"),
    ("collect(a, a, h, u)", "a @ torch.cat([_.T @ h, u], dim=-1)",
     "the half with u comes first"),
    ("collect(a, a, h, u)", "torch.cat([a @ u, a @ u], dim=-1)", "not u again"),
    ([(", may_u)\n    ", "| True, may_u | True)\n    "),
      ("a, a", "a * may_u, _ * may_h[:, None]")], "applied after the softmax"),
    ("a, h", "_.detach(), h", "the gradient of h, u"),
    ("a, a", "a.detach(), _", "the gradient of h, u"),
    ("a, h", "_, h.detach()", "the gradient of h"),
    ("collect(a, a, h, u)", "torch.cat([h, collect(a, _, h, u)], dim=-1)",
     "shape (3, 8) expected"),
])  # fmt: skip
HIDDEN.mutants("3_3.b", """
def coattention(h, u, may_h, may_u):
    return collect(*parts(h, u, may_h, may_u, by=1), h, u)
""", [
    ([], "not divided by sqrt(w)"),
    ("1", "h.shape[1]", "divided by w, not by its root"),
    ("1", "len(h) ** 0.5", "the root of the number of words"),
    (", may_u, by=1", "| True, may_u", "words of the passage get weight"),
    (", by=1", "| True", "words of the question get weight"),
    (", may_u, by=1", "| True, may_u | True", "neither mask is used"),
    ("may_h, may_u, by=1", "~may_h, ~may_u", "a mask is inverted"),
    ("by=1", "fill=0.0", "padded scores are 0"),
    ("\n    return", "\n    h /= h.shape[-1] ** 0.5\n    return",
     "changes its argument in place"),
    ("by=1", "fill=-1e5", "minus infinity, not some low number"),
    ([("return", "out ="), (", by=1), h, u)",
       "), h, u)\n    return torch.cat([out[:5], 0 * out[5:]])")],
     "in reverse order"),
    ("1", "2", "whatever w is"),
])  # fmt: skip


# --- c ---------------------------------------------------------------------


def log_sum(scores):
    return scores.max() + np.log(np.exp(scores - scores.max()).sum())


HIDDEN.mutants("3_3.c", """
def null_score(scores, p):
    return scores.mean() + np.log(len(scores)) + np.log(p / (1 - p))
""", [
    ("scores.mean() + np.log(len(scores)) + np.log(p / (1 - p))",
     "np.exp(scores).sum() * p / (1 - p)", "its logarithm is asked"),
    ("mean() + np.log(len(scores))", "max()", "all words compete"),
    ("len(scores)) + np.log(", "", "stands against all of them"),
    (" scores.mean() +", "", "the scores matter"),
    ([], "right for equal scores only"),
    ("scores.mean() + np.log(len(scores)) + np.log(p / (1 - p))",
     "log_sum(scores)", "p makes no difference"),
    ([("scores.mean()", "log_sum(scores)"),
      ("(len(scores)) + np.log(p / (1 - p))", "((1 - p) / p)")], "upside down"),
    ([("scores.mean() + np.log(len(scores))", "log_sum(scores)"),
      ("(p / (1 - p))", "(p)")], "in the denominator too"),
    ("scores.mean() + np.log(len(scores)) + np.log(p / (1 - p))",
     "log_sum(scores) + np.log(1 - p)", "that uses 1 - p only"),
    ("scores.mean() + np.log(len(scores)) + np.log(p / (1 - p))",
     "log_sum(scores) + p", "not the logarithm of its odds"),
    ("scores.mean() + np.log(len(scores)) + np.log(p / (1 - p))",
     "log_sum(scores) + p / (1 - p)", "adds the odds"),
    ([(" scores.mean() +", ""), ("len(scores)", "np.exp(scores).sum()")],
     "overflows or vanishes"),
    ("scores.mean() +", "log_sum(scores) -", "the mean of the exponentials"),
    ([("return", "top ="), ("mean()",
       "max()\n    odds = (p + 1e-9) / (1 - p + 1e-9)\n    return top"),
      ("(len(scores)) + np.log(p / (1 - p))",
       "(np.exp(scores - top).sum()) + np.log(odds)")], "nor added to p"),
    ([("return", "scores = np.clip(scores, -1000, 1000)\n    top ="),
      ("mean() + np.log(len(scores))",
       "max()\n    return top + np.log(np.exp(scores - top).sum())")],
     "large scores are cut off"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def at(log_p, gold):
    return log_p[torch.arange(len(gold)), gold]


HIDDEN.mutants("3_3.d", None, [
    ([("scores.", "scores.clamp(-100, 100)."), (".log_softmax(dim=-1)", ""),
      ("-log_p", "-log_p.log_softmax(-1)")], "nothing is cut off"),
    ([("log_softmax(dim=-1)", "softmax(-1)"),
      ("-log_p", "-(log_p + 1e-9).log()")], "nothing is added to p"),
    ([("torch.inf", "1e5"), ("dim=", "")],
     "minus infinity, not some low number"),
    ([("dim=", ""), ("mean()", "sum() / max(len(gold), 2)")], "each alone"),
])  # fmt: skip
HIDDEN.mutants("3_3.d", """
def start_loss(scores, may, gold):
    log_p = scores.masked_fill(~may, -torch.inf).log_softmax(dim=-1)
    return at(log_p, gold).mean()
""", [
    ("log_p = scores.masked_fill(~may, -torch.inf).log_softmax(dim=-1)\n"
     "    return at(log_p, gold)",
     "return -at((scores * may).log_softmax(dim=-1), gold)",
     "exp(0) = 1: it takes its share"),
    ([("log_p =", "return -at("), ("-torch.inf", "0.0"),
      ("\n    return at(log_p", "")], "exp(0) = 1: it takes its share"),
    ("log_p = scores.masked_fill(~may, -torch.inf).log_softmax(dim=-1)\n"
     "    return at(log_p, gold)",
     "return -at(scores.log_softmax(dim=-1), gold)", "the mask is not used"),
    ([("masked_fill(~may, -torch.inf).log_softmax(dim=-1)",
       "softmax(dim=-1) * may"), ("at(log_p, gold)", "-at(log_p.log(), gold)")],
     "the mask is not used"),
    ([("~may", "may"), ("at", "-at")], "the mask is inverted"),
    ([("at", "-at"), ("mean", "sum")], "the sum over the batch"),
    ([], "the loss is minus it"),
    ("log_softmax", "softmax", "that is the mean of p"),
    ([("log_softmax(dim=-1)\n    return", "softmax(dim=-1)\n    return -"),
      ("mean()", "mean().log()")], "the logarithm of the mean of p"),
    ([("-1", "0"), ("at", "-at")], "the softmax runs over the batch"),
    ([("torch.inf", "100.0"), ("at", "-at")], "a padded word still counts"),
    # renormalised, after it vanished
    ([("log_p =", "p ="), ("masked_fill(~may, -torch.inf).log_softmax(dim=-1)",
       "softmax(dim=-1) * may\n    p = p / p.sum(dim=-1, keepdim=True)"),
      ("at(log_p, gold)", "-at(p.log(), gold)")], "a padded word still counts"),
    ("at(log_p, gold).mean()",
     "torch.tensor(-at(log_p, gold).mean().item(), dtype=scores.dtype)",
     "no gradient flows"),
    ([("log_p =", "s ="), (".log_softmax(dim=-1)",
       "\n    log_p = scores - s.logsumexp(dim=-1, keepdim=True).detach()"),
      ("at", "-at")], "is detached on the way"),
    ([("log_p = scores.masked_fill(~may, -torch.inf)",
       "scores[~may] = -torch.inf\n    return -at(scores"),
      ("\n    return at(log_p", "")], "changes its argument in place"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def best(odds, right, unanswered, thresholds, answered=np.less_equal):
    return max(
        np.where(answered(odds, t), right, unanswered).mean()
        for t in thresholds
    )


HIDDEN.mutants("3_3.e", """
def best_threshold_score(odds, right, answerable):
    return best(odds, right, ~answerable, [-np.inf, *odds])
""", [
    ("-np.inf, *odds", "0.0", "try all thresholds"),
    ("odds])", "odds]) * len(odds)", "not their share"),
    ("return best(odds, right, ~answerable, [-np.inf, *odds])",
     "scores = [best(odds, right, ~answerable, [t]) for t in odds]\n"
     "    return odds[int(np.argmax(scores))]", "its score is asked"),
    ([("[-np.inf, *odds]", "there, np.greater_equal"),
      ("return", "there = [-np.inf, *odds]\n    return")], "upside down"),
    ([("[-np.inf, *odds]", "there, np.greater"),
      ("return", "there = [-np.inf, *odds]\n    return")], "upside down"),
    ("[-np.inf, *odds]", "odds", "so low that no question"),
    ("[-np.inf, *odds]", "odds, np.less", "so high that all"),
    ("~answerable", "np.zeros(len(odds))", "is right if it has no answer"),
    ("~answerable", "np.ones(len(odds))", "is wrong if it has an answer"),
    ("answerable,", "right,", "is wrong if it has an answer"),
    ([("return", "cuts = [-1e5, *odds]\n    return"),
      ("best(odds, right, ~answerable, [-np.inf, *odds])",
       "max(np.where(odds <= t, right, ~answerable).mean() for t in cuts)")],
     "no number is low enough for all odds"),
    ("*odds", "*odds[:50]", "every threshold tried"),
    ("\n    return", "\n    odds = odds.astype(np.float32)\n    return",
     "compare them exactly"),
    ("np.inf", "1e30", "no number is low enough for all odds"),
])  # fmt: skip


@HIDDEN.wrong("3_3.e", "all answered or all not")
def best_threshold_score(odds, right, answerable):
    """One question after the other, of equal odds the right ones first."""
    score = top = (~answerable).sum()
    for k in np.lexsort((~right, odds)):
        score += int(right[k]) - int(not answerable[k])
        top = max(top, score)
    return top / len(odds)


HIDDEN.mutants("3_3.e", 'prediction = "perhaps"', [
    ([], "set prediction to one of"),
])  # fmt: skip


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
