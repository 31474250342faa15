"""Instances of what `cvxinv.newton` solves."""

import numpy as np

from cvxinv import newton
from cvxinv.problems import Quadratic


def random_scaled(seed: int, B: int = 8, m: int = 12, n: int = 6, rank: int = 6) -> newton.Scaled:
    """(Q) with unit columns, some of them signed, and C x <= d with d >= 0, so that x = 0 satisfies
    it.
    """
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
    rows = rng.random((B, m)) < 0.6
    off = ~rows & (rng.random((B, m)) < 0.7)
    d = np.where(off, rng.exponential(size=(B, m)) * (rng.random((B, m)) < 0.7), 0)
    lam = 0.3 * rng.exponential(size=(B, n)) * (rng.random((B, n)) < 0.5)
    q = np.full((B, n), (0.0, 0.1)[seed % 2])
    signs, columns = rng.random((B, n)) < 0.5, rng.random((B, n)) < 0.9
    t = np.where(rows, rng.standard_normal((B, m)), 0)
    unit = rng.uniform(0.5, 2, m)
    return newton.Scaled(
        W / np.linalg.norm(W, axis=0), unit, t, rows, d, off, q, 0 * q, lam, signs, columns
    )


def cold(p: newton.Scaled) -> newton.Iterate:
    return newton.Iterate(0 * p.q, 0 * p.t, 0 * p.q)


def raw(q: Quadratic) -> newton.Scaled:
    """(Q) in its own units."""
    none, unit = 0 * q.lam, np.ones(len(q.W))
    signs = np.broadcast_to(q.nonnegative, q.lam.shape)
    return newton.Scaled(
        q.W, unit, q.t, q.rows, q.d, q.inequalities, none + q.gamma, none, q.lam, signs, q.columns
    )
