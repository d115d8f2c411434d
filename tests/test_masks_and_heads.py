"""Masks and heads against PyTorch: values and gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from attnbook.nn.attention import attention
from attnbook.nn.heads import MultiHead, join_heads, split_heads
from attnbook.nn.masks import causal_mask, padding_mask

b, h, i, j, d = 2, 3, 5, 7, 4
WIDTH = h * d
LENGTHS = torch.tensor([4, 7])
EXACT = {torch.float32, torch.float64}
DTYPES = [torch.float32, torch.float64, torch.bfloat16]


def tensor(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype).requires_grad_()


def close(ours, theirs):
    room = {} if ours.dtype in EXACT else {"rtol": 0.05, "atol": 0.05}
    torch.testing.assert_close(ours, theirs, **room)


def random_mask():
    """(b, i, j), a different row for each query, no row empty."""
    mask = torch.rand(b, i, j, generator=torch.Generator().manual_seed(3)) > 0.5
    mask[..., 0] = True
    return mask


MASKS = {
    "none": (i, j, None),
    "padding": (i, j, padding_mask(LENGTHS, j)),
    "causal": (j, j, causal_mask(j)),
    "both": (j, j, padding_mask(LENGTHS, j) & causal_mask(j)),
    "any": (i, j, random_mask()),
}


def pair(dtype):
    """Our layer and PyTorch's, with the same numbers in both."""
    torch.manual_seed(0)
    ours = MultiHead(WIDTH, h).to(dtype)
    theirs = nn.MultiheadAttention(WIDTH, h, batch_first=True, dtype=dtype)
    with torch.no_grad():
        inputs = (ours.to_q, ours.to_k, ours.to_v)
        for to in (*inputs, ours.to_out):  # PyTorch's biases start at 0
            to.bias.normal_()
        parts = zip(inputs, theirs.in_proj_weight.chunk(3))
        for to, weight in parts:
            weight.copy_(to.weight)
        for to, bias in zip(inputs, theirs.in_proj_bias.chunk(3)):
            bias.copy_(to.bias)
        theirs.out_proj.weight.copy_(ours.to_out.weight)
        theirs.out_proj.bias.copy_(ours.to_out.bias)
    return ours, theirs


def full(mask, queries, keys):
    """The mask as PyTorch's class wants it: (b h, i, j), True = forbidden."""
    if mask is None:
        return None
    mask = mask.expand(b, queries, keys)
    return ~mask.repeat_interleave(h, dim=0)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", MASKS)
def test_multi_head_equals_torch_in_value_and_gradient(kind, dtype):
    queries, keys, mask = MASKS[kind]
    ours, theirs = pair(dtype)
    x = tensor(b, queries, WIDTH, dtype=dtype)
    memory = tensor(b, keys, WIDTH, dtype=dtype, seed=1)
    y, a = ours(x, memory, mask)
    y_theirs, a_theirs = theirs(
        x,
        memory,
        memory,
        attn_mask=full(mask, queries, keys),
        average_attn_weights=False,
    )
    assert a.shape == (b, h, queries, keys)
    close(y, y_theirs)
    close(a, a_theirs)
    u = tensor(b, queries, WIDTH, dtype=dtype, seed=2).detach()
    mine = torch.autograd.grad(y, (x, memory, *ours.parameters()), u)
    other = torch.autograd.grad(y_theirs, (x, memory, *theirs.parameters()), u)
    close(mine[0], other[0])
    close(mine[1], other[1])
    by_name = dict(zip(dict(ours.named_parameters()), mine[2:]))
    in_weight, in_bias, out_weight, out_bias = other[2:]
    names = ("to_q", "to_k", "to_v")
    for name, weight, bias in zip(names, in_weight.chunk(3), in_bias.chunk(3)):
        close(by_name[f"{name}.weight"], weight)
        # a key bias moves all scores of a row alike: its gradient is 0
        close(by_name[f"{name}.bias"], bias)
    close(by_name["to_out.weight"], out_weight)
    close(by_name["to_out.bias"], out_bias)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", MASKS)
