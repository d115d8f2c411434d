"""The folder of a class's grades: every result that was ever made there.

Each is kept as soon as it is there, so that a run which was interrupted goes
on where it stopped, and a later run adds to the earlier ones.
"""

import fcntl
import hashlib
import importlib.metadata
import json
import platform
import re
import secrets
from dataclasses import replace
from pathlib import Path

from attnbook.errors import AttnbookError
from attnbook.grading.model import NOT_GRADED, Result, Submission
from attnbook.grading.output.kept import (
    BAD_JSON,
    is_seed,
    read_object,
    read_result,
)
from attnbook.grading.output.report import write_reports
from attnbook.grading.output.tables import sha256, write_whole
from attnbook.grading.settings import Settings, differing

KEPT = re.compile(r"[0-9a-f]{64}\.json")


class RunError(AttnbookError):
    """The run cannot go on; the message says what to do."""


class RunFolder:
    """Opened by one run at a time."""

    def __init__(self, path: Path):
        self.path = Path(path)
        self.log = self.path / "run.json"
        self.kept = self.path / "state"
        self.earlier: dict[str, Result] = {}  # by key, as it was found
        self.damaged: dict[Path, str] = {}  # why, in words
        self.results: dict[str, Result] = {}  # by key, as it is now
        self.logged: dict = {}
        self.last_grades = ""  # the SHA-256 of grades.csv as we left it
        self.any_seed = False  # may kept results have any seed?

    def open(self, settings: Settings, seed_given: bool) -> Settings:
        """The settings, with the seed of the first run unless one was given.
        RunError if the folder cannot be used."""
        self.take_lock()
        self.read_results()
        wrong = self.read_log()
        if wrong and not seed_given:
            raise RunError(
                f"{self.log} is {wrong}: give the seed of the earlier run "
                f"with --seed{self.only_seed()}, or name another folder with "
                "--out."
            )
        if self.logged and not seed_given:
            seed = self.logged["settings"]["seed"]
            settings, self.any_seed = replace(settings, seed=seed), True
        self.results = dict(self.earlier)
        self.last_grades = str(self.logged.get("grades", ""))
        self.write_log(settings)
        return settings

    def take_lock(self) -> None:
        try:
            self.kept.mkdir(parents=True, exist_ok=True)
            self.lock = open(self.path / ".lock", "wb")
        except OSError as error:
            raise RunError(
                f"{self.path} cannot be written ({error.strerror}): name "
                "another folder with --out."
            ) from None
        try:  # of this process alone: its workers do not inherit it
            fcntl.lockf(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                f"Another run is writing to {self.path}: wait for it, or name "
                "another folder with --out."
            ) from None

    # --- results ---

    def read_results(self) -> None:
        for path in sorted(self.kept.iterdir()):
            if not KEPT.fullmatch(path.name):
                continue
            try:
                result = read_result(path)
                if self.file(result.key) != path:
                    raise ValueError("of another name")
                self.earlier[result.key] = result
            except OSError as error:
                self.damaged[path] = error.strerror
            except BAD_JSON:
                self.damaged[path] = "it holds no result"

    def file(self, key: str) -> Path:
        data = key.encode("utf8", "surrogatepass")
        return self.kept / f"{hashlib.sha256(data).hexdigest()}.json"

    def finished(
        self, submission: Submission, settings: Settings
    ) -> Result | None:
        """The result of an earlier run, if the notebook is still the same
        and was graded with what would decide its score now."""
        result = self.earlier.get(submission.key)
        if not result or result.state == NOT_GRADED:
            return None
        if result.sha256 != submission.digest:
            return None
        wanted = settings.for_sheet(submission.sheet)
        if self.any_seed:
            del wanted["seed"]
        return None if differing(result.graded_with, wanted) else result

    def keep(self, result: Result) -> None:
        """From now on this is the student's result on the sheet; but what was
        graded stays where a later run found nothing at all, or where its
        grader failed on the same notebook."""
        before = self.results.get(result.key)
        if before and before.state != NOT_GRADED == result.state:
            failed = result.graded_with and result.sha256 == before.sha256
            if failed or not result.sha256:
                return
        path = self.file(result.key)
        if path.is_dir():  # not ours, and not ours to remove
            path.rename(path.with_suffix(f".{secrets.token_hex(4)}"))
        write_whole(path, result.to_json(), to_disk=True)
        self.results[result.key] = result

    def rows(self) -> list[Result]:
        """Every result of this run and of earlier ones."""
        by_name = sorted(self.results.values(), key=lambda r: r.sheet)
        return sorted(by_name, key=lambda r: r.student)

    def owners(self) -> dict[Path, str]:
        """Whose the files in state/ are, as far as the log knows."""
        notebooks = self.logged.get("notebooks")
        names = notebooks if isinstance(notebooks, dict) else {}
        parts = (name.rpartition("/") for name in names)
        return {
            self.file(f"{student}\n{sheet}"): f"{student}, {sheet}"
            for student, _, sheet in parts
        }

    # --- the log ---

    def read_log(self) -> str:
        """What is wrong with it, if so; RunError if it cannot be read."""
        try:
            self.logged = read_object(self.log)
            good = is_seed(self.logged["settings"]["seed"])
            return "" if good else "damaged"
        except FileNotFoundError:
            return "missing beside the results" if self.earlier else ""
        except OSError as error:
            raise RunError(
                f"{self.log} cannot be read ({error.strerror}): mend that, or "
                "name another folder with --out."
            ) from None
        except BAD_JSON:
            return "damaged"

    def only_seed(self) -> str:
        """That of all results, if they have but one."""
        seeds = [r.graded_with.get("seed") for r in self.earlier.values()]
        seeds = {seed for seed in seeds if is_seed(seed)}
        return f" {seeds.pop()}" if len(seeds) == 1 else ""

    def write_reports(self, settings: Settings) -> list[str]:
        """Write all that is made from the results; what is to be said of a
        grades.csv that somebody has changed."""
        path = self.path / "grades.csv"
        notes = write_reports(self.path, self.rows(), self.last_grades)
        self.last_grades = sha256(path.read_bytes())
        self.write_log(settings)
        return notes

    def write_log(self, settings: Settings) -> None:
        """What is needed to do the run again, and to see that it was."""
        notebooks = {f"{r.student}/{r.sheet}": r.sha256 for r in self.rows()}
        log = {
            "settings": settings.record(),
            "versions": versions(),
            "notebooks": notebooks,
            "grades": self.last_grades,
        }
        text = json.dumps(log, indent=1) + "\n"
        write_whole(self.log, text, to_disk=True)


def versions() -> dict:
    names = ("attnbook", "numpy", "torch")
    out = {name: importlib.metadata.version(name) for name in names}
    return out | {"python": platform.python_version()}
