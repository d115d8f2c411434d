"""Every hostile or broken notebook gets the score that it deserves, harms
nobody, and takes no longer than it may. The notebooks are in `attacks.py`."""

import dataclasses
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from attnbook.check.engine import run_checks
from attnbook.grading.course import Course
from attnbook.grading.grader import TIMES, Attempt, Grader, rng_for
from attnbook.grading.limits import Limits
from attnbook.grading.model import GRADED, NOT_GRADED, Result, Submission
from attnbook.grading.sandbox.process import FIRST_UID, Sandbox, SandboxError
from attnbook.notebooks.cells import Cell
from tests.attacks import CASES, LEAVE, LOOK, Case, notebook, solved
from tests.needs import skip_without_sandbox
from tools.notebooks import ROOT

LIMITS = Limits(cell=1.5, call=0.6, question=1.5)
SEED = 20_261_122
BATCH = 8  # harmful cases until an honest notebook has to prove the peace


def seen_outside() -> dict:
    """What a student could leave on this machine outside the sandbox."""
    segments = Path("/proc/sysvipc")
    return {
        "shared memory": sorted(
            name
            for name in os.listdir("/dev/shm")
            if not name.startswith(("sem.loky-", "PostgreSQL."))
            # which belong to tests beside this one
        ),
        "segments": [
            line
            for kind in ("shm", "sem", "msg")
            for line in (segments / kind).read_text().splitlines()[1:]
            if any(FIRST_UID <= int(n) < 2**31 for n in line.split()[:8])
        ],
    }


class Lab:
    """A course with a class's work beside it, and one sandbox."""

    def __init__(self, root: Path, sandbox: Sandbox):
        self.root, self.sandbox = root, sandbox
        self.grader = Grader(Course(root), sandbox, SEED)
        self.before = self.files(), seen_outside()
        self.suspects: list[str] = []

    def files(self) -> dict:
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes())
            for path in self.root.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    def grade(self, data: bytes, sheet: str, limits=None) -> Result:
        """The result; nothing may be left of the notebook then."""
        paths = [*self.files(), str(ROOT / "solutions" / "1_principles")]
        data = data.replace(b"OUTSIDE", json.dumps(repr(paths))[1:-1].encode())
        self.sandbox.limits = dataclasses.replace(LIMITS, **limits or {})
        began = time.monotonic()
        result = self.grader.grade(Submission("eve", sheet, "x", data))
        took = time.monotonic() - began
        assert took < self.sandbox.limits.wall(len(result.questions))
        assert self.sandbox.processes() == []
        return result

    def expect_peace(self) -> None:
        """An honest student gets full marks, and nothing outside changed."""
        suspects, self.suspects = self.suspects, []
        result = self.grade(notebook(solved("1_1")), "1_1")
        assert result.points == result.out_of == 12, suspects
        assert result.notes == [], suspects
        assert (self.files(), seen_outside()) == self.before, suspects


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in ("solutions", "exercises"):
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    for name in ("anna.ipynb", "gradebook.db", "grades/grades.csv"):
        path = root / "class" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("a classmate's")
        path.chmod(0o666)
    sandbox = Sandbox(LIMITS)
    try:
        sandbox.start()
    except SandboxError as reason:
        skip_without_sandbox(reason)
    with sandbox:
        lab = Lab(root, sandbox)
        yield lab
        lab.expect_peace()


def feedback(result: Result) -> list[str]:
    """All that a student is told."""
    checks = [c for q in result.questions for c in q.checks]
    return [
        result.why,
        *result.notes,
        *(q.why for q in result.questions),
        *(c.message for c in checks),
    ]


def expect_deserved(lab: Lab, case: Case) -> None:
    result = lab.grade(case.notebook(), case.sheet, case.limits)
    said = feedback(result)
    assert all(c.isprintable() for c in "".join(said)), said
    assert max(map(len, said)) < 1000, said
    assert Result.from_json(result.to_json()) == result
    assert case.never not in " ".join(said), said
    if case.not_graded:
        assert result.state == NOT_GRADED and case.not_graded in result.why
        return
    assert result.state == GRADED
    points = {q.id[-1]: q.points for q in result.questions}
    deserved = {q.id[-1]: q.out_of for q in result.questions} | case.keeps
    assert points == deserved, said
    assert case.says in " ".join(said), said


def named(case: Case) -> str:
    return case.name


class TestHarmful:
    """In a class, for then the others run at the same time."""

    @pytest.mark.parametrize("case", [c for c in CASES if c.harms], ids=named)
    def test_score(self, lab, case):
        expect_deserved(lab, case)
        lab.suspects.append(case.name)
        if len(lab.suspects) >= BATCH:
            lab.expect_peace()


class TestHarmless:
    @pytest.mark.parametrize(
        "case", [c for c in CASES if not c.harms], ids=named
    )
    def test_score(self, lab, case):
        expect_deserved(lab, case)


def test_there_are_enough_cases():
    assert len(CASES) >= 50
    assert len({c.name for c in CASES}) == len(CASES)


