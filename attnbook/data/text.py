"""Words as numbers: vocabularies and padded batches.

Holds no data set, so it has no card.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

PAD, BEGIN, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<begin>", "<end>", "<unknown>")


class Vocabulary:
    """All words of some texts, each with a number from 4 on; 0 to 3 are PAD,
    BEGIN, END and UNKNOWN."""

    def __init__(self, texts: Iterable[Iterable[str]]):
        words = sorted({word for text in texts for word in text})
        self.words = [*SPECIAL, *words]
        self.number = {word: k for k, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, words: Sequence[str]) -> list[int]:
        """Their numbers; ValueError for no words or a word never seen."""
        if not words:
            raise ValueError("there is no word in this text")
        for word in words:
            if word not in self.number:
                raise ValueError(
                    f"the model never saw the word {word!r} in training"
                )
        return [self.number[word] for word in words]

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """The words up to the first END, without BEGIN and PAD."""
        words = []
        for k in map(int, numbers):
            if k == END:
                break
            if k not in (PAD, BEGIN):
                words.append(self.words[k])
        return words


def padded(rows: Sequence[Sequence[int]], pad=PAD) -> tuple[Tensor, Tensor]:
    """Rows of unequal length as one tensor (b, n), and their lengths (b,)."""
    lengths = torch.tensor([len(row) for row in rows])
    out = torch.full((len(rows), int(lengths.max())), pad)
    for k, row in enumerate(rows):
        out[k, : len(row)] = torch.as_tensor(row)
    return out, lengths
