"""attnbook.nn.transformer and attnbook.nn.loop against PyTorch's own."""

import math

import pytest
import torch
from torch import nn

from attnbook.data import copy_reverse
from attnbook.nn.loop import train_model
from attnbook.nn.masks import causal_mask, padding_mask
from attnbook.nn.transformer import (
    Decoder,
    DecoderLayer,
    Encoder,
    EncoderLayer,
    Transformer,
    greedy_decode,
    next_token_loss,
)

B, N, J, WIDTH, HEADS, HIDDEN = 2, 5, 7, 12, 3, 20
CLOSE = {
    torch.float64: {},
    torch.float32: {"rtol": 1e-4, "atol": 1e-5},
    torch.bfloat16: {"rtol": 0.1, "atol": 0.1},
}


def attention_pairs(ours, theirs):
    """(our parameter, a view of PyTorch's) of one multi-head attention."""
    maps = (ours.to_q, ours.to_k, ours.to_v)
    weights = zip(maps, theirs.in_proj_weight.chunk(3))
    yield from ((m.weight, w) for m, w in weights)
    yield from ((m.bias, b) for m, b in zip(maps, theirs.in_proj_bias.chunk(3)))
    yield ours.to_out.weight, theirs.out_proj.weight
    yield ours.to_out.bias, theirs.out_proj.bias


def pairs(ours, theirs):
    """(our parameter, PyTorch's) of an encoder or decoder layer."""
    modules = [
        (ours.norm1, theirs.norm1),
        (ours.norm2, theirs.norm2),
        (ours.feed[0], theirs.linear1),
        (ours.feed[2], theirs.linear2),
    ]
    attentions = [(ours.attend, theirs.self_attn)]
    if hasattr(ours, "read"):
        modules.append((ours.norm3, theirs.norm3))
        attentions.append((ours.read, theirs.multihead_attn))
    for mine, other in modules:
        yield mine.weight, other.weight
        yield mine.bias, other.bias
    for mine, other in attentions:
        yield from attention_pairs(mine, other)


def twins(ours_kind, theirs_kind, dtype):
    """A layer of ours and PyTorch's with the same random weights."""
    torch.manual_seed(0)
    ours = ours_kind(WIDTH, HEADS, HIDDEN).to(dtype)
    theirs = theirs_kind(
        WIDTH, HEADS, HIDDEN, dropout=0.0, batch_first=True, norm_first=True
    ).to(dtype)
    with torch.no_grad():
        for mine, other in pairs(ours, theirs):
            mine.normal_(std=0.3)
            other.copy_(mine)
    return ours, theirs


def agree_with_gradients(ours, theirs, mine, other, inputs, dtype):
    """Same results; same gradients by the inputs and by every parameter."""
    torch.testing.assert_close(mine, other, **CLOSE[dtype])
    u = torch.randn(mine.shape).to(dtype)
    found = torch.autograd.grad(mine, [*inputs, *ours.parameters()], u)
    wanted = torch.autograd.grad(other, [*inputs, *theirs.parameters()], u)
    k = len(inputs)
    for x, y in zip(found[:k], wanted[:k]):
        torch.testing.assert_close(x, y, **CLOSE[dtype])
    with torch.no_grad():  # gradients take the parameters' places
        for layer, gradients in ((ours, found[k:]), (theirs, wanted[k:])):
            for parameter, gradient in zip(layer.parameters(), gradients):
                parameter.copy_(gradient)
        for x, y in pairs(ours, theirs):
            torch.testing.assert_close(x, y, **CLOSE[dtype])


@pytest.mark.parametrize("dtype", CLOSE)
def test_encoder_layer(dtype):
    ours, theirs = twins(EncoderLayer, nn.TransformerEncoderLayer, dtype)
    x = torch.randn(B, J, WIDTH).to(dtype).requires_grad_()
    may = padding_mask(torch.tensor([7, 4]), J)
    mine = ours(x, may)
    other = theirs(x, src_key_padding_mask=~may[:, 0])
    agree_with_gradients(ours, theirs, mine, other, [x], dtype)


