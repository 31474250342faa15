"""Debiasing as the paper runs it: gradient descent with momentum on z, all supports frozen.

`cvxinv` solves that problem exactly (`cvxinv.pursuits.debias`); this is what 10 000 iterations in
float32 make of it.
"""

from typing import Any

import torch
from torch import Tensor

from cvxinv import Generator
from cvxinv.generator.jacobian import frozen

MOMENTUM = 0.9


def debiased(
    G: Generator, y: Tensor, z: Tensor, supports: list[Tensor], seen: Tensor | None, steps: int
) -> Any:
    """z (B, n_0) after `steps` steps of min_z 1/2 ||M (y - phi(J z + k))||^2.

    The step size is 1 / ||J||^2 per signal: phi is non-expansive.
    """
    J, k = (a.to(y.dtype) for a in frozen(G, supports))
    M = torch.ones_like(y) if seen is None else seen.to(y.dtype).expand_as(y)
    z = torch.nan_to_num(z)
    step = 1 / torch.linalg.matrix_norm(J, 2).square()[:, None]
    velocity = torch.zeros_like(z)
    for _ in range(steps):
        t = torch.einsum("bij,bj->bi", J, z) + k
        error = M * G.activation.derivative(t) * (G.activation(t) - y)
        velocity = MOMENTUM * velocity + torch.einsum("bij,bi->bj", J, error)
        z = z - step * velocity
    return z
