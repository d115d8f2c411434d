"""One run of `attnbook grade`: from what was handed in to the reports."""

import os
import secrets
from collections.abc import Iterator

from attnbook.grading import batch, cluster
from attnbook.grading.clone import refuse_strangers_files
from attnbook.grading.course import Course
from attnbook.grading.intake.collect import collect
from attnbook.grading.intake.selection import not_handed_in, only
from attnbook.grading.limits import MIB, Limits
from attnbook.grading.model import NOT_GRADED, Result, Submission
from attnbook.grading.output import tables, terminal
from attnbook.grading.output.handover import Nbgrader
from attnbook.grading.output.runfolder import RunFolder
from attnbook.grading.sandbox.bwrap import exposed
from attnbook.grading.sandbox.process import SandboxError
from attnbook.grading.settings import Settings


class GradeRun:
    """What one command grades, and with what.

    After `conduct` there are the results of what was handed in now, and
    whether the run was interrupted.
    """

    def __init__(self, options, course: Course, numbers: list[str]):
        self.options, self.course, self.numbers = options, course, numbers
        self.nbgrader = Nbgrader(options, course)
        self.results: list[Result] = []
        self.interrupted = False

    def conduct(self) -> None:
        """All that can be known to be wrong is said before anything is
        graded."""
        self.collect()
        self.nbgrader.try_out()
        self.refuse_danger()
        self.open_folder()
        try:
            self.grade(self.choose())
        except KeyboardInterrupt:
            self.interrupted = True
        self.write()
        if not self.interrupted:
            self.hand_over()

    @property
    def left_out(self) -> list[Result]:
        """What was not graded."""
        return [r for r in self.results if r.state == NOT_GRADED]

    # --- before ---

    def collect(self) -> None:
        """What was handed in by the students that are asked for."""
        stems = {n: self.course.sheet(n).stem for n in self.numbers}
        self.collection = collect(
            self.options.submissions,
            stems,
            self.options.max_mb * 1_000_000,
            leave_out=not_handed_in(self.options),
        )
        print(self.collection.summary())
        self.found = only(self.collection.submissions, self.options)

    def refuse_danger(self) -> None:
        """An error if strangers may have written what is executed here, or
        could read what they must not."""
        options, root = self.options, self.course.root
        refuse_strangers_files(root, options.submissions)
        if not options.no_sandbox:
            refuse_exposed(options.submissions, options.out, root)

    def open_folder(self) -> None:
        """The folder of the grades and the settings, with the seed of the
        folder's first run unless one was given."""
        seed = self.options.seed
        settings = Settings.of(
            self.course,
            self.numbers,
            secrets.randbits(63) if seed is None else seed,
            limits_of(self.options),
            not self.options.no_sandbox,
        )
        self.folder = RunFolder(self.options.out)
        self.settings = self.folder.open(settings, seed is not None)
        files = tables.files(self.collection.files)
        tables.write_whole(self.folder.path / "files.csv", f"\ufeff{files}")

    # --- grading ---

    def choose(self) -> list[Submission]:
        """What is to be graded now; of what is not, the results."""
        chosen: list[Submission] = []
        for submission in self.found:
            done = self.folder.finished(submission, self.settings)
            if why := submission.refused:
                self.results.append(batch.not_graded(submission, why))
            elif done and not self.options.force:
                self.results.append(done)
            else:
                chosen.append(submission)
        return chosen

    def grade(self, chosen: list[Submission]) -> None:
        """What is graded is in the folder as soon as it is there."""
        terminal.say_what_is_known(
            self.folder, self.results, chosen, self.settings
        )
        width = max(len(s.student) for s in self.found)
        terminal.say_what_is_refused(self.results, width)
        if not chosen:
            return
        stream = self.stream_of(chosen)
        for result in terminal.shown(stream, len(chosen), width):
            result.graded_with = self.settings.for_sheet(result.sheet)
            self.folder.keep(result)
            self.results.append(result)

    def stream_of(self, chosen: list[Submission]) -> Iterator[Result]:
        """Their results as they come, from here or from a cluster."""
        address = self.options.scheduler
        if address:
            return cluster.grade_there(self.settings, chosen, address)
        jobs = self.options.jobs or os.cpu_count() or 1
        return batch.grade_here(self.settings, chosen, jobs)

    # --- after ---

    def write(self) -> None:
        """Write the reports on all that the folder holds, and say where."""
        for result in self.left_out:
            if not result.graded_with:
                self.folder.keep(result)  # what was refused
        self.results.sort(key=lambda r: (r.student, r.sheet))
        rows = self.folder.rows()
        notes = self.folder.write_reports(self.settings)
        terminal.say_what_stays(self.settings, rows, self.results)
        for note in notes:
            print(note)
        if self.interrupted:
            folder, force = self.folder.path, self.options.force
            terminal.say_interrupted(len(rows), folder, force)
        else:
            terminal.say_where(self.folder.path, rows)

    def hand_over(self) -> None:
        """Give nbgrader the scores and the notebooks, if that is asked for."""
        rows = [self.folder.results[r.key] for r in self.results]
        self.nbgrader.write_scores(rows)  # as in grades.csv
        self.nbgrader.place_notebooks(rows, self.found)


def refuse_exposed(*places) -> None:
    """SandboxError if students' code could read one of these."""
    for place in places:
        if where := exposed(place):
            raise SandboxError(
                f"students' code could read {place}, because the sandbox "
                f"shows it all of {where}: keep it somewhere else."
            )


def limits_of(options) -> Limits:
    return Limits(
        cell=options.limit_cell,
        call=options.limit_call,
        question=options.limit_question,
        memory=options.memory * MIB,
    )
