"""Eq. 1 along the kinks of G: BFGS, and the hull of the gradients that says where it may stop."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import fast
from cvxinv import Generator
from fast.latent import bfgs, clarke, kinks
from fast.latent.eq1 import fit_to
from fast.latent.steps import begin
from tests.support.instances import generator

TENT = Generator([np.array([[1.0], [-1.0]]), np.array([[1.0, 1.0]])])  # |z|
ENDS = 2e-6  # beside kinks: twice the radius within which gradients are looked at, for |z| of 1e-1


def outside(seed, count=16, activation="plu"):
    """A generator, and signals that it cannot make."""
    G = generator((3, 8, 12, 30), activation, seed)
    rng = np.random.default_rng(seed)
    return G, G(rng.standard_normal((count, 3))) + rng.standard_normal((count, 30))


def test_the_least_value_on_a_kink_is_found_and_known():
    """1/2 (|z| + 1)^2: the gradient is 1 on one side and -1 on the other."""
    fit, _ = fit_to(TENT, np.full((3, 1), -1.0), None)
    z = torch.tensor([[0.7], [-3.0], [1e-7]], dtype=torch.float64)
    walk = bfgs.descend(fit, bfgs.begin(fit, z), 100)
    assert walk.z.abs().max() <= ENDS
    assert clarke.shortest(fit, walk.z * 0, 1e-5).abs().max() <= 1e-6


@pytest.mark.parametrize(("z", "slope"), [(0.5, 1.5), (-0.5, -1.5), (2.0, 3.0)])
def test_where_there_is_no_kink_the_hull_is_the_gradient(z, slope):
    fit, _ = fit_to(TENT, np.full((1, 1), -1.0), None)
    shortest = clarke.shortest(fit, torch.tensor([[z]], dtype=torch.float64), 1e-5)
    np.testing.assert_allclose(shortest, [[slope]], rtol=1e-4)


@given(st.integers(0, 5), st.sampled_from(["identity", "plu", "tanh"]))
@example(0, "plu")
@example(3, "identity")
def test_no_neighbouring_piece_descends(seed, activation):
    """Where it says so, small steps in many directions lower the objective by next to nothing; and
    it says so nearly always.
    """
    G, y = outside(seed, activation=activation)
    found = fast.levenberg_marquardt(G, y, starts=4)
    fit, _ = fit_to(G, y, None)
    z = torch.from_numpy(found.z)
    here = fit.objective(z)
    np.testing.assert_allclose(here, found.objective, rtol=1e-12)
    assert found.finished.mean() >= 0.8
    assert (found.finished == (found.stationarity <= clarke.STATIONARY)).all()
    rng = torch.Generator().manual_seed(seed)
    for size in (1e-2, 1e-3, 1e-4):
        for _ in range(200):
            step = size * torch.randn(z.shape, generator=rng, dtype=z.dtype)
            lower = (here - fit.objective(z + step)) / here
            assert lower[torch.from_numpy(found.finished)].max() <= 2 * clarke.STATIONARY * size


def test_descent_never_ascends_and_rows_do_not_meet():
    G, y = outside(1)
    fit, _ = fit_to(G, y, None)
    z = torch.from_numpy(np.random.default_rng(2).standard_normal((16, 3)))
    at = begin(fit, z.clone())
    before = at.objective.clone()
    kinks.descend(fit, at)
    assert (at.objective <= before).all()
    np.testing.assert_allclose(fit.objective(at.z), at.objective, rtol=1e-12)
    alone_fit, _ = fit_to(G, y[5:6], None)
    alone = begin(alone_fit, z[5:6].clone())
    kinks.descend(alone_fit, alone)
    np.testing.assert_allclose(alone.objective, at.objective[5:6], rtol=1e-6)


def test_a_signal_stops_where_it_would_alone():
    G, y = outside(3)
    z = torch.from_numpy(np.random.default_rng(4).standard_normal((16, 3)))
    fit, _ = fit_to(G, y, None)
    whole = bfgs.descend(fit, bfgs.begin(fit, z), 60, gain=0.02)
    for b in range(16):
        one, _ = fit_to(G, y[b : b + 1], None)
        alone = bfgs.descend(one, bfgs.begin(one, z[b : b + 1]), 60, gain=0.02)
        np.testing.assert_allclose(whole.objective[b], alone.objective[0], rtol=1e-8)


@given(st.integers(0, 30))
@example(0)
def test_the_nearest_weights(seed):
    """Against brute force over all subsets that may be positive."""
    v = torch.from_numpy(np.random.default_rng(seed).standard_normal((1, 5)))
    found = clarke.on_simplex(v)
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-12)
    best = np.inf
    for bits in range(1, 32):
        S = np.array([bits >> k & 1 for k in range(5)], bool)
        w = np.where(S, v[0] + (1 - v[0][S].sum()) / S.sum(), 0)
        if w.min() >= 0:
            best = min(best, float(((w - v[0].numpy()) ** 2).sum()))
    np.testing.assert_allclose(((found - v) ** 2).sum(), best, rtol=1e-9)


def test_the_metric_keeps_the_secant_equation():
    rng = np.random.default_rng(0)
    s, y = (torch.from_numpy(rng.standard_normal((4, 3))) for _ in range(2))
    y = torch.where(((s * y).sum(1) > 0)[:, None], y, -y)
    H = torch.eye(3, dtype=s.dtype).expand(4, -1, -1)
    new = bfgs.updated(H, s, y)
    np.testing.assert_allclose((new @ y[:, :, None])[:, :, 0], s, rtol=1e-9)
    assert torch.linalg.eigvalsh(new).min() > 0
    np.testing.assert_array_equal(bfgs.updated(H, s, -y), H)  # no curvature, nothing learnt
