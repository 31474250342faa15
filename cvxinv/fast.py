"""The package `fast` of this project, whatever else is called fast.

A user's own fast.py stands before ours on the path. It is then neither used nor executed: ours is
loaded by its place beside cvxinv, as `cvxinv.fast`. Otherwise `cvxinv.fast` is `fast`.
"""

import importlib
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

OURS = Path(__file__).parents[1] / "fast" / "__init__.py"


def _is_ours(file: str | None) -> bool:
    return file is not None and Path(file).resolve() == OURS.resolve()


def _found() -> str | None:
    """The file of what `import fast` gives, which is not executed for it."""
    if "fast" in sys.modules:
        return getattr(sys.modules["fast"], "__file__", None)
    spec = find_spec("fast")
    return None if spec is None else spec.origin


def _load() -> ModuleType:
    """Our `fast`, under its own name where that is free."""
    if _is_ours(_found()):
        return importlib.import_module("fast")
    spec = spec_from_file_location(__name__, OURS, submodule_search_locations=[str(OURS.parent)])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[__name__] = module
    spec.loader.exec_module(module)
    return module


sys.modules[__name__] = _load()  # what `import cvxinv.fast` then gives
