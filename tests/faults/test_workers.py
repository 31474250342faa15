"""Processes of `multiprocessing`, after the parent has used everything: the same answers, and no
deadlock. A worker that is killed.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from joblib.externals.loky import reusable_executor

from cvxinv import BasisPursuit, reference

WORKERS = """
import multiprocessing, sys, warnings
import torch
from tests.support.work import KINDS, same, work

if __name__ == "__main__":
    method, threads = sys.argv[1], int(sys.argv[2])
    warnings.simplefilter("ignore")  # that a process with threads forks
    torch.set_num_threads(threads)
    asked = [(kind, seed) for kind in KINDS for seed in range(2)]
    expected = [work(*one) for one in asked]
    torch.set_num_threads(1)  # children inherit it; OpenMP itself cannot be used on both sides
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.starmap(work, asked)
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))
    assert same(work("fast", 0), expected[0])  # the parent goes on
"""
METHODS = [m for m in ("fork", "spawn", "forkserver") if sys.platform != "win32" or m == "spawn"]


ROOT = Path(__file__).parents[2]  # of `tests`, which is not installed


def python(script, *arguments, timeout=100):
    command = [sys.executable, str(script), *arguments]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, timeout=timeout, capture_output=True, text=True, env=env)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers(method, tmp_path):
    if method not in METHODS:
        pytest.skip("not on this system")
    script = tmp_path / "workers.py"  # spawned processes import it
    script.write_text(WORKERS)
    done = python(script, method, "1")
    assert done.returncode == 0, done.stderr


def test_forked_after_threads(tmp_path):
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    if "fork" not in METHODS:
        pytest.skip("needs fork")
    done = python(script, "fork", "2")
    assert done.returncode == 0, done.stderr


def test_killed():
    """A worker of `reference.solve` is killed: every signal has its answer, or the reason."""
    rng = np.random.default_rng(0)
    problem = BasisPursuit(rng.standard_normal((40, 30)), rng.standard_normal((200, 40)), lam=0.1)
    expected = reference.solve(problem)
    killed, ended = [], threading.Event()

    def kill():
        while not killed and not ended.wait(0.02):
            pool = reusable_executor._executor
            for pid in [*((pool and pool._processes) or {})][:1]:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killer = threading.Timer(0.3, kill)
    killer.start()
    found = reference.solve(problem, n_jobs=2)
    ended.set()
    killer.join()
    assert killed
    assert list(found.status) == list(expected.status)
    np.testing.assert_allclose(found.x, expected.x, atol=1e-8)
