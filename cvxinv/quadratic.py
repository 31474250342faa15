"""(Q), the one convex family to which all layer problems belong.

    minimise    1/2 ||A x - t||^2 + sum_j lam_j |x_j| + (gamma/2) ||x||^2
    subject to  C x <= d,   and x >= 0 where stated                          (Q)

A and C are rows of one matrix W that all B signals share; which rows is a boolean mask per signal, so a batch needs no
slicing.
"""

from dataclasses import dataclass
from typing import Any

from .arrays import Array, float64, namespace


@dataclass(frozen=True, eq=False)
class Quadratic:
    """(Q) for B signals, in float64. Rows off both masks take no part; `t`, `d` are zero off their masks."""

    W: Array  # (m, n), shared
    t: Array  # (B, m)
    rows: Array  # (B, m) bool: A = W[rows]
    d: Array  # (B, m)
    inequalities: Array  # (B, m) bool: C = W[inequalities]
    lam: Array  # (B, n)
    gamma: float
    nonnegative: bool
    columns: Array  # (B, n) bool: where x may differ from zero
    finite: Array  # (B,) bool: whether the signal's own data are finite (where not, they are replaced by zeros)

    def __getitem__(self, b: Any) -> "Quadratic":
        """The same statement for some of the signals."""
        return Quadratic(
            self.W, self.t[b], self.rows[b], self.d[b], self.inequalities[b], self.lam[b],
            self.gamma, self.nonnegative, self.columns[b], self.finite[b],
        )  # fmt: skip

    @property
    def size(self) -> int:
        """B, the number of signals."""
        return int(self.t.shape[0])


def quadratic(
    W: Array, target: Array, bias: Array | None, *, rows: Array | None, inequalities: bool = False,
    lam: Any = 0.0, gamma: float = 0.0, nonnegative: bool = False, columns: Array | None = None,
) -> Quadratic:  # fmt: skip
    """(Q) with A = W[rows], t = target - b on those rows and, where wanted, W x + b <= 0 on all others."""
    target = target if target.ndim == 2 else target[None, :]
    xp = namespace(target)
    W, target = float64(W), float64(target)
    B, n = target.shape[0], W.shape[1]
    everywhere = xp.ones_like(target, dtype=xp.bool)
    rows = everywhere if rows is None else rows & everywhere
    inequality_rows = ~rows if inequalities else xp.zeros_like(rows)
    zero = xp.zeros_like(target)
    b = zero if bias is None else float64(bias) + zero
    t = xp.where(rows, target - b, zero)
    lam = float64(lam) + xp.zeros_like(W[:1, :]) if hasattr(lam, "ndim") else xp.full_like(W[:1, :], lam)
    lam = xp.broadcast_to(lam, (B, n))
    finite = xp.all(xp.isfinite(t), axis=1) & xp.all(xp.isfinite(lam), axis=1)
    allowed = xp.ones_like(lam, dtype=xp.bool)
    return Quadratic(
        W, xp.where(finite[:, None], t, zero), rows, xp.where(inequality_rows, -b, zero), inequality_rows,
        xp.where(finite[:, None], lam, xp.ones_like(lam)), gamma, nonnegative, allowed if columns is None else columns & allowed, finite,
    )  # fmt: skip
