"""What answers are held against: proofs, enumeration, closed forms; all from the statements' own
fields, in NumPy.
"""

from itertools import product

import numpy as np

from cvxinv import BasisPursuit, LeastSquares, MidLayer
from tests.support.instances import DATA, MASK, constraints, objective
from tests.support.tolerances import FARKAS


def refutes(problem, b, p):
    """P >= 0, C'p >= 0 (= 0 where x is free) and d'p < 0: then C x <= d has no solution."""
    C, d = constraints(problem, b)
    off = ~np.broadcast_to(problem.support, problem.x_next.shape)[b]
    assert not p[~off].any()
    p = p[off]
    assert (p >= 0).all()
    v, size = C.T @ p, np.abs(C).T @ p
    assert (v >= -FARKAS * size).all()
    assert isinstance(problem, MidLayer) or (np.abs(v) <= FARKAS * size).all()
    assert d @ p < -FARKAS * (np.abs(d) @ p)


def enumerated(problem):
    """The optimal value of one signal: the best feasible minimiser over all signs of x and all sets
    of active rows.
    """
    free = isinstance(problem, BasisPursuit)
    t = getattr(problem, DATA[type(problem)]) - (0 if problem.bias is None else problem.bias)
    rows = problem.support if isinstance(problem, MidLayer) else True
    S = np.broadcast_to(rows, t.shape)[0]
    A, t, (C, d), n = problem.W[S], t[0][S], constraints(problem, 0), problem.W.shape[1]
    lam = np.broadcast_to(problem.lam, (1, n))[0]
    best = np.inf
    for signs in product((-1, 0, 1) if free else (0, 1), repeat=n):
        T = np.array(signs) != 0
        for active in product((False, True), repeat=len(d)):
            A_T, C_T, d_T = A[:, T], C[list(active)][:, T], d[list(active)]
            zero = np.zeros((len(d_T), len(d_T)))
            K = np.block([[A_T.T @ A_T, C_T.T], [C_T, zero]])
            right = np.concatenate([A_T.T @ t - (lam * signs)[T], d_T])
            x = np.zeros(n)
            x[T] = np.linalg.lstsq(K, right)[0][: T.sum()] if len(K) else 0
            if (C @ x <= d + 1e-12).all() and (free or (x >= -1e-12).all()):
                best = min(best, objective(problem, x[None, :])[0])
    return best


def orthonormal(rng, m=9, n=5):
    return np.linalg.qr(rng.standard_normal((m, n)))[0]


def used(problem):
    """(B, m) bool: the rows of A."""
    data, rows = getattr(problem, DATA[type(problem)]), getattr(problem, MASK[type(problem)])
    return np.broadcast_to(True if rows is None else rows, data.shape)


def determined(problem, least=1e-9):
    """(B,) bool: whether A and gamma leave one solution (for least squares: that of least norm).

    The singular values of A above sqrt(gamma) I, in units of the columns, have a ratio of at least
    `least` (the nonzero ones, where least norm decides): residuals of size r then move the solution
    by at most r / least^2."""
    W, rows = problem.W.astype(np.float64), used(problem)
    D = np.linalg.norm(W, axis=0)
    D = np.where(D > 0, D, 1)
    prior = np.diag(getattr(problem, "gamma", 0.0) ** 0.5 / D)
    columns = getattr(problem, "columns", None)
    columns = np.broadcast_to(True if columns is None else columns, (len(rows), W.shape[1]))
    answer = []
    for S, T in zip(rows, columns, strict=True):
        stacked = np.vstack([(W / D)[S], prior])[:, T]
        s = np.linalg.svd(stacked, compute_uv=False) if T.any() else np.zeros(0)
        s = s[s > 1e-9 * s.max(initial=0)]
        enough = isinstance(problem, LeastSquares) or len(s) == len(T)
        largest = s.max(initial=1.0 if prior.any() else 0.0)  # 1: a column of W
        answer.append(enough and s.min(initial=np.inf) >= least * largest)
    return np.array(answer)


def distance(problem, x, y):
    """(B,) largest entry of x - y with each column in its own unit, relative to the size of signal
    or solution.
    """
    D = np.linalg.norm(problem.W, axis=0)
    b = np.zeros(len(problem.W)) if problem.bias is None else problem.bias
    right = np.where(used(problem), getattr(problem, DATA[type(problem)]), 0) - b
    size = np.maximum(np.linalg.norm(right, axis=1), np.abs(y * D).max(axis=1))
    return np.abs((x - y) * D).max(axis=1) / np.where(size > 0, size, 1)


def same_array(a, b):
    """Kind, dtype, shape and every bit of the values are the same."""
    assert type(a) is type(b)
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    assert a.tobytes() == b.tobytes()
