"""The GPU day, rehearsed on the pretended card; and parts that raise, or are late."""

import json
import time
from functools import partial

import pytest
import typer
from rich.console import Console

from tests.support.pretend import pretended
from tests.support.tolerances import SAME_POINT
from validation.gpu import day, parts
from validation.gpu.__main__ import main


def rehearsed(folder):
    with pretended():
        main(folder, small=True)
    return json.loads((folder / "gpu.json").read_text())


@pytest.mark.slow
def test_a_rehearsal_leaves_nothing_out(tmp_path):
    found = rehearsed(tmp_path)
    assert (found["card"], found["small"]) == ("pretended", True)
    assert list(found["parts"]) == [part.name for part in parts.PARTS]
    outcomes = {name: part["outcome"] for name, part in found["parts"].items()}
    assert set(outcomes.values()) == {"done"}, outcomes
    rows = {name: part["rows"] for name, part in found["parts"].items()}
    for row in rows["agreement with the CPU"].values():
        assert row["largest distance"] <= SAME_POINT
        assert row["statuses"] == row["those of the CPU"] == {"OPTIMAL": parts.SMALL.compared}
    assert len(rows["captured against plain steps"]) == 8
    assert max(rows["captured against plain steps"].values()) <= SAME_POINT
    float64, float32 = (rows["milliseconds"][f"gaussian, 2, torch.float{k}"] for k in (64, 32))
    assert set(float64) == set(float32) == {"last layer", "midlayer", "latent", "total"}
    assert float64["total"]["statuses"] == {"OPTIMAL": 3 * 2}
    assert set(rows["inversions"]) == {"latent_pursuit", "invert", "gradient_descent"}


def test_the_full_day_ends_in_time():
    assert sum(part.limit for part in parts.PARTS) <= day.TOTAL < 8 * 60


ORIGIN = {"commit": "a", "versions": {}, "card": "none", "small": True}


def opened(folder, **changed):
    return day.Day(folder / "gpu.json", ORIGIN | changed, Console(quiet=True))


def rows(last, sizes):
    yield "first", sizes
    yield "second", last()


def test_parts_that_raise_or_are_late_are_recorded_and_run_again(tmp_path):
    calls, on = [], opened(tmp_path)

    def counted():
        calls.append(1)
        return None

    for name, limit, last in [
        ("raises", 60, lambda: 1 / 0),
        ("late", 0.05, partial(time.sleep, 60)),
        ("done", 60, counted),
    ]:
        on.run(day.Part(name, limit, partial(rows, last)), 3)
        written = json.loads((tmp_path / "gpu.json").read_text())
        assert list(written["parts"])[-1] == name
    found = {name: part["outcome"].split(":")[0] for name, part in on.parts.items()}
    assert found == {"raises": "raised", "late": "late", "done": "done"}
    assert "ZeroDivisionError" in on.parts["raises"]["trace"]
    assert all(part["rows"]["first"] == 3 for part in on.parts.values())
    assert not on.done

    on = opened(tmp_path)
    for name in ("raises", "late", "done"):
        on.run(day.Part(name, 60, partial(rows, counted)), 3)
    assert on.done
    assert len(calls) == 3  # "done" was done already
    assert not opened(tmp_path, commit="b").parts  # another program begins anew


def test_no_card_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(typer.BadParameter, match="no CUDA device"):
        main(tmp_path)
