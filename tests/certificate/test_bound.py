"""Bounds and gaps against exact optima, whatever the multipliers; weights in their own units."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import BasisPursuit, LastLayer, Latent, MidLayer, verify
from tests.support.instances import DATA, MASK
from validation import exact

WEIGHTED = (LastLayer, MidLayer, Latent, BasisPursuit)
DRAWS = st.integers(0, 2**32 - 1)
POWERS = st.integers(-9, 1)


def small(cls, draw, weight):
    """A statement of two signals in few columns, some of them dependent, and its exact answers."""
    rng = np.random.default_rng(draw)
    m, n = int(rng.integers(2, 6)), int(rng.integers(1, 5))
    W = np.round(4 * rng.standard_normal((m, n))) / 4
    if rng.random() < 0.5 and n > 1:
        W[:, 1] = W[:, 0] + 2.0 ** -rng.integers(2, 30) * np.round(4 * rng.standard_normal(m))
    data = np.round(8 * rng.standard_normal((2, m))) / 8
    options = {"W": W, DATA[cls]: data, "gamma" if cls is Latent else "lam": weight}
    if cls in (MidLayer, Latent):
        options[MASK[cls]] = rng.random((2, m)) < 0.6
        options["bias"] = -np.round(8 * rng.exponential(size=m)) / 8  # x = 0 is feasible
    problem = cls(**options)
    return problem, [exact.solve(s) for s in exact.signals(problem)], rng


@given(cls=st.sampled_from(WEIGHTED), draw=DRAWS, power=POWERS)
@example(cls=Latent, draw=0, power=-9)
@example(cls=MidLayer, draw=1, power=0)
@example(cls=BasisPursuit, draw=2, power=-9)
def test_bounds_and_accepted_points_against_exact_optima(cls, draw, power):
    problem, truths, rng = small(cls, draw, 10.0**power)
    signals = exact.signals(problem)
    best = np.array([[float(v) for v in truth.x] for truth in truths])
    noise = rng.standard_normal((2, problem.W.shape[0]))
    duals = [None]
    if cls in (MidLayer, Latent):
        duals += [s * noise for s in (1.0, 1e-12, 1e9, -1e300)]
    moved = best * (1 + 10.0 ** -rng.integers(2, 9) * rng.standard_normal(best.shape))
    for x in (best, moved, 0 * best, 2 * best, rng.standard_normal(best.shape)):
        for dual in duals:
            c = verify(problem, x, dual)
            for b, truth in enumerate(truths):
                value = max(truth.optimum, signals[b].objective(x[b]), Fraction(1, 10**9))
                lower = float(c.lower_bound[b])
                assert np.isnan(lower) == (
                    np.abs(dual).max() > 1e100 if dual is not None else False
                )
                assert np.isnan(lower) or Fraction(lower) <= truth.optimum + value / 10**14
                if c.optimal(1e-8)[b] and not signals[b].violation(x[b]):
                    excess = signals[b].objective(x[b]) - truth.optimum
                    t = Fraction(float(np.linalg.norm(problem.data[b]) ** 2) + 1)
                    assert excess <= 2 * Fraction(1, 10**8) * max(t, value)


@pytest.mark.parametrize("power", range(-12, 1))
def test_l1_weights_of_any_size_are_resolved(power):
    rng = np.random.default_rng(2)
    W = rng.standard_normal((24, 32))
    x = np.where(np.arange(32) < 3, 1.0, 0.0)
    A = W[:, :3]
    bounded = np.abs(W[:, 3:].T @ A @ np.linalg.solve(A.T @ A, np.ones(3)))
    assert bounded.max() < 0.99  # so that the support of x is that of the optimum
    lam = 10.0**power
    for problem in (BasisPursuit(W, W @ x, lam=lam), LastLayer(W, W @ np.abs(x), lam=lam)):
        shrunk = np.zeros(32)  # the optimum on the support of x, exactly: A'A (x* - x) = -lam
        shrunk[:3] = 1 - lam * np.linalg.solve(A.T @ A, np.ones(3))
        assert verify(problem, shrunk).optimal(1e-8)
        flat = np.linalg.svd(W)[2][24:]
        for size in (0.1, 0.5):
            other = shrunk + size * flat.sum(axis=0)
            other = np.abs(other) if isinstance(problem, LastLayer) else other
            assert not verify(problem, other).optimal(1e-8)


@pytest.mark.parametrize("power", range(-12, 1))
def test_a_ridge_of_any_size_is_resolved(power):
    rng = np.random.default_rng(1)
    W, z = rng.standard_normal((10, 20)), rng.standard_normal(20)
    gamma = 10.0**power
    data = np.abs(W @ z)
    problem = Latent(W, data, gamma=gamma)
    U, S, V = np.linalg.svd(W, full_matrices=False)
    best = ((U.T @ data) * S / (S * S + gamma)) @ V
    assert verify(problem, best).optimal(1e-8)
    flat = np.linalg.svd(W)[2][10]
    for share in (0.06, 0.5):
        other = best + share * np.linalg.norm(best) * flat
        assert not verify(problem, other).optimal(1e-8)
