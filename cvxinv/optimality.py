"""Certificates: objective, violation, KKT residual and duality gap of any point of any statement (SPEC: the family (Q)).

Everything is computed in float64 from the statement's own data, for all signals at once, and without solving the problem.

**Scaling.** Let D_j be the norm of column j over the rows that the signal's problem involves, and s = max(||t||, ||A x||),
with ||d|| in place of ||t|| where t = 0 (and the size of x itself where d = 0 too: there x = 0 is a solution). x_j is measured
in s / D_j and multipliers of rows in s, which makes every residual below relative, and invariant when signal, matrix or single
columns are rescaled (with lam and gamma rescaled accordingly).

**KKT residual.** With theta = t - A x, r = A'theta - C'eta - gamma x, the largest entry of the natural residuals

    | x_j - prox_j(x_j + r_j) |    and    | min(eta_i, d_i - C_i x) |        (in the scaled units),

where prox_j is soft-thresholding at lam_j, clipped at 0 where x >= 0. They are zero exactly at a solution: the first holds
stationarity, x >= 0 and its complementarity; the second C x <= d, eta >= 0 and theirs.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from . import newton
from .arrays import Array, as_float, float64, match, namespace
from .problems import LastLayer, LinearProgram, Problem, Quadratic, as_problem, batched

CHUNK = 64  # signals whose multipliers are recovered at a time: bounds the memory of (B, n, n)


@dataclass(frozen=True, eq=False)
class Certificate:
    """What can be said about given points x, (B,) each (0-d for one signal), in float64.

    Attributes
    ----------
    objective : value of the statement's objective at x (constraints ignored)
    lower_bound : a proven lower bound on the optimal value; nan where none is available (lam = gamma = 0, not convex)
    gap : (objective - lower_bound) / max(1/2 s^2, |objective|); nan where unavailable
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


def _norm(a: Array) -> Array:
    xp = namespace(a)
    return xp.sqrt(xp.sum(a * a, axis=1))


def _column_norms(q: Quadratic) -> Array:
    """D (B, n); where a column is zero, the largest of the others (any positive number would do)."""
    xp = namespace(q.t)
    D = xp.sqrt(xp.astype(q.rows | q.inequalities, xp.float64) @ (q.W * q.W))
    largest = xp.max(D, axis=1, keepdims=True)
    D = xp.where(D > 0, D, largest)
    return xp.where(D > 0, D, xp.ones_like(D))


def _positive(a: Array) -> Array:
    """`a` where it is positive, else 1: a divisor for relative figures."""
    xp = namespace(a)
    return xp.where(a > 0, a, xp.ones_like(a))


