"""Exercises, their checks, and the report: blind to where an answer lives.

A check sees an `Answer`, through which it calls the student's functions with
arrays and gets arrays back. In a notebook the answer is the notebook's own
namespace; a grader puts a sandboxed process behind the same three methods.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy import ndarray

from attnbook.check.failures import Failure
from attnbook.check.likeness import cause, near, shape_cause
from attnbook.errors import AttnbookError


class Wrong(AttnbookError):
    """A check failed; the message tells the student why.

    `plain` says the same without any number or word of the answer's: a grader
    shows it for hidden checks, whose inputs an answer could send home. Of
    what goes wrong before there are numbers, `code` crosses the sandbox.
    """

    def __init__(
        self,
        message: str,
        plain: str | None = None,
        code: Failure = Failure.OTHER,
    ):
        super().__init__(message)
        self.plain = plain or "this is not what the exercise asks for."
        self.code = code

    @classmethod
    def fixed(cls, message: str) -> "Wrong":
        """With words that hold nothing of the answer's."""
        return cls(message, message)


class NotStarted(AttnbookError):
    """There is no answer to check yet; the message says what to do."""


@dataclass(frozen=True)
class Module:
    """A class derived from nn.Module, called like a function of its weights.

    It stands where a function's name stands; the first arguments are then the
    parameters named in `weights`, in this order, and the others those of
    `forward`. `sizes` go to the constructor. So a check sends the weights in,
    and a gradient with respect to them is one of an argument.
    """

    name: str
    sizes: tuple
    weights: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


class Answer(Protocol):
    """A student's work; only arrays, numbers and strings pass through it.

    Where `name` stands, a Module may stand too.
    """

    def call(self, name: str, *args, parts: int = 1):
        """What the function returns, an array or a tuple of `parts` arrays;
        Wrong if it returns anything else, raises or changes an argument,
        NotStarted if it is not there."""

    def vjp(
        self, name: str, args: tuple, cotangent: ndarray, parts: int = 1
    ) -> tuple:
        """Gradients of sum(cotangent * first result), one per argument; with
        `parts` > 1 of all results, flattened and joined."""

    def value(self, name: str) -> ndarray | str:
        """What the variable holds; NotStarted if it is not set."""


Check = Callable[[Answer, np.random.Generator], None]


@dataclass
class Exercise:
    """A question, what it asks for, and the checks that decide. With
    `predict` the first check is that `prediction` holds one of these words."""

    id: str
    title: str
    names: tuple[str, ...]
    backend: str = "numpy"
    all_or_nothing: bool = False  # find-the-bug: a stub must not earn points
    predict: tuple[str, ...] = ()
    checks: dict[str, Check] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.predict:
            self.check("you wrote a prediction first")(self.predicted)

    def predicted(self, answer: Answer, rng: np.random.Generator) -> None:
        """Wrong unless the prediction is one of the words offered."""
        expect_choice(answer, "prediction", self.predict)

    def check(self, title: str) -> Callable[[Check], Check]:
        """Decorator: add a check; it raises Wrong or returns."""

        def add(function: Check) -> Check:
            self.checks[title] = function
            return function

        return add


@dataclass
class Report:
    """What every check said: None for passed, else a sentence."""

    exercise: Exercise
    messages: dict[str, str | None]
    not_started: str | None = None
    plain: dict[str, str] = field(default_factory=dict)  # of those that failed

    @property
    def score(self) -> float:
        """Share of the checks passed, 0 to 1."""
        passed = [message is None for message in self.messages.values()]
        if not passed or self.not_started:
            return 0.0
        if self.exercise.all_or_nothing:
            return float(all(passed))
        return sum(passed) / len(passed)

    def __str__(self) -> str:
        head = f"{self.exercise.id} {self.exercise.title}"
        if self.not_started:
            return f"{head}: not started. {self.not_started}"
        passed = sum(m is None for m in self.messages.values())
        lines = [f"{head}: {passed} of {len(self.messages)} checks passed"]
        for title, message in self.messages.items():
            lines.append(f"  {'ok   ' if message is None else 'WRONG'} {title}")
            if message is not None:
                lines.append(f"        {message}")
        return "\n".join(lines)


