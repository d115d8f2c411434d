"""Cells mean outside Jupyter what they mean in it."""

import inspect
import sys

import pytest

from attnbook.notebooks.cells import Cell, defines, runnable
from attnbook.notebooks.execute import Session, eager_compile


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs cells one after the other in a new notebook; the last Outcome."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")

    def cells(*sources):
        outcomes = session.run_all(sources)
        cells.names = session.namespace
        return outcomes[-1]

    with Session("a_notebook") as session:
        yield cells


RIGHT = {
    "a magic by its method": [
        "from IPython import get_ipython\n"
        "get_ipython().run_line_magic('matplotlib', 'inline')\nx = 1",
        "assert x == 1",
    ],
    "settings of a screen": [
        "%matplotlib widget\n%config InlineBackend.figure_format = 'svg'\nx = 1"
    ],
    "await": [
        "async def two():\n    return 2\nx = 1\nassert await two() == 2",
        "assert x == 1",
    ],
    "a future statement in an earlier cell": [
        "from __future__ import annotations",
        "def f(p: Probability) -> Nothing: return p",
    ],
    "a file that a cell writes": [
        "%%writefile a_helper.py\nfrom math import log",
        "from a_helper import log\nassert log(1) == 0",
    ],
    "captured output": [
        "%%capture out\nprint('hi')\nx = 3",
        "assert out.stdout == 'hi\\n' and x == 3",
    ],
    "output of a command": ["files = !echo one\nassert files == ['one']"],
    "the last value": ["2 + 2", "assert _ == 4 and Out[1] == 4"],
    "the cells themselves": ["x = 1", "assert In[1] == 'x = 1'"],
    "time of an assignment": ["%time a = 3\nb = %time a + 1\nassert b == 4"],
    "a timing to be used": [
        "t = %timeit -o -n 100000 -r 7 sum([1])\nassert t.average > 0"
    ],
    "a timed cell": ["%%timeit -n 5 x = 1\nx + 1"],
    "a cell that is skipped": [
        "%%script false --no-raise-error\nraise ValueError"
    ],
    "a cell of another language": ["%%bash\nexit 0"],
    "display": ["display(1)\nfrom IPython.display import HTML\nHTML('x')"],
    "source of a function": [
        "def f(): return 1",
        "import inspect\nassert inspect.getsource(f) == 'def f(): return 1\\n'",
    ],
    "help": ["sum?"],
    "indented code": ["    x = 1\n    y = x"],
    "nothing": ["", "# only a comment", "x = 1;"],
    "a shell variable": [
        "%env A_NAME=3\nimport os\nassert os.environ['A_NAME']"
    ],
    "what a dictionary holds": ["%timeit -n 1 {'a': 1}['a']"],
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_in_jupyter_is_right_here(run, name):
    outcome = run(*RIGHT[name])
    assert outcome.error is None and outcome.said == []


def test_each_import_stands_for_itself(run):
    outcome = run(
        "import no_such_package, math as m\n"
        "from google_no.colab import drive\n"
        "drive.mount('/content/drive')\n"
        "from math import no_such_name, pi\n"
        "import math.no_such_part\n"
        "x = m.sqrt(4)"
    )
    assert outcome.error is None and run.names["x"] == 2
    assert run.names["pi"] > 3
    assert [text.partition(":")[0] for text in outcome.said[:3]] == [
        "there is no package no_such_package here",
        "there is no package google_no.colab here",
        "google_no.colab.drive.mount is not installed here",
    ]
    assert "no_such_name" in outcome.said[3]


def test_a_missing_package_may_annotate_and_decorate(run):
    outcome = run(
        "from jaxtyping_no import Float, jaxtyped\nimport einops_no",
        "@jaxtyped(typechecker=Float)\n"
        "def f(x: Float[int, 'b'] | None) -> Float: return x\n"
        "@jaxtyped\ndef g(x): return einops_no.rearrange(x)",
        "assert f(3) == 3",
    )
    assert outcome.error is None
    outcome = run("y = 1\ng('x')")
    assert outcome.text == "einops_no.rearrange is not installed here."
    assert (outcome.line, type(outcome.error).__name__) == (2, "NotInstalled")


def test_imports_that_ask_are_left_alone(run):
    outcome = run(
        "try:\n    import no_such_package\nexcept ImportError:\n    x = 1"
    )
    assert outcome.said == [] and run.names["x"] == 1


PASSED_OVER = {
    "%no_such_magic x": "%no_such_magic is not known here: passed over.",
    "%%no_such_magic\nx": "%%no_such_magic is not known here: passed over.",
    "%load_ext no_such": "%load_ext no_such is not known here: passed over.",
    "%pip install x": "Nothing can be installed here: passed over.",
    "!pip3 install x": "Nothing can be installed here: passed over.",
    "!python -m pip install x": "Nothing can be installed here: passed over.",
}


@pytest.mark.parametrize("source", PASSED_OVER)
def test_what_is_not_here_is_passed_over_and_said(run, source):
    outcome = run(source)
    assert outcome.error is None and outcome.said == [PASSED_OVER[source]]


ERRORS = {
    "x = 1\n1 / 0": ("ZeroDivisionError", "division by zero", 2),
    "def f(:": ("SyntaxError", "invalid syntax", 1),
    "%time 1 / 0": ("ZeroDivisionError", "division by zero", 1),
    "exit()": ("SystemExit", "", 1),
    "raise KeyboardInterrupt": ("KeyboardInterrupt", "", 1),
}


@pytest.mark.parametrize("source", ERRORS)
def test_an_error_has_a_name_and_a_line(run, source):
    outcome = run(source)
    got = type(outcome.error).__name__, outcome.text, outcome.line
    assert got == ERRORS[source]


def test_the_cells_below_an_error_run(run):
    assert run("x = 1\n1 / 0\nx = 2", "assert x == 1").error is None


def test_an_error_keeps_no_variables(run):
    outcome = run("def f():\n    large = [1]\n    return 1 / 0", "f()")
    assert outcome.error.__traceback__ is None


def test_compiling_is_left_out(run, monkeypatch):
    import torch

    monkeypatch.setattr(torch, "compile", torch.compile)
    eager_compile()
    outcome = run(
        "import torch",
        "@torch.compile\ndef f(x): return x + 1\n"
        "@torch.compile(mode='max-autotune')\ndef g(x): return x + 1\n"
        "assert f(torch.ones(1)) == g(torch.ones(1)) == 2",
        "import warnings\nwarnings.simplefilter('ignore')\n"
        "@torch.jit.script\ndef h(x):\n    return x + 1\n"
        "assert h(torch.ones(1)) == 2",
    )
    assert outcome.error is None


def test_the_process_is_left_as_it_was():
    before = sys.modules["__main__"], sys.displayhook
    with Session() as session:
        session.run(1, "x = 3\nx")
    assert (sys.modules["__main__"], sys.displayhook) == before
    from IPython import get_ipython

    assert get_ipython() is None


# --- which cells are run ----------------------------------------------------


def test_an_answer_in_a_cell_of_text_is_run_all_the_same():
    text = Cell("markdown", "def needed(p):\n    return p")
    other = Cell("markdown", "# Exercises")
    code = Cell("code", "def needed(p): ...")
    raw = Cell("raw", "prediction = 'none'")
    names = ["needed", "prediction"]
    assert runnable([other, text, raw], names) == [text, raw]
    assert runnable([other, text, code], names) == [code]


def test_what_defines_a_name():
    found = ["def f(x):", "class f:", "f = 3", "f: int = 3", "  async def f():"]
    for source in found:
        assert defines(["f"]).search(source), source
    for source in ("f == 3", "# def f", "def ff(x):", "g = f", "print(f)"):
        assert not defines(["f"]).search(source), source


def test_every_command_that_runs_cells_uses_this_module():
    """No second copy that could drift apart."""
    from attnbook.check import __main__ as check
    from attnbook.grading import course, inside

    for module in (check, course, inside):
        source = inspect.getsource(module)
        assert "Session(" in source
        assert "exec(" not in source and "compile(" not in source.replace(
            "eager_compile(", ""
        ).replace("re.compile(", "")


def test_what_a_failed_cell_made_is_let_go(run):
    """Else a cell that ran out of memory leaves none to the others."""
    run("import weakref\nclass Big: pass\nseen = []")
    run(
        "def fill():\n    big = Big()\n    seen.append(weakref.ref(big))\n"
        "    raise MemoryError\nfill()"
    )
    assert run.names["seen"][0]() is None
