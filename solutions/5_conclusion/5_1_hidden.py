"""Hidden checks and known wrong answers of exercises 5.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np

from attnbook.check.against import Hidden, agree

HIDDEN = Hidden()


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


@HIDDEN.check("5_1.b", "random tests")
def verdict_anywhere(answer, rng, reference):
    for _ in range(20):
        m = int(rng.integers(1, 4))
        low = (rng.normal(size=m) + 1) * rng.choice([1, 100])
        high = low + rng.random(m)
        kind = rng.integers(0, 3, size=m)
        least = np.where(kind == 1, np.nan, rng.normal(size=m) - 0.5)
        most = np.where(kind == 0, np.nan, rng.normal(size=m) + 3)
        high[rng.random(m) < 0.1] = np.nan
        args = low, high, least, most
        agree(answer, reference, "verdict_from", args, "random")


@HIDDEN.check("5_1.c", "random numbers")
def band_anywhere(answer, rng, reference):
    n, m = int(rng.integers(2, 30)), int(rng.integers(1, 30))
    args = float(rng.uniform(0.1, 5)), n, m, float(rng.uniform(1, 4))
    agree(answer, reference, "half_width", args, "random")


@HIDDEN.check("5_1.d", "random tests")
def share_anywhere(answer, rng, reference):
    for m in rng.integers(1, 40, size=12):
        p = rng.random(m) ** float(rng.uniform(1, 4))
        args = p, float(rng.uniform(0.05, 0.6))
        agree(answer, reference, "discoveries", args, "random")


@HIDDEN.check("5_1.e", "random curves")
def height_anywhere(answer, rng, reference):
    for _ in range(6):
        seeds, n = (int(x) for x in rng.permutation([3, 6]))
        u = np.concatenate([[0], rng.uniform(0.2, 3, size=n - 1).cumsum()])
        budget = float(rng.uniform(0.1, 1.2 * u[-1]))
        args = u, rng.normal(size=(seeds, n)), budget
        agree(answer, reference, "height_up_to", args, "random")


# --- a ---------------------------------------------------------------------


def parts(x, y):
    d = x - y
    left = np.isfinite(d).sum(axis=1)
    return np.nanmean(d, axis=1), np.nanstd(d, axis=1, ddof=1), left


@HIDDEN.wrong("5_1.a", "lower ends first")
def paired_intervals(x, y, t):
    mean, s, left = parts(x, y)
    half = t[left - 1] * s / left**0.5
    return mean + half, mean - half


@HIDDEN.wrong("5_1.a", "not y - x")
def paired_intervals(x, y, t):
    mean, s, left = parts(y, x)
    half = t[left - 1] * s / left**0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "divides by n - 1")
def paired_intervals(x, y, t):
    mean, _, left = parts(x, y)
    half = t[left - 1] * np.nanstd(x - y, axis=1) / left**0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "is not that of the mean")
def paired_intervals(x, y, t):
    mean, s, left = parts(x, y)
    return mean - t[left - 1] * s, mean + t[left - 1] * s


@HIDDEN.wrong("5_1.a", "not by the number")
def paired_intervals(x, y, t):
    mean, s, left = parts(x, y)
    half = t[left - 1] * s / left
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "the -1 belongs into the variance")
def paired_intervals(x, y, t):
    mean, s, left = parts(x, y)
    half = t[left - 1] * s / (left - 1) ** 0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "pair by seed first")
def paired_intervals(x, y, t):
    kx, ky = np.isfinite(x).sum(axis=1), np.isfinite(y).sum(axis=1)
    error = np.nanvar(x, 1, ddof=1) / kx + np.nanvar(y, 1, ddof=1) / ky
    half = t[np.minimum(kx, ky) - 1] * error**0.5
    mean = np.nanmean(x, axis=1) - np.nanmean(y, axis=1)
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "over different seeds")
def paired_intervals(x, y, t):
    _, s, left = parts(x, y)
    half = t[left - 1] * s / left**0.5
    mean = np.nanmean(x, axis=1) - np.nanmean(y, axis=1)
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "as a difference of 0")
def paired_intervals(x, y, t):
    mean, s, left = parts(np.nan_to_num(x - y), 0)
    half = t[left - 1] * s / left**0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "as a result of 0")
def paired_intervals(x, y, t):
    mean, s, left = parts(np.nan_to_num(x), np.nan_to_num(y))
    half = t[left - 1] * s / left**0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "not the same for all metrics")
def paired_intervals(x, y, t):
    mean, s, _ = parts(x, y)
    n = x.shape[1]
    half = t[n - 1] * s / n**0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "degrees of freedom")
def paired_intervals(x, y, t):
    mean, s, left = parts(x, y)
    half = t[-1] * s / left**0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "the quantile is missing")
def paired_intervals(x, y, t):
    mean, s, left = parts(x, y)
    return mean - s / left**0.5, mean + s / left**0.5


@HIDDEN.wrong("5_1.a", "band of one more seed")
def paired_intervals(x, y, t):
    mean, s, left = parts(x, y)
    half = t[left - 1] * s * (1 + 1 / left) ** 0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "only where it failed")
def paired_intervals(x, y, t):
    d = x - y
    d = d[:, np.isfinite(d).all(axis=0)]
    mean, s, left = parts(d, 0)
    half = t[left - 1] * s / left**0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "makes the whole metric nan")
def paired_intervals(x, y, t):
    d = x - y
    n = d.shape[1]
    half = t[n - 1] * d.std(axis=1, ddof=1) / n**0.5
    return d.mean(axis=1) - half, d.mean(axis=1) + half


@HIDDEN.wrong("5_1.a", "not counted twice")
def paired_intervals(x, y, t):
    mean, s, _ = parts(x, y)
    left = x.shape[1] - np.isnan(x).sum(1) - np.isnan(y).sum(1)
    half = t[left - 1] * s / left**0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "metrics are rows")
def paired_intervals(x, y, t):
    if x.shape[0] == x.shape[1]:
        x, y = x.T, y.T
    mean, s, left = parts(x, y)
    half = t[left - 1] * s / left**0.5
    return mean - half, mean + half


@HIDDEN.wrong("5_1.a", "do not squeeze")
def paired_intervals(x, y, t):
    mean, s, left = parts(x, y)
    half = t[left - 1] * s / left**0.5
    return np.squeeze(mean - half), np.squeeze(mean + half)


@HIDDEN.wrong("5_1.a", "seven metrics")
def paired_intervals(x, y, t):
    mean, s, left = parts(x[:5], y[:5])
    half = t[left - 1] * s / left**0.5
    return mean - half, mean + half


# --- b ---------------------------------------------------------------------


def passes(low, high, least, most):
    above = np.isnan(least) | (low >= least)
    below = np.isnan(most) | (high <= most)
    return above & below & np.isfinite(low) & np.isfinite(high)


def told(passed):
    return (2 if passed.all() else 1) if passed[0] else 0


@HIDDEN.wrong("5_1.b", "the whole interval")
def verdict_from(low, high, at_least, at_most):
    mean = (low + high) / 2
    return told(passes(mean, mean, at_least, at_most))


@HIDDEN.wrong("5_1.b", "not its better end")
def verdict_from(low, high, at_least, at_most):
    return told(passes(high, low, at_least, at_most))


@HIDDEN.wrong("5_1.b", "a bound from above")
def verdict_from(low, high, at_least, at_most):
    bound = np.where(np.isnan(at_least), at_most, at_least)
    return told(low >= bound)


@HIDDEN.wrong("5_1.b", "the upper end decides")
def verdict_from(low, high, at_least, at_most):
    return told(passes(low, low, at_least, at_most))


@HIDDEN.wrong("5_1.b", "touches its bound")
def verdict_from(low, high, at_least, at_most):
    above = np.isnan(at_least) | (low > at_least)
    below = np.isnan(at_most) | (high < at_most)
    return told(above & below & np.isfinite(low + high))


@HIDDEN.wrong("5_1.b", "test 0 is the claim")
def verdict_from(low, high, at_least, at_most):
    passed = passes(low, high, at_least, at_most)
    return 2 if passed.all() else int(passed.any())


@HIDDEN.wrong("5_1.b", "another fails")
def verdict_from(low, high, at_least, at_most):
    passed = passes(low, high, at_least, at_most)
    return 2 if passed[0] and passed.mean() > 0.5 else int(passed[0])


@HIDDEN.wrong("5_1.b", "another fails")
def verdict_from(low, high, at_least, at_most):
    return 2 * int(passes(low, high, at_least, at_most)[0])


@HIDDEN.wrong("5_1.b", "comparing with nan gives False")
def verdict_from(low, high, at_least, at_most):
    return told((low >= at_least) & (high <= at_most))


@HIDDEN.wrong("5_1.b", "however large the numbers are")
def verdict_from(low, high, at_least, at_most):
    least, most = np.nan_to_num(at_least, nan=-1), np.nan_to_num(at_most, nan=1)
    return told(passes(low, high, least, most))


@HIDDEN.wrong("5_1.b", "at either end passes nothing")
def verdict_from(low, high, at_least, at_most):
    return told(~(low < at_least) & ~(high > at_most))


@HIDDEN.wrong("5_1.b", "must respect both")
def verdict_from(low, high, at_least, at_most):
    passed = (low >= at_least) | (high <= at_most)
    return told(passed & np.isfinite(low + high))


@HIDDEN.wrong("5_1.b", "all tests pass")
def verdict_from(low, high, at_least, at_most):
    return 2 - told(passes(low, high, at_least, at_most))


@HIDDEN.wrong("5_1.b", "one test only")
def verdict_from(low, high, at_least, at_most):
    passed = passes(low, high, at_least, at_most)
    rest = len(passed) > 1 and passed[1:].all()
    return (2 if rest else 1) if passed[0] else 0


@HIDDEN.wrong("5_1.b", "do not round")
def verdict_from(low, high, at_least, at_most):
    return told(passes(low.round(2), high.round(2), at_least, at_most))


@HIDDEN.wrong("5_1.b", "a bound of 0 is a bound")
def verdict_from(low, high, at_least, at_most):
    passed = np.isfinite(low + high)
    for i in range(len(low)):
        if at_least[i] == at_least[i] and at_least[i]:
            passed[i] &= low[i] >= at_least[i]
        if at_most[i] == at_most[i] and at_most[i]:
            passed[i] &= high[i] <= at_most[i]
    return told(passed)


@HIDDEN.wrong("5_1.b", "without a tolerance")
def verdict_from(low, high, at_least, at_most):
    above = (low >= at_least) | np.isclose(low, at_least) | np.isnan(at_least)
    below = (high <= at_most) | np.isclose(high, at_most) | np.isnan(at_most)
    return told(above & below & np.isfinite(low + high))


@HIDDEN.wrong("5_1.b", "goes for test 0 as well")
def verdict_from(low, high, at_least, at_most):
    passed = np.isnan(at_least) | (low >= at_least)
    passed &= np.isnan(at_most) | (high <= at_most)
    passed[1:] &= np.isfinite(low + high)[1:]
    return told(passed)


@HIDDEN.wrong("5_1.b", "goes for a test without bounds")
def verdict_from(low, high, at_least, at_most):
    none = np.isnan(at_least) & np.isnan(at_most)
    above = np.isnan(at_least) | (low >= at_least)
    below = np.isnan(at_most) | (high <= at_most)
    ok = above & below & ~np.isnan(low + high) | none
    return int(ok[0]) + int(ok.all())


@HIDDEN.wrong("5_1.b", "names no bound passes")
def verdict_from(low, high, at_least, at_most):
    ok = ~((low < at_least) | (high > at_most) | np.isnan(low + high))
    ok &= ~(np.isnan(at_least) & np.isnan(at_most))
    return int(ok[0]) + int(ok.all())


@HIDDEN.wrong("5_1.b", "one failure among 12")
def verdict_from(low, high, at_least, at_most):
    ok = ~((low < at_least) | (high > at_most) | np.isnan(low + high))
    return int(ok[0]) + int(ok[:8].all())


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("5_1.c", "band of one more seed")
def half_width(s, n, m, t):
    return t * s * (1 + 1 / n) ** 0.5


@HIDDEN.wrong("5_1.c", "standard deviations were added")
def half_width(s, n, m, t):
    return t * s * (1 / n**0.5 + 1 / m**0.5)


@HIDDEN.wrong("5_1.c", "one sample of n + m")
def half_width(s, n, m, t):
    return t * s / (n + m) ** 0.5


@HIDDEN.wrong("5_1.c", "of the new mean alone")
def half_width(s, n, m, t):
    return t * s / m**0.5


@HIDDEN.wrong("5_1.c", "of the recorded mean alone")
def half_width(s, n, m, t):
    return t * s / n**0.5


@HIDDEN.wrong("5_1.c", "only the new mean's variance")
def half_width(s, n, m, t):
    return t * s * ((1 + 1 / n) / m) ** 0.5


@HIDDEN.wrong("5_1.c", "the root is missing")
def half_width(s, n, m, t):
    return t * s * (1 / n + 1 / m)


@HIDDEN.wrong("5_1.c", "never subtracted")
def half_width(s, n, m, t):
    return t * s * abs(1 / n - 1 / m) ** 0.5


@HIDDEN.wrong("5_1.c", "not n - 1")
def half_width(s, n, m, t):
    return t * s * (1 / (n - 1) + 1 / max(m - 1, 1)) ** 0.5


# --- d ---------------------------------------------------------------------


def cleared(p, q):
    order = np.argsort(p)
    return order, p[order] <= q * np.arange(1, len(p) + 1) / len(p)


def of_smallest(order, many):
    passed = np.zeros(len(order), dtype=bool)
    passed[order[:many]] = True
    return passed


@HIDDEN.wrong("5_1.d", "stops at the first test that misses")
def discoveries(p, q):
    order, clears = cleared(p, q)
    return of_smallest(order, np.cumprod(clears).sum())


@HIDDEN.wrong("5_1.d", "miss their own bound pass too")
def discoveries(p, q):
    order, clears = cleared(p, q)
    passed = np.zeros(len(p), dtype=bool)
    passed[order] = clears
    return passed


@HIDDEN.wrong("5_1.d", "but the place of the last")
def discoveries(p, q):
    order, clears = cleared(p, q)
    return of_smallest(order, clears.sum())


@HIDDEN.wrong("5_1.d", "no correction is left")
def discoveries(p, q):
    return p <= q


@HIDDEN.wrong("5_1.d", "stands in sorted order")
def discoveries(p, q):
    _, clears = cleared(p, q)
    return np.arange(len(p)) < np.max(np.flatnonzero(clears) + 1, initial=0)


@HIDDEN.wrong("5_1.d", "went wrong")
def discoveries(p, q):
    order, clears = cleared(p, q)
    many = np.max(np.flatnonzero(clears) + 1, initial=0)
    return (np.arange(len(p)) < many)[order]


@HIDDEN.wrong("5_1.d", "one test too few")
def discoveries(p, q):
    order, clears = cleared(p, q)
    return of_smallest(order, np.max(np.flatnonzero(clears), initial=0))


@HIDDEN.wrong("5_1.d", "exactly on its bound")
def discoveries(p, q):
    order = np.argsort(p)
    clears = p[order] < q * np.arange(1, len(p) + 1) / len(p)
    many = np.max(np.flatnonzero(clears) + 1, initial=0)
    return of_smallest(order, many)


@HIDDEN.wrong("5_1.d", "begin at q / m")
def discoveries(p, q):
    order = np.argsort(p)
    clears = p[order] <= q * np.arange(len(p)) / len(p)
    return of_smallest(order, np.max(np.flatnonzero(clears) + 1, initial=0))


def largest(p, q):
    order, clears = cleared(p, q)
    return of_smallest(order, np.max(np.flatnonzero(clears) + 1, initial=0))


@HIDDEN.wrong("5_1.d", "are several tests, not one")
def discoveries(p, q):
    values, inverse = np.unique(p, return_inverse=True)
    return largest(values, q)[inverse]


@HIDDEN.wrong("5_1.d", "a probability of 0 passes")
def discoveries(p, q):
    return largest(p, q) & (p > 0)


@HIDDEN.wrong("5_1.d", "by little misses it")
def discoveries(p, q):
    order = np.argsort(p)
    bounds = q * np.arange(1, len(p) + 1) / len(p) + 1e-3
    many = np.max(np.flatnonzero(p[order] <= bounds) + 1, initial=0)
    return np.isin(np.arange(len(p)), order[:many])


# --- e ---------------------------------------------------------------------


def area(u, y):
    return (np.diff(u) * (y[:, 1:] + y[:, :-1]) / 2).sum(axis=1)


def cut(u, y, budget, ends):
    before = u < budget
    return (
        np.append(u[before], budget),
        np.column_stack([y[:, before], ends]),
    )


@HIDDEN.wrong("5_1.e", "is missing")
def height_up_to(u, y, budget):
    inside = u <= budget
    return area(u[inside], y[:, inside]) / budget


@HIDDEN.wrong("5_1.e", "up to the last evaluation before the budget")
def height_up_to(u, y, budget):
    inside = u <= budget
    return area(u[inside], y[:, inside]) / u[inside][-1]


@HIDDEN.wrong("5_1.e", "mean of the evaluations")
def height_up_to(u, y, budget):
    return y[:, u <= budget].mean(axis=1)


@HIDDEN.wrong("5_1.e", "at its left end")
def height_up_to(u, y, budget):
    u, y = cut(u, y, budget, y[:, -1])
    return (np.diff(u) * y[:, :-1]).sum(axis=1) / budget


@HIDDEN.wrong("5_1.e", "it ends at the budget")
def height_up_to(u, y, budget):
    return area(u, y) / u[-1]


@HIDDEN.wrong("5_1.e", "is not cut off")
def height_up_to(u, y, budget):
    last = np.searchsorted(u, budget) + 1
    return area(u[:last], y[:, :last]) / budget


@HIDDEN.wrong("5_1.e", "does not stay where it was")
def height_up_to(u, y, budget):
    ends = y[:, u <= budget][:, -1]
    return area(*cut(u, y, budget, ends)) / budget


@HIDDEN.wrong("5_1.e", "not the next evaluation's")
def height_up_to(u, y, budget):
    nearest = min(np.searchsorted(u, budget), len(u) - 1)
    return area(*cut(u, y, budget, y[:, nearest])) / budget


@HIDDEN.wrong("5_1.e", "divide by the width")
def height_up_to(u, y, budget):
    ends = [np.interp(budget, u, row) for row in y]
    return area(*cut(u, y, budget, ends))


@HIDDEN.wrong("5_1.e", "by the budget, not by the last step")
def height_up_to(u, y, budget):
    ends = [np.interp(budget, u, row) for row in y]
    return area(*cut(u, y, budget, ends)) / u[-1]


@HIDDEN.wrong("5_1.e", "each has its own")
def height_up_to(u, y, budget):
    ends = np.full(len(y), np.interp(budget, u, y[0]))
    return area(*cut(u, y, budget, ends)) / budget


@HIDDEN.wrong("5_1.e", "stays at its last height")
def height_up_to(u, y, budget):
    ends = [np.interp(budget, u, row) for row in y]
    stop = min(budget, u[-1])
    return area(*cut(u, y, stop, ends)) / budget


def right(u, y, budget):
    ends = [np.interp(budget, u, row) for row in y]
    return area(*cut(u, y, budget, ends)) / budget


@HIDDEN.wrong("5_1.e", "cut to a whole number")
def height_up_to(u, y, budget):
    ends = np.empty_like(y[:, 0])
    for k, row in enumerate(y):
        ends[k] = np.interp(budget, u, row)
    return area(*cut(u, y, budget, ends)) / budget


@HIDDEN.wrong("5_1.e", "seeds are rows")
def height_up_to(u, y, budget):
    return right(u, y.T if y.shape[0] == y.shape[1] else y, budget)


@HIDDEN.wrong("5_1.e", "one evaluation is a curve too")
def height_up_to(u, y, budget):
    return right(u, y, budget) * (0 if len(u) == 1 else 1)


@HIDDEN.wrong("5_1.e", "do not squeeze")
def height_up_to(u, y, budget):
    return np.squeeze(right(u, y, budget))


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


HIDDEN.wrong("5_1.a", "use the one that belongs")(
    paired(lambda t, f: t[np.minimum(f, 29)])
)
HIDDEN.wrong("5_1.a", "1.96 is for")(paired(lambda t, f: 1.96))
HIDDEN.wrong("5_1.a", "the least of all")(
    paired(left_of=lambda left: 0 * left + left.min())
)
HIDDEN.wrong("5_1.a", "was doubled")(paired(times=2))


@HIDDEN.wrong("5_1.a", "failed in y must be left out")
def paired_intervals(x, y, t):
    return paired()(x, np.nan_to_num(y), t)


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


@HIDDEN.wrong("5_1.e", "between its own evaluations")
def height_up_to(u, y, budget):
    grid = np.linspace(0, budget, 100_001)
    heights = np.stack([np.interp(grid, u, row) for row in y])
    return area(grid, heights) / budget


@HIDDEN.wrong("5_1.e", "does not rise or fall on")
def height_up_to(u, y, budget):
    if budget <= u[-1] or len(u) < 2:
        return right(u, y, budget)
    slope = (y[:, -1] - y[:, -2]) / (u[-1] - u[-2])
    more = y[:, -1] + slope * (budget - u[-1])
    return area(np.append(u, budget), np.column_stack([y, more])) / budget


# --- limits of size --------------------------------------------------------


@HIDDEN.wrong("5_1.b", "one failure among 300")
def verdict_from(low, high, at_least, at_most):
    tests = (x[:100] for x in (low, high, at_least, at_most))
    return judged(none=np.inf)(*tests)


@HIDDEN.wrong("5_1.b", "a large bound is a bound")
def verdict_from(low, high, at_least, at_most):
    bounds = (np.clip(x, -1e9, 1e9) for x in (at_least, at_most))
    return judged(none=np.inf)(low, high, *bounds)


HIDDEN.wrong("5_1.c", "n without end")(band(lambda n: min(n, 1000)))


@HIDDEN.wrong("5_1.d", "300 times")
def discoveries(p, q):
    order, clears = cleared(p, q)
    many = np.max(np.flatnonzero(clears) + 1, initial=0)
    return of_smallest(order, min(many, 100))


@HIDDEN.wrong("5_1.e", "301 evaluations")
def height_up_to(u, y, budget):
    return right(u[:100], y[:, :100], budget)
