"""Any statement that is written to a file is read again as it was."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given

from cvxinv import BasisPursuit, LastLayer, LinearProgram
from cvxinv.activations import PLU, Sigmoid
from cvxinv.problems import file as problem_file
from tests.support.oracles import same_array
from tests.support.strategies import statements

W = np.array([[1.0, -0.0], [5e-324, 1e300]])  # what a decimal notation would lose
NAN = np.array([[np.nan, np.inf], [0.1, -0.0]])


@given(statements())
@example(LastLayer(W, NAN, PLU(0.3, 2.5), W[0], 1e-300, np.array([[True, False], [False, True]])))
@example(LastLayer(W, NAN[0], Sigmoid()))
@example(BasisPursuit(W, NAN, lam=np.array([[0.0, 1.0], [2.0, 1e-9]])))
@example(LinearProgram(W, NAN, norm="l1", nonnegative=False, observed=np.array([True, False])))
@example(LinearProgram(np.eye(2, dtype="f4"), NAN[:0].astype("f4")))  # no signals
def test_statements(problem):
    with tempfile.TemporaryDirectory() as folder:
        problem_file.save(problem, Path(folder) / "p.npz")
        again = problem_file.load(Path(folder) / "p.npz")
    assert type(again) is type(problem)
    for name, value in vars(problem).items():
        found = getattr(again, name)
        if hasattr(value, "ndim"):
            same_array(found, value)
        else:
            assert type(found) is type(value), name
            assert found == value, name
