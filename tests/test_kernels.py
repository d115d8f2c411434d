"""What a user has set for other work changes no output of a notebook."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import kernels
from tools.notebooks import ROOT

# A cell, and what it prints where nobody has set anything.
CELLS = {
    "1\n2": "2",  # one value: ast_node_interactivity is its default
    "import sys; print('noise', file=sys.stderr)": None,
    "import warnings; warnings.warn('one of a third party')": None,
    "import logging; logging.warning('a font cache is built')": None,
    "import sys; sys.flags.utf8_mode, sys.flags.optimize": "(1, 0)",
    "open('any.txt', 'w').encoding.lower()": "'utf-8'",
    "import locale; locale.setlocale(locale.LC_ALL, '')": "'C.UTF-8'",
    "'started' in globals()": "False",
    "import matplotlib; matplotlib.rcParams['figure.dpi']": "100.0",
    "'inline' in matplotlib.get_backend()": "True",
    "from matplotlib import font_manager\n"
    "all('mpl-data' in f.fname for f in font_manager.fontManager.ttflist)": (
        "True"
    ),
    "import os; os.path.isdir(matplotlib.get_configdir())": "True",
    "'MKL_NUM_THREADS' in os.environ": "False",
}


def notebook(folder: Path) -> Path:
    cells = []
    for count, (source, value) in enumerate(CELLS.items(), 1):
        cell = new_code_cell(source, execution_count=count)
        if value:
            shown = {"data": {"text/plain": value}, "execution_count": count}
            cell.outputs = [new_output("execute_result", **shown)]
        cells.append(cell)
    path = folder / "noise.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def noisy_user(home: Path) -> dict[str, str]:
    """The environment of someone with settings of every kind."""
    profile = home / ".ipython" / "profile_default"
    (profile / "startup").mkdir(parents=True)
    setting = "c = get_config()\nc.InteractiveShell.ast_node_interactivity"
    (profile / "ipython_config.py").write_text(f"{setting} = 'all'\n", "utf8")
    (profile / "startup" / "0.py").write_text("started = 1\n", "utf8")
    spec = home / ".local/share/jupyter/kernels/python3"
    spec.mkdir(parents=True)
    argv = {"argv": ["/bin/false"], "display_name": "x", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(argv), "utf8")
    style = home / ".config" / "matplotlib"
    style.mkdir(parents=True)
    (style / "matplotlibrc").write_text("figure.dpi: 33\n", "utf8")
    (home / "matplotlibrc").write_text("figure.dpi: 34\n", "utf8")
    (home / "start.py").write_text("started = 2\n", "utf8")
    return {
        "HOME": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "JUPYTER_PATH": str(home / ".local/share/jupyter"),
        "LC_ALL": "C",
        "LANG": "de_DE",
        "MATPLOTLIBRC": str(home / "matplotlibrc"),
        "MKL_NUM_THREADS": "2",
        "MPLBACKEND": "pdf",
        "PYTHONOPTIMIZE": "1",
        "PYTHONSTARTUP": str(home / "start.py"),
        "PYTHONUTF8": "0",
        "PYTHONWARNINGS": "error",
    }


def users() -> dict[str, str]:
    """This process's environment as it was before kernels were prepared."""
    own = {*kernels.CLEAN, *kernels.PRIVATE, kernels.FOLDER}
    return {k: v for k, v in os.environ.items() if k not in own}


def nbval(path: Path, environment: dict) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", "-p", "conftest"]
    command += ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "-p", "no:xdist", path.name],
        cwd=path.parent,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf8",
    )


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_settings_of_a_user_change_nothing(tmp_path, home):
    done = nbval(notebook(tmp_path), users() | noisy_user(home))
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{len(CELLS)} passed" in done.stdout


def test_without_a_home_only_a_wrong_value_is_seen(tmp_path):
    path = notebook(tmp_path)
    path.write_text(path.read_text("utf8").replace("100.0", "99.0"), "utf8")
    done = nbval(path, users() | {"HOME": "/proc/nowhere"})
    assert done.returncode == 1
    assert f"1 failed, {len(CELLS) - 1} passed" in done.stdout, done.stdout


def test_what_stays_of_the_environment():
    given = {"PATH": "p", "PYTHONPATH": "q", "PYTHONHASHSEED": "1", "LC_X": "y"}
    made = kernels.clean(given, "/f")
    assert (made["PATH"], made["PYTHONPATH"]) == ("p", "q")
    assert not {"PYTHONHASHSEED", "LC_X"} & made.keys()
    assert made["MPLCONFIGDIR"] == os.path.join("/f", "mplconfigdir")


def test_the_private_folder_is_one_and_goes_with_its_process():
    code = (
        "import os\nfrom tools import kernels\nkernels.prepare()\n"
        "first = os.environ[kernels.FOLDER]\nkernels.prepare()\n"
        "assert os.environ[kernels.FOLDER] == first\nprint(first)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=users(),
        cwd=ROOT,
        capture_output=True,
        encoding="utf8",
    )
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).exists()
