"""A proximal augmented-Lagrangian semismooth Newton method for (Q), its residual and its units."""

from .face import fit_on_face
from .method import SETTINGS, least_violation, solve
from .residual import Iterate, Scaled, eye, natural, prox, residual
from .units import power_of_two, row_units

__all__ = [
    "SETTINGS",
    "Iterate",
    "Scaled",
    "eye",
    "fit_on_face",
    "least_violation",
    "natural",
    "power_of_two",
    "prox",
    "residual",
    "row_units",
    "solve",
]
