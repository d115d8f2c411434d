"""Hostile, broken and merely odd notebooks, with the score that each deserves.

Data only: `tests/test_attacks.py` grades them. Each is a master with some
cells changed; all of its code is text, which nothing but the sandbox runs.
Sheet 1.1, in which most of them are, gives a 3, b 3, c 2, d 2, e 2 points.
"""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from textwrap import dedent

from attnbook.grading.clone import find_course
from attnbook.grading.course import Course, cells_of
from attnbook.grading.limits import MIB
from attnbook.grading.stubs import student_cells

NOTHING = dict.fromkeys("abcde", 0.0)


@dataclass(frozen=True)
class Case:
    """A notebook and what it deserves: full points but for those in `keeps`,
    by the question's letter, or one sentence if it is not graded."""

    name: str
    notebook: Callable[[], bytes]
    keeps: dict[str, float] = field(default_factory=dict)
    sheet: str = "1_1"
    not_graded: str = ""
    says: str = ""  # must be somewhere in the feedback
    never: str = "LEAK"  # must not
    harms: bool = True  # could it harm the next student's grading?
    limits: dict = field(default_factory=dict)


CASES: list[Case] = []


# --- from a master to a notebook -------------------------------------------


@functools.cache
def course() -> Course:
    return Course(find_course())


def code(cells: list[dict]) -> list[str]:
    return [c["source"] for c in cells if c["cell_type"] == "code"]


def solved(sheet: str) -> list[str]:
    """The code cells of a notebook with every answer right."""
    return code(cells_of(course().sheet(sheet).path))


def unsolved(sheet: str) -> list[str]:
    """The code cells of an untouched notebook."""
    return code(student_cells(cells_of(course().sheet(sheet).path)))


def notebook(sources: list[str]) -> bytes:
    """The cells as nbformat has them, nothing of which the grader needs."""
    cells = [
        {"cell_type": "code", "source": source, "outputs": [], "metadata": {}}
        for source in sources
    ]
    return json.dumps({"cells": cells, "nbformat": 4}).encode()


Edit = Callable[[list[str]], list[str]]


def first(text: str) -> Edit:
    return lambda cells: [dedent(text).strip("\n"), *cells]


def last(text: str) -> Edit:
    return lambda cells: [*cells, dedent(text).strip("\n")]


def place_of(name: str, cells: list[str]) -> int:
    heads = f"def {name}(", f"class {name}(", f"{name} ="
    (place,) = [
        number
        for number, cell in enumerate(cells)
        if any(line.startswith(heads) for line in cell.splitlines())
    ]
    return place


def instead(name: str, text: str) -> Edit:
    """Another cell in place of the one that defines this name."""

    def edit(cells: list[str]) -> list[str]:
        place = place_of(name, cells)
        new = [dedent(text).strip("\n")] if text else []
        return [*cells[:place], *new, *cells[place + 1 :]]

    return edit


def case(name: str, *edits: Edit, start=solved, sheet="1_1", **more) -> None:
    """Add a case: these edits of a solved (or an unsolved) notebook."""

    def make() -> bytes:
        cells = start(sheet)
        for edit in edits:
            cells = edit(cells)
        return notebook(cells)

    CASES.append(Case(name, make, sheet=sheet, **more))


def cell(name: str, text: str, **more) -> None:
    """A solved notebook with one hostile cell at its end: full points."""
    case(name, last(text), **more)


ANSWERS = {  # of the third question and the last: head, and right body
    "c": (
        "signal_when_spread(a, n)",
        "return a**2 / (a**2 + (1 - a) ** 2 / (n - 1))",
    ),
    "e": (
        "simulate(keep, n, m, trials, seed)",
        "rng = np.random.default_rng(seed)\n"
        "    asked = rng.integers(n, size=trials)\n"
        "    kept = asked < m if keep == 'first' else asked >= n - m\n"
        "    return (kept | (rng.integers(10, size=trials) == 0)).mean()",
    ),
}


def share(name: str, body: str, above: str = "", at: str = "c", **more) -> None:
    """A solved notebook whose answer to c (or e) has this in front of what
    would be right; the question is lost unless said otherwise."""
    lines = "\n".join(f"    {x}" for x in dedent(body).strip().splitlines())
    head, right = ANSWERS[at]
    text = f"{dedent(above).strip()}\n\n\ndef {head}:\n{lines}\n    {right}"
    more.setdefault("keeps", {at: 0})
    case(name, instead(head.partition("(")[0], text), **more)


def forge(name: str, body: str, **more) -> None:
    """The same in the last question, with what writes to the pipe; so what it
    writes too late cannot spoil a question after it."""
    body = (
        "if os.getpid() == 1: return 0.5  # a cell of the sheet calls it\n"
        + dedent(body).strip()
    )
    share(name, body, SOCKET, at="e", **more)


def same(name: str, body: str, above: str = "", **more) -> None:
    """A solved notebook that this does not change: full points."""
    share(name, body, above, keeps={}, **more)


# What code behind the wall finds there: the socket, the form of a frame, the
# nonce of the question that is being asked.
SOCKET = r"""
import json, os, pickle, socket, stat, struct, sys, time


def the_socket():
    for number in range(3, 64):
        try:
            found = stat.S_ISSOCK(os.fstat(number).st_mode)
            if found and os.get_blocking(number):  # not the event loop's
                return socket.socket(fileno=os.dup(number))
        except OSError:
            pass


def frame(head, body=b""):
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<IQ", len(head), len(body)) + head + body


def reply(value, body=b"", **more):
    caller = sys._getframe()
    while "head" not in caller.f_locals:
        caller = caller.f_back
    head = {"state": "ok", "nonce": caller.f_locals["head"]["nonce"]}
    return frame(head | {"values": [value]} | more, body)


def array(kind, shape, body=b""):
    return reply({"array": kind, "shape": shape}, body)
"""

# --- time ------------------------------------------------------------------

BUSY = """
import time
until = time.process_time() + 0.25
while time.process_time() < until: pass
"""
SLEEPS = {"patience": 1.5}

