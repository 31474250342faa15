"""Layer-by-layer inversion, written once for every backend: Algorithms 1, 3 and 4, and the linear
programs of Lei et al.

Each takes `solve(problem) -> Solution`: `cvxinv.reference.solve`, `fast.solve`, or a
`functools.partial` of either.
"""

from .basis import layered_basis_pursuit
from .latent import latent_pursuit
from .linear_programs import linear_programming
from .noisy import noisy_pursuit
from .oracle import oracle

__all__ = [
    "latent_pursuit",
    "layered_basis_pursuit",
    "linear_programming",
    "noisy_pursuit",
    "oracle",
]
