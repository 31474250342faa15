"""What theorems say of a generator they say of every other that makes the same signals: z turned,
units scaled and unscaled, in another order.
"""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cvxinv import Generator
from cvxinv.guarantees import oracle_error, uniqueness
from cvxinv.testing import generators
from tests.support.strategies import seeds
from tests.support.symmetries import SYMMETRIES, permutation, rotation

W = np.array([[1.0, 2.0, -1.0], [-3.0, 0.5, 2.0], [0.25, -1.0, 1.0], [2.0, 4.0, -2.0]])
REPEATED = Generator([W[:, :2], W.T[:, :4], np.repeat(W.T[:2], 2, axis=0).T @ np.ones((4, 3))])


def same_supports(G, z, other, its_z):
    """Whether as many units are on in each layer: at a kink rounding decides, in the order in which
    products are added up.
    """
    pairs = zip(G.supports(z), other.supports(its_z), strict=True)
    return all(np.array_equal(S.sum(axis=1), T.sum(axis=1)) for S, T in pairs)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
@given(generators(activation="identity"), seeds, st.sampled_from([1, 2]))
@example(REPEATED, 0, 1)
@example(Generator([W[:, :2], W.T[:, :4]]), 3, 1)
def test_uniqueness(symmetry, G, seed, theorem):
    rng = np.random.default_rng(seed)
    same, z = symmetry(G, rng), rng.standard_normal((3, G.sizes[0])).astype(G.weights[0].dtype)
    assume(same_supports(G, z, same.other, same.latent(z)))
    expected, found = uniqueness(G, z, theorem), uniqueness(same.other, same.latent(z), theorem)
    np.testing.assert_array_equal(found.verdict, expected.verdict)
    np.testing.assert_array_equal(found.injective, expected.injective)
    for c, d in zip(found.conditions, expected.conditions, strict=True):
        assert c.statement == d.statement
        np.testing.assert_array_equal(c.verdict, d.verdict)
        np.testing.assert_array_equal(c.cardinality, d.cardinality)


@pytest.mark.parametrize("symmetry", [rotation, permutation])
@given(generators(activation="identity"), seeds)
@example(Generator([W[:, :2], W.T[:, :4]]), 3)
def test_oracle_error(symmetry, G, seed):
    """Theorem 4 on layers in the same units."""
    rng = np.random.default_rng(seed)
    same, z = symmetry(G, rng), rng.standard_normal((3, G.sizes[0])).astype(G.weights[0].dtype)
    assume(same_supports(G, z, same.other, same.latent(z)))
    expected = oracle_error(G, G.supports(z), 0.1)
    found = oracle_error(same.other, same.other.supports(same.latent(z)), 0.1)
    rtol = 1e-6 if G.weights[0].dtype == np.float64 else 1e-3
    for name in ("lower", "expected", "upper"):
        for a, b in zip(getattr(found, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol)
