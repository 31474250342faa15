"""Steps that a GPU repeats by itself, as a captured graph: the host neither launches kernels nor
waits.

A state is a NamedTuple of tensors; a step changes nothing in place that its caller still holds.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

MOST, LARGEST = 8, 1 << 26  # graphs that are kept, and bytes that one may be captured for

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


@dataclass(frozen=True, eq=False)
class Captured(Generic[S]):
    """A graph of a step, from and to the same memory."""

    step: Step[S]  # what the graph reads lives as long as the step does
    static: S
    graph: Any

    def __call__(self, state: S, count: int) -> S:
        """So many steps from a state."""
        _copy(self.static, state)
        for _ in range(count):
            self.graph.replay()
        return _cloned(self.static)


def captured(step: Step[S], state: S) -> Captured[S]:
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
    return Captured(step, static, graph)


# -- graphs that are kept for the next call --------------------------------------------------------

_lock = threading.Lock()
# by what they were captured for, the latest last: the graph's own copy of that, and its steps
_kept: OrderedDict[Any, tuple[list[Tensor], Steps[Any]]] = OrderedDict()


class Stepping(Protocol[S]):
    """What can be kept: a dataclass of tensors and numbers that takes steps."""

    def step(self, state: S) -> S:
        """The next state."""
        ...


def kept(method: Stepping[S], state: S, count: int) -> S:
    """So many steps, by the graph of an earlier method of the same kind and shapes, if there is one
    on this stream: its arrays are filled with those of this method.

    A capture takes as long as hundreds of kernels. The work of one stream is done in order, and one
    thread at a time gives it: no call sees the arrays of another.
    """
    if not state[0].is_cuda:
        return plain(method.step)(state, count)
    kind, tensors = _apart(method)
    of_state, own = _apart(state)
    if sum(a.numel() * a.element_size() for a in tensors + own) > LARGEST:
        return captured(method.step, state)(state, count)
    stream = torch.cuda.current_stream(state[0].device)
    key = stream, torch.is_inference_mode_enabled(), kind, of_state
    with _lock:
        found = _kept.pop(key, None)
        if found is None:
            copy = _copied(method)
            found = _apart(copy)[1], captured(copy.step, state)
        else:
            _copy(found[0], tensors)
        _kept[key] = found
        if len(_kept) > MOST:
            _kept.popitem(last=False)
        steps: Steps[S] = found[1]
        return steps(state, count)


def forget() -> None:
    """Free the memory of all that is kept."""
    with _lock:
        _kept.clear()


def _apart(tree: Any) -> tuple[Any, list[Tensor]]:
    """What kind of thing it is, hashable, and the tensors in it."""
    if isinstance(tree, Tensor):
        return (tree.shape, tree.dtype, tree.device), [tree]
    values = [getattr(tree, f.name) for f in fields(tree)] if is_dataclass(tree) else tree
    if not isinstance(values, (list, tuple)):
        return values, []
    parts = [_apart(value) for value in values]
    kind = type(tree), *(part for part, _ in parts)
    return kind, [a for _, tensors in parts for a in tensors]


def _copied(tree: Any) -> Any:
    """The same with tensors of its own."""
    if isinstance(tree, Tensor):
        return tree.clone()
    if is_dataclass(tree) and not isinstance(tree, type):
        return replace(tree, **{f.name: _copied(getattr(tree, f.name)) for f in fields(tree)})
    return tree


def _cloned(state: S) -> S:
    values: Any = [a.clone() for a in state]
    return type(state)(*values)


def _copy(to: Any, state: Any) -> None:
    for a, b in zip(to, state, strict=True):
        a.copy_(b)
