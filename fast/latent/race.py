"""Several starts for eq. 1: cheap to choose, dear to follow, so they race.

Each random start is the draw, of many, whose signal is nearest to y. A few steps for all, more for
the best of them. A first wave decides where its finalists agree on z; elsewhere the other starts
race the winner.

Source: successive halving, Jamieson and Talwalkar (2016).
"""

import numpy as np
import torch
from torch import Tensor

from cvxinv.arrays import match
from cvxinv.generator import Generator
from cvxinv.rows import store, take

from .eq1 import Fit
from .steps import Point, begin, descend

DRAWS = 1024  # latent vectors drawn for each random start
HEATS, SHARE = (3, 6), 0.2  # steps in the two heats of a race; the share that goes on, at least two
FIRST_WAVE = 1 / 3  # of the starts
# pixels, as a multiple of n_0, from which the first heat estimates J'J: directions need no more
SKETCH = 20
RACING = 512  # signals at a time
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
) -> Tensor:
    """Race `count` random starts against `own`, in place, for the signals `open_` (B,); agreement
    (B,) among the last finalists.

    Signals whose own start is `lost` (B,) have one random start at least.
    """
    agreement = torch.ones_like(own.objective)
    first = min(count, max(1, round(FIRST_WAVE * count)))
    waves = [range(first), range(first, count)]
    for rows in torch.split(torch.nonzero(open_ & (lost | (count > 0)))[:, 0], RACING):
        for wave in waves if count else [range(1)]:
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
    b = torch.arange(B, device=z.device)
    at = begin(take(single, b.repeat(K)), z.reshape(K * B, n0))
    at.objective[:B][lost], at.finished[:B][lost] = torch.inf, True
    order = np.random.default_rng(0).permutation(fit.y.shape[1])
    some = torch.from_numpy(order[: SKETCH * n0]).to(z.device)
    at = descend(take(single, b.repeat(K)), at, HEATS[0], some)
    K = min(K, max(2, round(SHARE * K)))
    at = take(at, (_order(at, b)[:K] * B + b).reshape(-1))
    at = descend(take(single, b.repeat(K)), at, HEATS[1])
    zs, valid = at.z.reshape(K, B, n0), torch.isfinite(at.objective).reshape(K, B)
    winner = zs[_order(at, b)[0], b]
    same = valid & ((zs - winner).norm(dim=2) <= SAME * winner.norm(dim=1))
    return winner.to(fit.y.dtype), same.to(fit.y.dtype).sum(0) / valid.sum(0).clamp_min(1)


def _order(at: Point, b: Tensor) -> Tensor:
    """The starts (K, B) of each signal, best first."""
    return torch.argsort(at.objective.nan_to_num(torch.inf).reshape(-1, len(b)), dim=0, stable=True)
