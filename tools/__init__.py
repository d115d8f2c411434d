"""What maintainers run: execute, derive, record, render. Never imported by a
notebook."""

from importlib.util import find_spec

NEEDED = ("nbclient", "nbformat", "papermill", "psutil", "tqdm", "attnbook")
missing = [name for name in NEEDED if find_spec(name) is None]
if missing:
    raise SystemExit(
        f"This command needs {', '.join(missing)}: use the course's own "
        "environment, .venv/bin/python, which `make book` sets up."
    )
