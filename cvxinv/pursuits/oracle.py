"""The layer-wise oracle, Algorithm 4."""

from collections.abc import Sequence
from dataclasses import replace

from cvxinv import checks
from cvxinv.arrays import Array, match
from cvxinv.generator import Generator
from cvxinv.generator.arguments import signals_of
from cvxinv.problems import LeastSquares
from cvxinv.progress import Progress, meter
from cvxinv.pursuits.common import (
    LAYER_PROBLEMS,
    Certified,
    Solve,
    backend,
    collected,
    layerwise,
    overflow_is_a_status,
    signals_in,
)
from cvxinv.pursuits.image_layer import on_preimage
from cvxinv.solution import Inversion


@overflow_is_a_status
def oracle(
    G: Generator,
    y: Array,
    supports: Sequence[Array],
    observed: Array | None = None,
    solve: Solve | None = None,
    progress: Progress = False,
) -> Inversion:
    """The layer-wise oracle (Algorithm 4): least squares with the true supports `[S_1, .., S_L]`.

    The image layer is as that of `latent_pursuit`: pixels in saturation are left out.

    Parameters
    ----------
    supports : sequence of L boolean arrays, (B, n_i) or (n_i,)
        As `G.supports(z)` gives them.
    G, y, observed, solve, progress
        As of `latent_pursuit`.
    """
    solve = backend(solve)
    given = signals_of(G, y, observed)
    y, seen = given.y, given.seen
    masks = [
        match(S, y) for S in checks.supports("supports", supports, G.sizes, tuple(y.shape[:-1]))
    ]
    with meter(progress, (G.depth + 1) * signals_in(y), LAYER_PROBLEMS) as done:
        return given.back(_oracle(G, y, seen, layerwise(solve, done), masks))


def _oracle(
    G: Generator, y: Array, seen: Array | None, solve: Certified, masks: list[Array]
) -> Inversion:
    image = on_preimage(G, y, seen)
    target, rows = image.target, image.rows
    solutions = []
    for i in range(G.depth, -1, -1):
        columns = masks[i - 1] if i else None
        last = LeastSquares(G.weights[i], target, rows, columns, G.bias(i))
        solutions.append(solve(last))
        target, rows = solutions[-1].x, columns
    found = collected(G, y, seen, target, solutions, last, image.invalid)
    return replace(found, supports=masks, notes=image.noted(found.notes))
