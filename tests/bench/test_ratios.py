"""What the rows say of a rival against fast."""

from dataclasses import replace

import numpy as np
import pytest

from cvxinv.bench import ratios
from cvxinv.bench.measure import Kind
from cvxinv.bench.summary import Run, summary
from tests.support.bench import B, problem, row


def test_the_best_rival_is_the_fastest_that_solved_everything():
    good, slow, bad, few = (
        row("good", 2, 1e-9),
        row("slow", 3, 1e-15),
        row("bad", 1, 1e-3, 2),
        row("few", 1.5, 1e-9, 2, 2),
    )
    assert ratios.best([bad, slow, good]) is good
    assert ratios.best([bad, few, slow]) is slow
    assert ratios.best([bad, row("worse", 0.5, 1.0, 0)]) is bad
    assert ratios.best([few]) is few
    assert ratios.best([row("fast", 1, 0, kind=Kind.FAST)]) is None
    team = row("good, 2 processes", 1, kind=Kind.PROCESSES)
    assert ratios.best([team, good]) is good
    assert ratios.best([team, good], Kind.PROCESSES) is team


def test_totals():
    first = [
        row("fast", 1, 0, kind=Kind.FAST),
        row("r", 10, 0),
        row("A5", 100, 0, kind=Kind.PRINTED),
    ]
    other = [*first, row("A2", 50, 0, kind=Kind.RHO_ONE)]
    expected = {Kind.FAST: 2, Kind.RIVAL: 20, Kind.PRINTED: 200, Kind.RHO_ONE: 150}
    assert {kind: ratios.total([first, other], kind) for kind in expected} == expected
    assert np.isnan(ratios.total([first, first[:1]], Kind.RIVAL))
    assert np.isnan(ratios.ratio([first, first[:1]], Kind.RIVAL))


def test_repeats_are_paired():
    """Of 10 / 1, 40 / 2 and 120 / 4 the median is 20; so it is with repeat 2 on a machine of a
    tenth of the speed, which moves the median of every solver.
    """
    rows = problem()
    slowed = [replace(r, times=(r.times[0], 10 * r.times[1], *r.times[2:])) for r in rows[:2]]
    assert ratios.ratio([rows], Kind.RIVAL) == ratios.ratio([slowed], Kind.RIVAL) == 20
    assert ratios.ratio([rows], Kind.PROCESSES) == 10
    assert ratios.ratio([rows], Kind.PRINTED) == 50  # once, against the median of 1, 2, 4


def test_the_total_pairs_the_sums_of_all_problems():
    groups = [problem(), problem(fast=(9.0, 8.0, 6.0), rival=(10.0, 10.0, 10.0))]
    assert ratios.ratio(groups, Kind.RIVAL) == np.median([20 / 10, 50 / 10, 130 / 10])
    uneven = [groups[0], problem(fast=(9.0, 8.0), rival=(10.0, 10.0))]
    assert ratios.ratio(uneven, Kind.RIVAL) == pytest.approx((40 + 10) / (2 + 8.5))  # of medians


def test_summary():
    other = problem(rival=(20.0, 80.0, 240.0), first_call=3.0)
    one, everything = summary([Run(3, [problem(first_call=7.0)]), Run(4, [other])])
    assert (one.problem, everything.problem) == ("last layer", "all")
    assert (one.ratio, one.processes) == ([20, 40], [10, 20])
    assert one.ours == [1e3 * 2 / B] * 2
    assert one.theirs == [1e3 * 40 / B, 1e3 * 80 / B]
    assert one.rival == everything.rival == ["DAQP", "DAQP"]
    assert (one.printed, one.printed_valid) == ([50, 50], [False, False])
    assert one.floor == [4, 4]
    assert one.first_call == [7000, 3000]
    assert one.solved == [B, B]
    assert np.isnan(one.on_device).all()


def test_summary_of_several_problems_and_no_rivals():
    lines = summary([Run(0, [problem(), problem()[:1]])])
    assert [line.rival for line in lines] == [["DAQP"], [""], [""]]
    assert np.isnan(lines[-1].ratio[0])
    assert lines[-1].ours == [1e3 * 4 / B]