def run_checks(
    exercise: Exercise,
    answer: Answer,
    rng: np.random.Generator,
    checks: dict[str, Check] | None = None,
) -> Report:
    """Every check once, each on fresh numbers; a failure stops no other."""
    messages, plain = {}, {}
    waiting = []
    for title, check in (checks or exercise.checks).items():
        try:
            check(answer, rng)
            messages[title] = None
        except Wrong as wrong:
            messages[title], plain[title] = str(wrong), wrong.plain
        except NotStarted as reason:
            messages[title] = str(reason)
            plain[title] = "there is no answer here yet."
            waiting.append(str(reason))
        except Exception as error:  # a result of a form no check foresaw
            messages[title] = (
                "the check cannot use what you return "
                f"({type(error).__name__}: {error})."
            )
            plain[title] = "the check cannot use what you return."
    untouched = waiting and len(waiting) == len(messages)
    not_started = waiting[0] if untouched else None
    return Report(exercise, messages, not_started, plain)


def expect_close(
    got: ndarray,
    want: ndarray | float,
    what: str,
    suspects: dict[str, ndarray | float] | None = None,
    tolerance: float = 1e-6,
) -> None:
    """Wrong unless `got` equals `want`; a suspect that it equals instead
    gives the reason, or else what a wrong result has in common with the right
    one. Shapes must agree exactly, and are compared before any number is."""
    got, want = np.asarray(got), np.asarray(want, float)
    if got.dtype.kind not in "fiub":
        raise Wrong(
            f"{what}: numbers expected, yours are {got.dtype}.",
            f"{what}: numbers expected.",
        )
    if got.dtype == np.float32:  # a right answer's numbers may be no finer
        tolerance = max(tolerance, 1e-5)
    if near(got, want, tolerance):
        return
    for reason, value in (suspects or {}).items():
        if near(got, np.asarray(value, float), tolerance):
            raise Wrong.fixed(f"{what}: {reason}")
    if want.shape == () and got.shape != () and got.size == 1:
        raise Wrong.fixed(
            f"{what}: one number expected, not an array around it."
        )
    if got.shape != want.shape:
        seen = shape_cause(got, want)
        raise other_shape(got.shape, want.shape, what, seen)
    if not np.isfinite(got[np.isfinite(want)]).all():
        raise Wrong.fixed(f"{what}: your result holds nan or infinity.")
    seen = cause(got, want, tolerance)
    numbers = difference(got, want)
    raise Wrong(
        f"{what}: {seen} ({numbers})." if seen else f"{what}: {numbers}.",
        f"{what}: your numbers are not the right ones.",
    )


def other_shape(
    got: tuple, want: tuple, what: str = "", seen: str | None = None
) -> Wrong:
    """What to raise for a result of another shape."""
    head = what and f"{what}: "
    tail = f" ({seen})." if seen else "."
    return Wrong(
        f"{head}shape {want} expected, yours is {got}{tail}",
        f"{head}the shape is not the one that is asked for.",
    )


def expect_shape(got: ndarray, shape: tuple, what: str = "") -> None:
    """Wrong unless the array has this shape."""
    if got.shape != shape:
        raise other_shape(got.shape, shape, what)


def shaped(got: ndarray, shape: tuple, what: str = "") -> ndarray:
    """The array, if it has this shape: for checks that go on to calculate
    with it, lest a student's shape is broadcast against another."""
    expect_shape(got, shape, what)
    return got


def follows(
    slope: Callable, grad: ndarray, rng: np.random.Generator
) -> tuple[bool | None, bool]:
    """Whether the gradient is that of small steps, or None if these give
    jumps; and whether they change nothing. Two steps must be smooth: not all
    are if they cross a ReLU's corner, and of a result in float32 one may be
    by chance; for such a result there are longer steps."""
    for sizes, rough in ((1e-5, 1e-4), 1), ((5e-3, 1e-2), 100):
        close = {"rtol": rough * 1e-4, "atol": rough * 1e-5}
        agrees = []
        for _ in range(6):
            step = rng.normal(size=grad.shape)
            slopes = [slope(t * step) / t for t in sizes]
            if np.isclose(*slopes, **close):
                along = (grad * step).sum()
                agrees.append(np.isclose(along, slopes[0], **close))
            if len(agrees) == 2:
                return all(agrees), not any(slopes)
    return None, False


