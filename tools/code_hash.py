"""The hash of the code that made a record: what its chapter reaches.

From a notebook's cells it goes from name to name: each definition of the
package that a cell uses, what that definition uses, and so on. So a record is
stale when something changed that it rests on, and stays fresh when a module
is moved, a function is added beside the others, or a hint, a docstring or a
comment changes. Rooms that draw, check or judge decide no number.
"""

import ast
import copy
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

from attnbook.notebooks.cells import tags
from tools.notebooks import DISPLAY, ROOT, bare, code_cells, digest, parse, read

# They draw, check and judge. Verdicts and intervals are computed again from
# the record's seeds in every test run, so none can change unseen.
NO_RESULT = ("attnbook.plot", "attnbook.check", "attnbook.claims")
Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def source_of(module: str) -> str:
    """The text of a module of the package; of a folder, its __init__.py."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return path.read_text("utf8")


class Code:
    """A syntax tree, with the names that it defines and those that it
    imports: name -> (module, name there), with no name for a module."""

    def __init__(self, tree: ast.Module):
        tree = WithoutHints().visit(copy.deepcopy(tree))
        self.defined: dict[str, list[ast.stmt]] = {}
        self.imported: dict[str, tuple[str, str]] = {}
        self.effects: list[ast.stmt] = []  # what runs on import, besides
        for node in tree.body:
            names = defines(node)
            for name in names:
                self.defined.setdefault(name, []).append(node)
            if not names and not is_import(node) and not is_text(node):
                self.effects.append(node)
        for node in ast.walk(tree):
            if is_import(node):
                self.imported |= dict(bindings(node))


@functools.cache
def code_of(module: str) -> Code:
    return Code(ast.parse(source_of(module)))


def defines(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
        return [n.id for n in names if isinstance(n.ctx, ast.Store)]
    return []


def is_import(node: ast.AST) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom))


def is_text(node: ast.stmt) -> bool:
    """A docstring, or another constant that stands alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def bindings(node: ast.Import | ast.ImportFrom) -> Iterator[tuple]:
    """(name, (module, name there)) for each name that is imported."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            whole = f"{module}.{alias.name}"
            found = (whole, "") if is_module(whole) else (module, alias.name)
        elif alias.asname:
            found = alias.name, ""
        else:
            found = alias.name.partition(".")[0], ""
        yield alias.asname or alias.name.partition(".")[0], found


def is_module(name: str) -> bool:
    """Is it a module of the package?"""
    path = ROOT.joinpath(*name.split("."))
    inside = name.startswith("attnbook.")
    return inside and (path.with_suffix(".py").exists() or path.is_dir())


def used(node: ast.AST) -> Iterator[tuple[str, str]]:
    """(name, attribute of it) wherever a name is used; "" for none."""
    dotted = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            dotted.add(part.value)
            yield part.value.id, part.attr
        elif isinstance(part, ast.Name) and part not in dotted:
            yield part.id, ""


class WithoutHints(ast.NodeTransformer):
    """Drops annotations, but not the names of a class's fields."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef):  # noqa: N802
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:  # noqa: N802
        if node.value is None:
            return ast.Expr(node.target)
        return ast.Assign([node.target], self.visit(node.value))


def text(node: ast.AST) -> str:
    """Without comments, layout, docstrings, hints and imports of the
    package, which say where a definition lives."""
    node = WithoutHints().visit(copy.deepcopy(node))  # of a notebook's cell
    for part in ast.walk(node):
        if isinstance(getattr(part, "body", None), list):
            part.body = [n for n in part.body if not of_package(n)]
            part.body = part.body or [ast.Pass()]
    return bare(node)


def of_package(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] == "attnbook"
    return isinstance(node, ast.Import) and all(
        alias.name.partition(".")[0] == "attnbook" for alias in node.names
    )


class Reached:
    """All that some code rests on in the package, as a set of texts."""

    def __init__(self):
        self.texts: set[str] = set()
        self.seen: set[tuple[str, str]] = set()
        self.modules: set[str] = set()

    def follow(self, node: ast.AST, code: Code) -> None:
        """Every name that the node uses, as `code` defines or imports it."""
        for name, attribute in used(node):
            if name in code.imported:
                self.follow_import(name, attribute, *code.imported[name])

    def follow_import(
        self, name: str, attribute: str, module: str, there: str
    ) -> None:
        if module.startswith(NO_RESULT):
            return
        if module.partition(".")[0] != "attnbook":
            self.texts.add(f"{name} is {module} {there}")
            return
        if there:
            self.texts.add(f"{name} is {there}")
            self.add(module, there)
        else:  # a module: the parts of it that are named, or else all
            every = [] if is_module(f"{module}.{attribute}") else [attribute]
            for part in every if attribute else code_of(module).defined:
                self.add(module, part)

    def add(self, module: str, name: str) -> None:
        """A definition, with all that it uses."""
        if (module, name) in self.seen:
            return
        self.seen.add((module, name))
        code = code_of(module)
        self.add_effects(module)
        if name in code.imported:
            self.follow_import(name, "", *code.imported[name])
        for node in code.defined.get(name, []):
            self.texts.add(text(node))
            self.follow_local(node, module)

    def follow_local(self, node: ast.AST, module: str) -> None:
        code = code_of(module)
        for name, _ in used(node):
            if name in code.defined:
                self.add(module, name)
        self.follow(node, code)

    def add_effects(self, module: str) -> None:
        """What a module does when it is imported, besides defining."""
        if module in self.modules:
            return
        self.modules.add(module)
        for node in code_of(module).effects:
            self.texts.add(text(node))
            self.follow_local(node, module)


def code_hash(path: Path) -> str:
    """Of all code that makes a record: the notebook's cells, except those
    tagged `display`, and what they reach in the package."""
    cells = [c for c in code_cells(read(path)) if DISPLAY not in tags(c)]
    return hash_of(map(parse, cells))


def hash_of(trees: Iterable[ast.Module]) -> str:
    trees = list(trees)
    whole = Code(ast.Module([n for tree in trees for n in tree.body], []))
    reached = Reached()
    reached.add_effects("attnbook")  # one thread
    for tree in trees:
        reached.follow(tree, whole)
    parts = [text(tree) for tree in trees] + sorted(reached.texts)
    return digest("\n".join(parts))
