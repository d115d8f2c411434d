"""The measures of chapter 3.6 against known cases, scipy and brute force."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, directed_hausdorff

from attnbook.metrics.contours import (
    boundary,
    boundary_distances,
    boundary_f1,
    dice,
    hausdorff,
)

EMPTY = np.zeros((9, 13), bool)


def square(top, left, side=4):
    mask = EMPTY.copy()
    mask[top : top + side, left : left + side] = True
    return mask


def blobs(seed, share=0.6):
    """Two random masks, neither of them empty."""
    rng = np.random.default_rng(seed)
    masks = rng.random((2, 17, 23)) > share
    masks[:, 8, 8:11] = True
    return masks


def test_dice_of_known_cases():
    assert dice(square(2, 3), square(2, 3)) == 1
    assert dice(square(2, 3), square(2, 8)) == 0
    assert dice(square(2, 3), square(2, 5)) == 2 * 8 / 32
    assert dice(square(2, 3, 2), square(2, 3, 4)) == 2 * 4 / 20
    assert dice(EMPTY, EMPTY) == 1 and dice(EMPTY, square(1, 1)) == 0


def test_dice_is_the_f1_of_pixels():
    found, gold = blobs(0)
    precision = (found & gold).sum() / found.sum()
    recall = (found & gold).sum() / gold.sum()
    want = 2 * precision * recall / (precision + recall)
    assert dice(found, gold) == pytest.approx(want)
    assert dice(found, gold) == dice(gold, found)


def test_the_outline_of_a_square_is_its_rim():
    rim = square(2, 3)
    rim[3:5, 4:6] = False
    assert (boundary(square(2, 3)) == rim).all()
    corner = square(0, 0)  # the image's edge is outside
    assert boundary(corner)[0, 0] and boundary(corner)[0, 2]


@pytest.mark.parametrize("seed", range(5))
def test_boundary_distances_by_brute_force(seed):
    found, gold = blobs(seed)
    table = cdist(np.argwhere(boundary(found)), np.argwhere(boundary(gold)))
    there, back = boundary_distances(found, gold)
    np.testing.assert_allclose(there, table.min(axis=1))
    np.testing.assert_allclose(back, table.min(axis=0))


@pytest.mark.parametrize("seed", range(5))
def test_all_of_the_distances_give_scipys_hausdorff(seed):
    found, gold = blobs(seed, share=0.97)
    points = [np.argwhere(boundary(mask)) for mask in (found, gold)]
    ways = (
        directed_hausdorff(*points)[0],
        directed_hausdorff(*points[::-1])[0],
    )
    assert hausdorff(found, gold, share=100) == pytest.approx(max(ways))


def test_hausdorff_of_known_cases():
    assert hausdorff(square(2, 3), square(2, 3)) == 0
    # Shifted by three columns: a third of the rim pixels is 3 away, one way.
    assert hausdorff(square(2, 3), square(2, 6), share=100) == 3
    point, line = EMPTY.copy(), EMPTY.copy()
    point[4, 0] = True
    line[4, :11] = True  # distances 0 to 10 from the line to the point
    assert hausdorff(point, line, share=100) == 10
    assert hausdorff(point, line) == hausdorff(line, point) == 9.5
    assert hausdorff(point, line, share=50) == 5


def test_five_percent_of_the_outline_may_stray():
    gold = np.zeros((60, 60), bool)
    gold[5:45, 5:45] = True  # 156 pixels of rim
    found = gold.copy()
    found[55, 55] = True
    assert hausdorff(found, gold, share=100) > 14
    assert hausdorff(found, gold) == 0


def test_boundary_f1_of_known_cases():
    gold = square(2, 3)
    assert boundary_f1(gold, gold) == boundary_f1(gold, gold, within=0) == 1
    assert boundary_f1(square(2, 4), gold, within=1) == 1
    # Shifted by one: of either rim's 12 pixels, 4 + 2 lie on the other's.
    rims = boundary(square(2, 4)) & boundary(gold)
    assert boundary_f1(square(2, 4), gold, within=0) == rims.sum() / 12
    assert boundary_f1(square(2, 9), gold, within=1) == 0


def test_boundary_f1_joins_precision_and_recall():
    point, line = EMPTY.copy(), EMPTY.copy()
    point[4, 0] = line[4, :8] = True
    # Precision 1, recall 2/8: F1 = 2 (1/4) / (5/4).
    line[4, :8] = True
    assert boundary_f1(point, line) == pytest.approx(0.4)
    assert boundary_f1(line, point) == pytest.approx(0.4)
    assert boundary_f1(point, line, within=3) == pytest.approx(2 / 3)


def test_boundary_f1_of_empty_masks():
    assert boundary_f1(EMPTY, EMPTY) == 1
    assert boundary_f1(EMPTY, square(1, 1)) == 0
    assert boundary_f1(square(1, 1), EMPTY) == 0


@pytest.mark.parametrize("measure", [hausdorff, boundary_distances])
def test_an_empty_mask_has_no_distance(measure):
    for pair in ((EMPTY, square(1, 1)), (square(1, 1), EMPTY), (EMPTY,) * 2):
        with pytest.raises(ValueError, match="an empty mask has no outline"):
            measure(*pair)


@pytest.mark.parametrize("measure", [dice, boundary_f1, hausdorff])
def test_masks_that_do_not_fit_are_refused(measure):
    with pytest.raises(ValueError, match="of one shape"):
        measure(EMPTY, EMPTY[1:])
    with pytest.raises(ValueError, match="of one shape"):
        measure(EMPTY[None], EMPTY[None])
    with pytest.raises(ValueError, match="must be boolean"):
        measure(EMPTY.astype(float), EMPTY)


@pytest.mark.parametrize("measure", [dice, boundary_f1, hausdorff])
def test_masks_stay_as_they_were(measure):
    found, gold = blobs(3)
    copies = found.copy(), gold.copy()
    measure(found, gold)
    assert (found == copies[0]).all() and (gold == copies[1]).all()
