"""The measure of the experiments (section 6)."""

import numpy as np

from cvxinv.arrays import Array, float64, match, namespace
from cvxinv.checks import floats


@np.errstate(divide="ignore", invalid="ignore")  # of what is not finite
def snr(x: Array, x_hat: Array) -> Array:
    """Signal-to-noise ratio 20 log10(||x|| / ||x - x_hat||) in dB, over the last axis.

    inf where x_hat is exact, -inf where x is zero and x_hat is not.
    """
    x = floats("x", x)
    x_hat = match(floats("x_hat", x_hat), x)
    if x.shape != x_hat.shape:
        raise ValueError(
            f"x_hat: expected the shape of x, {tuple(x.shape)}, got {tuple(x_hat.shape)}"
        )
    xp = namespace(x)
    x, e = float64(x), float64(x) - float64(x_hat)
    signal, error = _norm(x), _norm(e)
    exact = error == 0
    lost, one = signal == 0, xp.ones_like(error)
    # of logarithms: the ratio itself may overflow
    above, below = (xp.log10(a) for a in (xp.where(lost, one, signal), xp.where(exact, one, error)))
    return xp.where(exact, xp.inf * one, xp.where(lost, -xp.inf * one, 20 * (above - below)))


def _norm(a: Array) -> Array:
    """Euclidean norm over the last axis, of numbers of any size."""
    xp = namespace(a)
    largest = xp.max(xp.abs(a), axis=-1, keepdims=True)
    unit = xp.where((largest > 0) & (largest < xp.inf), largest, 1.0)
    return unit[..., 0] * xp.sqrt(xp.sum((a / unit) ** 2, axis=-1))
