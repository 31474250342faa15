"""Signals without noise: lam = gamma = 0, and a feasible x >= 0 with A x = t. Least squares alone
finds it, down to rounding.

There every multiplier is zero, so that nothing but rounding tells which entries are zero, and
active sets go on changing. But the sets do not matter: least squares on any independent columns
that hold the solution's is the solution. Where all signals have the same rows, these are all
columns, with one factor (`Refinement`). Else they are found on the way (`Fit`).

Nothing is assumed: signs and inequalities count in the residual, and a signal that does not get to
the goal is not of this kind.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from fast.core import loop
from fast.core.layer import Layer
from fast.methods.active_set import ActiveSet, State

# ||A x - t|| over ||t|| below which the point of another method may belong to such a signal
MISFIT = 5e-3
ROUNDING = 2e-15  # what products in float64 leave of a residual
REFINEMENTS, FITS, PATIENCE = 5, 20, 4
ZERO = 1e-5  # entries below this part of the root mean square are left out of a fit ..
ENTER = 0.1  # .. and those whose gradient is above this part of the largest residual enter it


class Refined(NamedTuple):
    """x with its reduced gradient."""

    x: Tensor
    r: Tensor


@dataclass(frozen=True, eq=False)
class Refinement:
    """x <- x + K A'(t - A x), K = (A'A)^-1: least squares on all columns by iterative refinement,
    as a `loop.Method`.
    """

    layer: Layer
    K: Tensor  # (n, n)

    capturable: ClassVar[bool] = False

    def __getitem__(self, b: Any) -> "Refinement":
        return replace(self, layer=self.layer[b])

    def step(self, state: Refined) -> Refined:
        return self.at(torch.addmm(state.x, state.r, self.K))

    def at(self, x: Tensor) -> Refined:
        return Refined(x, self.layer.gradient(x, None, None))

    def residual(self, state: Refined) -> Tensor:
        return self.layer.natural(*state)

    def answer(self, state: Refined) -> tuple[Tensor, None]:
        return state.x.clamp_min(0), None


@dataclass(frozen=True, eq=False)
class Fit(ActiveSet):
    """Least squares on the columns that have a value, or a gradient that asks for one."""

    def entries(self, state: State) -> tuple[Tensor, Tensor, Tensor]:
        rms = torch.linalg.vector_norm(state.x, dim=1, keepdim=True) / state.x.shape[1] ** 0.5
        free = torch.where(
            state.free > 0, state.x > ZERO * rms, state.r > ENTER * state.natural[:, None]
        )
        free = free.to(state.x.dtype)
        return (
            free,
            state.r,
            (state.x + state.r).mul_(free - state.free).abs_().amax(1, keepdim=True),
        )

    def guess(self, state: State) -> Tensor | None:
        return None if state.eta is None else torch.zeros_like(state.eta)


def refined(newton: ActiveSet, max_iter: int) -> tuple[Tensor, loop.Result] | None:
    """Which signals may be of this kind, and their least-squares solutions; None where there is no
    factor for all.
    """
    layer = newton.layer
    if layer.gram is None or layer.g is None or not _weightless(layer).any():
        return None
    factor, failed = torch.linalg.cholesky_ex(layer.gram)
    if bool(failed):
        return None
    K = torch.cholesky_inverse(factor)
    x = layer.g @ K
    some = candidates(layer, x)
    method = Refinement(layer.without_gram()[some], K)
    return some, loop.run(
        method, method.at(x[some]), ROUNDING, min(REFINEMENTS, max_iter), patience=PATIENCE
    )


def fitted(newton: ActiveSet, x: Tensor, max_iter: int) -> tuple[Tensor, loop.Result] | None:
    """Which signals may be of this kind, x being near their solution; and what fits find for
    them.
    """
    some = candidates(newton.layer, x)
    if not len(some):
        return None
    exact = replace(newton[some].exactly(), goal=ROUNDING)
    fit = Fit(**{f.name: getattr(exact, f.name) for f in fields(exact)})
    eta = None if fit.layer.off is None else torch.zeros_like(fit.layer.t)
    return some, loop.run(
        fit, fit.start(x[some], eta), ROUNDING, min(FITS, max_iter), patience=PATIENCE
    )


def candidates(layer: Layer, x: Tensor) -> Tensor:
    """Signals without weights that x all but fits."""
    some = torch.nonzero(_weightless(layer))[:, 0]
    if not len(some):
        return some
    layer, x = layer[some], x[some]
    theta = layer.t - x @ layer.W.T
    theta = theta if layer.rows is None else theta * layer.rows
    return some[
        torch.linalg.vector_norm(theta, dim=1) <= MISFIT * torch.linalg.vector_norm(layer.t, dim=1)
    ]


def _weightless(layer: Layer) -> Tensor:
    """(B,) bool: x >= 0 and lam = gamma = 0."""
    none = layer.lam.new_zeros(len(layer.lam), dtype=torch.bool)
    return ~layer.lam.any(1) if layer.nonnegative and layer.gamma is None else none
