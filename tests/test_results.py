"""Which forms of a right result count as arrays."""

import numpy as np
import pytest
import torch

from attnbook.check.engine import Wrong
from attnbook.check.inprocess import to_array, to_arrays


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
