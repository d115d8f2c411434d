"""Hidden checks and known wrong answers of exercises 5.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np

from attnbook.check.against import Hidden, agree

HIDDEN = Hidden(globals())


@HIDDEN.check("5_1.a", "random runs, some failed")
def paired_anywhere(answer, rng, reference):
    k, n = int(rng.integers(2, 6)), int(rng.integers(7, 12))
    x, y = rng.normal(size=(2, k, n)) * [[[3.0]], [[1.0]]]
    for row in range(k):
        gone = rng.permutation(n)[: int(rng.integers(0, 5))]
        x[row, gone[::2]] = np.nan
        y[row, gone[1::2]] = np.nan
    t = np.concatenate([[np.nan], 2 + 10 / np.arange(1, n) ** 2])
    agree(answer, reference, "paired_intervals", (x, y, t), "random", 2)


@HIDDEN.agrees("5_1.b", "verdict_from", title="random tests")
def verdict_anywhere(rng):
    for _ in range(20):
        m = int(rng.integers(1, 4))
        low = (rng.normal(size=m) + 1) * rng.choice([1, 100])
        high = low + rng.random(m)
        kind = rng.integers(0, 3, size=m)
        least = np.where(kind == 1, np.nan, rng.normal(size=m) - 0.5)
        most = np.where(kind == 0, np.nan, rng.normal(size=m) + 3)
        high[rng.random(m) < 0.1] = np.nan
        yield low, high, least, most


@HIDDEN.agrees("5_1.c", "half_width", title="random numbers")
def band_anywhere(rng):
    n, m = int(rng.integers(2, 30)), int(rng.integers(1, 30))
    return float(rng.uniform(0.1, 5)), n, m, float(rng.uniform(1, 4))


@HIDDEN.agrees("5_1.d", "discoveries", title="random tests")
def share_anywhere(rng):
    for m in rng.integers(1, 40, size=12):
        p = rng.random(m) ** float(rng.uniform(1, 4))
        yield p, float(rng.uniform(0.05, 0.6))


@HIDDEN.agrees("5_1.e", "height_up_to", title="random curves")
def height_anywhere(rng):
    for _ in range(6):
        seeds, n = (int(x) for x in rng.permutation([3, 6]))
        u = np.concatenate([[0], rng.uniform(0.2, 3, size=n - 1).cumsum()])
        budget = float(rng.uniform(0.1, 1.2 * u[-1]))
        yield u, rng.normal(size=(seeds, n)), budget


# --- a ---------------------------------------------------------------------


def parts(x, y):
    d = x - y
    left = np.isfinite(d).sum(axis=1)
    return np.nanmean(d, axis=1), np.nanstd(d, axis=1, ddof=1), left


HIDDEN.mutants("5_1.a", """
def paired_intervals(x, y, t):
    mean, s, left = parts(y, x)
    half = t[left - 1] * s / left**0.5
    return mean - half, mean + half
