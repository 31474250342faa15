"""(Q) of every class: which signals can be solved for, and what stands in for those that cannot."""

import numpy as np
import pytest

from tests.support.instances import CLASSES, DATA, MASK, instance, replaced


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("cls", CLASSES)
def test_a_signal_is_finite_where_its_rows_are(cls, bad):
    problem = instance(cls, "mask", 1)
    rows, data = getattr(problem, MASK[cls]), getattr(problem, DATA[cls]).copy()
    data[0, rows[0].argmax()] = bad  # a row that enters
    data[1, rows[1].argmin()] = bad  # one that does not
    q = replaced(problem, **{DATA[cls]: data}).quadratic()
    assert q.finite.tolist() == [False, True, True]
    assert np.isfinite(q.t).all()
    assert not q.t[0].any()


@pytest.mark.parametrize("cls", CLASSES)
def test_targets_and_limits_are_zero_off_their_rows(cls):
    for kind in ("mask", "noisy", "shared_mask"):
        q = instance(cls, kind, 1).quadratic()
        assert not q.t[~q.rows].any()
        assert not q.d[~q.inequalities].any()
        assert not (q.rows & q.inequalities).any()
