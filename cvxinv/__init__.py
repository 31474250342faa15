"""cvxinv: invert ReLU generators layer by layer as convex problems, and prove each answer right.

Public names are imported on first use, so that `import cvxinv` loads neither cvxpy nor torch. They
stand here twice: in `_NAMES`, by which they are found, and as the imports that a type checker
follows instead; a test holds the two together.
"""

import importlib
from typing import TYPE_CHECKING, Any

from cvxinv.version import __version__ as __version__

if TYPE_CHECKING:
    import fast as fast
    from cvxinv import activations as activations
    from cvxinv import guarantees as guarantees
    from cvxinv import problems as problems
    from cvxinv import reference as reference
    from cvxinv import testing as testing
    from cvxinv.certificate import Certificate as Certificate
    from cvxinv.certificate import refutes as refutes
    from cvxinv.certificate.verify import verify as verify
    from cvxinv.errors import GeneratorFileError as GeneratorFileError
    from cvxinv.errors import MissingPackageError as MissingPackageError
    from cvxinv.errors import MissingSolverError as MissingSolverError
    from cvxinv.errors import NotConvexError as NotConvexError
    from cvxinv.errors import NotStatedError as NotStatedError
    from cvxinv.errors import ProblemFileError as ProblemFileError
    from cvxinv.errors import UnsupportedModuleError as UnsupportedModuleError
    from cvxinv.generator import Generator as Generator
    from cvxinv.generator import mnist_generator as mnist_generator
    from cvxinv.generator import nn as nn
    from cvxinv.inversion import cramer_rao as cramer_rao
    from cvxinv.inversion.invert import hybrid as hybrid
    from cvxinv.inversion.invert import invert as invert
    from cvxinv.problems import BasisPursuit as BasisPursuit
    from cvxinv.problems import LastLayer as LastLayer
    from cvxinv.problems import Latent as Latent
    from cvxinv.problems import LeastSquares as LeastSquares
    from cvxinv.problems import LinearProgram as LinearProgram
    from cvxinv.problems import MidLayer as MidLayer
    from cvxinv.problems import file as problem_file  # noqa: F401
    from cvxinv.pursuits import latent_pursuit as latent_pursuit
    from cvxinv.pursuits import layered_basis_pursuit as layered_basis_pursuit
    from cvxinv.pursuits import linear_programming as linear_programming
    from cvxinv.pursuits import noisy_pursuit as noisy_pursuit
    from cvxinv.pursuits.oracle import oracle as oracle
    from cvxinv.solution import Inversion as Inversion
    from cvxinv.solution import Solution as Solution
    from cvxinv.solution import Status as Status
    from cvxinv.solution.snr import snr as snr

_NAMES = {
    "certificate": "Certificate refutes verify",
    "errors": "GeneratorFileError MissingPackageError MissingSolverError NotConvexError"
    " NotStatedError ProblemFileError UnsupportedModuleError",
    "generator": "Generator mnist_generator",
    "inversion": "cramer_rao hybrid invert",
    "problems": "BasisPursuit LastLayer Latent LeastSquares LinearProgram MidLayer",
    "pursuits": "latent_pursuit layered_basis_pursuit linear_programming noisy_pursuit oracle",
    "solution": "Inversion Solution Status snr",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
_MODULES = {
    "activations": "activations",
    "fast": "fast",
    "guarantees": "guarantees",
    "nn": "generator.nn",
    "problem_file": "problems.file",
    "problems": "problems",
    "reference": "reference",
    "testing": "testing",
}

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    if name in _MODULES:
        return importlib.import_module(f".{_MODULES[name]}", __name__)
    raise AttributeError(f"module 'cvxinv' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
