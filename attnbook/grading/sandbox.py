"""The wall around students' code, seen from the grader's side.

bubblewrap gives a worker a read-only system without network and without
anything of the instructor's; `jail` takes the last privileges away, process
by process. Linux only.
"""

import atexit
import functools
import itertools
import json
import os
import secrets
import select
import shutil
import socket
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from attnbook.grading import frames
from attnbook.grading.limits import MIB, Limits

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
GRACE = 2.0  # seconds that a cell has to end after it was interrupted
LOOK = 0.1  # seconds between two looks at what a submission uses
FIRST_UID = 2_050_000_000  # no person's: each submission gets another one
READ_ONLY = ("--remount-ro", "/")  # the last thing that bubblewrap does
CONTAINER = "attnbook/grading/Dockerfile has a container recipe"


class SandboxError(Exception):
    """The sandbox does not work here: nobody's fault, and nobody's zero."""


class Stopped(Exception):
    """Student code ended or was ended; the message says why, in words."""


class OutOfTime(Stopped):
    """It was still at work when its time was over."""


# --- what bubblewrap is told -----------------------------------------------


def bwrap_flags(root: bool) -> list[tuple[str, ...]]:
    """Every flag that does not depend on where things are installed.

    As root without a user namespace: in one, the kernel would still see user
    number 0. The worker keeps the capabilities that it needs to lock each
    submission in; a submission keeps none.
    """
    flags = [
        ("--unshare-pid",),
        ("--unshare-net",),
        ("--unshare-ipc",),
        ("--unshare-uts",),
        ("--unshare-cgroup-try",),
        ("--die-with-parent",),
        ("--new-session",),
        ("--as-pid-1",),
        ("--hostname", "sandbox"),
        ("--clearenv",),
        ("--cap-drop", "ALL"),
        ("--cap-add", "CAP_SYS_ADMIN"),
        ("--cap-add", "CAP_SETPCAP"),
        ("--tmpfs", "/tmp"),
        ("--proc", "/proc"),
        ("--dev", "/dev"),
        ("--remount-ro", "/dev"),
        READ_ONLY,
    ]
    if root:
        flags += [("--cap-add", "CAP_SETUID"), ("--cap-add", "CAP_SETGID")]
        flags += [("--cap-add", "CAP_KILL")]
    else:
        flags += [("--unshare-user",), ("--disable-userns",)]
    return flags


ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "PYTHONPATH": "/course",
    "PYTHONSAFEPATH": "1",
    "TQDM_DISABLE": "1",
    "USER": "student",
}
VENV, PACKAGE = "/course/venv", "/course/attnbook"
# Hidden: matplotlib would look through all of them for each notebook, and
# brings its own.
FONTS = ("/usr/share/fonts", "/usr/local/share/fonts")


def bwrap_files() -> list[tuple[str, ...]]:
    """The system and this Python, read-only; nothing else is there."""
    out = [("--ro-bind", "/usr", "/usr")]
    for name in ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"):
        if os.path.islink(name):
            out.append(("--symlink", os.readlink(name), name))
        elif os.path.isdir(name):
            out.append(("--ro-bind", name, name))
    if os.path.exists("/etc/ld.so.cache"):
        out.append(("--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache"))
    package = for_everyone(Path(__file__).resolve().parent.parent)
    binds = [*python_files(), ("--ro-bind", str(package), PACKAGE)]
    parents = {str(p) for *_, place in binds for p in Path(place).parents}
    for name in sorted(parents - {"/"} | {"/etc"}):
        out.append(("--perms", "0755", "--dir", name))
    out += binds
    out += [("--tmpfs", name) for name in FONTS if os.path.isdir(name)]
    return out


