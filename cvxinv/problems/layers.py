"""The layers of a generator as frozen statements: eq. 5 (image), eq. 6 (hidden), eq. 9 (latent)."""

from dataclasses import dataclass

from cvxinv import activations, checks
from cvxinv.activations import Activation
from cvxinv.arrays import Array, as_float
from cvxinv.errors import NotConvexError
from cvxinv.problems.quadratic import Quadratic, quadratic
from cvxinv.problems.statement import Statement, default_support, set_fields


@dataclass(frozen=True, eq=False)
class LastLayer(Statement, data="y"):
    """Image layer, eq. 5: min 1/2 ||y - phi(W x + b)||^2 + lam 1'x over x >= 0, on the observed
    rows.

    Convex where phi is the identity. For another phi, state the convex problem of the inverted
    activation with `y = phi.inverse(y)` and the identity, or solve the non-convex one to
    stationarity (erratum E3).

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
        phi, lam = activations.activation(self.activation), checks.weight("lam", self.lam)
        set_fields(self, y=checks.signals("y", y, m), W=W, activation=phi, lam=lam)
        set_fields(
            self,
            bias=checks.vector("bias", self.bias, y, m),
            observed=checks.mask("observed", self.observed, y, m),
        )

    @property
    def phi(self) -> Activation:
        """The activation as an object."""
        return activations.activation(self.activation)

    @property
    def convex(self) -> bool:
        """Whether the statement is convex: only with the identity (erratum E3)."""
        return self.phi.name == "identity"

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q); raises `NotConvexError` where phi is not the
        identity.
        """
        if not self.convex:
            raise NotConvexError(
                f"LastLayer with activation {self.phi.name} is not convex:"
                " pass y = phi^-1(y) (`activation.inverse(y)`) with the identity instead"
            )
        return quadratic(
            self.W, self.y, self.bias, rows=self.observed, lam=self.lam, nonnegative=True
        )


@dataclass(frozen=True, eq=False)
class MidLayer(Statement, data="x_next"):
    """Hidden layer, eq. 6: min 1/2 ||W^S x + b^S - x_next^S||^2 + lam 1'x over x >= 0 with W^Sc x +
    b^Sc <= 0.

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
        set_fields(self, lam=checks.weight("lam", self.lam))

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return quadratic(
            self.W,
            self.x_next,
            self.bias,
            rows=self.support,
            inequalities=True,
            lam=self.lam,
            nonnegative=True,
        )


@dataclass(frozen=True, eq=False)
class Latent(Statement, data="x_next"):
    """Latent vector, eq. 9: min 1/2 ||W^S z + b^S - x_1^S||^2 + gamma/2 ||z||^2 with W^Sc z + b^Sc
    <= 0.

    Parameters as of `MidLayer`, with `gamma >= 0` (0: no prior on z) in place of `lam`.
    """

    W: Array
    x_next: Array
    support: Array | None = None
    bias: Array | None = None
    gamma: float = 0.0

    def __post_init__(self) -> None:
        _check_next(self)
        set_fields(self, gamma=checks.weight("gamma", self.gamma))

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return quadratic(
            self.W, self.x_next, self.bias, rows=self.support, inequalities=True, gamma=self.gamma
        )


def _check_next(statement: MidLayer | Latent) -> None:
    x_next = as_float("x_next", statement.x_next)
    W = checks.matrix(statement.W, x_next)
    m = int(W.shape[0])
    x_next = checks.signals("x_next", x_next, m)
    support = default_support(x_next) if statement.support is None else statement.support
    set_fields(
        statement,
        W=W,
        x_next=x_next,
        support=checks.mask("support", support, x_next, m),
        bias=checks.vector("bias", statement.bias, x_next, m),
    )
