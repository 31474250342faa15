"""The answer to the whole generator."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.arrays import Array, to_numpy
from cvxinv.solution.solution import Solution
from cvxinv.solution.status import tally


@dataclass(frozen=True, eq=False)
class Inversion:
    """The answer for B signals (without the B axis, if one signal was given).

    Attributes
    ----------
    z : (B, n_0) array
        The latent vectors.
    layers, supports : list of arrays
        The pursuit's own estimates of x_1 .. x_L and of their supports.
    solutions : list of Solution
        One per layer problem, in the order of the layers: z, x_1, .., x_L.
    signal : (B, n) array, or images
        G(z), in the shape of y.
    status : (B,) array of Status
        Of a pursuit: the first status, from the image down, that is neither OPTIMAL nor STATIONARY;
        then NOT_IDENTIFIABLE where the layer problem leaves z undetermined (see
        `cvxinv.pursuits`); else STATIONARY if any is. Of `invert`: see there.
    residual : (B,) array
        ||y - G(z)|| over the observed pixels.
    notes : (B,) array of tuples of str
        What is to be said of a signal beside its status, in sentences: pixels that are nan and not
        hidden, data scaled otherwise than phi, pixels in saturation that a pursuit left out, a fit
        worse than a constant image; most often nothing.
    objective : (B,) array
        Of `invert`, like all that follow (None for the pursuits): eq. 1 at z.
    noise : (B,) array
        sigma, as given or estimated from the residual (never below the rounding of y and of G(z));
        nan where there are not more pixels than latent numbers.
    covariance, standard_error : (B, n_0, n_0) and (B, n_0) arrays
        (J'J / sigma^2 + I / sigma_z^2)^-1, inf where any direction of z is not determined; and the
        roots of its diagonal, inf for the entries of z that are not determined.
    condition : (B,) array
        Of J with its columns scaled to norm 1; inf without full rank.
    identifiable : (B,) bool array
        Whether J has full rank, so that z is locally the only latent vector of its observed pixels.
    agreement : (B,) array
        Share of the best starts that came to the same z (within 10 %, before the last heats of the
        race, in which they have offspring); 1 where nothing was raced.
    stationarity : (B,) array
        How far z is from a stationary point of eq. 1 in the sense of Clarke: the length of the
        shortest vector in the hull of the gradients of the pieces of G that meet at z, relative to
        the terms that cancel there.
    """

    z: Array
    layers: list[Array]
    supports: list[Array]
    solutions: list[Solution]
    signal: Array
    status: Any
    residual: Array
    objective: Array | None = None
    noise: Array | None = None
    covariance: Array | None = None
    standard_error: Array | None = None
    condition: Array | None = None
    identifiable: Array | None = None
    agreement: Array | None = None
    stationarity: Array | None = None
    notes: Any = ()

    def __repr__(self) -> str:
        worst = np.max(to_numpy(self.residual), initial=0.0)  # nan where any is
        name, shape = type(self).__name__, tuple(self.z.shape)
        said = sum(map(bool, self.notes if self.z.ndim > 1 else [self.notes]))
        notes = f", see notes on {_signals(said)}" if said else ""
        return f"{name}(z {shape}, {tally(self.status)}, residual <= {worst:.3g}{notes})"


def _signals(count: int) -> str:
    return f"{count} signal{'s' if count > 1 else ''}"
