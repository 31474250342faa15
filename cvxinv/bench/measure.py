"""How solvers are timed on a case: the same data, in turn, and the certificate of every answer
computed by `verify`.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import partial
from importlib import import_module
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from cvxinv.arrays import to_numpy
from cvxinv.bench.gram import Answer, attempt
from cvxinv.bench.instances import Case
from cvxinv.bench.processes import shared_out
from cvxinv.bench.rivals import Rival
from cvxinv.certificate import verify
from cvxinv.problems import Quadratic


class Kind(StrEnum):
    """What a row of the table is about."""

    FAST = "fast"
    RIVAL = "per-signal solver"
    PROCESSES = "per-signal solver in processes"
    PRINTED = "Algorithms 5 and 2 as printed"
    RHO_ONE = "Algorithms 5 and 2, rho = 1"
    FLOOR = "GEMM floor"


@dataclass(frozen=True)
class Row:
    """What was measured of one solver on one case.

    Attributes
    ----------
    problem, solver, kind
        Which row it is.
    seconds : float
        For the whole batch: the median of the repeats, times batch / timed where only some of the
        signals were timed.
    timed, batch : int
        How many signals were timed, and how many there are.
    repeats : int
    kkt : float
        The largest KKT residual over the signals timed, of the certificate; inf where one of them
        has no answer.
    solved : int
        How many of the signals timed have a residual within the tolerance.
    iterations : (median, largest) or None
    note : str
        What failed, the statuses, how the floor is made up.
    certifying : float or None
        Seconds that `verify` takes for the answers to the whole batch: part of the time of `fast`,
        and of no rival's.
    times : tuple of float
        Seconds of every repeat, for the whole batch; repeat k of solvers that were timed in turn
        belongs together.
    on_device : float or None
        The median of the seconds between two CUDA events around the call.
    first_call : float or None
        Seconds of the first call of all on this problem, imports done: nothing was warmed.
    """

    problem: str
    solver: str
    kind: Kind
    seconds: float
    timed: int
    batch: int
    repeats: int
    kkt: float = float("nan")
    solved: int = 0
    iterations: tuple[float, int] | None = None
    note: str = ""
    certifying: float | None = None
    times: tuple[float, ...] = ()
    on_device: float | None = None
    first_call: float | None = None

    @property
    def valid(self) -> bool:
        """Whether every signal that was timed is solved."""
        return self.solved == self.timed


@dataclass(frozen=True, eq=False)
class Entrant:
    """A solver and the case it is to solve."""

    solver: str
    kind: Kind
    case: Case
    run: Callable[[], Answer]


def fast(
    case: Case, tol: float, solver: str = "fast", kind: Kind = Kind.FAST, **options: Any
) -> Entrant:
    """`fast.solve` with these options, its certificate included."""
    solve = import_module("cvxinv.fast").solve

    def run() -> Answer:
        found = solve(case.problem, tol=tol, **options)
        statuses = Counter(s.name for s in found.status)
        return Answer(
            found.x,
            found.dual,
            found.iterations,
            ", ".join(f"{k} {name}" for name, k in sorted(statuses.items())),
        )

    return Entrant(solver, kind, case, run)


def per_signal(rival: Rival, case: Case, q: Quadratic) -> Entrant:
    """A rival on q, (Q) of the case in NumPy."""
    return Entrant(rival.name, Kind.RIVAL, case, partial(attempt, rival.solve, q))


@contextmanager
def in_processes(rival: Rival, case: Case, q: Quadratic, processes: int) -> Iterator[Entrant]:
    """The same in so many processes, which are there for as long as this lasts."""
    with shared_out(rival.solve, q, processes) as run:
        yield Entrant(f"{rival.name}, {processes} processes", Kind.PROCESSES, case, run)


def in_numpy(q: Quadratic) -> Quadratic:
    """(Q) with its arrays in NumPy."""

    def plain(value: Any) -> Any:
        return np.ascontiguousarray(to_numpy(value)) if hasattr(value, "ndim") else value

    return Quadratic(*(plain(getattr(q, f.name)) for f in fields(q)))


class Clock(NamedTuple):
    """Seconds that a call took: wall time, and between CUDA events around it."""

    seconds: float
    on_device: float | None = None


def timed(run: Callable[[], Any], device: str) -> tuple[Clock, Any]:
    """A call of `run`, all work that it queues on the device included, and what it returned."""
    if device != "cuda":
        start = time.perf_counter()
        found = run()
        return Clock(time.perf_counter() - start), found
    cuda: Any = import_module("torch").cuda
    before, after = (cuda.Event(enable_timing=True) for _ in range(2))
    cuda.synchronize()
    start = time.perf_counter()
    before.record()
    found = run()
    after.record()
    cuda.synchronize()
    return Clock(time.perf_counter() - start, before.elapsed_time(after) / 1e3), found


def measure(entrants: Sequence[Entrant], batch: int, tol: float, repeats: int) -> list[Row]:
    """A row for each, their repeats taken in turn, so that what slows the machine slows them
    all.
    """
    clocks: list[list[Clock]] = [[] for _ in entrants]
    answers: list[Any] = [None] * len(entrants)
    for _ in range(repeats):
        for i, entrant in enumerate(entrants):
            clock, answers[i] = timed(entrant.run, entrant.case.device)
            clocks[i].append(clock)
    return [_row(*group, batch, tol) for group in zip(entrants, clocks, answers, strict=True)]


def _row(entrant: Entrant, clocks: list[Clock], answer: Answer, batch: int, tol: float) -> Row:
    case, whole = entrant.case, batch / entrant.case.batch
    proofs = [
        timed(lambda: verify(case.problem, answer.x, answer.dual), case.device) for _ in clocks
    ]
    kkt = to_numpy(proofs[0][1].kkt)
    failed = int((~np.isfinite(to_numpy(answer.x)).all(axis=1)).sum())
    note = answer.note if not failed else f"failed on {failed} of {case.batch}: {answer.note}"
    counts = None
    if answer.iterations is not None:
        counts = np.broadcast_to(to_numpy(answer.iterations), (case.batch,))
    on_device = [clock.on_device for clock in clocks if clock.on_device is not None]
    return Row(
        case.name,
        entrant.solver,
        entrant.kind,
        whole * median(clock.seconds for clock in clocks),
        case.batch,
        batch,
        len(clocks),
        float(kkt.max()),
        int((kkt <= tol).sum()),
        None if counts is None else (float(np.median(counts)), int(counts.max())),
        note,
        whole * median(proof.seconds for proof, _ in proofs),
        tuple(whole * clock.seconds for clock in clocks),
        whole * median(on_device) if on_device else None,
    )
