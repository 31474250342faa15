"""`fast.solve` on batches: companions, chunks, and the layers of generators."""

import numpy as np
import pytest
import torch

import cvxinv
import fast
from cvxinv import LeastSquares, MidLayer, Status, reference
from fast.default import Default
from tests.support.instances import (
    CLASSES,
    DATA,
    MASK,
    generator,
    instance,
    replaced,
)
from tests.support.layers import layers
from tests.support.oracles import determined, distance
from tests.support.tolerances import ALONE, SAME_OBJECTIVE, SAME_POINT


def close(x, y, tol=ALONE):
    assert (np.linalg.norm(x - y, axis=-1) <= tol * np.linalg.norm(y, axis=-1)).all()


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_alone_or_among_511_others(noise):
    for problem in layers(generator((6, 24, 60, 120), biased=True), 512, noise):
        sol = fast.solve(problem)
        assert list(sol.status) == [Status.OPTIMAL] * 512, type(problem)
        for b in (0, 17, 300, 511):
            alone = fast.solve(problem[b])
            close(alone.x, sol.x[b])
            np.testing.assert_array_equal(alone.support, sol.support[b])
        some = fast.solve(problem[100:130])
        close(some.x, sol.x[100:130])


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_layers_of_the_shipped_generator(noise):
    for problem in layers(cvxinv.mnist_generator(), 12, noise):
        sol, expected = fast.solve(problem), reference.solve(problem[:2])
        assert list(sol.status) == [Status.OPTIMAL] * 12, type(problem)
        c, best = sol.certificate, expected.certificate
        size = 0.5 * (getattr(problem, DATA[type(problem)]) ** 2).sum(axis=1)[:2]
        assert (
            np.abs(c.objective[:2] - best.objective)
            <= SAME_OBJECTIVE * np.maximum(size, best.objective)
        ).all()
        assert (distance(problem[:2], sol.x[:2], expected.x) <= SAME_POINT).all()
        np.testing.assert_array_equal(sol.support[:2], expected.support)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_layers_of_the_shipped_generator_alone_or_among_others(noise):
    for problem in layers(cvxinv.mnist_generator(), 12, noise):
        sol = fast.solve(problem)
        for b in (0, 5, 11):
            close(fast.solve(problem[b]).x, sol.x[b])


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


def test_least_norm_beside_signals_that_take_more_steps():
    rng = np.random.default_rng(12)  # of thirty seeds the one where it went wrong
    m, n, rank = 40, 30, rng.integers(2, 8)
    U, _ = np.linalg.qr(rng.standard_normal((m, rank)))
    V, _ = np.linalg.qr(rng.standard_normal((n, rank)))
    W = (U * np.logspace(0, -rng.uniform(0, 2), rank)) @ V.T
    target = rng.standard_normal((100, m))
    target[:25] = rng.standard_normal((25, 1)) * U[:, 0]  # conjugate gradients take one step
    close(fast.solve(LeastSquares(W, target)).x, target @ np.linalg.pinv(W).T, SAME_POINT)
