"""Run a command without any network but its own loopback.

    python -m tools.offline COMMAND ...

In a network namespace of its own, on Linux; where none may be made, it says
so and runs the command as it is. CI builds and re-runs the notebooks so.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

NEW_USER, NEW_NET = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 0x1  # of an interface


def cut() -> bool:
    """From now on this process has only a loopback; False if it may not."""
    user, group = os.getuid(), os.getgid()
    as_root = user == 0
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        return False
    if libc.unshare(NEW_NET if as_root else NEW_USER | NEW_NET):
        return False
    if not as_root:
        own = Path("/proc/self")
        (own / "setgroups").write_text("deny", "utf8")
        (own / "uid_map").write_text(f"{user} {user} 1", "utf8")
        (own / "gid_map").write_text(f"{group} {group} 1", "utf8")
    raise_loopback()
    return True


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        answer = fcntl.ioctl(any_socket, GET_FLAGS, request)
        (flags,) = struct.unpack_from("H", answer, 16)
        request = struct.pack("16sH14x", b"lo", flags | UP)
        fcntl.ioctl(any_socket, SET_FLAGS, request)


def can_cut() -> bool:
    """Tried in a process of its own: half a cut cannot be taken back."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if cut() else 1)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def main() -> None:
    if can_cut():
        cut()
    else:
        print("No namespaces here: the network stays.", file=sys.stderr)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
