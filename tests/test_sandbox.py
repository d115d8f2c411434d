"""The walls around students' code, one by one.

Each wall has a probe, a piece of code that tries what the wall forbids. A
second test takes the wall away and expects the probe to notice: so a flag
that is dropped, or a step that is forgotten, fails here.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from attnbook.grading.course import Course
from attnbook.grading.grader import Grader
from attnbook.grading.limits import MIB, Limits
from attnbook.grading.model import Submission
from attnbook.grading.sandbox import bwrap, process
from attnbook.grading.sandbox.bwrap import READ_ONLY, bwrap_flags, explain
from attnbook.grading.sandbox.process import FIRST_UID, Sandbox, SandboxError
from tests.needs import needs, skip, skip_without_sandbox
from tools.notebooks import ROOT

AS_ROOT = os.getuid() == 0
REHEARSE = Sandbox.rehearse
LIMITS = Limits(cell=2, call=1, question=2, files=8 * MIB)
SECRET = "OF_THE_INSTRUCTOR"
only_root = needs("root")
only_user = needs("a normal user")


@pytest.fixture(scope="module")
def works():
    """A whole sandbox; if there can be none here, the reason for skipping."""
    sandbox = Sandbox(LIMITS)
    try:
        sandbox.start()
    except SandboxError as reason:
        skip_without_sandbox(reason)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="module")
def whole(works):
    """All walls but seccomp, which would hide some of the others; with the
    instructor's environment around them."""
    os.environ[SECRET] = "1"
    with Sandbox(LIMITS, seccomp=b"") as sandbox:
        yield sandbox
    del os.environ[SECRET]


NO_TORCH = """
import sys, unittest.mock
sys.modules[__name__] = unittest.mock.MagicMock()
"""


@pytest.fixture
def quick(works, monkeypatch, tmp_path):
    """Sandboxes of this test start without torch, and do not rehearse."""
    path = tmp_path / "torch.py"
    path.write_text(NO_TORCH)
    files = [
        *bwrap.bwrap_files(),
        ("--ro-bind", str(path), "/course/torch.py"),
    ]
    monkeypatch.setattr(bwrap, "bwrap_files", lambda: files)
    monkeypatch.setattr(Sandbox, "rehearse", lambda self: None)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)


def see(sandbox: Sandbox, source: str, look=None):
    """What this code, run as a student's cell, leaves in `seen`; or what
    `look(sandbox)` returns while the student's process is there."""
    base = sandbox.open(0)
    try:
        text = f"{source}\nimport json\nraise ValueError(json.dumps(seen))"
        reply, _ = base.ask({"number": 1, "source": text}, (), 9, 9)
        assert reply["type"] == "ValueError", reply
        return look(sandbox) if look else json.loads(reply["text"])
    finally:
        base.end()


# --- what is seen through the walls -----------------------------------------


def status(process: psutil.Process, key: str) -> str:
    """A line of what the kernel says about a process."""
    for line in (
        Path(f"/proc/{process.pid}/status").read_text("utf8").splitlines()
    ):
        name, _, value = line.partition(":")
        if name == key:
            return value.strip()
    raise KeyError(key)


def namespace(process: psutil.Process | None, kind: str) -> int:
    who = process.pid if process else "self"
    return os.stat(f"/proc/{who}/ns/{kind}").st_ino


def shared(kind: str):
    """Does the clean parent share this namespace with us?"""

    def look(sandbox):
        return namespace(sandbox.parent, kind) == namespace(None, kind)

    return look


def errno_of(path: str) -> str:
    return f"""
import errno
try: open({path!r}, "w"); seen = "written"
except OSError as error: seen = errno.errorcode[error.errno]
"""


HOST = """
import socket
seen = []
for kind, place in ((socket.AF_INET, ("127.0.0.1", PORT)),
                    (socket.AF_UNIX, "\\0attnbook-test-PORT")):
    try:
        with socket.socket(kind) as s: s.connect(place); seen.append(place)
    except OSError: pass
"""


