"""Cells mean outside Jupyter what they mean in it."""

import bdb
import builtins
import inspect
import sys

import pytest

from attnbook.notebooks.cells import Cell, defines, runnable
from attnbook.notebooks.execute import Session, plain_torch


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
    "a running loop": [
        "import asyncio\nasync def two():\n    return 2\n"
        "task = asyncio.create_task(two())\nloop = asyncio.get_running_loop()",
        "assert await task == 2",
    ],
    "await below a cell magic": [
        "%%capture out\nimport asyncio\nawait asyncio.sleep(0)\nx = 1",
        "assert x == 1",
    ],
    "a loop within the loop": [
        "import nest_asyncio\nnest_asyncio.apply()\nimport asyncio\n"
        "async def two():\n    return 2\nassert asyncio.run(two()) == 2"
    ],
    "a loop of its own": [
        "import asyncio\nasync def two():\n    return 2\n"
        "assert asyncio.run(two()) == 2\nloop = asyncio.get_running_loop()"
    ],
    "options of a script": [
        "import argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('-f')\nassert parser.parse_args().f is None"
    ],
    "a debugger left in": [
        "import pdb\ndef f():\n    pdb.Pdb().set_trace()\n"
        "    return 1\nassert f() == 1"
    ],
    "an import in a function": [
        "def f():\n    from math import sqrt as root\n    return root(4)",
        "class A:\n    import math as m\nassert A.m.pi > f()",
    ],
    "a variable forgotten": ["x = 1\n%xdel x\ny = 2", "assert y == 2"],
    "names that are gone": [
        "x = 1\n%reset -f",
        "import math, os.path\ny = 1\nassert y",
    ],
    "carriage returns": ["%%time\r\ndef f():\r\n    return 1\r\nf()\r\n"],
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


MISSING = {
    "in a block": "with open('x', 'w'):\n    import no_such as n\nx = 1\nx",
    "in a function": "def f():\n    import no_such\n    return 1\nx = f()\nx",
    "after an attempt": "try:\n    import no_such\nexcept ImportError:\n"
    "    !pip install no_such\n    import no_such\nx = 1\nx",
    "a base class": "import no_such\nclass A(no_such.B): pass\na = A()\n"
    "b, c = a.fit(a)\nif c > 3: pass\nx = 1\nx",
    "a decorator": "import no_such\n@no_such.given(no_such.some())\n"
    "def test(): pass\ntest()\nx = 1\nx",
    "its result": "import no_such\nwith no_such.init() as run: pass\n"
    "w = no_such.W()\nw.add('a', 1)\nfor k in w: print(k)\nx = 1\nx",
    "a builtin's name": "from no_such import print\nprint('a')\nx = 1\nx",
    "a debugger": "import no_such\nno_such.set_trace()\nx = 1\nx",
    "a folder": "import os\nos.chdir('/content/drive')\nx = 1\nx",
    "a file": "data = open('no_such.csv').read()\ndata.split()\nx = 1\nx",
    "a GPU": "import torch\nprint(torch.cuda.get_device_name(0))\nx = 1\nx",
    "another GPU": "import torch\nt = torch.ones(2, device='mps')\nx = 1\nx",
    "a GPU's clock": "import torch\ntorch.cuda.Event().record()\nx = 1\nx",
    "a command": "import subprocess\nsubprocess.check_call('false')\nx = 1\nx",
    "a screen's style": "import matplotlib.pyplot as plt\n"
    "plt.style.use('seaborn')\nx = 1\nx",
    "a person": "name = input('Your name?')\nx = 1\nx",
    "a secret": "from getpass import getpass\nkey = getpass()\nx = 1\nx",
}


@pytest.mark.parametrize("what", MISSING)
def test_what_only_fails_here_costs_its_own_lines(run, what):
    outcome = run(MISSING[what])
    assert outcome.error is None and run.names["_"] == 1
    assert len(outcome.said) > 0 or "GPU" in what


def test_what_fails_everywhere_ends_its_cell(run):
    assert type(run("x = 1\nx.y\nx = 2").error) is AttributeError
    assert type(run("assert x == 2\nx = 3").error) is AssertionError
    assert run.names["x"] == 1


def test_quotes_that_a_later_python_reads(run):
    outcome = run('d = {\'a\': 1}\nf"{d["a"]}"')
    if sys.version_info < (3, 12):
        assert outcome.text.endswith("(Python 3.11 runs here)")
    else:
        assert outcome.error is None


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
    plain_torch()
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


def test_a_device_that_is_not_here_is_no_default(run, monkeypatch):
    import torch

    for name in ("compile", "set_default_device"):
        monkeypatch.setattr(torch, name, getattr(torch, name))
    plain_torch()
    outcome = run(
        "import torch\nfor name in ('xpu', 'cpu'):\n"
        "    torch.set_default_device(name)\n    torch.ones(1)"
    )
    assert outcome.error is None


def test_the_process_is_left_as_it_was():
    def state():
        return (
            sys.modules["__main__"],
            sys.displayhook,
            sys.argv,
            builtins.input,
            bdb.Bdb.set_trace,
            set(vars(builtins)) - {"_"},
        )

    before = state()
    with Session() as session:
        session.run(1, "x = 3\nx")
    assert state() == before
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
    from attnbook.grading import course
    from attnbook.grading.sandbox import inside

    for module in (check, course, inside):
        source = inspect.getsource(module)
        assert "Session(" in source
        assert "exec(" not in source and "compile(" not in source.replace(
            "plain_torch(", ""
        ).replace("re.compile(", "")


def test_what_a_failed_cell_made_is_let_go(run):
    """Else a cell that ran out of memory leaves none to the others."""
    run("import weakref\nclass Big: pass\nseen = []")
    run(
        "def fill():\n    big = Big()\n    seen.append(weakref.ref(big))\n"
        "    raise MemoryError\nfill()"
    )
    assert run.names["seen"][0]() is None
