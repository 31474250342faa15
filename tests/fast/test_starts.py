"""`fast.solve` from a caller's starting points."""

import numpy as np
import pytest
import torch

import fast
from cvxinv import LastLayer, Status
from tests.support.instances import (
    CLASSES,
    CONSTRAINED,
    PRINTED_METHOD,
    instance,
)
from tests.support.oracles import distance
from tests.support.tolerances import ALONE, SAME_POINT


def close(x, y, tol=ALONE):
    assert (np.linalg.norm(x - y, axis=-1) <= tol * np.linalg.norm(y, axis=-1)).all()


@pytest.mark.parametrize("method", ["auto", "printed"])
@pytest.mark.parametrize("cls", CLASSES)
def test_a_start_at_the_solution_needs_few_steps_and_a_poor_one_does_no_harm(cls, method):
    options = {"method": PRINTED_METHOD[cls], "rho": 0.3} if method == "printed" else {}
    problem = instance(cls, "noisy", 2, count=5)
    cold = fast.solve(problem, **options)
    assert list(cold.status) == [Status.OPTIMAL] * 5
    warm = fast.solve(problem, x0=cold.x, **options)
    assert list(warm.status) == [Status.OPTIMAL] * 5
    if cls not in CONSTRAINED:
        assert (warm.iterations <= 3).all()
    elif method == "auto":  # multipliers have to be found again
        assert (warm.iterations <= 10).all()
    poor = np.vstack(
        [
            np.full((1, 8), np.nan),
            np.full((1, 8), np.inf),
            np.full((1, 8), -1e3),
            np.full((1, 8), 1e6),
            np.ones((1, 8)),
        ]
    )
    for start in (poor, torch.tensor(poor), poor.astype(np.float32)):
        sol = fast.solve(problem, x0=start, **options)
        assert list(sol.status) == [Status.OPTIMAL] * 5
        assert (distance(problem, sol.x, cold.x) <= SAME_POINT).all()


def test_a_start_for_a_signal_alone():
    problem = instance(LastLayer, "noisy", 0)[0]
    cold = fast.solve(problem)
    warm = fast.solve(problem, x0=cold.x)
    assert warm.status is Status.OPTIMAL
    np.testing.assert_allclose(warm.x, cold.x, atol=ALONE)
