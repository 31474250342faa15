"""From points to a `Solution`: what every backend does last. The certificate decides the status,
whatever the solver claimed.
"""

import time
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from cvxinv.arrays import Array, cast_to, dtype_name, match, namespace, to_numpy
from cvxinv.certificate import Certificate, certify
from cvxinv.certificate.certificate import unbatch
from cvxinv.problems import LastLayer, LinearProgram, Problem, Quadratic, batched
from cvxinv.solution.solution import Solution
from cvxinv.solution.status import STATUS_TOLERANCE, Status


def as_batch(problem: Problem) -> Problem:
    """The statement with a leading B axis: that of a single signal becomes a batch of one."""
    return (
        problem
        if batched(problem)
        else replace(problem, **{problem.data_name: problem.data[None, :]})
    )


def as_kind(problem: Problem, like: Array) -> Problem:
    """The statement with all its arrays in the kind and on the device of `like`."""
    return replace(
        problem, **{k: match(v, like) for k, v in vars(problem).items() if hasattr(v, "ndim")}
    )


def chosen(problem: Problem, b: Any) -> Problem:
    """The statement, with a B axis, for some of its signals (a slice, or indices)."""
    per_signal = {
        k: v[b] for k, v in vars(problem).items() if k != "W" and getattr(v, "ndim", 0) == 2
    }
    return replace(problem, **per_signal)


def finite(problem: Problem) -> Array:
    """(B,) bool: whether the data of each signal are finite, in a statement with a B axis."""
    if isinstance(problem, LinearProgram):
        xp = namespace(problem.data)
        return xp.all(xp.isfinite(problem.rows()[0]), axis=1)
    if isinstance(problem, LastLayer):  # whatever phi is: only the data count here
        problem = replace(problem, activation="identity")
    return problem.quadratic().finite


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found for a statement with a B axis, and its certificate."""

    x: Array  # (B, n), nan where the data are not finite
    dual: Array | None  # (B, m)
    proof: Array | None  # (B, m) Farkas certificates, zero where there is none
    iterations: Any  # (B,)
    finite: Array  # (B,) whether the data are
    certificate: Certificate
    support: Array

    def proven(self, tol: float) -> Any:
        """(B,) bool, NumPy: optimal, or stationary where the statement is not convex."""
        c = self.certificate
        return to_numpy(c.optimal(tol) if c.convex else c.stationary(tol))


def certified(
    problem: Problem,
    x: Array,
    dual: Array | None,
    proof: Array | None,
    iterations: Any,
    q: Quadratic | None = None,
) -> Answer:
    """Points in the kind and dtype of the statement's signals, and the certificate at exactly those
    points.

    `q` is `problem.quadratic()`, if it is there already.
    """
    data = problem.data
    xp = namespace(data)
    known = finite(problem) if q is None else q.finite
    good = known[:, None]
    x, dual = cast_to(x, data), None if dual is None else cast_to(dual, data)
    x = xp.where(good, x, xp.full_like(x, xp.nan))
    dual = None if dual is None else xp.where(good, dual, xp.zeros_like(dual))
    certificate, support = certify(problem, x, dual, q)
    return Answer(
        x,
        dual,
        None if proof is None else cast_to(proof, data),
        iterations,
        known,
        certificate,
        support,
    )


def joined(parts: list[Answer]) -> Answer:
    """The answers to parts of a batch, one after the other."""
    if len(parts) == 1:
        return parts[0]

    def together(values: list[Any]) -> Any:
        return namespace(values[0]).concat(values, axis=0)

    if any(p.proof is not None for p in parts):
        parts = [
            p
            if p.proof is not None or p.dual is None
            else replace(p, proof=namespace(p.dual).zeros_like(p.dual))
            for p in parts
        ]
    certificate = parts[0].certificate
    figures = {
        f.name: together([getattr(p.certificate, f.name) for p in parts])
        for f in fields(certificate)
        if f.name != "convex"
    }
    values = {
        k: together([getattr(p, k) for p in parts])
        for k, v in vars(parts[0]).items()
        if hasattr(v, "ndim")
    }
    return replace(parts[0], certificate=replace(certificate, **figures), **values)


def solution(
    problem: Problem, found: Answer, start: float, tol: float | None = None, history: Any = None
) -> Solution:
    """The Solution of a statement, in the caller's kind and without the B axis if the statement has
    none, with a status per signal.

    `start` is the `time.perf_counter()` at which the work began.
    """
    data = problem.data
    status = np.full(len(found.x), Status.MAX_ITER, dtype=object)
    proven = found.proven(STATUS_TOLERANCE[dtype_name(data)] if tol is None else tol)
    status[proven] = Status.OPTIMAL if problem.convex else Status.STATIONARY
    proof, dual = found.proof, found.dual
    if proof is not None:
        refuted = to_numpy(namespace(proof).any(proof != 0, axis=1))
        status[refuted] = Status.INFEASIBLE
        proof = proof if refuted.any() else None
    status[~to_numpy(found.finite)] = Status.NONFINITE
    if not isinstance(problem, LinearProgram) and not _constrained(problem):
        dual = None
    arrays = {
        k: None if v is None else match(v, data)
        for k, v in (("x", found.x), ("dual", dual), ("proof", proof), ("S", found.support))
    }
    certificate = replace(
        found.certificate,
        **{k: match(v, data) for k, v in vars(found.certificate).items() if k != "convex"},
    )
    result = Solution(
        arrays["x"],
        arrays["S"],
        status,
        certificate,
        arrays["dual"],
        arrays["proof"],
        to_numpy(found.iterations),
        history=history,
    )
    if not batched(problem):
        result = replace(unbatch(result, keep=False), certificate=unbatch(certificate, keep=False))
    return replace(result, seconds=time.perf_counter() - start)


def _constrained(problem: Problem) -> bool:
    """Whether any signal has an inequality."""
    support = getattr(problem, "support", None)
    return support is not None and not bool(namespace(support).all(support))
