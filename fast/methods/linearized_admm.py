"""Linearized ADMM for the hidden layers (Algorithm 2, eq. 8) and the latent vector (eqs. 10 and
33), as printed.

With m the 0/1 indicator of S one dense product serves signals with different supports.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from fast.core.layer import Layer, Units
from fast.methods.fista import spectral


class State(NamedTuple):
    """x and v = W x; a = W x - d <= 0 on S^c; u the scaled multipliers."""

    x: Tensor
    v: Tensor
    a: Tensor
    u: Tensor


@dataclass(frozen=True, eq=False)
class LinearizedADMM:
    """x <- ReLU(x - [W'(m (Wx - t)) + rho W'((1-m)(Wx - d - a - u)) + lam] / (alpha + beta)); then
    a and u.

    The latent variant has no ReLU and no lam, and divides by alpha + beta + gamma.
    """

    layer: Layer
    rho: float
    alpha_beta: float

    capturable: ClassVar[bool] = True

    def __getitem__(self, b: Any) -> "LinearizedADMM":
        return replace(self, layer=self.layer[b])

    def start(self, x: Tensor | None) -> State:
        """From a point, or from zero."""
        x = torch.zeros_like(self.layer.lam) if x is None else x
        v = x @ self.layer.W.T
        return State(x, v, torch.zeros_like(v), torch.zeros_like(v))

    def step(self, state: State) -> State:
        x, v, a, u = state
        layer = self.layer
        assert layer.rows is not None
        assert layer.off is not None
        assert layer.d is not None
        rows = layer.rows * (layer.t - v) - self.rho * layer.off * (v - layer.d - a - u)
        x = x + (rows @ layer.W) / self.alpha_beta
        if layer.gamma is not None:
            x = x * (self.alpha_beta / (self.alpha_beta + layer.gamma))
        x = layer.prox(x, 1 / self.alpha_beta)
        v = x @ layer.W.T
        a = (v - layer.d - u).clamp_max_(0).mul_(layer.off)
        return State(x, v, a, (u + a - (v - layer.d)).mul_(layer.off))

    def residual(self, state: State) -> Tensor:
        layer, (x, dual) = self.layer, self.answer(state)
        assert layer.off is not None
        assert layer.d is not None
        columns = layer.natural(x, layer.gradient(x, state.v, dual))
        rows = torch.minimum(dual, (layer.d - state.v) * layer.off).abs_()
        return torch.maximum(columns, rows.amax(1))

    def answer(self, state: State) -> tuple[Tensor, Tensor]:
        return state.x, (state.u * -self.rho).clamp_min_(0)


def method(layer: Layer, units: Units, rho: float, alpha_beta: float | None) -> LinearizedADMM:
    """alpha + beta >= lambda_max(W_S'W_S + rho W_Sc'W_Sc) guarantees convergence: max(1, rho)
    lambda_max(W'W) is enough for every S.
    """
    largest = (
        max(1.0, rho) * spectral(layer.W)
        if alpha_beta is None
        else alpha_beta / float(units.norm[0]) ** 2
    )
    return LinearizedADMM(layer, rho, largest)
