"""What all statements of layer problems share: their checks, and how they print."""

from copy import copy
from dataclasses import fields
from typing import Any, ClassVar, TypeVar, cast

from cvxinv import activations, checks, rows
from cvxinv.arrays import Array, dtype_name, float64, is_torch, match, namespace

T = TypeVar("T")
S = TypeVar("S", bound="Statement")
SMALL = 24  # numbers up to which a statement prints all of them


def set_fields(statement: Any, **values: Any) -> None:
    """Store checked values in a frozen statement, before anybody has seen it."""
    for name, value in values.items():
        object.__setattr__(statement, name, value)


def with_fields(statement: T, **values: Any) -> T:
    """A copy of a statement with other values of the same kind: what was checked once need not be
    checked again.
    """
    other = copy(statement)
    set_fields(other, **values)
    return other


class Statement:
    """What all statements share.

    Attributes
    ----------
    data_name : str
        The field that holds the signals.
    constrained : bool
        Whether the rows off the support are inequalities.
    """

    data_name: ClassVar[str]
    constrained: ClassVar[bool]
    W: Array
    bias: Array | None

    def __init_subclass__(cls, data: str | None = None, constrained: bool = False) -> None:
        if data is not None:
            cls.data_name, cls.constrained = data, constrained

    @property
    def data(self) -> Array:
        """The array whose kind, dtype, device and batch axis the answer has."""
        return getattr(self, self.data_name)

    @property
    def convex(self) -> bool:
        """Whether a KKT point is a solution."""
        return True

    def __len__(self) -> int:
        """B, the number of signals; `TypeError` for one without a B axis, as of a number."""
        if not batched(self):
            raise TypeError("a statement of one signal, without a B axis, has no length")
        return int(self.data.shape[0])

    def __bool__(self) -> bool:
        """A statement is there, though it may have no signals."""
        return True

    def __getitem__(self: S, b: Any) -> S:
        """The statement for some of its signals (a slice, a mask or indices); for signal b alone,
        without a B axis, if b is an integer.
        """
        if not batched(self):
            raise TypeError("a statement of one signal, without a B axis, has no signals to choose")
        own = {k: v for k, v in vars(self).items() if k != "W" and getattr(v, "ndim", 0) == 2}
        return with_fields(self, **{k: v[b] for k, v in own.items()})

    def objective(self, x: Any) -> Array:
        """The value that the statement minimises at x (B, n) or (n,), constraints ignored: (B,), or
        0-d for one signal; in float64, nan for signals whose data are not finite.
        """
        data, given = self.data, rows.one_or_many(self.data)
        x = float64(checks.points("x", x, data, int(self.W.shape[1])))
        return given.back(self.values(given.rows(x)))

    def values(self, x: Array) -> Array:
        """`objective` of points (B, n) in float64: by default as an instance of (Q)."""
        found: Array = cast(Any, self).quadratic().objective(x)
        return found

    def check(self, *row_masks: str) -> None:
        """Check W, the signals, the bias and some masks of rows; all in the kind of the signals."""
        data = checks.floats(self.data_name, self.data)
        W = match(checks.matrix("W", self.W), data)
        m = int(W.shape[0])
        data = checks.signals(self.data_name, data, m)
        bias = checks.vector("bias", self.bias, data, m)
        set_fields(self, **{self.data_name: data}, W=W, bias=bias)
        for name in row_masks:
            set_fields(self, **{name: checks.mask(name, getattr(self, name), data, m)})

    def __repr__(self) -> str:
        """Small statements as Python that states them again, all others by their sizes."""
        given = self.given()
        arrays = [a for a in given.values() if hasattr(a, "ndim")]
        words = _entries(given, True) if _is_small(arrays) else self._sizes(given)
        return f"{type(self).__name__}({', '.join(words)})"

    def given(self) -> dict[str, Any]:
        """The fields that are not what they would be if they were left out."""
        defaults = {f.name: f.default for f in fields(cast(Any, self))}
        return {k: v for k, v in vars(self).items() if not _is_same(v, defaults[k])}

    def _sizes(self, given: dict[str, Any]) -> list[str]:
        """W and the signals by their sizes, other arrays by their names, numbers and words."""
        m, n = self.W.shape
        count = self.data.shape[0] if batched(self) else 1
        signals = f"{count} signal{'s' * (count != 1)}"
        others = {k: v for k, v in given.items() if k not in ("W", self.data_name)}
        return [f"W {m} x {n}", signals, _kind(self.data), *_entries(others, whole=False)]


class HiddenStatement(Statement, data="x_next", constrained=True):
    """What statements share whose x_next is a hidden layer: it is known by its support S."""

    x_next: Array
    support: Array | None

    def check(self, *row_masks: str) -> None:
        """As of all statements; the support is where x_next > 0, by default."""
        super().check("support", *row_masks)
        if self.support is None:
            set_fields(self, support=_positive(self.x_next))

    def given(self) -> dict[str, Any]:
        """As of all statements."""
        given, default = super().given(), _positive(self.x_next)
        if default.shape == given["support"].shape and bool((default == given["support"]).all()):
            del given["support"]
        return given


def _positive(x_next: Array) -> Array:
    """Where x_next is positive; what is not finite counts as data, and its signal gets a status."""
    return (x_next > 0) | ~namespace(x_next).isfinite(x_next)


def _is_same(value: Any, default: Any) -> bool:
    """Whether a field has its default value; arrays never have it."""
    return value is default or (not hasattr(value, "ndim") and bool(value == default))


def _is_small(arrays: list[Array]) -> bool:
    """Whether the arrays have few enough numbers to print, and lists of them say it all."""
    plain = all(not is_torch(a) and dtype_name(a) in ("float64", "bool") for a in arrays)
    sizes = [a.size for a in arrays] if plain else [0]
    return min(sizes) > 0 and sum(sizes) <= SMALL and all(map(_is_finite, arrays))


def _is_finite(a: Array) -> bool:
    return bool(namespace(a).all(namespace(a).isfinite(a)))


def _kind(a: Array) -> str:
    """dtype, and for tensors the device."""
    return f"torch {dtype_name(a)} on {a.device}" if is_torch(a) else dtype_name(a)


def word(value: Any) -> str:
    """A number, word or activation as Python that stands for it."""
    known = isinstance(value, activations.Activation)
    return f"activations.{value!r}" if known else repr(value)


def _entries(given: dict[str, Any], whole: bool) -> list[str]:
    """`name=value` for all that is given; of arrays the name alone, or all numbers."""
    words = []
    for name, value in given.items():
        if not hasattr(value, "ndim"):
            words.append(f"{name}={word(value)}")
        elif whole:
            words.append(f"{name}={value.tolist()!r}")
        else:
            words.append(name)
    return words


def batched(problem: Statement) -> bool:
    """Whether the statement was given a batch (else a single signal without the leading axis)."""
    return bool(problem.data.ndim == 2)
