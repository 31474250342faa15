"""`fast.solve` on signals that are not finite, and on arrays of every kind, dtype and layout."""

import numpy as np
import pytest
import torch

import fast
from cvxinv import Status, reference
from cvxinv.testing.hard import matrix
from tests.support.instances import (
    CLASSES,
    CONSTRAINED,
    DATA,
    MASK,
    PRINTED_METHOD,
    SEEDS,
    instance,
    replaced,
    tensors,
)
from tests.support.tolerances import ALONE, KKT, KKT_FLOAT32, SAME_POINT


def close(x, y, tol=ALONE):
    assert (np.linalg.norm(x - y, axis=-1) <= tol * np.linalg.norm(y, axis=-1)).all()


@pytest.mark.parametrize("method", ["auto", "printed"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("cls", CLASSES)
def test_a_bad_signal_harms_no_other(cls, bad, method):
    method = PRINTED_METHOD[cls] if method == "printed" else method
    for seed in SEEDS:
        problem = instance(cls, "full_support", seed)
        data = getattr(problem, DATA[cls]).copy()
        data[1, 2] = bad
        sol, alone = (
            fast.solve(p, method=method) for p in (replaced(problem, **{DATA[cls]: data}), problem)
        )
        assert list(sol.status) == [Status.OPTIMAL, Status.NONFINITE, Status.OPTIMAL]
        assert np.isnan(sol.x[1]).all()
        assert sol.certificate.kkt[1] == np.inf
        assert not sol.certificate.optimal()[1]
        assert not sol.support[1].any()
        close(sol.x[::2], alone.x[::2])


@pytest.mark.parametrize("cls", CLASSES)
def test_nothing_but_bad_signals(cls):
    problem = instance(cls, "full_support", 3)
    sol = fast.solve(
        replaced(problem, **{DATA[cls]: np.full_like(getattr(problem, DATA[cls]), np.nan)})
    )
    assert list(sol.status) == [Status.NONFINITE] * 3
    assert np.isnan(sol.x).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("cls", CLASSES)
def test_rows_that_do_not_enter_may_hold_anything(cls, bad):
    for kind in ("mask", "shared_mask"):
        problem, expected = instance(cls, kind, 2), fast.solve(instance(cls, kind, 2))
        data = np.where(getattr(problem, MASK[cls]), getattr(problem, DATA[cls]), bad)
        sol = fast.solve(replaced(problem, **{DATA[cls]: data}))
        np.testing.assert_array_equal(sol.x, expected.x)
        assert list(sol.status) == list(expected.status)


@pytest.mark.parametrize("cls", CLASSES)
def test_batches_of_none_and_one_and_signals_alone(cls):
    problem = instance(cls, "shared_mask", 0)
    none, one, alone = (fast.solve(problem[b]) for b in (slice(0, 0), slice(0, 1), 0))
    n = problem.W.shape[1]
    assert none.x.shape == none.support.shape == (0, n)
    assert none.status.shape == none.certificate.kkt.shape == none.iterations.shape == (0,)
    assert one.x.shape == (1, n)
    assert alone.x.shape == alone.support.shape == (n,)
    assert isinstance(alone.status, Status)
    assert alone.certificate.kkt.ndim == 0
    np.testing.assert_array_equal(one.x[0], alone.x)
    if one.dual is not None:
        assert alone.dual.shape == (problem.W.shape[0],)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, torch.float32, torch.float64])
@pytest.mark.parametrize("cls", CLASSES)
def test_answers_have_kind_and_dtype_of_the_data(cls, dtype):
    W, Y = (
        matrix("plain", np.random.default_rng(1)),
        np.abs(np.random.default_rng(2).standard_normal((3, 20))),
    )
    cast = (
        (lambda a: torch.tensor(a, dtype=dtype))
        if isinstance(dtype, torch.dtype)
        else (lambda a: a.astype(dtype))
    )
    sol = fast.solve(cls(cast(W), cast(Y)))
    assert type(sol.x) is type(sol.support) is type(sol.certificate.kkt) is type(cast(Y))
    assert sol.x.dtype == dtype
    assert list(sol.status) == [Status.OPTIMAL] * 3
    single = "32" in str(dtype)
    assert sol.certificate.kkt.max() <= (KKT_FLOAT32 if single else KKT)
    np.testing.assert_allclose(
        np.asarray(sol.x), reference.solve(cls(W, Y)).x, atol=1e-4 if single else SAME_POINT
    )


@pytest.mark.parametrize(
    "kind",
    [
        "plain",
        "mask",
        "small_signal",
        "large_matrix",
        "uneven_columns",
        "duplicate_columns",
        "wide",
    ],
)
@pytest.mark.parametrize("cls", CLASSES)
def test_float32_data_are_solved_to_their_accuracy(cls, kind):
    for seed in (1, 2):
        problem = instance(cls, kind, seed)
        arrays = {
            k: v.astype(np.float32)
            for k, v in vars(problem).items()
            if getattr(v, "dtype", None) == np.float64
        }
        problem = replaced(problem, **arrays)
        sol, good = (
            fast.solve(problem),
            reference.solve(problem).status == Status.OPTIMAL,
        )  # not where float32 cannot hold the answer
        assert list(sol.status[good]) == [Status.OPTIMAL] * good.sum(), (seed, sol.certificate.kkt)
        assert (sol.certificate.kkt[good] <= KKT_FLOAT32).all()
        assert good.all() or cls in CONSTRAINED


@pytest.mark.parametrize("cls", CLASSES)
def test_memory_layout_does_not_matter_and_nothing_is_written_to(cls):
    problem = instance(cls, "mask", 3)
    data, expected = getattr(problem, DATA[cls]), fast.solve(problem).x
    before = {k: v.copy() for k, v in vars(problem).items() if isinstance(v, np.ndarray)}
    strided = replaced(
        problem, W=np.asfortranarray(problem.W), **{DATA[cls]: np.repeat(data, 2, axis=0)[::2]}
    )
    np.testing.assert_allclose(fast.solve(strided).x, expected, rtol=ALONE, atol=ALONE)
    twin = tensors(problem)
    twin = replaced(
        twin,
        W=twin.W.T.contiguous().T,
        **{DATA[cls]: getattr(twin, DATA[cls]).repeat_interleave(2, 0)[::2]},
    )
    np.testing.assert_allclose(fast.solve(twin).x, expected, rtol=ALONE, atol=ALONE)
    for k, v in before.items():
        np.testing.assert_array_equal(getattr(problem, k), v)


@pytest.mark.parametrize("cls", CLASSES)
def test_arrays_may_be_read_only_or_stored_backwards(cls):
    problem = instance(cls, "mask", 3)
    data, expected = getattr(problem, DATA[cls]), fast.solve(problem).x
    fixed = replaced(
        problem,
        W=np.asarray(memoryview(problem.W).toreadonly()),
        **{DATA[cls]: np.asarray(memoryview(data).toreadonly())},
    )
    np.testing.assert_allclose(fast.solve(fixed).x, expected, rtol=ALONE, atol=ALONE)
    backwards = replaced(
        problem, W=problem.W[::-1].copy()[::-1], **{DATA[cls]: np.asfortranarray(data)}
    )
    np.testing.assert_allclose(fast.solve(backwards).x, expected, rtol=ALONE, atol=ALONE)
    np.testing.assert_allclose(
        fast.solve(problem, x0=expected[::-1].copy()[::-1]).x, expected, rtol=ALONE, atol=ALONE
    )
