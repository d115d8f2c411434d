"""What students get works for them, and holds nothing of the solutions."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

import attnbook
from attnbook.check.__main__ import main
from attnbook.grading.course import Course, CourseError, cells_of
from attnbook.grading.limits import MIB, Limits
from attnbook.release.handout import hand_out, release
from attnbook.release.leaks import answer_lines, explanations, leaks
from attnbook.release.sheets import ReleaseError, exercise
from tests.needs import require

COURSE = Course(Path(attnbook.__file__).parents[1])
SHEET = COURSE.sheet("2_1")
NOTEBOOK = exercise(SHEET)
ALL = list(COURSE.sheets)


@pytest.fixture(scope="module")
def files():
    return hand_out(COURSE, ["2_1"], github=True)


def test_a_student_gets_what_is_needed_and_no_more(files):
    rest = {n for n in files if not n.startswith("attnbook/")}
    assert rest == {
        ".github/classroom50.json",
        ".github/workflows/classroom.yml",
        ".gitignore",
        "LICENSE",
        "LICENSE-TEXT",
        "README.md",
        "constraints.txt",
        NOTEBOOK,
        "pyproject.toml",
        "requirements.txt",
    }
    package = {n for n in files if n.startswith("attnbook/")}
    assert {"attnbook/check/__main__.py", "attnbook/nn/masks.py"} <= package
    assert not [n for n in package if "grading" in n or "cli" in n]
    assert files[NOTEBOOK] == (COURSE.root / NOTEBOOK).read_bytes()
    plain = hand_out(COURSE, ["2_1"])
    assert set(files) - set(plain) == {n for n in rest if n[0] == "."}
    about = tomllib.loads(files["pyproject.toml"].decode())["project"]
    for name in ("numpy", "torch", "matplotlib"):
        assert name in files["requirements.txt"].decode()
        assert any(d.startswith(name) for d in about["dependencies"])
    text = files["requirements.txt"].decode() + str(about)
    assert "jupyterlab" in text and "-e ." in text
    assert "\nipywidgets>=8,<9" in text  # or tqdm warns in each notebook
    assert not re.search("pebble|psutil|nbgrader|papermill|scripts", text)


def test_the_read_me_says_how_to_install_work_check_and_hand_in(files):
    text = files["README.md"].decode()
    for words in (
        f"({NOTEBOOK})",
        "pip install -r requirements.txt -c constraints.txt",
        "jupyter lab exercises",
        f"-m attnbook.check \\\n  {NOTEBOOK}",
        "under the name that it has now",
        "no promise of full",
        "no hidden check is in this repository",
    ):
        assert words in text, words
    assert "GitHub" not in hand_out(COURSE, ["2_1"])["README.md"].decode()


def test_the_read_me_says_what_the_grader_has(files):
    text = files["README.md"].decode().split("## What the grader has")[1]
    about = tomllib.loads(files["pyproject.toml"].decode())["project"]
    names = [re.match(r"[\w-]+", d)[0].lower() for d in about["dependencies"]]
    assert {"numpy", "torch", "scikit-learn"} <= set(names)
    listed = text.split("`constraints.txt`,\n")[1].split(".\n")[0]
    assert re.findall(r"`([\w-]+)`", listed) == sorted(names)
    limits, said = Limits(), " ".join(text.split())
    for words in (
        f"{limits.cell:g} s of computing for a cell",
        f"{limits.call:g} s for a call",
        f"{limits.memory // MIB // 1024} GiB",
        "That line alone fails and is named",
        f"Long waits are cut short: on the clock each may take "
        f"{limits.patience:g} times as long",
        "No network.",
        "The working folder starts empty",
        "must not change its arguments in place",
    ):
        assert words in said, words


# --- writing ---------------------------------------------------------------


def test_a_folder(tmp_path):
    written = release(COURSE, ["1_1", "2_1", "1_1"], tmp_path / "new/out")
    assert {p.is_file() for p in written} == {True}
    names = {p.relative_to(tmp_path / "new/out").as_posix() for p in written}
    assert names == set(hand_out(COURSE, ["1_1", "2_1"]))
    (tmp_path / "empty").mkdir()
    assert release(COURSE, ["1_1"], tmp_path / "empty")


def test_a_zip_is_the_same_bytes_each_time(tmp_path):
    first, second = tmp_path / "work.zip", tmp_path / "b/work.zip"
    assert release(COURSE, ["2_1"], first, github=True) == [first]
    os.utime(COURSE.root / NOTEBOOK)
    release(COURSE, ["2_1"], second, github=True)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
        assert names == sorted(names) and f"work/{NOTEBOOK}" in names
        modes = {e.external_attr >> 16 for e in archive.infolist()}
        assert modes == {0o100644}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "work.zip"]


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    (tmp_path / "there.zip").write_text("mine")
    for name in ("full", "there.zip", "full/mine.txt"):
        with pytest.raises(ReleaseError) as reason:
            release(COURSE, ["2_1"], tmp_path / name)
        assert str(reason.value) == (
            f"{tmp_path / name} is there already: name another, or remove it "
            "first."
        )
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_no_sheet_and_an_unknown_sheet(tmp_path):
    with pytest.raises(ReleaseError, match="Name at least one sheet"):
        release(COURSE, [], tmp_path / "out")
    with pytest.raises(CourseError, match="no exercise sheet 9_9; there are"):
        release(COURSE, ["9_9"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def copy(tmp_path):
    """A course with one sheet that may be spoiled."""
    root = tmp_path / "course"
    for folder in ("exercises", "solutions"):
        for path in (COURSE.root / folder).glob("2_*/2_1_*"):
            target = root / path.relative_to(COURSE.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    skip = shutil.ignore_patterns("__pycache__", "grading")
    shutil.copytree(COURSE.root / "attnbook", root / "attnbook", ignore=skip)
    for name in ("LICENSE", "LICENSE-TEXT", "constraints.txt"):
        shutil.copy(COURSE.root / name, root)
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(COURSE.root / name, root)
    return Course(root)


def test_a_stale_notebook_is_not_handed_out(copy, tmp_path):
    path = copy.root / NOTEBOOK
    says = (
        f"{NOTEBOOK} is not what its master derives to: run `make exercises`, "
        "look at the change, and release again."
    )
    old = path.read_text("utf8")
    for new in (old.replace("def needed_score(p", "def needed(p"), "{", None):
        path.write_text(new, "utf8") if new else path.unlink()
        with pytest.raises(ReleaseError) as reason:
            release(copy, ["2_1"], tmp_path / "out")
        assert str(reason.value) == says
    assert not (tmp_path / "out").exists()


def test_a_release_that_would_leak_is_not_written(copy, tmp_path):
    path = copy.root / "attnbook/nn/masks.py"
    answer = max(answer_lines(SHEET), key=len)
    path.write_text(path.read_text("utf8") + f"\n{answer}\n", "utf8")
    last = len(path.read_text("utf8").splitlines())
    with pytest.raises(ReleaseError) as reason:
        release(copy, ["2_1"], tmp_path / "out.zip")
    assert str(reason.value) == (
        "Nothing was written, because students would see what they must not: "
        f"attnbook/nn/masks.py, line {last} holds an answer of 2_1."
    )
    assert not list(tmp_path.glob("out*"))


# --- leaks -----------------------------------------------------------------


def test_nothing_leaks_from_any_sheet():
    assert leaks(COURSE, ALL, hand_out(COURSE, ALL, github=True)) == []


def changed(change, name=NOTEBOOK, indent=1):
    """The students' notebook after `change`, as a file."""
    notebook = json.loads((COURSE.root / NOTEBOOK).read_text("utf8"))
    change(notebook)
    text = json.dumps(notebook, indent=indent, ensure_ascii=False)
    return {name: text.encode()}


