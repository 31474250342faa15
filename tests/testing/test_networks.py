"""Generators and their signals, as they were asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxinv import Generator
from cvxinv.activations import PLU, Sigmoid
from cvxinv.testing import generators, signals
from tests.support.draws import drawn

W = np.array([[1.0, 2.0], [-3.0, 0.5], [0.25, -1.0]])
G = Generator([W, W.T], [W[:, 0], W[0]])


@given(generators(depth=(2, 3), width=(2, 4), bias=True, dtype="float32"))
def test_sizes_biases_and_dtype(G):
    assert G.depth in (2, 3)
    assert set(G.sizes) <= {2, 3, 4}
    assert {a.dtype for a in (*G.weights, *G.biases)} == {np.dtype("f4")}


def test_all_sorts_are_drawn():
    found = drawn(generators(), 100)
    assert {G.depth for G in found} == {1, 2, 3}
    assert {G.biases is None for G in found} == {False, True}
    assert {G.activation.name for G in found} == {
        "identity",
        "tanh",
        "sigmoid",
        "leaky_relu",
        "plu",
    }
    assert {G.weights[0].dtype.name for G in found} == {"float32", "float64"}
    assert all(G.biases is None for G in drawn(generators(bias=False)))


@pytest.mark.parametrize(
    ("given_", "expected"),
    [("sigmoid", Sigmoid()), (PLU(0.5, 2.0), PLU(0.5, 2.0)), (st.just(Sigmoid()), Sigmoid())],
)
def test_the_activation_of_the_output(given_, expected):
    assert {G.activation for G in drawn(generators(activation=given_), 5)} == {expected}


@given(generators().flatmap(lambda G: st.tuples(st.just(G), signals(G))))
def test_signals_are_those_of_their_latent_vectors(drawn_):
    G, found = drawn_
    assert 1 <= len(found.z) <= 3
    assert found.y.dtype == G.weights[0].dtype
    assert found.observed.all()
    np.testing.assert_array_equal(found.y, G(found.z.astype(found.y.dtype)))


@given(signals(G, batch=(0, 2), noise=0.5, hidden=0.5))
def test_noise_and_hidden_pixels(found):
    assert found.observed.shape == found.y.shape == (len(found.z), 2)
    np.testing.assert_array_equal(np.isnan(found.y), ~found.observed)
    assert (found.y != G(found.z))[found.observed].all()


def test_shares_and_sizes():
    noisy = np.concatenate([s.y - G(s.z) for s in drawn(signals(G, batch=3, noise=0.5), 100)])
    assert abs(noisy.std() - 0.5) < 0.1
    seen = np.concatenate([s.observed for s in drawn(signals(G, batch=3, hidden=0.25), 100)])
    assert abs(seen.mean() - 0.75) < 0.15
    assert not any(s.observed.any() for s in drawn(signals(G, hidden=1.0)))
