"""The solvers a user would pick instead, one function each, with the fastest settings found that
reach a KKT residual of 1e-8.

Each is given (Q) of `cvxinv.quadratic` in NumPy and answers for all its signals, one signal after
the other, in one process. What signals share (the Gram matrix of a last layer and its factor) is
computed once; the rest of the set-up is repeated per signal. All of them solve the Gram form of
`cvxinv.bench.gram`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from cvxinv.bench.batched import moreau, proxqp
from cvxinv.bench.gram import Answer, Program, Step, one_by_one
from cvxinv.problems import Quadratic


@dataclass(frozen=True, eq=False)
class Rival:
    """A solver: its name in tables, the module it needs and what to install for it, and `solve`."""

    name: str
    module: str
    solve: Callable[[Quadratic], Answer]
    last_layer_only: bool = False
    package: str = "cvxinv[bench]"

    @property
    def installed(self) -> bool:
        """Whether its module can be imported."""
        return find_spec(self.module) is not None

    def applies(self, q: Quadratic) -> bool:
        """Whether it can solve this statement."""
        return not self.last_layer_only or (q.nonnegative and bool(q.rows.all()))


def lasso(q: Quadratic) -> Answer:
    """scikit-learn's coordinate descent on the shared Gram matrix; `tol` bounds the duality gap
    relative to ||t||^2.
    """
    sklearn = import_module("sklearn.linear_model")
    # its objective is 1 / (2 m) ||t - W x||^2 + alpha ||x||_1
    model = sklearn.Lasso(
        alpha=q.lam[0, 0] / len(q.W),
        positive=True,
        fit_intercept=False,
        precompute=q.W.T @ q.W,
        tol=5e-9,
        max_iter=100_000,
    )
    model.fit(q.W, q.t.T)  # the signals one after the other
    return Answer(np.atleast_2d(model.coef_), None, np.atleast_1d(model.n_iter_))


def daqp(q: Quadratic) -> Step:
    """DAQP's dual active set; x >= 0 are simple bounds. One model, and its factor, serves all
    signals where H is shared.
    """
    module: Any = import_module("daqp")
    n = q.W.shape[1] if q.nonnegative else 0
    free, zero, none = np.full(n, 1e30), np.zeros(n), np.full(len(q.W), -1e30)
    unset = np.zeros(n, dtype=np.int32)
    model: Any = None

    def step(p: Program) -> tuple[Any, Any, int]:
        nonlocal model
        bounds = np.concatenate([free, p.d]), np.concatenate([zero, none[: len(p.d)]])
        if not p.shared:
            x, _, flag, info = module.solve(p.H, p.f, p.C, *bounds, primal_tol=1e-9)
        else:
            if model is None:
                model = module.Model()
                model.settings = {"primal_tol": 1e-9}
                model.setup(p.H, p.f, p.C, *bounds)
            else:
                # sense: from no active constraint, not from the last signal's
                model.update(f=p.f, sense=unset)
            x, _, flag, info = model.solve()
        if flag != 1:
            raise RuntimeError(f"exit flag {flag}")
        return x, info["lam"][n:], info["iterations"]

    return step


def quadprog(q: Quadratic) -> Step:
    """quadprog's dual active set (Goldfarb, Idnani)."""
    module: Any = import_module("quadprog")
    n = q.W.shape[1]
    signs = np.eye(n) if q.nonnegative else np.zeros((n, 0))

    def step(p: Program) -> tuple[Any, Any, int]:
        C, d = np.hstack([signs, -p.C.T]), np.concatenate([np.zeros(signs.shape[1]), -p.d])
        x, _, _, iterations, multipliers, _ = module.solve_qp(p.H, -p.f, C, d)
        return x, multipliers[signs.shape[1] :], iterations[0]

    return step


def piqp(q: Quadratic) -> Step:
    """PIQP's dense proximal interior point. x is as good as the square root of the gap: the
    tolerances are those of rounding.
    """
    module: Any = import_module("piqp")
    zero = np.zeros(q.W.shape[1]) if q.nonnegative else None

    def step(p: Program) -> tuple[Any, Any, int]:
        solver = module.DenseSolver()
        settings = solver.settings
        settings.eps_abs = settings.eps_rel = settings.eps_duality_gap_abs = (
            settings.eps_duality_gap_rel
        ) = 3e-15
        settings.max_iter, settings.preconditioner_iter, settings.tau = 20, 0, 0.999
        rows = {"G": p.C, "h_u": p.d} if len(p.d) else {}
        solver.setup(p.H, p.f, x_l=zero, **rows)
        # its status says whether rounding let it pass, the certificate whether x is good
        solver.solve()
        return solver.result.x, solver.result.z_u if rows else 0.0, solver.result.info.iter

    return step


def osqp(q: Quadratic) -> Step:
    """OSQP. One factor serves all signals where H is shared. Unpolished: polishing takes longer
    than the iterations it saves.
    """
    module, sparse = import_module("osqp"), import_module("scipy.sparse")
    n = q.W.shape[1] if q.nonnegative else 0
    solver: Any = None

    def step(p: Program) -> tuple[Any, Any, int]:
        nonlocal solver
        if solver is None or not p.shared:
            A = np.vstack([np.eye(n), p.C]) if n else p.C
            low = np.concatenate([np.zeros(n), np.full(len(p.d), -np.inf)])
            high = np.concatenate([np.full(n, np.inf), p.d])
            solver = module.OSQP()
            solver.setup(
                sparse.csc_matrix(np.triu(p.H)),
                p.f,
                sparse.csc_matrix(A),
                low,
                high,
                verbose=False,
                eps_abs=3e-10,
                eps_rel=3e-10,
                max_iter=20_000,
                scaling=0,
            )
        else:
            solver.update(q=p.f)
        found = solver.solve()
        if found.x is None:
            raise RuntimeError(found.info.status)
        return found.x, np.maximum(found.y[n:], 0), found.info.iter

    return step


def qpax(q: Quadratic) -> Step:
    """Interior point of qpax, compiled once: rows without an inequality are zeros, so that all
    signals have one shape.
    """
    solve, n = _compiled_qpax(), q.W.shape[1]
    signs = np.eye(n) if q.nonnegative else np.zeros((0, n))
    nothing, k = (np.zeros((0, n)), np.zeros(0)), len(signs)

    def step(p: Program) -> tuple[Any, Any, int]:
        G, h = np.zeros((k + len(q.W), n)), np.ones(k + len(q.W))
        G[:k], h[:k] = -signs, 0
        G[k : k + len(p.d)], h[k : k + len(p.d)] = p.C, p.d
        x, _, multipliers, _, _, iterations = solve(p.H, p.f, *nothing, G, h, solver_tol=1e-12)
        return np.asarray(x), np.asarray(multipliers)[k : k + len(p.d)], int(iterations)

    return step


@cache
def _compiled_qpax() -> Callable[..., Any]:
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return jax.jit(import_module("qpax").solve_qp)  # type: ignore[no-any-return]


RIVALS = (
    Rival("scikit-learn Lasso", "sklearn", lasso, last_layer_only=True),
    Rival("DAQP", "daqp", one_by_one(daqp)),
    Rival("quadprog", "quadprog", one_by_one(quadprog)),
    Rival("PIQP", "piqp", one_by_one(piqp)),
    Rival("OSQP", "osqp", one_by_one(osqp)),
    Rival("Moreau", "moreau", moreau, package="moreau"),
    Rival("ProxQP", "proxsuite", proxqp, package="proxsuite"),
    Rival("qpax", "qpax", one_by_one(qpax), package="qpax"),
)
