"""Hidden checks and known wrong answers of exercises 1.2.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np

from attnbook.check.against import Hidden
from attnbook.nn.attention import softmax

HIDDEN = Hidden(globals())


@HIDDEN.agrees("1_2.a", "softmax_at", title="random rows, large and small")
def softmax_anywhere(rng):
    scores = rng.normal(size=(3, 5)) * 10.0 ** rng.integers(0, 5, (3, 1))
    return scores, float(rng.uniform(0.2, 5))


@HIDDEN.agrees("1_2.a", "softmax_at", title="one key far above the others")
def softmax_far(rng):
    scores = rng.normal(size=(4, 6))
    scores[rng.integers(4), 1:] = -9000
    return scores, 1.5


@HIDDEN.agrees("1_2.b", "softmax_backward", title="random rows")
def backward_anywhere(rng):
    return rng.dirichlet(np.ones(7), size=4), rng.normal(size=(4, 7))


@HIDDEN.agrees("1_2.c", "temperature_for", title="random gaps")
def cold_anywhere(rng):
    return float(rng.uniform(0.1, 9)), float(rng.uniform(0.55, 0.99))


@HIDDEN.agrees("1_2.d", "left_out_weights", title="random points")
def mask_anywhere(rng):
    return rng.uniform(0, 5, 8), float(rng.uniform(0.5, 40))


@HIDDEN.agrees("1_2.e", "best_sharpness", title="random curves")
def search_anywhere(rng):
    x = np.sort(rng.uniform(0, 5, 40))
    y = np.sin(2 * x) + 0.3 * rng.normal(size=40)
    return x, y, np.linspace(0.5, 12, 24)


def stable(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# --- a ---------------------------------------------------------------------

HIDDEN.mutants("1_2.a", None, [
    ([("s = scores / temperature\n    ", ""),
      ("s - s.max(axis=-1, keepdims=True)",
       "(scores - scores.max()) / temperature")], "not each row's own largest"),
    ([("s = scores / temperature\n    ", ""),
      ("s - s", "scores / temperature - scores")],
     "divided by the temperature like the scores"),
    ([("e = np.exp", "s = np.maximum"),
      (")\n    return e / e.sum(axis=-1, keepdims=True",
       ", -20)\n    return stable(s")], "cut off or added to a small weight"),
    ("e.sum(axis=-1, keepdims=True)", "(e.sum(axis=-1, keepdims=True) + 1e-8)",
     "nothing is added to a sum"),
])  # fmt: skip
HIDDEN.mutants("1_2.a", """
def softmax_at(scores, temperature):
    return stable(scores / temperature, axis=0)
""", [
    ([], "over the queries (axis 0)"),
    (" / temperature, axis=0", "", "the temperature has no effect"),
    ("/ temperature, axis=0", "* temperature", "multiplied by the temperature"),
    ("(scores / temperature, axis=0)", "(scores) / temperature",
     "the temperature divides the weights"),
    ([("return stable", "e = np.exp"),
      (", axis=0)", ")\n    return e / e.sum()")], "all rows share one sum"),
    ([("stable", "np.exp"), (", axis=0", "")], "not yet divided by their sum"),
    ([("return stable", "e = np.exp"),
      (", axis=0", ")\n    return e / e.sum(axis=-1, keepdims=True")],
     "exp overflows"),
    ([("return", "scores /= temperature\n    return"),
      (" / temperature, axis=0", "")], "changes its argument in place"),
    ([("return", ""), (", axis=0", "")], "did you forget `return`"),
    ([("return", "out = np.zeros_like(scores)\n    out[...] ="),
      (", axis=0)", ")\n    return out")], "cut to 0; make it float"),
    ("(scores / temperature, axis=0)", "(scores / max(temperature, 0.1))",
     "temperature 0.01"),
    ("/ temperature, axis=0",
     "// temperature if scores.dtype == int else scores / temperature",
     "as integers, against the same as floats"),
    (", axis=0)", "), temperature", "return one array, not a tuple"),
    ("(scores / temperature, axis=0)",
     "(scores.astype(np.float32) / np.float32(temperature))",
     "float32 holds only three decimals"),
    ("0)", "min(1, scores.ndim - 1))", "sum to 1 over axis 1"),
])  # fmt: skip

# --- b ---------------------------------------------------------------------

HIDDEN.mutants("1_2.b", """
def softmax_backward(weights, u):
    return weights * (u + (weights * u).sum(axis=-1, keepdims=True))
