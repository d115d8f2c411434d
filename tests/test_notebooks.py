"""The form of every notebook: executed, unedited since, readable anywhere."""

import ast
import dis
import json
import re
import types

import pytest
from nbformat.v4 import new_code_cell

from attnbook.notebooks.cells import tags
from tools.notebooks import (
    DISPLAY,
    ROOT,
    code_cells,
    executed_hash,
    find,
    normalise,
    parse,
    read,
)
from tools.run import CELL_SECONDS, STATUS, budget

EXECUTED = find()
CHAPTERS = find(folders=("chapters",))
EXERCISES = find(folders=("exercises",))
TAGS = {
    "parameters",
    "display",
    "graduates",
    "solution-only",
    "nbval-ignore-output",
}


MUTATORS = {"append", "extend", "update", "pop", "sort", "clear", "insert"}


def name(path):
    return path.relative_to(ROOT).as_posix()


def outputs(cell):
    return json.dumps(cell.outputs)


@pytest.fixture(params=EXECUTED, ids=name)
def executed(request):
    return read(request.param)


@pytest.fixture(params=CHAPTERS, ids=name)
def chapter(request):
    return read(request.param)


def test_executed_in_order_without_error(executed):
    cells = code_cells(executed)
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1)), "run: make run"
    assert any(cell.outputs for cell in cells), "no outputs: make run"
    for number, cell in enumerate(cells, 1):
        kinds = [o.output_type for o in cell.outputs]
        assert "error" not in kinds, f"code cell {number} ends in an error"


def test_not_edited_since_it_was_executed(executed):
    stored = executed.metadata.get("attnbook", {}).get("executed")
    assert stored == executed_hash(executed), (
        "its code was edited after it was executed: make run"
    )


def test_normalised(executed):
    again = read_copy(executed)
    normalise(again)
    assert again == executed, "run: make run"
    for number, cell in enumerate(code_cells(executed), 1):
        assert not re.search(r"/(home|root|tmp|work|Users)/", outputs(cell)), (
            f"code cell {number} shows a path of some machine"
        )


def read_copy(notebook):
    import nbformat

    return nbformat.reads(nbformat.writes(notebook), as_version=4)


@pytest.mark.parametrize("path", EXECUTED, ids=name)
def test_within_its_time_budget(path):
    times = json.loads(STATUS.read_text("utf8"))["notebooks"]
    assert name(path) in times, "never timed: make run"
    assert times[name(path)]["slowest"] <= CELL_SECONDS
    assert times[name(path)]["cpu"] <= budget(path)


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_fact_line_promises_no_less_than_was_measured(path):
    first = read(path).cells[0].source
    assert re.search(r"^# \d\.\d ", first) and "**Needs**" in first
    promised = int(re.search(r"\*\*Runs in\*\* (\d+) s", first).group(1))
    times = json.loads(STATUS.read_text("utf8"))["notebooks"][name(path)]
    assert promised / 2.5 <= times["cpu"] <= promised * 1.1


def test_code_cells_are_short(executed):
    for number, cell in enumerate(code_cells(executed), 1):
        lines = [x for x in cell.source.splitlines() if x.strip()]
        assert len(lines) <= 30, f"code cell {number} has {len(lines)} lines"


def test_cells_whose_text_varies_say_why(executed):
    for number, cell in enumerate(code_cells(executed), 1):
        why = cell.metadata.get("attnbook", {}).get("varies", "")
        marked = "nbval-ignore-output" in tags(cell)
        assert marked == bool(why), f"code cell {number}: tag without reason"
        assert set(tags(cell)) <= TAGS, f"code cell {number}: unknown tag"
        words = re.search("NBVAL|PYTEST_VALIDATE", cell.source)
        assert not words, "mark with the tag, not with a comment"


def test_figures_have_alt_text_and_caption(executed):
    for number, cell in enumerate(code_cells(executed), 1):
        if "image/png" in outputs(cell):
            options = cell.metadata.get("mystnb", {})
            assert len(options["image"]["alt"]) > 40, f"code cell {number}"
            assert options["figure"]["caption"].endswith(".")


def test_a_quarter_of_the_code_cells_check(chapter):
    cells = code_cells(chapter)
    checks = [
        c
        for c in cells
        if re.search(r"^ *assert |assert_close", c.source, re.M)
    ]
    assert len(checks) >= len(cells) / 4


def test_cited_equations_exist(chapter):
    text = "\n".join(c.source for c in chapter.cells)
    tagged = set(re.findall(r"\\tag\{([\d.]+)\}", text))
    number = re.search(r"^# (\d\.\d)", chapter.cells[0].source).group(1)
    cited = set(re.findall(rf"\b({re.escape(number)}\.\d+)\b", text))
    assert tagged and cited <= tagged, cited - tagged


