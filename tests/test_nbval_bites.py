"""nbval notices: a digit of a stored output, a line of the package."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from tools.notebooks import ROOT, code_cells, read

CHAPTER = "chapters/1_principles/1_2_scores_weights_sum.ipynb"


def nbval(path, **environment):
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env"]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", str(path)]
    return subprocess.run(
        command,
        cwd=path.parent,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def chapter(tmp_path):
    target = tmp_path / "1_2_scores_weights_sum.ipynb"
    shutil.copy(ROOT / CHAPTER, target)
    return target


def test_one_digit_of_a_stored_output(chapter):
    notebook = read(chapter)
    cells = code_cells(notebook)
    cell = next(c for c in cells if "as printed" in str(c.outputs))
    number = cells.index(cell)
    stream = cell.outputs[0]
    changed = stream.text.replace("88.72", "88.73")
    assert changed != stream.text
    stream.text = changed
    nbformat.write(notebook, chapter)
    done = nbval(chapter)
    assert done.returncode == 1
    failed = re.findall(r"^FAILED (.*::Cell \d+)", done.stdout, re.M)
    assert failed == [f"1_2_scores_weights_sum.ipynb::Cell {number}"]


def test_one_line_of_the_package(chapter, tmp_path):
    shutil.copytree(ROOT / "attnbook", tmp_path / "lib" / "attnbook")
    module = tmp_path / "lib" / "attnbook" / "data" / "curve.py"
    text = module.read_text("utf8")
    assert "NOISE = 0.5" in text
    module.write_text(text.replace("NOISE = 0.5", "NOISE = 0.6"))
    done = nbval(chapter, PYTHONPATH=str(tmp_path / "lib"))
    assert done.returncode == 1
    assert "1_2_scores_weights_sum.ipynb::Cell" in done.stdout
