"""What a student installs: the course's requirements less the grader's."""

import json
import re
import textwrap

from attnbook.grading.course import Course

GRADERS_NEED = {"jinja2", "pebble", "psutil"}
NOTEBOOKS_NEED = {"jupyterlab", "ipywidgets"}  # to be worked in
DATA = (".flac", ".json")  # files that data modules read


def project(about: dict) -> str:
    """A pyproject.toml with which pip installs the package."""
    lines = [
        "[build-system]",
        'requires = ["setuptools>=68"]',
        'build-backend = "setuptools.build_meta"',
        "",
        "[project]",
    ]
    about = about | {"dependencies": students_need(about)}
    keys = "name version description requires-python dependencies".split()
    lines += [f"{k} = {json.dumps(about[k], ensure_ascii=False)}" for k in keys]
    lines += ["", "[tool.setuptools.packages.find]", 'include = ["attnbook*"]']
    patterns = json.dumps([f"*{suffix}" for suffix in DATA])
    lines += ["", "[tool.setuptools.package-data]"]
    lines += [f'"attnbook.data" = {patterns}']
    return "\n".join(lines) + "\n"


def students_need(about: dict) -> list[str]:
    return [d for d in about["dependencies"] if bare(d) not in GRADERS_NEED]


def requirements(course: Course, about: dict) -> str:
    """Of the course's requirements those that a student needs."""
    needed = {*map(bare, students_need(about["project"])), *NOTEBOOKS_NEED}
    text = (course.root / "requirements.txt").read_text("utf8")
    kept = [line for line in text.splitlines() if bare(line) in needed]
    head = "# pip install -r requirements.txt -c constraints.txt"
    return "\n".join([head, *kept, "-e ."]) + "\n"


def packages(about: dict) -> str:
    """What a student's code may import in the grader, as pip calls it."""
    names = sorted(map(bare, students_need(about["project"])))
    listed = ", ".join(f"`{name}`" for name in names)
    filled = textwrap.fill(listed, 76, break_on_hyphens=False)
    return textwrap.indent(filled, "  ")


def bare(requirement: str) -> str:
    """The name in a line such as torch>=2.2,<2.14."""
    return re.match(r"[\w.-]*", requirement)[0].lower()
