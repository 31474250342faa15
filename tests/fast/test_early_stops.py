"""`fast.solve` with few iterations, or without the last resort: nothing is claimed unproven."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import fast
from cvxinv import (
    LastLayer,
    Latent,
    MidLayer,
    Status,
    verify,
)
from tests.support.instances import CLASSES, CONSTRAINED, SEEDS, instance
from tests.support.tolerances import KKT

METHODS = ("auto", "fista", "linearized_admm")


@given(
    cap=st.integers(0, 60),
    cls=st.sampled_from(CLASSES),
    method=st.sampled_from(METHODS),
    seed=st.sampled_from(SEEDS),
)
@example(cap=0, cls=LastLayer, method="auto", seed=0)
@example(cap=0, cls=MidLayer, method="auto", seed=1)
@example(cap=1, cls=MidLayer, method="auto", seed=0)
@example(cap=1, cls=Latent, method="linearized_admm", seed=0)
@example(cap=20, cls=MidLayer, method="auto", seed=1)
def test_caps_are_kept_and_nothing_is_claimed_without_proof(cap, cls, method, seed):
    method = "linearized_admm" if cls in CONSTRAINED and method == "fista" else method
    problem = instance(cls, "mask", seed)
    sol = fast.solve(problem, max_iter=cap, method=method)
    assert (sol.iterations <= cap).all()
    assert np.isfinite(sol.x).all()
    proven = verify(problem, sol.x, sol.dual).optimal(KKT)
    for b in range(3):
        assert (
            sol.status[b] is (Status.OPTIMAL if proven[b] else Status.MAX_ITER)
            or sol.status[b] is Status.INFEASIBLE
        )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("cls", CLASSES)
def test_no_iterations_is_no_answer(cls, method):
    method = "linearized_admm" if cls in CONSTRAINED and method == "fista" else method
    problem = instance(cls, "full_support", 2)
    sol = fast.solve(problem, max_iter=0, method=method)
    assert np.isfinite(sol.x).all()
    assert not sol.iterations.any()
    if method != "auto":
        assert list(sol.status) == [Status.MAX_ITER] * 3
        assert not sol.x.any()


@pytest.mark.parametrize("cls", CLASSES)
def test_tol_is_what_the_certificate_must_prove(cls):
    problem = instance(cls, "noisy", 2)
    for tol in (1e-2, 1e-5, 1e-10):
        sol = fast.solve(problem, tol=tol)
        assert list(sol.status) == [Status.OPTIMAL] * 3
        assert sol.certificate.optimal(tol).all()
    for tol in (1e-2, 1e-4):
        sol = fast.solve(problem, tol=tol, method="linearized_admm", rho=0.3)
        assert list(sol.status) == [Status.OPTIMAL] * 3
        assert sol.certificate.optimal(tol).all()
    assert list(fast.solve(problem, tol=1e-30).status) == [Status.MAX_ITER] * 3


def test_without_the_sure_methods_infeasible_signals_are_only_unsolved():
    """x >= 0 with x_1 + x_2 <= -1 on the rows that are off: no point satisfies it."""
    problem = MidLayer(
        np.ones((2, 2)),
        np.array([[1.0, 0.0]] * 2),
        np.array([[True, False]] * 2),
        np.array([0.0, 1.0]),
        lam=0.1,
    )
    proven, unsolved = fast.solve(problem), fast.solve(problem, sure=False)
    assert list(proven.status) == [Status.INFEASIBLE] * 2
    assert list(unsolved.status) == [Status.MAX_ITER] * 2
    assert unsolved.infeasibility is None
    easy = instance(MidLayer, "noisy", 1)
    np.testing.assert_array_equal(fast.solve(easy).x, fast.solve(easy, sure=False).x)
