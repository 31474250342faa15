"""The last resort for a few signals: dense linear algebra per signal, methods that cannot cycle.

First interior points, which find the face on which a solution lies; then a fit on it.
"""

from dataclasses import replace

import torch
from torch import Tensor

from cvxinv import newton
from cvxinv.memory import parts, room
from cvxinv.rows import take

from ..core import loop
from ..core.diagonal import Zero
from ..core.layer import ConstrainedLayer, Layer
from . import interior_point

COPIES = 4  # of a system (n, n) that are alive at once
SMALL = 200  # columns up to which fits on a face are affordable, one signal at a time


def solve(layer: Layer, goal: float, max_iter: int) -> loop.Result:
    """The best points that interior points find, in the layer's units."""
    best = loop.Result.at(torch.zeros_like(layer.lam), layer.no_dual)
    everyone = torch.arange(len(best.x), device=best.x.device)
    for part in parts(len(everyone), 8 * COPIES * best.x.shape[1] ** 2, room(best.x)):
        b = everyone[part]
        found = _solve(take(layer, b), take(best, b), goal, max_iter)
        best.keep_better(b, found)
    return best


def _solve(layer: Layer, zero: loop.Result, goal: float, max_iter: int) -> loop.Result:
    weightless = not bool(layer.lam.any())
    free = weightless and not layer.nonnegative and not isinstance(layer, ConstrainedLayer)
    if free and isinstance(layer.gamma, Zero):
        return _least_squares(layer, zero)
    steps = min(max_iter, interior_point.STEPS)
    if layer.nonnegative or weightless:
        best = _interior(interior_point.method(layer), zero.x, zero.dual, goal, steps)
    else:
        halves = interior_point.method(split(layer), halves=True)
        twice = torch.cat([zero.x, zero.x], 1)
        best = _interior(halves, twice, zero.dual, goal, steps)
        positive, negative = best.x.chunk(2, 1)
        best.x = positive - negative
    return best


def _interior(
    method: interior_point.InteriorPoint, x: Tensor, dual: Tensor, goal: float, steps: int
) -> loop.Result:
    start = method.start(x, dual)
    return loop.run(method, start, goal, steps, patience=interior_point.PATIENCE)


def split(layer: Layer) -> Layer:
    """The same with x = x+ - x-, both >= 0: an l1 term has no interior, its halves have."""
    some = torch.arange(layer.W.shape[1], device=layer.W.device)
    gamma = layer.gamma.values
    return replace(
        layer.without_gram(),
        W=torch.cat([layer.W, -layer.W], 1),
        lam=torch.cat([layer.lam, layer.lam], 1),
        gamma=type(layer.gamma)(torch.cat([gamma, gamma])),
        columns=layer.columns.on(torch.cat([some, some])),
        nonnegative=True,
    )


def on_face(layer: Layer, at: loop.Result) -> loop.Result:
    """Least squares on the face of a point, by orthogonal factors of A itself: where A'A has lost
    the digits that tell an optimum from a point far away.
    """
    none, zero = torch.zeros_like(layer.t), torch.zeros_like(at.x)
    constrained = isinstance(layer, ConstrainedLayer)
    off, d = (layer.off, layer.d) if isinstance(layer, ConstrainedLayer) else (none, none)
    dual = at.dual if constrained else none
    problem = newton.Scaled(
        W=layer.W,
        unit=torch.ones_like(layer.W[:, 0]),
        t=layer.t,
        rows=layer.rows.values.expand_as(layer.t) > 0,
        d=d,
        inequalities=off > 0,
        q=zero + layer.gamma.values,
        g=zero,
        lam=layer.lam,
        nonnegative=torch.full_like(zero, layer.nonnegative, dtype=torch.bool),
        columns=layer.columns.values.expand_as(zero) > 0,
    )
    start = newton.Iterate(at.x, dual, layer.reduced(at.x, at.dual))
    found = newton.fit_on_face(problem, start)
    x, eta = layer.projected(found.x), found.eta.clamp_min(0) * off if constrained else at.dual
    return loop.Result(x, eta, layer.residual(x, eta), at.iterations + 1)


def _least_squares(layer: Layer, zero: loop.Result) -> loop.Result:
    """Least squares of least norm from a singular value decomposition per signal."""
    x = torch.zeros_like(zero.x)
    for b in range(len(x)):
        one = take(layer, slice(b, b + 1))
        A = one.W * one.rows.values.expand(1, len(one.W)).T * one.columns.values
        x[b] = torch.linalg.pinv(A) @ one.t[0]
    return loop.Result(x, zero.dual, layer.residual(x, zero.dual), zero.iterations + 1)