""", [
    ([("y, x", "x, y"), ("- half, mean +", "+ half, mean -")],
     "lower ends first"),
    ([], "not y - x"),
    ([("y, x", "x, y"), ("s /", "np.nanstd(x - y, axis=1) /")],
     "divides by n - 1"),
    ([("(y, x)\n    half =", "(x, y)\n    return mean -"),
      ("/ left**0.5\n    return mean - half, mean + half",
       ", mean + t[left - 1] * s")], "is not that of the mean"),
    ([("y, x", "x, y"), ("**0.5", "")], "not by the number"),
    ([("y, x", "x, y"), ("/ left", "/ (left - 1)")],
     "the -1 belongs into the variance"),
    ([("mean, s, left = parts(y, x)", "_, s, left = parts(x, y)"), ("return",
       "mean = np.nanmean(x, axis=1) - np.nanmean(y, axis=1)\n    return")],
     "over different seeds"),
    ("y, x", "np.nan_to_num(x - y), 0", "as a difference of 0"),
    ("y, x", "np.nan_to_num(x), np.nan_to_num(y)", "as a result of 0"),
    ("left = parts(y, x)", "_ = parts(x, y)\n    left = x.shape[1]",
     "not the same for all metrics"),
    ([("y, x", "x, y"), ("left -", "-")], "degrees of freedom"),
    ([("(y, x)\n    half = t[left - 1] *", "(x, y)\n    return mean -"),
      ("\n    return mean - half, mean + half", ", mean + s / left**0.5")],
     "the quantile is missing"),
    ([("y, x", "x, y"), ("/ left", "* (1 + 1 / left)")],
     "band of one more seed"),
    ([("mean,",
       "d = x - y\n    d = d[:, np.isfinite(d).all(axis=0)]\n    mean,"),
      ("y, x", "d, 0")], "only where it failed"),
    ([(", s, left = parts(y, x)", "= x - y\n    left = mean.shape[1]"),
      ("s /", "mean.std(axis=1, ddof=1) /"),
      ("- half, mean", ".mean(axis=1) - half, mean.mean(axis=1)")],
     "makes the whole metric nan"),
    ("left = parts(y, x)",
     "_ = parts(x, y)\n"
     "    left = x.shape[1] - np.isnan(x).sum(1) - np.isnan(y).sum(1)",
     "not counted twice"),
    ([("mean,",
       "if x.shape[0] == x.shape[1]:\n        x, y = x.T, y.T\n    mean,"),
      ("y, x", "x, y")], "metrics are rows"),
    ([("y, x", "x, y"), ("mean - half, mean + half",
       "np.squeeze(mean - half), np.squeeze(mean + half)")], "do not squeeze"),
    ("y, x", "x[:5], y[:5]", "seven metrics"),
    ("mean, s, left = parts(y, x)\n"
     "    half = t[left - 1] * s / left**0.5\n"
     "    return mean - half, mean + half",
     "return paired()(x, np.nan_to_num(y), t)", "failed in y must be left out"),
])  # fmt: skip


@HIDDEN.wrong("5_1.a", "pair by seed first")
def paired_intervals(x, y, t):
    kx, ky = np.isfinite(x).sum(axis=1), np.isfinite(y).sum(axis=1)
    error = np.nanvar(x, 1, ddof=1) / kx + np.nanvar(y, 1, ddof=1) / ky
    half = t[np.minimum(kx, ky) - 1] * error**0.5
    mean = np.nanmean(x, axis=1) - np.nanmean(y, axis=1)
    return mean - half, mean + half


# --- b ---------------------------------------------------------------------


def passes(low, high, least, most):
    above = np.isnan(least) | (low >= least)
    below = np.isnan(most) | (high <= most)
    return above & below & np.isfinite(low) & np.isfinite(high)


def told(passed):
    return (2 if passed.all() else 1) if passed[0] else 0


HIDDEN.mutants("5_1.b", """
def verdict_from(low, high, at_least, at_most):
    return told(passes(high, low, at_least, at_most))
""", [
    ([("return", "mean = (low + high) / 2\n    return"),
      ("high, low", "mean, mean")], "the whole interval"),
    ([], "not its better end"),
    ("return told(passes(high, low, at_least, at_most))",
     "bound = np.where(np.isnan(at_least), at_most, at_least)\n"
     "    return told(low >= bound)", "a bound from above"),
    ("high, low", "low, low", "the upper end decides"),
    ("return told(passes(high, low, at_least, at_most))",
     "passed = passes(low, high, at_least, at_most)\n"
     "    return 2 if passed.all() else int(passed.any())",
     "test 0 is the claim"),
    ("return told(passes(high, low, at_least, at_most))",
     "passed = passes(low, high, at_least, at_most)\n"
     "    return 2 if passed[0] and passed.mean() > 0.5 else int(passed[0])",
     "another fails"),
    ("told(passes(high, low, at_least, at_most))",
     "2 * int(passes(low, high, at_least, at_most)[0])", "another fails"),
    ([("passes", "(low >= at_least) &"), (", low, at_least,", "<=")],
     "comparing with nan gives False"),
    ([("passes", "~(low < at_least) & ~"), (", low, at_least,", ">")],
     "at either end passes nothing"),
    ([("told", "2 - told"), ("high, low", "low, high")], "all tests pass"),
    ("high, low", "low.round(2), high.round(2)", "do not round"),
    ("return told(passes(high, low, at_least, at_most))",
     "tests = (x[:100] for x in (low, high, at_least, at_most))\n"
     "    return judged(none=np.inf)(*tests)", "one failure among 300"),
    ("return told(passes(high, low, at_least, at_most))",
     "bounds = (np.clip(x, -1e9, 1e9) for x in (at_least, at_most))\n"
     "    return judged(none=np.inf)(low, high, *bounds)",
     "a large bound is a bound"),
])  # fmt: skip
HIDDEN.mutants("5_1.b", """
def verdict_from(low, high, at_least, at_most):
    above = np.isnan(at_least) | (low > at_least)
    below = np.isnan(at_most) | (high < at_most)
    return told(above & below & np.isfinite(low + high))
