"""Visible checks of chapter 2.2's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    expect_same_for_integers,
    shaped,
)

BACK = Exercise("2_2.a", "Attention's backward pass", ("attention_gradients",))
VJP = Exercise("2_2.b", "The softmax's backward pass", ("softmax_vjp",))
SCALE = Exercise("2_2.c", "The factor", ("score_scale",))
HEADS = Exercise(
    "2_2.d",
    "The wrong width",
    ("attend_in_heads",),
    "torch",
    all_or_nothing=True,
)
MORE = Exercise(
    "2_2.e",
    "More keys",
    ("saturated_share", "prediction"),
    predict=("up", "down", "same"),
)
EXERCISES = [BACK, VJP, SCALE, HEADS, MORE]

LN3 = np.log(3.0)


def worked():
    """d = 4: the scores are (0, ln 3, 0) and (ln 3, 0, ln 3)."""
    q, k = np.zeros((1, 2, 4)), np.zeros((1, 3, 4))
    q[0, 0, 0] = q[0, 1, 1] = 2
    k[0, :, 0], k[0, :, 1] = [0, LN3, 0], [LN3, 0, LN3]
    v, do = np.zeros((1, 3, 5)), np.zeros((1, 2, 5))
    v[0, 0, 0], do[0, :, 0] = 5, [1, 2]
    return q, k, v, do


def wider():
    """The same scores, but all of them 40 lower, with d = 7."""
    q, k, v, do = worked()
    q, k = (np.pad(x, [(0, 0), (0, 0), (0, 3)]) for x in (q, k))
    k *= 7**0.5 / 2
    q[..., 6], k[..., 6] = 7**0.5, -40
    return q, k, v, do


def gradients(answer, args):
    """The three results, if each has its own argument's shape."""
    got = answer.call("attention_gradients", *args, parts=3)
    shapes = [x.shape for x in args[:3]]
    if [x.shape for x in got] != shapes:
        if sorted(x.shape for x in got) == sorted(shapes):
            raise Wrong("return dq first, then dk, then dv.")
        yours = ", ".join(str(x.shape) for x in got)
        raise Wrong(f"dq, dk, dv have the shapes {shapes}, yours are {yours}.")
    return got


@BACK.check("dV of a worked example: are the weights right?")
def values_by_hand(answer, rng):
    _, _, dv = gradients(answer, worked())

    def summed(first, second):  # rows of weights; do is 1 and 2
        out = np.zeros((1, 3, 5))
        out[0, :, 0] = np.array(first) + 2 * np.array(second)
        return out

    def rows(x):  # weights if ln 3 had become ln x
        return summed(
            np.array([1, x, 1]) / (2 + x), np.array([x, 1, x]) / (1 + 2 * x)
        )

    x = np.float64(3)
    suspects = {
        "the scores are not divided by sqrt(d).": rows(x**2),
        "the scores are divided by d, not by sqrt(d).": rows(x**0.5),
        "the dot product runs over d: sqrt(d), not sqrt(e).": rows(
            9 ** (1 / 5**0.5)
        ),
        "the softmax runs over the queries, not over the keys.": summed(
            [0.25, 0.75, 0.25], [0.75, 0.25, 0.75]
        ),
    }
    expect_close(dv, rows(x), "dV", suspects)
    _, _, dv = gradients(answer, wider())
    said = "the root of d is cut to a whole number."
    suspects = {said: rows(x ** (7**0.5 / 2))}
    expect_close(dv, rows(x), "dV where d = 7, all scores 40 lower", suspects)


