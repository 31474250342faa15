"""Result files, and what changed between two of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cvxinv import record
from cvxinv.bench.compare import check_comparable, compare
from cvxinv.bench.measure import Kind
from cvxinv.bench.ratios import ratio, total
from cvxinv.bench.result import read
from tests.support.bench import B, problem, result

STORED = sorted((Path(__file__).parents[2] / "validation/results").glob("bench_*.json"))


def test_what_is_written_is_read(tmp_path):
    failed = replace(problem()[1], kkt=np.inf, solved=0, iterations=(1.5, 2))
    wrote = result([*problem(first_call=0.5), failed], problem(), seeds=(0, 3))
    record.write(tmp_path / "b.json", wrote.as_json())
    found = read(tmp_path / "b.json")
    assert (found.settings, found.about) == (wrote.settings, wrote.about)
    assert [run.seed for run in found.runs] == [0, 3]
    for rows, before in zip(found.runs[0].groups, wrote.runs[0].groups, strict=True):
        for a, b in zip(rows, before, strict=True):
            assert a.kind is b.kind
            assert a == (replace(b, kkt=np.inf) if np.isnan(b.kkt) else b)


def test_a_file_of_before_there_were_seeds(tmp_path):
    """One seed, no seconds per repeat, no first calls: ratios are those of medians."""
    written = result(problem()).as_json()
    (seed,) = written.pop("seeds")
    del written["summary"]
    written |= {"problems": seed["problems"], "settings": written["settings"] | {"seed": 5}}
    for entry in written["problems"][0]["rows"]:
        for added in ("times", "on_device", "first_call"):
            del entry[added]
    record.write(tmp_path / "old.json", written)
    (run,) = read(tmp_path / "old.json").runs
    assert run.seed == 5
    assert ratio(run.groups, Kind.RIVAL) == 40 / 2


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_stored_results_are_read(path):
    found = read(path)
    for run in found.runs:
        assert len(run.groups) in (2, 3)
        assert total(run.groups, Kind.FAST) > 0
        assert ratio(run.groups, Kind.RIVAL) > 0
    assert not any(change.regressed for change in compare(found, found))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"settings": {}}', '{"settings": {"seed": 0}}'])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"b\.json: expected a file that `cvxinv bench --json`"):
        read(path)


# -- comparing -------------------------------------------------------------------------------------


def test_a_slower_machine_is_no_regression():
    """Everything takes three times as long, which is the machine."""
    now = problem((3.0, 6.0, 12.0), (30.0, 120.0, 360.0), 1.5)
    for change in compare(result(problem()), result(now)):
        assert change.ms == (500, 1500)
        assert change.slower == pytest.approx(1)
        assert not change.regressed


@pytest.mark.parametrize(("factor", "regressed"), [(0.5, False), (1.05, False), (1.2, True)])
def test_a_slower_fast_is_one(factor, regressed):
    now = problem([factor * t for t in (1.0, 2.0, 4.0)])
    for change in compare(result(problem()), result(now)):
        assert change.slower == pytest.approx(factor)
        assert change.regressed is regressed


def test_both_yardsticks_must_say_so():
    """A rival, or a library of matrix products, that became twice as fast says nothing of fast."""
    for now in (problem(rival=(5.0, 20.0, 60.0)), problem(floor=0.25)):
        assert not any(change.regressed for change in compare(result(problem()), result(now)))


def test_without_the_rival_the_floor_decides():
    """The rival of then may be gone, or be timed on few signals only."""
    own, rival, *others = problem(fast=(1.2, 2.4, 4.8))
    for rows in ([own, *others], [own, replace(rival, timed=2), *others]):
        change = compare(result(problem()), result(rows))[0]
        assert np.isnan(change.faster).all()
        assert change.slower == pytest.approx(1.2)
        assert change.regressed


def test_fewer_signals_solved_is_a_regression():
    now = problem()
    now[0] = replace(now[0], solved=B - 1)
    assert [c.solved for c in compare(result(problem()), result(now))] == [(B, B - 1)] * 2
    assert all(c.regressed for c in compare(result(problem()), result(now)))


def test_seeds_in_common_are_compared():
    old, new = result(problem(), seeds=(0,)), result(problem(), seeds=(1, 0))
    assert len(compare(old, new)) == 2
    check_comparable(old, new.settings)
    with pytest.raises(ValueError, match=r"no seed in common: \[0\] then, \[1\] now"):
        check_comparable(old, result(problem(), seeds=(1,)).settings)


def test_what_was_not_measured_alike_is_refused():
    old, new = result(problem(), threads=2), result(problem(), batch=8, threads=1)
    with pytest.raises(ValueError, match="batch 4 then, 8 now; threads 2 then, 1 now"):
        check_comparable(old, new.settings)
