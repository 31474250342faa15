"""The last resort for a few signals: dense linear algebra per signal, methods that cannot cycle."""

from dataclasses import replace

import torch
from torch import Tensor

from cvxinv import newton
from fast.core import loop
from fast.core.layer import Layer, take
from fast.methods import interior_point

BYTES = 1 << 28  # for the (B, n, n) systems of one chunk
SMALL = 200  # columns up to which the Newton method of `cvxinv.newton` is affordable


def solve(layer: Layer, near: loop.Result, goal: float, max_iter: int) -> loop.Result:
    """The best points that interior points or dense Newton steps find, from zero or else from
    `near`, in the layer's units.
    """
    x, dual = torch.zeros_like(layer.lam), None if layer.off is None else torch.zeros_like(layer.t)
    best = _start(x, dual)
    size = max(1, BYTES // (32 * x.shape[1] ** 2))
    for k in range(0, len(x), size):
        rows = torch.arange(k, min(k + size, len(x)), device=x.device)
        best.keep_better(
            rows, _solve(layer[rows], near[rows], x[rows], take(dual, rows), goal, max_iter)
        )
    return best


def _solve(
    layer: Layer, near: loop.Result, x: Tensor, dual: Tensor | None, goal: float, max_iter: int
) -> loop.Result:
    weightless = not bool(layer.lam.any())
    if weightless and layer.off is None and layer.gamma is None and not layer.nonnegative:
        return _least_squares(layer, x)
    split = not (layer.nonnegative or weightless)
    method = interior_point.method(_split(layer) if split else layer, split)
    start = method.start(torch.cat([x, x], 1) if split else x, dual)
    steps = min(max_iter - 1, interior_point.STEPS)  # Newton's method counts as one iteration
    best = loop.run(method, start, goal, steps, patience=interior_point.PATIENCE)
    if split:
        best.x = best.x[:, : x.shape[1]] - best.x[:, x.shape[1] :]
    for at in (best[:], replace(near, iterations=torch.zeros_like(near.iterations))):
        left = torch.nonzero(best.residual > goal)[:, 0]
        if len(left) and layer.W.shape[1] <= SMALL:
            best.keep_better(left, _newton(layer[left], at[left]))
    return best


def _split(layer: Layer) -> Layer:
    """The same with x = x+ - x-, both >= 0: an l1 term has no interior, its halves have."""
    twice = {
        k: torch.cat([a, a], 1) for k in ("lam", "columns") if (a := getattr(layer, k)) is not None
    }
    gamma = None if layer.gamma is None else torch.cat([layer.gamma, layer.gamma])
    return replace(
        layer,
        W=torch.cat([layer.W, -layer.W], 1),
        gram=None,
        g=None,
        gamma=gamma,
        nonnegative=True,
        **twice,
    )


def _start(x: Tensor, dual: Tensor | None) -> loop.Result:
    none = torch.zeros(len(x), dtype=torch.int64, device=x.device)
    return loop.Result(
        x.clone(), None if dual is None else dual.clone(), torch.full_like(x[:, 0], torch.inf), none
    )


def _newton(layer: Layer, at: loop.Result) -> loop.Result:
    """The globally convergent Newton method of `cvxinv.newton`."""
    unit, zero, off = newton.row_units(layer.W), torch.zeros_like(at.x), torch.zeros_like(layer.t)
    everything = zero == 0
    problem = newton.Scaled(
        layer.W,
        unit,
        layer.t,
        off == 0 if layer.rows is None else layer.rows > 0,
        off if layer.d is None else unit * layer.d,
        off != 0 if layer.off is None else layer.off > 0,
        zero if layer.gamma is None else zero + layer.gamma,
        zero,
        layer.lam,
        everything if layer.nonnegative else ~everything,
        everything if layer.columns is None else layer.columns > 0,
    )
    dual = off if at.dual is None else at.dual
    found = newton.solve(
        problem, newton.Iterate(at.x, dual / unit, layer.gradient(at.x, None, dual))
    )
    x = found.x.clamp_min(0) if layer.nonnegative else found.x
    eta = (found.eta * unit).clamp_min(0) * (off if layer.off is None else layer.off)
    return loop.Result(
        x, None if at.dual is None else eta, newton.residual(problem, found), at.iterations + 1
    )


def _least_squares(layer: Layer, x: Tensor) -> loop.Result:
    """Least squares of least norm from a singular value decomposition per signal."""
    best = _start(x, None)
    for b in range(len(x)):
        one = layer[b : b + 1]
        A = layer.W if one.rows is None else layer.W * one.rows[0][:, None]
        A = A if one.columns is None else A * one.columns[0]
        best.x[b] = torch.linalg.pinv(A) @ one.t[0]
    best.residual, best.iterations = (
        layer.natural(best.x, layer.gradient(best.x, None, None)),
        best.iterations + 1,
    )
    return best
