"""`fast.solve`: every statement of `cvxinv.problems` for a whole batch, in chunks of signals,
certified like any other answer.

This is the door: arguments and chunks. What happens behind it is in `default` and `printed`.
"""

import time
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from cvxinv import checks
from cvxinv.arrays import Array, dtype_name, is_torch, match
from cvxinv.memory import room, signals_per_part
from cvxinv.problems import LinearProgram, Problem, as_problem, batched
from cvxinv.progress import Meter, Progress, meter
from cvxinv.rows import join, take
from cvxinv.solution import STATUS_TOLERANCE, Solution
from cvxinv.solution.certified import Answer, as_batch, as_kind, certifies, solution

from . import default, few, printed
from .alike import Run, grouped
from .core import graphs, loop
from .core.linear_systems import formed
from .core.precision import full_precision
from .methods.noiseless import ROUNDING

# float64 arrays of a signal's size (rows and columns) that are alive at once, certificate included
ARRAYS = 30
# .. and systems (n, n), where those of all signals are formed at once
MATRICES = 4
MEMORY = 1 << 28  # bytes for them on a CPU; on a GPU half of what is free
LARGEST_BLOCK = 31 << 20  # bytes; glibc looks at blocks of up to 32 MiB


class At:
    """How far a call is."""

    done = Meter()
    last = 0  # signals up to the end of the chunk

    def left(self, count: int) -> None:
        """So many signals of the chunk are not finished."""
        self.done.reach(self.last - count)


@certifies
def solve(
    problem: Problem,
    tol: float | None = None,
    max_iter: int | None = None,
    method: str = "auto",
    *,
    x0: Array | None = None,
    rho: float | None = None,
    alpha_beta: float | None = None,
    restart: bool = False,
    history: bool = False,
    sure: bool = True,
    accuracy: float | None = None,
    memory: int | None = None,
    progress: Progress = False,
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
        data. The default method aims at 5e-4 tol.
    max_iter : int, optional
        Cap on a signal's iterations (ADMM and active-set steps together, or those of the method); 5
        000, 20 000, 50 000 by default.
    method : "auto", "fista" or "linearized_admm"
        The default (`fast.default`), or the paper's algorithms as printed: FISTA (Algorithm 5, and
        its l1 variant) where there are no inequalities, linearized ADMM (Algorithm 2, eq. 10) where
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
    accuracy : float, optional
        Relative accuracy of the statement's signals, where it is less than that of their dtype: the
        default method goes no further, and no less far than 0.1 tol.
    memory : int, optional
        Bytes of working memory: larger batches are solved in chunks. By default 256 MiB, on a GPU
        half of what is free.
    progress : bool or callable
        Whether to show on stderr how many signals are solved; or what is to be told: progress(done,
        total). The default method reports its chunks, the printed ones each signal.

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
    tol = STATUS_TOLERANCE[dtype_name(problem.data)] if tol is None else tol
    tol = checks.positive("tol", tol)
    restart, history = checks.flag("restart", restart), checks.flag("history", history)
    sure = checks.flag("sure", sure)
    given = {"rho": rho, "alpha_beta": alpha_beta, "restart": restart, "history": history}
    at = At()
    records = loop.History(at.left) if history else loop.NoHistory(at.left)
    memory = None if memory is None else checks.integer("memory", memory, 1)
    recipe: default.Default | None = None
    run: Run
    if checks.choice("method", method, ("auto", *printed.PRINTED)) == "auto":
        _none_given(given)
        cap = default.MAX_ITER if max_iter is None else checks.integer("max_iter", max_iter, 0)
        rounding = ROUNDING[dtype_name(problem.data)]
        if accuracy is not None:
            rounding = max(rounding, checks.nonnegative("accuracy", accuracy))
        recipe = default.Default(tol, cap, sure, rounding)
        run = partial(grouped, recipe)
    else:
        row = _row(method, problem)
        cap = row.max_iter if max_iter is None else checks.integer("max_iter", max_iter, 0)
        options = printed.Options(
            rho=printed.RHO if rho is None else checks.positive("rho", rho),
            alpha_beta=0.0 if alpha_beta is None else checks.positive("alpha_beta", alpha_beta),
            restart=restart,
        )
        run = printed.Printed(row, options, tol, cap, records)
    with meter(progress, _count(problem), "signals") as at.done:
        found = None
        if recipe is not None and x0 is None and memory is None:
            found = few.solve(problem, recipe)
        if found is None:
            found = _in_batches(run, problem, x0, memory, history, at)
    lines = _lines(problem, records) if isinstance(records, loop.History) else None
    return solution(problem, found, begin, tol, lines)


