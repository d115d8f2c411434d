"""Grades and feedback: right, and harmless whatever a student wrote."""

import csv
import hashlib
import io
import json
import os
import re
from base64 import b64decode
from html.parser import HTMLParser

import pytest

from attnbook.grading import strangers
from attnbook.grading.intake.account import Found
from attnbook.grading.model import (
    NOT_GRADED,
    CheckResult,
    QuestionResult,
    Result,
)
from attnbook.grading.output.page import STYLE, page
from attnbook.grading.output.report import write_reports
from attnbook.grading.output.results import gradescope
from attnbook.grading.output.tables import files as files_table
from attnbook.grading.output.tables import summary
from attnbook.grading.strangers import folder_name

WITH = {"digest": "9f2c81a0", "seed": 987654321}
EVIL = "<script>alert(1)</script>{title}\u202e\x1b[31mred\x00\u200b&amp;\ud800"
MILD = "&lt;script&gt;alert(1)&lt;/script&gt;{title}red&amp;amp;"


def check(title="a worked example", passed=True, hidden=False, message=""):
    return CheckResult(title, hidden, passed, message)


def question(points=2.0, *checks, letter="a", **more):
    checks = list(checks) or [check(), check("gradients", hidden=True)]
    title = "How sharp must a score be?"
    return QuestionResult(
        f"2_1.{letter}", title, 2, points, checks=checks, **more
    )


def result(*questions, student="alice", **more):
    more = {"sheet": "2_1", "source": "a.zip: x", "sha256": "ab" * 32} | more
    more.setdefault("graded_with", WITH)
    return Result(student, questions=list(questions), **more)


def refused(why="There are 2 notebooks: hand in one.", student="bob", **more):
    empty = hashlib.sha256().hexdigest()
    return result(
        student=student, state=NOT_GRADED, why=why, sha256=empty, **more
    )


def rows(folder):
    data = (folder / "grades.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")  # else Excel takes it for cp1252
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


# --- grades.csv ------------------------------------------------------------


def test_one_row_per_student_and_sheet_one_column_per_question(tmp_path):
    other = question(1.0)
    other.id = "2_10.a"
    results = [
        result(question(4 / 3), question(letter="b")),
        result(other, student="carl", sheet="2_10"),
        refused(),
    ]
    write_reports(tmp_path, results)
    first, second, third = rows(tmp_path)
    assert list(first) == (
        "student sheet state points out_of 2_1.a 2_1.b 2_10.a why source sha256"
    ).split(" ")
    assert first | {"source": "", "sha256": ""} == {
        "student": "alice",
        "sheet": "2_1",
        "state": "graded",
        "points": "3.33",
        "out_of": "4",
        "2_1.a": "1.33",
        "2_1.b": "2",
        "2_10.a": "",
        "why": "",
        "source": "",
        "sha256": "",
    }
    assert (first["source"], first["sha256"]) == ("a.zip: x", "ab" * 32)
    assert (second["points"], second["2_10.a"], second["2_1.a"]) == (
        "1",
        "1",
        "",
    )
    assert third["why"] == "There are 2 notebooks: hand in one."
    assert (third["state"], third["points"], third["out_of"]) == (
        "not graded",
        "",
        "",
    )
    assert third["sha256"] == ""


@pytest.mark.parametrize(
    "name",
    [
        "=cmd|' /C calc'!A0",
        "+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r\n=1",
        "\u200b=1",
        " =1",
        "\uff1d1",
        "%A",
    ],
)
def test_a_spreadsheet_computes_nothing_from_a_name(tmp_path, name):
    bad = refused(why=name, student=name, source=name)
    write_reports(tmp_path, [bad])
    (row,) = rows(tmp_path)
    for column in ("student", "why", "source"):
        assert re.match("'[=+@%\uff1d-]", row[column]), row
    assert row["state"] == "not graded"


@pytest.mark.parametrize(
    "name, cell",
    [
        ("x;=HYPERLINK(A1);", "x;'=HYPERLINK(A1);"),
        ("a; @b", "a; '@b"),
        ('a,"=1"', 'a,"\'=1"'),
        ("a=b-c", "a=b-c"),
    ],
)
def test_nor_where_semicolons_separate_columns(name, cell):
    assert strangers.no_formula(name) == cell


def test_a_name_with_commas_quotes_and_lines_stays_one_cell(tmp_path):
    write_reports(tmp_path, [result(question(), student='a,"b"\nc;\td')])
    (row,) = rows(tmp_path)
    assert row["student"] == 'a,"b" c; d' and row["points"] == "2"


def test_a_later_grades_csv_keeps_what_no_result_tells_of(tmp_path):
    write_reports(tmp_path, [result(question()), refused()])
    late = result(question(1.0), student="carl")
    ours = hashlib.sha256((tmp_path / "grades.csv").read_bytes()).hexdigest()
    (note,) = write_reports(tmp_path, [late, refused("Empty.")], ours)
    assert note.startswith("1 row of ") and "left as it was" in note
    got = {row["student"]: row for row in rows(tmp_path)}
    assert got["alice"]["points"] == "2" and got["carl"]["points"] == "1"
    assert got["bob"]["why"] == "Empty." and len(got) == 3


