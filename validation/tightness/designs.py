"""Generators of low coherence, on which the conditions of Theorem 3 really hold with s > 1, and
noise that aims at its bounds.

Pairs of opposite rows, W_i = [Q; -Q], keep exactly one row of each pair: W_i^S is Q up to signs
whatever x_i is, so that the coherence of the rows kept can be designed. Where only the last layer
matters, W_0 = I makes any sparse x_1 reachable.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.linalg import hadamard

from cvxinv import Generator
from cvxinv.guarantees import mutual_coherence

Matrix = Any  # a NumPy array
NOISES = ("sphere", "column", "bias", "outside")


@dataclass(frozen=True)
class Design:
    """A generator, how to draw latent vectors for it, and the noise levels at which its conditions
    hold.
    """

    name: str
    G: Generator
    draw: Callable[[int, np.random.Generator], Matrix]
    noises: tuple[float, ...]


def noise(kind: str, design: Design, z: Matrix, eps: float, rng: np.random.Generator) -> Matrix:
    """Noise of norm eps for each signal: at random, or aimed at one random column of W_L.

    "sphere": uniform on the sphere; "column": along a column, as lam must bear; "bias": along a row
    of the pseudo-inverse of the true columns, where the least-squares error adds to the bias of
    lam; "outside": along what a column off the support has of its own.
    """
    W, S = design.G.weights[-1], design.G.supports(z)[-1]
    e = rng.standard_normal((len(z), len(W)))
    for b, s in enumerate(S):
        on, off = np.flatnonzero(s), np.flatnonzero(~s)
        if kind == "column":
            e[b] = rng.choice([-1, 1]) * W[:, rng.integers(W.shape[1])]
        elif kind == "bias" and len(on):
            e[b] = -np.linalg.pinv(W[:, on])[rng.integers(len(on))]
        elif kind == "outside" and len(off):
            w = W[:, rng.choice(off)]
            fit = W[:, on] @ np.linalg.lstsq(W[:, on], w, rcond=None)[0]
            e[b] = rng.choice([-1, 1]) * (w - fit)
    return eps * e / np.linalg.norm(e, axis=1, keepdims=True)


# -- matrices --------------------------------------------------------------------------------------


def orthonormal(m: int, n: int, rng: np.random.Generator) -> Matrix:
    """Q (m, n) with orthonormal columns."""
    return np.linalg.qr(rng.standard_normal((m, n)))[0]


def perturbed(m: int, n: int, s: int, rng: np.random.Generator, share: float = 0.95) -> Matrix:
    """Orthonormal columns, perturbed until mu is `share` of the 1 / (3 s) that the theorem allows
    (bisection).
    """
    Q, E = orthonormal(m, n, rng), rng.standard_normal((m, n)) / np.sqrt(m)
    low, high = 0.0, 1.0
    for _ in range(40):
        size = (low + high) / 2
        allowed = mutual_coherence(Q + size * E) < share / (3 * s)
        low, high = (size, high) if allowed else (low, size)
    return Q + low * E


def simplex(n: int, rng: np.random.Generator) -> Matrix:
    """n + 1 equiangular unit vectors in R^n, pairwise cosine -1/n: the widest frame of so low a
    coherence, turned at random.
    """
    corners = np.eye(n + 1) - 1 / (n + 1)
    basis = np.linalg.svd(corners)[0][:, :n]
    unit = (basis.T @ corners) / np.linalg.norm(basis.T @ corners, axis=0)
    return orthonormal(n, n, rng) @ unit


def scaled(W: Matrix, spread: float, rng: np.random.Generator) -> Matrix:
    """The columns of W times factors from 1/spread to spread."""
    return W * spread ** rng.uniform(-1, 1, W.shape[1])


def pairs(Q: Matrix) -> Matrix:
    """[Q; -Q]."""
    return np.concatenate([Q, -Q])


# -- designs ---------------------------------------------------------------------------------------


def paired(
    name: str,
    m: tuple[int, ...],
    n_0: int,
    phi: str,
    spread: float,
    noises: tuple[float, ...],
    seed: int = 0,
) -> Design:
    """W_i = [Q_i; -Q_i] with s_1 = m_1, .., s_L = m_L, and W_L of perturbed orthonormal columns,
    all as coherent as allowed.
    """
    rng = np.random.default_rng(seed)
    weights = [pairs(orthonormal(m[0], n_0, rng) + 0.2 * rng.standard_normal((m[0], n_0)))]
    weights += [
        pairs(scaled(perturbed(rows, 2 * s, s, rng), spread, rng)) for s, rows in pairwise(m)
    ]
    weights.append(scaled(perturbed(2 * m[-1] + 4, 2 * m[-1], m[-1], rng), spread, rng))
    G = Generator(weights, None, phi)

    def draw(count: int, rng: np.random.Generator) -> Matrix:
        z = 0.3 * rng.standard_normal((40 * count, n_0))
        least = np.min([np.where(x > 0, x, np.inf).min(axis=1) for x in G.layers(z)], axis=0)
        return z[np.argsort(-least)[:count]]

    return Design(name, G, draw, noises)


def flat(name: str, noises: tuple[float, ...]) -> Design:
    """W_1 = [Q; -Q] of entries of one size: it stays incoherent when a few of its rows are lost, so
    small entries of x_2 may be missed.
    """
    rng = np.random.default_rng(2)
    Q = hadamard(32)[:, :4] / np.sqrt(32)
    weights = [
        pairs(orthonormal(2, 1, rng) + 0.2),
        pairs(Q),
        scaled(perturbed(70, 64, 32, rng, 0.5), 2.0, rng),
    ]

    def draw(count: int, rng: np.random.Generator) -> Matrix:
        return rng.choice([-1, 1], (count, 1)) * rng.uniform(0.5, 2, (count, 1))

    return Design(name, Generator(weights), draw, noises)


def single(
    name: str, W: Matrix, s: tuple[int, int], noises: tuple[float, ...], phi: str = "identity"
) -> Design:
    """One hidden layer that can be anything (W_0 = I): x_1 with s[0] .. s[1] nonzeros of sizes from
    0.1 to 10 over their column's norm.
    """
    n, norms = W.shape[1], np.linalg.norm(W, axis=0)

    def draw(count: int, rng: np.random.Generator) -> Matrix:
        rank = np.argsort(rng.random((count, n)), axis=1).argsort(axis=1)
        x = 10 ** rng.uniform(-1, 1, (count, n)) / norms
        return np.where(rank < rng.integers(s[0], s[1] + 1, (count, 1)), x, -x)

    return Design(name, Generator([np.eye(n), W], None, phi), draw, noises)


def designs() -> list[Design]:
    """The designs of the tests and of `validation.tightness`."""
    rng = np.random.default_rng(0)
    narrow = np.concatenate([np.eye(64), hadamard(64)[:, :32] / 8], axis=1)
    wide = np.concatenate([np.eye(256), hadamard(256)[:, :32] / 16], axis=1)
    return [
        paired("perturbed, L = 1", (4,), 3, "identity", 3.0, (1e-3, 1e-1)),
        paired("perturbed, L = 2", (4, 8), 3, "plu", 1.5, (1e-5, 1e-3)),
        paired("perturbed, L = 3", (4, 8, 16), 3, "tanh", 1.2, (1e-8, 1e-6)),
        flat("flat, L = 2", (1e-3, 3e-2)),
        single("simplex, s <= 5", scaled(simplex(16, rng), 10.0, rng), (1, 5), (1e-3, 0.3)),
        single("simplex, s <= 19", simplex(60, rng), (8, 19), (1e-3, 0.3)),
        single("identity and Hadamard, 64 x 96", scaled(narrow, 10.0, rng), (1, 2), (1e-3, 0.3)),
        single("identity and Hadamard, 256 x 288", scaled(wide, 10.0, rng), (2, 5), (1e-3, 0.3)),
        single(
            "Gaussian, 1500 x 16",
            scaled(rng.standard_normal((1500, 16)), 30.0, rng),
            (2, 4),
            (1e-2, 3.0),
        ),
    ]
