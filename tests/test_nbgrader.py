"""With the real nbgrader: releases, autograding, the gradebook, formgrader."""

import csv
import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from importlib import import_module
from pathlib import Path

import pytest

from attnbook.grading.course import Course, CourseError
from attnbook.grading.model import (
    NOT_GRADED,
    QuestionResult,
    Result,
)
from attnbook.grading.output.gradebook import (
    GradebookError,
    address,
    in_file,
    write_scores,
)
from attnbook.grading.output.marks import place_submissions
from attnbook.grading.output.nbgrader_tools import (
    grade_with_nbgrader,
    lay_out,
    path_with_tools,
    run_nbgrader,
)
from attnbook.grading.strangers import student_id
from attnbook.notebooks.cells import tags
from tests.needs import module, needs, require, skip
from tools.notebooks import ROOT, read

pytestmark = needs("the package nbgrader")
api = module("nbgrader.api")

COURSE = Course(ROOT)
SHEET = COURSE.sheet("2_4")  # a find-the-bug exercise, 12 points
SECRET = "don't @ me/5"
EVIL = "</code><script>steal()</script>"


@pytest.fixture(scope="module", autouse=True)
def own_settings(tmp_path_factory):
    """nbgrader and Jupyter read no settings of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(
            "JUPYTER_NO_CONFIG", raising=False
        )  # loads none of nbgrader
        for name in ("CONFIG", "DATA", "RUNTIME"):
            folder = tmp_path_factory.mktemp(name.lower())
            patch.setenv(f"JUPYTER_{name}_DIR", str(folder))
        yield


def nbgrader(folder: Path, *arguments: str) -> str:
    """What the command prints; the test fails if the command does."""
    done = run_nbgrader(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def exercise(sheet) -> Path:
    """What a student gets of this sheet."""
    return ROOT / "exercises" / sheet.path.relative_to(ROOT / "solutions")


def result(student: str, share: float | None, sheet=SHEET) -> Result:
    """Every question with this share of its points; None is not graded."""
    out = Result(student, sheet.number, source="")
    if share is None:
        out.state, out.why = NOT_GRADED, "the file is not a notebook"
        return out
    out.questions = [
        QuestionResult(key, key, most, share * most)
        for key, most in sheet.points.items()
    ]
    return out


# A course folder, from release to autograde.


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """All sheets laid out and given to `nbgrader generate_assignment`."""
    folder = tmp_path_factory.mktemp("course")
    written = lay_out(COURSE, list(COURSE.sheets), folder)
    assert len(written) == len(COURSE.sheets) + 1
    nbgrader(folder, "generate_assignment", "*")
    return folder


@pytest.mark.parametrize("sheet", COURSE.sheets.values(), ids=COURSE.sheets)
def test_generate_assignment_gives_our_exercises(released, sheet):
    name = f"release/{sheet.number}/{sheet.stem}.ipynb"
    ours, theirs = read(exercise(sheet)).cells, read(released / name).cells
    plain = [c.source.replace(", strict=True)", ")") for c in theirs]
    assert plain == [c.source for c in ours]
    assert not any("attnbook" in c.metadata or tags(c) for c in theirs)
    assert not any(c.get("outputs") for c in theirs)
    checks = [c for c in theirs if c.metadata.get("nbgrader", {}).get("grade")]
    assert len(checks) == len(sheet.exercises)
    assert all(c.source.endswith(", strict=True)") for c in checks)


def test_a_solution_without_end_mark_is_not_released():
    from attnbook.grading.nbgrader_plugin import StudentVersion

    master = read(SHEET.path)
    cell = next(c for c in master.cells if "### END SOLUTION" in c.source)
    cell.source = cell.source.replace("### END SOLUTION", "")
    with pytest.raises(RuntimeError, match="no end mark, .* def "):
        StudentVersion().preprocess(master, {})


def test_validate_passes_the_master_and_fails_the_exercises(released):
    name = f"{SHEET.number}/{SHEET.stem}.ipynb"
    said = nbgrader(released, "validate", f"source/{name}", f"release/{name}")
    first, rest = said.split("\n", 1)
    assert first == "Success! Your notebook passes all the tests."
    assert f"VALIDATION FAILED ON {len(SHEET.exercises)} CELL(S)!" in rest


def test_autograde_gives_all_points_or_none(tmp_path):
    """Students' files as they are: without metadata, ids lost or kept."""
    solved = json.loads(SHEET.path.read_text("utf8"))
    for cell in solved["cells"]:
        cell["metadata"] = {}
        del cell["id"]
    solved["nbformat_minor"] = 4
    handed_in = {
        "anna": json.dumps(solved).encode(),
        "ben": exercise(SHEET).read_bytes(),
    }
    graded = grade_with_nbgrader(handed_in, SHEET, tmp_path)
    assert graded["scores"] == {"anna": sum(SHEET.points.values()), "ben": 0}
    assert graded["cpu"] > 1 and graded["wall"] > 1