""", [
    ([], "touches its bound"),
    ([("= np.isnan(at_least) | (low > at_least)\n    ", ","),
      ("isnan(at_most) | (high < at_most)",
       "nan_to_num(at_least, nan=-1), np.nan_to_num(at_most, nan=1)"),
      ("above & below & np.isfinite(low + high)",
       "passes(low, high, above, below)")], "however large the numbers are"),
    ([("np.isnan(at_least)", "(low >= at_least)"),
      ("(low > at_least)\n    below = np.isnan(at_most) | (high < at_most)",
       "(high <= at_most)"), (" & below", "")], "must respect both"),
    ([("above =", "above = (low >= at_least) | np.isclose(low, at_least) |"),
      (" | (low > at_least)", ""), ("np.isnan(at_most) | (high < at_most)",
       "(high <= at_most) | np.isclose(high, at_most) | np.isnan(at_most)")],
     "without a tolerance"),
    ([("(low > at_least)\n    below = np.isnan(at_most) | (high < at_most)",
       "(low >= at_least)\n    above &= np.isnan(at_most) | (high <= at_most)"),
      ("return told(above & below & np.isfinite(low + high))",
       "above[1:] &= np.isfinite(low + high)[1:]\n    return told(above)")],
     "goes for test 0 as well"),
])  # fmt: skip
HIDDEN.mutants("5_1.b", """
def verdict_from(low, high, at_least, at_most):
    ok = ~((low < at_least) | (high > at_most) | np.isnan(low + high))
    return int(ok[0]) + int(ok[:8].all())
