"""From where Levenberg-Marquardt ends to a point from which no neighbouring piece of G descends.

On data outside the range of G most minima of eq. 1 lie on kinks. BFGS goes along them (`bfgs`);
where it stops, the shortest vector in the hull of the gradients around z (`clarke`) says whether
that is a stationary point, and if not, which way descends in all pieces at once.
"""

import torch
from torch import Tensor

from cvxinv.progress import Report, nothing
from cvxinv.rows import store, take

from . import bfgs, clarke
from .eq1 import Fit
from .steps import Point, exact

STEPS = 200  # of BFGS; most signals need some 80, ..
ROUGH = 1e-6  # .. and those that gain more than this, relative, are cheaper in float32
ROUNDS = 3  # of BFGS, each from where the shortest vector led
HALVINGS = 30
GAIN = 1e-9  # relative descent of the objective along the shortest vector that is worth a round


def descend(fit: Fit, at: Point, tell: Report = nothing) -> Tensor:
    """Descend along the kinks, in place, for all signals at which eq. 1 is not smooth and
    stationary; the Clarke residual (B,) of all. `tell` is told how far the walks are.
    """
    residual: Tensor = fit.gradient(at.z)[1].norm(dim=1) / positive(fit.terms(at.z))
    left = torch.nonzero(~fit.stationary(at.z) & ~exact(fit, at.objective))[:, 0]
    for _ in range(ROUNDS):
        if not len(left):
            break
        some, here = take(fit, left), take(at, left)
        walk = bfgs.descend(some, _near(some, here), STEPS, tell=tell)
        z, objective, residual[left], moved = turned(some, walk)
        lower = objective <= here.objective
        here.z = torch.where(lower[:, None], z, here.z)
        here.objective = torch.where(lower, objective, here.objective)
        store(at, left, here)
        left = left[moved & (residual[left] > clarke.STATIONARY)]
    return residual


def _near(fit: Fit, at: Point) -> bfgs.Walk:
    """A walk from where float32 leads to, but no higher than `at`."""
    single = fit.to(torch.float32)
    walk = bfgs.begin(single, at.z.to(torch.float32))
    walk = bfgs.descend(single, walk, STEPS, ROUGH)
    z = walk.z.to(at.z)
    z = torch.where((fit.objective(z) < at.objective)[:, None], z, at.z)
    return bfgs.Walk(z, *fit.gradient(z), walk.H.to(z))


def turned(fit: Fit, walk: bfgs.Walk) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Where the shortest vector of the hull leads from the end of a walk: z, its objective, the
    Clarke residual at that end, and whether it led anywhere.
    """
    v = clarke.shortest(fit, walk.z)
    residual = v.norm(dim=1) / positive(fit.terms(walk.z))
    rows = torch.nonzero(residual > clarke.STATIONARY)[:, 0]
    some, v = take(fit, rows), v[rows]
    z, objective = walk.z[rows], walk.objective[rows]
    length = 0.1 * z.norm(dim=1) / positive(v.norm(dim=1))
    for _ in range(HALVINGS):
        there = z - length[:, None] * v
        value = some.objective(there)
        lower = value < objective
        z = torch.where(lower[:, None], there, z)
        objective = torch.where(lower, value, objective)
        length = torch.where(lower, length, length / 2)
    z = walk.z.index_copy(0, rows, z)
    objective = walk.objective.index_copy(0, rows, objective)
    return z, objective, residual, walk.objective - objective > GAIN * walk.objective


def positive(a: Tensor) -> Tensor:
    """A divisor."""
    return torch.where(a > 0, a, 1.0)
