"""Layers of generators at work: the pursuits' statements, and eq. 5 with a nonlinear phi."""

import numpy as np

from cvxinv import (
    BasisPursuit,
    Generator,
    LastLayer,
    Latent,
    LeastSquares,
    MidLayer,
    activations,
)

ACTIVATIONS = ("tanh", "sigmoid", "plu", "leaky_relu")


def layers(G: Generator, count: int, noise: float = 0.0, seed: int = 0) -> list:
    """The statements of the pursuits at the true layers of `count` signals that are determined by
    their layers, with noise.
    """
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((8 * count, G.sizes[0]))
    enough = [S.sum(axis=1) > 1.2 * n for S, n in zip(G.supports(z), G.sizes, strict=False)]
    z = z[np.all(enough, axis=0)][:count]
    assert len(z) == count

    def noisy(x):
        return x + noise * rng.standard_normal(x.shape)

    W, b, x, S = G.weights, [G.bias(i) for i in range(G.depth + 1)], G.layers(z), G.supports(z)
    y = noisy(G.activation.inverse(G(z)))
    middle = [
        MidLayer(W[i], np.where(S[i], np.maximum(noisy(x[i]), 0), 0), S[i], b[i])
        for i in range(G.depth - 1, 0, -1)
    ]
    return [
        LastLayer(W[-1], y, bias=b[-1]),
        *middle,
        Latent(W[0], np.where(S[0], noisy(x[0]), 0), S[0], b[0]),
        BasisPursuit(W[-1], y, bias=b[-1], lam=noise),
        LeastSquares(W[0], noisy(x[0]), S[0], bias=b[0]),
    ]


def nonconvex(
    phi: str,
    masked: str = "all",
    noise: float = 0.0,
    lam: float = 0.0,
    biased: bool = True,
    count: int = 6,
    shape: tuple[int, int] = (60, 20),
    seed: int = 0,
) -> tuple[LastLayer, np.ndarray]:
    """A last layer with a nonlinear phi, and the x >= 0 that its signals were made of; all
    pixels are seen, or some by all signals ("shared"), or some by "each".
    """
    rng = np.random.default_rng([ACTIVATIONS.index(phi), seed])
    m, n = shape
    W = rng.standard_normal(shape) / np.sqrt(n)
    bias = 0.2 * rng.standard_normal(m) if biased else None
    x = np.maximum(rng.standard_normal((count, n)), 0)
    clean = activations.activation(phi)(x @ W.T + (bias if biased else 0))
    shared, each = rng.random(m) < 0.7, rng.random((count, m)) < 0.7
    seen = {"all": None, "shared": shared, "each": each}[masked]
    y = clean + noise * rng.standard_normal(clean.shape)
    return LastLayer(W, y if seen is None else np.where(seen, y, np.nan), phi, bias, lam, seen), x
