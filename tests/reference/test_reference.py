"""The reference backend against certificates, rival solvers, enumeration and closed forms."""

from itertools import product

import cvxpy as cp
import numpy as np
import pytest

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer, Status, reference
from cvxinv.testing.hard import SIGNALS
from tests.support.instances import (
    CLASSES,
    CONSTRAINED,
    DATA,
    KINDS,
    SEEDS,
    UNIQUE_KINDS,
    constraints,
    feasible,
    instance,
    objective,
    solved,
)
from tests.support.oracles import enumerated, orthonormal, refutes
from tests.support.tolerances import CLOSED_FORM, FORWARD, GAP, KKT, OBJECTIVE


def test_there_are_200_instances_of_each_class():
    assert SIGNALS * len(SEEDS) * len(KINDS) >= 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", CLASSES)
def test_every_feasible_instance_is_solved_and_every_other_refuted(cls, kind):
    for seed in SEEDS:
        problem, sol = solved(cls, kind, seed)
        for b in range(SIGNALS):
            if feasible(problem, b):
                assert sol.status[b] is Status.OPTIMAL, (seed, b, sol.certificate.kkt[b])
                assert sol.certificate.kkt[b] <= KKT, (seed, b)
                assert sol.certificate.violation[b] <= KKT, (seed, b)
                assert not sol.certificate.gap[b] > GAP, (seed, b)
                assert sol.infeasibility is None or not sol.infeasibility[b].any()
            else:
                assert sol.status[b] is Status.INFEASIBLE, (seed, b)
                refutes(problem, b, sol.infeasibility[b])
        size = 0.5 * (getattr(problem, DATA[cls]) ** 2).sum(axis=1)
        error = np.abs(sol.certificate.objective - objective(problem, sol.x))
        assert (error <= FORWARD * np.maximum(size, sol.certificate.objective)).all()


def test_infeasible_instances_occur():
    kinds = [
        (cls, kind, seed)
        for cls in CONSTRAINED
        for kind in ("mask", "empty_support")
        for seed in SEEDS
    ]
    counts = [
        sum(status is Status.INFEASIBLE for status in solved(*kind)[1].status) for kind in kinds
    ]
    assert sum(counts) >= 5


@pytest.mark.parametrize("cls", CONSTRAINED)
def test_multipliers_are_complementary_and_zero_on_the_support(cls):
    for kind, seed in product(KINDS, SEEDS):
        problem, sol = solved(cls, kind, seed)
        if sol.dual is None:
            assert np.all(problem.support)
            continue
        assert (sol.dual >= 0).all()
        assert not np.where(problem.support, sol.dual, 0).any()
        for b in np.flatnonzero(sol.status == Status.OPTIMAL):
            C, d = constraints(problem, b)
            off = ~np.broadcast_to(problem.support, problem.x_next.shape)[b]
            slack, eta = d - C @ sol.x[b], sol.dual[b][off]
            scale = max(
                np.linalg.norm(d),
                np.linalg.norm(problem.x_next[b]),
                np.linalg.norm(problem.W @ sol.x[b]),
            )
            assert np.abs(slack * eta).max(initial=0) <= KKT * max(scale**2, 1e-300)


@pytest.mark.parametrize("polish", [True, False])
@pytest.mark.parametrize("cls", CLASSES)
def test_solvers_agree(cls, polish):
    kinds = KINDS if polish else ("plain", "noisy", "mask", "wide", "small_matrix", "large_signal")
    for kind, seed in product(kinds, (2, 3)):
        problem, best = solved(cls, kind, seed)
        keep = best.status == Status.OPTIMAL
        scale = np.maximum(
            best.certificate.objective, 0.5 * (getattr(problem, DATA[cls]) ** 2).sum(axis=1)
        )[keep]
        for solver in ("OSQP", "SCS", "CLARABEL") if not polish else ("OSQP", "SCS"):
            other = reference.solve(problem, solver, polish=polish)
            difference = np.abs(other.certificate.objective - best.certificate.objective)[keep]
            assert (difference <= OBJECTIVE * scale).all(), (kind, seed, solver)
            assert (other.certificate.violation[keep] <= OBJECTIVE).all(), (kind, seed, solver)


