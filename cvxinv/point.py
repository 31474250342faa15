"""A point of a statement and the figures from which certificates are made; the scaling is explained in `optimality`."""

from dataclasses import dataclass, replace
from typing import Any

from . import newton
from .arrays import Array, float64, namespace
from .problems import LastLayer, LayerProblem, batched
from .quadratic import Quadratic

# Below these (relative to D s and to D^2) rounding decides the lower bound: a gradient known to 1e-14 costs the gap
# 1/2 (1e-14 / lam)^2, respectively 1/2 (1e-14)^2 / gamma.
LEAST_LAM, LEAST_GAMMA = 1e-9, 1e-20


def norm(a: Array) -> Array:
    """Euclidean norm of each row."""
    xp = namespace(a)
    return xp.sqrt(xp.sum(a * a, axis=1))


def column_norms(q: Quadratic) -> Array:
    """D (B, n): norms of the columns of A; of A and C together where that is zero; the largest of the others where both are."""
    xp = namespace(q.t)
    squares = q.W * q.W
    D = xp.sqrt(xp.astype(q.rows, xp.float64) @ squares)
    D = xp.where(D > 0, D, xp.sqrt(xp.astype(q.inequalities, xp.float64) @ squares))
    D = xp.where(D > 0, D, xp.max(D, axis=1, keepdims=True))
    return positive(D)


def positive(a: Array) -> Array:
    """`a` where it is positive, else 1: a divisor for relative figures."""
    xp = namespace(a)
    return xp.where(a > 0, a, xp.ones_like(a))


def largest_of(a: Array) -> Array:
    """Largest entry of each row, zero for rows without entries."""
    xp = namespace(a)
    return xp.max(a, axis=1) if a.shape[1] else xp.zeros_like(xp.sum(a, axis=1))


def scale(q: Quadratic, D: Array, target: Array, value: Array, x: Array) -> Array:
    """The unit s (B,): the size of what is fitted, or of d, or of x itself (see `optimality`)."""
    xp = namespace(x)
    t, d = norm(target), norm(q.d)
    given = xp.where(t > 0, t, d)
    own = xp.max(D * xp.abs(x), axis=1)
    return positive(xp.where(given > 0, xp.maximum(given, norm(value)), own))


