"""What is to be said of a signal beside its status: a tuple of sentences, empty where nothing is.

Notes are a (B,) array of such tuples, or the one tuple of a signal alone; `noted` adds a sentence.
Only what the data decide is said. A pixel a little outside the range of phi is what noise does to
an image with black and white in it, so that is no news: noise whose standard deviation is a tenth
of the range takes one pixel of three million outside by half of the range, and levels 0 .. 255, or
images of mean 0 and variance 1, given to a network of another scale, lie further out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cvxinv.arrays import Array, dtype_name, float64, is_torch, namespace, to_numpy
from cvxinv.generator import Generator
from cvxinv.generator.arguments import observed_norm, rows_of

FAR = 0.5  # of the range's width: so far outside of it lies no image of its scale
SIGMAS = 6.0  # outside by less is noise, where its standard deviation is known


def noted(notes: Any, where: Any, say: Callable[[int], str]) -> Any:
    """The notes with one more sentence, say(b), on each signal b of a mask (B,), or of one without
    B axis.
    """
    mask = np.asarray(to_numpy(where))
    out = np.empty(mask.size, dtype=object)
    for b, (said, new) in enumerate(zip(_listed(notes, mask), mask.flat, strict=True)):
        out[b] = (*said, say(b)) if new else said
    return out if mask.ndim else out[0]


def on_fit(
    G: Generator,
    y: Array,
    seen: Array | None,
    residual: Array,
    notes: Any = (),
    sigma: Array | None = None,
) -> Any:
    """The notes, with what is to be said of signals y (B, n) or (n,), and of a fit with these
    residuals ||y - G(z)||: pixels that are nan, a scale that is not that of phi, and a fit worse
    than a constant image. `sigma` (B,) is the noise, where that is known.
    """
    xp = namespace(y)
    observed = rows_of(seen, y)
    known = observed & xp.isfinite(y)
    y = xp.where(known, float64(y), 0.0)
    lost = _count(observed & ~known)
    isfinite = f"{'torch' if is_torch(y) else 'np'}.isfinite(y)"
    notes = noted(
        notes,
        lost > 0,
        lambda b: (
            f"y is nan or inf at {_pixels(lost, b)}: hide them with observed="
            + (isfinite if seen is None else f"observed & {isfinite}")
        ),
    )

    low, high = G.activation.range
    beyond = xp.where(known, xp.maximum(low - y, y - high), -xp.inf)
    furthest, outside = xp.max(beyond, axis=-1), _count(beyond > 0)
    far = furthest > FAR * (high - low)
    if sigma is not None:
        far = far & (furthest > SIGMAS * sigma)
    notes = noted(
        notes,
        far,
        lambda b: (
            f"y lies outside [{low:g}, {high:g}], the range of {G.activation.name}, at"
            f" {_pixels(outside, b)}, by up to {_number(furthest, b)}: is it scaled otherwise?"
        ),
    )

    share = 1 / xp.clip(float64(_count(known)), 1.0, None)
    mean = xp.sum(y * share[..., None], axis=-1, keepdims=True)
    constant = observed_norm(y - mean, seen)
    rounding = np.finfo(dtype_name(residual)).eps ** 0.5 * observed_norm(y, seen)
    return noted(
        notes,
        float64(residual) > constant + rounding,
        lambda b: (
            f"the fit is worse than a constant image: ||y - G(z)|| is {_number(residual, b)},"
            f" ||y - mean(y)|| {_number(constant, b)}"
        ),
    )


def _listed(notes: Any, mask: Any) -> list[tuple[str, ...]]:
    """The notes of each signal; `()` are none for all."""
    return list(notes) if isinstance(notes, np.ndarray) else [notes] * mask.size


def _count(mask: Array) -> Array:
    xp = namespace(mask)
    return xp.sum(xp.astype(mask, xp.int64), axis=-1)


def _pixels(counts: Array, b: int) -> str:
    count = int(to_numpy(counts).flat[b])
    return f"{count} observed pixel{'s' if count > 1 else ''}"


def _number(values: Array, b: int) -> str:
    return f"{float(to_numpy(values).flat[b]):.3g}"
