"""What must not be in what students get."""

import json
import re
from itertools import pairwise

from attnbook.grading.course import Course, Sheet, cells_of
from attnbook.grading.stubs import BLOCK
from attnbook.notebooks.cells import tags
from attnbook.release.sheets import exercise, lines_given

ANSWER, ANSWER_IN_CODE, PROSE, HIDDEN = 15, 24, 40, 50  # characters that count
IMPORT = re.compile(r"(from[\w.]+)?import")
INSTRUCTORS = re.compile(
    r"^solutions/|^attnbook/(grading/|release/|cli\.py$)|_hidden\.py$"
)
MARKS = re.compile(
    r"(BEGIN|END) SOLUTION|solution-only|HIDDEN\.(check|wrong)"
    r'|check\([^)]*strict|^\s*"(nbgrader|attnbook)":|^\s*"output_type":'
)
HINT = re.compile(r"<details>.*?</details>")


def leaks(
    course: Course, numbers: list[str], files: dict[str, bytes]
) -> list[str]:
    """Which lines of these files only an instructor may have, in words:
    lines of answers and explanations, hidden checks, the marks of a master.

    Hints, which fold out, may hold the first line of an answer, and a sheet
    may give what another one asks for.
    """
    given = {exercise(s): s for s in course.sheets.values()}
    public = {p for s in given.values() for _, p in pairs(lines_given(s))}
    answers, prose, hidden = [], {}, {}
    for sheet in map(course.sheet, numbers):
        answers += [(line, sheet) for line in answer_lines(sheet)]
        prose |= dict.fromkeys(explanations(sheet), sheet)
        hidden |= dict.fromkeys(hidden_pairs(sheet) - public, sheet)
    out = []
    for name, data in files.items():
        if INSTRUCTORS.search(name):
            out.append(f"{name} belongs to the instructor")
        own = given.get(name)
        known = set(map(squeezed, lines_given(own))) if own else set()
        short = ANSWER if own else ANSWER_IN_CODE
        raw = data.decode("utf8", "replace").splitlines()
        lines = [HINT.sub("", unpacked(line)) for line in raw]
        for number, line in enumerate(lines, 1):
            where, text = f"{name}, line {number}", squeezed(line)
            for answer, sheet in answers:
                if len(answer) >= short and answer in text:
                    if sheet is own or text not in known:
                        out.append(f"{where} holds an answer of {sheet.number}")
            if text in prose:
                out.append(f"{where} explains {prose[text].number}'s answers")
            if MARKS.search(line):
                out.append(f"{where} bears a mark of a master")
        out += [
            f"{name}, line {number} is in {hidden[pair].number}'s hidden checks"
            for number, pair in pairs(lines)
            if pair in hidden
        ]
    return out


def unpacked(line: str) -> str:
    """The text in a line of a notebook's JSON; of other lines what is near
    enough to find a text in it."""
    text = line.strip().removesuffix(",")
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        try:
            return json.loads(text)
        except ValueError:
            pass
    return line.replace('\\"', '"')


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def answer_lines(sheet: Sheet) -> set[str]:
    lines = {
        squeezed(line).removeprefix("return")
        for cell in cells_of(sheet.path)
        for _, body in BLOCK.findall(cell["source"])
        for line in body.splitlines()
    }
    return {line for line in lines if len(line) >= ANSWER}


def explanations(sheet: Sheet) -> set[str]:
    lines = {
        squeezed(line)
        for cell in cells_of(sheet.path)
        if "solution-only" in tags(cell)
        for line in cell["source"].splitlines()
    }
    return {line for line in lines if len(line) >= PROSE}


def hidden_pairs(sheet: Sheet) -> set[str]:
    path = sheet.path.with_name(f"{sheet.number}_hidden.py")
    return {pair for _, pair in pairs(path.read_text("utf8").splitlines())}


def pairs(lines: list[str]) -> list[tuple[int, str]]:
    """Neighbouring lines that are long enough to be no coincidence, with the
    number of the first; imports, which all files share, left out."""
    full = [(n, squeezed(line)) for n, line in enumerate(lines, 1)]
    full = [(n, text) for n, text in full if text and not IMPORT.match(text)]
    joined = ((n, f"{one}\n{two}") for (n, one), (_, two) in pairwise(full))
    return [(n, pair) for n, pair in joined if len(pair) > HIDDEN]
