"""Theorem 4: the bounds against the exact expectation, that against the mean of many draws, and
what is left without full rank.
"""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import Generator
from cvxinv.guarantees import Verdict, oracle_error
from tests.support.instances import generator
from tests.support.tolerances import FORWARD
from validation.tightness.theorem_4 import oracles, theorem4

HOLDS, FAILS, UNDECIDED = Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED


@pytest.mark.parametrize(("name", "G", "z"), oracles(), ids=["orthogonal", "Gaussian"])
def test_theorem_4_by_monte_carlo(name, G, z):
    """The mean of 3 000 draws lies within 4.5 standard errors of what is expected, and that within
    the bounds.
    """
    for row in theorem4(name, G, z, draws=3_000):
        half = (row["interval_99"][1] - row["mean"]) * 4.5 / 2.576
        assert abs(row["mean"] - row["expected"]) < half
        assert row["lower"] * (1 - FORWARD) <= row["expected"] <= row["upper"] * (1 + FORWARD)
        if name == "orthogonal":
            assert row["upper"] == pytest.approx(row["lower"], rel=1e-9)
        else:
            assert row["upper"] > 2 * row["lower"]


@given(st.integers(0, 10**6), st.sampled_from([(2, 9), (2, 8, 20), (2, 6, 12, 30)]), st.booleans())
@example(0, (2, 6, 12, 30), False)
def test_theorem_4_brackets_what_is_expected(seed, hidden, masked):
    G, rng = generator((*hidden, 50), seed=seed), np.random.default_rng(seed)
    seen = rng.random((4, 50)) < 0.8 if masked else None
    S = G.supports(rng.standard_normal((4, 2)))
    bounds = oracle_error(G, S, 0.3, seen)
    for lower, upper, expected in zip(bounds.lower, bounds.upper, bounds.expected, strict=True):
        known = np.isfinite(expected)
        assert (lower[known] <= expected[known] * (1 + 1e-9)).all()
        assert (expected[known] <= upper[known] * (1 + 1e-9)).all()
        assert np.isinf(upper[~known]).all()
        assert (lower[~known] == 0).all()


def test_theorem_4_without_full_column_rank():
    """Fewer rows than columns: nothing is known of that layer and of those below. Dependent
    columns: rounding cannot tell.
    """
    G = Generator([np.eye(3), np.ones((2, 3)), np.eye(2)])
    S = [
        np.array([[True, True, True], [True, True, False], [True, False, False]]),
        np.ones((3, 2), bool),
    ]
    bounds = oracle_error(G, S, 0.1)
    assert bounds.conditions[1].tolist() == [FAILS, UNDECIDED, HOLDS]
    assert bounds.conditions[0].tolist() == [HOLDS, FAILS, FAILS]
    np.testing.assert_allclose(bounds.upper[2], 0.02)
    np.testing.assert_allclose(bounds.upper[1], [np.inf, np.inf, 0.005])
    assert np.isnan(bounds.expected[0]).all()
    empty = oracle_error(G, [S[0] & False, S[1] & False], 0.1)
    assert (empty.upper[1] == 0).all()
    assert np.isinf(empty.upper[0]).all()
