"""The same checks against an answer in another process.

A minimal stand-in for the sandbox of a grader: the function lives in a child
process, and only JSON headers and raw arrays cross the pipe.
"""

import json
import struct
import subprocess
import sys

import numpy as np
import pytest

from attnbook.check.engine import NotStarted, Wrong
from tools.masters import masters

CHILD = """
import json, struct, sys
import numpy as np
sys.path[:0] = {path!r}
from attnbook.check.engine import NotStarted, Wrong
from attnbook.check.inprocess import InProcess
from tests.test_check_elsewhere import receive, send
namespace = {{"np": np}}
exec(compile({source!r}, "answer", "exec"), namespace)
answer = InProcess(namespace, {backend!r})
while True:
    verb, name, args = receive(sys.stdin.buffer)
    try:
        if verb == "vjp":
            result = answer.vjp(name, tuple(args[:-1]), args[-1])
        else:
            verb, _, parts = verb.partition(" ")
            options = {{"parts": int(parts)}} if parts else {{}}
            result = getattr(answer, verb)(name, *args, **options)
        send(sys.stdout.buffer, "ok", "", result)
    except (Wrong, NotStarted) as error:
        send(sys.stdout.buffer, type(error).__name__, str(error), ())
"""


def send(pipe, verb, name, args):
    """Length, JSON header, then the arrays' bytes; no pickle."""
    is_tuple = isinstance(args, (tuple, list))
    parts, blobs = [], []
    for arg in args if is_tuple else (args,):
        if isinstance(arg, (np.ndarray, np.generic)):
            arg = np.asarray(arg, order="C")
            parts.append({"dtype": arg.dtype.str, "shape": arg.shape})
            blobs.append(arg.tobytes())
        else:
            parts.append({"plain": arg})
    header = {"verb": verb, "name": name, "parts": parts, "tuple": is_tuple}
    head = json.dumps(header).encode()
    pipe.write(struct.pack("<I", len(head)) + head + b"".join(blobs))
    pipe.flush()


def receive(pipe):
    """(verb, name, arguments) of one frame."""
    (size,) = struct.unpack("<I", pipe.read(4))
    header = json.loads(pipe.read(size))
    args = []
    for part in header["parts"]:
        if "plain" in part:
            args.append(part["plain"])
            continue
        kind, shape = np.dtype(part["dtype"]), tuple(part["shape"])
        assert kind.kind in "fiub"
        blob = pipe.read(int(np.prod(shape)) * kind.itemsize)
        args.append(np.frombuffer(blob, kind).reshape(shape))
    value = args if header["tuple"] else args[0]
    return header["verb"], header["name"], value


class Elsewhere:
    """An Answer whose functions live in a child process."""

    def __init__(self, source, backend):
        code = CHILD.format(path=["."], source=source, backend=backend)
        command = [sys.executable, "-c", code]
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(command, stdin=pipe, stdout=pipe)

    def ask(self, verb, name, args):
        send(self.child.stdin, verb, name, args)
        state, message, value = receive(self.child.stdout)
        if state != "ok":
            raise {"Wrong": Wrong, "NotStarted": NotStarted}[state](message)
        return tuple(value) if isinstance(value, list) else value

    def call(self, name, *args, parts=1):
        return self.ask(f"call {parts}", name, args)

    def vjp(self, name, args, cotangent):
        return self.ask("vjp", name, (*args, cotangent))

    def value(self, name):
        return self.ask("value", name, ())

    def close(self):
        self.child.kill()
        self.child.wait()


RIGHT = {
    "1_1.a": """
import torch
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / keys.shape[-1] ** 0.5
    return s.softmax(-1) @ states, s.softmax(-1)
""",
    "1_2.b": """
def softmax_backward(a, u):
    return a * (u - (a * u).sum(-1, keepdims=True))
""",
    "1_1.e": """
prediction = "same"
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=trials)
    kept = asked < m if keep == "first" else asked >= n - m
    return (kept | (rng.integers(10, size=trials) == 0)).mean()
""",
}
DETACHED = RIGHT["1_1.a"].replace("/ keys", ".detach() / keys")
CHANGED = "def softmax_backward(a, u):\n    a *= u\n    return a\n"


def grade(exercise_id, source):
    """Visible and hidden checks, the answer in a child process."""
    from attnbook.check.engine import run_checks
    from attnbook.check.inprocess import InProcess

    master = next(m for m in masters() if exercise_id.startswith(m.number))
    exercise = next(e for e in master.exercises if e.id == exercise_id)
    reference = InProcess(master.answers, exercise.backend)
    checks = master.hidden.bound(exercise_id, reference) | exercise.checks
    answer = Elsewhere(source, exercise.backend)
    try:
        rng = np.random.default_rng(0)
        return run_checks(exercise, answer, rng, checks)
    finally:
        answer.close()


@pytest.mark.parametrize("exercise_id", RIGHT)
def test_right_answers_pass_from_another_process(exercise_id):
    report = grade(exercise_id, RIGHT[exercise_id])
    assert report.score == 1, str(report)


@pytest.mark.parametrize(
    "exercise_id, source, words",
    [
        ("1_1.a", DETACHED, "no gradient"),
        ("1_2.b", CHANGED, "changes its argument in place"),
        ("1_2.b", "pass", "does not exist yet"),
        ("1_1.e", RIGHT["1_1.e"].replace("same", "x"), "set prediction to"),
    ],
)
def test_wrong_answers_fail_from_another_process(exercise_id, source, words):
    report = grade(exercise_id, source)
    assert report.score < 1 and words in str(report)
