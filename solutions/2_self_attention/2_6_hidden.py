"""Hidden checks and known wrong answers of exercises 2.6.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient
from attnbook.check.ex_2_6 import Blocks

HIDDEN = Hidden(globals(), withheld=("nn.tiled",))


def block_arguments(rng):
    """Sizes all different; a state as earlier blocks may have left it."""
    i, j, d, e = rng.choice(np.arange(2, 40), 4, False)
    shapes = [(i, d), (j, d), (j, e), (i, e)]
    q, k, v, total = (rng.normal(size=s) * 2 for s in shapes)
    top = rng.normal(size=i) * 10
    return q, k, v, total, rng.uniform(1, 5, size=i), top


HIDDEN.agrees(
    "2_6.a", "add_block", title="random sizes", parts=3, tolerance=1e-4
)(block_arguments)


@HIDDEN.check("2_6.a", "gradients of total / norm, through two blocks")
def block_gradient(answer, rng, reference):
    i, j, d, e, n = rng.permutation([2, 3, 5, 6, 4])
    shapes = [(i, d), (j, d), (j, e), (n, d), (n, e)]
    args = tuple(rng.normal(size=s) * 2 for s in shapes)
    mine, theirs = Blocks(answer), Blocks(reference)
    u = rng.normal(size=(i, e))
    agree_in_gradient(mine, theirs, "add_block", args, u, 1e-4)


@HIDDEN.check("2_6.b", "random sizes")
def conv_anywhere(answer, rng, reference):
    n, d, e, k = rng.choice(np.arange(1, 30), 4, False)
    x, W = rng.normal(size=(n, d)), rng.normal(size=(k, d, e))
    args = (x, W, int(rng.integers(1, 12)))
    name = "dilated_convolution"
    agree(answer, reference, name, args, "random", tolerance=1e-5)


@HIDDEN.agrees("2_6.c", "square_takes_over", title="random widths")
def square_anywhere(rng):
    for size in (90, 2000, 50_000):
        yield (int(rng.integers(2, size)), int(rng.integers(2, size)))


def recurrence(rng):
    n, d, h = rng.permutation([int(rng.integers(4, 50)), 2, 3])
    shapes = [(n, d), (d, h), (h, h), (h,)]
    return tuple(rng.normal(size=s) for s in shapes)


@HIDDEN.check("2_6.d", "random sizes")
def last_anywhere(answer, rng, reference):
    args = "last_state", recurrence(rng), "random"
    agree(answer, reference, *args, tolerance=1e-4)


@HIDDEN.check("2_6.d", "random gradients")
def last_gradient(answer, rng, reference):
    args = recurrence(rng)
    u = rng.normal(size=args[3].shape)
    agree_in_gradient(answer, reference, "last_state", args, u, 1e-4)


@HIDDEN.check("2_6.e", "random matrices")
def share_anywhere(answer, rng, reference):
    h, distance = int(rng.integers(2, 9)), int(rng.integers(1, 30))
    args = (rng.normal(size=h), rng.normal(size=(h, h)) / 2, distance)
    name = "share_left"
    agree(answer, reference, name, args, "random matrix", tolerance=1e-4)


# --- a ---------------------------------------------------------------------


def scores(q, k):
    return q @ k.T / q.shape[-1] ** 0.5


def update(s, v, total, norm, top):
    """The right update, from whatever scores."""
    m = torch.maximum(top, s.max(dim=-1).values)
    p, old = (s - m[:, None]).exp(), (top - m).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


HIDDEN.mutants("2_6.a", """
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)
    m = torch.maximum(top, s.min(dim=-1).values)
    p, old = (s - m[:, None]).exp(), (top - m).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m
""", [
    # of the whole block
    ("min(dim=-1).values", "max()", "each query has its own"),
    ([], "the smallest score"),
    ([("min(dim=-1).values)\n    p, old = (s - m[:, None]).exp(), (top - m)",
       "max(dim=-1).values)\n    return total + s.exp() @ v, norm + s"),
      ("\n    return old[:, None] * total + p @ v, old * norm + p", "")],
     "scores of 1,000 overflow"),  # the max is only written down
    ([("min", "max"), ("p, old",
       "old = torch.where(top == -torch.inf, 0.0, (m - top).exp())\n    p"),
      (").exp(), (top - m", "")], "upside down"),
    ("torch.maximum(top, s.min(dim=-1).values)", "s.max(dim=-1).values",
     "not the largest so far"),
    ([("min", "max"), ("(s - m[:, None]).exp()", "s.softmax(dim=0)")],
     "sums over the queries"),
    ([("min(dim=-1)", "max(dim=0)"), ("m[:, None]", "m"), ("(-1)", "(0)")],
     "The size of tensor"),  # over the queries
    ([("min", "max"), ("(s - m[:, None]).exp()", "s.softmax(dim=-1)")],
     "the norm is the sum itself"),
    ([("min(dim=-1).values", "amax(-1)"), ("None])", "None]).clamp(min=-30)")],
     "are small weights cut off?"),
])  # fmt: skip
HIDDEN.mutants("2_6.a", """
def add_block(q, k, v, total, norm, top):
    return update(scores(q, k), v, total, norm, top)[::-1]
