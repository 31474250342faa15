"""The units of a `Layer`: column j is divided by its norm and signal b by its size s, so that x is
measured in s / ||W_j||.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cvxinv import newton
from cvxinv.problems import Quadratic
from cvxinv.rows import SHARED
from fast.core.diagonal import Diagonal, Mask, Ridge, Zero, ones
from fast.core.layer import ConstrainedLayer, Layer


@dataclass(frozen=True, eq=False)
class Units:
    """What was divided out: x = x_scaled * s / norm, dual = dual_scaled * s / rows."""

    norm: Tensor = field(metadata=SHARED)  # (n,)
    s: Tensor  # (B, 1)
    rows: Tensor = field(metadata=SHARED)  # (m,) by which inequalities were divided

    def unscale(self, x: Tensor, dual: Tensor) -> tuple[Tensor, Tensor]:
        """From the units of `Layer` to the statement's."""
        return x * (self.s / self.norm), self.multipliers(dual) * self.s

    def multipliers(self, dual: Tensor) -> Tensor:
        """Multipliers of the rows as they are stated, (B, m) or (B, 0)."""
        return dual / self.rows[: dual.shape[1]]

    def scale(self, x: Tensor, layer: Layer) -> Tensor:
        """A caller's points in the layer's units, signs and columns; rows that are not finite
        become zero.
        """
        x = finite(x, layer.t.dtype) * self.norm / self.s
        return layer.columns.times(layer.projected(x))


def finite(x: Tensor, dtype: torch.dtype) -> Tensor:
    """In that precision, with zeros for rows that are not finite."""
    return torch.where(torch.isfinite(x).all(1, keepdim=True), x.to(dtype), 0.0)


def positive(a: Tensor, other: Tensor | float) -> Tensor:
    """`a` where it is positive, else the other."""
    return torch.where(a > 0, a, other)


def scaled(q: Quadratic, even: bool) -> tuple[Layer, Units]:
    """(Q) as a `Layer`, and its units.

    `even`: all columns are divided by the same number, which keeps the solution of least norm, and
    the paper's algorithms, what they are.
    """
    if q.constrained:
        return _constrained(q, even)
    W, t, rows = q.W, q.t, q.rows
    if q.shared and len(rows):  # rows that no signal uses are left out
        used = rows[0]
        if not bool(used.all()):
            W, t, rows = W[used], t[:, used], rows[:, used]
    norm = column_units(W, W, even)
    s = positive(torch.linalg.vector_norm(t, dim=1, keepdim=True), 1.0)
    W, ones = W / norm, torch.ones_like(W[:, 0])
    layer = Layer(W, t / s, q.lam / (norm * s), *_diagonals(q, W, norm, rows), q.nonnegative)
    return layer, Units(norm, s, ones)


def _constrained(q: Quadratic, even: bool) -> tuple[Layer, Units]:
    """The same for a statement with inequalities."""
    W, t, d, rows = q.W, q.t, q.d, q.rows
    everywhere = torch.ones_like(W[:, 0], dtype=torch.bool)
    fitted = everywhere if even or not len(rows) else rows.any(0)
    norm = column_units(W * fitted[:, None], W, even)
    W, lengths = W / norm, torch.ones_like(W[:, 0])
    if not bool(fitted.all()):  # the length of a row that no signal fits says nothing: it becomes 1
        lengths = torch.where(fitted, 1.0, positive(torch.linalg.vector_norm(W, dim=1), 1.0))
        W, d = W / lengths[:, None], d / lengths
    s = torch.linalg.vector_norm(t, dim=1, keepdim=True)
    s = positive(positive(s, torch.linalg.vector_norm(d, dim=1, keepdim=True)), 1.0)
    gamma, _, columns = _diagonals(q, W, norm, rows)
    on = rows.to(W.dtype)
    layer = ConstrainedLayer(
        W,
        t / s,
        q.lam / (norm * s),
        gamma,
        Diagonal(on),
        columns,
        q.nonnegative,
        off=1 - on,
        d=d / s,
        unit=newton.row_units(W),
    )
    return layer, Units(norm, s, lengths)


def column_units(A: Tensor, W: Tensor, even: bool) -> Tensor:
    """Norms of the columns of A, of W where they are zero, of the longest where both are; `even`:
    that of the longest for all of them, (n,).
    """
    norm = torch.linalg.vector_norm(A, dim=0)
    norm = positive(norm, torch.linalg.vector_norm(W, dim=0))
    largest = positive(norm.amax(), 1.0)
    return largest.expand_as(norm).contiguous() if even else positive(norm, largest)


def _diagonals(q: Quadratic, W: Tensor, norm: Tensor, rows: Tensor) -> tuple[Ridge, Mask, Mask]:
    """gamma, rows and columns."""
    gamma = Diagonal(q.gamma / norm**2) if q.gamma else Zero(torch.zeros_like(norm))
    m, n = W.shape
    fitted = ones(m, W) if q.shared else Diagonal(rows.to(W.dtype))
    columns = Diagonal(q.columns.to(W.dtype)) if q.restricted else ones(n, W)
    return gamma, fitted, columns