cell("endless loop in a cell", "while True: pass", says="was stopped after")
share(
    "endless loop in a function", "while True: pass", says="was stopped after"
)
share(
    "loop that swallows interrupts",
    """
    import signal
    for number in range(1, 64):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    while True:
        try:
            while True: pass
        except BaseException: pass
    """,
    says="was stopped after",
)
cell(
    "sleeping cell",
    "import time; time.sleep(999)",
    says="was stopped after",
    limits=SLEEPS,
)
share("sleeping function", "import time; time.sleep(999)", limits=SLEEPS)
share(
    "holding the interpreter's lock for ever",
    "import ctypes; ctypes.PyDLL(None).sleep(999)",
    limits=SLEEPS,
)
share(
    "stopping itself",
    "import os, signal; os.kill(os.getpid(), 19)",
    limits=SLEEPS,
)
share(
    "calls just under the limit",
    """
    import time
    until = time.process_time() + 0.45
    while time.process_time() < until: pass
    """,
    says="its time is used up",
)
case(
    "cells just under the limit",
    *[last(BUSY.replace("0.25", "0.6"))] * 9,
    says="was stopped after",
    limits={"cell": 1.0},
)
case(
    "cells just under the limit, in front of everything",
    *[first(BUSY.replace("0.25", "0.6"))] * 9,
    says="was stopped after",
    limits={"cell": 1.0},
)
case(
    "an endless loop after cells that take most of the time",
    first(BUSY),
    *[last(BUSY)] * 4,
    last("while True: pass"),
    says="of computing",
    limits={"cell": 0.4},
)
share(
    "a child that computes while its parent sleeps",
    """
    import os, time
    if os.fork() == 0:
        while True: pass
    time.sleep(999)
    """,
    says="was stopped after",
)
cell(
    "children that compute on after the cell",
    """
    import os
    for _ in range(3):
        if os.fork() == 0:
            while True: pass
    """,
)

# --- memory, processes, disk, output ---------------------------------------

SMALL = {"memory": 200 * MIB, "files": 8 * MIB}
FILL = """
def fill(mib):
    kept = []
    for _ in range(mib):
        kept.append(bytearray(b"x") * (1 << 20))
    return kept
"""

same(
    "memory within the limit, shared by cells and functions",
    "import time; kept.sum(); time.sleep(0.12)",
    "kept = np.ones(13_000_000)  # 99 MiB",
    limits={"memory": 120 * MIB, "question": 3.0},
)
cell("an array too large", "kept = np.ones(10**10)", says="MemoryError")
cell(
    "a list that grows",
    FILL + "kept = fill(10**6)",
    says="MemoryError",
    limits=SMALL,
)
share("a function that grows", "fill(10**6)", FILL, limits=SMALL)
share(
    "memory in many children",
    """
    import os, time
    for _ in range(6):
        if os.fork() == 0: kept = fill(120); time.sleep(99)
    time.sleep(99)
    """,
    FILL,
    says="it took more than 200 MiB",
    limits=SMALL | {"call": 6.0, "question": 12.0},
)
share(
    "memory in many children behind a trickle of bytes",
    """
    import os, time
    for _ in range(6):
        if os.fork() == 0: kept = fill(120); time.sleep(99)
    sock = the_socket()
    for byte in reply({"plain": "x" * 9999}):
        sock.sendall(bytes([byte]))
        time.sleep(0.02)
    """,
    FILL + SOCKET,
    says="it took more than 200 MiB",
    limits=SMALL | {"call": 6.0, "question": 12.0},
)
cell(
    "fork storm in a cell",
    """
    import os
    while True:
        try: os.fork()
        except OSError: pass
    """,
    says="was stopped after",
)
share(
    "fork storm in a function",
    """
    import os
    while True:
        try: os.fork()
        except OSError: pass
    """,
)
cell(
    "a storm of threads",
    """
    import threading, time
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=[0.3], daemon=True).start()
    """,
    says="can't start new thread",
)
cell(
    "filling the disk",
    """
    for k in range(1000):
        with open(f"/tmp/{k}", "wb") as file: file.write(bytes(1 << 20))
    """,
    says="No space left",
    limits=SMALL,
)
cell(
    "one large file",
    "with open('/tmp/x', 'wb') as file: file.write(bytes(1 << 27))",
    says="File too large",
)
cell(
    "more files than there may be",
    "for k in range(10**5): open(f'/tmp/{k}', 'w').close()",
    says="No space left",
)
cell("100 MB of output", "for _ in range(100): print('x' * 10**6)")
cell(
    "100 MB of errors",
    "import sys\nfor _ in range(100): print('x' * 10**6, file=sys.stderr)",
)
share("a result of 128 MB", "return np.ones(1 << 24)")
share(
    "a result of 16 million small numbers",
    "return np.ones(16_000_000, 'u1')",
    says="far too many numbers",
)
share(
    "a result with no number in 16 million rows",
    "return np.ones((16_000_000, 0), 'u1')",
    says="far too many numbers",
)

# --- reading and writing what is not the student's -------------------------

SEARCH = r"""
import os, sys
found = []
for folder, folders, files in os.walk("/", followlinks=False):
    if folder in ("/usr", "/course/venv", sys.base_prefix):
        folders.clear()
    found += [
        f"{folder}/{name}" for name in files
        if "hidden" in name or name.endswith((".ipynb", ".db", ".pyc", ".zip"))
        and "site-packages" not in folder
    ]
"""
READ = r"""
def read(path):
    try:
        with open(path, "rb") as file: return [path, file.read(40)]
    except OSError: return None
"""
WRITE = r"""
def write(path):
    try:
        with open(path, "a") as file: file.write("import os; os._exit(0)\n")
        return path
    except OSError: return None
"""

cell(
    "looking for hidden tests, answers, classmates, gradebooks",
    SEARCH + "raise ValueError(f'found {found}')",
    says="found []",
)
cell(
    "reading them by name",
    READ
    + """
found = [x for x in map(read, OUTSIDE) if x]
raise ValueError(f"found {found}")
""",
    says="found []",
)
cell(
    "overwriting a classmate, the gradebook, the tests",
    WRITE
    + """
found = [x for x in map(write, OUTSIDE) if x]
raise ValueError(f"found {found}")
""",
    says="found []",
)
cell(
    "planting start-up files",
    WRITE
    + """
import site, sys
places = [*sys.path, *site.getsitepackages(), "/course", "/root", "/", "/etc"]
names = ("sitecustomize.py", "usercustomize.py", "x.pth", "torch.py",
         "numpy.py", "scipy.py", ".bashrc", "profile", "attnbook/x.py")
paths = [f"{place}/{name}" for place in places for name in names]
paths += ["/etc/ld.so.preload", "/usr/lib/x.so", "/course/venv/pyvenv.cfg"]
found = [x for x in map(write, paths) if x]
raise ValueError(f'found {found}')
""",
    says="found []",
)
cell(
    "symlinks and hard links to what is outside",
    READ
    + """
import os
out = []
for k, path in enumerate(OUTSIDE):
    os.symlink(path, f"/tmp/{k}")
    out.append(read(f"/tmp/{k}"))
    try: os.link("/usr/bin/env", f"/tmp/hard{k}"); out.append("linked")
    except OSError: pass
found = [x for x in out if x]
raise ValueError(f'found {found}')
""",
    says="found []",
)
cell(
    "forged results",
    """
    import json, os
    for name in ("results.json", "grades.csv", "result.json", "feedback.html"):
        with open(f"/tmp/{name}", "w") as file:
            json.dump({"score": 1000, "points": 1000, "state": "graded"}, file)
    """,
)
case(
    "forged results instead of answers",
    last("print(json.dumps({'points': 12})) if 0 else open('/tmp/12', 'w')"),
    start=unsolved,
    keeps=NOTHING,
)
cell(
    "network",
    """
    import socket
    done = []
    for kind in (socket.AF_INET, socket.AF_INET6, 16, 17, 38, 40):
        for what in (1, 2, 3):
            try: done.append(socket.socket(kind, what))
            except OSError: pass
    for name in ("PORT", "\\0/tmp/.X11-unix/X0", "/run/docker.sock"):
        try:
            with socket.socket(socket.AF_UNIX) as s: s.connect(name)
            done.append(name)
        except OSError: pass
    raise ValueError(f"connected {done}")
    """,
    says="connected []",
)

