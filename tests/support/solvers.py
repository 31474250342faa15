"""Solvers as other people write them: honest ones, and ones with a bug each."""

from dataclasses import replace

import numpy as np
from scipy.optimize import nnls

import fast
from cvxinv import Status
from cvxinv.problems import with_fields


def of_scipy(A, b):
    """Non-negative least squares of arrays, by scipy."""
    return nnls(A, b)[0] if np.isfinite(b).all() else np.full(A.shape[1], np.nan)


def of_scipy_statement(problem):
    """The same of a statement of one signal; scipy raises where the data are not finite."""
    return nnls(problem.W.astype(float), problem.y.astype(float))[0].astype(problem.y.dtype)


def lstsq(A, b):
    """Least squares of arrays, by NumPy."""
    if not np.isfinite(b).all():
        raise np.linalg.LinAlgError("nan or inf")
    return np.linalg.lstsq(A, b)[0]


def of_scipy_batch(problem):
    """Non-negative least squares of statements, by scipy: takes little time."""
    x = [of_scipy(problem.W.astype(float), y.astype(float)) for y in problem.y]
    return np.stack(x).astype(problem.y.dtype)


def solution(problem):
    """What a solver without a bug says."""
    return fast.solve(problem)


def doubled_weight(problem):
    weight = "gamma" if hasattr(problem, "gamma") else "lam"
    return solution(with_fields(problem, **{weight: 2 * getattr(problem, weight)})).x


def no_bias(problem):
    return solution(with_fields(problem, bias=None)).x


def stopped_early(problem):
    return 0.999 * of_scipy_batch(problem)


def zero_for_nan(problem):
    """The start, where the data are not finite."""
    x = of_scipy_batch(problem)
    return np.where(np.isfinite(x), x, 0.0)


def no_columns(problem):
    """As if every column counted."""
    t = problem.target - (0 if problem.bias is None else problem.bias)
    rows = np.broadcast_to(True if problem.rows is None else problem.rows, t.shape)
    pairs = zip(rows, t, strict=True)
    return np.stack([np.linalg.lstsq(problem.W[S], t[S])[0] for S, t in pairs])


def called(found, status):
    """A Solution that gives all signals the same status."""
    return replace(found, status=np.full(len(found.x), status, dtype=object))


def always_optimal(problem):
    return called(solution(problem), Status.OPTIMAL)


def never_optimal(problem):
    return called(solution(problem), Status.MAX_ITER)


def reversed_rows(problem):
    return of_scipy_batch(problem)[::-1]


def in_place(problem):
    x = of_scipy_batch(problem)
    problem.W[0, 0] += 1
    return x


def raises_for_all(problem):
    """Of a batch with a signal that has no answer."""
    found = solution(problem)
    if any(status is not Status.OPTIMAL for status in found.status):
        raise ArithmeticError("no answer")
    return found.x


def transposed(problem):
    return of_scipy_batch(problem).T


def of_first_signal(problem):
    return of_scipy_batch(problem)[0]


def nothing(problem):
    return None


def words(problem):
    return "solved"


def wrong_multipliers(problem):
    found = solution(problem)
    return found.x, found.dual + 1


def not_deterministic():
    """Wrong the first time that it sees a statement."""
    seen = set()

    def sometimes(problem):
        key = problem.W.tobytes() + problem.data.tobytes()
        new, _ = key not in seen, seen.add(key)
        return of_scipy_batch(problem) * (1.1 if new else 1.0)

    return sometimes
