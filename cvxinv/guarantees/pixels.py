"""The pixels of which phi^-1(y) is known: the rows of the image layer, for the pursuits that solve
it and for `stability`, which proves what they find.

Rounding moves y by eps |y|, and t = phi^-1(y) by tau = eps |y| / phi'(t). Where phi saturates, tanh
at +-1 say, that is all of t and more; noise does the same much earlier. So two things are asked of
a pixel, where phi has a bounded range:

    tau <= eps^0.55 max(1, |t|),   eps that of the dtype
    noise ell <= 1,                ell the Lipschitz constant of phi^-1 on [y - noise, y + noise]

Both y and G(z) lie in that interval, so noise moves t by noise ell at most, and 1 is the scale on
which tanh and sigmoid bend. phi' is smallest at an end of an interval: the second line asks for
phi' >= noise at both. Theorem 3 is true on whatever rows y chooses; on these, its eps_{L+1} = ell
eps is at most 1 whatever pixels saturate, and one of them never takes the others along.
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
    if noise > 0:  # without noise, phi' may be as small as rounding allows
        for end in (y - noise, y + noise):
            found = found & (phi.derivative(phi.inverse(end)) >= noise)
    return found
