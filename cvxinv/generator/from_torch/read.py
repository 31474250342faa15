"""Reading a trained torch module as eq. 2: z is followed through what the module computes, and the
result is compared with the module itself.
"""

import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cvxinv.activations import Activation, Identity
from cvxinv.errors import UnsupportedModuleError, one_line
from cvxinv.generator.from_torch.affine import Affine, Expression, Output
from cvxinv.generator.from_torch.trace import ROUNDING, Trace, describe, evaluating, known_reason

SIGNALS = 5  # that the module is run on
GENERATING = ("dec", "gen")  # in the names of parts that make signals
WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)


@dataclass(frozen=True)
class Reading:
    """Eq. 2 as a module computes it, in float32 or float64."""

    weights: list[torch.Tensor]
    biases: list[torch.Tensor]
    phi: Activation
    image_shape: tuple[int, ...] | None  # of its signals, where they are no vectors
    places: list[str]  # the submodules at which its layers end

    def __call__(self, z: torch.Tensor) -> torch.Tensor:
        """G(z) of eq. 2 in float64."""
        *hidden, last = zip(self.weights, self.biases, strict=True)
        x = z.double()
        for W, b in hidden:
            x = (x @ W.double().T + b.double()).relu()
        y: torch.Tensor = self.phi(x @ last[0].double().T + last[1].double())
        return y


def read(module: Any) -> Reading:
    """Weights, biases, activation and image shape of a module, or of a method of one."""
    forward = unwrapped(module)
    network = getattr(forward, "__self__", forward)
    if not isinstance(network, nn.Module):
        raise TypeError(
            f"module: expected a torch.nn.Module (or a method of one), got {type(module).__name__}"
        )
    try:
        return _read(network, forward)
    except UnsupportedModuleError as error:
        raise UnsupportedModuleError(f"{error}{_advice(network, forward)}") from None


def unwrapped(module: Any) -> Any:
    """What torch.compile, DataParallel and DistributedDataParallel wrap."""
    while isinstance(module, WRAPPERS) or hasattr(module, "_orig_mod"):
        module = module.module if isinstance(module, WRAPPERS) else module._orig_mod
    return module


def _read(network: nn.Module, forward: Callable[[torch.Tensor], Any]) -> Reading:
    _refuse_what_cannot_run(network, forward)
    with evaluating(network), _eagerly(network):
        z, trace, y = _first_run(network, forward)
        reading = _reading(network, trace, y)
        _check(network, forward, reading, z)
    return reading


def _refuse_what_cannot_run(network: nn.Module, forward: Callable[..., Any]) -> None:
    why = None
    tensors = list(_tensors(network))
    if isinstance(network, torch.jit.ScriptModule):
        why = "a compiled script hides what it computes: pass the module it was made from"
    elif any(nn.parameter.is_lazy(a) for a in tensors):
        why = "its lazy modules have no weights yet: run it once"
    elif any(a.is_meta for a in tensors):
        why = "its weights are on the meta device, without numbers"
    else:
        try:
            run = forward.forward if isinstance(forward, nn.Module) else forward
            inspect.signature(run).bind(torch.empty(0))
        except TypeError as error:
            why = f"it must take z alone ({error}): wrap it in a module that fixes the rest"
    if why:
        raise UnsupportedModuleError(f"{describe('', network)}: {why}")


def _eagerly(network: nn.Module) -> AbstractContextManager[Any]:
    """Without torch.compile, where a submodule was compiled."""
    if any(hasattr(m, "_orig_mod") or m._compiled_call_impl for m in network.modules()):
        return torch.compiler.set_stance("force_eager")
    return nullcontext()


# -- running it ------------------------------------------------------------------------------------


def _first_run(
    network: nn.Module, forward: Callable[[torch.Tensor], Any]
) -> tuple[torch.Tensor, Trace, Any]:
    """z, the trace and the output, with the first size of z that the module takes."""
    failures: list[tuple[int, UnsupportedModuleError]] = []
    for n0 in _sizes(network):
        z, trace = _latents(network, n0, seed=0), Trace(network)
        try:
            return z, trace, trace.run(forward, z)
        except UnsupportedModuleError as error:
            failures.append((trace.calls, error))
        except Exception as error:  # whatever a forward may raise
            reason = known_reason(trace.last.rpartition(": ")[2]) or (
                f"it fails for z (B, {n0}): {type(error).__name__}: {one_line(error)}"
            )
            place = trace.last or describe("", network)
            failures.append((trace.calls, UnsupportedModuleError(f"{place}: {reason}")))
    if not failures:
        raise UnsupportedModuleError(f"{describe('', network)}: expected at least one Linear")
    raise max(failures, key=lambda failure: failure[0])[1]  # the one that came furthest


def _tensors(network: nn.Module) -> Iterator[torch.Tensor]:
    yield from network.parameters()
    yield from network.buffers()


def _sizes(network: nn.Module) -> list[int]:
    """The sizes that z may have, the likeliest first."""
    linear = [m.in_features for m in network.modules() if isinstance(m, nn.Linear)]
    columns = [a.shape[1] for a in _tensors(network) if a.ndim == 2]
    rows = [a.shape[0] for a in _tensors(network) if a.ndim in (1, 2)]
    return list(dict.fromkeys([*linear, *columns, *rows]))


