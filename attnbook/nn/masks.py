"""Which key each query may use; True = may attend (chapter 2.3)."""

import torch


def padding_mask(lengths, n):
    """True for the first `lengths` of n keys: shape (b, 1, n) (Eq. 2.3.2).

    `lengths` (b,) are whole numbers from 1 to n; the axis of size 1 stands
    for the queries, which may all use the same keys.
    """
    return torch.arange(n) < lengths[:, None, None]


def causal_mask(n):
    """True where key j <= query i: shape (n, n) (Eq. 2.3.3)."""
    return torch.ones(n, n, dtype=torch.bool).tril()
