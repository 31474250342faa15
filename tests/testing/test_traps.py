"""Mistakes that few data show: batches looked at as a whole, steps guessed, slow taken for done."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxinv import reference
from cvxinv.testing import (
    KINDS,
    ConformanceError,
    check_solver,
    hard_cases,
    nnls,
    statements,
    sweep,
)
from cvxinv.testing.levels import SWEEP
from tests.support import solvers
from tests.support.draws import drawn
from validation.conformance import more_bugs

SHARED = ("lasso", "last_layers", "mid_layers", "basis_pursuits", "qps")  # lam is shared by signals
OF_BATCHES = (more_bugs.small_rows_dropped, more_bugs.gradient_by_norm, more_bugs.admm_by_norm)
OF_STEPS = (more_bugs.step_from_ones, more_bugs.fista_stopped)


def honest_fista(problem):
    """Until nothing changes any more."""
    L = more_bugs.lipschitz(problem)
    return more_bugs.fista(problem, L, lambda step, x: bool((step <= 1e-14 * x).all()))


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """They need not be made small."""
    monkeypatch.setattr(sweep, "SECONDS", 0.1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("solve", OF_BATCHES + OF_STEPS, ids=lambda solve: solve.__name__)
def test_they_are_rejected_at_the_defaults(solve, seed):
    with pytest.raises(ConformanceError):
        check_solver(solve, "nnls" if solve in OF_BATCHES else "lasso", seed=seed)


def test_what_does_the_same_without_the_mistake_is_accepted():
    check_solver(honest_fista, "lasso")


def rejecting(solve, kind):
    """The hard cases that a solver fails."""
    found = []
    for case in hard_cases(kind):
        try:
            case.check(solve(case.problem))
        except AssertionError:
            found.append(case.name.removeprefix(f"{kind}-"))
    return found


def test_hard_cases_show_them():
    assert rejecting(more_bugs.small_rows_dropped, "nnls") == ["uneven_signals"]
    assert "uneven_signals" in rejecting(more_bugs.gradient_by_norm, "nnls")
    assert rejecting(more_bugs.step_from_ones, "lasso") == ["opposite_columns"]
    assert "ill_conditioned" in rejecting(more_bugs.fista_stopped, "lasso")
    assert rejecting(honest_fista, "lasso") == []
    assert {f"{kind}-uneven_signals" for kind in KINDS[:-1]} <= {c.name for c in hard_cases()}


# -- signals of unequal size -----------------------------------------------------------------------


def sizes(problem):
    return np.linalg.norm(problem.data, axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_signals_differ_in_size_by_powers_of_two(kind):
    """The smallest is 2^-30 of the largest, or 2^-12 where all share lam."""
    least = 2.0 ** -(12 if kind in SHARED else 30)
    found = drawn(statements(kind, uneven=True, batch=(2, 3), rows=(4, 8), bias=False))
    ratios = [sizes(p).min() / sizes(p).max() for p in found if sizes(p).all()]
    assert len(ratios) > 5
    assert any(least / 20 < ratio < 20 * least for ratio in ratios)


@given(nnls(uneven=True, batch=1), nnls(uneven=True, batch=None), nnls(uneven=True, batch=0))
def test_single_signals_have_no_others_to_differ_from(one, single, none):
    assert one.data.shape[0] == 1
    assert single.data.ndim == 1
    assert len(none) == 0


@given(statements("lasso", uneven=True, batch=3, weight=0.25, noise=0.0))
def test_lam_is_a_share_of_what_the_smallest_needs(problem):
    """Of the first, were it the smallest."""
    first = np.abs(problem.data[0] @ problem.W).max()
    assert not first or any(problem.lam == 0.25 * first / 2.0**k for k in (0, 6, 12))


@pytest.mark.parametrize("batch", [None, 1])
def test_levels_of_batches_are_left_out_for_single_signals(batch):
    of_batches = [level for level in SWEEP if level.least > 1]
    assert [level.name for level in of_batches] == ["signals of unequal size", "companions"]
    asked = sweep.sweep(solvers.of_scipy_statement, "nnls", batch=batch)
    assert not any(asked._has(level, "nnls") for level in of_batches)


def test_a_batch_has_no_more_signals_than_asked_for():
    seen = set()

    def solve(problem):
        seen.add(len(problem))
        return reference.solve(problem)

    check_solver(solve, "nnls", batch=1, max_examples=4, dtypes="float64")
    assert seen == {1}


# -- opposite columns ------------------------------------------------------------------------------


@given(st.sampled_from(KINDS).flatmap(lambda kind: statements(kind, opposite=True)))
def test_columns_in_pairs_of_opposite_sign(problem):
    assert not problem.W.sum(axis=1).any()
    assert not (problem.W[:, 1::2] + problem.W[:, : problem.W.shape[1] // 2 * 2 : 2]).any()


def test_half_of_the_multiples_are_of_opposite_sign():
    found = drawn(statements("nnls", rows=6, columns=2, degenerate=True), 200)
    products = [p.W[:, 0] @ p.W[:, 1] for p in found if p.W.any(axis=0).all()]
    assert len(products) > 40
    assert 0.3 < np.mean(np.less(products, 0)) < 0.7


def test_the_smallest_of_uneven_signals_is_not_answered_by_zero():
    (case,) = (case for case in hard_cases("lasso") if case.name == "lasso-uneven_signals")
    assert (np.abs(case.problem.data @ case.problem.W).max(axis=1) > case.problem.lam).all()
