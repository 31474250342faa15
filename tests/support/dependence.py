"""Brute force for spark, sub-spark, sub-rank and mu_s, and the small matrices on which they are
compared.
"""

from fractions import Fraction
from itertools import combinations

import numpy as np
from scipy.fft import dct
from scipy.linalg import hadamard

KINDS = (
    "gaussian",
    "wide",
    "repeated",
    "zero_column",
    "rank_two",
    "signs",
    "hadamard_half",
    "identity_dct",
    "identity_hadamard",
    "scaled",
    "planted",
    "one_row",
)


def matrix(kind: str, seed: int, largest: int = 8) -> np.ndarray:
    """A small W (m, n) with one kind of structure."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    m, n = rng.integers(1, 7), rng.integers(2, largest + 1)
    W = rng.standard_normal((m, n))
    i, j = rng.permutation(n)[:2]
    if kind == "wide":
        W = rng.standard_normal((3, largest))
    elif kind == "repeated":
        W[:, i] = -2.5 * W[:, j]
    elif kind == "zero_column":
        W[:, i] = 0
    elif kind == "rank_two":
        W = rng.standard_normal((m, 2)) @ rng.standard_normal((2, n))
    elif kind == "signs":
        W = rng.integers(-1, 2, (m, n)).astype(float)
    elif kind == "hadamard_half":
        W = hadamard(8).astype(float)[rng.permutation(8)[:4], :largest]
    elif kind == "identity_dct":
        k = int(rng.integers(2, largest // 2 + 1))
        W = np.hstack([np.eye(k), dct(np.eye(k), norm="ortho")])
    elif kind == "identity_hadamard":
        W = np.hstack([np.eye(4), hadamard(4)])[:, : largest + 2]
    elif kind == "scaled":
        W = W * 10.0 ** rng.integers(-8, 9, n)
    elif kind == "planted":
        W = rng.standard_normal((5, largest))
        W[:, 2] = W[:, [0, 1]] @ rng.uniform(0.5, 2, 2)
    elif kind == "one_row":
        W = W[:1]
    return W


def rank(W: np.ndarray) -> int:
    """Numerical rank with the columns in unit norm; the tolerance is far from what rounding and
    chance make of these matrices.
    """
    norms = np.linalg.norm(W, axis=0)
    return int(np.linalg.matrix_rank(W / np.where(norms > 0, norms, 1), tol=1e-10)) if W.size else 0


def exact_rank(W: np.ndarray) -> int:
    """The rank of a matrix of whole numbers, by elimination in rational arithmetic."""
    rows, found = [[Fraction(int(v)) for v in row] for row in W], 0
    for j in range(W.shape[1]):
        pivot = next((i for i in range(found, len(rows)) if rows[i][j]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][j] / rows[found][j]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


def spark(W: np.ndarray, rank=rank) -> int:
    """By definition; n + 1 if no columns are dependent."""
    n = W.shape[1]
    return next(
        (k for k in range(1, n + 1) if any(rank(W[:, T]) < k for T in combinations(range(n), k))),
        n + 1,
    )


def over_rows(quantity, pick, W: np.ndarray, s: int):
    """`pick` (min or max) of the quantity of W^S over all S of s rows."""
    return pick(quantity(W[list(S)]) for S in combinations(range(len(W)), s))


def coherence(W: np.ndarray) -> float:
    """By definition, pair by pair; a zero column has coherence 1."""
    norms, n = np.linalg.norm(W, axis=0), W.shape[1]
    if n > 1 and (norms == 0).any():
        return 1.0
    return max(
        (abs(W[:, i] @ W[:, j]) / norms[i] / norms[j] for i, j in combinations(range(n), 2)),
        default=0.0,
    )
