"""Inequalities that contradict each other: the point of least violation, and the Farkas certificate
that it brings along.

At the minimiser x of 1/2 ||max(C x - d, 0)||^2 + 1/2 ||min(x, 0)||^2 (the second term for x >= 0
only) the vector p = max(C x - d, 0) satisfies C'p = -min(x, 0) >= 0, respectively C'p = 0, and d'p
= -||p||^2 - ||min(x, 0)||^2: unless the minimum is zero, p proves that C x <= d has no solution.
"""

import torch
from torch import Tensor

from cvxinv import newton
from fast.core.layer import Layer

CHUNK = 64  # signals at a time: bounds the memory of (B, n, n)
NOISE = 1e-7  # entries of a proof below it, relative, are rounding; what is left is checked
ROUNDING = 1e-9  # relative: what a proof may owe to rounding


def farkas(layer: Layer) -> tuple[Tensor, Tensor]:
    """Points of least violation (B, n), x >= 0 where stated, and Farkas certificates (B, m): zero
    for signals that are not refuted.
    """
    parts = [_farkas(layer[k : k + CHUNK]) for k in range(0, len(layer.t), CHUNK)]
    return torch.cat([x for x, _ in parts]), torch.cat([p for _, p in parts])


def _farkas(layer: Layer) -> tuple[Tensor, Tensor]:
    assert layer.off is not None
    assert layer.d is not None
    W, off = layer.W, layer.off > 0
    size = layer.d.abs().amax(1, keepdim=True)
    size = torch.where(size > 0, size, 1.0)
    unit = newton.row_units(W)
    x, over = newton.least_violation(W, unit, unit * layer.d / size, off, layer.nonnegative)
    p = torch.where(over > NOISE * over.amax(1, keepdim=True), over, 0.0) * unit
    v, terms = p @ W, p @ W.abs()
    bent = ((-v).clamp_min(0) if layer.nonnegative else v.abs()).amax(1)
    value = (layer.d / size * p).sum(1)
    proves = (bent <= ROUNDING * terms.amax(1)) & (
        value < -ROUNDING * (layer.d / size * p).abs().sum(1)
    )
    x = x.clamp_min(0) if layer.nonnegative else x
    return x * size, torch.where(proves[:, None], p, 0.0)
