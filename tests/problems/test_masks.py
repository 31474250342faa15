"""Hiding rows is deleting them, whatever they hold: in a certificate to rounding, in an answer to
the accuracy that a certificate states.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import fast
from cvxinv import BasisPursuit, LastLayer, LeastSquares, LinearProgram, reference, verify
from cvxinv.activations import Tanh
from tests.support.oracles import determined, distance
from tests.support.strategies import seeds, statements
from tests.support.tolerances import SAME_OBJECTIVE, SAME_POINT

MASK = {
    LastLayer: "observed",
    LinearProgram: "observed",
    BasisPursuit: "rows",
    LeastSquares: "rows",
}
IDENTITY = st.just("identity")
FIGURES = ("objective", "lower_bound", "gap", "kkt", "violation")


def hidden_and_deleted(problem, seen, filling):
    """The statement with rows hidden and filled with nonsense, and the one without those rows."""
    name, m = MASK[type(problem)], len(seen)
    fields = {k: v for k, v in vars(problem).items() if k not in ("W", "lam", "columns")}
    rows = {k: v for k, v in fields.items() if np.shape(v)[-1:] == (m,)} | {name: None}
    deleted = {k: None if v is None else v[..., seen] for k, v in rows.items()}
    filled = np.where(seen, problem.data, filling)
    hidden = {name: np.broadcast_to(seen, problem.data.shape), problem.data_name: filled}
    return replace(problem, **hidden), replace(problem, W=problem.W[seen], **deleted)


def drawn(classes, phi=IDENTITY):
    return statements(classes, phi).filter(lambda p: p.data.size)


fillings = st.sampled_from([np.nan, np.inf, 0.0, 1e30])


@given(
    drawn(tuple(MASK), phi=st.sampled_from(["identity", Tanh()])),
    fillings,
    seeds,
)
@example(LastLayer(np.eye(3), np.ones((2, 3)), lam=1.0), np.nan, 0)
@example(LinearProgram(np.eye(3), np.ones((2, 3)), norm="l1"), np.inf, 1)
@example(BasisPursuit(1e-6 * np.eye(3), np.ones(3), lam=np.ones(3)), 1e30, 2)
def test_certificates(problem, filling, seed):
    rng = np.random.default_rng(seed)
    seen = rng.random(problem.W.shape[0]) < 0.6
    assume(seen.any())
    hidden, deleted = hidden_and_deleted(problem, seen, filling)
    x = rng.standard_normal((*problem.data.shape[:-1], problem.W.shape[1]))
    dual = rng.standard_normal(problem.data.shape)
    duals = (dual, dual[..., seen]) if isinstance(problem, LinearProgram) else (None, None)
    a, b = verify(hidden, x, duals[0]), verify(deleted, x, duals[1])
    for figure in FIGURES:
        np.testing.assert_allclose(
            getattr(a, figure), getattr(b, figure), rtol=1e-9, atol=1e-12, err_msg=figure
        )


def test_that_certificates_would_differ_if_a_row_were_seen():
    problem = LastLayer(np.eye(3), np.array([1.0, 2.0, 3.0]))
    hidden, _ = hidden_and_deleted(problem, np.array([True, True, False]), 0.0)
    x = np.array([1.0, 2.0, 0.0])
    assert verify(hidden, x).optimal()
    assert not verify(problem, x).optimal()


@pytest.mark.parametrize("solve", [fast.solve, reference.solve], ids=["fast", "reference"])
@given(drawn((LastLayer, BasisPursuit, LeastSquares)), fillings, seeds)
@example(LastLayer(np.eye(3), np.ones((2, 3)), lam=0.1), np.nan, 0)
@example(LeastSquares(np.array([[1.0, 1], [2, 2], [3, 4]]), np.ones((2, 3))), 1e30, 2)
def test_answers(solve, problem, filling, seed):
    seen = np.random.default_rng(seed).random(problem.W.shape[0]) < 0.6
    assume(seen.any() and problem.W.dtype == np.float64)
    hidden, deleted = hidden_and_deleted(problem, seen, filling)
    a, b = solve(hidden), solve(deleted)
    np.testing.assert_array_equal(a.status, b.status)
    size = 0.5 * np.sum(deleted.data**2, axis=-1) + b.certificate.objective
    difference = np.abs(a.certificate.objective - b.certificate.objective)
    assert (difference <= SAME_OBJECTIVE * size).all()
    if deleted.data.ndim == 2:
        one = determined(deleted, 0.05)
        assert (distance(deleted, a.x, b.x)[one] <= SAME_POINT).all()
