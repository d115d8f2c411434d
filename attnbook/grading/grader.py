"""Grade one notebook: cells and calls in the sandbox, checks out here."""

import hashlib
import re
import time
import zlib

import numpy as np

from attnbook.check.engine import Check, Exercise, run_checks
from attnbook.grading.answer import Sandboxed, clean
from attnbook.grading.course import Course, Sheet
from attnbook.grading.model import (
    NOT_GRADED,
    CheckResult,
    QuestionResult,
    Result,
    Submission,
)
from attnbook.grading.notebook import NotANotebook, notebook_cells
from attnbook.grading.sandbox import Base, Sandbox, Stopped, Worker

TIMES = 3  # a hidden check passes if it does so on as many fresh inputs
RESTARTS = 10  # cells that may end the process before the rest is left out


class Grader:
    """Grades submissions, one after the other, in one sandbox."""

    def __init__(self, course: Course, sandbox: Sandbox, seed: int):
        self.course, self.sandbox, self.seed = course, sandbox, seed

    def grade(self, submission: Submission) -> Result:
        """Never raises for anything that a student did; SandboxError if
        there is no sandbox to grade in."""
        result = Result(submission.student, submission.sheet, submission.source)
        result.sha256 = hashlib.sha256(submission.notebook).hexdigest()
        why = submission.refused
        if not why:
            try:
                cells = notebook_cells(submission.notebook)
            except NotANotebook as error:
                why = str(error)
        if why:
            result.state, result.why = NOT_GRADED, why
            return result
        began = time.monotonic()
        sheet = self.course.sheet(submission.sheet)
        attempt = Attempt(self.sandbox, sheet, cells, self.seed)
        try:
            result.questions = attempt.questions()
        finally:
            result.cpu_seconds = round(attempt.end(), 3)
        result.notes = attempt.notes()
        result.wall_seconds = round(time.monotonic() - began, 3)
        return result


def rng_for(seed: int, *words) -> np.random.Generator:
    """The same numbers for every student, whatever was drawn before."""
    numbers = (zlib.crc32(str(word).encode()) for word in words)
    return np.random.default_rng([seed, *numbers])


