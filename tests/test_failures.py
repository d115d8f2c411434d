"""Each code of a failure: what gives it, in a notebook and in the sandbox."""

import numpy as np
import pytest

from attnbook.check.engine import Module, Wrong
from attnbook.check.failures import Failure
from attnbook.check.inprocess import InProcess
from attnbook.grading.answer import Sandboxed
from attnbook.grading.limits import Limits
from attnbook.grading.sandbox.process import Sandbox, SandboxError
from tests.needs import skip_without_sandbox

SOURCE = """
import numpy as np
import torch
from torch import nn

def raises(x): raise ValueError("no code of " + str(float(x.sum())))
def wants_no_stub(x): raise NotImplementedError("of torch's own")
def none(x): return None
def text(x): return "a word"
def several(x): return x, x
def one(x): return x
def two(x): return x, x
def flat(x): return x.flatten()
def in_place(x):
    x += 1
    return x
def detached(x): return x.detach()
def overwritten(x):
    y = x.exp()
    z = y * y
    y.data_ptr(); y.zero_()
    return z
class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return 2 * x
    @staticmethod
    def backward(ctx, grad): return 2 * grad
def own(x): return Own.apply(x)
nothing_callable = 3
odd = torch.zeros(2).to(torch.complex64)

class Right(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2, 2))
    def forward(self, x): return x @ self.w
class NoForward(nn.Module): pass
class NoSuper(nn.Module):
    def __init__(self): pass
    def forward(self, x): return x
class OtherName(nn.Module):
    def __init__(self):
        super().__init__()
        self.v = nn.Parameter(torch.zeros(2, 2))
    def forward(self, x): return x @ self.v
class OtherSize(Right):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(3, 3))
class Shared(Right):
    def __init__(self):
        super().__init__()
        self.b = self.w
class Untrained(Right):
    def __init__(self):
        super().__init__()
        self.w.requires_grad = False
class TooEarly(Right):
    def __init__(self):
        super().__init__()
        self.double = 2 * self.w
class Restless(Right):
    def forward(self, x):
        self.w.data += 1
        return x @ self.w
"""
X = np.arange(4.0).reshape(2, 2)


def call(name, parts=1):
    return lambda answer: answer.call(name, X, parts=parts)


def module(name, weights=("w",)):
    asked = Module(name, (), weights)
    return lambda answer: answer.call(asked, *[X] * len(weights), X)


def vjp(name):
    return lambda answer: answer.vjp(name, (X,), X)


GIVEN_BY = [
    (Failure.RAISED, call("raises")),
    (Failure.RAISED, call("wants_no_stub")),
    (Failure.NONE, call("none")),
    (Failure.NONE, call("none", parts=2)),
    (Failure.NOT_NUMBERS, call("text")),
    (Failure.OTHER_COUNT, call("several")),
    (Failure.OTHER_COUNT, call("one", parts=3)),
    (Failure.OTHER_COUNT, call("two", parts=3)),
    (Failure.OTHER_SHAPE, vjp("flat")),
    (Failure.CHANGES_ARGUMENT, call("in_place")),
    (Failure.CHANGES_ARGUMENT, vjp("in_place")),
    (Failure.NOT_A_FUNCTION, call("nothing_callable")),
    (Failure.NO_GRADIENT, vjp("detached")),
    (Failure.UNUSABLE_GRADIENT, vjp("overwritten")),
    (Failure.UNUSABLE_GRADIENT, vjp("own")),
    (Failure.NOT_A_MODULE, module("one")),
    (Failure.NO_FORWARD, module("NoForward")),
    (Failure.NO_SUPER, module("NoSuper")),
    (Failure.OTHER_PARAMETERS, module("OtherName")),
    (Failure.PARAMETER_SHAPE, module("OtherSize")),
    (Failure.CHANGES_PARAMETER, module("Restless")),
    (Failure.SHARED_PARAMETER, module("Shared", ("w", "b"))),
    (Failure.UNTRAINED_PARAMETER, module("Untrained")),
    (Failure.COMPUTED_TOO_EARLY, module("TooEarly")),
]
IDS = [f"{number} {code.name}" for number, (code, _) in enumerate(GIVEN_BY)]


def test_every_code_is_given_by_something():
    told = {code for code, _ in GIVEN_BY}
    assert told == set(Failure) - {Failure.OTHER}
    assert len({code.value for code in Failure}) == len(Failure)


@pytest.fixture(scope="module")
def notebook():
    namespace = {}
    exec(SOURCE, namespace)
    return InProcess(namespace, "torch")


@pytest.fixture(scope="module")
def sandboxed():
    try:
        with Sandbox() as sandbox:
            base = sandbox.open(0)
            cell = {"number": 1, "source": SOURCE}
            reply, _ = base.ask(cell, (), 30, 30)
            assert reply["state"] == "ok", reply
            yield Sandboxed(base.fork, "torch", Limits(question=300))
            base.end()
    except SandboxError as reason:
        skip_without_sandbox(reason)


@pytest.mark.parametrize("code, ask", GIVEN_BY, ids=IDS)
def test_the_code_of_a_failure_in_a_notebook(notebook, code, ask):
    with pytest.raises(Wrong) as wrong:
        ask(notebook)
    assert wrong.value.code is code


@pytest.mark.parametrize("code, ask", GIVEN_BY, ids=IDS)
def test_the_code_crosses_the_sandbox_and_its_sentence_is_told(
    sandboxed, code, ask
):
    with pytest.raises(Wrong) as wrong:
        ask(sandboxed)
    assert wrong.value.code is code
    assert wrong.value.plain.endswith(f" {code.value}")
    assert wrong.value.plain.count(" ") == code.value.count(" ") + 1


def test_what_no_frame_can_hold_is_no_number(sandboxed):
    with pytest.raises(Wrong) as wrong:
        sandboxed.value("odd")
    assert wrong.value.plain == f"odd {Failure.NOT_NUMBERS.value}"


class Hostile:
    """A worker that replies what it likes."""

    ended, cpu, wall, idle = False, 0.0, 0.0, 0.0

    def __init__(self, code):
        self.code = code

    def ask(self, *request):
        text = "f raised 3.1415: the secret"
        return {"state": "wrong", "text": text, "code": self.code}, []


@pytest.mark.parametrize(
    "code",
    [None, 3, "", "none", "name", "RAISED ", ["RAISED"], {}, "__class__"],
)
def test_any_other_code_is_the_general_one(code):
    answer = Sandboxed(lambda: Hostile(code), "numpy", Limits())
    with pytest.raises(Wrong) as wrong:
        answer.call("f", X)
    assert wrong.value.code is Failure.OTHER
    assert wrong.value.plain == f"f {Failure.OTHER.value}"
