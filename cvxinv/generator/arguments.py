"""The signals of a generator and their observed pixels, as arguments."""

from typing import Any

from cvxinv import checks
from cvxinv.arrays import Array, float64, namespace
from cvxinv.generator.model import Generator


def signals_of(G: Generator, y: Any, observed: Any) -> tuple[Array, Array | None]:
    """The signals of a generator and the mask of their observed pixels, checked."""
    n = checks.instance("G", G, Generator, "a cvxinv.Generator").sizes[-1]
    y = checks.signals("y", y, n)
    return y, checks.mask("observed", observed, y, n)


def rows_of(seen: Array | None, y: Array) -> Array:
    """The mask in the shape of y, True everywhere if there is none."""
    everywhere = namespace(y).ones_like(y, dtype=namespace(y).bool)
    return everywhere if seen is None else everywhere & seen


def observed_norm(a: Array, seen: Array | None) -> Array:
    """||a|| over the observed pixels, over the last axis, in float64; it overflows only where the
    norm itself does.
    """
    xp = namespace(a)
    a = xp.where(rows_of(seen, a), float64(a), 0.0)
    largest = xp.max(xp.abs(a), axis=-1, keepdims=True)
    unit = xp.where((largest > 0) & (largest < xp.inf), largest, 1.0)
    return unit[..., 0] * xp.linalg.vector_norm(a / unit, axis=-1)
