"""The signals of a generator and their observed pixels, as arguments.

Signals are vectors (n,), batches (B, n), or images: arrays whose sizes, but for that of a batch,
multiply to n. Inside they are vectors; the answer's `signal` has the shape that was given.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from cvxinv import checks
from cvxinv.arrays import Array, dtype_name, float64, namespace
from cvxinv.generator.model import Generator
from cvxinv.rows import mapped

T = TypeVar("T")
NARROW = "the signals are float32 numbers, and known to float32 only: solved in float32"
AXES = 3  # of one image at most: channels, height, width


@dataclass(frozen=True)
class Signals:
    """Signals y (B, n) or (n,), the mask of their observed pixels, (n,), (B, n) or None, and the
    shape in which y was given.
    """

    y: Array
    seen: Array | None
    shape: tuple[int, ...]
    widened: bool = False  # whether y was given in float64, and is float32 here

    def narrowed(self) -> "Signals":
        """In float32, if all that is seen of them are float32 numbers in float64: what they know is
        that of float32.
        """
        y, kind = self.y, namespace(self.y)
        if dtype_name(y) != "float64":
            return self
        known = kind.where(rows_of(self.seen, y) & kind.isfinite(y), y, 0.0)
        single, half = (
            kind.astype(kind.astype(known, d), known.dtype) for d in (kind.float32, kind.float16)
        )
        # what float16 holds as well is a pattern or a grey level, exact as it is
        if not bool(kind.all(single == known)) or bool(kind.all(half == known)):
            return self
        return replace(self, y=kind.astype(y, kind.float32), widened=True)

    def wide(self, found: T) -> T:
        """The answer for a batch in the dtype in which they were given, and that said."""
        if not self.widened:
            return found
        whole: Any = mapped(_float64, found)
        notes = np.empty(len(whole.notes), dtype=object)
        for b, said in enumerate(whole.notes):
            notes[b] = (*said, NARROW)
        wide: T = replace(whole, notes=notes)
        return wide

    def back(self, found: T) -> T:
        """The answer, with its `signal` in that shape."""
        whole: Any = found
        signal = whole.signal
        if tuple(signal.shape) == self.shape:
            return found
        shaped: T = replace(whole, signal=namespace(signal).reshape(signal, self.shape))
        return shaped


def signals_of(G: Generator, y: Any, observed: Any) -> Signals:
    """The signals of a generator and the mask of their observed pixels, checked."""
    checks.instance("G", G, Generator, "a cvxinv.Generator")
    y = checks.array("y", y)
    if dtype_name(y) == "uint8":
        raise TypeError(
            f"y: expected floats on the scale of G, got 8-bit grey levels: {_scaled(G)}"
        )
    flat = vectors_of(G, "y", checks.floats("y", y))
    return Signals(flat, pixels_of(G, observed, flat), tuple(y.shape))


def _float64(a: Array) -> Array:
    """`a` in float64, if it is in float32."""
    return float64(a) if str(a.dtype).endswith("float32") else a


def vectors_of(G: Generator, name: str, a: Array) -> Array:
    """Signals of any shape as (B, n) or (n,)."""
    n, image = G.sizes[-1], G.image_shape
    batch = _batch(tuple(a.shape), n, image)
    if batch is None:
        images = f"{n} pixels" if image is None else f"shape {image}"
        raise ValueError(
            f"{name}: expected shape ({n},) or (B, {n}), or images of {images},"
            f" got {tuple(a.shape)}"
        )
    return namespace(a).reshape(a, (*batch, n))


def pixels_of(G: Generator, observed: Any, like: Array, name: str = "observed") -> Array | None:
    """The mask of observed pixels, as (n,) for all signals or (B, n), or None; for signals or
    latent vectors `like` (B, ..) or (..).
    """
    if observed is None:
        return None
    n = G.sizes[-1]
    mask = checks.booleans(name, observed)
    batch = _batch(tuple(mask.shape), n, G.image_shape)
    if batch is not None and mask.ndim > 1:
        shared = mask.ndim > 2 and math.prod(mask.shape) == n  # a batch of one is one for all
        mask = namespace(mask).reshape(mask, (n,) if shared else (*batch, n))
    return checks.mask(name, mask, like, n)


def rows_of(seen: Array | None, y: Array) -> Array:
    """The mask in the shape of y, True everywhere if there is none."""
    everywhere = namespace(y).ones_like(y, dtype=namespace(y).bool)
    return everywhere if seen is None else everywhere & seen


def seen_of(seen: Array | None, b: Any) -> Array | None:
    """The mask of the signals b; one that all share stays as it is."""
    return seen if seen is None or seen.ndim == 1 else seen[b]


def observed_norm(a: Array, seen: Array | None) -> Array:
    """||a|| over the observed pixels, over the last axis, in float64; it overflows only where the
    norm itself does.
    """
    xp = namespace(a)
    a = xp.where(rows_of(seen, a), float64(a), 0.0)
    largest = xp.max(xp.abs(a), axis=-1, keepdims=True)
    unit = xp.where((largest > 0) & (largest < xp.inf), largest, 1.0)
    return unit[..., 0] * xp.linalg.vector_norm(a / unit, axis=-1)


# -- shapes ----------------------------------------------------------------------------------------


def _batch(shape: tuple[int, ...], n: int, image: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The batch that an array of signals is, (B,), or () for a signal alone; None where its shape
    fits no signals.

    (B, n) is a batch whatever n is. Else both readings fit where axes of 1 come first: the shape of
    a generator's images decides; without one, an array of more than three axes is a batch.
    """
    if shape == (n,) or (len(shape) == 2 and shape[1] == n):
        return shape[:-1]
    one, many = (_is_image(s, n, image) for s in (shape, shape[1:]))
    if one and many and shape != image:
        one = shape[1:] != image and len(shape) <= AXES and shape[-1] != n
    return () if one else shape[:1] if many else None


def _is_image(shape: tuple[int, ...], n: int, image: tuple[int, ...] | None) -> bool:
    """Whether these are n pixels, in the order of the generator's images, if it has a shape of
    them: axes of 1 are no matter, channels that come last are.
    """
    if not shape or math.prod(shape) != n:
        return False
    return image is None or shape == (n,) or _squeezed(shape) == _squeezed(image)


def _squeezed(shape: tuple[int, ...]) -> list[int]:
    return [size for size in shape if size != 1]


def _scaled(G: Generator) -> str:
    """What to pass instead of grey levels."""
    unit, symmetric = "y / 255", "y / 127.5 - 1"
    ranges = {"sigmoid": f"pass {unit}", "tanh": f"pass {symmetric}"}
    return ranges.get(G.activation.name, f"pass {unit} or {symmetric}, whichever G was trained on")
