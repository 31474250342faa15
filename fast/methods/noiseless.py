"""Signals without noise: lam = gamma = 0, and a feasible x >= 0 with A x = t. Least squares alone
finds it, down to rounding.

There every multiplier is zero, so that nothing but rounding tells which entries are zero, and
active sets go on changing. But the sets do not matter: least squares on any independent columns
that hold the solution's is the solution. Where all signals have the same rows, these are all
columns, with one factor (`Refinement`). Else they are found on the way (`Fit`).

Nothing is assumed: signs and inequalities count in the residual, and a signal that does not get to
the goal is not of this kind.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from cvxinv.memory import parts, room
from cvxinv.rows import SHARED, take

from ..core import loop
from ..core.diagonal import Diagonal, Identity, Zero
from ..core.layer import GramLayer, Layer
from ..core.linear_systems import Factors, Own
from .active_rows import ConstrainedActiveSet
from .active_set import ActiveSet, State

# ||A x - t|| over ||t|| below which the point of another method may belong to such a signal
MISFIT = 5e-3
# what rounding leaves of a residual: that of products in float64, and that of data in float32
ROUNDING = {"float64": 2e-15, "float32": 2e-7}
NEAR = 5.0  # multiples of it that another fit need not improve
REFINEMENTS, FITS, PATIENCE = 5, 20, 3
EACH = 3  # fits that begin with all columns ..
PLENTY = 2.0  # .. where there are fewer rows than this many columns
HASTE = 2  # patience with conjugate gradients: what they make hard, a factor makes easy
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
    K: Tensor = field(metadata=SHARED)  # (n, n)

    capturable: ClassVar[bool] = False

    def start(self, x: Tensor, dual: Tensor) -> Refined:
        return Refined(x, self.layer.descent(x))

    def step(self, state: Refined) -> Refined:
        x = torch.addmm(state.x, state.r, self.K)
        return Refined(x, self.layer.descent(x))

    def residual(self, state: Refined) -> Tensor:
        return self.layer.natural(*state)

    def answer(self, state: Refined) -> tuple[Tensor, Tensor]:
        return state.x.clamp_min(0), self.layer.no_dual


@dataclass(frozen=True, eq=False)
class Fit(ActiveSet):
    """Least squares on the columns that have a value, or a gradient that asks for one."""

    def entries(self, state: State) -> tuple[Tensor, Tensor, Tensor]:
        x, r = state.x, state.r
        rms = torch.linalg.vector_norm(x, dim=1, keepdim=True) / x.shape[1] ** 0.5
        enters = r > ENTER * state.natural[:, None]
        free = torch.where(state.free > 0, x > ZERO * rms, enters).to(x.dtype)
        margin = (x + r).mul_(free - state.free)
        return free, r, margin.abs_().amax(1, keepdim=True)


@dataclass(frozen=True, eq=False)
class ConstrainedFit(Fit, ConstrainedActiveSet):
    """The same where inequalities are to hold, none of them active."""

    def guess(self, state: State) -> Tensor:
        return torch.zeros_like(state.eta)


# signals that may be of this kind, and what was found for them
Found = tuple[Tensor, loop.Result]


def refined(newton: ActiveSet, max_iter: int, rounding: float) -> Found:
    """Least-squares solutions from one factor for all; of no signals, where there is none."""
    layer = newton.layer
    if isinstance(layer.rows, Diagonal) and isinstance(layer.columns, Identity):
        return _refined_each(newton, max_iter, rounding)
    return refined_alike(layer, max_iter, rounding)


def refined_alike(layer: Layer, max_iter: int, rounding: float) -> Found:
    """The same where all signals have the same rows, and A'A is at hand."""
    none = _nothing(layer)
    if not isinstance(layer, GramLayer) or not _weightless(layer).any():
        return none
    factor, failed = torch.linalg.cholesky_ex(layer.gram)
    if bool(failed):
        return none
    K = torch.cholesky_inverse(factor)
    x = layer.g @ K
    some = candidates(layer, x)
    method = Refinement(take(layer.without_gram(), some), K)
    state = method.start(x[some], method.layer.no_dual)
    steps = min(REFINEMENTS, max_iter)
    return some, loop.run(method, state, rounding, steps, patience=PATIENCE)


