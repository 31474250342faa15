"""Compiled active sets: the answers of the batched path, whoever else solves and wherever."""

import importlib
import os
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import threadpoolctl
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import fast
from cvxinv import LastLayer, Latent, MidLayer, Status
from cvxinv.bench import instances
from cvxinv.bench.instances import gaussian
from fast.compiled import active_sets
from fast.core.units import scaled
from tests.support.engines import only
from tests.support.instances import CLASSES, KINDS, SEEDS, instance
from tests.support.oracles import determined, distance
from tests.support.tolerances import KKT, SAME_POINT

SIZES = (5, 40, 160, 240)


def cases(G, batch, **options):
    """The layers of a generator, in float64."""
    return instances.cases(G, batch, dtype=torch.float64, **options)


def both(problem, **options):
    """The answers of both engines."""
    found = []
    for engine in ("compiled", "batched"):
        with only(engine):
            found.append(fast.solve(problem, **options))
    return found


def test_it_is_installed_and_takes_the_layers_of_generators():
    assert active_sets.installed()
    for case in cases(gaussian(SIZES), 3):
        assert active_sets.usable(scaled(case.problem.quadratic(), even=False)[0]), case.name


@given(cls=st.sampled_from(CLASSES), kind=st.sampled_from(KINDS), seed=st.sampled_from(SEEDS))
@example(cls=MidLayer, kind="one_row", seed=1)
def test_both_engines_agree(cls, kind, seed):
    problem = instance(cls, kind, seed)
    one, other = both(problem)
    assert list(one.status) == list(other.status)
    same = (one.status == Status.OPTIMAL) & determined(problem)
    assert (distance(problem, one.x, other.x)[same] <= SAME_POINT).all()
    np.testing.assert_array_equal(one.support[same], other.support[same])


@pytest.mark.parametrize("condition", [None, 100.0])
@pytest.mark.parametrize("noise", [0.0, 1e-2])
def test_layers_of_generators_need_no_other_method(condition, noise, monkeypatch):
    """All signals are solved here, none is left to batches."""
    left = []
    monkeypatch.setattr(fast.default.Default, "batched", lambda self, layer: left.append(layer))
    for case in cases(gaussian(SIZES, 0, condition), 200, noise=noise):
        sol = fast.solve(case.problem)
        assert not left, case.name
        assert (sol.certificate.kkt <= 1e-10).all()


def test_a_mask_for_each_signal_and_one_for_all():
    case = cases(gaussian(SIZES), 60)[0]
    W, y = case.problem.W, case.problem.y
    masks = torch.rand(60, len(W), generator=torch.Generator().manual_seed(0)) < 0.7
    for observed in (masks, masks[0]):
        one, other = both(LastLayer(W, y, observed=observed, lam=1e-3))
        assert (one.certificate.kkt <= 1e-10).all()
        assert torch.linalg.norm(one.x - other.x) <= 1e-9 * torch.linalg.norm(other.x)


@pytest.mark.parametrize("case", cases(gaussian(SIZES), 70), ids=lambda case: case.name)
def test_threads_change_nothing(case):
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            layer, _ = scaled(case.problem.quadratic(), even=False)
            zero = torch.zeros_like(layer.lam)
            best, _ = active_sets.solve(layer, zero, layer.no_dual, 1e-12, 1e-14, 100)
            found.append(best)
    finally:
        torch.set_num_threads(before)
    for best in found[1:]:
        assert torch.equal(best.x, found[0].x)
        assert torch.equal(best.iterations, found[0].iterations)


def test_several_callers_at_once_leave_blas_as_it_was():
    case = cases(gaussian(SIZES), 40)[1]
    expected = fast.solve(case.problem).x
    controller = threadpoolctl.ThreadpoolController().select(user_api="blas")
    answers = {}
    with controller.limit(limits=2):
        before = [lib["num_threads"] for lib in controller.info()]

        def solve(k):
            answers[k] = [fast.solve(case.problem).x for _ in range(5)]

        threads = [threading.Thread(target=solve, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [lib["num_threads"] for lib in controller.info()] == before
    assert all(torch.equal(x, expected) for found in answers.values() for x in found)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 1), (1, 3), (5, 5), (8, 40)])
@given(seed=st.integers(0, 200))
def test_tiny_and_degenerate_statements(m, n, seed):
    """Small integers: ties, zero and duplicate columns, no fitted row at all."""
    rng = np.random.default_rng(seed)
    W = rng.integers(-2, 3, (m, n)).astype(float)
    t = rng.integers(-1, 3, (4, m)).astype(float)
    for problem in (
        LastLayer(W, t, lam=0.25 * (seed % 3)),
        MidLayer(W, np.maximum(t, 0), lam=0.25 * (seed % 2)),
        Latent(W, np.maximum(t, 0), gamma=0.5),
    ):
        one, other = both(problem)
        assert list(one.status) == list(other.status)
        good = one.status == Status.OPTIMAL
        assert (one.certificate.kkt[good] <= KKT).all()


