"""The paper's definitions and theorems as code: what a generator guarantees about its own inversion.

Numbers that are hard to compute come as a `Bracket` [lower, upper] that contains them, never as a guess; conditions of theorems
as a `Verdict`: HOLDS, FAILS or UNDECIDED.
"""

from .bracket import Bracket, Verdict
from .coherence import mutual_coherence
from .oracle import OracleError, oracle_error
from .stability import LayerBounds, Stability, stability

__all__ = ["Bracket", "LayerBounds", "OracleError", "Stability", "Verdict", "mutual_coherence", "oracle_error", "stability"]
