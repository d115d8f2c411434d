"""A result as Gradescope's results.json has it."""

from attnbook.grading.model import CheckResult, QuestionResult, Result
from attnbook.grading.output.page import letter, title
from attnbook.grading.output.tables import graded
from attnbook.grading.strangers import printable, printable_lines


def gradescope(result: Result) -> dict:
    """The results.json of an autograder, as
    https://gradescope-autograders.readthedocs.io/en/latest/specs/ asks for.

    Gradescope knows no state "not graded": the score is then 0 and the text
    says that it is none. Times are left out: code could take longer or less
    long to tell what the hidden inputs were.
    """
    out = {
        "score": result.points,
        "max_score": result.out_of,
        "output": printable(f"Exercises {title(result)}, {result.state}."),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [gradescope_test(q) for q in result.questions],
        "extra_data": {"state": result.state, "sha256": result.sha256},
    }
    if not graded(result):
        out["score"] = 0.0
        out["output"] = printable_lines(
            f"Not graded: {result.why}\nThe score 0 only stands here because "
            "a number must; it is not your grade."
        )
    elif result.notes:
        out["output"] += "\n" + printable_lines("\n".join(result.notes))
    return out


def gradescope_test(question: QuestionResult) -> dict:
    lines = [question.why] if question.why else []
    for check in question.checks:
        said = f": {check.message}" if check.message else ""
        lines.append(f"{verdict(check)}: {check.title}{said}")
    full = graded(question) and question.points >= question.out_of
    return {
        "name": f"{letter(question)}. {question.title}",
        "name_format": "text",
        "score": question.points,
        "max_score": question.out_of,
        "status": "passed" if full else "failed",
        "output": printable_lines("\n".join(lines)),
        "output_format": "text",
        "visibility": "visible",
    }


def verdict(check: CheckResult) -> str:
    word = "passed" if check.passed else "failed"
    return f"{word} (hidden check)" if check.hidden else word
