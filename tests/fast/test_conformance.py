"""The default of `fast` as anybody's solver: `check_solver` finds nothing."""

import pytest

import fast
from cvxinv.testing import KINDS, check_solver


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_default_conforms(kind, library):
    check_solver(fast.solve, kind, library=library, max_examples=40)


@pytest.mark.parametrize("kind", ["lasso", "qps"])
def test_one_signal_at_a_time(kind):
    check_solver(fast.solve, kind, batch=None, max_examples=4)
