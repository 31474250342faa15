"""The race: rivals are never trusted and never crash a run."""

import numpy as np

from cvxinv.bench import measure, rivals
from cvxinv.bench.measure import Kind, Row
from cvxinv.bench.rivals import Rival
from tests.support.bench import B, make, right, wrong
from tests.support.tolerances import KKT


def row(solver, seconds, kkt, solved=B, timed=B, kind=Kind.RIVAL):
    return Row("last layer", solver, kind, seconds, timed, B, 1, kkt, solved)


def test_the_best_rival_is_the_fastest_that_solved_everything():
    good, slow, bad, few = (
        row("good", 2, 1e-9),
        row("slow", 3, 1e-15),
        row("bad", 1, 1e-3, 2),
        row("few", 1.5, 1e-9, 2, 2),
    )
    assert measure.best([bad, slow, good]) is good
    assert measure.best([bad, few, slow]) is slow
    assert measure.best([bad, row("worse", 0.5, 1.0, 0)]) is bad
    assert measure.best([few]) is few
    assert measure.best([row("fast", 1, 0, kind=Kind.FAST)]) is None


def test_totals():
    first = [
        row("fast", 1, 0, kind=Kind.FAST),
        row("r", 10, 0),
        row("A5", 100, 0, kind=Kind.PRINTED),
    ]
    other = [*first, row("A2", 50, 0, kind=Kind.RHO_ONE)]
    expected = {Kind.FAST: 2, Kind.RIVAL: 20, Kind.PRINTED: 200, Kind.RHO_ONE: 150}
    assert {kind: measure.total([first, other], kind) for kind in expected} == expected
    assert np.isnan(measure.total([first, first[:1]], Kind.RIVAL))


def test_rivals_that_crash_or_lie_are_rows(monkeypatch):
    def crash(q):
        raise MemoryError("too big")

    def early(q):  # right on few signals only
        return right(q) if q.size < B else wrong(q)

    field = {"crash": crash, "wrong": wrong, "early": early, "other early": early, "right": right}
    monkeypatch.setattr(
        rivals, "RIVALS", tuple(Rival(name, "numpy", solve) for name, solve in field.items())
    )
    said = []
    rows = measure.race(make()[0], KKT, 2, 2, said.append)
    own, found = rows[0], {r.solver: r for r in rows[1:]}
    assert own.kind is Kind.FAST
    assert own.valid
    assert found["crash"].note == "failed on 2 of 2: too big"
    assert (found["crash"].kkt, found["crash"].solved) == (np.inf, 0)
    assert not found["wrong"].valid
    assert (found["wrong"].timed, found["wrong"].batch) == (2, B)
    assert measure.best(rows).solver == "right"  # whichever came first on two signals
    assert (found["right"].timed, found["right"].repeats, found["right"].solved) == (B, 2, B)
    assert said


def test_a_race_without_rivals(monkeypatch):
    monkeypatch.setattr(rivals, "RIVALS", (Rival("absent", "no_such_module", wrong),))
    (own,) = measure.race(make()[0], KKT, 1, 2, lambda text: None)
    assert own.kind is Kind.FAST
