"""The data generators: deterministic, well-formed, documented."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

import attnbook.data
from attnbook.data import copy_reverse, sentences
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


def test_copy_reverse_is_well_formed():
    generator = torch.Generator().manual_seed(0)
    drawn = copy_reverse.copy_reverse_batch(300, 6, generator, shortest=2)
    assert set(drawn.lengths.tolist()) == {3, 4, 5, 6, 7}
    for source, n, target in zip(drawn.source, drawn.lengths, drawn.target):
        first, *digits = source[:n].tolist()
        assert (source[n:] == copy_reverse.PAD).all() and min(digits) >= 5
        wanted = digits if first == copy_reverse.COPY else digits[::-1]
        begin, end = copy_reverse.BEGIN, copy_reverse.END
        padding = [copy_reverse.PAD] * (7 - len(digits) - 1)
        assert target.tolist() == [begin, *wanted, end, *padding]


@pytest.mark.parametrize("shortest, longest", [(0, 3), (4, 3)])
def test_copy_reverse_refuses_impossible_lengths(shortest, longest):
    with pytest.raises(ValueError, match="1 <= shortest <= longest"):
        copy_reverse.copy_reverse_batch(2, longest, torch.Generator(), shortest)


def test_sentences_have_the_entropy_that_their_card_states():
    rng = np.random.default_rng(0)
    drawn = [sentences.draw_sentence(rng) for _ in range(20_000)]
    bits = [-sentences.log2_probability(text) for text in drawn]
    assert np.mean(bits) == pytest.approx(sentences.ENTROPY, abs=0.05)
    assert all(sentences.agreement(text) for text in drawn)
    sizes = [len(text) for text in drawn]
    assert min(sizes) >= 21 and max(sizes) <= sentences.LONGEST
    # 2^-bits is a probability: the share of the likeliest kind must fit it
    shortest = [b for b in bits if b == 14]
    kinds = 2 * 8 * 8 * 2 * 8  # no adjective, no place
    assert len(shortest) / 20_000 == pytest.approx(kinds / 2**14, rel=0.1)


def test_a_wrong_verb_is_outside_the_grammar():
    right = "the dogs near the cat see the girl."
    wrong = "the dogs near the cat sees the girl."
    assert sentences.wrong_number(right) == wrong
    assert sentences.wrong_number(wrong) == right
    assert sentences.other_number_between(right)
    assert sentences.log2_probability(wrong) == -np.inf
    assert sentences.agreement(wrong) is False
    assert sentences.agreement("the dogs sleep.") is None


def test_every_data_module_has_a_card():
    for path in Path(attnbook.data.__path__[0]).glob("[a-z]*.py"):
        card = ast.get_docstring(ast.parse(path.read_text("utf8")))
        if "Holds no data set" in card:
            continue
        for word in ("Source:", "Licence:", "Size:", "How made:", "Can show:"):
            assert word in card, f"{path.name}: no '{word}'"
        assert "Cannot show:" in card
