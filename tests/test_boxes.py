"""Boxes of chapter 3.5: by hand, by brute force, and against pycocotools."""

import contextlib
import io
import itertools

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from attnbook.metrics import boxes as bx


def random_boxes(rng, *shape):
    centre = rng.uniform(0, 10, size=(*shape, 2))
    return torch.tensor(
        np.concatenate([centre, rng.uniform(0.5, 6, size=(*shape, 2))], -1)
    )


def test_corners_by_hand():
    box = torch.tensor([[3.0, 2.0, 4.0, 2.0]])
    assert bx.corners(box).tolist() == [[1, 1, 5, 3]]


@pytest.mark.parametrize(
    "bad", [torch.ones(2, 3), torch.tensor([1, 1, -1.0, 1])]
)
def test_what_is_no_box_is_refused(bad):
    with pytest.raises(ValueError, match="a box is centre x"):
        bx.corners(bad)
    with pytest.raises(ValueError, match="a box is centre x"):
        bx.iou(bad[None], torch.ones(1, 4))


HAND = [  # 4 x 2 at (2, 1) against: itself, shifted, beside, apart, inside
    ([2, 1, 4, 2], 1, 1),
    ([4, 1, 4, 2], 4 / 12, 4 / 12),
    ([6, 1, 4, 2], 0, 0),
    ([8, 1, 4, 2], 0, -4 / 20),
    ([2, 1, 2, 1], 2 / 8, 2 / 8),
    ([4, 3, 4, 2], 0, -8 / 24),
]


@pytest.mark.parametrize("other, iou, generalised", HAND)
def test_overlaps_by_hand(other, iou, generalised):
    a = torch.tensor([[2.0, 1, 4, 2]])
    b = torch.tensor([other], dtype=torch.float32)
    assert bx.iou(a, b).item() == pytest.approx(iou)
    assert bx.generalised_iou(a, b).item() == pytest.approx(
        generalised, abs=1e-6
    )


def test_overlap_of_all_pairs_equals_one_pair_at_a_time():
    rng = np.random.default_rng(0)
    a, b = random_boxes(rng, 2, 5), random_boxes(rng, 2, 7)
    for f in (bx.iou, bx.generalised_iou):
        both = f(a, b)
        assert both.shape == (2, 5, 7)
        one = f(a[1, 3][None], b[1, 6][None])
        torch.testing.assert_close(both[1, 3, 6], one[0, 0])


def test_iou_equals_counting_pixels():
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:40, :40] + 0.5
    for _ in range(50):
        low = rng.integers(0, 20, size=(2, 2))
        high = low + rng.integers(1, 20, size=(2, 2))
        masks = [
            (x > a) & (x < c) & (y > b) & (y < d)
            for (a, b), (c, d) in zip(low, high)
        ]
        two = torch.tensor(np.hstack([(low + high) / 2, high - low]))
        want = (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()
        assert bx.iou(two[:1], two[1:]).item() == pytest.approx(want)


def test_empty_boxes_overlap_nothing():
    empty = torch.tensor([[1.0, 1, 0, 0]])
    assert bx.iou(empty, empty).item() == 0
    assert torch.isfinite(bx.generalised_iou(empty, empty)).all()


@pytest.mark.parametrize("n, k", [(3, 1), (4, 3), (5, 5), (6, 2), (4, 0)])
def test_matching_equals_brute_force(n, k):
    rng = np.random.default_rng(n + 10 * k)
    for _ in range(20):
        cost = torch.tensor(rng.normal(size=(n, k)))
        queries = bx.assign(cost)
        assert queries.shape == (k,) and len(set(queries.tolist())) == k
        total = sum(cost[q, j].item() for j, q in enumerate(queries.tolist()))
        every = itertools.permutations(range(n), k)
        sums = [sum(cost[q, j].item() for j, q in enumerate(p)) for p in every]
        assert total == pytest.approx(min(sums))


def test_matching_is_not_greedy():
    cost = torch.tensor([[1.0, 2.0], [2.0, 9.0], [8.0, 8.0]])
    assert bx.assign(cost).tolist() == [1, 0]  # 2 + 2, not 1 + 8


def test_more_objects_than_queries_are_refused():
    with pytest.raises(ValueError, match="3 objects, but only 2 queries"):
        bx.assign(torch.zeros(2, 3))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_costs_that_are_no_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="not finite"):
        bx.assign(torch.tensor([[bad], [1.0]]))


def one_by_one(boxes, scores, most):
    stay = []
    for k in np.argsort(-scores, kind="stable"):
        if all(bx.iou(boxes[k][None], boxes[j][None]) <= most for j in stay):
            stay.append(k)
    return stay


