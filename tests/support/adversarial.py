"""Small statements made to fool a certificate, and what solves them."""

import numpy as np

from cvxinv import LeastSquares, MidLayer

TINY = 1e-8


def mid(W, x_next, **options) -> MidLayer:
    """A midlayer of one signal, from lists."""
    if "bias" in options:
        options["bias"] = np.array(options["bias"])
    return MidLayer(np.array(W), np.array(x_next), **options)


# solved by x = 1
BIG_ROW = mid([[1.0], [-1e10]], [1.0, 0.0])
# solved by x = 0.1: the second row says x <= 0.1
SMALL_ROW = mid([[1.0], [1e-7]], [1.0, 0.0], lam=0.01, bias=[0.0, -1e-8])
# solved by x = (1 - 1 / TINY, 1 / TINY)
FLAT = LeastSquares(np.array([[1.0, 1.0], [0.0, TINY]]), np.array([1.0, 1.0]))
