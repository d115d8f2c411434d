"""Hidden checks and known wrong answers of exercises 4.4.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, WrongAnswer
from attnbook.check.engine import Wrong
from attnbook.nn.tiled import LiveTensors

HIDDEN = Hidden(globals(), withheld=("nn.tiled",))


@HIDDEN.agrees("4_4.a", "attend_in_tiles", title="random sizes", parts=2)
def tiles_anywhere(rng):
    n, d, e = (int(x) for x in rng.permutation([7, 3, 4]) + 2)
    args = tuple(rng.normal(size=(n, w)) * 2 for w in (d, d, e))
    args += (int(rng.integers(1, n + 2)),)
    return args


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


HIDDEN.agrees("4_4.b", "put_together", title="random parts", parts=2)(shares)


HIDDEN.agrees(
    "4_4.b", "put_together", title="random gradients", parts=2, gradient=True
)(shares)


@HIDDEN.agrees("4_4.c", "sequences_needed", title="random numbers")
def needed_anywhere(rng):
    w, s = int(rng.integers(10, 5000)), float(rng.choice([0.5, 1, 2, 4]))
    return w, s, float(rng.uniform(0.1, 1.2) * w / s)


@HIDDEN.agrees("4_4.d", "grouped_attention", title="random heads")
def groups_anywhere(rng):
    groups, share = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    shapes = (groups * share, 5, 3), (groups, 7, 3), (groups, 7, 4)
    return tuple(rng.normal(size=s) for s in shapes)


@HIDDEN.agrees("4_4.e", "int8_product", title="random rows")
def int8_anywhere(rng):
    m = int(rng.integers(5, 200))
    return rng.normal(size=(3, m)) * 9, rng.normal(size=(4, m))


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


def counted(function):
    """The counter of what this function makes, around it."""

    def tensors_made(*args):
        with LiveTensors() as live:
            function(*args)
        return live.largest // 8, live.peak // 8

    return tensors_made


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


HIDDEN.mutants("4_4.a", """
def attend_in_tiles(q, k, v, size):
    def update(total, norm, top, s, v):
        new = torch.maximum(top, s.amax(1, keepdim=True))
        p = (s - new).exp()
        return total + p @ v, norm + p.sum(1, keepdim=True), new

    return ended(*walk(q, k, v, size, update=update))


tensors_made = counted(attend_in_tiles)
""", [
    ([], "old total is not corrected"),
    ([("= (s - new).exp()", ", old = (s - new).exp(), (top - new).exp()"),
      ("total +", "old * total +")], "both corrected"),
    ("new = torch.maximum(top, s.amax(1, keepdim=True))\n"
     "        p = (s - new).exp()",
     "p = s.exp()\n        new = 0 * p[:, :1]", "scores of 10,000 overflow"),
])  # fmt: skip
HIDDEN.mutants("4_4.a", """
def attend_in_tiles(q, k, v, size):
    total, norm, top = walk(q, k, v, size)
    return total / norm, top[:, 0]


tensors_made = counted(attend_in_tiles)
""", [
    ("/ norm, top", "* top.exp(), (top + norm.log())",
     "divide the total by the norm"),
    ([], "the norm is missing in L"),
    ("top[:, 0]", "norm.log()[:, 0]", "the top is missing in L"),
    ("top[:, 0]", "norm[:, 0]", "that is the norm"),
    ("top[:, 0]", "(norm * top.exp())[:, 0]",
     "that is the sum of exponentials"),
    ("[:, 0]", "+ norm.log()", "one number per query"),
    ("top[:, 0]", "(top + norm.log()).squeeze()", "one number per query"),
    ([("total / norm, top", "ended(total, norm, top)"),
      ("[:, 0]", "[0] * norm / (norm + 1e-9), (top + norm.log()).squeeze(1)")],
     "Add nothing to the norm"),
])  # fmt: skip
HIDDEN.mutants("4_4.a", """
def attend_in_tiles(q, k, v, size):
    mask = torch.ones(len(q), len(q), dtype=torch.bool).triu(1)

    def score(q, k, tile, late, root):
        s = q @ k[tile].T / q.shape[1] ** 0.5
        return s.masked_fill(mask[:, tile], -torch.inf)

    return ended(*walk(q, k, v, size, score=score))


