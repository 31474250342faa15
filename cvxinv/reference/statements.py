"""The layer problems in CVXPY: one function per class of statement, which reads as its mathematics.

A function takes what it states by name (A, t, lam, C, d, gamma of (Q); `cvxinv.problems.quadratic`)
and is registered for exactly one class: nothing is guessed from which field is zero, and a
statement that none of them states, a subclass included, is an error (`ensure_stated`).

**Why the square is expanded.** CVXPY turns `sum_squares(A @ x - t)` into ||v||^2 with a new
variable v and the dense constraint v = A x - t: the solver then factorises the m rows of A at every
step. `half_square` states the same function as x'(A'A)x/2 - (A't)'x + t't/2, which reaches a
quadratic solver as n variables, the Gram matrix as its P, and no constraint: 24 times faster at 784
x 392 (validation/results/gram_form.json). Squaring the condition number costs digits, which the
polish restores from A itself.

Data that change from signal to signal are parameters, so that a statement is compiled once for all
signals with these masks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy.atoms.elementwise.hyperbolic import tanh

from cvxinv.activations import Activation, Sigmoid, Tanh
from cvxinv.errors import NotConvexError, NotStatedError
from cvxinv.problems import (
    BasisPursuit,
    LastLayer,
    Latent,
    LeastSquares,
    LinearProgram,
    MidLayer,
    Problem,
    Quadratic,
)


@dataclass
class Statement:
    """What is minimised over which unknown, and the inequalities whose multipliers are wanted."""

    x: cp.Variable
    objective: cp.Expression
    inequalities: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.problem = cp.Problem(cp.Minimize(self.objective), self.inequalities)


Stated = Callable[..., Statement]
STATED: dict[type, Stated] = {}


def states(kind: type) -> Callable[[Stated], Stated]:
    """Register a function as the statement of exactly this class."""

    def register(function: Stated) -> Stated:
        STATED[kind] = function
        return function

    return register


def half_square(A: Any, x: cp.Variable, t: cp.Parameter) -> cp.Expression:
    """1/2 ||A x - t||^2 - 1/2 ||t||^2, expanded (see the module's docstring)."""
    return 0.5 * cp.quad_form(x, A.T @ A, assume_PSD=True) - (A.T @ t) @ x


# -- instances of (Q) ------------------------------------------------------------------------------


@states(LastLayer)
def last_layer(A: Any, t: cp.Parameter, lam: cp.Parameter) -> Statement:
    """Eq. 5 with the activation inverted: min 1/2 ||A x - t||^2 + lam'x subject to x >= 0."""
    x = cp.Variable(A.shape[1], nonneg=True)
    return Statement(x, half_square(A, x, t) + lam @ x)


@states(MidLayer)
def mid_layer(A: Any, t: cp.Parameter, lam: cp.Parameter, C: Any, d: cp.Parameter) -> Statement:
    """Eq. 6: min 1/2 ||A x - t||^2 + lam'x subject to x >= 0, C x <= d."""
    x = cp.Variable(A.shape[1], nonneg=True)
    return Statement(x, half_square(A, x, t) + lam @ x, [C @ x <= d])


@states(Latent)
def latent(A: Any, t: cp.Parameter, gamma: float, C: Any, d: cp.Parameter) -> Statement:
    """Eq. 9: min 1/2 ||A z - t||^2 + gamma/2 ||z||^2 subject to C z <= d."""
    z = cp.Variable(A.shape[1])
    return Statement(z, half_square(A, z, t) + gamma / 2 * cp.sum_squares(z), [C @ z <= d])


@states(BasisPursuit)
def basis_pursuit(A: Any, t: cp.Parameter, lam: cp.Parameter) -> Statement:
    """Algorithm 1: min 1/2 ||A x - t||^2 + sum_j lam_j |x_j|."""
    x = cp.Variable(A.shape[1])
    return Statement(x, half_square(A, x, t) + lam @ cp.abs(x))


@states(LeastSquares)
def least_squares(A: Any, t: cp.Parameter) -> Statement:
    """Algorithm 4: min 1/2 ||A x - t||^2."""
    x = cp.Variable(A.shape[1])
    return Statement(x, half_square(A, x, t))


# -- eq. 5 as it stands, linear programs, phase one ------------------------------------------------

VALUE: dict[type, Callable[[cp.Expression], cp.Expression]] = {
    Tanh: tanh,
    Sigmoid: lambda v: 0.5 + 0.5 * tanh(v / 2),  # the sigmoid is a scaled tanh
}


def last_layer_nonconvex(W: Any, b: Any, y: cp.Parameter, phi: Activation, lam: float) -> Statement:
    """Eq. 5 itself for a smooth nonlinear phi: min 1/2 ||y - phi(W x + b)||^2 + lam 1'x subject to
    x >= 0 (erratum E3).
    """
    x = cp.Variable(W.shape[1], nonneg=True)
    value = VALUE[type(phi)](W @ x + b)
    return Statement(x, 0.5 * cp.sum_squares(y - value) + lam * cp.sum(x))


def linear_program(
    W: Any, c: Any, two_sided: Any, one_sided: Any, norm: str, nonnegative: bool
) -> Statement:
    """Lei et al. (2019): least e with |W x - c| <= e on the support, W x - c <= e off it; one e
    (l_inf) or one per row (l_1).
    """
    x = cp.Variable(W.shape[1], nonneg=nonnegative)
    e = cp.Variable(W.shape[0] if norm == "l1" else 1, nonneg=True)
    everywhere, support = np.flatnonzero(two_sided | one_sided), np.flatnonzero(two_sided)

    def bound(rows: Any) -> cp.Expression:
        return e[rows] if norm == "l1" else e

    above = W[everywhere] @ x - c[everywhere] <= bound(everywhere)
    below = c[support] - W[support] @ x <= bound(support)
    return Statement(x, cp.sum(e), [above, below])


def least_violation(C: Any, d: Any, nonnegative: bool) -> Statement:
    """Phase one: the least e with C x <= d + e. Where e > 0 the multipliers p prove C x <= d
    infeasible (Farkas).
    """
    x, e = cp.Variable(C.shape[1], nonneg=nonnegative), cp.Variable(nonneg=True)
    return Statement(x, e, [C @ x - e <= d])


# -- what is stated --------------------------------------------------------------------------------


def ensure_stated(problem: Problem, q: Quadratic | None) -> None:
    """Raise unless `problem`, whose (Q) is q, is stated here in all its terms.

    Raises
    ------
    NotConvexError
        For eq. 5 with a phi that has no CVXPY statement.
    NotStatedError
        For a class that no function states, and for a term of (Q) that its function does not take.
    """
    kind = type(problem)
    if kind not in (LinearProgram, *STATED):
        raise NotStatedError(
            f"problem: {kind.__name__} has no CVXPY statement; expected exactly one of"
            f" {', '.join(known.__name__ for known in (*STATED, LinearProgram))}"
        )
    if isinstance(problem, LastLayer) and not problem.convex and type(problem.phi) not in VALUE:
        raise NotConvexError(
            f"LastLayer with activation {problem.phi.name} is not convex, and has no CVXPY"
            " statement: pass phi^-1(y) (`activation.inverse(y)`) as y, with the identity"
        )
    if q is None:
        return
    terms = {"lam": np.any(q.lam > 0), "gamma": q.gamma > 0, "C": np.any(q.inequalities)}
    takes = signature(STATED[kind]).parameters
    dropped = [name for name, present in terms.items() if present and name not in takes]
    if dropped:
        raise NotStatedError(
            f"problem: the (Q) of this {kind.__name__} has {' and '.join(dropped)}, which"
            f" reference.statements.{STATED[kind].__name__} does not state"
        )


def stated(kind: type, **data: Any) -> Statement:
    """The statement of a class, from those of A, t, lam, C, d, gamma that it takes."""
    function = STATED[kind]
    return function(**{name: data[name] for name in signature(function).parameters})
