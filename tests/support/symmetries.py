"""What changes a generator and leaves its signals as they are: each returns the other generator and
what its latent vectors and layers are instead.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cvxinv import Generator


@dataclass(frozen=True)
class Symmetry:
    """G and `G_other` make the same signals: of z, and of latent(z)."""

    other: Generator
    latent: Callable
    layer: Callable  # (i, x_i) -> x_i of the other, i = 1 .. L


def rotation(G: Generator, rng: np.random.Generator) -> Symmetry:
    """z turned by an orthogonal Q: W_0 Q' instead of W_0."""
    n_0 = G.sizes[0]
    Q = np.linalg.qr(rng.standard_normal((n_0, n_0)))[0].astype(G.weights[0].dtype)
    first, *others = G.weights
    other = Generator([first @ Q.T, *others], G.biases, G.activation)
    return Symmetry(other, lambda z: z @ Q.T, lambda i, x: x)


def homogeneity(G: Generator, rng: np.random.Generator) -> Symmetry:
    """Unit j of layer i times c_j > 0, and divided by it again: ReLU(c t) = c ReLU(t). Powers of 2,
    so that nothing is rounded.
    """
    dtype = G.weights[0].dtype
    c = [2.0 ** rng.integers(-3, 4, n).astype(dtype) for n in G.sizes]
    c[0][:] = c[-1][:] = 1  # z and the signal keep their units
    W = [c[i + 1][:, None] * W / c[i] for i, W in enumerate(G.weights)]
    b = None if G.biases is None else [c[i + 1] * b for i, b in enumerate(G.biases)]
    return Symmetry(Generator(W, b, G.activation), lambda z: z, lambda i, x: c[i] * x)


def permutation(G: Generator, rng: np.random.Generator) -> Symmetry:
    """The units of each hidden layer in another order."""
    order = [rng.permutation(n) for n in G.sizes]
    order[0].sort()
    order[-1].sort()
    W = [W[order[i + 1]][:, order[i]] for i, W in enumerate(G.weights)]
    b = None if G.biases is None else [b[order[i + 1]] for i, b in enumerate(G.biases)]
    other = Generator(W, b, G.activation)
    return Symmetry(other, lambda z: z, lambda i, x: x[..., order[i]])


SYMMETRIES = (rotation, homogeneity, permutation)
