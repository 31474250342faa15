"""How far a signal is: its image and reduced gradient in float64, and what they say."""

import numpy as np

from .lapack import jit
from .state import Array, Shared, Signal

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
    x, r, n = s.x, s.r, len(s.x)
    for c in range(n):
        r[c] = s.g[c]
    i = following(x, -1)
    while i < n:
        j = following(x, i)
        k = following(x, j)
        l = following(x, k)
        h0, a0 = q.gram[i], x[i]
        # past the end the first one takes part again, with nothing
        h1, a1 = (q.gram[j], x[j]) if j < n else (h0, 0.0)
        h2, a2 = (q.gram[k], x[k]) if k < n else (h0, 0.0)
        h3, a3 = (q.gram[l], x[l]) if l < n else (h0, 0.0)
        for c in range(n):
            r[c] -= (a0 * h0[c] + a1 * h1[c]) + (a2 * h2[c] + a3 * h3[c])
        i = following(x, l)


@jit
def following(x: Array, i: int) -> int:
    """The next entry after i that is not zero; len(x) if there is none."""
    i += 1
    while i < len(x) and x[i] == 0:
        i += 1
    return i


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
    everything = 0.0  # nan is lost in a maximum, but not in a sum
    for j in range(len(s.x)):
        y = s.x[j] + s.r[j] - s.lam[j]
        if q.nonnegative and y < 0:
            y = 0.0
        e = abs(s.x[j] - y)
        largest = max(largest, e)
        everything += e
        far += abs(s.x[j])
    for i in range(len(s.v)):
        if not s.on[i]:
            e = abs(min(s.eta[i] / q.unit[i], (s.d[i] - s.v[i]) * q.unit[i]))
            largest = max(largest, e)
            everything += e + 0.0 * (s.eta[i] + s.v[i])
    if not everything + far < np.inf:
        return np.inf
    if far > FAR:
        largest = max(largest, EPS * far)
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
