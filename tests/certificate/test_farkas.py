"""`refutes`: no p refutes what rational arithmetic shows to be feasible; what contradicts itself is
proven.
"""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import nnls

from cvxinv import LastLayer, Latent, LinearProgram, MidLayer, refutes
from tests.support.instances import CONSTRAINED, tensors

STATEMENTS = st.sampled_from(CONSTRAINED)
DRAWS = st.integers(0, 2**32 - 1)
SCALES = st.sampled_from([1e-200, 1e-8, 1.0, 1e8, 1e200])


def statement(cls, C, d):
    """C x <= d as a statement with an empty support."""
    return cls(C, np.zeros((1, len(d))), bias=-d)


def at_least(value: Fraction) -> float:
    """The smallest float64 that is not below `value`."""
    near = float(value)
    return near if Fraction(near) >= value else float(np.nextafter(near, np.inf))


def planted(cls, rng, m, n, spread):
    """C and d with C x <= d for an x of any size, in exact arithmetic, with about m/2 rows tight to
    the last digit.
    """
    C = (
        np.round(rng.standard_normal((m, n)) * 4)
        if rng.random() < 0.5
        else rng.random((m, n)) - 0.5
    )
    C[rng.integers(m)] = -C[rng.integers(m)] + 10.0 ** -rng.integers(6, 17) * (rng.random(n) - 0.5)
    x = rng.standard_normal(n) * 10.0 ** rng.integers(0, spread, n)
    x = np.abs(x) if cls is MidLayer else x
    exact = [sum(Fraction(a) * Fraction(b) for a, b in zip(row, x, strict=True)) for row in C]
    slack = rng.exponential(size=m) * (rng.random(m) < 0.5)
    return C, np.array([at_least(v + Fraction(s)) for v, s in zip(exact, slack, strict=True)])


def hints(cls, C, d, rng):
    """Multipliers that nearly prove something: random ones, one row, the best there are."""
    m = len(d)
    yield rng.exponential(size=m)
    yield np.eye(m)[rng.integers(m)]
    columns = C / np.maximum(np.abs(C).max(axis=0), 1e-300)
    columns = np.minimum(columns, 0) if cls is MidLayer else columns
    value = d / max(np.abs(d).max(), 1e-300)
    for weight in (1.0, 1e6):  # p >= 0 with C'p = 0 and d'p = -1, as nearly as there is one
        p, _ = nnls(np.vstack([weight * columns.T, value]), np.append(np.zeros(C.shape[1]), -1.0))
        yield p


@given(cls=STATEMENTS, draw=DRAWS, spread=st.integers(1, 11), unit=SCALES)
@example(cls=Latent, draw=0, spread=1, unit=1.0)
@example(cls=MidLayer, draw=1, spread=9, unit=1e200)
@example(cls=Latent, draw=2, spread=11, unit=1e-200)
def test_nothing_refutes_what_has_a_solution(cls, draw, spread, unit):
    rng = np.random.default_rng(draw)
    C, d = planted(cls, rng, int(rng.integers(2, 9)), int(rng.integers(1, 5)), spread)
    unit = 2.0 ** np.round(np.log2(unit))  # exact: the scaled statement has a solution too
    for p in hints(cls, C, d, rng):
        assert not refutes(statement(cls, C, d), p[None])[0]
        assert not refutes(statement(cls, C, unit * d), p[None])[0]


@pytest.mark.parametrize("e", [2.0**-10, 1e-6, 1e-10])
def test_a_solution_far_away_is_not_refuted(e):
    problem = Latent(
        np.array([[1, -1], [-1, 1 + e], [1, 0]]),
        np.array([[0, 0, 1.0]]),
        bias=np.array([1, 1, 0.0]),
    )
    for p in ([1, 1, 0], [1 + e, 1, 0], [1, 1 / (1 + e), 0], [1, 1, e], [1, 0, 0]):
        assert not refutes(problem, np.array([p], float))[0]


