"""The Transformer's layers, with the norm before each part (chapter 2.5)."""

import torch
from torch import nn
from torch.nn import functional as F

from attnbook.nn.heads import MultiHead
from attnbook.nn.masks import causal_mask, padding_mask
from attnbook.nn.positions import sinusoids


def feed_forward(width, hidden):
    """Two linear maps with a ReLU between, at each position (Eq. 2.5.4)."""
    return nn.Sequential(
        nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width)
    )


class EncoderLayer(nn.Module):
    """Attend to one another, then think alone (Eq. 2.5.5).

    x (b, n, width) in and out; `attention_mask` (b, n, n) or broadcastable,
    `bias` as in MultiHead.
    """

    def __init__(self, width, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1, self.attend = nn.LayerNorm(width), MultiHead(width, heads)
        self.norm2, self.feed = nn.LayerNorm(width), feed_forward(width, hidden)
        self.drop = nn.Dropout(dropout)

    def forward(self, x, attention_mask=None, bias=None):
        y, _ = self.attend(
            self.norm1(x), attention_mask=attention_mask, bias=bias
        )
        x = x + self.drop(y)
        return x + self.drop(self.feed(self.norm2(x)))


class DecoderLayer(nn.Module):
    """Attend to what was written, then to the memory, then think (Eq. 2.5.6).

    x (b, i, width) in and out; memory (b, j, width); `attention_mask` (b, i, i)
    and `cross_attention_mask` (b, i, j), or broadcastable to these.
    """

    def __init__(self, width, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1, self.attend = nn.LayerNorm(width), MultiHead(width, heads)
        self.norm2, self.read = nn.LayerNorm(width), MultiHead(width, heads)
        self.norm3, self.feed = nn.LayerNorm(width), feed_forward(width, hidden)
        self.drop = nn.Dropout(dropout)

    def forward(
        self, x, memory, attention_mask=None, cross_attention_mask=None
    ):
        y, _ = self.attend(self.norm1(x), attention_mask=attention_mask)
        x = x + self.drop(y)
        y, _ = self.read(self.norm2(x), memory, cross_attention_mask)
        x = x + self.drop(y)
        return x + self.drop(self.feed(self.norm3(x)))


class Encoder(nn.Module):
    """A stack of encoder layers and a last norm (Eq. 2.5.5)."""

    def __init__(self, width, heads, hidden, layers, dropout=0.0):
        super().__init__()
        sizes = (width, heads, hidden, dropout)
        self.layers = nn.ModuleList(EncoderLayer(*sizes) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, x, attention_mask=None, bias=None):
        for layer in self.layers:
            x = layer(x, attention_mask, bias)
        return self.norm(x)


class Decoder(nn.Module):
    """A stack of decoder layers and a last norm (Eq. 2.5.6)."""

    def __init__(self, width, heads, hidden, layers, dropout=0.0):
        super().__init__()
        sizes = (width, heads, hidden, dropout)
        self.layers = nn.ModuleList(DecoderLayer(*sizes) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, x, memory, attention_mask=None, cross_attention_mask=None
    ):
        for layer in self.layers:
            x = layer(x, memory, attention_mask, cross_attention_mask)
        return self.norm(x)


class Transformer(nn.Module):
    """Read a source, write a target (Eq. 2.5.8).

    `source` (b, j) holds token numbers, of which the first `lengths` (b,) are
    real; `written` (b, i) the target so far, its start symbol first. Returns
    logits (b, i, vocabulary): row i is about the token after written[i].
    """

    def __init__(self, vocabulary, width, heads, hidden, layers, dropout=0.0):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.encoder = Encoder(width, heads, hidden, layers, dropout)
        self.decoder = Decoder(width, heads, hidden, layers, dropout)
        self.to_logits = nn.Linear(width, vocabulary)

    def place(self, tokens):
        x = self.embed(tokens)
        return x + sinusoids(*x.shape[1:]).to(x)

    def encode(self, source, lengths):
        cross_attention_mask = padding_mask(lengths, source.shape[1])
        return self.encoder(
            self.place(source), cross_attention_mask
        ), cross_attention_mask

    def decode(self, written, memory, cross_attention_mask):
        x, earlier = self.place(written), causal_mask(written.shape[1])
        return self.to_logits(
            self.decoder(x, memory, earlier, cross_attention_mask)
        )

    def forward(self, source, lengths, written):
        return self.decode(written, *self.encode(source, lengths))


def next_token_loss(logits, target, pad):
    """Mean cross-entropy of target[:, 1:], PAD left out (Eq. 2.5.9).

    logits (b, n - 1, vocabulary) were computed from target[:, :-1].
    """
    return F.cross_entropy(
        logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=pad
    )


@torch.no_grad()
def greedy_decode(model, source, lengths, begin, end, most):
    """Write up to `most` tokens greedily: (b, 1 + written) (Eq. 2.5.10).

    Stops when every row has written `end`; what a row holds after its own
    `end` means nothing.
    """
    memory, cross_attention_mask = model.encode(source, lengths)
    written = torch.full((len(source), 1), begin)
    for _ in range(most):
        logits = model.decode(written, memory, cross_attention_mask)[:, -1]
        written = torch.cat([written, logits.argmax(-1, keepdim=True)], dim=1)
        if (written == end).any(dim=1).all():
            break
    return written