@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"a;b\r\n1;2", b"student,sheet,mine\r\nbo,2_1,x\r\n"]
)
def test_a_grades_csv_changed_by_hand_is_kept_aside(tmp_path, data):
    (tmp_path / "grades.csv").write_bytes(data)
    notes = write_reports(tmp_path, [result(question())])
    assert "was not as the last run had left it" in notes[0]
    (aside,) = tmp_path.glob("grades.*.csv")
    assert aside.read_bytes() == data and aside.name in notes[0]
    assert rows(tmp_path)[0]["student"] == "alice"


def test_what_became_of_each_file():
    found = [Found("=x/a.ipynb", "2_1 of =x"), Found("b, c.txt", "not read")]
    lines = list(csv.reader(io.StringIO(files_table(found))))
    assert lines == [
        ["path", "became"],
        ["'=x/a.ipynb", "2_1 of =x"],
        ["b, c.txt", "not read"],
    ]


# --- a student's page ------------------------------------------------------


class Page(HTMLParser):
    """Which elements a page has, and what a reader sees of it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self):
        return " ".join(self.text.split())


def shown(*questions, **more):
    return Page(page(result(*questions, **more)))


def test_score_first_then_each_question_and_check_in_words():
    got = shown(
        question(),
        question(
            4 / 3,
            check(),
            check("large scores", False, False, "nan or infinity."),
            check("random shapes", True, True),
            letter="b",
        ),
        notes=["Code cell 5 (x = 1) ended in NameError: no y"],
    ).words
    order = [
        "Feedback on 2.1: 3.33 of 4 points",
        "Feedback for alice 3.33 of 4 points",
        "Points are left in question b",
        "a How sharp must a score be? 2 of 2 points All 2 checks passed",
        "b How sharp must a score be? 1.33 of 2 points",
        "The checks of your notebook \u2713passed: a worked example",
        "\u2717failed: large scores nan or infinity.",
        "Hidden checks, on other inputs \u2713passed: random shapes",
        "Cells that stopped",
        "Code cell 5 (x = 1) ended in NameError: no y",
        "Within a question each check counts the same.",
        "ab" * 32,
        "Version of the checks: 9f2c81a0",
    ]
    place = 0
    for text in order:
        assert text in got[place:], text
        place = got.index(text, place)


def test_full_marks_and_no_marks():
    assert "Every check passed. Well done." in shown(question()).words
    none = shown(question(0.0, check(passed=False, message="no"))).words
    assert "Nothing counts yet." in none


def test_checks_that_passed_and_earned_nothing_are_explained():
    visible_only = question(0.0, check(), check("x", False, True, "Not yet."))
    assert "is right on the inputs that your notebook names" in (
        shown(visible_only).words
    )
    bug = question(0.0, check("x", False), check("y", True, True))
    assert "only if all checks pass" in shown(bug).words
    mixed = question(0.0, check(), check("x", False), check("y", False, True))
    assert "as long as no hidden check passes" in shown(mixed).words
    started = question(0.0, check("x", False), check("y", False, True))
    text = shown(started).words
    assert "only if" not in text and "count as" not in text


def test_what_all_checks_say_is_said_once():
    says = "Write the body of `f` in the cell above."
    checks = [check(t, False, message=says) for t in "abc"]
    last = check("d", False, True, "there is no answer here yet.")
    text = shown(question(0.0, *checks, last)).words
    assert text.count(says) == 1 and text.count("failed") == 4
    assert "d there is no answer here yet." in text


def test_not_graded_says_why_and_what_to_do():
    got = Page(page(refused())).words
    assert "Feedback on 2.1: not graded" in got
    assert "Not graded There are 2 notebooks: hand in one. What to do" in got
    assert "This is not a zero" in got and "0 of" not in got
    assert hashlib.sha256().hexdigest() not in got


def test_a_question_that_was_not_graded_is_not_called_wrong():
    left = question(0.0, letter="b", state=NOT_GRADED, why="No sandbox.")
    left.checks = []
    got = shown(question(), left).words
    assert "not graded No sandbox." in got


def test_nothing_of_a_student_s_is_taken_for_markup():
    bad = question(0.0, check(EVIL, False, False, EVIL), why=EVIL)
    bad.title = EVIL
    for text in (
        page(result(bad, student=EVIL, notes=[EVIL], sha256=EVIL)),
        page(refused(EVIL, EVIL, graded_with={"digest": EVIL})),
    ):
        text.encode("utf8")
        assert MILD in text
        assert not set(text) & set("\u202e\x1b\x00\u200b\ud800")
        tags = {tag for tag, _ in Page(text).tags}
        assert not tags & {"script", "img", "link", "iframe", "form", "object"}


def test_a_page_loads_and_runs_nothing():
    text = page(result(question()))
    got = Page(text)
    policy = next(
        m["content"]
        for m in got.all("meta")
        if m.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy and "unsafe" not in policy
    allowed = re.search(r"style-src 'sha256-([^']+)'", policy)[1]
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    assert b64decode(allowed) == hashlib.sha256(style.encode()).digest()
    for _, attributes in got.tags:
        assert not {"style", "src", "onclick", "onload"} & set(attributes)
        assert attributes.get("href", "#").startswith("#")
    assert got.all("html") == [{"lang": "en"}] and len(got.all("h1")) == 1
    assert "width=device-width" in text and "prefers-color-scheme" in text


def test_neither_the_seed_nor_the_instructor_s_paths_are_shown():
    for got in (result(question()), refused()):
        got.source = "/home/prof/secret"
        text = page(got) + json.dumps(gradescope(got))
        assert "987654321" not in text and "/home/prof" not in text


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4
        for x in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast(scheme):
    head = STYLE.split("* {")[0].split("@media")[scheme]
    colours = dict(re.findall(r"--(\w+): (#\w{6})", head))
    for front in ("text", "soft", "link", "good", "bad", "open"):
        for back in ("back", "card"):
            pair = [luminance(colours[name]) for name in (front, back)]
            ratio = (max(pair) + 0.05) / (min(pair) + 0.05)
            assert ratio >= 5.5, (front, back, ratio)


# --- files -----------------------------------------------------------------


def files(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return sorted(p.relative_to(folder).as_posix() for p in found)


def test_every_student_gets_a_folder_and_nothing_lies_outside(tmp_path):
    names = ["alice", "..", "a/../../b", "CON", "\U0001f600"]
    names += ["李" * 100, "李" * 99 + "王", "\U00020000" * 120]  # many bytes
    results = [result(question(), student=name) for name in names]
    write_reports(tmp_path / "out", results)
    assert files(tmp_path) == sorted(
        ["out/grades.csv"]
        + [
            f"out/students/{folder_name(name)}/{kind}"
            for name in names
            for kind in ("2_1.html", "2_1.results.json")
        ]
    )


def test_one_result_is_also_where_gradescope_looks(tmp_path):
    write_reports(tmp_path, [result(question())])
    top = (tmp_path / "results.json").read_text("utf8")
    inner = tmp_path / "students/alice/2_1.results.json"
    assert top == inner.read_text("utf8") and json.loads(top)["score"] == 2


def test_a_crash_leaves_the_old_file(tmp_path, monkeypatch):
    write_reports(tmp_path, [result(question())])
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    ours = hashlib.sha256(before["grades.csv"]).hexdigest()

    def full(old, new):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_reports(tmp_path, [refused(student="alice")], ours)
    after = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    assert after == before


# --- Gradescope and the terminal -------------------------------------------


def test_gradescope_s_format():
    wrong = check("large scores", False, False, "nan.")
    last = check("random", True, True)
    got = gradescope(
        result(
            question(),
            question(4 / 3, wrong, last, letter="b", why="Cell 5 failed."),
            notes=["Code cell 5 ended"],
            wall_seconds=3.14159,
        )
    )
    assert got["score"] == 3.33 and got["max_score"] == 4
    assert "execution_time" not in got and got["visibility"] == "visible"
    assert got["stdout_visibility"] == "hidden"
    assert got["output"] == "Exercises 2.1, graded.\nCode cell 5 ended"
    assert got["tests"][1] == {
        "name": "b. How sharp must a score be?",
        "name_format": "text",
        "score": 4 / 3,
        "max_score": 2,
        "status": "failed",
        "output": "Cell 5 failed.\nfailed: large scores: nan.\n"
        "passed (hidden check): random",
        "output_format": "text",
        "visibility": "visible",
    }
    assert got["tests"][0]["status"] == "passed"
    assert sum(t["score"] for t in got["tests"]) == pytest.approx(10 / 3)


def test_gradescope_s_zero_says_that_it_is_none():
    got = gradescope(refused())
    assert got["score"] == 0 and got["tests"] == []
    assert got["output"].startswith(
        "Not graded: There are 2 notebooks: hand in one.\nThe score 0 only "
        "stands here because a number must"
    )
    assert got["extra_data"]["state"] == "not graded"


def test_summary():
    lines = summary(
        [
            result(question(2.0)),
            result(question(1.0), student="carl"),
            refused(),
            refused(student="dora"),
            refused("The file is empty.\x1b[2J", student="eve"),
        ]
    ).splitlines()
    assert lines[0].split() == (
        "sheet graded not graded mean of lowest highest".split()
    )
    assert lines[1].split() == ["2_1", "2", "3", "1.50", "2", "1", "2"]
    assert lines[2:] == [
        "Not graded, which is not a zero:",
        "   2 x There are 2 notebooks: hand in one.",
        "   1 x The file is empty.[2J",
    ]
    assert summary([refused()]).splitlines()[1].split() == ["2_1", "0", "1"]
