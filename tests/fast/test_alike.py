"""Signals with the most common mask are solved together: an answer is what it is alone."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import fast
from cvxinv import Status
from cvxinv.problems import LastLayer
from fast import alike
from tests.support.tolerances import ALONE


def problem(masks, seed=0, noise=0.0, lam=0.0):
    """Signals of one matrix (40, 12), with these masks."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((40, 12))
    x = np.maximum(rng.standard_normal((len(masks), 12)), 0.0)
    y = x @ W.T + noise * rng.standard_normal((len(masks), 40))
    return LastLayer(W, y, lam=lam, observed=masks), x


def masks_of(kinds, seed=0):
    """Masks (B, 40), equal where the kinds are."""
    rng = np.random.default_rng(seed)
    return (rng.random((6, 40)) < 0.8)[list(kinds)]


@pytest.mark.parametrize("lam", [0.0, 0.1])
@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize(
    "kinds", [[0], [0, 0], [0, 1], [0, 0, 1, 0, 2, 0], [3, 1, 1, 2, 1], [0, 1, 2, 3, 4, 5]]
)
def test_answers_are_what_they_are_alone(kinds, noise, lam):
    p, _ = problem(masks_of(kinds), noise=noise, lam=lam)
    found = fast.solve(p)
    for b in range(len(kinds)):
        alone = fast.solve(LastLayer(p.W, p.y[b], lam=lam, observed=p.observed[b]))
        assert found.status[b] is alone.status is Status.OPTIMAL
        assert np.linalg.norm(found.x[b] - alone.x) <= ALONE * np.linalg.norm(alone.x)
        np.testing.assert_array_equal(found.support[b], alone.support)


def test_bad_signals_starts_and_the_printed_algorithms():
    p, x = problem(masks_of([0, 1, 0, 0, 2, 0]))
    p.y[2, p.observed[2].argmax()] = np.nan
    found = fast.solve(p, x0=x + 0.1)
    assert found.status[2] is Status.NONFINITE
    good = [0, 1, 3, 4, 5]
    assert all(s is Status.OPTIMAL for s in found.status[good])
    np.testing.assert_allclose(found.x[good], x[good], atol=1e-9)
    printed = fast.solve(p, method="fista")
    assert printed.status[2] is Status.NONFINITE


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 70))
@example([0], 1)
@example([1, 1, 2], 3)
def test_most_common(kinds, n):
    masks = torch.tensor(np.random.default_rng(n).random((4, n)) < 0.5)[kinds]
    mask, same = alike.most_common(masks)
    count = max(int((masks == m).all(1).sum()) for m in masks)
    assert int(same.sum()) == count
    assert torch.equal(same, (masks == mask).all(1))
