"""The units of a `Layer` (`core.units`) for a few signals, in two passes over W."""

import math

import numpy as np

from .lapack import entry, jit
from .state import Array, Statement


@entry
def scaled(q: Statement) -> tuple[Array, ...]:
    """In these units W, t, d (inf without inequalities), lam, gamma and 1 / ||W_i||; and the units:
    of columns (n,), of signals (B,) and of rows (m,).
    """
    (m, n), B = q.W.shape, len(q.t)
    fitted, norm, others = np.zeros(m, np.bool_), np.zeros(n), np.zeros(n)
    for i in range(m):
        w = q.W[i]
        for b in range(B):
            fitted[i] = fitted[i] or q.on[b, i]
        squares = norm if fitted[i] else others
        for j in range(n):
            squares[j] += w[j] * w[j]
    for j in range(n):  # the rows that are fitted by some signal, else the others
        norm[j] = math.sqrt(norm[j] if norm[j] > 0 else others[j])
        norm[j] = norm[j] if norm[j] > 0 else 1.0

    W, unit, rows, gamma = np.empty((m, n)), np.ones(m), np.ones(m), np.empty(n)
    inverse = np.empty(n)
    for j in range(n):
        inverse[j], gamma[j] = 1 / norm[j], q.gamma / norm[j] / norm[j]
    for i in range(m):
        w, given, length = W[i], q.W[i], 0.0
        for j in range(n):
            w[j] = given[j] * inverse[j]
            length += w[j] * w[j]
        length = math.sqrt(length)
        if not fitted[i]:  # the length of a row that no signal fits says nothing: it becomes 1
            rows[i] = power_of_two(length)
            length /= rows[i]
            for j in range(n):
                w[j] /= rows[i]
        if length > 0:
            unit[i] = 1 / length

    s, t, d, lam = np.empty(B), np.empty((B, m)), np.empty((B, m)), np.empty((B, n))
    for b in range(B):
        size = 0.0
        for i in range(m):
            size += q.t[b, i] * q.t[b, i]
        s[b] = power_of_two(math.sqrt(size))
        for i in range(m):
            t[b, i] = q.t[b, i] / s[b]
            d[b, i] = q.d[b, i] / rows[i] / s[b] if q.constrained else np.inf
        for j in range(n):
            lam[b, j] = q.lam[b, j] / norm[j] / s[b]
    return W, t, d, lam, gamma, unit, norm, s, rows


@jit
def power_of_two(a: float) -> float:
    """The power of two nearest to a number, 1 for zero."""
    if not (a > 0 and a < np.inf):
        return 1.0
    mantissa, exponent = math.frexp(a)
    return math.ldexp(1.0, exponent - 1 if mantissa < 0.5**0.5 else exponent)
