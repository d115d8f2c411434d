"""A package that is not here costs its own lines, not those below them.

A notebook that was right where it was written may import what this machine
lacks: einops, jaxtyping, google.colab. In Jupyter one such line would end its
cell; here each import stands for itself.
"""

import ast
import importlib.util
import sys

HOOK = "__attnbook_import_failed__"


class NotInstalled(ModuleNotFoundError):
    """Something was used that could not be imported here."""


class StandIn:
    """Stands for what could not be imported. In annotations it means nothing,
    as a decorator it leaves the function as it is; to use it otherwise raises
    NotInstalled, which names the package."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, key: str) -> "StandIn":
        if key.startswith("__"):
            raise AttributeError(key)
        return StandIn(f"{self._name}.{key}")

    def __getitem__(self, key) -> "StandIn":
        return self

    def __or__(self, other) -> "StandIn":
        return self

    __ror__ = __or__

    def __call__(self, *args, **options):
        if len(args) == 1 and callable(args[0]):
            return args[0]
        if options and not args:
            return self  # @jaxtyped(typechecker=beartype)
        raise NotInstalled(f"{self._name} is not installed here.")

    def __mro_entries__(self, bases) -> tuple:
        raise NotInstalled(f"{self._name} is not installed here.")

    def __repr__(self) -> str:
        return f"<{self._name}, which is not installed here>"


class EachForItself(ast.NodeTransformer):
    """Puts every import line of a cell into a `try` of its own, and so each
    statement between them that uses what is missing. `namespace` is the
    notebook's; imports that failed are noted in `missing`."""

    def __init__(self, namespace: dict):
        self.namespace, self.missing = namespace, []
        namespace[HOOK] = self.failed

    def failed(self, module: str | None = None, name: str = "", as_: str = ""):
        """Called where an import or a statement failed."""
        error = sys.exc_info()[1]
        said = str(error)
        if module is not None:
            stand_in = StandIn(f"{module}.{name}" if name else module)
            if isinstance(error, ModuleNotFoundError) and error.name:
                own = module.startswith(error.name)
                said = f"there is no package {module if own else error.name}"
                said += " here"
            if as_:
                self.namespace[as_] = stand_in
        said = f"{said.removesuffix('.')}: the line was passed over."
        if said not in self.missing:
            self.missing.append(said)

    def visit_Module(self, node: ast.Module) -> ast.Module:  # noqa: N802
        lost = {k for k, v in self.namespace.items() if isinstance(v, StandIn)}
        lost |= {n for line in node.body for n in absent(line)}
        body = []
        for line in node.body:
            body += self.guarded(line, lost, last=line is node.body[-1])
        node.body = body
        return node

    def guarded(self, line: ast.stmt, lost: set, last: bool) -> list[ast.stmt]:
        if isinstance(line, (ast.Import, ast.ImportFrom)):
            if getattr(line, "module", "") == "__future__":
                return [line]
            return [attempt(one) for one in split(line)]
        defines = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        names = {n.id for n in ast.walk(line) if isinstance(n, ast.Name)}
        if last or isinstance(line, defines) or not names & lost:
            return [line]
        return [attempt(line)]


def split(line: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
    """The same imports, one name each."""
    out = []
    for alias in line.names:
        fields = {"names": [alias]}
        if isinstance(line, ast.ImportFrom):
            fields |= {"module": line.module, "level": line.level}
        out.append(ast.copy_location(type(line)(**fields), line))
    return out


def attempt(line: ast.stmt) -> ast.Try:
    """try: LINE / except ImportError: tell"""
    told = ", ".join(map(repr, told_of(line)))
    source = f"try: pass\nexcept ImportError: {HOOK}({told})"
    out = ast.parse(source).body[0]
    for node in ast.walk(out):
        if "lineno" in node._attributes:
            ast.copy_location(node, line)
    out.body = [line]
    return out


def told_of(line: ast.stmt) -> tuple:
    """Module, name in it, and the name that the line would bind."""
    if isinstance(line, ast.Import):
        alias = line.names[0]
        top = alias.name.split(".")[0]
        return alias.name, "", alias.asname or (top if absent(line) else "")
    if isinstance(line, ast.ImportFrom):
        alias = line.names[0]
        bound = "" if alias.name == "*" else alias.asname or alias.name
        return line.module or ".", alias.name, bound
    return ()


def absent(line: ast.stmt) -> set[str]:
    """The names that an import line would bind to what is not here."""
    if isinstance(line, ast.ImportFrom) and not line.level:
        if is_here(line.module):
            return set()
        return {alias.asname or alias.name for alias in line.names}
    if isinstance(line, ast.Import):
        gone = [a for a in line.names if not is_here(a.name.split(".")[0])]
        return {a.asname or a.name.split(".")[0] for a in gone}
    return set()


def is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False
