"""`fast.solve` against the reference on all instances, and against closed forms, enumeration and
rival solvers.
"""

import numpy as np
import pytest
import scipy.optimize

import fast
from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer, Status, verify
from cvxinv.testing.hard import SIGNALS
from tests.support.engines import engine  # noqa: F401
from tests.support.instances import (
    CLASSES,
    CONSTRAINED,
    DATA,
    KINDS,
    SEEDS,
    UNIQUE_KINDS,
    instance,
    solved,
    tensors,
)
from tests.support.oracles import determined, distance, enumerated, orthonormal, refutes, used
from tests.support.tolerances import (
    ALONE,
    CLOSED_FORM,
    FIT,
    FORWARD,
    GAP,
    KKT,
    SAME_OBJECTIVE,
    SAME_POINT,
)

FIGURES = ("objective", "lower_bound", "gap", "kkt", "violation")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", CLASSES)
def test_agrees_with_the_reference(cls, kind):
    for seed in SEEDS:
        problem, expected = solved(cls, kind, seed)
        sol = fast.solve(problem)
        assert list(sol.status) == list(expected.status), (seed, sol.certificate.kkt)
        good, only = sol.status == Status.OPTIMAL, determined(problem)
        c, size = sol.certificate, 0.5 * (getattr(problem, DATA[cls]) ** 2).sum(axis=1)
        assert (c.kkt[good] <= KKT).all()
        assert (c.violation[good] <= KKT).all()
        assert not (c.gap[good] > GAP).any()
        error = np.abs(c.objective - expected.certificate.objective)
        assert (error <= SAME_OBJECTIVE * np.maximum(size, c.objective))[good].all(), seed
        assert (distance(problem, sol.x, expected.x)[good & only] <= SAME_POINT).all(), seed
        fit = np.where(
            used(problem), (sol.x - expected.x) @ problem.W.T, 0
        )  # unique, whether x is or not
        assert (np.linalg.norm(fit, axis=1) <= FIT * np.sqrt(2 * np.maximum(size, c.objective)))[
            good
        ].all(), seed
        np.testing.assert_array_equal(sol.support[good & only], expected.support[good & only])
        assert cls not in (LastLayer, MidLayer) or (sol.x >= 0).all()
        for b in np.flatnonzero(sol.status == Status.INFEASIBLE):
            refutes(problem, b, sol.infeasibility[b])
            assert np.isfinite(sol.x[b]).all()
            assert not sol.dual[b].any()
        assert sol.infeasibility is None or not sol.infeasibility[good].any()


@pytest.mark.parametrize("cls", CLASSES)
def test_the_certificate_is_that_of_the_returned_point(cls):
    for kind in ("noisy", "mask", "rank_deficient"):
        for seed in SEEDS:
            problem = instance(cls, kind, seed)
            sol = fast.solve(problem)
            again = verify(problem, sol.x, sol.dual)
            for name in FIGURES:
                np.testing.assert_allclose(
                    getattr(sol.certificate, name), getattr(again, name), rtol=1e-6, atol=ALONE
                )
            good = sol.status == Status.OPTIMAL
            assert verify(problem, sol.x).optimal(KKT)[good].all(), "also without its multipliers"
            assert sol.iterations.shape == sol.status.shape
            assert sol.seconds > 0
            assert sol.history is None


@pytest.mark.parametrize("cls", CONSTRAINED)
def test_multipliers_are_zero_on_the_support_and_where_there_is_slack(cls):
    for kind in KINDS:
        for seed in (1, 2):
            problem, expected = solved(cls, kind, seed)
            sol = fast.solve(problem)
            assert (sol.dual is None) == (expected.dual is None)
            if sol.dual is not None:
                assert (sol.dual >= 0).all()
                assert not np.where(problem.support, sol.dual, 0).any()
    assert all(
        fast.solve(instance(other, "noisy", 2)).dual is None
        for other in CLASSES
        if other not in CONSTRAINED
    )