def test_lay_out_keeps_what_is_someone_elses(tmp_path):
    config = tmp_path / "nbgrader_config.py"
    assert lay_out(COURSE, ["2_4"], tmp_path)[0] == config
    assert lay_out(COURSE, ["2_4", "1_1"], tmp_path)  # again: more sheets
    config.write_text("c = get_config()")
    with pytest.raises(CourseError, match="left as it is"):
        lay_out(COURSE, ["2_4"], tmp_path)
    assert config.read_text() == "c = get_config()"
    config.unlink()
    (mine,) = tmp_path.glob("source/2_4/*.ipynb")
    mine.write_text("my own version")
    with pytest.raises(CourseError, match="is not the present master"):
        lay_out(COURSE, ["1_1", "2_4"], tmp_path)
    assert mine.read_text() == "my own version" and not config.exists()
    with pytest.raises(CourseError, match="no exercise sheet 9_9"):
        lay_out(COURSE, ["9_9"], tmp_path / "new")
    assert not (tmp_path / "new").exists()
    config.write_text("a file")
    with pytest.raises(CourseError, match="cannot be written"):
        lay_out(COURSE, ["2_4"], config)


# The gradebook, in both databases.


@pytest.fixture(scope="module")
def postgres():
    """A PostgreSQL server of our own: the start of its URLs, to which user,
    password and database are still to be added."""
    require("the package psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        skip("PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="attnbook-"))  # its path is short
    owner = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = pwd.getpwnam("postgres")
        owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(folder, user.pw_uid, user.pw_gid)
    (folder / "password").write_text(SECRET)
    (folder / "password").chmod(0o644)
    data, log = folder / "data", (folder / "log").open("w")
    common = {"cwd": folder, "stdout": log, "stderr": log} | owner
    make = "-U teacher --auth=scram-sha-256 --pwfile=password -E UTF8"
    make = [*make.split(), "--locale=C", "--no-sync", "-D", data]
    start = ["-D", data, "-k", folder, "-c", "listen_addresses="]
    server = None
    try:
        subprocess.run([found[-1], *make], check=True, **common)
        program = found[-1].with_name("postgres")
        server = subprocess.Popen([program, *start], **common)
        wait_until((folder / ".s.PGSQL.5432.lock").exists, server)
        yield lambda login, name: f"postgresql://{login}@/{name}?host={folder}"
    finally:
        if server:
            server.send_signal(signal.SIGINT)
            server.wait(30)
        log.close()
        shutil.rmtree(folder)


def wait_until(ready, process: subprocess.Popen, seconds: float = 60):
    """Until ready() is true; the test fails if the process ends first."""
    end = time.monotonic() + seconds
    while not ready():
        assert process.poll() is None, "the server ended at once"
        assert time.monotonic() < end, "the server does not start"
        time.sleep(0.1)


LOGIN = f"teacher:{urllib.parse.quote(SECRET, safe='')}"


