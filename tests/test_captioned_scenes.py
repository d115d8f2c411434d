"""The scenes of chapter 4.1: true captions, right regions, clear errors."""

import time
from itertools import pairwise

import numpy as np
import pytest
import torch

from attnbook.data import captioned_scenes as data
from attnbook.data.text import BEGIN, END, PAD

RED, WHITE = ("red", "circle", 10, 30), ("white", "ring", 20.5, 8)


def dominant(image, region):
    """The colour that most of a region's bright pixels are closest to."""
    places = region.view(10, 10).repeat_interleave(4, 0).repeat_interleave(4, 1)
    pixels = image[:, places].T
    pixels = pixels[pixels.amax(dim=1) > 0.5]
    names = list(data.COLOURS)
    hues = 0.9 * torch.tensor([data.COLOURS[n] for n in names])
    return names[torch.cdist(pixels, hues).argmin(dim=1).mode().values]


def test_a_hand_made_scene_is_told_from_top_to_bottom():
    scene = data.compose_captioned([WHITE, RED])
    words = "red circle above-right white ring".split()
    assert data.WORDS.decode(scene.captions[0]) == words
    assert scene.captions[0, 0] == BEGIN and scene.captions[0, -1] == END
    assert scene.captions.shape == (1, 7) and scene.counts.tolist() == [2]
    left = data.compose_captioned([RED, ("blue", "cross", 30, 34)])
    words = "red circle above-left blue cross".split()
    assert data.WORDS.decode(left.captions[0]) == words
    alone = data.compose_captioned([RED])
    assert data.WORDS.decode(alone.captions[0]) == ["red", "circle"]


def test_regions_are_the_places_that_an_object_touches():
    scene = data.compose_captioned([RED, WHITE])
    # rows 6 to 14, columns 26 to 34: places 1 to 3 and 6 to 8
    region = scene.regions[0, 0].view(10, 10)
    rows, columns = region.nonzero().T
    assert rows.unique().tolist() == [1, 2, 3]
    assert columns.unique().tolist() == [6, 7, 8]
    red = scene.images[0, 0] - scene.images[0, 2] > 0.5
    touched = red.view(10, 4, 10, 4).any(dim=3).any(dim=1)
    assert torch.equal(region, touched)


