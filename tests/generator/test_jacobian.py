"""The Jacobian against differences, and on kinks."""

import numpy as np
import pytest
import torch

from cvxinv import Generator
from cvxinv.generator.jacobian import jacobian
from tests.support.instances import generator


@pytest.mark.parametrize("phi", ["identity", "tanh", "sigmoid", "plu", "leaky_relu"])
def test_differences(phi):
    G = generator((3, 9, 14, 20), phi, biased=True)
    z, h = np.random.default_rng(0).standard_normal((5, 3)), 1e-6
    seen = np.random.default_rng(1).random((5, 20)) < 0.6
    steps = h * np.eye(3)
    expected = np.stack([(G(z + e) - G(z - e)) / (2 * h) for e in steps], axis=2)
    for observed in (None, seen, seen[0]):
        mask = np.ones((5, 20)) if observed is None else observed * np.ones((5, 20))
        found = jacobian(G, z, observed)
        np.testing.assert_allclose(found, mask[:, :, None] * expected, atol=1e-8)
        tensors = jacobian(G, torch.from_numpy(z), observed)
        np.testing.assert_allclose(tensors, found, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("size", [1e-200, 1e-6, 1.0, 1e6, 1e200])
def test_a_unit_that_rounding_turned_on_is_off(size):
    """max(0, z_1 - z_2) at z_1 = z_2, in any unit of z and of the layer."""
    W = np.array([[1.0, -1.0], [1.0, 1.0]])
    G = Generator([W / size, np.eye(2)])
    for dtype, rounding, more in (("f8", 1e-15, 1e-8), ("f4", 3e-7, 1e-3)):
        if dtype == "f4" and not 1e-30 < size < 1e30:
            continue
        z = size * np.array([[1.0 + rounding, 1.0], [1.0 + more, 1.0], [1.0, 1.0]])
        on = (jacobian(G, z.astype(dtype)) * size)[:, 0]
        np.testing.assert_allclose(on, [[0, 0], [1, -1], [0, 0]], rtol=1e-6)
