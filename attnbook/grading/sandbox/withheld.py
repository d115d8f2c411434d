"""What stands in for a module of the package that holds a sheet's answers."""

import ast
from collections.abc import Iterable


def stand_in(module: str, source: str, given: set[str]) -> str:
    """The module without its answers: what the sheet itself imports from it,
    and what that needs; if it imports nothing, an ImportError that says why
    the module is not there."""
    if not given:
        why = f"{module} holds answers to this sheet: it is not there now"
        return f"raise ImportError({why!r})\n"
    body = ast.parse(source).body
    defined = {name: node for node in body for name in names_of(node)}
    waiting, kept = list(given), set()
    while waiting:
        name = waiting.pop()
        if name in defined and name not in kept:
            kept.add(name)
            used = ast.walk(defined[name])
            waiting += [n.id for n in used if isinstance(n, ast.Name)]
    nodes = [n for n in body if is_import(n) or names_of(n) & kept]
    return ast.unparse(ast.Module(nodes, []))


def names_of(node: ast.stmt) -> set[str]:
    """The names that a statement of a module defines, imports aside."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return {
            n.id
            for n in ast.walk(node)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
    return set()


def is_import(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom))


def imported_from(module: str, sources: Iterable[str]) -> set[str]:
    """The names that this code imports from a module."""
    return {
        alias.name
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }
