"""Solvers as other people write them: honest ones, and ones with a bug each."""

from dataclasses import replace

import numpy as np
from scipy.optimize import nnls

import fast
from cvxinv import Solution, Status
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


def solution(problem):
    """What a solver without a bug says."""
    return fast.solve(problem)


def doubled_weight(problem):
    weight = "gamma" if hasattr(problem, "gamma") else "lam"
    return solution(with_fields(problem, **{weight: 2 * getattr(problem, weight)})).x


def no_bias(problem):
    return solution(with_fields(problem, bias=None)).x


def stopped_early(problem):
    return 0.999 * solution(problem).x


def zero_for_nan(problem):
    """The start, where the data are not finite."""
    x = solution(problem).x
    return np.where(np.isfinite(x), x, 0.0)


def no_columns(problem):
    """As if every column counted."""
    return solution(with_fields(problem, columns=None)).x


def called(found, status):
    """A Solution that gives all signals the same status."""
    return replace(found, status=np.full(len(found.x), status, dtype=object))


def always_optimal(problem):
    return called(solution(problem), Status.OPTIMAL)


def never_optimal(problem):
    return called(solution(problem), Status.MAX_ITER)


def reversed_rows(problem):
    return solution(problem).x[::-1].copy()


def in_place(problem):
    x = solution(problem).x
    problem.W[0, 0] += 1
    return x


def raises_for_all(problem):
    """Of a batch with a signal that has no answer."""
    found = solution(problem)
    if any(status is not Status.OPTIMAL for status in found.status):
        raise ArithmeticError("no answer")
    return found.x


def transposed(problem):
    return solution(problem).x.T


def of_first_signal(problem):
    return solution(problem).x[0]


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
        return solution(problem).x * (1.1 if new else 1.0)

    return sometimes
