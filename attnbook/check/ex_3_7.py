"""Visible checks of chapter 3.7's exercises: worked values and properties.

Each expected number was worked by hand or follows from a property; no
reference answer is here.
"""

from itertools import product

import numpy as np

from attnbook.check.engine import (
    Exercise,
    Wrong,
    expect_close,
    expect_gradients,
    expect_shape,
)

PATHS = Exercise(
    "3_7.a", "The sum over all paths", ("text_probability",), "torch"
)
WHERE = Exercise("3_7.b", "Where a weight is, in ms", ("outside_ms",))
NOISES = Exercise("3_7.c", "Two noises at once", ("total_snr",))
TWICE = Exercise(
    "3_7.d", "The digit that was said twice", ("digits_of",), "numpy", True
)
LOUDER = Exercise(
    "3_7.e",
    "Twice as loud",
    ("mean_change", "prediction"),
    predict=("log 2", "log 4", "less"),
)
EXERCISES = [PATHS, WHERE, NOISES, TWICE, LOUDER]


def three_states():
    """Probabilities of symbols 0, 1 and blank at three states."""
    return np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.2, 0.5, 0.3]])


def over_paths(p):
    """Summed probability of the paths 001, 011, 01-, 0-1 and -01."""
    paths = (0, 0, 1), (0, 1, 1), (0, 1, 2), (0, 2, 1), (2, 0, 1)
    return sum(p[range(3), path].prod() for path in paths)


@PATHS.check("two different symbols, three states")
def different(answer, rng):
    # 0 0 1: .025, 0 1 1: .15, 0 1 -: .09, 0 - 1: .075, - 0 1: .01
    expect_close(
        answer.call("text_probability", three_states(), np.array([0, 1])),
        0.35,
        "text 0 1",
        {
            "that is the likeliest path alone; sum over all.": 0.15,
            "a path may end without a blank: add the last symbol's own.": 0.09,
            "a path may end with a blank: add it.": 0.26,
            "a path may begin with a blank.": 0.34,
            "from a symbol the next may follow at once, without a blank, if "
            "it is another one.": 0.075,
            "a symbol may last several states.": 0.175,
            "a blank may stand between two different symbols.": 0.275,
            "that is minus the logarithm; the probability is asked for.": (
                -np.log(0.35)
            ),
            "that is the logarithm; the probability is asked for.": (
                np.log(0.35)
            ),
            "the blank is the last column, not the first.": 0.285,
            "a path must go through all of z: it ends at the last symbol or "
            "the last blank.": 0.46,
            "that takes the likelier of two ways into an entry; add them.": (
                0.265
            ),
            "states and symbols come in the order that they stand in.": 0.093,
            "p holds probabilities already: no softmax.": over_paths(
                np.exp(three_states())
                / np.exp(three_states()).sum(axis=1, keepdims=True)
            ),
            "that is the probability of the text 1 0: the blank is the last "
            "column, symbols count from 0.": 0.2 * 0.5,
        },
    )


@PATHS.check("the same symbol twice")
def repeated(answer, rng):
    # 0 - 0 is the only path of three states: .5 * .3 * .2
    expect_close(
        answer.call("text_probability", three_states(), np.array([0, 0])),
        0.03,
        "text 0 0",
        {
            "between equal symbols a blank must stand: 0 0 collapses to one "
            "0.": 0.069,
            "a repeated symbol counts once too often or not at all.": 0.0,
            "0 0 is a text of two symbols, not of one.": 0.092,
        },
    )


def own_again(n, own, blank):
    """What comes out where the last blank goes on to the first one."""
    alpha = np.array([blank, own, 0])
    for _ in range(n - 1):
        moved = alpha + np.roll(alpha, 1)
        alpha = moved * [blank, own, blank]
    return alpha[1] + alpha[2]


