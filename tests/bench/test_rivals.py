"""Rivals solve, or say that they did not; one signal that fails spoils no other."""

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv.bench import rivals
from cvxinv.bench.gram import one_by_one, programs
from cvxinv.bench.instances import Case, cases, gaussian
from tests.support.bench import SIZES, B, make, quadratic
from tests.support.tolerances import OPTIMAL


@pytest.mark.parametrize("rival", rivals.RIVALS, ids=lambda r: r.name)
@pytest.mark.parametrize("position", range(3), ids=["last layer", "midlayer", "latent"])
@pytest.mark.parametrize("condition", [None, 30.0])
def test_rivals_solve_or_say_so(rival, position, condition):
    pytest.importorskip(rival.module)
    case = cases(gaussian(SIZES, 0, condition), B, dtype=torch.float64)[position]
    q = quadratic(case)
    if not rival.applies(q):
        assert rival.last_layer_only
        return
    answer = rival.solve(q)
    assert answer.x.shape == (B, case.problem.W.shape[1])
    kkt = cvxinv.verify(case.problem, answer.x, answer.dual).kkt.numpy()
    failed = np.isnan(answer.x).any(axis=1)
    assert not failed.any() or answer.note
    assert kkt[~failed].max(initial=0) <= OPTIMAL


def test_gram_forms():
    """The Gram matrices formed one by one and all at once are the same, and the shared one is
    shared.
    """
    last, mid, latent = make((3, 40, 60, 90))
    shared = list(programs(quadratic(last)))
    assert all(p.H is shared[0].H and p.shared for p in shared)
    for case in (mid, latent):  # 40 unknowns and 3
        q = quadratic(case)
        for b, p in enumerate(programs(q)):
            A = q.W[q.rows[b]]
            np.testing.assert_allclose(p.H, A.T @ A + q.gamma * np.eye(len(p.H)), atol=1e-12)
            np.testing.assert_allclose(p.f, q.lam[b] - A.T @ q.t[b][q.rows[b]], atol=1e-12)
            np.testing.assert_array_equal(p.C, q.W[~q.rows[b]])
            assert not p.shared


def test_a_signal_that_fails_does_not_spoil_the_others():
    def start(q):
        calls = iter(range(q.size))

        def step(program):
            if next(calls) == 1:
                raise ValueError("no thanks")
            return np.zeros(len(program.f)), 0.0, 7

        return step

    answer = one_by_one(start)(quadratic(make()[1]))
    assert np.isnan(answer.x).any(axis=1).tolist() == [False, True, False, False]
    assert answer.note == "no thanks"
    assert answer.iterations.tolist() == [7, 0, 7, 7]


def test_lasso_needs_a_whole_last_layer():
    case = make()[0]
    masked = Case(
        "last layer", cvxinv.LastLayer(case.problem.W, case.problem.y, observed=case.problem.y > 0)
    )
    assert rivals.RIVALS[0].applies(quadratic(case))
    assert not rivals.RIVALS[0].applies(quadratic(masked))
