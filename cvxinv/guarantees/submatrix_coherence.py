"""mu_s(W), the largest coherence that s rows of W can have: by enumeration, else by branch and
bound over pairs of columns.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.arrays import Array
from cvxinv.checks import integer, nonnegative
from cvxinv.guarantees.bracket import Bracket
from cvxinv.guarantees.coherence import mutual_coherence
from cvxinv.guarantees.dependence import resolve, subsets

# row sets, and entries of their Gram matrices, up to which they are all looked at
ENUMERATED, ENTRIES = 20_000, 2e8
# of the branch and bound, one after the other while time lasts
ACCURACIES = (0.1, 1e-2, 1e-4, 1e-6, 1e-9)
BLOCK = 2**21  # entries looked at together
SMALLEST = 1e-280  # sums of squares below it are not computed with


def row_masks(m: int, block: Any) -> Any:
    """Boolean masks (c, m) of row sets (c, s)."""
    masks = np.zeros((len(block), m), dtype=bool)
    np.put_along_axis(masks, block, True, axis=1)
    return masks


def submatrix_coherence(W: Array, s: int, budget: float = 30.0) -> Bracket:
    """mu_s(W) (Theorem 3): the largest mutual coherence of W^S over all sets S of s rows.

    All row sets are looked at where they are few. Else a branch and bound over pairs of columns and
    one scalar; its ends differ by 1e-9 if the budget suffices.

    Parameters
    ----------
    W : (m, n) array
        float32 or float64, numpy or torch.
    s : int
        From 1 to m.
    budget : float
        Seconds.

    Returns
    -------
    Bracket
        Its lower end is the coherence of an actual W^S. As in `mutual_coherence`, a column that is
        zero on S has coherence 1.
    """
    W, _ = resolve(W, None)
    m, n = W.shape
    s, budget = integer("s", s, 1, m), nonnegative("budget", budget)
    if n < 2:
        return Bracket(0.0, 0.0, "fewer than two columns")
    if s == 1:
        return Bracket(1.0, 1.0, "columns with one entry are parallel")
    if (np.sum(W == 0, axis=0) >= s).any():
        return Bracket(1.0, 1.0, "a column is zero on s rows")
    if math.comb(m, s) <= ENUMERATED and math.comb(m, s) * n * max(m, n) <= ENTRIES:
        mu = max(float(mutual_coherence(W, row_masks(m, block)).max()) for block in subsets(m, s))
        return Bracket(mu, mu, "enumeration of all sets of s rows")
    X = W / np.abs(W).max(axis=0)
    X = X / np.sqrt(np.sum(X**2, axis=0))
    order = np.argsort(np.abs(X), axis=0)[:s].T  # the s smallest entries of each column
    if (np.take_along_axis(X.T, order, axis=1) ** 2).sum(axis=1).min() < SMALLEST:
        mu = float(mutual_coherence(W, row_masks(m, order)).max())
        return Bracket(
            mu, 1.0, "the rows of the smallest entries of a column; upper: no cosine exceeds 1"
        )
    return Pairs(X, s, time.monotonic() + budget).run()


@dataclass
class Pairs:
    """Branch and bound for mu_s over pairs of columns a, b, both signs, and intervals of tau.

    By the inequality of the means, 2 ||a_S|| ||b_S|| = min over tau of sum_S (a_i^2 e^tau + b_i^2
    e^-tau). So some S with tau at its minimiser has cosine >= c if and only if the s largest
    f_i(tau) = 2 a_i b_i - c (a_i^2 e^tau + b_i^2 e^-tau) add up to >= 0 for some tau. Each f_i is
    concave and lies below its tangent; the sum of the s largest tangents is convex in tau, and so
    largest at an end of the interval: where both ends are negative, no S with its tau inside has
    cosine >= c.
    """

    X: Any
    s: int
    deadline: float
    best: float = 0.0

    def run(self) -> Bracket:
        """The bracket, from coarse to fine."""
        upper, how = 1.0, "rows found by local search; upper: no cosine exceeds 1"
        nodes = self._roots()
        self._improve(*nodes)
        for accuracy in ACCURACIES:
            if not self._closed(nodes, accuracy):
                break
            upper = min(1.0, self.best + accuracy)
            how = f"branch and bound over pairs of columns, to {accuracy:g}"
            if upper == 1.0 and accuracy == ACCURACIES[-1]:
                break
        return Bracket(self.best, max(upper, self.best), how)

    def _roots(self) -> tuple[Any, ...]:
        """Pairs, signs and intervals of length at most one that hold every tau = log(||b_S|| /
        ||a_S||).
        """
        squares = np.sort(self.X**2, axis=0)
        low = np.log(squares[: self.s].sum(axis=0)) / 2
        high = np.log(squares[-self.s :].sum(axis=0)) / 2
        i, j = np.triu_indices(self.X.shape[1], 1)
        start, end = low[j] - high[i] - 1e-9, high[j] - low[i] + 1e-9
        pieces = np.ceil(end - start).astype(int)
        which = np.repeat(np.arange(len(i)), pieces)
        nth = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        half = ((end - start) / pieces / 2)[which]
        middle = start[which] + (2 * nth + 1) * half
        twice = [np.concatenate([v, v]) for v in (i[which], j[which], middle, half)]
        return (*twice, np.repeat([1.0, -1.0], len(which)))

    def _blocks(self, nodes: tuple[Any, ...]) -> Any:
        size = max(1, BLOCK // self.X.shape[0])
        for k in range(0, len(nodes[0]), size):
            yield tuple(v[k : k + size] for v in nodes)

    def _terms(self, i: Any, j: Any, middle: Any, sign: Any) -> tuple[Any, Any, Any]:
        """2 a_i b_i, a_i^2 e^tau and b_i^2 e^-tau, (k, m) each."""
        a, b = self.X.T[i], self.X.T[j]
        e = np.exp(middle)[:, None]
        return 2 * sign[:, None] * a * b, a * a * e, b * b / e

    def _improve(self, *nodes: Any) -> None:
        """Evaluate the cosine of the s best rows at each middle: they are an actual S."""
        for i, j, middle, _, sign in self._blocks(nodes):
            self._evaluate(*self._terms(i, j, middle, sign))
            if time.monotonic() >= self.deadline:
                return

    def _evaluate(self, ab: Any, aa: Any, bb: Any) -> None:
        f = ab - self.best * (aa + bb)
        rows = np.argpartition(-f, self.s - 1, axis=1)[:, : self.s]
        dot, a2, b2 = (np.take_along_axis(v, rows, axis=1).sum(axis=1) for v in (ab, aa, bb))
        self.best = max(self.best, min(1.0, float((dot / 2 / np.sqrt(a2 * b2)).max())))

    def _closed(self, nodes: tuple[Any, ...], accuracy: float) -> bool:
        """Whether no S has a cosine >= best + accuracy, proven before time is over; `best` may rise
        on the way.
        """
        while len(nodes[0]):
            alive = []
            for i, j, middle, half, sign in self._blocks(nodes):
                if time.monotonic() >= self.deadline:
                    return False
                ab, aa, bb = self._terms(i, j, middle, sign)
                self._evaluate(ab, aa, bb)
                c = self.best + accuracy
                if c > 1:
                    return True
                f, slope = ab - c * (aa + bb), c * (bb - aa) * half[:, None]
                ends = [
                    np.partition(f + d * slope, -self.s, axis=1)[:, -self.s :].sum(axis=1)
                    for d in (-1, 1)
                ]
                keep = np.maximum(*ends) >= 0
                i, j, middle, half, sign = (v[keep] for v in (i, j, middle, half, sign))
                for d in (-0.5, 0.5):
                    alive.append((i, j, middle + d * half, half / 2, sign))
            nodes = tuple(np.concatenate(v) for v in zip(*alive, strict=True))
        return True
