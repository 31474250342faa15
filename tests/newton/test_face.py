"""The active-set method on A: cases in which A'A has lost the digits, and random ones."""

import numpy as np
import pytest
import torch

from cvxinv import BasisPursuit, LastLayer, LeastSquares, MidLayer, newton
from tests.support.scaled import cold, random_scaled, raw
from tests.support.tolerances import NEWTON


def solved(problem, start=None):
    p = raw(problem.quadratic())
    at = cold(p) if start is None else newton.Iterate(np.array([start]), 0 * p.t, 0 * p.q)
    return newton.fit_on_face(p, at)


STARTS = [None, [1.0, 1.0, 1.0], [1e6, 0.0, -1e6], [-1.0, 1e-9, 3.0]]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("e", [1e-3, 1e-6, 1e-9])
def test_nearly_dependent_columns(e, start):
    A = np.array([[1, 0, 1], [0, 1, 0], [1 + e, 0, 1]])
    b = np.array([0.074, 1.014, -0.383])
    first = (b[2] - b[0]) / (A[2, 0] - 1)
    x = solved(LeastSquares(A, b), start).x[0]
    np.testing.assert_allclose(x, [first, b[1], b[0] - first], rtol=1e-15 / e)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("s", [1e-3, 1e-6, 1e-9])
def test_a_fit_that_needs_a_huge_point(s, start):
    W = np.array([[1, 1, -1], [0, s, 0], [0, 0, 0]])
    x = solved(LastLayer(W, np.array([1.0, 1.0, 0.0])), start).x[0]
    assert 0.5 * np.sum((W @ x - [1, 1, 0]) ** 2) <= 1e-13
    assert x.min() >= 0
    np.testing.assert_allclose(x[1], 1 / s)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_constraints_that_set_the_scale_of_x(unit):
    W = np.array([[6**0.5, 0], [-800, -1], [-400, -1]])
    target, bias = unit * np.array([6**-0.5, 0, 0]), unit * np.array([0, 4e6, 3e6])
    p = MidLayer(W, target, np.array([True, False, False]), bias, lam=unit)
    found = solved(p)
    np.testing.assert_allclose(found.x[0], [unit * 400 / 3, unit * 3893333 + unit / 3], rtol=1e-12)
    np.testing.assert_allclose(found.eta[0], [0, unit, 0], rtol=1e-12)


@pytest.mark.parametrize("lam", [1e-14, 1e-10, 1e-8, 1e-4])
def test_a_small_weight_decides_among_exact_fits(lam):
    rng = np.random.default_rng(0)
    W, x = rng.standard_normal((64, 128)), np.zeros(128)
    x[:8] = 1
    found = solved(BasisPursuit(W, W @ x, lam=lam)).x[0]
    assert np.abs(found).sum() <= 8 * (1 + 1e-9)
    np.testing.assert_allclose(found[:8], 1, atol=max(1e-9, lam))


@pytest.mark.parametrize("rank", [1, 2, 3, 6])
@pytest.mark.parametrize("seed", range(12))
def test_from_a_cold_start(seed, rank):
    p = random_scaled(seed, rank=rank)
    found = newton.fit_on_face(p, cold(p))
    assert newton.residual(p, found).max() <= NEWTON
    assert (found.eta >= 0).all()
    assert not found.eta[~p.inequalities].any()
    assert not found.x[~p.columns].any()


@pytest.mark.parametrize("seed", range(60))
def test_ties_and_degenerate_vertices(seed):
    """Small whole numbers: dependent rows and columns, multipliers and slacks that are zero
    together.
    """
    rng = np.random.default_rng(seed)
    B, m, n = 8, rng.integers(1, 8), rng.integers(1, 7)
    W = rng.integers(-2, 3, (m, n)).astype(float)
    rows = rng.random((B, m)) < 0.5
    t = np.where(rows, rng.integers(-2, 3, (B, m)), 0.0)
    d = np.where(~rows, rng.integers(0, 2, (B, m)), 0.0)
    none, lam = np.zeros((B, n)), rng.integers(0, 2, (B, n)) * 1.0
    signs, columns = rng.random((B, n)) < 0.5, rng.random((B, n)) < 0.9
    p = newton.Scaled(W, np.ones(m), t, rows, d, ~rows, none, none, lam, signs, columns)
    found = newton.fit_on_face(p, cold(p))
    assert newton.residual(p, found).max() <= NEWTON


@pytest.mark.parametrize("seed", range(6))
def test_from_the_solution_nothing_moves(seed):
    p = random_scaled(seed)
    once = newton.fit_on_face(p, cold(p))
    twice = newton.fit_on_face(p, once)
    np.testing.assert_allclose(twice.x, once.x, atol=NEWTON)
    assert newton.residual(p, twice).max() <= NEWTON


def test_tensors_are_answered_by_tensors():
    p = random_scaled(3)
    fields = {name: torch.tensor(getattr(p, name)) for name in p.__dataclass_fields__}
    tensors = newton.Scaled(**fields)
    at = newton.Iterate(0 * tensors.q, 0 * tensors.t, 0 * tensors.q)
    found, expected = newton.fit_on_face(tensors, at), newton.fit_on_face(p, cold(p))
    np.testing.assert_array_equal(found.x.numpy(), expected.x)
    np.testing.assert_array_equal(found.eta.numpy(), expected.eta)
