"""The signals of a group, which share their masks, solved one after the other."""

from dataclasses import dataclass
from typing import Any, Self

import cvxpy as cp
import numpy as np

from cvxinv.problems import LastLayer, LinearProgram, Quadratic
from cvxinv.reference import statements
from cvxinv.reference.solvers import Solver, attempt, attempt_nonlinear


@dataclass
class Answer:
    """What solvers left for k signals, and why where there is nothing."""

    x: Any  # (k, n), nan where there is no iterate
    dual: Any  # (k, m)
    iterations: Any  # (k,)
    failure: Any  # (k,) str, empty where there is an iterate

    @classmethod
    def none(cls, k: int, m: int, n: int, failure: str = "") -> Self:
        """No iterate for any of k signals."""
        x, dual = np.full((k, n), np.nan), np.zeros((k, m))
        return cls(x, dual, np.zeros(k, dtype=int), np.full(k, failure, dtype=object))


def quadratics(q: Quadratic, kind: type, solver: Solver) -> Answer:
    """A group of (Q) of one class of statements.

    A column that is zero takes no part (x_j = 0 is optimal there), nor does a row of A that no
    column reaches (it is lost, whatever its target).
    """
    (k, m), n = q.t.shape, q.W.shape[1]
    found = Answer.none(k, m, n)
    rows, off = q.rows[0], q.inequalities[0]
    columns = q.columns[0] & q.W[rows | off].any(axis=0)
    rows = rows & q.W[:, columns].any(axis=1)
    unit = _size(q.W[np.ix_(rows | off, columns)])
    W = q.W[:, columns] / unit
    A, C = W[rows], W[off]
    t, d = cp.Parameter(len(A)), cp.Parameter(len(C))
    lam = cp.Parameter(W.shape[1], nonneg=True)
    statement = None  # compiled once it is needed
    for i in range(k):
        weights = q.lam[i][columns] / unit
        s = _scale(A, q.t[i][rows], weights, C, q.d[i][off], q.nonnegative)
        if s == 0:
            found.x[i] = 0.0
            continue
        if statement is None:
            gamma = q.gamma / unit / unit
            statement = statements.stated(kind, A=A, t=t, lam=lam, C=C, d=d, gamma=gamma)
        t.value, d.value, lam.value = q.t[i][rows] / s, q.d[i][off] / s, weights / s
        run = attempt(statement.problem, solver.name, solver.settings)
        found.iterations[i], found.failure[i] = run.iterations, run.failure
        if run.solved:
            found.x[i] = 0.0
            found.x[i, columns] = statement.x.value * (s / unit)
            for inequality in statement.inequalities:
                found.dual[i, off] = np.maximum(inequality.dual_value, 0.0) * s
    return found


def _scale(A: Any, t: Any, lam: Any, C: Any, d: Any, nonnegative: bool) -> float:
    """The unit in which x is of moderate size: what the columns see of t, or what C x <= d asks
    for; 0 where x = 0 is the solution.
    """
    seen = t @ A
    asked = np.where(d < 0, -d, 0.0) / _positive(np.linalg.norm(C, axis=1))
    inactive = (seen if nonnegative else abs(seen)) <= lam
    if inactive.all() and not asked.any():
        return 0.0
    return float(max(abs(seen).max(initial=0.0), asked.max(initial=0.0))) or 1.0


def _positive(a: Any) -> Any:
    return np.where(a > 0, a, 1.0)


def _size(W: Any) -> float:
    """The largest norm of a column, 1 if there is none; no square of it over- or underflows."""
    largest = np.abs(W).max(initial=0.0) or 1.0
    return float(largest * np.linalg.norm(W / largest, axis=0).max(initial=0.0)) or 1.0


def nonconvex(problem: LastLayer, solver: Solver) -> Answer:
    """A group of eq. 5 with a smooth nonlinear phi, from x = 0 as Algorithm 5 starts."""
    (k, m), n = problem.y.shape, problem.W.shape[1]
    found = Answer.none(k, m, n)
    everywhere = np.ones((k, m), bool)
    seen = (everywhere if problem.observed is None else problem.observed & everywhere)[0]
    if not seen.any():
        found.x[:] = 0.0
        return found
    W = np.asarray(problem.W, dtype=np.float64)[seen]
    b = np.zeros(m) if problem.bias is None else np.asarray(problem.bias, dtype=np.float64)
    y = cp.Parameter(len(W))
    statement = statements.last_layer_nonconvex(W, b[seen], y, problem.phi, problem.lam)
    for i in range(k):
        y.value = np.asarray(problem.y[i], dtype=np.float64)[seen]
        statement.x.value = np.zeros(n)
        run = attempt_nonlinear(statement.problem, solver.name, solver.settings)
        found.iterations[i], found.failure[i] = run.iterations, run.failure
        found.x[i] = np.maximum(statement.x.value, 0.0) if run.solved else 0.0
    return found


def programs(problem: LinearProgram, solver: Solver) -> Answer:
    """Linear programs of Lei et al., each stated anew: their rows differ from signal to signal."""
    (k, m), n = problem.x_next.shape, problem.W.shape[1]
    found = Answer.none(k, m, n)
    W = np.asarray(problem.W, dtype=np.float64)
    c, two_sided, one_sided = problem.rows()
    unit = _size(W)
    for i in range(k):
        used = two_sided[i] | one_sided[i]
        s = np.abs(c[i][used]).max(initial=0.0) or 1.0
        program = statements.linear_program(
            W / unit, c[i] / s, two_sided[i], one_sided[i], problem.norm, problem.nonnegative
        )
        run = attempt(program.problem, solver.name, solver.settings)
        found.iterations[i], found.failure[i] = run.iterations, run.failure
        if not run.solved:
            continue
        x = program.x.value * (s / unit)
        found.x[i] = np.maximum(x, 0.0) if problem.nonnegative else x
        above, below = (np.asarray(side.dual_value) for side in program.inequalities)
        found.dual[i, used] += above
        found.dual[i, two_sided[i]] -= below
    return found
