"""The layers of a generator as frozen statements: eq. 5 (image), eq. 6 (hidden), eq. 9 (latent)."""

from dataclasses import dataclass
from typing import Any

from cvxinv import activations, checks
from cvxinv.activations import Activation
from cvxinv.arrays import Array, float64, namespace
from cvxinv.errors import NotConvexError
from cvxinv.problems.quadratic import Quadratic, quadratic
from cvxinv.problems.statement import HiddenStatement, Statement, batched, set_fields


@dataclass(frozen=True, eq=False, repr=False)
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
        self.check("observed")
        phi = activations.activation(self.activation)
        set_fields(self, activation=phi, lam=checks.nonnegative("lam", self.lam))

    @property
    def phi(self) -> Activation:
        """The activation as an object."""
        return activations.activation(self.activation)

    def given(self) -> dict[str, Any]:
        """As of all statements; an activation without parameters of its own by its name."""
        given = super().given()
        if self.phi == activations.Identity():
            del given["activation"]
        elif self.phi == activations.activation(self.phi.name):
            given["activation"] = self.phi.name
        return given

    @property
    def convex(self) -> bool:
        """Whether the statement is convex: only with the identity (erratum E3)."""
        return self.phi.name == "identity"

    def values(self, x: Array) -> Array:
        """The objective (B,) of points (B, n) in float64, whatever phi is."""
        if self.convex:
            return super().values(x)
        xp, y = namespace(x), float64(self.y if batched(self) else self.y[None])
        pre = x @ float64(self.W).T
        misfit = y - self.phi(pre if self.bias is None else pre + float64(self.bias))
        if self.observed is not None:
            misfit = xp.where(self.observed, misfit, 0.0)
        value = 0.5 * xp.vecdot(misfit, misfit) + self.lam * xp.sum(xp.abs(x), axis=1)
        return xp.where(xp.isfinite(value), value, xp.nan)

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


@dataclass(frozen=True, eq=False, repr=False)
class MidLayer(HiddenStatement):
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
        self.check()
        set_fields(self, lam=checks.nonnegative("lam", self.lam))

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


@dataclass(frozen=True, eq=False, repr=False)
class Latent(HiddenStatement):
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
        self.check()
        set_fields(self, gamma=checks.nonnegative("gamma", self.gamma))

    def quadratic(self) -> Quadratic:
        """The statement as an instance of (Q)."""
        return quadratic(
            self.W, self.x_next, self.bias, rows=self.support, inequalities=True, gamma=self.gamma
        )
