"""`fast.solve` where it is hard: scales, few rows, bad conditioning, degenerate matrices, tiny
weights; and early stops.
"""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import fast
from cvxinv import (
    BasisPursuit,
    LastLayer,
    Latent,
    LeastSquares,
    MidLayer,
    Status,
    reference,
    verify,
)
from fast.core.units import scaled
from fast.methods import interior_point, last_resort
from tests.support.adversarial import BIG_ROW, SMALL_ROW
from tests.support.instances import CLASSES, CONSTRAINED, DATA, SEEDS, chosen, instance, replaced
from tests.support.oracles import distance, orthonormal
from tests.support.tolerances import ALONE, KKT, SAME_OBJECTIVE, SAME_POINT

METHODS = ("auto", "fista", "linearized_admm")


def same_optimum(problem, count, unsolved=0):
    """Every signal is OPTIMAL, with the objective of the reference, which may leave some
    unsolved.
    """
    sol, expected = fast.solve(problem), reference.solve(problem)
    assert list(sol.status) == [Status.OPTIMAL] * count, sol.certificate.kkt
    both = expected.status == Status.OPTIMAL
    assert both.sum() >= count - unsolved, expected.certificate.kkt
    assert both.any()
    size = 0.5 * (getattr(problem, DATA[type(problem)]) ** 2).sum(axis=1)
    error = np.abs(sol.certificate.objective - expected.certificate.objective)
    assert (error <= SAME_OBJECTIVE * np.maximum(size, expected.certificate.objective))[both].all()
    return sol, expected


# -- scales ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("of_signal", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("of_matrix", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("cls", CLASSES)
def test_rescaling_the_problem_rescales_its_answer(cls, of_matrix, of_signal):
    for seed in SEEDS:
        problem = instance(cls, "noisy" if cls not in CONSTRAINED else "full_support", seed)
        bias = None if problem.bias is None else of_signal * problem.bias
        weight = (
            {"gamma": of_matrix**2}
            if cls is Latent
            else {"lam": of_matrix * of_signal}
            if cls is not LeastSquares
            else {}
        )
        weight = {k: v * getattr(problem, k) for k, v in weight.items()}
        data = {DATA[cls]: of_signal * getattr(problem, DATA[cls])}
        sol = fast.solve(replaced(problem, W=of_matrix * problem.W, bias=bias, **data, **weight))
        expected = fast.solve(problem)
        assert list(sol.status) == list(expected.status) == [Status.OPTIMAL] * 3
        assert (distance(problem, sol.x * of_matrix / of_signal, expected.x) <= ALONE).all()
        np.testing.assert_array_equal(sol.support, expected.support)


@pytest.mark.parametrize("cls", CLASSES)
def test_signals_of_very_different_size_in_one_batch(cls):
    problem = instance(cls, "noisy", 0, count=6)
    problem = replaced(problem, **{DATA[cls]: np.abs(getattr(problem, DATA[cls]))})
    scale = np.array([[1e-12], [1e-6], [1.0], [1e6], [1e12], [0.0]])
    sol, expected = (
        fast.solve(replaced(problem, **{DATA[cls]: scale * getattr(problem, DATA[cls])})),
        fast.solve(problem),
    )
    if cls in CONSTRAINED:  # the zero signal has no support
        assert list(sol.status[:5]) == list(expected.status[:5])
    assert list(sol.status) == [Status.OPTIMAL] * 6
    assert (
        distance(chosen(problem, slice(0, 5)), sol.x[:5] / scale[:5], expected.x[:5]) <= ALONE
    ).all()
    assert not sol.x[5].any()


# -- few rows, bad conditioning, degenerate matrices -----------------------------------------------


@pytest.mark.parametrize("lam", [1e-3, 1e-6, 0.0])
@pytest.mark.parametrize("shape", [(12, 30), (60, 200)])
def test_underdetermined_last_layers(shape, lam):
    rng, count = np.random.default_rng(shape[0]), 4
    W = rng.standard_normal(shape) / np.sqrt(shape[0])
    x = np.maximum(rng.standard_normal((count, shape[1])), 0)
    for noise in (0.0, 0.1):
        same_optimum(
            LastLayer(W, x @ W.T + noise * rng.standard_normal((count, shape[0])), lam=lam), count
        )


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("shape", [(40, 15), (60, 36)])
@pytest.mark.parametrize("cond", [1e2, 1e4])
def test_badly_conditioned_matrices(cls, shape, cond):
    rng = np.random.default_rng(int(cond))
    m, n = shape
    W = orthonormal(rng, m, n) * np.logspace(0, -np.log10(cond), n) @ orthonormal(rng, n, n).T
    x = np.abs(rng.standard_normal((5, n))) * (rng.random((5, n)) < 0.5)
    for noise in (0.0, 0.01):
        data = x @ W.T + noise * rng.standard_normal((5, m))
        data = np.maximum(data, 0) if cls in CONSTRAINED else data
        for weight in (
            ({}, {"gamma": 1e-3} if cls is Latent else {"lam": 1e-3})
            if cls is not LeastSquares
            else ({},)
        ):
            problem = cls(W, data, **weight)
            sol, expected = same_optimum(
                problem, 5, unsolved=int(cls is Latent and cond == 1e4)
            )  # Clarabel stops at 4e-8 on one
            if (
                weight == {} and cls is BasisPursuit and noise == 0
            ):  # least squares: the residual bounds the distance
                assert (distance(problem, sol.x, expected.x) <= cond * SAME_POINT).all()


