"""How well a mask fits another: overlap and outline (chapter 3.6).

Masks are boolean arrays (rows, columns) of one shape; distances are in pixels.
"""

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt


def check_masks(found, gold):
    """Both as arrays; ValueError unless boolean, 2-d and of one shape."""
    found, gold = np.asarray(found), np.asarray(gold)
    if found.shape != gold.shape or found.ndim != 2:
        raise ValueError(
            f"masks of one shape (rows, columns) are needed, not of "
            f"{found.shape} and {gold.shape}"
        )
    if found.dtype != bool or gold.dtype != bool:
        raise ValueError("masks must be boolean: compare with a threshold")
    return found, gold


def dice(found, gold):
    """Twice the common pixels over all pixels of both (Eq. 3.6.1).

    1 if both masks are empty.
    """
    found, gold = check_masks(found, gold)
    both = found.sum() + gold.sum()
    return 2 * (found & gold).sum() / both if both else 1.0


def boundary(mask):
    """The mask's pixels that touch a pixel outside it (Eq. 3.6.2)."""
    return mask & ~binary_erosion(mask)


def boundary_distances(found, gold):
    """From each outline pixel to the other outline, both ways (Eq. 3.6.3).

    Two arrays: from `found` to `gold` and back; ValueError if a mask is empty.
    """
    found, gold = (boundary(mask) for mask in check_masks(found, gold))
    if not found.any() or not gold.any():
        raise ValueError("an empty mask has no outline")
    to_gold, to_found = (distance_transform_edt(~m) for m in (gold, found))
    return to_gold[found], to_found[gold]


def boundary_f1(found, gold, within=1.0):
    """F1 of outline pixels that lie `within` of the other (Eq. 3.6.4).

    1 if both masks are empty, 0 if one is.
    """
    found, gold = check_masks(found, gold)
    if not found.any() or not gold.any():
        return float(found.any() == gold.any())
    there, back = boundary_distances(found, gold)
    precision, recall = (there <= within).mean(), (back <= within).mean()
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


def hausdorff(found, gold, share=95):
    """The larger of both ways' percentiles of distance (Eq. 3.6.5).

    share = 100: the Hausdorff distance; ValueError if a mask is empty.
    """
    ways = boundary_distances(found, gold)
    return max(np.percentile(way, share) for way in ways)
