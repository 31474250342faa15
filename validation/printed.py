"""Latent-Pursuit as the paper runs it: FISTA and linearised ADMM, rho = 1e-2, supports read off by
a cut, and debiasing by gradient descent.

The paper does not say how it reads supports off. Without noise and with lam = 0 entries off the
support have a zero gradient at the solution, so that iterates leave many of them small and
positive: x > 0 loses z. Entries below CUT times the largest of their signal count as zero.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

import fast
from cvxinv import Generator, Latent
from cvxinv.arrays import namespace
from cvxinv.generator.jacobian import frozen

RHO = 1e-2
CUT = 1e-3
MOMENTUM = 0.9


def solver(cut: float = CUT, **options: Any) -> Callable[[Any], Any]:
    """A backend for `latent_pursuit`."""
    return partial(_solve, cut=cut, method="linearized_admm", rho=RHO, **options)


def _solve(problem: Any, cut: float, **options: Any) -> Any:
    x: Any = fast.solve(problem, **options).x
    if isinstance(problem, Latent):
        return x
    xp = namespace(x)
    return xp.where(x > cut * xp.max(x, axis=-1, keepdims=True), x, 0.0)


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
