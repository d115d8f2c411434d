"""Which course is graded with: the one that the running package belongs to.

Never simply the one of the current folder: its masters and hidden checks
would be held against another version's visible ones.
"""

import stat
from pathlib import Path

from attnbook.grading.course import PACKAGE, CourseError, deciding, hash_of


def find_course(named: Path | None = None, here: Path | None = None) -> Path:
    """The folder of the course: `named`, or where the running package lies.

    CourseError if there is none, and if the package that runs is not the one
    of that course, or not of the clone in which `here`, the current folder,
    lies: answers would be held against another version's checks.
    """
    if named is not None:
        refuse_another_package(Path(named).resolve())
        return Path(named)
    refuse_another_clone(Path(here or Path.cwd()))
    root = PACKAGE.parent
    if (root / "solutions").is_dir():
        return root
    raise CourseError(
        f"The package attnbook that runs lies in {root}, where no solutions/ "
        "is: name the course's folder with --course."
    )


def refuse_another_package(root: Path) -> None:
    """CourseError if the course at `root` has a package of its own that
    would give other scores than the one that runs."""
    package = root / "attnbook"
    if not package.is_dir() or package.resolve() == PACKAGE:
        return
    mine, its = (hash_of(deciding(p)).digest() for p in (PACKAGE, package))
    if mine != its:
        raise CourseError(
            f"The course in {root} has a package attnbook that is not the "
            f"version that runs, which is that of {PACKAGE.parent}: run "
            f"`make book` in {root} and call {root}/.venv/bin/attnbook."
        )


def refuse_another_clone(here: Path) -> None:
    """CourseError if `here` lies in a clone of the course whose package is
    not the one that runs."""
    for folder in (here.resolve(), *here.resolve().parents):
        if (folder / "attnbook").resolve() == PACKAGE:
            return
        if not is_clone(folder):
            continue
        raise CourseError(
            f"This folder belongs to the course in {folder}, and the attnbook "
            f"that runs to {PACKAGE.parent}: run `make book` in {folder} and "
            f"call {folder}/.venv/bin/attnbook, or name the course that you "
            "mean with --course."
        )


def refuse_strangers_files(root: Path, submissions: Path) -> None:
    """CourseError if others than the instructor may have written what the
    grader will execute: the course's hidden checks and masters."""
    source = Path(submissions).resolve()
    if source.is_dir() and root.is_relative_to(source):
        raise CourseError(
            f"The course in {root} lies among what was handed in, in {source}: "
            "name a folder that holds the submissions alone."
        )
    for path in (root, *(root / "solutions").rglob("*"), *deciding(PACKAGE)):
        if path.stat().st_mode & stat.S_IWOTH:
            raise CourseError(
                f"{path} can be changed by everyone on this machine, and the "
                f"grader would execute it: chmod -R o-w {root}, or keep the "
                "course where that is possible."
            )


def is_clone(folder: Path) -> bool:
    """Is this folder a clone of the course?"""
    import tomllib

    parts = ("attnbook", "solutions", "exercises")
    if not all((folder / name).is_dir() for name in parts):
        return False
    try:
        text = (folder / "pyproject.toml").read_text("utf8")
        return tomllib.loads(text)["project"]["name"] == "attnbook"
    except (OSError, ValueError, LookupError, TypeError):
        return False
