"""Speckled slices in which a lesion is the dark blob without a mirror twin.

Source: made by code, no file. The look (dark blobs, blurred irregular border,
multiplicative speckle) imitates ultrasound; nothing is taken from patients.
Licence: MIT, as the code. Size: any number of 48 x 48 images; 2,000 take about
half a second.
How made: normal structures come in pairs that mirror one another in the
vertical midline, up to a jitter of half a pixel; 0, 1 or 2 lesions (with
probability 0.2, 0.5, 0.3) are drawn in the same way, but have nothing at their
mirror place. So no patch tells a lesion from a structure. Darkening, blur,
slow changes of brightness and Rayleigh speckle follow. Task "local" has no
pairs: every dark blob is a lesion, among bright spots and thin shadows.
Can show: whether a network compares places that lie far apart, and how that
depends on their distance, on contrast and on the number of pairs; the true
outline is known to the pixel.
Cannot show: real anatomy, artefacts of a machine, or doubt among experts: here
the outline is certain, and symmetry is the only rule.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor
from torch.nn import functional as F

SIZE = 48  # pixels on either side
MARGIN = 7  # from a centre to the edge of the image, at least
MIDDLE = 5  # from a centre to the midline, at least
APART = 11  # between two centres, at least
REACH = 7  # a blob's pixels lie no further from its centre
TISSUE = 0.55  # mean brightness
MOST_LESIONS, MOST_PAIRS = 2, 3


class Scenes(NamedTuple):
    """Images and, pixel by pixel, whose they are."""

    images: Tensor  # (n, 1, 48, 48) float32, brightness minus TISSUE
    owner: Tensor  # (n, 48, 48) int8: 0 tissue, 1, 2 lesions, 3, 4 a pair, ...

    @property
    def lesions(self) -> Tensor:
        """(n, 48, 48) bool: the pixels to be found."""
        return (self.owner > 0) & (self.owner <= MOST_LESIONS)

    @property
    def twins(self) -> Tensor:
        """(n, 48, 48) bool: normal structures, which look the same."""
        return self.owner > MOST_LESIONS


def mirrored(places: np.ndarray) -> np.ndarray:
    """The places (..., 2), rows and columns, on the other side."""
    return np.stack([places[..., 0], SIZE - 1 - places[..., 1]], axis=-1)


def free_places(rng, taken: np.ndarray, half: bool = True) -> np.ndarray:
    """A place (y, x) per image, APART from those taken (n, k, 2); nan where
    there is none. In the left half, or anywhere."""
    n, tries = len(taken), 40
    right = SIZE / 2 - MIDDLE if half else SIZE - MARGIN
    low, high = (MARGIN, MARGIN), (SIZE - MARGIN, right)
    places = rng.uniform(low, high, size=(n, tries, 2))
    near = ((places[:, :, None] - taken[:, None]) ** 2).sum(-1) < APART**2
    free = ~near.any(axis=-1)  # nan is near nothing
    found = places[np.arange(n), free.argmax(axis=1)]
    found[~free.any(axis=1)] = np.nan
    return found


def draw_shapes(rng, n: int) -> np.ndarray:
    """Radii, angle, three phases and three amplitudes of n blobs, (n, 9)."""
    low = [2.6, 2.6, 0, 0, 0, 0, 0.03, 0.03, 0.03]
    high = [4.8, 4.8, np.pi, 6.28, 6.28, 6.28, 0.13, 0.13, 0.13]
    return rng.uniform(low, high, size=(n, 9))


def inside(y: np.ndarray, x: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Whether offsets from the centre lie in a wavy ellipse; they broadcast
    to (m, rows, columns), shapes is (m, 9)."""
    ry, rx, turn, *rest = (s[:, None, None] for s in shapes.T)
    u = (x * np.cos(turn) + y * np.sin(turn)) / rx
    v = (y * np.cos(turn) - x * np.sin(turn)) / ry
    angle, edge = np.arctan2(v, u), 1.0
    for k, phase, amplitude in zip((2, 3, 5), rest[:3], rest[3:]):
        edge = edge + amplitude * np.cos(k * angle + phase)
    return u**2 + v**2 < edge**2


def stamp(owner, places, shapes, who: int, mirror: bool = False) -> None:
    """Write `who` on the pixels of one blob per image; none where nan."""
    there = np.flatnonzero(~np.isnan(places[:, 0]))
    around = np.arange(-REACH, REACH + 1)
    grid = np.round(places[there]).astype(int)[..., None] + around
    y, x = np.moveaxis(grid - places[there][..., None], 1, 0)
    x = -x if mirror else x
    blob = inside(y[:, :, None], x[:, None], shapes[there])
    k, row, column = np.nonzero(blob)
    row, column = grid[k, 0, row], grid[k, 1, column]
    real = (np.minimum(row, column) >= 0) & (np.maximum(row, column) < SIZE)
    owner[there[k[real]], row[real], column[real]] = who


