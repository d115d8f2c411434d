"""Make what is never typed by hand: claims table, status page, data cards.

    python -m tools.render [--check]

From the claim records, from the times that `make run` noted, from the
docstrings of the data modules, and from the stored figure of chapter 1.1.
`--check` names what is stale.
"""

import argparse
import ast
import base64
import json
import re
import sys
from pathlib import Path

from attnbook.claims.box import verdict_line
from attnbook.claims.prediction import interval
from attnbook.claims.record import Record, read_all
from attnbook.claims.scoreboard import comparison
from tools.notebooks import ROOT, code_cells, number, read
from tools.run import STATUS

README = ROOT / "README.md"
BEGIN, END = "<!-- claims:begin -->", "<!-- claims:end -->"
PICTURE = ("1_principles/1_1_why_attention.ipynb", "fig-1-1-accuracy")


def records(family: str = "C") -> list[Record]:
    return list(read_all(family).values())


def measured(record: Record) -> str:
    """The claim's first comparison of two models, else its first test."""
    test = comparison(record)
    mean, low, high = interval(test.per_seed(record.metrics))
    if not test.minus:
        return (
            f"{test.metric}: {mean:.2f} [{low:.2f}, {high:.2f}] ({test.model})"
        )
    ours, theirs = (
        sum(record.metrics[model][test.metric]) / len(record.seeds)
        for model in (test.model, test.minus)
    )
    return (
        f"{test.metric}: {ours:.2f} ({test.model}) against {theirs:.2f} "
        f"({test.minus}), difference {mean:.2f} [{low:.2f}, {high:.2f}]"
    )


def claim_row(record: Record, prefix: str) -> str:
    """A table row: the claim, its verdict, what was measured."""
    shown = number(Path(record.notebook)).replace("_", ".")
    link = f"[{shown}]({prefix}{record.notebook})"
    verdict, comma, where = verdict_line(record).partition(",")
    return (
        f"| {record.claim} | {record.says} ({link}) | "
        f"**{verdict}**{comma + where} | {measured(record)} |"
    )


def claims_table(prefix: str, family: str = "C") -> str:
    head = "| | The claim | Verdict | Measured, with and without |\n"
    head += "|---|---|---|---|"
    rows = [claim_row(record, prefix) for record in records(family)]
    seeds = min(len(record.seeds) for record in records(family))
    foot = (
        f"Means over {seeds} seeds, with the 95 % interval of the difference. "
        "A verdict rests on all of a claim's tests, of which one is shown."
    )
    return "\n".join([head, *rows, "", foot]) + "\n"


def readme() -> str:
    text = README.read_text("utf8")
    pattern = re.compile(f"{BEGIN}\n.*?{END}", re.DOTALL)
    table = claims_table("")
    text, count = pattern.subn(lambda _: f"{BEGIN}\n{table}{END}", text)
    if count != 1:
        raise SystemExit(
            f"README.md needs one pair of lines {BEGIN} and {END}, between "
            "which the claims table stands."
        )
    return text


def status_page() -> str:
    status = json.loads(STATUS.read_text("utf8"))
    lines = [
        "# Status",
        "",
        "Every notebook is executed in a clean kernel, with one thread, and "
        "its printed text is compared with the stored text by nbval in every "
        "test run. Times are CPU seconds of a recent `make run`; a new one "
        "replaces an old one when it differs by a quarter.",
        "",
        "| notebook | CPU seconds | slowest cell |",
        "|---|---|---|",
    ]
    for name, times in sorted(status["notebooks"].items()):
        if (ROOT / name).exists():
            folder, number_ = name.split("/")[0], number(Path(name))
            shown = f"{folder} {number_.replace('_', '.')}"
            lines.append(f"| {shown} | {times['cpu']} | {times['slowest']} |")
    lines += ["", "Made with:", ""]
    lines += [f"- {k} {v}" for k, v in sorted(status["versions"].items())]
    lines += ["", "## Claims of the article", "", claims_table("../")]
    if records("B"):
        lines += ["## Predictions of this book", "", claims_table("../", "B")]
    return "\n".join(lines)


def data_page() -> str:
    """One card per data module: its docstring."""
    lines = [
        "# Data cards",
        "",
        "Nothing is downloaded: each data set is made by code, or lies in a "
        "file, that ships with the book. (Only public recordings of speech "
        "are fetched, and only where chapter 3.7 is asked to.) A card says "
        "where the data comes from, how it is made, what it can show and "
        "what it cannot.",
    ]
    for path in sorted((ROOT / "attnbook" / "data").glob("[a-z]*.py")):
        text = ast.get_docstring(ast.parse(path.read_text("utf8")))
        if "Holds no data set" in text:
            continue
        title, _, body = text.partition("\n\n")
        body = re.sub(
            r"(?:^|(?<=[.] ))((?:[A-Z][a-z]+)(?: [a-z]+)?:)",
            r"\n\n**\1**",
            body,
            flags=re.MULTILINE,
        )
        body = re.sub(r"\s*\n\n\s*", "\n\n", body).strip()
        lines += ["", f"## {title.rstrip('.')}", "", f"`{path.stem}.py`"]
        lines += ["", body]
    return "\n".join(lines) + "\n"


def picture() -> bytes:
    """The stored output of a figure cell."""
    name, figure = PICTURE
    for cell in code_cells(read(ROOT / "chapters" / name)):
        options = cell.metadata.get("mystnb", {}).get("figure", {})
        if options.get("name") == figure:
            images = [o.data["image/png"] for o in cell.outputs if "data" in o]
            return base64.b64decode(images[0])
    raise SystemExit(
        f"{name} has no figure named {figure}; see tools/render.py"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    made = {
        README: readme().encode(),
        ROOT / "book" / "claims.md": claims_table("../").encode(),
        ROOT / "book" / "status.md": status_page().encode(),
        ROOT / "book" / "data.md": data_page().encode(),
        ROOT / "book" / "_static" / "why_attention.png": picture(),
    }
    old = {p: p.read_bytes() if p.exists() else b"" for p in made}
    stale = [p for p in made if made[p] != old[p]]
    names = ", ".join(p.relative_to(ROOT).as_posix() for p in stale)
    if options.check and stale:
        sys.exit(f"Stale: {names}. Run: make pages")
    for path in stale:
        path.write_bytes(made[path])
    print(f"{len(made)} pages and pictures, {len(stale)} renewed.")


if __name__ == "__main__":
    main()
