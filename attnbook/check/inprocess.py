"""An answer that lives in this process: a notebook's own namespace."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy import array_equal, ndarray  # whatever becomes of np.array_equal
from torch import nn

from attnbook.check.engine import Module, NotStarted, Wrong
from attnbook.check.failures import Failure


def plain(value):
    """The same lists and tuples, with arrays for tensors."""
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if not torch.is_tensor(value):
        return value
    sparse = value.layout != torch.strided
    return (value.to_dense() if sparse else value).detach().cpu().numpy()


def to_array(value, name: str) -> ndarray:
    """A result as an array, also numbers in lists; Wrong with a hint if it is
    something else."""
    if value is None:
        raise Wrong(
            f"{name} returns None: did you forget `return`?", code=Failure.NONE
        )
    if isinstance(value, torch.Tensor):
        return plain(value)
    if isinstance(value, (ndarray, np.generic, float, int, bool)):
        return np.asarray(value)
    if isinstance(value, (list, tuple)):
        try:
            array = np.asarray(plain(value))
        except (TypeError, ValueError, RecursionError):  # rows not alike
            array = np.asarray(None)
        if array.dtype.kind in "fiub":
            return array
    raise Wrong(
        f"{name} gives a {type(value).__name__}: an array is expected.",
        code=Failure.NOT_NUMBERS,
    )


def to_arrays(result, parts: int, name: str):
    """The result as one array or as a tuple of `parts` arrays, which may come
    as the rows of one."""
    several = isinstance(result, (tuple, list))
    if parts == 1 and several and any(holds_numbers(x) for x in result):
        raise Wrong(
            f"{name}: return one array, not a {type(result).__name__} "
            "(np.stack or torch.stack joins several).",
            code=Failure.OTHER_COUNT,
        )
    if parts == 1:
        return to_array(result, name)
    if result is None:
        to_array(result, name)  # says that `return` is missing
    several = several or (isinstance(result, ndarray) and result.ndim > 0)
    if not several or len(result) != parts:
        raise Wrong(
            f"{name}: return {parts} arrays, with commas between.",
            code=Failure.OTHER_COUNT,
        )
    return tuple(to_array(part, name) for part in result)


def own_function(result: torch.Tensor) -> bool:
    """Whether the graph of a result holds a torch.autograd.Function that is
    not torch's own."""
    waiting, seen = [result.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            return True
        seen.add(node)
        waiting += [following for following, _ in node.next_functions]
    return False


def holds_numbers(value) -> bool:
    """An array or a tensor with axes, not a single number."""
    return isinstance(value, (ndarray, torch.Tensor)) and value.ndim > 0


@contextmanager
def float64_by_default():
    """New tensors are float64: a module computes as precisely as its check,
    whatever it makes on the way."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def tensors_in(value, depth: int = 3) -> Iterator[torch.Tensor]:
    """The value if it is a tensor, or those in its lists, tuples, dicts."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, nn.Module):
        yield from value.parameters()
    elif isinstance(value, (dict, list, tuple)) and depth:
        items = value.values() if isinstance(value, dict) else value
        for item in items:
            yield from tensors_in(item, depth - 1)


def stored(module: nn.Module) -> list[tuple[str, object, list]]:
    """What __init__ stored beside parameters and modules: name, value, and
    the tensors in it."""
    inner = "_parameters", "_buffers", "_modules"
    out = []
    for part in module.modules():
        own = {k: v for k, v in vars(part).items() if k not in inner}
        own |= dict(part.named_buffers(recurse=False))
        out += [(k, v, list(tensors_in(v))) for k, v in own.items()]
    return out


def misplaced(module: nn.Module, key: str) -> str:
    """Why a parameter was not found under this name."""
    value = getattr(module, key, None)
    if value is None:
        return f"{key} is missing."
    kind = f"an object of type {type(value).__name__}"
    if key in dict(module.named_buffers()):
        kind = "a buffer"
    elif isinstance(value, torch.Tensor):
        kind = "a plain tensor"
    return f"self.{key} is {kind}, not an nn.Parameter."


def expect_names(module: nn.Module, wanted: Module) -> None:
    """Wrong unless its parameters have these names."""
    found = dict(module.named_parameters(remove_duplicate=False))
    missing = [key for key in wanted.weights if key not in found]
    more = [key for key in found if key not in wanted.weights]
    if not missing and not more:
        return
    names = ", ".join(wanted.weights)
    says = [f"the parameters of {wanted} must be {names}, and no others."]
    says += [misplaced(module, key) for key in missing]
    if more:
        says.append(f"Not asked for: {', '.join(more)}.")
    for key, value, tensors in stored(module):
        if isinstance(value, torch.Tensor):
            continue
        if any(isinstance(x, nn.Parameter) for x in tensors):
            says.append(
                f"Parameters in a {type(value).__name__}, as in self.{key}, "
                "are not found: give each an attribute of its own."
            )
    raise Wrong(" ".join(says), code=Failure.OTHER_PARAMETERS)


def expect_trainable(module: nn.Module, wanted: Module) -> None:
    """Wrong if training a parameter could not change the result."""
    found = dict(module.named_parameters(remove_duplicate=False))
    for key, value in found.items():
        twins = [k for k, v in found.items() if v is value]
        if len(twins) > 1:
            raise Wrong(
                f"{wanted}: {' and '.join(twins)} are one and the same "
                "nn.Parameter; each must have numbers of its own.",
                code=Failure.SHARED_PARAMETER,
            )
        if not value.requires_grad:
            raise Wrong(
                f"{wanted}: {key} has requires_grad=False; it would never be "
                "trained.",
                code=Failure.UNTRAINED_PARAMETER,
            )
    places = {x.untyped_storage().data_ptr() for x in found.values()}
    for key, _, tensors in stored(module):
        made = [x for x in tensors if x.grad_fn is not None and x.numel()]
        if any(x.untyped_storage().data_ptr() not in places for x in made):
            raise Wrong(
                f"{wanted}: self.{key} is computed from the parameters in "
                "__init__, and stays as it is when they are trained; compute "
                "it in forward.",
                code=Failure.COMPUTED_TOO_EARLY,
            )


def set_weights(module: nn.Module, wanted: Module, weights: list) -> list:
    """Copy these numbers into its parameters, which are returned in the same
    order; Wrong if one has another shape."""
    found = dict(module.named_parameters())
    for key, value in zip(wanted.weights, weights, strict=True):
        if found[key].shape != value.shape:
            raise Wrong(
                f"{wanted}: the parameter {key} must have shape "
                f"{tuple(value.shape)}, yours has {tuple(found[key].shape)}.",
                code=Failure.PARAMETER_SHAPE,
            )
        found[key].data.copy_(value)
    return [found[key] for key in wanted.weights]


class InProcess:
    """The functions and variables of a namespace, as a check sees them."""

    def __init__(self, namespace: dict, backend: str = "numpy"):
        self.namespace, self.backend = namespace, backend

    def _find(self, name: str | Module):
        if isinstance(name, Module):
            return self._built(name)
        if name not in self.namespace:
            raise NotStarted(
                f"`{name}` does not exist yet: run the cell that defines it, "
                "then this one."
            )
        return self.namespace[name]

    def _built(self, wanted: Module) -> nn.Module:
        """An instance of the student's class, in float64, for evaluation."""
        build = self._find(wanted.name)
        if not (isinstance(build, type) and issubclass(build, nn.Module)):
            raise Wrong(
                f"`{wanted}` must be a class derived from nn.Module.",
                code=Failure.NOT_A_MODULE,
            )
        if build.forward is nn.Module.forward:
            raise Wrong(
                f"`{wanted}` has no method called forward.",
                code=Failure.NO_FORWARD,
            )
        head = f"{wanted}({', '.join(map(str, wanted.sizes))})"
        with float64_by_default(), torch.enable_grad():
            module = self._run(head, f"{wanted}.__init__", build, wanted.sizes)
        if "_parameters" not in vars(module):
            raise Wrong(
                f"{wanted}.__init__ must begin: super().__init__().",
                code=Failure.NO_SUPER,
            )
        expect_names(module, wanted)
        expect_trainable(module, wanted)
        return module.double().eval()

    def _copy(self, arg):
        if not isinstance(arg, ndarray):
            return arg
        return torch.tensor(arg) if self.backend == "torch" else arg.copy()

    def _apply(self, name: str | Module, args: tuple, learn: bool = False):
        """What it returns, and the copies of `args` that it got, a Module's
        parameters among them; with `learn` these have gradients."""
        given = [self._copy(arg) for arg in args]
        body, rest = name, given
        if isinstance(name, Module):
            body, count = f"{name}.forward", len(name.weights)
            module, rest = self._built(name), given[count:]
            given = set_weights(module, name, given[:count]) + rest

            def function(*args):
                with float64_by_default():
                    return module(*args)

        else:
            function = self._find(name)
        if not callable(function):
            raise Wrong(
                f"`{name}` is not a function any more: define it again.",
                code=Failure.NOT_A_FUNCTION,
            )
        if not learn:
            return self._run(name, body, function, rest), given
        for arg in given:
            if isinstance(arg, torch.Tensor) and arg.is_floating_point():
                arg.requires_grad_()
        with torch.enable_grad():  # whatever a cell has switched off
            return self._run(name, body, function, rest), given

    def _run(self, name, body: str, function, args):
        """What it returns; Wrong with a sentence if it raises. `body` is what
        a stub leaves to be written."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                return function(*args)
        except NotImplementedError as error:
            if str(error) not in ("", "write this body"):  # torch's own
                raise Wrong(
                    f"{name} raised {error!r}", code=Failure.RAISED
                ) from None
            raise NotStarted(
                f"Write the body of `{body}` in the cell above, run it, then "
                "run this cell."
            ) from None
        except Exception as error:
            if "leaf Variable that requires grad" in str(error):
                or_parameter = isinstance(name, Module) * ", or a parameter"
                raise Wrong(
                    f"{name} changes its argument in place{or_parameter}. "
                    "Work on a new tensor: x = x + y, not x += y.",
                    code=Failure.CHANGES_ARGUMENT,
                ) from None
            shapes = ", ".join(
                str(tuple(a.shape) if hasattr(a, "shape") else a) for a in args
            )
            hint = ""
            if "MPS" in str(error) or "cuda" in str(error).lower():
                hint = (
                    " The check's tensors are float64 and on the CPU: compute "
                    "where the arguments are, without .to(device)."
                )
            elif "dtype" in str(error) or "scalar type" in str(error):
                hint = (
                    " The check's tensors are float64: make new ones with "
                    "the dtype of an argument."
                )
            raise Wrong(
                f"{name} raised {type(error).__name__}: {error} "
                f"(arguments: {shapes}).{hint}",
                code=Failure.RAISED,
            ) from None

    def call(self, name: str | Module, *args, parts: int = 1):
        result, given = self._apply(name, args)
        for k, (before, after) in enumerate(zip(args, given, strict=True)):
            if not isinstance(before, ndarray):
                continue
            after = after.detach().numpy() if torch.is_tensor(after) else after
            floats = before.dtype.kind == "f"
            if array_equal(before, after, equal_nan=floats):
                continue
            if isinstance(name, Module) and k < len(name.weights):
                raise Wrong(
                    f"{name} changes its parameter {name.weights[k]} in "
                    "forward; that is for training to do.",
                    code=Failure.CHANGES_PARAMETER,
                )
            raise Wrong(
                f"{name} changes its argument in place: its caller's array "
                "is different afterwards. Work on a new array.",
                code=Failure.CHANGES_ARGUMENT,
            )
        return to_arrays(result, parts, name)

    def vjp(
        self,
        name: str | Module,
        args: tuple,
        cotangent: ndarray,
        parts: int = 1,
    ) -> tuple:
        result, given = self._apply(name, args, learn=True)
        leaves = [a for a in given if isinstance(a, torch.Tensor)]
        leaves = [a for a in leaves if a.is_floating_point()]
        if parts > 1:
            result = torch.cat([x.flatten() for x in result])
        elif isinstance(result, (tuple, list)):
            result = result[0]
        if not isinstance(result, torch.Tensor) or not result.requires_grad:
            raise Wrong(
                f"no gradient flows through {name}: something in it leaves "
                "torch (detach, item, numpy, a new tensor).",
                code=Failure.NO_GRADIENT,
            )
        if own_function(result) or any(x._backward_hooks for x in leaves):
            raise Wrong(
                f"the gradient of {name} is made by code of your own (a "
                "torch.autograd.Function, or a hook): leave it to torch.",
                code=Failure.UNUSABLE_GRADIENT,
            )
        if tuple(result.shape) != cotangent.shape:
            raise Wrong(
                f"{name}: shape {cotangent.shape} expected, yours is "
                f"{tuple(result.shape)}.",
                code=Failure.OTHER_SHAPE,
            )
        with torch.enable_grad():
            total = (result * torch.tensor(cotangent)).sum()
        try:
            grads = torch.autograd.grad(total, leaves, allow_unused=True)
        except RuntimeError as error:
            raise Wrong(
                f"the gradient of {name} cannot be computed; is a tensor "
                f"changed in place (x += y for x = x + y)? {error}",
                code=Failure.UNUSABLE_GRADIENT,
            ) from None
        return tuple(
            np.zeros(leaf.shape) if grad is None else grad.numpy()
            for leaf, grad in zip(leaves, grads, strict=True)
        )

    def value(self, name: str):
        value = self._find(name)
        if value is None:
            raise NotStarted(
                f"Give `{name}` a value in a cell above, run that cell, then "
                "this one."
            )
        return value if isinstance(value, str) else to_array(value, name)
