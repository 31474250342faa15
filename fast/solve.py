"""`fast.solve`: every statement of `cvxinv.problems` for a whole batch, in chunks of signals,
certified like any other answer.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor

from cvxinv import checks, rows
from cvxinv.arrays import Array, dtype_name, is_torch, match, to_numpy
from cvxinv.problems import (
    LastLayer,
    LayerProblem,
    LeastSquares,
    LinearProgram,
    Problem,
    Quadratic,
    as_problem,
    batched,
)
from cvxinv.solution import STATUS_TOLERANCE, Solution
from cvxinv.solution.certified import (
    Answer,
    as_batch,
    as_kind,
    certified,
    certifies,
    chosen,
    solution,
)
from fast import default
from fast.core import loop
from fast.core.layer import Layer, Units, scaled, take
from fast.methods import fista, infeasible, last_resort, linearized_admm, noiseless, nonconvex

Method = Literal["auto", "fista", "linearized_admm"]
MAX_ITER = {"auto": 5_000, "fista": 20_000, "linearized_admm": 50_000}
RHO = 1e-2  # the paper's
# of tol: the goal of the default, to which its last steps get for little; answers then do not
# depend on companions
MARGIN = 1e-3
MARGIN_PRINTED = 0.03  # of tol: the goal of the printed methods, which pay for every digit
# of tol: a KKT residual above it is not what the goal promises (units differ where supports do),
# and tried again
WEAK = 0.1
EVERY = 10  # iterations of a printed method between two looks at its residual
# float64 arrays of a signal's size (rows and columns) that are alive at once, certificate included
ARRAYS = 30
MEMORY = 1 << 29  # bytes for them on a CPU; on a GPU half of what is free
LARGEST_BLOCK = 31 << 20  # bytes; glibc looks at blocks of up to 32 MiB


@certifies
def solve(
    problem: Problem,
    tol: float | None = None,
    max_iter: int | None = None,
    method: Method = "auto",
    *,
    x0: Array | None = None,
    rho: float | None = None,
    alpha_beta: float | None = None,
    restart: bool = False,
    history: bool = False,
    sure: bool = True,
    memory: int | None = None,
) -> Solution:
    """Solve a layer problem (eqs. 5, 6, 9, Algorithms 1 and 4) for all its signals at once and
    certify every answer.

    Parameters
    ----------
    problem : LastLayer, MidLayer, Latent, BasisPursuit or LeastSquares
        Any statement of `cvxinv.problems` but LinearProgram, in NumPy arrays or torch tensors on
        any device. Residuals are taken in float64 whatever the dtype.
    tol : float, optional
        What the certificate must prove for a row to be OPTIMAL; 1e-8 by default, 1e-5 for float32
        data. The default method aims at 1e-3 tol.
    max_iter : int, optional
        Cap on a signal's iterations (ADMM and active-set steps together, or those of the method); 5
        000, 20 000, 50 000 by default.
    method : "auto", "fista" or "linearized_admm"
        The default (`fast.auto`), or the paper's algorithms as printed: FISTA (Algorithm 5, and its
        l1 variant) where there are no inequalities, linearized ADMM (Algorithm 2, eq. 10) where
        there are. "linearized_admm" stands for all of Algorithm 3 and takes FISTA for a last layer;
        "fista" refuses statements with inequalities.
    x0 : (B, n) or (n,) array, optional
        Where to start, in the shape of the answer. Rows that are not finite start from zero.
    rho, alpha_beta : float, optional
        Of Algorithm 2: 1e-2 by default, and alpha + beta = max(1, rho) lambda_max(W'W), which
        guarantees convergence. Like the next two for the printed methods only.
    restart : bool
        Whether FISTA forgets its momentum where that points uphill.
    history : bool
        Whether a printed method records objective (in units of ||t||^2) and residual after every
        iteration; all signals at once, whatever `memory` says.
    sure : bool
        Whether signals that the fast methods of "auto" leave unsolved go to slow and sure ones,
        which also find out whether they are infeasible. Without, they are MAX_ITER.
    memory : int, optional
        Bytes of working memory: larger batches are solved in chunks. By default 512 MiB, on a GPU
        half of what is free.

    Returns
    -------
    Solution
        In the kind, dtype and device of the statement's signals, with one status per signal:
        NONFINITE with nan or inf in its data; INFEASIBLE, with the point of least violation and a
        Farkas certificate, if its inequalities contradict each other (found by the default method
        only); MAX_ITER if it is not solved to `tol`. An answer that is determined by its signal
        does not depend on the companions; of several minimisers (lam = gamma = 0 and fewer rows
        than columns, say), another may be found.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what was given and what is expected.
    """
    begin = time.perf_counter()
    problem = as_problem(problem)
    if isinstance(problem, LinearProgram):
        raise TypeError(
            "problem: a LinearProgram is solved by cvxinv.reference.solve, not by fast.solve"
        )
    data = problem.data
    run = _checked(problem, tol, max_iter, method, rho, alpha_beta, restart, history, sure)
    work: Any = as_batch(problem if is_torch(data) else as_kind(problem, torch.empty(0)))
    start = None if x0 is None else _start(x0, problem, work)
    size = max(
        _signals(work, memory), len(work.data) if history else 0
    )  # a history has one line for all signals
    _keep_freed_memory()
    with torch.no_grad(), _full_precision():
        found = _in_chunks(run, work, start, size)
    return solution(
        problem,
        found,
        begin,
        run.tol,
        [_line(problem, record) for record in run.records] if run.records is not None else None,
    )


@dataclass(frozen=True)
class _Run:
    """The arguments of one call, checked."""

    tol: float
    max_iter: int
    method: Method
    rho: float
    alpha_beta: float | None
    restart: bool
    records: list[loop.Record] | None
    sure: bool

    def __call__(self, problem: LayerProblem, x: Tensor | None) -> Answer:
        """The answer to a statement in tensors with a B axis."""
        if isinstance(problem, LastLayer) and not problem.convex:
            return self.nonconvex(problem, x)
        q = problem.quadratic()
        layer, units = scaled(q, even=self.method != "auto" or isinstance(problem, LeastSquares))
        x = None if x is None else default.start(layer, units, x)
        if self.method == "auto":
            exact = isinstance(problem, LeastSquares)
            best = default.solve(layer, x, MARGIN * self.tol, self.max_iter, exact)
            return self.finished(problem, q, layer, units, best)
        goal = MARGIN_PRINTED * self.tol
        if layer.off is None:
            fast = fista.method(layer, self.restart)
            best = self.iterate(fast, fast.start(x), goal)
        else:
            slow = linearized_admm.method(layer, units, self.rho, self.alpha_beta)
            best = self.iterate(slow, slow.start(x), goal)
        return certified(problem, *units.unscale(best.x, best.dual), None, best.iterations, q)

    def iterate(self, method: Any, state: Any, goal: float) -> loop.Result:
        """The loop of a printed method."""
        every = EVERY if self.records is None else 1
        return loop.run(method, state, goal, self.max_iter, every, history=self.records)

    def finished(
        self, problem: LayerProblem, q: Quadratic, layer: Layer, units: Units, best: loop.Result
    ) -> Answer:
        """The answer, after the last resort for the signals that the certificate does not call
        optimal.

        What the goal leaves of a residual can be large in the certificate's units, which are a
        signal's own: the second attempt goes down to rounding.
        """
        proof = None
        for attempt, goal in enumerate((MARGIN * self.tol, noiseless.ROUNDING, None)):
            found = certified(problem, *units.unscale(best.x, best.dual), proof, best.iterations, q)
            good = found.proven(self.tol) & (to_numpy(found.certificate.kkt) <= WEAK * self.tol)
            left = (
                torch.from_numpy(~good).to(layer.t.device)
                & q.finite
                & (best.iterations < self.max_iter)
            )
            rows = torch.nonzero(left if proof is None else left & ~proof.any(1))[:, 0]
            if goal is None or not len(rows) or not self.sure:
                return found
            some = layer[rows]
            if attempt == 0 and some.d is not None and some.off is not None:
                least, refuted = infeasible.farkas(some)
                bad = refuted.any(1)
                if bool(bad.any()):
                    proof = torch.zeros_like(layer.t)
                    proof[rows[bad]] = (
                        refuted[bad] if units.rows is None else refuted[bad] / units.rows
                    )
                    best.x[rows[bad]], best.residual[rows[bad]] = least[bad], torch.inf
                    if best.dual is not None:
                        best.dual[rows[bad]] = 0.0
                    rows, some = rows[~bad], some[~bad]
            if len(rows):
                spent = best.iterations[rows]
                better = last_resort.solve(
                    some, best[rows], goal, self.max_iter - int(spent.amax())
                )
                better.iterations += spent
                best.keep_better(rows, better)
        raise AssertionError("unreachable")

    def nonconvex(self, problem: LastLayer, x: Tensor | None) -> Answer:
        """Eq. 5 with a nonlinear phi, to a KKT point; by default from where the convex problem on
        phi^-1(y) ends.
        """
        known = replace(problem, activation="identity").quadratic().finite
        p, norm = nonconvex.nonlinear(problem, known, even=self.method != "auto")
        if self.method == "auto":
            if x is None:
                low, high = problem.phi.range
                y = problem.phi.inverse(p.y.clamp(low + nonconvex.INSIDE, high - nonconvex.INSIDE))
                near = replace(problem, W=problem.W.to(y.dtype), y=y, activation="identity")
                x = replace(self, tol=nonconvex.START_TOL)(near, None).x
            newton = nonconvex.newton(p)
            best = loop.run(
                newton,
                newton.start(x.nan_to_num(0.0) * norm),
                MARGIN * self.tol,
                self.max_iter,
                patience=nonconvex.PATIENCE,
            )
            left = torch.nonzero(
                (best.residual > MARGIN_PRINTED * self.tol) & (best.iterations < self.max_iter)
            )[:, 0]
            if len(left):
                slow = nonconvex.fista(p[left], True)
                begin = best[left]
                budget = self.max_iter - int(begin.iterations.amax())
                found = loop.run(
                    slow, slow.start(begin.x), MARGIN_PRINTED * self.tol, max(0, budget), EVERY
                )
                found.iterations += begin.iterations
                best.keep_better(left, found)
        else:
            printed = nonconvex.fista(p, self.restart)
            best = self.iterate(
                printed,
                printed.start(None if x is None else x.nan_to_num(0.0).clamp_min(0) * norm),
                MARGIN_PRINTED * self.tol,
            )
        return certified(problem, best.x / norm, None, None, best.iterations)


def _line(problem: Problem, record: loop.Record) -> loop.Record:
    """A line of the history as the caller's arrays: without the B axis, if the statement has
    none.
    """
    objective, residual = (match(a, problem.data) for a in record[1:])
    return loop.Record(
        record.iteration,
        *((objective, residual) if batched(problem) else (objective[0], residual[0])),
    )


@contextmanager
def _full_precision() -> Iterator[None]:
    """float32 products in float32: TF32 and bfloat16 would lose the digits that the refinement
    counts on.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@cache
def _keep_freed_memory() -> None:
    """Let glibc keep what is freed for the next tensors: it gives memory beyond twice the largest
    block freed so far back to the system.

    Page faults would take a tenth of the time otherwise. Nothing is touched, and elsewhere nothing
    happens.
    """
    torch.empty(LARGEST_BLOCK, dtype=torch.uint8)


def _in_chunks(run: _Run, problem: Any, x: Tensor | None, size: int) -> Answer:
    """The batch in parts of `size` signals; parts that a GPU has no memory for are halved."""
    parts: list[Answer] = []
    k, B = 0, len(problem.data)
    while k < B or not parts:
        b, count = slice(k, k + size), min(size, B - k)
        try:
            part: Any = problem if size >= B else chosen(problem, b)
            parts.append(run(part, take(x, b)))
            k += size
        except torch.OutOfMemoryError:
            if count <= 1:
                raise
        else:
            continue
        size = -(-count // 2)
        torch.cuda.empty_cache()  # out here, where no traceback holds the tensors any more
    return rows.join(parts)


def _signals(problem: Any, memory: int | None) -> int:
    """How many signals fit into the memory, at least one."""
    memory = None if memory is None else checks.integer("memory", memory, 1)
    if memory is None:
        memory = (
            torch.cuda.mem_get_info(problem.data.device)[0] // 2 if problem.data.is_cuda else MEMORY
        )
    m, n = problem.W.shape
    return max(1, int(memory) // (8 * ARRAYS * int(m + n)))


def _start(x0: Array, problem: Problem, work: Any) -> Tensor:
    """x0 as a (B, n) tensor."""
    x = match(checks.points("x0", x0, problem.data, problem.W.shape[1]), work.data)
    tensor: Tensor = x if x.ndim == 2 else x[None, :]
    return tensor


def _checked(
    problem: Problem,
    tol: float | None,
    max_iter: int | None,
    method: Method,
    rho: float | None,
    alpha_beta: float | None,
    restart: bool,
    history: bool,
    sure: bool,
) -> _Run:
    checks.choice("method", method, tuple(MAX_ITER))
    constrained = type(problem).__name__ in ("MidLayer", "Latent")
    if method == "fista" and constrained:
        raise ValueError(
            f"method: FISTA has no inequalities, and {type(problem).__name__} has some; expected"
            " 'auto' or 'linearized_admm'"
        )
    printed = {
        "rho": rho,
        "alpha_beta": alpha_beta,
        "restart": restart or None,
        "history": history or None,
    }
    for name, given in printed.items():
        if method == "auto" and given is not None:
            raise ValueError(
                f"{name}: only for the printed methods, got {given!r}; expected method='fista' or"
                " 'linearized_admm'"
            )
    tol = STATUS_TOLERANCE[dtype_name(problem.data)] if tol is None else tol
    cap = MAX_ITER[method] if max_iter is None else checks.integer("max_iter", max_iter, 0)
    weight = None if alpha_beta is None else checks.positive("alpha_beta", alpha_beta)
    rho = checks.positive("rho", RHO if rho is None else rho)
    return _Run(
        checks.positive("tol", tol),
        cap,
        method,
        rho,
        weight,
        checks.flag("restart", restart),
        [] if checks.flag("history", history) else None,
        checks.flag("sure", sure),
    )
