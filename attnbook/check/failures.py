"""What can be wrong with an answer before any number of it is compared.

A code of these crosses the sandbox, and no sentence: one that came out of it
could carry the inputs of a hidden check home.
"""

from enum import Enum


class Failure(Enum):
    """The value is all that a student is told of a failure in a hidden
    check, behind the answer's name: fixed words, none of the answer's."""

    OTHER = "does not return what the exercise asks for."
    RAISED = "raises an error."  # which one is up to the answer
    NONE = "returns None: did you forget `return`?"
    NOT_NUMBERS = "returns something else than numbers."
    OTHER_COUNT = "returns another number of arrays."
    OTHER_SHAPE = "returns another shape."
    CHANGES_ARGUMENT = "changes its argument in place."
    NOT_A_FUNCTION = "is not a function any more."
    NO_GRADIENT = "gives a result without a gradient."
    UNUSABLE_GRADIENT = "has no usable gradient."
    NOT_A_MODULE = "is no nn.Module."
    NO_FORWARD = "has no method called forward."
    NO_SUPER = "does not begin with super().__init__()."
    OTHER_PARAMETERS = "has parameters of other names."
    PARAMETER_SHAPE = "has a parameter of another shape."
    CHANGES_PARAMETER = "changes a parameter in forward."
    SHARED_PARAMETER = "uses one parameter under two names."
    UNTRAINED_PARAMETER = "has a parameter that is never trained."
    COMPUTED_TOO_EARLY = "computes in __init__ what changes."

    @classmethod
    def named(cls, name) -> "Failure":
        """The failure of this name, whatever came; OTHER if there is none."""
        known = isinstance(name, str) and name in cls.__members__
        return cls[name] if known else cls.OTHER
