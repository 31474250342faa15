"""Each of the sentences that say where a point fails, by an example that can be seen through."""

import numpy as np
import pytest
import torch

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer
from cvxinv.certificate import reasons

TWO = np.eye(2)
FIRST = np.array([True, False])
IMAGE = LastLayer(TWO, np.array([1.0, -2.0]))  # x = (1, 0)
SPARSE = BasisPursuit(TWO, np.array([1.0, -2.0]), lam=1.5)  # x = (0, -0.5)
HIDDEN = Latent(TWO, np.array([1.0, 0.0]))  # z_1 = 1, z_2 <= 0
BOUND = MidLayer(np.array([[1.0], [1.0]]), np.array([2.0, 0.0]), bias=np.array([0.0, -1.0]))  # 1

SENTENCES = [
    (IMAGE, [1.5, 0.0], None, "gradient on the support at x[0]"),
    (IMAGE, [0.0, 0.0], None, "gradient off the support: x[0] should not be zero"),
    (IMAGE, [1.0, 0.5], None, "x[1] should be zero"),
    (IMAGE, [1.0, -0.5], None, "x[1] below zero"),
    (IMAGE, [np.nan, 0.0], None, "x holds nan or inf"),
    (IMAGE, [np.inf, 0.0], None, "x holds nan or inf"),
    (SPARSE, [0.0, -1.0], None, "gradient on the support at x[1]"),
    (SPARSE, [0.0, 0.0], None, "gradient off the support: x[1] should not be zero"),
    (SPARSE, [0.1, -0.5], None, "x[0] should be zero"),
    (LeastSquares(TWO, TWO[0], columns=FIRST), [1.0, 3.0], None, "x[1] is off the columns"),
    (HIDDEN, [1.0, 0.5], None, "inequality of row 1 violated"),
    (HIDDEN, [0.5, 0.0], None, "gradient on the support at x[0]"),
    (HIDDEN, [1.0, 0.0], [0.0, -0.5], "multiplier of row 1 below zero"),
    (BOUND, [0.5], [0.0, 1.5], "row 1 has slack and a multiplier"),
    (BOUND, [2.0], None, "inequality of row 1 violated"),
]


@pytest.mark.parametrize(("problem", "x", "dual", "words"), SENTENCES)
def test_each_sentence(problem, x, dual, words):
    assert reasons(problem, np.array(x), None if dual is None else np.array(dual)) == [words]


def test_each_signal_has_its_own():
    problem = LastLayer(TWO, np.array([[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]]))
    x = np.array([[1.0, -1.0], [3.0, 5.0], [0.0, 6.0]])
    expected = ["x[1] below zero", "gradient on the support at x[1]"]
    assert reasons(problem, x)[:2] == expected
    assert reasons(problem, x)[2] == "gradient off the support: x[0] should not be zero"


def test_no_entry_is_to_blame_where_columns_cancel():
    """Two columns that are nearly the same, far out: each gradient is small, and their sum not."""
    W = np.array([[1.0, -1.0], [0.0, 1e-4]])
    problem = LeastSquares(W, np.array([[1.0, 0.0]]))
    x = np.array([[1e4, 1e4 - 1 + 1e-3]])
    assert reasons(problem, x) == ["complementarity in sum"]


def test_tensors_and_float32():
    problem = LastLayer(torch.eye(2), torch.tensor([[1.0, -2.0]]))
    assert reasons(problem, torch.tensor([[1.0, 0.5]])) == ["x[1] should be zero"]


@pytest.mark.parametrize("unit", [2.0**-200, 2.0**300])
def test_units_do_not_count(unit):
    problem = LastLayer(unit * TWO, np.array([1.0, -2.0]))
    assert reasons(problem, np.array([1.0, 0.5]) / unit) == ["x[1] should be zero"]
