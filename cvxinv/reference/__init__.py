"""The reference backend: every statement solved with CVXPY, polished, and certified. The only
package that imports cvxpy.

`statements` holds the mathematics as CVXPY reads it. Here a batch is cut into groups of signals
that share their masks (one compiled statement each), spread over processes if asked for, polished
to rounding level, and given status and certificate.
"""

import logging
import time
from dataclasses import fields
from typing import Any

import numpy as np

from cvxinv import checks
from cvxinv.arrays import to_numpy
from cvxinv.problems import LinearProgram, Problem, Quadratic, as_problem
from cvxinv.progress import Progress, automatic, meter
from cvxinv.reference.groups import FEW, Batch, run
from cvxinv.reference.infeasible import refute
from cvxinv.reference.polish import polish as polished
from cvxinv.reference.solvers import choose
from cvxinv.reference.statements import ensure_stated
from cvxinv.solution import Solution, Status
from cvxinv.solution.certified import as_batch, as_kind, certified, certifies, solution

__all__ = ["solve"]
log = logging.getLogger("cvxinv.reference")
log.addHandler(logging.NullHandler())  # nothing on stderr unless somebody asks for it


@certifies
def solve(
    problem: Problem,
    solver: str | None = None,
    *,
    tol: float | None = None,
    polish: bool = True,
    n_jobs: int = 1,
    progress: Progress | None = None,
    **options: Any,
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
        In any case of letters; by default Clarabel, HiGHS or UNO, as the statement asks for.
    tol : float, optional
        What the certificate has to prove for OPTIMAL; by default 1e-8, for float32 signals 1e-5.
    polish : bool
        Whether to polish; without it, x is what the solver returned.
    n_jobs : int
        Processes over which joblib spreads the signals; -1 for all cores.
    progress : bool or callable, optional
        Whether to show on stderr how many signals are solved, by default for more than a few on a
        terminal; or what is to be told: progress(done, total).
    **options
        Settings of the solver, in place of our tight ones, as CVXPY takes them: how accurate OSQP
        is at its own tolerances says `solve(problem, "osqp", polish=False, eps_abs=1e-3,
        eps_rel=1e-3).certificate`.

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
    NotStatedError
        For a class of statements, or a term in one, that has no CVXPY statement here.
    MissingSolverError, ValueError, TypeError
        For a solver that is not installed, unknown, or does not apply; for options that it does not
        take; for anything but a statement.
    """
    start = time.perf_counter()
    problem, q = as_problem(problem), None
    tol = None if tol is None else checks.positive("tol", tol)
    polish, n_jobs = checks.flag("polish", polish), _jobs(n_jobs)
    if problem.convex and not isinstance(problem, LinearProgram):
        q = _to_numpy(problem.quadratic())
    ensure_stated(problem, q)
    chosen, whole = choose(problem, solver, options), as_batch(problem)
    stated: Any = as_kind(whole, np.empty(0)) if q is None else q
    progress = automatic(progress, len(whole.data) > FEW)
    with meter(progress, len(whole.data), "signals") as done:
        found = run(Batch(type(problem), stated, chosen), n_jobs, done)
    x, dual, proof = found.x, found.dual, None
    if q is not None:
        if polish:
            x, dual = polished(q, x, dual)
        if np.any(q.inequalities):
            x, proof = refute(q, x)
            dual = np.where(proof.any(axis=1, keepdims=True), 0.0, dual)
    answer = certified(whole, x, dual, proof, found.iterations)
    result = solution(problem, answer, start, tol)
    for b, status in enumerate(np.atleast_1d(result.status)):
        if status is Status.MAX_ITER and found.failure[b]:
            log.warning("signal %d: %s", b, found.failure[b])
    return result


def _jobs(n_jobs: Any) -> int:
    """Any whole number but zero, as joblib reads it."""
    if checks.integer("n_jobs", n_jobs, least=-(2**31)) == 0:
        raise ValueError("n_jobs: expected a number of processes, or -1 for all cores, got 0")
    return int(n_jobs)


def _to_numpy(q: Quadratic) -> Quadratic:
    values = {f.name: getattr(q, f.name) for f in fields(q)}
    return Quadratic(**{k: to_numpy(v) if hasattr(v, "ndim") else v for k, v in values.items()})
