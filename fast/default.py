"""The default method: ADMM with one factor for all signals, then active sets; what is left goes to
slower and surer ones.

    1. signals without noise, where one factor serves all: least squares (`consistent`);
    2. ADMM in float32, a fixed number of iterations: close enough for active sets to find the right
       ones;
    3. signals without noise: least squares once more; others: active sets, residuals in float64,
       down to the goal;
    4. signals that are left: more ADMM iterations from the best point so far, now in float64, and
       active sets again; and signals whose supports hang on the last digits: active sets down to
       rounding;
    5. signals that are left: is there a point that satisfies their inequalities (`infeasible`)? If
       so, dense methods (`sure`).

Everything runs on the rows that still need it, and a row keeps the best answer that it has seen.
Step 5 is `solve`'s, because the certificate decides who is left.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fast.core import loop
from fast.core.layer import Layer, Units, take
from fast.methods import active_set, graph_admm, noiseless

BASE, BASE_GRAM = 40, 20  # ADMM iterations before the first active sets
ROUNDS = (100, 400, 1600)  # .. and in the rounds for signals that are left
EVERY = 25
PATIENCE = 4  # active-set steps without halving the residual: a cycle, or rounding level
PATIENCE_ROUNDING = 2
ROUNDED = 1e-14  # residuals that are down to rounding already


def solve(
    layer: Layer, x: Tensor | None, goal: float, max_iter: int, exact: bool = False
) -> loop.Result:
    """Steps 1 to 4: best point and multipliers of each row, from a warm start where there is one;
    residuals in the units of `Layer`.

    `exact`: least squares, where the solution of least norm is wanted. Conjugate gradients in
    float64 find it, from zero.
    """
    newton = active_set.method(layer, goal, exact)
    if exact:
        return loop.run(
            newton,
            newton.start(torch.zeros_like(layer.lam), None),
            goal,
            max_iter,
            patience=PATIENCE,
        )
    base: Any = None
    clean = None
    if x is None and not newton.direct:
        base = graph_admm.method(newton.inner)
        newton = newton.preconditioned(base.K)
        clean = noiseless.refined(newton, max_iter)
    best = _completed(
        clean, layer, goal, lambda b: _near(newton[b], take(base, b), take(x, b), goal, max_iter)
    )
    for steps in ROUNDS:
        left = torch.nonzero(best.residual > goal)[:, 0]
        budget = max_iter - int(best.iterations[left].amax()) if len(left) else 0
        if budget <= 0:
            break
        begin = best[left]
        base = graph_admm.method(layer[left].with_gram())
        found = loop.run(
            base, base.start(begin.x, begin.dual), goal, min(steps, budget), every=EVERY
        )
        finish = newton[left]
        better = loop.run(
            finish,
            finish.start(found.x, found.dual),
            goal,
            max(0, budget - steps),
            patience=PATIENCE,
        )
        better.iterations += begin.iterations + found.iterations
        best.keep_better(left, better)
    left = newton.ambiguous(best)
    left = left[(best.residual[left] <= goal) & (best.residual[left] > ROUNDED)]
    if len(left):
        begin, some = best[left], newton[left]

        def exactly(b: Any) -> loop.Result:
            finish = some[b].exactly()
            return loop.run(
                finish,
                finish.start(begin.x[b], take(begin.dual, b)),
                noiseless.ROUNDING,
                max_iter,
                patience=PATIENCE_ROUNDING,
            )

        found = _completed(noiseless.fitted(some, begin.x, max_iter), some.layer, ROUNDED, exactly)
        found.iterations += begin.iterations
        best.keep_better(left, found)
    return best


def _near(
    newton: active_set.ActiveSet, base: Any, x: Tensor | None, goal: float, max_iter: int
) -> loop.Result:
    """Steps 2 and 3: ADMM, unless there is a warm start, and from there fits and active sets."""
    dual, spent = (
        None,
        torch.zeros(len(newton.layer.t), dtype=torch.int64, device=newton.layer.t.device),
    )
    if base is not None:
        steps = min(BASE if isinstance(base, graph_admm.GraphADMM) else BASE_GRAM, max_iter)
        near, multipliers = base.answer(loop.blindly(base, base.start(None, None), steps))
        x, spent = _finite(near, newton.layer), spent + steps
        dual = None if multipliers is None else _finite(multipliers, newton.layer)
    budget = max_iter - int(spent.amax()) if len(spent) else 0

    def sets(b: Any) -> loop.Result:
        some = newton[b]
        return loop.run(
            some, some.start(take(x, b), take(dual, b)), goal, budget, patience=PATIENCE
        )

    clean = None if x is None or newton.direct else noiseless.fitted(newton, x, budget)
    best = _completed(clean, newton.layer, goal, sets)
    best.iterations += spent
    return best


def _completed(
    clean: tuple[Tensor, loop.Result] | None,
    layer: Layer,
    goal: float,
    others: Callable[[Any], loop.Result],
) -> loop.Result:
    """What is solved already, and what `others` finds for the signals that are not."""
    if clean is None or not bool((clean[1].residual <= goal).any()):
        return others(slice(None))
    best = loop.Result.none(layer.lam, layer.off)
    best.keep_better(*clean)
    left = torch.nonzero(best.residual > goal)[:, 0]
    if len(left):
        best.keep_better(left, others(left))
    return best


def _finite(x: Tensor, layer: Layer) -> Tensor:
    """In the precision of the layer, with zeros for rows that are not finite."""
    return torch.where(torch.isfinite(x).all(1, keepdim=True), x.to(layer.t.dtype), 0.0)


def start(layer: Layer, units: Units, x: Tensor) -> Tensor:
    """A caller's starting points in the layer's units; rows that are not finite start from zero."""
    x = _finite(x, layer) * units.norm / units.s
    x = x.clamp_min(0) if layer.nonnegative else x
    return x if layer.columns is None else x * layer.columns
