"""Steps of Levenberg-Marquardt on eq. 1, for many signals at a time.

A step solves (J'J + w I + damping D) dz = -gradient, D the diagonal of J'J + w I. The generator is
piecewise smooth: J costs most, so each is used for several dampings at once, and the one that
descends furthest is taken. Where phi is piecewise linear, a step is exact once the supports are
those of the solution. J is needed for directions only and computed in float32; objective and
gradient, which decide where the iteration ends, are in the precision of the signals.

Source: Levenberg (1944), Marquardt (1963).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from cvxinv.memory import room, signals_per_part
from cvxinv.newton.gauss_newton import unit_diagonal
from cvxinv.progress import Report, nothing
from cvxinv.rows import store, take

from .eq1 import Fit

# dampings that are tried with one J, relative to the one that served last
TRIALS = (0.03, 1.0, 30.0, 1000.0)
# damping at the start; its bounds: beyond the last a step descends nowhere
FIRST, LEAST, MOST = 1e-2, 1e-9, 1e6
# share of the descent that is promised without damping; what brings less is at a kink of G
KINKED = 1e-2
NEARLY = 1e-6  # objective relative to 1/2 ||y||^2: the signal is in reach, and steps go on
ROUNDING = 1e-15  # of y: a step that promises to descend by less than this makes is the last
EXACT = 1e-28  # objective relative to 1/2 ||y||^2: the signal is reproduced to rounding
# bytes for J on a CPU, more do not fit the caches; and arrays of its size that are alive at once
CACHED, COPIES = 1 << 25, 4


@dataclass(eq=False)
class Point:
    """Where each signal is."""

    z: Tensor  # (B, n_0)
    objective: Tensor  # (B,)
    damping: Tensor  # (B,)
    steps: Tensor  # (B,) taken so far
    finished: Tensor  # (B,) bool: it cannot be improved


def begin(fit: Fit, z: Tensor) -> Point:
    """The start z (B, n_0)."""
    objective = fit.objective(z)
    return Point(
        z,
        objective,
        torch.full_like(objective, FIRST),
        torch.zeros_like(objective, dtype=torch.int64),
        exact(fit, objective),
    )


def descend(
    fit: Fit, at: Point, steps: int, pixels: Tensor | None = None, tell: Report = nothing
) -> Point:
    """Up to `steps` steps more for every signal that is not finished; J'J is estimated from some
    pixels, if they are given; `tell` is told how many signals are through.
    """
    at = take(at, torch.arange(len(at.z), device=at.z.device))
    single = fit.to(torch.float32)
    single = single if pixels is None else single.pixels(pixels)
    each = 4 * COPIES * fit.y.shape[1] * at.z.shape[1]
    size = signals_per_part(each, room(at.z, CACHED))
    moving = torch.nonzero(~at.finished)[:, 0]
    for i, rows in enumerate(torch.split(moving, size)):
        left, some, low = rows, take(fit, rows), take(single, rows)
        here = take(at, rows)
        for _ in range(steps):
            here = step(some, low, here)
            if bool(here.finished.any()):
                store(at, left, here)
                going = torch.nonzero(~here.finished)[:, 0]
                left, here = left[going], take(here, going)
                some, low = take(some, going), take(low, going)
                if not len(left):
                    break
        store(at, left, here)
        tell(i * size + len(rows), len(moving))
    return at


def step(fit: Fit, single: Fit, at: Point) -> Point:
    """One step of every signal; where none of the dampings descends, only the damping grows."""
    z, K = at.z, len(TRIALS)
    _, g = fit.gradient(z)
    Jt = single.jacobian(z.to(torch.float32))
    eye = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    H = (Jt @ Jt.mT).to(z.dtype) * (fit.y.shape[1] / single.y.shape[1])
    H, s = unit_diagonal(H + fit.weight[:, :, None] * eye)

    trials = torch.tensor(TRIALS, dtype=z.dtype, device=z.device)[:, None]
    damping = (at.damping * trials).clamp(LEAST, MOST)  # (K, B)
    factor, _ = torch.linalg.cholesky_ex(H + damping[:, :, None, None] * eye)
    right = -(g * s)[None, :, :, None].expand(K, -1, -1, -1)
    dz = torch.cholesky_solve(right, factor)[..., 0] * s
    there = z + dz  # (K, B, n_0)
    objective = torch.stack([fit.objective(point) for point in there])
    objective = torch.where(torch.isfinite(objective), objective, torch.inf)
    least, which = objective.min(0)

    # What rounding of y does to the objective: a step that promises less is the last, and taken
    # undamped, because z gains digits that the objective does not show.
    slack = ROUNDING * (2 * at.objective).sqrt() * fit.y.norm(dim=1)
    promised = -0.5 * (dz[0] * g).sum(1)
    last = (promised <= slack) & torch.isfinite(slack)
    undamped = last & (objective[0] <= at.objective + slack)
    least, which = torch.where(undamped, objective[0], least), torch.where(undamped, 0, which)

    better = undamped | (least < at.objective)
    b = torch.arange(len(z), device=z.device)
    new = torch.where(better[:, None], there[which, b], z)
    value = torch.where(better, least, at.objective)
    kinked = better & ~undamped & (at.objective - value < KINKED * promised)
    kinked &= value > NEARLY * 0.5 * fit.y.square().sum(dim=1)
    stuck = kinked | (~better & (damping[-1] >= MOST) & torch.isfinite(value))
    finished = last | stuck | exact(fit, value)
    damping = torch.where(better, damping[which, b], damping[-1])
    return Point(new, value, damping, at.steps + 1, finished)


def exact(fit: Fit, objective: Tensor) -> Tensor:
    """Whether the signals are reproduced to rounding; never where their squares overflow."""
    least = EXACT * 0.5 * fit.y.square().sum(1)
    return (objective <= least) & torch.isfinite(least)