@BACK.check("dQ of a worked example: is dS right?")
def queries_by_hand(answer, rng):
    dq, _, _ = gradients(answer, worked())

    def through(first, second, factor=0.5):  # dS row by row, times the keys
        ds = np.array([first, second])
        out = np.zeros((1, 2, 4))
        out[0, :, 0] = factor * LN3 * ds[:, 1]
        out[0, :, 1] = factor * LN3 * (ds[:, 0] + ds[:, 2])
        return out

    good = [0.8, -0.6, -0.2], [120 / 49, -30 / 49, -90 / 49]
    plus = [1.2, 0.6, 0.2], [300 / 49, 30 / 49, 90 / 49]
    bare = [4, -1, -1], [40 / 7, -30 / 7, -30 / 7]
    columns = [-2 / 35, 0, 0], [99 / 49, 0, 0]
    suspects = {
        "the factor 1/sqrt(d) is missing on the way back.": (*good, 1),
        "the way back divides by d, not by sqrt(d).": (*good, 0.25),
        "the row-sum term is missing: a weight depends on its whole row.": (
            [1, 0, 0],
            [30 / 7, 0, 0],
        ),
        "the subtracted sum runs over the queries, not the keys.": columns,
        "the subtracted sum lacks the weights: add up a_il da_il.": (
            [0, -3, -1],
            [0, -10 / 7, -30 / 7],
        ),
        "the weight in front of the bracket is missing.": bare,
        "the softmax is skipped: dS is not dA.": ([5, 0, 0], [10, 0, 0]),
        "the row-sum term is added; it is subtracted.": plus,
        "only the diagonal a (1 - a) of the softmax's Jacobian is used.": (
            [0.8, 0, 0],
            [120 / 49, 0, 0],
        ),
        "subtract the weighted mean of dA, not its plain mean.": (
            [2 / 3, -1, -1 / 3],
            [20 / 7, -10 / 21, -10 / 7],
        ),
    }
    known = {reason: through(*rows) for reason, rows in suspects.items()}
    expect_close(dq, through(*good), "dQ", known)
    # By the chain rule dQ shrinks with 1/sqrt(d), and k has grown with it.
    dq, _, _ = gradients(answer, wider())
    what = "dQ where d = 7, the first four numbers"
    expect_close(dq[..., :4], through(*good), what)


@BACK.check("dK, with as many queries as keys")
def keys_by_hand(answer, rng):
    # dS is (0.75, -0.75) for the first query and 0 for the second.
    q, k, v, do = (np.zeros((1, 2, w)) for w in (4, 4, 5, 5))
    q[0, 0, 0] = q[0, 1, 1] = 2
    k[0, 0, 0], v[0, 0, 0], do[0, 0, 0] = LN3, 4, 1
    _, dk, _ = gradients(answer, (q, k, v, do))

    def rows(first, second):
        out = np.zeros((1, 2, 4))
        out[0, :, :2] = first, second
        return out

    suspects = {
        "transpose dS: dK is summed over the queries.": ([0.75, -0.75], [0, 0]),
        "you multiplied by the keys; dK needs the queries.": (
            [0.375 * LN3, 0],
            [-0.375 * LN3, 0],
        ),
        "the factor 1/sqrt(d) is missing in dK.": ([1.5, 0], [-1.5, 0]),
        "dK divides by d, not by sqrt(d).": ([0.375, 0], [-0.375, 0]),
    }
    known = {reason: rows(*pair) for reason, pair in suspects.items()}
    expect_close(dk, rows([0.75, 0], [-0.75, 0]), "dK", known)


@BACK.check("three properties on random numbers")
def sums(answer, rng):
    b, i, j, d, e = 2, 5, 7, 8, 3
    shapes = (b, i, d), (b, j, d), (b, j, e), (b, i, e)
    q, k, v, do = args = tuple(rng.normal(size=s) for s in shapes)
    got = gradients(answer, args)
    alone = gradients(answer, tuple(x[1:] for x in args))
    for name, mine, own in zip(("dQ", "dK", "dV"), got, alone, strict=True):
        expect_close(mine[1:], own, f"{name} of one example needs no other")
    whole = tuple(np.rint(2 * x).astype(int) for x in args)
    expect_same_for_integers(answer, "attention_gradients", whole, 3)
    dq, dk, dv = got
    what = "weights sum to 1, so dV summed over keys is dO summed over queries"
    expect_close(dv.sum(axis=1), do.sum(axis=1), what)
    what = "moving all keys alike changes nothing: dK sums to 0 over the keys"
    expect_close(dk.sum(axis=1), np.zeros((b, d)), what)
    what = "doubling Q or doubling K is the same: dQ.Q = dK.K"
    expect_close((dq * q).sum((1, 2)), (dk * k).sum((1, 2)), what)


