"""What solvers people use promise at their default settings, and what the certificate says of it.

Each is called as its own documentation calls it, with nothing set but silence, on problems of
ordinary size, and on the same with signals of size 1e-6: where tolerances are absolute, the unit of
the data decides. Nothing here is a race: only what comes out is looked at.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy import optimize, sparse

from cvxinv import BasisPursuit, LastLayer, MidLayer, verify
from cvxinv.testing import raw

from .adapters import bounds_as_rows

SIGNALS, ROWS, COLUMNS, SEED = 100, 120, 30, 0
SIZES = {"ordinary": 1.0, "small": 1e-6}  # of the signals
LEVELS = (1e-3, 1e-6, 1e-8)


@dataclass(frozen=True)
class Peer:
    """A solver at its defaults: what its documentation says of its accuracy, and how it is called.

    `solve` returns x and whether the solver says that it solved the problem.
    """

    name: str
    kind: str
    package: str
    promise: str
    solve: Callable[..., tuple[Any, bool]]


def osqp(P: Any, q: Any, G: Any, h: Any, lb: Any) -> tuple[Any, bool]:
    """OSQP."""
    rows, upper = bounds_as_rows(G, h, lb)
    solver = import_module("osqp").OSQP()
    P, rows = sparse.csc_matrix(np.triu(P)), sparse.csc_matrix(rows)
    solver.setup(P, q, rows, np.full(len(upper), -np.inf), upper, verbose=False)
    found = solver.solve()
    return found.x, found.info.status == "solved"


def scs(P: Any, q: Any, G: Any, h: Any, lb: Any) -> tuple[Any, bool]:
    """SCS."""
    rows, upper = bounds_as_rows(G, h, lb)
    data = {"P": sparse.csc_matrix(np.triu(P)), "A": sparse.csc_matrix(rows), "b": upper, "c": q}
    found = import_module("scs").SCS(data, {"l": len(upper)}, verbose=False).solve()
    return found["x"], found["info"]["status"] == "solved"


def clarabel(P: Any, q: Any, G: Any, h: Any, lb: Any) -> tuple[Any, bool]:
    """Clarabel."""
    module, (rows, upper) = import_module("clarabel"), bounds_as_rows(G, h, lb)
    settings = module.DefaultSettings()
    settings.verbose = False
    P, rows = sparse.csc_matrix(np.triu(P)), sparse.csc_matrix(rows)
    cones = [module.NonnegativeConeT(len(upper))]
    found = module.DefaultSolver(P, q, rows, upper, cones, settings).solve()
    return np.array(found.x), str(found.status) == "Solved"


def daqp(P: Any, q: Any, G: Any, h: Any, lb: Any) -> tuple[Any, bool]:
    """DAQP."""
    n = len(q)
    upper = np.concatenate([np.full(n, 1e30), h])
    lower = np.concatenate([lb, np.full(len(h), -1e30)])
    x, _, flag, _ = import_module("daqp").solve(P, q, G, upper, lower)
    return x, flag == 1


def piqp(P: Any, q: Any, G: Any, h: Any, lb: Any) -> tuple[Any, bool]:
    """PIQP."""
    solver = import_module("piqp").DenseSolver()
    solver.setup(P, q, G=G, h_u=h, x_l=lb)
    status = solver.solve()
    return solver.result.x, "SOLVED" in str(status)


def quadprog(P: Any, q: Any, G: Any, h: Any, lb: Any) -> tuple[Any, bool]:
    """quadprog."""
    rows, upper = bounds_as_rows(G, h, lb)
    return import_module("quadprog").solve_qp(P, -q, -rows.T, -upper)[0], True


def cvxpy(P: Any, q: Any, G: Any, h: Any, lb: Any) -> tuple[Any, bool]:
    """CVXPY, which chooses the solver."""
    cp = import_module("cvxpy")
    x = cp.Variable(len(q))
    objective = cp.Minimize(0.5 * cp.quad_form(x, cp.psd_wrap(P)) + q @ x)
    problem = cp.Problem(objective, [G @ x <= h, x >= lb])
    problem.solve()
    return x.value, problem.status == "optimal"


def nnls(A: Any, b: Any) -> tuple[Any, bool]:
    """SciPy's nnls."""
    return optimize.nnls(A, b)[0], True


