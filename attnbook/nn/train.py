"""What every training run shares. Derived in no chapter.

Part of what makes a record: a change here makes the records stale.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from torch import nn
from tqdm import tqdm


def progress(steps: int, label: str) -> Iterator[int]:
    """Count from 0 to steps - 1 behind a progress bar.

    The bar goes to stderr and leaves no trace in a stored notebook; the
    environment variable TQDM_DISABLE=1 switches it off.
    """
    yield from tqdm(range(steps), desc=label, leave=False)


def count_parameters(model: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def matched_width(
    build: Callable[[int], nn.Module], parameters: int, widths: Iterable[int]
) -> int:
    """The width whose model comes closest to so many parameters."""
    return min(
        widths, key=lambda w: abs(count_parameters(build(w)) - parameters)
    )


@contextmanager
def cpu_clock():
    """Yield a dict that holds `seconds` of CPU time when the block ends."""
    clock, start = {}, time.process_time()
    yield clock
    clock["seconds"] = time.process_time() - start