def _latents(network: nn.Module, n0: int, seed: int) -> torch.Tensor:
    like = next((a for a in _tensors(network) if a.is_floating_point()), torch.empty(0))
    numbers = torch.Generator().manual_seed(seed)
    return torch.randn(SIGNALS, n0, generator=numbers, device="cpu").to(like)


# -- what it has computed --------------------------------------------------------------------------


def _reading(network: nn.Module, trace: Trace, y: Any) -> Reading:
    root = describe("", network)
    if not isinstance(y, torch.Tensor):
        raise UnsupportedModuleError(
            f"{root}: it returns a {type(y).__name__}, expected one tensor, the signals"
        )
    e = trace.of(y)
    if e is None:
        raise UnsupportedModuleError(f"{root}: its output does not come from z by torch functions")
    t, phi = _phi_of(root, e)
    dtype = torch.float64 if y.dtype == torch.float64 else torch.float32
    maps = _chain(t)
    if len(maps) == 1:
        raise UnsupportedModuleError(
            f"{root}: it has no ReLU (a single affine map), and eq. 2 at least one: its z is the"
            " least-squares solution of W z = phi^-1(y) - b, for which numpy.linalg.lstsq will do"
        )
    return Reading(
        [t.matrix().to(dtype) for t in maps],
        [t.b.to(dtype) for t in maps],
        phi,
        tuple(y.shape[1:]) if y.ndim > 2 else None,
        [*(t.x.place for t in maps[1:]), e.place if isinstance(e, Output) else root],
    )


def _phi_of(root: str, e: Expression) -> tuple[Affine, Activation]:
    if isinstance(e, Output):
        found = e.as_phi()
        if found is None:
            a, c = float(e.scale[0]), float(e.shift[0])
            raise UnsupportedModuleError(
                f"{root}: its output is {a:.4g} * phi(t) + {c:.4g} with phi = {e.phi} ({e.place}),"
                " which is no activation of eq. 2: leave the rescaling out, and undo it on the data"
            )
        return found
    if e.x.t is not None and e.W.ndim == 1 and bool((e.W == 1).all() and (e.b == 0).all()):
        raise UnsupportedModuleError(
            f"{e.x.place}: the output ReLU is not invertible: leave it out, or let a Linear follow"
        )
    return e, Identity()


def _chain(t: Affine) -> list[Affine]:
    """The affine maps from z up to t."""
    maps = [t]
    while maps[0].x.t is not None:
        maps.insert(0, maps[0].x.t)
    return maps


# -- whether that is so ----------------------------------------------------------------------------


def _check(
    network: nn.Module,
    forward: Callable[[torch.Tensor], Any],
    reading: Reading,
    first: torch.Tensor,
) -> None:
    """Run the module on other z, once followed and once as it is, and compare."""
    z = _latents(network, first.shape[1], seed=1)
    trace = Trace(network)
    followed = trace.run(forward, z)
    again = _reading(network, trace, followed)
    if again.phi != reading.phi or len(again.weights) != len(reading.weights):
        raise UnsupportedModuleError(
            f"{describe('', network)}: it computes other layers for other z; eq. 2 is one network"
        )
    for i, place in enumerate(reading.places):
        off = max(
            _distance(reading.weights[i], again.weights[i]),
            _distance(reading.biases[i], again.biases[i]),
        )
        if off > 0:  # not where there are nan, which the generator refuses
            raise UnsupportedModuleError(
                f"{place}: the layer that ends here is not the same for every z: its weights differ"
                f" by {off:.2g} from one run to the next (random numbers, or a choice by value)"
            )
    error = (forward(z.clone()).flatten(1).double() - reading(z)).abs()
    bound = trace.known[id(followed)][1].rounding(ROUNDING * trace.eps)
    if bool((error > bound + trace.tiny).any()):
        raise UnsupportedModuleError(
            f"{describe('', network)}: run by itself it computes something else, off by"
            f" {float(error.max()):.2g} where rounding makes {float(bound.max()):.2g}"
        )


def _distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max()) if a.shape == b.shape else math.inf


# -- what to pass instead --------------------------------------------------------------------------


def _advice(network: nn.Module, forward: Any) -> str:
    """Which part of a module that cannot be read can be."""
    if forward is not network:
        return ""
    names = [name for name, child in network.named_children() if len(list(child.parameters())) > 1]
    methods = inspect.getmembers(type(network), inspect.isfunction)
    names += [name for name, _ in methods if name.startswith(GENERATING)]
    found = [name for name in dict.fromkeys(names) if _can_be_read(getattr(network, name))]
    found = [name for name in found if any(g in name for g in GENERATING)] or found
    parts = " or ".join(f"module.{name}" for name in found)
    return f" (a part that can be read: pass {parts})" if found else ""


def _can_be_read(part: Any) -> bool:
    """Whether a part makes more numbers of fewer, as eq. 2."""
    forward = unwrapped(part)
    network = getattr(forward, "__self__", forward)
    try:
        reading = _read(network, forward)
    except UnsupportedModuleError:
        return False
    return len(reading.weights) > 1
