"""Mutual coherence mu(W) = max_{i != j} |w_i'w_j| / (||w_i|| ||w_j||), of many row subsets W^S at
once.
"""

from typing import Any

from cvxinv.arrays import Array, float64, match, namespace
from cvxinv.checks import booleans, matrix

BYTES = 2**26  # of the Gram matrices that are held at once


def mutual_coherence(W: Array, rows: Any = None) -> Any:
    """The mutual coherence mu(W^S) (Theorem 3): the largest |cosine| between two columns of W, on
    the rows S.

    A column that is zero on the rows kept is linearly dependent with any other, and has coherence 1
    with it: so mu is 1 exactly where two columns are dependent, that is where spark(W^S) <= 2. With
    fewer than two columns mu is 0, the maximum over no pair.

    Parameters
    ----------
    W : (m, n) array
        float32 or float64, numpy or torch; computed in float64, columns may have any scale.
    rows : (m,) or (B, m) bool array, optional
        The rows kept, S; all by default.

    Returns
    -------
    float, or (B,) array in the kind and on the device of W
        For rows (B, m) one coherence per subset.
    """
    W = float64(matrix("W", W))
    xp = namespace(W)
    m = W.shape[0]
    everywhere = xp.ones_like(W[:, 0], dtype=xp.bool)
    S = everywhere if rows is None else match(booleans("rows", rows), W)
    if S.ndim not in (1, 2) or S.shape[-1] != m:
        raise ValueError(f"rows: expected shape ({m},) or (B, {m}), got {tuple(S.shape)}")
    if S.ndim == 1:
        return float(_coherence(W, S[None, :])[0])
    chunk = max(1, BYTES // (8 * W.shape[1] * max(W.shape)))
    parts = [_coherence(W, S[i : i + chunk]) for i in range(0, S.shape[0], chunk)]
    return xp.concat(parts) if parts else xp.zeros_like(W[:0, 0])


def _coherence(W: Array, S: Array) -> Array:
    """mu(W^S) for each row of S (B, m)."""
    xp = namespace(W)
    n = W.shape[1]
    if n < 2:
        return xp.astype(xp.zeros_like(S[:, 0]), xp.float64)
    X = xp.where(S[:, :, None], W[None, :, :], xp.zeros_like(W)[None, :, :])
    largest = xp.max(xp.abs(X), axis=1, keepdims=True) if W.shape[0] else X
    # squares of tiny or huge entries must not vanish or overflow
    X = X / xp.where(largest > 0, largest, xp.ones_like(largest))
    norms = xp.sqrt(xp.sum(X * X, axis=1, keepdims=True))
    X = X / xp.where(norms > 0, norms, xp.ones_like(norms))
    cosines = xp.abs(xp.matmul(xp.permute_dims(X, (0, 2, 1)), X))
    off = ~xp.astype(xp.eye(n, dtype=xp.float64, device=W.device), xp.bool)
    cosines = xp.where(off[None, :, :], cosines, xp.zeros_like(cosines))
    mu = xp.max(xp.reshape(cosines, (S.shape[0], n * n)), axis=1)
    zero = xp.any(norms == 0, axis=(1, 2))
    return xp.where(zero, xp.ones_like(mu), xp.clip(mu, None, 1.0))
