"""Brackets, what hangs on them, and what all quantities ask of their arguments."""

import math

import numpy as np
import pytest

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
from cvxinv.guarantees.dependence import subsets


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
