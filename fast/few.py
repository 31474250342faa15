"""Few signals on a CPU, or latent vectors of few entries: units, active sets and certificate in
compiled code, because calls of torch and NumPy take longer than what they compute for so few.

All of them, or none: where one is not ordinary, or not solved, the way of batches takes all.
"""

from typing import Any

import numpy as np

from cvxinv.arrays import dtype_name
from cvxinv.certificate import Certificate
from cvxinv.certificate.verify import ROUNDING
from cvxinv.problems import LastLayer, Latent, LayerProblem, MidLayer, Quadratic
from cvxinv.solution.certified import Answer, as_batch, as_kind

from .compiled import active_sets as compiled
from .default import Default

MOST, MANY = 8, 4096  # signals: of any layer, and of latent vectors of few entries
LAYERS = (LastLayer, MidLayer, Latent)


def solve(problem: LayerProblem, recipe: Default) -> Answer | None:
    """The answer in NumPy, as good as the recipe's, or None."""
    if not usable(problem):
        return None
    from .compiled.few_signals import Statement, certificate, points

    dtype = dtype_name(problem.data)
    batch: Any = as_batch(as_kind(problem, np.empty(0)))
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
    x, eta, steps, solved = points(stated, recipe.goal, recipe.rounded, recipe.max_iter)
    if not solved.all():
        return None
    x, eta = x.astype(dtype), eta.astype(dtype)
    wide = x.astype(np.float64), eta.astype(np.float64)
    figures, support, ordinary = certificate(stated, *wide, ROUNDING[dtype])
    if not ordinary:
        return None
    dual, proof = (eta, np.zeros_like(eta)) if q.constrained else (None, None)
    refuted, c = np.zeros(len(x), np.bool_), Certificate(*figures)
    found = Answer(x, dual, proof, refuted, steps, q.finite, c, support)
    return found if (recipe.satisfied(found) & q.finite).all() else None


def usable(problem: LayerProblem) -> bool:
    """Whether these are few signals, or short latent vectors, on a CPU, of a statement that
    compiled code solves.
    """
    W, data = problem.W, problem.data
    if not (isinstance(problem, LAYERS) and problem.convex and W.shape[1] <= compiled.LARGEST):
        return False
    short = isinstance(problem, Latent) and W.shape[1] <= compiled.FEW
    most = MANY if short else MOST
    few = data.ndim == 1 or 0 < len(data) <= most
    return few and not getattr(data, "is_cuda", False) and compiled.installed()


def _plain(a: Any) -> Any:
    """The array in its own layout: compiled code knows one kind of arrays."""
    return a if a.flags.c_contiguous and a.flags.writeable else np.array(a, order="C")
