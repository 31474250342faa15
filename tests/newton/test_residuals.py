"""One residual, written for three purposes: the certificate's, Newton's, and that of `fast`.

All vanish exactly at a solution, and measure a point beside it alike.
"""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import Latent, LeastSquares, newton, verify
from fast.core.units import scaled
from tests.support.instances import tensors
from tests.support.planted import CLASSES, planted
from tests.support.strategies import seeds
from tests.support.tolerances import NEWTON

ALIKE = 20  # units differ: norms of columns, sizes of signals and of rows


def certificate(problem, x, eta):
    return verify(problem, x, eta).kkt


def of_newton(problem, x, eta):
    """In units of the columns of W and of the signal."""
    q = problem.quadratic()
    norm, s = np.linalg.norm(q.W, axis=0), np.linalg.norm(q.t, axis=1, keepdims=True)
    zero, unit = np.zeros_like(x), newton.row_units(q.W / norm)
    p = newton.Scaled(
        W=q.W / norm,
        unit=unit,
        t=q.t / s,
        rows=q.rows,
        d=unit * q.d / s,
        inequalities=q.inequalities,
        q=zero + q.gamma / norm**2,
        g=zero,
        lam=q.lam / (norm * s),
        nonnegative=np.full(x.shape, q.nonnegative),
        columns=q.columns,
    )
    return newton.residual(p, newton.Iterate(x * norm / s, eta / (unit * s), zero))


def of_fast(problem, x, eta, even=False):
    q = tensors(problem).quadratic()
    layer, units = scaled(q, even)
    x, eta = torch.tensor(x) * units.norm / units.s, torch.tensor(eta) * units.rows / units.s
    return layer.residual(x, eta if q.constrained else layer.no_dual).numpy()


def of_fast_in_even_units(problem, x, eta):
    return of_fast(problem, x, eta, even=True)


RESIDUALS = (certificate, of_newton, of_fast, of_fast_in_even_units)


@pytest.mark.parametrize("cls", CLASSES)
@given(seeds)
@example(0)
@example(1)
def test_all_vanish_at_a_solution_and_agree_beside_it(cls, seed):
    rng = np.random.default_rng(seed)
    p = planted(cls, rng)
    for residual in RESIDUALS:
        assert (residual(p.problem, p.x, p.eta) <= NEWTON).all(), residual
    direction = rng.uniform(0.5, 1, p.x.shape)  # into x >= 0
    before = np.zeros(len(p.x))
    for distance in (1e-8, 1e-5, 1e-2):
        moved = p.x + distance * direction
        found = np.array([residual(p.problem, moved, p.eta) for residual in RESIDUALS])
        assert (found.min(axis=0) > before).all(), "further off is worse by all measures"
        assert (found.max(axis=0) <= ALIKE * found.min(axis=0)).all(), found
        before = found.max(axis=0)


@pytest.mark.parametrize("cls", CLASSES)
@given(seeds)
@example(0)
def test_all_see_wrong_points(cls, seed):
    """Zero where the solution is not, twice the solution, and an entry of the wrong sign."""
    p = planted(cls, np.random.default_rng(seed))
    for wrong in (0 * p.x, 2 * p.x, -p.x):
        one = (np.abs(wrong - p.x) > 0).any(axis=1)
        for residual in RESIDUALS:
            assert (residual(p.problem, wrong, p.eta)[one] > 1e-3).all(), residual


def test_entries_off_the_columns_are_seen():
    """Which no row that enters would show. (In `fast` they cannot be: its units leave them out.)"""
    first = np.array([True, False])
    problem = LeastSquares(np.eye(2), np.array([[1.0, 0.0]]), rows=first, columns=first)
    for residual in (certificate, of_newton):
        assert residual(problem, np.array([[1.0, 0.0]]), np.zeros((1, 2))) == 0, residual
        assert residual(problem, np.array([[1.0, 5.0]]), np.zeros((1, 2))) > 1e-3, residual


def test_rows_that_are_violated_are_seen_where_no_column_shows_it():
    """z_2 <= 0, and the row that is fitted does not look at z_2."""
    problem = Latent(np.eye(2), np.array([[1.0, 0.0]]), np.array([True, False]))
    for residual in RESIDUALS:
        assert residual(problem, np.array([[1.0, -1.0]]), np.zeros((1, 2))) == 0, residual
        assert residual(problem, np.array([[1.0, 1.0]]), np.zeros((1, 2))) > 1e-3, residual


numbers = st.floats(-1e3, 1e3) | st.sampled_from([0.0, 1e-300, -1e-300])


@given(numbers, numbers, st.floats(0, 1e3), st.booleans())
@example(0.0, 5.0, 1.0, True)  # zero, though the objective falls with x
@example(0.0, -5.0, 1.0, True)
@example(0.0, -5.0, 1.0, False)
@example(1.0, 1.0, 1.0, False)
@example(-1.0, 1.0, 1.0, False)
def test_the_natural_residual_is_that_of_its_definition(x, r, lam, nonnegative):
    """x - argmin_v lam |v| + 1/2 (v - x - r)^2, over v >= 0 or all v."""
    w = x + r
    nearest = max(w - lam, 0.0) if nonnegative else np.sign(w) * max(abs(w) - lam, 0.0)
    found = newton.natural(*(np.array([v]) for v in (x, r, lam)), nonnegative)
    np.testing.assert_allclose(found, x - nearest, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cls", CLASSES[1:3])
@given(seeds)
@example(0)
def test_all_see_wrong_multipliers(cls, seed):
    rng = np.random.default_rng(seed)
    p = planted(cls, rng)
    off = ~p.problem.support
    wrong = p.eta + np.where(off, rng.uniform(0.5, 1, off.shape), 0)
    for residual in RESIDUALS:
        assert (residual(p.problem, p.x, wrong)[off.any(axis=1)] > 1e-3).all(), residual
