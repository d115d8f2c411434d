"""Kernels of every pytest run start as `make run` starts them; nbval compares
what cells print, of the course's notebooks only."""

import signal

from tools.kernels import prepare
from tools.notebooks import ROOT, is_course_notebook

pytest_plugins = ["tests.skip_table"]

prepare()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as under nohup; the grader's tests interrupt processes, which inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path):
    """Of the notebooks in this folder only the course's are tested."""
    if collection_path.suffix != ".ipynb":
        return None
    inside = collection_path.is_relative_to(ROOT)
    return (inside and not is_course_notebook(collection_path)) or None


def pytest_collectstart(collector):
    """Others' warnings on stderr are no result; none is ever stored."""
    if hasattr(collector, "skip_compare"):  # nbval's
        collector.skip_compare += ("stderr",)
