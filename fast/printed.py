"""The paper's algorithms as printed, a table: what `fast.solve` does for each name of a method.

A new algorithm is a file in `methods` and a row here: how it is made for a statement in the units
of `Layer`, how many iterations it may take, and whether it takes inequalities.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from cvxinv.problems import LastLayer, LayerProblem
from cvxinv.solution.certified import Answer, certified

from .core import loop
from .core.layer import ConstrainedLayer, Layer
from .core.units import Units, scaled
from .methods import fista, linearized_admm, nonconvex

RHO = 1e-2  # the paper's
MARGIN = 0.03  # of tol: the goal of methods that pay for every digit
EVERY = 10  # iterations between two looks at the residual


@dataclass(frozen=True)
class Options:
    """What the printed methods can be told; `alpha_beta` in units of W, 0: what guarantees
    convergence.
    """

    rho: float = RHO
    alpha_beta: float = 0.0
    restart: bool = False


def algorithm_5(layer: Layer, units: Units, options: Options) -> fista.FISTA:
    """FISTA, and its l1 variant."""
    return fista.method(layer, options.restart)


def algorithms_2_and_5(layer: Layer, units: Units, options: Options) -> Any:
    """All of Algorithm 3: linearized ADMM where there are inequalities (Algorithm 2, eq. 10), FISTA
    for a last layer.
    """
    if not isinstance(layer, ConstrainedLayer):
        return algorithm_5(layer, units, options)
    given = options.alpha_beta / float(units.norm[0]) ** 2
    return linearized_admm.method(
        layer, options.rho, given or linearized_admm.bound(layer, options.rho)
    )


@dataclass(frozen=True)
class Row:
    """A method of the table."""

    make: Callable[[Layer, Units, Options], Any]  # a `loop.Method`
    max_iter: int
    inequalities: bool  # whether it takes statements that have some
    # eq. 5 with a nonlinear phi
    make_nonlinear: Callable[[nonconvex.Nonlinear, bool], Any] = nonconvex.fista


PRINTED = {
    "fista": Row(algorithm_5, 20_000, inequalities=False),
    "linearized_admm": Row(algorithms_2_and_5, 50_000, inequalities=True),
}


@dataclass(frozen=True)
class Printed:
    """A method of the table, with the arguments of the call."""

    row: Row
    options: Options
    tol: float
    max_iter: int
    history: loop.NoHistory = field(default_factory=loop.NoHistory)

    def __call__(self, problem: LayerProblem, x: Tensor | None) -> Answer:
        """The answer to a statement in tensors with a B axis, from a caller's start or zero."""
        if isinstance(problem, LastLayer) and not problem.convex:
            p, norm = nonconvex.nonlinear(problem, even=True)
            at = torch.zeros_like(p.lam) if x is None else x.nan_to_num(0.0).clamp_min(0) * norm
            best = self.run(self.row.make_nonlinear(p, self.options.restart), at)
            return certified(problem, best.x / norm, None, None, best.iterations)
        q = problem.quadratic()
        layer, units = scaled(q, even=True)
        at = torch.zeros_like(layer.lam) if x is None else units.scale(x, layer)
        best = self.run(self.row.make(layer, units, self.options), at)
        x, dual = units.unscale(best.x, best.dual)
        eta = dual if q.constrained else None
        return certified(problem, x, eta, None, best.iterations, q)

    def run(self, method: Any, x: Tensor) -> loop.Result:
        """The loop, from x and multipliers that are zero."""
        every = 1 if isinstance(self.history, loop.History) else EVERY
        state = method.start(x, method.layer.no_dual)
        goal = MARGIN * self.tol
        return loop.run(method, state, goal, self.max_iter, every, history=self.history)
