"""Output activations as torch modules, where torch has none (it has Tanh, Sigmoid and
LeakyReLU).
"""

import torch

from cvxinv import activations


class PLU(torch.nn.Module):
    """Piecewise linear unit (Nicolae 2018): slope 1 on [-c, c], slope alpha outside."""

    def __init__(self, alpha: float = 0.1, c: float = 1.0) -> None:
        super().__init__()
        self.phi = activations.PLU(alpha, c)

    def forward(self, t: torch.Tensor) -> torch.Tensor:
        """phi(t), differentiable by autograd."""
        inside = torch.clamp(t, -self.phi.c, self.phi.c)
        return inside + self.phi.alpha * (t - inside)

    def extra_repr(self) -> str:
        """The parameters, as printed in the module."""
        return f"alpha={self.phi.alpha}, c={self.phi.c}"
