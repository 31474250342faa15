"""The layer problems in CVXPY, one function per equation, for one signal or for signals that share
their masks.

**Why the square is expanded.** CVXPY turns `sum_squares(A @ x - t)` into ||v||^2 with a new
variable v and the dense constraint v = A x - t: the solver then factorises the m rows of A at every
step. `half_square` states the same function as x'(A'A)x/2 - (A't)'x + t't/2, which reaches a
quadratic solver as n variables, the Gram matrix as its P, and no constraint: 24 times faster at 784
x 392 (validation/results/gram_form.json). Squaring the condition number costs digits, which the
polish restores from A itself.

Data that change from signal to signal are parameters, so that a statement is compiled once for all
signals with these masks.
"""

from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy.atoms.elementwise.hyperbolic import tanh

from cvxinv.activations import Activation


@dataclass
class Statement:
    """A compiled statement: its problem, its unknown, the parameters to set for a signal, and the
    rows with multipliers.
    """

    problem: cp.Problem
    x: cp.Variable
    t: cp.Parameter
    lam: cp.Parameter | None = None
    d: cp.Parameter | None = None
    inequality: Any = None


def half_square(A: Any, x: cp.Variable, t: cp.Parameter) -> cp.Expression:
    """1/2 ||A x - t||^2 - 1/2 ||t||^2, expanded (see the module's docstring)."""
    return 0.5 * cp.quad_form(x, A.T @ A, assume_PSD=True) - (A.T @ t) @ x


def last_layer(A: Any) -> Statement:
    """Eq. 5 with the activation inverted: min 1/2 ||A x - t||^2 + lam'x subject to x >= 0."""
    x, t = cp.Variable(A.shape[1], nonneg=True), cp.Parameter(A.shape[0])
    lam = cp.Parameter(A.shape[1], nonneg=True)
    return Statement(cp.Problem(cp.Minimize(half_square(A, x, t) + lam @ x)), x, t, lam)


def mid_layer(A: Any, C: Any) -> Statement:
    """Eq. 6: min 1/2 ||A x - t||^2 + lam'x subject to x >= 0, C x <= d."""
    x, t, d = (
        cp.Variable(A.shape[1], nonneg=True),
        cp.Parameter(A.shape[0]),
        cp.Parameter(C.shape[0]),
    )
    lam = cp.Parameter(A.shape[1], nonneg=True)
    off_support = C @ x <= d
    return Statement(
        cp.Problem(cp.Minimize(half_square(A, x, t) + lam @ x), [off_support]),
        x,
        t,
        lam,
        d,
        off_support,
    )


def latent(A: Any, C: Any, gamma: float) -> Statement:
    """Eq. 9: min 1/2 ||A z - t||^2 + gamma/2 ||z||^2 subject to C z <= d."""
    z, t, d = cp.Variable(A.shape[1]), cp.Parameter(A.shape[0]), cp.Parameter(C.shape[0])
    off_support = C @ z <= d
    objective = half_square(A, z, t) + gamma / 2 * cp.sum_squares(z)
    return Statement(cp.Problem(cp.Minimize(objective), [off_support]), z, t, None, d, off_support)


def basis_pursuit(A: Any) -> Statement:
    """Algorithm 1: min 1/2 ||A x - t||^2 + sum_j lam_j |x_j|."""
    x, t = cp.Variable(A.shape[1]), cp.Parameter(A.shape[0])
    lam = cp.Parameter(A.shape[1], nonneg=True)
    return Statement(cp.Problem(cp.Minimize(half_square(A, x, t) + lam @ cp.abs(x))), x, t, lam)


def least_squares(A: Any) -> Statement:
    """Algorithm 4: min 1/2 ||A x - t||^2."""
    x, t = cp.Variable(A.shape[1]), cp.Parameter(A.shape[0])
    return Statement(cp.Problem(cp.Minimize(half_square(A, x, t))), x, t)


def last_layer_nonconvex(W: Any, b: Any, phi: Activation, lam: float) -> Statement:
    """Eq. 5 itself for a smooth nonlinear phi: min 1/2 ||y - phi(W x + b)||^2 + lam 1'x subject to
    x >= 0 (erratum E3).
    """
    x, y = cp.Variable(W.shape[1], nonneg=True), cp.Parameter(W.shape[0])
    v = W @ x + b
    value = (
        tanh(v) if phi.name == "tanh" else 0.5 + 0.5 * tanh(v / 2)
    )  # the sigmoid is a scaled tanh
    return Statement(
        cp.Problem(cp.Minimize(0.5 * cp.sum_squares(y - value) + lam * cp.sum(x))), x, y
    )


def elastic(C: Any, d: Any, nonnegative: bool) -> tuple[cp.Problem, cp.Variable, Any]:
    """Phase one: the least e with C x <= d + e. Where e > 0 the multipliers p prove C x <= d
    infeasible (Farkas).
    """
    x, e = cp.Variable(C.shape[1], nonneg=nonnegative), cp.Variable(nonneg=True)
    relaxed = C @ x - e <= d
    return cp.Problem(cp.Minimize(e), [relaxed]), x, relaxed


def linear_program(
    W: Any, c: Any, two_sided: Any, one_sided: Any, norm: str, nonnegative: bool
) -> tuple[cp.Problem, cp.Variable, list[Any]]:
    """Lei et al. (2019): least e with |W x - c| <= e on the support, W x - c <= e off it; one e
    (l_inf) or one per row (l_1).
    """
    x = cp.Variable(W.shape[1], nonneg=nonnegative)
    e = cp.Variable(W.shape[0] if norm == "l1" else 1, nonneg=True)
    everywhere, support = np.flatnonzero(two_sided | one_sided), np.flatnonzero(two_sided)

    def bound(rows: Any) -> cp.Expression:
        return e[rows] if norm == "l1" else e

    sides = [
        W[everywhere] @ x - c[everywhere] <= bound(everywhere),
        c[support] - W[support] @ x <= bound(support),
    ]
    return cp.Problem(cp.Minimize(cp.sum(e)), sides), x, sides
