"""What a folder of the package decides: who may see it, what a score rests
on. No list is kept by hand."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from attnbook import cli
from attnbook.errors import AttnbookError
from attnbook.grading.course import PACKAGE, Course, deciding
from attnbook.grading.run import GradeRun
from attnbook.grading.sandbox.process import SandboxError
from attnbook.release.handout import hand_out
from tools.notebooks import ROOT


def names(paths) -> set[str]:
    return {Path(path).relative_to(PACKAGE).as_posix() for path in paths}


ALL = names(PACKAGE.rglob("*.py"))


def imported_by(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_students_get_all_but_what_grades_and_releases():
    files = hand_out(Course(ROOT), ["2_1"])
    given = {f for f in files if f.startswith("attnbook/") and f[-3:] == ".py"}
    kept = {f for f in ALL if f.split("/")[0] in ("grading", "release")}
    assert given == {f"attnbook/{name}" for name in ALL - kept - {"cli.py"}}
    for name in given:
        for module in imported_by(ast.parse(files[name])):
            assert not module.startswith(
                ("attnbook.grading", "attnbook.release", "attnbook.cli")
            ), f"{name} imports {module}, which students do not get"


def test_a_score_rests_on_all_but_what_collects_reports_and_hands_out():
    around = ("cli.py", "release/", "grading/intake/", "grading/output/")
    assert names(deciding(PACKAGE)) == {
        name for name in ALL if not name.startswith(around)
    }


def test_nothing_of_the_grader_s_is_imported_in_the_sandbox():
    """Nor anything heavy on the grader's side of it."""
    code = "import sys, {}; print(*sys.modules)"
    loaded = {
        side: subprocess.run(
            [sys.executable, "-c", code.format(f"attnbook.grading.{side}")],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout.split()
        for side in ("sandbox", "sandbox.inside", "sandbox.process")
    }
    ours = {m for m in loaded["sandbox"] if m.startswith("attnbook.")}
    assert ours == {"attnbook.grading", "attnbook.grading.sandbox"}
    room = "attnbook.grading.sandbox."
    inside = {m for m in loaded["sandbox.inside"] if "grading" in m} - ours
    assert inside == {
        room + m for m in ("frames", "inside", "jail", "pristine")
    }
    assert "torch" not in loaded["sandbox.process"]


def test_every_error_of_the_package_has_one_base():
    """One that is also Python's own may have Python's own base."""
    for name in ALL - {"errors.py"}:
        tree = ast.parse((PACKAGE / name).read_text("utf8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                assert "Exception" not in map(ast.unparse, node.bases), name


@pytest.mark.parametrize(
    "error, code, says",
    [
        (AttnbookError("Mend this."), cli.BAD_INPUT, "Mend this."),
        (SandboxError("no."), cli.NO_SANDBOX, "Nothing was graded: no."),
    ],
)
def test_an_error_is_one_sentence_and_an_exit_code(
    monkeypatch, capsys, tmp_path, error, code, says
):
    def fails(run):
        raise error

    monkeypatch.setattr(GradeRun, "conduct", fails)
    words = ["grade", str(tmp_path), "--exercise", "2_1"]
    assert cli.main([*words, "--course", str(ROOT)]) == code
    assert capsys.readouterr().err == f"{says}\n"
