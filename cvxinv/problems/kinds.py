"""The kinds of statements that there are, as types."""

from typing import Any, TypeAlias

from cvxinv.checks import shown
from cvxinv.problems.layers import LastLayer, Latent, MidLayer
from cvxinv.problems.linear_program import LinearProgram
from cvxinv.problems.pursuit import BasisPursuit, LeastSquares

# each an instance of (Q), or eq. 5
LayerProblem: TypeAlias = LastLayer | MidLayer | Latent | BasisPursuit | LeastSquares
Problem: TypeAlias = LayerProblem | LinearProgram


def as_problem(problem: Any) -> Problem:
    """`problem` itself, or `TypeError` if it is not one of the statements of this module."""
    if not isinstance(problem, Problem):
        raise TypeError(f"problem: expected a statement of cvxinv.problems, got {shown(problem)}")
    return problem
