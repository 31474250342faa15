"""Which solver may be asked for what, with which settings, and one call of it."""

import importlib.util
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np

from cvxinv import checks
from cvxinv.errors import MissingSolverError
from cvxinv.problems import LastLayer, LinearProgram, Problem

# far tighter than the defaults, whose answers are too coarse to read a support from
SETTINGS: dict[str, dict[str, Any]] = {
    "CLARABEL": {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10},
    "OSQP": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iter": 20_000, "polishing": False},
    "SCS": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 20_000},
    "HIGHS": {  # it may go on for hours near its tolerances; Clarabel is next
        "primal_feasibility_tolerance": 1e-10,
        "dual_feasibility_tolerance": 1e-10,
        "time_limit": 20.0,
    },
    "UNO": {
        "nlp": True,
        "logger": "SILENT",
        "print_solution": False,
        "primal_tolerance": 1e-12,
        "dual_tolerance": 1e-12,
    },
}
QUADRATIC, LINEAR, NONLINEAR = ("CLARABEL", "OSQP", "SCS"), ("HIGHS", "CLARABEL"), ("UNO",)
# with an iterate to polish; the certificate judges it
SOLVED = (cp.OPTIMAL, cp.OPTIMAL_INACCURATE, cp.USER_LIMIT)
UNSOLVABLE = (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE)  # with multipliers that say why


@dataclass(frozen=True)
class Solver:
    """A solver by its name in CVXPY, and the settings that it is called with."""

    name: str
    settings: dict[str, Any]


def choose(problem: Problem, solver: str | None, options: dict[str, Any]) -> Solver:
    """The solver to use for `problem`: the one asked for, in upper or lower case, or its kind's
    default; with settings of ours but for the caller's `options`.

    Raises
    ------
    ValueError, TypeError
        For what is no name, an unknown solver, one that does not apply to this kind of statement,
        or an option that it does not take.
    MissingSolverError
        If it is not installed.
    """
    nonconvex = isinstance(problem, LastLayer) and not problem.convex
    kinds = NONLINEAR if nonconvex else LINEAR if isinstance(problem, LinearProgram) else QUADRATIC
    if solver is None:
        solver = kinds[0]
    solver = solver.upper() if isinstance(solver, str) else solver
    checks.choice("solver", solver, kinds, f"for this {type(problem).__name__} ")
    if solver == "UNO" and not all(map(importlib.util.find_spec, ("unopy", "sparsediffpy"))):
        raise MissingSolverError(
            "solver: UNO is not installed; it comes with the extra cvxinv[nlp] (unopy,"
            " sparsediffpy)"
        )
    if options:
        _ensure_taken(solver, options)
    return Solver(solver, SETTINGS[solver] | options)


def _ensure_taken(solver: str, options: dict[str, Any]) -> None:
    """Refuse options with which the solver does not solve the least of problems: it raises on names
    that it does not know, and that would be a failure of every signal.
    """
    x = cp.Variable(1)
    objective = cp.sum(x) if solver == "HIGHS" else cp.sum_squares(x)
    trial = cp.Problem(cp.Minimize(objective), [x >= 1])
    settings = SETTINGS[solver] | options
    run = (attempt_nonlinear if solver == "UNO" else attempt)(trial, solver, settings)
    if " raised " in run.failure:
        raise ValueError(f"options: {solver} does not take {', '.join(options)}: {run.failure}")


@dataclass(frozen=True)
class Run:
    """One call of a solver: after how many iterations it left an iterate, or why there is none."""

    iterations: int = 0
    failure: str = ""
    status: str = ""  # the solver's own word, where it did not raise
    claims: Any = None  # what else it says of itself (`spark` reads a bound)

    @property
    def solved(self) -> bool:
        """Whether there is an iterate."""
        return not self.failure


def attempt(problem: cp.Problem, solver: str, settings: dict[str, Any] | None = None) -> Run:
    """Solve, and leave the values in the variables of `problem`.

    Whatever a solver raises is the failure of this one call. `Problem.solve` would warn of each
    inaccurate answer; the steps that it consists of do not, so that no filter of warnings, which
    all threads share, has to be changed. The certificate judges the answer.
    """
    options = SETTINGS[solver] if settings is None else settings
    if solver == "SCS" and not any(c.size for c in problem.constraints):
        # SCS wants a constraint: it gets one that holds everywhere
        problem = cp.Problem(problem.objective, [0 * problem.variables()[0][0] <= 1])
    try:
        # no warm start: the answer for a signal must not depend on the one before it
        data, chain, inverse = problem.get_problem_data(
            solver, enforce_dpp=True, solver_opts=dict(options)
        )
        raw = chain.solve_via_data(problem, data, warm_start=False, solver_opts=dict(options))
        solution = chain.invert(raw, inverse)
        if solution.status in SOLVED or solution.status in UNSOLVABLE:
            problem.unpack(solution)
    except Exception as error:
        return _raised(solver, error)
    return _ended(problem, solver, solution.status, solution.attr)


def attempt_nonlinear(problem: cp.Problem, solver: str, settings: dict[str, Any]) -> Run:
    """`attempt` for a disciplined nonlinear program."""
    try:
        problem.solve(solver=solver, **settings)
        count = problem.solver_stats.num_iters
    except Exception as error:
        return _raised(solver, error)
    return _ended(problem, solver, problem.status, {"num_iters": count})


def _raised(solver: str, error: Exception) -> Run:
    return Run(failure=f"{solver} raised {type(error).__name__}: {error}")


def _ended(problem: cp.Problem, solver: str, status: str, attr: dict[str, Any]) -> Run:
    values, failure = [v.value for v in problem.variables()], ""
    if status not in SOLVED:
        failure = f"{solver} ended with status {status}"
    elif not all(v is not None and np.isfinite(v).all() for v in values):
        failure = f"{solver} returned nan or inf"
    iterations = int(attr.get("num_iters") or 0)
    return Run(iterations, failure, status, attr.get("solver_specific_stats"))
