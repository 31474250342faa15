"""`fast.solve` on batches: companions, chunks, bad signals, kinds of arrays, warm starts, and the
layers of generators.
"""

import numpy as np
import pytest
import torch

import cvxinv
import fast
from cvxinv import LastLayer, MidLayer, Status, reference
from fast.default import Default
from tests.support.instances import (
    CLASSES,
    CONSTRAINED,
    DATA,
    MASK,
    PRINTED_METHOD,
    SEEDS,
    chosen,
    generator,
    instance,
    matrix,
    replaced,
    tensors,
)
from tests.support.layers import layers
from tests.support.oracles import determined, distance
from tests.support.tolerances import ALONE, KKT, KKT_FLOAT32, SAME_OBJECTIVE, SAME_POINT


def close(x, y, tol=ALONE):
    assert (np.linalg.norm(x - y, axis=-1) <= tol * np.linalg.norm(y, axis=-1)).all()


# -- companions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_alone_or_among_511_others(noise):
    for problem in layers(generator((6, 24, 60, 120), biased=True), 512, noise):
        sol = fast.solve(problem)
        assert list(sol.status) == [Status.OPTIMAL] * 512, type(problem)
        for b in (0, 17, 300, 511):
            alone = fast.solve(chosen(problem, b))
            close(alone.x, sol.x[b])
            np.testing.assert_array_equal(alone.support, sol.support[b])
        some = fast.solve(chosen(problem, slice(100, 130)))
        close(some.x, sol.x[100:130])


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_layers_of_the_shipped_generator(noise):
    for problem in layers(cvxinv.mnist_generator(), 12, noise):
        sol, expected = fast.solve(problem), reference.solve(chosen(problem, slice(0, 2)))
        assert list(sol.status) == [Status.OPTIMAL] * 12, type(problem)
        c, best = sol.certificate, expected.certificate
        size = 0.5 * (getattr(problem, DATA[type(problem)]) ** 2).sum(axis=1)[:2]
        assert (
            np.abs(c.objective[:2] - best.objective)
            <= SAME_OBJECTIVE * np.maximum(size, best.objective)
        ).all()
        assert (distance(chosen(problem, slice(0, 2)), sol.x[:2], expected.x) <= SAME_POINT).all()
        np.testing.assert_array_equal(sol.support[:2], expected.support)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_layers_of_the_shipped_generator_alone_or_among_others(noise):
    for problem in layers(cvxinv.mnist_generator(), 12, noise):
        sol = fast.solve(problem)
        for b in (0, 5, 11):
            close(fast.solve(chosen(problem, b)).x, sol.x[b])


@pytest.mark.parametrize("cls", CLASSES)
def test_the_same_call_gives_the_same_answer_and_chunks_change_nothing(cls):
    for kind in ("noisy", "mask", "shared_mask"):
        for seed in (1, 2):
            problem = instance(cls, kind, seed, count=7)
            one, two = fast.solve(problem), fast.solve(problem)
            np.testing.assert_array_equal(one.x, two.x)
            np.testing.assert_array_equal(one.iterations, two.iterations)
            for memory in (1, 20_000):  # one signal at a time, and two or three
                parts = fast.solve(problem, memory=memory)
                assert list(parts.status) == list(one.status)
                only = determined(problem) & (one.status == Status.OPTIMAL)
                np.testing.assert_array_equal(parts.support[only], one.support[only])
                assert (distance(problem, parts.x, one.x)[only] <= ALONE).all()
                assert (parts.dual is None) == (one.dual is None)
                for proof in (parts.infeasibility, one.infeasibility):
                    assert (proof is not None) == (Status.INFEASIBLE in one.status)
                    assert proof is None or list(proof.any(axis=1)) == list(
                        one.status == Status.INFEASIBLE
                    )


def test_out_of_memory_halves_the_parts(monkeypatch):
    problem = instance(MidLayer, "noisy", 0, count=11)
    expected, solve, sizes = fast.solve(problem), Default.__call__, []

    def small(self, part, x):
        sizes.append(len(part.data))
        if len(part.data) > 3:
            raise torch.OutOfMemoryError("no memory for more than 3 signals")
        return solve(self, part, x)

    monkeypatch.setattr(Default, "__call__", small)
    sol = fast.solve(problem)
    assert sizes[:3] == [11, 6, 3]
    assert sum(k for k in sizes if k <= 3) == 11
    assert list(sol.status) == list(expected.status)
    close(sol.x, expected.x)


def test_no_memory_for_one_signal_is_an_error(monkeypatch):
    def none(*_):
        raise torch.OutOfMemoryError("none at all")

    monkeypatch.setattr(Default, "__call__", none)
    with pytest.raises(torch.OutOfMemoryError):
        fast.solve(instance(MidLayer, "noisy", 0, count=11))


def test_all_signals_may_share_a_mask():
    for cls in CLASSES:
        problem = instance(cls, "shared_mask", 2)
        mask, data = getattr(problem, MASK[cls]), getattr(problem, DATA[cls])
        each = fast.solve(
            replaced(problem, **{MASK[cls]: np.repeat(mask[None], len(data), axis=0)})
        )
        shared = fast.solve(problem)
        assert list(each.status) == list(shared.status)
        only = determined(problem) & (shared.status == Status.OPTIMAL)
        assert (distance(problem, each.x, shared.x)[only] <= ALONE).all()
        np.testing.assert_allclose(
            each.certificate.objective,
            shared.certificate.objective,
            rtol=SAME_OBJECTIVE,
            atol=ALONE,
        )


# -- bad signals -----------------------------------------------------------------------------------


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


# -- kinds of input --------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
def test_batches_of_none_and_one_and_signals_alone(cls):
    problem = instance(cls, "shared_mask", 0)
    none, one, alone = (fast.solve(chosen(problem, b)) for b in (slice(0, 0), slice(0, 1), 0))
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


# -- warm starts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["auto", "printed"])
@pytest.mark.parametrize("cls", CLASSES)
def test_a_start_at_the_solution_needs_few_steps_and_a_poor_one_does_no_harm(cls, method):
    options = {"method": PRINTED_METHOD[cls], "rho": 0.3} if method == "printed" else {}
    problem = instance(cls, "noisy", 2, count=5)
    cold = fast.solve(problem, **options)
    assert list(cold.status) == [Status.OPTIMAL] * 5
    warm = fast.solve(problem, x0=cold.x, **options)
    assert list(warm.status) == [Status.OPTIMAL] * 5
    if cls not in CONSTRAINED:
        assert (warm.iterations <= 3).all()
    elif method == "auto":  # multipliers have to be found again
        assert (warm.iterations <= 10).all()
    poor = np.vstack(
        [
            np.full((1, 8), np.nan),
            np.full((1, 8), np.inf),
            np.full((1, 8), -1e3),
            np.full((1, 8), 1e6),
            np.ones((1, 8)),
        ]
    )
    for start in (poor, torch.tensor(poor), poor.astype(np.float32)):
        sol = fast.solve(problem, x0=start, **options)
        assert list(sol.status) == [Status.OPTIMAL] * 5
        assert (distance(problem, sol.x, cold.x) <= SAME_POINT).all()


def test_a_start_for_a_signal_alone():
    problem = chosen(instance(LastLayer, "noisy", 0), 0)
    cold = fast.solve(problem)
    warm = fast.solve(problem, x0=cold.x)
    assert warm.status is Status.OPTIMAL
    np.testing.assert_allclose(warm.x, cold.x, atol=ALONE)