@given(cls=STATEMENTS, draw=DRAWS, unit=SCALES, margin=st.sampled_from([1.0, 1e-3, 1e-6]))
@example(cls=Latent, draw=0, unit=1.0, margin=1e-6)
@example(cls=MidLayer, draw=0, unit=1e-200, margin=1.0)
def test_contradictions_are_proven_whatever_their_margin(cls, draw, unit, margin):
    rng = np.random.default_rng(draw)
    n = int(rng.integers(1, 6))
    m = n + 1 + int(rng.integers(0, 4))
    C = rng.standard_normal((m, n))
    p = np.append(rng.uniform(0.5, 2, n + 1), np.zeros(m - n - 1))
    C[n] = -p[:n] @ C[:n] / p[n]  # C'p = 0 but for rounding
    if cls is MidLayer:
        C[:n, 0] += rng.exponential()  # one column need not be zero
    d = C @ rng.exponential(size=n)
    d -= p * (d @ p + margin * np.linalg.norm(d)) / (p @ p)  # d'p = -margin ||d||
    for wrong in (1.0, 1e9 ** rng.random()):  # other rows add nothing but rounding of p
        assert refutes(statement(cls, C, unit * d), wrong * p[None])[0]
    alone = np.eye(m)[:1]  # a false proof: one row, free x
    assert cls is MidLayer or not refutes(statement(cls, C, unit * d), alone)[0]


@pytest.mark.parametrize(
    ("C", "d", "p"),
    [
        ([[1.0], [-1.0]], [-1.0, 0.5], [1, 1]),
        ([[1.0, 2.0], [-1.0, -2.0]], [-1.0, 0.0], [1, 1]),  # columns that depend on each other
        ([[0.0, 0.0]], [-1.0], [1]),
        ([[3.0, 3.0], [-1.0, -1.0]], [-1.0, 0.1], [1, 3]),
    ],
)
@pytest.mark.parametrize("cls", CONSTRAINED)
def test_small_contradictions(cls, C, d, p):
    problem = statement(cls, np.array(C), np.array(d))
    proof = np.array([p], float)
    assert refutes(problem, proof)[0]
    assert not refutes(statement(cls, np.array(C), -np.array(d)), proof)[0]
    for bad in (np.nan, np.inf, -1.0, 0.0):
        assert not refutes(problem, np.full_like(proof, bad))[0]


@pytest.mark.parametrize(("margin", "error"), [(0.5, -1e-11), (1e-9, 1e-8), (1e-12, -1e-9)])
def test_an_inexact_proof_is_repaired_beside_entries_of_zero(margin, error):
    """x <= -1 and -x <= 1 - margin, y being free: what p lacks times x up to 1e12 is more."""
    C, d = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([-1.0, 1.0 - margin])
    assert refutes(statement(Latent, C, d), np.array([[1.0, 1.0 + error]])).all()


def test_columns_that_depend_on_each_other_leave_a_reach():
    """a + 3 b <= -1 and -(a + 3 b) <= 0: no a, b, but rounding of columns that depend on each other
    could hide a solution far out, and no p is repaired.
    """
    C, d = np.array([[1.0, 3.0], [-1.0, -3.0]]), np.array([-1.0, 0.0])
    problem = statement(Latent, C, d)
    assert refutes(problem, np.ones((1, 2))).all()
    assert not refutes(problem, np.array([[1.0, 1.0 - 1e-11]])).any()  # of 1e12 that is 10


def test_kinds_shapes_and_statements_without_inequalities():
    C, d = np.array([[1.0], [-1.0]]), np.array([-1.0, 0.5])
    problem, proof = statement(Latent, C, d), np.ones((1, 2))
    found = refutes(tensors(problem), torch.tensor(proof))
    assert isinstance(found, torch.Tensor)
    assert found.tolist() == [True]
    alone = refutes(Latent(C, np.zeros(2), bias=-d), proof[0])
    assert alone.ndim == 0
    assert alone
    batch = Latent(C, np.array([[0.0, 0.0], [1.0, 0.0], [np.nan, 0.0]]), bias=-d)
    np.testing.assert_array_equal(refutes(batch, np.ones((3, 2))), [True, False, False])
    assert not refutes(LastLayer(C, -np.ones((1, 2))), proof).any()
    assert not refutes(LastLayer(C, np.zeros((1, 2)), "tanh"), proof).any()
    assert not refutes(LinearProgram(C, np.zeros((1, 2)), bias=-d), proof).any()
    with pytest.raises(ValueError, match="proof: expected shape"):
        refutes(problem, np.ones((1, 3)))
    with pytest.raises(TypeError, match="proof"):
        refutes(problem, "a proof")
