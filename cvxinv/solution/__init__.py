"""What is answered: a `Status` per signal, a `Solution` per layer problem, an `Inversion` per
generator.
"""

from .inversion import Inversion
from .snr import snr
from .solution import Solution
from .status import STATUS_TOLERANCE, Status, marked, worst

__all__ = ["STATUS_TOLERANCE", "Inversion", "Solution", "Status", "marked", "snr", "worst"]
