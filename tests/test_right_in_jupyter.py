"""A notebook that is right where it was written earns its points here.

Each case is a solved sheet with something in it that works in Jupyter. One
sandbox grades them all.
"""

import json
import os
import subprocess
import sys

import pytest

from attnbook.check import __main__ as command
from attnbook.grading.course import Course
from attnbook.grading.grader import Grader
from attnbook.grading.limits import Limits
from attnbook.grading.model import Submission
from attnbook.grading.sandbox import bwrap
from attnbook.grading.sandbox.process import Sandbox, SandboxError
from attnbook.notebooks.cells import Cell, only_checks
from tests.needs import skip_without_sandbox
from tools.notebooks import ROOT

SHEET = "2_1"


@pytest.fixture(scope="module")
def grade():
    course = Course(ROOT)
    try:
        with Sandbox() as sandbox:
            grader = Grader(course, sandbox, 7)
            yield lambda cells: grader.grade(submission(cells))
    except SandboxError as reason:
        skip_without_sandbox(reason)


def submission(cells: list[dict]) -> Submission:
    data = json.dumps({"cells": cells, "nbformat": 4}).encode()
    return Submission("ann", SHEET, "ann.ipynb", data)


def solved() -> list[dict]:
    path = Course(ROOT).sheet(SHEET).path
    return json.loads(path.read_text("utf8"))["cells"]


def code(source: str) -> dict:
    return {"cell_type": "code", "metadata": {}, "source": source}


def after_imports(*sources: str) -> list[dict]:
    cells = solved()
    first = next(k for k, c in enumerate(cells) if c["cell_type"] == "code")
    new = [code(source) for source in sources]
    return cells[: first + 1] + new + cells[first + 1 :]


def above(name: str, text: str) -> list[dict]:
    """The solved sheet with this above the definition of a function, or, for
    `import`, above the first import."""
    cells = solved()
    head = "import" if name == "import" else f"def {name}("
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and head in source:
            cell["source"] = source.replace(head, f"{text}\n{head}", 1)
            return cells
    raise KeyError(name)


