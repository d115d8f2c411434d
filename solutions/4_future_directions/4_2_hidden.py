"""Hidden checks and known wrong answers of exercises 4.2.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree

HIDDEN = Hidden(globals())


def scene(rng):
    b, h, n, d = (int(x) for x in rng.permutation([2, 3, 11, 4]))
    q, t = rng.normal(size=(b, h, d)) * 2, rng.normal(size=(b, n, d)) * 2
    return q, t, rng.random((b, n)) < 0.6, rng.normal(size=d)


HIDDEN.agrees(
    "4_2.a", "look_or_nothing", title="random worlds", tolerance=1e-5
)(scene)


HIDDEN.agrees(
    "4_2.a",
    "look_or_nothing",
    title="random gradients",
    gradient=True,
    tolerance=1e-5,
)(scene)


@HIDDEN.agrees("4_2.b", "policy_push", title="random policies", tolerance=1e-5)
def push_anywhere(rng):
    b, k = int(rng.integers(1, 7)), int(rng.integers(2, 9))
    z, u = rng.normal(size=(b, k)) * 3, rng.integers(0, k, b)
    return z, u, rng.normal(size=b), float(rng.random())


@HIDDEN.check("4_2.c", "random policies")
def baseline_anywhere(answer, rng, reference):
    k = int(rng.integers(2, 9))
    p = rng.dirichlet(np.ones(k)) * 0.9 + 0.1 / k
    args = p, rng.normal(size=k) * 5
    agree(answer, reference, "best_baseline", args, "random", tolerance=1e-5)


@HIDDEN.agrees("4_2.d", "paid_rewards", title="random practice")
def paid_anywhere(rng):
    t, b = int(rng.integers(1, 25)), int(rng.integers(1, 15))
    far = rng.integers(0, 14, size=(t + 1, b)).astype(float)
    args = rng.normal(size=(t, b)), far, rng.random((t, b)) < 0.4
    args += float(rng.random()), float(rng.random())
    return args


@HIDDEN.agrees("4_2.e", "success_rate", title="random episodes")
def rate_anywhere(rng):
    shape = int(rng.integers(1, 25)), int(rng.integers(1, 30))
    ended = rng.random(shape) < rng.choice([0.1, 0.4])
    return ended & (rng.random(shape) < 0.5), ended


# --- a ---------------------------------------------------------------------


def with_nothing(t, real, nothing):
    rows = torch.cat([nothing.expand(len(t), 1, -1), t], dim=1)
    return rows, torch.cat([torch.ones_like(real[:, :1]), real], dim=1)


def scores(q, rows, may, over=None):
    s = q @ rows.mT / (over or q.shape[-1] ** 0.5)
    return s.masked_fill(~may[:, None], -torch.inf)


HIDDEN.mutants("4_2.a", None, [
    ([("first, t", "first, t[:, :100]"), ("real]", "real[:, :100]]"),
      ("s_bij = s_bij.masked_fill(~may[:, None], -torch.inf)\n    return s_bij",
       "return s_bij.masked_fill(~may[:, None], -torch.inf)")], "300 slots"),
])  # fmt: skip
HIDDEN.mutants("4_2.a", """
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may | True).softmax(dim=-1) @ rows
""", [
    ([], "the mask is not used"),
    ([("(t, real, nothing)", "(t, ~real, nothing)"), (" | True", "")],
     "the mask is inverted"),
    ([("rows, may = with_nothing(t, real, nothing)\n    ", ""),
      ("(q, rows, may | True).softmax(dim=-1) @ rows",
       "(q, t, real).softmax(dim=-1) @ t")], "the nothing is missing"),
    ([(" | True", ""), ("@ rows", "[..., 1:] @ t")],
     "its row is not in the sum"),
    ([("return scores(q, rows, may | True)",
       "some = real.any(dim=1)\n    out = scores(q, rows, may)"), ("@ rows",
       "@ rows\n    return torch.where(some[:, None, None], out, torch.nan)")],
     "the nothing must be looked at then"),
    ("return scores(q, rows, may | True)",
     "may = torch.cat([~real.any(dim=1, keepdim=True), real], dim=1)\n"
     "    return scores(q, rows, may)", "masked out where something is there"),
    ([("return", "a ="), ("@ rows", "* may[:, None]\n    return a @ rows")],
     "applied after the softmax"),
    ([("return", "s ="), (".softmax", "* may[:, None]\n    return s.softmax")],
     "an empty slot has the score 0"),
    ("return scores(q, rows, may | True)",
     "s = scores(q, rows, may)\n"
     "    s = torch.cat([0 * s[..., :1], s[..., 1:]], dim=-1)\n"
     "    return s", "the nothing has the score 0"),
    ([(" | True", ""), ("(dim=-1)", "(dim=1).nan_to_num(0)")],
     "runs over queries"),
    ("| True", ", 1.0", "not divided by sqrt(d)"),
    ("| True", ", q.shape[-1]", "divided by d, not by its root"),
    ("| True", ", q.shape[1] ** 0.5", "root of the number of queries"),
    ([("return", "s ="), (".softmax(dim=-1)", "* may[:, None]\n    return s")],
     "there is no softmax"),
    ([("return", "e ="), ("| True).softmax(dim=-1",
       ").exp()\n    return e / e.sum(dim=-1, keepdim=True")], "exp overflows"),
    ([(" | True", ""), ("@ rows", ".detach() @ rows")], "gradient of q"),
    ([("(t, real, nothing)", "(t, real, nothing.detach())"), (" | True", "")],
     "gradient of nothing"),
    ([("return",
       "keys, _ = with_nothing(t, real, nothing.detach())\n    return"),
      ("rows, may | True", "keys, may")], "gradient of nothing"),
    ([("\n    rows", "\n    t[~real] = 0\n    rows"), (" | True", "")],
     "changes its argument in place"),
    ([("return", "s ="),
      ("softmax", "masked_fill(~may[:, None], -30.0)\n    return s.softmax")],
     "masks nothing then; use -infinity"),
    ([("return", "s ="),
      ("softmax", "masked_fill(~may[:, None], -1e4)\n    return s.softmax")],
     "masks nothing then; use -infinity"),
    ("return scores(q, rows, may | True).",
     "s = scores(q, rows, may | True).clamp(-30, 30)\n"
     "    return s.masked_fill(~may[:, None], -torch.inf).",
     "do not cut scores off"),
    ([("(t, real, nothing)", "(t[:, :8], real[:, :8], nothing)"),
      (" | True", "")], "the first slots only"),
    ([("return", "s = q @ rows.mT / q.shape[-1] ** 0.5\n    return"),
      ("scores(q, rows, may | True)", "s.masked_fill(~may[:, None], -1e5)")],
     "minus infinity, not some low number"),
    ("| True", ", over=2", "whatever d is"),
])  # fmt: skip


# --- b ---------------------------------------------------------------------


def policy(logits, axis=1):
    z = logits - logits.max(axis=axis, keepdims=True)
    return np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)


def pushes(logits, actions):
    b, k = logits.shape
    z = logits - logits.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    p = np.exp(logp)
    h = -(p * logp).sum(axis=1, keepdims=True)
    return np.eye(k)[actions], p, logp, h, b


HIDDEN.mutants("4_2.b", None, [
    ([(", k = logits.shape\n    logp", ""),
      ("axis=1, keepdims=True)\n    logp = logp - np.log(np.exp(logp",
       ")\n    logp = b - np.log(np.exp(b"), ("(k)", "(p.shape[1])"),
      ("/ b", "/ len(p)")], "that of each row"),
    ([(", k = logits.shape\n    logp = logits - logits.max(axis=1",
       "= np.clip(logits, -1000"),
      ("keepdims=True)\n    logp = logp - np.log(np.exp(logp",
       "705)\n    logp = b - np.log(np.exp(b"), ("(k)", "(p.shape[1])"),
      ("/ b", "/ len(p)")], "subtract the largest"),
])  # fmt: skip
HIDDEN.mutants("4_2.b", """
def policy_push(logits, actions, advantage, beta):
    p = policy(logits, axis=0)
    h = -(p * np.log(p)).sum(axis=1, keepdims=True)
    hit = np.eye(p.shape[1])[actions]
    actor = advantage[:, None] * (hit - p)
    return (actor - beta * p * (np.log(p) + h)) / len(p)
