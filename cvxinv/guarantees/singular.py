"""Singular values from which rank can be read off."""

from typing import Any

import numpy as np


def singular_values(W: Any) -> Any:
    """The singular values of W (m, n), n of them; those that rounding cannot tell from zero are
    zero, so that rank can be read off.
    """
    m, n = W.shape
    values = np.zeros(n)
    if m and n:
        found = np.linalg.svd(W, compute_uv=False)
        values[: len(found)] = np.where(
            found > max(m, n) * np.finfo(np.float64).eps * found[0], found, 0.0
        )
    return values


def smallest_singular_value(W: Any) -> float:
    """sqrt(lambda_min(W'W)), less what rounding may add to it; zero where W has no full column
    rank, inf where it has no columns.
    """
    values = singular_values(W)
    return max(
        0.0,
        float(
            values.min(initial=np.inf)
            - max(W.shape) * np.finfo(np.float64).eps * values.max(initial=0.0)
        ),
    )