@PATHS.check("one symbol, and more symbols than states")
def short(answer, rng):
    p = three_states()[:2]
    found = [
        answer.call("text_probability", p, np.array(text))
        for text in ([0], [1], [0, 1, 0])
    ]
    # 0 0, 0 -, - 0: .05 + .15 + .02; 1 1, 1 -, - 1: .18 + .09 + .12
    for got, want, text in zip(found, (0.22, 0.39, 0), ("0", "1", "0 1 0")):
        expect_close(got, want, f"text {text}, two states")
    # Five symbols in five states: one path.
    text, p = np.array([0, 1, 0, 2, 1]), np.full((5, 4), 0.1)
    p[np.arange(5), text] = [0.7, 0.6, 0.5, 0.4, 0.3]
    got = answer.call("text_probability", p, text)
    few = {"only some of the symbols are read.": 0.0}
    few["p is used as it is: no row is divided by its sum."] = (
        p[range(5), text] / p.sum(axis=1)
    ).prod()
    expect_close(got, 0.0252, "text 0 1 0 2 1, five states", few)
    # One symbol, m states of its own in nine, the others blank before or after.
    m = np.arange(1, 10)
    p = np.tile([0.5, 0.25, 0.25], (9, 1))
    got = answer.call("text_probability", p, np.array([0]))
    want = ((10 - m) * 0.5**m * 0.25 ** (9 - m)).sum()
    again = "0 - 0 is the text 0 0, not 0: a path never goes back in z."
    suspects = {again: own_again(9, 0.5, 0.25)}
    expect_close(got, want, "text 0, nine states", suspects)
    # One path again: 120 symbols in as many states.
    text = np.arange(120) % 2
    got = answer.call("text_probability", np.eye(3)[text], text)
    expect_close(got, 1.0, "120 symbols, 120 states: all of them count")
    p = np.array([[1e-35, 1 - 1e-35, 0]])
    got = answer.call("text_probability", p, np.array([0]))
    expect_shape(got, (), "the probability, one number")
    if not np.isclose(got, 1e-35, rtol=1e-4, atol=0):
        raise Wrong.fixed(
            "text 0, one state, probability 1e-35: nothing is cut off, and "
            "nothing added to a probability."
        )


@PATHS.check("four columns")
def four_columns(answer, rng):
    # 2 2: .09, 2 -: .06, - 2: .12
    p = np.array([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.3, 0.2]])
    expect_close(
        answer.call("text_probability", p, np.array([2])),
        0.27,
        "text 2, two states, k = 4",
        {"the blank is the last column, whatever k is.": 0.09},
    )
    p = np.full((2, 13), 0.0)
    p[:, 11], p[:, 12] = 0.3, [0.4, 0.2]
    got = answer.call("text_probability", p, np.array([11]))
    suspects = {"the blank is the last column, whatever k is.": 0.09}
    expect_close(got, 0.27, "text 11, two states, k = 13", suspects)


@PATHS.check("all texts together have probability 1")
def all_texts(answer, rng):
    p = rng.dirichlet(np.ones(3), size=3)
    total = p[:, 2].prod()  # the empty text
    for n in (1, 2, 3):
        for text in product((0, 1), repeat=n):
            total += answer.call("text_probability", p, np.array(text))
    expect_close(total, 1.0, "the sum over all texts, three states")


@PATHS.check("gradients of the probabilities")
def paths_gradient(answer, rng):
    p = rng.dirichlet(np.ones(4), size=6)
    args = {"p": p, "text": np.array([2, 2, 0])}
    got = answer.call("text_probability", *args.values())
    expect_shape(got, (), "the probability, one number")
    grad = answer.vjp("text_probability", tuple(args.values()), np.ones(()))[0]
    expect_shape(grad, (6, 4), "the gradient of p")
    # Every path has one factor of each row: p(y) grows with it in proportion.
    if np.abs((p * grad).sum(axis=1)).max() <= 1e-3 * got:
        raise Wrong.fixed(
            "a row of p that is a little larger altogether must give a larger "
            "p(y), and your gradient says that nothing changes: is it that of "
            "ctc_loss? It is right only behind a log_softmax."
        )
    expect_gradients(answer, "text_probability", args, rng)


