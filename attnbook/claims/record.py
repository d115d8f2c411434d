"""The record of a claim: what was measured, on which seeds, by which code.

The one reader and the one writer of the files in records/.
"""

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from attnbook.claims.prediction import Measured, Prediction
from attnbook.errors import AttnbookError

RECORDS = Path(__file__).resolve().parent / "records"
FILES = "[BC]*.json"  # the article's claims are C.., the book's own are B..


class RecordError(AttnbookError, ValueError):
    """A file is no record; the message says what to do."""


@dataclass(frozen=True)
class Record:
    """What `make claims` found out about one claim."""

    claim: str  # such as "C06"
    says: str
    notebook: str  # its path in the repository
    verdict: str
    tests: tuple[Measured, ...]  # one for each prediction, the claim first
    predictions: tuple[Prediction, ...]
    seeds: list[int]
    metrics: dict[str, dict[str, list[float]]]  # model, metric: one per seed
    parameters: dict[str, int]  # by model
    cpu_seconds: dict[str, float]  # by model, the mean over seeds
    versions: dict[str, str]
    code: str  # the hash of what it was made with
    longer_training: dict | None = None  # one seed, some times more steps
    machine: str | None = None  # where times were measured

    @classmethod
    def read(cls, path: Path) -> "Record":
        """RecordError if the file is none."""
        return cls.of(content(path))

    @classmethod
    def of(cls, made: dict) -> "Record":
        known = {k: v for k, v in made.items() if k != "digest"}
        known["tests"] = tuple(Measured(**x) for x in made["tests"])
        known["predictions"] = tuple(
            Prediction(**x) for x in made["predictions"]
        )
        return cls(**known)

    def content(self) -> dict:
        """As it is written: what is None is left out, a digest is added."""
        made = {k: v for k, v in asdict(self).items() if v is not None}
        made["tests"] = list(made["tests"])
        made["predictions"] = list(made["predictions"])
        return made | {"digest": digest(made)}

    def write(self, folder: Path | None = None) -> None:
        text = json.dumps(self.content(), indent=1, ensure_ascii=False)
        path = (folder or RECORDS) / f"{self.claim}.json"
        path.write_text(text + "\n", "utf8")


def read_all(family: str = "C") -> dict[str, Record]:
    """All records, by id: family C the article's, B the book's own."""
    paths = sorted(RECORDS.glob(f"{family}[0-9]*.json"))
    return {path.stem: Record.read(path) for path in paths}


def content(path: Path) -> dict:
    """What a record's file holds, if it has the form of one."""
    try:
        made = json.loads(path.read_text("utf8"))
        wrong = next(validator().iter_errors(made), None)
    except ValueError:
        made, wrong = None, "it is not JSON"
    if wrong:
        raise RecordError(
            f"{path.name} is no record of a claim "
            f"({getattr(wrong, 'message', wrong)[:200]}): restore it with "
            "git, or renew it with `make claims`"
        )
    return made


def is_as_written(path: Path) -> bool:
    """Whether nobody has edited a number by hand."""
    made = content(path)
    return made.pop("digest", "") == digest(made)


def digest(made: dict) -> str:
    text = json.dumps(made, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.cache
def validator():
    from jsonschema import Draft202012Validator  # slow to import

    return Draft202012Validator(SCHEMA)


def table(of: dict) -> dict:
    """A JSON object whose values all have this form."""
    return {"type": "object", "additionalProperties": of}


TEXT, NUMBER = {"type": "string"}, {"type": "number"}
NUMBERS = {"type": "array", "items": NUMBER}
OR_NOTHING = {"type": ["string", "null"]}, {"type": ["number", "null"]}
MEASURED = {
    "test": TEXT,
    "mean": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "passed": {"type": "boolean"},
}
PREDICTION = {
    "metric": TEXT,
    "model": TEXT,
    "minus": OR_NOTHING[0],
    "at_least": OR_NOTHING[1],
    "at_most": OR_NOTHING[1],
}


def rows(of: dict) -> dict:
    """At least one object with exactly these fields."""
    fields = {"properties": of, "required": list(of)}
    item = {"type": "object", "additionalProperties": False} | fields
    return {"type": "array", "minItems": 1, "items": item}


REQUIRED = {
    "claim": {"type": "string", "pattern": r"^[BC]\d\d$"},
    "says": TEXT,
    "notebook": TEXT,
    "verdict": {"enum": ["holds", "holds in part", "does not hold"]},
    "tests": rows(MEASURED),
    "predictions": rows(PREDICTION),
    "seeds": {"type": "array", "items": {"type": "integer"}},
    "metrics": table(table(NUMBERS)),
    "parameters": table(NUMBER),
    "cpu_seconds": table(NUMBER),
    "versions": table(TEXT),
    "code": TEXT,
    "digest": TEXT,
}
OPTIONAL = {
    "longer_training": {
        "type": "object",
        "properties": {"metrics": table(table(NUMBER)), "times": NUMBER},
        "required": ["times", "seed", "metrics"],
    },
    "machine": TEXT,
}
SCHEMA = {
    "type": "object",
    "properties": REQUIRED | OPTIONAL,
    "required": list(REQUIRED),
    "additionalProperties": False,
}
