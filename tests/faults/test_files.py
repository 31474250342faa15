"""Files whose bytes are changed: an error that is documented, or what the file holds; nothing is
unpickled, nothing hangs, and no memory is taken that the file does not have.
"""

import signal
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest

from cvxinv import cli
from tests.support.mutants import CORPUS, MARKER, MUTATIONS, mutants

CASES = 60  # for each file and mutation
SECONDS = 5  # for each case
# bytes that reading may take beside those of the file: a decompressor's, and twice the bound of an
# unpacked idx file; an array of an archive that is small may take LARGEST in the end
MOST = 1 << 27
DOCUMENTED = (ValueError, OSError)  # GeneratorFileError, ProblemFileError and DataError among them


@contextmanager
def in_time(words):
    def late(number, frame):
        raise AssertionError(f"still at work after {SECONDS} s: {words}")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def complaint(read, path):
    """What a reader says of a file; nothing if it reads it."""
    try:
        read(path)
    except DOCUMENTED as error:
        return str(error)
    return ""


@pytest.mark.parametrize("mutation", list(MUTATIONS))
@pytest.mark.parametrize("kind", list(CORPUS))
def test_bytes(kind, mutation, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, read = tmp_path / f"file{CORPUS[kind].suffix}", CORPUS[kind].read
    tracemalloc.start()
    try:
        for seed, content in mutants(kind, mutation, CASES):
            path.write_bytes(content)
            tracemalloc.reset_peak()
            begin = tracemalloc.get_traced_memory()[0]
            words = f"{kind}, {mutation}, {seed}"
            with in_time(words):
                said = complaint(read, path)
            assert said == "" or said.startswith(str(path)) or not CORPUS[kind].named, words
            assert "\n" not in said, words
            taken = tracemalloc.get_traced_memory()[1] - begin
            assert taken < MOST + CORPUS[kind].times * len(content), words
    finally:
        tracemalloc.stop()
    assert not (tmp_path / MARKER).exists()


@pytest.mark.parametrize("mutation", list(MUTATIONS))
def test_commands(mutation, tmp_path, monkeypatch, capfd):
    """`cvxinv verify` and `cvxinv invert` on some: one line, and no traceback."""
    monkeypatch.chdir(tmp_path)
    for kind in ("problem", "signals", "generator"):
        CORPUS[kind].write(tmp_path / f"{kind}{CORPUS[kind].suffix}")
    np.save("x.npy", np.zeros((3, 4)))
    commands = {
        "problem": ("verify", "bad.npz", "x.npy"),
        "solution": ("verify", "problem.npz", "bad.npz"),
        "signals": ("invert", "generator.safetensors", "bad.npz", "--starts", "0", "--overwrite"),
        "generator": ("invert", "bad.safetensors", "signals.npz", "--starts", "0", "--overwrite"),
    }
    for kind, command in commands.items():
        for seed, content in mutants(kind, mutation, 4):
            bad = tmp_path / f"bad{CORPUS[kind].suffix}"
            bad.write_bytes(content)
            with in_time(f"{kind}, {seed}"):
                code = cli.main([*command])
            err = capfd.readouterr().err
            assert code in (0, 1, 2), (kind, seed)
            if code == 2:
                assert err.startswith("cvxinv: ")
                assert err.count("\n") == 1
    assert not (tmp_path / MARKER).exists()
