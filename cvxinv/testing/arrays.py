"""Statements as the arrays that solvers of other people take, one signal at a time.

| kind | arguments | problem |
| --- | --- | --- |
| least_squares, nnls | A, b | min 1/2 ||A x - b||^2, of nnls over x >= 0 |
| lasso, basis_pursuits | A, b, lam | + sum_j lam_j |x_j|; lam a number, or (n,) of basis pursuits |
| last_layers | A, b, lam | + lam sum_j x_j over x >= 0 |
| mid_layers | A, b, lam, C, d | the same with C x <= d |
| latents | A, b, gamma, C, d | + gamma / 2 ||x||^2 with C x <= d |
| qps | P, q, G, h, lb | min 1/2 x'P x + q'x with G x <= h and x >= lb, 0 or -inf in each entry |

C, d, G and h may have no rows. Nor has A where a mask hides all; `check_solver` leaves these out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.arrays import cast_to, namespace, to_numpy
from cvxinv.problems import BasisPursuit, LayerProblem, LeastSquares, Quadratic


@dataclass(frozen=True)
class Raw:
    """The arguments for one signal, and how its answer becomes one of the statement."""

    arguments: tuple[Any, ...]
    columns: Any  # (n,) bool: what of x the arguments speak of
    inequalities: Any  # (m,) bool: which rows of W are those of C

    def whole(self, returned: Any) -> tuple[Any, Any]:
        """x (n,) and the multipliers (m,) of the statement, None where x alone was returned."""
        pair = isinstance(returned, tuple) and len(returned) == 2
        x, dual = returned if pair else (returned, None)
        return _spread(x, self.columns, "x"), _spread(dual, self.inequalities, "dual")


def raw(kind: str, problem: LayerProblem) -> Raw:
    """The arguments for one signal, of the dtype and the library of the statement."""
    q, data = problem.quadratic(), problem.data
    xp = namespace(data)
    rows, off, columns = q.rows[0], q.inequalities[0], q.columns[0]
    target = data if problem.bias is None else data - problem.bias
    if not isinstance(problem, LeastSquares):
        columns = xp.ones_like(columns)
    A, b = problem.W[rows][:, columns], target[rows]
    d = cast_to(q.d[0][off], data)
    lam: Any = problem.lam if isinstance(problem, BasisPursuit) else float(q.lam[0, 0])
    arguments: dict[str, tuple[Any, ...]] = {
        "least_squares": (A, b),
        "nnls": (A, b),
        "lasso": (A, b, lam),
        "basis_pursuits": (A, b, lam),
        "last_layers": (A, b, lam),
        "mid_layers": (A, b, lam, problem.W[off], d),
        "latents": (A, b, q.gamma, problem.W[off], d),
    }
    chosen = _program(q, A, b, problem.W[off], d) if kind == "qps" else arguments[kind]
    return Raw(chosen, to_numpy(columns), to_numpy(off))


def _program(q: Quadratic, A: Any, b: Any, C: Any, d: Any) -> tuple[Any, ...]:
    """P, q, G, h, lb."""
    xp = namespace(A)
    P = A.T @ A + q.gamma * xp.eye(A.shape[1], dtype=A.dtype)
    lam = cast_to(q.lam[0], A)
    low = xp.zeros_like(lam) if q.nonnegative else xp.full_like(lam, -xp.inf)
    with np.errstate(invalid="ignore"):  # of data that are not finite
        return P, lam - A.T @ b, C, d, low


def _spread(a: Any, where: Any, name: str) -> Any:
    """The entries at their places among zeros."""
    if a is None:
        return None
    a = to_numpy(a) if hasattr(a, "ndim") else np.asarray(a, dtype=float)
    if a.shape != (int(where.sum()),):
        raise ValueError(f"expected {name} of shape ({int(where.sum())},), got {a.shape}")
    out = np.zeros(where.shape)
    out[where] = a
    return out
