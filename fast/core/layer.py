"""(Q) of `cvxinv.problems` on torch tensors, in units in which columns and signals compare, and its
products with W.

Supports are 0/1 masks over the one W that all signals share: every product is a dense matrix
product for the whole batch. A layer without inequalities, one whose A'A is at hand, and one with
inequalities are three types; multipliers of no inequalities are a tensor (B, 0).
"""

from dataclasses import dataclass, field, fields, replace
from typing import Self

import torch
from torch import Tensor

from cvxinv.rows import SHARED

from . import residual
from .diagonal import Identity, Mask, Ridge

PAYS = 0.02  # signals per column from which A'A pays


@dataclass(frozen=True, eq=False)
class Layer:
    """min 1/2 ||A x - t||^2 + lam'|x| + 1/2 x'diag(gamma)x, x >= 0 where stated, for B signals.

    A = W[rows]; x is zero off the columns.
    """

    W: Tensor = field(metadata=SHARED)  # (m, n), unit columns
    t: Tensor  # (B, m), zero off the rows
    lam: Tensor  # (B, n)
    gamma: Ridge  # (n,)
    rows: Mask  # (B, m)
    columns: Mask  # (B, n)
    nonnegative: bool

    def to(self, dtype: torch.dtype) -> Self:
        """The same in another precision."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: a.to(dtype) for k, a in values.items() if hasattr(a, "to")})

    @property
    def no_dual(self) -> Tensor:
        """Multipliers that are zero: (B, m), or (B, 0) where there are no inequalities."""
        return self.t[:, :0]

    @property
    def inequalities(self) -> tuple[Tensor, Tensor, Tensor]:
        """C (k, n), d and the 0/1 mask of the inequalities (B, k); k = 0 without any."""
        none = self.t[:, :0]
        return self.W[:0], none, none

    def with_gram(self, least: float = PAYS) -> "Layer":
        """With A'A and A't at hand, one product instead of two: where all signals share them, are
        `least` n or more to pay for it, and W is not wide.
        """
        everywhere = isinstance(self.rows, Identity)
        if not everywhere or wide(self.W) or len(self.t) < least * self.W.shape[1]:
            return self
        values = {f.name: getattr(self, f.name) for f in fields(Layer)}
        return GramLayer(**values, gram=self.W.T @ self.W, g=self.t @ self.W)

    def without_gram(self) -> "Layer":
        """From the data alone."""
        return self

    def normal(self, x: Tensor, weights: Mask) -> Tensor:
        """(W' diag(weights) W + diag(gamma)) x per signal."""
        return self.gamma.add_(weights.times_(x @ self.W.T) @ self.W, x)

    def descent(self, x: Tensor) -> Tensor:
        """Minus the gradient of the smooth part: A'(t - A x) - gamma x."""
        theta = self.rows.times_(self.t - x @ self.W.T)
        return self.gamma.add_(theta @ self.W, x, -1.0)

    def reduced(self, x: Tensor, eta: Tensor) -> Tensor:
        """The reduced gradient A'(t - A x) - C'eta - gamma x."""
        return self.descent(x)

    def prox(self, w: Tensor, weight: float | Tensor = 1.0) -> Tensor:
        """argmin_x weight lam'|x| + 1/2 ||x - w||^2 under the signs and columns of the
        statement.
        """
        lam = self.lam * weight
        x = (w - lam).clamp_min_(0)
        if not self.nonnegative:
            x = x.sub_((-w - lam).clamp_min_(0))
        return self.columns.times_(x)

    def projected(self, x: Tensor) -> Tensor:
        """The nearest point with the signs of the statement."""
        return x.clamp_min(0) if self.nonnegative else x

    def natural(self, x: Tensor, r: Tensor) -> Tensor:
        """Natural residual of the columns, (B,), for a reduced gradient r."""
        entries = residual.columns(x, r, self.lam, self.nonnegative)
        return residual.largest(self.columns.times_(entries))

    def residual(self, x: Tensor, eta: Tensor) -> Tensor:
        """Largest natural residual of columns and rows, (B,)."""
        return self.natural(x, self.reduced(x, eta))

    def objective(self, x: Tensor) -> Tensor:
        """The objective (B,), in units of ||t||^2."""
        theta = self.rows.times_(self.t - x @ self.W.T)
        value = 0.5 * (theta * theta).sum(1) + (self.lam * x.abs()).sum(1)
        value = value + 0.5 * (self.gamma.values * x * x).sum(1)
        size = (self.t * self.t).sum(1)
        return value / torch.where(size > 0, size, 1.0)


@dataclass(frozen=True, eq=False)
class GramLayer(Layer):
    """A layer of which all signals have all rows, with A'A and A't at hand: one product, not two.

    A Gram matrix squares the condition number: last digits need `without_gram`.
    """

    gram: Tensor = field(metadata=SHARED)  # (n, n)
    g: Tensor  # (B, n)

    def with_gram(self, least: float = PAYS) -> Layer:
        return self

    def without_gram(self) -> Layer:
        return Layer(**{f.name: getattr(self, f.name) for f in fields(Layer)})

    def normal(self, x: Tensor, weights: Mask) -> Tensor:
        """(A'A + diag(gamma)) x; the weights are those of A."""
        return self.gamma.add_(x @ self.gram, x)

    def descent(self, x: Tensor) -> Tensor:
        return self.gamma.add_(self.g - x @ self.gram, x, -1.0)


@dataclass(frozen=True, eq=False)
class ConstrainedLayer(Layer):
    """A layer with inequalities: subject to C x <= d as well, C = W[off]."""

    off: Tensor  # (B, m) 0/1
    d: Tensor  # (B, m)
    unit: Tensor = field(metadata=SHARED)  # (m,) 1 / ||W_i||: makes rows comparable

    @property
    def no_dual(self) -> Tensor:
        return torch.zeros_like(self.t)

    @property
    def inequalities(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.W, self.d, self.off

    def with_gram(self, least: float = PAYS) -> Layer:
        return self

    def over(self, v: Tensor) -> Tensor:
        """C x - d for v = W x, zero off the inequalities, (B, m)."""
        return (v - self.d).mul_(self.off)

    def reduced(self, x: Tensor, eta: Tensor) -> Tensor:
        return self.reduced_at(x, x @ self.W.T, eta)

    def reduced_at(self, x: Tensor, v: Tensor, eta: Tensor) -> Tensor:
        """The reduced gradient, with v = W x at hand."""
        theta = self.rows.times_(self.t - v).sub_(eta)
        return self.gamma.add_(theta @ self.W, x, -1.0)

    def residual(self, x: Tensor, eta: Tensor) -> Tensor:
        return self.residual_at(x, x @ self.W.T, eta)

    def residual_at(self, x: Tensor, v: Tensor, eta: Tensor) -> Tensor:
        """The residual, with v = W x at hand."""
        columns = self.natural(x, self.reduced_at(x, v, eta))
        return torch.maximum(columns, residual.rows(eta, self.over(v), self.unit))


def wide(W: Tensor) -> bool:
    """Whether two products with W (m, n) cost less than one with W'W."""
    return W.shape[1] > 2 * W.shape[0]
