"""More wrong solvers: what they make of bad signals and of batches, and when they stop."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import fast
from cvxinv import Status
from cvxinv.problems import LastLayer

from .bugs import BUGS as BUGS
from .bugs import bug, right

# -- bad signals -----------------------------------------------------------------------------------


@bug("the start returned for nan", "last_layers")
def start_on_nan(problem: Any) -> Any:
    """No step is better than x0 = 0."""
    return np.nan_to_num(right(problem))


@bug("nan in one signal is nan in all", "basis_pursuits")
def spreading(problem: Any) -> Any:
    """A sum over the batch."""
    x = right(problem)
    return x + 0 * x.sum()


@bug("one bad signal raises for all", "mid_layers")
def raising(problem: Any) -> Any:
    """A check of the batch."""
    if not np.isfinite(problem.data).all():
        raise ValueError("x_next has nan or inf")
    return right(problem)


@bug("infeasible called OPTIMAL", "mid_layers")
def optimistic(problem: Any) -> Any:
    """The flag of the iteration, not of the constraints."""
    found = fast.solve(problem)
    status = np.array(found.status, dtype=object)
    status[status == Status.INFEASIBLE] = Status.OPTIMAL
    return replace(found, status=status)


@bug("feasible called INFEASIBLE", "latents")
def pessimistic(problem: Any) -> Any:
    """Where an inequality is active."""
    found = fast.solve(problem)
    status = np.array(found.status, dtype=object)
    if found.dual is not None:
        status[(found.dual > 0).any(axis=1)] = Status.INFEASIBLE
    return replace(found, status=status)


@bug("statuses of other signals", "last_layers")
def rolled(problem: Any) -> Any:
    """Good points, and the wrong words for them."""
    found = fast.solve(problem)
    return replace(found, status=np.roll(found.status, 1))


# -- batches looked at as a whole ------------------------------------------------------------------


@bug("rows far smaller than the batch's largest taken for zero", "nnls")
def small_rows_dropped(problem: Any) -> Any:
    """A tolerance relative to the batch."""
    x = right(problem)
    sizes = np.nan_to_num(np.linalg.norm(problem.y, axis=1), nan=0, posinf=0)
    x[sizes < 1e-3 * sizes.max(initial=0)] = 0
    return x


def size(a: Any) -> float:
    """Norm of what is finite of the batch."""
    return float(np.linalg.norm(np.nan_to_num(a, nan=0, posinf=0, neginf=0)))


@bug("gradient steps stopped by the norm of the batch", "nnls")
def gradient_by_norm(problem: Any) -> Any:
    """The small signals hide behind the large ones."""
    return proximal_gradient(problem, 50_000, lambda step, x: size(step) <= 1e-9 * size(x))


@bug("ADMM stopped by the norm of the batch", "nnls")
def admm_by_norm(problem: Any) -> Any:
    """Likewise."""
    W, y = problem.W.astype(float), problem.y.astype(float)
    G = W.T @ W
    rho = np.trace(G) / len(G) or 1.0
    inverse = np.linalg.inv(G + rho * np.eye(len(G)))
    z = u = np.zeros((len(y), len(G)))
    with np.errstate(invalid="ignore"):  # of data that are not finite
        for _ in range(50_000):
            before, x = z, (y @ W + rho * (z - u)) @ inverse
            z = np.maximum(x + u, 0)
            u = u + x - z
            if size(z - before) + size(x - z) <= 1e-9 * size(z):
                break
    return z


# -- stopped too early -----------------------------------------------------------------------------


def proximal_gradient(problem: Any, most: int, stop: Callable[[Any, Any], bool]) -> Any:
    """Plain proximal gradient on a `LastLayer` without mask, or a lasso."""
    W, t, lam = problem.W, problem.data, problem.lam
    t = t if problem.bias is None else t - problem.bias
    L = max(np.linalg.norm(W, 2) ** 2, 1e-300)
    x = np.zeros((len(t), W.shape[1]))
    for _ in range(most):
        v = x - (x @ W.T - t) @ W / L
        new = np.sign(v) * np.maximum(np.abs(v) - lam / L, 0)
        new = np.maximum(new, 0) if isinstance(problem, LastLayer) else new
        step, x = np.abs(new - x), new
        if stop(step, x):
            break
    return x


@bug("a hundred steps, whatever they bring", "nnls")
def capped(problem: Any) -> Any:
    """Early stop."""
    return proximal_gradient(problem, 100, lambda step, x: False)


@bug("stopped at small steps", "lasso")
def small_steps(problem: Any) -> Any:
    """Small steps are slow convergence, too."""
    return proximal_gradient(
        problem, 20_000, lambda step, x: bool(np.nanmax(step, initial=0) < 1e-4)
    )


@bug("stopped by the mean of the batch", "nnls")
def by_mean(problem: Any) -> Any:
    """The slow signals hide among the fast."""
    size = np.nanmax(np.abs(problem.y), initial=0.0) / (np.abs(problem.W).max() or 1.0)
    return proximal_gradient(problem, 20_000, lambda step, x: bool(np.nanmean(step) < 1e-6 * size))


def fista(problem: Any, L: float, stop: Callable[[Any, Any], bool], most: int = 50_000) -> Any:
    """FISTA on a lasso, with a Lipschitz constant, until `stop(norms of the steps, norms of x)`."""
    W, t = problem.W.astype(float), problem.target.astype(float)
    x = y = np.zeros((len(t), W.shape[1]))
    k = 1.0
    with np.errstate(all="ignore"):  # of data that are not finite, and of steps too long
        for _ in range(most):
            before, v = x, y - (y @ W.T - t) @ W / L
            x = np.sign(v) * np.maximum(np.abs(v) - problem.lam / L, 0)
            k, last = (1 + np.sqrt(1 + 4 * k * k)) / 2, k
            y = x + (last - 1) / k * (x - before)
            steps, sizes = np.linalg.norm(x - before, axis=1), np.linalg.norm(x, axis=1)
            finite = np.isfinite(steps)
            if stop(steps[finite], sizes[finite]):
                break
    return x


def lipschitz(problem: Any) -> float:
    """The constant of the gradient."""
    return float(np.linalg.norm(problem.W.astype(float), 2)) ** 2 or 1.0


@bug("a Lipschitz constant from power steps that start at ones", "lasso")
def step_from_ones(problem: Any) -> Any:
    """W 1 = 0 where columns come in pairs a and -a: then the steps are too long."""
    W = problem.W.astype(float)
    v = np.ones(W.shape[1])
    for _ in range(30):
        v = W.T @ (W @ v)
        v = v / (np.linalg.norm(v) or 1.0)
    L = float(np.linalg.norm(W @ v)) ** 2 or 1.0
    return fista(problem, 1.01 * L, lambda step, x: bool((step <= 1e-14 * x).all()))


@bug("FISTA stopped at a relative change of 1e-6", "lasso")
def fista_stopped(problem: Any) -> Any:
    """Small steps are slow convergence, too."""
    return fista(problem, lipschitz(problem), lambda step, x: bool((step <= 1e-6 * x).all()))


@bug("one sweep of coordinate descent", "lasso")
def one_sweep(problem: Any) -> Any:
    """Exact for orthogonal columns."""
    W, x = problem.W, np.zeros((len(problem), problem.W.shape[1]))
    for j, column in enumerate(W.T):
        r = problem.target - x @ W.T
        size = column @ column
        if size:
            g = r @ column
            x[:, j] = np.sign(g) * np.maximum(np.abs(g) - problem.lam, 0) / size
    return x


@bug("support found greedily and never revised", "nnls")
def greedy(problem: Any) -> Any:
    """Orthogonal matching pursuit for non-negative x: no column is ever dropped."""
    W, (B, n) = problem.W, (len(problem), problem.W.shape[1])
    x = np.zeros((B, n))
    for b in range(B):
        if not np.isfinite(problem.y[b]).all():
            x[b] = np.nan
            continue
        chosen: list[int] = []
        for _ in range(n):
            g = W.T @ (problem.y[b] - W @ x[b])
            if g.max() <= 1e-10 * max(np.abs(W.T @ problem.y[b]).max(), 1e-300):
                break
            chosen.append(int(g.argmax()))
            x[b, chosen] = np.maximum(np.linalg.pinv(W[:, chosen]) @ problem.y[b], 0)
    return x
