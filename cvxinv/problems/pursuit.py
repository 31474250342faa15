"""The statements of Algorithms 1 and 4: basis pursuit and least squares."""

from dataclasses import dataclass
from typing import Any

from cvxinv import checks
from cvxinv.arrays import Array
from cvxinv.problems.quadratic import Quadratic, quadratic
from cvxinv.problems.statement import Statement, set_fields


@dataclass(frozen=True, eq=False, repr=False)
class BasisPursuit(Statement, data="target"):
    """Basis pursuit (Algorithm 1): min 1/2 ||W x + b - target||^2 + sum_j lam_j |x_j| on some rows.

    Parameters
    ----------
    W : (m, n) array
    target : (m,) or (B, m) array
    rows : (m,) or (B, m) bool array, optional
        The rows that enter; all by default.
    bias : (m,) array, optional
    lam : float or (n,) or (B, n) array
        One weight for all columns, one per column (Theorem 3, erratum E1), or one per signal and
        column.
    """

    W: Array
    target: Array
    rows: Array | None = None
    bias: Array | None = None
    lam: Any = 0.0

    def __post_init__(self) -> None:
        self.check("rows")
        n = int(self.W.shape[1])
        set_fields(self, lam=checks.weights("lam", self.lam, self.target, n))

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return quadratic(self.W, self.target, self.bias, rows=self.rows, lam=self.lam)


@dataclass(frozen=True, eq=False, repr=False)
class LeastSquares(Statement, data="target"):
    """Least squares (Algorithm 4, last step of Algorithm 1): min 1/2 ||W x + b - target||^2 on some
    rows and columns.

    Parameters as of `BasisPursuit`; `columns`, (n,) or (B, n) bool, are those where x may differ
    from zero. Where the minimiser is not unique, the one of least norm is meant.
    """

    W: Array
    target: Array
    rows: Array | None = None
    columns: Array | None = None
    bias: Array | None = None

    def __post_init__(self) -> None:
        self.check("rows")
        n = int(self.W.shape[1])
        set_fields(self, columns=checks.mask("columns", self.columns, self.target, n))

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return quadratic(self.W, self.target, self.bias, rows=self.rows, columns=self.columns)
