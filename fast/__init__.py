"""Batched torch solvers for the statements of `cvxinv.problems`; gradient descent and
Levenberg-Marquardt on eq. 1.
"""

from .latent.gradient_descent import gradient_descent
from .latent.levenberg_marquardt import levenberg_marquardt
from .solve import solve

__all__ = ["gradient_descent", "levenberg_marquardt", "solve"]