@pytest.fixture(scope="module")
def host():
    """A probe that reaches for a listening port of this machine's loopback
    interface, and for a local socket without a file."""
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    local = socket.socket(socket.AF_UNIX)
    local.bind(f"\0attnbook-test-{port}")
    local.listen()
    yield HOST.replace("PORT", str(port))
    tcp.close()
    local.close()


def survives(sandbox: Sandbox) -> bool:
    """Does the clean parent live on after bubblewrap?"""
    sandbox.process.kill()
    sandbox.process.wait()
    try:
        sandbox.parent.wait(2)
        return False
    except psutil.TimeoutExpired:
        sandbox.parent.kill()
        return True


def powers(sandbox: Sandbox) -> set[int]:
    """The capabilities of the clean parent."""
    bits = int(status(sandbox.parent, "CapPrm"), 16)
    return {number for number in range(64) if bits >> number & 1}


KILL, SETGID, SETUID, SETPCAP, SYS_ADMIN = 5, 6, 7, 8, 21
NEEDED = {SETPCAP, SYS_ADMIN} | ({KILL, SETGID, SETUID} if AS_ROOT else set())
NAME, ENVIRON = (
    "import os; seen = os.uname()[1]",
    "import os; seen = {!r} in os.environ",
)
NEW_USER = """
import ctypes
seen = ctypes.CDLL(None).unshare(0x10000000)
"""
NOTHING = "seen = 0"

# flag: source of a cell, look from outside, what is seen with the flag
PROBES = {
    ("--unshare-pid",): (NOTHING, shared("pid"), False),
    ("--unshare-net",): (HOST, None, []),
    ("--unshare-ipc",): (NOTHING, shared("ipc"), False),
    ("--unshare-uts",): (NOTHING, shared("uts"), False),
    ("--unshare-cgroup-try",): (NOTHING, shared("cgroup"), False),
    ("--die-with-parent",): (None, survives, False),
    ("--new-session",): (
        NOTHING,
        lambda s: os.getsid(s.parent.pid) == os.getsid(0),
        False,
    ),
    ("--as-pid-1",): (
        NOTHING,
        lambda s: status(s.parent, "NSpid").split()[-1],
        "1",
    ),
    ("--hostname", "sandbox"): (NAME, None, "sandbox"),
    ("--clearenv",): (ENVIRON.format(SECRET), None, False),
    ("--cap-drop", "ALL"): (NOTHING, powers, NEEDED),
    ("--remount-ro", "/dev"): (errno_of("/dev/x"), None, "EROFS"),
    READ_ONLY: (errno_of("/x"), None, "EROFS"),
    ("--disable-userns",): (NEW_USER, None, -1),
}
NEEDS = {  # flags that cannot be there without another one
    ("--unshare-pid",): [("--as-pid-1",)],
    ("--unshare-uts",): [("--hostname", "sandbox")],
}
# Without these the sandbox says that it does not work, and nothing is run.
LOUD = [
    ("--cap-add", "CAP_SYS_ADMIN"),
    ("--cap-add", "CAP_SETPCAP"),
    ("--cap-add", "CAP_SETUID"),
    ("--cap-add", "CAP_SETGID"),
    ("--cap-add", "CAP_KILL"),
    ("--tmpfs", "/tmp"),
    ("--proc", "/proc"),
    ("--dev", "/dev"),
]
SILENT = [("--unshare-user",)]  # what bubblewrap does for users in any case
FLAGS = bwrap_flags(AS_ROOT)
PROBED = [flag for flag in FLAGS if flag in PROBES]


def named(flag: tuple[str, ...]) -> str:
    return " ".join(flag)