""", [
    ([], "runs over rows"),
    ([("policy(logits,", "np.exp(logits) / np.exp(logits).sum("),
      ("0", "1, keepdims=True")], "subtract the largest logit first"),
    (", axis=0", "", "never take the logarithm of a pi that is 0"),
])  # fmt: skip
HIDDEN.mutants("4_2.b", """
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) - p * (logp + h)) / b
""", [
    ([("return", "return -"), ("p *", "beta * p *")], "gradient for descent"),
    ("(advantage[:, None] * (hit - p) - p * (logp + h)) / b",
     "advantage[:, None] * (hit - p) - beta * p * (logp + h)",
     "that is the sum over rows"),
    ([("p *", "beta * p *"), ("/ b", "/ p.size")], "divided by b k"),
    ("(hit - p) -", "hit - beta *", "the part - pi is missing"),
    ("- p *", "* hit - beta * p *", "only the action taken is pushed"),
    ("return (advantage[:, None] * (hit - p) -",
     "chosen = (p * hit).sum(axis=1, keepdims=True)\n"
     "    actor = advantage[:, None] * chosen * (hit - p)\n"
     "    return (actor - beta *", "gradient of pi, not of log pi"),
    ("advantage[:, None] * (hit - p) -", "hit - p - beta *",
     "the advantage is not used"),
    ([("return", "a ="), ("[:, None] * (hit - p) -",
       "- advantage.mean())[:, None]\n    return (a * (hit - p) - beta *")],
     "have been centred"),
    ("return (advantage[:, None] * (hit - p) -",
     "a = (advantage - advantage.mean()) / (advantage.std() + 1e-8)\n"
     "    return (a[:, None] * (hit - p) - beta *", "have been scaled"),
    ("- p *", "+ beta * p *", "beta has the wrong sign"),
    ([("h,", "logp,"), ("(advantage[:, None] * (hit - p) - p * (logp + h))",
       "advantage[:, None] * (hit - p)")],
     "the entropy has no gradient in yours"),
    ("p * (logp + h)", "beta * p * logp", "H is missing"),
    ([("p *", "beta * p *"), ("+ h", "+ 1")], "the softmax's own part"),
    ([("p *", "beta *"), ("+ h", "+ 1")], "gradient by pi, not by the logits"),
    ("p *", "beta *", "the factor pi is missing"),
    ([("return (advantage[:, None] * (hit - p) -",
       "actor = advantage[:, None] * (hit - p)\n    return (actor - beta *"),
      ("+ h", "+ h.mean()")], "H is taken over all rows together"),
    ([], "beta is not used"),
    ([("\n    hit",
       "\n    logits -= logits.max(axis=1, keepdims=True)\n    hit"),
      ("p *", "beta * p *")], "changes its argument in place"),
    ([("(logits, actions)", "(np.clip(logits, -1000, 705), actions)"),
      ("p *", "beta * p *")], "cut logits off"),
    ([("(logits, actions)", "(np.minimum(logits, 705), actions)"),
      ("p *", "beta * p *")], "cut large logits off"),
    ([("\n    hit",
       "\n    if len(logits) == 1:\n        return logits * np.nan\n    hit"),
      ("p *", "beta * p *")], "it is a batch, too"),
    (", p, logp, h, b = pushes(logits, actions)\n"
     "    return (advantage[:, None] * (hit - p) - p * (logp + h)) / b",
     "= pushed(lambda p: np.log(p + 1e-300), abs)\n"
     "    return hit(logits, actions, advantage, beta)", "beta = -5"),
    ([(", p, logp, h, b = pushes",
       "= pushed(lambda p: np.log(p + 1e-300))\n    return hit"),
      (")\n    return (advantage[:, None] * (hit - p) - p * (logp + h)) / b",
       ", advantage.clip(-1000, 1000), beta)")], "it is not cut off"),
])  # fmt: skip


@HIDDEN.wrong("4_2.b", "the mean over rows is taken twice")
def policy_push(logits, actions, advantage, beta):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    logp = np.log(np.maximum(p, 1e-300))
    h = -(p * logp).sum(axis=1, keepdims=True)
    hit = np.eye(p.shape[1])[actions]
    part = beta * p * (logp + h) / len(p)
    return (advantage[:, None] * (hit - p) - part) / len(p)


# --- c ---------------------------------------------------------------------


def weighed(weights, returns):
    return (weights * returns).sum() / weights.sum()


def length2(p):
    return 1 - 2 * p + (p**2).sum()


HIDDEN.mutants("4_2.c", """
def best_baseline(p, returns):
    return weighed(length2(p), returns)
