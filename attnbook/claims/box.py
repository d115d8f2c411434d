"""The claim box: a record of seeds, told to the reader."""

from html import escape

from attnbook.claims.record import Record

AGREES = {
    False: "at least three in four numbers lie inside their recorded bands",
    True: "times differ between machines; here, too, the first test passes, "
    "or its number lies in the band of its seeds",
}
ELSEWHERE = "trains none of these models: the numbers are the record's alone"


def tests(record: Record) -> list[tuple[str, str, str]]:
    """Per test: what was demanded, what was measured, whether it passed."""
    return [
        (
            row.test,
            f"{row.mean:.3f} [{row.low:.3f}, {row.high:.3f}]",
            "passed" if row.passed else "FAILED",
        )
        for row in record.tests
    ]


def trained(longer: float, value: float) -> bool:
    """Whether longer training can have made a difference to this number: what
    was measured before training comes out the same to the last digit."""
    return value in (0, 1) or abs(longer - value) > 1e-5 * abs(value)


def basis(record: Record) -> list[str]:
    """What the numbers rest on: seeds, sizes, and longer training."""
    sizes = ", ".join(f"{k} {v:,}" for k, v in record.parameters.items())
    lines = [
        f"{len(record.seeds)} seeds; mean and its 95 % interval",
        f"parameters: {sizes}",
    ]
    if record.machine:
        lines.append(f"measured on: {record.machine}")
    if run := record.longer_training:
        compared = {
            (model, rule.metric)
            for rule in record.predictions
            for model in (rule.model, rule.minus)
            if rule.minus
        }
        parts = [
            f"{model} {metric}: {value:.2f}"
            for model, values in run["metrics"].items()
            for metric, value in values.items()
            if (model, metric) in compared
            and trained(value, record.metrics[model][metric][0])
        ]
        if parts:
            head = f"trained {run['times']} times longer, one seed: "
            lines.append(head + ", ".join(parts))
    return lines


def verdict_line(record: Record) -> str:
    """The verdict, and the tests that failed, if any."""
    failed = [row.test for row in record.tests if not row.passed]
    partly = record.verdict == "holds in part"
    word = "but not" if partly else "failed"
    stops = f", {word}: {'; '.join(failed)}" if failed else ""
    return record.verdict + stops


class ClaimBox:
    """Shown as the last value of a cell: HTML in a notebook, else text."""

    def __init__(self, claim, record: Record | None, live: bool = True):
        self.claim, self.record = claim, record
        self.this_run = AGREES[claim.times] if live else ELSEWHERE

    def rows(self) -> list[tuple[str, list[str]]]:
        """Everything but the tests, as (heading, sentences)."""
        claim, record = self.claim, self.record
        if record is None:
            todo = ["not recorded yet: run `make claims` for this chapter"]
            return [("Evidence", todo)]
        return [
            ("Rests on", basis(record)),
            ("Verdict", [verdict_line(record)]),
            ("Holds for", [claim.holds_for]),
            ("Would be wrong if", [claim.wrong_if]),
            ("This run", [self.this_run]),
        ]

    def __repr__(self) -> str:
        lines = [f"Claim {self.claim.id}: {self.claim.says}"]
        if self.record:
            lines += [f"  {' | '.join(test)}" for test in tests(self.record)]
        for name, sentences in self.rows():
            lines.append(f"  {name}: {sentences[0]}")
            lines += [f"    {sentence}" for sentence in sentences[1:]]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def row(cells, tag):
            inside = "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells)
            return f"<tr>{inside}</tr>"

        table = ""
        if self.record:
            head = row(("Test", "Measured", "Result"), "th")
            body = "".join(row(test, "td") for test in tests(self.record))
            table = f"<table>{head}{body}</table>"
        rest = "".join(
            f"<dt>{escape(name)}</dt>"
            + "".join(f"<dd>{escape(s)}</dd>" for s in sentences)
            for name, sentences in self.rows()
        )
        verdict = self.record.verdict if self.record else "none"
        color = verdict.removeprefix("holds ").replace(" ", "-")
        return (
            f'<div class="claim-box verdict-{color}"><p><strong>Claim '
            f"{escape(self.claim.id)}</strong> {escape(self.claim.says)}</p>"
            f"{table}<dl>{rest}</dl></div>"
        )
