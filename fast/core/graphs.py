"""Steps that a GPU repeats by itself, as a captured graph: the host neither launches kernels nor
waits.

A state is a NamedTuple of tensors; a step changes nothing in place that its caller still holds.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch

S = TypeVar("S", bound=tuple[Any, ...])
Step = Callable[[S], S]
Steps = Callable[[S, int], S]  # so many steps from a state


def fastest(step: Step[S], state: S) -> Steps[S]:
    """A graph where the state is on a GPU."""
    return captured(step, state) if state[0].is_cuda else plain(step)


def plain(step: Step[S]) -> Steps[S]:
    """One step after the other."""

    def steps(state: S, count: int) -> S:
        for _ in range(count):
            state = step(state)
        return state

    return steps


def captured(step: Step[S], state: S) -> Steps[S]:
    """A graph of the step, for states of the same shapes as this one.

    A capture belongs to one device, the tensors' own, which need not be the current one; other
    threads may do meanwhile what a capture may not.
    """
    static, graph = _cloned(state), torch.cuda.CUDAGraph()
    with torch.cuda.device(state[0].device):
        here = torch.cuda.current_stream()
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(here)
        # libraries allocate their workspaces in the first call, which a capture may not
        with torch.cuda.stream(stream):
            step(static)
        here.wait_stream(stream)
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            _copy(static, step(static))

    def steps(state: S, count: int) -> S:
        _copy(static, state)
        for _ in range(count):
            graph.replay()
        return _cloned(static)

    return steps


def _cloned(state: S) -> S:
    values: Any = [a.clone() for a in state]
    return type(state)(*values)


def _copy(to: S, state: S) -> None:
    for a, b in zip(to, state, strict=True):
        a.copy_(b)