""", [
    ("~((low < at_least) | (high > at_most) | np.isnan(low + high))\n"
     "    return int(ok[0]) + int(ok[:8].all())",
     "passes(low, high, at_least, at_most)\n"
     "    rest = len(ok) > 1 and ok[1:].all()\n"
     "    return (2 if rest else 1) if ok[0] else 0", "one test only"),
    ([("return", "ok &= ~(np.isnan(at_least) & np.isnan(at_most))\n    return"),
      ("[:8]", "")], "names no bound passes"),
    ([], "one failure among 12"),
])  # fmt: skip


@HIDDEN.wrong("5_1.b", "a bound of 0 is a bound")
def verdict_from(low, high, at_least, at_most):
    passed = np.isfinite(low + high)
    for i in range(len(low)):
        if at_least[i] == at_least[i] and at_least[i]:
            passed[i] &= low[i] >= at_least[i]
        if at_most[i] == at_most[i] and at_most[i]:
            passed[i] &= high[i] <= at_most[i]
    return told(passed)


@HIDDEN.wrong("5_1.b", "goes for a test without bounds")
def verdict_from(low, high, at_least, at_most):
    none = np.isnan(at_least) & np.isnan(at_most)
    above = np.isnan(at_least) | (low >= at_least)
    below = np.isnan(at_most) | (high <= at_most)
    ok = above & below & ~np.isnan(low + high) | none
    return int(ok[0]) + int(ok.all())


# --- c ---------------------------------------------------------------------

HIDDEN.mutants("5_1.c", None, [
    ("np.sqrt(1 / n + 1 / m)", "(1 + 1 / n) ** 0.5", "band of one more seed"),
    ("np.sqrt(1 / n + 1 / m)", "(1 / n**0.5 + 1 / m**0.5)",
     "standard deviations were added"),
    ("* np.sqrt(1 / n + 1 / m)", "/ (n + m) ** 0.5", "one sample of n + m"),
    ("* np.sqrt(1 / n + 1 / m)", "/ m**0.5", "of the new mean alone"),
    ("* np.sqrt(1 / n + 1 / m)", "/ n**0.5", "of the recorded mean alone"),
    ("np.sqrt(1 / n + 1 / m)", "((1 + 1 / n) / m) ** 0.5",
     "only the new mean's variance"),
    (" np.sqrt", "", "the root is missing"),
    ("np.sqrt(1 / n + 1 / m)", "abs(1 / n - 1 / m) ** 0.5", "never subtracted"),
    ("np.sqrt(1 / n + 1 / m)", "(1 / (n - 1) + 1 / max(m - 1, 1)) ** 0.5",
     "not n - 1"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def cleared(p, q):
    order = np.argsort(p)
    return order, p[order] <= q * np.arange(1, len(p) + 1) / len(p)


def of_smallest(order, many):
    passed = np.zeros(len(order), dtype=bool)
    passed[order[:many]] = True
    return passed


HIDDEN.mutants("5_1.d", None, [
    ([("<= q", "< q"),
      ("passed = np.zeros(len(p", "return of_smallest(order, many"),
      (", dtype=bool)\n    passed[order[:many]] = True\n    return passed",
       "")], "exactly on its bound"),
    ([(" p[order] <=", ""), ("/ len(p)", "/ len(p) + 1e-3"),
      ("clears) + 1, initial=0)\n    passed = np.zeros",
       "p[order] <= clears) + 1, initial=0)\n    return np.isin(np.arange"),
      (", dtype=bool)\n    passed[order[:many]] = True\n    return passed",
       "), order[:many])")], "by little misses it"),
])  # fmt: skip
HIDDEN.mutants("5_1.d", """
def discoveries(p, q):
    order, clears = cleared(p, q)
    return of_smallest(order, np.max(np.flatnonzero(clears), initial=0))
""", [
    ("max(np.flatnonzero(clears), initial=0)", "cumprod(clears).sum()",
     "stops at the first test that misses"),
    ("return of_smallest(order, np.max(np.flatnonzero(clears), initial=0))",
     "passed = np.zeros(len(p), dtype=bool)\n"
     "    passed[order] = clears\n"
     "    return passed", "miss their own bound pass too"),
    ("np.max(np.flatnonzero(clears), initial=0)", "clears.sum()",
     "but the place of the last"),
    ("order, clears = cleared(p, q)\n"
     "    return of_smallest(order, np.max(np.flatnonzero(clears), initial=0))",
     "return p <= q", "no correction is left"),
    ("of_smallest(order, np.max(np.flatnonzero(clears), initial=0))",
     "np.arange(len(p)) < np.max(np.flatnonzero(clears) + 1, initial=0)",
     "stands in sorted order"),
    ("return of_smallest(order, np.max(np.flatnonzero(clears), initial=0))",
     "many = np.max(np.flatnonzero(clears) + 1, initial=0)\n"
     "    return (np.arange(len(p)) < many)[order]", "went wrong"),
    ([], "one test too few"),
    ([(", clears", "= np.argsort(p)\n    clears"),
      ("cleared(p, q)", "p[order] <= q * np.arange(len(p)) / len(p)"),
      ("(clears)", "(clears) + 1")], "begin at q / m"),
    ([("cleared(p, q)", "np.unique(p, return_inverse=True)"),
      ("of_smallest(order, np.max(np.flatnonzero(clears), initial=0))",
       "largest(order, q)[clears]")], "are several tests, not one"),
    ("order, clears = cleared(p, q)\n"
     "    return of_smallest(order, np.max(np.flatnonzero(clears), initial=0))",
     "return largest(p, q) & (p > 0)", "a probability of 0 passes"),
    ("return of_smallest(order, np.max(np.flatnonzero(clears), initial=0))",
     "many = np.max(np.flatnonzero(clears) + 1, initial=0)\n"
     "    return of_smallest(order, min(many, 100))", "300 times"),
])  # fmt: skip


def largest(p, q):
    order, clears = cleared(p, q)
    return of_smallest(order, np.max(np.flatnonzero(clears) + 1, initial=0))


# --- e ---------------------------------------------------------------------


def area(u, y):
    return (np.diff(u) * (y[:, 1:] + y[:, :-1]) / 2).sum(axis=1)


def cut(u, y, budget, ends):
    before = u < budget
    return (
        np.append(u[before], budget),
        np.column_stack([y[:, before], ends]),
    )


HIDDEN.mutants("5_1.e", """
def height_up_to(u, y, budget):
    inside = u <= budget
    return area(u[inside], y[:, inside]) / budget
