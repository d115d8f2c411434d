"""What every training run shares and no chapter needs to derive."""

from collections.abc import Iterator

from tqdm import tqdm


def progress(steps: int, label: str) -> Iterator[int]:
    """Count from 0 to steps - 1 behind a progress bar.

    The bar goes to stderr and leaves no trace in a stored notebook; the
    environment variable TQDM_DISABLE=1 switches it off.
    """
    yield from tqdm(range(steps), desc=label, leave=False)
