"""Visible checks of chapter 4.4's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import itertools

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    expect_shape,
)

TILES = Exercise(
    "4_4.a",
    "Causal attention in tiles of keys",
    ("attend_in_tiles", "tensors_made"),
    "torch",
)
PARTS = Exercise(
    "4_4.b", "Results of several processors", ("put_together",), "torch"
)
NEEDED = Exercise("4_4.c", "How many sequences at once?", ("sequences_needed",))
GROUPS = Exercise(
    "4_4.d",
    "Heads that share the wrong keys",
    ("grouped_attention",),
    all_or_nothing=True,
)
INT8 = Exercise(
    "4_4.e",
    "An int8 product that wraps around",
    ("int8_product",),
    all_or_nothing=True,
)
EXERCISES = [TILES, PARTS, NEEDED, GROUPS, INT8]

LN2 = np.log(2.0)
# Scores after the root of d = 4: query 1 doubles those of the others.
Q = np.zeros((3, 4))
Q[:, 1] = 2, 4, 2
K = np.zeros((3, 4))
K[:, 1] = np.array([1, 2, 3]) * LN2
V = np.array([[1.0, 0], [0, 1], [1, 1]])
TERMS = np.array([[2.0, 0, 0], [4, 16, 0], [2, 4, 8]])
ALL = np.array([[2.0, 4, 8], [4, 16, 64], [2, 4, 8]])


def averaged(terms, axis=1):
    """The values V with these terms as weights."""
    with np.errstate(all="ignore"):
        return terms / terms.sum(axis=axis, keepdims=True) @ V


def expect_float64(got, case):
    if any(x.dtype != np.float64 for x in got):
        raise Wrong.fixed(f"{case}: keep the arguments' dtype, float64.")


def finite(got, case):
    if not all(np.isfinite(x).all() for x in got):
        raise Wrong.fixed(
            f"{case}: nan or infinity. Is the top subtracted before exp, and "
            "may each query attend to its own key?"
        )


@TILES.check("three tokens by hand, with every size of tile")
def tiles_by_hand(answer, rng):
    root2 = np.tril(ALL**2)
    last_only = np.array([[2.0, 0, 0], [0, 16, 0], [0, 0, 8]])
    last_tile = np.array([[2.0, 0, 0], [4, 16, 0], [0, 0, 8]])
    as_it_was = np.array([[2.0, 0, 0], [4, 16, 0], [1, 2, 2]])
    by_c = {
        "later keys get weight: query i may attend to keys 0 to i.": (
            averaged(ALL)
        ),
        "the scores are not divided by the root of d.": averaged(root2),
        "the scores are divided by d, not by its root.": (
            averaged(np.tril(ALL**0.5))
        ),
        "the scores are divided by the root of e; it is that of d.": (
            averaged(np.tril(ALL**2**0.5))
        ),
        "the weights run over the queries, not over the keys.": (
            averaged(TERMS, 0)
        ),
        "divide the total by the norm.": TERMS @ V,
        "only the last key that a query may use counts: the old total and "
        "norm are lost.": averaged(last_only),
        "only the last tile counts: the old total and norm are lost.": (
            averaged(last_tile)
        ),
        "the old total is not corrected for the new top.": averaged(as_it_was),
    }
    by_l = {
        "the norm is missing in L.": LN2 * np.array([1, 4, 3]),
        "the top is missing in L.": np.log([1, 20 / 16, 14 / 8]),
        "that is the norm; L is its logarithm plus the top.": (
            [1, 20 / 16, 14 / 8]
        ),
        "that is the sum of exponentials; L is its logarithm.": [2, 20, 14],
        "that is the logarithm to base 2.": np.log2([2, 20, 14]),
        "L is the top plus the logarithm of the norm, not minus.": (
            LN2 * np.array([2, 8, 6]) - np.log([2, 20, 14])
        ),
    }
    for size in (3, 2, 1, 5):
        case = f"three tokens, {size} keys in a tile"
        got = answer.call("attend_in_tiles", Q, K, V, size, parts=2)
        if got[0].shape == (3,) or got[1].shape == (3, 2):
            raise Wrong.fixed(f"{case}: return c and L, in this order.")
        expect_float64(got, case)
        expect_shape(got[0], (3, 2), f"{case}, c")
        expect_shape(got[1], (3,), f"{case}, L: one number per query")
        if not np.allclose(got[0], averaged(ALL)):
            finite(got, case)
        local = np.arange(3) % size <= np.arange(3)[:, None]
        by_c[
            "key number j of the tile that starts at t is key t + j; yours "
            "compares j with the query."
        ] = averaged(np.where(local, ALL, 0))
        expect_close(got[0], averaged(TERMS), f"{case}, c", by_c)
        expect_close(got[1], np.log([2, 20, 14]), f"{case}, L", by_l)


@TILES.check("the size of the tiles changes nothing, nor do later tokens")
def tiles_any_size(answer, rng):
    q, k, v = (rng.normal(size=(11, w)) * 2 for w in (4, 4, 3))
    one = answer.call("attend_in_tiles", q, k, v, 11, parts=2)
    for size in (1, 3, 4, 10, 12):
        got = answer.call("attend_in_tiles", q, k, v, size, parts=2)
        for a, b in zip(got, one):
            expect_shape(a, b.shape, f"{size} keys in a tile")
            if not np.abs(a - b).max() <= 1e-9:
                raise Wrong.fixed(
                    f"11 tokens: tiles of {size} keys and one tile of all "
                    "give different results. Is the last, shorter tile "
                    "there, and are total and norm both corrected?"
                )
    ones, _ = answer.call("attend_in_tiles", q, k, 1 + 0 * v, 3, parts=2)
    expect_shape(ones, (11, 3), "11 tokens, e = 3")
    if not np.abs(ones - 1).max() <= 1e-12:
        raise Wrong.fixed(
            "11 tokens whose values are all 1: so is every result, to twelve "
            "digits. Add nothing to the norm, and keep top, norm and total in "
            "the arguments' dtype."
        )
    short = answer.call("attend_in_tiles", q[:7], k[:7], v[:7], 3, parts=2)
    for a, b in zip(short, one):
        if not np.abs(a - b[:7]).max() <= 1e-9:
            raise Wrong.fixed(
                "results change when later tokens are taken away: a query "
                "sees keys after its own."
            )


@TILES.check("one token, and a value of one number")
def tiles_one_token(answer, rng):
    for n, e in ((1, 1), (1, 3), (4, 1)):
        case = f"n = {n}, e = {e}"
        q, k, v = (rng.normal(size=(n, w)) for w in (2, 2, e))
        got = answer.call("attend_in_tiles", q, k, v, 2, parts=2)
        expect_shape(got[0], (n, e), f"{case}, c")
        expect_shape(got[1], (n,), f"{case}, L: one number per query")
        expect_close(got[0][0], v[0], f"{case}, c of the first token")
        first = (q[0] * k[0]).sum() / 2**0.5
        expect_close(got[1][0], first, f"{case}, L of the first token")


@TILES.check("scores of ten thousand")
def tiles_large(answer, rng):
    # Query i scores key j as sign_i 1e4 (j + 1): the last key it may use, or
    # the first, has all the weight.
    n, sign = 6, np.array([1, -1, 1, -1, -1, 1])
    q, k = np.zeros((n, 4)), np.zeros((n, 4))
    q[:, 0], k[:, 0] = 200 * sign, 100 * np.arange(1, n + 1)
    v = rng.normal(size=(n, 2))
    best = np.where(sign > 0, np.arange(n), 0)
    for size in (2, 6):
        got = answer.call("attend_in_tiles", q, k, v, size, parts=2)
        if not all(np.isfinite(x).all() for x in got):
            raise Wrong.fixed(
                "scores of 10,000 overflow: subtract the top before exp, in "
                "each tile."
            )
        if got[0].shape == v.shape and not np.allclose(got[0], v[best]):
            raise Wrong.fixed(
                "scores up to 60,000, c: the largest score that a query may "
                "use has all the weight. A later key needs a score of minus "
                "infinity, not a low number."
            )
        expect_close(got[0], v[best], "scores up to 60,000, c")
        expect_close(got[1], sign * 1e4 * (best + 1), "scores up to 60,000, L")


@TILES.check("the tensors are counted")
def tiles_counted(answer, rng):
    for n, d, e, size in ((160, 5, 3, 4), (80, 1, 1, 4), (120, 3, 3, 3)):
        q, k, v = (rng.normal(size=(n, w)) for w in (d, d, e))
        made = answer.call("tensors_made", q, k, v, size, parts=2)
        most, together = map(int, made)
        bound, case = n * max(size, d, e), f"n = {n}, d = {d}, tiles of {size}"
        if most < n * e:
            raise Wrong.fixed(
                "tensors_made counts nothing: leave it as it was, and use "
                "torch."
            )
        if most >= n * n // 8:
            raise Wrong.fixed(
                f"{case}: a tensor of {most:,} numbers of 8 bytes was made, "
                f"and {bound} are allowed. Make nothing for all pairs at "
                "once, no scores and no mask."
            )
        if most > bound:
            raise Wrong.fixed(
                f"{case}: the largest tensor has {most:,} numbers; n times "
                f"the largest of size, d and e is {bound}."
            )
        if together > 10 * bound:
            raise Wrong.fixed(
                f"{case}: the tensors alive at the same time hold "
                f"{together:,} numbers, and {10 * bound:,} are allowed. Keep "
                "the running top, norm and total, and no tile's scores."
            )


C = np.array([[[8.0, 0], [6, 3]], [[0, 4], [0, 6]], [[4, 4], [5, 9]]])
LOGS = np.log([[1.0, 2], [3, 1], [4, 0.25]])  # of norms


@PARTS.check("three processors, by hand")
def parts_by_hand(answer, rng):
    # Weights 1/8, 3/8, 4/8 and 8/13, 4/13, 1/13.
    got = answer.call("put_together", C, LOGS, parts=2)
    if got[0].shape == (2,) or got[1].shape == (2, 2):
        raise Wrong.fixed("return the result and L, in this order.")
    norms = np.exp(LOGS)
    rows = norms / norms.sum(axis=1, keepdims=True)

    def mixed(weights):
        return (weights[..., None] * C).sum(axis=0)

    low = 1 / norms / (1 / norms).sum(axis=0)
    suspects = {
        "that is the mean of the parts; a part counts by its norm.": (
            C.mean(axis=0)
        ),
        "that is their sum.": C.sum(axis=0),
        "all processors count, not only the first two.": [[2, 3], [4, 4]],
        "a sigmoid of each L does not sum to 1 over the processors; a softmax "
        "does.": mixed(norms / (1 + norms)),
        "the weights sum to 1 over the queries; over the processors they "
        "must.": mixed(rows),
        "the sum is not divided by the norms' sum.": mixed(norms),
        "the L themselves are no weights.": mixed(LOGS),
        "the L divided by their sum are no weights.": mixed(
            LOGS / LOGS.sum(axis=0)
        ),
        "the sign of L is wrong: the smallest norm gets most weight.": (
            mixed(low)
        ),
        "only the part with the largest L is left.": [[4, 4], [6, 3]],
        "the weights are a mean: their sum over the processors is 1.": (
            mixed(norms / norms.sum(axis=0)) / 3
        ),
        "all queries share one weight per processor.": mixed(
            norms.sum(axis=1, keepdims=True) / norms.sum() + 0 * norms
        ),
    }
    want = [[3, 3.5], [53 / 13, 57 / 13]]
    expect_close(got[0], want, "the result", suspects)
    total = np.array([8, 3.25])
    suspects = {
        "that is the sum of the norms; L is its logarithm.": total,
        "that is the sum of the L; add the norms, then take the logarithm.": (
            LOGS.sum(axis=0)
        ),
        "that is the mean of the L.": LOGS.mean(axis=0),
        "that is the largest L, not the logarithm of a sum.": (
            LOGS.max(axis=0)
        ),
        "that is the logarithm of the norms' mean.": np.log(total / 3),
        "that is the logarithm to base 2.": np.log2(total),
    }
    expect_close(got[1], np.log(total), "L", suspects)


@PARTS.check("large L, and processors without a key")
def parts_large(answer, rng):
    parts = rng.normal(size=(3, 5, 2))
    none = -np.inf
    logs = np.array(
        [
            [1e4, -1e4, 3, none, -1e4],
            [1e4, -1e4, none, none, none],
            [-1e4, 0, none, 5, none],
        ]
    )
    parts[np.isinf(logs)] = 0
    got = answer.call("put_together", parts, logs, parts=2)
    if not all(np.isfinite(x).all() for x in got):
        raise Wrong.fixed(
            "with L of 10,000, or of minus infinity, the result holds nan or "
            "infinity: use softmax and logsumexp, which subtract the largest."
        )
    want = [parts[:2, 0].mean(axis=0), parts[2, 1], parts[0, 2], parts[2, 3]]
    want.append(parts[0, 4])
    expect_close(got[0], want, "the result for large and for no L")
    expect_close(got[1], [1e4 + LN2, 0, 3, 5, -1e4], "L for large and no L")


@PARTS.check("one query, and results of one number")
def parts_one_query(answer, rng):
    for n, e in ((1, 1), (1, 3), (4, 1), (13, 7)):
        part, case = rng.normal(size=(n, e)), f"n = {n}, e = {e}"
        got = answer.call(
            "put_together", np.stack([part] * 3), np.zeros((3, n)), parts=2
        )
        expect_shape(got[0], (n, e), f"{case}, the result")
        expect_shape(got[1], (n,), f"{case}, L")
        expect_float64(got, case)
        expect_close(got[0], part, f"{case}, three equal parts")
        if not np.abs(got[0] - part).max() <= 1e-12:
            raise Wrong.fixed(
                f"{case}: three equal parts give the same again, to twelve "
                "digits. Add nothing to the sum of the norms, and compute in "
                "the arguments' dtype."
            )
        expect_close(got[1], np.full(n, np.log(3)), f"{case}, L")
    part = np.zeros((300, 1, 1))
    part[299] = 1.0
    got = answer.call("put_together", part, np.zeros((300, 1)), parts=2)
    what = "300 processors: all of them count"
    expect_close(got[0], [[1 / 300]], f"{what}, the result")
    expect_close(got[1], [np.log(300)], f"{what}, L")


class Joined:
    """Both results side by side: their gradients are checked together."""

    def __init__(self, answer):
        self.answer = answer

    def call(self, name, *args, parts=1):
        result, logs = self.answer.call(name, *args, parts=2)
        return np.concatenate([result.ravel(), logs.ravel()])

    def vjp(self, name, args, u):
        return self.answer.vjp(name, args, u, parts=2)


@PARTS.check("gradients of both")
def parts_gradients(answer, rng):
    args = {
        "parts": rng.normal(size=(3, 4, 2)),
        "logs": rng.normal(size=(3, 4)),
    }
    expect_gradients(Joined(answer), "put_together", args, rng)


@PARTS.check("gradients where processors have no key")
def parts_gradients_without(answer, rng):
    # exp(-1000) is 0 as well, so the gradients must be the same.
    none, joined = -np.inf, Joined(answer)
    parts = rng.normal(size=(3, 4, 2))
    logs = np.array(
        [[none, 1, 0.3, none], [none, none, 0.7, 2], [0.5, 0.2, none, none]]
    )
    parts[np.isinf(logs)] = 0
    u = rng.normal(size=12)
    got = joined.vjp("put_together", (parts, logs), u)
    if not all(np.isfinite(x).all() for x in got):
        raise Wrong.fixed(
            "where L is minus infinity, gradients hold nan or infinity, "
            "though the results do not: nan times 0 is nan, and torch.where "
            "does not help."
        )
    low = np.maximum(logs, -1000)
    for x, y in zip(got, joined.vjp("put_together", (parts, low), u)):
        expect_close(x, y, "gradients where L is minus infinity, or -1000")


@NEEDED.check("worked examples")
def needed_by_hand(answer, rng):
    # w = 30, s = 2, r = 10: 2 B 900 = 20 (900 + 60 B), so 600 B = 18,000.
    expect_close(
        answer.call("sequences_needed", 30, 2, 10),
        30,
        "w = 30, s = 2, r = 10",
        {
            "inputs and outputs move bytes as well, not only weights.": 10,
            "yours says that none is enough; a multiply-add is two "
            "operations.": np.inf,
            "inputs and outputs are B w numbers each: twice B w.": 15,
            "the number of bytes per number is not used.": 7.5,
            "r and s are exchanged, or a number is upside down.": 1 / 30,
            "that is twice as much: a multiply-add is two operations.": 60,
            "that is w times as much, or the square of w is left.": 900,
        },
    )
    for args, want in (
        ((100, 4, 5), 12.5),
        ((64, 1, 48), 96),
        ((4096, 2, 300), 2457600 / 6992),
        ((50, 4, 12.4), 3100),
        ((1000, 4, 25), 50 / 0.9),
        ((6, 1, 1), 0.6),
        ((1, 1, 0.9995), 999.5),
        ((5000, 1, 4999.9), 5000 * 4999.9 / 0.2),
        ((50, 4, 12.499), 50 * 49.996 / 0.008),
        ((1000, 2, 0.5), 500 / 999),
        ((64, 0.5, 48), 19.2),
        ((30, 1.5, 10), 15),
        ((1000, 2, 0.05), 100 / 1999.8),
        ((2, 1, 2 - 2.0**-26), 2.0**27 - 1),
        ((2**20, 1, 2**20 - 2.0**-6), 2.0**45),
    ):
        got = answer.call("sequences_needed", *args)
        case = "w = {}, s = {}, r = {}".format(*args)
        why = "B need not be a whole number, nor 1 or more."
        up, near = np.ceil(want), np.round(want)
        never = "only where w / s does not exceed r, none is enough."
        suspects = {never: np.inf, why: max(1.0, want)}
        suspects |= {f"{why} ": up, f"{why}  ": near}
        w, s, r = args
        for other in (1, 2, 4, 8):
            room = w - r * other
            bare = r * other * w / (2 * room) if room > 0 else np.inf
            suspects["use s, the bytes per number." + " " * other] = bare
        whole = int(r) * s
        suspects["r need not be a whole number."] = (
            whole * w / (2 * (w - whole)) if w > whole else np.inf
        )
        for k, most in enumerate((1e3, 1e6, 1e9)):
            suspects["B is not cut off." + " " * k] = min(want, most)
        expect_close(got, want, case, suspects)


@NEEDED.check("where none is enough")
def needed_never(answer, rng):
    for args in ((64, 4, 20), (64, 4, 16), (10, 8, 2)):
        got = answer.call("sequences_needed", *args)
        if got.shape != () or not got == np.inf:
            raise Wrong.fixed(
                "w = {}, s = {}, r = {}: the intensity tends to w / s as B "
                "grows and never reaches r; return np.inf.".format(*args)
            )


@NEEDED.check("put back into the intensity")
def needed_put_back(answer, rng):
    for _ in range(5):
        w, s = int(rng.integers(50, 900)), float(rng.choice([1, 2, 4]))
        r = float(rng.uniform(0.05, 0.95) * w / s)
        b = float(answer.call("sequences_needed", w, s, r))
        reached = 2 * b * w**2 / (s * (w**2 + 2 * b * w))
        if not abs(reached - r) <= 1e-6 * r:
            raise Wrong.fixed(
                "with B sequences the operations, divided by the bytes, do "
                "not give r."
            )


# One-hot values say which keys a head used: each group has its own column.
def heads(count, groups, rng):
    q = rng.normal(size=(count, 5, 4))
    k, v = rng.normal(size=(groups, 3, 4)), np.zeros((groups, 3, groups))
    for g in range(groups):
        v[g, :, g] = 1
    return q, k, v


@GROUPS.check("which group a head reads")
def groups_read(answer, rng):
    for count, groups in ((6, 2), (6, 3), (8, 4), (20, 10)):
        args = heads(count, groups, rng)
        got = answer.call("grouped_attention", *args)
        case = f"{count} heads, {groups} groups"
        expect_shape(got, (count, 5, groups), case)
        share = count // groups
        order = {
            "": np.repeat(np.arange(groups), share),
            "the heads' groups stand as 0, 1, 0, 1; neighbours share, as in "
            "0, 0, 1, 1.": np.tile(np.arange(groups), share),
            "the groups stand in reverse order.": np.repeat(
                np.arange(groups)[::-1], share
            ),
            "all heads read group 0.": np.zeros(count, int),
            "all heads read the last group.": np.full(count, groups - 1),
        }
        hot = {
            why: np.eye(groups)[x][:, None] + np.zeros((1, 5, 1))
            for why, x in order.items()
        }
        expect_close(got, hot.pop(""), f"{case}, which values", hot)


@GROUPS.check("keys and values of the same group")
def groups_agree(answer, rng):
    # Each head's query fits key 1 of its own group and no other's.
    count, groups = 4, 2
    k = np.zeros((groups, 3, 4))
    k[0, 1, 0] = k[1, 2, 1] = 1
    q = np.zeros((count, 2, 4))
    q[:2, :, 0] = q[2:, :, 1] = 2 * LN2  # scores ln 2, elsewhere 0
    v = np.arange(18.0).reshape(groups, 3, 3)
    want = np.zeros((count, 2, 3))
    want[:2] = (v[0, 0] + 2 * v[0, 1] + v[0, 2]) / 4
    want[2:] = (v[1, 0] + v[1, 1] + 2 * v[1, 2]) / 4
    root2 = np.zeros((count, 2, 3))
    root2[:2] = (v[0, 0] + 4 * v[0, 1] + v[0, 2]) / 6
    root2[2:] = (v[1, 0] + v[1, 1] + 4 * v[1, 2]) / 6
    plain = np.zeros((count, 2, 3))
    plain[:2], plain[2:] = v[0].mean(axis=0), v[1].mean(axis=0)
    crossed = want.copy()
    crossed[:2] = (want[0] + v[0].mean(axis=0)) / 2
    expect_close(
        answer.call("grouped_attention", q, k, v),
        want,
        "4 heads, 2 groups, weights 1/4, 1/2, 1/4",
        {
            "the scores are not divided by the root of d.": root2,
            "the keys are those of another group: all scores are 0.": plain,
        },
    )


@GROUPS.check("scores of a thousand")
def groups_large(answer, rng):
    # All scores of a query are 1000, or all are -1000: equal weights.
    q, k = np.zeros((4, 2, 4)), np.zeros((2, 3, 4))
    q[:, 0, 0], q[:, 1, 0], k[:, :, 0] = 2000, -2000, 1
    v = rng.normal(size=(2, 3, 3))
    got = answer.call("grouped_attention", q, k, v)
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "scores of 1,000 or of -1,000 give nan: subtract each query's own "
            "largest score before exp."
        )
    want = np.repeat(v.mean(axis=1), 2, axis=0)[:, None] + np.zeros((4, 2, 3))
    expect_close(got, want, "equal scores, 1,000 or -1,000")
    q[:, :, 1], k[:, 1, 1] = 2 * LN2, 1
    got = answer.call("grouped_attention", q, k, v)
    cut, near = want, (v[:, 0] + 2 * v[:, 1] + v[:, 2]) / 4
    want = np.repeat(near, 2, axis=0)[:, None] + np.zeros((4, 2, 3))
    why = "large scores are cut off; their differences must count."
    what = "one score higher by ln 2, all about 1,000 or -1,000"
    expect_close(got, want, what, {why: cut}, tolerance=1e-3)


@GROUPS.check("one group, and as many as heads")
def groups_ends(answer, rng):
    for groups in (1, 6):
        q, k, v = heads(6, groups, rng)
        v = rng.normal(size=(groups, 3, 2))
        got = answer.call("grouped_attention", q, k, v)
        wide = (np.tile(2**-0.25 * x, 2) for x in (q, k))
        wide = answer.call("grouped_attention", *wide, v)
        if wide.shape != got.shape or not np.allclose(wide, got, atol=1e-5):
            raise Wrong.fixed(
                "q and k of width 8 with the same scores as those of width 4 "
                "give other results: divide by the root of d, whatever d is."
            )
        for h, g in zip(range(6), itertools.cycle(range(groups))):
            one = answer.call(
                "grouped_attention", q[h : h + 1], k[g : g + 1], v[g : g + 1]
            )
            expect_close(got[h : h + 1], one, f"6 heads, {groups} groups")
    v = rng.normal(size=(2, 300, 1))
    args = np.zeros((4, 1, 2)), np.zeros((2, 300, 2)), v
    got = answer.call("grouped_attention", *args)
    want = np.repeat(v.mean(axis=1, keepdims=True), 2, axis=0)
    expect_close(got, want, "300 keys, queries of 0: the average of all")


# 127 is the largest of each row: the scales are 1, 0.5 and 1, 2.
X = np.array([[127.0, 3.6, -100, 50], [63.5, 0.2, -0.1, 20]])
W = np.array([[127.0, 0, 100, 2.6], [254, 254, -254, 254], [0, -127, 0, 1.4]])
ZX = np.array([[127, 4, -100, 50], [127, 0, 0, 40]])
ZW = np.array([[127, 0, 100, 3], [127, 127, -127, 127], [0, -127, 0, 1]])
SX, SW = np.array([[1], [0.5]]), np.array([[1], [2], [1]])


def of_levels(x, w, levels, turn=np.round):
    """The product with another largest whole number than 127."""
    scales = [np.abs(m).max(axis=1, keepdims=True) / levels for m in (x, w)]
    whole = [turn(m / scale) for m, scale in zip((x, w), scales)]
    return scales[0] * (whole[0] @ whole[1].T) * scales[1].T


def wrapped(total, bits):
    """Whole numbers as they look in so many bits."""
    half = 2 ** (bits - 1)
    return (total + half) % (2 * half) - half


@INT8.check("four numbers a row, by hand")
def int8_by_hand(answer, rng):
    total = ZX @ ZW.T
    put_back = SX * SW.T
    all_x, all_w = np.round(X), np.round(W / 2)
    got = answer.call("int8_product", X, W)
    suspects = {
        "the sums wrap around at 127: int8 cannot hold them.": (
            wrapped(total, 8) * put_back
        ),
        "the sums wrap around at 32,767: int16 cannot hold them.": (
            wrapped(total, 16) * put_back
        ),
        "the sums are cut off at 127.": np.clip(total, -127, 127) * put_back,
        "the sums are cut off at 32,767.": np.clip(total, -32768, 32767)
        * put_back,
        "negative numbers wrap around: the type has no sign.": (
            (ZX % 256) @ (ZW % 256).T * put_back
        ),
        "the sums wrap around at 255: 8 bits without a sign cannot hold "
        "them.": total % 256 * put_back,
        "the whole numbers are floored; round to the nearest.": of_levels(
            X, W, 127, np.floor
        ),
        "the inputs' digits are cut off, not rounded.": (
            np.trunc(X / SX) @ ZW.T * put_back
        ),
        "the weights' digits are cut off, not rounded.": (
            ZX @ np.trunc(W / SW).T * put_back
        ),
        "float16 holds whole numbers up to 2,048 only.": (
            (ZX.astype(np.float16) @ ZW.T.astype(np.float16)).astype(float)
            * put_back
        ),
        "the scales of the weights belong to their rows, one for each column "
        "of the result.": SX * total * SW.mean(),
        "nothing is rounded: the whole numbers are gone.": X @ W.T,
        "the digits are cut off, not rounded.": (
            np.trunc(X / SX) @ np.trunc(W / SW).T * put_back
        ),
        "only the inputs are rounded.": (SX * ZX) @ W.T,
        "only the weights are rounded.": X @ (SW * ZW).T,
        "the scales are not put back.": total,
        "the scales of the weights are not put back.": SX * total,
        "the scales of the inputs are not put back.": total * SW.T,
        "the scales divide; they multiply.": total / put_back,
        "one scale for all of a matrix; each row has its own.": (
            2 * all_x @ all_w.T
        ),
    }
    suspects |= {
        f"the largest whole number is 127, not {levels}.": of_levels(
            X, W, levels
        )
        for levels in (7, 15, 63, 64, 100, 126, 128, 255, 256)
    }
    expect_close(got, total * put_back, "x (2, 4), W (3, 4)", suspects)
    got = answer.call("int8_product", 1e-7 * X, 1e7 * W)
    why = "a scale may be small: do not raise it."
    expect_close(got, total * put_back, "x / 1e7 and W * 1e7", {why: 0 * total})
    got = answer.call("int8_product", 1000 * X, W)
    want = 1000 * total * put_back
    expect_close(got, want, "1000 x, the same W: nothing is cut off")
    got = answer.call("int8_product", X / 7, W)
    want = total * put_back / 7
    why = "the result is not rounded, nor cut off."
    suspects = {why: np.round(want), f"{why} ": np.round(want, 3)}
    expect_close(got, want, "x / 7, the same W", suspects)


@INT8.check("rows of three hundred")
def int8_long(answer, rng):
    x, w = np.full((2, 300), 5.0), np.full((3, 300), 7.0)
    x[1] *= -1
    want = 300 * 35.0 * np.array([[1.0] * 3, [-1.0] * 3])
    got = answer.call("int8_product", x, w)
    expect_close(got, want, "300 equal numbers: 300 times 5 times 7")
    x, w = rng.normal(size=(4, 300)), rng.normal(size=(5, 300))
    got = answer.call("int8_product", x, w)
    expect_shape(got, (4, 5), "x (4, 300), W (5, 300)")
    off = np.linalg.norm(got - x @ w.T) / np.linalg.norm(x @ w.T)
    if not off <= 0.03:
        raise Wrong.fixed(
            "300 random numbers a row: further from x W^T than rounding to "
            "int8 can be."
        )
    if not off >= 1e-4:
        raise Wrong.fixed(
            "300 random numbers a row: closer to x W^T than int8 can be; "
            "round to whole numbers."
        )
