"""What the statements ask of their arguments: kind, dtype, shape and sign, with errors that name
the argument.
"""

import math
from collections.abc import Sequence
from typing import Any

from cvxinv.arrays import Array, as_float, as_mask, float64, match, namespace


def matrix(W: Array, like: Array) -> Array:
    """W as a finite, non-empty matrix in the kind of `like`."""
    W = as_float("W", W)
    if W.ndim != 2 or 0 in W.shape:
        raise ValueError(f"W: expected a non-empty matrix (m, n), got shape {tuple(W.shape)}")
    if not bool(namespace(W).all(namespace(W).isfinite(W))):
        raise ValueError("W: expected finite entries, got nan or inf")
    return match(W, like)


def signals(name: str, a: Array, m: int) -> Array:
    """A batch (B, m) or one signal (m,)."""
    if a.ndim not in (1, 2) or a.shape[-1] != m:
        raise ValueError(f"{name}: expected shape ({m},) or (B, {m}), got {tuple(a.shape)}")
    return a


def mask(name: str, mask: Any, data: Array, size: int) -> Array | None:
    """A boolean mask (size,) or (B, size), or None."""
    if mask is None:
        return None
    mask = match(as_mask(name, mask), data)
    same_batch(name, mask, data, size)
    return mask


def same_batch(name: str, a: Array, data: Array, size: int) -> None:
    """Refuse `a` unless it is (size,), or (B, size) with the B of the data."""
    allowed = [(size,)] + ([(int(data.shape[0]), size)] if data.ndim == 2 else [])
    if tuple(a.shape) not in allowed:
        raise ValueError(
            f"{name}: expected shape {' or '.join(map(str, allowed))}, got {tuple(a.shape)}"
        )


def supports(
    name: str, given: Sequence[Any], sizes: Sequence[int], batch: tuple[int, ...] | None = None
) -> list[Array]:
    """The supports S_1, .., S_L of a generator with these sizes: masks (n_i,) or (B, n_i), all of
    one batch shape, `batch` if given.
    """
    if len(given) != len(sizes) - 2:
        raise ValueError(f"{name}: expected {len(sizes) - 2} masks S_1, .., S_L, got {len(given)}")
    masks = [as_mask(f"{name}[{i}]", S) for i, S in enumerate(given)]
    if batch is None:
        batch = tuple(signals(f"{name}[0]", masks[0], sizes[1]).shape[:-1])
    for i, S in enumerate(masks):
        if tuple(S.shape) != (*batch, sizes[i + 1]):
            raise ValueError(
                f"{name}[{i}]: expected shape {(*batch, sizes[i + 1])}, got {tuple(S.shape)}"
            )
    return masks


def vector(name: str, b: Any, data: Array, m: int) -> Array | None:
    """A finite vector (m,), or None."""
    if b is None:
        return None
    b = match(as_float(name, b), data)
    if tuple(b.shape) != (m,):
        raise ValueError(f"{name}: expected shape ({m},), got {tuple(b.shape)}")
    if not bool(namespace(b).all(namespace(b).isfinite(b))):
        raise ValueError(f"{name}: expected finite entries, got nan or inf")
    return b


def weight(name: str, value: Any) -> float:
    """A finite number >= 0."""
    number = isinstance(value, (int, float)) or (
        hasattr(value, "__float__") and getattr(value, "ndim", 1) == 0
    )
    if isinstance(value, bool) or not number:
        raise TypeError(f"{name}: expected a number, got {type(value).__name__}")
    if not 0 <= float(value) < math.inf:
        raise ValueError(f"{name}: expected a finite number >= 0, got {value}")
    return float(value)


def weights(name: str, value: Any, data: Array, n: int) -> Any:
    """A scalar weight, or an array of them: (n,) or (B, n)."""
    if getattr(value, "ndim", 0) == 0 and not isinstance(value, (list, tuple)):
        return weight(name, value)
    value = match(as_float(name, value), data)
    same_batch(name, value, data, n)
    if not bool(namespace(value).all((value >= 0) & namespace(value).isfinite(value))):
        raise ValueError(
            f"{name}: expected finite entries >= 0, got negative, nan or infinite ones"
        )
    return value


def per_signal(name: str, value: Any, like: Array) -> Array:
    """A number or (B,) numbers, finite and >= 0, as a float64 (B,) array in the kind of `like` (B,
    ..).
    """
    xp = namespace(like)
    ones = xp.ones_like(like[:, 0], dtype=xp.float64)
    value = as_float(name, value) if isinstance(value, (list, tuple)) else value
    if isinstance(value, (str, bool)) or (
        not hasattr(value, "__float__") and not hasattr(value, "ndim")
    ):
        raise TypeError(f"{name}: expected a number or one per signal, got {type(value).__name__}")
    if getattr(value, "ndim", 0) == 0:
        levels = float(value) * ones
    else:
        levels = float64(match(as_float(name, value), like))
        if tuple(levels.shape) != tuple(ones.shape):
            raise ValueError(
                f"{name}: expected a number or shape {tuple(ones.shape)}, got {tuple(levels.shape)}"
            )
    if not bool(xp.all((levels >= 0) & (levels < xp.inf))):
        raise ValueError(
            f"{name}: expected finite numbers >= 0, got negative, nan or infinite ones"
        )
    return levels