tensors_made = counted(attend_in_tiles)
""", [
    ([("\n    mask = torch.ones(len(q), len(q), dtype=torch.bool).triu(1)", ""),
      ("return s",
       "mask = torch.arange(len(q))[:, None] < tile.start\n        return s"),
      ("[:, tile]", "")], "later keys get weight"),
    ([], "no scores and no mask"),
])  # fmt: skip
HIDDEN.mutants("4_4.a", """
def attend_in_tiles(q, k, v, size):
    return ended(*walk(q, k, v, 4))


tensors_made = counted(attend_in_tiles)
""", [
    ("4))", "size, late=len(q)))", "later keys get weight"),
    ("4", "size, late=-1", "nan or infinity"),
    ("4", "size, root=1.0", "not divided by the root of d"),
    ("4))", "size, root=float(q.shape[1])))", "divided by d, not by its root"),
    ("4", "size, root=v.shape[1] ** 0.5", "by the root of e"),
    ("return ended(*walk(q, k, v, 4))",
     "c, lse = walk_all(q, k, v)\n    return lse, c", "in this order"),
    ("ended(*walk(q, k, v, 4))", "walk_all(q, k, v)", "no scores and no mask"),
    ("4", "2 * size", "the largest tensor has"),
    ([("return", "q /= q.shape[1] ** 0.5\n    return"),
      ("4", "size, root=1.0")], "changes its argument in place"),
    ("4", "5", "the largest tensor has"),
    ([("return", "c, lse ="),
      ("4))", "size))\n    return c.float(), lse.float()")],
     "keep the arguments' dtype"),
    ([("return", "c, lse ="), ("4))", "size))\n    return c, lse.float()")],
     "keep the arguments' dtype"),
    ("4))", "len(q)))", "are allowed"),
    ([], "the largest tensor has"),
])  # fmt: skip


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


@wrong_tiles("old total and norm are lost")
def attend_in_tiles(q, k, v, size):
    def update(total, norm, top, s, v):
        new, found = torch.maximum(top, s.amax(1, keepdim=True)), s > -torch.inf
        p = (s - new).exp()
        some = found.any(1, keepdim=True)
        total = torch.where(some, p @ v, total)
        return total, torch.where(some, p.sum(1, keepdim=True), norm), new

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


@wrong_tiles("use torch")
def attend_in_tiles(q, k, v, size):
    with np.errstate(all="ignore"):
        s = q.numpy() @ k.numpy().T / q.shape[1] ** 0.5
    s[np.triu_indices(len(s), 1)] = -np.inf
    top = s.max(1, keepdims=True)
    p = np.exp(s - top)
    norm = p.sum(1, keepdims=True)
    return p / norm @ v.numpy(), (top + np.log(norm))[:, 0]


@wrong_tiles("no tile's scores")
def attend_in_tiles(q, k, v, size):
    """All scores, row by row in a list, before any softmax."""
    kept = [k @ x / q.shape[1] ** 0.5 for x in q]
    c, lse = [], []
    for i, s in enumerate(kept):
        lse.append(s[: i + 1].logsumexp(0))
        c.append((s[: i + 1] - lse[-1]).exp() @ v[: i + 1])
    return torch.stack(c), torch.stack(lse)


# --- b ---------------------------------------------------------------------


def mixed(weights, parts):
    return (weights[..., None] * parts).sum(dim=0)


HIDDEN.mutants("4_4.b", None, [
    ("\n    return (share[..., None] * parts).sum",
     "[..., None]\n    return (share * parts).mean", "the weights are a mean"),
    ("(share[..., None] * parts).sum(dim=0)", "mixed(share, parts.detach())",
     "the gradient of parts"),
    ([("share =", "logs = logs.nan_to_num(neginf=-20.0)\n    return mixed("),
      ("\n    return (share[..., None] * parts).sum(dim=0", ", parts")],
     "the result for large and for no L"),
    ("share = logs.softmax(dim=0)",
     "e = (logs - logs.amax(dim=0)).exp()\n"
     "    share = e / (e.sum(dim=0) + 1e-6)", "Add nothing to the sum"),
    ([("= logs", "= logs[:2]"), ("* parts", "* parts[:2]")],
     "not only the first two"),
    ([(".softmax", "[:100].softmax(dim=0)\n    logs = logs[:100].logsumexp"),
      (").sum(dim=0), logs.logsumexp(dim=0)", "[:100]).sum(dim=0), logs")],
     "300 processors"),
])  # fmt: skip
HIDDEN.mutants("4_4.b", """
def put_together(parts, logs):
    return mixed(logs.softmax(dim=1), parts), logs.logsumexp(dim=0)
