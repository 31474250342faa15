"""A point of a statement, alone and with multipliers, and the figures of its certificate; the
scaling is explained in `optimality`.

They are computed for every answer of every batch, so they are arranged for speed: products and
bounds rather than choices by mask, each product with W once, and nothing for inequalities where the
statement has none.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from cvxinv import newton
from cvxinv.arrays import Array, float64, namespace
from cvxinv.problems import LastLayer, LayerProblem, Quadratic, batched

# Below these (relative to D s and to D^2) rounding decides the lower bound: a gradient known to
# 1e-14 costs the gap 1/2 (1e-14 / lam)^2, respectively 1/2 (1e-14)^2 / gamma.
LEAST_LAM, LEAST_GAMMA = 1e-9, 1e-20
LEAST_SIZE = 1e-150  # of a row over s: squares of less underflow, so that it is a row of zeros


def norm(a: Array) -> Array:
    """Euclidean norm of each row."""
    return namespace(a).linalg.vector_norm(a, axis=1)


def positive(a: Array) -> Array:
    """`a` where it is positive, else 1: a divisor for relative figures."""
    return namespace(a).where(a > 0, a, 1.0)


def column_norms(q: Quadratic, squares: Array) -> Array:
    """D (B, n) given W * W: norms of the columns of A; of A and C together where that is zero; the
    largest of the others where both are.

    (1, n) where all signals have the same rows.
    """
    xp, D = namespace(squares), q.used @ squares
    if q.constrained:
        D = xp.where(D > 0, D, xp.sum(squares, axis=0))
    D = xp.sqrt(D)
    return xp.where(D > 0, D, positive(xp.max(D, axis=1, keepdims=True)))


def scale(q: Quadratic, target: Array, value: Array, xD: Array) -> Array:
    """The unit s (B,): the size of what is fitted, or of d, or of x itself (see `optimality`)."""
    xp = namespace(xD)
    given = norm(target)
    if q.constrained:
        given = xp.where(given > 0, given, norm(q.d))
    return positive(xp.where(given > 0, xp.maximum(given, norm(value)), xp.max(xp.abs(xD), axis=1)))


@dataclass(frozen=True)
class Point:
    """A point x of (Q), or of eq. 5 with a nonlinear phi, and what its certificate needs.

    `misfit` is what the objective squares, `theta` what the gradient multiplies by A': both t - A x
    for (Q), and y - phi(t) and phi'(t) (y - phi(t)) with t = W x + b for eq. 5.
    """

    q: Quadratic
    x: Array
    misfit: Array
    theta: Array
    D: Array  # (B, n), or (1, n) where all signals have the same
    s: Array
    size: Array = None  # (B, m): size of a row's terms, at most s; None without inequalities
    slack: Array = None  # (B, m): d - C x, relative to that size; zero off the inequalities

    @classmethod
    def quadratic(cls, q: Quadratic, x: Array) -> "Point":
        """x (B, n) as a point of (Q)."""
        xp = namespace(x)
        residual, squares = q.right - x @ q.W.T, q.W * q.W
        theta, D = residual * q.used, column_norms(q, squares)
        s = scale(q, q.t, q.t - theta, x * D)
        if not q.constrained:
            return cls(q, x, theta, theta, D, s)
        unit = s[:, None]
        reach = xp.sqrt((1 / (D * D)) @ squares.T)  # of C_i x over s, for x of size s / D
        size = xp.clip(xp.maximum(xp.abs(q.d) / unit, reach), LEAST_SIZE, 1.0) * unit
        return cls(q, x, theta, theta, D, s, size, (residual - theta) / size)

    @classmethod
    def nonconvex(cls, problem: LastLayer, x: Array) -> "Point":
        """x (B, n) as a point of eq. 5 with a nonlinear phi."""
        xp = namespace(x)
        q, phi = replace(problem, activation="identity").quadratic(), problem.phi
        t = x @ q.W.T if problem.bias is None else x @ q.W.T + float64(problem.bias)
        zero = xp.zeros_like(t)
        y = xp.where(
            q.rows & q.finite[:, None],
            float64(problem.y if batched(problem) else problem.y[None, :]),
            zero,
        )
        value = xp.where(q.rows, phi(t), zero)
        D = column_norms(q, q.W * q.W)
        return cls(q, x, y - value, (y - value) * phi.derivative(t), D, scale(q, y, value, x * D))

    @classmethod
    def of(cls, problem: LayerProblem, x: Array, q: Quadratic | None = None) -> "Point":
        """x (B, n) as a point of its statement, any but a linear program; `q` is
        `problem.quadratic()`, if it is there already.
        """
        if isinstance(problem, LastLayer) and not problem.convex:
            return cls.nonconvex(problem, x)
        return cls.quadratic(problem.quadratic() if q is None else q, x)

    @cached_property
    def squares(self) -> Array:
        """The sum of squares that the objective halves, (B,)."""
        return namespace(self.misfit).sum(self.misfit * self.misfit, axis=1)

    @cached_property
    def objective(self) -> Array:
        """The statement's objective (B,), constraints ignored."""
        xp, q = namespace(self.x), self.q
        value = 0.5 * self.squares + xp.sum(q.lam * xp.abs(self.x), axis=1)
        return value + 0.5 * q.gamma * xp.sum(self.x * self.x, axis=1) if q.gamma > 0 else value

    @cached_property
    def value(self) -> Array:
        """The unit of objectives (B,): max(1/2 s^2, objective)."""
        return namespace(self.s).maximum(0.5 * self.s * self.s, self.objective)

    @cached_property
    def scaled(self) -> Array:
        """x in units in which its entries can be compared."""
        return self.x * self.D / self.s[:, None]

    def violation(self) -> Array:
        """Largest relative violation of the constraints (B,)."""
        xp, q, x = namespace(self.x), self.q, self.scaled
        worst = xp.zeros_like(self.s)
        if q.restricted:
            worst = xp.max(xp.where(q.columns, 0.0, xp.abs(x)), axis=1)
        if q.nonnegative:
            worst = xp.maximum(worst, -xp.min(x, axis=1))
        return xp.maximum(worst, -xp.min(self.slack, axis=1)) if q.constrained else worst

    def kkt(self, eta: Array) -> Array:
        """KKT residual (B,) with multipliers eta (B, m), zero off the inequalities."""
        return Pair.of(self, eta).kkt


