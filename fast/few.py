"""Few signals on a CPU: units, active sets and certificate in compiled code, because calls of torch
and NumPy take longer than what they compute for so few.

All of them, or none: where one is not ordinary, or not solved, the way of batches takes all.
"""

from typing import Any

import numpy as np

from cvxinv.arrays import Array, dtype_name, to_numpy
from cvxinv.certificate import Certificate
from cvxinv.certificate.verify import ROUNDING
from cvxinv.problems import LastLayer, Latent, LayerProblem, MidLayer, Quadratic
from cvxinv.solution.certified import Answer, as_batch

from .compiled import active_sets as compiled
from .default import Default
from .unsure import TINY, TINY_GAMMA

MOST = 8  # signals
LAYERS = (LastLayer, MidLayer, Latent)


def solve(problem: LayerProblem, recipe: Default) -> Answer | None:
    """The answer in NumPy, as good as the recipe's, or None."""
    if not usable(problem):
        return None
    from .compiled.state import Statement

    batch: Any = as_batch(problem)
    q: Quadratic = batch.quadratic()
    stated = Statement(
        W=_plain(q.W),
        t=_plain(q.t),
        on=_plain(q.rows),
        d=_plain(q.d),
        lam=_plain(q.lam),
        gamma=float(q.gamma),
        nonnegative=q.nonnegative,
        constrained=q.constrained,
    )
    found = _points(stated, recipe)
    if found is None:
        return None
    answer = _certified(stated, to_numpy(q.finite), dtype_name(problem.data), *found)
    good = answer is not None and (recipe.satisfied(answer) & answer.finite).all()
    return answer if good else None


def usable(problem: LayerProblem) -> bool:
    """Whether these are few signals, on a CPU, of a statement that compiled code solves."""
    W, data = problem.W, problem.data
    if not (isinstance(problem, LAYERS) and problem.convex and W.shape[1] <= compiled.LARGEST):
        return False
    few = data.ndim == 1 or 0 < len(data) <= MOST
    return few and not getattr(data, "is_cuda", False) and compiled.installed()


def _plain(a: Array) -> Any:
    """A NumPy array of its own layout: compiled code knows one kind of arrays."""
    a = to_numpy(a)
    return a if a.flags.c_contiguous and a.flags.writeable else np.array(a, order="C")


def _points(stated: Any, recipe: Default) -> tuple[Any, Any, Any] | None:
    """Points, multipliers and steps of active sets from zero; None if a signal is not solved, or
    has weights that the tolerance does not see.
    """
    from .compiled.many_signals import Signals
    from .compiled.state import Shared
    from .compiled.units import scaled

    W, t, d, lam, gamma, unit, norm, s, lengths = scaled(stated)
    largest = lam.max(axis=1)
    if ((largest > 0) & (largest < TINY)).any() or 0 < gamma.min() < TINY_GAMMA:
        return None
    (B, m), n = t.shape, len(norm)
    some = Signals(
        t,
        stated.on,
        d,
        lam,
        g=np.empty((B, 0)),
        x=np.zeros((B, n)),
        eta=np.zeros((B, m)),
        residual=np.full(B, np.inf),
        steps=np.zeros(B, np.int64),
        doubtful=np.zeros(B, np.bool_),
    )
    gram = np.empty((0, 0))
    shared = Shared(W, W.astype(np.float32), gram, unit, gamma, stated.nonnegative, easy=False)
    goal = recipe.rounded if n <= compiled.FEW else recipe.goal  # where it costs next to nothing
    compiled.solve_all(shared, some, goal, recipe.rounded, recipe.max_iter)
    if not (some.residual <= recipe.goal).all():
        return None
    s = s[:, None]
    return some.x / norm * s, some.eta / lengths * s, some.steps


def _certified(stated: Any, finite: Any, dtype: str, x: Any, eta: Any, steps: Any) -> Answer | None:
    """The points in that precision, and their certificate; None if one is not ordinary."""
    from .compiled.certificate import certificate

    x, eta = x.astype(dtype), eta.astype(dtype)
    wide = x.astype(np.float64), eta.astype(np.float64)
    figures, support, ordinary = certificate(stated, *wide, ROUNDING[dtype])
    if not ordinary:
        return None
    dual, proof = (eta, np.zeros_like(eta)) if stated.constrained else (None, None)
    refuted = np.zeros(len(x), np.bool_)
    return Answer(x, dual, proof, refuted, steps, finite, Certificate(*figures), support)
