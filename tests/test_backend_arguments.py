"""What the pursuits say of arguments that are of the wrong kind altogether."""

import numpy as np
import pytest

from cvxinv import BasisPursuit, Generator, latent_pursuit, layered_basis_pursuit

W = [np.eye(3, 2), np.eye(4, 3)]


@pytest.mark.parametrize("pursuit", [latent_pursuit, layered_basis_pursuit])
def test_wrong_kinds_are_named(pursuit):
    with pytest.raises(TypeError, match=r"^solve: expected a callable"):
        pursuit(Generator(W), np.ones(4), solve="CLARABEL")
    with pytest.raises(TypeError, match=r"^G: expected a cvxinv.Generator"):
        pursuit(W, np.ones(4))


@pytest.mark.parametrize("weight", [np.nan, np.inf, -1.0])
def test_weights_per_column_are_finite(weight):
    with pytest.raises(ValueError, match=r"^lam: expected finite entries >= 0"):
        BasisPursuit(np.eye(3), np.ones(3), lam=np.array([0.1, weight, 0.1]))
