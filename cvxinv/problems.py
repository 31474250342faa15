"""The layer problems as frozen statements, one class per equation, and (Q), the one convex family they all belong to.

    minimise    1/2 ||A x - t||^2 + sum_j lam_j |x_j| + (gamma/2) ||x||^2
    subject to  C x <= d,   and x >= 0 where stated                          (Q)

A and C are rows of one matrix W that all B signals share; which rows is a boolean mask per signal, so a batch needs no
slicing. A signal may be given alone, without the leading B axis.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from . import activations
from .activations import Activation
from .arrays import Array, as_float, as_mask, dtype_name, float64, match, namespace
from .errors import NotConvexError


@dataclass(frozen=True, eq=False)
class Quadratic:
    """(Q) for B signals, in float64. Rows off both masks take no part; `t`, `d` are zero off their masks."""

    W: Array  # (m, n), shared
    t: Array  # (B, m)
    rows: Array  # (B, m) bool: A = W[rows]
    d: Array  # (B, m)
    inequalities: Array  # (B, m) bool: C = W[inequalities]
    lam: Array  # (B, n)
    gamma: float
    nonnegative: bool
    columns: Array  # (B, n) bool: where x may differ from zero
    finite: Array  # (B,) bool: whether the signal's own data are finite (where not, they are replaced by zeros)

    def __getitem__(self, b: Any) -> "Quadratic":
        """The same statement for some of the signals."""
        return Quadratic(
            self.W, self.t[b], self.rows[b], self.d[b], self.inequalities[b], self.lam[b],
            self.gamma, self.nonnegative, self.columns[b], self.finite[b],
        )  # fmt: skip

    @property
    def size(self) -> int:
        """B, the number of signals."""
        return int(self.t.shape[0])


def _matrix(W: Array, like: Array) -> Array:
    W = as_float("W", W)
    if W.ndim != 2 or 0 in W.shape:
        raise ValueError(f"W: expected a non-empty matrix (m, n), got shape {tuple(W.shape)}")
    if not bool(namespace(W).all(namespace(W).isfinite(W))):
        raise ValueError("W: expected finite entries, got nan or inf")
    return match(W, like)


def _signals(name: str, a: Array, m: int) -> Array:
    if a.ndim not in (1, 2) or a.shape[-1] != m:
        raise ValueError(f"{name}: expected shape ({m},) or (B, {m}) for this W, got {tuple(a.shape)}")
    return a


def _mask(name: str, mask: Any, data: Array, size: int) -> Array | None:
    if mask is None:
        return None
    mask = match(as_mask(name, mask), data)
    _same_batch(name, mask, data, size)
    return mask


def _same_batch(name: str, a: Array, data: Array, size: int) -> None:
    allowed = [(size,)] + ([(int(data.shape[0]), size)] if data.ndim == 2 else [])
    if tuple(a.shape) not in allowed:
        raise ValueError(f"{name}: expected shape {' or '.join(map(str, allowed))}, got {tuple(a.shape)}")


def _vector(name: str, b: Any, data: Array, m: int) -> Array | None:
    if b is None:
        return None
    b = match(as_float(name, b), data)
    if tuple(b.shape) != (m,):
        raise ValueError(f"{name}: expected shape ({m},), got {tuple(b.shape)}")
    if not bool(namespace(b).all(namespace(b).isfinite(b))):
        raise ValueError(f"{name}: expected finite entries, got nan or inf")
    return b


def _weight(name: str, value: Any) -> float:
    number = isinstance(value, (int, float)) or (hasattr(value, "__float__") and getattr(value, "ndim", 1) == 0)
    if isinstance(value, bool) or not number:
        raise TypeError(f"{name}: expected a number, got {type(value).__name__}")
    if not 0 <= float(value) < math.inf:
        raise ValueError(f"{name}: expected a finite number >= 0, got {value}")
    return float(value)


def _weights(name: str, value: Any, data: Array, n: int) -> Any:
    """A scalar weight, or an array of them: (n,) or (B, n)."""
    if getattr(value, "ndim", 0) == 0 and not isinstance(value, (list, tuple)):
        return _weight(name, value)
    value = match(as_float(name, value), data)
    _same_batch(name, value, data, n)
    if bool(namespace(value).any(value < 0)):
        raise ValueError(f"{name}: expected entries >= 0, got negative ones")
    return value


def _set(statement: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(statement, name, value)


def _quadratic(
    W: Array, target: Array, bias: Array | None, *, rows: Array | None, inequalities: bool = False,
    lam: Any = 0.0, gamma: float = 0.0, nonnegative: bool = False, columns: Array | None = None,
) -> Quadratic:  # fmt: skip
    """(Q) with A = W[rows], t = target - b on those rows and, where wanted, W x + b <= 0 on all others."""
    target = target if target.ndim == 2 else target[None, :]
    xp = namespace(target)
    W, target = float64(W), float64(target)
    B, n = target.shape[0], W.shape[1]
    everywhere = xp.ones_like(target, dtype=xp.bool)
    rows = everywhere if rows is None else rows & everywhere
    inequality_rows = ~rows if inequalities else xp.zeros_like(rows)
    zero = xp.zeros_like(target)
    b = zero if bias is None else float64(bias) + zero
    t = xp.where(rows, target - b, zero)
    lam = float64(lam) + xp.zeros_like(W[:1, :]) if hasattr(lam, "ndim") else xp.full_like(W[:1, :], lam)
    lam = xp.broadcast_to(lam, (B, n))
    finite = xp.all(xp.isfinite(t), axis=1) & xp.all(xp.isfinite(lam), axis=1)
    allowed = xp.ones_like(lam, dtype=xp.bool)
    return Quadratic(
        W, xp.where(finite[:, None], t, zero), rows, xp.where(inequality_rows, -b, zero), inequality_rows,
        xp.where(finite[:, None], lam, xp.ones_like(lam)), gamma, nonnegative, allowed if columns is None else columns & allowed, finite,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class LastLayer:
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
        W = _matrix(self.W, y)
        m = int(W.shape[0])
        _set(self, y=_signals("y", y, m), W=W, activation=activations.activation(self.activation), lam=_weight("lam", self.lam))
        _set(self, bias=_vector("bias", self.bias, y, m), observed=_mask("observed", self.observed, y, m))

    @property
    def phi(self) -> Activation:
        """The activation as an object."""
        return activations.activation(self.activation)

    @property
    def data(self) -> Array:
        """The array whose kind, dtype, device and batch axis the answer has."""
        return self.y

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
        return _quadratic(self.W, self.y, self.bias, rows=self.observed, lam=self.lam, nonnegative=True)


@dataclass(frozen=True, eq=False)
class MidLayer:
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
        _set(self, lam=_weight("lam", self.lam))

    @property
    def data(self) -> Array:
        """The array whose kind, dtype, device and batch axis the answer has."""
        return self.x_next

    @property
    def convex(self) -> bool:
        """True."""
        return True

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return _quadratic(self.W, self.x_next, self.bias, rows=self.support, inequalities=True, lam=self.lam, nonnegative=True)


@dataclass(frozen=True, eq=False)
class Latent:
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
        _set(self, gamma=_weight("gamma", self.gamma))

    @property
    def data(self) -> Array:
        """The array whose kind, dtype, device and batch axis the answer has."""
        return self.x_next

    @property
    def convex(self) -> bool:
        """True."""
        return True

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return _quadratic(self.W, self.x_next, self.bias, rows=self.support, inequalities=True, gamma=self.gamma)


def _check_next(statement: MidLayer | Latent) -> None:
    x_next = as_float("x_next", statement.x_next)
    W = _matrix(statement.W, x_next)
    m = int(W.shape[0])
    x_next = _signals("x_next", x_next, m)
    support = x_next > 0 if statement.support is None else statement.support
    if statement.support is None:  # a nan is neither: it counts as data, so that the signal gets a status
        support = support | namespace(x_next).isnan(x_next)
    _set(statement, W=W, x_next=x_next, support=_mask("support", support, x_next, m), bias=_vector("bias", statement.bias, x_next, m))


@dataclass(frozen=True, eq=False)
class BasisPursuit:
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
        _set(self, lam=_weights("lam", self.lam, self.target, int(self.W.shape[1])))

    @property
    def data(self) -> Array:
        """The array whose kind, dtype, device and batch axis the answer has."""
        return self.target

    @property
    def convex(self) -> bool:
        """True."""
        return True

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return _quadratic(self.W, self.target, self.bias, rows=self.rows, lam=self.lam)


@dataclass(frozen=True, eq=False)
class LeastSquares:
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
        _set(self, columns=_mask("columns", self.columns, self.target, int(self.W.shape[1])))

    @property
    def data(self) -> Array:
        """The array whose kind, dtype, device and batch axis the answer has."""
        return self.target

    @property
    def convex(self) -> bool:
        """True."""
        return True

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return _quadratic(self.W, self.target, self.bias, rows=self.rows, columns=self.columns)


def _check_target(statement: BasisPursuit | LeastSquares) -> None:
    target = as_float("target", statement.target)
    W = _matrix(statement.W, target)
    m = int(W.shape[0])
    target = _signals("target", target, m)
    _set(statement, W=W, target=target, rows=_mask("rows", statement.rows, target, m), bias=_vector("bias", statement.bias, target, m))


@dataclass(frozen=True, eq=False)
class LinearProgram:
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
        x_next = as_float("x_next", self.x_next)
        W = _matrix(self.W, x_next)
        m = int(W.shape[0])
        x_next = _signals("x_next", x_next, m)
        observed = _mask("observed", self.observed, x_next, m)
        support = _mask("support", x_next > 0 if self.support is None else self.support, x_next, m)
        _set(self, W=W, x_next=x_next, support=support, observed=observed, bias=_vector("bias", self.bias, x_next, m))

    @property
    def data(self) -> Array:
        """The array whose kind, dtype, device and batch axis the answer has."""
        return self.x_next

    @property
    def convex(self) -> bool:
        """True."""
        return True

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


Problem: TypeAlias = LastLayer | MidLayer | Latent | BasisPursuit | LeastSquares | LinearProgram


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
