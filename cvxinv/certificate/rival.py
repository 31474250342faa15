"""Points for which the residual does not decide: is there a better one?

Without a weight that counts there is no gap, and a residual of 1e-9 says little where columns of A
depend on each other up to 1e-9, or where the rows differ in size by as much. For these few signals
two dearer questions are asked, in turn, one signal at a time.

1. Is A well conditioned on the columns that are not clearly at zero? If A'A - mu I has a Cholesky
   factor there, A'A >= mu I, and with the residual r no point is better by more than
   1/2 r'(A'A - mu I)^-1 r: the residual decides.
2. Else an active-set method on A itself (`newton.fit_on_face`) starts at x: how much better is the
   point at which it ends?
"""

from typing import Any

import numpy as np

from cvxinv import newton
from cvxinv.arrays import Array, at_least, match, namespace, to_numpy
from cvxinv.certificate.pair import EPS, Pair
from cvxinv.certificate.point import ConstrainedPoint, quadratic_point
from cvxinv.newton import units
from cvxinv.rows import take

MU = 1e-10  # of A'A with columns of norm 1: beyond a condition number of 1e5, A itself is asked
NEAR = 1e3  # residuals by which a multiplier must exceed zero for its column to be clearly at zero
FEASIBLE = 1e-10  # relative violation of a better point that is rounding


def excess(pair: Pair, b: Any) -> Array:
    """By how much the objective at signals b may exceed the optimum, in units of s^2, (len(b),)."""
    gram = _gram(pair, 0) if pair.at.q.shared else None
    found = np.array([_conditioned(pair, int(i), gram) for i in b])
    left = np.isnan(found)
    if left.any():
        found[left] = _better(pair, np.array([int(i) for i in b])[left])
    return match(np.maximum(found, 0.0), pair.at.s)


def _gram(pair: Pair, b: int, free: Any = slice(None)) -> Any:
    """A'A of signal b on some columns, scaled to norm 1."""
    q, D = pair.at.q, to_numpy(pair.at.D[b if len(pair.at.D) > 1 else 0])
    A = to_numpy(q.W)[to_numpy(q.rows[b])][:, free] / D[free]
    return A.T @ A


def _conditioned(pair: Pair, b: int, gram: Any) -> float:
    """The excess that a well conditioned A leaves, and what complementarity adds to it off the free
    columns; nan where A is not well conditioned.
    """
    at, q = pair.at, pair.at.q
    x, r, lam = (to_numpy(a[b]) for a in (at.scaled, pair.r, pair.lam))
    size, pull = (x, r) if q.nonnegative else (np.abs(x), np.abs(r))
    free = (lam - pull <= size + NEAR * float(pair.natural[b])) & to_numpy(q.columns[b])
    if free.sum() > to_numpy(q.rows[b]).sum():
        return np.nan
    H = _gram(pair, b, free) if gram is None else gram[np.ix_(free, free)]
    H = H - MU * np.eye(len(H))
    try:
        np.linalg.cholesky(H)
    except np.linalg.LinAlgError:
        return np.nan
    residual = to_numpy(pair.columns[b])[free]
    others = np.sum((size * np.abs(lam - pull))[~free]) + float(pair.of_rows[b])
    return float(0.5 * residual @ np.linalg.solve(H, residual) + others)


def _better(pair: Pair, b: Any) -> Any:
    """The excess over the points that an active-set method finds; zero where they are no better."""
    b = match(b, pair.at.s)
    at, q = pair.at, take(pair.at.q, b)
    eta = (at.theta - pair.y)[b]
    one = namespace(q.W).ones_like(q.W[:, 0])
    none = 0.0 * q.lam
    signs = none > (-1.0 if q.nonnegative else 0.0)
    p = newton.Scaled(
        q.W, one, q.t, q.rows, q.d, q.inequalities, none + q.gamma, none, q.lam, signs, q.columns
    )
    try:
        found = newton.fit_on_face(p, newton.Iterate(at.x[b], eta, pair.gradient[b]))
    except np.linalg.LinAlgError:
        return np.zeros(len(b))
    rival = quadratic_point(q, found.x)
    better = at.cost[b] - rival.cost
    if isinstance(rival, ConstrainedPoint):  # less what its violations gain
        over = at_least(-rival.slack * rival.size, 0)
        better = better - namespace(eta).sum(found.eta * over, axis=1)
    # a far point is known up to rounding: 4 eps L of the size of its rows, and of theta
    rounding = 4 * EPS * rival.length
    better = better - rounding * at.s[b] * units.norm(rival.theta)
    good = (rival.violation() <= at_least(rounding, FEASIBLE)) & (better > 0)
    return to_numpy(namespace(better).where(good, better / at.s[b] ** 2, 0.0))
