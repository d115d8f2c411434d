"""Predictions, written down before a run, and what the seeds say of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit  # Student's t; scipy.stats loads slowly


@dataclass(frozen=True)
class Prediction:
    """A mean over seeds lies on one side of a bound.

    With `minus` the quantity is a difference of two models on the same seed.
    It passes when the whole 95 % interval of the mean is on the right side.
    """

    metric: str
    model: str
    minus: str | None = None
    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        bound = self.at_least if self.at_most is None else self.at_most
        sign = "≥" if self.at_most is None else "≤"
        who = f"{self.model} − {self.minus}" if self.minus else self.model
        return f"{self.metric}: {who} {sign} {bound:g}"

    def per_seed(self, metrics: dict) -> np.ndarray:
        """The tested quantity, one value per seed."""
        values = np.asarray(metrics[self.model][self.metric], float)
        if self.minus is None:
            return values
        return values - np.asarray(metrics[self.minus][self.metric], float)

    def passes(self, low: float, high: float) -> bool:
        if self.at_most is None:
            return low >= self.at_least
        return high <= self.at_most


def interval(values: Iterable[float], level: float = 0.95) -> tuple:
    """Mean and Student-t interval of the mean: (mean, low, high)."""
    values = np.asarray(list(values), float)
    spread = values.std(ddof=1) / np.sqrt(len(values))
    half = stdtrit(len(values) - 1, (1 + level) / 2) * spread
    return values.mean(), values.mean() - half, values.mean() + half


def band(values: Iterable[float], floor: float = 0.02) -> tuple:
    """Where one more seed should fall, with 99 % probability: (low, high).

    A Student-t prediction interval, at least `floor` times the largest value
    to either side: ten equal values do not promise an eleventh exactly.
    """
    values = np.asarray(list(values), float)
    n = len(values)
    half = stdtrit(n - 1, 0.995) * values.std(ddof=1) * (1 + 1 / n) ** 0.5
    half = max(half, floor * abs(values).max(), 1e-9)
    return values.mean() - half, values.mean() + half


@dataclass(frozen=True)
class Measured:
    """What the seeds say of one prediction: mean, 95 % interval, outcome."""

    test: str
    mean: float
    low: float
    high: float
    passed: bool


def judge(
    predictions: Iterable[Prediction], metrics: dict
) -> tuple[str, tuple[Measured, ...]]:
    """Verdict and what was measured, from the metrics of all seeds.

    The first prediction is the claim, the others say how far it reaches:
    without the first it does not hold, without one of the others in part.
    """
    tests = []
    for prediction in predictions:
        numbers = interval(prediction.per_seed(metrics))
        _, low, high = numbers
        rounded = (float(round(x, 4)) for x in numbers)
        passed = bool(prediction.passes(low, high))
        tests.append(Measured(str(prediction), *rounded, passed))
    outcomes = [test.passed for test in tests]
    if not outcomes[0]:
        return "does not hold", tuple(tests)
    return ("holds" if all(outcomes) else "holds in part"), tuple(tests)
