"""What makes rows comparable."""

from cvxinv.arrays import Array, namespace


def row_units(W: Array) -> Array:
    """1 / ||W_i||, (m,); 1 for rows that are zero."""
    xp = namespace(W)
    norm = xp.sqrt(xp.sum(W * W, axis=1))
    return 1 / xp.where(norm > 0, norm, xp.ones_like(norm))
