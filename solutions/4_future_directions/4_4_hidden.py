"""Hidden checks and known wrong answers of exercises 4.4.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, WrongAnswer, agree, agree_in_gradient
from attnbook.check.engine import Wrong
from attnbook.tiled import LiveTensors

HIDDEN = Hidden(withheld=("tiled",))


@HIDDEN.check("4_4.a", "random sizes")
def tiles_anywhere(answer, rng, reference):
    n, d, e = (int(x) for x in rng.permutation([7, 3, 4]) + 2)
    args = tuple(rng.normal(size=(n, w)) * 2 for w in (d, d, e))
    args += (int(rng.integers(1, n + 2)),)
    agree(answer, reference, "attend_in_tiles", args, "random", 2)


@HIDDEN.check("4_4.a", "the largest tensor, again")
def tiles_stay_small(answer, rng, reference):
    args = tuple(rng.normal(size=(90, 6)) for _ in range(3))
    made = answer.call("tensors_made", *args, 3, parts=2)
    most = int(made[0])
    if not 270 <= most <= 540:
        raise Wrong.fixed("90 tokens, tiles of 3: not the size asked for.")
    if not int(made[1]) <= 5400:
        raise Wrong.fixed("90 tokens, tiles of 3: too many tensors are kept.")


def shares(rng):
    p, n, e = (int(x) for x in rng.permutation([4, 5, 3]))
    return rng.normal(size=(p, n, e)), rng.normal(size=(p, n)) * 3


@HIDDEN.check("4_4.b", "random parts")
def parts_anywhere(answer, rng, reference):
    agree(answer, reference, "put_together", shares(rng), "random", 2)


@HIDDEN.check("4_4.b", "random gradients")
def parts_gradient(answer, rng, reference):
    args = shares(rng)
    u = rng.normal(size=args[0].shape[1:])
    agree_in_gradient(answer, reference, "put_together", args, u)


@HIDDEN.check("4_4.c", "random numbers")
def needed_anywhere(answer, rng, reference):
    w, s = int(rng.integers(10, 5000)), float(rng.choice([0.5, 1, 2, 4]))
    args = w, s, float(rng.uniform(0.1, 1.2) * w / s)
    agree(answer, reference, "sequences_needed", args, "random")


@HIDDEN.check("4_4.d", "random heads")
def groups_anywhere(answer, rng, reference):
    groups, share = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    shapes = (groups * share, 5, 3), (groups, 7, 3), (groups, 7, 4)
    args = tuple(rng.normal(size=s) for s in shapes)
    agree(answer, reference, "grouped_attention", args, "random")


@HIDDEN.check("4_4.e", "random rows")
def int8_anywhere(answer, rng, reference):
    m = int(rng.integers(5, 200))
    args = rng.normal(size=(3, m)) * 9, rng.normal(size=(4, m))
    agree(answer, reference, "int8_product", args, "random")


# --- a ---------------------------------------------------------------------


def wrong_tiles(says):
    """Decorator: a wrong answer to a, with the counter around it."""

    def add(function):
        def tensors_made(*args):
            with LiveTensors() as live:
                function(*args)
            return live.largest // 8, live.peak // 8

        names = {"attend_in_tiles": function, "tensors_made": tensors_made}
        HIDDEN.wrong_answers.append(WrongAnswer("4_4.a", says, names))
        return function

    return add


def scores(q, k, tile, late=0, root=None):
    """Scores of a tile, keys later than the query (plus late) hidden."""
    s = q @ k[tile].T / (root or q.shape[1] ** 0.5)
    places = torch.arange(tile.start, tile.start + s.shape[1])
    hide = places > torch.arange(len(q))[:, None] + late
    return s.masked_fill(hide, -torch.inf)


def walk(q, k, v, size, late=0, root=None, update=None, score=scores):
    """The right way, but for what is exchanged."""
    top = torch.full((len(q), 1), -torch.inf, dtype=q.dtype)
    norm, total = torch.zeros_like(top), torch.zeros_like(v)
    for start in range(0, len(q), size):
        tile = slice(start, min(start + size, len(q)))
        s = score(q, k, tile, late, root)
        change = update or right
        total, norm, top = change(total, norm, top, s, v[tile])
    return total, norm, top


def right(total, norm, top, s, v):
    new = torch.maximum(top, s.amax(1, keepdim=True))
    p, old = (s - new).exp(), (top - new).exp()
    return old * total + p @ v, old * norm + p.sum(1, keepdim=True), new


def ended(total, norm, top):
    return total / norm, (top + norm.log())[:, 0]


@wrong_tiles("later keys get weight")
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, size, late=len(q)))


@wrong_tiles("later keys get weight")
def attend_in_tiles(q, k, v, size):
    """Hides whole tiles only."""

    def score(q, k, tile, late, root):
        s = q @ k[tile].T / q.shape[1] ** 0.5
        hide = torch.arange(len(q))[:, None] < tile.start
        return s.masked_fill(hide, -torch.inf)

    return ended(*walk(q, k, v, size, score=score))


@wrong_tiles("nan or infinity")
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, size, late=-1))


@wrong_tiles("not divided by the root of d")
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, size, root=1.0))


@wrong_tiles("divided by d, not by its root")
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, size, root=float(q.shape[1])))


@wrong_tiles("by the root of e")
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, size, root=v.shape[1] ** 0.5))


@wrong_tiles("run over the queries")
def attend_in_tiles(q, k, v, size):
    c, lse = ended(*walk(q, k, v, size))
    total = torch.zeros_like(v)
    norm = torch.zeros(len(q), dtype=q.dtype)
    for start in range(0, len(q), size):
        tile = slice(start, min(start + size, len(q)))
        p = scores(q, k, tile).exp()
        total = total + p / p.sum(0) @ v[tile]
    return total, lse + norm


@wrong_tiles("divide the total by the norm")
def attend_in_tiles(q, k, v, size):
    total, norm, top = walk(q, k, v, size)
    return total * top.exp(), (top + norm.log())[:, 0]


@wrong_tiles("old total and norm are lost")
def attend_in_tiles(q, k, v, size):
    def update(total, norm, top, s, v):
        new, found = torch.maximum(top, s.amax(1, keepdim=True)), s > -torch.inf
        p = (s - new).exp()
        some = found.any(1, keepdim=True)
        total = torch.where(some, p @ v, total)
        return total, torch.where(some, p.sum(1, keepdim=True), norm), new

    return ended(*walk(q, k, v, size, update=update))


@wrong_tiles("old total is not corrected")
def attend_in_tiles(q, k, v, size):
    def update(total, norm, top, s, v):
        new = torch.maximum(top, s.amax(1, keepdim=True))
        p = (s - new).exp()
        return total + p @ v, norm + p.sum(1, keepdim=True), new

    return ended(*walk(q, k, v, size, update=update))


@wrong_tiles("both corrected")
def attend_in_tiles(q, k, v, size):
    def update(total, norm, top, s, v):
        new = torch.maximum(top, s.amax(1, keepdim=True))
        p, old = (s - new).exp(), (top - new).exp()
        return old * total + p @ v, norm + p.sum(1, keepdim=True), new

    return ended(*walk(q, k, v, size, update=update))


@wrong_tiles("last, shorter tile")
def attend_in_tiles(q, k, v, size):
    n = len(q) // size * size
    if not n:
        return walk_all(q, k, v)
    state = [torch.zeros_like(v), torch.zeros(len(q), 1).double()]
    state.append(torch.full((len(q), 1), -torch.inf).double())
    for start in range(0, n, size):
        tile = slice(start, start + size)
        state = right(*state, scores(q, k, tile), v[tile])
    return ended(*state)


def walk_all(q, k, v):
    return ended(*walk(q, k, v, len(q)))


@wrong_tiles("scores of 10,000 overflow")
def attend_in_tiles(q, k, v, size):
    def update(total, norm, top, s, v):
        p = s.exp()
        new = 0 * p[:, :1]
        return total + p @ v, norm + p.sum(1, keepdim=True), new

    return ended(*walk(q, k, v, size, update=update))


@wrong_tiles("the norm is missing in L")
def attend_in_tiles(q, k, v, size):
    total, norm, top = walk(q, k, v, size)
    return total / norm, top[:, 0]


@wrong_tiles("the top is missing in L")
def attend_in_tiles(q, k, v, size):
    total, norm, top = walk(q, k, v, size)
    return total / norm, norm.log()[:, 0]


@wrong_tiles("that is the norm")
def attend_in_tiles(q, k, v, size):
    total, norm, top = walk(q, k, v, size)
    return total / norm, norm[:, 0]


@wrong_tiles("that is the sum of exponentials")
def attend_in_tiles(q, k, v, size):
    total, norm, top = walk(q, k, v, size)
    return total / norm, (norm * top.exp())[:, 0]


@wrong_tiles("one number per query")
def attend_in_tiles(q, k, v, size):
    total, norm, top = walk(q, k, v, size)
    return total / norm, top + norm.log()


@wrong_tiles("in this order")
def attend_in_tiles(q, k, v, size):
    c, lse = walk_all(q, k, v)
    return lse, c


@wrong_tiles("no scores and no mask")
def attend_in_tiles(q, k, v, size):
    return walk_all(q, k, v)


@wrong_tiles("no scores and no mask")
def attend_in_tiles(q, k, v, size):
    mask = torch.ones(len(q), len(q), dtype=torch.bool).triu(1)

    def score(q, k, tile, late, root):
        s = q @ k[tile].T / q.shape[1] ** 0.5
        return s.masked_fill(mask[:, tile], -torch.inf)

    return ended(*walk(q, k, v, size, score=score))


@wrong_tiles("the largest tensor has")
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, 2 * size))


@wrong_tiles("changes its argument in place")
def attend_in_tiles(q, k, v, size):
    q /= q.shape[1] ** 0.5
    return ended(*walk(q, k, v, size, root=1.0))


@wrong_tiles("use torch")
def attend_in_tiles(q, k, v, size):
    with np.errstate(all="ignore"):
        s = q.numpy() @ k.numpy().T / q.shape[1] ** 0.5
    s[np.triu_indices(len(s), 1)] = -np.inf
    top = s.max(1, keepdims=True)
    p = np.exp(s - top)
    norm = p.sum(1, keepdims=True)
    return p / norm @ v.numpy(), (top + np.log(norm))[:, 0]


@wrong_tiles("one number per query")
def attend_in_tiles(q, k, v, size):
    total, norm, top = walk(q, k, v, size)
    return total / norm, (top + norm.log()).squeeze()


@wrong_tiles("the largest tensor has")
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, 5))


@wrong_tiles("no tile's scores")
def attend_in_tiles(q, k, v, size):
    """All scores, row by row in a list, before any softmax."""
    kept = [k @ x / q.shape[1] ** 0.5 for x in q]
    c, lse = [], []
    for i, s in enumerate(kept):
        lse.append(s[: i + 1].logsumexp(0))
        c.append((s[: i + 1] - lse[-1]).exp() @ v[: i + 1])
    return torch.stack(c), torch.stack(lse)


@wrong_tiles("keep the arguments' dtype")
def attend_in_tiles(q, k, v, size):
    c, lse = ended(*walk(q, k, v, size))
    return c.float(), lse.float()


@wrong_tiles("keep the arguments' dtype")
def attend_in_tiles(q, k, v, size):
    c, lse = ended(*walk(q, k, v, size))
    return c, lse.float()


# --- b ---------------------------------------------------------------------


def mixed(weights, parts):
    return (weights[..., None] * parts).sum(dim=0)


@HIDDEN.wrong("4_4.b", "mean of the parts")
def put_together(parts, logs):
    return parts.mean(dim=0), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "that is their sum")
def put_together(parts, logs):
    return parts.sum(dim=0), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "over the processors they must")
def put_together(parts, logs):
    return mixed(logs.softmax(dim=1), parts), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "not divided by the norms' sum")
def put_together(parts, logs):
    return mixed(logs.exp(), parts), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "the L themselves are no weights")
def put_together(parts, logs):
    return mixed(logs, parts), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "divided by their sum are no weights")
def put_together(parts, logs):
    return mixed(logs / logs.sum(dim=0), parts), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "the sign of L is wrong")
def put_together(parts, logs):
    return mixed((-logs).softmax(dim=0), parts), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "only the part with the largest L")
def put_together(parts, logs):
    best = torch.nn.functional.one_hot(logs.argmax(dim=0), len(logs)).T
    return mixed(best, parts), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "the weights are a mean")
def put_together(parts, logs):
    share = logs.softmax(dim=0)[..., None]
    return (share * parts).mean(dim=0), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "share one weight per processor")
def put_together(parts, logs):
    share = logs.exp().sum(dim=1, keepdim=True)
    share = (share / share.sum()).expand_as(logs)
    return mixed(share, parts), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "that is the sum of the norms")
def put_together(parts, logs):
    return mixed(logs.softmax(dim=0), parts), logs.exp().sum(dim=0)


@HIDDEN.wrong("4_4.b", "sum of the L; add the norms")
def put_together(parts, logs):
    return mixed(logs.softmax(dim=0), parts), logs.sum(dim=0)


@HIDDEN.wrong("4_4.b", "the largest L, not the logarithm")
def put_together(parts, logs):
    return mixed(logs.softmax(dim=0), parts), logs.amax(dim=0)


@HIDDEN.wrong("4_4.b", "logarithm of the norms' mean")
def put_together(parts, logs):
    total = logs.logsumexp(dim=0) - np.log(len(logs))
    return mixed(logs.softmax(dim=0), parts), total


@HIDDEN.wrong("4_4.b", "in this order")
def put_together(parts, logs):
    return logs.logsumexp(dim=0), mixed(logs.softmax(dim=0), parts)


@HIDDEN.wrong("4_4.b", "which subtract the largest")
def put_together(parts, logs):
    norms = logs.exp()
    return mixed(norms / norms.sum(dim=0), parts), norms.sum(dim=0).log()


@HIDDEN.wrong("4_4.b", "which subtract the largest")
def put_together(parts, logs):
    norms = (logs - logs.max()).exp()  # of all queries, not of each
    total = norms.sum(dim=0)
    return mixed(norms / total, parts), total.log() + logs.max()


@HIDDEN.wrong("4_4.b", "which subtract the largest")
def put_together(parts, logs):
    """Two at a time; minus infinity minus itself is nan."""
    c, top = parts[0], logs[0]
    for part, new in zip(parts[1:], logs[1:]):
        share = (new - top).sigmoid()[:, None]
        c, top = c + share * (part - c), torch.logaddexp(top, new)
    return c, top


@HIDDEN.wrong("4_4.b", "the gradient of logs")
def put_together(parts, logs):
    return mixed(logs.detach().softmax(dim=0), parts), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "the gradient of logs")
def put_together(parts, logs):
    return mixed(logs.softmax(dim=0), parts), logs.detach().logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "the gradient of parts")
def put_together(parts, logs):
    share = logs.softmax(dim=0)
    return mixed(share, parts.detach()), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "changes its argument in place")
def put_together(parts, logs):
    share, total = logs.softmax(dim=0), logs.logsumexp(dim=0)
    parts *= share[..., None]
    return parts.sum(dim=0), total


@HIDDEN.wrong("4_4.b", "the result for large and for no L")
def put_together(parts, logs):
    """No key counts like a norm of exp(-20)."""
    logs = logs.nan_to_num(neginf=-20.0)
    return mixed(logs.softmax(dim=0), parts), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "gradients hold nan or infinity")
def put_together(parts, logs):
    """Two at a time; `where` hides nan in the result alone."""
    c, top = parts[0], logs[0]
    for part, new in zip(parts[1:], logs[1:]):
        none = torch.isinf(new) & torch.isinf(top)
        share = torch.where(none, 0.0, (new - top).sigmoid())[:, None]
        c = c + share * (part - c)
        top = torch.where(none, top, torch.logaddexp(top, new))
    return c, top


@HIDDEN.wrong("4_4.b", "n = 1, e = 1, the result")
def put_together(parts, logs):
    c = mixed(logs.softmax(dim=0), parts)
    return c.squeeze(), logs.logsumexp(dim=0).squeeze()


@HIDDEN.wrong("4_4.b", "n = 1, e = 1, L")
def put_together(parts, logs):
    c = mixed(logs.softmax(dim=0), parts)
    return c, logs.logsumexp(dim=0).squeeze()


@HIDDEN.wrong("4_4.b", "keep the arguments' dtype")
def put_together(parts, logs):
    c = mixed(logs.softmax(dim=0), parts)
    return c.float(), logs.logsumexp(dim=0).float()


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("4_4.c", "not only weights")
def sequences_needed(w, s, r):
    return r * s / 2 if w > r * s else np.inf


@HIDDEN.wrong("4_4.c", "yours says that none is enough")
def sequences_needed(w, s, r):
    room = w - 2 * r * s
    return r * s * w / room if room > 0 else np.inf


@HIDDEN.wrong("4_4.c", "B w numbers each")
def sequences_needed(w, s, r):
    room = 2 * w - r * s
    return r * s * w / room if room > 0 else np.inf


@HIDDEN.wrong("4_4.c", "bytes per number is not used")
def sequences_needed(w, s, r):
    return r * w / (2 * (w - r)) if w > r else np.inf


@HIDDEN.wrong("4_4.c", "upside down")
def sequences_needed(w, s, r):
    room = w - r * s
    return 2 * room / (r * s * w) if room > 0 else np.inf


@HIDDEN.wrong("4_4.c", "twice as much")
def sequences_needed(w, s, r):
    room = w - r * s
    return r * s * w / room if room > 0 else np.inf


@HIDDEN.wrong("4_4.c", "return np.inf")
def sequences_needed(w, s, r):
    return r * s * w / (2 * (w - r * s)) if w != r * s else np.inf


@HIDDEN.wrong("4_4.c", "return np.inf")
def sequences_needed(w, s, r):
    return r * s * w / (2 * (w - r * s)) if w > r * s else 0.0


@HIDDEN.wrong("4_4.c", "do not give r")
def sequences_needed(w, s, r):
    room = w - r * s
    return float(np.ceil(r * s * w / (2 * room))) if room > 0 else np.inf


@HIDDEN.wrong("4_4.c", "w times as much")
def sequences_needed(w, s, r):
    room = w - r * s
    return r * s * w**2 / (2 * room) if room > 0 else np.inf


@HIDDEN.wrong("4_4.c", "w = 50, s = 4, r = 12.4")
def sequences_needed(w, s, r):
    return r * s * w / (2 * (w - r * s)) if w // s > r else np.inf


@HIDDEN.wrong("4_4.c", "w = 50, s = 4, r = 12.4")
def sequences_needed(w, s, r):
    room = w - r * s
    return r * s * w / (2 * room) if room >= 1 else np.inf


@HIDDEN.wrong("4_4.c", "nor 1 or more")
def sequences_needed(w, s, r):
    room = w - r * s
    return max(1.0, r * s * w / (2 * room)) if room > 0 else np.inf


@HIDDEN.wrong("4_4.c", "need not be a whole number")
def sequences_needed(w, s, r):
    room = w - r * s
    return np.ceil(r * s * w / (2 * room)) if room > 0 else np.inf


@HIDDEN.wrong("4_4.c", "only where w / s does not exceed r")
def sequences_needed(w, s, r):
    room = w - r * s
    return r * s * w / (2 * room) if room > 1e-3 else np.inf


# --- d ---------------------------------------------------------------------


def attend(q, k, v, root=None):
    s = q @ k.swapaxes(1, 2) / (root or np.sqrt(q.shape[-1]))
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    return a / a.sum(axis=-1, keepdims=True) @ v


@HIDDEN.wrong("4_4.d", "stand as 0, 1, 0, 1")
def grouped_attention(q, k, v):
    share = len(q) // len(k)
    return attend(q, np.tile(k, (share, 1, 1)), np.tile(v, (share, 1, 1)))


@HIDDEN.wrong("4_4.d", "those of another group")
def grouped_attention(q, k, v):
    return attend(q, repeated(q, k[::-1]), repeated(q, v))


def repeated(q, x):
    return np.repeat(x, len(q) // len(x), axis=0)


@HIDDEN.wrong("4_4.d", "stand as 0, 1, 0, 1")
def grouped_attention(q, k, v):
    share = len(q) // len(k)
    return attend(q, repeated(q, k), np.tile(v, (share, 1, 1)))


@HIDDEN.wrong("4_4.d", "4 heads, 2 groups")
def grouped_attention(q, k, v):
    share = len(q) // len(k)
    return attend(q, np.tile(k, (share, 1, 1)), repeated(q, v))


@HIDDEN.wrong("4_4.d", "reverse order")
def grouped_attention(q, k, v):
    return attend(q, repeated(q, k)[::-1], repeated(q, v)[::-1])


@HIDDEN.wrong("4_4.d", "all heads read group 0")
def grouped_attention(q, k, v):
    return attend(q, k[:1], np.repeat(v[:1], len(q), axis=0))


@HIDDEN.wrong("4_4.d", "all heads read the last group")
def grouped_attention(q, k, v):
    return attend(q, k[-1:], np.repeat(v[-1:], len(q), axis=0))


@HIDDEN.wrong("4_4.d", "not divided by the root of d")
def grouped_attention(q, k, v):
    return attend(q, repeated(q, k), repeated(q, v), root=1.0)


@HIDDEN.wrong("4_4.d", "which values")
def grouped_attention(q, k, v):
    mean = np.ones((len(q), 1, 1))
    return attend(q, mean * k.mean(0), mean * v.mean(0))


@HIDDEN.wrong("4_4.d", "shape")
def grouped_attention(q, k, v):
    return attend(q[:: len(q) // len(k)], k, v)


@HIDDEN.wrong("4_4.d", "subtract each query's own largest")
def grouped_attention(q, k, v):
    k, v = repeated(q, k), repeated(q, v)
    a = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1]))
    return a / a.sum(axis=-1, keepdims=True) @ v


@HIDDEN.wrong("4_4.d", "subtract each query's own largest")
def grouped_attention(q, k, v):
    q, k, v = (x.astype(np.float32) for x in (q, k, v))
    s = q @ repeated(q, k).swapaxes(1, 2) / np.sqrt(q.shape[-1])
    a = np.exp(s - s.max())  # of all queries, not of each
    return a / a.sum(axis=-1, keepdims=True) @ repeated(q, v)


@HIDDEN.wrong("4_4.d", "whatever d is")
def grouped_attention(q, k, v):
    s = q @ repeated(q, k).swapaxes(1, 2) / 2
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    return a / a.sum(axis=-1, keepdims=True) @ repeated(q, v)


@HIDDEN.wrong("4_4.d", "large scores are cut off")
def grouped_attention(q, k, v):
    s = q @ repeated(q, k).swapaxes(1, 2) / np.sqrt(q.shape[-1])
    a = np.exp(np.clip(s, -700, 700))
    return a / a.sum(axis=-1, keepdims=True) @ repeated(q, v)


# --- e ---------------------------------------------------------------------


def rounded(x, top=127, how=np.round):
    s = np.abs(x).max(axis=1, keepdims=True) / top
    return how(x / s).astype(np.int8), s


def product(x, W, kind):
    (zx, sx), (zw, sw) = rounded(x), rounded(W)
    return zx.astype(kind) @ zw.astype(kind).T, sx, sw


@HIDDEN.wrong("4_4.e", "int8 cannot hold them")
def int8_product(x, W):
    total, sx, sw = product(x, W, np.int8)
    return sx * total * sw.T


@HIDDEN.wrong("4_4.e", "int8 cannot hold them")
def int8_product(x, W):
    (zx, sx), (zw, sw) = rounded(x), rounded(W)
    return sx * (zx @ zw.T).astype(np.int32) * sw.T  # widened too late


@HIDDEN.wrong("4_4.e", "int16 cannot hold them")
def int8_product(x, W):
    total, sx, sw = product(x, W, np.int16)
    return sx * total * sw.T


@HIDDEN.wrong("4_4.e", "cut off at 127")
def int8_product(x, W):
    total, sx, sw = product(x, W, np.int32)
    return sx * np.clip(total, -127, 127) * sw.T


@HIDDEN.wrong("4_4.e", "cut off at 32,767")
def int8_product(x, W):
    total, sx, sw = product(x, W, np.int32)
    return sx * np.clip(total, -32768, 32767) * sw.T


@HIDDEN.wrong("4_4.e", "the type has no sign")
def int8_product(x, W):
    (zx, sx), (zw, sw) = rounded(x), rounded(W)
    zx, zw = (z.view(np.uint8).astype(np.int32) for z in (zx, zw))
    return sx * (zx @ zw.T) * sw.T


@HIDDEN.wrong("4_4.e", "nothing is rounded")
def int8_product(x, W):
    return x @ W.T


@HIDDEN.wrong("4_4.e", "cut off, not rounded")
def int8_product(x, W):
    (zx, sx), (zw, sw) = rounded(x, how=np.trunc), rounded(W, how=np.trunc)
    return sx * (zx.astype(int) @ zw.astype(int).T) * sw.T


@HIDDEN.wrong("4_4.e", "only the weights are rounded")
def int8_product(x, W):
    zw, sw = rounded(W)
    return x @ (sw * zw).T


@HIDDEN.wrong("4_4.e", "only the inputs are rounded")
def int8_product(x, W):
    zx, sx = rounded(x)
    return (sx * zx) @ W.T


@HIDDEN.wrong("4_4.e", "the scales are not put back")
def int8_product(x, W):
    return product(x, W, np.int32)[0]


@HIDDEN.wrong("4_4.e", "scales of the weights are not put back")
def int8_product(x, W):
    total, sx, _ = product(x, W, np.int32)
    return sx * total


@HIDDEN.wrong("4_4.e", "the scales divide")
def int8_product(x, W):
    total, sx, sw = product(x, W, np.int32)
    return total / sx / sw.T


@HIDDEN.wrong("4_4.e", "one scale for all of a matrix")
def int8_product(x, W):
    sx, sw = np.abs(x).max() / 127, np.abs(W).max() / 127
    zx, zw = np.round(x / sx), np.round(W / sw)
    return sx * (zx @ zw.T) * sw


@HIDDEN.wrong("4_4.e", "not rounded, nor cut off")
def int8_product(x, W):
    total, sx, sw = product(x, W, np.int32)
    return np.round(sx * total * sw.T, 3)


@HIDDEN.wrong("4_4.e", "do not raise it")
def int8_product(x, W):
    (zx, sx), (zw, sw) = (
        (np.round(v / s), s)
        for v in (x, W)
        for s in [np.maximum(np.abs(v).max(axis=1, keepdims=True) / 127, 1e-2)]
    )
    return sx * (zx @ zw.T) * sw.T


@wrong_tiles("Add nothing to the norm")
def attend_in_tiles(q, k, v, size):
    total, norm, top = walk(q, k, v, size)
    return ended(total, norm, top)[0] * norm / (norm + 1e-9), (
        top + norm.log()
    ).squeeze(1)


@wrong_tiles("are allowed")
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, len(q)))


@wrong_tiles("the largest tensor has")
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, 4))


@HIDDEN.wrong("4_4.b", "Add nothing to the sum")
def put_together(parts, logs):
    e = (logs - logs.amax(dim=0)).exp()
    share = e / (e.sum(dim=0) + 1e-6)
    return (share[..., None] * parts).sum(dim=0), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.b", "not only the first two")
def put_together(parts, logs):
    share = logs[:2].softmax(dim=0)
    return (share[..., None] * parts[:2]).sum(dim=0), logs.logsumexp(dim=0)


@HIDDEN.wrong("4_4.c", "only where w / s does not exceed r")
def sequences_needed(w, s, r):
    room = w - r * s
    return r * s * w / (2 * room) if room > 1e-7 else np.inf


@HIDDEN.wrong("4_4.c", "B is not cut off")
def sequences_needed(w, s, r):
    room = w - r * s
    return min(r * s * w / (2 * room), 1e9) if room > 0 else np.inf


@HIDDEN.wrong("4_4.c", "r need not be")
def sequences_needed(w, s, r):
    room = w - int(r) * s
    return int(r) * s * w / (2 * room) if room > 0 else np.inf


def int8(says, levels=127, turn=np.round):
    def int8_product(x, W):
        (zx, sx), (zw, sw) = (
            (turn(m / s), s)
            for m in (x, W)
            for s in [np.abs(m).max(axis=1, keepdims=True) / levels]
        )
        return sx * (zx @ zw.T) * sw.T

    HIDDEN.wrong("4_4.e", says)(int8_product)


int8("not 128", 128)
int8("not 7", 7)
int8("are floored", turn=np.floor)


@HIDDEN.wrong("4_4.e", "without a sign cannot")
def int8_product(x, W):
    total, sx, sw = product(x, W, np.uint8)
    return sx * total * sw.T


# --- limits of size --------------------------------------------------------


@HIDDEN.wrong("4_4.b", "300 processors")
def put_together(parts, logs):
    share = logs[:100].softmax(dim=0)
    logs = logs[:100].logsumexp(dim=0)
    return (share[..., None] * parts[:100]).sum(dim=0), logs


@HIDDEN.wrong("4_4.c", "w = 64, s = 0.5")
def sequences_needed(w, s, r):
    room = w - r * max(s, 1)
    return r * max(s, 1) * w / (2 * room) if room > 0 else np.inf


@HIDDEN.wrong("4_4.d", "300 keys")
def grouped_attention(q, k, v):
    share = len(q) // len(k)
    k, v = (np.repeat(x[:, :100], share, axis=0) for x in (k, v))
    s = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    return a / a.sum(axis=-1, keepdims=True) @ v


@HIDDEN.wrong("4_4.e", "nothing is cut off")
def int8_product(x, W):
    total, sx, sw = product(x, W, np.int32)
    return np.clip(sx * total * sw.T, -1e5, 1e5)
