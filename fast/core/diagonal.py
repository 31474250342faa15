"""Diagonal matrices that cost nothing where they are trivial: masks of rows and columns, and gamma.

A product with a mask of ones would cost a pass over the batch. So a mask that leaves nothing out is
an `Identity`, a ridge term that is not there a `Zero`, and what is left a `Diagonal`.
"""

from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from cvxinv.rows import OWN_IF_2D, SHARED


@dataclass(frozen=True, eq=False)
class Identity:
    """Ones: whatever it is applied to stays as it is."""

    values: Tensor = field(metadata=SHARED)  # (1, k)

    def to(self, dtype: torch.dtype) -> Self:
        """The same in another precision."""
        return type(self)(self.values.to(dtype))

    def times(self, a: Tensor) -> Tensor:
        """D a: `a` itself."""
        return a

    def times_(self, a: Tensor) -> Tensor:
        """D a in place."""
        return a

    def on(self, some: Tensor) -> Self:
        """The same for some of the entries."""
        return type(self)(self.values[:, some])

    def restrict(self, K: Tensor) -> Tensor:
        """D K D + (I - D) for matrices K (B, k, k)."""
        return K


@dataclass(frozen=True, eq=False)
class Zero:
    """Zeros."""

    values: Tensor = field(metadata=SHARED)  # (k,)

    def to(self, dtype: torch.dtype) -> Self:
        """The same in another precision."""
        return type(self)(self.values.to(dtype))

    def add_(self, out: Tensor, a: Tensor, sign: float = 1.0) -> Tensor:
        """Out + sign D a: `out` itself."""
        return out

    def resolvent(self, rho: float) -> Identity:
        """rho (rho + D)^-1."""
        return ones(len(self.values), self.values)


@dataclass(frozen=True, eq=False)
class Diagonal:
    """Any entries, those of a signal or of all of them."""

    values: Tensor = field(metadata=OWN_IF_2D)  # (B, k) or (k,)

    def to(self, dtype: torch.dtype) -> Self:
        """The same in another precision."""
        return type(self)(self.values.to(dtype))

    def times(self, a: Tensor) -> Tensor:
        """D a."""
        return a * self.values

    def times_(self, a: Tensor) -> Tensor:
        """D a in place."""
        return a.mul_(self.values)

    def on(self, some: Tensor) -> Self:
        """The same for some of the entries."""
        return type(self)(self.values[:, some])

    def restrict(self, K: Tensor) -> Tensor:
        """D K D + (I - D) for matrices K (B, k, k) and D in 0/1."""
        D = self.values
        return (K * (D[:, :, None] * D[:, None, :])).add_(torch.diag_embed(1 - D))

    def add_(self, out: Tensor, a: Tensor, sign: float = 1.0) -> Tensor:
        """Out + sign D a, in place."""
        return out.addcmul_(a, self.values, value=sign)

    def resolvent(self, rho: float) -> "Diagonal":
        """rho (rho + D)^-1."""
        return Diagonal(rho / (rho + self.values))


def ones(k: int, like: Tensor) -> Identity:
    """The identity of k entries, in the dtype and on the device of `like`."""
    return Identity(like.new_ones(1, k))


Mask = Identity | Diagonal  # 0/1, or weights
Ridge = Zero | Diagonal
