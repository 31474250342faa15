"""Linearized ADMM for the hidden layers (Algorithm 2, eq. 8) and the latent vector (eqs. 10 and
33), as printed.

With m the 0/1 indicator of S one dense product serves signals with different supports.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ..core.diagonal import Mask
from ..core.layer import ConstrainedLayer
from .fista import spectral


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

    layer: ConstrainedLayer
    rho: float
    alpha_beta: float
    ridge: Mask  # (alpha + beta) / (alpha + beta + gamma)

    capturable: ClassVar[bool] = True

    def start(self, x: Tensor, dual: Tensor) -> State:
        """From a point; x = 0 is the printed one."""
        v = x @ self.layer.W.T
        return State(x, v, torch.zeros_like(v), dual / -self.rho)

    def step(self, state: State) -> State:
        x, v, a, u = state
        p, rho = self.layer, self.rho
        misfit = p.rows.times_(v - p.t) + rho * p.off * (v - p.d - a - u)
        x = self.ridge.times_(x - (misfit @ p.W) / self.alpha_beta)
        x = p.prox(x, 1 / self.alpha_beta)
        v = x @ p.W.T
        a = (v - p.d - u).clamp_max_(0).mul_(p.off)
        u = (u + a - (v - p.d)).mul_(p.off)
        return State(x, v, a, u)

    def residual(self, state: State) -> Tensor:
        x, dual = self.answer(state)
        return self.layer.residual_at(x, state.v, dual)

    def answer(self, state: State) -> tuple[Tensor, Tensor]:
        return state.x, (state.u * -self.rho).clamp_min_(0)


def bound(layer: ConstrainedLayer, rho: float) -> float:
    """An alpha + beta that guarantees convergence for every S: max(1, rho) lambda_max(W'W) >=
    lambda_max(W_S'W_S + rho W_Sc'W_Sc).
    """
    return max(1.0, rho) * spectral(layer.W)


def method(layer: ConstrainedLayer, rho: float, alpha_beta: float) -> LinearizedADMM:
    """Algorithm 2, or eq. 10 with gamma."""
    return LinearizedADMM(layer, rho, alpha_beta, layer.gamma.resolvent(alpha_beta))
