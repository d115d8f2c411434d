"""Read back, with care, what an earlier run has written."""

import json
import math
import re
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import get_args, get_origin

from attnbook.grading.model import Result

BAD_JSON = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


def is_seed(value) -> bool:
    return type(value) is int and value >= 0


def read_object(path: Path) -> dict:
    """A JSON object; OSError or one of BAD_JSON otherwise."""
    value = json.loads(path.read_text("utf8"))
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def read_result(path: Path) -> Result:
    """A result as `keep` wrote it; OSError or one of BAD_JSON otherwise."""
    result = Result.from_json(path.read_text("utf8"))
    if not fits(result, Result):
        raise ValueError("a value of another type")
    if not re.fullmatch(r"\d+_\d+", result.sheet):
        raise ValueError("no sheet")
    json.dumps(asdict(result), ensure_ascii=False).encode()
    return result


def fits(value, kind) -> bool:
    """Is the value, and are all within it, of the declared type?"""
    if is_dataclass(kind):
        return all(fits(getattr(value, f.name), f.type) for f in fields(kind))
    if get_origin(kind) is list:
        (each,) = get_args(kind)
        return isinstance(value, list) and all(fits(v, each) for v in value)
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is kind
