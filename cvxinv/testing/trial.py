"""One instance put to a solver, and what is wrong with what came back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.arrays import is_torch, namespace, to_numpy
from cvxinv.problems import LayerProblem, batched
from cvxinv.testing.arrays import raw
from cvxinv.testing.hints import hint
from cvxinv.testing.judge import Returned, ShapeError, described, faults, taken, tolerance

ALONE = "\nA signal without an answer must not take its companions along."
OBJECTIVE = 1e-3  # of what a planted optimum may be missed by, in place of the certificate's tol


@dataclass(frozen=True)
class Failure:
    """What is wrong with an answer."""

    problem: LayerProblem
    x: Any  # what was returned, None where nothing was
    message: str


@dataclass(frozen=True)
class Trial:
    """A solver as `check_solver` was given it: it takes statements, or the arrays of a kind."""

    solve: Callable[..., Any]
    kind: str
    tol: float
    arrays: bool

    def failure(
        self, problem: LayerProblem, infeasible: Any, optimum: Any = None
    ) -> Failure | None:
        """What is wrong with the answer for a statement; None if nothing is.

        `optimum` is the optimal value (B,) where it is known.
        """
        if self.arrays and 0 in raw(self.kind, problem).arguments[0].shape:
            return None  # a mask hides all: few take arrays without rows or columns
        hopeless = np.atleast_1d(infeasible | ~to_numpy(problem.quadratic().finite))
        before = {k: _copied(v) for k, v in vars(problem).items() if hasattr(v, "ndim")}
        try:
            returned = self._called(problem)
            found = taken(problem, returned)
        except ShapeError as error:
            return Failure(problem, None, f"{error}{self._hint(error, problem)}")
        except Exception as error:
            if hopeless.all():
                return None  # to raise is to say that there is no answer
            words = f"raised {type(error).__name__}: {error}"
            words += ALONE if hopeless.any() else self._hint(error, problem)
            return Failure(problem, None, words)
        finally:
            changed = _restored(problem, before)
        if changed:
            return Failure(problem, found.x, f"the solver changed {', '.join(changed)} in place")
        tol = tolerance(problem, self.tol)
        wrong = faults(problem, found, tol, infeasible)
        if optimum is not None and not wrong:
            wrong = _above(problem, found, optimum, tol)
        if wrong:
            return Failure(problem, found.x, described(wrong, not batched(problem)))
        return None

    def _hint(self, error: Exception, problem: LayerProblem) -> str:
        """How the solver may want to be called, a line of its own."""
        found = hint(self.solve, error, self.arrays, is_torch(problem.data), batched(problem))
        return f"\n{found}" if found else ""

    def _called(self, problem: LayerProblem) -> Any:
        """What the solver returns for a statement."""
        if not self.arrays:
            return self.solve(problem)
        arguments = raw(self.kind, problem)
        returned = self.solve(*arguments.arguments)
        try:
            return arguments.whole(returned)
        except (TypeError, ValueError) as error:
            raise ShapeError(str(error)) from None


def _copied(a: Any) -> Any:
    return a.clone() if hasattr(a, "clone") else a.copy()


def _restored(problem: LayerProblem, before: dict[str, Any]) -> list[str]:
    """The fields that are no longer what they were; they are made so again."""
    changed = [name for name, a in before.items() if not _same(a, getattr(problem, name))]
    for name in changed:
        getattr(problem, name)[...] = before[name]
    return changed


def _same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(to_numpy(a), to_numpy(b), equal_nan=to_numpy(a).dtype != bool))


def _above(problem: LayerProblem, found: Returned, optimum: Any, tol: float) -> dict[int, str]:
    """Signals whose value is not the optimum that was planted, relative to the value at x = 0."""
    x = found.x
    values = np.atleast_1d(to_numpy(problem.objective(x)))
    size = np.atleast_1d(to_numpy(problem.objective(namespace(x).zeros_like(x))))
    optimum = np.atleast_1d(optimum)
    over = (values - optimum) / np.where(size > 0, np.maximum(size, optimum), 1.0)
    most = max(tol, OBJECTIVE * np.sqrt(tol))
    return {
        int(b): f"objective {values[b]:.9g}, and the optimum that was planted is {optimum[b]:.9g}"
        for b in np.flatnonzero(np.abs(over) > most)
    }
