"""`fast.solve` where it is hard: few rows, bad conditioning, degenerate matrices, tiny weights."""

import numpy as np
import pytest
import torch

import fast
from cvxinv import (
    BasisPursuit,
    LastLayer,
    Latent,
    LeastSquares,
    MidLayer,
    Status,
    reference,
)
from fast.core.units import scaled
from fast.methods import interior_point, last_resort
from tests.support.adversarial import BIG_ROW, SMALL_ROW
from tests.support.engines import engine  # noqa: F401
from tests.support.instances import CLASSES, CONSTRAINED, DATA
from tests.support.oracles import distance, orthonormal
from tests.support.tolerances import KKT, SAME_OBJECTIVE, SAME_POINT


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
    for _ in range(12):
        a, b = whole.step(a), half.step(b)
        for one, other in zip(a[:2], b[:2], strict=True):
            assert (one - other).norm() <= 1e-9 * one.norm()
    start = half.start(torch.zeros_like(b.x), layer.no_dual)
    assert half.residual(b).max() < 1e-3 * half.residual(start).max()
