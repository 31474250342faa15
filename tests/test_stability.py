"""Theorem 3 (corrected), Corollary 1 and Theorem 4: the numbers against the formulas, the claims against draws, on both backends."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from instances import generator
from tolerances import FIT, FORWARD

import cvxinv
import fast
from cvxinv import Generator, reference
from cvxinv.guarantees import Verdict, mutual_coherence, oracle_error, stability
from validation.designs import NOISES, designs, noise, paired, scaled, simplex, single
from validation.tightness import measure, oracles, theorem4

TROPP = 3 + np.sqrt(1.5)
HOLDS, FAILS, UNDECIDED = Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED
DESIGNS = {design.name: design for design in designs()}
WIDE = "identity and Hadamard, 256 x 288"  # costs more than all others together: `validation.tightness` draws as many of it
DRAWS = dict.fromkeys(DESIGNS, 160) | {WIDE: 10}  # per noise level and kind of noise


# -- the theorem against draws -----------------------------------------------------------------------------------------------


@cache
def measured(name, level, solve, draws):
    """All kinds of noise at once, on one design at one noise level."""
    design, rng = DESIGNS[name], np.random.default_rng(level)
    z = design.draw(len(NOISES) * draws, rng)
    eps = design.noises[level]
    e = np.concatenate([noise(kind, design, part, eps, rng) for kind, part in zip(NOISES, np.split(z, len(NOISES)), strict=True)])
    return measure(design.G, z, e, eps, solve)


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", DESIGNS)
def test_theorem_3_is_never_violated(name, level):
    m = measured(name, level, fast.solve, DRAWS[name])
    assert m.violations == 0
    assert m.optimal > 0.995
    assert min(m.guaranteed) > 0.95, "a theorem whose conditions do not hold is not tested"
    if level == 0 and name != "flat, L = 2":
        assert min(m.foreseen) > 0.9


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", ["perturbed, L = 2", "perturbed, L = 3", "flat, L = 2", "simplex, s <= 5"])
def test_theorem_3_is_never_violated_on_the_reference(name, level):
    m = measured(name, level, reference.solve, 3)
    assert m.violations == 0
    assert m.optimal == 1
    assert min(m.guaranteed) > 0.9


def test_that_is_enough_draws():
    assert sum(DRAWS.values()) * len(NOISES) * 2 >= 10_000
    assert {design.G.depth for design in DESIGNS.values()} == {1, 2, 3}


def test_supports_that_are_lost_are_among_the_draws():
    """Erratum E2's case: strictly smaller supports in the upper layer, and the layer below guaranteed all the same."""
    m = measured("flat, L = 2", 1, fast.solve, DRAWS["flat, L = 2"])
    assert m.strict[1] > 0.02
    assert np.isfinite(m.entries[0]).mean() > 0.95


def test_the_bound_is_nearly_attained():
    """Aimed noise on a simplex comes within a tenth of the bound: (2 ||(W'W)^-1||_inf + max (W'W)^-1_jj^(1/2)) eps is what it can do."""
    s, mu = 19, 1 / 60
    inverse = np.linalg.inv((1 + mu) * np.eye(s) - mu)
    attainable = (2 * inverse.sum(axis=1).max() + np.sqrt(inverse.diagonal().max())) / TROPP
    worst = np.nanmax(measured("simplex, s <= 19", 0, fast.solve, DRAWS["simplex, s <= 19"]).entries[0])
    assert 0.9 < worst <= attainable * (1 + FIT)