def in_a_cell(text):
    def change(notebook):
        notebook["cells"][3]["source"] = ["x = 1\n", text]

    return change


@pytest.mark.parametrize("number", ALL)
def test_every_line_of_every_answer_is_found(number):
    sheet = COURSE.sheet(number)
    lines = sorted(answer_lines(sheet))
    assert len(lines) >= 5
    every = changed(in_a_cell("\n".join(lines)), exercise(sheet))
    assert any(
        "holds an answer of " + number in x
        for x in (leaks(COURSE, [number], every))
    )
    one_by_one = {}
    for place, line in enumerate(lines):
        file = changed(in_a_cell(f"    return {line}"), exercise(sheet))
        one_by_one |= {f"{place}.ipynb": file[exercise(sheet)]}
    long = [n for n, x in enumerate(lines) if len(x) >= 24]
    found = leaks(COURSE, [number], one_by_one)
    assert {x.split(".ipynb")[0] for x in found} == set(map(str, long))


def spoil_metadata(notebook):
    notebook["cells"][4]["metadata"] = {"nbgrader": {"points": 3}}


def spoil_tag(notebook):
    notebook["cells"][4]["metadata"] = {"tags": ["solution-only"]}


def spoil_output(notebook):
    notebook["cells"][4]["outputs"] = [{"output_type": "stream", "text": "3"}]


