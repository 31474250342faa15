"""Theorem 3 (corrected) and Corollary 1: every number against its formula, every verdict against
its reason.
"""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import cvxinv
import fast
from cvxinv import Generator, reference
from cvxinv.guarantees import Verdict, mutual_coherence, oracle_error, stability
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


def test_the_reachable_interval_decides():
    G, z = generator((2, 3, 40), "tanh"), np.full((2, 2), 0.3)
    S, y = G.supports(z), G(z)
    assert np.isinf(stability(G, S, 1e-3).noise).all()
    assert not stability(G, S, 1e-3).layers[0].guaranteed.any()
    assert "pass the signal" in stability(G, S, 1e-3).layers[0].reason[0]
    top = np.abs(y).max(axis=1) + 1e-3
    np.testing.assert_allclose(
        stability(G, S, 1e-3, signal=y).noise, 1e-3 / (1 - top**2), rtol=1e-9
    )
    seen = np.abs(y[0]) < 0.5 * top[0]
    assert (
        stability(G, S, 1e-3, signal=y, observed=seen).noise < stability(G, S, 1e-3, signal=y).noise
    ).all()
    plu = generator((2, 3, 40), "plu")
    np.testing.assert_allclose(stability(plu, plu.supports(z), 1e-3).noise, 1e-2)


@pytest.mark.parametrize("phi", ["plu", "sigmoid", "tanh", "leaky_relu"])
def test_what_is_promised_beforehand_holds_for_any_noise(phi):
    """Algorithm 1 takes ell from y, which reaches further than G(z) does: the promise must allow
    for the y that reaches furthest.
    """
    G, z = generator((2, 3, 40), phi), np.array([[0.3, 0.2], [-0.1, 0.4]])
    eps = 1e-3
    before = stability(G, G.supports(z), eps, layers=G.layers(z))
    furthest = np.zeros((2, 40))
    furthest[
        [0, 1],
        np.abs(G(z) - np.mean([v for v in G.activation.range if np.isfinite(v)] or [0])).argmax(
            axis=1
        ),
    ] = 1
    for e in (eps * furthest, -eps * furthest, 0 * furthest):
        inv = cvxinv.layered_basis_pursuit(G, G(z) + e, solve=reference.solve, noise=eps)
        assert (inv.bounds.noise <= before.noise).all()
    with_signal = stability(G, G.supports(z), eps, layers=G.layers(z), signal=G(z))
    assert (with_signal.noise <= before.noise).all()


def test_the_promise_for_plu_just_below_its_kink():
    """G(z) + eps stays below the kink, but y + eps does not: ell is 10 for some y, and the promise
    must say so.
    """
    G, z, eps = Generator([np.eye(1), np.eye(1)], None, "plu"), np.array([1 - 1.5e-3]), 1e-3
    inv = cvxinv.layered_basis_pursuit(G, G(z) + eps, solve=reference.solve, noise=eps)
    assert inv.bounds.noise == pytest.approx(10 * eps)
    assert stability(G, G.supports(z), eps, layers=G.layers(z)).noise == pytest.approx(10 * eps)
    assert stability(G, G.supports(z), eps, layers=G.layers(z), signal=G(z)).noise == pytest.approx(
        eps
    )


def test_observed_pixels_are_the_rows_of_the_last_layer():
    G = generator((2, 3, 60))
    z = np.array([[0.5, 1.0], [-1.0, 0.2]])
    seen = np.random.default_rng(0).random((2, 60)) < 0.7
    found = stability(G, G.supports(z), 0.1, observed=seen)
    np.testing.assert_allclose(
        found.layers[0].coherence, [mutual_coherence(G.weights[1][r]) for r in seen], rtol=FORWARD
    )
    np.testing.assert_allclose(
        found.layers[0].lam, 0.2 * np.sqrt(seen @ G.weights[1] ** 2), rtol=FORWARD
    )


def test_kinds_and_single_signals():
    G = generator((2, 3, 60)).to("cpu")
    z = torch.tensor([[0.5, 1.0], [-1.0, 0.2]], dtype=torch.float64)
    batch = stability(G, G.supports(z), 0.1, layers=G.layers(z))
    alone = stability(G, G.supports(z[1]), 0.1, layers=G.layers(z[1]))
    assert isinstance(batch.latent, torch.Tensor)
    assert batch.entrywise[0].shape == (2, 3)
    assert alone.entrywise[0].shape == (3,)
    assert alone.layers[0].condition is batch.layers[0].condition[1]
    assert torch.equal(alone.latent, batch.latent[1])
    bounds = oracle_error(G, G.supports(z), 0.1)
    assert isinstance(bounds.upper[0], torch.Tensor)
    inv = cvxinv.layered_basis_pursuit(G, G(z), noise=0.1)
    assert isinstance(inv.bounds.latent, torch.Tensor)
    assert cvxinv.layered_basis_pursuit(G, G(z[0]), noise=0.1).bounds.layers[0].entrywise.shape == (
        3,
    )


