"""What the instructors' page says of points, limits and commands is so."""

import re
import shlex

from attnbook import cli
from attnbook.grading.course import Course
from attnbook.grading.limits import MIB, Limits
from tools.notebooks import ROOT

PAGE = (ROOT / "book" / "instructors.md").read_text("utf8")
COURSE = Course(ROOT)


def rows(heading):
    """The cells of the first table under a heading."""
    text = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    first = text[text.index("\n|") + 1 :].split("\n\n")[0]
    lines = first.splitlines()[2:]
    return [[c.strip() for c in line.strip("|").split("|")] for line in lines]


def test_points_and_hours_of_the_term():
    points = {}
    for sheet in COURSE.sheets.values():
        points |= sheet.points
    total, hours, seen = 0, 0, set()
    for _, _, solve, time, worth in rows("A term"):
        number, _, letters = solve.partition(" ")
        first, *_, last = re.findall(r"\b[a-z]\b", letters) or "az"
        mine = {
            k
            for k in points
            if k.startswith(number + ".") and first <= k[-1] <= last
        }
        assert sum(points[k] for k in mine) == int(worth), solve
        assert not seen & mine
        seen |= mine
        total += int(worth)
        hours += float(time.replace("½", ".5"))
    assert seen == set(points)
    assert f"In all {hours:.0f} hours and {total} points." in PAGE
    each = points.values()
    assert f"worth {min(each)} to {max(each)} points" in PAGE
    whole = [sum(s.points.values()) for s in COURSE.sheets.values()]
    assert f"a sheet {min(whole)} to {max(whole)}" in PAGE


def test_limits():
    limits = Limits()
    values = [row[1] for row in rows("Limits and speed")]
    assert values == [
        f"{limits.cell:.0f} s of computing",
        f"{limits.call:.0f} s",
        f"{limits.question:.0f} s",
        f"{limits.memory // MIB // 1024} GiB",
        f"{limits.files // MIB} MiB; {limits.processes}; "
        f"{limits.output // MIB} MiB",
        "20 MB",
    ]
    assert limits.patience == 3  # "three times as long", and the formula
    assert limits.wall(5) == (10 * 6 + 20 * 5) * 3 + 30


def test_every_command_is_one():
    commands = re.findall(r"attnbook ((?:grade|release|preflight).*)", PAGE)
    commands = [re.split(r"[`,#]| {2}", c)[0].strip() for c in commands]
    whole = [c for c in commands if "..." not in c and "=" not in c]
    whole = [c for c in whole if c == "preflight" or "--exercise" in c]
    assert len(whole) >= 6
    for command in whole:
        cli.parser().parse_args(shlex.split(command))
