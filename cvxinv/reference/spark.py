"""The spark of a matrix in CVXPY: least ||v||_0 with W v = 0 and v_k = 1 = ||v||_inf, for each k;
as a linear and an integer programme.

Some least null vector, divided by its largest entry, is feasible for the k of that entry: the spark
is the least value over all k.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np

from cvxinv.reference.solvers import SETTINGS, Run, attempt

INTEGER = {
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.99,
    "mip_feasibility_tolerance": 1e-9,
}  # the objective is a whole number


@dataclass
class Statement:
    """A compiled statement: its problem, the null vector, the unit vector that picks k, and W v =
    0.
    """

    problem: cp.Problem
    v: cp.Variable
    pick: cp.Parameter
    balance: Any


@dataclass(frozen=True, eq=False)
class Found:
    """What one programme says about k: no null vector with its largest entry at k has fewer than
    `bound` nonzeros; `v` is one, or None.
    """

    k: int
    bound: float
    v: Any


def relaxation(W: Any) -> Statement:
    """The linear programme: min ||v||_1 subject to W v = 0, v_k = 1, ||v||_inf <= 1."""
    v, pick = cp.Variable(W.shape[1], bounds=[-1, 1]), cp.Parameter(W.shape[1])
    balance = W @ v == 0
    return Statement(
        cp.Problem(cp.Minimize(cp.norm1(v)), [balance, pick @ v == 1]), v, pick, balance
    )


def programme(W: Any) -> Statement:
    """The integer programme: min sum b subject to W v = 0, v_k = 1, -b <= v <= b, b in {0, 1}."""
    v, b, pick = (
        cp.Variable(W.shape[1]),
        cp.Variable(W.shape[1], boolean=True),
        cp.Parameter(W.shape[1]),
    )
    balance = W @ v == 0
    return Statement(
        cp.Problem(cp.Minimize(cp.sum(b)), [balance, pick @ v == 1, v <= b, -b <= v]),
        v,
        pick,
        balance,
    )


def linear(W: Any, deadline: float) -> Iterator[Found]:
    """Solve the linear programme for one k after the other, until the deadline (of
    `time.monotonic`).

    Each bound is computed from the multipliers y of W v = 0, for which it holds whatever the solver
    claims: with u = W'y, any feasible v has ||v||_1 = ||v||_1 + u'v >= 1 + u_k + sum_{j != k}
    min(0, 1 - |u_j|). It is inf where no null vector has its largest entry at k, which multipliers
    with u_k > sum_{j != k} |u_j| prove.
    """
    statement = relaxation(W)
    for k in range(W.shape[1]):
        left = deadline - time.monotonic()
        if left <= 0:
            return
        _, v = _solve(statement, k, left, SETTINGS["HIGHS"])
        yield Found(k, _weak_duality(W, k, statement.balance.dual_value), v)


def integer(W: Any, ks: Any, seconds: float, deadline: float) -> Iterator[Found]:
    """Solve the integer programme for the given k, at most `seconds` each, until the deadline; the
    bounds are HiGHS's own.
    """
    statement = programme(W)
    for k in ks:
        left = min(seconds, deadline - time.monotonic())
        if left <= 0:
            return
        run, v = _solve(statement, k, left, INTEGER)
        yield Found(k, _claimed(run), v)


def _solve(
    statement: Statement, k: int, seconds: float, settings: dict[str, Any]
) -> tuple[Run, Any]:
    """What HiGHS says, and the point it found, or None: neither points nor bounds are taken on
    trust. Multipliers stay in the statement.
    """
    statement.pick.value = np.eye(1, statement.pick.size, k)[0]
    run = attempt(statement.problem, "HIGHS", {"time_limit": seconds, **settings})
    v = statement.v.value
    return run, v if run.solved and v.any() else None


def _weak_duality(W: Any, k: int, y: Any) -> float:
    """The bound that y proves, whichever of y and -y is the better."""
    if y is None or not np.isfinite(y).all():
        return 0.0
    u = np.abs(W.T @ y)
    if u[k] > (1 + 1e-9) * (u.sum() - u[k]):
        return math.inf
    paid = np.minimum(0.0, 1.0 - u)
    return float(1.0 + u[k] + paid.sum() - paid[k])


def _claimed(run: Run) -> float:
    """HiGHS's bound on the optimal value; inf where it finds the programme infeasible."""
    if run.status == cp.INFEASIBLE:
        return math.inf
    bound = 0.0 if run.claims is None else float(run.claims.mip_dual_bound)
    return bound if math.isfinite(bound) else 0.0