def test_numbered_equations_break_lines_without_backslashes(chapter):
    """Sphinx wraps an equation with two backslashes in `split`, where MathJax
    allows no tag: write \\cr between the lines of a matrix or of cases."""
    text = "\n".join(c.source for c in chapter.cells)
    equations = re.findall(r"\$\$.*?\$\$", text, re.DOTALL)
    tagged = [e for e in equations if r"\tag" in e]
    assert tagged and not [e for e in tagged if "\\\\" in e]


def test_only_the_cited_is_listed_and_the_listed_is_in_the_bibliography(
    chapter,
):
    *body, last = (c.source for c in chapter.cells if c.cell_type == "markdown")
    assert last.startswith("## References")
    link = re.compile(r"\]\((https?://[^)]+)\)")
    listed, cited = set(link.findall(last)), set(link.findall("\n".join(body)))
    assert listed == cited
    known = (ROOT / "book" / "references.bib").read_text("utf8")
    assert not [url for url in listed if url not in known]


@pytest.mark.parametrize("path", CHAPTERS + EXERCISES, ids=name)
def test_links_inside_the_repository_resolve(path):
    cells = (c for c in read(path).cells if c.cell_type == "markdown")
    text = "\n".join(c.source for c in cells)
    for link in re.findall(r"\]\(((?!http)[^)#]+)\)", text):
        assert (path.parent / link).exists(), link


def names_of(code, *operations):
    """Names on which this code, without functions inside it, does these."""
    found = (i for i in dis.get_instructions(code) if i.opname in operations)
    return {instruction.argval for instruction in found}


def imported(tree):
    nodes = (n for n in ast.walk(tree) if isinstance(n, ast.alias))
    return {n.asname or n.name.split(".")[0] for n in nodes}


def global_names(cell):
    """Names that a cell binds, other than by import, that it reads, and that
    its functions read.

    From the bytecode: what a comprehension binds is no name of the cell's,
    though from Python 3.12 on symtable says so."""
    tree = parse(cell)
    top = compile(ast.unparse(tree), "cell", "exec")
    bound = names_of(top, "STORE_NAME", "STORE_GLOBAL") - imported(tree)
    inside, codes = set(), [top]
    while codes:
        code = codes.pop()
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        inside |= names_of(code, "LOAD_GLOBAL", "STORE_GLOBAL")
        if code is not top:  # a class's body
            own = names_of(code, "STORE_NAME")
            inside |= names_of(code, "LOAD_NAME") - own
    return bound, names_of(top, "LOAD_NAME") | inside, inside


def changed_in_place(cell):
    """Names whose content a cell changes: x[...] = , x += , x.append(...)."""
    out = set()
    for node in ast.walk(parse(cell)):
        target = None
        if isinstance(node, (ast.Subscript, ast.Attribute)):
            target = (
                node if isinstance(node.ctx, (ast.Store, ast.Del)) else None
            )
        elif isinstance(node, ast.AugAssign):
            target = node.target
        elif isinstance(node, ast.Call) and isinstance(
            node.func, ast.Attribute
        ):
            target = node.func if node.func.attr in MUTATORS else None
        while isinstance(target, (ast.Subscript, ast.Attribute)):
            target = target.value
        out |= {target.id} if isinstance(target, ast.Name) else set()
    return out


def touched_by_display(cells):
    """What display cells change and later results read."""
    bad, results, in_functions = set(), set(), set()
    for k, cell in enumerate(cells):
        bound, _, inside = global_names(cell)
        if DISPLAY not in tags(cell):
            results |= bound
            in_functions |= inside
            continue
        bad |= changed_in_place(cell) & results
        bad |= bound & in_functions
        for later in cells[k + 1 :]:
            if DISPLAY in tags(later):
                continue
            rebound, needed, _ = global_names(later)
            bad |= (bound & needed) - rebound
            bound -= rebound
    return bad


def test_display_cells_change_nothing_that_results_need(chapter):
    """They are no part of a record's hash, so no result may rest on them."""
    assert touched_by_display(code_cells(chapter)) == set()


@pytest.mark.parametrize(
    "source", ["x = x[:4]", "x[0] = 1", "x += 1", "x.append(1)", "del x[0]"]
)
def test_a_display_cell_that_changes_a_result_is_found(source):
    def cell(source, *tags):
        return new_code_cell(source, metadata={"tags": list(tags)})

    cells = [cell("x = [1]"), cell(source, DISPLAY), cell("y = x")]
    assert touched_by_display(cells) == {"x"}


def test_names_of_a_cell_are_the_same_in_every_python():
    source = (
        "import a.b as c\ny = [x for x in z]\n"
        "def f(p):\n    x = 1\n    return [q + w for q in p]\n"
        "class K:\n    m = 1\n    n = m + v\n"
    )
    bound, read_, inside = global_names(new_code_cell(source))
    assert bound == {"y", "f", "K"}
    assert read_ - bound == {"z", "w", "v", "__name__"}
    assert {"w", "v"} <= inside and "z" not in inside


@pytest.mark.parametrize("path", EXERCISES, ids=name)
def test_exercises_are_handed_out_without_outputs(path):
    for cell in code_cells(read(path)):
        assert cell.outputs == [] and cell.execution_count is None
