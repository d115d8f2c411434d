"""IPython without a screen: the machinery that Jupyter's own kernel uses.

So cells mean here what they mean in Jupyter: magics, `await`, `_`, `In`,
`files = !ls`. What differs is listed in this module and nowhere else: nothing
is installed, drawn or configured, and what is timed is called once.
"""

import asyncio
import re
import tempfile
import types

from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    no_var_expand,
)
from IPython.core.magic import magics_class as magics
from IPython.core.magics.execution import ExecutionMagics
from traitlets.config import Config

INSTALLERS = ("conda", "mamba", "micromamba", "pip", "uv")
INSTALL = re.compile(
    rf"\s*(\S*python\S*\s+-m\s+)?({'|'.join(INSTALLERS)})3?\b|\s*apt\b"
    r"|\s*apt-get\b"
)


class Compiler(CachingCompiler):
    """Calls a cell by its number in the notebook, in tracebacks too."""

    number = 0

    def get_code_name(self, raw_code, transformed_code, number) -> str:
        return f"<cell {self.number}>"


class Shell(InteractiveShell):
    """One notebook's namespace; tracebacks are not printed but returned."""

    def __init__(self, module: types.ModuleType):
        self.folder = tempfile.TemporaryDirectory(prefix="attnbook-")
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        super().__init__(
            user_module=module, ipython_dir=self.folder.name, config=config
        )
        self.compile = Compiler()
        self.said: list[str] = []
        self.register_magics(Quiet(self))
        for name in INSTALLERS:
            self.register_magic_function(self.install_nothing, "line", name)
        type(self)._instance = InteractiveShell._instance = self  # the one

    def should_run_async(self, raw_cell: str, **options) -> bool:
        """A cell runs in an event loop, as in Jupyter; a cell magic (such as
        %%capture) runs what is below it, which has its turn then."""
        nested = asyncio._get_running_loop() is not None
        if nested or raw_cell.lstrip().startswith("%%"):
            return super().should_run_async(raw_cell, **options)
        return True

    def run_line_magic(self, magic_name, line, _stack_depth=1):
        if self._find_with_lazy_load("line", magic_name) is None:
            return self.pass_over(f"%{magic_name}")
        return super().run_line_magic(magic_name, line, _stack_depth + 1)

    def run_cell_magic(self, magic_name, line, cell):
        if self._find_with_lazy_load("cell", magic_name) is None:
            return self.pass_over(f"%%{magic_name}")
        return super().run_cell_magic(magic_name, line, cell)

    def pass_over(self, what: str) -> None:
        self.said.append(f"{what} is not known here: passed over.")

    def system(self, cmd: str) -> None:
        """A command for the system's shell, unless it would install."""
        if INSTALL.match(cmd):
            return self.install_nothing(cmd)
        return self.system_raw(cmd)

    def install_nothing(self, line: str) -> None:
        self.said.append("Nothing can be installed here: passed over.")

    def _showtraceback(self, etype, evalue, stb) -> None:
        """Errors are returned by `Session.run`, in words."""

    def showsyntaxerror(self, *args, **options) -> None:
        """As above."""

    def showtraceback(self, *args, **options) -> None:
        """As above."""

    def enable_gui(self, gui=None) -> None:
        """There is no window."""

    def ask_exit(self) -> None:
        """`exit()` in a cell ends that cell."""
        raise SystemExit


@magics
class Quiet(Magics):
    """The magics that do less here than in Jupyter."""

    @line_magic
    def matplotlib(self, line: str) -> None:
        """Figures are drawn into memory, whatever is asked for."""

    @no_var_expand
    @line_magic
    def config(self, line: str) -> None:
        """Settings of a screen do not change what a cell computes."""

    @line_magic
    def load_ext(self, line: str) -> None:
        """An extension that is not here is passed over."""
        try:
            self.shell.extension_manager.load_extension(line.strip())
        except Exception:
            self.shell.pass_over(f"%load_ext {line}")

    @line_magic
    def reload_ext(self, line: str) -> None:
        self.load_ext(line)

    @no_var_expand
    @line_cell_magic
    def timeit(self, line: str = "", cell: str | None = None):
        """Once is enough to see that it runs; with -o a result as usual."""
        own = ExecutionMagics(self.shell)
        return own.timeit(f"-n1 -r1 {without_counts(line)}", cell)


def without_counts(line: str) -> str:
    """%timeit's arguments, without how often it should run."""
    words, out = line.split(" "), []
    while words and (words[0].startswith("-") or not words[0]):
        word = words.pop(0)
        if word in ("-n", "-r"):
            words = words[1:]
        elif not word.startswith(("-n", "-r")):
            out.append(word)
    return " ".join(out + words)