COLUMN = np.random.default_rng(0).standard_normal((30, 1))
DEGENERATE = {
    "zero": np.zeros((30, 40)),
    "copies": np.repeat(COLUMN, 40, axis=1),
    "opposites": np.hstack([COLUMN, -COLUMN, 0 * COLUMN]),
    "ones": np.ones((30, 40)),
    "one column": COLUMN,
    "one row": COLUMN.T,
}


@pytest.mark.parametrize("W", DEGENERATE.values(), ids=DEGENERATE)
@pytest.mark.parametrize("cls", CLASSES)
def test_matrices_of_nothing_and_of_copies(cls, W):
    data = np.abs(np.random.default_rng(1).standard_normal((4, len(W))))
    for weight in (
        ({}, {"gamma": 0.1} if cls is Latent else {"lam": 0.1})
        if cls is not LeastSquares
        else ({},)
    ):
        sol, _ = same_optimum(cls(W, data, **weight), 4)
        zero = ~W.any(axis=0)
        assert not sol.support[:, zero].any()
        assert not sol.x[:, zero].any() or not (weight or cls is LeastSquares)


@pytest.mark.parametrize("problem", [BIG_ROW, SMALL_ROW], ids=["big row", "small row"])
def test_statements_made_to_fool_a_certificate(problem):
    sol, expected = fast.solve(problem), reference.solve(problem)
    assert sol.status is Status.OPTIMAL
    np.testing.assert_allclose(sol.x, expected.x, rtol=SAME_POINT, atol=SAME_POINT)


@pytest.mark.parametrize("weight", [1e-30, 1e-14, 1e-12, 1e-8, 1e-4])
def test_weights_down_to_rounding_level(weight):
    rng = np.random.default_rng(0)
    for m, n in ((30, 10), (60, 45)):
        W, t = rng.standard_normal((m, n)), np.abs(rng.standard_normal((2, m)))
        for problem in (
            LastLayer(W, t, lam=weight),
            MidLayer(W, t, lam=weight),
            Latent(W, t, gamma=weight),
            BasisPursuit(W, t, lam=weight),
        ):
            sol = fast.solve(problem)
            assert list(sol.status) == [Status.OPTIMAL] * 2
            assert sol.certificate.optimal(KKT).all()


def test_a_weight_that_leaves_nothing():
    rng = np.random.default_rng(0)
    W, t = rng.standard_normal((20, 40)), np.abs(rng.standard_normal((3, 20)))
    lam = float(np.abs(t @ W).max()) * (1 + 1e-9)
    for problem in (LastLayer(W, t, lam=lam), BasisPursuit(W, t, lam=lam), MidLayer(W, t, lam=lam)):
        sol = fast.solve(problem)
        assert list(sol.status) == [Status.OPTIMAL] * 3
        assert not sol.x.any()
        assert not sol.support.any()
    sol = fast.solve(Latent(W, t, gamma=1e12))
    assert list(sol.status) == [Status.OPTIMAL] * 3
    assert np.abs(sol.x).max() <= 1e-10


# -- early stops -----------------------------------------------------------------------------------


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


def of_any_scale(seed, scale_first):
    """Four signals with nothing behind them, weights of size 1e-3 .. 1e3 and lam of size 1e-4 ..
    10.
    """
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 30, 2)
    scale = 10.0 ** rng.integers(-3, 4) if scale_first else None
    W = rng.standard_normal((m, n))
    W = W * (10.0 ** rng.integers(-3, 4) if scale is None else scale)
    t = rng.standard_normal((4, m))
    lam = 10.0 ** rng.integers(-4, 2)
    return MidLayer(W, t, bias=rng.standard_normal(m) * rng.integers(0, 2), lam=lam)


@pytest.mark.parametrize(
    ("seed", "scale_first"),
    [(52, True), (179, True), (231, True), (104, False), *((k, True) for k in range(8))],
)
def test_units_of_the_batch_leave_no_signal_unsolved(seed, scale_first):
    """What is small in units that signals share can be too much in a signal's own."""
    problem = of_any_scale(seed, scale_first)
    sol, expected = fast.solve(problem), reference.solve(problem)
    assert list(sol.status) == list(expected.status)
    assert set(sol.status) <= {Status.OPTIMAL, Status.INFEASIBLE}
    for b in range(4):
        alone = fast.solve(chosen(problem, b))
        assert alone.status is sol.status[b]
        if alone.status is Status.OPTIMAL:
            size = max(
                0.5 * np.sum(problem.x_next[b, problem.x_next[b] > 0] ** 2),
                alone.certificate.objective,
            )
            assert (
                abs(alone.certificate.objective - sol.certificate.objective[b])
                <= SAME_OBJECTIVE * size
            )


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shape", [(12, 5), (9, 20)])
def test_interior_points_of_split_entries_need_systems_of_half_the_size(shape, masked):
    """x = x+ - x-: the same steps with the factor of all 2 n unknowns, and of n."""
    rng, (m, n) = np.random.default_rng(0), shape
    rows = rng.random((3, m)) < 0.7 if masked else None
    problem = BasisPursuit(
        torch.tensor(rng.standard_normal(shape)),
        torch.tensor(rng.standard_normal((3, m))),
        rows,
        lam=0.1,
    )
    layer = last_resort.split(scaled(problem.quadratic(), even=False)[0])
    whole, half = interior_point.method(layer), interior_point.method(layer, halves=True)
    a = b = whole.start(torch.zeros(3, 2 * n, dtype=torch.float64), layer.no_dual)
    for _ in range(8):
        a, b = whole.step(a), half.step(b)
        for one, other in zip(a[:2], b[:2], strict=True):
            assert (one - other).norm() <= 1e-9 * one.norm()
    assert (
        half.residual(b).max()
        < 1e-3 * half.residual(half.start(torch.zeros_like(b.x), layer.no_dual)).max()
    )
