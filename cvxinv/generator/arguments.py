"""The signals of a generator and their observed pixels, as arguments."""

from typing import Any

from cvxinv.arrays import Array, as_float, as_mask, match, namespace
from cvxinv.generator.model import Generator


def signals_of(G: Generator, y: Any, observed: Any) -> tuple[Array, Array | None]:
    """The signals of a generator and the mask of their observed pixels, checked."""
    if not isinstance(G, Generator):
        raise TypeError(f"G: expected a cvxinv.Generator, got {type(G).__name__}")
    y = as_float("y", y)
    if y.ndim not in (1, 2) or y.shape[-1] != G.sizes[-1]:
        raise ValueError(
            f"y: expected shape ({G.sizes[-1]},) or (B, {G.sizes[-1]}), got {tuple(y.shape)}"
        )
    if observed is None:
        return y, None
    seen = match(as_mask("observed", observed), y)
    if tuple(seen.shape) not in {(G.sizes[-1],), tuple(y.shape)}:
        raise ValueError(
            f"observed: expected shape ({G.sizes[-1]},) or {tuple(y.shape)}, got"
            f" {tuple(seen.shape)}"
        )
    return y, seen


def rows_of(seen: Array | None, y: Array) -> Array:
    """The mask in the shape of y, True everywhere if there is none."""
    everywhere = namespace(y).ones_like(y, dtype=namespace(y).bool)
    return everywhere if seen is None else everywhere & seen
