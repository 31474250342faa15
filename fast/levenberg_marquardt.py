"""Levenberg-Marquardt on z (eq. 1): min_z 1/2 ||y - G(z)||^2 over the observed pixels, with an optional Gaussian prior as in eq. 9.

A step solves (J'J + w I + damping D) dz = -gradient, D the diagonal of J'J + w I. The generator is piecewise smooth: J costs most,
so each is used for several dampings at once, and the one that descends furthest is taken. Where phi is piecewise linear, a step is
exact once the supports are those of the solution. J is needed for directions only and computed in float32; objective and gradient,
which decide where the iteration ends, are in float64.

Random starts are cheap to choose and dear to follow: each is the draw, of many, whose signal is nearest to y, and they race: a few
steps for all, more for the best of them, and all the way for the winner.

Source: Levenberg (1944), Marquardt (1963); successive halving: Jamieson, Talwalkar (2016).
"""

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvxinv import Generator
from cvxinv.arrays import Array, float64, is_torch, match
from cvxinv.checks import mask, weight

from .fit import Fit, batch, checked, checked_start, fit_to

DRAWS = 1024  # latent vectors drawn for each random start
HEATS, QUARTER = (3, 8), 0.25  # steps in the heats of the race; the share that goes on from one to the next
RACING = 1024  # signals at a time
STREAM = 2  # beside the seed: not the draws of anyone else
SAME = 0.1  # relative distance up to which two starts agree on z
TRIALS = (0.03, 1.0, 30.0, 1000.0)  # dampings that are tried with one J, relative to the one that served last
FIRST, LEAST, MOST = 1e-2, 1e-9, 1e6  # damping at the start; its bounds: beyond the last a step descends nowhere
FLOOR = 1e-12  # of D, relative to its largest entry: a latent direction that no pixel sees
NEGLIGIBLE = 1e-17  # decrease that a step promises, relative to the objective: rounding
EXACT = 1e-28  # objective relative to 1/2 ||y||^2: the signal is reproduced to rounding
NEAR = 1e-12  # .. and below this a start is the solution but for rounding: nothing is raced against it
CHUNK = 1 << 21  # entries of J at a time: more do not fit the caches


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
        Share of the starts in the last heat of the race that were within 10 % of the winner's z then.
    steps : (B,) array of int
        From the winner of the race on.
    finished : (B,) bool array
        Whether no step descends any more: the gradient is zero to rounding, or z lies at a kink of the generator from which
        none of the steps tried leads down.
    """

    z: Array
    objective: Array
    agreement: Array
    steps: Array
    finished: Array


def levenberg_marquardt(
    G: Generator, y: Array, start: Array | None = None, starts: int = 0, seed: int = 0, observed: Array | None = None,
    prior: Array | float = 0.0, scale: float = 1.0, steps: int = 100,
) -> Minimum:  # fmt: skip
    """Minimise eq. 1, 1/2 ||y - G(z)||^2 + prior/2 ||z||^2 over the observed pixels, from one or several starts.

    Parameters
    ----------
    G : Generator
    y : (B, n) or (n,) array
        Computed on its device, in float64.
    start : (B, n_0) or (n_0,) array, optional
        One start of each signal; rows that are not finite have none.
    starts : int
        How many random starts to race against it; one at least where there is no `start`. Each is the nearest of 1 024 draws.
    seed : int
        Of the draws, which are the same for all signals: what is found for a signal does not depend on its companions.
    observed : (n,) or (B, n) bool array, optional
        The pixels that are seen; all by default. What is not seen may hold anything.
    prior : float or (B,) array
        Weight of 1/2 ||z||^2: (sigma / sigma_z)^2 for noise of standard deviation sigma and z ~ N(0, sigma_z^2 I).
    scale : float
        Standard deviation of the draws.
    steps : int
        Cap for the winner of the race.

    Returns
    -------
    Minimum

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or numbers.
    """
    y = checked(G, y)
    seen = mask("observed", observed, y, G.sizes[-1])
    first = None if start is None else checked_start(G, y, start)
    starts, seed, steps = (_natural(name, k) for name, k in (("starts", starts), ("seed", seed), ("steps", steps)))
    scale = weight("scale", scale)
    with torch.no_grad():
        fit, finite = fit_to(G, float64(y), seen)
        B, n0 = len(fit.y), G.sizes[0]
        fit = fit.with_prior(_prior(prior, fit.y))
        z = fit.y.new_full((B, n0), torch.nan) if first is None else batch(first).to(fit.y)
        lost = ~torch.isfinite(z).all(1)
        own = begin(fit, torch.where(lost[:, None], 0.0, z))
        own.objective[lost], own.finished[lost] = torch.inf, False
        agreement = torch.ones_like(own.objective)
        racing = finite & (own.objective > NEAR * 0.5 * fit.y.square().sum(1))
        open_ = torch.nonzero(racing)[:, 0]
        count = max(starts, int(bool(lost[open_].any())))
        for rows in torch.split(open_, RACING) if count and len(open_) else ():
            some = fit[rows]
            z, agreement[rows] = race(some, own[rows].z, lost[rows], nearest(G, some, count, seed, scale))
            other = begin(some, z)
            better = other.objective < own.objective[rows]  # decided in float64
            own.put(rows[better], other[torch.nonzero(better)[:, 0]])
        own.finished |= ~finite
        found = descend(fit, own, steps)
        z = torch.where(finite[:, None], found.z, torch.nan)
        objective = torch.where(finite, found.objective, torch.nan)

    def back(a: Tensor) -> Array:
        a = a if y.ndim == 2 else a[0]
        return a if is_torch(y) else a.numpy()

    return Minimum(back(z.to(batch(y).dtype)), back(objective), back(agreement), back(found.steps), back(found.finished & finite))


# -- several starts ----------------------------------------------------------------------------------------------------


def nearest(G: Generator, fit: Fit, count: int, seed: int, scale: float) -> Tensor:
    """Random starts (count, B, n_0): each the one of DRAWS whose signal is nearest, over the observed pixels, in float32."""
    out = []
    for k in range(count):
        rng = np.random.default_rng([seed, STREAM, k])
        Z = match(scale * rng.standard_normal((DRAWS, G.sizes[0])), fit.y).to(fit.y.dtype)
        Y = G(Z).to(torch.float32)
        size = Y.square()
        size = size.sum(1) if fit.seen is None else fit.seen.to(torch.float32) @ size.T
        distance = torch.add(size, fit.y.to(torch.float32) @ Y.T, alpha=-2)
        out.append(Z[distance.argmin(1)])
    return torch.stack(out)


def race(fit: Fit, own: Tensor, lost: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """The winner's z (B, n_0) and the agreement (B,), of own starts (without those that are lost) and others (K, B, n_0)."""
    single = fit.to(torch.float32)
    own = torch.where(lost[:, None], others[0], own)
    z = torch.cat([own[None], others]).to(torch.float32)
    K, B, n0 = z.shape
    b, order = torch.arange(B, device=z.device), torch.empty(0)
    at = begin(single[b.repeat(K)], z.reshape(K * B, n0))
    for heat, steps in enumerate(HEATS):
        if heat:
            K = max(1, round(QUARTER * K))
            at = at[(order[:K] * B + b).reshape(-1)]
        at = descend(single[b.repeat(K)], at, steps)
        order = torch.argsort(at.objective.nan_to_num(torch.inf).reshape(K, B), dim=0, stable=True)
    zs = at.z.reshape(K, B, n0)
    winner = zs[order[0], b]
    near = (zs - winner).norm(dim=2) <= SAME * winner.norm(dim=1)
    return winner.to(fit.y.dtype), near.to(fit.y.dtype).mean(0)


