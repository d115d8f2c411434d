"""A record for tests: three seeds of two models."""

from attnbook.claims.prediction import Prediction, judge
from attnbook.claims.record import Record

METRICS = {
    "a": {"score": [3.0, 4.0, 5.0], "error": [0.1, 0.2, 0.3]},
    "b": {"score": [1.0, 1.0, 1.0]},
}
UP = Prediction("score", "a", "b", at_least=0.5)
DOWN = Prediction("error", "a", at_most=0.2)


def record(predictions=(DOWN, UP), metrics=METRICS, **changes) -> Record:
    verdict, tests = judge(predictions, metrics)
    made = {
        "claim": "C01",
        "says": "It helps.",
        "notebook": "chapters/1_principles/1_1_why_attention.ipynb",
        "verdict": verdict,
        "tests": tests,
        "predictions": tuple(predictions),
        "seeds": [0, 1, 2],
        "metrics": metrics,
        "parameters": dict.fromkeys(metrics, 3),
        "cpu_seconds": dict.fromkeys(metrics, 1.0),
        "versions": {"torch": "2"},
        "code": "0",
    }
    return Record(**made | changes)
