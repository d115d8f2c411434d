"""Modules that hold a sheet's answers, where the sheet is graded."""

import ast

import pytest

from attnbook.grading.course import PACKAGE, Course
from attnbook.grading.sandbox.withheld import imported_from, stand_in
from tools.derive import target
from tools.notebooks import ROOT, read

SHEETS = [s for s in Course(ROOT).sheets.values() if s.hidden.withheld]
MODULE = """
import os
LIMIT = 3
def helper(x): return x + LIMIT
def given(x): return helper(x)
def answer(x): return given(x) + 1
class Other: pass
"""


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda s: s.number)
def test_the_sheet_says_what_is_not_there(sheet):
    text = read(target(sheet.path)).cells[0].source
    assert all(f"`attnbook.{name}`" in text for name in sheet.hidden.withheld)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda s: s.number)
def test_what_stands_in_is_python_and_less_than_the_module(sheet):
    for name, text in sheet.withheld.items():
        ast.parse(text)
        assert len(text) < len((PACKAGE / name).read_text("utf8"))


def test_what_a_sheet_imports_is_kept_with_what_it_needs():
    text = stand_in("m", MODULE, {"given"})
    names = {}
    exec(text, names)
    assert names["given"](1) == 4
    assert "answer" not in names and "Other" not in names


def test_a_module_of_which_nothing_is_needed_says_why_it_is_not_there():
    with pytest.raises(ImportError, match="m holds answers to this sheet"):
        exec(stand_in("m", MODULE, set()), {})


def test_names_are_found_in_the_code_that_imports_them():
    code = ["from m import a, b as c", "import m\nfrom m.n import d", "x = 1"]
    assert imported_from("m", code) == {"a", "b"}
