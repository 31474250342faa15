"""Exact answers against closed forms, brute force in floats, and where floats get lost."""

from fractions import Fraction
from itertools import chain, combinations

import numpy as np
import pytest

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer
from validation import exact, lemke


def truth(problem):
    (signal,) = exact.signals(problem)
    return signal, exact.solve(signal)


def subsets(n):
    return chain.from_iterable(combinations(range(n), k) for k in range(n + 1))


def test_soft_thresholding_column_by_column():
    d, t, lam = [3.0, 0.1, 2.0, 0.0], [1.0, -7.0, 0.5, 4.0], [0.25, 0.5, 2.0, 1.0]
    _, found = truth(BasisPursuit(np.diag(d), np.array(t), lam=np.array(lam)))
    D, T, L = map(exact.rationals, (d, t, lam))
    shrunk = [
        max(abs(a * b) - c, 0) * (1 if b > 0 else -1) for a, b, c in zip(D, T, L, strict=True)
    ]
    assert found.x == [x / a**2 if a else 0 for x, a in zip(shrunk, D, strict=True)]


def test_a_mean_and_a_ridge():
    _, found = truth(LeastSquares(np.ones((3, 1)), np.array([1.0, 2.0, 4.0])))
    assert found.x == [Fraction(7, 3)]
    assert found.optimum == Fraction(7, 3)  # 1/2 (21 - 49 / 3)
    _, found = truth(Latent(np.ones((2, 1)), np.array([1.0, 2.0]), gamma=1.0))
    assert found.x == [1]


def test_multipliers_of_an_active_row():
    _, found = truth(
        MidLayer(np.array([[1.0], [2.0]]), np.array([3.0, 0.0]), bias=np.array([0.0, -1.0]))
    )
    assert found.x == [Fraction(1, 2)]
    assert found.eta == [Fraction(5, 4)]


def test_contradictions_come_with_a_proof():
    W, bias = np.array([[1.0, 1.0], [-1.0, -1.0]]), np.array([1.0, 1.0])  # z1 + z2 <= -1 and >= 1
    signal, found = truth(Latent(W, np.zeros(2), bias=bias))
    assert not found.feasible
    assert signal.refuted(found.farkas)
    assert not signal.refuted([Fraction(1), Fraction(2)])


def test_feasible_only_far_out():
    e = 1e-10
    W = np.array([[1.0, -1.0], [-1.0, 1 + e], [1.0, 0.0]])
    signal, found = truth(Latent(W, np.array([0.0, 0.0, 1.0]), bias=np.array([1.0, 1.0, 0.0])))
    assert found.feasible
    assert signal.violation(found.x) == 0
    assert found.x[0] < -1e10


@pytest.mark.parametrize("nonnegative", [True, False])
def test_unbounded_sets_of_minimisers_and_columns_of_zeros(nonnegative):
    W, t = np.array([[1.0, -1.0, 0.0], [2.0, -2.0, 0.0]]), np.array([0.0, 5.0])
    signal, found = truth(LastLayer(W, t) if nonnegative else LeastSquares(W, t))
    assert found.optimum == Fraction(5, 2)
    x = [Fraction(1000) + 2, Fraction(1000), Fraction(7)]
    assert signal.objective(x) == found.optimum
    assert signal.optimal(x, [])
    assert signal.optimal(x[:2] + [-x[2]], []) is not nonnegative


def test_nothing_at_all():
    for rows in (np.zeros(2, dtype=bool), np.ones(2, dtype=bool)):
        assert truth(LeastSquares(np.zeros((2, 3)), np.zeros(2), rows=rows))[1].optimum == 0
    assert truth(LeastSquares(np.ones((2, 1)), np.ones(2), columns=np.array([False])))[1].x == [0]


def test_signals_that_are_not_finite():
    y, seen = np.array([[1.0, np.nan], [np.inf, 2.0]]), np.array([True, False])
    first, second = exact.signals(LastLayer(np.eye(2), y, observed=seen))
    assert first is not None
    assert second is None