def by_hand():
    """Four digits, three states at 15, 55 and 95 ms, centres 45, 75, 55, 25;
    words 60-90, 30-50, 50-70 and 5-20 ms at ten samples a millisecond."""
    weights = np.array([[1, 3, 0], [0, 2, 2], [0, 4, 0], [3, 1, 0]]) / 4
    start = np.array([600, 300, 500, 50])
    end = np.array([900, 500, 700, 200])
    return weights, start, end


def suspects(weights, start, end):
    """What common slips make of the example, by centres and by units."""

    def outside(t, a=None, b=None, c=None):
        c = weights @ t if c is None else c
        a, b = (start / 10 if a is None else a), (end / 10 if b is None else b)
        return np.maximum(0, np.maximum(a - c, c - b))

    j = np.arange(3.0)
    right = 40 * j + 15
    c, a, b = weights @ right, start / 10, end / 10
    return {
        "a state's time is the middle of its frame: add half of `frame`.": (
            outside(40 * j)
        ),
        "half a frame is frame / 2 samples, not a whole frame.": (
            outside(40 * j + 30)
        ),
        "states are `stride` frames apart, not one.": outside(10 * j + 15),
        "add half a frame once, not half of each stride.": (
            outside(40 * j + 20)
        ),
        "states count from 0.": outside(40 * j + 55),
        "frames begin every `hop` samples.": outside(0.4 * j + 15),
        "`end` is the end itself, not a sample after it.": outside(
            right, b=b - 0.1
        ),
        "a state's time is the middle of one frame, not of `stride` "
        "frames.": outside(40 * j + 60),
        "that is the peak; the centre of mass is asked for.": (
            outside(right, c=right[weights.argmax(axis=1)])
        ),
        "that has a sign; an error does not.": np.where(
            c < a, c - a, np.where(c > b, c - b, 0)
        ),
        "a centre after the word is outside too.": np.maximum(0, a - c),
        "a centre before the word is outside too.": np.maximum(0, c - b),
        "that is the distance from the word's middle; inside the word the "
        "error is 0.": np.abs(c - (a + b) / 2),
        "that is in samples, not milliseconds.": 10 * outside(right),
        "that is in seconds, not milliseconds.": outside(right) / 1000,
        "use `rate`; it is not always 8,000.": outside(
            right * 10 / 8, start / 8, end / 8
        ),
        "start and end are samples: bring them to milliseconds too.": (
            outside(right, start, end)
        ),
        "the distance to the nearer end counts only outside the word.": (
            np.minimum(np.abs(c - a), np.abs(c - b))
        ),
    }


@WHERE.check("worked by hand")
def where_by_hand(answer, rng):
    weights, start, end = by_hand()
    args = weights, start, end, 4, 100, 300, 10_000
    expect_close(
        answer.call("outside_ms", *args),
        [15, 25, 0, 5],
        "stride 4, hop 100, frame 300, 10,000 samples a second",
        suspects(weights, start, end),
    )
    again = (x[::-1].copy() for x in (weights, start, end))
    got = answer.call("outside_ms", *again, 4, 100, 300, 10_000)
    expect_close(got, [5, 0, 25, 15], "the digits in reverse order")


@WHERE.check("the chapter's own numbers")
def where_chapter(answer, rng):
    weights = np.eye(5)[[2, 4]]  # states 2 and 4: 172.5 and 332.5 ms
    args = weights, np.array([1600, 800]), np.array([2400, 1600])
    expect_close(
        answer.call("outside_ms", *args, 8, 80, 200, 8000),
        [27.5, 132.5],
        "words 200-300 and 100-200 ms",
    )
    late = np.arange(9) * (8 * 80 + 80) + 100  # 10 ms more for each
    order = np.roll(np.arange(9), 1)
    late = late[order] - 80 * order + 80 * np.arange(9)
    args = np.eye(9)[order], late, late + 800
    got = answer.call("outside_ms", *args, 8, 80, 200, 8000)
    expect_close(got, 10 * np.arange(9.0), "nine digits, nine states")
    # states 10 ms apart, the first at 10 ms: 1510 and 3010 ms
    weights = np.stack([np.full(301, 1 / 301), np.eye(301)[300]])
    args = weights, np.zeros(2), np.full(2, 4800)
    got = answer.call("outside_ms", *args, 1, 480, 960, 48_000)
    what = "301 states, 48,000 samples a second: nothing is cut off"
    expect_close(got, [1410, 2910], what)


