"""ADMM with one factor for all signals: the robust base of the default method.

Graph form (Parikh, Boyd 2014) splits (Q) as f(v) + g(x) with v = W x over *all* rows of W: f holds
1/2 (v_i - t_i)^2 on the rows that enter and v_i <= d_i on the inequalities, g holds lam'|x|, gamma
and the signs. Both proxes are elementwise with the signal's own masks, and the projection onto {v =
W x} needs (tau I + W'W)^-1 only, whatever the supports. Where all rows enter for every signal, f is
the same quadratic for all of them and is minimised with the projection (Gram form): one product
with an n x n matrix an iteration.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from fast.core.layer import Layer

RELAX = 1.7  # over-relaxation
RHO_GRAM = 0.2
RHO, TAU = 0.6, 0.2


class GramState(NamedTuple):
    """z: the projected point; u: scaled multipliers of x = z."""

    z: Tensor
    u: Tensor


@dataclass(frozen=True, eq=False)
class GramADMM:
    """x <- (A'A + gamma + rho)^-1 (A't + rho (z - u)); z <- prox(x + u); u <- u + x - z,
    over-relaxed.
    """

    layer: Layer  # with its Gram matrix
    K: Tensor  # rho (A'A + diag(gamma) + rho I)^-1
    offset: Tensor  # (B, n) K A't / rho

    capturable: ClassVar[bool] = True

    def __getitem__(self, b: Any) -> "GramADMM":
        return replace(self, layer=self.layer[b], offset=self.offset[b])

    def start(self, x: Tensor | None, eta: Tensor | None) -> GramState:
        """From a point, with the multipliers that belong to it at a solution; from the projected
        ridge solution without one.
        """
        if x is None:
            z = prox(self.layer, self.offset, RHO_GRAM)
            return GramState(z, torch.zeros_like(z))
        return GramState(x, self.layer.gradient(x, None, None).div_(RHO_GRAM))

    def step(self, state: GramState) -> GramState:
        z, u = state
        x = torch.addmm(self.offset, z - u, self.K)
        w = u.add(x, alpha=RELAX).add_(z, alpha=1 - RELAX)
        z = prox(self.layer, w, RHO_GRAM)
        return GramState(z, w.sub_(z))

    def residual(self, state: GramState) -> Tensor:
        return self.layer.natural(state.z, self.layer.gradient(state.z, None, None))

    def answer(self, state: GramState) -> tuple[Tensor, None]:
        return state.z, None


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
    K: Tensor  # (tau I + W'W)^-1
    shrink: Tensor  # (B, m) f's prox is shrink * e + pull, then at most ceiling
    pull: Tensor
    ceiling: Tensor

    capturable: ClassVar[bool] = True

    def __getitem__(self, b: Any) -> "GraphADMM":
        return replace(
            self,
            layer=self.layer[b],
            shrink=self.shrink[b],
            pull=self.pull[b],
            ceiling=self.ceiling[b],
        )

    def start(self, x: Tensor | None, eta: Tensor | None) -> GraphState:
        """From a point and its multipliers, as they are related at a solution; else from zero."""
        layer = self.layer
        if x is None:
            x, v = torch.zeros_like(layer.lam), torch.zeros_like(layer.t)
            return GraphState(x, v, x, v, x)
        v = x @ layer.W.T
        theta = layer.t - v if layer.rows is None else (layer.t - v) * layer.rows
        theta = theta if eta is None else theta - eta
        return GraphState(x, v, (theta @ layer.W) / (-RHO * TAU), theta / RHO, x)

    def step(self, state: GraphState) -> GraphState:
        layer = self.layer
        x, v, p, q, _ = state
        near = prox(layer, x - p, RHO * TAU)
        c = p.add(near, alpha=RELAX).add_(x, alpha=1 - RELAX)
        e = (
            torch.minimum((v - q).mul_(self.shrink).add_(self.pull), self.ceiling)
            .mul_(RELAX)
            .add_(v, alpha=1 - RELAX)
            .add_(q)
        )
        x = torch.addmm(c, e, layer.W, beta=TAU) @ self.K
        v = x @ layer.W.T
        return GraphState(x, v, c.sub_(x), e.sub_(v), near)

    def residual(self, state: GraphState) -> Tensor:
        layer, (x, dual) = self.layer, self.answer(state)
        v = x @ layer.W.T
        columns = layer.natural(x, layer.gradient(x, v, dual))
        if dual is None or layer.d is None or layer.off is None:
            return columns
        return torch.maximum(
            columns, torch.minimum(dual, (layer.d - v).mul_(layer.off)).abs_().amax(1)
        )

    def answer(self, state: GraphState) -> tuple[Tensor, Tensor | None]:
        off = self.layer.off
        return state.near, None if off is None else (state.q * -RHO).clamp_min_(0).mul_(off)


def prox(layer: Layer, w: Tensor, rho: float) -> Tensor:
    """argmin_x g(x) + rho/2 ||x - w||^2; gamma is g's in the graph form only."""
    if layer.gamma is None or layer.gram is not None:
        return layer.prox(w, 1 / rho)
    return layer.prox(w * (rho / (rho + layer.gamma)), 1 / (rho + layer.gamma))


def method(layer: Layer) -> GramADMM | GraphADMM:
    """The form that fits the layer."""
    eye = torch.eye(layer.W.shape[1], dtype=torch.float64, device=layer.W.device)
    W = layer.W.to(torch.float64)
    if layer.gram is not None and layer.g is not None:
        H = layer.gram.to(torch.float64) + RHO_GRAM * eye
        H = H if layer.gamma is None else H + torch.diag(layer.gamma)
        K = inverse(H).to(layer.W.dtype)
        return GramADMM(layer, RHO_GRAM * K, layer.g @ K)
    K = inverse(TAU * eye + W.T @ W).to(layer.W.dtype)
    rows = torch.ones_like(layer.t) if layer.rows is None else layer.rows
    off = torch.zeros_like(layer.t) if layer.off is None else layer.off
    shrink = RHO / (1 + RHO) * rows + (
        1 - rows
    )  # rows that take no part, and inequalities below their bound, stay where they are
    ceiling = (
        torch.full_like(layer.t, torch.inf)
        if layer.d is None
        else torch.where(off > 0, layer.d, torch.inf)
    )
    return GraphADMM(layer, K, shrink, layer.t / (1 + RHO), ceiling)


def inverse(H: Tensor) -> Tensor:
    """H^-1 of a symmetric positive definite matrix, by Cholesky."""
    return torch.cholesky_inverse(torch.linalg.cholesky(H))
