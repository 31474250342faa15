"""Few signals by compiled code alone: the answers of batches, and the certificate of `verify`."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import fast
from cvxinv import LastLayer, Latent, MidLayer, Status, verify
from cvxinv.bench import instances
from cvxinv.certificate import support
from cvxinv.solution.certified import as_kind
from fast import few
from fast.default import Default
from tests.support.instances import KINDS, SEEDS, instance
from tests.support.tolerances import ALONE, SAME_POINT

LAYERS = (LastLayer, MidLayer, Latent)
RECIPE = Default(1e-8, 5_000, True, 1e-14)
FIGURES = ("objective", "lower_bound", "gap", "kkt", "violation")


def layers(dtype=torch.float64, batch=3):
    G = instances.gaussian((5, 40, 160, 240))
    return [case.problem for case in instances.cases(G, batch, dtype=dtype)]


@given(cls=st.sampled_from(LAYERS), kind=st.sampled_from(KINDS), seed=st.sampled_from(SEEDS))
@example(cls=MidLayer, kind="noisy", seed=0)
@example(cls=Latent, kind="noisy", seed=0)
@example(cls=LastLayer, kind="mask", seed=1)
def test_the_certificate_is_that_of_verify(cls, kind, seed):
    problem = instance(cls, kind, seed)
    found = few.solve(problem, RECIPE)
    if found is None:
        return
    expected = verify(problem, found.x, found.dual)
    scale = np.maximum(1, expected.objective)
    for name in FIGURES:
        ours, theirs = getattr(found.certificate, name), getattr(expected, name)
        unit = scale if name in ("objective", "lower_bound") else 1.0
        np.testing.assert_allclose(ours / unit, theirs / unit, rtol=1e-9, atol=1e-13)
    np.testing.assert_array_equal(found.support, support(problem, found.x, found.dual))


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_layers_of_generators_need_no_batch(kind, dtype, count, monkeypatch):
    monkeypatch.setattr(fast.solve.__globals__["default"].Default, "__call__", pytest.fail)
    for problem in layers(dtype, count):
        if kind == "numpy":
            problem = as_kind(problem, np.empty(0))
        sol = fast.solve(problem)
        assert set(sol.status) == {Status.OPTIMAL}
        assert type(sol.x) is type(problem.W)
        assert sol.x.dtype == problem.W.dtype
        one = fast.solve(problem[0])
        assert one.status is Status.OPTIMAL
        np.testing.assert_allclose(one.x, sol.x[0], atol=ALONE if dtype == torch.float64 else 1e-5)


def test_arrays_of_any_layout_are_one_kind_to_compiled_code():
    solve_some = pytest.importorskip("fast.compiled.many_signals").solve_some
    problem = as_kind(layers()[1], np.empty(0))
    expected, known = fast.solve(problem).x, len(solve_some.signatures)
    W = np.asfortranarray(problem.W)
    W.setflags(write=False)
    found = fast.solve(MidLayer(W, problem.x_next[::-1], problem.support[::-1], lam=1e-3)).x
    np.testing.assert_allclose(found[::-1], expected, rtol=SAME_POINT)
    assert len(solve_some.signatures) == known


@pytest.mark.parametrize(("kind", "cls"), [("zero_signal", MidLayer), ("zero_columns", LastLayer)])
def test_what_is_not_ordinary_is_left_to_batches(kind, cls):
    problem = instance(cls, kind, 0)
    assert few.solve(problem, RECIPE) is None
    assert set(fast.solve(problem).status) == {Status.OPTIMAL}


def test_without_steps_nothing_is_solved_here():
    problem = layers()[1]
    assert few.solve(problem, Default(1e-8, 0, True, 1e-14)) is None
    assert set(fast.solve(problem, max_iter=0).status) == {Status.MAX_ITER}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_many_short_latent_vectors_are_few_columns(dtype, monkeypatch):
    """More than a thread takes at a time, certificates too; one that is not ordinary goes with all
    of them to batches, and none else changes.
    """
    problem = layers(dtype, 200)[-1]
    found = few.solve(
        problem, RECIPE if dtype == torch.float64 else Default(1e-5, 5_000, True, 1e-7)
    )
    expected = verify(problem, found.x, found.dual)
    np.testing.assert_allclose(found.certificate.kkt, expected.kkt, rtol=1e-9, atol=1e-13)
    np.testing.assert_array_equal(found.support, support(problem, found.x, found.dual))
    x_next = problem.x_next.clone()
    on = problem.support
    x_next[70, int(on[70].nonzero()[0, 0])] = torch.nan
    odd = Latent(problem.W, x_next, support=on, gamma=problem.gamma)
    assert few.solve(odd, RECIPE) is None
    sol = fast.solve(odd)
    assert sol.status[70] is Status.NONFINITE
    others = np.arange(200) != 70
    unit = float(np.abs(found.x).max())
    close = ALONE if dtype == torch.float64 else 1e-4
    np.testing.assert_allclose(sol.x[others], found.x[others], atol=close * unit)
