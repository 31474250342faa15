"""The reference backend: every statement solved with CVXPY, polished, and certified. The only
package that imports cvxpy.

`statements` holds the mathematics as CVXPY reads it. Here a batch is cut into groups of signals
that share their masks (one compiled statement each), spread over processes if asked for, polished
to rounding level, and given status and certificate.
"""

import time
from dataclasses import fields
from typing import Any

import numpy as np

from cvxinv.arrays import to_numpy
from cvxinv.certificate.point import Point
from cvxinv.errors import NotConvexError
from cvxinv.problems import LastLayer, LinearProgram, Problem, Quadratic, as_problem
from cvxinv.reference.groups import run
from cvxinv.reference.polish import polish as polish_points
from cvxinv.reference.solvers import choose
from cvxinv.solution import Solution
from cvxinv.solution.certified import as_batch, as_kind, certified, certifies, solution

__all__ = ["solve"]


@certifies
def solve(
    problem: Problem,
    solver: str | None = None,
    *,
    polish: bool = True,
    n_jobs: int = 1,
    progress: bool | None = None,
) -> Solution:
    """Solve any statement of `cvxinv.problems` (eqs. 5, 6, 9, Algorithms 1 and 4) with CVXPY and
    certify every answer.

    Quadratic statements go to Clarabel (default), OSQP or SCS in their Gram form
    (`reference.statements` says why); linear programs to HiGHS; eq. 5 with tanh or sigmoid, which
    is not convex, to UNO as a disciplined nonlinear program. Tolerances are tight, and each answer
    is then polished by active-set steps (`cvxinv.newton`) to a KKT residual near rounding.

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
        In the kind, dtype and device of the statement's signals, with one status per signal. A row
        whose data hold nan or inf is NONFINITE, with x = nan. An infeasible row (a bias can do
        that) is INFEASIBLE, with the point of least violation and a Farkas certificate in
        `infeasibility`.

    Raises
    ------
    NotConvexError
        For eq. 5 with PLU or leaky ReLU, which is neither convex nor smooth: pass phi^-1(y) with
        the identity.
    MissingSolverError, ValueError, TypeError
        For a solver that is not installed, unknown, or does not apply; for anything but a
        statement.
    """
    start = time.perf_counter()
    problem = as_problem(problem)
    if isinstance(problem, LastLayer) and not problem.phi.smooth:
        raise NotConvexError(
            f"LastLayer with activation {problem.phi.name} is neither convex nor smooth: pass"
            " phi^-1(y)"
            " (`activation.inverse(y)`) as y, with the identity"
        )
    solver = choose(problem, solver)
    if isinstance(problem, LinearProgram) or not problem.convex:
        x, dual, iterations = run(as_kind(as_batch(problem), np.empty(0)), solver, n_jobs, progress)
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
    """Polished points, where they are the better ones; a solver that failed (nan) starts the polish
    from zero.
    """
    failed = ~np.isfinite(x).all(axis=1, keepdims=True) | ~np.isfinite(dual).all(
        axis=1, keepdims=True
    )
    x, dual = np.where(failed, 0.0, x), np.where(failed, 0.0, dual)
    return polish_points(q, x, dual)


def _infeasible(q: Quadratic, x: Any) -> tuple[Any, Any]:
    """Farkas certificates (B, m), zero for rows that are not proven infeasible, and their points of
    least violation.
    """
    from cvxinv.reference.infeasible import farkas

    violation = Point.quadratic(q, np.where(np.isfinite(x), x, 0.0)).violation()
    proof = np.zeros_like(q.t)
    suspects = np.flatnonzero(q.finite & ~(violation <= 1e-9))
    for b in suspects:
        least, p = farkas(q, int(b))
        if p is not None:
            x[b], proof[b] = least, p
    return x, proof


def _certified(
    problem: Problem, x: Any, dual: Any, proof: Any, iterations: Any, start: float
) -> Solution:
    return solution(problem, certified(as_batch(problem), x, dual, proof, iterations), start)


def _to_numpy(q: Quadratic) -> Quadratic:
    values = {f.name: getattr(q, f.name) for f in fields(q)}
    return Quadratic(**{k: to_numpy(v) if hasattr(v, "ndim") else v for k, v in values.items()})
