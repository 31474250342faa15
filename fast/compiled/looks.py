"""How far a signal is: its image and reduced gradient in float64, and what they say."""

import numpy as np

from .lapack import jit
from .state import Shared, Signal

EPS = 2.0**-52
FAR = 1e6  # size of an x of which float64 does not hold the residual
AMBIGUOUS = 1e-8  # as in `methods.active_set`


@jit
def look(q: Shared, s: Signal) -> None:
    """v = W x and r = A'(t - A x) - C'eta - gamma x, in one pass over W; with A'A, r alone."""
    if len(q.gram):
        look_at_gram(q, s)
        return
    W, x, v, r = q.W, s.x, s.v, s.r
    m, n = W.shape
    for j in range(n):
        r[j] = -q.gamma[j] * x[j]
    four = m - m % 4
    for i in range(0, four, 4):
        w0, w1, w2, w3 = W[i], W[i + 1], W[i + 2], W[i + 3]
        v0 = v1 = v2 = v3 = 0.0
        for j in range(n):
            v0 += w0[j] * x[j]
            v1 += w1[j] * x[j]
            v2 += w2[j] * x[j]
            v3 += w3[j] * x[j]
        v[i], v[i + 1], v[i + 2], v[i + 3] = v0, v1, v2, v3
        a0, a1, a2, a3 = force(s, i), force(s, i + 1), force(s, i + 2), force(s, i + 3)
        if a0 != 0 or a1 != 0 or a2 != 0 or a3 != 0:
            for j in range(n):
                r[j] += (a0 * w0[j] + a1 * w1[j]) + (a2 * w2[j] + a3 * w3[j])
    for i in range(four, m):
        w, vi = W[i], 0.0
        for j in range(n):
            vi += w[j] * x[j]
        v[i] = vi
        a = force(s, i)
        for j in range(n):
            r[j] += a * w[j]


@jit
def look_at_gram(q: Shared, s: Signal) -> None:
    """r = A't - A'A x, over the entries of x that are not zero, four at a time."""
    r, n, k = s.r, len(s.x), 0
    j = np.zeros(4, np.int64)
    a = np.zeros(4)
    for i in range(n):
        r[i] = s.g[i]
    for i in range(n + 1):
        last = i == n
        if not last and s.x[i] != 0:
            j[k], a[k] = i, s.x[i]
            k += 1
        if k == 4 or (last and k > 0):
            h0, h1, h2, h3 = q.gram[j[0]], q.gram[j[1]], q.gram[j[2]], q.gram[j[3]]
            a0, a1, a2, a3 = a[0], a[1], a[2], a[3]
            for c in range(n):
                r[c] -= (a0 * h0[c] + a1 * h1[c]) + (a2 * h2[c] + a3 * h3[c])
            k = 0
            a[:] = 0.0


@jit
def force(s: Signal, i: int) -> float:
    """What row i adds to the gradient, of W_i: t - A x, or -eta."""
    value: float = s.t[i] - s.v[i] if s.on[i] else -s.eta[i]
    return value


@jit
def natural(q: Shared, s: Signal) -> float:
    """Largest natural residual of columns and rows (`core.residual`); what rounding makes of a far
    x, if that is larger.
    """
    largest: float = 0.0
    far: float = 0.0
    for j in range(len(s.x)):
        y = s.x[j] + s.r[j] - s.lam[j]
        if q.nonnegative and y < 0:
            y = 0.0
        largest = max(largest, abs(s.x[j] - y))
        far += abs(s.x[j])
    if far > FAR:
        largest = max(largest, EPS * far)
    for i in range(len(s.v)):
        if not s.on[i]:
            e = min(s.eta[i] / q.unit[i], (s.d[i] - s.v[i]) * q.unit[i])
            largest = max(largest, abs(e))
    return largest


@jit
def unclear(s: Signal) -> bool:
    """Whether value and multiplier of an entry are both so small that accuracy decides which of
    them is zero.
    """
    least = np.inf
    for j in range(len(s.x)):
        least = min(least, max(abs(s.x[j]), s.lam[j] - s.r[j]))
    return bool(least < AMBIGUOUS)
