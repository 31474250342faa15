"""Batched torch solvers for the statements of `cvxinv.problems`, and gradient descent on eq. 1."""

from .gradient_descent import gradient_descent
from .solve import solve

__all__ = ["gradient_descent", "solve"]
