"""The hostile script on some instances: it sees what it should, and a lying backend is caught."""

from types import SimpleNamespace

import numpy as np
import pytest

import cvxinv
from cvxinv import Status
from validation import exact
from validation.hostile.draws import Drawn, draw
from validation.hostile.judge import BEYOND, FAR, Call, Case, Judge
from validation.hostile.trial import run

CALL = Call("liar", lambda problem, k: None, lambda k: "nothing")


def judge(problem):
    drawn = Drawn(problem, ("by hand",))
    return Judge(drawn, [s and Case(s, exact.solve(s)) for s in exact.signals(problem)])


def says(x, status=Status.OPTIMAL, bound=np.nan):
    gap = np.where(np.isnan(bound), np.nan, 0.0)
    figures = {"gap": gap, "lower_bound": bound, "kkt": 0.0}
    certificate = SimpleNamespace(**{name: np.array([a]) for name, a in figures.items()})
    return SimpleNamespace(x=np.array([x]), status=[status], certificate=certificate)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("wrongly optimal: objective, without gap", says([0.9])),
        ("wrongly optimal: objective, with gap", says([0.9], bound=0.0)),
        ("wrongly optimal: violation", says([1.1])),
        ("wrongly INFEASIBLE", says([0.0], Status.INFEASIBLE)),
        ("lower bound above the optimum", says([1.0], bound=0.6)),
        ("NONFINITE or not", says([np.nan], Status.NONFINITE)),
    ],
)
def test_a_lie_is_caught(kind, answer):
    W, bias = np.array([[1.0], [1.0]]), np.array([0.0, -1.0])  # x <= 1, and 2 is wanted
    court = judge(cvxinv.MidLayer(W, np.array([[2.0, 0.0]]), np.array([True, False]), bias))
    court.solution(CALL, answer)
    assert court.tally.failed == {(kind, "liar", "MidLayer"): 1}
    court.solution(CALL, says([1.0], bound=0.5))  # the truth
    assert court.tally.failed.total() == 1


def test_exceptions_hangs_and_warnings_are_failures_of_the_right_signal(monkeypatch):
    monkeypatch.setattr("validation.hostile.judge.SECONDS", 0.05)
    court = judge(cvxinv.LeastSquares(np.eye(2), np.array([[0.0, 0.0], [7.0, 0.0]])))

    def fail(problem, _):
        if 7.0 in problem.target:
            raise ValueError("seven")

    def hang(problem, _):
        while 7.0 in problem.target:
            pass

    def warn(problem, _):
        np.float64(1.0) / np.float64(0.0)

    for name, call in {"fail": fail, "hang": hang, "warn": warn}.items():
        assert court.attempt(Call(name, call, lambda k: f"signal {k}")) is None
    kinds = {key[:2]: found[0] for key, found in court.tally.examples.items()}
    assert set(kinds) == {("exception", "fail"), ("hang", "hang"), ("warning", "warn")}
    assert all(kinds[key]["code"].endswith("signal 1") for key in kinds if key[0] != "warning")


def test_code_rebuilds_a_signal_to_the_last_bit():
    names = {"array": np.array, "nan": np.nan, "inf": np.inf, "cvxinv": cvxinv}
    for k in range(40):
        drawn = draw(np.random.default_rng(k), 3)
        again = eval(drawn.code(1), names)  # our own text
        assert exact.signals(again) == [exact.signals(drawn.problem)[1]]


def test_a_difference_of_target_and_bias_is_exact_where_it_enters():
    for k in range(40):
        drawn = draw(np.random.default_rng(k), 3)
        q = drawn.problem.quadratic()
        for signal, t, rows in zip(exact.signals(drawn.problem), q.t, q.rows, strict=True):
            assert signal is None or exact.rationals(t[rows]) == signal.t


def test_some_instances():
    tally = run(160, seed=5, reference={"CLARABEL": 10, "OSQP": 20})
    assert tally.seen["fast"] == 160
    assert tally.seen["CLARABEL"] == 16
    assert tally.seen["verify"] >= 1_500
    assert tally.seen["exact: infeasible"] >= 3
    assert {name for name, _ in tally.decades} >= {"fast: violation", "verify: exact: violation"}
    assert not [key for key in tally.failed if not key[0].endswith((FAR, BEYOND))]
