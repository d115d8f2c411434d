"""Scenes of several handwritten digits, each with its class and its box.

Source: made by code from real digits: E. Alpaydin and C. Kaynak, Optical
Recognition of Handwritten Digits, UCI, 1998, as shipped by scikit-learn.
Licence: MIT, as the code; the digits are CC BY 4.0.
Size: any number of scenes of 40 x 40 pixels with 1 to 6 digits of the classes
0 to 4; 6,000 take about 1 s. Training and test scenes share no digit's image.
How made: each digit is enlarged to 9 to 14 pixels and put where its box
overlaps no other; up to four fragments of digits lie between them as clutter;
noise of standard deviation 0.05 is added. On request the boxes of the first
two digits overlap by a given share (IoU).
Can show: how a detector copes with more objects, or with overlap, than it was
trained on.
Cannot show: perspective, lighting, texture, objects of very different size.
"""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from attnbook.data._digits import glyphs

SIDE = 40  # pixels
CLASSES = 5  # digits 0 to 4
SIZES = range(9, 15)  # pixels of a digit's frame
MOST = 6  # digits in a scene
INK = 0.25  # the box is the smallest that holds all pixels above this
TRIES = 30  # places tried for a digit
ROUNDS = 100  # how often scenes that found no place are drawn again


class Scenes(NamedTuple):
    """images (n, 1, 40, 40); boxes (n, k, 4): centre x and y, width, height,
    as shares of the side; labels (n, k). k is the largest number of digits;
    rows beyond a scene's own digits hold label -1 and box 0."""

    images: Tensor
    boxes: Tensor
    labels: Tensor

    def pick(self, rows: Tensor) -> "Scenes":
        """Some of the scenes."""
        return Scenes(self.images[rows], self.boxes[rows], self.labels[rows])