def lsq_linear(A: Any, b: Any) -> tuple[Any, bool]:
    """SciPy's lsq_linear."""
    found = optimize.lsq_linear(A, b, (0, np.inf))
    return found.x, bool(found.success)


def positive_regression(A: Any, b: Any) -> tuple[Any, bool]:
    """scikit-learn's LinearRegression(positive=True)."""
    sklearn = import_module("sklearn.linear_model")
    return sklearn.LinearRegression(positive=True, fit_intercept=False).fit(A, b).coef_, True


def lasso(A: Any, b: Any, lam: Any) -> tuple[Any, bool]:
    """scikit-learn's Lasso."""
    model = import_module("sklearn.linear_model").Lasso(lam / len(b), fit_intercept=False)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        return model.fit(A, b).coef_, not heard


PEERS = (
    Peer("OSQP", "qps", "osqp", "residuals 1e-3, absolute and relative", osqp),
    Peer("SCS", "qps", "scs", "residuals 1e-4, absolute and relative", scs),
    Peer("Clarabel", "qps", "clarabel", "gap and residuals 1e-8, absolute and relative", clarabel),
    Peer("CVXPY", "qps", "cvxpy", "that of the solver that it chooses", cvxpy),
    Peer("PIQP", "qps", "piqp", "residuals 1e-8, absolute; gap likewise", piqp),
    Peer("DAQP", "qps", "daqp", "constraints to 1e-6, absolute", daqp),
    Peer("quadprog", "qps", "quadprog", "exact up to rounding", quadprog),
    Peer("scipy nnls", "nnls", "scipy", "exact up to rounding", nnls),
    Peer("scipy lsq_linear", "nnls", "scipy", "change of the cost 1e-10, relative", lsq_linear),
    Peer("LinearRegression", "nnls", "scikit-learn", "exact up to rounding", positive_regression),
    Peer("Lasso", "lasso", "scikit-learn", "gap 1e-4 ||b||^2", lasso),
)


def problem(kind: str, size: float) -> Any:
    """Gaussian data of which a sparse x makes the signals, with 10 % noise, and lam at a tenth of
    what makes x zero.
    """
    rng = np.random.default_rng(SEED)
    W = rng.standard_normal((ROWS, COLUMNS)) / np.sqrt(ROWS)
    x = np.maximum(rng.standard_normal((SIGNALS, COLUMNS)), 0)
    value = x @ W.T
    y = size * (value + 0.1 * value.std() * rng.standard_normal(value.shape))
    if kind == "nnls":
        return LastLayer(W, y)
    if kind == "lasso":
        return BasisPursuit(W, y, lam=0.1 * float(np.abs(y @ W).max()))
    return MidLayer(W, np.maximum(y, 0), value > 0)


def measured(peer: Peer, size: float) -> dict[str, Any]:
    """What it says, and what the certificate says, of all signals."""
    stated = problem(peer.kind, size)
    x, claims = np.full((SIGNALS, COLUMNS), np.nan), np.zeros(SIGNALS, dtype=bool)
    for b, one in enumerate(stated):
        arguments = raw(peer.kind, one)
        x[b], claims[b] = peer.solve(*arguments.arguments)
    c = verify(stated, x)
    residual = np.maximum(c.kkt, c.violation)
    return {
        "claimed": int(claims.sum()),
        "optimal": {f"{tol:g}": int(c.optimal(tol).sum()) for tol in LEVELS},
        "median": float(np.median(residual)),
        "worst": float(residual.max()),
    }


def table(done: Callable[[], None]) -> list[dict[str, Any]]:
    """A row for each peer."""
    rows = []
    for peer in PEERS:
        found: dict[str, Any] = {name: measured(peer, size) for name, size in SIZES.items()}
        about = {"solver": peer.name, "kind": peer.kind, "promise": peer.promise}
        rows.append({**about, "version": version(peer.package), **found})
        done()
    return rows