HIDDEN = SHEET.path.with_name("2_1_hidden.py").read_text("utf8")
MARK = "bears a mark of a master"
LEAKS = {
    "nbgrader": (changed(spoil_metadata), MARK),
    "tag": (changed(spoil_tag), MARK),
    "output": (changed(spoil_output), MARK),
    "strict": (changed(in_a_cell('check("2_1.a", strict=True)')), MARK),
    "solution marks": (changed(in_a_cell("### BEGIN SOLUTION")), MARK),
    "explanation": (
        changed(
            in_a_cell(
                next(
                    c["source"]
                    for c in cells_of(SHEET.path)
                    if c["source"].startswith("**Why.**")
                )
            )
        ),
        "explains 2_1's answers",
    ),
    "one long line": (
        changed(in_a_cell(max(answer_lines(SHEET), key=len)), indent=None),
        "holds an answer of 2_1",
    ),
    "hidden check": (
        {"attnbook/check/ex_2_1.py": HIDDEN[-1500:].encode()},
        "is in 2_1's hidden checks",
    ),
    "hidden file": ({"x/2_1_hidden.py": b""}, "belongs to the instructor"),
    "grader": ({"attnbook/grading/a.py": b""}, "belongs to the instructor"),
    "master": ({"solutions/2/x.ipynb": b""}, "belongs to the instructor"),
}


@pytest.mark.parametrize("case", LEAKS)
def test_a_leak_is_found_and_its_place_named(case):
    spoiled, says = LEAKS[case]
    found = leaks(COURSE, ["2_1"], spoiled)
    assert any(says in text for text in found), found
    (name,) = spoiled
    assert all(text.startswith(name) for text in found)
    if says == MARK and case != "strict":
        line = int(re.search(r"line (\d+)", found[0])[1])
        text = spoiled[name].decode().splitlines()[line - 1]
        assert re.search("nbgrader|solution|SOLUTION|output_type", text)


def test_a_hint_may_hold_the_first_line_of_an_answer():
    answer = max(answer_lines(SHEET), key=len)
    hint = f"<details><summary>Hint 3</summary>{answer}</details>"
    assert leaks(COURSE, ["2_1"], changed(in_a_cell(hint))) == []
    assert explanations(SHEET)


# --- on GitHub -------------------------------------------------------------


def test_the_workflow_checks_each_exercise_and_adds_up_its_points(
    files, tmp_path
):
    import yaml

    text = files[".github/workflows/classroom.yml"].decode()
    assert "the visible checks, and only these" in text
    assert "https://github.com/orgs/community/discussions/205975" in text
    job = yaml.safe_load(text)["jobs"]["checks"]
    tests = [s for s in job["steps"] if s.get("id", "").startswith("exercise")]
    assert [s["run"] for s in tests] == [
        f"python -m attnbook.check {NOTEBOOK} --exercise {e.id}"
        for e in SHEET.exercises
    ]
    assert all(s["continue-on-error"] for s in tests)
    assert "(3 points)" in tests[0]["name"]
    script = job["steps"][-1]["run"]
    for good, code in ((("a", "c"), 1), ("abcde", 0)):
        steps = {
            s["id"]: {
                "outcome": "success" if s["id"][-1] in good else "failure"
            }
            for s in tests
        }
        env = os.environ | {"STEPS": json.dumps(steps | {"x": {}})}
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            env=env | {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}"},
            capture_output=True,
            text=True,
        )
        points = 5 if code else 12
        assert done.returncode == code, done.stderr
        assert done.stdout.strip() == (
            f"::notice title=Visible checks::Points {points}/12"
        )


def test_the_same_for_classroom_50(files):
    tests = json.loads(files[".github/classroom50.json"])
    assert tests[0]["name"] == "setup" and tests[0]["points"] == 0
    assert sum(t["points"] for t in tests) == sum(SHEET.points.values())
    for test in tests:
        assert set(test) == {"name", "type", "run", "timeout", "points"}
        assert test["type"] == "run" and 1 <= test["timeout"] <= 600
        assert len(test["name"].encode()) <= 100


