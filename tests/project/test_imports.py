"""What importing costs, and that the tree passes lint and type
checks.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def loaded(statement):
    """The modules that are loaded after `statement` in a fresh interpreter."""
    done = python("-W", "error", "-c", f"{statement}; import sys; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_import_cvxinv_loads_neither_cvxpy_nor_torch():
    assert not {"cvxpy", "torch", "scipy", "joblib"} & loaded("import cvxinv")


def test_statements_and_certificates_need_neither_cvxpy_nor_torch():
    statement = (
        "import cvxinv, numpy as np; W = np.eye(2); cvxinv.verify(cvxinv.MidLayer(W, W), W);"
        " cvxinv.Generator([W, W])(W)"
    )
    modules = loaded(statement)
    assert "numpy" in modules
    assert not {"cvxpy", "torch"} & modules


def test_guarantees_load_cvxpy_only_for_what_needs_it():
    statement = (
        "import cvxinv, numpy as np;"
        " cvxinv.guarantees.spark(np.random.default_rng(0).standard_normal((5, 8)))"
    )
    assert not {"cvxpy", "torch"} & loaded(statement)
    assert "cvxpy" in loaded(statement.replace("8)))", "8)), method='milp')"))


def test_import_fast_does_not_load_cvxpy():
    assert "cvxpy" not in loaded("import fast")


def test_the_reference_is_what_loads_cvxpy():
    assert "cvxpy" in loaded("import cvxinv; cvxinv.reference.solve")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("mypy",), ("ruff", "check"), ("ruff", "format", "--check")], ids=" ".join
)
def test_lint_and_types(arguments):
    assert importlib.util.find_spec(arguments[0]), (
        f"{arguments[0]} is part of the extra cvxinv[test]"
    )
    done = python(
        "-m",
        *arguments,
        *(() if arguments[0] == "mypy" else ("cvxinv", "fast", "tests", "validation")),
    )
    assert done.returncode == 0, done.stdout + done.stderr
