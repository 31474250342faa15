"""`cvxinv invert` in parts: their sizes, what is said meanwhile, and what is kept."""

import os
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest

import cvxinv
from cvxinv.cli import invert_run, parts
from cvxinv.cli.output import one_interrupt
from tests.support.shell import SIZES, complains

MANY = 40


@pytest.fixture
def many(G):
    y = G(np.random.default_rng(8).standard_normal((MANY, SIZES[0])))
    np.save("y.npy", y)
    return y


def in_parts_of(monkeypatch, size):
    def fixed(count):
        for begin in range(0, count, size):
            yield slice(begin, min(begin + size, count))

    monkeypatch.setattr(parts, "parts", fixed)


def stop_after(monkeypatch, count, error):
    """What the first parts give, then the error."""
    method = invert_run._method(invert_run.Method.invert)
    calls = []

    def stopping(*arguments, **options):
        calls.append(0)
        if len(calls) > count:
            raise error
        return method(*arguments, **options)

    monkeypatch.setattr(invert_run, "_method", lambda name: stopping)


# -- parts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 4, 5, 1000])
def test_parts_cover_every_signal_once(count):
    found = [i for b in parts.parts(count) for i in range(count)[b]]
    assert found == list(range(count))


@pytest.mark.parametrize(("pace", "largest"), [(0.01, 100), (0.5, 2), (5.0, 1)])
def test_parts_take_the_time_that_they_should(monkeypatch, pace, largest):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    sizes = []
    for b in parts.parts(1000, seconds=1.0):
        sizes.append(b.stop - b.start)
        now[0] += pace * sizes[-1]
    assert sizes[0] == parts.FIRST
    assert all(b <= parts.GROWTH * a for a, b in pairwise(sizes))
    assert abs(max(sizes[1:]) - largest) <= 1


def test_an_answer_does_not_depend_on_its_part(run, many, monkeypatch):
    assert run("invert", "g.safetensors", "y.npy", "--out", "whole.npz")[0] == 0
    in_parts_of(monkeypatch, 7)
    assert run("invert", "g.safetensors", "y.npy", "--out", "parts.npz")[0] == 0
    with np.load("whole.npz") as whole, np.load("parts.npz") as found:
        assert sorted(whole) == sorted(found)
        assert found["total"] == MANY
        assert found["status"].tolist() == whole["status"].tolist()
        one = whole["identifiable"]  # else z is one of many
        assert one.sum() > MANY / 2
        np.testing.assert_allclose(found["z"][one], whole["z"][one], rtol=0, atol=1e-10)
        np.testing.assert_allclose(found["signal"], many, atol=1e-10)


def test_masks_go_along_with_their_signals(run, G, many, monkeypatch):
    seen = np.random.default_rng(9).random(many.shape) > 0.2
    np.save("y.npy", np.where(seen, many, np.nan))
    np.save("mask.npy", seen)
    in_parts_of(monkeypatch, 7)
    run("invert", "g.safetensors", "y.npy", "--mask", "mask.npy")
    expected = cvxinv.invert(G, many, observed=seen)
    with np.load("inversion.npz") as found:
        assert found["status"].tolist() == [s.name for s in expected.status]
        np.testing.assert_allclose(found["residual"], expected.residual, atol=1e-10)


# -- files -----------------------------------------------------------------------------------------


def never(monkeypatch):
    def computed(self):
        raise AssertionError("computed before the outputs were looked at")

    monkeypatch.setattr(invert_run.Run, "in_parts", computed)


@pytest.mark.parametrize("option", ["--out", "--picture"])
def test_no_file_is_replaced_unless_told(run, many, monkeypatch, option):
    mine = run.folder / "mine.png"
    mine.write_text("mine")
    options = ("g.safetensors", "y.npy", option, "mine.png", "--out", "o.npz", "--shape", "5x6")
    if option == "--out":
        options = options[:4]
    with monkeypatch.context() as patch:
        never(patch)
        complains(run("invert", *options), "mine.png", "exists already: --overwrite")
    assert mine.read_text() == "mine"
    assert run("invert", *options, "--overwrite")[0] == 0
    assert mine.read_bytes()[:4] in (b"PK\x03\x04", b"\x89PNG")


