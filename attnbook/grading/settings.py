"""What decides the scores of a run."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from attnbook.grading.course import Course
from attnbook.grading.limits import Limits


@dataclass(frozen=True)
class Settings:
    """With the same settings, the same notebook gets the same score."""

    course: str  # where it is
    digests: tuple[tuple[str, str], ...]  # of what decides each sheet's scores
    seed: int
    limits: Limits
    isolate: bool = True

    @classmethod
    def of(
        cls,
        course: Course,
        numbers: Iterable[str],
        seed: int,
        limits: Limits,
        isolate: bool = True,
    ) -> "Settings":
        digests = tuple((number, course.digest(number)) for number in numbers)
        return cls(str(course.root), digests, seed, limits, isolate)

    @property
    def sheets(self) -> list[str]:
        return [number for number, _ in self.digests]

    def are_of(self, course: Course) -> bool:
        """Are these the sheets of this course, in this version?"""
        return all(course.digest(n) == digest for n, digest in self.digests)

    def open_course(self) -> Course:
        return Course(Path(self.course))

    def record(self) -> dict:
        """For the log, from which a run can be repeated."""
        return {
            "sheets": self.sheets,
            "digests": dict(self.digests),
            **self.common(),
        }

    def for_sheet(self, number: str) -> dict:
        """All that decided a result, to be kept with it; no digest where the
        sheet is none of this run's."""
        digest = dict(self.digests).get(number)
        mine = {"digest": digest} if digest else {}
        return mine | self.common()

    def common(self) -> dict:
        limits = asdict(self.limits)
        return {"seed": self.seed, "limits": limits, "isolate": self.isolate}


def differing(before: dict, now: dict) -> list[str]:
    """Which settings of `now` an earlier result was not graded with."""
    return [name for name in now if before.get(name) != now[name]]
