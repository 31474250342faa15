"""What `fast.solve` sets for the whole process while it computes: how exact float32 products are.

Torch can be told in two ways, and refuses to read one after the other was used: each case runs in a
process of its own.
"""

import subprocess
import sys
from threading import Barrier, Thread

import numpy as np
import pytest
import torch

import fast
from cvxinv import LastLayer, Status
from fast.core import precision

CASE = """
import torch, cvxinv, fast
{setting}
def state():
    found = [torch.backends.cuda.matmul.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision]
    try:
        found.append(torch.get_float32_matmul_precision())
    except RuntimeError:
        found.append("mixed")
    return found
before = state()
W, y = torch.randn(60, 40, dtype=torch.float64), torch.randn(8, 60, dtype=torch.float64)
sol = fast.solve(cvxinv.LastLayer(W, y, lam=0.1))
assert all(s is cvxinv.Status.OPTIMAL for s in sol.status)
assert state() == before, (before, state())
"""
SETTINGS = {
    "the older way": "torch.set_float32_matmul_precision('medium')",
    "products on a card": "torch.backends.cuda.matmul.fp32_precision = 'tf32'",
    "products on a CPU": "torch.backends.mkldnn.matmul.fp32_precision = 'bf16'",
    "everything": "torch.backends.fp32_precision = 'tf32'",
}
NEWER = hasattr(torch.backends.cuda.matmul, "fp32_precision")


@pytest.mark.skipif(not NEWER, reason="torch before 2.9 has one way only")
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_a_setting_is_left_as_it_was_in_whichever_way_it_was_made(setting):
    code = CASE.format(setting=setting)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def medium():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


def test_threads_that_overlap_leave_the_setting_of_before(medium):
    """The second thread comes in before the first goes out, and goes out last."""
    inside, out, seen = Barrier(2), Barrier(2), []

    def first():
        with precision.full_precision():
            inside.wait(10)
        out.wait(10)

    def second():
        with precision.full_precision():
            inside.wait(10)
            out.wait(10)
            seen.append(precision._get())

    threads = [Thread(target=run) for run in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen[0][-1] in ("ieee", "highest"), "still in full precision when the first was out"
    assert torch.get_float32_matmul_precision() == "medium"


def test_threads_that_solve_leave_the_setting_of_before(medium):
    rng = np.random.default_rng(0)
    problem = LastLayer(rng.standard_normal((60, 40)), rng.standard_normal((40, 60)), lam=0.1)
    expected, found = fast.solve(problem), []

    def solve():
        for _ in range(3):
            found.append(fast.solve(problem))

    threads = [Thread(target=solve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.get_float32_matmul_precision() == "medium"
    assert len(found) == 12
    for sol in found:
        assert list(sol.status) == [Status.OPTIMAL] * 40
        np.testing.assert_array_equal(sol.x, expected.x)
