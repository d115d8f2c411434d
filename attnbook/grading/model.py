"""What grading takes in and gives out, free of torch and of the sandbox."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

GRADED, NOT_GRADED = "graded", "not graded"


@dataclass
class Submission:
    """One student's notebook for one sheet, or why there is none."""

    student: str
    sheet: str  # such as "2_1"
    source: str  # where it was found, as the instructor knows it
    notebook: bytes = b""
    refused: str = ""  # one sentence; then there is nothing to grade
    sha256: str = ""  # of the file as it came; `notebook` may be less of it

    @property
    def digest(self) -> str:
        """SHA-256 of what was handed in; empty if that was nothing."""
        if self.sha256 or not self.notebook:
            return self.sha256
        return hashlib.sha256(self.notebook).hexdigest()

    @property
    def key(self) -> str:
        return f"{self.student}\n{self.sheet}"


@dataclass
class CheckResult:
    """What one check said. `message` is safe to show: it holds nothing of a
    hidden check's inputs; text of the student's is still to be escaped."""

    title: str
    hidden: bool
    passed: bool
    message: str = ""


@dataclass
class QuestionResult:
    """One exercise of the sheet."""

    id: str  # such as "2_1.a"
    title: str
    out_of: float
    points: float = 0.0
    state: str = GRADED
    why: str = ""  # in one sentence, if there is more to say than the checks
    checks: list[CheckResult] = field(default_factory=list)


@dataclass
class Result:
    """One submission graded, or why not."""

    student: str
    sheet: str
    source: str
    sha256: str = ""  # of the notebook's bytes
    state: str = GRADED
    why: str = ""
    questions: list[QuestionResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # cells that failed
    cpu_seconds: float = 0.0  # of the student's code
    wall_seconds: float = 0.0
    graded_with: dict = field(default_factory=dict)  # settings.for_sheet

    @property
    def key(self) -> str:
        return f"{self.student}\n{self.sheet}"

    @property
    def points(self) -> float:
        return round(sum(q.points for q in self.questions), 2)

    @property
    def out_of(self) -> float:
        return sum(q.out_of for q in self.questions)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Result":
        fields = json.loads(text)
        questions = []
        for question in fields.pop("questions"):
            checks = [CheckResult(**c) for c in question.pop("checks")]
            questions.append(QuestionResult(**question, checks=checks))
        return cls(**fields, questions=questions)
