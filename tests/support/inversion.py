"""Small generators with their signals, for what inverts them."""

import numpy as np

from tests.support.instances import generator

SIZES = (3, 16, 40, 80)


def small(phi="plu", count=6, noise=0.0, seed=0):
    """A generator, latent vectors, and their signals with noise."""
    rng = np.random.default_rng(seed)
    G = generator(SIZES, phi, biased=True)
    z = rng.standard_normal((count, SIZES[0]))
    return G, z, G(z) + noise * rng.standard_normal((count, SIZES[-1]))
