"""sub-spark and sub-rank (Definitions 1 and 2): the least spark and the least rank that s rows of W
can have.
"""

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from cvxinv.arrays import Array
from cvxinv.checks import flag, integer, nonnegative
from cvxinv.guarantees.bracket import Bracket
from cvxinv.guarantees.dependence import Columns, resolve, subsets
from cvxinv.guarantees.spark import bracket
from cvxinv.guarantees.submatrix_coherence import submatrix_coherence

SAMPLES = 64  # row sets that are tried where all are too many
SETS = 200_000  # row sets that are enumerated per second of the budget, at most
NEAR = (
    1e-6  # distance up to which a unit row counts as lying in a subspace, before its rank is tested
)


def sub_spark(
    W: Array, s: int, budget: float = 60.0, *, generic: bool = False, tol: float | None = None
) -> Bracket:
    """sub-spark(W, s) (Definition 1): the least spark of W^S over all sets S of s rows; n + 1 if no
    W^S has dependent columns.

    All row sets are looked at while the budget lasts. Where they are too many, the lower end comes
    from zeros and from 1 + 1/mu_s, the upper end from row sets at random.

    Parameters
    ----------
    W : (m, n) array
        float32 or float64, numpy or torch.
    s : int
        From 1 to m.
    budget : float
        Seconds.
    generic : bool
        Whether W has independent continuous random entries: then min(s, n) + 1, almost surely (eq.
        3); W is not looked at.
    tol : float, optional
        As of `spark`.

    Returns
    -------
    Bracket
        Of ints.
    """
    W, tol = resolve(W, tol)
    m, n = W.shape
    s, budget = integer("s", s, 1, m), nonnegative("budget", budget)
    generic = flag("generic", generic)
    if generic:
        return Bracket(
            min(s, n) + 1,
            min(s, n) + 1,
            "almost surely, for independent continuous random entries: min(s, n) + 1",
        )
    if (np.sum(W == 0, axis=0) >= s).any():
        return Bracket(1, 1, "a column is zero on s rows")
    if s == m:
        return bracket(W, tol, budget)
    deadline = time.monotonic() + budget
    every = math.comb(m, s) <= SETS * budget
    if every:
        answer = _over_row_sets(W, s, tol, deadline)
        if answer.exact:
            return answer
    else:
        answer = _over_samples(W, s, tol, time.monotonic() + budget / 2)
    mu = submatrix_coherence(W, s, max(0.0, deadline - time.monotonic())).upper if n > 1 else 0.0
    lower, below = (
        min(math.ceil(1 + 1 / mu - 1e-6), answer.upper) if mu > 0 else answer.upper,
        "1 + 1/mu_s",
    )
    if lower <= answer.lower:
        lower, below = (
            answer.lower,
            "no column is zero on s rows" if answer.lower == 2 else answer.method,
        )
    return Bracket(lower, answer.upper, f"lower: {below}; upper: {answer.method}")


def _over_row_sets(W: Any, s: int, tol: float, deadline: float) -> Bracket:
    """The minimum over all row sets, as far as time allows: each search may end as soon as it
    cannot lower the minimum.
    """
    least, upper, open_ends = W.shape[1] + 1, W.shape[1] + 1, 0
    for block in subsets(len(W), s):
        for S in block:
            left = deadline - time.monotonic()
            if left <= 0:
                return Bracket(min(2, upper), upper, "the row sets looked at before time was over")
            found = bracket(W[S], tol, left, known=upper)
            upper = min(upper, int(found.upper))
            least, open_ends = (
                min(least, int(found.lower)),
                open_ends + (not found.exact and found.lower < upper),
            )
    return Bracket(
        min(least, upper),
        upper,
        "all sets of s rows" + (", some of them to a bracket" if open_ends else ""),
    )


def _over_samples(W: Any, s: int, tol: float, deadline: float) -> Bracket:
    """The least upper end over row sets at random; the lower end says only that no column is zero
    on s rows.
    """
    rng = np.random.default_rng(0)
    upper = min(s, Columns.of(W, tol).rank) + 1  # n + 1 where that is n: the convention
    for k in range(SAMPLES):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        found = bracket(W[rng.permutation(len(W))[:s]], tol, left / (SAMPLES - k))
        upper = min(upper, int(found.upper))
    return Bracket(2, upper, f"up to {SAMPLES} row sets at random")


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
    generic = flag("generic", generic)
    if generic:
        return Bracket(
            min(s, n),
            min(s, n),
            "almost surely, for independent continuous random entries: min(s, n)",
        )
    rank = Columns.of(W, tol).rank
    lower, upper = max(0, rank - (m - s)), min(s, rank)
    if lower == upper:
        return Bracket(lower, upper, "rank(W) - (m - s), min(s, rank(W))")
    deadline = time.monotonic() + budget
    below, over = "rank(W) - (m - s)", "min(s, rank(W))"
    flats = sum(math.comb(m, r) for r in range(lower, upper))
    if math.comb(m, s) <= min(flats, SETS * budget):
        for block in subsets(m, s):
            if time.monotonic() >= deadline:
                return Bracket(
                    lower,
                    upper,
                    f"lower: {below}; upper: the row sets looked at before time was over",
                )
            upper = min(upper, min(Columns.of(W[S], tol).rank for S in block))
        return Bracket(upper, upper, "all sets of s rows")
    X = _unit_rows(W)
    for r in range(lower, upper):
        S = _flat(X, r, s, tol, deadline)
        if S is None:
            break
        if len(S):
            found = Columns.of(W[S], tol).rank
            if found < upper:
                upper, over = max(found, lower), f"s rows in the span of {r}"
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
