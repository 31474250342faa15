"""Polish: from a solver's answer to one that is right to rounding.

There are two ways. `newton.solve` advances all signals at once, but works on A'A, and measures by
the signal; `newton.fit_on_face` looks for the face of the solution, one signal at a time, and fits
on it from A itself. Small statements take the second. Others take it where the first does not come
to rounding, or where a weight is too small to be seen beside the signal.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cvxinv import memory, newton, rows
from cvxinv.certificate.pair import pair
from cvxinv.certificate.point import Point, quadratic_point
from cvxinv.problems import Quadratic

ROUNDING = 1e-12  # residual above which a polished signal is not right to rounding
SMALL_WEIGHT = 1e-6  # relative; below it the residual does not tell whether the weight was minded
SMALL = 2_000  # entries of W up to which the fit on the face is cheap
Way = Callable[[newton.Scaled, newton.Iterate], newton.Iterate]
EPS = float(np.finfo(np.float64).eps)
CLEAR = 1e-9  # relative difference of violations that rounding does not make


def polish(q: Quadratic, x: Any, dual: Any) -> tuple[Any, Any]:
    """Point and multipliers of (Q) near `x`, `dual` that are right to what float64 allows; (B, n),
    (B, m). A signal without a finite point starts from zero.
    """
    failed = ~(np.isfinite(x).all(axis=1) & np.isfinite(dual).all(axis=1))[:, None]
    x, dual = np.where(failed, 0.0, x), np.where(failed, 0.0, dual)
    n = q.W.shape[1]
    for part in memory.parts(q.size, 6 * 8 * n * n):
        try:
            x[part], dual[part] = _polished(rows.take(q, part), x[part], dual[part])
        except np.linalg.LinAlgError:  # a system that overflowed: only its signal stays as it is
            for b in range(*part.indices(q.size)):
                one = slice(b, b + 1)
                x[one], dual[one] = _alone(rows.take(q, one), x[one], dual[one])
    return x, dual


def _alone(q: Quadratic, x: Any, dual: Any) -> tuple[Any, Any]:
    try:
        return _polished(q, x, dual)
    except np.linalg.LinAlgError:
        return x, dual


def _polished(q: Quadratic, x: Any, dual: Any) -> tuple[Any, Any]:
    """By the cheaper of the two methods, and for whom that does not do, by the other."""
    units = _Units(q)
    p = units.scaled(q)
    small = p.W.size <= SMALL
    ways: list[Way] = [newton.solve, newton.fit_on_face]
    first, second = reversed(ways) if small else ways
    found = first(p, units.iterate(p, x, dual))
    x, dual = units.back(p, found)
    left = _inexact(p, found) if small else _inexact(p, found) | _unseen(p)
    weak = np.flatnonzero(left)
    if len(weak):
        again = second(rows.take(p, weak), rows.take(found, weak))
        old, new = (x, dual), units.back(p, rows.put(found, weak, again))
        better = _better(q, old, new)[:, None]
        x, dual = np.where(better, new[0], x), np.where(better, new[1], dual)
    if not (q.nonnegative or q.gamma or q.lam.any() or q.inequalities.any()):
        x = _least_norm(q, x)
    return x, dual


def _inexact(p: newton.Scaled, found: newton.Iterate) -> Any:
    """(B,) bool: whose residual is more than rounding of sums of the size of x."""
    return newton.residual(p, found) > ROUNDING * np.maximum(1.0, abs(found.x).max(axis=1))


def _unseen(p: newton.Scaled) -> Any:
    """(B,) bool: who has a weight that a method which measures by the signal does not see."""
    small = ((p.lam > 0) & (p.lam < SMALL_WEIGHT)) | ((p.q > 0) & (p.q < SMALL_WEIGHT))
    return (small & p.columns).any(axis=1)


def _least_norm(q: Quadratic, x: Any) -> Any:
    """The points of least norm with the same fit, which least squares alone does not tell apart."""
    least = np.zeros_like(x)
    for b in range(q.size):
        A = q.W[np.ix_(q.rows[b], q.columns[b])]
        least[b, q.columns[b]] = np.linalg.lstsq(A, A @ x[b, q.columns[b]])[0]
    at, there = quadratic_point(q, x), quadratic_point(q, least)
    # columns of very different size, or nearly dependent: lstsq leaves some of them out
    same = there.objective <= at.objective + _noise(at) + _noise(there)
    return np.where(same[:, None], least, x)


def _weak(p: newton.Scaled, found: newton.Iterate) -> Any:
    """(B,) bool: whom Newton's method may not have served."""
    if p.W.size <= SMALL:
        return np.ones(len(p.t), dtype=bool)
    small = ((p.lam > 0) & (p.lam < SMALL_WEIGHT)) | ((p.q > 0) & (p.q < SMALL_WEIGHT))
    return (newton.residual(p, found) > ROUNDING) | (small & p.columns).any(axis=1)