@BACK.check("scores in the thousands")
def large(answer, rng):
    # d = 1: scores (3000, 2000, 1000), and these negative: one key takes all.
    q, k = np.zeros((1, 2, 1)), np.zeros((1, 3, 1))
    q[0, :, 0], k[0, :, 0] = [1000, -1000], [3, 2, 1]
    _, _, v, do = worked()
    want = np.zeros((1, 3, 5))
    want[0, :, 0] = [1, 0, 2]
    same = {"the scores are clipped; large ones may still differ.": want * 0}
    for clipped in same.values():
        clipped[0, :, 0] = 1
    for name, x in reversed(
        list(zip(("dQ", "dK", "dV"), gradients(answer, (q, k, v, do))))
    ):
        if not np.isfinite(x).all():
            raise Wrong(
                f"{name} holds nan: exp overflows, or all of a row becomes 0; "
                "subtract each row's own largest score first."
            )
        at = "where the largest score takes all"
        if name == "dV":
            expect_close(x, want, f"{name} {at}", same)
        else:
            expect_close(x, 0 * x, f"{name} {at}")
    k[0, 1, 0] = 3 - LN3 / 1000  # scores 3000 and 3000 - ln 3, then negative
    want[0, :, 0] = [0.75, 0.25, 2]
    *_, dv = gradients(answer, (q, k, v, do))
    expect_close(
        dv, want, "dV where two scores near 3000 differ by ln 3 (clipped?)"
    )


@VJP.check("two worked rows")
def vjp_by_hand(answer, rng):
    # weights (1, 2, 4)/7 and (1, 1, 2)/4; weighted means of u: 3 and 2
    s = np.log([[1.0, 2, 4], [1, 1, 2]])
    u = np.array([[7.0, 0, 3.5], [4, 0, 2]])
    a = np.array([[1, 2, 4], [1.75, 1.75, 3.5]]) / 7
    columns = np.array([[1, 2, 4], [1, 1, 2]]) / [2, 3, 6]
    along = np.array([[1, 1, 1], [1, 0.5, 0.5]]) / [[3], [2]]
    suspects = {
        "the weighted mean of u is not subtracted.": a * u,
        "subtract the weighted mean of u, not the plain mean.": a
        * [[3.5, -3.5, 0], [2, -2, 0]],
        "subtract the weighted mean of u, not its sum.": a
        * [[-3.5, -10.5, -7], [-2, -6, -4]],
        "the weight in front of the bracket is missing.": u - [[3], [2]],
        "s holds scores, not weights: take the softmax first.": s
        * (u - np.log([[2**7], [4]])),
        "the sum runs over the batch; each row is its own.": a
        * (u - [[2, 0, 3]]),
        "the softmax runs over the batch; each row is its own.": columns
        * (u - (columns * u).sum(axis=1, keepdims=True)),
        "the sign is turned round: u minus its mean.": a * ([[3], [2]] - u),
        "these are the weights; u is not used.": a,
        "the weights sum to 1 already: add a * u, do not average it.": a
        * (u - (a * u).mean(axis=1, keepdims=True)),
        "the largest score is taken along the batch, so that the scores of "
        "one row lose different amounts.": along
        * (u - (along * u).sum(axis=1, keepdims=True)),
        "only the diagonal a (1 - a) of J; the other weights move too.": a
        * (1 - a)
        * u,
        "the sum is that of a * u; yours is of u alone, times a.": a
        * (u - a * u.sum(axis=1, keepdims=True)),
    }
    got, want = answer.call("softmax_vjp", s, u), [[4, -6, 2], [3.5, -3.5, 0]]
    expect_close(got, np.array(want) / 7, "gradient by scores", suspects)
    # A slope is that of the loss sum(a u) when the scores move.
    s, u, step = rng.normal(size=(3, 4, 6)) * [[[1]], [[30]], [[1]]]
    got = shaped(answer.call("softmax_vjp", s, u), (4, 6))
    loss = [
        (x / x.sum(1, keepdims=True) * u).sum()
        for x in (np.exp(s + 1e-5 * step), np.exp(s - 1e-5 * step))
    ]
    what = "the loss's slope when the scores move, four rows of six"
    slope = (loss[0] - loss[1]) / 2e-5
    expect_close((got * step).sum(), slope, what)
    s, u = np.array([[0, 3, -2, 1, 1]]), np.array([[2, -1, 0, 5, 1]])
    expect_same_for_integers(answer, "softmax_vjp", (s, u))


