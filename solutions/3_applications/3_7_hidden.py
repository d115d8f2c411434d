"""Hidden checks and known wrong answers of exercises 3.7.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree_in_gradient

HIDDEN = Hidden(globals())


def path_arguments(rng):
    """Probabilities (n, k), none small, and a text with a repeat."""
    n, k = rng.permutation([6, 4])
    n, m = max(n, 5), int(rng.integers(2, 4))
    text = rng.integers(k - 1, size=m)
    text[1] = text[0]
    return rng.dirichlet(np.full(k, 5.0), size=n), text


HIDDEN.agrees(
    "3_7.a", "text_probability", title="random sizes", tolerance=1e-5
)(path_arguments)


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


@HIDDEN.agrees("3_7.b", "outside_ms", title="random listeners", tolerance=1e-5)
def where_anywhere(rng):
    i, j = rng.permutation([4, 9])
    weights = rng.dirichlet(np.ones(j) / 3, size=i)
    start = rng.integers(0, 3000, size=i)
    end = start + rng.integers(200, 900, size=i)
    sizes = rng.permutation([3, 110, 250]).tolist()
    return weights, start, end, *sizes, int(rng.integers(4000, 20_000))


@HIDDEN.agrees("3_7.c", "total_snr", title="random levels")
def noises_anywhere(rng):
    return tuple(rng.uniform(-9, 50, size=2).tolist())


@HIDDEN.agrees("3_7.d", "digits_of", title="random paths", parts=2)
def paths_in_parts(rng):
    path = rng.choice([0, 4, 9, 10], size=40)
    return path, int(rng.choice([0, 4, 9, 10]))


@HIDDEN.agrees("3_7.e", "mean_change", title="random powers")
def louder_anywhere(rng):
    P = 10 ** rng.uniform(-6, 1, size=(5, 7))
    return P, float(rng.uniform(0.3, 4)), 1e-3


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


HIDDEN.mutants("3_7.a", None, [
    ([("blank = p.shape[1] - 1\n    z = [blank]", "z = [p.shape[1] - 1]"),
      (", blank", ", p.shape[1] - 1"),
      ("(alpha[s - 1] if s > 0 else 0)", "alpha[s - 1]"),
      ("!= blank and symbol != z[s - 2]", "not in (z[0], z[s - 2])")],
     "never goes back in z"),
])  # fmt: skip
HIDDEN.mutants("3_7.a", """
def text_probability(p, text):
    return paths()(p, text.flip(0))
""", [
    ("text.flip(0)", "torch.unique_consecutive(text)", "not of one"),
    ("(p, text.flip(0))", "(p, text)[None].expand(2)", "shape () expected"),
    ("paths()(p, text.flip(0))", "p.prod()", "expected"),
    ("(p, text.flip(0))", "(p, text) * np.nan", "nan or infinity"),
    ([("return", "total ="), ("(p, text.flip(0))",
       "(p, text)\n    text[0] = 1 - text[0]\n    return total")],
     "changes its argument"),
    (".flip(0", ") if len(p) > 2 else p.new_zeros((", "two states"),
    ("(p, text.flip(0))", "(p + 1e-9, text)", "nothing added to a probability"),
    ([], "the order that they stand in"),
])  # fmt: skip


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


HIDDEN.mutants("3_7.b", None, [
    ([("\n    samples =", "* 1000 / rate\n    return"),
      ("\n    return samples * 1000 / rate", "")],
     "bring them to milliseconds too"),
    ([("samples =", "return"), ("\n    return samples", ".max()")], "shape"),
    ([("\n    return samples", ""), ("/ rate",
       "/ rate\n    return np.where(np.arange(len(samples)) < 5, samples, 0)")],
     "nine digits"),
])  # fmt: skip


# --- c ---------------------------------------------------------------------


def called(name, exercise, says):
    """Decorator: a wrong answer that is known by this name."""

    def add(function):
        function.__name__ = name
        return HIDDEN.wrong(exercise, says)(function)

    return add


HIDDEN.mutants("3_7.c", "total_snr = lambda a, b: ...", [
    ("...", "min(a, b)", "louder than one"),
    ("...", "a + b", "not decibels"),
    ("...", "(a + b) / 2", "louder than one"),
    ("...", "-20 * np.log10(10 ** (-a / 20) + 10 ** (-b / 20))",
     "not amplitudes"),
    ("...", "10 * np.log10(10 ** (a / 10) + 10 ** (b / 10))", "lowers the SNR"),
    ("...", "-20 * np.log10(10 ** (-a / 10) + 10 ** (-b / 10))",
     "not 20 log10"),
    ("...", "1 / (10 ** (-a / 10) + 10 ** (-b / 10))", "give decibels"),
    ("...", "10 * np.log10(10 ** (-a / 10) + 10 ** (-b / 10))",
     "sign is turned"),
    ("...", "-10 * np.log(10 ** (-a / 10) + 10 ** (-b / 10))", "base 10"),
    ("...", "min(a, b) - 10 * np.log10(2)", "only where both are equal"),
    ("...", "max(a, b) - 10 * np.log10(2)", "the weaker noise"),
    ("...", "(a + b) / 2 - 10 * np.log10(2)", "less 3"),
    ("...", "10 * np.log10((10 ** (a / 10) + 10 ** (b / 10)) / 4)",
     "the ratios are averaged"),
    ("...",
     "min(a, b) if abs(a - b) > 30 else -10 * np.log10(10 ** (-a / 10) + 10 "
     "** (-b / 10))", "the weaker noise counts"),
    ("...", "-10 * np.log10(10 ** (-a / 10) + 10 ** (-b / 10) + 1e-20)",
     "nothing added"),
    ("...", "-10 * np.log10(10 ** (a / 10) + 10 ** (b / 10))",
     "a larger SNR is a weaker"),
    ("...", "-10 * np.log10(np.exp(-a / 10) + np.exp(-b / 10))", "not of e"),
    ("...",
     "-10 * np.log10(10 ** (-max(a, -50) / 10) + 10 ** (-max(b, -50) / 10))",
     "twice -90.5 dB"),
])  # fmt: skip

HIDDEN.mutants("3_7.c", None, [
    ("(noise)", "(noise + 1e-9)", "nothing is cut off"),
])  # fmt: skip

# --- d ---------------------------------------------------------------------

HIDDEN.mutants("3_7.d", None, [
    ([("10 and", "10:\n            if"),
      ("last:", "last:\n                digits.append(symbol)"),
      ("digits += [symbol]\n        ", "")], "merge first, then drop"),
    ("!= 10", "< 9", "9 is a digit"),
    ([("!= 10 and symbol != last:\n            digits += [symbol]",
       "not in (10, last):\n            digits.append(symbol)"),
      ("), last", "), last if digits else 10")],
     "also where it brought no new digit"),
])  # fmt: skip
HIDDEN.mutants("3_7.d", """
def digits_of(path, last):
    before = np.r_[last, path[:-1]]
    return path[(path != before) & (path != 10)][:11], path[-1]
