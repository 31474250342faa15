"""What `cvxinv.testing` loads, its names, and what it does where Hypothesis is not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from cvxinv import testing
from cvxinv.errors import MissingPackageError
from cvxinv.testing import names

ROOT = Path(__file__).parents[2]
# as where it is not installed: no finder knows it
WITHOUT = """
import sys
class Others:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        known = name.split(".")[0] != "hypothesis"
        return self.finder.find_spec(name, path, target) if known else None
sys.meta_path[:] = map(Others, sys.meta_path)
"""
WORK = """
import numpy as np
from cvxinv import LastLayer, testing
from cvxinv.testing import assert_optimal, hard_cases, raw
assert len(hard_cases()) > 100
assert_optimal(LastLayer(np.eye(2), np.ones(2)), np.ones(2))
try:
    hard_cases("nnls")[0].check(np.zeros((3, 8)))
except AssertionError:
    print("works")
for name in ("check_solver", "lasso", "generators", "Planted"):
    try:
        getattr(testing, name)
    except ImportError as error:
        print(error)
try:
    from cvxinv.testing import check_solver
except ImportError as error:
    print(error)
print(testing.KINDS[0], testing.LEVELS[0])
"""
NEEDS = "needs Hypothesis: pip install 'cvxinv[testing]'"


def printed(code):
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_importing_it_loads_little():
    (loaded,) = printed("import sys, cvxinv.testing; print(*sys.modules)")
    assert not {"torch", "cvxpy", "hypothesis", "scipy", "fast"} & set(loaded.split())


def test_statements_are_drawn_without_torch_and_cvxpy():
    code = "import sys; from cvxinv.testing import *; lasso(); hard_cases(); print(*sys.modules)"
    (loaded,) = printed(code)
    assert "hypothesis" in loaded.split()
    assert not {"torch", "cvxpy"} & set(loaded.split())


def test_without_hypothesis():
    assert printed(WITHOUT + WORK) == [
        "works",
        f"cvxinv.testing.check_solver {NEEDS}",
        f"cvxinv.testing.lasso {NEEDS}",
        f"cvxinv.testing.generators {NEEDS}",
        f"cvxinv.testing.Planted {NEEDS}",
        f"cvxinv.testing.check_solver {NEEDS}",
        "least_squares one column",
    ]


def test_that_the_stub_hides_hypothesis():
    code = "\ntry:\n    import hypothesis\nexcept ModuleNotFoundError as error:\n    print(error)"
    assert printed(WITHOUT + code) == ["No module named 'hypothesis'"]


def test_the_error_is_an_import_error(monkeypatch):
    monkeypatch.setattr(names, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="lasso needs Hypothesis"):
        testing.lasso  # noqa: B018


@pytest.mark.parametrize("name", testing.__all__)
def test_public_names(name):
    assert name in dir(testing)
    assert getattr(testing, name) is not None
    assert testing.__all__.count(name) == 1


def test_unknown_names_do_not_resolve():
    with pytest.raises(AttributeError, match=r"'cvxinv.testing' has no attribute 'ridge'"):
        testing.ridge  # noqa: B018
    assert set(testing.KINDS) <= set(testing.__all__)
