"""The support that comes with a certificate: for any kind, alone, and where something is spoilt."""

import numpy as np
import pytest
import torch

from cvxinv import LastLayer, LinearProgram
from cvxinv.certificate import certify, support
from tests.support.instances import CLASSES, KINDS, SEEDS, solved, tensors


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", CLASSES)
def test_supports_of_arrays_tensors_and_signals_alone(cls, kind):
    for seed in SEEDS:
        problem, sol = solved(cls, kind, seed)
        dual = None if sol.dual is None else torch.tensor(sol.dual)
        found = support(tensors(problem), torch.tensor(sol.x), dual)
        assert isinstance(found, torch.Tensor)
        np.testing.assert_array_equal(found, sol.support)
        c, nonzero = certify(problem, sol.x, sol.dual, problem.quadratic())
        np.testing.assert_array_equal(nonzero, sol.support)
        np.testing.assert_array_equal(c.kkt, sol.certificate.kkt)
        alone = support(problem[1], sol.x[1], None if dual is None else sol.dual[1])
        np.testing.assert_array_equal(alone, sol.support[1])


@pytest.mark.parametrize("cls", CLASSES)
def test_a_spoilt_signal_has_no_support_and_spoils_no_other(cls):
    problem, sol = solved(cls, "mask", 2)
    x = sol.x.copy()
    x[1, 0] = np.nan
    c, nonzero = certify(problem, x, sol.dual)
    assert c.kkt[1] == np.inf
    assert not nonzero[1].any()
    np.testing.assert_array_equal(nonzero[::2], sol.support[::2])


@pytest.mark.parametrize("activation", ["tanh", "plu"])
def test_a_statement_that_is_not_convex(activation):
    problem, sol = solved(LastLayer, "noisy", 3)
    statement = LastLayer(problem.W, np.tanh(problem.y), activation, problem.bias, problem.lam)
    c, nonzero = certify(statement, sol.x)
    assert np.isnan(c.gap).all()
    assert np.isnan(c.lower_bound).all()
    there, _ = certify(tensors(statement), torch.tensor(sol.x))
    np.testing.assert_allclose(there.kkt, c.kkt, rtol=1e-9)
    assert not nonzero[sol.x == 0].any()


def test_a_vertex_of_a_linear_program():
    problem = LinearProgram(np.eye(3), np.array([[1.0, 0.0, 2.0]]))
    found = support(problem, np.array([[1.0, 0.0, 2.0]]), np.zeros((1, 3)))
    np.testing.assert_array_equal(found, [[True, False, True]])