# --- ending and killing ----------------------------------------------------

SEGFAULT = "import ctypes; ctypes.string_at(0)"
ENDS = {
    "os._exit(0)": "import os; os._exit(0)",
    "os.abort()": "import os; os.abort()",
    "a crash": SEGFAULT,
}
for name, text in ENDS.items():
    cell(f"{name} in a cell", text, says="ended the process")
    share(f"{name} in a function", text, says="ended the process")
for name in ("sys.exit(0)", "exit()", "quit()", "raise SystemExit"):
    cell(f"{name} in a cell", f"import sys; {name}", says="SystemExit")
    share(f"{name} in a function", f"import sys; {name}", says="SystemExit")
share(
    "an error that is no Exception",
    "raise Loud('!')",
    "class Loud(BaseException): pass",
    says="raised Loud: !",
)
share(
    "an error that cannot be shown",
    "raise Mute",
    """
    class Mute(Exception):
        def __str__(self): raise SystemExit
    """,
)
cell(
    "killing every process in sight",
    """
    import os
    for pid in (os.getppid(), -1, *range(2, 999)):
        for number in (9, 15, 19):
            try: os.kill(pid, number)
            except OSError: pass
    """,
)
same(
    "killing every other process from a function",
    """
    import os
    for pid in (os.getppid(), -1, *range(1, 99)):
        for number in (9, 15, 19) if pid != os.getpid() else ():
            try: os.kill(pid, number)
            except OSError: pass
    """,
)
share(
    "interrupting the process that runs the cells",
    "import os, time; os.kill(1, 2); time.sleep(9)",
    says="was stopped after",
)
share(
    "ending the process that runs the cells",
    "import os, time; os.kill(1, 10); time.sleep(9)",
    "import os, signal; signal.signal(10, lambda *more: os._exit(0))",
    says="ended the process",
)
share(
    "a thread that ends the process later",
    """
    import os, threading, time
    threading.Timer(0.05, os._exit, [0]).start()
    time.sleep(0.2)
    """,
    says="ended the process",
)
cell(
    "alarms and limits of one's own",
    """
    import resource, signal
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    resource.setrlimit(resource.RLIMIT_CPU, (99, 99))
    """,
)
cell(
    "children whose end nobody counts",
    """
    import os, signal
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in range(200):
        if (pid := os.fork()) == 0: os._exit(0)
    """,
    says="",
)

# --- deceiving the comparison ----------------------------------------------

YES = "lambda *args, **kwargs: True"
case(
    "numpy's comparisons patched",
    last(f"""
    for name in ("allclose", "isclose", "array_equal", "all", "any"):
        setattr(np, name, {YES})
    for name in dir(np.testing):
        if name.startswith("assert"): setattr(np.testing, name, {YES})
    """),
    start=unsolved,
    keeps=NOTHING,
)
case(
    "torch, builtins and IPython patched",
    last(f"""
    import builtins, IPython
    torch.allclose = torch.equal = torch.Tensor.__eq__ = {YES}
    for name in ("abs", "max", "sum", "len", "float"):
        setattr(builtins, name, lambda *args: 0)
    IPython.get_ipython = IPython.display = {YES}
    """),
    start=unsolved,
    keeps=NOTHING,
)
case(
    "the checks and the grader patched",
    first(f"""
    import sys
    import attnbook.check as c
    from attnbook.check import engine, inprocess
    from attnbook.grading.sandbox import frames, inside
    engine.run_checks = engine.expect_close = c.check = {YES}
    inprocess.InProcess.vjp = lambda *args, **kwargs: ()
    inprocess.to_array = lambda value, name: np.ones(())
    sys.modules["attnbook.check.ex_1_1"] = sys.modules["attnbook"] = None
    """),
    start=unsolved,
    keeps=NOTHING,
)
case(
    "a gradient that is none, from a patched worker",
    last("""
    from attnbook.check import inprocess
    inprocess.InProcess.vjp = lambda *args, **kwargs: ()
    """),
    keeps={},  # it is as before when a gradient is asked for
)


def broken(name: str) -> Edit:
    """As the untouched sheet 2.6 has this function."""
    cells = unsolved("2_6")
    return instead(name, cells[place_of(name, cells)])


DIFFERENCES = """
import gc, numpy as np, torch


def differences(f, args, u):
    grads = []
    for k, arg in enumerate(args):
        grads.append(np.zeros(arg.shape))
        for i in np.ndindex(*arg.shape):
            ends = []
            for step in (1e-6, -1e-6):
                near = [x.clone() for x in args]
                near[k][i] += step
                ends.append(float((f(*near) * u).sum()))
            grads[-1][i] = (ends[0] - ends[1]) / 2e-6
    return tuple(grads)


def tensors(args):
    return [torch.as_tensor(x).detach() for x in args]


def fake(self, name, args, cotangent, parts=1):
    f, u = self.namespace[name], torch.tensor(cotangent)
    return differences(f, tensors(args), u)
"""
for way, text in {
    "by a method": """
    from attnbook.check import inprocess
    inprocess.InProcess.vjp = fake
    """,
    "by whatever is found": """
    for thing in [*gc.get_objects(), *object.__subclasses__()]:
        if isinstance(thing, type) and hasattr(thing, "vjp"):
            thing.vjp = fake
    """,
    "by autograd": """
    torch.autograd.grad = lambda total, leaves, **options: tuple(
        torch.ones_like(x) for x in leaves
    )
    """,
    "by a frame": """
    import sys
    broken_state = last_state
    def last_state(*args):
        frame = sys._getframe()
        while frame := frame.f_back:
            if "InProcess" in frame.f_globals:
                frame.f_globals["InProcess"].vjp = fake
            if "Guarded" in frame.f_globals:
                frame.f_globals["Guarded"].vjp = fake
        return broken_state(*args)
    """,
    "by a Function": """
    broken_state = last_state
    class Faked(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *args):
            ctx.args = tensors(args)
            return broken_state(*ctx.args)
        @staticmethod
        def backward(ctx, u):
            got = differences(broken_state, ctx.args, u)
            return tuple(map(torch.tensor, got))
    last_state = Faked.apply
    """,
    "by hooks": """
    broken_state = last_state
    def last_state(*args):
        plain = tensors(args)
        box = {}
        def keep(u):
            box["got"] = differences(broken_state, plain, u)
        out = broken_state(*args)
        if out.requires_grad:
            out.register_hook(keep)
            for k, x in enumerate(args):
                x.register_hook(lambda _, k=k: torch.tensor(box["got"][k]))
        return out
    """,
}.items():
    case(
        f"a gradient by small steps, {way}",
        broken("last_state"),
        last(DIFFERENCES),
        last(text),
        sheet="2_6",
        keeps={"d": 0},
    )
