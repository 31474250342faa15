"""What makes the same signals has the same inversions: z turned, hidden units in other units or in
another order.
"""

import numpy as np
import pytest

import cvxinv
from cvxinv import Generator, Status
from tests.support.instances import generator
from tests.support.symmetries import SYMMETRIES, homogeneity
from tests.support.tolerances import FAST_SNR

PURSUITS = (cvxinv.latent_pursuit, cvxinv.layered_basis_pursuit, cvxinv.invert)


def recoverable(G, count=6):
    """Latent vectors whose every layer is determined by the next, with rows to spare."""
    z = np.random.default_rng(0).standard_normal((400, G.sizes[0]))
    enough = [S.sum(axis=1) > 1.2 * n for S, n in zip(G.supports(z), G.sizes, strict=False)]
    z = z[np.all(enough, axis=0)][:count]
    assert len(z) == count
    return z


@pytest.mark.parametrize("symmetry", SYMMETRIES)
@pytest.mark.parametrize("phi", ["identity", "plu", "tanh"])
@pytest.mark.parametrize("run", PURSUITS)
@pytest.mark.parametrize("seed", [0, 1])
def test_without_noise_the_same_z_comes_back(run, phi, symmetry, seed):
    G = generator((4, 12, 40, 100), phi, biased=True)
    z = recoverable(G)
    same = symmetry(G, np.random.default_rng(seed))
    inv, other = run(G, G(z)), run(same.other, G(z))
    assert cvxinv.snr(same.latent(z), other.z).min() > FAST_SNR
    assert cvxinv.snr(same.latent(inv.z), other.z).min() > FAST_SNR
    assert list(inv.status) == list(other.status)
    for i, (x, found) in enumerate(zip(inv.layers, other.layers, strict=True), start=1):
        assert cvxinv.snr(same.layer(i, x), found).min() > FAST_SNR


def rescaled(G, span, seed=0):
    """`G` with each hidden unit in a unit of its own, up to 10^span times larger or smaller."""
    rng = np.random.default_rng(seed)
    c = [10 ** rng.uniform(-span, span, n) for n in G.sizes]
    c[0][:] = c[-1][:] = 1.0
    W = [c[i + 1][:, None] * W / c[i] for i, W in enumerate(G.weights)]
    return Generator(W, [c[i + 1] * b for i, b in enumerate(G.biases)], G.activation)


@pytest.mark.parametrize("symmetry", [homogeneity, rescaled])
def test_with_noise_units_of_hidden_numbers_are_no_matter(symmetry):
    """One hidden layer and the identity, where nothing is cut short: z itself. It moved by its
    norm and more before rows were weighted.
    """
    G = generator((4, 30, 100), biased=True)
    rng = np.random.default_rng(0)
    other = rescaled(G, 1.0) if symmetry is rescaled else homogeneity(G, rng).other
    z = rng.standard_normal((20, 4))
    for sigma in (0.01, 0.1):
        y = G(z) + sigma * rng.standard_normal((20, 100))
        found, expected = (cvxinv.noisy_pursuit(g, y, noise=sigma).z for g in (other, G))
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_with_noise_the_shipped_generator_in_other_units_is_inverted_as_well():
    """Deep and with PLU some iterations are cut short, so z moves; it gets no worse."""
    G = cvxinv.mnist_generator()
    rng = np.random.default_rng(0)
    z = rng.standard_normal((48, 20))
    y = G(z) + 0.01 * rng.standard_normal((48, 784))
    snr, in_other_units = (
        np.median(cvxinv.snr(z, cvxinv.noisy_pursuit(g, y, noise=0.01).z))
        for g in (G, rescaled(G, 1.0))
    )
    assert in_other_units > snr - 0.7  # dB


def test_statuses_of_what_is_not_identifiable_are_the_same():
    G = generator((6, 10, 40), biased=True)
    z = np.random.default_rng(0).standard_normal((30, 6))
    expected = cvxinv.latent_pursuit(G, G(z)).status
    assert {Status.OPTIMAL, Status.NOT_IDENTIFIABLE} == set(expected)
    for symmetry in SYMMETRIES:
        same = symmetry(G, np.random.default_rng(0))
        assert list(cvxinv.latent_pursuit(same.other, G(z)).status) == list(expected)
