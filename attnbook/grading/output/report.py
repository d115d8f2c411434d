"""What a run leaves behind: a page and a results.json for each student.

Names, error messages and code come from students: a page shows them as text,
runs no script and loads nothing.
"""

import base64
import hashlib
import json
import re
import unicodedata
from html import escape
from pathlib import Path

from attnbook.grading.intake.collect import folder_name, printable
from attnbook.grading.model import CheckResult, QuestionResult, Result
from attnbook.grading.output.tables import (
    EMPTY,
    amount,
    graded,
    write_grades,
    write_whole,
)

MAX_TEXT = 2_000  # characters of one message
COLOURS = re.compile("\x1b\\[[0-9;?]*[A-Za-z]")  # of a terminal


def write_reports(
    folder: Path, results: list[Result], ours: str = ""
) -> list[str]:
    """Write grades.csv, and below students/ a page and a results.json for
    each result; what is to be said of a grades.csv that was there, unless
    its SHA-256 is `ours`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    notes = write_grades(folder / "grades.csv", results, ours)
    for result in results:
        place = folder / "students" / folder_name(result.student)
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / f"{result.sheet}.html", page(result))
        scores = json.dumps(gradescope(result), indent=1) + "\n"
        write_whole(place / f"{result.sheet}.results.json", scores)
        if len(results) == 1:
            write_whole(folder / "results.json", scores)
    return notes


# --- text from strangers ---------------------------------------------------


def plain(text: str) -> str:
    """Text without colours, control, format and half characters."""
    text = COLOURS.sub("", text.replace("\r\n", "\n"))
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c)[0] != "C")
    text = "".join(kept).strip()
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " ..."


def html(text: str) -> str:
    return escape(plain(text))


# --- Gradescope ------------------------------------------------------------


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
        out["output"] = plain(
            f"Not graded: {result.why}\nThe score 0 only stands here because "
            "a number must; it is not your grade."
        )
    elif result.notes:
        out["output"] += "\n" + plain("\n".join(result.notes))
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
        "output": plain("\n".join(lines)),
        "output_format": "text",
        "visibility": "visible",
    }


# --- a student's page ------------------------------------------------------

SEEN = "The checks of your notebook"
HIDDEN = "Hidden checks, on other inputs"
STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --card: #f5f6f8;
  --text: #1c2128; --soft: #57606a; --line: #d5d9df; --link: #0a58ca;
  --good: #19692c; --bad: #b3261e; --open: #7a4b00; }
@media (prefers-color-scheme: dark) { :root { --back: #14171c;
  --card: #1e2229; --text: #e8eaee; --soft: #a9b1bc; --line: #3a414c;
  --link: #8ab4ff; --good: #6fd78b; --bad: #ff9a8f; --open: #f0be60; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.2rem 0 0; }
h2 { font-size: 1.15rem; line-height: 1.35; margin: 0; }
h3 { font-size: 0.95rem; margin: 1.1rem 0 0.3rem; color: var(--soft); }
p { margin: 0.6rem 0; }
a { color: var(--link); }
code { font: 0.92em ui-monospace, monospace; }
.soft { color: var(--soft); }
.small { font-size: 0.9rem; }
.score { font-size: 1.25rem; margin: 1rem 0; }
.score strong { font-size: 2.6rem; line-height: 1; }
.card { background: var(--card); border: 1px solid var(--line);
  border-radius: 0.6rem; padding: 1rem; margin: 1.2rem 0; }
.head { display: flex; gap: 0.2rem 1rem; flex-wrap: wrap;
  justify-content: space-between; align-items: baseline; }
.head h2 { flex: 1 1 14rem; } .head span { white-space: nowrap; }
summary { cursor: pointer; padding-top: 0.6rem; }
table { width: 100%; border-collapse: collapse; margin: 1rem 0; }
th, td { padding: 0.4rem 0.5rem 0.4rem 0; text-align: left;
  border-bottom: 1px solid var(--line); font-weight: normal; }
td { white-space: nowrap; text-align: right; padding-right: 0; }
.checks, .plain { list-style: none; margin: 0; padding: 0; }
.checks li { padding: 0.3rem 0 0.3rem 1.6rem; text-indent: -1.6rem; }
.checks p { margin: 0.15rem 0 0; text-indent: 0; }
.mark { display: inline-block; width: 1.6rem; text-indent: 0; }
.message { white-space: pre-wrap; border-left: 3px solid var(--line);
  padding-left: 0.7rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.open { color: var(--open); } .good, .bad, .open { font-weight: 600; }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'sha256-{policy}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<header>
<p class="soft">Attention, Put to the Test &middot; Exercises {sheet}</p>
<h1>Feedback for <bdi>{student}</bdi></h1>
{score}
</header>
{body}
<footer class="small soft">
{footer}
</footer>
</main>
</body>
</html>
"""


def page(result: Result) -> str:
    """One student's feedback on one sheet, as a page of its own."""
    done = graded(result)
    return PAGE.format(
        policy=STYLE_HASH,
        style=STYLE,
        title=f"Feedback on {title(result)}: {escape(words(result))}",
        sheet=title(result),
        student=html(printable(result.student)),
        score=score(result) if done else no_score(result),
        body=questions(result) + cells(result) if done else what_to_do(),
        footer=footer(result),
    )


def title(result: Result) -> str:
    return escape(result.sheet.replace("_", "."))


def letter(question: QuestionResult) -> str:
    return question.id.split(".")[-1]


