"""The linear programs of Lei et al. (2019)."""

from dataclasses import dataclass
from typing import Literal

from cvxinv import checks
from cvxinv.arrays import Array, at_least, float64, namespace
from cvxinv.problems.statement import HiddenStatement


@dataclass(frozen=True, eq=False, repr=False)
class LinearProgram(HiddenStatement):
    """One layer of Lei et al. (2019): the least e with |W x + b - x_next| <= e on S and W x + b <=
    e off S.

    `norm="linf"`: one e for all rows; `norm="l1"`: one e_r per row, and their sum is minimised.

    Parameters
    ----------
    W, x_next, support, bias
        As of `MidLayer`.
    norm : "linf" or "l1"
    nonnegative : bool
        Whether x >= 0: yes at hidden layers, no at the latent vector.
    observed : (m,) or (B, m) bool array, optional
        The rows that enter at all; all by default (the image layer has masks).
    """

    W: Array
    x_next: Array
    support: Array | None = None
    bias: Array | None = None
    norm: Literal["linf", "l1"] = "linf"
    nonnegative: bool = True
    observed: Array | None = None

    def __post_init__(self) -> None:
        checks.choice("norm", self.norm, ("linf", "l1"))
        checks.flag("nonnegative", self.nonnegative)
        self.check("observed")

    def values(self, x: Array) -> Array:
        """The least e (of l1: the sum of the least e_r), (B,), of points (B, n) in float64."""
        xp = namespace(x)
        c, two_sided, one_sided = self.rows()
        over = x @ float64(self.W).T - c
        error = xp.where(one_sided, at_least(over, 0), 0.0)
        error = xp.where(two_sided, xp.abs(over), error)
        value = xp.max(error, axis=1) if self.norm == "linf" else xp.sum(error, axis=1)
        return xp.where(xp.isfinite(value), value, xp.nan)

    def rows(self) -> tuple[Array, Array, Array]:
        """(c, two_sided, one_sided) for B signals in float64: |W x - c| <= e and W x - c <= e on
        the two masks.
        """
        x_next = self.x_next if self.x_next.ndim == 2 else self.x_next[None, :]
        xp = namespace(x_next)
        x_next = float64(x_next)
        everywhere = xp.ones_like(x_next, dtype=xp.bool)
        observed = everywhere if self.observed is None else self.observed & everywhere
        two_sided = self.support & observed
        zero = xp.zeros_like(x_next)
        b = zero if self.bias is None else float64(self.bias) + zero
        return xp.where(two_sided, x_next, zero) - b, two_sided, observed & ~two_sided
