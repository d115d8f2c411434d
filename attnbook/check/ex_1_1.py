"""Visible checks of chapter 1.1's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    shaped,
)

LOOK = Exercise(
    "1_1.a", "Look back for many questions", ("look_back_many",), "torch"
)
MEMORY = Exercise("1_1.b", "A memory's accuracy", ("accuracy_of_memory",))
SHARE = Exercise("1_1.c", "How concentrated?", ("signal_when_spread",))
LAST = Exercise(
    "1_1.d", "The last state", ("last_states",), "torch", all_or_nothing=True
)
GUESS = Exercise(
    "1_1.e",
    "Which pairs to keep",
    ("simulate", "prediction"),
    predict=("first", "last", "same"),
)
EXERCISES = [LOOK, MEMORY, SHARE, LAST, GUESS]

LN3 = np.log(3.0)


@LOOK.check("weights of a worked example")
def weights_by_hand(answer, rng):
    # d = 4, so the scores are (0, ln 3, 0) and (ln 3, 0, ln 3).
    keys = np.zeros((1, 3, 4))
    keys[0, :, 0] = [0, 2 * LN3, 0]
    keys[0, :, 1] = [2 * LN3, 0, 2 * LN3]
    queries = np.zeros((1, 2, 4))
    queries[0, 0, 0] = queries[0, 1, 1] = 1.0
    args = (queries, keys, np.ones((1, 3, 5)))
    summary, weights = answer.call("look_back_many", *args, parts=2)
    if summary.shape == (1, 2, 3) and weights.shape == (1, 2, 5):
        raise Wrong("return the summaries first, then the weights.")
    nine, root = 1 / 11, 3**0.5
    unscaled = [[nine, 9 * nine, nine], [9 / 19, 1 / 19, 9 / 19]]
    by_d = [[1, root, 1], [root, 1, root]] / np.array(
        [[2 + root], [1 + 2 * root]]
    )
    by_e = np.exp(np.array([[0, 2, 0], [2, 0, 2]]) * LN3 / 5**0.5)
    queries_axis = [[0.25, 0.75, 0.25], [0.75, 0.25, 0.75]]
    expect_close(
        weights,
        [[[0.2, 0.6, 0.2], [3 / 7, 1 / 7, 3 / 7]]],
        "weights",
        {
            "the softmax runs over the queries; each query's weights over "
            "the keys must sum to 1.": [queries_axis],
            "the scores are not divided by sqrt(d).": [unscaled],
            "the scores are divided by d, not by sqrt(d).": [by_d],
            "the scores are divided by the root of the states' width e; "
            "the dot product runs over d.": [by_e / by_e.sum(1)[:, None]],
            "these are scores or their exponentials, not yet divided by "
            "their sum over the keys.": [[[1, 3, 1], [3, 1, 3]]],
        },
    )
    # d = 7, and each query's scores 40 lower, which changes no weight.
    queries, keys = (np.pad(x, [(0, 0), (0, 0), (0, 3)]) for x in args[:2])
    keys *= 7**0.5 / 2
    queries[..., 6], keys[..., 6] = 7**0.5, -40
    args = (queries, keys, args[2])
    expect_close(
        answer.call("look_back_many", *args, parts=2)[1],
        [[[0.2, 0.6, 0.2], [3 / 7, 1 / 7, 3 / 7]]],
        "the same weights, from scores that are all 40 lower, d = 7",
        {
            "the root of d is cut to a whole number.": [
                [[1, x, 1], [x, 1, x]] / np.array([[2 + x], [1 + 2 * x]])
                for x in [3 ** (7**0.5 / 2)]
            ]
        },
    )


@LOOK.check("the sum takes the states, not the keys")
def sums_states(answer, rng):
    keys, queries = np.zeros((2, 9, 4)), rng.normal(size=(2, 6, 4))
    states = rng.normal(size=(2, 9, 5))
    states[:, :, 1] -= 3
    states[:, :, 2] += 3
    args = (queries, keys, states)
    summary, _ = answer.call("look_back_many", *args, parts=2)
    mean = np.repeat(states.mean(axis=1)[:, None], 6, axis=1)
    expect_close(
        summary,
        mean,
        "equal keys give each query the mean of its own example's states",
        {
            "you summed keys; the weighted sum takes the states.": np.zeros(
                (2, 6, 4)
            )
        },
    )


@LOOK.check("a batch of two, three queries, width 16")
def batch_by_hand(answer, rng):
    # Scores are multiples of ln 3; the states are unit vectors, so the first
    # three numbers of a summary must be the query's weights.
    keys, queries = np.zeros((2, 3, 16)), np.zeros((2, 3, 16))
    keys[0, :, 0] = [0, 4 * LN3, 0]
    keys[1, :, 0] = [4 * LN3, 0, 4 * LN3]
    queries[0, :, 0], queries[1, :, 0] = [1, 0, 2], [2, 1, 0]
    states = np.tile(np.eye(3, 5), (2, 1, 1))
    powers = np.array(
        [
            [[1, 3, 1], [1, 1, 1], [1, 9, 1]],
            [[9, 1, 9], [3, 1, 3], [1, 1, 1]],
        ]
    )
    want = powers / powers.sum(axis=-1, keepdims=True)
    args = (queries, keys, states)
    summary, weights = answer.call("look_back_many", *args, parts=2)
    expect_close(weights, want, "weights")
    expect_close(
        summary,
        np.concatenate([want, np.zeros((2, 3, 2))], axis=-1),
        "summaries (the sum must use the weights that you return)",
    )
    # Scores are ln 1 to ln 12, and one is -25; then in reverse order.
    scores = np.append(np.log(np.arange(1, 13)), -25.0)
    for order in (slice(None), slice(None, None, -1)):
        keys = 2 * np.eye(1, 4) * scores[order, None]
        args = np.eye(1, 4)[None], keys[None], np.eye(13)[None]
        _, weights = answer.call("look_back_many", *args, parts=2)
        weights = shaped(weights, (1, 1, 13), "weights of 13 keys")[0, 0, order]
        what = "12 keys that weigh 1/78 to 12/78 (no limit, nothing kept from "
        what += "an earlier call?)"
        expect_close(weights[:12] * 78, np.arange(1.0, 13), what)
        what = "a weight of exp(-25) / 78, divided by it (nothing is cut off)"
        small = weights[12] * 78 * np.exp(25.0)
        expect_close(small, 1.0, what, tolerance=1e-4)


@LOOK.check("gradients reach the queries and the keys")
def gradients_flow(answer, rng):
    sizes = {"queries": (2, 3, 4), "keys": (2, 5, 4), "states": (2, 5, 6)}
    named = {key: rng.normal(size=size) for key, size in sizes.items()}
    args = tuple(named.values())
    u = rng.normal(size=(2, 3, 6))
    grads = answer.vjp("look_back_many", args, u)
    if not np.abs(grads[0]).max() > 0 or not np.abs(grads[1]).max() > 0:
        raise Wrong(
            "no gradient reaches queries and keys: the weights are detached "
            "(detach, no_grad, item or numpy), so they could never be learned."
        )
    weights = answer.call("look_back_many", *args, parts=2)[1]
    expect_close(
        grads[2],
        np.einsum("bij,bie->bje", shaped(weights, (2, 3, 5)), u),
        "the gradient of states",
        tolerance=1e-5,
    )


@MEMORY.check("worked values")
def memory_by_hand(answer, rng):
    expect_close(
        answer.call("accuracy_of_memory", 3, 2, 10),
        0.7,
        "3 pairs, 2 slots, 10 values",
        {
            "a forgotten pair can still be guessed, with probability 1/V.": 2
            / 3,
            "the guess counts only when the pair was forgotten: weight 1/V "
            "by 1 - p/n.": 2 / 3 + 0.1,
            "the share kept is m/n, not n/m.": 1.0,
            "the guess is right with probability 1/V, not 1 - 1/V.": 2 / 3
            + 0.3,
            "the share kept has no remainder: divide with /, not //.": 0.1,
            "the guess is among all V values, not V - 1.": 2 / 3 + 1 / 27,
        },
    )


@MEMORY.check("more slots than pairs")
def everything_fits(answer, rng):
    got = answer.call("accuracy_of_memory", 3, 6, 10)
    if np.ndim(got) == 0 and got > 1:
        raise Wrong(
            f"accuracy {float(got):.2f} is above 1: with more slots than "
            "pairs only n pairs are kept, so p = min(m, n)."
        )
    expect_close(got, 1.0, "3 pairs, 6 slots")


@MEMORY.check("an array of lengths at once")
def many_lengths(answer, rng):
    got = answer.call("accuracy_of_memory", np.array([1, 2, 4, 8]), 2, 5)
    said = "the number of values has no effect: you guess among 10."
    expect_close(
        got,
        [1, 1, 0.6, 0.4],
        "1, 2, 4, 8 pairs, 2 slots, 5 values",
        {said: [1, 1, 0.55, 0.325]},
    )
    got = answer.call("accuracy_of_memory", np.array([[7, 2, 70]]), 3, 9)
    want = [[31 / 63, 1, 3 / 70 + 67 / 630]]
    expect_close(got, want, "7, 2, 70 pairs in a row, 3 slots, 9 values")
    got = answer.call("accuracy_of_memory", np.array([5, 1]), 0, 4)
    expect_close(got, [0.25, 0.25], "no slots at all, 4 values")
    got = answer.call("accuracy_of_memory", np.array([5, 1]), 2, 1)
    expect_close(got, [1, 1], "one value, so that each guess is right")


@SHARE.check("worked values")
def share_by_hand(answer, rng):
    # a = (3/4, 5 times 1/20): 225 over 225 + 5 is 45/46. At n = 3, n + 1 is
    # (n - 1)^2, so that the reasons could not be told apart.
    big, rest = 0.75**2, 0.25
    expect_close(
        answer.call("signal_when_spread", 0.75, 6),
        45 / 46,
        "weight 0.75 among 6",
        {
            "that is the weight; a variance share needs its square.": 0.75,
            "the rest is spread over n - 1 terms, not n.": big
            / (big + rest**2 / 6),
            "square each of the small weights before adding them: "
            "(n-1) times ((1-a)/(n-1)) squared.": big / (big + rest**2),
            "square the small weights too.": big / (big + rest),
            "add the squares of all the small weights, not of one.": big
            / (big + 0.05**2),
            "there are n - 1 small weights, not n.": big / (big + 6 * 0.05**2),
            "that is signal over noise; the share divides by their sum.": 45,
            "the rest is spread over n - 1 terms, not n + 1.": big
            / (big + rest**2 / 7),
            "add the squares, do not square the sum.": big / (0.8**2),
            "there are n - 1 small weights, not n - 2.": big
            / (big + 4 * 0.05**2),
            "the squares add up to (1 - a)^2 divided by n - 1, not times.": big
            / (big + 5 * rest**2),
            "it is (1 - a) that is squared, not a.": big
            / (big + (1 - big) / 5),
            "the small weights are added up, but not squared.": big
            / (big + rest / 5),
            "square every weight, the large one too.": 0.75 / 0.8,
            "n has no effect: that is for 24 pairs.": big
            / (big + rest**2 / 23),
        },
    )
    got = answer.call("signal_when_spread", 0.6, 3)
    expect_close(got, 9 / 11, "weight 0.6 among 3")
    got = answer.call("signal_when_spread", 0.1, 3)
    expect_close(got, 2 / 83, "weight 0.1 among 3")
    got = answer.call("signal_when_spread", 1.0, 5)
    expect_close(got, 1, "weight 1 among 5")


@SHARE.check("equal weights leave 1/n")
def share_of_equal(answer, rng):
    got = shaped(answer.call("signal_when_spread", 1e-4, 10_000), ())
    what = "weight 0.0001 among 10,000, times 10,000 (is something added?)"
    expect_close(got * 1e4, 1.0, what, tolerance=1e-5)
    for n in (2, 7, 24):
        got = answer.call("signal_when_spread", 1 / n, n)
        expect_close(got, 1 / n, f"weight 1/{n} among {n}")


@LAST.check("each sequence ends at its own length")
def own_length(answer, rng):
    states = np.arange(24.0).reshape(2, 4, 3)
    expect_close(
        answer.call("last_states", states, np.array([2, 4])),
        [[3, 4, 5], [21, 22, 23]],
        "lengths 2 and 4 of 4 steps",
        {
            "the first sequence ends at step 2, and you took step 4: a "
            "padded position.": [[9, 10, 11], [21, 22, 23]],
            "you took the first state, not the last.": [
                [0, 1, 2],
                [12, 13, 14],
            ],
            "all sequences are cut at one length; each has its own.": [
                [3, 4, 5],
                [15, 16, 17],
            ],
            "you took the state before the last: length l ends at index "
            "l - 1.": [[0, 1, 2], [18, 19, 20]],
            "you took the state after the last: length l ends at index "
            "l - 1.": [[6, 7, 8], [21, 22, 23]],
            "that is the sum over the steps, not the last state.": [
                [3, 5, 7],
                [66, 70, 74],
            ],
            "the lengths are counted from the end of the padding.": [
                [6, 7, 8],
                [12, 13, 14],
            ],
            "that is the average over the steps, not the last state.": [
                [1.5, 2.5, 3.5],
                [16.5, 17.5, 18.5],
            ],
            "the lengths are read from the wrong end of the batch: sequence "
            "b has lengths[b].": [[9, 10, 11], [15, 16, 17]],
        },
    )


@LAST.check("whatever stands in the padding")
def ignores_padding(answer, rng):
    states, lengths = rng.normal(size=(3, 6, 2)), np.array([1, 6, 4])
    states[0, 0], states[2, 3] = [-1.5, 2.25], 0  # a last state may be 0
    want = states[np.arange(3), lengths - 1]
    states[0, 1:] = states[2, 4:] = 1e4
    got = answer.call("last_states", states, lengths)
    expect_close(got, want, "with 10,000 in every padded position")


@LAST.check("gradients reach each sequence's last step, and no other")
def last_gradient(answer, rng):
    states, lengths = rng.normal(size=(3, 5, 2)), np.array([2, 5, 1])
    (grad,) = answer.vjp("last_states", (states, lengths), np.ones((3, 2)))
    want = np.zeros((3, 5, 2))
    want[np.arange(3), lengths - 1] = 1
    expect_close(grad, want, "gradient of the sum by the states")


@GUESS.check("a simulation agrees with Equation 1.1.2")
def agrees(answer, rng):
    want, fewer, more = (m / 9 + (1 - m / 9) / 10 for m in (6, 5, 7))
    for keep in ("first", "last"):
        got = answer.call("simulate", keep, 9, 6, 15_000, 7)
        if np.ndim(got) != 0:
            raise Wrong("return one number, the share of right answers.")
        head = f"keep {keep}, 9 pairs, 6 kept: {float(got):.3f}"
        for reason, value in {
            "is what never guessing gives; a forgotten pair is guessed among "
            "10 values, anew each time (and is position 0 asked for?).": 2 / 3,
            "is what the other pairs give: keep first means the positions 0 "
            "to 5, keep last 3 to 8.": 0.4,
            "is what a memory of 5 gives: asked positions run from 0 to 8, "
            "and exactly 6 of them are kept.": fewer,
            "is what a memory of 7 gives: asked positions run from 0 to 8, "
            "and exactly 6 of them are kept.": more,
        }.items():
            if abs(got - value) < 0.013:
                raise Wrong(f"{head} {reason}")
        if not 0 <= got <= 1:  # nan too
            raise Wrong(f"{head} is no share: it must lie between 0 and 1.")
        if abs(got - want) > 0.016:
            raise Wrong(
                f"{head} instead of {want:.3f}. Is any of the 9 pairs as "
                "likely to be asked, anew in each trial? Is a guess made only "
                "where the pair was forgotten? Are exactly 6 kept?"
            )


@GUESS.check("a forgotten value is guessed among ten")
def guesses(answer, rng):
    got = answer.call("simulate", "last", 40, 1, 40_000, 8)
    if not abs(got - 0.1225) < 0.0066:
        raise Wrong(
            f"40 pairs, 1 kept: {float(got):.4f} instead of 0.1225; a guess "
            "must be right once in ten."
        )


@GUESS.check("seed and keep decide the result")
def seeded(answer, rng):
    def run(keep, seed):
        return float(answer.call("simulate", keep, 9, 4, 2000, seed))

    runs = [run("last", seed) for seed in (3, 4, 5)]
    if runs != [run("last", seed) for seed in (3, 4, 5)]:
        raise Wrong("the same seed gives other results: use default_rng(seed).")
    if runs[0] == runs[1] == runs[2]:
        raise Wrong(
            "different seeds give the same result: draw with the given seed."
        )
    # A multiple of all powers of 2 to 65,536, of 9, 125 and 7.
    if runs == [run("last", seed + 516_096_000) for seed in (3, 4, 5)]:
        raise Wrong(
            "seeds that lie far apart give the same result: draw with the "
            "seed itself, not with its remainder (%)."
        )
    if runs == [run("first", seed) for seed in (3, 4, 5)]:
        raise Wrong('"first" and "last" give the same draws: use `keep`.')
    for trials, seed in [(1, 6), (10_007, 6), *((3, x) for x in range(6, 12))]:
        got = answer.call("simulate", "last", 9, 4, trials, seed)
        times = trials * float(got)
        if not abs(times - round(times)) < 0.01:
            raise Wrong(
                f"with trials = {trials} yours is no whole number of trials "
                "divided by it: draw as many questions as `trials` says."
            )