def words(part: Result | QuestionResult) -> str:
    """The points of a sheet or a question, in words."""
    if not graded(part):
        return "not graded"
    unit = "point" if part.out_of == 1 else "points"
    return f"{amount(part.points)} of {amount(part.out_of)} {unit}"


def score(result: Result) -> str:
    """The sum and, per question, where it comes from."""
    points, rest = words(result).split(" ", 1)
    rows = "\n".join(
        f'<tr><th scope="row"><a href="#{html(letter(q))}">'
        f"{html(letter(q))}&ensp;{html(q.title)}</a></th>"
        f"<td>{words(q)}</td></tr>"
        for q in result.questions
    )
    short = [letter(q) for q in result.questions if q.points < q.out_of]
    if not short:
        told = "Every check passed. Well done."
    elif result.points == 0:
        told = "Nothing counts yet. Each question below says what is missing."
    else:
        there = "question " if len(short) == 1 else "questions "
        told = f"Points are left in {there}{listed(short)}: see there why."
    return f"""<p class="score"><strong>{points}</strong> {rest}</p>
<p>{html(told)}</p>
<table>
{rows}
</table>"""


def listed(names: list[str]) -> str:
    """a; a and b; a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def questions(result: Result) -> str:
    return "\n".join(map(question_card, result.questions))


def question_card(question: QuestionResult) -> str:
    """A question's points and what each of its checks said."""
    name, checks = html(letter(question)), question.checks
    notes = ""
    if question.why:
        notes += f'<p class="message">{html(question.why)}</p>\n'
    if text := explained(question):
        notes += f"<p>{html(text)}</p>\n"
    seen = check_list(SEEN, [c for c in checks if not c.hidden])
    lists = seen + check_list(HIDDEN, [c for c in checks if c.hidden])
    if checks and all(c.passed for c in checks):
        lists = (
            f"<details>\n<summary>All {len(checks)} checks passed</summary>\n"
            f"{lists}</details>\n"
        )
    return f"""<section class="card" aria-labelledby="{name}">
<div class="head">
<h2 id="{name}">{name}&ensp;{html(question.title)}</h2>
<span class="{standing(question)}">{words(question)}</span>
</div>
{notes}{lists}</section>"""


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


def check_list(heading: str, checks: list[CheckResult]) -> str:
    """The checks and their messages; what all that failed say is said once."""
    if not checks:
        return ""
    said = [c.message for c in checks if not c.passed]
    once = said[0] if len(said) > 1 and len(set(said)) == 1 else ""
    lines = [f"<h3>{heading}</h3>"]
    if once:
        lines.append(f'<p class="message">{html(once)}</p>')
    lines.append('<ul class="checks">')
    for check in checks:
        kind, sign = (
            ("good", "&#10003;") if check.passed else ("bad", "&#10007;")
        )
        text = "" if check.message == once else check.message
        more = f'\n<p class="message">{html(text)}</p>' if text else ""
        lines.append(
            f'<li><span class="mark {kind}" aria-hidden="true">{sign}</span>'
            f'<span class="{kind}">{"passed" if check.passed else "failed"}'
            f"</span>: {html(check.title)}{more}</li>"
        )
    return "\n".join([*lines, "</ul>\n"])


def verdict(check: CheckResult) -> str:
    word = "passed" if check.passed else "failed"
    return f"{word} (hidden check)" if check.hidden else word


def cells(result: Result) -> str:
    """The cells that ended in an error, if any did."""
    if not result.notes:
        return ""
    rows = "\n".join(
        f'<li><p class="message">{html(note)}</p></li>' for note in result.notes
    )
    return f"""<section class="card" aria-labelledby="cells">
<h2 id="cells">Cells that stopped</h2>
<p>Your notebook was run once, from the first cell to the last, in a fresh
process without network and files. These cells ended early there; the others
ran. To see the same, choose <em>Restart Kernel and Run All Cells</em>.</p>
<ul class="plain">
{rows}
</ul>
</section>"""


def no_score(result: Result) -> str:
    return f"""<p class="score"><strong class="open">Not graded</strong></p>
<p class="message">{html(result.why)}</p>"""


def what_to_do() -> str:
    return """<section class="card" aria-labelledby="todo">
<h2 id="todo">What to do</h2>
<p>This is not a zero: nothing of your work was judged yet.</p>
<ol>
<li>Mend what the sentence above says. If it is about the grader and not
about your file, there is nothing for you to mend.</li>
<li>Open the notebook in JupyterLab, choose <em>Restart Kernel and Run All
Cells</em>, and save it.</li>
<li>Hand in the .ipynb file again, under the name that it came with, or write
to your instructor if the time to hand in is over.</li>
</ol>
</section>"""


def footer(result: Result) -> str:
    """How points come about, and which file was graded with what."""
    parts = []
    if graded(result):
        parts.append(
            "Within a question each check counts the same. None counts unless "
            "a hidden check passes, where there are such: they are like those "
            "of your notebook, on other inputs. Where one bug is to be found, "
            "all checks must pass."
        )
    if result.sha256 not in ("", EMPTY):
        parts.append(
            f"File, by its SHA-256: <code>{html(result.sha256)}</code>"
        )
    if "digest" in result.graded_with:
        digest = html(str(result.graded_with["digest"]))
        parts.append(f"Version of the checks: <code>{digest}</code>")
    return "\n".join(f"<p>{part}</p>" for part in parts)
