"""Several attentions side by side (chapter 2.3).

Letters: b batch, h head, i query, j key, d width of one head.
"""

from torch import nn

from attnbook.nn.attention import attention


def split_heads(x, heads):
    """Cut the last axis into heads: (b, i, h d) to (b, h, i, d) (Eq. 2.3.6)."""
    b, i, width = x.shape
    return x.view(b, i, heads, width // heads).transpose(1, 2)


def join_heads(x):
    """Undo split_heads: (b, h, i, d) to (b, i, h d) (Eq. 2.3.6)."""
    return x.transpose(1, 2).flatten(start_dim=2)


class MultiHead(nn.Module):
    """`heads` attentions side by side, then one linear map (Eq. 2.3.7).

    Queries come from x (b, i, width); keys and values from memory (b, j,
    width), or from x. `attention_mask` has shape (b, i, j) or broadcasts to it,
    `bias` (h, i, j) or (b, h, i, j). Returns the new x (b, i, width) and the
    weights (b, h, i, j).
    """

    def __init__(self, width, heads):
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide width {width}")
        self.heads = heads
        self.to_q, self.to_k = nn.Linear(width, width), nn.Linear(width, width)
        self.to_v, self.to_out = (
            nn.Linear(width, width),
            nn.Linear(width, width),
        )

    def project(self, x, memory):
        """Queries, keys and values of every head, each (b, h, i, d)."""
        maps = (self.to_q, x), (self.to_k, memory), (self.to_v, memory)
        return [split_heads(to(y), self.heads) for to, y in maps]

    def forward(self, x, memory=None, attention_mask=None, bias=None):
        q, k, v = self.project(x, x if memory is None else memory)
        if attention_mask is not None:
            attention_mask = attention_mask.unsqueeze(
                -3
            )  # the same for all heads
        c, a = attention(q, k, v, attention_mask, bias)
        return self.to_out(join_heads(c)), a
