"""The pixels of which phi^-1(y) is known: the rows of the image layer, for the pursuits that solve
it and for `stability`, which proves what they find.

Rounding moves y by eps |y|, and t = phi^-1(y) by tau = eps |y| / phi'(t). Where phi saturates, tanh
at +-1 say, that is all of t and more; noise does the same much earlier. So two things are asked of
a pixel, where phi has a bounded range:

    tau <= eps^0.55 max(1, |t|),        eps that of the dtype
    phi' >= phi'_max (noise / h)^0.5    on [y - noise, y + noise], h half of the width of the range

Both y and G(z) lie in that interval, and 1 / phi' is largest at one of its ends, where it is the
Lipschitz constant ell of phi^-1. Theorem 3 is true on whatever rows y chooses. On these, its
eps_{L+1} = ell noise is at most (h noise)^0.5 / phi'_max whatever pixels saturate, where the one
nearest to an end of the range would take all others along; and no row is lost as noise goes to 0.
"""

import math

import numpy as np

from cvxinv.activations import Activation
from cvxinv.arrays import Array, dtype_name, namespace
from cvxinv.solution.notes import FAR

# tau up to eps to this power counts as known: 2e-9 in float64, 2e-4 in float32. Less leaves too few
# rows, more leaves errors that supports feel
TRUSTED = 0.55


def bounded(phi: Activation) -> bool:
    """Whether phi has a bounded range; without one, all its inverse is Lipschitz."""
    return phi.range[0] > -math.inf


def far_outside(phi: Activation, y: Array) -> Array:
    """The pixels that lie so far outside the range of phi that y is no signal of its scale."""
    low, high = phi.range
    beyond = FAR * (high - low)
    return (y < low - beyond) | (y > high + beyond)


def moved(phi: Activation, y: Array, t: Array) -> Array:
    """tau: by how much rounding of y moves t = phi^-1(y)."""
    kind = np.finfo(dtype_name(y))
    return kind.eps * namespace(y).abs(y) / namespace(y).clip(phi.derivative(t), kind.tiny, None)


def known(phi: Activation, y: Array, noise: float = 0.0) -> Array:
    """The pixels, (.., n), of which phi^-1(y) is known in spite of rounding and of noise."""
    xp = namespace(y)
    if not bounded(phi):
        return xp.isfinite(y)
    t = phi.inverse(y)
    inside = xp.isfinite(t)
    t = xp.where(inside, t, 0.0)
    trusted = np.finfo(dtype_name(y)).eps ** TRUSTED * xp.maximum(xp.abs(t), xp.ones_like(t))
    found = inside & (moved(phi, y, t) <= trusted)
    if noise > 0:  # without, phi' may be as small as rounding allows
        least = _least_slope(phi, noise)
        for end in (y - noise, y + noise):
            found = found & (phi.derivative(phi.inverse(end)) >= least)
    return found


def _least_slope(phi: Activation, noise: float) -> float:
    """The phi' that noise asks for."""
    low, high = phi.range
    middle = (low + high) / 2
    return math.sqrt(2 * noise / (high - low)) / phi.inverse_lipschitz(middle, middle)
