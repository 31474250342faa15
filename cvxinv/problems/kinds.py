"""The kinds of statements that there are, as types."""

from typing import Any, TypeAlias

from cvxinv.problems.layers import LastLayer, Latent, MidLayer
from cvxinv.problems.linear_program import LinearProgram
from cvxinv.problems.pursuit import BasisPursuit, LeastSquares

LayerProblem: TypeAlias = (
    LastLayer | MidLayer | Latent | BasisPursuit | LeastSquares
)  # each an instance of (Q), or eq. 5
Problem: TypeAlias = LayerProblem | LinearProgram


def as_problem(problem: Any) -> Problem:
    """`problem` itself, or `TypeError` if it is not one of the statements of this module."""
    if not isinstance(
        problem, (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares, LinearProgram)
    ):
        raise TypeError(
            f"problem: expected a statement of cvxinv.problems, got {type(problem).__name__}"
        )
    return problem
