"""Classifiers of chapters 3.2 and 3.4, for chapter 4.3 to explain.

Reviews: Eq. 3.2.2 to 3.2.5; images: Eq. 3.4.1 to 3.4.11, with the exact
account of each place's credit and how much of a place the digit's box covers.
"""

import torch
from torch import nn
from torch.nn import functional as F

from attnbook.data.cluttered_digits import SIZE
from attnbook.data.text import PAD
from attnbook.nn.additive import Additive
from attnbook.nn.attention import attention


def attention_pool(h, scores, attention_mask):
    """Sum of h with weights softmax(scores) over real words (Eq. 3.2.5).

    h (b, n, e), scores and attention_mask (b, n); returns the sums (b, e) and
    the weights (b, n), which are 0 at padding.
    """
    a_bj = scores.masked_fill(~attention_mask, -torch.inf).softmax(dim=-1)
    return torch.einsum("bj,bje->be", a_bj, h), a_bj


class ReviewReader(nn.Module):
    """Two logits (bad, good) and the weights, None without attention.

    Reviews (b, n), padded with PAD, and aspects (b,) as word numbers.
    """

    def __init__(self, words, pool, width):
        super().__init__()
        self.pool, self.embed = pool, nn.Embedding(words, 32)
        self.near = nn.Conv1d(32, width, 5, padding=2)
        self.skip = nn.Linear(32, width)
        if pool is None:  # attention
            self.score = Additive(query=32, key=width, hidden=width)
        head = nn.Linear(width + 32, 64), nn.ReLU(), nn.Linear(64, 2)
        self.answer = nn.Sequential(*head)

    def forward(self, words, aspects):
        x, query = self.embed(words), self.embed(aspects)
        return self.read(x, query, words != PAD)

    def read(self, x, query, attention_mask):
        x = x * attention_mask[..., None]  # beyond the end there is nothing
        h = self.near(x.mT).mT.relu() + self.skip(x)
        c, weights = self.summary(h, query, attention_mask)
        return self.answer(torch.cat([c, query], dim=-1)), weights

    def summary(self, h, query, attention_mask):
        if self.pool is not None:
            return self.pool(h, attention_mask), None
        s = self.score.scores(query[:, None], self.score.prepare(h))
        return attention_pool(h, s[:, 0], attention_mask)


def average_weights(v):
    """1 / n at each place: (b, n, w) in and out (Eq. 3.4.2, left)."""
    return torch.full_like(v, 1 / v.shape[1])


def max_weights(v):
    """1 where a coordinate is largest, else 0 (Eq. 3.4.2, middle)."""
    return F.one_hot(v.argmax(dim=1), v.shape[1]).mT.to(v)


def query_weights(query, h):
    """Softmax of the scores of Eq. 3.4.3: query (i, w), h (b, n, w); weights
    (b, n, w), where query i weighs the i-th part of the coordinates."""
    _, a_ij = attention(query, h, h)
    return a_ij.mT.repeat_interleave(h.shape[-1] // len(query), dim=-1)


class CbamGates(nn.Module):
    """Gated states h' (b, n, w) and spatial gates g (b, n, 1), from h
    (b, n, w) of a square grid (Eq. 3.4.9 and 3.4.10)."""

    def __init__(self, width):
        super().__init__()
        self.small = nn.Sequential(
            nn.Linear(width, width // 8),
            nn.ReLU(),
            nn.Linear(width // 8, width),
        )
        self.conv = nn.Conv2d(2, 1, kernel_size=7, padding=3)

    def forward(self, h):
        opened = self.small(h.mean(dim=1)) + self.small(h.amax(dim=1))
        h = h * opened.sigmoid()[:, None]
        side = int(h.shape[1] ** 0.5)
        seen = torch.stack([h.mean(dim=-1), h.amax(dim=-1)], dim=1)
        g = self.conv(seen.unflatten(-1, (side, side))).sigmoid()
        return h, g.flatten(1)[..., None]


def digit_stem(width):
    """Four convolutions, (b, 1, 40, 40) to (b, width, 10, 10)."""
    layers = []
    sizes = (
        (1, 16, 5, 2),
        (16, 32, 3, 1),
        (32, width, 3, 1),
        (width, width, 3, 1),
    )
    for before, after, kernel, stride in sizes:
        conv = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2)
        layers += [conv, nn.BatchNorm2d(after), nn.ReLU()]
    layers.insert(6, nn.MaxPool2d(2))
    model = nn.Sequential(*layers)
    return model.to(memory_format=torch.channels_last)  # faster on a CPU


class AverageClassifier(nn.Module):
    """Logits (b, 10) from the weights a and values v, both (b, n, w)."""

    def __init__(self, width):
        super().__init__()
        self.stem = digit_stem(width)
        self.to_v, self.to_z = nn.Linear(width, width), nn.Linear(width, 10)

    def states(self, images):
        images = images.contiguous(memory_format=torch.channels_last)
        return self.stem(images).flatten(2).mT

    def evidence(self, images):
        v = self.to_v(self.states(images))
        return average_weights(v), v

    def forward(self, images):
        a, v = self.evidence(images)
        return self.to_z((a * v).sum(dim=1))


class MaxClassifier(AverageClassifier):
    """All weight on the largest, for each coordinate."""

    def evidence(self, images):
        v = self.to_v(self.states(images))
        return max_weights(v), v


class QueryClassifier(AverageClassifier):
    """Attention pooling; several queries weigh a part of v each."""

    def __init__(self, width, queries=1):
        super().__init__(width)
        self.query = nn.Parameter(torch.randn(queries, width))

    def evidence(self, images):
        h = self.states(images)
        return query_weights(self.query, h), self.to_v(h)


class GatedClassifier(AverageClassifier):
    """CBAM's gates before the average (Eq. 3.4.11)."""

    def __init__(self, width):
        super().__init__(width)
        self.gates = CbamGates(width)

    def evidence(self, images):
        h, g = self.gates(self.states(images))
        v = self.to_v(h)
        return g * average_weights(v), v


def credit_of_places(a, v, class_weights, labels):
    """r_jk for the class in labels (Eq. 3.4.7), (b, n).

    a, v (b, n, w); class_weights (classes, w); labels (b,).
    """
    u = class_weights - class_weights.mean(dim=0)
    return torch.einsum("bjm,bm->bj", a * v, u[labels])


def box_cover(boxes, grid=10):
    """Share o_j of each place's square that a box covers: (b, 4) to (b, n)."""
    side = SIZE / grid
    low = torch.arange(grid) * side
    covered = []
    for first, last in boxes[:, ::2].T, boxes[:, 1::2].T:  # rows, columns
        end = torch.minimum(low + side, last[:, None])
        part = end - torch.maximum(low, first[:, None])
        covered.append(part.clamp(min=0) / side)
    rows, columns = covered
    return (rows[:, :, None] * columns[:, None]).flatten(1)


def points_inside(maps, boxes, grid=10):
    """Whether the middle of the highest place is in the box: (b, n), (b, 4)."""
    top, side = maps.argmax(dim=1), SIZE / grid
    middle = torch.stack([top // grid, top % grid], dim=1) * side + side / 2
    return ((middle >= boxes[:, :2]) & (middle < boxes[:, 2:])).all(dim=1)
