"""Eq. 1 near a solution: generators, latent vectors, their signals and starts nearby."""

import numpy as np

from tests.support.instances import generator

ACTIVATIONS = ("identity", "tanh", "sigmoid", "plu", "leaky_relu")
SIZES = (3, 12, 30, 60)


def case(phi="identity", count=6, biased=True, distance=0.05, sizes=SIZES):
    """A generator, latent vectors that their signals determine, the signals, and starts nearby."""
    rng = np.random.default_rng(0)
    G = generator(sizes, phi, biased=biased)
    z = rng.standard_normal((500, sizes[0]))
    z = z[G.supports(z)[0].sum(axis=1) > sizes[0] + 1][:count]
    assert len(z) == count
    return G, z, G(z), z + distance * rng.standard_normal(z.shape)


def random_mask(shape, hidden=0.2, seed=0):
    return np.random.default_rng(seed).random(shape) >= hidden
