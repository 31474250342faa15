"""The signal-to-noise ratio by its definition, and where the definition divides by zero."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import snr

numbers = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3)


@given(numbers, numbers)
@example([1.0, 2.0, 2.0], [1.0, 2.0, 2.0])
@example([0.0, 0.0, 0.0], [1.0, 0.0, 0.0])
@example([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
@example([3.0, 4.0, 0.0], [3.0, 4.0, 0.5])
@example([3e-200, 4e-200, 0.0], [3e-200, 4e-200, 5e-201])  # squares would underflow
@example([1e3, 0.0, 0.0], [1e3, 0.0, 5e-324])  # the ratio would overflow
@example([5e-324, 0.0, 0.0], [1e3, 0.0, 0.0])
def test_by_its_definition(x, x_hat):
    signal, error = math.dist(x, [0] * 3), math.dist(x, x_hat)
    found = float(snr(np.array(x), np.array(x_hat)))
    if error == 0:
        assert found == math.inf
    elif signal == 0:
        assert found == -math.inf
    else:
        assert found == pytest.approx(
            20 * (math.log10(signal) - math.log10(error)), rel=1e-9, abs=1e-9
        )


def test_batches_tensors_and_wrong_shapes():
    x = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    x_hat = np.array([[3.0, 3.5], [1.0, 0.0], [1.0, 0.0]])
    expected = [20.0, -math.inf, math.inf]
    np.testing.assert_allclose(snr(x, x_hat), expected)
    found = snr(torch.tensor(x), x_hat)
    assert isinstance(found, torch.Tensor)
    np.testing.assert_allclose(found, expected)
    with pytest.raises(ValueError, match="x_hat: expected the shape of x"):
        snr(x, x_hat[:2])
