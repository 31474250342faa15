"""Inequalities that contradict each other: the point of least violation, and the multipliers that
it brings along.

At the minimiser x of 1/2 ||max(C x - d, 0)||^2 + 1/2 ||min(x, 0)||^2 (the second term for x >= 0
only) the vector p = max(C x - d, 0) satisfies C'p = -min(x, 0) >= 0, respectively C'p = 0, and d'p
= -||p||^2 - ||min(x, 0)||^2: unless the minimum is zero, p proves that C x <= d has no solution.
Whether it does to the last digit, `cvxinv.certificate.farkas` says.
"""

import torch
from torch import Tensor

from cvxinv import newton
from cvxinv.memory import parts, room
from cvxinv.rows import join, take

from ..core.layer import ConstrainedLayer

COPIES = 4  # of a system (n, n) that are alive at once
NOISE = 1e-7  # entries of a proof below it, relative, are rounding


def least_violation(layer: ConstrainedLayer) -> tuple[Tensor, Tensor]:
    """Points of least violation (B, n), x >= 0 where stated, and the multipliers p (B, m)."""
    count, n = layer.lam.shape
    slices = parts(count, 8 * COPIES * n * n, room(layer.W))
    x, p = join([[*_least_violation(take(layer, part))] for part in slices])
    return x, p


def _least_violation(layer: ConstrainedLayer) -> tuple[Tensor, Tensor]:
    size = layer.d.abs().amax(1, keepdim=True)
    size = torch.where(size > 0, size, 1.0)
    d, off = layer.unit * layer.d / size, layer.off > 0
    x, over = newton.least_violation(layer.W, layer.unit, d, off, layer.nonnegative)
    p = torch.where(over > NOISE * over.amax(1, keepdim=True), over, 0.0) * layer.unit
    return layer.projected(x) * size, p
