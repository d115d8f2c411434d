"""Write what students get: exercises and package, and nothing else.

Each file is looked through for text that only an instructor may have, before
anything is written.
"""

import json
import os
import re
import textwrap
import tomllib
import zipfile
from itertools import pairwise
from pathlib import Path

from attnbook.errors import AttnbookError
from attnbook.grading.course import Course, CourseError, Sheet, cells_of
from attnbook.grading.limits import MIB, Limits
from attnbook.grading.stubs import BLOCK, student_cells

GRADERS_NEED = {"pebble", "psutil"}
NOTEBOOKS_NEED = {"jupyterlab", "ipywidgets"}  # to be worked in
ANSWER, ANSWER_IN_CODE, PROSE, HIDDEN = 15, 24, 40, 50  # characters that count
IMPORT = re.compile(r"(from[\w.]+)?import")
INSTRUCTORS = re.compile(
    r"^solutions/|^attnbook/(grading/|release/|cli\.py$)|_hidden\.py$"
)
DATA = (".flac", ".json")  # files that data modules read
MARKS = re.compile(
    r"(BEGIN|END) SOLUTION|solution-only|HIDDEN\.(check|wrong)"
    r'|check\([^)]*strict|^\s*"(nbgrader|attnbook)":|^\s*"output_type":'
)
HINT = re.compile(r"<details>.*?</details>")


class ReleaseError(AttnbookError):
    """Nothing was written; the message says why and what to do."""


