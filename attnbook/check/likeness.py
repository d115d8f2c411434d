"""What a wrong result has in common with the right one, in a few words.

Each rule looks at two finite arrays of one shape and says what it sees, or
nothing; the most telling come first. Bare numbers are for when all are silent.
"""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
from numpy import ndarray

AXES = 4  # of arrays with more, transposed ones are not looked for
ROWS = 64  # of arrays with more, permuted ones are not looked for
LARGE = 100_000  # numbers; larger results are not looked at, it takes too long


def near(a: ndarray, b: ndarray, tolerance: float) -> bool:
    """Equal in shape and, but for the tolerance, in all numbers."""
    return a.shape == b.shape and np.allclose(
        a, b, rtol=tolerance, atol=tolerance, equal_nan=True
    )


def transposed(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether some exchange of axes makes it right, whatever its shape."""
    if not 2 <= want.ndim <= AXES or got.ndim != want.ndim:
        return None
    if max(got.size, want.size) > LARGE:
        return None
    for order in permutations(range(want.ndim)):
        if near(got.transpose(order), want, tolerance):
            return "the numbers are right, but axes are exchanged (transposed)"
    return None


def rearranged(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether the right numbers stand in other places."""
    for axis in range(want.ndim):
        if near(np.flip(got, axis), want, tolerance):
            return f"the numbers are right, but axis {axis} runs backwards"
        n = want.shape[axis]
        if n <= ROWS and any(
            near(np.roll(got, k, axis), want, tolerance) for k in range(1, n)
        ):
            return (
                "the numbers are right, but shifted in a circle along axis "
                f"{axis}"
            )
    if want.ndim and near(np.sort(got, None), np.sort(want, None), tolerance):
        return "the right numbers, in another order"
    return None


def mapped(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether each number is a simple function of the right one."""
    with np.errstate(all="ignore"):
        lost = np.abs(want), np.maximum(want, 0), np.rint(want), np.floor(want)
        rules = {
            "the sign is the opposite one": -want,
            "negative numbers have lost their sign": lost[0],
            "negative numbers have become 0": lost[1],
            "yours are whole numbers: something is rounded": lost[2],
            "yours are whole numbers: something is cut off (by // or int, or "
            "in an array of whole numbers)": lost[3],
            "yours cut off at 1": np.minimum(want, 1),
            "yours is upside down: 1 divided by it is right": 1 / want,
            "yours is 1 minus the right one": 1 - want,
            "yours is the square of the right one": want**2,
            "yours is the root of the right one": want**0.5,
            "yours is exp of the right one": np.exp(want),
            "yours is the logarithm of the right one": np.log(want),
        }
    for reason, value in rules.items():
        if near(got, value, tolerance):
            return reason
    return None


def scaled(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether one factor or one term is between them; of a single number it
    must be a plain one."""
    size = np.abs(want).max()
    if size == 0:
        return None
    at = np.abs(want).argmax()
    ratio = got.flat[at] / want.flat[at]
    plain = any(abs(r - round(r)) < 1e-9 for r in (ratio, 1 / (ratio or 1)))
    several = (np.abs(want) > tolerance * size).sum() > 1
    if ratio and (several or plain) and near(got / ratio, want, tolerance):
        return (
            f"yours is {ratio:.6g} times the right result: a factor is "
            "missing, or is there once too often"
        )
    apart = got.flat[at] - want.flat[at]
    several = want.max() - want.min() > tolerance * size
    whole = abs(apart) == 1
    if (several or whole) and near(got - apart, want, tolerance):
        return (
            f"yours is the right result plus {apart:.6g}: a term is missing, "
            "or is there once too often"
        )
    return None


def normalised(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether rows should sum to 1 and do not."""
    if not want.ndim or want.shape[-1] < 2 or want.min() < 0:
        return None
    ones = np.ones(want.shape[:-1])
    if not near(want.sum(axis=-1), ones, tolerance):
        return None
    if near(got.sum(axis=-1), ones, tolerance):
        return None
    for axis in range(want.ndim - 1):
        total = got.sum(axis=axis)
        if near(total, np.ones_like(total), tolerance):
            return (
                f"yours sum to 1 along axis {axis}, the right ones along the "
                "last axis: is the softmax over the wrong axis?"
            )
    return "each row must sum to 1 (over its last axis), yours do not"


def alike(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether numbers were repeated along an axis where they must differ."""
    for axis in range(want.ndim):
        first = [x.take([0], axis) for x in (got, want)]
        if want.shape[axis] < 2 or near(
            np.broadcast_to(first[1], want.shape), want, tolerance
        ):
            continue
        if near(np.broadcast_to(first[0], want.shape), got, tolerance):
            if want.ndim == 1:
                return "all your numbers are the same"
            return (
                f"yours are all the same along axis {axis}: each entry there "
                "must be computed on its own"
            )
    return None


def first_only(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether the rest of an axis has been forgotten."""
    right = np.isclose(got, want, rtol=tolerance, atol=tolerance)
    for axis in range(want.ndim):
        good = right.all(axis=tuple(k for k in range(want.ndim) if k != axis))
        if good[0] and len(good) > 1 and not good[1:].any():
            return f"only the first entry along axis {axis} is right"
    return None


def mostly(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether only a few entries are wrong, and where."""
    right = np.isclose(got, want, rtol=tolerance, atol=tolerance)
    wrong = np.argwhere(~right)
    if want.ndim and len(wrong) <= want.size / 3:
        places = ["[" + ", ".join(map(str, at)) + "]" for at in wrong[:3]]
        more = len(wrong) - len(places)
        end = f" and {more} more" * bool(more)
        return f"all are right but {', '.join(places)}{end}"
    return None


def weights(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """What is seen of weights over the last axis, if both are such."""
    if want.size < 2 or not want.ndim or min(got.min(), want.min()) < 0:
        return None
    ones = np.ones(want.shape[:-1])
    if not all(near(x.sum(axis=-1), ones, tolerance) for x in (got, want)):
        return None
    if ((got > tolerance) & (want == 0)).any():
        return "a key that must have no weight has some"
    if ((got == 0) & (want > tolerance)).any():
        return "a key that must have weight has none"
    if min(got.min(), want.min()) > 1e-12:
        logs = [np.log(x) for x in (got, want)]
        mine, right = (x - x.mean(axis=-1, keepdims=True) for x in logs)
        square = (right**2).sum()
        ratio = (mine * right).sum() / square if square else 0
        if ratio and near(mine, ratio * right, 100 * tolerance):
            return (
                f"these are the weights of scores {ratio:.4g} times as large: "
                "check what the scores are divided by"
            )
    return "each row sums to 1, but the scores are not the right ones"


def rounded(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether the result was rounded to some decimals."""
    for digits in range(1, 8):
        cut = np.round(want, digits)
        if near(got, cut, 1e-12) and not near(cut, want, tolerance):
            return f"yours is rounded to {digits} decimals"
    return None


def cut_off(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether numbers beyond some bound have become that bound."""
    low, high = got.min(), got.max()
    if low < high and near(got, np.clip(want, low, high), tolerance):
        ends = {"below": (low, want < low), "above": (high, want > high)}
        bounds = [f"{k} {x:.6g}" for k, (x, cut) in ends.items() if cut.any()]
        return f"numbers {' and '.join(bounds)} are cut off"
    return None


def inexact(got: ndarray, want: ndarray, tolerance: float) -> str | None:
    """Whether the error is that of float32, of rounding, of an epsilon."""
    if np.abs(got - want).max() > 3e-5 * max(np.abs(want).max(), 1e-2):
        return None
    return (
        "right to a few digits only: something is computed in float32, is "
        "rounded, or has a small number added to it"
    )


RULES = (
    rounded,
    inexact,
    mapped,
    cut_off,
    transposed,
    scaled,
    alike,
    first_only,
    normalised,
    rearranged,
    weights,
    mostly,
)


def cause(got: ndarray, want: ndarray, tolerance: float = 1e-6) -> str | None:
    """What is seen of a result of the right shape; None if nothing is."""
    if (
        not 0 < want.size <= LARGE
        or not (np.isfinite(got) & np.isfinite(want)).all()
    ):
        return None
    got = got.astype(float)
    seen = (rule(got, want, tolerance) for rule in RULES)
    return next(filter(None, seen), None)


def shape_causes(got: ndarray, want: ndarray) -> Iterator[str]:
    """What is seen of a result of another shape, without broadcasting it."""
    extra = len(got.shape) - len(want.shape)
    if transposed(got, want, 1e-6):
        yield "the numbers are right, but axes are exchanged (transposed)"
    ones = [[n for n in x.shape if n != 1] for x in (got, want)]
    if ones[0] == ones[1]:
        many = "many" if extra > 0 else "few"
        yield f"an axis of size 1 too {many}"
    if sorted(got.shape) == sorted(want.shape):
        yield "axes are exchanged (transposed)"
    if extra > 0 and got.size > want.size:
        yield "an axis too many: something was broadcast, or not summed"
    if got.size == want.size:
        yield "as many numbers as asked for, but shaped otherwise"
    if extra < 0:
        yield "an axis is missing: was something summed, or only one taken?"


def shape_cause(got: ndarray, want: ndarray) -> str | None:
    """The first of these; None if nothing is seen."""
    return next(shape_causes(got, want), None)
