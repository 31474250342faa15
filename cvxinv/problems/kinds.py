"""The kinds of statements there are, as types, and what can be said of any of them."""

from typing import Any, TypeAlias

from cvxinv.arrays import dtype_name
from cvxinv.problems.layers import LastLayer, Latent, MidLayer
from cvxinv.problems.linear_program import LinearProgram
from cvxinv.problems.pursuit import BasisPursuit, LeastSquares
from cvxinv.problems.statement import batched

LayerProblem: TypeAlias = (
    LastLayer | MidLayer | Latent | BasisPursuit | LeastSquares
)  # each an instance of (Q), or eq. 5
Problem: TypeAlias = LayerProblem | LinearProgram


def describe(problem: Problem) -> str:
    """One line: the statement, its sizes and how many signals it holds."""
    m, n = problem.W.shape
    count = problem.data.shape[0] if batched(problem) else 1
    return (
        f"{type(problem).__name__}: W {m} x {n}, {count} signal{'s' * (count != 1)},"
        f" {dtype_name(problem.data)}"
    )


def as_problem(problem: Any) -> Problem:
    """`problem` itself, or `TypeError` if it is not one of the statements of this module."""
    if not isinstance(
        problem, (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares, LinearProgram)
    ):
        raise TypeError(
            f"problem: expected a statement of cvxinv.problems, got {type(problem).__name__}"
        )
    return problem
