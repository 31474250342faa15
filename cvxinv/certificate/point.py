"""A point of a statement, in the units of `verify`.

Points and pairs are computed for every answer of every batch, so they are arranged for speed:
products and bounds rather than choices by mask, each product with W once, and nothing for
inequalities where the statement has none.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from cvxinv.arrays import Array, at_least, float64, namespace
from cvxinv.newton import units
from cvxinv.problems import LastLayer, Quadratic, batched

IDLE = 2.0**-46  # relative: what rounding makes of an x for which nothing asks
LEAST = 1e-140  # of s: squares of less are zero
MOST = 1e120  # of s over the size of a row: what squares can hold


@dataclass(frozen=True)
class Point:
    """A point x of (Q) without inequalities, or of eq. 5 with a nonlinear phi.

    `misfit` is what the objective squares, `theta` what the gradient multiplies by A': both t - A x
    for (Q), and y - phi(t) and phi'(t) (y - phi(t)) with t = W x + b for eq. 5.
    """

    q: Quadratic
    x: Array
    misfit: Array
    theta: Array
    D: Array  # (B, n), or (1, n) where all signals have the same
    s: Array
    idle: Array  # (B,) bool: the data ask for nothing, x = 0 is a solution and costs nothing
    constant: Array | float  # (B,) or 0.0: squares of data on rows of zeros, which no x changes

    @cached_property
    def positive(self) -> bool:
        """Whether no entry of x is below zero."""
        return bool(namespace(self.x).all(self.x >= 0))

    @cached_property
    def squares(self) -> Array:
        """The sum of squares that the objective halves, (B,), but for the constant."""
        return namespace(self.misfit).vecdot(self.misfit, self.misfit)

    @cached_property
    def weighted(self) -> Array:
        """What the weights add to the objective, (B,)."""
        xp, q = namespace(self.x), self.q
        value = xp.vecdot(q.lam, self.x if self.positive else xp.abs(self.x))
        return value + 0.5 * q.gamma * xp.vecdot(self.x, self.x) if q.gamma > 0 else value

    @cached_property
    def cost(self) -> Array:
        """The objective (B,) but for the constant."""
        return 0.5 * self.squares + self.weighted

    @property
    def objective(self) -> Array:
        """The statement's objective (B,), constraints ignored."""
        return self.cost + 0.5 * self.constant

    @cached_property
    def value(self) -> Array:
        """The unit of objectives (B,): max(1/2 s^2, cost)."""
        return namespace(self.s).maximum(0.5 * self.s * self.s, self.cost)

    @cached_property
    def scaled(self) -> Array:
        """x in units in which its entries can be compared."""
        return self.x * self.D / self.s[:, None]

    @cached_property
    def sizes(self) -> Array:
        """|x| in units in which its entries can be compared."""
        return self.scaled if self.positive else namespace(self.x).abs(self.scaled)

    @cached_property
    def length(self) -> Array:
        """sum_j D_j |x_j| / s, (B,): the terms of A x are no larger, in units of s."""
        return namespace(self.x).sum(self.sizes, axis=1)

    def violation(self) -> Array:
        """Largest relative violation of the constraints (B,)."""
        xp, q, x = namespace(self.x), self.q, self.scaled
        worst = xp.zeros_like(self.s)
        if q.restricted:
            worst = xp.max(xp.where(q.columns, 0.0, self.sizes), axis=1)
            worst = xp.where(self.idle & (worst > IDLE), 1.0, worst)
        if q.nonnegative and not self.positive:
            worst = xp.maximum(worst, xp.maximum(-xp.min(x, axis=1), self.below_zero()))
        return worst

    def below_zero(self) -> Array:
        """Size of the entries below zero beside the largest of x, (B,): columns of very different
        norms do not show it.
        """
        xp = namespace(self.x)
        return -xp.min(self.x, axis=1) / units.positive(xp.max(xp.abs(self.x), axis=1))


@dataclass(frozen=True)
class ConstrainedPoint(Point):
    """A point of (Q) with inequalities."""

    size: Array  # (B, m): size of a row's terms, at most s
    slack: Array  # (B, m): d - C x, relative to that size; zero off the inequalities

    def violation(self) -> Array:
        """Largest relative violation of the constraints (B,)."""
        xp = namespace(self.x)
        return xp.maximum(super().violation(), -xp.min(self.slack, axis=1))

    def below_zero(self) -> Array:
        """Size of the entries below zero beside x, and beside the rows of C that they change."""
        xp, W, unit = namespace(self.x), self.q.W, self.s[:, None]
        weight = xp.where(self.q.inequalities, xp.clip(unit / self.size, 0, MOST), 0.0)
        in_rows = self.x / unit * xp.sqrt((weight * weight) @ (W * W))
        return xp.maximum(super().below_zero(), -xp.min(in_rows, axis=1))


def quadratic_point(q: Quadratic, x: Array) -> Point:
    """x (B, n) as a point of (Q)."""
    xp = namespace(x)
    residual, squares = q.right - x @ q.W.T, q.W * q.W
    t, theta, D = q.t, residual * q.used, units.column_norms(q, squares)
    constant: Array | float = 0.0
    empty = xp.sum(squares, axis=1) == 0
    if bool(xp.any(empty)):  # rows of zeros: their data set no scale
        filled = xp.astype(~empty, xp.float64)
        constant = xp.sum((t * (1 - filled)) ** 2, axis=1)
        t, theta = t * filled, theta * filled
    given = units.norm(t)
    idle, reached = given == 0, None
    if q.constrained:
        reached = units.reach(D, squares)
        if bool(xp.any(idle)):  # then only C x <= d can ask for an x, of norm -d_i / ||C_i / D||
            needed = at_least(xp.max(-q.d / units.positive(reached), axis=1), 0)
            given = xp.where(idle, needed, given)
            idle = given == 0
    s = at_least(units.signal_sizes(given, t - theta, x * D), LEAST)
    if reached is None:
        return Point(q, x, theta, theta, D, s, idle, constant)
    size = units.row_sizes(q.d, s, reached)
    slack = (1 - q.used) * residual / size
    return ConstrainedPoint(q, x, theta, theta, D, s, idle, constant, size, slack)


def nonconvex_point(problem: LastLayer, x: Array) -> Point:
    """x (B, n) as a point of eq. 5 with a nonlinear phi."""
    xp = namespace(x)
    q, phi = replace(problem, activation="identity").quadratic(), problem.phi
    t = x @ q.W.T if problem.bias is None else x @ q.W.T + float64(problem.bias)
    y = float64(problem.y if batched(problem) else problem.y[None, :])
    y = xp.where(q.rows & q.finite[:, None], y, 0.0)
    value = xp.where(q.rows, phi(t), 0.0)
    D = units.column_norms(q, q.W * q.W)
    s = at_least(units.signal_sizes(units.norm(y), value, x * D), LEAST)
    idle = (units.norm(y) == 0) & (units.norm(value) == 0)
    theta = (y - value) * phi.derivative(t)
    return Point(q, x, y - value, theta, D, s, idle, 0.0)
