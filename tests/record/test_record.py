"""What a file of results says of the run that made it."""

import json
import re
from importlib.metadata import version

import pytest

import cvxinv
from cvxinv import record


def test_a_run_says_how_it_came_about(monkeypatch):
    monkeypatch.setattr("sys.argv", ["ignored", "--seed", "3"])
    found = record.run(("numpy", "cvxpy"), "python -m validation.riddle")
    assert set(found) == {"command", "date", "commit", "versions"}
    assert found["command"] == "python -m validation.riddle --seed 3"
    assert record.run(())["command"] == "cvxinv --seed 3"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"])
    assert found["commit"] is None or re.fullmatch(r"[0-9a-f]{40}\+?", found["commit"])
    assert found["versions"]["cvxinv"] == cvxinv.__version__
    assert found["versions"]["numpy"] == version("numpy")


def test_sources_that_are_no_checkout_have_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "SOURCES", tmp_path)
    assert record.commit() is None


def test_a_record_is_json_that_everybody_reads(tmp_path):
    record.write(tmp_path / "r.json", record.machine() | {"exact": None})
    assert {"cores", "architecture", "exact"} <= set(json.loads((tmp_path / "r.json").read_text()))
    with pytest.raises(ValueError, match="JSON"):
        record.write(tmp_path / "r.json", {"a": float("nan")})
