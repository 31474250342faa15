"""Certificates: objective, violation, KKT residual and duality gap of any point of any statement
(the family (Q) of `quadratic`).

Everything is computed in float64 from the statement's own data, for all signals at once, and
without solving the problem.

**Units.** Let D_j be the norm of column j of A (of C where that is zero), and s = max(||t||, ||A
x||). Where t = 0, a row of C that x = 0 violates sets s, by the distance d_i / ||C_i / D|| at which
it can be met; where no row does, x = 0 is a solution, and a point that costs anything has the
residual 1. What is below 1e-140 is measured in 1e-140: its squares are zero. Rows of zeros take no
part: no x changes what they cost. x_j is measured in s / D_j, its gradient and lam_j in D_j s,
gamma in D_j^2. A row of C has the size s_i = min(s, max(|d_i|, s ||C_i
/ D||)), that of the terms it adds up; its slack is measured in s_i, its multiplier in s^2 / s_i.
Objectives are measured in max(1/2 s^2, objective), called V. Data whose squares leave the range of
float64 are first brought into it by powers of two, which changes no digit. All figures are then the
same when signal, matrix, single columns or (below s) single rows of C are rescaled.

**Violation.** The largest -slack_i; for x >= 0, what an entry below zero is in its unit, beside the
largest entry of x, and beside the sizes of the rows of C that it changes.

**KKT residual.** The larger of two figures. With theta = t - A x, r = A'theta - C'eta - gamma x,
N is the largest of the natural residuals

    | x_j - prox_j(x_j + r_j) |    and    | min(eta_i, d_i - C_i x) |        (in these units),

where prox_j is soft-thresholding at lam_j, clipped at 0 where x >= 0, less what rounding makes of a
far x: 4 eps (L - 1000), L = sum_j D_j |x_j| / s (if that is 1e-4, nothing is known of x: N is no
less). P is the complementarity in sum,

    sum_j | lam_j |x_j| - r_j x_j |  +  sum_i | eta_i (d_i - C_i x) |         (in units of V),

or the objective, or the gap, where these are smaller: each bounds how far x is from the optimum.

**Gap.** From weak duality (`bound`), and so a proof, up to rounding, whatever the multipliers: with
g = objective - lower bound, the larger of g / V and (g / w)^2, where w is what the weights cost, at
x or at an x of size s / D. A gap of tol is an objective right to tol V, and to sqrt(tol) w: weights
far below the tolerance count in their own units.

**Where neither decides.** Without weights there is no gap: the dual asks for A'theta = C'eta, which
float64 cannot hold but up to rounding, and what that is worth depends on how far out one looks.
There, and where weights below 1e-6 leave the gap to rounding, N may be small at a point that is far
from optimal: columns that depend on each other, rows of very different size. So where N > 1e-12 or
P > 1e-10 or L > 1000 (and N < 1e-4), `rival` looks for better points: P becomes the bound on what
is to be gained, if A is well conditioned on the columns not clearly at zero, else what an
active-set method on A itself gains from x; the gap is nan.

**What is promised.** Let tol be that of `Certificate.optimal`, eps = 2^-52, c = sqrt(m) + 8.

*Accepted, so nearly optimal.* With a gap: objective <= optimum + tol V, and <= optimum + sqrt(tol)
w. With none, for every feasible y,

    objective(y)  >=  objective(x) - tol V - N s sum_j D_j |y_j - x_j|:                          (1)

N with the 4 eps L that are taken off it. A point better by 2 tol V is far away, at tol V / (N s),
and `rival` found none there unless N <= 1e-12; where the large terms of A y round by as much as it
is better, no float64 is that point. Proof of (1): by convexity objective(y) - objective(x) >= sum_j
(lam_j |y_j| - lam_j |x_j| - r_j (y_j - x_j)) - eta'C (y - x). With C y <= d the last term costs at
most eta'(d - C x), a part of P (eta_i < 0 is part of N). If N holds in column j by its gradient,
the term of column j is at least -N D_j s |y_j - x_j|. If it holds by |x_j| <= N s / D_j, then |r_j|
<= lam_j (r_j <= lam_j where x >= 0) up to N D_j s, so that lam_j |y_j| - r_j y_j >= -N D_j s |y_j|,
and lam_j |x_j| - r_j x_j is a part of P. Where P is the objective, the gap or a bound of `rival`,
it bounds objective(x) - optimum itself; where it is what an active-set method gained, that is all
there is. How far x is from a solution depends on the conditioning of A besides: ||A (x - x*)||^2 <=
2 (objective - optimum).

*Optimal, so accepted.* The exact solution with its exact multipliers, rounded to float64, has
violation and N <= c eps (1 + L), since A x moves by eps sum_j D_j |x_j| = eps s L, products round
by c eps of their terms, and no natural residual moves more than its arguments. L <= sqrt(n) K for K
= 1 / sigma_min(A / D), as sigma_min ||D x|| <= ||A x|| <= s: for tol = 1e-8 and n = 1 000 that is K
<= 1e4; beyond L = 1000, 4 eps L of it is allowed for. P of the products is at most c eps (1 + L) L;
where that is too much, the objective, the gap or the rival takes its place: no point is better than
the exact solution, and its rounded one is worse by (c eps L)^2 s^2 only. The gap is accepted if (c
eps (1 + L) / lam)^2 <= tol, lam in its units: lam >= 1e-6 for L <= 1e4; respectively gamma >=
1e-10; below, rounding of the gradient may decide, and the rival is asked.
"""