def expect_gradients(
    answer: Answer,
    name: str,
    args: dict,
    rng: np.random.Generator,
    parts: int = 1,
) -> None:
    """Wrong unless the gradients of the (first) result agree with small steps
    of each argument that holds real numbers; args is a dict by name."""
    values = list(args.values())

    def first(key=None, shift=0.0):
        near_by = [v + shift if k == key else v for k, v in args.items()]
        result = answer.call(name, *near_by, parts=parts)
        return result if parts == 1 else result[0]

    def moved(key, shift):
        return shaped(first(key, shift), result.shape, "when called again")

    result = first()
    if not np.isfinite(result).all():
        raise Wrong.fixed("the result holds nan or infinity.")
    u = rng.normal(size=result.shape)
    grads = answer.vjp(name, tuple(values), u)
    if not all(np.isfinite(grad).all() for grad in grads):
        raise Wrong.fixed(
            "the result is finite, but its gradient holds nan: somewhere on "
            "the way stands 0 times infinity, such as the logarithm of 0, or "
            "a row that is masked altogether."
        )
    grads = iter(grads)
    lost, idle = [], []
    for key, value in args.items():
        if not isinstance(value, ndarray) or value.dtype.kind != "f":
            continue
        grad = shaped(next(grads), value.shape, f"the gradient of {key}")

        def slope(change, key=key):
            return (u * (moved(key, change) - moved(key, -change))).sum() / 2

        agrees, still = follows(slope, grad, rng)
        if agrees is None:
            raise Wrong.fixed(
                f"small steps of {key} give jumps: something is rounded, or "
                "computed in less than float32."
            )
        if still and not grad.any():
            idle.append(key)
        if not agrees:
            lost.append(key)
    if idle:
        raise Wrong.fixed(
            f"{', '.join(idle)} has no effect on the result; is it read anew "
            "in every call?"
        )
    if lost:
        raise Wrong.fixed(
            f"the gradient of {', '.join(lost)} is not that of the result: "
            "something is detached on the way (detach, no_grad, item, numpy, "
            "round, a new tensor), so that it could not be learned."
        )


def expect_same_for_integers(
    answer: Answer, name: str, args: tuple, parts: int = 1
) -> None:
    """Wrong unless whole numbers give what the same as floats give. An answer
    may raise instead: torch refuses a product of integers and floats."""
    floats = (
        x * 1.0 if isinstance(x, ndarray) and x.dtype.kind == "i" else x
        for x in args
    )
    want = answer.call(name, *floats, parts=parts)
    try:
        got = answer.call(name, *args, parts=parts)
    except Wrong as wrong:
        if wrong.code is Failure.RAISED:
            return
        raise
    if parts == 1:
        got, want = [got], [want]
    for mine, other in zip(got, want):
        what = "for arrays of integers, against the same as floats"
        expect_close(mine, other, what)


def expect_choice(answer: Answer, name: str, choices: Sequence[str]) -> None:
    """Wrong unless the variable holds one of these words."""
    try:
        chosen = answer.value(name)
    except Wrong:  # neither a word nor a number
        chosen = None
    if not isinstance(chosen, str) or chosen not in choices:
        words = ", ".join(f'"{choice}"' for choice in choices)
        raise Wrong.fixed(f"set {name} to one of {words}.")


def difference(got: ndarray, want: ndarray) -> str:
    """Both if they are short, else the entries that differ most."""
    if want.size <= 6:
        for digits in (4, 9):  # more where four digits look alike
            texts = (np.array2string(x, precision=digits) for x in (want, got))
            expected, yours = (" ".join(text.split()) for text in texts)
            if expected != yours:
                break
        return f"expected {expected}, yours is {yours}"
    with np.errstate(invalid="ignore"):  # infinity less infinity
        gap = np.where(got == want, 0, np.abs(got - want))
    worst = np.unravel_index(gap.argmax(), want.shape)
    place = ", ".join(map(str, worst))
    for digits in (6, 12):
        texts = [f"{x[worst]:.{digits}g}" for x in (want, got)]
        if texts[0] != texts[1]:
            break
    return f"expected {texts[0]} at [{place}], yours is {texts[1]}"
