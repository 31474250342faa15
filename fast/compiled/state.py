"""What compiled active sets work on: what all signals share, one signal, and memory to work in."""

from typing import Any, NamedTuple

import numpy as np

from .lapack import room

Array = Any  # of NumPy, in compiled code


class Statement(NamedTuple):
    """(Q) for some signals, as it is stated."""

    W: Array  # (m, n)
    t: Array  # (B, m), zero off the rows of A
    on: Array  # (B, m) bool: rows of A; the others are inequalities where it is `constrained`
    d: Array  # (B, m), zero off the inequalities
    lam: Array  # (B, n)
    gamma: float
    nonnegative: bool
    constrained: bool


class Shared(NamedTuple):
    """What all signals share."""

    W: Array  # (m, n) float64, unit columns
    narrow: Array  # W in float32
    gram: Array  # (n, n) float64: A'A + diag(gamma), where all signals share it, else (0, 0)
    unit: Array  # (m,) 1 / ||W_i||
    gamma: Array  # (n,)
    nonnegative: bool
    easy: bool  # whether A is so well conditioned that conjugate gradients do without factors


class Signal(NamedTuple):
    """One signal: its data, and where it has got to."""

    t: Array  # (m,)
    on: Array  # (m,) bool: rows of A; the others are inequalities
    d: Array  # (m,) bounds of the inequalities, inf where there are none
    lam: Array  # (n,)
    g: Array  # (n,) A't, where A'A is shared
    x: Array  # (n,) the iterate ..
    eta: Array  # (m,) .. and its multipliers
    v: Array  # (m,) W x
    r: Array  # (n,) A'(t - A x) - C'eta - gamma x


class Room(NamedTuple):
    """Memory for one thread."""

    P: Array  # (m, n) float32: columns of W_S that have counted so far, packed ..
    H: Array  # (n, n) float32: .. and H on them
    known: Array  # (n,) which columns they are
    place: Array  # (n,) where a column is among them, -1 where it is not
    free: Array  # (n,) bool
    F: Array  # (n,) the free columns ..
    at: Array  # (n,) .. and their places
    active: Array  # (m,) bool
    A: Array  # (n,) the active rows, no more than columns
    factor: Array  # (n, n) float32: of H_FF
    C: Array  # (n, n) float32: C_AF ..
    Y: Array  # .. and C_AF H_FF^-1; or three vectors of conjugate gradients
    S: Array  # (n, n) factor of the Schur complement, lower
    b: Array  # (n,) right-hand side
    dx: Array  # (n,) float32
    deta: Array  # (n,)
    x: Array  # (n,) of the signal ..
    eta: Array  # (m,)
    v: Array  # (m,)
    r: Array  # (n,)
    spare: Any  # of `lapack`


def new_room(m: int, n: int, H: Array) -> Room:
    """Memory for signals of m rows and n columns; H is that of all signals where they share it."""
    narrow = np.float32
    return Room(
        np.empty((m, n), narrow),
        H if len(H) else np.empty((n, n), narrow),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.bool_),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(m, np.bool_),
        np.empty(n, np.int64),
        np.empty((n, n), narrow),
        np.empty((n, n), narrow),
        np.empty((max(n, 3), n), narrow),
        np.empty((n, n)),
        np.empty(n),
        np.empty(n, narrow),
        np.empty(n),
        np.empty(n),
        np.empty(m),
        np.empty(m),
        np.empty(n),
        room(),
    )
