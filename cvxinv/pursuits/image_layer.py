"""The image layer as the pursuits state it: eq. 5 on phi^-1(y), which is convex, over the pixels
where phi^-1 can be trusted.

Rounding moves y by eps |y|, and t = phi^-1(y) by tau = eps |y| / phi'(t). Where phi saturates, tanh
at +-1 say, that is all of t and more. So the rows are those of small tau: what is solved is

    min 1/2 ||K (W x + b - t)||^2 + lam 1'x  over x >= 0,   K = diag(tau <= eps^0.55 max(1, |t|))

for each signal, a weighted problem whose weights are 0 or 1. The pixels that it leaves out still
hold z, with the weight phi' that they deserve, in debiasing, which is least squares on y itself.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.arrays import Array, dtype_name, namespace, to_numpy
from cvxinv.generator import Generator
from cvxinv.generator.arguments import rows_of
from cvxinv.problems import LastLayer
from cvxinv.solution.notes import FAR, noted

# tau up to eps to this power counts as known: 2e-9 in float64, 2e-4 in float32. Less leaves too few
# rows, more leaves errors that supports feel
TRUSTED = 0.55


@dataclass(frozen=True, eq=False)
class ImageLayer:
    """What is solved for x_L, and what is to be said of the signals."""

    statement: LastLayer
    invalid: Array  # (B,) bool: signals that are not in the scale of phi
    saturated: Array  # (B,) observed pixels that phi^-1 was not taken of
    printed: bool  # whether on phi itself
    accuracy: Array  # (B,) to which what is inverted is known, relative to its size

    def noted(self, notes: Any) -> Any:
        """The notes, with a sentence on signals for which it is not eq. 5 on phi^-1(y) as a
        whole.
        """
        if self.printed:
            everywhere = np.ones(np.shape(to_numpy(self.invalid)), dtype=bool)
            return noted(notes, everywhere, lambda b: "eq. 5 was solved as printed, on y itself")
        count = np.atleast_1d(to_numpy(self.saturated))
        return noted(
            notes,
            to_numpy(self.saturated) > 0,
            lambda b: (
                f"eq. 5 was solved on phi^-1(y) without {count[b]} saturated pixels, where rounding"
                " alone moves it"
            ),
        )


def inverted(G: Generator, y: Array, seen: Array | None) -> tuple[Array, Array]:
    """phi^-1(y), and the signals with a finite observed pixel outside the range of phi (which
    become nan there).
    """
    xp = namespace(y)
    target = G.activation.inverse(y)
    outside = rows_of(seen, y) & xp.isfinite(y) & ~xp.isfinite(target)
    return target, xp.any(outside, axis=-1)


def as_printed(G: Generator, y: Array, seen: Array | None, lam: float) -> ImageLayer:
    """Eq. 5 on phi itself."""
    statement = LastLayer(G.weights[-1], y, G.activation, G.bias(G.depth), lam, seen)
    return _exact(statement, y, printed=True)


def on_preimage(G: Generator, y: Array, seen: Array | None, lam: float) -> ImageLayer:
    """Eq. 5 on phi^-1(y), over the pixels where that is known."""
    xp, phi, W, b = namespace(y), G.activation, G.weights[-1], G.bias(G.depth)
    target = phi.inverse(y)
    low, high = phi.range
    if low == -math.inf:
        return _exact(LastLayer(W, target, "identity", b, lam, seen), y, printed=False)

    observed = rows_of(seen, y) & xp.isfinite(y)
    beyond = FAR * (high - low)
    far = observed & ((y < low - beyond) | (y > high + beyond))
    invalid = xp.any(far, axis=-1)

    t = xp.where(xp.isfinite(target), target, 0.0)
    eps = np.finfo(dtype_name(y)).eps
    tau = eps * xp.abs(y) / xp.clip(phi.derivative(t), np.finfo(dtype_name(y)).tiny, None)
    trusted = eps**TRUSTED * xp.maximum(xp.abs(t), xp.ones_like(t))
    known = observed & xp.isfinite(target) & (tau <= trusted)
    out = observed & ~known & ~invalid[..., None]
    if bool(xp.any(out)):
        seen = rows_of(seen, y) & ~out
        target = xp.where(out, 0.0, target)

    size = xp.linalg.vector_norm(xp.where(known, t, 0.0), axis=-1)
    error = xp.linalg.vector_norm(xp.where(known, tau, 0.0), axis=-1)
    return ImageLayer(
        LastLayer(W, target, "identity", b, lam, seen),
        invalid,
        saturated=xp.sum(xp.astype(out, xp.int64), axis=-1),
        printed=False,
        accuracy=error / xp.where(size > 0, size, 1.0),
    )


def _exact(statement: LastLayer, y: Array, printed: bool) -> ImageLayer:
    """An image layer for whose signals nothing is left out."""
    xp = namespace(y)
    zero = xp.zeros_like(y[..., 0])
    return ImageLayer(statement, zero > 0, xp.astype(zero, xp.int64), printed, zero)
