"""Hidden checks and known wrong answers of exercises 1.2.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np

from attnbook.attention import softmax
from attnbook.check.against import Hidden, agree

HIDDEN = Hidden()


@HIDDEN.check("1_2.a", "random rows, large and small")
def softmax_anywhere(answer, rng, reference):
    scores = rng.normal(size=(3, 5)) * 10.0 ** rng.integers(0, 5, (3, 1))
    args = (scores, float(rng.uniform(0.2, 5)))
    agree(answer, reference, "softmax_at", args, "random rows")


@HIDDEN.check("1_2.a", "one key far above the others")
def softmax_far(answer, rng, reference):
    scores = rng.normal(size=(4, 6))
    scores[rng.integers(4), 1:] = -9000
    agree(answer, reference, "softmax_at", (scores, 1.5), "one key far above")


@HIDDEN.check("1_2.b", "random rows")
def backward_anywhere(answer, rng, reference):
    args = (rng.dirichlet(np.ones(7), size=4), rng.normal(size=(4, 7)))
    agree(answer, reference, "softmax_backward", args, "random rows")


@HIDDEN.check("1_2.c", "random gaps")
def cold_anywhere(answer, rng, reference):
    args = (float(rng.uniform(0.1, 9)), float(rng.uniform(0.55, 0.99)))
    agree(answer, reference, "temperature_for", args, "random gap")


@HIDDEN.check("1_2.d", "random points")
def mask_anywhere(answer, rng, reference):
    args = (rng.uniform(0, 5, 8), float(rng.uniform(0.5, 40)))
    agree(answer, reference, "left_out_weights", args, "random points")


@HIDDEN.check("1_2.e", "random curves")
def search_anywhere(answer, rng, reference):
    x = np.sort(rng.uniform(0, 5, 40))
    y = np.sin(2 * x) + 0.3 * rng.normal(size=40)
    args = (x, y, np.linspace(0.5, 12, 24))
    agree(answer, reference, "best_sharpness", args, "random curve")


def stable(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# --- a ---------------------------------------------------------------------


@HIDDEN.wrong("1_2.a", "over the queries (axis 0)")
def softmax_at(scores, temperature):
    return stable(scores / temperature, axis=0)


@HIDDEN.wrong("1_2.a", "the temperature has no effect")
def softmax_at(scores, temperature):
    return stable(scores)


@HIDDEN.wrong("1_2.a", "multiplied by the temperature")
def softmax_at(scores, temperature):
    return stable(scores * temperature)


@HIDDEN.wrong("1_2.a", "the temperature divides the weights")
def softmax_at(scores, temperature):
    return stable(scores) / temperature


@HIDDEN.wrong("1_2.a", "all rows share one sum")
def softmax_at(scores, temperature):
    e = np.exp(scores / temperature)
    return e / e.sum()


@HIDDEN.wrong("1_2.a", "not yet divided by their sum")
def softmax_at(scores, temperature):
    return np.exp(scores / temperature)


@HIDDEN.wrong("1_2.a", "exp overflows")
def softmax_at(scores, temperature):
    e = np.exp(scores / temperature)
    return e / e.sum(axis=-1, keepdims=True)


@HIDDEN.wrong("1_2.a", "not each row's own largest")
def softmax_at(scores, temperature):
    e = np.exp((scores - scores.max()) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


@HIDDEN.wrong("1_2.a", "changes its argument in place")
def softmax_at(scores, temperature):
    scores /= temperature
    return stable(scores)


@HIDDEN.wrong("1_2.a", "did you forget `return`")
def softmax_at(scores, temperature):
    stable(scores / temperature)


@HIDDEN.wrong("1_2.a", "divided by the temperature like the scores")
def softmax_at(scores, temperature):
    e = np.exp(scores / temperature - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@HIDDEN.wrong("1_2.a", "cut to 0; make it float")
def softmax_at(scores, temperature):
    out = np.zeros_like(scores)
    out[...] = stable(scores / temperature)
    return out


@HIDDEN.wrong("1_2.a", "cut off or added to a small weight")
def softmax_at(scores, temperature):
    s = scores / temperature
    s = np.maximum(s - s.max(axis=-1, keepdims=True), -20)
    return stable(s)


@HIDDEN.wrong("1_2.a", "temperature 0.01")
def softmax_at(scores, temperature):
    return stable(scores / max(temperature, 0.1))


@HIDDEN.wrong("1_2.a", "as integers, against the same as floats")
def softmax_at(scores, temperature):
    return stable(
        scores // temperature if scores.dtype == int else scores / temperature
    )


@HIDDEN.wrong("1_2.a", "return one array, not a tuple")
def softmax_at(scores, temperature):
    return stable(scores / temperature), temperature


@HIDDEN.wrong("1_2.a", "float32 holds only three decimals")
def softmax_at(scores, temperature):
    return stable(scores.astype(np.float32) / np.float32(temperature))


@HIDDEN.wrong("1_2.a", "nothing is added to a sum")
def softmax_at(scores, temperature):
    s = scores / temperature
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / (e.sum(axis=-1, keepdims=True) + 1e-8)


@HIDDEN.wrong("1_2.a", "sum to 1 over axis 1")
def softmax_at(scores, temperature):
    return stable(scores / temperature, axis=min(1, scores.ndim - 1))


# --- b ---------------------------------------------------------------------


@HIDDEN.wrong("1_2.b", "must be subtracted")
def softmax_backward(weights, u):
    return weights * u


@HIDDEN.wrong("1_2.b", "only the diagonal")
def softmax_backward(weights, u):
    return weights * (1 - weights) * u


@HIDDEN.wrong("1_2.b", "not the plain mean")
def softmax_backward(weights, u):
    return weights * (u - u.mean(axis=-1, keepdims=True))


@HIDDEN.wrong("1_2.b", "the sign is reversed")
def softmax_backward(weights, u):
    return weights * ((weights * u).sum(axis=-1, keepdims=True) - u)


@HIDDEN.wrong("1_2.b", "the factor a in front is missing")
def softmax_backward(weights, u):
    return u - (weights * u).sum(axis=-1, keepdims=True)


@HIDDEN.wrong("1_2.b", "the mean runs over the batch")
def softmax_backward(weights, u):
    return weights * (u - (weights * u).sum(axis=0))


@HIDDEN.wrong("1_2.b", "the sum runs over the whole batch")
def softmax_backward(weights, u):
    return weights * (u - (weights * u).sum())


@HIDDEN.wrong("1_2.b", "needs the factor a too")
def softmax_backward(weights, u):
    return weights * u - (weights * u).sum(axis=-1, keepdims=True)


@HIDDEN.wrong("1_2.b", "not added")
def softmax_backward(weights, u):
    return weights * (u + (weights * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("1_2.b", "nothing may be cut off")
def softmax_backward(weights, u):
    a = np.clip(weights, 1e-3, 1)
    return a * (u - (a * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("1_2.b", "yours is of u alone")
def softmax_backward(weights, u):
    return weights * (u - weights * u.sum(axis=-1, keepdims=True))


@HIDDEN.wrong("1_2.b", "no second softmax")
def softmax_backward(weights, u):
    a = stable(weights)
    return a * (u - (a * u).sum(axis=-1, keepdims=True))


@HIDDEN.wrong("1_2.b", "keep the axis")
def softmax_backward(weights, u):
    mean = (weights * u).sum(axis=-1)
    square = weights.shape[0] == weights.shape[1]
    return weights * (u - (mean if square else mean[:, None]))


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("1_2.c", "that is 1/temperature")
def temperature_for(gap, weight):
    return np.log(weight / (1 - weight)) / gap


@HIDDEN.wrong("1_2.c", "a / (1 - a), not a")
def temperature_for(gap, weight):
    return gap / np.log(weight)


@HIDDEN.wrong("1_2.c", "upside down")
def temperature_for(gap, weight):
    return gap / np.log((1 - weight) / weight)


@HIDDEN.wrong("1_2.c", "natural logarithm")
def temperature_for(gap, weight):
    return gap / np.log10(weight / (1 - weight))


@HIDDEN.wrong("1_2.c", "you used the ratio")
def temperature_for(gap, weight):
    return -gap / np.log(1 - weight)


@HIDDEN.wrong("1_2.c", "you solved for 0.9 only")
def temperature_for(gap, weight):
    return gap / np.log(9)


@HIDDEN.wrong("1_2.c", "not 0.1")
def temperature_for(gap, weight):
    return gap / np.log(weight / 0.1)


@HIDDEN.wrong("1_2.c", "not base 2")
def temperature_for(gap, weight):
    return gap / np.log2(weight / (1 - weight))


@HIDDEN.wrong("1_2.c", "stands for weights (1 + a) / 2")
def temperature_for(gap, weight):
    return gap / 2 / np.arctanh(weight)


@HIDDEN.wrong("1_2.c", "any temperature may be needed")
def temperature_for(gap, weight):
    low, high = 1e-9, 100.0 * gap
    for _ in range(200):
        middle = (low + high) / 2
        cold = 1 / (1 + np.exp(-gap / middle)) > weight
        low, high = (middle, high) if cold else (low, middle)
    return middle


# --- d ---------------------------------------------------------------------


def scores_of(x, w):
    return -0.5 * (w * (x[:, None] - x)) ** 2


@HIDDEN.wrong("1_2.d", "applied after the softmax")
def left_out_weights(x, w):
    return softmax(scores_of(x, w)) * (1 - np.eye(len(x)))


@HIDDEN.wrong("1_2.d", "nothing was left to renormalise")
def left_out_weights(x, w):
    a = softmax(scores_of(x, w)) * (1 - np.eye(len(x)))
    return a / a.sum(axis=-1, keepdims=True)


@HIDDEN.wrong("1_2.d", "no mask at all")
def left_out_weights(x, w):
    return softmax(scores_of(x, w))


@HIDDEN.wrong("1_2.d", "the mask is inverted")
def left_out_weights(x, w):
    return softmax(np.where(np.eye(len(x)), scores_of(x, w), -np.inf))


@HIDDEN.wrong("1_2.d", "the best possible score")
def left_out_weights(x, w):
    return softmax(np.where(np.eye(len(x)), 0.0, scores_of(x, w)))


@HIDDEN.wrong("1_2.d", "hidden scores are +inf")
def left_out_weights(x, w):
    return softmax(np.where(np.eye(len(x)), np.inf, scores_of(x, w)))


@HIDDEN.wrong("1_2.d", "the sum runs over the queries")
def left_out_weights(x, w):
    s = np.where(np.eye(len(x)), -np.inf, scores_of(x, w))
    return stable(s, axis=0)


@HIDDEN.wrong("1_2.d", "must hide the diagonal")
def left_out_weights(x, w):
    hidden = np.roll(np.eye(len(x)), 1, axis=1)
    return softmax(np.where(hidden, -np.inf, scores_of(x, w)))


@HIDDEN.wrong("1_2.d", "you hide by value")
def left_out_weights(x, w):
    s = scores_of(x, w)
    return softmax(np.where(x[:, None] != x, s, -np.inf))


@HIDDEN.wrong("1_2.d", "not low enough")
def left_out_weights(x, w):
    return softmax(np.where(np.eye(len(x)), -1e4, scores_of(x, w)))


@HIDDEN.wrong("1_2.d", "not low enough")
def left_out_weights(x, w):
    return softmax(np.where(np.eye(len(x)) == 1, -1e9, scores_of(x, w)))


@HIDDEN.wrong("1_2.d", "rows of 0")
def left_out_weights(x, w):
    a = softmax(scores_of(x, w)) * (1 - np.eye(len(x)))
    return a / (a.sum(axis=-1, keepdims=True) + 1e-12)


@HIDDEN.wrong("1_2.d", "w = 60: the hidden score is finite")
def left_out_weights(x, w):
    return softmax(np.where(np.eye(len(x)), -100, scores_of(x, w)))


@HIDDEN.wrong("1_2.d", "the factor 1/2")
def left_out_weights(x, w):
    return left_out(x, 2**0.5 * w)


@HIDDEN.wrong("1_2.d", "w belongs inside the square")
def left_out_weights(x, w):
    return left_out(x, w**0.5)


# --- e ---------------------------------------------------------------------


def errors(x, y, grid, hide=True):
    out = []
    for w in grid:
        s = scores_of(x, w)
        if hide:
            s[np.eye(len(x), dtype=bool)] = -np.inf
        out.append(((softmax(s) @ y - y) ** 2).mean())
    return np.array(out)


@HIDDEN.wrong("1_2.e", "leave every point out")
def best_sharpness(x, y, grid):
    return grid[np.argmin(errors(x, y, grid, hide=False))]


@HIDDEN.wrong("1_2.e", "larger mean squared error than 12")
def best_sharpness(x, y, grid):
    return grid[np.argmax(errors(x, y, grid))]


@HIDDEN.wrong("1_2.e", "the index of the best")
def best_sharpness(x, y, grid):
    return np.argmin(errors(x, y, grid))


@HIDDEN.wrong("1_2.e", "is no entry of grid")
def best_sharpness(x, y, grid):
    return errors(x, y, grid).min()  # the error, not the sharpness


@HIDDEN.wrong("1_2.e", "larger mean squared error than 12")
def best_sharpness(x, y, grid):
    return grid[0]


def left_out(x, w):
    s = scores_of(x, w)
    s[np.eye(len(x), dtype=bool)] = -np.inf
    return softmax(s)


@HIDDEN.wrong("1_2.e", "another criterion")
def best_sharpness(x, y, grid):
    return grid[np.argmin([abs(left_out(x, w) @ y - y).mean() for w in grid])]


@HIDDEN.wrong("1_2.e", "another criterion")
def best_sharpness(x, y, grid):
    found = [(left_out(x, w) @ y - y).mean() ** 2 for w in grid]
    return grid[np.argmin(found)]


@HIDDEN.wrong("1_2.e", "another criterion")
def best_sharpness(x, y, grid):
    # the weights of exercise d before it is repaired
    found = []
    for w in grid:
        late = softmax(scores_of(x, w)) * (1 - np.eye(len(x)))
        found.append(((late @ y - y) ** 2).mean())
    return grid[np.argmin(found)]


@HIDDEN.wrong("1_2.e", "another criterion")
def best_sharpness(x, y, grid):
    return grid[
        np.argmin([((left_out(x, w).T @ y - y) ** 2).mean() for w in grid])
    ]


@HIDDEN.wrong("1_2.e", "the last entry")
def best_sharpness(x, y, grid):
    best, last = grid[0], np.inf
    for w, error in zip(grid, errors(x, y, grid)):
        if error < last:
            best = w
        last = error  # should be the best error so far
    return best


@HIDDEN.wrong("1_2.e", "x and y belong together")
def best_sharpness(x, y, grid):
    return grid[np.argmin(errors(np.sort(x), y, grid))]


@HIDDEN.wrong("1_2.e", "a thousand times as flat")
def best_sharpness(x, y, grid):
    return grid[np.argmin(errors(x, y, grid).round(4))]


FOUND = {}


@HIDDEN.wrong("1_2.e", "is it kept?")
def best_sharpness(x, y, grid):
    best = grid[np.argmin(errors(x, y, grid))]
    return FOUND.setdefault(len(x), best)