def test_attention_of_heads_equals_the_fused_kernel(kind, dtype):
    queries, keys, mask = MASKS[kind]
    x = tensor(b, queries, WIDTH, dtype=dtype)
    memory = tensor(b, keys, WIDTH, dtype=dtype, seed=1)
    q, k, v = (split_heads(z, h) for z in (x, memory, memory.cos()))
    mask = None if mask is None else mask.unsqueeze(-3)
    ours, _ = attention(q, k, v, mask)
    theirs = F.scaled_dot_product_attention(q, k, v, mask)
    close(ours, theirs)
    u = tensor(*ours.shape, dtype=dtype, seed=2).detach()
    leaves = (x, memory)
    for mine, other in zip(
        torch.autograd.grad(ours, leaves, u, retain_graph=True),
        torch.autograd.grad(theirs, leaves, u),
    ):
        close(mine, other)


def test_self_attention_is_memory_left_out():
    ours, _ = pair(torch.float64)
    x = tensor(b, i, WIDTH)
    for got, want in zip(ours(x), ours(x, x)):
        torch.testing.assert_close(got, want)


def test_a_bias_per_head_is_added_to_the_scores():
    ours, _ = pair(torch.float64)
    x, memory = tensor(b, i, WIDTH), tensor(b, j, WIDTH, seed=1)
    bias = tensor(h, i, j, seed=2)
    y, a = ours(x, memory, bias=bias)
    q, k, v = ours.project(x, memory)
    c = F.scaled_dot_product_attention(q, k, v, bias.expand(b, h, i, j))
    torch.testing.assert_close(y, ours.to_out(join_heads(c)))
    torch.testing.assert_close(a.sum(-1), torch.ones(b, h, i).double())


def test_heads_are_columns_and_join_undoes_split():
    x = tensor(b, i, WIDTH)
    pieces = split_heads(x, h)
    assert pieces.shape == (b, h, i, d)
    for head, columns in enumerate(x.split(d, dim=-1)):
        assert torch.equal(pieces[:, head], columns)
    assert torch.equal(join_heads(pieces), x)


def test_masks_entry_by_entry():
    padding, causal = padding_mask(LENGTHS, j), causal_mask(j)
    assert padding.shape == (b, 1, j) and padding.dtype == torch.bool
    assert causal.shape == (j, j) and causal.dtype == torch.bool
    for key in range(j):
        for one, length in enumerate(LENGTHS.tolist()):
            assert padding[one, 0, key] == (key < length)
        for query in range(j):
            assert causal[query, key] == (key <= query)


def test_causal_output_has_no_gradient_from_the_future():
    ours, _ = pair(torch.float64)
    x = tensor(b, j, WIDTH)
    y, _ = ours(x, attention_mask=causal_mask(j))
    for query in range(j):
        (g,) = torch.autograd.grad(y[:, query].sum(), x, retain_graph=True)
        assert (g[:, query + 1 :] == 0).all()
        assert (g[:, : query + 1].abs().amax(dim=-1) > 0).all()


def test_in_a_padded_batch_each_example_gets_what_it_gets_alone():
    ours, _ = pair(torch.float64)
    x = tensor(b, j, WIDTH).detach()
    x[0, 4:] = 1e6
    mask = padding_mask(LENGTHS, j)
    for more in (torch.tensor(True), causal_mask(j)):
        together, _ = ours(x, attention_mask=mask & more)
        for one, n in enumerate(LENGTHS.tolist()):
            short = x[one : one + 1, :n]
            own = more if more.ndim == 0 else more[:n, :n]
            alone, _ = ours(short, attention_mask=own.expand(n, n))
            torch.testing.assert_close(together[one, :n], alone[0])


def test_arguments_stay_as_they_were():
    ours, _ = pair(torch.float64)
    x, mask = tensor(b, j, WIDTH).detach(), padding_mask(LENGTHS, j)
    before = x.clone(), mask.clone()
    ours(x, attention_mask=mask)
    assert torch.equal(x, before[0]) and torch.equal(mask, before[1])


def test_heads_that_do_not_divide_the_width_are_named():
    with pytest.raises(ValueError, match="5 heads do not divide width 12"):
        MultiHead(12, 5)


@pytest.mark.parametrize(
    "mask",
    [
        padding_mask(torch.tensor([0, 3]), j),  # an empty example
        torch.tensor([False] + [True] * (j - 1)) & causal_mask(j),  # left
    ],
    ids=["empty", "left-padded"],
)
def test_a_query_with_no_key_is_an_error(mask):
    ours, _ = pair(torch.float64)
    with pytest.raises(ValueError, match="a query may attend to no key"):
        ours(tensor(b, j, WIDTH), attention_mask=mask)
