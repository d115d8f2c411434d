"""Claims, settled by recorded seeds: tests, intervals, verdicts, records.

A notebook states a `Claim` with its tests before anything is trained, trains
every model once, and hands the numbers to `Claim.settle`. Run by a reader,
`settle` compares the live numbers with the record of ten seeds. Run by
`make claims`, it writes the live numbers down for that record.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import stdtrit  # Student's t; scipy.stats loads slowly

from attnbook.claimbox import ClaimBox

RECORDS = Path(__file__).resolve().parent.parent / "book" / "claims"
FILES = "[BC]*.json"  # the article's claims are C.., the book's own are B..
Metrics = dict[str, dict[str, float]]  # model -> metric -> value


@dataclass(frozen=True)
class Test:
    """A prediction: a mean over seeds lies on one side of a bound.

    With `minus` the quantity is a difference of two models on the same seed.
    It passes when the whole 95 % interval of the mean is on the right side.
    """

    metric: str
    model: str
    minus: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    __test__ = False  # pytest: not a test class

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


def judge(tests: Iterable[Test], metrics: dict) -> tuple[str, list[dict]]:
    """Verdict and one row per test, from the metrics of all seeds.

    The first test is the claim, the others say how far it reaches: without
    the first it does not hold, without one of the others it holds in part.
    """
    rows = []
    for test in tests:
        mean, low, high = interval(test.per_seed(metrics))
        rows.append(
            {
                "test": str(test),
                "mean": round(mean, 4),
                "low": round(low, 4),
                "high": round(high, 4),
                "passed": bool(test.passes(low, high)),
            }
        )
    passed = [row["passed"] for row in rows]
    if not passed[0]:
        return "does not hold", rows
    return ("holds" if all(passed) else "holds in part"), rows


@dataclass(frozen=True)
class Claim:
    """One sentence of the article, and the tests that decide about it.

    The book's own predictions have ids that begin with B. Where the numbers
    are times, a live run need not lie in bands, but must agree with the first
    test's bound, or nearly.
    """

    id: str
    says: str
    tests: tuple[Test, ...]
    holds_for: str
    wrong_if: str
    times: bool = False  # its numbers are times, different on each machine

    def record(self) -> dict | None:
        """The recorded seeds; None before and during `make claims`."""
        path = RECORDS / f"{self.id}.json"
        if "ATTNBOOK_SEED_FOLDER" in os.environ:
            return None
        return json.loads(path.read_text("utf8")) if path.exists() else None

    def settle(
        self,
        metrics: Metrics,
        parameters: dict[str, int],
        cpu_seconds: dict[str, float],
    ) -> ClaimBox:
        """Hold a live run against the record; AssertionError if they differ.

        Empty metrics show the record alone, where a reader's run leaves out
        what the recorded runs do (`everything = True`).
        """
        live = {"metrics": metrics, "parameters": parameters}
        if folder := os.environ.get("ATTNBOOK_SEED_FOLDER"):
            live["cpu_seconds"] = cpu_seconds
            live["claim"] = {"id": self.id, "says": self.says}
            live["claim"]["tests"] = [vars(test) for test in self.tests]
            live["claim"]["times"] = self.times
            path = Path(folder) / f"{self.id}.json"
            path.write_text(json.dumps(live), "utf8")
            return ClaimBox(self, None)
        record = self.record()
        if not metrics:
            return ClaimBox(self, record, live=False)
        if record and self.times:
            assert_first_test(self.tests[0], metrics, record["metrics"])
        elif record:
            assert_inside(metrics, record["metrics"])
        return ClaimBox(self, record)


def assert_first_test(test: Test, metrics: Metrics, recorded: dict) -> None:
    """One live run is on the right side of the first test's bound, or in the
    band of the recorded ones: a busy moment is no other verdict."""
    value = float(test.per_seed(metrics))
    low, high = band(test.per_seed(recorded))
    assert test.passes(value, value) or low <= value <= high, (
        f"{test}: this run gives {value:.3f}; is the machine busy? Close what "
        "else is running and execute the notebook again"
    )


def outside(metrics: Metrics, recorded: dict) -> list[str]:
    """A phrase for each live metric outside the band of its recorded seeds."""
    found = []
    for model, values in metrics.items():
        for metric, value in values.items():
            assert metric in recorded.get(model, {}), (
                f"{model}, {metric}: not recorded; renew with `make claims`"
            )
            low, high = band(recorded[model][metric])
            if not low <= value <= high:
                found.append(
                    f"{model}, {metric}: this run gives {value:.3f}, outside "
                    f"the recorded band {low:.3f} to {high:.3f}"
                )
    return found


def assert_inside(metrics: Metrics, recorded: dict) -> None:
    """At most a quarter of the live metrics lie outside their bands.

    To ask for all would be to fail by chance: a band is missed once or twice
    in a hundred times, and a run has up to 200 of them. Chapter 5.1 measures
    both rules. (On the processor of the record a recorded seed comes out as it
    did. On another kind, last digits differ, training enlarges them, and the
    run is one more draw.)
    """
    found = outside(metrics, recorded)
    count = sum(map(len, metrics.values()))
    assert len(found) <= count / 4, (
        f"{len(found)} of {count} numbers differ from the record, more than a "
        f"quarter. {'; '.join(found[:3])}; if the code changed, renew the "
        "record with `make claims`"
    )
