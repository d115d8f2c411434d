"""Hidden checks and known wrong answers of exercises 3.7.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden()


def path_arguments(rng):
    """Probabilities (n, k), none small, and a text with a repeat."""
    n, k = rng.permutation([6, 4])
    n, m = max(n, 5), int(rng.integers(2, 4))
    text = rng.integers(k - 1, size=m)
    text[1] = text[0]
    return rng.dirichlet(np.full(k, 5.0), size=n), text


@HIDDEN.check("3_7.a", "random sizes")
def paths_anywhere(answer, rng, reference):
    args = path_arguments(rng)
    agree(answer, reference, "text_probability", args, "random", tolerance=1e-5)


@HIDDEN.check("3_7.a", "random gradients")
def paths_gradient(answer, rng, reference):
    p = rng.dirichlet(np.full(4, 5.0), size=6)
    args = p, np.array([1, 0, 0])
    agree_in_gradient(
        answer,
        reference,
        "text_probability",
        args,
        np.array(1.7),
        tolerance=1e-5,
    )


@HIDDEN.check("3_7.b", "random listeners")
def where_anywhere(answer, rng, reference):
    i, j = rng.permutation([4, 9])
    weights = rng.dirichlet(np.ones(j) / 3, size=i)
    start = rng.integers(0, 3000, size=i)
    end = start + rng.integers(200, 900, size=i)
    sizes = rng.permutation([3, 110, 250]).tolist()
    args = (weights, start, end, *sizes, int(rng.integers(4000, 20_000)))
    agree(answer, reference, "outside_ms", args, "random", tolerance=1e-5)


@HIDDEN.check("3_7.c", "random levels")
def noises_anywhere(answer, rng, reference):
    args = tuple(rng.uniform(-9, 50, size=2).tolist())
    agree(answer, reference, "total_snr", args, "random levels")


@HIDDEN.check("3_7.d", "random paths")
def paths_in_parts(answer, rng, reference):
    path = rng.choice([0, 4, 9, 10], size=40)
    args = (path, int(rng.choice([0, 4, 9, 10])))
    agree(answer, reference, "digits_of", args, "random path", 2)


@HIDDEN.check("3_7.e", "random powers")
def louder_anywhere(answer, rng, reference):
    P = 10 ** rng.uniform(-6, 1, size=(5, 7))
    args = P, float(rng.uniform(0.3, 4)), 1e-3
    agree(answer, reference, "mean_change", args, "random powers")


# --- a ---------------------------------------------------------------------


def paths(
    skip="differ",
    stay=True,
    one_on=True,
    begin=(0, 1),
    ends=(-1, -2),
    add=lambda a, b: a + b,
    change=lambda p: p,
    last=lambda total: total,
    blank=lambda p: p.shape[1] - 1,
):
    """The right recursion, with one thing wrong."""

    def text_probability(p, text):
        p, z = change(p), [blank(p)]
        for symbol in text.tolist():
            z += [symbol, blank(p)]
        zero = p.new_zeros(())
        alpha = [p[0, k] if s in begin else zero for s, k in enumerate(z)]
        for p_j in p[1:]:
            new = []
            for s, k in enumerate(z):
                total = alpha[s] if stay or k == z[0] else zero
                if s > 0 and (one_on or k == z[0]):
                    total = add(total, alpha[s - 1])
                if s > 0 and not one_on and s == 1:
                    total = add(total, alpha[0])
                differ = s > 1 and k != z[0] and k != z[s - 2]
                allowed = {
                    "differ": differ,
                    "never": False,
                    "always": s > 1 and k != z[0],
                }
                if allowed[skip]:
                    total = add(total, alpha[s - 2])
                new.append(total * p_j[k])
            alpha = new
        end = alpha[ends[0]]
        for e in ends[1:]:
            end = add(end, alpha[e])
        return last(end)

    return text_probability


def wrong_paths(says, **how):
    HIDDEN.wrong("3_7.a", says)(paths(**how))


wrong_paths("likeliest path alone", add=lambda a, b: a.maximum(b))
wrong_paths("may end without a blank", ends=(-1,))
wrong_paths("may end with a blank", ends=(-2,))
wrong_paths("may begin with a blank", begin=(1,))
wrong_paths("a blank must stand", skip="always")
wrong_paths("without a blank, if it is another one", skip="never")
wrong_paths("may last several states", stay=False)
wrong_paths("may stand between two different", one_on=False)
wrong_paths("minus the logarithm", last=lambda x: -x.log())
wrong_paths("that is the logarithm", last=lambda x: x.log())
wrong_paths("whatever k is", blank=lambda p: min(10, p.shape[1] - 1))
wrong_paths("not the first", blank=lambda p: 0)
wrong_paths("through all of z", ends=(-1, -2, -3, 0, 1))
wrong_paths("no softmax", change=lambda p: p.softmax(dim=1))
wrong_paths("no row is divided", change=lambda p: p / p.sum(1, keepdim=True))
wrong_paths("no gradient flows", change=lambda p: p.detach())
wrong_paths("no gradient flows", last=lambda x: x.detach())
wrong_paths("is detached", change=lambda p: torch.cat([p[:1].detach(), p[1:]]))
wrong_paths(
    "is detached", change=lambda p: torch.cat([p[:-1], p[-1:].detach()])
)


@HIDDEN.wrong("3_7.a", "is it that of ctc_loss")
def text_probability(p, text):
    n, m, k = len(p), len(text), p.shape[1]
    loss = torch.nn.functional.ctc_loss(
        p.log(), text, (n,), (m,), blank=k - 1, reduction="sum"
    )
    return (-loss).exp()


@HIDDEN.wrong("3_7.a", "not of one")
def text_probability(p, text):
    return paths()(p, torch.unique_consecutive(text))


@HIDDEN.wrong("3_7.a", "shape () expected")
def text_probability(p, text):
    return paths()(p, text)[None].expand(2)


@HIDDEN.wrong("3_7.a", "expected")
def text_probability(p, text):
    return p.prod()


@HIDDEN.wrong("3_7.a", "nan or infinity")
def text_probability(p, text):
    return paths()(p, text) * np.nan


@HIDDEN.wrong("3_7.a", "changes its argument")
def text_probability(p, text):
    total = paths()(p, text)
    text[0] = 1 - text[0]
    return total


@HIDDEN.wrong("3_7.a", "two states")
def text_probability(p, text):
    return paths()(p, text) if len(p) > 2 else p.new_zeros(())


@HIDDEN.wrong("3_7.a", "never goes back in z")
def text_probability(p, text):
    z = [p.shape[1] - 1]
    for symbol in text.tolist():
        z += [symbol, p.shape[1] - 1]
    nothing = p.new_zeros(())
    alpha = [p[0, z[0]], p[0, z[1]]] + [nothing] * (len(z) - 2)
    for row in p[1:]:
        new = []
        for s, symbol in enumerate(z):
            total = alpha[s] + alpha[s - 1]
            if s > 1 and symbol not in (z[0], z[s - 2]):
                total = total + alpha[s - 2]
            new.append(total * row[symbol])
        alpha = new
    return alpha[-1] + alpha[-2]


@HIDDEN.wrong("3_7.a", "nothing added to a probability")
def text_probability(p, text):
    return paths()(p + 1e-9, text)


# --- b ---------------------------------------------------------------------


def where(
    says,
    times=lambda j, stride, hop, frame: j * stride * hop + frame / 2,
    centre=lambda w, t: w @ t,
    error=lambda c, a, b: np.maximum(0, np.maximum(a - c, c - b)),
    unit=1000,
    fixed=None,
):
    def outside_ms(weights, start, end, stride, hop, frame, rate):
        t = times(np.arange(weights.shape[1]), stride, hop, frame)
        found = error(centre(weights, t), start, end)
        return found * unit / (fixed or rate)

    HIDDEN.wrong("3_7.b", says)(outside_ms)


where("add half of `frame`", lambda j, stride, hop, frame: j * stride * hop)
where("not a whole frame", lambda j, stride, hop, f: j * stride * hop + f)
where("not one", lambda j, stride, hop, frame: j * hop + frame / 2)
where(
    "not half of each stride",
    lambda j, stride, hop, frame: (j + 0.5) * stride * hop,
)
where("count from 0", lambda j, stride, hop, f: (j + 1) * stride * hop + f / 2)
where(
    "every `hop` samples", lambda j, stride, hop, frame: j * stride + frame / 2
)
where("of one frame", lambda j, stride, hop, f: stride * (j * hop + f / 2))
where(
    "not a sample after",
    error=lambda c, a, b: np.maximum(0, np.maximum(a - c, c - b + 1)),
)
where("that is the peak", centre=lambda w, t: t[w.argmax(axis=1)])
where(
    "that has a sign",
    error=lambda c, a, b: np.where(c < a, c - a, np.where(c > b, c - b, 0)),
)
where("after the word is outside", error=lambda c, a, b: np.maximum(0, a - c))
where("before the word is outside", error=lambda c, a, b: np.maximum(0, c - b))
where("from the word's middle", error=lambda c, a, b: abs(c - (a + b) / 2))
where("in samples", unit=1, fixed=1)
where("in seconds", unit=1)
where("not always 8,000", fixed=8000)
where(
    "only outside the word",
    error=lambda c, a, b: np.minimum(abs(c - a), abs(c - b)),
)


@HIDDEN.wrong("3_7.b", "bring them to milliseconds too")
def outside_ms(weights, start, end, stride, hop, frame, rate):
    t = np.arange(weights.shape[1]) * stride * hop + frame / 2
    c = weights @ t * 1000 / rate
    return np.maximum(0, np.maximum(start - c, c - end))


@HIDDEN.wrong("3_7.b", "shape")
def outside_ms(weights, start, end, stride, hop, frame, rate):
    t = np.arange(weights.shape[1]) * stride * hop + frame / 2
    c = weights @ t
    return np.maximum(0, np.maximum(start - c, c - end)).max() * 1000 / rate


@HIDDEN.wrong("3_7.b", "nine digits")
def outside_ms(weights, start, end, stride, hop, frame, rate):
    middle = np.arange(weights.shape[1]) * stride * hop + frame / 2
    c = weights @ middle
    out = np.maximum(0, np.maximum(start - c, c - end)) * 1000 / rate
    return np.where(np.arange(len(out)) < 5, out, 0)


# --- c ---------------------------------------------------------------------


def called(name, exercise, says):
    """Decorator: a wrong answer that is known by this name."""

    def add(function):
        function.__name__ = name
        return HIDDEN.wrong(exercise, says)(function)

    return add


def noises(says):
    return called("total_snr", "3_7.c", says)


noises("louder than one")(lambda a, b: min(a, b))
noises("not decibels")(lambda a, b: a + b)
noises("louder than one")(lambda a, b: (a + b) / 2)
noises("not amplitudes")(
    lambda a, b: -20 * np.log10(10 ** (-a / 20) + 10 ** (-b / 20))
)
noises("lowers the SNR")(
    lambda a, b: 10 * np.log10(10 ** (a / 10) + 10 ** (b / 10))
)
noises("not 20 log10")(
    lambda a, b: -20 * np.log10(10 ** (-a / 10) + 10 ** (-b / 10))
)
noises("give decibels")(lambda a, b: 1 / (10 ** (-a / 10) + 10 ** (-b / 10)))
noises("sign is turned")(
    lambda a, b: 10 * np.log10(10 ** (-a / 10) + 10 ** (-b / 10))
)
noises("base 10")(lambda a, b: -10 * np.log(10 ** (-a / 10) + 10 ** (-b / 10)))
noises("only where both are equal")(lambda a, b: min(a, b) - 10 * np.log10(2))
noises("the weaker noise")(lambda a, b: max(a, b) - 10 * np.log10(2))
noises("less 3")(lambda a, b: (a + b) / 2 - 10 * np.log10(2))
noises("the ratios are averaged")(
    lambda a, b: 10 * np.log10((10 ** (a / 10) + 10 ** (b / 10)) / 4)
)


noises("the weaker noise counts")(
    lambda a, b: (
        min(a, b)
        if abs(a - b) > 30
        else -10 * np.log10(10 ** (-a / 10) + 10 ** (-b / 10))
    )
)
noises("nothing added")(
    lambda a, b: -10 * np.log10(10 ** (-a / 10) + 10 ** (-b / 10) + 1e-20)
)
noises("a larger SNR is a weaker")(
    lambda a, b: -10 * np.log10(10 ** (a / 10) + 10 ** (b / 10))
)
noises("not of e")(
    lambda a, b: -10 * np.log10(np.exp(-a / 10) + np.exp(-b / 10))
)


@HIDDEN.wrong("3_7.c", "nothing is cut off")
def total_snr(first, second):
    noise = 10 ** (-first / 10) + 10 ** (-second / 10)
    return -10 * np.log10(noise + 1e-9)


# --- d ---------------------------------------------------------------------


@HIDDEN.wrong("3_7.d", "merge first, then drop")
def digits_of(path, last):
    digits = []
    for symbol in path:
        if symbol != 10:
            if symbol != last:
                digits.append(symbol)
            last = symbol
    return np.array(digits, dtype=int), last


@HIDDEN.wrong("3_7.d", "9 is a digit")
def digits_of(path, last):
    digits = []
    for symbol in path:
        if symbol < 9 and symbol != last:
            digits += [symbol]
        last = symbol
    return np.array(digits, dtype=int), last


@HIDDEN.wrong("3_7.d", "a digit that goes on")
def digits_of(path, last):
    path = np.append(last or 10, path)
    new = (path[1:] != path[:-1]) & (path[1:] != 10)
    return path[1:][new], path[-1]


@HIDDEN.wrong("3_7.d", "are one digit")
def digits_of(path, last):
    return path[path != 10], path[-1]


@HIDDEN.wrong("3_7.d", "drop the blanks, after merging")
def digits_of(path, last):
    before = np.r_[last, path[:-1]]
    return path[path != before], path[-1]


@HIDDEN.wrong("3_7.d", "drop the blanks")
def digits_of(path, last):
    return path, path[-1]


@HIDDEN.wrong("3_7.d", "a digit that goes on")
def digits_of(path, last):
    before = np.r_[10, path[:-1]]
    return path[(path != before) & (path != 10)], path[-1]


@HIDDEN.wrong("3_7.d", "a blank is the last symbol too")
def digits_of(path, last):
    before = np.r_[last, path[:-1]]
    digits = path[(path != before) & (path != 10)]
    return digits, digits[-1] if digits.size else last


@HIDDEN.wrong("3_7.d", "carry the last symbol")
def digits_of(path, last):
    before = np.r_[last, path[:-1]]
    return path[(path != before) & (path != 10)], 10


@HIDDEN.wrong("3_7.d", "0 is a digit")
def digits_of(path, last):
    before = np.r_[last, path[:-1]]
    return path[(path != before) & (path != 10) & (path != 0)], path[-1]


@HIDDEN.wrong("3_7.d", "come back later")
def digits_of(path, last):
    return np.unique(path[path != 10]), path[-1]


@HIDDEN.wrong("3_7.d", "the first symbol is lost")
def digits_of(path, last):
    before, path = path[:-1], path[1:]
    return path[(path != before) & (path != 10)], path[-1]


@HIDDEN.wrong("3_7.d", "also where it brought no new digit")
def digits_of(path, last):
    digits = []
    for symbol in path:
        if symbol not in (10, last):
            digits.append(symbol)
        last = symbol
    return np.array(digits, dtype=int), last if digits else 10


@HIDDEN.wrong("3_7.d", "300 digits")
def digits_of(path, last):
    before = np.r_[last, path[:-1]]
    return path[(path != before) & (path != 10)][:11], path[-1]


# --- e ---------------------------------------------------------------------


def change_of(P, gain, floor):
    return np.mean(np.log(gain**2 * P + floor) - np.log(P + floor))


def louder(says):
    return called("mean_change", "3_7.e", says)


louder("four times the power")(
    lambda P, gain, floor: np.mean(np.log(gain * P + floor) - np.log(P + floor))
)
louder("not every band")(lambda P, gain, floor: 2 * np.log(gain))
louder("before minus louder")(lambda *args: -change_of(*args))
louder("not that of base 2")(lambda *args: change_of(*args) / np.log(2))
louder("use the argument floor")(
    lambda P, gain, floor: change_of(P, gain, 1e-5)
)
louder("that is the median")(
    lambda P, gain, floor: np.median(
        np.log((gain**2 * P + floor) / (P + floor))
    )
)
louder("gain is squared once")(lambda P, gain, f: change_of(P, gain**2, f))
louder("same before and after")(
    lambda P, gain, floor: np.mean(
        np.log(gain**2 * P + floor) - np.log(P + gain**2 * floor)
    )
)
louder("that is the sum")(lambda P, *args: change_of(P, *args) * P.size)
louder("natural logarithm")(lambda *args: change_of(*args) / np.log(10))
louder("logarithm of the mean")(
    lambda P, gain, floor: np.log(
        (gain**2 * P + floor).mean() / (P + floor).mean()
    )
)
louder("louder picture's mean")(
    lambda P, gain, floor: np.mean(np.log(gain**2 * P + floor))
)
louder("over all frames and bands")(
    lambda P, *args: change_of(P, *args) * P.shape[1]
)


@HIDDEN.wrong("3_7.e", "not every band")
def mean_change(P, gain, floor):
    louder = np.log(gain**2 * (P + floor))
    return np.mean(louder - np.log(P + floor))


@HIDDEN.wrong("3_7.e", "changes its argument")
def mean_change(P, gain, floor):
    found = change_of(P, gain, floor)
    P *= gain**2
    return found


@HIDDEN.wrong("3_7.e", "set prediction to one of")
def mean_change(P, gain, floor):
    return change_of(P, gain, floor)


HIDDEN.wrong_answers[-1].names = {"prediction": "twice"}


@HIDDEN.wrong("3_7.e", "nothing but the floor")
def mean_change(P, gain, floor):
    louder = np.log(gain**2 * P + floor + 1e-9)
    return np.mean(louder - np.log(P + floor + 1e-9))


# --- limits of size --------------------------------------------------------

wrong_paths("120 symbols", change=lambda p: p[:100])
where(
    "nothing is cut off",
    error=lambda c, a, b: np.clip(np.maximum(a - c, c - b), 0, 24_000),
)
noises("twice -90.5 dB")(
    lambda a, b: (
        -10 * np.log10(10 ** (-max(a, -50) / 10) + 10 ** (-max(b, -50) / 10))
    )
)
louder("gain is used as it is")(
    lambda P, gain, floor: change_of(P, np.clip(gain, 0, 10), floor)
)


@HIDDEN.wrong("3_7.a", "the order that they stand in")
def text_probability(p, text):
    return paths()(p, text.flip(0))
