"""The default method, stage by stage: ADMM with one factor for all signals, then active sets; what
is left goes to slower and surer ones.

    1. signals without noise, where one factor serves all: least squares (`noiseless`);
    2. ADMM in float32, a fixed number of iterations: from there active sets find the right ones;
    3. active sets, residuals in float64, down to the goal, or to rounding where supports hang on
       the last digits. On a CPU compiled code takes one signal after the other, with a factor each
       (`compiled`). Else, and for what is left, they are batched, with conjugate gradients, after
       least squares once more, for signals without noise;
    4. signals that are left: more ADMM iterations from the best point so far, now in float64, and
       step 3 again;
    5. signals that the certificate does not call optimal: is there a point that satisfies their
       inequalities (`infeasible`)? If so, dense methods (`last_resort`).

Everything runs on the rows that still need it, and a row keeps the best answer that it has seen.
Eq. 5 with a nonlinear phi, which is not convex, has a recipe of its own (`nonconvex`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from cvxinv.problems import LastLayer, LayerProblem, LeastSquares
from cvxinv.rows import take
from cvxinv.solution.certified import Answer, certified

from .compiled import active_sets as compiled
from .core import loop
from .core.layer import ConstrainedLayer, GramLayer, Layer
from .core.units import finite, scaled
from .methods import active_rows, graph_admm, last_resort, noiseless, nonconvex
from .methods.active_set import ActiveSet, State
from .unsure import Unsure

Begin = Callable[[ActiveSet, Any], State]  # active sets for some signals, where to begin

MAX_ITER = 5_000
# of tol: the goal, to which the last steps get for little; answers then do not depend on companions
MARGIN = 5e-4
# of the goal: that of conjugate gradients, which do not fall as far below it as factors do
FURTHER = 0.2
# of tol: a KKT residual above it is not what the goal promises (units differ where supports do),
# and tried again
WEAK = 0.1
ROUNDS = (100, 400, 1600)  # ADMM iterations in the rounds for signals that are left
ALONE = 8  # signals up to which the factor that ADMM needs does not pay
EVERY = 25
PATIENCE = 4  # active-set steps without halving the residual: a cycle, or rounding level
PATIENCE_ROUNDING = 2


@dataclass(frozen=True)
class Default:
    """The recipe, with the arguments of the call."""

    tol: float
    max_iter: int
    sure: bool  # whether step 5 is taken
    rounding: float  # what rounding leaves of a residual, and ..

    @property
    def rounded(self) -> float:
        """.. residuals that are down to it already."""
        return noiseless.NEAR * self.rounding

    @property
    def goal(self) -> float:
        """Of the residuals in the layer's units."""
        return max(MARGIN * self.tol, min(self.rounded, WEAK * self.tol))

    @property
    def weak(self) -> float:
        """KKT residuals above it are not what the goal promises."""
        return max(WEAK * self.tol, min(4 * self.rounded, self.tol))

    def satisfied(self, found: Answer) -> Any:
        """(B,) bool: whether the certificate is as good as the goal promises."""
        return found.proven(self.tol) & (found.certificate.kkt <= self.weak)

    def __call__(self, problem: LayerProblem, x: Tensor | None) -> Answer:
        """The answer to a statement in tensors with a B axis, from a caller's start if there is
        one.
        """
        if isinstance(problem, LastLayer) and not problem.convex:
            return self.nonlinear(problem, x)
        q = problem.quadratic()
        exact = isinstance(problem, LeastSquares)
        layer, units = scaled(q, even=exact)
        if exact:
            best = self.least_norm(layer)
        elif x is not None:
            best = self.batched(layer, units.scale(x, layer))
        elif compiled.usable(layer):
            best = self.one_by_one(layer)
        else:
            best = self.batched(layer)
        return self.certified(Unsure(problem, q, layer, units, best))

    def least_norm(self, layer: Layer) -> loop.Result:
        """The solution of least norm: conjugate gradients in float64 find it, from zero."""
        newton = active_rows.method(layer, self.goal, exact=True)
        zero = newton.start(torch.zeros_like(layer.lam), layer.no_dual)
        return loop.run(newton, zero, self.rounded, self.max_iter, patience=PATIENCE)

    # -- compiled: steps 2 and 3 for one signal after the other ---------------------------------

    def one_by_one(self, layer: Layer) -> loop.Result:
        """ADMM, compiled active sets, and all else for the signals that these do not solve."""
        layer = layer.with_gram()
        clean = noiseless.refined_alike(layer, self.max_iter, self.rounding)
        best = noiseless.completed(layer, clean, self.goal, partial(self.noisy_ones, layer))
        self.others(best, lambda b, budget: budget.noisy_ones(layer, b, ROUNDS[0]))
        self.others(best, lambda b, budget: budget.batched(take(layer, b)))
        return best

    def others(self, best: loop.Result, solve: Callable[[Tensor, "Default"], loop.Result]) -> None:
        """Something else for the signals that are left, with what is left of the iterations."""
        left = torch.nonzero(best.residual > self.goal)[:, 0]
        budget = self.max_iter - int(best.iterations[left].amax()) if len(left) else 0
        if budget > 0:
            found = solve(left, replace(self, max_iter=budget))
            found.iterations += best.iterations[left]
            best.keep_better(left, found)

    def noisy_ones(self, layer: Layer, b: Any, steps: int | None = None) -> loop.Result:
        """Those signals by compiled active sets: from ADMM, or from zero where that costs less."""
        layer = take(layer, b)
        x, dual, easy = torch.zeros_like(layer.lam), layer.no_dual, False
        few = layer.W.shape[1] <= compiled.FEW
        if steps or not (few or len(x) <= ALONE):
            base: Any = graph_admm.method(layer.to(torch.float32))
            steps, easy = min(steps or base.fewer, self.max_iter), base.easy
            state = loop.blindly(base, base.cold(), steps)
            x, dual = (finite(a, layer.t.dtype) for a in base.answer(state))
        budget = self.max_iter - (steps or 0)
        goal = self.rounded if few else self.goal  # where it costs next to nothing
        best, doubtful = compiled.solve(layer, x, dual, goal, self.rounded, budget, easy)
        if isinstance(layer, GramLayer):  # whose last digits are not those of the data
            self.from_the_data(layer, best, doubtful & (best.residual <= self.goal))
        best.iterations += steps or 0
        return best

    def from_the_data(self, layer: Layer, best: loop.Result, doubtful: Tensor) -> None:
        """Down to rounding for signals whose supports hang on the last digits."""
        b = torch.nonzero(doubtful & (best.residual > self.rounded))[:, 0]
        if len(b):
            some, at = take(layer, b).without_gram(), (best.x[b], best.dual[b])
            found, _ = compiled.solve(some, *at, self.goal, self.rounded, self.max_iter)
            found.iterations += best.iterations[b]
            best.keep_better(b, found)

    # -- in batches: steps 1 to 4 ---------------------------------------------------------------

    def batched(self, layer: Layer, x: Tensor | None = None) -> loop.Result:
        """From a caller's points if there are some."""
        newton = active_rows.method(layer, self.goal)
        best = self.cold(newton) if x is None else self.warm(newton, x)
        self.again(layer, newton, best)
        self.down_to_rounding(newton, best)
        return best

    def cold(self, newton: ActiveSet) -> loop.Result:
        """From nothing: least squares, ADMM, fits and active sets."""
        if newton.cheap:
            return self.run(newton, newton.cold(), self.max_iter)
        base = graph_admm.method(newton.single)
        newton = newton.preconditioned(base.preconditioner)

        def others(b: Any) -> loop.Result:
            return self.based(take(base, b), take(newton, b))

        clean = noiseless.refined(newton, self.max_iter, self.rounding)
        return noiseless.completed(newton.layer, clean, self.goal, others)

    def based(self, base: Any, newton: ActiveSet) -> loop.Result:
        """ADMM, and from there fits and active sets."""
        steps = min(base.base, self.max_iter)
        state = loop.blindly(base, base.cold(), steps)
        x, dual = (finite(a, newton.layer.t.dtype) for a in base.answer(state))
        near = loop.Result.at(x, dual)
        best = self.finished(newton, x, partial(_from, near), self.max_iter - steps)
        best.iterations += steps
        return best

    def warm(self, newton: ActiveSet, x: Tensor) -> loop.Result:
        """From a caller's points, without multipliers."""
        return self.finished(newton, x, lambda some, b: some.near(x[b]), self.max_iter)

    def finished(self, newton: ActiveSet, x: Tensor, begin: Begin, max_iter: int) -> loop.Result:
        """From points near the solution: fits, and active sets for what they do not solve."""

        def sets(b: Any) -> loop.Result:
            some = take(newton, b)
            return self.run(some, begin(some, b), max_iter)

        if newton.cheap:
            return sets(slice(None))
        clean = noiseless.fitted(newton, x, max_iter, self.rounding)
        return noiseless.completed(newton.layer, clean, self.goal, sets)

    def run(self, method: ActiveSet, state: Any, max_iter: int) -> loop.Result:
        """Active sets down to the goal."""
        goal = self.goal if method.direct else FURTHER * self.goal
        return loop.run(method, state, goal, max(0, max_iter), patience=PATIENCE)

    def again(self, layer: Layer, newton: ActiveSet, best: loop.Result) -> None:
        """More ADMM iterations, fits and active sets for the signals that are left."""
        for steps in ROUNDS:
            left = torch.nonzero(best.residual > self.goal)[:, 0]
            budget = self.max_iter - int(best.iterations[left].amax()) if len(left) else 0
            if budget <= 0:
                return
            begin, finish = take(best, left), take(newton, left)
            base: Any = graph_admm.method(take(layer, left).with_gram())
            state = base.start(begin.x, begin.dual)
            near = loop.run(base, state, self.goal, min(steps, budget), every=EVERY)
            found = self.finished(finish, near.x, partial(_from, near), budget - steps)
            found.iterations += begin.iterations + near.iterations
            best.keep_better(left, found)

    def down_to_rounding(self, newton: ActiveSet, best: loop.Result) -> None:
        """Active sets down to rounding for signals whose supports hang on the last digits."""
        left = newton.ambiguous(best)
        left = left[(best.residual[left] <= self.goal) & (best.residual[left] > self.rounded)]
        if not len(left):
            return
        begin, some = take(best, left), take(newton, left)

        def exactly(b: Any) -> loop.Result:
            finish = take(some, b).exactly()
            state = finish.start(begin.x[b], begin.dual[b])
            goal, patience = self.rounding, PATIENCE_ROUNDING
            return loop.run(finish, state, goal, self.max_iter, patience=patience)

        clean = noiseless.fitted(some, begin.x, self.max_iter, self.rounding)
        found = noiseless.completed(some.layer, clean, self.rounded, exactly)
        found.iterations += begin.iterations
        best.keep_better(left, found)

    # -- step 5 ---------------------------------------------------------------------------------

    def certified(self, at: Unsure) -> Answer:
        """The answer, after the last resort for signals that the certificate does not call optimal.

        The goal can be large in a signal's own units: the second attempt goes down to rounding.
        """
        found = at.certified()
        if not self.sure:
            return found
        few = at.layer.W.shape[1] <= last_resort.SMALL and self.max_iter > 0
        left = self.left(found, at, few & (at.best.residual > self.goal))
        if len(left) and isinstance(at.layer, ConstrainedLayer):
            left = at.refute(take(at.layer, left), left)
            if not len(left):
                return at.certified()
        for goal in (self.goal, self.rounding):
            if len(left):
                self.dense(at, left, goal)
                found = at.certified()
                left = self.left(found, at)
        left = self.left(found, at, at.unresolved()) if few else left[:0]
        if len(left) and not isinstance(at.problem, LeastSquares):
            at.fit(left, found, self.tol)
            found = at.certified()
        return found

    def dense(self, at: Unsure, left: Tensor, goal: float) -> None:
        """Interior points for the rows that are left."""
        spent = at.best.iterations[left]
        budget = self.max_iter - int(spent.amax())
        better = last_resort.solve(take(at.layer, left), goal, budget)
        better.iterations += spent
        at.best.keep_better(left, better)

    def left(self, found: Answer, at: Unsure, also: Tensor | bool = False) -> Tensor:
        """The signals that go to the last resort."""
        left = (~self.satisfied(found) | also) & at.q.finite
        return torch.nonzero(left & (at.best.iterations < self.max_iter) & ~at.proof.any(1))[:, 0]

    # -- eq. 5 with a nonlinear phi -------------------------------------------------------------

    def nonlinear(self, problem: LastLayer, x: Tensor | None) -> Answer:
        """To a KKT point; by default from where the convex problem on phi^-1(y) ends."""
        p, norm = nonconvex.nonlinear(problem, even=False)
        if x is None:
            low, high = problem.phi.range
            y = problem.phi.inverse(p.y.clamp(low + nonconvex.INSIDE, high - nonconvex.INSIDE))
            near = replace(problem, W=problem.W.to(y.dtype), y=y, activation="identity")
            x = replace(self, tol=nonconvex.START_TOL)(near, None).x
        best = nonconvex.solve(p, x.nan_to_num(0.0) * norm, self.tol, self.max_iter)
        return certified(problem, best.x / norm, None, None, best.iterations)


def _from(near: loop.Result, newton: ActiveSet, b: Any) -> State:
    """The active-set state at the points of the signals b."""
    return newton.start(near.x[b], near.dual[b])
