"""The records of all claims, read together: what the conclusion is made of.

A record is what `make claims` wrote to records/. Here they meet: the article's
sixteen claims, recorded or not, the test that compares two models, and the link
to a claim's box.
"""

import json
import re
from typing import NamedTuple

from attnbook.claims.prediction import Prediction, interval
from attnbook.claims.record import RECORDS, Record

CHAPTERS = RECORDS.parents[2] / "chapters"


class Entry(NamedTuple):
    """A claim of the article: its section there, our chapter, in one line."""

    section: str
    chapter: str
    says: str


ARTICLE = {
    claim: Entry(*words)
    for claim, *words in (
        ("C01", "1.1", "1_1", "One fixed vector is a bottleneck."),
        ("C02", "1.2", "1_2", "Weights sum to 1 and gather what matters."),
        ("C03", "1.3", "2_6", "Long-range dependencies are captured."),
        ("C04", "1.3", "2_2", "Dividing by sqrt(d_k) saves the gradient."),
        ("C05", "1.3", "2_6", "A sequence is computed in parallel."),
        ("C06", "2.1.1", "3_1", "Long sentences are translated better."),
        ("C07", "2.1.2", "3_2", "Attention finds the sentiment words."),
        ("C08", "2.1.3", "3_3", "Attention finds the answer's sentence."),
        ("C09", "2.2.1", "3_4", "Attention finds an image's key region."),
        ("C10", "2.2.2", "3_5", "Attention locates objects better."),
        ("C11", "2.2.3", "3_6", "Attention sharpens lesions' boundaries."),
        ("C12", "2.3", "3_7", "Attention aligns sound with text."),
        (
            "C13",
            "3.1",
            "4_1",
            "Attention aligns words with image regions and gives better "
            "captions.",
        ),
        (
            "C14",
            "3.2",
            "4_2",
            "Attention lets an agent learn faster and decide better by "
            "attending to landmarks and obstacles.",
        ),
        ("C15", "3.3", "4_3", "Attention weights explain the decisions."),
        (
            "C16",
            "3.4",
            "4_4",
            "Better algorithms cut attention's time and energy.",
        ),
    )
}


def comparison(record: Record) -> Prediction:
    """The first test that compares two models, else the first test."""
    tests = record.predictions
    return next((test for test in tests if test.minus), tests[0])


def towards(test: Prediction) -> int:
    """1 if the claim wants the tested quantity high, -1 if low."""
    return 1 if test.at_most is None else -1


def bound(test: Prediction) -> float:
    """The number that a test names."""
    return test.at_least if test.at_most is None else test.at_most


def is_share(record: Record, test: Prediction) -> bool:
    """Whether the tested metric is a share, from 0 to 1 on every seed; an
    error in squares or a logarithm is none, however small it is."""
    names = [test.model] + [test.minus] * bool(test.minus)
    values = [x for m in names for x in record.metrics[m][test.metric]]
    other_unit = test.metric.startswith(("squared", "log"))
    return not other_unit and 0 <= min(values) <= max(values) <= 1


def effect(record: Record, test: Prediction) -> tuple[float, float, float]:
    """Mean and 95 % interval of the tested quantity, turned so that more is
    what the claim says: (mean, low, high)."""
    mean, *ends = interval(test.per_seed(record.metrics))
    low, high = sorted(towards(test) * end for end in ends)
    return towards(test) * mean, low, high


def anchors(cells: list[dict]) -> list[str]:
    """For each cell, the anchor of the last heading before it, as the site
    names it: small letters, hyphens, a number where one comes twice."""
    last, seen, out = "", {}, []
    for cell in cells:
        text = (
            "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
        )
        text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for title in re.findall(r"^#{1,3} (.+)$", text, flags=re.M):
            slug = title.strip().lower().replace(" ", "-")
            slug = re.sub(r"[^\w\u4e00-\u9fff\- ]", "", slug)
            seen[slug] = seen.get(slug, -1) + 1
            last = f"{slug}-{seen[slug]}" if seen[slug] else slug
        out.append(last)
    return out


def chapter_of(record: Record) -> str:
    """1_2 for a record of chapters/1_principles/1_2_scores_....ipynb."""
    name = record.notebook.rpartition("/")[2]
    return "_".join(name.split("_")[:2])


def box_link(claim: str, chapter: str) -> str | None:
    """Where a claim's box stands, seen from a chapter: ../folder/file#anchor.
    None if there is no such chapter yet."""
    paths = sorted(CHAPTERS.glob(f"*/{chapter}_*.ipynb"))
    if not paths:
        return None
    cells = json.loads(paths[0].read_text("utf8"))["cells"]
    link = f"../{paths[0].parent.name}/{paths[0].name}"
    shows = re.compile(rf"\b{claim.lower()}(\.settle\(|_box\b)")
    for cell, anchor in zip(reversed(cells), reversed(anchors(cells))):
        code = cell["cell_type"] == "code"
        if code and anchor and shows.search("".join(cell["source"])):
            return f"{link}#{anchor}"
    return link
