"""What a residual in float64 does not tell apart, a fit on the face does: weights below the
tolerance, matrices whose A'A has lost the digits.
"""

import time

import numpy as np
import pytest

import fast
from cvxinv import BasisPursuit, LastLayer, Latent, MidLayer, Status


@pytest.mark.parametrize("lam", [1e-6, 1e-8, 1e-10])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_weight_below_the_tolerance_chooses_among_points_that_fit(seed, lam):
    """8 ones fit 64 rows: of all that fit, they have the least l1 norm."""
    W, x = np.random.default_rng(seed).standard_normal((64, 128)), np.zeros(128)
    x[:8] = 1
    for problem in (BasisPursuit(W, W @ x, lam=lam), LastLayer(W, W @ x, lam=lam)):
        sol = fast.solve(problem)
        assert sol.status is Status.OPTIMAL
        assert sol.certificate.objective == pytest.approx(8 * lam, rel=1e-5)
        np.testing.assert_allclose(sol.x, x, atol=1e-4)


@pytest.mark.parametrize("gamma", [1e-6, 1e-8, 1e-10, 1e-12])
@pytest.mark.parametrize("shape", [(30, 20), (12, 20)])
def test_a_small_gamma_is_not_lost_in_the_gram_matrix(shape, gamma):
    """Against orthogonal factors of W over sqrt(gamma) I, which do not square its condition."""
    rng = np.random.default_rng(0)
    U, S, V = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    W = U * np.logspace(0, -4, len(S)) @ V
    m, n = shape
    y = W @ rng.standard_normal(n)
    sol = fast.solve(Latent(W, y, np.ones(m, bool), gamma=gamma))
    Q, R = np.linalg.qr(np.vstack([W, np.sqrt(gamma) * np.eye(n)]))
    best = np.linalg.solve(R, Q.T @ np.r_[y, np.zeros(n)])
    assert sol.status is Status.OPTIMAL
    assert np.linalg.norm(sol.x - best) <= 1e-6 * np.linalg.norm(best)


@pytest.mark.parametrize("s", [1e-6, 1e-8, 1e-9])
def test_columns_that_are_nearly_parallel(s):
    """(0, 1/s, 1/s - 1) fits exactly; without the second row's entry s the best is 1/2."""
    W = np.array([[1, 1, -1], [0, s, 0], [0, 0, 0]])
    sol = fast.solve(LastLayer(W, np.array([1.0, 1.0, 0.0])))
    fit = W @ sol.x - np.array([1.0, 1.0, 0.0])
    assert 0.5 * fit @ fit <= 1e-12
    assert (sol.x >= 0).all()


def test_weights_of_any_ratio_do_not_hang():
    """Copies of columns with weights 20 orders of magnitude apart."""
    half = 0.45277468401317833
    problem = BasisPursuit(
        np.array([[2, -2, 1, -1, 0], [-2, 2, -1, 1, 0], [0, 0, 0, 0, 0.0]]),
        np.zeros(3),
        bias=np.array([-half, half, 0.0]),
        lam=0.4 * half * np.array([1, 1e-2, 0, 1e-7, 1e13]),
    )
    begin = time.process_time()
    sol = fast.solve(problem)
    assert time.process_time() - begin < 5
    assert sol.status is Status.OPTIMAL
    assert sol.certificate.objective <= 1e-12


def test_inequalities_may_set_the_size_of_x():
    """Feasible only at x_2 of 4e6, where the fit alone would have it at zero."""
    W = np.array([[6**0.5, 0], [-800, -1], [-400, -1]])
    problem = MidLayer(W, [6**-0.5, 0, 0], [True, False, False], [0, 4e6, 3e6], lam=1.0)
    sol = fast.solve(problem)
    assert sol.certificate.violation <= 1e-8
    assert sol.x[1] == pytest.approx(3893333.3333333, rel=1e-6)