# -- other kinds of oracles ------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [LastLayer, MidLayer, BasisPursuit])
def test_against_enumeration_of_all_active_sets(cls):
    rng = np.random.default_rng(8)
    for _ in range(6):
        W, data = rng.standard_normal((7, 4)), rng.standard_normal((1, 7))
        lam = (
            np.array([0.0, 0.1, 0.5, 2.0]) if cls is BasisPursuit else float(rng.choice([0.0, 0.3]))
        )
        problem = cls(W, data, bias=0.1 * rng.standard_normal(7), lam=lam)
        sol, best = fast.solve(problem), enumerated(problem)
        if np.isinf(best):
            assert sol.status[0] is Status.INFEASIBLE
        else:
            assert sol.certificate.objective[0] == pytest.approx(best, rel=CLOSED_FORM)


@pytest.mark.parametrize("shape", [(9, 5), (120, 80)])
def test_orthonormal_columns_have_closed_forms(shape):
    rng = np.random.default_rng(0)
    W, y, lam = (
        orthonormal(rng, *shape),
        rng.standard_normal((20, shape[0])),
        rng.exponential(0.3, (20, shape[1])),
    )
    v = y @ W
    np.testing.assert_allclose(
        fast.solve(LastLayer(W, y, lam=0.3)).x, np.maximum(v - 0.3, 0), atol=CLOSED_FORM
    )
    sol, expected = (
        fast.solve(BasisPursuit(W, y, lam=lam)),
        np.sign(v) * np.maximum(np.abs(v) - lam, 0),
    )
    np.testing.assert_allclose(sol.x, expected, atol=CLOSED_FORM)
    np.testing.assert_array_equal(sol.support, expected != 0)
    np.testing.assert_allclose(fast.solve(LeastSquares(W, y)).x, v, atol=CLOSED_FORM)
    everything = np.ones(shape[0], bool)
    np.testing.assert_allclose(
        fast.solve(MidLayer(W, y, everything, lam=0.3)).x, np.maximum(v - 0.3, 0), atol=CLOSED_FORM
    )
    np.testing.assert_allclose(
        fast.solve(Latent(W, y, everything, gamma=0.5)).x, v / 1.5, atol=CLOSED_FORM
    )


def test_one_column_and_one_row():
    """min 1/2 (w x - t)^2 + lam |x|, by hand; with inequalities c x <= d the minimum is clipped at
    d / c.
    """
    t = np.array([[3.0], [-3.0], [0.1], [0.0]])
    W = np.array([[2.0]])
    np.testing.assert_allclose(
        fast.solve(LastLayer(W, t, lam=1.0)).x, [[1.25], [0], [0], [0]], atol=CLOSED_FORM
    )
    np.testing.assert_allclose(
        fast.solve(BasisPursuit(W, t, lam=1.0)).x, [[1.25], [-1.25], [0], [0]], atol=CLOSED_FORM
    )
    np.testing.assert_allclose(fast.solve(LeastSquares(W, t)).x, t / 2, atol=CLOSED_FORM)
    two, S, bias = np.array([[2.0], [1.0]]), np.array([True, False]), np.array([0.0, -1.0])
    x_next = np.hstack([t, np.zeros_like(t)])
    sol = fast.solve(
        Latent(two, x_next, S, bias, gamma=2.0)
    )  # min 1/2 (2 z - t)^2 + z^2 over z <= 1
    np.testing.assert_allclose(sol.x, np.minimum(t / 3, 1), atol=CLOSED_FORM)
    sol = fast.solve(MidLayer(two, 2 * x_next, S, bias))
    np.testing.assert_allclose(sol.x, [[1], [0], [0.1], [0]], atol=CLOSED_FORM)
    np.testing.assert_allclose(
        sol.dual[:, 1], [8, 0, 0, 0], atol=CLOSED_FORM
    )  # W'(t - W x) = 2 (6 - 2)