""", [
    ([("before = np.r_", "path = np.append(last or 10, path)\n    new = (path"),
      ("last, path[:-1]]", "1:] != path[:-1]) & (path[1:] != 10)"),
      ("[(path != before) & (path != 10)][:11]", "[1:][new]")],
     "a digit that goes on"),
    ([("before = np.r_[last, path[:-1]]\n    ", ""),
      ("[(path != before) & (path != 10)][:11]", "[path != 10]")],
     "are one digit"),
    ("[(path != before) & (path != 10)][:11]", "[path != before]",
     "drop the blanks, after merging"),
    ([("before = np.r_[last, path[:-1]]\n    ", ""),
      ("[(path != before) & (path != 10)][:11]", "")], "drop the blanks"),
    ([("last,", "10,"), ("[:11]", "")], "a digit that goes on"),
    ([("return", "digits ="), ("[:11], path[-1]",
       "\n    return digits, digits[-1] if digits.size else last")],
     "a blank is the last symbol too"),
    ("[:11], path[-1]", ", 10", "carry the last symbol"),
    ("][:11", "& (path != 0)", "0 is a digit"),
    ("before = np.r_[last, path[:-1]]\n"
     "    return path[(path != before) & (path != 10)][:11]",
     "return np.unique(path[path != 10])", "come back later"),
    ([("= np.r_[last, path[:-1]]", ", path = path[:-1], path[1:]"),
      ("[:11]", "")], "the first symbol is lost"),
    ([], "300 digits"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def change_of(P, gain, floor):
    return np.mean(np.log(gain**2 * P + floor) - np.log(P + floor))


def louder(says):
    return called("mean_change", "3_7.e", says)


HIDDEN.mutants("3_7.e", "mean_change = lambda P, gain, floor: ...", [
    ("...", "np.mean(np.log(gain * P + floor) - np.log(P + floor))",
     "four times the power"),
    ("...", "2 * np.log(gain)", "not every band"),
    ("...", "change_of(P, gain, 1e-5)", "use the argument floor"),
    ("...", "np.median(np.log((gain**2 * P + floor) / (P + floor)))",
     "that is the median"),
    ("...",
     "np.mean(np.log(gain**2 * P + floor) - np.log(P + gain**2 * floor))",
     "same before and after"),
    ("...", "np.log((gain**2 * P + floor).mean() / (P + floor).mean())",
     "logarithm of the mean"),
    ("...", "np.mean(np.log(gain**2 * P + floor))", "louder picture's mean"),
    ("...", "change_of(P, np.clip(gain, 0, 10), floor)",
     "gain is used as it is"),
])  # fmt: skip
HIDDEN.mutants("3_7.e", "mean_change = ...", [
    ("...", "lambda *args: -change_of(*args)", "before minus louder"),
    ("...", "lambda *args: change_of(*args) / np.log(2)", "not that of base 2"),
    ("...", "lambda P, gain, f: change_of(P, gain**2, f)",
     "gain is squared once"),
    ("...", "lambda P, *args: change_of(P, *args) * P.size", "that is the sum"),
    ("...", "lambda *args: change_of(*args) / np.log(10)", "natural logarithm"),
    ("...", "lambda P, *args: change_of(P, *args) * P.shape[1]",
     "over all frames and bands"),
])  # fmt: skip

HIDDEN.mutants("3_7.e", """
def mean_change(P, gain, floor):
    return change_of(P, gain, floor)
""", [
    ("return change_of(P, gain, floor)",
     "louder = np.log(gain**2 * (P + floor))\n"
     "    return np.mean(louder - np.log(P + floor))", "not every band"),
    ("return change_of(P, gain, floor)",
     "found = change_of(P, gain, floor)\n    P *= gain**2\n    return found",
     "changes its argument"),
    ([("return", "louder = np.log(gain**2 * P + floor + 1e-9)\n    return"),
      ("change_of(P, gain, floor)",
       "np.mean(louder - np.log(P + floor + 1e-9))")], "nothing but the floor"),
])  # fmt: skip
HIDDEN.mutants("3_7.e", 'prediction = "twice"', [
    ([], "set prediction to one of"),
])  # fmt: skip

# --- limits of size --------------------------------------------------------

wrong_paths("120 symbols", change=lambda p: p[:100])
where(
    "nothing is cut off",
    error=lambda c, a, b: np.clip(np.maximum(a - c, c - b), 0, 24_000),
)
