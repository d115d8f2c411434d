"""Self-study checks: `check("1_2.a")` answers at once, in words.

They run in the reader's own process and can be fooled there, so they record
no score; a grader runs the same checks against a sandboxed answer.
"""

import importlib
import pkgutil
import sys

import numpy as np

from attnbook.check.engine import Exercise, run_checks


def exercises() -> dict[str, Exercise]:
    """Every exercise with visible checks, by id such as "1_2.a"."""
    names = (m.name for m in pkgutil.iter_modules(__path__))
    modules = [
        importlib.import_module(f"{__name__}.{n}")
        for n in names
        if n.startswith("ex_")
    ]
    return {e.id: e for module in modules for e in module.EXERCISES}


def check(
    exercise_id: str, namespace: dict | None = None, strict: bool = False
) -> None:
    """Print what the visible checks say about the caller's answer.

    `namespace` is where the answer is looked up; by default the caller's
    global variables, which in a notebook are its cells' variables. With
    `strict` anything but full marks raises AssertionError, which is how
    nbgrader takes points; masters use it, students' notebooks do not.
    """
    known = exercises()
    if exercise_id not in known:
        print(
            f"There is no exercise {exercise_id!r}. "
            f"There are: {', '.join(sorted(known))}."
        )
        return
    from attnbook.check.inprocess import InProcess  # imports torch: slow

    if namespace is None:
        namespace = sys._getframe(1).f_globals
    exercise = known[exercise_id]
    answer = InProcess(namespace, exercise.backend)
    report = run_checks(exercise, answer, np.random.default_rng())
    print(report)
    if strict and report.score < 1:
        raise AssertionError(f"{exercise_id}: not all checks passed")
