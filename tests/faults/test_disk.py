"""A disk that is full, a reader that has gone: the old file stays, no other is left, and there is
one line of what happened.
"""

import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

import cvxinv
from cvxinv import MidLayer, problem_file, record
from tests.support.shell import SIZES, complains

LARGEST = 4096  # bytes of a file, from here on
RNG = np.random.default_rng(0)
MODEL = cvxinv.Generator([RNG.standard_normal((40, 30)), RNG.standard_normal((50, 40))])
PROBLEM = MidLayer(RNG.standard_normal((60, 40)), RNG.standard_normal((30, 60)))


@contextmanager
def full_disk():
    """No file grows beyond some pages: what the system says of a full disk, but for the number."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # what is imported meanwhile would leave torn bytecode, which no later process could load
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = kept
        signal.signal(signal.SIGXFSZ, ignored)


WRITERS = {
    "Generator.save": MODEL.save,
    "problem_file.save": lambda path: problem_file.save(PROBLEM, path),
    "record.write": lambda path: record.write(path, {"numbers": list(range(5000))}),
}


@pytest.mark.parametrize("writer", list(WRITERS))
def test_the_old_file_is_kept(writer, tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with full_disk(), pytest.raises(OSError, match="File too large"):
        WRITERS[writer](path)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("writer", list(WRITERS))
def test_no_torn_file(writer, tmp_path):
    with full_disk(), pytest.raises(OSError, match="File too large"):
        WRITERS[writer](tmp_path / "file")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("writer", list(WRITERS))
def test_what_is_no_file_is_written_to(writer):
    WRITERS[writer](os.devnull if writer != "record.write" else record.Path(os.devnull))
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize("writer", list(WRITERS))
def test_links_and_modes_stay(writer, tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    WRITERS[writer](tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "real").stat().st_size > 3


def test_invert(run, G):
    np.save("y.npy", G(np.random.default_rng(8).standard_normal((40, SIZES[0]))))
    old = run.folder / "inversion.npz"
    command = ("invert", "g.safetensors", "y.npy", "--starts", "0", "--overwrite")
    assert run(*command)[0] == 0  # what is compiled and kept is kept whole
    old.write_text("old")
    before = sorted(run.folder.iterdir())
    with full_disk():
        complains(run(*command), "File too large")
    assert old.read_text() == "old"
    assert sorted(run.folder.iterdir()) == before


def shell(command, folder, inherited=os.environ):
    """A line of the shell; `cvxinv` is the command line of the project."""
    line = command.replace("cvxinv ", f"{sys.executable} -m cvxinv ")
    environment = {**inherited, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def verified(tmp_path):
    problem_file.save(PROBLEM, tmp_path / "p.npz")
    np.save(tmp_path / "x.npy", np.zeros((30, 40)))
    return tmp_path


ENVIRONMENTS = {"whole": os.environ, "bare": {"PATH": os.environ["PATH"]}}


@pytest.mark.parametrize("environment", list(ENVIRONMENTS))
def test_stdout_is_full(verified, environment):
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    done = shell("cvxinv verify p.npz x.npy > /dev/full", verified, ENVIRONMENTS[environment])
    assert done.returncode == 2
    assert done.stderr == "cvxinv: [Errno 28] No space left on device\n"


def test_nobody_reads(verified):
    done = shell("cvxinv verify p.npz x.npy | true; exit ${PIPESTATUS[0]}", verified)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.returncode in (1, 2, 141)  # rich says 1


def test_stdout_is_closed(verified):
    done = shell("cvxinv verify p.npz x.npy >&-", verified)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
