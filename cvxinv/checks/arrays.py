"""Arrays as arguments: kind, dtype, entries, and shapes for one signal or many.

NumPy arrays, torch tensors and lists. Integers are taken for the float64 numbers that they are;
half precision and complex numbers are refused, because nothing here computes in them. A mask is
boolean, or integers that are all 0 or 1; 0.0 and 1.0 are refused, for they may be data in the wrong
place. Masked arrays and matrices are refused with a word on what to pass instead: NumPy drops the
mask of the one without a word, and the other's products are not those of arrays.
"""

import sys
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from cvxinv.arrays import FLOATS, Array, dtype_name, float64, is_torch, match, namespace
from cvxinv.checks.numbers import nonnegative, sequence, shown

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NUMBER = "a number or "
KINDS = "a numpy array, a torch tensor or a list of numbers"


# -- kinds and dtypes ------------------------------------------------------------------------------


def array(name: str, a: Any) -> Array:
    """`a` as a plain NumPy array or a detached, dense torch tensor, whatever its dtype."""
    if type(a) is np.ndarray:
        return a if a.dtype.isnative else a.astype(a.dtype.newbyteorder("="))
    if is_torch(a):
        return _dense(name, a)
    if isinstance(a, (list, tuple)):
        return _listed(name, a)
    _refuse_kind(name, a)
    if isinstance(a, np.ndarray):  # a memory map, say
        return array(name, np.asarray(a))
    raise TypeError(f"{name}: expected {KINDS}, got {shown(a)}")


def floats(name: str, a: Any) -> Array:
    """`a` as a float32 or float64 array of its own kind; integers become float64."""
    a = array(name, a)
    dtype = dtype_name(a)
    if dtype in FLOATS:
        return a
    if dtype in INTEGERS:
        return float64(a)
    raise TypeError(f"{name}: expected float32 or float64 entries, got {dtype}")


def booleans(name: str, a: Any) -> Array:
    """`a` as a boolean array of its own kind; integers may be 0 and 1."""
    a = array(name, a)
    dtype = dtype_name(a)
    if dtype == "bool":
        return a
    if dtype not in INTEGERS:
        raise TypeError(f"{name}: expected a boolean mask, got {dtype} entries")
    if not bool(namespace(a).all((a == 0) | (a == 1))):
        raise TypeError(f"{name}: expected a boolean mask, or integers 0 and 1, got other integers")
    return a == 1


def finite(name: str, a: Array) -> Array:
    """`a`, if all its entries are finite."""
    if not bool(namespace(a).all(namespace(a).isfinite(a))):
        raise ValueError(f"{name}: expected finite entries, got nan or inf")
    return a


def _dense(name: str, a: Any) -> Array:
    torch = cast(Any, sys.modules["torch"])
    if a.layout != torch.strided:
        raise TypeError(f"{name}: expected a dense tensor, got {a.layout}: pass a.to_dense()")
    if type(a).__name__ == "MaskedTensor":
        raise TypeError(f"{name}: expected a plain tensor, got a MaskedTensor: pass its data")
    return a.detach()


def _listed(name: str, a: Any) -> Array:
    _refuse_masked(name, a)
    try:
        listed = np.asarray(a)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        what = "rows of different lengths, or entries that are no numbers"
        raise TypeError(f"{name}: expected {KINDS}, got a list with {what}") from None
    return np.zeros(listed.shape) if listed.size == 0 else listed


def _refuse_masked(name: str, a: Any, depth: int = 2) -> None:
    """Refuse masked arrays and matrices in lists, and in lists of them; deeper ones are refused for
    their shape.
    """
    for entry in a:
        if isinstance(entry, np.ndarray):
            _refuse_kind(name, entry)
        elif isinstance(entry, (list, tuple)) and depth:
            _refuse_masked(name, entry, depth - 1)


def _refuse_kind(name: str, a: Any) -> None:
    if isinstance(a, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: expected a plain array, got a masked one, whose mask would be ignored: pass"
            " a.filled(0), and ~a.mask as the mask of what is seen"
        )
    if isinstance(a, np.matrix):
        raise TypeError(f"{name}: expected a plain array, got a matrix: pass np.asarray(..)")


