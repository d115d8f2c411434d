"""What was not tested stands in the table; what does not fails the run."""

import os
import re
import subprocess
import sys

import pytest

from tests import skip_table
from tests.needs import NEEDS, PACKAGES, needs, reason
from tools.notebooks import ROOT

ANY = """
import pytest
from tests.needs import needs, skip, NEEDS

@needs("bubblewrap", "Linux")
@pytest.mark.parametrize("n", range(3))
def test_marked(n): pass

def test_found_out(): skip("a sandbox that starts", "no namespaces: \\u00e9")

@pytest.mark.xfail
def test_expected_to_fail(): assert False

def test_passes(): pass
"""


def pytest_run(folder, *words):
    """pytest where no program is found."""
    code = (
        "import sys, shutil; shutil.which = lambda *_, **__: None; "
        "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "-p", "tests.skip_table", "-q"]
    return subprocess.run(
        [*command, *words],
        cwd=folder,
        capture_output=True,
        encoding="utf8",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "test_any.py").write_text(ANY, "utf8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf8")
    return tmp_path


def test_a_run_ends_with_the_table(folder):
    done = pytest_run(folder)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    start = next(k for k, x in enumerate(lines) if "not tested on" in x)
    assert [" ".join(x.split()) for x in lines[start + 1 : -1]] == [
        "tests need this would change it",
        "3 bubblewrap apt install bubblewrap",
        "1 a sandbox that starts .venv/bin/attnbook preflight, which says "
        "what to do",
        "(no namespaces: é)",
        "Only these again: .venv/bin/python -m tools.test --skipped",
    ]
    assert "1 passed, 4 skipped, 1 xfailed" in lines[-1]
    again = pytest_run(folder, "--skipped")
    assert "4 skipped, 2 deselected" in again.stdout.splitlines()[-1]


def test_a_skip_that_is_not_in_the_list_fails_also_in_workers(folder):
    text = "import pytest\ndef test_it(): pytest.skip('not today')\n"
    (folder / "test_other.py").write_text(text, "utf8")
    text = "import pytest\npytest.importorskip('no_such_package')\n"
    (folder / "test_whole.py").write_text(text, "utf8")
    done = pytest_run(folder, "-n", "2")
    assert done.returncode == 1
    said = "skipped for a reason that tests/needs.py does not list"
    assert f"FAILED test_other.py::test_it: {said}" in done.stdout
    assert f"FAILED test_whole.py: {said}" in done.stdout


def test_reasons_are_told_apart():
    split = skip_table.split
    assert split(f"Skipped: {reason('Chromium')}") == ("Chromium", "")
    assert split(reason("root", "a: b")) == ("root", "a: b")
    assert split("Skipped: needs luck")[0] == ""
    assert skip_table.table([]) == []


def test_every_need_can_be_asked_for_and_says_what_to_do():
    quick = [need for name, need in NEEDS.items() if name != "no GPU"]
    assert all(isinstance(need.here(), bool) for need in quick)
    assert all(need.change for need in NEEDS.values())
    assert "'.[test]'" in PACKAGES
    assert needs("Linux").args[0] is not NEEDS["Linux"].here()


def test_no_file_skips_without_naming_a_need():
    """Seen here already where nothing is lacking."""
    free = re.compile(r"pytest\.(skip|importorskip|mark\.skipif)\(")
    own = {"needs.py", "test_skip_table.py"}
    files = (p for p in (ROOT / "tests").glob("*.py") if p.name not in own)
    assert [p.name for p in files if free.search(p.read_text("utf8"))] == []