""", [
    (")[::-1]", ".clamp(min=0))", "does not fall below it"),
    ([("scores(q, k)", "q @ k.T / int(len(q.T) ** 0.5)"), ("[::-1]", "")],
     "cut to a whole number"),
    ([("return", "total, norm, top ="),
      ("[::-1]", "\n    return total.relu(), norm, top")], "negative values"),
    ([("scores(q, k)", "q @ k.T"), ("[::-1]", "")], "not divided by sqrt(d)"),
    ([("scores(q, k)", "q @ k.T / q.shape[-1]"), ("[::-1]", "")],
     "divided by d, not by sqrt(d)"),
    ([("scores(q, k)", "q @ k.T / v.shape[-1] ** 0.5"), ("[::-1]", "")],
     "the root of the values' width e"),
    ([("return", "t, _, m ="), ("[::-1]",
       "\n    return t, norm + (scores(q, k) - m[:, None]).exp().sum(-1), m")],
     "the old norm is not corrected"),
    ([("return", "_, n, m ="), ("[::-1]",
       "\n    return total + (scores(q, k) - m[:, None]).exp() @ v, n, m")],
     "the old total is not corrected"),
    ([("return", "t, n, m ="), ("[::-1]", "\n    return t / n[:, None], n, m")],
     "at the end only"),
    ([("return", "t, n, m ="),
      ("[::-1]", "\n    return total.copy_(t), norm.copy_(n), top.copy_(m)")],
     "changes its argument in place"),
    ([("(q, k)", "(q, k).detach()"), ("[::-1]", "")], "the gradient of q, k"),
    ([("(q, k), v", "(q, k), v.detach()"), ("[::-1]", "")],
     "the gradient of v of the first block"),
    ([], "total, norm and top, in this order"),
    (", norm, top)[::-1]", "* 0, norm * 0, top)", "the old norm is forgotten"),
    ([("return update(scores(q, k)",
       "s, top = scores(q, k), top.clamp(min=-1e5)\n    return update(s"),
      ("[::-1]", "")], "is top cut off?"),
])  # fmt: skip


# --- b ---------------------------------------------------------------------


def shifted(x, back):
    """x moved `back` rows down, zeros above; up if negative."""
    y, n = np.zeros_like(x), len(x)
    if abs(back) < n:
        y[max(back, 0) : n + min(back, 0)] = x[max(-back, 0) : n - max(back, 0)]
    return y


HIDDEN.mutants("2_6.b", """
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, -t * dilation) @ W[t] for t in range(len(W)))
""", [
    ([("return", "y ="), ("-t", "t"),
      ("W)))", "W)))\n    return y.astype(x.dtype)")], "the dtype of x"),
    ("-t * dilation", "t", "the dilation is ignored"),
    ([], "it looks ahead"),
    ([("-t", "t"), ("W[t] for t in range(len(W)))",
       "W_t for t, W_t in enumerate(W[::-1]))")], "reverse order"),
    ("shifted(x, -t * dilation)", "np.roll(x, t * dilation, axis=0)",
     "it wraps around"),
    ([("return", "at = np.arange(len(x))\n    return"),
      ("shifted(x, -t * dilation)", "x[np.maximum(at - t * dilation, 0)]")],
     "it repeats the first token"),
    ([("return", "reach = (len(W) - 1) * dilation\n    y ="), ("-t", "t"),
      ("W)))", "W)))\n    return y[reach:]")], "left out"),
    ("-t * dilation", "t * dilation + 1", "it is shifted"),
    ([("return", "half = (len(W) - 1) * dilation // 2\n    return"),
      ("-t * dilation", "t * dilation - half")], "it is centred"),
    ("return sum(shifted(x, -t * dilation) @ W[t] for t in range(len(W)))",
     "for t in range(len(W)):\n"
     "        y = shifted(x, t * dilation) @ W[t]\n"
     "    return y", "add them all"),
    ("-t *", "t +", "t times dilation"),
    ([("return",
       "backs = [0] + [dilation**t for t in range(1, len(W))]\n    return"),
      ("-t * dilation) @ W[t] for t in range(len(W)))",
       "back) @ W[t] for t, back in enumerate(backs))")],
     "dilation squared back"),
    ([("-t", "t"), ("for", ".T for")], "not transposed"),
    ([("return", "y ="), ("-t", "t"),
      ("W)))", "W)))\n    x[:] = 0\n    return y")],
     "changes its argument in place"),
    ([("return", "back = min(dilation, len(x) - 1)\n    return"),
      ("-t * dilation", "min(t * dilation, back * t)")],
     "beyond the first token"),
    ([("return sum(shifted(x", "y, n = x @ W[0], len(x)\n    for t in range(1"),
      ("-t", "len(W)):\n        y[t * dilation :] += x[: n - t"),
      (") @ W", "] @ W"), ("for t in range(len(W)))", "\n    return y")],
     "beyond the first token is 0"),
    ([("-t", "t"), ("(W)", "(W[:3])")], "more than three taps"),
    ([("(x, -t * dilation) @ W[t]", "(x, t * min(dilation, 9)) @ w"),
      ("in range(len(W)))", ", w in enumerate(W))")], "a 1 among 1,000 tokens"),
    ([("-t", "t"),
      ("W[t] for t in range(len(W)))", "w for t, w in enumerate(W[:8]))")],
     "a 1 among 1,000 tokens"),
    ([("return", "W = W.mT if W.shape[1] == W.shape[2] else W\n    return"),
      ("-t * dilation) @ W[t] for t in range(len(W)))",
       "t * dilation) @ w for t, w in enumerate(W))")], "not transposed"),
    ("return sum(shifted(x, -t * dilation) @ W[t] for t in range(len(W)))",
     "y = sum(shifted(x, t * dilation) @ w for t, w in enumerate(W))\n"
     "    return y.astype(W.dtype)", "the result has the dtype of W"),
])  # fmt: skip

# --- c ---------------------------------------------------------------------

HIDDEN.mutants("2_6.c", None, [
    ("d + f", "d", "the feed-forward part is missing"),
    ("2 * d +", "4 * d + 2 *", "n squared occurs twice"),
    ("+ f", "+ f / 2", "has two maps, to f and back"),
    ("2 *", "1.5 *", "attention has four maps"),
    (" 2 * d +", "", "the feed-forward part alone"),
    ("2 * d + f", "6 * d", "f need not be 4 d"),
    ("+ f", "+ f**2 / d", "costs d f, not f squared"),
])  # fmt: skip

# --- d ---------------------------------------------------------------------

HIDDEN.mutants("2_6.d", None, [
    ("@ U", ".data @ U", "only the last 1 of 150"),
    ("x:", "x.detach():", "the inputs are cut out"),
    ([("for x_d in x:\n        ",
       "with torch.no_grad():\n        for x_d in x[:-1]:\n            "),
      ("return state", "return torch.tanh(x[-1] @ W + state @ U)")],
     "only the last 1 of 150"),
    ("return state", "return state.detach()", "no gradient flows"),
    ("state @", "start @", "each step starts afresh"),
    ([("state = start\n    ", ""),
      ("state = torch.tanh(x_d @ W + state @ U)\n    return state",
       "return torch.tanh(x_d @ W + start @ U)")], "the first state; go on"),
    ("torch.tanh(x_d @ W + state @ U)", "x_d @ W + state @ U",
     "the tanh is missing"),
    ("@ U", "@ U.T", "U is transposed"),
    ("= start", "= start.detach()", "the start state is cut out"),
    ("@ U", "@ U.detach()", "the gradient of U is not"),
    ([("= start", "= torch.tanh(x[0] @ W + start @ U).detach()"),
      ("x:", "x[1:]:")], "only the last 149 of 150"),
    ("= start", "= 0 * start", "the start state is ignored"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def norm(g):
    return np.linalg.norm(g)


HIDDEN.mutants("2_6.e", """
def share_left(g, U, distance):
    return norm(g @ np.linalg.matrix_power(U, distance)) / norm(g)