def test_every_flag_has_a_probe():
    for root in (True, False):
        known = [*PROBES, *LOUD, *SILENT]
        assert set(bwrap_flags(root)) <= set(known)
    assert FLAGS[-1] != READ_ONLY or FLAGS.count(READ_ONLY) == 1


def observe(sandbox, flag, host):
    source, look, expected = PROBES[flag]
    source = host if source is HOST else source
    seen = see(sandbox, source, look) if source else look(sandbox)
    return seen, expected


@pytest.mark.parametrize("flag", PROBED, ids=named)
def test_the_wall_stands(whole, host, flag):
    if flag == ("--die-with-parent",):
        with Sandbox(LIMITS, seccomp=b"", check=False) as sandbox:
            assert survives(sandbox) is False
        return
    seen, expected = observe(whole, flag, host)
    assert seen == expected


@pytest.mark.parametrize("flag", PROBED, ids=named)
def test_the_probe_notices_that_the_flag_is_missing(
    quick, monkeypatch, host, flag
):
    if not AS_ROOT and flag == ("--cap-drop", "ALL"):
        skip("root", "bubblewrap drops a user's capabilities in any case")
    monkeypatch.setenv(SECRET, "1")
    without = {flag, *NEEDS.get(flag, [])}
    flags = [f for f in FLAGS if f not in without]
    sandbox = Sandbox(LIMITS, flags=flags, check=False, seccomp=b"")
    try:
        sandbox.start()
        seen, expected = observe(sandbox, flag, host)
    except SandboxError:  # it does not work without, which is noticed too
        return
    finally:
        sandbox.close()
    assert seen != expected


@pytest.mark.parametrize("flag", [f for f in FLAGS if f in LOUD], ids=named)
def test_without_this_flag_nothing_is_run(quick, flag):
    flags = [f for f in FLAGS if f != flag]
    with pytest.raises(SandboxError), Sandbox(LIMITS, flags=flags) as sandbox:
        sandbox.open(0).end()


# --- how a submission locks itself in ----------------------------------------

PRCTL = """
import ctypes
def prctl(*args):
    args = [ctypes.c_ulong(x) for x in (*args, 0, 0, 0, 0)[:5]]
    return ctypes.CDLL(None).prctl(*args)
"""
RLIMITS = """
import resource
names = "NPROC FSIZE NOFILE CORE MSGQUEUE MEMLOCK".split()
seen = [resource.getrlimit(getattr(resource, "RLIMIT_" + x)) for x in names]
seen = [list(x) for x in seen]
seen += [resource.getrlimit(resource.RLIMIT_AS)[1] < 2**40]
"""
ROOM = """
import os
room = os.statvfs("/tmp")
seen = [room.f_blocks * room.f_frsize, room.f_files, room.f_flag & 0xf]
try: open("/tmp/x", "w").close()
except OSError: seen = "not writable"
"""
SEGMENT = """
import ctypes
libc = ctypes.CDLL(None)
seen = libc.shmget(77, 4096, 0o666) >= 0
libc.shmget(77, 4096, 0o1666)
"""
OPEN = """
import os, stat
seen = []
for number in range(256):
    try: mode = os.fstat(number)
    except OSError: continue
    null = mode.st_rdev == os.stat("/dev/null").st_rdev
    seen.append("null" if null else "socket" if stat.S_ISSOCK(mode.st_mode)
                else "another")
"""
CAPGET = """
import ctypes
head, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
ctypes.CDLL(None).capget(head, sets)
seen = list(sets)
"""
MODE = "import os; os.close(os.open('x', os.O_CREAT | os.O_RDWR, 0o666))\n"
MODE += "seen = os.stat('x').st_mode & 0o777"
NOSUID_NODEV_NOEXEC = 0xE


def user_numbers(sandbox: Sandbox) -> bool:
    """As this machine counts them: is any real, effective, saved or file
    system's number root's, or any group?"""
    numbers = {
        int(n)
        for process in sandbox.processes()
        for key in ("Uid", "Gid", "Groups")
        for n in status(process, key).split()
    }
    assert sandbox.processes()
    if AS_ROOT:
        return not all(FIRST_UID <= n < 2**31 for n in numbers)
    return 0 in numbers