TWICE = ("all right", "right every other time", "a crash in a function", "nan")


@pytest.mark.parametrize("name", TWICE)
def test_the_same_seed_gives_the_same_result(lab, name):
    case = next(c for c in CASES if c.name == name)
    results = [lab.grade(case.notebook(), case.sheet) for _ in range(2)]
    for result in results:
        result.cpu_seconds = result.wall_seconds = 0.0
    assert results[0] == results[1]


def test_what_cells_say_after_hidden_checks_is_not_quoted(lab, monkeypatch):
    """They run again if a function ended their process; whatever way there
    was to tell them a hidden input, they could not hand it on."""
    quoted, run_cells = [], Attempt.run_cells

    def run(attempt):
        quoted.append(attempt.quotes)
        run_cells(attempt)

    monkeypatch.setattr(Attempt, "run_cells", run)
    case = next(c for c in CASES if "cells that run again" in c.name)
    lab.grade(case.notebook(), case.sheet)
    assert quoted[0] and len(quoted) > 1 and not any(quoted[1:])
    sheet = lab.grader.course.sheet("1_1")
    cells = [Cell("code", "1 / 0"), Cell("code", "x = 1")]
    attempt = Attempt(lab.sandbox, sheet, cells, SEED)
    attempt.quotes = False
    attempt.run_cells()
    attempt.end()
    assert attempt.notes() == [
        "Code cell 1 (1 / 0) failed when it was run again."
    ]


def test_nothing_is_left_for_the_next_student(lab):
    """As in another cell, so in a function that has seen hidden inputs."""
    for _ in range(2):
        left = lab.grade(notebook([*solved("1_1"), LEAVE]), "1_1")
        assert left.notes == []
        found = lab.grade(notebook([*solved("1_1"), LOOK]), "1_1")
        assert len(found.notes) == 1 and "found []" in found.notes[0]
    lab.expect_peace()


def test_another_sandbox_at_the_same_time(lab):
    """Whose students have user numbers of their own."""
    cell = "import os\nraise ValueError(f'I am {os.getuid()}')"
    data = notebook([*solved("1_1"), cell])
    mine = lab.grade(data, "1_1").notes
    with Sandbox(LIMITS) as other:
        theirs = Grader(lab.grader.course, other, SEED).grade(
            Submission("eve", "1_1", "x", data)
        )
    assert theirs.points == 12
    if os.getuid() == 0:
        assert mine != theirs.notes


# --- the checks that hostile answers meet -----------------------------------

COURSE = Course(ROOT)
TRIVIAL = {
    "nan": lambda want: np.full(want.shape, np.nan),
    "one nan": lambda want: np.array(np.nan),
    "infinity": lambda want: np.full(want.shape, np.inf),
    "zeros": lambda want: np.zeros(want.shape),
    "ones": lambda want: np.ones(want.shape),
    "true": lambda want: np.ones(want.shape, bool),
    "no number": lambda want: np.zeros((0, *want.shape)),
    "none": lambda want: None,
    "text": lambda want: "x",
}


class Trivial:
    """An answer that knows only which shape is asked for."""

    def __init__(self, reference, make):
        self.reference, self.make = reference, make

    def call(self, name, *args, parts=1):
        want = self.reference.call(name, *args, parts=parts)
        if parts == 1:
            return self.make(np.asarray(want))
        return tuple(self.make(np.asarray(part)) for part in want)

    def vjp(self, name, args, cotangent, parts=1):
        want = self.reference.vjp(name, args, cotangent, parts=parts)
        return tuple(map(self.make, want))

    def value(self, name):
        return "nothing"


EXERCISES = [
    pytest.param(sheet, exercise, id=exercise.id)
    for sheet in COURSE.sheets.values()
    for exercise in sheet.exercises
]


def hidden_messages(sheet, exercise, make, seed) -> dict[str, list]:
    """What each hidden check tells a student with this answer, each time;
    None where it passes."""
    reference = sheet.reference(exercise)
    out = {}
    for title, check in sheet.hidden.bound(exercise.id, reference).items():
        answer = Trivial(reference, make)
        for number in range(TIMES):
            rng = rng_for(seed, exercise.id, True, title, number)
            report = run_checks(exercise, answer, rng, {title: check})
            out.setdefault(title, []).append(report.plain.get(title))
    return out


def words(messages: dict[str, list]) -> set[str]:
    return {m for said in messages.values() for m in said if m}


@pytest.mark.parametrize("sheet, exercise", EXERCISES)
def test_trivial_answers_pass_nothing_and_are_told_nothing(sheet, exercise):
    """No hidden check passes, none tells of the numbers that it drew."""
    for name, make in TRIVIAL.items():
        with np.errstate(all="ignore"):
            told = [
                hidden_messages(sheet, exercise, make, seed) for seed in (1, 2)
            ]
        passed = [t for t, said in told[0].items() if not any(said)]
        assert not passed, f"{name} passes {passed}"
        first, second = map(words, told)
        assert first == second, name
