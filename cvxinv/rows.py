"""Rows of a batch: take, put and join them in anything that holds arrays with a leading B axis.

That is an array, a dataclass (`Solution`, `Quadratic`, a layer, ..), a NamedTuple or a list of such
things. What all signals share is marked where the field is declared (`SHARED`, `OWN_IF_2D`); what
is no array, or has no axis, belongs to all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np

from cvxinv.arrays import Array, is_torch, namespace

T = TypeVar("T")

_AXES = "axes of a row's own array"
# metadata of a field of a dataclass, `W: Array = field(metadata=SHARED)`:
SHARED = {_AXES: 99}  # all signals share it
OWN_IF_2D = {_AXES: 2}  # (n,) where all signals share it, (B, n) where each has its own
_PLAIN = frozenset({bool, int, float, str, type(None)})  # what belongs to all signals at a glance


def take(whole: T, b: Any) -> T:
    """The rows `b` (a slice, indices or a mask) of everything in `whole`.

    With an integer the B axis goes: one signal's share, as a caller sees it who gave one signal.
    """
    found: T = mapped(lambda a: a[_indices(b, a)], whole)
    return found


def put(whole: T, b: Array, part: T) -> T:
    """`whole` with its rows `b` replaced by those of `part`; `whole` itself stays as it is."""

    def replaced(a: Array, new: Array) -> Array:
        out = a.clone() if is_torch(a) else a.copy()
        out[_indices(b, a)] = new
        return out

    found: T = mapped(replaced, whole, part)
    return found


def store(whole: Any, b: Array, part: Any) -> None:
    """The rows `b` of `whole` become those of `part`, in place."""

    def stored(a: Array, new: Array) -> Array:
        a[_indices(b, a)] = new
        return a

    mapped(stored, whole, part)


def where(mask: Array, first: T, second: T) -> T:
    """The rows of `first` where the mask (B,) holds, else those of `second`."""

    def chosen(a: Array, b: Array) -> Array:
        return namespace(a).where(mask.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    found: T = mapped(chosen, first, second)
    return found


def join(parts: Sequence[T]) -> T:
    """The rows of all parts, one part after the other; what is shared is that of the first."""
    if len(parts) == 1:
        return parts[0]
    found: T = mapped(lambda *a: namespace(a[0]).concat(a, axis=0), *parts)
    return found


@dataclass(frozen=True)
class OneOrMany:
    """Signals with a B axis, (B, n), and whether the caller gave one signal without it, (n,)."""

    signals: Array
    single: bool

    def rows(self, a: Any) -> Any:
        """What goes along with the signals, row by row, with a B axis; None stays None."""
        return a[None] if self.single and a is not None else a

    def back(self, answer: T) -> T:
        """The answer as the caller asked for it."""
        return take(answer, 0) if self.single else answer


def one_or_many(signals: Array) -> OneOrMany:
    """The door of every function that takes (B, n) signals, or one (n,)."""
    single = signals.ndim == 1
    return OneOrMany(signals[None] if single else signals, single)


def _indices(b: Any, like: Array) -> Any:
    """`b` in the kind that indexes `like`: a NumPy array takes no tensor that may live on a GPU,
    and one of a single entry for a number.
    """
    return b.cpu().numpy() if is_torch(b) and isinstance(like, np.ndarray) else b


def mapped(f: Any, first: Any, *others: Any) -> Any:
    """`f` of each array of `first` that has rows, and of its counterparts in the `others`."""
    if type(first) in _PLAIN:
        return first
    if is_dataclass(first) and not isinstance(first, type):
        values = {}
        for name, axes in _fields(type(first)):
            value = getattr(first, name)
            if axes < 2 or getattr(value, "ndim", 0) >= axes:
                value = mapped(f, value, *[getattr(a, name) for a in others])
            values[name] = value
        return type(first)(**values)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(mapped(f, *a) for a in zip(first, *others, strict=True)))
    if isinstance(first, list):
        return [mapped(f, *a) for a in zip(first, *others, strict=True)]
    if getattr(first, "ndim", 0) == 0 or any(getattr(a, "ndim", 0) == 0 for a in others):
        return first
    return f(first, *others)


@cache
def _fields(cls: type[Any]) -> tuple[tuple[str, int], ...]:
    """The fields of a dataclass that make a new one, each with the axes from which a value is a
    row's own.
    """
    return tuple((g.name, g.metadata.get(_AXES, 1)) for g in fields(cls) if g.init)
