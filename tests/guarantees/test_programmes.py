"""The programmes behind spark: every bound is one, whoever made it."""

import importlib
import time

import numpy as np
import pytest

from cvxinv.guarantees import (
    spark,
)
from cvxinv.guarantees.dependence import Columns
from cvxinv.reference import spark as programmes
from tests.support import dependence as brute


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

    monkeypatch.setattr(programmes.cp.Problem, "get_problem_data", fails)
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
