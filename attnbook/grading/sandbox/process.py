"""The wall around students' code, seen from the grader's side: a clean
parent inside bubblewrap, and one submission at a time. Linux only.
"""

import itertools
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

import numpy as np
import psutil

from attnbook.errors import AttnbookError
from attnbook.grading.limits import MIB, Limits
from attnbook.grading.sandbox import bwrap
from attnbook.grading.sandbox.bwrap import CONTAINER, ENVIRONMENT, READ_ONLY
from attnbook.grading.sandbox.deadline import Stopped
from attnbook.grading.sandbox.meters import computing, own_memory, resident
from attnbook.grading.sandbox.peer import Base
from attnbook.grading.sandbox.seccomp import seccomp_filter

START = 120.0  # seconds for importing torch on a busy machine
LOCKED = "cannot read its own packages"
FIRST_CELL = {
    "number": 1,
    "source": f"""import os, sys
def add(x):
    return x + x
for place in filter(os.path.isdir, sys.path[1:]):
    for entry in os.scandir(place):
        if not os.access(entry, os.R_OK):
            raise OSError("{LOCKED}, such as " + entry.path)
""",
}
FIRST_UID = 2_050_000_000  # no person's: each submission gets another one


class SandboxError(AttnbookError):
    """The sandbox does not work here: nobody's fault, and nobody's zero."""


def bare_environment() -> dict[str, str]:
    """The sandbox's environment around a process without one: what it needs
    to find this Python is the caller's."""
    out = os.environ | ENVIRONMENT
    for name in ("HOME", "PATH", "PYTHONPATH", "PYTHONSAFEPATH"):
        out.pop(name, None)
        if name in os.environ:
            out[name] = os.environ[name]
    return out


def refuse_other_systems() -> None:
    if not sys.platform.startswith("linux"):
        raise SandboxError(
            "grading needs Linux: there is no sandbox on this system. "
            f"{CONTAINER}; students' own checks work everywhere."
        )


