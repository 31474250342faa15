"""`fast.solve` on data of any size, and on signals of very different size."""

import numpy as np
import pytest

import fast
from cvxinv import (
    LastLayer,
    Latent,
    LeastSquares,
    MidLayer,
    Status,
    reference,
)
from tests.support.engines import engine  # noqa: F401
from tests.support.instances import CLASSES, CONSTRAINED, DATA, SEEDS, instance, replaced
from tests.support.oracles import distance
from tests.support.tolerances import ALONE, KKT, SAME_OBJECTIVE, SAME_POINT


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
    assert (distance(problem[:5], sol.x[:5] / scale[:5], expected.x[:5]) <= ALONE).all()
    assert not sol.x[5].any()


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
        alone = fast.solve(problem[b])
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


@pytest.mark.parametrize(("seed", "scale_first"), [(21, False), (35, True), (42, True)])
def test_what_is_small_in_units_of_the_batch_is_small_in_those_of_the_signal(seed, scale_first):
    """The certificate has units of a signal's own rows, in which an answer that reached the goal
    can be a thousand times worse: it is then computed again.
    """
    sol = fast.solve(of_any_scale(seed, scale_first))
    assert (sol.certificate.kkt[sol.status == Status.OPTIMAL] <= 0.1 * KKT).all()


@pytest.mark.parametrize("size", [1e-200, 1e-163, 1e155, 1e200])
@pytest.mark.parametrize("cls", CLASSES)
def test_sizes_whose_squares_under_or_overflow(cls, size):
    """Units are powers of two, taken out before anything is squared."""
    problem = instance(cls, "full_support", 2)
    data, bias = getattr(problem, DATA[cls]), problem.bias
    weight = {LeastSquares: {}, Latent: {"gamma": 0.0}}.get(cls, {"lam": 0.0})
    plain = replaced(problem, **weight)
    expected = fast.solve(plain).x
    larger = {DATA[cls]: size * data, "bias": None if bias is None else size * bias}
    of_signal = fast.solve(replaced(plain, **larger))
    of_matrix = fast.solve(replaced(plain, W=size * plain.W))
    assert (distance(plain, of_signal.x / size, expected) <= ALONE).all()
    assert (distance(plain, of_matrix.x * size, expected) <= ALONE).all()


@pytest.mark.parametrize("size", [1e9, 1e12])
@pytest.mark.parametrize("method", ["auto", "fista", "linearized_admm"])
def test_rows_that_no_column_reaches_do_not_set_the_size_of_a_signal(method, size):
    rng = np.random.default_rng(0)
    W, y = rng.standard_normal((12, 5)), np.abs(rng.standard_normal((3, 12)))
    without = fast.solve(LastLayer(np.delete(W, 3, axis=0), np.delete(y, 3, axis=1)))
    W[3], y[:, 3] = 0.0, size
    sol = fast.solve(LastLayer(W, y), method=method)
    np.testing.assert_allclose(sol.x, without.x, atol=SAME_POINT)
