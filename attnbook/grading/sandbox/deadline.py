"""Limits of time and memory while the grader waits for a student's code."""

import select
import time

from attnbook.errors import AttnbookError
from attnbook.grading.limits import MIB
from attnbook.grading.sandbox import frames

LOOK = 0.1  # seconds between two looks at what a submission uses


class Stopped(AttnbookError):
    """Student code ended or was ended; the message says why, in words."""


class OutOfTime(Stopped):
    """It was still at work when its time was over."""


class Deadline:
    """Sending and receiving on a socket, whatever the other side does.

    One limit holds for a whole frame, sent and received: OutOfTime when
    `wall` seconds have passed, `cpu` seconds were computed or `idle` seconds
    went by without computing; Stopped when too much memory was used, the
    other side has ended, or what it writes is no frame.
    """

    def __init__(self, sandbox, sock, wall, cpu, idle: float = 1e9):
        self.sandbox, self.sock = sandbox, sock
        self.end = time.monotonic() + wall
        self.wall, self.cpu, self.idle, self.idled = wall, cpu, idle, 0.0
        self.start = self.looked = time.monotonic()
        self.before: float | None = None
        self.now = 0.0

    def spent(self) -> tuple[float, float]:
        """Seconds of computing, and on the clock."""
        end = time.monotonic()
        measured = 0.0 if self.before is None else self.now - self.before
        return max(0.0, measured) + end - self.looked, end - self.start

    def prolong(self, seconds: float) -> None:
        """So much more of everything, from now on."""
        self.end = time.monotonic() + seconds
        self.cpu, self.idle = self.cpu + seconds, self.idle + seconds

    def wait(self, for_writing: bool) -> None:
        """Until the socket is ready, or a limit is reached."""
        lists = ([], [self.sock]) if for_writing else ([self.sock], [])
        while True:
            left = self.look()
            if any(select.select(*lists, [], min(LOOK, left))):
                return

    def look(self) -> float:
        """Seconds left on the clock. Looks at the meters too, if nobody did
        so lately: also while bytes trickle in or short calls follow."""
        now = time.monotonic()
        if now >= self.end:
            raise OutOfTime(f"was stopped after {self.wall:.0f} seconds")
        if now >= self.sandbox.next_look:
            self.sandbox.next_look = now + LOOK
            self.read_meters(now)
        return self.end - now

    def read_meters(self, now: float) -> None:
        earlier = self.now
        self.now, memory, at_work = self.sandbox.used()
        if self.before is None:
            self.before = max(0.0, self.now - (now - self.start))
        elif not at_work and self.now - earlier < 0.1 * (now - self.looked):
            self.idled += now - self.looked
        self.looked = now
        if self.now - self.before > self.cpu:
            raise OutOfTime(
                f"was stopped after {self.cpu:.0f} seconds of computing"
            )
        if self.idled > self.idle:
            raise OutOfTime(
                f"was stopped after {max(1, round(self.idled))} seconds of "
                "waiting"
            )
        if memory > 1.5 * self.sandbox.limits.memory:
            room = self.sandbox.limits.memory // MIB
            raise Stopped(f"was stopped: it took more than {room} MiB")

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                self.wait(for_writing=True)
            except OSError:
                raise Stopped("ended the process") from None

    def receive(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self.look()
            try:
                part = self.sock.recv(min(size - len(parts), 1 << 20))
            except BlockingIOError:
                self.wait(for_writing=False)
                continue
            except OSError:
                part = b""
            if not part:
                raise Stopped("ended the process")
            parts += part
        return bytes(parts)

    def frame(self) -> tuple[dict, list]:
        try:
            return frames.unpack(
                self.receive, max_body=self.sandbox.limits.output
            )
        except frames.BadFrame:
            raise Stopped(
                "wrote to the grader instead of answering, or returned more "
                "than fits"
            ) from None