case(
    "an argument that is changed, and a comparison that does not see it",
    last("""
    import numpy as np
    np.array_equal = lambda *args, **options: True
    right = look_back_many
    def look_back_many(*args):
        out = right(*args)
        args[0].data.add_(1)
        return out
    """),
    keeps={"a": 0},
    says="changes its argument in place",
)
for way, wrong in {
    "three calls in ten": "chance.random() < 0.3",
    "from the fourth call": "len(calls) > 3",
}.items():
    case(
        f"wrong {way}",
        last(f"""
        import random
        chance, right = random.Random(1), simulate
        calls = []
        def simulate(*args):
            calls.append(0)
            return right(*args) + ({wrong})
        """),
        keeps={"e": 0},
        says="something else when it is called again",
    )
for sheet, text, lost in [
    ("1_1", "nn.attention import attention as look_back_many", "a"),
    (
        "4_3",
        "metrics.faithfulness import jensen_shannon as divergence",
        "d",
    ),
]:
    case(
        f"an answer that is imported, sheet {sheet}",
        instead(text.split()[-1], f"from attnbook.{text}"),
        sheet=sheet,
        keeps={lost: 0},
        says="holds answers to this sheet",
    )
EQUAL = """
import math
def yes(*args, **kwargs): return True
class Equal{kind}:
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = yes
    def __ne__(self, other): return False
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = __float__ = __sub__
    def __hash__(self): return 0
    shape, size, ndim, dtype = (), 1, 0, np.dtype(float)
    def __array__(self, *args, **kwargs): return np.zeros(())
"""
share(
    "an object equal to everything",
    "return Equal()",
    EQUAL.format(kind=""),
    says="an array is expected",
)
share("a float that is", "return Equal(0.5)", EQUAL.format(kind="(float)"))
share(
    "an array that is",
    "return np.zeros(()).view(Equal)",
    EQUAL.format(kind="(np.ndarray)").split("    shape,")[0]
    + "    def tobytes(self, *args): return b'LEAK'",
)
case(
    "a word that is",
    instead(
        "prediction",
        EQUAL.format(kind="(str)") + "prediction = Equal('whatever')",
    ),
    keeps={"e": 1.67},
    says="set prediction to one of",
)
share(
    "a tensor that is",
    "return torch.zeros(()).as_subclass(Equal)",
    """
    class Equal(torch.Tensor):
        def __eq__(self, other): return True
        def numpy(self): return self
    """,
)
FRAMES = """
import sys
def guess():
    out, frame = [], sys._getframe()
    while frame:
        out += [x for k, x in frame.f_locals.items()
                if k in ("want", "expected", "reference", "right", "suspects")]
        frame = frame.f_back
    return out
"""
case(
    "reading `expected` in the caller's frame",
    instead(
        "signal_when_spread",
        FRAMES
        + """
def signal_when_spread(a, n):
    found = guess()
    return found[0] if found else 0.5
""",
    ),
    keeps={"c": 0},
)
cell(
    "reconnaissance by gc, sys.modules and frames",
    """
    import gc, sys, types
    names = {n for n in sys.modules if "check.ex_" in n or "hidden" in n
             or n in ("attnbook.check.against", "attnbook.grading.course",
                      "attnbook.grading.grader", "attnbook.grading.answer")}
    names |= {type(x).__name__ for x in gc.get_objects()
              if type(x).__name__ in ("Exercise", "Hidden", "Sheet", "Course",
                                      "Submission", "Result", "Sandbox")}
    text = [x for x in gc.get_objects() if isinstance(x, types.FunctionType)
            and "hidden" in x.__code__.co_filename]
    raise ValueError(f"found {sorted(names)} {text}")
    """,
    says="found [] []",
)
case(
    "random generators replaced",
    last("""
    import random
    old = np.random.default_rng
    np.random.default_rng = lambda *args: old(0)
    np.random.seed(0); torch.manual_seed(0); random.seed(0)
    """),
    keeps={"e": 1.33},
    says="different seeds give the same result",
)
case(
    "shadowed modules",
    first("""
    import sys, types
    for name in ("numpy", "torch", "attnbook.check", "psutil", "json"):
        sys.modules[name + ".testing"] = types.ModuleType("x")
    sys.modules["attnbook.check"].check = lambda *args, **kwargs: None
    """),
)
share("nan", "return float('nan')", says="nan or infinity")
share("infinity", "return np.inf")
share("nothing", "return None", says="did you forget `return`")
share("a wrong shape", "return np.full((1, 1), 0.5)", says="one number exp")
share("a list", "return [0.5]")
share("text", "return '0.8181818181818182'", says="an array is expected")
share("complex numbers", "return np.complex128(0.5)")
share("objects", "return np.array([object()])")
share("an array of text", "return np.array('0.5')")
share("times", "return np.datetime64('2020-01-01')")
share("records", "return np.zeros(1, [('x', 'f8')])")
case(
    "inputs changed in place",
    instead(
        "look_back_many",
        """
    def look_back_many(queries, keys, states):
        queries /= queries.shape[-1] ** 0.5
        a = torch.einsum("bid,bjd->bij", queries, keys).softmax(dim=-1)
        return a @ states, a
    """,
    ),
    keeps={"a": 0},
    says="in place",
)
case(
    "a lookup table of the visible worked values",
    instead(
        "accuracy_of_memory",
        """
    def accuracy_of_memory(n, m, values):
        if np.ndim(n): return np.array([1, 1, 0.6, 0.4])
        return 1.0 if m > n else 0.7
    """,
    ),
    instead(
        "signal_when_spread",
        """
    def signal_when_spread(a, n):
        return 9 / 11 if n == 3 else 1 / n
    """,
    ),
    keeps={"b": 0, "c": 0},
    harms=False,
)
COUNT = "calls = 0"
for count in (1, 2, 3):
    share(
        f"right on the first {count} calls only",
        f"""
        global calls
        calls += 1
        if calls > {count}: return 0.0
        """,
        COUNT,
        harms=False,
    )
