"""Experiments in miniature, run as users run them; stopped runs that go on."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from validation import mnist, runner
from validation.__main__ import app
from validation.report import page, results
from validation.runner import ROOT
from validation.sections import SECTIONS
from validation.sections.section import Scale

ERRATA = next(s for s in SECTIONS if s.name == "errata")
# run in miniature elsewhere: tests/cli/test_bench.py, tests/validation/test_mutation.py; training
# a classifier takes too long
ELSEWHERE = {"bench", "mutation", "conformance", "generator_quality"}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.name)
def test_in_miniature(section, tmp_path, monkeypatch):
    """Measured, judged and drawn; a second run finds it there."""
    if section.name in ELSEWHERE:
        assert not section.commands[Scale.tiny]
        return
    if section.name == "digits" and not (mnist.LOCAL.is_dir() or "CVXINV_DATA" in os.environ):
        pytest.skip("needs MNIST")
    monkeypatch.setenv("CVXINV_POINTS", str(tmp_path / "points"))
    log = tmp_path / "log.txt"
    assert runner.run([section], Scale.tiny, tmp_path) == [], log.read_text()
    before = log.read_text()
    assert runner.run([section], Scale.tiny, tmp_path) == []
    assert log.read_text() == before
    found = results.judge(section, results.read(section, tmp_path, Scale.tiny))
    assert len(found) == len(section.claims)
    assert f'id="{section.name}"' in page.page([section], tmp_path, Scale.tiny)


def test_what_fails_does_not_stop_the_others(tmp_path, capfd):
    broken = replace(ERRATA, name="broken", commands=dict.fromkeys(Scale, ("validation.nowhere",)))
    assert runner.run([broken, ERRATA], Scale.tiny, tmp_path) == ["broken"]
    assert runner.done(ERRATA, Scale.tiny, tmp_path)
    assert "broken failed" in capfd.readouterr().err


def test_what_another_command_made_is_measured_again(tmp_path):
    (tmp_path / "errata.json").write_text('{"command": "python -m validation.errata --old"}')
    assert not runner.done(ERRATA, Scale.tiny, tmp_path)
    (tmp_path / "errata.json").write_text("[1, 2")
    assert not runner.done(ERRATA, Scale.tiny, tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_killed_run_goes_on_where_it_was(tmp_path):
    """The points of a long experiment survive."""
    points = tmp_path / "points"
    env = os.environ | {"CVXINV_POINTS": str(points), "PYTHONPATH": str(ROOT)}
    words = ["run", "random_networks", "--scale", "tiny", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "validation", *words]
    run = subprocess.Popen(
        command, cwd=tmp_path, env=env, start_new_session=True, stderr=subprocess.DEVNULL
    )
    end = time.time() + 120
    while not list(points.rglob("*.json")) and time.time() < end:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    kept = {path: path.stat().st_mtime_ns for path in points.rglob("*.json")}
    assert kept
    assert subprocess.run(command, cwd=tmp_path, env=env, check=False).returncode == 0
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
    assert len(json.loads((tmp_path / "random_networks.json").read_text())["points"]) == 2


def test_the_command_line_lists_and_refuses(tmp_path):
    shell = CliRunner()
    assert "random_networks" in shell.invoke(app, [], env={"COLUMNS": "160"}).stdout
    refused = shell.invoke(app, ["run", "fig2"])
    assert refused.exit_code == 2
    missing = shell.invoke(
        app, ["report", "--out", str(tmp_path), "--to", str(tmp_path / "r.html")]
    )
    assert missing.exit_code == 1
    assert not (tmp_path / "r.html").exists()
