"""The semismooth Newton method and the polish built on it, from a cold start."""

import numpy as np
import pytest
import torch

from cvxinv import newton
from cvxinv.certificate.point import Point
from cvxinv.problems import Quadratic
from cvxinv.reference.polish import polish
from tests.support.instances import CLASSES, CONSTRAINED, KINDS, SEEDS, feasible, instance
from tests.support.tolerances import ALONE, NEWTON


def random_scaled(seed: int, B: int = 8, m: int = 12, n: int = 6, rank: int = 6) -> newton.Scaled:
    """(Q) with unit columns, some of them signed, and C x <= d with d >= 0, so that x = 0 satisfies
    it.
    """
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
    rows = rng.random((B, m)) < 0.6
    off = ~rows & (rng.random((B, m)) < 0.7)
    d = np.where(off, rng.exponential(size=(B, m)) * (rng.random((B, m)) < 0.7), 0)
    lam = 0.3 * rng.exponential(size=(B, n)) * (rng.random((B, n)) < 0.5)
    q = np.full((B, n), (0.0, 0.1)[seed % 2])
    signs, columns = rng.random((B, n)) < 0.5, rng.random((B, n)) < 0.9
    t = np.where(rows, rng.standard_normal((B, m)), 0)
    unit = rng.uniform(0.5, 2, m)
    return newton.Scaled(
        W / np.linalg.norm(W, axis=0), unit, t, rows, d, off, q, 0 * q, lam, signs, columns
    )


def cold(p: newton.Scaled) -> newton.Iterate:
    return newton.Iterate(0 * p.q, 0 * p.t, 0 * p.q)


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
        q: Quadratic = problem.quadratic()[keep]
        if q.size:
            x, dual = polish(q, np.zeros_like(q.lam), np.zeros_like(q.t))
            assert Point.quadratic(q, x).kkt(dual).max() <= NEWTON, seed


@pytest.mark.parametrize("cls", CLASSES)
def test_polish_keeps_what_is_solved(cls):
    q = instance(cls, "noisy", 2).quadratic()
    x, dual = polish(q, np.zeros_like(q.lam), np.zeros_like(q.t))
    again, dual_again = polish(q, x, dual)
    np.testing.assert_allclose(again, x, atol=ALONE)
    np.testing.assert_allclose(dual_again, dual, atol=ALONE)