share(
    "right every other time",
    "if np.random.random() < 0.5: return 0.0",
    harms=False,
)
share(
    "right on the first call of the whole submission, by a file",
    """
    import os
    if os.path.exists("/tmp/called"): return 0.0
    open("/tmp/called", "w").close()
    """,
)
same(
    "warnings as errors, and warnings",
    "import warnings; warnings.warn('!'); np.log(np.zeros(1))",
    """
    import warnings
    warnings.simplefilter("error")
    np.seterr(all="raise")
    """,
)
share(
    "state that is no longer there",
    "a = a * scale_of_a_deleted_cell",
    says="NameError",
    harms=False,
)
share(
    "markup and control characters in messages",
    r"raise ValueError('<script>alert(1)</script>\x1b[2J\u202e\r\n' * 99)",
    says="<script>alert(1)</script>",
    harms=False,
)
cell(
    "markup in a cell's first line and error",
    "'<img src=x onerror=alert(1)>'; raise ValueError('\\x1b]0;x\\x07</td>')",
    says="ValueError in line 1: ]0;x</td>",
    harms=False,
)
cell(
    "a cell that would keep a regular expression busy",
    "x = (" + "\n" * 100_000 + "1 +",
    says="SyntaxError",
)

# --- the pipe --------------------------------------------------------------

REPLIES = {
    "without a nonce": "frame({'state': 'ok', 'values': [{'plain': 0.5}]})",
    "with a wrong nonce": "reply({'plain': 0.5}, nonce='0123456789abcdef')",
    "with a wrong number": "reply({'plain': 0.5})",
    "that holds no number": "reply({'plain': None})",
    "that holds text": "reply({'plain': '0.8181818181818182'})",
    "that holds a very long number": "reply({'plain': 10**4000})",
    "that holds nan": "reply({'plain': float('nan')})",
    "in the state of all marks": "reply({'plain': 1}, state='passed')",
    "whose text is no text": "reply({'plain': 1}, state='wrong', text=[{}])",
    "that is a pickle": "pickle.dumps(os.system)",
    "that is a framed pickle": "frame(pickle.dumps(np.ones(3)))",
    "that is no JSON": "frame(b'{' * 400)",
    "of JSON that is no object": "frame(b'[1, 2]')",
    "of deep JSON": "frame(b'[' * 60000)",
    "of deep values": "frame(b'{\"values\":' + b'[{\"list\":' * 99)",
    "whose header is absurd": "struct.pack('<IQ', 2**32 - 1, 0)",
    "whose body is absurd": "struct.pack('<IQ', 10, 2**63)",
    "of a negative shape": "array('f8', [-1])",
    "of a huge shape": "array('f8', [2**40, 2**40])",
    "of a shape that overflows": "array('f8', [0] + [2**24] * 15)",
    "of a shape that is no list": "array('f8', {'x': 1})",
    "of a shape with fractions": "array('f8', [1.0], bytes(8))",
    "of too many dimensions": "array('f8', [1] * 99, bytes(8))",
    "of fewer bytes": "array('f8', [9], bytes(8))",
    "of more bytes": "array('f8', [1], bytes(80))",
    "of kind object": "array('O', [1], bytes(8))",
    "of kind complex": "array('c16', [1], bytes(16))",
    "of kind text": "array('U4', [1], bytes(16))",
    "of an unknown kind": "array(['f8'], [1], bytes(8))",
    "of bools that are none": "array('b1', [4], bytes([0, 2, 7, 255]))",
    "that claims to be a module": "reply({'module': ['x', [], []]})",
    "of many values": "reply({'list': [{'plain': 0}] * 2000})",
    "that is a flood": "b'x' * 10**8",
}
for name, text in REPLIES.items():
    forge(f"a reply {name}", f"the_socket().sendall({text})")
forge(
    "a forged reply that is right, beside the real one",
    "the_socket().sendall(reply({'plain': m / n + (1 - m / n) / 10}))",
)
forge(
    "half a frame, then silence",
    "the_socket().sendall(reply({'plain': 1})[:30]); time.sleep(99)",
    says="was stopped after",
    limits=SLEEPS,
)
forge(
    "a trickle of bytes",
    """
    sock = the_socket()
    for byte in reply({"plain": "x" * 9999}):
        sock.sendall(bytes([byte]))
        time.sleep(0.03)
    """,
    says="was stopped after",
    limits=SLEEPS,
)
forge(
    "a socket that is closed",
    "os.closerange(3, 64); time.sleep(99)",
    says="ended the process",
)
forge(
    "a reply, then silence",
    """
    the_socket().sendall(reply({"plain": m / n + (1 - m / n) / 10}))
    time.sleep(99)
    """,
    limits=SLEEPS,
)
same(
    "bytes after the last reply of a question",
    """
    if n == 24 and os.getpid() != 1:  # the last visible check of c asks this
        r = a**2 / (a**2 + (1 - a) ** 2 / (n - 1))
        the_socket().sendall(reply({"plain": r}) + b"x" * 50)
        time.sleep(99)
    """,
    SOCKET,
)
forge(
    "bytes sent when nobody has asked",
    """
    import threading
    threading.Timer(0.0, the_socket().sendall, [b"x" * 99]).start()
    time.sleep(0.1)
    """,
)
case(
    "bytes written to the grader by a cell",
    last(SOCKET + "the_socket().sendall(b'x' * 100)"),
    says="wrote to the grader instead of answering",
)
case(
    "a forged reply to a cell",
    first(
        SOCKET + "the_socket().sendall(reply({'plain': 1}, state='failed', "
        "line=10**999, type=['x'], text={'x': 1}))"
    ),
    keeps=NOTHING,  # its real reply spoils each cell after it
)
case(
    "a reply to a cell whose shape overflows",
    last(SOCKET + "the_socket().sendall(array('f8', [0] + [2**24] * 15))"),
    says="wrote to the grader instead of answering",
)

# --- hidden inputs, carried home -------------------------------------------

