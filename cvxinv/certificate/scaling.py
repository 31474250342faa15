"""Data so small or large that squares leave the range of float64: the same statement, exactly, in
other powers of two.
"""

from dataclasses import replace

import numpy as np

from cvxinv.arrays import Array, namespace
from cvxinv.newton.units import power_of_two
from cvxinv.problems import Quadratic

SMALLEST, LARGEST = 1e-40, 1e40  # of the largest entry of W and of a signal
FAINT = 1e-140  # of an entry of the largest column: squares of less are lost


def even(
    q: Quadratic, x: Array, eta: Array | None
) -> tuple[Quadratic, Array, Array | None, Array | None]:
    """(Q), a point and multipliers in units in which squares can be taken; and the unit of the
    signals (B,), None where nothing had to be changed.
    """
    xp = namespace(x)
    largest = xp.max(xp.abs(q.W))
    sizes = xp.maximum(xp.max(q.right, axis=1), -xp.min(q.right, axis=1))
    extreme = (sizes > LARGEST) | ((sizes < SMALLEST) & (sizes > 0))
    ordinary = (largest >= SMALLEST) & (largest <= LARGEST)
    if bool(ordinary & ~xp.any(extreme)):
        return q, x, eta, None
    matrix, signal = power_of_two(largest), power_of_two(sizes)
    unit = signal[:, None]
    with np.errstate(all="ignore"):  # a point too large for these units is refused as such
        W, t, d, lam = q.W / matrix, q.t / unit, q.d / unit, q.lam / matrix / unit
        x, eta = x * matrix / unit, None if eta is None else eta / unit
        gamma = float(q.gamma / matrix / matrix)
    return replace(q, W=W, t=t, d=d, lam=lam, gamma=gamma), x, eta, signal


def value(scaled: Array, unit: Array) -> Array:
    """A value of the objective in the statement's own units: infinite, or zero, where float64 has
    no other number for it.
    """
    with np.errstate(all="ignore"):
        return scaled * unit * unit


def visible(q: Quadratic) -> Array:
    """Whether no column of W is lost beside the largest, 0-d bool."""
    xp = namespace(q.W)
    sizes = xp.max(xp.abs(q.W), axis=0)
    return xp.all((sizes == 0) | (sizes >= FAINT * xp.max(sizes)))
