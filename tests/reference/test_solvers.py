"""One call of a solver, and nothing that outlives it: no filter of warnings stays changed."""

import threading
import time
import warnings

import numpy as np
import pytest

from cvxinv import BasisPursuit, LastLayer, LeastSquares, MidLayer, Status, reference
from tests.support.instances import instance

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("solver", ["CLARABEL", "OSQP", "SCS"])
def test_threads_leave_the_filters_of_warnings_as_they_were(solver):
    before = list(warnings.filters)
    seen, finished = [], threading.Event()

    def watch():
        while not finished.is_set():
            seen.append(warnings.filters == before)
            time.sleep(1e-4)

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(3):
            W = rng.standard_normal((12, 6)) * 10.0 ** rng.uniform(-6, 6, 6)
            reference.solve(BasisPursuit(W, rng.standard_normal((3, 12)), lam=1e-3), solver)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    watcher = threading.Thread(target=watch)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finished.set()
    watcher.join()
    assert warnings.filters == before
    assert all(seen)


def test_an_inaccurate_answer_is_no_warning():
    """They are errors under pytest; the certificate judges, not the solver."""
    W = RNG.standard_normal((30, 8)) * 10.0 ** np.arange(-8, 8, 2)
    for solver in ("OSQP", "SCS"):
        reference.solve(LastLayer(W, RNG.standard_normal((4, 30))), solver, polish=False)


@pytest.mark.parametrize("solver", [3, True, {}, "clarable", "GUROBI", "HIGHS"])
def test_a_solver_that_does_not_apply_is_named(solver):
    with pytest.raises(ValueError, match=r"^solver: expected for this LeastSquares one of"):
        reference.solve(LeastSquares(np.eye(2), np.ones(2)), solver)


@pytest.mark.parametrize(
    ("error", "name", "value"),
    [
        (ValueError, "tol", 0.0),
        (ValueError, "tol", np.nan),
        (ValueError, "tol", np.inf),
        (TypeError, "tol", True),
        (ValueError, "n_jobs", 0),
        (TypeError, "n_jobs", True),
        (TypeError, "n_jobs", 1.5),
        (TypeError, "polish", 1),
        (TypeError, "progress", "yes"),
    ],
)
def test_wrong_options_are_named(error, name, value):
    with pytest.raises(error, match=rf"^{name}: expected"):
        reference.solve(LeastSquares(np.eye(2), np.ones(2)), **{name: value})


def test_options_of_the_solver_take_the_place_of_ours():
    problem = instance(MidLayer, "noisy", 2)
    loose = reference.solve(problem, "osqp", polish=False, eps_abs=1e-3, eps_rel=1e-3)
    tight = reference.solve(problem, "Osqp", polish=False)
    assert (loose.certificate.kkt > 10 * tight.certificate.kkt).all()
    few = reference.solve(problem, "clarabel", polish=False, max_iter=2)
    assert [status.name for status in few.status] == ["MAX_ITER"] * 3


@pytest.mark.parametrize("solver", ["CLARABEL", "osqp", "SCS"])
def test_options_that_it_does_not_take_are_refused(solver):
    with pytest.raises(ValueError, match=f"options: {solver.upper()} does not take eps_ab: "):
        reference.solve(instance(MidLayer, "noisy", 2), solver, eps_ab=1e-3)


def test_options_reach_the_solver_and_unknown_ones_are_refused():
    problem = LastLayer(np.eye(2), np.ones((1, 2)), lam=0.1)
    few = reference.solve(problem, "OSQP", polish=False, max_iter=1)
    assert few.status[0] is not Status.OPTIMAL
    assert reference.solve(problem, "OSQP", max_iter=4000).status[0] is Status.OPTIMAL
    with pytest.raises(ValueError, match="options: OSQP does not take colour"):
        reference.solve(problem, "OSQP", colour=1)
