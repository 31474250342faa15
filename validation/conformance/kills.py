"""The kill table: every wrong solver is to be rejected, every honest one accepted."""

import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import fast
from cvxinv import reference
from cvxinv.testing import KINDS
from cvxinv.testing.sweep import sweep

from .adapters import ADAPTERS, Adapter
from .more_bugs import BUGS

TOL, EXAMPLES = 1e-6, 200
# our own backends take statements
OWN = (
    Adapter("cvxinv fast", KINDS, fast.solve, "cvxinv"),
    Adapter("cvxinv reference (Clarabel, polished)", KINDS, reference.solve, "cvxinv"),
)


@dataclass(frozen=True)
class Verdict:
    """What `check_solver` says of a solver on a kind of problems."""

    solver: str
    kind: str
    accepted: bool
    examples: int  # of the levels that passed, and of the one that failed up to where it did
    seconds: float  # with the search for a smaller instance
    level: str = ""  # that failed
    words: str = ""
    version: str = ""


def verdict(name: str, kind: str, solve: Callable[..., Any], **options: Any) -> Verdict:
    """Put a solver to the sweep."""
    start, count = time.perf_counter(), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # solvers warn of hard data
        for row in sweep(solve, kind, tol=TOL, max_examples=EXAMPLES, **options).rows():
            count += row.examples
            if row.failure is not None:
                seconds = time.perf_counter() - start
                words = row.failure.message.splitlines()[0]
                return Verdict(name, kind, False, count, seconds, row.level, words)
    return Verdict(name, kind, True, count, time.perf_counter() - start)


def wrong(done: Callable[[], None]) -> list[dict[str, Any]]:
    """A verdict for each bug."""
    found = []
    for bug in BUGS:
        found.append(asdict(verdict(bug.mistake, bug.kind, bug.solve)))
        done()
    return found


def honest(done: Callable[[], None]) -> list[dict[str, Any]]:
    """A verdict for each solver that is right, on each of its kinds."""
    found = []
    for adapter in (*OWN, *ADAPTERS):
        for kind in adapter.kinds:
            one = verdict(adapter.name, kind, adapter.solve, arrays=adapter not in OWN)
            found.append(asdict(one) | {"version": version(adapter.package)})
        done()
    return found
