"""Faithfulness of chapter 4.3: by hand, and on models whose truth is known."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from attnbook.metrics import faithfulness as ff

KNOWN = torch.tensor([[2.0, -1, 0.5, 3, -0.25, 99]]).double()  # 99: padding
REAL = torch.tensor([[True] * 5 + [False]])
STEPS = [k / 5 for k in range(6)]


def linear(kept):
    """A model whose true explanation is KNOWN: Eq. 4.3.4 with beta = 0.7."""
    return (kept * KNOWN).sum(dim=1) + 0.7


def areas(scores, value=linear, real=REAL, steps=STEPS):
    curves = ff.erasure_curves(value, scores, real, steps)
    return [ff.area(curve, steps).item() for curve in curves]


def test_ranks_by_hand_with_padding_and_ties():
    scores = torch.tensor([[1.0, 5, 1, 3, 9], [-2, -1, -3, -1, 0]])
    real = torch.tensor([[True] * 4 + [False], [True] * 5])
    want = [[2, 0, 3, 1, 4], [3, 1, 4, 2, 0]]
    assert ff.ranks(scores, real).tolist() == want


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_map_without_an_order_is_refused(bad):
    scores = torch.tensor([[0.0, bad, 1.0]])
    with pytest.raises(ValueError, match="it gives no order"):
        ff.ranks(scores, torch.ones(1, 3, dtype=torch.bool))
    ff.ranks(scores, torch.tensor([[True, False, True]]))  # only padding


@pytest.mark.parametrize(
    "share, many", [(0, 0), (0.01, 1), (0.2, 1), (0.21, 2), (0.6, 3), (1, 5)]
)
def test_a_share_of_five_tokens_is_rounded_up(share, many):
    top = ff.top_share(KNOWN, REAL, share)
    assert top.sum() == many and not top[0, 5]
    order = [3, 0, 2, 4, 1]
    assert top[0, order[:many]].all()


def test_rows_of_different_lengths_have_their_own_share():
    scores = torch.arange(8.0).expand(2, 8)
    real = torch.tensor([[True] * 8, [True] * 4 + [False] * 4])
    top = ff.top_share(scores, real, 0.5)
    assert top[0].tolist() == [False] * 4 + [True] * 4
    assert top[1].tolist() == [False] * 2 + [True] * 2 + [False] * 4


def test_the_true_order_is_the_best_of_all():
    found = {}
    for order in permutations(range(5)):
        scores = -torch.tensor([[*order, 0.0]])
        down, up = found[order] = areas(scores)
        assert down + up == pytest.approx(0.7 + 4.25 + 0.7)  # Eq. 4.3.5
    best = min(found, key=lambda k: found[k][0])
    assert best == tuple(ff.ranks(KNOWN, REAL)[0, :5].tolist())
    assert best == max(found, key=lambda k: found[k][1])
    assert areas(KNOWN) == pytest.approx(found[best])
    chance = np.mean([down for down, _ in found.values()])
    assert chance == pytest.approx(0.7 + 4.25 / 2)


def test_areas_by_hand_in_the_true_order():
    # p_j = 1 ... 5 for 3, 2, 0.5, -0.25, -1: sum of w (2 p - 1) / 10
    want = 0.7 + (3 * 1 + 2 * 3 + 0.5 * 5 - 0.25 * 7 - 1 * 9) / 10
    assert areas(KNOWN)[0] == pytest.approx(want)


def test_size_without_sign_lies_between_truth_and_reverse():
    true, size, back = (areas(m)[0] for m in (KNOWN, KNOWN.abs(), -KNOWN))
    assert true < size < back


def test_area_with_uneven_shares():
    curve = torch.tensor([[1.0, 4], [3, 4], [0, 4]])
    got = ff.area(curve, [0, 0.25, 1]).tolist()
    assert got == pytest.approx([2 * 0.25 + 1.5 * 0.75, 4])


def test_total_variation_by_hand():
    p = torch.tensor([[0.5, 0.5, 0], [1, 0, 0]])
    q = torch.tensor([[0.25, 0.5, 0.25], [0, 0.5, 0.5]])
    assert ff.total_variation(p, q).tolist() == [0.25, 1]


def test_jensen_shannon_by_hand_and_its_limits():
    a = torch.tensor([[1.0, 0], [1, 0], [0.3, 0.7]]).double()
    b = torch.tensor([[0.5, 0.5], [0, 1], [0.3, 0.7]]).double()
    first = math.log(4 / 3) / 2 + math.log(2 / 3) / 4 + math.log(2) / 4
    got = ff.jensen_shannon(a, b).tolist()
    assert got == pytest.approx([first, math.log(2), 0])
    assert ff.jensen_shannon(b, a).tolist() == pytest.approx(got)


def test_the_gradient_through_padding_is_finite_and_right():
    s = torch.tensor([[0.3, -1, 2, 5]]).double().requires_grad_()
    real = torch.tensor([[True, True, True, False]])
    b = torch.tensor([[0.2, 0.5, 0.3, 0]]).double()

    def apart(s):
        a = s.masked_fill(~real, -torch.inf).softmax(dim=-1)
        return ff.jensen_shannon(a, b).sum()

    apart(s).backward()
    assert torch.isfinite(s.grad).all() and s.grad[0, 3] == 0
    for k in range(3):
        step = torch.zeros(1, 4).double()
        step[0, k] = 1e-6
        with torch.no_grad():
            slope = (apart(s + step) - apart(s - step)) / 2e-6
        assert s.grad[0, k].item() == pytest.approx(slope.item(), abs=1e-8)


def test_rollout_is_the_derivative_of_a_network_of_averages():
    gen = torch.Generator().manual_seed(0)
    layers = torch.rand(3, 2, 5, 5, generator=gen).double()
    layers = list(layers / layers.sum(dim=-1, keepdim=True))
    x = torch.eye(5).double().expand(2, 5, 5)
    for a in layers:
        x = (x + a @ x) / 2
    torch.testing.assert_close(ff.rollout(layers), x)
    torch.testing.assert_close(x.sum(dim=-1), torch.ones(2, 5).double())
    assert not torch.allclose(ff.rollout(layers[::-1]), x)  # order matters


def test_rollout_by_hand():
    first = torch.tensor([[[0.0, 1], [0, 1]]])
    assert ff.rollout([first]).tolist() == [[[0.5, 0.5], [0, 1]]]


def test_rank_correlation_equals_scipys():
    rng = np.random.default_rng(0)
    x, y = torch.from_numpy(rng.normal(size=(2, 3, 9)))
    real = torch.ones(3, 9, dtype=torch.bool)
    real[1, 6:] = False
    got = ff.rank_correlation(x, y, real)
    for k, n in enumerate((9, 6, 9)):
        want = spearmanr(x[k, :n], y[k, :n]).statistic
        assert got[k].item() == pytest.approx(want)
