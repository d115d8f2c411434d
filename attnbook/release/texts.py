"""The files that are written for students, beside sheets and package."""

import json
from pathlib import Path

from attnbook.grading.course import Sheet
from attnbook.grading.limits import MIB, Limits
from attnbook.grading.templating import templates_in
from attnbook.release.needs import packages
from attnbook.release.sheets import exercise

TEMPLATES = templates_in(Path(__file__).parent / "templates")
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
INSTALL = (
    "python -m pip install --quiet --no-deps -c constraints.txt "
    f"--index-url {CPU_TORCH} torch && "
    "python -m pip install --quiet -c constraints.txt ."
)


def readme(sheets: list[Sheet], about: dict, github: bool) -> str:
    version = about["project"]["requires-python"].removeprefix(">=")
    limits = Limits()
    return TEMPLATES.get_template("README.md").render(
        sheets=sheets,
        exercise=exercise,
        python=f"Python {version} or newer",
        cpu_torch=CPU_TORCH,
        packages=packages(about),
        limits=limits,
        memory=f"{limits.memory / MIB / 1024:g}",
        github=github,
    )


def commands(sheets: list[Sheet]) -> list[tuple[str, str, float, str]]:
    """(id, title, points, command) of every exercise."""
    return [
        (
            e.id,
            f"{e.id} {e.title}",
            sheet.points[e.id],
            f"python -m attnbook.check {exercise(sheet)} --exercise {e.id}",
        )
        for sheet in sheets
        for e in sheet.exercises
    ]


def workflow(sheets: list[Sheet]) -> str:
    """A workflow that any repository on GitHub runs."""
    steps, points = [], {}
    for number, title, worth, command in commands(sheets):
        name = "exercise_" + number.replace(".", "_")
        points[name] = worth
        title = json.dumps(f"{title} ({worth:g} points)", ensure_ascii=False)
        steps.append({"title": title, "id": name, "command": command})
    return TEMPLATES.get_template("classroom.yml").render(
        install=INSTALL,
        steps=steps,
        points=json.dumps(points),
        expression="${{{{ {} }}}}".format,  # GitHub's own
    )


def classroom50(sheets: list[Sheet]) -> str:
    """The same as declarative tests of Classroom 50."""
    tests = [
        {
            "name": "setup",
            "type": "run",
            "run": INSTALL,
            "timeout": 600,
            "points": 0,
        }
    ]
    for _, title, worth, command in commands(sheets):
        tests.append(
            {
                "name": title[:90],
                "type": "run",
                "run": command,
                "timeout": 300,
                "points": worth,
            }
        )
    return json.dumps(tests, indent=1) + "\n"
