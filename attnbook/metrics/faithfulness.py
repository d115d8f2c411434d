"""How well a map names what a prediction rests on, as chapter 4.3 derived it.

Letters: b examples, n tokens (words or squares of pixels), k shares. A map
gives each token a number, the most important the largest. `real` (b, n) is
False for padding.
"""

import torch


def ranks(scores, real):
    """Place of each token when sorted, 0 the largest, padding last: (b, n).

    Equal scores keep their order; ValueError if a real token's score is not
    finite.
    """
    if not torch.isfinite(scores[real]).all():
        raise ValueError("a map holds nan or infinity: it gives no order")
    order = scores.masked_fill(~real, -torch.inf).argsort(
        dim=1, descending=True, stable=True
    )
    return order.argsort(dim=1)


def top_share(scores, real, share):
    """Whether a token is among the top `share` of the real ones (Eq. 4.3.1).

    Of n tokens the first share * n, rounded up, are: (b, n) of bool.
    """
    many = (share * real.sum(dim=1, keepdim=True) - 1e-6).ceil()
    return (ranks(scores, real) < many) & real


def erasure_curves(value, scores, real, shares):
    """Deletion and insertion curve, (k, b) each (Eq. 4.3.2).

    value(kept) is the model's output (b,) when only the tokens where kept
    (b, n) is True are left.
    """
    tops = [top_share(scores, real, share) for share in shares]
    deletion = torch.stack([value(real & ~top) for top in tops])
    return deletion, torch.stack([value(top) for top in tops])


def area(curve, shares):
    """Area under a curve (k, b) over shares from 0 to 1: (b,) (Eq. 4.3.3)."""
    return torch.trapezoid(curve, torch.as_tensor(shares).to(curve), dim=0)


def rollout(layers):
    """How much of each first token flows into each last one (Eq. 4.3.9).

    layers: the weights (b, n, n) of each layer, the first layer first; half
    of each layer's output is its input. Returns (b, n, n), rows sum to 1.
    """
    flow = torch.eye(layers[0].shape[-1]).to(layers[0])
    for a in layers:
        flow = (a + torch.eye(a.shape[-1]).to(a)) / 2 @ flow
    return flow


def total_variation(p, q):
    """Half the summed differences over the last axis, 0 to 1 (Eq. 4.3.10)."""
    return (p - q).abs().sum(dim=-1) / 2


def jensen_shannon(a, b):
    """Mean divergence of a and b from their middle, 0 to ln 2 (Eq. 4.3.11)."""
    middle = ((a + b) / 2).clamp(min=1e-30)  # 0 log 0 = 0, its slope too
    parts = [p * (p.clamp(min=1e-30) / middle).log() for p in (a, b)]
    return (parts[0] + parts[1]).sum(dim=-1) / 2


def rank_correlation(x, y, real):
    """Spearman's correlation of two maps over real tokens (b,) (Eq. 4.3.15).

    Maps without ties: two orders of the same n tokens, n at least 2.
    """
    middle = (real.sum(dim=1, keepdim=True) - 1) / 2
    p, q = ((ranks(m, real) - middle) * real for m in (x, y))
    return (p * q).sum(dim=1) / (p * p).sum(dim=1)
