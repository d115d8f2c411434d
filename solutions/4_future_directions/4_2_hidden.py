"""Hidden checks and known wrong answers of exercises 4.2.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden()


def scene(rng):
    b, h, n, d = (int(x) for x in rng.permutation([2, 3, 11, 4]))
    q, t = rng.normal(size=(b, h, d)) * 2, rng.normal(size=(b, n, d)) * 2
    return q, t, rng.random((b, n)) < 0.6, rng.normal(size=d)


@HIDDEN.check("4_2.a", "random worlds")
def nothing_anywhere(answer, rng, reference):
    agree(
        answer,
        reference,
        "look_or_nothing",
        scene(rng),
        "random",
        tolerance=1e-5,
    )


@HIDDEN.check("4_2.a", "random gradients")
def nothing_gradient(answer, rng, reference):
    args = scene(rng)
    u = rng.normal(size=args[0].shape)
    agree_in_gradient(
        answer, reference, "look_or_nothing", args, u, tolerance=1e-5
    )


@HIDDEN.check("4_2.b", "random policies")
def push_anywhere(answer, rng, reference):
    b, k = int(rng.integers(1, 7)), int(rng.integers(2, 9))
    z, u = rng.normal(size=(b, k)) * 3, rng.integers(0, k, b)
    args = z, u, rng.normal(size=b), float(rng.random())
    agree(answer, reference, "policy_push", args, "random", tolerance=1e-5)


@HIDDEN.check("4_2.c", "random policies")
def baseline_anywhere(answer, rng, reference):
    k = int(rng.integers(2, 9))
    p = rng.dirichlet(np.ones(k)) * 0.9 + 0.1 / k
    args = p, rng.normal(size=k) * 5
    agree(answer, reference, "best_baseline", args, "random", tolerance=1e-5)


@HIDDEN.check("4_2.d", "random practice")
def paid_anywhere(answer, rng, reference):
    t, b = int(rng.integers(1, 25)), int(rng.integers(1, 15))
    far = rng.integers(0, 14, size=(t + 1, b)).astype(float)
    args = rng.normal(size=(t, b)), far, rng.random((t, b)) < 0.4
    args += float(rng.random()), float(rng.random())
    agree(answer, reference, "paid_rewards", args, "random")


@HIDDEN.check("4_2.e", "random episodes")
def rate_anywhere(answer, rng, reference):
    shape = int(rng.integers(1, 25)), int(rng.integers(1, 30))
    ended = rng.random(shape) < rng.choice([0.1, 0.4])
    args = ended & (rng.random(shape) < 0.5), ended
    agree(answer, reference, "success_rate", args, "random")


# --- a ---------------------------------------------------------------------


def with_nothing(t, real, nothing):
    rows = torch.cat([nothing.expand(len(t), 1, -1), t], dim=1)
    return rows, torch.cat([torch.ones_like(real[:, :1]), real], dim=1)


def scores(q, rows, may, over=None):
    s = q @ rows.mT / (over or q.shape[-1] ** 0.5)
    return s.masked_fill(~may[:, None], -torch.inf)


@HIDDEN.wrong("4_2.a", "the mask is not used")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may | True).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "the mask is inverted")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, ~real, nothing)
    return scores(q, rows, may).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "the nothing is missing")
def look_or_nothing(q, t, real, nothing):
    return scores(q, t, real).softmax(dim=-1) @ t


@HIDDEN.wrong("4_2.a", "its row is not in the sum")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may).softmax(dim=-1)[..., 1:] @ t


@HIDDEN.wrong("4_2.a", "the nothing must be looked at then")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    some = real.any(dim=1)
    out = scores(q, rows, may).softmax(dim=-1) @ rows
    return torch.where(some[:, None, None], out, torch.nan)


@HIDDEN.wrong("4_2.a", "masked out where something is there")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    may = torch.cat([~real.any(dim=1, keepdim=True), real], dim=1)
    return scores(q, rows, may).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "applied after the softmax")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    a = scores(q, rows, may | True).softmax(dim=-1) * may[:, None]
    return a @ rows


@HIDDEN.wrong("4_2.a", "an empty slot has the score 0")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    s = scores(q, rows, may | True) * may[:, None]
    return s.softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "the nothing has the score 0")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    s = scores(q, rows, may)
    s = torch.cat([0 * s[..., :1], s[..., 1:]], dim=-1)
    return s.softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "runs over queries")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may).softmax(dim=1).nan_to_num(0) @ rows


@HIDDEN.wrong("4_2.a", "not divided by sqrt(d)")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may, 1.0).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "divided by d, not by its root")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may, q.shape[-1]).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "root of the number of queries")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may, q.shape[1] ** 0.5).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "there is no softmax")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    s = scores(q, rows, may | True) * may[:, None]
    return s @ rows


@HIDDEN.wrong("4_2.a", "exp overflows")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    e = scores(q, rows, may).exp()
    return e / e.sum(dim=-1, keepdim=True) @ rows


@HIDDEN.wrong("4_2.a", "gradient of q")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may).softmax(dim=-1).detach() @ rows


@HIDDEN.wrong("4_2.a", "gradient of nothing")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing.detach())
    return scores(q, rows, may).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "gradient of nothing")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    keys, _ = with_nothing(t, real, nothing.detach())
    return scores(q, keys, may).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "changes its argument in place")
def look_or_nothing(q, t, real, nothing):
    t[~real] = 0
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "masks nothing then; use -infinity")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    s = scores(q, rows, may | True).masked_fill(~may[:, None], -30.0)
    return s.softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "masks nothing then; use -infinity")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    s = scores(q, rows, may | True).masked_fill(~may[:, None], -1e4)
    return s.softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "do not cut scores off")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    s = scores(q, rows, may | True).clamp(-30, 30)
    return s.masked_fill(~may[:, None], -torch.inf).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "the first slots only")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t[:, :8], real[:, :8], nothing)
    return scores(q, rows, may).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "minus infinity, not some low number")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    s = q @ rows.mT / q.shape[-1] ** 0.5
    return s.masked_fill(~may[:, None], -1e5).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.a", "whatever d is")
def look_or_nothing(q, t, real, nothing):
    rows, may = with_nothing(t, real, nothing)
    return scores(q, rows, may, over=2).softmax(dim=-1) @ rows


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


@HIDDEN.wrong("4_2.b", "gradient for descent")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return -(advantage[:, None] * (hit - p) - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "that is the sum over rows")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return advantage[:, None] * (hit - p) - beta * p * (logp + h)


@HIDDEN.wrong("4_2.b", "divided by b k")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) - beta * p * (logp + h)) / p.size


@HIDDEN.wrong("4_2.b", "the part - pi is missing")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return (advantage[:, None] * hit - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "only the action taken is pushed")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) * hit - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "gradient of pi, not of log pi")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    chosen = (p * hit).sum(axis=1, keepdims=True)
    actor = advantage[:, None] * chosen * (hit - p)
    return (actor - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "the advantage is not used")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return (hit - p - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "have been centred")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    a = (advantage - advantage.mean())[:, None]
    return (a * (hit - p) - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "have been scaled")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    a = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    return (a[:, None] * (hit - p) - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "runs over rows")
def policy_push(logits, actions, advantage, beta):
    p = policy(logits, axis=0)
    h = -(p * np.log(p)).sum(axis=1, keepdims=True)
    hit = np.eye(p.shape[1])[actions]
    actor = advantage[:, None] * (hit - p)
    return (actor - beta * p * (np.log(p) + h)) / len(p)


@HIDDEN.wrong("4_2.b", "beta has the wrong sign")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) + beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "the entropy has no gradient in yours")
def policy_push(logits, actions, advantage, beta):
    hit, p, _, _, b = pushes(logits, actions)
    return advantage[:, None] * (hit - p) / b


@HIDDEN.wrong("4_2.b", "H is missing")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, _, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) - beta * p * logp) / b


@HIDDEN.wrong("4_2.b", "the softmax's own part")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, _, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) - beta * p * (logp + 1)) / b


@HIDDEN.wrong("4_2.b", "gradient by pi, not by the logits")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, _, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) - beta * (logp + 1)) / b


@HIDDEN.wrong("4_2.b", "the factor pi is missing")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) - beta * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "H is taken over all rows together")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    actor = advantage[:, None] * (hit - p)
    return (actor - beta * p * (logp + h.mean())) / b


@HIDDEN.wrong("4_2.b", "beta is not used")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) - p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "subtract the largest logit first")
def policy_push(logits, actions, advantage, beta):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    h = -(p * np.log(p)).sum(axis=1, keepdims=True)
    hit = np.eye(p.shape[1])[actions]
    actor = advantage[:, None] * (hit - p)
    return (actor - beta * p * (np.log(p) + h)) / len(p)


@HIDDEN.wrong("4_2.b", "never take the logarithm of a pi that is 0")
def policy_push(logits, actions, advantage, beta):
    p = policy(logits)
    h = -(p * np.log(p)).sum(axis=1, keepdims=True)
    hit = np.eye(p.shape[1])[actions]
    actor = advantage[:, None] * (hit - p)
    return (actor - beta * p * (np.log(p) + h)) / len(p)


@HIDDEN.wrong("4_2.b", "changes its argument in place")
def policy_push(logits, actions, advantage, beta):
    logits -= logits.max(axis=1, keepdims=True)
    hit, p, logp, h, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "that of each row")
def policy_push(logits, actions, advantage, beta):
    z = logits - logits.max()
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    p = np.exp(logp)
    h = -(p * logp).sum(axis=1, keepdims=True)
    actor = advantage[:, None] * (np.eye(p.shape[1])[actions] - p)
    return (actor - beta * p * (logp + h)) / len(p)


@HIDDEN.wrong("4_2.b", "subtract the largest")
def policy_push(logits, actions, advantage, beta):
    z = np.clip(logits, -1000, 705)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    p = np.exp(logp)
    h = -(p * logp).sum(axis=1, keepdims=True)
    actor = advantage[:, None] * (np.eye(p.shape[1])[actions] - p)
    return (actor - beta * p * (logp + h)) / len(p)


@HIDDEN.wrong("4_2.b", "cut logits off")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(np.clip(logits, -1000, 705), actions)
    return (advantage[:, None] * (hit - p) - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "cut large logits off")
def policy_push(logits, actions, advantage, beta):
    hit, p, logp, h, b = pushes(np.minimum(logits, 705), actions)
    return (advantage[:, None] * (hit - p) - beta * p * (logp + h)) / b


@HIDDEN.wrong("4_2.b", "it is a batch, too")
def policy_push(logits, actions, advantage, beta):
    if len(logits) == 1:
        return logits * np.nan
    hit, p, logp, h, b = pushes(logits, actions)
    return (advantage[:, None] * (hit - p) - beta * p * (logp + h)) / b


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


@HIDDEN.wrong("4_2.c", "that is the expected return")
def best_baseline(p, returns):
    return (p * returns).sum()


@HIDDEN.wrong("4_2.c", "plain mean")
def best_baseline(p, returns):
    return returns.mean()


@HIDDEN.wrong("4_2.c", "is to be squared")
def best_baseline(p, returns):
    return weighed(p * np.sqrt(length2(p)), returns)


@HIDDEN.wrong("4_2.c", "the probabilities are missing")
def best_baseline(p, returns):
    return weighed(length2(p), returns)


@HIDDEN.wrong("4_2.c", "the sum below is missing")
def best_baseline(p, returns):
    return (p * length2(p) * returns).sum()


@HIDDEN.wrong("4_2.c", "importance weights are not asked")
def best_baseline(p, returns):
    return weighed(length2(p) / p, returns)


@HIDDEN.wrong("4_2.c", "pi squared")
def best_baseline(p, returns):
    return weighed(p**2, returns)


@HIDDEN.wrong("4_2.c", "the row has other entries, too")
def best_baseline(p, returns):
    return weighed(p * (1 - p) ** 2, returns)


@HIDDEN.wrong("4_2.c", "that takes 1 - pi_y")
def best_baseline(p, returns):
    return weighed(p * (1 - p), returns)


@HIDDEN.wrong("4_2.c", "has + sum pi^2")
def best_baseline(p, returns):
    return weighed(p * (1 - 2 * p - (p**2).sum()), returns)


@HIDDEN.wrong("4_2.c", "the sign is wrong")
def best_baseline(p, returns):
    return -weighed(p * length2(p), returns)


@HIDDEN.wrong("4_2.c", "do not raise small pi")
def best_baseline(p, returns):
    p = np.clip(p, 0.012, None)
    return weighed(p * length2(p), returns)


# --- d ---------------------------------------------------------------------


@HIDDEN.wrong("4_2.d", "not that of the next world")
def paid_rewards(rewards, distances, ended, gamma, scale):
    before, after = -scale * distances[:-1], -scale * distances[1:]
    return rewards + gamma * after - before


@HIDDEN.wrong("4_2.d", "nothing is paid at all")
def paid_rewards(rewards, distances, ended, gamma, scale):
    before, after = -scale * distances[:-1], -scale * distances[1:]
    return rewards + (gamma * after - before) * ~ended


@HIDDEN.wrong("4_2.d", "only the one after it does")
def paid_rewards(rewards, distances, ended, gamma, scale):
    before = np.where(ended, 0, -scale * distances[:-1])
    return rewards - gamma * scale * distances[1:] - before


@HIDDEN.wrong("4_2.d", "is the condition inverted")
def paid_rewards(rewards, distances, ended, gamma, scale):
    after = np.where(ended, -scale * distances[1:], 0)
    return rewards + gamma * after + scale * distances[:-1]


@HIDDEN.wrong("4_2.d", "one step too late")
def paid_rewards(rewards, distances, ended, gamma, scale):
    late = np.concatenate([np.zeros_like(ended[:1]), ended[:-1]])
    after = np.where(late, 0, -scale * distances[1:])
    return rewards + gamma * after + scale * distances[:-1]


@HIDDEN.wrong("4_2.d", "one step too early")
def paid_rewards(rewards, distances, ended, gamma, scale):
    early = np.concatenate([ended[1:], np.zeros_like(ended[:1])])
    after = np.where(early, 0, -scale * distances[1:])
    return rewards + gamma * after + scale * distances[:-1]


@HIDDEN.wrong("4_2.d", "gamma is missing")
def paid_rewards(rewards, distances, ended, gamma, scale):
    after = np.where(ended, 0, -scale * distances[1:])
    return rewards + after + scale * distances[:-1]


@HIDDEN.wrong("4_2.d", "the sign is wrong")
def paid_rewards(rewards, distances, ended, gamma, scale):
    after = np.where(ended, 0, scale * distances[1:])
    return rewards + gamma * after - scale * distances[:-1]


@HIDDEN.wrong("4_2.d", "the rewards themselves are lost")
def paid_rewards(rewards, distances, ended, gamma, scale):
    after = np.where(ended, 0, -scale * distances[1:])
    return gamma * after + scale * distances[:-1]


@HIDDEN.wrong("4_2.d", "gamma is the factor of the potential after")
def paid_rewards(rewards, distances, ended, gamma, scale):
    after = np.where(ended, 0, -scale * distances[1:])
    return rewards + gamma * (after + scale * distances[:-1])


@HIDDEN.wrong("4_2.d", "changes its argument in place")
def paid_rewards(rewards, distances, ended, gamma, scale):
    before = scale * distances[:-1]
    distances[1:][ended] = 0
    return rewards - gamma * scale * distances[1:] + before


@HIDDEN.wrong("4_2.d", "than `ended` says")
def paid_rewards(rewards, distances, ended, gamma, scale):
    if len(ended) > 8:
        ended = ended.copy()
        ended[-1, -1] = True
    after = np.where(ended, 0, -scale * distances[1:])
    return rewards + gamma * after + scale * distances[:-1]


@HIDDEN.wrong("4_2.d", "unless `ended` says so")
def paid_rewards(rewards, distances, ended, gamma, scale):
    if len(ended) > 8:
        ended = ended.copy()
        ended[-1] = True
    after = np.where(ended, 0, -scale * distances[1:])
    return rewards + gamma * after + scale * distances[:-1]


# --- e ---------------------------------------------------------------------


def firsts(reached, ended):
    return reached[ended.argmax(axis=0), np.arange(reached.shape[1])]


@HIDDEN.wrong("4_2.e", "every episode counts")
def success_rate(reached, ended):
    return reached.sum() / ended.sum()


@HIDDEN.wrong("4_2.e", "counts as won in yours if any")
def success_rate(reached, ended):
    return reached.any(axis=0).mean()


@HIDDEN.wrong("4_2.e", "divide by all worlds")
def success_rate(reached, ended):
    return firsts(reached, ended).sum() / ended.any(axis=0).sum()


@HIDDEN.wrong("4_2.e", "share per step")
def success_rate(reached, ended):
    return reached.mean()


@HIDDEN.wrong("4_2.e", "mean number of arrivals")
def success_rate(reached, ended):
    return reached.sum() / reached.shape[1]


@HIDDEN.wrong("4_2.e", "rate of failure")
def success_rate(reached, ended):
    return 1 - firsts(reached, ended).mean()


@HIDDEN.wrong("4_2.e", "last end")
def success_rate(reached, ended):
    last = len(ended) - 1 - ended[::-1].argmax(axis=0)
    return reached[last, np.arange(reached.shape[1])].mean()


@HIDDEN.wrong("4_2.e", "one step of all")
def success_rate(reached, ended):
    return reached[0].mean()


@HIDDEN.wrong("4_2.e", "not nan")
def success_rate(reached, ended):
    if not ended.any():
        return np.nan
    return firsts(reached, ended).mean()


@HIDDEN.wrong("4_2.e", "with the last step of all; it counts")
def success_rate(reached, ended):
    if len(ended) > 8:
        reached, ended = reached[:-1], ended[:-1]
    return firsts(reached, ended).mean()


@HIDDEN.wrong("4_2.e", "begins again after 255")
def success_rate(reached, ended):
    before = ended.cumsum(axis=0, dtype=np.int8) - ended
    return (reached & (before == 0)).any(axis=0).mean()


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


@HIDDEN.wrong("4_2.d", "use gamma")
def paid_rewards(rewards, distances, ended, gamma, scale):
    after = np.where(ended, 0, -scale * distances[1:])
    return rewards + 0.99 * after + scale * distances[:-1]


@HIDDEN.wrong("4_2.e", "not only the first ones")
def success_rate(reached, ended):
    first = ended[:100].argmax(axis=0)
    return reached[first, np.arange(reached.shape[1])].mean()


# --- limits of size --------------------------------------------------------


@HIDDEN.wrong("4_2.a", "300 slots")
def look_or_nothing(q, t, real, nothing):
    first = nothing.expand(len(t), 1, -1)
    rows = torch.cat([first, t[:, :100]], dim=1)
    may = torch.cat([torch.ones_like(real[:, :1]), real[:, :100]], dim=1)
    s = q @ rows.mT / q.shape[-1] ** 0.5
    return s.masked_fill(~may[:, None], -torch.inf).softmax(dim=-1) @ rows


@HIDDEN.wrong("4_2.b", "beta = -5")
def policy_push(logits, actions, advantage, beta):
    push = pushed(lambda p: np.log(p + 1e-300), abs)
    return push(logits, actions, advantage, beta)


@HIDDEN.wrong("4_2.b", "it is not cut off")
def policy_push(logits, actions, advantage, beta):
    push = pushed(lambda p: np.log(p + 1e-300))
    return push(logits, actions, advantage.clip(-1000, 1000), beta)


@HIDDEN.wrong("4_2.c", "no return is cut off")
def best_baseline(p, returns):
    return baseline()(p, returns.clip(-1000))


@HIDDEN.wrong("4_2.d", "neither distances nor rewards nor gamma")
def paid_rewards(rewards, distances, ended, gamma, scale):
    after = np.where(ended, 0, -scale * distances[1:])
    return rewards + min(gamma, 0.99) * after + scale * distances[:-1]


@HIDDEN.wrong("4_2.d", "both are used as they are")
def paid_rewards(rewards, distances, ended, gamma, scale):
    after = np.where(ended, 0, -scale * distances[1:])
    return rewards + max(gamma, 0.5) * after + scale * distances[:-1]