@pytest.fixture(scope="module")
def annas(tmp_path_factory) -> Path:
    """A gradebook in which anna has no points: one to copy, because to make
    one nbgrader starts alembic, which takes 3 s."""
    path = tmp_path_factory.mktemp("annas") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:  # PostgreSQL's does start it
        patch.setattr(api, "get_alembic_version", lambda: "any")
        write_scores(f"sqlite:///{path}", [result("anna", 0)], COURSE)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """A gradebook of each kind; that in PostgreSQL has no tables yet."""
    if request.param == "sqlite":
        annas = request.getfixturevalue("annas")
        return f"sqlite:///{shutil.copy(annas, tmp_path)}"
    return request.getfixturevalue("postgres")(LOGIN, "postgres")


def grades(url: str, student: str) -> dict:
    """Automatic scores of one student's 2_4 by cell."""
    with api.Gradebook(url) as gradebook:
        notebook = gradebook.find_submission_notebook(
            SHEET.stem, SHEET.number, student
        )
        return {g.name: g.auto_score for g in notebook.grades}


def test_write_scores_twice(url):
    results = [
        result("anna", 1),
        result("ben", 0),
        result("cem", 0.5),
        result("dana", None),
        result("anna", 0.25, COURSE.sheet("1_1")),
    ]
    results[2].questions[0].state = NOT_GRADED
    for _ in range(2):
        assert write_scores(url, results, COURSE) == 4
        with api.Gradebook(url) as gradebook:
            assert len(gradebook.assignments) == 2
            assert len(gradebook.students) == 4
            found = gradebook.submission_dicts("2_4")
            notebook = gradebook.find_notebook(SHEET.stem, "2_4")
            most = {c.name: c.max_score for c in notebook.grade_cells}
        by_name = {f["student"]: f for f in found}
        assert len(found) == len(by_name) == 4
        scores = {name: f["score"] for name, f in by_name.items()}
        assert scores == {"anna": 12, "ben": 0, "cem": 4.5, "dana": 0}
        waits = {name: f["needs_manual_grade"] for name, f in by_name.items()}
        assert [n for n in sorted(waits) if waits[n]] == ["cem", "dana"]
        assert most == {
            f"{key.replace('.', '_')}_check": points
            for key, points in SHEET.points.items()
        }
    assert set(grades(url, "dana").values()) == {None}
    assert grades(url, "cem")["2_4_a_check"] is None
    assert grades(url, "cem")["2_4_b_check"] == 1.5
    assert set(grades(url, "ben").values()) == {0}

    write_scores(url, [result("ben", 1), result("anna", None)], COURSE)
    assert sum(grades(url, "ben").values()) == 12
    assert set(grades(url, "anna").values()) == {None}
    assert sum(s or 0 for s in grades(url, "cem").values()) == 4.5


def test_scores_given_by_hand_stay(annas, tmp_path):
    url = f"sqlite:///{shutil.copy(annas, tmp_path)}"
    cell = ("2_4_a_check", SHEET.stem, "2_4", "anna")
    with api.Gradebook(url) as gradebook:
        gradebook.find_grade(*cell).manual_score = 2
        gradebook.db.commit()
    for share, review in ((0, False), (0.5, True)):
        write_scores(url, [result("anna", share)], COURSE)
        with api.Gradebook(url) as gradebook:
            grade = gradebook.find_grade(*cell)
            assert (grade.score, grade.auto_score) == (2, 3 * share)
            assert grade.needs_manual_grade == review


def test_the_cells_are_those_of_generate_assignment(released, annas):
    """Or nbgrader would later refuse to generate or to autograde the sheet."""
    name = f"release/{SHEET.number}/{SHEET.stem}.ipynb"
    cells = [c for c in read(released / name).cells if "nbgrader" in c.metadata]
    made = {c.metadata.nbgrader.grade_id: c for c in cells}
    with api.Gradebook(f"sqlite:///{annas}") as gradebook:
        notebook = gradebook.find_notebook(SHEET.stem, SHEET.number)
        assert {c.name for c in notebook.source_cells} == set(made)
        for cell in notebook.source_cells:
            assert cell.source == made[cell.name].source
            assert cell.checksum == made[cell.name].metadata.nbgrader.checksum
        for solution, found in (
            (True, notebook.solution_cells),
            (False, notebook.grade_cells),
        ):
            names = {
                name
                for name, cell in made.items()
                if cell.metadata.nbgrader.solution is solution
            }
            assert {c.name for c in found} == names


