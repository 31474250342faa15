"""Which columns of a matrix are linearly dependent: one tolerance, and every claim decided by
singular values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations, islice
from typing import Any

import numpy as np

from cvxinv.arrays import dtype_name, float64, to_numpy
from cvxinv.checks import matrix, share

ENTRIES = 2**21  # of the matrices of column sets that are looked at together
ROUNDING = 1e-9  # far above the rounding of a Gram determinant of unit columns


def default_tolerance(W: Any) -> float:
    """8 max(m, n) times the rounding unit of W's dtype: what rounding alone can do to a singular
    value of unit columns.
    """
    eps = 2.0**-23 if dtype_name(W) == "float32" else 2.0**-52
    return float(8 * max(W.shape) * eps)


def resolve(W: Any, tol: float | None) -> tuple[Any, float]:
    """W as a checked float64 NumPy matrix, and the tolerance: the one given, or the default for W's
    dtype.
    """
    W = matrix("W", W)
    tol = default_tolerance(W) if tol is None else share("tol", tol)
    return to_numpy(float64(W)), tol


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of W scaled to unit norm; dependent are those sets whose least singular value is
    at most `tol`.

    As the tolerance is absolute, adding columns to a dependent set leaves it dependent, which is
    what enumeration rests on.

    Attributes
    ----------
    X : (m, n) array
        The unit columns; zero columns stay zero.
    tol : float
    rank : int
        The number of singular values above `tol`.
    zero : (n,) bool array
        The columns that are zero.
    """

    X: Any
    tol: float
    rank: int
    zero: Any

    @classmethod
    def of(cls, W: Any, tol: float) -> "Columns":
        """The columns of a float64 NumPy matrix, of any scale; it may have no rows."""
        largest = np.abs(W).max(axis=0, initial=0.0)
        X = W / np.where(largest > 0, largest, 1.0)
        X /= np.where(largest > 0, np.linalg.norm(X, axis=0), 1.0)
        if X.shape[0] > X.shape[1]:
            X = np.linalg.qr(X, mode="r")  # the same singular values, fewer rows
        return cls(X, tol, rank_of(X, tol), largest == 0)

    def dependent(self, T: Any) -> bool:
        """Whether the columns T (indices) are linearly dependent."""
        return rank_of(self.X[:, T], self.tol) < len(T)

    def circuit(self, T: Any) -> Any:
        """A minimal dependent subset of the dependent columns T: leave out what can be left out,
        from the end of T.
        """
        T = np.asarray(T)
        for j in T[::-1]:
            rest = T[j != T]
            if self.dependent(rest):
                T = rest
        return T

    def any_dependent(self, sets: Any) -> Any:
        """The first of many column sets (c, k) that is dependent, or None.

        Unit columns have lambda_min(X_T'X_T) >= det(X_T'X_T) / e (the other eigenvalues sum to less
        than k): a determinant that is not small proves independence, and costs less than singular
        values, which decide the rest.
        """
        k = sets.shape[1]
        if k > self.X.shape[0]:
            return sets[0]
        suspects = sets
        if k > 1:
            gram = self.X.T @ self.X
            determinants = np.linalg.det(gram[sets[:, :, None], sets[:, None, :]])
            suspects = sets[determinants <= np.e * self.tol**2 + ROUNDING]
        if not len(suspects):
            return None
        least = np.linalg.svd(self.X.T[suspects], compute_uv=False)[:, -1]
        found = np.flatnonzero(least <= self.tol)
        return suspects[found[0]] if len(found) else None

    def null_space(self) -> Any:
        """An orthonormal basis (n, n - rank) of {v : X v = 0}."""
        return np.linalg.svd(self.X)[2][self.rank :].T


def rank_of(X: Any, tol: float) -> int:
    """The number of singular values of X above tol."""
    return int((np.linalg.svd(X, compute_uv=False) > tol).sum()) if X.size else 0


def subsets(n: int, k: int, size: int | None = None) -> Iterator[Any]:
    """All k-subsets of range(n), k >= 1, as arrays (<= size, k); by default so many that k x k
    matrices of them fit the memory.
    """
    size = max(1, ENTRIES // (k * max(k, 64))) if size is None else size
    every = combinations(range(n), k)
    while len(block := np.fromiter(chain.from_iterable(islice(every, size)), dtype=np.intp)):
        yield block.reshape(-1, k)
