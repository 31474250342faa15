"""The one batched loop: it owns iteration caps, rows that are not finite, freezing and compaction
of finished rows, and history.

An algorithm is a layer, a `start`, a pure `step` on a small typed state (a NamedTuple of tensors
with a leading B axis), and says how good a state is and what it answers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from cvxinv.rows import store, take, where

from . import graphs

S = TypeVar("S", bound=tuple[Any, ...])
NEVER = 1 << 60
COMPACT = 0.1  # share of finished rows from which it pays to drop them from the batch


class Problem(Protocol):
    """What the loop asks of what an algorithm solves."""

    def objective(self, x: Tensor) -> Tensor:
        """The objective (B,), in units of the signal."""
        ...


class Method(Protocol[S]):
    """What the loop asks of an algorithm: a frozen dataclass, so that `rows.take` can choose some
    of its signals.
    """

    # whether a step makes no decision on the host: then a GPU can replay it as a graph
    capturable: ClassVar[bool]

    @property
    def layer(self) -> Problem:
        """What it solves."""
        ...

    def start(self, x: Tensor, dual: Tensor) -> S:
        """From points (B, n) and their multipliers, (B, m), or (B, 0) without inequalities."""
        ...

    def step(self, state: S) -> S:
        """The next state; nothing is changed in place that the caller still holds."""
        ...

    def residual(self, state: S) -> Tensor:
        """(B,): zero exactly at a solution; compared with the goal."""
        ...

    def answer(self, state: S) -> tuple[Tensor, Tensor]:
        """Point and multipliers to return for this state: the projected point, never an
        extrapolated one.
        """
        ...


@dataclass(eq=False)
class Result:
    """The best answer of each row: smallest residual among the states that were looked at."""

    x: Tensor  # (B, n)
    dual: Tensor  # (B, m), or (B, 0) without inequalities
    residual: Tensor  # (B,)
    iterations: Tensor  # (B,) int, those done when the best answer was found

    @classmethod
    def at(cls, x: Tensor, dual: Tensor) -> "Result":
        """Points of which nothing is known yet."""
        none = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        return cls(x.clone(), dual.clone(), torch.full_like(x[:, 0], torch.inf), none)

    def keep_better(self, b: Tensor, other: "Result") -> None:
        """Put the rows of `other`, which are rows `b` of this, in where their residual is smaller;
        nan is never smaller.
        """
        smaller = other.residual < self.residual[b]
        if smaller.is_cuda:  # choosing rows would make the host wait
            store(self, b, where(smaller, other, take(self, b)))
            return
        better = torch.nonzero(smaller)[:, 0]
        if len(better) == len(self.x):
            vars(self).update(vars(other))
        else:
            store(self, b[better], take(other, better))


class Record(NamedTuple):
    """One line of a history: iteration, objective (B,) and residual (B,)."""

    iteration: int
    objective: Tensor
    residual: Tensor


@dataclass(frozen=True)
class NoHistory:
    """Nothing is recorded; `left` is told at every look how many rows still go on."""

    left: Callable[[int], Any] = lambda count: None

    def add(self, done: int, b: Tensor, method: Method[S], state: S, residual: Tensor) -> None:
        """Take note of the rows `b` after `done` iterations; method, state and residual have the
        same rows.
        """


@dataclass(frozen=True)
class History(NoHistory):
    """Objective and residual at every look; a finished row keeps the line of its last one."""

    lines: list[Record] = field(default_factory=list)

    def add(self, done: int, b: Tensor, method: Method[S], state: S, residual: Tensor) -> None:
        objective = method.layer.objective(method.answer(state)[0])
        if self.lines:
            last = self.lines[-1]
            objective = last.objective.index_copy(0, b, objective)
            residual = last.residual.index_copy(0, b, residual)
        self.lines.append(Record(done, objective, residual))


NOTHING = NoHistory()


def run(
    method: Method[S],
    state: S,
    goal: float,
    max_iter: int,
    every: int = 1,
    patience: int = NEVER,
    history: NoHistory = NOTHING,
) -> Result:
    """Step until every row's residual is at the goal, has not halved for `patience` looks, is not
    finite, or the cap is reached.

    Rows are looked at every `every` steps, whatever their companions do: when a row stops depends
    on that row alone, and it keeps the answer with which it stopped.
    """
    best = Result.at(*method.answer(state))
    residual = method.residual(state)
    best.residual = torch.where(torch.isfinite(residual), residual, torch.inf)
    left = torch.arange(len(residual), device=residual.device)
    going, waited, mark = best.residual > goal, torch.zeros_like(left), best.residual.clone()
    done = 0
    history.add(done, left, method, state, best.residual.clone())
    advance = _stepper(method, state, every)
    while True:
        kept = torch.nonzero(going)[:, 0]  # the one wait for a GPU between two looks
        history.left(len(kept))
        if not len(kept) or done >= max_iter:
            return best
        if len(left) - len(kept) > COMPACT * len(left):
            method, state = take(method, kept), take(state, kept)
            left, going, waited, mark = take([left, going, waited, mark], kept)
            advance = _stepper(method, state, every)
        steps = min(every, max_iter - done)
        state = advance(state, steps)
        done += steps
        residual = method.residual(state)
        new = torch.where(going, residual, torch.inf)
        best.keep_better(left, Result(*method.answer(state), new, torch.full_like(left, done)))
        if isinstance(history, History):
            b = torch.nonzero(going)[:, 0]
            history.add(done, left[b], take(method, b), take(state, b), residual[b])
        halved = residual < 0.5 * mark
        waited, mark = torch.where(halved, 0, waited + 1), torch.where(halved, residual, mark)
        going &= (best.residual[left] > goal) & (waited < patience) & torch.isfinite(residual)


def blindly(method: Method[S], state: S, steps: int) -> S:
    """The state after some steps, without a look at its residual."""
    if method.capturable:
        return graphs.kept(method, state, steps)
    return graphs.plain(method.step)(state, steps)


def _stepper(method: Method[S], state: S, every: int) -> graphs.Steps[S]:
    """What takes some steps: on a GPU, between two looks, a captured graph."""
    repeated = method.capturable and every > 1
    return graphs.fastest(method.step, state) if repeated else graphs.plain(method.step)
