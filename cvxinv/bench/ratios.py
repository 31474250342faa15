"""What the rows of problems say of a solver against fast: seconds in all, and ratios."""

from collections.abc import Sequence
from statistics import median

from cvxinv.bench.measure import Kind, Row


def rank(row: Row) -> tuple[bool, float]:
    """The smaller, the better: solvers that solved every signal by their time, then the others by
    their worst KKT residual.
    """
    return (not row.valid, row.seconds if row.valid else row.kkt)


def best(rows: Sequence[Row], kind: Kind = Kind.RIVAL) -> Row | None:
    """The fastest rival that solved every signal of the whole batch; where none did, the one that
    came closest; None without rivals. Those in processes are a kind of their own.
    """
    found = [row for row in rows if row.kind is kind]
    return min([row for row in found if row.timed == row.batch] or found, key=rank, default=None)


def chosen(rows: Sequence[Row], kind: Kind) -> Row | None:
    """The row of a problem that stands for a kind: the best one of it, and Algorithm 5 where rho
    does not enter.
    """
    found = best(rows, kind)
    return best(rows, Kind.PRINTED) if found is None and kind is Kind.RHO_ONE else found


def total(groups: Sequence[Sequence[Row]], kind: Kind) -> float:
    """Seconds for all problems; nan where one has no row of that kind."""
    found = [chosen(rows, kind) for rows in groups]
    return sum(float("nan") if row is None else row.seconds for row in found)


def ratio(groups: Sequence[Sequence[Row]], kind: Kind) -> float:
    """How many times the seconds of fast a kind takes for all these problems; nan where one has no
    row of it.
    """
    found = [chosen(rows, kind) for rows in groups]
    return paired([rows[0] for rows in groups], [row for row in found if row is not None])


def paired(own: Sequence[Row], other: Sequence[Row]) -> float:
    """The median over the repeats of the ratio of `other` to `own`, the seconds of each summed over
    their problems; nan where these are not as many.

    Repeat k was taken in turn with repeat k, so that what slowed the machine slowed both. What was
    not repeated alike (the paper's algorithms and the floor run once) is held against medians.
    """
    if len(own) != len(other):
        return float("nan")
    if len({len(row.times) for row in (*own, *other)}) != 1 or not own[0].times:
        return sum(row.seconds for row in other) / sum(row.seconds for row in own)
    sums = [
        [sum(times) for times in zip(*(row.times for row in side), strict=True)]
        for side in (own, other)
    ]
    return float(median(theirs / ours for ours, theirs in zip(*sums, strict=True)))
