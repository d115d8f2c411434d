"""Which forms of a right result count as arrays."""

import json

import numpy as np
import pytest
import torch

from attnbook.check.engine import Wrong
from attnbook.check.inprocess import to_array, to_arrays
from attnbook.grading.course import Course
from attnbook.grading.grader import Grader
from attnbook.grading.model import Submission
from attnbook.grading.sandbox.process import Sandbox, SandboxError
from tests.needs import skip_without_sandbox
from tools.notebooks import ROOT


@pytest.mark.parametrize(
    "value, want",
    [
        ([1, 2.5], [1, 2.5]),
        ((True, False), [True, False]),
        ([[1, 2], (3, 4)], [[1, 2], [3, 4]]),
        ([np.float32(0.5), torch.tensor(2.0, requires_grad=True)], [0.5, 2]),
        ([], []),
    ],
)
def test_numbers_in_a_list(value, want):
    assert np.array_equal(to_arrays(value, 1, "f"), want)


@pytest.mark.parametrize(
    "value", [[[1], [2, 3]], ["x"], [None], [{}], {1: 2}, [10**400], {3}]
)
def test_what_is_no_array(value):
    with pytest.raises(Wrong, match="an array is expected"):
        to_array(value, "f")


def test_two_arrays_are_not_one():
    with pytest.raises(Wrong, match="return one array, not a tuple"):
        to_arrays((np.ones(2), np.ones(2)), 1, "f")


def test_rows_of_an_array_are_its_parts():
    low, high = to_arrays(np.array([[1, 2], [3, 4]]), 2, "f")
    assert (low.tolist(), high.tolist()) == ([1, 2], [3, 4])
    assert [float(x) for x in to_arrays(np.arange(3), 3, "f")] == [0, 1, 2]
    assert to_arrays([[5, 6], 7], 2, "f")[0].tolist() == [5, 6]


@pytest.mark.parametrize("value", [np.float64(1), np.ones((3, 2)), [1], 1])
def test_another_number_of_parts(value):
    with pytest.raises(Wrong, match="return 2 arrays"):
        to_arrays(value, 2, "f")


# --- behind the wall --------------------------------------------------------

IN_OTHER_FORMS = {
    "3_3": "_spans = span_in_one_pass\n"
    "def span_in_one_pass(*args):\n    return np.array(_spans(*args))",
    "3_7": "_digits = digits_of\n"
    "def digits_of(*args):\n"
    "    digits, last = _digits(*args)\n    return digits.tolist(), last",
    "5_1": "_ends = paired_intervals\n"
    "def paired_intervals(*args):\n    return np.stack(_ends(*args))",
}


def test_the_grader_takes_them_too():
    course = Course(ROOT)
    try:
        with Sandbox() as sandbox:
            grader = Grader(course, sandbox, 7)
            for sheet, source in IN_OTHER_FORMS.items():
                cells = json.loads(course.sheet(sheet).path.read_text("utf8"))
                cells = cells["cells"]
                cells.append({"cell_type": "code", "source": source})
                data = json.dumps({"cells": cells, "nbformat": 4}).encode()
                handed = Submission("ann", sheet, "ann.ipynb", data)
                result = grader.grade(handed)
                assert result.points == result.out_of, sheet
    except SandboxError as reason:
        skip_without_sandbox(reason)