""", [
    ("weighed(length2(p), returns)", "(p * returns).sum()",
     "that is the expected return"),
    ("weighed(length2(p), returns)", "returns.mean()", "plain mean"),
    ("length2(p)", "p * np.sqrt(length2(p))", "is to be squared"),
    ([], "the probabilities are missing"),
    ("weighed(length2(p), returns)", "(p * length2(p) * returns).sum()",
     "the sum below is missing"),
    ("(p)", "(p) / p", "importance weights are not asked"),
    ("length2(p)", "p**2", "pi squared"),
    ("length2(p)", "p * (1 - p) ** 2", "the row has other entries, too"),
    ("length2(p)", "p * (1 - p)", "that takes 1 - pi_y"),
    ("length2(p)", "p * (1 - 2 * p - (p**2).sum())", "has + sum pi^2"),
    ("weighed(", "-weighed(p *", "the sign is wrong"),
    ("return weighed(", "p = np.clip(p, 0.012, None)\n    return weighed(p *",
     "do not raise small pi"),
    ("weighed(length2(p), returns)", "baseline()(p, returns.clip(-1000))",
     "no return is cut off"),
])  # fmt: skip

# --- d ---------------------------------------------------------------------

HIDDEN.mutants("4_2.d", None, [
    ([("before =", "before, after ="),
      ("\n    after = np.where(ended, 0, -scale * distances[1:])",
       ", -scale * distances[1:]")], "not that of the next world"),
    ([("-scale * distances[:-1]",
       "np.concatenate([np.zeros_like(ended[:1]), ended[:-1]])"),
      ("ended, 0", "before, 0"), ("- before", "+ scale * distances[:-1]")],
     "one step too late"),
    ([("-scale * distances[:-1]",
       "np.concatenate([ended[1:], np.zeros_like(ended[:1])])"),
      ("ended, 0", "before, 0"), ("- before", "+ scale * distances[:-1]")],
     "one step too early"),
    ([("= -scale", "= scale"), ("after = np.where(ended, 0, -",
       "distances[1:][ended] = 0\n    return rewards - gamma *"),
      (")\n    return rewards + gamma * after -", "+")],
     "changes its argument in place"),
    ([("before =", "if len(ended) > 8:\n        ended ="),
      ("-scale * distances[:-1]", "ended.copy()\n        ended[-1, -1] = True"),
      ("- before", "+ scale * distances[:-1]")], "than `ended` says"),
    ([("before =", "if len(ended) > 8:\n        ended ="),
      ("-scale * distances[:-1]", "ended.copy()\n        ended[-1] = True"),
      ("- before", "+ scale * distances[:-1]")], "unless `ended` says so"),
])  # fmt: skip
HIDDEN.mutants("4_2.d", """
def paid_rewards(rewards, distances, ended, gamma, scale):
    after = np.where(ended, 0, -scale * distances[1:])
    return rewards + after + scale * distances[:-1]
