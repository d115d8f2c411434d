"""Run a notebook's cells outside Jupyter, to the same result.

The one place that does so: the grader's sandbox, `python -m attnbook.check`
and the reading of masters all use a `Session`.
"""

import asyncio
import bdb
import builtins
import gc
import getpass
import sys
import traceback
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from IPython.core.async_helpers import get_asyncio_loop
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

from attnbook.notebooks.imports import HOOK, EachForItself
from attnbook.notebooks.shell import Shell

BUILTINS = "display", "get_ipython", "input", "__IPYTHON__", HOOK


@dataclass
class Outcome:
    """How one cell ended."""

    error: BaseException | None = None
    line: int | None = None  # of the cell, where known
    said: list[str] = field(default_factory=list)  # what was passed over

    @property
    def text(self) -> str:
        if isinstance(self.error, SyntaxError) and self.error.msg:
            return self.error.msg + of_later_python(self.error)
        return str(self.error)


class Session:
    """A notebook's names, and the cells that fill them.

    As a context manager it leaves this process as it found it, which only
    matters to one that does other things afterwards.
    """

    def __init__(self, name: str = "__main__"):
        self.before = self.process_state(name)
        self.module = types.ModuleType(name)
        self.shell = Shell(self.module)
        self.shell.last_execution_result = ExecutionResult(None)
        self.namespace = self.shell.user_ns
        self.imports = EachForItself()
        self.shell.ast_transformers.append(self.imports)
        setattr(builtins, HOOK, self.imports)  # whatever %reset deletes
        self.ask_nobody()
        asyncio.run = run_in_between
        sys.argv = ["ipykernel_launcher.py"]  # for argparse in a notebook

    def run(self, number: int, source: str) -> Outcome:
        """Run one cell; whatever it does is in the Outcome."""
        self.shell.compile.number = number
        self.imports.missing, self.shell.said = [], []
        try:
            result = self.shell.run_cell(source, store_history=True)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as raised:  # of IPython's own, or an interrupt
            error = raised
        self.shell.last_execution_result = ExecutionResult(None)
        self.shell.InteractiveTB.tb = None  # its frames hold what cells made
        said = self.imports.missing + self.shell.said
        line = line_of(error, f"<cell {number}>")
        return Outcome(without_frames(error), line, said)

    def ask_nobody(self) -> None:
        """What would wait for a person gets an empty answer, and a debugger
        that was left in the code does not stop it."""

        def nothing(prompt="", *args, **options) -> str:
            self.shell.said.append("A question was answered with nothing.")
            return ""

        builtins.input = getpass.getpass = nothing
        bdb.Bdb.set_trace = lambda *args, **options: None

    def run_all(self, sources: Iterable[str]) -> list[Outcome]:
        return [self.run(n, source) for n, source in enumerate(sources, 1)]

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error) -> None:
        modules, instances, names, *others = self.before
        for name, module in modules.items():
            sys.modules[name] = module
            if module is None:
                del sys.modules[name]
        for kind, instance in instances.items():
            kind._instance = instance
        for name in BUILTINS:
            vars(builtins).pop(name, None)
        vars(builtins).update(names)
        sys.argv, asyncio.run, getpass.getpass, bdb.Bdb.set_trace = others
        self.shell.folder.cleanup()
        loop = get_asyncio_loop()
        if not loop.is_running():  # in Jupyter this is the kernel's
            loop.close()

    @staticmethod
    def process_state(name: str) -> tuple:
        kinds = InteractiveShell, Shell
        return (
            {name: sys.modules.get(name)},
            {kind: vars(kind).get("_instance") for kind in kinds},
            {n: vars(builtins)[n] for n in BUILTINS if n in vars(builtins)},
            sys.argv,
            asyncio.run,
            getpass.getpass,
            bdb.Bdb.set_trace,
        )


def run_in_between(main, **options):
    """asyncio.run, also within a running loop, which waits meanwhile: a
    notebook may have been written where nest_asyncio allows it."""
    outer = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return asyncio.runners.run(main, **options)
    finally:
        asyncio._set_running_loop(outer)


def line_of(error: BaseException | None, cell: str) -> int | None:
    """The last line of this cell that an error came by."""
    if error is None:
        return None
    if isinstance(error, SyntaxError) and error.filename == cell:
        return error.lineno
    frames = traceback.walk_tb(error.__traceback__)
    lines = [n for frame, n in frames if frame.f_code.co_filename == cell]
    return lines[-1] if lines else None


def without_frames(error: BaseException | None) -> BaseException | None:
    """The error without the variables of the calls that it came through,
    which may be what memory was too small for."""
    part = error
    while part is not None:
        part.__traceback__ = None
        part = part.__cause__ or part.__context__
    if isinstance(error, MemoryError):
        gc.collect()
    return error


def of_later_python(error: SyntaxError) -> str:
    """What to add to Python's words where a later Python would not complain:
    quotes of one kind within each other."""
    if sys.version_info < (3, 12) and str(error.msg).startswith("f-string"):
        return (
            f" (Python {sys.version_info[0]}.{sys.version_info[1]} runs here)"
        )
    return ""


def plain_torch() -> None:
    """From now on torch.compile gives back the function: same values, without
    the minute and the C++ compiler that compiling takes. A device that is
    not here does not become the default one."""
    import torch

    def compile(model=None, **options):
        if model is None:
            return lambda function: function
        return model

    torch.compile = compile
    torch.set_default_device = default_if_here(torch.set_default_device)


def default_if_here(set_default_device: Callable) -> Callable:
    def set_if_here(device) -> None:
        import torch

        try:
            torch.empty(0, device=device)
        except (AssertionError, RuntimeError):
            return
        set_default_device(device)

    return set_if_here
