"""Attention as the chapters derived it: one copy of each graduated function.

Letters: b batch, h head, i query, j key, d key width, e value width.
"""

import numpy as np
import torch
from torch import einsum


def look_back(query, keys, states):
    """Sum the states with weights softmax(q.k / sqrt(d)) (Eq. 1.1.6-8).

    Shapes: query (b, d), keys (b, n, d), states (b, n, e); returns the
    summaries (b, e) and the weights (b, n), whose rows sum to 1.
    """
    s_bj = einsum("bd,bjd->bj", query, keys) / query.shape[-1] ** 0.5
    a_bj = s_bj.softmax(dim=-1)
    return einsum("bj,bje->be", a_bj, states), a_bj


def softmax(scores):
    """Weights exp(s_j) / sum_l exp(s_l) over the last axis (Eq. 1.2.6).

    Shape (..., n) in and out; every row of the result sums to 1. Each row's
    largest score is subtracted first, which changes nothing (Eq. 1.2.8) and
    keeps exp from overflowing.
    """
    exp_s = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp_s / exp_s.sum(axis=-1, keepdims=True)


def attention(q, k, v, attention_mask=None, bias=None):
    """Sum v with weights softmax(q.k / sqrt(d)) over the keys (Eq. 2.1.5).

    Shapes: q (..., i, d), k (..., j, d), v (..., j, e); returns the sums
    (..., i, e) and the weights (..., i, j), whose rows sum to 1. Both options
    broadcast to (..., i, j): `bias` is added to the scores (2.4), and where
    `attention_mask` is False the weight is 0 (2.3); ValueError if a query may
    attend to nothing.
    """
    s_ij = einsum("...id,...jd->...ij", q, k) / q.shape[-1] ** 0.5
    if bias is not None:
        s_ij = s_ij + bias
    if attention_mask is not None:
        if not attention_mask.any(dim=-1).all():
            raise ValueError("a query may attend to no key at all")
        s_ij = s_ij.masked_fill(~attention_mask, -torch.inf)
    a_ij = s_ij.softmax(dim=-1)
    return einsum("...ij,...je->...ie", a_ij, v), a_ij
