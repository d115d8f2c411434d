"""What nbgrader runs for this course; needs nbgrader installed.

The nbgrader_config.py that `nbgrader_tools.lay_out` writes names it.
"""

from nbgrader.preprocessors import NbGraderPreprocessor

from attnbook.grading.stubs import student_cells


class StudentVersion(NbGraderPreprocessor):
    """The course's own stubs, in place of nbgrader's ClearSolutions.

    That one would put `raise NotImplementedError()` where a broken function
    is to be repaired, and keep the cells tagged `solution-only`.
    """

    def preprocess(self, nb, resources):
        """The student's notebook; RuntimeError if a mark is left over."""
        nb.cells = student_cells(nb.cells)
        nb.metadata.pop("attnbook", None)
        for cell in nb.cells:
            if "### BEGIN SOLUTION" in cell.source:
                raise RuntimeError(
                    "A solution has no end mark, or stands in another: "
                    + cell.source.splitlines()[0]
                )
        return nb, resources
