"""spark(W), the least number of linearly dependent columns (section 2 of the paper): exact where
feasible, else a bracket.
"""

import math
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cvxinv.arrays import Array
from cvxinv.checks import choice, flag, nonnegative
from cvxinv.guarantees.bracket import Bracket
from cvxinv.guarantees.dependence import Columns, resolve, subsets

# column sets that are enumerated before any programme; per second afterwards
CHEAP, AFFORDABLE = 1_000_000, 200_000
SLACK = 1e-6  # by which a computed lower bound may be too high before it is rounded up
NEAR_ZERO = 1e-8  # entries of a null vector
FIRST_TRY = 0.5  # seconds per column of the integer programme, at most, in its first round
CONFIRMED = "an explicit null vector, confirmed by the rank of its columns"
Method = Literal["auto", "enumeration", "milp"]


def spark(
    W: Array,
    budget: float = 60.0,
    *,
    generic: bool = False,
    method: Method = "auto",
    tol: float | None = None,
) -> Bracket:
    """The spark of W (section 2): the least number of linearly dependent columns, and n + 1 if no
    columns are dependent.

    Parameters
    ----------
    W : (m, n) array
        float32 or float64, numpy or torch.
    budget : float
        Seconds. Bounds that cost little come first; the last resort, the integer programme, tries
        all columns shortly before it spends long on any. With 0 only what is immediate: ranks and
        coherence.
    generic : bool
        Whether W is a draw of independent continuous random entries: its spark then is min(m, n) +
        1 almost surely (eq. 3); this value is returned, and W is not looked at.
    method : "auto", "enumeration" or "milp"
        "enumeration" looks at column sets by size, "milp" only solves the programmes; "auto" does
        what fits the budget.
    tol : float, optional
        Columns, scaled to unit norm, count as dependent if their least singular value is at most
        tol: by default 8 max(m, n) times the rounding unit of W's dtype.

    Returns
    -------
    Bracket
        Of ints. The upper end always belongs to columns whose dependence was confirmed by their
        singular values; `method` says where both ends come from.
    """
    W, tol = resolve(W, tol)
    budget, generic = nonnegative("budget", budget), flag("generic", generic)
    choice("method", method, ("auto", "enumeration", "milp"))
    if generic:
        value = min(W.shape) + 1
        why = "almost surely, for independent continuous random entries: min(m, n) + 1"
        return Bracket(value, value, why)
    return bracket(W, tol, budget, method=method)


def bracket(
    W: Any,
    tol: float,
    budget: float,
    *,
    method: Method = "auto",
    above: int | None = None,
    known: int | None = None,
) -> Bracket:
    """`spark` on a checked float64 NumPy matrix, perhaps without rows.

    With `above` the search ends once it is known whether spark(W) > above, with `known` as soon as
    it is at least that.
    """
    n = W.shape[1]
    columns = Columns.of(W, tol)
    if columns.zero.any():
        return Bracket(1, 1, "a column is zero")
    if columns.rank == n:
        return Bracket(n + 1, n + 1, "all columns are independent: n + 1 by convention")
    search = Search(columns, time.monotonic() + budget, above, known)
    search.run(method)
    return search.answer()


