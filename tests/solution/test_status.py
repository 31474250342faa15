"""Statuses of several layers as one, marked and counted."""

from itertools import product

import numpy as np
import pytest

from cvxinv import Status
from cvxinv.solution.status import marked, tally, worst

O, S, M, N = Status.OPTIMAL, Status.STATIONARY, Status.MAX_ITER, Status.NONFINITE


def first_failure(statuses):
    """`worst` of one signal, by its definition."""
    failures = [status for status in statuses if status not in (O, S)]
    return failures[0] if failures else S if S in statuses else O


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_first_failure_decides(layers):
    all_of_them = [*product([O, S, M, N], repeat=layers)]
    expected = [first_failure(statuses) for statuses in all_of_them]
    batch = [np.array(of_layer, dtype=object) for of_layer in zip(*all_of_them, strict=True)]
    assert [*worst(batch)] == expected
    assert [worst([*statuses]) for statuses in all_of_them] == expected  # signals alone


def test_marks_are_set_where_the_mask_is():
    status = np.array([O, M, O], dtype=object)
    assert [*marked(status, [True, True, False], N)] == [N, N, O]
    assert [*status] == [O, M, O]
    assert (marked(O, True, N), marked(O, False, N)) == (N, O)


def test_counts():
    assert tally([O, M, O]) == "2 OPTIMAL, 1 MAX_ITER"
    assert (tally(O), tally([])) == ("OPTIMAL", "no signals")
