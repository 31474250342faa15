"""The paper's definitions and theorems as code: what a generator guarantees about its own inversion.

Numbers that are hard to compute come as a `Bracket` [lower, upper] that contains them, never as a guess; conditions of theorems
as a `Verdict`: HOLDS, FAILS or UNDECIDED.
"""

from .bracket import Bracket, Verdict
from .coherence import mutual_coherence
from .oracle import OracleError, oracle_error
from .spark import spark
from .stability import LayerBounds, Stability, stability
from .sub import sub_rank, sub_spark
from .submatrix import submatrix_coherence
from .uniqueness import Condition, Uniqueness, uniqueness

__all__ = [
    "Bracket", "Condition", "LayerBounds", "OracleError", "Stability", "Uniqueness", "Verdict", "mutual_coherence", "oracle_error",
    "spark", "stability", "sub_rank", "sub_spark", "submatrix_coherence", "uniqueness",
]  # fmt: skip