def blur(images: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of the last two axes."""
    for axis in (1, 2):
        images = gaussian_filter1d(images, sigma, axis=axis, truncate=3)
    return images


def draw_owners(rng, pairs: np.ndarray, lesions: np.ndarray) -> np.ndarray:
    """Owners (n, 48, 48); pairs (n, p, 2), lesions (n, l, 2), nan = none."""
    n = len(pairs)
    owner = np.zeros((n, SIZE, SIZE), np.int8)
    for k, places in enumerate(pairs.swapaxes(0, 1)):
        shapes, first = draw_shapes(rng, n), MOST_LESIONS + 1 + 2 * k
        stamp(owner, places, shapes, first)
        jitter = rng.normal(0, 0.5, size=places.shape)
        stamp(owner, mirrored(places) + jitter, shapes, first + 1, mirror=True)
    for k, places in enumerate(lesions.swapaxes(0, 1)):
        stamp(owner, places, draw_shapes(rng, n), k + 1)
    return owner


def spots_and_shadows(rng, n: int) -> np.ndarray:
    """Brightness of tissue with 2 to 4 bright spots or thin shadows each."""
    base = np.full((n, SIZE, SIZE), TISSUE, np.float32)
    line, count = np.arange(SIZE), rng.integers(2, 5, size=n)
    for k in range(4):
        y, x = rng.uniform(5, SIZE - 5, size=(2, n, 1))
        kind = np.where(k < count, rng.integers(2, size=n), 2)[:, None, None]
        width = rng.uniform(1, 2.2, size=(n, 1))
        rows = np.exp(-0.5 * ((line - y) / width) ** 2)
        columns = np.exp(-0.5 * ((line - x) / width) ** 2)
        base += 0.35 * (kind == 0) * rows[:, :, None] * columns[:, None]
        thin = (line >= x) & (line < x + rng.integers(1, 3, size=(n, 1)))
        shadow = (line >= y)[:, :, None] & thin[:, None]
        base *= np.where((kind == 1) & shadow, 0.75, 1)
    return base


def photograph(rng, owner, contrast, base=TISSUE) -> Scenes:
    """Scenes from owners; contrast (n,): how much darker a blob is."""
    n = len(owner)
    dark = blur((owner > 0).astype(np.float32), 1.0)
    bright = base * (1 - contrast[:, None, None].astype(np.float32) * dark)
    coarse = rng.normal(0, 0.03, size=(n, 1, 7, 7)).astype(np.float32)
    slow = F.interpolate(torch.from_numpy(coarse), SIZE, mode="bicubic")
    noise = rng.standard_exponential((n, SIZE, SIZE), np.float32)
    noise = blur(np.sqrt(2 * noise) / 1.2533, 0.6)  # Rayleigh, of mean 1
    bright = (bright + slow[:, 0].numpy()) * (1 + 0.6 * (noise - 1))
    images = np.clip(bright, 0, 1.5).astype(np.float32) - np.float32(TISSUE)
    return Scenes(torch.from_numpy(images)[:, None], torch.from_numpy(owner))


def draw_scenes(
    n: int,
    seed: int,
    task: str = "context",
    pairs: tuple[int, int] = (1, 3),
    contrast: tuple[float, float] = (0.4, 0.65),
) -> Scenes:
    """n scenes; ValueError for a task or numbers that make no sense.

    A pair that finds no place is left out.
    """
    if task not in ("context", "local"):
        raise ValueError(f'task is "context" or "local", not {task!r}')
    if n < 1 or not 0 <= pairs[0] <= pairs[1] <= MOST_PAIRS:
        raise ValueError(f"n >= 1 and 0 to {MOST_PAIRS} pairs are needed")
    check_contrast(*contrast)
    rng, context = np.random.default_rng(seed), task == "context"
    places = np.full((n, MOST_LESIONS + MOST_PAIRS, 2), np.nan)
    count = rng.integers(pairs[0], pairs[1] + 1, size=n) * context
    lesions = rng.choice(MOST_LESIONS + 1, p=[0.2, 0.5, 0.3], size=n)
    for k in range(places.shape[1]):  # lesions first: they are not left out
        taken = np.hstack([places, mirrored(places)]) if context else places
        drawn = free_places(rng, taken, half=context)
        if k < MOST_LESIONS:  # on either side
            swap = context & (rng.random(n) < 0.5)
            drawn = np.where(swap[:, None], mirrored(drawn), drawn)
        wanted = k < lesions if k < MOST_LESIONS else k - MOST_LESIONS < count
        places[:, k] = np.where(wanted[:, None], drawn, np.nan)
    owner = draw_owners(rng, places[:, MOST_LESIONS:], places[:, :MOST_LESIONS])
    base = TISSUE if context else spots_and_shadows(rng, n)
    return photograph(rng, owner, rng.uniform(*contrast, size=n), base)


def check_contrast(low: float, high: float) -> None:
    """ValueError unless 0 < low <= high <= 1."""
    if not 0 < low <= high <= 1:
        raise ValueError(f"contrast lies above 0, up to 1, not {low}, {high}")


def place_scene(pairs, lesions, contrast: float = 0.5, seed: int = 0) -> Scenes:
    """One scene with structures and lesions at places (row, column) of yours.

    ValueError for places too near the edge, the midline or one another (or
    one another's mirror place), too many of them, or an odd contrast.
    """
    check_contrast(contrast, contrast)
    if len(pairs) > MOST_PAIRS or len(lesions) > MOST_LESIONS:
        raise ValueError(f"{MOST_PAIRS} pairs and {MOST_LESIONS} lesions fit")
    pairs = np.array(pairs, float).reshape(1, -1, 2)
    lesions = np.array(lesions, float).reshape(1, -1, 2)
    places = np.hstack([pairs, lesions])[0]
    for k, (y, x) in enumerate(places):
        if not MARGIN <= min(y, x) <= max(y, x) <= SIZE - 1 - MARGIN:
            raise ValueError(f"({y:g}, {x:g}) is too near the edge")
        if abs(x - (SIZE - 1) / 2) < MIDDLE:
            raise ValueError(f"({y:g}, {x:g}) is too near the midline")
        others = np.vstack([places[:k], mirrored(places[:k])])
        if (np.hypot(*(others - (y, x)).T) < APART).any():
            raise ValueError(f"({y:g}, {x:g}) overlaps another or its mirror")
    rng = np.random.default_rng(seed)
    owner = draw_owners(rng, pairs, lesions)
    return photograph(rng, owner, np.array([contrast]))
