"""Whether fast became slower between two results, of one machine or of two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from statistics import median
from typing import Any

from cvxinv.bench.measure import Kind, Row
from cvxinv.bench.ratios import best, paired, ratio, total
from cvxinv.bench.result import Result

TOLERATED = 0.10  # what medians of few repeats differ by from run to run
# settings that must agree; threads because rivals have one whatever fast has
STATED = (
    *("generator", "condition", "batch", "noise", "lam", "gamma", "dtype", "tolerance"),
    *("device", "threads"),
)
Groups = Sequence[Sequence[Row]]


@dataclass(frozen=True)
class Change:
    """A problem, or all of them, in the old result and in the new one.

    Attributes
    ----------
    problem : str
    ms : (old, new)
        Milliseconds per signal of fast.
    faster : (old, new)
        How many times faster than the best rival of the old result; nan where the new one did not
        time it alike.
    floor : (old, new)
        How many times the GEMM floor.
    solved : (old, new)
        Signals that fast solved.
    batch : int
    """

    problem: str
    ms: tuple[float, float]
    faster: tuple[float, float]
    floor: tuple[float, float]
    solved: tuple[int, int]
    batch: int

    @property
    def slower(self) -> float:
        """The new time over the old one, in units of what was timed beside it: the rival or the
        floor, whichever speaks more for the new one.
        """
        found = self.faster[0] / self.faster[1], self.floor[1] / self.floor[0]
        return min((f for f in found if isfinite(f)), default=nan)

    @property
    def regressed(self) -> bool:
        """Fewer signals solved, or slower by both yardsticks than is tolerated."""
        return self.solved[1] < self.solved[0] or self.slower > 1 + TOLERATED


def check_comparable(old: Result, new: dict[str, Any]) -> None:
    """Raise ValueError where the new settings are not those of the old result, or none of its seeds
    is among them.
    """
    differ = [
        f"{key} {old.settings[key]} then, {new[key]} now"
        for key in STATED
        if key in old.settings and old.settings[key] != new[key]
    ]
    if differ:
        raise ValueError(f"--compare: not measured alike: {'; '.join(differ)}")
    seeds = [run.seed for run in old.runs]
    if not {*seeds} & {*new["seeds"]}:
        raise ValueError(f"--compare: no seed in common: {seeds} then, {new['seeds']} now")


def compare(old: Result, new: Result) -> list[Change]:
    """A change per problem, and one for all of them: medians over the seeds in common."""
    pairs = [
        (then.groups, now.groups) for then in old.runs for now in new.runs if then.seed == now.seed
    ]
    names = [rows[0].problem for rows in pairs[0][0]]
    return [
        *(
            _change(name, [(then[i : i + 1], now[i : i + 1]) for then, now in pairs])
            for i, name in enumerate(names)
        ),
        _change("all", pairs),
    ]


def _change(name: str, pairs: Sequence[tuple[Groups, Groups]]) -> Change:
    def both(value: Callable[[Groups], float], over_seeds: Any = median) -> Any:
        return tuple(over_seeds(map(value, side)) for side in zip(*pairs, strict=True))

    batch = pairs[0][0][0][0].batch
    faster = [_against_the_old_rival(*pair) for pair in pairs]
    return Change(
        name,
        both(lambda groups: 1e3 * total(groups, Kind.FAST) / batch),
        (median(then for then, _ in faster), median(now for _, now in faster)),
        both(lambda groups: 1 / ratio(groups, Kind.FLOOR)),
        both(lambda groups: min(rows[0].solved for rows in groups), min),
        batch,
    )


def _against_the_old_rival(old: Groups, new: Groups) -> tuple[float, float]:
    """How many times faster than the rivals that were best then, where they were timed on as many
    signals now.
    """
    then = [best(rows) for rows in old]
    now = [
        next((r for r in rows if was and (r.solver, r.timed) == (was.solver, was.timed)), None)
        for rows, was in zip(new, then, strict=True)
    ]
    if None in then or None in now:
        return nan, nan
    return _paired(old, then), _paired(new, now)


def _paired(groups: Groups, other: Sequence[Row | None]) -> float:
    return paired([rows[0] for rows in groups], [row for row in other if row is not None])
