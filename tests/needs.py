"""What a test may need besides the course's own environment.

A test that cannot run here says so by `needs`, `require` or `skip`, with a
name of this list: any other skip makes the run fail (tests/skip_table.py).
"""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from tools.notebooks import ROOT

PACKAGES = ".venv/bin/pip install -e '.[test]' -c constraints.txt"


@dataclass(frozen=True)
class Need:
    """Something that a machine may lack."""

    name: str
    change: str  # the one command, or deed, that brings it
    here: Callable[[], bool]


def program(*names: str) -> Callable[[], bool]:
    return lambda: any(map(shutil.which, names))


def package(name: str) -> Callable[[], bool]:
    return lambda: find_spec(name) is not None


def has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


NEEDS = {
    need.name: need
    for need in (
        Need("bubblewrap", "apt install bubblewrap", program("bwrap")),
        Need(
            "a sandbox that starts",
            ".venv/bin/attnbook preflight, which says what to do",
            program("bwrap"),
        ),
        Need(
            "Chromium",
            "apt install chromium",
            program("chromium", "google-chrome"),
        ),
        Need(
            "PostgreSQL",
            "apt install postgresql",
            lambda: any(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
        ),
        Need("espeak-ng", "apt install espeak-ng", program("espeak-ng")),
        Need("the package distributed", PACKAGES, package("distributed")),
        Need("the package nbgrader", PACKAGES, package("nbgrader")),
        Need("the package playwright", PACKAGES, package("playwright")),
        Need("the package psycopg", PACKAGES, package("psycopg")),
        Need("the package setuptools", PACKAGES, package("setuptools")),
        Need("the package triton", PACKAGES, package("triton")),
        Need(
            "the built book",
            "make book",
            (ROOT / "_build" / "html" / "index.html").exists,
        ),
        Need("root", "run it as root", lambda: os.geteuid() == 0),
        Need(
            "a normal user",
            "run it as a normal user",
            lambda: os.geteuid() != 0,
        ),
        Need(
            "a Python for other users",
            "UNPRIVILEGED_PYTHON=PATH make test, with a Python that student "
            "or nobody can run, and torch in it",
            lambda: False,
        ),
        Need("make", "apt install make", program("make")),
        Need("Linux", "run it on Linux", lambda: sys.platform == "linux"),
        Need(
            "x86_64 or aarch64",
            "run it on such a machine",
            lambda: os.uname().machine in ("x86_64", "aarch64"),
        ),
        Need(
            "no GPU",
            "CUDA_VISIBLE_DEVICES= make test",
            lambda: not has_gpu(),
        ),
    )
}


def reason(name: str, why: object = "") -> str:
    """How a skip names what it needs."""
    return f"needs {NEEDS[name].name}" + (f": {why}" if str(why) else "")


def needs(*names: str):
    """Mark a test, or a file's `pytestmark`, that needs all of these."""
    lacking = [name for name in names if not NEEDS[name].here()]
    return pytest.mark.skipif(
        bool(lacking), reason=reason((lacking or names)[0])
    )


def module(name: str) -> ModuleType | None:
    """It, or None where it is not installed and `needs` skips all its tests."""
    try:
        return import_module(name)
    except ImportError:
        return None


def skip(name: str, why: object = "") -> None:
    """Skip the running test, for it found that this is not here."""
    pytest.skip(reason(name, why))


def require(name: str) -> None:
    """Skip the running test if this is not here."""
    if not NEEDS[name].here():
        skip(name)


def skip_without_sandbox(error: object) -> None:
    """Skip the running test: no sandbox starts, and `error` says why."""
    require("bubblewrap")
    skip("a sandbox that starts", error)