@VJP.check("scores of a thousand, up and down")
def vjp_stable(answer, rng):
    low = [-1000] * 3, [-2500] * 3  # most of a row, so its mean is low too
    s = np.array([[1000, 1000 + LN3, *low[0]], [-1000, -1000 - LN3, *low[1]]])
    u = np.array([[4.0, 0, 9, 9, 9], [0, 4, 9, 9, 9]])
    got = answer.call("softmax_vjp", s, u)
    if not np.isfinite(got).all():
        raise Wrong(
            "nan: exp overflows, or all of a row underflows; subtract each "
            "row's largest score first."
        )
    want = np.array([[0.75, -0.75, 0, 0, 0], [-0.75, 0.75, 0, 0, 0]])
    what = "weights 1/4, 3/4, 0 (are scores clipped, or nan replaced?)"
    expect_close(got, want, what)
    got = answer.call("softmax_vjp", np.array([[0, -25.0]]), np.eye(2)[1:])
    alone = answer.call("softmax_vjp", np.array([[3.0]]), np.array([[1e6]]))
    what = "one key alone: its weight stays 1 (nothing is added to a sum)"
    shaped(got, (1, 2))
    expect_close(alone, [[0.0]], what, tolerance=1e-3)
    what = (
        "a gradient near exp(-25), divided by it (nothing may be cut off, nor "
        "added to a small weight)"
    )
    got = shaped(got, (1, 2))[0, 1] * np.exp(25.0)
    expect_close(got, 1.0, what, tolerance=1e-4)


@VJP.check("a million keys")
def vjp_large(answer, rng):
    n = 1_000_000
    u = np.ones((1, n))
    u[0, 3] = 1 + n
    try:
        got = answer.call("softmax_vjp", np.zeros((1, n)), u)
    except Wrong as wrong:
        if "llocate" in str(wrong) or "emory" in str(wrong):
            raise Wrong(
                "out of memory: the Jacobian of a million keys has 10^12 "
                "entries; do not build it."
            ) from None
        raise
    want = np.full((1, n), -1 / n)
    want[0, 3] = 1 - 1 / n
    expect_close(got, want, "equal weights", tolerance=1e-9)


