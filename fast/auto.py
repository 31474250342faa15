"""The default method: ADMM with one factor for all signals, then active sets; what is left goes to slower and surer ones.

    1. ADMM in float32, a fixed number of iterations: close enough for active sets to find the right ones;
    2. active sets, residuals in float64, down to the goal;
    3. signals that are left: more ADMM iterations from the best point so far, now in float64, and active sets again; and signals whose
       supports hang on the last digits: active sets down to rounding;
    4. signals that are left: is there a point that satisfies their inequalities (`infeasible`)? If so, dense methods (`sure`).

Everything runs on the rows that still need it, and a row keeps the best answer that it has seen. Step 4 is `solve`'s, because the
certificate decides who is left.
"""

from typing import Any

import torch
from torch import Tensor

from . import active_set, admm, loop
from .layer import Layer, Units

BASE, BASE_GRAM = 40, 20  # ADMM iterations before the first active sets
ROUNDS = (100, 400, 1600)  # .. and in the rounds for signals that are left
EVERY = 25
PATIENCE = 4  # active-set steps without halving the residual: a cycle, or rounding level
ROUNDING, PATIENCE_ROUNDING = 1e-16, 2
FEW_SIGNALS = 4  # fewer do not pay for a factor of W'W


def solve(layer: Layer, x: Tensor | None, goal: float, max_iter: int, exact: bool = False) -> loop.Result:
    """Steps 1 to 3: best point and multipliers of each row, from a warm start where there is one; residuals in the units of `Layer`.

    `exact`: least squares, where the solution of least norm is wanted. Conjugate gradients in float64 find it, from zero.
    """
    newton = active_set.method(layer, goal, exact)
    if exact:
        return loop.run(newton, newton.start(torch.zeros_like(layer.lam), None), goal, max_iter, patience=PATIENCE)
    dual, spent = None, torch.zeros(len(layer.t), dtype=torch.int64, device=layer.t.device)
    if x is None and not newton.direct and (layer.off is not None or len(layer.t) >= FEW_SIGNALS):
        base: Any = admm.method(newton.inner)
        steps = min(BASE if isinstance(base, admm.GraphADMM) else BASE_GRAM, max_iter)
        near = loop.run(base, base.start(None, None), 0.0, steps, every=max(steps, 1), cold=True)
        newton = newton.preconditioned(base.K)
        x, dual, spent = near.x.to(layer.t.dtype), None if near.dual is None else near.dual.to(layer.t.dtype), near.iterations
    best = loop.run(newton, newton.start(x, dual), goal, max_iter - int(spent.amax()) if len(spent) else 0, patience=PATIENCE)
    best.iterations += spent
    for steps in ROUNDS:
        left = torch.nonzero(best.residual > goal)[:, 0]
        budget = max_iter - int(best.iterations[left].amax()) if len(left) else 0
        if budget <= 0:
            break
        begin = best[left]
        base = admm.method(layer[left].with_gram())
        near = loop.run(base, base.start(begin.x, begin.dual), goal, min(steps, budget), every=EVERY)
        finish = newton[left]
        found = loop.run(finish, finish.start(near.x, near.dual), goal, max(0, budget - steps), patience=PATIENCE)
        found.iterations += begin.iterations + near.iterations
        best.keep_better(left, found)
    left = newton.ambiguous(best)
    left = left[best.residual[left] <= goal]
    if len(left):
        begin, finish = best[left], newton[left].exactly()
        found = loop.run(finish, finish.start(begin.x, begin.dual), ROUNDING, max_iter, patience=PATIENCE_ROUNDING)
        found.iterations += begin.iterations
        best.keep_better(left, found)
    return best


def start(layer: Layer, units: Units, x: Tensor) -> Tensor:
    """A caller's starting points in the layer's units; rows that are not finite start from zero."""
    x = torch.where(torch.isfinite(x).all(1, keepdim=True), x.to(layer.t.dtype), 0.0) * units.norm / units.s
    x = x.clamp_min(0) if layer.nonnegative else x
    return x if layer.columns is None else x * layer.columns
