"""Statements in CVXPY: each is the (Q) of its class, and what none of them states is an error."""

from dataclasses import dataclass, replace
from typing import ClassVar

import cvxpy as cp
import numpy as np
import pytest

from cvxinv import (
    BasisPursuit,
    LastLayer,
    Latent,
    MidLayer,
    NotConvexError,
    Status,
    activations,
    reference,
)
from cvxinv.errors import NotStatedError
from cvxinv.problems import Quadratic
from cvxinv.reference import statements
from tests.support.instances import CLASSES, CONSTRAINED, instance
from tests.support.tolerances import FORWARD

RNG = np.random.default_rng(0)
W, Y = RNG.standard_normal((9, 4)), np.abs(RNG.standard_normal((3, 9)))


def stated(problem, b):
    """The statement of signal b in its own units, and A, t, C, d, lam, gamma."""
    q: Quadratic = problem.quadratic()
    rows, off = q.rows[b], q.inequalities[b]
    A, C, t, d, lam = q.W[rows], q.W[off], q.t[b][rows], q.d[b][off], q.lam[b]
    data = {
        "A": A,
        "C": C,
        "gamma": q.gamma,
        "t": cp.Parameter(len(t), value=t),
        "d": cp.Parameter(len(d), value=d),
        "lam": cp.Parameter(len(lam), nonneg=True, value=lam),
    }
    return statements.stated(type(problem), **data), A, t, C, d, lam, q.gamma


@pytest.mark.parametrize("kind", ["noisy", "mask", "full_support"])
@pytest.mark.parametrize("cls", CLASSES)
def test_each_class_is_stated_as_its_quadratic(cls, kind):
    for seed in range(4):
        problem = instance(cls, kind, seed)
        for b in range(3):
            statement, A, t, C, d, lam, gamma = stated(problem, b)
            x = np.random.default_rng(seed).standard_normal(A.shape[1])
            x = np.abs(x) if statement.x.is_nonneg() else x
            statement.x.value = x
            objective = 0.5 * np.sum((A @ x - t) ** 2) + lam @ abs(x) + gamma / 2 * x @ x
            value = statement.objective.value + 0.5 * t @ t
            assert value == pytest.approx(objective, rel=FORWARD, abs=FORWARD * t @ t)
            assert statement.x.is_nonneg() == problem.quadratic().nonnegative
            assert len(statement.inequalities) == (cls in CONSTRAINED)
            for inequality in statement.inequalities:
                np.testing.assert_allclose(inequality.args[0].value - d, C @ x - d, atol=1e-12)


@pytest.mark.parametrize("cls", CLASSES)
def test_statements_are_parametrised_for_compilation_once(cls):
    assert stated(instance(cls, "mask", 0), 0)[0].problem.is_dpp()


@dataclass(frozen=True, eq=False)
class ElasticNet(MidLayer):
    """A midlayer that somebody made: its (Q) has another term."""

    def quadratic(self):
        return replace(super().quadratic(), gamma=2.0)


@dataclass(frozen=True, eq=False)
class Same(LastLayer):
    """A subclass that changes nothing, which nobody can know."""


@pytest.mark.parametrize("problem", [ElasticNet(W, Y), Same(W, Y)])
def test_a_class_that_nobody_stated_is_an_error(problem):
    with pytest.raises(NotStatedError, match=f"^problem: {type(problem).__name__} has no CVXPY"):
        reference.solve(problem)


TAKES = {
    "gamma": (Latent,),
    "lam": (LastLayer, MidLayer, BasisPursuit),
}
DROPS = [(cls, term) for term in TAKES for cls in CLASSES if cls not in TAKES[term]]


@pytest.mark.parametrize(("cls", "term"), DROPS)
def test_a_term_that_the_statement_does_not_take_is_an_error(cls, term, monkeypatch):
    original = cls.quadratic

    def extended(self):
        q = original(self)
        return replace(q, gamma=0.5) if term == "gamma" else replace(q, lam=q.lam + 0.5)

    monkeypatch.setattr(cls, "quadratic", extended)
    with pytest.raises(NotStatedError, match=f"^problem: .*{cls.__name__} has {term}, which"):
        reference.solve(cls(W, Y))


class Cubic:
    """phi(t) = t + t^3/3: smooth, increasing, and no scaled tanh."""

    name: ClassVar[str] = "cubic"
    smooth: ClassVar[bool] = True

    def __call__(self, t):
        return t + t**3 / 3

    def derivative(self, t):
        return 1 + t**2


def test_a_smooth_phi_without_a_statement_is_an_error_and_no_sigmoid(monkeypatch):
    monkeypatch.setitem(activations._CLASSES, "cubic", Cubic)
    with pytest.raises(NotConvexError, match=r"cubic.*no CVXPY statement.*identity"):
        reference.solve(LastLayer(W, Y, Cubic()))


@pytest.mark.parametrize("cls", CLASSES)
def test_one_statement_is_compiled_for_all_signals_with_the_same_masks(cls, monkeypatch):
    compiled, original = [], statements.stated
    monkeypatch.setattr(
        statements, "stated", lambda *a, **k: compiled.append(a) or original(*a, **k)
    )
    support = {"support": RNG.random(9) < 0.7} if cls in CONSTRAINED else {}
    sol = reference.solve(cls(W, Y, **support))
    assert list(sol.status) == 3 * [Status.OPTIMAL]
    assert compiled == [(cls,)]