def different(kind: str):
    """Does a submission share this namespace with the clean parent?"""

    def look(sandbox):
        (base,) = sandbox.processes()
        return namespace(base, kind) == namespace(sandbox.parent, kind)

    return look


def killed_first(sandbox: Sandbox) -> str:
    (base,) = sandbox.processes()
    return Path(f"/proc/{base.pid}/oom_score_adj").read_text("utf8").strip()


# wall: source, look from outside, what is seen, and the change to a file of
# the package that takes the wall away
STEPS = {
    "a user number of its own": (
        NOTHING,
        user_numbers,
        False,
        ("jail.py", "if os.getuid() == 0:", "if False:"),
    ),
    "no capability": (
        CAPGET,
        None,
        [0] * 6,
        ("jail.py", "    capabilities(0)\n", ""),
    ),
    "none that could come back": (
        f"{PRCTL}seen = sum(prctl(23, n) == 1 for n in range(64))",
        None,
        0,
        ("jail.py", "for number in range(64):", "for number in ():"),
    ),
    "no new privileges": (
        f"{PRCTL}seen = prctl(39)",
        None,
        1,
        ("jail.py", "must(prctl(PR_SET_NO_NEW_PRIVS, 1)", "must(prctl(3)"),
    ),
    "no dumps": (
        f"{PRCTL}seen = prctl(3)",
        None,
        0,
        ("jail.py", "must(prctl(PR_SET_DUMPABLE, 0)", "must(prctl(3)"),
    ),
    "resource limits": (
        RLIMITS,
        None,
        [[32, 34], [8 * MIB] * 2, [64, 64], [0, 0], [0, 0], [0, 0], True],
        ("inside.py", "jail.bound(", "str("),
    ),
    "a small /tmp of its own": (
        ROOM,
        None,
        [8 * MIB, 4096, NOSUID_NODEV_NOEXEC],
        ("jail.py", 'mount(b"tmpfs", b"/tmp"', "str(0) or str(0"),
    ),
    "an empty /proc": (
        "import os; seen = os.listdir('/proc')",
        None,
        [],
        ("jail.py", 'mount(b"tmpfs", b"/proc"', "str(0) or str(0"),
    ),
    "shared memory of its own": (
        SEGMENT,
        different("ipc"),
        False,
        ("jail.py", "NEWNS | NEWIPC", "NEWNS"),
    ),
    "a host name of its own": (
        NOTHING,
        different("uts"),
        False,
        ("jail.py", "NEWIPC | NEWUTS", "NEWIPC"),
    ),
    "process numbers of its own": (
        "import os; seen = os.getpid()",
        None,
        1,
        ("jail.py", "must(libc.unshare(NEWPID)", "must(0"),
    ),
    "nothing open but the socket, and what its event loop opened": (
        OPEN,
        None,
        ["null", "null", "null", "socket", "another", "socket", "socket"],
        ("inside.py", "        os.dup2(null, number)", "        pass"),
    ),
    "files for itself only": (
        MODE,
        None,
        0o600,
        ("inside.py", "os.umask(0o077)", "os.umask(0)"),
    ),
    "the first to go when memory is short": (
        NOTHING,
        killed_first,
        "1000",
        ("inside.py", 'file.write("1000")', 'file.write("0")'),
    ),
}


# Steps that another wall makes true as well, so that no probe can tell.
ALSO = {"no new privileges": "bubblewrap gives no new privileges either"}
if AS_ROOT:
    lost = "root loses this when it becomes another user"
    ALSO |= {"no capability": lost, "no dumps": lost}
else:
    ALSO["a user number of its own"] = "a user is not root in any case"


