"""What stands for `torch.cuda` on a pretended device: streams, and graphs that obey the rules of
captures.

Nothing is computed in a capture: results are nan until the first replay, and what was there before
is written to by replays alone. A replay runs the captured operations again, on the same memory.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from tests.support.pretend import Machine


class Stream:
    """Work in order, on one card."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def wait_stream(self, other: "Stream") -> None:
        """The work of the other first; work that is done at once has no order to keep."""


class Event:
    """`torch.cuda.Event`, by the host's clock."""

    def __init__(self, enable_timing: bool = False) -> None:
        self.at = 0.0

    def record(self) -> None:
        """Now."""
        self.at = time.perf_counter()

    def elapsed_time(self, later: "Event") -> float:
        """Milliseconds up to a later one."""
        return 1e3 * (later.at - self.at)


class Graph:
    """`torch.cuda.CUDAGraph`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.steps: list[tuple[Callable[..., Any], Any, Any, list[torch.Tensor]]] = []
        self.own: set[int] = set()  # memory that came to be in the capture
        self.device: torch.device | None = None
        self.mode = ""
        self.replays = 0

    def add(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Take note of an operation on CPU tensors; what it gives has the right shape, no more."""
        schema = zip(args, func._schema.arguments, strict=False)
        written = [a for a, s in schema if s.alias_info is not None and s.alias_info.is_write]
        if written and any(place(a) not in self.own for a in written):
            self.steps.append((func, args, kwargs, []))
            return written[0]
        out = func(*args, **kwargs)
        if not func.is_view:
            found = [a for a in tree_leaves(out) if isinstance(a, torch.Tensor)]
            self.own |= set() if written else {place(a) for a in found}
            self.steps.append((func, args, kwargs, found))
        return out

    def forget(self) -> None:
        """The end of the capture."""
        if not self.steps:
            raise RuntimeError("The CUDA Graph is empty: captured on another device or stream?")
        for a in (a for _, _, _, found in self.steps for a in found):
            if a.is_floating_point() and place(a) in self.own:
                a.fill_(torch.nan)

    def replay(self) -> None:
        """The operations again."""
        self.replays += 1
        for func, args, kwargs, found in self.steps:
            for to, new in zip(found, tree_leaves(func(*args, **kwargs)), strict=False):
                to.copy_(new)


def place(a: torch.Tensor) -> int:
    """Where its memory begins."""
    return a.untyped_storage().data_ptr()


def stubs(machine: "Machine") -> dict[str, Any]:
    """What to put in place of attributes of `torch.cuda`."""
    streams: dict[torch.device, Stream] = {}
    default: list[Stream] = []  # of captures: of the device current at the first one, as in torch

    def stream_of(device: Any = None) -> Stream:
        at = machine.current if device is None else machine.card(device)
        assert at is not None
        return streams.setdefault(at, Stream(at))

    @contextmanager
    def on_device(device: Any) -> Iterator[None]:
        before, machine.current = machine.current, machine.card(device) or machine.current
        try:
            yield
        finally:
            machine.current = before

    @contextmanager
    def on_stream(stream: Stream) -> Iterator[None]:
        with on_device(stream.device):
            before = stream_of()
            streams[stream.device] = stream
            try:
                yield
            finally:
                streams[stream.device] = before

    @contextmanager
    def graph(
        graph: Graph,
        pool: Any = None,
        stream: Stream | None = None,
        capture_error_mode: str = "global",
    ) -> Iterator[None]:
        machine.wait("torch.cuda.graph")
        if stream is None:
            stream = (default or [Stream(machine.current)])[0]
            default[:] = [stream]
        graph.device, graph.mode = stream.device, capture_error_mode
        with on_stream(stream):
            machine.graph = graph
            try:
                yield
            finally:
                machine.graph = None
        graph.forget()
        machine.graphs.append(graph)

    return {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "device_count": lambda: 2,
        "current_device": lambda: machine.current.index,
        "device": on_device,
        "get_device_name": lambda device=None: "pretended",
        "get_device_capability": lambda device=None: machine.capability,
        "get_device_properties": lambda device=None: SimpleNamespace(
            total_memory=2 * machine.free, multi_processor_count=1
        ),
        "Stream": lambda device=None: Stream(stream_of(device).device),
        "current_stream": stream_of,
        "stream": on_stream,
        "Event": Event,
        "CUDAGraph": Graph,
        "graph": graph,
        "synchronize": lambda device=None: machine.wait("synchronize"),
        "empty_cache": lambda: None,
        "mem_get_info": lambda device=None: (machine.free, 2 * machine.free),
        "memory_reserved": lambda device=None: machine.cached,
        "memory_allocated": lambda device=None: 0,
        "max_memory_allocated": lambda device=None: 0,
        "reset_peak_memory_stats": lambda device=None: None,
    }
