"""Numbers, flags, choices and sequences as arguments.

True and False are no numbers here: as a weight or a count they are a slip. A zero-dimensional array
or tensor is the number that it holds.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from cvxinv.arrays import dtype_name

T = TypeVar("T")


def shown(value: Any) -> str:
    """What was given, in a few words for a message."""
    if isinstance(value, int) and abs(value) > 10**20:
        return f"an integer of {value.bit_length()} bits"
    if value is None or isinstance(value, (bool, int, float, complex, np.generic)):
        return str(value)
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:40] + "..")
    if not isinstance(value, type) and hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"an array of {dtype_name(value)} of shape {tuple(value.shape)}"
    return type(value).__name__


def number(name: str, value: Any, what: str = "a finite number") -> float:
    """A finite number."""
    found = _real(name, value, what)
    if not math.isfinite(found):
        raise ValueError(f"{name}: expected {what}, got {shown(value)}")
    return found


def nonnegative(name: str, value: Any) -> float:
    """A finite number >= 0: a weight, a noise level, a tolerance, a budget."""
    return _within(name, value, "a finite number >= 0", 0.0, math.inf)


def positive(name: str, value: Any) -> float:
    """A finite number > 0."""
    smallest = math.nextafter(0.0, 1.0)
    return _within(name, value, "a positive number", smallest, math.inf)


def share(name: str, value: Any) -> float:
    """A number in [0, 1)."""
    return _within(name, value, "a number in [0, 1)", 0.0, 1.0)


def integer(name: str, value: Any, least: int = 0, most: int | None = None) -> int:
    """An integer >= `least`, and <= `most` where that is given."""
    what = f"an integer >= {least}" if most is None else f"an integer from {least} to {most}"
    try:
        found = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected {what}, got {shown(value)}") from None
    if _boolean(value):
        raise TypeError(f"{name}: expected {what}, got {shown(value)}")
    if found < least or (most is not None and found > most):
        raise ValueError(f"{name}: expected {what}, got {shown(found)}")
    return found


def flag(name: str, value: Any) -> bool:
    """True or False, and nothing that merely counts as one of them."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, got {shown(value)}")
    return bool(value)


def choice(name: str, value: Any, options: Sequence[Any], also: str = "") -> Any:
    """One of a few words or numbers; `also` says what else may be given."""
    if not any(type(value) is type(option) and value == option for option in options):
        words = ("one of " if len(options) > 1 else "") + ", ".join(map(repr, options))
        raise ValueError(f"{name}: expected {also}{words}, got {shown(value)}")
    return value


def instance(name: str, value: Any, kind: type[T], what: str) -> T:
    """An object of a class, `what` in words."""
    if not isinstance(value, kind):
        raise TypeError(f"{name}: expected {what}, got {shown(value)}")
    return value


def sequence(name: str, value: Any, count: int, what: str) -> Sequence[Any]:
    """`count` values, `what` in words; not a single one, a text or a generator."""
    listed = all(hasattr(value, method) for method in ("__getitem__", "__len__"))
    if not listed or isinstance(value, (str, bytes, dict)) or getattr(value, "ndim", 1) == 0:
        raise TypeError(f"{name}: expected {count} {what}, got {shown(value)}")
    if len(value) != count:
        raise ValueError(f"{name}: expected {count} {what}, got {len(value)}")
    given: Sequence[Any] = value
    return given


def per_layer(name: str, value: Any, count: int) -> list[float]:
    """`count` finite numbers >= 0 from that many, or from one for all."""
    if not isinstance(value, (list, tuple)) and getattr(value, "ndim", 0) == 0:
        return [nonnegative(name, value)] * count
    values = sequence(name, value, count, "numbers, one per layer, or one for all,")
    return [nonnegative(f"{name}[{i}]", v) for i, v in enumerate(values)]


def _within(name: str, value: Any, what: str, low: float, high: float) -> float:
    """A number in [low, high)."""
    found = _real(name, value, what)
    if not low <= found < high:
        raise ValueError(f"{name}: expected {what}, got {shown(value)}")
    return found


def _real(name: str, value: Any, what: str) -> float:
    """Any real number, nan and inf included."""
    scalar = hasattr(value, "__float__") and getattr(value, "ndim", 0) == 0
    complex_ = "complex" in dtype_name(value) if hasattr(value, "dtype") else False
    if not scalar or complex_ or value is np.ma.masked or _boolean(value):
        raise TypeError(f"{name}: expected {what}, got {shown(value)}")
    try:
        return float(value.detach() if hasattr(value, "detach") else value)
    except OverflowError:  # an int that no float holds
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):  # an array that holds an object or a text
        raise TypeError(f"{name}: expected {what}, got {shown(value)}") from None


def _boolean(value: Any) -> bool:
    return isinstance(value, bool) or (hasattr(value, "dtype") and dtype_name(value) == "bool")