def test_every_object_has_its_colour_and_order_in_the_caption():
    scenes = data.draw_captioned(150, 3, 2, 5)
    for image, caption, regions, count in zip(*scenes):
        words = data.WORDS.decode(caption)
        assert len(words) == 3 * count - 1
        rows = []
        for k in range(count):
            assert words[3 * k] == dominant(image, regions[k])
            assert words[3 * k + 1] in data.SHAPES
            rows.append(regions[k].nonzero()[:, 0].float() // 10)
        means = [row.mean() for row in rows]
        assert all(a <= b + 0.51 for a, b in pairwise(means))
        assert not regions[count:].any()
        assert (caption[1 + 3 * count :] == PAD).all()


def test_sides_are_those_of_the_centres():
    rng = np.random.default_rng(0)
    centres, radii = data.draw_places(rng, 500, 4)
    assert data.apart(centres, radii).all()
    numbers = np.zeros((2, 500, 4), int)
    captions = data.write_captions(*numbers, centres)
    left = centres[:, :-1, 1] < centres[:, 1:, 1]
    said = captions[:, 3:-1:3] == data.WORDS.number["above-left"]
    assert (said == left).all() and 0.4 < left.mean() < 0.6
    assert (np.diff(centres[..., 0], axis=1) >= data.GAP - 1e-9).all()
    assert centres.min() >= data.LOW and centres.max() <= data.HIGH


@pytest.mark.parametrize("shape", data.SHAPES)
def test_shapes_differ_and_stay_inside_their_radius(shape):
    y, x = np.mgrid[-5:6, -5:6].astype(float)
    kinds = np.full((1, 1), data.SHAPES.index(shape))
    mask = data.inside(kinds, y, x, 4.0).astype(bool)
    assert 15 <= mask.sum() <= 50
    assert mask[5, 5] == (shape != "ring")
    for other in set(data.SHAPES) - {shape}:
        kinds = np.full((1, 1), data.SHAPES.index(other))
        differ = mask ^ data.inside(kinds, y, x, 4.0).astype(bool)
        assert differ.sum() >= 4, (shape, other)
    assert not mask[np.hypot(y, x) > 5].any()


def test_the_same_seed_draws_the_same_and_another_does_not():
    one, two, other = (data.draw_captioned(30, s, 2, 4) for s in (7, 7, 8))
    for a, b in zip(one, two):
        assert torch.equal(a, b)
    assert not torch.equal(one.images, other.images)
    assert not torch.equal(one.captions, other.captions)


def test_training_and_test_share_no_image_and_hardly_a_long_caption():
    train = data.draw_captioned(6000, 0, 2, 4)
    test = data.draw_captioned(400, 10_000, 4, 4)
    known = {tuple(c) for c in train.captions.tolist()}
    fresh = sum(tuple(c) not in known for c in test.captions.tolist())
    assert fresh >= 399
    four = train.images[train.counts == 4].flatten(1)
    assert torch.cdist(test.images.flatten(1), four).min() > 1


def test_counts_and_words_are_spread_evenly():
    scenes = data.draw_captioned(6000, 1, 2, 4)
    assert torch.bincount(scenes.counts)[2:].min() > 1800
    first = torch.bincount(scenes.captions[:, 1], minlength=len(data.WORDS))
    colours = [first[data.WORDS.number[c]].item() for c in data.COLOURS]
    assert sum(colours) == 6000 and min(colours) > 850
    assert len(data.WORDS) == 17
    assert scenes.images.dtype == torch.float32
    assert scenes.images.shape == (6000, 3, 40, 40)
    area = scenes.regions[scenes.counts == 3].float().mean()
    assert 0.03 < area < 0.06  # 3 of 4 rows are used


def test_all_of_a_notebooks_scenes_take_less_than_three_seconds():
    start = time.process_time()
    data.draw_captioned(8000, 0, 2, 4)
    for k in range(2, 6):
        data.draw_captioned(400, k, k, k)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "args, says",
    [
        ((0, 0, 2, 4), "at least one scene"),
        ((5, 0, 0, 4), "1 <= fewest <= most <= 5"),
        ((5, 0, 4, 3), "1 <= fewest <= most <= 5"),
        ((5, 0, 2, 6), "1 <= fewest <= most <= 5"),
    ],
)
def test_impossible_scenes_are_refused(args, says):
    with pytest.raises(ValueError, match=says):
        data.draw_captioned(*args)


@pytest.mark.parametrize(
    "objects, says",
    [
        ([], "1 to 5 objects, not 0"),
        ([("red", "ring", 5 + 5 * k, 5 + 5 * k) for k in range(6)], "not 6"),
        ([("pink", "ring", 10, 10)], "'pink' is not one of red"),
        ([("red", "star", 10, 10)], "'star' is not one of circle"),
        ([("red", "ring", 4, 10)], "from 5 to 34.4, not"),
        ([("red", "ring", 10, 35)], "from 5 to 34.4, not"),
        ([("red", "ring", float("nan"), 9)], "from 5 to 34.4, not"),
        ([("red", "ring", 10)], "a row and a column"),
        ([RED, ("blue", "ring", 12, 8)], "must be 4 rows apart"),
        ([RED, ("blue", "ring", 16, 25)], "must not touch"),
        ([RED, ("blue", "ring", 30, 31)], "4 columns apart"),
    ],
)
def test_impossible_orders_are_refused(objects, says):
    with pytest.raises(ValueError, match=says):
        data.compose_captioned(objects)


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(2, 1, 40, 40),
        torch.zeros(2, 3, 40, 41),
        torch.zeros(3, 40, 40),
        torch.zeros(40),
        [[0.0]],
    ],
)
def test_images_of_another_form_are_refused(images):
    with pytest.raises(ValueError, match="three channels of 40 x 40"):
        data.expect_colour_images(images)


def test_images_with_nan_are_refused():
    images = torch.zeros(2, 3, 40, 40)
    data.expect_colour_images(images)
    images[0, 0, 3, 4] = torch.nan
    with pytest.raises(ValueError, match="finite"):
        data.expect_colour_images(images)
