"""The last resort for a few signals: dense linear algebra per signal, methods that cannot cycle."""

from dataclasses import replace

import torch
from torch import Tensor

from cvxinv import newton
from cvxinv.memory import parts
from cvxinv.rows import take

from ..core import loop
from ..core.diagonal import Zero
from ..core.layer import ConstrainedLayer, Layer
from . import interior_point

COPIES = 4  # of a system (n, n) that are alive at once
SMALL = 200  # columns up to which the Newton method of `cvxinv.newton` is affordable


def solve(layer: Layer, near: loop.Result, goal: float, max_iter: int) -> loop.Result:
    """The best points that interior points or dense Newton steps find, from zero or else from
    `near`, in the layer's units.
    """
    best = loop.Result.at(torch.zeros_like(layer.lam), layer.no_dual)
    everyone = torch.arange(len(best.x), device=best.x.device)
    for part in parts(len(everyone), 8 * COPIES * best.x.shape[1] ** 2):
        b = everyone[part]
        found = _solve(take(layer, b), take(near, b), take(best, b), goal, max_iter)
        best.keep_better(b, found)
    return best


def _solve(
    layer: Layer, near: loop.Result, zero: loop.Result, goal: float, max_iter: int
) -> loop.Result:
    weightless = not bool(layer.lam.any())
    free = weightless and not layer.nonnegative and not isinstance(layer, ConstrainedLayer)
    if free and isinstance(layer.gamma, Zero):
        return _least_squares(layer, zero)
    steps = min(max_iter - 1, interior_point.STEPS)  # Newton's method counts as one iteration
    if layer.nonnegative or weightless:
        best = _interior(interior_point.method(layer), zero.x, zero.dual, goal, steps)
    else:
        halves = interior_point.method(split(layer), halves=True)
        twice = torch.cat([zero.x, zero.x], 1)
        best = _interior(halves, twice, zero.dual, goal, steps)
        positive, negative = best.x.chunk(2, 1)
        best.x = positive - negative
    if layer.W.shape[1] > SMALL:
        return best
    for at in (take(best, slice(None)), replace(near, iterations=0 * near.iterations)):
        left = torch.nonzero(best.residual > goal)[:, 0]
        if len(left):
            best.keep_better(left, _newton(take(layer, left), take(at, left)))
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


def _newton(layer: Layer, at: loop.Result) -> loop.Result:
    """The globally convergent Newton method of `cvxinv.newton`."""
    unit, none = newton.row_units(layer.W), torch.zeros_like(layer.t)
    constrained = isinstance(layer, ConstrainedLayer)
    off, d = (layer.off, layer.d) if isinstance(layer, ConstrainedLayer) else (none, none)
    dual = at.dual if constrained else none
    zero = torch.zeros_like(at.x)
    problem = newton.Scaled(
        W=layer.W,
        unit=unit,
        t=layer.t,
        rows=layer.rows.values.expand_as(layer.t) > 0,
        d=unit * d,
        inequalities=off > 0,
        q=zero + layer.gamma.values,
        g=zero,
        lam=layer.lam,
        nonnegative=torch.full_like(zero, layer.nonnegative, dtype=torch.bool),
        columns=layer.columns.values.expand_as(zero) > 0,
    )
    start = newton.Iterate(at.x, dual / unit, layer.reduced(at.x, at.dual))
    found = newton.solve(problem, start)
    eta = (found.eta * unit).clamp_min(0) * off
    residual = newton.residual(problem, found)
    x = layer.projected(found.x)
    return loop.Result(x, eta if constrained else at.dual, residual, at.iterations + 1)


def _least_squares(layer: Layer, zero: loop.Result) -> loop.Result:
    """Least squares of least norm from a singular value decomposition per signal."""
    x = torch.zeros_like(zero.x)
    for b in range(len(x)):
        one = take(layer, slice(b, b + 1))
        A = one.W * one.rows.values.expand(1, len(one.W)).T * one.columns.values
        x[b] = torch.linalg.pinv(A) @ one.t[0]
    return loop.Result(x, zero.dual, layer.residual(x, zero.dual), zero.iterations + 1)