@WHERE.check("an odd frame, an odd rate")
def where_odd(answer, rng):
    # state 1 at sample 100 + 100.5, the word from sample 300: 99.5 samples
    args = np.eye(3)[[1]], np.array([300]), np.array([400])
    expect_close(
        answer.call("outside_ms", *args, 2, 50, 201, 11_025),
        [99.5 / 11.025],
        "stride 2, hop 50, frame 201, 11,025 samples a second",
        {
            "half of 201 samples is 100.5: divide with /, not //.": (
                np.array([100 / 11.025])
            ),
            "a millisecond has rate / 1000 samples: divide with /, not "
            "//.": np.array([99.5 / 11]),
        },
    )


@WHERE.check("longer words, smaller errors")
def where_inside(answer, rng):
    weights = rng.dirichlet(np.ones(7), size=5)
    args = weights, np.zeros(5), np.full(5, 10_000)
    got = answer.call("outside_ms", *args, 8, 80, 200, 8000)
    expect_close(got, np.zeros(5), "words as long as the sound")


@NOISES.check("worked by hand")
def noises_by_hand(answer, rng):
    # at 10 dB each noise has a tenth of the speech's power, both a fifth
    expect_close(
        answer.call("total_snr", 10.0, 10.0),
        10 * np.log10(5),
        "10 dB and 10 dB",
        {
            "two noises are louder than one.": 10,
            "an SNR of 10 dB is a power ratio of 10: divide by 10, not by "
            "20.": -10 * np.log10(2 * 10**-0.5),
            "a larger SNR is a weaker noise: 10 to the power of minus it.": -10
            * np.log10(20),
            "decibels are powers of 10, not of e.": -10 * np.log10(2 / np.e),
            "powers add, not decibels.": 20,
            "powers add, not amplitudes: independent noises do not pull the "
            "same way.": 10 - 20 * np.log10(2),
            "twice the noise lowers the SNR.": 10 + 10 * np.log10(2),
            "a power ratio is 10 log10, not 20 log10.": 20 * np.log10(5),
            "that is the ratio (or joins decibels as if they were powers); "
            "add noise powers, then give decibels.": 5,
            "the sign is turned round.": -10 * np.log10(5),
            "use the logarithm to base 10.": 10 * np.log(5),
        },
    )


@NOISES.check("a strong and a weak noise")
def noises_uneven(answer, rng):
    # 0.01 and 0.1 of the speech's power
    expect_close(
        answer.call("total_snr", 20.0, 10.0),
        -10 * np.log10(0.11),
        "20 dB and 10 dB",
        {
            "that is the stronger noise alone.": 10,
            "that is the mean of the decibels.": 15,
            "that is the mean of the decibels, less 3.": 15 - 10 * np.log10(2),
            "twice the power takes 3 dB only where both are equal.": 10
            - 10 * np.log10(2),
            "the larger SNR is the weaker noise.": 20 - 10 * np.log10(2),
            "the ratios are averaged; noise powers add.": 10
            * np.log10(110 / 4),
            "an SNR of 10 dB is a power ratio of 10: divide by 10, not by "
            "20.": -20 * np.log10(0.1 + 10**-0.5),
        },
    )


