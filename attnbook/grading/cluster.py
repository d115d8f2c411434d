"""Grade a whole class on a Dask cluster."""

import functools
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attnbook.errors import AttnbookError
from attnbook.grading.batch import (
    grade_one,
    limit_own_memory,
    not_graded,
    sentence,
)
from attnbook.grading.model import Result, Submission
from attnbook.grading.settings import Settings

if TYPE_CHECKING:
    from distributed import Client


class ClusterError(AttnbookError):
    """There is no cluster to grade on; the message says what to do."""


@functools.cache
def limit_own_memory_once() -> None:
    limit_own_memory()


def grade_one_there(settings: Settings, submission: Submission) -> str:
    """As `grade_one`, in a worker, a process that others started."""
    limit_own_memory_once()
    return grade_one(settings, submission)


def connected(address: str) -> "Client":
    """A client of the scheduler there."""
    try:
        from distributed import Client
    except ImportError:
        raise ClusterError(
            "--scheduler needs Dask: pip install -e '.[classroom]' -c "
            "constraints.txt"
        ) from None
    try:
        return Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TimeoutError):
        raise ClusterError(
            f"No Dask scheduler answers at {address}: start one with `dask "
            "scheduler`, and workers with `dask worker --nthreads 1 ADDRESS`."
        ) from None


def grade_there(
    settings: Settings, submissions: list[Submission], address: str
) -> Iterator[Result]:
    """Results as they come. Every machine needs the same version of the
    course under the same path, and bubblewrap."""
    client = connected(address)
    from distributed import as_completed

    with client:
        run = secrets.token_hex(4)
        futures = {
            client.submit(
                grade_one_there,
                settings,
                submission,
                key=f"grade-{run}-{number}",
            ): submission
            for number, submission in enumerate(submissions)
        }
        done = as_completed(
            futures, loop=client.loop, with_results=True, raise_errors=False
        )
        for future, outcome in done:
            submission = futures.pop(future)
            if future.status == "finished":
                yield Result.from_json(outcome)
            else:
                error = future.exception()
                yield not_graded(submission, sentence(error))
            future.release()
