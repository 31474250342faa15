"""The answer to the whole generator."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cvxinv.arrays import Array

if TYPE_CHECKING:
    from cvxinv.guarantees.stability import Stability
from cvxinv.solution.solution import Solution
from cvxinv.solution.status import tally


@dataclass(frozen=True, eq=False)
class Inversion:
    """The answer of a pursuit for B signals (without the B axis, if one signal was given).

    Attributes
    ----------
    z : (B, n_0) array
        The latent vectors.
    layers, supports : list of arrays
        The pursuit's own estimates of x_1 .. x_L and of their supports.
    solutions : list of Solution
        One per layer problem, in the order of the layers: z, x_1, .., x_L.
    signal : (B, n) array
        G(z).
    status : (B,) array of Status
        The first status, from the image down, that is neither OPTIMAL nor STATIONARY; else
        STATIONARY if any is. Of `invert`: see there.
    bounds : Stability or None
        Of `layered_basis_pursuit(.., lam="theorem3")`: the noise levels it went by, and what
        Theorem 3 says of the estimates (of z before debiasing). Computed when first asked for:
        coherences of many row subsets can cost more than the pursuit.
    objective, residual : (B,) arrays
        Of `invert`, like all that follow (None for the pursuits): eq. 1 at z, and ||y - G(z)|| over
        the observed pixels.
    noise : (B,) array
        sigma, as given or estimated from the residual (never below the rounding of y); nan where
        there are not more pixels than latent numbers.
    covariance, standard_error : (B, n_0, n_0) and (B, n_0) arrays
        sigma^2 (J'J + (sigma / sigma_z)^2 I)^-1, inf where any direction of z is not determined;
        and the roots of its diagonal, inf for the entries of z that are not determined.
    condition : (B,) array
        Of J; inf without full rank.
    identifiable : (B,) bool array
        Whether J has full rank, so that z is locally the only latent vector of its observed pixels.
    agreement : (B,) array
        Share of the starts that came to the same z (within 10 %, in the last heat of the race); 1
        where nothing was raced.
    """

    z: Array
    layers: list[Array]
    supports: list[Array]
    solutions: list[Solution]
    signal: Array
    status: Any
    objective: Array | None = None
    residual: Array | None = None
    noise: Array | None = None
    covariance: Array | None = None
    standard_error: Array | None = None
    condition: Array | None = None
    identifiable: Array | None = None
    agreement: Array | None = None
    bounding: "Callable[[], Stability] | None" = None

    def __repr__(self) -> str:
        return f"Inversion(z {tuple(self.z.shape)}, {tally(self.status)})"

    @cached_property
    def bounds(self) -> "Stability | None":
        """What Theorem 3 says of the estimates; None for other pursuits than Algorithm 1 with the
        theorem's weights.
        """
        return None if self.bounding is None else self.bounding()
