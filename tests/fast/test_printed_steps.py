"""The paper's algorithms step by step, against loops in NumPy."""

import numpy as np
import pytest

import fast
from cvxinv import (
    Status,
)
from tests.support.instances import (
    CONSTRAINED,
    SEEDS,
    instance,
)
from tests.support.oracles import used
from tests.support.printed import ACTIVATIONS, FREE, curved, fista, largest, linearized_admm, value
from tests.support.tolerances import PRINTED

STEPS = 50


def same_steps(problem, points, multipliers=None, **options):
    """The answer after k steps is one of the points 0 .. k (the best), and the objectives of all of
    them are those of the history.
    """
    tol = 1e-14  # out of reach
    for cap in (1, 2, 7, STEPS):
        sol = fast.solve(problem, tol, cap, **options)
        for b, found in enumerate(points):
            k, off = sol.iterations[b], ~used(problem)[b]
            np.testing.assert_allclose(
                sol.x[b], found[k], atol=PRINTED * np.abs(found).max(initial=0), rtol=0
            )
            if multipliers is not None:
                size = np.abs(multipliers[b]).max(initial=0)
                np.testing.assert_allclose(
                    sol.dual[b][off], multipliers[b][k], atol=PRINTED * size, rtol=0
                )
    for b, found in enumerate(points):
        sol = fast.solve(problem[b : b + 1], tol, STEPS, history=True, **options)
        assert [record.iteration for record in sol.history] == list(range(len(sol.history)))
        assert (
            len(sol.history)
            == (STEPS if sol.status[0] is Status.MAX_ITER else sol.iterations[0]) + 1
        )
        history = np.array([float(record.objective[0]) for record in sol.history])
        expected = value(problem, b, found)[: len(history)]
        np.testing.assert_allclose(
            history / history[0], expected / expected[0], rtol=PRINTED, atol=PRINTED
        )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["noisy", "mask", "shared_mask", "wide", "uneven_columns"])
@pytest.mark.parametrize("cls", FREE)
def test_fista_takes_the_printed_steps(cls, kind, seed):
    problem = instance(cls, kind, seed)
    same_steps(problem, [fista(problem, b, STEPS)[0] for b in range(3)], method="fista")


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("masked", ["all", "shared", "each"])
@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_algorithm_5_takes_the_printed_steps(phi, masked, biased):
    problem = curved(phi, masked, biased, 0.05 if biased else 0.0)
    same_steps(problem, [fista(problem, b, STEPS)[0] for b in range(3)], method="fista")


@pytest.mark.parametrize("rho", [1e-2, 3.0])
@pytest.mark.parametrize("kind", ["noisy", "mask", "shared_mask", "wide", "uneven_columns"])
@pytest.mark.parametrize("cls", CONSTRAINED)
def test_algorithm_2_and_eq_10_take_the_printed_steps(cls, kind, rho):
    for seed in (1, 2):
        problem = instance(cls, kind, seed)
        for alpha_beta in (None, 3 * max(1, rho) * largest(problem.W)):
            step = max(1, rho) * largest(problem.W) if alpha_beta is None else alpha_beta
            found = [linearized_admm(problem, b, STEPS, rho, step) for b in range(3)]
            same_steps(
                problem,
                *zip(*found, strict=True),
                method="linearized_admm",
                rho=rho,
                alpha_beta=alpha_beta,
            )