def without_step(monkeypatch, folder: Path, name: str, old: str, new: str):
    """From now on sandboxes run a package with this change."""
    package = folder / "attnbook"
    ignore = shutil.ignore_patterns("data", "__pycache__")
    shutil.copytree(ROOT / "attnbook", package, ignore=ignore)
    path = package / "grading/sandbox" / name
    text = path.read_text()
    assert text.count(old) == 1, f"{name} has no longer one {old!r}"
    path.write_text(text.replace(old, new))
    files = [f for f in bwrap.bwrap_files() if f[-1] != bwrap.PACKAGE]
    files.append(("--ro-bind", str(package), bwrap.PACKAGE))
    monkeypatch.setattr(bwrap, "bwrap_files", lambda: files)


@pytest.mark.parametrize("step", STEPS)
def test_a_submission_is_locked_in(whole, step):
    source, look, expected, _ = STEPS[step]
    assert see(whole, source, look) == expected


@pytest.mark.parametrize("step", [s for s in STEPS if s not in ALSO])
def test_the_probe_notices_that_the_step_is_missing(
    quick, monkeypatch, tmp_path, step
):
    source, look, expected, change = STEPS[step]
    without_step(monkeypatch, tmp_path, *change)
    sandbox = Sandbox(LIMITS, check=False, seccomp=b"")
    try:
        assert see(sandbox, source, look) != expected
    finally:
        sandbox.close()


UNSAFE = ["a user number of its own", "none that could come back"]
UNSAFE += ["no capability", "an empty /proc", "process numbers of its own"]


@pytest.mark.parametrize("step", [s for s in UNSAFE if s not in ALSO])
def test_the_grader_refuses_to_run_anything_then(
    quick, monkeypatch, tmp_path, step
):
    without_step(monkeypatch, tmp_path, *STEPS[step][3])
    with Sandbox(LIMITS) as sandbox:
        with pytest.raises(SandboxError, match="does not hold"):
            sandbox.open(0)


def test_one_submission_does_not_see_the_shared_memory_of_another(whole):
    assert [see(whole, SEGMENT) for _ in range(2)] == [False, False]


def test_submissions_have_different_user_numbers(whole):
    source = "import os; seen = [*os.getresuid(), *os.getresgid()]"
    numbers = [see(whole, source) for _ in range(2)]
    assert all(len(set(mine)) == 1 for mine in numbers) or not AS_ROOT
    assert (numbers[0] != numbers[1]) == AS_ROOT


CALLS = """
import ctypes, errno, os
libc, seen = ctypes.CDLL(None, use_errno=True), {}
def call(name, number, *args):
    got = libc.syscall(number, *map(ctypes.c_long, args))
    seen[name] = "done" if got >= 0 else errno.errorcode[ctypes.get_errno()]
x86 = os.uname().machine == "x86_64"
call("keyctl", 250 if x86 else 219, 0, -3, 1)
call("memfd_create", 319 if x86 else 279, 0, 0)
call("shmget", 29 if x86 else 194, 5, 4096, 0o1600)
call("unshare", 272 if x86 else 97, 0x10000000)
call("io_uring", 425, 0, 0)
call("bpf", 321 if x86 else 280, 0, 0, 0)
call("ptrace", 101 if x86 else 117, 0, 0, 0, 0)
call("clone3", 435, 0, 0)
call("TCP", 41 if x86 else 198, 2, 1, 0)
call("netlink", 41 if x86 else 198, 16, 3, 0)
call("local", 41 if x86 else 198, 1, 1, 0)
call("pair of no local ones", 53 if x86 else 199, 30, 1, 0, 0)
"""
if os.uname().machine == "x86_64":
    CALLS += 'call("other numbers", 0x40000000 + 39)\n'
REFUSED = ["keyctl", "memfd_create", "shmget", "unshare", "io_uring", "bpf"]
REFUSED += ["ptrace", "TCP", "netlink", "pair of no local ones"]


