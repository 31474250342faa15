"""From points to a `Solution`: the one place where a status is decided, from the problem's data.

A backend hands in points; the certificate at exactly those points says OPTIMAL (STATIONARY where
the statement is not convex), a checked Farkas certificate says INFEASIBLE, and all else is
MAX_ITER, whatever the solver claimed. Our own backends end here (`certified`, then `solution`), and
are marked as such (`certifies`), so that a driver does not pay for a second certificate; what any
other backend returns is taken to this place by the driver (`judged`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from cvxinv import checks, rows
from cvxinv.arrays import Array, cast_to, dtype_name, float64, match, namespace, to_numpy
from cvxinv.certificate import Certificate, certify
from cvxinv.certificate.farkas import refuted
from cvxinv.problems import LastLayer, LinearProgram, Problem, Quadratic, batched, with_fields
from cvxinv.solution.solution import Solution
from cvxinv.solution.status import STATUS_TOLERANCE, Status


def as_batch(problem: Problem) -> Problem:
    """The statement with a leading B axis: that of a single signal becomes a batch of one."""
    if batched(problem):
        return problem
    return with_fields(problem, **{problem.data_name: problem.data[None, :]})


def as_kind(problem: Problem, like: Array) -> Problem:
    """The statement with all its arrays in the kind and on the device of `like`."""
    arrays = {k: match(v, like) for k, v in vars(problem).items() if hasattr(v, "ndim")}
    return with_fields(problem, **arrays)


def finite(problem: Problem) -> Array:
    """(B,) bool: whether the data of each signal are finite, in a statement with a B axis."""
    if isinstance(problem, LinearProgram):
        xp = namespace(problem.data)
        return xp.all(xp.isfinite(problem.rows()[0]), axis=1)
    if isinstance(problem, LastLayer):  # whatever phi is: only the data count here
        problem = replace(problem, activation="identity")
    return problem.quadratic().finite


# -- points and what can be proven of them ---------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found for a statement with a B axis, and what its data prove of it."""

    x: Array  # (B, n), nan where the data are not finite
    dual: Array | None  # (B, m)
    proof: Array | None  # (B, m) Farkas certificates that hold, else zero
    refuted: Array  # (B,) whether there is one
    iterations: Any  # (B,)
    finite: Array  # (B,) whether the data are
    certificate: Certificate
    support: Array

    def proven(self, tol: float) -> Array:
        """(B,) bool: optimal, or stationary where the statement is not convex."""
        c = self.certificate
        return c.optimal(tol) if c.convex else c.stationary(tol)


def certified(
    problem: Problem,
    x: Array,
    dual: Array | None,
    proof: Array | None,
    iterations: Any,
    q: Quadratic | None = None,
) -> Answer:
    """Points in the kind and dtype of the statement's signals, and the certificate at exactly those
    points; of the proofs of infeasibility, those that hold.

    `q` is `problem.quadratic()`, if it is there already.
    """
    data = problem.data
    xp = namespace(data)
    if q is None and problem.convex and not isinstance(problem, LinearProgram):
        q = problem.quadratic()
    known = finite(problem) if q is None else q.finite
    x = xp.where(known[:, None], cast_to(x, data), xp.nan)
    if dual is not None:
        dual = xp.where(known[:, None], cast_to(dual, data), 0.0)
    holds = xp.zeros_like(known)
    if q is None or not q.constrained:
        proof = None
    else:
        proof = xp.zeros_like(data) if proof is None else cast_to(proof, data)
        if bool(xp.any(proof != 0)):
            holds = refuted(q, float64(proof))
            proof = xp.where(holds[:, None], proof, 0.0)
    certificate, support = certify(problem, x, dual, q)
    return Answer(x, dual, proof, holds, iterations, known, certificate, support)


