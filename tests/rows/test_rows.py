"""Rows of anything, against indexing by hand."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import rows


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass(frozen=True, eq=False)
class Holder:
    x: Any
    W: Any = field(metadata=rows.SHARED)
    mask: Any = field(metadata=rows.OWN_IF_2D)
    inner: Any
    name: str = "a"


def holder(B: int, kind: Any, own: bool) -> Holder:
    x = np.arange(3.0 * B).reshape(B, 3)
    mask = x > 2 if own else np.array([True, False, True])
    status = np.array([f"status {b}" for b in range(B)], dtype=object)
    inner = Pair([kind(10 * x), None], status)
    return Holder(kind(x), kind(np.eye(3)), kind(mask), inner)


KINDS = pytest.mark.parametrize("kind", [np.asarray, torch.tensor], ids=["numpy", "torch"])


@KINDS
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("b", [slice(1, 3), [3, 0], np.array([True, False, True, False])])
def test_take(kind, own, b):
    whole = holder(4, kind, own)
    some = rows.take(whole, b)
    x = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(some.x, x[b])
    np.testing.assert_array_equal(some.inner.a[0], 10 * x[b])
    np.testing.assert_array_equal(some.mask, (x > 2)[b] if own else whole.mask)
    assert some.W is whole.W
    assert some.inner.a[1] is None
    assert some.name == "a"
    assert len(some.inner.b) == len(x[b])
    assert type(some.x) is type(whole.x)


@pytest.mark.parametrize("b", [torch.tensor([True]), torch.tensor([0])])
def test_a_tensor_of_one_entry_is_no_number(b):
    whole = holder(1, torch.tensor, own=True)
    assert list(rows.take(whole, b).inner.b) == ["status 0"]


@KINDS
def test_one_signal(kind):
    whole = holder(1, kind, own=True)
    one = rows.one_or_many(whole.x[0])
    assert one.single
    assert one.signals.shape == (1, 3)
    assert one.rows(None) is None
    assert one.rows(whole.mask[0]).shape == (1, 3)
    back = one.back(whole)
    assert back.x.shape == (3,)
    assert back.inner.b == "status 0"
    many = rows.one_or_many(whole.x)
    assert not many.single
    assert many.back(whole) is whole
    assert many.rows(whole.mask) is whole.mask


@KINDS
@given(st.lists(st.booleans(), min_size=1, max_size=6))
@example([False])
@example([True, True])
def test_put_undoes_take_and_join_undoes_cutting(kind, chosen):
    B, b = len(chosen), np.flatnonzero(chosen)
    index = b if kind is np.asarray else torch.tensor(b)
    whole = holder(B, kind, own=True)
    before = np.asarray(whole.x).copy()
    changed = rows.put(whole, index, rows.take(whole, index))
    np.testing.assert_array_equal(changed.x, before)
    part = rows.take(whole, index)
    other = rows.put(whole, index, Holder(part.x + 1, part.W, part.mask, part.inner))
    difference = np.asarray(other.x) - before
    np.testing.assert_array_equal(difference, np.array(chosen)[:, None] * np.ones(3))
    np.testing.assert_array_equal(np.asarray(whole.x).copy(), before)  # put copies ..
    rows.store(whole.x, index, part.x + 1)
    np.testing.assert_array_equal(np.asarray(whole.x).copy(), other.x)  # .. store does not
    cut = [rows.take(other, slice(k, k + 2)) for k in range(0, B, 2)]
    joined = rows.join(cut)
    np.testing.assert_array_equal(joined.x, other.x)
    assert list(joined.inner.b) == list(other.inner.b)
    assert joined.W is other.W


@KINDS
def test_where(kind):
    mask, x, y = np.array([True, False, True]), np.ones((3, 2)), np.arange(3.0)
    found = rows.where(kind(mask), Pair(kind(x), kind(y)), Pair(kind(2 * x), kind(-y)))
    np.testing.assert_array_equal(found.a, np.where(mask[:, None], x, 2 * x))
    np.testing.assert_array_equal(found.b, np.where(mask, y, -y))


def test_what_has_no_rows_stays():
    assert rows.take(None, [0]) is None
    assert rows.take(3.0, [0]) == 3.0
    assert rows.join([Pair(1, None), Pair(1, None)]) == Pair(1, None)