@needs("x86_64 or aarch64")
def test_seccomp_refuses_what_no_exercise_needs(works, whole):
    bare, seen = see(whole, CALLS), see(works, CALLS)
    assert seen["local"] == bare["local"] == "done"
    assert seen["clone3"] == "ENOSYS" != bare["clone3"]
    assert {seen[name] for name in REFUSED} == {"EPERM"}
    assert all(bare[name] != "EPERM" for name in ("memfd_create", "shmget"))
    assert bare["TCP"] == "done"


def test_seccomp_allows_what_runs_now(works):
    """Threads, child processes, an event loop, files, pipes, maps."""
    source = """
import asyncio, mmap, os, select, subprocess, tempfile, threading
asyncio.run(asyncio.sleep(0))
thread = threading.Thread(target=int); thread.start(); thread.join()
mmap.mmap(-1, 4096).close()
with tempfile.TemporaryFile() as file: file.write(b"x")
seen = subprocess.run(["echo", "1"], stdout=-1, text=True).stdout
"""
    assert see(works, source) == "1\n"


# --- when the sandbox itself fails -------------------------------------------


def grader(sandbox: Sandbox) -> Grader:
    return Grader(Course(ROOT), sandbox, 1)


def submission(*more: str) -> Submission:
    path = next(ROOT.glob("solutions/*/1_1_*.ipynb"))
    book = json.loads(path.read_text())
    book["cells"] += [{"cell_type": "code", "source": s} for s in more]
    return Submission("eve", "1_1", "x", json.dumps(book).encode())


SLOW = """
def signal_when_spread(a, n):
    import time
    time.sleep(0.6)
    return a**2 / (a**2 + (1 - a) ** 2 / (n - 1))
"""


@pytest.mark.parametrize("victim", ["bubblewrap", "clean parent", "control"])
def test_the_end_of_the_sandbox_is_no_zero(works, victim):
    """It is an error of the grader's, and the next submission is graded."""
    sandbox, at_work = works, grader(works)

    def end():
        if victim == "bubblewrap":
            sandbox.process.kill()
        elif victim == "clean parent":
            sandbox.parent.kill()
        else:
            sandbox.control.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(0.8, end)
    timer.start()
    with pytest.raises(SandboxError):
        at_work.grade(submission(SLOW))
    timer.join()
    assert at_work.grade(submission()).points == 12


def test_the_end_between_two_submissions_is_noticed_too(works):
    at_work = grader(works)
    assert at_work.grade(submission()).points == 12
    works.parent.kill()
    works.parent.wait(5)
    with pytest.raises(SandboxError):
        at_work.grade(submission())
    assert at_work.grade(submission()).points == 12


def test_a_sandbox_that_does_not_start_again_is_no_zero(works, monkeypatch):
    """Nor is one that fails while a submission's cells run again."""
    text = SLOW.replace("time.sleep(0.6)", "import os; os.kill(1, 10)")
    text += "import os, signal; signal.signal(10, lambda *more: os._exit(0))"
    begin, opened = works.open, []

    def once(seed, withheld):
        opened.append(seed)
        if len(opened) > 1:
            raise SandboxError("not again")
        return begin(seed, withheld)

    monkeypatch.setattr(works, "open", once)
    with pytest.raises(SandboxError, match="not again"):
        grader(works).grade(submission(text))


# --- a sandbox that is forked from another one -------------------------------


@pytest.fixture
def twins(works):
    """Two of one host."""
    pair = [works.twin(), works.twin()]
    for sandbox in pair:
        sandbox.start()
    yield pair
    for sandbox in pair:
        sandbox.close()


