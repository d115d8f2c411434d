"""Does grading work on this machine? Found out by grading."""

from attnbook.grading.course import Course
from attnbook.grading.grader import Grader
from attnbook.grading.model import Submission
from attnbook.grading.sandbox.process import Sandbox, SandboxError


def preflight(course: Course) -> str:
    """Grade every master as if it were handed in; a sentence of what works.
    SandboxError if one does not get what it deserves: no student would."""
    with Sandbox() as sandbox:
        grader = Grader(course, sandbox, 0)
        for sheet in course.sheets.values():
            data = sheet.path.read_bytes()
            result = grader.grade(
                Submission("master", sheet.number, str(sheet.path), data)
            )
            if result.points != result.out_of or not result.questions:
                raise SandboxError(
                    f"the solved sheet {sheet.number} gets {result.points:g} "
                    f"of {result.out_of:g} points here. "
                    f"{' '.join(result.notes) or result.why}"
                )
        who = "as root" if sandbox.root else "as a normal user"
        more = "with" if sandbox.seccomp else "without"
    return (
        f"The sandbox works here, {who}, {more} a seccomp filter; "
        f"{len(course.sheets)} solved sheets got all of their points."
    )
