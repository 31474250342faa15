"""Hostile instances of small layer problems: every backend and certificate against exact answers.

Run as `python -m validation.hostile --instances 20000 --seed 0`. It writes
validation/results/hostile.json and prints every kind of failure, with code that rebuilds its
shortest examples after `from numpy import array, inf, nan` and `import cvxinv, fast`.
"""
