"""The problem that Newton's method solves, its iterates, and how far one is from a solution."""

from dataclasses import dataclass, field, fields
from typing import Any

from cvxinv.arrays import Array, namespace
from cvxinv.rows import SHARED


@dataclass(frozen=True)
class Scaled:
    """min 1/2 ||A x - t||^2 + 1/2 x'diag(q)x - g'x + sum_j h_j(x_j) subject to C x <= d, for B
    signals with unit-scaled columns.

    A = W[rows], C = diag(unit) W[inequalities]; h_j(x) = lam_j |x|, plus x >= 0 where
    `nonnegative`, plus x = 0 off `columns`.
    """

    W: Array = field(metadata=SHARED)  # (m, n)
    unit: Array = field(metadata=SHARED)  # (m,), what makes the rows of C comparable
    t: Array  # (B, m), zero off rows
    rows: Array  # (B, m) bool
    d: Array  # (B, m)
    inequalities: Array  # (B, m) bool
    q: Array  # (B, n)
    g: Array  # (B, n)
    lam: Array  # (B, n)
    nonnegative: Array  # (B, n) bool
    columns: Array  # (B, n) bool

    def __getitem__(self, b: Any) -> "Scaled":
        per_signal = {
            f.name: getattr(self, f.name)[b] for f in fields(self) if f.name not in ("W", "unit")
        }
        return Scaled(self.W, self.unit, **per_signal)

    def theta(self, Wx: Array) -> Array:
        """t - A x, zero off the rows. From the data, not from A'A: squaring the condition number
        would cost half the digits.
        """
        xp = namespace(Wx)
        return xp.where(self.rows, self.t - Wx, xp.zeros_like(Wx))

    def gram(self, weights: Array) -> Array:
        """W'diag(weights)W, (B, n, n), for row weights (B, m)."""
        return (namespace(weights).matrix_transpose(self.W)[None] * weights[:, None, :]) @ self.W

    def hessian(self) -> Array:
        """A'A + diag(q), (B, n, n)."""
        return self.gram(namespace(self.t).astype(self.rows, self.t.dtype)) + self.q[
            :, :, None
        ] * eye(self.W)


def eye(W: Array) -> Array:
    """The n x n identity in the kind of W (m, n)."""
    return namespace(W).eye(W.shape[1], dtype=W.dtype, device=getattr(W, "device", None))


@dataclass(frozen=True)
class Iterate:
    """Primal point and multipliers: eta of the rows, nu in the subdifferential of h."""

    x: Array
    eta: Array
    nu: Array

    def __getitem__(self, b: Any) -> "Iterate":
        return Iterate(self.x[b], self.eta[b], self.nu[b])


def prox(p: Scaled, w: Array, mu: float) -> Array:
    """argmin_x h(x) + mu/2 ||x - w||^2, entrywise: soft threshold, clipped at zero where x >= 0,
    zero off the columns.
    """
    xp = namespace(w)
    zero = xp.zeros_like(w)
    shrunk = xp.where(
        w > 0,
        xp.where(w > p.lam / mu, w - p.lam / mu, zero),
        xp.where(w < -p.lam / mu, w + p.lam / mu, zero),
    )
    return xp.where(p.columns & ~(p.nonnegative & (w < 0)), shrunk, zero)


def natural(x: Array, r: Array, lam: Array, nonnegative: Array | bool) -> Array:
    """The natural residual x - prox_lam(x + r), entry by entry: the median of x and +-lam - r, the
    smaller of x and lam - r for x >= 0.

    In this form nothing cancels where x outweighs r.
    """
    xp = namespace(x)
    if nonnegative is not True:
        above = xp.maximum(x, -lam - r)
        x = above if nonnegative is False else xp.where(nonnegative, x, above)
    return xp.minimum(x, lam - r)


def residual(p: Scaled, at: Iterate) -> Array:
    """Largest violation of the optimality conditions of `p`, (B,), with multipliers as in `at`."""
    xp = namespace(at.x)
    Wx = at.x @ p.W.T
    stationarity = (p.theta(Wx) - p.unit * at.eta) @ p.W + p.g - p.q * at.x
    columns = xp.abs(natural(at.x, stationarity, p.lam, p.nonnegative))
    worst = xp.max(xp.where(p.columns, columns, xp.abs(at.x)), axis=1)
    if not p.W.shape[0]:
        return worst
    rows = xp.where(
        p.inequalities, xp.abs(xp.minimum(at.eta, p.d - p.unit * Wx)), xp.zeros_like(Wx)
    )
    return xp.maximum(worst, xp.max(rows, axis=1))
