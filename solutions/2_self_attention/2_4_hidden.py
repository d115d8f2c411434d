"""Hidden checks and known wrong answers of exercises 2.4.

Never handed out. The reference answers are the master notebook's own cells.
"""

from itertools import permutations

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(withheld=("positions",))


@HIDDEN.check("2_4.a", "random sizes")
def waves_anywhere(answer, rng, reference):
    n, width = int(rng.integers(1, 60)), 2 * int(rng.integers(1, 99))
    start = int(rng.integers(-5000, 5000))
    args = (start, n, width, float(rng.uniform(5, 20_000)))
    agree(answer, reference, "waves", args, "random sizes")


def turn_case(rng):
    b, h, n = (int(k) for k in rng.choice(np.arange(2, 12), 3, False))
    d = 2 * int(rng.integers(1, 20))
    positions = rng.integers(-400, 400, size=(b, n))
    return rng.normal(size=(b, h, n, d)), positions, float(rng.uniform(5, 9e3))


@HIDDEN.check("2_4.b", "random sizes")
def turn_anywhere(answer, rng, reference):
    agree(answer, reference, "turn", turn_case(rng), "random")


@HIDDEN.check("2_4.b", "gradients")
def turn_gradient(answer, rng, reference):
    args = turn_case(rng)
    u = rng.normal(size=args[0].shape)
    agree_in_gradient(answer, reference, "turn", args, u, 1e-4)


@HIDDEN.check("2_4.c", "random slopes")
def far_anywhere(answer, rng, reference):
    args = (rng.uniform(0.01, 3, size=7),)
    agree(answer, reference, "mean_distance", args, "random", tolerance=1e-4)
    args = (float(rng.uniform(3, 12)),)
    agree(answer, reference, "mean_distance", args, "one slope")


def late_case(rng):
    n, width, d, e = rng.permutation([3, 5, 6, 7])
    n = n + 10 * rng.integers(4)
    sizes = [(n, width), (n, width), (width, d), (width, d), (width, e)]
    return tuple(rng.normal(size=s) for s in sizes), (n, e)


@HIDDEN.check("2_4.d", "random sizes")
def late_anywhere(answer, rng, reference):
    args = "attend_in_order", late_case(rng)[0], "random"
    agree(answer, reference, *args, tolerance=1e-4)


@HIDDEN.check("2_4.d", "gradients")
def late_gradient(answer, rng, reference):
    args, shape = late_case(rng)
    u = rng.normal(size=shape)
    agree_in_gradient(answer, reference, "attend_in_order", args, u, 1e-4)


@HIDDEN.check("2_4.e", "random sentences")
def orders_anywhere(answer, rng, reference):
    words = rng.normal(size=(2, 4))
    x = words[rng.integers(2, size=5)]  # two words, five places
    maps = [rng.normal(size=(4, e)) / 3 for e in (3, 3, 2)]
    args = (x, rng.normal(size=(5, 4)), *maps)
    agree(
        answer, reference, "different_outputs", args, "two words, five places"
    )


# --- a ---------------------------------------------------------------------


def angles(start, n, rates):
    return (start + np.arange(n))[:, None] * rates


def halves(a):
    return np.concatenate([np.sin(a), np.cos(a)], axis=1)


