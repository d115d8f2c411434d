"""Claims, settled by recorded seeds.

A notebook states a `Claim` with its predictions before anything is trained,
trains every model once, and hands the numbers to `Claim.settle`. Run by a
reader, `settle` compares the live numbers with the record of ten seeds. Run by
`make claims`, it writes the live numbers down for that record.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from attnbook.claims import record
from attnbook.claims.box import ClaimBox
from attnbook.claims.prediction import Prediction, band
from attnbook.claims.record import Record

Metrics = dict[str, dict[str, float]]  # model -> metric -> value
FOLDER = "ATTNBOOK_SEED_FOLDER"  # set while `make claims` runs a seed


@dataclass(frozen=True)
class Claim:
    """One sentence of the article, and the predictions that decide about it.

    The book's own have ids that begin with B. Where the numbers are times, a
    live run need not lie in bands, but must agree with the first prediction's
    bound, or nearly.
    """

    id: str
    says: str
    tests: tuple[Prediction, ...]
    holds_for: str
    wrong_if: str
    times: bool = False  # its numbers are times, different on each machine

    def record(self) -> Record | None:
        """The recorded seeds; None before and during `make claims`."""
        path = record.RECORDS / f"{self.id}.json"
        if FOLDER in os.environ or not path.exists():
            return None
        return Record.read(path)

    def settle(
        self,
        metrics: Metrics,
        parameters: dict[str, int],
        cpu_seconds: dict[str, float],
    ) -> ClaimBox:
        """What the numbers of this run are for: of a reader's they are held
        against the record, of `make claims` they are kept; where a reader's
        run leaves all to the record (`everything = True`), it is shown."""
        if folder := os.environ.get(FOLDER):
            numbers = metrics, parameters, cpu_seconds
            return self.keep_seed(Path(folder), *numbers)
        return self.evaluate_live(metrics) if metrics else self.show()

    def keep_seed(
        self,
        folder: Path,
        metrics: Metrics,
        parameters: dict[str, int],
        cpu_seconds: dict[str, float],
    ) -> ClaimBox:
        """Write one seed's numbers where `make claims` gathers them."""
        told = {"id": self.id, "says": self.says, "times": self.times}
        told["predictions"] = [asdict(test) for test in self.tests]
        run = {"claim": told, "metrics": metrics, "parameters": parameters}
        run["cpu_seconds"] = cpu_seconds
        (folder / f"{self.id}.json").write_text(json.dumps(run), "utf8")
        return ClaimBox(self, None)

    def evaluate_live(self, metrics: Metrics) -> ClaimBox:
        """Hold a live run against the record; AssertionError if they differ."""
        made = self.record()
        if made and self.times:
            assert_first_test(self.tests[0], metrics, made.metrics)
        elif made:
            assert_inside(metrics, made.metrics)
        return ClaimBox(self, made)

    def show(self) -> ClaimBox:
        """The record alone."""
        return ClaimBox(self, self.record(), live=False)


def assert_first_test(
    test: Prediction, metrics: Metrics, recorded: dict
) -> None:
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
