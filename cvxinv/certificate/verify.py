"""Certificates: objective, violation, KKT residual and duality gap of any point of any statement
(the family (Q) of `quadratic`).

Everything is computed in float64 from the statement's own data, for all signals at once, and
without solving the problem.

**Scaling.** Let D_j be the norm of column j of A (of C where that is zero), and s = max(||t||, ||A
x||), with ||d|| in place of ||t|| where t = 0 (and the size of x itself where d = 0 too: there x =
0 is a solution). x_j is measured in s / D_j. A row of C has the size s_i = min(s, max(|d_i|, s
||C_i / D||)), that of the terms it adds up; its slack is measured in s_i and its multiplier in s^2
/ s_i. This makes every residual below relative, and invariant when signal, matrix, single columns
or (below s) single rows of C are rescaled, with lam and gamma rescaled accordingly.

**KKT residual.** With theta = t - A x, r = A'theta - C'eta - gamma x, the largest of the natural
residuals

    | x_j - prox_j(x_j + r_j) |    and    | min(eta_i, d_i - C_i x) |        (in these units),

where prox_j is soft-thresholding at lam_j, clipped at 0 where x >= 0, and of the complementarity in
sum,

    sum_j | lam_j |x_j| - r_j x_j |  +  sum_i | eta_i (d_i - C_i x) |         (in units of max(1/2
    s^2, objective)),

which is what separates primal from dual objective. All are zero exactly at a solution. A small
residual is a small *backward* error: x solves a problem near the one stated. How far x is from the
solution also depends on the conditioning of A, and rows of t that no column can reach enlarge s.
The gap is the forward statement, where it is available.
"""

from typing import Any

from cvxinv import checks
from cvxinv.arrays import Array, dtype_name, float64, namespace
from cvxinv.certificate.certificate import Certificate, unbatch
from cvxinv.certificate.multipliers import multipliers
from cvxinv.certificate.point import Pair, Point
from cvxinv.problems import LinearProgram, Problem, Quadratic, as_problem, batched

ROUNDING = {
    "float64": 1e-10,
    "float32": 1e-5,
}  # relative size of entries that rounding of the data alone can make
HUGE = 1e100  # a point this far out is as good as infinite: its squares would overflow


def verify(problem: Problem, x: Array, dual: Array | None = None) -> Certificate:
    """Objective, lower bound, gap, KKT residual and violation of any x for any statement, in
    float64, without solving it.

    Parameters
    ----------
    problem : a statement of `cvxinv.problems`
    x : (B, n) or (n,) array
        Candidate points from anywhere.
    dual : (B, m) or (m,) array, optional
        Multipliers of the inequalities (entries off them are ignored); recovered by non-negative
        least squares if left out.

    Returns
    -------
    Certificate
        A point with nan or inf, or a signal whose data have them, gets `kkt = violation = inf`:
        never optimal.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, for wrong kinds or shapes.
    """
    return certify(problem, x, dual)[0]


def support(problem: Problem, x: Array, dual: Array | None = None) -> Array:
    """Where x, (B, n) or (n,), is nonzero: its value outweighs its multiplier lam - r, and the
    accuracy to which the pair is known.

    The vertices of a `LinearProgram` have no such pairs: there the accuracy of the certificate
    decides alone. A point with nan or inf has no support. Parameters as of `verify`.
    """
    return certify(problem, x, dual)[1]


def certify(
    problem: Problem, x: Array, dual: Array | None = None, q: Quadratic | None = None
) -> tuple[Certificate, Array]:
    """The certificate (`verify`) and the `support` of x for the price of one; `q` is
    `problem.quadratic()`, if it is there already.
    """
    problem = as_problem(problem)
    data = problem.data
    m, n = problem.W.shape
    x = _candidate("x", x, data, n)
    eta = None if dual is None else _candidate("dual", dual, data, m)
    xp = namespace(x)
    usable = xp.max(xp.abs(x), axis=1) < HUGE
    if eta is not None:
        usable = usable & (xp.max(xp.abs(eta), axis=1) < xp.inf)
        eta = xp.where(usable[:, None], eta, 0.0)
    x = xp.where(usable[:, None], x, 0.0)
    rounding = ROUNDING[dtype_name(data)]
    if isinstance(problem, LinearProgram):
        from cvxinv.certificate.linear_program import certificate

        c, finite = certificate(problem, x, eta)
        c, size = _spoil(c, finite & usable), xp.abs(x)
        nonzero = size > xp.clip(c.kkt, rounding, 1.0)[:, None] * xp.max(
            size, axis=1, keepdims=True
        )
    else:
        p = Point.of(problem, x, q)
        if p.q.constrained:
            eta = multipliers(p.q, x) if eta is None else eta * (1 - p.q.used)
        pair = Pair.of(p, eta)
        bound = pair.lower_bound() if problem.convex else xp.full_like(p.s, xp.nan)  # erratum E3
        c = Certificate(
            p.objective,
            bound,
            (p.objective - bound) / p.value,
            pair.kkt,
            p.violation() + 0.0,
            problem.convex,
        )  # no -0.0
        c, nonzero = _spoil(c, p.q.finite & usable), pair.support(rounding)
    return (c, nonzero) if batched(problem) else (unbatch(c, keep=False), nonzero[0])


def _candidate(name: str, a: Any, data: Array, size: int) -> Array:
    a = float64(checks.points(name, a, data, size))
    return a if a.ndim == 2 else a[None, :]


def _spoil(c: Certificate, good: Array) -> Certificate:
    """`c` with nothing proven for signals that are not good."""
    xp = namespace(c.kkt)
    good = good & (c.objective < xp.inf) & (c.kkt < xp.inf)
    return Certificate(
        xp.where(good, c.objective, xp.nan),
        xp.where(good, c.lower_bound, xp.nan),
        xp.where(good, c.gap, xp.nan),
        xp.where(good, c.kkt, xp.inf),
        xp.where(good, c.violation, xp.inf),
        c.convex,
    )
