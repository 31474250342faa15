"""The pixels of which phi^-1 is known, and Theorem 3 on them where others saturate."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cvxinv
import fast
from cvxinv import Generator, reference
from cvxinv.activations import activation
from cvxinv.guarantees import stability
from cvxinv.guarantees.pixels import known
from cvxinv.guarantees.recursion import reachable_lipschitz
from tests.support.instances import generator
from validation.tightness.designs import NOISES, noise, paired
from validation.tightness.theorem_3 import measure


def saturated(design, count=6, bias=40.0, seed=0):
    """The design with more pixels, at the ends of the range of phi whatever z is."""
    rng, W = np.random.default_rng(seed), design.G.weights
    last = np.concatenate([W[-1], rng.standard_normal((count, W[-1].shape[1]))])
    b = np.zeros(len(last))
    b[-count:] = bias * rng.choice([-1, 1], count)
    biases = [*(np.zeros(len(w)) for w in W[:-1]), b]
    return replace(design, G=Generator([*W[:-1], last], biases, design.G.activation))


@pytest.mark.parametrize("phi", ["tanh", "sigmoid"])
@given(st.floats(0, 1), st.floats(-8, -0.5))
@example(1.0, -3.0)
@example(0.5, -1.0)
def test_noise_moves_what_is_known_by_little(phi, share, exponent):
    phi, eps = activation(phi), 10.0**exponent
    low, high = phi.range
    half, steepest = (high - low) / 2, phi.derivative(np.zeros(1))[0]
    y = np.array([low + share * (high - low)])
    ell = reachable_lipschitz(phi, y, np.ones(1, bool), eps)
    most = np.sqrt(half * eps) / steepest
    if known(phi, y, eps)[0]:
        assert low < y[0] - eps < y[0] + eps < high
        assert eps * ell <= most * (1 + 1e-6)
        for e in np.linspace(-eps, eps, 9):
            moved = abs(phi.inverse(y + e) - phi.inverse(y))[0]
            assert moved <= abs(e) * ell * (1 + 1e-9) + 1e-6 * eps
    else:
        assert eps * ell > most * (1 - 1e-6)


@pytest.mark.parametrize("phi", ["identity", "plu", "leaky_relu"])
def test_unbounded_outputs_are_known_everywhere(phi):
    y = np.array([-1e300, -1.0, 0.0, 1.0, 1e300, np.nan])
    assert known(activation(phi), y, 1e3).tolist() == [True] * 5 + [False]


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("solve", [fast.solve, reference.solve], ids=["fast", "reference"])
@pytest.mark.parametrize("phi", ["tanh", "sigmoid"])
def test_theorem_3_is_never_violated_where_pixels_saturate(phi, solve, level):
    """What is promised of a design without them is promised with them, beforehand too."""
    eps, draws = (1e-6, 1e-4)[level], 5 if solve is reference.solve else 50
    design = saturated(paired("saturated", (4, 8), 3, phi, 1.2, (eps,)))
    rng = np.random.default_rng(level)
    z = design.draw(len(NOISES) * draws, rng)
    parts = zip(NOISES, np.split(z, len(NOISES)), strict=True)
    e = np.concatenate([noise(kind, design, part, eps, rng) for kind, part in parts])
    m = measure(design.G, z, e, eps, solve)
    assert m.violations == 0
    assert m.optimal > 0.995
    assert min(m.guaranteed) > 0.95
    if level == 0:
        assert min(m.foreseen) > 0.9


@given(st.integers(0, 10**6), st.sampled_from(["tanh", "sigmoid"]), st.floats(-6, -2))
@example(0, "tanh", -2.0)
@settings(max_examples=30)
def test_theorem_3_with_pixels_anywhere_near_the_ends(seed, phi, exponent):
    """Pixels of all distances from the ends, some of which the noise decides on."""
    rng, eps = np.random.default_rng(seed), 10.0**exponent
    G, n = generator((2, 3, 240), phi, seed), 240
    shift = rng.choice([-1, 1], n) * rng.uniform(0, 20, n) * (rng.random(n) < 0.6)
    G = Generator(G.weights, [np.zeros(3), shift], phi)
    z, e = rng.standard_normal((20, 2)), rng.standard_normal((20, n))
    m = measure(G, z, eps * e / np.linalg.norm(e, axis=1, keepdims=True), eps, fast.solve)
    assert m.violations == 0
    assert m.guaranteed[0] > 0, "a theorem whose conditions do not hold is not tested"


def test_what_the_noise_decides_is_not_promised_beforehand():
    """Pixels known for every y, for none, and for some: the bounds are for one set of rows."""
    x, S, eps = np.array([0.5]), [np.array([True])], 1e-3
    border = np.sqrt(1 - np.sqrt(eps)) - eps  # the y whose phi' at y + eps is eps^0.5
    for t, promised in ((1.0, True), (40.0, True), (np.arctanh(border), False)):
        G = Generator([np.eye(1), np.eye(2, 1)], [np.zeros(1), np.array([0.0, t])], "tanh")
        before = stability(G, S, eps, layers=[x])
        assert np.isfinite(before.noise) == before.guaranteed == promised
        for e in (-eps, 0.0, eps):
            y = G(x) + np.array([0.0, e])
            inv = cvxinv.layered_basis_pursuit(G, y, noise=eps)
            after = stability(G, S, eps, signal=y)
            assert inv.bounds.noise == after.noise <= before.noise


def test_corollary_1_on_the_pixels_that_do_not_saturate():
    design = saturated(paired("exact", (3, 6), 3, "tanh", 2.0, (0.0,)))
    z = design.draw(20, np.random.default_rng(0))
    G, y = design.G, design.G(z)
    assert (np.abs(y) == 1).any(axis=1).all()
    assert stability(G, G.supports(z), 0.0, layers=G.layers(z)).guaranteed.all()
    for solve in (fast.solve, reference.solve):
        inv = cvxinv.layered_basis_pursuit(G, y, solve=solve)
        assert (cvxinv.snr(z, inv.z) > 150).all()
        assert (inv.bounds.latent == 0).all()