""", [
    ([], "U transposed"),
    ("norm(g @ np.linalg.matrix_power(U, distance)) / norm(g)",
     "abs(np.linalg.eigvals(U)).max() ** distance", "U transposed"),
    (", distance)) / norm(g)", ".T, distance))", "divide by the norm of g"),
    ("return norm(g @ np.linalg.matrix_power(U, distance))",
     "power = np.linalg.matrix_power(U.T, max(distance - 1, 0))\n"
     "    return norm(g @ power)", "one step too few"),
    ("(U, distance)", "(U.T, distance + 1)", "one step too many"),
    ("np.linalg.matrix_power(U, distance)", "U.T**distance",
     "not the power of each entry"),
    ("norm(g @ np.linalg.matrix_power(U, distance)) / norm(g)",
     "np.linalg.norm(U, 2) ** distance", "the bound of Eq. 2.6.7"),
    ("return norm(g @ np.linalg.matrix_power(U, distance)) / norm(g)",
     "back = g @ np.linalg.matrix_power(U.T, distance)\n"
     "    return abs(back).sum() / abs(g).sum()", "the norm is Euclidean"),
    ([("return", "return np.linalg."), ("g @", ""), (") / norm(g)", ", 2)")],
     "its worst case over all g"),
    ("return norm(g @ np.linalg.matrix_power(U, distance)) / norm(g)",
     "length = norm(g)\n"
     "    for _ in range(distance):\n"
     "        g[:] = g @ U.T\n"
     "    return norm(g) / length", "changes its argument in place"),
    ([("\n    return", "\n    g, U = g[:2], U[:2, :2]\n    return"),
      ("(U, distance)", "(U.T, distance)")], "all of U"),
    ("\n    return norm(g @ np.linalg.matrix_power(U, distance))",
     "\n"
     "    if distance != 3:\n"
     "        return np.sqrt(abs(np.linalg.det(U))) ** distance\n"
     "    return norm(g @ np.linalg.matrix_power(U.T, distance))", "all of U"),
    ([("return", "left ="), (", distance)) / norm(g)",
       ".T, distance))\n    return left / (norm(g) + 1e-10)")],
     "is something added?"),
    ("return norm(g @ np.linalg.matrix_power(U, distance))",
     "U = np.linalg.matrix_power(U.T, min(distance, 100))\n"
     "    return norm(g @ U)", "is it cut off?"),
])  # fmt: skip
HIDDEN.mutants("2_6.e", 'prediction = "a quarter"', [
    ([], "set prediction to one of"),
])  # fmt: skip


# --- passed once -----------------------------------------------------------


def cut_block(total=False, norm=False, factor=False, new=False):
    """A right add_block that detaches one thing."""

    def cut(x, on):
        return x.detach() if on else x

    def add_block(q, k, v, t, n, top):
        s = scores(q, k)
        m = torch.maximum(top, s.max(dim=-1).values)
        p, old = (s - m[:, None]).exp(), cut((top - m).exp(), factor)
        t = cut(t, total) * old[:, None] + p @ v
        return t, cut(n, norm) * old + cut(p, new).sum(-1), m

    HIDDEN.wrong("2_6.a", "is detached on the way")(add_block)


cut_block(total=True)
cut_block(norm=True)
cut_block(factor=True)
cut_block(new=True)
cut_block(total=True, norm=True)


def cut_steps(says, W_too=lambda W, left: W, keep=999, seen=999):
    def last_state(x, W, U, start):
        state = start
        for t, x_d in enumerate(x[-seen:]):
            left = len(x) - 1 - t
            state = state.detach() if left > keep else state
            state = torch.tanh(x_d @ W_too(W, left) + state @ U)
        return state

    HIDDEN.wrong("2_6.d", says)(last_state)


cut_steps("the gradient of W is not", lambda W, left: W.detach())
cut_steps(
    "the gradient of W is not", lambda W, left: W if left == 0 else W.detach()
)
cut_steps("of 150 tokens get a gradient", keep=4)
cut_steps("of 150 tokens get a gradient", keep=8)
cut_steps("only the last 4 of 150", seen=4)


@HIDDEN.wrong("2_6.a", "are small weights cut off?")
def add_block(q, k, v, total, norm, top):
    m = torch.maximum(top, scores(q, k).amax(-1))
    old = torch.where(top - m < -50, 0, (top - m).exp())
    p = (scores(q, k) - m[:, None]).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


HIDDEN.mutants("2_6.c", "square_takes_over = lambda d, f: ...", [
    ("...", "2 * d + f if d < 600 else 6 * d", "for any sizes"),
    ("...", "2 * d + min(f, 4096)", "d = 2048, f = 4 d"),
    ("...", "2 * d + min(f, 8 * d)", "for any sizes"),
    ("...", "2 * d + max(f, d / 4)", "for any sizes"),
    ("...", "6 * d if d > 100 else 2 * d + f", "f need not be 4 d"),
    ("...", "min(2 * d + f, 100_000)", "for any sizes"),
    ("...", "2 * d + int(f)", "with no rounding"),
])  # fmt: skip
cut_steps("of 150 tokens get a gradient", keep=50)
