"""ADMM with one factor for all signals: the robust base of the default method.

Graph form (Parikh, Boyd 2014) splits (Q) as f(v) + g(x) with v = W x over *all* rows of W: f holds
1/2 (v_i - t_i)^2 on the rows that enter and v_i <= d_i on the inequalities, g holds lam'|x|, gamma
and the signs. Both proxes are elementwise with the signal's own masks, and the projection onto {v =
W x} needs (tau I + W'W)^-1 only, whatever the supports. Where all rows enter for every signal, f is
the same quadratic for all of them and is minimised with the projection (Gram form): one product
with an n x n matrix an iteration.
"""

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from cvxinv.rows import SHARED, take

from ..core import loop
from ..core.diagonal import Mask
from ..core.layer import ConstrainedLayer, GramLayer, Layer
from ..core.linear_systems import LowRank, Shared, inverse, shrinkage

RELAX = 1.7  # over-relaxation
RHO, TAU = 0.6, 0.2
# iterations that bring active sets near enough to find the right ones; fewer do where each signal
# has a factor of its own, which makes another attempt cheap
BASE, FEWER = 40, 20
# signals that choose the setting of the Gram form, and what a step moves them once they are near,
# relative
PILOT, STILL = 16, 3e-5


class Setting(NamedTuple):
    """Of the Gram form."""

    rho: float
    relax: float  # over-relaxation
    base: int  # iterations


USUAL = Setting(0.2, 1.7, 20)
EASY = Setting(0.6, 1.9, 15)  # for a well conditioned A: quicker, or much slower


class GramState(NamedTuple):
    """z: the projected point; u: scaled multipliers of x = z."""

    z: Tensor
    u: Tensor


@dataclass(frozen=True, eq=False)
class GramADMM:
    """x <- (A'A + gamma + rho)^-1 (A't + rho (z - u)); z <- prox(x + u); u <- u + x - z,
    over-relaxed.
    """

    layer: GramLayer
    K: Tensor = field(metadata=SHARED)  # rho (A'A + diag(gamma) + rho I)^-1
    offset: Tensor  # (B, n) K A't / rho
    setting: Setting

    capturable: ClassVar[bool] = True

    @property
    def base(self) -> int:
        """Iterations before active sets."""
        return self.setting.base

    @property
    def easy(self) -> bool:
        """Whether A is well conditioned."""
        return self.setting == EASY

    @property
    def fewer(self) -> int:
        """The same where these have a factor for each signal."""
        return self.setting.base

    def start(self, x: Tensor, dual: Tensor) -> GramState:
        """From a point, with the multipliers that belong to it at a solution."""
        return GramState(x, self.layer.descent(x).div_(self.setting.rho))

    def cold(self) -> GramState:
        """From the projected ridge solution."""
        z = self.layer.prox(self.offset, 1 / self.setting.rho)
        return GramState(z, torch.zeros_like(z))

    @property
    def preconditioner(self) -> Shared:
        """Near the inverse of A'A + gamma for all signals."""
        return Shared(self.K)

    def step(self, state: GramState) -> GramState:
        z, u = state
        x = torch.addmm(self.offset, z - u, self.K)
        relax = self.setting.relax
        w = u.add(x, alpha=relax).add_(z, alpha=1 - relax)
        z = self.layer.prox(w, 1 / self.setting.rho)
        return GramState(z, w.sub_(z))

    def residual(self, state: GramState) -> Tensor:
        return self.layer.residual(*self.answer(state))

    def answer(self, state: GramState) -> tuple[Tensor, Tensor]:
        return state.z, self.layer.no_dual


class GraphState(NamedTuple):
    """(x, v = W x) on the graph; p, q their scaled multipliers; `near` the projected point."""

    x: Tensor
    v: Tensor
    p: Tensor
    q: Tensor
    near: Tensor