from typing import Any

from cvxinv import checks, rows
from cvxinv.arrays import Array, dtype_name, float64, is_torch, match, namespace, to_numpy
from cvxinv.certificate import linear_program, rival, scaling
from cvxinv.certificate.bound import bound
from cvxinv.certificate.certificate import Certificate
from cvxinv.certificate.multipliers import multipliers
from cvxinv.certificate.pair import FAR, Pair, pair
from cvxinv.certificate.point import nonconvex_point, quadratic_point
from cvxinv.newton import units
from cvxinv.problems import LastLayer, LinearProgram, Problem, Quadratic, as_problem

# relative size of entries that rounding of the data alone can make
ROUNDING = {"float64": 1e-10, "float32": 1e-5}
HUGE = 1e100  # a number this large is as good as infinite: its squares would overflow
# Signals for which the residual alone does not decide (`rival`): those that it does not refuse,
RESIDUAL = 1e-4
ROUNDED = 1e-12  # whose residual is not down at rounding, or whose terms cancel,
FEW = 1e-10  # and which have more than this to lose; with weights too small for the bound to tell:
WEAK_LAM, WEAK_GAMMA = 1e-6, 1e-10
LIGHT = 1 << 13  # entries of the points
LEAST_WEIGHT = 1e-20  # in units of s^2: rounding of the data costs as much


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
    data, (m, n) = problem.data, problem.W.shape
    given = rows.one_or_many(data)
    x = _candidate("x", x, data, n)
    eta = None if dual is None else _candidate("dual", dual, data, m)
    accuracy = ROUNDING[dtype_name(data)]
    if isinstance(problem, LinearProgram):
        c, support = linear_program.certificate(problem, *_usable(x, eta), accuracy)
    elif isinstance(problem, LastLayer) and not problem.convex:
        c, support = _nonconvex(problem, x, accuracy)
    else:
        q = problem.quadratic() if q is None else q
        if not _light(x):
            c, support = _quadratic(q, x, eta, accuracy)
        else:
            eta = None if eta is None else to_numpy(eta)
            found = _quadratic(q.in_numpy(), to_numpy(x), eta, accuracy)
            c, support = (rows.mapped(lambda a: match(a, data), part) for part in found)
    return given.back(c), given.back(support)


