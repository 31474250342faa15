"""Complementarity and gap by their formulas, in plain NumPy, from the statement's own fields."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import Latent
from cvxinv.certificate.bound import bound
from cvxinv.certificate.pair import pair
from cvxinv.certificate.point import quadratic_point
from tests.support.instances import CLASSES, instance, objective
from tests.support.planted import planted


@pytest.mark.parametrize("cls", CLASSES)
@given(st.sampled_from(["noisy", "mask", "uneven_columns", "large_signal"]), st.integers(0, 3))
@example("mask", 3)
def test_products(cls, kind, seed):
    """sum_j |lam_j |x_j| - r_j x_j| + sum_i |eta_i (d_i - C_i x)|, over max(1/2 s^2, objective)."""
    problem = instance(cls, kind, seed)
    q, rng = problem.quadratic(), np.random.default_rng(seed)
    x = np.abs(rng.standard_normal(q.lam.shape)) * q.columns
    eta = np.where(q.inequalities, rng.random(q.t.shape), 0.0)
    found = pair(quadratic_point(q, x), eta)

    Wx = x @ q.W.T
    r = (np.where(q.rows, q.t - Wx, 0) - eta) @ q.W - q.gamma * x
    sizes = np.linalg.norm(np.where(q.rows, q.t, 0), axis=1), np.linalg.norm(Wx * q.rows, axis=1)
    value = np.maximum(0.5 * np.maximum(*sizes) ** 2, objective(problem, x))
    expected = np.abs(q.lam * x - r * x).sum(axis=1)
    expected = expected + np.abs(eta * np.where(q.inequalities, q.d - Wx, 0)).sum(axis=1)
    np.testing.assert_allclose(found.products, expected / value, rtol=1e-9)
    # no solution costs less than nothing
    least = np.minimum(expected, objective(problem, x)) / value
    np.testing.assert_allclose(found.complementarity, least, rtol=1e-9)
    np.testing.assert_allclose(found.kkt, np.maximum(found.natural, least), rtol=1e-9)


@given(st.integers(0, 2**32 - 1))
@example(0)
def test_the_gap_is_objective_less_bound(seed):
    """Summed from terms in which nothing cancels; beside a planted optimum, with rows that have
    both a multiplier and slack.
    """
    rng = np.random.default_rng(seed)
    p = planted(Latent, rng)
    x = p.x + 1e-3 * rng.standard_normal(p.x.shape)
    at = quadratic_point(p.problem.quadratic(), x)
    found = bound(pair(at, p.eta))
    gap = objective(p.problem, x) - found.lower
    assert (found.lower > 0).all()
    np.testing.assert_allclose(found.gap * at.s**2, gap, rtol=1e-6)


@pytest.mark.parametrize("far", [0.5e3, 1e4, 1e6, 1e8, 1e12, 1e16])
def test_rounding_of_a_far_point_is_allowed_for(far):
    """Of two equal columns x = (far, -far) makes 0, and has L = sum_j D_j |x_j| / s = 2 far: 4 eps
    (L - 1000) of the residual is rounding, and where that is 1e-4, nothing is known.
    """
    problem = Latent(np.ones((1, 2)), np.ones((1, 1)))
    at = quadratic_point(problem.quadratic(), np.array([[0.5 + far, -far]]))
    found = pair(at, np.zeros((1, 1)))
    L = at.length[0]
    np.testing.assert_allclose(L, 2 * far, rtol=1e-2)
    rounding = 4 * 2.0**-52 * max(L - 1000, 0)
    least = np.abs(found.columns).max()
    expected = max(least - rounding, 0) if rounding < 1e-4 else max(least, rounding)
    np.testing.assert_allclose(found.natural, expected, rtol=1e-12)
