"""spark against brute force, exact arithmetic and known values, within its budget."""

import math
import time

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import hadamard

from cvxinv.guarantees import (
    mutual_coherence,
    spark,
    sub_rank,
    sub_spark,
    submatrix_coherence,
)
from cvxinv.guarantees.dependence import Columns
from cvxinv.guarantees.spark import Search
from cvxinv.guarantees.spark import bracket as search
from tests.support import dependence as brute
from tests.support.tolerances import COHERENCE

SEEDS = range(30)  # times len(KINDS): 360 matrices


def planted(rng, m, n, size):
    """W (m, n) whose only dependent set of `size` columns is found by nothing but searching."""
    W = rng.standard_normal((m, n))
    T = rng.permutation(n)[:size]
    W[:, T[0]] = W[:, T[1:]] @ rng.choice([-1, 1], size - 1)
    return W


@pytest.mark.parametrize("kind", brute.KINDS)
def test_spark_is_that_of_brute_force(kind):
    for seed in SEEDS:
        W = brute.matrix(kind, seed)
        truth = brute.spark(W)
        for found in (spark(W, 10.0), spark(W, 10.0, method="enumeration")):
            assert (found.lower, found.upper) == (truth, truth), (W, found)
        assert truth in spark(W, 0.0)
        if seed < 5:
            found = spark(W, 5.0, method="milp")
            assert found.lower == truth == found.upper, (W, found)


@given(
    arrays(
        float,
        st.tuples(st.integers(1, 4), st.integers(1, 6)),
        elements=st.integers(-3, 3).map(float),
    )
)
@example(np.zeros((1, 1)))
@example(np.ones((1, 1)))
@example(np.eye(4))
@example(np.array([[1.0, 0, 1, 1], [0, 1, 1, -1], [0, 0, 0, 0]]))
@example(np.array([[1.0, 2, 3], [3, 2, 1], [2, 2, 2]]))
def test_spark_is_that_of_exact_arithmetic(W):
    truth = brute.spark(W, brute.exact_rank)
    found = spark(W, 10.0)
    assert found.lower == truth == found.upper
    assert truth in spark(W, 0.0)


def test_spark_of_generic_8_by_16_is_exact_quickly():
    W = np.random.default_rng(0).standard_normal((8, 16))
    start = time.monotonic()
    found = spark(W, 30.0)
    assert (found.lower, found.upper) == (9, 9)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("size", [4, 6])
def test_planted_dependency_of_20_by_40_is_found(size):
    W = planted(np.random.default_rng(size), 20, 40, size)
    found = spark(W, 60.0)
    assert (found.lower, found.upper) == (size, size)


def test_planted_dependency_beyond_enumeration_is_found():
    found = search(planted(np.random.default_rng(0), 40, 80, 6), 1e-12, 60.0, above=6)
    assert found.upper == 6
    assert found.lower >= 3
    assert "confirmed" in found.method


def test_spark_of_identity_and_hadamard_16():
    found = search(
        np.hstack([np.eye(16), hadamard(16)]), 1e-12, 60.0, above=8
    )  # 2 sqrt(16); the proof takes longer
    assert found.upper == 8
    assert found.lower >= 6


@pytest.mark.parametrize("method", ["auto", "enumeration", "milp"])
def test_what_solvers_would_call_dependent_is_not_claimed(method):
    rng = np.random.default_rng(0)
    W = planted(rng, 6, 10, 4) + 1e-9 * rng.standard_normal((6, 10))
    assert 7 in spark(W, 3.0, method=method)


def test_milp_keeps_its_budget():
    start = time.monotonic()
    assert 11 in spark(np.random.default_rng(1).standard_normal((10, 20)), 1.0, method="milp")
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("shape", [(40, 300), (60, 120)])
def test_auto_keeps_its_budget(shape):
    start = time.monotonic()
    found = spark(np.random.default_rng(1).standard_normal(shape), 1.0)
    assert time.monotonic() - start < 20
    assert shape[0] + 1 in found


@pytest.mark.parametrize("kind", brute.KINDS)
def test_null_vectors_alone_are_exact(kind):
    for seed in range(10):
        columns = Columns.of(W := brute.matrix(kind, seed), 1e-13)
        if columns.rank < W.shape[1] and not columns.zero.any():
            found = Search(columns, math.inf)
            found._null_vectors(W.shape[1] - columns.rank)
            assert found.lower == brute.spark(W) == found.upper


@pytest.mark.parametrize("kind", ["wide", "planted", "repeated", "hadamard_half", "zero_column"])
def test_circuits_are_minimal(kind):
    columns = Columns.of(brute.matrix(kind, 0), 1e-12)
    every = np.arange(columns.X.shape[1])
    for T in (every, every[::-1]):
        if columns.dependent(T):
            T = columns.circuit(T)
            assert columns.dependent(T)
            assert not any(columns.dependent(T[j != T]) for j in T)


def test_null_vectors_decide_matrices_that_are_nearly_square():
    W = np.random.default_rng(0).standard_normal((78, 80))
    found = spark(W, 10.0)
    assert (found.lower, found.upper) == (79, 79)
    W[:, 11] = W[:, 30:50] @ np.ones(20)
    assert spark(W, 10.0).upper == 21


def test_spark_by_convention_and_for_random_weights():
    assert spark(np.eye(3)).lower == 4
    assert "convention" in spark(np.eye(3)).method
    for shape, value in (((5, 3), 4), ((3, 5), 4), ((4, 4), 5)):
        found = spark(np.zeros(shape), generic=True)
        assert (found.lower, found.upper) == (value, value)
        assert "almost surely" in found.method
        assert spark(np.random.default_rng(0).standard_normal(shape)).lower == value


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8, 1e200, 1e-200])
@pytest.mark.parametrize("kind", ["planted", "gaussian", "repeated", "zero_column"])
def test_scale_and_order_change_nothing(kind, scale):
    rng = np.random.default_rng(1)
    W = brute.matrix(kind, 1)
    truth = brute.spark(W)
    for V in (
        scale * W,
        scale * W * 10.0 ** rng.integers(-6, 7, W.shape[1]),
        W[:, ::-1],
        W[::-1],
        np.asfortranarray(W),
        np.repeat(W, 2, 0)[::2],
    ):
        assert spark(V).lower == truth == spark(V).upper
    assert submatrix_coherence(scale * W, 1).upper == submatrix_coherence(W, 1).upper
    np.testing.assert_allclose(mutual_coherence(scale * W), mutual_coherence(W), atol=COHERENCE)


@pytest.mark.parametrize("kind", brute.KINDS)
def test_float32_and_tensors(kind):
    W = brute.matrix(kind, 3)
    narrow = W.astype(np.float32)
    assert spark(torch.tensor(W)) == spark(W)
    assert spark(torch.tensor(narrow)) == spark(narrow)
    if kind != "scaled":
        assert spark(narrow).lower == brute.spark(W)
    for f in (sub_spark, sub_rank, submatrix_coherence):
        assert f(torch.tensor(W), 1) == f(W, 1)


def test_the_tolerance_is_the_callers():
    W = np.array([[1.0, 1.0], [0.0, 1e-3]])
    assert spark(W).lower == 3
    assert spark(W, tol=1e-2).lower == 2
    assert spark(W.astype(np.float32)).lower == 3
    assert sub_rank(W, 2, tol=1e-2).upper == 1
