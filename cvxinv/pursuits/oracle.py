"""The layer-wise oracle, Algorithm 4."""

from collections.abc import Sequence
from dataclasses import replace

from cvxinv import checks
from cvxinv.arrays import Array, match
from cvxinv.generator import Generator
from cvxinv.generator.arguments import rows_of, signals_of
from cvxinv.problems import LeastSquares
from cvxinv.pursuits.common import Solve, backend, collected, overflow_is_a_status
from cvxinv.pursuits.image_layer import inverted
from cvxinv.solution import Inversion


@overflow_is_a_status
def oracle(
    G: Generator,
    y: Array,
    supports: Sequence[Array],
    observed: Array | None = None,
    solve: Solve | None = None,
) -> Inversion:
    """The layer-wise oracle (Algorithm 4): least squares with the true supports `[S_1, .., S_L]`.

    Parameters
    ----------
    supports : sequence of L boolean arrays, (B, n_i) or (n_i,)
        As `G.supports(z)` gives them.
    G, y, observed, solve
        As of `latent_pursuit`.
    """
    solve = backend(solve)
    given = signals_of(G, y, observed)
    y, seen = given.y, given.seen
    masks = [
        match(S, y) for S in checks.supports("supports", supports, G.sizes, tuple(y.shape[:-1]))
    ]
    target, invalid = inverted(G, y, seen)
    rows = rows_of(seen, y)
    solutions = []
    for i in range(G.depth, -1, -1):
        columns = masks[i - 1] if i else None
        last = LeastSquares(G.weights[i], target, rows, columns, G.bias(i))
        solutions.append(solve(last))
        target, rows = solutions[-1].x, columns
    found = collected(G, y, seen, target, solutions, last, invalid)
    return given.back(replace(found, supports=masks))