def test_another_version_of_the_sheet_is_refused(annas, tmp_path):
    url = f"sqlite:///{shutil.copy(annas, tmp_path)}"
    with api.Gradebook(url) as gradebook:
        extra = {"max_score": 1, "cell_type": "code"}
        gradebook.add_grade_cell("2_4_f_check", SHEET.stem, "2_4", **extra)
    with pytest.raises(GradebookError, match="another version of this sheet"):
        write_scores(url, [result("anna", 1)], COURSE)


def refused(url: str, student: str = "anna") -> str:
    """The one sentence in which write_scores refuses."""
    with pytest.raises(GradebookError) as caught:
        write_scores(url, [result(student, 1)], COURSE)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "bad, says",
    [
        ("grades.db", "must be that of an SQLite or a PostgreSQL"),
        ("", "must be that of an SQLite or a PostgreSQL"),
        ("postgres://me:pw5@host/grades", "must be that of"),
        ("mysql://me:pw5@host/grades", "must be that of"),
        ("postgresql://me:pw5@host:port/grades", "must be that of"),
        ("postgresql+pg8000://me:pw5@host/grades", "driver"),
        ("sqlite://", "names no file"),
        ("sqlite:////nowhere/at/all/gradebook.db", "cannot be opened"),
        ("postgresql://me:pw5@127.0.0.1:1/grades", "cannot be reached"),
        ("postgresql://me:p@pw5@127.0.0.1:1/grades", "cannot be reached"),
        ("postgresql://me:pw5@/grades?host=/nowhere", "cannot be reached"),
    ],
)
def test_bad_urls_are_refused_in_words(bad, says):
    if bad.startswith("postgresql:"):
        require("the package psycopg")
    sentence = refused(bad)
    assert says in sentence and "pw5" not in sentence


def test_bad_files_are_refused_in_words(annas, tmp_path):
    path = Path(shutil.copy(annas, tmp_path))
    read_only = f"sqlite:///file:{path}?mode=ro&uri=true"  # for root too
    assert "can only be read" in refused(read_only)
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE student DROP COLUMN lms_user_id")
    connection.close()
    assert "nbgrader db upgrade" in refused(f"sqlite:///{path}")
    path.write_text("not a database" * 100, encoding="utf-8")
    assert "no SQLite database" in refused(f"sqlite:///{path}")


def test_postgresql_refuses_in_words(postgres):
    wrong = LOGIN.replace("me", "you")
    for login, name, says in (
        (wrong, "postgres", "refuses this user or password"),
        ("teacher", "postgres", "refuses this user or password"),
        (LOGIN, "nosuch", "no such database"),
    ):
        assert says in refused(postgres(login, name))
    long = [result("x" * 200, 1)]
    assert write_scores(postgres(LOGIN, "postgres"), long, COURSE) == 1


def test_without_nbgrader_one_sentence_says_so(monkeypatch):
    """The modules can be imported, as a default installation does."""
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    names = ("nbgrader_tools", "marks", "gradebook")
    for name in names:
        monkeypatch.delitem(sys.modules, f"attnbook.grading.output.{name}")
    *_, fresh = (
        import_module(f"attnbook.grading.output.{name}") for name in names
    )
    with pytest.raises(
        fresh.GradebookError, match="needs nbgrader: .* install"
    ):
        fresh.write_scores("sqlite:///gradebook.db", [], COURSE)


# What instructors see of it.


