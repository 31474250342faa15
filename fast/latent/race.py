"""Several starts for eq. 1: cheap to choose, dear to follow, so they race.

Each random start is the draw, of many, whose signal is nearest to y. Some steps for all, more for
the best of them, and the last of them down to where nothing is gained. A first wave decides where
its finalists agree on z; elsewhere the other starts race the winner. The steps are those of BFGS
(`bfgs`), which does not mind the kinks of G, and in float32, which is enough to tell them apart.

Source: successive halving, Jamieson and Talwalkar (2016).
"""

import numpy as np
import torch
from torch import Tensor

from cvxinv.arrays import match
from cvxinv.generator import Generator
from cvxinv.progress import Report, nothing
from cvxinv.rows import store, take

from . import bfgs
from .eq1 import Fit
from .steps import Point, begin

DRAWS = 1024  # latent vectors drawn for each random start
HEATS = ((15, 10), (40, 4), (60, 1))  # steps, and how many starts of a signal are left then
GAIN = 1e-3  # relative descent of a step that is worth following, in a heat
# pixels, as a multiple of n_0, from which the first metric is estimated
SKETCH = 10
RACING = 128  # signals at a time
FIRST_WAVE = 1 / 3  # of the starts
STREAM = 2  # beside the seed: not the draws of anyone else
SAME = 0.1  # relative distance up to which two finalists agree on z


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
    (B,) among the last finalists.

    Signals whose own start is `lost` (B,) have one random start at least. `tell` is told how many
    signals have raced.
    """
    agreement = torch.ones_like(own.objective)
    first = min(count, max(1, round(FIRST_WAVE * count)))
    waves = [range(first), range(first, count)] if count else [range(1)]
    racing = torch.nonzero(open_ & (lost | (count > 0)))[:, 0]
    for i, rows in enumerate(torch.split(racing, RACING)):
        through = i * RACING + len(rows)
        for wave in waves:
            if not len(rows) or not len(wave):
                continue
            some = take(fit, rows)
            others = torch.stack([nearest(G, some, [seed, STREAM, k], scale) for k in wave])
            z, agreement[rows] = race(some, own.z[rows], lost[rows], others)
            found = begin(some, z)
            lower = found.objective < own.objective[rows]  # decided in float64
            better = torch.nonzero(lower)[:, 0]
            store(own, rows[better], take(found, better))
            rows = rows[agreement[rows] < 1]
            lost = lost & ~torch.isfinite(own.objective)
        tell(through, len(racing))
    return agreement


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


def race(fit: Fit, own: Tensor, lost: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """The winner's z (B, n_0) among own (B, n_0), where it is not lost, and others (K, B, n_0);
    finalists that agree with it, (B,).
    """
    single, z = fit.to(torch.float32), torch.cat([own[None], others]).to(torch.float32)
    K, B, n0 = z.shape
    signal = torch.arange(B, device=z.device)
    order = np.random.default_rng(0).permutation(fit.y.shape[1])
    sketch = single.pixels(torch.from_numpy(order[: SKETCH * n0]).to(z.device))
    all_ = signal.repeat(K)
    at = bfgs.begin(take(single, all_), z.reshape(K * B, n0), take(sketch, all_))
    at.objective[:B][lost] = torch.inf  # an own start that is none, in the first places
    same = torch.ones_like(own[:, 0])
    for steps, kept in HEATS:
        at = bfgs.descend(take(single, signal.repeat(len(at.z) // B)), at, steps, GAIN)
        places = _order(at, B)[: min(kept, len(at.z) // B)]
        if kept == 1:
            same = _agreement(at, places[0], B).to(own.dtype)
        at = take(at, (places * B + signal).reshape(-1))
    return at.z.to(own.dtype), same


def _order(at: bfgs.Walk, B: int) -> Tensor:
    """The starts (K, B) of each signal, best first."""
    values: Tensor = at.objective.nan_to_num(torch.inf).reshape(-1, B)
    return torch.argsort(values, dim=0, stable=True)


def _agreement(at: bfgs.Walk, winner: Tensor, B: int) -> Tensor:
    """The share (B,) of the finalists whose z is that of the winner."""
    zs, valid = at.z.reshape(-1, B, at.z.shape[1]), torch.isfinite(at.objective).reshape(-1, B)
    best = zs[winner, torch.arange(B, device=zs.device)]
    same = valid & ((zs - best).norm(dim=2) <= SAME * best.norm(dim=1))
    share: Tensor = same.sum(0) / valid.sum(0).clamp_min(1)
    return share
