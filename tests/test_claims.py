"""The records: ten seeds, a verdict that follows, code that still fits."""

import argparse
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from attnbook import measure
from attnbook.measure import RECORDS, Test, judge
from tools import claims, kernels
from tools.notebooks import ROOT, code_cells, read, tags

FILES = sorted(RECORDS.glob(measure.FILES))
MADE = [json.loads(f.read_text("utf8")) for f in FILES]


@pytest.fixture(params=MADE, ids=[f.stem for f in FILES])
def record(request):
    return request.param


def test_ten_seeds(record):
    assert record["seeds"] == list(range(10))
    for values in record["metrics"].values():
        assert all(len(seeds) == 10 for seeds in values.values())


def test_verdict_and_intervals_follow_from_the_seeds(record):
    tests = [Test(**rule) for rule in record["rules"]]
    verdict, rows = judge(tests, record["metrics"])
    assert verdict == record["verdict"]
    assert rows == record["tests"]


def test_parameters_are_matched_where_baselines_have_any(record):
    sizes = [n for n in record["parameters"].values() if n > 1]
    if sizes:
        assert max(sizes) <= 1.1 * min(sizes)
        timed = "machine" in record  # nothing was trained
        assert timed or record["longer_training"]["times"] >= 3


def test_every_record_fits_its_code():
    assert claims.stale() == []


def test_a_changed_line_makes_the_record_stale(record, tmp_path, monkeypatch):
    path = ROOT / record["notebook"]
    changed, shown, layout = (read(path) for _ in range(3))
    results = [c for c in code_cells(changed) if "display" not in tags(c)]
    results[-1].source += "\nsomething_else = 1"
    next(
        c for c in code_cells(shown) if "display" in tags(c)
    ).source += "\nx = 1"
    code_cells(layout)[0].source += "  # a comment"
    hashes = []
    for k, notebook in enumerate((changed, shown, layout)):
        nbformat.write(notebook, tmp_path / f"{k}.ipynb")
        hashes.append(claims.code_hash(tmp_path / f"{k}.ipynb"))
    assert [h == record["code"] for h in hashes] == [False, True, True]


def test_a_changed_module_makes_the_record_stale(monkeypatch):
    original = claims.module_tree

    def changed(name):
        tree = original(name)
        if name == "attnbook.data.recall":
            tree.body = tree.body[:-1]
        return tree

    monkeypatch.setattr(claims, "module_tree", changed)
    stale = claims.stale()  # of the three chapters that use the recall task
    assert [s.split(" (or")[0] for s in stale] == [
        f"{claim}: the record is stale, because the code of chapters/{path}"
        for claim, path in (
            ("B19", "4_future_directions/4_4_acceleration.ipynb"),
            ("C01", "1_principles/1_1_why_attention.ipynb"),
            ("C04", "2_self_attention/2_2_scaling.ipynb"),
            ("C16", "4_future_directions/4_4_acceleration.ipynb"),
        )
    ]
    assert stale[1].endswith("make claims CHAPTER=1_1")


def test_seeds_run_everything_and_one_runs_longer(tmp_path, monkeypatch):
    """What papermill is told: all seeds, all baselines, one longer run."""
    cell = new_code_cell(
        "seed = 0\nlonger = 1\neverything = False",
        metadata={"tags": ["parameters"]},
    )
    path = tmp_path / "9_9_any.ipynb"
    nbformat.write(new_notebook(cells=[cell]), path)
    found = claims.runs_of(path, seeds=2)
    assert found == {
        (0, 1): {"seed": 0, "everything": True},
        (1, 1): {"seed": 1, "everything": True},
        (0, 4): {"seed": 0, "longer": 4, "everything": True},
    }
    cell.source = "seed = 0"
    nbformat.write(new_notebook(cells=[cell]), path)
    assert claims.runs_of(path, seeds=1) == {(0, 1): {"seed": 0}}


def test_longer_training_keeps_who_trains_longer():
    usual = {"metrics": {"ours": {"x": 0.9}, "base": {"x": 0.4, "y": 1.0}}}
    run = {"metrics": {"ours": {"x": 0.9}, "base": {"x": 0.7, "y": 1.0}}}
    kept = claims.longer_training(run, usual)
    assert kept["metrics"] == {"base": {"x": 0.7, "y": 1.0}}


def test_three_parts_are_everything():
    names = list("abcdefg")
    parts = [names[claims.part(f"{k}/3")] for k in (1, 2, 3)]
    assert sorted(sum(parts, [])) == names
    assert names[claims.part("1/1")] == names
    with pytest.raises(argparse.ArgumentTypeError, match="say 1/3"):
        claims.part("4/3")


def test_a_seed_that_comes_out_otherwise_is_counted():
    recorded = {"ours": {name: [0.90, 0.91, 0.92] for name in "abcd"}}
    run = {"claim": {"id": "B98"}, "metrics": {"ours": {}}}
    run["metrics"]["ours"] = {"a": 0.91, "b": 0.91, "c": 0.93, "d": 0.5}
    said, agrees = claims.compared(run, recorded, seed=1)
    assert agrees and said == "B98: 2 of 4 numbers as recorded"
    run["metrics"]["ours"]["b"] = 0.5
    said, agrees = claims.compared(run, recorded, seed=1)
    assert not agrees and "1 of 4" in said and "ours, b: this run" in said


@pytest.mark.parametrize("wide, limit", [(True, "avx2"), (False, None)])
def test_kernels_use_the_registers_of_the_records(monkeypatch, wide, limit):
    told = {}
    monkeypatch.setattr(kernels.os, "environ", told)
    monkeypatch.setattr(kernels, "has_avx512", lambda: wide)
    kernels.prepare()
    assert told.get("ATEN_CPU_CAPABILITY") == limit
