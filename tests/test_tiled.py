"""Attention in tiles: exact, small, stable; and the counter that says so."""

import pytest
import torch

from attnbook.nn.attention import attention
from attnbook.nn.tiled import LiveTensors, cuts, key_tiles, tiled_attention


def numbers(*shapes, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(s, generator=generator, dtype=dtype) for s in shapes]


CASES = [  # queries, keys, causal, rows, columns
    (5, 7, False, 2, 3),
    (7, 5, False, 7, 1),
    (13, 13, True, 4, 3),
    (13, 13, True, 3, 5),
    (8, 8, True, 8, 2),
    (6, 6, False, 100, 100),
    (1, 1, True, 1, 1),
]


@pytest.mark.parametrize("i, j, causal, rows, columns", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_those_of_attention(
    i, j, causal, rows, columns, dtype
):
    shapes = (2, 4, i, 8), (2, 4, j, 8), (2, 4, j, 3), (2, 4, i, 3)
    q, k, v, u = numbers(*shapes, dtype=dtype)
    given = [x.requires_grad_() for x in (q, k, v)]
    mask = torch.ones(i, j, dtype=torch.bool).tril() if causal else None
    ours = tiled_attention(*given, causal, rows, columns)
    want, _ = attention(*given, mask)
    assert ours.dtype == dtype
    close = {"rtol": 0, "atol": 1e-12 if dtype == torch.float64 else 1e-6}
    torch.testing.assert_close(ours, want, **close)
    grads = [torch.autograd.grad((c * u).sum(), given) for c in (ours, want)]
    close["atol"] *= 4
    torch.testing.assert_close(*grads, **close)


@pytest.mark.parametrize("causal", [False, True])
def test_large_scores_give_finite_results(causal):
    q, k, v = numbers((1, 9, 4), (1, 9, 4), (1, 9, 2))
    q = (q * 1e4).requires_grad_()
    c = tiled_attention(q, k, v, causal, 4, 2)
    mask = torch.ones(9, 9, dtype=torch.bool).tril() if causal else None
    torch.testing.assert_close(c, attention(q, k, v, mask)[0])
    assert torch.autograd.grad(c.sum(), q)[0].isfinite().all()


def test_no_argument_is_changed():
    given = numbers((3, 9, 4), (3, 9, 4), (3, 9, 2))
    before = [x.clone() for x in given]
    tiled_attention(*given, True, 4, 2)
    torch.testing.assert_close(given, before)


def test_memory_grows_in_proportion_to_the_length():
    peaks = []
    for n in (512, 1024):
        q, k, v = (x.requires_grad_() for x in numbers(*3 * [(2, n, 16)]))
        with LiveTensors() as live:
            tiled_attention(q, k, v, True, 64, 32).sum().backward()
        peaks.append(live.peak)
        assert live.largest == 8 * 2 * n * 16  # a result, not a tile
    assert peaks[1] < 2.1 * peaks[0]


def test_tiles_cover_each_allowed_pair_once():
    for causal in (False, True):
        seen = torch.zeros(11, 11)
        for i in cuts(11, 4):
            for j, hidden in key_tiles(i, 11, 3, causal):
                shown = torch.ones(i.stop - i.start, j.stop - j.start)
                seen[i, j] += shown if hidden is None else ~hidden * shown
        want = torch.ones(11, 11)
        assert torch.equal(seen, want.tril() if causal else want)


BAD = [
    (((2, 5, 8), (2, 7, 8), (2, 6, 3)), False, "k and v in keys"),
    (((2, 5, 8), (3, 7, 8), (3, 7, 3)), False, "agree in heads"),
    (((2, 5, 8), (2, 7, 4), (2, 7, 3)), False, "one width"),
    (((2, 5, 8), (2, 0, 8), (2, 0, 3)), False, "there must be keys"),
    (((2, 5, 8), (2, 7, 8), (2, 7, 3)), True, "as many queries as keys"),
]


@pytest.mark.parametrize("shapes, causal, says", BAD)
def test_shapes_that_do_not_fit_get_a_sentence(shapes, causal, says):
    with pytest.raises(ValueError, match=says):
        tiled_attention(*numbers(*shapes), causal)


def test_a_gradient_of_the_gradient_is_refused():
    q, k, v = (x.requires_grad_() for x in numbers(*3 * [(1, 4, 2)]))
    c = tiled_attention(q, k, v).square().sum()
    (dq,) = torch.autograd.grad(c, q, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        dq.sum().backward()


def test_the_counter_knows_views_changes_in_place_and_what_was_freed():
    outside = torch.ones(500)
    with LiveTensors() as live:
        outside.add_(1)
        outside.view(5, 100)
        a = torch.ones(1000)
        b = a[:10].mul_(3) + 1
        del b
        c = a + 1
    assert (live.peak, live.live, live.largest) == (8000, 8000, 4000)
    del a, c
    assert live.live == 0
