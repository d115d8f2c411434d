"""An answer that lives in this process: a notebook's own namespace."""

import warnings

import numpy as np
import torch
from numpy import ndarray
from torch import nn
from torch.func import functional_call

from attnbook.check.engine import Module, NotStarted, Wrong


def to_array(value, name: str) -> ndarray:
    """A result as an array; Wrong with a hint if it is something else."""
    if value is None:
        raise Wrong(f"{name} returns None: did you forget `return`?")
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, (ndarray, np.generic, float, int, bool)):
        return np.asarray(value)
    raise Wrong(f"{name} gives a {type(value).__name__}: an array is expected.")


def to_arrays(result, parts: int, name: str):
    """The result as one array or as a tuple of `parts` arrays."""
    several = isinstance(result, tuple) or (
        isinstance(result, list)
        and any(isinstance(x, (ndarray, torch.Tensor)) for x in result)
    )
    if parts == 1 and several:
        raise Wrong(
            f"{name}: return one array, not a {type(result).__name__} "
            "(np.stack or torch.stack joins several)."
        )
    if parts == 1:
        return to_array(result, name)
    if result is None:
        to_array(result, name)  # says that `return` is missing
    if not several or len(result) != parts:
        raise Wrong(f"{name}: return {parts} arrays, with commas between.")
    return tuple(to_array(part, name) for part in result)


class ShapeOf(Exception):
    """A parameter has another shape than the text of the exercise asks."""

    def __init__(self, key: str, want: tuple, found: tuple):
        super().__init__(
            f"the parameter {key} must have shape {want}, yours has {found}."
        )


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

    def _built(self, wanted: Module):
        """The class as a function of its weights and its forward's input."""
        build = self._find(wanted.name)
        if not (isinstance(build, type) and issubclass(build, nn.Module)):
            raise Wrong(f"`{wanted}` must be a class derived from nn.Module.")
        try:
            module = build(*wanted.sizes).double().eval()
        except NotImplementedError:
            raise NotStarted(
                f"Write the body of `{wanted}` in the cell above, run it, "
                "then run this cell."
            ) from None
        except Exception as error:
            sizes = ", ".join(map(str, wanted.sizes))
            raise Wrong(
                f"{wanted}({sizes}) raised {type(error).__name__}: {error}"
            ) from None
        found = {k: v.shape for k, v in module.named_parameters()}
        if set(found) != set(wanted.weights):
            raise Wrong(
                f"the parameters of {wanted} must be called "
                f"{', '.join(wanted.weights)}; yours are "
                f"{', '.join(found) or 'none'}. Each is an nn.Parameter."
            )

        def function(*args):
            weights = dict(zip(wanted.weights, args))
            for key, value in weights.items():
                if found[key] != value.shape:
                    raise ShapeOf(key, tuple(value.shape), tuple(found[key]))
            rest = args[len(weights) :]
            return functional_call(module, weights, rest)

        return function

    def _copy(self, arg):
        if not isinstance(arg, ndarray):
            return arg
        return torch.tensor(arg) if self.backend == "torch" else arg.copy()

    def _apply(self, name: str, args: list):
        function = self._find(name)
        if not callable(function):
            raise Wrong(
                f"`{name}` is not a function any more: define it again."
            )
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                return function(*args)
        except NotImplementedError as error:
            if str(error) not in ("", "write this body"):  # torch's own
                raise Wrong(f"{name} raised {error!r}") from None
            raise NotStarted(
                f"Write the body of `{name}` in the cell above, run it, then "
                "run this cell."
            ) from None
        except ShapeOf as error:
            raise Wrong(f"{name}: {error}") from None
        except Exception as error:
            if "leaf Variable that requires grad" in str(error):
                raise Wrong(
                    f"{name} changes its argument in place. Work on a new "
                    "tensor: x = x + y, not x += y."
                ) from None
            shapes = ", ".join(str(getattr(a, "shape", a)) for a in args)
            hint = ""
            if "dtype" in str(error) or "scalar type" in str(error):
                hint = (
                    " The check's tensors are float64: make new ones with "
                    "the dtype of an argument."
                )
            raise Wrong(
                f"{name} raised {type(error).__name__}: {error} "
                f"(arguments: {shapes}).{hint}"
            ) from None

    def call(self, name: str, *args, parts: int = 1):
        given = [self._copy(arg) for arg in args]
        result = self._apply(name, given)
        for before, after in zip(args, given, strict=True):
            if isinstance(before, ndarray) and not np.array_equal(
                before, np.asarray(after), equal_nan=before.dtype.kind == "f"
            ):
                raise Wrong(
                    f"{name} changes its argument in place: its caller's "
                    "array is different afterwards. Work on a new array."
                )
        return to_arrays(result, parts, name)

    def vjp(
        self, name: str, args: tuple, cotangent: ndarray, parts: int = 1
    ) -> tuple:
        given = [self._copy(arg) for arg in args]
        leaves = [a for a in given if isinstance(a, torch.Tensor)]
        leaves = [a.requires_grad_() for a in leaves if a.is_floating_point()]
        result = self._apply(name, given)
        if parts > 1:
            result = torch.cat([x.flatten() for x in result])
        elif isinstance(result, (tuple, list)):
            result = result[0]
        if not isinstance(result, torch.Tensor) or not result.requires_grad:
            raise Wrong(
                f"no gradient flows through {name}: something in it leaves "
                "torch (detach, item, numpy, a new tensor)."
            )
        if tuple(result.shape) != cotangent.shape:
            raise Wrong(
                f"{name}: shape {cotangent.shape} expected, yours is "
                f"{tuple(result.shape)}."
            )
        total = (result * torch.tensor(cotangent)).sum()
        try:
            grads = torch.autograd.grad(total, leaves, allow_unused=True)
        except RuntimeError as error:
            raise Wrong(
                f"the gradient of {name} cannot be computed; is a tensor "
                f"changed in place (x += y for x = x + y)? {error}"
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
