"""Intervals, bands, verdicts, matched sizes."""

import numpy as np
import pytest
from scipy import stats
from torch import nn

from attnbook.claims import Claim, Prediction, band, interval
from attnbook.claims import claim as claims
from attnbook.claims import record as records
from attnbook.claims.claim import assert_first_test, assert_inside
from attnbook.claims.prediction import judge
from attnbook.nn.train import count_parameters, matched_width
from tests.records import record


def test_interval_is_students():
    values = [0.2, 0.5, 0.4, 0.9, 0.6]
    want = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    mean, low, high = interval(values)
    assert mean == pytest.approx(np.mean(values))
    assert (low, high) == pytest.approx(want)


def test_interval_covers_the_true_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3, 2, size=(2000, 10))
    inside = [low <= 3 <= high for _, low, high in map(interval, draws)]
    assert 0.93 < np.mean(inside) < 0.97


def test_band_holds_one_more_seed():
    draws = np.random.default_rng(1).normal(size=(2000, 11))
    inside = [
        low <= row[10] <= high
        for row in draws
        for low, high in [band(row[:10])]
    ]
    assert 0.98 < np.mean(inside) < 1
    assert band([1.0] * 10) == pytest.approx((0.98, 1.02))
    low, high = band([1e-16] * 10)
    assert high < 1e-8  # a tiny number gets no wide band


@pytest.mark.parametrize(
    "gains, verdict",
    [([0.5, 0.6, 0.55], "holds"), ([0.0, 0.6, 0.6], "does not hold")],
)
def test_the_whole_interval_must_pass(gains, verdict):
    metrics = {
        "ours": {"accuracy": [0.4 + g for g in gains]},
        "base": {"accuracy": [0.4] * 3},
    }
    tests = [
        Prediction("accuracy", "ours", "base", at_least=0.3),
        Prediction("accuracy", "base", at_most=0.45),
    ]
    found, rows = judge(tests, metrics)
    assert found == verdict
    assert rows[0].mean == pytest.approx(np.mean(gains), abs=1e-4)


def test_without_its_first_test_a_claim_does_not_hold():
    metrics = {"ours": {"accuracy": [0.1, 0.2, 0.1]}}
    first = Prediction("accuracy", "ours", at_least=0.5)
    other = Prediction("accuracy", "ours", at_most=0.5)
    assert judge([first, other], metrics)[0] == "does not hold"
    assert judge([other, first], metrics)[0] == "holds in part"


def test_a_live_run_outside_the_band_is_named():
    recorded = {"ours": {"accuracy": [0.9, 0.91, 0.92]}}
    assert_inside({"ours": {"accuracy": 0.93}}, recorded)
    with pytest.raises(AssertionError, match="ours, accuracy: this run gives"):
        assert_inside({"ours": {"accuracy": 0.5}}, recorded)
    with pytest.raises(AssertionError, match="not recorded; renew"):
        assert_inside({"ours": {"speed": 0.5}}, recorded)


def test_one_number_in_four_may_lie_outside_its_band():
    recorded = {"ours": {name: [0.9, 0.91, 0.92] for name in "abcdefgh"}}
    live = dict.fromkeys("abcdef", 0.91)
    assert_inside({"ours": live | {"g": 0.5, "h": 0.5}}, recorded)
    with pytest.raises(AssertionError, match="3 of 8 numbers differ"):
        bad = live | {"f": float("nan"), "g": 0.5, "h": 0.5}
        assert_inside({"ours": bad}, recorded)


def timed_claim(monkeypatch, tmp_path):
    """A claim about times whose record (made elsewhere) says 2 and 8 ms."""
    tests = (Prediction("ms", "ours", "base", at_most=-1),)
    metrics = {"ours": {"ms": [2.0] * 3}, "base": {"ms": [8.0] * 3}}
    made = record(tests, metrics, claim="B98")
    made.write(tmp_path)
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    monkeypatch.setattr(claims, "ClaimBox", lambda claim, record: record)
    return Claim("B98", "fast", tests, "here", "not", times=True), made


def test_times_must_agree_with_the_first_test_only(monkeypatch, tmp_path):
    claim, record = timed_claim(monkeypatch, tmp_path)
    slower_machine = {"ours": {"ms": 40.0}, "base": {"ms": 99.0}}
    assert claim.settle(slower_machine, {}, {}) == record
    upside_down = {"ours": {"ms": 99.0}, "base": {"ms": 40.0}}
    with pytest.raises(AssertionError, match="is the machine busy?"):
        claim.settle(upside_down, {}, {})


def test_a_busy_moment_is_no_other_verdict():
    test = Prediction("ms", "ours", "base", at_most=-6)
    recorded = {"ours": {"ms": [2] * 3}, "base": {"ms": [8] * 3}}
    near, far = ({"ours": {"ms": 2}, "base": {"ms": t}} for t in (7.95, 7.5))
    assert_first_test(test, near, recorded)
    with pytest.raises(AssertionError, match="is the machine busy?"):
        assert_first_test(test, far, recorded)


def test_a_claim_without_a_record_says_what_to_do():
    claim = Claim("C99", "nothing", (), "nothing", "nothing")
    assert "make claims" in repr(claim.settle({}, {}, {}))


def test_a_run_that_measures_nothing_says_so(monkeypatch, tmp_path):
    claim = Claim(
        "B97", "large", (Prediction("x", "ours", at_least=1),), "", ""
    )
    made = record(claim.tests, {"ours": {"x": [2.0] * 3}}, claim="B97")
    made.write(tmp_path)
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    assert "the record's alone" in repr(claim.settle({}, {}, {}))
    live = claim.settle({"ours": {"x": 2.0}}, {}, {})
    assert "inside their recorded bands" in repr(live)


def test_matched_width_finds_the_nearest_size():
    def build(width):
        return nn.Linear(width, 10, bias=False)

    assert count_parameters(build(7)) == 70
    assert matched_width(build, 68, range(1, 20)) == 7
