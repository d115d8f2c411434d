"""A student's page: what a result says of one sheet.

Names, error messages and code come from students: the page shows them as
text, runs no script and loads nothing.
"""

import base64
import functools
import hashlib
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from attnbook.grading.model import CheckResult, QuestionResult, Result
from attnbook.grading.output.tables import EMPTY, amount, graded
from attnbook.grading.strangers import printable, printable_lines
from attnbook.grading.templating import templates_in

TEMPLATES = Path(__file__).parent / "templates"
STYLE = (TEMPLATES / "page.css").read_text("utf8")
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def page(result: Result) -> str:
    """One student's feedback on one sheet, as a page of its own."""
    return template().render(page=Page(result))


@functools.cache
def template() -> Template:
    templates = templates_in(TEMPLATES, printable_lines)
    templates.globals |= {
        "said_once": said_once,
        "style": Markup(STYLE),
        "policy": STYLE_HASH,
    }
    return templates.get_template("page.html")


class Page:
    """What the template fills in of a result."""

    def __init__(self, result: Result):
        self.sheet, self.points = title(result), words(result)
        self.student = printable(result.student)
        self.graded, self.why = graded(result), result.why
        self.cards = [Card(question) for question in result.questions]
        self.told = what_is_left(result) if self.graded else ""
        self.notes = result.notes
        self.sha256 = "" if result.sha256 == EMPTY else result.sha256
        self.version = str(result.graded_with.get("digest", ""))


class Card:
    """A question's points and what each of its checks said."""

    def __init__(self, question: QuestionResult):
        self.letter, self.title = letter(question), question.title
        self.points, self.colour = words(question), standing(question)
        self.why, self.explained = question.why, explained(question)
        self.checks = question.checks
        self.seen = [c for c in self.checks if not c.hidden]
        self.hidden = [c for c in self.checks if c.hidden]
        passed = [c.passed for c in self.checks]
        self.all_passed = bool(passed) and all(passed)


def what_is_left(result: Result) -> str:
    """Where the points are that a student did not get, in a sentence."""
    short = [letter(q) for q in result.questions if q.points < q.out_of]
    if not short:
        return "Every check passed. Well done."
    if result.points == 0:
        return "Nothing counts yet. Each question below says what is missing."
    there = "question " if len(short) == 1 else "questions "
    return f"Points are left in {there}{listed(short)}: see there why."


def said_once(checks: list[CheckResult]) -> str:
    """What all that failed say, if they say the same."""
    said = [c.message for c in checks if not c.passed]
    return said[0] if len(said) > 1 and len(set(said)) == 1 else ""


def title(result: Result) -> str:
    return result.sheet.replace("_", ".")


def letter(question: QuestionResult) -> str:
    return question.id.split(".")[-1]


def words(part: Result | QuestionResult) -> str:
    """The points of a sheet or a question, in words."""
    if not graded(part):
        return "not graded"
    unit = "point" if part.out_of == 1 else "points"
    return f"{amount(part.points)} of {amount(part.out_of)} {unit}"


def listed(names: list[str]) -> str:
    """a; a and b; a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def standing(question: QuestionResult) -> str:
    """The colour of the points; the words beside it say the same."""
    if graded(question) and question.points >= question.out_of:
        return "good"
    return "open" if question.points or not graded(question) else "bad"


def explained(question: QuestionResult) -> str:
    """Why checks that passed earn nothing, where they do."""
    checks = question.checks
    passed = [c.hidden for c in checks if c.passed]
    if question.points or not passed or not graded(question):
        return ""
    if any(passed):
        return "Here points are given only if all checks pass."
    if all(c.passed for c in checks if not c.hidden):
        return (
            "This is right on the inputs that your notebook names and not yet "
            "on others, so that it does not count."
        )
    return "What passed does not count as long as no hidden check passes."
