"""A folder of grades keeps what was ever made there, and grades no more than
what is new or has changed. The grader itself is replaced by a quick one."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from attnbook import cli
from attnbook.grading import batch
from attnbook.grading.course import Course
from attnbook.grading.model import QuestionResult, Result
from tools.notebooks import ROOT

COURSE = Course(ROOT)
NAMES = ("anna", "ben", "cem")


@pytest.fixture
def graded(monkeypatch):
    """Whom the grader was given since this list was cleared."""
    done = []

    def grade(settings, submissions, jobs):
        for s in submissions:
            done.append(f"{s.student} {s.sheet}")
            question = QuestionResult(f"{s.sheet}.a", "a", 2, 1.0)
            yield Result(
                s.student, s.sheet, s.source, s.digest, questions=[question]
            )

    monkeypatch.setattr(batch, "grade_here", grade)
    return done


@pytest.fixture
def folder(tmp_path):
    hand_in(tmp_path / "in", *NAMES)
    return tmp_path


def hand_in(folder, *students, sheet="1_1", note=""):
    folder.mkdir(exist_ok=True)
    notebook = json.loads(COURSE.sheet(sheet).path.read_bytes())
    notebook["cells"][0]["source"] = [f"# mine {note}"]
    for student in students:
        path = folder / f"{student}.ipynb"
        path.write_text(json.dumps(notebook), "utf8")


def grade(folder, *words, source="in", course=ROOT):
    arguments = ["grade", str(folder / source), "--jobs", "1"]
    if "--exercise" not in words:
        arguments += ["--exercise", "1_1"]
    arguments += ["--out", str(folder / "out"), "--course", str(course)]
    return cli.main([*arguments, *words])


def rows(folder):
    text = (folder / "out" / "grades.csv").read_text("utf-8-sig")
    return {
        f"{row['student']} {row['sheet']}": row["points"]
        for row in csv.DictReader(text.splitlines())
    }


def all_files(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder): p.read_bytes() for p in found}


def state(folder, student, sheet="1_1") -> Path:
    for path in (folder / "out" / "state").glob("*.json"):
        result = json.loads(path.read_text("utf8"))
        if (result["student"], result["sheet"]) == (student, sheet):
            return path
    raise AssertionError(f"nothing is kept of {student}")


def test_late_work_adds_to_the_rows(folder, graded, capsys):
    assert grade(folder) == cli.ALL_GRADED
    hand_in(folder / "late", "dana", "ben", note="late")
    graded.clear()
    assert grade(folder, source="late") == cli.ALL_GRADED
    assert graded == ["ben 1_1", "dana 1_1"]
    assert list(rows(folder)) == [f"{n} 1_1" for n in (*NAMES, "dana")]
    assert "2 rows of earlier runs are kept." in capsys.readouterr().out
    log = json.loads((folder / "out" / "run.json").read_text("utf8"))
    assert len(log["notebooks"]) == 4


def test_nothing_new_changes_nothing(folder, graded):
    grade(folder)
    before = all_files(folder)
    graded.clear()
    assert grade(folder) == cli.ALL_GRADED
    assert graded == [] and all_files(folder) == before


def test_only_some_students(folder, graded, capsys):
    assert grade(folder, "--only", "ben", "anna") == cli.ALL_GRADED
    assert graded == ["anna 1_1", "ben 1_1"]
    grade(folder)
    assert graded == [f"{n} 1_1" for n in NAMES]
    before, _ = all_files(folder), capsys.readouterr()
    assert grade(folder, "--force", "--only", "ben", "Ana") == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert "There is no student Ana in " in said and "; there is anna;" in said
    assert said.count("\n") == 1 and all_files(folder) == before
    graded.clear()
    assert grade(folder, "--force", "--only", "ben") == cli.ALL_GRADED
    assert graded == ["ben 1_1"] and len(rows(folder)) == 3
    assert "2 rows of earlier runs are kept." in capsys.readouterr().out


def test_a_student_is_named_as_in_the_table(folder, graded):
    hand_in(folder / "in", "=1+1", "Jose\u0301")
    assert grade(folder, "--only", "'=1+1", "Jose\u0301") == cli.ALL_GRADED
    assert graded == ["=1+1 1_1", "José 1_1"]


def test_an_interrupted_run_ends_with_the_same_table(
    folder, graded, monkeypatch, capsys
):
    table, quick = folder / "out" / "grades.csv", batch.grade_here
    assert grade(folder) == cli.ALL_GRADED
    whole = table.read_bytes()

    def interrupted(settings, submissions, jobs):
        yield from quick(settings, submissions[:1], jobs)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "grade_here", interrupted)
    for words, kept in ((["--limit-cell", "3"], 3), (["--force"], 3)):
        assert grade(folder, *words) == cli.INTERRUPTED
        assert f"Interrupted: {kept} are kept" in capsys.readouterr().out
        assert table.read_bytes() == whole  # nobody's row is missing
    shutil.rmtree(folder / "out")
    assert grade(folder) == cli.INTERRUPTED and len(rows(folder)) == 1
    assert grade(folder) == cli.INTERRUPTED and len(rows(folder)) == 2
    monkeypatch.setattr(batch, "grade_here", quick)
    graded.clear()
    assert grade(folder) == cli.ALL_GRADED and graded == ["cem 1_1"]
    assert table.read_bytes() == whole


@pytest.mark.parametrize(
    "words, name",
    [(["--limit-cell", "3"], "limits"), (["--seed", "6"], "seed")],
)
def test_other_settings_grade_what_is_there_again(
    folder, graded, capsys, words, name
):
    grade(folder, "--seed", "5")
    graded.clear()
    (folder / "in" / "ben.ipynb").unlink()
    capsys.readouterr()
    assert grade(folder, *words) == cli.ALL_GRADED
    assert graded == ["anna 1_1", "cem 1_1"] and len(rows(folder)) == 3
    said = capsys.readouterr().out
    again = f"2 were graded before with other settings ({name}) and are graded"
    assert again in said
    stay = (
        f"1 row of earlier runs is kept, graded with other settings ({name})."
    )
    assert stay in said
    graded.clear()
    assert grade(folder, *words) == cli.ALL_GRADED and graded == []


def test_the_seed_of_the_folder_is_used_again(folder, graded):
    log = folder / "out" / "run.json"

    def seed():
        return json.loads(log.read_text("utf8"))["settings"]["seed"]

    grade(folder)
    first = seed()
    hand_in(folder / "in", "dana")
    grade(folder)
    assert seed() == first and graded[3:] == ["dana 1_1"]
    grade(folder, "--seed", "7", "--only", "ben")
    graded.clear()
    grade(folder)  # every row has a seed that was drawn for this folder
    assert seed() == 7 and graded == []
    grade(folder, "--limit-call", "4")
    kept = json.loads(state(folder, "ben").read_text("utf8"))
    assert kept["graded_with"]["seed"] == 7 and len(graded) == 4


def test_another_sheet_beside_the_first(folder, graded):
    for number in ("1_1", "1_2"):
        hand_in(folder / "both", f"anna_{number}", sheet=number)
    one, two = ["--exercise", "1_1"], ["--exercise", "1_2"]
    grade(folder, *one, source="in")
    graded.clear()
    (folder / "both" / "anna_1_1.ipynb").write_bytes(
        (folder / "in" / "anna.ipynb").read_bytes()
    )
    assert grade(folder, *one, "1_2", source="both") == cli.ALL_GRADED
    assert graded == ["anna 1_2"] and len(rows(folder)) == 4
    graded.clear()
    hand_in(folder / "more", "ben", sheet="1_2")
    grade(folder, *two, source="more")
    assert graded == ["ben 1_2"] and len(rows(folder)) == 5


def test_nothing_handed_in_now_takes_no_score_away(folder, graded, capsys):
    grade(folder, "--exercise", "1_1")
    hand_in(folder / "both", "anna_1_2", "anna_1_1", sheet="1_2")
    (folder / "both" / "anna_1_1.ipynb").unlink()
    words = ["--exercise", "1_1", "1_2"]
    assert grade(folder, *words, source="both") == cli.SOME_NOT
    assert rows(folder)["anna 1_1"] == "1" and rows(folder)["anna 1_2"] == "1"
    assert "3 rows of earlier runs are kept." in capsys.readouterr().out
    hand_in(folder / "both", "dana_1_2", sheet="1_2")
    grade(folder, *words, source="both")
    assert rows(folder)["dana 1_1"] == ""  # not graded is kept, too
    grade(folder)
    assert rows(folder)["dana 1_1"] == "" and len(rows(folder)) == 6


def test_a_grade_changed_by_hand_is_kept_in_a_copy(folder, graded, capsys):
    grade(folder)
    table = folder / "out" / "grades.csv"
    mine = table.read_bytes().replace(b"graded,1,", b"graded,2,")
    table.write_bytes(mine)
    capsys.readouterr()
    for times in (1, 0):
        assert grade(folder) == cli.ALL_GRADED
        said = capsys.readouterr().out
        assert said.count("a copy is kept in grades.") == times
    (aside,) = (folder / "out").glob("grades.*.csv")
    assert aside.read_bytes() == mine and rows(folder)["anna 1_1"] == "1"


def test_a_grader_that_fails_takes_no_score_away(
    folder, graded, monkeypatch, capsys
):
    def failing(settings, submissions, jobs):
        for submission in submissions:
            yield batch.not_graded(submission, "The grader could not work.")

    grade(folder)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "grade_here", failing)
        hand_in(folder / "in", "ben", "dana", note="new")
        assert grade(folder, "--force") == cli.SOME_NOT
    assert "2 rows of earlier runs are kept." in capsys.readouterr().out
    assert rows(folder) == {
        "anna 1_1": "1",
        "ben 1_1": "",  # another notebook, which was not graded
        "cem 1_1": "1",
        "dana 1_1": "",
    }
    graded.clear()
    assert grade(folder) == cli.ALL_GRADED
    assert graded == ["ben 1_1", "dana 1_1"]


# --- masters ---------------------------------------------------------------


@pytest.fixture
def course(tmp_path):
    """Two sheets that may be changed."""
    root = tmp_path / "course"
    for number in ("1_1", "1_2"):
        path = COURSE.sheet(number).path
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        hidden = f"{number}_hidden.py"
        shutil.copy(path.with_name(hidden), target.with_name(hidden))
    return root


def change(course, number, what):
    path = Course(course).sheet(number).path
    notebook = json.loads(path.read_text("utf8"))
    what([c for c in notebook["cells"]])
    path.write_text(json.dumps(notebook), "utf8")


def other_code(cells):
    code = next(c for c in cells if c["cell_type"] == "code")
    code["source"] = ["# other\n", *code["source"]]


def other_points(cells):
    marks = (c["metadata"].get("nbgrader", {}) for c in cells)
    next(m for m in marks if m.get("grade"))["points"] = 9


def other_text_and_outputs(cells):
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["outputs"] = []
        else:
            cell["source"] = ["a better sentence"]


def test_a_changed_master_grades_its_own_sheet_again(
    folder, course, graded, capsys
):
    hand_in(folder / "both", "anna_1_1", "ben_1_1")
    hand_in(folder / "both", "anna_1_2", sheet="1_2")

    def again():
        graded.clear()
        words = ["--exercise", "1_1", "1_2"]
        grade(folder, *words, source="both", course=course)
        return graded

    assert again() == ["anna 1_1", "anna 1_2", "ben 1_1"]
    assert again() == []
    change(course, "1_2", other_text_and_outputs)
    assert again() == []
    change(course, "1_2", other_code)
    assert again() == ["anna 1_2"]
    assert "(version of the sheet or the grader)" in capsys.readouterr().out
    change(course, "1_1", other_points)
    assert again() == ["anna 1_1", "ben 1_1"]
    hidden = next(course.glob("solutions/*/1_2_hidden.py"))
    hidden.write_text(hidden.read_text("utf8") + "\n# other\n", "utf8")
    assert again() == ["anna 1_2"]


# --- damage ----------------------------------------------------------------


def make_folder(path):
    path.unlink()
    path.mkdir()
    (path / "something").write_text("of somebody's")


DAMAGE = {
    "empty": b"",
    "half": b'{"student": "ben", ',
    "a list": b"[]",
    "null": b"null",
    "other": b'{"settings": 3, "questions": {}}',
    "Latin-1": '{"student": "José"}'.encode("latin-1"),
    "binary": b"\x00\xff\xfe",
    "deep": b"[" * 99_999,
    "folder": None,
}
BAD_LOGS = {
    "no seed": b'{"settings": {}}',
    "a word": b'{"settings": {"seed": "5"}}',
    "negative": b'{"settings": {"seed": -5}}',
    "true": b'{"settings": {"seed": true}}',
    "keys": b'{"settings": [], "notebooks": {"ben": 1, "a/b": 2}}',
}


def damage(path, data):
    make_folder(path) if data is None else path.write_bytes(data)


@pytest.mark.parametrize("data", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_result_is_made_anew_or_named(folder, graded, capsys, data):
    grade(folder)
    damage(state(folder, "ben"), data)
    hand_in(folder / "late", "dana")
    graded.clear()
    capsys.readouterr()
    assert grade(folder, source="late") == cli.ALL_GRADED
    said = capsys.readouterr()
    assert "ben, 1_1, has to be graded again." in said.err
    assert said.err.count("\n") == 1 and "1 row of " in said.out
    assert rows(folder)["ben 1_1"] == "1" and len(rows(folder)) == 4
    assert grade(folder) == cli.ALL_GRADED
    assert graded == ["dana 1_1", "ben 1_1"]
    said = capsys.readouterr()
    assert "ben, 1_1, is graded again." in said.err
    assert "left as" not in said.out and len(rows(folder)) == 4
    if data is None:
        assert list((folder / "out").glob("state/*/something"))


@pytest.mark.parametrize("field", ["points", "checks", "title", "out_of"])
def test_a_result_with_a_value_of_another_type_is_damaged(
    folder, graded, capsys, field
):
    grade(folder)
    path = state(folder, "ben")
    result = json.loads(path.read_text("utf8"))
    result["questions"][0][field] = None
    path.write_text(json.dumps(result), "utf8")
    graded.clear()
    assert grade(folder) == cli.ALL_GRADED and graded == ["ben 1_1"]
    assert "is damaged (it holds no result)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "data", (DAMAGE | BAD_LOGS).values(), ids=DAMAGE | BAD_LOGS
)
def test_a_damaged_log_stops_before_anything_is_written(
    folder, graded, capsys, data
):
    grade(folder, "--seed", "5")
    log = folder / "out" / "run.json"
    damage(log, data)
    before = all_files(folder)
    graded.clear()
    capsys.readouterr()
    assert grade(folder) == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and str(log) in said
    assert all_files(folder) == before and graded == []
    if data is None:
        assert "cannot be read (Is a directory): mend that" in said
        assert grade(folder, "--seed", "5") == cli.BAD_INPUT
        assert capsys.readouterr().err == said
        return
    assert "is damaged: give the seed of the earlier run with --seed 5" in said
    assert grade(folder, "--seed", "5") == cli.ALL_GRADED and graded == []
    assert grade(folder) == cli.ALL_GRADED and len(rows(folder)) == 3


def test_a_missing_log(folder, graded, capsys):
    grade(folder, "--seed", "5")
    (folder / "out" / "run.json").unlink()
    assert grade(folder) == cli.BAD_INPUT
    assert (
        "is missing beside the results: give the seed"
        in capsys.readouterr().err
    )


# --- the folder itself -----------------------------------------------------


def test_the_own_folders_are_not_handed_in(folder, graded, monkeypatch, capsys):
    monkeypatch.chdir(folder / "in")
    words = ["grade", ".", "--exercise", "1_1", "--course", str(ROOT)]
    for more in ([], [], ["--out", "again"], ["--out", "."], ["--out", "."]):
        assert cli.main([*words, *more]) == cli.ALL_GRADED, more
        out = Path(more[-1] if more else "grades")
        text = (out / "grades.csv").read_text("utf-8-sig")
        assert [line.split(",")[0] for line in text.splitlines()[1:]] == [
            *NAMES
        ]
    capsys.readouterr()
    listed = Path("grades/files.csv").read_text("utf-8-sig")
    names = [Path(x.split(",")[0]).name for x in listed.splitlines()[1:4]]
    assert names == [f"{name}.ipynb" for name in NAMES]