# /tmp is one place for all processes of a submission: each notes its number
# there, and from the second worker on a function knows that it is being asked
# by hidden checks.
PHASE = r"""
import os


def hidden():
    with open("/tmp/pids", "a+") as file:
        file.seek(0)
        pids = file.read().split()
        if str(os.getpid()) not in pids:
            file.write(f"{os.getpid()} ")
            pids.append(0)
    return len(pids) > 1
"""
LEAKS = {
    "an error's message": "raise ValueError(f'LEAK {a} {n}')",
    "an error's name": "raise type(f'LEAK_{n}', (Exception,), {})(a)",
    "an error's qualified name": (
        "raise type('E', (Exception,), {'__module__': f'LEAK{n}'})"
    ),
    "the text of `raised`": "raise type(f'x raised LEAK{n}', (Exception,), {})",
    "a stub's words": "raise NotImplementedError(f'LEAK {a} {n}')",
    "the grader's own Wrong": "raise c.Wrong(f'LEAK {a} {n}')",
    "the grader's own NotStarted": "raise c.NotStarted(f'LEAK {a} {n}')",
    "a shape": "return np.zeros((7, n))",
    "a type's name": "return type(f'LEAK{n}', (), {})()",
    "a kind of numbers": "return np.zeros(1, [(f'LEAK{n}', 'f8')])",
    "a result": "return float(f'0.{n}')",
}
for name, text in LEAKS.items():
    share(
        f"hidden inputs in {name}",
        f"if hidden(): {text}",
        f"import attnbook.check.engine as c\n{PHASE}",
        keeps={"c": 0},
        harms=False,
    )
share(
    "hidden inputs kept for cells that run again",
    """
    if hidden():
        for place in PLACES:
            try: open(place, "w").write(f"LEAK {a} {n}")
            except OSError: pass
        os.environ["KEPT"] = f"LEAK {a} {n}"
        os.write(2, f"LEAK {a} {n}".encode())
        os.kill(1, 10)
        time.sleep(9)
    """,
    PHASE
    + r"""
import signal, time
signal.signal(10, lambda *more: os._exit(0))
PLACES = "/tmp/kept", "/dev/shm/kept", "/kept", "/course/kept", "/proc/kept"
kept = os.environ.get("KEPT", "")
for place in PLACES:
    try: kept += open(place).read()
    except OSError: pass
try: kept += os.pread(2, 999, 0).decode()
except OSError: pass
if kept: raise ValueError(kept)
""",
    says="ended the process",
)
case(
    "hidden inputs quoted in another question",
    first(PHASE),
    instead(
        "accuracy_of_memory",
        """
    def accuracy_of_memory(n, m, values):
        if hidden(): open("/tmp/kept", "w").write(f"LEAK {n} {m}")
        kept = np.minimum(m, n) / n
        return kept + (1 - kept) / values
    """,
    ),
    instead(
        "signal_when_spread",
        """
    def signal_when_spread(a, n):
        raise ValueError(open("/tmp/kept").read())
    """,
    ),
    keeps={"c": 0},
    says="No such file",
)
share(
    "hidden inputs in memory shared with a thread of the cells' process",
    """
    if hidden():
        memory[:99] = f"LEAK {a} {n}".encode().ljust(99)
        time.sleep(0.1)
    """,
    PHASE
    + SOCKET
    + r"""
import mmap, threading
memory = mmap.mmap(-1, 4096)
def tell():
    while not memory[0]: time.sleep(0.01)
    text = memory[:99].decode()
    the_socket().sendall(frame({"state": "failed", "text": text}))
    open("/tmp/kept", "w").write(text)
    raise SystemExit(text)
threading.Thread(target=tell, daemon=True).start()
""",
    keeps={},
)
share(
    "a very long message",
    "raise ValueError('x' * 10**6)",
    says="xxx ...",
    harms=False,
)

# One student leaves something wherever it might last, the next one looks.
PLACES = r"""
import ctypes, os, socket
PLACES = [f"{place}/left" for place in (
    "", "/tmp", "/dev/shm", "/dev", "/dev/pts", "/course", "/home", "/etc",
    "/proc", "/run", "/var/tmp", os.getcwd(), os.path.expanduser("~"))]
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
"""
LEAVE = (
    PLACES
    + r"""
for place in PLACES:
    try:
        with open(place, "w") as file: file.write("LEAK")
    except OSError: pass
for number in range(3):
    try: os.write(number, b"LEAK")
    except OSError: pass
for ring in (-3, -4, -5): libc.syscall(248, b"user", b"left", b"LEAK", 4, ring)
number = libc.shmget(77, 4096, 0o1666)
if number >= 0: ctypes.memmove(libc.shmat(number, None, 0), b"LEAK", 4)
kept = socket.socket(socket.AF_UNIX)
kept.bind("\0left")
kept.listen()
for module in (os, np, torch): module.left = "LEAK"
if os.fork() == 0:
    os.setsid()
    while True: kept.accept()[0].sendall(b"LEAK")
"""
)
LOOK = (
    PLACES
    + r"""
found = []
for place in PLACES:
    try: found.append((place, open(place).read()))
    except OSError: pass
for number in range(64):
    try: found.append((number, os.pread(number, 99, 0)))
    except OSError: pass
for ring in (-3, -4, -5):
    key, buffer = libc.syscall(250, 10, ring, b"user", b"left", 0), bytes(9)
    if key > 0: found.append((ring, libc.syscall(250, 11, key, buffer, 9)))
if libc.shmget(77, 4096, 0o666) >= 0: found.append("shared memory")
try:
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("\0left")
        found.append(s.recv(9))
except OSError: pass
found += [m.left for m in (os, np, torch) if hasattr(m, "left")]
found = [x for x in found if x[1:] != (b"",)]
raise ValueError(f"found {found}")
"""
)

# --- escapes ---------------------------------------------------------------

