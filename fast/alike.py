"""Signals of which the same pixels are seen: solved together, they share one factor.

A mask per signal often differs in a few signals only, those with a saturated pixel, say.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from cvxinv.problems import LastLayer, LayerProblem
from cvxinv.rows import join, take
from cvxinv.solution.certified import Answer

Run = Callable[[LayerProblem, Tensor | None], Answer]

PAYS = 0.25  # of the signals, from which a solve of their own pays


def grouped(run: Run, problem: LayerProblem, x: Tensor | None) -> Answer:
    """`run` on the signals that have the most common mask, and on the others."""
    if not isinstance(problem, LastLayer):
        return run(problem, x)
    masks = problem.observed
    if masks is None or masks.ndim == 1 or len(masks) < 2:
        return run(problem, x)
    common, same = most_common(masks)
    if int(same.sum()) < PAYS * len(masks):
        return run(problem, x)
    together, others = torch.nonzero(same)[:, 0], torch.nonzero(~same)[:, 0]
    alike: Any = problem[together]
    parts = [run(replace(alike, observed=common), take(x, together))]
    if len(others):
        rest: Any = problem[others]
        parts.append(run(rest, take(x, others)))
    return take(join(parts), torch.argsort(torch.cat([together, others])))


def most_common(masks: Tensor) -> tuple[Tensor, Tensor]:
    """The most common of masks (B, n) of ones and zeros, and which of them are that one, (B,)."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randint(1 << 40, masks.shape[1:], generator=generator).to(masks.device)
    codes = (masks != 0).to(torch.int64).mul_(weights).sum(1)
    mask = masks[codes.mode().indices]
    return mask, (masks == mask).all(1)
