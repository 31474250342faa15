"""The polish: where A'A loses the digits A decides, weights too small to be seen count, and rows
that no column reaches set no scale.
"""

import logging

import numpy as np
import pytest

from cvxinv import (
    BasisPursuit,
    LastLayer,
    Latent,
    LeastSquares,
    MidLayer,
    Status,
    reference,
    verify,
)
from cvxinv.reference.polish import polish
from tests.support.tolerances import CLOSED_FORM, OBJECTIVE

SOLVERS = ["CLARABEL", "OSQP", "SCS"]


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.ERROR, "cvxinv.reference")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("e", [1e-4, 1e-6, 1e-8])
def test_nearly_dependent_columns_are_told_apart(e, solver):
    A = np.array([[1, 0, 1], [0, 1, 0], [1 + e, 0, 1]])
    b = np.array([0.074, 1.014, -0.383])
    first = (b[2] - b[0]) / (A[2, 0] - 1)
    x = reference.solve(LeastSquares(A, b), solver).x
    np.testing.assert_allclose(x, [first, b[1], b[0] - first], rtol=1e-14 / e)


@pytest.mark.parametrize("seed", range(6))
def test_condition_numbers_whose_square_is_beyond_float64(seed):
    """Against the solution by construction: x >= 0, and t in reach of it."""
    rng = np.random.default_rng(seed)
    n, condition = 6, 10.0 ** rng.uniform(8, 11)
    U, V = (np.linalg.qr(rng.standard_normal((k, n)))[0] for k in (12, n))
    W = (U * np.geomspace(1, 1 / condition, n)) @ V.T
    x = np.where(rng.random(n) < 0.6, rng.exponential(size=n), 0.0)
    sol = reference.solve(LastLayer(W, W @ x))
    assert np.linalg.norm(W @ (sol.x - x)) <= 1e-14 * np.linalg.norm(W @ x)
    np.testing.assert_allclose(sol.x, x, atol=1e-14 * condition)


@pytest.mark.parametrize("s", [1e-3, 1e-6, 1e-9])
def test_of_two_points_that_look_alike_the_better_one(s):
    """The objective is zero where x_2 = 1/s, and 1/2 at (1, 0, 0)."""
    W = np.array([[1, 1, -1], [0, s, 0], [0, 0, 0]])
    x = reference.solve(LastLayer(W, np.array([1.0, 1.0, 0.0]))).x
    assert x.min() >= 0
    np.testing.assert_allclose(x[1], 1 / s)
    assert np.sum((W @ x - [1, 1, 0]) ** 2) <= 1e-12


@pytest.mark.parametrize("lam", [1e-12, 1e-10, 1e-8, 1e-6])
def test_a_weight_below_the_tolerance_is_minded(lam):
    """lam -> 0 is the least norm, which is that of the sparse x: lam ||x||_1 to first order."""
    rng = np.random.default_rng(0)
    W, x = rng.standard_normal((64, 128)), np.zeros(128)
    x[:8] = 1
    sol = reference.solve(BasisPursuit(W, W @ x, lam=lam))
    assert sol.certificate.objective <= 8 * lam * (1 + 1e-6)
    large = np.abs(sol.x) > 1e-6
    assert large[:8].all()
    assert not large[8:].any()


@pytest.mark.parametrize("gamma", [1e-14, 1e-10, 1e-8])
@pytest.mark.parametrize("seed", range(3))
def test_a_small_gamma_is_minded(gamma, seed):
    """Against the ridge regression of an under-determined fit, by singular values."""
    rng = np.random.default_rng(seed)
    W, t = rng.standard_normal((6, 15)), rng.standard_normal((2, 6))
    z = reference.solve(Latent(W, t, np.ones(6, bool), gamma=gamma)).x
    U, S, Vt = np.linalg.svd(W, full_matrices=False)
    np.testing.assert_allclose(z, ((t @ U) * S / (S**2 + gamma)) @ Vt, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [1e6, 1e9, 1e12, 1e100])
@pytest.mark.parametrize("cls", [LastLayer, BasisPursuit, LeastSquares])
def test_a_row_that_no_column_reaches_sets_no_scale(cls, size):
    rng = np.random.default_rng(0)
    W, y = rng.standard_normal((9, 4)), np.abs(rng.standard_normal((3, 9)))
    options = {} if cls is LeastSquares else {"lam": 0.1}
    W[3], alone = 0.0, np.arange(9) != 3
    y[:, 3] = size
    expected = reference.solve(cls(W[alone], y[:, alone], **options)).x
    found = reference.solve(cls(W, y, **options)).x
    np.testing.assert_allclose(found, expected, rtol=CLOSED_FORM, atol=CLOSED_FORM)


