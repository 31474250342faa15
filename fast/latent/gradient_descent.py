"""Gradient descent on z with momentum, the paper's baseline for eq. 1: min_z 1/2 ||y - G(z)||^2
over the observed pixels.

The gradient J'(phi' * (G(z) - y)) is written by hand: the layers forward, then products masked by
the supports back to z.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cvxinv.arrays import Array, cast_to, is_torch
from cvxinv.checks import choice, integer, points, positive, share
from cvxinv.generator import Generator
from cvxinv.generator.arguments import observed_norm, signals_of
from cvxinv.progress import Meter, Progress, Report, automatic, meter, nothing
from cvxinv.rows import SHARED, take
from cvxinv.solution import Inversion, Status
from cvxinv.solution.notes import on_fit

from ..core import graphs
from .eq1 import Fit, batch, fit_to

STEP_SIZES = (1e-1, 1e0, 1e1, 1e2, 1e3, 1e4)  # of the search on random networks (section 6.1)
SMALL_GRADIENT = 1e-9  # the gradient norm that ends it
EVERY = 100  # steps between two looks at which signals are finished: each look makes a GPU wait
# beside the seed: latent vectors drawn with default_rng(seed) must not be found by starting at them
STREAM = 1
LONG = 100_000  # steps times signals from which a terminal shows progress


def gradient_descent(
    G: Generator,
    y: Array,
    steps: int = 10_000,
    momentum: float = 0.9,
    step: float | Literal["search"] = 0.1,
    seed: int = 0,
    observed: Array | None = None,
    start: Array | None = None,
    progress: Progress | None = None,
) -> Inversion:
    """Gradient descent on z (eq. 1) from a random start: v <- momentum v + gradient, z <- z -
    step_t v.

    The paper's step "gradually decays to assure convergence"; here linearly, step_t = step (1 - t /
    steps) at t = 0, 1, .. A signal's z is the last iterate, unless an earlier one had a lower
    objective by more than rounding (that is, where the iterates blew up): then it is the best one.
    So z is never worse than the start. Where the first steps are too large to descend, as 0.1 is
    for most trained networks, iterates wander until the step has decayed, and rounding decides
    where to.

    Parameters
    ----------
    G : Generator
    y : (B, n) or (n,) array, or images (B, ..) or (..) of n pixels
        The signals G(z), perhaps masked; all computation is in their dtype and on their device.
    steps : int
    momentum : float
        In [0, 1).
    step : float or "search"
        The first step size. "search": the search of the random-network experiment, per signal: the
        smallest of the constant step sizes 0.1, 1, .., 10 000 whose gradient norm falls under 1e-9
        within `steps` steps, without the objective being above one seen before (an iterate thrown
        to where phi is flat does not count). Where no step size gets there, the one with the lowest
        objective.
    seed : int
        Of the start z ~ N(0, I), which depends on the seed and the row of a signal in the batch
        only.
    observed : (n,) or (B, n) bool array, or images, optional
        The pixels that are seen; all by default. What is not seen may hold anything.
    start : (B, n_0) or (n_0,) array, optional
        Where to start instead; rows that are not finite are drawn.
    progress : bool or callable, optional
        Whether to show on stderr how many steps are done, by default for long runs on a terminal;
        or what is to be told: progress(done, total).

    Returns
    -------
    Inversion
        Its status is STATIONARY where ||J'(phi' * (G(z) - y))|| is at most 1e-8 (float64) or 1e-5
        (float32) times the larger of ||J'(phi' * G(z))|| and ||J'(phi' * y)||, NONFINITE for a
        signal with an observed nan or inf, whose z is nan, else MAX_ITER. Layers and supports are
        those of z, and there are no layer problems.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or numbers.
    """
    given = signals_of(G, y, observed)
    y, seen = given.y, given.seen
    first = None if start is None else points("start", start, y, G.sizes[0])
    steps, seed = integer("steps", steps, 1), integer("seed", seed)
    momentum = share("momentum", momentum)
    if isinstance(step, str):
        choice("step", step, ("search",), also="a positive number or ")
    else:
        step = positive("step", step)

    fit, finite = fit_to(G, y, seen)
    z0 = _start(fit, G.sizes[0], seed, first)
    sizes = len(STEP_SIZES) if isinstance(step, str) else 1
    with meter(automatic(progress, steps * len(z0) >= LONG), sizes * steps, "steps") as done:
        z = torch.full_like(z0, torch.nan)
        some, begin = take(fit, finite), z0[finite]
        if isinstance(step, str):
            z[finite] = _search(some, begin, steps, momentum, done)
        else:
            decaying = [step * (1 - t / steps) for t in range(steps)]
            z[finite] = _descend(some, begin, decaying, momentum, 0.0, done.within(0, steps))[0]
    stationary = fit.stationary(z)
    z = z if y.ndim == 2 else z[0]
    found = _inversion(G, y, seen, z if is_torch(y) else z.numpy(), finite, stationary)
    return given.back(found)


def _start(fit: Fit, n0: int, seed: int, first: Array | None) -> Tensor:
    """z (B, n_0): `first` where that is finite, else drawn row after row, so that more signals do
    not change the rows before.
    """
    rng = np.random.default_rng([seed, STREAM])
    drawn = torch.from_numpy(rng.standard_normal((len(fit.y), n0))).to(fit.y)
    if first is None:
        return drawn
    given = batch(first).to(fit.y)
    return torch.where(torch.isfinite(given).all(dim=1, keepdim=True), given, drawn)


# -- the iteration ---------------------------------------------------------------------------------


def _search(fit: Fit, start: Tensor, steps: int, momentum: float, done: Meter) -> Tensor:
    """Per signal, z of the smallest step size that converged, else of the one with the lowest
    objective.
    """
    z, value = start.clone(), torch.full_like(start[:, 0], torch.inf)
    unsolved = torch.arange(len(z), device=z.device)
    for i, step in enumerate(STEP_SIZES):
        some, begin, sizes = take(fit, unsolved), start[unsolved], [step] * steps
        found, objective, converged = _descend(
            some, begin, sizes, momentum, SMALL_GRADIENT, done.within(i * steps, steps)
        )
        better = converged | (objective < value[unsolved])
        z[unsolved[better]], value[unsolved[better]] = found[better], objective[better]
        unsolved = unsolved[~converged]
    return z


class Descent(NamedTuple):
    """Where each signal is."""

    z: Tensor  # (B, n_0)
    v: Tensor  # the sum of gradients that momentum keeps
    objective: Tensor  # (B,)
    gradient: Tensor
    best: Tensor  # the z of the lowest objective so far
    lowest: Tensor  # and that
    t: Tensor  # (B,) steps taken


@dataclass(frozen=True, eq=False)
class Momentum:
    """v <- momentum v + gradient, z <- z - sizes[t] v."""

    fit: Fit
    sizes: Tensor = field(metadata=SHARED)
    momentum: float

    def begin(self, z: Tensor) -> Descent:
        """At the start."""
        none = torch.zeros(len(z), dtype=torch.int64, device=z.device)
        highest = torch.full_like(z[:, 0], torch.inf)
        return self._at(z, torch.zeros_like(z), z, highest, none)

    def step(self, at: Descent) -> Descent:
        """One step of every signal."""
        v = (at.v * self.momentum).add_(at.gradient)
        z = torch.addcmul(at.z, v, self.sizes[at.t, None], value=-1)
        return self._at(z, v, at.best, at.lowest, at.t + 1)

    def _at(self, z: Tensor, v: Tensor, best: Tensor, lowest: Tensor, t: Tensor) -> Descent:
        objective, gradient = self.fit.gradient(z)
        lower = objective < lowest  # never for nan
        best, lowest = torch.where(lower[:, None], z, best), torch.where(lower, objective, lowest)
        return Descent(z, v, objective, gradient, best, lowest, t)


def _descend(
    fit: Fit,
    start: Tensor,
    sizes: list[float],
    momentum: float,
    tol: float,
    tell: Report = nothing,
) -> tuple[Tensor, Tensor, Tensor]:
    """z, its objective, and whether its gradient norm is under `tol`, after the steps `sizes`;
    finished signals are dropped.
    """
    out, value = start.clone(), torch.full_like(start[:, 0], torch.inf)
    converged = torch.zeros_like(value, dtype=torch.bool)
    eps = torch.finfo(start.dtype).eps
    rows = torch.arange(len(start), device=start.device)
    steps = torch.tensor(sizes, dtype=start.dtype, device=start.device)
    method = Momentum(fit, steps, momentum)
    at = method.begin(start)
    advance = graphs.fastest(method.step, at)
    for t in [*range(0, len(sizes), EVERY), len(sizes)]:
        if t:
            at = advance(at, (t - 1) % EVERY + 1)
        norm = at.gradient.norm(dim=1)
        rounding = math.sqrt(eps) * at.lowest
        rounding += eps**1.5 * method.fit.y.square().sum(dim=1)  # where no residual is left
        kept = torch.isfinite(at.objective) & (at.objective <= at.lowest + rounding)
        out[rows] = torch.where(kept[:, None], at.z, at.best)
        value[rows] = torch.where(kept, at.objective, at.lowest)
        converged[rows] = kept & (norm < tol)
        tell(t, len(sizes))
        going = torch.nonzero(torch.isfinite(norm) & ~(norm < tol))[:, 0]
        if not len(going):
            break
        if len(going) < len(rows):
            method, at, rows = take(method, going), take(at, going), rows[going]
            advance = graphs.fastest(method.step, at)
    return out, value, converged


# -- arguments and answer --------------------------------------------------------------------------


def _inversion(
    G: Generator, y: Array, seen: Array | None, z: Array, finite: Tensor, stationary: Tensor
) -> Inversion:
    status = np.full(len(finite), Status.MAX_ITER, dtype=object)
    status[stationary.cpu().numpy()] = Status.STATIONARY
    status[~finite.cpu().numpy()] = Status.NONFINITE
    layers, signal = G.layers(z), G(z)
    residual = cast_to(observed_norm(y - signal, seen), z)
    return Inversion(
        z,
        layers,
        [x > 0 for x in layers],
        [],
        signal,
        status if z.ndim == 2 else status[0],
        residual=residual,
        notes=on_fit(G, y, seen, residual),
    )
