"""What can be said of a point."""

from dataclasses import dataclass, fields, replace
from typing import Any

from cvxinv.arrays import Array, namespace


@dataclass(frozen=True, eq=False)
class Certificate:
    """What can be said about given points x, (B,) each (0-d for one signal), in float64.

    Attributes
    ----------
    objective : value of the statement's objective at x (constraints ignored)
    lower_bound : a proven lower bound on the optimal value; nan where none is available: lam =
    gamma = 0 (or so small that
        rounding would decide the bound), not convex
    gap : (objective - lower_bound) / max(1/2 s^2, objective); nan where unavailable; only for x
    without violation >= 0
    kkt : KKT residual, relative and scale-invariant; inf where x or the data hold nan or inf
    violation : largest relative violation of the constraints alone
    convex : bool, whether the statement is: only then is a KKT point a solution
    """

    objective: Array
    lower_bound: Array
    gap: Array
    kkt: Array
    violation: Array
    convex: bool = True

    def stationary(self, tol: float = 1e-6) -> Array:
        """(B,) bool: the KKT conditions hold to `tol`."""
        return (self.kkt <= tol) & (self.violation <= tol)

    def optimal(self, tol: float = 1e-6) -> Array:
        """(B,) bool: proven optimal to `tol`; KKT residual and violation, and the gap where it is
        available.

        Never true of a statement that is not convex, whose KKT points need not be solutions.
        """
        xp = namespace(self.kkt)
        return self.stationary(tol) & (xp.isnan(self.gap) | (self.gap <= tol)) & self.convex


def unbatch(result: Any, keep: bool) -> Any:
    """A frozen dataclass of (B, ..) arrays without the leading axis, unless `keep`."""
    if keep:
        return result
    values = {f.name: getattr(result, f.name) for f in fields(result)}
    return replace(result, **{k: v[0] for k, v in values.items() if getattr(v, "ndim", 0) > 0})