""", [
    ([("after = np.where(ended, 0, -scale * distances[1:])",
       "before, after = -scale * distances[:-1], -scale * distances[1:]"),
      ("after + scale * distances[:-1]", "(gamma * after - before) * ~ended")],
     "nothing is paid at all"),
    ([("1:", ":-1"), ("+ after + scale * distances[:-1]",
       "- gamma * scale * distances[1:] - after")],
     "only the one after it does"),
    ([("0, -scale * distances[1:]", "-scale * distances[1:], 0"),
      ("after +", "gamma * after +")], "is the condition inverted"),
    ([], "gamma is missing"),
    ([("0, -", "0,"), ("after +", "gamma * after -")], "the sign is wrong"),
    ("rewards +", "gamma *", "the rewards themselves are lost"),
    ("after + scale * distances[:-1]",
     "gamma * (after + scale * distances[:-1])",
     "gamma is the factor of the potential after"),
    ("after +", "0.99 * after +", "use gamma"),
    ("after +", "min(gamma, 0.99) * after +",
     "neither distances nor rewards nor gamma"),
    ("after +", "max(gamma, 0.5) * after +", "both are used as they are"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def firsts(reached, ended):
    return reached[ended.argmax(axis=0), np.arange(reached.shape[1])]


HIDDEN.mutants("4_2.e", """
def success_rate(reached, ended):
    return reached[0].mean()
