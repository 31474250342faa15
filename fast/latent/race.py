"""Several starts for eq. 1: cheap to choose, dear to follow, so they race.

Each random start is the draw, of many, whose signal is nearest to y. After some steps for all, the
best of them go on; where these do not agree on z, with offspring: copies, moved a little, that may
find a lower minimum nearby. The steps are those of BFGS (`bfgs`), which does not mind the kinks of
G, from one metric for all starts, and in float32, which is enough to tell them apart.

Sources: successive halving, Jamieson and Talwalkar (2016); basin hopping, Wales and Doye (1997).
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from cvxinv.arrays import match
from cvxinv.generator import Generator
from cvxinv.memory import room, signals_per_part
from cvxinv.progress import Report, nothing
from cvxinv.rows import store, take

from . import bfgs
from .bfgs import Walk
from .eq1 import Fit
from .steps import Point, begin

DRAWS = 1024  # latent vectors drawn for each random start
QUALIFYING = ((6, 12), (10, 6))  # steps, and how many starts of a signal are left then
# .. and in the heats that follow; the children that each start has before
HEATS = ((1, 20, 4), (2, 20, 4), (2, 20, 1))
SPREAD = 0.3  # distance of a child from its parent, relative
GAIN = 1e-3  # relative descent of a step that is worth following
TYPICAL = 256  # draws over which the first metric is averaged
RACING = 128  # signals at a time, on a CPU
FIELD = 12  # starts of a signal that race at once, at most, unless there are more to begin with
COPIES = 6  # of their images and metrics, in float32, that are alive at once
STREAM, METRIC, BIRTHS = 2, 4, 5  # beside the seed: not the draws of anyone else
SAME = 0.1  # relative distance up to which two starts agree on z


def multistart(
    G: Generator,
    fit: Fit,
    own: Point,
    lost: Tensor,
    open_: Tensor,
    count: int,
    seed: int,
    scale: float,
    tell: Report = nothing,
) -> Tensor:
    """Race `count` random starts against `own`, in place, for the signals `open_` (B,); agreement
    (B,) among the starts that qualify.

    Signals whose own start is `lost` (B,) have one random start at least. `tell` is told how many
    signals have raced.
    """
    agreement = torch.ones_like(own.objective)
    racing = torch.nonzero(open_ & (lost | (count > 0)))[:, 0]
    if not len(racing):
        return agreement
    single = fit.to(torch.float32)
    metric, running = typical(single, seed, scale), take(fit, racing)
    draws = [nearest(G, running, [seed, STREAM, k], scale) for k in range(max(1, count))]
    starts = torch.stack([own.z[racing], *draws]).to(torch.float32)
    n, n0 = fit.y.shape[1], starts.shape[2]
    each = 4 * COPIES * max(len(starts), FIELD) * (n + n0 * n0)
    size = signals_per_part(each, room(starts, RACING * each))
    for i, z in enumerate(torch.split(starts, size, dim=1)):
        rows = racing[i * size :][: z.shape[1]]
        some, low = take(fit, rows), take(single, rows)
        winner, same = race(low, z, lost[rows], metric, seed)
        agreement[rows], found = same.to(agreement), begin(some, winner.to(fit.y))
        lower = found.objective < own.objective[rows]  # decided in float64
        better = torch.nonzero(lower)[:, 0]
        store(own, rows[better], take(found, better))
        tell(i * size + len(rows), len(racing))
    return agreement


def typical(fit: Fit, seed: int, scale: float) -> Tensor:
    """The metric (n_0, n_0) of Gauss-Newton steps with J'J averaged over random z and all pixels:
    no matter which signals are given.
    """
    rng = np.random.default_rng([seed, METRIC])
    z = torch.from_numpy(scale * rng.standard_normal((TYPICAL, fit.weights[0].shape[1])))
    whole = replace(fit, seen=None)
    Jt = whole.jacobian(z.to(fit.y))
    return bfgs.inverse((Jt @ Jt.mT).mean(0))


def nearest(G: Generator, fit: Fit, seed: list[int], scale: float) -> Tensor:
    """Of DRAWS random latent vectors the one (B, n_0) whose signal is nearest to y over the
    observed pixels.
    """
    drawn = scale * np.random.default_rng(seed).standard_normal((DRAWS, G.sizes[0]))
    Z = match(drawn, fit.y).to(fit.y.dtype)
    Y, y = G(Z.to(torch.float32)), fit.y.to(torch.float32)
    size = Y.square()
    size = size.sum(1) if fit.seen is None else fit.seen.to(torch.float32) @ size.T
    found: Tensor = Z[torch.add(size, y @ Y.T, alpha=-2).argmin(1)]
    return found


def race(fit: Fit, z: Tensor, lost: Tensor, metric: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """The winner's z (B, n_0) among starts z (K, B, n_0), the first of which may be `lost` (B,);
    the share (B,) of the starts that qualify that agree with the best of them.
    """
    at = _begin(fit, z, metric.expand(*z.shape, -1))
    at.objective[0, lost] = torch.inf
    for steps, kept in QUALIFYING:
        at = _best(_descend(fit, at, steps), kept)
    agreement = _agreement(at)
    rng = np.random.default_rng([seed, BIRTHS])
    for children, steps, kept in HEATS:
        at = _best(_descend(fit, _with_offspring(fit, at, children, rng), steps), kept)
    return at.z[0], agreement


def _with_offspring(fit: Fit, at: Walk, children: int, rng: np.random.Generator) -> Walk:
    """With so many children of each, which inherit its metric."""
    K, _, n0 = at.z.shape
    moves = torch.from_numpy(rng.standard_normal((children * K, 1, n0))).to(at.z)
    parents = at.z.repeat(children, 1, 1)
    moves = moves * parents.norm(dim=2, keepdim=True) * (SPREAD / n0**0.5)
    born = _begin(fit, parents + moves, at.H.repeat(children, 1, 1, 1))
    return Walk(*(torch.cat(pair) for pair in zip(at, born, strict=True)))


# Walks of several starts of each signal have tensors (K, B, ..).


def _begin(fit: Fit, z: Tensor, H: Tensor) -> Walk:
    """Walks from z (K, B, n_0) with metrics H."""
    found = [fit.gradient(start) for start in z]
    objective, gradient = (torch.stack(a) for a in zip(*found, strict=True))
    return Walk(z, objective, gradient, H)


def _descend(fit: Fit, at: Walk, steps: int) -> Walk:
    """Some steps more of all of them."""
    K, B = at.objective.shape
    all_ = take(fit, torch.arange(B, device=at.z.device).repeat(K))
    found = bfgs.descend(all_, Walk(*(a.flatten(0, 1) for a in at)), steps, GAIN)
    return Walk(*(a.reshape(K, B, *a.shape[1:]) for a in found))


def _best(at: Walk, kept: int) -> Walk:
    """The best of them, in order, or all where there are fewer."""
    order = torch.argsort(at.objective.nan_to_num(torch.inf), dim=0, stable=True)[:kept]
    return Walk(*(a[order, torch.arange(order.shape[1], device=order.device)] for a in at))


def _agreement(at: Walk) -> Tensor:
    """The share (B,) of the valid starts whose z is that of the first."""
    valid, first = at.objective.isfinite(), at.z[:1]
    same = valid & ((at.z - first).norm(dim=2) <= SAME * first.norm(dim=2))
    share: Tensor = same.sum(0) / valid.sum(0).clamp_min(1)
    return share
