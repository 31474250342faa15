"""Planted instances: their KKT conditions hold exactly, and others agree that they are solved."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fast
from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer, verify
from cvxinv.testing import KINDS, planted
from tests.support.draws import drawn
from tests.support.instances import objective
from tests.support.oracles import used
from tests.support.tolerances import PERTURBATION, SAME_OBJECTIVE

POINT = 1e-6  # of a solution that is the only one, in the units of the data
kinds = st.sampled_from(KINDS)
SCALES = {"scale": 2.0**20, "matrix_scale": 2.0**-13}


def any_planted(**traits):
    return kinds.flatmap(lambda kind: planted(kind, **traits))


def exact(a):
    """The numbers as fractions, to the last bit."""
    return np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(np.asarray(a))


def fields(problem, b):
    """Exactly: A, t (0 where rows do not enter), C, d, lam, gamma and the columns of signal b."""
    m, n = problem.W.shape
    W = exact(problem.W)
    bias = exact(np.zeros(m) if problem.bias is None else problem.bias)
    rows = used(problem)[b]
    t = exact(problem.data[b]) - bias
    lam = np.broadcast_to(getattr(problem, "lam", 0.0), (len(problem), n))[b]
    columns = getattr(problem, "columns", None)
    columns = np.broadcast_to(True if columns is None else columns, (len(problem), n))[b]
    off = ~rows if isinstance(problem, (MidLayer, Latent)) else np.zeros(m, bool)
    gamma = Fraction(float(getattr(problem, "gamma", 0.0)))
    return W[rows], t[rows], W[off], -bias[off], exact(lam), gamma, columns, off


def holds_exactly(p, b):
    """The KKT conditions of signal b, in rational numbers."""
    A, t, C, d, lam, gamma, columns, off = fields(p.problem, b)
    x, eta = exact(p.x[b]), exact(p.dual[b])
    assert not eta[~off].any()
    eta = eta[off]
    theta = t - A @ x
    r = A.T @ theta - C.T @ eta - gamma * x
    signed = isinstance(p.problem, (BasisPursuit, Latent, LeastSquares))
    for j in np.flatnonzero(columns):
        if x[j] != 0:
            assert r[j] == lam[j] * (1 if x[j] > 0 else -1)
        else:
            assert (abs(r[j]) if signed else r[j]) <= lam[j]
        assert signed or x[j] >= 0
    assert not x[~columns].any()
    slack = d - C @ x
    assert all(s >= 0 and e >= 0 and s * e == 0 for s, e in zip(slack, eta, strict=True))
    value = sum(v * v for v in theta) / 2 + sum(lam * abs(x)) + gamma * sum(x * x) / 2
    assert value == Fraction(float(p.objective[b]))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(st.data())
def test_the_kkt_conditions_hold_exactly(kind, data):
    p = data.draw(planted(kind, columns=(1, 4)))
    for b in range(len(p.problem)):
        holds_exactly(p, b)


@settings(max_examples=20)
@given(any_planted(**SCALES))
def test_in_other_units_too(p):
    for b in range(len(p.problem)):
        holds_exactly(p, b)


@settings(max_examples=20)
@given(any_planted(dtype="float32"))
def test_in_float32_too(p):
    assert p.problem.W.dtype == p.problem.data.dtype == np.float32
    assert p.x.dtype == p.dual.dtype == p.objective.dtype == np.float64
    for b in range(len(p.problem)):
        holds_exactly(p, b)


@given(any_planted())
def test_the_certificate_accepts_them(p):
    assert verify(p.problem, p.x, p.dual).optimal(1e-9).all()
    assert verify(p.problem, p.x).optimal(1e-8).all()


@given(any_planted())
def test_the_objective_is_that_of_the_statement(p):
    np.testing.assert_allclose(p.problem.objective(p.x), p.objective, rtol=1e-12)
    np.testing.assert_allclose(objective(p.problem, p.x), p.objective, rtol=1e-12)


@given(any_planted(rows=(4, 8)))
def test_fast_finds_them(p):
    solution = fast.solve(p.problem)
    assert {status.name for status in solution.status} == {"OPTIMAL"}
    values = p.problem.objective(solution.x)
    np.testing.assert_allclose(values, p.objective, rtol=SAME_OBJECTIVE, atol=SAME_OBJECTIVE)
    size = 1 + np.abs(p.x).max(axis=1, keepdims=True)
    apart = np.where(p.unique[:, None], (solution.x - p.x) / size, 0.0)
    if isinstance(p.problem, LeastSquares) and p.problem.columns is not None:
        apart = np.where(p.problem.columns, apart, 0.0)
    np.testing.assert_allclose(apart, 0, atol=POINT)


@given(any_planted(rows=(4, 8)), st.integers(0, 2**32 - 1))
def test_points_beside_the_only_solution_are_rejected(p, seed):
    """All entries moved by a share of the largest: x no longer satisfies its conditions."""
    rng, size = np.random.default_rng(seed), 1 + np.abs(p.x).max(axis=1, keepdims=True)
    moved = p.x + 100 * PERTURBATION * size * rng.uniform(0.5, 1, p.x.shape)
    accepted = verify(p.problem, moved, p.dual).optimal(1e-9)
    # a column of the same sizes as the data: a solution that is the only one is seen by all figures
    free = np.linalg.norm(p.problem.W, axis=0) > 0.1
    assert not (accepted & p.unique & free.all()).any()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_entry_and_row_is_planted(kind):
    found = drawn(planted(kind, rows=(3, 6), columns=(2, 4), batch=3), 60)
    assert {bool(u) for p in found for u in p.unique} == {False, True}
    assert {bool(v) for p in found for v in (p.x != 0).ravel()} == {False, True}
    signed = isinstance(found[0].problem, (BasisPursuit, Latent, LeastSquares))
    assert any((p.x < 0).any() for p in found) == (signed or kind == "qps")
    hidden = kind in ("mid_layers", "latents", "qps")
    assert any(p.dual.any() for p in found) == hidden


def test_sizes_batches_and_library():
    for p in drawn(planted("qps", rows=2, columns=3, batch=4)):
        assert p.problem.W.shape == (4, 3), "a row for each signal"
    for p in drawn(planted("latents", batch=None)):
        assert p.problem.data.ndim == p.x.ndim == p.dual.ndim == 1
        assert p.unique.shape == p.objective.shape == ()
        assert verify(p.problem, p.x, p.dual).optimal(1e-9)
    for p in drawn(planted("mid_layers", library="torch")):
        assert isinstance(p.problem.W, torch.Tensor)
        assert isinstance(p.x, np.ndarray)
    assert all(len(p.problem) == len(p.x) == 0 for p in drawn(planted("lasso", batch=0)))


def test_weights():
    for weight, lam in ((0.0, 0.0), (0.3, 0.25), (8.0, 8.0)):
        for p in drawn(planted("last_layers", weight=weight), 10):
            assert p.problem.lam == lam
            holds_exactly(p, 0)
    assert all(p.problem.lam == 0 for p in drawn(planted("nnls", weight=1.0), 10))
    assert all(p.problem.lam > 0 for p in drawn(planted("lasso"), 10))
    assert all(p.problem.gamma == 2 for p in drawn(planted("latents", weight=2.0), 10))


def test_that_a_wrong_point_would_be_seen():
    p = next(p for p in drawn(planted("last_layers", rows=4, columns=2)) if p.unique[0])
    assert isinstance(p.problem, LastLayer)
    wrong = type(p)(p.problem, p.x + 2.0**-40, p.dual, p.objective, p.unique)
    with pytest.raises(AssertionError):
        holds_exactly(wrong, 0)