@only_root
def test_twins_grade_side_by_side_and_see_nothing_of_each_other(twins):
    """Not even an abstract socket, which needs no file."""
    source = """
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
try: s.{}("\\0here"); seen = "done"
except OSError as error: seen = type(error).__name__
"""
    assert all(sandbox.process is None for sandbox in twins)
    bases = [sandbox.open(0) for sandbox in twins]
    seen = []
    for base, do in zip(bases, ("bind", "connect"), strict=True):
        base.ask({"number": 1, "source": source.format(do)}, (), 9, 9)
        head = {"verb": "value", "name": "seen", "parts": 1, "backend": ""}
        seen += base.fork().ask(head, (), 9, 9)[1]
    kinds = {namespace(s.parent, "net") for s in twins}
    for base in bases:
        base.end()
    assert seen == ["done", "ConnectionRefusedError"]
    assert len(kinds) == 2


def at_work_still(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@only_root
def test_the_end_of_a_host_or_of_a_twin_is_no_zero(works, twins):
    """The twin gets a sandbox without a host; what runs in it has ended."""
    at_work = grader(twins[0])
    base = twins[0].open(0)
    inside = twins[0].processes()
    twins[0].parent.kill()
    until = time.monotonic() + 5
    while any(map(at_work_still, inside)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(at_work_still, inside))
    base.close()
    works.close()
    with pytest.raises(SandboxError):
        at_work.grade(submission())
    assert at_work.grade(submission()).points == 12
    assert twins[0].process


def test_nothing_outlives_a_grader_that_is_killed(works):
    """Not even code that does not want to end."""
    script = (
        "from attnbook.grading.sandbox.process import Sandbox\n"
        "with Sandbox(check=False) as s:\n"
        "    base = s.open(0)\n"
        "    print(s.parent.pid, *[p.pid for p in s.processes()], flush=True)\n"
        "    cell = {'number': 1, 'source': 'while True: pass'}\n"
        "    base.ask(cell, (), 99, 99)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT
    )
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until = time.monotonic() + 5
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, pids))


def test_a_worker_that_cannot_work_is_noticed_before_anyone_is_graded(
    works, quick, monkeypatch, tmp_path
):
    change = "inside.py", "        self.worker = self.fork()", "        return"
    without_step(monkeypatch, tmp_path, *change)
    monkeypatch.setattr(Sandbox, "rehearse", REHEARSE)
    with Sandbox(LIMITS, check=False) as sandbox:
        monkeypatch.setattr(process, "START", 0.5)
        with pytest.raises(SandboxError, match="code that is right"):
            sandbox.rehearse()


def test_without_a_sandbox_code_runs_all_the_same(works):
    """With the caller's rights, which is why the command warns."""
    with Sandbox(LIMITS, isolate=False) as bare:
        result = grader(bare).grade(submission("import os; os.getuid() / 0"))
        assert result.points == 12 and "ZeroDivision" in result.notes[0]
        assert bare.processes() == []


def test_a_course_that_students_could_read_is_refused(monkeypatch):
    files = [*bwrap.bwrap_files(), ("--ro-bind", str(ROOT.parent), "/x")]
    monkeypatch.setattr(bwrap, "bwrap_files", lambda: files)
    with pytest.raises(SandboxError, match="students' code could read"):
        grader(Sandbox())


@pytest.mark.parametrize("layout", ["venv", "conda", "system"])
def test_an_environment_in_the_working_folder_shows_nothing_else(
    monkeypatch, tmp_path, layout
):
    """`python -m venv .` beside the submissions, or a whole Python there."""
    for name in ("bin", "lib/python3/site-packages", "in", "grades/state"):
        (tmp_path / name).mkdir(parents=True)
    here = str(tmp_path)
    if layout == "venv":
        library = f"{here}/lib/python3/site-packages"
        monkeypatch.setattr(bwrap.sysconfig, "get_path", lambda k: library)
    if layout != "venv":
        monkeypatch.setattr(sys, "base_prefix", here)
    if layout != "system":
        monkeypatch.setattr(sys, "prefix", here)
    for name in ("in/ann.ipynb", "grades/run.json", "solutions"):
        assert bwrap.exposed(tmp_path / name) is None
    assert bwrap.exposed(tmp_path / "lib/python3/site-packages/torch")