""", [
    ("[0].mean()", ".sum() / ended.sum()", "every episode counts"),
    ("[0]", ".any(axis=0)", "counts as won in yours if any"),
    ([("reached[0]", "firsts(reached, ended)"),
      ("mean()", "sum() / ended.any(axis=0).sum()")], "divide by all worlds"),
    ("[0]", "", "share per step"),
    ("[0].mean()", ".sum() / reached.shape[1]", "mean number of arrivals"),
    ("reached[0]", "1 - firsts(reached, ended)", "rate of failure"),
    ([("0", "last, np.arange(reached.shape[1])"), ("return",
       "last = len(ended) - 1 - ended[::-1].argmax(axis=0)\n    return")],
     "last end"),
    ([], "one step of all"),
    ([("return", "if not ended.any():\n        return"),
      ("reached[0]", "np.nan\n    return firsts(reached, ended)")], "not nan"),
    ([("return", "if len(ended) > 8:\n        reached, ended ="),
      ("[0]", "[:-1], ended[:-1]\n    return firsts(reached, ended)")],
     "with the last step of all; it counts"),
    ("return reached[0]",
     "before = ended.cumsum(axis=0, dtype=np.int8) - ended\n"
     "    return (reached & (before == 0)).any(axis=0)",
     "begins again after 255"),
    ([("0", "first, np.arange(reached.shape[1])"),
      ("return", "first = ended[:100].argmax(axis=0)\n    return")],
     "not only the first ones"),
])  # fmt: skip


def pushed(log=np.log, change=lambda beta: beta):
    """The right push, but for the logarithm of pi, or for beta."""

    def policy_push(logits, actions, advantage, beta):
        b, k = logits.shape
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = p / p.sum(axis=1, keepdims=True)
        logp = log(p)
        entropy = -(p * logp).sum(axis=1, keepdims=True)
        actor = advantage[:, None] * (np.eye(k)[actions] - p)
        return (actor - change(beta) * p * (logp + entropy)) / b

    return policy_push


HIDDEN.wrong("4_2.b", "small pi")(pushed(lambda p: np.log(p + 1e-9)))
HIDDEN.wrong("4_2.b", "small pi")(pushed(lambda p: np.log(p.clip(1e-8))))
HIDDEN.wrong("4_2.b", "use beta")(
    pushed(lambda p: np.log(p + 1e-300), lambda beta: 0.01)
)


def baseline(length2=lambda x: x, of=lambda p: p):
    """The right baseline, but for the length or for pi."""

    def best_baseline(p, returns):
        p = of(p)
        weights = p * length2(1 - 2 * p + (p**2).sum())
        return (weights * returns).sum() / weights.sum()

    return best_baseline


HIDDEN.wrong("4_2.c", "there is no floor")(baseline(of=lambda p: p.clip(1e-8)))
HIDDEN.wrong("4_2.c", "squared once")(baseline(lambda x: x**2))
HIDDEN.wrong("4_2.c", "no softmax")(
    baseline(of=lambda p: np.exp(p) / np.exp(p).sum())
)
