"""Property-based tests for solvers of other people: strategies, instances with known solutions, and
a conformance kit whose oracle is the certificate.

    from cvxinv.testing import check_solver
    def test_mine():
        check_solver(my_solve, problems=["lasso", "nnls"], tol=1e-6)   # my_solve(problem) -> x

Names are imported on first use: `assert_optimal` and `hard_cases` do without Hypothesis.
"""

import importlib
from typing import TYPE_CHECKING, Any

from cvxinv.testing.names import ensure_hypothesis

if TYPE_CHECKING:
    from cvxinv.testing.arrays import raw as raw
    from cvxinv.testing.conformance import ConformanceError as ConformanceError
    from cvxinv.testing.conformance import check_solver as check_solver
    from cvxinv.testing.hard import Case as Case
    from cvxinv.testing.hard import hard_cases as hard_cases
    from cvxinv.testing.judge import ShapeError as ShapeError
    from cvxinv.testing.judge import assert_optimal as assert_optimal
    from cvxinv.testing.kinds import basis_pursuits as basis_pursuits
    from cvxinv.testing.kinds import lasso as lasso
    from cvxinv.testing.kinds import last_layers as last_layers
    from cvxinv.testing.kinds import latents as latents
    from cvxinv.testing.kinds import least_squares as least_squares
    from cvxinv.testing.kinds import mid_layers as mid_layers
    from cvxinv.testing.kinds import nnls as nnls
    from cvxinv.testing.kinds import planted as planted
    from cvxinv.testing.kinds import qps as qps
    from cvxinv.testing.kinds import statements as statements
    from cvxinv.testing.names import KINDS as KINDS
    from cvxinv.testing.names import LEVELS as LEVELS
    from cvxinv.testing.networks import generators as generators
    from cvxinv.testing.networks import signals as signals
    from cvxinv.testing.plant import Planted as Planted
    from cvxinv.testing.traits import Traits as Traits

_NAMES = {
    "conformance": "ConformanceError check_solver",
    "hard": "Case hard_cases",
    "judge": "ShapeError assert_optimal",
    "kinds": "basis_pursuits lasso last_layers latents least_squares mid_layers nnls planted qps"
    " statements",
    "names": "KINDS LEVELS",
    "networks": "generators signals",
    "plant": "Planted",
    "arrays": "raw",
    "traits": "Traits",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
_NEED = ("conformance", "kinds", "networks", "plant")  # Hypothesis

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'cvxinv.testing' has no attribute {name!r}")
    home = _HOME[name]
    if home in _NEED:
        ensure_hypothesis(f"cvxinv.testing.{name}")
    return getattr(importlib.import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return __all__
