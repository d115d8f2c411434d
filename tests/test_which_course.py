"""Which notebooks are masters, and whose checks a score rests on."""

import json
import shutil
from pathlib import Path

import pytest

from attnbook import cli
from attnbook.grading.clone import find_course, refuse_strangers_files
from attnbook.grading.course import Course, CourseError, checks_of
from attnbook.notebooks.names import is_sheet, sheets_below
from tools.notebooks import ROOT


@pytest.fixture
def clone(tmp_path):
    """The course's package and two of its masters, in a folder of its own."""
    root = tmp_path / "a copy"
    skip = shutil.ignore_patterns("__pycache__", "data")
    shutil.copytree(ROOT / "attnbook", root / "attnbook", ignore=skip)
    shutil.copytree(ROOT / "attnbook/data", root / "attnbook/data", ignore=skip)
    for path in (ROOT / "solutions").glob("2_*/2_[12]_*"):
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (root / "exercises").mkdir()
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def master(root: Path, number: str) -> Path:
    (path,) = root.glob(f"solutions/*/{number}_*.ipynb")
    return path


# --- masters ---------------------------------------------------------------


@pytest.mark.parametrize(
    "name, is_one",
    [
        ("2_1_queries_keys_values.ipynb", True),
        ("2_10_x.ipynb", True),
        ("2_1 my try.ipynb", False),
        ("2_1_my try.ipynb", False),
        ("2_1_x copy.ipynb", False),
        ("2_1_x-Copy1.ipynb", False),
        ("2_1_X.ipynb", False),
        ("2_1.ipynb", False),
        ("Untitled.ipynb", False),
        ("2_1_x.ipynb.txt", False),
    ],
)
def test_what_a_sheet_is_called(name, is_one):
    assert is_sheet(Path("solutions/2") / name) == is_one
    assert not is_sheet(Path("solutions/.ipynb_checkpoints") / name)


def test_notes_beside_the_masters_are_passed_by(clone):
    folder = master(clone, "2_1").parent
    for name in ("2_1 my try.ipynb", "Untitled.ipynb", "2_1.ipynb"):
        (folder / name).write_bytes(b"")
    hidden = clone / "solutions/.ipynb_checkpoints"
    hidden.mkdir()
    (hidden / "2_1_queries_keys_values.ipynb").write_bytes(b"")
    assert list(Course(clone).sheets) == ["2_1", "2_2"]
    assert [p.name[:3] for p in sheets_below(clone / "solutions")] == [
        "2_1",
        "2_2",
    ]


@pytest.mark.parametrize("more", ["_old", " copy", "-Copy1", "_v2"])
def test_two_masters_of_one_number_are_refused(clone, more, capsys):
    path = master(clone, "2_1")
    backup = path.with_stem(path.stem + more)
    shutil.copy(path, backup)
    with pytest.raises(CourseError) as reason:
        Course(clone)
    assert str(reason.value) == (
        f"Both {path.relative_to(clone)} and {backup.relative_to(clone)} in "
        f"{clone} claim to be sheet 2_1: move the one that is not out of "
        "solutions/."
    )
    words = ["release", "--exercise", "2_1", "--course", str(clone)]
    assert cli.main([*words, "--out", str(clone / "out")]) == cli.BAD_INPUT
    assert capsys.readouterr().err == f"{reason.value}\n"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"cells": [1]}'])
def test_a_broken_master_is_one_sentence(clone, data):
    path = master(clone, "2_2")
    path.write_bytes(data)
    course = Course(clone)
    assert course.digest("2_1") == Course(ROOT).digest("2_1")
    with pytest.raises(CourseError, match="cannot be read as a notebook") as e:
        course.digest("2_2")
    assert str(path) in str(e.value) and "restore it with git" in str(e.value)


def test_a_master_or_hidden_file_that_does_not_run_is_one_sentence(clone):
    path = master(clone, "2_2")
    hidden = path.with_name("2_2_hidden.py")
    hidden.write_text("HIDDEN = 1 / 0\n", "utf8")
    notebook = json.loads(path.read_text("utf8"))
    for cell in notebook["cells"]:
        cell["metadata"].get("nbgrader", {}).pop("points", None)
        if cell["cell_type"] == "code":
            cell["source"] = ["1 / 0"]
    path.write_text(json.dumps(notebook), "utf8")
    sheet = Course(clone).sheet("2_2")
    for name, file in (("hidden", hidden), ("answers", path), ("points", path)):
        with pytest.raises(CourseError, match="does not work") as reason:
            getattr(sheet, name)
        assert str(file) in str(reason.value)


def test_checks_that_build_on_another_sheet_s():
    names = [p.name for p in checks_of("2_5", ROOT / "attnbook")]
    assert names == ["ex_2_3.py", "ex_2_5.py"]


# --- clones ----------------------------------------------------------------


def test_the_course_is_that_of_the_package_wherever_one_is(tmp_path):
    assert find_course(here=tmp_path) == ROOT
    assert find_course(here=ROOT / "book") == ROOT


def test_in_another_clone_nothing_is_graded(clone, monkeypatch, capsys):
    monkeypatch.chdir(clone / "solutions")
    for words in (
        ["grade", ".", "--exercise", "2_1"],
        ["release", "--exercise", "2_1", "--out", "out"],
        ["benchmark", "--exercise", "2_1"],
        ["preflight"],
    ):
        assert cli.main(words) == cli.BAD_INPUT
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "make book" in said
        assert f"the course in {clone}, " in said and f" to {ROOT}: " in said
    assert find_course(ROOT) == ROOT  # unless it is named


def test_a_course_with_another_package_is_refused(clone, capsys):
    assert find_course(clone) == clone  # the same as the one that runs
    with open(clone / "attnbook/check/engine.py", "a", encoding="utf8") as file:
        file.write("# another version\n")
    words = ["release", "--exercise", "2_1", "--course", str(clone)]
    assert cli.main([*words, "--out", str(clone / "out")]) == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert str(clone) in said and str(ROOT) in said and said.count("\n") == 1


def test_a_course_without_a_package_is_graded_with_this_one(clone):
    shutil.rmtree(clone / "attnbook")
    assert find_course(clone) == clone


# --- who may have written it ------------------------------------------------


def test_a_course_among_the_submissions_is_refused(clone):
    with pytest.raises(CourseError, match="lies among what was handed in"):
        refuse_strangers_files(clone, clone.parent)
    refuse_strangers_files(clone, clone / "submissions")


def test_a_course_that_everyone_can_change_is_refused(clone, tmp_path):
    path = master(clone, "2_1")
    path.chmod(0o666)
    with pytest.raises(CourseError, match=f"{path.name} can be changed by"):
        refuse_strangers_files(clone, tmp_path / "in")
    path.chmod(0o664)
    refuse_strangers_files(clone, tmp_path / "in")
