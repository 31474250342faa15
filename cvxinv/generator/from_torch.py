"""Reading a trained torch module as eq. 2: batch normalisation folded, no-ops dropped, everything
else refused by name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from cvxinv.activations import Activation, Identity, LeakyReLU, Sigmoid, Tanh
from cvxinv.errors import UnsupportedModuleError
from cvxinv.generator.nn import PLU

NO_OPS = (nn.Dropout, nn.Dropout1d, nn.AlphaDropout, nn.Flatten, nn.Unflatten, nn.Identity)


@dataclass
class _Network:
    weights: list[torch.Tensor] = field(default_factory=list)
    biases: list[torch.Tensor] = field(default_factory=list)
    phi: Activation | None = None
    after: str = ""  # what the last counted module was: "", "linear", "relu" or "activation"


def _flat(module: nn.Module, position: str = "") -> Iterator[tuple[str, nn.Module]]:
    if not isinstance(module, nn.Sequential):
        yield position, module
        return
    for name, child in zip(
        module._modules, module, strict=True
    ):  # named_children would skip a module that is used twice
        yield from _flat(child, f"{position}.{name}" if position else name)


def _affine(bn: nn.BatchNorm1d) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift of batch normalisation with its running statistics, in float64."""
    assert bn.running_mean is not None
    assert bn.running_var is not None
    scale = (bn.running_var.double() + bn.eps).rsqrt()
    if bn.weight is not None:
        scale = scale * bn.weight.double()
    shift = -bn.running_mean.double() * scale
    return scale, shift if bn.bias is None else shift + bn.bias.double()


def _activation(module: nn.Module) -> Activation | None:
    match module:
        case nn.Tanh():
            return Tanh()
        case nn.Sigmoid():
            return Sigmoid()
        case nn.LeakyReLU():
            return LeakyReLU(module.negative_slope)
        case PLU():
            return module.phi
        case _:
            return None


def _refusal(net: _Network, module: nn.Module, position: str) -> UnsupportedModuleError | None:
    """Why `module` cannot stand at `position` after what `net` has read, or None where it can."""
    why = None
    if net.after == "activation":
        why = "nothing may follow the output activation"
    elif isinstance(module, nn.Linear):
        if net.after == "linear":
            why = "a Linear must not follow a Linear without a ReLU between them"
        elif net.weights and module.in_features != net.weights[-1].shape[0]:
            why = (
                f"it takes {module.in_features} inputs, the layer before it gives"
                f" {net.weights[-1].shape[0]}"
            )
    elif isinstance(module, nn.BatchNorm1d):
        if net.after != "linear":
            why = "batch normalisation can only be folded where it follows a Linear"
        elif module.running_mean is None:
            why = "batch normalisation without running statistics has no evaluation mode to fold"
        elif module.num_features != net.weights[-1].shape[0]:
            why = (
                f"it has {module.num_features} features, the Linear before it"
                f" {net.weights[-1].shape[0]}"
            )
    elif isinstance(module, nn.ReLU) or _activation(module) is not None:
        if net.after != "linear":
            why = "an activation must follow a Linear or its batch normalisation"
    else:
        why = (
            "expected Linear, BatchNorm1d, ReLU, an output activation, or a no-op (Dropout,"
            " Flatten, Unflatten, Identity)"
        )
    return (
        UnsupportedModuleError(f"module {position or '(root)'}, {module}: {why}") if why else None
    )


def fold(module: nn.Module) -> tuple[list[torch.Tensor], list[torch.Tensor], Activation]:
    """Weights, biases and activation of eq. 2 from an `nn.Sequential` in evaluation mode."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"module: expected a torch.nn.Sequential, got {type(module).__name__}")
    net = _Network()
    last = ("", module)
    with torch.no_grad():
        for position, child in _flat(module):
            if isinstance(child, NO_OPS):
                continue
            if (error := _refusal(net, child, position)) is not None:
                raise error
            _read(net, child)
            last = (position, child)
    if net.after == "relu" or not net.weights:
        why = "the output ReLU is not invertible" if net.weights else "expected at least one Linear"
        raise UnsupportedModuleError(f"module {last[0] or '(root)'}, {last[1]}: {why}")
    return net.weights, net.biases, net.phi or Identity()


def _read(net: _Network, module: Any) -> None:
    if isinstance(module, nn.Linear):
        W = module.weight.detach().clone()
        net.weights.append(W)
        net.biases.append(
            torch.zeros_like(W[:, 0]) if module.bias is None else module.bias.detach().clone()
        )
        net.after = "linear"
    elif isinstance(module, nn.BatchNorm1d):
        W, b = net.weights[-1], net.biases[-1]
        scale, shift = _affine(module)
        net.weights[-1] = (scale[:, None] * W.double()).to(W.dtype)
        net.biases[-1] = (scale * b.double() + shift).to(b.dtype)
    elif isinstance(module, nn.ReLU):
        net.after = "relu"
    else:
        net.phi, net.after = _activation(module), "activation"
