"""The pursuits with `fast.solve`: exact on the shipped generator, clean and under both masks of the
paper, and the default backend.
"""

from functools import partial

import numpy as np
import pytest

import cvxinv
import fast
from cvxinv import Status
from tests.support.instances import generator
from tests.support.tolerances import FAST_SNR

COUNT = 32
FINE = {Status.OPTIMAL, Status.STATIONARY}


def seen(mask):
    """Which pixels are observed: all, a random 55 % of each signal, or the lower 15 of 28 rows."""
    order = np.random.default_rng(0).random((COUNT, 784)).argsort(axis=1)
    return {"clean": None, "random": order >= 0.45 * 784, "upper": np.arange(784) >= 13 * 28}[mask]


def determined(G, count=COUNT):
    """Latent vectors whose layers determine one another by least squares too: more active rows than
    columns, with some to spare.
    """
    z = np.random.default_rng(0).standard_normal((8 * count, G.sizes[0]))
    z = z[
        np.all(
            [S.sum(axis=1) > 1.1 * n for S, n in zip(G.supports(z), G.sizes, strict=False)], axis=0
        )
    ][:count]
    assert len(z) == count
    return z


def exact(G, z, inv):
    snr = cvxinv.snr(z, inv.z)
    assert (snr >= FAST_SNR).all(), np.sort(snr)[:3]
    assert set(inv.status) <= FINE
    for S, S_hat in zip(G.supports(z), inv.supports, strict=True):
        np.testing.assert_array_equal(S_hat, S)


@pytest.mark.slow
@pytest.mark.parametrize("debias", [False, True])
@pytest.mark.parametrize("mask", ["clean", "random", "upper"])
def test_latent_pursuit_is_exact_on_every_signal(mask, debias):
    G = cvxinv.mnist_generator()
    z = np.random.default_rng(0).standard_normal((COUNT, 20))
    exact(
        G, z, cvxinv.latent_pursuit(G, G(z), solve=fast.solve, observed=seen(mask), debias=debias)
    )


@pytest.mark.slow
@pytest.mark.parametrize("debias", [False, True])
@pytest.mark.parametrize("mask", ["clean", "random", "upper"])
def test_layered_basis_pursuit_is_exact_where_least_squares_is(mask, debias):
    G = cvxinv.mnist_generator()
    z = determined(G)
    exact(
        G,
        z,
        cvxinv.layered_basis_pursuit(G, G(z), solve=fast.solve, observed=seen(mask), debias=debias),
    )


@pytest.mark.slow
@pytest.mark.parametrize("mask", ["clean", "random", "upper"])
def test_the_oracle_is_exact(mask):
    G = cvxinv.mnist_generator()
    z = np.random.default_rng(0).standard_normal((COUNT, 20))
    exact(G, z, cvxinv.oracle(G, G(z), G.supports(z), observed=seen(mask), solve=fast.solve))


def test_fast_is_the_default_backend(monkeypatch):
    G = cvxinv.mnist_generator()
    z = determined(G, 2)
    runs = [
        cvxinv.latent_pursuit,
        cvxinv.layered_basis_pursuit,
        partial(cvxinv.oracle, supports=G.supports(z)),
    ]
    for run in runs:
        problems, solve = [], fast.solve

        def spy(problem, solve=solve, problems=problems):
            problems.append(problem)
            return solve(problem)

        with monkeypatch.context() as patch:
            patch.setattr(fast, "solve", spy)
            found = run(G, G(z))
        assert len(problems) == G.depth + 1
        np.testing.assert_array_equal(found.z, run(G, G(z), solve=solve).z)


@pytest.mark.parametrize("phi", ["identity", "tanh", "plu", "leaky_relu"])
def test_the_papers_own_algorithms_are_exact_too(phi):
    """Algorithms 5 and 2 as printed, far enough: zeros whose multiplier is zero are told from
    nonzeros by the accuracy of x alone.
    """
    G = generator((4, 12, 40, 100), phi, biased=True)
    z = determined(G, 6)
    printed = partial(fast.solve, method="linearized_admm", rho=1e-2, tol=1e-10, restart=True)
    exact(G, z, cvxinv.latent_pursuit(G, G(z), solve=printed))
