"""attnbook.nn.attention against PyTorch: values, gradients, types, limits."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from attnbook.nn.attention import look_back, softmax


def tensors(*shapes, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(s, generator=generator, dtype=dtype).requires_grad_()
        for s in shapes
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_look_back_equals_torch_in_value_and_gradient(dtype):
    b, n, d, e = 3, 7, 4, 5
    query, keys, states = tensors((b, d), (b, n, d), (b, n, e), dtype=dtype)
    ours, weights = look_back(query, keys, states)
    theirs = F.scaled_dot_product_attention(query[:, None], keys, states)[:, 0]
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(weights.sum(-1), torch.ones(b, dtype=dtype))
    u = torch.ones_like(ours) * torch.arange(e)
    for mine, other in zip(
        torch.autograd.grad(ours, (query, keys, states), u, retain_graph=True),
        torch.autograd.grad(theirs, (query, keys, states), u),
    ):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("scale", [1, 1e4])
def test_softmax_equals_torch(kind, scale):
    scores = np.random.default_rng(0).normal(size=(2, 5, 3)) * scale
    scores = scores.astype(kind)
    before = scores.copy()
    want = torch.tensor(scores.astype(float)).softmax(-1).numpy()
    got = softmax(scores)
    assert got.dtype == kind
    np.testing.assert_allclose(
        got, want, atol=2e-3 if kind == np.float16 else 1e-6
    )
    np.testing.assert_array_equal(scores, before)


def test_softmax_of_a_row_with_one_key_left():
    row = np.array([-np.inf, 3.0, -np.inf])
    np.testing.assert_array_equal(softmax(row), [0, 1, 0])