@SCALE.check("worked values")
def scale_by_hand(answer, rng):
    # 12 (0.5^2 + 1.5^2) 3^2 = 12 * 2.5 * 9 = 270
    got = answer.call("score_scale", 12, 1.5, 0.5, 3.0, parts=2)
    variance, factor = (np.asarray(x) for x in got)
    if np.allclose((variance, factor), (1 / 270**0.5, 270)):
        raise Wrong("return the variance first, then the factor.")
    suspects = {
        "the query's mean counts: E[q^2] is sigma_q^2 + mu^2.": 27.0,
        "square the mean: E[q^2] is sigma_q^2 + mu^2.": 12 * 1.75 * 9,
        "a variance is the square of a standard deviation.": 12 * 2.75 * 3,
        "add up the d products.": 22.5,
        "d independent products add d variances, not d^2.": 3240.0,
        "that is the standard deviation, not the variance.": 270**0.5,
        "the squared mean is added to sigma_q^2, not taken away.": -216.0,
        "the mean is the query's; the key's is 0.": 12 * 0.25 * 11.25,
        "the mean of a score is 0: the key's mean is.": 270 + 18.0**2,
        "square mu and sigma_q one by one, not their sum.": 12 * 4 * 9,
        "all products are independent: mu^2 counts d times, not d^2.": 27
        + 144 * 2.25 * 9,
    }
    if variance.shape == () and 1e-5 < abs(variance / 270 - 1) < 0.05:
        raise Wrong(
            "near, but not exact: derive a formula; draws only estimate it."
        )
    what = "d 12, mu 1.5, deviations 0.5 and 3"
    expect_close(variance, 270.0, what, suspects)
    suspects = {
        "a factor f multiplies the variance by f^2: take the root.": 1 / 270,
        "the factor divides: 1 / sqrt(variance).": 270**0.5,
        "1/sqrt(d) would do only when the variance is d.": 12**-0.5,
        "the query's mean counts in the factor too.": 27**-0.5,
        "the root is cut to a whole number.": 1 / 16,
    }
    expect_close(factor, 270**-0.5, "the factor", suspects)


@SCALE.check("the chapter's case")
def scale_plain(answer, rng):
    got = answer.call("score_scale", 64, 0.0, 1.0, 1.0, parts=2)
    expect_close(np.array(got), [64, 1 / 8], "d 64, mean 0, deviations 1")
    got = answer.call("score_scale", 5, -2.0, 1.0, 0.5, parts=2)
    what = "the variance for d 5, mu -2, deviations 1 and 0.5"
    why = "mu^2 is positive: a negative mean makes the variance larger too."
    expect_close(got[0], 6.25, what, {why: -3.75})
    expect_close(got[1], 0.4, "the factor for this variance of 6.25")
    got = answer.call("score_scale", 3, 0.5, 0.25, 1e-4, parts=2)
    small = np.array(got) * [1e8, 1e-4]
    want = [15 / 16, (16 / 15) ** 0.5]
    expect_close(small, want, "d 3, mu 0.5, deviations 0.25 and 0.0001, scaled")


@HEADS.check("worked examples: three heads, two, seven")
def heads_by_hand(answer, rng):
    # Head 0 is `width` wide: its scores (0, sqrt(width) ln 3, 0, 0, 0) become
    # (0, ln 3, 0, 0, 0). The other heads' scores are 0.
    for width, heads in ((4, 3), (9, 2), (2, 7)):
        w = width * heads
        q, k, v = (np.zeros((1, n, w)) for n in (6, 5, 5))
        q[..., 0], k[0, 1, 0] = 1, width**0.5 * LN3
        v[0, :, :2] = np.eye(5, 2)
        v[0, :, -1] = [3, 6, 9, 12, 15]

        def out(key_0, key_1, last=9.0, w=w):
            return np.tile([key_0, key_1, *[0] * (w - 3), last], (1, 6, 1))

        def divided(by, width=width):
            x = 3 ** (width**0.5 / by)
            return out(1 / (4 + x), x / (4 + x))

        what = "the scores are divided by the root of the"
        suspects = {
            f"{what} whole width; a head adds up fewer products.": w**0.5,
            f"{what} number of heads.": heads**0.5,
            f"{what} number of keys.": 5**0.5,
            "the scores are divided by the head's width, not its root.": width,
            "the scores are not divided at all.": 1,
            f"{what} width, and that by `heads`: heads go under the root.": (
                w**0.5 / heads
            ),
            f"{what} width times `heads`: a head is w / heads wide.": (
                w**0.5 * heads
            ),
        }
        suspects = {why: divided(by) for why, by in suspects.items()}
        suspects |= {
            "the softmax runs over the queries, not over the keys.": out(
                1 / 6, 1 / 6, 7.5
            ),
            "the softmax runs over the heads, not over the keys.": out(
                1 / heads,
                3 / (heads + 2),
                39 / heads + 6 / (heads + 2),
            ),
        }
        got = answer.call("attend_in_heads", q, k, v, heads)
        case = f"{heads} heads of width {width}"
        if got.shape == q.shape and 0.2 < got[0, 0, 1] < 1:
            x = got[0, 0, 1] * 4 / (1 - got[0, 0, 1])
            by = width**0.5 * LN3 / np.log(x)
            why = f"the scores are divided by {by:.3g}; what is the root of "
            suspects[why + "a head's width?"] = divided(by)
        expect_close(got, divided(width**0.5), case, suspects)
        got = answer.call("attend_in_heads", -q, -k, -v, heads)
        what = f"{case}, with all signs turned"
        expect_close(got, -divided(width**0.5), what)


