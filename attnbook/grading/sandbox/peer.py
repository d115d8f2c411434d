"""The grader's end of a process with students' code in it."""

import secrets
import select
import socket
from typing import TYPE_CHECKING

from attnbook.grading.sandbox import frames
from attnbook.grading.sandbox.deadline import Deadline, OutOfTime, Stopped

if TYPE_CHECKING:
    from attnbook.grading.sandbox.process import Sandbox

GRACE = 2.0  # seconds that a cell has to end after it was interrupted


class Peer:
    """The grader's end of a process with student code in it."""

    def __init__(self, sandbox: "Sandbox", sock: socket.socket):
        self.sandbox, self.sock = sandbox, sock
        self.sock.setblocking(False)
        self.ended = False
        # seconds that the last request took, and waited without computing
        self.cpu = self.wall = self.idle = 0.0

    def ask(
        self, head: dict, values, wall: float, cpu: float, idle: float = 1e9
    ):
        """(head, values) of the reply; Stopped if none comes within `wall`
        seconds, `cpu` seconds of computing and `idle` seconds of waiting.
        After that it has ended."""
        nonce = secrets.token_hex(8)
        deadline = Deadline(self.sandbox, self.sock, wall, cpu, idle)
        try:
            if not self.is_quiet():
                raise Stopped("wrote to the grader, or ended the process")
            deadline.send(frames.pack(head | {"nonce": nonce}, values))
            reply, got = self.reply(deadline)
            if reply.get("nonce") != nonce:
                raise Stopped("wrote to the grader instead of answering")
        except Stopped:
            self.close()
            raise
        finally:
            self.cpu, self.wall = deadline.spent()
            self.idle = deadline.idled
        return reply, got

    def reply(self, deadline: "Deadline") -> tuple[dict, list]:
        return deadline.frame()

    def is_quiet(self) -> bool:
        """Has it neither ended nor written what nobody asked for?"""
        return not select.select([self.sock], [], [], 0)[0]

    def close(self) -> None:
        self.ended = True
        self.sock.close()


class Worker(Peer):
    """Answers one question's checks."""


class Base(Peer):
    """Runs the cells of a notebook, then forks workers."""

    def facts(self) -> dict:
        """What the process says of itself before any student code ran."""
        return Deadline(self.sandbox, self.sock, 30, 1e9).frame()[0]

    def reply(self, deadline: "Deadline") -> tuple[dict, list]:
        """A cell whose time is over is interrupted first: then what the other
        cells have defined lives on. `stopped` in the reply's head says so."""
        try:
            return deadline.frame()
        except OutOfTime as reason:
            self.sandbox.interrupt()
            deadline.prolong(GRACE)
            try:
                head, values = deadline.frame()
            except Stopped:
                raise reason from None
            return head | {"stopped": str(reason)}, values

    def fork(self) -> Worker:
        """A worker with the namespace as the cells left it, in place of the
        last one, which ends."""
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self.sock, [b"fork"], [theirs.fileno()])
        except OSError:
            self.close()
            ours.close()
            raise Stopped("had ended the process before") from None
        finally:
            theirs.close()
        return Worker(self.sandbox, ours)

    def end(self) -> float:
        """End everything of this submission; CPU seconds that it used."""
        self.close()
        return self.sandbox.stop()["cpu"]
