"""`fast.solve` on data of any size, and on signals of very different size."""

import numpy as np
import pytest

import fast
from cvxinv import (
    Latent,
    LeastSquares,
    MidLayer,
    Status,
    reference,
)
from tests.support.instances import CLASSES, CONSTRAINED, DATA, SEEDS, chosen, instance, replaced
from tests.support.oracles import distance
from tests.support.tolerances import ALONE, SAME_OBJECTIVE


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
