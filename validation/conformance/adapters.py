"""Solvers of other people as `check_solver` takes them, a few lines each: a gallery to copy from.

All take plain arrays of one signal (`arrays=True`). Tolerances of most solvers are absolute, so
that data are first brought to size 1 (`in_units`); dense active-set solvers want P > 0, and are
given it in proximal steps (`proximal`). Each is set as tightly as it goes.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np
from scipy import optimize, sparse

Solve = Callable[..., Any]
RIDGE, STEPS = 1e-8, 60  # of the proximal steps, relative to P


@dataclass(frozen=True)
class Adapter:
    """A solver, the kinds of problems that it solves, and the package that it comes from."""

    name: str
    kinds: tuple[str, ...]
    solve: Solve
    package: str


def in_units(solve: Solve) -> Solve:
    """`solve(P, q, G, h, lb)` for finite data of any size."""

    @wraps(solve)
    def scaled(P: Any, q: Any, G: Any, h: Any, lb: Any) -> Any:
        P, q, G, h, lb = (np.asarray(a, dtype=float) for a in (P, q, G, h, lb))
        if not all(np.isfinite(a).all() for a in (P, q, G, h)):
            raise ValueError("the data are not finite")
        least = np.where(np.isfinite(lb), q, -np.abs(q))
        if (h >= 0).all() and (least >= 0).all():  # nothing sets a unit, and x = 0 is a solution
            return 0 * q, 0 * h
        a = np.sqrt(P.diagonal().max()) or np.abs(G).max(initial=0.0) or 1.0
        s = max(np.abs(q).max() / a, np.abs(h).max(initial=0.0)) or 1.0
        x, z = solve(P / a**2, q / a / s, G / a, h / s, lb)
        return x * (s / a), z * s

    return scaled


def proximal(solve: Solve) -> Solve:
    """For solvers that want P > 0: min f(x) + ridge/2 ||x - x_k||^2, until x_k stands still."""

    @wraps(solve)
    def iterated(P: Any, q: Any, G: Any, h: Any, lb: Any) -> Any:
        ridge, x = RIDGE * (P.diagonal().max() or 1.0), np.zeros(len(q))
        for _ in range(STEPS):
            before = x
            x, z = solve(P + ridge * np.eye(len(q)), q - ridge * before, G, h, lb)
            if np.abs(x - before).max() <= 1e-13 * max(np.abs(x).max(), 1e-300):
                break
        return x, z

    return iterated


def bounds_as_rows(G: Any, h: Any, lb: Any) -> tuple[Any, Any]:
    """G x <= h with the finite lower bounds as rows of their own, which come first."""
    low = np.isfinite(lb)
    return np.vstack([-np.eye(len(lb))[low], G]), np.concatenate([-lb[low], h])


@in_units
def osqp(P: Any, q: Any, G: Any, h: Any, lb: Any) -> Any:
    """OSQP."""
    rows, upper = bounds_as_rows(G, h, lb)
    solver = import_module("osqp").OSQP()
    P, rows = sparse.csc_matrix(np.triu(P)), sparse.csc_matrix(rows)
    tight = {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iter": 50_000}
    solver.setup(P, q, rows, np.full(len(upper), -np.inf), upper, verbose=False, **tight)
    found = solver.solve()
    if "infeasible" in found.info.status:
        raise RuntimeError(found.info.status)
    return found.x, np.maximum(found.y[len(upper) - len(h) :], 0)


@in_units
def scs(P: Any, q: Any, G: Any, h: Any, lb: Any) -> Any:
    """SCS."""
    rows, upper = bounds_as_rows(G, h, lb)
    if not len(upper):
        rows, upper = np.zeros((1, len(q))), np.ones(1)  # it wants a constraint
    data = {"P": sparse.csc_matrix(np.triu(P)), "A": sparse.csc_matrix(rows), "b": upper, "c": q}
    tight = {"eps_abs": 1e-12, "eps_rel": 1e-12, "max_iters": 200_000}
    found = import_module("scs").SCS(data, {"l": len(upper)}, verbose=False, **tight).solve()
    if "solved" not in found["info"]["status"]:
        raise RuntimeError(found["info"]["status"])
    return found["x"], np.maximum(found["y"][len(upper) - len(h) :][: len(h)], 0)


@in_units
def clarabel(P: Any, q: Any, G: Any, h: Any, lb: Any) -> Any:
    """Clarabel."""
    module, (rows, upper) = import_module("clarabel"), bounds_as_rows(G, h, lb)
    settings = module.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    P, rows = sparse.csc_matrix(np.triu(P)), sparse.csc_matrix(rows)
    cones = [module.NonnegativeConeT(len(upper))] if len(upper) else []
    found = module.DefaultSolver(P, q, rows, upper, cones, settings).solve()
    if "Infeasible" in str(found.status):
        raise RuntimeError(str(found.status))
    return np.array(found.x), np.array(found.z)[len(upper) - len(h) :]


@in_units
@proximal
def daqp(P: Any, q: Any, G: Any, h: Any, lb: Any) -> Any:
    """DAQP's dual active set; simple bounds come first."""
    n = len(q) if np.isfinite(lb).all() else 0
    upper = np.concatenate([np.full(n, 1e30), h])
    lower = np.concatenate([lb[:n], np.full(len(h), -1e30)])
    x, _, flag, info = import_module("daqp").solve(P, q, G, upper, lower, primal_tol=1e-12)
    if flag < 1:
        raise RuntimeError(f"exit flag {flag}")
    return x, info["lam"][n:]