@dataclass(frozen=True)
class _Point:
    """A point of (Q) with what its certificate needs: residual, column norms D and scale s."""

    q: Quadratic
    x: Array
    theta: Array
    slack: Array
    D: Array
    s: Array

    @classmethod
    def at(cls, q: Quadratic, x: Array) -> "_Point":
        xp = namespace(x)
        Wx = x @ q.W.T
        zero = xp.zeros_like(Wx)
        theta, slack = xp.where(q.rows, q.t - Wx, zero), xp.where(q.inequalities, q.d - Wx, zero)
        D = _column_norms(q)
        t, d = _norm(q.t), _norm(q.d)
        given = xp.where(t > 0, t, d)
        larger = xp.maximum(given, _norm(xp.where(q.rows, Wx, zero)))
        return cls(q, x, theta, slack, D, _positive(xp.where(given > 0, larger, xp.max(D * xp.abs(x), axis=1))))

    def objective(self) -> Array:
        xp = namespace(self.x)
        q = self.q
        return 0.5 * xp.sum(self.theta**2, axis=1) + xp.sum(q.lam * xp.abs(self.x), axis=1) + 0.5 * q.gamma * xp.sum(self.x**2, axis=1)

    def reduced_gradient(self, eta: Array) -> Array:
        """R = A'theta - C'eta - gamma x."""
        return (self.theta - eta) @ self.q.W - self.q.gamma * self.x

    def scaled(self, r: Array) -> tuple[Array, Array, Array]:
        """(x_j, r_j, lam_j) in units in which they can be compared."""
        unit = self.s[:, None]
        return self.x * self.D / unit, r / (self.D * unit), self.q.lam / (self.D * unit)

    def kkt(self, eta: Array) -> Array:
        xp = namespace(self.x)
        x, r, lam = self.scaled(self.reduced_gradient(eta))
        columns = xp.where(self.q.columns, xp.abs(x - _prox(self.q, x + r, lam)), xp.abs(x))
        rows = xp.where(self.q.inequalities, xp.abs(xp.minimum(eta, self.slack)), xp.zeros_like(eta)) / self.s[:, None]
        return xp.maximum(_max(columns), _max(rows))

    def violation(self) -> Array:
        xp = namespace(self.x)
        x, _, _ = self.scaled(xp.zeros_like(self.x))
        negative = xp.where(x < 0, -x, xp.zeros_like(x)) if self.q.nonnegative else xp.zeros_like(x)
        columns = xp.where(self.q.columns, negative, xp.abs(x))
        rows = xp.where(self.slack < 0, -self.slack, xp.zeros_like(self.slack)) / self.s[:, None]
        return xp.maximum(_max(columns), _max(rows))

    def lower_bound(self, eta: Array) -> Array:
        """The dual objective, at (theta, eta) for gamma > 0, at their best feasible multiple for gamma = 0 < lam."""
        xp = namespace(self.x)
        q, theta = self.q, self.theta
        eta = xp.where(q.inequalities & (eta > 0), eta, xp.zeros_like(eta))
        v = (theta - eta) @ q.W
        linear = xp.sum(q.t * theta, axis=1) - xp.sum(q.d * eta, axis=1)
        square = xp.sum(theta**2, axis=1)
        v = v if q.nonnegative else xp.abs(v)
        v = xp.where(q.columns, v, xp.zeros_like(v))
        if q.gamma > 0:
            over = xp.where(v > q.lam, v - q.lam, xp.zeros_like(v))
            return linear - 0.5 * square - 0.5 / q.gamma * xp.sum(over**2, axis=1)
        positive = v > 0
        limits = xp.where(positive, q.lam / xp.where(positive, v, xp.ones_like(v)), xp.full_like(v, xp.inf))
        best = linear / _positive(square)
        c = xp.minimum(xp.where(best > 0, best, xp.zeros_like(best)), xp.min(limits, axis=1))
        c = xp.where(square > 0, c, xp.clip(xp.min(limits, axis=1), 0.0, 1.0))
        value = c * linear - 0.5 * c * c * square
        return xp.where(xp.all((q.lam > 0) | ~q.columns, axis=1), value, xp.full_like(value, xp.nan))


def _max(a: Array) -> Array:
    """Largest entry of each row, zero for rows without entries."""
    xp = namespace(a)
    return xp.max(a, axis=1) if a.shape[1] else xp.zeros_like(xp.sum(a, axis=1))


def _prox(q: Quadratic, w: Array, lam: Array) -> Array:
    xp = namespace(w)
    zero = xp.zeros_like(w)
    up = xp.where(w > lam, w - lam, zero)
    return up if q.nonnegative else up - xp.where(w < -lam, -w - lam, zero)


def _multipliers(q: Quadratic, x: Array) -> Array:
    """Multipliers eta that fit x best: the non-negative least squares fit of C'eta to the reduced gradient.

    Rows count as active within three tolerances in turn, for the signals that still need it; the smallest KKT residual decides.
    """
    xp = namespace(x)
    best = xp.zeros_like(q.t)
    smallest = _Point.at(q, x).kkt(best)
    for tol in (1e-11, 1e-8, 1e-5):
        left = xp.nonzero(smallest > 1e-12)[0]
        if left.shape[0] == 0:
            break
        p = _Point.at(q[left], x[left])
        eta = _fit(p, tol)
        now = p.kkt(eta)
        better = now < smallest[left]
        best[left[better]], smallest[left[better]] = eta[better], now[better]
    return best


def _fit(p: _Point, tol: float) -> Array:
    """The fit for rows that are active to `tol`, as the multipliers of a projection.

    Namely of the gradient onto the cone of directions that keep the active constraints, which are those of the fit.
    """
    xp = namespace(p.x)
    q, unit = p.q, p.s[:, None]
    norm = xp.sqrt(xp.sum(q.W * q.W, axis=0))
    norm = xp.where(norm > 0, norm, xp.ones_like(norm))
    none = xp.zeros_like(p.slack)
    x, r, lam = p.x * norm / unit, p.reduced_gradient(none) / (norm * unit), q.lam / (norm * unit)
    zero, one = xp.zeros_like(x), xp.ones_like(x)
    at_zero = (x <= tol) if q.nonnegative else xp.zeros_like(x, dtype=xp.bool)
    active = q.inequalities & (p.slack <= tol * unit)
    cone = newton.Scaled(q.W / norm, none, none > 0, none, active, one, r - lam, zero, at_zero, q.columns)
    fit = newton.solve(cone, newton.Iterate(zero, none, zero), tol=1e-13)
    return xp.where(active & (fit.eta > 0), fit.eta, none) * unit


