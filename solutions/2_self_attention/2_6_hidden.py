"""Hidden checks and known wrong answers of exercises 2.6.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient
from attnbook.check.ex_2_6 import Blocks

HIDDEN = Hidden(withheld=("tiled",))


def block_arguments(rng):
    """Sizes all different; a state as earlier blocks may have left it."""
    i, j, d, e = rng.choice(np.arange(2, 40), 4, False)
    shapes = [(i, d), (j, d), (j, e), (i, e)]
    q, k, v, total = (rng.normal(size=s) * 2 for s in shapes)
    top = rng.normal(size=i) * 10
    return q, k, v, total, rng.uniform(1, 5, size=i), top


@HIDDEN.check("2_6.a", "random sizes")
def block_anywhere(answer, rng, reference):
    args = block_arguments(rng)
    agree(answer, reference, "add_block", args, "random", 3, 1e-4)


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


@HIDDEN.check("2_6.c", "random widths")
def square_anywhere(answer, rng, reference):
    for size in (90, 2000, 50_000):
        args = (int(rng.integers(2, size)), int(rng.integers(2, size)))
        agree(answer, reference, "square_takes_over", args, "random widths")


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


@HIDDEN.wrong("2_6.a", "does not fall below it")
def add_block(q, k, v, total, norm, top):
    return update(scores(q, k), v, total, norm, top.clamp(min=0))


@HIDDEN.wrong("2_6.a", "cut to a whole number")
def add_block(q, k, v, total, norm, top):
    return update(q @ k.T / int(len(q.T) ** 0.5), v, total, norm, top)


@HIDDEN.wrong("2_6.a", "negative values")
def add_block(q, k, v, total, norm, top):
    total, norm, top = update(scores(q, k), v, total, norm, top)
    return total.relu(), norm, top


@HIDDEN.wrong("2_6.a", "not divided by sqrt(d)")
def add_block(q, k, v, total, norm, top):
    return update(q @ k.T, v, total, norm, top)


@HIDDEN.wrong("2_6.a", "divided by d, not by sqrt(d)")
def add_block(q, k, v, total, norm, top):
    return update(q @ k.T / q.shape[-1], v, total, norm, top)


@HIDDEN.wrong("2_6.a", "the root of the values' width e")
def add_block(q, k, v, total, norm, top):
    return update(q @ k.T / v.shape[-1] ** 0.5, v, total, norm, top)


@HIDDEN.wrong("2_6.a", "each query has its own")
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)
    m = torch.maximum(top, s.max())  # of the whole block
    p, old = (s - m[:, None]).exp(), (top - m).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


@HIDDEN.wrong("2_6.a", "the smallest score")
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)
    m = torch.maximum(top, s.min(dim=-1).values)
    p, old = (s - m[:, None]).exp(), (top - m).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


@HIDDEN.wrong("2_6.a", "scores of 1,000 overflow")
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)  # the max is only written down
    m = torch.maximum(top, s.max(dim=-1).values)
    return total + s.exp() @ v, norm + s.exp().sum(-1), m


@HIDDEN.wrong("2_6.a", "the old norm is not corrected")
def add_block(q, k, v, total, norm, top):
    t, _, m = update(scores(q, k), v, total, norm, top)
    return t, norm + (scores(q, k) - m[:, None]).exp().sum(-1), m


@HIDDEN.wrong("2_6.a", "the old total is not corrected")
def add_block(q, k, v, total, norm, top):
    _, n, m = update(scores(q, k), v, total, norm, top)
    return total + (scores(q, k) - m[:, None]).exp() @ v, n, m


@HIDDEN.wrong("2_6.a", "upside down")
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)
    m = torch.maximum(top, s.max(dim=-1).values)
    old = torch.where(top == -torch.inf, 0.0, (m - top).exp())
    p = (s - m[:, None]).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


@HIDDEN.wrong("2_6.a", "not the largest so far")
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)
    m = s.max(dim=-1).values
    p, old = (s - m[:, None]).exp(), (top - m).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


@HIDDEN.wrong("2_6.a", "sums over the queries")
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)
    m = torch.maximum(top, s.max(dim=-1).values)
    p, old = s.softmax(dim=0), (top - m).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


@HIDDEN.wrong("2_6.a", "The size of tensor")
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)
    m = torch.maximum(top, s.max(dim=0).values)  # over the queries
    p, old = (s - m).exp(), (top - m).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(0), m


@HIDDEN.wrong("2_6.a", "the norm is the sum itself")
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)
    m = torch.maximum(top, s.max(dim=-1).values)
    p, old = s.softmax(dim=-1), (top - m).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


@HIDDEN.wrong("2_6.a", "at the end only")
def add_block(q, k, v, total, norm, top):
    t, n, m = update(scores(q, k), v, total, norm, top)
    return t / n[:, None], n, m


@HIDDEN.wrong("2_6.a", "changes its argument in place")
def add_block(q, k, v, total, norm, top):
    t, n, m = update(scores(q, k), v, total, norm, top)
    return total.copy_(t), norm.copy_(n), top.copy_(m)


@HIDDEN.wrong("2_6.a", "the gradient of q, k")
def add_block(q, k, v, total, norm, top):
    return update(scores(q, k).detach(), v, total, norm, top)


@HIDDEN.wrong("2_6.a", "the gradient of v of the first block")
def add_block(q, k, v, total, norm, top):
    return update(scores(q, k), v.detach(), total, norm, top)


@HIDDEN.wrong("2_6.a", "total, norm and top, in this order")
def add_block(q, k, v, total, norm, top):
    return update(scores(q, k), v, total, norm, top)[::-1]


@HIDDEN.wrong("2_6.a", "the old norm is forgotten")
def add_block(q, k, v, total, norm, top):
    return update(scores(q, k), v, total * 0, norm * 0, top)


# --- b ---------------------------------------------------------------------


def shifted(x, back):
    """x moved `back` rows down, zeros above; up if negative."""
    y, n = np.zeros_like(x), len(x)
    if abs(back) < n:
        y[max(back, 0) : n + min(back, 0)] = x[max(-back, 0) : n - max(back, 0)]
    return y


@HIDDEN.wrong("2_6.b", "the dtype of x")
def dilated_convolution(x, W, dilation):
    y = sum(shifted(x, t * dilation) @ W[t] for t in range(len(W)))
    return y.astype(x.dtype)


@HIDDEN.wrong("2_6.b", "the dilation is ignored")
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, t) @ W[t] for t in range(len(W)))


@HIDDEN.wrong("2_6.b", "it looks ahead")
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, -t * dilation) @ W[t] for t in range(len(W)))


@HIDDEN.wrong("2_6.b", "reverse order")
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, t * dilation) @ W_t for t, W_t in enumerate(W[::-1]))


@HIDDEN.wrong("2_6.b", "it wraps around")
def dilated_convolution(x, W, dilation):
    return sum(np.roll(x, t * dilation, axis=0) @ W[t] for t in range(len(W)))


@HIDDEN.wrong("2_6.b", "it repeats the first token")
def dilated_convolution(x, W, dilation):
    at = np.arange(len(x))
    return sum(
        x[np.maximum(at - t * dilation, 0)] @ W[t] for t in range(len(W))
    )


@HIDDEN.wrong("2_6.b", "left out")
def dilated_convolution(x, W, dilation):
    reach = (len(W) - 1) * dilation
    y = sum(shifted(x, t * dilation) @ W[t] for t in range(len(W)))
    return y[reach:]


@HIDDEN.wrong("2_6.b", "it is shifted")
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, t * dilation + 1) @ W[t] for t in range(len(W)))


@HIDDEN.wrong("2_6.b", "it is centred")
def dilated_convolution(x, W, dilation):
    half = (len(W) - 1) * dilation // 2
    return sum(shifted(x, t * dilation - half) @ W[t] for t in range(len(W)))


@HIDDEN.wrong("2_6.b", "add them all")
def dilated_convolution(x, W, dilation):
    for t in range(len(W)):
        y = shifted(x, t * dilation) @ W[t]
    return y


@HIDDEN.wrong("2_6.b", "t times dilation")
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, t + dilation) @ W[t] for t in range(len(W)))


@HIDDEN.wrong("2_6.b", "dilation squared back")
def dilated_convolution(x, W, dilation):
    backs = [0] + [dilation**t for t in range(1, len(W))]
    return sum(shifted(x, back) @ W[t] for t, back in enumerate(backs))


@HIDDEN.wrong("2_6.b", "not transposed")
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, t * dilation) @ W[t].T for t in range(len(W)))


@HIDDEN.wrong("2_6.b", "changes its argument in place")
def dilated_convolution(x, W, dilation):
    y = sum(shifted(x, t * dilation) @ W[t] for t in range(len(W)))
    x[:] = 0
    return y


@HIDDEN.wrong("2_6.b", "beyond the first token")
def dilated_convolution(x, W, dilation):
    back = min(dilation, len(x) - 1)
    return sum(
        shifted(x, min(t * dilation, back * t)) @ W[t] for t in range(len(W))
    )


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("2_6.c", "the feed-forward part is missing")
def square_takes_over(d, f):
    return 2 * d


@HIDDEN.wrong("2_6.c", "n squared occurs twice")
def square_takes_over(d, f):
    return 4 * d + 2 * f


@HIDDEN.wrong("2_6.c", "has two maps, to f and back")
def square_takes_over(d, f):
    return 2 * d + f / 2


@HIDDEN.wrong("2_6.c", "attention has four maps")
def square_takes_over(d, f):
    return 1.5 * d + f


@HIDDEN.wrong("2_6.c", "the feed-forward part alone")
def square_takes_over(d, f):
    return f


@HIDDEN.wrong("2_6.c", "f need not be 4 d")
def square_takes_over(d, f):
    return 6 * d


@HIDDEN.wrong("2_6.c", "costs d f, not f squared")
def square_takes_over(d, f):
    return 2 * d + f**2 / d


# --- d ---------------------------------------------------------------------


@HIDDEN.wrong("2_6.d", "only the last 1 of 150")
def last_state(x, W, U, start):
    state = start
    for x_d in x:
        state = torch.tanh(x_d @ W + state.data @ U)
    return state


@HIDDEN.wrong("2_6.d", "the inputs are cut out")
def last_state(x, W, U, start):
    state = start
    for x_d in x.detach():
        state = torch.tanh(x_d @ W + state @ U)
    return state


@HIDDEN.wrong("2_6.d", "only the last 1 of 150")
def last_state(x, W, U, start):
    state = start
    with torch.no_grad():
        for x_d in x[:-1]:
            state = torch.tanh(x_d @ W + state @ U)
    return torch.tanh(x[-1] @ W + state @ U)


@HIDDEN.wrong("2_6.d", "no gradient flows")
def last_state(x, W, U, start):
    state = start
    for x_d in x:
        state = torch.tanh(x_d @ W + state @ U)
    return state.detach()


@HIDDEN.wrong("2_6.d", "each step starts afresh")
def last_state(x, W, U, start):
    state = start
    for x_d in x:
        state = torch.tanh(x_d @ W + start @ U)
    return state


@HIDDEN.wrong("2_6.d", "the first state; go on")
def last_state(x, W, U, start):
    for x_d in x:
        return torch.tanh(x_d @ W + start @ U)


@HIDDEN.wrong("2_6.d", "the tanh is missing")
def last_state(x, W, U, start):
    state = start
    for x_d in x:
        state = x_d @ W + state @ U
    return state


@HIDDEN.wrong("2_6.d", "U is transposed")
def last_state(x, W, U, start):
    state = start
    for x_d in x:
        state = torch.tanh(x_d @ W + state @ U.T)
    return state


@HIDDEN.wrong("2_6.d", "the start state is cut out")
def last_state(x, W, U, start):
    state = start.detach()
    for x_d in x:
        state = torch.tanh(x_d @ W + state @ U)
    return state


@HIDDEN.wrong("2_6.d", "the gradient of U is not")
def last_state(x, W, U, start):
    state = start
    for x_d in x:
        state = torch.tanh(x_d @ W + state @ U.detach())
    return state


@HIDDEN.wrong("2_6.d", "only the last 149 of 150")
def last_state(x, W, U, start):
    state = torch.tanh(x[0] @ W + start @ U).detach()
    for x_d in x[1:]:
        state = torch.tanh(x_d @ W + state @ U)
    return state


# --- e ---------------------------------------------------------------------


def norm(g):
    return np.linalg.norm(g)


@HIDDEN.wrong("2_6.e", "U transposed")
def share_left(g, U, distance):
    return norm(g @ np.linalg.matrix_power(U, distance)) / norm(g)


@HIDDEN.wrong("2_6.e", "U transposed")
def share_left(g, U, distance):
    return abs(np.linalg.eigvals(U)).max() ** distance


@HIDDEN.wrong("2_6.e", "divide by the norm of g")
def share_left(g, U, distance):
    return norm(g @ np.linalg.matrix_power(U.T, distance))


@HIDDEN.wrong("2_6.e", "one step too few")
def share_left(g, U, distance):
    power = np.linalg.matrix_power(U.T, max(distance - 1, 0))
    return norm(g @ power) / norm(g)


@HIDDEN.wrong("2_6.e", "one step too many")
def share_left(g, U, distance):
    return norm(g @ np.linalg.matrix_power(U.T, distance + 1)) / norm(g)


@HIDDEN.wrong("2_6.e", "not the power of each entry")
def share_left(g, U, distance):
    return norm(g @ U.T**distance) / norm(g)


@HIDDEN.wrong("2_6.e", "the bound of Eq. 2.6.7")
def share_left(g, U, distance):
    return np.linalg.norm(U, 2) ** distance


@HIDDEN.wrong("2_6.e", "the norm is Euclidean")
def share_left(g, U, distance):
    back = g @ np.linalg.matrix_power(U.T, distance)
    return abs(back).sum() / abs(g).sum()


@HIDDEN.wrong("2_6.e", "its worst case over all g")
def share_left(g, U, distance):
    return np.linalg.norm(np.linalg.matrix_power(U, distance), 2)


@HIDDEN.wrong("2_6.e", "changes its argument in place")
def share_left(g, U, distance):
    length = norm(g)
    for _ in range(distance):
        g[:] = g @ U.T
    return norm(g) / length


@HIDDEN.wrong("2_6.e", "set prediction to one of")
def share_left(g, U, distance):
    return norm(g @ np.linalg.matrix_power(U.T, distance)) / norm(g)


HIDDEN.wrong_answers[-1].names = {"prediction": "a quarter"}


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


@HIDDEN.wrong("2_6.b", "beyond the first token is 0")
def dilated_convolution(x, W, dilation):
    y, n = x @ W[0], len(x)
    for t in range(1, len(W)):
        y[t * dilation :] += x[: n - t * dilation] @ W[t]
    return y


@HIDDEN.wrong("2_6.b", "more than three taps")
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, t * dilation) @ W[t] for t in range(len(W[:3])))


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


@HIDDEN.wrong("2_6.d", "the start state is ignored")
def last_state(x, W, U, start):
    state = 0 * start
    for x_d in x:
        state = torch.tanh(x_d @ W + state @ U)
    return state


@HIDDEN.wrong("2_6.e", "all of U")
def share_left(g, U, distance):
    g, U = g[:2], U[:2, :2]
    return norm(g @ np.linalg.matrix_power(U.T, distance)) / norm(g)


@HIDDEN.wrong("2_6.e", "all of U")
def share_left(g, U, distance):
    if distance != 3:
        return np.sqrt(abs(np.linalg.det(U))) ** distance
    return norm(g @ np.linalg.matrix_power(U.T, distance)) / norm(g)


@HIDDEN.wrong("2_6.a", "is top cut off?")
def add_block(q, k, v, total, norm, top):
    s, top = scores(q, k), top.clamp(min=-1e5)
    return update(s, v, total, norm, top)


@HIDDEN.wrong("2_6.a", "are small weights cut off?")
def add_block(q, k, v, total, norm, top):
    s = scores(q, k)
    m = torch.maximum(top, s.amax(-1))
    p, old = (s - m[:, None]).clamp(min=-30).exp(), (top - m).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


@HIDDEN.wrong("2_6.a", "are small weights cut off?")
def add_block(q, k, v, total, norm, top):
    m = torch.maximum(top, scores(q, k).amax(-1))
    old = torch.where(top - m < -50, 0, (top - m).exp())
    p = (scores(q, k) - m[:, None]).exp()
    return old[:, None] * total + p @ v, old * norm + p.sum(-1), m


def square(says, rule):
    names = {"square_takes_over": rule}
    HIDDEN.wrong("2_6.c", says)(lambda: None)
    HIDDEN.wrong_answers[-1].names = names


square("for any sizes", lambda d, f: 2 * d + f if d < 600 else 6 * d)
square("d = 2048, f = 4 d", lambda d, f: 2 * d + min(f, 4096))
square("for any sizes", lambda d, f: 2 * d + min(f, 8 * d))
square("for any sizes", lambda d, f: 2 * d + max(f, d / 4))
square("f need not be 4 d", lambda d, f: 6 * d if d > 100 else 2 * d + f)
square("for any sizes", lambda d, f: min(2 * d + f, 100_000))
square("with no rounding", lambda d, f: 2 * d + int(f))
cut_steps("of 150 tokens get a gradient", keep=50)


@HIDDEN.wrong("2_6.b", "a 1 among 1,000 tokens")
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, t * min(dilation, 9)) @ w for t, w in enumerate(W))


@HIDDEN.wrong("2_6.b", "a 1 among 1,000 tokens")
def dilated_convolution(x, W, dilation):
    return sum(shifted(x, t * dilation) @ w for t, w in enumerate(W[:8]))


@HIDDEN.wrong("2_6.b", "not transposed")
def dilated_convolution(x, W, dilation):
    W = W.mT if W.shape[1] == W.shape[2] else W
    return sum(shifted(x, t * dilation) @ w for t, w in enumerate(W))


@HIDDEN.wrong("2_6.b", "the result has the dtype of W")
def dilated_convolution(x, W, dilation):
    y = sum(shifted(x, t * dilation) @ w for t, w in enumerate(W))
    return y.astype(W.dtype)


@HIDDEN.wrong("2_6.e", "is something added?")
def share_left(g, U, distance):
    left = norm(g @ np.linalg.matrix_power(U.T, distance))
    return left / (norm(g) + 1e-10)


@HIDDEN.wrong("2_6.e", "is it cut off?")
def share_left(g, U, distance):
    U = np.linalg.matrix_power(U.T, min(distance, 100))
    return norm(g @ U) / norm(g)
