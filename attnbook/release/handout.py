"""Write what students get: exercises and package, and nothing else.

Each file is looked through for text that only an instructor may have, before
anything is written.
"""

import os
import tomllib
import zipfile
from pathlib import Path

from attnbook.grading.course import Course
from attnbook.release.leaks import INSTRUCTORS, leaks
from attnbook.release.needs import DATA, project, requirements
from attnbook.release.sheets import ReleaseError, exercise, notebook
from attnbook.release.texts import classroom50, readme, workflow

IGNORED = ".venv/\n*.egg-info/\n__pycache__/\n.ipynb_checkpoints/\n"


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
