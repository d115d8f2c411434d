"""The records read together: sixteen claims, effects, links to their boxes."""

import pytest

from attnbook.claims import interval, scoreboard
from attnbook.claims import record as records
from tests.records import DOWN, UP, record


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    return tmp_path


def test_sixteen_claims_in_order():
    assert list(scoreboard.ARTICLE) == [f"C{k:02}" for k in range(1, 17)]
    sections = [entry.section for entry in scoreboard.ARTICLE.values()]
    assert sections == sorted(sections)
    for entry in scoreboard.ARTICLE.values():
        assert entry.says[0].isupper() and entry.says.endswith(".")


def test_records_agree_with_the_list():
    for claim, made in records.read_all().items():
        assert made.claim == claim
        entry = scoreboard.ARTICLE[claim]
        assert scoreboard.chapter_of(made) == entry.chapter


def test_families_are_kept_apart(folder):
    for name in ("C01", "C02", "B01"):
        record(claim=name).write(folder)
    assert list(records.read_all()) == ["C01", "C02"]
    assert list(records.read_all("B")) == ["B01"]


@pytest.mark.parametrize("text", ["", "{", "3", '{"claim": "C01"}', "[]"])
def test_a_broken_record_is_named(folder, text):
    (folder / "C01.json").write_text(text, "utf8")
    with pytest.raises(ValueError, match="C01.json is no record"):
        records.read_all()


def test_the_first_comparison_of_two_models():
    assert scoreboard.comparison(record()) == UP
    alone = record([DOWN])
    assert scoreboard.comparison(alone) == DOWN
    assert scoreboard.bound(UP) == 0.5 and scoreboard.bound(DOWN) == 0.2


def test_an_effect_is_turned_towards_the_claim():
    mean, low, high = scoreboard.effect(record(), UP)
    assert mean == pytest.approx(3) and low < mean < high
    turned = scoreboard.effect(record(), DOWN)
    straight = interval([0.1, 0.2, 0.3])
    assert turned == pytest.approx((-straight[0], -straight[2], -straight[1]))


def test_anchors_count_headings_that_come_twice():
    def cell(kind, text):
        return {"cell_type": kind, "source": [text]}

    cells = [
        cell("code", "# no heading"),
        cell("markdown", "# 1.1 Why?\n\n## The verdict"),
        cell("code", "x"),
        cell("markdown", "text\n\n### The verdict"),
        cell("markdown", "```\n# code\n```\n#### too deep"),
        cell("markdown", "## As fast as PyTorch's?"),
    ]
    assert scoreboard.anchors(cells) == [
        "",
        "the-verdict",
        "the-verdict",
        "the-verdict-1",
        "the-verdict-1",
        "as-fast-as-pytorchs",
    ]


def test_every_recorded_claim_has_a_link_to_its_box():
    for family in "CB":
        for claim, made in records.read_all(family).items():
            link = scoreboard.box_link(claim, scoreboard.chapter_of(made))
            path, _, anchor = link.partition("#")
            assert (scoreboard.CHAPTERS / "x" / path).resolve().exists()
            assert anchor, f"{claim}: no cell settles it"


def test_a_chapter_that_is_missing_has_no_link():
    assert scoreboard.box_link("C16", "9_9") is None
