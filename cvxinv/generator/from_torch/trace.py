"""Following z through a torch module: the module is run, and each function that it calls on what
depends on z is read as a step of eq. 2, and checked against the numbers it returned.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from cvxinv.errors import UnsupportedModuleError
from cvxinv.generator.from_torch.affine import Affine, Expression, Layer, variable
from cvxinv.generator.from_torch.call import Call, Refusal
from cvxinv.generator.from_torch.rules import RULES

ROUNDING = 16  # units in the last place of what was summed: what a step may be off by

# Questions about a tensor whose answer does not depend on its entries, and tensors like it
ASKED = """
    size dim ndimension numel nelement stride is_contiguous is_floating_point is_complex len repr
    format str hash element_size get_device storage_offset is_same_size
    zeros_like ones_like empty_like full_like rand_like randn_like
    new_zeros new_ones new_empty new_full new_tensor
"""
LIKE = ("to", "type_as", "expand_as", "view_as", "reshape_as")  # of a constant, like a tensor
NORMALISES = "it normalises each signal by statistics of its own; BatchNorm1d can be read"
JOINS = "it joins several tensors, as skip connections do: eq. 2 has none"
LOOKS = "it looks at the values: eq. 2 is one network for every z"
WHY = {
    "conv": "a convolution: eq. 2 is fully connected",
    **dict.fromkeys(("cat", "concat", "concatenate", "stack", "hstack"), JOINS),
    **dict.fromkeys(("layer_norm", "group_norm", "instance_norm", "rms_norm"), NORMALISES),
    **dict.fromkeys(("bool", "item", "tolist", "numpy", "array", "float", "int"), LOOKS),
    **dict.fromkeys(("gt", "ge", "lt", "le", "where", "equal", "allclose"), LOOKS),
}
OTHERWISE = (
    "it is not known as an affine map, a ReLU or an output activation"
    " (tanh, sigmoid, leaky ReLU, cvxinv.nn.PLU)"
)


class Trace(TorchFunctionMode):
    """What a module has made of z so far, for every tensor that depends on z."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.inside: list[tuple[str, nn.Module]] = [("", module)]
        self.calls = 0
        self.last = ""  # the latest call and where it stands
        self.eps = self.tiny = 0.0  # of the coarsest dtype so far
        self.layers: list[Layer] = []  # compared
        self.known: dict[int, tuple[torch.Tensor, Expression]] = {}  # by id, kept alive

    def run(self, forward: Callable[[torch.Tensor], Any], z: torch.Tensor) -> Any:
        """forward(z), followed; on a copy, which it may change in place."""
        z = z.clone()
        self._keep(z, variable(Layer(z.to(torch.float64, copy=True))))
        with ExitStack() as hooks:
            for name, module in self.module.named_modules():
                enter, leave = partial(self._enter, name), self._leave
                hooks.callback(module.register_forward_pre_hook(enter, prepend=True).remove)
                hooks.callback(module.register_forward_hook(leave, always_call=True).remove)
            with self:
                return forward(z)

    def of(self, a: object) -> Expression | None:
        """What is known of a tensor."""
        return self.known[id(a)][1] if id(a) in self.known else None

    def place(self) -> str:
        """The submodule that is running."""
        return describe(*self.inside[-1])

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call the function, and follow what it does to z."""
        kwargs = kwargs or {}
        name = _name(func)
        self.calls, self.last = self.calls + 1, f"{self.place()}: {name}"
        tensors = [a for a in _flat((args, kwargs)) if id(a) in self.known]
        shape = tensors[0].shape if tensors else torch.Size()
        given = [self.of(a) or a for a in args], {k: self.of(a) or a for k, a in kwargs.items()}
        result = func(*args, **kwargs)
        if tensors and not _asks(func, name, result):
            if name in LIKE and not isinstance(given[0][0], Expression):
                return result
            several = isinstance(result, (tuple, list))
            for part, one in enumerate(result if several else [result]):
                call = Call(func, name, tuple(given[0]), given[1], shape, one, part, self.place())
                self._follow(call)
        return result

    def _follow(self, call: Call) -> None:
        try:
            if call.name not in RULES or not isinstance(call.result, torch.Tensor):
                raise Refusal(known_reason(call.name) or OTHERWISE)
            e = RULES[call.name](call)
        except Refusal as refusal:
            place = refusal.place or f"{call.place}: {call.name}"
            raise UnsupportedModuleError(f"{place}: {refusal}") from None
        float_type = torch.finfo(call.result.dtype)
        self.eps, self.tiny = max(self.eps, float_type.eps), max(self.tiny, float_type.tiny)
        y = call.result.flatten(1).double()
        self._compare(call, y, e.values(), e.size)
        if isinstance(e, Affine) and e.x.t is not None and e.x not in self.layers:
            self._compare(call, e.x.values, e.x.t.values().relu(), e.x.t.size)
            self.layers.append(e.x)
        self._keep(call.result, e)

    def _compare(
        self, call: Call, y: torch.Tensor, expected: torch.Tensor, size: torch.Tensor
    ) -> None:
        error = (y - expected).abs()
        if bool((error > ROUNDING * self.eps * (size + self.tiny)).any()):
            raise UnsupportedModuleError(
                f"{call.place}: {call.name}: it returned other numbers than it should, by up to"
                f" {float(error.max()):.2g} (was a tensor changed in place?)"
            )

    def _keep(self, tensor: torch.Tensor, e: Expression) -> None:
        self.known[id(tensor)] = tensor, e

    def _enter(self, name: str, module: nn.Module, args: object) -> None:
        self.inside.append((name, module))

    def _leave(self, module: nn.Module, args: object, result: object) -> None:
        self.inside.pop()


def describe(position: str, module: nn.Module) -> str:
    """A submodule as messages name it."""
    leaf = next(module.children(), None) is None
    return f"module {position or '(root)'}, {module if leaf else type(module).__name__}"


def known_reason(name: str) -> str:
    """Why a function is none of eq. 2, where there is more to say than that it is not known."""
    return WHY.get("conv" if name.startswith("conv") else name, "")


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """The module in evaluation mode, without gradients; its modes come back."""
    modes = [(m, m.training) for m in module.modules()]
    try:
        module.eval()
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield
    finally:
        for m, mode in modes:
            m.training = mode


def _name(function: Callable[..., Any]) -> str:
    """relu for F.relu, torch.relu_, Tensor.relu; T for x.T; rsub for 1 - x."""
    name = getattr(function, "__name__", str(function))
    if name == "__get__":
        name = getattr(function.__self__, "__name__", name)  # type: ignore[attr-defined]
    return name if name == "T" else name.strip("_")


def _asks(function: Callable[..., Any], name: str, result: object) -> bool:
    attribute = getattr(function, "__name__", "") == "__get__"
    return name in ASKED.split() or (attribute and not isinstance(result, torch.Tensor))


def _flat(a: object) -> Iterator[Any]:
    if isinstance(a, dict):
        a = list(a.values())
    if isinstance(a, (list, tuple)):
        for item in a:
            yield from _flat(item)
    else:
        yield a
