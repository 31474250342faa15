"""How well eq. 1 determines z: the Jacobian J of G, sigma^2 (J'J)^-1, and the Cramer-Rao bound
sigma^2 tr (J'J)^-1.

For y = G(z) + N(0, sigma^2 I), the Fisher information on z is J'J / sigma^2. With a prior z ~ N(0,
sigma_z^2 I) the posterior's precision, linearised, is J'J / sigma^2 + I / sigma_z^2.
"""

from dataclasses import dataclass
from typing import Any

from cvxinv.arrays import Array, cast_to, float64, namespace
from cvxinv.checks import mask, per_signal, signals
from cvxinv.generator import Generator
from cvxinv.generator.jacobian import jacobian

RANK = 1e-10  # singular values below this share of the largest count as zero
CHUNK = 256  # signals at a time: J holds n n_0 numbers for each


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Singular values (B, n_0) of J, descending, and right singular vectors as columns of V (B,
    n_0, n_0), in float64.
    """

    values: Array
    V: Array

    @property
    def condition(self) -> Array:
        """(B,) largest over smallest singular value; inf where J has not full rank."""
        xp = namespace(self.values)
        largest, least = self.values[:, 0], self.values[:, -1]
        full = self.identifiable
        return xp.where(
            full, largest / xp.where(full, least, xp.ones_like(least)), xp.inf * xp.ones_like(least)
        )

    @property
    def identifiable(self) -> Array:
        """(B,) bool: J has full column rank, so that z is locally the only latent vector of its
        signal.
        """
        return (self.values[:, -1] > RANK * self.values[:, 0]) & (self.values[:, 0] > 0)

    def covariance(self, sigma: Array, prior: Array | None) -> Array:
        """(B, n_0, n_0): (J'J / sigma^2 + prior / sigma^2 I)^-1 for sigma (B,); inf where a
        direction is not determined.

        `prior`, (B,), is (sigma / sigma_z)^2.
        """
        xp = namespace(self.values)
        variance, lost = self._variances(sigma, prior)
        C = (self.V * variance[:, None, :]) @ xp.matrix_transpose(self.V)
        return xp.where(xp.any(lost, axis=1)[:, None, None], xp.full_like(C, xp.inf), C)

    def standard_error(self, sigma: Array, prior: Array | None) -> Array:
        """(B, n_0): the roots of the variances; inf only for the entries of z that take part in an
        undetermined direction.
        """
        xp = namespace(self.values)
        variance, lost = self._variances(sigma, prior)
        share = self.V**2  # of each direction in each entry
        found = xp.sqrt(xp.sum(share * variance[:, None, :], axis=2))
        touched = xp.any(lost[:, None, :] & (share > RANK**2), axis=2)
        return xp.where(touched, xp.full_like(found, xp.inf), found)

    def _variances(self, sigma: Array, prior: Array | None) -> tuple[Array, Array]:
        """Of the directions V, (B, n_0), zero for those that nothing determines; and which those
        are.
        """
        xp = namespace(self.values)
        known = (self.values > RANK * self.values[:, :1]) & (self.values > 0)
        precision = xp.where(known, self.values, xp.zeros_like(self.values)) ** 2
        precision = precision if prior is None else precision + prior[:, None]
        lost = precision == 0
        variance = sigma[:, None] ** 2 / xp.where(lost, xp.ones_like(precision), precision)
        return xp.where(lost, xp.zeros_like(variance), variance), lost


def spectrum(G: Generator, z: Array, observed: Array | None) -> Spectrum:
    """Of the Jacobian of the observed rows of G at z (B, n_0), float64; `observed` is (n,), (B, n)
    or None.
    """
    xp = namespace(z)
    B, n0 = z.shape
    values, V = (
        xp.zeros_like(z),
        xp.zeros((B, n0, n0), dtype=xp.float64, device=getattr(z, "device", None)),
    )
    for first in range(0, B, CHUNK):
        b = slice(first, first + CHUNK)
        J = jacobian(G, z[b], observed if observed is None or observed.ndim == 1 else observed[b])
        J = xp.where(xp.isfinite(J), J, xp.zeros_like(J))
        R = xp.linalg.qr(J, mode="reduced")[1] if J.shape[1] > n0 else J
        _, s, Vt = xp.linalg.svd(R, full_matrices=True)
        values[b, : s.shape[1]] = s
        V[b] = xp.matrix_transpose(Vt)
    return Spectrum(values, V)


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
    observed : (n,) or (B, n) bool array, optional
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
    seen = mask("observed", observed, z, G.sizes[-1])
    points = float64(z if z.ndim == 2 else z[None, :])
    levels = per_signal("sigma", sigma, points)
    xp = namespace(points)
    trace = xp.sum(xp.linalg.diagonal(spectrum(G, points, seen).covariance(levels, None)), axis=1)
    trace = cast_to(trace, z)
    return trace if z.ndim == 2 else trace[0]
