"""Coloured shapes and a sentence that says what stands above what.

Source: made by the code below; nothing is downloaded. The task follows the
image captioning of Xu et al. (2015, arXiv:1502.03044) in the smallest form.
Licence: MIT, as all code here.
Size: as many scenes as asked for, 40 x 40 pixels in colour, 2 to 5 objects,
13 words; 8,000 scenes of 2 to 4 objects take one to two seconds.
How made: objects of 5 shapes and 6 colours, radius 3.2 to 4.6 pixels, on a
dark background of any hue with noise of deviation 0.04. Centres are at least
4 pixels apart in height, objects never touch, and neighbours in the caption
are at least 4 pixels apart sideways. The caption names the objects from top
to bottom; between two of them it says on which side of the next one the
object stands above it.
Can show: whether a model names every object with its own colour, in order,
and which places of the image it uses for which word.
Cannot show: real photographs or free language: each scene has one right
caption, nothing is hidden, and the grammar is the same for all.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from attnbook.data.text import BEGIN, END, PAD, Vocabulary

SIZE, GRID, MOST = 40, 10, 5  # pixels and places of a side; objects
COLOURS = {
    "red": (1.0, 0.15, 0.15),
    "green": (0.1, 0.8, 0.2),
    "blue": (0.2, 0.35, 1.0),
    "yellow": (1.0, 0.9, 0.1),
    "purple": (0.65, 0.2, 0.9),
    "white": (1.0, 1.0, 1.0),
}
SHAPES = "circle", "square", "triangle", "cross", "ring"
SIDES = "above-left", "above-right"  # of the next object
WORDS = Vocabulary([COLOURS, SHAPES, SIDES])
LOW, HIGH, GAP = 5.0, 34.4, 4.0  # centres, and between two of them
RADII = 3.2, 4.6


class Captioned(NamedTuple):
    """Scenes, their captions, and which place shows what."""

    images: Tensor  # (n, 3, 40, 40) of float32, about 0 to 1
    captions: Tensor  # (n, 1 + 3 k) of int64: BEGIN, words, END, PAD
    regions: Tensor  # (n, k, 100) of bool: object k touches the place
    counts: Tensor  # (n,) objects of each scene


def inside(shapes: np.ndarray, y, x, r) -> np.ndarray:
    """Whether points at (y, x) from the centre belong to shapes of radius r;
    all of one shape (m, rows, columns) or broadcastable."""
    far, high, wide = np.hypot(y, x), np.abs(y), np.abs(x)
    bar = r / 3
    found = [
        far <= r,
        (high <= 0.85 * r) & (wide <= 0.85 * r),
        (high <= r) & (y <= 0.8 * r) & (wide <= 0.55 * (y + r)),
        ((high <= bar) & (wide <= r)) | ((wide <= bar) & (high <= r)),
        (far <= r) & (far >= 0.55 * r),
    ]
    return np.select([shapes == k for k in range(len(SHAPES))], found)


def apart(centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Which scenes may stand: centres (m, k, 2), from top to bottom, radii
    (m, k); neighbours differ sideways, no two objects touch."""
    steps = np.diff(centres, axis=1)
    good = (np.abs(steps[..., 1]) >= GAP).all(axis=1)
    good &= (steps[..., 0] >= GAP - 1e-9).all(axis=1)
    for a in range(centres.shape[1]):
        for b in range(a):
            far = np.hypot(*(centres[:, a] - centres[:, b]).T)
            good &= far > radii[:, a] + radii[:, b] + 1
    return good


