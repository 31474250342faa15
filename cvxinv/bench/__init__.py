"""The benchmark behind `cvxinv bench`: instances, the solvers a user would pick instead, and how
they are timed.
"""
