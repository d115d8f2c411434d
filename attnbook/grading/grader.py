"""Grade one notebook: cells and calls in the sandbox, checks out here."""

import hashlib
import time
import zlib

import numpy as np

from attnbook.check.engine import (
    Check,
    Exercise,
    NotStarted,
    Wrong,
    run_checks,
)
from attnbook.grading.answer import Sandboxed, Waits
from attnbook.grading.course import Course, Sheet
from attnbook.grading.model import (
    NOT_GRADED,
    CheckResult,
    QuestionResult,
    Result,
    Submission,
)
from attnbook.grading.sandbox.bwrap import exposed
from attnbook.grading.sandbox.deadline import Stopped
from attnbook.grading.sandbox.peer import Base, Worker
from attnbook.grading.sandbox.process import Sandbox, SandboxError
from attnbook.grading.strangers import excerpt
from attnbook.notebooks.cells import (
    Cell,
    NotANotebook,
    all_cells,
    defines,
    runnable,
)

TIMES = 3  # a hidden check passes if it does so on as many fresh inputs
RESTARTS = 10  # cells that may end the process before the rest is left out


class Grader:
    """Grades submissions, one after the other, in one sandbox."""

    def __init__(self, course: Course, sandbox: Sandbox, seed: int):
        self.course, self.sandbox, self.seed = course, sandbox, seed
        if sandbox.isolate and (where := exposed(course.root / "solutions")):
            raise SandboxError(
                f"students' code could read {course.root}/solutions, because "
                f"the sandbox shows it all of {where}: keep the course "
                "somewhere else."
            )

    def grade(self, submission: Submission) -> Result:
        """Never raises for anything that a student did; SandboxError if
        there is no sandbox to grade in."""
        result = Result(submission.student, submission.sheet, submission.source)
        result.sha256 = submission.digest
        why = submission.refused
        if not why:
            try:
                cells = all_cells(submission.notebook)
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

    def __init__(self, sandbox, sheet: Sheet, cells: list[Cell], seed: int):
        self.sandbox, self.sheet, self.seed = sandbox, sheet, seed
        names = [name for e in sheet.exercises for name in e.names]
        run = dict(enumerate(runnable(cells, names), 1))
        self.cells = {number: cell.source for number, cell in run.items()}
        self.failed: dict[int, str] = {}  # cell: why, in words
        self.said = {  # cell: what its author should know of it
            number: [f"is a {cell.kind} cell; it was run as code."]
            for number, cell in run.items()
            if cell.kind != "code"
        }
        self.fatal: set[int] = set()  # cells that ended the process
        self.took: dict[int, float] = {}  # cell: CPU seconds
        self.quotes = True  # may a message quote what the sandbox said?
        digest = hashlib.sha256(f"a student's own chance {seed}".encode())
        self.student_seed = int.from_bytes(digest.digest()[:4])
        self.limits = sandbox.limits
        self.cpu = self.limits.cells(len(sheet.exercises))
        self.wall = self.cpu * self.limits.patience
        self.waits = Waits(self.limits.waiting(len(sheet.exercises)))
        self.base: Base | None = None
        self.worker: Worker | None = None
        self.used = 0.0

    def questions(self) -> list[QuestionResult]:
        """Visible checks first: their messages may quote the answer, which
        has not seen a hidden input then."""
        self.run_cells()
        exercises = self.sheet.exercises
        answers = [
            Sandboxed(self.shared_worker, e.backend, self.limits, self.waits)
            for e in exercises
        ]
        seen = [
            self.check(e, answer, e.checks, False)
            for e, answer in zip(exercises, answers)
        ]
        self.close_worker()
        self.quotes = False
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
            kept_back = self.sheet.withheld
            self.base = self.sandbox.open(self.student_seed, kept_back)
            if self.run_until_stopped() or len(self.fatal) > RESTARTS:
                return

    def run_until_stopped(self) -> bool:
        """Did the process survive all cells?"""
        again = [s for k, s in self.took.items() if k not in self.fatal]
        hurry = sum(again) > self.cpu
        for number, source in self.cells.items():
            if number in self.fatal:
                continue
            if hurry and number in self.took and not self.is_quick(number):
                why = "was not run again, because it takes long."
                self.failed.setdefault(number, why)
                continue
            wall, cpu = self.seconds_for(number)
            idle = self.waits.allow(wall)
            if min(wall, cpu) <= 0 or len(self.fatal) > RESTARTS:
                why = "was not run: the cells before it had used up the time "
                self.failed.setdefault(number, f"{why}of the notebook.")
                continue
            head = {"number": number, "source": source}
            try:
                reply, _ = self.base.ask(head, (), wall, cpu, idle)
            except Stopped as reason:
                self.fatal.add(number)
                self.failed[number] = f"{reason}."
                return False
            finally:
                self.cpu -= self.base.cpu
                self.wall -= self.base.wall
                self.waits.left -= self.base.idle
            self.took[number] = max(self.base.cpu, self.base.idle)
            self.listen(number, reply)
        return True

    def listen(self, number: int, reply: dict) -> None:
        """Keep what the sandbox says of a cell that it has run."""
        if reason := reply.get("stopped"):
            self.failed.setdefault(number, f"{reason}.")
        elif reply.get("state") == "failed":
            why = "failed when it was run again."
            why = error_in_words(reply) if self.quotes else why
            self.failed.setdefault(number, why)
        said = reply.get("said")
        if self.quotes and isinstance(said, list) and said:
            self.said.setdefault(number, [])
            self.said[number] += [f": {excerpt(x, 300)}" for x in said[:20]]

    def is_quick(self, number: int) -> bool:
        """As cells are that define an answer; known of those that ran."""
        return self.took.get(number, self.limits.cell) < self.limits.cell / 10

    def seconds_for(self, number: int) -> tuple[float, float]:
        """On the clock, and of computing: what the notebook has left, of
        which some is kept for quick cells. A cell that has not run yet may
        be one: it gets as long as those take."""
        limit, patience = self.limits.cell, self.limits.patience
        kept = 0.0 if self.is_quick(number) else limit
        least = 0.0 if number in self.took else limit / 10
        wall = max(self.wall - kept * patience, least * patience)
        cpu = max(self.cpu - kept, least)
        wall = min(limit * patience, wall, self.wall)
        return wall, min(limit, cpu, self.cpu)

    def notes(self) -> list[str]:
        told = sorted({*self.failed, *self.said})
        return [note for number in told for note in self.notes_of(number)]

    def notes_of(self, number: int) -> list[str]:
        """What there is to say of one cell: what was passed over in it, and
        how it failed."""
        said = list(dict.fromkeys(self.said.get(number, [])))
        said += [self.failed[number]] if number in self.failed else []
        lines = self.cells[number].strip().splitlines() or [""]
        head = f"Code cell {number} ({excerpt(lines[0], 60)})"
        return [f"{head} {text}".replace(") : ", "): ") for text in said]

    # --- checks ---

    def shared_worker(self) -> Worker:
        """The worker of the present phase; a new one if it has ended, or if
        an earlier question left something in its pipe. The cells run again
        if their process has ended too."""
        worker = self.worker
        if worker is None or worker.ended or not worker.is_quiet():
            self.close_worker()
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
        out, answer.calls = [], []
        for title, check in checks.items():
            result = CheckResult(title, hidden, True)
            for time_ in range(TIMES if hidden else 1):
                rng = rng_for(self.seed, exercise.id, hidden, title, time_)
                report = run_checks(exercise, answer, rng, {title: check})
                if answer.failure:
                    raise answer.failure
                if message := report.messages[title]:
                    if hidden:
                        message = report.plain[title]
                    result.passed, result.message = False, excerpt(message)
                    break
            out.append(result)
        if hidden and any(result.passed for result in out):
            self.check_again(exercise, answer, out)
        return out

    def check_again(
        self, exercise: Exercise, answer: Sandboxed, hidden: list[CheckResult]
    ) -> None:
        """None of them counts for an answer that is right now and then."""
        rng = rng_for(self.seed, exercise.id, "again")
        try:
            answer.expect_same_again(rng)
        except (Wrong, NotStarted) as wrong:
            message = getattr(wrong, "plain", str(wrong))
            for result in hidden:
                result.passed, result.message = False, message
        except SandboxError:
            raise answer.failure from None

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
        mine = defines(exercise.names)
        found = [n for n in self.failed if mine.search(self.cells[n])]
        return " ".join(note for n in found for note in self.notes_of(n))

    def end(self) -> float:
        """Ends every process; CPU seconds that they used in all."""
        if self.base:
            self.close_worker()
            self.used += self.base.end()
            self.base = self.worker = None
        return self.used


def error_in_words(reply: dict) -> str:
    kind, text = excerpt(reply.get("type"), 80), excerpt(reply.get("text"), 300)
    line = reply.get("line")
    known = type(line) is int and 0 < line < 1_000_000
    where = f" in line {line}" if known else ""
    return f"ended in {kind}{where}: {text}"
