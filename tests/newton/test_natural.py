"""The natural residual against its definition, for arrays and tensors."""

from itertools import product

import numpy as np
import torch

from cvxinv import newton


def by_prox(x, r, lam, nonnegative):
    """The natural residual as it is defined, by cases."""
    w = x + r
    return np.where(w > lam, lam - r, np.where((w < -lam) & ~nonnegative, -lam - r, x))


SIZES = (0.0, 1e-300, 1e-16, 1.0, np.nextafter(1.0, 2.0), 1 / 3, 1e8)


def test_the_natural_residual_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    signed = [sign * size for size in SIZES for sign in (1, -1)]
    x, r, lam = np.array(list(product(signed, signed, SIZES))).T
    ties = rng.standard_normal((2, 1000))  # x + r = +-lam
    x = np.concatenate(
        [x, 10.0 ** rng.uniform(-20, 9, 5000) * rng.standard_normal(5000), ties[0], ties[0]]
    )
    r = np.concatenate(
        [
            r,
            10.0 ** rng.uniform(-20, 9, 5000) * rng.standard_normal(5000),
            np.abs(ties[1]) - ties[0],
            -np.abs(ties[1]) - ties[0],
        ]
    )
    lam = np.concatenate([lam, 10.0 ** rng.uniform(-20, 9, 5000), np.abs(ties[1]), np.abs(ties[1])])
    rounding = 4 * np.finfo(float).eps * np.maximum(np.maximum(np.abs(x), np.abs(r)), lam)
    for nonnegative in (False, True):
        mask = np.full(x.shape, nonnegative)
        expected = by_prox(x, r, lam, mask)
        for given in (nonnegative, mask):
            found = newton.natural(x, r, lam, given)
            assert (np.abs(found - expected) <= rounding).all()
            like = torch.tensor(given) if given is mask else given
            np.testing.assert_array_equal(
                newton.natural(*map(torch.tensor, (x, r, lam)), like), found
            )
        # which case it is does not depend on rounding
        clear = np.abs(np.abs(x + r) - lam) > rounding
        np.testing.assert_array_equal(found[clear], expected[clear])


def test_nothing_cancels_where_the_point_outweighs_its_gradient():
    x, r = np.array([1e8, 1.0, 1e16]), np.array([1e-9, 1e-300, -1e-3])
    lam = np.array([0.0, 0.0, 1e-4])
    np.testing.assert_array_equal(newton.natural(x, r, lam, True), lam - r)
    np.testing.assert_array_equal(newton.natural(-x, -r, lam, False), r - lam)
