"""sub-spark, sub-rank, mu and mu_s: against brute force, exact arithmetic and what must hold for
many rows.
"""

from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cvxinv.guarantees import mutual_coherence, sub_rank, sub_spark, submatrix_coherence
from tests.support import dependence as brute
from tests.support.tolerances import COHERENCE


@pytest.fixture(params=[True, False], ids=["enumerated", "bounded"])
def enumerated(request, monkeypatch):
    """Whether row sets may be enumerated; small ones always are otherwise, and nothing else would
    be tested.
    """
    if not request.param:
        for name in ("sub_rank", "sub_spark"):
            module = import_module(f"cvxinv.guarantees.{name}")
            monkeypatch.setattr(module, "SETS", 0)
        module = import_module("cvxinv.guarantees.submatrix_coherence")  # not the function
        monkeypatch.setattr(module, "ENUMERATED", 0)
    return request.param


# -- over subsets of the rows ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", brute.KINDS)
def test_row_subsets_against_brute_force(kind, enumerated):
    for seed in range(30):
        W = brute.matrix(kind, seed, largest=5 if kind != "hadamard_half" else 8)
        for s in {1, len(W) // 2 or 1, len(W)}:
            least, lowest = (
                brute.over_rows(brute.spark, min, W, s),
                brute.over_rows(brute.rank, min, W, s),
            )
            highest = brute.over_rows(brute.coherence, max, W, s)
            found = sub_spark(W, s, 5.0 if enumerated else 0.1)
            assert least in found, (W, s, found)
            assert found.exact or not enumerated, (W, s, found)
            found = sub_rank(W, s)
            assert found.lower == lowest == found.upper, (W, s, found)
            found = submatrix_coherence(W, s)
            assert found.lower - COHERENCE <= highest <= found.upper + COHERENCE, (W, s, found)
            assert found.upper - found.lower < 2e-9


@given(
    arrays(
        float,
        st.tuples(st.integers(1, 5), st.integers(1, 4)),
        elements=st.integers(-2, 2).map(float),
    ),
    st.integers(0, 4),
)
@example(np.zeros((3, 2)), 1)
@example(np.array([[1.0, 1], [1, 1], [1, 2], [0, 0]]), 2)
@example(np.array([[1.0, 0], [0, 1], [0, 1]]), 1)
def test_row_subsets_against_exact_arithmetic(W, s):
    s = min(s + 1, len(W))
    found = sub_rank(W, s)
    assert found.lower == brute.over_rows(brute.exact_rank, min, W, s) == found.upper
    found = sub_spark(W, s, 10.0)
    assert (
        found.lower
        == brute.over_rows(lambda V: brute.spark(V, brute.exact_rank), min, W, s)
        == found.upper
    )


def test_row_subsets_of_random_weights():
    W = np.random.default_rng(0).standard_normal((9, 4))
    for s in range(1, 10):
        for f, value in ((sub_spark, min(s, 4) + 1), (sub_rank, min(s, 4))):
            assert f(W, s).lower == value == f(W, s).upper
            assert f(0 * W, s, generic=True).lower == value
            assert "almost surely" in f(W, s, generic=True).method


def test_too_many_row_sets_leave_a_bracket():
    W = np.random.default_rng(0).standard_normal((60, 12))
    found = sub_spark(W, 30, 1.0)
    assert 13 in found
    assert found.lower >= 2
    found = sub_rank(W, 30, 0.5)
    assert 12 in found
    assert found.lower > 0
    found = sub_rank(W, 55, 0.5)
    assert found.lower >= 7
    W[:31] = W[:31, :3] @ np.ones((3, 12))
    assert sub_rank(W, 30, 5.0).upper == 1
    assert submatrix_coherence(W, 30, 5.0).upper == pytest.approx(1)


def test_mu_s_of_many_rows_is_attained_and_bounded():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((60, 12))
    found = submatrix_coherence(W, 40)
    assert found.upper - found.lower < 2e-9
    masks = np.argsort(rng.random((500, 60)), axis=1) < 40
    assert mutual_coherence(W, masks).max() <= found.upper
    assert submatrix_coherence(W, 60).lower == mutual_coherence(W) < found.lower
    assert found.lower in submatrix_coherence(W, 40, 0.0)


# -- coherence -------------------------------------------------------------------------------------


def test_mu_s_where_squares_would_vanish():
    W = np.random.default_rng(0).standard_normal((40, 6))
    W[:20, 0] *= 1e-200
    found = submatrix_coherence(W, 10)
    assert mutual_coherence(W[:10]) <= 1 == found.upper
    assert 0 < found.lower < 1
    assert "smallest entries" in found.method


@pytest.mark.parametrize("kind", brute.KINDS)
def test_coherence_of_row_masks(kind):
    W = brute.matrix(kind, 4)
    rows = np.random.default_rng(0).random((20, len(W))) < 0.6
    rows[0], rows[1] = True, False
    found = mutual_coherence(W, rows)
    assert found.shape == (20,)
    np.testing.assert_allclose(found, [brute.coherence(W[S]) for S in rows], atol=COHERENCE)
    np.testing.assert_allclose([mutual_coherence(W, S) for S in rows], found, atol=COHERENCE)
    assert mutual_coherence(W, rows[:0]).shape == (0,)
    assert isinstance(mutual_coherence(W), float)
    tensor = mutual_coherence(torch.tensor(W), rows)
    assert tensor.dtype == torch.float64
    np.testing.assert_allclose(tensor, found, atol=COHERENCE)


def test_coherence_in_chunks(monkeypatch):
    W, rows = brute.matrix("wide", 0), np.random.default_rng(0).random((50, 3)) < 0.7
    whole = mutual_coherence(W, rows)
    monkeypatch.setattr("cvxinv.guarantees.coherence.BYTES", 8 * 8 * 8 * 7)
    np.testing.assert_array_equal(mutual_coherence(W, rows), whole)


@pytest.mark.parametrize("kind", brute.KINDS)
def test_coherence_bounds_spark(kind):
    W = brute.matrix(kind, 5)
    mu, truth = mutual_coherence(W), brute.spark(W)
    assert (mu > 1 - 1e-12) == (truth <= 2)
    assert truth == 1 or mu == 0 or truth >= 1 + 1 / mu - 1e-9
