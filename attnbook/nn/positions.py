"""Where a token stands, told in five ways (chapter 2.4).

Positions count from 0. Letters: n length, h head, i query, j key, d width of
one head, t pair of columns.
"""

import torch
from torch import nn

from attnbook.nn.heads import MultiHead


def rotary_frequencies(width, base=10_000.0):
    """Angle per step of each pair, base^(-2t / width) (Eq. 2.4.3).

    float64, shape (width / 2,); ValueError if the width is odd.
    """
    if width % 2:
        raise ValueError(f"width {width} is odd: it does not fall into pairs")
    return base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)


def sinusoids(n, width, base=10_000.0):
    """Row p: sine and cosine of p times each rate, in turn (Eq. 2.4.4).

    float32, shape (n, width), sines in the even columns, cosines in the odd
    ones; ValueError if the width is odd.
    """
    angles = torch.arange(n)[:, None] * rotary_frequencies(width, base)
    pairs = torch.stack([angles.sin(), angles.cos()], dim=-1)
    return pairs.flatten(start_dim=-2).float()


class LearnedPositions(nn.Module):
    """One free vector per position: n to (n, width) (Eq. 2.4.8).

    ValueError if n exceeds `longest`: there is no vector for it.
    """

    def __init__(self, longest, width):
        super().__init__()
        self.table = nn.Parameter(torch.randn(longest, width))

    def forward(self, n):
        if n > len(self.table):
            raise ValueError(
                f"{n} positions, but vectors for {len(self.table)}"
            )
        return self.table[:n]


class RelativeBias(nn.Module):
    """One free number per head and clipped distance j - i (Eq. 2.4.11).

    Maps n to a bias (h, n, n) for the scores; all distances from `reach` on
    share a number.
    """

    def __init__(self, heads, reach):
        super().__init__()
        self.reach = reach
        self.table = nn.Parameter(torch.zeros(heads, 2 * reach + 1))

    def forward(self, n):
        place = torch.arange(n, device=self.table.device)
        far = (place - place[:, None]).clamp(-self.reach, self.reach)
        return self.table[:, far + self.reach]


def alibi(heads, n):
    """Minus slope times distance, slopes 2^(-8 h / heads) (Eq. 2.4.12).

    A bias (h, n, n) for the scores, float32, with h = 1, 2, ..., heads.
    """
    slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)
    place = torch.arange(n)
    return -slopes[:, None, None] * (place - place[:, None]).abs()


def rotate(x, base=10_000.0):
    """Turn pair t of row p by the angle p * rate_t (Eq. 2.4.16).

    Shape (..., n, d) in and out, dtype kept; pairs are neighbouring columns;
    ValueError if d is odd.
    """
    n, d = x.shape[-2:]
    angles = torch.arange(n)[:, None] * rotary_frequencies(d, base)
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = even * cos - odd * sin, even * sin + odd * cos
    return torch.stack(turned, dim=-1).flatten(start_dim=-2)


class RotaryHeads(MultiHead):
    """MultiHead whose queries and keys are turned first (Eq. 2.4.17).

    Row p of either sequence has position p; the values are not turned.
    """

    def project(self, x, memory):
        q, k, v = super().project(x, memory)
        return rotate(q), rotate(k), v
