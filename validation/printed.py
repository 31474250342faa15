"""Algorithm 5 exactly as printed, for one signal, with a step of one's choice: errata E3, E4 and E6
are about it.
"""

from typing import Any

import numpy as np

from cvxinv import LastLayer


def algorithm_5(problem: LastLayer, step: float, K: int) -> tuple[Any, Any]:
    """The projected points u^(0) .. u^(K) and the extrapolated ones x^(0) .. x^(K), of which the
    last is what it returns.
    """
    W, y, phi = problem.W, problem.y, problem.phi
    u, x, t = np.zeros(W.shape[1]), np.zeros(W.shape[1]), 1.0
    projected, extrapolated = [u], [x]
    for _ in range(K):
        g = W.T @ (phi.derivative(W @ x) * (phi(W @ x) - y))
        last, u = u, np.maximum(x - step * (g + problem.lam), 0)
        following = (1 + np.sqrt(1 + 4 * t**2)) / 2
        x, t = u + (t - 1) / following * (u - last), following
        projected.append(u)
        extrapolated.append(x)
    return np.array(projected), np.array(extrapolated)
