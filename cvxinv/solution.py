"""What a backend answers: a `Solution` per layer problem, a `Status` per signal; and an `Inversion` per generator."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import Array

if TYPE_CHECKING:
    from .guarantees.stability import Stability
    from .optimality import Certificate


class Status(Enum):
    """How the solve of one signal ended; the value is what a person should know or do about it."""

    OPTIMAL = "The certificate proves the returned point optimal, to the tolerance."
    STATIONARY = "A KKT point of a problem that is not convex: better ones may exist."
    MAX_ITER = (
        "Not optimal to the tolerance; the certificate, where there is one, says how far."
        " Try more iterations or another solver, or look at the scaling of the data."
    )
    NONFINITE = "The signal holds nan or inf; it was not solved."
    INVALID_SIGNAL = "The signal lies outside the range of the output activation, which cannot be inverted there; it was not solved."
    NOT_IDENTIFIABLE = (
        "Other latent vectors nearby give the same observed pixels: z is one of many. Observe more pixels, or state a prior (with noise)."
    )
    INFEASIBLE = (
        "No x satisfies the constraints (a bias can do that): no point of the layer has this support; `infeasibility` is the proof."
    )


STATUS_TOLERANCE = {"float64": 1e-8, "float32": 1e-5}  # KKT residual up to which a returned point is called OPTIMAL


@dataclass(frozen=True, eq=False)
class Solution:
    """The answer to one layer problem for B signals (without the B axis, if the statement had none).

    Attributes
    ----------
    x : (B, n) array
        The returned points, whatever their status.
    support : (B, n) bool array
        Where x is nonzero, decided from value against multiplier.
    status : (B,) array of Status
    certificate : Certificate
        Computed in float64 at x, independently of what the solver claimed.
    dual : (B, m) array or None
        Multipliers of the inequalities W^Sc x <= d, zero on S; None where the statement has none.
    infeasibility : (B, m) array or None
        For INFEASIBLE rows a Farkas certificate: p >= 0 with C'p >= 0 (= 0 for a latent vector) and d'p < 0; else zero.
    iterations : (B,) array of int
        The solver's own count; of `fast.solve` by default ADMM and active-set steps together, up to the one that brought the answer.
    seconds : float
        Wall time of the whole batch.
    history : list or None
        Of `fast.solve(.., history=True)`: one record per iteration with `iteration`, `objective` and `residual`, (B,) each.
    """

    x: Array
    support: Array
    status: Any
    certificate: "Certificate"
    dual: Array | None = None
    infeasibility: Array | None = None
    iterations: Any = 0
    seconds: float = 0.0
    history: Any = None

    def __repr__(self) -> str:
        return f"Solution(x {tuple(self.x.shape)}, {_tally(self.status)}, {self.seconds:.3g} s)"


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
        The first status, from the image down, that is neither OPTIMAL nor STATIONARY; else STATIONARY if any is. Of `invert`: see there.
    bounds : Stability or None
        Of `layered_basis_pursuit(.., lam="theorem3")`: the noise levels it went by, and what Theorem 3 says of the estimates (of z
        before debiasing). Computed when first asked for: coherences of many row subsets can cost more than the pursuit.
    objective, residual : (B,) arrays
        Of `invert`, like all that follow (None for the pursuits): eq. 1 at z, and ||y - G(z)|| over the observed pixels.
    noise : (B,) array
        sigma, as given or estimated from the residual (never below the rounding of y); nan where there are not more pixels than
        latent numbers.
    covariance, standard_error : (B, n_0, n_0) and (B, n_0) arrays
        sigma^2 (J'J + (sigma / sigma_z)^2 I)^-1, inf where any direction of z is not determined; and the roots of its diagonal, inf
        for the entries of z that are not determined.
    condition : (B,) array
        Of J; inf without full rank.
    identifiable : (B,) bool array
        Whether J has full rank, so that z is locally the only latent vector of its observed pixels.
    agreement : (B,) array
        Share of the starts that came to the same z (within 10 %, in the last heat of the race); 1 where nothing was raced.
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
        return f"Inversion(z {tuple(self.z.shape)}, {_tally(self.status)})"

    @cached_property
    def bounds(self) -> "Stability | None":
        """What Theorem 3 says of the estimates; None for other pursuits than Algorithm 1 with the theorem's weights."""
        return None if self.bounding is None else self.bounding()


def _tally(status: Any) -> str:
    """How many signals have which status; its name for a signal alone."""
    if isinstance(status, Status):
        return status.name
    return ", ".join(f"{count} {name}" for name, count in Counter(s.name for s in status).most_common()) or "no signals"


def worst(statuses: list[Any]) -> Any:
    """Per signal, the first failure among statuses in the order given; else STATIONARY if any is, else OPTIMAL."""
    out = np.full(np.shape(statuses[0]), Status.OPTIMAL, dtype=object)
    for status in reversed(statuses):
        status = np.asarray(status, dtype=object)
        out = np.where(status == Status.OPTIMAL, out, np.where((status == Status.STATIONARY) & (out != Status.OPTIMAL), out, status))
    return out if out.ndim else out.item()
