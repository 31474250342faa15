"""Who is timed on a problem: fast and the installed rivals, the paper's algorithms, the floor."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from cvxinv.bench import rivals
from cvxinv.bench.floor import floor
from cvxinv.bench.instances import Case
from cvxinv.bench.measure import (
    Kind,
    Row,
    fast,
    in_numpy,
    in_processes,
    measure,
    per_signal,
    timed,
)
from cvxinv.bench.ratios import rank
from cvxinv.bench.rivals import Rival
from cvxinv.problems import LastLayer
from cvxinv.rows import take

FINALISTS = 2  # per problem, of the solvers that are timed on a few signals first
PRINTED_RHO = 1e-2  # of the paper's section 6


def everyone(
    cases: Sequence[Case],
    tol: float,
    *,
    repeats: int,
    first: int,
    processes: int,
    max_iter: int,
    cold: bool,
    say: Callable[[str], None],
) -> list[list[Row]]:
    """The rows of every problem. `cold`: fast has not run in this process yet, so its first call on
    each problem is timed before anything else is, in the order of an inversion.
    """
    calls: list[float | None] = [None] * len(cases)
    if cold:
        entrants = [fast(case, tol) for case in cases]  # imports
        calls = [timed(entrant.run, entrant.case.device)[0].seconds for entrant in entrants]
    groups = []
    for case, first_call in zip(cases, calls, strict=True):
        own, *others = race(case, tol, repeats, first, say, processes)
        own = replace(own, first_call=first_call)
        groups.append([own, *others, *paper(case, tol, max_iter, say), floor(case, repeats)])
    return groups


def race(
    case: Case,
    tol: float,
    repeats: int,
    first: int,
    say: Callable[[str], None],
    processes: int = 1,
) -> list[Row]:
    """fast and the installed rivals: all of these once on `first` signals, then the best of them on
    all signals, in turn with fast, and also in so many processes where that is more than one.

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
    order = sorted(rows, key=lambda r: rank(rows[r]))
    ranking = [r for r in order if rows[r].valid] or order[:1]
    entrant = fast(case, tol)
    say(f"{case.name}: fast")
    entrant.run()  # the same for it
    while True:
        finalists, ranking = ranking[:FINALISTS], ranking[FINALISTS:]
        say(f"{case.name}: {', '.join(['fast', *(r.name for r in finalists)])}")
        with ExitStack() as workers:
            teams = [
                workers.enter_context(in_processes(r, case, q, processes))
                for r in finalists
                if processes > 1
            ]
            alone = [per_signal(r, case, q) for r in finalists]
            own, *found = measure([entrant, *alone, *teams], case.batch, tol, repeats)
        rows |= dict(zip(finalists, found, strict=False))
        if not ranking or any(row.valid for row in found):
            return [own, *rows.values(), *found[len(finalists) :]]


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
