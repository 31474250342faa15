"""The layer problems as frozen statements, one class per equation; each is an instance of (Q), see `quadratic`.

A signal may be given alone, without the leading B axis.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from . import activations, checks
from .activations import Activation
from .arrays import Array, as_float, dtype_name, float64, namespace
from .errors import NotConvexError
from .quadratic import Quadratic, quadratic


def _set(statement: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(statement, name, value)


class Statement:
    """What all statements share: which of their fields holds the signals, and that they are convex unless they say otherwise."""

    data_name: ClassVar[str]

    def __init_subclass__(cls, data: str) -> None:
        cls.data_name = data

    @property
    def data(self) -> Array:
        """The array whose kind, dtype, device and batch axis the answer has."""
        return getattr(self, self.data_name)

    @property
    def convex(self) -> bool:
        """Whether a KKT point is a solution."""
        return True


@dataclass(frozen=True, eq=False)
class LastLayer(Statement, data="y"):
    """Image layer, eq. 5: min 1/2 ||y - phi(W x + b)||^2 + lam 1'x over x >= 0, on the observed rows.

    Convex where phi is the identity. For another phi, state the convex problem of the inverted activation with
    `y = phi.inverse(y)` and the identity, or solve the non-convex one to stationarity (erratum E3).

    Parameters
    ----------
    W : (n, n_L) array
    y : (n,) or (B, n) array
        The signals; entries that are not observed may hold anything, nan included.
    activation : str or Activation
    bias : (n,) array, optional
    lam : float
        Weight of the l1 term, >= 0.
    observed : (n,) or (B, n) bool array, optional
        The pixels that are seen; all of them by default.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes or dtypes, negative weights or unknown activations.
    """

    W: Array
    y: Array
    activation: str | Activation = "identity"
    bias: Array | None = None
    lam: float = 0.0
    observed: Array | None = None

    def __post_init__(self) -> None:
        y = as_float("y", self.y)
        W = checks.matrix(self.W, y)
        m = int(W.shape[0])
        _set(self, y=checks.signals("y", y, m), W=W, activation=activations.activation(self.activation), lam=checks.weight("lam", self.lam))
        _set(self, bias=checks.vector("bias", self.bias, y, m), observed=checks.mask("observed", self.observed, y, m))

    @property
    def phi(self) -> Activation:
        """The activation as an object."""
        return activations.activation(self.activation)

    @property
    def convex(self) -> bool:
        """Whether the statement is convex: only with the identity (erratum E3)."""
        return self.phi.name == "identity"

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q); raises `NotConvexError` where phi is not the identity."""
        if not self.convex:
            raise NotConvexError(
                f"LastLayer with activation {self.phi.name} is not convex:"
                " pass y = phi^-1(y) (`activation.inverse(y)`) with the identity instead"
            )
        return quadratic(self.W, self.y, self.bias, rows=self.observed, lam=self.lam, nonnegative=True)


@dataclass(frozen=True, eq=False)
class MidLayer(Statement, data="x_next"):
    """Hidden layer, eq. 6: min 1/2 ||W^S x + b^S - x_next^S||^2 + lam 1'x over x >= 0 with W^Sc x + b^Sc <= 0.

    Parameters
    ----------
    W : (n_{i+1}, n_i) array
    x_next : (n_{i+1},) or (B, n_{i+1}) array
        The layer after this one, x_{i+1}.
    support : (n_{i+1},) or (B, n_{i+1}) bool array, optional
        S = S_{i+1}; `x_next > 0` by default.
    bias : (n_{i+1},) array, optional
        With a bias the constraints can contradict each other: status INFEASIBLE.
    lam : float
        Weight of the l1 term, >= 0.
    """

    W: Array
    x_next: Array
    support: Array | None = None
    bias: Array | None = None
    lam: float = 0.0

    def __post_init__(self) -> None:
        _check_next(self)
        _set(self, lam=checks.weight("lam", self.lam))

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return quadratic(self.W, self.x_next, self.bias, rows=self.support, inequalities=True, lam=self.lam, nonnegative=True)


@dataclass(frozen=True, eq=False)
class Latent(Statement, data="x_next"):
    """Latent vector, eq. 9: min 1/2 ||W^S z + b^S - x_1^S||^2 + gamma/2 ||z||^2 with W^Sc z + b^Sc <= 0.

    Parameters as of `MidLayer`, with `gamma >= 0` (0: no prior on z) in place of `lam`.
    """

    W: Array
    x_next: Array
    support: Array | None = None
    bias: Array | None = None
    gamma: float = 0.0

    def __post_init__(self) -> None:
        _check_next(self)
        _set(self, gamma=checks.weight("gamma", self.gamma))

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return quadratic(self.W, self.x_next, self.bias, rows=self.support, inequalities=True, gamma=self.gamma)


def _default_support(x_next: Array) -> Array:
    """The support of x_next; what is not finite counts as data, so that the signal gets a status."""
    return (x_next > 0) | ~namespace(x_next).isfinite(x_next)


