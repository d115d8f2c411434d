"""A fresh, moved, copied or unsuitable folder: it works, or one sentence."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import needs
from tools import install, test
from tools.install import FILES, stamp, state, trouble
from tools.notebooks import ROOT

NEW = (3, 12)


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "case, says",
    [
        ({"version": (3, 9)}, "needs Python 3.11 or newer, and this is 3.9"),
        ({"root": Path("/a:b/c")}, "has a ':' in its path"),
        ({"writable": False}, "No write permission in /a b/é: work in a copy"),
        ({"has_pip": False}, "apt install python3-venv"),
    ],
)
def test_what_cannot_be_is_one_true_sentence(case, says):
    fine = {"root": Path("/a b/é"), "version": (3, 11)}
    assert trouble(**fine) == ""
    assert says in trouble(**(fine | case))


def test_a_colon_is_named_before_python_refuses_it(tmp_path):
    place = tmp_path / "a:b" / "tools"
    place.mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "install.py", place)
    done = subprocess.run(
        [sys.executable, place / "install.py"],
        capture_output=True,
        encoding="utf8",
    )
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "has a ':' in its path" in done.stderr
    assert "python3-venv" not in done.stderr


def test_a_folder_that_was_moved_or_copied_is_installed_anew(folder):
    here, there = stamp(folder, NEW), stamp(folder, NEW).splitlines()
    there[0] = "/old place"
    assert state(here, here) == "ready"
    assert state("\n".join(there), here) == "elsewhere"
    assert state(stamp(folder, (3, 11)), here) == "elsewhere"
    assert state("", here) == "old"
    (folder / "requirements.txt").write_text("numpy", "utf8")
    assert state(here, stamp(folder, NEW)) == "old"


def test_a_copy_says_so_and_does_not_use_the_old_environment(
    folder, monkeypatch, capsys
):
    asked = []

    def environment(root, anew):
        asked.append((root, anew))
        return "python"

    monkeypatch.setattr(install, "make_environment", environment)
    monkeypatch.setattr(install, "pip", lambda *words, **_: 0)
    old = stamp(folder).replace(str(folder), "/old place")
    (folder / ".venv" / "installed").write_text(old, "utf8")
    (folder / ".venv" / "bin").mkdir()
    (folder / ".venv" / "bin" / "python").write_text("", "utf8")
    install.install(folder)
    assert asked == [(folder, True)]
    assert "was moved or copied" in capsys.readouterr().out
    install.install(folder)  # and once only
    assert len(asked) == 1
    (folder / ".venv" / "bin" / "python").unlink()  # its Python is gone
    install.install(folder)
    assert asked[1:] == [(folder, True)]


def test_without_a_network_tests_go_on(folder, monkeypatch, capsys):
    monkeypatch.setattr(install, "pip", lambda *words, **_: 1)
    assert not install.install_for_tests(folder)
    assert "the table at the end names the tests" in capsys.readouterr().out
    monkeypatch.setattr(install, "pip", lambda *words, **_: 0)
    assert install.install_for_tests(folder)
    monkeypatch.delattr(install, "pip")  # once
    assert install.install_for_tests(folder)


def test_what_only_tests_need_comes_after_the_notebooks(monkeypatch):
    steps = []

    def python(words, offline=False):
        steps.append((words, offline))
        return 0

    monkeypatch.setattr(test, "python", python)
    monkeypatch.setattr(
        test, "install_for_tests", lambda _: steps.append((["extras"], False))
    )
    monkeypatch.setattr(sys, "argv", ["test"])
    monkeypatch.setenv("ATTNBOOK_OFFLINE", "1")
    with pytest.raises(SystemExit) as end:
        test.main()
    assert end.value.code == 0
    extras = steps.index((["extras"], False))
    assert all(offline for _, offline in steps[:extras])
    assert "--nbval" in steps[extras - 1][0]
    assert steps[extras + 1][0][-1] == "tests" and len(steps) == extras + 2


def test_no_persons_notebook_is_named_to_any_tool():
    names = [n for n in test.notebooks("2") if n.endswith(".ipynb")]
    assert len(names) == len(set(names)) >= 60
    assert all(re.fullmatch(r"\w+/\w+/\d_\d_[a-z_]+\.ipynb", n) for n in names)
    assert {n for n in test.code() if n.endswith(".ipynb")} == set(names)


def make(*words, **variables):
    return subprocess.run(
        ["make", "-n", *words],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        encoding="utf8",
    )


@needs("make")
def test_make_names_no_file_of_a_persons_folder():
    """A dependency with a space, # or $ in its name stopped make."""
    text = (ROOT / "Makefile").read_text("utf8")
    assert "$(shell find" not in text
    assert make("book").returncode == 0


def test_ci_begins_with_the_two_commands():
    lines = (ROOT / ".ci" / "run").read_text("utf8").splitlines()
    done = [x for x in lines if re.match(r"make |\.venv/|pip |python3 -m", x)]
    assert done[:2] == ["make book", "make test"]
    assert "tools.claims --verify" in done[-1]


def test_offline_leaves_only_a_loopback():
    code = """if True:
        import socket
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(server.getsockname(), 2).close()
        try:
            socket.create_connection(("192.0.2.1", 9), 0.1)
        except OSError as error:
            print(error.strerror)"""
    done = subprocess.run(
        [sys.executable, "-m", "tools.offline", sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf8",
    )
    assert done.returncode == 0, done.stderr
    if "the network stays" not in done.stderr:
        assert done.stdout == "Network is unreachable\n"
