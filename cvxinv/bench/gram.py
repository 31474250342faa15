"""(Q) signal by signal in Gram form, as most solvers take it, and what a solver answers.

minimise 1/2 x'H x + f'x  subject to  C x <= d, x >= 0 where stated,   H = A'A + gamma I
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from cvxinv.problems import Quadratic

SMALL = 32  # up to so many unknowns, the Gram matrices of all signals are cheapest in one product


@dataclass(frozen=True, eq=False)
class Answer:
    """What a solver returned: x (B, n), nan where it failed; multipliers (B, m) if any; iterations
    (B,); its first complaint, if any.
    """

    x: Any
    dual: Any = None
    iterations: Any = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Program:
    """One signal in Gram form. `shared`: H, C and d are those of every other signal, too."""

    H: Any
    f: Any
    C: Any
    d: Any
    shared: bool


# x, multipliers of C x <= d, iterations
Step: TypeAlias = Callable[[Program], tuple[Any, Any, int]]


def programs(q: Quadratic) -> Iterator[Program]:
    """The signals of q in Gram form."""
    n, shared = q.W.shape[1], bool(q.rows.all())
    f = q.lam - q.t @ q.W
    ridge = q.gamma * np.eye(n)
    if shared:
        H = q.W.T @ q.W + ridge
    elif n <= SMALL:
        outer = (q.W[:, :, None] * q.W[:, None, :]).reshape(-1, n * n)
        grams = (q.rows.astype(float) @ outer).reshape(-1, n, n) + ridge
    for b in range(q.size):
        if not shared and n <= SMALL:
            H = grams[b]
        elif not shared:
            A = q.W[q.rows[b]]
            H = A.T @ A + ridge if q.gamma else A.T @ A
        limited = q.inequalities[b]
        yield Program(H, f[b], q.W[limited], q.d[b][limited], shared)


def one_by_one(start: Callable[[Quadratic], Step]) -> Callable[[Quadratic], Answer]:
    """A rival from a function that is given (Q) once and returns what solves one signal. An
    exception is a failed signal.
    """
    return partial(_one_by_one, start)  # which another process can be sent, unlike a closure


def _one_by_one(start: Callable[[Quadratic], Step], q: Quadratic) -> Answer:
    step, note = start(q), ""
    x, dual = np.full((q.size, q.W.shape[1]), np.nan), np.zeros(q.t.shape)
    iterations = np.zeros(q.size, dtype=int)
    for b, program in enumerate(programs(q)):
        try:
            x[b], eta, iterations[b] = step(program)
        except Exception as error:
            note = note or str(error)
        else:
            dual[b, q.inequalities[b]] = eta
    return Answer(x, dual, iterations, note)


def attempt(solve: Callable[[Quadratic], Answer], q: Quadratic) -> Answer:
    """What `solve` answers; whatever it raises is its answer, and warnings are for the certificate
    to judge.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return solve(q)
    except Exception as error:
        return Answer(np.full((q.size, q.W.shape[1]), np.nan), note=str(error))