def _better(q: Quadratic, old: tuple[Any, Any], new: tuple[Any, Any]) -> Any:
    """(B,) bool: whether `new` is the better answer: clearly less of a violation, or else a smaller
    objective, or where rounding cannot tell, multipliers that prove more.

    The objective is that of the exact penalty method, in which a violation is paid for by more
    than its multiplier: no other point has a smaller one than the solution.
    """
    a, b = (quadratic_point(q, x) for x, _ in (old, new))
    price = 2 * np.maximum(old[1], new[1])
    excess = _penalised(b, price) - _penalised(a, price)
    noise = _noise(a) + _noise(b)
    proves_more = pair(b, new[1]).kkt < pair(a, old[1]).kkt
    lower = (excess < -noise) | ((excess <= noise) & proves_more)
    violation = b.violation() - a.violation()
    return (violation < -CLEAR) | ((violation <= CLEAR) & lower)


def _penalised(p: Point, price: Any) -> Any:
    """The objective, and the price of what C x exceeds d by."""
    over = np.where(p.q.inequalities, np.maximum(p.x @ p.q.W.T - p.q.d, 0.0), 0.0)
    return p.objective + (price * over).sum(axis=1)


def _noise(p: Point) -> Any:
    """What rounding makes of the objective: most where large terms cancel in t - A x."""
    terms = np.where(p.q.rows, abs(p.q.t) + abs(p.x) @ abs(p.q.W).T, 0.0)
    return 8 * EPS * ((abs(p.theta) * terms).sum(axis=1) + p.objective)


class _Units:
    """Powers of two, so that nothing is rounded: of columns, of rows, and of the signals (what is
    fitted, or what C x <= d asks for).
    """

    def __init__(self, q: Quadratic) -> None:
        self.norm = newton.power_of_two(_norms(q.W, axis=0))
        self.W = q.W / self.norm
        length = _norms(self.W, axis=1)
        self.row = 1 / newton.power_of_two(length)
        self.t = np.where(length > 0, q.t, 0.0)  # what no column reaches is lost, and no scale
        asked = np.where((q.d < 0) & (length > 0), -q.d * self.row, 0.0).max(axis=1, initial=0.0)
        s = np.maximum(_norms(self.t, axis=1), asked)
        self.s = newton.power_of_two(np.where(s > 0, s, _norms(q.d, axis=1)))[:, None]

    def scaled(self, q: Quadratic) -> newton.Scaled:
        """(Q) in these units."""
        zero, signs = np.zeros_like(q.lam), np.full_like(q.columns, q.nonnegative)
        return newton.Scaled(
            self.W,
            self.row,
            self.t / self.s,
            q.rows,
            self.row * q.d / self.s,
            q.inequalities,
            zero + q.gamma / self.norm / self.norm,
            zero,
            q.lam / (self.norm * self.s),
            signs,
            q.columns,
        )

    def iterate(self, p: newton.Scaled, x: Any, dual: Any) -> newton.Iterate:
        """A point and multipliers of (Q) in these units."""
        x = x * self.norm / self.s
        eta = np.where(p.inequalities, np.maximum(dual, 0.0), 0.0) / (self.s * self.row)
        return newton.Iterate(x, eta, (p.theta(x @ p.W.T) - p.unit * eta) @ p.W - p.q * x)

    def back(self, p: newton.Scaled, at: newton.Iterate) -> tuple[Any, Any]:
        """Point and multipliers in the units of (Q)."""
        eta = np.where(p.inequalities, np.maximum(at.eta, 0.0), 0.0)
        return at.x * self.s / self.norm, eta * self.row * self.s


def _norms(a: Any, axis: int) -> Any:
    """Euclidean norms whose squares neither overflow nor underflow."""
    largest = abs(a).max(axis=axis, keepdims=True, initial=0.0)
    largest = np.where(largest > 0, largest, 1.0)
    return np.linalg.norm(a / largest, axis=axis) * np.squeeze(largest, axis)
