"""Where cvxpy and its solvers are not installed, as on many machines with a GPU: `fast`, the
pursuits and the tests that need a GPU do without them.
"""

import subprocess
import sys
from pathlib import Path

from tests.support.imports import needing, sources

ROOT = Path(__file__).parents[2]
MISSING = ("cvxpy", "osqp", "scs", "clarabel", "highspy", "daqp", "piqp", "quadprog", "unopy")
# what sys.modules has nothing for is not looked for elsewhere
WITHOUT = f"import sys; sys.modules.update(dict.fromkeys({MISSING}))"
WORK = """
import numpy as np, torch, cvxinv, fast
W = lambda *shape: np.random.default_rng(1).standard_normal(shape)
G = cvxinv.Generator([W(12, 4), W(24, 12)])
z = np.random.default_rng(0).standard_normal((3, 4))
y = torch.tensor(G(z))
assert {s.name for s in fast.solve(cvxinv.LastLayer(G.weights[1], y)).status} == {"OPTIMAL"}
for found in (
    cvxinv.latent_pursuit(G, y),
    cvxinv.noisy_pursuit(G, y, noise=0.01),
    cvxinv.layered_basis_pursuit(G, y),
    cvxinv.oracle(G, y, G.supports(z)),
    cvxinv.invert(G, y, noise=0.01, starts=2),
    fast.gradient_descent(G, y, steps=5),
):
    assert found.z.shape == (3, 4)
try:
    cvxinv.reference.solve
except ImportError:
    print("done")
"""


def without(*lines):
    """What a fresh interpreter prints that cannot import what is missing."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join((WITHOUT, *lines))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_fast_the_pursuits_and_invert_work():
    assert without(WORK) == "done\n"


def test_the_tests_that_need_a_gpu_are_collected():
    options = ["-m", "gpu", "--collect-only", "-q", "-p", "no:cacheprovider"]
    found = without("import pytest", f"sys.exit(pytest.main({options}))")
    assert "error" not in found
    assert found.count("tests/fast/test_gpu.py::") > 20


def test_the_gpu_day_runs_without_them():
    day = "from validation.gpu.__main__ import main; import typer"
    assert "--small" in without("sys.argv = ['gpu', '--help']", day, "typer.run(main)")


def test_what_needs_cvxpy_is_known():
    modules = sources("cvxinv", "fast", "tests", "validation")
    needed = needing("cvxpy", modules)
    assert {"cvxinv.reference", "tests.reference.test_polish"} <= needed
    assert not {"cvxinv", "fast.solve", "tests.fast.test_gpu", "tests.conftest"} & needed
    assert not {name for name in needed if name.startswith("validation.gpu")}
