"""What runs inside the sandbox: a clean parent, and students' code.

    python -m attnbook.grading.sandbox.inside SOCKET

The parent has imported numpy and torch and nothing that a student must not
see. For each submission it forks a *base* process, which locks itself in and
runs the notebook's cells; for each question the base forks a *worker*, which
calls the student's functions with the arrays that the grader sends. The
parent never reads what a base or a worker writes.
"""

import ctypes
import gc
import json
import os
import random
import resource
import select
import signal
import socket
import sys
import threading
from contextlib import nullcontext

import numpy as np
import torch

import attnbook.check
from attnbook.check import engine, inprocess
from attnbook.check.engine import Module, NotStarted, Wrong
from attnbook.check.failures import Failure
from attnbook.check.inprocess import InProcess
from attnbook.grading.sandbox import frames, jail
from attnbook.grading.sandbox.pristine import Pristine
from attnbook.notebooks.execute import Outcome, Session, plain_torch

MAX_TEXT = 2000
PROCESSORS = 2
GRACE = 0.05  # seconds to end in, so that all CPU seconds are counted
FIRST_CELL = """
import numpy as np
import torch
x = torch.ones(2, 2)
(x @ x).softmax(-1)
x = np.random.default_rng(0).normal(size=(2, 2))
x @ x
"""


class Guarded(InProcess):
    """The student's functions, by means that their code cannot replace."""

    def _run(self, *args):
        try:
            return super()._run(*args)
        finally:
            PRISTINE.restore()


