"""What kinds of problems there are, by name; known without Hypothesis."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from cvxinv import checks
from cvxinv.errors import MissingPackageError

# in rising difficulty
KINDS = (
    "least_squares",
    "nnls",
    "lasso",
    "last_layers",
    "basis_pursuits",
    "mid_layers",
    "latents",
    "qps",
)
# of `check_solver`, likewise
LEVELS = (
    "one column",
    "tiny",
    "small",
    "tall",
    "wide",
    "zero or duplicate columns",
    "opposite columns",
    "zero signals",
    "weight at its largest",
    "weak weight",
    "general position",
    "larger",
    "ill-conditioned",
    "small signals",
    "large signals",
    "small matrix",
    "large matrix",
    "signals of unequal size",
    "planted",
    "float32",
    "infeasible",
    "not finite",
    "companions",
)


def kinds(name: str, value: Any) -> tuple[str, ...]:
    """Kinds by their names: one, several, or None for all."""
    return KINDS if value is None else some(name, value, KINDS)


def some(name: str, value: Any, options: Sequence[str], least: int = 1) -> tuple[str, ...]:
    """One word, or a sequence of at least so many."""
    given = (value,) if isinstance(value, str) else value
    if not isinstance(given, (tuple, list)):
        words = ", ".join(options)
        raise TypeError(f"{name}: expected one or some of {words}, got {checks.shown(value)}")
    if len(given) < least:
        raise ValueError(f"{name}: expected at least one of {', '.join(options)}, got none")
    return tuple(checks.choice(name, word, options) for word in given)


def ensure_hypothesis(who: str) -> None:
    """Say how to install Hypothesis where it is not there."""
    if find_spec("hypothesis") is None:
        raise MissingPackageError(f"{who} needs Hypothesis: pip install 'cvxinv[testing]'")
