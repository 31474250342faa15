"""The sweep of `check_solver`: level by level, kind by kind, by Hypothesis."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings

from cvxinv import checks
from cvxinv.arrays import FLOATS
from cvxinv.testing.examples import examples
from cvxinv.testing.kinds import FORMS
from cvxinv.testing.levels import SWEEP, Level
from cvxinv.testing.names import LEVELS, kinds, some
from cvxinv.testing.plant import planted_examples
from cvxinv.testing.reduce import reduced
from cvxinv.testing.traits import Asked, Traits, asked
from cvxinv.testing.trial import Failure, Trial

SECONDS = 5.0  # spent on looking for a smaller instance, twice
LEAST = 4  # examples of a level
QUIET: dict[str, Any] = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "phases": (Phase.generate, Phase.shrink),
    "suppress_health_check": list(HealthCheck),
    "report_multiple_bugs": False,
    "print_blob": False,
}


@dataclass(frozen=True)
class Row:
    """What a level of a kind came to."""

    kind: str
    level: str
    examples: int
    seconds: float
    failure: Failure | None = None


@dataclass(frozen=True)
class Sweep:
    """What is put to a solver."""

    solve: Callable[..., Any]
    problems: tuple[str, ...]
    tol: float
    max_examples: int
    dtypes: tuple[str, ...]
    batch: int | None
    arrays: bool
    library: Any
    skip: tuple[str, ...] = ()
    seed: int = 0

    def rows(self) -> Iterator[Row]:
        """Level by level, kind by kind; the levels of a kind end with the first that fails."""
        for kind in self.problems:
            levels = [level for level in SWEEP if self._has(level, kind)]
            share = max(LEAST, self.max_examples // len(levels))
            for level in levels:
                row = self._row(kind, level, share)
                yield row
                if row.failure is not None:
                    break

    def _has(self, level: Level, kind: str) -> bool:
        """Whether a level is for this kind and this sweep."""
        if level.name in self.skip or not level.applies(kind):
            return False
        if level.least > 1 and (self.batch or 1) < 2:
            return False
        return level.traits.get("dtype", self.dtypes[0]) in self.dtypes

    def _want(self, level: Level) -> Asked:
        """The traits of a level."""
        batch = None if self.batch is None else (min(level.least, self.batch), self.batch)
        given = Traits(dtype=self.dtypes[0], batch=batch, library=self.library)
        return asked(**(given | level.traits))

    def _row(self, kind: str, level: Level, count: int) -> Row:
        """A level: examples until one fails, then smaller ones that fail, too."""
        trial = Trial(self.solve, kind, self.tol, self.arrays)
        search = _Search(trial, level)
        start, want = time.perf_counter(), self._want(level)
        draw: Any = planted_examples if level.planted else examples

        @settings(max_examples=count, **QUIET)
        @hypothesis.seed(self.seed)
        @hypothesis.given(draw(FORMS[kind], want))
        def run(example: Any) -> None:
            search.put(example)

        try:
            run()
        except (_FoundError, _LateError):
            pass
        except hypothesis.errors.Flaky:
            search.flaky()
        search.reduce()
        seconds = time.perf_counter() - start
        return Row(kind, level.name, search.seen, seconds, search.failure)


class _FoundError(Exception):
    """An example failed: for Hypothesis, which looks for a smaller one."""


class _LateError(BaseException):
    """Time is up: Hypothesis catches no `BaseException`, and its search ends."""


@dataclass
class _Search:
    """The property that Hypothesis falsifies, and the smallest example of it so far."""

    trial: Trial
    level: Level
    seen: int = 0
    failure: Failure | None = None
    since: float = 0.0

    def put(self, example: Any) -> None:
        """Raise if the example fails."""
        self.seen += self.failure is None
        if self._late():
            raise _LateError
        failure = self._failure(example)
        if failure is None:
            return
        self.since = self.since or time.perf_counter()
        self.failure = failure
        raise _FoundError

    def _late(self) -> bool:
        return self.failure is not None and time.perf_counter() > self.since + SECONDS

    def reduce(self) -> None:
        """Make the failing statement smaller, where all that is known of it stays true."""
        if (
            self.failure is None
            or self.level.planted
            or not self.level.traits.get("feasible", True)
        ):
            return

        def fails(problem: Any) -> bool:
            failure = self.trial.failure(problem, False)
            self.failure = self.failure if failure is None else failure
            return failure is not None

        self.since = time.perf_counter()
        if fails(self.failure.problem):  # it may have failed in another order only
            reduced(self.failure.problem, fails, self._late)

    def _failure(self, example: Any) -> Failure | None:
        problem = example.problem
        if self.level.planted:
            return self.trial.failure(problem, False, example.objective)
        found = self.trial.failure(problem, example.infeasible)
        if found is None and self.level.companions:
            order = list(range(len(problem)))[::-1]
            found = self.trial.failure(problem[order], example.infeasible[order])
            found = found or self.trial.failure(problem[:1], example.infeasible[:1])
        return found

    def flaky(self) -> None:
        """The same instance failed once and passed once."""
        if self.failure is not None:
            old = self.failure
            words = f"{old.message}\n(and on another call with the same data not)"
            self.failure = Failure(old.problem, old.x, words)


def sweep(
    solve: Callable[..., Any],
    problems: Any = None,
    *,
    tol: float = 1e-6,
    max_examples: int = 200,
    dtypes: Any = FLOATS[::-1],
    batch: int | None = 3,
    arrays: bool = False,
    library: str = "numpy",
    skip: Any = (),
    seed: int = 0,
) -> Sweep:
    """The arguments of `check_solver`, checked."""
    if not callable(solve):
        raise TypeError(f"solve: expected a function of a problem, got {checks.shown(solve)}")
    arrays = checks.flag("arrays", arrays)
    many = None if batch is None or arrays else checks.integer("batch", batch, 1, 1000)
    return Sweep(
        solve,
        kinds("problems", problems),
        checks.positive("tol", tol),
        checks.integer("max_examples", max_examples, 1),
        tuple(sorted(some("dtypes", dtypes, FLOATS), reverse=True)),
        many,
        arrays,
        checks.choice("library", library, ("numpy", "torch")),
        some("skip", skip, LEVELS, least=0),
        checks.integer("seed", seed),
    )
