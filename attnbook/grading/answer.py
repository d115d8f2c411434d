"""A student's answer behind the wall, as a check sees it."""

import math
from collections.abc import Callable

from numpy import array_equal, ndarray
from numpy.random import Generator

from attnbook.check.engine import Module, NotStarted, Wrong
from attnbook.check.failures import Failure
from attnbook.grading.limits import Limits
from attnbook.grading.sandbox.deadline import Stopped
from attnbook.grading.sandbox.peer import Worker
from attnbook.grading.sandbox.process import SandboxError
from attnbook.grading.strangers import excerpt

PATIENT = 2  # times that one question may have to be stopped
AGAIN = 4  # calls of a question that are made a second time
ROOM, FOLD = 250_000, 4  # numbers in a result, and for each of the arguments


class Waits:
    """Seconds that a whole notebook may wait without computing. Where they
    are used up, a cell or a call still gets one, and what does not wait goes
    on as before."""

    def __init__(self, seconds: float):
        self.left = seconds

    def allow(self, most: float) -> float:
        return max(1.0, min(most, self.left))


class Sandboxed:
    """The three methods of an Answer, by way of a worker process.

    A call that has to be stopped is Wrong, in words; the next call gets a
    fresh worker, with the namespace as the notebook's cells left it. After
    two such calls, or when the time is used up, no more are made.
    """

    def __init__(
        self,
        fork: Callable[[], Worker],
        backend: str,
        limits: Limits,
        waits: Waits | None = None,
    ):
        self.fork, self.backend, self.limits = fork, backend, limits
        self.waits = waits or Waits(limits.waiting(1))
        self.idle = Waits(limits.question)
        self.worker: Worker | None = None
        self.cpu = limits.question
        self.wall = limits.question * limits.patience
        self.stops = 0
        self.failure: SandboxError | None = None  # the grader's, no answer's
        self.calls: list[tuple] = []  # name, args, parts and what came back

    def call(self, name: str | Module, *args, parts: int = 1):
        got = self.ask("call", name, args, parts)
        self.calls.append((name, args, parts, got))
        if len(got) != parts or any(isinstance(x, (tuple, list)) for x in got):
            raise Wrong.fixed(f"{name} {Failure.OTHER_COUNT.value}")
        return got[0] if parts == 1 else tuple(got)

    def expect_same_again(self, rng: Generator) -> None:
        """Wrong unless the first call and some others, made again after all,
        return the same: what depends on chance, or on how often it was
        called, was right by luck."""
        first, others = self.calls[:1], self.calls[1:]
        some = rng.permutation(len(others))[: AGAIN - 1]
        for name, args, parts, before in first + [others[k] for k in some]:
            now = self.ask("call", name, args, parts)
            same = len(now) == len(before) and all(map(is_same, now, before))
            if not same:
                raise Wrong.fixed(
                    f"{name} returns something else when it is called again "
                    "with the same arguments."
                )

    def vjp(self, name, args: tuple, cotangent, parts: int = 1) -> tuple:
        grads = self.ask("vjp", name, (*args, cotangent), parts)
        wanted = [a.shape for a in args if is_real(a)]
        if [g.shape if is_real(g) else None for g in grads] != wanted:
            raise Wrong.fixed(f"{name} {Failure.UNUSABLE_GRADIENT.value}")
        return tuple(grads)

    def value(self, name: str):
        got = self.ask("value", name, ())
        if len(got) != 1 or isinstance(got[0], (tuple, list)):
            raise Wrong.fixed(f"{name} is neither a word nor a number.")
        return got[0]

    def ask(self, verb: str, name, args: tuple, parts: int = 1) -> list:
        if self.stops >= PATIENT or min(self.cpu, self.wall) <= 0:
            raise Wrong.fixed(
                f"{name} was not called again: its time is used up."
            )
        head = {"verb": verb, "parts": parts, "backend": self.backend}
        head["name"] = name
        if isinstance(name, Module):
            head["name"] = [name.name, list(name.sizes), list(name.weights)]
        cpu = min(self.limits.call, self.cpu)
        wall = min(self.limits.call * self.limits.patience, self.wall)
        try:
            if not self.worker or self.worker.ended:
                self.worker = None
                self.worker = self.fork()
            idle = self.waits.allow(self.idle.allow(self.limits.call))
            reply, got = self.worker.ask(head, args, wall, cpu, idle)
        except Stopped as reason:
            self.stops += 1
            raise Wrong.fixed(f"{name} {reason}.") from None
        except SandboxError as failure:
            self.failure = failure
            raise
        finally:
            if self.worker:
                self.cpu -= self.worker.cpu
                self.wall -= self.worker.wall
                self.waits.left -= self.worker.idle
                self.idle.left -= self.worker.idle
        if reply.get("state") == "ok":
            if extent(got) > ROOM + FOLD * extent(args):
                raise Wrong.fixed(f"{name} returns far too many numbers.")
            return got
        text = excerpt(reply.get("text", ""))
        if reply.get("state") == "not started":
            raise NotStarted(text)
        code = Failure.named(reply.get("code"))
        raise Wrong(text, f"{name} {code.value}", code)


def is_same(a, b) -> bool:
    if not (isinstance(a, ndarray) and isinstance(b, ndarray)):
        return a == b
    floats = a.dtype.kind == b.dtype.kind == "f"
    return array_equal(a, b, equal_nan=floats)


def is_real(value) -> bool:
    """An array that can have a gradient, or be one."""
    return isinstance(value, ndarray) and value.dtype.kind == "f"


def extent(values) -> int:
    """Numbers in these arrays, a size of 0 counted as 1. A check may compare
    each of them with each other, or keep hundreds of results: what is huge
    would take the grader's own memory and time."""
    arrays = [x for x in values if isinstance(x, ndarray)]
    return sum(math.prod(max(n, 1) for n in x.shape) for x in arrays)