@NOISES.check("a noise that nobody hears")
def noises_silent(answer, rng):
    got = [answer.call("total_snr", 3.0, 300.0)]
    got += [answer.call("total_snr", 300.0, -3.0)]
    expect_close(np.array(got), [3, -3], "3 and 300 dB, 300 and -3 dB")
    for level in (250.0, -40.0, 12.5, -90.5):
        got = answer.call("total_snr", level, level)
        what = f"twice {level:g} dB: nothing is cut off, and nothing added"
        expect_close(got, level - 10 * np.log10(2), what)
    why = "the weaker noise counts, too."
    got = [answer.call("total_snr", 40.0, x) for x in (60.0, 80.0)]
    want = -10 * np.log10([1.01e-4, 1.0001e-4])
    suspects = {why: [40.0, 40.0], f"{why} ": [want[0], 40.0]}
    expect_close(np.array(got), want, "40 dB and 60 or 80 dB", suspects)


BLANK = 10


def decode(answer, path, last=BLANK):
    digits, carried = answer.call("digits_of", np.array(path), last, parts=2)
    if digits.ndim != 1 or carried.ndim != 0:
        raise Wrong.fixed("return a row of digits and one symbol.")
    return digits, carried


@TWICE.check("a digit said twice")
def said_twice(answer, rng):
    digits, _ = decode(answer, [5, 5, BLANK, 5, 3, 3, BLANK, BLANK, 3])
    expect_close(
        digits,
        [5, 5, 3, 3],
        "path 5 5 - 5 3 3 - - 3",
        {
            "a blank between equal symbols separates them: merge first, then "
            "drop blanks.": [5, 3],
            "repeats without a blank between them are one digit.": (
                [5, 5, 5, 3, 3, 3]
            ),
            "drop the blanks.": [5, 5, 10, 5, 3, 3, 10, 10, 3],
            "drop the blanks, after merging.": [5, 10, 5, 3, 10, 3],
            "a digit may come back later.": [3, 5],
        },
    )


@TWICE.check("zero is a digit")
def zero(answer, rng):
    digits, _ = decode(answer, [0, BLANK, 0, 0, 7, BLANK, BLANK])
    expect_close(
        digits,
        [0, 0, 7],
        "path 0 - 0 0 7 - -",
        {"0 is a digit; the blank is 10.": [7]},
    )
    digits, _ = decode(answer, [9, BLANK, 8, 9])
    suspects = {"9 is a digit; only 10 is the blank.": [8]}
    suspects["8 and 9 are digits; only 10 is the blank."] = []
    expect_close(digits, [9, 8, 9], "path 9 - 8 9", suspects)


@TWICE.check("a sound in two parts")
def in_parts(answer, rng):
    _, carried = decode(answer, [4, 4])
    expect_close(
        carried,
        4,
        "the symbol to carry on after 4 4",
        {"carry the last symbol of the path on.": BLANK},
    )
    _, carried = decode(answer, [4, 4, BLANK])
    expect_close(
        carried,
        BLANK,
        "the symbol to carry on after 4 4 -",
        {"a blank is the last symbol too: carry it on.": 4},
    )
    for last, want in ((4, [6]), (BLANK, [4, 6]), (6, [4, 6])):
        digits, _ = decode(answer, [4, 4, 6], last)
        expect_close(
            digits,
            want,
            f"path 4 4 6 after the symbol {last}",
            {
                "the symbol before this part counts: a digit that goes on "
                "is not a new one.": [4, 6],
                "the first symbol is lost.": [6],
            },
        )
    digits, carried = decode(answer, [6], 4)
    expect_close(digits, [6], "path 6 after the symbol 4")
    expect_close(carried, 6, "the symbol to carry on after 6")
    for path, last in (([4, 4], 4), ([4], 4), ([BLANK, BLANK], 4), ([0], 0)):
        digits, carried = decode(answer, path, last)
        if digits.size:
            raise Wrong.fixed("a digit that goes on is not a new one.")
        what = f"the symbol to carry on after {path}, which brings no new digit"
        why = "carry the last symbol on, also where it brought no new digit."
        suspects = {why: 4 if path[-1] == BLANK else BLANK}
        expect_close(carried, path[-1], what, suspects)
    long = np.arange(300) % 7
    digits, _ = decode(answer, long)
    expect_close(digits, long, "300 digits, each another one")


