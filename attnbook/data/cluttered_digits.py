"""One handwritten digit among fragments of other digits, or on a photograph.

Source: digits of E. Alpaydin and C. Kaynak (UCI, 1998), photographs by
danielbuechele and vultilion on Flickr, all as scikit-learn ships them; the
design follows the cluttered MNIST of Mnih et al. (2014, arXiv:1406.6247).
Licence: digits CC BY 4.0 (UCI), photographs CC BY 2.0; the code, MIT.
Size: as many scenes as asked for, 40 x 40 pixels, one channel, 10 classes;
12,000 scenes of 0 to 8 fragments take about a second.
How made: a digit of 12 x 12 pixels anywhere; fragments, squares of 5 to 8
pixels cut from other digits' images, overlap the digit's box by at most 2
pixels in height or in width; the brightest pixel wins. A share of a crop of a
photograph may lie behind; noise of deviation 0.05 is added at last. Training
and test scenes have no digit's image in common, nor a photograph's pixel.
Can show: whether a model finds one object, of known place, in clutter of any
amount, and on a background of another kind than it was trained on.
Cannot show: real photographs of objects: all digits have one size and one
brightness, nothing hides them, and 1,200 images in training are few.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_sample_images
from torch import Tensor

from attnbook.data._digits import glyphs

SIZE, DIGIT = 40, 12  # pixels of a side
SMALLEST, LARGEST = 5, 8  # sides of a fragment
MOST_FRAGMENTS = 40


class Scenes(NamedTuple):
    """Scenes, what they show, and where."""

    images: Tensor  # (n, 1, 40, 40) of float32, ink about 1
    labels: Tensor  # (n,) of int64, 0 to 9
    boxes: Tensor  # (n, 4): first row, first column, one past the last of each


@lru_cache
def photographs(split: str) -> list[np.ndarray]:
    """Grey photographs in [0, 1], two in two sizes: left halves for training,
    right halves for tests."""
    found = []
    for image in load_sample_images().images:
        grey = image.astype(np.float32).mean(axis=2) / 255
        half = grey.shape[1] // 2
        grey = grey[:, :half] if split == "train" else grey[:, half:]
        for k in (2, 4):  # means of k x k pixels
            h, w = grey.shape[0] // k, grey.shape[1] // k
            small = grey[: h * k, : w * k].reshape(h, k, w, k)
            found.append(small.mean(axis=(1, 3)))
    return found


def squares(corners: np.ndarray, side: int) -> tuple:
    """Index of a square per image: rows (n, side, 1), columns (n, 1, side)."""
    reach = np.arange(side)
    rows = corners[:, 0, None, None] + reach[:, None]
    return rows, corners[:, 1, None, None] + reach


def free_corners(rng, boxes: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Corners (n, 2) of fragments that overlap no box by more than 2 pixels
    in both directions."""
    corners = np.zeros((len(sides), 2), int)
    todo = np.arange(len(sides))
    while len(todo):
        room = SIZE - sides[todo, None] + 1
        corners[todo] = (rng.random((len(todo), 2)) * room).astype(int)
        ends = corners[todo] + sides[todo, None]
        overlap = np.minimum(ends, boxes[todo, 2:])
        overlap -= np.maximum(corners[todo], boxes[todo, :2])
        todo = todo[(overlap > 2).all(axis=1)]
    return corners


def add_fragment(rng, canvas, digits, boxes, chosen) -> None:
    """Paste one more fragment into each chosen image of canvas, in place."""
    n = len(chosen)
    sides = rng.integers(SMALLEST, LARGEST + 1, n)
    cut = (rng.random((n, 2)) * (DIGIT - sides[:, None] + 1)).astype(int)
    rows, columns = squares(cut, LARGEST)
    which = rng.integers(0, len(digits), n)[:, None, None]
    last = DIGIT - 1  # what is beyond it is beyond the fragment, too
    piece = digits[which, rows.clip(max=last), columns.clip(max=last)]
    inside = np.arange(LARGEST) < sides[:, None]
    piece = piece * (inside[:, :, None] & inside[:, None])
    rows, columns = squares(free_corners(rng, boxes[chosen], sides), LARGEST)
    place = chosen[:, None, None], rows, columns
    canvas[place] = np.maximum(canvas[place], piece)