""", [
    ("(u + (weights * u).sum(axis=-1, keepdims=True))", "u",
     "must be subtracted"),
    ("(u + (weights * u).sum(axis=-1, keepdims=True))", "(1 - weights) * u",
     "only the diagonal"),
    ("+ (weights * u).sum", "- u.mean", "not the plain mean"),
    ([("u +", ""), ("True)", "True) - u")], "the sign is reversed"),
    ([("weights * (u +", "u -"), ("True))", "True)")],
     "the factor a in front is missing"),
    ([("u +", "u -"), ("-1, keepdims=True", "0")],
     "the mean runs over the batch"),
    ([("u +", "u -"), ("axis=-1, keepdims=True", "")],
     "the sum runs over the whole batch"),
    ([("(u +", "u -"), ("True))", "True)")], "needs the factor a too"),
    ([], "not added"),
    ([("return weights", "a = np.clip(weights, 1e-3, 1)\n    return a"),
      ("+ (weights * u)", "- (a * u)")], "nothing may be cut off"),
    ("+ (weights * u)", "- weights * u", "yours is of u alone"),
    ([("return weights", "a = stable(weights)\n    return a"),
      ("+ (weights * u)", "- (a * u)")], "no second softmax"),
])  # fmt: skip


@HIDDEN.wrong("1_2.b", "keep the axis")
def softmax_backward(weights, u):
    mean = (weights * u).sum(axis=-1)
    square = weights.shape[0] == weights.shape[1]
    return weights * (u - (mean if square else mean[:, None]))


# --- c ---------------------------------------------------------------------

HIDDEN.mutants("1_2.c", None, [
    ([(" gap /", ""), ("weight))", "weight)) / gap")], "that is 1/temperature"),
    ("(weight / (1 - weight))", "(weight)", "a / (1 - a), not a"),
    ("weight / (1 - weight)", "(1 - weight) / weight", "upside down"),
    ("log", "log10", "natural logarithm"),
    ("gap / np.log(weight / (1 - weight))", "-gap / np.log(1 - weight)",
     "you used the ratio"),
    ("(weight / (1 - weight))", "(9)", "you solved for 0.9 only"),
    ("(weight / (1 - weight))", "(weight / 0.1)", "not 0.1"),
    ("log", "log2", "not base 2"),
    ("np.log(weight / (1 - weight))", "2 / np.arctanh(weight)",
     "stands for weights (1 + a) / 2"),
])  # fmt: skip


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


HIDDEN.mutants("1_2.d", """
def left_out_weights(x, w):
    return softmax(np.where(np.eye(len(x)), 0.0, scores_of(x, w)))
