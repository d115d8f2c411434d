"""A function has two homes at most: its chapter and the package, equal."""

import ast
from collections import defaultdict

import pytest

from attnbook.notebooks.cells import tags
from tools.notebooks import ROOT, code_cells, find, parse, read

ROOMS = [
    path
    for room in ("nn", "metrics")
    for path in sorted((ROOT / "attnbook" / room).glob("[a-z]*.py"))
]


def definitions(tree):
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {n.name: ast.dump(n) for n in tree.body if isinstance(n, kinds)}


def package():
    trees = [ast.parse(f.read_text("utf8")) for f in ROOMS]
    return {k: v for tree in trees for k, v in definitions(tree).items()}


def chapters():
    """(notebook, name, definition, graduates?) of every definition."""
    for path in find(folders=("chapters",)):
        for cell in code_cells(read(path)):
            for key, tree in definitions(parse(cell)).items():
                yield path.stem, key, tree, "graduates" in tags(cell)


def test_graduates_equal_their_chapter():
    home = package()
    graduates = [row for row in chapters() if row[3]]
    assert graduates
    for notebook, key, tree, _ in graduates:
        assert home.get(key) == tree, (
            f"{key}: {notebook} and attnbook differ; make them equal again"
        )


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.stem)
def test_every_function_was_derived_in_a_chapter(path):
    """Or none of a module's, which then says so."""
    tree = ast.parse(path.read_text("utf8"))
    derived = {key for _, key, _, graduated in chapters() if graduated}
    mine = set(definitions(tree))
    if "Derived in no chapter" in ast.get_docstring(tree):
        assert not mine & derived
    else:
        assert mine <= derived


def test_nothing_is_defined_in_two_chapters():
    places = defaultdict(set)
    for notebook, key, _, _ in chapters():
        places[key].add(notebook)
    allowed = {"train", "evaluate"}  # the experiment's own, different each time
    twice = {k: v for k, v in places.items() if len(v) > 1 and k not in allowed}
    assert not twice
