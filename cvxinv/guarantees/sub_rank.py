"""sub-rank(W, s) (Definition 2): the least rank that s rows of W can have."""

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from cvxinv.arrays import Array
from cvxinv.checks import flag, integer, nonnegative
from cvxinv.guarantees.bracket import Bracket
from cvxinv.guarantees.dependence import Columns, resolve, subsets

SETS = 200_000  # row sets that are enumerated per second of the budget, at most
NEAR = 1e-6  # distance up to which a unit row counts as in a subspace, before its rank is tested


def sub_rank(
    W: Array, s: int, budget: float = 30.0, *, generic: bool = False, tol: float | None = None
) -> Bracket:
    """sub-rank(W, s) (Definition 2): the least rank of W^S over all sets S of s rows.

    It is at most r if and only if s rows lie in a subspace that r of the rows span, which is
    enumerated for growing r, unless the row sets themselves are fewer. The lower end is at least
    rank(W) - (m - s), as each row left out costs at most one.

    Parameters
    ----------
    W : (m, n) array
        float32 or float64, numpy or torch.
    s : int
        From 1 to m.
    budget : float
        Seconds.
    generic : bool
        Whether W has independent continuous random entries: then min(s, n), almost surely; W is not
        looked at.
    tol : float, optional
        Singular values of W^S, its columns scaled to unit norm, count as zero up to tol; default as
        of `spark`.

    Returns
    -------
    Bracket
        Of ints. Its upper end is the rank of an actual W^S, or min(s, rank(W)).
    """
    W, tol = resolve(W, tol)
    m, n = W.shape
    s, budget = integer("s", s, 1, m), nonnegative("budget", budget)
    if flag("generic", generic):
        value = min(s, n)
        why = "almost surely, for independent continuous random entries: min(s, n)"
        return Bracket(value, value, why)
    rank = Columns.of(W, tol).rank
    found = Bracket(max(0, rank - (m - s)), min(s, rank), "rank(W) - (m - s), min(s, rank(W))")
    if found.exact:
        return found
    # each step has its own share of the budget: more of it never widens the bracket
    share = budget / 2
    flats = sum(math.comb(m, r) for r in range(int(found.lower), int(found.upper)))
    if math.comb(m, s) <= min(flats, SETS * budget):
        found = _over_row_sets(W, s, tol, found, time.monotonic() + share)
        if found.exact:
            return found
    return _over_flats(W, s, tol, found, time.monotonic() + share)


def _over_row_sets(W: Any, s: int, tol: float, known: Bracket, deadline: float) -> Bracket:
    """The minimum over all row sets, as far as time allows."""
    upper = known.upper
    for block in subsets(len(W), s):
        if time.monotonic() >= deadline:
            return Bracket(known.lower, upper, "the row sets looked at before time was over")
        upper = min(upper, *(Columns.of(W[S], tol).rank for S in block))
    return Bracket(upper, upper, "all sets of s rows")


def _over_flats(W: Any, s: int, tol: float, known: Bracket, deadline: float) -> Bracket:
    """The least r for which s rows lie in the span of r, from below, as far as time allows."""
    lower, upper = int(known.lower), int(known.upper)
    below, over = "rank(W) - (m - s)", known.method
    X = _unit_rows(W)
    for r in range(lower, upper):
        S = _flat(X, r, s, tol, deadline)
        if S is None:
            break
        if len(S):
            rank = Columns.of(W[S], tol).rank
            if rank < upper:
                upper, over = max(rank, lower), f"s rows in the span of {r}"
        if len(S) or upper <= r:
            break
        lower, below = r + 1, f"enumeration of the spans of {r} rows"
    return Bracket(lower, upper, below if lower == upper else f"lower: {below}; upper: {over}")


def _unit_rows(W: Any) -> Any:
    scaled = W / np.maximum(np.abs(W).max(axis=0), np.finfo(float).tiny)
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    return scaled / np.where(norms > 0, norms, 1.0)


def _flat(X: Any, r: int, s: int, tol: float, deadline: float) -> Any:
    """S rows that lie in the span of r rows, no rows if there are none, None if time was over
    first.
    """
    for block in _blocks(len(X), r, X.shape[1]):
        if time.monotonic() >= deadline:
            return None
        if r:
            _, values, V = np.linalg.svd(X[block], full_matrices=False)
            V = V * (values > tol)[:, :, None]  # dependent rows span less
            inside = ((np.matmul(V, X.T) ** 2).sum(axis=1) >= (X**2).sum(axis=1) - NEAR**2) | (
                X == 0
            ).all(axis=1)
        else:
            inside = (X == 0).all(axis=1)[None, :]
        enough = np.flatnonzero(inside.sum(axis=1) >= s)
        if len(enough):
            return np.flatnonzero(inside[enough[0]])[:s]
    return np.zeros(0, dtype=int)


def _blocks(m: int, r: int, n: int) -> Iterator[Any]:
    return (
        subsets(m, r, size=max(1, 2**20 // (m * max(r, 1) + n)))
        if r
        else iter([np.zeros((1, 0), dtype=int)])
    )
