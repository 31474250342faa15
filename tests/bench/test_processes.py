"""A rival in several processes answers what it answers in one."""

import numpy as np
import pytest

from cvxinv.bench import rivals
from cvxinv.bench.gram import attempt, one_by_one
from cvxinv.bench.measure import Kind
from cvxinv.bench.processes import shared_out
from cvxinv.bench.race import race
from cvxinv.bench.rivals import Rival
from tests.support.bench import B, crash, die, make, quadratic
from tests.support.tolerances import KKT, SAME_POINT

osqp = one_by_one(rivals.osqp)


@pytest.mark.parametrize("batch", [1, 5])
def test_parts_come_back_in_their_places(batch):
    q = quadratic(make(batch=batch)[1])
    alone = attempt(osqp, q)
    with shared_out(osqp, q, 2) as run:
        for found in (run(), run()):
            np.testing.assert_allclose(found.x, alone.x, atol=SAME_POINT)
            np.testing.assert_allclose(found.dual, alone.dual, atol=SAME_POINT)
            assert found.iterations.tolist() == alone.iterations.tolist()


@pytest.mark.parametrize(("solve", "word"), [(crash, "too big"), (die, "terminated")])
def test_what_fails_there_is_an_answer_here(solve, word):
    q = quadratic(make()[1])
    with shared_out(solve, q, 2) as run:
        found = run()
    assert np.isnan(found.x).all()
    assert found.x.shape == (B, q.W.shape[1])
    assert word in found.note


def test_the_best_rivals_also_run_in_processes(monkeypatch):
    monkeypatch.setattr(rivals, "RIVALS", (Rival("OSQP", "osqp", osqp),))
    own, alone, team = race(make()[0], KKT, 2, 2, lambda text: None, processes=2)
    assert (team.solver, team.kind) == ("OSQP, 2 processes", Kind.PROCESSES)
    assert team.valid
    assert team.iterations == alone.iterations
    assert len(own.times) == len(alone.times) == len(team.times) == 2
