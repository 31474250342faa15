"""The units of a layer: there and back again, and nothing that a statement says depends on them."""

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer, verify
from cvxinv.certificate.pair import pair
from cvxinv.certificate.point import quadratic_point
from cvxinv.reference.polish import polish
from cvxinv.testing import KINDS, planted
from fast.core.units import scaled
from tests.support.instances import replaced, tensors
from tests.support.strategies import seeds, statements
from tests.support.tolerances import FORWARD, NEWTON, SCALED

CONVEX = (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares)
ZEROS = MidLayer(np.zeros((3, 2)), np.zeros((2, 3)), bias=np.ones(3))
convex = statements(CONVEX, st.just("identity")).filter(lambda p: p.data.ndim == 2)
powers = st.integers(-20, 20).map(lambda k: 2.0**k)


def feasible_signs(q, x):
    """x with the signs and columns of the statement."""
    x = np.abs(x) if q.nonnegative else x
    return np.where(q.columns.numpy(), x, 0.0)


@given(convex, seeds, st.booleans())
@example(ZEROS, 0, False)
@example(BasisPursuit(np.array([[1.0, 0.0], [1e-9, 0.0]]), np.zeros((1, 2)), lam=1.0), 0, True)
@example(MidLayer(np.eye(3), np.array([[-1.0, 0.0, 2.0]]), bias=1e6 * np.ones(3)), 0, False)
def test_there_and_back(problem, seed, even):
    q, rng = tensors(problem).quadratic(), np.random.default_rng(seed)
    layer, units = scaled(q, even)
    x = feasible_signs(q, rng.standard_normal(q.lam.shape))
    there = units.scale(torch.tensor(x), layer)
    eta = torch.tensor(rng.random(layer.no_dual.shape))
    back, dual = units.unscale(there, eta)
    np.testing.assert_allclose(back, x, rtol=FORWARD)
    np.testing.assert_allclose(dual * units.rows[: dual.shape[1]] / units.s, eta, rtol=FORWARD)
    assert not units.scale(torch.full_like(there, torch.nan), layer).any()


@given(convex, seeds, st.booleans())
@example(ZEROS, 0, False)
@example(LeastSquares(np.eye(3), np.ones((2, 3)), columns=np.array([True, False, True])), 1, True)
def test_the_objective_is_that_of_the_statement(problem, seed, even):
    """In units of ||t||^2, at any point."""
    q, rng = tensors(problem).quadratic(), np.random.default_rng(seed)
    layer, units = scaled(q, even)
    x = feasible_signs(q, rng.standard_normal(q.lam.shape))
    found = layer.objective(units.scale(torch.tensor(x), layer))
    size = (q.t**2).sum(1)
    single = {k: v for k, v in vars(problem).items() if getattr(v, "dtype", None) == np.float32}
    double = replaced(problem, **{k: v.astype(np.float64) for k, v in single.items()})
    expected = verify(double, x).objective
    size = torch.where(size > 0, size, units.s[:, 0] ** 2)
    np.testing.assert_allclose(found * size, expected, rtol=1e-9, atol=0)


@given(convex)
@example(ZEROS)
def test_columns_and_signals_have_length_1_up_to_a_factor_of_2(problem):
    q = tensors(problem).quadratic()
    assume(bool(q.rows.any(1).all()))
    layer, units = scaled(q, even=False)
    lengths = torch.linalg.vector_norm(layer.t, dim=1)
    assert (((lengths > 0.5) & (lengths < 2)) | (lengths == 0)).all()
    assert (units.s > 0).all()
    assert (units.norm > 0).all()
    fitted = torch.linalg.vector_norm(q.W[q.rows.any(0)], dim=0) > 0
    longest = torch.linalg.vector_norm(layer.W, dim=0)
    assert (longest[fitted] > 0.5).all()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12)
@given(st.data(), seeds, powers, powers)
def test_certificates_and_polish_know_no_units(kind, data, seed, of_matrix, of_signal):
    """W times a and signals times b: x times b / a, lam times a b, gamma times a^2, and the same
    certificate; a start at 0 is polished to the planted solution in any units.
    """
    rng = np.random.default_rng(seed)
    p = data.draw(planted(kind).filter(lambda p: p.unique.all()))
    a, b = of_matrix, of_signal
    values = {"W": a * p.problem.W, p.problem.data_name: b * p.problem.data}
    if p.problem.bias is not None:
        values["bias"] = b * p.problem.bias
    values |= {"lam": a * b * p.problem.lam} if hasattr(p.problem, "lam") else {}
    values |= {"gamma": a * a * p.problem.gamma} if hasattr(p.problem, "gamma") else {}
    other, x, eta = replaced(p.problem, **values), b / a * p.x, b * p.dual

    beside = 1 + 1e-3 * rng.standard_normal(x.shape)
    here, there = verify(p.problem, p.x * beside, p.dual), verify(other, x * beside, eta)
    for name in ("gap", "kkt", "violation"):
        one, two = getattr(here, name), getattr(there, name)
        np.testing.assert_allclose(two, one, rtol=1e-9, atol=SCALED, err_msg=name)
    np.testing.assert_allclose(there.objective, b * b * here.objective, rtol=1e-9)

    q = other.quadratic()
    found, multipliers = polish(q, 0 * x, 0 * eta)
    assert (pair(quadratic_point(q, found), multipliers).kkt <= NEWTON).all()
    np.testing.assert_allclose(a / b * found, p.x, rtol=0, atol=1e-9)
