"""Groups of signals with the same masks, and signals that are lost alone: their solver raises, or
their process dies.
"""

import os
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import pytest

from cvxinv import BasisPursuit, LastLayer, LeastSquares, LinearProgram, MidLayer, Status, reference
from cvxinv.progress import Meter
from cvxinv.reference.groups import Batch, _groups, run
from cvxinv.reference.solvers import attempt, choose
from tests.support.tolerances import ALONE

RNG = np.random.default_rng(0)
W, Y = RNG.standard_normal((9, 4)), np.abs(RNG.standard_normal((6, 9)))


def batch(problem, solver=None):
    return Batch(type(problem), problem.quadratic(), choose(problem, solver, {}))


def test_groups_hold_each_finite_signal_once_and_share_their_masks():
    rows = RNG.random((2, 9)) < 0.7
    kinds = np.array([0, 1, 0, 0, 1, 0])
    y = Y.copy()
    y[3, np.flatnonzero(rows[0])[0]] = np.nan
    groups = _groups(batch(LastLayer(W, y, observed=rows[kinds])), largest=2)
    assert sorted(np.concatenate(groups)) == [0, 1, 2, 4, 5]
    assert all(len(group) <= 2 and len(set(kinds[group])) == 1 for group in groups)


ERRORS = [ValueError("no"), ArithmeticError("no"), MemoryError(), ImportError("no"), Exception()]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("cls", [LastLayer, MidLayer, LeastSquares, LinearProgram])
def test_whatever_a_solver_raises_costs_its_own_signal(cls, error, monkeypatch, caplog):
    """Without the polish, which would find the solution without the solver."""
    cvxpy, calls = import_module("cvxpy"), []
    original = cvxpy.Problem.get_problem_data

    def raises_once(self, *args, **kwargs):
        calls.append(self)
        if len(calls) == 2:
            raise error
        return original(self, *args, **kwargs)

    problem = cls(W, Y) if cls is not MidLayer else cls(W, Y, np.ones(9, bool))
    expected = reference.solve(problem, polish=False).x
    monkeypatch.setattr(cvxpy.Problem, "get_problem_data", raises_once)
    sol = reference.solve(problem, polish=False, tol=1e-6)
    assert [s is Status.OPTIMAL for s in sol.status] == [True, False, True, True, True, True]
    assert sol.status[1] is Status.MAX_ITER
    assert np.isnan(sol.x[1]).all()
    others = [0, 2, 3, 4, 5]
    np.testing.assert_allclose(sol.x[others], expected[others], rtol=ALONE, atol=ALONE)
    assert "signal 1: " in caplog.text
    assert type(error).__name__ in caplog.text


def test_the_polish_finds_what_the_solver_did_not(monkeypatch, caplog):
    cvxpy = import_module("cvxpy")
    expected = reference.solve(LastLayer(W, Y)).x

    def raises(self, *args, **kwargs):
        raise ValueError("never again")

    monkeypatch.setattr(cvxpy.Problem, "get_problem_data", raises)
    sol = reference.solve(LastLayer(W, Y))
    assert list(sol.status) == 6 * [Status.OPTIMAL]
    np.testing.assert_allclose(sol.x, expected, atol=ALONE)
    assert not caplog.text


def test_an_interrupt_interrupts(monkeypatch):
    cvxpy = import_module("cvxpy")

    def interrupted(self, *args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cvxpy.Problem, "get_problem_data", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reference.solve(BasisPursuit(W, Y, lam=0.1))


def test_a_statement_that_does_not_compile_costs_its_group(monkeypatch, caplog):
    groups, original = import_module("cvxinv.reference.signals"), None
    original = groups.quadratics

    def fails(q, kind, solver):
        if q.rows[0].all():
            raise ArithmeticError("no")
        return original(q, kind, solver)

    monkeypatch.setattr(groups, "quadratics", fails)
    seen = np.ones((6, 9), bool)
    seen[1::2, 3] = False
    sol = reference.solve(LastLayer(W, Y, observed=seen), polish=False, tol=1e-6)
    assert [s is Status.OPTIMAL for s in sol.status] == 3 * [False, True]
    assert "ArithmeticError: no" in caplog.text


def dying(problem, deadly):
    """A batch whose process dies at signals with this first entry, as if out of memory."""

    @dataclass(frozen=True)
    class Dying(Batch):
        def take(self, group):
            part = super(type(self), self).take(group)
            return type(self)(part.kind, part.stated, part.solver)

        def answer(self):
            if (self.stated.t[:, 0] == deadly).any():
                os._exit(1)
            return super(type(self), self).answer()

    return Dying(type(problem), problem.quadratic(), choose(problem, None, {}))


@pytest.mark.parametrize("masks", [1, 6])
def test_a_process_that_dies_costs_the_signal_that_killed_it(masks):
    y = np.abs(RNG.standard_normal((12, 9)))
    seen = np.ones((12, 9), bool)
    seen[np.arange(12), 3 + np.arange(12) % masks] = False
    problem = LastLayer(W, y, observed=seen)
    expected = run(batch(problem), 1, Meter())
    found = run(dying(problem, y[5, 0]), 2, Meter())
    alive = np.arange(12) != 5
    np.testing.assert_allclose(found.x[alive], expected.x[alive], atol=ALONE)
    assert np.isnan(found.x[5]).all()
    assert list(found.failure != "") == list(~alive)
    assert "process died" in found.failure[5]


def test_an_attempt_says_why_there_is_no_iterate():
    cvxpy = import_module("cvxpy")
    x = cvxpy.Variable()
    unbounded = attempt(cvxpy.Problem(cvxpy.Minimize(x)), "CLARABEL")
    assert not unbounded.solved
    assert "unbounded" in unbounded.failure
    assert attempt(cvxpy.Problem(cvxpy.Minimize(x), [x >= 1]), "CLARABEL").solved
    assert x.value == pytest.approx(1)