""", [
    ("mixed(logs.softmax(dim=1), parts)", "parts.mean(dim=0)",
     "mean of the parts"),
    ("mixed(logs.softmax(dim=1), parts)", "parts.sum(dim=0)",
     "that is their sum"),
    ([], "over the processors they must"),
    ("softmax(dim=1)", "exp()", "not divided by the norms' sum"),
    (".softmax(dim=1)", "", "the L themselves are no weights"),
    (".softmax(dim=1)", "/ logs.sum(dim=0)",
     "divided by their sum are no weights"),
    ("logs.softmax(dim=1)", "(-logs).softmax(dim=0)", "the sign of L is wrong"),
    ("return mixed(logs.softmax(dim=1), parts)",
     "best = torch.nn.functional.one_hot(logs.argmax(dim=0), len(logs)).T\n"
     "    return mixed(best, parts)", "only the part with the largest L"),
    ([("1", "0"), ("logsumexp", "exp().sum")], "that is the sum of the norms"),
    ([("1", "0"), ("logsumexp", "sum")], "sum of the L; add the norms"),
    ([("1", "0"), ("logsumexp", "amax")], "the largest L, not the logarithm"),
    ([("mixed", "logs.logsumexp(dim=0), mixed"),
      ("1), parts), logs.logsumexp(dim=0)", "0), parts)")], "in this order"),
    ("softmax(dim=1)", "detach().softmax(dim=0)", "the gradient of logs"),
    ([("1", "0"), (", logs.", ", logs.detach().")], "the gradient of logs"),
])  # fmt: skip
HIDDEN.mutants("4_4.b", """
def put_together(parts, logs):
    c = mixed(logs.softmax(dim=0), parts)
    return c, logs.logsumexp(dim=0).squeeze()
""", [
    ([("mixed(logs.softmax(dim=0", "logs.exp().sum(dim=1, keepdim=True"),
      (", parts)\n    return c",
       "\n    c = (c / c.sum()).expand_as(logs)\n    return mixed(c, parts)"),
      (".squeeze()", "")], "share one weight per processor"),
    ([("mixed", "logs.logsumexp(dim=0) - np.log(len(logs))\n    return mixed"),
      ("\n    return c, logs.logsumexp(dim=0).squeeze()", ", c")],
     "logarithm of the norms' mean"),
    ([("mixed(logs.softmax(dim=0), parts)\n    return c, logs.logsumexp",
       "logs.exp()\n    return mixed(c / c.sum(dim=0), parts), c.sum"),
      ("squeeze", "log")], "which subtract the largest"),
    ([("mixed(logs.softmax", "(logs - logs.max()).exp()\n    total = c.sum"),
      (", parts)\n    return c, logs.logsumexp(dim=0).squeeze",
       "\n    return mixed(c / total, parts), total.log() + logs.max")],
     "which subtract the largest"),  # of all queries, not of each
    ([("= mixed(logs.softmax(dim=0), parts)\n    return c,",
       ", total = logs.softmax(dim=0),"), (".squeeze()",
       "\n    parts *= c[..., None]\n    return parts.sum(dim=0), total")],
     "changes its argument in place"),
    ("c,", "c.squeeze(),", "n = 1, e = 1, the result"),
    ([], "n = 1, e = 1, L"),
    ([("c,", "c.float(),"), ("squeeze", "float")], "keep the arguments' dtype"),
])  # fmt: skip


@HIDDEN.wrong("4_4.b", "which subtract the largest")
def put_together(parts, logs):
    """Two at a time; minus infinity minus itself is nan."""
    c, top = parts[0], logs[0]
    for part, new in zip(parts[1:], logs[1:]):
        share = (new - top).sigmoid()[:, None]
        c, top = c + share * (part - c), torch.logaddexp(top, new)
    return c, top


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


# --- c ---------------------------------------------------------------------

HIDDEN.mutants("4_4.c", None, [
    ("room = w - r * s\n    return r * s * w / (2 * room) if room > 0",
     "return r * s / 2 if w > r * s", "not only weights"),
    ([("- r", "- 2 * r"), ("(2 * room)", "room")],
     "yours says that none is enough"),
    ([("w -", "2 * w -"), ("(2 * room)", "room")], "B w numbers each"),
    ("room = w - r * s\n    return r * s * w / (2 * room) if room > 0",
     "return r * w / (2 * (w - r)) if w > r", "bytes per number is not used"),
    ("r * s * w / (2 * room)", "2 * room / (r * s * w)", "upside down"),
    ("(2 * room)", "room", "twice as much"),
    ("room = w - r * s\n    return r * s * w / (2 * room) if room > 0",
     "return r * s * w / (2 * (w - r * s)) if w != r * s", "return np.inf"),
    ([("room = w - r * s\n    ", ""), ("(2 * room) if room > 0 else np.inf",
       "(2 * (w - r * s)) if w > r * s else 0.0")], "return np.inf"),
    ("r * s * w / (2 * room)", "float(np.ceil(r * s * w / (2 * room)))",
     "do not give r"),
    ("w /", "w**2 /", "w times as much"),
    ([("room = w - r * s\n    ", ""), ("* room", "* (w - r * s)"),
      ("room > 0", "w // s > r")], "w = 50, s = 4, r = 12.4"),
    ("> 0", ">= 1", "w = 50, s = 4, r = 12.4"),
    ("r * s * w / (2 * room)", "max(1.0, r * s * w / (2 * room))",
     "nor 1 or more"),
    ("r * s * w / (2 * room)", "np.ceil(r * s * w / (2 * room))",
     "need not be a whole number"),
    ("0", "1e-3", "only where w / s does not exceed r"),
    ("0", "1e-7", "only where w / s does not exceed r"),
    ("r * s * w / (2 * room)", "min(r * s * w / (2 * room), 1e9)",
     "B is not cut off"),
    ([("- r", "- int(r)"), ("r * s *", "int(r) * s *")], "r need not be"),
    ([("- r * s", "- r * max(s, 1)"), ("s *", "max(s, 1) *")],
     "w = 64, s = 0.5"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def attend(q, k, v, root=None):
    s = q @ k.swapaxes(1, 2) / (root or np.sqrt(q.shape[-1]))
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    return a / a.sum(axis=-1, keepdims=True) @ v


HIDDEN.mutants("4_4.d", None, [
    ("np.repeat(k, share, axis=0), np.repeat(v, share, axis=0)",
     "(np.repeat(x[:, :100], share, axis=0) for x in (k, v))", "300 keys"),
])  # fmt: skip
HIDDEN.mutants("4_4.d", """
def grouped_attention(q, k, v):
    share = len(q) // len(k)
    return attend(q, np.tile(k, (share, 1, 1)), np.tile(v, (share, 1, 1)))
