"""From a batch to solver calls: groups of signals with the same masks, each compiled once, spread
over processes by joblib.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from rich.progress import Progress

from cvxinv.problems import LastLayer, LinearProgram, Quadratic
from cvxinv.reference import statements
from cvxinv.reference.solvers import SETTINGS, SOLVED
from cvxinv.reference.statements import Statement

FEW = 8  # signals that need no progress bar
Answer = tuple[Any, Any, Any]  # x (k, n), dual (k, m), iterations (k,)


def run(q: Any, solver: str, n_jobs: int, progress: bool | None) -> Answer:
    """Points (B, n), multipliers (B, m) and iteration counts of a batch of one statement; nan where
    the solver failed.
    """
    (B, m), n = _targets(q).shape, q.W.shape[1]
    x, dual, iterations = np.full((B, n), np.nan), np.zeros((B, m)), np.zeros(B, dtype=int)
    groups = _groups(q, max(1, -(-B // (4 * effective_n_jobs(n_jobs)))))
    work = next(f for kind, f in WORK if isinstance(q, kind))
    calls = (delayed(_indexed)(work, _take(q, group), group, solver) for group in groups)
    answers: Iterable[tuple[Any, Answer]] = Parallel(
        n_jobs=n_jobs, return_as="generator_unordered"
    )(calls)
    with Progress(
        disable=progress is False or (progress is None and B <= FEW), transient=True
    ) as bar:
        if progress is None and not bar.console.is_terminal:
            bar.disable = True
        task = bar.add_task(f"CVXPY, {solver}", total=B)
        for group, answer in answers:
            x[group], dual[group], iterations[group] = answer
            bar.advance(task, len(group))
    return x, dual, iterations


def _targets(q: Any) -> Any:
    return q.t if isinstance(q, Quadratic) else q.data


def _take(q: Any, group: Any) -> Any:
    """The part of a batch that belongs to some signals."""
    if isinstance(q, Quadratic):
        return q[group]
    batch = {
        name: a[group] for name, a in vars(q).items() if name != "W" and getattr(a, "ndim", 0) == 2
    }
    return replace(q, **batch)


def _groups(q: Any, largest: int) -> list[Any]:
    """Indices of the signals that share their masks, at most `largest` to a group, so that there is
    work for every process.
    """
    if isinstance(q, LastLayer):
        masks = [np.broadcast_to(True if q.observed is None else q.observed, q.y.shape)]
    elif isinstance(q, LinearProgram):
        return [np.array([b]) for b in range(len(q.x_next))]
    else:
        masks = [q.rows, q.inequalities, q.columns]
    found: dict[bytes, list[int]] = {}
    for b in range(len(masks[0])):
        found.setdefault(b"".join(np.packbits(mask[b]).tobytes() for mask in masks), []).append(b)
    return [np.array(g[k : k + largest]) for g in found.values() for k in range(0, len(g), largest)]


def _indexed(
    work: Callable[[Any, str], Answer], part: Any, group: Any, solver: str
) -> tuple[Any, Answer]:
    return group, work(part, solver)


def _compiled(q: Quadratic, columns: Any, unit: float) -> Statement:
    """The statement of a group in units in which the largest column of W has norm 1."""
    W = q.W[:, columns] / unit
    A, C = W[q.rows[0]], W[q.inequalities[0]]
    if np.any(q.inequalities):
        return (
            statements.mid_layer(A, C)
            if q.nonnegative
            else statements.latent(A, C, q.gamma / unit**2)
        )
    if q.gamma > 0:
        return statements.latent(A, C, q.gamma / unit**2)
    if q.nonnegative:
        return statements.last_layer(A)
    return statements.basis_pursuit(A) if np.any(q.lam > 0) else statements.least_squares(A)


def _quadratics(q: Quadratic, solver: str) -> Answer:
    """A group of (Q) with equal masks. A column that is zero takes no part: x_j = 0 is optimal
    there.
    """
    (k, m), n = q.t.shape, q.W.shape[1]
    x, dual, iterations = np.zeros((k, n)), np.zeros((k, m)), np.zeros(k, dtype=int)
    rows, off = q.rows[0], q.inequalities[0]
    norms = np.sqrt((q.W[rows | off] ** 2).sum(axis=0))
    columns = q.columns[0] & (norms > 0)
    if not columns.any() or not (rows | off).any():
        return x, dual, iterations
    unit = float(norms[columns].max())
    statement = _compiled(q, columns, unit)
    plain = not (q.nonnegative or off.any() or q.gamma > 0 or np.any(q.lam > 0))
    for i in np.flatnonzero(q.finite):
        s = np.linalg.norm(q.t[i]) or np.linalg.norm(q.d[i])
        if s == 0:  # all terms of the objective are >= 0, and x = 0 makes them zero
            continue
        statement.t.value = q.t[i][rows] / s
        if statement.lam is not None:
            statement.lam.value = q.lam[i][columns] / (s * unit)
        if statement.d is not None:
            statement.d.value = q.d[i][off] / s
        solved, iterations[i] = _solve(statement.problem, solver)
        x[i, columns] = statement.x.value * (s / unit) if solved else np.nan
        if (
            solved and plain
        ):  # the same fit with the least norm, whichever minimiser the solver came to
            A = q.W[np.ix_(rows, columns)]
            x[i, columns] = np.linalg.lstsq(A, A @ x[i, columns])[0]
        if solved and statement.inequality is not None and off.any():
            dual[i, off] = np.maximum(np.asarray(statement.inequality.dual_value), 0.0) * s
    return x, dual, iterations


def _solve(problem: cp.Problem, solver: str) -> tuple[bool, int]:
    """Whether there is an iterate, and after how many iterations. A solver's failure is a row
    without one, not an exception.
    """
    try:
        if solver == "SCS" and all(c.size == 0 for c in problem.constraints):
            # SCS wants a constraint: it gets one that holds everywhere
            problem = cp.Problem(problem.objective, [0 * problem.variables()[0][0] <= 1])
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "Solution may be inaccurate"
            )  # the certificate judges that
            # no warm start: the answer for a signal must not depend on the one before it
            problem.solve(solver=solver, enforce_dpp=True, warm_start=False, **SETTINGS[solver])
    except cp.error.SolverError:
        return False, 0
    return problem.status in SOLVED, int(problem.solver_stats.num_iters or 0)


def _nonconvex(problem: LastLayer, solver: str) -> Answer:
    """A group of eq. 5 with a smooth nonlinear phi and equal masks, from x = 0 as Algorithm 5
    starts.
    """
    k, m = problem.y.shape
    n = problem.W.shape[1]
    x, iterations = np.full((k, n), np.nan), np.zeros(k, dtype=int)
    seen = np.broadcast_to(True if problem.observed is None else problem.observed, problem.y.shape)[
        0
    ]
    W = np.asarray(problem.W, dtype=np.float64)[seen]
    b = (
        np.zeros(len(W))
        if problem.bias is None
        else np.asarray(problem.bias, dtype=np.float64)[seen]
    )
    if not seen.any():
        return np.zeros((k, n)), np.zeros((k, m)), iterations
    statement = statements.last_layer_nonconvex(W, b, problem.phi, problem.lam)
    for i in range(k):
        y = np.asarray(problem.y[i], dtype=np.float64)[seen]
        if not np.isfinite(y).all():
            continue
        statement.t.value = y
        statement.x.value = np.zeros(n)
        solved, iterations[i] = _solve_nlp(statement.problem)
        x[i] = np.maximum(statement.x.value, 0.0) if solved else 0.0
    return x, np.zeros((k, m)), iterations


def _solve_nlp(problem: cp.Problem) -> tuple[bool, int]:
    try:
        problem.solve(solver="UNO", **SETTINGS["UNO"])
    except cp.error.SolverError:
        return False, 0
    return problem.status in SOLVED, int(problem.solver_stats.num_iters or 0)


def _programs(problem: LinearProgram, solver: str) -> Answer:
    """Linear programs of Lei et al., one by one: their rows differ from signal to signal."""
    (k, m), n = problem.x_next.shape, problem.W.shape[1]
    x, dual, iterations = np.full((k, n), np.nan), np.zeros((k, m)), np.zeros(k, dtype=int)
    W = np.asarray(problem.W, dtype=np.float64)
    c, two_sided, one_sided = problem.rows()
    unit = np.sqrt((W**2).sum(axis=0)).max() or 1.0
    for i in range(k):
        used = two_sided[i] | one_sided[i]
        if not np.isfinite(c[i]).all():
            continue
        s = np.abs(c[i][used]).max(initial=0.0) or 1.0
        program, unknown, sides = statements.linear_program(
            W / unit, c[i] / s, two_sided[i], one_sided[i], problem.norm, problem.nonnegative
        )
        solved, iterations[i] = _solve(program, solver)
        if not solved:
            continue
        x[i] = unknown.value * (s / unit)
        x[i] = np.maximum(x[i], 0.0) if problem.nonnegative else x[i]
        dual[i, used] += np.asarray(sides[0].dual_value)
        dual[i, two_sided[i]] -= np.asarray(sides[1].dual_value)
    return x, dual, iterations


WORK: tuple[tuple[type, Callable[[Any, str], Answer]], ...] = (
    (Quadratic, _quadratics),
    (LinearProgram, _programs),
    (LastLayer, _nonconvex),
)
