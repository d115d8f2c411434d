"""Visible checks of chapter 4.2's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    expect_shape,
)

NOTHING = Exercise(
    "4_2.a", "Looking, with nothing to see", ("look_or_nothing",), "torch"
)
PUSH = Exercise("4_2.b", "The push on a policy", ("policy_push",))
BASELINE = Exercise("4_2.c", "The best baseline", ("best_baseline",))
PAID = Exercise(
    "4_2.d", "Paid for a new world", ("paid_rewards",), all_or_nothing=True
)
RATE = Exercise(
    "4_2.e",
    "A success rate that loves early deaths",
    ("success_rate",),
    all_or_nothing=True,
)
EXERCISES = [NOTHING, PUSH, BASELINE, PAID, RATE]

LN2 = np.log(2.0)
# Two worlds, three queries, two slots of width 4; scores are ln 2 times whole
# numbers, so that the weights are powers of 2 over their sums.
Q = (
    2
    * LN2
    * np.array(
        [
            [[1.0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 0]],
            [[0, 0, 0, 1], [1, 0, 0, 0], [0, 2, 1, 0]],
        ]
    )
)
T = np.array([[[1.0, 2, 0, 3], [3, 1, 1, 0]], [[2.0, 0, 1, 1], [0, 3, 2, 2]]])
REAL = np.array([[True, True], [True, False]])
T0 = np.array([1.0, 1, 0, 2])


def powers(rows, scores, may=None):
    """Rows (b, n, d) weighted by 2 to the power of scores (b, h, n)."""
    p = 2.0**scores if may is None else 2.0**scores * may
    return p / p.sum(axis=-1, keepdims=True) @ rows


@NOTHING.check("a worked example, with an empty slot")
def nothing_by_hand(answer, rng):
    rows = np.concatenate([np.tile(T0, (2, 1, 1)), T], axis=1)
    s = np.round(Q / LN2 @ rows.transpose(0, 2, 1) / 2)
    may = np.array([[[1, 1, 1]], [[1, 1, 0]]])
    # world 2, query 1: scores 2, 1: (4 t0 + 2 t1) / 6
    want = powers(rows, s, may)
    assert np.allclose(want[1, 0], (4 * T0 + 2 * T[1, 0]) / 6)
    bare = powers(T, s[..., 1:], may[..., 1:])
    p = 2.0**s * may
    unseen = p[..., 1:] / p.sum(axis=-1, keepdims=True) @ T
    late = 2.0**s / (2.0**s).sum(axis=-1, keepdims=True) * may @ rows
    zeros = powers(rows, s * may)
    own = powers(rows, np.concatenate([0 * s[..., :1], s[..., 1:]], -1), may)
    unit = np.concatenate([rows[:, :1] / 6**0.5, T], axis=1)
    unit_s = Q / LN2 @ unit.transpose(0, 2, 1) / 2
    over = (p / p.sum(axis=1, keepdims=True).clip(1e-9)) @ rows
    suspects = {
        "an empty slot gets weight: the mask is not used.": powers(rows, s),
        "the mask is inverted: True = something is there.": powers(
            rows, s, np.array([[[1, 0, 0]], [[1, 0, 1]]])
        ),
        "the nothing is missing, or masked out where something is there; it "
        "is always there.": bare,
        "the nothing takes weight, but its row is not in the sum: it is a "
        "value, too.": unseen,
        "the mask is applied after the softmax: the weights no longer sum "
        "to 1.": late,
        "an empty slot has the score 0, and exp(0) = 1: it takes its "
        "share.": zeros,
        "the nothing has the score 0; its score is q . t0 / sqrt(d).": own,
        "the softmax runs over queries; it runs over what is looked at.": over,
        "the scores are not divided by sqrt(d).": powers(rows, 2 * s, may),
        "the scores are divided by d, not by its root.": powers(
            rows, s / 2, may
        ),
        "the scores are divided by the root of the number of queries.": (
            powers(rows, s * 2 / 3**0.5, may)
        ),
        "the scores are divided by the root of the number of slots.": (
            powers(rows, s * 2**0.5, may)
        ),
        "the nothing is divided by its length; take it as it is.": powers(
            unit, unit_s, may
        ),
        "there is no softmax: the scores themselves are the weights.": (
            (s * LN2 * may) @ rows
        ),
        "that is the average of what is there; queries make no "
        "difference.": powers(rows, 0 * s, may),
    }
    got = answer.call("look_or_nothing", Q, T, REAL, T0)
    expect_close(got, want, "two worlds, three queries", suspects)


@NOTHING.check("a world with nothing in it")
def nothing_alone(answer, rng):
    q, t = rng.normal(size=(3, 2, 5)), rng.normal(size=(3, 4, 5))
    real = np.array([[False] * 4, [True, False, True, False], [False] * 4])
    t0 = rng.normal(size=5)
    got = answer.call("look_or_nothing", q, t, real, t0)
    expect_shape(got, (3, 2, 5), "three worlds, two queries, width 5")
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "with no thing at all the result holds nan: the nothing must be "
            "looked at then, with weight 1."
        )
    expect_close(got[0], np.tile(t0, (2, 1)), "a world without things")


@NOTHING.check("what an empty slot holds makes no difference")
def nothing_rubbish(answer, rng):
    q, t = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4))
    real = np.arange(5) < np.array([[2], [4]])
    t0 = rng.normal(size=4)
    got = answer.call("look_or_nothing", q, t, real, t0)
    expect_shape(got, (2, 3, 4), "two worlds, three queries, width 4")
    if not np.abs(got[:, 0] - got[:, 1]).max() > 1e-9:
        raise Wrong.fixed("two different queries see the same in yours.")
    shift = rng.normal(size=4)
    moved = answer.call("look_or_nothing", q, t + shift, real, t0 + shift)
    if not np.abs(moved - got - shift).max() <= 1e-6:
        raise Wrong.fixed(
            "with one vector added to all rows, the nothing among them, the "
            "scores of a query grow by one number: the same weights, and a "
            "result that is larger by the vector. Not so in yours."
        )
    q2, t2, nothing2 = (np.tile(2**-0.25 * x, 2) for x in (q, t, t0))
    wide = answer.call("look_or_nothing", q2, t2, real, nothing2)
    if not np.allclose(wide, np.tile(2**-0.25 * got, 2)):
        raise Wrong.fixed(
            "rows of width 8 with the same scores as those of width 4 get "
            "other weights: divide by the root of d, whatever d is."
        )
    for fill in (0.0, -900.0, 900.0):
        other = np.where(real[..., None], t, fill)
        again = answer.call("look_or_nothing", q, other, real, t0)
        expect_close(again, got, "another content of the empty slots")
    mix = rng.permutation(5)
    moved = answer.call("look_or_nothing", q, t[:, mix], real[:, mix], t0)
    expect_close(moved, got, "the same slots in another order")
    one = answer.call("look_or_nothing", q[1:], t[1:], real[1:], t0)
    expect_close(one, got[1:], "one of the two worlds alone")


@NOTHING.check("large scores")
def nothing_large(answer, rng):
    t = np.array([[[1.0, 0], [0, 1], [-1, 0]]])
    q = 3000.0 * np.array([[[1.0, 0], [0, 1], [-1, 0], [-1, -1]]])
    real, t0 = np.array([[True, True, False]]), np.array([-2.0, -2])
    got = answer.call("look_or_nothing", q, t, real, t0)
    want = np.array([[t[0, 0], t[0, 1], t0, t0]])
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "scores of 2,000 and more give nan or infinity: exp overflows; "
            "use softmax, which subtracts the largest."
        )
    expect_close(got, want, "scores of 2,000 and more: all weight on one")


@NOTHING.check("scores far below and far above 0, by hand")
def nothing_far(answer, rng):
    # rows (1, k), queries (2 far, 2 ln 2): the scores are far + k ln 2, and
    # far takes no part in the weights 2^k.
    t = np.array([[[1.0, 1, 3, 0], [1, 9, 0, 2], [1, 2, 1, 1]]])
    real, t0 = np.array([[True, False, True]]), np.array([1.0, 0, 5, 7])
    want = (t0 + 2 * t[:, 0] + 4 * t[:, 2]) / 7
    for far, value, reason in (
        (
            2000.0,
            (t0 + t[:, 0] + t[:, 2]) / 3,
            "two scores of about 2,000 that differ by ln 2 have weights as 1 "
            "to 2; do not cut scores off.",
        ),
        (
            -50_000.0,
            t[:, 1],
            "an empty slot takes the weight when all scores are far below 0: "
            "a score of -30 or -10,000 masks nothing then; use -infinity.",
        ),
    ):
        q = np.array([[[2 * far, 2 * LN2, 0, 0]]])
        got = answer.call("look_or_nothing", q, t, real, t0)
        what = f"scores of {far:,.0f} + ln 2 (0, 1, 2)"
        suspects = {reason: value[:, None]}
        expect_close(got, want[:, None], what, suspects, tolerance=1e-3)
    q, t[0, 1] = np.array([[[-2e7, 0, 0, 0]]]), [0, 9, 0, 2]
    got = answer.call("look_or_nothing", q, t, real, t0)
    want = (t0 + t[:, 0] + t[:, 2]) / 3
    why = "an empty slot needs a score of minus infinity, not some low number."
    what = "equal scores of -1e7, empty slot 0"
    expect_close(got, want[:, None], what, {why: t[:, 1:2]})


@NOTHING.check("many slots")
def nothing_many(answer, rng):
    # queries of 0 see the average of what is there and of the nothing
    t, real = rng.normal(size=(13, 40, 6)), np.ones((13, 40), bool)
    real[1:, 5:35] = rng.random((12, 30)) < 0.5
    t0 = rng.normal(size=6)
    want = (t * real[..., None]).sum(axis=1) + t0
    want = np.tile((want / (1 + real.sum(axis=1))[:, None])[:, None], (1, 3, 1))
    got = answer.call("look_or_nothing", np.zeros((13, 3, 6)), t, real, t0)
    what = "13 worlds, 40 slots, queries of 0"
    if got.shape == want.shape and not np.allclose(got, want):
        raise Wrong.fixed(
            f"{what}: the average of all that is there, and of the nothing; "
            "does yours look at the first slots only?"
        )
    expect_close(got, want, what)
    q, mix = rng.normal(size=(13, 3, 6)), rng.permutation(40)
    got = answer.call("look_or_nothing", q, t, real, t0)
    moved = answer.call("look_or_nothing", q, t[:, mix], real[:, mix], t0)
    expect_close(moved, got, "40 slots in another order")
    t = rng.normal(size=(1, 300, 2))
    args = np.zeros((1, 1, 2)), t, np.ones((1, 300), bool), np.zeros(2)
    got = answer.call("look_or_nothing", *args)
    want = t.sum(axis=1, keepdims=True) / 301
    expect_close(got, want, "300 slots and the nothing, queries of 0")
    ones = np.ones((1, 3, 4))
    got = answer.call(
        "look_or_nothing", ones, ones, ones[..., 0] > 0, ones[0, 0]
    )
    expect_shape(got, (1, 3, 4), "one world, three queries")
    if not np.abs(got - 1).max() <= 1e-8:
        raise Wrong.fixed(
            "three slots and the nothing, all 1: so is the result, to the last "
            "digit. Nothing is added to a sum of exponentials."
        )


@NOTHING.check("gradients of queries, rows and the nothing")
def nothing_gradients(answer, rng):
    args = {"q": rng.normal(size=(2, 3, 4)), "t": rng.normal(size=(2, 5, 4))}
    args["real"] = np.arange(5) < np.array([[0], [4]])
    args["nothing"] = rng.normal(size=4)
    got = answer.call("look_or_nothing", *args.values())
    expect_shape(got, (2, 3, 4), "two worlds, three queries, width 4")
    args["nothing"] = args["nothing"] + 1
    other = answer.call("look_or_nothing", *args.values())
    if not np.abs(other - got).max() > 1e-3:
        raise Wrong.fixed("another nothing makes no difference in yours.")
    expect_gradients(answer, "look_or_nothing", args, rng)


# Two rows, three actions, with pi = (1/2, 1/4, 1/4) and (1/8, 1/8, 3/4).
LOGITS = np.log(np.array([[2.0, 1, 1], [1, 1, 6]])) + [[3.0], [-1.0]]
PI = np.array([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]])
TAKEN, GOOD = np.array([1, 2]), np.array([4.0, -2.0])
HIT = np.array([[0, 1, 0], [0, 0, 1]])


def entropies(p):
    return -(p * np.log(p)).sum(axis=1, keepdims=True)


@PUSH.check("by hand: the push of the advantages")
def push_actor(answer, rng):
    # 4 (-1/2, 3/4, -1/4) / 2 and -2 (-1/8, -1/8, 1/4) / 2
    want = np.array([[-1, 1.5, -0.5], [0.125, 0.125, -0.25]])
    a = GOOD[:, None]
    suspects = {
        "that is the gradient for descent; M is raised.": -want,
        "that is the sum over rows; M is their mean.": 2 * want,
        "that is divided by b k; M is a mean over rows.": want * 2 / 6,
        "the part - pi is missing: a softmax shares probability.": a * HIT / 2,
        "only the action taken is pushed; the others give what it gets.": (
            want * HIT
        ),
        "that is the gradient of pi, not of log pi.": (
            want * (PI * HIT).sum(axis=1, keepdims=True)
        ),
        "the advantage is not used.": want / a,
        "the advantages have been centred; take them as they are.": (
            (a - 1) * (HIT - PI) / 2
        ),
        "the advantages have been scaled; take them as they are.": (
            (a - 1) / 3 * (HIT - PI) / 2
        ),
        "the advantage lost its sign.": np.abs(a) * (HIT - PI) / 2,
        "the softmax runs over rows; it runs over actions.": a
        * (HIT - np.exp(LOGITS) / np.exp(LOGITS).sum(axis=0))
        / 2,
    }
    unit = -PI * (np.log(PI) + entropies(PI)) / 2
    suspects |= {
        "use beta; here it is 0." + " " * k: want + x * unit
        for k, x in enumerate((1e-3, 0.01, 0.05, 0.1, 0.5, 1.0))
    }
    got = answer.call("policy_push", LOGITS, TAKEN, GOOD, 0.0)
    expect_close(got, want, "beta = 0", suspects)


@PUSH.check("by hand: the push of the entropy")
def push_entropy(answer, rng):
    # row 1: log pi = -ln 2 (1, 2, 2), H = 3/2 ln 2: -pi (log pi + H) / 2
    h = entropies(PI)
    unit = -PI * (np.log(PI) + h) / 2
    want = 5 * unit
    assert np.allclose(unit[0], LN2 * np.array([-1, 0.5, 0.5]) / 8)
    suspects = {
        "beta has the wrong sign: the entropy is to grow.": -want,
        "the entropy has no gradient in yours.": 0 * want,
        "H is missing: the gradient passes through every pi.": (
            -2.5 * PI * np.log(PI)
        ),
        "that is the gradient by pi times pi; the softmax's own part, H - 1, "
        "is missing.": -2.5 * PI * (np.log(PI) + 1),
        "that is the gradient by pi, not by the logits.": -2.5
        * (np.log(PI) + 1),
        "the factor pi is missing.": -2.5 * (np.log(PI) + h),
        "H has the wrong sign inside: it is - sum pi log pi.": -2.5
        * PI
        * (np.log(PI) - h),
        "H is taken over all rows together; each row has its own.": -2.5
        * PI
        * (np.log(PI) + h.mean()),
        "that is the entropy itself, not its gradient.": 2.5 * np.tile(h, 3),
        "the entropy's part is a sum over rows; M is a mean.": 2 * want,
        "the mean over rows is taken twice.": want / 2,
        "that is divided by b k; M is a mean over rows.": want / 3,
        "beta is not used.": unit,
        "beta is squared.": 5 * want,
        "logarithms to the base 2; M has natural ones.": want / LN2,
    }
    got = answer.call("policy_push", LOGITS, TAKEN, np.zeros(2), 5.0)
    expect_close(got, want, "no advantages, beta = 5", suspects)
    got = answer.call("policy_push", LOGITS, TAKEN, np.zeros(2), -5.0)
    expect_close(got, -want, "no advantages, beta = -5")


@PUSH.check("small steps of the logits")
def push_small_steps(answer, rng):
    z, u = rng.normal(size=(4, 5)), np.array([4, 0, 2, 2])
    advantage, step = rng.normal(size=4) + 1, rng.normal(size=(4, 5))

    def raised(z):
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        gain = advantage * np.log(p[np.arange(4), u]) + 0.7 * entropies(p)[:, 0]
        return gain.mean()

    slope = (raised(z + 1e-5 * step) - raised(z - 1e-5 * step)) / 2e-5
    got = answer.call("policy_push", z, u, advantage, 0.7)
    expect_shape(got, (4, 5), "four rows, five actions")
    if not abs((got * step).sum() - slope) <= 1e-5:
        raise Wrong.fixed(
            "a small step of the logits changes M otherwise than your "
            "gradient says; check both parts, and the mean over rows."
        )
    if not np.abs(got.sum(axis=1)).max() <= 1e-6:
        raise Wrong.fixed("the pushes of a row must sum to 0.")


@PUSH.check("sure policies, and logits far from 0")
def push_sure(answer, rng):
    z = np.array([[0.0, 1000, -1000], [1000 + LN2, 1000, 1000], [0, 0, LN2]])
    z = np.concatenate([z, z[1:2] - 4000])
    taken = np.array([0, 1, 2, 0])
    got = answer.call("policy_push", z, taken, np.ones(4), 0.0)
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "logits of 0 and 1,000 give nan or infinity: subtract the largest "
            "logit first, that of each row, and never take the logarithm of a "
            "pi that is 0."
        )
    want = [[4, -4, 0], [-2, 3, -1], [-1, -1, 2], [2, -1, -1]]
    cut = [[4, -4, 0], [-4 / 3, 8 / 3, -4 / 3], [-1, -1, 2], [2, -1, -1]]
    both_cut = [*cut[:3], [8 / 3, -4 / 3, -4 / 3]]
    reason = "logits that differ have different pi, far from 0, too; do not cut"
    suspects = {
        f"{reason} large logits off.": np.array(cut) / 16,
        f"{reason} logits off.": np.array(both_cut) / 16,
    }
    what = "beta = 0, logits of 0, of about 1,000 and about -3,000"
    expect_close(got, np.array(want) / 16, what, suspects, tolerance=1e-4)
    both = answer.call("policy_push", z, taken, np.ones(4), 0.5)
    if not np.isfinite(both).all():
        raise Wrong.fixed(
            "logits of 0 and 1,000 give nan or infinity: subtract the largest "
            "logit first, that of each row, and never take the logarithm of a "
            "pi that is 0."
        )
    h = LN2 / 8 * np.array([-0.25, 0.125, 0.125])  # beta / b = 1 / 8
    part = [[0, 0, 0], h, h[::-1], h]
    expect_close(both - got, part, "the same logits, the entropy's part")
    # Two actions: the entropy's gradient is -pi_1 pi_2 (z_1 - z_2) by z_1.
    z, none = np.array([[0.0, -20]]), np.array([0])
    got = answer.call("policy_push", z, none, np.zeros(1), 1e6)
    expect_shape(got, (1, 2), "one row, two actions")
    want = 2e7 * np.exp(-20) / (1 + np.exp(-20)) ** 2
    if not np.allclose(got, [[-want, want]], rtol=1e-4):
        raise Wrong.fixed(
            "a pi of 2e-9, beta = 1,000,000: the logarithm of a small pi is "
            "not that of pi and some small number, nor that of a floor."
        )
    moved = answer.call("policy_push", LOGITS + 2000, TAKEN, GOOD, 0.3)
    same = answer.call("policy_push", LOGITS, TAKEN, GOOD, 0.3)
    what = "all logits larger by 2,000: the same policy"
    expect_close(moved, same, what, tolerance=1e-4)


@PUSH.check("one row alone, and many rows")
def push_sizes(answer, rng):
    one = answer.call("policy_push", LOGITS[:1], TAKEN[:1], GOOD[:1], 0.0)
    if not np.isfinite(one).all():
        raise Wrong.fixed(
            "one row alone gives nan or infinity: it is a batch, too."
        )
    expect_close(one, [[-2.0, 3, -1]], "one row alone, beta = 0")
    good = np.array([-4e5])
    one = answer.call("policy_push", LOGITS[:1], TAKEN[:1], good, 0.0)
    what = "one row alone, an advantage of -400,000: it is not cut off"
    expect_close(one, [[2e5, -3e5, 1e5]], what)
    many = [np.tile(x, (20, 1)[: x.ndim]) for x in (LOGITS, TAKEN, GOOD)]
    two = answer.call("policy_push", LOGITS, TAKEN, GOOD, 0.4)
    got = answer.call("policy_push", *many, 0.4)
    expect_close(got, np.tile(two, (20, 1)) / 20, "each row 20 times")


@BASELINE.check("by hand: three actions")
def baseline_by_hand(answer, rng):
    # |s|^2 = 3/8, 7/8, 7/8; times pi: 6 : 7 : 7; (7 * 20 + 7 * 40) / 20 = 21.
    p, g = np.array([0.5, 0.25, 0.25]), np.array([0.0, 20, 40])
    length2 = np.array([3, 7, 7]) / 8
    length = np.sqrt(length2)
    soft = np.exp(p) / np.exp(p).sum()
    soft2 = 1 - 2 * soft + (soft**2).sum()
    suspects = {
        "that is the expected return; it makes (G - b) small, not the "
        "estimate.": 15,
        "that is the plain mean of the returns.": 20,
        "the length of s_y is to be squared.": (p * length * g).sum()
        / (p * length).sum(),
        "the probabilities are missing: rare actions are drawn seldom.": (
            (length2 * g).sum() / length2.sum()
        ),
        "the sum below is missing: divide by the expectation of the squared "
        "length.": (p * length2 * g).sum(),
        "that divides by pi: importance weights are not asked.": (
            (length2 / p * g).sum() / (length2 / p).sum()
        ),
        "that weighs returns by pi squared.": (p**2 * g).sum() / (p**2).sum(),
        "the squared length of s_y is not (1 - pi_y)^2: the row has other "
        "entries, too.": (p * (1 - p) ** 2 * g).sum()
        / (p * (1 - p) ** 2).sum(),
        "that takes 1 - pi_y for the squared length of s_y.": (
            (p * (1 - p) * g).sum() / (p * (1 - p)).sum()
        ),
        "the squared length has + sum pi^2, not - sum pi^2.": (
            p * (1 - 2 * p - 3 / 8) * g
        ).sum()
        / (p * (1 - 2 * p - 3 / 8)).sum(),
        "the sign is wrong: b is subtracted from G.": -21,
        "the squared length has - 2 pi, not + 2 pi.": (
            (p * (1 + 2 * p + 3 / 8) * g).sum()
            / (p * (1 + 2 * p + 3 / 8)).sum()
        ),
        "the length of s_y is squared once.": (p * length2**2 * g).sum()
        / (p * length2**2).sum(),
        "the weights are pi times the squared length; pi is not squared.": (
            (p**2 * length2 * g).sum() / (p**2 * length2).sum()
        ),
        "p holds probabilities already: no softmax.": (
            (soft * soft2 * g).sum() / (soft * soft2).sum()
        ),
    }
    got = answer.call("best_baseline", p, g)
    expect_close(got, 21.0, "pi = (1/2, 1/4, 1/4), G = (0, 20, 40)", suspects)


@BASELINE.check("two actions: each counts by the other's probability")
def baseline_two(answer, rng):
    # |s_1|^2 = 2 pi_2^2, so the weights are pi_1 pi_2^2 and pi_2 pi_1^2
    got = answer.call("best_baseline", np.array([0.75, 0.25]), np.array([4, 8]))
    expect_close(got, 7.0, "pi = (3/4, 1/4), G = (4, 8)")
    p = np.array([1 - 1e-4, 1e-4])
    got = answer.call("best_baseline", p, np.array([4, 8]))
    if got.shape == () and 4 < got < 7.9995:
        raise Wrong.fixed(
            "with pi = (0.9999, 0.0001) yours leaves the rare action's return "
            "too little weight; do not raise small pi."
        )
    what = "pi = (0.9999, 0.0001), G = (4, 8)"
    expect_close(got, 7.9996, what, tolerance=1e-4)
    # lengths 1/2, 1/2, 3/2: the rare action counts (2^-34 3/2 2^34) / (1/2)
    rare = 2.0**-34
    p, g = np.array([0.5, 0.5 - rare, rare]), np.array([0, 0, 1 / rare])
    got = answer.call("best_baseline", p, g)
    expect_shape(got, (), "the baseline, one number")
    if not np.isclose(got, 3, rtol=1e-5):
        raise Wrong.fixed(
            "a pi of 6e-11 and a return of 2e10: each return counts by its own "
            "pi, however small; there is no floor, and nothing is added."
        )


def variance(p, g, b):
    """Total variance of the estimate with the baseline b."""
    rows = (g - b)[:, None] * (np.eye(len(p)) - p)
    return p @ ((rows - p @ rows) ** 2).sum(axis=1)


@BASELINE.check("no other baseline has less variance")
def baseline_best(answer, rng):
    for k in (2, 4, 7):
        p, g = rng.dirichlet(np.ones(k)) * 0.9 + 0.1 / k, rng.normal(size=k) * 9

        got = answer.call("best_baseline", p, g)
        expect_shape(got, (), "the baseline, one number")
        near = min(variance(p, g, got - 1e-3), variance(p, g, got + 1e-3))
        if not variance(p, g, got) < near:
            raise Wrong.fixed(
                "a baseline a little larger or smaller has less variance."
            )


@BASELINE.check("equal returns, and returns that all grow")
def baseline_moves(answer, rng):
    p, g = rng.dirichlet(np.ones(5)) * 0.9 + 0.02, rng.normal(size=5)
    equal = answer.call("best_baseline", p, np.full(5, -3.0))
    expect_close(equal, -3.0, "all returns -3")
    got = answer.call("best_baseline", p, g)
    more = answer.call("best_baseline", p, 2 * g + 10)
    expect_close(more, 2 * got + 10, "returns doubled and raised by 10")
    more = answer.call("best_baseline", p, 1e14 * (g - 9))
    expect_shape(more, (), "the baseline, one number")
    if not np.isclose(more, 1e14 * (got - 9), rtol=1e-5):
        raise Wrong.fixed("returns of -1e15: no return is cut off.")


# Two worlds, three steps: world 1 ends with step 1, world 2 with step 2.
PAY = np.array([[-0.01, -0.01], [1.0, -0.01], [-0.01, -0.5]])
AWAY = np.array([[2.0, 4], [1, 5], [7, 4], [6, 9]])
ENDS = np.array([[False, False], [True, False], [False, True]])


@PAID.check("two worlds by hand")
def paid_by_hand(answer, rng):
    # gamma 1/2, scale 2: 2 d before - d after, or 2 d before at an end
    want = PAY + np.array([[3, 3], [2, 6], [8, 8]])
    leaks = PAY + 2 * AWAY[:-1] - AWAY[1:]
    early = np.array([[True, False], [False, True], [False, False]])
    late = np.array([[False, False], [False, False], [True, False]])
    base = 2 * AWAY[:-1]
    suspects = {
        "after an end the potential is 0, not that of the next world.": leaks,
        "at an end nothing is paid at all in yours; the potential before the "
        "step is still taken off.": np.where(ENDS, PAY, want),
        "the potential before the step became 0 at an end, too; only the one "
        "after it does.": np.where(ENDS, PAY - AWAY[1:], want),
        "the payment is 0 except at ends: is the condition inverted?": (
            PAY + base - AWAY[1:] * ENDS
        ),
        "the ends are one step too late.": PAY + base - AWAY[1:] * ~late,
        "the ends are one step too early.": PAY + base - AWAY[1:] * ~early,
        "gamma is missing.": PAY + base - 2 * AWAY[1:] * ~ENDS,
        "the sign is wrong: coming nearer is paid, not charged.": PAY
        - base
        + AWAY[1:] * ~ENDS,
        "the rewards themselves are lost.": want - PAY,
        "gamma is the factor of the potential after the step alone.": PAY
        + base / 2
        - AWAY[1:] * ~ENDS,
        "the last step of all is no end unless `ended` says so.": PAY
        + base
        - AWAY[1:] * ~(ENDS | (np.arange(3) == 2)[:, None]),
    }
    suspects |= {
        "use gamma; here it is 1/2." + " " * k: PAY
        + base
        - 2 * x * AWAY[1:] * ~ENDS
        for k, x in enumerate((0.9, 0.95, 0.97, 0.99))
    }
    got = answer.call("paid_rewards", PAY, AWAY, ENDS, 0.5, 2.0)
    expect_close(got, want, "gamma = 1/2, scale = 2", suspects)
    far, pay = np.array([[3000.5, 0], [100.25, 40]]), np.array([[5000.5, -7]])
    got = answer.call("paid_rewards", pay, far, pay < -9, 1.0, 2.0)
    what = "distances 3000.5 and 0, then 100.25 and 40, gamma = 1: nothing is "
    what += "cut off, neither distances nor rewards nor gamma"
    expect_close(got, [[10801, -87]], what)
    far, pay = np.array([[3.0, 0], [1, 2]]), np.zeros((1, 2))
    got = answer.call("paid_rewards", pay, far, pay > 0, 0.25, 20.0)
    what = "gamma = 1/4, scale = 20: both are used as they are"
    expect_close(got, [[55, -10]], what)


@PAID.check("over an episode the payments leave the first potential")
def paid_telescopes(answer, rng):
    far = rng.integers(1, 12, size=(7, 3)).astype(float)
    rewards, ended = rng.normal(size=(6, 3)), np.zeros((6, 3), bool)
    ended[4, 0] = ended[5, 1] = ended[0, 2] = True
    got = answer.call("paid_rewards", rewards, far, ended, 0.9, 0.1)
    expect_shape(got, (6, 3), "six steps, three worlds")
    powers = 0.9 ** np.arange(6)
    for world, last in ((0, 4), (1, 5), (2, 0)):
        extra = (got - rewards)[: last + 1, world] @ powers[: last + 1]
        if not abs(extra - 0.1 * far[0, world]) <= 1e-5:
            raise Wrong.fixed(
                "the discounted payments of a whole episode must sum to scale "
                "times its first distance, wherever and when it ends."
            )


@PAID.check("many steps, by hand")
def paid_long(answer, rng):
    # always 3 away: paid 2 (3 - 3 / 2) = 3 a step, and 6 at an end
    ended = np.zeros((30, 12), bool)
    ended[[9, 20, 29], [0, 4, 7]] = True
    want = 3.0 + 3 * ended
    last = want.copy()
    last[-1] = 6
    suspects = {"the last step of all is no end unless `ended` says so.": last}
    last = want.copy()
    last[-1, -1] = 6
    suspects["one more step ends an episode in yours than `ended` says."] = last
    args = np.zeros((30, 12)), np.full((31, 12), 3.0), ended, 0.5, 2.0
    got = answer.call("paid_rewards", *args)
    what = "30 steps, 12 worlds, distance 3, gamma = 1/2, scale = 2"
    expect_close(got, want, what, suspects)


@PAID.check("what is drawn after an end makes no difference to it")
def paid_next_world(answer, rng):
    far = rng.integers(1, 12, size=(4, 5)).astype(float)
    rewards, ended = rng.normal(size=(3, 5)), np.zeros((3, 5), bool)
    ended[1, [0, 3]] = True
    other = far.copy()
    other[2, [0, 3]] += 3
    one, two = (
        answer.call("paid_rewards", rewards, x, ended, 0.97, 0.1)
        for x in (far, other)
    )
    expect_shape(one, (3, 5), "three steps, five worlds")
    expect_close(two[:2], one[:2], "another next world")
    expect_close(
        (two - one)[2, [0, 3]], np.full(2, 0.3), "the step in the next world"
    )
    plain = answer.call("paid_rewards", rewards, far, ended, 0.97, 0.0)
    expect_close(plain, rewards, "scale 0: rewards alone")


# Five worlds, five steps. First episodes: reached at step 3; dead at step 0
# (later ones arrive); still on its way; reached at step 4; at step 3.
END = [[0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0] * 5]
END = np.array([*END, [1, 1, 0, 0, 1], [0, 1, 0, 1, 0]]).astype(bool)
WON = [[0] * 5, [0, 1, 0, 0, 0], [0] * 5]
WON = np.array([*WON, [1, 1, 0, 0, 1], [0, 0, 0, 1, 0]]).astype(bool)


@RATE.check("five worlds by hand")
def rate_by_hand(answer, rng):
    suspects = {
        "every episode counts in yours; only each world's first does.": 5 / 7,
        "a world counts as won in yours if any of its episodes is; its first "
        "alone counts.": 4 / 5,
        "a first episode that is still on its way counts as not reached; "
        "divide by all worlds.": 3 / 4,
        "that is the share per step; divide by the number of worlds.": 5 / 25,
        "that is the mean number of arrivals of a world; its first episode "
        "alone counts.": 1.0,
        "that is the rate of failure.": 2 / 5,
        "only one step of all is looked at.": 0.0,
    }
    got = answer.call("success_rate", WON, END)
    expect_close(got, 3 / 5, "five worlds, five steps", suspects)


@RATE.check("first against last")
def rate_order(answer, rng):
    end = np.array([[1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]]).astype(bool)
    won = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 1]]).astype(bool)
    suspects = {
        "yours looks at a world's last end; its first one counts.": 3 / 4,
        "a world whose first episode failed counts as won by a later one.": 1.0,
        "every episode counts in yours; only each world's first does.": 4 / 7,
        "divide by the number of worlds, not of steps.": 2 / 3,
    }
    got = answer.call("success_rate", won, end)
    expect_close(got, 2 / 4, "four worlds, three steps", suspects)
    end = np.array([[1, 1, 1], [1, 1, 1]]).astype(bool)
    won = np.array([[0, 0, 1], [1, 1, 0]]).astype(bool)
    suspects = {
        "yours looks at a world's last end; its first one counts.": 2 / 3,
        "a world counts as won in yours if any of its episodes is; its first "
        "alone counts.": 1.0,
        "every episode counts in yours; only each world's first does.": 0.5,
    }
    got = answer.call("success_rate", won, end)
    expect_close(got, 1 / 3, "every step ends an episode", suspects)


@RATE.check("nothing ends, everything arrives, one step")
def rate_ends(answer, rng):
    never = np.zeros((4, 3), bool)
    got = answer.call("success_rate", never, never)
    if not np.isfinite(got).all():
        raise Wrong.fixed(
            "if no episode ends the rate is 0, not nan: divide by the number "
            "of worlds."
        )
    expect_close(got, 0.0, "no episode ends")
    expect_close(answer.call("success_rate", ~never, ~never), 1.0, "all arrive")
    won = np.array([[True, False, True, False, False]])
    got = answer.call("success_rate", won, np.ones((1, 5), bool))
    expect_close(got, 2 / 5, "one step, five worlds")


@RATE.check("many steps: an end with the last step")
def rate_long(answer, rng):
    end, won = np.zeros((2, 30, 16), bool)
    end[-1], won[-1, :4] = True, True
    end[20, 12:], won[20, 12:14] = True, True
    # won: 4 of the 12 that end with the last step, 2 of 4 at step 20
    suspects = {
        "an episode may end with the last step of all; it counts.": 2 / 16,
        "every episode counts in yours; only each world's first does.": 6 / 20,
    }
    got = answer.call("success_rate", won, end)
    expect_close(got, 6 / 16, "30 steps, 16 worlds", suspects)
    end = np.ones((400, 3), bool)
    won = np.arange(400)[:, None] == [0, 128, 256]
    got = answer.call("success_rate", won, end)
    why = "ends were counted in int8, which begins again after 255."
    expect_close(got, 1 / 3, "400 ends, won at 0, 128, 256", {why: 2 / 3})
    end, won = np.zeros((2, 400, 2), bool)
    end[399], won[399, 0] = True, True
    got = answer.call("success_rate", won, end)
    why = "all steps count, not only the first ones."
    expect_close(got, 1 / 2, "two ends at the last of 400 steps", {why: 0.0})


@RATE.check("one quick death more makes no difference")
def rate_quick(answer, rng):
    end = rng.random((12, 40)) < 0.15
    won = end & (rng.random((12, 40)) < 0.6)
    base = answer.call("success_rate", won, end)
    expect_shape(base, (), "the rate, one number")
    begun = end.cumsum(axis=0) > 0
    later = np.concatenate([np.zeros((1, 40), bool), begun[:-1]])
    again = answer.call("success_rate", won & ~later, end)
    expect_close(again, base, "without the later arrivals")
    again = answer.call("success_rate", won & ~later, end | later)
    expect_close(again, base, "with a death at every later step")
    again = answer.call("success_rate", won | later, end | later)
    expect_close(again, base, "with an arrival at every later step")