@dataclass(frozen=True)
class Pair:
    """A point with multipliers of its inequalities, and (x_j, r_j, lam_j) in units in which they
    can be compared.
    """

    at: Point
    eta: Array  # (B, m); not looked at where the statement has no inequalities
    unit: Array  # D_j s, in which r and lam are measured
    x: Array
    r: Array
    lam: Array

    @classmethod
    def of(cls, at: Point, eta: Array) -> "Pair":
        """With eta zero off the inequalities."""
        q, unit = at.q, at.D * at.s[:, None]
        r = (at.theta - eta if q.constrained else at.theta) @ q.W
        return cls(
            at,
            eta,
            unit,
            at.scaled,
            (r - q.gamma * at.x if q.gamma > 0 else r) / unit,
            q.lam / unit,
        )

    @cached_property
    def kkt(self) -> Array:
        """Largest natural residual, and relative complementarity in sum, (B,)."""
        xp, at, q = namespace(self.x), self.at, self.at.q
        x, r, lam, size = self.x, self.r, self.lam, xp.abs(self.x)
        columns = xp.abs(newton.natural(x, r, lam, q.nonnegative))
        if q.restricted:
            columns = xp.where(q.columns, columns, size)
        worst, products = xp.max(columns, axis=1), xp.sum(xp.abs(lam * size - r * x), axis=1)
        if q.constrained:
            multiplier = self.eta * at.size / (at.s * at.s)[:, None]
            worst = xp.maximum(worst, xp.max(xp.abs(xp.minimum(multiplier, at.slack)), axis=1))
            products = products + xp.sum(xp.abs(multiplier * at.slack), axis=1)
        return xp.maximum(worst, products * (at.s * at.s) / at.value)

    def support(self, accuracy: float) -> Array:
        """(B, n) bool: value outweighs multiplier lam - r, and the accuracy to which the pair is
        known, `accuracy` at least.
        """
        xp, q = namespace(self.x), self.at.q
        value, r = (self.x, self.r) if q.nonnegative else (xp.abs(self.x), xp.abs(self.r))
        found = value > xp.maximum(self.lam - r, xp.clip(self.kkt, accuracy, 1.0)[:, None])
        return found & q.columns if q.restricted else found

    def lower_bound(self) -> Array:
        """The dual objective, at (theta, eta) for gamma > 0, at their best feasible multiple for
        gamma = 0 < lam; else nan.

        Also nan where lam or gamma is so small that rounding of the gradient, not the point, would
        decide the bound.
        """
        xp, at, q = namespace(self.x), self.at, self.at.q
        D, lam = at.D, self.lam
        y = (
            at.theta - xp.clip(self.eta, 0, None) if q.constrained else at.theta
        )  # the dual knows no negative multipliers
        v = self.r if not q.constrained and q.gamma == 0 else y @ q.W / self.unit
        linear = xp.sum(q.right * y, axis=1)
        v = v if q.nonnegative else xp.abs(v)
        if q.restricted:  # the other columns bound nothing
            v, D, lam = (
                xp.where(q.columns, v, 0.0),
                xp.where(q.columns, D, 0.0),
                xp.where(q.columns, lam, xp.inf),
            )
        if q.gamma > 0:
            over = xp.clip(v - lam, 0, None) * self.unit
            value = linear - 0.5 * at.squares - 0.5 / q.gamma * xp.sum(over * over, axis=1)
            known = q.gamma >= LEAST_GAMMA * xp.max(D, axis=1) ** 2
        else:
            tightest = xp.max(
                v / xp.clip(lam, LEAST_LAM, None), axis=1
            )  # 1 / the largest feasible multiple
            best = xp.where(at.squares > 0, xp.clip(linear, 0, None) / positive(at.squares), 1.0)
            c = best / xp.clip(best * tightest, 1.0, None)
            value = c * linear - 0.5 * c * c * at.squares
            known = xp.min(lam, axis=1) >= LEAST_LAM
        return xp.where(known, value, xp.nan)