def _light(x: Array) -> bool:
    """Whether tensors are so small that calls take longer than what they compute: NumPy's are
    shorter.
    """
    return is_torch(x) and x.device.type == "cpu" and x.shape[0] * x.shape[1] <= LIGHT


def _usable(x: Array, eta: Array | None) -> tuple[Array, Array | None, Array]:
    """Point and multipliers, zero for signals where they are not finite, and which are."""
    xp = namespace(x)
    usable = xp.max(xp.abs(x), axis=1) < HUGE
    if eta is not None:
        usable = usable & (xp.max(xp.abs(eta), axis=1) < HUGE)
        eta = xp.where(usable[:, None], eta, 0.0)
    return xp.where(usable[:, None], x, 0.0), eta, usable


def _quadratic(
    q: Quadratic, x: Array, eta: Array | None, accuracy: float
) -> tuple[Certificate, Array]:
    q, x, eta, unit = scaling.even(q, x, eta)
    x, eta, usable = _usable(x, eta)
    if unit is not None:
        usable = usable & scaling.visible(q)
    at = quadratic_point(q, x)
    if q.constrained:
        eta = multipliers(q, x) if eta is None else eta * (1 - q.used)
    found = pair(at, eta)
    kkt, lower, gap = _decided(found, q.finite & usable)
    objective = at.objective
    if unit is not None:
        objective, lower = scaling.value(objective, unit), scaling.value(lower, unit)
    c = Certificate(objective, lower, gap, kkt, at.violation() + 0.0)  # no -0.0
    return c.where(q.finite & usable), found.support(accuracy)


def _decided(found: Pair, good: Array) -> tuple[Array, Array, Array]:
    """KKT residual, lower bound and gap of a pair of (Q), (B,) each."""
    xp, at, dual = namespace(found.r), found.at, bound(found)
    share = at.s * at.s / at.value  # from units of s^2 to the unit of objectives
    gap = dual.gap * share
    complementarity = xp.where(
        xp.isnan(gap), found.complementarity, xp.minimum(found.complementarity, xp.abs(gap))
    )
    gap = xp.maximum(gap, _square(dual.gap / units.positive(dual.weight)))
    gap = xp.where(found.wrong & ~xp.isnan(gap), 1.0, gap)

    unclear = (found.natural > ROUNDED) | (found.products > FEW) | (at.length > FAR)
    unclear = unclear & (at.cost > FEW * at.value)
    weak = dual.least < (WEAK_GAMMA if at.q.gamma > 0 else WEAK_LAM)
    ask = xp.where(xp.isnan(gap), unclear, weak & (gap > FEW))
    b = xp.nonzero(ask & good & (found.natural < RESIDUAL) & ~found.wrong)[0]
    if b.shape[0]:
        excess = rival.excess(found, b)
        relative = _square(excess / (dual.weight[b] + LEAST_WEIGHT))
        relative = xp.where(dual.least[b] > 0, relative, 0.0)
        complementarity[b] = xp.maximum(excess * share[b], relative)
        gap[b] = xp.nan
    return found.residual(complementarity), dual.lower, gap


def _square(a: Array) -> Array:
    """a^2, without overflow: beyond 1e100 a figure says no more."""
    return namespace(a).clip(a, -1e100, 1e100) ** 2


def _nonconvex(problem: LastLayer, x: Array, accuracy: float) -> tuple[Certificate, Array]:
    x, _, usable = _usable(x, None)
    at = nonconvex_point(problem, x)
    found = pair(at, None)
    nothing = namespace(x).full_like(at.s, namespace(x).nan)  # erratum E3
    c = Certificate(at.objective, nothing, nothing, found.kkt, at.violation() + 0.0, convex=False)
    return c.where(at.q.finite & usable), found.support(accuracy)


def _candidate(name: str, a: Any, data: Array, size: int) -> Array:
    a = float64(checks.points(name, a, data, size))
    return a if a.ndim == 2 else a[None, :]