def _refined_each(newton: ActiveSet, max_iter: int, rounding: float) -> Found:
    """The same where each signal has rows of its own, not fewer than columns, and not so many that
    steps with what all share lead there too.
    """
    layer, n = newton.layer, newton.layer.W.shape[1]
    rows = layer.rows.values.sum(1)
    some = torch.nonzero(_weightless(layer) & (rows >= n) & (rows < PLENTY * n))[:, 0]
    if isinstance(newton, ConstrainedActiveSet) or not len(some):
        return _nothing(layer)
    best = loop.Result.at(layer.lam[some], layer.no_dual[some])
    for part in parts(len(some), Factors.each(layer.W), room(layer.W)):
        own = replace(take(newton, some[part]).exactly(), systems=Own())
        b = torch.arange(len(some), device=some.device)[part]
        everywhere = torch.ones_like(own.layer.lam)
        best.keep_better(b, _fits(own, everywhere, min(EACH, max_iter), rounding, PATIENCE))
    return some, best


def fitted(newton: ActiveSet, x: Tensor, max_iter: int, rounding: float) -> Found:
    """What fits find for signals of which x is near the solution."""
    some = candidates(newton.layer, x)
    if not len(some):
        return _nothing(newton.layer)
    newton = take(newton, some).exactly()
    best = _fits(newton, x[some], max_iter, rounding, HASTE)
    left = torch.nonzero(best.residual > NEAR * rounding)[:, 0]
    for part in parts(len(left), Factors.each(newton.layer.W), room(x)):
        b = left[part]
        own = replace(take(newton, b), systems=Own())
        best.keep_better(b, _fits(own, x[some[b]], max_iter, rounding, PATIENCE))
    return some, best


def _fits(
    newton: ActiveSet, x: Tensor, max_iter: int, rounding: float, patience: int
) -> loop.Result:
    """Fits from x, with the linear systems of a method."""
    kind = ConstrainedFit if isinstance(newton, ConstrainedActiveSet) else Fit
    values = {f.name: getattr(newton, f.name) for f in fields(newton)}
    fit = kind(**{**values, "goal": rounding})
    state, steps = fit.start(x, fit.layer.no_dual), min(FITS, max_iter)
    return loop.run(fit, state, rounding, steps, patience=patience)


def completed(
    layer: Layer, clean: Found, goal: float, others: Callable[[Any], loop.Result]
) -> loop.Result:
    """What is solved already, and what `others` finds for the signals that are not."""
    some, found = clean
    if not len(some) or not bool((found.residual <= goal).any()):
        return others(slice(None))
    best = loop.Result.at(torch.zeros_like(layer.lam), layer.no_dual)
    best.keep_better(some, found)
    left = torch.nonzero(best.residual > goal)[:, 0]
    if len(left):
        best.keep_better(left, others(left))
    return best


def _nothing(layer: Layer) -> Found:
    """Of no signals."""
    none = torch.arange(0, device=layer.lam.device)
    return none, loop.Result.at(layer.lam[none], layer.no_dual[none])


def candidates(layer: Layer, x: Tensor) -> Tensor:
    """Signals without weights that x all but fits."""
    some = torch.nonzero(_weightless(layer))[:, 0]
    if not len(some):
        return some
    layer, x = take(layer, some), x[some]
    misfit = torch.linalg.vector_norm(layer.rows.times_(layer.t - x @ layer.W.T), dim=1)
    return some[misfit <= MISFIT * torch.linalg.vector_norm(layer.t, dim=1)]


def _weightless(layer: Layer) -> Tensor:
    """(B,) bool: x >= 0 and lam = gamma = 0."""
    if layer.nonnegative and isinstance(layer.gamma, Zero):
        return ~layer.lam.any(1)
    return layer.lam.new_zeros(len(layer.lam), dtype=torch.bool)
