"""Whether the last layer problem of a pursuit has one solution: the rank of W_0 on the rows that
hold z.
"""

from cvxinv.arrays import Array, float64, namespace
from cvxinv.memory import parts, room
from cvxinv.newton.gauss_newton import full_rank
from cvxinv.problems import Latent, LeastSquares, LinearProgram
from cvxinv.rows import one_or_many
from cvxinv.solution import Solution

COPIES = 3  # of W_0 in float64 that are alive at once, for each signal
HELD = 1e-8  # of the data's size: a multiplier above it, and the inequality holds as an equation


def determined(problem: Latent | LeastSquares | LinearProgram, solution: Solution) -> Array:
    """(B,) bool: whether no other latent vector solves the layer problem as well.

    With a prior none does. Else rows of the support hold z, and inequalities whose multiplier is
    positive. One that is met by chance, where the solver came to a corner of all solutions, does
    not.
    """
    xp, W = namespace(problem.data), float64(problem.W)
    many = one_or_many(problem.data)
    held = xp.ones_like(problem.data, dtype=xp.bool)
    if isinstance(problem, LeastSquares):
        held = held if problem.rows is None else held & problem.rows
    else:
        held = held & problem.support
    if isinstance(problem, LinearProgram) and problem.observed is not None:
        held = held & problem.observed
    if isinstance(problem, Latent) and solution.dual is not None:
        size = xp.linalg.vector_norm(problem.data, axis=-1, keepdims=True)
        held = held | (solution.dual > HELD * size)
    held = xp.astype(many.rows(held) if many.single else held, xp.float64)
    found = xp.zeros_like(held[:, 0], dtype=xp.bool)
    m, n = W.shape
    for b in parts(len(held), 8 * COPIES * m * n, room(held)):
        found[b] = full_rank(held[b, :, None] * W)
    if isinstance(problem, Latent) and problem.gamma > 0:
        found = xp.ones_like(found)
    return many.back(found)
