"""attnbook.nn.positions against closed forms and complex arithmetic."""

import math

import numpy as np
import pytest
import torch

from attnbook.nn.heads import MultiHead
from attnbook.nn.positions import (
    LearnedPositions,
    RelativeBias,
    RotaryHeads,
    alibi,
    rotary_frequencies,
    rotate,
    sinusoids,
)

B, H, N, D = 2, 3, 7, 10  # all different


def random(*shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator, dtype=dtype)


def by_complex(x, base=10_000.0):
    """Rotary positions as one complex product, in NumPy."""
    n, d = x.shape[-2:]
    z = x[..., 0::2] + 1j * x[..., 1::2]
    p, t = np.mgrid[0:n, 0 : d // 2]
    z = z * np.exp(1j * p / base ** (2 * t / d))
    return np.stack([z.real, z.imag], -1).reshape(x.shape)


def test_sinusoids_column_by_column():
    got = sinusoids(N, D, base=50.0)
    assert got.shape == (N, D) and got.dtype == torch.float32
    for p in range(N):
        for column in range(D):
            angle = p / 50.0 ** ((column - column % 2) / D)
            want = math.cos(angle) if column % 2 else math.sin(angle)
            assert math.isclose(got[p, column].item(), want, abs_tol=1e-6)


def test_sinusoids_stay_exact_at_far_positions():
    got = sinusoids(100_000, 4)[-1]
    want = [math.sin(99_999), math.cos(99_999)]
    want += [math.sin(999.99), math.cos(999.99)]
    torch.testing.assert_close(got, torch.tensor(want))


def test_an_odd_width_is_an_error():
    for call in (
        lambda: rotary_frequencies(5),
        lambda: sinusoids(3, 5),
        lambda: rotate(random(3, 5)),
        lambda: RotaryHeads(15, 3)(random(2, 4, 15, dtype=torch.float32)),
    ):
        with pytest.raises(ValueError, match="width 5 is odd"):
            call()


def test_learned_positions_are_its_rows_and_end():
    positions = LearnedPositions(N, D)
    assert positions(4).shape == (4, D)
    assert torch.equal(positions(4), positions.table[:4])
    positions(4).sum().backward()
    want = (torch.arange(N) < 4)[:, None].expand(N, D)
    assert torch.equal(positions.table.grad, want.float())
    assert positions(N).shape == (N, D)
    with pytest.raises(ValueError, match="8 positions, but vectors for 7"):
        positions(N + 1)


def test_relative_bias_entry_by_entry():
    bias = RelativeBias(H, reach=2).double()
    assert torch.equal(bias(N), torch.zeros(H, N, N, dtype=torch.float64))
    bias.table.data = random(H, 5)
    got = bias(N)
    for h in range(H):
        for i in range(N):
            for j in range(N):
                row = max(-2, min(2, j - i)) + 2
                assert got[h, i, j] == bias.table[h, row]


def test_relative_bias_gradient_counts_the_pairs():
    bias = RelativeBias(H, reach=2)
    bias(4).sum().backward()
    # distances -3..3 occur 1, 2, 3, 4, 3, 2, 1 times; -3 and 3 are clipped
    assert bias.table.grad.tolist() == [[3, 3, 4, 3, 3]] * H


@pytest.mark.parametrize("heads", [1, 2, 4, 8, 16])
def test_alibi_by_formula(heads):
    got = alibi(heads, 5)
    assert got.shape == (heads, 5, 5) and got.dtype == torch.float32
    ratio = 2 ** (-8 / heads)
    for h in range(heads):
        for i in range(5):
            for j in range(5):
                want = -(ratio ** (h + 1)) * abs(i - j)
                assert math.isclose(got[h, i, j].item(), want, rel_tol=1e-6)


def test_alibi_of_the_papers_eight_heads():
    slopes = -alibi(8, 2)[:, 0, 1]
    assert slopes.tolist() == [2.0**-h for h in range(1, 9)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rotate_equals_complex_product(dtype):
    x = random(B, H, N, D, dtype=dtype)
    before = x.clone()
    got = rotate(x)
    assert got.dtype == dtype and torch.equal(x, before)
    want = torch.tensor(by_complex(x.double().numpy()), dtype=dtype)
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(got.norm(dim=-1), x.norm(dim=-1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_rotate_keeps_half_precision(dtype):
    x = random(N, D, dtype=torch.float64).to(dtype)
    want = torch.tensor(by_complex(x.double().numpy())).to(dtype)
    got = rotate(x)
    assert got.dtype == dtype
    torch.testing.assert_close(got, want, atol=3e-2, rtol=3e-2)


def test_rotate_gradient():
    x = random(B, N, 4).requires_grad_()
    assert torch.autograd.gradcheck(rotate, (x,))
    u = random(B, N, 4).flip(0)
    (grad,) = torch.autograd.grad(rotate(x), x, u)
    z = torch.view_as_complex(u.unflatten(-1, (2, 2)).contiguous())
    p, t = torch.meshgrid(torch.arange(N), torch.arange(2), indexing="ij")
    angles = p * 10_000.0 ** (-t.double() / 2)
    back = torch.view_as_real(z * torch.polar(torch.ones_like(angles), -angles))
    torch.testing.assert_close(grad, back.flatten(-2))  # turned back


def test_rotated_scores_depend_on_the_distance_only():
    q, k = random(D), random(D).flip(0)
    scores = rotate(q.expand(N, D), 50.0) @ rotate(k.expand(N, D), 50.0).T
    for distance in range(-N + 1, N):
        line = scores.diagonal(distance)
        torch.testing.assert_close(line, line[:1].expand_as(line))
    assert not torch.allclose(scores[0, 0], scores[0, 1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rotary_heads(dtype):
    torch.manual_seed(0)
    width = H * D
    heads = RotaryHeads(width, H).to(dtype)
    plain = MultiHead(width, H).to(dtype)
    plain.load_state_dict(heads.state_dict())
    x, memory = random(B, N, width, dtype=dtype), random(B, 5, width)
    memory = memory.to(dtype)
    q, k, v = heads.project(x, memory)
    q0, k0, v0 = plain.project(x, memory)
    torch.testing.assert_close(q, rotate(q0))
    torch.testing.assert_close(k, rotate(k0))
    assert torch.equal(v, v0)
    y, a = heads(x, memory)
    assert y.dtype == dtype and a.shape == (B, H, N, 5)
    want = (q @ k.mT / D**0.5).softmax(-1)
    torch.testing.assert_close(a, want)
    shuffled, _ = heads(x[:, torch.arange(N).flip(0)])
    assert not torch.allclose(shuffled.flip(1), heads(x)[0], atol=1e-3)
