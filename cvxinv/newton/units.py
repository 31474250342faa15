"""The units of (Q): what makes signals, columns and rows comparable.

s is the size of a signal, D_j that of column j: x_j is measured in s / D_j, its gradient and its
weight lam_j in D_j s. A row of C is measured by the terms it adds up (`row_sizes`).
"""

from cvxinv.arrays import Array, namespace
from cvxinv.problems import Quadratic

LEAST_SIZE = 1e-150  # of a row over s: squares of less underflow, so that it is a row of zeros


def norm(a: Array) -> Array:
    """Euclidean norm of each row."""
    return namespace(a).linalg.vector_norm(a, axis=1)


def positive(a: Array) -> Array:
    """`a` where it is positive, else 1: a divisor for relative figures."""
    return namespace(a).where(a > 0, a, 1.0)


def power_of_two(a: Array) -> Array:
    """The largest power of two that is not above `a`, entry by entry; 1 for zero."""
    xp = namespace(a)
    a = xp.where(a > 0, a, 1.0)
    return a / (2 * xp.frexp(a)[0])


def row_units(W: Array) -> Array:
    """1 / ||W_i||, (m,); 1 for rows that are zero."""
    xp = namespace(W)
    return 1 / positive(xp.sqrt(xp.sum(W * W, axis=1)))


def column_norms(q: Quadratic, squares: Array) -> Array:
    """D (B, n) given W * W: norms of the columns of A; of A and C together where that is zero; the
    largest of the others where both are.

    (1, n) where all signals have the same rows.
    """
    xp, D = namespace(squares), q.used @ squares
    if q.constrained:
        D = xp.where(D > 0, D, xp.sum(squares, axis=0))
    D = xp.sqrt(D)
    return xp.where(D > 0, D, positive(xp.max(D, axis=1, keepdims=True)))


def signal_sizes(given: Array, value: Array, xD: Array) -> Array:
    """s (B,): the size of what is fitted, `given`, or of the fit, `value`, whichever is larger; of
    x itself where both are zero.
    """
    xp = namespace(xD)
    s = xp.maximum(given, norm(value))
    return positive(xp.where(s > 0, s, xp.max(xp.abs(xD), axis=1)))


def reach(D: Array, squares: Array) -> Array:
    """||C_i / D||, (B, m) or (1, m): how far C_i x goes for x of size 1 / D."""
    return namespace(D).sqrt((1 / (D * D)) @ squares.T)


def row_sizes(d: Array, s: Array, reached: Array) -> Array:
    """Size of the terms of each row of C, (B, m): of d_i or of C_i x, at most s."""
    xp, unit = namespace(d), s[:, None]
    return xp.clip(xp.maximum(xp.abs(d) / unit, reached), LEAST_SIZE, 1.0) * unit
