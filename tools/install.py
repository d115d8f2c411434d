"""Make .venv, once, and say in one sentence why that cannot be.

    python3 tools/install.py [--test]

Any Python 3 runs this file, before anything is installed. Installs anew when
what is required has changed, or when the folder was moved or copied: scripts
in .venv name the place where they were made. `--test` adds what only tests
need, once; without a network it says so and leaves it.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ("requirements.txt", "constraints.txt", "pyproject.toml")
CPU_TORCH = "https://download.pytorch.org/whl/cpu"


def stamp(root, version=sys.version_info):
    """What an installation depends on: its place, Python and the packages."""
    content = b"\0".join((root / name).read_bytes() for name in FILES)
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f"{root}\nPython {version[0]}.{version[1]}\n{digest}\n"


def state(text, wanted):
    """Whether the stamp says that all is installed, what it was once or
    that it must be made anew: "ready", "old" or "elsewhere"."""
    if text == wanted:
        return "ready"
    same_place = text.splitlines()[:2] == wanted.splitlines()[:2]
    return "old" if same_place or not text else "elsewhere"


def trouble(root, version, writable=True, has_pip=True):
    """One true sentence why nothing can be installed here, else nothing."""
    if version < (3, 11):
        return (
            "This course needs Python 3.11 or newer, and this is "
            f"{version[0]}.{version[1]}. Name another one: "
            "make PYTHON=python3.12 book"
        )
    if os.pathsep in str(root):
        return (
            f"The folder {root} has a {os.pathsep!r} in its path, with which "
            "Python makes no environment: rename it, or move this folder "
            "elsewhere."
        )
    if not writable:
        return (
            f"No write permission in {root}: work in a copy of this folder "
            "that belongs to you."
        )
    if not has_pip:
        return (
            "This Python cannot make an environment. On Debian and Ubuntu: "
            "apt install python3-venv, then again."
        )
    return ""


def written(path):
    """The file's text, nothing if there is none."""
    return path.read_text("utf8") if path.exists() else ""


def interpreter(root):
    return root / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"


def pip(python, *words, **options):
    return subprocess.call([str(python), "-m", "pip", *words], **options)


def make_environment(root, anew):
    """An environment with pip; its interpreter."""
    clear = ["--clear"] if anew else []
    base = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run(
        [base, "-m", "venv", *clear, str(root / ".venv")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        said = done.stdout.decode("utf8", "replace").strip().splitlines()
        sys.exit(f"Python could not make .venv: {' '.join(said[-1:])}")
    return interpreter(root)


def install(root):
    """All that the course needs; SystemExit with a sentence if it fails."""
    path, wanted = root / ".venv" / "installed", stamp(root)
    found = state(written(path), wanted)
    if path.exists() and not interpreter(root).exists():  # a dangling link
        found = "elsewhere"
    if found == "ready":
        return
    if found == "elsewhere":
        print("This folder was moved or copied, or has another Python now:")
    print("Installing into .venv: a few minutes, once.", flush=True)
    python = make_environment(root, anew=found == "elsewhere")
    pinned = ["install", "--quiet", "-c", "constraints.txt"]
    if sys.platform == "linux":
        one_try = ["--no-deps", "--retries", "0", "--timeout", "30"]
        only = ["--index-url", CPU_TORCH, "torch"]
        if pip(python, *pinned, *one_try, *only, stderr=subprocess.DEVNULL):
            print("No CPU build of torch at hand: taking the default one.")
    if pip(python, *pinned, "-r", "requirements.txt"):
        sys.exit(
            "The installation failed: is the network reachable? Then again: "
            "make book"
        )
    path.write_text(wanted, "utf8")


def install_for_tests(root):
    """What only tests need. True if it is there now."""
    path, wanted = root / ".venv" / "tested", stamp(root)
    if written(path) == wanted:
        return True
    print("Installing what only tests need: a minute, once.", flush=True)
    words = ["install", "--quiet", "--retries", "1", "--timeout", "30"]
    if pip(sys.executable, *words, "-e", ".[test]", "-c", "constraints.txt"):
        print(
            "That could not be installed, perhaps for want of a network: the "
            "table at the end names the tests that need it."
        )
        return False
    path.write_text(wanted, "utf8")
    return True


def main():
    os.chdir(str(ROOT))
    os.umask(0o022)  # the grader's sandbox runs it as another user
    has_pip = importlib.util.find_spec("ensurepip") is not None
    sentence = trouble(
        ROOT, sys.version_info[:2], os.access(str(ROOT), os.W_OK), has_pip
    )
    if sentence:
        sys.exit(sentence)
    if "--test" in sys.argv[1:]:
        install_for_tests(ROOT)
    else:
        install(ROOT)


if __name__ == "__main__":
    main()
