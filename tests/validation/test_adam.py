"""The rival of `invert` is a fair one: it descends on eq. 1 and gives the best point that it
saw.
"""

import numpy as np
import pytest
import torch

from tests.support.instances import generator
from validation.adam import adam


@pytest.mark.parametrize("phi", ["identity", "sigmoid"])
@pytest.mark.parametrize("masked", [False, True])
def test_it_finds_z_from_near_by_and_never_gets_worse(phi, masked):
    rng = np.random.default_rng(0)
    G, z = generator((3, 10, 40), phi, biased=True), rng.standard_normal((4, 3))
    seen = rng.random((4, 40)) > 0.3 if masked else np.ones((4, 40), bool)
    y = np.where(seen, G(z), 1e3)  # what is hidden is nothing to it
    start = z + 0.1 * rng.standard_normal(z.shape)
    given = (torch.tensor(a, dtype=torch.float32) for a in (y, start))
    mask = torch.tensor(seen, dtype=torch.float32) if masked else None
    objective, found = adam(G, *given, mask)

    def eq_1(point):
        return 0.5 * (seen * (y - G(point)) ** 2).sum(axis=1)

    np.testing.assert_allclose(objective, eq_1(found.double().numpy()), rtol=1e-3, atol=1e-6)
    assert (eq_1(found.double().numpy()) <= eq_1(start)).all()
    assert np.abs(found.numpy() - z).max() < 1e-2
