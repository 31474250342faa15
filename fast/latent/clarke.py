"""How far z is from a stationary point of eq. 1 in the sense of Clarke: 0 in the convex hull of the
gradients of all pieces that meet at z.

The hull is sampled: gradients at points around z, in all directions, at a distance at which only
the pieces that (nearly) meet there are seen. Its shortest vector is zero where no neighbouring
piece descends; else its negative descends in all of them at once.

Source: Burke, Lewis, Overton (2005), A robust gradient sampling algorithm.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from cvxinv.memory import room, signals_per_part

from ..core import graphs
from .eq1 import Fit

RADIUS = 1e-5  # of the samples, relative to ||z||
LEAST = 1e-3  # the size of z that this is relative to, at least
STATIONARY = 1e-3  # residual up to which no neighbouring piece descends by what counts
SAMPLES = 4  # as a multiple of n_0: every piece that meets at z should be among them
STREAM = 3  # of the directions: the same for all signals
ITERATIONS = 400  # of the projected gradient method, for vectors of SAMPLES n_0 weights
CACHED = 32  # signals at a time on a CPU: products of their gradients fit the caches
COPIES = 3  # of these products and the gradients that are alive at once


def shortest(fit: Fit, z: Tensor, radius: float = RADIUS) -> Tensor:
    """The shortest vector (B, n_0) in the convex hull of the gradients around z (B, n_0)."""
    gradients = sampled(fit, z, radius)
    size = gradients.abs().amax((1, 2)).clamp_min(torch.finfo(gradients.dtype).tiny)[:, None]
    gradients = gradients / size[:, :, None]
    _, K, n0 = gradients.shape
    each = 4 * COPIES * K * (K + n0)
    some = signals_per_part(each, room(z, CACHED * each))
    found = torch.cat([_shortest(part) for part in torch.split(gradients, some)])
    return (found * size).to(z)


class Weights(NamedTuple):
    """Of the gradients in a convex combination, (B, K), as FISTA takes them."""

    weights: Tensor
    ahead: Tensor  # extrapolated
    t: Tensor  # how far


def _shortest(gradients: Tensor) -> Tensor:
    """The shortest vector (B, n_0) in the convex hulls of gradients (B, K, n_0)."""
    Q = gradients @ gradients.mT
    bound = Q.diagonal(dim1=1, dim2=2).sum(1, keepdim=True)  # of the largest eigenvalue
    bound = bound.clamp_min(torch.finfo(Q.dtype).tiny)

    def step(at: Weights) -> Weights:
        """Of FISTA over the simplex."""
        new = on_simplex(at.ahead - (Q @ at.ahead[:, :, None])[:, :, 0] / bound)
        t = 0.5 * (1 + (1 + 4 * at.t * at.t).sqrt())
        return Weights(new, new + (at.t - 1) / t * (new - at.weights), t)

    same = torch.full_like(Q[:, 0], 1 / Q.shape[1])
    begin = Weights(same, same, torch.ones((), dtype=torch.float64, device=Q.device))
    found = graphs.fastest(step, begin)(begin, ITERATIONS)
    return (found.weights[:, None, :] @ gradients)[:, 0]


def sampled(fit: Fit, z: Tensor, radius: float) -> Tensor:
    """Gradients (B, K, n_0) at z and at points around it, in float32: radius and residuals are far
    above its rounding.
    """
    fit, z = fit.to(torch.float32), z.to(torch.float32)
    n0 = z.shape[1]
    u = np.random.default_rng(STREAM).standard_normal((SAMPLES * n0, n0))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    directions = torch.from_numpy(u).to(z)
    distance = radius * z.norm(dim=1, keepdim=True).clamp_min(LEAST)
    points = [z, *(z + distance * direction for direction in directions)]
    return torch.stack([fit.gradient(point)[1] for point in points], 1)


def on_simplex(v: Tensor) -> Tensor:
    """The nearest weights (B, K): >= 0, with sum 1."""
    ordered = v.sort(dim=1, descending=True)[0]
    count = torch.arange(1, v.shape[1] + 1, dtype=v.dtype, device=v.device)
    shift = (ordered.cumsum(1) - 1) / count
    last = ((ordered > shift).sum(1, keepdim=True) - 1).clamp_min(0)  # nan has none
    return (v - shift.gather(1, last)).clamp_min(0)
