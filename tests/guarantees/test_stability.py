"""Theorem 3 (corrected) and Corollary 1: every number against its formula, every verdict against
its reason.
"""

import numpy as np

import cvxinv
import fast
from cvxinv import Generator, reference
from cvxinv.guarantees import Verdict, mutual_coherence, stability
from tests.support.instances import generator
from tests.support.tolerances import FORWARD
from validation.tightness.designs import designs, paired, simplex

TROPP = 3 + np.sqrt(1.5)
HOLDS, FAILS, UNDECIDED = Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED
DESIGNS = {design.name: design for design in designs()}


def test_the_recursion_is_the_one_of_algorithm_1():
    """Conditions, weights, noise levels and bounds, each from its formula; the pursuit solves with
    these very weights.
    """
    used = []

    def solve(problem):
        used.append(problem)
        return reference.solve(problem)

    design, eps = DESIGNS["perturbed, L = 2"], 1e-5
    G, z = design.G, design.draw(3, np.random.default_rng(0))
    y, S = G(z), G.supports(z)
    inv = cvxinv.layered_basis_pursuit(G, y, solve=solve, noise=eps)
    found = stability(G, S, eps, layers=G.layers(z), signal=y)
    level, rows = eps * np.where(np.abs(y).max(axis=1) + eps > 1, 10, 1), np.ones(y.shape, bool)
    np.testing.assert_allclose(found.noise, level, rtol=FORWARD)
    for i, problem in zip((2, 1), used, strict=False):
        norms, s, layer = (
            np.sqrt(rows @ G.weights[i] ** 2),
            S[i - 1].sum(axis=1),
            found.layers[i - 1],
        )
        mu = np.array([mutual_coherence(G.weights[i][r]) for r in rows])
        np.testing.assert_allclose(layer.coherence, mu, rtol=FORWARD)
        assert (layer.condition == np.where(3 * s * mu < 1, HOLDS, FAILS)).all()
        assert (layer.largest == [max(k for k in range(200) if 3 * k * m < 1) for m in mu]).all()
        np.testing.assert_allclose(layer.lam, 2 * level[:, None] * norms, rtol=FORWARD)
        np.testing.assert_allclose(problem.lam, layer.lam, rtol=FORWARD)
        np.testing.assert_allclose(layer.entrywise, TROPP * level[:, None] / norms, rtol=FORWARD)
        level, rows = TROPP / norms.min(axis=1) * np.sqrt(s) * level, S[i - 1]
        np.testing.assert_allclose(layer.epsilon, level, rtol=FORWARD)
        np.testing.assert_allclose(layer.error, level, rtol=FORWARD)
        np.testing.assert_allclose(inv.bounds.layers[i - 1].epsilon, level, rtol=FORWARD)
    smallest = [np.linalg.eigvalsh(G.weights[0][r].T @ G.weights[0][r])[0] for r in rows]
    np.testing.assert_allclose(found.latent, level / np.sqrt(smallest), rtol=1e-9)
    np.testing.assert_allclose(inv.bounds.latent, found.latent, rtol=FORWARD)
    assert found.guaranteed.all()
    assert len(found.epsilon) == 3
    assert len(found.conditions) == len(found.entrywise) == 2


def test_what_the_pursuit_itself_knows_is_not_enough():
    """The number of nonzeros found is at most s_i, so the condition stays undecided until somebody
    knows s_i.
    """
    design = DESIGNS["simplex, s <= 5"]
    z = design.draw(8, np.random.default_rng(0))
    S = design.G.supports(z)
    inv = cvxinv.layered_basis_pursuit(design.G, design.G(z), solve=reference.solve, noise=0.3)
    assert (inv.bounds.layers[0].condition == UNDECIDED).all()
    assert (inv.bounds.layers[0].largest == 5).all()
    assert not inv.bounds.layers[0].guaranteed.any()
    known = stability(design.G, inv.supports, 0.3, sparsity=[S[0].sum(axis=1)])
    assert known.layers[0].guaranteed.all()
    assert (inv.bounds.layers[0].error >= known.layers[0].error).all(), (
        "the error for the largest s that passes"
    )
    whole = inv.supports[0].sum(axis=1) == S[0].sum(axis=1)
    assert 0 < whole.sum() < 8
    assert (known.layers[0].recovered == np.where(whole, HOLDS, FAILS)).all()
    assert (
        cvxinv.layered_basis_pursuit(design.G, design.G(z), solve=reference.solve, lam=0.1).bounds
        is None
    )
    contradicted = stability(design.G, S, 0.3, sparsity=[0])
    assert (contradicted.layers[0].condition == FAILS).all()
    assert "nonzeros found" in contradicted.layers[0].reason[0]