@TWICE.check("nothing but blanks")
def only_blanks(answer, rng):
    digits, carried = decode(answer, [BLANK] * 3, 4)
    if digits.size:
        raise Wrong.fixed("path - - -: no digit was said.")
    expect_close(carried, BLANK, "the symbol to carry on after - - -")


@LOUDER.check("a worked example")
def louder_by_hand(answer, rng):
    # gain 2, floor 1: (0, 1, 3) becomes (0, 4, 12); 1/1, 5/2, 13/4
    P = np.array([[0.0, 1.0, 3.0], [3.0, 0.0, 1.0]])
    change = np.log([1, 2.5, 3.25]).mean()
    expect_close(
        answer.call("mean_change", P, 2.0, 1.0),
        change,
        "P = 0, 1, 3, gain 2, floor 1",
        {
            "twice the amplitude is four times the power.": np.log(
                [1, 1.5, 7 / 4]
            ).mean(),
            "with a floor not every band gains log 4.": np.log(4),
            "the floor is not made louder.": np.log(4.0),
            "the floor stands inside the logarithm.": np.log(4) * 2 / 3,
            "louder minus before, not before minus louder.": -change,
            "that is the sum; the mean is asked for.": 6 * change,
            "use the natural logarithm.": change / np.log(10),
            "use the natural logarithm, not that of base 2.": change
            / np.log(2),
            "that is the median; the mean is asked for.": np.log(2.5),
            "gain is squared once.": np.log([1, 17 / 2, 49 / 4]).mean(),
            "the floor is the same before and after.": np.log(
                [1 / 4, 1, 13 / 7]
            ).mean(),
            **{
                "use the argument floor." + " " * k: np.log(
                    [1, (4 + x) / (1 + x), (12 + x) / (3 + x)]
                ).mean()
                for k, x in enumerate((1e-2, 1e-5, 1e-6, 1e-9, 1e-10))
            },
            "that is the change of the logarithm of the mean.": np.log(19 / 7),
            "the mean runs over all frames and bands.": 3 * change,
            "that is the louder picture's mean, not its change.": np.log(
                [1, 5, 13]
            ).mean(),
        },
    )
    got = answer.call("mean_change", 0 * P, 2.0, 1.0)
    expect_close(got, 0.0, "P = 0 everywhere, gain 2, floor 1")


@LOUDER.check("far above the floor, and below")
def louder_limits(answer, rng):
    P = rng.uniform(1, 2, size=(4, 5))
    got = [answer.call("mean_change", P, 3.0, 1e-9)]
    got += [answer.call("mean_change", 1e-12 * P, 3.0, 1.0)]
    expect_close(np.array(got), [2 * np.log(3), 0], "gain 3, loud and silent")
    for tiny in (1e-10, 1e-20):
        got = answer.call("mean_change", np.full((3, 4), tiny), 2.0, tiny)
        expect_shape(got, (), "the change, one number")
        if not np.isclose(got, np.log(2.5), rtol=1e-5):
            raise Wrong.fixed(
                f"P and floor of {tiny}, gain 2, must give ln(5/2): nothing "
                "but the floor is added inside the logarithm, and nothing is "
                "cut off."
            )
    for gain in (1000.0, -3.0):
        got = answer.call("mean_change", P, gain, 1e-9)
        what = f"gain {gain:g}, far above the floor: gain is used as it is"
        expect_close(got, 2 * np.log(abs(gain)), what)


@LOUDER.check("softer")
def softer(answer, rng):
    P = np.full((2, 3), 7.0)
    expect_close(
        answer.call("mean_change", P, 0.5, 1.0), np.log(2.75 / 8), "gain 0.5"
    )
    got = answer.call("mean_change", P, 0.01, 1e-9)
    expect_close(got, 2 * np.log(0.01), "gain 0.01, far above the floor")
    P = np.zeros((7, 9))
    P[6, 8] = 3.0
    got = answer.call("mean_change", P, 2.0, 1.0)
    why = "all frames and bands count."
    want = np.log(13 / 4) / 63
    expect_close(got, want, "seven frames, nine bands, one loud", {why: 0.0})