# --- python -m attnbook.check ----------------------------------------------


def write_notebook(path, *sources, kind="code"):
    cells = [{"cell_type": kind, "source": text} for text in sources]
    path.write_text(json.dumps({"cells": cells}), "utf8")
    return str(path)


@pytest.fixture
def at(tmp_path, monkeypatch):
    """A notebook's path; where the command goes to is left again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path / "work.ipynb"


SCORE = "import numpy as np\ndef needed_score(p, n):\n    return {}"
RIGHT = SCORE.format("np.log(p * (n - 1) / (1 - p))")


def test_full_marks(at, capsys):
    path = write_notebook(at, "%matplotlib inline\n" + RIGHT, 'check("2_1.c")')
    assert main([path]) == 0
    out = capsys.readouterr().out
    assert out.startswith("2_1.c") and "WRONG" not in out
    assert out.endswith(
        "All visible checks passed. A grader has others besides.\n"
    )


def test_less_than_full_marks(at, capsys):
    path = write_notebook(at, SCORE.format("np.log(p * n / (1 - p))"))
    assert main([path, "--exercise", "2_1.c"]) == 1
    assert "WRONG" in capsys.readouterr().out
    path = write_notebook(at, RIGHT)
    assert main([path, "--exercise", "2_1.c", "2_1.b"]) == 1
    out = capsys.readouterr().out
    assert "2_1.b" in out and "not started" in out and "All visible" not in out


def test_a_cell_that_fails_is_named_and_passed_by(at, capsys):
    cells = ["1 / 0", "raise SystemExit(0)", "x = ", "print('noise')", RIGHT]
    assert main([write_notebook(at, *cells), "--exercise", "2_1.c"]) == 0
    out = capsys.readouterr().out
    assert "Code cell 1 ended in ZeroDivisionError: division by zero\n" in out
    assert "Code cell 2 ended in SystemExit: 0\n" in out
    assert "Code cell 3 ended in SyntaxError" in out and "noise" not in out


@pytest.mark.parametrize(
    "content, says",
    [
        (None, "it cannot be read (No such file or directory)."),
        ("{", "The file is not JSON (line 1), as notebooks are: open it in"),
        ("[]", "The file is JSON but no notebook, for it has no cells: hand"),
        ("[" * 99999, "The file's JSON is nested too deeply or holds a number"),
        (
            '{"cells": []}',
            "no cell of it calls check: name the exercise, such as "
            "--exercise 2_3.a.",
        ),
    ],
)
def test_nothing_to_check(at, capsys, content, says):
    if content is not None:
        at.write_text(content)
    assert main([str(at)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{at}: {says}") and said.count("\n") == 1


def test_an_exercise_that_does_not_exist(at, capsys):
    assert main([write_notebook(at, "x = 1"), "--exercise", "9_9.z"]) == 2
    err = capsys.readouterr().err
    assert "there is no exercise 9_9.z; there are: 1_1.a, 1_1.b" in err


# --- all of it, as a student does it ---------------------------------------


def test_a_student_installs_the_zip_solves_one_exercise_and_checks_it(tmp_path):
    """A fresh environment sees numpy and torch, but nothing of this course."""
    require("the package setuptools")
    release(COURSE, ["2_1"], tmp_path / "work.zip")
    with zipfile.ZipFile(tmp_path / "work.zip") as archive:
        archive.extractall(tmp_path)
    home = tmp_path / "home"
    venv.create(home, symlinks=True, with_pip=False)
    python = home / "bin/python"
    (site,) = home.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(str(Path(np.__file__).parents[1]))
    install = "install --quiet --no-deps --no-build-isolation .".split()
    where = tmp_path / "work"
    subprocess.run([python, "-m", "pip", *install], cwd=where, check=True)
    assert (site / "attnbook/check/__main__.py").exists()
    path = tmp_path / "work" / NOTEBOOK
    notebook = json.loads(path.read_text("utf8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and any(
            "def needed_score" in line for line in cell["source"]
        ):
            cell["source"] = RIGHT
    path.write_text(json.dumps(notebook), "utf8")

    done = subprocess.run(
        [python, "-m", "attnbook.check", path, "--exercise", "2_1.c"],
        cwd=home,  # from where no other attnbook can be imported
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "All visible checks passed." in done.stdout