@dataclass(frozen=True)
class Point:
    """A point x of (Q), or of eq. 5 with a nonlinear phi, and what its certificate needs.

    `misfit` is what the objective squares, `theta` what the gradient multiplies by A': both t - A x for (Q), and y - phi(t) and
    phi'(t) (y - phi(t)) with t = W x + b for eq. 5.
    """

    q: Quadratic
    x: Array
    misfit: Array
    theta: Array
    slack: Array
    size: Array  # (B, m): size of a row's terms, to which slack and violation are relative; at most s
    D: Array
    s: Array

    def __getitem__(self, b: Any) -> "Point":
        """The same for some of the signals."""
        return Point(self.q[b], self.x[b], self.misfit[b], self.theta[b], self.slack[b], self.size[b], self.D[b], self.s[b])

    @classmethod
    def quadratic(cls, q: Quadratic, x: Array) -> "Point":
        """x (B, n) as a point of (Q)."""
        xp = namespace(x)
        Wx = x @ q.W.T
        zero = xp.zeros_like(Wx)
        theta, slack = xp.where(q.rows, q.t - Wx, zero), xp.where(q.inequalities, q.d - Wx, zero)
        D = column_norms(q)
        s = scale(q, D, q.t, xp.where(q.rows, Wx, zero), x)
        reach = xp.sqrt((1 / D**2) @ (q.W * q.W).T) * s[:, None]  # of C_i x for x of size s / D
        size = xp.minimum(xp.maximum(xp.abs(q.d), reach), s[:, None])
        return cls(q, x, theta, theta, slack, positive(size), D, s)

    @classmethod
    def nonconvex(cls, problem: LastLayer, x: Array) -> "Point":
        """x (B, n) as a point of eq. 5 with a nonlinear phi."""
        xp = namespace(x)
        q, phi = replace(problem, activation="identity").quadratic(), problem.phi
        t = x @ q.W.T if problem.bias is None else x @ q.W.T + float64(problem.bias)
        zero = xp.zeros_like(t)
        y = xp.where(q.rows & q.finite[:, None], float64(problem.y if batched(problem) else problem.y[None, :]), zero)
        value = xp.where(q.rows, phi(t), zero)
        D = column_norms(q)
        return cls(q, x, y - value, (y - value) * phi.derivative(t), zero, zero + 1, D, scale(q, D, y, value, x))

    @classmethod
    def of(cls, problem: LayerProblem, x: Array) -> "Point":
        """x (B, n) as a point of its statement, any but a linear program."""
        if isinstance(problem, LastLayer) and not problem.convex:
            return cls.nonconvex(problem, x)
        return cls.quadratic(problem.quadratic(), x)

    def objective(self) -> Array:
        """The statement's objective (B,), constraints ignored."""
        xp = namespace(self.x)
        q = self.q
        return 0.5 * xp.sum(self.misfit**2, axis=1) + xp.sum(q.lam * xp.abs(self.x), axis=1) + 0.5 * q.gamma * xp.sum(self.x**2, axis=1)

    def reduced_gradient(self, eta: Array) -> Array:
        """r = A'theta - C'eta - gamma x."""
        return (self.theta - eta) @ self.q.W - self.q.gamma * self.x

    def scaled(self, r: Array) -> tuple[Array, Array, Array]:
        """(x_j, r_j, lam_j) in units in which they can be compared."""
        unit = self.s[:, None]
        return self.x * self.D / unit, r / (self.D * unit), self.q.lam / (self.D * unit)

    def kkt(self, eta: Array) -> Array:
        """Largest natural residual, and relative complementarity in sum, (B,), with multipliers eta (B, m)."""
        xp = namespace(self.x)
        x, r, lam = self.scaled(self.reduced_gradient(eta))
        nonnegative = xp.full_like(self.q.columns, self.q.nonnegative)
        columns = xp.where(self.q.columns, xp.abs(newton.natural(x, r, lam, nonnegative)), xp.abs(x))
        multiplier, slack = eta * self.size / self.s[:, None] ** 2, self.slack / self.size
        rows = xp.where(self.q.inequalities, xp.abs(xp.minimum(multiplier, slack)), xp.zeros_like(eta))
        products = xp.sum(xp.abs(lam * xp.abs(x) - r * x), axis=1) + xp.sum(xp.abs(multiplier * slack), axis=1)
        gap = products * self.s**2 / self.value()
        return xp.maximum(xp.maximum(largest_of(columns), largest_of(rows)), gap)

    def value(self) -> Array:
        """The unit of objectives (B,): max(1/2 s^2, objective)."""
        return namespace(self.s).maximum(0.5 * self.s * self.s, self.objective())

    def violation(self) -> Array:
        """Largest relative violation of the constraints (B,)."""
        xp = namespace(self.x)
        x, _, _ = self.scaled(xp.zeros_like(self.x))
        negative = xp.where(x < 0, -x, xp.zeros_like(x)) if self.q.nonnegative else xp.zeros_like(x)
        columns = xp.where(self.q.columns, negative, xp.abs(x))
        rows = xp.where(self.slack < 0, -self.slack, xp.zeros_like(self.slack)) / self.size
        return xp.maximum(largest_of(columns), largest_of(rows))

    def lower_bound(self, eta: Array) -> Array:
        """The dual objective, at (theta, eta) for gamma > 0, at their best feasible multiple for gamma = 0 < lam; else nan.

        Also nan where lam or gamma is so small that rounding of the gradient, not the point, would decide the bound.
        """
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
            value = linear - 0.5 * square - 0.5 / q.gamma * xp.sum(over**2, axis=1)
            weighty = q.gamma >= LEAST_GAMMA * self.D**2
            return xp.where(xp.all(weighty | ~q.columns, axis=1), value, xp.full_like(value, xp.nan))
        up = v > 0
        limits = xp.where(up, q.lam / xp.where(up, v, xp.ones_like(v)), xp.full_like(v, xp.inf))
        best = linear / positive(square)
        c = xp.minimum(xp.where(best > 0, best, xp.zeros_like(best)), xp.min(limits, axis=1))
        c = xp.where(square > 0, c, xp.clip(xp.min(limits, axis=1), 0.0, 1.0))
        value = c * linear - 0.5 * c * c * square
        weighty = (q.lam > 0) & (q.lam >= LEAST_LAM * self.D * self.s[:, None])
        return xp.where(xp.all(weighty | ~q.columns, axis=1), value, xp.full_like(value, xp.nan))
