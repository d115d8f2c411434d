"""Pages and files that are made from templates, which lie beside the code."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    select_autoescape,
)
from markupsafe import Markup


def templates_in(
    folder: Path, clean: Callable[[str], str] | None = None
) -> Environment:
    """The templates of a folder. In those called .html what is filled in is
    text, never markup, and each text has gone through `clean`."""

    def filled_in(value):
        if clean is None or isinstance(value, Markup):
            return value
        return clean(str(value))

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(["html"]),
        finalize=filled_in,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
