"""Levenberg-Marquardt on z (eq. 1) from several starts: min_z 1/2 ||y - G(z)||^2 over the observed
pixels, perhaps with a prior.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from cvxinv.arrays import Array, dtype_name, float64, is_torch
from cvxinv.checks import integer, nonnegative, per_signal, points
from cvxinv.generator import Generator
from cvxinv.generator.arguments import signals_of
from cvxinv.progress import Progress, meter
from cvxinv.rows import store, take

from . import kinks
from .clarke import STATIONARY
from .eq1 import batch, fit_to
from .race import multistart
from .steps import begin, descend

# objective relative to 1/2 ||y||^2 below which a start is the solution but for rounding: nothing is
# raced against it
NEAR = {"float64": 1e-12, "float32": 1e-10}
# .. and below which some steps may lead there
WITHIN_REACH, FEW = 1e-2, 10
# of the work for a signal: two of the race, of steps, and of what goes along kinks, by their times
PARTS = 4


@dataclass(frozen=True, eq=False)
class Minimum:
    """What was found for B signals (without the B axis, if one signal was given).

    Attributes
    ----------
    z : (B, n_0) array
        nan for a signal with an observed nan or inf.
    objective : (B,) array
        Of eq. 1 at z, with the prior.
    agreement : (B,) array
        Share of the starts that qualify in the race, before they have offspring, that are within
        10 % of the best one's z.
    steps : (B,) array of int
        From the winner of the race on.
    stationarity : (B,) array
        Clarke residual: the length of the shortest vector in the hull of the gradients around z,
        relative to the terms that cancel there.
    finished : (B,) bool array
        Whether it is at most 1e-3: no neighbouring piece of the generator descends.
    """

    z: Array
    objective: Array
    agreement: Array
    steps: Array
    stationarity: Array
    finished: Array


def levenberg_marquardt(
    G: Generator,
    y: Array,
    start: Array | None = None,
    starts: int = 0,
    seed: int = 0,
    observed: Array | None = None,
    prior: Array | float = 0.0,
    scale: float = 1.0,
    steps: int = 100,
    progress: Progress = False,
) -> Minimum:
    """Minimise eq. 1, 1/2 ||y - G(z)||^2 + prior/2 ||z||^2 over the observed pixels, from one or
    several starts.

    Parameters
    ----------
    G : Generator
    y : (B, n) or (n,) array, or images (B, ..) or (..) of n pixels
        Computed on its device, in float64.
    start : (B, n_0) or (n_0,) array, optional
        One start of each signal; rows that are not finite have none.
    starts : int
        How many random starts to race against it; one at least where there is no `start`. Each is
        the nearest of 1 024 draws.
    seed : int
        Of the draws, which are the same for all signals: what is found for a signal does not depend
        on its companions.
    observed : (n,) or (B, n) bool array, or images, optional
        The pixels that are seen; all by default. What is not seen may hold anything.
    prior : float or (B,) array
        Weight of 1/2 ||z||^2: (sigma / sigma_z)^2 for noise of standard deviation sigma and z ~
        N(0, sigma_z^2 I).
    scale : float
        Standard deviation of the draws.
    steps : int
        Cap for the winner of the race.
    progress : bool or callable
        Whether to show on stderr how far the work is; or what is to be told: progress(done, total),
        in parts of which each signal has four, two of them the race.

    Returns
    -------
    Minimum

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or numbers.
    """
    given = signals_of(G, y, observed)
    y, seen = given.y, given.seen
    n0 = G.sizes[0]
    first = None if start is None else points("start", start, y, n0)
    starts, seed, steps = integer("starts", starts), integer("seed", seed), integer("steps", steps)
    scale = nonnegative("scale", scale)
    weight = per_signal("prior", prior, batch(y))
    with meter(progress, PARTS * len(batch(y)), "parts") as done, torch.no_grad():
        fit, finite = fit_to(G, float64(y), seen)
        fit = fit.with_prior(weight)
        B = len(fit.y)
        z = fit.y.new_full((B, n0), torch.nan) if first is None else batch(first).to(fit.y)
        lost = ~torch.isfinite(z).all(1)
        own = begin(fit, torch.where(lost[:, None], 0.0, z))
        own.objective[lost], own.finished[lost] = torch.inf, False
        size = 0.5 * fit.y.square().sum(1)
        near = NEAR[dtype_name(y)] * size
        b = torch.nonzero((own.objective > near) & (own.objective < WITHIN_REACH * size))[:, 0]
        store(own, b, descend(take(fit, b), take(own, b), FEW))
        open_ = finite & (own.objective > near)
        agreement = multistart(G, fit, own, lost, open_, starts, seed, scale, done.within(0, 2 * B))
        own.finished |= ~finite
        found = descend(fit, own, steps, tell=done.within(2 * B, B))
        clarke = kinks.descend(fit, found, done.within(3 * B, B))
        found.finished = torch.isfinite(clarke) & (clarke <= STATIONARY)
        z = torch.where(finite[:, None], found.z, torch.nan)
        objective = torch.where(finite, found.objective, torch.nan)

    def back(a: Tensor) -> Array:
        a = a if y.ndim == 2 else a[0]
        return a if is_torch(y) else a.numpy()

    return Minimum(
        back(z.to(batch(y).dtype)),
        back(objective),
        back(agreement),
        back(found.steps),
        back(torch.where(finite, clarke, torch.nan)),
        back(found.finished & finite),
    )
