"""Certificates of linear programs: bounds whatever the multipliers, of the rows that enter."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import LinearProgram, reference, verify
from tests.support.tolerances import BOUND

DRAWS = st.integers(0, 2**32 - 1)


def program(draw, norm, nonnegative):
    rng = np.random.default_rng(draw)
    W = rng.standard_normal((8, 3)) * 10.0 ** rng.integers(-3, 4)
    x_next = np.maximum(rng.standard_normal((2, 8)), 0)
    return LinearProgram(W, x_next, norm=norm, nonnegative=nonnegative), rng


@given(
    draw=DRAWS,
    norm=st.sampled_from(["linf", "l1"]),
    nonnegative=st.booleans(),
    power=st.sampled_from([-300, -9, 0, 3, 300]),
)
@example(draw=0, norm="linf", nonnegative=False, power=3)
@example(draw=1, norm="l1", nonnegative=True, power=0)
def test_no_multipliers_make_a_bound_above_the_optimum(draw, norm, nonnegative, power):
    problem, rng = program(draw, norm, nonnegative)
    sol = reference.solve(problem)
    size_of_data = np.abs(problem.x_next).sum(axis=1)
    best, noise = sol.certificate.objective, rng.standard_normal(sol.dual.shape)
    size = 10.0**power
    for dual in (size * sol.dual, -sol.dual, size * noise, sol.dual + 1e-11 * noise, 0 * noise):
        for x in (sol.x, 0 * sol.x, np.abs(noise[:, :3])):
            c = verify(problem, x, dual)
            assert not (c.lower_bound > best + BOUND * size_of_data).any()
            assert not (c.optimal(1e-6) & (c.objective > best + 1e-5 * size_of_data)).any()
    scaled = verify(problem, sol.x, 1000 * sol.dual)
    # at its best multiple
    np.testing.assert_allclose(scaled.lower_bound, best, rtol=1e-9, atol=1e-12 * size_of_data.max())
    assert not scaled.optimal(1e-6)[sol.dual.any(axis=1)].any()
    lost = verify(problem, sol.x, np.full_like(noise, np.nan))
    assert not lost.optimal(1e-6).any()
    assert np.isnan(lost.lower_bound).all()


@pytest.mark.parametrize("norm", ["linf", "l1"])
def test_rows_that_are_not_observed_change_nothing(norm):
    rng = np.random.default_rng(1)
    W, x_next = rng.standard_normal((6, 3)), np.abs(rng.standard_normal((1, 6)))
    seen = np.array([1, 1, 0, 1, 1, 0], bool)
    dual, x = rng.standard_normal((1, 6)), np.abs(rng.standard_normal((1, 3)))
    large = np.where(seen[:, None], W, 1e9 * W)
    bias = np.where(seen, 0.1, 1e12)
    hidden = LinearProgram(large, x_next, bias=bias, norm=norm, observed=seen)
    deleted = LinearProgram(W[seen], x_next[:, seen], bias=bias[seen], norm=norm)
    one, two = verify(hidden, x, dual), verify(deleted, x, dual[:, seen])
    for name in ("objective", "lower_bound", "gap", "kkt", "violation"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-12)


def test_multipliers_have_to_be_given():
    problem, _ = program(0, "linf", True)
    with pytest.raises(ValueError, match="dual: a LinearProgram is verified with"):
        verify(problem, np.zeros((2, 3)))
