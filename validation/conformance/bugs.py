"""Wrong solvers, each with one mistake that people make; `check_solver` is to reject all of them.

Most spoil what `fast` is asked, or what it answers; the others stop too early by themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import fast
from cvxinv.problems import LastLayer, with_fields
from cvxinv.testing.reduce import without_row

Solve = Callable[[Any], Any]
BUGS: list["Bug"] = []


@dataclass(frozen=True)
class Bug:
    """A wrong solver: the mistake in words, and the kind of problems where it shows."""

    mistake: str
    kind: str
    solve: Solve


def bug(mistake: str, kind: str) -> Callable[[Solve], Solve]:
    """Enter a solver into the list."""

    def entered(solve: Solve) -> Solve:
        BUGS.append(Bug(mistake, kind, solve))
        return solve

    return entered


def right(problem: Any) -> Any:
    """The answer (B, n)."""
    return fast.solve(problem).x


def asked_wrongly(mistake: str, kind: str, **changes: Callable[[Any], Any]) -> None:
    """A bug that reads fields wrongly: name = what becomes of the field."""

    def solve(problem: Any) -> Any:
        fields = {name: getattr(problem, name) for name in changes}
        new = {k: changes[k](v) for k, v in fields.items() if v is not None}
        return right(with_fields(problem, **new))

    BUGS.append(Bug(mistake, kind, solve))


# -- the question is read wrongly ------------------------------------------------------------------

asked_wrongly("lam doubled", "lasso", lam=lambda lam: 2 * lam)
asked_wrongly("lam left out", "last_layers", lam=lambda lam: 0.0)
asked_wrongly("gamma left out", "latents", gamma=lambda gamma: 0.0)
asked_wrongly("bias left out", "last_layers", bias=lambda b: None)
asked_wrongly("bias with the wrong sign", "basis_pursuits", bias=lambda b: -b)
asked_wrongly("support swapped with its complement", "mid_layers", support=lambda S: ~S)
asked_wrongly("mask shifted by a row", "last_layers", observed=lambda S: np.roll(S, 1, axis=-1))
asked_wrongly("mask left out", "basis_pursuits", rows=lambda S: None)
asked_wrongly("columns left out", "least_squares", columns=lambda S: None)
asked_wrongly("mask of the first signal for all", "last_layers", observed=lambda S: _first(S))
asked_wrongly("support of the first signal for all", "latents", support=lambda S: _first(S))
asked_wrongly("weights of the first signal for all", "basis_pursuits", lam=lambda lam: _first(lam))


def _first(a: Any) -> Any:
    return a[:1] + 0 * a if getattr(a, "ndim", 0) == 2 and a.dtype != bool else _first_mask(a)


def _first_mask(a: Any) -> Any:
    return np.broadcast_to(a[:1], a.shape) if getattr(a, "ndim", 0) == 2 else a


@bug("lam as of 1 / (2 m) ||A x - b||^2", "lasso")
def averaged(problem: Any) -> Any:
    """scikit-learn's convention."""
    return right(with_fields(problem, lam=problem.lam * len(problem.W)))


@bug("all inequalities left out", "mid_layers")
def unconstrained(problem: Any) -> Any:
    """Least squares on the support alone."""
    S, bias, lam = problem.support, problem.bias, problem.lam
    return right(LastLayer(problem.W, problem.x_next, bias=bias, lam=lam, observed=S))


@bug("the last inequality left out", "latents")
def one_less(problem: Any) -> Any:
    """An index that ends one too early."""
    m = len(problem.W)
    return right(problem if m == 1 else without_row(problem, np.arange(m - 1)))


# -- the answer is spoilt --------------------------------------------------------------------------


@bug("x >= 0 left out", "nnls")
def unprojected(problem: Any) -> Any:
    """Least squares."""
    finite = np.isfinite(problem.y).all(axis=1)
    x = np.full((len(problem), problem.W.shape[1]), np.nan)
    x[finite] = (np.linalg.pinv(problem.W) @ problem.y[finite].T).T
    return x


@bug("least squares, then what is below zero set to zero", "nnls")
def clipped(problem: Any) -> Any:
    """A projection of the wrong point."""
    return np.maximum(unprojected(problem), 0)


@bug("rows of the batch in another order", "last_layers")
def permuted(problem: Any) -> Any:
    """Reversed."""
    return right(problem)[::-1]


@bug("the last signal of a batch not solved", "basis_pursuits")
def one_signal_less(problem: Any) -> Any:
    """An index that ends one too early."""
    x = right(problem)
    x[1:][-1:] = 0
    return x


@bug("multipliers with the wrong sign", "mid_layers")
def wrong_sign(problem: Any) -> Any:
    """Of the dual step."""
    found = fast.solve(problem)
    return (found.x, None if found.dual is None else -found.dual)


@bug("multipliers of another signal", "latents")
def stale(problem: Any) -> Any:
    """Of the signal before."""
    found = fast.solve(problem)
    return found.x, None if found.dual is None else np.roll(found.dual, 1, axis=0)


@bug("float32 inside", "last_layers")
def single(problem: Any) -> Any:
    """Data rounded, and the answer, too."""
    arrays = {k: a for k, a in vars(problem).items() if hasattr(a, "ndim") and a.dtype == float}
    return right(with_fields(problem, **{k: a.astype("f4") for k, a in arrays.items()}))


@bug("rounded to four digits", "least_squares")
def rounded(problem: Any) -> Any:
    """For display."""
    return np.round(right(problem), 4)


@bug("a small ridge for stability", "least_squares")
def ridge(problem: Any) -> Any:
    """1e-6 relative to A'A."""
    q = problem.quadratic()
    x = np.full((len(problem), problem.W.shape[1]), np.nan)
    for b in np.flatnonzero(q.finite):
        A = problem.W[q.rows[b]][:, q.columns[b]]
        H = A.T @ A
        H += 1e-6 * (np.trace(H) or 1.0) * np.eye(len(H))
        x[b] = 0
        x[b, q.columns[b]] = np.linalg.solve(H, A.T @ q.t[b][q.rows[b]])
    return x


@bug("small signals taken for zero", "lasso")
def absolute(problem: Any) -> Any:
    """An absolute tolerance."""
    x = right(problem)
    x[np.abs(problem.target).max(axis=1, initial=0) < 1e-6] = 0
    return x


@bug("columns divided by their norms, zero or not", "nnls")
def normalised(problem: Any) -> Any:
    """0 / 0."""
    norms = np.linalg.norm(problem.W, axis=0)
    x = right(problem)
    x[:, norms == 0] = np.nan
    return x


@bug("columns of W normalised in place", "nnls")
def in_place(problem: Any) -> Any:
    """The caller's matrix is not what it was."""
    x = right(problem)
    problem.W[:] = problem.W / np.maximum(np.linalg.norm(problem.W, axis=0), 1e-300)
    return x


@bug("another answer at each call", "mid_layers")
def random(problem: Any) -> Any:
    """A start from the global random state, not forgotten."""
    x = right(problem)
    return x * (1 + 1e-3 * np.random.default_rng().random(x.shape))
