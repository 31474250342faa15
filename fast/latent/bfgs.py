"""BFGS on eq. 1 with a weak Wolfe line search: descent along the kinks of G, where its minima lie.

Eq. 1 is piecewise smooth, and on data outside the range of G its minima mostly lie where a hidden
unit or a pixel is exactly at its border. Newton-like steps end there, for the model of one piece
says nothing of the next. BFGS goes on: every step across a border tells the metric how steep it is,
so that steps turn along it. The line search must not ask for a small slope, which a kink has not;
the weak Wolfe conditions ask for descent, and for a slope that has at least flattened.

Source: Lewis, Overton (2013), Nonsmooth optimization via quasi-Newton methods.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from cvxinv.progress import Report, nothing
from cvxinv.rows import store, take, where

from .eq1 import Fit

DESCENT, FLATTER = 1e-4, 0.5  # weak Wolfe: least share of the promised descent; most of the slope
SEARCH, ENOUGH = 25, 5  # points tried along a direction; and where descent alone will do
LONGER = 4.0  # while the slope is still steep
CURVED = 1e-10  # least cosine between step and change of the gradient that says anything
GAIN = 1e-8  # relative descent of the objective; steps of less count as stalled ..
PATIENCE = 4  # .. and so many of them in a row end it
RIDGE = 1e-2  # of the first metric, beside J'J, relative to its mean diagonal


class Walk(NamedTuple):
    """Where each signal is: z (B, n_0), objective (B,), its gradient, and the metric H (B, n_0,
    n_0) that stands for the inverse of a Hessian.
    """

    z: Tensor
    objective: Tensor
    gradient: Tensor
    H: Tensor


def begin(fit: Fit, z: Tensor, near: Fit | None = None) -> Walk:
    """A walk from z (B, n_0); its first metric is that of Gauss-Newton steps, J from `near` (some
    of the pixels, or another precision), if that is given.
    """
    near = fit if near is None else near
    Jt = near.jacobian(z.to(near.y.dtype)).to(z.dtype)
    return Walk(z, *fit.gradient(z), inverse((Jt @ Jt.mT) * (fit.y.shape[1] / near.y.shape[1])))


def inverse(H: Tensor) -> Tensor:
    """The metric (.., n_0, n_0) of J'J = H, which may not have full rank."""
    eye = torch.eye(H.shape[-1], dtype=H.dtype, device=H.device)
    mean = H.diagonal(dim1=-2, dim2=-1).mean(-1).clamp_min(torch.finfo(H.dtype).tiny)
    factor = torch.linalg.cholesky_ex(H / mean[..., None, None] + RIDGE * eye)[0]
    return torch.cholesky_inverse(factor) / mean[..., None, None]


def descend(fit: Fit, at: Walk, steps: int, gain: float = GAIN, tell: Report = nothing) -> Walk:
    """Up to `steps` steps for every signal, until they gain less than `gain`, relative; `tell` is
    told how many are through.
    """
    best = Walk(*(a.clone() for a in at))
    left = torch.arange(len(at.z), device=at.z.device)
    stalled = torch.zeros_like(left)
    for _ in range(steps):
        new = step(fit, at)
        gained = at.objective - new.objective > gain * new.objective
        stalled = torch.where(gained, 0, stalled + 1)
        going = (stalled < PATIENCE) & (new.objective < at.objective)
        for kept, a in zip(best, new, strict=True):
            kept[left] = a
        at = new
        rows = torch.nonzero(going)[:, 0]
        if len(rows) < len(left):
            fit, at, left, stalled = take(fit, rows), take(at, rows), left[rows], stalled[rows]
            tell(len(best.z) - len(left), len(best.z))
            if not len(rows):
                break
    return best


def step(fit: Fit, at: Walk) -> Walk:
    """One step of every signal: a direction, a line search, and what it teaches the metric."""
    direction = -(at.H @ at.gradient[:, :, None])[:, :, 0]
    slope = (direction * at.gradient).sum(1)
    lost = ~(slope < 0)  # rounding has spoilt the metric: it starts afresh
    if bool(lost.any()):
        eye = torch.eye(at.z.shape[1], dtype=at.z.dtype, device=at.z.device)
        at = at._replace(H=torch.where(lost[:, None, None], eye, at.H))
        direction = torch.where(lost[:, None], -at.gradient, direction)
        slope = (direction * at.gradient).sum(1)
    z, objective, gradient = search(fit, at, direction, slope)
    return Walk(z, objective, gradient, updated(at.H, z - at.z, gradient - at.gradient))


class Trial(NamedTuple):
    """A point on a line."""

    z: Tensor
    objective: Tensor
    gradient: Tensor


class Line(NamedTuple):
    """What is known of a direction: from where it leads, and how long a step should be."""

    z: Tensor
    objective: Tensor
    direction: Tensor
    slope: Tensor
    length: Tensor  # of the next trial
    low: Tensor  # steps that descend
    high: Tensor  # steps that do not, inf while there are none
    descended: Tensor  # bool: whether any trial has


def search(fit: Fit, at: Walk, direction: Tensor, slope: Tensor) -> Trial:
    """Point, objective and gradient by bisection for the weak Wolfe conditions; where a signal
    finds no descent it stays.
    """
    found = Trial(at.z.clone(), at.objective.clone(), at.gradient.clone())
    one, none = torch.ones_like(slope), torch.zeros_like(slope)
    lengths = one, none, torch.full_like(slope, torch.inf)
    line = Line(at.z, at.objective, direction, slope, *lengths, none > 0)
    left, best = torch.arange(len(slope), device=slope.device), found
    for k in range(SEARCH):
        z = line.z + line.length[:, None] * line.direction
        trial = Trial(z, *fit.gradient(z))
        lower = trial.objective <= line.objective + DESCENT * line.length * line.slope
        flatter = (trial.gradient * line.direction).sum(1) >= FLATTER * line.slope
        best, line = where(lower, trial, best), _halved(line, lower)
        going = ~(lower & flatter)
        if k + 1 >= ENOUGH:
            going &= ~line.descended
        kept = torch.nonzero(going)[:, 0]  # the one wait for a GPU
        if len(kept) < len(left):
            store(found, left, best)
            if not len(kept):
                return found
            fit, line, best, left = take(fit, kept), take(line, kept), take(best, kept), left[kept]
    store(found, left, best)
    return found


def _halved(line: Line, lower: Tensor) -> Line:
    """With the length of the next trial, after one that descended or did not."""
    low = torch.where(lower, line.length, line.low)
    high = torch.where(lower, line.high, line.length)
    length = torch.where(high.isinf(), LONGER * low, 0.5 * (low + high))
    return line._replace(length=length, low=low, high=high, descended=line.descended | lower)


def updated(H: Tensor, s: Tensor, y: Tensor) -> Tensor:
    """The BFGS update of the metric for a step s and a change y of the gradient."""
    sy = (s * y).sum(1)
    curved = sy > CURVED * s.norm(dim=1) * y.norm(dim=1)
    rho = torch.where(curved, 1 / torch.where(curved, sy, 1.0), 0.0)[:, None, None]
    Hy = H @ y[:, :, None]
    s = s[:, :, None]
    outward = rho * (1 + rho * (y[:, None, :] @ Hy)) * s * s.mT
    return H + outward - rho * (s * Hy.mT + Hy * s.mT)