def test_a_folder_that_cannot_be_written_is_an_error_before_any_work(run, many, monkeypatch):
    never(monkeypatch)
    locked = run.folder / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    places = ["y.npy/o.npz", "absent/o.npz", "locked"]
    if not os.access(locked, os.W_OK):  # nothing is locked to root
        places.append("locked/o.npz")
    if os.path.isdir("/proc/self"):  # but this is
        places.append("/proc/self/o.npz")
    for place in places:
        complains(run("invert", "g.safetensors", "y.npy", "--out", place), place.split("/")[0])


def test_a_link_stays_a_link(run, many):
    (run.folder / "real.npz").write_text("old")
    (run.folder / "link.npz").symlink_to("real.npz")
    assert run("invert", "g.safetensors", "y.npy", "--out", "link.npz", "--overwrite")[0] == 0
    assert (run.folder / "link.npz").is_symlink()
    assert np.load("real.npz")["z"].shape == (MANY, SIZES[0])


def test_nothing_is_left_of_a_run_that_fails(run, many):
    before = sorted(run.folder.iterdir())
    complains(run("invert", "g.safetensors", "absent.npy"), "absent.npy")
    complains(run("invert", "g.safetensors", "y.npy", "--noise", "-1"), "noise")
    assert sorted(run.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (MemoryError("no room"), 2)]
)
def test_what_is_finished_is_kept(run, many, monkeypatch, error, code):
    in_parts_of(monkeypatch, 7)
    stop_after(monkeypatch, 2, error)
    found_code, out, err = run("invert", "g.safetensors", "y.npy")
    assert found_code == code
    assert "inversion.npz keeps the first 14 of 40 signals" in err
    assert "invert of 14 signals" in out
    with np.load("inversion.npz") as found:
        assert found["total"] == MANY
        assert {found[name].shape[0] for name in ("z", "kkt", "layer_1", "status")} == {14}
        np.testing.assert_allclose(found["signal"], many[:14], atol=1e-8)
    assert [p.name for p in run.folder.iterdir() if p.name.startswith(".")] == []


def test_nothing_is_kept_of_nothing(run, many, monkeypatch):
    stop_after(monkeypatch, 0, KeyboardInterrupt())
    code, _, err = run("invert", "g.safetensors", "y.npy")
    assert (code, err) == (130, "cvxinv: interrupted\n")
    assert not (run.folder / "inversion.npz").exists()


def test_a_second_ctrl_c_does_nothing():
    before = signal.getsignal(signal.SIGINT)
    with one_interrupt():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    with one_interrupt() as ignore:
        ignore()
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c(run, G):
    rng = np.random.default_rng(8)
    y = G(rng.standard_normal((20_000, SIZES[0])))
    np.save("y.npy", y + 0.1 * rng.standard_normal(y.shape))
    command = [sys.executable, "-m", "cvxinv", "invert", "g.safetensors", "y.npy", "--noise", "0.1"]
    begun = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        lines, first = [], None
        for line in process.stderr:
            lines.append(line.decode())
            first = time.monotonic() - begun if first is None else first
            if re.match(r"[1-9]\d* of 20000 signals, \S+ per s, .* left$", lines[-1]):
                break
        stopped = time.monotonic()
        process.send_signal(signal.SIGINT)
        lines.append(process.stderr.read().decode())
        assert process.wait() == 130
    assert first < 10, "5 s on a machine of its own"
    assert time.monotonic() - stopped < 10
    kept = re.search(r"interrupted; inversion.npz keeps the first (\d+) of 20000", lines[-1])
    with np.load("inversion.npz") as found:
        assert 0 < len(found["z"]) == int(kept[1]) < 20_000
