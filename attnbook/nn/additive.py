"""Additive attention, as chapter 3.1 derives it for a decoder."""

import torch
from torch import nn


class Additive(nn.Module):
    """Sum values with weights softmax(v.tanh(W q + U k)) over the keys.

    Shapes: q (b, i, query), keys (b, j, hidden) from `prepare`, values
    (b, j, e), `attention_mask` broadcastable to (b, i, j), True = may attend;
    returns the sums (b, i, e) and the weights (b, i, j), whose rows sum to 1.
    """

    def __init__(self, query, key, hidden):
        super().__init__()
        self.W = nn.Linear(query, hidden, bias=False)
        self.U = nn.Linear(key, hidden)
        self.v = nn.Linear(hidden, 1, bias=False)

    def prepare(self, k):
        """U k + b, once for all queries: (b, j, key) to (b, j, hidden)."""
        return self.U(k)

    def scores(self, q, keys):
        """v.tanh(W q + U k): shape (b, i, j)."""
        hidden = torch.tanh(self.W(q)[:, :, None] + keys[:, None])
        return self.v(hidden).squeeze(-1)

    def forward(self, q, keys, values, attention_mask):
        s_bij = self.scores(q, keys).masked_fill(~attention_mask, -torch.inf)
        weights = s_bij.softmax(dim=-1)
        return torch.bmm(weights, values), weights
