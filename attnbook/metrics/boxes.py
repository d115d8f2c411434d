"""Boxes compared, matched and counted, as chapter 3.5 derived it.

A box is (centre x, centre y, width, height), in any unit. Letters: n boxes or
queries, k objects.
"""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment


def corners(boxes):
    """Left, top, right, bottom (..., 4) of boxes (..., 4) (Eq. 3.5.1).

    ValueError if the last axis is not 4 or a width or height is negative.
    """
    if boxes.shape[-1:] != (4,) or (boxes[..., 2:] < 0).any():
        raise ValueError(
            "a box is centre x, centre y, width, height; the last two are "
            f"not negative (shape {tuple(boxes.shape)})"
        )
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def iou(a, b):
    """Common area over joint area of all pairs (Eq. 3.5.2).

    a (..., n, 4) and b (..., k, 4) to (..., n, k); 0 where both are empty.
    """
    p, q = corners(a)[..., :, None, :], corners(b)[..., None, :, :]
    low = torch.maximum(p[..., :2], q[..., :2])
    high = torch.minimum(p[..., 2:], q[..., 2:])
    common = (high - low).clamp(min=0).prod(dim=-1)
    area_a, area_b = a[..., 2:].prod(dim=-1), b[..., 2:].prod(dim=-1)
    joint = area_a[..., :, None] + area_b[..., None, :] - common
    return common / joint.clamp(min=1e-12)


def generalised_iou(a, b):
    """IoU minus the empty share of the hull, all pairs (Eq. 3.5.3).

    Shapes as in iou; from -1 to 1.
    """
    p, q = corners(a)[..., :, None, :], corners(b)[..., None, :, :]
    low = torch.minimum(p[..., :2], q[..., :2])
    high = torch.maximum(p[..., 2:], q[..., 2:])
    hull = (high - low).prod(dim=-1).clamp(min=1e-12)
    area_a, area_b = a[..., 2:].prod(dim=-1), b[..., 2:].prod(dim=-1)
    u, areas = iou(a, b), area_a[..., :, None] + area_b[..., None, :]
    joint = areas / (1 + u)  # for u = common / joint, common + joint = areas
    return u - (hull - joint) / hull


def assign(cost):
    """The query of each object at the least total cost (Eq. 3.5.7).

    cost (n queries, k objects) to (k,) different queries; ValueError if there
    are more objects than queries or a cost is not finite.
    """
    n, k = cost.shape
    if k > n:
        raise ValueError(f"{k} objects, but only {n} queries to find them")
    if not torch.isfinite(cost).all():
        raise ValueError("a cost is not finite; has the training diverged?")
    _, queries = linear_sum_assignment(cost.detach().T.numpy())
    return torch.from_numpy(queries)


def non_maximum_suppression(boxes, scores, most=0.5):
    """Which boxes stay: no better one that stays overlaps more than `most`.

    boxes (b, n, 4), scores (b, n) to (b, n) of bool: non-maximum suppression.
    """
    order = scores.argsort(dim=1, descending=True, stable=True)
    rows = torch.arange(len(boxes))[:, None]
    overlap = iou(boxes[rows, order], boxes[rows, order])
    stays = torch.ones_like(scores, dtype=torch.bool)
    for k in range(scores.shape[1] - 1):
        near = overlap[:, k, k + 1 :] > most
        stays[:, k + 1 :] &= ~(near & stays[:, k, None])
    out = torch.empty_like(stays)
    out[rows, order] = stays
    return out


def true_positives(overlap, scores, least=0.5):
    """The object that each box finds, -1 for none, by COCO's rule.

    overlap (b, n, k): IoU, negative where box and object may not meet; scores
    (b, n). Best score first, a box takes the free object it overlaps most, if
    by `least`. Returns (b, n).
    """
    free, found = overlap.clone(), torch.full(scores.shape, -1)
    rows = torch.arange(len(scores))
    order = scores.argsort(dim=1, descending=True, stable=True)
    for box in order.T if overlap.shape[-1] else ():
        best, which = free[rows, box].max(dim=-1)
        taken = best >= least
        found[rows, box] = torch.where(taken, which, -1)
        free[rows[taken], :, which[taken]] = -1.0
    return found


def average_precision(scores, hit, objects):
    """Mean precision at recall 0, 0.01, ..., 1, COCO's way (Eq. 3.5.5).

    scores (n,) and hit (n,) of bool, over all images; `objects`: how many
    there are to find. ValueError if there are none.
    """
    if objects < 1:
        raise ValueError("no object to find: recall is not defined")
    order = np.argsort(-np.asarray(scores), kind="stable")
    found = np.cumsum(np.asarray(hit)[order])
    precision = found / np.arange(1, len(found) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    wanted = np.linspace(0, 1, 101)
    place = np.searchsorted(found / objects, wanted, side="left")
    return float(
        np.append(precision, 0.0)[np.minimum(place, len(found))].mean()
    )
