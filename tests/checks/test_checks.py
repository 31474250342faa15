"""The checks themselves: what they take, as what, and in which words they refuse."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import LastLayer, MidLayer, checks

INTEGERS = st.lists(st.lists(st.integers(-99, 99), min_size=3, max_size=3), min_size=1, max_size=4)


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.float32, ">i4"])
@given(rows=INTEGERS)
@example(rows=[[0, 1, 2]])
def test_integers_are_the_numbers_that_they_are(kind, rows):
    a = np.array(rows, dtype=kind)
    taken = checks.floats("a", a)
    assert taken.dtype == (np.float32 if kind is np.float32 else np.float64)
    np.testing.assert_array_equal(taken, a)
    np.testing.assert_array_equal(checks.floats("a", rows), a)


def test_integers_state_the_same_problem():
    W, y, seen = [[1, 2], [3, 4], [0, 1]], [[1, 0, 2]], [1, 0, 1]
    as_floats = LastLayer(np.array(W, float), np.array(y, float), observed=np.array(seen, bool))
    for kind in (lambda a: a, np.array, torch.tensor, lambda a: np.array(a, np.uint8)):
        stated = LastLayer(kind(W), kind(y), observed=kind(seen), lam=np.float32(0))
        for name in ("W", "y", "observed"):
            a = getattr(stated, name)
            assert "float64" in str(a.dtype) or "bool" in str(a.dtype)
            np.testing.assert_array_equal(np.asarray(a), getattr(as_floats, name))


def test_other_kinds_of_plain_arrays_are_taken_as_they_are(tmp_path):
    a = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "a.npy", a)
    for other in (
        np.load(tmp_path / "a.npy", mmap_mode="r"),
        a.astype(">f8"),
        np.broadcast_to(a, (2, 3)),
        np.asfortranarray(a),
        a[::-1, ::-1].copy()[::-1, ::-1],
        torch.tensor(a, requires_grad=True),
        [torch.tensor(row) for row in a],
        tuple(map(tuple, a)),
    ):
        taken = checks.floats("a", other)
        assert str(taken.dtype).endswith("float64")
        np.testing.assert_array_equal(np.asarray(taken), a)


@pytest.mark.parametrize("bad", [[0.0, 1.0], [0, 2], [-1, 0]])
def test_masks_that_may_be_something_else_are_refused(bad):
    for kind in (list, np.array, torch.tensor):
        with pytest.raises(TypeError, match=r"^support: expected a boolean mask"):
            checks.booleans("support", kind(bad))


def test_a_masked_array_says_what_to_pass_instead():
    y = np.ma.array([1.0, 999.0], mask=[False, True])
    with pytest.raises(TypeError, match=r"^y: .* pass a\.filled\(0\), and ~a\.mask"):
        LastLayer(np.eye(2), y)
    mended = LastLayer(np.eye(2), y.filled(0), observed=~y.mask)
    np.testing.assert_array_equal(mended.observed, [True, False])


@given(st.floats(allow_nan=True, allow_infinity=True) | st.integers())
@example(0)
@example(-0.0)
@example(5e-324)
@example(10**400)
@example(10**5000)
@example(-(10**400))
def test_numbers_are_what_their_words_say(value):
    try:
        size = float(value)
    except OverflowError:
        size = math.inf if value > 0 else -math.inf
    finite = math.isfinite(size)
    for check, holds in (
        (checks.number, finite),
        (checks.nonnegative, finite and size >= 0),
        (checks.positive, finite and size > 0),
        (checks.share, 0 <= size < 1),
    ):
        if holds:
            assert check("a", value) == size
        else:
            with pytest.raises(ValueError, match=r"^a: expected a .* got "):
                check("a", value)


def test_zero_dimensional_arrays_and_fractions_are_numbers():
    for value in (np.float32(0.5), np.array(0.5), torch.tensor(0.5), Fraction(1, 2)):
        assert checks.nonnegative("a", value) == 0.5
    for value in (3, np.int8(3), np.array(3), torch.tensor(3)):
        assert checks.integer("a", value, 1, 3) == 3
        with pytest.raises(ValueError, match=r"^a: expected an integer >= 4, got 3$"):
            checks.integer("a", value, 4)


def test_what_is_shown_is_short():
    with pytest.raises(TypeError, match=r"^W: .*got str$|^W: .*got '.{40}\.\.'$"):
        LastLayer("x" * 10_000, np.ones(3))
    with pytest.raises(TypeError) as caught:
        LastLayer(np.eye(3), np.ones(3), lam=np.ones((1000, 1000)))
    assert len(str(caught.value)) < 120


def test_per_layer_takes_one_number_or_all():
    assert checks.per_layer("lam", 2, 3) == [2.0] * 3
    assert checks.per_layer("lam", np.array([1, 2]), 2) == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"^lam\[1\]: expected a finite number >= 0, got -1"):
        checks.per_layer("lam", (1.0, -1.0), 2)


def test_statements_leave_the_arguments_alone():
    W, x_next = np.eye(2), np.array([[1.0, -1.0]])
    MidLayer(W, x_next, support=[1, 0])
    np.testing.assert_array_equal(W, np.eye(2))
    np.testing.assert_array_equal(x_next, [[1.0, -1.0]])