def test_the_bounds_are_of_the_signal_that_was_given():
    G = generator((2, 3, 60), "plu")
    z, y = np.array([[0.5, 1.0]]), G(np.array([[0.5, 1.0]]))
    seen = np.abs(y[0]) < 0.9
    inv = cvxinv.layered_basis_pursuit(G, y, solve=reference.solve, noise=1e-3, observed=seen)
    before = stability(G, inv.supports, 1e-3, "unknown", signal=G(z), observed=seen.copy()).latent
    y[:], seen[:] = 2.0, True  # both would change the Lipschitz constant
    np.testing.assert_array_equal(inv.bounds.latent, before)
    assert inv.bounds is inv.bounds


def test_small_entries_leave_the_layers_below_unproven():
    G, eps = Generator([np.eye(2), np.eye(2), np.eye(2)]), 0.001
    S = [np.array([True, True])] * 2
    large, small = ([np.array(x)] * 2 for x in ([1.0, 0.1], [1.0, 0.001]))
    assert stability(G, S, eps, layers=large).guaranteed
    one = stability(G, S, eps, layers=small)
    assert one.layers[1].guaranteed
    assert one.layers[1].recovered is UNDECIDED
    assert not one.layers[0].guaranteed
    assert "too small" in one.layers[0].reason
    assert one.layers[0].condition is HOLDS


def test_columns_that_are_zero_on_the_rows_kept():
    """They say nothing about their entries: no bound if they may hold a nonzero, no matter
    otherwise.
    """
    W = np.diag([2.0, 1.0, 0.0])
    G = Generator([np.eye(3), W])
    x = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    found = stability(G, [x > 0], 0.1, layers=[x])
    assert (found.layers[0].condition == HOLDS).all(), "mu = 0 among the columns that are seen"
    np.testing.assert_allclose(found.layers[0].error, [TROPP * np.sqrt(2) * 0.1, np.inf])
    assert np.isinf(found.entrywise[0][:, 2]).all()
    assert found.layers[0].recovered.tolist() == [HOLDS, UNDECIDED]
    inv = cvxinv.layered_basis_pursuit(G, x @ W, solve=reference.solve, noise=0.1)
    assert (inv.layers[0][:, 2] == 0).all()
    missing = stability(G, inv.supports, 0.1, sparsity=[2])
    np.testing.assert_allclose(missing.layers[0].error, [TROPP * np.sqrt(2) * 0.1, np.inf])


def test_supports_that_algorithm_1_cannot_find_promise_nothing_below():
    """Whatever is taken as given: columns that are zero on the rows kept, or no pixels at all."""
    G = Generator([np.eye(3), np.diag([2.0, 1.0, 0.0])])
    S = np.array([[True, True, False], [True, False, True]])
    for found in (stability(G, [S], 0.1), stability(G, [S], 0.1, sparsity=[2])):
        assert found.layers[0].recovered.tolist() == [HOLDS, UNDECIDED]
        assert np.isinf(found.epsilon[0]).tolist() == [False, True]
    tall = Generator([np.eye(3)[:, :2], np.eye(3)])
    seen = stability(tall, [S[0]], 0.1)
    blind = stability(tall, [S[0]], 0.1, observed=np.zeros(3, bool))
    assert seen.guaranteed
    assert not blind.guaranteed
    assert np.isinf(blind.latent)
    lost = stability(
        Generator([np.eye(3), np.eye(3), np.diag([2.0, 1.0, 0.0])]), [np.ones(3, bool), S[1]], 0.1
    )
    assert not lost.layers[0].guaranteed
    assert "x_2 has nonzeros in columns that are zero" in lost.layers[0].reason


def test_without_noise_dependent_columns_leave_many_minimisers():
    """Corollary 1: lam is 0, so the coherence condition is not enough; any positive noise will
    do.
    """
    W = simplex(9, np.random.default_rng(0))
    G, S = Generator([np.eye(10), W]), [np.arange(10) < 2]
    assert stability(G, S, 0.0).layers[0].condition is FAILS
    assert "small noise" in stability(G, S, 0.0).layers[0].reason
    assert stability(G, S, 1e-9).layers[0].condition is HOLDS
    alone = stability(Generator([np.eye(9), W[:, :9]]), [np.arange(9) < 2], 0.0)
    assert alone.layers[0].condition is HOLDS
    assert alone.epsilon[0] == 0


def test_corollary_1_recovers_exactly():
    """Without noise and with independent columns z comes back, on both backends."""
    design = paired("exact", (3, 6), 3, "tanh", 2.0, (0.0,))
    z = design.draw(20, np.random.default_rng(0))
    found = stability(design.G, design.G.supports(z), 0.0, layers=design.G.layers(z))
    assert found.guaranteed.all()
    assert (found.latent == 0).all()
    for solve in (fast.solve, reference.solve):
        assert (
            cvxinv.snr(z, cvxinv.layered_basis_pursuit(design.G, design.G(z), solve=solve).z) > 150
        ).all()
