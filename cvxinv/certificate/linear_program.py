"""The certificate of `LinearProgram` (Lei et al. 2019), by linear programming duality.

With multipliers p of the rows (signed on two-sided rows, >= 0 on the others) the dual is

    maximise -c'p  subject to  W'p >= 0 (= 0 where x is free),  and  sum |p_i| <= 1 (l_inf)  or
    |p_i| <= 1 (l_1).
"""

from cvxinv.arrays import Array, float64, namespace
from cvxinv.certificate.certificate import Certificate
from cvxinv.problems import LinearProgram


def certificate(problem: LinearProgram, x: Array, p: Array | None) -> tuple[Certificate, Array]:
    """The certificate at x with multipliers p, and which signals have finite data; the multipliers
    are not recovered.
    """
    if p is None:
        raise ValueError(
            "dual: a LinearProgram is verified with the multipliers of its rows, got None"
        )
    xp = namespace(x)
    c, two_sided, one_sided = problem.rows()
    finite = xp.all(xp.isfinite(c), axis=1)
    c = xp.where(finite[:, None], c, xp.zeros_like(c))
    W = float64(problem.W)
    over = x @ W.T - c
    zero = xp.zeros_like(over)
    error = xp.where(two_sided, xp.abs(over), xp.where(one_sided & (over > 0), over, zero))
    p = xp.where(two_sided | one_sided, p, zero)
    sup = problem.norm == "linf"
    objective = xp.max(error, axis=1) if sup else xp.sum(error, axis=1)
    bound = -xp.sum(c * p, axis=1)

    norms = xp.sqrt(xp.sum(W * W, axis=0))
    D = xp.where(norms > 0, norms, xp.ones_like(norms))
    v = p @ W / D
    stationarity = xp.where(v < 0, -v, xp.zeros_like(v)) if problem.nonnegative else xp.abs(v)
    budget = xp.sum(xp.abs(p), axis=1) if sup else xp.max(xp.abs(p), axis=1)
    sign = xp.max(xp.where(one_sided & (p < 0), -p, zero), axis=1)
    s = (
        xp.max(xp.abs(c), axis=1)
        if sup
        else xp.sum(xp.abs(xp.where(two_sided | one_sided, c, zero)), axis=1)
    )
    scale = xp.maximum(s, objective)
    scale = xp.where(scale > 0, scale, xp.ones_like(scale))
    gap = (objective - bound) / scale
    negative = (
        xp.where(x < 0, -x * D, xp.zeros_like(x)) if problem.nonnegative else xp.zeros_like(x)
    )
    violation = xp.max(negative, axis=1) / scale
    kkt = xp.max(
        xp.stack(
            [
                xp.max(stationarity, axis=1),
                xp.clip(budget - 1, 0, None),
                sign,
                xp.abs(gap),
                violation,
            ]
        ),
        axis=0,
    )
    return Certificate(objective, bound, gap, kkt, violation), finite
