"""Certificates: objective, violation, KKT residual and duality gap of any point of any statement (the family (Q) of `quadratic`).

Everything is computed in float64 from the statement's own data, for all signals at once, and without solving the problem.

**Scaling.** Let D_j be the norm of column j of A (of C where that is zero), and s = max(||t||, ||A x||), with ||d|| in place
of ||t|| where t = 0 (and the size of x itself where d = 0 too: there x = 0 is a solution). x_j is measured in s / D_j. A row of
C has the size s_i = min(s, max(|d_i|, s ||C_i / D||)), that of the terms it adds up; its slack is measured in s_i and its
multiplier in s^2 / s_i. This makes every residual below relative, and invariant when signal, matrix, single columns or
(below s) single rows of C are rescaled, with lam and gamma rescaled accordingly.

**KKT residual.** With theta = t - A x, r = A'theta - C'eta - gamma x, the largest of the natural residuals

    | x_j - prox_j(x_j + r_j) |    and    | min(eta_i, d_i - C_i x) |        (in these units),

where prox_j is soft-thresholding at lam_j, clipped at 0 where x >= 0, and of the complementarity in sum,

    sum_j | lam_j |x_j| - r_j x_j |  +  sum_i | eta_i (d_i - C_i x) |         (in units of max(1/2 s^2, objective)),

which is what separates primal from dual objective. All are zero exactly at a solution. A small residual is a small *backward*
error: x solves a problem near the one stated. How far x is from the solution also depends on the conditioning of A, and rows of t
that no column can reach enlarge s. The gap is the forward statement, where it is available.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from .arrays import Array, as_float, dtype_name, float64, match, namespace
from .multipliers import multipliers
from .point import Point
from .problems import LinearProgram, Problem, as_problem, batched

ROUNDING = {"float64": 1e-10, "float32": 1e-5}  # relative size of entries that rounding of the data alone can make
HUGE = 1e100  # a point this far out is as good as infinite: its squares would overflow


@dataclass(frozen=True, eq=False)
class Certificate:
    """What can be said about given points x, (B,) each (0-d for one signal), in float64.

    Attributes
    ----------
    objective : value of the statement's objective at x (constraints ignored)
    lower_bound : a proven lower bound on the optimal value; nan where none is available: lam = gamma = 0 (or so small that
        rounding would decide the bound), not convex
    gap : (objective - lower_bound) / max(1/2 s^2, objective); nan where unavailable; only for x without violation >= 0
    kkt : KKT residual, relative and scale-invariant; inf where x or the data hold nan or inf
    violation : largest relative violation of the constraints alone
    convex : bool, whether the statement is: only then is a KKT point a solution
    """

    objective: Array
    lower_bound: Array
    gap: Array
    kkt: Array
    violation: Array
    convex: bool = True

    def stationary(self, tol: float = 1e-6) -> Array:
        """(B,) bool: the KKT conditions hold to `tol`."""
        return (self.kkt <= tol) & (self.violation <= tol)

    def optimal(self, tol: float = 1e-6) -> Array:
        """(B,) bool: proven optimal to `tol`; KKT residual and violation, and the gap where it is available.

        Never true of a statement that is not convex, whose KKT points need not be solutions.
        """
        xp = namespace(self.kkt)
        return self.stationary(tol) & (xp.isnan(self.gap) | (self.gap <= tol)) & self.convex


def verify(problem: Problem, x: Array, dual: Array | None = None) -> Certificate:
    """Objective, lower bound, gap, KKT residual and violation of any x for any statement, in float64, without solving it.

    Parameters
    ----------
    problem : a statement of `cvxinv.problems`
    x : (B, n) or (n,) array
        Candidate points from anywhere.
    dual : (B, m) or (m,) array, optional
        Multipliers of the inequalities (entries off them are ignored); recovered by non-negative least squares if left out.

    Returns
    -------
    Certificate
        A point with nan or inf, or a signal whose data have them, gets `kkt = violation = inf`: never optimal.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, for wrong kinds or shapes.
    """
    problem = as_problem(problem)
    data = problem.data
    m, n = problem.W.shape
    x = _candidate("x", x, data, n)
    eta = None if dual is None else _candidate("dual", dual, data, m)
    xp = namespace(x)
    finite_x = xp.all(xp.abs(x) < HUGE, axis=1) & (True if eta is None else xp.all(xp.isfinite(eta), axis=1))
    x = xp.where(finite_x[:, None], x, xp.zeros_like(x))
    eta = None if eta is None else xp.where(finite_x[:, None], eta, xp.zeros_like(eta))
    if isinstance(problem, LinearProgram):
        from .linear_program import certificate

        c, finite = certificate(problem, x, eta)
    else:
        p = Point.of(problem, x)
        c, finite = _certificate(p, eta, problem.convex), p.q.finite
    result: Certificate = unbatch(_spoil(c, finite & finite_x), batched(problem))
    return result


def support(problem: Problem, x: Array, dual: Array | None) -> Array:
    """Where x (B, n) is nonzero: its value outweighs its multiplier lam - r, and the accuracy to which the pair is known.

    The vertices of a `LinearProgram` have no such pairs: there the accuracy of the certificate decides alone.
    """
    xp = namespace(x)
    usable, rounding = xp.isfinite(x), ROUNDING[dtype_name(problem.data)]
    x64 = float64(xp.where(usable, x, xp.zeros_like(x)))
    if isinstance(problem, LinearProgram):
        size = xp.max(xp.abs(x64), axis=1, keepdims=True)
        return usable & (xp.abs(x64) > xp.clip(verify(problem, x, dual).kkt, rounding, 1.0)[:, None] * size)
    p = Point.of(problem, x64)
    eta = xp.zeros_like(p.slack) if dual is None else xp.where(p.q.inequalities, float64(dual), xp.zeros_like(p.slack))
    value, r, lam = p.scaled(p.reduced_gradient(eta))
    if not p.q.nonnegative:
        value, r = xp.abs(value), xp.abs(r)
    multiplier = xp.where(lam > r, lam - r, xp.zeros_like(r))
    accuracy = xp.clip(p.kkt(eta), rounding, 1.0)[:, None]
    return usable & p.q.columns & (value > multiplier) & (value > accuracy)


def _certificate(p: Point, eta: Array | None, convex: bool) -> Certificate:
    xp = namespace(p.x)
    if eta is None:
        eta = multipliers(p.q, p.x)
    eta = xp.where(p.q.inequalities, eta, xp.zeros_like(eta))
    objective = p.objective()
    bound = p.lower_bound(eta) if convex else xp.full_like(objective, xp.nan)  # erratum E3
    gap = (objective - bound) / p.value()
    return Certificate(objective, bound, gap, p.kkt(eta), p.violation(), convex)


def _candidate(name: str, a: Any, data: Array, size: int) -> Array:
    a = float64(match(as_float(name, a), data))
    expected = (size,) if data.ndim == 1 else (int(data.shape[0]), size)
    if tuple(a.shape) != expected:
        raise ValueError(f"{name}: expected shape {expected}, got {tuple(a.shape)}")
    return a if a.ndim == 2 else a[None, :]


def _spoil(c: Certificate, good: Array) -> Certificate:
    """`c` with nothing proven for signals that are not good."""
    xp = namespace(c.kkt)
    nan, inf = xp.full_like(c.kkt, xp.nan), xp.full_like(c.kkt, xp.inf)
    good = good & xp.isfinite(c.objective) & xp.isfinite(c.kkt)
    return Certificate(
        xp.where(good, c.objective, nan), xp.where(good, c.lower_bound, nan), xp.where(good, c.gap, nan),
        xp.where(good, c.kkt, inf), xp.where(good, c.violation, inf), c.convex,
    )  # fmt: skip


def unbatch(result: Any, keep: bool) -> Any:
    """A frozen dataclass of (B, ..) arrays without the leading axis, unless `keep`."""
    if keep:
        return result
    values = {f.name: getattr(result, f.name) for f in fields(result)}
    return replace(result, **{k: v[0] for k, v in values.items() if getattr(v, "ndim", 0) > 0})