IN_PLACE = {
    "a compiled function": above("cross_attention", "@torch.compile"),
    "a scripted helper": after_imports(
        "@torch.jit.script\ndef twice(x):\n    return x + x"
    ),
    "missing packages": above(
        "import",
        "import einops\nfrom jaxtyping import Float\n"
        "from google.colab import drive\ndrive.mount('/content/drive')\n"
        "import seaborn as sns\nsns.set_theme()",
    ),
    "annotations of a missing package": above(
        "needed_score",
        "from jaxtyping import Float\n"
        "def helper(p: Float[np.ndarray, 'n']) -> Float: return p\n",
    ),
    "magics in the import cell": above(
        "import",
        "from IPython import get_ipython\n"
        "get_ipython().run_line_magic('matplotlib', 'inline')\n"
        "%load_ext autoreload\n%autoreload 2\n!pip install einops",
    ),
    "await": above("needed_score", "import asyncio\nawait asyncio.sleep(0)\n"),
    "a future statement": above("import", "from __future__ import annotations"),
    "a file and its import": after_imports(
        "%%writefile helper.py\nONE = 1",
        "from helper import ONE\nassert ONE == 1",
    ),
    "letters that Latin-1 lacks": above("needed_score", "print('p → β')"),
    "processes": after_imports(
        "from multiprocessing import Pool\nimport math\n"
        "with Pool(2) as pool:\n"
        "    assert pool.map(math.sqrt, [1, 4]) == [1, 2]",
        "from torch.utils.data import DataLoader\n"
        "batches = DataLoader(torch.arange(6), 2, num_workers=2)\n"
        "assert sum(int(b.sum()) for b in batches) == 15",
        "from multiprocessing.shared_memory import SharedMemory\n"
        "part = SharedMemory(create=True, size=9)\npart.close()\n"
        "part.unlink()",
    ),
    "processes that are left open": after_imports(
        "from multiprocessing import Pool\nimport math, os\n"
        "pool = Pool()\nassert pool.map(math.sqrt, [1, 4]) == [1, 2]\n"
        "from torch.utils.data import DataLoader\n"
        "loader = DataLoader(\n    torch.arange(6), 2, num_workers=4, "
        "persistent_workers=True\n)\n"
        "assert sum(int(b.sum()) for b in loader) == 15"
    ),
    "a GPU elsewhere": above(
        "import",
        "import torch\nprint(torch.cuda.get_device_name(0))\n"
        "torch.set_default_device('cuda')",
    ),
    "what asks a person": above(
        "needed_score", "name = input('Your name? ')\nbreakpoint()\n"
    ),
    "figures": after_imports(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    ),
    "a bar": after_imports("from tqdm.auto import tqdm\nlist(tqdm([1]))"),
    "a device": after_imports(
        "device = 'cuda' if torch.cuda.is_available() else 'cpu'\n"
        "torch.ones(1).to(device)"
    ),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_full_points(grade, name):
    result = grade(IN_PLACE[name])
    assert result.points == result.out_of == 12, result.notes
    assert not any("ended in" in note for note in result.notes)


def test_a_missing_package_is_named(grade):
    notes = grade(IN_PLACE["missing packages"]).notes
    assert "there is no package einops here" in notes[0]


def test_an_answer_in_a_cell_of_text_counts_and_is_named(grade):
    cells = solved()
    for cell in cells:
        if "def needed_score(" in "".join(cell["source"]):
            cell["cell_type"] = "markdown"
    result = grade(cells)
    assert result.points == 12
    assert "is a markdown cell; it was run as code." in result.notes[0]


def test_device_of_ones_own_is_explained(grade):
    """What torch says where float64 is not to be had, as on Apple's MPS."""
    cells = above("cross_attention", "")
    for cell in cells:
        if "def cross_attention" in "".join(cell["source"]):
            cell["source"] = (
                "def cross_attention(*args):\n    raise TypeError("
                '"Cannot convert a MPS Tensor to float64 dtype")'
            )
    (question,) = [q for q in grade(cells).questions if q.id == "2_1.a"]
    said = [check.message for check in question.checks]
    assert any("without .to(device)" in text for text in said)


# --- waiting ----------------------------------------------------------------

TIGHT = Limits(cell=0.25, call=0.4, question=2, patience=3)


@pytest.fixture(scope="module")
def tight():
    try:
        with Sandbox(TIGHT) as sandbox:
            grader = Grader(Course(ROOT), sandbox, 7)
            yield lambda cells: grader.grade(submission(cells))
    except SandboxError as reason:
        skip_without_sandbox(reason)


WAITING = {
    "asleep": "import time\ntime.sleep({})",
    "for a command": "!sleep {}",
}


@pytest.mark.parametrize("how", WAITING)
def test_cells_that_wait_cost_no_others(tight, how):
    """Six of them, each for almost as long as a cell may: together they use
    up what the notebook may wait."""
    cells = after_imports(*[WAITING[how].format(0.65)] * 6)
    result = tight(cells)
    assert result.points == 12, result.notes
    assert result.wall_seconds < 1.5 * TIGHT.waiting(5)


def test_a_cell_over_its_limit_costs_what_it_defines_below(tight):
    cells = above("needed_score", "value = 3\nimport time\ntime.sleep(99)")
    cells.append(code("assert value == 3"))
    result = tight(cells)
    lost = {q.id for q in result.questions if q.points < q.out_of}
    assert lost == {"2_1.c"}
    assert len(result.notes) == 1 and "was stopped after" in result.notes[0]


def test_calls_that_wait_are_stopped_soon(tight):
    cells = solved()
    for cell in cells:
        source = "".join(cell["source"])
        if "def needed_score" in source:
            cell["source"] = source.replace(
                "    return", "    __import__('time').sleep(99)\n    return"
            )
    result = tight(cells)
    assert result.points == 10 and result.wall_seconds < 4


# --- where files are not for everyone ---------------------------------------


def test_a_package_that_only_its_owner_can_read_is_copied(tmp_path):
    package = tmp_path / "attnbook"
    (package / "data").mkdir(parents=True)
    (package / "data" / "x.py").write_text("x = 1", "utf8")
    assert bwrap.for_everyone.__wrapped__(package) == package
    (package / "data" / "x.py").chmod(0o600)
    copy = bwrap.for_everyone.__wrapped__(package)
    assert copy != package
    assert (copy / "data" / "x.py").stat().st_mode & 0o777 == 0o644
    (package / "data").chmod(0o700)
    copy = bwrap.for_everyone.__wrapped__(package)
    assert (copy / "data").stat().st_mode & 0o777 == 0o755


# --- the command line -------------------------------------------------------


def test_checks_in_any_locale(tmp_path):
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    path = tmp_path / "2_1 mine é.ipynb"
    cells = IN_PLACE["letters that Latin-1 lacks"]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}), "utf8")
    command = [sys.executable, "-m", "attnbook.check", path]
    done = subprocess.run(
        [*command, "--exercise", "2_1.c"],
        env=os.environ | locale,
        cwd=ROOT,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"All visible checks passed" in done.stdout


CHECKED = {
    'check("2_1.c")': True,
    '# mine\n\ncheck("2_1.c", strict=True)  # at last': True,
    'check("2_1.c")\nx = 1': False,
    'check("2_1.c"); x = 1': False,
    'print(check("2_1.c"))': False,
    "import attnbook.check\nattnbook.check.check( '2_1.c' )": False,
}


@pytest.mark.parametrize("source", CHECKED)
def test_what_else_stands_in_a_cell_that_checks_is_run(source):
    cells = [Cell("code", source)]
    assert command.checked(cells) == ["2_1.c"]
    assert only_checks(source) == CHECKED[source]
    with pytest.raises(ValueError):
        command.checked([Cell("code", '# check("2_1.c")')])
