"""Signals without noise: least squares alone, and signals that only look like that."""

import numpy as np
import pytest
from scipy.optimize import nnls

import fast
from cvxinv import LastLayer, MidLayer, Status, reference
from tests.support.engines import engine  # noqa: F401
from tests.support.tolerances import ALONE

COUNT = 24


def data(m=120, n=60, count=COUNT, seed=0, density=0.5):
    """W (m, n), bias, and x >= 0 (count, n) with zeros."""
    rng = np.random.default_rng(seed)
    W, b = rng.standard_normal((m, n)) / np.sqrt(m), 0.1 * rng.standard_normal(m)
    return W, b, np.abs(rng.standard_normal((count, n))) * (rng.random((count, n)) < density)


def masks(m, count, seed=1):
    rng = np.random.default_rng(seed)
    return {
        "all": None,
        "shared": np.arange(m) >= m // 4,
        "per signal": rng.random((count, m)) < 0.8,
    }


@pytest.mark.parametrize("seen", ["all", "shared", "per signal"])
def test_last_layers_without_noise_are_solved_to_rounding(seen):
    W, b, x = data()
    sol = fast.solve(LastLayer(W, x @ W.T + b, bias=b, observed=masks(len(W), COUNT)[seen]))
    assert (sol.status == Status.OPTIMAL).all()
    np.testing.assert_allclose(sol.x, x, atol=1e-13)
    assert (sol.support == (x > 0)).all()


@pytest.mark.parametrize("shape", [(120, 60), (400, 130)])
def test_midlayers_without_noise_are_solved_to_rounding(shape):
    W, b, x = data(*shape)
    target = np.maximum(x @ W.T + b, 0)
    known = (target > 0).sum(axis=1) > shape[1]  # where the fitted rows determine x
    assert known.sum() > COUNT / 4
    sol = fast.solve(MidLayer(W, target, bias=b))
    assert (sol.status == Status.OPTIMAL).all()
    np.testing.assert_allclose(sol.x[known], x[known], atol=1e-11)


@pytest.mark.parametrize("seen", ["all", "shared", "per signal"])
def test_an_exact_fit_that_is_negative_is_no_solution(seen):
    W, _, x = data()
    x[:, 0] = -1e-4 * np.abs(x).max(axis=1)
    y, observed = x @ W.T, masks(len(W), COUNT)[seen]
    sol = fast.solve(LastLayer(W, y, observed=observed))
    rows = np.broadcast_to(True if observed is None else observed, y.shape)
    expected = np.stack([nnls(W[r], t[r])[0] for t, r in zip(y, rows, strict=True)])
    assert (sol.status == Status.OPTIMAL).all()
    assert (sol.x[:, 0] == 0).all()
    np.testing.assert_allclose(sol.x, expected, atol=1e-8)


def test_an_exact_fit_that_breaks_inequalities_is_no_solution():
    W, b, x = data(120, 40)
    b[90:] = -0.05
    support = np.broadcast_to(np.arange(120) < 90, (COUNT, 120))
    problem = MidLayer(W, np.where(support, x @ W.T + b, 0), support, bias=b)
    assert ((x @ W.T + b)[:, 90:].max(axis=1) > 0.05).all()
    sol, best = fast.solve(problem), reference.solve(problem)
    assert (sol.status == Status.OPTIMAL).all()
    assert (best.status == Status.OPTIMAL).all()
    np.testing.assert_allclose(sol.certificate.objective, best.certificate.objective, rtol=1e-6)
    assert (sol.certificate.objective > 1e-6).all()


@pytest.mark.parametrize("noise", [1e-12, 1e-8, 1e-4, 1e-2])
@pytest.mark.parametrize("seen", ["all", "per signal"])
def test_a_little_noise_is_solved_too(noise, seen):
    W, _, x = data(seed=3)
    y = x @ W.T + noise * np.random.default_rng(4).standard_normal((COUNT, len(W)))
    sol = fast.solve(LastLayer(W, y, observed=masks(len(W), COUNT)[seen]))
    assert (sol.status == Status.OPTIMAL).all()
    assert (sol.certificate.kkt < 1e-9).all()


@pytest.mark.parametrize("seen", ["all", "per signal"])
def test_columns_that_depend_on_each_other(seen):
    W, _, x = data()
    W[:, 1], W[:, 3] = W[:, 0], 0.0
    sol = fast.solve(LastLayer(W, x @ W.T, observed=masks(len(W), COUNT)[seen]))
    assert (sol.status == Status.OPTIMAL).all()
    np.testing.assert_allclose(sol.x @ W.T, x @ W.T, atol=1e-7)


@pytest.mark.parametrize("seen", ["all", "per signal"])
def test_companions_with_noise_change_nothing(seen):
    W, _, x = data()
    y, observed = x @ W.T, masks(len(W), COUNT)[seen]
    y[::2] += 1e-2 * np.random.default_rng(5).standard_normal(y[::2].shape)
    together = fast.solve(LastLayer(W, y, observed=observed))
    for b in range(6):
        alone = fast.solve(
            LastLayer(
                W, y[b : b + 1], observed=observed if observed is None else observed[b : b + 1]
            )
        )
        assert np.linalg.norm(alone.x - together.x[b]) <= ALONE * np.linalg.norm(x[b])
