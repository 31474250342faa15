"""`fast.solve(accuracy=..)`: no further than the signals are known, and float32 is such a case."""

import numpy as np
import pytest

import fast
from cvxinv import Status
from cvxinv.problems import LastLayer, MidLayer
from tests.support.tolerances import KKT


def layer(cls, noise, seed=0, B=20):
    """Signals of a random layer, their entries moved by `noise`, relative."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((60, 20)) / 8
    x = np.maximum(rng.standard_normal((B, 20)), 0.0)
    y = x @ W.T
    if cls is MidLayer:
        return cls(W, np.maximum(y, 0.0) * (1 + noise * rng.standard_normal(y.shape))), x
    return cls(W, y * (1 + noise * rng.standard_normal(y.shape))), x


@pytest.mark.parametrize("accuracy", [0.0, 1e-13, 1e-10, 1e-6, 1.0])
@pytest.mark.parametrize("cls", [LastLayer, MidLayer])
def test_what_is_proven_stays_proven(cls, accuracy):
    problem, x = layer(cls, noise=1e-10)
    found = fast.solve(problem, accuracy=accuracy)
    assert all(s is Status.OPTIMAL for s in found.status)
    assert (found.certificate.kkt <= KKT).all()
    size = np.linalg.norm(x, axis=1)
    assert (np.linalg.norm(found.x - x, axis=1) <= 1e-6 * size).all()


def test_it_ends_sooner():
    problem, _ = layer(MidLayer, noise=1e-10)
    exact, rough = fast.solve(problem), fast.solve(problem, accuracy=1e-9)
    assert rough.iterations.sum() < exact.iterations.sum()


@pytest.mark.parametrize("bad", [-1.0, np.nan, "high"])
def test_the_argument_is_named(bad):
    problem, _ = layer(LastLayer, 0.0)
    with pytest.raises((ValueError, TypeError), match="accuracy"):
        fast.solve(problem, accuracy=bad)
