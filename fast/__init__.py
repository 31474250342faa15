"""Batched torch solvers for the statements of `cvxinv.problems`."""
