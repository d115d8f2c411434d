"""The records: ten seeds, a verdict that follows, code that still fits."""

import argparse
import ast

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from attnbook.claims.prediction import judge
from attnbook.claims.record import is_as_written, read_all
from attnbook.notebooks.cells import tags
from tools import claims, code_hash, kernels
from tools.notebooks import ROOT, code_cells, read

MADE = read_all("C") | read_all("B")


@pytest.fixture(params=MADE.values(), ids=MADE)
def record(request):
    return request.param


def test_ten_seeds(record):
    assert record.seeds == list(range(10))
    for values in record.metrics.values():
        assert all(len(seeds) == 10 for seeds in values.values())


def test_verdict_and_intervals_follow_from_the_seeds(record):
    verdict, tests = judge(record.predictions, record.metrics)
    assert (verdict, tests) == (record.verdict, record.tests)


def test_parameters_are_matched_where_baselines_have_any(record):
    sizes = [n for n in record.parameters.values() if n > 1]
    if sizes:
        assert max(sizes) <= 1.1 * min(sizes)
        timed = record.machine  # nothing was trained
        assert timed or record.longer_training["times"] >= 3


def test_every_record_fits_its_code():
    assert claims.stale() == []


def test_a_changed_line_makes_the_record_stale(record, tmp_path, monkeypatch):
    path = ROOT / record.notebook
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
        hashes.append(code_hash.code_hash(tmp_path / f"{k}.ipynb"))
    assert [h == record.code for h in hashes] == [False, True, True]


def stale_with(monkeypatch, module, change):
    """The claims whose records no longer fit after this change of a text."""
    original = code_hash.source_of

    def source_of(name):
        text = original(name)
        return change(text) if name == module else text

    monkeypatch.setattr(code_hash, "source_of", source_of)
    code_hash.code_of.cache_clear()
    found = claims.stale()
    code_hash.code_of.cache_clear()
    return found


def test_a_changed_definition_makes_the_records_that_use_it_stale(monkeypatch):
    stale = stale_with(
        monkeypatch,
        "attnbook.data.recall",
        lambda text: text.replace("argsort(1)", "argsort(-1)"),
    )
    named = {s.partition(":")[0] for s in stale}
    assert named == {"B19", "C01", "C04", "C16"}  # of the recall task
    assert stale[1].endswith("make claims CHAPTER=1_1")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n\ndef one_more(x):\n    return x + 1\n",
        lambda text: text.replace(
            "(scores)", '(scores: "Tensor") -> "Tensor"', 1
        ),
        lambda text: "# a comment\n" + text + "# another\n",
        lambda text: text.replace('"""', '"""Other words. ', 1),
    ],
    ids=["a new function", "hints", "comments", "docstring"],
)
def test_what_changes_no_result_makes_nothing_stale(monkeypatch, change):
    original = code_hash.source_of("attnbook.nn.attention")
    assert change(original) != original
    assert not stale_with(monkeypatch, "attnbook.nn.attention", change)


def test_a_module_that_moves_makes_nothing_stale(monkeypatch):
    """The hash knows what a name means, not where it lives."""
    cells = ["from attnbook.{} import softmax\ny = softmax(x)"]
    source, known = code_hash.source_of, code_hash.is_module
    monkeypatch.setattr(
        code_hash,
        "source_of",
        lambda name: source(name.replace("elsewhere", "nn.attention")),
    )
    monkeypatch.setattr(
        code_hash,
        "is_module",
        lambda name: known(name.replace("elsewhere", "nn.attention")),
    )
    here, there = (
        code_hash.hash_of([ast.parse(cells[0].format(place))])
        for place in ("nn.attention", "elsewhere")
    )
    code_hash.code_of.cache_clear()
    assert here == there


def test_an_edited_number_is_noticed(record, tmp_path):
    record.write(tmp_path)
    (path,) = tmp_path.iterdir()
    assert is_as_written(path)
    text = path.read_text("utf8").replace(
        '"seeds": [\n  0,', '"seeds": [\n  7,'
    )
    path.write_text(text, "utf8")
    assert not is_as_written(path)


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