# -- shapes ----------------------------------------------------------------------------------------


def shape(name: str, a: Array, *allowed: tuple[int, ...], also: str = "") -> Array:
    """`a`, if it has one of the shapes allowed; `also` says what else may be given."""
    if tuple(a.shape) not in allowed:
        what = " or ".join(map(str, dict.fromkeys(allowed)))
        raise ValueError(f"{name}: expected {also}shape {what}, got {tuple(a.shape)}")
    return a


def matrix(name: str, W: Any) -> Array:
    """W as a finite, non-empty matrix."""
    W = floats(name, W)
    if W.ndim != 2 or 0 in W.shape:
        raise ValueError(f"{name}: expected a non-empty matrix (m, n), got shape {tuple(W.shape)}")
    return finite(name, W)


def vector(name: str, b: Any, data: Array, m: int) -> Array | None:
    """A finite vector (m,) in the kind of the data, or None."""
    return None if b is None else finite(name, shape(name, match(floats(name, b), data), (m,)))


def signals(name: str, a: Any, m: int) -> Array:
    """Numbers for a batch (B, m), or for one signal (m,)."""
    return _one_or_many(name, floats(name, a), m)


def points(name: str, a: Any, data: Array, size: int) -> Array:
    """One point of `size` numbers for each signal of the data (B, ..) or (..), in their kind."""
    return shape(name, match(floats(name, a), data), (*map(int, data.shape[:-1]), size))


def mask(name: str, given: Any, data: Array, size: int) -> Array | None:
    """A mask for all signals of the data, (size,), or one for each, (B, size); or None."""
    if given is None:
        return None
    return shape(name, match(booleans(name, given), data), *_for_signals(data, size))


def weights(name: str, value: Any, data: Array, n: int) -> Any:
    """A number >= 0, or an array of them: (n,), or (B, n) with the B of the data."""
    if not isinstance(value, (list, tuple)) and getattr(value, "ndim", 0) == 0:
        return nonnegative(name, value)
    found = match(floats(name, value), data)
    shape(name, found, *_for_signals(data, n), also=NUMBER)
    return _all_nonnegative(name, found)


def per_signal(name: str, value: Any, like: Array) -> Array:
    """A number >= 0 or (B,) of them, as a float64 (B,) array in the kind of `like` (B, ..)."""
    xp = namespace(like)
    ones = xp.ones_like(like[:, 0], dtype=xp.float64)
    if not isinstance(value, (list, tuple)) and getattr(value, "ndim", 0) == 0:
        return nonnegative(name, value) * ones
    found = shape(name, float64(match(floats(name, value), like)), tuple(ones.shape), also=NUMBER)
    return _all_nonnegative(name, found)


def supports(
    name: str, given: Any, sizes: Sequence[int], batch: tuple[int, ...] | None = None
) -> list[Array]:
    """The supports S_1, .., S_L of a generator with these sizes: masks (n_i,) or (B, n_i), all of
    one batch shape, `batch` if given.
    """
    given = sequence(name, given, len(sizes) - 2, "masks S_1, .., S_L")
    masks = [booleans(f"{name}[{i}]", S) for i, S in enumerate(given)]
    if batch is None:
        batch = tuple(_one_or_many(f"{name}[0]", masks[0], sizes[1]).shape[:-1])
    return [shape(f"{name}[{i}]", S, (*batch, sizes[i + 1])) for i, S in enumerate(masks)]


def _one_or_many(name: str, a: Array, m: int) -> Array:
    if a.ndim not in (1, 2) or a.shape[-1] != m:
        raise ValueError(f"{name}: expected shape ({m},) or (B, {m}), got {tuple(a.shape)}")
    return a


def _for_signals(data: Array, size: int) -> list[tuple[int, ...]]:
    """The shapes of what may be common to all signals of the data, or be one for each."""
    return [(size,)] if data.ndim == 1 else [(size,), (int(data.shape[0]), size)]


def _all_nonnegative(name: str, a: Array) -> Array:
    if not bool(namespace(a).all((a >= 0) & namespace(a).isfinite(a))):
        raise ValueError(f"{name}: expected finite numbers >= 0, got negative, nan or inf")
    return a
