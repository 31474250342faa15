"""Statements made around their solution: x and its multipliers first, then data that make them
optimal.

Beside `cvxinv.testing.planted` for tests of how far a point is from its solution: here there is one
solution, columns and rows are of one size, and what is not zero is at least 0.1. Those of the
package are small whole numbers, with columns of zeros and rows of 2^-8: residuals in different
units differ by what factor they like beside such solutions.
"""

from dataclasses import dataclass

import numpy as np

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer

CLASSES = (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares)


@dataclass(frozen=True)
class Planted:
    """A statement of B signals, its one solution, the multipliers of its inequalities."""

    problem: object
    x: np.ndarray  # (B, n)
    eta: np.ndarray  # (B, m), zero off the inequalities


def planted(cls: type, rng: np.random.Generator, n: int = 5) -> Planted:
    """With every kind of entry and row: x_j > 0, x_j = 0 with and without a positive multiplier,
    rows that are active, and rows with slack. One signal where there are inequalities, which share
    their right-hand side, else three.

    The gradient r = A'theta - C'eta - gamma x is to be lam where x_j > 0, and at most lam where
    x_j = 0. A's last n rows are the identity, so that theta can make it so.
    """
    lam, gamma = {MidLayer: (0.3, 0.0), LastLayer: (0.2, 0.0), Latent: (0.0, 0.5)}.get(cls, (0, 0))
    B = 1 if cls in (MidLayer, Latent) else 3
    lam = rng.uniform(0.1, 0.5, (B, n)) if cls is BasisPursuit else lam
    signed, free = cls in (BasisPursuit, Latent, LeastSquares), cls in (Latent, LeastSquares)
    W = np.concatenate([rng.standard_normal((8, n)), np.eye(n)])
    m = len(W)
    S = np.ones((B, m), bool)
    if cls in (MidLayer, Latent):
        S[:, :8] = rng.random((B, 8)) < 0.5
    x = rng.uniform(0.5, 2, (B, n)) * (rng.choice([-1, 1], (B, n)) if signed else 1)
    x = x if free else np.where(rng.random((B, n)) < 0.4, 0.0, x)
    active = ~S & (rng.random((B, m)) < 0.5)
    eta = np.where(active, rng.uniform(0.1, 1, (B, m)), 0.0)
    slack = np.where(active | S, 0.0, rng.uniform(0.1, 1, (B, m)))

    r = lam * np.sign(x)
    inside = lam * (rng.choice([-1, 1], (B, n)) if signed else 1)
    share = rng.choice([0.0, 0.5, 1.0], (B, n))  # of lam; 1: the multiplier of x_j is zero as well
    r = np.where((x == 0) & (not free), share * inside, r)
    theta = np.where(S, rng.standard_normal((B, m)), 0.0)
    theta[:, 8:] = 0
    theta[:, 8:] = r + gamma * x - theta @ W + eta @ W

    t, d = x @ W.T + theta, x @ W.T + slack
    weight = {"gamma": gamma} if cls is Latent else {} if cls is LeastSquares else {"lam": lam}
    if cls in (MidLayer, Latent):
        return Planted(cls(W, np.where(S, t - d[0], 0.0), S, -d[0], **weight), x, eta)
    return Planted(cls(W, t, **weight), x, eta)
