"""Check everything: code, exercises, every number, the book.

    python -m tools.test [--jobs 2] [--skipped]

First what `make book` installed, alone: the form of the files, then every
cell of every course notebook, compared with its stored output. Only then is
installed what only tests need, and the tests run; the last lines say what
could not be tested on this machine, why, and what would change it.
`--skipped` runs only what the last run skipped.
"""

import argparse
import os
import subprocess
import sys

from tools.install import install_for_tests
from tools.notebooks import ROOT, find

PYTEST = ["-m", "pytest", "--dist", "loadscope"]
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
SHEETS = ("chapters", "exercises", "solutions")
NO_TESTS = 5  # pytest's exit code


def code() -> list[str]:
    """The course's own files with code: nothing that lies about besides."""
    hidden = sorted(ROOT.glob("solutions/*/[0-9]_[0-9]_hidden.py"))
    paths = [*hidden, *find(folders=SHEETS)]
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    return ["attnbook", "tools", "tests", "conftest.py", *names]


def checks() -> list[list[str]]:
    """Commands of seconds: on the first that fails the rest is not worth
    its minutes."""
    return [
        ["-m", "ruff", "check", *code()],
        ["-m", "ruff", "format", "--check", *code()],
        ["-m", "tools.derive", "--check"],
        ["-m", "tools.claims", "--check"],
        ["-m", "tools.render", "--check"],
    ]


def notebooks(jobs: str) -> list[str]:
    """The command that runs every cell; sheets have no output to compare."""
    names = [p.relative_to(ROOT).as_posix() for p in find(folders=SHEETS)]
    return [*PYTEST, "-n", jobs, *NBVAL, *names]


def tests(jobs: str, *words: str) -> list[str]:
    return [*PYTEST, "-n", jobs, "--no-loadscope-reorder", *words, "tests"]


def python(words: list[str], offline: bool = False) -> int:
    """Run this Python with these words; its exit code."""
    before = ["-m", "tools.offline", sys.executable] if offline else []
    command = [sys.executable, *before, *words]
    utf8 = {"PYTHONUTF8": "1"}  # whatever the locale
    return subprocess.call(command, cwd=ROOT, env=os.environ | utf8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--skipped", action="store_true")
    options = parser.parse_args()
    if options.skipped:
        install_for_tests(ROOT)
        done = python(tests(options.jobs, "--skipped"))
        sys.exit(0 if done == NO_TESTS else done)
    offline = bool(os.environ.get("CI") or os.environ.get("ATTNBOOK_OFFLINE"))
    for check in checks():
        if failed := python(check, offline):
            sys.exit(failed)
    failed = python(notebooks(options.jobs), offline)
    install_for_tests(ROOT)
    failed = python(tests(options.jobs)) or failed
    sys.exit(failed)


if __name__ == "__main__":
    main()
