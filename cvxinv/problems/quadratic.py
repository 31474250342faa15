"""(Q), the one convex family to which all layer problems belong.

    minimise    1/2 ||A x - t||^2 + sum_j lam_j |x_j| + (gamma/2) ||x||^2
    subject to  C x <= d,   and x >= 0 where stated                          (Q)

A and C are rows of one matrix W that all B signals share; which rows is a boolean mask per signal,
so a batch needs no slicing.
"""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from cvxinv.arrays import Array, float64, namespace, to_numpy
from cvxinv.rows import SHARED


@dataclass(frozen=True, eq=False)
class Quadratic:
    """(Q) for B signals, in float64. Rows that are neither of A nor of C take no part; `t`, `d` are
    zero off their rows.

    What all signals have in common is stored once and broadcast to them: read these arrays, do not
    write to them.
    """

    W: Array = field(metadata=SHARED)  # (m, n)
    t: Array  # (B, m)
    rows: Array  # (B, m) bool: A = W[rows]
    d: Array  # (B, m)
    lam: Array  # (B, n)
    gamma: float
    nonnegative: bool
    columns: Array  # (B, n) bool: where x may differ from zero
    # (B,) bool: whether the signal's own data are finite (where not, they are replaced by zeros)
    finite: Array
    # whether the other rows are inequalities; known without a look at the masks, as are the next
    # two
    constrained: bool
    shared: bool  # whether all signals have the same rows
    restricted: bool  # whether `columns` leaves any out

    @property
    def size(self) -> int:
        """B, the number of signals."""
        return int(self.t.shape[0])

    @property
    def inequalities(self) -> Array:
        """(B, m) bool: C = W[inequalities]."""
        return ~self.rows if self.constrained else namespace(self.rows).zeros_like(self.rows)

    def in_numpy(self) -> "Quadratic":
        """The same with NumPy arrays, which share the memory of tensors on a CPU."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays = {name: to_numpy(a) for name, a in values.items() if hasattr(a, "ndim")}
        return replace(self, **arrays)

    def objective(self, x: Array) -> Array:
        """What (Q) minimises at x (B, n), constraints ignored: (B,), nan where the data are not
        finite.
        """
        xp = namespace(x)
        misfit = (self.t - x @ self.W.T) * self.used
        squares = xp.vecdot(misfit, misfit) + self.gamma * xp.vecdot(x, x)
        value = 0.5 * squares + xp.vecdot(self.lam, xp.abs(x))
        return xp.where(self.finite, value, xp.nan)

    @cached_property
    def used(self) -> Array:
        """1.0 on the rows of A and 0.0 off them, (B, m), or (1, m) where all signals have the same:
        a product is cheaper than a choice.
        """
        xp = namespace(self.rows)
        return xp.astype(self.rows[:1] if self.shared else self.rows, xp.float64)

    @cached_property
    def right(self) -> Array:
        """What W x is held against, (B, m): t on the rows of A, d on those of C."""
        return self.t + self.d if self.constrained else self.t


def quadratic(
    W: Array,
    target: Array,
    bias: Array | None,
    *,
    rows: Array | None,
    inequalities: bool = False,
    lam: Any = 0.0,
    gamma: float = 0.0,
    nonnegative: bool = False,
    columns: Array | None = None,
) -> Quadratic:
    """(Q) with A = W[rows], t = target - b on those rows and, where wanted, W x + b <= 0 on all
    others.
    """
    xp = namespace(target)
    W, target = float64(W), float64(target if target.ndim == 2 else target[None, :])
    (B, m), n = target.shape, W.shape[1]
    t = target if bias is None else target - float64(bias)
    if rows is None:
        rows = xp.ones_like(W[:, 0], dtype=xp.bool)
    else:
        t = xp.where(rows, t, 0.0)
    finite = xp.max(xp.abs(t), axis=1) < xp.inf
    d = ~rows * -float64(bias) if inequalities and bias is not None else xp.zeros_like(W[:, 0])
    return Quadratic(
        W,
        xp.where(finite[:, None], t, 0.0),
        xp.broadcast_to(rows, (B, m)),
        xp.broadcast_to(d, (B, m)),
        xp.broadcast_to(
            float64(lam) if hasattr(lam, "ndim") else xp.full_like(W[0, :], lam), (B, n)
        ),
        gamma,
        nonnegative,
        xp.broadcast_to(
            xp.ones_like(W[0, :], dtype=xp.bool) if columns is None else columns, (B, n)
        ),
        finite,
        constrained=inequalities,
        shared=rows.ndim == 1,
        restricted=columns is not None,
    )
