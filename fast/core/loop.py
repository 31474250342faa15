"""The one batched loop: it owns iteration caps, rows that are not finite, freezing and compaction
of finished rows, and history.

An algorithm is a pure `step` on a small typed state (a NamedTuple of tensors with a leading B axis)
and says how good a state is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol, Self, TypeVar

import torch
from torch import Tensor

from fast.core.layer import take

S = TypeVar("S", bound=tuple[Any, ...])
NEVER = 1 << 60
COMPACT = 0.1  # share of finished rows from which it pays to drop them from the batch


class Method(Protocol[S]):
    """What the loop asks of an algorithm."""

    capturable: ClassVar[
        bool
    ]  # whether a step makes no decision on the host: then a GPU can replay it as a graph

    def step(self, state: S) -> S:
        """The next state; nothing is changed in place that the caller still holds."""
        ...

    def residual(self, state: S) -> Tensor:
        """(B,): zero exactly at a solution; compared with the goal."""
        ...

    def answer(self, state: S) -> tuple[Tensor, Tensor | None]:
        """Point and multipliers to return for this state: the projected point, never an
        extrapolated one.
        """
        ...

    def __getitem__(self, b: Any) -> Self:
        """The same for some of the signals."""
        ...


@dataclass(eq=False)
class Result:
    """The best answer of each row: smallest residual among the states that were looked at."""

    x: Tensor  # (B, n)
    dual: Tensor | None  # (B, m)
    residual: Tensor  # (B,)
    iterations: Tensor  # (B,) int, those done when the best answer was found

    @classmethod
    def none(cls, like: Tensor, off: Tensor | None) -> "Result":
        """No answer yet: zeros in the shape of `like` (B, n), and of the inequalities `off` (B,
        m).
        """
        x = torch.zeros_like(like)
        dual = None if off is None else torch.zeros_like(off)
        return cls(
            x, dual, x.new_full((len(x),), torch.inf), x.new_zeros(len(x), dtype=torch.int64)
        )

    def __getitem__(self, b: Any) -> "Result":
        return Result(self.x[b], take(self.dual, b), self.residual[b], self.iterations[b])

    def keep_better(self, b: Tensor, other: "Result") -> None:
        """Put the rows of `other`, which are rows `b` of this, in where their residual is smaller;
        nan is never smaller.
        """
        better = other.residual < self.residual[b]
        if len(b) == len(self.x) and bool(better.all()):
            self.x, self.residual, self.iterations, self.dual = (
                other.x,
                other.residual,
                other.iterations,
                other.dual,
            )
            return
        rows = b[better]
        self.x[rows], self.residual[rows], self.iterations[rows] = (
            other.x[better],
            other.residual[better],
            other.iterations[better],
        )
        if self.dual is not None and other.dual is not None:
            self.dual[rows] = other.dual[better]


class Record(NamedTuple):
    """One line of a history: iteration, objective (B,) and residual (B,)."""

    iteration: int
    objective: Tensor
    residual: Tensor


def run(
    method: Method[S],
    state: S,
    goal: float,
    max_iter: int,
    every: int = 1,
    patience: int = NEVER,
    history: list[Record] | None = None,
) -> Result:
    """Step until every row's residual is at the goal, has not halved for `patience` looks, is not
    finite, or the cap is reached.

    Rows are looked at every `every` steps, whatever their companions do: when a row stops depends
    on that row alone.
    """
    x, dual = method.answer(state)
    residual = method.residual(state)
    residual = torch.where(torch.isfinite(residual), residual, torch.inf)
    best = Result(
        x.clone(),
        None if dual is None else dual.clone(),
        residual,
        x.new_zeros(len(x), dtype=torch.int64),
    )
    left = torch.arange(len(x), device=x.device)
    waited, mark = torch.zeros_like(left), best.residual.clone()
    done = 0
    if history is not None:
        history.append(Record(0, objective(method, state), best.residual.clone()))
    advance = _stepper(method, state, every)
    while True:
        current = best.residual[left]
        going = (current > goal) & (waited < patience)
        count = int(going.sum())
        if count == 0 or done >= max_iter:
            return best
        if len(left) - count > COMPACT * len(left):
            method, state, left = method[going], mapped(state, partial(take, b=going)), left[going]
            waited, mark = waited[going], mark[going]
            advance = _stepper(method, state, every)
        steps = min(every, max_iter - done)
        state = advance(state, steps)
        done += steps
        residual = method.residual(state)
        x, dual = method.answer(state)
        open_rows = (
            best.residual[left] > goal
        )  # a finished row keeps the answer that it finished with
        found = Result(
            x, dual, torch.where(open_rows, residual, torch.inf), torch.full_like(left, done)
        )
        best.keep_better(left, found)
        halved = residual < 0.5 * mark
        waited, mark = torch.where(halved, 0, waited + 1), torch.where(halved, residual, mark)
        waited = torch.where(torch.isfinite(residual), waited, NEVER)
        if history is not None:  # finished rows keep the line with which they finished
            line = Record(done, history[-1].objective.clone(), history[-1].residual.clone())
            line.objective[left], line.residual[left] = objective(method, state), residual
            history.append(line)


def blindly(method: Method[S], state: S, steps: int) -> S:
    """The state after some steps, without a look at its residual."""
    return _stepper(method, state, steps)(state, steps)


def _stepper(method: Method[S], state: S, every: int) -> Callable[[S, int], S]:
    """What takes some steps: on a GPU, between two looks, a captured graph, so that the host
    neither launches kernels nor waits.
    """
    if not (method.capturable and every > 1 and state[0].is_cuda):

        def plain(state: S, steps: int) -> S:
            for _ in range(steps):
                state = method.step(state)
            return state

        return plain
    static = mapped(state, torch.clone)
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(
        stream
    ):  # libraries allocate their workspaces in the first call, which a capture may not
        method.step(static)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        _copy(static, method.step(static))

    def captured(state: S, steps: int) -> S:
        _copy(static, state)
        for _ in range(steps):
            graph.replay()
        return mapped(static, torch.clone)

    return captured


def mapped(state: S, f: Callable[[Tensor], Any]) -> S:
    """The state with f applied to each of its tensors."""
    values: Any = [None if a is None else f(a) for a in state]
    return type(state)(*values)


def _copy(to: S, state: S) -> None:
    for a, b in zip(to, state, strict=True):
        if a is not None:
            a.copy_(b)


def objective(method: Any, state: Any) -> Tensor:
    """The objective of the state's answer, in the statement's units up to s^2."""
    value: Tensor = method.layer.objective(method.answer(state)[0])
    return value
