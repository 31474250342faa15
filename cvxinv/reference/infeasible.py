"""Infeasibility: a Farkas certificate p >= 0 with C'p >= 0 (= 0 for free x) and d'p < 0, so that C
x <= d has no solution.
"""

from typing import Any

import numpy as np

from cvxinv.certificate.farkas import refuted
from cvxinv.certificate.point import quadratic_point
from cvxinv.problems import Quadratic
from cvxinv.reference.solvers import attempt
from cvxinv.reference.statements import least_violation

FEASIBLE = 1e-9  # relative violation up to which nobody looks for a proof


def refute(q: Quadratic, x: Any) -> tuple[Any, Any]:
    """The points x (B, n), but where C x <= d is refuted those of least violation, and the proofs
    (B, m), zero where there is none.
    """
    x, proof = x.copy(), np.zeros_like(q.t)
    violation = quadratic_point(q, np.where(np.isfinite(x), x, 0.0)).violation()
    suspects = np.flatnonzero(q.finite & ~(violation <= FEASIBLE))
    if not len(suspects):
        return x, proof
    least = x.copy()
    for b in suspects:
        least[b], proof[b] = _farkas(q, int(b))
    holds = refuted(q, proof)[:, None]
    return np.where(holds, least, x), np.where(holds, proof, 0.0)


def _farkas(q: Quadratic, b: int) -> tuple[Any, Any]:
    """The point of least violation of signal b, and its multipliers (m,): a proof, if that is more
    than zero.
    """
    (m, n), rows = q.W.shape, q.inequalities[b]
    C, d = q.W[rows], q.d[b][rows]
    scale, size = np.abs(d).max(initial=0.0) or 1.0, np.abs(C).max(initial=0.0) or 1.0
    statement = least_violation(C / size, d / scale, q.nonnegative)
    x, p = np.zeros(n), np.zeros(m)
    if attempt(statement.problem, "HIGHS").solved:
        x = statement.x.value * scale / size
        p[rows] = np.maximum(statement.inequalities[0].dual_value, 0.0)
    return x, p