""", [
    ([], "stand as 0, 1, 0, 1"),
    ("np.tile(k, (share, 1, 1))", "repeated(q, k)", "stand as 0, 1, 0, 1"),
    ("np.tile(v, (share, 1, 1)))", "repeated(q, v))", "4 heads, 2 groups"),
])  # fmt: skip
HIDDEN.mutants("4_4.d", """
def grouped_attention(q, k, v):
    return attend(q, repeated(q, k)[::-1], repeated(q, v)[::-1])
""", [
    ([("(q, k)[::-1]", "(q, k[::-1])"), ("(q, v)[::-1]", "(q, v)")],
     "those of another group"),
    ([], "reverse order"),
    ("repeated(q, k)[::-1], repeated(q, v)[::-1]",
     "k[:1], np.repeat(v[:1], len(q), axis=0)", "all heads read group 0"),
    ([("repeated(q, k)", "k[-1:], np.repeat(v[-1:], len(q), axis=0)"),
      ("[::-1], repeated(q, v)[::-1])", ")")], "all heads read the last group"),
    ([("[::-1],", ","), ("(q, v)[::-1]", "(q, v), root=1.0")],
     "not divided by the root of d"),
    ([("return", "mean = np.ones((len(q), 1, 1))\n    return"),
      ("(q, repeated(q, k)[::-1], repeated(q, v)[::-1])",
       "(q, mean * k.mean(0), mean * v.mean(0))")], "which values"),
    ("(q, repeated(q, k)[::-1], repeated(q, v)[::-1])",
     "(q[:: len(q) // len(k)], k, v)", "shape"),
])  # fmt: skip
HIDDEN.mutants("4_4.d", """
def grouped_attention(q, k, v):
    s = q @ repeated(q, k).swapaxes(1, 2) / np.sqrt(q.shape[-1])
    a = np.exp(np.clip(s, -700, 700))
    return a / a.sum(axis=-1, keepdims=True) @ repeated(q, v)