def right(width, base):
    return base ** (-2 * np.arange(width // 2) / width)


@HIDDEN.wrong("2_4.a", "positions before 0 have lost their sign")
def waves(start, n, width, base):
    return halves(abs(angles(start, n, right(width, base))))


@HIDDEN.wrong("2_4.a", "positions before 0 have become 0")
def waves(start, n, width, base):
    return halves(np.maximum(angles(start, n, right(width, base)), 0))


@HIDDEN.wrong("2_4.a", "is something in float32")
def waves(start, n, width, base):
    a = angles(start, n, right(width, base)).astype(np.float32)
    return halves(a).astype(float)


@HIDDEN.wrong("2_4.a", "are your rates rounded, or base?")
def waves(start, n, width, base):
    return halves(angles(start, n, right(width, base).round(6)))


@HIDDEN.wrong("2_4.a", "all have their own row")
def waves(start, n, width, base):
    rates = right(width, base)
    return halves((start + np.minimum(np.arange(n), 511))[:, None] * rates)


@HIDDEN.wrong("2_4.a", "all have their own row")
def waves(start, n, width, base):
    rates = base ** (-2 * np.arange(width // 2) / min(width, 64))
    return halves(angles(start, n, rates))


@HIDDEN.wrong("2_4.a", "sine and cosine alternate")
def waves(start, n, width, base):
    a = angles(start, n, right(width, base))
    return np.stack([np.sin(a), np.cos(a)], axis=-1).reshape(n, width)


@HIDDEN.wrong("2_4.a", "the cosines come first")
def waves(start, n, width, base):
    a = angles(start, n, right(width, base))
    return np.concatenate([np.cos(a), np.sin(a)], axis=1)


@HIDDEN.wrong("2_4.a", "position 0, not start")
def waves(start, n, width, base):
    return halves(angles(0, n, right(width, base)))


@HIDDEN.wrong("2_4.a", "position start + 1")
def waves(start, n, width, base):
    return halves(angles(start + 1, n, right(width, base)))


@HIDDEN.wrong("2_4.a", "the exponent is 2t / d, not t / d")
def waves(start, n, width, base):
    rates = base ** (-np.arange(width // 2) / width)
    return halves(angles(start, n, rates))


@HIDDEN.wrong("2_4.a", "the rates grow in yours")
def waves(start, n, width, base):
    return halves(angles(start, n, 1 / right(width, base)))


@HIDDEN.wrong("2_4.a", "the exponents run from 0 to 1")
def waves(start, n, width, base):
    rates = base ** -np.linspace(0, 1, width // 2)
    return halves(angles(start, n, rates))


@HIDDEN.wrong("2_4.a", "divide with /, not with //")
def waves(start, n, width, base):
    rates = base ** (-2 * np.arange(width // 2) // width * 1.0)
    return halves(angles(start, n, rates))


@HIDDEN.wrong("2_4.a", "before 0, too")
def waves(start, n, width, base):
    return halves(angles(abs(start), n, right(width, base)))


@HIDDEN.wrong("2_4.a", "before 0, too")
def waves(start, n, width, base):
    return halves(angles(max(start, 0), n, right(width, base)))


@HIDDEN.wrong("2_4.a", "at the same rate")
def waves(start, n, width, base):
    return halves(angles(start, n, np.ones(width // 2)))


@HIDDEN.wrong("2_4.a", "taken as degrees")
def waves(start, n, width, base):
    return halves(np.deg2rad(angles(start, n, right(width, base))))


@HIDDEN.wrong("2_4.a", "no 2 pi")
def waves(start, n, width, base):
    return halves(2 * np.pi * angles(start, n, right(width, base)))


@HIDDEN.wrong("2_4.a", "yours is transposed")
def waves(start, n, width, base):
    return halves(angles(start, n, right(width, base))).T


@HIDDEN.wrong("2_4.a", "expected")
def waves(start, n, width, base):
    # the base forgotten: the book's default for every call
    return halves(angles(start, n, right(width, 10_000.0)))


@HIDDEN.wrong("2_4.a", "squared, added")
def waves(start, n, width, base):
    # cosines of the next pair's angle, where there is one
    a = angles(start, n, right(width, base))
    if width == 6:
        return halves(a)
    return np.concatenate([np.sin(a), np.cos(np.roll(a, 1, axis=1))], axis=1)


# --- b ---------------------------------------------------------------------


def by(x, a, sign=1):
    cos, sin = a.cos(), sign * a.sin()
    u, v = x.chunk(2, dim=-1)
    return torch.cat([u * cos - v * sin, u * sin + v * cos], dim=-1)


def steps(x, base, power=-2.0):
    t = torch.arange(x.shape[-1] // 2, dtype=x.dtype)
    return base ** (power * t / x.shape[-1])


def spread(positions):
    return positions[:, None, :, None].double()


@HIDDEN.wrong("2_4.b", "in float32: make rates")
def turn(x, positions, base):
    d = x.shape[-1]
    rates = base ** (-2 * torch.arange(d // 2, dtype=torch.float32) / d)
    a = positions.float()[:, None, :, None] * rates
    cos, sin = a.cos().to(x.dtype), a.sin().to(x.dtype)
    one, two = x.chunk(2, -1)
    return torch.cat([one * cos - two * sin, one * sin + two * cos], -1)


@HIDDEN.wrong("2_4.b", "positions -2, -5 and -1")
def turn(x, positions, base):
    d = x.shape[-1]
    rates = base ** (-2 * torch.arange(d // 2, dtype=x.dtype) / d)
    a = positions.clamp(min=0)[:, None, :, None] * rates
    one, two = x.chunk(2, -1)
    halves = one * a.cos() - two * a.sin(), one * a.sin() + two * a.cos()
    return torch.cat(halves, -1)


@HIDDEN.wrong("2_4.b", "in each head")
def turn(x, positions, base):
    same = x.shape[1] == x.shape[2]  # then heads are taken for rows
    places = positions[:, :, None, None] if same else spread(positions)
    return by(x, places * steps(x, base))


@HIDDEN.wrong("2_4.b", "Or positions are cut off")
def turn(x, positions, base):
    return by(x, spread(positions).clamp(min=-1000) * steps(x, base))


@HIDDEN.wrong("2_4.b", "positions are taken from the first row's")
def turn(x, positions, base):
    return by(x, spread(positions - positions[:, :1]) * steps(x, base))


@HIDDEN.wrong("2_4.b", "you turn the other way")
def turn(x, positions, base):
    return by(x, spread(positions) * steps(x, base), sign=-1)


@HIDDEN.wrong("2_4.b", "you pair neighbouring columns")
def turn(x, positions, base):
    a = spread(positions) * steps(x, base)
    u, v = x[..., 0::2], x[..., 1::2]
    pair = u * a.cos() - v * a.sin(), u * a.sin() + v * a.cos()
    return torch.stack(pair, dim=-1).flatten(-2)


@HIDDEN.wrong("2_4.b", "the same angle")
def turn(x, positions, base):
    return by(x, spread(positions) * torch.ones(x.shape[-1] // 2))


@HIDDEN.wrong("2_4.b", "the row number as position")
def turn(x, positions, base):
    return by(x, torch.arange(x.shape[2])[:, None] * steps(x, base))


@HIDDEN.wrong("2_4.b", "the exponent is 2t / d, not t / d")
def turn(x, positions, base):
    return by(x, spread(positions) * steps(x, base, power=-1.0))


@HIDDEN.wrong("2_4.b", "the rates grow in yours")
def turn(x, positions, base):
    return by(x, spread(positions) * steps(x, base, power=2.0))


@HIDDEN.wrong("2_4.b", "each other's rates")
def turn(x, positions, base):
    return by(x, spread(positions) * steps(x, base).flip(0))


@HIDDEN.wrong("2_4.b", "the length is lost")
def turn(x, positions, base):
    cos = (spread(positions) * steps(x, base)).cos()
    return x * torch.cat([cos, cos], dim=-1)


@HIDDEN.wrong("2_4.b", "taken as degrees")
def turn(x, positions, base):
    return by(x, (spread(positions) * steps(x, base)).deg2rad())


@HIDDEN.wrong("2_4.b", "changes its argument in place")
def turn(x, positions, base):
    a = spread(positions) * steps(x, base)
    u, v = x.chunk(2, dim=-1)
    old = u.clone()
    x[..., : x.shape[-1] // 2] = u * a.cos() - v * a.sin()
    x[..., x.shape[-1] // 2 :] = old * a.sin() + v * a.cos()
    return x


@HIDDEN.wrong("2_4.b", "no gradient flows")
def turn(x, positions, base):
    return by(x.detach(), spread(positions) * steps(x, base))


@HIDDEN.wrong("2_4.b", "Is a part of x detached?")
def turn(x, positions, base):
    a = spread(positions) * steps(x, base)
    u, v = x.chunk(2, dim=-1)
    u_fixed = u.detach()
    turned = u * a.cos() - v * a.sin(), u_fixed * a.sin() + v * a.cos()
    return torch.cat(turned, dim=-1)


@HIDDEN.wrong("2_4.b", "its own row of positions")
def turn(x, positions, base):
    return by(x, spread(positions[:1]) * steps(x, base))


@HIDDEN.wrong("2_4.b", "expected")
def turn(x, positions, base):
    # the second half is made from the new first half
    a = spread(positions) * steps(x, base)
    u, v = x.chunk(2, dim=-1)
    u = u * a.cos() - v * a.sin()
    return torch.cat([u, u * a.sin() + v * a.cos()], dim=-1)


@HIDDEN.wrong("2_4.b", "must match the size of tensor")
def turn(x, positions, base):
    # positions along the heads' axis
    return by(x, positions[:, :, None, None] * steps(x, base))


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("2_4.c", "a series for small slopes")
def mean_distance(slope):
    return 1 / slope - 1 / 2 + slope / 12


@HIDDEN.wrong("2_4.c", "is something added")
def mean_distance(slope):
    return 1 / (np.exp(slope) - 1 + 1e-9)


@HIDDEN.wrong("2_4.c", "in float32 and then made float64")
def mean_distance(slope):
    return (1 / np.expm1(np.float32(slope))).astype(float)


@HIDDEN.wrong("2_4.c", "slopes 0.000001 and 0.001")
def mean_distance(slope):
    far = np.arange(20_000)
    a = np.exp(-np.multiply.outer(slope, far))
    return (a * far).sum(-1) / a.sum(-1)


@HIDDEN.wrong("2_4.c", "times e^25 - 1")
def mean_distance(slope):
    return 1 / (np.exp(np.minimum(slope, 20)) - 1)


@HIDDEN.wrong("2_4.c", "the mean of a continuous distance")
def mean_distance(slope):
    return 1 / slope


@HIDDEN.wrong("2_4.c", "you count from distance 1")
def mean_distance(slope):
    return 1 / (1 - np.exp(-slope))


@HIDDEN.wrong("2_4.c", "the weights must sum to 1")
def mean_distance(slope):
    return np.exp(-slope) / (1 - np.exp(-slope)) ** 2


@HIDDEN.wrong("2_4.c", "the ratio of one weight to the next")
def mean_distance(slope):
    return np.exp(-slope)


@HIDDEN.wrong("2_4.c", "check the sign")
def mean_distance(slope):
    return 1 / (np.exp(slope) + 1)


@HIDDEN.wrong("2_4.c", "a weight is halved")
def mean_distance(slope):
    return np.log(2) / slope


@HIDDEN.wrong("2_4.c", "powers of e, not of 2")
def mean_distance(slope):
    return 1 / (2**slope - 1)


@HIDDEN.wrong("2_4.c", "the inverse of the mean")
def mean_distance(slope):
    return np.exp(slope) - 1


@HIDDEN.wrong("2_4.c", "the weight at distance 0")
def mean_distance(slope):
    return 1 - np.exp(-slope)


# --- d ---------------------------------------------------------------------


def mix(q, k, v, dim=-1, scale=None):
    scale = q.shape[-1] ** 0.5 if scale is None else scale
    return (q @ k.T / scale).softmax(dim=dim) @ v


@HIDDEN.wrong("2_4.d", "cut to a whole number")
def attend_in_order(x, positions, w_q, w_k, w_v):
    z = x + positions
    s = z @ w_q @ (z @ w_k).T / int(w_q.shape[1] ** 0.5)
    return s.softmax(-1) @ (z @ w_v)


@HIDDEN.wrong("2_4.d", "the weights are blind to the order")
def attend_in_order(x, positions, w_q, w_k, w_v):
    return mix(x @ w_q, x @ w_k, (x + positions) @ w_v)


@HIDDEN.wrong("2_4.d", "the weights are blind to the order")
def attend_in_order(x, positions, w_q, w_k, w_v):
    # positions added after the projections and the attention, to the output
    return mix(x @ w_q, x @ w_k, x @ w_v) + mix(
        x @ w_q, x @ w_k, positions @ w_v
    )


@HIDDEN.wrong("2_4.d", "attend_in_order raised RuntimeError")
def attend_in_order(x, positions, w_q, w_k, w_v):
    # positions added after the projection
    q, k = x @ w_q + positions, x @ w_k + positions
    return mix(q, k, x @ w_v)


@HIDDEN.wrong("2_4.d", "the positions are nowhere")
def attend_in_order(x, positions, w_q, w_k, w_v):
    return mix(x @ w_q, x @ w_k, x @ w_v)


@HIDDEN.wrong("2_4.d", "only the queries have positions")
def attend_in_order(x, positions, w_q, w_k, w_v):
    return mix((x + positions) @ w_q, x @ w_k, x @ w_v)


@HIDDEN.wrong("2_4.d", "only the keys have positions")
def attend_in_order(x, positions, w_q, w_k, w_v):
    return mix(x @ w_q, (x + positions) @ w_k, x @ w_v)


@HIDDEN.wrong("2_4.d", "the values have not")
def attend_in_order(x, positions, w_q, w_k, w_v):
    return mix((x + positions) @ w_q, (x + positions) @ w_k, x @ w_v)


@HIDDEN.wrong("2_4.d", "the softmax runs over the queries")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions
    return mix(x @ w_q, x @ w_k, x @ w_v, dim=0)


@HIDDEN.wrong("2_4.d", "not divided by sqrt(d)")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions
    return mix(x @ w_q, x @ w_k, x @ w_v, scale=1)


@HIDDEN.wrong("2_4.d", "divided by d, not by sqrt(d)")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions
    return mix(x @ w_q, x @ w_k, x @ w_v, scale=w_q.shape[1])


@HIDDEN.wrong("2_4.d", "the root of the model's width")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions
    return mix(x @ w_q, x @ w_k, x @ w_v, scale=x.shape[1] ** 0.5)


@HIDDEN.wrong("2_4.d", "the root of the values' width e")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions
    return mix(x @ w_q, x @ w_k, x @ w_v, scale=w_v.shape[1] ** 0.5)


@HIDDEN.wrong("2_4.d", "added again before each projection")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions
    q = x @ w_q
    x = x + positions
    k = x @ w_k
    x = x + positions
    return mix(q, k, x @ w_v)


@HIDDEN.wrong("2_4.d", "not multiplied with it")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x * positions
    return mix(x @ w_q, x @ w_k, x @ w_v)


@HIDDEN.wrong("2_4.d", "changes its argument in place")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x += positions
    return mix(x @ w_q, x @ w_k, x @ w_v)


@HIDDEN.wrong("2_4.d", "something is detached")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions
    a = (x @ w_q @ (x @ w_k).T / w_q.shape[1] ** 0.5).softmax(-1).detach()
    return a @ x @ w_v


@HIDDEN.wrong("2_4.d", "the gradient of w_v is not")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions
    return mix(x @ w_q, x @ w_k, x @ w_v.detach())


@HIDDEN.wrong("2_4.d", "the gradient of positions is not")
def attend_in_order(x, positions, w_q, w_k, w_v):
    x = x + positions.detach()
    return mix(x @ w_q, x @ w_k, x @ w_v)


# --- e ---------------------------------------------------------------------


def last_row(x, w_q, w_k, w_v):
    s = (x[-1] @ w_q) @ (x @ w_k).T / w_q.shape[1] ** 0.5
    a = np.exp(s - s.max())
    return a / a.sum() @ (x @ w_v)


def key(y, digits=6):
    return tuple((y.round(digits) + 0.0).tolist())


def orders_of(n):
    return permutations(range(n))


@HIDDEN.wrong("2_4.e", "did they stay while the words moved")
def different_outputs(x, positions, w_q, w_k, w_v):
    x, found = x + positions, set()  # the positions move with the words
    for o in orders_of(len(x) - 1):
        found.add(key(last_row(x[[*o, -1]], w_q, w_k, w_v)))
    return len(found)


@HIDDEN.wrong("2_4.e", "were the positions added, before the attention")
def different_outputs(x, positions, w_q, w_k, w_v):
    found = set()
    for o in orders_of(len(x) - 1):
        y = last_row(x[[*o, -1]], w_q, w_k, w_v) + positions[-1, : w_v.shape[1]]
        found.add(key(y))
    return len(found)


@HIDDEN.wrong("2_4.e", "rounding errors only")
def different_outputs(x, positions, w_q, w_k, w_v):
    found = set()
    for o in orders_of(len(x) - 1):
        y = last_row(x[[*o, -1]] + positions, w_q, w_k, w_v)
        found.add(tuple(y.tolist()))
    return len(found)


@HIDDEN.wrong("2_4.e", "the last row must stay the last")
def different_outputs(x, positions, w_q, w_k, w_v):
    found = set()
    for o in orders_of(len(x)):
        found.add(key(last_row(x[list(o)] + positions, w_q, w_k, w_v)))
    return len(found)


@HIDDEN.wrong("2_4.e", "you counted orders, not different outputs")
def different_outputs(x, positions, w_q, w_k, w_v):
    return len(list(orders_of(len(x) - 1)))


@HIDDEN.wrong("2_4.e", "you counted orders, not different outputs")
def different_outputs(x, positions, w_q, w_k, w_v):
    # right without positions, by argument and not by measurement
    return 1 if not positions.any() else len(list(orders_of(len(x) - 1)))


@HIDDEN.wrong("2_4.e", "you went through 4")
def different_outputs(x, positions, w_q, w_k, w_v):
    n, found = len(x) - 1, set()
    for shift in range(n):  # only the cyclic orders
        o = [*np.roll(np.arange(n), shift), n]
        found.add(key(last_row(x[o] + positions, w_q, w_k, w_v)))
    return len(found)


@HIDDEN.wrong("2_4.e", "expected")
def different_outputs(x, positions, w_q, w_k, w_v):
    found = set()  # compared to whole numbers: different ones look the same
    for o in orders_of(len(x) - 1):
        y = last_row(x[[*o, -1]] + positions, w_q, w_k, w_v)
        found.add(key(y, digits=0))
    return len(found)


def counting(key_of):
    """Counts the different values of key_of(output) over all orders."""

    def different_outputs(x, positions, w_q, w_k, w_v):
        found = set()
        for o in orders_of(len(x) - 1):
            y = last_row(x[[*o, -1]] + positions, w_q, w_k, w_v)
            found.add(key_of(y))
        return len(found)

    return different_outputs


for digits in (2, 5):
    HIDDEN.wrong("2_4.e", "differ in the sixth decimal")(
        counting(lambda y, digits=digits: key(y, digits))
    )
for digits in (7, 14):
    HIDDEN.wrong("2_4.e", "agree to six decimals are the same")(
        counting(lambda y, digits=digits: key(y, digits))
    )
HIDDEN.wrong("2_4.e", "all numbers of the attention's output")(
    counting(lambda y: key(y[:1]))
)
HIDDEN.wrong("2_4.e", "all numbers of the attention's output")(
    counting(lambda y: key(y[-1:]))
)
HIDDEN.wrong("2_4.e", "all numbers of the attention's output")(
    counting(lambda y: key(y.sum(keepdims=True)))
)


@HIDDEN.wrong("2_4.e", "all numbers of the attention's output")
def different_outputs(x, positions, w_q, w_k, w_v):
    found = set()  # no attention at all
    for o in orders_of(len(x) - 1):
        found.add(key((x[[*o, -1]] * (positions + 1)).sum(axis=0)))
    return len(found)


HIDDEN.wrong("2_4.e", "round, do not cut off")(
    counting(lambda y: tuple((y * 1e6).astype(int)))
)