def release(
    course: Course, numbers: list[str], out: Path, github: bool = False
) -> list[Path]:
    """Write the sheets with all that a student needs to a new folder, or to
    a new zip if `out` ends in .zip; the files written. ReleaseError if there
    is something at `out`, or if a solution would leak."""
    out = Path(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ReleaseError(
            f"{out} is there already: name another, or remove it first."
        )
    files = hand_out(course, numbers, github)
    if found := leaks(course, numbers, files):
        raise ReleaseError(
            "Nothing was written, because students would see what they must "
            f"not: {'; '.join(found[:5])}."
        )
    if out.suffix.lower() == ".zip":
        return [write_zip(out, files)]
    for name, data in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return [out / name for name in files]


def write_zip(out: Path, files: dict[str, bytes]) -> Path:
    """The same files give the same bytes, whenever it is written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    new = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(new, "w") as archive:
            for name, data in sorted(files.items()):
                path = f"{out.stem}/{name}"
                entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
                entry.create_system = 3  # unix, whose permissions these are
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
        os.replace(new, out)
    finally:
        new.unlink(missing_ok=True)
    return out


# --- what is handed out ----------------------------------------------------


def hand_out(
    course: Course, numbers: list[str], github: bool = False
) -> dict[str, bytes]:
    """All files, by name."""
    if not numbers:
        raise ReleaseError("Name at least one sheet, such as 2_1.")
    sheets = [course.sheet(number) for number in dict.fromkeys(numbers)]
    files = {exercise(sheet): notebook(course, sheet) for sheet in sheets}
    for name in ("LICENSE", "LICENSE-TEXT", "constraints.txt"):
        files[name] = (course.root / name).read_bytes()
    package = course.root / "attnbook"
    data = [p for p in (package / "data").iterdir() if p.suffix in DATA]
    for path in sorted([*package.rglob("*.py"), *data]):
        name = path.relative_to(course.root).as_posix()
        if not INSTRUCTORS.search(name):
            files[name] = path.read_bytes()
    about = tomllib.loads((course.root / "pyproject.toml").read_text("utf8"))
    files["pyproject.toml"] = project(about["project"]).encode()
    files["requirements.txt"] = requirements(course, about).encode()
    files["README.md"] = readme(sheets, about, github).encode()
    if github:
        files[".github/workflows/classroom.yml"] = workflow(sheets).encode()
        files[".github/classroom50.json"] = classroom50(sheets).encode()
        files[".gitignore"] = IGNORED.encode()
    return files


IGNORED = ".venv/\n*.egg-info/\n__pycache__/\n.ipynb_checkpoints/\n"


def exercise(sheet: Sheet) -> str:
    """Where the students' version of a sheet lies."""
    return f"exercises/{sheet.path.parent.name}/{sheet.path.name}"


def notebook(course: Course, sheet: Sheet) -> bytes:
    """The students' version, which must be what the master derives to."""
    path = course.root / exercise(sheet)
    want = [(c["cell_type"], c["source"]) for c in derived(sheet)]
    try:
        have = [(c["cell_type"], c["source"]) for c in cells_of(path)]
    except CourseError:
        have = None
    if have != want:
        raise ReleaseError(
            f"{exercise(sheet)} is not what its master derives to: run "
            "`make exercises`, look at the change, and release again."
        )
    return path.read_bytes()


def derived(sheet: Sheet) -> list[dict]:
    cells = student_cells(cells_of(sheet.path))
    for cell in cells:
        cell["source"] = cell["source"].replace(", strict=True)", ")")
    return cells


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


def bare(requirement: str) -> str:
    """The name in a line such as torch>=2.2,<2.14."""
    return re.match(r"[\w.-]*", requirement)[0].lower()


# --- what must not be in it ------------------------------------------------


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


def lines_given(sheet: Sheet) -> list[str]:
    """All that a student gets to see of a sheet."""
    return "\n".join(c["source"] for c in derived(sheet)).splitlines()


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
        if "solution-only" in cell["metadata"].get("tags", [])
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


# --- texts -----------------------------------------------------------------

CPU_TORCH = "https://download.pytorch.org/whl/cpu"
README = """# Exercises of *Attention, Put to the Test*

{sheets}

Each notebook belongs to the chapter with its number. Read that first, in the
book that your instructor points you to; the link inside a notebook works only
in the full course.

## Install, once

{python}; about 2 GB, some minutes. In this folder:

```sh
python3 -m venv .venv
.venv/bin/pip install --no-deps -c constraints.txt torch \\
  --index-url {cpu_torch}
.venv/bin/pip install -r requirements.txt -c constraints.txt
```

On Windows write `.venv\\Scripts` for `.venv/bin`. The second command takes the
small CPU build of torch; leave it out on macOS, or if you want CUDA.

## Work

```sh
.venv/bin/jupyter lab exercises
```

Fill in a cell, run it, then run the `check` below it: it answers at once and
says what is wrong. Hints fold out. The command line checks a whole notebook:

```sh
.venv/bin/python -m attnbook.check \\
  {first}
```

## Hand in

1. Choose *Kernel*, then *Restart Kernel and Run All Cells*: does every cell
   still work?
2. Save, and hand in the .ipynb file **under the name that it has now**. You
   may add cells; keep the names that the exercises ask for.

Your work is graded on the checks that you see and on **hidden ones with other
inputs**. To pass all visible checks is a good sign and no promise of full
marks; code that only knows the visible numbers earns nothing.

## What the grader has

Your cells run once, from the first to the last, on another machine.

- **Packages.** Python's own, `attnbook`, and, in the versions of
  `constraints.txt`,
{packages}.
  An import of anything else fails there. That line alone fails and is named on
  your feedback page, the lines around it run; code that uses a name from it
  does not work.
- **Time.** {cell:g} s of computing for a cell and {call:g} s for a call of
  one of your functions. Long waits are cut short: on the clock each may take
  {patience:g} times as long, and what then still waits, in a `sleep` or for an
  `input`, is stopped. What is stopped costs the questions that need it, and no
  other.
- **Memory.** {memory} GiB beyond what NumPy and PyTorch take themselves.
- **No network.** Nothing can be downloaded or installed.
- **Files.** The working folder starts empty: files of your own computer are
  not there. What your cells write there can be read by later cells.
- **Arguments are only read.** A function must not change its arguments in
  place (`x += 1`, `x[0] = 0`, `x.sort()`): copy first, or make a new array.
  An answer that changes what it was given fails the check.
{github}
Code: MIT (`LICENSE`). Texts: CC BY 4.0 (`LICENSE-TEXT`).
"""
README_GITHUB = """
## On GitHub

With each push GitHub runs the **visible** checks; look at the Actions tab. The
points there are for you alone: your code and the checks share one process, and
no hidden check is in this repository. Your grade is made elsewhere.
"""


def readme(sheets: list[Sheet], about: dict, github: bool) -> str:
    listed = "\n".join(f"- [{s.stem}]({exercise(s)})" for s in sheets)
    version = about["project"]["requires-python"].removeprefix(">=")
    limits = Limits()
    return README.format(
        sheets=listed,
        first=exercise(sheets[0]),
        python=f"Python {version} or newer",
        cpu_torch=CPU_TORCH,
        packages=packages(about),
        cell=limits.cell,
        call=limits.call,
        patience=limits.patience,
        memory=f"{limits.memory / MIB / 1024:g}",
        github=README_GITHUB if github else "",
    )


def packages(about: dict) -> str:
    """What a student's code may import in the grader, as pip calls it."""
    names = sorted(map(bare, students_need(about["project"])))
    listed = ", ".join(f"`{name}`" for name in names)
    filled = textwrap.fill(listed, 76, break_on_hyphens=False)
    return textwrap.indent(filled, "  ")


WORKFLOW = """# With each push: the visible checks, and only these.
#
# They run in one process with the student's code, which can fool them, and
# hidden checks must not be in a student's repository: what this prints is for
# the student. Grades are made with `attnbook grade`, in a sandbox.
#
# GitHub Classroom was retired on 2026-08-28, so that this needs none of its
# actions (https://github.com/orgs/community/discussions/205975) and runs in
# any repository. With Classroom 50, turn its built-in autograder off to use
# this, or register classroom50.json beside it with
# `gh teacher assignment add ... --tests .github/classroom50.json`
# (https://github.com/foundation50/classroom50/wiki/Autograding-Basics).
name: visible checks
on:
  push:
  workflow_dispatch:
permissions:
  contents: read
jobs:
  checks:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v6
      - uses: actions/setup-python@v6
        with:
          python-version: "3.12"
          cache: pip
          cache-dependency-path: constraints.txt
      - name: install
        run: {install}
{steps}
      - name: points
        if: ${{{{ !cancelled() }}}}
        env:
          STEPS: ${{{{ toJSON(steps) }}}}
        run: |
          python - <<'END'
          import json, os
          points = {points}
          steps = json.loads(os.environ["STEPS"])
          won = sum(
              worth
              for name, worth in points.items()
              if steps.get(name, {{}}).get("outcome") == "success"
          )
          most = sum(points.values())
          print(f"::notice title=Visible checks::Points {{won}}/{{most}}")
          raise SystemExit(won < most)
          END
"""
STEP = """      - name: {title}
        id: {id}
        if: ${{{{ !cancelled() }}}}
        continue-on-error: true
        timeout-minutes: 10
        run: {command}"""
INSTALL = (
    "python -m pip install --quiet --no-deps -c constraints.txt "
    f"--index-url {CPU_TORCH} torch && "
    "python -m pip install --quiet -c constraints.txt ."
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
        steps.append(STEP.format(title=title, id=name, command=command))
    return WORKFLOW.format(
        install=INSTALL, steps="\n".join(steps), points=json.dumps(points)
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