@dataclass
class Search:
    """The bracket while it narrows. The columns are nonzero and dependent."""

    columns: Columns
    deadline: float
    above: int | None = None
    known: int | None = None

    def __post_init__(self) -> None:
        self.lower, self.below = 2, "no column is zero"
        self.upper, self.over = self.columns.rank + 1, "rank + 1 columns"

    def run(self, method: Method) -> None:
        """Narrow the bracket until it is closed, decides what was asked, or time is over."""
        self._coherence()
        if method != "milp":
            self._enumerate(CHEAP if method == "auto" else None)
        if method != "enumeration":
            self._linear()
            if method == "auto":
                self._enumerate(int(AFFORDABLE * max(0.0, self.deadline - time.monotonic())))
            self._integer()

    def answer(self) -> Bracket:
        """The bracket as it stands."""
        if self.lower == self.upper and self.below == self.over:
            return Bracket(self.lower, self.upper, self.below)
        return Bracket(self.lower, self.upper, f"lower: {self.below}; upper: {self.over}")

    @property
    def _done(self) -> bool:
        decided = self.above is not None and (self.lower > self.above or self.upper <= self.above)
        enough = self.known is not None and self.lower >= self.known
        return self.lower >= self.upper or decided or enough or time.monotonic() >= self.deadline

    def _raise(self, lower: float, how: str) -> None:
        lower = math.ceil(min(lower, self.upper))
        if lower > self.lower:
            self.lower, self.below = lower, how

    def _dependency(self, T: Any, how: str) -> None:
        """Take the columns T as a new upper end, if they are fewer and dependent, without those
        that can be left out.
        """
        if len(T) <= self.columns.rank + 1 and self.columns.dependent(T):
            T = self.columns.circuit(T)
            if len(T) < self.upper:
                self.upper, self.over = len(T), how
            if (
                self.upper < self.lower
            ):  # a bound computed to tolerances, refuted by a dependency that is none of rounding
                self.lower, self.below = 2, "no column is zero"

    # -- bounds, from cheap to expensive -----------------------------------------------------------

    def _coherence(self) -> None:
        gram = np.abs(self.columns.X.T @ self.columns.X)
        np.fill_diagonal(gram, 0.0)
        mu = float(gram.max())
        self._raise(1.0 + 1.0 / mu - SLACK if mu > 0 else math.inf, "1 + 1/mu")

    def _enumerate(self, most: int | None) -> None:
        """All column sets by size, or, where they are fewer, all null vectors with d - 1 given
        zeros (d = n - rank).
        """
        n, d = self.columns.X.shape[1], self.columns.X.shape[1] - self.columns.rank
        if self._done:
            return
        sets = sum(math.comb(n, k) for k in range(self.lower, self.upper))
        null = math.comb(n, d - 1)
        fits = most is None or null <= most
        if fits and (10 * null < sets or (most is not None and sets > most)):
            self._null_vectors(d)
        if most is not None and sets > most:  # what fits
            sizes = [
                k
                for k in range(self.lower, self.upper)
                if sum(math.comb(n, i) for i in range(self.lower, k + 1)) <= most
            ]
        else:
            sizes = list(range(self.lower, self.upper))
        for k in sizes:
            if k < self.lower:
                continue
            for block in subsets(n, k):
                if self._done:
                    return
                found = self.columns.any_dependent(block)
                if found is not None:
                    self.upper, self.over = k, f"enumeration of all sets of {k} columns"
                    self.lower, self.below = k, self.over
                    return
            self._raise(k + 1, f"enumeration of all sets of {k} columns")

    def _null_vectors(self, d: int) -> None:
        """Every sparsest null vector N c vanishes on d - 1 independent rows of N, a basis (n, d) of
        the null space, or can be had so.

        Entries that are small, by themselves or for their row of N, count as zero here: the lower
        end may be too low, not too high.
        """
        N = self.columns.null_space()
        n, norms = len(N), np.linalg.norm(N, axis=1)
        unit = N / np.where(norms > NEAR_ZERO, norms, np.inf)[:, None]
        fewest, best = n + 1, None
        how = f"enumeration of the null vectors with {d - 1} given zeros"
        for block in subsets(n, d - 1) if d > 1 else iter([np.zeros((1, 0), dtype=int)]):
            if self._done:
                return
            v = np.abs(np.linalg.svd(unit[block])[2][:, -1, :] @ N.T)
            nonzero = (v > NEAR_ZERO * np.maximum(v.max(axis=1, keepdims=True), norms)).sum(axis=1)
            i = int(nonzero.argmin())
            if nonzero[i] < fewest:
                fewest, best = int(nonzero[i]), np.argsort(-v[i])[: nonzero[i]]
        if best is not None:
            self._dependency(best, how)
        self._raise(min(fewest, self.upper), how)

    def _linear(self) -> None:
        """A bound for each k from linear programming; the points found are null vectors to begin
        with.
        """
        if self._done:
            return
        from cvxinv.reference import spark as programmes

        bounds = []
        now = time.monotonic()
        for found in programmes.linear(
            self._rows(), now + (self.deadline - now) / 2
        ):  # half for what may follow
            bounds.append(found.bound)
            self._candidate(found.v)
            if self._done:
                return
        if len(bounds) == self.columns.X.shape[1]:
            self._raise(min(bounds) - SLACK, "linear programming, from its multipliers")

    def _integer(self) -> None:
        """Rounds over the columns that are still open, each with more seconds per column than the
        last.
        """
        if self._done:
            return
        from cvxinv.reference import spark as programmes

        n, R = self.columns.X.shape[1], self._rows()
        bounds = np.full(n, float(self.lower))
        left = self.deadline - time.monotonic()
        seconds = min(FIRST_TRY, left / (3 * n))
        while not self._done and seconds < 4 * left:
            for found in programmes.integer(
                R, np.flatnonzero(bounds < self.upper), seconds, self.deadline
            ):
                bounds[found.k] = max(bounds[found.k], np.ceil(found.bound - SLACK))
                self._candidate(found.v)
                if self._done:
                    return
            self._raise(bounds.min(), "integer programming, to HiGHS's tolerances")
            seconds *= 4

    def _candidate(self, v: Any) -> None:
        if v is not None:
            order = np.argsort(-np.abs(v))
            self._dependency(order[: int((np.abs(v) > 1e-7).sum())], CONFIRMED)

    def _rows(self) -> Any:
        """Orthonormal rows with the null space of X: no constraint is redundant or badly scaled."""
        return np.linalg.svd(self.columns.X, full_matrices=False)[2][: self.columns.rank]
