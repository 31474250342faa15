"""Threads, Hypothesis profiles, tests that need a GPU or cvxpy; a generator file and a shell beside
it.
"""

import os
from importlib.util import find_spec

# before numpy and torch are loaded: the matrices here are small
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

import cvxinv  # noqa: E402
from cvxinv import cli, progress  # noqa: E402
from tests.support.imports import needing, sources  # noqa: E402
from tests.support.shell import SIZES  # noqa: E402

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=40)
settings.register_profile("random", deadline=None, max_examples=400, print_blob=True)
settings.register_profile("long", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# a machine with a GPU may lack the solvers of the reference: then `pytest -m gpu` is what it is for
if find_spec("cvxpy") is None:
    modules = sources("cvxinv", "fast", "tests", "validation")
    collect_ignore = [modules[name] for name in needing("cvxpy", modules) if name in modules]


def pytest_collection_modifyitems(items):
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


# -- the command line ------------------------------------------------------------------------------


@pytest.fixture
def G(tmp_path):
    rng = np.random.default_rng(0)
    G = cvxinv.Generator(
        [rng.standard_normal(shape) for shape in zip(SIZES[1:], SIZES[:-1], strict=True)]
    )
    G.save(tmp_path / "g.safetensors")
    return G


@pytest.fixture
def latent():
    return np.random.default_rng(3).standard_normal((4, SIZES[0]))


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(progress, "QUIET", 600.0)  # on a busy machine, too

    def run(*arguments):
        code = cli.main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    run.folder = tmp_path
    return run
