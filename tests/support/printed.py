"""Algorithms 2 and 5 as they are printed, for one signal in plain NumPy on sliced rows: what `fast`
must reproduce step by step.
"""

import numpy as np

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, activations
from tests.support.instances import DATA, MASK, constraints
from tests.support.oracles import used

FREE = (LastLayer, BasisPursuit, LeastSquares)
ACTIVATIONS = ("identity", "tanh", "sigmoid", "plu", "leaky_relu")


def parts(problem, b):
    """A, t, lam of signal b on the rows that enter."""
    rows, n = used(problem)[b], problem.W.shape[1]
    t = (getattr(problem, DATA[type(problem)]) - (0 if problem.bias is None else problem.bias))[b][
        rows
    ]
    lam = getattr(problem, "lam", 0.0)
    return problem.W[rows], t, np.broadcast_to(lam[b] if np.ndim(lam) == 2 else lam, (n,))


def largest(W):
    return np.linalg.eigvalsh(W.T @ W)[-1]


def step_size(problem, b):
    """1 / (lambda_max(W'W) sup(phi'^2 + |phi''| |phi - y|)), of the rows of a mask that all signals
    share, else of all (erratum E4).
    """
    rows = getattr(problem, MASK[type(problem)])
    if problem.convex:
        return 1 / largest(problem.W if rows is None or rows.ndim == 2 else problem.W[rows])
    return 1 / (largest(problem.W) * problem.phi.curvature(problem.y[b][used(problem)[b]]).max())


def prox(problem, b, w, lam):
    """Of lam'|x|: max(w - lam, 0) for x >= 0, soft-thresholding otherwise, and nothing off the
    columns.
    """
    if not isinstance(problem, (BasisPursuit, LeastSquares)):
        return np.maximum(w - lam, 0)
    w = np.sign(w) * np.maximum(np.abs(w) - lam, 0)
    columns = getattr(problem, "columns", None)
    return w if columns is None else w * (columns[b] if columns.ndim == 2 else columns)


def fista(problem, b, steps, step=None):
    """Points x_0 .. x_steps and extrapolated points of Algorithm 5 (its l1 variant for free x),
    from zero.
    """
    (A, t, lam), step = parts(problem, b), step_size(problem, b) if step is None else step
    rows = used(problem)[b]
    bias = 0 if problem.bias is None else problem.bias[rows]

    def gradient(x):
        if problem.convex:
            return A.T @ (A @ x - t)
        v = A @ x + bias
        return A.T @ (problem.phi.derivative(v) * (problem.phi(v) - problem.y[b][rows]))

    x = y = np.zeros(A.shape[1])
    k, points, extrapolated = 1.0, [x], [y]
    for _ in range(steps):
        last, x = x, prox(problem, b, y - step * gradient(y), step * lam)
        following = (1 + np.sqrt(1 + 4 * k**2)) / 2
        y, k = x + (k - 1) / following * (x - last), following
        points.append(x)
        extrapolated.append(y)
    return np.array(points), np.array(extrapolated)


def linearized_admm(problem, b, steps, rho, alpha_beta):
    """Points and multipliers of Algorithm 2 or, for a latent vector, of eq. 10, from zero."""
    (A, t, lam), (C, d) = parts(problem, b), constraints(problem, b)
    x, a, u = np.zeros(A.shape[1]), np.zeros(len(d)), np.zeros(len(d))
    points, multipliers = [x], [u]
    for _ in range(steps):
        gradient = A.T @ (A @ x - t) + rho * C.T @ (C @ x - d - a - u)
        if isinstance(problem, Latent):
            x = x - (gradient + problem.gamma * x) / (alpha_beta + problem.gamma)
        else:
            x = np.maximum(x - (gradient + lam) / alpha_beta, 0)
        a = np.minimum(C @ x - d - u, 0)
        u = u + a - (C @ x - d)
        points.append(x)
        multipliers.append(np.maximum(-rho * u, 0))
    return np.array(points), np.array(multipliers)


def curved(phi, masked, biased=True, lam=0.05, count=3, noise=0.05):
    """A last layer with that activation."""
    rng = np.random.default_rng(ACTIVATIONS.index(phi))
    W, bias = rng.standard_normal((30, 10)) / 5, 0.2 * rng.standard_normal(30) if biased else None
    x = np.maximum(rng.standard_normal((count, 10)), 0)
    y = activations.activation(phi)(
        x @ W.T + (bias if biased else 0)
    ) + noise * rng.standard_normal((count, 30))
    seen = {"all": None, "shared": rng.random(30) < 0.7, "each": rng.random((count, 30)) < 0.7}[
        masked
    ]
    y = y if seen is None else np.where(seen, y, np.nan)
    return LastLayer(W, y, phi, bias, lam, seen)


def value(problem, b, x):
    """The objective of signal b at points x, (K, n)."""
    A, t, lam = parts(problem, b)
    misfit = x @ A.T - t
    if not problem.convex:
        rows = used(problem)[b]
        misfit = (
            problem.phi(x @ A.T + (0 if problem.bias is None else problem.bias[rows]))
            - problem.y[b][rows]
        )
    return (
        0.5 * (misfit**2).sum(axis=1)
        + (lam * np.abs(x)).sum(axis=1)
        + 0.5 * getattr(problem, "gamma", 0.0) * (x**2).sum(axis=1)
    )