@pytest.fixture(scope="module")
def scored(released) -> Path:
    """The course with three results in its gradebook and before formgrader;
    one notebook was collected by nbgrader, and one is hostile."""
    hostile = json.loads(exercise(SHEET).read_text("utf8"))
    mark = {"grade": True, "grade_id": f'">{EVIL}', "points": 1}
    for cell in hostile["cells"]:
        cell["metadata"] = {"nbgrader": mark}
    for kind in ("markdown", "raw", "code"):
        cell = {
            "cell_type": kind,
            "metadata": {},
            "source": f"{EVIL}\n```\n{EVIL}",
        }
        hostile["cells"].append(cell)
    output = {"output_type": "display_data", "data": {"text/html": EVIL}}
    hostile["cells"][-1]["outputs"] = [output]
    hostile["metadata"]["language_info"] = {"name": f'">{EVIL}'}
    results = [result("anna", 1), result("ben", 0.5), result("dana", None)]
    files = [SHEET.path.read_bytes(), json.dumps(hostile).encode(), b"\xff"]
    notebooks = {r.key: data for r, data in zip(results, files)}
    collected = released / "submitted/anna/2_4"
    collected.mkdir(parents=True)
    shutil.copy(SHEET.path, collected)
    (collected / "timestamp.txt").write_text("2026-10-01 12:00:00 UTC")

    url = f"sqlite:///{released}/gradebook.db"
    assert write_scores(url, results, COURSE, released) == 2
    for _ in range(2):
        placed = place_submissions(released, COURSE, results, notebooks)
        assert [p.parts[-3] for p in placed] == ["anna", "ben"]
    return released


def test_export_prints_the_scores(scored):
    nbgrader(scored, "export", "--to", "out.csv", "--assignment", "['2_4']")
    rows = csv.DictReader((scored / "out.csv").open())
    found = {row["student_id"]: row["score"] for row in rows}
    assert found == {"anna": "12.0", "ben": "6.0", "dana": "0.0"}


def test_what_formgrader_reads(scored):
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(scored)
    api = NbGraderAPI(config=config)
    found = {x["student"]: x for x in api.get_submissions("2_4")}
    assert {k: x["score"] for k, x in found.items()} == {
        "anna": 12,
        "ben": 6,
        "dana": 0,
    }
    assert all(x["autograded"] for x in found.values())
    assert found["dana"]["needs_manual_grade"]
    assert found["anna"]["timestamp"] == "2026-10-01T12:00:00"
    shown = api.get_notebook_submissions("2_4", SHEET.stem)
    assert {x["student"]: x["score"] for x in shown} == {"anna": 12, "ben": 6}
    assert api.get_submission("2_4", "ben")["score"] == 6


HARD_NAMES = [
    "李" * 100,
    "李" * 99 + "王",
    "x" * 120,
    "X" * 120,
    "../anna",
    "..",
    "a/b",
    "\udce9",
    "",
    "anna",
    "José ★ 李 [0123456789ab]",
]


def test_what_nbgrader_calls_a_student():
    names = HARD_NAMES + [student_id(name) for name in HARD_NAMES[:-2]]
    ids = [student_id(name) for name in names]
    assert len({i.casefold() for i in ids}) == len(ids)  # nobody is merged
    assert ids[9:11] == HARD_NAMES[9:]
    for name in ids:
        assert len(name.encode()) <= 200 and len(name) <= 128
        assert Path(name).name == name != ".."


def test_hard_names_stop_nobody_and_mean_the_same_everywhere(annas, tmp_path):
    shutil.copy(annas, tmp_path / "gradebook.db")
    results = [result(name, 1) for name in HARD_NAMES]
    notebooks = {r.key: SHEET.path.read_bytes() for r in results}
    folder = tmp_path / "deep/enough"
    url = f"sqlite:///{tmp_path}/gradebook.db"
    assert write_scores(url, results, COURSE, folder) == len(HARD_NAMES)
    placed = place_submissions(folder, COURSE, results, notebooks)
    ids = {student_id(name) for name in HARD_NAMES}
    assert {p.parts[-3] for p in placed} == ids
    assert all(p.resolve().is_relative_to(folder) for p in placed)
    with api.Gradebook(url) as gradebook:
        assert {s.id for s in gradebook.students} == ids


def test_a_folder_that_cannot_be_written_stops_nobody_else(tmp_path):
    (tmp_path / "autograded").mkdir()
    (tmp_path / "autograded/anna").write_text("in the way")
    results = [result(name, 1) for name in ("anna", "ben")]
    notebooks = {r.key: SHEET.path.read_bytes() for r in results}
    with pytest.raises(CourseError, match="anna.* cannot be written .*: mend"):
        place_submissions(tmp_path, COURSE, results, notebooks)
    assert list(tmp_path.glob("autograded/ben/2_4/*.ipynb"))


