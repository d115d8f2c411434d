"""The scenes of chapter 3.5: right boxes, no leaks, clear errors."""

import time

import pytest
import torch

from attnbook.data import digit_scenes as data
from attnbook.data._digits import glyphs


def pixel_boxes(scenes):
    """Left, top, right, bottom of every digit in whole pixels."""
    centre, shape = scenes.boxes[..., :2], scenes.boxes[..., 2:]
    ends = torch.cat([centre - shape / 2, centre + shape / 2], dim=-1)
    return (data.SIDE * ends).round().long()


def test_shapes_counts_and_padding():
    scenes = data.draw_scenes(200, 0, fewest=1, most=4)
    assert scenes.images.shape == (200, 1, 40, 40)
    assert scenes.boxes.shape == (200, 4, 4) and scenes.labels.shape == (200, 4)
    real = scenes.labels >= 0
    counts = real.sum(dim=1)
    assert counts.min() == 1 and counts.max() == 4
    assert (real == (torch.arange(4) < counts[:, None])).all()
    assert (scenes.boxes[~real] == 0).all() and (scenes.boxes[real] > 0).all()
    assert scenes.labels[real].unique().tolist() == [0, 1, 2, 3, 4]


def test_boxes_lie_inside_and_hold_the_ink():
    scenes = data.draw_scenes(300, 1, fewest=1, most=1)
    for image, (left, top, right, bottom) in zip(
        scenes.images[:, 0], pixel_boxes(scenes)[:, 0].tolist()
    ):
        assert 0 <= left < right <= 40 and 0 <= top < bottom <= 40
        inside = image[top:bottom, left:right]
        strong = data.INK - 0.25  # four standard deviations of noise and more
        for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
            assert edge.max() > strong
        assert inside.max() > 0.7


def test_a_box_is_tight_in_a_scene_without_noise_and_clutter():
    for size in data.SIZES:
        images, boxes, labels = data.tables("train")
        row = data.SIZES.index(size)
        for k in (0, 17, 400):
            left, top, right, bottom = boxes[row, k].tolist()
            ink = images[row, k] > data.INK
            assert ink[top:bottom, left:right].sum() == ink.sum() > 0
            assert ink[top, :].any() and ink[bottom - 1, :].any()
            assert ink[:, left].any() and ink[:, right - 1].any()
    assert set(labels.tolist()) == set(range(data.CLASSES))


def test_training_and_test_share_no_digit():
    train, test = (data.tables(s)[0][0].flatten(1) for s in ("train", "test"))
    assert torch.cdist(train, test).min() > 0
    for split in ("train", "test"):
        images, labels = glyphs(split, 9)
        mine = data.tables(split)[0][0][:, :9, :9]
        torch.testing.assert_close(mine, images[labels < data.CLASSES])


@pytest.mark.parametrize("n", [2, 4, 6])
def test_boxes_are_apart_unless_asked(n):
    boxes = pixel_boxes(data.draw_scenes(200, 2, "test", n, n))
    overlap = data.overlap(boxes[:, :, None], boxes[:, None])
    apart = ~torch.eye(n, dtype=torch.bool)
    assert overlap[:, apart].max() == 0


@pytest.mark.parametrize("pair", [(0.1, 0.2), (0.4, 0.5)])
def test_the_first_two_overlap_as_asked(pair):
    boxes = pixel_boxes(data.draw_scenes(200, 3, "test", 3, 3, pair))
    first = data.overlap(boxes[:, 0], boxes[:, 1])
    assert pair[0] <= first.min() and first.max() <= pair[1]
    third = data.overlap(boxes[:, 2:3], boxes[:, :2])
    assert third.max() == 0


def test_overlap_by_hand():
    a = torch.tensor([0, 0, 4, 2])
    b = torch.tensor([[2, 0, 6, 2], [4, 0, 6, 2], [0, 0, 4, 2]])
    assert data.overlap(a, b).tolist() == pytest.approx([4 / 12, 0, 1])


def test_clutter_touches_no_box():
    clean = torch.zeros(50, 54, 54)
    boxes = torch.tensor([[10, 10, 30, 30]]).expand(50, 1, 4)
    gen = torch.Generator().manual_seed(0)
    data.add_clutter(clean, boxes, gen, "train")
    assert clean[:, 10:30, 10:30].abs().max() == 0
    assert clean.abs().sum() > 0 and clean[:, 40:].abs().max() == 0


def test_the_same_seed_draws_the_same_and_another_does_not():
    a, b, c = (data.draw_scenes(30, seed) for seed in (7, 7, 8))
    assert all(torch.equal(x, y) for x, y in zip(a, b))
    assert not torch.equal(a.images, c.images)


def test_pick_keeps_scenes_together():
    scenes = data.draw_scenes(10, 0)
    part = scenes.pick(torch.tensor([3, 1]))
    assert torch.equal(part.images[1], scenes.images[1])
    assert torch.equal(part.boxes[0], scenes.boxes[3])
    assert torch.equal(part.labels[0], scenes.labels[3])


def test_all_of_a_notebooks_scenes_take_less_than_three_seconds():
    start = time.process_time()
    data.draw_scenes(6000, 0)
    for n in range(1, 7):
        data.draw_scenes(300, n, "test", n, n)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "n, fewest, most", [(0, 1, 2), (5, 0, 2), (5, 3, 2), (5, 1, 7)]
)
def test_impossible_sizes_are_refused(n, fewest, most):
    with pytest.raises(ValueError, match="1 <= fewest <= most <= 6"):
        data.draw_scenes(n, 0, fewest=fewest, most=most)


@pytest.mark.parametrize("pair", [(0.0, 0.2), (0.3, 0.2), (0.5, 0.9)])
def test_impossible_overlaps_are_refused(pair):
    with pytest.raises(ValueError, match="0 < low < high"):
        data.draw_scenes(5, 0, fewest=2, most=2, pair=pair)
    with pytest.raises(ValueError, match="two digits are needed"):
        data.draw_scenes(5, 0, fewest=1, most=2, pair=(0.1, 0.2))


def test_a_scene_without_room_is_refused(monkeypatch):
    monkeypatch.setattr(data, "ROUNDS", 2)
    with pytest.raises(ValueError, match="no room for 6 digits"):
        data.draw_scenes(5, 0, fewest=6, most=6, pair=(0.6999, 0.7))


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split"):
        data.draw_scenes(5, 0, "validation")


def test_your_own_scene_has_boxes_where_you_put_the_digits():
    scene = data.place_digits([(1, 12, 3, 4), (4, 9, 20, 25)], 0)
    assert scene.images.shape == (1, 1, 40, 40)
    assert scene.labels.tolist() == [[1, 4]]
    left, top, right, bottom = pixel_boxes(scene)[0, 1].tolist()
    assert 20 <= left < right <= 29 and 25 <= top < bottom <= 34
    image = scene.images[0, 0]
    assert image[top:bottom, left:right].max() > 0.7
    assert image[:, 32:].abs().max() < 0.4


@pytest.mark.parametrize(
    "digits, says",
    [
        ([], "0 digits: a scene holds 1 to 6"),
        ([(1, 12, 0, 0)] * 7, "7 digits: a scene holds 1 to 6"),
        ([(5, 12, 0, 0)], "digits are 0 to 4"),
        ([(1, 15, 0, 0)], "sizes 9 to 14"),
        ([(1, 12, 29, 0)], "leaves the scene"),
        ([(1, 12, 0, -1)], "leaves the scene"),
    ],
)
def test_digits_that_do_not_fit_are_refused(digits, says):
    with pytest.raises(ValueError, match=says):
        data.place_digits(digits, 0)
