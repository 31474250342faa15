"""The answer of a backend to one layer problem."""

from dataclasses import dataclass
from typing import Any

from cvxinv.arrays import Array
from cvxinv.certificate import Certificate
from cvxinv.solution.status import tally


@dataclass(frozen=True, eq=False)
class Solution:
    """The answer to one layer problem for B signals (without the B axis, if the statement had
    none).

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
        Multipliers of the inequalities W^Sc x <= d, zero on S; None where the statement has none,
        or a backend of your own returned none (they are recovered for the certificate).
    infeasibility : (B, m) array or None
        For INFEASIBLE rows a Farkas certificate: p >= 0 with C'p >= 0 (= 0 for a latent vector) and
        d'p < 0; else zero.
    iterations : (B,) array of int
        The solver's own count; of `fast.solve` by default ADMM and active-set steps together, up to
        the one that brought the answer.
    seconds : float
        Wall time of the whole batch.
    history : list or None
        Of `fast.solve(.., history=True)`: one record per iteration with `iteration`, `objective`
        and `residual`, (B,) each.
    """

    x: Array
    support: Array
    status: Any
    certificate: Certificate
    dual: Array | None = None
    infeasibility: Array | None = None
    iterations: Any = 0
    seconds: float = 0.0
    history: Any = None

    def __repr__(self) -> str:
        return f"Solution(x {tuple(self.x.shape)}, {tally(self.status)}, {self.seconds:.3g} s)"
