"""From a batch to solver calls: groups of signals that share their masks, spread over processes by
joblib, and what becomes of those whose solver or process fails.
"""

from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from cvxinv import rows
from cvxinv.problems import LastLayer, LinearProgram, Quadratic
from cvxinv.progress import Meter
from cvxinv.reference import signals
from cvxinv.reference.signals import Answer
from cvxinv.reference.solvers import Solver
from cvxinv.solution.certified import finite

FEW = 8  # signals that need no progress bar, and are not worth compiling a statement twice


@dataclass(frozen=True)
class Batch:
    """Signals of one class of statements, and the solver for them: as (Q) where they are convex,
    else as they are stated.
    """

    kind: type
    stated: Quadratic | LinearProgram | LastLayer
    solver: Solver

    @property
    def finite(self) -> Any:
        """(B,) bool: the signals that a solver can be given."""
        return self.stated.finite if isinstance(self.stated, Quadratic) else finite(self.stated)

    @property
    def masks(self) -> list[Any]:
        """What the signals of a group have in common: (B, ..) bool arrays."""
        if isinstance(self.stated, Quadratic):
            return [self.stated.rows, self.stated.inequalities, self.stated.columns]
        if isinstance(self.stated, LinearProgram):
            return [np.eye(len(self.stated.x_next), dtype=bool)]  # each for itself
        seen = True if self.stated.observed is None else self.stated.observed
        return [np.broadcast_to(seen, self.stated.y.shape)]

    def none(self, k: int, failure: str = "") -> Answer:
        """No iterate for any of k signals."""
        m, n = self.stated.W.shape
        return Answer.none(k, m, n, failure)

    def take(self, group: Any) -> "Batch":
        """Some of the signals."""
        whole = self.stated
        part: Any = rows.take(whole, group) if isinstance(whole, Quadratic) else whole[group]
        return Batch(self.kind, part, self.solver)

    def answer(self) -> Answer:
        """What the solver leaves for signals that share their masks."""
        try:
            if isinstance(self.stated, Quadratic):
                return signals.quadratics(self.stated, self.kind, self.solver)
            if isinstance(self.stated, LinearProgram):
                return signals.programs(self.stated, self.solver)
            return signals.nonconvex(self.stated, self.solver)
        except Exception as error:
            failure = f"stating it raised {type(error).__name__}: {error}"
            return self.none(len(self.finite), failure)


def run(batch: Batch, n_jobs: int, done: Meter) -> Answer:
    """What the solver leaves for each signal of a batch.

    A signal whose solver raises, or whose process dies, is lost alone, with the reason.
    """
    B = len(batch.finite)
    found = batch.none(B)
    processes = effective_n_jobs(n_jobs)
    largest = -(-B // (4 * processes))  # a few groups for each process
    groups = _groups(batch, max(largest, FEW if processes == 1 else 1))
    for group, answer in _answers(batch, groups, n_jobs):
        rows.store(found, group, answer)
        done.reach(done.done + len(group))
    return found


def _groups(batch: Batch, largest: int) -> list[Any]:
    """Indices of the signals that share their masks, at most `largest` to a group, so that there is
    work for every process.
    """
    masks, found = batch.masks, dict[bytes, list[int]]()
    for b in np.flatnonzero(batch.finite):
        key = b"".join(np.packbits(mask[b]).tobytes() for mask in masks)
        found.setdefault(key, []).append(int(b))
    return [np.array(g[k : k + largest]) for g in found.values() for k in range(0, len(g), largest)]


def _answers(batch: Batch, groups: list[Any], n_jobs: int) -> Iterator[tuple[Any, Answer]]:
    """The groups and their answers as they come; groups that a dying process took along again, one
    by one.
    """
    left = list(range(len(groups)))
    calls = (delayed(_numbered)(i, batch.take(group)) for i, group in enumerate(groups))
    try:
        for i, answer in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(calls):
            left.remove(i)
            yield groups[i], answer
    except BrokenProcessPool:
        for i in left:
            yield from _alone(batch, groups[i])


def _numbered(i: int, batch: Batch) -> tuple[int, Answer]:
    return i, batch.answer()


def _alone(batch: Batch, group: Any) -> Iterator[tuple[Any, Answer]]:
    """A group in a process of its own; where that dies too, its signals one by one."""
    try:
        part = batch.take(group)
        # two processes, because one would be this one
        yield group, Parallel(n_jobs=2)([delayed(part.answer)()])[0]
    except BrokenProcessPool:
        if len(group) == 1:
            yield group, batch.none(1, "its process died (out of memory?)")
            return
        for b in group:
            yield from _alone(batch, np.array([b]))
