"""The semismooth Newton method and the polish built on it, from a cold start."""

import numpy as np
import pytest
import torch

from cvxinv import newton
from cvxinv.certificate.pair import pair
from cvxinv.certificate.point import quadratic_point
from cvxinv.problems import Quadratic
from cvxinv.reference.polish import polish
from cvxinv.rows import take
from tests.support.instances import CLASSES, CONSTRAINED, KINDS, SEEDS, feasible, instance
from tests.support.scaled import cold, random_scaled
from tests.support.tolerances import ALONE, NEWTON


@pytest.mark.parametrize("rank", [1, 3, 6])
@pytest.mark.parametrize("seed", range(12))
def test_from_a_cold_start(seed, rank):
    p = random_scaled(seed, rank=rank)
    found = newton.solve(p, cold(p))
    assert newton.residual(p, found).max() <= NEWTON
    assert (found.eta[p.inequalities] >= -NEWTON).all()
    assert not found.x[~p.columns].any()


def test_the_residual_is_zero_only_at_a_solution():
    p = random_scaled(0)
    found = newton.solve(p, cold(p))
    for step in (1e-3, 1e-6, 1e-9):
        moved = newton.Iterate(np.where(p.columns, found.x + step, 0), found.eta, found.nu)
        assert (newton.residual(p, moved) > 1e-3 * step).all()
    assert (newton.residual(p, newton.Iterate(found.x, found.eta + 1, found.nu)) > NEWTON)[
        p.inequalities.any(axis=1)
    ].all()


def test_signals_do_not_depend_on_each_other():
    p = random_scaled(1)
    together = newton.solve(p, cold(p)).x
    for b in range(len(together)):
        one = p[np.array([b])]
        np.testing.assert_allclose(newton.solve(one, cold(one)).x[0], together[b], atol=ALONE)


def test_tensors_take_the_same_steps():
    p = random_scaled(2, rank=3)
    tensors = newton.Scaled(**{name: torch.tensor(a) for name, a in vars(p).items()})
    found = newton.solve(tensors, cold(tensors))
    assert float(newton.residual(tensors, found).max()) <= NEWTON


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", CLASSES)
def test_polish_solves_from_zero(cls, kind):
    for seed in SEEDS:
        problem = instance(cls, kind, seed)
        if seed & 1 and cls in CONSTRAINED:
            keep = np.array(
                [b for b in range(len(problem.x_next)) if feasible(problem, b)], dtype=int
            )
        else:
            keep = np.arange(3)
        q: Quadratic = take(problem.quadratic(), keep)
        if q.size:
            x, dual = polish(q, np.zeros_like(q.lam), np.zeros_like(q.t))
            assert pair(quadratic_point(q, x), dual).kkt.max() <= NEWTON, seed


@pytest.mark.parametrize("cls", CLASSES)
def test_polish_keeps_what_is_solved(cls):
    q = instance(cls, "noisy", 2).quadratic()
    x, dual = polish(q, np.zeros_like(q.lam), np.zeros_like(q.t))
    again, dual_again = polish(q, x, dual)
    np.testing.assert_allclose(again, x, atol=ALONE)
    np.testing.assert_allclose(dual_again, dual, atol=ALONE)
