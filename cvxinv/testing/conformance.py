"""`check_solver`: a solver of anybody's held against the certificate, in rising difficulty."""

import inspect
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from cvxinv import checks
from cvxinv.arrays import to_numpy
from cvxinv.problems import file as problem_file
from cvxinv.testing.code import imports, rebuilt
from cvxinv.testing.sweep import Row, Sweep, sweep
from cvxinv.testing.trial import Failure

# of kinds whose arrays are the fields as they are
FIELDS = {"nnls": "problem.W, problem.y", "lasso": "problem.W, problem.target, problem.lam"}


class ConformanceError(AssertionError):
    """A solver failed `check_solver`; the message says where, on the smallest instance found."""

    def __init__(self, message: str, failure: Failure) -> None:
        super().__init__(message)
        self.problem, self.x = failure.problem, failure.x


def check_solver(
    solve: Callable[..., Any],
    problems: Any = None,
    *,
    save: str | PathLike[str] | None = None,
    **options: Any,
) -> None:
    """Hold a solver against the certificate on instances of rising difficulty, W up to 50 x 25.

    There is no time limit: a solver that hangs is for `pytest-timeout` to end.

    Parameters
    ----------
    solve : callable
        `solve(problem)` for a statement of `cvxinv.problems`, of a batch of signals; returns x,
        (x, dual), or a `cvxinv.Solution`, whose statuses are held against the data, too. It may
        raise where no signal has an answer (nan or infinity in the data, constraints that
        contradict each other); of a batch, it answers the other signals. Masks may hide all rows.
    problems : str or sequence of str, optional
        Kinds, `cvxinv.testing.KINDS`; all by default.
    tol : float
        Of KKT residual, violation and duality gap, all relative; 1e-6 by default, and at least 1e-4
        for float32 data.
    max_examples : int
        Of a kind, over all levels; 200 by default. A level has at least 4.
    dtypes : str or sequence of str
        "float64", "float32" or both, as by default.
    batch : int or None
        The largest number of signals, 3 by default: 8 enlarges the batches. None: statements of one
        signal, without B axis.
    arrays : bool
        Whether solve takes the plain arrays of one signal, for example `solve(A, b, lam)` for
        "lasso": the module `cvxinv.testing.arrays` lists them, and `cvxinv.testing.raw(kind,
        problem)` makes them of a statement. Instances without any row or column are left out.
    library : "numpy" or "torch"
    skip : str or sequence of str
        Levels to leave out, by the names in `cvxinv.testing.LEVELS`.
    seed : int
    save : path, optional
        A folder for the smallest instance that fails, with a folder for its kind: for example
        `nnls/problem.npz` and `nnls/solution.npz`, as `cvxinv verify` reads them.

    Raises
    ------
    ConformanceError (an AssertionError)
        At the first level that fails: which row fails which criterion, and where, on the smallest
        instance found, as code that builds it again.
    TypeError, ValueError
        Naming the argument.
    """
    __tracebackhide__ = True  # of pytest: what the message says counts, not where it is raised
    options_only(options)
    save = None if save is None else checks.folder("save", save)
    asked_for = sweep(solve, problems, **options)
    for row in asked_for.rows():
        if row.failure is not None:
            raise ConformanceError(message(asked_for, row, save), row.failure)


def options_only(options: dict[str, Any]) -> None:
    """Complain of what is no argument of `check_solver`."""
    known = [*inspect.signature(sweep).parameters, "save"]
    for name in options:
        if name not in known:
            words = ", ".join(known)
            raise TypeError(f"{name}: expected one of the arguments of check_solver: {words}")


def message(asked_for: Sweep, row: Row, save: Path | None = None) -> str:
    """What failed, as code that shows it again."""
    failure, solve = row.failure, asked_for.solve
    assert failure is not None
    name = getattr(solve, "__name__", type(solve).__name__)
    called = name if name.isidentifier() else "solve"  # a lambda has no name
    count = "1 example" if row.examples == 1 else f"{row.examples} examples"
    lines = [
        f"{name} fails {row.kind}, level {row.level!r}, after {count}:",
        *("  " + line for line in failure.message.splitlines()),
        "",
        "The smallest instance found, to run again:",
        "",
        *("    " + line for line in _code(asked_for, row.kind, failure, called).splitlines()),
    ]
    if save is not None:
        lines += ["", _saved(failure, save / row.kind)]
    return "\n".join(lines)


def _code(asked_for: Sweep, kind: str, failure: Failure, name: str) -> str:
    problem = failure.problem
    lines = [imports(problem), "from cvxinv.testing import assert_optimal"]
    lines.append(f"problem = {rebuilt(problem)}")
    if asked_for.arrays:
        call = f"{name}({FIELDS[kind]})" if kind in FIELDS else f"{name}(*given.arguments)"
        if kind not in FIELDS:
            lines[1] += ", raw"
            lines.append(f"given = raw({kind!r}, problem)")
            call = f"given.whole({call})"
    else:
        call = f"{name}(problem)"
    returned = "" if failure.x is None else f"  # {' '.join(repr(failure.x).split())}"
    lines += [f"x = {call}{returned}", f"assert_optimal(problem, x, tol={asked_for.tol:g})"]
    return "\n".join(lines)


def _saved(failure: Failure, folder: Path) -> str:
    """Write the instance, and say what reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    problem, solution = folder / "problem.npz", folder / "solution.npz"
    problem_file.save(failure.problem, problem)
    if failure.x is None:
        return f"Saved: {problem}"
    np.savez(solution, x=to_numpy(failure.x))
    return f"Saved: cvxinv verify {problem} {solution}"
