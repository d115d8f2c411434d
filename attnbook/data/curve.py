"""A noisy curve: fifty points of a known function, to be smoothed.

Source: made by code, no file; 2 sin x + x^0.8 on [0, 5] is the function of
Zhang et al., Dive into Deep Learning, section on attention pooling (the
2020 edition).
Licence: MIT, as the code. Size: n points, a microsecond each.
How made: x uniform on [0, 5] and sorted, y = 2 sin x + x^0.8 + noise, noise
normal with standard deviation 0.5.
Can show: how well a weighted average recovers a smooth function, because the
true function is known. Cannot show: many dimensions, where neighbours are
far and kernel regression fails.
"""

import numpy as np
from numpy import ndarray

NOISE = 0.5


def true_curve(x: ndarray) -> ndarray:
    """The noise-free function, element by element; x must be >= 0."""
    return 2 * np.sin(x) + x**0.8


def noisy_curve(n: int, rng: np.random.Generator) -> tuple[ndarray, ndarray]:
    """Draw n sorted positions in [0, 5] and their noisy heights, both (n,)."""
    x = np.sort(rng.uniform(0, 5, n))
    return x, true_curve(x) + NOISE * rng.standard_normal(n)
