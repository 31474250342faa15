"""Infeasibility: proofs that hold, points of least violation, and no proof where a point exists."""

import time

import numpy as np
import pytest
from scipy.optimize import linprog

from cvxinv import BasisPursuit, Latent, MidLayer, Status, reference, refutes
from tests.support.oracles import refutes as oracle


@pytest.mark.parametrize("cls", [MidLayer, Latent])
def test_an_empty_set_is_refuted_and_the_point_violates_it_least(cls):
    """Against scipy's linear programs, of feasibility and of the least largest violation."""
    rng = np.random.default_rng(0)
    infeasible = 0
    for _ in range(40):
        W, bias = rng.standard_normal((8, 3)), rng.standard_normal(8)
        support = rng.random(8) < 0.3
        C, d = W[~support], -bias[~support]
        bounds = [(0 if cls is MidLayer else None, None)] * 3
        problem = cls(W, np.abs(rng.standard_normal(8)), support, bias)
        sol = reference.solve(problem)
        empty = linprog(np.zeros(3), C, d, bounds=bounds).status == 2
        assert sol.status is (Status.INFEASIBLE if empty else Status.OPTIMAL)
        if not empty:
            assert sol.infeasibility is None
            continue
        infeasible += 1
        assert refutes(problem, sol.infeasibility)
        oracle(cls(W, problem.x_next[None], support, bias), 0, sol.infeasibility)
        lifted = np.c_[C, -np.ones(len(C))]
        least = linprog([0, 0, 0, 1], lifted, d, bounds=[*bounds, (0, None)])
        assert (C @ sol.x - d).max() == pytest.approx(least.fun, rel=1e-7)
    assert 5 <= infeasible <= 35


@pytest.mark.parametrize("e", [1e-3, 1e-6, 1e-10])
def test_what_is_feasible_far_out_is_never_refuted(e):
    W = np.array([[1, -1], [-1, 1 + e], [1, 0.0]])
    problem = Latent(W, np.array([[0, 0, 1.0]]), bias=np.array([1, 1, 0.0]))
    z = np.array([[-3 / e - 1, -3 / e]])
    assert (W[:2] @ z[0] + 1 <= 1e-5).all()
    sol = reference.solve(problem)
    assert sol.status[0] is not Status.INFEASIBLE
    assert sol.infeasibility is None


def test_duplicate_columns_and_weights_of_every_size_take_no_time():
    row = np.array([2.0, -2.0, 1.0, -1.0, 0.0])
    W, bias = np.array([row, -row, 0 * row]), np.array([-0.453, 0.453, 0.0])
    lam = np.array([0.18, 1.8e-3, 0.0, 1.8e-8, 1.8e12])
    start = time.process_time()
    for solver in ("CLARABEL", "OSQP", "SCS"):
        sol = reference.solve(BasisPursuit(W, np.zeros(3), bias=bias, lam=lam), solver)
        assert sol.status is Status.OPTIMAL
        # the third column has no weight, and fits alone
        np.testing.assert_allclose(sol.x, [0, 0, 0.453, 0, 0], atol=1e-9)
    assert time.process_time() - start < 10
