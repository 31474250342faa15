"""Proofs that the inequalities of a statement contradict each other: `refutes`.

A Farkas certificate of C x <= d is a p >= 0 with

    C'p = 0  (C'p >= 0 where x >= 0)   and   d'p < 0:

with it no x exists, for p'(C x) >= 0 > p'd. In float64 the first condition holds only up to
rounding, and v = C'p != 0 excludes only what is not too far away. So p is taken as a hint, and what
it proves of the data as they are stored is one of two things.

**Of any size.** A p~ near p satisfies the conditions exactly (`_repaired`). With J the columns in
which v is not surely positive and B as many of its rows, C_BJ' delta = -v_J has one solution if
||I - R C_BJ'|| < 1 for a matrix R (its approximate inverse: Rump's verified linear systems), and

    |delta| <= |R v_J| + |I - R C_BJ'| ||delta||,     ||delta|| <= ||R v_J|| / (1 - ||I - R C_BJ'||)

in the largest entry, with bounds on all rounding added. If |delta| <= p_B, if v stays positive off
J, and if d'(p + delta) < 0, then p~ = p + delta is the proof: it exists, though float64 cannot hold
it.

**Within reach.** With D_j the largest entry of column j of W, every x that satisfies the
constraints has

    sum_j D_j |x_j|  >=  -d'p / max_j |v_j| / D_j     (only v_j < 0 count where x >= 0),

again with bounds on the rounding added. The proof counts if that is more than `REACH` max_i |d_i|.
Columns that depend on each other up to rounding leave no more: whether the exact matrix has full
rank, and so a solution 1e16 times as large as the data, is an accident of rounding.

Nothing less is a proof: [[1, -1], [-1, 1 + e], [1, 0]] z <= (-1, -1, 0) has the solution
(-3/e - 1, -3/e).
"""

from typing import Any

import numpy as np

from cvxinv import checks, rows
from cvxinv.arrays import Array, float64, namespace, to_numpy
from cvxinv.problems import LinearProgram, Problem, Quadratic, as_problem

REACH = 1e12  # times the size of the data: how far out a solution would have to be
EPS = 2.0**-52
TINY = 1e-300  # more than what underflow takes from a product of numbers of at most 1
SURELY = 1e-7  # relative: an entry of C'p above it is positive, whatever the solver's tolerance


def refutes(problem: Problem, proof: Array) -> Array:
    """Whether multipliers prove, from the data alone, that no x satisfies a signal's constraints.

    Parameters
    ----------
    problem : a statement of `cvxinv.problems`
        Only `MidLayer` and `Latent` have inequalities that can contradict each other.
    proof : (B, m) or (m,) array
        Farkas certificates of W^Sc x <= -b^Sc (x >= 0), from anywhere: p >= 0 with C'p >= 0 (= 0
        for a latent vector) and d'p < 0. Entries on S are ignored, negative ones count as zero.

    Returns
    -------
    (B,) bool array, or one bool
        True only if no x of any size satisfies the constraints in exact arithmetic on the float64
        data; or, where rounding of W leaves the rank of its columns in doubt, none with
        sum_j D_j |x_j| <= 1e12 max_i |d_i|, D_j the largest entry of column j. Never True by
        rounding. False says nothing.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, for wrong kinds or shapes.
    """
    problem = as_problem(problem)
    p = float64(checks.points("proof", proof, problem.data, int(problem.W.shape[0])))
    given = rows.one_or_many(p)
    if isinstance(problem, LinearProgram) or not problem.convex:
        return given.back(namespace(p).zeros_like(given.signals[:, 0] > 0))
    return given.back(refuted(problem.quadratic(), given.signals))


def refuted(q: Quadratic, p: Array) -> Array:
    """(B,) bool: `refutes` for (Q)."""
    xp = namespace(p)
    off = q.inequalities & xp.isfinite(p)
    p = xp.where(off & (p > 0), p, 0.0)
    largest = xp.max(p, axis=1)
    claimed = (largest > 0) & q.finite
    if not bool(xp.any(claimed)):
        return claimed
    p = p / xp.where(claimed, largest, 1.0)[:, None]
    answer = _within_reach(q, p) & claimed
    W, d, cpu = to_numpy(q.W), to_numpy(q.d), to_numpy(p)
    proven = [
        b
        for b in np.flatnonzero(to_numpy(claimed & ~answer))
        if _repaired(W[cpu[b] > 0], d[b][cpu[b] > 0], cpu[b][cpu[b] > 0], q.nonnegative)
    ]
    if proven:
        answer[proven] = True
    return answer


