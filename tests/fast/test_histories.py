"""Histories of the printed methods."""

import numpy as np
import pytest
import torch

import fast
from cvxinv import (
    LastLayer,
)
from tests.support.instances import (
    instance,
    replaced,
)
from tests.support.oracles import used
from tests.support.printed import ACTIVATIONS, curved, parts, value
from tests.support.tolerances import PRINTED, SAME_OBJECTIVE

W = np.random.default_rng(0).standard_normal((9, 4))
Y = np.random.default_rng(1).standard_normal((3, 9))


@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_histories_are_in_units_of_the_signal(phi):
    problem = curved(phi, "each")
    history = fast.solve(problem, method="fista", history=True, max_iter=3).history
    for b in range(3):
        signal = parts(problem, b)[1] if problem.convex else problem.y[b][used(problem)[b]]
        expected = value(problem, b, np.zeros((1, 10)))[0] / (signal @ signal)
        assert float(history[0].objective[b]) == pytest.approx(expected, rel=PRINTED)


def test_histories_keep_all_signals_and_chunks_apart():
    """One record per iteration with (B,) entries, whichever signals are done, however many fit into
    memory; the last is the answer's.
    """
    problem = instance(LastLayer, "noisy", 0, count=9)
    problem = replaced(
        problem, y=np.vstack([problem.y[:8], 0 * problem.y[:1]])
    )  # the last one is solved at once
    whole, parted = (
        fast.solve(problem, method="fista", history=True, memory=memory) for memory in (None, 1)
    )
    for sol in (whole, parted):
        assert [record.iteration for record in sol.history] == list(range(len(sol.history)))
        assert len(sol.history) == sol.iterations.max() + 1
        for record in sol.history:
            assert tuple(record.objective.shape) == tuple(record.residual.shape) == (9,)
    last = np.asarray(whole.history[-1].objective) * (problem.y**2).sum(axis=1)
    np.testing.assert_allclose(last, whole.certificate.objective, rtol=SAME_OBJECTIVE)
    assert fast.solve(problem, method="fista").history is None


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_a_history_has_the_kind_and_shape_of_the_signals(kind):
    many = fast.solve(LastLayer(kind(W), kind(Y)), method="fista", history=True)
    alone = fast.solve(LastLayer(kind(W), kind(Y[0])), method="fista", history=True)
    for figures in many.history[3][1:]:
        assert type(figures) is type(kind(Y))
        assert figures.shape == (3,)
    for figures in alone.history[3][1:]:
        assert np.ndim(figures) == 0
    assert float(alone.history[3].objective) == pytest.approx(float(many.history[3].objective[0]))