@pytest.mark.parametrize("lam", [1e3, 1e12, 1e300])
@pytest.mark.parametrize("cls", [LastLayer, BasisPursuit])
def test_a_weight_that_outweighs_every_column_gives_zero(cls, lam):
    rng = np.random.default_rng(0)
    sol = reference.solve(cls(rng.standard_normal((8, 12)), rng.standard_normal((6, 8)), lam=lam))
    assert list(sol.status) == 6 * [Status.OPTIMAL]
    assert not sol.x.any()
    assert not sol.iterations.any()


@pytest.mark.parametrize("share", [0.5, 0.99, 1.01])
def test_at_the_largest_weight_zero_begins(share):
    rng = np.random.default_rng(1)
    W, y = rng.standard_normal((8, 12)), rng.standard_normal(8)
    sol = reference.solve(LastLayer(W, y, lam=share * (y @ W).max()))
    assert sol.status is Status.OPTIMAL
    assert sol.x.any() == (share < 1)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_constraints_that_set_the_scale_of_x(unit, solver):
    W = np.array([[6**0.5, 0], [-800, -1], [-400, -1]])
    target, bias = unit * np.array([6**-0.5, 0, 0]), unit * np.array([0, 4e6, 3e6])
    problem = MidLayer(W, target, np.array([True, False, False]), bias, lam=unit)
    sol = reference.solve(problem, solver)
    assert sol.status is Status.OPTIMAL
    np.testing.assert_allclose(sol.x, unit * np.array([400 / 3, 3893333 + 1 / 3]), rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-160, 1e-30, 1e30, 1e150])
def test_scales_whose_squares_under_or_overflow(scale):
    rng = np.random.default_rng(2)
    W, x = rng.standard_normal((9, 4)), np.abs(rng.standard_normal(4))
    np.testing.assert_allclose(
        reference.solve(LastLayer(W, scale * (W @ x))).x / scale, x, rtol=CLOSED_FORM
    )
    if scale > 1e-150:  # beyond, the answer itself is 1e160
        found = reference.solve(LastLayer(scale * W, W @ x)).x * scale
        np.testing.assert_allclose(found, x, rtol=CLOSED_FORM)


def test_tol_is_what_the_certificate_has_to_prove():
    rng = np.random.default_rng(3)
    problem = LastLayer(rng.standard_normal((30, 12)), rng.standard_normal((4, 30)), lam=0.01)
    rough = reference.solve(problem, "OSQP", polish=False)
    kkt = rough.certificate.kkt
    assert (kkt > 1e-14).all()
    for tol in (0.5 * kkt.min(), 2 * kkt.max()):
        sol = reference.solve(problem, "OSQP", polish=False, tol=tol)
        proven = sol.certificate.optimal(tol)
        assert [s is Status.OPTIMAL for s in sol.status] == list(proven)
    assert proven.all()
    assert list(reference.solve(problem, tol=1e-12).status) == 4 * [Status.OPTIMAL]


def test_the_polish_never_makes_a_point_worse():
    rng = np.random.default_rng(4)
    for seed in range(20):
        W = rng.standard_normal((5, 7)) * 10.0 ** rng.uniform(-4, 4, 7)
        problem = LastLayer(W, np.abs(rng.standard_normal((2, 5))), lam=10.0 ** rng.uniform(-9, 0))
        q, start = problem.quadratic(), np.abs(rng.standard_normal((2, 7)))
        x, dual = polish(q, start, np.zeros_like(q.t))
        again, _ = polish(q, x, dual)
        one, two = verify(problem, x).objective, verify(problem, again).objective
        assert (one <= verify(problem, start).objective * (1 + OBJECTIVE)).all(), seed
        np.testing.assert_allclose(two, one, rtol=CLOSED_FORM)


def test_a_system_that_overflows_stays_that_of_its_signal(monkeypatch):
    from cvxinv import newton

    original = newton.solve

    def fails(p, at, *args):
        if (p.t > 0).all(axis=1).any():
            raise np.linalg.LinAlgError("singular")
        return original(p, at, *args)

    rng = np.random.default_rng(5)
    y = rng.standard_normal((4, 9))
    y[2] = np.abs(y[2])
    problem = LastLayer(rng.standard_normal((9, 4)), y)
    monkeypatch.setattr(newton, "solve", fails)
    sol = reference.solve(problem)
    assert all(sol.status[b] is Status.OPTIMAL for b in (0, 1, 3))
    assert np.isfinite(sol.x[2]).all()
