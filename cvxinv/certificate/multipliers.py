"""Multipliers of a candidate point that came without them: non-negative least squares, for all
signals at once.
"""

from cvxinv import newton
from cvxinv.arrays import Array, namespace
from cvxinv.certificate.point import Point
from cvxinv.problems import Quadratic
from cvxinv.rows import take

CHUNK = 64  # signals at a time: bounds the memory of (B, n, n)


def _chunk(q: Quadratic, x: Array) -> Array:
    """Multipliers eta that fit x best: the non-negative least squares fit of C'eta to the reduced
    gradient.

    Rows count as active within three tolerances in turn, for the signals that still need it; the
    smallest KKT residual decides.
    """
    xp = namespace(x)
    best = xp.zeros_like(q.t)
    smallest = Point.quadratic(q, x).kkt(best)
    for tol in (1e-11, 1e-8, 1e-5):
        left = xp.nonzero(smallest > 1e-12)[0]
        if left.shape[0] == 0:
            break
        p = Point.quadratic(take(q, left), x[left])
        eta = _fit(p, tol)
        now = p.kkt(eta)
        better = now < smallest[left]
        best[left[better]], smallest[left[better]] = eta[better], now[better]
    return best


def _fit(p: Point, tol: float) -> Array:
    """The fit for rows that are active to `tol`, as the multipliers of a projection.

    Namely of the gradient onto the cone of directions that keep the active constraints, which are
    those of the fit.
    """
    xp = namespace(p.x)
    q, unit = p.q, p.s[:, None]
    norm = xp.sqrt(xp.sum(q.W * q.W, axis=0))
    norm = xp.where(norm > 0, norm, xp.ones_like(norm))
    none = xp.zeros_like(p.theta)
    x, r, lam = (
        p.x * norm / unit,
        (p.theta @ q.W - q.gamma * p.x) / (norm * unit),
        q.lam / (norm * unit),
    )
    zero, one = xp.zeros_like(x), xp.ones_like(x)
    at_zero = (x <= tol) if q.nonnegative else xp.zeros_like(x, dtype=xp.bool)
    active = q.inequalities & (p.slack <= tol)
    rows = newton.row_units(q.W / norm)
    cone = newton.Scaled(
        q.W / norm, rows, none, none > 0, none, active, one, r - lam, zero, at_zero, q.columns
    )
    fit = newton.solve(cone, newton.Iterate(zero, none, zero), tol=1e-13)
    return xp.where(active & (fit.eta > 0), fit.eta, none) * rows * unit


def multipliers(q: Quadratic, x: Array) -> Array:
    """The multipliers (B, m) of the inequalities that fit x best."""
    xp = namespace(x)
    if q.size == 0 or not q.constrained or not bool(xp.any(q.inequalities)):
        return xp.zeros_like(q.t)
    return xp.concat(
        [_chunk(take(q, slice(k, k + CHUNK)), x[k : k + CHUNK]) for k in range(0, q.size, CHUNK)],
        axis=0,
    )