def solution(
    problem: Problem, found: Answer, start: float, tol: float | None = None, history: Any = None
) -> Solution:
    """The Solution of a statement, in the caller's kind and without the B axis if the statement has
    none, with a status per signal.

    `start` is the `time.perf_counter()` at which the work began.
    """
    data = problem.data
    tol = STATUS_TOLERANCE[dtype_name(data)] if tol is None else tol

    def back(a: Array | None) -> Any:
        return None if a is None else match(a, data)

    c, known = found.certificate, _known(found, tol)
    figures = {name: back(a) for name, a in vars(c).items() if name != "convex"}
    result = Solution(
        back(found.x),
        back(found.support),
        _status(problem, *known),
        replace(c, **figures),
        back(found.dual) if _has_multipliers(problem) else None,
        back(found.proof) if known[1].any() else None,
        to_numpy(found.iterations),
        history=history,
    )
    result = result if batched(problem) else rows.take(result, 0)
    return replace(result, seconds=time.perf_counter() - start)


def _known(found: Answer, tol: float) -> Any:
    """(3, B) bool, NumPy, in one copy from a GPU: proven, refuted, finite."""
    return to_numpy(namespace(found.x).stack([found.proven(tol), found.refuted, found.finite]))


def _status(problem: Problem, proven: Any, refuted: Any, finite: Any) -> Any:
    """(B,) Status: what the certificate and the checked proofs say, in this order."""
    status = np.full(len(proven), Status.MAX_ITER, dtype=object)
    status[proven] = Status.OPTIMAL if problem.convex else Status.STATIONARY
    status[refuted] = Status.INFEASIBLE
    status[~finite] = Status.NONFINITE
    return status


def _has_multipliers(problem: Problem) -> bool:
    """Whether any signal has an inequality."""
    if isinstance(problem, LinearProgram):
        return True
    support = getattr(problem, "support", None)
    return support is not None and not bool(namespace(support).all(support))


# -- other people's backends -----------------------------------------------------------------------

T = TypeVar("T", bound=Callable[..., Solution])
_OWN: list[Any] = []


def certifies(solve: T) -> T:
    """Mark a backend of ours, each of whose answers comes from `solution`: drivers certify what all
    others return.
    """
    _OWN.append(solve)
    return solve


def is_own(solve: Any) -> bool:
    """Whether `solve` is a marked backend, or a `functools.partial` of one."""
    while type(solve) is partial:
        solve = solve.func
    return any(solve is own for own in _OWN)


def judged(problem: Problem, returned: Any, start: float) -> Solution:
    """The Solution for what a backend returned: x, (x, dual), or a Solution, of which neither
    status nor certificate nor support is looked at, and whose proof of infeasibility is checked.

    `start` is the `time.perf_counter()` at which the backend began.

    Raises
    ------
    TypeError, ValueError
        Naming `solve`, for anything else, and for wrong shapes or dtypes.
    """
    x, dual, proof, iterations, history = _parts(returned)
    batch, (m, n) = tuple(problem.data.shape[:-1]), problem.W.shape
    count = np.zeros(batch, dtype=int)
    if np.shape(iterations) == batch:
        count = to_numpy(iterations)
    found = certified(
        as_batch(problem),
        _hint("x", x, (*batch, n), problem),
        _hint("dual", dual, (*batch, m), problem),
        _hint("infeasibility", proof, (*batch, m), problem),
        np.reshape(count, (-1,)),
    )
    return solution(problem, found, start, history=history)


def _parts(returned: Any) -> tuple[Any, Any, Any, Any, Any]:
    """x, dual, proof, iterations and history: points and hints, none of the claims."""
    x, dual, proof, iterations, history = returned, None, None, 0, None
    if isinstance(returned, Solution):
        x, dual, proof = returned.x, returned.dual, returned.infeasibility
        iterations, history = returned.iterations, returned.history
    elif isinstance(returned, tuple) and len(returned) == 2:
        x, dual = returned
    if not (isinstance(x, list) or hasattr(x, "ndim")):
        raise TypeError(
            "solve: expected it to return x, (x, dual) or a cvxinv.Solution, got"
            f" {type(returned).__name__}"
        )
    return x, dual, proof, iterations, history


def _hint(name: str, a: Any, shape: tuple[int, ...], problem: Problem) -> Array | None:
    """What a backend returned for `name`, with a B axis, in the kind of the statement."""
    if a is None:
        return None
    a = match(checks.floats(f"solve: {name}", a), problem.data)
    if tuple(a.shape) != shape:
        raise ValueError(f"solve: expected {name} of shape {shape}, got {tuple(a.shape)}")
    return a if a.ndim == 2 else a[None]
