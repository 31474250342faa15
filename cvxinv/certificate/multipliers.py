"""Multipliers of a candidate point that came without them: non-negative least squares, for as many
signals at once as memory allows.
"""

from cvxinv import newton
from cvxinv.arrays import Array, namespace
from cvxinv.certificate.pair import pair
from cvxinv.certificate.point import ConstrainedPoint, quadratic_point
from cvxinv.memory import parts, room
from cvxinv.newton import units
from cvxinv.problems import Quadratic
from cvxinv.rows import take

COPIES = 6  # (n, n) matrices of a signal that Newton's method holds at a time


def multipliers(q: Quadratic, x: Array) -> Array:
    """The multipliers (B, m) of the inequalities that fit x best."""
    xp = namespace(x)
    if q.size == 0 or not q.constrained or not bool(xp.any(q.inequalities)):
        return xp.zeros_like(q.t)
    (_, m), n = q.t.shape, x.shape[1]
    some = parts(q.size, 8 * COPIES * n * (n + m), room(x))
    return xp.concat([_part(take(q, part), x[part]) for part in some], axis=0)


def _part(q: Quadratic, x: Array) -> Array:
    """Multipliers eta that fit x best: the non-negative least squares fit of C'eta to the reduced
    gradient.

    Rows count as active within three tolerances in turn, for the signals that still need it; the
    smallest KKT residual decides.
    """
    xp = namespace(x)
    best = xp.zeros_like(q.t)
    smallest = pair(quadratic_point(q, x), best).kkt
    for tol in (1e-11, 1e-8, 1e-5):
        left = xp.nonzero(smallest > 1e-12)[0]
        if left.shape[0] == 0:
            break
        at = quadratic_point(take(q, left), x[left])
        assert isinstance(at, ConstrainedPoint)
        eta = _fit(at, tol)
        now = pair(at, eta).kkt
        better = xp.nonzero(now < smallest[left])[0]
        best[left[better]], smallest[left[better]] = eta[better], now[better]
    return best


def _fit(at: ConstrainedPoint, tol: float) -> Array:
    """The fit for rows that are active to `tol`, as the multipliers of a projection.

    Namely of the gradient onto the cone of directions that keep the active constraints, which are
    those of the fit.
    """
    xp, q, unit = namespace(at.x), at.q, at.s[:, None]
    norm = units.positive(xp.sqrt(xp.sum(q.W * q.W, axis=0)))
    none = xp.zeros_like(at.theta)
    x, r = at.x * norm / unit, (at.theta @ q.W - q.gamma * at.x) / (norm * unit)
    lam, zero, one = q.lam / (norm * unit), xp.zeros_like(x), xp.ones_like(x)
    at_zero = (x <= tol) if q.nonnegative else xp.zeros_like(x, dtype=xp.bool)
    active = q.inequalities & (at.slack <= tol)
    rows = units.row_units(q.W / norm)
    cone = newton.Scaled(
        q.W / norm, rows, none, none > 0, none, active, one, r - lam, zero, at_zero, q.columns
    )
    fit = newton.solve(cone, newton.Iterate(zero, none, zero), tol=1e-13)
    return xp.where(active & (fit.eta > 0), fit.eta, none) * rows * unit
