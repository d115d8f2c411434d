"""Grade a whole class: in parallel, one bad apple at a time."""

import contextlib
import ctypes
import multiprocessing
import resource
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING

from attnbook.grading.course import Course, CourseError
from attnbook.grading.grader import Grader
from attnbook.grading.limits import MIB
from attnbook.grading.model import NOT_GRADED, Result, Submission
from attnbook.grading.sandbox import jail
from attnbook.grading.sandbox.process import Sandbox, SandboxError
from attnbook.grading.settings import Settings

if TYPE_CHECKING:
    from pebble import ProcessPool

OWN_MEMORY = 640 * MIB  # beyond what the grader is made of
TRIES = 2  # times that a grader may fail on one submission
SLACK = 180.0  # seconds for starting a sandbox on a busy machine
ENDED_TWICE = (
    "The grader itself ended while grading this, twice: look at the notebook, "
    "and grade it by hand."
)


# --- one submission, in whatever process -----------------------------------

_graders: dict[Settings, Grader] = {}
_one_at_a_time = threading.Lock()


def grader_for(settings: Settings) -> Grader:
    """This process's grader; its sandbox stays open for the next one."""
    if settings not in _graders:
        course = settings.open_course()
        if not settings.are_of(course):
            raise CourseError(
                f"the course in {settings.course} on this machine is not the "
                "version that the run was started with: give all machines "
                "the same one."
            )
        sandbox = Sandbox(settings.limits, settings.isolate)
        _graders[settings] = Grader(course, sandbox, settings.seed)
    return _graders[settings]


def limit_own_memory() -> None:
    """What a check makes of a student's numbers fails above this, and costs
    that question. The sandbox lifts the limit for itself and sets others."""
    room = jail.address_space() + OWN_MEMORY
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard != resource.RLIM_INFINITY:
        room = min(room, hard)
    resource.setrlimit(resource.RLIMIT_AS, (room, hard))


def grade_one(settings: Settings, submission: Submission) -> str:
    """The result as JSON. SandboxError if the grader failed twice."""
    with _one_at_a_time:
        grader = grader_for(settings)
        for attempt in range(TRIES):
            try:
                return grader.grade(submission).to_json()
            except SandboxError:
                grader.sandbox.close()
                if attempt == TRIES - 1:
                    raise
    raise AssertionError("not reached")


def not_graded(submission: Submission, why: str) -> Result:
    return Result(
        submission.student,
        submission.sheet,
        submission.source,
        submission.digest,
        NOT_GRADED,
        why,
    )


# --- many submissions ------------------------------------------------------


def grade_here(
    settings: Settings, submissions: list[Submission], jobs: int
) -> Iterator[Result]:
    """Results as they come, from `jobs` processes of this machine.

    A process that dies or hangs is replaced, and only its own submission is
    tried again. SandboxError if not even the first can be graded.
    """
    grader = grader_for(settings)  # forked with all that is slow to load
    if grader.sandbox.can_have_twins():
        grader.sandbox.start()
    for sheet in map(grader.course.sheet, settings.sheets):
        sheet.answers, sheet.hidden  # noqa: B018
    workers = pool_of(min(jobs, len(submissions)))
    with contextlib.closing(grader.sandbox), workers as pool:
        queue = Queue(settings, grader.course, pool, submissions)
        while queue.waiting or queue.running:
            queue.fill(2 * jobs)
            yield from filter(None, map(queue.outcome, queue.first_done()))


class Queue:
    """The submissions of a class on their way through a pool."""

    def __init__(
        self,
        settings: Settings,
        course: Course,
        pool: "ProcessPool",
        submissions: list[Submission],
    ):
        self.settings, self.course, self.pool = settings, course, pool
        self.waiting = [(s, 1) for s in reversed(submissions)]
        self.running: dict[Future, tuple[Submission, int]] = {}
        self.any_graded = False

    def fill(self, room: int) -> None:
        """Give the pool so many, of those that wait."""
        while self.waiting and len(self.running) < room:
            submission, tries = self.waiting.pop()
            sheet = self.course.sheet(submission.sheet)
            seconds = self.settings.limits.wall(len(sheet.exercises)) + SLACK
            future = self.pool.schedule(
                grade_one, args=[self.settings, submission], timeout=seconds
            )
            self.running[future] = submission, tries

    def first_done(self) -> list[Future]:
        return list(wait(self.running, return_when=FIRST_COMPLETED).done)

    def outcome(self, future: Future) -> Result | None:
        """The result, or None if it is to be tried again."""
        from pebble import ProcessExpired

        submission, tries = self.running.pop(future)
        try:
            result = Result.from_json(future.result())
            self.any_graded = True
            return result
        except SandboxError as error:
            if not self.any_graded:
                raise
            return not_graded(submission, sentence(error))
        except (ProcessExpired, TimeoutError):
            if tries < TRIES:
                self.waiting.append((submission, tries + 1))
                return None
            return not_graded(submission, ENDED_TWICE)
        except Exception as error:  # ours, not the student's
            return not_graded(submission, sentence(error))


@contextlib.contextmanager
def pool_of(jobs: int) -> Iterator["ProcessPool"]:
    """A pool that leaves nothing running, however it is left."""
    from pebble import ProcessPool

    context = multiprocessing.get_context("fork")
    pool = ProcessPool(
        max_workers=max(1, jobs), context=context, initializer=become_worker
    )
    try:
        yield pool
        pool.close()
    except BaseException:
        pool.stop()
        raise
    finally:
        pool.join()


def become_worker() -> None:
    """It has a limit of memory, and a sandbox of its own; it ends if the run
    is killed."""
    for grader in _graders.values():
        grader.sandbox = grader.sandbox.twin()
    limit_own_memory()
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)


def sentence(error: BaseException) -> str:
    """Why a submission was not graded, for the instructor."""
    if isinstance(error, (SandboxError, CourseError)):
        return f"The grader could not work: {error}"
    kind = type(error).__name__
    if kind == "KilledWorker":
        return (
            "The machines that graded this ended, again and again: look at "
            "the notebook, and grade it by hand."
        )
    return f"The grader failed ({kind}: {error}): please report this."
