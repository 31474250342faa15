"""Output activations phi of eq. 2: value, derivative, inverse, range and the Lipschitz constant of
the inverse.

Every phi is elementwise, strictly increasing and invertible on its range. All methods take numpy
arrays or torch tensors and answer in kind:

    name                          in files, and as an argument
    smooth                        twice differentiable: eq. 5 can go to a nonlinear solver
    range                         the open interval of values that phi takes
    phi(t), phi.derivative(t)     at a kink, the derivative from the inside
    phi.inverse(y)                nan outside the range
    phi.curvature(y)              bound over all t on phi'(t)^2 + |phi''(t)| |phi(t) - y|, kinks
                                  aside: the curvature of 1/2 (y - phi(t))^2 (erratum E4)
    phi.inverse_lipschitz(a, b)   Lipschitz constant ell of phi^-1 on [a, b] (Theorem 3); inf
                                  where it has none

The five classes below are all that there are: statements, certificates and solvers know what they
do with each. Another one takes a class here, in `Activation` and `_CLASSES`; its statement in
`cvxinv.reference.statements`, where it is smooth; its module in `cvxinv.generator.from_torch`; and
a row in the list of `tests/generator/test_activations.py`.
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeAlias

from cvxinv import checks
from cvxinv.arrays import Array, namespace


def _slope(name: str, value: float) -> None:
    if checks.positive(name, value) > 1:
        raise ValueError(f"{name}: expected 0 < {name} <= 1 (phi must be invertible), got {value}")


def _interval(low: float, high: float) -> None:
    if not low <= high:
        raise ValueError(f"low, high: expected low <= high, got [{low}, {high}]")


@dataclass(frozen=True)
class Identity:
    """phi(t) = t."""

    name: ClassVar[str] = "identity"
    smooth: ClassVar[bool] = True

    @property
    def range(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def __call__(self, t: Array) -> Array:
        return t

    def derivative(self, t: Array) -> Array:
        return namespace(t).ones_like(t)

    def inverse(self, y: Array) -> Array:
        return y

    def curvature(self, y: Array) -> Array:
        return namespace(y).ones_like(y)

    def inverse_lipschitz(self, low: float, high: float) -> float:
        _interval(low, high)
        return 1.0


@dataclass(frozen=True)
class Tanh:
    """phi(t) = tanh(t), range (-1, 1)."""

    name: ClassVar[str] = "tanh"
    smooth: ClassVar[bool] = True

    @property
    def range(self) -> tuple[float, float]:
        return -1.0, 1.0

    def __call__(self, t: Array) -> Array:
        return namespace(t).tanh(t)

    def derivative(self, t: Array) -> Array:
        return 1 - namespace(t).tanh(t) ** 2

    def inverse(self, y: Array) -> Array:
        xp = namespace(y)
        inside = xp.abs(y) < 1
        return xp.where(
            inside, xp.atanh(xp.where(inside, y, xp.zeros_like(y))), xp.full_like(y, xp.nan)
        )

    def curvature(self, y: Array) -> Array:
        return 1 + 4 / math.sqrt(27) * (1 + namespace(y).abs(y))  # |tanh''| <= 4 / sqrt(27)

    def inverse_lipschitz(self, low: float, high: float) -> float:
        _interval(low, high)
        largest = max(abs(low), abs(high))
        return 1 / ((1 - largest) * (1 + largest)) if largest < 1 else math.inf


@dataclass(frozen=True)
class Sigmoid:
    """phi(t) = 1 / (1 + exp(-t)), range (0, 1)."""

    name: ClassVar[str] = "sigmoid"
    smooth: ClassVar[bool] = True

    @property
    def range(self) -> tuple[float, float]:
        return 0.0, 1.0

    def __call__(self, t: Array) -> Array:
        # exp of a negative number only: no overflow, and full relative accuracy in the lower tail
        xp = namespace(t)
        e = xp.exp(-xp.abs(t))
        return xp.where(t >= 0, 1 / (1 + e), e / (1 + e))

    def derivative(self, t: Array) -> Array:
        xp = namespace(t)
        e = xp.exp(-xp.abs(t))
        return e / (1 + e) ** 2

    def inverse(self, y: Array) -> Array:
        xp = namespace(y)
        inside = (y > 0) & (y < 1)
        y = xp.where(inside, y, xp.full_like(y, 0.5))
        return xp.where(inside, xp.log(y) - xp.log1p(-y), xp.full_like(y, xp.nan))

    def curvature(self, y: Array) -> Array:
        return 1 / 16 + (1 + namespace(y).abs(y)) / math.sqrt(108)  # |sigmoid''| <= 1 / sqrt(108)

    def inverse_lipschitz(self, low: float, high: float) -> float:
        _interval(low, high)
        return max(1 / (v * (1 - v)) for v in (low, high)) if low > 0 and high < 1 else math.inf


@dataclass(frozen=True)
class LeakyReLU:
    """phi(t) = t for t >= 0, slope * t below; 0 < slope <= 1."""

    slope: float = 0.01
    name: ClassVar[str] = "leaky_relu"
    smooth: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _slope("slope", self.slope)

    @property
    def range(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def __call__(self, t: Array) -> Array:
        return namespace(t).where(t >= 0, t, self.slope * t)

    def derivative(self, t: Array) -> Array:
        xp = namespace(t)
        # on the CPU, clip costs torch far less than where
        return xp.clip(xp.astype(t >= 0, t.dtype), self.slope, 1.0)

    def inverse(self, y: Array) -> Array:
        return namespace(y).where(y >= 0, y, y / self.slope)

    def curvature(self, y: Array) -> Array:
        return namespace(y).ones_like(y)

    def inverse_lipschitz(self, low: float, high: float) -> float:
        _interval(low, high)
        return 1 / self.slope if low < 0 else 1.0


@dataclass(frozen=True)
class PLU:
    """Piecewise linear unit (Nicolae 2018): slope 1 on [-c, c], slope alpha outside, continuous; 0
    < alpha <= 1.
    """

    alpha: float = 0.1
    c: float = 1.0
    name: ClassVar[str] = "plu"
    smooth: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _slope("alpha", self.alpha)
        checks.positive("c", self.c)

    @property
    def range(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def __call__(self, t: Array) -> Array:
        inside = namespace(t).clip(t, -self.c, self.c)
        return inside + self.alpha * (t - inside)

    def derivative(self, t: Array) -> Array:
        xp = namespace(t)
        return xp.clip(xp.astype(xp.abs(t) <= self.c, t.dtype), self.alpha, 1.0)

    def inverse(self, y: Array) -> Array:
        inside = namespace(y).clip(y, -self.c, self.c)
        return inside + (y - inside) / self.alpha

    def curvature(self, y: Array) -> Array:
        return namespace(y).ones_like(y)

    def inverse_lipschitz(self, low: float, high: float) -> float:
        _interval(low, high)
        return 1 / self.alpha if max(-low, high) > self.c else 1.0


Activation: TypeAlias = Identity | Tanh | Sigmoid | LeakyReLU | PLU
_CLASSES: dict[str, type[Activation]] = {
    cls.name: cls for cls in (Identity, Tanh, Sigmoid, LeakyReLU, PLU)
}


def activation(phi: str | Activation) -> Activation:
    """The activation called `phi` (with its default parameters), or `phi` itself.

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything that is neither a name nor one of the classes here, subclasses included.
    """
    if isinstance(phi, str):
        return _class(phi)()
    if type(phi) not in _CLASSES.values():
        raise TypeError(
            "activation: expected a name or one of the classes of cvxinv.activations, got"
            f" {checks.shown(phi)}"
        )
    return phi


def to_json(phi: Activation) -> str:
    """Name and parameters of phi, as stored in files."""
    return json.dumps({"name": phi.name, **asdict(phi)})


def from_json(text: str) -> Activation:
    """The inverse of `to_json`; raises `ValueError` or `TypeError` for anything else."""
    what = "a name and its parameters"
    try:
        stored = json.loads(text, object_pairs_hook=_without_doubles)
    except RecursionError:
        raise ValueError(f"activation: expected {what}, got nested JSON") from None
    except ValueError as error:
        raise ValueError(f"activation: expected {what} as JSON ({error})") from None
    parameters = checks.instance("activation", stored, dict, what)
    kind = _class(parameters.pop("name", None))
    known = [f.name for f in fields(kind)]
    if unknown := sorted(map(str, parameters.keys() - known)):
        raise ValueError(f"activation: {kind.name} has no parameter {checks.shown(unknown[0])}")
    return kind(**parameters)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("the same key twice")
    return found


def _class(name: Any) -> type[Activation]:
    return _CLASSES[checks.choice("activation", name, tuple(_CLASSES))]
