"""The Transformer's layers, with the norm before each part (chapter 2.5)."""

from torch import nn

from attnbook.heads import MultiHead


def feed_forward(width, hidden):
    """Two linear maps with a ReLU between, at each position (Eq. 2.5.4)."""
    return nn.Sequential(
        nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width)
    )


class EncoderLayer(nn.Module):
    """Attend to one another, then think alone (Eq. 2.5.5).

    x (b, n, width) in and out; `may_attend` (b, n, n) or broadcastable,
    `bias` as in MultiHead.
    """

    def __init__(self, width, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1, self.attend = nn.LayerNorm(width), MultiHead(width, heads)
        self.norm2, self.feed = nn.LayerNorm(width), feed_forward(width, hidden)
        self.drop = nn.Dropout(dropout)

    def forward(self, x, may_attend=None, bias=None):
        y, _ = self.attend(self.norm1(x), may_attend=may_attend, bias=bias)
        x = x + self.drop(y)
        return x + self.drop(self.feed(self.norm2(x)))


class DecoderLayer(nn.Module):
    """Attend to what was written, then to the memory, then think (Eq. 2.5.6).

    x (b, i, width) in and out; memory (b, j, width); `may_attend` (b, i, i)
    and `may_read` (b, i, j), or broadcastable to these.
    """

    def __init__(self, width, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1, self.attend = nn.LayerNorm(width), MultiHead(width, heads)
        self.norm2, self.read = nn.LayerNorm(width), MultiHead(width, heads)
        self.norm3, self.feed = nn.LayerNorm(width), feed_forward(width, hidden)
        self.drop = nn.Dropout(dropout)

    def forward(self, x, memory, may_attend=None, may_read=None):
        y, _ = self.attend(self.norm1(x), may_attend=may_attend)
        x = x + self.drop(y)
        y, _ = self.read(self.norm2(x), memory, may_read)
        x = x + self.drop(y)
        return x + self.drop(self.feed(self.norm3(x)))