def _check_next(statement: MidLayer | Latent) -> None:
    x_next = as_float("x_next", statement.x_next)
    W = checks.matrix(statement.W, x_next)
    m = int(W.shape[0])
    x_next = checks.signals("x_next", x_next, m)
    support = _default_support(x_next) if statement.support is None else statement.support
    _set(
        statement,
        W=W,
        x_next=x_next,
        support=checks.mask("support", support, x_next, m),
        bias=checks.vector("bias", statement.bias, x_next, m),
    )


@dataclass(frozen=True, eq=False)
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
        One weight for all columns, one per column (Theorem 3, erratum E1), or one per signal and column.
    """

    W: Array
    target: Array
    rows: Array | None = None
    bias: Array | None = None
    lam: Any = 0.0

    def __post_init__(self) -> None:
        _check_target(self)
        _set(self, lam=checks.weights("lam", self.lam, self.target, int(self.W.shape[1])))

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return quadratic(self.W, self.target, self.bias, rows=self.rows, lam=self.lam)


@dataclass(frozen=True, eq=False)
class LeastSquares(Statement, data="target"):
    """Least squares (Algorithm 4, last step of Algorithm 1): min 1/2 ||W x + b - target||^2 on some rows and columns.

    Parameters as of `BasisPursuit`; `columns`, (n,) or (B, n) bool, are those where x may differ from zero. Where the
    minimiser is not unique, the one of least norm is meant.
    """

    W: Array
    target: Array
    rows: Array | None = None
    columns: Array | None = None
    bias: Array | None = None

    def __post_init__(self) -> None:
        _check_target(self)
        _set(self, columns=checks.mask("columns", self.columns, self.target, int(self.W.shape[1])))

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return quadratic(self.W, self.target, self.bias, rows=self.rows, columns=self.columns)


def _check_target(statement: BasisPursuit | LeastSquares) -> None:
    target = as_float("target", statement.target)
    W = checks.matrix(statement.W, target)
    m = int(W.shape[0])
    target = checks.signals("target", target, m)
    _set(
        statement,
        W=W,
        target=target,
        rows=checks.mask("rows", statement.rows, target, m),
        bias=checks.vector("bias", statement.bias, target, m),
    )


@dataclass(frozen=True, eq=False)
class LinearProgram(Statement, data="x_next"):
    """One layer of Lei et al. (2019): the least e with |W x + b - x_next| <= e on S and W x + b <= e off S.

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
        if self.norm not in ("linf", "l1"):
            raise ValueError(f"norm: expected 'linf' or 'l1', got {self.norm!r}")
        if not isinstance(self.nonnegative, bool):
            raise TypeError(f"nonnegative: expected True or False, got {self.nonnegative!r}")
        x_next = as_float("x_next", self.x_next)
        W = checks.matrix(self.W, x_next)
        m = int(W.shape[0])
        x_next = checks.signals("x_next", x_next, m)
        observed = checks.mask("observed", self.observed, x_next, m)
        support = checks.mask("support", _default_support(x_next) if self.support is None else self.support, x_next, m)
        _set(self, W=W, x_next=x_next, support=support, observed=observed, bias=checks.vector("bias", self.bias, x_next, m))

    def rows(self) -> tuple[Array, Array, Array]:
        """(c, two_sided, one_sided) for B signals in float64: |W x - c| <= e and W x - c <= e on the two masks."""
        x_next = self.x_next if self.x_next.ndim == 2 else self.x_next[None, :]
        xp = namespace(x_next)
        x_next = float64(x_next)
        everywhere = xp.ones_like(x_next, dtype=xp.bool)
        observed = everywhere if self.observed is None else self.observed & everywhere
        two_sided = self.support & observed
        zero = xp.zeros_like(x_next)
        b = zero if self.bias is None else float64(self.bias) + zero
        return xp.where(two_sided, x_next, zero) - b, two_sided, observed & ~two_sided


LayerProblem: TypeAlias = LastLayer | MidLayer | Latent | BasisPursuit | LeastSquares  # each an instance of (Q), or eq. 5
Problem: TypeAlias = LayerProblem | LinearProgram


def batched(problem: Problem) -> bool:
    """Whether the statement was given a batch (else a single signal without the leading axis)."""
    return bool(problem.data.ndim == 2)


def describe(problem: Problem) -> str:
    """One line: the statement, its sizes and how many signals it holds."""
    m, n = problem.W.shape
    count = problem.data.shape[0] if batched(problem) else 1
    return f"{type(problem).__name__}: W {m} x {n}, {count} signal{'s' * (count != 1)}, {dtype_name(problem.data)}"


def as_problem(problem: Any) -> Problem:
    """`problem` itself, or `TypeError` if it is not one of the statements of this module."""
    if not isinstance(problem, (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares, LinearProgram)):
        raise TypeError(f"problem: expected a statement of cvxinv.problems, got {type(problem).__name__}")
    return problem


__all__ = [
    "BasisPursuit", "LastLayer", "Latent", "LeastSquares", "LinearProgram", "MidLayer", "Problem", "Quadratic",
]  # fmt: skip
