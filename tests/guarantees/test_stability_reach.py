"""Theorem 3: what y and its noise can reach, which pixels are seen, in which kind and units."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import cvxinv
from cvxinv import Generator, reference
from cvxinv.guarantees import Verdict, mutual_coherence, oracle_error, stability
from tests.support.instances import generator
from tests.support.tolerances import FORWARD
from validation.tightness.designs import designs

TROPP = 3 + np.sqrt(1.5)
HOLDS, FAILS, UNDECIDED = Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED
DESIGNS = {design.name: design for design in designs()}


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
    for noise_level, bad in ((1e-3, 2.5), (0.0, -2.5), (1e-3, np.nan)):
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
