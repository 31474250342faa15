"""What each torch function does to an affine map of the last hidden layer, or to phi of one.

A rule takes a `Call`, in which tensors that depend on z are replaced by their expressions, and
returns the expression of the result. What has no rule is refused by name.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import torch

from cvxinv.activations import PLU, Activation, LeakyReLU, Sigmoid, Tanh
from cvxinv.generator.from_torch.affine import Affine, Expression, Layer, Output, variable
from cvxinv.generator.from_torch.call import REPEATS, Call, Refusal

Rule: TypeAlias = Callable[[Call], Expression]


# -- affine maps -----------------------------------------------------------------------------------


def _times(call: Call, e: Any, A: Any) -> Affine:
    """A e for the matrix A (m, n)."""
    if isinstance(A, Expression):
        raise Refusal("a product of two tensors that depend on z")
    t = call.affine(e)
    if A.ndim != 2 or t.b.shape[0] != A.shape[1]:
        raise Refusal("expected a matrix times one vector per signal")
    return t.times(A.detach().double())


def _linear(call: Call) -> Expression:
    t = _times(call, call.argument(0, "input"), call.argument(1, "weight"))
    bias = call.argument(2, "bias")
    return t if bias is None else t.shifted(call.constant(bias))


def _matmul(call: Call) -> Expression:
    A = call.argument(1, "other", call.kwargs.get("mat2"))
    return _times(
        call, call.argument(0, "input"), A.mT if isinstance(A, torch.Tensor) and A.ndim > 1 else A
    )


def _addmm(call: Call) -> Expression:
    """beta * bias + alpha * (x @ A)."""
    bias, x, A = (call.argument(i, name) for i, name in enumerate(("input", "mat1", "mat2")))
    alpha, beta = call.kwargs.get("alpha", 1), call.kwargs.get("beta", 1)
    t = _times(call, x, A if isinstance(A, Expression) else A.T)
    return t.scaled(call.constant(alpha)).shifted(beta * call.constant(bias))


def _add(call: Call, sign: float = 1.0) -> Expression:
    """a + alpha * b."""
    a, b = call.argument(0, "input"), call.argument(1, "other")
    alpha = sign * call.kwargs.get("alpha", 1)
    if not isinstance(a, Expression):
        return call.scaled(b, alpha).shifted(call.constant(a))
    if not isinstance(b, Expression):
        return call.unrepeated(a).shifted(alpha * call.constant(b))
    if isinstance(a, Affine) and isinstance(b, Affine) and a.x is b.x:
        if a.b.shape != b.b.shape:
            raise Refusal(REPEATS)
        return a.plus(b.scaled(call.constant(alpha)))
    origins = f"it adds what comes from {_origin(a)} to what comes from {_origin(b)}"
    raise Refusal(f"a residual (skip) connection, which eq. 2 does not have: {origins}")


def _origin(e: Expression) -> str:
    if isinstance(e, Output):
        return f"phi ({e.place})"
    return "z" if e.x.t is None else f"the ReLU of {e.x.place}"


def _rsub(call: Call) -> Expression:
    return call.scaled(call.argument(0, "input"), -1).shifted(
        call.constant(call.argument(1, "other"))
    )


def _neg(call: Call) -> Expression:
    return call.scaled(call.argument(0, "input"), -1)


def _mul(call: Call) -> Expression:
    a, b = call.argument(0, "input"), call.argument(1, "other")
    if isinstance(a, Expression) and isinstance(b, Expression):
        raise Refusal("a product of two tensors that depend on z")
    return call.scaled(a, b) if isinstance(a, Expression) else call.scaled(b, a)


def _div(call: Call) -> Expression:
    a, b = call.argument(0, "input"), call.argument(1, "other")
    if isinstance(b, Expression) or call.kwargs.get("rounding_mode") is not None:
        raise Refusal("a division by what depends on z, or a rounded one")
    return call.scaled(a, 1 / call.constant(b))


def _batch_norm(call: Call) -> Expression:
    """(x - mean) / sqrt(var + eps) * weight + bias, one number each per channel."""
    names = ("input", "running_mean", "running_var", "weight", "bias", "training", "_", "eps")
    x, mean, var, weight, bias, training, _, eps = (
        call.argument(i, name, {"eps": 1e-5}.get(name)) for i, name in enumerate(names)
    )
    if training or mean is None:
        raise Refusal("batch normalisation without running statistics has no evaluation mode")

    def per_channel(a: torch.Tensor) -> torch.Tensor:
        return call.constant(a.double().reshape(-1, *[1] * (call.result.ndim - 2)))

    scale = (var.double() + eps).rsqrt() * (1 if weight is None else weight.double())
    t = call.affine(x).shifted(-per_channel(mean)).scaled(per_channel(scale))
    return t if bias is None else t.shifted(per_channel(bias))


# -- activations -----------------------------------------------------------------------------------


def _relu(call: Call) -> Expression:
    e = call.argument(0, "input")
    if isinstance(e, Output) and e.range()[0] >= 0:
        return e
    t = call.affine(e)
    if t.is_not_negative():
        return t
    x = call.result.flatten(1).to(torch.float64, copy=True)  # it may be changed in place
    return variable(Layer(x, t, call.place))


def _phi(call: Call, phi: Activation) -> Expression:
    t = call.affine(call.argument(0, "input", call.kwargs.get("t")))
    ones = torch.ones_like(t.b)
    return Output(t, phi, ones, torch.zeros_like(ones), call.place)


def _leaky_relu(call: Call) -> Expression:
    slope = float(call.argument(1, "negative_slope", 0.01))
    if slope == 0:
        return _relu(call)
    if not 0 < slope <= 1:
        raise Refusal(f"expected a slope in (0, 1], got {slope}")
    return _phi(call, LeakyReLU(slope))


def _plu(call: Call) -> Expression:
    return _phi(call, PLU(call.args[1], call.args[2]))


def _between(call: Call, low: Any, high: Any) -> Expression:
    """min(max(x, low), high): a ReLU, or nothing where x stays between the two anyway."""
    lowest = call.constant(-math.inf if low is None else low)
    highest = call.constant(math.inf if high is None else high)
    if bool((lowest == 0).all() and (highest == math.inf).all()):
        return _relu(call)
    e = call.argument(0, "input")
    if isinstance(e, Output) and lowest.max() <= e.range()[0] and e.range()[1] <= highest.min():
        return e
    raise Refusal("it cuts values off, which cannot be undone: leave it out")


def _clamp(call: Call) -> Expression:
    high = None if call.name == "clamp_min" else call.argument(2, "max")
    return _between(call, call.argument(1, "min"), high)


def _maximum(call: Call) -> Expression:
    a, b = call.argument(0, "input"), call.argument(1, "other")
    if not isinstance(a, Expression):
        call = replace(call, args=(b, a), kwargs={})
        a, b = b, a
    return _between(call, b, None)


def _threshold(call: Call) -> Expression:
    if (call.argument(1, "threshold"), call.argument(2, "value")) != (0, 0):
        raise Refusal("a threshold other than a ReLU")
    return _relu(call)


# -- entries that stay what they are ---------------------------------------------------------------


def _dropout(call: Call) -> Expression:
    if call.argument(2, "training", call.kwargs.get("train", True)) and call.argument(1, "p", 0.5):
        raise Refusal("it draws random numbers in evaluation mode: give it training=self.training")
    return _same(call)


def _same(call: Call) -> Expression:
    e = call.argument(0, "input")
    if not isinstance(e, Expression) or not call.result.is_floating_point():
        raise Refusal("expected floating point numbers that depend on z")
    return e


def _moved(call: Call) -> Expression:
    """A function that only moves entries, run on their numbers."""
    B, n = call.shape[0], math.prod(call.shape[1:])
    numbers = torch.arange(B * n, device=call.result.device).reshape(call.shape)
    moved = call.function(
        *(numbers if isinstance(a, Expression) else a for a in call.args),
        **{k: numbers if isinstance(a, Expression) else a for k, a in call.kwargs.items()},
    )
    moved = moved if isinstance(moved, torch.Tensor) else moved[call.part]
    if moved.ndim < 2 or moved.shape[0] != B:
        raise Refusal("it moves the axis of the signals, which comes first")
    entries = moved.flatten(1) - n * torch.arange(B, device=moved.device)[:, None]
    if not bool((entries == entries[0]).all() and (entries[0] >= 0).all()):
        raise Refusal("it moves or mixes the signals of a batch")
    e = _same(call)
    everything = torch.arange(n, device=moved.device)
    return e if torch.equal(entries[0], everything) else e.picked(entries[0])


def _table(rule: Rule, names: str) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


RULES: dict[str, Rule] = {
    **_table(_linear, "linear"),
    **_table(_matmul, "matmul mm"),
    **_table(_addmm, "addmm"),
    **_table(_add, "add"),
    **_table(partial(_add, sign=-1.0), "sub subtract"),
    **_table(_rsub, "rsub"),
    **_table(_neg, "neg negative"),
    **_table(_mul, "mul multiply"),
    **_table(_div, "div divide true_divide"),
    **_table(_batch_norm, "batch_norm"),
    **_table(_relu, "relu"),
    **_table(partial(_phi, phi=Tanh()), "tanh"),
    **_table(partial(_phi, phi=Sigmoid()), "sigmoid special_expit"),
    **_table(_leaky_relu, "leaky_relu"),
    **_table(_plu, "plu"),
    **_table(_clamp, "clamp clip clamp_min"),
    **_table(_maximum, "maximum"),
    **_table(_threshold, "threshold"),
    **_table(_dropout, "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout"),
    **_table(
        _same,
        "to float double half bfloat16 type type_as contiguous clone detach data cpu cuda positive"
        " requires_grad",
    ),
    **_table(
        _moved,
        "view reshape flatten unflatten ravel squeeze unsqueeze view_as reshape_as expand_as"
        " permute transpose t T mT swapaxes swapdims movedim moveaxis expand repeat getitem narrow"
        " select index_select flip roll chunk split tensor_split pixel_shuffle",
    ),
}
