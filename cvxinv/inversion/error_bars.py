"""How well eq. 1 determines z: the Jacobian J of G, sigma^2 (J'J)^-1, and the Cramer-Rao bound
sigma^2 tr (J'J)^-1.

For y = G(z) + N(0, sigma^2 I), the Fisher information on z is J'J / sigma^2. With a prior z ~ N(0,
sigma_z^2 I) the posterior's precision, linearised, is J'J / sigma^2 + I / sigma_z^2.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.arrays import Array, cast_to, namespace
from cvxinv.checks import per_signal, signals
from cvxinv.generator import Generator
from cvxinv.generator.arguments import pixels_of, seen_of
from cvxinv.generator.jacobian import jacobian
from cvxinv.memory import parts, room
from cvxinv.newton.gauss_newton import RANK, unit_columns
from cvxinv.rows import one_or_many

COPIES = 4  # of J in float64 that are alive at once


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Of J in units of the entries of z: J diag(1 / units), in float64.

    Rank and condition ask for units in which its columns have norm 1, so that they do not depend on
    those of z; a prior N(0, sigma_z^2 I) for those of z itself.
    """

    values: Array  # (B, n_0) singular values, descending; zero where rounding could have made them
    V: Array  # (B, n_0, n_0), right singular vectors as columns
    units: Array  # (B, n_0)

    @property
    def identifiable(self) -> Array:
        """(B,) bool: J has full column rank, so that z is locally the only latent vector of its
        signal.
        """
        return self.values[:, -1] > 0

    @property
    def condition(self) -> Array:
        """(B,) largest over smallest singular value; inf where J has not full rank."""
        xp, full = namespace(self.values), self.identifiable
        least = xp.where(full, self.values[:, -1], 1.0)
        return xp.where(full, self.values[:, 0] / least, xp.inf)

    def covariance(self, sigma: Array, sigma_z: float) -> Array:
        """(B, n_0, n_0): (J'J / sigma^2 + I / sigma_z^2)^-1 for sigma (B,), or its limit where
        sigma is zero; inf where a direction is not determined.

        `sigma_z` is inf without a prior, and the units are 1 with one.
        """
        xp = namespace(self.values)
        variance, lost = self._variances(sigma, sigma_z)
        V = self.V / self.units[:, :, None]
        C = (V * variance[:, None, :]) @ xp.matrix_transpose(V)
        return xp.where(xp.any(lost, axis=1)[:, None, None], xp.inf, C)

    def standard_error(self, sigma: Array, sigma_z: float) -> Array:
        """(B, n_0): the roots of the variances; inf only for the entries of z that take part in an
        undetermined direction.
        """
        xp = namespace(self.values)
        variance, lost = self._variances(sigma, sigma_z)
        share = self.V**2  # of each direction in each entry
        found = xp.sqrt(xp.sum(share * variance[:, None, :], axis=2)) / self.units
        touched = xp.any(lost[:, None, :] & (share > RANK**2), axis=2)
        return xp.where(touched, xp.inf, found)

    def _variances(self, sigma: Array, sigma_z: float) -> tuple[Array, Array]:
        """Of the directions V, (B, n_0), zero for those that nothing determines; and which those
        are.
        """
        xp = namespace(self.values)
        known = self.values > 0
        precision = self.values**2 + (sigma[:, None] / sigma_z) ** 2  # times sigma^2
        variance = sigma[:, None] ** 2 / xp.where(known, precision, 1.0)
        if sigma_z < xp.inf:
            return xp.where(known, variance, sigma_z**2), xp.zeros_like(known)
        return xp.where(known, variance, 0.0), ~known


def root(G: Generator, z: Array, observed: Array | None) -> Array:
    """R (B, k, n_0) with R'R = J'J, float64, J the Jacobian of the observed rows of G at z (B,
    n_0); `observed` is (n,), (B, n) or None.
    """
    xp = namespace(z)
    n0, n = G.sizes[0], G.sizes[-1]
    found = []
    for b in parts(z.shape[0], 8 * COPIES * n * n0, room(z)):
        J = jacobian(G, z[b], seen_of(observed, b))
        J = xp.where(xp.isfinite(J), J, 0.0)
        found.append(xp.linalg.qr(J, mode="reduced")[1] if n > n0 else J)
    return xp.concat(found, axis=0)


def spectrum(R: Array, own_units: bool) -> Spectrum:
    """Of J = Q R, in units in which its columns have norm 1 or in those of z."""
    xp = namespace(R)
    units = xp.ones_like(R[:, 0, :])
    if own_units:
        R, units = unit_columns(R)
    _, s, Vt = xp.linalg.svd(R, full_matrices=True)
    values = xp.zeros_like(units)
    values[:, : s.shape[1]] = xp.where(s > RANK * s[:, :1], s, 0.0)
    return Spectrum(values, xp.matrix_transpose(Vt), units)


@np.errstate(over="ignore", invalid="ignore")  # of what is not finite
def cramer_rao(G: Generator, z: Array, sigma: Any, observed: Array | None = None) -> Array:
    """The Cramer-Rao bound sigma^2 tr (J'J)^-1 <= E ||z_hat - z||^2 of unbiased estimates from y =
    G(z) + N(0, sigma^2 I).

    Parameters
    ----------
    G : Generator
    z : (B, n_0) or (n_0,) array
        The true latent vectors, at which J is taken. Where one lies on a kink of G, J is that of
        the side on which units are off.
    sigma : float or (B,) array
        Standard deviation of the noise of a pixel.
    observed : (n,) or (B, n) bool array, or images, optional
        The pixels that are seen; all by default.

    Returns
    -------
    (B,) array
        inf where J has not full rank (to 1e-10): there no unbiased estimate has a finite error.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or numbers.
    """
    if not isinstance(G, Generator):
        raise TypeError(f"G: expected a cvxinv.Generator, got {type(G).__name__}")
    z = signals("z", z, G.sizes[0])
    seen = pixels_of(G, observed, z)
    many = one_or_many(z)
    z = many.signals
    levels = per_signal("sigma", sigma, z)
    R = root(G, z, seen)
    C = spectrum(R, own_units=True).covariance(levels, namespace(z).inf)
    trace = namespace(C).sum(namespace(C).linalg.diagonal(C), axis=1)
    return many.back(cast_to(trace, z))
