"""A point with multipliers: the KKT residual, and what the dual objective says of it."""

from dataclasses import dataclass
from functools import cached_property

from cvxinv import newton
from cvxinv.arrays import Array, at_least, namespace
from cvxinv.certificate.point import IDLE, ConstrainedPoint, Point

EPS = 2.0**-52
BLIND = 1e-4  # relative: rounding in A x with which x is no longer judged
FAR = 1e3  # sum_j D_j |x_j| / s from which on rounding of x is allowed for


def largest(a: Array) -> Array:
    """The largest absolute value of each row."""
    xp = namespace(a)
    return xp.maximum(xp.max(a, axis=1), -xp.min(a, axis=1))


@dataclass(frozen=True)
class Pair:
    """A point, A'theta - C'eta, and the dual point: y = theta on A's rows, -max(eta, 0) on C's."""

    at: Point
    gradient: Array  # (B, n)
    y: Array  # (B, m)

    @cached_property
    def unit(self) -> Array:
        """D_j s, in which gradients and weights are measured."""
        return self.at.D * self.at.s[:, None]

    @cached_property
    def r(self) -> Array:
        """The gradient r = A'theta - C'eta - gamma x, relative."""
        q = self.at.q
        return (self.gradient - q.gamma * self.at.x if q.gamma > 0 else self.gradient) / self.unit

    @cached_property
    def lam(self) -> Array:
        """The weights lam_j, relative."""
        return self.at.q.lam / self.unit

    @cached_property
    def pull(self) -> Array:
        """A'theta - C'max(eta, 0), relative: what the weights have to hold."""
        return self.r if self.at.q.gamma == 0 else self.gradient / self.unit

    @cached_property
    def slackness(self) -> Array | float:
        """sum_i max(eta_i, 0) (d_i - C_i x) in units of s^2, (B,)."""
        return 0.0

    @cached_property
    def columns(self) -> Array:
        """The natural residual of each entry, (B, n), with its sign."""
        q, x = self.at.q, self.at.scaled
        found = newton.natural(x, self.r, self.lam, q.nonnegative)
        return namespace(x).where(q.columns, found, x) if q.restricted else found

    @cached_property
    def natural(self) -> Array:
        """The largest natural residual, (B,), above what rounding of a far x makes of it: A x is
        known to eps sum_j D_j |x_j|. Where that is as much as `BLIND`, nothing is known.
        """
        xp, found = namespace(self.r), self._largest()
        rounding = 4 * EPS * at_least(self.at.length - FAR, 0)
        above = at_least(found - rounding, 0)
        return xp.where(rounding < BLIND, above, xp.maximum(found, rounding))

    def _largest(self) -> Array:
        return largest(self.columns)

    @cached_property
    def of_rows(self) -> Array:
        """sum_i |eta_i (d_i - C_i x)| in units of s^2, (B,)."""
        return 0.0 * self.at.s

    @cached_property
    def products(self) -> Array:
        """Complementarity in sum, (B,), relative to the unit of objectives."""
        xp, at, r = namespace(self.r), self.at, self.r
        r = r if at.q.nonnegative else xp.where(at.scaled < 0, -r, r)
        found = xp.vecdot(at.sizes, xp.abs(self.lam - r)) + self.of_rows
        return found * (at.s * at.s / at.value)

    @cached_property
    def wrong(self) -> Array:
        """(B,) bool: x costs something, and x = 0 would cost nothing."""
        at = self.at
        rounding = IDLE * at.s * (1 + at.length)
        return at.idle & ((at.weighted > 0) | (at.squares > rounding * rounding))

    @cached_property
    def complementarity(self) -> Array:
        """`products`, and no more than the cost of x: no solution costs less than nothing."""
        return namespace(self.r).minimum(self.products, self.at.cost / self.at.value)

    @property
    def kkt(self) -> Array:
        """The KKT residual (B,), from the pair alone."""
        return self.residual(self.complementarity)

    def residual(self, complementarity: Array) -> Array:
        """The KKT residual (B,), given what is known of complementarity."""
        xp = namespace(self.r)
        return xp.where(self.wrong, 1.0, xp.maximum(self.natural, complementarity))

    def support(self, accuracy: float) -> Array:
        """(B, n) bool: value outweighs multiplier lam - r, and the accuracy to which the pair is
        known, `accuracy` at least.
        """
        xp, at, q = namespace(self.r), self.at, self.at.q
        value, r = (at.scaled, self.r) if q.nonnegative else (at.sizes, xp.abs(self.r))
        known = xp.clip(self.kkt, accuracy, 1.0)[:, None]
        found = value > xp.maximum(self.lam - r, known)
        return found & q.columns if q.restricted else found


@dataclass(frozen=True)
class ConstrainedPair(Pair):
    """A pair of a statement with inequalities."""

    at: ConstrainedPoint
    eta: Array  # (B, m)
    signed: bool  # whether no multiplier is below zero

    @cached_property
    def multiplier(self) -> Array:
        """eta in its units, s^2 over the size of the row."""
        return self.eta * self.at.size / (self.at.s * self.at.s)[:, None]

    @cached_property
    def pull(self) -> Array:
        """A'theta - C'max(eta, 0), relative: what the weights have to hold."""
        return super().pull if self.signed else self.y @ self.at.q.W / self.unit

    @cached_property
    def slackness(self) -> Array:
        """sum_i max(eta_i, 0) (d_i - C_i x) in units of s^2, (B,)."""
        xp, eta = namespace(self.eta), self.multiplier
        return xp.vecdot(eta if self.signed else at_least(eta, 0), self.at.slack)

    def _largest(self) -> Array:
        xp = namespace(self.r)
        rows = largest(xp.minimum(self.multiplier, self.at.slack))
        return xp.maximum(super()._largest(), rows)

    @cached_property
    def of_rows(self) -> Array:
        """sum_i |eta_i (d_i - C_i x)| in units of s^2, (B,)."""
        xp = namespace(self.r)
        return xp.sum(xp.abs(self.multiplier * self.at.slack), axis=1)


def pair(at: Point, eta: Array | None) -> Pair:
    """The point with multipliers eta (B, m), zero off the inequalities; they say nothing, and may
    be None, where there are none.
    """
    xp, W = namespace(at.x), at.q.W
    if isinstance(at, ConstrainedPoint):
        assert eta is not None
        signed, y = bool(xp.all(eta >= 0)), at.theta - eta
        gradient = y @ W
        if not signed:  # the dual knows no negative multipliers
            y = at.theta - at_least(eta, 0)
        return ConstrainedPair(at, gradient, y, eta, signed)
    return Pair(at, at.theta @ W, at.theta)
