"""From inside the sandbox: a process locks itself in, for good.

`bwrap` gave the worker a read-only system, no network and its own process
numbers. Each submission gets fresh namespaces on top, an empty /tmp and no
/proc, and keeps no privilege at all. Linux only, by system calls that Python
does not wrap.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator
from glob import escape, glob

NEWNS, NEWUTS, NEWIPC, NEWPID = 0x20000, 0x4000000, 0x8000000, 0x20000000
NEWNET = 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, BIND = 1, 2, 4, 8, 0x1000
REC, PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = (
    1,
    4,
    22,
    24,
)
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 38, 39, 47
PR_GET_SECCOMP, PR_CAPBSET_READ = 21, 23
CAPABILITY_VERSION = 0x20080522
NOBODY = 65534

libc = ctypes.CDLL(None, use_errno=True)


def must(result: int, what: str) -> int:
    """The result of a system call; OSError that says what failed."""
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def prctl(option: int, *values) -> int:
    numbers = [*map(ctypes.c_ulong, values)] + [ctypes.c_ulong(0)] * 4
    return libc.prctl(option, *numbers[:4])


@contextlib.contextmanager
def new_process_numbers() -> Iterator[None]:
    """A child that is forked meanwhile is process 1 of its own numbering."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:
        must(libc.unshare(NEWPID), "new process numbers")
        yield
        must(libc.setns(own, NEWPID), "old process numbers")
    finally:
        os.close(own)


def new_network() -> None:
    """Nothing is connected to it, not even by sockets without a file."""
    must(libc.unshare(NEWNET), "a new network")


def end_with_parent() -> None:
    """Killed when its parent ends; to be said after privileges changed."""
    must(prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "to end with the parent")


def mount(kind: bytes, place: bytes, flags: int, data: bytes | None) -> None:
    must(libc.mount(kind, place, kind, flags, data), f"mount {place.decode()}")


def own_files(size: int) -> None:
    """An empty /tmp of `size` bytes, an empty /dev/shm of half as many, for
    processes that compute together, an empty /proc; nothing is shared."""
    must(libc.unshare(NEWNS | NEWIPC | NEWUTS), "new namespaces")
    must(libc.mount(b"none", b"/", None, REC | PRIVATE, None), "private mounts")
    safe = NOSUID | NODEV | NOEXEC
    room = f"size={size},nr_inodes=4096,mode=1777".encode()
    mount(b"tmpfs", b"/tmp", safe, room)
    room = f"size={size // 2},nr_inodes=1024,mode=1777".encode()
    mount(b"tmpfs", b"/dev/shm", safe, room)
    mount(b"tmpfs", b"/proc", safe | RDONLY, b"size=4k,mode=555")


def withhold(package: str, files: dict[str, str]) -> None:
    """Put these texts in place of files of a package, wherever Python would
    find it, and nothing in place of what was compiled from them. Needs an
    own /tmp, and leaves nothing there."""
    for name, text in files.items():
        source = "/tmp/withheld"
        with open(source, "w", encoding="utf8") as file:
            file.write(text)
        os.chmod(source, 0o444)
        for place in sys.path:
            module = os.path.join(place, package, name)
            if os.path.isfile(module):
                bind(source, module)
            folder, file = os.path.split(module)
            compiled = os.path.join(folder, "__pycache__", file[:-3])
            for path in glob(f"{escape(compiled)}.*"):
                bind("/dev/null", path)
        os.unlink(source)


def bind(source: str, place: str) -> None:
    ends = os.fsencode(source), os.fsencode(place)
    must(libc.mount(*ends, None, BIND, None), f"mount over {place}")


def bound(limits: dict) -> None:
    """Resource limits by their name such as NOFILE: a number that cannot be
    raised again, or a pair of numbers, up to the second of which it can."""
    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name}")
        pair = value if isinstance(value, list) else [value, value]
        hard = resource.getrlimit(number)[1]
        if hard != resource.RLIM_INFINITY:
            pair = [min(x, hard) for x in pair]
        resource.setrlimit(number, tuple(pair))


def address_space() -> int:
    """Bytes of address space that this process has now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


class CapHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class Caps(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint32) for n in ("held", "allowed", "inherited")]


def capabilities(new: int | None = None) -> int:
    """Set all three sets to `new` if given; what is held or allowed now."""
    head, sets = CapHeader(CAPABILITY_VERSION, 0), (Caps * 2)()
    if new is not None:
        for part in sets:
            part.held = part.allowed = part.inherited = new
        must(libc.capset(ctypes.byref(head), sets), "capset")
    must(libc.capget(ctypes.byref(head), sets), "capget")
    low, high = (p.held | p.allowed | p.inherited for p in sets)
    return low | high << 32


def drop_privileges(uid: int) -> None:
    """No capability, no way back to one; a foreign uid if we were root."""
    for number in range(64):
        if prctl(PR_CAPBSET_DROP, number) < 0:
            break
    if os.getuid() == 0:
        os.setgroups([])
        try:
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        except OSError:  # a container that maps few user numbers
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    prctl(PR_CAP_AMBIENT, 4)  # clear all
    capabilities(0)
    must(prctl(PR_SET_NO_NEW_PRIVS, 1), "no_new_privs")
    must(prctl(PR_SET_DUMPABLE, 0), "not dumpable")


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def forbid(filter_code: bytes) -> None:
    """Install a seccomp filter (see `seccomp.seccomp_filter`)."""
    code = ctypes.create_string_buffer(filter_code, len(filter_code))
    program = Program(len(filter_code) // 8, ctypes.addressof(code))
    mode = 2  # SECCOMP_MODE_FILTER
    must(prctl(PR_SET_SECCOMP, mode, ctypes.addressof(program)), "seccomp")


def state() -> dict:
    """What is left: the grader refuses to go on unless it is nothing."""
    return {
        "uids": sorted({*os.getresuid(), *os.getresgid()}),
        "capabilities": capabilities(),
        "bounding": sum(prctl(PR_CAPBSET_READ, n) == 1 for n in range(64)),
        "no_new_privs": prctl(PR_GET_NO_NEW_PRIVS),
        "seccomp": prctl(PR_GET_SECCOMP),
        "pid": os.getpid(),
        "proc": len(os.listdir("/proc")),
    }
