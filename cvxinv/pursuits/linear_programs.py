"""The baseline of Lei et al. (2019): a linear program per layer."""

import importlib
from dataclasses import replace
from functools import partial
from typing import Literal

from cvxinv.arrays import Array
from cvxinv.checks import nonnegative
from cvxinv.generator import Generator
from cvxinv.generator.arguments import rows_of, signals_of
from cvxinv.problems import LinearProgram
from cvxinv.progress import Progress, meter
from cvxinv.pursuits.common import (
    LAYER_PROBLEMS,
    Certified,
    collected,
    layerwise,
    overflow_is_a_status,
    signals_in,
)
from cvxinv.pursuits.image_layer import on_preimage
from cvxinv.solution import Inversion, Solution


@overflow_is_a_status
def linear_programming(
    G: Generator,
    y: Array,
    norm: Literal["linf", "l1"] = "linf",
    noise: float = 0.0,
    observed: Array | None = None,
    progress: Progress = False,
) -> Inversion:
    """The baseline of Lei et al. (2019): one linear program per layer, on phi^-1(y), solved with
    HiGHS. Pixels in saturation are left out, as in `latent_pursuit`.

    Parameters
    ----------
    norm : "linf" or "l1"
        The norm in which the misfit of a layer is minimised.
    noise : float
        Entries of an estimated layer up to this level do not count as its support.
    G, y, observed, progress
        As of `latent_pursuit`.
    """
    reference = importlib.import_module("cvxinv.reference")
    given = signals_of(G, y, observed)
    y, seen = given.y, given.seen
    noise = nonnegative("noise", noise)
    with meter(progress, (G.depth + 1) * signals_in(y), LAYER_PROBLEMS) as done:
        solve = layerwise(partial(reference.solve, progress=False), done)
        return given.back(_linear_programming(G, y, seen, solve, norm, noise))


def _linear_programming(
    G: Generator,
    y: Array,
    seen: Array | None,
    solve: Certified,
    norm: Literal["linf", "l1"],
    noise: float,
) -> Inversion:
    image = on_preimage(G, y, seen)
    target, support = image.target, rows_of(None, y)
    rows: Array | None = image.rows
    solutions: list[Solution] = []
    for i in range(G.depth, -1, -1):
        last = LinearProgram(G.weights[i], target, support, G.bias(i), norm, i > 0, rows)
        found = image.sure(solve(last), last)
        target, support, rows = found.x, found.support & (found.x > noise), None
        solutions.append(replace(found, support=support))
    answer = collected(G, y, seen, target, solutions, last, image.invalid)
    return replace(answer, notes=image.noted(answer.notes))
