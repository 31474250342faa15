"""sub-spark(W, s) (Definition 1): the least spark that s rows of W can have."""

import math
import time
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
ROUNDING = 1e-6  # by which 1 + 1/mu_s may be too high before it is rounded up


def sub_spark(
    W: Array, s: int, budget: float = 60.0, *, generic: bool = False, tol: float | None = None
) -> Bracket:
    """sub-spark(W, s) (Definition 1): the least spark of W^S over all sets S of s rows; n + 1 if no
    W^S has dependent columns.

    A third of the budget goes to all row sets, where they are few enough; another to row sets at
    random, for the upper end; the last to 1 + 1/mu_s, for the lower end.

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
    if flag("generic", generic):
        value = min(s, n) + 1
        why = "almost surely, for independent continuous random entries: min(s, n) + 1"
        return Bracket(value, value, why)
    if (np.sum(W == 0, axis=0) >= s).any():
        return Bracket(1, 1, "a column is zero on s rows")
    if s == m:
        return bracket(W, tol, budget)
    # each step has its own share of the budget: more of it never widens the bracket
    share = budget / 3
    rank = min(s, Columns.of(W, tol).rank)
    found = Bracket(2, rank + 1, "no column is zero on s rows; min(s, rank(W)) + 1")
    if math.comb(m, s) <= SETS * budget:
        found = _over_row_sets(W, s, tol, int(found.upper), time.monotonic() + share)
        if found.exact:
            return found
    sampled = _over_samples(W, s, tol, time.monotonic() + share)
    upper, above = min((found.upper, found.method), (sampled.upper, sampled.method))
    mu = submatrix_coherence(W, s, share).upper if n > 1 else 0.0
    coherent = math.ceil(1 + 1 / mu - ROUNDING) if mu > 0 else upper
    lower, below = max((found.lower, found.method), (min(coherent, upper), "1 + 1/mu_s"))
    return Bracket(lower, upper, f"lower: {below}; upper: {above}")


def _over_row_sets(W: Any, s: int, tol: float, upper: int, deadline: float) -> Bracket:
    """The minimum over all row sets, known to be at most `upper`, as far as time allows: each
    search may end as soon as it cannot lower the minimum.
    """
    least, open_ends = upper, 0
    for block in subsets(len(W), s):
        for S in block:
            left = deadline - time.monotonic()
            if left <= 0:
                return Bracket(2, upper, "the row sets looked at before time was over")
            found = bracket(W[S], tol, left, known=upper)
            upper = min(upper, int(found.upper))
            least = min(least, int(found.lower))
            open_ends += not found.exact and found.lower < upper
    why = "all sets of s rows" + (", some of them to a bracket" if open_ends else "")
    return Bracket(min(least, upper), upper, why)


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