@pytest.mark.parametrize("time", ["", "yesterday?", "\udcff", None])
def test_a_strange_timestamp_is_passed_by(annas, tmp_path, time):
    url = f"sqlite:///{shutil.copy(annas, tmp_path)}"
    path = tmp_path / "submitted/anna/2_4/timestamp.txt"
    path.parent.mkdir(parents=True)
    if time is None:
        path.mkdir()
    else:
        path.write_bytes(time.encode("utf8", "surrogateescape"))
    assert write_scores(url, [result("anna", 1)], COURSE, tmp_path) == 1


STRANGE = "a%20b ?x=1 #c é;"


def test_the_gradebook_is_the_file_that_was_named(annas, tmp_path):
    folder = tmp_path / STRANGE
    folder.mkdir()
    for url in (
        f"sqlite:///{folder}/gradebook.db",
        in_file(folder / "other #1%41?.db"),
    ):
        path = folder / (
            url[-12:] if isinstance(url, str) else "other #1%41?.db"
        )
        shutil.copy(annas, path)
        before = path.read_bytes()
        assert write_scores(url, [result("ben", 1)], COURSE) == 1
        assert path.read_bytes() != before
    assert sorted(p.name for p in tmp_path.iterdir()) == [STRANGE]
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "url, database, options",
    [
        ("sqlite:///gradebook.db", "gradebook.db", {}),
        ("sqlite:///a b%20?.db", "a b%20?.db", {}),
        ("sqlite:///g.db?timeout=9", "g.db", {"timeout": "9"}),
        ("sqlite:////no/such%20place/g.db", "/no/such place/g.db", {}),
    ],
)
def test_how_a_path_in_a_url_is_read(url, database, options):
    got = address(url)
    assert (got.database, dict(got.query)) == (database, options)


def test_nbgrader_itself_opens_the_same_gradebook(annas, tmp_path):
    folder = tmp_path / STRANGE
    lay_out(COURSE, ["2_4"], folder)
    shutil.copy(annas, folder / "gradebook.db")
    nbgrader(folder, "export", "--to", "out.csv")
    assert "anna" in (folder / "out.csv").read_text("utf8")
    assert sorted(p.name for p in tmp_path.iterdir()) == [STRANGE]


def test_formgrader_shows_the_scores_over_http(scored):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = "--allow-root --no-browser --ServerApp.ip=127.0.0.1 "
    options += f"--ServerApp.port={port} --ServerApp.port_retries=0"
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "jupyter_server", *options.split()],
        cwd=scored,
        env=os.environ | {"PATH": path_with_tools(), "JUPYTER_TOKEN": SECRET},
        stderr=(scored / "server.log").open("w"),
    )

    def get(path: str) -> str:
        address = f"http://127.0.0.1:{port}/{path}"
        login = {"Authorization": f"token {SECRET}"}
        request = urllib.request.Request(address, headers=login)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.read().decode()

    def answers() -> bool:
        try:
            return bool(get("api/status"))
        except OSError:
            return False

    try:
        wait_until(answers, server)
        path = f"formgrader/api/submitted_notebooks/2_4/{SHEET.stem}"
        ids = {x["student"]: x["id"] for x in json.loads(get(path))}
        assert sorted(ids) == ["anna", "ben"]
        for student, share in (("anna", 1), ("ben", 0.5)):
            page = get(f"formgrader/submissions/{ids[student]}/")
            path = f"formgrader/api/grades?submission_id={ids[student]}"
            for grade in json.loads(get(path)):
                assert grade["auto_score"] == share * grade["max_score"]
                assert page.count(f'id="{grade["name"]}"') == 1
            assert ("steal()" in page) == (student == "ben")
            assert "<script>steal" not in page
        assert SHEET.stem in get(f"formgrader/gradebook/2_4/{SHEET.stem}")
    finally:
        server.terminate()
        server.wait(30)