@in_units
@proximal
def quadprog(P: Any, q: Any, G: Any, h: Any, lb: Any) -> Any:
    """quadprog's dual active set (Goldfarb, Idnani)."""
    rows, upper = bounds_as_rows(G, h, lb)
    if not len(upper):
        return np.linalg.solve(P, -q), upper
    x, _, _, _, multipliers, _ = import_module("quadprog").solve_qp(P, -q, -rows.T, -upper)
    return x, multipliers[len(upper) - len(h) :]


@in_units
def piqp(P: Any, q: Any, G: Any, h: Any, lb: Any) -> Any:
    """PIQP's proximal interior point."""
    solver = import_module("piqp").DenseSolver()
    tight = solver.settings
    tight.eps_abs = tight.eps_rel = 1e-14
    tight.eps_duality_gap_abs = tight.eps_duality_gap_rel = 1e-14
    rows = {"G": G, "h_u": h} if len(h) else {}
    solver.setup(P, q, x_l=np.where(np.isfinite(lb), lb, -1e30), **rows)
    status = solver.solve()
    if "INFEASIBLE" in str(status):
        raise RuntimeError(str(status))
    return solver.result.x, solver.result.z_u if rows else np.zeros(0)


def nnls(A: Any, b: Any) -> Any:
    """SciPy's `nnls` (Lawson, Hanson)."""
    return optimize.nnls(np.float64(A), np.float64(b))[0]


def lsq_linear(A: Any, b: Any) -> Any:
    """SciPy's `lsq_linear` with x >= 0, on data of size 1, by proximal steps: where columns depend
    on each other its x may be far out.
    """
    a, s, n = np.abs(A).max() or 1.0, np.abs(b).max() or 1.0, A.shape[1]
    ridge, x = np.sqrt(RIDGE), np.zeros(n)
    rows, target = np.vstack([np.float64(A) / a, ridge * np.eye(n)]), np.float64(b) / s
    for _ in range(STEPS):
        before, given = x, np.append(target, ridge * x)
        found = optimize.lsq_linear(
            rows, given, (0, np.inf), method="bvls", tol=1e-15, max_iter=1000
        )
        x = np.maximum(found.x, 0)
        if np.abs(x - before).max() <= 1e-13 * max(x.max(), 1e-300):
            break
    return x * (s / a)


def lasso(A: Any, b: Any, lam: Any) -> Any:
    """scikit-learn's Lasso: coordinate descent on 1 / (2 m) ||A x - b||^2 + alpha ||x||_1."""
    a, s = np.abs(A).max() or 1.0, np.abs(b).max() or 1.0
    alpha = lam / len(b) / a / s
    model = import_module("sklearn.linear_model").Lasso(
        alpha, fit_intercept=False, tol=1e-15, max_iter=1_000_000
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 1e-15 was not reached
        return model.fit(np.float64(A) / a, np.float64(b) / s).coef_ * (s / a)


def positive_regression(A: Any, b: Any) -> Any:
    """scikit-learn's LinearRegression(positive=True)."""
    model = import_module("sklearn.linear_model").LinearRegression(
        positive=True, fit_intercept=False
    )
    return model.fit(np.float64(A), np.float64(b)).coef_


def lstsq(A: Any, b: Any) -> Any:
    """NumPy's `lstsq`."""
    if not np.isfinite(b).all():
        raise ValueError("the data are not finite")
    return np.linalg.lstsq(np.float64(A), np.float64(b), rcond=None)[0]


ADAPTERS = (
    Adapter("OSQP", ("qps",), osqp, "osqp"),
    Adapter("SCS", ("qps",), scs, "scs"),
    Adapter("Clarabel", ("qps",), clarabel, "clarabel"),
    Adapter("DAQP", ("qps",), daqp, "daqp"),
    Adapter("PIQP", ("qps",), piqp, "piqp"),
    Adapter("quadprog", ("qps",), quadprog, "quadprog"),
    Adapter("scipy nnls", ("nnls",), nnls, "scipy"),
    Adapter("scipy lsq_linear", ("nnls",), lsq_linear, "scipy"),
    Adapter("scikit-learn Lasso", ("lasso",), lasso, "scikit-learn"),
    Adapter("scikit-learn LinearRegression", ("nnls",), positive_regression, "scikit-learn"),
    Adapter("numpy lstsq", ("least_squares",), lstsq, "numpy"),
)
