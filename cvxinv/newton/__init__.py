"""A proximal augmented-Lagrangian semismooth Newton method for (Q), its residual and its units."""

from .method import SETTINGS, least_violation, solve
from .residual import Iterate, Scaled, eye, natural, prox, residual
from .units import row_units

__all__ = [
    "SETTINGS",
    "Iterate",
    "Scaled",
    "eye",
    "least_violation",
    "natural",
    "prox",
    "residual",
    "row_units",
    "solve",
]
