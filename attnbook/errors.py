"""What every error of this package has in common."""


class AttnbookError(Exception):
    """Something is not as it must be; the message is one sentence that says
    what to do, unless the class says otherwise."""