def _count(problem: Problem) -> int:
    """How many signals."""
    return len(problem.data) if batched(problem) else 1


def _in_batches(
    run: Run, problem: Problem, x0: Array | None, memory: int | None, whole: bool, at: At
) -> Answer:
    """The statement in tensors, all its signals at once if they fit into the memory, or `whole`."""
    work: Any = as_batch(problem if is_torch(problem.data) else as_kind(problem, torch.empty(0)))
    start = None if x0 is None else _start(x0, problem, work)
    size = len(work.data) if whole else _signals(work, memory)
    _keep_freed_memory()
    with torch.no_grad(), full_precision():
        return _in_chunks(run, work, start, size, at)


def _lines(problem: Problem, records: loop.History) -> list[loop.Record]:
    """The history as the caller's arrays: without the B axis, if the statement has none."""

    def back(a: Tensor) -> Any:
        values = match(a, problem.data)
        return values if batched(problem) else values[0]

    return [loop.Record(k, back(f), back(r)) for k, f, r in records.lines]


@cache
def _keep_freed_memory() -> None:
    """Let glibc keep what is freed for the next tensors: it gives memory beyond twice the largest
    block freed so far back to the system.

    Page faults would take a tenth of the time otherwise. Nothing is touched, and elsewhere nothing
    happens.
    """
    torch.empty(LARGEST_BLOCK, dtype=torch.uint8)


def _in_chunks(run: Run, problem: Any, x: Tensor | None, size: int, at: At) -> Answer:
    """The batch in parts of `size` signals; parts that a GPU has no memory for are halved."""
    parts: list[Answer] = []
    k, B = 0, len(problem.data)
    while k < B or not parts:
        b, count = slice(k, k + size), min(size, B - k)
        try:
            at.last = k + count
            part: Any = problem if size >= B else problem[b]
            parts.append(run(part, take(x, b)))
            k += size
            at.left(0)
        except torch.OutOfMemoryError:
            if count <= 1:
                raise
        else:
            continue
        size = -(-count // 2)
        graphs.forget()
        torch.cuda.empty_cache()  # out here, where no traceback holds the tensors any more
    return join(parts)


def _signals(problem: Any, memory: int | None) -> int:
    """How many signals fit into the memory, at least one."""
    budget = memory or room(problem.data, MEMORY)
    m, n = problem.W.shape
    entries = ARRAYS * int(m + n)
    entries += MATRICES * n * n if formed(problem.W, problem.constrained) else 0
    return signals_per_part(8 * entries, budget)


def _start(x0: Array, problem: Problem, work: Any) -> Tensor:
    """x0 as a (B, n) tensor."""
    x = match(checks.points("x0", x0, problem.data, problem.W.shape[1]), work.data)
    tensor: Tensor = x if x.ndim == 2 else x[None, :]
    return tensor


def _row(method: str, problem: Problem) -> printed.Row:
    """The row of the table for a method, if it takes the statement."""
    row = printed.PRINTED[method]
    if problem.constrained and not row.inequalities:
        raise ValueError(
            f"method: {method} takes no inequalities, and {type(problem).__name__} has some;"
            " expected 'auto' or 'linearized_admm'"
        )
    return row


def _none_given(options: dict[str, Any]) -> None:
    """The default has no use for what the printed methods can be told."""
    for name, given in options.items():
        if given is not None and given is not False:
            raise ValueError(
                f"{name}: only for the printed methods, got {given!r}; expected method='fista' or"
                " 'linearized_admm'"
            )
