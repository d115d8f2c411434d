"""The scenes of chapter 3.6: symmetry is the only rule, and it is kept."""

import time

import numpy as np
import pytest
import torch
from scipy.ndimage import label

from attnbook.data import lesions as data
from attnbook.data.lesions import draw_scenes, place_scene


def centres(mask):
    """Row and column of the middle of a mask."""
    return np.argwhere(np.asarray(mask)).mean(axis=0)


def test_shapes_types_and_brightness():
    scenes = draw_scenes(50, 3)
    assert scenes.images.shape == (50, 1, 48, 48)
    assert scenes.images.dtype == torch.float32
    assert scenes.owner.shape == scenes.lesions.shape == (50, 48, 48)
    assert scenes.lesions.dtype == scenes.twins.dtype == torch.bool
    assert not (scenes.lesions & scenes.twins).any()
    assert ((scenes.owner > 0) == (scenes.lesions | scenes.twins)).all()
    assert scenes.images.min() >= -data.TISSUE and scenes.images.max() <= 0.96


def test_every_pair_is_symmetric_and_no_lesion_is():
    for owner in draw_scenes(300, 4).owner:
        there = set(owner.unique().tolist()) - {0}
        for who in (3, 5, 7):
            assert (who in there) == (who + 1 in there)
            if who in there:
                y, x = centres(owner == who)
                other = centres(owner == who + 1)
                assert np.hypot(*(other - (y, 47 - x))) < 3
        for who in there & {1, 2}:
            alone = (owner == who) & (owner.flip(1) > 0)
            assert alone.sum() <= 0.2 * (owner == who).sum()


def test_no_two_blobs_share_a_centre_and_all_lie_inside():
    for owner in draw_scenes(200, 5).owner:
        places = [centres(owner == k) for k in owner.unique() if k > 0]
        for k, (y, x) in enumerate(places):
            assert 5 < y < 42 and 5 < x < 42
            for other in places[:k]:
                assert np.hypot(*(other - (y, x))) > 6


def test_shares_of_empty_images_and_of_one_and_two_lesions():
    owner = draw_scenes(4000, 6).owner.flatten(1)
    one, two = (owner == 1).any(dim=1), (owner == 2).any(dim=1)
    count = torch.bincount(one.int() + two.int(), minlength=3) / 4000
    want = torch.tensor([0.2, 0.5, 0.3])
    torch.testing.assert_close(count, want, atol=0.03, rtol=0)


def test_pairs_are_as_many_as_asked_for():
    for pairs, most in ((0, 0), (1, 1), (2, 4), (3, 6)):
        owner = draw_scenes(100, 7, pairs=(pairs, pairs)).owner
        counts = [(o[o > 2].unique()).numel() for o in owner]
        assert max(counts) == 2 * pairs and max(counts) <= 2 * most


def test_lesions_and_twins_look_the_same_in_size_and_darkness():
    scenes = draw_scenes(1500, 8)
    owner, images = scenes.owner, scenes.images[:, 0]
    sizes, dark = [], []
    for ids in ((1, 2), (3, 5, 7), (4, 6, 8)):
        masks = [owner == k for k in ids]
        areas = torch.cat([m.flatten(1).sum(dim=1) for m in masks])
        sizes.append(areas[areas > 0].float().mean().item())
        dark.append(torch.cat([images[m] for m in masks]).mean().item())
    assert max(sizes) / min(sizes) < 1.05
    assert max(dark) - min(dark) < 0.01


def test_lesions_lie_on_both_sides_alike():
    found = draw_scenes(2000, 9).lesions.sum(dim=(0, 1)).float()
    left, right = found[:24].sum(), found[24:].sum()
    assert abs(left - right) / (left + right) < 0.05


def test_more_contrast_is_darker():
    means = []
    for level in (0.2, 0.5, 0.8):
        scenes = draw_scenes(200, 10, contrast=(level, level))
        means.append(scenes.images[:, 0][scenes.lesions].mean().item())
    assert means[0] > means[1] + 0.05 > means[2] + 0.1


def test_in_the_local_task_each_blob_is_a_lesion():
    scenes = draw_scenes(300, 11, "local")
    assert not scenes.twins.any()
    counts = [label(mask)[1] for mask in scenes.lesions.numpy()]
    assert {0, 1, 2} == set(counts)


def test_the_same_seed_draws_the_same_and_another_does_not():
    for task in ("context", "local"):
        one, two = draw_scenes(20, 12, task), draw_scenes(20, 12, task)
        assert torch.equal(one.images, two.images)
        assert torch.equal(one.owner, two.owner)
        other = draw_scenes(20, 13, task)
        assert not torch.equal(one.images, other.images)


def test_no_outline_occurs_in_training_and_test():
    train, test = draw_scenes(2000, 0), draw_scenes(400, 10_000)
    seen = {owner.numpy().tobytes() for owner in train.owner}
    assert len(seen) == 2000
    assert not seen & {owner.numpy().tobytes() for owner in test.owner}


def test_all_scenes_of_the_chapter_take_less_than_three_seconds():
    start = time.process_time()
    draw_scenes(2000, 0)
    for k in range(6):
        draw_scenes(300, 100 + k)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "arguments, says",
    [
        (dict(n=0, seed=0), "n >= 1 and 0 to 3 pairs"),
        (dict(n=2, seed=0, pairs=(2, 1)), "0 to 3 pairs"),
        (dict(n=2, seed=0, pairs=(0, 4)), "0 to 3 pairs"),
        (dict(n=2, seed=0, task="global"), 'task is "context" or "local"'),
        (dict(n=2, seed=0, contrast=(0, 0.5)), "contrast lies above 0"),
        (dict(n=2, seed=0, contrast=(0.6, 0.5)), "contrast lies above 0"),
        (dict(n=2, seed=0, contrast=(0.6, 1.5)), "contrast lies above 0"),
    ],
)
def test_impossible_wishes_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        draw_scenes(**arguments)


def test_a_scene_by_hand():
    scene = place_scene([(12, 10), (27, 36)], [(40, 12)], contrast=0.6)
    assert scene.owner.unique().tolist() == [0, 1, 3, 4, 5, 6]
    for who, place in ((1, (40, 12)), (3, (12, 10)), (4, (12, 37))):
        assert np.hypot(*(centres(scene.owner[0] == who) - place)) < 2.5
    empty = place_scene([], [])
    assert not empty.owner.any() and empty.images.shape == (1, 1, 48, 48)


@pytest.mark.parametrize(
    "pairs, lesions, says",
    [
        ([(3, 10)], [], r"\(3, 10\) is too near the edge"),
        ([], [(20, 44)], r"\(20, 44\) is too near the edge"),
        ([(20, 22)], [], "too near the midline"),
        ([(20, 10)], [(25, 12)], "overlaps another or its mirror"),
        ([(20, 10)], [(25, 35)], "overlaps another or its mirror"),
        ([(10, 10)] * 4, [], "3 pairs and 2 lesions fit"),
        ([], [(10, 10), (25, 10), (40, 10)], "3 pairs and 2 lesions fit"),
    ],
)
def test_places_that_do_not_fit_are_refused(pairs, lesions, says):
    with pytest.raises(ValueError, match=says):
        place_scene(pairs, lesions)


def test_a_hand_made_scene_has_a_real_contrast():
    with pytest.raises(ValueError, match="contrast lies above 0"):
        place_scene([], [(20, 10)], contrast=0.0)
