"""What can be said of a point."""

from dataclasses import dataclass

from cvxinv import checks
from cvxinv.arrays import Array, namespace, to_numpy


@dataclass(frozen=True, eq=False)
class Certificate:
    """What can be said about given points x, (B,) each (0-d for one signal), in float64.

    Attributes
    ----------
    objective : value of the statement's objective at x (constraints ignored)
    lower_bound : on the optimal value, proven up to rounding whatever the multipliers; nan where
        none is available: without lam and gamma, not convex
    gap : between objective and lower bound, the larger of it relative to max(1/2 s^2, objective)
        and of the square of it relative to what the weights cost; nan where rounding decides it
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
        tol = checks.nonnegative("tol", tol)
        return (self.kkt <= tol) & (self.violation <= tol)

    def optimal(self, tol: float = 1e-6) -> Array:
        """(B,) bool: optimal to `tol`; KKT residual and violation, and the gap where it
        is available.

        Never true of a statement that is not convex, whose KKT points need not be solutions.
        """
        xp = namespace(self.kkt)
        return self.stationary(tol) & (xp.isnan(self.gap) | (self.gap <= tol)) & self.convex

    def report(self, tol: float = 1e-6) -> str:
        """Which signals fail which criterion of `optimal`, in words, a line for each."""
        tol = checks.nonnegative("tol", tol)
        figures = {"KKT residual": self.kkt, "violation": self.violation, "gap": self.gap}
        values = {name: to_numpy(a).reshape(-1) for name, a in figures.items()}
        lines = [] if self.convex else ["not optimal, stationary at best: not convex"]
        for b in range(len(values["gap"])):
            over = [f"{name} {a[b]:.2g} > {tol:g}" for name, a in values.items() if a[b] > tol]
            if over:
                lines.append((f"signal {b}: " if self.kkt.ndim else "") + ", ".join(over))
        return "\n".join(lines) or f"all criteria hold to {tol:g}"

    def where(self, good: Array) -> "Certificate":
        """The certificate with nothing proven for signals that are not good."""
        xp = namespace(self.kkt)
        good = good & (self.kkt < xp.inf)
        return Certificate(
            xp.where(good, self.objective, xp.nan),
            xp.where(good, self.lower_bound, xp.nan),
            xp.where(good, self.gap, xp.nan),
            xp.where(good, self.kkt, xp.inf),
            xp.where(good, self.violation, xp.inf),
            self.convex,
        )

    def __repr__(self) -> str:
        if self.kkt.ndim == 0:
            return (
                f"Certificate(objective {float(self.objective):.6g}, kkt {float(self.kkt):.2g},"
                f" violation {float(self.violation):.2g}, gap {float(self.gap):.2g})"
            )
        good = to_numpy(self.optimal() if self.convex else self.stationary())
        word = "optimal" if self.convex else "stationary"
        count = f"{len(good)} signal{'s' * (len(good) != 1)}"
        return f"Certificate({count}: {good.sum()} {word} to 1e-06)"