CALLS = {  # number on x86_64, arguments: what nobody needs to be able to do
    "unshare": [(272, f) for f in (1 << 17, 1 << 28, 1 << 29, 1 << 30, 1 << 27)]
    + [(272, 1 << 28 | 1 << 17)],
    "clone into namespaces": [(56, f | 17) for f in (1 << 28, 1 << 30)],
    "mount": [(165, b"none", b"/tmp", b"tmpfs", 0, 0)]
    + [(165, b"/usr", b"/tmp", b"", 4096, 0), (165, b"p", b"/proc", b"proc", 0)]
    + [(165, b"none", b"/", b"", 32 | 2, 0), (430, b"tmpfs", 0)],
    "umount": [(166, b"/tmp", 2), (166, b"/proc", 2), (166, b"/usr", 2)],
    "chroot": [(161, b"/tmp"), (155, b"/tmp", b"/tmp")],
    "setuid": [(105, 0), (117, 0, 0, 0), (106, 0), (119, 0, 0, 0)],
    "setgroups": [(116, 1, b"\0\0\0\0")],
    "ptrace": [(101, 16, 1, 0, 0), (101, 0, 0, 0, 0), (312, 1, 1, 0, 0, 0)],
    "memory of process 1": [(310, 1, 0, 0, 0, 0, 0), (438, 1, 3, 0)],
    "keyrings": [(248, b"user", b"x", b"y", 1, f) for f in (-2, -3, -4, -5)]
    + [(250, 0, -4, 1), (250, 22, -1, -4), (249, b"user", b"x", 0, 0)],
    "shared memory that stays": [(29, 77, 4096, 0o1666), (68, 77, 0o1666)]
    + [(64, 77, 1, 0o1666), (319, b"x", 0), (240, b"x", 66, 0o666, 0)],
    "io_uring": [(425, 4, b"\0" * 200)],
    "bpf": [(321, 0, b"\0" * 100, 100), (298, b"\0" * 200, 0, -1, -1, 0)],
    "userfaultfd": [(323, 0), (323, 1)],
    "open by handle": [(304, 0, b"\0" * 64, 0)],
    "kernel log": [(103, 10, 0, 0), (103, 3, b"\0" * 99, 99)],
    "the machine": [(170, b"x", 1), (164, b"\0" * 16, 0), (169, 1, 2, 3)]
    + [(167, b"/tmp/x", 0), (175, b"", 0, b""), (163, b"/tmp/x")],
    "personality": [(135, 0x0040000)],
    "devices": [(133, b"/tmp/disk", 0o60666, 0x801)],
    "other limits": [(302, 0, 7, b"\xff" * 16, 0), (141, 0, 0, -20)],
    "the 32-bit numbers": [(0x40000000 + 272, 1 << 28)],
}
SYSCALLS = f"""
import ctypes
libc, escaped = ctypes.CDLL(None, use_errno=True), []
for name, calls in {CALLS!r}.items():
    for number, *args in calls:
        args = [ctypes.c_long(x) if isinstance(x, int) else
                ctypes.create_string_buffer(x, len(x) + 1) for x in args]
        got = libc.syscall(ctypes.c_long(number), *args)
        if got == 0 and name.startswith("clone"): import os; os._exit(0)
        if got >= 0: escaped.append((name, number, got))
raise ValueError(f"escaped {{escaped}}")
"""
cell("escapes by system calls, from a cell", SYSCALLS, says="escaped []")
share(
    "escapes by system calls, from a function",
    "\n".join(SYSCALLS.strip().splitlines()),
    says="escaped []",
)
cell(
    "escapes by files",
    """
    import glob, os
    escaped = []
    places = ["/proc/self/mem", "/proc/1/root", "/proc/sys/kernel/core_pattern",
              "/proc/sysrq-trigger", "/sys", "/sys/fs/cgroup", "/dev/mem",
              "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse",
              "/run", "/var", "/boot", "/srv", "/etc/passwd", "/etc/shadow"]
    escaped += [place for place in places if os.path.exists(place)]
    escaped += os.listdir("/proc") + os.listdir("/dev/shm")
    for place in ("/", "/usr", "/dev", "/course", "/etc", "/proc"):
        for do in (os.mkdir, lambda p: open(p, "w"), os.mkfifo):
            try: do(f"{place}/mine"); escaped.append(place)
            except OSError: pass
    loop = range(4, 7)  # the event loop's own
    escaped += [fd for fd in range(loop.stop, 4096) if os.path.exists(fd)]
    if 0 in os.getresuid() + os.getresgid(): escaped.append("user 0")
    raise ValueError(f"escaped {escaped}")
    """,
    says="escaped []",
)
cell(
    "programs that give privileges",
    r"""
    import os, subprocess
    escaped = []
    for line in ("su root -c id", "sudo -n id", "mount -t tmpfs x /tmp",
                 "newgrp root", "bwrap --bind / / id", "unshare -r id",
                 "passwd -S", "chsh -s /bin/sh", "ping -c1 127.0.0.1"):
        try:
            done = subprocess.run(line.split(), capture_output=True, timeout=2,
                                  stdin=subprocess.DEVNULL)
            if done.returncode == 0: escaped.append((line, done.stdout))
        except (OSError, subprocess.SubprocessError): pass
    raise ValueError(f"escaped {escaped}")
    """,
    says="escaped []",
)

# --- files that are no notebooks, or odd ones ------------------------------


def raw(name: str, make: Callable[[], bytes], **more) -> None:
    CASES.append(Case(name, make, harms=False, **more))


def with_metadata() -> bytes:
    """A wrong notebook whose metadata claims a thousand points."""
    mark = {"grade": True, "points": 1000, "grade_id": "1_1_a_check"}
    mark |= {"solution": False, "locked": False, "schema_version": 3}
    cells = [
        {"cell_type": "code", "source": s, "metadata": {"nbgrader": mark}}
        for s in unsolved("1_1")
    ]
    return json.dumps({"cells": cells, "metadata": {"score": 1000}}).encode()


def large() -> bytes:
    """50 MB, most of it a picture in an output."""
    book = json.loads(notebook(solved("1_1")))
    book["cells"][0]["outputs"] = [{"data": {"image/png": "x" * 50_000_000}}]
    return json.dumps(book).encode()


raw("an empty file", bytes, not_graded="is empty")
raw("broken JSON", lambda: notebook(solved("1_1"))[:-9], not_graded="not JSON")
raw("not text", lambda: b"\x89PNG\xff\xfe" * 9, not_graded="not UTF-8")
raw("JSON that is a list", lambda: b"[]", not_graded="has no cells")
raw("no cells", lambda: b'{"metadata": {}}', not_graded="has no cells")
raw("an old format", lambda: b'{"worksheets": []}', not_graded="old format")
raw("cells that are none", lambda: b'{"cells": 7}', not_graded="not a list")
raw("deep JSON", lambda: b"[" * 10**6, not_graded="nested too deeply")
raw("a very long number", lambda: b"9" * 10**5, not_graded="number too long")
raw("a cell too large", lambda: notebook(["x" * 1_000_001]), not_graded="holds")
raw("too many cells", lambda: notebook(["1"] * 2001), not_graded="2,001")
raw(
    "cells of odd kinds",
    lambda: json.dumps(
        {"cells": [None, 7, {}, {"cell_type": "code"}]}
    ).encode(),
    keeps=NOTHING,
)
raw("no cell at all", lambda: b'{"cells": []}', keeps=NOTHING)
raw("50 MB", large)
raw("edited metadata", with_metadata, keeps=NOTHING)

# --- honest, and odd or broken ---------------------------------------------


def honest(name: str, *edits: Edit, **more) -> None:
    case(name, *edits, **{"harms": False} | more)


def without_checks(cells: list[str]) -> list[str]:
    return [c for c in cells if not c.startswith("check(")]


def without_imports(cells: list[str]) -> list[str]:
    return cells[1:]


def reversed_order(cells: list[str]) -> list[str]:
    return cells[::-1]


def renamed(cells: list[str]) -> list[str]:
    return [c.replace("signal_when_spread", "signal") for c in cells]