class Sandbox:
    """A clean parent inside bubblewrap, from which submissions are forked.

    `isolate=False` runs students' code with all the rights of the caller.
    `flags` and `seccomp` are for tests that prove each wall to be needed.
    With a `host` its clean parent is a fork of the host's, which spares the
    second that importing torch takes.
    """

    numbers = itertools.count()  # of submissions, in all of this process

    def __init__(
        self,
        limits: Limits | None = None,
        isolate: bool = True,
        flags: list[tuple[str, ...]] | None = None,
        seccomp: bytes | None = None,
        check: bool = True,
        host: "Sandbox | None" = None,
    ):
        self.limits, self.isolate = limits or Limits(), isolate
        self.root = os.getuid() == 0
        self.flags = bwrap.bwrap_flags(self.root) if flags is None else flags
        self.seccomp = seccomp
        self.check, self.host = check, host
        self.process: subprocess.Popen | None = None  # a twin has none
        self.parent: psutil.Process | None = None
        self.next_look = 0.0

    def __enter__(self) -> "Sandbox":
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def can_have_twins(self) -> bool:
        """Not an ordinary user's: the processes of all submissions would be
        counted together."""
        return self.root and self.isolate

    def twin(self) -> "Sandbox":
        """Another one for another process of the grader's."""
        host = self if self.can_have_twins() else None
        walls = self.flags, self.seccomp, self.check
        return Sandbox(self.limits, self.isolate, *walls, host)

    def command(self, fd: int) -> list[str]:
        run = ["-m", "attnbook.grading.sandbox.inside", str(fd)]
        if not self.isolate:
            return [sys.executable, *run]
        words = ["bwrap"]
        groups = [*self.flags, *bwrap.bwrap_files()]
        for group in sorted(groups, key=lambda group: group == READ_ONLY):
            words += group
        for name, value in ENVIRONMENT.items():
            words += ["--setenv", name, value]
        return [*words, "--", bwrap.python_inside(), *run]

    def start(self) -> None:
        """Start the clean parent; SandboxError, in a sentence, if the
        sandbox cannot be had."""
        if self.parent:
            return
        if self.seccomp is None:
            self.seccomp = seccomp_filter() if self.isolate else b""
        if self.host and self.host.parent and self.start_as_twin():
            return
        refuse_other_systems()
        if self.isolate and not shutil.which("bwrap"):
            raise SandboxError(
                "bubblewrap is not installed, and without it students' code "
                "would run with your rights. On Debian and Ubuntu: apt "
                f"install bubblewrap. Elsewhere: {CONTAINER}."
            )
        self.launch()
        try:
            self.parent = psutil.Process(self.hear_who())
        except SandboxError as error:
            self.close(keep_errors=True)
            said = self.said()
            raise SandboxError(
                bwrap.explain(said) if said else str(error)
            ) from None
        if self.check:
            self.rehearse()

    def launch(self) -> None:
        """Start the process, without waiting for what it says."""
        theirs = self.new_control()
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.command(theirs.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            pass_fds=(theirs.fileno(),),
            env=os.environ if self.isolate else bare_environment(),
        )
        theirs.close()

    def new_control(self) -> socket.socket:
        """The parent's end of it."""
        kind = socket.SOCK_SEQPACKET
        self.control, theirs = socket.socketpair(socket.AF_UNIX, kind)
        self.control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        return theirs

    def start_as_twin(self) -> bool:
        """False if the host has ended meanwhile."""
        with self.new_control() as theirs:
            try:
                order = [b'{"do": "twin"}']
                socket.send_fds(self.host.control, order, [theirs.fileno()])
            except OSError:
                self.control.close()
                return False
        try:
            self.parent = psutil.Process(self.hear_who())
        except SandboxError:
            self.control.close()
            return False
        return True

    def rehearse(self) -> None:
        """One honest cell and call: what fails here would fail for everyone,
        and must be nobody's zero."""
        base, two = self.open(0), np.full(2, 2.0)
        head = {"verb": "call", "parts": 1, "backend": "torch", "name": "add"}
        try:
            seen, _ = base.ask(FIRST_CELL, (), START, START)
            if seen.get("state") != "ok":
                raise Stopped(str(seen.get("text")))
            reply, got = base.fork().ask(head, (two,), START, START)
            if not np.array_equal(got, [two + two]):
                raise Stopped(reply.get("text") or "returned something else")
            base.end()
        except Stopped as reason:
            self.close()
            why = CONTAINER
            if LOCKED in str(reason) or "Permission denied" in str(reason):
                why = (
                    "let everyone read what was installed: chmod -R go+rX "
                    f"{sys.prefix}"
                )
            raise SandboxError(
                f"code that is right cannot be graded here; it {reason}: {why}."
            ) from None

    def said(self) -> str:
        self.errors.seek(0)
        return self.errors.read(20000).decode(errors="replace").strip()

    def hear(self, seconds: float) -> dict:
        """The parent's next message."""
        if not select.select([self.control], [], [], seconds)[0]:
            raise SandboxError("the sandbox does not answer")
        data = self.control.recv(1 << 16)
        if not data:
            raise SandboxError("the sandbox has ended")
        return json.loads(data)

    def hear_who(self) -> int:
        """Its number, when the parent says for the first time that it is
        ready: as the kernel tells, for its own numbering is another one."""
        if not select.select([self.control], [], [], START)[0]:
            raise SandboxError("the sandbox does not answer")
        room = socket.CMSG_SPACE(struct.calcsize("3i"))
        data, told, *_ = self.control.recvmsg(1 << 16, room)
        if not data:
            raise SandboxError("the sandbox has ended")
        number, *_ = struct.unpack("3i", told[0][2])
        return number

    def open(self, seed: int, withheld: dict[str, str] | None = None) -> "Base":
        """A fresh base process, locked in, with no student code yet. In place
        of files of the package it finds these texts."""
        self.start()
        ours, theirs = socket.socketpair()
        message = json.dumps(self.order(seed, withheld or {})).encode()
        try:
            socket.send_fds(self.control, [message], [theirs.fileno()])
            theirs.close()
            self.hear(30)
            base = Base(self, ours)
            facts = base.facts()
        except (SandboxError, Stopped, OSError) as error:
            self.close()
            raise SandboxError(f"a submission cannot start: {error}") from None
        if facts["state"] != "locked in" or (
            self.isolate and self.check and not self.is_safe(facts)
        ):
            self.close()
            raise SandboxError(
                "the sandbox does not hold here, so nothing was run "
                f"({facts.get('text') or facts}). {CONTAINER}."
            )
        return base

    def order(self, seed: int, withheld: dict[str, str]) -> dict:
        """What the clean parent is told of a submission."""
        limits, number = self.limits, next(self.numbers) % 1024
        out = {
            "do": "start",
            "jailed": self.isolate,
            "uid": FIRST_UID + (os.getpid() << 10) % 2**26 + number,
            "seed": seed,
            "memory": limits.memory,
            "files": limits.files,
            "withheld": withheld,
            "seccomp": self.seccomp.hex(),
            "rlimits": {
                "NPROC": [limits.processes, limits.processes + 2],
                "FSIZE": min(16 * MIB, limits.files),
                "NOFILE": 64,
                "CORE": 0,
                "MSGQUEUE": 0,
                "MEMLOCK": 0,
            },
        }
        if not self.isolate:
            del out["rlimits"]["NPROC"]  # counts all of the user's
        return out

    def is_safe(self, facts: dict) -> bool:
        """Is there really no privilege left?"""
        return (
            facts["capabilities"] == facts["bounding"] == 0
            and facts["no_new_privs"] == 1
            and facts["pid"] == 1
            and facts["proc"] == 0
            and 0 not in facts["uids"]
            and (facts["seccomp"] == 2 or not self.seccomp)
        )

    def stop(self) -> dict:
        """End the open submission and all of its processes. SandboxError if
        the sandbox has ended meanwhile: what it said is not to be trusted,
        for its end may look like the end of a student's process."""
        try:
            self.control.send(b'{"do": "stop"}')
            return self.hear(30)
        except (SandboxError, OSError):
            self.close()
            raise SandboxError(
                "the sandbox ended while it was in use"
            ) from None

    def close(self, keep_errors: bool = False) -> None:
        if self.process or self.parent:
            self.control.close()  # the parent inside then ends by itself
            self.parent = None
        if self.process:
            try:
                self.process.wait(0.5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
            if not keep_errors:
                self.errors.close()

    def interrupt(self) -> None:
        """What Jupyter's stop button does, for the cell that runs."""
        try:
            self.control.send(b'{"do": "interrupt"}')
            self.hear(30)
        except OSError:
            raise SandboxError("the sandbox has ended") from None

    def used(self) -> tuple[float, int, bool]:
        """CPU seconds and bytes of the open submission, so far, and whether
        one of its processes computes or waits for its turn to; bytes beyond
        what the clean parent has, which is numpy and torch."""
        processes = self.processes()
        seconds, at_work = computing(processes)
        memory, without = sum(map(resident, processes)), resident(self.parent)
        if memory > self.limits.memory:  # look closer, which takes longer
            memory = sum(map(own_memory, processes))
        return seconds, max(0, memory - without), at_work

    def processes(self) -> list[psutil.Process]:
        try:
            return self.parent.children(recursive=True)
        except psutil.Error:
            return []