@pytest.mark.parametrize("cls", [LastLayer, MidLayer, BasisPursuit])
def test_against_enumeration_of_all_active_sets(cls):
    rng = np.random.default_rng(7)
    for _ in range(6):
        W, data = rng.standard_normal((7, 4)), rng.standard_normal((1, 7))
        lam = (
            np.array([0.0, 0.1, 0.5, 2.0]) if cls is BasisPursuit else float(rng.choice([0.0, 0.3]))
        )
        problem = cls(W, data, bias=0.1 * rng.standard_normal(7), lam=lam)
        sol, best = reference.solve(problem), enumerated(problem)
        if np.isinf(best):
            assert sol.status[0] is Status.INFEASIBLE
        else:
            assert sol.certificate.objective[0] == pytest.approx(best, rel=CLOSED_FORM)


def test_orthonormal_last_layer_is_a_clipped_threshold():
    rng = np.random.default_rng(0)
    W, y = orthonormal(rng), rng.standard_normal((20, 9))
    x = reference.solve(LastLayer(W, y, lam=0.3)).x
    np.testing.assert_allclose(x, np.maximum(y @ W - 0.3, 0), atol=CLOSED_FORM)


def test_orthonormal_basis_pursuit_is_a_soft_threshold():
    rng = np.random.default_rng(1)
    W, y, lam = orthonormal(rng), rng.standard_normal((20, 9)), np.array([0, 0.1, 0.5, 1, 10])
    sol = reference.solve(BasisPursuit(W, y, lam=lam))
    v = y @ W
    expected = np.sign(v) * np.maximum(np.abs(v) - lam, 0)
    np.testing.assert_allclose(sol.x, expected, atol=CLOSED_FORM)
    np.testing.assert_array_equal(sol.support, expected != 0)


def test_latent_without_inequalities_is_ridge_regression():
    rng = np.random.default_rng(2)
    W, y = rng.standard_normal((9, 5)), rng.standard_normal((20, 9))
    z = reference.solve(Latent(W, y, np.ones(9, bool), gamma=0.7)).x
    np.testing.assert_allclose(
        z, y @ W @ np.linalg.inv(W.T @ W + 0.7 * np.eye(5)), atol=CLOSED_FORM
    )


@pytest.mark.parametrize(
    "kind",
    UNIQUE_KINDS
    + ("rank_deficient", "duplicate_columns", "zero_columns", "wide", "one_row", "mask"),
)
def test_least_squares_is_that_of_numpy(kind):
    for seed in SEEDS:
        problem, sol = solved(LeastSquares, kind, seed)
        for b in range(SIGNALS):
            rows = np.ones(len(problem.W), bool) if problem.rows is None else problem.rows[b]
            columns = (
                np.ones(problem.W.shape[1], bool) if problem.columns is None else problem.columns[b]
            )
            t = problem.target[b] - (0 if problem.bias is None else problem.bias)
            x = np.linalg.lstsq(problem.W[np.ix_(rows, columns)], t[rows])[0]
            np.testing.assert_allclose(
                sol.x[b][columns], x, rtol=CLOSED_FORM, atol=CLOSED_FORM * np.abs(x).max(initial=0)
            )
            assert not sol.x[b][~columns].any()


def test_the_gram_form_reaches_the_solver():
    """A dense row of the constraints for each row of W would make every solver factorise W
    itself.
    """
    from cvxinv.reference.statements import last_layer

    t, lam = cp.Parameter(50, value=np.ones(50)), cp.Parameter(6, nonneg=True, value=np.ones(6))
    statement = last_layer(np.random.default_rng(0).standard_normal((50, 6)), t, lam)
    data = statement.problem.get_problem_data("OSQP")[0]
    assert data["P"].shape == (6, 6)
    assert data["A"].shape[0] + data["F"].shape[0] <= 6


@pytest.mark.parametrize("cls", CLASSES)
def test_supports_hold_what_is_nonzero(cls):
    for kind in UNIQUE_KINDS:
        problem, sol = solved(cls, kind, 2)
        size = np.linalg.norm(problem.W, axis=0) * np.abs(sol.x)
        large = size > 1e-6 * np.maximum(size.max(axis=1, keepdims=True), 1e-300)
        small = size < 1e-12 * np.maximum(size.max(axis=1, keepdims=True), 1e-300)
        assert sol.support[large].all()
        assert not sol.support[small].any()


def test_a_single_instance_is_reproducible():
    one, two = instance(MidLayer, "mask", 3), instance(MidLayer, "mask", 3)
    np.testing.assert_array_equal(reference.solve(one).x, reference.solve(two).x)
