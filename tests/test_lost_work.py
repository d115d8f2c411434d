"""No command overwrites or deletes what somebody wrote."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import derive, run, work
from tools.derive import DIGESTS, Sheets
from tools.notebooks import ROOT, find, is_course_notebook, read, write

NAME = "exercises/1_principles/1_1_why_attention.ipynb"
OTHER = "exercises/1_principles/1_2_scores_weights_sum.ipynb"


@pytest.fixture
def clone(tmp_path):
    """Two masters, their sheets, and what is remembered of them."""
    for name in (NAME, OTHER):
        for path in (name, name.replace("exercises", "solutions")):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, tmp_path / path)
    Sheets(tmp_path).renew()
    return tmp_path


def solve(path: Path) -> bytes:
    notebook = read(path)
    notebook.cells[1].source += "\n# my answer"
    write(notebook, path)
    return path.read_bytes()


def change_master(clone: Path, name: str) -> None:
    path = clone / name.replace("exercises", "solutions")
    notebook = read(path)
    notebook.cells[0].source += "\n\nOne more sentence."
    write(notebook, path)


def test_what_was_derived_is_renewed(clone):
    assert Sheets(clone).stale() == Sheets(clone).changed == []
    change_master(clone, NAME)
    assert Sheets(clone).stale() == [NAME]
    Sheets(clone).renew()
    assert "One more sentence." in (clone / NAME).read_text("utf8")
    assert Sheets(clone).stale() == []


@pytest.mark.parametrize("newer", [False, True])
def test_a_solved_sheet_is_left_as_it_is(clone, newer):
    mine = solve(clone / NAME)
    if newer:
        change_master(clone, NAME)
    for _ in range(2):  # also when the digests were written again
        sheets = Sheets(clone)
        assert sheets.changed == [NAME] and sheets.stale() == []
        sheets.renew()
        assert (clone / NAME).read_bytes() == mine


def test_outputs_are_no_work(clone):
    notebook = read(clone / NAME)
    code = next(c for c in notebook.cells if c.cell_type == "code")
    code.execution_count = 3
    write(notebook, clone / NAME)
    assert Sheets(clone).stale() == [NAME]


def test_a_damaged_sheet_is_left_as_it_is(clone):
    (clone / NAME).write_text("half a noteb", "utf8")
    Sheets(clone).renew()
    assert (clone / NAME).read_text("utf8") == "half a noteb"


def test_damaged_digests_are_one_sentence(clone):
    (clone / DIGESTS).write_text("<<<<<<< HEAD", "utf8")
    with pytest.raises(SystemExit, match="is damaged: `git restore"):
        Sheets(clone)


def test_copies_and_scratch_notebooks_stay(clone):
    copies = ["1_1 my try.ipynb", "1_1_why_attention-Copy1.ipynb"]
    copies += ["1_1_why_attention_mine.ipynb", "Untitled.ipynb", "a#$:b.ipynb"]
    for name in copies:
        shutil.copy(clone / NAME, clone / "exercises/1_principles" / name)
    (clone / "solutions/1_principles/Untitled.ipynb").write_bytes(b"")
    sheets = Sheets(clone)
    assert sheets.orphans() == sheets.changed == sheets.stale() == []
    sheets.renew()
    left = {p.name for p in (clone / "exercises/1_principles").iterdir()}
    assert left >= set(copies)


def test_an_orphan_goes_only_if_nobody_changed_it(clone):
    mine = solve(clone / NAME)
    for name in (NAME, OTHER):
        (clone / name.replace("exercises", "solutions")).unlink()
    sheets = Sheets(clone)
    assert sheets.orphans() == [OTHER] and sheets.changed == [NAME]
    sheets.renew()
    assert not (clone / OTHER).exists()
    assert (clone / NAME).read_bytes() == mine


def test_the_command_says_what_it_left(clone, monkeypatch, capsys):
    solve(clone / NAME)
    monkeypatch.setattr(derive, "Sheets", lambda: Sheets(clone))
    for words in (["derive"], ["derive", "--check"]):
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as end:
            derive.main()
        said = capsys.readouterr().err
        assert end.value.code and said.count("\n") == 1
        assert said.startswith(f"{NAME} holds changes of yours: it is left")
        assert f"git restore {NAME}" in said


def test_the_digests_are_those_of_the_sheets():
    stored = json.loads((ROOT / DIGESTS).read_text("utf8"))
    assert stored == {
        name: derive.cells_digest(read(ROOT / name)) for name in stored
    }
    assert len(stored) == len(find(folders=("exercises",)))


# --- work/ ------------------------------------------------------------------


def test_a_copy_is_laid_once_and_never_touched(clone):
    assert len(work.lay_out(clone)[0]) == 2
    name = NAME.removeprefix("exercises/")
    mine = solve(clone / "work" / name)
    assert work.lay_out(clone) == ([], [])
    change_master(clone, NAME)
    Sheets(clone).renew()
    assert work.lay_out(clone) == ([], [name])
    assert (clone / "work" / name).read_bytes() == mine
    (clone / "work" / name).rename(clone / "work" / "mine.ipynb")
    assert work.lay_out(clone) == ([name], [])
    assert work.lay_out(clone) == ([], [])
    assert (clone / "work" / "mine.ipynb").read_bytes() == mine


def test_what_was_solved_in_place_moves_to_work(clone):
    """And to restore the sheet then is no news of it."""
    sheet, mine = (clone / NAME).read_bytes(), solve(clone / NAME)
    work.lay_out(clone)
    (clone / NAME).write_bytes(sheet)
    assert work.lay_out(clone) == ([], [])
    copy = clone / "work" / NAME.removeprefix("exercises/")
    assert copy.read_bytes() == mine


def test_links_of_a_sheet_lead_somewhere_from_work_too():
    for sheet in find(folders=("exercises",)):
        assert len(sheet.relative_to(ROOT / "exercises").parts) == 2


def test_git_ignores_peoples_folders():
    lines = (ROOT / ".gitignore").read_text("utf8").splitlines()
    assert {"/work/", "/submissions/", "/grades/"} <= set(lines)


# --- make run ---------------------------------------------------------------


def test_what_was_saved_while_a_notebook_ran_stays(tmp_path):
    path = tmp_path / "slow.ipynb"
    source = "from pathlib import Path\nPath('slow.ipynb').write_text('mine')"
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), path)
    done = run.execute(path)
    assert done == {"failed": "it was changed while it ran: nothing is written"}
    assert path.read_text("utf8") == "mine"


def test_a_kill_while_writing_leaves_the_old_notebook(tmp_path, monkeypatch):
    path = tmp_path / "any.ipynb"
    write(new_notebook(), path)
    path.chmod(0o640)
    before = path.read_bytes()

    def killed(notebook, target):
        Path(target).write_text("half", "utf8")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tools.notebooks.nbformat.write", killed)
        with pytest.raises(KeyboardInterrupt):
            write(new_notebook(), path)
    assert path.read_bytes() == before
    write(new_notebook(cells=[new_code_cell("x")]), path)
    assert path.stat().st_mode & 0o777 == 0o640


# --- which notebooks are the course's ---------------------------------------


@pytest.mark.parametrize(
    "name, is_one",
    [
        ("solutions/1_principles/1_1_why_attention.ipynb", True),
        ("exercises/1_principles/1_1_why_attention.ipynb", True),
        ("exercises/1_principles/1_1_why_attention_mine.ipynb", False),
        ("exercises/1_principles/1_1 my try.ipynb", False),
        ("chapters/1_principles/1_1_any_topic.ipynb", True),
        ("chapters/1_principles/Untitled.ipynb", False),
        ("chapters/1_principles/.ipynb_checkpoints/1_1_a.ipynb", False),
        ("chapters/.ipynb_checkpoints/1_1_a.ipynb", False),
        ("chapters/1_1_why_attention.ipynb", False),
        ("work/1_principles/1_1_why_attention.ipynb", False),
        ("submissions/1_principles/1_1_why_attention.ipynb", False),
        ("any/1_1_why_attention.ipynb", False),
    ],
)
def test_name_and_place_tell_a_course_notebook(name, is_one):
    assert is_course_notebook(ROOT / name) is is_one


def test_two_masters_of_one_number_are_refused(clone):
    path = clone / NAME.replace("exercises", "solutions")
    shutil.copy(path, path.with_name("1_1_why_attention_old.ipynb"))
    with pytest.raises(SystemExit, match="have the same number: rename"):
        find(folders=("solutions",), root=clone)


def test_pytest_takes_only_the_courses_notebooks(tmp_path):
    """Also by the plain command of README.md."""
    import conftest

    part = ROOT / "exercises" / "1_principles"
    for name in ("1_1 my try.ipynb", "Untitled.ipynb"):
        assert conftest.pytest_ignore_collect(part / name)
    assert conftest.pytest_ignore_collect(ROOT / "submissions/a/1_1_b.ipynb")
    assert conftest.pytest_ignore_collect(ROOT / NAME) is None
    assert conftest.pytest_ignore_collect(tmp_path / "any.ipynb") is None


def test_ruff_does_not_look_at_a_students_notebook(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("submissions/anna.ipynb", "work/1_1_a.ipynb", "x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{ no notebook", "utf8")
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "."]
    done = subprocess.run(
        ruff, cwd=tmp_path, capture_output=True, encoding="utf8"
    )
    assert done.returncode == 0, done.stdout