def add_photograph(rng, canvas, split: str, share: float) -> None:
    """Put `share` times a crop, stretched to [0, 1], behind each image."""
    pictures = photographs(split)
    kinds = rng.integers(0, len(pictures), len(canvas))
    for kind, picture in enumerate(pictures):
        here = np.flatnonzero(kinds == kind)
        room = np.array(picture.shape) - SIZE + 1
        corners = (rng.random((len(here), 2)) * room).astype(int)
        crops = picture[squares(corners, SIZE)]
        low = crops.min(axis=(1, 2), keepdims=True)
        high = crops.max(axis=(1, 2), keepdims=True)
        crops = share * (crops - low) / (high - low + 1e-6)
        part = canvas[here, :SIZE, :SIZE]
        canvas[here, :SIZE, :SIZE] = np.maximum(part, crops)


def compose(rng, split, which, corners, counts, photo) -> Scenes:
    """Scenes of these digits at these corners, with so many fragments."""
    digits, labels = glyphs(split, DIGIT)
    digits, n = digits.numpy(), len(which)
    boxes = np.concatenate([corners, corners + DIGIT], axis=1)
    side = SIZE + LARGEST - SMALLEST  # fragments' empty rims may stand out
    canvas = np.zeros((n, side, side), np.float32)
    for k in range(counts.max()):
        chosen = np.flatnonzero(counts > k)
        add_fragment(rng, canvas, digits, boxes, chosen)
    place = np.arange(n)[:, None, None], *squares(corners, DIGIT)
    canvas[place] = np.maximum(canvas[place], digits[which])
    if photo:
        add_photograph(rng, canvas, split, photo)
    images = canvas[:, :SIZE, :SIZE]
    images = images + 0.05 * rng.standard_normal(images.shape, np.float32)
    images = torch.from_numpy(images)[:, None]
    return Scenes(images, labels[which], torch.from_numpy(boxes))


def expect_sizes(split: str, fewest: int, most: int, photo: float) -> None:
    """ValueError, in one sentence, unless such scenes can be made."""
    if split not in ("train", "test"):
        raise ValueError(f'split is "train" or "test", not {split!r}')
    if not 0 <= fewest <= most <= MOST_FRAGMENTS:
        raise ValueError(
            f"0 <= fewest <= most <= {MOST_FRAGMENTS} fragments are needed, "
            f"not {fewest} and {most}"
        )
    if not 0 <= photo <= 1:
        raise ValueError(f"photo is a share from 0 to 1, not {photo}")


def draw_scenes(
    n: int, seed: int, split: str, fewest: int, most: int, photo: float = 0.0
) -> Scenes:
    """n scenes of `fewest` to `most` fragments, the digits of one split, on
    `photo` times a photograph; ValueError for what cannot be made."""
    expect_sizes(split, fewest, most, photo)
    if n < 1:
        raise ValueError(f"at least one scene is needed, not {n}")
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(glyphs(split, DIGIT)[0]), n)
    corners = rng.integers(0, SIZE - DIGIT + 1, (n, 2))
    counts = rng.integers(fewest, most + 1, n)
    return compose(rng, split, which, corners, counts, photo)


def compose_scene(
    digit: int,
    row: int,
    column: int,
    fragments: int,
    photo: float = 0.0,
    seed: int = 0,
) -> Scenes:
    """One scene of a test digit with its first pixel at this row and column;
    ValueError, in one sentence, if it cannot be made."""
    expect_sizes("test", fragments, fragments, photo)
    if digit not in range(10):
        raise ValueError(f"a digit is 0 to 9, not {digit!r}")
    last = SIZE - DIGIT
    if row not in range(last + 1) or column not in range(last + 1):
        raise ValueError(
            f"row and column are whole numbers from 0 to {last}, so that the "
            f"digit is inside the scene, not {row!r} and {column!r}"
        )
    rng = np.random.default_rng(seed)
    labels = glyphs("test", DIGIT)[1].numpy()
    which = rng.choice(np.flatnonzero(labels == digit), 1)
    corners, counts = np.array([[row, column]]), np.array([fragments])
    return compose(rng, "test", which, corners, counts, photo)


def expect_images(images: Tensor) -> None:
    """ValueError, in one sentence, unless these are images for the models."""
    shape = tuple(getattr(images, "shape", ()))
    if shape[1:] != (1, SIZE, SIZE):
        raise ValueError(
            f"images have the shape (n, 1, {SIZE}, {SIZE}), one channel of "
            f"{SIZE} x {SIZE} pixels; these have {shape}"
        )
    if not torch.isfinite(images).all():
        raise ValueError("images hold finite numbers only")
