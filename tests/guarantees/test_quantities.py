"""spark against brute force and known values, within its budget; what all quantities ask of their
arguments; brackets.
"""

import importlib
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
    Bracket,
    Verdict,
    bracket,
    mutual_coherence,
    spark,
    sub_rank,
    sub_spark,
    submatrix_coherence,
)
from cvxinv.guarantees.dependence import Columns, subsets
from cvxinv.guarantees.spark import Search
from cvxinv.guarantees.spark import bracket as search
from cvxinv.reference import spark as programmes
from tests.support import dependence as brute
from tests.support.tolerances import COHERENCE

SEEDS = range(30)  # times len(KINDS): 360 matrices


def planted(rng, m, n, size):
    """W (m, n) whose only dependent set of `size` columns is found by nothing but searching."""
    W = rng.standard_normal((m, n))
    T = rng.permutation(n)[:size]
    W[:, T[0]] = W[:, T[1:]] @ rng.choice([-1, 1], size - 1)
    return W


# -- spark -----------------------------------------------------------------------------------------


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


# -- the programmes behind it ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["gaussian", "wide", "signs", "hadamard_half", "identity_dct", "planted"]
)
def test_programmes_bound_every_column_from_below(kind):
    W = brute.matrix(kind, 2)
    columns = Columns.of(W, 1e-12)
    if columns.rank == W.shape[1] or columns.zero.any():
        W = np.hstack([np.eye(3), np.ones((3, 1))])
        columns = Columns.of(W, 1e-12)
    X, truth, forever = columns.X, brute.spark(W), time.monotonic() + 60
    linear = list(programmes.linear(X, forever))
    integer = list(programmes.integer(X, range(W.shape[1]), 5.0, forever))
    assert min(f.bound for f in linear) <= truth + 1e-6
    assert min(f.bound for f in integer) == pytest.approx(truth)
    for few, all_of in zip(linear, integer, strict=True):
        assert few.bound <= all_of.bound + 1e-6
        assert few.bound == pytest.approx(
            np.inf if few.v is None else abs(few.v).sum(), abs=1e-6
        )  # strong duality
        for v in (few.v, all_of.v):
            assert v is None or (abs(X @ v).max() < 1e-6 and v[few.k] == pytest.approx(1))


def test_multipliers_prove_their_bound_whoever_made_them():
    rng = np.random.default_rng(0)
    W = brute.matrix("wide", 0)
    values = {
        f.k: abs(f.v).sum() for f in programmes.linear(W, time.monotonic() + 60) if f.v is not None
    }
    for k, value in values.items():
        assert all(
            programmes._weak_duality(W, k, y) <= value + 1e-9
            for y in 3 * rng.standard_normal((50, 3))
        )
    assert programmes._weak_duality(W, 0, None) == 0
    assert programmes._weak_duality(W, 0, np.full(3, np.nan)) == 0


def test_a_solver_that_fails_costs_no_truth(monkeypatch):
    def fails(*_, **__):
        raise programmes.cp.error.SolverError("no")

    monkeypatch.setattr(programmes.cp.Problem, "solve", fails)
    found = spark(np.random.default_rng(0).standard_normal((6, 10)), 0.5, method="milp")
    assert (found.lower, found.upper) == (3, 7)


def test_bounds_for_some_columns_bound_nothing(monkeypatch):
    monkeypatch.setattr(
        programmes, "linear", lambda W, deadline: iter([programmes.Found(0, 5.0, None)])
    )
    monkeypatch.setattr(
        programmes,
        "integer",
        lambda W, ks, seconds, deadline: iter([programmes.Found(int(ks[0]), 5.0, None)]),
    )
    found = spark(brute.matrix("planted", 0), 0.1, method="milp")
    assert found.lower <= 3 <= found.upper


def test_columns_get_more_time_after_all_had_a_short_try(monkeypatch):
    monkeypatch.setattr(importlib.import_module("cvxinv.guarantees.spark"), "FIRST_TRY", 1e-4)
    found = spark(np.random.default_rng(2).standard_normal((6, 11)), 60.0, method="milp")
    assert (found.lower, found.upper) == (7, 7)


# -- brackets, arguments ---------------------------------------------------------------------------


def test_brackets_and_what_hangs_on_them():
    q = Bracket(3, 5, "here")
    assert [v in q for v in (2, 3, 4, 5, 6)] == [False, True, True, True, False]
    assert (q.exact, Bracket(3, 3, "").exact) == (False, True)
    assert str(q) == "3 .. 5 (here)"
    assert [bracket.less(s, q) for s in (2, 3, 4, 5)] == [
        Verdict.HOLDS,
        Verdict.UNDECIDED,
        Verdict.UNDECIDED,
        Verdict.FAILS,
    ]
    assert bracket.less(2, q, 0.5) is Verdict.UNDECIDED
    assert bracket.together([]) is Verdict.HOLDS
    assert bracket.together([Verdict.HOLDS, Verdict.UNDECIDED, Verdict.FAILS]) is Verdict.FAILS
    with pytest.raises(ValueError, match="lower"):
        Bracket(2, 1, "")


def test_all_subsets():
    assert sum(len(block) for block in subsets(9, 4, size=10)) == math.comb(9, 4)
    assert len(np.unique(np.concatenate(list(subsets(9, 4))), axis=0)) == math.comb(9, 4)


@pytest.mark.parametrize(
    "f",
    [
        spark,
        mutual_coherence,
        lambda W: sub_rank(W, 1),
        lambda W: sub_spark(W, 1),
        lambda W: submatrix_coherence(W, 1),
    ],
)
def test_matrices_that_are_none(f):
    for W, error in (
        (np.array([[1.0, np.nan]]), ValueError),
        (np.array([[1.0, np.inf]]), ValueError),
        (np.zeros(3), ValueError),
        (np.zeros((0, 3)), ValueError),
        (np.ones((2, 2), dtype=np.float16), TypeError),
        ("W", TypeError),
    ):
        with pytest.raises(error, match="W"):
            f(W)


def test_arguments_that_are_wrong():
    W = np.eye(3)
    for f in (sub_rank, sub_spark, submatrix_coherence):
        for s, error in ((0, ValueError), (4, ValueError), (1.5, TypeError), (True, TypeError)):
            with pytest.raises(error, match="s: expected"):
                f(W, s)
        with pytest.raises(ValueError, match="budget"):
            f(W, 1, -1.0)
    for wrong in ({"budget": -1.0}, {"budget": math.inf}, {"tol": -1.0}, {"method": "guess"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            spark(W, **wrong)
    with pytest.raises(ValueError, match="rows"):
        mutual_coherence(W, np.ones(4, dtype=bool))
    with pytest.raises(TypeError, match="rows"):
        mutual_coherence(W, np.ones(3))