def test_last_layer_is_non_negative_least_squares():
    rng = np.random.default_rng(3)
    for m, n in ((30, 12), (60, 45), (20, 30)):
        W, y = rng.standard_normal((m, n)), rng.standard_normal((8, m))
        c = fast.solve(LastLayer(W, y)).certificate
        expected = [0.5 * scipy.optimize.nnls(W, signal)[1] ** 2 for signal in y]
        np.testing.assert_allclose(c.objective, expected, rtol=SAME_OBJECTIVE, atol=SAME_OBJECTIVE)


@pytest.mark.parametrize(
    "kind",
    UNIQUE_KINDS
    + ("rank_deficient", "duplicate_columns", "zero_columns", "wide", "one_row", "mask"),
)
def test_least_squares_is_that_of_numpy(kind):
    for seed in SEEDS:
        problem = instance(LeastSquares, kind, seed)
        sol = fast.solve(problem)
        for b in range(SIGNALS):
            columns = (
                np.ones(problem.W.shape[1], bool) if problem.columns is None else problem.columns[b]
            )
            t, rows = (
                problem.target[b] - (0 if problem.bias is None else problem.bias),
                used(problem)[b],
            )
            x = np.zeros(problem.W.shape[1])
            x[columns] = np.linalg.lstsq(problem.W[np.ix_(rows, columns)], t[rows])[0]
            np.testing.assert_allclose(
                sol.x[b], x, rtol=SAME_POINT, atol=SAME_POINT * np.abs(x).max(initial=0)
            )
            assert not sol.x[b][~columns].any()


@pytest.mark.parametrize("deficient", [False, True])
def test_least_squares_with_many_columns_has_least_norm(deficient):
    rng = np.random.default_rng(5)
    W = (
        rng.standard_normal((40, 70))
        if not deficient
        else rng.standard_normal((90, 30)) @ rng.standard_normal((30, 50))
    )
    target, rows = rng.standard_normal((6, len(W))), rng.random((6, len(W))) < 0.8
    sol = fast.solve(LeastSquares(W, target, rows))
    assert list(sol.status) == [Status.OPTIMAL] * 6
    for b in range(6):
        expected = np.linalg.lstsq(W[rows[b]], target[b][rows[b]], rcond=1e-10)[0]
        np.testing.assert_allclose(sol.x[b], expected, atol=SAME_POINT * np.abs(expected).max())


def test_problems_without_weights_and_inequalities_are_the_same_problem():
    """A midlayer whose support is full is a last layer; a basis pursuit without weight and a latent
    vector are least squares.
    """
    rng = np.random.default_rng(6)
    W, y, S = rng.standard_normal((50, 40)), rng.standard_normal((5, 50)), np.ones(50, bool)
    for lam in (0.0, 0.5):
        pair = fast.solve(MidLayer(W, y, S, lam=lam)), fast.solve(LastLayer(W, y, lam=lam))
        np.testing.assert_allclose(pair[0].x, pair[1].x, atol=CLOSED_FORM)
        np.testing.assert_array_equal(pair[0].support, pair[1].support)
    expected = np.linalg.lstsq(W, y.T)[0].T
    for problem in (Latent(W, y, S), BasisPursuit(W, y), LeastSquares(W, y)):
        np.testing.assert_allclose(fast.solve(problem).x, expected, atol=SAME_POINT)


@pytest.mark.parametrize("cls", CLASSES)
def test_arrays_and_tensors_alike(cls):
    for kind in ("plain", "mask", "wide"):
        for seed in (1, 2):
            problem = instance(cls, kind, seed)
            here, there = fast.solve(problem), fast.solve(tensors(problem))
            np.testing.assert_array_equal(there.x.numpy(), here.x)
            np.testing.assert_array_equal(there.support.numpy(), here.support)
            assert list(there.status) == list(here.status)
            one = fast.solve(problem[1])
            assert one.x.shape == here.x[1].shape
            np.testing.assert_allclose(
                one.certificate.objective,
                here.certificate.objective[1],
                rtol=SAME_OBJECTIVE,
                atol=FORWARD,
            )
