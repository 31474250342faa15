"""The two engines of `fast` on a CPU: compiled active sets, and batches in torch."""

from contextlib import contextmanager

import pytest

from fast.compiled import active_sets

ENGINES = ("compiled", "batched")


@contextmanager
def only(engine):
    """That engine alone, inside."""
    with pytest.MonkeyPatch.context() as patch:
        if engine == "batched":
            patch.setattr(active_sets, "installed", lambda: False)
        yield


@pytest.fixture(params=ENGINES, scope="module", autouse=True)
def engine(request):
    """Each test of a module that imports this, once with each of them."""
    with only(request.param):
        yield request.param