def test_bad_rows_and_empty_batches():
    problem = instance(MidLayer, "noisy", 1, count=5)
    # the first signal keeps fewer rows than it has unknowns: without lam many points solve it
    problem = replace(problem, support=problem.x_next > 0, lam=0.01)
    x_next = problem.x_next.copy()
    x_next[2, np.flatnonzero(problem.support[2])[0]] = np.nan
    sol, good = fast.solve(replace(problem, x_next=x_next)), fast.solve(problem)
    assert sol.status[2] is Status.NONFINITE
    others = [0, 1, 3, 4]
    np.testing.assert_allclose(sol.x[others], good.x[others], rtol=1e-10, atol=1e-13)
    assert len(fast.solve(problem[:0]).x) == 0


def test_without_numba_all_is_batched(monkeypatch):
    active_sets.installed.cache_clear()
    monkeypatch.setitem(sys.modules, "numba", None)
    try:
        assert not active_sets.installed()
        sol = fast.solve(instance(LastLayer, "noisy", 0))
        assert set(sol.status) == {Status.OPTIMAL}
    finally:
        monkeypatch.undo()
        active_sets.installed.cache_clear()


CHILD = """
import os, sys, warnings
import torch, cvxinv, fast
from cvxinv.bench.instances import cases, gaussian
warnings.simplefilter("ignore")  # that a process with threads forks
torch.set_num_threads(2)
problem = cases(gaussian((4, 30, 50, 70)), 64, dtype=torch.float64)[1].problem
fast.solve(problem)
torch.set_num_threads(1)
child = os.fork()
if child == 0:
    torch.set_num_threads(2)
    from fast.compiled.active_sets import in_threads
    done = []
    in_threads(lambda starts: done.append(next(starts)), iter(range(8)), 8, True)
    os._exit(0 if len(done) == 2 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_threads_of_its_own():
    done = subprocess.run(
        [sys.executable, "-c", CHILD], timeout=120, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_compiled_code_is_kept_in_a_place_that_changes_with_its_sources():
    lapack = importlib.import_module("fast.compiled.lapack")
    solve_some = importlib.import_module("fast.compiled.many_signals").solve_some
    assert lapack._stamp() in str(lapack._CACHE)
    fast.solve(instance(LastLayer, "noisy", 0))
    if solve_some.stats.cache_path:
        assert lapack._stamp() in solve_some.stats.cache_path


def test_symmetric_routines_are_what_they_say():
    lapack = importlib.import_module("fast.compiled.lapack")
    rng, spare = np.random.default_rng(0), lapack.room()
    n, ld = 7, 9
    P = rng.standard_normal((12, ld)).astype(np.float32)
    H = np.zeros((ld, ld), np.float32)
    lapack.gram(P, 10, n, H, spare)
    A = P[:10, :n].astype(float)
    np.testing.assert_allclose(np.triu(H)[:n, :n], np.triu(A.T @ A), rtol=1e-5, atol=1e-5)
    assert lapack.factorise(H, n, spare)
    U = np.triu(H[:n, :n])
    np.testing.assert_allclose(U.T @ U, A.T @ A, rtol=1e-4, atol=1e-4)
    Y = rng.standard_normal((3, ld)).astype(np.float32)
    right = Y.copy()
    lapack.solve(H, n, Y, 2, spare)
    expected = np.linalg.solve(A.T @ A, right[:2, :n].T).T
    np.testing.assert_allclose(Y[:2, :n], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(Y[2], right[2])
    one = right[0].copy()
    lapack.solve_one(H, n, one, spare)
    np.testing.assert_allclose(one[:n], expected[0], rtol=1e-3, atol=1e-4)
    assert not lapack.factorise(-np.eye(3, dtype=np.float32), 3, spare)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 11])
def test_conjugate_gradients_say_whether_they_have_solved_it(n):
    state, step = (importlib.import_module(f"fast.compiled.{m}") for m in ("state", "step"))
    w = state.new_room(n, n, np.empty((0, 0), np.float32))
    R = np.random.default_rng(n).standard_normal((n, n)) / (10 * n)
    w.factor[:], w.b[:] = np.eye(n) + R @ R.T, np.arange(1, n + 1)
    assert step.conjugate_gradients.py_func(w, n)
    np.testing.assert_allclose(w.dx, np.linalg.solve(w.factor, w.b), rtol=1e-4)
    w.factor[:] = np.diag(np.logspace(0, 12, n))
    assert step.conjugate_gradients.py_func(w, n) == (n <= 5)


@pytest.mark.parametrize("where", ["x", "r", "eta", "v"])
def test_what_is_not_a_number_has_no_residual(where):
    """A maximum forgets nan, and a point of nan must not look solved."""
    state, looks = (importlib.import_module(f"fast.compiled.{m}") for m in ("state", "looks"))
    m, n = 3, 2
    W = np.eye(m, n)
    q = state.Shared(
        W, W.astype(np.float32), np.empty((0, 0)), np.ones(m), np.zeros(n), True, False
    )
    zeros = {name: np.zeros(m) for name in ("t", "d", "eta", "v")}
    zeros |= {name: np.zeros(n) for name in ("lam", "x", "r")}
    s = state.Signal(on=np.zeros(m, bool), g=np.empty(0), **zeros)
    assert looks.natural(q, s) == 0
    getattr(s, where)[0] = np.nan
    assert looks.natural(q, s) == np.inf