def test_a_signal_that_cannot_be_inverted_is_not_guaranteed():
    G = generator((2, 3, 40), "tanh")
    y = G(np.full((2, 2), 0.3))
    y[1, 3] = 1.0
    for noise_level, bad in ((1e-3, 1.0), (0.0, 1.0), (1e-3, np.nan)):
        y[1, 3] = bad
        bounds = cvxinv.layered_basis_pursuit(G, y, solve=reference.solve, noise=noise_level).bounds
        assert np.isinf(bounds.noise[1])
        found = stability(G, G.supports(np.full((2, 2), 0.3)), noise_level, signal=y)
        assert np.isinf(found.latent[1])
        assert not found.layers[0].guaranteed[1]
    seen = np.arange(40) != 3
    assert np.isfinite(
        stability(G, G.supports(np.full((2, 2), 0.3)), 1e-3, signal=y, observed=seen).noise
    ).all()
    blind = Generator([np.ones((2, 1)), np.diag([1.0, 0.0])], None, "tanh")
    assert np.isinf(stability(blind, [np.array([True, False])], 0.1).layers[0].lam).tolist() == [
        True,
        False,
    ]


@given(st.integers(0, 10**6), st.floats(0.01, 100))
@example(0, 10.0)
def test_units_do_not_matter(seed, unit):
    """Columns of W_i in other units: x_ij, its bound and 1 / lam_ij follow, the condition stays.
    Signal and noise: all bounds follow.
    """
    rng = np.random.default_rng(seed)
    G, z, D = (
        generator((2, 5, 200), seed=seed),
        rng.standard_normal((3, 2)),
        unit ** rng.uniform(-1, 1, 5),
    )
    S = G.supports(z)
    other = Generator([D[:, None] * G.weights[0], G.weights[1] / D])
    a, b = (stability(g, S, 0.1, layers=g.layers(z)) for g in (G, other))
    np.testing.assert_allclose(b.layers[0].coherence, a.layers[0].coherence, rtol=1e-9)
    assert (b.conditions[0] == a.conditions[0]).all()
    assert (b.layers[0].recovered == a.layers[0].recovered).all()
    np.testing.assert_allclose(b.entrywise[0], a.entrywise[0] * D, rtol=1e-9)
    np.testing.assert_allclose(b.layers[0].lam, a.layers[0].lam / D, rtol=1e-9)
    scaled_noise = stability(G, S, 0.1 * unit, layers=[x * unit for x in G.layers(z)])
    np.testing.assert_allclose(scaled_noise.latent, a.latent * unit, rtol=1e-9)
    assert (scaled_noise.layers[0].recovered == a.layers[0].recovered).all()


def test_wrong_arguments_are_named():
    G, S = generator((2, 3, 40)), [np.ones((2, 3), bool)]
    bad = [
        (TypeError, "G", lambda: stability(np.eye(2), S, 0.1)),
        (ValueError, "supports", lambda: stability(G, [], 0.1)),
        (ValueError, r"supports\[0\]", lambda: stability(G, [np.ones((2, 4), bool)], 0.1)),
        (TypeError, r"supports\[0\]", lambda: stability(G, [np.ones((2, 3))], 0.1)),
        (ValueError, "noise", lambda: stability(G, S, -0.1)),
        (ValueError, "sparsity", lambda: stability(G, S, 0.1, sparsity="some")),
        (ValueError, "sparsity", lambda: stability(G, S, 0.1, sparsity=[1, 2])),
        (ValueError, r"sparsity\[0\]", lambda: stability(G, S, 0.1, sparsity=[1.5])),
        (
            ValueError,
            "sparsity",
            lambda: stability(G, S, 0.1, sparsity=[3], layers=[np.ones((2, 3))]),
        ),
        (ValueError, "layers", lambda: stability(G, S, 0.1, layers=[])),
        (ValueError, r"layers\[0\]", lambda: stability(G, S, 0.1, layers=[np.zeros((2, 3))])),
        (ValueError, "signal", lambda: stability(G, S, 0.1, signal=np.zeros((2, 3)))),
        (ValueError, "observed", lambda: stability(G, S, 0.1, observed=np.ones(3, bool))),
        (ValueError, "sigma", lambda: oracle_error(G, S, -1.0)),
        (ValueError, "G", lambda: oracle_error(generator((2, 3, 40), "tanh"), S, 0.1)),
    ]
    for error, name, call in bad:
        with pytest.raises(error, match=f"^{name}: "):
            call()
