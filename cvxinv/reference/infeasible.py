"""Infeasibility: a Farkas certificate p >= 0 with C'p >= 0 (= 0 for free x) and d'p < 0, so that C
x <= d has no solution.
"""

from typing import Any

import cvxpy as cp
import numpy as np

from cvxinv.problems import Quadratic
from cvxinv.reference.solvers import SETTINGS
from cvxinv.reference.statements import elastic

TOLERANCE = 1e-9  # relative; also the violation up to which a point counts as feasible


def farkas(q: Quadratic, b: int) -> tuple[Any, Any]:
    """The point of least violation of signal b and a proof of infeasibility (m,), None where there
    is none.
    """
    rows = q.inequalities[b]
    C, d = q.W[rows], q.d[b][rows]
    scale, size = np.abs(d).max(initial=0.0) or 1.0, np.abs(C).max(initial=0.0) or 1.0
    problem, x, relaxed = elastic(C / size, d / scale, q.nonnegative)
    try:
        problem.solve(solver=cp.HIGHS, **SETTINGS["HIGHS"])
    except cp.error.SolverError:  # no proof either way: the certificate of the point stands
        return np.zeros(q.W.shape[1]), None
    if problem.status != cp.OPTIMAL:
        return np.zeros(q.W.shape[1]), None
    p = np.zeros(q.W.shape[0])
    p[rows] = np.maximum(np.asarray(relaxed.dual_value), 0.0)
    return x.value * scale / size, p if proves_infeasible(q, b, p) else None


def proves_infeasible(q: Quadratic, b: int, p: Any) -> bool:
    """Whether p is a Farkas certificate for signal b, to a relative `TOLERANCE`, checked on the
    data themselves.
    """
    C, d, p = q.W[q.inequalities[b]], q.d[b][q.inequalities[b]], p[q.inequalities[b]]
    v = p @ C
    size = np.abs(C).T @ p
    against = np.maximum(-v, 0.0) if q.nonnegative else np.abs(v)
    return bool(
        (p >= 0).all()
        and (against <= TOLERANCE * size).all()
        and p @ d < -TOLERANCE * (p @ np.abs(d))
    )
