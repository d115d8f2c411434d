"""What the sandbox itself uses, kept as it was before a student's code ran.

A notebook may replace anything in its own process. What it replaces here is
put back before the sandbox goes on, so that a gradient is torch's own.
"""

from types import ModuleType


class Pristine:
    """The attributes of modules and classes, to be put back."""

    def __init__(self, *owners: ModuleType | type):
        self.kept = [(owner, dict(vars(owner))) for owner in owners]

    def restore(self) -> None:
        """Names that a student has added stay."""
        for owner, kept in self.kept:
            now = vars(owner)
            for name, value in kept.items():
                if now.get(name) is not value:
                    setattr(owner, name, value)
