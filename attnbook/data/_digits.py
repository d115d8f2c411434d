"""The handwritten digits that the image chapters paste into their scenes."""

from functools import lru_cache

import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional as F

# A cut, not a shuffle: the file comes from 13 people and seems to keep their
# order, though it names nobody, so that most test digits are by other hands.
TRAINING = 1200  # of 1,797; the other 597 are for tests


@lru_cache
def glyphs(split: str, size: int) -> tuple[Tensor, Tensor]:
    """Digits of one split, enlarged from 8 x 8 to `size` pixels (bilinear).

    split: "train" or "test", which share no image.
    Returns images (n, size, size) of float32 in [0, 1], 1 = ink, and labels
    (n,) of int64, 0 to 9. Do not change them in place: they are cached.
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten
    Digits, UCI, 1998, as shipped by scikit-learn (`load_digits`).
    """
    if split not in ("train", "test"):
        raise ValueError(f'split is "train" or "test", not {split!r}')
    part = slice(TRAINING) if split == "train" else slice(TRAINING, None)
    digits = load_digits()
    small = torch.tensor(digits.images[part] / 16, dtype=torch.float32)
    large = F.interpolate(
        small[:, None], (size, size), mode="bilinear", align_corners=False
    )
    return large[:, 0], torch.tensor(digits.target[part])