""", [
    ([], "is missing"),
    ("/ budget", "/ u[inside][-1]",
     "up to the last evaluation before the budget"),
    ("inside = u <= budget\n    return area(u[inside], y[:, inside]) / budget",
     "return y[:, u <= budget].mean(axis=1)", "mean of the evaluations"),
    ("inside = u <= budget\n    return area(u[inside], y[:, inside])",
     "u, y = cut(u, y, budget, y[:, -1])\n"
     "    return (np.diff(u) * y[:, :-1]).sum(axis=1)", "at its left end"),
    ("inside = u <= budget\n    return area(u[inside], y[:, inside]) / budget",
     "return area(u, y) / u[-1]", "it ends at the budget"),
    ([("inside = u <= budget", "last = np.searchsorted(u, budget) + 1"),
      ("[inside], y[:, inside]", "[:last], y[:, :last]")], "is not cut off"),
    ([("u <= budget", "np.full(len(y), np.interp(budget, u, y[0]))"),
      ("u[inside], y[:, inside]", "*cut(u, y, budget, inside)")],
     "each has its own"),
    ("inside = u <= budget\n    return area(u[inside], y[:, inside]) / budget",
     "return right(u, y.T if y.shape[0] == y.shape[1] else y, budget)",
     "seeds are rows"),
    ("inside = u <= budget\n    return area(u[inside], y[:, inside]) / budget",
     "return right(u, y, budget) * (0 if len(u) == 1 else 1)",
     "one evaluation is a curve too"),
    ("u <= budget\n    return area(u[inside], y[:, inside])",
     "np.linspace(0, budget, 100_001)\n"
     "    heights = np.stack([np.interp(inside, u, row) for row in y])\n"
     "    return area(inside, heights)", "between its own evaluations"),
    ("inside = u <= budget\n    return area(u[inside], y[:, inside]) / budget",
     "return right(u[:100], y[:, :100], budget)", "301 evaluations"),
])  # fmt: skip
HIDDEN.mutants("5_1.e", """
def height_up_to(u, y, budget):
    ends = [np.interp(budget, u, row) for row in y]
    return area(*cut(u, y, budget, ends))
