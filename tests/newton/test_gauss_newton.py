"""Least-squares steps in a few unknowns against LAPACK, and ranks against planted ones."""

import numpy as np
import pytest
import torch

from cvxinv.newton import gauss_newton

EPS = np.finfo(float).eps


def planted(condition, seed=0, count=5, m=30, n=6):
    """J (count, m, n) with singular values from 1 to 1 / condition, in random units of columns."""
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((count, m, n)))[0]
    V = np.linalg.qr(rng.standard_normal((count, n, n)))[0]
    s = np.geomspace(1, 1 / condition, n)
    return (U * s) @ V, rng.standard_normal((count, m))


@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6, 1e9, 1e12])
@pytest.mark.parametrize("units", [0, 8])
def test_step_is_the_least_squares_solution(condition, units):
    J, e = planted(condition)
    scale = 10.0 ** np.linspace(-units, units, 6)
    d = gauss_newton.step(J * scale, e) * scale
    for one, right, found in zip(J, e, d, strict=True):
        expected = np.linalg.lstsq(one, right)[0]
        error = np.linalg.norm(one @ (found - expected))
        assert error <= 1e3 * EPS * condition * np.linalg.norm(right)


def test_columns_that_depend_get_a_small_step_and_dead_ones_none():
    J, e = planted(10.0)
    J[:, :, 1], J[:, :, 4] = J[:, :, 0], 0.0
    d = gauss_newton.step(J, e)
    assert (d[:, 4] == 0).all()
    np.testing.assert_allclose(d[:, 0], d[:, 1], rtol=1e-6)
    gradient = np.einsum("bmn,bm->bn", J, e - np.einsum("bmn,bn->bm", J, d))
    assert np.abs(gradient).max() < 1e-12


def test_tensors_too():
    J, e = planted(1e8)
    d = gauss_newton.step(torch.from_numpy(J), torch.from_numpy(e))
    fit, expected = (np.einsum("bmn,bn->bm", J, x) for x in (d.numpy(), gauss_newton.step(J, e)))
    np.testing.assert_allclose(fit, expected, atol=1e-7)
    full = gauss_newton.full_rank(torch.from_numpy(J))
    assert full.dtype == torch.bool
    assert full.all()


def kahan(n, c):
    """A triangular matrix whose dependence hardly shows in its pivots."""
    s = np.sqrt(1 - c * c)
    R = s ** np.arange(n)[:, None] * (np.eye(n) - c * np.triu(np.ones((n, n)), 1))
    return R / np.linalg.norm(R, axis=0)


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e9, 1e11, 1e13])
def test_rank(condition):
    J, _ = planted(condition)
    expected = condition < 1e10
    scale = 10.0 ** np.linspace(-12, 12, 6)
    for one in (J, J * scale, J[:, ::-1]):
        assert (gauss_newton.full_rank(one) == expected).all()


def test_ranks_that_are_hard_to_see():
    rng = np.random.default_rng(0)
    few = rng.standard_normal((3, 5, 6))  # fewer rows than columns
    dead = rng.standard_normal((3, 9, 6)) * [1, 1, 1, 0, 1, 1]
    tail = rng.standard_normal((3, 40, 20))
    tail[:, :, 19] = tail[:, :, :19] @ rng.standard_normal(19) + 1e-14
    order = rng.permutation(20)
    for J in (few, dead, tail, tail[:, :, order], tail[:, :, ::-1], np.zeros((3, 4, 2))):
        assert not gauss_newton.full_rank(J).any()
    for n in (20, 60):
        K = kahan(n, 0.285)[None]
        s = np.linalg.svd(K[0], compute_uv=False)
        assert gauss_newton.full_rank(K)[0] == (s[-1] > gauss_newton.RANK * s[0])
    assert gauss_newton.full_rank(rng.standard_normal((3, 40, 20))).all()


def test_a_diagonal_of_ones():
    J, _ = planted(1e3)
    J[:, :, 2] = 0.0
    H = np.swapaxes(J, 1, 2) @ J
    scaled, s = gauss_newton.unit_diagonal(H)
    np.testing.assert_allclose(np.diagonal(scaled, axis1=1, axis2=2), [[1, 1, 0, 1, 1, 1]] * 5)
    np.testing.assert_allclose(scaled / (s[:, :, None] * s[:, None, :]), H, rtol=1e-12)
