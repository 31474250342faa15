"""cvxinv: invert ReLU generators layer by layer as convex problems, and prove each answer right.

Public names are imported on first use, so that `import cvxinv` loads neither cvxpy nor torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from cvxinv.version import __version__ as __version__

if TYPE_CHECKING:
    from cvxinv import activations, guarantees, reference
    from cvxinv.certificate import Certificate, refutes
    from cvxinv.certificate.verify import verify
    from cvxinv.errors import (
        GeneratorFileError,
        MissingSolverError,
        NotConvexError,
        UnsupportedModuleError,
    )
    from cvxinv.generator import Generator, mnist_generator, nn
    from cvxinv.inversion import cramer_rao
    from cvxinv.inversion.invert import hybrid, invert
    from cvxinv.problems import (
        BasisPursuit,
        LastLayer,
        Latent,
        LeastSquares,
        LinearProgram,
        MidLayer,
    )
    from cvxinv.problems import file as problem_file
    from cvxinv.pursuits import (
        latent_pursuit,
        layered_basis_pursuit,
        linear_programming,
        noisy_pursuit,
    )
    from cvxinv.pursuits.oracle import oracle
    from cvxinv.solution import Inversion, Solution, Status
    from cvxinv.solution.snr import snr

_HOME = {
    "certificate": ("Certificate", "refutes", "verify"),
    "errors": (
        "GeneratorFileError",
        "MissingSolverError",
        "NotConvexError",
        "UnsupportedModuleError",
    ),
    "generator": ("Generator", "mnist_generator"),
    "inversion": ("cramer_rao", "hybrid", "invert"),
    "problems": (
        "BasisPursuit",
        "LastLayer",
        "Latent",
        "LeastSquares",
        "LinearProgram",
        "MidLayer",
    ),
    "pursuits": (
        "latent_pursuit",
        "layered_basis_pursuit",
        "linear_programming",
        "noisy_pursuit",
        "oracle",
    ),
    "solution": ("Inversion", "Solution", "Status", "snr"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
_MODULES = {
    "activations": "activations",
    "guarantees": "guarantees",
    "nn": "generator.nn",
    "problem_file": "problems.file",
    "problems": "problems",
    "reference": "reference",
}

__all__ = [
    "BasisPursuit",
    "Certificate",
    "Generator",
    "GeneratorFileError",
    "Inversion",
    "LastLayer",
    "Latent",
    "LeastSquares",
    "LinearProgram",
    "MidLayer",
    "MissingSolverError",
    "NotConvexError",
    "Solution",
    "Status",
    "UnsupportedModuleError",
    "activations",
    "cramer_rao",
    "guarantees",
    "hybrid",
    "invert",
    "latent_pursuit",
    "layered_basis_pursuit",
    "linear_programming",
    "mnist_generator",
    "nn",
    "noisy_pursuit",
    "oracle",
    "problem_file",
    "reference",
    "refutes",
    "snr",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    if name in _MODULES:
        return importlib.import_module(f".{_MODULES[name]}", __name__)
    raise AttributeError(f"module 'cvxinv' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