""", [
    ([("repeated(q, v)", "v"), ("\n    a = np.exp(np.clip(s, -700, 700)", ""),
      ("k)", "k), repeated(q, v)\n    a = np.exp(q @ k"),
      ("s = q @", "k, v =")], "subtract each query's own largest"),
    ([("\n    s",
       "\n    q, k, v = (x.astype(np.float32) for x in (q, k, v))\n    s"),
      ("np.clip(s, -700, 700)", "s - s.max()")],
     "subtract each query's own largest"),  # of all queries, not of each
    ("np.sqrt(q.shape[-1])\n    a = np.exp(np.clip(s, -700, 700))",
     "2\n    a = np.exp(s - s.max(axis=-1, keepdims=True))", "whatever d is"),
    ([], "large scores are cut off"),
])  # fmt: skip


def repeated(q, x):
    return np.repeat(x, len(q) // len(x), axis=0)


# --- e ---------------------------------------------------------------------


def rounded(x, top=127, how=np.round):
    s = np.abs(x).max(axis=1, keepdims=True) / top
    return how(x / s).astype(np.int8), s


def product(x, W, kind):
    (zx, sx), (zw, sw) = rounded(x), rounded(W)
    return zx.astype(kind) @ zw.astype(kind).T, sx, sw


HIDDEN.mutants("4_4.e", """
def int8_product(x, W):
    (zx, sx), (zw, sw) = rounded(x), rounded(W)
    return sx * (zx @ zw.T).astype(np.int32) * sw.T
""", [
    ([], "int8 cannot hold them"),  # widened too late
    ("return sx * (zx @ zw.T).astype(np.int32)",
     "zx, zw = (z.view(np.uint8).astype(np.int32) for z in (zx, zw))\n"
     "    return sx * (zx @ zw.T)", "the type has no sign"),
    ([("(x), rounded(W)", "(x, how=np.trunc), rounded(W, how=np.trunc)"),
      ("(zx @ zw.T).astype(np.int32)", "(zx.astype(int) @ zw.astype(int).T)")],
     "cut off, not rounded"),
])  # fmt: skip
HIDDEN.mutants("4_4.e", """
def int8_product(x, W):
    total, sx, _ = product(x, W, np.int32)
    return sx * total
""", [
    ([("int32", "int8"), ("* total", "* total * _.T")],
     "int8 cannot hold them"),
    ([("int32", "int16"), ("* total", "* total * _.T")],
     "int16 cannot hold them"),
    ("* total", "* np.clip(total, -127, 127) * _.T", "cut off at 127"),
    ("* total", "* np.clip(total, -32768, 32767) * _.T", "cut off at 32,767"),
    ("total, sx, _ = product(x, W, np.int32)\n    return sx * total",
     "return x @ W.T", "nothing is rounded"),
    ([(", _ = product(x, W, np.int32)", "= rounded(W)"),
      ("sx * total", "x @ (sx * total).T")], "only the weights are rounded"),
    ([(", _ = product(x, W, np.int32)", "= rounded(x)"),
      ("sx * total", "(sx * total) @ W.T")], "only the inputs are rounded"),
    ([("total, sx, _ =", "return"), ("\n    return sx * total", "[0]")],
     "the scales are not put back"),
    ([], "scales of the weights are not put back"),
    ("sx * total", "total / sx / _.T", "the scales divide"),
    ("sx * total", "np.round(sx * total * _.T, 3)", "not rounded, nor cut off"),
    ([("int32", "uint8"), ("* total", "* total * _.T")],
     "without a sign cannot"),
    ("sx * total", "np.clip(sx * total * _.T, -1e5, 1e5)",
     "nothing is cut off"),
])  # fmt: skip


@HIDDEN.wrong("4_4.e", "one scale for all of a matrix")
def int8_product(x, W):
    sx, sw = np.abs(x).max() / 127, np.abs(W).max() / 127
    zx, zw = np.round(x / sx), np.round(W / sw)
    return sx * (zx @ zw.T) * sw


@HIDDEN.wrong("4_4.e", "do not raise it")
def int8_product(x, W):
    (zx, sx), (zw, sw) = (
        (np.round(v / s), s)
        for v in (x, W)
        for s in [np.maximum(np.abs(v).max(axis=1, keepdims=True) / 127, 1e-2)]
    )
    return sx * (zx @ zw.T) * sw.T


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
