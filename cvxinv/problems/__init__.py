"""The layer problems as frozen statements, one class per equation; each is an instance of (Q), see
`quadratic`.

A signal may be given alone, without the leading B axis.
"""

from .kinds import LayerProblem, Problem, as_problem
from .layers import LastLayer, Latent, MidLayer
from .linear_program import LinearProgram
from .pursuit import BasisPursuit, LeastSquares
from .quadratic import Quadratic
from .statement import batched, with_fields

__all__ = [
    "BasisPursuit",
    "LastLayer",
    "Latent",
    "LayerProblem",
    "LeastSquares",
    "LinearProgram",
    "MidLayer",
    "Problem",
    "Quadratic",
    "as_problem",
    "batched",
    "with_fields",
]
