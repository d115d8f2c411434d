"""What runs inside the sandbox: a clean parent, and students' code.

    python -m attnbook.grading.inside SOCKET

The parent has imported numpy and torch and nothing that a student must not
see. For each submission it forks a *base* process, which locks itself in and
runs the notebook's cells; for each question the base forks a *worker*, which
calls the student's functions with the arrays that the grader sends. The
parent never reads what a base or a worker writes.
"""

import json
import os
import random
import resource
import signal
import socket
import sys
import threading

import numpy as np
import torch

import attnbook.check
from attnbook.check.engine import Module, NotStarted, Wrong
from attnbook.check.inprocess import InProcess
from attnbook.grading import frames, jail
from attnbook.notebooks.execute import Outcome, Session, plain_torch

MAX_TEXT = 2000
PROCESSORS = 2


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
    warm_up()
    session, base = Session(), None
    control.sendall(b'{"state": "ready"}\n')
    while True:
        data, fds, _, _ = socket.recv_fds(control, 1 << 20, 2)
        if not data:
            return
        order = json.loads(data)
        if order["do"] == "start":
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
        control.sendall(json.dumps(answer).encode() + b"\n")


def warm_up() -> None:
    """What is slow the first time, or needs /proc, happens once, here."""
    import gc

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))  # not the grader's
    torch.set_num_threads(1)
    x = torch.ones(2, 2)
    (x @ x).softmax(-1)
    np.ones((2, 2)) @ np.ones((2, 2))
    np.random.default_rng(0).normal(size=3)
    gc.collect()
    gc.freeze()


def start(
    order: dict, fd: int, control: socket.socket, session: Session
) -> int:
    """Fork a base; in a sandbox it is process 1 of its own numbering."""
    if not order["jailed"]:
        base = os.fork()
        if base == 0:
            become_base(order, fd, control, session)
        return base
    mine, its = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            jail.new_process_numbers()
            base = os.fork()
        except OSError:
            os._exit(1)
        if base == 0:
            os.close(mine)
            os.close(its)
            become_base(order, fd, control, session)
        os.write(its, str(base).encode())
        os._exit(0)
    os.close(its)
    os.waitpid(between, 0)
    number = os.read(mine, 20)
    os.close(mine)
    return int(number) if number else 0


def stop(base: int | None) -> dict:
    """End a base and all that it started; how it ended, CPU seconds used."""
    if not base:
        return {"status": None, "cpu": 0.0}
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
        os.chdir("/tmp")
    jail.bound(order["rlimits"] | {"AS": memory})
    if order["jailed"]:
        jail.drop_privileges(order["uid"])
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
        torch.set_num_threads = one_thread_only
        os.cpu_count = lambda: PROCESSORS  # a Pool has as many processes
        plain_torch()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> None:
        while True:
            data, fds, _, _ = socket.recv_fds(self.sock, 4, 1)
            if not data:
                return
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
    while True:
        head, values = receive(sock)
        same = {"nonce": head["nonce"]}
        try:
            reply, parts = answer(head, values, namespace)
            frame = frames.pack(reply | same, parts)
        except frames.BadFrame as error:
            text = f"{name_of(head)}: {error}"
            frame = frames.pack({"state": "wrong", "text": text} | same)
        except BaseException as error:
            kind = type(error).__name__
            text = f"{name_of(head)} raised {kind}: {error}"[:MAX_TEXT]
            frame = frames.pack({"state": "wrong", "text": text} | same)
        sock.sendall(frame)


def name_of(head: dict) -> str:
    name = head["name"]
    return name if isinstance(name, str) else name[0]


def answer(head: dict, values: list, namespace: dict) -> tuple[dict, tuple]:
    """(head, values) of the reply to one question of the grader's."""
    name, parts = head["name"], head["parts"]
    if not isinstance(name, str):
        name = Module(name[0], tuple(name[1]), tuple(name[2]))
    student = InProcess(namespace, head["backend"])
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
        return {"state": "wrong", "text": str(error)[:MAX_TEXT]}, ()


if __name__ == "__main__":
    fd = int(sys.argv[1])
    parent(socket.socket(fileno=fd))