""", [
    ("(np.where(np.eye(len(x)), 0.0, scores_of(x, w)))",
     "(scores_of(x, w)) * (1 - np.eye(len(x)))", "applied after the softmax"),
    ("return softmax(np.where(np.eye(len(x)), 0.0, scores_of(x, w)))",
     "a = softmax(scores_of(x, w)) * (1 - np.eye(len(x)))\n"
     "    return a / a.sum(axis=-1, keepdims=True)",
     "nothing was left to renormalise"),
    ("(np.where(np.eye(len(x)), 0.0, scores_of(x, w)))", "(scores_of(x, w))",
     "no mask at all"),
    ("0.0, scores_of(x, w)", "scores_of(x, w), -np.inf",
     "the mask is inverted"),
    ([], "the best possible score"),
    ("0.0", "np.inf", "hidden scores are +inf"),
    ("return softmax(np.where(np.eye(len(x)), 0.0, scores_of(x, w)))",
     "s = np.where(np.eye(len(x)), -np.inf, scores_of(x, w))\n"
     "    return stable(s, axis=0)", "the sum runs over the queries"),
    ("return softmax(np.where(np.eye(len(x)), 0.0",
     "hidden = np.roll(np.eye(len(x)), 1, axis=1)\n"
     "    return softmax(np.where(hidden, -np.inf", "must hide the diagonal"),
    ([("return", "s = scores_of(x, w)\n    return"),
      ("np.eye(len(x)), 0.0, scores_of(x, w)))",
       "x[:, None] != x, s, -np.inf))")], "you hide by value"),
    ("0.0", "-1e4", "not low enough"),
    (", 0.0", "== 1, -1e9", "not low enough"),
    ([("return softmax(np.where(", "a = softmax(scores_of(x, w)) * (1 -"),
      (", 0.0, scores_of(x, w)))",
       ")\n    return a / (a.sum(axis=-1, keepdims=True) + 1e-12)")],
     "rows of 0"),
    ("0.0", "-100", "w = 60: the hidden score is finite"),
    ("softmax(np.where(np.eye(len(x)), 0.0, scores_of(x, w)))",
     "left_out(x, 2**0.5 * w)", "the factor 1/2"),
    ("softmax(np.where(np.eye(len(x)), 0.0, scores_of(x, w)))",
     "left_out(x, w**0.5)", "w belongs inside the square"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def errors(x, y, grid, hide=True):
    out = []
    for w in grid:
        s = scores_of(x, w)
        if hide:
            s[np.eye(len(x), dtype=bool)] = -np.inf
        out.append(((softmax(s) @ y - y) ** 2).mean())
    return np.array(out)


HIDDEN.mutants("1_2.e", """
def best_sharpness(x, y, grid):
    return grid[0]
""", [
    ("0", "np.argmin(errors(x, y, grid, hide=False))", "leave every point out"),
    ("0", "np.argmax(errors(x, y, grid))", "larger mean squared error than 12"),
    ("grid[0]", "np.argmin(errors(x, y, grid))", "the index of the best"),
    # the error, not the sharpness
    ("grid[0]", "errors(x, y, grid).min()", "is no entry of grid"),
    ([], "larger mean squared error than 12"),
    ("[0]", "[np.argmin([abs(left_out(x, w) @ y - y).mean() for w in grid])]",
     "another criterion"),
    ("[0]",
     "[np.argmin([((left_out(x, w).T @ y - y) ** 2).mean() for w in grid])]",
     "another criterion"),
    ("0", "np.argmin(errors(np.sort(x), y, grid))", "x and y belong together"),
    ("0", "np.argmin(errors(x, y, grid).round(4))", "a thousand times as flat"),
    ("return grid[0]",
     "best = grid[np.argmin(errors(x, y, grid))]\n"
     "    return FOUND.setdefault(len(x), best)", "is it kept?"),
])  # fmt: skip
HIDDEN.mutants("1_2.e", """
def best_sharpness(x, y, grid):
    found = [(left_out(x, w) @ y - y).mean() ** 2 for w in grid]
    return grid[np.argmin(found)]
""", [
    ([], "another criterion"),
    # the weights of exercise d before it is repaired
    ([("(left_out", "]\n    for w in grid:\n        late = softmax(scores_of"),
      ("w)", "w)) * (1 - np.eye(len(x)))\n        found.append(((late"),
      (".mean() ** 2 for w in grid]", "** 2).mean())")], "another criterion"),
    # should be the best error so far
    ([("found = [(left_out",
       "best, last = grid[0], np.inf\n    for w, error in zip(grid, errors"),
      ("x, w", "x, y, grid)):\n        if error < last:\n            best = w"),
      (") @ y - y).mean() ** 2 for w in grid]", "\n        last = error"),
      ("grid[np.argmin(found)]", "best")], "the last entry"),
])  # fmt: skip


def left_out(x, w):
    s = scores_of(x, w)
    s[np.eye(len(x), dtype=bool)] = -np.inf
    return softmax(s)


FOUND = {}
