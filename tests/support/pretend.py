"""A pretended CUDA device, for machines without one.

    with pretended() as machine:
        there = fast.solve(tensors(problem, "cuda"))
    machine.waits, machine.kernels  # how often, by line of `fast` or `cvxinv`
    memory(there.x)  # the CPU tensor

While it lasts, tensors "on the device" are wrappers around CPU tensors, and everything that torch
does with them comes by here. What mixes a tensor of the CPU with one of a card, or those of two
cards, is refused as torch refuses it; the host's waits and the kernels are counted; captured graphs
(`pretend_cuda`) keep the rules of captures. Numbers are those of the CPU: what the libraries of a
card make of them, streams that race and memory that runs out cannot be seen.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from tests.support.pretend_cuda import Graph, stubs

ROOT = Path(__file__).parents[2]
UNDER_TEST = tuple(str(ROOT / package) for package in ("fast", "cvxinv"))
# operations that hand the host what the card computed, or allocate as much as that says
WAITS = {
    *("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "bincount"),
    *("_unique2", "unique_dim", "unique_consecutive", "_linalg_check_errors"),
    *("_linalg_eigh", "_linalg_svd", "_linalg_eigvals"),
}
INDEXING = {"index", "_unsafe_index", "index_put", "index_put_", "_index_put_impl_"}
ALLOCATES = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}
NO_KERNEL = {*ALLOCATES, *WAITS - {"nonzero"}, "detach", "alias", "lift_fresh"}
FROM_DATA = (torch.tensor, torch.as_tensor, torch.asarray)
MOVES = (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda)


class Card(torch.Tensor):
    """A tensor that says it is on a card.

    To C++ it is on the CPU: a build without CUDA cannot index tensors that are elsewhere.
    """

    memory: Tensor
    card: torch.device

    @staticmethod
    def __new__(cls, memory: Tensor, card: torch.device) -> "Card":
        make: Any = torch.Tensor._make_wrapper_subclass
        found: Card = make(
            cls,
            memory.size(),
            strides=memory.stride(),
            storage_offset=memory.storage_offset(),
            dtype=memory.dtype,
            device="cpu",
        )
        return found

    def __init__(self, memory: Tensor, card: torch.device) -> None:
        self.memory, self.card = memory, card

    device = property(lambda self: self.card)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, *args: Any, **kwargs: Any
    ) -> NoReturn:
        raise RuntimeError(f"{func} of a pretended tensor, outside of `pretended`")

    def numpy(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"can't convert {self.card} device type tensor to numpy")

    __array__ = numpy
    tolist = numpy  # torch would wait for each entry

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"Card({self.memory}, {self.card})"


def memory(a: Any) -> Any:
    """The CPU tensor behind a pretended one, anything else as it is; no wait is counted."""
    return a.memory if isinstance(a, Card) else a


class Machine(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The cards, and what was asked of them."""

    def __init__(self, free: int, cached: int, capability: tuple[int, int]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.current = torch.device("cuda", 0)
        self.free, self.cached = free, cached  # bytes: what the driver, and torch, have left
        self.capability = capability
        self.waits: Counter[str] = Counter()
        self.kernels: Counter[str] = Counter()
        self.graphs: list[Graph] = []  # that were captured
        self.graph: Graph | None = None  # that is being captured

    def card(self, device: Any) -> torch.device | None:
        """The card that is meant, if one is; "cuda" is the current one."""
        device = torch.device("cuda", device) if isinstance(device, int) else torch.device(device)
        if device.type != "cuda":
            return None
        return self.current if device.index is None else device

    def wait(self, why: str) -> None:
        """The host waits for a card."""
        place = where()
        if self.graph is not None:
            raise RuntimeError(f"{why}: not permitted when stream is capturing, at {place}")
        self.waits[f"{place} {why}"] += 1

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        given = [a for a in tree_leaves((args, kwargs)) if isinstance(a, Tensor)]
        cards = [a for a in given if isinstance(a, Card)]
        wanted = kwargs.get("device")
        target = None if wanted is None else self.card(wanted)
        if not cards and target is None:
            return func(*args, **kwargs)
        if wanted is not None:
            kwargs["device"] = torch.device("cpu")
        name = func._schema.name.removeprefix("aten::")
        device = cards[0].card if wanted is None else target
        self._check(name, args, given, device)
        if name in WAITS or _by_a_mask(name, args):
            self.wait(name)
        if not (name in NO_KERNEL or func.is_view):
            self.kernels[where()] += 1
        plain = tree_map(memory, (args, kwargs))
        out = func(*plain[0], **plain[1]) if self.graph is None else self.graph.add(func, *plain)
        known = {id(memory(a)): a for a in given}

        def back(a: Any) -> Any:
            if not isinstance(a, Tensor) or id(a) in known:
                return known.get(id(a), a)
            return a if device is None else Card(a, device)

        return tree_map(back, out)

    def _check(
        self, name: str, args: Any, given: list[Tensor], device: torch.device | None
    ) -> None:
        """Refuse what torch refuses: tensors of two places, but for copies, and indices."""
        known = [a for a in given if a.ndim or isinstance(a, Card)]  # numbers go everywhere
        if name in ("_to_copy", "copy_"):
            if len({str(a.device) for a in known} | {str(device or "cpu")}) > 1:
                self.wait("copy")
        else:
            indices = [i for i in args[1] if not isinstance(i, Card)] if name in INDEXING else []
            places = {str(a.device) for a in known if not any(a is i for i in indices)}
            if len(places) > 1:
                raise RuntimeError(
                    f"{name}: Expected all tensors to be on the same device, but found {places},"
                    f" at {where()}"
                )
            if any(i is not None for i in indices):
                self.wait("copy")
        if self.graph is not None and device != self.graph.device:
            raise RuntimeError(f"{name}: on {device} while {self.graph.device} captures")


def _by_a_mask(name: str, args: Any) -> bool:
    """Whether a mask is turned into indices; torch spares that where a number is filled in."""
    if name not in INDEXING:
        return False
    masks = [a for a in args[1] if a is not None and a.dtype == torch.bool]
    number = len(args) > 2 and not isinstance(args[2], Card) and args[2].ndim == 0
    return bool(masks) and not (number and len(args[1]) == 1)


def where() -> str:
    """The file and line of the packages under test from which torch was called."""
    frame: Any = sys._getframe(1)
    while frame is not None and not frame.f_code.co_filename.startswith(UNDER_TEST):
        frame = frame.f_back
    if frame is None:
        return "elsewhere"
    return f"{Path(frame.f_code.co_filename).relative_to(ROOT)}:{frame.f_lineno}"


class Functions(TorchFunctionMode):
    """What C++ would decide by itself, and wrongly, taking tensors for ones on the CPU."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.machine = machine

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in MOVES and isinstance(args[0], Tensor):
            return self._moved(func.__name__, *args, **kwargs)
        if func in FROM_DATA:
            device, data = kwargs.pop("device", None), args[0]
            if not isinstance(data, Card):
                found = func(*args, **kwargs)
                return found if device is None else self._moved("to", found, device)
            copied = func is torch.tensor or bool(kwargs.pop("copy", False))
            device = data.device if device is None else device
            return self._moved("to", data, device, kwargs.get("dtype"), copy=copied)
        return func(*args, **kwargs)

    def _moved(self, name: str, a: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """a.to(..), a.cpu() and a.cuda(..) in terms of the one operation that copies."""
        options = {"cpu": ["cpu"], "cuda": [*args, "cuda"][:1]}.get(name, [*args])
        options += [kwargs[key] for key in ("device", "dtype") if key in kwargs]
        device, dtype = a.device, a.dtype
        for option in options:
            if isinstance(option, Tensor):
                device, dtype = option.device, option.dtype
            elif isinstance(option, torch.dtype):
                dtype = option
            elif isinstance(option, (str, int, torch.device)) and not isinstance(option, bool):
                device = self.machine.card(option) or torch.device("cpu")
        if (device, dtype) == (a.device, a.dtype) and not kwargs.get("copy"):
            return a
        moved = {} if device == a.device else {"device": device}
        found: Tensor = torch.ops.aten._to_copy.default(a, dtype=dtype, **moved)
        return found


@contextmanager
def pretended(
    free: int = 1 << 34, cached: int = 0, capability: tuple[int, int] = (9, 0)
) -> Iterator[Machine]:
    """Two cards, cuda:0 and cuda:1, with so many bytes left on each, of a compute capability."""
    machine = Machine(free, cached, capability)
    with ExitStack() as stack:
        for name, stub in stubs(machine).items():
            stack.enter_context(mock.patch.object(torch.cuda, name, stub))
        stack.enter_context(Functions(machine))
        stack.enter_context(machine)
        yield machine
