"""The data generators: deterministic, well-formed, documented."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

import attnbook.data
from attnbook.data.curve import NOISE, noisy_curve, true_curve
from attnbook.data.recall import KEYS, VALUES, recall_batch


def draw(seed, b=64, n=9):
    return recall_batch(b, n, torch.Generator().manual_seed(seed))


def test_recall_is_decided_by_its_generator():
    for a, b in zip(draw(3), draw(3)):
        assert torch.equal(a, b)
    assert not torch.equal(draw(3).keys, draw(4).keys)


def test_recall_asks_for_a_pair_that_was_shown():
    batch = draw(0)
    row = torch.arange(64)
    assert all(len(set(keys.tolist())) == 9 for keys in batch.keys)
    assert torch.equal(batch.keys[row, batch.where], batch.asked)
    assert torch.equal(batch.values[row, batch.where], batch.answer)
    assert batch.keys.max() < KEYS and batch.values.max() < VALUES


@pytest.mark.parametrize("n", [0, KEYS + 1])
def test_recall_refuses_impossible_lengths(n):
    with pytest.raises(ValueError, match="n must lie between 1 and 26"):
        draw(0, n=n)


def test_train_and_test_of_1_1_share_no_sequence():
    train = draw(0, b=20_000, n=8)
    test = draw(10_000, b=4_000, n=8)
    seen = {tuple(r) for r in torch.cat([train.keys, train.values], 1).tolist()}
    fresh = torch.cat([test.keys, test.values], 1).tolist()
    assert not any(tuple(row) in seen for row in fresh)


def test_curve_is_the_true_one_plus_noise():
    x, y = noisy_curve(20_000, np.random.default_rng(0))
    assert (np.diff(x) >= 0).all() and x.min() >= 0 and x.max() <= 5
    assert np.std(y - true_curve(x)) == pytest.approx(NOISE, rel=0.02)
    assert true_curve(np.array([0.0])) == 0


def test_every_data_module_has_a_card():
    for path in Path(attnbook.data.__path__[0]).glob("[a-z]*.py"):
        card = ast.get_docstring(ast.parse(path.read_text("utf8")))
        for word in ("Source:", "Licence:", "Size:", "How made:", "Can show:"):
            assert word in card, f"{path.name}: no '{word}'"
        assert "Cannot show:" in card
