"""Scores and notebooks handed over to nbgrader, where that is asked for."""

from typing import TYPE_CHECKING

from attnbook.grading.course import Course, CourseError
from attnbook.grading.model import Result, Submission
from attnbook.grading.output.tables import counted

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


class Nbgrader:
    """nbgrader's gradebook and course folder, as the command's options name
    them; each method does nothing where they do not."""

    def __init__(self, options, course: Course):
        self.gradebook, self.folder = options.gradebook, options.nbgrader_course
        self.course = course

    def try_out(self) -> None:
        """An error now if the scores could not be written later."""
        self.write_scores([])

    def write_scores(self, rows: list[Result]) -> None:
        url = self.url()
        if not url:
            return
        from attnbook.grading.output.gradebook import write_scores

        count = write_scores(url, rows, self.course, self.folder)
        if rows:
            print(f"{counted(count, 'submission')} written to the gradebook.")

    def url(self) -> "str | URL | None":
        """Where scores are written, if they are."""
        if self.gradebook or not self.folder:
            return self.gradebook
        if not (self.folder / "nbgrader_config.py").exists():
            raise CourseError(
                f"{self.folder} is no nbgrader course: make one with "
                "`attnbook release --nbgrader --exercise ... --out DIR`."
            )
        from attnbook.grading.output.gradebook import in_file

        return in_file(self.folder.resolve() / "gradebook.db")

    def place_notebooks(
        self, rows: list[Result], found: list[Submission]
    ) -> None:
        """Put them where formgrader shows them."""
        if self.folder:
            from attnbook.grading.output.marks import place_submissions

            notebooks = {s.key: s.notebook for s in found}
            place_submissions(self.folder, self.course, rows, notebooks)
