"""The reference backend: every statement solved with CVXPY, polished, and certified. The only package that imports cvxpy.

`statements` holds the mathematics as CVXPY reads it. Here a batch is cut into groups of signals that share their masks (one
compiled statement each), spread over processes if asked for, polished to rounding level, and given status and certificate.
"""

import time
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ..arrays import cast_to, dtype_name, match, namespace, to_numpy
from ..errors import NotConvexError
from ..optimality import certify, unbatch
from ..point import Point
from ..polish import polish as polish_points
from ..problems import LastLayer, LinearProgram, Problem, Quadratic, as_problem, batched
from ..solution import STATUS_TOLERANCE, Solution, Status
from .run import run
from .solvers import choose

__all__ = ["solve"]


def solve(problem: Problem, solver: str | None = None, *, polish: bool = True, n_jobs: int = 1, progress: bool | None = None) -> Solution:
    """Solve any statement of `cvxinv.problems` (eqs. 5, 6, 9, Algorithms 1 and 4) with CVXPY and certify every answer.

    Quadratic statements go to Clarabel (default), OSQP or SCS in their Gram form (`reference.statements` says why); linear
    programs to HiGHS; eq. 5 with tanh or sigmoid, which is not convex, to UNO as a disciplined nonlinear program. Tolerances
    are tight, and each answer is then polished by active-set steps (`cvxinv.newton`) to a KKT residual near rounding.

    Parameters
    ----------
    problem : LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares or LinearProgram
    solver : "CLARABEL", "OSQP", "SCS", "HIGHS" or "UNO", optional
        By default Clarabel, HiGHS or UNO, as the statement asks for.
    polish : bool
        Whether to polish; without it, x is what the solver returned.
    n_jobs : int
        Processes over which joblib spreads the signals; -1 for all cores.
    progress : bool, optional
        A progress bar; by default for more than a few signals on a terminal.

    Returns
    -------
    Solution
        In the kind, dtype and device of the statement's signals, with one status per signal. A row whose data hold nan or inf
        is NONFINITE, with x = nan. An infeasible row (a bias can do that) is INFEASIBLE, with the point of least violation
        and a Farkas certificate in `infeasibility`.

    Raises
    ------
    NotConvexError
        For eq. 5 with PLU or leaky ReLU, which is neither convex nor smooth: pass phi^-1(y) with the identity.
    MissingSolverError, ValueError, TypeError
        For a solver that is not installed, unknown, or does not apply; for anything but a statement.
    """
    start = time.perf_counter()
    problem = as_problem(problem)
    if isinstance(problem, LastLayer) and not problem.phi.smooth:
        raise NotConvexError(
            f"LastLayer with activation {problem.phi.name} is neither convex nor smooth: pass phi^-1(y)"
            " (`activation.inverse(y)`) as y, with the identity"
        )
    solver = choose(problem, solver)
    if isinstance(problem, LinearProgram) or not problem.convex:
        x, dual, iterations = run(_numpy(problem), solver, n_jobs, progress)
        return _certified(problem, x, dual, None, iterations, start)
    q = _to_numpy(problem.quadratic())
    x, dual, iterations = run(q, solver, n_jobs, progress)
    if polish and q.size:
        x, dual = _polished(q, x, dual)
    proof = None
    if np.any(q.inequalities):
        x, proof = _infeasible(q, x)
        dual = np.where(proof.any(axis=1, keepdims=True), 0.0, dual)
    return _certified(problem, x, dual, proof, iterations, start)


def _polished(q: Quadratic, x: Any, dual: Any) -> tuple[Any, Any]:
    """Polished points, where they are the better ones; a solver that failed (nan) starts the polish from zero."""
    failed = ~np.isfinite(x).all(axis=1, keepdims=True) | ~np.isfinite(dual).all(axis=1, keepdims=True)
    x, dual = np.where(failed, 0.0, x), np.where(failed, 0.0, dual)
    return polish_points(q, x, dual)


def _infeasible(q: Quadratic, x: Any) -> tuple[Any, Any]:
    """Farkas certificates (B, m), zero for rows that are not proven infeasible, and their points of least violation."""
    from .phase_one import farkas

    violation = Point.quadratic(q, np.where(np.isfinite(x), x, 0.0)).violation()
    proof = np.zeros_like(q.t)
    suspects = np.flatnonzero(q.finite & ~(violation <= 1e-9))
    for b in suspects:
        least, p = farkas(q, int(b))
        if p is not None:
            x[b], proof[b] = least, p
    return x, proof


def _certified(problem: Problem, x: Any, dual: Any, proof: Any, iterations: Any, start: float) -> Solution:
    """The Solution: points in the caller's kind, certificate at exactly those points, status from the certificate."""
    keep = batched(problem)
    data = problem.data if keep else problem.data[None, :]
    one = problem if keep else _as_batch(problem)
    finite = _finite(one)
    x = np.where(finite[:, None], x, np.nan)
    points, multipliers = cast_to(x, data), None if dual is None else cast_to(np.where(finite[:, None], dual, 0.0), data)
    certificate, support = certify(one, points, multipliers)
    tol = STATUS_TOLERANCE[dtype_name(data)]
    proven = certificate.optimal(tol) if problem.convex else certificate.stationary(tol)
    status = np.full(x.shape[0], Status.MAX_ITER, dtype=object)
    status[to_numpy(proven)] = Status.OPTIMAL if problem.convex else Status.STATIONARY
    if proof is not None:
        status[proof.any(axis=1)] = Status.INFEASIBLE
    status[~finite] = Status.NONFINITE
    result = Solution(
        points, support, status, certificate,
        multipliers if _has_dual(one) else None,
        None if proof is None or not proof.any() else cast_to(proof, data), iterations,
    )  # fmt: skip
    if not keep:
        result = replace(unbatch(result, keep=False), certificate=unbatch(certificate, keep=False))
    return replace(result, seconds=time.perf_counter() - start)


def _has_dual(problem: Problem) -> bool:
    return isinstance(problem, LinearProgram) or (problem.convex and bool(namespace(problem.data).any(problem.quadratic().inequalities)))


def _finite(problem: Problem) -> Any:
    if isinstance(problem, LinearProgram):
        return np.isfinite(to_numpy(problem.rows()[0])).all(axis=1)
    if isinstance(problem, LastLayer):  # whatever phi is: only the data count here
        problem = replace(problem, activation="identity")
    return to_numpy(problem.quadratic().finite)


def _as_batch(problem: Problem) -> Problem:
    """The statement of a single signal as a batch of one."""
    return replace(problem, **{problem.data_name: problem.data[None, :]})


def _numpy(problem: Problem) -> Problem:
    """The statement with NumPy arrays, as a batch."""
    problem = problem if batched(problem) else _as_batch(problem)
    arrays = {k: match(v, np.zeros(1)) for k, v in vars(problem).items() if hasattr(v, "ndim")}
    return replace(problem, **arrays)


def _to_numpy(q: Quadratic) -> Quadratic:
    values = {f.name: getattr(q, f.name) for f in fields(q)}
    return Quadratic(**{k: to_numpy(v) if hasattr(v, "ndim") else v for k, v in values.items()})