@dataclass(frozen=True, eq=False)
class GraphADMM:
    """Proxes of g and f at (x - p, v - q), then the projection of what they give, plus (p, q), onto
    {v = W x}.
    """

    layer: Layer
    K: Shared | LowRank  # (tau I + W'W)^-1
    ridge: Mask  # rho (rho + gamma)^-1 with g's rho, which is RHO TAU
    shrink: Tensor  # (B, m) f's prox is shrink * e + pull ..
    pull: Tensor

    capturable: ClassVar[bool] = True
    base: ClassVar[int] = BASE
    fewer: ClassVar[int] = FEWER
    easy: ClassVar[bool] = False

    def start(self, x: Tensor, dual: Tensor) -> GraphState:
        """From a point and its multipliers, as they are related at a solution."""
        layer, v = self.layer, x @ self.layer.W.T
        theta = self.of_f(layer.rows.times_(layer.t - v), dual)
        return GraphState(x, v, (theta @ layer.W) / (-RHO * TAU), theta / RHO, x)

    def of_f(self, theta: Tensor, dual: Tensor) -> Tensor:
        """Minus the gradient of f at v: that of the rows that are fitted, and of inequalities."""
        return theta

    def cold(self) -> GraphState:
        """From zero."""
        x, v = torch.zeros_like(self.layer.lam), torch.zeros_like(self.layer.t)
        return GraphState(x, v, x, v, x)

    @property
    def preconditioner(self) -> Shared | LowRank:
        """Near the inverse of A'A + gamma for all signals."""
        return self.K

    def step(self, state: GraphState) -> GraphState:
        layer = self.layer
        x, v, p, q, _ = state
        # gamma belongs to g: its prox is that of the rest, with other weights
        near = layer.prox(self.ridge.times_(x - p), self.ridge.values / (RHO * TAU))
        c = p.add(near, alpha=RELAX).add_(x, alpha=1 - RELAX)
        e = self.prox_f(v - q).mul_(RELAX).add_(v, alpha=1 - RELAX).add_(q)
        x = self.K.times(torch.addmm(c, e, layer.W, beta=TAU))
        v = x @ layer.W.T
        return GraphState(x, v, c.sub_(x), e.sub_(v), near)

    def prox_f(self, e: Tensor) -> Tensor:
        """Of 1/2 (v_i - t_i)^2 on the rows that enter; in place."""
        return e.mul_(self.shrink).add_(self.pull)

    def residual(self, state: GraphState) -> Tensor:
        return self.layer.residual(*self.answer(state))

    def answer(self, state: GraphState) -> tuple[Tensor, Tensor]:
        return state.near, self.layer.no_dual


@dataclass(frozen=True, eq=False)
class ConstrainedGraphADMM(GraphADMM):
    """The same with inequalities in f."""

    layer: ConstrainedLayer
    ceiling: Tensor  # (B, m) .. and at most this

    def of_f(self, theta: Tensor, dual: Tensor) -> Tensor:
        return theta - dual

    def prox_f(self, e: Tensor) -> Tensor:
        return torch.minimum(super().prox_f(e), self.ceiling)

    def answer(self, state: GraphState) -> tuple[Tensor, Tensor]:
        return state.near, (state.q * -RHO).clamp_min_(0).mul_(self.layer.off)


def method(layer: Layer) -> GramADMM | GraphADMM:
    """The form that fits the layer."""
    if isinstance(layer, GramLayer):
        return _piloted(layer)
    rows = layer.rows.values.expand_as(layer.t)
    # rows that take no part, and inequalities below their bound, stay where they are
    shrink = RHO / (1 + RHO) * rows + (1 - rows)
    parts = shrinkage(layer.W, TAU), layer.gamma.resolvent(RHO * TAU), shrink, layer.t / (1 + RHO)
    if isinstance(layer, ConstrainedLayer):
        ceiling = torch.where(layer.off > 0, layer.d, torch.inf)
        return ConstrainedGraphADMM(layer, *parts, ceiling)
    return GraphADMM(layer, *parts)


def _piloted(layer: GramLayer) -> GramADMM:
    """The Gram form, in the setting that a few of the signals ask for."""
    if len(layer.t) >= 4 * PILOT and not layer.W.is_cuda:  # where launches cost more than steps
        easy = _gram_form(layer, EASY)
        some = take(easy, slice(PILOT))
        state = loop.blindly(some, some.cold(), EASY.base - 1)
        near, after = state.z, some.step(state).z
        moved = torch.linalg.vector_norm(after - near, dim=1)
        if bool((moved <= STILL * torch.linalg.vector_norm(after, dim=1)).double().mean() > 0.5):
            return easy
    return _gram_form(layer, USUAL)


def _gram_form(layer: GramLayer, setting: Setting) -> GramADMM:
    H = layer.gram.to(torch.float64, copy=True)
    H.diagonal().add_(layer.gamma.values + setting.rho)
    K = inverse(H).to(layer.W.dtype)
    return GramADMM(layer, setting.rho * K, layer.g @ K, setting)
