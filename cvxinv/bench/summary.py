"""The benchmark at a glance: a line per problem."""

from collections.abc import Sequence
from dataclasses import dataclass

from cvxinv.bench.measure import Kind, Row
from cvxinv.bench.ratios import chosen, ratio, total


@dataclass(frozen=True)
class Run:
    """What was measured with one seed: the rows of every problem."""

    seed: int
    groups: list[list[Row]]


@dataclass(frozen=True)
class Line:
    """A problem, or all of them; every list has an entry per seed.

    Attributes
    ----------
    problem : str
    ours, theirs : list of float
        Milliseconds per signal of fast and of the best per-signal solver, medians.
    rival : list of str
        Which that is; empty where there is none or, for all problems, several.
    ratio, processes, printed : list of float
        How many times the time of fast it takes; the best one in several processes does; the
        paper's algorithms as printed do. Medians of the ratios of paired repeats, but for the last,
        which run once.
    printed_valid : list of bool
        Whether the paper's algorithms solved every signal before their cap; where not, they would
        have taken longer.
    floor : list of float
        How many times the GEMM floor fast takes.
    first_call : list of float
        Milliseconds of the first call of fast on the whole batch; nan where it was no first call.
    on_device : list of float
        Milliseconds per signal between CUDA events; nan without.
    solved : list of int
    batch : int
    """

    problem: str
    ours: list[float]
    rival: list[str]
    theirs: list[float]
    ratio: list[float]
    processes: list[float]
    printed: list[float]
    printed_valid: list[bool]
    floor: list[float]
    first_call: list[float]
    on_device: list[float]
    solved: list[int]
    batch: int


def summary(runs: Sequence[Run]) -> list[Line]:
    """A line per problem, and one for all of them."""
    names = [rows[0].problem for rows in runs[0].groups]
    return [
        *(_line(name, [[run.groups[i]] for run in runs]) for i, name in enumerate(names)),
        _line("all", [run.groups for run in runs]),
    ]


def _line(name: str, seeds: Sequence[Sequence[Sequence[Row]]]) -> Line:
    """The line of some problems, given for each seed."""
    own = [[rows[0] for rows in groups] for groups in seeds]
    batch = own[0][0].batch

    def per_signal(seconds: float) -> float:
        return 1e3 * seconds / batch

    return Line(
        name,
        [per_signal(total(groups, Kind.FAST)) for groups in seeds],
        [_rival(groups) for groups in seeds],
        [per_signal(total(groups, Kind.RIVAL)) for groups in seeds],
        [ratio(groups, Kind.RIVAL) for groups in seeds],
        [ratio(groups, Kind.PROCESSES) for groups in seeds],
        [ratio(groups, Kind.PRINTED) for groups in seeds],
        [all(getattr(chosen(rows, Kind.PRINTED), "valid", False) for rows in g) for g in seeds],
        [1 / ratio(groups, Kind.FLOOR) for groups in seeds],
        [1e3 * _sum([row.first_call for row in rows]) for rows in own],
        [per_signal(_sum([row.on_device for row in rows])) for rows in own],
        [min(row.solved for row in rows) for rows in own],
        batch,
    )


def _rival(groups: Sequence[Sequence[Row]]) -> str:
    found = {getattr(chosen(rows, Kind.RIVAL), "solver", "") for rows in groups}
    return found.pop() if len(found) == 1 else ""


def _sum(seconds: Sequence[float | None]) -> float:
    return sum(float("nan") if s is None else s for s in seconds)