""", [
    ([("[np.interp(budget, u, row) for row in y]", "y[:, u <= budget][:, -1]"),
      ("ends))", "ends)) / budget")], "does not stay where it was"),
    ([("[np.interp(budget, u, row) for row in y]",
       "min(np.searchsorted(u, budget), len(u) - 1)"),
      ("ends))", "y[:, ends])) / budget")], "not the next evaluation's"),
    ([], "divide by the width"),
    ("ends))", "ends)) / u[-1]", "by the budget, not by the last step"),
    ([("return", "stop = min(budget, u[-1])\n    return"),
      ("budget, ends))", "stop, ends)) / budget")], "stays at its last height"),
    ([("ends))", "ends)) / budget"), (" for row in y]", ""),
      ("np", ":, 0])\n    for k, row in enumerate(y):\n        ends[k] = np"),
      ("ends =", "ends = np.empty_like(y")], "cut to a whole number"),
    ([("ends = [np.interp(budget, u, row) for row in y]\n    return area(*cut",
       "return np.squeeze(right"), (", ends", "")], "do not squeeze"),
])  # fmt: skip


def right(u, y, budget):
    ends = [np.interp(budget, u, row) for row in y]
    return area(*cut(u, y, budget, ends)) / budget


@HIDDEN.wrong("5_1.e", "the last of seven curves")
def height_up_to(u, y, budget):
    y = np.where(np.arange(len(y))[:, None] < 5, y, y[:1])
    ends = [np.interp(budget, u, row) for row in y]
    before = u < budget
    u, y = np.append(u[before], budget), np.column_stack([y[:, before], ends])
    pieces = np.diff(u) * (y[:, 1:] + y[:, :-1]) / 2
    return pieces.sum(axis=1) / budget


def paired(t_of=lambda t, f: t[f], left_of=lambda left: left, times=1):
    """The right intervals, but for the quantile or the number of seeds."""

    def paired_intervals(x, y, t):
        d = x - y
        left = left_of(np.isfinite(d).sum(axis=1))
        error = np.nanstd(d, axis=1, ddof=1) / np.sqrt(left)
        half, middle = times * t_of(t, left - 1) * error, np.nanmean(d, axis=1)
        return middle - half, middle + half

    return paired_intervals


HIDDEN.mutants("5_1.a", "paired_intervals = paired(...)", [
    ("...", "lambda t, f: t[np.minimum(f, 29)]", "use the one that belongs"),
    ("...", "lambda t, f: 1.96", "1.96 is for"),
    ("...", "left_of=lambda left: 0 * left + left.min()", "the least of all"),
    ("...", "times=2", "was doubled"),
])  # fmt: skip


def judged(of_ends=lambda low, high: (low, high), none=1e308):
    """The right verdict, but for what stands in place of nan."""

    def verdict_from(low, high, at_least, at_most):
        low, high = of_ends(low, high)
        passed = low >= np.nan_to_num(at_least, nan=-none)
        passed &= high <= np.nan_to_num(at_most, nan=none)
        passed &= np.isfinite(low) & np.isfinite(high)
        return int(passed[0]) * (1 + int(passed.all()))

    return verdict_from


HIDDEN.wrong("5_1.b", "passes nothing")(
    judged(lambda *both: [np.nan_to_num(x, nan=1e15) for x in both])
)
HIDDEN.wrong("5_1.b", "however large the numbers are")(judged(none=1e15))
HIDDEN.wrong("5_1.b", "however large the numbers are")(judged(none=1e300))


def band(n_of=lambda n: n, m_of=lambda m: m):
    def half_width(s, n, m, t):
        return t * s * np.sqrt(1 / n_of(n) + 1 / m_of(m))

    return half_width


HIDDEN.wrong("5_1.c", "n is a count")(band(lambda n: n - 1))
HIDDEN.wrong("5_1.c", "m is a count")(band(m_of=lambda m: m + 1))
HIDDEN.wrong("5_1.c", "do not cut it off")(band(m_of=lambda m: min(m, 1000)))


def within(margin):
    def discoveries(p, q):
        order = np.argsort(p)
        bounds = q * np.arange(1, len(p) + 1) / len(p)
        clears = p[order] <= bounds + margin
        return of_smallest(order, np.max(np.flatnonzero(clears) + 1, initial=0))

    return discoveries


HIDDEN.wrong("5_1.d", "by little misses it")(within(1e-3))
HIDDEN.wrong("5_1.d", "by little misses it")(within(1e-6))
HIDDEN.wrong("5_1.d", "exactly on its bound")(within(-1e-6))


@HIDDEN.wrong("5_1.e", "does not rise or fall on")
def height_up_to(u, y, budget):
    if budget <= u[-1] or len(u) < 2:
        return right(u, y, budget)
    slope = (y[:, -1] - y[:, -2]) / (u[-1] - u[-2])
    more = y[:, -1] + slope * (budget - u[-1])
    return area(np.append(u, budget), np.column_stack([y, more])) / budget


# --- limits of size --------------------------------------------------------


HIDDEN.wrong("5_1.c", "n without end")(band(lambda n: min(n, 1000)))
