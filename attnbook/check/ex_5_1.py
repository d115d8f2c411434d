"""Visible checks of chapter 5.1's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import Exercise, Wrong, expect_close, expect_shape

PAIRED = Exercise(
    "5_1.a", "Intervals of paired differences", ("paired_intervals",)
)
VERDICT = Exercise("5_1.b", "The verdict, from intervals", ("verdict_from",))
BAND = Exercise(
    "5_1.c", "Where the mean of a few more seeds falls", ("half_width",)
)
SHARE = Exercise(
    "5_1.d", "A rule that stops too early", ("discoveries",), "numpy", True
)
HEIGHT = Exercise(
    "5_1.e",
    "Learning curves that end elsewhere",
    ("height_up_to",),
    "numpy",
    True,
)
EXERCISES = [PAIRED, VERDICT, BAND, SHARE, HEIGHT]

NAN = np.nan
# Differences (1, 3, 5, 3): mean 3, variance 8/3, error root 2/3. Second row
# without the seed that failed: (1, 3, 8), mean 4, variance 13, root 13/3.
X = np.array([[5.0, 7, 8, 3], [5, NAN, 7, 12]])
Y = np.array([[4.0, 4, 3, 0], [4, 1, 4, 4]])
T = np.array([NAN, 12, 4, 3])
ERRORS = np.sqrt(np.array([2 / 3, 13 / 3]))
MEANS, HALVES = np.array([3, 4.0]), np.array([3, 4]) * ERRORS


def ends(half, mean=MEANS):
    """The two ends, one above the other, to be compared as one array."""
    return np.stack([mean - half, mean + half])


@PAIRED.check("two metrics by hand, a run has failed")
def paired_by_hand(answer, rng):
    got = answer.call("paired_intervals", X, Y, T, parts=2)
    for part in got:
        expect_shape(part, (2,), "the ends of two metrics' intervals")
    got = np.stack(got)
    left, t = np.array([4, 3]), np.array([3, 4])
    dx, dy = np.nanvar(X, 1, ddof=1), np.var(Y, 1, ddof=1)
    root = np.sqrt(left)
    wild = np.nan_to_num(X - Y)
    zeros = np.nan_to_num(X) - Y
    apart = np.nanmean(X, 1) - Y.mean(1)

    def of_four(d):
        return ends(3 * d.std(axis=1, ddof=1) / 2, d.mean(axis=1))

    suspects = {
        "return the lower ends first, then the upper ones.": ends(-HALVES),
        "the difference is x - y, not y - x.": ends(HALVES, -MEANS),
        "the variance divides by n - 1 (ddof=1), not by n.": ends(
            HALVES * np.sqrt((left - 1) / left)
        ),
        "the deviation of one seed is not that of the mean: divide by the "
        "root of the number of seeds.": ends(HALVES * root),
        "divide by the root of the number of seeds, not by the number.": (
            ends(HALVES / root)
        ),
        "the root of n, not of n - 1: the -1 belongs into the variance.": (
            ends(HALVES * root / np.sqrt(left - 1))
        ),
        "the variances of x and y were added: pair by seed first, then take "
        "the deviation of the differences.": ends(
            t * np.sqrt(dx / left + dy / 4), apart
        ),
        "x and y were averaged apart, over different seeds: a seed that "
        "failed in one model is left out in both.": ends(HALVES, apart),
        "the failed run counts as a difference of 0: leave the seed out.": (
            of_four(wild)
        ),
        "the failed run counts as a result of 0: leave the seed out.": (
            of_four(zeros)
        ),
        "the number of seeds is not the same for all metrics: the failed one "
        "does not count.": ends(3 * ERRORS * root / 2),
        "degrees of freedom: one less than the seeds that are left in this "
        "metric.": ends(3 * ERRORS),
        "the root must hold the number of seeds that are left.": ends(
            t * ERRORS * root / 2
        ),
        "the quantile is missing.": ends(ERRORS),
        "use t; 1.96 is for very many seeds.": ends(1.96 * ERRORS),
        "degrees of freedom: one less than the seeds that are left, not "
        "two.": ends(np.array([4, 12]) * ERRORS),
        "the variances of x and y were added: pair by seed first, then take "
        "the deviation of the differences. ": ends(
            t * np.sqrt((dx + np.nanvar(Y, 1, ddof=1)) / left)
        ),
        "the half width was doubled.": ends(2 * HALVES),
        "each metric has its own number of seeds; yours takes the least of "
        "all.": ends(4 * ERRORS * root / np.sqrt(3)),
        "that is the band of one more seed, not the interval of the mean.": (
            ends(HALVES * np.sqrt(left + 1))
        ),
        "the half width was halved again.": ends(HALVES / 2),
    }
    dropped = np.array([[1.0, 5, 3], [1, 3, 8]])  # seed 1 out of both rows
    half = 4 * dropped.std(axis=1, ddof=1) / np.sqrt(3)
    suspects[
        "that leaves out the failed seed for all metrics; leave it out only "
        "where it failed."
    ] = ends(half, dropped.mean(axis=1))
    if np.isnan(got[:, 1]).any() and not np.isnan(got[:, 0]).any():
        raise Wrong.fixed(
            "one failed run makes the whole metric nan: leave that seed out."
        )
    expect_close(got, ends(HALVES), "two metrics, four seeds", suspects)
    got = answer.call(
        "paired_intervals", X[::-1].copy(), Y[::-1].copy(), T, parts=2
    )
    for part in got:
        expect_shape(part, (2,), "the ends of two metrics' intervals")
    want = ends(HALVES)[:, ::-1]
    expect_close(np.stack(got), want, "the metrics in reverse order")


@PAIRED.check("failed runs in y, and two seeds left")
def paired_in_y(answer, rng):
    x = np.array([[2.0, 9, 4, 1, 6], [NAN, 1, 2, 3, NAN], [1, 2, 3, 4, 5]])
    y = np.array([[1.0, NAN, 1, NAN, NAN], [5, 3, NAN, 1, 2], [5, 4, 3, 2, 1]])
    t = np.array([NAN, 10, 5, 4, 2])
    # differences: (1, 3); (-2, 2); (-4, -2, 0, 2, 4) with variance 10
    got = answer.call("paired_intervals", x, y, t, parts=2)
    want = ends(np.array([10, 20, 2 * np.sqrt(2)]), np.array([2.0, 0, 0]))
    for part in got:
        expect_shape(part, (3,), "three metrics, five seeds")
    suspects = {
        "a seed that failed in y must be left out as well.": ends(
            np.array([4, 5, 2]) * np.sqrt([10.3 / 5, 1 / 3, 2]),
            np.array([3.4, -1, 0]),
        )
    }
    why = "a seed that failed in y must be left out as well. "
    suspects[why] = ends(
        np.array([2, 5, 2]) * np.sqrt([12 / 5, 16 / 9, 2]),
        np.array([4.0, 2 / 3, 0]),
    )
    expect_close(np.stack(got), want, "three metrics, five seeds", suspects)


@PAIRED.check("one metric, and as many metrics as seeds")
def paired_small(answer, rng):
    # a seed failed in both models; differences (1, 3, 2): variance 1
    x, y = np.array([[NAN, 4, 6, 3]]), np.array([[NAN, 3, 3, 1]])
    got = answer.call("paired_intervals", x, y, T, parts=2)
    if any(part.shape == () for part in got):
        raise Wrong.fixed(
            "one metric is still an axis: its ends have the shape (1,); do "
            "not squeeze."
        )
    for part in got:
        expect_shape(part, (1,), "one metric")
    two = np.array([2.0])
    twice = "a seed that failed in both models is one seed: not counted twice."
    suspects = {twice: ends(12 / np.sqrt(two), two)}
    want = ends(4 / np.sqrt([3]), two)
    expect_close(np.stack(got), want, "one metric, four seeds", suspects)
    # rows with the variances 1, 16, 3
    d = np.array([[1.0, 2, 3], [0, 4, 8], [5, 5, 2]])
    y = np.array([[3.0, 1, 4], [1, 5, 9], [2, 6, 5]])
    got = answer.call("paired_intervals", d + y, y, T, parts=2)
    for part in got:
        expect_shape(part, (3,), "three metrics, three seeds")
    turned = 4 * d.std(axis=0, ddof=1) / np.sqrt(3)
    rows = "metrics are rows, also where there are as many as seeds."
    suspects = {rows: ends(turned, d.mean(axis=0))}
    want = ends(4 * np.sqrt([1 / 3, 16 / 3, 1]), np.array([2.0, 4, 4]))
    expect_close(np.stack(got), want, "three metrics, three seeds", suspects)


@PAIRED.check("what both models share cancels")
def paired_cancels(answer, rng):
    x, y = rng.normal(size=(2, 7, 6))
    t = np.array([NAN, 12.7, 4.3, 3.2, 2.8, 2.6])
    got = answer.call("paired_intervals", x, y, t, parts=2)
    shared = 50 * rng.normal(size=(7, 6))
    again = answer.call("paired_intervals", x + shared, y + shared, t, parts=2)
    for one, two in zip(got, again):
        expect_shape(one, (7,), "seven metrics, six seeds")
        if not np.abs(one - two).max() <= 1e-3:  # float32 keeps four digits
            raise Wrong.fixed(
                "a number added to both models on the same seed must change "
                "nothing: take the differences by seed first."
            )
    # 401 differences: 0 and 200 times -1 and 1, so that the variance is 1
    d = np.concatenate([[0], np.tile([-1.0, 1], 200)])[None]
    many = np.append(NAN, np.arange(1.0, 401))
    long = answer.call("paired_intervals", d + 1, 0 * d, many, parts=2)
    half = 400 / 401**0.5
    why = "t has an entry for each number of seeds: use the one that belongs."
    suspects = {why: [1 - 29 / 401**0.5, 1 + 29 / 401**0.5]}
    suspects[f"{why} "] = [1 - 30 / 401**0.5, 1 + 30 / 401**0.5]
    joined = np.concatenate([part.ravel() for part in long])
    expect_close(joined, [1 - half, 1 + half], "401 seeds", suspects)
    middle, wide = (got[0] + got[1]) / 2, (got[1] - got[0]) / 2
    expect_close(middle, (x - y).mean(axis=1), "the middles", tolerance=1e-5)
    want = 2.6 * (x - y).std(axis=1, ddof=1) / np.sqrt(6)
    expect_close(wide, want, "the half widths", tolerance=1e-5)


def expect_verdict(answer, want, why, *tests):
    """tests: one (low, high, at_least, at_most) each."""
    got = answer.call("verdict_from", *np.array(tests, float).T)
    expect_shape(got, (), "the verdict, one number")
    if got.dtype.kind not in "fiub" or not got == want:
        raise Wrong.fixed(why)


WIN, LOSS = (0.3, 0.5, 0.2, NAN), (0.3, 0.5, 0.6, NAN)


@VERDICT.check("three verdicts")
def verdict_three(answer, rng):
    expect_verdict(
        answer,
        2,
        "all tests pass: the claim holds, 2. (A bound that is nan is not "
        "named; comparing with nan gives False.)",
        WIN,
        WIN,
        WIN,
    )
    why = "test 0 passes and another fails: the claim holds in part, 1."
    expect_verdict(answer, 1, why, WIN, WIN, LOSS)
    expect_verdict(answer, 1, why, WIN, LOSS, WIN, WIN)
    why += " However many others fail."
    expect_verdict(answer, 1, why, WIN, LOSS, LOSS, LOSS)
    for many in (12, 300):
        last = f"one failure among {many} tests is enough: 1."
        expect_verdict(answer, 1, last, *[WIN] * (many - 1), LOSS)
    expect_verdict(
        answer,
        0,
        "test 0 is the claim: if it fails, the claim does not hold, 0, "
        "whatever the others do.",
        LOSS,
        WIN,
        WIN,
        WIN,
    )
    expect_verdict(answer, 0, "all tests fail: 0.", LOSS, LOSS)
    expect_verdict(answer, 2, "one test only, which passes: 2.", WIN)
    expect_verdict(answer, 0, "one test only, which fails: 0.", LOSS)


@VERDICT.check("the whole interval")
def verdict_whole(answer, rng):
    why = (
        "the whole interval must be on the right side, not its middle and "
        "not its better end: for at_least the lower end decides."
    )
    expect_verdict(answer, 0, why, (0.1, 0.9, 0.2, NAN), WIN)
    expect_verdict(answer, 1, why, WIN, (0.1, 0.9, 0.2, NAN))
    why = (
        "at_most is a bound from above: the whole interval must be below it, "
        "so the upper end decides."
    )
    expect_verdict(answer, 0, why, (-0.9, 0.3, NAN, 0.2), WIN)
    expect_verdict(answer, 0, why, (0.3, 0.5, NAN, 0.2), WIN)
    expect_verdict(answer, 1, why, WIN, (0.3, 0.5, NAN, 0.2))
    expect_verdict(answer, 2, why, (-0.9, -0.3, NAN, -0.2), WIN)
    expect_verdict(answer, 2, why, WIN, (-0.9, 0.1, NAN, 0.2))


@VERDICT.check("touching a bound")
def verdict_touch(answer, rng):
    why = "an interval that touches its bound passes: ends are included."
    expect_verdict(answer, 2, why, (0.25, 0.5, 0.25, NAN), WIN)
    expect_verdict(answer, 2, why, WIN, (-0.5, 0.25, NAN, 0.25))
    why += " So does one without any width."
    expect_verdict(answer, 2, why, WIN, (1.0, 1.0, 1.0, NAN))
    why = "an interval that misses its bound by 0.0001 fails: do not round."
    expect_verdict(answer, 0, why, (0.2499, 0.5, 0.25, NAN), WIN)
    expect_verdict(answer, 1, why, WIN, (0.1, 0.2501, NAN, 0.25))


@VERDICT.check("a bound of 0, and no tolerance")
def verdict_exact(answer, rng):
    why = "a bound of 0 is a bound; only nan names none."
    expect_verdict(answer, 0, why, (-0.1, 0.5, 0, NAN), WIN)
    expect_verdict(answer, 1, why, WIN, (-0.1, 0.5, 0, NAN))
    expect_verdict(answer, 0, why, (-0.5, 0.1, NAN, 0), WIN)
    expect_verdict(answer, 1, why, WIN, (-0.5, 0.1, NAN, 0))
    why = "a bound that is missed by a millionth, or less, is missed: compare "
    why += "without a tolerance."
    for bound, miss in ((0.25, 1e-6), (0, 1e-12), (100, 1e-9)):
        above = bound - miss, bound + 1, bound, NAN
        below = bound - 1, bound + miss, NAN, bound
        for test in above, below:
            expect_verdict(answer, 0, why, test, WIN)
            expect_verdict(answer, 1, why, WIN, test)


@VERDICT.check("two bounds in one test")
def verdict_two(answer, rng):
    why = "a test with two bounds must respect both."
    expect_verdict(answer, 2, why, WIN, (0.3, 0.5, 0.2, 0.6))
    expect_verdict(answer, 1, why, WIN, (0.3, 0.5, 0.2, 0.4))
    expect_verdict(answer, 1, why, WIN, (0.3, 0.5, 0.4, 0.6))
    expect_verdict(answer, 0, why, (0.3, 0.5, 0.2, 0.4), WIN)


@VERDICT.check("no bound, and large numbers")
def verdict_large(answer, rng):
    why = "a bound that is not named is none, however large the numbers are."
    for size in (7.0, 2e12, 1e30, 4e306):
        high, low = (size, 2 * size, 0, NAN), (-2 * size, -size, NAN, 0)
        expect_verdict(answer, 2, why, WIN, high, low)
        expect_verdict(answer, 2, why, low, high)
    why = "a large bound is a bound; only nan names none."
    expect_verdict(answer, 0, why, (2e12, 3e12, 4e12, NAN), WIN)
    expect_verdict(answer, 1, why, WIN, (-3e12, -2e12, NAN, -4e12))
    why = "a bound below 0 is a bound; only nan names none."
    expect_verdict(answer, 0, why, (-0.3, 0.5, -0.2, NAN), WIN)
    expect_verdict(answer, 1, why, WIN, (-0.3, 5, NAN, 4))


@VERDICT.check("an interval that is nan")
def verdict_nan(answer, rng):
    why = "an interval with nan at either end passes nothing."
    expect_verdict(answer, 1, why, WIN, (NAN, NAN, 0.2, NAN))
    expect_verdict(answer, 0, why, (NAN, NAN, NAN, 0.2), WIN)
    expect_verdict(answer, 1, why, WIN, (0.3, NAN, 0.2, NAN))
    expect_verdict(answer, 1, why, WIN, (NAN, 0.1, NAN, 0.2))
    first = f"{why} That goes for test 0 as well."
    expect_verdict(answer, 0, first, (0.3, NAN, 0.2, NAN), WIN)
    expect_verdict(answer, 0, first, (NAN, 0.1, NAN, 0.2), WIN)
    why += " However far away the bound is."
    expect_verdict(answer, 1, why, WIN, (NAN, 0.5, -1e300, NAN))
    expect_verdict(answer, 1, why, WIN, (0.3, NAN, NAN, 1e300))
    expect_verdict(answer, 0, why, (NAN, NAN, -1e300, 1e300), WIN)
    why += " That goes for a test without bounds, too."
    expect_verdict(answer, 1, why, WIN, (NAN, NAN, NAN, NAN))
    expect_verdict(answer, 1, why, WIN, (0.3, NAN, NAN, NAN))
    expect_verdict(answer, 0, why, (NAN, 0.5, NAN, NAN), WIN)
    named = "a test that names no bound passes, if its interval is not nan."
    expect_verdict(answer, 2, named, WIN, (0.3, 0.5, NAN, NAN))


@BAND.check("by hand: nine seeds and sixteen")
def band_by_hand(answer, rng):
    # 1/9 + 1/16 = 25/144, whose root is 5/12; times t s = 12: 5.
    suspects = {
        "that is the band of one more seed: the mean of m varies less.": (
            12 * np.sqrt(10 / 9)
        ),
        "standard deviations were added; variances add.": 7.0,
        "the variances of both means add; you have taken all seeds for one "
        "sample of n + m.": 12 / 5,
        "that is the error of the new mean alone; the recorded mean varies "
        "too.": 3.0,
        "that is the error of the recorded mean alone; the new one varies "
        "too.": 4.0,
        "only the new mean's variance is divided by m, not the recorded "
        "mean's.": 3 * np.sqrt(10 / 9),
        "the root is missing.": 12 * 25 / 144,
        "t is missing.": 2.5,
        "s is missing.": 5 / 6,
        "s is a standard deviation, not a variance.": 2 * np.sqrt(6 * 25 / 144),
        "variances add, also for a difference: they are never subtracted.": (
            np.sqrt(7)
        ),
        "the two fractions are added, not multiplied.": 1.0,
        "n and m are counts, not n - 1 and m - 1: s knows that already.": (
            12 * np.sqrt(1 / 8 + 1 / 15)
        ),
        "that is the whole width; half of it is asked.": 10.0,
        "n is a count, not n - 1: s knows that already.": 12
        * np.sqrt(1 / 8 + 1 / 16),
        "m is a count, not m - 1 or m + 1.": 12 * np.sqrt(1 / 9 + 1 / 15),
        "m is a count, not m - 1 or m + 1. ": 12 * np.sqrt(1 / 9 + 1 / 17),
        "use t; it is not always 1.96.": 1.96 * 2.5,
    }
    got = answer.call("half_width", 6.0, 9, 16, 2.0)
    expect_close(got, 5.0, "s = 6, n = 9, m = 16, t = 2", suspects)


@BAND.check("one new seed, and very many")
def band_limits(answer, rng):
    got = answer.call("half_width", 3.0, 8, 1, 2.0)
    expect_close(got, 6 * np.sqrt(9 / 8), "m = 1: Equation 5.1.7")
    got = answer.call("half_width", 3.0, 4, 10**14, 2.0)
    why = "m may be as large as it likes: do not cut it off."
    suspects = {
        why + " " * k: 6 * np.sqrt(1 / 4 + 1 / most)
        for k, most in enumerate((30, 100, 1000, 10_000))
    }
    expect_close(got, 3.0, "m without end: Equation 5.1.3", suspects)
    got = answer.call("half_width", 3.0, 2, 2, 12.7)
    expect_close(got, 38.1, "n = m = 2 and t = 12.7: t is not cut off")
    got = answer.call("half_width", 5.0, 2, 2, 1.0)
    expect_close(got, 5.0, "n = m = 2 and t = 1: s itself")
    got = answer.call("half_width", 3.0, 10**14, 4, 2.0)
    expect_close(got, 3.0, "n without end: the error of the new mean alone")
    for s in (2.5, 7777.0, 1.23456e-4):
        got = answer.call("half_width", s, 2, 2, 1.0)
        expect_close(got / s, 1.0, f"s = {s:g}, n = m = 2 and t = 1: s itself")


@BAND.check("a simulation")
def band_simulation(answer, rng):
    got = answer.call("half_width", 1.0, 10, 3, 1.0)
    expect_shape(got, (), "the half width, one number")
    means = [rng.normal(size=(20_000, k)).mean(axis=1) for k in (10, 3)]
    if not abs(got - np.std(means[0] - means[1])) <= 0.03:
        raise Wrong.fixed(
            "20,000 times ten numbers and three more: the difference of the "
            "two means has another deviation than yours."
        )


P = np.array([0.038, 0.2, 0.008, 0.055, 0.03, 0.035])


@SHARE.check("six tests by hand")
def share_by_hand(answer, rng):
    # sorted .008 .03 .035 .038 .055 .2; bounds .01 .02 .03 .04 .05 .06:
    # the largest k that clears is 4
    suspects = {
        "the rule stops at the first test that misses its bound; the largest "
        "k that clears decides.": [0, 0, 1, 0, 0, 0],
        "those that miss their own bound pass too, if a later one clears.": (
            [1, 0, 1, 0, 0, 0]
        ),
        "as many pass as clear their bound: not their number counts, but the "
        "place of the last.": [0, 0, 1, 0, 1, 0],
        "no correction is left, or one test too many passes.": (
            [1, 0, 1, 1, 1, 1]
        ),
        "the result stands in sorted order; it must stand in the order of p.": [
            1,
            1,
            1,
            1,
            0,
            0,
        ],
        "putting the result back into the order of p went wrong: "
        "passed[order] = ..., not ...[order].": [1, 0, 0, 1, 1, 1],
        "places begin at 0, numbers at 1: one test too few passes.": (
            [0, 0, 1, 0, 1, 1]
        ),
        "none passes: does the bound of the smallest begin at q / m?": [0] * 6,
        "that is where tests fail; True is a pass.": [0, 1, 0, 1, 0, 0],
    }
    got = answer.call("discoveries", P, 0.06)
    expect_shape(got, (6,), "six tests")
    expect_close(got, [1, 0, 1, 0, 1, 1], "six tests, q = 0.06", suspects)


@SHARE.check("none, one, all")
def share_ends(answer, rng):
    got = answer.call("discoveries", np.array([0.4, 0.3, 0.9]), 0.1)
    expect_close(got, [0, 0, 0], "three large probabilities, q = 0.1")
    got = answer.call("discoveries", np.array([0.29, 0.25, 0.28]), 0.3)
    suspects = {
        "only the largest clears its bound, q: then all pass, down to the "
        "smallest.": [0, 0, 0]
    }
    suspects["the others pass with it."] = [1, 0, 0]
    expect_close(got, [1, 1, 1], "0.29, 0.25, 0.28 with q = 0.3", suspects)
    got = answer.call("discoveries", np.array([0.04]), 0.05)
    expect_close(got, [1], "one test alone, q = 0.05")
    got = answer.call("discoveries", np.array([0.9, 0.001, 0.8, 0.7]), 0.05)
    expect_close(got, [0, 1, 0, 0], "one small probability among four")
    got = answer.call("discoveries", np.full(300, 0.01), 0.05)
    expect_close(got, np.ones(300), "300 times 0.01 with q = 0.05: all pass")
    got = answer.call("discoveries", np.array([1.0, 0.3]), 1.0)
    expect_close(got, [1, 1], "1 and 0.3 with q = 1: all pass")


@SHARE.check("exactly on the bound")
def share_touch(answer, rng):
    got = answer.call("discoveries", np.array([0.75, 0.25]), 0.5)
    suspects = {"a test that is exactly on its bound clears it.": [0, 0]}
    expect_close(got, [0, 1], "0.75, 0.25 with q = 0.5", suspects)
    why = "a test that misses its bound by little misses it: no tolerance."
    for miss in (1e-3, 1e-4, 2.0**-22):
        p = np.array([0.75, 0.25 + miss])
        got = answer.call("discoveries", p, 0.5)
        expect_close(got, [0, 0], f"0.75, {p[1]}, q = 0.5", {why: [0, 1]})
        p = np.array([0.25, 0.75 + miss, 0.24, 0.26])
        got = answer.call("discoveries", p, 0.75)
        what = f"0.25, {p[1]}, 0.24, 0.26, q = 0.75"
        expect_close(got, [1, 0, 1, 1], what, {why: [1] * 4})
    got = answer.call("discoveries", np.array([0.8, 0.85]), 0.9)
    expect_close(got, [1, 1], "0.8, 0.85 with q = 0.9")
    got = answer.call("discoveries", np.array([0.5, 0.5, 0.5]), 0.5)
    expect_close(got, [1, 1, 1], "three times 0.5 with q = 0.5")


@SHARE.check("equal probabilities, and 0")
def share_equal(answer, rng):
    p = np.full(10, 0.05)
    p[3] = 0.5
    got = answer.call("discoveries", p, 0.06)
    suspects = {"equal probabilities are several tests, not one.": [0] * 10}
    expect_close(got, p < 0.1, "nine times 0.05 and 0.5, q = 0.06", suspects)
    got = answer.call("discoveries", np.array([0.0, 0.9, 0.001]), 0.05)
    suspects = {"a probability of 0 passes.": [0, 0, 1]}
    expect_close(got, [1, 0, 1], "0, 0.9, 0.001 with q = 0.05", suspects)


@SHARE.check("the order of the tests makes no difference")
def share_order(answer, rng):
    p = np.concatenate([rng.random(14), rng.random(6) * 0.05])
    got = answer.call("discoveries", p, 0.2)
    expect_shape(got, (20,), "twenty tests")
    shuffle = rng.permutation(20)
    again = answer.call("discoveries", p[shuffle].copy(), 0.2)
    expect_close(again, got[shuffle], "the same twenty tests, shuffled")


U = np.array([0.0, 1, 3, 7])
CURVES = np.array([[2.0, 4, 8, 0], [0, 4, 4, 12]])


@HEIGHT.check("two curves by hand")
def height_by_hand(answer, rng):
    # areas to step 3: 15 and 10; heights at step 5: 4 and 8; areas 27, 22
    suspects = {
        "the piece between the last evaluation and the budget is missing: a "
        "curve of height 1 would get less than 1.": [15 / 5, 10 / 5],
        "that is the mean up to the last evaluation before the budget, not "
        "up to the budget.": [15 / 3, 10 / 3],
        "that is the mean of the evaluations: pieces of different length "
        "count differently.": [14 / 3, 8 / 3],
        "each piece takes the height at its left end; the mean of both ends "
        "is asked.": [26 / 5, 16 / 5],
        "each piece takes the height at its right end; the mean of both ends "
        "is asked.": [(4 + 16 + 8) / 5, (4 + 8 + 16) / 5],
        "that is the whole curve; it ends at the budget.": [31 / 7, 42 / 7],
        "the piece behind the budget is not cut off.": [31 / 5, 42 / 5],
        "after the last evaluation before the budget the curve goes on, it "
        "does not stay where it was.": [31 / 5, 18 / 5],
        "the height at the budget lies between its two neighbours: it is not "
        "the next evaluation's.": [23 / 5, 26 / 5],
        "that is the area; divide by the width.": [27.0, 22.0],
        "divide by the budget, not by the last step.": [27 / 7, 22 / 7],
        "every curve gets the same height at the budget; each has its own.": (
            [27 / 5, 18 / 5]
        ),
        "that is the height at the budget, not the mean on the way.": [4, 8],
        "the evaluations are not equally far apart: use their distances, and "
        "the mean is not that of all heights.": [4.5, 4],
        "the evaluations are not equally far apart: use their distances.": (
            [15 / 5, 12 / 5]
        ),
    }
    got = answer.call("height_up_to", U, CURVES, 5.0)
    expect_close(got, [27 / 5, 22 / 5], "two curves, budget 5", suspects)
    got = answer.call("height_up_to", U, CURVES[::-1].copy(), 5.0)
    expect_close(got, [22 / 5, 27 / 5], "the curves in reverse order")


@HEIGHT.check("budgets anywhere")
def height_anywhere(answer, rng):
    wants = {
        3.0: [15 / 3, 10 / 3],  # on an evaluation
        7.0: [31 / 7, 42 / 7],  # on the last one
        1.0: [3, 2],
        0.5: [2.5, 1],  # before the first
        10.0: [31 / 10, (42 + 36) / 10],  # behind the last: height 0 and 12
    }
    for budget, want in wants.items():
        got = answer.call("height_up_to", U, CURVES, budget)
        expect_shape(got, (2,), "two curves")
        suspects = {
            "behind its last evaluation the curve stays at its last height.": (
                [31 / 10, 42 / 10]
            )
        }
        if budget > 7:
            why = "behind its last evaluation a curve does not rise or fall on."
            suspects[why] = [22 / 10, 87 / 10]
            suspects["that stops at the last evaluation."] = [31 / 7, 42 / 7]
        expect_close(got, want, f"two curves, budget {budget:g}", suspects)
    got = answer.call("height_up_to", U, CURVES, 1e4)
    want = [31 / 1e4, (42 + 12 * 9993) / 1e4]
    expect_close(got, want, "two curves, budget 10,000: it is used as it is")
    line = np.arange(301.0)
    got = answer.call("height_up_to", line, 1e9 * line[None], 300.0)
    what = "301 evaluations on a line up to 3e11: nothing is cut off"
    expect_close(got / 1e9, [150.0], what)


@HEIGHT.check("constant curves, and more evaluations")
def height_constant(answer, rng):
    u = np.array([0.0, 2, 3, 8, 9])
    y = np.array([[1.5], [-2], [7]]) * np.ones(5)
    for budget in (0.7, 2.0, 5.0, 9.0, 20.0):
        got = answer.call("height_up_to", u, y, budget)
        expect_shape(got, (3,), "three curves")
        if not np.abs(got - y[:, 0]).max() <= 1e-9:
            raise Wrong.fixed(
                "a curve that is constant has this constant as its mean "
                "height, whatever the budget."
            )
    rough = rng.normal(size=(7, 5))
    fine_u = np.array([0.0, 1, 2, 2.5, 3, 4, 8, 8.25, 9])
    fine = np.stack([np.interp(fine_u, u, row) for row in rough])
    for budget in (3.7, 8.5):
        few = answer.call("height_up_to", u, rough, budget)
        many = answer.call("height_up_to", fine_u, fine, budget)
        expect_close(many, few, "the same lines, evaluated more often")
        last = answer.call("height_up_to", u, rough[6:], budget)
        expect_close(few[6:], last, "the last of seven curves, and it alone")


@HEIGHT.check("one seed, one evaluation, whole numbers, as many seeds as steps")
def height_small(answer, rng):
    got = answer.call("height_up_to", U, CURVES[:1], 5.0)
    if got.shape == ():
        raise Wrong.fixed("one seed is still an axis, (1,): do not squeeze.")
    expect_close(got, [27 / 5], "one seed")
    got = answer.call("height_up_to", U[:1], np.array([[2.0], [5]]), 3.0)
    suspects = {
        "one evaluation is a curve too: it stays at this height.": [0, 0]
    }
    expect_close(got, [2, 5], "one evaluation", suspects)
    sharp, peak = np.array([0.0, 1, 2, 1e6]), np.array([[0, 1e6, 0, 0]])
    got = answer.call("height_up_to", sharp, peak, 1e6)
    what = "a peak of two steps in a million, of height 1,000,000"
    why = "the curve must be added up between its own evaluations."
    expect_close(got, [1.0], what, {why: [0.0]})
    whole = np.array([[0, 3, 5], [1, 2, 0]])  # at step 1: 0.75 and 1.25
    got = answer.call("height_up_to", np.array([0, 4, 5]), whole, 1)
    suspects = {
        "a height at the budget between whole numbers was cut to a whole "
        "number: make an array of floats for it.": [0, 1]
    }
    expect_close(got, [3 / 8, 9 / 8], "heights in whole numbers", suspects)
    y = np.array([[1.0, 2, 4], [0, 0, 6], [5, 1, 1]])  # at step 2: 3, 3, 1
    got = answer.call("height_up_to", U[:3], y, 2.0)
    suspects = {
        "seeds are rows, also where there are as many as evaluations.": (
            [7 / 8, 5 / 8, 39 / 8]
        )
    }
    expect_close(got, [2, 3 / 4, 2], "three seeds, three steps", suspects)
