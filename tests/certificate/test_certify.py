"""Certificate and support from one evaluation: what `verify` and `support` say apart, for arrays
and tensors; the natural residual.
"""

from dataclasses import fields
from itertools import product

import numpy as np
import pytest
import torch

from cvxinv import LastLayer, LinearProgram, certificate, newton, verify
from tests.support.instances import CLASSES, DATA, KINDS, SEEDS, SIGNALS, solved, tensors
from tests.support.tolerances import ALONE

FIGURES = ("objective", "lower_bound", "gap", "kkt", "violation")


def same(problem, x, dual, q=None):
    """`certify`, after a check that it says what `verify` and `support` say."""
    c, nonzero = certificate.certify(problem, x, dual, q)
    apart = verify(problem, x, dual)
    for name in FIGURES:
        np.testing.assert_array_equal(getattr(c, name), getattr(apart, name))
    np.testing.assert_array_equal(nonzero, certificate.support(problem, x, dual))
    assert type(nonzero) is type(x)
    return c, np.asarray(nonzero)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", CLASSES)
def test_certify_is_verify_and_support(cls, kind):
    rng = np.random.default_rng(0)
    for seed in SEEDS:
        problem, sol = solved(cls, kind, seed)
        twin = tensors(problem)
        dual = np.zeros_like(getattr(problem, DATA[cls])) if sol.dual is None else sol.dual
        for x in (sol.x, sol.x + 0.1 * rng.standard_normal(sol.x.shape) * np.abs(sol.x).max()):
            here, _ = same(problem, x, dual, problem.quadratic())
            there, _ = same(twin, torch.tensor(x), torch.tensor(dual), twin.quadratic())
            for name in FIGURES:
                np.testing.assert_allclose(
                    getattr(there, name), getattr(here, name), rtol=1e-6, atol=ALONE
                )
        np.testing.assert_array_equal(same(problem, sol.x, dual)[1], sol.support)


@pytest.mark.parametrize("cls", CLASSES)
def test_without_multipliers_alone_and_spoilt(cls):
    problem, sol = solved(cls, "mask", 2)
    same(problem, sol.x, None)
    x = sol.x.copy()
    x[1, 0] = np.nan
    c, nonzero = same(problem, x, sol.dual)
    assert c.kkt[1] == np.inf
    assert not nonzero[1].any()
    np.testing.assert_array_equal(nonzero[::2], sol.support[::2])
    one = {f.name: getattr(problem, f.name) for f in fields(problem)}
    one = {k: v[0] if np.shape(v)[:1] == (SIGNALS,) else v for k, v in one.items()}
    c, nonzero = same(cls(**one), sol.x[0], None if sol.dual is None else sol.dual[0])
    assert c.kkt.ndim == 0
    np.testing.assert_array_equal(nonzero, sol.support[0])


@pytest.mark.parametrize("activation", ["tanh", "plu"])
def test_a_statement_that_is_not_convex(activation):
    problem, sol = solved(LastLayer, "noisy", 3)
    problem = LastLayer(problem.W, np.tanh(problem.y), activation, problem.bias, problem.lam)
    for statement, x in ((problem, sol.x), (tensors(problem), torch.tensor(sol.x))):
        c, _ = same(statement, x, None)
        assert np.isnan(np.asarray(c.gap)).all()


def test_a_linear_program():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((12, 4))
    problem = LinearProgram(W, rng.standard_normal((3, 12)))
    same(problem, rng.exponential(size=(3, 4)), rng.standard_normal((3, 12)))


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
        clear = (
            np.abs(np.abs(x + r) - lam) > rounding
        )  # which case it is does not depend on rounding
        np.testing.assert_array_equal(found[clear], expected[clear])


def test_nothing_cancels_where_the_point_outweighs_its_gradient():
    x, r, lam = (
        np.array([1e8, 1.0, 1e16]),
        np.array([1e-9, 1e-300, -1e-3]),
        np.array([0.0, 0.0, 1e-4]),
    )
    np.testing.assert_array_equal(newton.natural(x, r, lam, True), lam - r)
    np.testing.assert_array_equal(newton.natural(-x, -r, lam, False), r - lam)
