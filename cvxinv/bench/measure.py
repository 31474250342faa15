"""How solvers are timed on a case: the same data, in turn, and the certificate of every answer
computed by `verify`.
"""

import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from importlib import import_module
from statistics import median
from typing import Any

import numpy as np

from cvxinv.arrays import to_numpy
from cvxinv.bench import rivals
from cvxinv.bench.gram import Answer
from cvxinv.bench.instances import Case
from cvxinv.bench.rivals import Rival
from cvxinv.certificate import verify
from cvxinv.problems import LastLayer, Quadratic
from cvxinv.rows import take

FINALISTS = 2  # per problem, of the solvers that are timed on a few signals first
PRINTED_RHO = 1e-2  # of the paper's section 6


class Kind(StrEnum):
    """What a row of the table is about."""

    FAST = "fast"
    RIVAL = "per-signal solver"
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
    """A rival on q, (Q) of the case in NumPy; whatever it raises is its answer."""

    def run() -> Answer:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the certificate says what comes of them
                return rival.solve(q)
        except Exception as error:
            return Answer(np.full((q.size, q.W.shape[1]), np.nan), note=str(error))

    return Entrant(rival.name, Kind.RIVAL, case, run)


def in_numpy(q: Quadratic) -> Quadratic:
    """(Q) with its arrays in NumPy."""

    def plain(value: Any) -> Any:
        return np.ascontiguousarray(to_numpy(value)) if hasattr(value, "ndim") else value

    return Quadratic(*(plain(getattr(q, f.name)) for f in fields(q)))


def seconds(run: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Wall time of `run()`, all work queued on the device included, and what it returns."""
    import torch

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    wait()
    start = time.perf_counter()
    found = run()
    wait()
    return time.perf_counter() - start, found


def measure(entrants: Sequence[Entrant], batch: int, tol: float, repeats: int) -> list[Row]:
    """A row for each, their repeats taken in turn, so that what slows the machine slows them
    all.
    """
    times: list[list[float]] = [[] for _ in entrants]
    answers: list[Any] = [None] * len(entrants)
    for _ in range(repeats):
        for i, entrant in enumerate(entrants):
            elapsed, answers[i] = seconds(entrant.run, entrant.case.problem.data.device.type)
            times[i].append(elapsed)
    return [_row(*group, batch, tol) for group in zip(entrants, times, answers, strict=True)]


def _row(entrant: Entrant, times: list[float], answer: Answer, batch: int, tol: float) -> Row:
    case = entrant.case
    proofs = [
        seconds(lambda: verify(case.problem, answer.x, answer.dual), case.problem.data.device.type)
        for _ in times
    ]
    kkt = to_numpy(proofs[0][1].kkt)
    failed = int((~np.isfinite(to_numpy(answer.x)).all(axis=1)).sum())
    note = answer.note if not failed else f"failed on {failed} of {case.batch}: {answer.note}"
    counts = None
    if answer.iterations is not None:
        counts = np.broadcast_to(to_numpy(answer.iterations), (case.batch,))
    return Row(
        case.name,
        entrant.solver,
        entrant.kind,
        median(times) * batch / case.batch,
        case.batch,
        batch,
        len(times),
        float(kkt.max()),
        int((kkt <= tol).sum()),
        None if counts is None else (float(np.median(counts)), int(counts.max())),
        note,
        median(took for took, _ in proofs) * batch / case.batch,
    )


def race(case: Case, tol: float, repeats: int, first: int, say: Callable[[str], None]) -> list[Row]:
    """fast and the installed rivals: all of these once on `first` signals, then the best of them on
    all signals, in turn with fast.

    The best are the two fastest of those that solved every signal (where on the whole batch neither
    does, the next ones), and the one that came closest where none did.
    """
    q = in_numpy(case.problem.quadratic())
    few = case.head(first)
    rows: dict[Rival, Row] = {}
    for rival in rivals.RIVALS:
        if rival.installed and rival.applies(q):
            say(f"{case.name}: {rival.name} on {few.batch} signals")
            per_signal(rival, case.head(1), take(q, slice(1))).run()  # imports, compilation
            entry = per_signal(rival, few, take(q, slice(first)))
            rows[rival] = measure([entry], case.batch, tol, 1)[0]
    order = sorted(rows, key=lambda r: _rank(rows[r]))
    ranking = [r for r in order if rows[r].valid] or order[:1]
    entrant = fast(case, tol)
    say(f"{case.name}: fast")
    entrant.run()  # the same for it
    while True:
        finalists, ranking = ranking[:FINALISTS], ranking[FINALISTS:]
        say(f"{case.name}: {', '.join(['fast', *(r.name for r in finalists)])}")
        own, *found = measure(
            [entrant, *(per_signal(r, case, q) for r in finalists)], case.batch, tol, repeats
        )
        rows |= dict(zip(finalists, found, strict=True))
        if not ranking or any(row.valid for row in found):
            return [own, *rows.values()]


def _rank(row: Row) -> tuple[bool, float]:
    return (not row.valid, row.seconds if row.valid else row.kkt)


def paper(case: Case, tol: float, max_iter: int, say: Callable[[str], None]) -> list[Row]:
    """The paper's algorithms, once each: Algorithm 5 for the last layer, Algorithm 2 with its rho
    and with rho = 1 for the others.
    """
    if isinstance(case.problem, LastLayer):
        entrants = [
            fast(case, tol, "Algorithm 5 (FISTA)", Kind.PRINTED, method="fista", max_iter=max_iter)
        ]
    else:
        entrants = [
            fast(
                case,
                tol,
                f"Algorithm 2, rho = {rho:g}",
                kind,
                method="linearized_admm",
                rho=rho,
                max_iter=max_iter,
            )
            for rho, kind in ((PRINTED_RHO, Kind.PRINTED), (1.0, Kind.RHO_ONE))
        ]
    say(f"{case.name}: the paper's algorithms")
    return measure(entrants, case.batch, tol, 1)


def best(rows: Sequence[Row]) -> Row | None:
    """The fastest rival that solved every signal of the whole batch; where none did, the one that
    came closest; None without rivals.
    """
    found = [row for row in rows if row.kind is Kind.RIVAL]
    return min([row for row in found if row.timed == row.batch] or found, key=_rank, default=None)


def total(groups: Sequence[Sequence[Row]], kind: Kind) -> float:
    """Seconds for all problems: of the best rival, or of the rows of that kind (of Algorithm 5
    where rho does not enter).
    """

    def of(rows: Sequence[Row], kind: Kind) -> float:
        of_kind = next((row for row in rows if row.kind is kind), None)
        chosen = best(rows) if kind is Kind.RIVAL else of_kind
        if chosen is None and kind is Kind.RHO_ONE:
            return of(rows, Kind.PRINTED)
        return float("nan") if chosen is None else chosen.seconds

    return sum(of(rows, kind) for rows in groups)