class Attempt:
    """One notebook in the sandbox, from its first cell to its last check."""

    def __init__(self, sandbox, sheet: Sheet, cells: list[str], seed: int):
        self.sandbox, self.sheet, self.seed = sandbox, sheet, seed
        self.cells = dict(enumerate(cells, 1))
        self.failed: dict[int, str] = {}  # cell: why, in words
        self.fatal: set[int] = set()  # cells that ended the process
        digest = hashlib.sha256(f"a student's own chance {seed}".encode())
        self.student_seed = int.from_bytes(digest.digest()[:4])
        self.limits = sandbox.limits
        self.cpu = self.limits.cells(len(sheet.exercises))
        self.wall = self.cpu * self.limits.patience
        self.base: Base | None = None
        self.worker: Worker | None = None
        self.used = 0.0

    def questions(self) -> list[QuestionResult]:
        """Visible checks first: their messages may quote the answer, which
        has not seen a hidden input then."""
        self.run_cells()
        exercises = self.sheet.exercises
        answers = [
            Sandboxed(self.shared_worker, e.backend, self.limits)
            for e in exercises
        ]
        seen = [
            self.check(e, answer, e.checks, False)
            for e, answer in zip(exercises, answers)
        ]
        self.close_worker()
        out = []
        for exercise, answer, visible in zip(exercises, answers, seen):
            reference = self.sheet.reference(exercise)
            checks = self.sheet.hidden.bound(exercise.id, reference)
            hidden = self.check(exercise, answer, checks, True)
            out.append(self.question(exercise, visible, hidden))
        return out

    # --- cells ---

    def run_cells(self) -> None:
        """All cells in order, in one process; one that ends the process, or
        has to be stopped, is left out of the next try."""
        while True:
            self.end()
            self.base = self.sandbox.open(self.student_seed)
            if self.run_until_stopped() or len(self.fatal) > RESTARTS:
                return

    def run_until_stopped(self) -> bool:
        """Did the process survive all cells?"""
        for number, source in self.cells.items():
            if number in self.fatal:
                continue
            if min(self.cpu, self.wall) <= 0 or len(self.fatal) > RESTARTS:
                self.failed.setdefault(
                    number,
                    "was not run: the cells before it had used up the time "
                    "of the notebook.",
                )
                continue
            cpu = min(self.limits.cell, self.cpu)
            wall = min(self.limits.cell * self.limits.patience, self.wall)
            head = {"number": number, "source": source}
            try:
                reply, _ = self.base.ask(head, (), wall, cpu)
            except Stopped as reason:
                self.fatal.add(number)
                self.failed[number] = f"{reason}."
                return False
            finally:
                self.cpu -= self.base.cpu
                self.wall -= self.base.wall
            if reply.get("state") == "failed":
                self.failed[number] = error_in_words(reply)
        return True

    def notes(self) -> list[str]:
        return [self.note(number) for number in sorted(self.failed)]

    def note(self, number: int) -> str:
        lines = self.cells[number].strip().splitlines() or [""]
        head = clean(lines[0], 60)
        return f"Code cell {number} ({head}) {self.failed[number]}"

    # --- checks ---

    def shared_worker(self) -> Worker:
        """The worker of the present phase; a new one if it has ended, and
        the cells run again if their process has ended too."""
        if self.worker is None or self.worker.ended:
            try:
                self.worker = self.base.fork()
            except Stopped:
                self.run_cells()
                self.worker = self.base.fork()
        return self.worker

    def close_worker(self) -> None:
        if self.worker:
            self.worker.close()

    def check(
        self,
        exercise: Exercise,
        answer: Sandboxed,
        checks: dict[str, Check],
        hidden: bool,
    ) -> list[CheckResult]:
        """Every check on fresh inputs, hidden ones several times."""
        out = []
        for title, check in checks.items():
            result = CheckResult(title, hidden, True)
            for time_ in range(TIMES if hidden else 1):
                rng = rng_for(self.seed, exercise.id, hidden, title, time_)
                report = run_checks(exercise, answer, rng, {title: check})
                if message := report.messages[title]:
                    if hidden:
                        message = report.plain[title]
                    result.passed, result.message = False, clean(message)
                    break
            out.append(result)
        return out

    def question(
        self,
        exercise: Exercise,
        visible: list[CheckResult],
        hidden: list[CheckResult],
    ) -> QuestionResult:
        """Points: each check counts the same, but none counts unless the
        answer is right on fresh inputs of at least one hidden check; the
        worked values of the visible ones are known to everybody."""
        checks = visible + hidden
        points = self.sheet.points[exercise.id]
        passed = sum(c.passed for c in checks)
        if not any(c.passed for c in hidden or visible):
            share = 0.0
        elif exercise.all_or_nothing:
            share = float(passed == len(checks))
        else:
            share = passed / len(checks)
        return QuestionResult(
            exercise.id,
            exercise.title,
            points,
            round(points * share, 2),
            why=self.why(exercise),
            checks=checks,
        )

    def why(self, exercise: Exercise) -> str:
        """Which cell of this question's failed, if one did."""
        names = "|".join(map(re.escape, exercise.names))
        defines = re.compile(
            rf"^\s*(def|class)\s+({names})\b|^({names})\s*[:=]", re.MULTILINE
        )
        mine = [n for n in self.failed if defines.search(self.cells[n])]
        return " ".join(self.note(number) for number in mine)

    def end(self) -> float:
        """Ends every process; CPU seconds that they used in all."""
        if self.base:
            self.close_worker()
            self.used += self.base.end()
            self.base = self.worker = None
        return self.used


def error_in_words(reply: dict) -> str:
    kind, text = clean(reply.get("type"), 80), clean(reply.get("text"), 300)
    line = reply.get("line")
    where = f" in line {line}" if isinstance(line, int) else ""
    return f"ended in {kind}{where}: {text}"