def test_objective_and_violation_are_exact():
    W, bias = np.array([[1.0, 0.1], [1.0, -1.0]]), np.array([0.0, -0.1])
    signal, _ = truth(MidLayer(W, np.array([0.3, 0.0]), bias=bias, lam=0.2))
    a, b, t, lam = map(Fraction, (0.1, 0.1, 0.3, 0.2))
    assert signal.objective([2.0, -1.0]) == (2 - a - t) ** 2 / 2 + lam * 3
    assert signal.violation([2.0, -1.0]) == 3 - b


@pytest.mark.parametrize("k", [-40, 30])
def test_scaling_a_signal_by_a_power_of_two_scales_its_answer(k):
    rng = np.random.default_rng(0)
    W, t, bias = rng.standard_normal((5, 4)), rng.standard_normal(5), rng.standard_normal(5)
    one, other = (truth(MidLayer(W, s * t, t > 0, s * bias, lam=0.1 * s))[1] for s in (1.0, 2.0**k))
    assert one.feasible
    assert other.optimum == one.optimum * Fraction(2) ** (2 * k)
    assert other.x == [v * Fraction(2) ** k for v in one.x]


def brute(signal, n):
    """The least objective over all faces, in floats: each face's own KKT system."""
    A, C = (np.array(a, float).reshape(-1, n) for a in (signal.A, signal.C))
    t, d, lam = (np.array(a, float) for a in (signal.t, signal.d, signal.lam))
    signs = [(0, 1)] if signal.nonnegative else [(0, 1, -1)]
    best = np.inf
    for pattern in np.array(np.meshgrid(*signs * n)).reshape(n, -1).T:
        for active in map(list, subsets(len(C))):
            J = np.flatnonzero(pattern)
            H = A[:, J].T @ A[:, J] + float(signal.gamma) * np.eye(len(J))
            E = C[np.ix_(active, J)]
            K = np.block([[H, E.T], [E, np.zeros((len(E), len(E)))]])
            right = np.concatenate([A[:, J].T @ t - (pattern * lam)[J], d[active]])
            x = np.zeros(n)
            x[J] = np.linalg.lstsq(K, right, rcond=None)[0][: len(J)]
            feasible = (C @ x <= d + 1e-9).all() and (not signal.nonnegative or (x >= -1e-9).all())
            if feasible:
                misfit = A @ x - t
                value = misfit @ misfit / 2 + lam @ np.abs(x) + float(signal.gamma) * x @ x / 2
                best = min(best, value)
    return best


@pytest.mark.parametrize("cls", [LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares])
def test_the_optimum_is_that_of_brute_force(cls):
    rng = np.random.default_rng(0)
    weights = {LeastSquares: {}, Latent: {"gamma": 0.5}}
    feasible = 0
    for k in range(12):
        m, n = rng.integers(2, 5), rng.integers(1, 4)
        W, t = rng.integers(-2, 3, (m, n)) + 0.0, rng.integers(-2, 3, m) + 0.0
        bias = rng.integers(-1, 2, m) + 0.0
        weight = weights.get(cls, {"lam": 0.5}) if k % 3 else {}
        signal, found = truth(cls(W, t, bias=bias, **weight))
        least = brute(signal, n)
        assert found.feasible == np.isfinite(least)
        if found.feasible:
            assert float(found.optimum) == pytest.approx(least, abs=1e-8)
            feasible += 1
    assert feasible >= 6


def test_lemke_solves_a_small_problem_and_finds_a_ray():
    z, ray = lemke.solve(np.array([[2, 1], [1, 2]], dtype=object), np.array([-5, -6], dtype=object))
    assert ray is None
    assert z == [Fraction(4, 3), Fraction(7, 3)]
    z, ray = lemke.solve(np.array([[0, 1], [-1, 0]], dtype=object), np.array([0, -1], dtype=object))
    assert ray == [0, 1]
