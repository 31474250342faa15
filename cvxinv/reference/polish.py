"""Polish: from a solver's answer to one that is right to rounding, by the active-set steps of
`cvxinv.newton`.
"""

from cvxinv import newton
from cvxinv.arrays import Array, namespace
from cvxinv.problems import Quadratic

CHUNK = 32  # signals at a time: bounds the memory of the (B, n, n) systems


def polish(q: Quadratic, x: Array, dual: Array) -> tuple[Array, Array]:
    """Point and multipliers of (Q) near `x`, `dual` with the smallest KKT residual that float64
    allows; (B, n), (B, m).
    """
    xp = namespace(x)
    parts = [
        _polish(q[k : k + CHUNK], x[k : k + CHUNK], dual[k : k + CHUNK])
        for k in range(0, q.size, CHUNK)
    ]
    return xp.concat([part[0] for part in parts], axis=0), xp.concat(
        [part[1] for part in parts], axis=0
    )


def _polish(q: Quadratic, x: Array, dual: Array) -> tuple[Array, Array]:
    xp = namespace(x)
    norm = xp.sqrt(xp.sum(q.W * q.W, axis=0))
    norm = xp.where(norm > 0, norm, xp.ones_like(norm))
    s = xp.sqrt(xp.sum(q.t * q.t, axis=1, keepdims=True))
    s = xp.where(s > 0, s, xp.sqrt(xp.sum(q.d * q.d, axis=1, keepdims=True)))
    s = xp.where(s > 0, s, xp.ones_like(s))
    zero, unit = xp.zeros_like(x), newton.row_units(q.W / norm)
    scaled = newton.Scaled(
        q.W / norm,
        unit,
        q.t / s,
        q.rows,
        unit * q.d / s,
        q.inequalities,
        zero + q.gamma / norm**2,
        zero,
        q.lam / (norm * s),
        xp.full_like(q.columns, q.nonnegative),
        q.columns,
    )
    x, dual = (
        x * norm / s,
        xp.where(q.inequalities & (dual > 0), dual, xp.zeros_like(dual)) / (s * unit),
    )
    nu = (scaled.theta(x @ scaled.W.T) - unit * dual) @ scaled.W - scaled.q * x
    found = newton.solve(scaled, newton.Iterate(x, dual, nu))
    eta = xp.where(q.inequalities & (found.eta > 0), found.eta, xp.zeros_like(found.eta))
    return found.x * s / norm, eta * unit * s
