"""The scenes of chapter 3.4: right boxes, no leaks, clear errors."""

import time

import numpy as np
import pytest
import torch

from attnbook.data import cluttered_digits as data
from attnbook.data._digits import glyphs


def cut(scenes, k):
    """What scene k shows in its box."""
    top, left, bottom, right = scenes.boxes[k].tolist()
    return scenes.images[k, 0, top:bottom, left:right]


def test_the_box_holds_a_digit_of_its_label_and_nothing_else_without_clutter():
    scenes = data.draw_scenes(200, 0, "test", 0, 0)
    digits, labels = glyphs("test", data.DIGIT)
    for k in range(200):
        far = (digits - cut(scenes, k)).abs().amax(dim=(1, 2))
        assert far.min() < 0.3  # six times the noise
        assert labels[far.argmin()] == scenes.labels[k]
        rest = scenes.images[k, 0].clone()
        top, left, bottom, right = scenes.boxes[k].tolist()
        rest[top:bottom, left:right] = 0
        assert rest.abs().max() < 0.3


def test_fragments_keep_off_the_digit():
    scenes = data.draw_scenes(300, 1, "test", 8, 8)
    digits, _ = glyphs("test", data.DIGIT)
    for k in range(300):
        inner = cut(scenes, k)[2:-2, 2:-2]
        far = (digits[:, 2:-2, 2:-2] - inner).abs().amax(dim=(1, 2))
        assert far.min() < 0.3


def test_fragments_overlap_a_box_by_two_pixels_at_most():
    rng = np.random.default_rng(2)
    corners = rng.integers(0, 29, (5000, 2))
    boxes = np.concatenate([corners, corners + 12], axis=1)
    sides = rng.integers(5, 9, 5000)
    got = data.free_corners(rng, boxes, sides)
    low = np.maximum(got, corners)
    high = np.minimum(got + sides[:, None], corners + 12)
    overlap = (high - low).clip(min=0)
    assert overlap.min(axis=1).max() == 2
    assert got.min() == 0 and (got + sides[:, None]).max() == 40


def test_clutter_grows_with_the_number_of_fragments():
    ink = []
    for k in (0, 4, 8, 16, 40):
        scenes = data.draw_scenes(500, 3, "train", k, k)
        ink.append((scenes.images > 0.5).float().mean().item())
    assert ink == sorted(ink) and ink[-1] > 2 * ink[0]
    mixed = data.draw_scenes(500, 3, "train", 0, 8)
    share = (mixed.images > 0.5).float().mean().item()
    assert ink[0] < share < ink[2]


def test_boxes_are_everywhere_and_all_digits_occur():
    scenes = data.draw_scenes(5000, 4, "train", 0, 0)
    assert scenes.boxes.amin(dim=0).tolist() == [0, 0, 12, 12]
    assert scenes.boxes.amax(dim=0).tolist() == [28, 28, 40, 40]
    assert (scenes.boxes[:, 2:] - scenes.boxes[:, :2] == 12).all()
    assert torch.bincount(scenes.labels).min() > 400
    assert scenes.images.dtype == torch.float32
    assert scenes.images.shape == (5000, 1, 40, 40)


def test_training_and_test_share_no_digit_and_no_photograph():
    (train, _), (test, _) = (glyphs(s, data.DIGIT) for s in ("train", "test"))
    assert torch.cdist(train.flatten(1), test.flatten(1)).min() > 0
    assert len(train) + len(test) == 1797
    whole = data.load_sample_images().images
    for k in range(4):
        left, right = (data.photographs(s)[k] for s in ("train", "test"))
        step = (2, 4)[k % 2]
        grey = whole[k // 2].mean(axis=2) / 255
        half = grey.shape[1] // 2
        assert left[3, 5] == pytest.approx(
            grey[3 * step : 4 * step, 5 * step : 6 * step].mean(), abs=1e-5
        )
        there = slice(half + 5 * step, half + 6 * step)
        assert right[3, 5] == pytest.approx(
            grey[3 * step : 4 * step, there].mean(), abs=1e-5
        )


def test_a_photograph_lies_behind_and_leaves_the_ink():
    plain = data.draw_scenes(100, 5, "test", 0, 0)
    photo = data.draw_scenes(100, 5, "test", 0, 0, photo=0.6)
    assert (plain.boxes == photo.boxes).all()
    more = photo.images.mean() - plain.images.mean()
    assert 0.05 < more < 0.6
    ink = plain.images > 0.9
    assert (photo.images[ink] > 0.5).all()


def test_the_same_seed_draws_the_same_and_another_does_not():
    one, two, other = (
        data.draw_scenes(20, seed, "train", 0, 8, photo=0.3)
        for seed in (7, 7, 8)
    )
    for a, b in zip(one, two):
        assert torch.equal(a, b)
    assert not torch.equal(one.images, other.images)


def test_all_of_a_notebooks_scenes_take_less_than_three_seconds():
    start = time.process_time()
    data.draw_scenes(12_000, 0, "train", 0, 8)
    for k in range(8):
        data.draw_scenes(1000, k, "test", 20, 20, photo=0.6)
    assert time.process_time() - start < 3


def test_a_composed_scene_is_as_asked():
    for digit in range(10):
        scenes = data.compose_scene(digit, 28, 3, 5, photo=0.3, seed=digit)
        assert scenes.labels.tolist() == [digit]
        assert scenes.boxes.tolist() == [[28, 3, 40, 15]]
        data.expect_images(scenes.images)
    plain = data.compose_scene(4, 0, 0, 0)
    assert plain.images[0, 0, 13:, 13:].abs().max() < 0.3


@pytest.mark.parametrize(
    "args, says",
    [
        ((0, 0, "train", 0, 8), "at least one scene"),
        ((5, 0, "valid", 0, 8), 'split is "train" or "test"'),
        ((5, 0, "train", -1, 8), "fewest <= most <= 40"),
        ((5, 0, "train", 5, 4), "fewest <= most <= 40"),
        ((5, 0, "train", 0, 41), "fewest <= most <= 40"),
        ((5, 0, "train", 0, 4, 1.5), "photo is a share"),
        ((5, 0, "train", 0, 4, float("nan")), "photo is a share"),
    ],
)
def test_impossible_scenes_are_refused(args, says):
    with pytest.raises(ValueError, match=says):
        data.draw_scenes(*args)


@pytest.mark.parametrize(
    "args, says",
    [
        ((10, 0, 0, 4), "a digit is 0 to 9"),
        ((2.5, 0, 0, 4), "a digit is 0 to 9"),
        ((3, 29, 0, 4), "whole numbers from 0 to 28"),
        ((3, 0, -1, 4), "whole numbers from 0 to 28"),
        ((3, 0.5, 0, 4), "whole numbers from 0 to 28"),
        ((3, 0, 0, 41), "fewest <= most <= 40"),
        ((3, 0, 0, 4, -0.1), "photo is a share"),
    ],
)
def test_impossible_orders_are_refused(args, says):
    with pytest.raises(ValueError, match=says):
        data.compose_scene(*args)


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(2, 3, 40, 40),
        torch.zeros(2, 1, 40, 41),
        torch.zeros(1, 40, 40),
        torch.zeros(40),
        [[0.0]],
    ],
)
def test_images_of_another_form_are_refused(images):
    with pytest.raises(ValueError, match="one channel of 40 x 40"):
        data.expect_images(images)


def test_images_with_nan_are_refused():
    images = torch.zeros(2, 1, 40, 40)
    data.expect_images(images)
    images[0, 0, 3, 4] = torch.nan
    with pytest.raises(ValueError, match="finite"):
        data.expect_images(images)