def _within_reach(q: Quadratic, p: Array) -> Array:
    """(B,) bool: whether p (largest entry 1) excludes all x up to `REACH`."""
    xp, m = namespace(p), int(q.W.shape[0])
    D, size = xp.max(xp.abs(q.W), axis=0), xp.max(xp.abs(q.d), axis=1, keepdims=True)
    W = q.W / xp.where(D > 0, D, 1.0)
    d = q.d / xp.where(size > 0, size, 1.0)
    rounding = (m + 8) * EPS
    v, error = p @ W, rounding * (p @ xp.abs(W)) + m * TINY
    against = error - v if q.nonnegative else xp.abs(v) + error
    against = xp.where(D > 0, xp.clip(against, 0, None), 0.0)
    products = p * d
    value = -xp.sum(products, axis=1) - rounding * xp.sum(xp.abs(products), axis=1) - m * TINY
    return value > REACH * (1 + rounding) * xp.max(against, axis=1)


def _repaired(C: Any, d: Any, p: Any, nonnegative: bool) -> bool:
    """Whether there is a proof p~ > 0 near p, in exact arithmetic, on the rows C, d of p > 0."""
    C, d, p = _powers_of_two(C, d, p)
    if np.any((C != 0) & (np.abs(C) < TINY)):
        return False
    k = len(p)
    size = p @ np.abs(C)
    v = p @ C
    J = np.flatnonzero((v <= SURELY * size) if nonnegative else size > 0)
    J = J[np.unique(C[:, J], axis=1, return_index=True)[1]]  # equal columns say the same
    B = _independent(C[:, J])
    if len(B) < len(J):
        return False
    M = C[np.ix_(B, J)].T
    try:
        R = np.linalg.inv(M)
    except np.linalg.LinAlgError:
        return False
    for _ in range(2):  # p may be right to a solver's tolerance only
        better = p.copy()
        better[B] = np.clip(p[B] - R @ (p @ C)[J], p[B] / 2, None)
        p = better
    rounding = (k + len(J) + 8) * EPS
    v, error = p @ C, rounding * (p @ np.abs(C)) + k * TINY
    E = np.abs(np.eye(len(J)) - R @ M) + rounding * (np.abs(R) @ np.abs(M) + np.eye(len(J)))
    contraction = E.sum(axis=1).max(initial=0.0) * (1 + rounding)
    if not contraction < 0.5:
        return False
    known = np.abs(R @ v[J]) + np.abs(R) @ (error[J] + rounding * np.abs(v[J]))
    largest = known.max(initial=0.0) / (1 - contraction)
    delta = (known + E.sum(axis=1) * largest) * (1 + 4 * rounding) + TINY
    if not np.all(delta <= p[B]):
        return False
    others = np.setdiff1d(np.flatnonzero(size > 0), J)
    others = others[~_copies(C[:, others], C[:, J])]
    if np.any(v[others] <= (error + delta @ np.abs(C[B]) * (1 + rounding))[others]):
        return False
    value = -(d @ p) - rounding * (np.abs(d) @ p) - np.abs(d[B]) @ delta * (1 + rounding)
    return bool(value > k * TINY)


def _powers_of_two(C: Any, d: Any, p: Any) -> tuple[Any, Any, Any]:
    """The rows in units in which p has entries of [1/2, 1), and columns and d below 1: exact.

    Rows of p below `TINY` are left out, so that nothing underflows unseen.
    """
    C, d, p = C[p > TINY], d[p > TINY], p[p > TINY]
    mantissa, of_row = np.frexp(p)
    _, of_column = np.frexp(np.abs(C).max(axis=0))
    _, of_entry = np.frexp(C)
    _, of_right = np.frexp(d)
    shift = of_row[:, None] - of_column
    top = np.where(C != 0, of_entry + shift, -2000).max(axis=0)
    scaled = np.ldexp(C, shift - top)
    data = np.ldexp(d, of_row - np.where(d != 0, of_right + of_row, -2000).max())
    return scaled, data, mantissa


def _independent(A: Any) -> Any:
    """Rows of A (k, j) that span its row space, by greedy orthogonalisation; fewer than j where its
    columns depend on each other.
    """
    left, chosen = A.copy(), []
    for _ in range(min(A.shape)):
        norms = np.einsum("ij,ij->i", left, left)
        i = int(norms.argmax())
        if norms[i] < 1e-26:
            break
        direction = left[i] / np.sqrt(norms[i])
        left -= np.outer(left @ direction, direction)
        left[i] = 0.0
        chosen.append(i)
    return np.array(chosen, dtype=int)


def _copies(A: Any, of: Any) -> Any:
    """Which columns of A are columns of `of`."""
    known = {column.tobytes() for column in of.T}
    return np.array([column.tobytes() in known for column in A.T], dtype=bool)
