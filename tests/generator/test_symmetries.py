"""Rotation of z, ReLU homogeneity, the order of hidden units: other weights, the same signals."""

import numpy as np
import pytest
from hypothesis import example, given

from cvxinv import Generator
from cvxinv.activations import PLU
from cvxinv.generator.jacobian import frozen, jacobian
from cvxinv.testing import generators
from tests.support.strategies import seeds
from tests.support.symmetries import SYMMETRIES, homogeneity
from tests.support.tolerances import FORWARD, FORWARD_FLOAT32

W = np.array([[1.0, 2.0], [-3.0, 0.5], [0.25, -1.0]])
DEAD = Generator([-np.abs(W), W.T], [-np.ones(3), np.ones(2)])  # x_1 = 0 for z >= 0


def accuracy(G, z):
    """Of sums of products as large as those that the layers of z are made of."""
    x, size = np.abs(z), 1.0
    for i, W in enumerate(G.weights):
        x = x @ np.abs(W).T + (0 if G.biases is None else np.abs(G.biases[i]))
        size = max(size, x.max())
    return size * (FORWARD if G.weights[0].dtype == np.float64 else FORWARD_FLOAT32)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
@given(generators(), seeds)
@example(DEAD, 0)
@example(Generator([W, W.T], None, PLU()), 1)
def test_signals_layers_and_jacobians(symmetry, G, seed):
    rng = np.random.default_rng(seed)
    same, z = symmetry(G, rng), rng.standard_normal((3, G.sizes[0])).astype(G.weights[0].dtype)
    z_other, tol = same.latent(z), accuracy(G, z)
    np.testing.assert_allclose(same.other(z_other), G(z), rtol=0, atol=tol)
    pairs = zip(same.other.layers(z_other), G.layers(z), strict=True)
    for i, (found, x) in enumerate(pairs, start=1):
        expected = same.layer(i, x)
        np.testing.assert_allclose(found, expected, rtol=0, atol=8 * tol)
    turned = same.latent(np.eye(G.sizes[0]))  # z_other = z @ turned
    J, J_other = jacobian(G, z), jacobian(same.other, z_other) @ turned.T
    np.testing.assert_allclose(J_other, J, rtol=0, atol=tol * max(1, np.abs(J).max()))


@given(generators(activation="identity", bias=False), seeds)
@example(Generator([W, W.T]), 0)
def test_without_biases_a_generator_is_homogeneous(G, seed):
    """G(c z) = c G(z) for c >= 0, and no support changes."""
    z = np.random.default_rng(seed).standard_normal((3, G.sizes[0])).astype(G.weights[0].dtype)
    for c in (0.25, 8.0):
        np.testing.assert_array_equal(G(c * z), c * G(z))
        for S_c, S in zip(G.supports(c * z), G.supports(z), strict=True):
            np.testing.assert_array_equal(S_c, S)


@given(generators(), seeds)
@example(DEAD, 0)
def test_frozen_supports_make_the_generator_affine(G, seed):
    """J z + k is what goes into phi, at z and wherever its supports are the same."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((3, G.sizes[0])).astype(G.weights[0].dtype)
    J, k = frozen(G, G.supports(z))
    found = G.activation((J @ z[:, :, None].astype(np.float64))[:, :, 0] + k)
    np.testing.assert_allclose(found, G(z), rtol=0, atol=accuracy(G, z))


def test_that_a_wrong_scale_would_be_seen():
    G, rng = Generator([W, W.T]), np.random.default_rng(0)
    same, z = homogeneity(G, rng), rng.standard_normal(2)
    assert any((same.layer(1, x) != x).any() for x in G.layers(z))
