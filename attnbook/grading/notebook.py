"""Moved to attnbook.notebooks.cells."""

from attnbook.notebooks.cells import *  # noqa: F403
