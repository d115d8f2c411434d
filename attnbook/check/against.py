"""Comparing an answer with a reference, for checks that students never see.

The reference is itself an `Answer`, made from a master notebook, so neither
its code nor its results ever enter the student's process.
"""

import builtins
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from attnbook.check.engine import (
    Answer,
    Check,
    Module,
    Wrong,
    expect_close,
)


@dataclass
class WrongAnswer:
    """A known wrong answer and the words that must name its misconception."""

    exercise: str
    says: str
    names: dict  # what it defines: functions or values, by name

    @property
    def label(self) -> str:
        return f"{self.exercise}: {self.says}"

    def defined(self, answers: dict, source: str) -> dict:
        """What it defines, by name."""
        return self.names


@dataclass
class Mutant(WrongAnswer):
    """A known wrong answer that is an edit of a text. `names` are those that
    it may use, beside the master's own."""

    base: str | None  # None: the master's source
    edits: list[tuple[str, str]]  # each pair in turn: old text, new text

    def text(self, source: str) -> str:
        """The edited text; ValueError unless each edit fits exactly once."""
        text = source if self.base is None else self.base
        for old, new in self.edits:
            if (found := text.count(old)) != 1:
                raise ValueError(
                    f"{self.label}: {old!r} must be found once in the text "
                    f"to be edited, and is found {found} times."
                )
            text = text.replace(old, new)
        return text

    def defined(self, answers: dict, source: str) -> dict:
        """What the edited text defines, run among the master's answers."""
        known = {"__builtins__": builtins} | answers | self.names
        scope = dict(known)
        exec(self.text(source), scope)
        return {k: v for k, v in scope.items() if known.get(k) is not v}


@dataclass
class Hidden:
    """Hidden checks and known wrong answers of one notebook's exercises.

    `names` are the module's own, which edited answers may use. `withheld`
    names modules of the package that hold answers to the exercises: where the
    notebook is graded they are not there.
    """

    names: dict = field(default_factory=dict, repr=False)
    withheld: tuple[str, ...] = ()
    checks: dict[str, dict[str, Callable]] = field(default_factory=dict)
    wrong_answers: list[WrongAnswer] = field(default_factory=list)

    def check(self, exercise: str, title: str) -> Callable:
        """Decorator: a check of (answer, rng, reference)."""

        def add(function: Callable) -> Callable:
            self.checks.setdefault(exercise, {})[title] = function
            return function

        return add

    def agrees(
        self, exercise: str, name: str, *, title: str, **how
    ) -> Callable:
        """Decorator: add the check that the results are the reference's for
        the arguments that case(rng) returns, or for each that it yields;
        `how` is what `agreement` may be told."""

        def add(case: Callable) -> Callable:
            self.check(exercise, title)(agreement(name, case, title, **how))
            return case

        return add

    def wrong(self, exercise: str, says: str) -> Callable:
        """Decorator: a function that a student might hand in. A message of
        some check must contain the words `says`."""

        def add(function: Callable) -> Callable:
            names = {function.__name__: function}
            self.wrong_answers.append(WrongAnswer(exercise, says, names))
            return function

        return add

    def mutants(self, exercise: str, base: str | None, edits: list) -> None:
        """Add known wrong answers: each is (old, new, says), an edit of the
        text `base`, or of the master's own source if that is None; or
        ([(old, new), ...], says), where it takes several edits."""
        for *edit, says in edits:
            pairs = edit[0] if len(edit) == 1 else [tuple(edit)]
            self.wrong_answers.append(
                Mutant(exercise, says, self.names, base, pairs)
            )

    def bound(self, exercise: str, reference: Answer) -> dict[str, Check]:
        """The hidden checks of an exercise, held against this reference."""

        def bind(function: Callable) -> Check:
            return lambda answer, rng: function(answer, rng, reference)

        found = self.checks.get(exercise, {})
        return {title: bind(function) for title, function in found.items()}


def agreement(
    name: str,
    case: Callable,
    what: str,
    parts: int = 1,
    gradient: bool = False,
    tolerance: float = 1e-6,
) -> Callable:
    """A hidden check: for each case all results are the reference's, or with
    `gradient` the gradients of the first one."""

    def check(answer: Answer, rng: np.random.Generator, reference: Answer):
        cases = case(rng)
        for args in [cases] if isinstance(cases, tuple) else cases:
            if not gradient:
                agree(answer, reference, name, args, what, parts, tolerance)
                continue
            result = reference.call(name, *args, parts=parts)
            shape = np.shape(result if parts == 1 else result[0])
            u = np.asarray(rng.normal(size=shape))
            agree_in_gradient(answer, reference, name, args, u, tolerance)

    return check


def agree(
    answer: Answer,
    reference: Answer,
    name: str,
    args: tuple,
    what: str,
    parts: int = 1,
    tolerance: float = 1e-6,
) -> None:
    """Wrong unless answer and reference return the same for these args."""
    got = answer.call(name, *args, parts=parts)
    want = reference.call(name, *args, parts=parts)
    if parts == 1:
        return expect_close(got, want, what, tolerance=tolerance)
    for part, (mine, theirs) in enumerate(zip(got, want), 1):
        name = f"{what}, result {part}"
        compare(mine, theirs, name, what, tolerance)


def agree_in_gradient(
    answer: Answer,
    reference: Answer,
    name: str | Module,
    args: tuple,
    cotangent: np.ndarray,
    tolerance: float = 1e-6,
) -> None:
    """Wrong unless the vector-Jacobian products are the same."""
    got = answer.vjp(name, args, cotangent)
    want = reference.vjp(name, args, cotangent)
    weights = name.weights if isinstance(name, Module) else ()
    for part, (mine, theirs) in enumerate(zip(got, want)):
        of = weights[part] if part < len(weights) else f"argument {part + 1}"
        compare(mine, theirs, f"gradient of {of}", "a gradient", tolerance)


def compare(got, want, what: str, told: str, tolerance: float) -> None:
    """Wrong unless they are the same. Which of several is not may depend on
    the numbers that were drawn: of a hidden check that is not told."""
    try:
        expect_close(got, want, what, tolerance=tolerance)
    except Wrong as wrong:
        plain = wrong.plain.replace(what, told)
        raise Wrong(str(wrong), plain) from None
