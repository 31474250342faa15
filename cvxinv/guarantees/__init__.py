"""The paper's definitions and theorems as code: what a generator guarantees about its own
inversion.

Numbers that are hard to compute come as a `Bracket` [lower, upper] that contains them, never as a
guess; conditions of theorems as a `Verdict`: HOLDS, FAILS or UNDECIDED.
"""

from cvxinv.guarantees.bracket import Bracket, Verdict
from cvxinv.guarantees.coherence import mutual_coherence
from cvxinv.guarantees.conditions import Condition
from cvxinv.guarantees.layer_bounds import LayerBounds
from cvxinv.guarantees.oracle import OracleError, oracle_error
from cvxinv.guarantees.spark import spark
from cvxinv.guarantees.stability import Stability, stability
from cvxinv.guarantees.sub_rank import sub_rank
from cvxinv.guarantees.sub_spark import sub_spark
from cvxinv.guarantees.submatrix_coherence import submatrix_coherence
from cvxinv.guarantees.uniqueness import Uniqueness, uniqueness

__all__ = [
    "Bracket",
    "Condition",
    "LayerBounds",
    "OracleError",
    "Stability",
    "Uniqueness",
    "Verdict",
    "mutual_coherence",
    "oracle_error",
    "spark",
    "stability",
    "sub_rank",
    "sub_spark",
    "submatrix_coherence",
    "uniqueness",
]
