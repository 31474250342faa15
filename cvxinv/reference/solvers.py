"""Which solver may be asked for what, with which settings, and whether it is installed."""

import importlib.util
from typing import Any

import cvxpy as cp

from cvxinv.errors import MissingSolverError
from cvxinv.problems import LastLayer, LinearProgram, Problem

# far tighter than the defaults, whose answers are too coarse to read a support from
SETTINGS: dict[str, dict[str, Any]] = {
    "CLARABEL": {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10},
    "OSQP": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iter": 20_000, "polishing": False},
    "SCS": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 20_000},
    "HIGHS": {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    "UNO": {
        "nlp": True,
        "logger": "SILENT",
        "print_solution": False,
        "primal_tolerance": 1e-12,
        "dual_tolerance": 1e-12,
    },
}
QUADRATIC, LINEAR, NONLINEAR = ("CLARABEL", "OSQP", "SCS"), ("HIGHS", "CLARABEL"), ("UNO",)
SOLVED = (
    cp.OPTIMAL,
    cp.OPTIMAL_INACCURATE,
    cp.USER_LIMIT,
)  # with an iterate to polish; the certificate judges it


def choose(problem: Problem, solver: str | None) -> str:
    """The solver to use for `problem`: the one asked for, or its kind's default.

    Raises
    ------
    ValueError
        For an unknown solver, or one that does not apply to this kind of statement.
    MissingSolverError
        If it is not installed.
    """
    nonconvex = isinstance(problem, LastLayer) and not problem.convex
    kinds = NONLINEAR if nonconvex else LINEAR if isinstance(problem, LinearProgram) else QUADRATIC
    solver = kinds[0] if solver is None else solver
    if solver not in SETTINGS:
        raise ValueError(f"solver: expected one of {', '.join(SETTINGS)}, got {solver!r}")
    if solver not in kinds:
        raise ValueError(
            f"solver: {solver} does not apply to this {type(problem).__name__}; expected"
            f" {' or '.join(kinds)}"
        )
    if solver == "UNO" and not all(
        importlib.util.find_spec(name) for name in ("unopy", "sparsediffpy")
    ):
        raise MissingSolverError(
            "solver: UNO is not installed; it comes with the extra cvxinv[nlp] (unopy,"
            " sparsediffpy)"
        )
    return solver