# -- one start ---------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Point:
    """Where each signal is: z (B, n_0), objective (B,), damping (B,), steps taken (B,), and whether it cannot be improved (B,)."""

    z: Tensor
    objective: Tensor
    damping: Tensor
    steps: Tensor
    finished: Tensor

    def __getitem__(self, rows: Tensor) -> "Point":
        return Point(self.z[rows], self.objective[rows], self.damping[rows], self.steps[rows], self.finished[rows])

    def put(self, rows: Tensor, other: "Point") -> None:
        """Store the rows of `other`, which are rows `rows` of this."""
        for name, values in vars(self).items():
            values[rows] = getattr(other, name)


def begin(fit: Fit, z: Tensor) -> Point:
    """The start z (B, n_0)."""
    objective = fit.objective(z)
    return Point(
        z, objective, torch.full_like(objective, FIRST), torch.zeros_like(objective, dtype=torch.int64), _exact(fit, objective)
    )  # fmt: skip


def descend(fit: Fit, at: Point, steps: int) -> Point:
    """Up to `steps` steps more for every signal that is not finished."""
    at = at[torch.arange(len(at.z), device=at.z.device)]
    single = fit.to(torch.float32)
    size = max(1, CHUNK // (fit.y.shape[1] * at.z.shape[1]))
    for rows in torch.split(torch.nonzero(~at.finished)[:, 0], size):
        left, some, low = rows, fit[rows], single[rows]
        here = at[rows]
        for _ in range(steps):
            here = step(some, low, here)
            if bool(here.finished.any()):
                at.put(left, here)
                going = ~here.finished
                left, some, low, here = left[going], some[going], low[going], here[going]
                if not len(left):
                    break
        at.put(left, here)
    return at


def step(fit: Fit, single: Fit, at: Point) -> Point:
    """One step of every signal; where none of the dampings descends, only the damping grows."""
    z, n0 = at.z, at.z.shape[1]
    _, g = fit.gradient(z)
    Jt = single.jacobian(z.to(torch.float32))
    H = (Jt @ Jt.mT).to(z.dtype)
    H = H if fit.weight is None else H + fit.weight[:, :, None] * torch.eye(n0, dtype=z.dtype, device=z.device)
    diagonal = H.diagonal(dim1=1, dim2=2)
    D = torch.maximum(diagonal, FLOOR * diagonal.amax(1, keepdim=True)).clamp_min(1e-300)
    s = D.rsqrt()
    H = H * (s[:, :, None] * s[:, None, :])
    trials = torch.tensor(TRIALS, dtype=z.dtype, device=z.device)[:, None]
    damping = (at.damping * trials).clamp(LEAST, MOST)  # (K, B)
    damped = H + torch.diag_embed(damping[:, :, None].expand(-1, -1, n0))
    factor, _ = torch.linalg.cholesky_ex(damped)
    dz = -torch.cholesky_solve((g * s)[None, :, :, None].expand(len(TRIALS), -1, -1, -1), factor)[..., 0] * s
    promised = -0.5 * (dz[0] * g).sum(1)
    there = z + dz
    objective = torch.stack([fit.objective(point) for point in there])
    objective = torch.where(torch.isfinite(objective), objective, torch.inf)
    least, which = objective.min(0)
    better = least < at.objective
    b = torch.arange(len(z), device=z.device)
    new = torch.where(better[:, None], there[which, b], z)
    value = torch.where(better, least, at.objective)
    finished = (promised <= NEGLIGIBLE * at.objective) | (~better & (damping[-1] >= MOST)) | _exact(fit, value)
    damping = torch.where(better, damping[which, b], damping[-1])
    return Point(new, value, damping, at.steps + 1, finished)


def _exact(fit: Fit, objective: Tensor) -> Tensor:
    return objective <= EXACT * 0.5 * fit.y.square().sum(1)


def _natural(name: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {type(value).__name__}") from None
    if isinstance(value, bool) or number < 0:
        raise ValueError(f"{name}: expected an integer >= 0, got {value}")
    return number


def _prior(value: Any, y: Tensor) -> Tensor | None:
    """The weight (B, 1), or None for none."""
    if getattr(value, "ndim", 0) == 0:
        value = weight("prior", value)
        return y.new_full((len(y), 1), value) if value else None
    w: Tensor = match(value, y).to(y.dtype)
    if tuple(w.shape) != (len(y),):
        raise ValueError(f"prior: expected a number or shape ({len(y)},), got {tuple(w.shape)}")
    if not bool(((w >= 0) & torch.isfinite(w)).all()):
        raise ValueError("prior: expected finite entries >= 0, got negative, nan or infinite ones")
    return w[:, None]
