"""A failing statement made smaller: fewer signals, rows and columns, no bias, whole numbers.

Hypothesis makes numbers small; that a row of zeros need not be there, it cannot see.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cvxinv.problems import LayerProblem, batched, with_fields

ROWS = ("observed", "support", "rows", "bias")  # fields with an entry per row, beside the signals
COLUMNS = ("lam", "columns")


def reduced(
    problem: LayerProblem, fails: Callable[[LayerProblem], bool], late: Callable[[], bool]
) -> LayerProblem:
    """The smallest statement on the way down that still fails; as it is once it is late."""
    for candidate in candidates(problem):
        if late():
            break
        if fails(candidate):
            return reduced(candidate, fails, late)
    return problem


def candidates(problem: LayerProblem) -> Iterator[LayerProblem]:
    """Statements that are a little smaller."""
    m, n = problem.W.shape
    B = len(problem) if batched(problem) else 1
    if B > 1:
        yield from (problem[_but(b, B)] for b in range(B))
    if problem.bias is not None:
        yield with_fields(problem, bias=None)
    if m > 1:
        yield from (without_row(problem, _but(i, m)) for i in range(m))
    if not _met_at_zero(problem):
        return
    if n > 1:
        yield from (without_column(problem, _but(j, n)) for j in range(n))
    yield from _rounder(problem)


def _met_at_zero(problem: LayerProblem) -> bool:
    """Whether x = 0 meets all inequalities; then no other columns can make them contradictory."""
    return not problem.constrained or problem.bias is None or bool((problem.bias <= 0).all())


def without_row(problem: LayerProblem, kept: Any) -> LayerProblem:
    """The statement with some of its rows."""
    fields = {name: getattr(problem, name, None) for name in (problem.data_name, *ROWS)}
    own = {name: a[..., kept] for name, a in fields.items() if a is not None}
    return with_fields(problem, W=problem.W[kept], **own)


def without_column(problem: LayerProblem, kept: Any) -> LayerProblem:
    """The statement with some of its columns."""
    fields: dict[str, Any] = {name: getattr(problem, name, None) for name in COLUMNS}
    own = {name: a[..., kept] for name, a in fields.items() if getattr(a, "ndim", 0)}
    return with_fields(problem, W=problem.W[:, kept], **own)


def _rounder(problem: LayerProblem) -> Iterator[LayerProblem]:
    """The statement with all numbers of a field rounded, if that changes any of moderate size."""
    for name in ("W", problem.data_name, "bias"):
        a = getattr(problem, name)
        if a is None:
            continue
        rounded = a.round()
        moderate = bool((abs(a[a == a]) < 1e6).all())
        if moderate and bool((rounded != a)[a == a].any()) and bool((rounded != 0).any()):
            yield with_fields(problem, **{name: rounded})


def _but(i: int, count: int) -> Any:
    return np.delete(np.arange(count), i)
