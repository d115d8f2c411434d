"""Words as numbers, and additive attention over their padded batches."""

import pytest
import torch

from attnbook.data.text import BEGIN, END, PAD, Vocabulary, padded
from attnbook.nn.additive import Additive
from attnbook.nn.masks import padding_mask

VOCABULARY = Vocabulary([["red", "fish"], ["blue", "fish"]])


def test_every_word_has_a_number_and_comes_back():
    assert VOCABULARY.words[4:] == ["blue", "fish", "red"]
    numbers = VOCABULARY.encode(["red", "fish"])
    assert numbers == [6, 5]
    row = [BEGIN, *numbers, PAD, END, 4, 4]
    assert VOCABULARY.decode(row) == ["red", "fish"]


def test_an_unknown_word_or_none_is_named():
    with pytest.raises(ValueError, match="never saw the word 'green'"):
        VOCABULARY.encode(["green", "fish"])
    with pytest.raises(ValueError, match="no word in this text"):
        VOCABULARY.encode([])


def test_rows_are_filled_up_at_the_end():
    rows, lengths = padded([[7], [8, 9, 5]])
    assert rows.tolist() == [[7, PAD, PAD], [8, 9, 5]]
    assert lengths.tolist() == [1, 3]


def test_additive_weights_ignore_padding():
    b, i, j, query, key, hidden, e = 2, 4, 5, 7, 6, 9, 3
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    attend = Additive(query, key, hidden)
    q = torch.randn(b, i, query, generator=generator)
    k = torch.randn(b, j, key, generator=generator)
    v = torch.randn(b, j, e, generator=generator)
    may = padding_mask(torch.tensor([5, 2]), j)
    sums, weights = attend(q, attend.prepare(k), v, may)
    assert sums.shape == (b, i, e) and weights.shape == (b, i, j)
    assert (weights[1, :, 2:] == 0).all()
    score = attend.v(torch.tanh(attend.W(q[1, 3]) + attend.U(k[1, :2])))
    by_hand = score.squeeze(-1).softmax(-1)
    torch.testing.assert_close(weights[1, 3, :2], by_hand)
    torch.testing.assert_close(sums[1, 3], by_hand @ v[1, :2])