@st.composite
def problems(draw):
    """A design drawn at random, a kind of noise, its level, and a seed."""
    seed, kind = draw(st.integers(0, 10**6)), draw(st.sampled_from(NOISES))
    rng, spread = np.random.default_rng(seed), draw(st.sampled_from([1.0, 3.0, 10.0]))
    phi = draw(st.sampled_from(["identity", "plu", "leaky_relu"]))
    eps = 10.0 ** draw(st.integers(-6, 0))
    if draw(st.booleans()):
        m = draw(st.sampled_from([(2,), (4,), (2, 4), (3, 7)]))
        return paired("random", m, min(3, m[0]), phi, spread, (eps,), seed), kind, seed
    n = draw(st.integers(4, 16))
    return single("random", scaled(simplex(n, rng), spread, rng), (1, (n - 1) // 3), (eps,), phi), kind, seed


@pytest.mark.parametrize("solve", [fast.solve, reference.solve], ids=["fast", "reference"])
@example((paired("example", (4, 8), 3, "identity", 3.0, (1e-3,)), "bias", 0))
@given(problems())
@settings(max_examples=20)
def test_theorem_3_on_designs_drawn_at_random(solve, problem):
    design, kind, seed = problem
    rng, eps = np.random.default_rng(seed), design.noises[0]
    z = design.draw(2 if solve is reference.solve else 20, rng)
    m = measure(design.G, z, noise(kind, design, z, eps, rng), eps, solve)
    assert m.violations == 0
    assert m.guaranteed[-1] == 1


# -- the numbers ----------------------------------------------------------------------------------------------------------------


def test_the_recursion_is_the_one_of_algorithm_1():
    """Conditions, weights, noise levels and bounds, each from its formula; the pursuit solves with these very weights."""
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
        norms, s, layer = np.sqrt(rows @ G.weights[i] ** 2), S[i - 1].sum(axis=1), found.layers[i - 1]
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
    """The number of nonzeros found is at most s_i, so the condition stays undecided until somebody knows s_i."""
    design = DESIGNS["simplex, s <= 5"]
    z = design.draw(8, np.random.default_rng(0))
    S = design.G.supports(z)
    inv = cvxinv.layered_basis_pursuit(design.G, design.G(z), solve=reference.solve, noise=0.3)
    assert (inv.bounds.layers[0].condition == UNDECIDED).all()
    assert (inv.bounds.layers[0].largest == 5).all()
    assert not inv.bounds.layers[0].guaranteed.any()
    known = stability(design.G, inv.supports, 0.3, sparsity=[S[0].sum(axis=1)])
    assert known.layers[0].guaranteed.all()
    assert (inv.bounds.layers[0].error >= known.layers[0].error).all(), "the error for the largest s that passes"
    whole = inv.supports[0].sum(axis=1) == S[0].sum(axis=1)
    assert 0 < whole.sum() < 8
    assert (known.layers[0].recovered == np.where(whole, HOLDS, FAILS)).all()
    assert cvxinv.layered_basis_pursuit(design.G, design.G(z), solve=reference.solve, lam=0.1).bounds is None
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
    """They say nothing about their entries: no bound if they may hold a nonzero, no matter otherwise."""
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


def test_without_noise_dependent_columns_leave_many_minimisers():
    """Corollary 1: lam is 0, so the coherence condition is not enough; any positive noise will do."""
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
    found = stability(design.G, design.G.supports(z), 0.0, layers=design.G.layers(z), signal=design.G(z))
    assert found.guaranteed.all()
    assert (found.latent == 0).all()
    for solve in (fast.solve, reference.solve):
        assert (cvxinv.snr(z, cvxinv.layered_basis_pursuit(design.G, design.G(z), solve=solve).z) > 150).all()


def test_the_reachable_interval_decides():
    G, z = generator((2, 3, 40), "tanh"), np.full((2, 2), 0.3)
    S, y = G.supports(z), G(z)
    assert np.isinf(stability(G, S, 1e-3).noise).all()
    assert not stability(G, S, 1e-3).layers[0].guaranteed.any()
    assert "pass the signal" in stability(G, S, 1e-3).layers[0].reason[0]
    top = np.abs(y).max(axis=1) + 1e-3
    np.testing.assert_allclose(stability(G, S, 1e-3, signal=y).noise, 1e-3 / (1 - top**2), rtol=1e-9)
    seen = np.abs(y[0]) < 0.5 * top[0]
    assert (stability(G, S, 1e-3, signal=y, observed=seen).noise < stability(G, S, 1e-3, signal=y).noise).all()
    plu = generator((2, 3, 40), "plu")
    np.testing.assert_allclose(stability(plu, plu.supports(z), 1e-3).noise, 1e-2)


def test_observed_pixels_are_the_rows_of_the_last_layer():
    G = generator((2, 3, 60))
    z = np.array([[0.5, 1.0], [-1.0, 0.2]])
    seen = np.random.default_rng(0).random((2, 60)) < 0.7
    found = stability(G, G.supports(z), 0.1, observed=seen)
    np.testing.assert_allclose(found.layers[0].coherence, [mutual_coherence(G.weights[1][r]) for r in seen], rtol=FORWARD)
    np.testing.assert_allclose(found.layers[0].lam, 0.2 * np.sqrt(seen @ G.weights[1] ** 2), rtol=FORWARD)


def test_kinds_and_single_signals():
    G = generator((2, 3, 60)).to("cpu")
    z = torch.tensor([[0.5, 1.0], [-1.0, 0.2]], dtype=torch.float64)
    batch = stability(G, G.supports(z), 0.1, layers=G.layers(z), signal=G(z))
    alone = stability(G, G.supports(z[1]), 0.1, layers=G.layers(z[1]), signal=G(z[1]))
    assert isinstance(batch.latent, torch.Tensor)
    assert batch.entrywise[0].shape == (2, 3)
    assert alone.entrywise[0].shape == (3,)
    assert alone.layers[0].condition is batch.layers[0].condition[1]
    assert torch.equal(alone.latent, batch.latent[1])
    bounds = oracle_error(G, G.supports(z), 0.1)
    assert isinstance(bounds.upper[0], torch.Tensor)
    inv = cvxinv.layered_basis_pursuit(G, G(z), noise=0.1)
    assert isinstance(inv.bounds.latent, torch.Tensor)
    assert cvxinv.layered_basis_pursuit(G, G(z[0]), noise=0.1).bounds.layers[0].entrywise.shape == (3,)


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
    assert np.isfinite(stability(G, G.supports(np.full((2, 2), 0.3)), 1e-3, signal=y, observed=seen).noise).all()
    blind = Generator([np.ones((2, 1)), np.diag([1.0, 0.0])], None, "tanh")
    assert np.isinf(stability(blind, [np.array([True, False])], 0.1).layers[0].lam).tolist() == [True, False]


@given(st.integers(0, 10**6), st.floats(0.01, 100))
@example(0, 10.0)
def test_units_do_not_matter(seed, unit):
    """Columns of W_i in other units: x_ij, its bound and 1 / lam_ij follow, the condition stays. Signal and noise: all bounds follow."""
    rng = np.random.default_rng(seed)
    G, z, D = generator((2, 5, 200), seed=seed), rng.standard_normal((3, 2)), unit ** rng.uniform(-1, 1, 5)
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
        (ValueError, "sparsity", lambda: stability(G, S, 0.1, sparsity=[3], layers=[np.ones((2, 3))])),
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


# -- Theorem 4 --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "G", "z"), oracles(), ids=["orthogonal", "Gaussian"])
def test_theorem_4_by_monte_carlo(name, G, z):
    """The mean of 3 000 draws lies within 4.5 standard errors of what is expected, and that within the bounds."""
    for row in theorem4(name, G, z, draws=3_000):
        half = (row["interval_99"][1] - row["mean"]) * 4.5 / 2.576
        assert abs(row["mean"] - row["expected"]) < half
        assert row["lower"] * (1 - FORWARD) <= row["expected"] <= row["upper"] * (1 + FORWARD)
        if name == "orthogonal":
            assert row["upper"] == pytest.approx(row["lower"], rel=1e-9)
        else:
            assert row["upper"] > 2 * row["lower"]


@given(st.integers(0, 10**6), st.sampled_from([(2, 9), (2, 8, 20), (2, 6, 12, 30)]), st.booleans())
@example(0, (2, 6, 12, 30), False)
def test_theorem_4_brackets_what_is_expected(seed, hidden, masked):
    G, rng = generator((*hidden, 50), seed=seed), np.random.default_rng(seed)
    seen = rng.random((4, 50)) < 0.8 if masked else None
    S = G.supports(rng.standard_normal((4, 2)))
    bounds = oracle_error(G, S, 0.3, seen)
    for lower, upper, expected in zip(bounds.lower, bounds.upper, bounds.expected, strict=True):
        known = np.isfinite(expected)
        assert (lower[known] <= expected[known] * (1 + 1e-9)).all()
        assert (expected[known] <= upper[known] * (1 + 1e-9)).all()
        assert np.isinf(upper[~known]).all()
        assert (lower[~known] == 0).all()


def test_theorem_4_without_full_column_rank():
    """Fewer rows than columns: nothing is known of that layer and of those below. Dependent columns: rounding cannot tell."""
    G = Generator([np.eye(3), np.ones((2, 3)), np.eye(2)])
    S = [np.array([[True, True, True], [True, True, False], [True, False, False]]), np.ones((3, 2), bool)]
    bounds = oracle_error(G, S, 0.1)
    assert bounds.conditions[1].tolist() == [FAILS, UNDECIDED, HOLDS]
    assert bounds.conditions[0].tolist() == [HOLDS, FAILS, FAILS]
    np.testing.assert_allclose(bounds.upper[2], 0.02)
    np.testing.assert_allclose(bounds.upper[1], [np.inf, np.inf, 0.005])
    assert np.isnan(bounds.expected[0]).all()
    empty = oracle_error(G, [S[0] & False, S[1] & False], 0.1)
    assert (empty.upper[1] == 0).all()
    assert np.isinf(empty.upper[0]).all()