def multipliers(q: Quadratic, x: Array) -> Array:
    """The multipliers (B, m) of the inequalities that fit x best."""
    xp = namespace(x)
    if q.size == 0 or not bool(xp.any(q.inequalities)):
        return xp.zeros_like(q.t)
    return xp.concat([_multipliers(q[k : k + CHUNK], x[k : k + CHUNK]) for k in range(0, q.size, CHUNK)], axis=0)


def support(q: Quadratic, x: Array, dual: Array) -> Array:
    """Where x is nonzero (B, n): its value outweighs its multiplier lam - r, and the accuracy to which the pair is known."""
    xp = namespace(x)
    p = _Point.at(q, x)
    value, r, lam = p.scaled(p.reduced_gradient(dual))
    if not q.nonnegative:
        value, r = xp.abs(value), xp.abs(r)
    multiplier = xp.where(lam > r, lam - r, xp.zeros_like(r))
    accuracy = xp.clip(p.kkt(dual), 1e-10, 1.0)[:, None]
    return q.columns & (value > multiplier) & (value > accuracy)


def _quadratic_certificate(q: Quadratic, x: Array, dual: Array | None) -> Certificate:
    p = _Point.at(q, x)
    eta = multipliers(q, x) if dual is None else dual
    bound, objective = p.lower_bound(eta), p.objective()
    return Certificate(objective, bound, _gap(objective, bound, p.s), p.kkt(eta), p.violation())


def _gap(objective: Array, bound: Array, s: Array) -> Array:
    xp = namespace(objective)
    return (objective - bound) / xp.maximum(0.5 * s * s, xp.abs(objective))


def _nonconvex_certificate(problem: LastLayer, y: Array, finite: Array, x: Array) -> Certificate:
    """Stationarity of eq. 5 with a nonlinear phi; there is no lower bound (erratum E3)."""
    xp = namespace(x)
    linear = replace(problem, activation="identity").quadratic()
    W, seen, phi = linear.W, linear.rows, problem.phi
    t = x @ W.T if problem.bias is None else x @ W.T + float64(problem.bias)
    zero = xp.zeros_like(t)
    y = xp.where(seen & finite[:, None], y, zero)
    theta = xp.where(seen, y - phi(t), zero)
    s = _positive(xp.maximum(_norm(y), _norm(xp.where(seen, phi(t), zero))))[:, None]
    D = _column_norms(linear)
    r = xp.where(seen, theta * phi.derivative(t), zero) @ W / (D * s)
    columns = xp.abs(x * D / s - _prox(linear, x * D / s + r, linear.lam / (D * s)))
    objective = 0.5 * xp.sum(theta**2, axis=1) + problem.lam * xp.sum(xp.abs(x), axis=1)
    nan = xp.full_like(objective, xp.nan)
    return Certificate(objective, nan, nan, _max(columns), _max(xp.where(x < 0, -x * D / s, xp.zeros_like(x))), convex=False)


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
    finite_x = xp.all(xp.isfinite(x), axis=1) & (True if eta is None else xp.all(xp.isfinite(eta), axis=1))
    x = xp.where(finite_x[:, None], x, xp.zeros_like(x))
    eta = None if eta is None else xp.where(finite_x[:, None], eta, xp.zeros_like(eta))
    if isinstance(problem, LinearProgram):
        from .linear_program import certificate

        c, finite = certificate(problem, x, eta)
    elif not problem.convex and isinstance(problem, LastLayer):
        finite = replace(problem, activation="identity").quadratic().finite
        c = _nonconvex_certificate(problem, float64(data if batched(problem) else data[None, :]), finite, x)
    else:
        q = problem.quadratic()
        finite = q.finite
        eta = None if eta is None else xp.where(q.inequalities, eta, xp.zeros_like(eta))
        c = _quadratic_certificate(q, x, eta)
    result: Certificate = unbatch(_spoil(c, finite & finite_x), batched(problem))
    return result


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