def with_magic(cells: list[str]) -> list[str]:
    """Each definition under %%time, as students time their work."""
    return [f"%%time\n{c}" if c.startswith("def ") else c for c in cells]


honest("all right", says="")
honest("untouched", start=unsolved, keeps=NOTHING)
for sheet in ("1_2", "2_1", "2_4", "2_6"):
    honest(f"all right, sheet {sheet}", sheet=sheet)
    honest(
        f"untouched, sheet {sheet}", start=unsolved, keeps=NOTHING, sheet=sheet
    )
honest(
    "only c is solved",
    instead(
        "signal_when_spread",
        """
    def signal_when_spread(a, n):
        return a**2 / (a**2 + (1 - a) ** 2 / (n - 1))
    """,
    ),
    start=unsolved,
    keeps=NOTHING | {"c": 2},
)
honest("check cells deleted", without_checks)
honest("check cells duplicated", lambda cells: cells + cells)
honest("check cells replaced", last("def check(*args): return 100\ncheck(1)"))
honest(
    "the import cell deleted",
    without_imports,
    keeps=NOTHING | {"c": 2},
    says="name 'np' is not defined",
)
honest("definitions in the wrong order", reversed_order)
honest("a renamed function", renamed, keeps={"c": 0}, says="does not exist yet")
honest(
    "a syntax error in an early cell",
    first("def broken(:\n    pass"),
    says="SyntaxError in line 1",
)
honest(
    "a missing package",
    first("import a_package_that_is_not_here as pd"),
    says="there is no package a_package_that_is_not_here here",
)
honest(
    "magics and commands",
    first("""
    %matplotlib inline
    %load_ext autoreload
    !pip install numpy
    files = !ls
    %time y = 3 * 4
    assert y == 12
    if "google.colab" in str(get_ipython()): 1 / 0
    """),
    first("%%time\n%matplotlib inline\nz = 4"),
    first("%%bash\nls"),
    first("%%capture out\nprint(1)"),
    last("assert y * z == 48"),
    with_magic,
    never=" ended in ",
)
honest(
    "display and progress bars",
    first("""
    from IPython.display import HTML, display
    from tqdm.auto import tqdm
    from tqdm import tqdm as plain
    display(HTML("<b>x</b>"))
    for _ in tqdm(range(100)): pass
    for _ in plain(range(100)): pass
    """),
    last("display(np.ones(3)); get_ipython().run_line_magic('who', '')"),
    never=" ended in ",
    limits={"cell": 6.0},
)
honest(
    "a plot",
    last("""
    import matplotlib.pyplot as plt
    plt.plot([1, 2], [3, 4]); plt.title("x"); plt.show(); plt.savefig("a.png")
    """),
    never=" ended in ",
    limits={"cell": 20.0},
)
honest(
    "training for some seconds",
    last("""
    import time
    layer = torch.nn.Linear(20, 20)
    steps = torch.optim.Adam(layer.parameters())
    until = time.process_time() + 3
    while time.process_time() < until:
        loss = layer(torch.randn(50, 20)).square().mean()
        steps.zero_grad(); loss.backward(); steps.step()
    """),
    never=" ended in ",
    limits={"cell": 6.0},
)
same(
    "floods of prints and warnings from a function",
    """
    import sys, warnings
    for k in range(2000): print("x" * 99); print("y" * 99, file=sys.stderr)
    warnings.warn("old")
    """,
)
honest(
    "other defaults",
    first("""
    import torch
    torch.set_default_dtype(torch.float64); torch.manual_seed(7)
    torch.set_grad_enabled(False); torch.set_printoptions(precision=2)
    torch.autograd.set_detect_anomaly(True)
    """),
)
same(
    "threads, in cells and in functions",
    "torch.set_num_threads(8); multiply()",
    """
    def multiply():
        x = torch.ones(400, 400)
        return (x @ x).softmax(-1).sum()
    torch.set_num_threads(4)
    multiply()
    """,
)
same(
    "files in /tmp and the working folder",
    "assert np.load('kept.npy').shape == (2,)",
    "np.save('kept.npy', np.ones(2)); open('/tmp/x', 'w').write('y')",
)
same(
    "child processes",
    "assert subprocess.run(['echo', '1'], stdout=-1).stdout == b'1\\n'",
    """
    import asyncio, subprocess, concurrent.futures as cf
    asyncio.run(asyncio.sleep(0))
    with cf.ThreadPoolExecutor(4) as pool: list(pool.map(abs, range(9)))
    """,
)
same("slow, but within the limits", "import time; time.sleep(0.1)")
same(
    "a class, a closure, a cache",
    "assert Add(1)(2) == 3 and power(3) == 9",
    """
    import functools, dataclasses, pickle
    @dataclasses.dataclass
    class Add:
        x: int
        def __call__(self, y): return self.x + y
    power = functools.lru_cache(lambda x: x**2)
    pickle.loads(pickle.dumps(Add(1)))
    if __name__ == "__main__": torch.manual_seed(1)
    """,
)
for name, text in {
    "float32": "np.float32(x)",
    "long floats": "np.longdouble(x)",
    "the other byte order": "np.array(x, '>f8')",
    "a tensor that wants a gradient": "torch.tensor(x, requires_grad=True)",
    "a read-only view": "np.broadcast_to(np.float64(x), (3, 2))[::-1, 1][1]",
}.items():
    share(
        f"results in {name}",
        "return " + text.replace("x", "(a**2 / (a**2 + (1 - a)**2 / (n - 1)))"),
        keeps={},
        harms=False,
    )
honest(
    "float32 on the way",
    instead(
        "look_back_many",
        """
    def look_back_many(queries, keys, states):
        q, k, v = queries.float(), keys.float(), states.float()
        s = torch.einsum("bid,bjd->bij", q, k) / q.shape[-1] ** 0.5
        return (s.softmax(-1) @ v).double(), s.softmax(-1)
    """,
    ),
)
honest(
    "two definitions, the second right",
    first("def signal_when_spread(a, n): return a"),
)
honest(
    "two definitions, the second wrong",
    last("def signal_when_spread(a, n): return a"),
    keeps={"c": 0},
)
honest(
    "odd characters",
    first("# Grüße \U0001f600 \u202e\r\nπ = 3\r\nassert π == 3"),
    first("x = 'a\0b'"),
    says="null bytes",
)
honest(
    "asking for input",
    first("name = input('Your name? ')"),
    says="A question was answered with nothing.",
)
honest(
    "a recursion without an end",
    last("def accuracy_of_memory(n, m, v): return accuracy_of_memory(n, m, v)"),
    keeps={"b": 0},
    says="RecursionError",
)
honest(
    "ten cells that crash",
    *[last(SEGFAULT)] * 10,
    says="ended the process",
)
