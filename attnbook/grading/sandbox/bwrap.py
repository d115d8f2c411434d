"""What bubblewrap is told: which walls there are, and what is inside."""

import atexit
import functools
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

READ_ONLY = ("--remount-ro", "/")  # the last thing that bubblewrap does
CONTAINER = "attnbook/grading/Dockerfile has a container recipe"
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
    package = for_everyone(Path(__file__).resolve().parents[2])
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
