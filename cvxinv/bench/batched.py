"""Rivals that solve signals in batches; what they are given and answer is that of `rivals`."""

from importlib import import_module
from typing import Any

import numpy as np

from cvxinv.bench.gram import Answer, programs
from cvxinv.problems import Quadratic

BATCH = 64  # signals at a time: more cost memory and gain nothing


def moreau(q: Quadratic) -> Answer:
    """Moreau's active set, in batches: each signal's C is filled up with rows of zeros to the
    longest of the batch.
    """
    module: Any = import_module("moreau")
    n = q.W.shape[1]
    signs = n if q.nonnegative else 0
    x, dual = np.full((q.size, n), np.nan), np.zeros(q.t.shape)
    iterations = np.zeros(q.size, dtype=int)
    waiting = list(programs(q))
    for first in range(0, q.size, BATCH):
        part = waiting[first : first + BATCH]
        k = max(len(p.d) for p in part)
        C, d = np.zeros((len(part), k, n)), np.ones((len(part), signs + k))
        d[:, :signs] = 0
        for i, p in enumerate(part):
            C[i, : len(p.d)], d[i, signs : signs + len(p.d)] = p.C, p.d
        solver = module.CompiledSolver(
            n=n,
            m=signs + k,
            P_row_offsets=np.arange(n + 1) * n,
            P_col_indices=np.tile(np.arange(n), n),
            A_row_offsets=np.concatenate([np.arange(signs), signs + np.arange(k + 1) * n]),
            A_col_indices=np.concatenate([np.arange(signs), np.tile(np.arange(n), k)]),
            cones=module.Cones(num_nonneg_cones=signs + k),
            settings=module.Settings(
                solver="active_set",
                device="cpu",
                batch_size=len(part),
                active_set_settings=module.ActiveSetSettings(primal_tol=1e-9),
            ),
        )
        H = part[0].H.ravel() if part[0].shared else np.stack([p.H.ravel() for p in part])
        solver.setup(H, np.hstack([np.full((len(part), signs), -1.0), C.reshape(len(part), -1)]))
        found = solver.solve(np.stack([p.f for p in part]), d)
        x[first : first + len(part)], iterations[first : first + len(part)] = (
            found.x,
            solver.info.iterations,
        )
        for i, p in enumerate(part):
            dual[first + i, q.inequalities[first + i]] = found.z[i, signs : signs + len(p.d)]
    return Answer(x, dual, iterations)


def proxqp(q: Quadratic) -> Answer:
    """ProxQP's dense augmented Lagrangian, a list of programs at a time, on one thread; x >= 0 are
    simple bounds.
    """
    module: Any = import_module("proxsuite").proxqp
    n = q.W.shape[1]
    x, dual = np.full((q.size, n), np.nan), np.zeros(q.t.shape)
    iterations = np.zeros(q.size, dtype=int)
    bounds = (np.zeros(n), np.full(n, 1e20)) if q.nonnegative else ()
    waiting, failed = list(programs(q)), ""
    for first in range(0, q.size, BATCH):
        part = waiting[first : first + BATCH]
        batch = module.dense.VectorQP()
        for p in part:
            one = module.dense.QP(n, 0, len(p.d), q.nonnegative)
            one.settings.eps_abs, one.settings.eps_rel = 1e-9, 0.0
            rows = (p.C, np.full(len(p.d), -1e20), p.d) if len(p.d) else (None, None, None)
            one.init(p.H, p.f, None, None, *rows, *bounds)
            batch.append(one)
        module.dense.solve_in_parallel(batch, 1)
        for b, (p, one) in enumerate(zip(part, batch, strict=True), first):
            found, status = one.results, one.results.info.status
            iterations[b] = found.info.iter
            if status == module.PROXQP_SOLVED:
                x[b] = found.x
                dual[b, q.inequalities[b]] = np.maximum(found.z[: len(p.d)], 0)
            else:
                failed = failed or str(status)
    return Answer(x, dual, iterations, failed)
