"""What fails only because it runs here costs its own lines, not others.

A notebook that was right where it was written may import what this machine
lacks (einops, jaxtyping, google.colab), ask for a GPU, read a file or fetch
something. In Jupyter such a line would end its cell; here it is passed over,
and the author is told.
"""

import ast
import builtins
import importlib
import re
import subprocess
import sys

HOOK = "__attnbook_elsewhere__"
ELSEWHERE = (
    EOFError,
    ImportError,
    MemoryError,
    OSError,
    subprocess.SubprocessError,
)
DEVICE = re.compile(
    r"\b(cuda|mps|xpu|nvidia|dummy base class)\b", re.IGNORECASE
)
SAME = {"nest_asyncio": "nest_asyncio2"}  # its successor, which Jupyter brings


class NotInstalled(ModuleNotFoundError):
    """Something was used that could not be imported here."""


class StandIn:
    """Stands for what could not be imported. In annotations it means nothing,
    as a decorator it leaves the function as it is, and a debugger's
    `set_trace` does nothing; to use it otherwise raises NotInstalled, which
    names the package."""

    def __init__(self, name: str, why: str = "is not installed here"):
        self._name, self._why = name, why

    def __getattr__(self, key: str) -> "StandIn":
        if key.startswith("__"):
            raise AttributeError(key)
        return StandIn(f"{self._name}.{key}", self._why)

    def __getitem__(self, key) -> "StandIn":
        return self

    def __or__(self, other) -> "StandIn":
        return self

    __ror__ = __or__

    def __call__(self, *args, **options):
        if self._name.endswith(".set_trace"):
            return None
        if len(args) == 1 and callable(args[0]):
            return args[0]
        if options and not args:
            return self  # @jaxtyped(typechecker=beartype)
        self._not_here()

    def _not_here(self, *args):
        raise NotInstalled(f"{self._name} {self._why}.")

    __mro_entries__ = __iter__ = __len__ = __enter__ = __exit__ = _not_here
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _not_here
    __truediv__ = __matmul__ = __float__ = __int__ = _not_here
    __setitem__ = __contains__ = _not_here

    def __repr__(self) -> str:
        return f"<{self._name}, which is not installed here>"


class EachForItself(ast.NodeTransformer):
    """Puts every import of a cell, and every statement of its own, into a
    `try`, but for the last: its value is the cell's. What was passed over is
    noted in `missing`."""

    def __init__(self):
        self.missing: list[str] = []

    def __call__(self) -> type | tuple:
        """The kinds of error to catch, asked when there is one."""
        error = sys.exc_info()[1]
        return type(error) if is_of_this_place(error) else ()

    def failed(self, module: str = "", name: str = ""):
        """Called where an import or a statement failed: what stands for what
        was to be imported, or for the variable that was to be set."""
        error = sys.exc_info()[1]
        if module in SAME and is_here(SAME[module]):
            return importlib.import_module(SAME[module])
        said = f"{in_words(error, module)}: the line was passed over."
        if said not in self.missing:
            self.missing.append(said)
        if name == module:
            return StandIn(name, "could not be had here")
        return StandIn(f"{module}.{name}" if name else module)

    def visit_Module(self, node: ast.Module) -> ast.Module:  # noqa: N802
        body = []
        for line in node.body:
            new = self.visit(line)
            kept = isinstance(new, list) or is_fixed(line)
            kept = kept or line is node.body[-1]
            new = new if isinstance(new, list) else [new]
            body += new if kept else [attempt(x, *assigned(x)) for x in new]
        node.body = body
        return node

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:  # noqa: N802
        return [attempt(one, *told_of(one)) for one in split(node)]

    def visit_ImportFrom(self, node: ast.ImportFrom):  # noqa: N802
        if node.module == "__future__":
            return node
        return [attempt(one, *told_of(one)) for one in split(node)]

    def visit_Try(self, node: ast.Try) -> ast.Try:  # noqa: N802
        """A `try` of the author's own decides for itself."""
        body = node.body
        node.body = [] if node.handlers else body
        self.generic_visit(node)
        node.body = body if node.handlers else node.body
        return node


def is_of_this_place(error: BaseException) -> bool:
    """Would it perhaps not have failed on another machine?"""
    if isinstance(error, (AssertionError, RuntimeError)):
        return bool(DEVICE.search(str(error)))
    if isinstance(error, TypeError):
        return StandIn.__name__ in str(error)
    return isinstance(error, ELSEWHERE)


def in_words(error: BaseException, module: str) -> str:
    """What failed; of an import, which package is not here."""
    if isinstance(error, ModuleNotFoundError) and error.name and module:
        own = module.startswith(error.name)
        return f"there is no package {module if own else error.name} here"
    return (str(error) or type(error).__name__).removesuffix(".")


def is_fixed(line: ast.stmt) -> bool:
    """Must it stay where it is: a docstring, or `from __future__`?"""
    if isinstance(line, ast.Expr):
        return isinstance(line.value, ast.Constant)
    return isinstance(line, ast.ImportFrom)


def split(line: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
    """The same imports, one name each."""
    out = []
    for alias in line.names:
        fields = {"names": [alias]}
        if isinstance(line, ast.ImportFrom):
            fields |= {"module": line.module, "level": line.level}
        out.append(ast.copy_location(type(line)(**fields), line))
    return out


def attempt(line: ast.stmt, bound: str = "", *told: str) -> ast.Try:
    """try: LINE / except HOOK(): BOUND = HOOK.failed(TOLD)"""
    told_of = ", ".join(map(repr, told))
    assign = f"{bound} = " if bound else ""
    source = f"try: pass\nexcept {HOOK}(): {assign}{HOOK}.failed({told_of})"
    out = ast.parse(source).body[0]
    for node in ast.walk(out):
        if "lineno" in node._attributes:
            ast.copy_location(node, line)
    out.body = [line]
    return out


def told_of(line: ast.Import | ast.ImportFrom) -> tuple[str, str, str]:
    """The name that the line would bind to what is not here, unless it is a
    builtin function's (`from rich import print`); module, and name in it."""
    alias = line.names[0]
    if isinstance(line, ast.ImportFrom):
        bound = "" if alias.name == "*" else alias.asname or alias.name
        module, name = line.module or ".", alias.name
    else:
        top = alias.name.split(".")[0]
        bound = alias.asname or ("" if is_here(top) else top)
        module, name = alias.name, ""
    return "" if hasattr(builtins, bound) else bound, module, name


def assigned(line: ast.stmt) -> list[str]:
    """The variables that the line sets, to be bound all the same; the first
    is told as its own."""
    if isinstance(line, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        names = [line.name]
    else:
        targets = line.targets if isinstance(line, ast.Assign) else []
        names = [n for t in targets for n in ast.walk(t)]
        names = [
            n.id
            for n in names
            if isinstance(getattr(n, "ctx", 0), ast.Store)
            and isinstance(n, ast.Name)
        ]
    return [" = ".join(names), names[0], names[0]] if names else []


def is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False