def test_the_course_is_not_in_the_sandbox(whole):
    assert not bwrap.exposed(ROOT / "solutions")
    names = [str(ROOT / "solutions"), str(Path.home() / ".bashrc"), "/root"]
    source = f"import os; seen = [x for x in {names} if os.path.isfile(x)]"
    assert see(whole, source) == []


# --- sentences for instructors ------------------------------------------------


def refusal() -> str:
    with pytest.raises(SandboxError) as error:
        Sandbox().start()
    text = str(error.value)
    assert "\n" not in text, text
    return text


def test_no_bubblewrap(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "apt install bubblewrap" in refusal()


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_no_linux(monkeypatch, system):
    monkeypatch.setattr(sys, "platform", system)
    assert "grading needs Linux" in refusal()


USERS, PRIVILEGED = "user.max_user_namespaces", "--privileged"
SAID = {
    "bwrap: No permissions to create new namespace, likely because the kernel "
    "does not allow non-privileged user namespaces. On e.g. debian this can "
    "be enabled with 'sysctl kernel.unprivileged_userns_clone=1'.": USERS,
    "bwrap: Creating new namespace failed: Operation not permitted": USERS,
    "bwrap: Creating new namespace failed: No space left on device": USERS,
    "bwrap: setting up uid map: Permission denied": USERS,
    "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted": USERS,
    "bwrap: Can't mount proc on /newroot/proc: Operation not permitted": (
        PRIVILEGED
    ),
    "bwrap: Unknown option --disable-userns": "older than 0.8",
    "bwrap: execvp /course/venv/bin/python: No such file or directory": (
        "Dockerfile"
    ),
    "Traceback (most recent call last):\nModuleNotFoundError: No module "
    "named 'torch'": "the sandbox's Python does not start: ModuleNotFoundError",
}


@pytest.mark.parametrize("said", SAID, ids=lambda text: text[:50])
def test_what_bubblewrap_says_becomes_advice(monkeypatch, tmp_path, said):
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    script = tmp_path / "bwrap"
    script.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    text = refusal()
    assert SAID[said] in text
    assert said.splitlines()[-1].rstrip(".") in text


def test_root_is_not_told_to_be_root(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    text = explain(
        "bwrap: Creating new namespace failed: Operation not permitted"
    )
    assert "as root" not in text and PRIVILEGED in text


def test_a_bubblewrap_that_hangs(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "START", 0.3)
    script = tmp_path / "bwrap"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert "does not answer" in refusal()


# --- the same as a normal user ----------------------------------------------


def run_as(user: pwd.struct_passwd, command: list[str], folder: Path):
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(
        command,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd=folder,
        env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def folder():
    """Where another user may go too, as into none of pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="attnbook-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@only_root
def test_all_of_this_as_a_normal_user(folder):
    """UNPRIVILEGED_PYTHON may name a Python that such a user can run."""
    names = [name for name in ("student", "nobody") if known(name)]
    if not names:
        skip("a Python for other users", "no user is called student or nobody")
    user = pwd.getpwnam(names[0])
    python = os.environ.get("UNPRIVILEGED_PYTHON", sys.executable)
    probe = [python, "-c", "import torch, psutil, pytest, nbformat"]
    try:
        if run_as(user, probe, folder).returncode:
            raise OSError
    except OSError:
        why = f"{user.pw_name} cannot run {python} with torch"
        skip("a Python for other users", why)
    ignore = shutil.ignore_patterns("__pycache__", "data")
    for name in ("attnbook", "solutions", "exercises", "tools", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, folder / name)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", "-rs"]
    command += [f"--basetemp={folder}/tmp", "tests/test_sandbox.py"]
    done = run_as(user, command, folder)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout


def known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
        return True
    except KeyError:
        return False
