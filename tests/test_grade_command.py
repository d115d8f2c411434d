"""`attnbook grade` as an instructor runs it, on good and on bad input."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from attnbook import cli
from attnbook.grading.course import Course
from attnbook.grading.grader import Grader
from attnbook.grading.model import QuestionResult, Result
from attnbook.grading.output.runfolder import RunFolder
from attnbook.grading.sandbox.process import Sandbox, SandboxError
from tests.mixed_class import write_class
from tests.needs import require, skip_without_sandbox
from tools.notebooks import ROOT

SHEET = "1_1"
COMMAND = [sys.executable, "-m", "attnbook.cli", "grade"]


@pytest.fixture(scope="module", autouse=True)
def sandbox_works():
    try:
        with Sandbox():
            pass
    except SandboxError as error:
        skip_without_sandbox(error)


def solved(sheet=SHEET):
    return Course(ROOT).sheet(sheet).path.read_bytes()


def unsolved(sheet=SHEET):
    path = Course(ROOT).sheet(sheet).path
    return (ROOT / "exercises" / path.parent.name / path.name).read_bytes()


def without(letter):
    """The solved notebook without the answer of one question."""
    notebook = json.loads(solved())
    for cell in notebook["cells"]:
        mark = cell["metadata"].get("nbgrader", {})
        if mark.get("grade_id") == f"{SHEET}_{letter}":
            cell["source"] = "pass"
    return json.dumps(notebook).encode()


def three_students_and_no_notebook(folder):
    """12 points, 0, something between; and a file that is no notebook."""
    (folder / "in").mkdir()
    for name, data in (
        ("anna", solved()),
        ("ben", unsolved()),
        ("cem", without("b")),
        ("dana", b"no notebook"),
    ):
        (folder / "in" / f"{name}.ipynb").write_bytes(data)
    return folder


@pytest.fixture
def folder(tmp_path):
    return three_students_and_no_notebook(tmp_path)


def grade(folder, *words):
    """Exit code of a run in this process, with one worker unless told."""
    arguments = [
        "grade",
        str(folder / "in"),
        "--exercise",
        SHEET,
        "--jobs",
        "1",
    ]
    arguments += ["--out", str(folder / "out"), "--course", str(ROOT)]
    return cli.main([*arguments, *words])


def grades(folder):
    text = (folder / "out" / "grades.csv").read_text("utf-8-sig")
    return {row["student"]: row for row in csv.DictReader(text.splitlines())}


def test_a_small_class(folder, capsys):
    assert grade(folder) == cli.SOME_NOT
    rows = grades(folder)
    assert [rows[n]["points"] for n in ("anna", "ben", "dana")] == [
        "12",
        "0",
        "",
    ]
    assert rows["cem"][f"{SHEET}.b"] == "0"
    assert float(rows["cem"]["points"]) < 12
    assert rows["dana"]["state"] == "not graded"
    assert "is not JSON" in rows["dana"]["why"]
    said = capsys.readouterr().out
    assert "anna  1_1  12.00 of 12" in said and "not graded" in said
    log = json.loads((folder / "out" / "run.json").read_text("utf8"))
    assert log["settings"]["sheets"] == [SHEET]
    assert set(log["versions"]) == {"attnbook", "numpy", "torch", "python"}
    assert len(log["notebooks"][f"anna/{SHEET}"]) == 64
    page = (folder / "out" / "students" / "cem" / f"{SHEET}.html").read_text()
    assert str(log["settings"]["seed"]) not in page


def test_run_again_grades_only_what_is_new(folder, capsys):
    grade(folder, "--seed", "5")
    (folder / "in" / "ben.ipynb").write_bytes(solved())
    (folder / "in" / "dana.ipynb").unlink()
    capsys.readouterr()
    assert grade(folder) == cli.ALL_GRADED
    said = capsys.readouterr().out
    assert "2 were graded before" in said
    assert "ben" in said and "anna" not in said.split("sheet")[0]
    assert grades(folder)["ben"]["points"] == "12"


def test_the_same_seed_gives_the_same_results(folder):
    kept = []
    for name in ("one", "two"):
        out = folder / name
        grade(folder, "--seed", "5", "--out", str(out))
        results = [json.loads(p.read_text()) for p in out.glob("state/*")]
        for result in results:
            del result["cpu_seconds"], result["wall_seconds"]
        kept.append(sorted(results, key=lambda r: r["student"]))
    assert kept[0] == kept[1]


def big_class(folder, count=9):
    (folder / "in" / "dana.ipynb").unlink()
    for number in range(count):
        data = without("b") if number % 3 else solved()
        (folder / "in" / f"student{number:02d}.ipynb").write_bytes(data)


def begun(folder, count):
    """A run in another process, `count` results in."""
    command = [*COMMAND, str(folder / "in"), "--exercise", SHEET]
    command += ["--out", str(folder / "out"), "--course", str(ROOT)]
    command += ["--seed", "5", "--jobs", "1"]
    pipe = subprocess.PIPE
    run = subprocess.Popen(
        command, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    )
    end = time.monotonic() + 120
    while len(list(folder.glob("out/state/*.json"))) < count:
        assert time.monotonic() < end and run.poll() is None
        time.sleep(0.02)
    return run


def points(folder):
    return {name: row["points"] for name, row in grades(folder).items()}


@pytest.fixture(scope="module")
def points_without_a_stop(tmp_path_factory):
    folder = three_students_and_no_notebook(tmp_path_factory.mktemp("whole"))
    big_class(folder)
    grade(folder, "--seed", "5")
    return points(folder)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_goes_on(
    folder, how, capsys, points_without_a_stop
):
    big_class(folder)
    run = begun(folder, 4)
    inside = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(how)
    said, _ = run.communicate(timeout=60)
    kept = len(list(folder.glob("out/state/*.json")))
    assert 4 <= kept < 12
    if how == signal.SIGINT:
        assert run.returncode == cli.INTERRUPTED
        assert f"{kept} are kept" in said
        assert len(grades(folder)) == kept
    gone, alive = psutil.wait_procs(inside, timeout=20)
    assert not alive, "processes were left behind"
    assert grade(folder) == cli.ALL_GRADED
    assert f"{kept} were graded before" in capsys.readouterr().out
    assert points(folder) == points_without_a_stop
    assert len(points_without_a_stop) == 12


def test_a_grader_that_dies_costs_nobody_a_point(folder):
    big_class(folder)
    run = begun(folder, 2)
    workers = [
        p
        for p in psutil.Process(run.pid).children()
        if p.name().startswith("python")
    ]
    workers[0].kill()
    run.communicate(timeout=120)
    assert run.returncode == cli.ALL_GRADED
    assert points(folder)["student00"] == "12" and len(points(folder)) == 12


def test_two_runs_do_not_share_a_folder(folder, capsys):
    big_class(folder)
    run = begun(folder, 1)
    assert grade(folder) == cli.BAD_INPUT
    assert "Another run is writing" in capsys.readouterr().err
    run.kill()
    run.wait()


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--exercise", "9_9"], "There is no exercise sheet 9_9; there are: "),
        (["--course", "/usr"], "There are no masters under /usr/solutions"),
        (["--out", "/proc/grades"], "/proc/grades cannot be written"),
        (["--scheduler", "tcp://127.0.0.1:9"], "No Dask scheduler answers"),
    ],
)
def test_bad_input_is_one_sentence(folder, capsys, words, sentence):
    if "--scheduler" in words:
        require("the package distributed")
    assert grade(folder, *words) == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert sentence in said and "Traceback" not in said


def test_an_empty_folder(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    assert grade(tmp_path) == cli.BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1


def test_a_full_disk_loses_nothing(folder, capsys, monkeypatch):
    keep, calls = RunFolder.keep, []

    def full(self, result):
        if calls:
            raise OSError(28, "No space left on device", "grades")
        calls.append(result)
        keep(self, result)

    monkeypatch.setattr(RunFolder, "keep", full)
    assert grade(folder, "--seed", "5") == cli.BAD_INPUT
    assert "No space left on device" in capsys.readouterr().err
    monkeypatch.undo()
    assert grade(folder) == cli.SOME_NOT
    assert "1 was graded before" in capsys.readouterr().out
    assert points(folder)["anna"] == "12"


def test_without_bubblewrap_nothing_is_graded(folder, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    assert grade(folder) == cli.NO_SANDBOX
    said = capsys.readouterr().err
    assert "apt install bubblewrap" in said
    assert not list(folder.glob("out/state/*.json"))
    assert grade(folder, "--no-sandbox") == cli.SOME_NOT
    assert "WARNING: --no-sandbox" in capsys.readouterr().err


def test_names_in_any_locale_and_under_a_strict_umask(tmp_path):
    names = ["José ★ 李", "Zoë"]
    (tmp_path / "in").mkdir()
    for name, data in zip(names, (solved(), b"{}")):
        (tmp_path / "in" / f"{name}.ipynb").write_bytes(data)
    out = tmp_path / "Ergebnisse ★"
    words = [*COMMAND, "in", "--exercise", SHEET, "--course", str(ROOT)]
    done = subprocess.run(
        [*words, "--out", str(out)],
        cwd=tmp_path,
        env=os.environ
        | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"},
        umask=0o077,
        capture_output=True,
    )
    assert done.returncode == cli.SOME_NOT, done.stderr
    said = done.stdout.decode("latin-1")
    assert "José ? ?" in said and "12.00 of 12" in said
    rows = csv.DictReader((out / "grades.csv").open(encoding="utf-8-sig"))
    assert {row["student"]: row["points"] for row in rows} == {
        names[0]: "12",
        names[1]: "",
    }
    pages = [p.parent.name for p in out.glob("students/*/*.html")]
    assert sorted(p[:4] for p in pages) == ["José", "Zoë~"]


def test_where_no_locale_is_set_a_program_speaks_utf8(tmp_path):
    program = tmp_path / "★.py"
    program.write_text(
        "import sys\nfrom attnbook.console import speak_utf8\nspeak_utf8()\n"
        "open(sys.argv[1], 'w').write('★')\nprint(sys.argv[1], '\\udce9')\n",
        "utf8",
    )
    done = subprocess.run(
        [sys.executable, program, "李"],
        cwd=tmp_path,
        env=os.environ
        | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert done.stdout.decode() == "李 ?\n", done.stderr
    assert (tmp_path / "李").read_text("utf8") == "★"


def only_sheets(monkeypatch, *numbers):
    """A course of fewer sheets."""
    begin = Course.__init__

    def init(self, root):
        begin(self, root)
        self.sheets = {n: self.sheets[n] for n in numbers}

    monkeypatch.setattr(Course, "__init__", init)


def test_preflight_says_that_it_works(monkeypatch, capsys):
    only_sheets(monkeypatch, "1_1", "2_3")
    assert cli.main(["preflight"]) == 0
    said = capsys.readouterr().out
    assert "works" in said and "2 solved sheets got all" in said


def test_preflight_notices_that_solved_sheets_get_less(monkeypatch, capsys):
    """As where a package cannot be read."""
    only_sheets(monkeypatch, "1_1")
    question = QuestionResult("1_1.a", "", 3.0, 1.0)
    poor = Result("x", "1_1", "", questions=[question], notes=["No scipy."])
    monkeypatch.setattr(Grader, "grade", lambda self, submission: poor)
    assert cli.main(["preflight"]) == cli.NO_SANDBOX
    said = capsys.readouterr().err
    assert "sheet 1_1 gets 1 of 3 points here. No scipy." in said


def test_the_graders_own_memory_has_a_limit():
    """In a process of its own: the limit stays."""
    script = (
        "import numpy\n"
        "from attnbook.grading.batch import limit_own_memory\n"
        "limit_own_memory()\n"
        "numpy.ones(10**7)\n"
        "try: numpy.ones(10**8)\n"
        "except MemoryError: print('none left')"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "none left\n", done.stderr


def test_scores_reach_nbgrader(folder, capsys):
    require("the package nbgrader")
    course = folder / "course"
    words = ["--exercise", SHEET, "--course", str(ROOT), "--out", str(course)]
    assert cli.main(["release", "--nbgrader", *words]) == 0
    assert grade(folder, "--nbgrader-course", str(course)) == cli.SOME_NOT
    assert "written to the gradebook" in capsys.readouterr().out
    placed = {p.parts[-3] for p in course.glob("autograded/*/*/*.ipynb")}
    assert placed == {"anna", "ben", "cem"}
    assert grade(folder, "--nbgrader-course", str(folder)) == cli.BAD_INPUT
    assert "is no nbgrader course" in capsys.readouterr().err


def test_a_class_of_mixed_quality_gets_what_it_deserves(tmp_path):
    deserved = write_class(tmp_path / "in", 30)
    assert set(deserved.values()) == {12, 10, 8, 0, None}
    words = ["--exercise", "2_1", "--limit-cell", "2", "--limit-call", "1"]
    words += ["--limit-question", "2", "--jobs", "2"]
    assert grade(tmp_path, *words) == cli.SOME_NOT
    got = {
        name: float(row["points"]) if row["points"] else None
        for name, row in grades(tmp_path).items()
    }
    assert got == deserved
