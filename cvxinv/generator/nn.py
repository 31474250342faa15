"""Output activations as torch modules, where torch has none (it has Tanh, Sigmoid and
LeakyReLU).
"""

import torch
from torch.overrides import handle_torch_function, has_torch_function_unary

from cvxinv import activations


def plu(t: torch.Tensor, alpha: float, c: float) -> torch.Tensor:
    """Slope 1 on [-c, c], slope alpha outside; one call for those who override torch functions."""
    if has_torch_function_unary(t):
        answer: torch.Tensor = handle_torch_function(plu, (t,), t, alpha, c)
        return answer
    inside = torch.clamp(t, -c, c)
    return inside + alpha * (t - inside)


class PLU(torch.nn.Module):
    """Piecewise linear unit (Nicolae 2018): slope 1 on [-c, c], slope alpha outside."""

    def __init__(self, alpha: float = 0.1, c: float = 1.0) -> None:
        super().__init__()
        self.phi = activations.PLU(alpha, c)

    def forward(self, t: torch.Tensor) -> torch.Tensor:
        """phi(t), differentiable by autograd."""
        return plu(t, self.phi.alpha, self.phi.c)

    def extra_repr(self) -> str:
        """The parameters, as printed in the module."""
        return f"alpha={self.phi.alpha}, c={self.phi.c}"