def receive_exactly(sock: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = sock.recv(min(size - len(parts), 1 << 20))
        if not part:
            os._exit(0)  # the grader is gone
        parts += part
    return bytes(parts)


def receive(sock: socket.socket) -> tuple[dict, list]:
    large = 1 << 28  # what the grader sends is trusted
    return frames.unpack(lambda n: receive_exactly(sock, n), large, large)


# --- the parent ------------------------------------------------------------


def parent(control: socket.socket) -> None:
    """Fork bases and end them, as the grader says."""
    session = warm_up()
    while control := serve(control, session):
        pass  # a twin goes on here, with a control of its own


def serve(control: socket.socket, session: Session) -> socket.socket | None:
    """Until the grader closes `control`; a twin returns its own at once."""
    base, answer = None, {"state": "ready"}
    while True:
        if answer:
            control.sendall(json.dumps(answer).encode())
        data, fds, _, _ = socket.recv_fds(control, 1 << 20, 2)
        order = json.loads(data or '{"do": "end"}')
        if order["do"] == "twin":
            answer = None  # the twin says itself that it is ready
            if os.fork() == 0:
                return alone(fds[0], control)
        elif order["do"] == "start":
            base = start(order, fds[0], control, session)
            answer = {"state": "started"}
        elif order["do"] == "interrupt":
            answer = {"state": "interrupted"}
            if base:
                os.kill(base, signal.SIGINT)
        else:
            answer = {"state": "stopped"} | stop(base)
            base = None
        for fd in fds:
            os.close(fd)
        if order["do"] == "end":
            wait_for_all()
            return None


def alone(fd: int, control: socket.socket) -> socket.socket:
    """What a twin does first: it shares no network with its parent, whose
    submissions it could reach by that, and no socket."""
    jail.new_network()
    control.close()
    os.closerange(3, fd)
    os.closerange(fd + 1, 4096)
    return socket.socket(fileno=fd)


def warm_up() -> Session:
    """What is slow the first time, or needs /proc, happens once, here; then
    a session for the cells, and memory that is quick to fork."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))  # not the grader's
    torch.set_num_threads(1)
    with Session("warm_up") as session:
        session.run(1, FIRST_CELL)
    session = Session()
    gc.collect()
    gc.freeze()
    in_large_pages()
    return session


def in_large_pages() -> None:
    """Ask the kernel to gather this process's memory in pages of 2 MiB: to
    fork then takes a third of the time. It may refuse, which changes
    nothing else."""
    size, collapse = 1 << 21, 25  # MADV_COLLAPSE
    with open("/proc/self/maps") as file:
        lines = [line.split() for line in file]
    for ends, rights, *_ in lines:
        first, last = (int(end, 16) for end in ends.split("-"))
        first, last = -(-first // size) * size, last // size * size
        if rights == "rw-p" and first < last:
            room = ctypes.c_void_p(first), ctypes.c_size_t(last - first)
            jail.libc.madvise(*room, collapse)


def start(
    order: dict, fd: int, control: socket.socket, session: Session
) -> int:
    """Fork a base; in a sandbox it is process 1 of its own numbering."""
    own = jail.new_process_numbers if order["jailed"] else nullcontext
    with own():
        base = os.fork()
        if base == 0:
            become_base(order, fd, control, session)
    return base


def stop(base: int | None) -> dict:
    """End a base and all that it started; how it ended, CPU seconds used."""
    if not base:
        return {"status": None, "cpu": 0.0}
    by_itself = os.pidfd_open(base)
    select.select([by_itself], [], [], GRACE)
    os.close(by_itself)
    try:
        os.kill(base, signal.SIGKILL)
    except ProcessLookupError:
        pass
    _, status, used = os.wait4(base, 0)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    return {"status": status, "cpu": used.ru_utime + used.ru_stime}


# --- the base --------------------------------------------------------------


def become_base(
    order: dict, fd: int, control: socket.socket, session: Session
) -> None:
    """Never returns: lock in, run cells, fork workers."""
    try:
        control.detach()
        leave_open_only(fd)
        sock = socket.socket(fileno=fd)
        try:
            facts = lock_in(order)
        except BaseException as error:
            sock.sendall(frames.pack({"state": "unsafe", "text": str(error)}))
            os._exit(1)
        sock.sendall(frames.pack({"state": "locked in"} | facts))
        Base(sock, order, session).serve()
    finally:
        os._exit(1)


def leave_open_only(fd: int) -> None:
    """Beside it only /dev/null, three times: what the parent has as standard
    error is a file, which students could read as well as fill."""
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    os.closerange(3, fd)
    os.closerange(fd + 1, 4096)


def lock_in(order: dict) -> dict:
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    memory = jail.address_space() + order["memory"]
    os.umask(0o077)
    if order["jailed"]:
        jail.own_files(order["files"])
        jail.withhold("attnbook", order["withheld"])
        os.chdir("/tmp")
    jail.bound(order["rlimits"] | {"AS": memory})
    if order["jailed"]:
        jail.drop_privileges(order["uid"])
    jail.end_with_parent()
    if order["seccomp"]:
        jail.forbid(bytes.fromhex(order["seccomp"]))
    return jail.state() if order["jailed"] else {}


class Base:
    """A student's namespace, and the cells that fill it."""

    def __init__(self, sock: socket.socket, order: dict, session: Session):
        self.sock, self.jailed = sock, order["jailed"]
        self.worker, self.session = 0, session
        reseed(order["seed"])
        sys.path.insert(0, "")  # the working folder, as in Jupyter
        attnbook.check.check = no_check
        if not self.jailed:
            for file in order["withheld"]:  # importing it then fails
                name = file.removesuffix(".py").replace("/", ".")
                sys.modules[f"attnbook.{name}"] = None
        torch.set_num_threads = one_thread_only
        os.cpu_count = lambda: PROCESSORS  # a Pool has as many processes
        plain_torch()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> None:
        while True:
            data, fds, _, _ = socket.recv_fds(self.sock, 4, 1)
            if not data:
                return self.end_worker()
            if fds:  # a socket for a worker came, four bytes with it
                self.start_worker(fds[0])
                continue
            rest = frames.LENGTHS.size - len(data)
            first = data + receive_exactly(self.sock, rest)
            queue = [first]

            def take(size, queue=queue):
                if queue:
                    return queue.pop()
                return receive_exactly(self.sock, size)

            head, _ = frames.unpack(take, 1 << 28)
            reply = self.run(head["number"], head["source"])
            self.sock.sendall(frames.pack(reply | {"nonce": head["nonce"]}))

    def run(self, number: int, source: str) -> dict:
        """Execute one cell; an interrupt from the grader ends the cell and
        not the process."""
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            outcome = self.session.run(number, source)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        except KeyboardInterrupt as late:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            outcome = Outcome(late)
        state = {"state": "failed" if outcome.error else "ok"}
        return state | in_words(outcome)

    def start_worker(self, fd: int) -> None:
        end_pools()
        self.end_worker()
        self.worker = self.fork()
        if self.worker:
            os.close(fd)
            return
        if not self.jailed:
            os.setsid()
        self.sock.close()
        work(socket.socket(fileno=fd), self.session.namespace)

    def fork(self) -> int:
        """A process beyond those that a student may have: there is one for
        the worker, however many threads a cell has left."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))
        try:
            return os.fork()
        finally:
            resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))

    def end_worker(self) -> None:
        """End the last worker and whatever it or a cell started."""
        if self.jailed and os.getpid() == 1:
            try:
                os.kill(-1, signal.SIGKILL)  # all in this numbering but us
            except ProcessLookupError:
                pass
        elif self.worker:
            os.killpg(self.worker, signal.SIGKILL)
        wait_for_all()


def wait_for_all() -> None:
    try:
        while os.waitpid(-1, 0)[0]:
            pass
    except ChildProcessError:
        pass


def end_pools() -> None:
    """Nobody is told of processes that end: a Pool that cells have left open
    would start them anew for ever, a DataLoader raise an error."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for thread in threading.enumerate():
        if hasattr(thread, "_state"):
            thread._state = "TERMINATE"


def in_words(outcome: Outcome) -> dict:
    """What was passed over; type, text and line of an error. The text is the
    student's own."""
    out = {"said": [text[:MAX_TEXT] for text in outcome.said[:20]]}
    if outcome.error:
        kinds = (kind.__name__ for kind in type(outcome.error).__mro__)
        # Python 3.13 raises a SyntaxError that it calls _IncompleteInputError.
        out["type"] = next(k for k in kinds if not k.startswith("_"))[:80]
        out["text"], out["line"] = outcome.text[:MAX_TEXT], outcome.line
    return out


def reseed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def one_thread_only(number: int) -> None:
    """Stands for torch.set_num_threads: a worker that is forked inherits no
    threads, and would wait for those of its parent for ever."""


def no_check(*args, **kwargs) -> None:
    """Stands for `check`: the grader runs the checks, outside."""
    print("The grader runs this check.")


# --- the worker ------------------------------------------------------------


def work(sock: socket.socket, namespace: dict) -> None:
    """Call what the grader asks for, until it closes the socket."""
    PRISTINE.restore()
    while True:
        head, values = receive(sock)
        same = {"nonce": head["nonce"]}
        try:
            reply, parts = answer(head, values, namespace)
            frame = frames.pack(reply | same, parts)
        except frames.BadFrame as error:
            text = f"{name_of(head)}: {error}"
            frame = frames.pack(wrong(text, error.code) | same)
        except BaseException as error:
            kind = type(error).__name__
            text = f"{name_of(head)} raised {kind}: {error}"
            frame = frames.pack(wrong(text, Failure.RAISED) | same)
        sock.sendall(frame)


def wrong(text: str, code: Failure) -> dict:
    return {"state": "wrong", "text": text[:MAX_TEXT], "code": code.name}


def name_of(head: dict) -> str:
    name = head["name"]
    return name if isinstance(name, str) else name[0]


def answer(head: dict, values: list, namespace: dict) -> tuple[dict, tuple]:
    """(head, values) of the reply to one question of the grader's."""
    name, parts = head["name"], head["parts"]
    if not isinstance(name, str):
        name = Module(name[0], tuple(name[1]), tuple(name[2]))
    student = Guarded(namespace, head["backend"])
    try:
        if head["verb"] == "value":
            return {"state": "ok"}, (student.value(name),)
        if head["verb"] == "vjp":
            *args, cotangent = values
            got = student.vjp(name, tuple(args), cotangent, parts=parts)
            return {"state": "ok"}, tuple(got)
        got = student.call(name, *values, parts=parts)
        return {"state": "ok"}, (got if parts > 1 else (got,))
    except NotStarted as error:
        return {"state": "not started", "text": str(error)[:MAX_TEXT]}, ()
    except Wrong as error:
        return wrong(str(error), error.code), ()


PRISTINE = Pristine(
    engine,
    frames,
    inprocess,
    sys.modules[__name__],
    torch.autograd,
    torch.autograd.function,
    torch.autograd.graph,
    InProcess,
    torch.Tensor,
)

if __name__ == "__main__":
    fd = int(sys.argv[1])
    parent(socket.socket(fileno=fd))
