"""FISTA (Algorithm 5) and its l1 variant, as printed, with the errata's corrections.

Corrected are the step, which must account for W (erratum E4), and what is returned: the projected
point, not the extrapolated one, which can be negative (erratum E6).
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor

from ..core.layer import Layer


class Smooth(Protocol):
    """What FISTA asks of a problem: gradient and prox. `Layer` and `nonconvex.Nonlinear` answer."""

    @property
    def no_dual(self) -> Tensor:
        """(B, 0)."""
        ...

    def descent(self, x: Tensor) -> Tensor:
        """Minus the gradient of the smooth part."""
        ...

    def prox(self, w: Tensor, weight: float | Tensor = 1.0) -> Tensor:
        """argmin weight lam'|x| + 1/2 ||x - w||^2 under signs and columns."""
        ...

    def natural(self, x: Tensor, r: Tensor) -> Tensor:
        """Largest natural residual, (B,)."""
        ...

    def objective(self, x: Tensor) -> Tensor:
        """The objective, (B,)."""
        ...


class State(NamedTuple):
    """x: the projected point; y: the extrapolated one; t: the momentum sequence, (B, 1)."""

    x: Tensor
    y: Tensor
    t: Tensor


@dataclass(frozen=True, eq=False)
class FISTA:
    """x <- prox(y + step descent(y)); t <- (1 + sqrt(1 + 4 t^2))/2; y <- x + (t - 1)/t_next (x -
    x_last).
    """

    layer: Smooth
    step_size: Tensor  # (B, 1)
    restart: bool

    capturable: ClassVar[bool] = True

    def start(self, x: Tensor, dual: Tensor) -> State:
        """From a point; x = 0 is the printed one."""
        return State(x, x, torch.ones_like(x[:, :1]))

    def step(self, state: State) -> State:
        last, y, t = state
        x = self.layer.prox(y + self.step_size * self.layer.descent(y), self.step_size)
        if self.restart:  # the momentum points uphill (O'Donoghue, Candes 2015)
            uphill = ((y - x) * (x - last)).sum(1, keepdim=True) > 0
            t = torch.where(uphill, 1.0, t)
        following = 0.5 * (1 + torch.sqrt(1 + 4 * t * t))
        return State(x, x + (t - 1) / following * (x - last), following)

    def residual(self, state: State) -> Tensor:
        return self.layer.natural(state.x, self.layer.descent(state.x))

    def answer(self, state: State) -> tuple[Tensor, Tensor]:
        return state.x, self.layer.no_dual


def method(layer: Layer, restart: bool) -> FISTA:
    """FISTA with the step 1 / (lambda_max(W'W) + gamma): one spectral norm for the layer, valid for
    every mask.
    """
    largest = spectral(layer.W) + float(layer.gamma.values.amax())
    return FISTA(layer, torch.full_like(layer.lam[:, :1], 1 / largest), restart)


def spectral(W: Tensor) -> float:
    """lambda_max(W'W), with a margin for rounding."""
    H = W.T @ W if W.shape[1] <= W.shape[0] else W @ W.T
    largest = float(torch.linalg.eigvalsh(H)[-1]) if len(H) else 0.0
    return max(largest * (1 + 100 * torch.finfo(W.dtype).eps), torch.finfo(W.dtype).tiny)
