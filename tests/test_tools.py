"""The maintainers' commands on bad input: one sentence, nothing lost."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import run
from tools.notebooks import ROOT, find


def tool(*words):
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["tools.run", "tools.claims"])
def test_unknown_chapter(name):
    done = tool(name, "9_9")
    assert done.returncode == 1
    assert done.stderr.strip().startswith(
        "There is no notebook 9_9; there are:"
    )
    assert "Traceback" not in done.stderr


def test_a_notebook_that_fails_is_named_and_left_alone(tmp_path):
    path = tmp_path / "broken.ipynb"
    cells = [new_code_cell("x = 1"), new_code_cell("x / 0")]
    nbformat.write(new_notebook(cells=cells), path)
    before = path.read_bytes()
    result = run.execute(path)
    assert result == {
        "failed": "cell 2 ends in ZeroDivisionError: division by zero"
    }
    assert path.read_bytes() == before


def test_a_dead_kernel_and_a_broken_file_are_named(tmp_path):
    dead, broken = tmp_path / "dead.ipynb", tmp_path / "broken.ipynb"
    cells = [new_code_cell("import os; os._exit(1)")]
    nbformat.write(new_notebook(cells=cells), dead)
    broken.write_text("{ no json")
    assert "the kernel died" in run.execute(dead)["failed"]
    assert "is not a valid notebook" in run.execute(broken)["failed"]


def test_a_cell_over_its_budget_is_named():
    path, slow = Path("1_1_any.ipynb"), {"slowest": 41.0, "cpu": 43.0}
    assert run.over_budget(path, slow) == "a cell takes 41 of 40 CPU s"
    long = {"slowest": 9.0, "cpu": 50.0}
    assert run.over_budget(path, long).startswith("it takes 50 of 45")
    assert not run.over_budget(path, {"slowest": 9.0, "cpu": 33.0})
    assert not run.over_budget(Path("2_5_transformer.ipynb"), long)


def test_tools_outside_the_environment_say_so():
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tools.run"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert "use the course's own environment" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_leaves_no_progress_bar_and_no_time(tmp_path):
    path = tmp_path / "bar.ipynb"
    source = (
        "from attnbook.nn.train import progress\nimport sys\n"
        "for _ in progress(3, 'training'):\n    pass\n"
        "print('noise', file=sys.stderr)\nprint('kept')"
    )
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), path)
    result = run.execute(path)
    assert result["cpu"] > 0
    (cell,) = nbformat.read(path, 4).cells
    assert [o.text for o in cell.outputs] == ["kept\n"]
    assert "execution" not in cell.metadata


def test_no_write_permission(monkeypatch):
    def refuse(**_):
        raise PermissionError

    monkeypatch.setattr(run.tempfile, "TemporaryFile", refuse)
    with pytest.raises(SystemExit, match="give yourself write permission"):
        run.check_place()


def test_a_missing_package_and_an_old_python_are_named():
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "try:\n    import attnbook\n"
        "except ImportError as e:\n    print(e)\n"
        "sys.version_info = (3, 8)\n"
        "try:\n    import attnbook\n"
        "except ImportError as e:\n    print(e)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    missing, old = done.stdout.strip().splitlines()
    assert missing.startswith("attnbook needs torch, which is not installed")
    assert old.startswith("attnbook needs Python 3.11 or newer and this is 3.8")


def test_names_tell_number_and_topic():
    import re

    for path in find(folders=("chapters", "exercises", "solutions")):
        assert re.fullmatch(r"\d_\d_[a-z_]+", path.stem), path.name