@lru_cache
def tables(split: str) -> tuple[Tensor, Tensor, Tensor]:
    """All digits in all sizes, in frames of 14 pixels: images (6, m, 14, 14),
    boxes of their ink (6, m, 4) as left, top, right, bottom, labels (m,)."""
    largest, found = SIZES[-1], []
    for size in SIZES:
        x, labels = glyphs(split, size)
        found.append(F.pad(x[labels < CLASSES], (0, largest - size) * 2))
    images = torch.stack(found)
    ends = []
    for axis in (-2, -1):  # columns that hold ink, then rows
        ink = (images > INK).any(dim=axis).int()
        first, last = ink.argmax(-1), largest - ink.flip(-1).argmax(-1)
        ends.append((first, last))
    (left, right), (top, bottom) = ends
    boxes = torch.stack([left, top, right, bottom], dim=-1)
    return images, boxes, labels[labels < CLASSES]


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes (left, top, right, bottom) in whole pixels, pairwise by
    broadcasting: (..., 4) and (..., 4) to (...)."""
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., 2:], b[..., 2:])
    common = (high - low).clamp(min=0).prod(dim=-1)
    both = sum((x[..., 2:] - x[..., :2]).prod(dim=-1) for x in (a, b))
    return common / (both - common).clamp(min=1)


def paste(canvas: Tensor, patches: Tensor, corners: Tensor) -> None:
    """Lay patches (n, p, p) on a canvas (n, s, s), the darker ink wins."""
    n, p, _ = patches.shape
    step = torch.arange(p)
    rows = corners[:, 1, None, None] + step[:, None]
    columns = corners[:, 0, None, None] + step
    scene = torch.arange(n)[:, None, None]
    old = canvas[scene, rows, columns]
    canvas[scene, rows, columns] = torch.maximum(old, patches)


def corners_to_try(gen, room, near=None):
    """TRIES places (n, TRIES, 2) for frames that have so much room (n,).

    near (n, 2): within 10 pixels of these corners.
    """
    n, room = len(room), room[:, None, None]
    if near is None:
        return (torch.rand(n, TRIES, 2, generator=gen) * room).long()
    shift = torch.rand(n, TRIES, 2, generator=gen) * 20 - 10
    corner = (near[:, None] + shift).clamp(min=0)
    return corner.minimum(room - 0.5).long()


def draw(n, gen, split, fewest, most, pair):
    """One try at n scenes: canvas, pixel boxes, labels, and which succeeded."""

    def integers(high):
        return torch.randint(high, (n,), generator=gen)

    images, inks, classes = tables(split)
    count, rows = fewest + integers(most - fewest + 1), torch.arange(n)
    canvas = torch.zeros(n, SIDE + SIZES[-1], SIDE + SIZES[-1])
    boxes = torch.zeros(n, most, 4, dtype=torch.long)
    labels = torch.full((n, most), -1)
    fine = torch.ones(n, dtype=torch.bool)
    for k in range(most):
        size, which = integers(len(SIZES)), integers(len(classes))
        own, close = inks[size, which], pair and k == 1
        near = boxes[:, 0, :2] - own[:, :2] if close else None
        corner = corners_to_try(gen, SIDE + 1 - (size + SIZES[0]), near)
        ink = own[:, None] + corner.repeat(1, 1, 2)
        worst = torch.zeros(n, TRIES)
        if k:
            worst = overlap(ink[:, :, None], boxes[:, None, :k]).amax(dim=-1)
        low, high = pair if close else (0.0, 0.0)
        good, here = (worst >= low) & (worst <= high), k < count
        best = good.int().argmax(dim=1)  # the first place that will do
        fine &= good.any(dim=1) | ~here
        patch = images[size, which] * here[:, None, None]
        paste(canvas, patch, corner[rows, best])
        boxes[:, k] = ink[rows, best] * here[:, None]
        labels[:, k] = torch.where(here, classes[which], -1)
    return canvas, boxes, labels, fine


def add_clutter(canvas, boxes, gen, split, pieces=4):
    """Lay fragments of 4 to 6 pixels where they touch no box."""
    images, n = tables(split)[0][SIZES.index(12)], len(canvas)
    images, step = F.pad(images, (0, 4, 0, 4)), torch.arange(6)
    for _ in range(pieces):
        size = torch.randint(4, 7, (n, 1), generator=gen)
        corner = torch.rand(n, 2, generator=gen) * (SIDE + 1 - size)
        corner = corner.long()
        cut = (torch.rand(n, 2, generator=gen) * (13 - size)).long()
        which = torch.randint(len(images), (n,), generator=gen)
        rows = cut[:, 1:, None] + step[:, None]
        columns = cut[:, :1, None] + step
        patch = images[which[:, None, None], rows, columns]
        inside = step < size
        patch = patch * (inside[:, None] & inside[:, :, None])
        box = torch.cat([corner, corner + size], dim=1)
        free = overlap(box[:, None], boxes).amax(dim=1) == 0
        paste(canvas, patch * free[:, None, None], corner)


def finish(canvas, boxes, labels, gen):
    """Scenes with noise, and boxes as centre and size in shares."""
    images = canvas[:, None, :SIDE, :SIDE]
    images = images + 0.05 * torch.randn(images.shape, generator=gen)
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    shape = boxes[..., 2:] - boxes[..., :2]
    return Scenes(images, torch.cat([centre, shape], -1) / SIDE, labels)


def draw_scenes(
    n: int,
    seed: int,
    split: str = "train",
    fewest: int = 1,
    most: int = 4,
    pair: tuple[float, float] | None = None,
) -> Scenes:
    """n scenes of fewest to most digits, of one split ("train" or "test").

    pair: the first two digits' boxes overlap with an IoU in this range; all
    other boxes are apart. ValueError if sizes or range are impossible.
    """
    if n < 1 or not 1 <= fewest <= most <= MOST:
        raise ValueError(
            f"{n} scenes of {fewest} to {most} digits: n is at least 1 and "
            f"1 <= fewest <= most <= {MOST}"
        )
    if pair and not (fewest >= 2 and 0 < pair[0] < pair[1] <= 0.7):
        raise ValueError(
            f"pair {pair} with at least {fewest} digits: two digits are needed "
            "and 0 < low < high <= 0.7"
        )
    gen, found, have = torch.Generator().manual_seed(seed), [], 0
    for _ in range(ROUNDS):
        canvas, boxes, labels, fine = draw(n, gen, split, fewest, most, pair)
        add_clutter(canvas, boxes, gen, split)
        found.append([x[fine] for x in (canvas, boxes, labels)])
        have += int(fine.sum())
        if have >= n:
            break
    else:
        raise ValueError(f"no room for {most} digits with pair {pair}")
    canvas, boxes, labels = (torch.cat(x)[:n] for x in zip(*found))
    return finish(canvas, boxes, labels, gen)


def place_digits(digits: list[tuple[int, int, int, int]], seed: int) -> Scenes:
    """One scene of test digits at your places: (class, size, left, top), in
    pixels; the seed chooses whose handwriting. ValueError if they do not fit.
    """
    images, inks, classes = tables("test")
    if not 1 <= len(digits) <= MOST:
        raise ValueError(f"{len(digits)} digits: a scene holds 1 to {MOST}")
    canvas = torch.zeros(1, SIDE + SIZES[-1], SIDE + SIZES[-1])
    gen, boxes = torch.Generator().manual_seed(seed), []
    for label, size, left, top in digits:
        if label not in range(CLASSES) or size not in SIZES:
            raise ValueError(
                f"digit {label}, size {size}: digits are 0 to {CLASSES - 1}, "
                f"sizes {SIZES[0]} to {SIZES[-1]}"
            )
        if not 0 <= min(left, top) <= max(left, top) <= SIDE - size:
            raise ValueError(f"digit {label} at {left}, {top} leaves the scene")
        own = (classes == label).nonzero().flatten()
        which = own[torch.randint(len(own), (1,), generator=gen)]
        corner = torch.tensor([[left, top]])
        paste(canvas, images[SIZES.index(size), which], corner)
        boxes.append(inks[SIZES.index(size), which] + corner.repeat(1, 2))
    labels = torch.tensor([[digit[0] for digit in digits]])
    return finish(canvas, torch.stack(boxes, dim=1), labels, gen)
