"""Where a point fails: the entry or the row with the largest residual, in words."""

from typing import Any

import numpy as np

from cvxinv import newton
from cvxinv.arrays import Array, float64, match, to_numpy
from cvxinv.certificate import scaling
from cvxinv.certificate.multipliers import multipliers
from cvxinv.certificate.pair import ConstrainedPair, Pair, pair
from cvxinv.certificate.point import ConstrainedPoint, quadratic_point
from cvxinv.certificate.verify import HUGE
from cvxinv.problems import LayerProblem, batched

SUMMED = 100.0  # times as large as any entry's: then no entry is to blame


def reasons(problem: LayerProblem, x: Array, dual: Array | None = None) -> list[str]:
    """The criterion that each signal fails by most, and at which entry or row, for a convex layer
    problem: "gradient on the support at x[3]", "x[0] below zero", ..

    Parameters as of `verify`; what is said of a signal that is optimal to rounding means nothing.
    """
    q = problem.quadratic().in_numpy()
    shape = (q.size, q.W.shape[1])
    points: Any = np.reshape(to_numpy(float64(match(x, problem.data))), shape)
    finite: Any = (np.abs(points) < HUGE).all(axis=1)
    eta: Any = None
    if dual is not None:
        eta = np.reshape(to_numpy(float64(match(dual, problem.data))), q.t.shape)
        eta = np.where(np.abs(eta) < HUGE, eta, 0.0)
    q, points, eta, _ = scaling.even(q, np.where(finite[:, None], points, 0.0), eta)
    if q.constrained:
        eta = multipliers(q, points) if eta is None else eta * (1 - q.used)
    found = pair(quadratic_point(q, points), eta)
    words = [_reason(found, b) if finite[b] else "x holds nan or inf" for b in range(q.size)]
    return words if batched(problem) else words[:1]


def _reason(found: Pair, b: int) -> str:
    """The largest of the residuals of signal b."""
    natural, at = np.abs(found.columns[b]), found.at
    j = int(natural.argmax())
    candidates = _outside(found, b)  # the first of those that are equally large counts
    if isinstance(found, ConstrainedPair) and isinstance(at, ConstrainedPoint):
        candidates += _rows(found, at, b)
    candidates.append((float(natural[j]), _column(found, b, j)))
    largest, word = max(candidates, key=lambda candidate: candidate[0])
    return "complementarity in sum" if found.products[b] > SUMMED * largest else word


def _column(found: Pair, b: int, j: int) -> str:
    """What the natural residual of entry j says."""
    q, x = found.at.q, found.at.scaled[b, j]
    target = x - newton.natural(x, found.r[b, j], found.lam[b, j], q.nonnegative)
    if x == 0:
        return f"gradient off the support: x[{j}] should not be zero"
    if target == 0 and (q.nonnegative or found.lam[b, j] > 0):
        return f"x[{j}] should be zero"
    return f"gradient on the support at x[{j}]"


def _outside(found: Pair, b: int) -> list[tuple[float, str]]:
    """Entries of x where none may be, or below zero."""
    q, x, words = found.at.q, found.at.scaled[b], []
    if q.restricted:
        sizes = np.where(q.columns[b], 0.0, np.abs(x))
        words.append((float(sizes.max()), f"x[{sizes.argmax()}] is off the columns"))
    if q.nonnegative:
        words.append((float(-x.min()), f"x[{x.argmin()}] below zero"))
    return words


def _rows(found: ConstrainedPair, at: ConstrainedPoint, b: int) -> list[tuple[float, str]]:
    """Inequalities that are violated, and multipliers that do not fit them."""
    slack, eta = at.slack[b], found.multiplier[b]
    product: Any = np.minimum(np.abs(slack), np.abs(eta))
    return [
        (float(-slack.min()), f"inequality of row {slack.argmin()} violated"),
        (float(-eta.min()), f"multiplier of row {eta.argmin()} below zero"),
        (float(product.max()), f"row {product.argmax()} has slack and a multiplier"),
    ]
