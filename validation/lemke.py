"""Lemke's method for linear complementarity problems, in exact integers.

The tableau is divided without remainder (Bareiss), so that it stays one of integers, the minors of
the data; a lexicographic rule breaks all ties, so that the method cannot cycle.
"""

from fractions import Fraction
from typing import Any

import numpy as np


class _Dictionary:
    """D * basic = T @ (nonbasic, 1), for w = M z + q + z_0.

    Variables 0 .. N-1 are w, N .. 2N-1 are z, and 2N is z_0.
    """

    def __init__(self, M: Any, q: Any) -> None:
        self.N, self.D = len(q), 1  # D stays an integer, and positive
        ones = np.ones((self.N, 1), dtype=int).astype(object)
        self.T = np.concatenate([M, ones, q[:, None]], axis=1)
        self.basic, self.nonbasic = [*range(self.N)], [*range(self.N, 2 * self.N + 1)]

    def leaving(self, rows: list[int], weight: Any) -> int:
        """The row of least value / weight, as if q were q + (e, e^2, ..) for a tiny e: no ties."""
        values: Any = self.T[:, -1]
        for k in range(self.N):
            ratios = [Fraction(values[i], weight[i]) for i in rows]
            rows = [i for i, a in zip(rows, ratios, strict=True) if a == min(ratios)]
            if len(rows) == 1:
                break
            if k in self.nonbasic:  # the coefficients of e^(k+1)
                values = -self.T[:, self.nonbasic.index(k)]
            else:
                values = [self.D * (b == k) for b in self.basic]
        return rows[-1]

    def pivot(self, r: int, s: int) -> int:
        """Exchange the variables of row r and column s; returns the one that left."""
        T, p = self.T, self.T[r, s]
        new = (p * T - np.outer(T[:, s], T[r])) // self.D
        new[r], new[:, s], new[r, s] = -T[r], T[:, s], self.D
        self.T, self.D = (new, p) if p > 0 else (-new, -p)
        left: int = self.basic[r]
        self.basic[r], self.nonbasic[s] = self.nonbasic[s], left
        return left

    def read(self, values: Any) -> list[Fraction]:
        """z, given the values of the basic variables times D."""
        z = [Fraction(0)] * self.N
        for b, value in zip(self.basic, values, strict=True):
            if self.N <= b < 2 * self.N:
                z[b - self.N] = Fraction(value, self.D)
        return z


def solve(M: Any, q: Any) -> tuple[list[Fraction], list[Fraction] | None]:
    """z >= 0 with w = M z + q >= 0 and w'z = 0; or where the method stopped, and its ray of z.

    M (N, N), positive semidefinite, and q (N,) are object arrays of Python integers.
    """
    at, N = _Dictionary(M, q), len(q)
    if (q < 0).any():
        left = at.pivot(at.leaving([*range(N)], [1] * N), N)  # z_0 is raised until w >= 0
        while 2 * N in at.basic and at.T[at.basic.index(2 * N), -1] != 0:
            s = at.nonbasic.index(left + N if left < N else left - N)  # the complement of what left
            rows = [i for i in range(N) if at.T[i, s] < 0]
            if not rows:
                ray, entering = at.read(at.T[:, s]), at.nonbasic[s]
                if entering >= N:
                    ray[entering - N] = Fraction(1)
                return at.read(at.T[:, -1]), ray
            left = at.pivot(at.leaving(rows, -at.T[:, s]), s)
    return at.read(at.T[:, -1]), None