@pytest.mark.parametrize("dtype", CLOSE)
def test_decoder_layer(dtype):
    ours, theirs = twins(DecoderLayer, nn.TransformerDecoderLayer, dtype)
    x = torch.randn(B, N, WIDTH).to(dtype).requires_grad_()
    memory = torch.randn(B, J, WIDTH).to(dtype).requires_grad_()
    may = padding_mask(torch.tensor([7, 4]), J)
    mine = ours(x, memory, causal_mask(N), may)
    other = theirs(
        x, memory, ~causal_mask(N), memory_key_padding_mask=~may[:, 0]
    )
    agree_with_gradients(ours, theirs, mine, other, [x, memory], dtype)


def test_stacks_equal_torch_transformer():
    torch.manual_seed(0)
    theirs = nn.Transformer(
        WIDTH, HEADS, 2, 3, HIDDEN, 0.0, batch_first=True, norm_first=True
    ).double()
    encoder = Encoder(WIDTH, HEADS, HIDDEN, 2).double()
    decoder = Decoder(WIDTH, HEADS, HIDDEN, 3).double()
    layers = [*zip(encoder.layers, theirs.encoder.layers)]
    layers += zip(decoder.layers, theirs.decoder.layers)
    with torch.no_grad():
        for mine, other in (p for pair in layers for p in pairs(*pair)):
            mine.copy_(other)
    x, y = torch.randn(B, J, WIDTH).double(), torch.randn(B, N, WIDTH).double()
    mine = decoder(y, encoder(x), causal_mask(N))
    torch.testing.assert_close(mine, theirs(x, y, tgt_mask=~causal_mask(N)))


def test_dropout_only_while_training():
    torch.manual_seed(0)
    layer, x = (
        EncoderLayer(WIDTH, HEADS, HIDDEN, dropout=0.5),
        torch.ones(1, 4, WIDTH),
    )
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_a_source_of_length_zero_is_an_error_with_a_sentence():
    model = Transformer(15, WIDTH, HEADS, HIDDEN, layers=1)
    source = torch.zeros(2, J, dtype=torch.long)
    with pytest.raises(ValueError, match="may attend to no key"):
        model(source, torch.tensor([3, 0]), source)


def test_loss_shifts_and_leaves_padding_out():
    target = torch.tensor([[1, 5, 6, 2], [1, 7, 2, 0]])
    logits = torch.randn(2, 3, 9, dtype=torch.float64)
    rows = [(0, 0, 5), (0, 1, 6), (0, 2, 2), (1, 0, 7), (1, 1, 2)]
    p = logits.softmax(-1)
    want = -sum(p[b, i, t].log() for b, i, t in rows) / 5
    torch.testing.assert_close(next_token_loss(logits, target, 0), want)


def test_writing_stops_when_all_rows_ended():
    class Ends(Transformer):
        def decode(self, written, memory, cross_attention_mask):
            logits = torch.zeros(*written.shape, 15)
            logits[:, -1, 2 if written.shape[1] >= 3 else 4] = 1
            return logits

    model = Ends(15, WIDTH, HEADS, HIDDEN, layers=1)
    source = torch.randint(3, 15, (B, J))
    out = greedy_decode(
        model, source, torch.tensor([7, 4]), begin=1, end=2, most=9
    )
    assert out.tolist() == [[1, 4, 4, 2]] * B


def test_fit_lowers_the_loss_and_is_decided_by_its_seed():
    def run():
        torch.manual_seed(0)
        model = Transformer(copy_reverse.VOCABULARY, 16, 2, 32, layers=1)
        generator = torch.Generator().manual_seed(0)

        def batch_loss(model):
            drawn = copy_reverse.copy_reverse_batch(16, 4, generator)
            logits = model(drawn.source, drawn.lengths, drawn.target[:, :-1])
            return next_token_loss(logits, drawn.target, copy_reverse.PAD)

        return train_model(model, batch_loss, 60, lr=1e-2)

    losses = run()
    assert losses == run() and len(losses) == 60
    assert losses[-1] < 0.75 * losses[0]
    assert losses[0] < 1.5 * math.log(copy_reverse.VOCABULARY)
