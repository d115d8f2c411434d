"""Visible checks of chapter 3.1's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
)

STEP = Exercise(
    "3_1.a", "A step of Bahdanau's decoder", ("decoder_step",), "torch"
)
GRAMS = Exercise("3_1.b", "Clipped n-grams", ("clipped_matches",))
EQUAL = Exercise("3_1.c", "Two lengths made equal", ("equal_alpha",))
PADDED = Exercise(
    "3_1.d", "The context that read the padding", ("contexts",), "torch", True
)
ERROR = Exercise(
    "3_1.e",
    "An alignment error rate",
    ("alignment_error", "prediction"),
    predict=("yes", "no"),
)
EXERCISES = [STEP, GRAMS, EQUAL, PADDED, ERROR]

LN2, HALF = np.log(2.0), np.log(3.0) / 2  # tanh of HALF is 1/2


def shares(scores, real=None):
    """Scores as weights that sum to 1 over the first `real`."""
    exps = np.exp(np.asarray(scores, float))
    if real:
        exps[..., real:] = 0
    return exps / exps.sum(axis=-1, keepdims=True)


def one_step():
    """d, m, a, e, j = 2, 3, 4, 6, 5; three real words; scores ln 2, 0, -ln 2.

    R passes y_0 on to the first number of the state, a mixture of c to the
    second, and the state's middle number to the second and the third.
    """
    y, q = np.array([0.3, 0.0]), np.array([0.0, 1.0, 0.0])
    keys, W, R = np.zeros((5, 4)), np.zeros((3, 4)), np.zeros((11, 3))
    keys[:, 0] = [0, -HALF, -2 * HALF, 3, 3]
    W[1, 0], v = HALF, np.array([2 * LN2, 0, 0, 0])
    R[0, 0], R[2:8, 1], R[9] = 1, [0.7, 1.4, 2.1, 7, 7, 7], [0, 0.4, 0.5]
    return y, q, keys, np.eye(5, 6), W, v, R, 3


RIGHT = np.array([4, 2, 1, 0, 0]) / 7


@STEP.check("the weights of a worked example")
def step_weights(answer, rng):
    args = one_step()
    y, q, keys, h, W, v, R, real = args
    q_new, a = answer.call("decoder_step", *args, parts=2)
    if q_new.shape == (5,) and a.shape == (3,):
        raise Wrong.fixed("return the new state and the weights in this order.")
    s = np.array([LN2, 0, -LN2, *[2 * LN2 * np.tanh(HALF + 3)] * 2])
    plain = q @ W + keys
    late = np.tanh(np.concatenate([y, np.zeros(6), q]) @ R)
    later = np.tanh(np.concatenate([y, RIGHT, [0], q]) @ R)
    zeros = np.array([*s[:3], 0, 0])
    suspects = {
        "the padding takes part; only the first real words count.": shares(s),
        "a score of 0 does not strike a word out, because exp(0) is 1.": (
            shares(zeros)
        ),
        "the padding is struck out after the softmax; the rest no longer "
        "sums to 1.": shares(s) * [1, 1, 1, 0, 0],
        "the mask is inverted: only padding counts.": [0, 0, 0, 0.5, 0.5],
        "the last real word is left out.": shares(s, 2),
        "one word of padding takes part.": shares(s, 4),
        "the tanh is missing.": shares(plain @ v, 3),
        "the tanh belongs inside, before the product with v.": shares(
            np.tanh(plain @ v), 3
        ),
        "the query is left out; the keys alone decide.": shares(
            np.tanh(keys) @ v, 3
        ),
        "q W and the keys are multiplied; additive attention adds them.": (
            shares(np.tanh(q @ W * keys) @ v, 3)
        ),
        "that is a ReLU or no bend at all, not the tanh.": shares(
            np.maximum(plain, 0) @ v, 3
        ),
        "nothing is divided by sqrt here.": shares(s / 2, 3),
        "all real words get the same weight.": np.array([1, 1, 1, 0, 0]) / 3,
        "exponentials are no weights before they are divided by their sum.": (
            [2, 1, 0.5, 0, 0]
        ),
        "those are the scores, not the weights.": s,
        "the query is the new state; ask with the state before.": shares(
            np.tanh(late @ W + keys) @ v, 3
        ),
        "the query is the new state, context and all; ask with the state "
        "before.": shares(np.tanh(later @ W + keys) @ v, 3),
    }
    expect_close(a, RIGHT, "the weights", suspects)


@STEP.check("the state of a worked example")
def step_state(answer, rng):
    args = one_step()
    y, q, keys, h, W, v, R, real = args
    q_new, _ = answer.call("decoder_step", *args, parts=2)
    # c = (4, 2, 1, 0, 0, 0) / 7, so 0.7 (4 + 4 + 3) / 7 = 1.1; 0.4 from q.
    inside = np.array([0.3, 1.5, 0.5])
    c = np.array([*RIGHT, 0])

    def joined(*parts):
        return np.tanh(np.concatenate(parts) @ R)

    expect_close(
        q_new,
        np.tanh(inside),
        "the state",
        {
            "the tanh of the recurrence is missing.": inside,
            "that is a sigmoid, not the tanh.": 1 / (1 + np.exp(-inside)),
            "that is cut off at 1, not the tanh.": np.clip(inside, -1, 1),
            "the context is left out of the recurrence.": np.tanh(
                [0.3, 0.4, 0.5]
            ),
            "the state before is left out.": np.tanh([0.3, 1.1, 0]),
            "the word before is left out.": np.tanh([0, 1.5, 0.5]),
            "join y, c and q in this order, not c first.": joined(c, y, q),
            "join y, c and q in this order, not q second.": joined(y, q, c),
            "join y, c and q in this order, not q first.": joined(q, y, c),
            "join y, c and q in this order, not backwards.": joined(q, c, y),
            "that context is the plain mean of the states.": np.tanh(
                [0.3, 4.2 / 3 + 0.4, 0.5]
            ),
            "that context is the mean over the padding, too.": np.tanh(
                [0.3, 18.2 / 5 + 0.4, 0.5]
            ),
            "that context is the one state with the largest weight, not the "
            "weighted sum.": np.tanh([0.3, 1.1, 0.5]),
            "the context is divided by the number of words; the weights "
            "already sum to 1.": np.tanh([0.3, 1.1 / 3 + 0.4, 0.5]),
        },
    )
    args = y, q, keys, h, W, v, -R, real
    q_new, _ = answer.call("decoder_step", *args, parts=2)
    why = "a state may be negative: no ReLU and no absolute value."
    suspects = {why: np.tanh(inside), f"{why} ": np.zeros(3)}
    expect_close(q_new, -np.tanh(inside), "the state with -R", suspects)


@STEP.check("scores of thousands")
def step_survives(answer, rng):
    y, q, keys, h, W, v, R, real = one_step()
    _, a = answer.call(
        "decoder_step", y, q, keys, h, W, 4000 * v, R, real, parts=2
    )
    if not np.isfinite(a).all():
        raise Wrong.fixed(
            "scores of thousands overflow, or leave 0/0: strike padding out "
            "first, then use softmax or subtract the largest score."
        )
    expect_close(a, [1, 0, 0, 0, 0], "weights with v 4,000 times larger")
    _, a = answer.call(
        "decoder_step", y, q, -keys, h, W, 4000 * v, R, real, parts=2
    )
    why = "large scores are cut off; the largest must win."
    suspects = {why: shares([0] * 5, 3), f"{why} ": shares([0] * 5)}
    expect_close(a, [0, 0, 1, 0, 0], "keys turned round", suspects)
    _, a = answer.call(
        "decoder_step", y, q, keys, h, W, -4e4 * v, R, 1, parts=2
    )
    expect_close(
        a,
        [1, 0, 0, 0, 0],
        "one real word whose score is very low (padding must count as minus "
        "infinity)",
    )
    _, a = answer.call(
        "decoder_step", y, q, 0 * keys, h, W, -1e7 * v, R, 2, parts=2
    )
    why = "padding must count as minus infinity, not as some low number."
    suspects = {why: np.array([0, 0, 1, 1, 1]) / 3}
    expect_close(a, [0.5, 0.5, 0, 0, 0], "two equal scores", suspects)
    keys, v = keys.copy(), v.copy()
    keys[:, 1] = 100.0  # whose tanh is 1: one number more for each score
    for far in (5000.0, -5000.0):
        v[1] = far
        _, a = answer.call(
            "decoder_step", y, q, keys, h, W, v, R, real, parts=2
        )
        why = "large scores are cut off; their differences must count."
        suspects = {why: np.array([1, 1, 1, 0, 0]) / 3}
        what = f"all scores about {far:,.0f}"
        expect_close(a, RIGHT, what, suspects, tolerance=1e-3)
    step_far(answer)


def step_far(answer):
    """Scores of 2e6, 1e6 and -2e6; then 60 words, far weights and states."""
    y, q, keys, h, W, v, R, _ = one_step()
    cut = "large scores are cut off; the largest must win."
    suspects = {cut: np.array([1, 1, 0, 0, 0]) / 2}
    keys = np.zeros((5, 4))
    keys[:, 0] = [0, 0.5, -1, -1, -1]
    args = y, q, keys, h, W, 1e6 * v / LN2, R, 5
    _, a = answer.call("decoder_step", *args, parts=2)
    expect_close(a, [0, 1, 0, 0, 0], "scores of up to 1,600,000", suspects)
    many = np.zeros((60, 4))
    args = y, q, many, np.ones((60, 6)), W, v, 4 * R, 50
    q_new, a = answer.call("decoder_step", *args, parts=2)
    want = np.repeat([1 / 50, 0], [50, 10])
    expect_close(a, want, "60 words with equal scores, 50 of them real")
    # c is 1 everywhere: 4 (0.3, 25.2 + 0.4, 0.5) inside the tanh.
    want = np.tanh([1.2, 102.4, 2.0])
    expect_close(q_new, want, "the state of tanh(1.2), tanh(102), tanh(2)")


@STEP.check("all words real, one word real")
def step_lengths(answer, rng):
    args = list(random_step(rng).values())
    for real in (1, 9):
        _, a = answer.call("decoder_step", *args, real, parts=2)
        what = f"real = {real} of 9: the weights' sum, and those of padding"
        expect_close(np.append(a[real:], a.sum()), [0] * (9 - real) + [1], what)


def random_step(rng):
    shapes = dict(y=(2,), q=(3,), keys=(9, 4), h=(9, 6), W=(3, 4), v=(4,))
    shapes["R"] = (11, 3)
    return {name: rng.normal(size=s) / 2 for name, s in shapes.items()}


@STEP.check("gradients of the new state")
def step_gradients(answer, rng):
    args = random_step(rng) | {"real": 4}
    expect_gradients(answer, "decoder_step", args, rng, parts=2)


def grams(answer, said, wanted, n):
    """Both counts as one array."""
    counts = answer.call(
        "clipped_matches", np.array(said), np.array(wanted), n, parts=2
    )
    if any(np.shape(count) != () for count in counts):
        raise Wrong.fixed("return two numbers: the matches and the n-grams.")
    return np.array([float(count) for count in counts])


@GRAMS.check("single words, by hand")
def grams_words(answer, rng):
    # 1 stands three times and twice: 2; 5 and 3 match once each.
    got = grams(answer, [1, 1, 1, 5, 3], [1, 1, 5, 3, 4, 3, 8, 3], 1)
    expect_close(
        got,
        [4, 5],
        "translation 1 1 1 5 3, reference 1 1 5 3 4 3 8 3, n = 1",
        {
            "the matches are not clipped: a word counts at most as often as "
            "in the reference.": [5, 5],
            "each different word counts once; it may match more often.": [3, 5],
            "each different word counts once, in both numbers; it may occur "
            "more often.": [3, 3],
            "that compares words at equal places; a match may stand "
            "anywhere.": [2, 5],
            "that divides by the reference's n-grams: precision counts "
            "those of the translation.": [4, 8],
            "matches first, then the n-grams.": [5, 4],
            "the larger count is taken; the smaller of both counts.": [7, 5],
            "return both numbers, not their quotient.": [4 / 5, 5],
            "the reference's count is taken; the smaller of both counts.": (
                [2 + 1 + 3, 5]
            ),
        },
    )


@GRAMS.check("pairs and triples, by hand")
def grams_pairs(answer, rng):
    said, wanted = [1, 1, 1, 5, 3], [1, 1, 5, 3, 4, 3, 8, 3]
    expect_close(
        grams(answer, said, wanted, 2),
        [3, 4],
        "the same sentences, n = 2",
        {
            "the last n-gram is left out: there are h - n + 1.": [2, 3],
            "that is n = 1, or a short rest at the end was counted, which is "
            "no n-gram.": [4, 5],
            "the n-grams may overlap; step one word at a time.": [1, 2],
            "the n-grams may overlap; step one word at a time, and a short "
            "rest is no n-gram.": [1, 3],
            "the matches are not clipped.": [4, 4],
        },
    )
    got = grams(answer, said, wanted, 3)
    expect_close(got, [2, 3], "the same sentences, n = 3", {"n = 2.": [3, 4]})


@GRAMS.check("the order of words counts")
def grams_order(answer, rng):
    expect_close(
        grams(answer, [7, 8, 9], [8, 7, 9], 2),
        [0, 2],
        "translation 7 8 9, reference 8 7 9, n = 2",
        {
            "an n-gram is a run of words in order, not a set.": [1, 2],
            "the words of an n-gram stand next to one another.": [2, 2],
        },
    )
    for wanted, why in (
        ([7, 5, 9], "all words of an n-gram count, not its ends alone."),
        ([9, 8, 7], "an n-gram is a run of words in order, not a set."),
    ):
        got = grams(answer, [7, 8, 9], wanted, 3)
        what = f"translation 7 8 9, reference {wanted}, n = 3"
        expect_close(got, [0, 1], what, {why: [1, 1]})
    words = np.arange(300)
    for n in (1, 4, 5, 7, 40):
        got = grams(answer, words, words, n)
        suspects = {"n may be larger than 3.": [298, 298]}
        suspects["no word is a special one, 0 neither."] = [300 - n] * 2
        what = f"300 words, n = {n} (are n, or the sentences, cut off?)"
        expect_close(got, [301 - n] * 2, what, suspects)
        # Only the middle word differs, and with it n of the n-grams.
        other = np.where(words == 150, 999, words)
        got = grams(answer, words, other, n)
        what = f"300 words but one, n = {n} (all words of an n-gram count)"
        expect_close(got, [301 - 2 * n, 301 - n], what)
    got = grams(answer, [6] * 12, [6] * 9 + [7] * 200, 1)
    what = "twelve times 6 against nine (and 200 times 7), n = 1"
    expect_close(got, [9, 12], what, {"counts are cut off.": [5, 12]})
    for n in (2, 4, 6):
        got = grams(answer, [*range(n)], [*range(n)][::-1], n)
        why = "an n-gram is a run of words in order, not a set."
        expect_close(got, [0, 1], f"{n} words, backwards", {why: [1, 1]})


@GRAMS.check("words of two digits are not two words")
def grams_digits(answer, rng):
    got = grams(answer, [1, 12, 4], [11, 2, 5], 2)
    why = "the words run together: 1 12 is not 11 2; compare tuples."
    expect_close(got, [0, 2], "1 12 4 against 11 2 5", {why: [1, 2]})
    why = "two n-grams became the same number: words have no largest one; "
    why += "compare tuples."
    bases = 31, 37, 53, 100, 101, 127, 131, 137, 256, 257, 1000, 1009, 1024
    bases += 1_000_003, 10_000, 65_537, 2**16, 10**5, 10**6, 2**20, 2**32
    for base in bases:
        said, wanted = [1, base + 5], [2, 5]  # base + base + 5 = 2 base + 5
        for way in (1, -1):
            got = grams(answer, said[::way], wanted[::way], 2)
            what = f"{said[::way]} against {wanted[::way]}"
            expect_close(got, [0, 1], what, {why: [1, 1]})
    # Digits without or with filling, sums of squares, products.
    pairs = {(1, 23): (12, 3), (1, 2345): (1234, 5), (-1, 2): (2, -1)}
    pairs |= {(1001, 2): (1, 1002), (7, 4): (1, 8), (3, 8): (4, 6)}
    pairs |= {(123, 456_789): (123_456, 789), (0, 5): (5, 0)}
    pairs |= {(12, 345): (123, 45), (123, 12): (12, 312)}
    pairs |= {(12_345, 1234): (1234, 51_234)}
    pairs |= {(123_456, 12_345): (12_345, 612_345)}
    pairs |= {(1_234_567, 123_456): (123_456, 7_123_456)}
    for said, wanted in pairs.items():
        got = grams(answer, said, wanted, 2)
        expect_close(got, [0, 1], f"{said} against {wanted}", {why: [1, 1]})
    got = grams(answer, [-4, 0, -4, 2], [0, -4, -4, 2, 2], 1)
    what = "words -4 0 -4 2 (any whole numbers are words)"
    expect_close(got, [4, 4], what)
    why = "two words became one: keep all digits of a number."
    for one, two in (
        (1, 257),
        (1, 65_537),
        (2**24, 2**24 + 1),
        (1, 2**32 + 1),
        (5, 5 + 0x110000),
    ):
        got = grams(answer, [one], [two], 1)
        expect_close(got, [0, 1], f"{one} against {two}", {why: [1, 1]})


@GRAMS.check("matches anywhere, overlapping, of whole words")
def grams_anywhere(answer, rng):
    why = "the words run together: 1 is not part of 11; compare tuples."
    got = grams(answer, [1, 2], [5, 5, 5, 1, 2], 1)
    what = "1 2 against 5 5 5 1 2 (is the reference cut to the translation's "
    what += "length?)"
    expect_close(got, [2, 2], what)
    got = grams(answer, [1, 2], [11, 2], 1)
    expect_close(got, [1, 2], "1 2 against 11 2, n = 1", {why: [2, 2]})
    why = "n-grams may overlap, in the reference too."
    got = grams(answer, [1, 1, 1], [1, 1, 1], 2)
    expect_close(got, [2, 2], "1 1 1 against itself, n = 2", {why: [1, 2]})
    why = "a match may stand anywhere, not only in the same order."
    got = grams(answer, [5, 3, 1], [1, 3, 5], 1)
    expect_close(got, [3, 3], "5 3 1 against 1 3 5, n = 1", {why: [1, 3]})


@GRAMS.check("sentences shorter than n")
def grams_short(answer, rng):
    for said, wanted, n, want in (
        ([3, 4], [3, 4, 5, 6], 3, [0, 0]),
        ([3, 4], [3, 4, 5, 6], 4, [0, 0]),
        ([3, 4, 5, 6], [3, 4], 3, [0, 2]),
        ([3, 4], [3, 4], 2, [1, 1]),
        ([3, 4], [3, 4], 50, [0, 0]),
        ([], [3, 4], 1, [0, 0]),
        ([3, 4], [], 1, [0, 2]),
    ):
        what = f"{len(said)} words against {len(wanted)}, n = {n}"
        why = "a sentence shorter than n has no n-gram, not fewer than none."
        less = [0, len(said) - n + 1]
        expect_close(grams(answer, said, wanted, n), want, what, {why: less})


@EQUAL.check("worked by hand")
def equal_by_hand(answer, rng):
    # -3 / 4^a = -6 / 64^a: 1/2 = (1/16)^a, a = 1/4.
    expect_close(
        answer.call("equal_alpha", -3.0, 4, -6.0, 64),
        0.25,
        "sums -3 and -6, 4 and 64 words",
        {
            "that is upside down: the lengths' logarithm divides.": 4,
            "the sign is wrong: both quotients are below 1 here.": -0.25,
            "alpha is an exponent: take logarithms.": 8,
            "the logarithm of a quotient is a difference of logarithms; "
            "alpha is their quotient.": np.log(8),
            "that is the slope of the sums over the lengths; alpha is an "
            "exponent.": -1 / 20,
            "the lengths need a logarithm, too.": np.log(0.5) * 16,
            "divide the sums' natural logarithm, not that of base 2.": (
                -1 / np.log(1 / 16)
            ),
            "nothing is added to the lengths.": np.log(0.5) / np.log(5 / 65),
            "nothing is added to the lengths; that is another penalty.": (
                np.log(0.5) / np.log(9 / 69)
            ),
            "the sums need a logarithm, too.": 0.5 / np.log(1 / 16),
            "divide the sums before the logarithm, do not multiply them.": (
                np.log(18) / np.log(1 / 16)
            ),
            "divide the lengths before the logarithm, do not multiply "
            "them.": np.log(0.5) / np.log(256),
            "that compares means per word, which is alpha minus 1.": -0.75,
            "that compares the means per word; alpha itself is asked.": 0.75,
        },
    )


@EQUAL.check("a negative alpha")
def equal_negative(answer, rng):
    # -6 / 4^a = -3 / 64^a: the longer is the likelier.
    expect_close(
        answer.call("equal_alpha", -6.0, 4, -3.0, 64),
        -0.25,
        "sums -6 and -3, 4 and 64 words",
        {
            "alpha may be negative: here the longer one is likelier.": 0.25,
            "alpha may be below 0: here the longer one is likelier.": 0,
        },
    )


@EQUAL.check("equal means per word, equal sums")
def equal_cases(answer, rng):
    got = answer.call("equal_alpha", -3.0, 5, -6.0, 10)
    expect_close(got, 1, "equal means per word: dividing by the length")
    got = answer.call("equal_alpha", -3.0, 5, -3.0, 10)
    expect_close(got, 0, "equal sums: no correction")
    # (sums, words): the logarithms are multiples of ln 2.
    cases = {(-1.0, 2, -1024.0, 4): 10, (-1024.0, 2, -1.0, 4): -10}
    cases |= {(-4.0, 64, -0.5, 8): 1, (-(2.0**20), 1, -1.0, 2): -20}
    cases |= {(-3e-9, 200, -48e-9, 100): -4}
    cases |= {(-6.0, 900, -3.0, 300): LN2 / np.log(3)}
    what = "sums {0:g} and {2:g}, {1} and {3} words (is something cut off?)"
    for args, want in cases.items():
        got = answer.call("equal_alpha", *args)
        suspects = {"alpha may lie beyond 0 and 1.": np.clip(want, 0, 1)}
        expect_close(got, want, what.format(*args), suspects)
    # Both quotients are nearly 1.
    got = answer.call("equal_alpha", -100.0, 10_000, -100.01, 10_001)
    what = "sums -100 and -100.01, 10,000 and 10,001 words (is a quotient "
    what += "rounded, or a small number added to it?)"
    expect_close(got, 1, what, tolerance=2e-3)


@EQUAL.check("both score the same")
def equal_scores(answer, rng):
    for sums, words in (((-1.5, -7.0), (3, 8)), ((-9.0, -2.0), (20, 6))):
        alpha = answer.call("equal_alpha", sums[0], words[0], sums[1], words[1])
        if np.shape(alpha) != () or not np.isfinite(alpha):
            raise Wrong.fixed(
                "one finite number is asked for; divide the sums first: a "
                "negative number has no logarithm."
            )
        scores = [s / m**alpha for s, m in zip(sums, words)]
        expect_close(scores[0] / scores[1], 1, "the scores' quotient")


def two_sentences():
    """(b, i, j, e) = (2, 3, 4, 5): three words, and two whose weights are
    (3/4, 1/4), (1/2, 1/2), (1/4, 3/4)."""
    scores = np.zeros((2, 3, 4))
    scores[0, :, 3] = LN2
    scores[1, 0, 0] = scores[1, 2, 1] = 2 * HALF
    scores[1, :, 2:] = LN2
    want = np.zeros((2, 3, 4))
    want[0, :, :3] = 1 / 3
    want[1, :, :2] = np.array([[3, 1], [2, 2], [1, 3]]) / 4
    return scores, np.stack([np.eye(4, 5)] * 2), np.array([3, 2]), want


@PADDED.check("two sentences by hand")
def padded_by_hand(answer, rng):
    scores, states, lengths, want = two_sentences()
    keep = np.arange(4) < lengths[:, None, None]

    def wide(a):
        return a @ states

    def softmax(s, axis=-1):
        exps = np.exp(s)
        return exps / exps.sum(axis=axis, keepdims=True)

    more = np.arange(4) <= lengths[:, None, None]
    first = np.where(keep & keep[1:], np.exp(scores), 0)
    inverted = np.where(keep, 0, np.exp(scores))
    suspects = {
        "padding still gets weight: exp(0) is 1.": softmax(scores * keep),
        "padding still gets weight: nothing is struck out.": softmax(scores),
        "the padding is struck out after the softmax, so that the weights "
        "no longer sum to 1.": softmax(scores) * keep,
        "the mask is inverted.": inverted / inverted.sum(-1, keepdims=True),
        "one word of padding is still read.": softmax(
            np.where(more, scores, -np.inf)
        ),
        "the softmax runs over the words, not over the queries.": (
            np.nan_to_num(softmax(np.where(keep, scores, -300), 1)) * keep
        ),
        "every sentence is cut to the shortest.": first
        / first.sum(-1, keepdims=True),
        "the scores are lost: that is a plain mean.": np.broadcast_to(
            keep / keep.sum(-1, keepdims=True), scores.shape
        ),
        "the exponentials are not divided by their sum.": np.exp(scores) * keep,
    }
    expect_close(
        answer.call("contexts", scores, states, lengths),
        wide(want),
        "contexts",
        {why: wide(a) for why, a in suspects.items()},
    )


@PADDED.check("nothing at padding matters")
def padded_alone(answer, rng):
    scores, states, lengths, want = two_sentences()
    scores[0, :, 3], scores[1, :, 2:] = 50.0, 900.0
    states[0, 3], states[1, 2:] = 1e3, -1e3
    clean = want @ np.stack([np.eye(4, 5)] * 2)
    got = answer.call("contexts", scores, states, lengths)
    expect_close(got, clean, "large scores and states at padding")
    got = answer.call("contexts", scores, -states, lengths)
    why = "a context may be negative."
    expect_close(
        got, -clean, "negative states", {why: clean, f"{why} ": 0 * got}
    )
    low = answer.call("contexts", scores - 1200, states, lengths)
    why = "all scores 1,200 lower; padding needs a score below any other"
    expect_close(low, clean, why, tolerance=1e-4)
    equal = np.where(np.arange(4) < lengths[:, None, None], -1e7, 0)
    equal = equal + np.zeros((2, 3, 4))
    low = answer.call("contexts", equal, states, lengths)
    means = [states[b, :n].mean(axis=0) for b, n in enumerate(lengths)]
    why = "padding needs a score of minus infinity, not some low number."
    suspects = {
        why: np.stack(
            [states[b, n:].mean(axis=0) for b, n in (enumerate(lengths))]
        )[:, None]
        + np.zeros((1, 3, 1))
    }
    want = np.stack(means)[:, None] + np.zeros((1, 3, 1))
    expect_close(low, want, "equal scores of -1e7, padding 0", suspects)


def padded_far(answer):
    """One word, forty words, scores far apart, small weights, big states."""
    scores = np.zeros((3, 1, 40)) + [[[5.0]], [[0.0]], [[0.0]]]
    states = np.zeros((3, 40, 2))
    states[:, :, 0], states[0, :, 1] = np.arange(1, 41), 1
    scores[2, 0, :3], states[2, 1, 1] = [1e6, 1e6 - 64, -1e6], np.exp(64.0)
    got = answer.call("contexts", scores, states, np.array([1, 40, 3]))
    what = "a sentence of one word, one of forty, one with scores of a million "
    what += "(are scores, weights or lengths cut off?)"
    want = np.array([[[1, 1.0]], [[20.5, 0]], [[1, 1]]])
    expect_close(got, want, what, tolerance=1e-5)


@PADDED.check("a sentence alone")
def padded_whole(answer, rng):
    padded_far(answer)
    scores, states = rng.normal(size=(1, 3, 4)), rng.normal(size=(1, 4, 5))
    alone = answer.call("contexts", scores, states, np.array([4]))
    wider = np.concatenate([scores, np.ones((1, 3, 2))], axis=2)
    taller = np.concatenate([states, np.ones((1, 2, 5))], axis=1)
    got = answer.call("contexts", wider, taller, np.array([4]))
    expect_close(got, alone, "two words of padding added")


@PADDED.check("gradients of the scores and the states")
def padded_gradients(answer, rng):
    args = {"scores": rng.normal(size=(2, 3, 4))}
    args |= {"states": rng.normal(size=(2, 4, 5)), "lengths": np.array([3, 2])}
    expect_gradients(answer, "contexts", args, rng)


def six_words():
    """Six links drawn, seven wanted, three right."""
    weights, gold = np.full((6, 8), 0.02), np.zeros((6, 8), bool)
    for row, column in enumerate([1, 0, 4, 5, 0, 7]):
        weights[row, column] = 0.86 if row else 0.3
    gold[0, 1] = gold[2, 2] = gold[5, 7] = True
    gold[3, [3, 4, 5, 6]] = True
    weights[3, 3] = 0.03  # the largest of its column
    return weights, gold


@ERROR.check("a worked example")
def error_by_hand(answer, rng):
    weights, gold = six_words()
    by_column = gold[weights.argmax(axis=0), np.arange(8)].sum()
    mass = (weights * gold).sum()
    first = weights.argmax(axis=1) == gold.argmax(axis=1)
    expect_close(
        answer.call("alignment_error", weights, gold),
        7 / 13,
        "six links drawn, seven wanted, three right",
        {
            "that is the share of links that are wrong: 1 - precision.": 1 / 2,
            "that is the share of wanted links missed: 1 - recall.": 4 / 7,
            "that divides by the union of A and G; add their sizes.": 0.7,
            "that is 1 - AER: how good, not how wrong.": 6 / 13,
            "the factor 2 is missing.": 10 / 13,
            "each row draws one link, not one for each column.": 1 - 6 / 55,
            "rows without a true link draw one as well: |A| is the number "
            "of rows.": 5 / 11,
            "a link needs the largest weight of its row, not more than one "
            "half.": 1 - 4 / 12,
            "each word of the translation, a row, draws one link; you took "
            "each column's largest.": 1 - 2 * by_column / 15,
            "each word of the translation, a row, draws one link; the "
            "columns have none.": 1 - 2 * by_column / 13,
            "that is with the weights themselves; a link is there or not.": (
                1 - 2 * mass / (weights.sum() + 7)
            ),
            "that is with the weights themselves; count links.": (
                1 - 2 * mass / 13
            ),
            "a row may hold no true link: look gold up at the link, do not "
            "compare with gold's argmax.": 1 - 2 * first.sum() / 13,
            "a row may hold several true links: look gold up at the link, "
            "do not compare with gold's argmax.": (
                1 - 2 * (first & gold.any(axis=1)).sum() / 13
            ),
            "every row's first true link counts at most: |G| is all of them.": 1
            - 6 / 10,
        },
    )


@ERROR.check("seventy - two: zwei und siebzig")
def error_of_und(answer, rng):
    weights = np.array([[0.1, 0.2, 0.7], [0.2, 0.5, 0.3], [0.8, 0.1, 0.1]])
    gold = np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], bool)
    got = answer.call("alignment_error", weights, gold)
    why = "und draws a link, too, and it is wrong."
    expect_close(got, 0.2, "both number words found", {why: 0})


@ERROR.check("two large weights in one row")
def error_of_two(answer, rng):
    weights = np.array([[0.45, 0.4, 0.15], [0.1, 0.2, 0.7]])
    gold = np.array([[1, 0, 0], [0, 0, 1]], bool)
    got = answer.call("alignment_error", weights, gold)
    why = "a row draws one link, to its largest weight."
    expect_close(got, 0, "both words right", {why: 0.2})


@ERROR.check("all right, all wrong")
def error_ends(answer, rng):
    gold = np.eye(4, 6, dtype=bool)
    got = answer.call("alignment_error", gold + 0.0, gold)
    expect_close(got, 0, "every link right")
    got = answer.call("alignment_error", np.roll(gold, 2, 1) + 0.0, gold)
    expect_close(got, 1, "every link wrong")
    none = np.zeros((4, 6), bool)
    got = answer.call("alignment_error", gold + 0.0, none)
    expect_close(got, 1, "no true link at all: every link drawn is wrong")
    # 300 rows that all link to column 0, 200 of them rightly; 800 wanted.
    weights, wanted = np.zeros((300, 5)), np.ones((300, 5), bool)
    weights[:, 0], wanted[:, 3:], wanted[:100, 0] = 1e-5, False, False
    got = answer.call("alignment_error", weights, wanted)
    what = "300 rows whose largest weight, 0.00001, is the first; 800 true "
    what += "links (do all count, several in a row and in a column?)"
    expect_close(got, 7 / 11, what)
    close = 0.5 + np.arange(8.0).reshape(2, 4) * 1e-6
    gold = np.array([[0, 0, 0, 1], [0, 0, 0, 1]], bool)
    got = answer.call("alignment_error", close, gold)
    what = "weights that differ by 0.000001 (are they rounded?)"
    expect_close(got, 0, what)
