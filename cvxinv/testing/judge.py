"""What is wrong with what a solver returned, signal by signal: all from the data and the points."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv import checks
from cvxinv.arrays import dtype_name, float64, match, to_numpy
from cvxinv.certificate import reasons, verify
from cvxinv.certificate.point import quadratic_point
from cvxinv.problems import LayerProblem, LinearProgram, as_problem, batched
from cvxinv.solution import Solution, Status
from cvxinv.testing.code import imports, literal, rebuilt

FLOAT32 = 1e-4  # the least tolerance for float32 data
SHOWN = 10  # signals named in a message
SMALL = 200  # numbers up to which a message holds the code of the statement


@dataclass(frozen=True)
class Returned:
    """What a solver returned, taken apart: x, and what it says beside."""

    x: Any
    dual: Any = None
    status: Any = None  # (B,) of Status, where it returned a Solution


class ShapeError(ValueError):
    """What was returned is not of the form that is expected; the message says how."""


def taken(problem: LayerProblem, returned: Any) -> Returned:
    """x, (x, dual) or Solution, in the shapes of the statement; `ShapeError` for anything else."""
    x, dual, status = returned, None, None
    if isinstance(returned, Solution):
        x, dual, status = returned.x, returned.dual, returned.status
    elif isinstance(returned, tuple) and len(returned) == 2:
        x, dual = returned
    batch, (m, n) = tuple(problem.data.shape[:-1]), problem.W.shape
    x = _numbers(problem, "x", x, (*batch, n))
    dual = None if dual is None else _numbers(problem, "dual", dual, (*batch, m))
    return Returned(x, dual, status)


def _numbers(problem: LayerProblem, name: str, a: Any, shape: tuple[int, ...]) -> Any:
    if a is None or isinstance(a, (str, bool)) or (np.ndim(_plain(a)) == 0 and shape != ()):
        raise ShapeError(f"{name}: expected shape {shape}, got {checks.shown(a)}")
    try:
        found = match(checks.floats(name, a), problem.data)
    except (TypeError, ValueError) as error:
        raise ShapeError(str(error)) from None
    if tuple(found.shape) != shape:
        raise ShapeError(f"{name}: expected shape {shape}, got {tuple(found.shape)}")
    return found


def _plain(a: Any) -> Any:
    return a if hasattr(a, "ndim") or isinstance(a, (list, tuple)) else 0


def tolerance(problem: LayerProblem, tol: float) -> float:
    """`tol`, and no less than float32 data can be asked for."""
    return max(tol, FLOAT32) if dtype_name(problem.data) == "float32" else tol


def faults(
    problem: LayerProblem, found: Returned, tol: float, infeasible: Any = False
) -> dict[int, str]:
    """What is wrong with the signals that are answered wrongly, by number.

    A signal whose data are not finite, or that is infeasible, has no answer: nan, or a status that
    does not claim one. A finite x for data that are not finite is an answer to nothing.
    """
    count = len(problem) if batched(problem) else 1
    x = np.reshape(to_numpy(found.x), (count, -1))
    finite = np.atleast_1d(to_numpy(problem.quadratic().finite))
    infeasible = np.broadcast_to(infeasible, (count,))
    status = [None] * count if found.status is None else list(np.atleast_1d(found.status))
    wrong = _criteria(problem, found, tol, finite & ~infeasible)
    for b in range(count):
        answered = status[b] is Status.OPTIMAL or (status[b] is None and np.isfinite(x[b]).all())
        if not finite[b] and answered:
            wrong[b] = "the data hold nan or inf, and it is answered as if they did not"
        elif finite[b] and infeasible[b] and status[b] is Status.OPTIMAL:
            wrong[b] = "its constraints contradict each other, and it is called OPTIMAL"
        elif finite[b] and not infeasible[b] and status[b] not in (None, Status.OPTIMAL):
            wrong.setdefault(b, f"it has a solution, and is called {status[b]!r}")
    return dict(sorted(wrong.items()))


def _criteria(problem: LayerProblem, found: Returned, tol: float, good: Any) -> dict[int, str]:
    """Which of the good signals fail the certificate, by which figure, and where.

    A point passes as well if it does with its entries below tol, in their units, at zero: that
    x = -1e-17 is not x >= 0 is nobody's fault.
    """
    c = verify(problem, found.x, found.dual)
    failed = np.atleast_1d(to_numpy(~c.optimal(tol))) & good
    if failed.any():
        near = verify(problem, snapped(problem, found.x, tol), found.dual)
        failed &= np.atleast_1d(to_numpy(~near.optimal(tol)))
    if not failed.any():
        return {}
    figures = {"violation": c.violation, "KKT": c.kkt, "gap": c.gap}
    values = {name: np.atleast_1d(to_numpy(a)) for name, a in figures.items()}
    why, words = reasons(problem, found.x, found.dual), {}
    for b in np.flatnonzero(failed):
        over = [f"{name} {above(a[b], tol)} > {tol:g}" for name, a in values.items() if a[b] > tol]
        words[int(b)] = f"{over[0]}: {why[b]}" if over else why[b]
    return words


def above(value: float, tol: float) -> str:
    """A figure above tol, in as many digits as show that it is."""
    texts = (f"{value:.{digits}g}" for digits in range(2, 18))
    shown = float(f"{tol:g}")
    return next((text for text in texts if float(text) > shown), str(value))


def snapped(problem: LayerProblem, x: Any, tol: float) -> Any:
    """x with its entries below tol at zero: in units of s / D_j, or where the data set no unit (and
    x = 0 is a solution), as they are.
    """
    q = problem.quadratic().in_numpy()
    given = to_numpy(float64(x))
    points = np.nan_to_num(given.reshape(q.size, -1), nan=0.0, posinf=0.0, neginf=0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        at = quadratic_point(q, points)
        small = np.where(at.idle[:, None], np.abs(points), at.sizes) <= tol
    small = small.reshape(given.shape) & np.isfinite(given)
    return match(np.where(small, 0.0, given), problem.data)


def described(wrong: dict[int, str], single: bool) -> str:
    """A line for each signal that is wrong."""
    lines = [what if single else f"row {b}: {what}" for b, what in [*wrong.items()][:SHOWN]]
    more = len(wrong) - len(lines)
    return "\n".join([*lines, *([f".. and {more} more"] if more else [])])


def _known(infeasible: Any, problem: LayerProblem) -> Any:
    """One flag, or one for each signal."""
    if np.ndim(infeasible) == 0:
        return checks.flag("infeasible", infeasible)
    flags = checks.booleans("infeasible", infeasible)
    return to_numpy(checks.shape("infeasible", flags, tuple(problem.data.shape[:-1])))


def assert_optimal(
    problem: LayerProblem, x: Any, tol: float = 1e-6, *, dual: Any = None, infeasible: Any = False
) -> None:
    """Assert that x solves a convex layer problem, signal by signal: the certificate holds to tol.

    Parameters
    ----------
    problem : a statement of `cvxinv.problems`, of one signal or many
    x : (B, n) or (n,) array, (x, dual) or Solution
    tol : float
        Of KKT residual, violation and gap; at least 1e-4 for float32 data.
    dual : (B, m) or (m,) array, optional
        Multipliers of the inequalities; recovered if left out.
    infeasible : bool or (B,) bool array
        Signals known to have no solution; they must not be called optimal.

    Raises
    ------
    AssertionError
        Naming the signals, the criterion that each fails, and the entry or row where; with the code
        that builds a small statement again.
    ShapeError, TypeError, ValueError
        For what is no statement, not convex, or of another shape.
    """
    __tracebackhide__ = True  # of pytest: what the message says counts, not where it is raised
    stated, tol = as_problem(problem), checks.positive("tol", tol)
    if isinstance(stated, LinearProgram):
        raise TypeError("problem: expected a layer problem, got a LinearProgram: use cvxinv.verify")
    problem.quadratic()  # says what to do where it is not convex
    known = _known(infeasible, problem)
    found = taken(problem, x if dual is None else (x, dual))
    tol = tolerance(problem, tol)
    if not (wrong := faults(problem, found, tol, known)):
        return
    message = described(wrong, not batched(problem))
    given = [a for a in vars(problem).values() if hasattr(a, "shape")]
    if sum(int(np.prod(a.shape)) for a in given) <= SMALL:
        message += f"\n\n{imports(problem)}\nproblem = {rebuilt(problem)}\nx = {literal(found.x)}"
    raise AssertionError(message)
