"""The paper's algorithms: agreement with the reference, convergence, and the errata."""

from itertools import product

import numpy as np
import pytest

import fast
from cvxinv import (
    LastLayer,
    Latent,
    LeastSquares,
    Status,
    reference,
)
from tests.support.instances import (
    CONSTRAINED,
    DATA,
    KINDS,
    SEEDS,
    generator,
    instance,
    replaced,
    solved,
)
from tests.support.layers import layers
from tests.support.oracles import determined, distance, orthonormal
from tests.support.printed import (
    FREE,
    fista,
    largest,
    parts,
    step_size,
    value,
)
from tests.support.tolerances import BOUND, KKT, SAME_OBJECTIVE, SAME_POINT


def agrees(problem, sol, expected):
    """What is OPTIMAL is what the reference found."""
    good = sol.status == Status.OPTIMAL
    size = 0.5 * (np.nan_to_num(getattr(problem, DATA[type(problem)])) ** 2).sum(axis=1)
    error = np.abs(sol.certificate.objective - expected.certificate.objective)
    assert (error <= SAME_OBJECTIVE * np.maximum(size, expected.certificate.objective))[good].all()
    assert (distance(problem, sol.x, expected.x) <= SAME_POINT)[
        good & determined(problem, 0.1)
    ].all()
    return good


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind != "uneven_columns"]
)  # a condition number of 1e4
@pytest.mark.parametrize("cls", FREE)
def test_fista_agrees_with_the_reference(cls, kind, restart):
    for seed in (1, 2) if restart else (0, 3):
        problem, expected = solved(cls, kind, seed)
        assert agrees(problem, fast.solve(problem, method="fista", restart=restart), expected).all()


@pytest.mark.parametrize("rho", [1e-2, 1.0])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_linearized_admm_agrees_with_the_reference(noise, rho):
    G = generator((6, 24, 60, 120), biased=True)
    for problem in layers(G, 8, noise):
        weights = (
            [{}]
            if isinstance(problem, LeastSquares)
            else [{}, {"gamma" if isinstance(problem, Latent) else "lam": 0.02}]
        )
        for weight in weights:
            problem = replaced(problem, **weight)
            sol, expected = (
                fast.solve(problem, method="linearized_admm", rho=rho),
                reference.solve(problem),
            )
            assert agrees(problem, sol, expected).all(), type(problem)
            assert (
                noise == 0 or (sol.support == expected.support).all()
            )  # zeros without a multiplier are zero to the accuracy of x only


@pytest.mark.parametrize("rho", [1e-2, 1.0])
@pytest.mark.parametrize("cls", CONSTRAINED)
def test_linearized_admm_claims_nothing_that_is_not_so(cls, rho):
    good = 0
    for kind, seed in product(KINDS, (1, 2)):
        problem, expected = solved(cls, kind, seed)
        sol = fast.solve(problem, max_iter=400, method="linearized_admm", rho=rho)
        assert set(sol.status) <= {Status.OPTIMAL, Status.MAX_ITER, Status.INFEASIBLE}
        good += agrees(problem, sol, expected).sum()
        assert not (sol.status == Status.OPTIMAL)[expected.status == Status.INFEASIBLE].any()
        assert cls is Latent or (sol.x >= 0).all()
        assert sol.dual is None or (sol.dual >= 0).all()
    assert good >= 20


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("cls", FREE)
def test_the_objective_falls_like_one_over_k_squared(cls, seed):
    """F(x_k) - F(x) <= 2 ||x_0 - x||^2 / (step (k + 1)^2) (Beck, Teboulle 2009)."""
    for kind in ("mask", "uneven_columns", "wide"):
        problem, expected = solved(cls, kind, seed)
        for b in range(3):
            _, t, _ = parts(problem, b)
            sol = fast.solve(problem[b : b + 1], 1e-14, 150, "fista", history=True)
            unit, k = t @ t, np.arange(1, len(sol.history))
            above = (
                np.array([float(record.objective[0]) for record in sol.history[1:]]) * unit
                - expected.certificate.objective[b]
            )
            bound = 2 / step_size(problem, b) * (expected.x[b] ** 2).sum() / (k + 1) ** 2
            assert (above <= bound + BOUND * unit).all()
            assert (above >= -BOUND * unit).all()


def test_restart_pays_where_the_condition_is_bad():
    rng = np.random.default_rng(0)
    W = orthonormal(rng, 40, 20) * np.logspace(0, -1.5, 20) @ orthonormal(rng, 20, 20).T
    for problem in (
        LeastSquares(W, rng.standard_normal((5, 20)) @ W.T),
        LastLayer(W, np.abs(rng.standard_normal((5, 20))) @ W.T),
    ):
        plain, again = (
            fast.solve(problem, method="fista", restart=restart) for restart in (False, True)
        )
        assert list(again.status) == [Status.OPTIMAL] * 5
        assert (again.iterations <= plain.iterations).all()
        assert again.iterations.sum() < 0.5 * plain.iterations.sum()


def test_the_printed_step_diverges_and_ours_does_not():
    """Erratum E4: 1 / ell with ell = 1, the smoothness of phi, is too long where ||W|| > 1."""
    problem = instance(LastLayer, "noisy", 0)
    assert largest(problem.W) > 1
    points, _ = fista(problem, 0, 60, step=0.9)
    assert not value(problem, 0, points)[-1] <= 1e6 * value(problem, 0, points)[0]
    assert list(fast.solve(problem, method="fista").status) == [Status.OPTIMAL] * 3


def test_the_printed_answer_can_be_negative_and_ours_is_not():
    """Erratum E6: Algorithm 5 returns the extrapolated point."""
    negative = 0
    for seed in SEEDS:
        problem = instance(LastLayer, "noisy", seed)
        for steps in range(1, 20):
            negative += any(fista(problem, b, steps)[1][-1].min() < -1e-3 for b in range(3))
            assert (fast.solve(problem, max_iter=steps, method="fista").x >= 0).all()
    assert negative > 5


def test_a_step_that_is_too_long_is_not_an_answer():
    """With alpha + beta far below the bound the iteration blows up; the best point seen comes back,
    and its status says so.
    """
    for cls in CONSTRAINED:
        problem = instance(cls, "noisy", 0)
        sol = fast.solve(problem, method="linearized_admm", alpha_beta=1e-3 * largest(problem.W))
        assert list(sol.status) == [Status.MAX_ITER] * 3
        assert np.isfinite(sol.x).all()
        assert (sol.certificate.kkt > KKT).all()
