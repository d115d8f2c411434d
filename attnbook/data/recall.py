"""Key-value recall: read N pairs, then answer for one key.

Source: made by code, no file; the task follows the associative recall of
Graves, Wayne & Danihelka (2014, arXiv:1410.5401, section 4.3).
Licence: MIT, as the code. Size: unlimited; a batch of 256 takes about 1 ms.
How made: keys are drawn without replacement from 26 letters, values with
replacement from 10 digits, the queried pair uniformly from the N shown.
Can show: whether a model keeps N independent facts until the question comes.
Cannot show: anything about language; there is no grammar, no redundancy and
no noise, so real text is easier to compress than these pairs.
"""

from typing import NamedTuple

import torch
from torch import Tensor

KEYS = 26
VALUES = 10


class Recall(NamedTuple):
    """A batch of b questions about n pairs each."""

    keys: Tensor  # (b, n) integers below KEYS, no two in a row equal
    values: Tensor  # (b, n) integers below VALUES
    asked: Tensor  # (b,) the key in question
    answer: Tensor  # (b,) the value that belongs to it
    where: Tensor  # (b,) position of the asked pair, 0 to n - 1


def recall_batch(b: int, n: int, generator: torch.Generator) -> Recall:
    """Draw b examples of n pairs; ValueError unless 1 <= n <= 26."""
    if not 1 <= n <= KEYS:
        raise ValueError(f"n must lie between 1 and {KEYS}, not {n}")
    keys = torch.rand(b, KEYS, generator=generator).argsort(1)[:, :n]
    values = torch.randint(VALUES, (b, n), generator=generator)
    where = torch.randint(n, (b,), generator=generator)
    row = torch.arange(b)
    return Recall(keys, values, keys[row, where], values[row, where], where)
