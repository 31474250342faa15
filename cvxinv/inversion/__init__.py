"""The front door: z from a noisy, masked signal, with its error bar."""

from .error_bars import cramer_rao
from .invert import hybrid, invert

__all__ = ["cramer_rao", "hybrid", "invert"]