@HEADS.check("a head sees its own part of the width, of its own example")
def heads_apart(answer, rng):
    q, k, v = (rng.normal(size=(3, n, 6)) for n in (5, 7, 7))
    before = answer.call("attend_in_heads", q, k, v, 2)
    if before.shape != (3, 5, 6):
        raise Wrong(f"shape (3, 5, 6) expected, yours is {before.shape}.")
    half = [x * [1, 1, 1, 3, 3, 3] for x in (q, k, v)]
    after = shaped(answer.call("attend_in_heads", *half, 2), (3, 5, 6))
    if not np.allclose(before[..., :3], after[..., :3]):
        raise Wrong(
            "the second half of the width changes the first head's output: "
            "heads are mixed up (reshaped without transposing?)."
        )
    one = answer.call("attend_in_heads", q[2:], k[2:], v[2:], 2)
    expect_close(before[2:], one, "one example needs no other")
    got = shaped(answer.call("attend_in_heads", q, k, v, 3), (3, 5, 6))
    for head in range(3):
        own = slice(2 * head, 2 * head + 2)
        alone = (x[..., own].copy() for x in (q, k, v))
        what = f"head {head} of 3 by itself, against its part of the result"
        expect_close(
            answer.call("attend_in_heads", *alone, 1), got[..., own], what
        )
    turned = (x[:, ::-1].copy() for x in (k, v))
    again = answer.call("attend_in_heads", q, *turned, 3)
    expect_close(again, got, "seven keys in reverse order, with their values")


@HEADS.check("gradients")
def heads_gradient(answer, rng):
    args = {x: rng.normal(size=(2, n, 6)) for x, n in zip("qkv", (5, 7, 7))}
    expect_gradients(answer, "attend_in_heads", args | {"heads": 3}, rng)


# Two keys: the norm is 2 a (1 - a), below 1e-3 when the scores differ by more
# than 7.60. Given q the difference is normal with variance 2 |q|^2, and |q|^2
# is a chi-square with d degrees of freedom; integrated over it:
TWO_KEYS = {20: 0.2212, 64: 0.4975}


@MORE.check("two keys, where the share can be calculated")
def two_keys(answer, rng):
    got = [answer.call("saturated_share", d, 2, 1.0, 4000, 5) for d in TWO_KEYS]
    if any(np.ndim(x) != 0 for x in got):
        raise Wrong("return one number, the share of saturated queries.")
    want = np.array(list(TWO_KEYS.values()))
    if not all(0 <= x <= 1 for x in got):
        raise Wrong("a share lies between 0 and 1; yours does not.")
    if np.allclose(got, 1 - want, atol=0.03):
        raise Wrong("you count the queries that are not saturated.")
    for d, mine, right in zip(TWO_KEYS, got, want):
        if not abs(mine - right) <= 0.03:  # nan too
            raise Wrong(
                f"d {d}, 2 keys: {float(mine):.3f} instead of {right:.3f}. Is "
                "it the norm of all of J that you hold against 1e-3 (not its "
                "square, its diagonal or the largest weight), is the softmax "
                "over the keys, and is each query drawn anew?"
            )


