"""Copy or reverse: a first token says which, the rest is to be written.

Source: made by code, no file; reversing and copying digits are the usual
first tasks of sequence-to-sequence models (Graves, Wayne & Danihelka, 2014,
arXiv:1410.5401, section 4.1, copy).
Licence: MIT, as the code. Size: unlimited; a batch of 128 takes about 0.2 ms.
How made: a length drawn uniformly, digits drawn independently, the
instruction by a fair coin; shorter sequences are filled up with PAD.
Can show: whether a decoder finds the right place in its source, step by step,
and whether padding, masks, label shift and stopping work.
Cannot show: anything about language; every digit is independent of the others.
"""

from typing import NamedTuple

import torch
from torch import Tensor

PAD, BEGIN, END, COPY, REVERSE = range(5)
DIGITS = 10
VOCABULARY = 5 + DIGITS


class Instructed(NamedTuple):
    """A batch of b sources and what is to be written for each."""

    source: Tensor  # (b, 1 + longest): instruction, digits, PAD
    lengths: Tensor  # (b,) tokens of each source that are not PAD
    target: Tensor  # (b, 2 + longest): BEGIN, digits, END, PAD


def copy_reverse_batch(
    b: int, longest: int, generator: torch.Generator, shortest: int = 1
) -> Instructed:
    """Draw b examples of `shortest` to `longest` digits each."""
    if not 1 <= shortest <= longest:
        raise ValueError(
            f"1 <= shortest <= longest needed, not {shortest} and {longest}"
        )
    sizes = torch.randint(shortest, longest + 1, (b, 1), generator=generator)
    digits = 5 + torch.randint(DIGITS, (b, longest), generator=generator)
    place = torch.arange(longest)
    real = place < sizes
    digits = digits.masked_fill(~real, PAD)
    turn = torch.randint(2, (b, 1), generator=generator).bool()
    backwards = digits.gather(1, (sizes - 1 - place).clamp(min=0))
    written = torch.where(turn & real, backwards, digits)
    first = torch.where(turn, REVERSE, COPY)
    target = torch.nn.functional.pad(written, (1, 1), value=PAD)
    target[:, 0] = BEGIN
    target.scatter_(1, sizes + 1, END)
    source = torch.cat([first, digits], dim=1)
    return Instructed(source, sizes[:, 0] + 1, target)
