"""The claim box: a record of seeds, told to the reader."""

from html import escape


def evidence(record: dict) -> list[str]:
    """One sentence per test, then seeds, parameters and longer training."""
    lines = []
    for row in record["tests"]:
        lines.append(
            f"{'passed' if row['passed'] else 'FAILED'} | {row['test']} | "
            f"measured {row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        )
    sizes = ", ".join(f"{k} {v:,}" for k, v in record["parameters"].items())
    lines.append(
        f"{len(record['seeds'])} seeds, mean and 95 % interval of the mean; "
        f"parameters: {sizes}"
    )
    return lines + longer(record)


def longer(record: dict) -> list[str]:
    """What the baselines reach when trained longer, on one seed."""
    run = record.get("longer_training")
    if not run:
        return []
    parts = [
        f"{model} {metric} {value:.2f}"
        for model, values in run["metrics"].items()
        for metric, value in values.items()
    ]
    return [
        f"trained {run['times']} times longer (one seed): " + ", ".join(parts)
    ]


def verdict_line(record: dict) -> str:
    """The verdict, and where it stops if it holds in part."""
    failed = [row["test"] for row in record["tests"] if not row["passed"]]
    stops = f", but not: {'; '.join(failed)}" if failed else ""
    return record["verdict"] + stops


class ClaimBox:
    """Shown as the last value of a cell: HTML in a notebook, else text."""

    def __init__(self, claim, record: dict | None):
        self.claim, self.record = claim, record

    def rows(self) -> list[tuple[str, list[str]]]:
        claim = self.claim
        if self.record is None:
            found = ["not recorded yet: run `make claims` for this chapter"]
            return [("Claim", [claim.says]), ("Evidence", found)]
        return [
            ("Claim", [claim.says]),
            ("Evidence", evidence(self.record)),
            ("Verdict", [verdict_line(self.record)]),
            ("Holds for", [claim.holds_for]),
            ("Would be wrong if", [claim.wrong_if]),
            ("This run", ["every number lies inside its recorded band"]),
        ]

    def __repr__(self) -> str:
        lines = [f"Claim {self.claim.id}"]
        for name, sentences in self.rows():
            lines += [f"  {name}: {sentences[0]}"]
            lines += [f"    {sentence}" for sentence in sentences[1:]]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<dt>{escape(name)}</dt>"
            + "".join(f"<dd>{escape(s)}</dd>" for s in sentences)
            for name, sentences in self.rows()
        )
        verdict = self.record["verdict"] if self.record else "none"
        verdict = verdict.removeprefix("holds ").replace(" ", "-")
        return (
            f'<div class="claim-box verdict-{verdict}"><p><strong>Claim '
            f"{escape(self.claim.id)}</strong></p><dl>{rows}</dl></div>"
        )