def python_files() -> list[tuple[str, str, str]]:
    """This Python, its library and its packages, and nothing else of the
    folders that they lie in: an environment may be made in the very folder
    that holds the submissions."""
    out = []
    for base in sorted({os.path.realpath(sys.base_prefix), sys.base_prefix}):
        if base != "/usr" and not base.startswith("/usr/"):
            for part in ("bin", "lib", "lib64"):
                if os.path.isdir(f"{base}/{part}"):
                    out.append(
                        ("--ro-bind", f"{base}/{part}", f"{base}/{part}")
                    )
    if sys.prefix == sys.base_prefix:
        return out
    program = os.path.realpath(sys.executable)
    out.append(("--symlink", program, python_inside()))
    kept = {f"{sys.prefix}/pyvenv.cfg"}
    kept |= {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    for name in sorted(kept):
        place = VENV + name.removeprefix(sys.prefix)
        out.append(("--ro-bind", name, place))
    return out


@functools.cache
def for_everyone(package: Path) -> Path:
    """The package as a foreign user can read it: itself, or a copy where it
    was cloned under a umask such as 077."""
    if all(is_readable(p) for p in (package, *package.rglob("*"))):
        return package
    folder = tempfile.mkdtemp(prefix="attnbook-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = Path(folder) / package.name
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, copy, ignore=skip, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copy


def is_readable(path: Path) -> bool:
    needed = 0o005 if path.is_dir() else 0o004
    return path.stat().st_mode & needed == needed


def exposed(path: Path) -> str | None:
    """The folder that students can read and this path lies in, if any."""
    path = path.resolve()
    for do, source, *_ in bwrap_files():
        if do == "--ro-bind" and path.is_relative_to(Path(source).resolve()):
            return source
    return None


def python_inside() -> str:
    if sys.prefix == sys.base_prefix:
        return os.path.realpath(sys.executable)
    return f"{VENV}/bin/{os.path.basename(sys.executable)}"


# System calls that no exercise needs, with their numbers on x86_64 and aarch64.
# They reach around the other walls: kernel memory that outlives a process or
# is not counted as one's own, new namespaces, other processes, the kernel log.
REFUSED = """
    unshare 272 97  setns 308 268  mount 165 40  umount2 166 39
    pivot_root 155 41  chroot 161 51  fsopen 430 430  fsmount 432 432
    fsconfig 431 431  fspick 433 433  move_mount 429 429  open_tree 428 428
    mount_setattr 442 442  ptrace 101 117  kcmp 312 272
    process_vm_readv 310 270  process_vm_writev 311 271
    process_madvise 440 440  pidfd_getfd 438 438  add_key 248 217
    request_key 249 218  keyctl 250 219  memfd_create 319 279
    memfd_secret 447 447  shmget 29 194  msgget 68 186  semget 64 190
    mq_open 240 180  io_uring_setup 425 425  io_uring_enter 426 426
    io_uring_register 427 427  bpf 321 280  perf_event_open 298 241
    userfaultfd 323 282  open_by_handle_at 304 265  name_to_handle_at 303 264
    fanotify_init 300 262  landlock_create_ruleset 444 444  quotactl 179 60
    acct 163 89  kexec_load 246 104  init_module 175 105
    finit_module 313 273  delete_module 176 106  personality 135 92
    vmsplice 278 75  syslog 103 116
""".split()
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
CLONE, CLONE3, SOCKETS = (56, 220), (435, 435), [(41, 198), (53, 199)]
NAMESPACES = 0x7E020000  # the flags of clone for new ones
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x50001, 0x50026


def seccomp_filter() -> bytes:
    """A program for the kernel that refuses these calls, and sockets other
    than local ones; empty on machines whose numbers are not known here."""
    if os.uname().machine not in MACHINES:
        return b""
    architecture, column = MACHINES[os.uname().machine]
    load, equal, at_least, any_bit, leave = 0x20, 0x15, 0x35, 0x45, 0x06
    number, first_argument = 0, 16  # places in what the kernel hands over
    out = []

    def add(do: int, value: int, if_so: int = 0, if_not: int = 0) -> None:
        out.append(struct.pack("=HBBI", do, if_so, if_not, value))

    def answer(call: int, value: int) -> None:
        add(equal, call, 0, 1)
        add(leave, value)

    add(load, 4)
    add(equal, architecture, 1, 0)
    add(leave, KILL)
    add(load, number)
    if column == 0:  # the same calls once more, by other numbers
        add(at_least, 0x40000000, 0, 1)
        add(leave, EPERM)
    for call in REFUSED[1 + column :: 3]:
        answer(int(call), EPERM)
    answer(CLONE3[column], ENOSYS)  # the C library then takes clone
    add(equal, CLONE[column], 0, 3)
    add(load, first_argument)
    add(any_bit, NAMESPACES, 0, 1)
    add(leave, EPERM)
    add(load, number)
    for numbers in SOCKETS:
        add(equal, numbers[column], 0, 4)
        add(load, first_argument)
        add(equal, socket.AF_UNIX, 1, 0)
        add(leave, EPERM)
        add(load, number)
    add(leave, ALLOW)
    return b"".join(out)


# --- one sandbox, one submission at a time ---------------------------------


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
        self.flags = bwrap_flags(self.root) if flags is None else flags
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
        run = ["-m", "attnbook.grading.inside", str(fd)]
        if not self.isolate:
            return [sys.executable, *run]
        words = ["bwrap"]
        groups = [*self.flags, *bwrap_files()]
        for group in sorted(groups, key=lambda group: group == READ_ONLY):
            words += group
        for name, value in ENVIRONMENT.items():
            words += ["--setenv", name, value]
        return [*words, "--", python_inside(), *run]

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
        theirs = self.new_control()
        environment = os.environ | (ENVIRONMENT if not self.isolate else {})
        if not self.isolate:
            for name in ("HOME", "PATH", "PYTHONPATH", "PYTHONSAFEPATH"):
                environment.pop(name, None)
                if name in os.environ:
                    environment[name] = os.environ[name]
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.command(theirs.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            pass_fds=(theirs.fileno(),),
            env=environment,
        )
        theirs.close()
        try:
            self.parent = psutil.Process(self.hear_who())
        except SandboxError as error:
            self.close(keep_errors=True)
            said = self.said()
            raise SandboxError(explain(said) if said else str(error)) from None
        if self.check:
            self.rehearse()

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
        limits = self.limits
        number = next(self.numbers) % 1024
        order = {
            "do": "start",
            "jailed": self.isolate,
            "uid": FIRST_UID + (os.getpid() << 10) % 2**26 + number,
            "seed": seed,
            "memory": limits.memory,
            "files": limits.files,
            "withheld": withheld or {},
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
            del order["rlimits"]["NPROC"]  # counts all of the user's
        message = json.dumps(order).encode()
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
        seconds, processes, at_work = 0.0, self.processes(), False
        for process in processes:
            try:
                with process.oneshot():
                    t, now = process.cpu_times(), process.status()
            except psutil.Error:
                continue
            seconds += t.user + t.system + t.children_user + t.children_system
            at_work |= now in (psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP)
        memory, without = sum(map(resident, processes)), resident(self.parent)
        if memory > self.limits.memory:  # look closer, which takes longer
            memory = sum(map(own_memory, processes))
        return seconds, max(0, memory - without), at_work

    def processes(self) -> list[psutil.Process]:
        try:
            return self.parent.children(recursive=True)
        except psutil.Error:
            return []


def resident(process: psutil.Process) -> int:
    """Bytes in memory, those that it shares among them."""
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def own_memory(process: psutil.Process) -> int:
    """Bytes in memory, those that processes share divided between them."""
    try:
        return process.memory_full_info().pss
    except psutil.AccessDenied:
        return resident(process)
    except psutil.Error:
        return 0


class Peer:
    """The grader's end of a process with student code in it."""

    def __init__(self, sandbox: Sandbox, sock: socket.socket):
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


def refuse_other_systems() -> None:
    if not sys.platform.startswith("linux"):
        raise SandboxError(
            "grading needs Linux: there is no sandbox on this system. "
            f"{CONTAINER}; students' own checks work everywhere."
        )


def explain(said: str) -> str:
    """What to do about what bubblewrap printed."""
    last = said.splitlines()[-1]
    if "bwrap" not in said:
        return f"the sandbox's Python does not start: {last}"
    what = "the sandbox does not start on this machine"
    if "nknown option" in said:
        why = "its bubblewrap is older than 0.8: update it, or grade as root"
    elif "/proc" in said:
        why = (
            "it runs in a container that may not mount /proc: start that "
            "with --privileged, or grade on the machine itself"
        )
    elif "permitted" in said and os.getuid() == 0:
        why = "it runs in a container: start that with --privileged"
    elif "namespace" in said or "uid map" in said or "permitted" in said:
        why = (
            "the system forbids ordinary users new namespaces: see "
            "user.max_user_namespaces and, on Ubuntu, "
            "kernel.apparmor_restrict_unprivileged_userns, or grade as root"
        )
    else:
        why = CONTAINER
    return f"{what} ({last}): {why}."
