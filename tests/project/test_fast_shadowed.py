"""A user's own script or package called fast, before ours on the path."""

import ast
import os
import subprocess
import sys

import pytest

import cvxinv
import fast
from tests.support.imports import ROOT, sources

MINE = "print('mine')\nanswer = 42\n"
PURSUIT = """
import numpy as np, cvxinv
rng = np.random.default_rng(0)
G = cvxinv.Generator([rng.standard_normal((9, 3)), rng.standard_normal((20, 9))], activation="plu")
z = rng.standard_normal((2, 3))
for inv in (cvxinv.latent_pursuit(G, G(z)), cvxinv.invert(G, G(z), starts=2)):
    assert np.allclose(inv.z, z), inv
from cvxinv import fast as backend
assert backend is cvxinv.fast is sys.modules["cvxinv.fast"]
assert backend.solve(cvxinv.LeastSquares(np.eye(2), np.ones(2))).status == cvxinv.Status.OPTIMAL
"""


def run(folder, script):
    """The output of a script in a folder, which is the first place where Python looks."""
    (folder / "my.py").write_text("import sys\n" + script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "my.py"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["fast.py", "fast/__init__.py"])
def test_it_is_never_executed(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(MINE)
    assert run(tmp_path, PURSUIT) == ""


def test_it_is_the_users_own_where_they_import_it(tmp_path):
    (tmp_path / "fast.py").write_text(MINE)
    for script in (
        "import fast\n" + PURSUIT + "assert fast.answer == 42 and fast is not cvxinv.fast",
        PURSUIT + "import fast; assert fast.answer == 42 and fast is not cvxinv.fast",
        "import fast, cvxinv.fast\n" + PURSUIT,
    ):
        assert run(tmp_path, script) == "mine\n"


def test_ours_never_imports_itself_by_a_name_that_may_be_theirs():
    for path in sources("fast").values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").split(".")[0] != "fast", f"{path}: line {node.lineno}"
            if isinstance(node, ast.Import):
                assert not any(alias.name.split(".")[0] == "fast" for alias in node.names), path


def test_without_one_there_is_one_module():
    assert cvxinv.fast is fast
    assert sys.modules["cvxinv.fast"] is fast


@pytest.mark.parametrize(
    "order", ["import fast, cvxinv.fast", "import cvxinv.fast, fast", "from cvxinv import fast"]
)
def test_without_one_in_any_order(tmp_path, order):
    script = (
        f"{order}\nimport fast as top, cvxinv\nassert top is cvxinv.fast is sys.modules['fast']"
    )
    assert run(tmp_path, script) == ""


def test_a_folder_of_data_is_not_in_the_way(tmp_path):
    """A namespace package stands behind every real one."""
    (tmp_path / "fast").mkdir()
    assert run(tmp_path, "import cvxinv, fast; assert cvxinv.fast is fast") == ""
