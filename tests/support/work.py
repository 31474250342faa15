"""Small pieces of work for threads and processes, and what they give."""

from typing import Any

import numpy as np

import cvxinv
import fast
from cvxinv import BasisPursuit, LastLayer, Latent, MidLayer, reference

KINDS = ("fast", "reference", "invert")


def problem(seed: int) -> Any:
    """A statement of some signals; which one depends on the seed."""
    rng = np.random.default_rng(seed)
    W, x = rng.standard_normal((40, 15)), np.maximum(rng.standard_normal((6, 15)), 0)
    y = x @ W.T + 0.1 * rng.standard_normal((6, 40))
    if seed % 4 == 0:
        return LastLayer(W, y, lam=0.1)
    if seed % 4 == 1:
        return MidLayer(W, np.maximum(y, 0), lam=0.1)
    if seed % 4 == 2:
        return Latent(W, np.maximum(y, 0), gamma=0.1)
    return BasisPursuit(W, y, lam=0.1)


def generator(seed: int) -> Any:
    """A generator, and signals of it."""
    rng = np.random.default_rng(seed)
    G = cvxinv.Generator([rng.standard_normal((12, 3)), rng.standard_normal((30, 12))])
    return G, G(rng.standard_normal((4, 3)))


def work(kind: str, seed: int, **options: Any) -> Any:
    """x or z, and the statuses, as plain arrays."""
    if kind == "invert":
        G, y = generator(seed)
        inv = cvxinv.invert(G, y, starts=2, **options)
        return inv.z, [s.name for s in inv.status]
    sol = (fast if kind == "fast" else reference).solve(problem(seed), **options)
    return sol.x, [s.name for s in sol.status]


def same(found: Any, expected: Any) -> bool:
    """Whether two pieces of work gave the same."""
    return found[1] == expected[1] and bool(np.allclose(found[0], expected[0], atol=1e-8))
