"""cvxinv: invert ReLU generators layer by layer as convex problems, and prove each answer right.

Public names are imported on first use, so that `import cvxinv` loads neither cvxpy nor torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import activations, guarantees, nn, problem_file, reference
    from .error_bars import cramer_rao
    from .errors import GeneratorFileError, MissingSolverError, NotConvexError, UnsupportedModuleError
    from .generator import Generator, mnist_generator
    from .inversion import hybrid, invert
    from .noise import noisy_pursuit
    from .optimality import Certificate, verify
    from .problems import BasisPursuit, LastLayer, Latent, LeastSquares, LinearProgram, MidLayer
    from .pursuit import latent_pursuit, layered_basis_pursuit, linear_programming, oracle, snr
    from .solution import Inversion, Solution, Status

_HOME = {
    "error_bars": ("cramer_rao",),
    "errors": ("GeneratorFileError", "MissingSolverError", "NotConvexError", "UnsupportedModuleError"),
    "generator": ("Generator", "mnist_generator"),
    "inversion": ("hybrid", "invert"),
    "noise": ("noisy_pursuit",),
    "optimality": ("Certificate", "verify"),
    "problems": ("BasisPursuit", "LastLayer", "Latent", "LeastSquares", "LinearProgram", "MidLayer"),
    "pursuit": ("latent_pursuit", "layered_basis_pursuit", "linear_programming", "oracle", "snr"),
    "solution": ("Inversion", "Solution", "Status"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
_MODULES = ("activations", "guarantees", "nn", "reference", "problem_file", "problems", "optimality", "pursuit")

__all__ = [
    "BasisPursuit", "Certificate", "Generator", "GeneratorFileError", "Inversion", "LastLayer", "Latent",
    "LeastSquares", "LinearProgram", "MidLayer", "MissingSolverError", "NotConvexError", "Solution", "Status",
    "UnsupportedModuleError", "activations", "cramer_rao", "guarantees", "hybrid", "invert", "latent_pursuit",
    "layered_basis_pursuit", "linear_programming", "mnist_generator", "nn", "noisy_pursuit", "oracle", "problem_file",
    "reference", "snr", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'cvxinv' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
