"""Points and signals so faint that their squares are zero: a verdict, and no warning."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer, verify
from cvxinv.testing import KINDS, statements

FAINT = st.floats(5e-324, 1e-145)
HIDDEN = np.array([[False]])
POSITIVE = ("nnls", "last_layers", "mid_layers", "qps")


@pytest.mark.parametrize("lam", [0.0, 0.5])
@pytest.mark.parametrize("x", [5e-324, 1.1e-313, 2.3e-308, 1e-200, 1e-155])
def test_a_mask_that_hides_all(lam, x):
    """Nothing asks for x: it is right if it costs nothing."""
    problem = LastLayer(np.array([[0.0]]), np.array([[1.0]]), lam=lam, observed=HIDDEN)
    for library in (np.asarray, torch.tensor):
        found = verify(problem, library(np.array([[x]])))
        assert bool(found.optimal(1e-6).all()) == (lam * x == 0)
        assert float(found.objective[0]) == lam * x


@given(st.data(), st.sampled_from(KINDS), FAINT, st.sampled_from([1.0, -1.0]), st.booleans())
def test_faint_points_have_a_verdict(data, kind, size, sign, zero):
    """Where x = 0 is a solution, they are right or cost something; where it is not, they are as
    wrong as x = 0.
    """
    problem = data.draw(statements(kind, zero=zero))
    x = np.full((len(problem), problem.W.shape[1]), size if kind in POSITIVE else sign * size)
    found, at_zero = verify(problem, x), verify(problem, 0 * x)
    assert not np.isnan(found.kkt).any()
    assert not np.isnan(found.violation).any()
    right = at_zero.optimal(1e-9)
    costly = (problem.objective(x) > 0) | (found.violation > 1e-9)
    assert (found.optimal(1e-6) | costly)[right].all()
    assert not found.optimal(1e-9)[~at_zero.optimal(1e-6)].any()


@given(FAINT, st.floats(0.0, 1.0), st.sampled_from([0.0, 0.5]))
@example(1e-200, 1.0, 0.5)
@example(5e-324, 0.0, 0.0)
def test_faint_signals_beside_what_is_large(size, share, weight):
    """Beside rows of zeros with data, and beside constraints that are far away."""
    W, rows = np.array([[1.0], [0.0]]), np.array([[size, 1.0]])
    x = np.array([[share * size]])
    far = np.array([0.0, -1.0])
    for problem in (
        LastLayer(W, rows, lam=weight),
        BasisPursuit(W, rows, lam=weight),
        LeastSquares(W, rows),
        MidLayer(np.ones((2, 1)), np.array([[size, 0.0]]), bias=far, lam=weight),
        Latent(np.ones((2, 1)), np.array([[size, 0.0]]), bias=far, gamma=weight),
    ):
        found = verify(problem, x)
        assert not np.isnan(found.kkt).any()
        assert np.isfinite(found.violation).all()
