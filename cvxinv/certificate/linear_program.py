"""The certificate of `LinearProgram` (Lei et al. 2019), by linear programming duality.

With multipliers p of the rows (signed on two-sided rows, >= 0 on the others) the dual is

    maximise -c'p  subject to  W'p >= 0 (= 0 where x is free),  and  sum |p_i| <= 1 (l_inf)  or
    |p_i| <= 1 (l_1).

The KKT residual judges the multipliers that are given. The lower bound is that of p with its signs
put right and at its best feasible multiple. W'p = 0 cannot be put right in float64: p counts if it
holds to `ROUNDING`, and what W'p may be worth at an x with sum_j D_j |x_j| <= `REACH` s is taken
off, with s the size of the data; else the bound is that of p = 0, for no error is below zero.
"""

from cvxinv.arrays import Array, at_least, float64, namespace
from cvxinv.certificate.certificate import Certificate
from cvxinv.newton.units import positive
from cvxinv.problems import LinearProgram

ROUNDING, REACH = 1e-10, 1e2


def certificate(
    problem: LinearProgram, x: Array, p: Array | None, usable: Array, accuracy: float
) -> tuple[Certificate, Array]:
    """The certificate at x with multipliers p, which are not recovered, and the support."""
    if p is None:
        raise ValueError(
            "dual: a LinearProgram is verified with the multipliers of its rows, got None"
        )
    xp, sup = namespace(x), problem.norm == "linf"
    c, two_sided, one_sided = problem.rows()
    used = two_sided | one_sided
    c = xp.where(used, c, 0.0)
    finite = xp.all(xp.isfinite(c), axis=1)
    c = xp.where(finite[:, None], c, 0.0)
    W = float64(problem.W)
    over = x @ W.T - c
    error = xp.where(two_sided, xp.abs(over), xp.where(one_sided, at_least(over, 0), 0.0))
    objective = _primal(error, sup)
    s = _primal(xp.abs(c), sup)
    scale = positive(xp.maximum(s, objective))
    D = xp.sqrt(xp.astype(used, xp.float64) @ (W * W))  # of the rows that enter
    D = xp.where(D > 0, D, 1.0)

    p = xp.where(used, p, 0.0)
    sign = xp.max(xp.where(one_sided, -p, 0.0), axis=1)
    budget = _dual(p, sup)
    stationarity = _stationarity(problem, p, W, D)
    claimed = xp.abs(objective + xp.sum(c * p, axis=1)) / scale
    bound = _bound(problem, xp.where(one_sided, at_least(p, 0), p), c, W, D, s)
    violation = xp.zeros_like(s)
    if problem.nonnegative:
        violation = at_least(-xp.min(x * D, axis=1), 0) / scale
    criteria = [stationarity, at_least(budget - 1, 0), sign, claimed, violation]
    kkt = xp.max(xp.stack(criteria), axis=0)
    found = Certificate(objective, bound, (objective - bound) / scale, kkt, violation)
    found, size = found.where(finite & usable), xp.abs(x)
    known = xp.clip(found.kkt, accuracy, 1.0)[:, None]
    return found, size > known * xp.max(size, axis=1, keepdims=True)


def _primal(error: Array, sup: bool) -> Array:
    xp = namespace(error)
    return xp.max(error, axis=1) if sup else xp.sum(error, axis=1)


def _dual(p: Array, sup: bool) -> Array:
    xp = namespace(p)
    return xp.sum(xp.abs(p), axis=1) if sup else xp.max(xp.abs(p), axis=1)


def _stationarity(problem: LinearProgram, p: Array, W: Array, D: Array) -> Array:
    """Largest entry of W'p that should be zero, columns scaled to norm 1, (B,)."""
    xp, v = namespace(p), p @ W / D
    return xp.max(at_least(-v, 0) if problem.nonnegative else xp.abs(v), axis=1)


def _bound(problem: LinearProgram, p: Array, c: Array, W: Array, D: Array, s: Array) -> Array:
    """The dual value of the best feasible multiple of p; of p = 0, where that is better."""
    xp = namespace(p)
    p = p / positive(_dual(p, problem.norm == "linf"))[:, None]
    off = _stationarity(problem, p, W, D)
    lost = xp.sum(xp.abs(c * p), axis=1) * 1e-14 + off * REACH * s
    value = at_least(-xp.sum(c * p, axis=1) - lost, 0)
    return xp.where(off <= ROUNDING, value, 0.0)