@pytest.mark.parametrize("most", [0.0, 0.3, 0.5, 1.0])
def test_suppression_equals_one_box_at_a_time(most):
    rng = np.random.default_rng(2)
    boxes, scores = random_boxes(rng, 3, 12), rng.random((3, 12))
    stays = bx.non_maximum_suppression(boxes, torch.tensor(scores), most)
    for row in range(3):
        want = one_by_one(boxes[row], scores[row], most)
        assert set(stays[row].nonzero().flatten().tolist()) == set(want)


def test_a_suppressed_box_suppresses_nothing():
    # A chain: 1 overlaps 0, 2 overlaps 1, but 2 and 0 are apart.
    boxes = torch.tensor([[[0.0, 0, 4, 4], [2, 0, 4, 4], [4, 0, 4, 4]]])
    stays = bx.non_maximum_suppression(
        boxes, torch.tensor([[0.9, 0.8, 0.7]]), most=0.3
    )
    assert stays.tolist() == [[True, False, True]]


def test_hits_by_hand():
    # Box 0 takes object 0; box 1 would too, and must take what is left.
    overlap = torch.tensor([[[0.8, 0.6], [0.9, 0.55], [0.7, 0.4]]])
    assert bx.true_positives(
        overlap, torch.tensor([[0.9, 0.8, 0.7]])
    ).tolist() == [[0, 1, -1]]
    assert bx.true_positives(
        overlap, torch.tensor([[0.1, 0.2, 0.3]])
    ).tolist() == [[-1, 1, 0]]
    none = bx.true_positives(torch.zeros(2, 3, 0), torch.rand(2, 3))
    assert none.tolist() == [[-1] * 3] * 2


def test_average_precision_by_hand():
    # Right, wrong, right of 4 objects: precision 1 up to recall 1/4, 2/3 up
    # to 2/4, 0 beyond: recalls 0 to .25 are 26 points, .26 to .50 are 25.
    got = bx.average_precision([0.9, 0.8, 0.7], [True, False, True], 4)
    assert got == pytest.approx((26 * 1 + 25 * 2 / 3) / 101)
    assert bx.average_precision([0.2, 0.9], [False, True], 1) == 1
    assert bx.average_precision([], [], 3) == 0
    assert bx.average_precision([0.5], [False], 3) == 0


def test_no_objects_no_average_precision():
    with pytest.raises(ValueError, match="no object to find"):
        bx.average_precision([0.5], [True], 0)


def coco_ap50(boxes, scores, labels, truth, wanted, classes):
    """AP50 by pycocotools; label -1 = padding."""

    def entry(box, label, image):
        left, top, right, bottom = bx.corners(box).tolist()
        size = [right - left, bottom - top]
        row = {"image_id": image, "category_id": int(label) + 1}
        return row | {"bbox": [left, top, *size], "area": size[0] * size[1]}

    images = range(len(boxes))
    gold = [
        entry(b, c, k)
        for k in images
        for b, c in zip(truth[k], wanted[k])
        if c >= 0
    ]
    for number, row in enumerate(gold, 1):
        row |= {"id": number, "iscrowd": 0}
    found = [
        entry(b, c, k) | {"score": float(s)}
        for k in images
        for b, c, s in zip(boxes[k], labels[k], scores[k])
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": k} for k in images],
            "categories": [{"id": c + 1} for c in range(classes)],
            "annotations": gold,
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(found), "bbox")
        judge.evaluate(), judge.accumulate(), judge.summarize()
    return judge.stats[1]


@pytest.mark.parametrize("seed", range(6))
def test_ap50_equals_pycocotools(seed):
    rng = np.random.default_rng(seed)
    b, n, k, classes = 40, 7, 4, 3
    truth = random_boxes(rng, b, k)
    wanted = torch.tensor(rng.integers(-1, classes, size=(b, k)))
    near = truth[:, rng.integers(0, k, size=n)]
    noise = torch.tensor(rng.normal(scale=0.4, size=near.shape))
    boxes = (near + noise).clamp(min=0.3)
    scores = torch.tensor(rng.random((b, n)))
    if seed % 2:
        scores = (8 * scores).round() / 8  # many are equal
    labels = torch.tensor(rng.integers(0, classes, size=(b, n)))
    overlap = bx.iou(boxes, truth)
    meet = labels[:, :, None] == wanted[:, None]
    found = bx.true_positives(overlap.masked_fill(~meet, -1.0), scores) >= 0
    mine = [
        bx.average_precision(
            scores[labels == c], found[labels == c], int((wanted == c).sum())
        )
        for c in range(classes)
    ]
    want = coco_ap50(boxes, scores, labels, truth, wanted, classes)
    assert 0.02 < want < 0.9
    assert np.mean(mine) == pytest.approx(want, abs=1e-6)
