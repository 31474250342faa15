"""The race: rivals are never trusted and never crash a run."""

import numpy as np
import pytest

from cvxinv.bench import rivals
from cvxinv.bench.measure import Kind
from cvxinv.bench.race import everyone, race
from cvxinv.bench.ratios import best
from cvxinv.bench.rivals import Rival
from tests.support.bench import B, crash, make, right, wrong
from tests.support.pretend import pretended
from tests.support.tolerances import KKT


def test_rivals_that_crash_or_lie_are_rows(monkeypatch):
    def early(q):  # right on few signals only
        return right(q) if q.size < B else wrong(q)

    field = {"crash": crash, "wrong": wrong, "early": early, "other early": early, "right": right}
    monkeypatch.setattr(
        rivals, "RIVALS", tuple(Rival(name, "numpy", solve) for name, solve in field.items())
    )
    said = []
    rows = race(make()[0], KKT, 2, 2, said.append)
    own, found = rows[0], {r.solver: r for r in rows[1:]}
    assert own.kind is Kind.FAST
    assert own.valid
    assert found["crash"].note == "failed on 2 of 2: too big"
    assert (found["crash"].kkt, found["crash"].solved) == (np.inf, 0)
    assert not found["wrong"].valid
    assert (found["wrong"].timed, found["wrong"].batch) == (2, B)
    assert best(rows).solver == "right"  # whichever came first on two signals
    assert (found["right"].timed, found["right"].repeats, found["right"].solved) == (B, 2, B)
    assert len(own.times) == len(found["right"].times) == 2
    assert np.median(own.times) == pytest.approx(own.seconds)
    assert said


def test_a_race_without_rivals(monkeypatch):
    monkeypatch.setattr(rivals, "RIVALS", (Rival("absent", "no_such_module", wrong),))
    (own,) = race(make()[0], KKT, 1, 2, lambda text: None)
    assert own.kind is Kind.FAST


@pytest.mark.parametrize("cold", [True, False])
def test_first_calls_are_timed_where_they_are_first(monkeypatch, cold):
    monkeypatch.setattr(rivals, "RIVALS", ())
    groups = everyone(
        make(),
        KKT,
        repeats=1,
        first=1,
        processes=1,
        max_iter=5,
        cold=cold,
        say=lambda text: None,
    )
    assert [(rows[0].first_call is not None) for rows in groups] == [cold] * 3
    assert {row.first_call for rows in groups for row in rows[1:]} == {None}


def test_calls_on_a_card_are_also_timed_by_events(monkeypatch):
    monkeypatch.setattr(rivals, "RIVALS", ())
    with pretended():
        (there,) = race(make(device="cuda")[2], KKT, 2, 1, lambda text: None)
    (here,) = race(make()[2], KKT, 2, 1, lambda text: None)
    assert there.valid
    assert 0 < there.on_device <= there.seconds
    assert here.on_device is None
