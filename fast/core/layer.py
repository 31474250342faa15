"""(Q) of `cvxinv.quadratic` on torch tensors, in units in which columns and signals compare, and
its products with W.

Column j is divided by its norm and signal b by its size s, so that x is measured in s / ||W_j||.
Supports are 0/1 masks over the one W that all signals share: every product is a dense matrix
product for the whole batch.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

from cvxinv.problems import Quadratic


@dataclass(frozen=True, eq=False)
class Layer:
    """min 1/2 ||A x - t||^2 + lam'|x| + 1/2 x'diag(gamma)x subject to C x <= d, x >= 0 where
    stated, for B signals.

    A = W[rows], C = W[off]; every mask is None where it would be all ones (rows, columns) or all
    zeros (off, d).
    """

    W: Tensor  # (m, n), shared, unit columns
    gram: Tensor | None  # (n, n) W'W, where it is A'A for every signal and pays
    gamma: Tensor | None  # (n,), shared
    nonnegative: bool
    t: Tensor  # (B, m), zero off the rows
    lam: Tensor  # (B, n)
    rows: Tensor | None  # (B, m)
    off: Tensor | None  # (B, m)
    d: Tensor | None  # (B, m)
    columns: Tensor | None  # (B, n)
    g: Tensor | None  # (B, n) A't, beside gram

    def __getitem__(self, b: Any) -> Self:
        per_signal: dict[str, Any] = {
            k: take(getattr(self, k), b) for k in ("t", "lam", "rows", "off", "d", "columns", "g")
        }
        return replace(self, **per_signal)

    def to(self, dtype: torch.dtype) -> "Layer":
        """The same in another precision."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        tensors: dict[str, Any] = {
            k: a.to(dtype) for k, a in values.items() if isinstance(a, Tensor)
        }
        return replace(self, **tensors)

    def with_gram(self, least: float = 0.02) -> "Layer":
        """With A'A and A't at hand, one product instead of two: where all signals share them, and
        are `least` n or more to pay for it.
        """
        if (
            self.gram is not None
            or self.rows is not None
            or self.off is not None
            or len(self.t) < least * self.W.shape[1]
        ):
            return self
        return replace(self, gram=self.W.T @ self.W, g=self.t @ self.W)

    def without_gram(self) -> Self:
        """From the data alone."""
        return replace(self, gram=None, g=None)

    def normal(self, x: Tensor, weights: Tensor | None) -> Tensor:
        """(W' diag(weights) W + diag(gamma)) x per signal; weights None: A'A."""
        if self.gram is not None and weights is None:
            y = x @ self.gram
        else:
            weights = self.rows if weights is None else weights
            v = x @ self.W.T
            y = (v if weights is None else v.mul_(weights)) @ self.W
        return y if self.gamma is None else y.addcmul_(x, self.gamma)

    def gradient(self, x: Tensor, v: Tensor | None, eta: Tensor | None) -> Tensor:
        """r = A'(t - A x) - C'eta - gamma x, with v = W x where it is at hand."""
        if self.gram is not None and self.g is not None and eta is None:
            r = self.g - x @ self.gram
        else:
            theta = self.t - (x @ self.W.T if v is None else v)
            theta = theta if self.rows is None else theta.mul_(self.rows)
            r = (theta if eta is None else theta.sub_(eta)) @ self.W
        return r if self.gamma is None else r.addcmul_(x, self.gamma, value=-1)

    def descent(self, x: Tensor) -> Tensor:
        """Minus the gradient of the smooth part, inequalities left out."""
        return self.gradient(x, None, None)

    def prox(self, w: Tensor, weight: float | Tensor = 1.0) -> Tensor:
        """argmin_x weight lam'|x| + 1/2 ||x - w||^2 under the signs and columns of the
        statement.
        """
        lam = self.lam * weight
        x = (w - lam).clamp_min_(0)
        if not self.nonnegative:
            x = x.sub_((-w - lam).clamp_min_(0))
        return x if self.columns is None else x.mul_(self.columns)

    def natural(self, x: Tensor, r: Tensor) -> Tensor:
        """Largest entry of x - prox(x + r), (B,): zero exactly where r is in the
        subdifferential.
        """
        return (x - self.prox(x + r)).abs_().amax(1)

    def objective(self, x: Tensor) -> Tensor:
        """The objective (B,), in units of s^2."""
        theta = self.t - x @ self.W.T
        theta = theta if self.rows is None else theta * self.rows
        value = 0.5 * (theta * theta).sum(1) + (self.lam * x.abs()).sum(1)
        return value if self.gamma is None else value + 0.5 * (self.gamma * x * x).sum(1)


def take(a: Any, b: Any) -> Any:
    """Some rows of what there may be, or None."""
    return None if a is None else a[b]


@dataclass(frozen=True, eq=False)
class Units:
    """What was divided out: x = x_scaled * s / norm, dual = dual_scaled * s / rows."""

    norm: Tensor  # (n,)
    s: Tensor  # (B, 1)
    rows: Tensor | None  # (m,) by which inequalities were divided

    def unscale(self, x: Tensor, dual: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """From the units of `Layer` to the statement's."""
        dual = dual if dual is None or self.rows is None else dual / self.rows
        return x * (self.s / self.norm), None if dual is None else dual * self.s


def scaled(q: Quadratic, even: bool) -> tuple[Layer, Units]:
    """(Q) as a `Layer`, and its units.

    `even`: all columns are divided by the same number, which keeps the solution of least norm, and
    the paper's algorithms, what they are.
    """
    W, t, d, rows = q.W, q.t, q.d, q.rows
    dtype = W.dtype
    if not q.constrained and q.shared and len(rows):  # rows that no signal uses are left out
        used = rows[0]
        if not bool(used.all()):
            W, t, rows = W[used], t[:, used], rows[:, used]
    fitted = (
        rows.any(0)
        if q.constrained and not even and len(rows)
        else torch.ones_like(W[:, 0], dtype=torch.bool)
    )
    norm, everything = (
        torch.linalg.vector_norm(W * fitted[:, None], dim=0),
        torch.linalg.vector_norm(W, dim=0),
    )
    norm = torch.where(norm > 0, norm, everything)
    largest = torch.where(norm.amax() > 0, norm.amax(), 1.0)
    norm = largest.expand_as(norm).contiguous() if even else torch.where(norm > 0, norm, largest)
    W, lengths = W / norm, None
    if not bool(fitted.all()):  # the length of a row that no signal fits says nothing: it becomes 1
        lengths = torch.linalg.vector_norm(W, dim=1)
        lengths = torch.where(fitted | (lengths == 0), 1.0, lengths)
        W, d = W / lengths[:, None], d / lengths
    s = torch.linalg.vector_norm(t, dim=1, keepdim=True)
    if q.constrained:
        s = torch.where(s > 0, s, torch.linalg.vector_norm(d, dim=1, keepdim=True))
    s = torch.where(s > 0, s, 1.0)
    masks = rows.to(dtype) if q.constrained or not q.shared else None
    layer = Layer(
        W=W,
        gram=None,
        gamma=q.gamma / norm**2 if q.gamma else None,
        nonnegative=q.nonnegative,
        t=t / s,
        lam=q.lam / (norm * s),
        rows=masks,
        off=1 - masks if q.constrained and masks is not None else None,
        d=d / s if q.constrained else None,
        columns=q.columns.to(dtype) if q.restricted else None,
        g=None,
    )
    return layer, Units(norm, s, lengths)
