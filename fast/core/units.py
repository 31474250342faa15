"""The units of a `Layer`: column j is divided by its norm and signal b by its size s, so that x is
measured in s / ||W_j||.

Sizes of signals and rows are powers of two, so that dividing by them rounds nothing. Columns have
norm 1: ADMM and conjugate gradients need fewer steps then. Norms are those of the data brought into
range first, so that data of any size neither over- nor underflow. (The certificate measures columns
by their norms on a signal's own rows, D (B, n); here all signals share one, because they share W.)
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cvxinv import newton
from cvxinv.problems import Quadratic
from cvxinv.rows import SHARED

from .diagonal import Diagonal, Mask, Ridge, Zero, ones
from .layer import ConstrainedLayer, Layer

# weights in these units that a tolerance does not see; gamma: that A'A does not hold
TINY, TINY_GAMMA = 1e-6, 1e-8
SMALLEST, LARGEST = 1e-140, 1e140  # norms between them have squares without over- and underflow


@dataclass(frozen=True, eq=False)
class Units:
    """What was divided out: x = x_scaled * s / norm, dual = dual_scaled * s / rows."""

    norm: Tensor = field(metadata=SHARED)  # (n,)
    s: Tensor  # (B, 1)
    rows: Tensor = field(metadata=SHARED)  # (m,) by which inequalities were divided

    def unscale(self, x: Tensor, dual: Tensor) -> tuple[Tensor, Tensor]:
        """From the units of `Layer` to the statement's."""
        return x / self.norm * self.s, self.multipliers(dual) * self.s

    def multipliers(self, dual: Tensor) -> Tensor:
        """Multipliers of the rows as they are stated, (B, m) or (B, 0)."""
        return dual / self.rows[: dual.shape[1]]

    def scale(self, x: Tensor, layer: Layer) -> Tensor:
        """A caller's points in the layer's units, signs and columns; rows that are not finite
        become zero.
        """
        x = finite(x, layer.t.dtype) / self.s * self.norm
        return layer.columns.times(layer.projected(x))


def finite(x: Tensor, dtype: torch.dtype) -> Tensor:
    """In that precision, with zeros for rows that are not finite."""
    return torch.where(torch.isfinite(x).all(1, keepdim=True), x.to(dtype), 0.0)


def positive(a: Tensor, other: Tensor | float) -> Tensor:
    """`a` where it is positive, else the other."""
    return torch.where(a > 0, a, other)


def norms(A: Tensor, dim: int) -> Tensor:
    """Euclidean norms, of numbers of any size."""
    norm: Tensor = torch.linalg.vector_norm(A, dim=dim)
    ordinary = (norm > SMALLEST) & (norm < LARGEST)
    if A.shape[dim] and not bool(ordinary.all()):  # squares may over- or underflow
        largest = torch.linalg.vector_norm(A, ord=torch.inf, dim=dim, keepdim=True)
        unit = power_of_two(largest)
        norm = torch.linalg.vector_norm(A / unit, dim=dim) * unit.squeeze(dim)
    return norm


def power_of_two(a: Tensor) -> Tensor:
    """The power of two nearest to each number, 1 for zero."""
    a = positive(a, 1.0)
    mantissa, _ = torch.frexp(a)
    half = a / (2 * mantissa)  # exact
    nearest: Tensor = torch.where(mantissa < 0.5**0.5, half, 2 * half)
    return nearest


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
    t = _reached(W, t)
    norm, s = column_units(W, W, even), power_of_two(norms(t, 1))[:, None]
    W, one = W / norm, torch.ones_like(W[:, 0])
    gamma, fitted, columns = _diagonals(q, W, norm, rows)
    layer = Layer(W, t / s, q.lam / norm / s, gamma, fitted, columns, q.nonnegative)
    return layer, Units(norm, s, one)


def _constrained(q: Quadratic, even: bool) -> tuple[Layer, Units]:
    """The same for a statement with inequalities."""
    W, d, rows = q.W, q.d, q.rows
    t = _reached(W, q.t)
    everywhere = torch.ones_like(W[:, 0], dtype=torch.bool)
    fitted = everywhere if even or not len(rows) else rows.any(0)
    norm = column_units(W * fitted[:, None], W, even)
    W, lengths = W / norm, torch.ones_like(W[:, 0])
    if not bool(fitted.all()):  # the length of a row that no signal fits says nothing: it becomes 1
        lengths = torch.where(fitted, 1.0, power_of_two(norms(W, 1)))
        W, d = W / lengths[:, None], d / lengths
    size = norms(t, 1)
    if not bool((size > 0).all()):  # nothing is fitted
        size = positive(size, norms(d, 1))
    s = power_of_two(size)[:, None]
    gamma, _, columns = _diagonals(q, W, norm, rows)
    on = rows.to(W.dtype)
    layer = ConstrainedLayer(
        W,
        t / s,
        q.lam / norm / s,
        gamma,
        Diagonal(on),
        columns,
        q.nonnegative,
        off=1 - on,
        d=d / s,
        unit=newton.row_units(W),
    )
    return layer, Units(norm, s, lengths)


def _reached(W: Tensor, t: Tensor) -> Tensor:
    """t without the rows that no column reaches: a constant of the objective, which must not set
    the size of a signal.
    """
    reached = (W != 0).any(1)
    return t if bool(reached.all()) else t * reached


def column_units(A: Tensor, W: Tensor, even: bool) -> Tensor:
    """Norms of the columns of A, of W where they are zero, of the longest where both are; `even`:
    that of the longest for all of them, (n,).
    """
    norm = norms(A, 0)
    if not bool((norm > 0).all()):
        norm = positive(norm, norms(W, 0))
    largest = power_of_two(norm.amax())
    return largest.expand_as(norm).contiguous() if even else positive(norm, largest)


def _diagonals(q: Quadratic, W: Tensor, norm: Tensor, rows: Tensor) -> tuple[Ridge, Mask, Mask]:
    """gamma, rows and columns."""
    gamma = Diagonal(q.gamma / norm / norm) if q.gamma else Zero(torch.zeros_like(norm))
    m, n = W.shape
    fitted = ones(m, W) if q.shared else Diagonal(rows.to(W.dtype))
    columns = Diagonal(q.columns.to(W.dtype)) if q.restricted else ones(n, W)
    return gamma, fitted, columns