# Of two keys many norms are alike. Of 1000 queries so many were saturated,
# with seeds 13, 14 and 16 (d 2, 2 keys, factor 10) and 138 (d 3, 40 keys,
# factor 6), when queries were drawn first, and when keys were.
SAME_DRAWS = {(581, 582, 574): 142, (599, 576, 598): 119}


@MORE.check("it is the norm of all of J")
def whole_norm(answer, rng):
    def count(d, n, factor, seed):
        got = answer.call("saturated_share", d, n, factor, 1000, seed)
        return round(1000 * float(got), 3)

    flat = answer.call("saturated_share", 4, 1100, 0.0, 1, 9)
    if flat != 0:
        raise Wrong(
            "with factor 0 and 1,100 keys J has the norm 0.03 and yours "
            "counts as saturated: it is not the largest number of J, nor the "
            "largest singular value, that is asked for."
        )
    far = answer.call("saturated_share", 16, 4, 1000.0, 200, 9)
    if not far > 0.9:
        raise Wrong(
            "with factor 1000 hardly a query is saturated in yours: exp "
            "overflows to nan; subtract each row's largest score first."
        )
    draws = tuple(count(2, 2, 10.0, seed) for seed in (13, 14, 16))
    if draws in SAME_DRAWS and count(3, 40, 6.0, 138) != SAME_DRAWS[draws]:
        raise Wrong(
            "two keys are right, 40 are not: is it the root of the sum of all "
            "squares of J (Eq. 2.2.4), not its trace, a sum along a row or the "
            "largest singular value?"
        )


@MORE.check("the factor counts")
def factor_counts(answer, rng):
    for factor, low, high in ((1.0, 0.25, 0.42), (1 / 16, 0, 0.001)):
        got = answer.call("saturated_share", 256, 32, factor, 300, 6)
        if not low <= got <= high:
            raise Wrong(
                f"d 256, 32 keys, factor {factor:g}: {float(got):.3f}; "
                f"between {low} and {high} expected. Is each score "
                "multiplied by the factor, and has each query keys of its own?"
            )


@MORE.check("the seed decides the draws")
def seeded(answer, rng):
    def run(seed):
        return float(answer.call("saturated_share", 64, 5, 1.0, 1000, seed))

    runs = [run(seed) for seed in (1, 2, 3)]
    if runs != [run(seed) for seed in (1, 2, 3)]:
        raise Wrong("the same seed gives other results: use default_rng(seed).")
    if runs[0] == runs[1] == runs[2]:
        raise Wrong("different seeds give the same result: use the seed.")
    # A multiple of all powers of 2 to 65,536, of 9, 125 and 7.
    if runs == [run(seed + 516_096_000) for seed in (1, 2, 3)]:
        raise Wrong(
            "seeds that lie far apart give the same result: draw with the "
            "seed itself, not with its remainder (%)."
        )
    times = 3 * float(answer.call("saturated_share", 64, 5, 1.0, 3, 4))
    if not abs(times - round(times)) < 1e-6:
        raise Wrong(
            "with queries = 3 the share must be 0, 1/3, 2/3 or 1: draw as "
            "many as `queries` says."
        )


@MORE.check("each query and each key is drawn anew")
def independent(answer, rng):
    # Of two independent queries the share has the variance p (1 - p) / 2.
    runs = [
        answer.call("saturated_share", 1, 2, 15.0, 2, x) for x in range(600)
    ]
    p, variance = np.mean(runs), np.var(runs)
    if abs(p - 0.505) > 0.07:
        raise Wrong(
            f"d 1, 2 keys, factor 15: {p:.3f} instead of 0.505. Is a score the "
            "product of a query and a key, both drawn anew?"
        )
    if variance > 1.17 * p * (1 - p) / 2:
        raise Wrong(
            "if one query is saturated, the next one often is too: queries or "
            "keys are shared; each query needs keys of its own."
        )