def draw_places(rng, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres (n, k, 2), from top to bottom, and radii (n, k) of scenes that
    may stand."""
    centres, radii = np.zeros((n, k, 2)), np.zeros((n, k))
    todo = np.arange(n)
    while len(todo):
        m, room = len(todo), HIGH - LOW - GAP * (k - 1)
        rows = np.sort(rng.random((m, k)) * room, axis=1)
        rows += LOW + GAP * np.arange(k)
        columns = rng.uniform(LOW, HIGH, (m, k))
        centres[todo] = np.stack([rows, columns], axis=-1)
        radii[todo] = rng.uniform(*RADII, (m, k))
        todo = todo[~apart(centres[todo], radii[todo])]
    return centres, radii


def write_captions(colours, shapes, centres) -> np.ndarray:
    """BEGIN, then colour, shape and side of each object, END for the last
    side: (n, 1 + 3 k) from (n, k), (n, k) and (n, k, 2)."""
    n, k = colours.shape
    numbers = [
        np.array([WORDS.number[word] for word in kind])
        for kind in (COLOURS, SHAPES, SIDES)
    ]
    right = np.diff(centres[..., 1], axis=1) < 0
    words = np.full((n, k, 3), END)
    words[..., 0], words[..., 1] = numbers[0][colours], numbers[1][shapes]
    words[:, :-1, 2] = numbers[2][right.astype(int)]
    begin = np.full((n, 1), BEGIN)
    return np.concatenate([begin, words.reshape(n, 3 * k)], axis=1)


def paint(rng, colours, shapes, centres, radii) -> tuple:
    """Images (n, 40, 40, 3) and regions (n, k, 100) of n scenes of k."""
    n, k = colours.shape
    canvas = rng.uniform(0, 0.25, (n, 1, 1, 3)).astype(np.float32)
    noise = rng.standard_normal((n, SIZE, SIZE, 3), np.float32)
    canvas = canvas + 0.04 * noise
    regions = np.zeros((n, k, GRID * GRID), bool)
    hues = np.array(list(COLOURS.values()), np.float32)
    reach, scene = np.arange(-4, 6), np.arange(n)[:, None, None]
    for j in range(k):
        first = np.floor(centres[:, j]).astype(int)
        rows = first[:, 0, None, None] + reach[:, None]
        columns = first[:, 1, None, None] + reach
        y = rows - centres[:, j, 0, None, None]
        x = columns - centres[:, j, 1, None, None]
        kinds, r = (a[:, j, None, None] for a in (shapes, radii))
        mask = inside(kinds, y, x, r).astype(bool)
        light = rng.uniform(0.8, 1, (n, 1)).astype(np.float32)
        hue = (light * hues[colours[:, j]])[:, None, None]
        patch = canvas[scene, rows, columns]
        canvas[scene, rows, columns] = np.where(mask[..., None], hue, patch)
        side = SIZE // GRID
        places = rows // side * GRID + columns // side
        which = np.broadcast_to(scene, mask.shape)[mask]
        regions[which, j, places[mask]] = True
    return canvas, regions


def join(parts: list[Captioned]) -> Captioned:
    """Scenes of several numbers of objects as one set, in this order."""
    most = max(part.regions.shape[1] for part in parts)
    rows = []
    for images, captions, regions, counts in parts:
        more = most - regions.shape[1]
        captions = torch.nn.functional.pad(captions, (0, 3 * more), value=PAD)
        regions = torch.nn.functional.pad(regions, (0, 0, 0, more))
        rows.append((images, captions, regions, counts))
    return Captioned(*map(torch.cat, zip(*rows)))


def make(rng, colours, shapes, centres, radii) -> Captioned:
    """Scenes of these objects, told from top to bottom."""
    images, regions = paint(rng, colours, shapes, centres, radii)
    captions = write_captions(colours, shapes, centres)
    return Captioned(
        torch.from_numpy(images).permute(0, 3, 1, 2),
        torch.from_numpy(captions),
        torch.from_numpy(regions),
        torch.full((len(images),), colours.shape[1]),
    )


def draw_captioned(n: int, seed: int, fewest: int, most: int) -> Captioned:
    """n scenes of `fewest` to `most` objects, in mixed order; ValueError for
    what cannot be made."""
    if not 1 <= fewest <= most <= MOST:
        raise ValueError(
            f"1 <= fewest <= most <= {MOST} objects are needed, not {fewest} "
            f"and {most}"
        )
    if n < 1:
        raise ValueError(f"at least one scene is needed, not {n}")
    rng = np.random.default_rng(seed)
    counts = rng.integers(fewest, most + 1, n)
    parts = []
    for k in np.unique(counts):
        m = int((counts == k).sum())
        colours = rng.integers(0, len(COLOURS), (m, k))
        shapes = rng.integers(0, len(SHAPES), (m, k))
        parts.append(make(rng, colours, shapes, *draw_places(rng, m, int(k))))
    order = torch.from_numpy(np.argsort(np.argsort(counts, kind="stable")))
    return Captioned(*(x[order] for x in join(parts)))


def compose_captioned(
    objects: Sequence[tuple[str, str, float, float]], seed: int = 0
) -> Captioned:
    """One scene of such objects, each (colour, shape, row, column of the
    centre), in any order; ValueError, in one sentence, if it cannot be
    made."""
    if not 1 <= len(objects) <= MOST:
        raise ValueError(f"a scene has 1 to {MOST} objects, not {len(objects)}")
    for colour, shape, *centre in objects:
        if colour not in COLOURS:
            raise ValueError(f"{colour!r} is not one of {', '.join(COLOURS)}")
        if shape not in SHAPES:
            raise ValueError(f"{shape!r} is not one of {', '.join(SHAPES)}")
        if not all(LOW <= x <= HIGH for x in centre) or len(centre) != 2:
            raise ValueError(
                f"a centre is a row and a column from {LOW:g} to {HIGH:g}, "
                f"not {tuple(centre)}"
            )
    objects = sorted(objects, key=lambda one: one[2])
    centres = np.array([[one[2:] for one in objects]], float)
    radii = np.full(centres.shape[:2], 4.0)
    if not apart(centres, radii)[0]:
        raise ValueError(
            f"centres must be {GAP:g} rows apart, objects must not touch, and "
            f"neighbours in height must be {GAP:g} columns apart"
        )
    colours = np.array([[list(COLOURS).index(one[0]) for one in objects]])
    shapes = np.array([[SHAPES.index(one[1]) for one in objects]])
    rng = np.random.default_rng(seed)
    return make(rng, colours, shapes, centres, radii)


def expect_colour_images(images: Tensor) -> None:
    """ValueError, in one sentence, unless these are images for the models."""
    shape = tuple(getattr(images, "shape", ()))
    if len(shape) != 4 or shape[1:] != (3, SIZE, SIZE):
        raise ValueError(
            f"images have the shape (n, 3, {SIZE}, {SIZE}), three channels of "
            f"{SIZE} x {SIZE} pixels; these have {shape}"
        )
    if not torch.isfinite(images).all():
        raise ValueError("images hold finite numbers only")
